import { type Data, type DataMap, Float, isList, isMap, type Path } from '../data.ts'
import { didYouMean } from '../nearest.ts'
import type { Problem } from '../problem.ts'
import { inWords } from '../shape.ts'
import type { Document } from '../yaml.ts'
import { refusedNames } from './model.ts'

export type Reader = {
  readonly document: Document
  readonly types: DataMap
  readonly problems: Problem[]
  /** Types that are read already, with the number of properties, items and values that they describe. */
  readonly expanded: Map<string, { readonly json: DataMap; readonly size: number }>
  /** Types that are being read, to find circles. */
  readonly open: string[]
}

const inputTypes = ['string', 'number', 'integer', 'boolean', 'array', 'object']

const isWhole = (value: Data): boolean => typeof value === 'number' && Number.isInteger(value) && value >= 0

const isNumber = (value: Data): boolean =>
  typeof value === 'number' || typeof value === 'bigint' || (value instanceof Float && Number.isFinite(value.value))

const isText = (value: Data): boolean => typeof value === 'string'

const isFlag = (value: Data): boolean => typeof value === 'boolean'

const isNote = (): boolean => true

/** The keywords of OpenAPI 3.0 that are read, with what each takes. */
const keywords: Readonly<Record<string, readonly [(value: Data) => boolean, string]>> = {
  type: [(value) => typeof value === 'string' && inputTypes.includes(value), `one of ${inputTypes.join(', ')}`],
  title: [isNote, ''],
  description: [isNote, ''],
  default: [isNote, ''],
  example: [isNote, ''],
  examples: [isNote, ''],
  format: [isNote, ''],
  externalDocs: [isNote, ''],
  xml: [isNote, ''],
  deprecated: [isNote, ''],
  readOnly: [isNote, ''],
  writeOnly: [isNote, ''],
  enum: [(value) => isList(value) && value.length > 0, 'a list of values'],
  minimum: [isNumber, 'a number'],
  maximum: [isNumber, 'a number'],
  exclusiveMinimum: [(value) => isFlag(value) || isNumber(value), 'true, false or a number'],
  exclusiveMaximum: [(value) => isFlag(value) || isNumber(value), 'true, false or a number'],
  multipleOf: [
    (value) => isNumber(value) && Number(value instanceof Float ? value.value : value) > 0,
    'a number above 0',
  ],
  minLength: [isWhole, 'a whole number'],
  maxLength: [isWhole, 'a whole number'],
  pattern: [isText, 'a regular expression'],
  minItems: [isWhole, 'a whole number'],
  maxItems: [isWhole, 'a whole number'],
  uniqueItems: [isFlag, 'true or false'],
  items: [isMap, 'a map that describes an item'],
  minProperties: [isWhole, 'a whole number'],
  maxProperties: [isWhole, 'a whole number'],
  properties: [isMap, 'a map of properties'],
  required: [(value) => isList(value) && value.every(isText), 'a list of names'],
  additionalProperties: [(value) => isFlag(value) || isMap(value), 'true, false or a map that describes a value'],
  nullable: [isFlag, 'true or false'],
}

/** Our own, inside a property. */
const extensions = ['x-protium-secret', 'x-protium-image', 'x-protium-host', 'x-protium-service']

const composition = [
  'allOf',
  'anyOf',
  'oneOf',
  'not',
  'if',
  'then',
  'else',
  'const',
  'patternProperties',
  'propertyNames',
  'discriminator',
]

/** Whether a keyword is taken over; if not, it has been told why. */
export function checkKeyword(reader: Reader, path: Path, key: string, value: Data): boolean {
  if (key.startsWith('x-')) {
    if (!key.startsWith('x-protium-')) return false
    if (extensions.includes(key) && isFlag(value)) return true
    complain(
      reader,
      'schema-keyword',
      path,
      extensions.includes(key)
        ? `"${key}" is neither true nor false.`
        : `There is no "${key}".${didYouMean(key, extensions)}`,
      `One of ${extensions.join(', ')} with true or false.`,
    )
    return false
  }
  if (composition.includes(key)) {
    complain(
      reader,
      'schema-keyword',
      path,
      `"${key}" is not read, so what it asks for would never be checked.`,
      'Plain types, with `enum`, ranges, lengths and patterns.',
    )
    return false
  }
  const rule = Object.hasOwn(keywords, key) ? keywords[key] : undefined
  // A property's own `required: true` is from older schema languages; Proton passed it over.
  if (rule === undefined || (key === 'required' && isFlag(value))) {
    reader.problems.push(ignored(reader.document, path, key, Object.keys(keywords)))
    return false
  }
  if (!rule[0](value)) {
    complain(reader, 'schema-keyword', path, `"${key}" has the value ${inWords(value)}.`, `For "${key}", ${rule[1]}.`)
    return false
  }
  if (key === 'properties' && isMap(value)) {
    for (const name of refusedNames) {
      if (Object.hasOwn(value, name))
        complain(reader, 'schema-keyword', [...path, name], `An input cannot be called "${name}".`, 'Another name.')
    }
  }
  return true
}

export function complain(
  reader: Reader,
  code: 'schema-invalid' | 'schema-keyword' | 'schema-pattern' | 'schema-ref' | 'schema-limit',
  path: Path,
  message: string,
  expected: string,
): void {
  reader.problems.push({
    code,
    severity: 'error',
    message,
    expected,
    remedy: 'Correct the schema file.',
    at: reader.document.place(path),
  })
}

export function ignored(document: Document, path: Path, key: string, known: readonly string[]): Problem {
  return {
    code: 'schema-keyword',
    severity: 'warning',
    message: `The key "${key}" has no meaning here and is passed over.${didYouMean(key, known)}`,
    expected: 'A keyword of OpenAPI 3.0, in small letters.',
    remedy: 'Correct the key, or remove it.',
    at: document.keyPlace(path),
  }
}
