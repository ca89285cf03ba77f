import type { Place } from '../problem.ts'
import { parseVersion } from '../version.ts'

/** What a change asks of the number of a version. */
export type Level = 'none' | 'patch' | 'minor' | 'major'

/** One thing that a change does, in a sentence, and what it asks of the number. */
export type Reason = {
  readonly level: Exclude<Level, 'none'>
  readonly what: string
  readonly at?: Place
  /** The path of an input that everybody has to give now. */
  readonly asks?: readonly string[]
}

const order: readonly Level[] = ['none', 'patch', 'minor', 'major']

/** The most that one of the reasons asks. */
export function levelOf(reasons: readonly Pick<Reason, 'level'>[]): Level {
  return order[Math.max(0, ...reasons.map(({ level }) => order.indexOf(level)))] ?? 'none'
}

/** The worst first; those of one level in their order. */
export function worstFirst(reasons: readonly Reason[]): readonly Reason[] {
  return reasons.toSorted((a, b) => order.indexOf(b.level) - order.indexOf(a.level))
}

/** The lowest version that tells the truth, after a released one; the next major is the one above `highest`. */
export function versionAfter(released: string, level: Level, highest: number): string {
  const { major, minor, patch } = parseVersion(released) ?? { major: 0, minor: 0, patch: 0 }
  if (level === 'major') return `${Math.max(major, highest) + 1}.0.0`
  if (level === 'minor') return `${major}.${minor + 1}.0`
  return level === 'patch' ? `${major}.${minor}.${patch + 1}` : released
}

/** What a step from one version to another says of the change. */
export function stepOf(from: string, to: string): Level {
  const [a, b] = [parseVersion(from), parseVersion(to)]
  if (a === undefined || b === undefined) return 'none'
  if (b.major !== a.major) return b.major > a.major ? 'major' : 'none'
  if (b.minor !== a.minor) return b.minor > a.minor ? 'minor' : 'none'
  return b.patch > a.patch ? 'patch' : 'none'
}

export function isEnough(said: Level, needed: Level): boolean {
  return order.indexOf(said) >= order.indexOf(needed)
}
