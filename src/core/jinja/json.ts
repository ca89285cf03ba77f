/** Python's `json.dumps(value, sort_keys=True, indent=…)`, as Jinja2's `tojson` calls it. */
import { asText, sortedBy } from './objects.ts'
import { bigText, deepest, floatText, typeName, undefinedError } from './text.ts'
import { Dict, Float, JinjaError, Tuple, Undefined } from './values.ts'
import type { Runtime, Value } from './values.ts'

/** The JSON text; `indent` is what one level is indented by, absent for one line. All of it is ASCII. */
export function jsonText(value: Value, runtime: Runtime, indent?: string): string {
  return new JsonWriter(runtime, indent).run(value)
}

class JsonWriter {
  #text = ''
  readonly #runtime: Runtime
  readonly #indent: string | undefined
  readonly #open = new Set<object>()

  constructor(runtime: Runtime, indent: string | undefined) {
    this.#runtime = runtime
    this.#indent = indent
  }

  run(value: Value): string {
    this.#write(value, 0)
    return this.#text
  }

  #add(text: string): void {
    this.#runtime.size(this.#text.length + text.length)
    this.#text += text
  }

  #write(value: Value, depth: number): void {
    this.#runtime.spend(1)
    const scalar = scalarText(value)
    if (scalar !== undefined) this.#add(scalar)
    else if (Array.isArray(value)) this.#list(value, value, depth)
    else if (value instanceof Tuple) this.#list(value, value.items, depth)
    else if (value instanceof Dict) this.#dict(value, depth)
    else throw new JinjaError('TypeError', `Object of type ${typeName(value)} is not JSON serializable`)
  }

  #enter(container: object, depth: number): void {
    if (this.#open.has(container)) throw new JinjaError('ValueError', 'Circular reference detected')
    if (depth > deepest) throw new JinjaError('Limit', 'the value is nested too deeply for JSON')
    this.#open.add(container)
  }

  /** What stands before an element, or before the closing bracket. */
  #line(depth: number): string {
    return this.#indent === undefined ? '' : `\n${this.#indent.repeat(depth)}`
  }

  #list(container: object, items: readonly Value[], depth: number): void {
    if (items.length === 0) return this.#add('[]')
    this.#enter(container, depth)
    const separator = this.#indent === undefined ? ', ' : ','
    for (const [index, item] of items.entries()) {
      this.#add((index === 0 ? '[' : separator) + this.#line(depth + 1))
      this.#write(item, depth + 1)
    }
    this.#add(`${this.#line(depth)}]`)
    this.#open.delete(container)
  }

  #dict(dict: Dict, depth: number): void {
    if (dict.size === 0) return this.#add('{}')
    this.#enter(dict, depth)
    const separator = this.#indent === undefined ? ', ' : ','
    const entries = sortedBy([...dict.entries()], (entry) => entry[0], { reverse: false, runtime: this.#runtime })
    for (const [index, [key, item]] of entries.entries()) {
      this.#add((index === 0 ? '{' : separator) + this.#line(depth + 1))
      this.#add(`${keyText(key)}: `)
      this.#write(item, depth + 1)
    }
    this.#add(`${this.#line(depth)}}`)
    this.#open.delete(dict)
  }
}

function scalarText(value: Value): string | undefined {
  if (value === null) return 'null'
  if (typeof value === 'boolean') return value ? 'true' : 'false'
  if (typeof value === 'number') return String(value)
  if (typeof value === 'bigint') return bigText(value)
  if (value instanceof Float) return jsonFloat(value.value)
  const text = asText(value)
  return text === undefined ? undefined : quoted(text)
}

function jsonFloat(value: number): string {
  if (Number.isNaN(value)) return 'NaN'
  return Number.isFinite(value) ? floatText(value) : value > 0 ? 'Infinity' : '-Infinity'
}

function keyText(key: Value): string {
  const text = asText(key)
  if (text !== undefined) return quoted(text)
  const scalar = scalarText(key)
  if (scalar !== undefined) return `"${scalar}"`
  throw new JinjaError('TypeError', `keys must be str, int, float, bool or None, not ${typeName(key)}`)
}

function quoted(text: string): string {
  return JSON.stringify(text).replace(
    /[\x7f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

/** The number of spaces, or the text, that `indent` asks for. */
export function indentOf(indent: Value, runtime: Runtime): string | undefined {
  if (indent === null) return undefined
  const text = asText(indent)
  if (text !== undefined) return text
  if (typeof indent === 'number' || typeof indent === 'boolean') {
    runtime.size(Number(indent))
    return ' '.repeat(Math.max(0, Number(indent)))
  }
  if (indent instanceof Undefined) throw undefinedError(indent)
  throw new JinjaError('TypeError', `can't multiply sequence by non-int of type '${typeName(indent)}'`)
}
