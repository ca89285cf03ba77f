import { type Data, Float, type KeyOrder, keepOrder, newMap, ordered } from '../data.ts'
import { limits } from './bounds.ts'
import { type Finding, mostFindings } from './findings.ts'
import type { Spot } from './spots.ts'

export type ReadJson = { readonly data: Data; readonly findings: readonly Finding[]; readonly spot: Spot }

/**
 * JSON by its grammar (RFC 8259), in time linear in the text. Unlike `JSON.parse` it refuses keys that stand twice, keeps
 * `2.0` a `Float` and long integers whole, and knows where everything stands. It stops at the first fault of the grammar;
 * the other findings are collected.
 */
export function scanJson(text: string, options: { readonly spots: boolean }): ReadJson {
  const scanner: Scanner = { text, spots: options.spots, at: 0, findings: [] }
  try {
    blank(scanner)
    const { data, spot } = readValue(scanner, 0)
    blank(scanner)
    if (scanner.at < text.length) fail(scanner, 'Something follows the end of the value.')
    return { data, findings: scanner.findings, spot }
  } catch (error) {
    if (!(error instanceof Stop)) throw error
    return { data: null, findings: scanner.findings, spot: { at: 0, key: 0, inside: undefined } }
  }
}

type Scanner = { readonly text: string; readonly spots: boolean; at: number; readonly findings: Finding[] }

type Found = { readonly data: Data; readonly spot: Spot }

/** Thrown after a finding that reading cannot go on from. */
class Stop extends Error {}

function readValue(scanner: Scanner, depth: number): Found {
  const at = scanner.at
  const character = scanner.text[at]
  if (character === '{' || character === '[') {
    if (depth >= limits.depth) {
      stop(scanner, {
        code: 'yaml-too-deep',
        message: `The nesting is deeper than ${limits.depth} levels.`,
        expected: `At most ${limits.depth} levels.`,
        remedy: 'Flatten the structure.',
      })
    }
    return character === '{' ? readMap(scanner, depth) : readList(scanner, depth)
  }
  if (character === '"') return { data: readText(scanner), spot: leaf(at) }
  return { data: readWord(scanner), spot: leaf(at) }
}

function leaf(at: number): Spot {
  return { at, key: at, inside: undefined }
}

function readMap(scanner: Scanner, depth: number): Found {
  const spot: Spot = { at: scanner.at, key: scanner.at, inside: scanner.spots ? new Map() : undefined }
  const map = newMap()
  let order: KeyOrder
  scanner.at += 1
  blank(scanner)
  if (accept(scanner, '}')) return { data: map, spot }
  for (;;) {
    const at = scanner.at
    if (scanner.text[at] !== '"') fail(scanner, 'A key in double quotes is missing.')
    const key = readText(scanner)
    checkKey(scanner, { map, key, at })
    blank(scanner)
    if (!accept(scanner, ':')) fail(scanner, 'The ":" after a key is missing.')
    blank(scanner)
    const value = readValue(scanner, depth + 1)
    order = ordered(order, map, key)
    map[key] = value.data
    value.spot.key = at
    spot.inside?.set(key, value.spot)
    blank(scanner)
    if (accept(scanner, '}')) {
      keepOrder(map, order)
      return { data: map, spot }
    }
    if (!accept(scanner, ',')) fail(scanner, 'A "," or the closing "}" is missing.')
    blank(scanner)
  }
}

function readList(scanner: Scanner, depth: number): Found {
  const spot: Spot = { at: scanner.at, key: scanner.at, inside: scanner.spots ? new Map() : undefined }
  const list: Data[] = []
  scanner.at += 1
  blank(scanner)
  if (accept(scanner, ']')) return { data: list, spot }
  for (;;) {
    const value = readValue(scanner, depth + 1)
    spot.inside?.set(list.length, value.spot)
    list.push(value.data)
    blank(scanner)
    if (accept(scanner, ']')) return { data: list, spot }
    if (!accept(scanner, ',')) fail(scanner, 'A "," or the closing "]" is missing.')
    blank(scanner)
  }
}

function checkKey(scanner: Scanner, { map, key, at }: { map: Record<string, Data>; key: string; at: number }): void {
  if (scanner.findings.length >= mostFindings) return
  if (key === '__proto__') {
    scanner.findings.push({
      code: 'yaml-reserved-key',
      severity: 'error',
      offset: at,
      message: 'The key "__proto__" is reserved.',
      expected: 'Any other key.',
      remedy: 'Give the key another name.',
    })
  } else if (Object.hasOwn(map, key)) {
    scanner.findings.push({
      code: 'yaml-duplicate-key',
      severity: 'error',
      offset: at,
      message: `The key ${JSON.stringify(key.slice(0, 60))} stands twice in this object.`,
      expected: 'Each key once.',
      remedy: 'Keep one of the two entries.',
    })
  }
}

/** The part of a string up to a backslash, the closing quote, or what must not stand in a string. */
const ordinary = /[^"\\\u0000-\u001f]*/y

const escapes: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
}

function readText(scanner: Scanner): string {
  const { text } = scanner
  const start = scanner.at
  let result = ''
  scanner.at += 1
  for (;;) {
    ordinary.lastIndex = scanner.at
    result += ordinary.exec(text)?.[0] ?? ''
    scanner.at = ordinary.lastIndex
    if (accept(scanner, '"')) break
    if (!accept(scanner, '\\')) {
      fail(
        scanner,
        scanner.at >= text.length ? 'The closing quote of a text is missing.' : 'A text holds a control character.',
      )
    }
    const letter = text[scanner.at] ?? ''
    const hex = /^u[0-9a-fA-F]{4}$/.test(text.slice(scanner.at, scanner.at + 5))
      ? text.slice(scanner.at + 1, scanner.at + 5)
      : ''
    if (hex !== '') result += String.fromCharCode(Number.parseInt(hex, 16))
    else if (Object.hasOwn(escapes, letter)) result += escapes[letter] ?? ''
    else fail(scanner, 'A backslash is followed by something that is no escape.')
    scanner.at += hex === '' ? 1 : 5
  }
  if (!result.isWellFormed() && scanner.findings.length < mostFindings) {
    scanner.findings.push({
      code: 'yaml-encoding',
      severity: 'error',
      offset: start,
      message: 'The text holds half of a character (a lone surrogate).',
      expected: 'Escapes in pairs, such as "\\ud83d\\ude00".',
      remedy: 'Correct the escape.',
    })
  }
  return result
}

const number = /-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?/y
const wordEnd = /[\s,\]}]/

function readWord(scanner: Scanner): Data {
  const { text } = scanner
  for (const [word, value] of [
    ['true', true],
    ['false', false],
    ['null', null],
  ] as const) {
    if (text.startsWith(word, scanner.at)) {
      scanner.at += word.length
      return value
    }
  }
  number.lastIndex = scanner.at
  const match = number.exec(text)
  if (match === null) fail(scanner, scanner.at >= text.length ? 'The text ends too early.' : 'Here a value is missing.')
  const written = match[0]
  const next = text[number.lastIndex]
  if (next !== undefined && !wordEnd.test(next)) fail(scanner, 'A number is not written as JSON has them.')
  const value = Number(written)
  if (!Number.isFinite(value)) {
    stop(scanner, {
      code: 'yaml-number',
      message: `${written.slice(0, 40)} is larger than any reader can hold.`,
      expected: 'A smaller number, or a text in quotes.',
      remedy: 'Put it in quotes if it is a text.',
    })
  }
  scanner.at = number.lastIndex
  if (match[1] !== undefined || match[2] !== undefined) return new Float(value)
  if (Number.isSafeInteger(value)) return value === 0 ? 0 : value
  return BigInt(written)
}

const space = /[ \t\r\n]*/y

function blank(scanner: Scanner): void {
  space.lastIndex = scanner.at
  space.exec(scanner.text)
  scanner.at = space.lastIndex
}

function accept(scanner: Scanner, character: string): boolean {
  if (scanner.text[scanner.at] !== character) return false
  scanner.at += 1
  return true
}

function fail(scanner: Scanner, message: string): never {
  return stop(scanner, {
    code: 'yaml-syntax',
    message,
    expected: 'Valid JSON.',
    remedy: 'Correct the text here; JSON has no comments, no trailing commas and no single quotes.',
  })
}

function stop(scanner: Scanner, finding: Omit<Finding, 'severity' | 'offset'>): never {
  scanner.findings.push({ ...finding, severity: 'error', offset: scanner.at })
  throw new Stop()
}
