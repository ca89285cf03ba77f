/**
 * What Jinja2's expressions do with values: arithmetic, comparison, attributes and items, concatenation. Truth,
 * iteration, equality and calls are in objects.ts.
 */
import { formatPercent } from './format.ts'
import { escapeValue } from './markup.ts'
import { attributeOf, isRefused, refusal } from './methods.ts'
import { calculate, divide, floorDivide, isNumber, modulo, negate, power, asWhole } from './numbers.ts'
import { asIndex, asText, contains, equal, findItem, ordered } from './objects.ts'
import { toText, typeName, undefinedError } from './text.ts'
import { Dict, Float, JinjaError, Markup, Tuple, Undefined } from './values.ts'
import type { Runtime, Value } from './values.ts'

export type BinaryOperator = '+' | '-' | '*' | '/' | '//' | '%' | '**'
export type Comparison = '==' | '!=' | '<' | '<=' | '>' | '>=' | 'in' | 'not in'

/** `left operator right`, with Python's errors. */
export function binary(operator: BinaryOperator, left: Value, right: Value, runtime: Runtime): Value {
  if (operator === '%') {
    const text = left instanceof Markup ? left.text : asText(left)
    if (text !== undefined) return percent(left, text, right, runtime)
  }
  if (left instanceof Undefined) throw undefinedError(left)
  if (right instanceof Undefined) throw undefinedError(right)
  const result =
    isNumber(left) && isNumber(right) ? numeric(operator, left, right, runtime) : joined(operator, left, right, runtime)
  if (result !== undefined) return result
  const sign = operator === '**' ? '** or pow()' : operator
  throw new JinjaError(
    'TypeError',
    `unsupported operand type(s) for ${sign}: '${typeName(left)}' and '${typeName(right)}'`,
  )
}

function numeric(operator: BinaryOperator, left: Value, right: Value, runtime: Runtime): Value | undefined {
  switch (operator) {
    case '+':
    case '-':
    case '*':
      return calculate(operator, left, right)
    case '/':
      return divide(left, right)
    case '//':
      return floorDivide(left, right)
    case '%':
      return modulo(left, right)
    case '**':
      return power(left, right, runtime)
  }
}

function percent(left: Value, text: string, values: Value, runtime: Runtime): Value {
  if (!(left instanceof Markup)) return formatPercent(text, values, runtime)
  return new Markup(formatPercent(text, values, runtime, { escape: true }))
}

/** `+` and `*` of strings, lists and tuples. */
function joined(operator: BinaryOperator, left: Value, right: Value, runtime: Runtime): Value | undefined {
  if (operator === '+') return added(left, right, runtime)
  if (operator !== '*') return undefined
  const first = repeatable(left)
  if (first !== undefined) return repeated(left, first, right, runtime)
  const second = repeatable(right)
  return second === undefined ? undefined : repeated(right, second, left, runtime)
}

function added(left: Value, right: Value, runtime: Runtime): Value | undefined {
  const a = asText(left)
  const b = asText(right)
  if (left instanceof Markup || (right instanceof Markup && a !== undefined)) {
    if (a === undefined || b === undefined) return undefined
    runtime.size(a.length + b.length)
    return new Markup(escapeValue(left, runtime).text + escapeValue(right, runtime).text)
  }
  const bad = (type: string): JinjaError =>
    new JinjaError('TypeError', `can only concatenate ${type} (not "${typeName(right)}") to ${type}`)
  if (a !== undefined) {
    if (b === undefined) throw bad('str')
    runtime.size(a.length + b.length)
    return a + b
  }
  if (Array.isArray(left)) {
    if (!Array.isArray(right)) throw bad('list')
    runtime.size(left.length + right.length)
    runtime.spend(left.length + right.length)
    return [...left, ...right]
  }
  if (!(left instanceof Tuple)) return undefined
  if (!(right instanceof Tuple)) throw bad('tuple')
  runtime.size(left.items.length + right.items.length)
  runtime.spend(left.items.length + right.items.length)
  return new Tuple([...left.items, ...right.items])
}

function repeatable(value: Value): string | readonly Value[] | undefined {
  if (Array.isArray(value)) return value
  return value instanceof Tuple ? value.items : asText(value)
}

function repeated(value: Value, items: string | readonly Value[], by: Value, runtime: Runtime): Value {
  const times = asIndex(by)
  if (times === undefined) {
    throw new JinjaError('TypeError', `can't multiply sequence by non-int of type '${typeName(by)}'`)
  }
  if (typeof asWhole(by) === 'bigint') {
    throw new JinjaError('OverflowError', "cannot fit 'int' into an index-sized integer")
  }
  const count = Math.max(0, times)
  runtime.size(items.length * count)
  if (typeof items === 'string') {
    runtime.spend(1 + ((items.length * count) >> 6))
    const text = items.repeat(count)
    return value instanceof Markup ? new Markup(text) : text
  }
  runtime.spend(items.length * count)
  const list: Value[] = []
  for (let round = 0; round < count; round += 1) for (const item of items) list.push(item)
  return value instanceof Tuple ? new Tuple(list) : list
}

/** `-value` and `+value`. */
export function unary(operator: '-' | '+', value: Value): Value {
  if (value instanceof Undefined) throw undefinedError(value)
  const result = operator === '-' ? negate(value) : value instanceof Float ? value : asWhole(value)
  if (result !== undefined) return result
  throw new JinjaError('TypeError', `bad operand type for unary ${operator}: '${typeName(value)}'`)
}

/** One comparison of a chain. */
export function compare(operator: Comparison, left: Value, right: Value, runtime: Runtime): boolean {
  switch (operator) {
    case '==':
      return equal(left, right, runtime)
    case '!=':
      return !equal(left, right, runtime)
    case 'in':
      return contains(right, left, runtime)
    case 'not in':
      return !contains(right, left, runtime)
    default:
      return ordered(operator, left, right, runtime)
  }
}

/** `value.name`: the attribute, then the item, else an Undefined. */
export function getAttribute(value: Value, name: string): Value {
  if (value instanceof Undefined) throw undefinedError(value)
  if (isRefused(name)) return unsafe(value, name)
  const attribute = attributeOf(value, name)
  if (attribute !== undefined) return attribute
  const item = value instanceof Dict ? value.get(name) : undefined
  return item === undefined ? new Undefined({ owner: { value }, name }) : item
}

/** `value[key]`: the item, then the attribute where the key is a string, else an Undefined. */
export function getItem(value: Value, key: Value): Value {
  const item = findItem(value, key)
  if (item !== undefined) return item
  const name = asText(key)
  if (name === undefined) return new Undefined({ owner: { value }, name: key })
  if (isRefused(name)) return unsafe(value, name)
  const attribute = attributeOf(value, name)
  return attribute === undefined ? new Undefined({ owner: { value }, name }) : attribute
}

function unsafe(value: Value, name: string): Undefined {
  return new Undefined({ owner: { value }, name, kind: 'SecurityError', hint: refusal(value, name) })
}

/** `a ~ b ~ …`: the texts, one after the other; where escaping is on and one of them is Markup, all are escaped. */
export function concat(values: readonly Value[], runtime: Runtime): Value {
  if (runtime.autoescape && values.some((value) => value instanceof Markup)) {
    const parts = values.map((value) => escapeValue(value, runtime).text)
    runtime.size(parts.reduce((length, part) => length + part.length, 0))
    return new Markup(parts.join(''))
  }
  let text = ''
  for (const value of values) {
    const part = toText(value, runtime)
    runtime.size(text.length + part.length)
    text += part
  }
  return text
}
