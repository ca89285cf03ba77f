/** The filters on running text that are long: Python's textwrap, and Jinja2's `urlize`. */
import { isSpace, lengthOf, sliceOf, splitLines } from './characters.ts'
import { JinjaError } from './values.ts'
import type { Runtime } from './values.ts'

export type Wrapping = {
  readonly width: number
  readonly breakLongWords: boolean
  readonly breakOnHyphens: boolean
  readonly between: string
}

/** Each line of the text wrapped by itself (Python's `textwrap.wrap`), and all of them joined again. */
export function wrapText(text: string, how: Wrapping, runtime: Runtime): string {
  const lines: string[] = []
  for (const line of splitLines(text)) {
    const wrapped = wrapLine(line, how, runtime)
    // A line that is empty, or blank, becomes no line of textwrap's, and yet it takes part in the joining.
    lines.push(wrapped.join(how.between))
  }
  runtime.size(lines.reduce((length, line) => length + line.length + how.between.length, 0))
  return lines.join(how.between)
}

const blank = '[\\t\\n\\v\\f\\r ]'
const solid = '[^\\t\\n\\v\\f\\r ]'
const word = '[\\p{L}\\p{N}_]'
const letter = '[\\p{L}\\p{Nl}\\p{No}_]'
const wordOrMark = '[\\p{L}\\p{N}_!"\'&.,?]'

/** textwrap's pieces: runs of blanks, dashes between words, and words, which may end at a hyphen. */
const pieces = new RegExp(
  `${blank}+|(?<=${wordOrMark})-{2,}(?=${word})|${solid}+?(?:-(?:(?<=${letter}{2}-)|(?<=${letter}-${letter}-))` +
    `(?=${letter}-?${letter})|(?=${blank}|$)|(?<=${wordOrMark})(?=-{2,}${word}))`,
  'gu',
)
const words = new RegExp(`${blank}+|${solid}+`, 'gu')

function wrapLine(text: string, how: Wrapping, runtime: Runtime): string[] {
  if (how.width <= 0) throw new JinjaError('ValueError', `invalid width ${how.width} (must be > 0)`)
  runtime.spend(1 + (text.length >> 3))
  const chunks = (text.match(how.breakOnHyphens ? pieces : words) ?? []).reverse()
  const lines: string[] = []
  while (chunks.length > 0) {
    runtime.spend(1)
    const line: string[] = []
    let length = 0
    if (lines.length > 0 && isBlank(chunks.at(-1))) chunks.pop()
    for (let next = chunks.at(-1); next !== undefined && length + lengthOf(next) <= how.width; next = chunks.at(-1)) {
      line.push(next)
      length += lengthOf(next)
      chunks.pop()
    }
    const long = chunks.at(-1)
    const broken = long !== undefined && lengthOf(long) > how.width && how.breakLongWords ? Array.from(long) : undefined
    let at = 0
    if (broken !== undefined) {
      at = cut(broken, 0, how.width - length, how)
      line.push(broken.slice(0, at).join(''))
    } else if (long !== undefined && lengthOf(long) > how.width && line.length === 0) {
      line.push(long)
      chunks.pop()
    }
    if (isBlank(line.at(-1))) line.pop()
    if (line.length > 0) lines.push(line.join(''))
    if (broken === undefined) continue
    // The lines that it fills alone; blanks fill none.
    const fills = !isBlank(long)
    while (broken.length - at > how.width && (fills || lines.length === 0)) {
      runtime.spend(1)
      const end = cut(broken, at, how.width, how)
      if (fills) lines.push(broken.slice(at, end).join(''))
      at = end
    }
    chunks[chunks.length - 1] = broken.slice(at).join('')
  }
  return lines
}

function isBlank(chunk: string | undefined): boolean {
  if (chunk === undefined) return false
  for (const character of chunk) if (!isSpace(character)) return false
  return true
}

/** Where a word that is longer than a line is broken, for so much room: behind its last hyphen there, if it has one. */
function cut(word: readonly string[], start: number, room: number, how: Wrapping): number {
  if (!how.breakOnHyphens) return start + room
  for (let at = start + room - 1; at > start; at -= 1) {
    if (word[at] !== '-') continue
    for (let before = at - 1; before >= start; before -= 1) if (word[before] !== '-') return at + 1
    break
  }
  return start + room
}

// --- urlize ----------------------------------------------------------------------------------------------------------

const webAddress =
  /^((https?:\/\/|www\.)(([\p{L}\p{N}_%-]+\.)+)?([a-z]{2,63}|xn--[\p{L}\p{N}_%]{2,59})|([\p{L}\p{N}_%-]{2,63}\.)+(com|net|int|edu|gov|org|info|mil)|(https?:\/\/)((\p{Nd}{1,3})(\.\p{Nd}{1,3}){3}|(\[([\p{Nd}a-f]{0,4}:){2}([\p{Nd}a-f]{0,4}:?){1,6}\])))(?::\p{Nd}{1,5})?(?:[/?#][^]*)?$/iu
const mailAddress = /^[^]+@[\p{L}\p{N}_][\p{L}\p{N}_.-]*\.[\p{L}\p{N}_]+$/u

export type Links = {
  /** How many characters of an address are shown; absent for all of it. It is asked for when there is an address. */
  readonly limit: (() => number) | undefined
  /** Attributes of each link, ready to be written: ` rel="noopener"`. */
  readonly attributes: string
  readonly schemes: readonly string[]
}

/** Web and mail addresses in a text as links. The text is escaped already. */
export function linkText(escaped: string, links: Links, runtime: Runtime): string {
  runtime.spend(1 + (escaped.length >> 2))
  let result = ''
  let at = 0
  while (at < escaped.length) {
    const start = at
    const space = isSpace(escaped.charAt(at))
    while (at < escaped.length && isSpace(escaped.charAt(at)) === space) at += 1
    const part = escaped.slice(start, at)
    result += space ? part : linkedWord(part, links, runtime)
    runtime.size(result.length)
  }
  return result
}

function linkedWord(text: string, links: Links, runtime: Runtime): string {
  let start = 0
  for (let step = 1; step > 0; start += step) {
    step = '(<'.includes(text.charAt(start) || 'none') ? 1 : text.startsWith('&lt;', start) ? 4 : 0
  }
  let end = text.length
  for (let step = 1; step > 0; end -= step) {
    step =
      end <= start ? 0 : ')>.,'.includes(text.charAt(end - 1)) ? 1 : text.slice(start, end).endsWith('&gt;') ? 4 : 0
  }
  let middle = text.slice(start, end)
  let tail = text.slice(end)
  // Brackets that were opened in the address belong to it, and with them what stands before their ends.
  for (const [open, close] of [
    ['(', ')'],
    ['<', '>'],
    ['&lt;', '&gt;'],
  ] as const) {
    const opened = middle.split(open).length - 1
    if (opened <= middle.split(close).length - 1) continue
    const closed = tail.split(close).length - 1
    for (let count = Math.min(opened, closed); count > 0; count -= 1) {
      runtime.spend(1)
      const until = tail.indexOf(close) + close.length
      middle += tail.slice(0, until)
      tail = tail.slice(until)
    }
  }
  return text.slice(0, start) + linked(middle, links) + tail
}

function linked(middle: string, links: Links): string {
  const { attributes } = links
  if (webAddress.test(middle)) {
    const address = middle.startsWith('https://') || middle.startsWith('http://') ? middle : `https://${middle}`
    const length = lengthOf(middle)
    const limit = links.limit?.() ?? length
    const end = limit < 0 ? Math.max(0, length + limit) : limit
    return `<a href="${address}"${attributes}>${length > limit ? `${sliceOf(middle, 0, end)}...` : middle}</a>`
  }
  if (middle.startsWith('mailto:') && mailAddress.test(middle.slice(7))) {
    return `<a href="${middle}">${middle.slice(7)}</a>`
  }
  const plain = !middle.startsWith('www.') && !middle.startsWith('@') && !middle.includes(':')
  if (plain && middle.includes('@') && mailAddress.test(middle)) return `<a href="mailto:${middle}">${middle}</a>`
  let text = middle
  for (const scheme of links.schemes) {
    if (text !== scheme && text.startsWith(scheme)) text = `<a href="${text}"${attributes}>${text}</a>`
  }
  return text
}
