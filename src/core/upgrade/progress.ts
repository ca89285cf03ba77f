import type { Halt, Limit, Upgrades } from '../catalog/upgrades.ts'
import { count, list } from '../report.ts'
import type { Standing } from './model.ts'
import type { Deployed, Member, Rollout } from './state.ts'

/**
 * How far a rollout has come: whether the next wave may begin, and whether it has to stop. It is judged from what was seen of its members
 * and from the time alone, so that who reads the issue finds what was decided.
 */

export function beginRollout({ template, version }: Pick<Rollout, 'template' | 'version'>, now: Date): Rollout {
  return { template, version, began: now.toISOString(), is: 'running', waves: [now.toISOString()], members: [] }
}

/** What the members of a wave have come to. */
export type Tally = {
  readonly all: number
  /** Those who were, are or will be asked: all but those whom it does not touch, or who want or can have none. */
  readonly asked: number
  readonly opened: number
  readonly merged: number
  /** It was deployed, and has not failed last for its sake. */
  readonly well: number
  /** It has been so for as long as the gate asks. */
  readonly soaked: number
  /** The last deployment of a stage failed, and nothing else explains it. */
  readonly failed: readonly Member[]
  /** The checks fail, and did not before. */
  readonly failing: readonly Member[]
  readonly reverted: readonly Member[]
  readonly declined: readonly Member[]
}

/** Who is not asked, whatever becomes of the rest. */
const untouched: readonly Standing[] = [
  'compatible',
  'current',
  'off',
  'impossible',
  'unreachable',
  'closed',
  'declined',
  'reverted',
]

export function tallyOf(
  members: readonly Member[],
  { soak, now }: { readonly soak: number; readonly now: Date },
): Tally {
  const asked = members.filter(({ standing, merged }) => merged !== undefined || !untouched.includes(standing))
  const well = members.filter((member) => member.merged !== undefined && isWell(member))
  return {
    all: members.length,
    asked: asked.length,
    opened: members.filter(({ pullRequest }) => pullRequest !== undefined).length,
    merged: members.filter(({ merged, standing }) => merged !== undefined && standing !== 'reverted').length,
    well: well.length,
    soaked: well.filter((member) => wellSince(member) + soak * 1000 <= now.getTime()).length,
    failed: members.filter(hasFailed),
    failing: members.filter((each) => each.wasRed !== true && stands(each, 'failing')),
    reverted: members.filter((each) => stands(each, 'reverted')),
    declined: members.filter((each) => stands(each, 'declined')),
  }
}

/**
 * Whether a failure is this release's: the service worked before, it was this release that was being deployed, and nobody has looked at
 * it and found otherwise.
 */
export function hasFailed(member: Member): boolean {
  return member.wasRed !== true && member.deployments.some((each) => each.is === 'failed' && !isExcused(each, member))
}

/** Whether it stands so because of this release, and nobody has looked at that yet. */
function stands({ standing, pullRequest, since, excused }: Member, as: Standing): boolean {
  const isLooked = excused !== undefined && Date.parse(since) <= Date.parse(excused)
  return standing === as && pullRequest !== undefined && !isLooked
}

function isExcused({ at }: Deployed, { excused }: Member): boolean {
  return excused !== undefined && Date.parse(at) <= Date.parse(excused)
}

function isWell(member: Member): boolean {
  return member.deployments.some(({ is }) => is === 'ok') && !hasFailed(member)
}

/** Since when a stage has had it, the first that did. */
function wellSince({ deployments }: Member): number {
  return Math.min(...deployments.filter(({ is }) => is === 'ok').map(({ at }) => Date.parse(at)))
}

// The gate

export type WaveGateState =
  | { readonly is: 'open' }
  /** What is still missing: sentences. */
  | { readonly is: 'shut'; readonly missing: readonly string[]; readonly isStale: boolean }

/** Whether what has to be so before the next wave is so, of the wave that began last and those before. */
export function waveGate(
  rollout: Rollout,
  { gate, now }: { readonly gate: Upgrades['gate']; readonly now: Date },
): WaveGateState {
  const last = rollout.waves.length - 1
  const own = rollout.members.filter(({ wave }) => wave <= last)
  const tally = tallyOf(
    own.filter(({ wave }) => wave === last),
    { soak: gate.soak, now },
  )
  const so = tallyOf(own, { soak: gate.soak, now })
  // Nobody is there to wait for.
  if (tally.asked === 0) return { is: 'open' }
  const wanted = Math.max(1, Math.ceil((tally.asked * gate.merged) / 100))
  const least = Math.min(gate.least, so.asked)
  const tried = so.well + so.failed.length
  const good = tried === 0 ? 0 : (so.well * 100) / tried
  const missing = [
    ...(tally.merged < wanted
      ? [`${tally.merged} of ${tally.asked} in this wave have merged it; ${wanted} are to.`]
      : []),
    ...(so.well < least ? [`It was deployed well by ${so.well}; ${least} are to.`] : []),
    ...(tally.merged >= wanted && tally.soaked < wanted
      ? [`It has run for ${words(gate.soak)} with ${tally.soaked} of them; ${wanted} are to.`]
      : []),
    ...(tried > 0 && good < gate.deployed
      ? [`${so.well} of ${tried} have deployed it well; ${gate.deployed}% are to.`]
      : []),
  ]
  if (missing.length === 0) return { is: 'open' }
  const began = Date.parse(rollout.waves[last] ?? rollout.began)
  return { is: 'shut', missing, isStale: began + gate.patience * 1000 <= now.getTime() }
}

// Stopping

/** Why a rollout has to stop: sentences; nothing where it may go on. */
export function haltReasons(rollout: Rollout, halt: Halt): readonly string[] {
  const tally = tallyOf(rollout.members, { soak: 0, now: new Date(0) })
  const named = (members: readonly Member[]): string => {
    const names = members.slice(0, 5).map(({ name }) => name)
    return members.length > 5 ? `${names.join(', ')} and ${members.length - 5} more` : list(names)
  }
  const reasons = [
    { members: tally.failed, limit: halt.failed, of: tally.merged, words: 'failed to deploy it' },
    { members: tally.failing, limit: halt.checks, of: tally.opened, words: 'have checks that fail with it' },
    { members: tally.reverted, limit: halt.reverted, of: tally.opened, words: 'have taken it back' },
    { members: tally.declined, limit: halt.declined, of: tally.opened, words: 'have declined it' },
  ]
  return [
    ...reasons.flatMap(({ members, limit, of, words: deed }) =>
      reaches(limit, members.length, of) ? [`${count(members.length, 'service')} ${deed}: ${named(members)}.`] : [],
    ),
    ...sameFaults(rollout.members),
  ]
}

function reaches(limit: Limit, number: number, of: number): boolean {
  return number >= (limit.is === 'count' ? limit.count : Math.max(2, Math.ceil((of * limit.percent) / 100)))
}

/** What does not render for the same reason with three is the template's fault. */
function sameFaults(members: readonly Member[]): readonly string[] {
  const faults = new Map<string, number>()
  for (const { standing, why, excused } of members)
    if (standing === 'impossible' && why !== undefined && excused === undefined)
      faults.set(why, (faults.get(why) ?? 0) + 1)
  const worst = [...faults].filter(([, number]) => number >= 3).toSorted(([, a], [, b]) => b - a)[0]
  return worst === undefined ? [] : [`It cannot be proposed to ${worst[1]} services, all for one reason: ${worst[0]}`]
}

/**
 * The rollout after what was seen: stopped where it has to, with the next wave where the gate is open, done where all waves have begun
 * and nobody is left. `waves` is how many there are.
 */
export function progressed(
  rollout: Rollout,
  {
    upgrades,
    waves,
    now,
  }: { readonly upgrades: Pick<Upgrades, 'gate' | 'halt'>; readonly waves: number; readonly now: Date },
): Rollout {
  if (rollout.is !== 'running') return rollout
  const reasons = haltReasons(rollout, upgrades.halt)
  if (reasons.length > 0) return stopped(rollout, 'halted', { at: now.toISOString(), why: reasons.join(' ') })
  if (rollout.waves.length >= waves) return rollout
  const gate = waveGate(rollout, { gate: upgrades.gate, now })
  if (gate.is === 'shut') return rollout
  const next = { ...rollout, waves: [...rollout.waves, now.toISOString()] }
  // A wave in which nobody is asked does not keep the next one waiting.
  return progressed(next, { upgrades, waves, now })
}

// What people decide

type Said = NonNullable<Rollout['stopped']>

export function stopped(rollout: Rollout, is: 'paused' | 'halted' | 'aborted', said: Said): Rollout {
  return rollout.is === 'aborted' ? rollout : { ...rollout, is, stopped: said }
}

/** It goes on. What has failed until now was looked at, and halts it no more; a release that was taken back stays so. */
export function resumed(
  rollout: Rollout,
  { at, ...said }: { readonly at: string; readonly why?: string; readonly by?: string },
): Rollout {
  if (rollout.is === 'aborted' || rollout.is === 'running') return rollout
  const { stopped: before, ...rest } = rollout
  // What is held while it stood still may have been any of them before.
  const grave: readonly Standing[] = ['failing', 'reverted', 'declined', 'impossible', 'held']
  const members = rollout.members.map((member) =>
    hasFailed(member) || grave.includes(member.standing) ? { ...member, excused: at } : member,
  )
  return { ...rest, is: 'running', resumed: { at, was: before?.why ?? '', ...said }, members }
}

/** The next wave begins whatever the gate says. */
export function advanced(rollout: Rollout, { at, waves }: { readonly at: string; readonly waves: number }): Rollout {
  return rollout.is !== 'running' || rollout.waves.length >= waves
    ? rollout
    : { ...rollout, waves: [...rollout.waves, at] }
}

/** Seconds in words: `24 h`, `30 min`. */
function words(seconds: number): string {
  return seconds % 3600 === 0 ? `${seconds / 3600} h` : `${Math.round(seconds / 60)} min`
}
