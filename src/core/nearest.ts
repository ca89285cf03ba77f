import { compareText } from './canonical.ts'

/** Words longer than this are compared by prefix and containment alone, so that the work stays small for any input. */
const LONGEST = 64

/**
 * The candidate that a person most likely meant by `word`, or nothing when none is near enough to be of help.
 *
 * Near is: the same but for case and separators; a few slips of the keyboard apart (one a three letters; a letter added,
 * left out, changed, or two neighbours swapped); or one the whole beginning or a whole word of the other (`prod` for
 * `production`, `cpu` for `task_cpu`). Of equally near ones the first by code point is taken, so the answer is stable.
 */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  let best: { readonly candidate: string; readonly far: number } | undefined
  for (const candidate of candidates) {
    const far = distance(word, candidate)
    if (far === undefined) continue
    if (best === undefined || far < best.far || (far === best.far && compareText(candidate, best.candidate) < 0)) {
      best = { candidate, far }
    }
  }
  return best?.candidate
}

/** A sentence with a leading space for the end of a message, ` Did you mean "port"?`; empty when nothing is near. */
export function didYouMean(word: string, candidates: Iterable<string>): string {
  const candidate = nearest(word, candidates)
  return candidate === undefined ? '' : ` Did you mean "${candidate}"?`
}

/** How far apart two words are; undefined when they have nothing to do with each other. */
function distance(word: string, candidate: string): number | undefined {
  if (word === candidate) return 0
  const a = plain(word)
  const b = plain(candidate)
  if (a === b) return 0.5
  if (a === '' || b === '') return undefined
  const most = Math.max(1, Math.floor(Math.min(a.length, b.length) / 3))
  const slips = a.length > LONGEST || b.length > LONGEST ? undefined : edits(a, b, most)
  // Two letters that differ in one are different words, not a slip.
  if (slips !== undefined && Math.min(a.length, b.length) > 2) return slips
  return contains(word, candidate) ? most + 1 + Math.abs(a.length - b.length) / 1000 : undefined
}

/** Whether the shorter word is the beginning of the longer, or one or more of its whole words. */
function contains(word: string, candidate: string): boolean {
  const [short, long] = [words(word), words(candidate)].sort((a, b) => a.length - b.length)
  if (short === undefined || long === undefined || short.length < 4) return false
  return (short.length > 4 && long.startsWith(short.slice(0, -1))) || long.includes(short)
}

/** `taskCpu`, `task_cpu` and `task-cpu` are `-task-cpu-`. */
function words(word: string): string {
  return `-${word
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1-$2')
    .replaceAll(/[-_.\s]+/g, '-')
    .toLowerCase()}-`
}

function plain(word: string): string {
  return word.replaceAll(/[-_.\s]+/g, '').toLowerCase()
}

/** The Damerau-Levenshtein distance (optimal string alignment) if it is at most `most`. */
function edits(a: string, b: string, most: number): number | undefined {
  if (Math.abs(a.length - b.length) > most) return undefined
  let before: number[] = []
  let above = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let row = 1; row <= a.length; row += 1) {
    const line = [row]
    let least = row
    for (let column = 1; column <= b.length; column += 1) {
      const changed = a[row - 1] === b[column - 1] ? 0 : 1
      let cost = Math.min(at(above, column) + 1, at(line, column - 1) + 1, at(above, column - 1) + changed)
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]
      if (swapped) cost = Math.min(cost, at(before, column - 2) + 1)
      line.push(cost)
      least = Math.min(least, cost)
    }
    if (least > most + 1) return undefined
    before = above
    above = line
  }
  const total = at(above, b.length)
  return total <= most ? total : undefined
}

function at(line: readonly number[], column: number): number {
  return line[column] ?? Number.POSITIVE_INFINITY
}
