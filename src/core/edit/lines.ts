import { isMap as isMapNode, isPair, isScalar, type Pair, type Scalar as ScalarNode, type YAMLMap } from 'yaml'

/** Where things stand in a text, by its nodes: the lines of an entry, its ends, what is its own. Offsets are UTF-16 units. */

/** The end of a line as the text has it around an offset; as its first line has it where there is none before. */
export function lineEnd(text: string, at: number): string {
  const before = text.lastIndexOf('\n', at - 1)
  if (before > 0) return text[before - 1] === '\r' ? '\r\n' : '\n'
  return /\r?\n/.exec(text)?.[0] ?? '\n'
}

export function lineStart(text: string, at: number): number {
  return text.lastIndexOf('\n', at - 1) + 1
}

/** Where the text of a line ends, before what ends it. */
export function endOfLine(text: string, from: number): number {
  const at = text.indexOf('\n', from)
  if (at === -1) return text.length
  return at > from && text[at - 1] === '\r' ? at - 1 : at
}

/** Where the next line begins. */
export function nextLine(text: string, from: number): number {
  const at = text.indexOf('\n', from)
  return at === -1 ? text.length : at + 1
}

export function columnOf(text: string, at: number): number {
  return at - lineStart(text, at)
}

export function keyOf({ key }: Pair): (ScalarNode & { range: [number, number, number] }) | undefined {
  if (!isScalar(key)) return undefined
  const { range } = key
  return range === undefined || range === null ? undefined : Object.assign(key, { range })
}

export function startOf(pair: Pair): number | undefined {
  return keyOf(pair)?.range[0]
}

export function pairOf(map: YAMLMap, key: string): Pair | undefined {
  return map.items.find((each) => isScalar(each.key) && each.key.value === key)
}

/** Behind the colon of a pair. */
export function colonOf({ srcToken }: Pair): number | undefined {
  const token = srcToken?.sep?.find(({ type }) => type === 'map-value-ind')
  return token === undefined ? undefined : token.offset + token.source.length
}

/** A key with nothing behind its colon. */
export function isEmptyValue(value: unknown): boolean {
  if (value === null || value === undefined) return true
  return isScalar(value) && value.type === 'PLAIN' && (value.source === undefined || value.source === '')
}

/** Whether a value is a map or a list on lines of its own. */
export function isBlockCollection(value: unknown): boolean {
  const node: { readonly items?: unknown; readonly flow?: unknown } = Object(value)
  return Array.isArray(node.items) && node.flow !== true
}

/** Where the last that belongs to a pair ends; without a comment behind it. */
export function endOf(pair: Pair): number | undefined {
  const { value } = pair
  if (isEmptyValue(value)) return colonOf(pair) ?? keyOf(pair)?.range[1]
  return endOfNode(value)
}

/** A list or a map ends with its last item, and in brackets with these. */
function endOfNode(value: unknown): number | undefined {
  const node: { readonly range?: unknown; readonly items?: unknown } = Object(value)
  const range = Array.isArray(node.range) ? node.range : []
  const end: unknown = range[1]
  const own = typeof end === 'number' ? end : undefined
  if (!isBlockCollection(value) || !Array.isArray(node.items)) return own
  const item: unknown = node.items.at(-1)
  if (item === undefined) return own
  return isPair(item) ? endOf(item) : endOfNode(item)
}

/** Past spaces, ends of lines and comments, to what means something. */
export function skip(text: string, from: number): number {
  let at = from
  for (;;) {
    const next = text[at]
    if (next === '#' && /[\s,[\]{}]/.test(text[at - 1] ?? ' ')) at = endOfLine(text, at)
    else if (next === ' ' || next === '\t' || next === '\n' || next === '\r') at += 1
    else return at
  }
}

export type Extent = {
  /** The beginning of the line of the key, and of the line behind the entry. */
  readonly from: number
  readonly to: number
  /** Where the value ends on its last line. */
  readonly end: number
  /** How far to the right the key begins. */
  readonly column: number
}

/**
 * The lines of an entry of a map that is not in brackets: those of its key and value, the comment behind it with its further
 * lines, and comments inside of it. Nothing where the entry shares a line with something else.
 */
export function extentOf(text: string, pair: Pair): Extent | undefined {
  const start = startOf(pair)
  const end = endOf(pair)
  if (start === undefined || end === undefined) return undefined
  const from = lineStart(text, start)
  if (text.slice(from, start).trim() !== '') return undefined
  const column = start - from
  const isPastLine = end > from && text[end - 1] === '\n'
  if (!isPastLine && !/^\s*(?:#.*)?$/.test(text.slice(end, endOfLine(text, end)))) return undefined
  const to = isPastLine ? end : nextLine(text, end)
  const isOpen = isBlockCollection(pair.value) || isEmptyValue(pair.value)
  const note = isPastLine ? -1 : text.slice(end, endOfLine(text, end)).indexOf('#')
  const noteColumn = note === -1 ? undefined : columnOf(text, end + note)
  const isOwn = (indent: number): boolean => (isOpen ? indent > column : indent === noteColumn && indent > column)
  return { from, to: pastComments(text, to, { isOwn, blanks: isOpen }), end, column }
}

/** Behind the comments that belong to what ends here; blank lines before one of them belong to it too. */
function pastComments(
  text: string,
  from: number,
  { isOwn, blanks }: { readonly isOwn: (indent: number) => boolean; readonly blanks: boolean },
): number {
  let [at, done] = [from, from]
  while (at < text.length) {
    const line = text.slice(at, endOfLine(text, at))
    const body = line.trimStart()
    if (body.startsWith('#') ? !isOwn(line.length - body.length) : body !== '' || !blanks) break
    at = nextLine(text, at)
    if (body !== '') done = at
  }
  return done
}

/** How much further to the right a map inside of this one is written: as this one inside of its own. */
export function stepOf(text: string, map: YAMLMap, outer: YAMLMap | undefined): number {
  const own = map.items[0] === undefined ? undefined : startOf(map.items[0])
  const above = outer?.items[0] === undefined ? undefined : startOf(outer.items[0])
  if (own !== undefined && above !== undefined) {
    const step = columnOf(text, own) - columnOf(text, above)
    if (step > 0 && step <= 8) return step
  }
  for (const { value } of map.items) {
    const inner = isMapNode(value) && value.flow !== true ? value.items[0] : undefined
    const start = inner === undefined ? undefined : startOf(inner)
    if (start === undefined || own === undefined) continue
    const step = columnOf(text, start) - columnOf(text, own)
    if (step > 0 && step <= 8) return step
  }
  return 2
}
