import { canonicalJson } from './canonical.ts'
import { type Data, type DataMap, isList, isMap } from './data.ts'
import { line as encoded } from './encode.ts'
import type { Origin, Spans } from './jinja/index.ts'
import type { Place } from './problem.ts'
import { excerpt, excerptLines, type Paint, plain, placeText } from './report.ts'

/** Where the value of a reference such as `service_instance.inputs.port` was written. */
export type ReferencePlace = (reference: string) => { readonly at: Place; readonly note: string } | undefined

/** A reference that took part, its value as JSON (shortened), and where the value comes from, as far as that is known. */
export type ReadValue = {
  readonly reference: string
  readonly value: string | null
  readonly at: Place | null
  readonly note: string | null
}

/** Why a line of a rendered text is as it is. */
export type Explanation = {
  /** The line, and the column that was asked for or at which it begins. */
  readonly line: number
  readonly column: number
  readonly text: string
  /** The place in the template that wrote it. */
  readonly place: Place
  readonly reads: readonly ReadValue[]
  /** The `if` and `for` tags around it, innermost first, with what they decide by. */
  readonly within: readonly { readonly place: Place; readonly reads: readonly ReadValue[] }[]
  /** The macros and included files through which it was written, innermost first. */
  readonly through: readonly { readonly place: Place; readonly note: string }[]
}

/**
 * Explains a line of a rendered text: which line of which template wrote it, what was read for it and where that was
 * written. With a column it is only what stands there; without one it is the whole line. Nothing outside of the text.
 */
export function explainLine(
  rendering: {
    readonly text: string
    readonly spans: Spans
    readonly context: DataMap
    readonly whereFrom: ReferencePlace
  },
  at: { readonly line: number; readonly column?: number },
): Explanation | undefined {
  const { text, spans, context, whereFrom } = rendering
  const lines = text.split('\n')
  const own = lines[at.line - 1]
  if (own === undefined) return undefined
  const start = lines.slice(0, at.line - 1).reduce((sum, each) => sum + each.length + 1, 0)
  const column = at.column ?? Math.max(own.search(/\S/), 0) + 1
  const main = spans.at(at.line, column)
  if (main === undefined) return undefined
  const pieces =
    at.column === undefined ? piecesIn(spans, { start: start + column - 1, end: start + own.length }) : [main]
  const read = (references: readonly string[]): ReadValue[] =>
    [...new Set(references)].map((reference) => {
      const value = valueAt(context, reference)
      const written = whereFrom(reference)
      return {
        reference,
        value: value === undefined ? null : shortened(canonicalJson(value)),
        at: written?.at ?? null,
        note: written?.note ?? null,
      }
    })
  return {
    line: at.line,
    column,
    text: own,
    place: main.place,
    reads: read(pieces.flatMap(({ references }) => references)),
    within: distinct(pieces.flatMap(({ within }) => within)).map(({ place, references }) => ({
      place,
      reads: read(references),
    })),
    through: distinct(pieces.flatMap(({ through }) => through)),
  }
}

/** The pieces of a line, or the one at its beginning where the line is empty. */
function piecesIn(spans: Spans, { start, end }: { readonly start: number; readonly end: number }): readonly Origin[] {
  const pieces: Origin[] = []
  for (let offset = start; offset < end || pieces.length === 0;) {
    const piece = spans.atOffset(offset)
    if (piece === undefined) break
    pieces.push(piece)
    offset = piece.end
  }
  return pieces
}

function distinct<T extends { readonly place: Place }>(all: readonly T[]): readonly T[] {
  return [...new Map(all.map((each) => [placeText(each.place), each])).values()]
}

/** The value of `service_instances[0].inputs["my key"]`. */
function valueAt(context: DataMap, reference: string): Data | undefined {
  let value: Data | undefined = context
  for (const [, name, index, quoted] of reference.matchAll(
    /(?:^|\.)([A-Za-z_]\w*)|\[(\d+)\]|\[("(?:[^"\\]|\\.)*")\]/g,
  )) {
    const key = name ?? (quoted === undefined ? undefined : String(JSON.parse(quoted)))
    if (key !== undefined) value = isMap(value) && Object.hasOwn(value, key) ? value[key] : undefined
    else value = isList(value) ? value[Number(index)] : undefined
  }
  return value
}

const longest = 120

function shortened(text: string): string {
  return text.length > longest ? `${text.slice(0, longest - 1)}…` : text
}

/** An explanation as it is read in a terminal. `source` gives the text of a file, where it is known. */
export function explanationText(
  { line, column, text, place, reads, within, through }: Explanation,
  {
    name,
    source,
    paint = plain,
  }: { readonly name: string; readonly source: (file: string) => string | undefined; readonly paint?: Paint },
): string {
  const shown = (at: Place): readonly string[] => excerptLines(at, { source, paint })
  const value = ({ reference, value: is, at, note }: ReadValue): string[] => [
    `  ${paint.accent(encoded(reference))}${is === null ? '' : ` is ${encoded(is)}`}${
      at === null ? '' : `: ${note === null ? '' : `${encoded(note)}, `}${placeText(at)}`
    }`,
    ...(at === null ? [] : shown(at)),
  ]
  return [
    paint.bold(`${encoded(name)}:${line}`),
    ...excerpt({ line, column, text }, paint),
    '',
    `${paint.bold('written by')}  ${placeText(place)}`,
    ...shown(place),
    ...(reads.length === 0 ? [] : ['', paint.bold('from'), ...reads.flatMap(value)]),
    ...within.flatMap((guard) => [
      '',
      `${paint.bold('within')}  ${placeText(guard.place)}`,
      ...shown(guard.place),
      ...guard.reads.flatMap(value),
    ]),
    ...through.flatMap((call) => [
      '',
      `${paint.bold('through')}  ${encoded(call.note)}, ${placeText(call.place)}`,
      ...shown(call.place),
    ]),
  ].join('\n')
}
