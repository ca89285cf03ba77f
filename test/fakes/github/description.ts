import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv'
import { isList, isMap, type Json, type JsonMap, listAt, mapAt, parseJson, text, textAt } from './json.ts'

/** One of GitHub's operations, as its own description has it. */
export type Operation = {
  /** Such as `issues/create-comment`: also the name of Octokit's method. */
  readonly id: string
  readonly method: string
  readonly path: string
  readonly parameters: readonly Parameter[]
  readonly body?: JsonMap
  readonly bodyRequired: boolean
  /** By status; `null` where there is no JSON. Only those of success. */
  readonly responses: JsonMap
}

type Parameter = { readonly name: string; readonly in: string; readonly required: boolean; readonly schema: JsonMap }

export type Matched = { readonly operation: Operation; readonly parameters: Readonly<Record<string, string>> }

/**
 * What is wrong with a request. A `limit` is a length or count that GitHub refuses with 422, so the answer tells; `shape`
 * is a request that no version of GitHub was told to understand, so the test fails.
 */
export type Finding = { readonly is: 'shape' | 'limit'; readonly what: string }

const file = parseJson(readFileSync(join(import.meta.dirname, 'description.generated.json'), 'utf8'))
const operations = readOperations()
// The longer path first: `commits/{ref}` would take `commits/main/status`, for a ref may have slashes.
const routes = operations
  .map((operation) => ({ operation, pattern: patternOf(operation), length: operation.path.split('/').length }))
  .toSorted((a, b) => b.length - a.length)
const byId = new Map(operations.map((operation) => [operation.id, operation]))

const ajv = new Ajv({ strict: false, allErrors: true, logger: false, inlineRefs: false, code: { optimize: false } })
ajv.addFormat('date-time', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/)
ajv.addFormat('uri', /^[a-z][a-z0-9+.-]*:\S+$/i)
ajv.addSchema({ $id: 'github', schemas: mapAt(file, 'schemas') })
const compiled = new Map<string, ValidateFunction>()

/** Where the cut comes from. */
export const source: string = text(file, 'source')

/** All that the cut has. */
export const operationIds: readonly string[] = operations.map(({ id }) => id)

export function operationOf(id: string): Operation {
  const operation = byId.get(id)
  if (operation === undefined) throw new Error(`The cut of GitHub's description has no operation ${id}`)
  return operation
}

/** The operation that a request is for, and the values in its path. */
export function match(method: string, path: string): Matched | undefined {
  for (const { operation, pattern } of routes) {
    if (operation.method !== method) continue
    const found = pattern.exec(path)
    if (found === null) continue
    const parameters: Record<string, string> = {}
    for (const [name, value] of Object.entries(found.groups ?? {})) parameters[name] = decodeURIComponent(value)
    return { operation, parameters }
  }
  return undefined
}

/** Everything that GitHub's description says against a request; fields and queries that it does not know are among it. */
export function checkRequest(
  { operation, parameters }: Matched,
  request: { readonly query: URLSearchParams; readonly body: Json | undefined },
): readonly Finding[] {
  const findings: Finding[] = []
  for (const { name, in: where, required, schema } of operation.parameters) {
    const value = where === 'path' ? parameters[name] : (request.query.get(name) ?? undefined)
    if (value === undefined) {
      if (required) findings.push({ is: 'shape', what: `the ${where} parameter "${name}" is missing` })
      continue
    }
    findings.push(...against(schema, fromText(value, schema), `${operation.id} ${name}`, `"${name}"`))
  }
  for (const name of request.query.keys()) {
    if (!operation.parameters.some((parameter) => parameter.in === 'query' && parameter.name === name)) {
      findings.push({ is: 'shape', what: `there is no query parameter "${name}"` })
    }
  }
  if (operation.body === undefined) {
    if (isMap(request.body) && Object.keys(request.body).length > 0) {
      findings.push({ is: 'shape', what: 'there is a body where none is taken' })
    }
  } else if (request.body === undefined) {
    if (operation.bodyRequired) findings.push({ is: 'shape', what: 'the body is missing' })
  } else {
    findings.push(...against(operation.body, request.body, `${operation.id} body`, 'body'))
    findings.push(...unknownFields(operation.body, request.body))
  }
  return findings
}

/** What GitHub's description says against an answer of the given status. */
export function checkAnswer(operation: Operation, status: number, body: Json | undefined): readonly string[] {
  if (status >= 400) {
    return textAt(body, 'message') === undefined ? [`an answer of status ${status} has no "message"`] : []
  }
  const schema = operation.responses[String(status)]
  if (schema === undefined) {
    return [`GitHub does not answer with ${status}, but with ${Object.keys(operation.responses).join(' or ')}`]
  }
  if (schema === null || !isMap(schema) || Object.keys(schema).length === 0) return []
  if (body === undefined) return [`the answer of status ${status} has no body`]
  return against(schema, body, `${operation.id} ${status}`, 'answer').map(({ what }) => what)
}

/** What GitHub's description says against the payload of an event, by the name of its schema (`pull-request-opened`). */
export function checkEvent(name: string, payload: Json): readonly string[] {
  const schema = mapAt(mapAt(file, 'events'), name)
  if (Object.keys(schema).length === 0) throw new Error(`The cut of GitHub's description has no event ${name}`)
  return against(schema, payload, `event ${name}`, 'payload').map(({ what }) => what)
}

const limits = new Set(['maxLength', 'maxItems', 'minLength', 'minItems', 'maximum', 'minimum'])

function against(schema: JsonMap, value: Json, key: string, name: string): readonly Finding[] {
  let validate = compiled.get(key)
  if (validate === undefined) {
    validate = ajv.compile(schema)
    compiled.set(key, validate)
  }
  if (validate(value)) return []
  return (validate.errors ?? []).filter(isTelling).map((error) => ({
    is: limits.has(error.keyword) ? 'limit' : 'shape',
    what: `${name}${error.instancePath} ${error.message ?? 'is wrong'}${allowed(error)}`,
  }))
}

/** Of alternatives that all fail, that they do says less than why. */
function isTelling(error: ErrorObject): boolean {
  return error.keyword !== 'anyOf' && error.keyword !== 'if'
}

function allowed(error: ErrorObject): string {
  return error.keyword === 'enum' ? ` (${JSON.stringify(error.params['allowedValues'])})` : ''
}

function fromText(value: string, schema: JsonMap): Json {
  const type = schema['type']
  if ((type === 'integer' || type === 'number') && /^-?\d+$/.test(value)) return Number(value)
  if (type === 'boolean' && (value === 'true' || value === 'false')) return value === 'true'
  return value
}

/** GitHub ignores fields that it does not know; our code has no business sending any. */
function unknownFields(schema: JsonMap, body: Json): readonly Finding[] {
  const known = knownFields(schema)
  if (known === undefined || !isMap(body)) return []
  return Object.keys(body)
    .filter((key) => !known.has(key))
    .map((key) => ({ is: 'shape', what: `body has the field "${key}", which GitHub does not know` }))
}

function knownFields(schema: JsonMap): Set<string> | undefined {
  const { $ref } = schema
  if (typeof $ref === 'string') return knownFields(mapAt(mapAt(file, 'schemas'), $ref.slice('github#/schemas/'.length)))
  const alternatives = ['anyOf', 'allOf'].flatMap((key) => [...listAt(schema, key)])
  if (alternatives.length === 0 && schema['properties'] === undefined) return undefined
  const known = new Set(Object.keys(mapAt(schema, 'properties')))
  for (const alternative of alternatives) {
    if (!isMap(alternative)) continue
    for (const key of knownFields(alternative) ?? []) known.add(key)
  }
  return known
}

function readOperations(): readonly Operation[] {
  return Object.entries(mapAt(file, 'operations')).map(([id, value]) => {
    const body = isMap(value) ? value['body'] : undefined
    return {
      id,
      method: text(value, 'method'),
      path: text(value, 'path'),
      parameters: listAt(value, 'parameters').map((parameter) => ({
        name: text(parameter, 'name'),
        in: text(parameter, 'in'),
        required: isMap(parameter) && parameter['required'] === true,
        schema: mapAt(parameter, 'schema'),
      })),
      ...(isMap(body) ? { body } : {}),
      bodyRequired: isMap(value) && value['bodyRequired'] === true,
      responses: mapAt(value, 'responses'),
    }
  })
}

/** Names with slashes are only taken where GitHub takes them: in paths of files, in refs, in what is compared. */
function patternOf({ path }: Operation): RegExp {
  const wide = new Set(['path', 'ref', 'base', 'head', 'branch'])
  const pattern = path
    .replaceAll(/[.]/g, '\\$&')
    .replaceAll(/\{(\w+)\}/g, (_all, name: string) => `(?<${name}>${wide.has(name) ? '.+?' : '[^/]+'})`)
  // The root of a repository is a path too: an empty one.
  return new RegExp(`^${pattern.replace('/(?<path>.+?)', '(?:/(?<path>.*?))?')}$`)
}

/** The value with what the description requires and emulate does not say: `null`, nothing, none or an empty text. */
export function completed(operation: Operation, status: number, body: Json): Json {
  const schema = operation.responses[String(status)]
  return isMap(schema) ? complete(schema, body) : body
}

/** The same for a value of one of the description's schemas. */
export function completedAs(name: string, value: Json): Json {
  return complete(mapAt(mapAt(file, 'schemas'), name), value)
}

function complete(schema: JsonMap, value: Json | undefined): Json {
  const { $ref } = schema
  if (typeof $ref === 'string') {
    return complete(mapAt(mapAt(file, 'schemas'), $ref.slice('github#/schemas/'.length)), value)
  }
  for (const part of listAt(schema, 'allOf')) if (isMap(part)) value = complete(part, value)
  const alternatives = listAt(schema, 'anyOf').filter(isMap)
  if (alternatives.length > 0 && value === undefined) {
    return alternatives.some((each) => each['type'] === 'null') ? null : complete(alternatives[0] ?? {}, value)
  }
  const type = schema['type']
  const types = isList(type) ? type : [type]
  if (value === undefined) {
    if (types.includes('null')) return null
    const allowedValues = listAt(schema, 'enum')
    if (allowedValues.length > 0) return allowedValues[0] ?? null
    if (types.includes('boolean')) return false
    if (types.includes('integer') || types.includes('number')) return 0
    if (types.includes('array')) return []
    if (types.includes('object')) return complete(schema, {})
    return schema['format'] === 'uri' ? 'about:blank' : ''
  }
  if (isList(value)) {
    const items = mapAt(schema, 'items')
    return value.map((item) => complete(items, item))
  }
  if (!isMap(value)) return value
  const made: Record<string, Json | undefined> = { ...value }
  const properties = mapAt(schema, 'properties')
  for (const key of listAt(schema, 'required')) {
    if (typeof key === 'string' && made[key] === undefined) made[key] = complete(mapAt(properties, key), undefined)
  }
  for (const [key, inner] of Object.entries(properties)) {
    if (isMap(inner) && made[key] !== undefined && made[key] !== null) made[key] = complete(inner, made[key])
  }
  return made
}
