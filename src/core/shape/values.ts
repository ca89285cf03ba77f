import { type Data, type DataMap, Float, isList, isMap, type Path } from '../data.ts'

/** The value at a path of a document's data; nothing where the path leads nowhere. */
export function dataAt(data: Data, path: Path): Data | undefined {
  let value: Data | undefined = data
  for (const step of path) {
    if (isMap(value) && typeof step === 'string') value = Object.hasOwn(value, step) ? value[step] : undefined
    else if (isList(value) && typeof step === 'number') value = value[step]
    else return undefined
  }
  return value
}

/** The text under a key, if there is a text under it. The others do the same for what their names say. */
export function textIn(map: DataMap | undefined, key: string): string | undefined {
  const value = map?.[key]
  return typeof value === 'string' ? value : undefined
}

export function mapIn(map: DataMap | undefined, key: string): DataMap | undefined {
  const value = map?.[key]
  return isMap(value) ? value : undefined
}

export function listIn(map: DataMap | undefined, key: string): readonly Data[] | undefined {
  const value = map?.[key]
  return isList(value) ? value : undefined
}

export function numberIn(map: DataMap | undefined, key: string): number | undefined {
  const value = map?.[key]
  if (typeof value === 'number') return value
  if (typeof value === 'bigint') return Number(value)
  return value instanceof Float ? value.value : undefined
}

/** Several texts; a single text counts as a list of one. */
export function textsIn(map: DataMap | undefined, key: string): readonly string[] {
  const value = map?.[key]
  if (typeof value === 'string') return [value]
  return isList(value) ? value.filter((item) => typeof item === 'string') : []
}

/** A value as it is shown in a message, in at most 60 characters. */
export function inWords(value: Data | undefined): string {
  if (value === undefined) return 'nothing'
  if (typeof value === 'string') return JSON.stringify(value.length > 60 ? `${value.slice(0, 59)}…` : value)
  if (value instanceof Float) return Number.isInteger(value.value) ? value.value.toFixed(1) : String(value.value)
  if (isList(value)) return `a list of ${value.length}`
  return isMap(value) ? 'a map' : String(value)
}

/** A path as it is shown in a message, `"rules[0].path"`. */
export function pathInWords(path: Path): string {
  return `"${path.map((step, index) => (typeof step === 'number' ? `[${step}]` : `${index === 0 ? '' : '.'}${step}`)).join('')}"`
}
