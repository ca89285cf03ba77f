/** Python's arithmetic on int, bool and float: whole numbers without a bound, floor division, exact rounding. */
import { Float, JinjaError, whole } from './values.ts'
import type { Runtime, Value } from './values.ts'

export type Whole = number | bigint

/** Whole numbers stay below this many bits: far beyond what Python itself would print. */
const mostBits = 16_384

/** An int or bool as a whole number; undefined for anything else. */
export function asWhole(value: Value): Whole | undefined {
  if (typeof value === 'number' || typeof value === 'bigint') return value
  return typeof value === 'boolean' ? Number(value) : undefined
}

/** An int, bool or float as a JavaScript number. Throws Python's OverflowError for an int beyond any float. */
export function asDouble(value: Value): number | undefined {
  if (value instanceof Float) return value.value
  const number = asWhole(value)
  return number === undefined ? undefined : wholeToDouble(number)
}

export function wholeToDouble(value: Whole): number {
  const double = Number(value)
  if (!Number.isFinite(double)) throw new JinjaError('OverflowError', 'int too large to convert to float')
  return double
}

export function isNumber(value: Value): value is number | bigint | boolean | Float {
  return typeof value === 'number' || value instanceof Float || typeof value === 'bigint' || typeof value === 'boolean'
}

type Sum = '+' | '-' | '*'

/** The sum, difference or product of two numbers. */
export function calculate(operator: Sum, left: Value, right: Value): Value | undefined {
  const a = asWhole(left)
  const b = asWhole(right)
  if (a !== undefined && b !== undefined) return calculateWhole(operator, a, b)
  const x = asDouble(left)
  const y = asDouble(right)
  if (x === undefined || y === undefined) return undefined
  return new Float(operator === '+' ? x + y : operator === '-' ? x - y : x * y)
}

function calculateWhole(operator: Sum, a: Whole, b: Whole): Whole {
  if (typeof a === 'number' && typeof b === 'number') {
    const quick = operator === '+' ? a + b : operator === '-' ? a - b : a * b
    if (Number.isSafeInteger(quick)) return quick === 0 ? 0 : quick
  }
  const x = BigInt(a)
  const y = BigInt(b)
  if (operator === '*') boundBits(bitLength(x) + bitLength(y))
  return bounded(operator === '+' ? x + y : operator === '-' ? x - y : x * y)
}

function bounded(value: bigint): Whole {
  const result = whole(value)
  if (typeof result === 'bigint') boundBits(bitLength(result))
  return result
}

function boundBits(bits: number): void {
  if (bits > mostBits + 64) throw new JinjaError('Limit', `a whole number would have more than ${mostBits} bits`)
}

export function bitLength(value: Whole): number {
  const size = BigInt(value) < 0n ? -BigInt(value) : BigInt(value)
  if (size === 0n) return 0
  const hex = size.toString(16)
  return (hex.length - 1) * 4 + (32 - Math.clz32(Number.parseInt(hex.charAt(0), 16)))
}

/** `/`: a float, rounded once, however long the whole numbers are. */
export function divide(left: Value, right: Value): Value | undefined {
  const a = asWhole(left)
  const b = asWhole(right)
  if (a !== undefined && b !== undefined) {
    if (b === 0) throw new JinjaError('ZeroDivisionError', 'division by zero')
    if (typeof a === 'number' && typeof b === 'number') return new Float(a / b)
    return new Float(ratio(BigInt(a), BigInt(b)))
  }
  const x = asDouble(left)
  const y = asDouble(right)
  if (x === undefined || y === undefined) return undefined
  if (y === 0) throw new JinjaError('ZeroDivisionError', 'float division by zero')
  return new Float(x / y)
}

/** The float that is nearest to a / b. */
export function ratio(a: bigint, b: bigint): number {
  const negative = a < 0n !== b < 0n
  const x = a < 0n ? -a : a
  const y = b < 0n ? -b : b
  if (x === 0n) return b < 0n ? -0 : 0
  // A quotient of at least 64 bits, whose last bit tells whether anything was cut off, rounds as the exact one does.
  const shift = 64 - (bitLength(x) - bitLength(y))
  const scaled = shift >= 0 ? x << BigInt(shift) : x
  const divisor = shift >= 0 ? y : y << BigInt(-shift)
  const quotient = scaled / divisor
  const sticky = scaled % divisor === 0n ? quotient : quotient | 1n
  const size = scale(Number(sticky), -shift)
  if (!Number.isFinite(size)) throw new JinjaError('OverflowError', 'integer division result too large for a float')
  return negative ? -size : size
}

/** value * 2 ** exponent, in steps that neither overflow nor underflow before the end. */
function scale(value: number, exponent: number): number {
  let result = value
  let left = exponent
  for (; left > 1000; left -= 1000) result *= 2 ** 1000
  for (; left < -1000; left += 1000) result *= 2 ** -1000
  return result * 2 ** left
}

/** `//` */
export function floorDivide(left: Value, right: Value): Value | undefined {
  const a = asWhole(left)
  const b = asWhole(right)
  if (a !== undefined && b !== undefined) {
    if (b === 0) throw new JinjaError('ZeroDivisionError', 'integer division or modulo by zero')
    if (typeof a === 'number' && typeof b === 'number') {
      const rest = a % b
      const quotient = (a - rest) / b
      return (rest !== 0 && rest < 0 !== b < 0 ? quotient - 1 : quotient) + 0
    }
    const x = BigInt(a)
    const y = BigInt(b)
    return whole(x % y !== 0n && x < 0n !== y < 0n ? x / y - 1n : x / y)
  }
  const x = asDouble(left)
  const y = asDouble(right)
  if (x === undefined || y === undefined) return undefined
  if (y === 0) throw new JinjaError('ZeroDivisionError', 'float floor division by zero')
  return new Float(floorOf(x, y))
}

function floorOf(x: number, y: number): number {
  let rest = x % y
  let quotient = (x - rest) / y
  if (rest !== 0 && y < 0 !== rest < 0) {
    rest += y
    quotient -= 1
  }
  if (quotient === 0) return x / y < 0 || Object.is(x / y, -0) ? -0 : 0
  const floor = Math.floor(quotient)
  return quotient - floor > 0.5 ? floor + 1 : floor
}

/** `%` of numbers: the result has the sign of the right side. */
export function modulo(left: Value, right: Value): Value | undefined {
  const a = asWhole(left)
  const b = asWhole(right)
  if (a !== undefined && b !== undefined) {
    if (b === 0) throw new JinjaError('ZeroDivisionError', 'integer modulo by zero')
    if (typeof a === 'number' && typeof b === 'number') {
      const rest = a % b
      return (rest !== 0 && rest < 0 !== b < 0 ? rest + b : rest) + 0
    }
    const rest = BigInt(a) % BigInt(b)
    return whole(rest !== 0n && rest < 0n !== BigInt(b) < 0n ? rest + BigInt(b) : rest)
  }
  const x = asDouble(left)
  const y = asDouble(right)
  if (x === undefined || y === undefined) return undefined
  if (y === 0) throw new JinjaError('ZeroDivisionError', 'float modulo')
  const rest = x % y
  if (rest === 0) return new Float(y < 0 ? -0 : 0)
  return new Float(rest < 0 !== y < 0 ? rest + y : rest)
}

/** `**` */
export function power(left: Value, right: Value, runtime: Runtime): Value | undefined {
  const a = asWhole(left)
  const b = asWhole(right)
  if (a !== undefined && b !== undefined && b >= 0) return wholePower(a, b, runtime)
  const x = asDouble(left)
  const y = asDouble(right)
  if (x === undefined || y === undefined) return undefined
  if (x === 0 && y < 0) throw new JinjaError('ZeroDivisionError', '0.0 cannot be raised to a negative power')
  if (x === 1 || y === 0) return new Float(1)
  if (x === -1 && !Number.isFinite(y) && !Number.isNaN(y)) return new Float(1)
  if (x < 0 && Number.isFinite(x) && Number.isFinite(y) && !Number.isInteger(y)) {
    throw new JinjaError('ValueError', 'a negative number to a fractional power would be complex')
  }
  const result = x ** y
  if (!Number.isFinite(result) && Number.isFinite(x) && Number.isFinite(y)) {
    throw new JinjaError('OverflowError', "(34, 'Numerical result out of range')")
  }
  return new Float(result)
}

function wholePower(a: Whole, b: Whole, runtime: Runtime): Whole {
  if (a === 0 || a === 1 || a === -1) return b === 0 ? 1 : a === -1 && BigInt(b) % 2n === 0n ? 1 : a
  if (typeof b === 'bigint') throw new JinjaError('Limit', `a whole number would have more than ${mostBits} bits`)
  const bits = (bitLength(a) - 1) * b
  boundBits(bits)
  runtime.spend(1 + Math.ceil(bits / 1024))
  return bounded(BigInt(a) ** BigInt(b))
}

export function negate(value: Value): Value | undefined {
  if (value instanceof Float) return new Float(-value.value)
  const number = asWhole(value)
  if (number === undefined) return undefined
  return number === 0 ? 0 : typeof number === 'bigint' ? whole(-number) : -number
}

/** The whole number that a float has before its point. Throws Python's errors for infinities and NaN. */
export function truncated(value: number): Whole {
  if (Number.isNaN(value)) throw new JinjaError('ValueError', 'cannot convert float NaN to integer')
  if (!Number.isFinite(value)) throw new JinjaError('OverflowError', 'cannot convert float infinity to integer')
  const cut = Math.trunc(value)
  return Number.isSafeInteger(cut) ? cut + 0 : BigInt(cut)
}

/** A finite float as an exact fraction: mantissa * 2 ** exponent, not negative. */
function fraction(value: number): { readonly mantissa: bigint; readonly exponent: number } {
  let mantissa = Math.abs(value)
  let exponent = 0
  if (mantissa === 0) return { mantissa: 0n, exponent: 0 }
  while (mantissa >= 2 ** 53) {
    mantissa /= 2
    exponent += 1
  }
  while (!Number.isInteger(mantissa)) {
    if (mantissa < 2 ** -500) {
      mantissa *= 2 ** 500
      exponent -= 500
    } else {
      mantissa *= 2
      exponent -= 1
    }
  }
  return { mantissa: BigInt(mantissa), exponent }
}

/** |value| * 10 ** places, rounded half to even from the exact binary value. */
function scaledDecimal(value: number, places: number): bigint {
  const { mantissa, exponent } = fraction(value)
  let above = mantissa
  let below = 1n
  if (exponent >= 0) above <<= BigInt(exponent)
  else below <<= BigInt(-exponent)
  if (places >= 0) above *= 10n ** BigInt(places)
  else below *= 10n ** BigInt(-places)
  const quotient = above / below
  const twice = (above % below) * 2n
  return twice > below || (twice === below && quotient % 2n === 1n) ? quotient + 1n : quotient
}

/** The digits of a finite float with so many places after the point, without a sign: `12.50`. */
export function fixedDigits(value: number, places: number): string {
  const digits = scaledDecimal(value, places)
    .toString()
    .padStart(places + 1, '0')
  return places === 0 ? digits : `${digits.slice(0, -places)}.${digits.slice(-places)}`
}

/** The first `count` digits of a finite float, rounded, and the decimal exponent of the first of them. */
export function leadingDigits(value: number, count: number): { readonly digits: string; readonly exponent: number } {
  if (value === 0) return { digits: '0'.repeat(count), exponent: 0 }
  let exponent = Number(value.toExponential().split('e')[1])
  for (;;) {
    const digits = scaledDecimal(value, count - 1 - exponent).toString()
    if (digits.length === count) return { digits, exponent }
    exponent += digits.length > count ? 1 : -1
  }
}

/** Python's `round(value, places)` of a float. */
export function roundDouble(value: number, places: number): number {
  if (!Number.isFinite(value) || value === 0 || places > 323) return value
  if (places < -309) return value < 0 ? -0 : 0
  const scaled = scaledDecimal(value, places)
  const rounded = places <= 0 ? Number(scaled * 10n ** BigInt(-places)) : Number(`${scaled}e-${places}`)
  if (!Number.isFinite(rounded)) throw new JinjaError('OverflowError', 'rounded value too large to represent')
  return value < 0 ? -rounded : rounded
}

/** Python's `round(value, places)` of a whole number: half to even, for places before the point. */
export function roundWhole(value: Whole, places: number): Whole {
  if (places >= 0) return value
  const size = BigInt(value) < 0n ? -BigInt(value) : BigInt(value)
  if (-places > size.toString().length + 1) return 0
  const unit = 10n ** BigInt(-places)
  const rest = size % unit
  const low = size - rest
  const up = rest * 2n > unit || (rest * 2n === unit && (low / unit) % 2n === 1n)
  const rounded = up ? low + unit : low
  return whole(BigInt(value) < 0n ? -rounded : rounded)
}
