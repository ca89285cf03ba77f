import type { Data, Path } from '../data.ts'
import type { Place } from '../problem.ts'

/** What a file says, and where it says it. */
export type Document = {
  readonly file: string
  readonly data: Data
  /** The place of the value at a path; of the nearest value above it where the path leads nowhere. */
  place(path: Path): Place
  /** The place of the key that a path ends with (of an item, in a list); the nearest above it where there is none. */
  keyPlace(path: Path): Place
}

/**
 * Where a value and its key begin, as offsets into the text, and the same for what is inside. Lines and columns are
 * counted only when somebody asks: most documents are read without a problem.
 */
export type Spot = { at: number; key: number; inside: Map<string | number, Spot> | undefined }

/** A document whose spots may be found later, on the first question for a place. */
export function documentOf(file: string, text: string, data: Data, findSpots: () => Spot): Document {
  let root: Spot | undefined
  let lines: Lines | undefined
  function spot(path: Path): Spot {
    root ??= findSpots()
    let found = root
    for (const step of path) {
      const next = found.inside?.get(step)
      if (next === undefined) break
      found = next
    }
    return found
  }
  function place(offset: number): Place {
    lines ??= linesOf(text)
    return placeAt(file, lines, offset)
  }
  return { file, data, place: (path) => place(spot(path).at), keyPlace: (path) => place(spot(path).key) }
}

/** The offset at which each line begins. */
export type Lines = readonly number[]

/** Lines end with a line feed; a carriage return before it belongs to the line. */
export function linesOf(text: string): Lines {
  const starts = [0]
  for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', end + 1)) starts.push(end + 1)
  return starts
}

export function placeAt(file: string, lines: Lines, offset: number): Place {
  let low = 0
  let high = lines.length - 1
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    if ((lines[middle] ?? 0) <= offset) low = middle
    else high = middle - 1
  }
  return { file, line: low + 1, column: offset - (lines[low] ?? 0) + 1 }
}
