import { isScalar, type Pair } from 'yaml'
import type { Data } from '../data.ts'
import { find, type Found, type Inside } from './find.ts'
import {
  colonOf,
  columnOf,
  endOf,
  endOfLine,
  type Extent,
  extentOf,
  isBlockCollection,
  isEmptyValue,
  keyOf,
  lineEnd,
  lineStart,
  nextLine,
  pairOf,
  skip,
  startOf,
  stepOf,
} from './lines.ts'
import { entryLines, flowText, formsOf, keyText, type Quote } from './written.ts'

/** A part of a text that is replaced. */
export type Splice = { readonly from: number; readonly to: number; readonly text: string }

/** Ways to make a change, the likeliest first; or why there is none. Each is read back before it is believed. */
export type Ways = { readonly ways: readonly (readonly Splice[])[] } | { readonly why: string }

const odd = { why: 'the place is written in a way that is not edited by program' } as const

export function applied(text: string, splices: readonly Splice[]): string | undefined {
  const inOrder = splices.toSorted((a, b) => a.from - b.from || a.to - b.to)
  let [result, done] = ['', 0]
  for (const { from, to, text: written } of inOrder) {
    if (from < done) return undefined
    result += text.slice(done, from) + written
    done = to
  }
  return result + text.slice(done)
}

// A value is written.

export function settings(text: string, found: Found, value: Data): Ways {
  switch (found.is) {
    case 'odd':
      return found
    case 'there':
      return replacement(text, found, value)
    case 'empty':
      return below(text, found, value)
    case 'missing':
      return insertion(text, found, value)
  }
}

function one(splice: Splice | undefined): Ways {
  return splice === undefined ? odd : { ways: [[splice]] }
}

function replacement(
  text: string,
  { pair, inside }: { readonly pair: Pair; readonly inside: Inside },
  value: Data,
): Ways {
  const { value: old } = pair
  const after = colonOf(pair)
  if (isEmptyValue(old)) {
    if (after === undefined) return odd
    return { ways: formsOf(value, undefined).map((form) => [{ from: after, to: after, text: ` ${form}` }]) }
  }
  if (isBlockCollection(old)) {
    const extent = inside.isFlow ? undefined : extentOf(text, pair)
    if (extent === undefined || after === undefined) return odd
    const first = nextLine(text, after)
    const rest = { from: first, to: extent.to, text: '' }
    const way = (form: string): readonly Splice[] => [{ from: after, to: after, text: ` ${form}` }, rest]
    return { ways: formsOf(value, undefined).map(way) }
  }
  const node: { readonly range?: unknown; readonly type?: unknown } = Object(old)
  const [from, to]: readonly unknown[] = Array.isArray(node.range) ? node.range : []
  if (typeof from !== 'number' || typeof to !== 'number') return odd
  const quote: Quote = node.type === 'QUOTE_SINGLE' ? 'single' : node.type === 'QUOTE_DOUBLE' ? 'double' : undefined
  // A block of text ends with its last line.
  const isBlock = node.type === 'BLOCK_LITERAL' || node.type === 'BLOCK_FOLDED'
  const end = isBlock ? (/\r?\n$/.exec(text.slice(from, to))?.[0] ?? '') : ''
  return { ways: formsOf(value, quote).map((form) => [{ from, to, text: `${form}${end}` }]) }
}

/** A key whose value is nothing yet: what is in it goes on the lines below, or behind its colon. */
function below(
  text: string,
  { pair, inside, keys }: { readonly pair: Pair; readonly inside: Inside; readonly keys: readonly string[] },
  value: Data,
): Ways {
  const after = colonOf(pair)
  const key = startOf(pair)
  if (after === undefined || key === undefined) return odd
  const [first = '', ...rest] = keys
  const nested = rest.reduceRight<string>((inner, name) => `{ ${keyText(name, undefined)}: ${inner} }`, flowText(value))
  const flow = `{ ${keyText(first, undefined)}: ${nested} }`
  // `null` or `~` stands there.
  if (!isEmptyValue(pair.value)) {
    const range = isScalar(pair.value) ? pair.value.range : undefined
    return range === undefined || range === null ? odd : one({ from: range[0], to: range[1], text: flow })
  }
  if (inside.isFlow) return one({ from: after, to: after, text: ` ${flow}` })
  const at = endOfLine(text, after)
  const step = stepOf(text, inside.map, inside.outer.at(-1)?.map)
  const indent = columnOf(text, key) + step
  const eol = lineEnd(text, at)
  const lines = nestedLines(keys, value, { indent, step, quote: undefined })
  return one({ from: at, to: at, text: lines.map((line) => `${eol}${line}`).join('') })
}

function nestedLines(
  keys: readonly string[],
  value: Data,
  { indent, step, quote }: { readonly indent: number; readonly step: number; readonly quote: Quote },
): readonly string[] {
  const [first = '', ...rest] = keys
  if (rest.length === 0) return entryLines(first, value, { indent, step, quote })
  const inner = nestedLines(rest, value, { indent: indent + step, step, quote })
  return [`${' '.repeat(indent)}${keyText(first, quote)}:`, ...inner]
}

/** Behind the last pair of a map, in the style of the map. */
function insertion(
  text: string,
  { inside, keys }: { readonly inside: Inside; readonly keys: readonly string[] },
  value: Data,
): Ways {
  const { map, isFlow } = inside
  const last = map.items.at(-1)
  const quote = quoteOf(last)
  const [first = '', ...rest] = keys
  if (isFlow) {
    const forms = rest.length === 0 ? formsOf(value, undefined) : [nestedFlow(rest, value)]
    return { ways: forms.flatMap((form) => flowEntry(text, inside, `${keyText(first, quote)}: ${form}`)) }
  }
  const step = stepOf(text, map, inside.outer.at(-1)?.map)
  const place = behindLast(text, inside)
  if (place === undefined) return odd
  const { indent } = place
  const ways = [nestedLines(keys, value, { indent, step, quote })]
  // A text is first tried as it is, without quotes.
  if (typeof value === 'string' && flowText(value) !== value && !value.startsWith('?')) {
    const lead = nestedLines(keys, '', { indent, step, quote })
    ways.unshift([...lead.slice(0, -1), `${(lead.at(-1) ?? '').replace(/""$/, '')}${value}`])
  }
  return { ways: ways.flatMap((lines) => place.write(lines)) }
}

function nestedFlow(keys: readonly string[], value: Data): string {
  return keys.reduceRight<string>((inner, name) => `{ ${keyText(name, undefined)}: ${inner} }`, flowText(value))
}

function quoteOf(pair: Pair | undefined): Quote {
  const key = pair === undefined ? undefined : keyOf(pair)
  return key?.type === 'QUOTE_DOUBLE' ? 'double' : key?.type === 'QUOTE_SINGLE' ? 'single' : undefined
}

/** The places behind the last entry of a map without brackets, and how lines are put there. */
function behindLast(
  text: string,
  { map }: Inside,
):
  | { readonly indent: number; readonly write: (lines: readonly string[]) => readonly (readonly Splice[])[] }
  | undefined {
  const [first, last] = [map.items[0], map.items.at(-1)]
  const start = first === undefined ? undefined : startOf(first)
  const extent = last === undefined ? undefined : extentOf(text, last)
  if (start === undefined || extent === undefined) return undefined
  const indent = columnOf(text, start)
  // Where a map begins behind something else (an item of a list, an explicit key), its column is not its indent alone.
  if (text.slice(start - indent, start).trim() !== '') return undefined
  const eol = lineEnd(text, extent.to)
  const write = (lines: readonly string[]): readonly (readonly Splice[])[] => [
    [lineSplice(text, extent.to, lines, eol)],
  ]
  return { indent, write }
}

/** Puts lines where a line begins; a file whose last line has no end keeps it so. */
function lineSplice(text: string, at: number, lines: readonly string[], eol: string): Splice {
  const isAtLine = at === 0 || text[at - 1] === '\n'
  const written = lines.map((line) => (isAtLine ? `${line}${eol}` : `${eol}${line}`)).join('')
  return { from: at, to: at, text: written }
}

/** An entry at the end of a map in brackets: on its line, or on one of its own where the last has that. */
function flowEntry(text: string, { map }: Inside, entry: string): readonly (readonly Splice[])[] {
  const { range } = map
  if (range === undefined || range === null) return []
  const [from, to] = range
  const last = map.items.at(-1)
  if (last === undefined) return /^\{\s*\}$/.test(text.slice(from, to)) ? [[{ from, to, text: `{ ${entry} }` }]] : []
  const [start, end] = [startOf(last), endOf(last)]
  if (start === undefined || end === undefined) return []
  const next = skip(text, end)
  const hasComma = text[next] === ','
  const indent = text.slice(lineStart(text, start), start)
  const isOnOwnLine = indent.trim() === '' && lineStart(text, start) > from
  const close = skip(text, hasComma ? next + 1 : end)
  if (isOnOwnLine && lineStart(text, close) > end) {
    const eol = lineEnd(text, end)
    const line = `${eol}${indent}${entry}${hasComma ? ',' : ''}`
    const at = endOfLine(text, hasComma ? next : end)
    return [[...(hasComma ? [] : [{ from: end, to: end, text: ',' }]), { from: at, to: at, text: line }]]
  }
  return [[{ from: end, to: end, text: `, ${entry}` }]]
}

// A key is taken out.

/** What takes out an entry: its lines, or its part of a line. */
export function removals(text: string, found: Found): Ways {
  if (found.is !== 'there') return { why: 'there is no such key' }
  const { pair, inside } = found
  if (inside.isFlow) return one(flowRemoval(text, inside, pair))
  const extent = extentOf(text, pair)
  if (extent === undefined) return odd
  if (inside.map.items.length > 1) return one(lineRemoval(text, extent))
  const parent = inside.outer.at(-1)?.pair
  const after = parent === undefined ? undefined : colonOf(parent)
  if (after === undefined) return { why: 'nothing would be left of the file' }
  return { ways: [[{ from: after, to: after, text: ' {}' }, lineRemoval(text, extent)]] }
}

function lineRemoval(text: string, { from, to }: Extent): Splice {
  const isLast = to === text.length && text[to - 1] !== '\n'
  const before = isLast ? (/\r?\n$/.exec(text.slice(0, from))?.[0].length ?? 0) : 0
  return { from: from - before, to, text: '' }
}

function flowRemoval(text: string, { map }: Inside, pair: Pair): Splice | undefined {
  const { range } = map
  const [start, end] = [startOf(pair), endOf(pair)]
  if (range === undefined || range === null || start === undefined || end === undefined) return undefined
  const index = map.items.indexOf(pair)
  const before = index === 0 ? undefined : map.items[index - 1]
  const beforeEnd = before === undefined ? range[0] + 1 : endOf(before)
  if (beforeEnd === undefined) return undefined
  const comma = skip(text, beforeEnd)
  const opening = before === undefined ? beforeEnd : comma + 1
  // Nothing but a comma lies between two entries: no tag, no mark of an explicit key.
  if ((before !== undefined && text[comma] !== ',') || skip(text, opening) !== start) return undefined
  const next = skip(text, end)
  const hasComma = text[next] === ','
  const stop = hasComma ? next + 1 : end
  const rest = text.slice(stop, endOfLine(text, stop))
  const startsLine = text.slice(lineStart(text, start), start).trim() === ''
  if (startsLine && /^\s*(?:#.*)?$/.test(rest))
    return { from: lineStart(text, start), to: nextLine(text, stop), text: '' }
  if (map.items.length === 1) return { from: range[0] + 1, to: range[1] - 1, text: '' }
  const isLast = index === map.items.length - 1
  const spaces = /^[ \t]*/.exec(text.slice(stop))?.[0].length ?? 0
  const isLastOfLine =
    isLast || text[stop + spaces] === '\n' || text[stop + spaces] === '\r' || text[stop + spaces] === '#'
  if (!isLastOfLine || before === undefined || startsLine) {
    if (isLast && !startsLine) return undefined
    return { from: start, to: isLast ? stop : stop + spaces, text: '' }
  }
  return hasComma ? { from: comma + 1, to: stop, text: '' } : { from: beforeEnd, to: end, text: '' }
}

// A key gets another name, or another place.

export function renamings(
  text: string,
  {
    root,
    path,
    to,
  }: { readonly root: Inside['map']; readonly path: readonly string[]; readonly to: readonly string[] },
): Ways {
  const found = find(root, path)
  if (found.is !== 'there') return { why: 'there is no such key' }
  const { pair, inside } = found
  const own = path.slice(0, -1)
  const [key, name] = [path.at(-1), to[own.length]]
  const isBelow = own.every((step, index) => to[index] === step)
  if (isBelow && name !== undefined && (name === key || pairOf(inside.map, name) === undefined))
    return inPlace(text, { pair, inside, keys: to.slice(own.length) })
  const target = find(root, to)
  if (target.is === 'odd') return target
  if (target.is === 'there') return { why: 'the key has a value already' }
  return moved(text, { pair, inside, target })
}

/** The entry stays where it is, under another key, or under a map that is made around it. */
function inPlace(
  text: string,
  { pair, inside, keys }: { readonly pair: Pair; readonly inside: Inside; readonly keys: readonly string[] },
): Ways {
  const key = keyOf(pair)
  const end = endOf(pair)
  if (key === undefined || end === undefined) return odd
  const [from, to] = key.range
  const quote = quoteOf(pair)
  const last = keys.at(-1) ?? ''
  const around = keys.slice(0, -1)
  const named = { from, to, text: keyText(last, quote) }
  if (around.length === 0) return one(named)
  if (inside.isFlow) {
    const open = around.map((name) => `${keyText(name, quote)}: { `).join('')
    const close = { from: end, to: end, text: ' }'.repeat(around.length) }
    return { ways: [[{ ...named, text: `${open}${named.text}` }, close]] }
  }
  const extent = extentOf(text, pair)
  if (extent === undefined) return odd
  const step = stepOf(text, inside.map, inside.outer.at(-1)?.map)
  const eol = lineEnd(text, nextLine(text, from))
  const heads = around.map((name, index) => `${' '.repeat(extent.column + index * step)}${keyText(name, quote)}:${eol}`)
  const lines = `${text.slice(extent.from, from)}${named.text}${text.slice(to, extent.to)}`
  const shifted = indented(lines, around.length * step)
  return one({ from: extent.from, to: extent.to, text: `${heads.join('')}${shifted}` })
}

/** Lines further to the right, or to the left by a negative number; blank ones stay as they are. */
function indented(lines: string, by: number): string {
  if (by >= 0) return lines.replaceAll(/^(?=[^\r\n])/gm, ' '.repeat(by))
  return lines.replaceAll(new RegExp(`^ {1,${-by}}`, 'gm'), '')
}

/** The entry is cut out and put at the end of another map, as it is written. */
function moved(
  text: string,
  {
    pair,
    inside,
    target,
  }: {
    readonly pair: Pair
    readonly inside: Inside
    readonly target: Extract<Found, { is: 'missing' | 'empty' }>
  },
): Ways {
  const removed = removals(text, { is: 'there', pair, inside })
  if ('why' in removed) return removed
  const key = keyOf(pair)
  const end = endOf(pair)
  if (key === undefined || end === undefined) return odd
  const extent = inside.isFlow ? undefined : extentOf(text, pair)
  // What stands behind the key: the value, and in a map without brackets its comments.
  const body = text.slice(key.range[1], extent === undefined ? end : extent.to).replace(/\r?\n$/, '')
  const placed = intoPlace(text, { target, body, column: extent?.column })
  if (placed === undefined) return odd
  const kept = placed.note === undefined || extent === undefined ? [] : [keptNote(text, extent, placed.note)]
  return { ways: removed.ways.map((way) => [...noteInstead(way, kept), ...placed.splices]) }
}

/** The comment of an entry that goes where no comment can stand stays, on a line of its own. */
function keptNote(text: string, { from, column }: Extent, note: string): string {
  return `${' '.repeat(column)}${note}${lineEnd(text, nextLine(text, from))}`
}

function noteInstead(way: readonly Splice[], notes: readonly string[]): readonly Splice[] {
  const last = way.at(-1)
  return last === undefined || notes.length === 0 ? way : [...way.slice(0, -1), { ...last, text: notes.join('') }]
}

function intoPlace(
  text: string,
  {
    target,
    body,
    column,
  }: {
    readonly target: Extract<Found, { is: 'missing' | 'empty' }>
    readonly body: string
    readonly column: number | undefined
  },
): { readonly splices: readonly Splice[]; readonly note?: string } | undefined {
  const { inside, keys } = target
  const last = keys.at(-1) ?? ''
  const around = keys.slice(0, -1)
  const isFlow = inside.isFlow || (target.is === 'empty' && !isEmptyValue(target.pair.value))
  if (isFlow) {
    if (body.includes('\n')) return undefined
    const note = /(?:^|\s)(#.*)$/.exec(commentOf(body))?.[1]
    const value = note === undefined ? body : body.slice(0, body.length - commentOf(body).length).trimEnd()
    const names = around.map((name) => `${keyText(name, undefined)}: { `).join('')
    const entry = `${names}${keyText(last, undefined)}${value}${' }'.repeat(around.length)}`
    const splices = target.is === 'missing' ? flowEntry(text, inside, entry)[0] : undefined
    return splices === undefined ? undefined : { splices, ...(note === undefined ? {} : { note }) }
  }
  const step = stepOf(text, inside.map, inside.outer.at(-1)?.map)
  const start = target.is === 'empty' ? startOf(target.pair) : undefined
  const place = target.is === 'missing' ? behindLast(text, inside) : undefined
  const indent = start === undefined ? place?.indent : columnOf(text, start) + step
  if (indent === undefined) return undefined
  const own = indent + around.length * step
  const heads = around.map((name, index) => `${' '.repeat(indent + index * step)}${keyText(name, undefined)}:`)
  const [first = '', ...rest] = `${keyText(last, undefined)}${body}`.split(/\r?\n/)
  const by = own - (column ?? own)
  if (column === undefined && rest.length > 0) return undefined
  const lines = [...heads, `${' '.repeat(own)}${first}`, ...rest.map((line) => indented(line, by))]
  if (place !== undefined) {
    const splices = place.write(lines)[0]
    return splices === undefined ? undefined : { splices }
  }
  const after = target.is === 'empty' ? colonOf(target.pair) : undefined
  if (after === undefined) return undefined
  const at = endOfLine(text, after)
  return { splices: [{ from: at, to: at, text: lines.map((line) => `${lineEnd(text, at)}${line}`).join('') }] }
}

/** The comment at the end of a line that holds a value, by the way in which the value is written. */
function commentOf(body: string): string {
  const value = body.replace(/^\s*:\s*/, '')
  const quoted = /^(?:"(?:[^"\\]|\\.)*"|'(?:[^']|'')*')/.exec(value)?.[0] ?? ''
  const at = value.slice(quoted.length).search(/(?:^|\s)#/)
  return at === -1 ? '' : value.slice(quoted.length + at)
}
