import { isMap as isMapNode, isPair, isScalar, type Pair, parseDocument, type YAMLMap } from 'yaml'

import { type Data, entriesOf, Float, isList, isMap, mapOf } from '../data.ts'
import type { Edit } from '../edit.ts'

/**
 * JSON on lines of its own, in the order of the keys. A float stays one, `2.0`, since templates print it otherwise than a whole
 * number. `indent` is that of the line it begins on, `step` what each level is further in.
 */
export function jsonText(data: Data, indent = '', step = '  '): string {
  if (data instanceof Float) return Number.isInteger(data.value) ? data.value.toFixed(1) : String(data.value)
  if (typeof data === 'bigint') return String(data)
  const inner = `${indent}${step}`
  const wrapped = (open: string, close: string, members: readonly string[]): string =>
    members.length === 0
      ? `${open}${close}`
      : `${open}\n${members.map((each) => `${inner}${each}`).join(',\n')}\n${indent}${close}`
  if (isList(data))
    return wrapped(
      '[',
      ']',
      data.map((item) => jsonText(item, inner, step)),
    )
  if (!isMap(data)) return JSON.stringify(data)
  return wrapped(
    '{',
    '}',
    entriesOf(data).map(([key, value]) => `${JSON.stringify(key)}: ${jsonText(value, inner, step)}`),
  )
}

/**
 * Sets and removes keys in a text that is JSON, and touches nothing else but the comma that a new last key needs; nothing where it
 * does not know how. The caller reads what comes out.
 */
export function editJson(text: string, edits: readonly Edit[]): string | undefined {
  let now: string | undefined = text
  for (const edit of edits) {
    if (now === undefined) return undefined
    const root = parseDocument(now, { schema: 'json', keepSourceTokens: true, logLevel: 'error' }).contents
    if (!isMapNode(root)) return undefined
    if (edit.is === 'set') now = withKey(now, root, edit)
    else now = edit.is === 'remove' ? withoutKey(now, root, edit.path) : undefined
  }
  return now
}

function withKey(
  text: string,
  root: YAMLMap,
  { path, value }: { readonly path: readonly string[]; readonly value: Data },
): string | undefined {
  let map = root
  for (const [index, key] of path.entries()) {
    const rest = path.slice(index + 1)
    const pair = pairs(map).find((each) => keyOf(each) === key)
    if (pair === undefined) {
      const nested = rest.reduceRight<Data>((inner, name) => mapOf([[name, inner]]), value)
      return inserted(text, map, { key, value: nested })
    }
    const range = valueRange(pair)
    if (range === undefined) return undefined
    if (rest.length === 0) return replaced(text, range, jsonText(value, indentAt(text, range.from), stepOf(text)))
    if (!isMapNode(pair.value)) return undefined
    map = pair.value
  }
  return undefined
}

function inserted(
  text: string,
  map: YAMLMap,
  { key, value }: { readonly key: string; readonly value: Data },
): string | undefined {
  const step = stepOf(text)
  const last = pairs(map).at(-1)
  const range = last === undefined ? undefined : valueRange(last)
  const start = last === undefined ? undefined : keyStart(last)
  if (last === undefined) {
    const [from, to] = map.range ?? []
    if (from === undefined || to === undefined) return undefined
    return replaced(text, { from, to }, jsonText(mapOf([[key, value]]), indentAt(text, from), step))
  }
  if (range === undefined || start === undefined) return undefined
  const indent = indentAt(text, start)
  const isAlone = text.slice(text.lastIndexOf('\n', start - 1) + 1, start) === indent
  const entry = `${JSON.stringify(key)}: ${jsonText(value, isAlone ? indent : '', step)}`
  const eol = text.includes('\r\n') ? '\r\n' : '\n'
  return replaced(text, { from: range.to, to: range.to }, isAlone ? `,${eol}${indent}${entry}` : `, ${entry}`)
}

function withoutKey(text: string, root: YAMLMap, path: readonly string[]): string | undefined {
  let map = root
  for (const key of path.slice(0, -1)) {
    const inner = pairs(map).find((each) => keyOf(each) === key)?.value
    if (!isMapNode(inner)) return undefined
    map = inner
  }
  const all = pairs(map)
  const index = all.findIndex((each) => keyOf(each) === path.at(-1))
  const [pair, before, next] = [all[index], all[index - 1], all[index + 1]]
  if (pair === undefined) return undefined
  const [start, end] = [keyStart(pair), valueRange(pair)?.to]
  if (start === undefined || end === undefined) return undefined
  if (next !== undefined) {
    const from = keyStart(next)
    return from === undefined ? undefined : replaced(text, { from: start, to: from }, '')
  }
  const from = before === undefined ? (map.range?.[0] ?? start) + 1 : valueRange(before)?.to
  const to = before === undefined ? (map.range?.[1] ?? end) - 1 : end
  return from === undefined ? undefined : replaced(text, { from, to }, '')
}

type Range = { readonly from: number; readonly to: number }

function replaced(text: string, { from, to }: Range, by: string): string {
  return `${text.slice(0, from)}${text.includes('\r\n') ? by.replaceAll(/\r?\n/g, '\r\n') : by}${text.slice(to)}`
}

function pairs(map: YAMLMap): readonly Pair[] {
  return map.items.filter((item) => isPair(item))
}

function keyOf({ key }: Pair): string | undefined {
  return isScalar(key) ? String(key.value) : undefined
}

function keyStart({ key }: Pair): number | undefined {
  return isScalar(key) ? key.range?.[0] : undefined
}

function valueRange({ value }: Pair): Range | undefined {
  if (typeof value !== 'object' || value === null || !('range' in value) || !Array.isArray(value.range))
    return undefined
  const [from, to]: unknown[] = value.range
  return typeof from === 'number' && typeof to === 'number' ? { from, to } : undefined
}

/** The space at the beginning of the line of a place. */
function indentAt(text: string, at: number): string {
  const line = text.slice(text.lastIndexOf('\n', at - 1) + 1, at)
  return /^[ \t]*/u.exec(line)?.[0] ?? ''
}

function stepOf(text: string): string {
  return /\n([ \t]+)/u.exec(text)?.[1] ?? '  '
}
