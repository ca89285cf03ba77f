import { formOf, linesOf, sameLines, textOf } from './merge/lines.ts'
import { type Region, regionsOf, type Sides } from './merge/regions.ts'
import { isStructured, mergeValues, reads } from './merge/structured.ts'

export type { Sides } from './merge/regions.ts'

/**
 * One file that two have changed since they had it in common: a template from `before` to `after`, its user from `before` to
 * `ours`. What one of them has changed is taken; where both have changed the same lines, ours stays, and it is told.
 *
 * Nothing of ours is lost that the template itself has not taken away, nothing becomes unreadable that was readable, and no
 * marks of a conflict are written into a file: what is merged can run as it is.
 */

/** Lines that both have changed, each in its way: in none of the three texts as in another. */
export type Hunk = Sides & {
  /** The line of the merged text, from 1, where it begins; where that has nothing of it, the line before which it would be. */
  readonly line: number
}

/**
 * `conflict`: the text has in each of the hunks what was to be taken of it, and all else that the template has changed.
 * `too-long`: more lines lie between the first and the last that differ than are compared. `unsure`: lines could be merged, and
 * what comes out is not what either of the two has meant; `why` is the end of a sentence that begins with the file.
 */
export type Merged =
  | { readonly is: 'clean'; readonly text: string }
  | { readonly is: 'conflict'; readonly text: string; readonly hunks: readonly Hunk[] }
  | { readonly is: 'too-long'; readonly lines: number }
  | { readonly is: 'unsure'; readonly why: string }

/** The most lines that are compared: the time it takes grows by the square of them, where many are alike. */
export const mostLines = 1500

type Texts = { readonly before: string; readonly after: string; readonly ours: string }

/**
 * Merges what the template and the user have made of one text. By the end of `path` it is known whether it is JSON or YAML.
 * `take` says which side a hunk gets, where somebody has decided that.
 */
export function mergeText({
  path = '',
  take = () => 'ours',
  ...texts
}: Texts & { readonly path?: string; readonly take?: (hunk: Sides) => 'ours' | 'after' }): Merged {
  const { before, after, ours } = texts
  if (before === after || after === ours) return { is: 'clean', text: ours }
  if (before === ours) return { is: 'clean', text: after }
  const merged = mergeLines(texts, take)
  if (!isStructured(path)) return merged
  // Two maps that get a key each at one place are a conflict of lines and none of values. Lines come first all the same: what
  // the template has written about its keys comes with them.
  const isBroken = merged.is !== 'too-long' && merged.is !== 'unsure' && breaks(path, ours, merged.text)
  if (merged.is === 'clean' && !isBroken) return merged
  const text = mergeValues(path, texts)
  if (text !== undefined) return { is: 'clean', text }
  return isBroken ? { is: 'unsure', why: 'could not be read any more' } : merged
}

function breaks(path: string, ours: string, merged: string): boolean {
  return reads(path, ours) && !reads(path, merged)
}

function mergeLines(texts: Texts, take: (hunk: Sides) => 'ours' | 'after'): Merged {
  const [before, after, ours] = [linesOf(texts.before), linesOf(texts.after), linesOf(texts.ours)]
  const form = formOf({ before, after, ours })
  if (sameLines(before, ours)) return { is: 'clean', text: textOf({ ...form, lines: after.lines }) }
  if (sameLines(before, after)) return { is: 'clean', text: textOf({ ...form, lines: ours.lines }) }
  const sides = [before.lines, after.lines, ours.lines] as const
  const head = commonStart(sides)
  const tail = commonEnd(sides, head)
  const middle = (lines: readonly string[]): string[] => lines.slice(head, lines.length - tail)
  const longest = Math.max(...sides.map((lines) => lines.length - tail - head))
  if (longest > mostLines) return { is: 'too-long', lines: longest }
  const regions = regionsOf({ before: middle(before.lines), after: middle(after.lines), ours: middle(ours.lines) })
  const asked = withMoved(regions, take)
  const merged = ours.lines.slice(0, head)
  const hunks: Hunk[] = []
  for (const { is, ...hunk } of asked) {
    const side = is === 'hunk' ? take(hunk) : is === 'after' ? 'after' : 'ours'
    if (is === 'hunk') hunks.push({ ...hunk, line: merged.length + 1 })
    for (const line of hunk[side]) merged.push(line)
  }
  for (const line of ours.lines.slice(ours.lines.length - tail)) merged.push(line)
  const text = textOf({ ...form, lines: merged })
  return hunks.length === 0 ? { is: 'clean', text } : { is: 'conflict', text, hunks }
}

/**
 * Where the template has moved lines to a place that we have changed too, ours stays there; taking them away from where they
 * were would lose them. So that becomes a hunk as well, unless the other is taken from the template.
 */
function withMoved(regions: readonly Region[], take: (hunk: Sides) => 'ours' | 'after'): readonly Region[] {
  let known = regions
  for (;;) {
    const withheld = new Set<string>()
    for (const { is, ...hunk } of known)
      if (is === 'hunk' && take(hunk) === 'ours') for (const line of missing(hunk.after, hunk.ours)) withheld.add(line)
    const next = known.map((region): Region => {
      const isMoved = region.is === 'after' && missing(region.before, region.after).some((line) => withheld.has(line))
      return isMoved ? { ...region, is: 'hunk' } : region
    })
    if (next.every(({ is }, index) => is === known[index]?.is)) return known
    known = next
  }
}

/** The lines that the first has more often than the second, without those that say nothing, such as `}`. */
function missing(first: readonly string[], second: readonly string[]): readonly string[] {
  const left = new Map<string, number>()
  for (const line of second) left.set(line, (left.get(line) ?? 0) + 1)
  return first.filter((line) => {
    const times = left.get(line) ?? 0
    left.set(line, times - 1)
    return times < 1 && /[\p{L}\p{N}]/u.test(line)
  })
}

type Three = readonly [readonly string[], readonly string[], readonly string[]]

function commonStart([first, ...others]: Three): number {
  const most = Math.min(first.length, ...others.map(({ length }) => length))
  let length = 0
  while (length < most && others.every((lines) => lines[length] === first[length])) length += 1
  return length
}

/** How many lines at the end are the same in all, of those that are not among the first `head`. */
function commonEnd([first, ...others]: Three, head: number): number {
  const most = Math.min(first.length, ...others.map(({ length }) => length)) - head
  let length = 0
  const last = (lines: readonly string[]): string | undefined => lines[lines.length - 1 - length]
  while (length < most && others.every((lines) => last(lines) === last(first))) length += 1
  return length
}
