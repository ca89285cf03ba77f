/**
 * Strings as Python counts and classifies them: by code points, with Python's ideas of space, case, digit and printable.
 * Text without surrogates, which is nearly all of it, takes a short way.
 */

const surrogate = /[\ud800-\udfff]/

/** Whether the text has a character beyond the basic plane, so that its UTF-16 units are not its characters. */
export function isWide(text: string): boolean {
  return surrogate.test(text)
}

export function characters(text: string): string[] {
  return isWide(text) ? Array.from(text) : text.split('')
}

export function lengthOf(text: string): number {
  if (!isWide(text)) return text.length
  let count = 0
  for (const _ of text) count += 1
  return count
}

/** `text[start:stop]` for bounds that are settled: 0 <= start, stop <= length. */
export function sliceOf(text: string, start: number, stop: number): string {
  if (!isWide(text)) return start < stop ? text.slice(start, stop) : ''
  return Array.from(text).slice(start, Math.max(start, stop)).join('')
}

/** The index in code points of an index in UTF-16 units. */
export function pointIndex(text: string, unit: number): number {
  return isWide(text) ? lengthOf(text.slice(0, unit)) : unit
}

const unprintable = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}\p{Zs}]/u

export function isPrintable(character: string): boolean {
  return character === ' ' || !unprintable.test(character)
}

const space = /^[\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]$/

export function isSpace(character: string): boolean {
  return space.test(character)
}

const letter = /^\p{L}$/u
const decimal = /^\p{Nd}$/u
const number = /^\p{N}$/u
const upper = /^\p{Uppercase}$/u
const lower = /^\p{Lowercase}$/u
const title = /^\p{Lt}$/u

export function isAlpha(character: string): boolean {
  return letter.test(character)
}

export function isDecimal(character: string): boolean {
  return decimal.test(character)
}

/** Digits that are not decimal: superscripts, circled digits and the like (Unicode's Numeric_Type=Digit). */
const digit =
  /^[\xb2\xb3\xb9\u1369-\u1371\u19da\u2070\u2074-\u2079\u2080-\u2089\u2460-\u2468\u2474-\u247c\u2488-\u2490\u24ea\u24f5-\u24fd\u24ff\u2776-\u277e\u2780-\u2788\u278a-\u2792\u{10a40}-\u{10a43}\u{10e60}-\u{10e68}\u{11052}-\u{1105a}\u{1f100}-\u{1f10a}]$/u

export function isDigit(character: string): boolean {
  return decimal.test(character) || digit.test(character)
}

/** Letters that stand for numbers, such as the Chinese numerals (Unicode's Numeric_Type=Numeric). */
const numeral =
  /^[\u3405\u3483\u382a\u3b4d\u4e00\u4e03\u4e07\u4e09\u4e5d\u4e8c\u4e94\u4e96\u4ebf\u4ec0\u4edf\u4ee8\u4f0d\u4f70\u5104\u5146\u5169\u516b\u516d\u5341\u5343-\u5345\u534c\u53c1-\u53c4\u56db\u58f1\u58f9\u5e7a\u5efe\u5eff\u5f0c-\u5f0e\u5f10\u62fe\u634c\u67d2\u6f06\u7396\u767e\u8086\u842c\u8cae\u8cb3\u8d30\u9621\u9646\u964c\u9678\u96f6\uf96b\uf973\uf978\uf9b2\uf9d1\uf9d3\uf9fd\u{20001}\u{20064}\u{200e2}\u{20121}\u{2092a}\u{20983}\u{2098c}\u{2099c}\u{20aea}\u{20afd}\u{20b19}\u{22390}\u{22998}\u{23b1b}\u{2626d}\u{2f890}]$/u

export function isNumeric(character: string): boolean {
  return number.test(character) || numeral.test(character)
}

export function isUpper(character: string): boolean {
  return upper.test(character)
}

export function isLower(character: string): boolean {
  return lower.test(character)
}

export function isTitle(character: string): boolean {
  return title.test(character)
}

/** The value of a decimal digit of any script. Every script's digits are ten code points in a row, from its zero. */
export function digitValue(character: string): number | undefined {
  const point = character.codePointAt(0) ?? 0
  if (point >= 48 && point <= 57) return point - 48
  if (point < 128 || !isDecimal(character)) return undefined
  // Mathematical digits follow each other in five styles, from U+1D7CE.
  if (point >= 0x1d7ce && point <= 0x1d7ff) return (point - 0x1d7ce) % 10
  let zero = point
  while (point - zero < 9 && isDecimal(String.fromCodePoint(zero - 1))) zero -= 1
  return point - zero
}

/** The title case of one character, where it is not its upper case: digraphs, Georgian, Greek with iota subscript. */
export function titleOf(character: string): string {
  const point = character.codePointAt(0) ?? 0
  if (point < 0x149) {
    const text = character.toUpperCase()
    return text.length === 1 ? text : text.charAt(0) + text.slice(1).toLowerCase()
  }
  if (point === 0x149) return '\u02bcN'
  if (point >= 0x1c4 && point <= 0x1cc) return String.fromCodePoint(point - ((point - 0x1c4) % 3) + 1)
  if (point >= 0x1f1 && point <= 0x1f3) return '\u01f2'
  if (point >= 0x10d0 && point <= 0x10ff) return character
  if (point >= 0x1f80 && point <= 0x1faf) return String.fromCodePoint(point | 8)
  if (point === 0x1fb3 || point === 0x1fc3 || point === 0x1ff3) return String.fromCodePoint(point + 9)
  if (point === 0x1fbc || point === 0x1fcc || point === 0x1ffc) return character
  const text = character.toUpperCase()
  if (text.length > 1 && point >= 0x1fb2 && point <= 0x1ff7 && text.endsWith('\u0399'))
    return `${text.slice(0, -1)}\u0345`
  const [first = '', ...rest] = text
  return first + rest.join('').toLowerCase()
}

/** Python's full case folding: the lower case of the upper case, but for Cherokee and the Turkish dotless i. */
export function casefold(text: string): string {
  let folded = ''
  for (const character of text) {
    if (character === '\u0131') folded += character
    else if (character === '\u1e9e') folded += 'ss'
    else if (/^[\u13a0-\u13fd\uab70-\uabbf]$/.test(character)) folded += character.toUpperCase()
    else for (const part of character.toUpperCase()) folded += part.toLowerCase()
  }
  return folded
}

const lineEnd = /\r\n|[\n\v\f\r\x1c-\x1e\x85\u2028\u2029]/g

/** `str.splitlines()`: the text's lines; a line end at the very end starts no further line. */
export function splitLines(text: string, options: { readonly keepEnds?: boolean } = {}): string[] {
  const lines: string[] = []
  let start = 0
  for (const end of text.matchAll(lineEnd)) {
    lines.push(text.slice(start, end.index + (options.keepEnds === true ? end[0].length : 0)))
    start = end.index + end[0].length
  }
  if (start < text.length) lines.push(text.slice(start))
  return lines
}

/** `str.split()` without a separator: the words between runs of white space; `limit` words are cut off, if not negative. */
export function splitWords(text: string, limit = -1): string[] {
  const words: string[] = []
  let at = 0
  for (;;) {
    while (at < text.length && isSpace(text.charAt(at))) at += 1
    if (at >= text.length) return words
    if (limit >= 0 && words.length >= limit) {
      words.push(text.slice(at))
      return words
    }
    const start = at
    while (at < text.length && !isSpace(text.charAt(at))) at += 1
    words.push(text.slice(start, at))
  }
}

/** `str.rsplit()` without a separator. */
export function splitWordsFromEnd(text: string, limit: number): string[] {
  const words: string[] = []
  let at = text.length
  for (;;) {
    while (at > 0 && isSpace(text.charAt(at - 1))) at -= 1
    if (at <= 0) return words.reverse()
    if (limit >= 0 && words.length >= limit) {
      words.push(text.slice(0, at))
      return words.reverse()
    }
    const stop = at
    while (at > 0 && !isSpace(text.charAt(at - 1))) at -= 1
    words.push(text.slice(at, stop))
  }
}

export function trimStart(text: string, chars?: ReadonlySet<string>): string {
  if (chars !== undefined && isWide(text)) {
    const list = Array.from(text)
    let first = 0
    while (first < list.length && chars.has(list[first] ?? '')) first += 1
    return list.slice(first).join('')
  }
  let at = 0
  while (at < text.length && (chars === undefined ? isSpace(text.charAt(at)) : chars.has(text.charAt(at)))) at += 1
  return at === 0 ? text : text.slice(at)
}

export function trimEnd(text: string, chars?: ReadonlySet<string>): string {
  if (chars !== undefined && isWide(text)) {
    const list = Array.from(text)
    while (list.length > 0 && chars.has(list[list.length - 1] ?? '')) list.pop()
    return list.join('')
  }
  let at = text.length
  while (at > 0 && (chars === undefined ? isSpace(text.charAt(at - 1)) : chars.has(text.charAt(at - 1)))) at -= 1
  return at === text.length ? text : text.slice(0, at)
}
