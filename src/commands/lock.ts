import type { Json, Outcome, Ports } from '../command.ts'
import { command, flag, lines, path, text } from '../command.ts'
import type { Board, Lock } from '../core/board.ts'
import { covers, hasExpired, locksOn, withLock, withoutLock } from '../core/board.ts'
import { digest } from '../core/canonical.ts'
import type { Catalog } from '../core/catalog.ts'
import { durationSeconds } from '../core/duration.ts'
import { line } from '../core/encode.ts'
import { shorten } from '../core/markdown.ts'
import type { Unit } from '../core/organisation.ts'
import type { Checked, Problem } from '../core/problem.ts'
import { Refused } from '../core/problem.ts'
import { age, list } from '../core/report.ts'
import { withoutSecrets } from '../core/secret.ts'
import type { FileTree } from '../core/tree.ts'
import { lockText } from '../core/board-words.ts'
import type { BoardHost, DeploymentRecord } from '../ports.ts'
import { isOneOf, whoMay } from './authority.ts'
import { exactUnits, quoted, readFolder, sameFolders, stateFolders } from './reading.ts'

type Result = Outcome<{ readonly locks: Json }>

const common = {
  units: lines('Units such as checkout/prod, or a service, which is all of its stages.', { positional: true }),
  reason: text('Why, in a sentence. It is shown to whoever is held up by it.', { hint: 'TEXT' }),
  root: path('The folder of the organisation.', { default: '.' }),
  catalog: path('The folder of the catalog, where the services are in a repository of their own.', {}),
  state: path('The folder of the local stacks and records; a relative one lies below the root.', {
    default: '.protium',
  }),
} as const

export const lock = command({
  name: 'lock',
  summary: 'Keeps services, or one of their stages, from being deployed until the lock is given back.',
  inputs: {
    units: common.units,
    reason: common.reason,
    until: text('When it ends by itself: 2h, 3d, or a time such as 2026-12-24T18:00Z.', { hint: 'TIME' }),
    'while-running': flag('Hold it only as long as this run of a workflow lasts.'),
    release: flag('Give it back instead: what `protium unlock` does.'),
    root: common.root,
    catalog: common.catalog,
    state: common.state,
  },
  outputs: { locks: 'The locks, each with what it holds, whose it is, why, and since and until when.' },
  permissions: {
    actions: { access: 'read', why: 'see whether the run that a lock was taken for is over' },
    contents: {
      access: 'write',
      why: 'change the branch `protium-board`, and record on `protium-ledger` whose lock was broken',
    },
  },
  asksTeams: true,
  async run(ports, { release, 'while-running': whileRunning, until, ...given }): Promise<Result> {
    if (release) return unlocked(ports, given)
    const read = await scopesIn(ports, given, 'lock')
    if (!read.ok) return bad(read)
    const { board, now, scopes } = read
    const { reason = '' } = given
    const end = endOf(until, now)
    const problems = [
      ...(reason.trim() === '' ? [noReason('lock', 'Whoever is held up by a lock wants to know why.')] : []),
      ...(end.ok ? [] : end.problems),
      ...(whileRunning && ports.run === undefined ? [noRun] : []),
    ]
    if (problems.length > 0 || !end.ok) return bad({ problems })
    const before = await board.change((each) => each, 'look')
    const over = await overIn(ports, before)
    const wanted = scopes.map((unit): Lock => ({
      unit,
      by: ports.by,
      reason: kept(reason),
      since: now.toISOString(),
      ...(end.value !== undefined && { until: end.value }),
      ...(whileRunning && ports.run !== undefined && { run: String(ports.run.id) }),
    }))
    const takesOver = (held: Lock): boolean => isOver(held, over)
    const after = await board.change(
      (each) => wanted.reduce((sum, one) => withLock(sum, one, { now, takesOver }), each),
      `${list(scopes)}: locked by ${ports.by}`,
    )
    const held = after.locks.filter(({ unit }) => scopes.includes(unit))
    const taken = before.locks.filter((each) => scopes.includes(each.unit) && isOver(each, over))
    return {
      exit: 'done',
      data: { locks: held.map((each) => ({ ...each })) },
      text: () =>
        [
          ...taken.map(({ unit, by, run = '' }) => `${unit}: the lock of ${line(by)} for run ${run} was left behind.`),
          ...held.map((each) => lockText(each, now)),
          ...hereOnly(ports, read.catalog),
        ].join('\n'),
      problems: read.problems,
      next: [
        {
          run: `unlock ${scopes.map(quoted).join(' ')}${sameFolders(given)}`,
          why: 'give it back',
        },
      ],
    }
  },
})

export const unlock = command({
  name: 'unlock',
  summary: 'Gives back a lock; or breaks that of somebody else, which is recorded.',
  inputs: {
    ...common,
    reason: text('Why the lock of somebody else is broken, in a sentence; it is recorded.', { hint: 'TEXT' }),
  },
  outputs: { locks: 'The locks that there were, each with whose it was and what came of it.' },
  permissions: lock.permissions,
  asksTeams: true,
  run: unlocked,
})

/**
 * The runs that locks on a board were taken for and that are over: such a lock holds nothing any more. Only those are asked for
 * that are named; nothing is known of them where there is no GitHub.
 */
export async function overIn({ github }: Ports, { locks }: Board): Promise<ReadonlySet<string>> {
  const runs = new Set(locks.flatMap(({ run }) => run ?? []))
  if (github === undefined || runs.size === 0) return new Set()
  const host = await github()
  const over = await Promise.all(
    [...runs].map(async (id) => {
      const run = await host.run(id)
      return run === undefined || run.isOver ? [id] : []
    }),
  )
  return new Set(over.flat())
}

export function isOver({ run }: Lock, over: ReadonlySet<string>): boolean {
  return run !== undefined && over.has(run)
}

/**
 * What is done by hand to the stacks of units. Throws `Refused` (`lock-held`) where somebody else holds one of them: at GitHub, or on
 * this machine; what lies in an account is looked for on both boards, as git has fetched GitHub's.
 */
export async function checkUnlocked(
  ports: Ports,
  { units, root, records }: { readonly units: readonly Unit[]; readonly root: string; readonly records: string },
): Promise<void> {
  const here = await (await ports.board(records)).read()
  const real = units.filter(({ environment }) => environment.provisioner !== 'local')
  const there = ports.run === undefined && real.length > 0 ? await ports.files.board(root) : undefined
  if (here.locks.length + (there?.locks.length ?? 0) === 0) return
  const now = ports.clock.now()
  const run = ports.run === undefined ? undefined : String(ports.run.id)
  const on = (board: Board, some: readonly Unit[]): readonly Lock[] =>
    some.flatMap(({ id }) => locksOn(board, { unit: id, now }))
  const locks = [...on(here, units), ...(there === undefined ? [] : on(there, real))]
  const others = locks.filter((each) => (each.run === undefined ? each.by !== ports.by : each.run !== run))
  const over = await overIn(ports, { ...here, locks: others })
  const held = others.find((each) => !isOver(each, over))
  if (held === undefined) return
  throw new Refused('lock-held', `Nothing was touched: ${lockText(held, now)}`, {
    remedy: `Wait until it is given back, ask ${line(held.by)} to, or have it broken by who may: \`protium unlock ${held.unit} --reason …\`.`,
  })
}

// What both have in common

const longestReason = 300

/** A reason as it is kept: everybody who may read the repository sees it. */
function kept(reason: string): string {
  return shorten(withoutSecrets(reason.trim()), longestReason)
}

type Given = {
  readonly units: readonly string[]
  readonly reason: string | undefined
  readonly root: string
  readonly catalog: string | undefined
  readonly state: string
}

type Scopes =
  | {
      readonly ok: true
      readonly scopes: readonly string[]
      readonly catalog: Catalog
      readonly board: BoardHost
      readonly now: Date
      readonly problems: readonly Problem[]
    }
  | { readonly ok: false; readonly problems: readonly Problem[]; readonly sources?: FileTree }

/** What was named, if it is there, and the board. */
async function scopesIn(ports: Ports, { units, root, catalog, state }: Given, name: string): Promise<Scopes> {
  const { organisation, sources } = await readFolder(ports, root, { ...(catalog !== undefined && { catalog }) })
  if (!organisation.ok) return { ...organisation, sources }
  const board = await ports.board(stateFolders(root, state).records)
  // What is locked is given back also where no file asks for it any more.
  const also = name === 'unlock' ? (await board.read()).locks.map(({ unit }) => unit) : []
  const chosen = exactUnits(organisation.value, { names: units, command: name, also })
  if (!chosen.ok) return chosen
  return {
    ok: true,
    scopes: [...new Set(units)],
    catalog: organisation.value.catalog,
    board,
    now: ports.clock.now(),
    problems: organisation.problems,
  }
}

function bad({ problems, sources }: { readonly problems: readonly Problem[]; readonly sources?: FileTree }): Result {
  const found = { problems, ...(sources !== undefined && { sources }) }
  return { exit: 'bad-input', data: { locks: [] }, text: () => '', ...found }
}

function noReason(name: string, why: string): Problem {
  return {
    code: 'missing-argument',
    severity: 'error',
    message: `${name} needs a reason. ${why}`,
    remedy: `Say it in a sentence: \`--reason "…"\`.`,
  }
}

const noRun: Problem = {
  code: 'option-value',
  severity: 'error',
  message: 'There is no run that the lock could last as long as: this is no step of a workflow.',
  remedy: 'Leave out --while-running, and say when it ends by --until.',
}

/** A time that is to come, of a duration or of a time with its zone. */
function endOf(until: string | undefined, now: Date): Checked<string | undefined> {
  if (until === undefined) return { ok: true, value: undefined, problems: [] }
  const seconds = durationSeconds(until)
  const time = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2})?(?:Z|[+-]\d{2}:\d{2})$/u.test(until)
    ? Date.parse(until)
    : Number.NaN
  const end = seconds === undefined ? time : now.getTime() + seconds * 1000
  if (end > now.getTime()) return { ok: true, value: new Date(end).toISOString(), problems: [] }
  const what = Number.isNaN(end) ? 'is no time' : 'is over already'
  const problem: Problem = {
    code: 'option-value',
    severity: 'error',
    message: `--until ${JSON.stringify(until)} ${what}.`,
    expected: 'A time to come: 30m, 2h, 3d, or one with its zone, such as 2026-12-24T18:00+01:00.',
    remedy: 'Correct it, or leave it out: then the lock lasts until it is given back.',
  }
  return { ok: false, problems: [problem] }
}

/** Who locks in a terminal what workflows deploy shall not believe that he has held them up. */
function hereOnly({ run }: Ports, { workflows }: Catalog): readonly string[] {
  if (run !== undefined || workflows === undefined) return []
  return [
    'It holds up what is deployed from this machine. What the workflows deploy is locked by the workflow Hold: `gh workflow run hold.yml`.',
  ]
}

// Giving back

type Ended = {
  readonly scope: string
  readonly is: 'unlocked' | 'broken' | 'left' | 'nothing'
  readonly lock?: Lock
  readonly words: string
}

async function unlocked(ports: Ports, given: Given): Promise<Result> {
  const read = await scopesIn(ports, given, 'unlock')
  if (!read.ok) return bad(read)
  const { board, now, scopes, catalog } = read
  const { reason = '' } = given
  const before = await board.change((each) => each, 'look')
  const held = before.locks.filter(({ unit }) => scopes.includes(unit))
  const over = await overIn(ports, { ...before, locks: held })
  const isFree = (each: Lock): boolean => hasExpired(each, now) || isOver(each, over) || each.by === ports.by
  const broken = held.filter((each) => !isFree(each))
  if (broken.length > 0) {
    if (reason.trim() === '')
      return bad({
        problems: [noReason('unlock', `${list(broken.map(({ unit, by }) => `${unit} is locked by ${line(by)}`))}.`)],
      })
    await checkMayBreak(ports, { broken, may: catalog.locks?.by })
  }
  // Nobody’s lock is broken without a record, so that comes first.
  const records = broken.length === 0 ? undefined : await ports.records(stateFolders(given.root, given.state).records)
  for (const each of broken) await records?.append(recordOf(each, { by: ports.by, now, reason: kept(reason) }))
  const what =
    broken.length === 0 ? 'given back' : `broken, the lock of ${list([...new Set(broken.map(({ by }) => by))])},`
  const after =
    held.length === 0
      ? before
      : await board.change((each) => held.reduce(withoutLock, each), `${list(scopes)}: ${what} by ${ports.by}`)
  const all = scopes.map((scope) => endOfLock(scope, { held, broken, over, now, after }))
  return {
    exit: all.some(({ is }) => is === 'left') ? 'failed' : 'done',
    data: {
      locks: all.map(({ scope, is, lock: was }) => ({
        unit: scope,
        outcome: is,
        by: was?.by ?? null,
        reason: was?.reason ?? null,
      })),
    },
    text: () => all.map(({ words }) => words).join('\n'),
    problems: read.problems,
    next: [{ run: `status${sameFolders(given)}`, why: 'what waits, and what is locked' }],
  }
}

function endOfLock(
  scope: string,
  {
    held,
    broken,
    over,
    now,
    after,
  }: {
    readonly held: readonly Lock[]
    readonly broken: readonly Lock[]
    readonly over: ReadonlySet<string>
    readonly now: Date
    readonly after: Board
  },
): Ended {
  const wider = after.locks.find(({ unit }) => covers(unit, scope))
  if (wider !== undefined) return { scope, is: 'left', lock: wider, words: lockText(wider, now) }
  const own = held.find(({ unit }) => unit === scope)
  if (own === undefined) return { scope, is: 'nothing', words: `${scope} is not locked.` }
  const isBroken = broken.includes(own)
  const left = hasExpired(own, now)
    ? 'which had ended by itself'
    : isOver(own, over)
      ? `whose run ${own.run ?? ''} is over`
      : ''
  const of = `the lock of ${line(own.by)} ("${line(own.reason)}")`
  const since = age(now.getTime() - Date.parse(own.since))
  return {
    scope,
    is: isBroken ? 'broken' : 'unlocked',
    lock: own,
    words: isBroken
      ? `${scope}: ${of}, held since ${since}, was broken. It is recorded.`
      : `${scope}: ${of}${left === '' ? '' : `, ${left},`} is given back.`,
  }
}

async function checkMayBreak(
  ports: Ports,
  { broken, may }: { readonly broken: readonly Lock[]; readonly may: readonly string[] | undefined },
): Promise<void> {
  if (may !== undefined && (await isOneOf(ports, may))) return
  const whose = list(broken.map(({ unit, by }) => `that of ${line(by)} on ${unit}`))
  throw new Refused('unlock-refused', `${line(ports.by)} may not break the lock of somebody else: ${whose}.`, {
    remedy: `Ask ${list([...new Set(broken.map(({ by }) => line(by)))])} to give it back. ${whoMay(may, 'locks')}`,
  })
}

/** Who broke whose lock, why, and how old it was. Of a unit of its own, so that who reads the records of a stage never meets it. */
function recordOf(
  { unit, by: holder, reason: held, since, until }: Lock,
  { by, now, reason }: { readonly by: string; readonly now: Date; readonly reason: string },
): DeploymentRecord {
  const started = now.toISOString()
  return {
    format: 1,
    id: `${started.replaceAll(/[-:.]/gu, '')}-lock-${unit.replaceAll('/', '-')}`,
    unit: `lock/${unit}`,
    template: 'lock',
    version: '1',
    by,
    started,
    finished: started,
    outcome: 'unlocked',
    wants: digest({ unit, by: holder, since }),
    evidence: reason,
    lock: { by: holder, reason: held, since, ...(until !== undefined && { until }) },
  }
}
