/**
 * How fast pull requests are opened. GitHub lets an App make so much content in an hour and in a minute, does not say how much is left,
 * and may ban who goes on in spite of a no. So what was made is remembered from run to run, what GitHub allows is learned from its
 * noes, and each no is answered by stopping. It is data: times are milliseconds since 1970.
 *
 * https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api#about-secondary-rate-limits
 */
export type Pacer = {
  /** When pull requests were opened, of the last hour, the oldest first. */
  readonly made: readonly number[]
  /** How many may be opened in an hour and in a minute, as far as is known. */
  readonly hourly: number
  readonly minutely: number
  /** Nothing is written until then. */
  readonly heldUntil?: number
  /** How often GitHub has said no since it last took something. */
  readonly noes: number
  /** When a limit was last lowered or raised. */
  readonly learnedAt?: number
}

/** `stop`: it takes so long that another run goes on. */
export type PaceTurn =
  | { readonly is: 'go' }
  | { readonly is: 'wait'; readonly milliseconds: number }
  | { readonly is: 'stop'; readonly until: number }

const minute = 60_000
const hour = 60 * minute
const day = 24 * hour

/** Below the 500 an hour and 80 a minute that GitHub speaks of: what people do on its pages counts too. */
const most = { hourly: 480, minutely: 60 } as const

/** What GitHub speaks of. */
const documented = 500

/** What takes longer is for another run. */
const longestWait = 10 * minute

export const newPacer: Pacer = { made: [], ...most, noes: 0 }

/** Whether something may be written now. `pending` are pull requests that are about to be opened and are not yet counted. */
export function paceAt(
  pacer: Pacer,
  { kind, pending = 0, now }: { readonly kind: 'content' | 'other'; readonly pending?: number; readonly now: number },
): PaceTurn {
  const held = Math.max(0, (pacer.heldUntil ?? 0) - now)
  return turnAfter(kind === 'other' ? held : Math.max(held, roomIn(pacer, pending, now)), now)
}

/** How long until one more may be opened. */
function roomIn({ made, hourly, minutely }: Pacer, pending: number, now: number): number {
  const waitFor = (span: number, cap: number): number => {
    const own = made.filter((at) => at > now - span)
    // The one whose leaving makes room; what is pending is as good as made now.
    const last = own.length + pending - cap
    if (last < 0) return 0
    return last < own.length ? (own[last] ?? now) + span - now : span
  }
  return Math.max(waitFor(hour, hourly), waitFor(minute, minutely))
}

function turnAfter(milliseconds: number, now: number): PaceTurn {
  if (milliseconds <= 0) return { is: 'go' }
  return milliseconds > longestWait ? { is: 'stop', until: now + milliseconds } : { is: 'wait', milliseconds }
}

/**
 * The pacer for a run that has so many to open. Where all that GitHub speaks of saves a tenth of the hours, as it does for a thousand,
 * it is used; for more it is not worth a no, and neither is it once GitHub has said one.
 */
export function paceFor(pacer: Pacer, left: number): Pacer {
  if (pacer.learnedAt !== undefined || left <= most.hourly) return pacer
  const [hours, fewest] = [Math.ceil(left / most.hourly), Math.ceil(left / documented)]
  return (hours - fewest) * 10 > hours ? { ...pacer, hourly: documented } : { ...pacer, hourly: most.hourly }
}

/** A pull request was opened. After a day without a no a twentieth more is tried, up to what it began with. */
export function afterOpening(pacer: Pacer, now: number): Pacer {
  const { heldUntil: _, ...rest } = pacer
  const made = [...pacer.made.filter((at) => at > now - hour), now]
  const isClean = pacer.learnedAt !== undefined && now - pacer.learnedAt >= day
  const raised = (cap: number, top: number): number => Math.min(top, Math.max(cap + 1, Math.floor(cap * 1.05)))
  if (!isClean) return { ...rest, made, noes: 0 }
  return {
    ...rest,
    made,
    noes: 0,
    hourly: raised(pacer.hourly, most.hourly),
    minutely: raised(pacer.minutely, most.minutely),
    learnedAt: now,
  }
}

/**
 * GitHub has said no; `seconds` is how long it said to wait. A twentieth less than what it took before is what it is taken to allow, and
 * nothing is written before there is room again.
 */
export function afterNo(
  pacer: Pacer,
  { seconds, now }: { readonly seconds: number | undefined; readonly now: number },
): { readonly pacer: Pacer; readonly turn: PaceTurn } {
  const made = pacer.made.filter((at) => at > now - hour)
  const recent = made.filter((at) => at > now - minute)
  const noes = pacer.noes + 1
  const isMinute = isOfMinute(made, recent.length, now)
  const lowered = (count: number): number => Math.max(1, Math.floor(count * 0.95))
  const [first] = isMinute ? recent : made
  const untilRoom = first === undefined ? 0 : first + (isMinute ? minute : hour) - now
  // Where it was asked for little and says no all the same, it is asked more and more seldom.
  const patience = minute * 2 ** Math.min(noes - 1, 6)
  const wait = Math.max((seconds ?? 0) * 1000, untilRoom, patience)
  const learned: Partial<Pacer> = isMinute
    ? { minutely: Math.min(pacer.minutely, lowered(recent.length)) }
    : made.length > 0
      ? { hourly: Math.min(pacer.hourly, lowered(made.length)) }
      : {}
  const next = { ...pacer, ...learned, made, noes, learnedAt: now, heldUntil: now + wait }
  return { pacer: next, turn: turnAfter(wait, now) }
}

/**
 * Whether it was the last minute that was too much: as much in a minute has not passed before in this hour. Otherwise it was the hour.
 */
function isOfMinute(made: readonly number[], recent: number, now: number): boolean {
  if (recent === 0) return false
  const before = made.filter((at) => at <= now - minute)
  let [busiest, start] = [0, 0]
  for (const [index, at] of before.entries()) {
    while ((before[start] ?? at) <= at - minute) start += 1
    busiest = Math.max(busiest, index - start + 1)
  }
  // The windows do not begin where GitHub's do.
  return recent > busiest * 1.1 + 1
}

/** The least that is known of both, where another run has written what it knows meanwhile. */
export function mergedPacer(a: Pacer, b: Pacer): Pacer {
  const held = Math.max(a.heldUntil ?? 0, b.heldUntil ?? 0)
  const learned = Math.max(a.learnedAt ?? 0, b.learnedAt ?? 0)
  return {
    made: [...new Set([...a.made, ...b.made])].toSorted((x, y) => x - y),
    hourly: Math.min(a.hourly, b.hourly),
    minutely: Math.min(a.minutely, b.minutely),
    noes: Math.max(a.noes, b.noes),
    ...(held > 0 && { heldUntil: held }),
    ...(learned > 0 && { learnedAt: learned }),
  }
}
