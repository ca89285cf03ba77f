import { type Finding, mostFindings } from './findings.ts'

/** The bounds within which a text is read at all. Each is named in the problem that says it was passed. */
export const limits = {
  /** Characters of a file that people write. */
  authored: 256 * 1024,
  /** Characters of a rendered template; CloudFormation takes at most 1 MB from a bucket. */
  rendered: 1024 * 1024,
  /** Collections inside each other. */
  depth: 64,
  /** Keys of one map. */
  keys: 5_000,
  /** Values in one file. */
  nodes: 100_000,
} as const

/** A whole number as people read it: `5,000`. */
export function thousands(number: number): string {
  return String(number).replaceAll(/\B(?=(?:\d{3})+$)/g, ',')
}

/** Characters that are not seen, or that make other characters look different from what they are. */
const invisible =
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff0-\ufffb\ufffe\uffff\u{e0000}-\u{e007f}]|\r(?!\n)/u

/** What is printable ASCII throughout, as nearly every text is, holds none of these. */
const plain = /^[\t\n -~]*$/

const directive = /^%/m

/**
 * What forbids a text before any parser sees it: its size, and characters or lines that change how the rest is read.
 * The work is linear in the text.
 */
export function outOfBounds(text: string, most: number): Finding[] {
  if (text.length > most) return [tooLarge(most)]
  const findings: Finding[] = []
  if (text.startsWith('\ufeff')) findings.push(byteOrderMark)
  if (!text.isWellFormed()) findings.push(loneSurrogate(text))
  if (!plain.test(text) && invisible.test(text)) {
    for (const match of text.matchAll(new RegExp(invisible, 'gu'))) {
      if (match.index === 0 && match[0] === '\ufeff') continue
      findings.push(invisibleCharacter(match[0], match.index))
      if (findings.length >= mostFindings) return findings
    }
  }
  if (directive.test(text)) {
    for (const match of text.matchAll(/^%/gm)) {
      findings.push(directiveLine(match.index))
      if (findings.length >= mostFindings) return findings
    }
  }
  return findings
}

function tooLarge(most: number): Finding {
  return {
    code: 'yaml-too-large',
    severity: 'error',
    offset: 0,
    message: `The file has more than ${thousands(most)} characters.`,
    expected: `A file of at most ${thousands(most)} characters.`,
    remedy: 'Split the file, or move data out of it.',
  }
}

const byteOrderMark: Finding = {
  code: 'yaml-encoding',
  severity: 'error',
  offset: 0,
  message: 'The file begins with a byte order mark.',
  expected: 'UTF-8 without a byte order mark.',
  remedy: 'Save the file as "UTF-8", not as "UTF-8 with BOM".',
}

function loneSurrogate(text: string): Finding {
  const lone = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/.exec(text)
  return {
    code: 'yaml-encoding',
    severity: 'error',
    offset: lone?.index ?? 0,
    message: 'The file holds half of a character (a lone surrogate).',
    expected: 'Text in UTF-8.',
    remedy: 'Delete the character and save the file as UTF-8.',
  }
}

function invisibleCharacter(character: string, offset: number): Finding {
  const hex = (character.codePointAt(0) ?? 0).toString(16)
  const escape = hex.length > 4 ? `\\U${hex.padStart(8, '0')}` : `\\u${hex.padStart(4, '0')}`
  return {
    code: 'yaml-control-character',
    severity: 'error',
    offset,
    message: `The character U+${hex.toUpperCase().padStart(4, '0')} is invisible or changes how the text around it looks.`,
    expected: 'Visible characters, spaces, tabs and line ends (LF or CRLF).',
    remedy: `Delete it; where it is wanted, write "${escape}" in double quotes.`,
  }
}

function directiveLine(offset: number): Finding {
  return {
    code: 'yaml-directive',
    severity: 'error',
    offset,
    message: 'A line begins with "%", which is a directive to YAML.',
    expected: 'No directives: the file is read as YAML 1.2 whatever it says of itself.',
    remedy: 'Delete the line; if it belongs to a text, indent it or quote the text.',
  }
}
