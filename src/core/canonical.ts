import { type Data, type DataMap, Float, isList, isMap, isShared } from './data.ts'
import { sha256 } from './sha256.ts'

/**
 * The one text of a value: no space, the keys of a map in the order of their code points, numbers as short as JSON has them
 * (`new Float(2)` is `2`, a bigint is its digits). Two values with the same text are the same value to Protium.
 * Throws `RangeError` for a float that JSON has no word for (`NaN`, `Infinity`).
 */
export function canonicalJson(data: Data): string {
  if (typeof data === 'string') return stringText(data)
  if (typeof data === 'number') return numberText(data)
  if (data === null || typeof data !== 'object') return String(data)
  if (data instanceof Float) return numberText(data.value)
  const known = texts.get(data)
  if (known !== undefined) return known
  const text = isList(data) ? listText(data) : mapText(data)
  if (isShared(data)) texts.set(data, text)
  return text
}

/** The texts of what many documents share. */
const texts = new WeakMap<DataMap | readonly Data[], string>()

function listText(list: readonly Data[]): string {
  let members = ''
  for (const item of list) members += members === '' ? canonicalJson(item) : `,${canonicalJson(item)}`
  return `[${members}]`
}

function mapText(map: DataMap): string {
  let members = ''
  for (const key of sortedKeys(map)) {
    members += `${members === '' ? '' : ','}${stringText(key)}:${canonicalJson(valueOf(map, key))}`
  }
  return `{${members}}`
}

/** `sha256:` and 64 hex digits: of the text as UTF-8, or of the canonical JSON of anything else. */
export function digest(data: Data): string {
  const text = typeof data === 'string' ? data : canonicalJson(data)
  return `sha256:${sha256(text)}`
}

/** Whether two values have the same canonical JSON; found without writing it. */
export function same(a: Data, b: Data): boolean {
  if (a === b) return true
  if (isNumber(a) && isNumber(b)) return canonicalJson(a) === canonicalJson(b)
  if (isList(a)) {
    if (!isList(b) || a.length !== b.length) return false
    return a.every((item, index) => {
      const other = b[index]
      return other !== undefined && same(item, other)
    })
  }
  if (!isMap(a) || !isMap(b)) return false
  const keys = Object.keys(a)
  if (keys.length !== Object.keys(b).length) return false
  return keys.every((key) => Object.hasOwn(b, key) && same(valueOf(a, key), valueOf(b, key)))
}

/** The order of texts by code point: the same on every machine, and the order in which UTF-8 bytes sort. */
export function compareText(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let index = 0; index < length; index += 1) {
    const left = a.charCodeAt(index)
    const right = b.charCodeAt(index)
    if (left === right) continue
    // A surrogate stands for a code point above every other UTF-16 unit, although its own number is lower than some.
    return surrogatesLast(left) - surrogatesLast(right)
  }
  return a.length - b.length
}

function surrogatesLast(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit
}

function sortedKeys(map: DataMap): string[] {
  const keys = Object.keys(map)
  for (let index = 1; index < keys.length; index += 1) {
    if (compareText(keys[index - 1] ?? '', keys[index] ?? '') > 0) return keys.sort(compareText)
  }
  return keys
}

/** Printable ASCII but `"` and the backslash, which is what most texts are of. */
const plain = /^[ !#-[\]-~]*$/

function stringText(text: string): string {
  return plain.test(text) ? `"${text}"` : JSON.stringify(text)
}

function valueOf(map: DataMap, key: string): Data {
  return map[key] ?? null
}

function isNumber(data: Data): data is number | bigint | Float {
  return typeof data === 'number' || typeof data === 'bigint' || data instanceof Float
}

function numberText(value: number): string {
  if (!Number.isFinite(value)) throw new RangeError(`JSON has no word for the number ${value}`)
  return String(value)
}
