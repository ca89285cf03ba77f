import { type Event, EVENT_ID, getScalarValue, SCALAR_STYLE, type ScalarEvent } from 'js-yaml'
import { type Data, Float, interned, type KeyOrder, keepOrder, mapOf, newMap, ordered } from '../data.ts'
import { didYouMean } from '../nearest.ts'
import type { ProblemCode } from '../problem-codes.ts'
import { limits, thousands } from './bounds.ts'
import { type Finding, mostFindings } from './findings.ts'
import { type Dialect, readPlain } from './scalars.ts'
import type { Spot } from './spots.ts'

export type Built = { readonly data: Data; readonly findings: readonly Finding[]; readonly spot: Spot }

/**
 * Data from the events of a parser, by the rules that hold for every text: no anchors and aliases, no merge keys, no
 * unknown tags, keys that are texts and stand once, one document. Every finding is collected, in one pass without
 * recursion. The time is linear in the events. Spots are kept only on demand: they cost more than the data.
 */
export function build(
  text: string,
  events: readonly Event[],
  { dialect, spots }: { readonly dialect: Dialect; readonly spots: boolean },
): Built {
  const state: State = {
    text,
    dialect,
    spots,
    findings: [],
    frames: [],
    data: null,
    spot: nowhere(),
    nodes: 0,
    documents: 0,
    last: 0,
  }
  for (const event of events) {
    if (state.findings.length >= mostFindings) break
    if (state.nodes > limits.nodes) {
      const message = `The file holds more than ${thousands(limits.nodes)} values.`
      find(state, 'yaml-too-large', state.last, {
        message,
        expected: 'Fewer values in one file.',
        remedy: 'Split the file.',
      })
      break
    }
    take(state, event)
  }
  return { data: state.data, findings: state.findings, spot: state.spot }
}

type State = {
  readonly text: string
  readonly dialect: Dialect
  readonly spots: boolean
  readonly findings: Finding[]
  /** The collections that are open, the innermost last. */
  readonly frames: Frame[]
  data: Data
  spot: Spot
  nodes: number
  documents: number
  /** Where the last event that has a place ended, for what has none of its own. */
  last: number
}

/** A collection that is being filled. */
type Frame = {
  readonly map: Record<string, Data> | undefined
  order: KeyOrder
  readonly list: Data[]
  /** The key that waits for its value. */
  key: string | undefined
  keyAt: number
  size: number
  readonly tag: Tag
  /** The spot of the whole value, and the one that holds the items; they differ where a tag adds a level. */
  readonly spot: Spot | undefined
  readonly items: Spot | undefined
  /** The collection stands where a key is wanted: it is reported, and its content counts for nothing. */
  readonly isKey: boolean
}

/** What a tag makes of its value: nothing, a text, or the only entry of a map with this key. */
type Tag = 'none' | 'text' | { readonly long: string }

/**
 * CloudFormation's short tags and their long forms
 * (https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference.html).
 */
const functions =
  'And Base64 Cidr Equals FindInMap GetAtt GetAZs If ImportValue Join Length Not Or Select Split Sub ToJsonString Transform'
export const shortTags: ReadonlyMap<string, Tag> = new Map([
  ...functions.split(' ').map((name): [string, Tag] => [`!${name}`, { long: `Fn::${name}` }]),
  ...['Ref', 'Condition'].map((name): [string, Tag] => [`!${name}`, { long: name }]),
])

function take(state: State, event: Event): void {
  switch (event.type) {
    case EVENT_ID.SCALAR: {
      takeScalar(state, event)
      break
    }
    case EVENT_ID.MAPPING:
    case EVENT_ID.SEQUENCE: {
      if (event.anchorStart !== -1) refuseAnchor(state, event.anchorStart)
      const at = event.tagStart === -1 ? event.start : event.tagStart
      const tag = event.tagStart === -1 ? 'none' : tagOf(state, event)
      if (tag === 'text') refuseTag(state, event.tagStart, '!!str')
      state.last = event.start + (event.style === 2 ? 1 : 0)
      open(state, { at, content: event.start, tag, isMap: event.type === EVENT_ID.MAPPING })
      break
    }
    case EVENT_ID.POP: {
      const frame = state.frames.pop()
      if (frame !== undefined) close(state, frame)
      break
    }
    case EVENT_ID.ALIAS: {
      refuseAnchor(state, event.anchorStart)
      state.last = event.anchorEnd
      put(state, { data: null, spot: undefined, at: event.anchorStart - 1 })
      break
    }
    default: {
      state.documents += 1
      if (state.documents > 1) refuseDocument(state)
    }
  }
}

function takeScalar(state: State, event: ScalarEvent): void {
  const { text } = state
  const at = startOf(state, event)
  if (event.anchorStart !== -1) refuseAnchor(state, event.anchorStart)
  const tag = event.tagStart === -1 ? 'none' : tagOf(state, event)
  const content = contentOf(text, event)
  if (!content.isWellFormed()) {
    find(state, 'yaml-encoding', at, {
      message: 'An escape in this text makes half of a character (a lone surrogate).',
      expected: 'Escapes that make whole characters, such as "\\U0001f600".',
      remedy: 'Correct the escape.',
    })
  }
  const isPlain = event.style === SCALAR_STYLE.PLAIN
  if (event.valueEnd !== -1) state.last = isPlain || event.style > 3 ? event.valueEnd : event.valueEnd + 1
  else if (event.tagEnd !== -1) state.last = event.tagEnd
  const frame = state.frames.at(-1)
  if (frame?.map !== undefined && frame.key === undefined) {
    takeKey(state, frame, { content, at, isPlain, isTagged: tag !== 'none' })
    return
  }
  let data: Data = content
  if (tag === 'none' && isPlain) {
    const reading = readPlain(content, state.dialect)
    data = reading.value
    if (reading.doubt !== undefined) state.findings.push({ ...reading.doubt, offset: at })
  }
  if (typeof tag !== 'object') {
    put(state, { data, at, spot: state.spots ? { at, key: at, inside: undefined } : undefined })
    return
  }
  const argument = tag.long === 'Fn::GetAtt' ? attributeOf(content) : content
  const inner: Spot = {
    at: event.valueStart === -1 ? at : placeOfContent(state.text, event, event.tagEnd),
    key: at,
    inside: undefined,
  }
  const spot = state.spots ? { at, key: at, inside: new Map([[tag.long, inner]]) } : undefined
  put(state, { data: mapOf([[tag.long, argument]]), at, spot })
}

/**
 * A block of text that the end of the file cuts off, without a line end, has none at its end either
 * (https://yaml.org/spec/1.2.2/#8112-block-chomping-indicator); the parser adds one.
 */
function contentOf(text: string, event: ScalarEvent): string {
  const content = getScalarValue(text, event)
  const isCutOff = event.style > SCALAR_STYLE.DOUBLE_QUOTED && event.valueEnd === text.length && content.endsWith('\n')
  if (!isCutOff) return content
  return /[^\s][^\n]*$/.test(text.slice(text.lastIndexOf('\n') + 1)) ? content.slice(0, -1) : content
}

/** `Fn::GetAtt` takes a list; the short form's text splits at its first dot, since attribute names hold dots themselves. */
export function attributeOf(text: string): Data {
  const dot = text.indexOf('.')
  return dot === -1 ? text : [text.slice(0, dot), text.slice(dot + 1)]
}

type Key = { readonly content: string; readonly at: number; readonly isPlain: boolean; readonly isTagged: boolean }

function takeKey(state: State, frame: Frame, { content, at, isPlain, isTagged }: Key): void {
  frame.key = interned(content)
  frame.keyAt = at
  frame.size += 1
  if (frame.size === limits.keys + 1) {
    const message = `The map has more than ${thousands(limits.keys)} keys.`
    find(state, 'yaml-too-large', at, { message, expected: 'Fewer keys in one map.', remedy: 'Split the map.' })
  }
  if (isTagged) refuseKey(state, at, 'A key has a tag.')
  else if (isPlain) checkPlainKey(state, content, at)
  if (content === '__proto__') {
    const message = 'The key "__proto__" is reserved.'
    find(state, 'yaml-reserved-key', at, { message, expected: 'Any other key.', remedy: 'Give the key another name.' })
  } else if (frame.map !== undefined && Object.hasOwn(frame.map, content)) {
    find(state, 'yaml-duplicate-key', at, {
      message: `The key ${shown(content)} stands twice in this map.`,
      expected: 'Each key once; keys are compared as they are written, without their quotes.',
      remedy: 'Keep one of the two entries.',
    })
  }
}

function checkPlainKey(state: State, content: string, at: number): void {
  if (content === '<<') {
    find(state, 'yaml-merge-key', at, {
      message: 'The merge key "<<" is not read.',
      expected: 'A map that holds all of its entries itself.',
      remedy: 'Write the entries out.',
    })
    return
  }
  const { value, doubt } = readPlain(content, state.dialect)
  if (value === null)
    refuseKey(state, at, content === '' ? 'A key is empty.' : `The key ${content} means nothing (null).`)
  else if (doubt?.code === 'yaml-word' && state.dialect === 'cloudformation') {
    // A boolean is no key to CloudFormation, and which text becomes of it depends on the reader.
    state.findings.push({ ...doubt, severity: 'error', expected: 'A text as the key.', offset: at })
  } else if (value instanceof Float && (state.dialect === 'own' || state.dialect === 'cloudformation')) {
    find(state, 'yaml-number', at, {
      message: `The key ${content} is a number with a fraction, which readers turn into different texts.`,
      expected: 'A text as the key.',
      remedy: `Write '${content}' in quotes.`,
    })
  } else if (doubt !== undefined) state.findings.push({ ...doubt, offset: at })
}

function open(state: State, at: { at: number; content: number; tag: Tag; isMap: boolean }): void {
  const outer = state.frames.at(-1)
  const isKey = outer?.map !== undefined && outer.key === undefined
  if (isKey) refuseKey(state, at.at, 'A key is a list or a map.')
  state.nodes += 1
  let spot: Spot | undefined
  let items: Spot | undefined
  if (state.spots) {
    items = { at: at.content, key: at.at, inside: new Map() }
    spot = typeof at.tag === 'object' ? { at: at.at, key: at.at, inside: new Map([[at.tag.long, items]]) } : items
  }
  const map = at.isMap ? newMap() : undefined
  state.frames.push({
    map,
    order: undefined,
    list: [],
    key: undefined,
    keyAt: at.at,
    size: 0,
    tag: at.tag,
    spot,
    items,
    isKey,
  })
}

function close(state: State, frame: Frame): void {
  const content = frame.map ?? frame.list
  if (frame.map !== undefined) keepOrder(frame.map, frame.order)
  const outer = state.frames.at(-1)
  if (frame.isKey && outer !== undefined) {
    outer.key = ''
    return
  }
  const data = typeof frame.tag === 'object' ? mapOf([[frame.tag.long, content]]) : content
  put(state, { data, spot: frame.spot, at: frame.keyAt })
}

/** Puts a finished value where the innermost open collection wants one. */
function put(state: State, { data, spot, at }: { data: Data; spot: Spot | undefined; at: number }): void {
  state.nodes += 1
  const frame = state.frames.at(-1)
  if (frame === undefined) {
    state.data = data
    if (spot !== undefined) state.spot = spot
    return
  }
  if (frame.map === undefined) {
    if (spot !== undefined) frame.items?.inside?.set(frame.list.length, spot)
    frame.list.push(data)
    return
  }
  if (frame.key === undefined) {
    // An alias where a key is wanted; it was reported as an alias.
    frame.key = ''
    frame.keyAt = at
    return
  }
  frame.order = ordered(frame.order, frame.map, frame.key)
  frame.map[frame.key] = data
  if (spot !== undefined) {
    spot.key = frame.keyAt
    frame.items?.inside?.set(frame.key, spot)
  }
  frame.key = undefined
}

function tagOf(state: State, event: { readonly tagStart: number; readonly tagEnd: number }): Tag {
  const written = state.text.slice(event.tagStart, event.tagEnd)
  if (written === '!!str') return 'text'
  const short = state.dialect === 'cloudformation' ? shortTags.get(written) : undefined
  if (short !== undefined) return short
  refuseTag(state, event.tagStart, written)
  return 'none'
}

/** Where a scalar begins as a person sees it: at its tag, its quote, the header of its block. */
function startOf(state: State, event: ScalarEvent): number {
  if (event.tagStart !== -1) return event.tagStart
  if (event.valueStart === -1) return startOfNothing(state)
  return placeOfContent(state.text, event, state.last)
}

/** `after` is where what stands before it has ended. */
function placeOfContent(text: string, event: ScalarEvent, after: number): number {
  if (event.style === SCALAR_STYLE.PLAIN) return event.valueStart
  if (event.style === SCALAR_STYLE.SINGLE_QUOTED || event.style === SCALAR_STYLE.DOUBLE_QUOTED)
    return event.valueStart - 1
  // The parser tells where the text of a block begins. Its header is the end of the line before that.
  const end = text[event.valueStart - 1] === '\n' ? event.valueStart - 1 : event.valueStart
  const from = Math.max(text.lastIndexOf('\n', end - 1) + 1, after, event.tagEnd)
  const header = /[|>][-+1-9]{0,2}[ \t]*(?:[ \t]#.*)?\r?$/.exec(text.slice(from, end))
  return header === null ? from : from + header.index
}

/** A value that is not written: its key's place, or that of the dash of an item. */
function startOfNothing(state: State): number {
  const frame = state.frames.at(-1)
  if (frame === undefined) return 0
  if (frame.map !== undefined) return frame.key === undefined ? state.last : frame.keyAt
  const blank = /(?:[\s,\]}]+(?:#.*)?)*/y
  blank.lastIndex = state.last
  blank.exec(state.text)
  if (state.text[blank.lastIndex] !== '-') return state.last
  state.last = blank.lastIndex + 1
  return blank.lastIndex
}

function nowhere(): Spot {
  return { at: 0, key: 0, inside: undefined }
}

type Words = { readonly message: string; readonly expected: string; readonly remedy: string }

function find(state: State, code: ProblemCode, offset: number, words: Words): void {
  state.findings.push({ code, severity: 'error', offset, ...words })
}

function refuseAnchor(state: State, nameStart: number): void {
  find(state, 'yaml-alias', nameStart - 1, {
    message: 'Anchors (&name) and aliases (*name) are not read.',
    expected: 'Each value written where it belongs.',
    remedy: 'Write the value out. A text that begins with & or * needs quotes.',
  })
}

function refuseTag(state: State, at: number, written: string): void {
  const known = state.dialect === 'cloudformation' ? [...shortTags.keys(), '!!str'] : ['!!str']
  const expected =
    state.dialect === 'cloudformation' ? 'One of the short forms of CloudFormation, such as !Ref, or none.' : 'No tag.'
  find(state, 'yaml-tag', at, {
    message: `The tag ${shown(written)} is not known here.${written === '!!str' ? '' : didYouMean(written, known)}`,
    expected,
    remedy: 'Remove the tag or correct it. A text that begins with "!" needs quotes.',
  })
}

function refuseKey(state: State, at: number, message: string): void {
  find(state, 'yaml-complex-key', at, {
    message,
    expected: 'A plain or quoted text as the key.',
    remedy: 'Write the key as a text. A value that begins with { or [, as a template expression does, needs quotes.',
  })
}

function refuseDocument(state: State): void {
  // The next value follows the marker, which nothing else has told the place of.
  const marker = /^---(?:\s|$)/gm
  marker.lastIndex = state.last
  find(state, 'yaml-several-documents', marker.exec(state.text)?.index ?? state.last, {
    message: 'A second document begins here.',
    expected: 'One document in a file.',
    remedy: 'Remove the line "---" and what follows it, or move that to a file of its own.',
  })
}

function shown(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text)
}
