import { isAlias, isMap as isMapNode, isPair, isScalar, parseDocument, type Pair, type YAMLMap } from 'yaml'
import { canonicalJson } from './canonical.ts'
import { type Data, type DataMap, entriesOf, isMap, mapOf } from './data.ts'
import { readYaml } from './yaml.ts'

/** What can be written into a file: a word, a number, a yes or no. */
export type Scalar = string | number | bigint | boolean

/**
 * A change of one value. Paths are keys of maps. `set` writes a value, and the maps above it where there are none; `rename` gives a
 * value another key, in its place where the map is the same; `remove` takes a key with its value and its own comment.
 */
export type Edit =
  | { readonly is: 'set'; readonly path: readonly string[]; readonly value: Data }
  | { readonly is: 'rename'; readonly path: readonly string[]; readonly to: readonly string[] }
  | { readonly is: 'remove'; readonly path: readonly string[] }

/** The text with one value set; or nothing, where that cannot be done without touching more than it. */
export type Edited = { readonly is: 'edited'; readonly text: string } | { readonly is: 'unsure'; readonly why: string }

/**
 * Sets one value in a file that people write, and leaves the rest as it is, to the byte: comments, order, quotes, the ends of
 * lines. What is there is replaced; what is not is put at the end of the map that it belongs into, in the style of that map. The
 * keys of `path` are those of maps. The result is read again: it is what was meant, or the edit is not made.
 */
export function setValue(
  file: string,
  text: string,
  { path, value }: { path: readonly string[]; value: Scalar },
): Edited {
  const before = readYaml(file, text, 'own')
  if (!before.ok) return { is: 'unsure', why: 'the file has mistakes' }
  const root = before.value.data
  if (!isMap(root) || path.length === 0) return { is: 'unsure', why: 'the file is not a map' }
  const place = placeFor(text, path)
  if (place === undefined) return { is: 'unsure', why: 'the place is written in a way that is not edited by program' }
  const wanted = canonicalJson(withValue(root, path, value))
  for (const written of formsOf(value, place.quote)) {
    const edited = `${text.slice(0, place.from)}${place.write(written)}${text.slice(place.to)}`
    const after = readYaml(file, edited, 'own')
    const isMeant = after.ok && canonicalJson(after.value.data) === wanted
    if (isMeant && after.problems.length <= before.problems.length) return { is: 'edited', text: edited }
  }
  return { is: 'unsure', why: 'the value does not read back as what it is' }
}

function withValue(map: DataMap, [key, ...rest]: readonly string[], value: Scalar): DataMap {
  if (key === undefined) return map
  const old = Object.hasOwn(map, key) ? map[key] : undefined
  const inner: Data = rest.length === 0 ? value : withValue(isMap(old) ? old : mapOf(), rest, value)
  return mapOf([...entriesOf(map).filter(([name]) => name !== key), [key, inner]])
}

/** How a value may be written, the likeliest first: as what was there before, where that was in quotes. */
function formsOf(value: Scalar, quote: 'single' | 'double' | undefined): readonly string[] {
  if (typeof value !== 'string') return [String(value)]
  const double = JSON.stringify(value)
  const single = `'${value.replaceAll("'", "''")}'`
  if (quote === 'single') return [single, double]
  return quote === 'double' ? [double] : [value, double]
}

/** The part of a text that is replaced, and what stands there for a written value. */
type PlaceFor = {
  readonly from: number
  readonly to: number
  readonly quote: 'single' | 'double' | undefined
  readonly write: (written: string) => string
}

function placeFor(text: string, path: readonly string[]): PlaceFor | undefined {
  const { contents, errors } = parseDocument(text, {
    version: '1.2',
    schema: 'failsafe',
    keepSourceTokens: true,
    logLevel: 'error',
    prettyErrors: false,
  })
  if (errors.length > 0 || !isMapNode(contents)) return undefined
  let map: YAMLMap = contents
  let isFlow = contents.flow === true
  for (const [index, key] of path.entries()) {
    const rest = path.slice(index + 1)
    const pair = pairOf(map, key)
    if (pair === undefined) return insertion(text, map, { keys: [key, ...rest], isFlow })
    const { value } = pair
    if (isMapNode(value)) {
      if (rest.length === 0) return undefined
      map = value
      isFlow ||= value.flow === true
      continue
    }
    if (isAlias(value) || !isScalar(value)) return undefined
    const isEmpty = value.source === undefined || value.source === ''
    const isQuoted = value.type === 'QUOTE_DOUBLE' || value.type === 'QUOTE_SINGLE'
    if (isEmpty && !isQuoted) return below(text, pair, { keys: rest, isFlow })
    return rest.length === 0 ? replacement(text, value) : undefined
  }
  return undefined
}

function pairOf(map: YAMLMap, key: string): Pair | undefined {
  return map.items.find((each) => isScalar(each.key) && each.key.value === key)
}

function replacement(
  text: string,
  { range, type }: { readonly range?: readonly [number, number, number] | null | undefined; readonly type?: unknown },
): PlaceFor | undefined {
  if (range === undefined || range === null) return undefined
  const [from, to] = range
  const quote = type === 'QUOTE_SINGLE' ? 'single' : type === 'QUOTE_DOUBLE' ? 'double' : undefined
  // A block of text ends with its last line.
  const isBlock = type === 'BLOCK_LITERAL' || type === 'BLOCK_FOLDED'
  const end = isBlock ? (/\r?\n$/.exec(text.slice(from, to))?.[0] ?? '') : ''
  return { from, to, quote, write: (written) => `${written}${end}` }
}

/** A key whose value is nothing yet: the value goes behind its colon, or what is in it on the lines below. */
function below(
  text: string,
  pair: Pair,
  { keys, isFlow }: { readonly keys: readonly string[]; readonly isFlow: boolean },
): PlaceFor | undefined {
  const after = colonOf(pair)
  const key = startOf(pair)
  if (after === undefined || key === undefined) return undefined
  if (keys.length === 0) return { from: after, to: after, quote: undefined, write: (written) => ` ${written}` }
  if (isFlow) return { from: after, to: after, quote: undefined, write: (written) => ` ${inFlow(keys, written)}` }
  const at = endOfLine(text, after)
  const indent = columnOf(text, key) + 2
  return { from: at, to: at, quote: undefined, write: (written) => inBlock(text, keys, { written, indent }) }
}

/** Behind the last pair of a map, in the style of the map. */
function insertion(
  text: string,
  map: YAMLMap,
  { keys, isFlow }: { readonly keys: readonly string[]; readonly isFlow: boolean },
): PlaceFor | undefined {
  const last = map.items.at(-1)
  if (isFlow) {
    if (map.range === undefined || map.range === null) return undefined
    if (last === undefined) {
      const [from, to] = map.range
      return { from, to, quote: undefined, write: (written) => inFlow(keys, written) }
    }
    const at = endOf(last)
    if (at === undefined) return undefined
    const [key = '', ...rest] = keys
    const pair = (written: string): string => `, ${key}: ${rest.length === 0 ? written : inFlow(rest, written)}`
    return { from: at, to: at, quote: undefined, write: pair }
  }
  const first = map.items[0]
  const start = first === undefined ? undefined : startOf(first)
  const end = last === undefined ? undefined : endOf(last)
  if (start === undefined || end === undefined) return undefined
  const indent = columnOf(text, start)
  // Where a map begins behind something else (an item of a list, an explicit key), its column is not its indent alone.
  if (text.slice(start - indent, start).trim() !== '') return undefined
  const isAfterLine = end > 0 && text[end - 1] === '\n'
  const at = isAfterLine ? end : endOfLine(text, end)
  return {
    from: at,
    to: at,
    quote: undefined,
    write: (written) => {
      const lines = inBlock(text, keys, { written, indent })
      const { eol } = lineEnds(text)
      return isAfterLine ? `${lines.slice(eol.length)}${eol}` : lines
    },
  }
}

function inFlow(keys: readonly string[], written: string): string {
  return keys.reduceRight((inner, key) => `{ ${key}: ${inner} }`, written)
}

/** New lines, each behind the end of the one before. */
function inBlock(
  text: string,
  keys: readonly string[],
  { written, indent }: { readonly written: string; readonly indent: number },
): string {
  const { eol } = lineEnds(text)
  return keys
    .map((key, index) => {
      const value = index === keys.length - 1 ? ` ${written}` : ''
      return `${eol}${' '.repeat(indent + 2 * index)}${key}:${value}`
    })
    .join('')
}

function lineEnds(text: string): { readonly eol: string } {
  return { eol: /\r?\n/.exec(text)?.[0] ?? '\n' }
}

function startOf({ key }: Pair): number | undefined {
  return isScalar(key) ? key.range?.[0] : undefined
}

/** Where the last that belongs to a pair ends. */
function endOf(pair: Pair): number | undefined {
  const { value } = pair
  if (isMapNode(value) && value.flow !== true) {
    const last = value.items.at(-1)
    return last === undefined ? undefined : endOf(last)
  }
  if (isScalar(value) && (value.source === undefined || value.source === '') && value.range?.[0] === value.range?.[1])
    return colonOf(pair) ?? (isScalar(pair.key) ? pair.key.range?.[1] : undefined)
  if (isScalar(value) || isMapNode(value)) return value.range?.[1]
  const node: { readonly range?: unknown; readonly items?: unknown; readonly flow?: unknown } = Object(value)
  return lastOf(node)
}

/** A list ends with its last item, and in brackets with these. */
function lastOf(node: {
  readonly range?: unknown
  readonly items?: unknown
  readonly flow?: unknown
}): number | undefined {
  const range = Array.isArray(node.range) ? node.range : []
  const end: unknown = range[1]
  const own = typeof end === 'number' ? end : undefined
  if (node.flow === true || !Array.isArray(node.items)) return own
  const item: unknown = node.items.at(-1)
  if (isPair(item)) return endOf(item)
  if (isMapNode(item) && item.flow !== true) {
    const last = item.items.at(-1)
    return last === undefined ? own : endOf(last)
  }
  return item === undefined ? own : lastOf(Object(item))
}

/** Behind the colon of a pair. */
function colonOf({ srcToken }: Pair): number | undefined {
  const token = srcToken?.sep?.find(({ type }) => type === 'map-value-ind')
  return token === undefined ? undefined : token.offset + token.source.length
}

function endOfLine(text: string, from: number): number {
  const at = text.indexOf('\n', from)
  if (at === -1) return text.length
  return text[at - 1] === '\r' ? at - 1 : at
}

function columnOf(text: string, at: number): number {
  return at - (text.lastIndexOf('\n', at - 1) + 1)
}
