/** Python's three ways to format: `%`, `str.format`, and the mini-language of format specifications. */
import { characters, lengthOf, sliceOf } from './characters.ts'
import { escapeText } from './markup.ts'
import { asText, findItem, noItem } from './objects.ts'
import { asDouble, asWhole, fixedDigits, leadingDigits, truncated } from './numbers.ts'
import type { Whole } from './numbers.ts'
import { bigText, escaped, floatText, quote, repr, toText, typeName, undefinedError } from './text.ts'
import { Dict, Float, JinjaError, Markup, Range, Tuple, Undefined } from './values.ts'
import type { Kwargs, Runtime, Value } from './values.ts'

/** Widths and precisions are bounded by the runtime; beyond this they are an error in Python, too. */
const widest = 0x7fffffff

function valueError(message: string): JinjaError {
  return new JinjaError('ValueError', message)
}

function typeError(message: string): JinjaError {
  return new JinjaError('TypeError', message)
}

// --- The text of numbers ---------------------------------------------------------------------------------------------

type NumberText = { readonly negative: boolean; readonly whole: string; readonly rest: string }

type FloatStyle = {
  /** `e`, `f` or `g`; `r` is the shortest text. */
  readonly type: 'e' | 'f' | 'g' | 'r'
  readonly precision: number
  /** `#`: keep the point and the zeros. */
  readonly alternate: boolean
  /** Write `.0` where there would be no point. */
  readonly point: boolean
}

function floatParts(value: number, style: FloatStyle): NumberText {
  const negative = value < 0 || Object.is(value, -0)
  const text = Number.isFinite(value) ? finiteText(Math.abs(value), style) : Number.isNaN(value) ? 'nan' : 'inf'
  const digits = /^[0-9]*/.exec(text)?.[0] ?? ''
  const split = Number.isFinite(value) ? digits.length : text.length
  return { negative: negative && !Number.isNaN(value), whole: text.slice(0, split), rest: text.slice(split) }
}

function finiteText(value: number, style: FloatStyle): string {
  const { type, precision, alternate } = style
  if (type === 'f') return fixedDigits(value, precision) + (precision === 0 && alternate ? '.' : '')
  if (type === 'e') return exponentText(value, precision, alternate)
  if (type === 'r') {
    const text = floatText(value)
    if (alternate && !text.includes('.')) return text.replace('e', '.e')
    return style.point || alternate || !text.endsWith('.0') ? text : text.slice(0, -2)
  }
  const count = Math.max(1, precision)
  const { exponent } = leadingDigits(value, count)
  if (exponent < -4 || exponent >= count - (style.point ? 1 : 0)) {
    const text = exponentText(value, count - 1, alternate)
    if (alternate) return text
    const [digits = '', power = ''] = text.split('e')
    return `${withoutZeros(digits)}e${power}`
  }
  const text = fixedDigits(value, count - 1 - exponent)
  if (alternate) return text.includes('.') ? text : `${text}.`
  const short = withoutZeros(text)
  return style.point && !short.includes('.') ? `${short}.0` : short
}

function withoutZeros(text: string): string {
  if (!text.includes('.')) return text
  let end = text.length
  while (text.charAt(end - 1) === '0') end -= 1
  if (text.charAt(end - 1) === '.') end -= 1
  return text.slice(0, end)
}

function exponentText(value: number, precision: number, alternate: boolean): string {
  const { digits, exponent } = leadingDigits(value, precision + 1)
  const tail = digits.slice(1)
  const point = tail !== '' || alternate ? '.' : ''
  const size = String(Math.abs(exponent)).padStart(2, '0')
  return `${digits.charAt(0)}${point}${tail}e${exponent < 0 ? '-' : '+'}${size}`
}

/** The digits of a whole number in base 2, 8, 10 or 16, without a sign. */
function wholeDigits(value: Whole, base: number): string {
  if (typeof value === 'number') return Math.abs(value).toString(base)
  const size = value < 0n ? -value : value
  return base === 10 ? bigText(size) : size.toString(base)
}

// --- % ---------------------------------------------------------------------------------------------------------------

/**
 * `format % values` of Python's strings, `values` is a tuple, or one value,
 * or a mapping for keys. With `escape`, for Markup, the text of each value that is not Markup is escaped.
 */
export function formatPercent(
  format: string,
  values: Value,
  runtime: Runtime,
  options: { readonly escape?: boolean } = {},
): string {
  return new PercentFormat(format, values, runtime, options.escape ?? false).run()
}

class PercentFormat {
  readonly #format: readonly string[]
  readonly #values: Value
  readonly #runtime: Runtime
  readonly #escape: boolean
  #at = 0
  #next = 0
  #keyed: { readonly value: Value } | undefined
  #length = 0

  constructor(format: string, values: Value, runtime: Runtime, escape: boolean) {
    this.#format = characters(format)
    this.#values = values
    this.#runtime = runtime
    this.#escape = escape
  }

  run(): string {
    const parts: string[] = []
    while (this.#at < this.#format.length) {
      const start = this.#at
      while (this.#at < this.#format.length && this.#format[this.#at] !== '%') this.#at += 1
      if (this.#at > start) parts.push(this.#bounded(this.#format.slice(start, this.#at).join('')))
      if (this.#at < this.#format.length) {
        this.#at += 1
        parts.push(this.#bounded(this.#directive()))
      }
    }
    const count = this.#values instanceof Tuple ? this.#values.items.length : 1
    if (this.#next < count && this.#mapping() === undefined) {
      throw typeError('not all arguments converted during string formatting')
    }
    return parts.join('')
  }

  #bounded(text: string): string {
    this.#runtime.spend(1)
    this.#length += text.length
    this.#runtime.size(this.#length)
    return text
  }

  /** What may be asked for keys: everything that has items, but a tuple or a string. */
  #mapping(): Value | undefined {
    const value = this.#values
    const has = value instanceof Dict || Array.isArray(value) || value instanceof Range || value instanceof Undefined
    return has ? value : undefined
  }

  #peek(): string {
    const character = this.#format[this.#at]
    if (character === undefined) throw valueError('incomplete format')
    return character
  }

  #argument(): Value {
    if (this.#keyed !== undefined) {
      const { value } = this.#keyed
      this.#keyed = undefined
      return value
    }
    const list = this.#values instanceof Tuple ? this.#values.items : [this.#values]
    const value = list[this.#next]
    if (value === undefined) throw typeError('not enough arguments for format string')
    this.#next += 1
    return value
  }

  #key(): void {
    const mapping = this.#mapping()
    if (mapping === undefined) throw typeError('format requires a mapping')
    let depth = 1
    const start = this.#at + 1
    for (this.#at = start; ; this.#at += 1) {
      const character = this.#format[this.#at]
      if (character === undefined) throw valueError('incomplete format key')
      if (character === '(') depth += 1
      if (character === ')') depth -= 1
      if (depth === 0) break
    }
    const key = this.#format.slice(start, this.#at).join('')
    this.#at += 1
    const value = findItem(mapping, key)
    if (value === undefined) throw noItem(mapping, key)
    this.#keyed = { value }
    this.#next = 1
  }

  /** `*` or digits; undefined where there is neither. */
  #count(what: string): number | undefined {
    if (this.#format[this.#at] === '*') {
      this.#at += 1
      const value = this.#argument()
      const number = asWhole(value)
      if (number === undefined) throw typeError('* wants int')
      if (number > widest || number < -widest)
        throw new JinjaError('OverflowError', 'Python int too large to convert to C int')
      return Number(number)
    }
    let digits = ''
    while (/^[0-9]$/.test(this.#format[this.#at] ?? '')) {
      digits += this.#format[this.#at] ?? ''
      this.#at += 1
    }
    if (digits === '') return undefined
    if (Number(digits) > widest) throw valueError(`${what} too big`)
    return Number(digits)
  }

  #directive(): string {
    const start = this.#at - 1
    let keyed = false
    if (this.#format[this.#at] === '(') {
      this.#key()
      keyed = true
    }
    const flags = new Set<string>()
    while ('-+ #0'.includes(this.#format[this.#at] ?? 'none')) {
      flags.add(this.#peek())
      this.#at += 1
    }
    let width = this.#count('width') ?? 0
    if (width < 0) {
      flags.add('-')
      width = -width
    }
    let precision: number | undefined
    if (this.#format[this.#at] === '.') {
      this.#at += 1
      precision = Math.max(0, this.#count('precision') ?? 0)
    }
    if ('hlL'.includes(this.#format[this.#at] ?? 'none')) this.#at += 1
    const type = this.#peek()
    this.#at += 1
    if (type === '%' && this.#at - start === 2) return '%'
    this.#runtime.size(Math.max(width, precision ?? 0))
    const value = this.#argument()
    if (!'diuoxXeEfFgGcrsa'.includes(type)) {
      const point = type.codePointAt(0) ?? 0
      const shown = point > 31 && point < 127 ? type : '?'
      throw valueError(`unsupported format character '${shown}' (0x${point.toString(16)}) at index ${this.#at - 1}`)
    }
    if (keyed) this.#keyed = undefined
    const { sign, prefix, text } = this.#converted(type, value, { flags, precision })
    const numeric = !'crsa'.includes(type)
    const room = width - sign.length - prefix.length - lengthOf(text)
    if (room <= 0) return sign + prefix + text
    if (flags.has('-')) return sign + prefix + text + ' '.repeat(room)
    if (numeric && flags.has('0')) return sign + prefix + '0'.repeat(room) + text
    return ' '.repeat(room) + sign + prefix + text
  }

  #converted(
    type: string,
    value: Value,
    how: { readonly flags: ReadonlySet<string>; readonly precision: number | undefined },
  ): { sign: string; prefix: string; text: string } {
    const { flags, precision } = how
    if ('rsac'.includes(type)) {
      const full = type === 'c' ? characterOf(value) : this.#textOf(type, value)
      return {
        sign: '',
        prefix: '',
        text: precision === undefined || type === 'c' ? full : sliceOf(full, 0, Math.min(precision, lengthOf(full))),
      }
    }
    if ('eEfFgG'.includes(type)) {
      const number = asDouble(value)
      if (number === undefined) {
        if (value instanceof Undefined) throw undefinedError(value)
        throw typeError(`must be real number, not ${typeName(value)}`)
      }
      const lower = type.toLowerCase()
      const style = lower === 'e' ? 'e' : lower === 'f' ? 'f' : 'g'
      const parts = floatParts(number, {
        type: style,
        precision: precision ?? 6,
        alternate: flags.has('#'),
        point: false,
      })
      const text = parts.whole + parts.rest
      return { sign: signOf(parts.negative, flags), prefix: '', text: type === lower ? text : text.toUpperCase() }
    }
    const whole = wholeFor(type, value)
    const base = type === 'o' ? 8 : type === 'x' || type === 'X' ? 16 : 10
    const digits = wholeDigits(whole, base).padStart(precision ?? 0, '0')
    const prefix = !flags.has('#') || base === 10 ? '' : base === 8 ? '0o' : '0x'
    const upper = type === 'X'
    return {
      sign: signOf(whole < 0, flags),
      prefix: upper ? prefix.toUpperCase() : prefix,
      text: upper ? digits.toUpperCase() : digits,
    }
  }

  #textOf(type: string, value: Value): string {
    if (value instanceof Markup && this.#escape && type === 's') return value.text
    const plain = type === 's' ? toText(value, this.#runtime) : repr(value, this.#runtime)
    const text = type === 'a' ? asciiText(plain) : plain
    return this.#escape ? escapeText(text) : text
  }
}

function signOf(negative: boolean, flags: ReadonlySet<string>): string {
  return negative ? '-' : flags.has('+') ? '+' : flags.has(' ') ? ' ' : ''
}

/** Python's `ascii()`, given the `repr()`. */
function asciiText(text: string): string {
  return text.replace(/[^\0-\x7f]/gu, (character) => escaped(character.codePointAt(0) ?? 0))
}

function wholeFor(type: string, value: Value): Whole {
  const number = asWhole(value)
  if (number !== undefined) return number
  if (value instanceof Undefined) throw undefinedError(value)
  const decimal = 'diu'.includes(type)
  if (decimal && value instanceof Float) return truncated(value.value)
  throw typeError(`%${type} format: ${decimal ? 'a real number' : 'an integer'} is required, not ${typeName(value)}`)
}

function characterOf(value: Value): string {
  const number = asWhole(value)
  if (number !== undefined) {
    if (number < 0 || number > 0x10ffff) throw new JinjaError('OverflowError', '%c arg not in range(0x110000)')
    return String.fromCodePoint(Number(number))
  }
  const text = asText(value)
  if (text === undefined || lengthOf(text) !== 1) throw typeError('%c requires int or char')
  return text
}

// --- Format specifications -------------------------------------------------------------------------------------------

type Specification = {
  readonly fill: string
  readonly align: string | undefined
  readonly sign: string
  readonly coerceZero: boolean
  readonly alternate: boolean
  readonly width: number
  readonly grouping: '' | ',' | '_'
  readonly precision: number | undefined
  readonly type: string
}

/** Python's `format(value, specification)`. */
export function formatValue(value: Value, specification: string, runtime: Runtime): string {
  const text = asText(value)
  if (text !== undefined) {
    if (specification === '') return text
    return formatText(text, parse(specification, 'str', runtime))
  }
  if (specification === '') return toText(value, runtime)
  if (value instanceof Float) return formatFloat(value.value, parse(specification, 'float', runtime), 'float')
  const whole = asWhole(value)
  if (whole !== undefined) return formatWhole(whole, parse(specification, typeName(value), runtime), typeName(value))
  if (value instanceof Undefined) throw undefinedError(value)
  throw typeError(`unsupported format string passed to ${typeName(value)}.__format__`)
}

function parse(text: string, typeOf: string, runtime: Runtime): Specification {
  const list = characters(text)
  let at = 0
  const isAlign = (character: string | undefined): character is string =>
    character !== undefined && '<>=^'.includes(character)
  let fill: string | undefined
  let align: string | undefined
  if (isAlign(list[1])) {
    fill = list[0]
    align = list[1]
    at = 2
  } else if (isAlign(list[0])) {
    align = list[0]
    at = 1
  }
  const take = (among: string): string => {
    const character = list[at]
    if (character === undefined || !among.includes(character)) return ''
    at += 1
    return character
  }
  const digits = (): number | undefined => {
    let number = ''
    while (/^[0-9]$/.test(list[at] ?? '')) {
      number += list[at] ?? ''
      at += 1
    }
    if (Number(number) > Number.MAX_SAFE_INTEGER) throw valueError('Too many decimal digits in format string')
    return number === '' ? undefined : Number(number)
  }
  const sign = take(' +-')
  const coerceZero = take('z') !== ''
  const alternate = take('#') !== ''
  if (fill === undefined && take('0') !== '') {
    fill = '0'
    if (align === undefined && typeOf !== 'str') align = '='
  }
  const width = digits() ?? 0
  let grouping: '' | ',' | '_' = take(',') === '' ? '' : ','
  if (take('_') !== '') {
    if (grouping !== '') throw valueError("Cannot specify both ',' and '_'.")
    grouping = '_'
  }
  if (take(',') !== '')
    throw valueError(grouping === '_' ? "Cannot specify both ',' and '_'." : "Cannot specify ',' with ','.")
  let precision: number | undefined
  if (take('.') !== '') {
    precision = digits()
    if (precision === undefined) throw valueError('Format specifier missing precision')
  }
  if (list.length - at > 1) throw valueError(`Invalid format specifier '${text}' for object of type '${typeOf}'`)
  const type = list[at] ?? ''
  if (grouping !== '' && !(type === '' || 'deEfFgG%'.includes(type) || (grouping === '_' && 'boxX'.includes(type)))) {
    throw valueError(`Cannot specify '${grouping}' with '${type}'.`)
  }
  if (grouping !== '' && typeOf === 'str' && type === '') throw valueError(`Cannot specify '${grouping}' with 's'.`)
  runtime.size(Math.max(width, precision ?? 0))
  return { fill: fill ?? ' ', align, sign, coerceZero, alternate, width, grouping, precision, type }
}

function unknownCode(type: string, typeOf: string): JinjaError {
  const point = type.codePointAt(0) ?? 0
  const shown = point > 32 && point < 128 ? type : `\\x${point.toString(16)}`
  return valueError(`Unknown format code '${shown}' for object of type '${typeOf}'`)
}

function formatText(text: string, of: Specification): string {
  if (of.type !== '' && of.type !== 's') throw unknownCode(of.type, 'str')
  if (of.sign !== '') {
    throw valueError(`${of.sign === ' ' ? 'Space' : 'Sign'} not allowed in string format specifier`)
  }
  if (of.coerceZero) throw valueError('Negative zero coercion (z) not allowed in string format specifier')
  if (of.alternate) throw valueError('Alternate form (#) not allowed in string format specifier')
  if (of.align === '=') throw valueError("'=' alignment not allowed in string format specifier")
  const length = lengthOf(text)
  const cut = of.precision !== undefined && of.precision < length ? sliceOf(text, 0, of.precision) : text
  return padded({ sign: '', prefix: '', body: cut }, of, '<')
}

function padded(
  parts: { readonly sign: string; readonly prefix: string; readonly body: string },
  of: Specification,
  align: string,
): string {
  const { sign, prefix, body } = parts
  const room = of.width - sign.length - prefix.length - lengthOf(body)
  if (room <= 0) return sign + prefix + body
  const where = of.align ?? align
  if (where === '=') return sign + prefix + of.fill.repeat(room) + body
  const left = where === '<' ? 0 : where === '>' ? room : Math.floor(room / 2)
  return of.fill.repeat(left) + sign + prefix + body + of.fill.repeat(room - left)
}

function formatWhole(value: Whole, of: Specification, typeOf: string): string {
  if (of.type !== '' && 'eEfFgG%'.includes(of.type)) return formatFloat(asDouble(value) ?? 0, of, typeOf)
  if (of.type !== '' && !'bcdoxXn'.includes(of.type)) throw unknownCode(of.type, typeOf)
  if (of.precision !== undefined) throw valueError('Precision not allowed in integer format specifier')
  if (of.coerceZero) throw valueError('Negative zero coercion (z) not allowed in format specifier with integer')
  if (of.type === 'c') {
    if (of.sign !== '') throw valueError("Sign not allowed with integer format specifier 'c'")
    if (of.alternate) throw valueError("Alternate form (#) not allowed with integer format specifier 'c'")
    if (value < 0 || value > 0x10ffff) throw new JinjaError('OverflowError', '%c arg not in range(0x110000)')
    return padded({ sign: '', prefix: '', body: String.fromCodePoint(Number(value)) }, of, '>')
  }
  const base = of.type === 'b' ? 2 : of.type === 'o' ? 8 : of.type === 'x' || of.type === 'X' ? 16 : 10
  const digits = wholeDigits(value, base)
  const prefix = of.alternate && base !== 10 ? `0${of.type}` : ''
  const sign = value < 0 ? '-' : of.sign === '-' ? '' : of.sign
  const body = grouped(digits, of, { size: base === 10 ? 3 : 4, taken: sign.length + prefix.length })
  return padded({ sign, prefix, body: of.type === 'X' ? body.toUpperCase() : body }, of, '>')
}

function formatFloat(given: number, of: Specification, typeOf: string): string {
  if (of.type !== '' && !'eEfFgGn%'.includes(of.type)) throw unknownCode(of.type, typeOf)
  const lower = of.type.toLowerCase()
  const percent = of.type === '%'
  const bare = of.type === ''
  const type = percent || lower === 'f' ? 'f' : lower === 'e' ? 'e' : bare && of.precision === undefined ? 'r' : 'g'
  const parts = floatParts(percent ? given * 100 : given, {
    type,
    precision: of.precision ?? 6,
    alternate: of.alternate,
    point: bare,
  })
  const zero = of.coerceZero && !/[1-9in]/.test(parts.whole + parts.rest)
  const sign = parts.negative && !zero ? '-' : of.sign === '-' ? '' : of.sign
  const rest = parts.rest + (percent ? '%' : '')
  const body = grouped(parts.whole, of, { size: 3, taken: sign.length + rest.length }) + rest
  return padded({ sign, prefix: '', body: of.type === lower ? body : body.toUpperCase() }, of, '>')
}

/** The digits in groups; zeros that fill the width are grouped as well. */
function grouped(digits: string, of: Specification, how: { readonly size: number; readonly taken: number }): string {
  if (of.grouping === '' || !/^[0-9a-f]+$/.test(digits)) return digits
  const fill = of.fill === '0' && of.align === '='
  const least = fill ? of.width - how.taken : 0
  const groups: string[] = []
  let left = digits
  let length = 0
  for (;;) {
    const group = left.slice(-how.size)
    left = left.slice(0, -how.size)
    length += group.length + (groups.length > 0 ? 1 : 0)
    groups.unshift(group)
    if (left !== '') continue
    if (length >= least) break
    const room = Math.min(how.size - group.length, least - length)
    groups[0] = '0'.repeat(room) + group
    length += room
    if (length >= least) break
    // A further group needs a separator and at least one digit.
    left = '0'.repeat(Math.max(1, Math.min(how.size, least - length - 1)))
  }
  return groups.join(of.grouping)
}

// --- str.format ------------------------------------------------------------------------------------------------------

/** What `str.format` needs besides its text: its arguments, and how fields read attributes and are written. */
export type FormatFields = {
  readonly args: readonly Value[]
  readonly kwargs: Kwargs | Dict
  readonly runtime: Runtime
  /** `value.name`; throws where there is none. */
  readonly attribute: (value: Value, name: string) => Value
  /** `format(value, specification)`; for Markup the result is escaped. */
  readonly format: (value: Value, specification: string) => string
}

/** `text.format(*args, **kwargs)`. */
export function formatFields(text: string, fields: FormatFields): string {
  return new FieldFormat(fields).run(text, 2)
}

class FieldFormat {
  readonly #fields: FormatFields
  /** The next automatic number; `manual` once a number was given. */
  #automatic: number | 'manual' | undefined
  #length = 0

  constructor(fields: FormatFields) {
    this.#fields = fields
  }

  #bounded(text: string): string {
    this.#fields.runtime.spend(1)
    this.#length += text.length
    this.#fields.runtime.size(this.#length)
    return text
  }

  run(text: string, depth: number): string {
    if (depth === 0) throw valueError('Max string recursion exceeded')
    let result = ''
    let at = 0
    while (at < text.length) {
      const character = text.charAt(at)
      if (character !== '{' && character !== '}') {
        const next = /[{}]/g
        next.lastIndex = at
        const end = next.exec(text)?.index ?? text.length
        result += this.#bounded(text.slice(at, end))
        at = end
      } else if (text.charAt(at + 1) === character) {
        result += this.#bounded(character)
        at += 2
      } else if (character === '}' || at + 1 >= text.length) {
        throw valueError(`Single '${character}' encountered in format string`)
      } else {
        const end = fieldEnd(text, at + 1)
        result += this.#bounded(this.#field(text.slice(at + 1, end), depth))
        at = end + 1
      }
    }
    return result
  }

  #field(body: string, depth: number): string {
    const { name, conversion, specification } = splitField(body)
    const value = this.#converted(this.#value(name), conversion)
    const inner =
      specification.includes('{') || specification.includes('}') ? this.run(specification, depth - 1) : specification
    return this.#fields.format(value, inner)
  }

  #converted(value: Value, conversion: string | undefined): Value {
    if (conversion === undefined) return value
    if (conversion === 's') return toText(value, this.#fields.runtime)
    const text = repr(value, this.#fields.runtime)
    return conversion === 'r' ? text : asciiText(text)
  }

  #value(name: string): Value {
    const first = /^[^.[]*/.exec(name)?.[0] ?? ''
    let value = this.#first(first)
    let at = first.length
    while (at < name.length) {
      if (name.charAt(at) === '.') {
        const attribute = /^[^.[]*/.exec(name.slice(at + 1))?.[0] ?? ''
        if (attribute === '') throw valueError('Empty attribute in format string')
        value = this.#fields.attribute(value, attribute)
        at += 1 + attribute.length
      } else if (name.charAt(at) === '[') {
        const end = name.indexOf(']', at)
        if (end < 0) throw valueError("Missing ']' in format string")
        const text = name.slice(at + 1, end)
        if (text === '') throw valueError('Empty attribute in format string')
        const key = /^[0-9]+$/.test(text) ? Number(text) : text
        const item = findItem(value, key)
        if (item === undefined) throw noItem(value, key)
        value = item
        at = end + 1
      } else throw valueError("Only '.' or '[' may follow ']' in format field specifier")
    }
    return value
  }

  #first(name: string): Value {
    const { args, kwargs } = this.#fields
    const numeric = name === '' || /^[0-9]+$/.test(name)
    if (!numeric) {
      const value = kwargs.get(name)
      if (value === undefined) throw new JinjaError('KeyError', quote(name))
      return value
    }
    if (name === '') {
      if (this.#automatic === 'manual') {
        throw valueError('cannot switch from manual field specification to automatic field numbering')
      }
      this.#automatic ??= 0
    } else if (typeof this.#automatic === 'number') {
      throw valueError('cannot switch from automatic field numbering to manual field specification')
    }
    const index = typeof this.#automatic === 'number' ? this.#automatic : Number(name)
    this.#automatic = typeof this.#automatic === 'number' ? index + 1 : 'manual'
    if (kwargs instanceof Dict) throw valueError('Format string contains positional fields')
    const value = args[index]
    if (value === undefined) {
      throw new JinjaError('IndexError', `Replacement index ${index} out of range for positional args tuple`)
    }
    return value
  }
}

/** The end of a replacement field: the brace that closes it. Brackets of an index hide braces. */
function fieldEnd(text: string, start: number): number {
  let depth = 1
  let bracket = false
  for (let at = start; at < text.length; at += 1) {
    const character = text.charAt(at)
    if (character === '[' && depth === 1) bracket = true
    else if (character === ']') bracket = false
    else if (bracket) continue
    else if (character === '{') depth += 1
    else if (character === '}') depth -= 1
    if (depth === 0) return at
  }
  throw valueError("expected '}' before end of string")
}

function splitField(body: string): { name: string; conversion: string | undefined; specification: string } {
  let at = 0
  let bracket = false
  for (; at < body.length; at += 1) {
    const character = body.charAt(at)
    if (character === '[') bracket = true
    else if (character === ']') bracket = false
    else if (!bracket && (character === ':' || character === '!')) break
    else if (!bracket && character === '{') throw valueError("unexpected '{' in field name")
  }
  const name = body.slice(0, at)
  if (body.charAt(at) !== '!') return { name, conversion: undefined, specification: body.slice(at + 1) }
  const conversion = characters(body.slice(at + 1))[0]
  if (conversion === undefined) throw valueError("unmatched '{' in format spec")
  const rest = body.slice(at + 1 + conversion.length)
  if (rest !== '' && !rest.startsWith(':')) throw valueError("expected ':' after conversion specifier")
  if (!'rsa'.includes(conversion)) throw valueError(`Unknown conversion specifier ${conversion}`)
  return { name, conversion, specification: rest.slice(1) }
}
