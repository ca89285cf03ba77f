/** What every value answers in Python: truth, length, iteration, subscription, equality, order, membership. */
import { characters, isWide, lengthOf, sliceOf } from './characters.ts'
import { asWhole, isNumber } from './numbers.ts'
import type { Whole } from './numbers.ts'
import { deepest, repr, toText, typeName, undefinedError, viewed } from './text.ts'
import {
  Aligned,
  Callable,
  Dict,
  DictView,
  Float,
  Iter,
  JinjaError,
  Markup,
  Range,
  Slice,
  Thing,
  Tuple,
  Undefined,
} from './values.ts'
import type { Kwargs, Runtime, Value } from './values.ts'

/** The text of a value that is a string in Python; undefined for anything else. */
export function asText(value: Value): string | undefined {
  if (typeof value === 'string') return value
  if (value instanceof Markup) return value.text
  return value instanceof Aligned ? toText(value) : undefined
}

/** Python's truth. */
export function isTrue(value: Value): boolean {
  switch (typeof value) {
    case 'boolean':
      return value
    case 'string':
      return value !== ''
    case 'number':
      return value !== 0
    case 'bigint':
      return value !== 0n
    default:
      if (value === null) return false
      if (Array.isArray(value)) return value.length > 0
      if (value instanceof Dict) return value.size > 0
      if (value instanceof Float) return value.value !== 0
      return (sizeOf(value) ?? 1) > 0
  }
}

/** Python's `len`, or undefined where there is none. Throws for an undefined value. */
export function sizeOf(value: Value): number | undefined {
  if (Array.isArray(value)) return value.length
  if (value instanceof Dict) return value.size
  if (value instanceof Tuple) return value.items.length
  if (value instanceof Range) return value.length
  if (value instanceof DictView) return value.dict.size
  if (value instanceof Undefined) {
    if (value.lenient) return 0
    throw undefinedError(value)
  }
  if (value instanceof Thing) return value.length?.()
  const text = asText(value)
  return text === undefined ? undefined : lengthOf(text)
}

/** Python's `len`. Throws its TypeError where there is none. */
export function lengthOfValue(value: Value): number {
  const length = sizeOf(value)
  if (length === undefined) throw new JinjaError('TypeError', `object of type '${typeName(value)}' has no len()`)
  return length
}

/** The elements of a value, one after the other. Throws Python's TypeError for what cannot be iterated. */
export function iterate(value: Value): Iterable<Value> {
  const items = elementsOf(value)
  if (items === undefined) throw new JinjaError('TypeError', `'${typeName(value)}' object is not iterable`)
  return items
}

/** As `iterate`, but undefined for what cannot be iterated. Throws for an undefined value. */
export function elementsOf(value: Value): Iterable<Value> | undefined {
  if (Array.isArray(value)) return value
  if (value instanceof Iter) return value
  if (value instanceof Dict) return steady(value, value.keys())
  if (value instanceof Tuple) return value.items
  if (value instanceof Range) return counted(value)
  if (value instanceof DictView) return steady(value.dict, viewed(value))
  if (value instanceof Undefined) {
    if (value.lenient) return []
    throw undefinedError(value)
  }
  if (value instanceof Thing) return value.iterate?.()
  const text = asText(value)
  // The characters of Markup are plain strings: only its methods are markupsafe's, not its iteration.
  return text === undefined ? undefined : characters(text)
}

function* counted(range: Range): IterableIterator<Value> {
  for (let index = 0; index < range.length; index += 1) yield range.at(index)
}

/** Walks a dict; Python refuses one that grows or shrinks meanwhile. */
function* steady(dict: Dict, items: Iterable<Value>): IterableIterator<Value> {
  const size = dict.size
  for (const item of items) {
    if (dict.size !== size) throw new JinjaError('TemplateRuntimeError', 'dictionary changed size during iteration')
    yield item
    if (dict.size !== size) throw new JinjaError('TemplateRuntimeError', 'dictionary changed size during iteration')
  }
}

/** Python's `list(value)`, paid for. */
export function listOf(value: Value, runtime: Runtime): Value[] {
  if (Array.isArray(value)) {
    runtime.size(value.length)
    runtime.spend(value.length)
    return [...value]
  }
  const length = value instanceof Iter ? undefined : sizeOf(value)
  if (length !== undefined) runtime.size(length)
  const list: Value[] = []
  for (const item of iterate(value)) {
    runtime.spend(1)
    list.push(item)
    if ((list.length & 1023) === 0) runtime.size(list.length)
  }
  return list
}

/** An index as Python takes it: an int or a bool; undefined for anything else. Long ones are clipped. */
export function asIndex(value: Value): number | undefined {
  const number = asWhole(value)
  if (typeof number !== 'bigint') return number
  return number > 0n ? Number.MAX_SAFE_INTEGER : Number.MIN_SAFE_INTEGER
}

/** `value[key]`, or undefined where Python raises a TypeError or LookupError. */
export function findItem(value: Value, key: Value): Value | undefined {
  if (value instanceof Dict) {
    if (key instanceof Undefined) throw undefinedError(key)
    if (typeof key === 'string') return value.get(key)
    return isHashable(key) ? value.get(key) : undefined
  }
  if (value instanceof Undefined) throw undefinedError(value)
  if (key instanceof Slice) return undefined
  const index = asIndex(key)
  if (index === undefined) return undefined
  if (Array.isArray(value)) return at(value, index)
  if (value instanceof Tuple) return at(value.items, index)
  if (value instanceof Range) {
    const place = index < 0 ? index + value.length : index
    return place >= 0 && place < value.length ? value.at(place) : undefined
  }
  const text = asText(value)
  if (text === undefined) return undefined
  const character = isWide(text) ? Array.from(text).at(index) : at(text, index)
  return character !== undefined && value instanceof Markup ? new Markup(character) : character
}

function at<Item extends Value>(list: ArrayLike<Item>, index: number): Item | undefined {
  return list[index < 0 ? index + list.length : index]
}

/** The error that Python raises for `value[key]` where there is no such item. */
export function noItem(value: Value, key: Value): JinjaError {
  if (value instanceof Dict) {
    if (!isHashable(key)) return new JinjaError('TypeError', `unhashable type: '${typeName(key)}'`)
    return new JinjaError('KeyError', repr(key))
  }
  const kind = asText(value) === undefined ? typeName(value) : 'string'
  const sequence = Array.isArray(value) || value instanceof Tuple || value instanceof Range || kind === 'string'
  if (!sequence) return new JinjaError('TypeError', `'${typeName(value)}' object is not subscriptable`)
  if (asIndex(key) !== undefined) {
    return new JinjaError('IndexError', `${kind}${kind === 'range' ? ' object' : ''} index out of range`)
  }
  const slices = kind === 'string' ? `string indices must be integers, not '${typeName(key)}'` : ''
  return new JinjaError('TypeError', slices || `${kind} indices must be integers or slices, not ${typeName(key)}`)
}

export function isHashable(key: Value): boolean {
  if (Array.isArray(key) || key instanceof Dict || key instanceof Slice) return false
  if (key instanceof DictView) return key.kind === 'values'
  return key instanceof Tuple ? key.items.every(isHashable) : true
}

/** A dict of these pairs, with Python's errors for keys that cannot be keys. */
export function dictOf(pairs: Iterable<readonly [Value, Value]>): Dict {
  const dict = new Dict()
  for (const [key, value] of pairs) dict.set(keyOf(key), value)
  return dict
}

/** The value, if it can be a key of a dict. Throws the error of Python's `hash` otherwise. */
export function keyOf(key: Value): Value {
  if (key instanceof Undefined && !key.lenient) throw undefinedError(key)
  if (key instanceof Tuple) for (const item of key.items) keyOf(item)
  if (!isHashable(key)) throw new JinjaError('TypeError', `unhashable type: '${typeName(unhashable(key))}'`)
  return key
}

function unhashable(key: Value): Value {
  if (!(key instanceof Tuple)) return key
  const part = key.items.find((item) => !isHashable(item))
  return part === undefined ? key : unhashable(part)
}

/** `value[start:stop:step]`. */
export function slicedBy(value: Value, slice: Slice, runtime: Runtime): Value {
  if (value instanceof Undefined) throw undefinedError(value)
  const length = value instanceof Dict || value instanceof DictView ? undefined : sizeOf(value)
  if (value instanceof Dict) throw new JinjaError('TypeError', "unhashable type: 'slice'")
  if (length === undefined || value instanceof Thing) {
    throw new JinjaError('TypeError', `'${typeName(value)}' object is not subscriptable`)
  }
  const { start, stop, step } = boundsOf(slice, length)
  const range = new Range(start, stop, step)
  if (value instanceof Range) return new Range(value.at(start), value.at(stop), value.step * step)
  runtime.spend(1 + range.length)
  if (Array.isArray(value)) return step === 1 ? value.slice(start, stop) : picked(value, range)
  if (value instanceof Tuple) return new Tuple(picked(value.items, range))
  const text = asText(value) ?? ''
  const part = step === 1 ? sliceOf(text, start, stop) : picked(characters(text), range).join('')
  return value instanceof Markup ? new Markup(part) : part
}

function picked<Item>(list: readonly Item[], range: Range): Item[] {
  const items: Item[] = []
  for (let index = 0; index < range.length; index += 1) items.push(...list.slice(range.at(index), range.at(index) + 1))
  return items
}

function boundsOf(slice: Slice, length: number): { start: number; stop: number; step: number } {
  const step = part(slice.step) ?? 1
  if (step === 0) throw new JinjaError('ValueError', 'slice step cannot be zero')
  const low = step > 0 ? 0 : -1
  const high = step > 0 ? length : length - 1
  const clip = (bound: number | undefined, otherwise: number): number => {
    if (bound === undefined) return otherwise
    return Math.max(low, Math.min(high, bound < 0 ? bound + length : bound))
  }
  return {
    start: clip(part(slice.start), step > 0 ? low : high),
    stop: clip(part(slice.stop), step > 0 ? high : low),
    step,
  }
}

function part(value: Value): number | undefined {
  if (value === null) return undefined
  const index = asIndex(value)
  if (index === undefined) {
    throw new JinjaError('TypeError', 'slice indices must be integers or None or have an __index__ method')
  }
  return index
}

/** Whether two values are one object, as far as Python promises it: constants and small things, or the same container. */
export function isSame(a: Value, b: Value): boolean {
  if (a instanceof Float && b instanceof Float) return a === b
  return Object.is(a, b)
}

/** `==`. Throws for an undefined value on either side. */
export function equal(a: Value, b: Value, runtime: Runtime, depth = 0): boolean {
  if (a === b) {
    if (a instanceof Undefined && !a.lenient) throw undefinedError(a)
    return !(a instanceof Float) || !Number.isNaN(a.value)
  }
  if (typeof a === 'string' && typeof b === 'string') return false
  if (a instanceof Undefined && !a.lenient) throw undefinedError(a)
  if (b instanceof Undefined && !b.lenient) throw undefinedError(b)
  if (a instanceof Undefined || b instanceof Undefined) return a instanceof Undefined && b instanceof Undefined
  if (isNumber(a)) return isNumber(b) && compareNumbers(a, b) === 0
  const text = asText(a)
  if (text !== undefined) return text === asText(b)
  if (depth > deepest) throw new JinjaError('Limit', 'the values are nested too deeply to be compared')
  runtime.spend(1)
  if (Array.isArray(a)) return Array.isArray(b) && sameItems(a, b, runtime, depth)
  if (a instanceof Tuple) {
    // Other than with lists, the lengths are compared last.
    if (!(b instanceof Tuple)) return false
    const shared = Math.min(a.items.length, b.items.length)
    return firstDifference(a.items, b.items, runtime, depth) === shared && a.items.length === b.items.length
  }
  if (a instanceof Dict) return b instanceof Dict && sameEntries(a, b, runtime, depth)
  if (a instanceof Range) {
    if (!(b instanceof Range) || a.length !== b.length) return false
    return a.length === 0 || (a.start === b.start && (a.length === 1 || a.step === b.step))
  }
  if (a instanceof DictView && b instanceof DictView && a.kind === b.kind) {
    if (a.kind === 'keys') return a.dict.size === b.dict.size && [...a.dict.keys()].every((key) => b.dict.has(key))
    return a.kind === 'items' && sameEntries(a.dict, b.dict, runtime, depth)
  }
  if (a instanceof Slice && b instanceof Slice) {
    return sameItems([a.start, a.stop, a.step], [b.start, b.stop, b.step], runtime, depth)
  }
  return false
}

function sameItems(a: readonly Value[], b: readonly Value[], runtime: Runtime, depth: number): boolean {
  return a.length === b.length && firstDifference(a, b, runtime, depth) === a.length
}

function firstDifference(a: readonly Value[], b: readonly Value[], runtime: Runtime, depth: number): number {
  const shared = Math.min(a.length, b.length)
  for (let index = 0; index < shared; index += 1) {
    const left = a[index] ?? null
    const right = b[index] ?? null
    runtime.spend(1)
    if (!isSame(left, right) && !equal(left, right, runtime, depth + 1)) return index
  }
  return shared
}

function sameEntries(a: Dict, b: Dict, runtime: Runtime, depth: number): boolean {
  if (a.size !== b.size) return false
  for (const [key, left] of a.entries()) {
    const right = b.get(key)
    runtime.spend(1)
    if (right === undefined || (!isSame(left, right) && !equal(left, right, runtime, depth + 1))) return false
  }
  return true
}

type Numeric = number | bigint | boolean | Float

/** Negative, zero or positive; NaN where one of them is no number. An int and a float are compared exactly. */
export function compareNumbers(a: Numeric, b: Numeric): number {
  const x: Whole = a instanceof Float ? a.value : typeof a === 'boolean' ? Number(a) : a
  const y: Whole = b instanceof Float ? b.value : typeof b === 'boolean' ? Number(b) : b
  if (x < y) return -1
  if (x > y) return 1
  // Not `x === y`: a bigint is never the same as a number. What is neither less nor more nor NaN is equal.
  return Number.isNaN(Number(x)) || Number.isNaN(Number(y)) ? Number.NaN : 0
}

/** Negative, zero or positive, by code points. */
export function compareTexts(a: string, b: string): number {
  if (isWide(a) || isWide(b)) {
    const left = Array.from(a)
    const right = Array.from(b)
    const shared = Math.min(left.length, right.length)
    for (let index = 0; index < shared; index += 1) {
      const step = (left[index]?.codePointAt(0) ?? 0) - (right[index]?.codePointAt(0) ?? 0)
      if (step !== 0) return step
    }
    return left.length - right.length
  }
  return a < b ? -1 : a > b ? 1 : 0
}

export type Ordering = '<' | '<=' | '>' | '>='

/** `<`, `<=`, `>` and `>=`. Throws Python's TypeError for what has no order. */
export function ordered(operator: Ordering, a: Value, b: Value, runtime: Runtime, depth = 0): boolean {
  if (a instanceof Undefined) throw undefinedError(a)
  if (b instanceof Undefined) throw undefinedError(b)
  if (isNumber(a) && isNumber(b)) return holds(operator, compareNumbers(a, b))
  const left = asText(a)
  const right = left === undefined ? undefined : asText(b)
  if (left !== undefined && right !== undefined) return holds(operator, compareTexts(left, right))
  const first =
    Array.isArray(a) && Array.isArray(b) ? a : a instanceof Tuple && b instanceof Tuple ? a.items : undefined
  const second = Array.isArray(b) ? b : b instanceof Tuple ? b.items : undefined
  if (first !== undefined && second !== undefined) {
    if (depth > deepest) throw new JinjaError('Limit', 'the values are nested too deeply to be compared')
    const index = firstDifference(first, second, runtime, depth)
    const x = first[index]
    const y = second[index]
    if (x === undefined || y === undefined) return holds(operator, first.length - second.length)
    return ordered(operator, x, y, runtime, depth + 1)
  }
  if (a instanceof DictView && b instanceof DictView && a.kind !== 'values' && b.kind !== 'values') {
    return includes(operator, a, b, runtime)
  }
  throw new JinjaError(
    'TypeError',
    `'${operator}' not supported between instances of '${typeName(a)}' and '${typeName(b)}'`,
  )
}

/** Views of keys and items are sets: less is a part of. */
function includes(operator: Ordering, a: DictView, b: DictView, runtime: Runtime): boolean {
  const [part, all] = operator.startsWith('<') ? [a, b] : [b, a]
  const proper = operator.length === 1 ? 1 : 0
  if (part.dict.size + proper > all.dict.size) return false
  for (const element of viewed(part)) if (!contains(all, element, runtime)) return false
  return true
}

function holds(operator: Ordering, sign: number): boolean {
  if (operator === '<') return sign < 0
  if (operator === '<=') return sign <= 0
  return operator === '>' ? sign > 0 : sign >= 0
}

/** `item in container`. */
export function contains(container: Value, item: Value, runtime: Runtime): boolean {
  if (container instanceof Dict) return container.has(keyOf(item))
  if (container instanceof DictView && container.kind === 'keys') return container.dict.has(keyOf(item))
  const text = asText(container)
  if (text !== undefined) {
    const part = asText(item)
    if (part !== undefined) {
      runtime.spend(1 + (text.length >> 6))
      return text.includes(part)
    }
    throw new JinjaError('TypeError', `'in <string>' requires string as left operand, not ${typeName(item)}`)
  }
  if (container instanceof Range && isNumber(item)) {
    const index = (Number(item instanceof Float ? item.value : item) - container.start) / container.step
    return Number.isInteger(index) && index >= 0 && index < container.length
  }
  const elements = elementsOf(container)
  if (elements === undefined) {
    throw new JinjaError('TypeError', `argument of type '${typeName(container)}' is not iterable`)
  }
  for (const element of elements) {
    runtime.spend(1)
    if (element === item && !(element instanceof Undefined && element !== item)) return true
    if (equal(element, item, runtime)) return true
  }
  return false
}

/** Python's `sorted(items, key=…)`: stable; equal items keep their order in reverse, too. */
export function sortedBy<Item>(
  items: readonly Item[],
  key: (item: Item) => Value,
  options: { readonly reverse: boolean; readonly runtime: Runtime },
): Item[] {
  const { reverse, runtime } = options
  const pairs = items.map((item) => ({ item, key: key(item) }))
  runtime.spend(pairs.length * (1 + Math.ceil(Math.log2(pairs.length + 1))))
  if (reverse) pairs.reverse()
  // What cannot be ordered is met in the order in which Python meets it, for the words of its message.
  for (const [index, pair] of pairs.entries()) {
    const before = pairs[index - 1]
    if (before !== undefined && ordered('<', pair.key, before.key, runtime)) break
  }
  pairs.sort((a, b) => (ordered('<', a.key, b.key, runtime) ? -1 : ordered('<', b.key, a.key, runtime) ? 1 : 0))
  if (reverse) pairs.reverse()
  return pairs.map((pair) => pair.item)
}

/** Whether the value can be called. */
export function isCallable(value: Value): boolean {
  return value instanceof Callable || (value instanceof Thing && value.call !== undefined)
}

/** `value(*args, **kwargs)`. */
export function callValue(value: Value, args: readonly Value[], kwargs: Kwargs, runtime: Runtime): Value {
  runtime.spend(1)
  if (value instanceof Callable) return value.call(args, kwargs, runtime)
  if (value instanceof Thing && value.call !== undefined) return value.call(args, kwargs, runtime)
  if (value instanceof Undefined) throw undefinedError(value)
  throw new JinjaError('TypeError', `'${typeName(value)}' object is not callable`)
}

/** A whole number for a C function's argument. Throws Python's TypeError for anything else. */
export function integerArgument(value: Value | undefined): number {
  const index = value === undefined ? undefined : asIndex(value)
  if (index === undefined) {
    if (value instanceof Undefined) throw undefinedError(value)
    throw new JinjaError('TypeError', `'${typeName(value ?? null)}' object cannot be interpreted as an integer`)
  }
  return index
}
