/** Milliseconds; the least and the most between two looks at an operation, and near its end. */
const pace = { least: 1000, most: 5000, near: 500, nearLooks: 10, share: 0.03 } as const

export type PollState = {
  /** Milliseconds since the operation began. */
  readonly elapsed: number
  /** From 0 to 1, drawn by the caller: many followers do not look at once. */
  readonly random: number
  /** Milliseconds that the last operation of this stack took, if it is known. */
  readonly usual?: number | undefined
  /** Looks in a row at which no resource was under way although the stack is: the end is near. 0 where one is. */
  readonly quiet?: number | undefined
}

/**
 * Milliseconds until the next look at an operation: 3 % of the time that it has taken, one to five seconds, times a jitter of a
 * tenth. Where an earlier operation gives a hint, looks are sparse until four fifths of its time have gone and then close, a
 * second or two apart; where nothing is under way any more, each half second, ten times.
 */
export function pollInterval({ elapsed, random, usual, quiet = 0 }: PollState): number {
  const jitter = 0.9 + 0.2 * random
  if (quiet > 0 && quiet <= pace.nearLooks) return pace.near * jitter
  const own = clamp(elapsed * pace.share, pace.least, pace.most)
  if (usual === undefined || usual <= 0 || elapsed > usual * 1.2) return own * jitter
  const close = usual * 0.8
  if (elapsed >= close) return clamp(usual / 200, pace.least, 2 * pace.least) * jitter
  const sparse = Math.max(own, clamp(usual / 10, pace.least, pace.most)) * jitter
  // Not past the moment from which on it is looked at closely.
  return Math.max(Math.min(sparse, close - elapsed), pace.near)
}

/** Milliseconds until look number `look` (from 0) at a change set that is being made: half a second, then 1.3 times that, to two seconds. */
export function changeSetInterval(look: number): number {
  return Math.min(500 * 1.3 ** Math.min(look, 20), 2000)
}

/**
 * How many requests an account and region take. AWS publishes no figure: about eight to ten reads a second are
 * served, shared with everybody else there, so that the rate is halved when a request is throttled and grows again by half a
 * request a second every ten seconds without.
 */
export type Budget = {
  /** Reads a second, now. */
  readonly rate: number
  readonly reads: Bucket
  readonly writes: Bucket
  /** When the rate was last changed; milliseconds of any clock that does not go back. */
  readonly changed: number
  /** When it was last halved. */
  readonly halved: number | undefined
}

/** Requests that may go at once; less than nothing when some are promised to those who wait. */
type Bucket = { readonly tokens: number; readonly at: number }

const limits = {
  start: 5,
  floor: 1,
  ceil: 8,
  burst: 10,
  writes: 2,
  writeBurst: 2,
  step: 0.5,
  every: 10_000,
  /** Requests that were on their way together are throttled together. */
  together: 500,
} as const

export function newBudget(now: number): Budget {
  return {
    rate: limits.start,
    reads: { tokens: limits.burst, at: now },
    writes: { tokens: limits.writeBurst, at: now },
    changed: now,
    halved: undefined,
  }
}

/** Takes one request out of the budget: the budget after it, and how many milliseconds to wait before sending it. */
export function take(
  before: Budget,
  now: number,
  kind: 'read' | 'write' = 'read',
): { readonly budget: Budget; readonly wait: number } {
  const budget = recovered(before, now)
  const [rate, burst] = kind === 'read' ? [budget.rate, limits.burst] : [writeRate(budget), limits.writeBurst]
  const bucket = kind === 'read' ? budget.reads : budget.writes
  const tokens = Math.min(burst, bucket.tokens + (Math.max(0, now - bucket.at) * rate) / 1000) - 1
  const taken: Bucket = { tokens, at: Math.max(now, bucket.at) }
  const wait = tokens >= 0 ? 0 : (-tokens / rate) * 1000
  return { budget: kind === 'read' ? { ...budget, reads: taken } : { ...budget, writes: taken }, wait }
}

/** A request was throttled: half the rate, and nothing in hand. Several at one moment are one. */
export function throttled(before: Budget, now: number): Budget {
  const budget = recovered(before, now)
  if (budget.halved !== undefined && now - budget.halved < limits.together) return budget
  return {
    rate: Math.max(limits.floor, budget.rate / 2),
    reads: { tokens: Math.min(0, budget.reads.tokens), at: budget.reads.at },
    writes: { tokens: Math.min(0, budget.writes.tokens), at: budget.writes.at },
    changed: now,
    halved: now,
  }
}

/** Mutations are held back with the reads: a throttled account takes neither. */
function writeRate({ rate }: Budget): number {
  return limits.writes * Math.min(1, rate / limits.start)
}

function recovered(budget: Budget, now: number): Budget {
  const steps = Math.floor(Math.max(0, now - budget.changed) / limits.every)
  if (steps === 0) return budget
  return {
    ...budget,
    rate: Math.min(limits.ceil, budget.rate + steps * limits.step),
    changed: budget.changed + steps * limits.every,
  }
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, value))
}
