import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import { gitHub } from '../../src/adapters/github.ts'
import { branchBoard } from '../../src/adapters/github/board.ts'
import { ledgerRecords } from '../../src/adapters/ledger.ts'
import type { Command, Outcome, Ports } from '../../src/command.ts'
import { deploy } from '../../src/commands/deploy.ts'
import { drift } from '../../src/commands/drift.ts'
import { lock } from '../../src/commands/lock.ts'
import { remove } from '../../src/commands/remove.ts'
import { unlock } from '../../src/commands/unlock.ts'
import type { Run } from '../../src/core/event.ts'
import { plain } from '../../src/core/report.ts'
import type { Board } from '../../src/core/board.ts'
import type { FileTree } from '../../src/core/tree.ts'
import type { DeploymentRecord } from '../../src/ports.ts'
import type { GitHub, Grant } from '../fakes/github/server.ts'
import { startGitHub } from '../fakes/github/server.ts'
import { small } from './organisation.ts'
import type { World } from './ports.ts'
import { run as runCommand, worldOf } from './ports.ts'

const shop = small({
  stages: ['dev', 'prod'],
  services: { cart: { size: 1, topics: 1 }, mail: { size: 1, topics: 0 } },
})
const catalog = shop.get('catalog.yaml') ?? ''
const withLocks = (names: string): FileTree =>
  new Map([...shop, ['catalog.yaml', `${catalog}locks: { by: [${names}] }\n`]])

type Asked = {
  readonly by?: string
  readonly units: readonly string[]
  readonly reason?: string
  readonly until?: string
  readonly flags?: readonly ('while-running' | 'release')[]
}

function given({ units, reason, until, flags = [] }: Asked): Readonly<Record<string, readonly string[]>> {
  return {
    units,
    ...(reason !== undefined && { reason: [reason] }),
    ...(until !== undefined && { until: [until] }),
    ...Object.fromEntries(flags.map((flag) => [flag, ['true']])),
  }
}

function codes({ problems = [] }: Outcome): readonly string[] {
  return problems.map(({ code }) => code)
}

let files: FileTree
let world: World
beforeEach(() => {
  files = withLocks('"@cem"')
  world = worldOf(() => files)
})
afterEach(() => world.end())

describe('a lock on this machine', () => {
  async function ask(command: Command, { by = 'ana', ...asked }: Asked): Promise<Outcome> {
    return runCommand(command, { ...world, ports: { ...world.ports, by } }, given(asked))
  }
  async function board(): Promise<Board> {
    return (await world.ports.board(`${world.folder}/records`)).read()
  }
  async function records(): Promise<readonly DeploymentRecord[]> {
    return (await world.ports.records(`${world.folder}/records`)).list()
  }

  test('is of a stage or of a whole service, says why, and is given back', async () => {
    const locked = await ask(lock, { units: ['cart/prod', 'mail'], reason: ' moving the data ' })
    expect(locked.exit).toBe('done')
    expect(locked.text(plain)).toMatch(/cart\/prod is locked by ana since \S+( s)?: moving the data\./u)
    expect((await board()).locks.map(({ unit, by, reason }) => ({ unit, by, reason }))).toEqual([
      { unit: 'cart/prod', by: 'ana', reason: 'moving the data' },
      { unit: 'mail', by: 'ana', reason: 'moving the data' },
    ])
    const back = await ask(unlock, { units: ['cart/prod', 'mail'] })
    expect(back.exit).toBe('done')
    expect(back.text(plain)).toContain('cart/prod: the lock of ana ("moving the data") is given back.')
    expect((await board()).locks).toEqual([])
    expect(await records()).toEqual([])
  })

  test.each([
    {
      what: 'a unit that is none',
      asked: { units: ['card/prod'], reason: 'x' },
      code: 'unknown-unit',
      says: 'cart/prod',
    },
    {
      what: 'a stage that is none',
      asked: { units: ['cart/production'], reason: 'x' },
      code: 'unknown-unit',
      says: 'cart/',
    },
    { what: 'a path', asked: { units: ['../cart'], reason: 'x' }, code: 'unknown-unit', says: '../cart' },
    { what: 'nothing', asked: { units: [], reason: 'x' }, code: 'missing-argument', says: 'names of units' },
    { what: 'no reason', asked: { units: ['cart'] }, code: 'missing-argument', says: 'needs a reason' },
    {
      what: 'a blank reason',
      asked: { units: ['cart'], reason: '  ' },
      code: 'missing-argument',
      says: 'needs a reason',
    },
    {
      what: 'some day',
      asked: { units: ['cart'], reason: 'x', until: 'tomorrow' },
      code: 'option-value',
      says: 'is no time',
    },
    {
      what: 'a time without a zone',
      asked: { units: ['cart'], reason: 'x', until: '2030-01-01T10:00' },
      code: 'option-value',
      says: 'is no time',
    },
    {
      what: 'a time that is over',
      asked: { units: ['cart'], reason: 'x', until: '2020-01-01T10:00Z' },
      code: 'option-value',
      says: 'is over already',
    },
    {
      what: 'no time at all',
      asked: { units: ['cart'], reason: 'x', until: '0s' },
      code: 'option-value',
      says: 'is over already',
    },
    {
      what: 'a run that there is not',
      asked: { units: ['cart'], reason: 'x', flags: ['while-running'] as const },
      code: 'option-value',
      says: 'no step of a workflow',
    },
  ])('is refused for $what, and nothing is locked', async ({ asked, code, says }) => {
    const outcome = await ask(lock, asked)
    expect(outcome.exit).toBe('bad-input')
    expect(codes(outcome)).toEqual([code])
    expect(JSON.stringify(outcome.problems)).toContain(says)
    expect((await board()).locks).toEqual([])
  })

  test('is one at a time: the second is told whose it is and why, and gets none of what he asked for', async () => {
    await ask(lock, { units: ['cart/prod'], reason: 'moving the data' })
    await expect(ask(lock, { by: 'ben', units: ['mail', 'cart/prod'], reason: 'mine' })).rejects.toMatchObject({
      code: 'lock-held',
      message: expect.stringContaining('cart/prod is locked already, by ana'),
    })
    expect((await board()).locks.map(({ unit }) => unit)).toEqual(['cart/prod'])
  })

  test('goes to one of two who ask for it at once', async () => {
    const both = await Promise.allSettled(
      ['ana', 'ben'].map(async (by) => ask(lock, { by, units: ['cart'], reason: 'x' })),
    )
    expect(both.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
    expect((await board()).locks).toHaveLength(1)
  })

  test('is asked for again by who holds it, with another reason and another end', async () => {
    await ask(lock, { units: ['cart'], reason: 'one', until: '2h' })
    const [first] = (await board()).locks
    await ask(lock, { units: ['cart'], reason: 'two', until: '2030-01-01T10:00+01:00' })
    expect((await board()).locks).toEqual([
      { unit: 'cart', by: 'ana', reason: 'two', since: first?.since, until: '2030-01-01T09:00:00.000Z' },
    ])
  })

  test('that has ended by itself is anybody’s', async () => {
    await ask(lock, { units: ['cart'], reason: 'x', until: '1s' })
    await ask(lock, { by: 'ben', units: ['cart'], reason: 'y' })
    expect((await board()).locks.map(({ by }) => by)).toEqual(['ben'])
  })

  test('of somebody else is broken with a reason, by those whom the catalog names, and recorded', async () => {
    await ask(lock, { units: ['cart/prod'], reason: 'moving the data', until: '1d' })
    const [held] = (await board()).locks
    const unsaid = await ask(unlock, { by: 'cem', units: ['cart/prod'] })
    expect(codes(unsaid)).toEqual(['missing-argument'])
    const broken = await ask(unlock, { by: 'cem', units: ['cart/prod'], reason: 'ana is on a plane' })
    expect(broken.exit).toBe('done')
    expect(broken.text(plain)).toMatch(
      /the lock of ana \("moving the data"\), held since .*, was broken\. It is recorded\./u,
    )
    expect((await board()).locks).toEqual([])
    const [record, ...more] = await records()
    expect(more).toEqual([])
    expect(record).toMatchObject({
      unit: 'lock/cart/prod',
      outcome: 'unlocked',
      by: 'cem',
      evidence: 'ana is on a plane',
      lock: { by: 'ana', reason: 'moving the data', since: held?.since, until: held?.until },
    })
    // Who reads the records of the stage does not meet it.
    expect(await (await world.ports.records(`${world.folder}/records`)).list('cart/prod')).toEqual([])
  })

  test.each([
    {
      what: 'who is not named',
      names: '"@cem", "@acme/platform"',
      says: 'Those who may are @cem and the members of @acme/platform.',
    },
    {
      what: 'whoever it is where nobody is named',
      names: undefined,
      says: 'catalog.yaml names nobody who may, below `locks:`.',
    },
  ])('of somebody else stays for $what, who is told who may', async ({ names, says }) => {
    if (names === undefined) files = shop
    else files = withLocks(names)
    await ask(lock, { units: ['cart/prod'], reason: 'moving the data' })
    await expect(ask(unlock, { by: 'ben', units: ['cart/prod'], reason: 'now' })).rejects.toMatchObject({
      code: 'unlock-refused',
      message: expect.stringContaining('ben may not break the lock of somebody else: that of ana on cart/prod'),
      remedy: expect.stringContaining(says),
    })
    expect((await board()).locks).toHaveLength(1)
    expect(await records()).toEqual([])
  })

  test('that there is not is said so; one of the whole service is not given back by its stage', async () => {
    const none = await ask(unlock, { units: ['cart/prod'] })
    expect([none.exit, none.text(plain)]).toEqual(['done', 'cart/prod is not locked.'])
    await ask(lock, { units: ['cart'], reason: 'all of it' })
    const wider = await ask(unlock, { units: ['cart/prod'] })
    expect(wider.exit).toBe('failed')
    expect(wider.text(plain)).toContain('cart is locked by ana')
  })

  test('is given back where no file asks for what it holds any more', async () => {
    await ask(lock, { units: ['cart/prod'], reason: 'x' })
    files = new Map([...files].filter(([path]) => !path.startsWith('services/cart/')))
    expect(codes(await ask(lock, { units: ['cart/prod'], reason: 'x' }))).toEqual(['unknown-unit'])
    expect((await ask(unlock, { units: ['cart/prod'] })).exit).toBe('done')
    expect((await board()).locks).toEqual([])
  })

  test('keeps no secret that its reason holds', async () => {
    const secret = `ghp_${'a1B2'.repeat(9)}`
    await ask(lock, { units: ['cart'], reason: `rotating ${secret}` })
    await ask(unlock, { by: 'cem', units: ['cart'], reason: `${secret} is rotated` })
    expect(JSON.stringify(await records())).not.toContain(secret)
    expect(JSON.stringify(await records())).toContain('rotating')
  })

  test('that is at GitHub is given back by its workflow, which is said', async () => {
    const held = { unit: 'cart', by: 'ben', reason: 'x', since: '2026-11-22T10:00:00.000Z' }
    world.end()
    world = worldOf(() => files, { board: { format: 1, waiting: [], locks: [held] } })
    const outcome = await ask(unlock, { units: ['cart'] })
    expect(outcome.text(plain)).toContain('At GitHub cart is locked by ben since 2 h: x.')
    expect(outcome.text(plain)).toContain('gh workflow run hold.yml -f what=unlock -f units=cart')
  })

  test('of a reason with control characters and commands of the runner is printed harmlessly', async () => {
    const outcome = await ask(lock, { units: ['cart'], reason: 'x\n::error::y \u001b[31m ##[command]z' })
    expect(outcome.text(plain)).not.toMatch(/\u001b|^::/mu)
    expect(outcome.text(plain)).not.toContain('##[command]')
  })

  test('says that what workflows deploy is locked elsewhere', async () => {
    files = new Map([...shop, ['catalog.yaml', `${catalog}workflows: { actions: actions }\n`]])
    const outcome = await ask(lock, { units: ['cart'], reason: 'x' })
    expect(outcome.text(plain)).toContain('gh workflow run hold.yml -f what=lock -f units=cart')
  })
})

describe('what is locked is not deployed', () => {
  const outcomes = ({ data }: Outcome): Readonly<Record<string, string | undefined>> => {
    const units: { unit?: string; outcome?: string }[] = JSON.parse(JSON.stringify(data['units']))
    return Object.fromEntries(units.map(({ unit, outcome }) => [unit, outcome]))
  }
  const as = (by: string): World => ({ ...world, ports: { ...world.ports, by } })

  test('by anybody but the holder, who is named with the reason; and goes on when it is given back', async () => {
    await runCommand(lock, as('ana'), given({ units: ['cart/prod'], reason: 'moving the data' }))
    const held = await runCommand(deploy, as('ben'))
    expect(held.exit).toBe('needs-approval')
    expect(outcomes(held)).toMatchObject({ 'cart/dev': 'deployed', 'cart/prod': 'held', 'mail/prod': 'deployed' })
    expect(held.text(plain)).toContain('cart/prod held: lock: ana has locked cart/prod: moving the data.')
    expect(held.text(plain)).toContain('1 held.')
    expect(held.next?.map(({ run }) => run).join('\n')).not.toContain('--yes')
    await runCommand(lock, as('ana'), given({ units: ['cart/prod'], flags: ['release'] }))
    const after = await runCommand(deploy, as('ben'))
    expect([after.exit, outcomes(after)['cart/prod']]).toEqual(['done', 'deployed'])
  })

  test('and is by the holder', async () => {
    await runCommand(lock, as('ana'), given({ units: ['cart'], reason: 'moving the data' }))
    expect((await runCommand(deploy, as('ana'))).exit).toBe('done')
  })

  test('not even in an emergency: the glass passes no lock', async () => {
    files = new Map([...files, ['catalog.yaml', `${files.get('catalog.yaml') ?? ''}glass: { by: ["@ben"] }\n`]])
    await runCommand(lock, as('ana'), given({ units: ['cart/prod'], reason: 'moving the data' }))
    const held = await runCommand(deploy, as('ben'), { 'break-glass': ['customers wait'] })
    expect(outcomes(held)).toMatchObject({ 'cart/prod': 'held' })
  })

  test.each([
    { what: 'removed', command: remove, more: { units: ['cart/dev'], yes: ['true'] } },
    { what: 'mended', command: drift, more: { units: ['cart/dev'], mend: ['true'], yes: ['true'] } },
  ])('nor $what by anybody but the holder', async ({ command, more }) => {
    await runCommand(deploy, as('ana'))
    await runCommand(lock, as('ana'), given({ units: ['cart/dev'], reason: 'moving the data' }))
    await expect(runCommand(command, as('ben'), more)).rejects.toMatchObject({
      code: 'lock-held',
      message: expect.stringContaining('cart/dev is locked by ana'),
    })
    const own = await runCommand(command, as('ana'), more).catch((error: unknown) => error)
    expect(own).not.toMatchObject({ code: 'lock-held' })
  })

  test.each([
    { provisioner: 'cloudformation', exit: 'needs-approval' },
    { provisioner: 'local', exit: 'done' },
  ])(
    'from here where it is locked at GitHub, as git has fetched it; a rehearsal is: $provisioner',
    async ({ provisioner, exit }) => {
      const held = { unit: 'cart', by: 'cem', reason: 'x', since: '2026-11-22T10:00:00.000Z' }
      const tree = small({ stages: ['dev'], services: { cart: { size: 1, topics: 0 } }, provisioner })
      world.end()
      world = worldOf(() => tree, { board: { format: 1, waiting: [], locks: [held] } })
      expect((await runCommand(deploy, world)).exit).toBe(exit)
    },
  )
})

const repository = 'acme/catalog'

describe('a lock at GitHub', () => {
  let github: GitHub
  beforeEach(async () => {
    github = await startGitHub({
      organisation: 'acme',
      members: { ada: 'admin', ben: 'member', cem: 'member', dan: 'member' },
      teams: { platform: { members: ['dan'] } },
      apps: { protium: { permissions: { members: 'read' } } },
      repositories: {
        catalog: { files: Object.fromEntries(files), collaborators: { ben: 'write', cem: 'write', dan: 'read' } },
      },
    })
  })
  afterEach(async () => github.close())

  let turn = 0
  function portsOf(by: string, id: number, grant: Grant, seeing?: Grant): Ports {
    const options = {
      repository,
      token: github.token(grant),
      ...(seeing !== undefined && { teamToken: github.token(seeing) }),
      api: github.url,
      clock: world.ports.clock,
      random: () => (turn += 0.37) % 1,
      second: 1,
    }
    const run: Run = {
      server: 'https://github.com',
      api: github.url,
      repository: { owner: 'acme', name: 'catalog', id: 1 },
      defaultBranch: 'main',
      id,
      attempt: 1,
      actor: by,
      commit: 'a'.repeat(40),
      ref: 'refs/heads/main',
      about: { is: 'other', event: 'workflow_dispatch' },
    }
    return {
      ...world.ports,
      by,
      run,
      github: async () => gitHub(options),
      board: async () => branchBoard(options),
      records: async () => ledgerRecords(options),
    }
  }
  const job: Grant = { kind: 'job', repository, permissions: { contents: 'write', actions: 'read', metadata: 'read' } }

  async function ask(
    command: Command,
    { by = 'ada', id = 1, grant = job, seeing, ...asked }: Asked & { id?: number; grant?: Grant; seeing?: Grant },
  ) {
    return runCommand(command, { ...world, ports: portsOf(by, id, grant, seeing) }, given(asked))
  }
  async function board(): Promise<Board> {
    return (await portsOf('ada', 1, job).board('')).change((each) => each, 'look')
  }
  async function runOf(by: string): Promise<number> {
    const sha = (await github.head(repository)) ?? ''
    return github.beginRun({
      repository,
      workflow: '.github/workflows/move.yml',
      event: 'push',
      branch: 'main',
      sha,
      actor: by,
    })
  }

  test('is taken and given back by one action, with the actor of the run for its holder', async () => {
    await ask(lock, { by: 'ben', units: ['cart/prod'], reason: 'x' })
    expect((await board()).locks).toMatchObject([{ unit: 'cart/prod', by: 'ben' }])
    const back = await ask(lock, { by: 'ben', units: ['cart/prod'], flags: ['release'] })
    expect(back.exit).toBe('done')
    expect((await board()).locks).toEqual([])
  })

  test('is broken by somebody who is named and may still write here, and recorded in the ledger', async () => {
    await ask(lock, { by: 'ben', units: ['cart/prod'], reason: 'x' })
    await expect(ask(unlock, { by: 'dan', units: ['cart/prod'], reason: 'y' })).rejects.toMatchObject({
      code: 'unlock-refused',
    })
    await ask(unlock, { by: 'cem', units: ['cart/prod'], reason: 'y' })
    const records = await (await portsOf('ada', 1, job).records('')).list('lock/cart/prod', { latest: 1 })
    expect(records).toMatchObject([{ by: 'cem', evidence: 'y', lock: { by: 'ben', reason: 'x' } }])
  })

  test('whose record cannot be written stays', async () => {
    await ask(lock, { by: 'ben', units: ['cart/prod'], reason: 'x' })
    github.fault({ match: 'git/create-tree', kind: 'forbidden' })
    await expect(ask(unlock, { by: 'cem', units: ['cart/prod'], reason: 'y' })).rejects.toMatchObject({
      code: 'github-permission',
    })
    expect((await board()).locks).toHaveLength(1)
  })

  test('that is broken is recorded once, also where the run was cut off before it was given back', async () => {
    await ask(lock, { by: 'ben', units: ['cart/prod'], reason: 'x' })
    github.fault({ match: 'repos/create-or-update-file-contents', kind: 'forbidden' })
    const breaking = { by: 'cem', units: ['cart/prod'], reason: 'y' }
    await expect(ask(unlock, breaking)).rejects.toMatchObject({ code: 'github-permission' })
    expect((await board()).locks).toHaveLength(1)

    await ask(unlock, breaking)

    expect((await board()).locks).toEqual([])
    expect(await (await portsOf('ada', 1, job).records('')).list('lock/cart/prod')).toHaveLength(1)
  })

  test('of a team is not broken on the word of a token that may not see the team', async () => {
    files = withLocks('"@acme/platform"')
    await ask(lock, { by: 'ben', units: ['cart/prod'], reason: 'x' })
    await expect(ask(unlock, { by: 'dan', units: ['cart/prod'], reason: 'y' })).rejects.toMatchObject({
      code: 'github-permission',
    })
    expect((await board()).locks).toHaveLength(1)
    await ask(unlock, { by: 'dan', units: ['cart/prod'], reason: 'y', seeing: { kind: 'app', app: 'protium' } })
    expect((await board()).locks).toEqual([])
  })

  test('of a run lasts as long as the run, and is taken over when its runner is gone', async () => {
    const id = await runOf('ben')
    await ask(lock, { by: 'ben', id, units: ['cart/prod'], reason: 'moving', flags: ['while-running'] })
    expect((await board()).locks).toMatchObject([{ by: 'ben', run: String(id) }])
    await expect(ask(lock, { by: 'cem', id: id + 1, units: ['cart/prod'], reason: 'mine' })).rejects.toMatchObject({
      code: 'lock-held',
    })
    await github.endRun({ repository, run: id, conclusion: 'cancelled' })
    const taken = await ask(lock, { by: 'cem', id: id + 1, units: ['cart/prod'], reason: 'mine' })
    expect(taken.text(plain)).toContain(`cart/prod: the lock of ben for run ${id} was left behind.`)
    expect((await board()).locks).toMatchObject([{ by: 'cem', reason: 'mine' }])
  })

  test('that a dead runner has left behind is given back by anybody, without being broken', async () => {
    const id = await runOf('ben')
    await ask(lock, { by: 'ben', id, units: ['cart'], reason: 'moving', flags: ['while-running'] })
    await github.endRun({ repository, run: id, conclusion: 'failure' })
    const back = await ask(unlock, { by: 'dan', units: ['cart'] })
    expect(back.text(plain)).toContain(`whose run ${id} is over`)
    expect((await board()).locks).toEqual([])
  })

  test('of a run that GitHub knows no more is left behind', async () => {
    await ask(lock, { by: 'ben', id: 99, units: ['cart'], reason: 'moving', flags: ['while-running'] })
    const back = await ask(unlock, { by: 'dan', units: ['cart'] })
    expect(back.exit).toBe('done')
    expect((await board()).locks).toEqual([])
  })
})
