import {
  COLLECTION_STYLE,
  type Event,
  EVENT_ID,
  type MappingEvent,
  SCALAR_STYLE,
  type ScalarEvent,
  type SequenceEvent,
} from 'js-yaml'
import { type Finding, mostFindings } from './findings.ts'

/**
 * Forms that are valid to one reader of YAML and not to another, or have another value there, found by reading many texts
 * with both. None of them is needed to say anything. They are looked for in the text and the events, so that the quick
 * reading of rendered templates needs no second parser to be sure of its answer. The time is linear.
 */
export function doubtfulForms(text: string, events: readonly Event[]): Finding[] {
  const findings: Finding[] = []
  documentMarks(findings, text, events)
  scalars(findings, text, events)
  if (text.includes('\t')) tabs(findings, text, events)
  return findings.slice(0, mostFindings)
}

function documentMarks(findings: Finding[], text: string, events: readonly Event[]): void {
  const end = /^\.\.\.(?:\s|$)/m.exec(text)
  if (end !== null) {
    find(findings, end.index, {
      message: 'A line "..." ends the document here.',
      expected: 'No marks at the end; the end of the file is the end of the document.',
      remedy: 'Delete the line.',
    })
  }
  const [first] = events
  if (first?.type === EVENT_ID.DOCUMENT && first.explicitStart && !/^(?:[ \t]*(?:#.*)?\r?\n)*---(?:\s|$)/.test(text)) {
    find(findings, 0, {
      message: 'The "---" that begins the document is indented.',
      expected: '"---" at the beginning of its line, or no such line.',
      remedy: 'Delete the line or its indentation.',
    })
  }
}

/** A backslash that is not itself escaped, the end of its line, and a line without text. */
const joinedBlankLine = /(?<!\\)(?:\\\\)*\\\r?\n[ \t]*\r?\n/

function scalars(findings: Finding[], text: string, events: readonly Event[]): void {
  /** Collections in brackets that are open; what is inside of one is in brackets itself. */
  let brackets = 0
  // This is done for each event of each template, so it makes no pairs.
  let index = -1
  for (const event of events) {
    index += 1
    if (event.type === EVENT_ID.POP) brackets = Math.max(0, brackets - 1)
    if (event.type === EVENT_ID.SEQUENCE || event.type === EVENT_ID.MAPPING) {
      if (brackets > 0 || event.style === COLLECTION_STYLE.FLOW) brackets += 1
      if (event.tagStart !== -1) tagWithoutSpace(findings, text, event)
    }
    if (event.type !== EVENT_ID.SCALAR) continue
    if (brackets > 0 && event.style === SCALAR_STYLE.PLAIN) indicatorInBrackets(findings, text, event)
    if (event.valueStart === -1) {
      if (event.tagStart !== -1) emptyTag(findings, text, event)
    } else if (event.style === SCALAR_STYLE.DOUBLE_QUOTED && !event.fast) joinedLines(findings, text, event)
    else if (isBlock(event)) block(findings, text, { ...event, isRoot: index === 1 })
  }
}

function indicatorInBrackets(findings: Finding[], text: string, { valueStart }: ScalarEvent): void {
  const first = text[valueStart]
  if (first !== ':' && first !== '?') return
  find(findings, valueStart, {
    message: `A text in brackets begins with "${first}", which some readers take for a key's sign.`,
    expected: 'A text in quotes.',
    remedy: 'Put the text in quotes.',
  })
}

function tagWithoutSpace(findings: Finding[], text: string, { tagStart, tagEnd }: SequenceEvent | MappingEvent): void {
  if (/\s/.test(text[tagEnd] ?? ' ')) return
  find(findings, tagEnd, {
    message: `The tag ${text.slice(tagStart, tagEnd)} is not parted from its value.`,
    expected: 'A space after a tag.',
    remedy: 'Put a space between the tag and the bracket.',
  })
}

function emptyTag(findings: Finding[], text: string, { tagStart, tagEnd }: ScalarEvent): void {
  find(findings, tagStart, {
    message: `The tag ${text.slice(tagStart, tagEnd)} has no value.`,
    expected: 'A value after a tag.',
    remedy: "Write '' if an empty text is meant.",
  })
}

function joinedLines(findings: Finding[], text: string, { valueStart, valueEnd }: ScalarEvent): void {
  const match = joinedBlankLine.exec(text.slice(valueStart, valueEnd))
  if (match === null) return
  find(findings, valueStart + match.index, {
    message: 'A line that a backslash joins with the next is followed by an empty one.',
    expected: 'Some text on the line after the backslash.',
    remedy: 'Write line ends as \\n.',
  })
}

const spacesToTheEnd = /[ \t]+$/y

function block(findings: Finding[], text: string, event: ScalarEvent & { readonly isRoot: boolean }): void {
  const { valueStart, valueEnd, isRoot } = event
  // A last line of spaces alone, which the end of the file cuts off, is left out of the text by one reader.
  spacesToTheEnd.lastIndex = valueEnd
  const region = text.slice(valueStart, spacesToTheEnd.test(text) ? text.length : valueEnd)
  if (isRoot) {
    find(findings, Math.max(0, valueStart - 1), {
      message: 'The whole document is one block of text.',
      expected: 'A map or a list.',
      remedy: 'Give the text a key.',
    })
  } else if (/^[^\S\r\n]+$/m.test(region) && (region.trim() === '' || indentIsWritten(text, event))) {
    find(findings, valueStart, {
      message: 'A line in this block of text holds spaces and nothing else.',
      expected: 'No such line in a block without other text, or with a number in its header (|2).',
      remedy: 'Delete the spaces.',
    })
  }
}

/** Tabs between the parts of a document: as indentation they have no width, and readers differ on where they may be. */
function tabs(findings: Finding[], text: string, events: readonly Event[]): void {
  let from = 0
  for (const event of events) {
    if (event.type !== EVENT_ID.SCALAR || event.valueStart === -1) continue
    tabsBetween(findings, text, { from, to: event.valueStart })
    from = event.valueEnd
    const isPlain = event.style === SCALAR_STYLE.PLAIN
    if (isBlock(event) || (isPlain && !event.fast)) tabsInIndentation(findings, text, event)
  }
  tabsBetween(findings, text, { from, to: text.length })
}

/** From one text to the next, tabs are allowed in comments only. */
function tabsBetween(findings: Finding[], text: string, { from, to }: { from: number; to: number }): void {
  let at = text.indexOf('\t', from)
  while (at !== -1 && at < to && findings.length < mostFindings) {
    const line = text.slice(Math.max(from, text.lastIndexOf('\n', at) + 1), at)
    const isComment = /(?:^|\s)#/.test(line)
    if (!isComment) findTab(findings, at)
    const end = isComment ? text.indexOf('\n', at) : at
    at = end === -1 ? -1 : text.indexOf('\t', end + 1)
  }
}

/** Tabs at the beginning of lines of a text, where they would be indentation, not content. */
function tabsInIndentation(findings: Finding[], text: string, event: ScalarEvent): void {
  const lines = text.slice(event.valueStart, event.valueEnd).split('\n')
  let at = event.valueStart
  for (const [index, line] of lines.entries()) {
    // The first line of a plain text begins with the text; of a block, the columns of the indentation count.
    const indentation = !isBlock(event) ? (index === 0 ? '' : line) : line.slice(0, Math.max(0, event.indent))
    if (/^ *\t/.test(indentation)) findTab(findings, at + line.indexOf('\t'))
    at += line.length + 1
  }
}

/** Whether the header of a block, which ends the line before its text, tells the indentation. */
function indentIsWritten(text: string, event: ScalarEvent): boolean {
  const end = event.valueStart - 1
  return /[|>][-+]?[1-9][-+]?[ \t]*(?:[ \t]#.*)?\r?$/.test(text.slice(text.lastIndexOf('\n', end - 1) + 1, end))
}

function isBlock({ style }: ScalarEvent): boolean {
  return style === SCALAR_STYLE.LITERAL_BLOCK || style === SCALAR_STYLE.FOLDED_BLOCK
}

function findTab(findings: Finding[], offset: number): void {
  find(findings, offset, {
    message: 'A tab stands between the parts of the document.',
    expected: 'Spaces; tabs belong into texts only.',
    remedy: 'Replace the tab by spaces.',
  })
}

type Words = { readonly message: string; readonly expected: string; readonly remedy: string }

function find(findings: Finding[], offset: number, words: Words): void {
  if (findings.length < mostFindings) findings.push({ code: 'yaml-syntax', severity: 'error', offset, ...words })
}
