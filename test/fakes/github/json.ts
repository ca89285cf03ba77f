/** What requests and answers are made of. A field that is `undefined` is not sent. */
export type Json = null | boolean | number | string | readonly Json[] | JsonMap

export interface JsonMap {
  readonly [key: string]: Json | undefined
}

export function isMap(value: Json | undefined): value is JsonMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function isList(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value)
}

/** The map at a key; one without fields where there is none, so that reading can go on. */
export function mapAt(value: Json | undefined, key: string): JsonMap {
  const found = isMap(value) ? value[key] : undefined
  return isMap(found) ? found : {}
}

export function listAt(value: Json | undefined, key: string): readonly Json[] {
  const found = isMap(value) ? value[key] : undefined
  return isList(found) ? found : []
}

export function textAt(value: Json | undefined, key: string): string | undefined {
  const found = isMap(value) ? value[key] : undefined
  return typeof found === 'string' ? found : undefined
}

export function numberAt(value: Json | undefined, key: string): number | undefined {
  const found = isMap(value) ? value[key] : undefined
  return typeof found === 'number' ? found : undefined
}

/** The text that must be there because we or emulate wrote it. */
export function text(value: Json | undefined, key: string): string {
  const found = textAt(value, key)
  if (found === undefined) throw new Error(`There is no text "${key}" in ${JSON.stringify(value)?.slice(0, 200)}`)
  return found
}

/** The number that must be there because we or emulate wrote it. */
export function number(value: Json | undefined, key: string): number {
  const found = numberAt(value, key)
  if (found === undefined) throw new Error(`There is no number "${key}" in ${JSON.stringify(value)?.slice(0, 200)}`)
  return found
}

export function parseJson(source: string): Json {
  return JSON.parse(source)
}
