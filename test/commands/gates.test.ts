import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'

import type { Outcome } from '../../src/command.ts'
import { approvalOf, approvesNew } from '../../src/commands/gating.ts'
import { withLock, withoutLock } from '../../src/core/board.ts'
import { deploy } from '../../src/commands/deploy.ts'
import { readCatalog } from '../../src/core/catalog.ts'
import { plain } from '../../src/core/report.ts'
import type { FileTree } from '../../src/core/tree.ts'
import type { Job, Merging, Pull } from './merging.ts'
import { startMerging } from './merging.ts'
import { small } from './organisation.ts'
import type { World } from './ports.ts'
import { run, worldOf } from './ports.ts'

const minutes = 60_000
let time = 0
/** Each look at the clock is a moment later, so that records have an order. */
const now = (): Date => new Date((time += 1))
const set = (at: string): void => void (time = Date.parse(at))
const wait = (milliseconds: number): void => void (time += milliseconds)

const gates = `freezes:
  - { name: christmas, from: 2026-12-24T12:00, to: 2026-12-27, zone: UTC, stages: [prod], reason: Nobody is there }
glass: { by: ["@acme/oncall"] }
locks: { by: ["@acme/platform"] }
`

type Size = { readonly size: number; readonly topics: number }

/** Services by what they have; before prod there are 30 minutes in dev, and an approval. */
function shop(services: Readonly<Record<string, number | Size>>, word = 'first'): FileTree {
  const tree = small({
    word,
    stages: ['dev', 'prod'],
    services: Object.fromEntries(
      Object.entries(services).map(([name, has]) => [name, typeof has === 'number' ? { size: 1, topics: has } : has]),
    ),
    approval: ['prod'],
  })
  const kept = 'Type: AWS::SQS::Queue\n    DeletionPolicy: Retain\n    UpdateReplacePolicy: Retain'
  return new Map(
    [...tree].map(([path, text]) => [
      path,
      path === 'catalog.yaml'
        ? text
            .replace('environment: dev }', 'environment: dev, soak: 30m }')
            .replace('environment: prod,', 'environment: prod, production: true,') + gates
        : text.replace('Type: AWS::SQS::Queue', kept),
    ]),
  )
}

const members = ['carla', 'dan', 'olga']
const outsiders = ['ben-two']
const teams = { platform: ['carla', 'dan'], oncall: ['olga'] }

let merging: Merging
let services: Record<string, number | Size> = {}

type Change = { readonly service: string; readonly commit: string; readonly pull: Pull }

/** A pull request that changes a service, planned; it begins with one topic. */
async function proposed(service: string, has: number | Size = 1): Promise<Pull> {
  services = { ...services, [service]: has }
  return merging.propose(shop(services))
}

/** The same, merged and deployed to dev. */
async function inDev(service: string, has: number | Size = 1): Promise<Change> {
  const pull = await proposed(service, has)
  const commit = await merging.merge(pull)
  expect((await merging.deploy(commit, { services: service, stage: 'dev' })).exit).toBe('done')
  return { service, commit, pull }
}

async function toProd({ service, commit }: Change, job: Partial<Job> = {}): Promise<Outcome> {
  return merging.deploy(commit, { services: service, stage: 'prod', ...job })
}

function unitsOf({ data }: Outcome): readonly { unit: string; outcome: string; why: string; gates?: unknown[] }[] {
  return JSON.parse(JSON.stringify(data['units']))
}

/** GitHub as a job's own token sees it, which may not see who is in a team. */
async function blind(ports: ReturnType<Merging['jobOf']>) {
  const { gitHub } = await import('../../src/adapters/github.ts')
  const token = merging.github.token({ kind: 'job', repository: 'acme/catalog', permissions: { contents: 'read' } })
  return gitHub({ repository: 'acme/catalog', token, api: merging.github.url, clock: ports.clock, random: () => 0.5 })
}

async function stateOf({ service, commit }: Change): Promise<string | undefined> {
  return merging.statusOf(`${service}/prod`, commit)
}

async function waiting(): Promise<readonly string[]> {
  const { waiting: all } = await merging.board()
  return all.map(({ unit, gates: held }) => `${unit} ${held.map(({ gate }) => gate).join('+')}`)
}

describe('a stage with gates', () => {
  beforeAll(async () => {
    set('2026-11-25T12:00:00Z')
    services = {}
    merging = await startMerging(shop({}, 'none'), ['dev', 'prod'], { now, members, outsiders, teams })
    const pull = await proposed('first')
    const commit = await merging.merge(pull)
    expect((await merging.deploy(commit, { services: 'environment', stage: 'dev' })).exit).toBe('done')
    await merging.review(pull, 'carla')
    wait(31 * minutes)
    expect((await merging.deploy(commit, { services: 'environment', stage: 'prod' })).exit).toBe('done')
  })
  afterAll(async () => merging.close())

  test('waits for its soak and an approval, says so wherever people look, and goes on when both are there', async () => {
    const change = await inDev('cart')
    merging.github.forget()
    const held = await toProd(change)

    expect(held.exit).toBe('needs-approval')
    expect(unitsOf(held)).toMatchObject([
      {
        unit: 'cart/prod',
        outcome: 'held',
        gates: [{ gate: 'order' }, { gate: 'soak' }, { gate: 'freeze' }, { gate: 'approval' }],
      },
    ])
    expect(held.text(plain)).toContain('cart/dev is to have had it for 30 min without a failure. Until 2026-11-25 13:0')
    const [entry] = (await merging.board()).waiting
    expect(entry).toMatchObject({
      unit: 'cart/prod',
      stage: 'prod',
      commit: change.commit,
      pullRequest: change.pull.number,
      by: 'ada',
      run: { attempt: 1 },
      gates: [
        { gate: 'soak', is: 'held' },
        { gate: 'approval', is: 'held', by: ['@acme/platform'] },
      ],
    })
    expect(await stateOf(change)).toMatch(
      /^queued: soak: cart\/dev is to have had it for 30 min without a failure\. Until/u,
    )
    const [comment = '', ...others] = await merging.comments(change.pull, 'waiting')
    expect(others).toEqual([])
    expect(comment).toContain('### cart → prod: waits')
    expect(comment).toContain('`@acme/platform` approves it')
    expect(held.page?.markdown).toContain('## cart → prod: waits')
    // A stage without gates takes ten at most; this is what it costs to wait.
    expect(merging.github.requests().filter(({ actor }) => actor.endsWith('[bot]')).length).toBeLessThanOrEqual(16)

    await merging.review(change.pull, 'carla')
    const later = await toProd(change, { attempt: 2 })
    expect(unitsOf(later)[0]?.why).toMatch(/^soak: /u)
    expect(await waiting()).toEqual(['cart/prod soak'])
    wait(30 * minutes)
    merging.github.forget()
    const done = await toProd(change, { attempt: 3, actor: 'github-actions[bot]' })

    expect(done.exit).toBe('done')
    expect(merging.github.requests().filter(({ actor }) => actor.endsWith('[bot]')).length).toBeLessThanOrEqual(20)
    expect(await waiting()).toEqual([])
    expect(await stateOf(change)).toMatch(/^success: /u)
    expect(await merging.comments(change.pull, 'waiting')).toEqual([
      expect.stringContaining('### cart → prod: deployed'),
    ])
    // Who starts it again has nothing to wait for: nothing changes.
    expect((await toProd(change, { attempt: 4 })).exit).toBe('done')
  })

  test('does not wait for a soak that has failed, until the stage before is deployed again', async () => {
    const change = await inDev('soup')
    await merging.review(change.pull, 'dan')
    wait(10 * minutes)
    const newer = await merging.merge(await proposed('soup', 2))
    expect(unitsOf(await toProd(change))[0]?.why).toMatch(/^soak: /u)
    const failed = await merging.deploy(newer, { services: 'soup', stage: 'dev', fail: 'soup-dev/Topic1' })
    expect(failed.exit).toBe('failed')
    wait(40 * minutes)
    // The order of stages keeps both away: what runs in dev is neither. And what it waits for is said anew.
    await expect(toProd(change, { attempt: 2 })).rejects.toMatchObject({ code: 'stage-not-proved' })
    expect(await waiting()).toContain('soup/prod order')
    expect(await stateOf(change)).toMatch(/^queued: order: soup\/prod is not deployed before soup\/dev was/u)
    expect((await merging.comments(change.pull, 'waiting'))[0]).toContain('Order of the stages')
    expect((await merging.deploy(newer, { services: 'soup', stage: 'dev', attempt: 2 })).exit).toBe('done')
    const again = await toProd(change, { attempt: 3 })
    expect(unitsOf(again)[0]?.why).toContain('Something has failed in soup/dev since')
    expect((await merging.board()).waiting.find(({ unit }) => unit === 'soup/prod')?.gates[0]?.until).toBeUndefined()
  })

  test('is not deployed to in a freeze that has begun since the stage before', async () => {
    set('2026-12-24T11:20:00Z')
    const change = await inDev('pasta')
    await merging.review(change.pull, 'carla')
    wait(45 * minutes)
    const held = await toProd(change)

    expect(unitsOf(held)[0]?.why).toBe(
      'freeze: The freeze christmas is on (2026-12-24 12:00 - 2026-12-27 00:00, UTC): Nobody is there. Until 2026-12-27 00:00 UTC.',
    )
    set('2026-12-27T00:00:01Z')
    expect((await toProd(change, { attempt: 2 })).exit).toBe('done')
  })

  test('holds what somebody has locked, and lets it go on when the lock is given back', async () => {
    const change = await inDev('salad')
    await merging.review(change.pull, 'carla')
    wait(31 * minutes)
    const lock = { unit: 'salad', by: 'dan', reason: 'We look for a leak', since: now().toISOString() }
    const board = await merging.jobOf(change.commit, { unfetched: true }).board('')
    await board.change((each) => withLock(each, lock, { now: now() }), 'locked')
    const held = await toProd(change)
    expect(unitsOf(held)[0]?.why).toBe('lock: dan has locked salad: We look for a leak.')
    expect(await merging.comments(change.pull, 'waiting')).toEqual([
      expect.stringContaining('`@dan` gives the lock back'),
    ])

    await board.change((each) => withoutLock(each, lock), 'given back')
    expect((await toProd(change, { attempt: 2 })).exit).toBe('done')
  })

  test('lets a broken glass pass what waits for time and people, with a record, and only by who may', async () => {
    const change = await inDev('bread')
    await expect(toProd(change, { actor: 'carla', breakGlass: 'Nobody can pay' })).rejects.toMatchObject({
      code: 'glass-refused',
    })
    expect(await waiting()).not.toContain('bread/prod soak+approval')
    const done = await toProd(change, { actor: 'olga', breakGlass: 'Nobody can pay' })

    expect(done.exit).toBe('done')
    const record = (await merging.ledger()).findLast(({ unit }) => unit === 'bread/prod')
    expect(record?.glass).toEqual({ by: 'olga', reason: 'Nobody can pay', skipped: ['soak', 'approval'] })
    expect(done.page?.markdown).toContain('olga deploys commit')
    expect(await merging.comments(change.pull, 'glass')).toEqual([
      expect.stringContaining('The glass was broken: bread/prod'),
    ])
  })

  test('breaks no glass for a job that was started again by itself, which waits as any other', async () => {
    const change = await inDev('rolls')

    const held = await toProd(change, { actor: 'github-actions[bot]', attempt: 2, breakGlass: 'Nobody can pay' })

    expect(held.exit).toBe('needs-approval')
    expect(await waiting()).toContain('rolls/prod soak+approval')
    expect(await merging.comments(change.pull, 'glass')).toEqual([])
  })

  test('asks for what has to follow a broken glass before anything is done, and once', async () => {
    const change = await inDev('buns')
    merging.github.fault({ match: 'repos/create-deployment', kind: 'forbidden' })
    const broken = { actor: 'olga', breakGlass: 'Nobody can pay' }

    await expect(toProd(change, broken)).rejects.toMatchObject({ code: 'github-permission' })
    expect(await merging.comments(change.pull, 'glass')).toHaveLength(1)
    expect((await toProd(change, { ...broken, attempt: 2 })).exit).toBe('done')
    expect(await merging.comments(change.pull, 'glass')).toHaveLength(1)
  })

  test('is bound to what was reviewed: where a plan is stale when it is approved, the new one asks for a word of its own', async () => {
    const begin = await inDev('fish')
    await merging.review(begin.pull, 'carla')
    wait(31 * minutes)
    expect((await toProd(begin)).exit).toBe('done')
    const pull = await proposed('fish', { size: 1, topics: 2 })
    await merging.review(pull, 'carla')
    // Meanwhile another one has changed the size, and waits for its own approval.
    services = { ...services, fish: { size: 7, topics: 2 } }
    const change = { service: 'fish', pull, commit: await merging.merge(pull, shop(services)) }
    expect((await merging.deploy(change.commit, { services: 'fish', stage: 'dev' })).exit).toBe('done')
    wait(31 * minutes)
    const held = await toProd(change)

    expect(unitsOf(held)[0]?.why).toMatch(
      /^binding: It is not what was reviewed on #\d+: 1 unit would change in prod\./u,
    )
    expect(held.page?.markdown).toContain('DelaySeconds')
    expect(await waiting()).toContain('fish/prod binding')
    // Neither what starts by itself, nor who has made it, nor who is not asked approves what nobody has seen.
    for (const actor of ['github-actions[bot]', 'ben', 'olga'])
      expect((await toProd(change, { attempt: 2, actor })).exit, actor).toBe('needs-approval')
    // A review from before counts for what it was of.
    wait(2000)
    await merging.review(pull, 'dan')
    expect((await toProd(change, { attempt: 3, actor: 'github-actions[bot]' })).exit).toBe('done')
  })

  test('is approved anew by one of those who are asked, who starts the job again', async () => {
    const pull = await merging.propose(shop((services = { ...services, rice: 1 })), { unplanned: true })
    const change = { service: 'rice', pull, commit: await merging.merge(pull) }
    expect((await merging.deploy(change.commit, { services: 'rice', stage: 'dev' })).exit).toBe('done')
    await merging.review(pull, 'carla')
    wait(31 * minutes)
    expect(unitsOf(await toProd(change))[0]?.why).toMatch(/^binding: No plan of it was reviewed/u)
    expect((await toProd(change, { attempt: 2, actor: 'dan' })).exit).toBe('done')
  })

  test('that was changed by hand while it was being deployed to waits where people see it, and goes on when it is run again', async () => {
    await inDev('beans')
    const second = await merging.merge(await proposed('beans', 2))
    const ports = merging.jobOf(second)
    const provisioner: typeof ports.provisioner = async (options) => {
      const inner = await ports.provisioner(options)
      return {
        ...inner,
        async *execute(preview, wanted, signal) {
          for await (const _ of inner.remove(preview.stack)) continue
          yield* inner.execute(preview, wanted, signal)
        },
      }
    }
    const given = { services: ['beans'], stage: ['dev'], root: [merging.folder], state: ['.'] }
    const job = deploy.accept(new Map(Object.entries(given)))
    const held = job.ok ? await job.value({ ...ports, provisioner }) : undefined

    expect(held?.exit).toBe('needs-approval')
    expect(await waiting()).toContain('beans/dev binding')
    expect(await merging.statusOf('beans/dev', second)).toMatch(
      /^queued: binding: beans\/dev: beans-dev was changed since/u,
    )
    const again = await merging.deploy(second, { services: 'beans', stage: 'dev', attempt: 2 })
    expect(again.exit).toBe('done')
    expect(await waiting()).not.toContain('beans/dev binding')
  })

  test('shows what strangers have written as what it is, wherever it is shown', async () => {
    const change = await inDev('peas')
    await merging.review(change.pull, 'carla')
    wait(31 * minutes)
    const reason = '\u001b[31m::error::x\n@everybody </details> | `a` #1'
    const lock = { unit: 'peas', by: 'dan', reason, since: now().toISOString() }
    const board = await merging.jobOf(change.commit, { unfetched: true }).board('')
    await board.change((each) => withLock(each, lock, { now: now() }), 'locked')
    const held = await toProd(change)

    expect(held.text(plain)).not.toMatch(/[\u001b\n]/u)
    const [comment = ''] = await merging.comments(change.pull, 'waiting')
    for (const page of [comment, held.page?.markdown ?? '']) {
      expect(page).not.toContain('\u001b')
      expect(page).not.toMatch(/(?<!`[^`\n]*)@everybody/u)
    }
    expect(await stateOf(change)).not.toMatch(/[\u001b\n]/u)
    await board.change((each) => withoutLock(each, lock), 'given back')
  })

  test('whose runner dies while it says that it waits says so once when it is run again', async () => {
    const moments = [4, 6, 9, 12]
    for (const nth of moments) {
      const change = await inDev(`killed-${nth}`)
      const killed = new AbortController()
      merging.github.fault({ match: () => true, nth, kind: { after: () => killed.abort() } })
      await toProd(change, { signal: killed.signal }).catch(() => undefined)
      expect(killed.signal.aborted, String(nth)).toBe(true)
      const held = await toProd(change, { attempt: 2 })

      expect(held.exit).toBe('needs-approval')
      const entries = (await merging.board()).waiting.filter(({ commit }) => commit === change.commit)
      expect(entries.map(({ run: { attempt } }) => attempt)).toEqual([2])
      expect(await merging.comments(change.pull, 'waiting')).toHaveLength(1)
      expect(await stateOf(change)).toMatch(/^queued: /u)
      const made = (await merging.deployments()).filter(({ commit }) => commit === change.commit)
      expect(made.map(({ environment }) => environment)).toEqual([`killed-${nth}/dev`, `killed-${nth}/prod`])
    }
  }, 60_000)

  test('asks nobody where nothing would change', async () => {
    const change = await inDev('water')
    await merging.review(change.pull, 'carla')
    wait(31 * minutes)
    expect((await toProd(change)).exit).toBe('done')
    const pull = await merging.propose(new Map([...shop(services), ['README.md', 'words']]))
    const commit = await merging.merge(pull)
    expect((await merging.deploy(commit, { services: 'water', stage: 'dev' })).exit).toBe('done')
    expect((await merging.deploy(commit, { services: 'water', stage: 'prod' })).exit).toBe('done')
  })
})

describe('the approval of a stage', () => {
  const pushed = async (branch: string, by: string): Promise<string> =>
    merging.github.push({ repository: 'acme/catalog', branch, files: { [`${branch}.md`]: by }, by })
  const at = { owner: 'acme', repo: 'catalog' }
  let branches = 0

  beforeAll(async () => {
    set('2026-11-25T12:00:00Z')
    services = {}
    merging = await startMerging(shop({}), ['dev', 'prod'], {
      now,
      members,
      outsiders,
      teams,
      environments: { prod: { reviewers: [{ is: 'team', organisation: 'acme', slug: 'platform' }] } },
    })
  })
  afterAll(async () => merging.close())

  /** A pull request of ben's with a commit of his, and what asks who has approved it. */
  async function opened() {
    const branch = `approval-${(branches += 1)}`
    const { github } = merging
    await github.push({ repository: 'acme/catalog', branch, from: 'main', files: { [`${branch}.md`]: 'a' }, by: 'ben' })
    const body = { title: branch, head: branch, base: 'main' }
    const made = await github.act({ operation: 'pulls/create', by: 'ben', parameters: at, body })
    const number = Number(made['number'])
    const catalog = readCatalog(shop({}))
    const stage = catalog.ok ? catalog.value.stages.find(({ name }) => name === 'prod') : undefined
    if (stage === undefined) throw new Error('no prod')
    return {
      branch,
      number,
      /** Merges it, and looks. */
      async found(more: { readonly approvedBy?: string } = {}) {
        const head = (await github.head('acme/catalog', branch)) ?? ''
        const commit = await merging.merge({ number, head })
        const ports = merging.jobOf(commit)
        if (more.approvedBy !== undefined) await letGo(ports.run.id, more.approvedBy)
        const host = await ports.github?.()
        if (host === undefined) throw new Error('no GitHub')
        const situation = { github: host, run: ports.run, stage, pull: await host.pullRequestOf(commit) }
        const { by, against, not } = await approvalOf(ports, situation)
        const words = { ...(by && { by: `${by.by} ${by.how}` }), ...(against && { against: against.by }), not }
        return { ...words, ports, situation }
      },
    }
  }

  /** A job of the run waits for the environment, and is let go by one of its reviewers. */
  async function letGo(run: number, by: string): Promise<void> {
    const { github } = merging
    const repository = 'acme/catalog'
    const job = github.beginJob({
      repository,
      run,
      name: 'prod',
      environment: 'prod',
      permissions: {},
      deployment: false,
    })
    const until = new AbortController()
    for await (const _ of github.held(until.signal)) until.abort()
    const environment = await github.act({
      operation: 'repos/get-environment',
      by: 'ada',
      parameters: { ...at, environment_name: 'prod' },
    })
    const body = { environment_ids: [Number(environment['id'])], state: 'approved', comment: 'Go' }
    await github.act({
      operation: 'actions/review-pending-deployments-for-run',
      by,
      parameters: { ...at, run_id: run },
      body,
    })
    await job
  }

  test('is a review of one of the team, of the last commit', async () => {
    const pull = await opened()
    await merging.review(pull, 'carla')
    expect(await pull.found()).toMatchObject({ by: 'carla review', not: [] })
  })

  test('is not one from before a push', async () => {
    const pull = await opened()
    await merging.review(pull, 'carla')
    await pushed(pull.branch, 'ben')
    const { by, not } = await pull.found()
    expect([by, not]).toEqual([
      undefined,
      [expect.stringMatching(/^carla has approved [0-9a-f]{7}, and commits were pushed after that\.$/u)],
    ])
  })

  test('is not that of a second account of the author: neither of a stranger, nor of one who has committed', async () => {
    const pull = await opened()
    await pushed(pull.branch, 'dan')
    await merging.review(pull, 'ben-two')
    await merging.review(pull, 'dan')
    const { by, not } = await pull.found()
    expect([by, not]).toEqual([
      undefined,
      ['dan has made a commit of it, so his approval does not count.', 'ben-two is none of them.'],
    ])
  })

  test('is not one that was dismissed', async () => {
    const pull = await opened()
    await merging.dismiss(pull, await merging.review(pull, 'carla'))
    const { by, not } = await pull.found()
    expect([by, not]).toEqual([undefined, ['The review of carla was dismissed.']])
  })

  test('is held up by one of the team who asks for changes', async () => {
    const pull = await opened()
    await merging.review(pull, 'carla')
    await merging.review(pull, 'dan', 'REQUEST_CHANGES')
    expect(await pull.found()).toMatchObject({ against: 'dan' })
  })

  test('is not held up by somebody else who does', async () => {
    const pull = await opened()
    await merging.review(pull, 'carla')
    await merging.review(pull, 'ben-two', 'REQUEST_CHANGES')
    const found = await pull.found()
    expect(found.by).toBe('carla review')
    expect(found.against).toBeUndefined()
  })

  test('is that of a reviewer of the environment, where GitHub has asked for one', async () => {
    const pull = await opened()
    expect(await pull.found({ approvedBy: 'carla' })).toMatchObject({ by: 'carla environment', not: [] })
  })

  test('of an environment is not that of who has a commit in it', async () => {
    const pull = await opened()
    await pushed(pull.branch, 'carla')
    const { by, not } = await pull.found({ approvedBy: 'carla' })
    expect([by, not]).toEqual([undefined, ['carla has made a commit of it, so his approval does not count.']])
  })

  test('is held, with the reason, where the token may not see who is in a team', async () => {
    const pull = await opened()
    await merging.review(pull, 'carla')
    const { ports, situation } = await pull.found()
    const host = await blind(ports)
    const isMember = async (of: string, login: string): Promise<boolean> => host.isMember(of, login)
    const github = { ...situation.github, isMember }
    const { by, not } = await approvalOf({ ...ports, github: async () => github }, { ...situation, github })
    expect(by).toBeUndefined()
    expect(not[0]).toMatch(
      /^It could not be seen whether carla is one of them: The token may not see who is in @acme\/platform/u,
    )
  })

  test('is not that of a reviewer who has left the team since', async () => {
    const pull = await opened()
    await merging.review(pull, 'dan')
    await merging.github.leaveTeam({ organisation: 'acme', team: 'platform', login: 'dan' })
    const { by, not } = await pull.found()
    expect([by, not]).toEqual([undefined, ['dan is none of them.']])
  })

  test('of a new plan is not given by a job that was started by itself, in whatever attempt', async () => {
    const pull = await opened()
    await merging.review(pull, 'carla')
    const { ports, situation } = await pull.found()
    for (const [actor, attempt, is] of [
      ['github-actions[bot]', 2, false],
      ['ben', 2, false],
      ['carla', 1, false],
      ['carla', 2, true],
    ] as const) {
      const again = { ...situation, run: { ...situation.run, actor, attempt } }
      expect(await approvesNew(ports, again, undefined), `${actor} ${attempt}`).toBe(is)
    }
  })
})

describe('a stage that asks for an approval and is no production', () => {
  afterEach(async () => merging.close())

  test('is bound to what was reviewed all the same: an approval is of what was seen', async () => {
    set('2026-11-25T12:00:00Z')
    const files = (word: string): FileTree => small({ stages: ['dev'], services: {}, approval: ['dev'], word })
    merging = await startMerging(files('none'), ['dev'], { now, members, outsiders, teams })
    const pull = await merging.propose(files('first'), { unplanned: true })
    await merging.review(pull, 'carla')
    const commit = await merging.merge(pull)
    const held = await merging.deploy(commit, { services: 'environment', stage: 'dev' })

    expect(held.exit).toBe('needs-approval')
    expect(await waiting()).toEqual(['environment/dev binding'])
    expect(
      (await merging.deploy(commit, { services: 'environment', stage: 'dev', attempt: 2, actor: 'dan' })).exit,
    ).toBe('done')
  })
})

describe('two services of one commit whose plans nobody has seen', () => {
  afterEach(async () => merging.close())

  test('are each shown, and go on by one review that comes after', async () => {
    set('2026-11-25T12:00:00Z')
    const files = (size: number): FileTree =>
      small({ stages: ['dev'], services: { cart: { size, topics: 1 }, mail: { size, topics: 1 } }, approval: ['dev'] })
    merging = await startMerging(files(1), ['dev'], { now, members, outsiders, teams })
    const pull = await merging.propose(files(2), { unplanned: true })
    const commit = await merging.merge(pull)
    await merging.review(pull, 'carla')
    const home = { services: 'environment', stage: 'dev' }
    await merging.deploy(commit, home)
    expect((await merging.deploy(commit, { ...home, attempt: 2, actor: 'dan' })).exit).toBe('done')
    const jobs = ['cart', 'mail'].map((services) => ({ services, stage: 'dev', actor: 'github-actions[bot]' }))
    const held = []
    for (const job of jobs) held.push((await merging.deploy(commit, job)).exit)
    wait(minutes)
    await merging.review(pull, 'carla')
    wait(minutes)
    const ends = []
    for (const job of jobs) ends.push((await merging.deploy(commit, { ...job, attempt: 2 })).exit)

    expect(held).toEqual(['needs-approval', 'needs-approval'])
    expect(ends).toEqual(['done', 'done'])
  })
})

describe('twenty merges in a minute, over three stages with soak', () => {
  const stages = ['dev', 'staging', 'prod']
  const soaked = (topics: number): FileTree =>
    new Map(
      [...small({ stages, services: { cart: { size: 1, topics } } })].map(([path, text]) => [
        path,
        text
          .replace('maximum: 9 ', 'maximum: 99 ')
          .replace('environment: staging }', 'environment: staging, soak: 30m }'),
      ]),
    )
  afterEach(async () => merging.close())

  test('all wait, none is lost or pushed out by a newer one, the newest goes on, and the others say that it took their place', async () => {
    set('2026-11-25T12:00:00Z')
    merging = await startMerging(soaked(0), stages, { now })
    const pulls: Pull[] = []
    const commits: string[] = []
    for (let count = 0; count < 20; count += 1) {
      const pull = await merging.propose(soaked(count + 1), { unplanned: true })
      pulls.push(pull)
      commits.push(await merging.merge(pull))
    }
    const first = commits[0] ?? ''
    for (const stage of stages) {
      if (stage === 'prod') wait(31 * minutes)
      expect((await merging.deploy(first, { services: 'environment', stage })).exit).toBe('done')
    }
    for (const commit of commits) {
      wait(3000)
      for (const stage of ['dev', 'staging'])
        expect((await merging.deploy(commit, { services: 'cart', stage })).exit).toBe('done')
      expect((await merging.deploy(commit, { services: 'cart', stage: 'prod' })).exit).toBe('needs-approval')
    }
    const held = (await merging.board()).waiting
    expect(new Set(held.map(({ commit }) => commit))).toEqual(new Set(commits))
    expect(held.map(({ gates: [gate] }) => [gate?.gate, gate?.until !== undefined])).toEqual(
      commits.map(() => ['soak', true]),
    )

    // Time passes, as long as the last but one needs; who starts them again begins with the newest.
    wait(30 * minutes - 2000)
    const [newest = '', last = ''] = commits.toReversed()
    expect((await merging.deploy(newest, { services: 'cart', stage: 'prod', attempt: 2 })).exit).toBe('needs-approval')
    expect((await merging.deploy(last, { services: 'cart', stage: 'prod', attempt: 2 })).exit).toBe('done')
    expect((await merging.board()).waiting.map(({ commit }) => commit)).toEqual([newest])
    for (const commit of commits.slice(0, -2))
      expect(await merging.statusOf('cart/prod', commit)).toBe(
        `inactive: Superseded by the newer commit ${last.slice(0, 7)}`,
      )
    expect(await merging.comments(pulls[3] ?? { number: 0 }, 'waiting')).toEqual([
      expect.stringContaining(`superseded by \`${last.slice(0, 7)}\``),
    ])
    // One that comes late finds that it was overtaken.
    const late = await merging.deploy(first, { services: 'cart', stage: 'prod', attempt: 2 })
    expect(unitsOf(late)).toMatchObject([{ outcome: 'overtaken' }])
    wait(4000)
    expect((await merging.deploy(newest, { services: 'cart', stage: 'prod', attempt: 3 })).exit).toBe('done')
    expect((await merging.board()).waiting).toEqual([])
    const prod = (await merging.ledger()).filter(({ unit }) => unit === 'cart/prod')
    expect(prod.map(({ commit }) => commit)).toEqual([last, newest])
  }, 120_000)
})

describe('a deployment from a terminal', () => {
  const freeze = 'freezes: [{ name: noon, from: 2026-11-25T12:00, to: 2026-11-25T13:00, zone: UTC, reason: Lunch }]\n'
  const files = (): FileTree => {
    const tree = new Map(
      small({ stages: ['dev', 'prod'], services: { cart: { size: 1, topics: 0 } }, approval: ['prod'] }),
    )
    return tree.set('catalog.yaml', `${tree.get('catalog.yaml')}${freeze}glass: { by: ["@ana"] }\n`)
  }
  /** What came of each unit. */
  const ends = (outcome: Outcome): readonly string[] => unitsOf(outcome).map(({ unit, outcome: is }) => `${unit} ${is}`)
  let world: World
  afterEach(() => world.end())

  /** Deploys at a time; `later` is what time it is once the first stage is done. */
  async function deployed(
    at: string,
    given: Readonly<Record<string, readonly string[]>>,
    later = at,
  ): Promise<Outcome> {
    set(at)
    const reporter = {
      step: () => {},
      unit: ({ unit, is }: { readonly unit: string; readonly is: string }) => {
        if (unit === 'cart/dev' && is === 'deployed') set(later)
      },
    }
    const ports = { ...world.ports, reporter, clock: { ...world.ports.clock, now } }
    return run(deploy, { ...world, ports }, given)
  }

  test('goes on with what is under way when a freeze begins, and does not begin the next stage', async () => {
    world = worldOf(files)
    const cut = await deployed('2026-11-25T11:59:00Z', { yes: ['true'] }, '2026-11-25T12:00:01Z')
    expect(cut.exit).toBe('needs-approval')
    expect(ends(cut)).toEqual([
      'environment/dev deployed',
      'cart/dev deployed',
      'environment/prod held',
      'cart/prod held',
    ])
    expect(unitsOf(cut).at(-1)?.why).toBe(
      'freeze: The freeze noon is on (2026-11-25 12:00 - 2026-11-25 13:00, UTC): Lunch. Until 2026-11-25 13:00 UTC.',
    )
    const rest = await deployed('2026-11-25T13:00:00Z', { yes: ['true'] })
    expect(ends(rest).slice(2)).toEqual(['environment/prod deployed', 'cart/prod deployed'])
  })

  test('passes a freeze and the approval with a broken glass, by who may, and keeps that in the records', async () => {
    world = worldOf(files)
    const done = await deployed('2026-11-25T12:30:00Z', { 'break-glass': ['Nobody can pay'] })
    expect(done.exit).toBe('done')
    const records = await (await world.ports.records(`${world.folder}/records`)).list('cart/prod')
    expect(records.map(({ glass }) => glass)).toEqual([
      { by: 'ana', reason: 'Nobody can pay', skipped: ['freeze', 'approval'] },
    ])
    await expect(deployed('2026-11-25T12:30:00Z', { 'break-glass': [' '] })).rejects.toMatchObject({
      code: 'glass-refused',
    })
  })
})
