/**
 * The difference of two texts, line by line: the fewest lines that have to go and to come (E. W. Myers, "An O(ND)
 * Difference Algorithm and Its Variations", 1986), as `diff -u` shows it.
 */

import { line, lines } from './encode.ts'
import { type Paint, plain } from './report.ts'

/** A line of a difference: in both texts, in the first alone, in the second alone, or about the texts. */
export type DiffLine = { readonly is: 'same' | 'old' | 'new' | 'hunk' | 'note'; readonly text: string }

/**
 * The hunks of a unified difference with `context` lines around each change, or nothing for equal texts. The lines have no
 * sign in front; a hunk's line is `@@ -1,4 +1,5 @@`. Texts that have hardly a line in common are shown as one replaced
 * by the other.
 */
export function diffText(
  before: string,
  after: string,
  { context = 3 }: { readonly context?: number } = {},
): readonly DiffLine[] {
  if (before === after) return []
  const edits = editsOf(linesOf(before), linesOf(after))
  const changed = edits.flatMap(({ is }, index) => (is === 'same' ? [] : [index]))
  const shown: DiffLine[] = []
  let old = 1
  let fresh = 1
  let at = 0
  while (changed.length > 0) {
    const from = Math.max((changed[0] ?? 0) - context, at)
    let last = changed.shift() ?? 0
    while ((changed[0] ?? Infinity) <= last + 2 * context) last = changed.shift() ?? last
    const skipped = edits.slice(at, from)
    old += skipped.length
    fresh += skipped.length
    const hunk = edits.slice(from, last + 1 + context)
    const count = (leave: 'old' | 'new'): number => hunk.filter(({ is }) => is !== leave).length
    shown.push({ is: 'hunk', text: `@@ -${range(old, count('new'))} +${range(fresh, count('old'))} @@` })
    for (const { is, text } of hunk) {
      shown.push({ is, text: text.endsWith('\n') ? text.slice(0, -1) : text })
      if (!text.endsWith('\n')) shown.push({ is: 'note', text: '\\ No newline at end of file' })
    }
    old += count('new')
    fresh += count('old')
    at = from + hunk.length
  }
  return shown
}

function range(start: number, length: number): string {
  // As `diff -u`: a length of one is left out, and an empty range stands behind the line before it.
  return length === 1 ? String(start) : `${length === 0 ? start - 1 : start},${length}`
}

/** Lines with their ends, so that a missing end of line at the end of a text is a difference. */
function linesOf(text: string): string[] {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? []
}

type Edit = { readonly is: 'same' | 'old' | 'new'; readonly text: string }

/** So many lines may differ; the work and the memory grow with the square. */
const mostEdits = 2000

function editsOf(before: readonly string[], after: readonly string[]): Edit[] {
  let start = 0
  while (start < before.length && start < after.length && before[start] === after[start]) start += 1
  let end = 0
  while (
    end < before.length - start &&
    end < after.length - start &&
    before[before.length - 1 - end] === after[after.length - 1 - end]
  ) {
    end += 1
  }
  const same = (lines: readonly string[]): Edit[] => lines.map((text) => ({ is: 'same', text }))
  const old = before.slice(start, before.length - end)
  const fresh = after.slice(start, after.length - end)
  return [
    ...same(before.slice(0, start)),
    ...(shortest(old, fresh) ?? [
      ...old.map((text): Edit => ({ is: 'old', text })),
      ...fresh.map((text): Edit => ({ is: 'new', text })),
    ]),
    ...same(before.slice(before.length - end)),
  ]
}

/** The shortest way from one to the other; nothing if it has more steps than are looked for. */
function shortest(old: readonly string[], fresh: readonly string[]): Edit[] | undefined {
  /** For each diagonal the furthest line of `old` that so many steps reach; one map a number of steps. */
  const furthest: Map<number, number>[] = []
  let reached = new Map([[1, 0]])
  for (let steps = 0; steps <= Math.min(mostEdits, old.length + fresh.length); steps += 1) {
    const next = new Map<number, number>()
    for (let diagonal = -steps; diagonal <= steps; diagonal += 2) {
      let x = isDown(reached, { diagonal, steps }) ? at(reached, diagonal + 1) : at(reached, diagonal - 1) + 1
      while (x < old.length && x - diagonal < fresh.length && old[x] === fresh[x - diagonal]) x += 1
      next.set(diagonal, x)
      if (x >= old.length && x - diagonal >= fresh.length) return traced([...furthest, reached], { old, fresh })
    }
    furthest.push(reached)
    reached = next
  }
  return undefined
}

function at(reached: ReadonlyMap<number, number>, diagonal: number): number {
  return reached.get(diagonal) ?? -1
}

/** Whether the furthest way to a diagonal comes from the one above it: by a line of the new text. */
function isDown(
  reached: ReadonlyMap<number, number>,
  { diagonal, steps }: { readonly diagonal: number; readonly steps: number },
): boolean {
  return diagonal === -steps || (diagonal !== steps && at(reached, diagonal - 1) < at(reached, diagonal + 1))
}

/** Walks back from the ends of both texts. */
function traced(
  furthest: readonly ReadonlyMap<number, number>[],
  { old, fresh }: { readonly old: readonly string[]; readonly fresh: readonly string[] },
): Edit[] {
  const edits: Edit[] = []
  let x = old.length
  let y = fresh.length
  for (let steps = furthest.length - 1; steps >= 0; steps -= 1) {
    const reached = furthest[steps] ?? new Map<number, number>()
    const diagonal = x - y
    const down = isDown(reached, { diagonal, steps })
    const from = down ? diagonal + 1 : diagonal - 1
    const startX = steps === 0 ? 0 : at(reached, from)
    const startY = steps === 0 ? 0 : startX - from
    while (x > startX && y > startY) {
      x -= 1
      y -= 1
      edits.push({ is: 'same', text: old[x] ?? '' })
    }
    if (steps === 0) break
    edits.push(down ? { is: 'new', text: fresh[startY] ?? '' } : { is: 'old', text: old[startX] ?? '' })
    x = startX
    y = startY
  }
  return edits.toReversed()
}

/** A difference as it is read in a terminal or a log, under a heading with both names; empty for none. */
export function diffShown(
  diff: readonly DiffLine[],
  { before, after, paint = plain }: { readonly before: string; readonly after: string; readonly paint?: Paint },
): string {
  if (diff.length === 0) return ''
  const dress = {
    same: (text: string) => ` ${text}`,
    old: (text: string) => paint.bad(`-${text}`),
    new: (text: string) => paint.good(`+${text}`),
    hunk: paint.accent,
    note: paint.dim,
  } satisfies Record<DiffLine['is'], (text: string) => string>
  const heading = [paint.bold(`--- ${line(before)}`), paint.bold(`+++ ${line(after)}`)]
  return [...heading, ...diff.map(({ is, text }) => dress[is](lines(text)))].join('\n')
}
