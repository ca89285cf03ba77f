import type { Board, Lock, Waiting } from './board.ts'
import { locksOn } from './board.ts'
import type { Catalog } from './catalog.ts'
import type { Gate } from './gates.ts'

/**
 * Which of the promotions that wait may go on. What is judged here is whether it is worth to start a job again: from the board
 * alone, without the catalog. The job judges all of its gates anew, so that a start too many costs a job and opens nothing.
 */

/** On the merged pull request of a promotion that waits, so that one search finds all repositories that have any. */
export const waitingLabel = 'protium: waiting'

/** Whether what waits in a repository is found from the catalog, so that its pull request carries the label. */
export function isLookedAfter({ workflows }: Pick<Catalog, 'workflows'>, repository: string): boolean {
  return workflows?.fleet === true && workflows.repository?.toLowerCase() !== repository.toLowerCase()
}

/** So often a promotion is started again of which nothing was heard. */
export const mostStarts = 3

/** A start that was noted and that GitHub knows nothing of was cut off before it, if it is this old. */
const startTakes = 5 * 60_000

export type Standing =
  /** Somebody has noted a moment ago that he starts it. */
  | { readonly is: 'starting' }
  /** It was to be started, and its job has not said anything since. */
  | { readonly is: 'unanswered' }
  /** To be started, if somebody has approved it since that moment, and if these locks are of runs that are over. */
  | { readonly is: 'due'; readonly approvedSince?: Date; readonly locks: readonly Lock[] }
  | { readonly is: 'held' }

/** How a promotion stands at a moment. */
export function standingOf(entry: Waiting, { board, now }: { readonly board: Board; readonly now: Date }): Standing {
  const { started, run, lost, gates } = entry
  if (started !== undefined && started.attempt >= run.attempt) {
    const isFresh = now.getTime() - Date.parse(started.at) < startTakes
    return { is: isFresh ? 'starting' : 'unanswered' }
  }
  if (lost !== undefined) {
    return lost > mostStarts ? { is: 'held' } : { is: 'due', locks: [] }
  }
  const others = gates.filter((gate) => !isOver(gate, now))
  // What else holds is opened by a commit or by a person, and whoever does that starts it.
  if (others.some(({ gate }) => gate !== 'lock' && !isApproved(gate))) return { is: 'held' }
  const locks = others.some(({ gate }) => gate === 'lock') ? locksOn(board, { unit: entry.unit, now }) : []
  if (locks.some((lock) => lock.run === undefined)) return { is: 'held' }
  const approved = others.filter(({ gate }) => isApproved(gate))
  return { is: 'due', locks, ...(approved.length > 0 && { approvedSince: newsSince(entry, approved) }) }
}

/** What a review opens. */
function isApproved(gate: Gate['gate']): boolean {
  return gate === 'approval' || gate === 'binding'
}

/** Reviews before that were looked at by the job already, or are of what was shown only later. */
function newsSince({ since, started }: Waiting, gates: readonly Gate[]): Date {
  const shown = gates.filter(({ gate }) => gate === 'binding').map((gate) => gate.since ?? since)
  return new Date(Math.max(...[since, started?.at ?? since, ...shown].map((each) => Date.parse(each))))
}

function isOver({ until }: Gate, now: Date): boolean {
  return until !== undefined && Date.parse(until) <= now.getTime()
}

/**
 * The order in which those that wait are looked at. As they came, so that each finds live what its plan was made upon. What has to be
 * looked at once more comes before, the newest first: an older one that went first would change what the newer one's new plan
 * was made upon, and that would have to be looked at yet again, once for each that waits.
 */
export function inTurn(waiting: readonly Waiting[]): readonly Waiting[] {
  const seen = waiting.filter(isAboutItsPlan)
  const others = waiting.filter((entry) => !isAboutItsPlan(entry))
  return [
    ...seen.toSorted((a, b) => Number(b.run.id) - Number(a.run.id)),
    ...others.toSorted((a, b) => Date.parse(a.since) - Date.parse(b.since)),
  ]
}

/** Whether what it waits for is that somebody looks at its new plan. */
export function isAboutItsPlan({ gates }: Pick<Waiting, 'gates'>): boolean {
  return gates.some(({ gate }) => gate === 'binding')
}

/**
 * Whether a promotion is of an older commit of the unit than another, and is superseded when that is deployed. Runs are numbered in
 * the order in which they began; where that is not the order of commits, a job is started that finds itself overtaken.
 */
export function isBehind(entry: Waiting, other: Waiting): boolean {
  return entry.unit === other.unit && Number(entry.run.id) < Number(other.run.id)
}

export type Claim = {
  readonly at: Date
  /** The attempt that the run is in. */
  readonly attempt: number
  /** Nothing was heard of the start before. */
  readonly isLost: boolean
}

/** Notes that a promotion is about to be started again; nothing where the board has it no more as it was seen. */
export function claimed(board: Board, seen: Waiting, { at, attempt, isLost }: Claim): Board | undefined {
  return changed(board, seen, {
    ...seen,
    resumes: (seen.resumes ?? 0) + 1,
    started: { at: at.toISOString(), attempt },
    ...(isLost && { lost: (seen.lost ?? 0) + 1 }),
  })
}

/** Notes that a promotion is not started again by itself, and why; a new commit takes its place. */
export function ended(board: Board, seen: Waiting, why: string): Board | undefined {
  const { started: _started, lost: _lost, ...rest } = seen
  const { since } = seen
  return changed(board, seen, { ...rest, gates: [{ gate: 'order', is: 'held', why, since }] })
}

function changed(board: Board, seen: Waiting, wanted: Waiting): Board | undefined {
  const index = board.waiting.findIndex((each) => isSame(each, seen))
  return index === -1 ? undefined : { ...board, waiting: board.waiting.with(index, wanted) }
}

function isSame(one: Waiting, other: Waiting): boolean {
  const { unit, commit, run, started } = one
  return (
    unit === other.unit &&
    commit === other.commit &&
    run.id === other.run.id &&
    run.attempt === other.run.attempt &&
    started?.at === other.started?.at &&
    started?.attempt === other.started?.attempt
  )
}

/**
 * The job of a promotion among those of its run, by its name: `services (checkout) / prod` and `environments / dev` in the
 * catalog's own workflows, with the caller's names before that in a service's repository. Where names do not tell, it is the only
 * one of its stage that did not end well.
 */
export function jobOf<Job extends { readonly name: string; readonly conclusion?: string }>(
  { unit, stage, run }: Pick<Waiting, 'unit' | 'stage' | 'run'>,
  jobs: readonly Job[],
): Job | undefined {
  const exact = jobs.find(({ name }) => name === run.job)
  if (exact !== undefined) return exact
  const [service = ''] = unit.split('/')
  const parts = jobs.map((job) => ({ job, path: job.name.split(' / ') }))
  const inStage = parts.filter(({ path }) => path.at(-1) === stage)
  if (inStage.length === 1) return inStage[0]?.job
  const own = inStage.filter(({ path }) => {
    const caller = path.at(-2) ?? ''
    return service === 'environment' ? caller === 'environments' : caller.endsWith(`(${service})`)
  })
  if (own.length === 1) return own[0]?.job
  const failed = inStage.filter(({ job }) => job.conclusion === 'failure' || job.conclusion === 'cancelled')
  return failed.length === 1 ? failed[0]?.job : undefined
}

/** How the key of the deployment of a promotion on GitHub begins: what is deployed in one go, and the stage. */
export function keyOf({ unit, stage }: Pick<Waiting, 'unit' | 'stage'>): string {
  const [service = ''] = unit.split('/')
  return `${service === 'environment' ? unit : service}/${stage}`
}

// What a lost runner could not say

/** What GitHub says of the job of a stage, in the order in which the stages come. */
export type StageJob = {
  readonly stage: string
  readonly result: string
  /** How Protium says that it ended; empty if it did not come to say it. */
  readonly exit: string
}

/**
 * The jobs that were cut off: they have said nothing of their own, or that they were stopped before their end. What is `stopped`
 * was somebody's wish; of the others the runner was lost or taken away, or a step before the deployment failed.
 */
export function wordless(jobs: readonly StageJob[]): readonly Wordless[] {
  return jobs.flatMap(({ stage, result, exit }): Wordless[] => {
    if (result === 'failure' && (exit === '' || exit === 'unfinished')) return [{ stage, is: 'lost' }]
    return result === 'cancelled' && exit === '' ? [{ stage, is: 'stopped' }] : []
  })
}

export type Wordless = { readonly stage: string; readonly is: 'lost' | 'stopped' }

/** What is told of a lost runner: the words are other ones in each attempt, so that they can be counted. */
export function lostWords(attempt: number): string {
  return `Attempt ${attempt} was cut off: its runner was lost or stopped, or a step before it failed.`
}

/** Of statuses of a deployment, how many tell of a lost runner in another attempt than this. */
export function lostBefore(descriptions: readonly string[], attempt: number): number {
  const told = descriptions.filter((each) => /^Attempt \d+ was cut off/u.test(each))
  return new Set(told.filter((each) => each !== lostWords(attempt))).size
}

/** `needs` of a job as JSON: `{"dev":{"result":"failure","outputs":{"exit":""}}}`; nothing where it is something else. */
export function readNeeds(text: string): readonly StageJob[] | undefined {
  const data = parsed(text)
  if (typeof data !== 'object' || data === null) return undefined
  return Object.entries(data).map(([stage, job]: [string, unknown]) => ({
    stage,
    result: wordAt(job, 'result'),
    exit: wordAt(at(job, 'outputs'), 'exit'),
  }))
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function at(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, key) ? Reflect.get(value, key) : undefined
}

function wordAt(value: unknown, key: string): string {
  const found = at(value, key)
  return typeof found === 'string' ? found : ''
}
