import { type Data, Float } from '../data.ts'

/**
 * How the words and numbers of a text are read.
 *
 * - `own`: Protium's own files. What YAML 1.1 and 1.2 read differently (`yes`, `0123`, `1_000`, `12:30`) is refused.
 * - `proton-spec`: specs that were written for AWS Proton, whose reader was YAML 1.1; such words come with a warning.
 * - `schema`: Proton's `schema.yaml`, manifests and registrations; read as `proton-spec`.
 * - `cloudformation`: CloudFormation's short tags become long form; `yes no on off` are booleans, with a warning; the number
 *   forms are refused.
 */
export type Dialect = 'own' | 'proton-spec' | 'schema' | 'cloudformation'

/** Why a plain scalar is refused, or what a reader should know of it. */
export type Doubt = {
  readonly code: 'yaml-word' | 'yaml-number'
  readonly severity: 'error' | 'warning'
  readonly message: string
  readonly expected: string
  readonly remedy: string
}

/** A plain scalar's value, and the doubt about it. With an error, the value is only there to go on with. */
export type Reading = { readonly value: Data; readonly doubt?: Doubt }

/**
 * The value of a plain (unquoted) scalar.
 *
 * A form that YAML 1.1 and YAML 1.2 read alike has that value. Where they differ, `own` refuses; `cloudformation` takes the
 * words as booleans, as CloudFormation does, and refuses the numbers; the Proton dialects take YAML 1.1's value. Dates stay
 * the text that was written: `Version: 2012-10-17` is a text to CloudFormation too.
 */
export function readPlain(text: string, dialect: Dialect): Reading {
  if (!mayBeMore(text)) return { value: text }
  const word = words.get(text)
  if (word !== undefined) return { value: word }
  const truth = oldWords.get(text)
  if (truth !== undefined) return { value: dialect === 'own' ? text : truth, doubt: wordDoubt(text, truth, dialect) }
  if (!beginsAsNumber(text)) return { value: text }
  if (text.length > longestNumber) {
    const doubt = refusedNumber(text, 'is longer than any reader can hold')
    return looksLikeNumber(text) ? { value: text, doubt } : { value: text }
  }
  if (wholeNumber.test(text)) return readWhole(text, dialect)
  if (simpleFloat.test(text)) return readFloat(text, dialect)
  if (infinite.test(text)) return { value: text, doubt: refusedNumber(text, 'is not a number that JSON can hold') }
  return readDoubtful(text, dialect)
}

/** A quick answer for most texts: what is neither a number nor one of the words begins and goes on otherwise. */
function mayBeMore(text: string): boolean {
  return text.length <= 5 || beginsAsNumber(text)
}

/** A digit, "+", "-" or ".": every number of any version of YAML begins with one of them. */
function beginsAsNumber(text: string): boolean {
  const first = text.charCodeAt(0)
  return (first >= 48 && first <= 57) || first === 43 || first === 45 || first === 46
}

const words = new Map<string, Data>([
  ['', null],
  ['~', null],
  ['null', null],
  ['Null', null],
  ['NULL', null],
  ['true', true],
  ['True', true],
  ['TRUE', true],
  ['false', false],
  ['False', false],
  ['FALSE', false],
])

/** YAML 1.1's other booleans (https://yaml.org/type/bool.html), without `y` and `n`, which no reader in use takes for one. */
const oldWords = new Map<string, boolean>(
  [
    ['yes', 'Yes', 'YES', 'on', 'On', 'ON'].map((word): [string, boolean] => [word, true]),
    ['no', 'No', 'NO', 'off', 'Off', 'OFF'].map((word): [string, boolean] => [word, false]),
  ].flat(),
)

/** Forms that both versions of YAML read alike. */
const wholeNumber = /^[-+]?(?:0|[1-9][0-9]*)$/
const simpleFloat = /^(?:[-+]?(?:0|[1-9][0-9]*)\.[0-9]*|\.[0-9]+)$/

/** A double has at most 309 digits before its point; what is longer would only cost time. */
const longestNumber = 400

const infinite = /^(?:[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$/

/** Numbers of YAML 1.2's core schema (https://yaml.org/spec/1.2.2/#1032-tag-resolution). */
const coreNumber = /^(?:[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+|[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?)$/

/** Numbers of YAML 1.1 (https://yaml.org/type/int.html and float.html), as SnakeYAML reads them. */
const oldWhole =
  /^(?:[-+]?0b_*[01][01_]*|[-+]?0[0-7_]+|[-+]?(?:0|[1-9][0-9_]*)|[-+]?0x_*[0-9a-fA-F][0-9a-fA-F_]*|[-+]?[1-9][0-9_]*(?::[0-5]?[0-9])+)$/
const oldFloat =
  /^(?:[-+]?[0-9][0-9_]*\.[0-9_]*(?:[eE][-+]?[0-9]+)?|[-+]?[0-9][0-9_]*[eE][-+]?[0-9]+|\.[0-9][0-9_]*(?:[eE][-+]?[0-9]+)?)$/
const oldBase60Float = /^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]*$/

function readWhole(text: string, dialect: Dialect): Reading {
  const value = Number(text)
  // `-0` is a whole number, and there is one zero among those.
  if (Number.isSafeInteger(value)) return { value: value === 0 ? 0 : value }
  const big = BigInt(text.startsWith('+') ? text.slice(1) : text)
  if (dialect === 'proton-spec' || dialect === 'schema') return { value: big }
  return { value: big, doubt: refusedNumber(text, 'has more digits than most readers keep') }
}

function readFloat(text: string, dialect: Dialect): Reading {
  const value = new Float(Number(text))
  if (!Number.isFinite(value.value))
    return { value: text, doubt: refusedNumber(text, 'is larger than any reader can hold') }
  if (dialect === 'proton-spec' || dialect === 'schema') return { value }
  const short = String(value.value)
  if (text === short || text === `${short}.0`) return { value }
  return {
    value,
    doubt: {
      code: 'yaml-number',
      severity: 'warning',
      message: `The number ${text} is read as ${short}.`,
      expected: 'A number in its shortest form, or a text in quotes.',
      remedy: `Write '${text}' in quotes if it is a version or another text; otherwise write ${short}.`,
    },
  }
}

/** Forms that the versions of YAML read differently. */
function readDoubtful(text: string, dialect: Dialect): Reading {
  const old = oldValue(text)
  if (!looksLikeNumber(text)) return { value: text }
  if (dialect === 'own' || dialect === 'cloudformation') return { value: text, doubt: refusedNumber(text, why(text)) }
  // Both versions agree on hexadecimal numbers and on most exponents.
  if (old !== undefined && coreNumber.test(text) && !/^[-+]?0[0-9]/.test(text)) return { value: old }
  const read = old === undefined ? 'as a text' : `as the number ${old instanceof Float ? old.value : String(old)}`
  return {
    value: old ?? text,
    doubt: {
      code: 'yaml-number',
      severity: 'warning',
      message: `${text} is read ${read}, as AWS Proton read it; YAML 1.2 reads it differently.`,
      expected: 'A plain decimal number, or a text in quotes.',
      remedy: `Write '${text}' in quotes if it is a text; otherwise write the number that is meant in plain decimal digits.`,
    },
  }
}

function looksLikeNumber(text: string): boolean {
  return [coreNumber, oldWhole, oldFloat, oldBase60Float].some((form) => form.test(text))
}

/** The number that YAML 1.1 sees in a text, if it sees one. */
function oldValue(text: string): number | bigint | Float | undefined {
  if (oldWhole.test(text)) return narrow(oldInteger(text.replaceAll('_', '')))
  if (oldFloat.test(text)) return finite(Number(text.replaceAll('_', '')))
  if (oldBase60Float.test(text)) return finite(base60(text.replaceAll('_', '')))
  return undefined
}

function oldInteger(text: string): bigint {
  if (text.startsWith('-')) return -oldInteger(text.slice(1))
  if (text.startsWith('+')) return oldInteger(text.slice(1))
  if (text.startsWith('0b') || text.startsWith('0x')) return BigInt(text)
  if (text.length > 1 && text.startsWith('0')) return BigInt(`0o${text.slice(1)}`)
  if (!text.includes(':')) return BigInt(text)
  return text.split(':').reduce((sum, digits) => sum * 60n + BigInt(digits), 0n)
}

function base60(text: string): number {
  if (text.startsWith('-')) return -base60(text.slice(1))
  return text.split(':').reduce((sum, digits) => sum * 60 + Number(digits), 0)
}

function narrow(value: bigint): number | bigint {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value
}

function finite(value: number): Float | undefined {
  return Number.isFinite(value) ? new Float(value) : undefined
}

function why(text: string): string {
  if (/^[-+]?0[0-9_]/.test(text)) return 'begins with a zero, which YAML 1.1 reads as octal or as a text'
  if (text.includes(':')) return 'is a number to base 60 in YAML 1.1 and a text in YAML 1.2'
  if (/^[-+]?0[bo]/.test(text)) return 'is a number in one version of YAML and a text in the other'
  if (/^[-+]?0x/.test(text)) return 'is a hexadecimal number, which looks like a text'
  if (text.includes('_')) return 'is a number in YAML 1.1 and a text in YAML 1.2'
  if (/[eE]/.test(text)) return 'is a number with an exponent, which some readers take for a text'
  return 'is read differently by the versions of YAML'
}

function refusedNumber(text: string, because: string): Doubt {
  const shown = text.length > 40 ? `${text.slice(0, 40)}…` : text
  return {
    code: 'yaml-number',
    severity: 'error',
    message: `${shown} ${because}.`,
    expected: 'A plain decimal number, or a text in quotes.',
    remedy: `Write '${shown}' in quotes if it is a text; otherwise write the number in plain decimal digits.`,
  }
}

function wordDoubt(text: string, truth: boolean, dialect: Dialect): Doubt {
  const remedy = `Write ${truth} if a boolean is meant, or '${text}' in quotes if it is a text.`
  const expected = 'true, false, or a text in quotes.'
  if (dialect === 'own') {
    const message = `${text} is a boolean in YAML 1.1 and a text in YAML 1.2.`
    return { code: 'yaml-word', severity: 'error', message, expected, remedy }
  }
  const reader = dialect === 'cloudformation' ? 'CloudFormation reads it' : 'AWS Proton read it'
  const message = `${text} is read as ${truth}, as ${reader}; YAML 1.2 reads a text.`
  return { code: 'yaml-word', severity: 'warning', message, expected, remedy }
}
