import { type Data, type DataMap, Float, isList, isMap, mapOf, type Path } from './data.ts'
import { didYouMean } from './nearest.ts'
import { linearPattern } from './pattern.ts'
import type { Checked, Place, Problem } from './problem.ts'
import { isSecretReference, looksSecret } from './secret.ts'
import { dataAt, faultsOf, inWords, type Fault, mapIn, numberIn, textIn, textsIn } from './shape.ts'
import type { Document } from './yaml.ts'

/** What a bundle's `schema/schema.yaml` says: the inputs of an environment, or of a service and its pipeline. */
export type BundleSchema = {
  readonly file: string
  readonly environment?: InputSchema
  readonly service?: InputSchema
  readonly pipeline?: InputSchema
}

/**
 * The inputs of one unit. `json` is JSON Schema with its references resolved; it knows no key but the named inputs unless
 * the file says `additionalProperties`. `inputs` are in the order of the file.
 */
export type InputSchema = {
  readonly type: string
  readonly json: DataMap
  readonly inputs: ReadonlyMap<string, Input>
}

export type Input = {
  readonly name: string
  /** Somebody has to give it: it is in `required` and has no default. */
  readonly required: boolean
  readonly default?: Data
  readonly description?: string
  /** From `x-protium-secret`: true takes references only, false is never taken for a secret. */
  readonly secret?: boolean
  /** Holds a container image: `x-protium-image`, or a text input named `image`. */
  readonly image: boolean
  /** Where the schema file names it, and where its default stands. */
  readonly at: Place
  readonly defaultAt: Place
}

/** Where the inputs that are checked are written. Paths begin with the name of an input. */
export type InputsAt = {
  place(path: Path): Place
  keyPlace(path: Path): Place
  /** Where a missing input would be added: the line of `inputs:`, or of `template:` where there is none. */
  readonly missing: Place
}

/** The place of a map of inputs in a file. `missing` where the map itself may be absent. */
export function inputsAt(document: Document, path: Path, missing?: Place): InputsAt {
  return {
    place: (inner) => document.place([...path, ...inner]),
    keyPlace: (inner) => document.keyPlace([...path, ...inner]),
    missing: missing ?? document.keyPlace(path),
  }
}

const MOST_PROPERTIES = 500
const MOST_LEVELS = 16
const DEEPEST_INPUT = 32
const LONGEST_TEXT = 4096
const LONGEST_DECLARED_TEXT = 65_536
/** Steps that one match may take at most: the largest pattern on the longest text that needs no declaration. */
const MOST_STEPS = 1000 * LONGEST_TEXT

/**
 * Reads a schema of AWS Proton: data models of OpenAPI 3.0 under `schema:`. Read as it is found in the wild: a reference may
 * say `#/TypeName`, `exclusiveMinimum` is a boolean, formats are notes, a type may have no property, keys come in any
 * order, and a key that begins with a capital is passed over with a warning. A rule that would be ignored in silence
 * (`allOf`, a slip in `x-protium-…`) is refused.
 * https://docs.aws.amazon.com/proton/latest/userguide/schema.html
 */
export function readSchema(document: Document): Checked<BundleSchema> {
  const problems: Problem[] = []
  const schema = isMap(document.data) ? mapIn(document.data, 'schema') : undefined
  const invalid = (path: Path, message: string, expected: string): void => {
    problems.push({
      code: 'schema-invalid',
      severity: 'error',
      message,
      expected,
      remedy: 'Correct the schema file.',
      at: document.place(path),
    })
  }
  if (schema === undefined) {
    invalid(
      [],
      'The file has no `schema:` with something in it.',
      'A map `schema:` with `format`, an input type and `types`.',
    )
    return { ok: false, problems }
  }
  for (const key of Object.keys(schema)) {
    if (!schemaKeys.includes(key)) problems.push(ignored(document, ['schema', key], key, schemaKeys))
  }
  const openapi = mapIn(schema, 'format')?.['openapi']
  if (typeof openapi === 'string' ? !openapi.startsWith('3.') : numberIn(mapIn(schema, 'format'), 'openapi') !== 3) {
    problems.push({
      code: 'schema-invalid',
      severity: 'warning',
      message: 'The schema does not say that it is written in OpenAPI 3.',
      expected: '`format: { openapi: "3.0.0" }` under `schema:`.',
      remedy: 'Add the line.',
      at: document.place(['schema', 'format']),
    })
  }
  const types = mapIn(schema, 'types')
  if (types === undefined)
    invalid(['schema'], 'The schema has no `types:`.', 'A map `types:` that describes the input type.')
  const reader: Reader = { document, types: types ?? mapOf(), problems, expanded: new Map(), open: [] }
  const read: { environment?: InputSchema; service?: InputSchema; pipeline?: InputSchema } = {}
  for (const kind of ['environment', 'service', 'pipeline'] as const) {
    const name = schema[`${kind}_input_type`]
    if (name === undefined || types === undefined) continue
    const path = ['schema', `${kind}_input_type`]
    if (typeof name !== 'string' || !isMap(types[name])) {
      const near = typeof name === 'string' ? didYouMean(name, Object.keys(types)) : ''
      invalid(path, `The type ${inWords(name)} is not under \`types:\`.${near}`, 'The name of a map under `types:`.')
      continue
    }
    const input = readInputType(reader, name)
    if (input !== undefined) read[kind] = input
  }
  const said = ['environment_input_type', 'service_input_type', 'pipeline_input_type'].filter((key) => key in schema)
  if (said.length === 0)
    invalid(['schema'], 'The schema names no input type.', '`environment_input_type:` or `service_input_type:`.')
  if ('environment_input_type' in schema && said.length > 1) {
    invalid(
      ['schema', 'environment_input_type'],
      'The schema is of an environment and of a service.',
      'One of the two.',
    )
  }
  if (problems.some((problem) => problem.severity === 'error')) return { ok: false, problems }
  return { ok: true, value: { file: document.file, ...read }, problems }
}

/**
 * Checks inputs against their schema and fills in the defaults, also inside maps and lists that are given. The result has
 * the inputs in the order of the schema. An input that is not given, not required and without default stays absent.
 * Problems are all found at once, each on the line of its value.
 */
export function checkInputs(schema: InputSchema, inputs: DataMap, at: InputsAt): Checked<DataMap> {
  const problems: Problem[] = [...boundProblems(schema, inputs, at)]
  // What is too deep or too long is not looked at more closely.
  if (problems.length > 0) return { ok: false, problems }
  for (const fault of faultsOf(schema.json, inputs)) problems.push(inputProblem(schema, inputs, fault, at))
  if (problems.length > 0) return { ok: false, problems }
  return { ok: true, value: withDefaults(schema.json, inputs), problems }
}

/**
 * Secrets that are written out. An input with `x-protium-secret: true` takes references alone; in any other, a text that
 * looks like a secret is one, unless the schema says `x-protium-secret: false`. No message shows the value.
 */
export function checkSecrets(schema: InputSchema, inputs: DataMap, at: InputsAt): Problem[] {
  const problems: Problem[] = []
  const refuse = (path: Path, what: string): void => {
    problems.push({
      code: 'secret-value',
      severity: 'error',
      message: `The input ${named(path)} ${what}.`,
      expected: 'A reference: the ARN of a Secrets Manager secret or of an SSM parameter.',
      remedy: 'Store the secret there, write its ARN here, and replace the secret if this file was ever pushed.',
      at: at.place(path),
    })
  }
  const visit = (value: Data, path: Path, json: DataMap | undefined, secret: boolean | undefined): void => {
    const marked = json?.['x-protium-secret']
    const own = typeof marked === 'boolean' ? marked : secret
    if (isMap(value)) {
      for (const [key, item] of Object.entries(value))
        visit(item, [...path, key], mapIn(mapIn(json, 'properties'), key) ?? mapIn(json, 'additionalProperties'), own)
    } else if (isList(value)) {
      value.forEach((item, index) => visit(item, [...path, index], mapIn(json, 'items'), own))
    } else if (own === true) {
      if (value !== null && !(typeof value === 'string' && isSecretReference(value)))
        refuse(path, 'is a secret of the template, and takes a reference, not a value')
    } else if (own === undefined && typeof value === 'string') {
      const look = looksSecret(lastName(path), value)
      if (look !== undefined) refuse(path, `holds what looks like ${look}`)
    }
  }
  visit(inputs, [], schema.json, undefined)
  return problems
}

type Reader = {
  readonly document: Document
  readonly types: DataMap
  readonly problems: Problem[]
  /** Types that are read already, with the number of properties, items and values that they describe. */
  readonly expanded: Map<string, { readonly json: DataMap; readonly size: number }>
  /** Types that are being read, to find circles. */
  readonly open: string[]
}

function readInputType(reader: Reader, name: string): InputSchema | undefined {
  const { document } = reader
  const path = ['schema', 'types', name]
  const { json, size } = expandType(reader, name, path)
  const errors = (): boolean => reader.problems.some((problem) => problem.severity === 'error')
  if (size > MOST_PROPERTIES) {
    complain(
      reader,
      'schema-limit',
      path,
      `The type "${name}" describes ${size} values, those of its parts counted.`,
      `At most ${MOST_PROPERTIES}.`,
    )
  }
  if (errors()) return undefined
  if (textsIn(json, 'type')[0] !== 'object') {
    complain(
      reader,
      'schema-invalid',
      path,
      `The input type "${name}" is not an object.`,
      '`type: object` with `properties:`.',
    )
    return undefined
  }
  // Inputs are a closed set even when the type has none at all.
  const closed =
    json['additionalProperties'] === undefined
      ? mapOf([...Object.entries(json), ['additionalProperties', false]])
      : json
  const inputs = new Map<string, Input>()
  const required = textsIn(closed, 'required')
  for (const [key, property] of Object.entries(mapIn(closed, 'properties') ?? {})) {
    if (!isMap(property)) continue
    inputs.set(
      key,
      readInput(document, {
        name: key,
        property,
        required: required.includes(key),
        path: [...path, 'properties', key],
      }),
    )
    checkDefault(reader, property, [...path, 'properties', key])
  }
  return { type: name, json: closed, inputs }
}

function readInput(
  document: Document,
  {
    name,
    property,
    required,
    path,
  }: { readonly name: string; readonly property: DataMap; readonly required: boolean; readonly path: Path },
): Input {
  const description = textIn(property, 'description')
  const secret = property['x-protium-secret']
  const image = property['x-protium-image']
  return {
    name,
    required,
    ...(property['default'] === undefined ? {} : { default: property['default'] }),
    ...(description === undefined ? {} : { description }),
    ...(typeof secret === 'boolean' ? { secret } : {}),
    image: typeof image === 'boolean' ? image : name === 'image' && textsIn(property, 'type').includes('string'),
    at: document.keyPlace(path),
    defaultAt: document.place([...path, 'default']),
  }
}

function checkDefault(reader: Reader, property: DataMap, path: Path): void {
  const value = property['default']
  if (value === undefined) return
  const fault = faultsOf(property, value)[0]
  if (fault === undefined) return
  const why =
    fault.is === 'unknown'
      ? `has the unknown key "${fault.key}"`
      : fault.is === 'missing'
        ? `lacks the key "${fault.key}"`
        : fault.why
  reader.problems.push({
    code: 'schema-default',
    severity: 'warning',
    message: `The default of ${named(path.slice(-1))} ${why}.`,
    ...(fault.is === 'unknown' ? {} : { expected: fault.expected }),
    remedy: 'Change the default or the rule.',
    at: reader.document.place([...path, 'default']),
  })
}

/** A type with its references resolved. Each type is read once; a type inside itself is a Problem. */
function expandType(reader: Reader, name: string, from: Path): { readonly json: DataMap; readonly size: number } {
  const known = reader.expanded.get(name)
  if (known !== undefined) return known
  const nothing = { json: mapOf(), size: 0 }
  if (reader.open.includes(name)) {
    complain(
      reader,
      'schema-ref',
      from,
      `The type "${name}" contains itself (${[...reader.open, name].join(' → ')}).`,
      'Types without a circle.',
    )
    return nothing
  }
  if (reader.open.length >= MOST_LEVELS) {
    complain(
      reader,
      'schema-limit',
      from,
      `Types lie more than ${MOST_LEVELS} levels deep in each other.`,
      `At most ${MOST_LEVELS} levels.`,
    )
    return nothing
  }
  reader.open.push(name)
  const result = expand(reader, ['schema', 'types', name], 0)
  reader.open.pop()
  reader.expanded.set(name, result)
  return result
}

function expand(reader: Reader, path: Path, level: number): { readonly json: DataMap; readonly size: number } {
  const source = dataAt(reader.document.data, path)
  if (!isMap(source)) {
    complain(
      reader,
      'schema-invalid',
      path,
      `${named(path.slice(-1))} is not described by a map.`,
      'A map with `type:`.',
    )
    return { json: mapOf(), size: 0 }
  }
  if (level > MOST_LEVELS) {
    complain(
      reader,
      'schema-limit',
      path,
      `The schema is more than ${MOST_LEVELS} levels deep.`,
      `At most ${MOST_LEVELS} levels.`,
    )
    return { json: mapOf(), size: 0 }
  }
  const json = new Map<string, Data>()
  let size = 0
  const inner = (step: Path): DataMap => {
    const part = expand(reader, [...path, ...step], level + 1)
    size += part.size
    return part.json
  }
  const reference = source['$ref']
  if (reference !== undefined) {
    const name = typeof reference === 'string' ? referredType(reference) : undefined
    if (name === undefined || !isMap(reader.types[name])) {
      const near = name === undefined ? '' : didYouMean(name, Object.keys(reader.types))
      complain(
        reader,
        'schema-ref',
        [...path, '$ref'],
        `The reference ${inWords(reference)} names no type of this schema.${near}`,
        '`#/TypeName` with a type under `types:`.',
      )
    } else {
      const type = expandType(reader, name, [...path, '$ref'])
      size += type.size
      for (const [key, value] of Object.entries(type.json)) json.set(key, value)
    }
  }
  if (source['type'] === undefined && isMap(source['properties'])) json.set('type', 'object')
  for (const [key, value] of Object.entries(source)) {
    if (key === '$ref') continue
    if (!checkKeyword(reader, [...path, key], key, value)) continue
    if (key === 'properties' && isMap(value)) {
      size += Object.keys(value).length
      // Counted before the parts are read, so that a huge schema is left early.
      json.set(
        key,
        size > MOST_PROPERTIES ? mapOf() : mapOf(Object.keys(value).map((name) => [name, inner([key, name])])),
      )
    } else if (key === 'items' || (key === 'additionalProperties' && isMap(value))) {
      size += 1
      json.set(key, inner([key]))
    } else if (key === 'nullable') {
      if (value === true && typeof source['type'] === 'string') json.set('type', [source['type'], 'null'])
    } else if (key !== 'type' || source['nullable'] !== true) {
      json.set(key, value)
    }
  }
  settle(reader, json, path)
  return { json: mapOf(json), size }
}

/** What takes more than one keyword: OpenAPI 3.0's boolean bounds, closed maps, required inputs with a default, costs of patterns. */
function settle(reader: Reader, json: Map<string, Data>, path: Path): void {
  for (const [flag, bound] of [
    ['exclusiveMinimum', 'minimum'],
    ['exclusiveMaximum', 'maximum'],
  ] as const) {
    const exclusive = json.get(flag)
    if (typeof exclusive !== 'boolean') continue
    const limit = json.get(bound)
    json.delete(flag)
    if (!exclusive || limit === undefined) continue
    json.delete(bound)
    json.set(flag, limit)
  }
  const allowed = json.get('enum')
  const types = json.get('type')
  if (isList(allowed) && isList(types) && types.includes('null') && !allowed.includes(null))
    json.set('enum', [...allowed, null])
  const properties = json.get('properties')
  if (isMap(properties)) {
    if (Object.keys(properties).length > 0 && !json.has('additionalProperties')) json.set('additionalProperties', false)
    const required = json.get('required')
    if (isList(required)) {
      for (const name of required) {
        if (typeof name !== 'string' || Object.hasOwn(properties, name)) continue
        complain(
          reader,
          'schema-keyword',
          [...path, 'required'],
          `"required" names "${name}", which is not a property.${didYouMean(name, Object.keys(properties))}`,
          'Names of properties.',
        )
      }
      // Proton fills in defaults before anything else, so an input that has one is never missing.
      json.set(
        'required',
        required.filter((name) => typeof name === 'string' && dataAt(properties, [name, 'default']) === undefined),
      )
    }
  }
  if (json.get('uniqueItems') === true) {
    const item = json.get('items')
    const scalar =
      isMap(item) &&
      textsIn(item, 'type').length > 0 &&
      textsIn(item, 'type').every((type) => type !== 'object' && type !== 'array')
    if (!scalar)
      complain(
        reader,
        'schema-keyword',
        [...path, 'uniqueItems'],
        '"uniqueItems" is set for items that are not scalars.',
        '`items:` of type string, number, integer or boolean.',
      )
  }
  const pattern = json.get('pattern')
  if (typeof pattern === 'string') {
    const result = linearPattern(pattern)
    const longest = longestText(mapOf(json))
    if ('fault' in result) {
      json.delete('pattern')
      complain(
        reader,
        'schema-pattern',
        [...path, 'pattern'],
        `The pattern ${inWords(pattern)} ${result.fault}.`,
        'A pattern without look-around, back-references and large repetitions.',
      )
    } else if (result.pattern.size * longest > MOST_STEPS) {
      complain(
        reader,
        'schema-pattern',
        [...path, 'pattern'],
        `The pattern ${inWords(pattern)} is too large for a text of ${longest} characters.`,
        `A shorter pattern, or \`maxLength\` of at most ${Math.floor(MOST_STEPS / result.pattern.size)}.`,
      )
    }
  }
}

function longestText(json: DataMap): number {
  const declared = numberIn(json, 'maxLength') ?? 0
  return declared <= LONGEST_TEXT ? LONGEST_TEXT : Math.min(declared, LONGEST_DECLARED_TEXT)
}

/** The type that a reference names: `#/Name` as Proton writes it, or the longer forms that editors and generators use. */
function referredType(reference: string): string | undefined {
  return /^#\/(?:components\/schemas\/|schema\/types\/|types\/|\$defs\/|definitions\/)?([^/]+)$/.exec(reference)?.[1]
}

const schemaKeys = ['format', 'environment_input_type', 'service_input_type', 'pipeline_input_type', 'types']
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
const extensions = ['x-protium-secret', 'x-protium-image']
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
/** Names by which JavaScript reaches into an object's own machinery. */
const refusedNames = ['__proto__', 'constructor', 'prototype']

/** Whether a keyword is taken over; if not, it has been told why. */
function checkKeyword(reader: Reader, path: Path, key: string, value: Data): boolean {
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
      `${extensions.join(' or ')} with true or false.`,
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

function complain(
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

function ignored(document: Document, path: Path, key: string, known: readonly string[]): Problem {
  return {
    code: 'schema-keyword',
    severity: 'warning',
    message: `The key "${key}" has no meaning here and is passed over.${didYouMean(key, known)}`,
    expected: 'A keyword of OpenAPI 3.0, in small letters.',
    remedy: 'Correct the key, or remove it.',
    at: document.keyPlace(path),
  }
}

function boundProblems(schema: InputSchema, inputs: DataMap, at: InputsAt): Problem[] {
  const problems: Problem[] = []
  const refuse = (path: Path, message: string, expected: string): void => {
    problems.push({
      code: 'input-value',
      severity: 'error',
      message,
      expected,
      remedy: 'Shorten it.',
      at: at.place(path),
    })
  }
  const visit = (value: Data, path: Path, json: DataMap | undefined): void => {
    if (path.length > DEEPEST_INPUT) {
      refuse(
        path,
        `The input ${named(path.slice(0, 1))} is more than ${DEEPEST_INPUT} levels deep.`,
        `At most ${DEEPEST_INPUT} levels.`,
      )
    } else if (typeof value === 'string') {
      const longest = longestText(json ?? mapOf())
      if (value.length > longest)
        refuse(
          path,
          `The input ${named(path)} has ${value.length} characters.`,
          `At most ${longest}; a schema may allow up to ${LONGEST_DECLARED_TEXT} by \`maxLength\`.`,
        )
    } else if (isList(value)) {
      value.forEach((item, index) => visit(item, [...path, index], mapIn(json, 'items')))
    } else if (isMap(value)) {
      for (const [key, item] of Object.entries(value)) {
        if (refusedNames.includes(key) && path.length > 0)
          refuse([...path, key], `The input ${named(path)} has a key "${key}".`, 'Another key.')
        visit(item, [...path, key], mapIn(mapIn(json, 'properties'), key) ?? mapIn(json, 'additionalProperties'))
      }
    }
  }
  visit(inputs, [], schema.json)
  return problems
}

function inputProblem(schema: InputSchema, inputs: DataMap, fault: Fault, at: InputsAt): Problem {
  if (fault.is === 'unknown') {
    const owner = fault.path.length === 0 ? 'The template' : `The input ${named(fault.path)}`
    const some = fault.known.slice(0, 20).join(', ')
    return {
      code: 'unknown-input',
      severity: 'error',
      message: `${owner} has no ${fault.path.length === 0 ? 'input' : 'key'} "${fault.key}".${didYouMean(fault.key, fault.known)}`,
      expected:
        fault.known.length === 0
          ? 'No input: this template has none.'
          : `One of ${some}${fault.known.length > 20 ? ` and ${fault.known.length - 20} more` : ''}.`,
      remedy: 'Correct the name, or remove the line.',
      at: at.keyPlace([...fault.path, fault.key]),
    }
  }
  if (fault.is === 'missing') {
    return {
      code: 'missing-input',
      severity: 'error',
      message: `The input ${named([...fault.path, fault.key])} is missing, and the template has no default for it.`,
      expected: fault.expected,
      remedy: `Add \`${fault.key}:\` under \`${lastName(fault.path) === '' ? 'inputs' : lastName(fault.path)}:\`.`,
      at: fault.path.length === 0 ? at.missing : at.keyPlace(fault.path),
    }
  }
  const value = dataAt(inputs, fault.path)
  const input = schema.inputs.get(String(fault.path[0]))
  return {
    code: fault.is === 'type' ? 'input-type' : 'input-value',
    severity: 'error',
    message: `The input ${named(fault.path)}${shownValue(fault, value, input)} ${fault.why}.`,
    expected: fault.expected,
    remedy: remedyFor(fault, value, input),
    at: fault.onKey ? at.keyPlace(fault.path) : at.place(fault.path),
  }
}

function shownValue(fault: Fault, value: Data | undefined, input: Input | undefined): string {
  if (value === undefined || value === null || isMap(value) || isList(value)) return ''
  if (input?.secret === true || (typeof value === 'string' && looksSecret(lastName(fault.path), value) !== undefined))
    return ' (hidden)'
  return ` (${inWords(value)})`
}

function remedyFor(fault: Fault, value: Data | undefined, input: Input | undefined): string {
  if (value === null) {
    const instead =
      fault.path.length === 1 && input?.default !== undefined && !isMap(input.default) && !isList(input.default)
        ? ` to use the default ${inWords(input.default)}`
        : ''
    return `Give it a value, or remove the line${instead}.`
  }
  if (fault.is === 'type' && typeof value === 'string' && /^(?:-?\d+(?:\.\d+)?|true|false)$/.test(value))
    return `Write ${value} without quotes.`
  if (fault.is === 'type' && (typeof value === 'number' || typeof value === 'boolean' || value instanceof Float)) {
    return fault.expected.startsWith('Text') ? 'Put the value in quotes.' : 'Correct the value.'
  }
  return 'Correct the value.'
}

/** Inputs in the order of the schema with defaults filled in; what the schema does not name comes last. */
function withDefaults(json: DataMap, value: DataMap): DataMap {
  const properties = mapIn(json, 'properties') ?? mapOf()
  const filled: [string, Data][] = []
  for (const [name, property] of Object.entries(properties)) {
    if (!isMap(property)) continue
    const given = Object.hasOwn(value, name) ? value[name] : property['default']
    if (given !== undefined) filled.push([name, filledIn(property, given)])
  }
  const rest = mapIn(json, 'additionalProperties')
  for (const [name, item] of Object.entries(value)) {
    if (!Object.hasOwn(properties, name)) filled.push([name, rest === undefined ? item : filledIn(rest, item)])
  }
  return mapOf(filled)
}

function filledIn(json: DataMap, value: Data): Data {
  if (isMap(value)) return withDefaults(json, value)
  const item = mapIn(json, 'items')
  return isList(value) && item !== undefined ? value.map((each) => filledIn(item, each)) : value
}

function named(path: Path): string {
  return `"${path.map((step, index) => (typeof step === 'number' ? `[${step}]` : `${index === 0 ? '' : '.'}${step}`)).join('')}"`
}

function lastName(path: Path): string {
  const name = path.findLast((step) => typeof step === 'string')
  return typeof name === 'string' ? name : ''
}
