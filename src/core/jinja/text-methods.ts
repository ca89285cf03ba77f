/** The methods of Python's `str`, and of markupsafe's `Markup`, which escapes what comes into it. */
import {
  casefold,
  characters,
  isAlpha,
  isDecimal,
  isDigit,
  isLower,
  isNumeric,
  isPrintable,
  isSpace,
  isTitle,
  isUpper,
  lengthOf,
  pointIndex,
  sliceOf,
  splitLines,
  splitWords,
  splitWordsFromEnd,
  titleOf,
  trimEnd,
  trimStart,
} from './characters.ts'
import { escapeValue, stripTags, unescapeText } from './markup.ts'
import { asIndex, asText, dictOf, elementsOf, findItem, integerArgument, isTrue } from './objects.ts'
import { builtinArguments } from './signature.ts'
import type { Takes } from './signature.ts'
import { typeName } from './text.ts'
import { Dict, JinjaError, Markup, Tuple } from './values.ts'
import type { Kwargs, Runtime, Value } from './values.ts'

type Arguments = readonly (Value | undefined)[]
type TextMethod = { readonly takes: Takes; readonly run: (text: string, args: Arguments, runtime: Runtime) => Value }

function typeError(message: string): JinjaError {
  return new JinjaError('TypeError', message)
}

function valueError(message: string): JinjaError {
  return new JinjaError('ValueError', message)
}

const none: Takes = { least: 0, most: 0 }
const one: Takes = { least: 1, most: 1 }
const within: Takes = { least: 1, most: 3, parsed: true }

/** A string for a C function's argument. */
function textArgument(value: Value | undefined, message: (type: string) => string): string {
  const text = value === undefined ? undefined : asText(value)
  if (text === undefined) throw typeError(message(typeName(value ?? null)))
  return text
}

/** The part of a text that `start` and `stop` of `find` and its like name, and where it begins. */
function window(
  text: string,
  from: Value | undefined,
  to: Value | undefined,
): { part: string; start: number } | undefined {
  const startOf = from === undefined || from === null ? 0 : boundOf(from)
  if (startOf === 0 && (to === undefined || to === null)) return { part: text, start: 0 }
  const length = lengthOf(text)
  const stopOf = to === undefined || to === null ? length : boundOf(to)
  const start = Math.max(0, startOf < 0 ? startOf + length : startOf)
  const stop = Math.max(0, Math.min(length, stopOf < 0 ? stopOf + length : stopOf))
  return start > stop ? undefined : { part: sliceOf(text, start, stop), start }
}

function boundOf(value: Value): number {
  const index = asIndex(value)
  if (index === undefined) throw typeError('slice indices must be integers or None or have an __index__ method')
  return index
}

function find(text: string, args: Arguments, options: { readonly last: boolean }): number {
  const wanted = textArgument(args[0], (type) => `must be str, not ${type}`)
  const area = window(text, args[1], args[2])
  if (area === undefined) return -1
  const unit = options.last ? area.part.lastIndexOf(wanted) : area.part.indexOf(wanted)
  return unit < 0 ? -1 : area.start + pointIndex(area.part, unit)
}

function found(index: number): number {
  if (index < 0) throw valueError('substring not found')
  return index
}

/** How often `wanted` is in the text, without overlaps. */
export function countOf(text: string, wanted: string): number {
  if (wanted === '') return lengthOf(text) + 1
  let count = 0
  for (let at = text.indexOf(wanted); at >= 0; at = text.indexOf(wanted, at + wanted.length)) count += 1
  return count
}

/** `str.replace`; a negative count is no bound. */
export function replaceIn(
  text: string,
  change: { readonly old: string; readonly by: string; readonly count?: number },
  runtime: Runtime,
): string {
  const { old, by, count = -1 } = change
  runtime.spend(1 + (text.length >> 6))
  const occurrences = count === 0 ? 0 : countOf(text, old)
  const times = count < 0 ? occurrences : Math.min(count, occurrences)
  if (times === 0) return text
  runtime.size(text.length + times * (by.length - old.length))
  runtime.spend(1 + (times >> 3))
  const parts = old === '' ? ['', ...characters(text), ''] : text.split(old)
  if (times === occurrences) return parts.join(by)
  const rest = parts.slice(times).join(old)
  return [...parts.slice(0, times), rest].join(by)
}

function charactersOf(value: Value | undefined, name: string): ReadonlySet<string> | undefined {
  if (value === undefined || value === null) return undefined
  const text = asText(value)
  if (text === undefined) throw typeError(`${name} arg must be None or str`)
  return new Set(characters(text))
}

/** `str.strip(chars)` */
export function strip(text: string, chars: ReadonlySet<string> | undefined): string {
  return trimEnd(trimStart(text, chars), chars)
}

function pad(text: string, args: Arguments, side: 'left' | 'right' | 'both', runtime: Runtime): string {
  const width = integerArgument(args[0])
  let fill = ' '
  if (args[1] !== undefined) {
    fill = textArgument(args[1], (type) => `The fill character must be a unicode character, not ${type}`)
    if (lengthOf(fill) !== 1) throw typeError('The fill character must be exactly one character long')
  }
  const room = width - lengthOf(text)
  if (room <= 0) return text
  runtime.size(width)
  runtime.spend(1 + (width >> 6))
  const left = side === 'left' ? room : side === 'right' ? 0 : Math.floor(room / 2) + (room & width & 1)
  return fill.repeat(left) + text + fill.repeat(room - left)
}

function zeroFilled(text: string, args: Arguments, runtime: Runtime): string {
  const width = integerArgument(args[0])
  const room = width - lengthOf(text)
  if (room <= 0) return text
  runtime.size(width)
  const sign = text.startsWith('+') || text.startsWith('-') ? text.charAt(0) : ''
  return sign + '0'.repeat(room) + text.slice(sign.length)
}

function expandTabs(text: string, args: Arguments, runtime: Runtime): string {
  const size = args[0] === undefined ? 8 : integerArgument(args[0])
  let result = ''
  let column = 0
  for (const character of text) {
    if (character === '\t') {
      const width = size > 0 ? size - (column % size) : 0
      runtime.size(result.length + width)
      result += ' '.repeat(width)
      column += width
    } else {
      result += character
      column = character === '\n' || character === '\r' ? 0 : column + 1
    }
  }
  return result
}

function separator(value: Value | undefined): string | undefined {
  if (value === undefined || value === null) return undefined
  const text = textArgument(value, (type) => `must be str or None, not ${type}`)
  if (text === '') throw valueError('empty separator')
  return text
}

function split(text: string, args: Arguments, runtime: Runtime): Value[] {
  const by = separator(args[0])
  const limit = args[1] === undefined ? -1 : integerArgument(args[1])
  runtime.spend(1 + (text.length >> 4))
  if (by === undefined) return splitWords(text, limit)
  const parts = text.split(by)
  runtime.size(parts.length)
  if (limit < 0 || parts.length <= limit + 1) return parts
  return [...parts.slice(0, limit), parts.slice(limit).join(by)]
}

function splitFromEnd(text: string, args: Arguments, runtime: Runtime): Value[] {
  const by = separator(args[0])
  const limit = args[1] === undefined ? -1 : integerArgument(args[1])
  runtime.spend(1 + (text.length >> 4))
  if (by === undefined) return splitWordsFromEnd(text, limit)
  const parts: string[] = []
  let end = text.length
  for (let at = lastBefore(text, by, end); at >= 0 && parts.length !== limit; at = lastBefore(text, by, end)) {
    parts.push(text.slice(at + by.length, end))
    end = at
  }
  parts.push(text.slice(0, end))
  return parts.reverse()
}

/** Where the last occurrence that ends at `end` or before it begins; negative where there is none. */
function lastBefore(text: string, part: string, end: number): number {
  return end < part.length ? -1 : text.lastIndexOf(part, end - part.length)
}

function partition(text: string, args: Arguments, options: { readonly last: boolean }): Tuple {
  const by = textArgument(args[0], (type) => `must be str, not ${type}`)
  if (by === '') throw valueError('empty separator')
  const at = options.last ? text.lastIndexOf(by) : text.indexOf(by)
  if (at < 0) return new Tuple(options.last ? ['', '', text] : [text, '', ''])
  return new Tuple([text.slice(0, at), args[0] ?? by, text.slice(at + by.length)])
}

function hasEdge(text: string, args: Arguments, edge: 'startswith' | 'endswith'): boolean {
  const wanted = args[0] ?? null
  const area = window(text, args[1], args[2])
  const list = wanted instanceof Tuple ? wanted.items : [wanted]
  return list.some((item) => {
    const part = textArgument(item, (type) =>
      wanted instanceof Tuple
        ? `tuple for ${edge} must only contain str, not ${type}`
        : `${edge} first arg must be str or a tuple of str, not ${type}`,
    )
    if (area === undefined) return false
    return edge === 'startswith' ? area.part.startsWith(part) : area.part.endsWith(part)
  })
}

/** `str.join`. */
export function joinTexts(separatorText: string, items: Value, runtime: Runtime): string {
  const elements = elementsOf(items)
  if (elements === undefined) throw typeError('can only join an iterable')
  const parts: string[] = []
  let length = 0
  for (const item of elements) {
    runtime.spend(1)
    const text = asText(item)
    if (text === undefined) {
      throw typeError(`sequence item ${parts.length}: expected str instance, ${typeName(item)} found`)
    }
    length += text.length + (parts.length > 0 ? separatorText.length : 0)
    runtime.size(length)
    parts.push(text)
  }
  return parts.join(separatorText)
}

function every(text: string, test: (character: string) => boolean): boolean {
  return text !== '' && characters(text).every(test)
}

/** `str.islower` */
export function isLowerText(text: string): boolean {
  const list = characters(text)
  return list.some(isLower) && !list.some((character) => isUpper(character) || isTitle(character))
}

/** `str.isupper` */
export function isUpperText(text: string): boolean {
  const list = characters(text)
  return list.some(isUpper) && !list.some((character) => isLower(character) || isTitle(character))
}

function isTitleText(text: string): boolean {
  let cased = false
  let any = false
  for (const character of characters(text)) {
    if (isUpper(character) || isTitle(character)) {
      if (cased) return false
      cased = true
      any = true
    } else if (isLower(character)) {
      if (!cased) return false
    } else cased = false
  }
  return any
}

function isCased(character: string): boolean {
  return isUpper(character) || isLower(character) || isTitle(character)
}

/** `str.capitalize` */
export function capitalize(text: string): string {
  const first = characters(text)[0]
  return first === undefined ? '' : titleOf(first) + lowerAfter(text, first.length)
}

/** The lower case of what follows; a sigma at the end of a word knows what stands before it. */
function lowerAfter(text: string, units: number): string {
  const whole = text.toLowerCase()
  const start = text.slice(0, units).toLowerCase().length
  return whole.slice(start)
}

/** Each character with its lower case, which a sigma finds in the whole text. */
function* lowered(text: string): IterableIterator<readonly [character: string, lower: string]> {
  const whole = text.toLowerCase()
  let at = 0
  for (const character of characters(text)) {
    const { length } = character.toLowerCase()
    yield [character, whole.slice(at, at + length)]
    at += length
  }
}

function titleText(text: string): string {
  let result = ''
  let cased = false
  for (const [character, lower] of lowered(text)) {
    const now = isCased(character)
    if (now) result += cased ? lower : titleOf(character)
    else result += character
    cased = now
  }
  return result
}

function swapCase(text: string): string {
  let result = ''
  for (const [character, lower] of lowered(text)) {
    if (isUpper(character)) result += lower
    else result += isLower(character) ? character.toUpperCase() : character
  }
  return result
}

const identifier = /^[\p{XIDS}_]\p{XIDC}*$/u

function translate(text: string, args: Arguments, runtime: Runtime): string {
  const table = args[0] ?? null
  let result = ''
  for (const character of characters(text)) {
    runtime.spend(1)
    const by = findItem(table, character.codePointAt(0) ?? 0)
    if (by === null) continue
    const text = by === undefined ? character : asText(by)
    if (text === undefined && (typeof by !== 'number' || by < 0 || by > 0x10ffff)) {
      throw typeError('character mapping must return integer, None or str')
    }
    const part = text ?? (typeof by === 'number' ? String.fromCodePoint(by) : '')
    runtime.size(result.length + part.length)
    result += part
  }
  return result
}

function translation(args: Arguments): Dict {
  const [first = null, second, third] = args
  if (second === undefined) {
    if (!(first instanceof Dict)) throw typeError('if you give only one argument to maketrans it must be a dict')
    const pairs = [...first.entries()].map(([key, value]): [Value, Value] => {
      const text = asText(key)
      if (text !== undefined && lengthOf(text) !== 1) {
        throw valueError('string keys in translate table must be of length 1')
      }
      return [text === undefined ? key : (text.codePointAt(0) ?? 0), value]
    })
    return dictOf(pairs)
  }
  const from = characters(
    textArgument(first, () => 'first maketrans argument must be a string if there is a second argument'),
  )
  const to = characters(textArgument(second, (type) => `maketrans() argument 2 must be str, not ${type}`))
  if (from.length !== to.length) throw valueError('the first two maketrans arguments must have equal length')
  const dict = new Dict(from.map((character, index) => [character.codePointAt(0) ?? 0, to[index]?.codePointAt(0) ?? 0]))
  const gone =
    third === undefined ? '' : textArgument(third, (type) => `maketrans() argument 3 must be str, not ${type}`)
  for (const character of characters(gone)) dict.set(character.codePointAt(0) ?? 0, null)
  return dict
}

function refused(name: string): never {
  throw new JinjaError('SecurityError', `str.${name}() is not offered: it gives bytes, and a template makes text`)
}

const methods = new Map<string, TextMethod>(
  Object.entries({
    capitalize: { takes: none, run: capitalize },
    casefold: { takes: none, run: casefold },
    center: { takes: { least: 1, most: 2 }, run: (text, args, runtime) => pad(text, args, 'both', runtime) },
    count: {
      takes: within,
      run: (text, args) => {
        const wanted = textArgument(args[0], (type) => `must be str, not ${type}`)
        const area = window(text, args[1], args[2])
        return area === undefined ? 0 : countOf(area.part, wanted)
      },
    },
    encode: { takes: { least: 0, most: 2, keywords: ['encoding', 'errors'] }, run: () => refused('encode') },
    endswith: { takes: within, run: (text, args) => hasEdge(text, args, 'endswith') },
    expandtabs: { takes: { least: 0, most: 1, keywords: ['tabsize'] }, run: expandTabs },
    find: { takes: within, run: (text, args) => find(text, args, { last: false }) },
    index: { takes: within, run: (text, args) => found(find(text, args, { last: false })) },
    isalnum: { takes: none, run: (text) => every(text, (one) => isAlpha(one) || isNumeric(one)) },
    isalpha: { takes: none, run: (text) => every(text, isAlpha) },
    isascii: { takes: none, run: (text) => /^[\0-\x7f]*$/.test(text) },
    isdecimal: { takes: none, run: (text) => every(text, isDecimal) },
    isdigit: { takes: none, run: (text) => every(text, isDigit) },
    isidentifier: { takes: none, run: (text) => identifier.test(text) },
    islower: { takes: none, run: isLowerText },
    isnumeric: { takes: none, run: (text) => every(text, isNumeric) },
    isprintable: { takes: none, run: (text) => characters(text).every(isPrintable) },
    isspace: { takes: none, run: (text) => every(text, isSpace) },
    istitle: { takes: none, run: isTitleText },
    isupper: { takes: none, run: isUpperText },
    join: { takes: one, run: (text, args, runtime) => joinTexts(text, args[0] ?? null, runtime) },
    ljust: { takes: { least: 1, most: 2 }, run: (text, args, runtime) => pad(text, args, 'right', runtime) },
    lower: { takes: none, run: (text) => text.toLowerCase() },
    lstrip: { takes: { least: 0, most: 1 }, run: (text, args) => trimStart(text, charactersOf(args[0], 'lstrip')) },
    maketrans: { takes: { least: 1, most: 3 }, run: (_, args) => translation(args) },
    partition: { takes: one, run: (text, args) => partition(text, args, { last: false }) },
    removeprefix: {
      takes: one,
      run: (text, args) => {
        const prefix = textArgument(args[0], (type) => `removeprefix() argument must be str, not ${type}`)
        return text.startsWith(prefix) ? text.slice(prefix.length) : text
      },
    },
    removesuffix: {
      takes: one,
      run: (text, args) => {
        const suffix = textArgument(args[0], (type) => `removesuffix() argument must be str, not ${type}`)
        return suffix !== '' && text.endsWith(suffix) ? text.slice(0, -suffix.length) : text
      },
    },
    replace: {
      takes: { least: 2, most: 3 },
      run: (text, args, runtime) => {
        const old = textArgument(args[0], (type) => `replace() argument 1 must be str, not ${type}`)
        const by = textArgument(args[1], (type) => `replace() argument 2 must be str, not ${type}`)
        return replaceIn(text, { old, by, count: args[2] === undefined ? -1 : integerArgument(args[2]) }, runtime)
      },
    },
    rfind: { takes: within, run: (text, args) => find(text, args, { last: true }) },
    rindex: { takes: within, run: (text, args) => found(find(text, args, { last: true })) },
    rjust: { takes: { least: 1, most: 2 }, run: (text, args, runtime) => pad(text, args, 'left', runtime) },
    rpartition: { takes: one, run: (text, args) => partition(text, args, { last: true }) },
    rsplit: { takes: { least: 0, most: 2, keywords: ['sep', 'maxsplit'] }, run: splitFromEnd },
    rstrip: { takes: { least: 0, most: 1 }, run: (text, args) => trimEnd(text, charactersOf(args[0], 'rstrip')) },
    split: { takes: { least: 0, most: 2, keywords: ['sep', 'maxsplit'] }, run: split },
    splitlines: {
      takes: { least: 0, most: 1, keywords: ['keepends'] },
      run: (text, args) => splitLines(text, { keepEnds: args[0] !== undefined && isTrue(args[0]) }),
    },
    startswith: { takes: within, run: (text, args) => hasEdge(text, args, 'startswith') },
    strip: { takes: { least: 0, most: 1 }, run: (text, args) => strip(text, charactersOf(args[0], 'strip')) },
    swapcase: { takes: none, run: swapCase },
    title: { takes: none, run: titleText },
    translate: { takes: one, run: translate },
    upper: { takes: none, run: (text) => text.toUpperCase() },
    zfill: { takes: one, run: zeroFilled },
  } satisfies Record<string, TextMethod>),
)

/** Which arguments of a method of Markup are escaped as they come in. */
const escapedArguments: ReadonlyMap<string, number> = new Map([
  ['replace', 1],
  ['ljust', 1],
  ['rjust', 1],
  ['center', 1],
])

export function isTextMethod(name: string): boolean {
  return methods.has(name)
}

/** Calls a method of `str`; `format` and `format_map` are not among them. */
export function callTextMethod(
  text: string,
  name: string,
  given: { readonly args: readonly Value[]; readonly kwargs: Kwargs },
  runtime: Runtime,
): Value {
  const method = methods.get(name)
  if (method === undefined) throw new JinjaError('AttributeError', `'str' object has no attribute '${name}'`)
  runtime.spend(1 + (text.length >> 8))
  return method.run(text, builtinArguments(`str.${name}`, given, method.takes), runtime)
}

export const markupOnly: ReadonlySet<string> = new Set(['striptags', 'unescape', 'escape'])

/** Calls a method of `Markup`: what comes in is escaped, what comes out is Markup again. */
export function callMarkupMethod(
  text: string,
  name: string,
  given: { readonly args: readonly Value[]; readonly kwargs: Kwargs },
  runtime: Runtime,
): Value {
  if (name === 'striptags') return stripTags(text, runtime)
  if (name === 'unescape') return unescapeText(text)
  if (name === 'escape') return escapeValue(given.args[0] ?? null, runtime)
  if (name === 'join') {
    const items = elementsOf(given.args[0] ?? null)
    if (items === undefined) throw typeError(`'${typeName(given.args[0] ?? null)}' object is not iterable`)
    const escaped: Value[] = []
    for (const item of items) {
      runtime.spend(1)
      escaped.push(escapeValue(item, runtime).text)
    }
    return new Markup(joinTexts(text, escaped, runtime))
  }
  const which = escapedArguments.get(name)
  const args = given.args.map((arg, index) => (index === which ? escapeValue(arg, runtime).text : arg))
  return marked(callTextMethod(text, name, { args, kwargs: given.kwargs }, runtime))
}

function marked(value: Value): Value {
  if (typeof value === 'string') return new Markup(value)
  if (Array.isArray(value)) return value.map(marked)
  return value instanceof Tuple ? new Tuple(value.items.map(marked)) : value
}
