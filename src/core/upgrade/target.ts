import type { ReleaseStatus } from '../release/status.ts'
import { compareVersions, parseVersion } from '../version.ts'
import { branchOf, readBranchName } from './metadata.ts'
import type { Answer, Consumer, NoTarget, Target } from './model.ts'

/** A version of a template, as far as it is offered. */
export type Offer = {
  readonly version: string
  /** Drafts and what was taken back are never offered; what is deprecated is, to those on its own major. */
  readonly is: ReleaseStatus['is']
  /** It mends a hole: windows, waves and caps do not hold it up. */
  readonly isUrgent?: true
}

/** A branch of a consumer, and where it is to lead. */
export type Track = { readonly branch: string; readonly major: number; readonly target: Target }

/**
 * The tracks of a consumer, the one within its major first: at most one within, and one to the next major, in the order of majors; and
 * what is left of others, by the branches that were seen.
 */
export function tracksOf(
  consumer: Consumer,
  {
    offers,
    recommended,
    answers,
    branches,
  }: {
    /** Of its template; nothing where the catalog has no such template. */
    readonly offers: readonly Offer[] | undefined
    readonly recommended?: string
    /** Of this consumer. */
    readonly answers: readonly Answer[]
    /** The names of its branches that there are, or of pull requests that are open. */
    readonly branches: readonly string[]
  },
): readonly Track[] {
  const major = parseVersion(consumer.version)?.major ?? 0
  const track = (of: number, target: Target): Track => ({ branch: branchOf(consumer, of), major: of, target })
  const own: Track[] = []
  const why = closedWhy(consumer, { offers, answers })
  if (why !== undefined || offers === undefined) own.push(track(major, { is: 'none', why: why ?? 'moved' }))
  else {
    const ways = { offers, recommended, answers }
    const retracted = offers.filter(({ is }) => is === 'yanked').map(({ version }) => version)
    const knowing = <T extends Target>(target: T): T =>
      target.is === 'move' && retracted.length > 0 ? { ...target, retracted } : target
    const within = knowing(withinMajor(consumer, ways))
    own.push(track(within.is === 'move' ? (parseVersion(within.to)?.major ?? major) : major, within))
    const next = nextMajor(consumer, ways)
    if (next !== undefined) own.push(track(parseVersion(next.to)?.major ?? major, knowing(next)))
  }
  const left = branches
    .filter((branch) => !own.some((each) => each.branch === branch))
    .flatMap((branch) => {
      const read = readBranchName(branch)
      if (read === undefined || branchOf(consumer, read.major) !== branch) return []
      const target = {
        is: 'none',
        why: why ?? leftWhy(read.major, { major, wishes: consumer.wishes, answers, offers }),
      } as const
      return [{ branch, major: read.major, target }]
    })
  return [...own, ...left]
}

type Ways = {
  readonly offers: readonly Offer[]
  readonly recommended: string | undefined
  readonly answers: readonly Answer[]
}

/** What holds for all tracks. */
function closedWhy(
  { wishes }: Consumer,
  { offers, answers }: { readonly offers: readonly Offer[] | undefined; readonly answers: readonly Answer[] },
): 'off' | 'declined' | 'moved' | undefined {
  if (wishes.off === true) return 'off'
  if (offers === undefined) return 'moved'
  return answers.some(({ width }) => width === 'never') ? 'declined' : undefined
}

function leftWhy(
  branch: number,
  {
    major,
    wishes,
    answers,
    offers = [],
  }: {
    readonly major: number
    readonly wishes: Consumer['wishes']
    readonly answers: readonly Answer[]
    readonly offers?: readonly Offer[] | undefined
  },
): NoTarget {
  if (branch <= major) return 'other-major'
  if (wishes.majorOff === true) return 'off'
  const own = answers.filter(({ version }) => majorOf(version) === branch)
  if (own.some(({ width }) => width === 'later')) return 'later'
  if (own.length > 0) return 'declined'
  const isGone = offers.filter(({ version }) => majorOf(version) === branch).every(({ is }) => !isOfferable(is))
  return isGone ? 'retracted' : 'other-major'
}

function withinMajor(consumer: Consumer, { offers, recommended, answers }: Ways): Target {
  const { version } = consumer
  const major = majorOf(version)
  const runs = offers.find((each) => each.version === version)
  const own = offers.filter((each) => majorOf(each.version) === major)
  const higher = own.filter((each) => compareVersions(each.version, version) > 0)
  const offered = higher.filter((each) => isOfferable(each.is) && isRecommended(each.version, recommended))
  const open = offered.filter((each) => !isDeclined(each.version, answers))
  const best = highest(open)
  if (best !== undefined) {
    const isUrgent = runs?.is === 'yanked' || open.some((each) => each.isUrgent === true)
    return { is: 'move', to: best.version, way: 'forward', isUrgent }
  }
  if (offered.length > 0) return { is: 'none', why: laterOr(major, answers) }
  if (runs?.is === 'yanked') return wayBack(version, { offers, answers })
  return { is: 'none', why: higher.some(({ is }) => is === 'yanked') ? 'retracted' : 'newest' }
}

/** From a version that was withdrawn, where nothing newer is good: the highest one below, of its own major if there is one. */
function wayBack(version: string, { offers, answers }: Omit<Ways, 'recommended'>): Target {
  const below = offers.filter((each) => compareVersions(each.version, version) < 0 && isOfferable(each.is))
  const best = highest(below)
  if (best === undefined) return { is: 'none', why: 'retracted' }
  const isRefused = answers.some(
    (answer) => answer.version === best.version && compareVersions(answer.from, answer.version) > 0,
  )
  return isRefused ? { is: 'none', why: 'declined' } : { is: 'move', to: best.version, way: 'back', isUrgent: true }
}

/**
 * The next major: the lowest above with anything to offer. One that is deprecated already is passed over, if there is a higher one
 * that is not.
 */
function nextMajor(
  { version, wishes }: Consumer,
  { offers, recommended, answers }: Ways,
): Extract<Target, { is: 'move' }> | undefined {
  if (wishes.majorOff === true) return undefined
  const above = offers.filter(
    (each) =>
      majorOf(each.version) > majorOf(version) && isOfferable(each.is) && isRecommended(each.version, recommended),
  )
  const supported = above.filter(({ is }) => is === 'supported')
  const majors = (supported.length > 0 ? supported : above).map((each) => majorOf(each.version))
  const next = Math.min(...majors)
  const own = above.filter((each) => majorOf(each.version) === next && !isDeclined(each.version, answers))
  const best = highest(own)
  return best === undefined
    ? undefined
    : { is: 'move', to: best.version, way: 'forward', isUrgent: own.some(({ isUrgent }) => isUrgent === true) }
}

/** A version is declined with all below it: who does not want 2.3.0 is not asked about 2.2.9 instead. */
function isDeclined(version: string, answers: readonly Answer[]): boolean {
  return answers.some((answer) => {
    if (majorOf(answer.version) !== majorOf(version)) return false
    if (answer.width === 'major' || answer.width === 'later') return true
    // Who did not want to go back to a version may still come to it from below.
    return compareVersions(answer.from, answer.version) < 0 && compareVersions(version, answer.version) <= 0
  })
}

function laterOr(major: number, answers: readonly Answer[]): 'later' | 'declined' {
  const own = answers.filter(({ version }) => majorOf(version) === major)
  return own.some(({ width }) => width === 'later') && own.every(({ width }) => width === 'later')
    ? 'later'
    : 'declined'
}

/** Nothing above what the template recommends is offered. */
function isRecommended(version: string, recommended: string | undefined): boolean {
  if (recommended === undefined) return true
  return majorOf(version) < majorOf(recommended) || compareVersions(version, recommended) <= 0
}

function isOfferable(is: Offer['is']): boolean {
  return is === 'supported' || is === 'deprecated'
}

function highest(offers: readonly Offer[]): Offer | undefined {
  return offers.toSorted((a, b) => compareVersions(a.version, b.version)).at(-1)
}

function majorOf(version: string): number {
  return parseVersion(version)?.major ?? 0
}
