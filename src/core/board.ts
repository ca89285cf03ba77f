import { compareText } from './canonical.ts'
import type { Data, DataMap } from './data.ts'
import { isList, isMap } from './data.ts'
import type { Gate } from './gates.ts'
import { gateNames } from './gates.ts'
import { Refused } from './problem.ts'
import { readJson } from './yaml.ts'

/**
 * What is under way and what must not be: the promotions that wait for a gate, and the locks. One small file that is changed by
 * compare-and-swap, so each edit here gives the same when it is made a second time on a newer board. Times are ISO 8601 in UTC.
 */
export type Board = {
  readonly format: 1
  /** One of a unit and a commit at most. */
  readonly waiting: readonly Waiting[]
  /** One of each scope at most. */
  readonly locks: readonly Lock[]
}

/** A promotion that is held. */
export type Waiting = {
  readonly unit: string
  readonly stage: string
  readonly commit: string
  readonly pullRequest?: number
  /** Who set it off. */
  readonly by: string
  /** The run that held it, and the name of its job, which is started again when the gates are open. */
  readonly run: { readonly id: string; readonly attempt: number; readonly job?: string }
  readonly since: string
  /** Those that are held. */
  readonly gates: readonly Gate[]
  /** How often it was started again. */
  readonly resumes?: number
  /**
   * When it was last noted that it is about to be started again, and the attempt that its run was in then. Until the entry is of a
   * later attempt, its job has not said how it fares.
   */
  readonly started?: { readonly at: string; readonly attempt: number }
  /** How often the runner of this promotion was lost; nothing where it waits for a gate only. */
  readonly lost?: number
}

/** Keeps a unit (`checkout/prod`), or all units of a service (`checkout`), from being deployed. */
export type Lock = {
  readonly unit: string
  readonly by: string
  readonly reason: string
  readonly since: string
  /** From then on it holds nothing. */
  readonly until?: string
  /** The run of a workflow that it lasts as long as. */
  readonly run?: string
}

export const emptyBoard: Board = { format: 1, waiting: [], locks: [] }

// Edits

/** What waits of a unit, in the order in which it began to. */
export function waitingOn({ waiting }: Board, unit: string): readonly Waiting[] {
  return waiting.filter((each) => each.unit === unit).toSorted((a, b) => compareText(a.since, b.since))
}

/**
 * Puts a promotion on the board. Of one unit several may wait: where merges come faster than a stage soaks, each would push out the
 * one before, and none would ever come through. The same commit that is held once more waits since it was held first, and keeps
 * what is known of its resumes.
 */
export function withWaiting(board: Board, entry: Waiting): Board {
  const isSame = ({ unit, commit }: Waiting): boolean => unit === entry.unit && commit === entry.commit
  const before = board.waiting.find(isSame)
  const resumes = entry.resumes ?? before?.resumes
  const started = entry.started ?? before?.started
  const kept: Waiting = {
    ...entry,
    // Who starts a job again has not set the promotion off.
    by: before?.by ?? entry.by,
    since: before?.since ?? entry.since,
    ...(resumes !== undefined && { resumes }),
    ...(started !== undefined && { started }),
  }
  return { ...board, waiting: [...board.waiting.filter((each) => !isSame(each)), kept] }
}

/** Takes units off that wait, all of them or only with that commit. */
export function withoutWaiting(board: Board, units: readonly string[], commit?: string): Board {
  const isMeant = (each: Waiting): boolean =>
    units.includes(each.unit) && (commit === undefined || each.commit === commit)
  return { ...board, waiting: board.waiting.filter((each) => !isMeant(each)) }
}

/** The locks that hold a unit at a moment, the ones of the whole service first. Which of their runs are over is not known here. */
export function locksOn(
  { locks }: Board,
  { unit, now }: { readonly unit: string; readonly now: Date },
): readonly Lock[] {
  const holding = locks.filter((lock) => covers(lock.unit, unit) && !hasExpired(lock, now))
  return holding.toSorted((a, b) => a.unit.length - b.unit.length)
}

/** Whether what is locked as `scope` takes in a unit: itself, and what is below it. */
export function covers(scope: string, unit: string): boolean {
  return scope === unit || unit.startsWith(`${scope}/`)
}

export function hasExpired({ until }: Lock, now: Date): boolean {
  return until !== undefined && Date.parse(until) <= now.getTime()
}

/**
 * Puts a lock on the board. Throws `Refused` (`lock-held`) where somebody else has one of the same scope, unless it has expired or
 * `takesOver` says that its run is over. Who has it already changes it, and has it since the beginning.
 */
export function withLock(
  board: Board,
  lock: Lock,
  { now, takesOver = () => false }: { readonly now: Date; readonly takesOver?: (held: Lock) => boolean },
): Board {
  const held = board.locks.find(({ unit }) => unit === lock.unit)
  const isFree = held === undefined || hasExpired(held, now) || takesOver(held)
  const isOwn = held?.by === lock.by && held.run === lock.run
  if (!isFree && !isOwn) throw lockHeld(held)
  const kept = !isFree && isOwn ? { ...lock, since: held.since } : lock
  const others = board.locks.filter((each) => each.unit !== lock.unit && !hasExpired(each, now))
  return { ...board, locks: [...others, kept] }
}

function lockHeld({ unit, by, reason, since }: Lock): Refused {
  return new Refused('lock-held', `${unit} is locked already, by ${by} since ${since}: ${reason}`, {
    remedy: `Wait until it is given back, ask ${by} to, or have it broken: \`protium unlock ${unit} --reason …\`.`,
  })
}

/** Takes away exactly this lock; another one that has come instead stays. */
export function withoutLock(board: Board, { unit, by, since }: Lock): Board {
  const isMeant = (each: Lock): boolean => each.unit === unit && each.by === by && each.since === since
  return { ...board, locks: board.locks.filter((each) => !isMeant(each)) }
}

// The file

/** The text of a board: the same board is the same text, however it came about. */
export function writeBoard({ waiting, locks }: Board): string {
  const inOrder = {
    format: 1,
    waiting: waiting
      .map(waitingInOrder)
      .toSorted(
        (a, b) => compareText(a.unit, b.unit) || compareText(a.since, b.since) || compareText(a.commit, b.commit),
      ),
    locks: locks.map(lockInOrder).toSorted((a, b) => compareText(a.unit, b.unit)),
  } satisfies Board
  return `${JSON.stringify(inOrder, undefined, 2)}\n`
}

function waitingInOrder(entry: Waiting): Waiting {
  const { unit, stage, commit, pullRequest, by, run, since, gates, resumes, started, lost } = entry
  return {
    unit,
    stage,
    commit,
    ...(pullRequest !== undefined && { pullRequest }),
    by,
    run: { id: run.id, attempt: run.attempt, ...(run.job !== undefined && { job: run.job }) },
    since,
    gates: gates.map(gateInOrder),
    ...(resumes !== undefined && { resumes }),
    ...(started !== undefined && { started: { at: started.at, attempt: started.attempt } }),
    ...(lost !== undefined && { lost }),
  }
}

function gateInOrder({ gate, is, why, since, until, by }: Gate): Gate {
  return {
    gate,
    is,
    why,
    ...(since !== undefined && { since }),
    ...(until !== undefined && { until }),
    ...(by !== undefined && { by }),
  }
}

function lockInOrder({ unit, by, reason, since, until, run }: Lock): Lock {
  return { unit, by, reason, since, ...(until !== undefined && { until }), ...(run !== undefined && { run }) }
}

/**
 * Reads a board. Throws `Refused` (`board-format`) where it is damaged, or was written by a newer version: what holds a promotion
 * cannot be seen then, so nothing may pass.
 */
export function readBoard(file: string, text: string): Board {
  try {
    const document = readJson(file, text)
    if (!document.ok) throw new Damaged(document.problems[0]?.message ?? 'It is no JSON.')
    const board = fields(document.value.data, 'The board')
    const format = board.value('format')
    if (format !== 1) {
      throw typeof format === 'number' && format > 1
        ? newer(file, format)
        : new Damaged('It does not say `"format": 1`.')
    }
    const read = {
      format,
      waiting: board.list('waiting').map(waitingOf),
      locks: board.list('locks').map(lockOf),
    } as const
    board.end()
    const keys = [
      ...read.waiting.map(({ unit, commit }) => `${unit} with commit ${commit} waits`),
      ...read.locks.map(({ unit }) => `${unit} is locked`),
    ]
    const twice = keys.find((key, index) => keys.indexOf(key) < index)
    if (twice !== undefined) throw new Damaged(`${twice} twice.`)
    return read
  } catch (error) {
    if (!(error instanceof Damaged)) throw error
    throw new Refused('board-format', `The board ${file} is damaged: ${error.message}`, {
      remedy:
        'Nothing passes that might be held. Bring back the file as it was before it was changed by hand; what waited and was locked is in its history.',
    })
  }
}

function newer(file: string, format: number): Refused {
  return new Refused(
    'board-format',
    `The board ${file} was written by a newer version of Protium, in format ${format}.`,
    {
      remedy: 'Use the version that wrote it.',
    },
  )
}

/** Thrown here and caught in `readBoard`. The message is a sentence. */
class Damaged extends Error {}

function waitingOf(data: Data, index: number): Waiting {
  const entry = fields(data, `\`waiting[${index}]\``)
  const run = fields(entry.value('run') ?? null, `\`waiting[${index}].run\``)
  const pullRequest = entry.number('pullRequest')
  const job = run.optional('job')
  const resumes = entry.number('resumes')
  const start = entry.value('started')
  const started = start === undefined ? undefined : startOf(start, index)
  const lost = entry.number('lost')
  const attempt = run.number('attempt')
  if (attempt === undefined) throw new Damaged(`\`waiting[${index}].run\` has no attempt.`)
  const read: Waiting = {
    unit: entry.text('unit', unitPattern),
    stage: entry.text('stage', unitPattern),
    commit: entry.text('commit', /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/u),
    ...(pullRequest !== undefined && { pullRequest }),
    by: entry.text('by'),
    run: { id: run.text('id'), attempt, ...(job !== undefined && { job }) },
    since: entry.time('since'),
    gates: entry.list('gates').map((gate, at) => gateOf(gate, `\`waiting[${index}].gates[${at}]\``)),
    ...(resumes !== undefined && { resumes }),
    ...(started !== undefined && { started }),
    ...(lost !== undefined && { lost }),
  }
  run.end()
  entry.end()
  return read
}

function startOf(data: Data, index: number): Waiting['started'] {
  const what = `\`waiting[${index}].started\``
  const start = fields(data, what)
  const attempt = start.number('attempt')
  if (attempt === undefined) throw new Damaged(`${what} has no attempt.`)
  const read = { at: start.time('at'), attempt }
  start.end()
  return read
}

function gateOf(data: Data, what: string): Gate {
  const entry = fields(data, what)
  const name = entry.value('gate')
  const gate = gateNames.find((each) => each === name)
  if (gate === undefined) throw new Damaged(`${what} is no gate that there is.`)
  const is = (['open', 'held', 'skipped'] as const).find((each) => each === entry.value('is'))
  if (is === undefined) throw new Damaged(`${what} does not say whether it is held.`)
  const since = entry.optionalTime('since')
  const until = entry.optionalTime('until')
  const by = entry.value('by') === undefined ? undefined : entry.list('by')
  const read: Gate = {
    gate,
    is,
    why: entry.text('why'),
    ...(since !== undefined && { since }),
    ...(until !== undefined && { until }),
    ...(by !== undefined && { by: by.map((each) => textOf(each, what)) }),
  }
  entry.end()
  return read
}

function textOf(data: Data, what: string): string {
  if (typeof data === 'string') return data
  throw new Damaged(`\`by\` of ${what} names somebody who is no text.`)
}

function lockOf(data: Data, index: number): Lock {
  const entry = fields(data, `\`locks[${index}]\``)
  const until = entry.optionalTime('until')
  const run = entry.optional('run')
  const read: Lock = {
    unit: entry.text('unit', unitPattern),
    by: entry.text('by'),
    reason: entry.text('reason'),
    since: entry.time('since'),
    ...(until !== undefined && { until }),
    ...(run !== undefined && { run }),
  }
  entry.end()
  return read
}

const unitPattern = /^[a-z0-9][a-z0-9-]*(?:\/[a-z0-9][a-z0-9-]*)*$/u

/** A map whose keys are asked for one by one; what nobody has asked for in the end is none of this format. */
function fields(data: Data, what: string) {
  if (!isMap(data)) throw new Damaged(`${what} is no map.`)
  const map: DataMap = data
  const asked = new Set<string>()
  const value = (key: string): Data | undefined => {
    asked.add(key)
    return Object.hasOwn(map, key) ? map[key] : undefined
  }
  const text = (key: string, pattern = /^/u): string => {
    const found = value(key)
    if (typeof found === 'string' && pattern.test(found)) return found
    throw new Damaged(`\`${key}\` of ${what} is ${found === undefined ? 'missing' : 'not what it has to be'}.`)
  }
  const time = (key: string): string => {
    const found = text(key, /^\d{4}-\d{2}-\d{2}T[\d:.]+Z$/u)
    if (Number.isNaN(Date.parse(found))) throw new Damaged(`\`${key}\` of ${what} is no time.`)
    return found
  }
  return {
    value,
    text,
    time,
    optional: (key: string) => (value(key) === undefined ? undefined : text(key)),
    optionalTime: (key: string) => (value(key) === undefined ? undefined : time(key)),
    number: (key: string): number | undefined => {
      const found = value(key)
      if (found === undefined || (typeof found === 'number' && found >= 0)) return found
      throw new Damaged(`\`${key}\` of ${what} is no number.`)
    },
    list: (key: string): readonly Data[] => {
      const found = value(key)
      if (isList(found)) return found
      throw new Damaged(`\`${key}\` of ${what} is no list.`)
    },
    end: (): void => {
      const strange = Object.keys(map).find((key) => !asked.has(key))
      if (strange !== undefined) throw new Damaged(`${what} has a key ${JSON.stringify(strange)}, which is not known.`)
    },
  }
}
