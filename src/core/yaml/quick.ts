import { type Data, interned, isMap, newMap, share } from '../data.ts'
import { limits } from './bounds.ts'
import { attributeOf, shortTags } from './build.ts'
import { readPlain } from './scalars.ts'

/**
 * Reads what most rendered templates and most files of our own are made of, straight from the text to the data: keys and values one a line, lists,
 * texts on one line, brackets on one line, blocks of text, short tags. The answer is that of the events and `build`, which
 * a test compares; whatever is not of the plainest form, or deserves a word of warning, is left to them: then there is no
 * answer, and nothing is lost but a moment. The text has passed `outOfBounds`.
 */
export function readQuickly(text: string, { tags }: { readonly tags: boolean }): Data | undefined {
  if (text.includes('\t') || text.includes('\r')) return undefined
  const lines = text.split('\n')
  const reader: Reader = { text, lines, ...measured(lines), tags, next: -1, line: '', indent: 0, at: 0, nodes: 0 }
  try {
    advance(reader)
    const data = mapping(reader, 0, { depth: 0, isBegun: false })
    return reader.next < lines.length || !isMap(data) ? undefined : data
  } catch (error) {
    if (error === unsure) return undefined
    throw error
  }
}

type Reader = {
  readonly text: string
  readonly lines: readonly string[]
  /** Where each line begins, and how far it is indented; -1 for blank lines and comments. */
  readonly starts: readonly number[]
  readonly indents: readonly number[]
  /** Whether CloudFormation's short tags are read. */
  readonly tags: boolean
  /** The line that is next, its text and its indentation (-1 at the end); blank lines and comments are passed over. */
  next: number
  line: string
  indent: number
  /** How far the line is read. */
  at: number
  nodes: number
}

/** Thrown where the text is of another form. */
const unsure = new Error('not of the plainest form')

const [space, quote, hash, apostrophe, hyphen, colon] = [32, 34, 35, 39, 45, 58]

function measured(lines: readonly string[]): Pick<Reader, 'starts' | 'indents'> {
  const starts: number[] = []
  const indents: number[] = []
  let start = 0
  for (const line of lines) {
    const indent = indentOf(line)
    starts.push(start)
    indents.push(indent === line.length || line.charCodeAt(indent) === hash ? -1 : indent)
    start += line.length + 1
  }
  return { starts, indents }
}

function advance(reader: Reader): void {
  const { lines, indents } = reader
  for (reader.next += 1; reader.next < lines.length; reader.next += 1) {
    const indent = indents[reader.next] ?? -1
    if (indent === -1) continue
    const line = lines[reader.next] ?? ''
    // The marks of a document's beginning and end.
    if (indent === 0 && (line.startsWith('---') || line.startsWith('...'))) throw unsure
    reader.line = line
    reader.indent = indent
    return
  }
  reader.indent = -1
}

function indentOf(line: string): number {
  let indent = 0
  while (line.charCodeAt(indent) === space) indent += 1
  return indent
}

function count(reader: Reader, depth: number): void {
  reader.nodes += 1
  if (reader.nodes > limits.nodes / 4 || depth > limits.depth / 2) throw unsure
}

/** Marks of characters: 1 for letters, `_` and `$`, 2 for digits, 4 for signs that mean nothing inside a word. */
const kinds = new Uint8Array(128)
for (let code = 65; code < 91; code += 1) kinds[code] = kinds[code + 32] = 1
for (let code = 48; code < 58; code += 1) kinds[code] = 2
for (const sign of './-+*=@%') kinds[sign.charCodeAt(0)] = 4
kinds['_'.charCodeAt(0)] = kinds['$'.charCodeAt(0)] = 1

function kindAt(text: string, index: number): number {
  const code = text.charCodeAt(index)
  return code < 128 ? (kinds[code] ?? 0) : 0
}

/**
 * Where the key that begins at an index ends: at a colon before a space or the end of the line. -1 if there is none. A key
 * is of letters, digits and signs, and begins with a letter; or it is in quotes.
 */
function keyEnd(line: string, from: number): number {
  const first = line.charCodeAt(from)
  if (first === apostrophe || first === quote) {
    const end = line.indexOf(first === quote ? '"' : "'", from + 1)
    return end !== -1 && line.charCodeAt(end + 1) === colon && isBreak(line, end + 2) ? end + 1 : -1
  }
  if (kindAt(line, from) !== 1) return -1
  for (let index = from + 1; index < line.length; index += 1) {
    if (line.charCodeAt(index) === colon) {
      if (isBreak(line, index + 1)) return index
    } else if (kindAt(line, index) === 0) return -1
  }
  return -1
}

function isBreak(line: string, index: number): boolean {
  return index === line.length || line.charCodeAt(index) === space
}

function keyText(line: string, from: number, end: number): string {
  const first = line.charCodeAt(from)
  const isPlain = first !== apostrophe && first !== quote
  const key = isPlain ? line.slice(from, end) : line.slice(from + 1, end - 1)
  if (key.length > 200 || isOdd(key, isPlain) || (first === quote && key.includes('\\'))) throw unsure
  return interned(key)
}

/** A key with a meaning of its own, or one that JavaScript would put elsewhere. */
function isOdd(key: string, isPlain: boolean): boolean {
  const first = key.charCodeAt(0)
  if (key === '__proto__' || key === '' || (first >= 48 && first <= 57)) return true
  // A word has at most five letters; longer keys that begin with a letter are what they are.
  if (!isPlain || key.length > 5) return false
  const read = readPlain(key, 'cloudformation')
  return read.value !== key || read.doubt !== undefined
}

/** A collection of lines: where its keys or its hyphens stand, and how deep in the whole. */
type Frame = { readonly column: number; readonly isMap: boolean; readonly depth: number }

/** A map; its first key may stand behind the "- " of a list, and is next then. */
function mapping(reader: Reader, column: number, { depth, isBegun }: { depth: number; isBegun: boolean }): Data {
  count(reader, depth)
  const frame: Frame = { column, isMap: true, depth }
  const map = newMap()
  let size = 0
  for (let isFirst = isBegun; isFirst || reader.indent === column; isFirst = false) {
    const { line } = reader
    if (!isFirst && line.charCodeAt(column) === hyphen && isBreak(line, column + 1)) break
    const end = keyEnd(line, column)
    if (end === -1) throw unsure
    const key = keyText(line, column, end)
    size += 1
    // Nothing is inherited, and no value is undefined.
    if (size > limits.keys / 4 || map[key] !== undefined) throw unsure
    reader.at = end + 1
    map[key] = value(reader, frame)
  }
  if (reader.indent > column || size === 0) throw unsure
  return map
}

function sequence(reader: Reader, column: number, depth: number): Data {
  count(reader, depth)
  const frame: Frame = { column, isMap: false, depth }
  const list: Data[] = []
  while (reader.indent === column) {
    const { line } = reader
    if (line.charCodeAt(column) !== hyphen || line.charCodeAt(column + 1) !== space) break
    reader.at = column + 2
    if (keyEnd(line, column + 2) === -1) list.push(value(reader, frame))
    else list.push(mapping(reader, column + 2, { depth: depth + 1, isBegun: true }))
  }
  if (reader.indent > column) throw unsure
  return list
}

/** The value after a key or a "- ", up to the line that follows it. */
function value(reader: Reader, frame: Frame): Data {
  count(reader, frame.depth)
  pass(reader)
  const { line, at } = reader
  if (line.charAt(at) !== '!') return content(reader, frame, false)
  if (!reader.tags) throw unsure
  let end = at + 1
  while (end < line.length && line.charCodeAt(end) !== space) end += 1
  const tag = shortTags.get(line.slice(at, end))
  if (typeof tag !== 'object') throw unsure
  reader.at = end
  pass(reader)
  return long(tag.long, content(reader, frame, true))
}

function long(name: string, argument: Data): Data {
  const map = newMap()
  map[name] = name === 'Fn::GetAtt' && typeof argument === 'string' ? attributeOf(argument) : argument
  return map
}

function content(reader: Reader, { column, isMap: inMap, depth }: Frame, isTagged: boolean): Data {
  const { line, at } = reader
  switch (line.charAt(at)) {
    case '':
    case '#': {
      advance(reader)
      const { indent } = reader
      // The items of a list may stand as far left as its key.
      const isItem = reader.line.charCodeAt(indent) === hyphen && reader.line.charCodeAt(indent + 1) === space
      if (indent > column) return inside(reader, isItem, depth + 1)
      if (isItem && inMap && indent === column) return sequence(reader, indent, depth + 1)
      if (isTagged || !inMap) throw unsure
      return null
    }
    case '|':
    case '>':
      return block(reader, line.slice(at), column)
    default: {
      const begin = line.charAt(at)
      const data = begin === '[' || begin === '{' ? brackets(reader, depth) : oneLine(reader, isTagged)
      if (!isEnd(line, reader.at)) throw unsure
      advance(reader)
      // A line further in would be the rest of this text.
      if (reader.indent > column) throw unsure
      return data
    }
  }
}

type Block = { readonly data: Data; readonly nodes: number; readonly depth: number; met: number }

/**
 * Blocks of lines that were met before: the renderings of one template are the same in most of their lines. What a block
 * says depends on its lines alone, so those who read it share one value. A block is kept once it was met more often than one
 * service has stages; most are of one service, and are forgotten soon.
 */
const kept = new Map<string, Block>()
let recent = new Map<string, Block>()
const [mostKept, mostRecent, often] = [4000, 400, 6]

/** The map or list that lies further in than what it belongs to, begun at the next line. */
function inside(reader: Reader, isList: boolean, depth: number): Data {
  const { text, lines, starts, indents, next, indent, nodes, tags } = reader
  let end = next + 1
  for (; end < lines.length; end += 1) {
    const other = indents[end] ?? -1
    if (other !== -1 && other < indent) break
  }
  const [from = 0, to = 0] = [starts[next], starts[end]]
  // How a text ends depends on whether the file goes on after it. Every second level will do, and no block of a line or of pages.
  const isBlock = tags && depth % 2 === 0 && end < lines.length && end - next > 1 && to - from < 4000
  const block = isBlock ? text.slice(from, to) : ''
  const known = isBlock ? (kept.get(block) ?? recent.get(block)) : undefined
  if (known !== undefined && known.depth === depth) {
    known.met += 1
    if (known.met === often && kept.size < mostKept) {
      kept.set(block, known)
      share(known.data)
    }
    reader.nodes += known.nodes
    reader.next = end - 1
    advance(reader)
    return known.data
  }
  const data = isList ? sequence(reader, indent, depth) : mapping(reader, indent, { depth, isBegun: false })
  if (isBlock) {
    if (recent.size >= mostRecent) recent = new Map()
    recent.set(block, { data, nodes: reader.nodes - nodes, depth, met: 1 })
  }
  return data
}

/** Whether nothing but spaces and a comment follows. */
function isEnd(line: string, from: number): boolean {
  let index = from
  while (line.charCodeAt(index) === space) index += 1
  return index === line.length || (line.charCodeAt(index) === hash && index > from)
}

/** A block of text: no empty lines at its beginning, none of spaces alone; a folded one has lines of one indentation. */
function block(reader: Reader, header: string, column: number): Data {
  const match = /^([|>])(-?) *$/.exec(header)
  if (match === null) throw unsure
  const isFolded = match[1] === '>'
  const { lines } = reader
  const found: string[] = []
  const first = lines[reader.next + 1] ?? ''
  const indent = indentOf(first)
  if (indent <= column || first.length === indent) throw unsure
  let next = reader.next + 1
  for (; next < lines.length; next += 1) {
    const line = lines[next] ?? ''
    const own = indentOf(line)
    if (own === line.length) {
      if (own > 0) throw unsure
      found.push('')
    } else if (own < indent) break
    else found.push(line.slice(indent))
  }
  // A block that the end of the file cuts off is read by rules of its own.
  if (next === lines.length) throw unsure
  while (found.at(-1) === '') found.pop()
  reader.next = next - 1
  advance(reader)
  if (reader.indent > column) throw unsure
  if (isFolded && found.some((line) => line === '' || line.startsWith(' ') || line.endsWith(' '))) throw unsure
  const text = found.join(isFolded ? ' ' : '\n')
  return match[2] === '-' ? text : `${text}\n`
}

/** A text that ends in its line. What stands behind a tag is a text whatever it looks like. */
function oneLine(reader: Reader, isTagged: boolean): Data {
  const quoted = quotedText(reader)
  if (quoted !== undefined) return quoted
  const { line, at } = reader
  const begin = line.charCodeAt(at)
  const isWord = (kindAt(line, at) & 3) !== 0 || begin === 46 || begin === 47
  // A hyphen, and no space behind it.
  if (!isWord && !(begin === hyphen && !isBreak(line, at + 1))) throw unsure
  const note = line.indexOf(' #', at)
  let end = note === -1 ? line.length : note
  while (line.charCodeAt(end - 1) === space) end -= 1
  const text = line.slice(at, end)
  if (text.includes(': ') || text.endsWith(':')) throw unsure
  reader.at = end
  return plainValue(text, isTagged)
}

function plainValue(text: string, isTagged: boolean): Data {
  if (isTagged) return text
  const { value: data, doubt } = readPlain(text, 'cloudformation')
  if (doubt !== undefined) throw unsure
  return data
}

function quotedText(reader: Reader): string | undefined {
  const { line, at } = reader
  const begin = line.charCodeAt(at)
  if (begin === quote) {
    const end = line.indexOf('"', at + 1)
    const text = line.slice(at + 1, end)
    if (end === -1 || text.includes('\\')) throw unsure
    reader.at = end + 1
    return text
  }
  if (begin !== apostrophe) return undefined
  let end = line.indexOf("'", at + 1)
  let isEscaped = false
  while (end !== -1 && line.charCodeAt(end + 1) === apostrophe) {
    isEscaped = true
    end = line.indexOf("'", end + 2)
  }
  if (end === -1) throw unsure
  reader.at = end + 1
  const text = line.slice(at + 1, end)
  return isEscaped ? text.replaceAll("''", "'") : text
}

/** A word in brackets: letters, digits and signs that mean nothing there, with single spaces between. */
function plainInBrackets(reader: Reader, isTagged: boolean): Data {
  const { line, at } = reader
  const begin = line.charCodeAt(at)
  const isWord = (kindAt(line, at) & 3) !== 0 || begin === 46 || begin === 47
  if (!isWord && !(begin === hyphen && (kindAt(line, at + 1) & 3) !== 0)) throw unsure
  let end = at + 1
  for (; end < line.length; end += 1) {
    const code = line.charCodeAt(end)
    if (code === colon) {
      if (kindAt(line, end + 1) === 0 && line.charCodeAt(end + 1) !== colon) break
    } else if (code === space) {
      const next = kindAt(line, end + 1)
      if ((next & 3) === 0) break
    } else if (kindAt(line, end) === 0) break
  }
  reader.at = end
  return plainValue(line.slice(at, end), isTagged)
}

/** A list or map on one line. */
function brackets(reader: Reader, depth: number): Data {
  count(reader, depth)
  const { line } = reader
  const isList = line.charAt(reader.at) === '['
  const end = isList ? ']' : '}'
  const list: Data[] = []
  const map = newMap()
  reader.at += 1
  pass(reader)
  for (let size = 0; line.charAt(reader.at) !== end; size += 1) {
    if (size > limits.keys / 4) throw unsure
    if (size > 0) {
      if (line.charAt(reader.at) !== ',') throw unsure
      reader.at += 1
      pass(reader)
    }
    if (isList) list.push(inBrackets(reader, depth + 1))
    else pair(reader, map, depth)
    pass(reader)
  }
  reader.at += 1
  return isList ? list : map
}

function pair(reader: Reader, map: Record<string, Data>, depth: number): void {
  const { line, at } = reader
  const quoted = quotedText(reader)
  const key = quoted ?? plainInBrackets(reader, true)
  if (typeof key !== 'string' || isOdd(key, quoted === undefined) || map[key] !== undefined) throw unsure
  if (!line.startsWith(': ', reader.at) || reader.at - at > 200) throw unsure
  reader.at += 1
  pass(reader)
  map[interned(key)] = inBrackets(reader, depth + 1)
}

function inBrackets(reader: Reader, depth: number): Data {
  count(reader, depth)
  const { line, at } = reader
  if (line.charAt(at) !== '!') return untagged(reader, depth, false)
  if (!reader.tags) throw unsure
  let end = at + 1
  while (kindAt(line, end) === 1) end += 1
  const tag = shortTags.get(line.slice(at, end))
  if (typeof tag !== 'object' || line.charCodeAt(end) !== space) throw unsure
  reader.at = end
  pass(reader)
  return long(tag.long, untagged(reader, depth, true))
}

function untagged(reader: Reader, depth: number, isTagged: boolean): Data {
  const begin = reader.line.charAt(reader.at)
  if (begin === '[' || begin === '{') return brackets(reader, depth + 1)
  return quotedText(reader) ?? plainInBrackets(reader, isTagged)
}

function pass(reader: Reader): void {
  while (reader.line.charCodeAt(reader.at) === space) reader.at += 1
}
