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

/** A map of the given entries that inherits nothing; a later entry wins. */
export function mapOf(entries: Iterable<readonly [string, Data]> = []): DataMap {
  const map = newMap()
  for (const [key, value] of entries) map[key] = value
  return map
}
