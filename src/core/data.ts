/**
 * The values that documents hold: what a YAML or JSON file says, with nothing of JavaScript in it.
 *
 * Maps are objects that inherit nothing, so that a key named `constructor` is a key like any other. Whole numbers are `number`
 * while they are safe integers and `bigint` beyond; a number that was written as a float stays one (`2.0` is not `2`),
 * because Jinja prints the two differently.
 */
export type Data = null | boolean | string | number | bigint | Float | readonly Data[] | DataMap

export interface DataMap {
  readonly [key: string]: Data
}

/** A number that was written with a fraction or an exponent. `2.0` is `new Float(2)`. */
export class Float {
  readonly value: number

  constructor(value: number) {
    this.value = value
  }
}

/** A step into a document: a key of a map or an index of a list. */
export type Path = readonly (string | number)[]

export function isMap(value: Data | undefined): value is DataMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Float)
}

export function isList(value: Data | undefined): value is readonly Data[] {
  return Array.isArray(value)
}

/**
 * What maps are made of. Its prototype is empty and inherits nothing, like that of `Object.create(null)`; but objects of a
 * class keep their keys in shapes that they share, and their entries are listed ten times as fast.
 */
class Bare {
  [key: string]: Data
}

Reflect.setPrototypeOf(Bare.prototype, null)
Reflect.deleteProperty(Bare.prototype, 'constructor')
Object.freeze(Bare.prototype)

/** A new map, to be filled by its maker. */
export function newMap(): Record<string, Data> {
  return new Bare()
}

const texts = new Map<string, string>()

/**
 * One text for all that are met again and again, such as keys and types. To JavaScript a part of a text is a view of the
 * whole: it keeps all of it in memory, and setting a property by it costs several times as much.
 */
export function interned(text: string): string {
  const known = texts.get(text)
  if (known === undefined && texts.size < 4000 && text.length < 80) texts.set(text, text)
  return known ?? text
}

const shared = new WeakSet<object>()

/** Notes that a value is part of many documents, so that what is found out about it is worth keeping. */
export function share(data: Data): void {
  if (typeof data === 'object' && data !== null) shared.add(data)
}

export function isShared(data: DataMap | readonly Data[]): boolean {
  return shared.has(data)
}

/** A map of the given entries that inherits nothing; a later entry wins. */
export function mapOf(entries: Iterable<readonly [string, Data]> = []): DataMap {
  const map = newMap()
  let order: KeyOrder
  for (const [key, value] of entries) {
    order = ordered(order, map, key)
    map[key] = value
  }
  keepOrder(map, order)
  return map
}

/** The order in which the keys of a map were written, where it has to be kept apart. */
export type KeyOrder = Set<string> | undefined

/**
 * JavaScript lists keys that look like an index of an array, as `"8080"`, before the others and by their size. Templates
 * walk maps in the order in which they were written, so that a map with such keys has its order beside it.
 */
const orders = new WeakMap<DataMap, readonly string[]>()

/** The order with `key` in it, which is about to be put into `map`; the maker of a map asks for each of its keys. */
export function ordered(order: KeyOrder, map: DataMap, key: string): KeyOrder {
  if (order !== undefined) return order.add(key)
  const first = key.charCodeAt(0)
  return first >= 48 && first <= 57 ? new Set(Object.keys(map)).add(key) : undefined
}

/** Notes the order of a map that is made. */
export function keepOrder(map: DataMap, order: KeyOrder): void {
  if (order === undefined) return
  const written = [...order]
  if (Object.keys(map).some((key, index) => key !== written[index])) orders.set(map, written)
}

/** The keys of a map in the order in which they were written. */
export function keysOf(map: DataMap): readonly string[] {
  return orders.get(map) ?? Object.keys(map)
}

/** The entries of a map in the order in which they were written. */
export function entriesOf(map: DataMap): [string, Data][] {
  return keysOf(map).map((key) => [key, map[key] ?? null])
}
