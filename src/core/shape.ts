import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv'
import { type Data, type DataMap, Float, isList, isMap, type Path } from './data.ts'
import { didYouMean } from './nearest.ts'
import { linearPattern } from './pattern.ts'
import type { Problem } from './problem.ts'
import type { Document } from './yaml.ts'

/** One thing that keeps a value from having the shape that a JSON Schema describes. Paths lead from the checked value. */
export type Fault =
  /** The map at `path` has a key that the schema does not know; `known` are those that it does. */
  | { readonly is: 'unknown'; readonly path: Path; readonly key: string; readonly known: readonly string[] }
  | { readonly is: 'missing'; readonly path: Path; readonly key: string; readonly expected: string }
  /** `why` ends a sentence that begins with the name of the value: `is more than 65535`. */
  | {
      readonly is: 'type' | 'value'
      readonly path: Path
      readonly onKey: boolean
      readonly why: string
      readonly expected: string
    }

/**
 * Everything that is wrong with a value, in the order in which it stands there; one fault a value, since what has a wrong
 * type breaks other rules with it. The schema is JSON Schema (2019 or later) without references, taken from a trusted
 * place or built by `readSchema`; it is compiled once. Patterns are matched in linear time, formats are not looked at.
 */
export function faultsOf(schema: DataMap, value: Data): readonly Fault[] {
  const validate = validatorOf(schema)
  if (validate(plain(value))) return []
  const faults = new Map<string, Fault>()
  for (const error of validate.errors ?? []) {
    const fault = readError(error, value)
    if (fault === undefined) continue
    const id = JSON.stringify([fault.path, 'key' in fault ? fault.key : null])
    const earlier = faults.get(id)
    if (earlier === undefined || (earlier.is === 'value' && fault.is === 'type')) faults.set(id, fault)
  }
  return [...faults.values()]
}

/** Faults of a file of Protium's own as problems on their lines. `what` names the file's kind: `a service file`. */
export function checkShape(document: Document, schema: DataMap, what: string): Problem[] {
  const data = document.data
  return faultsOf(schema, data).map((fault): Problem => {
    switch (fault.is) {
      case 'unknown':
        return {
          code: 'unknown-key',
          severity: 'error',
          message: `${capital(what)} has no key ${pathInWords([...fault.path, fault.key])}.${didYouMean(fault.key, fault.known)}`,
          expected: fault.known.length > 0 ? `One of the keys ${fault.known.join(', ')}.` : 'No key at all.',
          remedy: 'Correct the key, or remove it.',
          at: document.keyPlace([...fault.path, fault.key]),
        }
      case 'missing':
        return {
          code: 'missing-key',
          severity: 'error',
          message: `The key ${pathInWords([...fault.path, fault.key])} is missing.`,
          expected: fault.expected,
          remedy: `Add a line \`${fault.key}: …\`${fault.path.length > 0 ? ` under ${pathInWords(fault.path)}` : ''}.`,
          at: document.keyPlace(fault.path),
        }
      default:
        return {
          code: 'wrong-value',
          severity: 'error',
          message:
            fault.path.length === 0
              ? `The file ${fault.why === 'has no value' ? 'is empty' : fault.why}.`
              : `${fault.onKey ? 'The name ' : ''}${pathInWords(fault.path)} ${fault.why}${fault.onKey ? '' : shown(dataAt(data, fault.path))}.`,
          expected: fault.expected,
          remedy: fault.onKey
            ? 'Choose another name.'
            : fault.path.length === 0
              ? 'Write its keys, or remove the file.'
              : 'Correct the value.',
          at: fault.onKey ? document.keyPlace(fault.path) : document.place(fault.path),
        }
    }
  })
}

/** What a schema wants, as a sentence: `A whole number from 1 to 65535.` A schema may say it itself, as `x-protium-expected`. */
export function wanted(schema: Data | undefined): string {
  if (!isMap(schema)) return 'Any value.'
  const own = textIn(schema, 'x-protium-expected')
  if (own !== undefined) return own
  const allowed = listIn(schema, 'enum')
  if (allowed !== undefined) {
    const some = allowed.slice(0, 12).map(inWords).join(', ')
    return `One of ${some}${allowed.length > 12 ? ` and ${allowed.length - 12} more` : ''}.`
  }
  const types = typesOf(schema)
  const pattern = textIn(schema, 'pattern')
  const bounds = [
    range(schema, types.includes('string') ? ['minLength', 'maxLength', 'character'] : undefined),
    range(schema, types.includes('array') ? ['minItems', 'maxItems', 'item'] : undefined),
    range(schema, types.includes('object') ? ['minProperties', 'maxProperties', 'key'] : undefined),
    types.includes('number') || types.includes('integer') ? numberRange(schema) : '',
  ].join('')
  const matches = pattern === undefined ? '' : ` that matches the pattern ${pattern}`
  const subject = types.length === 0 ? 'Any value' : capital(types.map((type) => typeWords[type] ?? type).join(' or '))
  return `${subject}${bounds}${matches}.`
}

/** The value at a path of a document's data; nothing where the path leads nowhere. */
export function dataAt(data: Data, path: Path): Data | undefined {
  let value: Data | undefined = data
  for (const step of path) {
    if (isMap(value) && typeof step === 'string') value = Object.hasOwn(value, step) ? value[step] : undefined
    else if (isList(value) && typeof step === 'number') value = value[step]
    else return undefined
  }
  return value
}

/** The text under a key, if there is a text under it. The others do the same for what their names say. */
export function textIn(map: DataMap | undefined, key: string): string | undefined {
  const value = map?.[key]
  return typeof value === 'string' ? value : undefined
}

export function mapIn(map: DataMap | undefined, key: string): DataMap | undefined {
  const value = map?.[key]
  return isMap(value) ? value : undefined
}

export function listIn(map: DataMap | undefined, key: string): readonly Data[] | undefined {
  const value = map?.[key]
  return isList(value) ? value : undefined
}

export function numberIn(map: DataMap | undefined, key: string): number | undefined {
  const value = map?.[key]
  if (typeof value === 'number') return value
  if (typeof value === 'bigint') return Number(value)
  return value instanceof Float ? value.value : undefined
}

/** Several texts; a single text counts as a list of one. */
export function textsIn(map: DataMap | undefined, key: string): readonly string[] {
  const value = map?.[key]
  if (typeof value === 'string') return [value]
  return isList(value) ? value.filter((item) => typeof item === 'string') : []
}

/** A value as it is shown in a message, in at most 60 characters. */
export function inWords(value: Data | undefined): string {
  if (value === undefined) return 'nothing'
  if (typeof value === 'string') return JSON.stringify(value.length > 60 ? `${value.slice(0, 59)}…` : value)
  if (value instanceof Float) return Number.isInteger(value.value) ? value.value.toFixed(1) : String(value.value)
  if (isList(value)) return `a list of ${value.length}`
  return isMap(value) ? 'a map' : String(value)
}

let ajv: Ajv | undefined
const validators = new WeakMap<DataMap, ValidateFunction>()

function validatorOf(schema: DataMap): ValidateFunction {
  const known = validators.get(schema)
  if (known !== undefined) return known
  ajv ??= new Ajv({
    strict: false,
    allErrors: true,
    verbose: true,
    meta: false,
    validateSchema: false,
    validateFormats: false,
    ownProperties: true,
    addUsedSchema: false,
    code: { regExp },
  })
  const validate = ajv.compile(Object(plain(schema)))
  validators.set(schema, validate)
  return validate
}

// Ajv keeps compiled patterns by their text, so a stand-in needs a `toString` of its own (`linearPattern` gives it one).
function linear(source: string): { test(text: string): boolean; toString(): string } {
  const result = linearPattern(source)
  if ('fault' in result) throw new Error(`The pattern ${source} ${result.fault}.`)
  return result.pattern
}

// `code` would matter to generated stand-alone modules only.
const regExp = Object.assign(linear, { code: 'linearPattern' })

/** The value in JavaScript's own types, for Ajv alone. Maps stay without a prototype. */
function plain(value: Data): unknown {
  if (value instanceof Float) return value.value
  if (typeof value === 'bigint') return Number(value)
  if (isList(value)) return value.map(plain)
  if (!isMap(value)) return value
  const map: Record<string, unknown> = Object.create(null)
  for (const [key, item] of Object.entries(value)) map[key] = plain(item)
  return map
}

function readError(error: ErrorObject, root: Data): Fault | undefined {
  // What is wrong with a name of a map is told once, by `propertyNames`.
  if (error.propertyName !== undefined) return undefined
  const path = pathOf(error.instancePath, root)
  const schema = subschema(error)
  const params: Record<string, unknown> = error.params
  const expected = wanted(schema)
  const limit = String(params['limit'])
  const value = (why: string): Fault => ({ is: 'value', path, onKey: false, why, expected })
  switch (error.keyword) {
    case 'additionalProperties':
      return {
        is: 'unknown',
        path,
        key: String(params['additionalProperty']),
        known: Object.keys(mapIn(schema, 'properties') ?? {}),
      }
    case 'required': {
      const key = String(params['missingProperty'])
      return { is: 'missing', path, key, expected: wanted(mapIn(schema, 'properties')?.[key]) }
    }
    case 'propertyNames':
      return {
        is: 'value',
        path: [...path, String(params['propertyName'])],
        onKey: true,
        why: 'cannot be used',
        expected: wanted(schema?.['propertyNames']),
      }
    case 'type': {
      const found = dataAt(root, path)
      const why =
        found === null
          ? 'has no value'
          : `is ${kindOf(found)}, and ${typesOf(schema)
              .map((type) => typeWords[type] ?? type)
              .join(' or ')} is wanted`
      return { is: 'type', path, onKey: false, why, expected }
    }
    case 'enum':
    case 'const':
      return value('is not one of the allowed values')
    case 'minimum':
      return value(`is less than ${limit}`)
    case 'maximum':
      return value(`is more than ${limit}`)
    case 'exclusiveMinimum':
      return value(`is not more than ${limit}`)
    case 'exclusiveMaximum':
      return value(`is not less than ${limit}`)
    case 'multipleOf':
      return value(`is not a multiple of ${String(params['multipleOf'])}`)
    case 'minLength':
      return value(limit === '1' ? 'is empty' : `is shorter than ${limit} characters`)
    case 'maxLength':
      return value(`is longer than ${plural(limit, 'character')}`)
    case 'pattern':
      return value(
        textIn(schema, 'x-protium-expected') === undefined
          ? `does not match the pattern ${String(params['pattern'])}`
          : 'is not of the right form',
      )
    case 'minItems':
      return value(`has fewer than ${plural(limit, 'item')}`)
    case 'maxItems':
      return value(`has more than ${plural(limit, 'item')}`)
    case 'uniqueItems':
      return value('holds an item twice')
    case 'minProperties':
      return value(`has fewer than ${plural(limit, 'key')}`)
    case 'maxProperties':
      return value(`has more than ${plural(limit, 'key')}`)
    default:
      return value('is not as the schema wants it')
  }
}

function subschema(error: ErrorObject): DataMap | undefined {
  const schema: unknown = error.parentSchema
  return isDataMap(schema) ? schema : undefined
}

// What comes back from Ajv went in as the plain form of a DataMap.
function isDataMap(value: unknown): value is DataMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A JSON pointer as a path: a step is an index where the value is a list. */
function pathOf(pointer: string, root: Data): Path {
  const path: (string | number)[] = []
  let value: Data | undefined = root
  for (const part of pointer.split('/').slice(1)) {
    const name = part.replaceAll('~1', '/').replaceAll('~0', '~')
    const step: string | number = isList(value) ? Number(name) : name
    path.push(step)
    value = value === undefined ? undefined : dataAt(value, [step])
  }
  return path
}

const typeWords: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  integer: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a map',
  null: 'nothing',
}

function typesOf(schema: DataMap | undefined): readonly string[] {
  return textsIn(schema, 'type')
}

function kindOf(value: Data | undefined): string {
  if (value === undefined || value === null) return 'nothing'
  if (typeof value === 'string') return 'text'
  if (typeof value === 'boolean') return `the word ${value}`
  if (isList(value)) return 'a list'
  if (isMap(value)) return 'a map'
  return value instanceof Float && !Number.isInteger(value.value) ? 'a number with a fraction' : 'a number'
}

function range(schema: DataMap, keys: readonly [string, string, string] | undefined): string {
  if (keys === undefined) return ''
  const [least, most] = [numberIn(schema, keys[0]), numberIn(schema, keys[1])]
  const preposition = keys[2] === 'character' ? 'of' : 'with'
  if (least !== undefined && most !== undefined) {
    return ` ${preposition} ${least === most ? plural(String(least), keys[2]) : `${least} to ${plural(String(most), keys[2])}`}`
  }
  if (most !== undefined) return ` ${preposition} at most ${plural(String(most), keys[2])}`
  return least === undefined || least === 0 ? '' : ` ${preposition} at least ${plural(String(least), keys[2])}`
}

function numberRange(schema: DataMap): string {
  const [least, most] = [numberIn(schema, 'minimum'), numberIn(schema, 'maximum')]
  const [above, below] = [numberIn(schema, 'exclusiveMinimum'), numberIn(schema, 'exclusiveMaximum')]
  const step = numberIn(schema, 'multipleOf')
  const multiple = step === undefined ? '' : ` that is a multiple of ${step}`
  if (least !== undefined && most !== undefined) return ` from ${least} to ${most}${multiple}`
  const parts = [
    least === undefined ? '' : `at least ${least}`,
    above === undefined ? '' : `more than ${above}`,
    most === undefined ? '' : `at most ${most}`,
    below === undefined ? '' : `less than ${below}`,
  ].filter((part) => part !== '')
  return `${parts.length > 0 ? `, ${parts.join(' and ')}` : ''}${multiple}`
}

function plural(count: string, noun: string): string {
  return `${count} ${noun}${count === '1' ? '' : 's'}`
}

function shown(value: Data | undefined): string {
  return value === undefined || value === null || isList(value) || isMap(value) ? '' : ` (${inWords(value)})`
}

/** A path as it is shown in a message, `"rules[0].path"`. */
export function pathInWords(path: Path): string {
  return `"${path.map((step, index) => (typeof step === 'number' ? `[${step}]` : `${index === 0 ? '' : '.'}${step}`)).join('')}"`
}

function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1)
}
