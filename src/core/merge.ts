import { diff3Merge } from 'node-diff3'

import { formOf, linesOf, lostLines, sameLines, textOf } from './merge/lines.ts'
import { isStructured, mergeValues, reads } from './merge/structured.ts'

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

export type Sides = {
  readonly ours: readonly string[]
  readonly before: readonly string[]
  readonly after: readonly string[]
}

/**
 * `conflict`: the text has in each of the hunks what was to be taken of it, and all else that the template has changed. `too-long`: more lines lie
 * between the first and the last that differ than are compared. `unsure`: the lines could be merged, and what comes out is not
 * what either of the two has meant; `why` is the end of a sentence that begins with the file.
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
  // Two mappings that get a key each at one place are a conflict of lines and none of values.
  const isBroken = merged.is !== 'too-long' && merged.is !== 'unsure' && breaks(path, ours, merged.text)
  if (merged.is === 'clean' && !isBroken) return merged
  const text = mergeValues(path, texts)
  if (text !== undefined && lost(texts, text).length === 0) return { is: 'clean', text }
  return isBroken ? { is: 'unsure', why: 'could not be read any more' } : merged
}

function breaks(path: string, ours: string, merged: string): boolean {
  return reads(path, ours) && !reads(path, merged)
}

function lost({ before, after, ours }: Texts, merged: string): readonly string[] {
  const of = (text: string): readonly string[] => linesOf(text).lines
  return lostLines({ before: of(before), after: of(after), ours: of(ours), merged: of(merged) })
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
  const merged = ours.lines.slice(0, head)
  const hunks: Hunk[] = []
  const givenUp: string[] = []
  for (const { ok = [], conflict } of diff3Merge(middle(ours.lines), middle(before.lines), middle(after.lines))) {
    for (const line of ok) merged.push(line)
    if (conflict === undefined) continue
    const hunk: Sides = { ours: conflict.a, before: conflict.o, after: conflict.b }
    const taken = take(hunk)
    hunks.push({ ...hunk, line: merged.length + 1 })
    for (const line of hunk[taken]) merged.push(line)
    if (taken === 'after') givenUp.push(...hunk.ours)
  }
  for (const line of ours.lines.slice(ours.lines.length - tail)) merged.push(line)
  const kept = [...merged, ...givenUp]
  const missing = lostLines({ before: before.lines, after: after.lines, ours: ours.lines, merged: kept })
  if (missing.length > 0) return { is: 'unsure', why: 'would lose lines that the template has not taken away' }
  const text = textOf({ ...form, lines: merged })
  return hunks.length === 0 ? { is: 'clean', text } : { is: 'conflict', text, hunks }
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
