/** Python's `pprint.pformat` at its usual width of 80, for the `pprint` filter. */
import { lengthOf, splitLines } from './characters.ts'
import { ordered } from './objects.ts'
import { deepest, quote, repr, typeName } from './text.ts'
import { Dict, JinjaError, Tuple } from './values.ts'
import type { Runtime, Value } from './values.ts'

const width = 80

export function prettyText(value: Value, runtime: Runtime): string {
  const printer = new Printer(runtime)
  printer.format(sorted(value, { runtime, open: new Set(), depth: 0 }), { indent: 0, allowance: 0, level: 0 })
  return printer.text
}

type Walk = { readonly runtime: Runtime; readonly open: Set<object>; readonly depth: number }

/** A copy whose dicts have their keys in order: pprint sorts them at every level. */
function sorted(value: Value, walk: Walk): Value {
  const inner = Array.isArray(value) || value instanceof Dict || value instanceof Tuple
  if (!inner) return value
  walk.runtime.spend(1)
  if (walk.open.has(value)) {
    throw new JinjaError('SecurityError', 'a value that contains itself has no text that is the same each time')
  }
  if (walk.depth > deepest) throw new JinjaError('Limit', 'the value is nested too deeply to be printed')
  walk.open.add(value)
  const deeper = { ...walk, depth: walk.depth + 1 }
  const copy = copied(value, deeper)
  walk.open.delete(value)
  return copy
}

function copied(value: Value[] | Dict | Tuple, walk: Walk): Value {
  if (Array.isArray(value)) return value.map((item) => sorted(item, walk))
  if (value instanceof Tuple) {
    // A named tuple has a text of its own, in which pprint changes nothing.
    return value.names === undefined ? new Tuple(value.items.map((item) => sorted(item, walk))) : value
  }
  const { runtime } = walk
  runtime.spend(value.size)
  const entries = [...value.entries()].sort(([a], [b]) => (before(a, b, runtime) ? -1 : before(b, a, runtime) ? 1 : 0))
  return new Dict(entries.map(([key, item]) => [key, sorted(item, walk)]))
}

/** Keys that have no order between them are ordered by their types. */
function before(a: Value, b: Value, runtime: Runtime): boolean {
  try {
    return ordered('<', a, b, runtime)
  } catch (error) {
    if (!(error instanceof JinjaError) || error.kind !== 'TypeError') throw error
    return typeName(a) < typeName(b)
  }
}

type Spot = { readonly indent: number; readonly allowance: number; readonly level: number }

class Printer {
  text = ''
  readonly #runtime: Runtime

  constructor(runtime: Runtime) {
    this.#runtime = runtime
  }

  #add(text: string): void {
    this.#runtime.size(this.text.length + text.length)
    this.text += text
  }

  format(value: Value, spot: Spot): void {
    const plain = repr(value, this.#runtime)
    this.#runtime.spend(1 + (plain.length >> 4))
    if (lengthOf(plain) <= width - spot.indent - spot.allowance) return this.#add(plain)
    const inner = { ...spot, level: spot.level + 1 }
    if (value instanceof Dict) return this.#dict(value, inner)
    if (Array.isArray(value)) return this.#items(value, ['[', ']'], inner)
    if (value instanceof Tuple && value.names === undefined) {
      return this.#items(value.items, ['(', value.items.length === 1 ? ',)' : ')'], inner)
    }
    if (typeof value === 'string') return this.#string(value, inner)
    return this.#add(plain)
  }

  #items(items: readonly Value[], brackets: readonly [string, string], spot: Spot): void {
    const indent = spot.indent + 1
    this.#add(brackets[0])
    for (const [index, item] of items.entries()) {
      if (index > 0) this.#add(`,\n${' '.repeat(indent)}`)
      const last = index === items.length - 1
      this.format(item, { indent, allowance: last ? spot.allowance + brackets[1].length : 1, level: spot.level })
    }
    this.#add(brackets[1])
  }

  #dict(dict: Dict, spot: Spot): void {
    const indent = spot.indent + 1
    this.#add('{')
    let index = 0
    for (const [key, item] of dict.entries()) {
      if (index > 0) this.#add(`,\n${' '.repeat(indent)}`)
      index += 1
      const name = repr(key, this.#runtime)
      this.#add(`${name}: `)
      const allowance = index === dict.size ? spot.allowance + 1 : 1
      this.format(item, { indent: indent + lengthOf(name) + 2, allowance, level: spot.level })
    }
    this.#add('}')
  }

  /** A long string is written in pieces, which end after white space. */
  #string(text: string, spot: Spot): void {
    const outer = spot.level === 1
    const indent = spot.indent + (outer ? 1 : 0)
    const allowance = spot.allowance + (outer ? 1 : 0)
    const room = width - indent
    const chunks: string[] = []
    const lines = splitLines(text, { keepEnds: true })
    for (const [index, line] of lines.entries()) {
      const last = index === lines.length - 1
      const whole = quote(line)
      if (lengthOf(whole) <= room - (last ? allowance : 0)) chunks.push(whole)
      else chunks.push(...pieces(line, room, last ? allowance : 0))
    }
    this.#runtime.spend(chunks.length)
    const text80 = chunks.join(`\n${' '.repeat(indent)}`)
    this.#add(outer && chunks.length > 1 ? `(${text80})` : text80)
  }
}

/** Python's white space; JavaScript's has other control characters, and the mark of the byte order. */
const blanks = '\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000'
const wordsAndBlanks = new RegExp(`[^${blanks}]+[${blanks}]*|[${blanks}]+`, 'gu')

function pieces(line: string, room: number, allowance: number): string[] {
  const parts = line.match(wordsAndBlanks) ?? []
  const chunks: string[] = []
  let current = ''
  for (const [index, part] of parts.entries()) {
    const most = room - (index === parts.length - 1 ? allowance : 0)
    if (lengthOf(quote(current + part)) > most) {
      if (current !== '') chunks.push(quote(current))
      current = part
    } else current += part
  }
  if (current !== '') chunks.push(quote(current))
  return chunks
}
