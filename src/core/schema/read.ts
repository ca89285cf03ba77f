import { type Data, type DataMap, entriesOf, isList, isMap, mapOf, type Path } from '../data.ts'
import { didYouMean } from '../nearest.ts'
import { linearPattern } from '../pattern.ts'
import type { Checked, Problem } from '../problem.ts'
import { dataAt, faultsOf, inWords, mapIn, numberIn, pathInWords, textIn, textsIn } from '../shape.ts'
import type { Document } from '../yaml.ts'
import { checkKeyword, complain, ignored, type Reader } from './keywords.ts'
import { type BundleSchema, type Input, type InputSchema, LONGEST_TEXT, longestText } from './model.ts'

const MOST_PROPERTIES = 500

const MOST_LEVELS = 16

/** Steps that one match may take at most: the largest pattern on the longest text that needs no declaration. */
const MOST_STEPS = 1000 * LONGEST_TEXT

const schemaKeys = ['format', 'environment_input_type', 'service_input_type', 'pipeline_input_type', 'types']

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
    if (input === undefined) continue
    checkHost(reader, input, kind)
    read[kind] = input
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
  }
  checkDefaults(reader, closed, path)
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
    host: property['x-protium-host'] === true,
    services: holds(property, 'x-protium-service'),
    at: document.keyPlace(path),
    defaultAt: document.place([...path, 'default']),
  }
}

/** Whether a word is set in a description, or in one of its parts. */
function holds(json: DataMap, word: string): boolean {
  return json[word] === true || partsOf(json).some((part) => holds(part, word))
}

function partsOf(json: DataMap): readonly DataMap[] {
  return [...Object.values(mapIn(json, 'properties') ?? {}), json['items'], json['additionalProperties']].filter(
    (part) => isMap(part),
  )
}

/** An address is that of an instance, so only the schema of a service can take it, and once, as an input of its own. */
function checkHost(
  reader: Reader,
  { type, inputs, json }: InputSchema,
  kind: 'environment' | 'service' | 'pipeline',
): void {
  const marked = [...inputs.values()].filter(({ host }) => host)
  const inside = partsOf(json).some((input) => partsOf(input).some((part) => holds(part, 'x-protium-host')))
  if (!inside && marked.length <= (kind === 'service' ? 1 : 0)) return
  complain(
    reader,
    'schema-keyword',
    ['schema', 'types', type, ...(marked[1] === undefined ? [] : ['properties', marked[1].name])],
    inside
      ? '"x-protium-host" is set inside of an input.'
      : kind === 'service'
        ? `"x-protium-host" is set for ${marked.map(({ name }) => `"${name}"`).join(' and ')}.`
        : `"x-protium-host" is set for an input of ${kind === 'pipeline' ? 'a pipeline' : 'an environment'}, which has no address.`,
    'One input of a service, of type string.',
  )
}

/** All defaults at once, as if they were given: the type is compiled for its inputs anyway, and compiling costs the most. */
function checkDefaults(reader: Reader, type: DataMap, path: Path): void {
  const defaults = entriesOf(mapIn(type, 'properties') ?? mapOf()).flatMap(([key, property]) => {
    const value = isMap(property) ? property['default'] : undefined
    return value === undefined ? [] : [[key, value] as const]
  })
  if (defaults.length === 0) return
  const told = new Set<Path[number]>()
  for (const fault of faultsOf(type, mapOf(defaults))) {
    const [key] = fault.path
    // What the whole lacks is no fault of a default.
    if (key === undefined || told.has(key)) continue
    told.add(key)
    const why =
      fault.is === 'unknown'
        ? `has the unknown key "${fault.key}"`
        : fault.is === 'missing'
          ? `lacks the key "${fault.key}"`
          : fault.why
    reader.problems.push({
      code: 'schema-default',
      severity: 'warning',
      message: `The default of ${pathInWords([key])} ${why}.`,
      ...(fault.is === 'unknown' ? {} : { expected: fault.expected }),
      remedy: 'Change the default or the rule.',
      at: reader.document.place([...path, 'properties', key, 'default']),
    })
  }
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
      `${pathInWords(path.slice(-1))} is not described by a map.`,
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
  for (const word of ['x-protium-host', 'x-protium-service']) {
    if (json.get(word) === true && json.get('type') !== 'string')
      complain(
        reader,
        'schema-keyword',
        [...path, word],
        `"${word}" is set for something that is not a text.`,
        '`type: string`.',
      )
  }
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

/** The type that a reference names: `#/Name` as Proton writes it, or the longer forms that editors and generators use. */
function referredType(reference: string): string | undefined {
  return /^#\/(?:components\/schemas\/|schema\/types\/|types\/|\$defs\/|definitions\/)?([^/]+)$/.exec(reference)?.[1]
}
