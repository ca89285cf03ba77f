/** Python's `int(…)` and `float(…)`, which read texts in their own ways. */
import { characters, digitValue, trimEnd, trimStart } from './characters.ts'
import { asDouble, asWhole, truncated } from './numbers.ts'
import type { Whole } from './numbers.ts'
import { asText } from './objects.ts'
import { quote, typeName, undefinedError } from './text.ts'
import { Float, JinjaError, Undefined, whole } from './values.ts'
import type { Value } from './values.ts'

/** The text with the decimal digits of every script as those of ASCII, without white space around it. */
function plainDigits(text: string): string {
  // Python's numbers do not take the separators of ASCII for white space, other than its `strip` does.
  if (/[\x1c-\x1f]/.test(text)) return text
  const bare = trimEnd(trimStart(text))
  if (/^[\0-\x7f]*$/.test(bare)) return bare
  return characters(bare)
    .map((character) => digitValue(character) ?? character)
    .join('')
}

const mostDigits = 4300

/** `int(text, base)`. Throws Python's ValueError. */
export function textToWhole(text: string, base: number): Whole {
  if (base !== 0 && (base < 2 || base > 36))
    throw new JinjaError('ValueError', 'int() base must be >= 2 and <= 36, or 0')
  const bad = (): JinjaError =>
    new JinjaError('ValueError', `invalid literal for int() with base ${base}: ${quote(text)}`)
  const match = /^([+-]?)(0[xX]|0[oO]|0[bB])?(_?)([0-9a-zA-Z]+(?:_[0-9a-zA-Z]+)*)$/.exec(plainDigits(text))
  if (match === null) throw bad()
  const [, sign = '', prefix = '', gap = '', digits = ''] = match
  const { radix, body } = radixOf({ prefix, digits, gap }, base)
  if (radix === undefined) throw bad()
  const value = digitsToWhole(body.replaceAll('_', ''), radix)
  if (value === undefined) throw bad()
  return sign === '-' ? whole(-BigInt(value)) : value
}

const prefixes: Readonly<Record<string, number>> = { '0x': 16, '0o': 8, '0b': 2 }

function radixOf(
  literal: { readonly prefix: string; readonly digits: string; readonly gap: string },
  base: number,
): { readonly radix: number | undefined; readonly body: string } {
  const { prefix, digits, gap } = literal
  const own = prefixes[prefix.toLowerCase()]
  if (prefix !== '' && own !== undefined && (base === 0 || base === own)) return { radix: own, body: digits }
  if (gap !== '') return { radix: undefined, body: '' }
  const body = prefix + digits
  // As in Python's source, a number of base 10 does not begin with a zero, unless it is zero.
  if (base === 0)
    return { radix: prefix === '' && (/^[1-9]/.test(body) || /^[0_]+$/.test(body)) ? 10 : undefined, body }
  return { radix: base, body }
}

function digitsToWhole(digits: string, radix: number): Whole | undefined {
  if (radix === 10 && !/^[0-9]+$/.test(digits)) return undefined
  if (digits.length > mostDigits && (radix & (radix - 1)) !== 0) {
    throw new JinjaError(
      'ValueError',
      `Exceeds the limit (${mostDigits} digits) for integer string conversion: value has ${digits.length} digits; ` +
        'use sys.set_int_max_str_digits() to increase the limit',
    )
  }
  if (radix === 10) return whole(BigInt(digits))
  let value = 0n
  for (const digit of digits) {
    const number = Number.parseInt(digit, 36)
    if (!(number < radix)) return undefined
    value = value * BigInt(radix) + BigInt(number)
  }
  return whole(value)
}

/** `float(text)`. Throws Python's ValueError. */
export function textToDouble(text: string): number {
  const plain = plainDigits(text)
  const special = /^([+-]?)(inf|infinity|nan)$/i.exec(plain)
  if (special !== null) {
    const size = special[2]?.toLowerCase() === 'nan' ? Number.NaN : Infinity
    return special[1] === '-' ? -size : size
  }
  const number =
    /^[+-]?(?:[0-9]+(?:_[0-9]+)*\.?(?:[0-9]+(?:_[0-9]+)*)?|\.[0-9]+(?:_[0-9]+)*)(?:[eE][+-]?[0-9]+(?:_[0-9]+)*)?$/
  if (!number.test(plain)) throw new JinjaError('ValueError', `could not convert string to float: ${quote(text)}`)
  return Number(plain.replaceAll('_', ''))
}

/** `int(value)` of what is no text. */
export function toWhole(value: Value): Whole {
  const number = asWhole(value)
  if (number !== undefined) return number
  if (value instanceof Float) return truncated(value.value)
  if (value instanceof Undefined) throw undefinedError(value)
  throw new JinjaError(
    'TypeError',
    `int() argument must be a string, a bytes-like object or a real number, not '${typeName(value)}'`,
  )
}

/** `float(value)`. */
export function toDouble(value: Value): number {
  const text = asText(value)
  if (text !== undefined) return textToDouble(text)
  const number = asDouble(value)
  if (number !== undefined) return number
  if (value instanceof Undefined) throw undefinedError(value)
  throw new JinjaError('TypeError', `float() argument must be a string or a real number, not '${typeName(value)}'`)
}
