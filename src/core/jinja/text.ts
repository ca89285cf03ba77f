/** Python's `str()` and `repr()` of the values, and the words that its messages use for them. */
import { characters, isPrintable } from './characters.ts'
import {
  Aligned,
  Callable,
  Dict,
  DictView,
  Float,
  Iter,
  JinjaError,
  Markup,
  Namespace,
  Range,
  Slice,
  Thing,
  Tuple,
  Undefined,
} from './values.ts'
import type { Runtime, Value } from './values.ts'

/** A text is bounded even where no runtime is given: 16 Mi characters. */
const longest = 1 << 24

/** How deep lists and dicts may lie in each other; Python's own bound on recursion is about as deep. */
export const deepest = 400

/**
 * What `{{ value }}` prints: Python's `str()`. Throws for an undefined value, and for what Python prints with an address in
 * memory (a generator, a method): the result would not be the same twice.
 */
export function toText(value: Value, runtime?: Runtime): string {
  switch (typeof value) {
    case 'string':
      return value
    case 'number':
      return String(value)
    case 'boolean':
      return value ? 'True' : 'False'
    case 'bigint':
      return bigText(value)
    default:
      if (value === null) return 'None'
      if (value instanceof Float) return floatText(value.value)
      if (value instanceof Markup) return value.text
      if (value instanceof Undefined) {
        if (value.lenient) return ''
        throw undefinedError(value)
      }
      if (value instanceof Aligned) return value.lines.join('\n')
      if (value instanceof Thing && value.text !== undefined) return value.text()
      return repr(value, runtime)
  }
}

/** Python's `repr()`. */
export function repr(value: Value, runtime?: Runtime): string {
  if (typeof value === 'string') return quote(value)
  if (typeof value === 'number') return String(value)
  const writer = new Writer(runtime)
  writer.write(value, 0)
  return writer.text
}

class Writer {
  text = ''
  readonly #runtime: Runtime | undefined
  /** The containers that are being written, to find one within itself. */
  readonly #open = new Set<object>()

  constructor(runtime: Runtime | undefined) {
    this.#runtime = runtime
  }

  #add(text: string): void {
    const length = this.text.length + text.length
    if (this.#runtime !== undefined) this.#runtime.size(length)
    else if (length > longest) throw new JinjaError('Limit', 'the text of a value is too long')
    this.text += text
  }

  write(value: Value, depth: number): void {
    if (value === null || typeof value !== 'object') this.#add(typeof value === 'string' ? quote(value) : toText(value))
    else if (Array.isArray(value)) this.#list('[', value, ']', value, depth)
    else if (value instanceof Dict) this.#dict(value, depth)
    else if (value instanceof Tuple) this.#tuple(value, depth)
    else if (value instanceof Float) this.#add(floatText(value.value))
    else if (value instanceof Markup) this.#add(`Markup(${quote(value.text)})`)
    else if (value instanceof Undefined) this.#add('Undefined')
    else if (value instanceof Range) {
      this.#add(`range(${value.start}, ${value.stop}${value.step === 1 ? '' : `, ${value.step}`})`)
    } else if (value instanceof Slice) {
      this.#list('slice(', [value.start, value.stop, value.step], ')', value, depth)
    } else if (value instanceof DictView) {
      this.#list(`dict_${value.kind}([`, viewed(value), '])', value.dict, depth)
    } else if (value instanceof Namespace) {
      this.#add('<Namespace ')
      this.#dict(new Dict(value.attributes), depth)
      this.#add('>')
    } else if (value instanceof Aligned) this.#add(quote(value.lines.join('\n')))
    else this.#other(value)
  }

  #other(value: Callable | Iter | Thing): void {
    if (value instanceof Callable && value.text !== undefined) return this.#add(value.text)
    const shown = value instanceof Thing ? (value.shown ?? value.text?.()) : undefined
    if (shown !== undefined) return this.#add(shown)
    if (value instanceof Iter) {
      throw new JinjaError(
        'SecurityError',
        `a ${value.type} has no text that is the same each time; turn it into a list first, with "| list"`,
      )
    }
    const what = value instanceof Callable ? `the function "${value.name}"` : `a ${value.type} object`
    throw new JinjaError(
      'SecurityError',
      `${what} has no text that is the same each time${value instanceof Callable ? '; call it, with "()"' : ''}`,
    )
  }

  #enter(container: object, depth: number): boolean {
    if (depth > deepest) throw new JinjaError('Limit', 'the value is nested too deeply to be printed')
    this.#runtime?.spend(1)
    if (this.#open.has(container)) return false
    this.#open.add(container)
    return true
  }

  #list(start: string, items: Iterable<Value>, end: string, container: object, depth: number): void {
    if (!this.#enter(container, depth)) return this.#add(Array.isArray(container) ? '[...]' : '...')
    this.#add(start)
    let first = true
    for (const item of items) {
      if (!first) this.#add(', ')
      first = false
      this.write(item, depth + 1)
    }
    this.#add(end)
    this.#open.delete(container)
  }

  #tuple(value: Tuple, depth: number): void {
    if (!this.#enter(value, depth)) return this.#add('(...)')
    this.#open.delete(value)
    this.#list('(', value.items, value.items.length === 1 ? ',)' : ')', value, depth)
  }

  #dict(value: Dict, depth: number): void {
    if (!this.#enter(value, depth)) return this.#add('{...}')
    this.#add('{')
    let first = true
    for (const [key, item] of value.entries()) {
      if (!first) this.#add(', ')
      first = false
      this.write(key, depth + 1)
      this.#add(': ')
      this.write(item, depth + 1)
    }
    this.#add('}')
    this.#open.delete(value)
  }
}

/** The elements that a view shows. */
export function* viewed(view: DictView): IterableIterator<Value> {
  if (view.kind === 'keys') yield* view.dict.keys()
  else if (view.kind === 'values') yield* view.dict.values()
  else for (const [key, value] of view.dict.entries()) yield new Tuple([key, value])
}

const plain = /^[\x20-\x26\x28-\x5b\x5d-\x7e]*$/

/** Python's `repr()` of a string: single quotes, unless it has single quotes and no double ones. */
export function quote(text: string): string {
  if (plain.test(text)) return `'${text}'`
  const mark = text.includes("'") && !text.includes('"') ? '"' : "'"
  let quoted = mark
  for (const character of characters(text)) {
    if (character === mark || character === '\\') quoted += `\\${character}`
    else if (character === '\n') quoted += '\\n'
    else if (character === '\r') quoted += '\\r'
    else if (character === '\t') quoted += '\\t'
    else if (isPrintable(character)) quoted += character
    else quoted += escaped(character.codePointAt(0) ?? 0)
  }
  return quoted + mark
}

/** `\x1f`, `\u200b` or `\U0001f600`, whichever is the shortest that holds the code point. */
export function escaped(point: number): string {
  const hex = point.toString(16)
  if (point < 0x100) return `\\x${hex.padStart(2, '0')}`
  return point < 0x10000 ? `\\u${hex.padStart(4, '0')}` : `\\U${hex.padStart(8, '0')}`
}

/** Python's `repr()` of a float: the shortest digits that read back as the same number. */
export function floatText(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf'
  const size = Math.abs(value)
  if (size < 1e16 && size >= 1e-4) return Number.isInteger(value) ? `${value}.0` : String(value)
  if (size === 0) return Object.is(value, -0) ? '-0.0' : '0.0'
  const [digits = '', exponent = ''] = value.toExponential().split('e')
  return `${digits}e${exponent.charAt(0)}${exponent.slice(1).padStart(2, '0')}`
}

/** Python refuses to write more digits than this (sys.int_info.default_max_str_digits). */
const mostDigits = 4300

export function bigText(value: bigint): string {
  // Base 16 is quick; only a number that is short in it is written in base 10, which is not.
  const tooLong = value.toString(16).length > mostDigits
  const text = tooLong ? '' : value.toString()
  if (tooLong || text.length - (value < 0n ? 1 : 0) > mostDigits) {
    throw new JinjaError(
      'ValueError',
      'Exceeds the limit (4300 digits) for integer string conversion; ' +
        'use sys.set_int_max_str_digits() to increase the limit',
    )
  }
  return text
}

/** Python's name of the type of a value: `str`, `NoneType`, `builtin_function_or_method`. */
export function typeName(value: Value): string {
  const name = qualifiedType(value)
  return name.slice(name.lastIndexOf('.') + 1)
}

/** The type with its module, where it is not one of Python's built-in types: `jinja2.utils.Namespace`. */
function qualifiedType(value: Value): string {
  if (value === null) return 'NoneType'
  switch (typeof value) {
    case 'string':
      return 'str'
    case 'number':
    case 'bigint':
      return 'int'
    case 'boolean':
      return 'bool'
    default:
      if (Array.isArray(value)) return 'list'
      if (value instanceof Dict) return 'dict'
      if (value instanceof Float) return 'float'
      if (value instanceof Markup) return 'markupsafe.Markup'
      if (value instanceof Range) return 'range'
      if (value instanceof Slice) return 'slice'
      if (value instanceof DictView) return `dict_${value.kind}`
      if (value instanceof Undefined)
        return value.lenient ? 'jinja2.runtime.Undefined' : 'jinja2.runtime.StrictUndefined'
      if (value instanceof Namespace) return 'jinja2.utils.Namespace'
      if (value instanceof Aligned) return 'str'
      return value.type
  }
}

/** Jinja2's way to speak of a value in messages: `dict object`, `None`, `jinja2.utils.Namespace object`. */
export function objectType(value: Value): string {
  return value === null ? 'None' : `${qualifiedType(value)} object`
}

/** Jinja2's message for an undefined value. */
export function undefinedMessage(value: Undefined): string {
  if (value.hint !== undefined) return value.hint
  if (value.owner === undefined) return `${repr(value.name)} is undefined`
  const owner = objectType(value.owner.value)
  if (typeof value.name !== 'string') return `${owner} has no element ${repr(value.name)}`
  return `${quote(owner)} has no attribute ${quote(value.name)}`
}

/** The error that using an undefined value is. */
export function undefinedError(value: Undefined): JinjaError {
  return new JinjaError(value.kind, undefinedMessage(value), value)
}
