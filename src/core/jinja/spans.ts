/**
 * Where rendered text came from.
 *
 * While a template is rendered with spans, each piece of the text is noted with the node that wrote it, the references
 * that took part in its value, and the conditions around it. A reference is followed through `set`, loops, macros and
 * filters to the variable of the context that it began with: inside `{% for i in service_instances %}`, `i.inputs.port` is
 * noted as `service_instances[0].inputs.port`.
 */
import type { Place } from '../problem.ts'
import { lineStarts } from './lexer.ts'
import type { Call, Rendering, Site } from './rendering.ts'
import { Dict, DictView, Markup, Tuple } from './values.ts'
import type { Namespace, Value } from './values.ts'

/** What is known of a value that a variable holds. */
export type Mark = {
  /** The reference that the value is, if it is nothing but one. */
  readonly path?: string | undefined
  /** The references that the value was made from. */
  readonly references?: readonly string[] | undefined
  /** The pieces of the text that the value is, if it was rendered. */
  readonly captured?: Captured | undefined
  /** The reference whose method gave the value: of `x.items()`, `x`. */
  readonly calledOn?: string | undefined
  /** The marks of the elements of a pair, for a loop over a map's items. */
  readonly pair?: readonly Mark[] | undefined
}

export type Captured = { readonly text: string; readonly pieces: readonly Piece[] }

/** The conditions and loops around a piece, innermost first. */
export type Guard = { readonly site: Site; readonly references: readonly string[]; readonly outer: Guard | undefined }

/** A piece of text: from `start` until the next piece begins. */
export type Piece = {
  readonly start: number
  readonly site: Site
  /** Text of the template is the same character by character; the value of an expression is not. */
  readonly literal: boolean
  /** How many blanks were put before it; they are not in the template. */
  readonly blanks?: number
  readonly references: readonly string[]
  readonly guard: Guard | undefined
  readonly stack: Call | undefined
}

const none: readonly string[] = []

/** Follows one rendering. */
export class Tracer {
  pieces: Piece[] = []
  guard: Guard | undefined = undefined
  /** The references of the expression that is being evaluated. */
  references = new Set<string>()
  /** The reference that the value just looked up is. */
  path: string | undefined = undefined
  /** The text that was rendered last by a macro or read from a block set. */
  captured: Captured | undefined = undefined
  /** The mark of the expression that was observed last. */
  mark: Mark | undefined = undefined
  /** The reference whose method was called last. */
  calledOn: string | undefined = undefined
  /** The marks of the attributes of namespaces. */
  readonly spaces = new WeakMap<Namespace, Map<string, Mark | undefined>>()
  /** The marks of the arguments of the macro that is being called. */
  passed: Passed | undefined = undefined

  /** An expression is about to be evaluated; gives the references of the one around it. */
  begin(): Set<string> {
    const before = this.references
    this.references = new Set()
    this.path = undefined
    this.captured = undefined
    this.calledOn = undefined
    return before
  }

  /** The value just looked up is used: its reference counts. */
  commit(): void {
    if (this.path !== undefined) {
      this.references.add(this.path)
      this.path = undefined
    }
  }

  /** The value of a variable is used. */
  follow(mark: Mark | undefined): void {
    this.path = mark?.path
    for (const reference of mark?.references ?? none) this.references.add(reference)
    if (mark?.captured !== undefined) this.captured = mark.captured
  }

  /** A value with this mark is used where it cannot be followed further. */
  use(mark: Mark | undefined): void {
    if (mark?.path !== undefined) this.references.add(mark.path)
    for (const reference of mark?.references ?? none) this.references.add(reference)
  }

  /** An attribute of a namespace is used. */
  followAttribute(space: Namespace, name: string): void {
    this.follow(this.spaces.get(space)?.get(name))
  }

  note(start: number, site: Site, stack: Call | undefined, literal: boolean): void {
    const references = literal || this.references.size === 0 ? none : [...this.references]
    this.pieces.push({ start, site, literal, references, guard: this.guard, stack })
  }

  /** The pieces of a text that was rendered elsewhere, now written at `start`. */
  splice(captured: Captured, start: number): void {
    for (const piece of captured.pieces) this.pieces.push({ ...piece, start: piece.start + start })
  }

  /** Notes a value that was made from captured text and is now written. */
  noteFiltered(rendering: Rendering, site: Site, captured: Captured | undefined, value: Value): void {
    const text = value instanceof Markup ? value.text : value
    const known = placed(this.captured, text) ?? placed(captured, text)
    if (known !== undefined) this.splice(known, rendering.text.length)
    else this.note(rendering.text.length, site, rendering.stack, false)
  }

  /** Splices the text that was rendered last. */
  spliceLast(start: number): void {
    if (this.captured !== undefined) this.splice(this.captured, start)
  }

  /** The mark of the text that was rendered last. */
  takeCaptured(): Mark {
    return { captured: this.captured, references: [...this.references] }
  }

  setAttribute(space: Namespace, name: string, mark: Mark | undefined): void {
    const marks = this.spaces.get(space) ?? new Map<string, Mark | undefined>()
    marks.set(name, mark)
    this.spaces.set(space, marks)
  }

  noteCaptured(captured: Captured): void {
    this.captured = captured
    for (const piece of captured.pieces) for (const reference of piece.references) this.references.add(reference)
  }
}

/** The pieces of a captured text, if the value is that text or the same lines with other blanks around them. */
export function placed(captured: Captured | undefined, value: Value): Captured | undefined {
  if (captured === undefined || typeof value !== 'string') return undefined
  return captured.text === value ? captured : realigned(captured, value)
}

export type Passed = {
  readonly positional: readonly (Mark | undefined)[]
  readonly keyword: ReadonlyMap<string, Mark | undefined>
}

/** What a loop variable is known to be. */
export function markOfItem(
  mark: Mark | undefined,
  of: { readonly value: Value; readonly item: Value; readonly index: number },
): Mark | undefined {
  if (mark === undefined) return undefined
  const { value, item, index } = of
  if (value instanceof DictView && mark.calledOn !== undefined) {
    if (value.kind === 'items' && item instanceof Tuple) {
      const [key] = item.items
      const references = [mark.calledOn]
      const path = typeof key === 'string' || typeof key === 'number' ? mark.calledOn + step(key) : undefined
      return { references, pair: [{ references }, path === undefined ? { references } : { path }] }
    }
    return { references: [mark.calledOn] }
  }
  if (mark.path === undefined) return { references: mark.references }
  if (value instanceof Dict) return { references: [mark.path] }
  return { path: mark.path + step(index), references: mark.references }
}

export function referencesOf(mark: Mark | undefined): readonly string[] {
  const references = [...(mark?.references ?? [])]
  if (mark?.path !== undefined) references.push(mark.path)
  return references
}

/** A step from a reference into its value: `.name`, `[0]`, `["my key"]`. */
export function step(key: string | number): string {
  if (typeof key === 'number') return `[${key}]`
  return /^[A-Za-z_]\w*$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`
}

/** What a character of a rendered text came from. */
export type Origin = {
  /** Offsets of the piece in the rendered text. */
  readonly start: number
  readonly end: number
  /** The place in the template: exact for text, the beginning of the expression for its value. */
  readonly place: Place
  readonly kind: 'text' | 'expression'
  /** `service_instance.inputs.port`, …: what took part in the value, in the order of use. */
  readonly references: readonly string[]
  /** The `if` and `for` tags around it, innermost first, with the references that they decide by. */
  readonly within: readonly { readonly place: Place; readonly references: readonly string[] }[]
  /** The macro calls and includes that led here, innermost first. */
  readonly through: readonly { readonly place: Place; readonly note: string }[]
}

/** Answers where the characters of a rendered text came from. */
export class Spans {
  readonly #text: string
  readonly #pieces: readonly Piece[]
  readonly #sources: ReadonlyMap<string, readonly number[]>
  #lines: readonly number[] | undefined

  /** `sources` has the offsets of the line starts of each template file. */
  constructor(text: string, pieces: readonly Piece[], sources: ReadonlyMap<string, readonly number[]>) {
    this.#text = text
    this.#pieces = pieces
    this.#sources = sources
  }

  /** Those of a file that was not rendered: each character came from where it stands. */
  static identity(file: string, text: string): Spans {
    const site = { file, line: 1, column: 1, offset: 0 }
    const piece = { start: 0, site, literal: true, references: none, guard: undefined, stack: undefined }
    return new Spans(text, [piece], new Map([[file, lineStarts(text)]]))
  }

  /** Those of texts that were put behind each other, each with `between` before it but the first. */
  static joined(all: readonly Spans[], between: string): Spans {
    const pieces: Piece[] = []
    let length = 0
    for (const [index, spans] of all.entries()) {
      const shift = index === 0 ? 0 : length + between.length
      pieces.push(...spans.#pieces.map((piece) => ({ ...piece, start: piece.start + shift })))
      length = shift + spans.#text.length
    }
    const sources = all.flatMap((spans) => [...spans.#sources])
    return new Spans(all.map((spans) => spans.#text).join(between), pieces, new Map(sources))
  }

  /** The origin of the character at an offset; undefined outside the text. */
  atOffset(offset: number): Origin | undefined {
    const index = lastAtOrBefore(this.#pieces.length, (candidate) => (this.#pieces[candidate]?.start ?? 0) <= offset)
    return offset < 0 || offset >= this.#text.length ? undefined : this.#origin(index, offset)
  }

  /** The origin of the character at a line and column of the rendered text; both count from 1. */
  at(line: number, column: number): Origin | undefined {
    this.#lines ??= lineStarts(this.#text)
    const start = this.#lines[line - 1]
    const next = this.#lines[line]
    if (start === undefined || column < 1) return undefined
    const end = next ?? this.#text.length
    return this.atOffset(Math.min(start + column - 1, Math.max(start, end - 1)))
  }

  /** All pieces in order. */
  *origins(): Iterable<Origin> {
    for (const [index, piece] of this.#pieces.entries()) {
      const origin = this.#origin(index, piece.start)
      if (origin !== undefined && origin.end > origin.start) yield origin
    }
  }

  #origin(index: number, offset: number): Origin | undefined {
    const piece = this.#pieces[index]
    if (piece === undefined) return undefined
    const within: { place: Place; references: readonly string[] }[] = []
    for (let guard = piece.guard; guard !== undefined; guard = guard.outer) {
      within.push({ place: placeOf(guard.site), references: guard.references })
    }
    const through: { place: Place; note: string }[] = []
    for (let call = piece.stack; call !== undefined; call = call.outer) {
      through.push({ place: placeOf(call.site), note: call.note })
    }
    return {
      start: piece.start,
      end: this.#pieces[index + 1]?.start ?? this.#text.length,
      place: piece.literal
        ? this.#inside(piece.site, Math.max(0, offset - piece.start - (piece.blanks ?? 0)))
        : placeOf(piece.site),
      kind: piece.literal ? 'text' : 'expression',
      references: piece.references,
      within,
      through,
    }
  }

  #inside(site: Site, distance: number): Place {
    const starts = this.#sources.get(site.file) ?? [0]
    const offset = site.offset + distance
    const line = lastAtOrBefore(starts.length, (candidate) => (starts[candidate] ?? 0) <= offset)
    return { file: site.file, line: line + 1, column: offset - (starts[line] ?? 0) + 1 }
  }
}

/**
 * The pieces of a text that was indented or trimmed after it was rendered (`| indent(4)`, `| trim`): the same lines with
 * other blanks around them. Undefined if it is not that.
 */
export function realigned(captured: Captured, text: string): Captured | undefined {
  const from = linesOf(captured.text)
  const to = linesOf(text)
  const first = from.findIndex((line) => line.text !== '')
  const target = to.findIndex((line) => line.text !== '')
  const count = from.findLastIndex((line) => line.text !== '') - first
  if (first === -1 || target === -1 || to.findLastIndex((line) => line.text !== '') - target !== count) return undefined
  const pieces: Piece[] = []
  let index = lastAtOrBefore(
    captured.pieces.length,
    (candidate) => (captured.pieces[candidate]?.start ?? 0) <= (from[first]?.start ?? 0),
  )
  for (let line = 0; line <= count; line += 1) {
    const old = from[first + line]
    const now = to[target + line]
    if (old === undefined || now === undefined || old.text !== now.text) return undefined
    const end = from[first + line + 1]?.start ?? captured.text.length
    const limit = to[target + line + 1]?.start ?? text.length
    while ((captured.pieces[index + 1]?.start ?? Number.POSITIVE_INFINITY) <= old.start + old.indent) index += 1
    for (let piece = captured.pieces[index]; piece !== undefined && piece.start < end; piece = captured.pieces[index]) {
      const begin = Math.max(piece.start, old.start + old.indent)
      const place = begin - old.start - old.indent + now.start + now.indent
      const isFirst = begin === old.start + old.indent
      const start = pieces.length === 0 ? 0 : isFirst ? now.start : Math.min(place, limit)
      const site = piece.literal ? { ...piece.site, offset: piece.site.offset + begin - piece.start } : piece.site
      pieces.push({ ...piece, start, blanks: Math.max(0, place - start), site })
      if ((captured.pieces[index + 1]?.start ?? Number.POSITIVE_INFINITY) >= end) break
      index += 1
    }
  }
  return { text, pieces }
}

type Line = { readonly start: number; readonly indent: number; readonly text: string }

function linesOf(text: string): Line[] {
  const lines: Line[] = []
  let start = 0
  for (const line of text.split('\n')) {
    const trimmed = line.trimStart()
    lines.push({ start, indent: line.length - trimmed.length, text: trimmed.trimEnd() })
    start += line.length + 1
  }
  return lines
}

/** The last index for which a condition holds that is true up to some index and false after it; at least 0. */
function lastAtOrBefore(length: number, holds: (index: number) => boolean): number {
  let low = 0
  let high = length - 1
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    if (holds(middle)) low = middle
    else high = middle - 1
  }
  return low
}

export function placeOf(site: Site): Place {
  return { file: site.file, line: site.line, column: site.column }
}
