/** HTML text as markupsafe has it: escaping, and back. */
import { splitWords } from './characters.ts'
import { namedEntities } from './entities.ts'
import { toText } from './text.ts'
import { Aligned, Markup, Thing } from './values.ts'
import type { Runtime, Value } from './values.ts'

const special = /[&<>'"]/

/** `& < > ' "` as entities. */
export function escapeText(text: string): string {
  if (!special.test(text)) return text
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('>', '&gt;')
    .replaceAll('<', '&lt;')
    .replaceAll("'", '&#39;')
    .replaceAll('"', '&#34;')
}

/** markupsafe's `escape`: what is marked as safe stays as it is. */
export function escapeValue(value: Value, runtime: Runtime): Markup {
  if (value instanceof Markup) return value
  const text = toText(value, runtime)
  if (value instanceof Thing && value.escaped) return new Markup(text)
  runtime.spend(1 + (text.length >> 6))
  runtime.size(text.length)
  return new Markup(escapeText(text))
}

/** `Markup(value)`: the text of the value, taken for safe. */
export function asMarkup(value: Value, runtime: Runtime): Value {
  return value instanceof Markup || value instanceof Aligned ? value : new Markup(toText(value, runtime))
}

/** `Markup.striptags`: comments and tags out, entities read, white space made single. */
export function stripTags(text: string, runtime: Runtime): string {
  let bare = text
  // What closes up after a comment was taken out may begin a comment again, so each search starts at the beginning.
  for (;;) {
    const start = bare.indexOf('<!--')
    const end = start < 0 ? -1 : bare.indexOf('-->', start)
    if (end < 0) break
    runtime.spend(1 + (bare.length >> 6))
    bare = bare.slice(0, start) + bare.slice(end + 3)
  }
  return unescapeText(splitWords(withoutTags(bare)).join(' '))
}

function withoutTags(text: string): string {
  let kept = ''
  let at = 0
  for (;;) {
    const start = text.indexOf('<', at)
    const end = start < 0 ? -1 : text.indexOf('>', start)
    if (end < 0) return kept + text.slice(at)
    kept += text.slice(at, start)
    at = end + 1
  }
}

/** What HTML reads the code points 0x80 to 0x9f as: those of Windows-1252. */
const windows =
  '\u20ac\x81\u201a\u0192\u201e\u2026\u2020\u2021\u02c6\u2030\u0160\u2039\u0152\x8d\u017d\x8f' +
  '\x90\u2018\u2019\u201c\u201d\u2022\u2013\u2014\u02dc\u2122\u0161\u203a\u0153\x9d\u017e\u0178'

/** Python's `html.unescape`. */
export function unescapeText(text: string): string {
  if (!text.includes('&')) return text
  return text.replace(/&(#[0-9]+;?|#[xX][0-9a-fA-F]+;?|[^\t\n\f <&#;]{1,32};?)/gu, (_, body: string) =>
    body.startsWith('#') ? numbered(body) : named(body),
  )
}

function numbered(body: string): string {
  const hexadecimal = body.charAt(1) === 'x' || body.charAt(1) === 'X'
  const point = Number.parseInt(body.slice(hexadecimal ? 2 : 1), hexadecimal ? 16 : 10)
  if (point === 0 || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) return '\ufffd'
  if (point >= 0x80 && point <= 0x9f) return windows.charAt(point - 0x80)
  const control = point < 0x20 && ![9, 10, 12, 13].includes(point)
  const never = point === 0x7f || (point >= 0xfdd0 && point <= 0xfdef) || (point & 0xfffe) === 0xfffe
  return control || never ? '' : String.fromCodePoint(point)
}

function named(body: string): string {
  const entities = namedEntities()
  const characters = Array.from(body)
  for (let length = characters.length; length > 1; length -= 1) {
    const text = entities.get(characters.slice(0, length).join(''))
    if (text !== undefined) return text + characters.slice(length).join('')
  }
  return `&${body}`
}
