/** A pattern as a tree. What one character may be is decided by the machine's own engine, which needs but a moment for one. */
export type Node =
  | { readonly is: 'one'; readonly source: string; readonly flags: string }
  | { readonly is: 'at'; readonly place: Place }
  | { readonly is: 'all'; readonly parts: readonly Node[] }
  | { readonly is: 'any'; readonly choices: readonly Node[] }
  /** `most` is missing where there is no end. */
  | { readonly is: 'many'; readonly part: Node; readonly least: number; readonly most: number | undefined }

/** A place between two characters; `line` is where the flag `m` is set. */
export type Place = 'start' | 'end' | 'line-start' | 'line-end' | 'word-edge' | 'no-word-edge'

/** Why a pattern cannot be read. */
export class Unreadable extends Error {}

/** Groups inside of each other. */
const deepest = 100

/**
 * Reads a pattern in the syntax of ECMA-262, and of RE2 what is often written instead (`(?i)`, `(?P<name>…)`, `\A`, `\z`).
 * Throws `Unreadable`. Look-around and back-references have been refused before.
 */
export function parsePattern(source: string): Node {
  const reader: Reader = { text: [...source], at: 0, flags: '', depth: 0 }
  const node = choices(reader)
  if (reader.at < reader.text.length) throw new Unreadable('a group is closed that was not opened')
  return node
}

type Reader = { readonly text: readonly string[]; at: number; flags: string; depth: number }

function peek({ text, at }: Reader, ahead = 0): string {
  return text[at + ahead] ?? ''
}

function rest({ text, at }: Reader, length: number): string {
  return text.slice(at, at + length).join('')
}

function choices(reader: Reader): Node {
  const { flags } = reader
  const found = [sequence(reader)]
  while (peek(reader) === '|') {
    reader.at += 1
    found.push(sequence(reader))
  }
  // Flags that were set inside of a group end with it.
  reader.flags = flags
  return found.length === 1 && found[0] !== undefined ? found[0] : { is: 'any', choices: found }
}

function sequence(reader: Reader): Node {
  const parts: Node[] = []
  for (let next = peek(reader); next !== '' && next !== '|' && next !== ')'; next = peek(reader)) {
    const part = single(reader)
    if (part !== undefined) parts.push(repeated(reader, part))
  }
  return { is: 'all', parts }
}

/** One character, place or group; nothing where flags are set for what follows. */
function single(reader: Reader): Node | undefined {
  const next = peek(reader)
  const isLines = reader.flags.includes('m')
  switch (next) {
    case '(':
      return group(reader)
    case '[':
      return one(reader, classLength(reader))
    case '^':
      reader.at += 1
      return { is: 'at', place: isLines ? 'line-start' : 'start' }
    case '$':
      reader.at += 1
      return { is: 'at', place: isLines ? 'line-end' : 'end' }
    case '*':
    case '+':
    case '?':
      throw new Unreadable(`there is nothing before \`${next}\``)
    case '\\':
      return escaped(reader)
    default:
      return one(reader, 1)
  }
}

function group(reader: Reader): Node | undefined {
  reader.depth += 1
  if (reader.depth > deepest) throw new Unreadable('groups lie too deep in each other')
  const outside = reader.flags
  const [whole = '', name, flags, end] =
    /^\((?:\?(?::|P?<([^>]*)>|([a-zA-Z]*(?:-[a-zA-Z]+)?)([:)])))?/u.exec(rest(reader, 60)) ?? []
  if (whole === '(' && peek(reader, 1) === '?')
    throw new Unreadable(`a group of an unknown kind, \`${rest(reader, 3)}\``)
  if (name !== undefined && !/^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(name))
    throw new Unreadable(`a group cannot be called ${JSON.stringify(name)}`)
  reader.at += [...whole].length
  if (flags !== undefined) reader.flags = withFlags(outside, flags)
  if (end === ')') {
    reader.depth -= 1
    return undefined
  }
  const inside = choices(reader)
  if (peek(reader) !== ')') throw new Unreadable('a group is not closed')
  reader.at += 1
  reader.depth -= 1
  reader.flags = outside
  return inside
}

function withFlags(before: string, said: string): string {
  const [on = '', off = ''] = said.split('-')
  const wrong = /[^ims]/u.exec(on + off)
  if (wrong !== null || (on === '' && off === ''))
    throw new Unreadable(`there is no flag ${JSON.stringify(wrong?.[0] ?? '')}`)
  return [...new Set(before + on)].filter((flag) => !off.includes(flag)).join('')
}

function repeated(reader: Reader, part: Node): Node {
  const counts = countsAt(reader)
  if (counts === undefined) return part
  reader.at += counts.length
  // Which of several matches is found makes no difference to whether there is one.
  if (peek(reader) === '?') reader.at += 1
  if (countsAt(reader) !== undefined) throw new Unreadable('what is repeated is repeated again')
  return { is: 'many', part, least: counts.least, most: counts.most }
}

function countsAt(
  reader: Reader,
): { readonly length: number; readonly least: number; readonly most: number | undefined } | undefined {
  const next = peek(reader)
  if (next === '*') return { length: 1, least: 0, most: undefined }
  if (next === '+') return { length: 1, least: 1, most: undefined }
  if (next === '?') return { length: 1, least: 0, most: 1 }
  // Braces of another form are characters like others.
  const [whole, from, comma, to] = /^\{(\d{1,9})(,(\d{0,9}))?\}/u.exec(rest(reader, 22)) ?? []
  if (whole === undefined) return undefined
  const least = Number(from)
  const most = comma === undefined ? least : to === '' ? undefined : Number(to)
  if (most !== undefined && most < least) throw new Unreadable(`the numbers of ${whole} are in the wrong order`)
  return { length: whole.length, least, most }
}

function escaped(reader: Reader): Node {
  const next = peek(reader, 1)
  const place = Object.hasOwn(places, next) ? places[next] : undefined
  if (place !== undefined) {
    reader.at += 2
    return { is: 'at', place }
  }
  return one(reader, escapeLength(reader, 0))
}

const places: Readonly<Record<string, Place>> = { b: 'word-edge', B: 'no-word-edge', A: 'start', z: 'end' }

/** How long the escape at an offset is: a class of Unicode and a number have more than two characters. */
function escapeLength({ text, at }: Reader, offset: number): number {
  const here = text.slice(at + offset, at + offset + 60).join('')
  // In other dialects such a letter has a meaning; it is not simply itself.
  if (!/^\\(?:[dDwWsStnrfv]|[pP]\{|u\{|u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|c[a-zA-Z]|0(?!\d)|[^a-zA-Z0-9])/u.test(here))
    throw new Unreadable(here === '\\' ? 'it ends with a backslash' : `\`${here.slice(0, 2)}\` has no meaning here`)
  const [whole = ''] =
    /^\\(?:[pP]\{[^}]*\}|u\{[0-9a-fA-F]+\}|u[0-9a-fA-F]{4}(?:\\u[dD][c-fC-F][0-9a-fA-F]{2})?|x[0-9a-fA-F]{2}|c[a-zA-Z]|[^])/u.exec(
      here,
    ) ?? []
  const isPair = /^\\u[dD][89abAB]/u.test(whole)
  // Two escapes that are one character are only so if the first is the first half of one.
  return whole.length > 6 && whole.startsWith('\\u') && !whole.startsWith('\\u{') && !isPair ? 6 : [...whole].length
}

function classLength(reader: Reader): number {
  let length = peek(reader, 1) === '^' ? 2 : 1
  for (let next = peek(reader, length); next !== ']'; next = peek(reader, length)) {
    if (next === '') throw new Unreadable('a class of characters is not closed')
    if (next === '[' && /[:.=]/u.test(peek(reader, length + 1)))
      throw new Unreadable('classes of POSIX, as `[:alpha:]`, are not of ECMA-262')
    length += next === '\\' ? Math.max(escapeLength(reader, length), 1) : 1
  }
  return length + 1
}

function one(reader: Reader, length: number): Node {
  const source = rest(reader, length)
  reader.at += length
  return { is: 'one', source, flags: reader.flags.replace('m', '') }
}
