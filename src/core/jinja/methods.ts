/**
 * Python's `getattr` on the values: methods as bound functions, and the few attributes that are data. What is not listed
 * here is not there; JavaScript's own properties are never looked at.
 */
import { formatFields, formatValue } from './format.ts'
import { escapeValue } from './markup.ts'
import { bitLength, truncated } from './numbers.ts'
import {
  asText,
  callValue,
  elementsOf,
  equal,
  integerArgument,
  isSame,
  isTrue,
  iterate,
  keyOf,
  listOf,
  sortedBy,
} from './objects.ts'
import { builtinArguments } from './signature.ts'
import type { Takes } from './signature.ts'
import { callMarkupMethod, callTextMethod, isTextMethod, markupOnly } from './text-methods.ts'
import { repr, typeName, undefinedError } from './text.ts'
import {
  Callable,
  Dict,
  DictView,
  Float,
  JinjaError,
  Markup,
  Namespace,
  noKwargs,
  Range,
  Thing,
  Tuple,
  Undefined,
  whole,
} from './values.ts'
import type { Kwargs, Runtime, Value } from './values.ts'

type Arguments = readonly (Value | undefined)[]
type Method<Self> = { readonly takes: Takes; readonly run: (self: Self, args: Arguments, runtime: Runtime) => Value }

const none: Takes = { least: 0, most: 0 }
const one: Takes = { least: 1, most: 1 }

function valueError(message: string): JinjaError {
  return new JinjaError('ValueError', message)
}

function indexIn(items: readonly Value[], args: Arguments, runtime: Runtime): number {
  const wanted = args[0] ?? null
  const bound = (value: Value | undefined, otherwise: number): number => {
    if (value === undefined) return otherwise
    const index = integerArgument(value)
    return Math.max(0, index < 0 ? index + items.length : index)
  }
  const stop = Math.min(items.length, bound(args[2], items.length))
  for (let index = bound(args[1], 0); index < stop; index += 1) {
    runtime.spend(1)
    const item = items[index] ?? null
    if (isSame(item, wanted) || equal(item, wanted, runtime)) return index
  }
  return -1
}

function countIn(items: readonly Value[], wanted: Value, runtime: Runtime): number {
  runtime.spend(items.length)
  return items.filter((item) => isSame(item, wanted) || equal(item, wanted, runtime)).length
}

const listMethods = new Map<string, Method<Value[]>>(
  Object.entries({
    append: {
      takes: one,
      run: (list, args, runtime) => {
        runtime.size(list.length + 1)
        list.push(args[0] ?? null)
        return null
      },
    },
    clear: {
      takes: none,
      run: (list) => {
        list.length = 0
        return null
      },
    },
    copy: { takes: none, run: (list, _, runtime) => listOf(list, runtime) },
    count: { takes: one, run: (list, args, runtime) => countIn(list, args[0] ?? null, runtime) },
    extend: {
      takes: one,
      run: (list, args, runtime) => {
        const more = listOf(args[0] ?? null, runtime)
        runtime.size(list.length + more.length)
        for (const item of more) list.push(item)
        return null
      },
    },
    index: {
      takes: { least: 1, most: 3 },
      run: (list, args, runtime) => {
        const index = indexIn(list, args, runtime)
        if (index < 0) throw valueError(`${repr(args[0] ?? null, runtime)} is not in list`)
        return index
      },
    },
    insert: {
      takes: { least: 2, most: 2 },
      run: (list, args, runtime) => {
        runtime.size(list.length + 1)
        runtime.spend(1 + (list.length >> 4))
        list.splice(integerArgument(args[0]), 0, args[1] ?? null)
        return null
      },
    },
    pop: {
      takes: { least: 0, most: 1 },
      run: (list, args, runtime) => {
        const index = args[0] === undefined ? -1 : integerArgument(args[0])
        if (list.length === 0) throw new JinjaError('IndexError', 'pop from empty list')
        const place = index < 0 ? index + list.length : index
        if (place < 0 || place >= list.length) throw new JinjaError('IndexError', 'pop index out of range')
        runtime.spend(1 + ((list.length - place) >> 4))
        return list.splice(place, 1)[0] ?? null
      },
    },
    remove: {
      takes: one,
      run: (list, args, runtime) => {
        const index = indexIn(list, [args[0]], runtime)
        if (index < 0) throw valueError('list.remove(x): x not in list')
        list.splice(index, 1)
        return null
      },
    },
    reverse: {
      takes: none,
      run: (list, _, runtime) => {
        runtime.spend(list.length)
        list.reverse()
        return null
      },
    },
    sort: {
      takes: { least: 0, most: 2, keywords: ['key', 'reverse'], named: true },
      run: (list, args, runtime) => {
        const key = args[0] ?? null
        const of = (item: Value): Value => (key === null ? item : callValue(key, [item], noKwargs, runtime))
        const sorted = sortedBy(list, of, { reverse: args[1] !== undefined && isTrue(args[1]), runtime })
        for (const [index, item] of sorted.entries()) list[index] = item
        return null
      },
    },
  } satisfies Record<string, Method<Value[]>>),
)

/** The pairs that `dict(…)` and `update` take: a mapping, or an iterable of pairs. */
export function pairsOf(value: Value, runtime: Runtime): [Value, Value][] {
  if (value instanceof Dict) {
    runtime.spend(value.size)
    return [...value.entries()]
  }
  // Python asks for `keys`, which even a plain Undefined does not stand.
  if (value instanceof Undefined) throw undefinedError(value)
  const pairs: [Value, Value][] = []
  for (const item of iterate(value)) {
    runtime.spend(1)
    const elements = elementsOf(item)
    if (elements === undefined) {
      throw new JinjaError(
        'TypeError',
        `cannot convert dictionary update sequence element #${pairs.length} to a sequence`,
      )
    }
    const parts = [...elements]
    const [key, element] = parts
    if (parts.length !== 2 || key === undefined || element === undefined) {
      throw valueError(`dictionary update sequence element #${pairs.length} has length ${parts.length}; 2 is required`)
    }
    pairs.push([keyOf(key), element])
  }
  return pairs
}

function keyError(key: Value, runtime: Runtime): JinjaError {
  return new JinjaError('KeyError', repr(key, runtime))
}

const dictMethods = new Map<string, Method<Dict>>(
  Object.entries({
    clear: {
      takes: none,
      run: (dict) => {
        dict.clear()
        return null
      },
    },
    copy: {
      takes: none,
      run: (dict, _, runtime) => {
        runtime.spend(dict.size)
        return new Dict(dict.entries())
      },
    },
    fromkeys: {
      takes: { least: 1, most: 2 },
      run: (_, args, runtime) => {
        const keys = listOf(args[0] ?? null, runtime)
        return new Dict(keys.map((key) => [keyOf(key), args[1] ?? null]))
      },
    },
    get: {
      takes: { least: 1, most: 2 },
      run: (dict, args) => {
        const value = dict.get(keyOf(args[0] ?? null))
        return value === undefined ? (args[1] ?? null) : value
      },
    },
    items: { takes: none, run: (dict) => new DictView('items', dict) },
    keys: { takes: none, run: (dict) => new DictView('keys', dict) },
    pop: {
      takes: { least: 1, most: 2 },
      run: (dict, args, runtime) => {
        const key = keyOf(args[0] ?? null)
        const there = dict.get(key)
        const value = there === undefined ? args[1] : there
        if (value === undefined) throw keyError(key, runtime)
        dict.delete(key)
        return value
      },
    },
    popitem: {
      takes: none,
      run: (dict, _, runtime) => {
        runtime.spend(dict.size)
        const last = [...dict.entries()].at(-1)
        if (last === undefined) throw new JinjaError('KeyError', "'popitem(): dictionary is empty'")
        dict.delete(last[0])
        return new Tuple(last)
      },
    },
    setdefault: {
      takes: { least: 1, most: 2 },
      run: (dict, args, runtime) => {
        const key = keyOf(args[0] ?? null)
        const value = dict.get(key)
        if (value !== undefined) return value
        runtime.size(dict.size + 1)
        const added = args[1] ?? null
        dict.set(key, added)
        return added
      },
    },
    values: { takes: none, run: (dict) => new DictView('values', dict) },
  } satisfies Record<string, Method<Dict>>),
)

/** `dict.update`, which takes any keyword, so that it is not in the table. */
function update(dict: Dict, args: readonly Value[], kwargs: Kwargs, runtime: Runtime): null {
  if (args.length > 1) {
    throw new JinjaError('TypeError', `update expected at most 1 argument, got ${args.length}`)
  }
  const pairs: (readonly [Value, Value])[] = args[0] === undefined ? [] : pairsOf(args[0], runtime)
  runtime.size(dict.size + pairs.length + kwargs.size)
  for (const [key, value] of pairs) dict.set(key, value)
  for (const [key, value] of kwargs) dict.set(key, value)
  return null
}

const tupleMethods = new Map<string, Method<readonly Value[]>>(
  Object.entries({
    count: { takes: one, run: (items, args, runtime) => countIn(items, args[0] ?? null, runtime) },
    index: {
      takes: { least: 1, most: 3 },
      run: (items, args, runtime) => {
        const index = indexIn(items, args, runtime)
        if (index < 0) throw valueError('tuple.index(x): x not in tuple')
        return index
      },
    },
  } satisfies Record<string, Method<readonly Value[]>>),
)

const wholeMethods = new Map<string, Method<number | bigint>>(
  Object.entries({
    as_integer_ratio: { takes: none, run: (number) => new Tuple([number, 1]) },
    bit_count: {
      takes: none,
      run: (number) => (BigInt(number) < 0n ? -BigInt(number) : BigInt(number)).toString(2).replaceAll('0', '').length,
    },
    bit_length: { takes: none, run: (number) => bitLength(number) },
    conjugate: { takes: none, run: (number) => number },
  } satisfies Record<string, Method<number | bigint>>),
)

const floatMethods = new Map<string, Method<number>>(
  Object.entries({
    as_integer_ratio: { takes: none, run: integerRatio },
    conjugate: { takes: none, run: (number) => new Float(number) },
    is_integer: { takes: none, run: (number) => Number.isInteger(number) },
  } satisfies Record<string, Method<number>>),
)

function integerRatio(number: number): Tuple {
  if (!Number.isFinite(number)) {
    const what = Number.isNaN(number) ? 'NaN' : 'Infinity'
    throw new JinjaError(what === 'NaN' ? 'ValueError' : 'OverflowError', `cannot convert ${what} to integer ratio`)
  }
  let above = number
  let below = 1n
  while (!Number.isInteger(above)) {
    above *= 2
    below *= 2n
  }
  return new Tuple([truncated(above), whole(below)])
}

function bound<Self>(
  type: string,
  methods: ReadonlyMap<string, Method<Self>>,
  self: Self,
  name: string,
): Callable | undefined {
  const method = methods.get(name)
  if (method === undefined) return undefined
  const full = `${type}.${name}`
  return new Callable(name, (args, kwargs, runtime) => {
    runtime.spend(1)
    return method.run(self, builtinArguments(full, { args, kwargs }, method.takes), runtime)
  })
}

function textMethod(value: string | Markup, name: string): Callable | undefined {
  const text = typeof value === 'string' ? value : value.text
  const markup = typeof value !== 'string'
  if (name === 'format') return new Callable(name, (args, kwargs, runtime) => formatted(value, args, kwargs, runtime))
  if (name === 'format_map') {
    return new Callable(name, (args, kwargs, runtime) => {
      const [mapping = null] = builtinArguments('str.format_map', { args, kwargs }, one)
      return formatted(value, [], mapping instanceof Dict ? mapping : new Dict(pairsOf(mapping, runtime)), runtime)
    })
  }
  if (!isTextMethod(name) && !(markup && markupOnly.has(name))) return undefined
  const call = markup ? callMarkupMethod : callTextMethod
  return new Callable(name, (args, kwargs, runtime) => call(text, name, { args, kwargs }, runtime))
}

function formatted(value: string | Markup, args: readonly Value[], kwargs: Kwargs | Dict, runtime: Runtime): Value {
  const markup = value instanceof Markup
  const text = formatFields(markup ? value.text : value, {
    args,
    kwargs,
    runtime,
    attribute: attributeOrError,
    format: (item, specification) => {
      if (!markup) return formatValue(item, specification, runtime)
      if (!(item instanceof Markup)) return escapeValue(formatValue(item, specification, runtime), runtime).text
      if (specification !== '') throw valueError('Unsupported format specification for Markup.')
      return item.text
    },
  })
  return markup ? new Markup(text) : text
}

function attributeOrError(value: Value, name: string): Value {
  if (isRefused(name)) throw new JinjaError('SecurityError', refusal(value, name))
  const attribute = attributeOf(value, name)
  if (attribute !== undefined) return attribute
  if (value instanceof Undefined) throw undefinedError(value)
  throw new JinjaError('AttributeError', `'${typeName(value)}' object has no attribute '${name}'`)
}

/** Names of Python's own machinery: never readable, whatever the value. */
export function isRefused(name: string): boolean {
  return name.startsWith('__') && name.endsWith('__') && name.length > 4
}

/** Jinja2's message for an attribute that its sandbox does not show. */
export function refusal(value: Value, name: string): string {
  return `access to attribute '${name}' of '${typeName(value)}' object is unsafe.`
}

/** Python's `getattr(value, name)`: undefined where there is no such attribute. Items of a dict are not attributes. */
export function attributeOf(value: Value, name: string): Value | undefined {
  if (value instanceof Dict) return dictAttribute(value, name)
  if (value === null) return undefined
  if (typeof value === 'string' || value instanceof Markup) return textMethod(value, name)
  if (Array.isArray(value)) return bound('list', listMethods, value, name)
  if (value instanceof Thing) return value.get(name)
  if (value instanceof Namespace) return value.attributes.get(name)
  if (value instanceof Callable) return value.attributes?.get(name)
  if (value instanceof Tuple) {
    const index = value.names?.indexOf(name) ?? -1
    return index >= 0 ? value.items[index] : bound('tuple', tupleMethods, value.items, name)
  }
  if (value instanceof Float) {
    if (name === 'real') return value
    return name === 'imag' ? new Float(0) : bound('float', floatMethods, value.value, name)
  }
  if (value instanceof Range) return rangeAttribute(value, name)
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean') {
    const number = typeof value === 'boolean' ? Number(value) : value
    if (name === 'real' || name === 'numerator') return number
    if (name === 'imag') return 0
    return name === 'denominator' ? 1 : bound('int', wholeMethods, number, name)
  }
  const text = asText(value)
  return text === undefined ? undefined : textMethod(text, name)
}

function dictAttribute(dict: Dict, name: string): Value | undefined {
  if (name === 'update') {
    return new Callable(name, (args, kwargs, runtime) => update(dict, args, kwargs, runtime))
  }
  return bound('dict', dictMethods, dict, name) ?? dict.standIns?.get(name)
}

function rangeAttribute(range: Range, name: string): Value | undefined {
  if (name === 'start') return range.start
  if (name === 'stop') return range.stop
  if (name === 'step') return range.step
  if (name !== 'count' && name !== 'index') return undefined
  return new Callable(name, (args, kwargs, runtime) => {
    const [wanted = null] = builtinArguments(`range.${name}`, { args, kwargs }, one)
    const index = indexIn(listOf(range, runtime), [wanted], runtime)
    if (name === 'count') return index < 0 ? 0 : 1
    if (index < 0) throw valueError(`${repr(wanted, runtime)} is not in range`)
    return index
  })
}
