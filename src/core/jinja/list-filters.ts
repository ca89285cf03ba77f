/** Jinja2's filters on sequences: sorting, grouping, choosing, mapping. Those that are generators in Python stay lazy. */
import { filterOf } from './calls.ts'
import {
  asText,
  elementsOf,
  equal,
  integerArgument,
  isSame,
  isTrue,
  iterate,
  keyOf,
  lengthOfValue,
  listOf,
  ordered,
  sortedBy,
} from './objects.ts'
import { characters } from './characters.ts'
import { floorDivide, modulo } from './numbers.ts'
import { binary, getItem } from './operators.ts'
import { quote, repr, typeName, undefinedError, undefinedMessage } from './text.ts'
import { Dict, DictView, Iter, JinjaError, Markup, Range, Tuple, Undefined } from './values.ts'
import type { Filter, Kwargs, Runtime, Value } from './values.ts'

/** Strings in lower case, anything else as it is. */
function ignoreCase(value: Value): Value {
  return asText(value)?.toLowerCase() ?? value
}

type Getter = (item: Value) => Value

/** What `attribute="a.b.0"` reads of an item: each part as an item or attribute; parts of digits are indexes. */
function attributeGetter(attribute: Value, fallback: Value = null): Getter {
  const parts = partsOf(attribute)
  return (item) => {
    let value = item
    for (const part of parts) {
      value = getItem(value, part)
      if (fallback !== null && value instanceof Undefined) value = fallback
    }
    return value
  }
}

function partsOf(attribute: Value): Value[] {
  if (attribute === null) return []
  const text = asText(attribute)
  if (text === undefined) return [attribute]
  return text.split('.').map((part) => (/^[0-9]+$/.test(part) ? Number(part) : part))
}

function keyGetter(attribute: Value, caseSensitive: Value, fallback: Value = null): Getter {
  const get = attributeGetter(attribute, fallback)
  return isTrue(caseSensitive) ? get : (item) => ignoreCase(get(item))
}

/** `sort` may be asked for several attributes, between commas. */
function multiKeyGetter(attribute: Value, caseSensitive: Value): Getter {
  const text = asText(attribute)
  const getters = (text === undefined ? [attribute] : text.split(',')).map((one) => keyGetter(one, caseSensitive))
  return (item) => getters.map((get) => get(item))
}

function extreme(operator: '<' | '>'): Filter {
  const parameters = ['value', ['case_sensitive', false], ['attribute', null]] as const
  const name = operator === '<' ? 'do_min' : 'do_max'
  return filterOf(
    name,
    parameters,
    (runtime, value = null, caseSensitive = null, attribute = null) => {
      const key = keyGetter(attribute, caseSensitive)
      let best: { readonly item: Value; readonly key: Value } | undefined
      for (const item of iterate(value)) {
        runtime.spend(1)
        const of = key(item)
        if (best === undefined || ordered(operator, of, best.key, runtime)) best = { item, key: of }
      }
      return best === undefined ? new Undefined({ hint: 'No aggregated item, sequence was empty.' }) : best.item
    },
    1,
  )
}

/** The elements from the end; undefined where Python's `reversed` does not work. */
function reversed(
  value: Value,
  runtime: Runtime,
): { readonly items: Iterable<Value>; readonly type: string } | undefined {
  if (value instanceof Undefined) {
    if (!value.lenient) throw undefinedError(value)
    return { items: [], type: 'reversed' }
  }
  const list = Array.isArray(value)
    ? 'list_reverseiterator'
    : value instanceof Dict
      ? 'dict_reversekeyiterator'
      : undefined
  const other =
    value instanceof Range
      ? 'range_iterator'
      : value instanceof DictView
        ? `dict_reverse${value.kind.slice(0, -1)}iterator`
        : undefined
  const plain = value instanceof Tuple || asText(value) !== undefined ? 'reversed' : undefined
  const type = list ?? other ?? plain
  if (type === undefined) return undefined
  const items = listOf(value, runtime).reverse()
  return { items: value instanceof Markup ? items.map((item) => new Markup(asText(item) ?? '')) : items, type }
}

/** What a test or a lookup says of each item; the words are those of Python's generators, which start when first asked. */
function chosen(options: { readonly keep: boolean; readonly byAttribute: boolean }): Filter {
  return (value, args, kwargs, runtime) => new Iter(choose({ value, args, kwargs, runtime }, options))
}

type Call = {
  readonly value: Value
  readonly args: readonly Value[]
  readonly kwargs: Kwargs
  readonly runtime: Runtime
}

function* choose(
  call: Call,
  options: { readonly keep: boolean; readonly byAttribute: boolean },
): IterableIterator<Value> {
  const { value, runtime } = call
  if (!isTrue(value)) return
  const [attribute, ...others] = call.args
  if (options.byAttribute && attribute === undefined) {
    throw new JinjaError('FilterArgumentError', 'Missing parameter for attribute name')
  }
  const get: Getter = options.byAttribute ? attributeGetter(attribute ?? null) : (item) => item
  const [name, ...args] = options.byAttribute ? others : call.args
  for (const item of iterate(value)) {
    runtime.spend(1)
    const subject = get(item)
    const holds = name === undefined ? isTrue(subject) : applyTest(name, subject, { ...call, args })
    if (holds === options.keep) yield item
  }
}

function applyTest(name: Value, value: Value, call: Call): boolean {
  const test = call.runtime.tests.get(asText(name) ?? '')
  if (test === undefined) throw unknown('test', keyOf(name))
  return test(value, call.args, call.kwargs, call.runtime)
}

function unknown(kind: 'filter' | 'test', name: Value): JinjaError {
  const hint =
    name instanceof Undefined ? ` (${undefinedMessage(name)}; did you forget to quote the callable name?)` : ''
  return new JinjaError('TemplateRuntimeError', `No ${kind} named ${repr(name)}.${hint}`)
}

const map: Filter = (value, args, kwargs, runtime) => new Iter(mapped({ value, args, kwargs, runtime }))

function* mapped(call: Call): IterableIterator<Value> {
  if (!isTrue(call.value)) return
  const apply = mapper(call)
  for (const item of iterate(call.value)) {
    call.runtime.spend(1)
    yield apply(item)
  }
}

function mapper(call: Call): Getter {
  const { kwargs, runtime } = call
  const [name, ...args] = call.args
  const attribute = kwargs.get('attribute')
  if (name === undefined && attribute !== undefined) {
    const extra = [...kwargs.keys()].find((keyword) => keyword !== 'attribute' && keyword !== 'default')
    if (extra !== undefined) {
      throw new JinjaError('FilterArgumentError', `Unexpected keyword argument ${quote(extra)}`)
    }
    return attributeGetter(attribute, kwargs.get('default') ?? null)
  }
  if (name === undefined) throw new JinjaError('FilterArgumentError', 'map requires a filter argument')
  const filter = runtime.filters.get(asText(name) ?? '')
  return (item) => {
    if (filter === undefined) throw unknown('filter', keyOf(name))
    return filter(item, args, kwargs, runtime)
  }
}

function* batches(value: Value, count: Value, fill: Value, runtime: Runtime): IterableIterator<Value> {
  let batch: Value[] = []
  for (const item of iterate(value)) {
    runtime.spend(1)
    if (equal(batch.length, count, runtime)) {
      yield batch
      batch = []
    }
    batch.push(item)
  }
  if (batch.length === 0) return
  if (fill !== null && ordered('<', batch.length, count, runtime)) {
    const missing = integerArgument(count) - batch.length
    runtime.size(batch.length + missing)
    runtime.spend(missing)
    for (let index = 0; index < missing; index += 1) batch.push(fill)
  }
  yield batch
}

function* slices(value: Value, count: Value, fill: Value, runtime: Runtime): IterableIterator<Value> {
  const items = listOf(value, runtime)
  // The division is Python's, for its errors; the count is a number of slices only after it.
  const each = floorDivide(items.length, count)
  const extra = modulo(items.length, count)
  if (each === undefined || extra === undefined) {
    if (count instanceof Undefined) throw undefinedError(count)
    throw new JinjaError('TypeError', `unsupported operand type(s) for //: 'int' and '${typeName(count)}'`)
  }
  const number = integerArgument(count)
  runtime.size(number)
  const size = integerArgument(each)
  let offset = 0
  for (let index = 0; index < number; index += 1) {
    runtime.spend(1)
    const start = offset + index * size
    if (index < integerArgument(extra)) offset += 1
    const slice = items.slice(start, offset + (index + 1) * size)
    if (fill !== null && index >= integerArgument(extra)) slice.push(fill)
    yield slice
  }
}

function* uniqueItems(value: Value, key: Getter, runtime: Runtime): IterableIterator<Value> {
  const seen = new Dict()
  for (const item of iterate(value)) {
    runtime.spend(1)
    const of = keyOf(key(item))
    if (seen.has(of)) continue
    seen.set(of, true)
    yield item
  }
}

const groupNames = { type: '_GroupTuple', names: ['grouper', 'list'] }

function grouped(
  value: Value,
  how: { attribute: Value; fallback: Value; caseSensitive: Value },
  runtime: Runtime,
): Value {
  const key = keyGetter(how.attribute, how.caseSensitive, how.fallback)
  const output = isTrue(how.caseSensitive) ? undefined : attributeGetter(how.attribute, how.fallback)
  const groups: { readonly key: Value; readonly items: Value[] }[] = []
  for (const item of sortedBy(listOf(value, runtime), key, { reverse: false, runtime })) {
    const of = key(item)
    const last = groups.at(-1)
    if (last !== undefined && (isSame(last.key, of) || equal(last.key, of, runtime))) last.items.push(item)
    else groups.push({ key: of, items: [item] })
  }
  return groups.map((group) => {
    const grouper = output === undefined ? group.key : output(group.items[0] ?? null)
    return new Tuple([grouper, group.items], groupNames)
  })
}

function* itemsOf(value: Value): IterableIterator<Value> {
  if (value instanceof Undefined) return
  if (!(value instanceof Dict)) throw new JinjaError('TypeError', 'Can only get item pairs from a mapping.')
  yield* elementsOf(new DictView('items', value)) ?? []
}

function sortedEntries(
  value: Value,
  how: { caseSensitive: Value; by: Value; reverse: Value },
  runtime: Runtime,
): Value {
  if (how.by instanceof Undefined && !how.by.lenient) throw undefinedError(how.by)
  const position = how.by === 'key' ? 0 : how.by === 'value' ? 1 : undefined
  if (position === undefined) {
    throw new JinjaError('FilterArgumentError', 'You can only sort by either "key" or "value"')
  }
  if (value instanceof Undefined) throw undefinedError(value)
  if (!(value instanceof Dict)) {
    throw new JinjaError('AttributeError', `'${typeName(value)}' object has no attribute 'items'`)
  }
  const caseSensitive = isTrue(how.caseSensitive)
  const key = (entry: readonly Value[]): Value => {
    const part = entry[position] ?? null
    return caseSensitive ? part : ignoreCase(part)
  }
  const entries = sortedBy([...value.entries()], key, { reverse: isTrue(how.reverse), runtime })
  return entries.map((entry) => new Tuple(entry))
}

function sum(value: Value, attribute: Value, start: Value, runtime: Runtime): Value {
  if (value instanceof Undefined && !value.lenient) throw undefinedError(value)
  if (asText(start) !== undefined) {
    throw new JinjaError('TypeError', "sum() can't sum strings [use ''.join(seq) instead]")
  }
  const get = attributeGetter(attribute)
  let total = start
  for (const item of iterate(value)) {
    runtime.spend(1)
    total = binary('+', total, get(item), runtime)
  }
  return total
}

const length: Filter = (value, args, kwargs) => {
  if (kwargs.size > 0) throw new JinjaError('TypeError', 'len() takes no keyword arguments')
  if (args.length > 0) {
    throw new JinjaError('TypeError', `len() takes exactly one argument (${args.length + 1} given)`)
  }
  return lengthOfValue(value)
}

export const listFilters: ReadonlyMap<string, Filter> = new Map<string, Filter>([
  [
    'batch',
    filterOf(
      'do_batch',
      ['value', 'linecount', ['fill_with', null]],
      (runtime, value = null, count = null, fill = null) => new Iter(batches(value, count, fill, runtime)),
    ),
  ],
  ['count', length],
  [
    'dictsort',
    filterOf(
      'do_dictsort',
      ['value', ['case_sensitive', false], ['by', 'key'], ['reverse', false]],
      (runtime, value = null, caseSensitive = null, by = null, reverse = null) =>
        sortedEntries(value, { caseSensitive, by: asText(by) ?? by, reverse }, runtime),
    ),
  ],
  [
    'first',
    filterOf(
      'sync_do_first',
      ['seq'],
      (_, value = null) => {
        for (const item of iterate(value)) return item
        return new Undefined({ hint: 'No first item, sequence was empty.' })
      },
      1,
    ),
  ],
  [
    'groupby',
    filterOf(
      'sync_do_groupby',
      ['value', 'attribute', ['default', null], ['case_sensitive', false]],
      (runtime, value = null, attribute = null, fallback = null, caseSensitive = null) =>
        grouped(value, { attribute, fallback, caseSensitive }, runtime),
      1,
    ),
  ],
  ['items', filterOf('do_items', ['value'], (_, value = null) => new Iter(itemsOf(value)))],
  [
    'last',
    filterOf(
      'do_last',
      ['seq'],
      (runtime, value = null) => {
        const items = reversed(value, runtime)
        if (items === undefined) {
          throw new JinjaError('TypeError', `'${typeName(value)}' object is not reversible`)
        }
        for (const item of items.items) return item
        return new Undefined({ hint: 'No last item, sequence was empty.' })
      },
      1,
    ),
  ],
  ['length', length],
  ['list', filterOf('sync_do_list', ['value'], (runtime, value = null) => listOf(value, runtime))],
  ['map', map],
  ['max', extreme('>')],
  ['min', extreme('<')],
  ['reject', chosen({ keep: false, byAttribute: false })],
  ['rejectattr', chosen({ keep: false, byAttribute: true })],
  [
    'reverse',
    filterOf('do_reverse', ['value'], (runtime, value = null) => {
      const text = asText(value)
      if (text !== undefined) {
        const back = characters(text).reverse().join('')
        return value instanceof Markup ? new Markup(back) : back
      }
      const items = reversed(value, runtime)
      if (items !== undefined) return new Iter(items.items, items.type)
      try {
        return listOf(value, runtime).reverse()
      } catch (error) {
        // Python takes any TypeError for this one, also one that the elements make as they come.
        if (!(error instanceof JinjaError) || error.kind !== 'TypeError') throw error
        throw new JinjaError('FilterArgumentError', 'argument must be iterable')
      }
    }),
  ],
  ['select', chosen({ keep: true, byAttribute: false })],
  ['selectattr', chosen({ keep: true, byAttribute: true })],
  [
    'slice',
    filterOf(
      'sync_do_slice',
      ['value', 'slices', ['fill_with', null]],
      (runtime, value = null, count = null, fill = null) => new Iter(slices(value, count, fill, runtime)),
    ),
  ],
  [
    'sort',
    filterOf(
      'do_sort',
      ['value', ['reverse', false], ['case_sensitive', false], ['attribute', null]],
      (runtime, value = null, reverse = null, caseSensitive = null, attribute = null) =>
        sortedBy(listOf(value, runtime), multiKeyGetter(attribute, caseSensitive), {
          reverse: isTrue(reverse),
          runtime,
        }),
      1,
    ),
  ],
  [
    'sum',
    filterOf(
      'sync_do_sum',
      ['iterable', ['attribute', null], ['start', 0]],
      (runtime, value = null, attribute = null, start = null) => sum(value, attribute, start, runtime),
      1,
    ),
  ],
  [
    'unique',
    filterOf(
      'sync_do_unique',
      ['value', ['case_sensitive', false], ['attribute', null]],
      (runtime, value = null, caseSensitive = null, attribute = null) =>
        new Iter(uniqueItems(value, keyGetter(attribute, caseSensitive), runtime)),
      1,
    ),
  ],
])
