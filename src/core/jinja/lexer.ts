/**
 * Jinja2's lexer (jinja2/lexer.py of 3.1.6, default delimiters and whitespace settings), which gives nunjucks' tokens.
 *
 * nunjucks' own lexer is not used: beside blanks it runs a quadratic regular expression, it takes quotes and backslashes
 * into names, it loses whether a number was an int or a float, and it does not know Python's escapes. This one looks at
 * each character a bounded number of times.
 */
import { Float } from '../data.ts'
import { failAt } from './errors.ts'
import { quote } from './text.ts'
import { whole } from './values.ts'

/** The shape of nunjucks' tokens, with the offset in the normalised source. Lines and columns count from 0. */
export type Token = {
  readonly type: TokenType
  readonly value: string | number | bigint | Float
  readonly lineno: number
  readonly colno: number
  readonly offset: number
}

export type TokenType =
  | 'data'
  | 'block-start'
  | 'block-end'
  | 'variable-start'
  | 'variable-end'
  | 'string'
  | 'int'
  | 'float'
  | 'symbol'
  | 'operator'
  | 'left-paren'
  | 'right-paren'
  | 'left-bracket'
  | 'right-bracket'
  | 'left-curly'
  | 'right-curly'
  | 'comma'
  | 'colon'
  | 'tilde'
  | 'pipe'
  | 'eof'

const bracketTypes: ReadonlyMap<string, TokenType> = new Map([
  ['(', 'left-paren'],
  [')', 'right-paren'],
  ['[', 'left-bracket'],
  [']', 'right-bracket'],
  ['{', 'left-curly'],
  ['}', 'right-curly'],
  [',', 'comma'],
  [':', 'colon'],
  ['~', 'tilde'],
  ['|', 'pipe'],
])

const doubleOperators = new Set(['//', '**', '==', '!=', '>=', '<='])
const singleOperators = '+-/*%[](){}><=.:|,;~'
const closing: ReadonlyMap<string, string> = new Map([
  ['(', ')'],
  ['[', ']'],
  ['{', '}'],
])

/**
 * The source as Jinja2 sees it: `\r\n` and `\r` are `\n`, and one newline at the end is dropped
 * (`keep_trailing_newline` is off by default). Lines and columns stay what they are in the file.
 */
export function normalise(source: string): string {
  const text = source.includes('\r') ? source.replaceAll('\r\n', '\n').replaceAll('\r', '\n') : source
  return text.endsWith('\n') ? text.slice(0, -1) : text
}

/** The offsets at which the lines of a text start. */
export function lineStarts(text: string): number[] {
  const starts = [0]
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) starts.push(at + 1)
  return starts
}

/** Python's `str.isspace` for one character. */
export function isSpace(code: number): boolean {
  if (code <= 32) return code === 32 || (code >= 9 && code <= 13) || (code >= 28 && code <= 31)
  if (code < 0x85) return false
  return (
    code === 0x85 ||
    code === 0xa0 ||
    code === 0x1680 ||
    (code >= 0x2000 && code <= 0x200a) ||
    code === 0x2028 ||
    code === 0x2029 ||
    code === 0x202f ||
    code === 0x205f ||
    code === 0x3000
  )
}

/** Tokens of a normalised source. Throws a syntax fault; the last token is of type `eof`. */
export function lex(source: string, limits: { readonly tokens: number }): Token[] {
  const starts = lineStarts(source)
  const tokens: Token[] = []
  const open: string[] = []
  let line = 0
  let at = 0

  function lineOf(offset: number): number {
    while (line + 1 < starts.length && (starts[line + 1] ?? 0) <= offset) line += 1
    return line
  }

  function push(type: TokenType, value: Token['value'], offset: number): void {
    const lineno = lineOf(offset)
    if (tokens.length >= limits.tokens) fail(`the template has more than ${limits.tokens} tokens`, offset, 'Limit')
    tokens.push({ type, value, lineno, colno: offset - (starts[lineno] ?? 0), offset })
  }

  function fail(message: string, offset: number, kind: 'TemplateSyntaxError' | 'Limit' = 'TemplateSyntaxError'): never {
    const lineno = lineOf(offset)
    failAt(kind, message, { lineno, colno: offset - (starts[lineno] ?? 0) })
  }

  function skipSpace(from: number): number {
    let end = from
    while (end < source.length && isSpace(source.charCodeAt(end))) end += 1
    return end
  }

  function pushData(from: number, to: number, strip: boolean): void {
    let end = to
    if (strip) while (end > from && isSpace(source.charCodeAt(end - 1))) end -= 1
    if (end > from) push('data', source.slice(from, end), from)
  }

  /** The offset behind `word` and blanks around it, at `from`; -1 if it is not there. */
  function behindWord(from: number, word: string): number {
    const start = skipSpace(from)
    return source.startsWith(word, start) ? skipSpace(start + word.length) : -1
  }

  function sign(offset: number): '' | '-' | '+' {
    const char = source[offset]
    return char === '-' || char === '+' ? char : ''
  }

  /** `{% raw %}` at `start`: the offset behind its `%}`, or -1. */
  function rawStart(start: number): number {
    const end = behindWord(start + 2 + sign(start + 2).length, 'raw')
    if (end === -1) return -1
    if (source.startsWith('-%}', end)) return skipSpace(end + 3)
    return source.startsWith('%}', end) ? end + 2 : -1
  }

  function readRaw(from: number, opening: number): number {
    // At the very end there is nothing that Jinja2 would miss the end of.
    if (from >= source.length) return from
    for (let start = source.indexOf('{%', from); start !== -1; start = source.indexOf('{%', start + 1)) {
      const mark = sign(start + 2)
      const end = behindWord(start + 2 + mark.length, 'endraw')
      if (end === -1) continue
      const trimmed = source.startsWith('-%}', end)
      const behind = trimmed || source.startsWith('+%}', end) ? end + 3 : source.startsWith('%}', end) ? end + 2 : -1
      if (behind === -1) continue
      pushData(from, start, mark === '-')
      return trimmed ? skipSpace(behind) : behind
    }
    fail('Missing end of raw directive', opening)
  }

  function readComment(from: number, opening: number): number {
    if (from >= source.length) return from
    const end = source.indexOf('#}', from)
    if (end === -1) fail('Missing end of comment tag', opening)
    return end > from && source[end - 1] === '-' ? skipSpace(end + 2) : end + 2
  }

  /** Inside a tag until its end; gives the offset behind it. */
  function readTag(from: number, kind: 'block' | 'variable'): number {
    const end = kind === 'block' ? '%}' : '}}'
    let offset = from
    open.length = 0
    while (offset < source.length) {
      if (open.length === 0) {
        if (source.startsWith(end, offset)) {
          push(`${kind}-end`, end, offset)
          return offset + 2
        }
        const mark = source[offset]
        if ((mark === '-' || (mark === '+' && kind === 'block')) && source.startsWith(end, offset + 1)) {
          push(`${kind}-end`, mark + end, offset)
          return mark === '-' ? skipSpace(offset + 3) : offset + 3
        }
      }
      offset = readToken(offset)
    }
    return offset
  }

  function readToken(offset: number): number {
    const code = source.charCodeAt(offset)
    if (isSpace(code)) return skipSpace(offset)
    if (isDigit(code)) return readNumber(offset)
    const nameEnd = endOfName(source, offset)
    if (nameEnd > offset) {
      const name = source.slice(offset, nameEnd)
      if (!isIdentifier(name)) fail('Invalid character in identifier', offset)
      push('symbol', name, offset)
      return nameEnd
    }
    if (code === 34 || code === 39) return readString(offset)
    return readOperator(offset)
  }

  function readNumber(offset: number): number {
    if (source[offset - 1] !== '.') {
      const floatEnd = endOfFloat(source, offset)
      if (floatEnd > offset) {
        push('float', new Float(Number(source.slice(offset, floatEnd).replaceAll('_', ''))), offset)
        return floatEnd
      }
    }
    const end = endOfInteger(source, offset)
    const digits = source.slice(offset, end).replaceAll('_', '')
    if (digits.length > 4300) {
      fail('Exceeds the limit (4300 digits) for integer string conversion: an int may not be so long', offset)
    }
    push('int', whole(BigInt(digits)), offset)
    return end
  }

  function readString(offset: number): number {
    const mark = source[offset] ?? ''
    let end = offset + 1
    while (end < source.length && source[end] !== mark) end += source[end] === '\\' ? 2 : 1
    if (end >= source.length) fail(`unexpected char ${quote(mark)} at ${offset}`, offset)
    push(
      'string',
      unescape(source.slice(offset + 1, end), (message) => fail(message, offset)),
      offset,
    )
    return end + 1
  }

  function readOperator(offset: number): number {
    const double = source.slice(offset, offset + 2)
    if (doubleOperators.has(double)) {
      push('operator', double, offset)
      return offset + 2
    }
    const char = source[offset] ?? ''
    if (!singleOperators.includes(char)) {
      const unknown = String.fromCodePoint(source.codePointAt(offset) ?? 0)
      fail(`unexpected char ${quote(unknown)} at ${offset}`, offset)
    }
    const closer = closing.get(char)
    if (closer !== undefined) open.push(closer)
    else if (char === ')' || char === ']' || char === '}') {
      const wanted = open.pop()
      if (wanted === undefined) fail(`unexpected '${char}'`, offset)
      if (wanted !== char) fail(`unexpected '${char}', expected '${wanted}'`, offset)
    }
    push(bracketTypes.get(char) ?? 'operator', char, offset)
    return offset + 1
  }

  while (at < source.length) {
    let start = source.indexOf('{', at)
    while (start !== -1 && !'%{#'.includes(source[start + 1] ?? ' ')) start = source.indexOf('{', start + 1)
    if (start === -1) {
      push('data', source.slice(at), at)
      break
    }
    const kind = source[start + 1]
    const mark = sign(start + 2)
    pushData(at, start, mark === '-')
    const inside = start + 2 + mark.length
    if (kind === '#') at = readComment(inside, start)
    else if (kind === '{') {
      push('variable-start', `{{${mark}`, start)
      at = readTag(inside, 'variable')
    } else {
      const raw = rawStart(start)
      if (raw !== -1) at = readRaw(raw, start)
      else {
        push('block-start', `{%${mark}`, start)
        at = readTag(inside, 'block')
      }
    }
  }
  push('eof', '', source.length)
  return tokens
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57
}

const continues = /[\p{XID_Continue}_]/u
const identifier = /^[\p{XID_Start}_]\p{XID_Continue}*$/u

/** The end of a run of word characters, ASCII first. */
function endOfName(source: string, offset: number): number {
  let end = offset
  while (end < source.length) {
    const code = source.charCodeAt(end)
    if (code < 128) {
      const word = (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || code === 95 || isDigit(code)
      if (!word) break
      end += 1
    } else {
      const char = String.fromCodePoint(source.codePointAt(end) ?? 0)
      if (!continues.test(char)) break
      end += char.length
    }
  }
  return end
}

function isIdentifier(name: string): boolean {
  const first = name.charCodeAt(0)
  return (first < 128 && !isDigit(first) && endsAscii(name)) || identifier.test(name)
}

function endsAscii(name: string): boolean {
  for (let index = 0; index < name.length; index += 1) if (name.charCodeAt(index) > 127) return false
  return true
}

/** The end of digits with single underscores between them; `offset` itself if there is no digit. */
function endOfDigits(source: string, offset: number, isOne: (code: number) => boolean): number {
  if (!isOne(source.charCodeAt(offset))) return offset
  let end = offset + 1
  for (;;) {
    if (isOne(source.charCodeAt(end))) end += 1
    else if (source[end] === '_' && isOne(source.charCodeAt(end + 1))) end += 2
    else return end
  }
}

function endOfFloat(source: string, offset: number): number {
  let end = endOfDigits(source, offset, isDigit)
  let isFloat = false
  if (source[end] === '.') {
    const fraction = endOfDigits(source, end + 1, isDigit)
    if (fraction > end + 1) {
      end = fraction
      isFloat = true
    }
  }
  if (source[end] === 'e' || source[end] === 'E') {
    const mark = source[end + 1]
    const start = mark === '+' || mark === '-' ? end + 2 : end + 1
    const exponent = endOfDigits(source, start, isDigit)
    if (exponent > start) return exponent
  }
  return isFloat ? end : offset
}

const bases: ReadonlyMap<string, (code: number) => boolean> = new Map([
  ['b', (code) => code === 48 || code === 49],
  ['o', (code) => code >= 48 && code <= 55],
  ['x', (code) => isDigit(code) || (code >= 97 && code <= 102) || (code >= 65 && code <= 70)],
])

function endOfInteger(source: string, offset: number): number {
  if (source[offset] !== '0') return endOfDigits(source, offset, isDigit)
  const isOne = bases.get((source[offset + 1] ?? '').toLowerCase())
  if (isOne !== undefined) {
    const start = source[offset + 2] === '_' ? offset + 3 : offset + 2
    const end = endOfDigits(source, start, isOne)
    if (end > start) return end
  }
  return endOfDigits(source, offset, (code) => code === 48)
}

const simpleEscapes: ReadonlyMap<string, string> = new Map([
  ['\n', ''],
  ['\\', '\\'],
  ["'", "'"],
  ['"', '"'],
  ['a', '\x07'],
  ['b', '\b'],
  ['f', '\f'],
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
  ['v', '\v'],
])

const hexEscapes: ReadonlyMap<string, number> = new Map([
  ['x', 2],
  ['u', 4],
  ['U', 8],
])

/** Python's `unicode-escape` codec over what `backslashreplace` makes of the text, as Jinja2 reads its strings. */
function unescape(text: string, fail: (message: string) => never): string {
  let next = text.indexOf('\\')
  if (next === -1) return text
  let result = ''
  let done = 0
  while (next !== -1) {
    result += text.slice(done, next)
    const char = String.fromCodePoint(text.codePointAt(next + 1) ?? 0)
    const code = char.codePointAt(0) ?? 0
    done = next + 1 + char.length
    const simple = simpleEscapes.get(char)
    const digits = hexEscapes.get(char)
    if (simple !== undefined) result += simple
    else if (digits !== undefined) {
      const hex = text.slice(done, done + digits)
      if (!isHex(hex, digits)) fail(`truncated \\${char}${'X'.repeat(digits)} escape`)
      const point = Number.parseInt(hex, 16)
      if (point > 0x10ffff) fail('illegal Unicode character')
      result += String.fromCodePoint(point)
      done += digits
    } else if (code >= 48 && code <= 55) {
      let end = next + 1
      while (end < next + 4 && end < text.length && text.charCodeAt(end) >= 48 && text.charCodeAt(end) <= 55) end += 1
      result += String.fromCodePoint(Number.parseInt(text.slice(next + 1, end), 8))
      done = end
    } else if (char === 'N') {
      fail('the escape \\N{…} is not supported: write the character itself')
    } else if (code > 127) {
      const [letter, width] = code > 0xffff ? ['U', 8] : code > 0xff ? ['u', 4] : ['x', 2]
      result += `\\${letter}${code.toString(16).padStart(width, '0')}`
    } else result += `\\${char}`
    next = text.indexOf('\\', done)
  }
  return result + text.slice(done)
}

function isHex(text: string, length: number): boolean {
  if (text.length !== length) return false
  const isOne = bases.get('x')
  for (let index = 0; index < length; index += 1) if (isOne?.(text.charCodeAt(index)) !== true) return false
  return true
}
