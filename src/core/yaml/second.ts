import { type Event, EVENT_ID, getScalarValue } from 'js-yaml'
import { type ErrorCode, isMap, isPair, isScalar, isSeq, parseDocument } from 'yaml'
import { type Finding, mostFindings } from './findings.ts'

/**
 * A second reader of YAML, by other authors. It does two things: it explains a text that the first cannot read, since it
 * goes on after an error and sees all of them; and it has to agree on every text that people write. Where two readers
 * differ, what was reviewed may not be what is deployed.
 */

/** Errors are slow to collect, and in a text of this length the first one is enough. */
const longestExplained = 64 * 1024

/** What is wrong with a text that the first parser refused; empty when this one sees nothing wrong, or must not look. */
export function explain(text: string): Finding[] {
  if (text.length > longestExplained || mayBeDeep(text)) return []
  const { errors } = parse(text)
  return errors.slice(0, mostFindings).map(({ code, pos, message }) => ({
    code: code === 'MULTIPLE_DOCS' ? 'yaml-several-documents' : 'yaml-syntax',
    severity: 'error',
    offset: pos[0],
    ...wordsOf(code, message),
  }))
}

/** The offset at which this parser reads a text differently than the events say; undefined when both agree. */
export function differs(text: string, events: readonly Event[]): number | undefined {
  const { contents, errors } = parse(text)
  const [first] = errors
  if (first !== undefined) return first.pos[0]
  const cursor = { text, events, next: 1 }
  if (events.length === 0) return contents === null ? undefined : 0
  return compare(cursor, contents)
}

function parse(text: string): ReturnType<typeof parseDocument> {
  return parseDocument(text, {
    version: '1.2',
    // Every plain scalar is a text here; what it means is decided elsewhere, once for both parsers.
    schema: 'failsafe',
    // The parser's own check compares every key with every other.
    uniqueKeys: false,
    resolveKnownTags: false,
    merge: false,
    // With 'silent' a second document would be left out without an error.
    logLevel: 'error',
    prettyErrors: false,
  })
}

type Cursor = { readonly text: string; readonly events: readonly Event[]; next: number }

/** Walks a node and the events from the cursor in step. The depth is bounded: the first parser has read the same text. */
function compare(cursor: Cursor, node: unknown): number | undefined {
  const event = cursor.events[cursor.next]
  cursor.next += 1
  if (event === undefined) return cursor.text.length
  if (event.type === EVENT_ID.SCALAR) {
    const text = getScalarValue(cursor.text, event)
    const tag = tagText(cursor, event)
    if (node === null || node === undefined) return text === '' && tag === undefined ? undefined : event.valueStart
    const same = isScalar(node) && node.value === text && sameTag(tag, node.tag)
    return same ? undefined : Math.max(0, event.valueStart, event.tagStart)
  }
  // What an alias stands for is refused anyway.
  if (event.type === EVENT_ID.ALIAS) return undefined
  if (event.type === EVENT_ID.SEQUENCE) {
    if (!isSeq(node) || !sameTag(tagText(cursor, event), node.tag)) return event.start
    return compareAll(cursor, node.items)
  }
  if (event.type === EVENT_ID.MAPPING) {
    if (isMap(node) && sameTag(tagText(cursor, event), node.tag)) {
      return compareAll(
        cursor,
        node.items.flatMap(({ key, value }) => [key, value]),
      )
    }
    // A pair in a flow sequence.
    return isPair(node) ? compareAll(cursor, [node.key, node.value]) : event.start
  }
  return cursor.text.length
}

function compareAll(cursor: Cursor, nodes: readonly unknown[]): number | undefined {
  for (const node of nodes) {
    const found = compare(cursor, node)
    if (found !== undefined) return found
  }
  const end = cursor.events[cursor.next]
  cursor.next += 1
  if (end?.type === EVENT_ID.POP) return undefined
  return end !== undefined && 'start' in end ? end.start : cursor.text.length
}

function tagText(cursor: Cursor, event: { readonly tagStart: number; readonly tagEnd: number }): string | undefined {
  return event.tagStart === -1 ? undefined : cursor.text.slice(event.tagStart, event.tagEnd)
}

function sameTag(written: string | undefined, resolved: string | undefined): boolean {
  if (written === undefined || resolved === undefined) return written === undefined && resolved === undefined
  return (written.startsWith('!!') ? `tag:yaml.org,2002:${written.slice(2)}` : written) === resolved
}

/** An upper bound of nesting, from brackets and indentation alone: the second parser recurses. */
function mayBeDeep(text: string): boolean {
  const most = 500
  let brackets = 0
  const indents: number[] = []
  for (const line of text.split('\n')) {
    const indent = /^[ \t]*(?:[-?:][ \t]+)*/.exec(line)?.[0] ?? ''
    while (indents.length > 0 && (indents.at(-1) ?? 0) >= indent.length) indents.pop()
    indents.push(indent.length)
    const inline = (indent.match(/[-?:]/g) ?? []).length
    for (const character of line) {
      if (character === '[' || character === '{') brackets += 1
      else if ((character === ']' || character === '}') && brackets > 0) brackets -= 1
      if (brackets + indents.length + inline > most) return true
    }
  }
  return false
}

type Words = { readonly message: string; readonly expected: string; readonly remedy: string }

const words: Partial<Record<ErrorCode, Words>> = {
  BAD_ALIAS: {
    message: 'An alias (*name) stands here.',
    expected: 'The value itself.',
    remedy: 'Write the value out; a text that begins with * needs quotes.',
  },
  BAD_DQ_ESCAPE: {
    message: 'A backslash in double quotes is followed by something that is no escape.',
    expected: 'An escape such as \\n or \\", or \\\\ for a backslash.',
    remedy: 'Double the backslash, or use single quotes, in which a backslash is itself.',
  },
  BAD_INDENT: {
    message: 'The indentation does not fit the lines above.',
    expected: 'The same indentation for all entries of a map or a list.',
    remedy: 'Align the line with its neighbours.',
  },
  BAD_SCALAR_START: {
    message: 'A text cannot begin with this character.',
    expected: 'A text in quotes.',
    remedy: 'Put the text in quotes.',
  },
  BLOCK_AS_IMPLICIT_KEY: {
    message: 'A second ":" in one line makes this a map inside a text.',
    expected: 'One "key: value" in a line.',
    remedy: 'Put the value in quotes if the ": " belongs to it; otherwise begin a new line.',
  },
  MISSING_CHAR: {
    message: 'A quote, a bracket or another closing character is missing.',
    expected: 'A closing character for every opening one, and a comma between items in brackets.',
    remedy: 'Add what is missing; the place is where the reader noticed.',
  },
  MULTILINE_IMPLICIT_KEY: {
    message: 'The line is neither a "key: value" nor the continuation of one.',
    expected: 'A ":" and a space after a key.',
    remedy: 'Add the ":", or indent the line if it continues the text above.',
  },
  MULTIPLE_DOCS: {
    message: 'A second document begins here.',
    expected: 'One document in a file.',
    remedy: 'Remove the line "---" and what follows it, or move that to a file of its own.',
  },
  TAB_AS_INDENT: {
    message: 'A tab is used for indentation.',
    expected: 'Spaces.',
    remedy: 'Replace the tab by spaces.',
  },
  UNEXPECTED_TOKEN: {
    message: 'Something stands here that does not belong here.',
    expected: 'The next key, the next item, or the end of the value.',
    remedy: 'Look for a missing quote, bracket or indentation on this line and the one above.',
  },
}

/** The parser has one code for two mistakes: lines that are not aligned, and a bracket that never ends. */
const openBracket: Words = {
  message: 'A bracket is not closed, or a line inside of it is not indented.',
  expected: 'A closing bracket for every opening one, and lines inside of brackets indented.',
  remedy: 'Close the bracket, or indent what is in it.',
}

function wordsOf(code: ErrorCode, message: string): Words {
  if (code === 'BAD_INDENT' && /^Flow (?:sequence|map)/.test(message)) return openBracket
  return words[code] ?? unreadable(message)
}

/** The words for an error for which there are none of our own. */
export function unreadable(message: string): Words {
  return {
    message: `The text cannot be read as YAML: ${message.replace(/\.?\s*$/, '')}.`,
    expected: 'Valid YAML.',
    remedy: 'Look for a missing quote, bracket, colon or indentation on this line and the one above.',
  }
}
