import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { gitHub } from '../../src/adapters/github.ts'
import { branchBoard } from '../../src/adapters/github/board.ts'
import type { Outcome } from '../../src/command.ts'
import { deploy } from '../../src/commands/deploy.ts'
import { resume } from '../../src/commands/resume.ts'
import type { Board, Waiting } from '../../src/core/board.ts'
import { readBoard, withoutWaiting, withWaiting } from '../../src/core/board.ts'
import { plain } from '../../src/core/report.ts'
import type { BoardHost } from '../../src/ports.ts'
import type { ManualClock } from '../fakes/github/clock.ts'
import { manualClock } from '../fakes/github/clock.ts'
import type { Seed } from '../fakes/github/seed.ts'
import type { GitHub, Grant } from '../fakes/github/server.ts'
import { startGitHub } from '../fakes/github/server.ts'
import { small } from './organisation.ts'
import { run as runCommand, worldOf } from './ports.ts'

const minute = 60_000
const permissions = { actions: 'write', contents: 'write', deployments: 'write', pull_requests: 'write' } as const
const catalog = 'acme/catalog'

/** An organisation on the local GitHub, whose promotions are put on the board by hand. */
type World = {
  readonly github: GitHub
  readonly clock: ManualClock
  readonly board: (repository?: string) => BoardHost
  /** The board as it is, beside all counting. */
  readonly seen: (repository?: string) => Promise<Board>
  /** Runs the command as the scheduled workflow does. */
  readonly resume: (given?: Readonly<Record<string, readonly string[]>>, how?: How) => Promise<Outcome>
}

type How = {
  readonly signal?: AbortSignal
  /** The run that this is a job of. */
  readonly run?: { readonly id: number; readonly attempt: number; readonly commit: string }
  readonly repository?: string
}

let world: World | undefined
afterEach(async () => {
  await world?.github.close()
  world = undefined
})

async function start(repositories: Seed['repositories'] = { catalog: { files: { 'a.txt': 'a' } } }): Promise<World> {
  const clock = manualClock('2026-11-25T12:00:00Z')
  const github = await startGitHub(
    {
      organisation: 'acme',
      members: { ada: 'admin', ben: 'member' },
      apps: { fleet: { permissions: { ...permissions, metadata: 'read' } } },
      repositories,
    },
    { clock },
  )
  let random = 0
  const optionsOf = (repository: string, grant: Grant, signal?: AbortSignal) => ({
    repository,
    token: github.token(grant),
    api: github.url,
    clock: { now: () => clock.now(), sleep: async () => signal?.throwIfAborted() },
    random: () => (random += 0.37) % 1,
    second: 1,
    ...(signal !== undefined && { signal }),
  })
  const job = (repository: string): Grant => ({ kind: 'job', repository, permissions })
  const made: World = {
    github,
    clock,
    board: (repository = catalog) => branchBoard(optionsOf(repository, job(repository))),
    async seen(repository = catalog) {
      const files = await github.files(repository, 'protium-board')
      return readBoard('board.json', files.get('board.json') ?? '')
    },
    async resume(given = {}, { signal, run, repository = catalog } = {}) {
      const grant: Grant = given['fleet'] === undefined ? job(repository) : { kind: 'app', app: 'fleet' }
      const options = optionsOf(repository, grant, signal)
      const [owner = '', name = ''] = repository.split('/')
      const own = worldOf(() => new Map(), {
        github: async () => gitHub(options),
        run: {
          server: 'https://github.com',
          api: github.url,
          repository: { owner, name, id: 1 },
          defaultBranch: 'main',
          id: 9,
          attempt: 1,
          actor: 'ada',
          commit: 'a'.repeat(40),
          ref: 'refs/heads/main',
          about: { is: 'other', event: 'schedule' },
          ...run,
        },
        ...(signal !== undefined && { signal }),
      })
      const ports = {
        ...own.ports,
        clock: options.clock,
        board: async () => branchBoard(options),
        elsewhere: async (other: string) => {
          const there = optionsOf(other, grant, signal)
          return { github: gitHub(there), board: branchBoard(there) }
        },
      }
      try {
        return await runCommand(resume, { ...own, ports }, given)
      } finally {
        own.end()
      }
    },
  }
  world = made
  return made
}

const stages = ['dev', 'staging', 'prod']

/** A run of the workflow that deploys, whose job of a stage has failed; the jobs before it are done. */
async function heldRun(
  { github }: World,
  { stage = 'prod', service = 'checkout', repository = catalog, isOver = true } = {},
): Promise<number> {
  const sha = (await github.head(repository)) ?? ''
  const workflow = '.github/workflows/deploy.yml'
  const run = await github.beginRun({ repository, workflow, event: 'push', branch: 'main', sha, actor: 'ada' })
  const caller = service === 'environment' ? 'environments' : `services (${service})`
  for (const name of stages.slice(0, stages.indexOf(stage) + 1)) {
    const before = stages[stages.indexOf(name) - 1]
    const needs = before === undefined ? [] : [`${caller} / ${before}`]
    const { job } = await github.beginJob({ repository, run, name: `${caller} / ${name}`, permissions: {}, needs })
    if (name !== stage || isOver)
      await github.endJob({ repository, run, job, conclusion: name === stage ? 'failure' : 'success' })
  }
  if (isOver) await github.endRun({ repository, run, conclusion: 'failure' })
  return run
}

/** Puts what waits on the board, as the job that held it does. */
async function hold(to: World, run: number, more: Partial<Waiting> = {}, repository = catalog): Promise<Waiting> {
  const now = to.clock.now().toISOString()
  const entry: Waiting = {
    unit: 'checkout/prod',
    stage: 'prod',
    commit: (await to.github.head(repository)) ?? '',
    by: 'ada',
    run: { id: String(run), attempt: 1 },
    since: now,
    gates: [soak(to, 30)],
    ...more,
  }
  await to.board(repository).change((board) => withWaiting(board, entry), 'held')
  to.github.forget()
  return entry
}

function soak({ clock }: World, minutes: number): Waiting['gates'][number] {
  const until = new Date(clock.now().getTime() + minutes * minute).toISOString()
  return { gate: 'soak', is: 'held', why: `It soaks for ${minutes} min.`, until }
}

function units({ data }: Outcome, key: 'started' | 'waiting'): readonly string[] {
  const list: readonly { repository: string; unit: string }[] = JSON.parse(JSON.stringify(data[key]))
  return list.map(({ repository, unit }) => (repository === catalog ? unit : `${repository} ${unit}`))
}

function commits({ data }: Outcome, key: 'started' | 'waiting'): readonly string[] {
  const list: readonly { commit: string }[] = JSON.parse(JSON.stringify(data[key]))
  return list.map(({ commit }) => commit)
}

function queued({ github }: World): readonly string[] {
  return github.queued().map(({ repository, name, attempt }) => `${repository} ${name} #${attempt}`)
}

/** The started job runs to its end: its run is over once more. */
async function runQueued({ github }: World, conclusion: 'success' | 'failure'): Promise<void> {
  for (const { repository, run, name } of github.queued()) {
    const { job } = await github.beginJob({ repository, run, name, permissions: {} })
    await github.endJob({ repository, run, job, conclusion })
    await github.endRun({ repository, run, conclusion })
  }
}

function operations({ github }: World): readonly string[] {
  return github.requests().map(({ operation }) => operation)
}

describe('an idle resume', () => {
  test('has one request', async () => {
    const world = await start()
    const outcome = await world.resume()

    expect(outcome.exit).toBe('done')
    expect(outcome.text(plain)).toBe('Nothing waits.')
    expect(operations(world)).toEqual(['repos/get-content'])
  })

  test.each([1, 1000])(
    'has two requests in a fleet of %d repositories',
    async (count) => {
      const fleet = Object.fromEntries(Array.from({ length: count }, (_, index) => [`s${index}`, { files: {} }]))
      const world = await start({ catalog: { files: { 'a.txt': 'a' } }, ...fleet })
      const outcome = await world.resume({ fleet: ['acme'] })

      expect(outcome.text(plain)).toBe('Nothing waits.')
      expect(operations(world)).toEqual(['repos/get-content', 'search/issues-and-pull-requests'])
    },
    30_000,
  )

  test('has one request too where something waits for its time', async () => {
    const world = await start()
    await hold(world, await heldRun(world))
    const outcome = await world.resume()

    expect(units(outcome, 'waiting')).toEqual(['checkout/prod'])
    expect(outcome.text(plain)).toContain('It soaks for 30 min.')
    expect(operations(world)).toHaveLength(1)
  })
})

describe('a promotion whose soak is over', () => {
  test('is started again, with what comes after it, and the board says so', async () => {
    const world = await start()
    const entry = await hold(world, await heldRun(world))
    world.clock.advance(31 * minute)
    const outcome = await world.resume()

    expect(units(outcome, 'started')).toEqual(['checkout/prod'])
    expect(queued(world)).toEqual(['acme/catalog services (checkout) / prod #2'])
    expect((await world.seen()).waiting).toEqual([
      { ...entry, resumes: 1, started: { at: '2026-11-25T12:31:00.000Z', attempt: 1 } },
    ])
    // The board, the run, its jobs, the note on the board (read and written), the start.
    expect(operations(world)).toHaveLength(6)
  })

  test('is started by a scheduled run that is late by an hour, once', async () => {
    const world = await start()
    await hold(world, await heldRun(world))
    world.clock.advance(90 * minute)
    await world.resume()
    await world.resume()

    expect(queued(world)).toEqual(['acme/catalog services (checkout) / prod #2'])
  })

  test('is started once by two resumes at the same moment', async () => {
    const world = await start()
    await hold(world, await heldRun(world))
    world.clock.advance(31 * minute)
    const both = await Promise.all([world.resume(), world.resume()])

    expect(both.flatMap((each) => units(each, 'started'))).toEqual(['checkout/prod'])
    expect(queued(world)).toEqual(['acme/catalog services (checkout) / prod #2'])
    expect((await world.seen()).waiting).toMatchObject([{ resumes: 1 }])
  })

  test('waits on while its run is under way, without being started', async () => {
    const world = await start()
    await hold(world, await heldRun(world, { isOver: false }))
    world.clock.advance(31 * minute)
    const outcome = await world.resume()

    expect(units(outcome, 'started')).toEqual([])
    expect(outcome.text(plain)).toContain('Its run is under way')
  })

  test('is one of two of a run: the other is started when that run is over', async () => {
    const world = await start()
    const run = await heldRun(world)
    const { job } = await world.github.beginJob({
      repository: catalog,
      run,
      name: 'services (cart) / prod',
      permissions: {},
    })
    await world.github.endJob({ repository: catalog, run, job, conclusion: 'failure' })
    await world.github.endRun({ repository: catalog, run, conclusion: 'failure' })
    const first = await hold(world, run)
    world.clock.advance(minute)
    await hold(world, run, { unit: 'cart/prod' })
    world.clock.advance(31 * minute)
    const outcome = await world.resume()
    expect(units(outcome, 'started')).toEqual(['checkout/prod'])
    expect(units(outcome, 'waiting')).toEqual(['cart/prod'])
    await runQueued(world, 'success')
    await world.board().change((board) => withoutWaiting(board, [first.unit]), 'deployed')

    expect(units(await world.resume(), 'started')).toEqual(['cart/prod'])
    expect(queued(world)).toEqual(['acme/catalog services (cart) / prod #3'])
  })

  test('is held again by its job and started again when that is over too', async () => {
    const world = await start()
    const run = await heldRun(world)
    await hold(world, run)
    world.clock.advance(31 * minute)
    await world.resume()
    await runQueued(world, 'failure')
    // A freeze has begun meanwhile.
    const gates = [{ ...soak(world, 60), gate: 'freeze' as const }]
    await hold(world, run, { gates, run: { id: String(run), attempt: 2 } })
    expect(units(await world.resume(), 'started')).toEqual([])
    world.clock.advance(61 * minute)

    expect(units(await world.resume(), 'started')).toEqual(['checkout/prod'])
    expect((await world.seen()).waiting).toMatchObject([{ since: '2026-11-25T12:00:00.000Z', resumes: 2 }])
  })
})

describe('what nobody hears of', () => {
  test('is started by the next resume where the note was made and the start was not', async () => {
    const world = await start()
    const run = await heldRun(world)
    const at = world.clock.now().toISOString()
    await hold(world, run, { resumes: 1, started: { at, attempt: 1 } })
    expect(units(await world.resume(), 'started')).toEqual([])
    world.clock.advance(6 * minute)

    expect(units(await world.resume(), 'started')).toEqual(['checkout/prod'])
    const [entry] = (await world.seen()).waiting
    expect(entry).toMatchObject({ resumes: 2 })
    expect(entry?.lost).toBeUndefined()
  })

  test('is started three times more at most, and then says why it is not', async () => {
    const world = await start()
    await hold(world, await heldRun(world))
    world.clock.advance(31 * minute)
    const starts: string[] = []
    for (let count = 0; count < 8; count += 1) {
      starts.push(units(await world.resume(), 'started').join())
      await runQueued(world, 'failure')
      world.clock.advance(10 * minute)
    }

    expect(starts).toEqual(['checkout/prod', 'checkout/prod', 'checkout/prod', 'checkout/prod', '', '', '', ''])
    const [entry] = (await world.seen()).waiting
    expect(entry?.gates.map(({ why }) => why)).toEqual([
      'It was started 3 times more, and nothing was heard of it. Merge a new commit.',
    ])
    world.github.forget()
    await world.resume()
    expect(operations(world)).toHaveLength(1)
  })
})

describe('a run that GitHub does not start again', () => {
  test.each([['older than 30 days', 31 * 24 * 60, /^Its run is older than 30 days: GitHub starts it no more\. Merge/]])(
    '%s: it is said on the deployment, on the board and in the summary, once',
    async (_what, minutes, words) => {
      const world = await start()
      const run = await heldRun(world)
      const entry = await hold(world, run)
      const host = gitHub({
        repository: catalog,
        token: world.github.token({ kind: 'job', repository: catalog, permissions }),
        api: world.github.url,
        clock: world.clock,
        random: () => 0.5,
        second: 1,
      })
      const id = await host.deployment({
        key: `checkout/prod ${entry.commit} ${run}`,
        commit: entry.commit,
        environment: 'checkout/prod',
        isProduction: true,
        description: 'checkout to prod',
      })
      await host.deploymentStatus(id, { state: 'queued', description: 'It soaks.' })
      world.clock.advance(minutes * minute)
      const outcome = await world.resume()
      const [told] = await host.deploymentsOf({ id: String(run), commit: entry.commit })

      expect(outcome.exit).toBe('done')
      expect(outcome.problems?.map(({ code, severity, remedy }) => [code, severity, remedy])).toEqual([
        ['run-over', 'warning', 'Merge a new commit. An empty one does: it goes through the stages again.'],
      ])
      expect(told?.states[0]).toMatchObject({ state: 'error', description: expect.stringMatching(words) })
      expect((await world.seen()).waiting[0]?.gates[0]?.why).toMatch(words)
      world.github.forget()
      expect((await world.resume()).problems).toEqual([])
      expect(operations(world)).toHaveLength(1)
    },
  )

  test('that is gone is told of as well', async () => {
    const world = await start()
    await hold(world, 4711)
    world.clock.advance(31 * minute)

    expect((await world.resume()).problems).toMatchObject([
      {
        code: 'run-over',
        message: 'checkout/prod waits since 2026-11-25 and cannot be started again. GitHub has its run no more.',
      },
    ])
  })
})

/** A merged pull request. */
async function mergedPull({ github }: World, repo = 'catalog'): Promise<number> {
  const parameters = { owner: 'acme', repo }
  await github.push({ repository: `acme/${repo}`, branch: 'topic', from: 'main', files: { x: 'x' }, by: 'ada' })
  const body = { head: 'topic', base: 'main', title: 'x' }
  const { number } = await github.act({ operation: 'pulls/create', by: 'ada', parameters, body })
  await github.act({
    operation: 'pulls/merge',
    by: 'ada',
    parameters: { ...parameters, pull_number: Number(number) },
    body: {},
  })
  return Number(number)
}

describe('a promotion that waits for a person', () => {
  test('is started for each approving review that came since, once', async () => {
    const world = await start()
    const pullRequest = await mergedPull(world)
    const run = await heldRun(world)
    const gates = [{ gate: 'approval', is: 'held', why: 'Nobody of @acme/platform has approved it.' } as const]
    await hold(world, run, { pullRequest, gates })
    const before = await world.resume()
    world.clock.advance(minute)
    const parameters = { owner: 'acme', repo: 'catalog', pull_number: pullRequest }
    await world.github.act({ operation: 'pulls/create-review', by: 'ben', parameters, body: { event: 'APPROVE' } })
    world.clock.advance(minute)
    const after = await world.resume()
    await runQueued(world, 'failure')
    // He may not: the job holds it again, and his review is no news any more.
    await hold(world, run, { pullRequest, gates, run: { id: String(run), attempt: 2 } })
    world.clock.advance(10 * minute)
    const again = await world.resume()

    expect([before, after, again].map((each) => units(each, 'started'))).toEqual([[], ['checkout/prod'], []])
  })

  test('goes before older commits of its unit, when somebody has looked at its new plan, and after them when it is held again', async () => {
    const world = await start()
    const pullRequest = await mergedPull(world)
    const [older, run] = [await heldRun(world), await heldRun(world)]
    const [old, newer] = ['a'.repeat(40), 'b'.repeat(40)]
    await hold(world, older, { commit: old, gates: [soak(world, 1)] })
    world.clock.advance(minute)
    const binding = (): Waiting['gates'] => [
      { gate: 'binding', is: 'held', why: 'It is not what was seen.', since: world.clock.now().toISOString() },
    ]
    await hold(world, run, { commit: newer, pullRequest, gates: binding() })
    world.clock.advance(2 * minute)
    const parameters = { owner: 'acme', repo: 'catalog', pull_number: pullRequest }
    await world.github.act({ operation: 'pulls/create-review', by: 'ben', parameters, body: { event: 'APPROVE' } })
    world.clock.advance(minute)
    const first = await world.resume()
    const meanwhile = await world.resume()
    await runQueued(world, 'failure')
    await hold(world, run, { commit: newer, pullRequest, gates: binding(), run: { id: String(run), attempt: 2 } })
    const after = await world.resume()

    expect([first, meanwhile, after].map((each) => commits(each, 'started'))).toEqual([[newer], [], [old]])
    expect([first, meanwhile, after].map((each) => commits(each, 'waiting'))).toEqual([[old], [old, newer], [newer]])
    expect(first.text(plain)).toContain('bbbbbbb, which is newer, goes first.')
  })

  test('is started when the lock is given back, or its run is over', async () => {
    const world = await start()
    const gates = [{ gate: 'lock', is: 'held', why: 'ben has locked checkout: moving the data.' } as const]
    await hold(world, await heldRun(world), { gates })
    const holder = await heldRun(world, { service: 'cart', isOver: false })
    const since = world.clock.now().toISOString()
    const lock = { unit: 'checkout', by: 'ben', reason: 'moving the data', since, run: String(holder) }
    await world.board().change((board) => ({ ...board, locks: [lock] }), 'locked')
    const locked = await world.resume()
    await world.github.endRun({ repository: catalog, run: holder, conclusion: 'cancelled' })
    const over = await world.resume()

    expect(units(locked, 'started')).toEqual([])
    expect(units(over, 'started')).toEqual(['checkout/prod'])
  })

  test('is left alone where only a new commit opens the gate', async () => {
    const world = await start()
    const gates = [{ gate: 'guard', is: 'held', why: 'Orders would be replaced.' } as const]
    await hold(world, await heldRun(world), { gates })
    world.clock.advance(24 * 60 * minute)

    expect(units(await world.resume(), 'started')).toEqual([])
    expect(operations(world)).toHaveLength(1)
  })
})

describe('a fleet', () => {
  const two = { catalog: { files: { a: 'a' } }, shop: { files: { a: 'a' } }, idle: { files: { a: 'a' } } }

  async function labelled(world: World, repo: string): Promise<number> {
    const number = await mergedPull(world, repo)
    const parameters = { owner: 'acme', repo, issue_number: number }
    const body = { labels: ['protium: waiting'] }
    await world.github.act({ operation: 'issues/add-labels', by: 'ada', parameters, body })
    return number
  }

  test('is searched once, and what waits in another repository is started there', async () => {
    const world = await start(two)
    const pullRequest = await labelled(world, 'shop')
    const run = await heldRun(world, { repository: 'acme/shop' })
    await hold(world, run, { pullRequest }, 'acme/shop')
    world.clock.advance(31 * minute)
    const outcome = await world.resume({ fleet: ['acme'] })

    expect(units(outcome, 'started')).toEqual(['acme/shop checkout/prod'])
    expect(queued(world)).toEqual(['acme/shop services (checkout) / prod #2'])
    expect(operations(world)).toHaveLength(8)
  })

  test('is searched without what waits no more: the label comes off', async () => {
    const world = await start(two)
    await labelled(world, 'idle')
    const outcome = await world.resume({ fleet: ['acme'] })
    world.github.forget()
    await world.resume({ fleet: ['acme'] })

    expect(outcome.text(plain)).toBe('Nothing waits.')
    expect(operations(world)).toEqual(['repos/get-content', 'search/issues-and-pull-requests'])
  })

  test('goes on where one repository cannot be looked at, and says so', async () => {
    const world = await start(two)
    for (const repo of ['idle', 'shop']) await labelled(world, repo)
    await hold(world, await heldRun(world, { repository: 'acme/shop' }), {}, 'acme/shop')
    world.clock.advance(31 * minute)
    world.github.fault({ match: ({ path }) => path.startsWith('/repos/acme/idle/'), kind: 'forbidden', times: 9 })
    const outcome = await world.resume({ fleet: ['acme'] })

    expect(outcome.exit).toBe('failed')
    expect(outcome.problems).toMatchObject([{ code: 'resume-failed', message: expect.stringContaining('acme/idle') }])
    expect(units(outcome, 'started')).toEqual(['acme/shop checkout/prod'])
  })
})

describe('a resume that is killed at any request', () => {
  /** Runs it on a promotion whose time has come, killed at a request, and once more some minutes later. */
  async function killedAt(to: World, nth: number, when: 'before' | 'after', age: number) {
    await to.board().change((board) => ({ ...board, waiting: [] }), 'anew')
    const run = await heldRun(to)
    await hold(to, run)
    to.clock.advance(age)
    to.github.forget()
    const killed = new AbortController()
    const kill = (): void => killed.abort()
    const kind = when === 'before' ? { before: kill } : { after: kill }
    if (nth > 0) to.github.fault({ match: () => true, nth, kind })
    await to.resume({}, { signal: killed.signal }).catch(() => undefined)
    const requests = to.github.requests().length
    to.clock.advance(10 * minute)
    if (nth > 0) await to.resume()
    const [entry] = (await to.seen()).waiting
    const again = to.github.queued().filter((each) => each.run === run)
    await runQueued(to, 'success')
    return {
      requests,
      isKilled: killed.signal.aborted,
      started: again.map(({ name, attempt }) => `${name} #${attempt}`),
      entry: { lost: entry?.lost, why: entry?.gates.map(({ why }) => why) },
    }
  }

  test.each([
    ['starts the job once', 31 * minute],
    ['says that it cannot be started any more', 31 * 24 * 60 * minute],
  ])('%s in the end: the next one does what is left', async (_what, age) => {
    const world = await start()
    const { requests, started: whole, entry } = await killedAt(world, 0, 'before', age)
    expect(requests).toBeGreaterThan(4)
    for (let nth = 1; nth <= requests; nth += 1) {
      for (const when of ['before', 'after'] as const) {
        const end = await killedAt(world, nth, when, age)
        expect(end, `${when} request ${nth}`).toMatchObject({ isKilled: true, started: whole, entry })
      }
    }
  })
})

describe('the end of a run', () => {
  type Told = { readonly state?: string; readonly description?: string }

  /** Runs the last job of the workflow for a run whose jobs came to these ends; `exit` is what Protium itself said. */
  async function settle(
    to: World,
    jobs: Readonly<Record<string, { readonly result: string; readonly exit?: string }>>,
    { run, attempt = 1, service = 'checkout', label = false }: SettleHow,
  ): Promise<Outcome> {
    const needs = Object.entries(jobs).map(([stage, { result, exit = '' }]) => [stage, { result, outputs: { exit } }])
    return to.resume(
      {
        jobs: [JSON.stringify(Object.fromEntries(needs))],
        service: [service],
        environments: ['dev: dev', 'staging: stage-network', 'prod: prod'],
        ...(label && { label: ['true'] }),
      },
      { run: { id: run, attempt, commit: (await to.github.head(catalog)) ?? '' } },
    )
  }
  type SettleHow = {
    readonly run: number
    readonly attempt?: number
    readonly service?: string
    readonly label?: boolean
  }

  function host({ github, clock }: World): ReturnType<typeof gitHub> {
    const token = github.token({ kind: 'job', repository: catalog, permissions })
    return gitHub({ repository: catalog, token, api: github.url, clock, random: () => 0.5, second: 1 })
  }

  /** A deployment to staging that is under way. */
  async function underWay(to: World, run: number, key = 'checkout/staging'): Promise<() => Promise<Told | undefined>> {
    const commit = (await to.github.head(catalog)) ?? ''
    const wanted = { key: `${key} ${commit} ${run}`, commit, environment: key, isProduction: false, description: key }
    const id = await host(to).deployment(wanted)
    await host(to).deploymentStatus(id, { state: 'in_progress', description: 'Attempt 1' })
    to.github.forget()
    return async () =>
      (await host(to).deploymentsOf({ id: String(run), commit })).find((each) => each.id === id)?.states[0]
  }

  const good = { result: 'success', exit: 'done' }
  const skipped = { result: 'skipped' }

  test('costs nothing where every job has said how it ended', async () => {
    const world = await start()
    const run = await heldRun(world)
    world.github.forget()
    const outcome = await settle(
      world,
      { dev: good, staging: { result: 'failure', exit: 'failed' }, prod: skipped },
      { run },
    )

    expect(outcome.text(plain)).toBe('Every job has said how it ended.')
    expect(operations(world)).toEqual([])
  })

  test('tells of a lost runner, puts it on the board, and the next resume starts its job again, three times at most', async () => {
    const world = await start()
    const run = await heldRun(world, { stage: 'staging' })
    const newest = await underWay(world, run)
    const lost = { dev: good, staging: { result: 'failure' }, prod: skipped }
    const starts: string[] = []
    const words: (string | undefined)[] = []
    for (const attempt of [1, 2, 3, 4]) {
      await settle(world, lost, { run, attempt })
      words.push((await newest())?.description)
      world.clock.advance(10 * minute)
      starts.push(units(await world.resume(), 'started').join())
      await runQueued(world, 'failure')
    }

    expect(starts).toEqual(['checkout/staging', 'checkout/staging', 'checkout/staging', ''])
    expect(words).toEqual(
      [1, 2, 3, 4].map(
        (attempt) => `Attempt ${attempt} was cut off: its runner was lost or stopped, or a step before it failed.`,
      ),
    )
    const [entry] = (await world.seen()).waiting
    expect(entry).toMatchObject({
      unit: 'checkout/staging',
      stage: 'staging',
      lost: 4,
      since: '2026-11-25T12:00:00.000Z',
    })
    expect(entry?.gates[0]?.why).toContain('It was started again 3 times: look at the run, and run the job again.')
  })

  test('leaves a deployment that had ended well as it is, and has its job started again for the stages after it', async () => {
    const world = await start()
    const run = await heldRun(world, { stage: 'staging' })
    const newest = await underWay(world, run)
    const commit = (await world.github.head(catalog)) ?? ''
    const [made] = await host(world).deploymentsOf({ id: String(run), commit })
    await host(world).deploymentStatus(made?.id ?? 0, { state: 'success', description: '3 resources touched' })
    await settle(world, { dev: good, staging: { result: 'failure' }, prod: skipped }, { run })

    expect(await newest()).toMatchObject({ state: 'success' })
    expect((await world.seen()).waiting).toMatchObject([{ unit: 'checkout/staging', lost: 1 }])
  })

  test('names the environment of a stage by what the catalog says', async () => {
    const world = await start()
    const run = await heldRun(world, { stage: 'staging', service: 'environment' })
    const newest = await underWay(world, run, 'environment/stage-network/staging')
    const how = { run, service: 'environment' }
    await settle(world, { dev: good, staging: { result: 'failure' }, prod: skipped }, how)
    world.clock.advance(10 * minute)

    expect(await newest()).toMatchObject({ state: 'error' })
    expect(units(await world.resume(), 'started')).toEqual(['environment/stage-network'])
  })

  test('takes what somebody has cancelled off the board: it is his to go on', async () => {
    const world = await start()
    const run = await heldRun(world, { stage: 'staging' })
    const newest = await underWay(world, run)
    await hold(world, run, { unit: 'checkout/staging', stage: 'staging' })
    await settle(world, { dev: good, staging: { result: 'cancelled' }, prod: skipped }, { run })

    expect(await newest()).toMatchObject({
      state: 'error',
      description: 'It was cancelled. To go on, run the job again.',
    })
    expect((await world.seen()).waiting).toEqual([])
  })

  test('does not start again what a reviewer has rejected', async () => {
    const world = await start({
      catalog: { files: { a: 'a' }, environments: { staging: { reviewers: [{ is: 'user', login: 'ben' }] } } },
    })
    const run = await heldRun(world, { stage: 'dev' })
    const name = 'services (checkout) / staging'
    const job = world.github.beginJob({ repository: catalog, run, name, environment: 'staging', permissions: {} })
    const [waiting] = world.github.waiting()
    const parameters = { owner: 'acme', repo: 'catalog', run_id: run }
    const { id } = await world.github.act({
      operation: 'repos/get-environment',
      by: 'ada',
      parameters: { owner: 'acme', repo: 'catalog', environment_name: 'staging' },
    })
    const body = { environment_ids: [Number(id)], state: 'rejected', comment: 'no' }
    await world.github.act({ operation: 'actions/review-pending-deployments-for-run', by: 'ben', parameters, body })
    await job
    const outcome = await settle(world, { dev: good, staging: { result: 'failure' }, prod: skipped }, { run })

    expect(waiting?.environment).toBe('staging')
    expect(outcome.text(plain)).toContain('GitHub did not let the job begin')
    expect(units(outcome, 'waiting')).toEqual([])
  })

  test('labels the pull request where the catalog looks from another repository, and takes the label off', async () => {
    const world = await start()
    const pullRequest = await mergedPull(world)
    const run = await heldRun(world, { stage: 'staging' })
    const at = { owner: 'acme', repo: 'catalog', issue_number: pullRequest }
    const labels = async (): Promise<unknown> =>
      (await world.github.act({ operation: 'issues/get', by: 'ada', parameters: at }))['labels']
    await settle(world, { staging: { result: 'failure' } }, { run, label: true })
    expect(await labels()).toMatchObject([{ name: 'protium: waiting' }])
    expect((await world.seen()).waiting).toMatchObject([{ pullRequest }])
    await settle(world, { staging: { result: 'cancelled' } }, { run, attempt: 2, label: true })

    expect(await labels()).toEqual([])
  })

  test('that is killed at any request is told of all the same when it is run again', async () => {
    const own = await start()
    const clean = await ends(own, 0, 'before')
    for (let nth = 1; nth <= clean.requests; nth += 1) {
      for (const when of ['before', 'after'] as const) {
        const end = await ends(own, nth, when)
        expect(end, `${when} request ${nth}`).toMatchObject({ isKilled: true, state: clean.state, entry: clean.entry })
      }
    }
  })

  async function ends(own: World, nth: number, when: 'before' | 'after') {
    await own.board().change((board) => ({ ...board, waiting: [] }), 'anew')
    const run = await heldRun(own, { stage: 'staging' })
    const newest = await underWay(own, run)
    const killed = new AbortController()
    const kill = (): void => killed.abort()
    if (nth > 0)
      own.github.fault({ match: () => true, nth, kind: when === 'before' ? { before: kill } : { after: kill } })
    const given = {
      jobs: [JSON.stringify({ staging: { result: 'failure', outputs: {} } })],
      service: ['checkout'],
    }
    const commit = (await own.github.head(catalog)) ?? ''
    const as = { run: { id: run, attempt: 1, commit } }
    await own.resume(given, { ...as, signal: killed.signal }).catch(() => undefined)
    const requests = own.github.requests().length
    if (nth > 0) await own.resume(given, as)
    const { state, description } = (await newest()) ?? {}
    const [entry] = (await own.seen()).waiting
    const { unit, lost, gates } = entry ?? {}
    return {
      requests,
      isKilled: killed.signal.aborted,
      state: { state, description },
      entry: { unit, lost, why: gates?.map(({ why }) => why) },
    }
  }
})

describe('in a terminal', () => {
  const commit = 'c'.repeat(40)
  const catalogText = small({ stages: ['dev', 'prod'], services: { cart: { size: 1, topics: 1 } } })
  const freeze =
    'freezes: [{ name: "sale", from: 2026-11-22T00:00, to: 2026-11-22T18:00, zone: UTC, stages: [prod], reason: "the sale" }]\n'
  const tree = new Map([...catalogText, ['catalog.yaml', `${catalogText.get('catalog.yaml') ?? ''}${freeze}`]])
  const night = new Date('2026-11-22T23:00:00Z')

  test('what a freeze holds is on the board of the machine, and is deployed when that is over', async () => {
    const own = worldOf(() => tree, { commit })
    const later = { ...own, ports: { ...own.ports, clock: { ...own.ports.clock, now: () => night } } }
    const board = async () => (await own.ports.board(join(own.folder, 'records'))).read()
    const deployed = await runCommand(deploy, own)
    const held = (await board()).waiting
    const early = await runCommand(resume, own)
    const resumed = await runCommand(resume, later)
    const idle = await runCommand(resume, later)
    own.end()

    expect(deployed.exit).toBe('needs-approval')
    expect(held.map(({ unit, stage, gates }) => [unit, stage, gates.map(({ gate }) => gate)])).toEqual([
      ['cart/prod', 'prod', ['freeze']],
      ['environment/prod', 'prod', ['freeze']],
    ])
    const both = ['cart', 'environment'].map((name) => `${own.folder} ${name}/prod`)
    expect(units(early, 'waiting')).toEqual(both)
    expect(units(resumed, 'started')).toEqual(both)
    expect(idle.text(plain)).toBe('Nothing waits.')
  })
})
