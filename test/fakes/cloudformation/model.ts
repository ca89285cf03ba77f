import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** What requests and answers are made of, by the names of AWS's model. */
export type Value = string | number | boolean | Date | readonly Value[] | Members

export interface Members {
  readonly [name: string]: Value | undefined
}

export type ServiceName =
  | 'cloudformation'
  | 'sts'
  | 'iam'
  | 'elasticloadbalancing'
  | 'ecs'
  | 'logs'
  | 'cloudtrail'
  | 'lambda'

/** What is wrong with a request. A `constraint` is a value that AWS refuses with an error of its own. */
export type Finding = { readonly is: 'shape' | 'constraint'; readonly what: string }

export type ErrorShape = { readonly code: string; readonly status: number }

type Shape = {
  readonly type: string
  readonly members?: Readonly<Record<string, { readonly shape: string; readonly location?: string }>>
  readonly member?: { readonly shape: string }
  readonly key?: { readonly shape: string }
  readonly value?: { readonly shape: string }
  readonly required?: readonly string[]
  readonly enum?: readonly string[]
  readonly pattern?: string
  readonly min?: number
  readonly max?: number
  readonly error?: { readonly code?: string; readonly httpStatusCode: number }
  readonly fault?: boolean
}

type Operation = {
  /** Of a service that is asked by paths. */
  readonly http?: { readonly method: string; readonly requestUri: string }
  readonly input?: string
  readonly output?: string
  readonly wrapper?: string
  readonly errors: readonly string[]
}

type Service = {
  readonly version: string
  readonly protocol: string
  readonly namespace?: string
  /** What requests in JSON name before the action. */
  readonly target?: string
  readonly operations: Readonly<Record<string, Operation>>
  readonly shapes: Readonly<Record<string, Shape>>
}

const file: { readonly source: string; readonly services: Readonly<Record<ServiceName, Service>> } = JSON.parse(
  readFileSync(join(import.meta.dirname, 'model.generated.json'), 'utf8'),
)

/** Where the cut comes from. */
export const source: string = file.source

/** All operations of a service that the cut has. */
export function actionsOf(service: ServiceName): readonly string[] {
  return Object.keys(file.services[service].operations)
}

/** Which of the services that are asked by forms has an action. */
export function serviceOf(action: string): ServiceName | undefined {
  const services = ['cloudformation', 'sts', 'iam', 'elasticloadbalancing'] as const
  return services.find((name) => Object.hasOwn(file.services[name].operations, action))
}

/** The service and the action of a request in JSON, by its header `X-Amz-Target`; clients leave out the package of the service. */
export function targetedBy(target: string): { readonly service: ServiceName; readonly action: string } | undefined {
  const dot = target.lastIndexOf('.')
  const [prefix, action] = [target.slice(0, dot), target.slice(dot + 1)]
  const services = ['ecs', 'logs', 'cloudtrail'] as const
  const service = services.find((name) => file.services[name].target?.split('.').at(-1) === prefix.split('.').at(-1))
  return service !== undefined && Object.hasOwn(file.services[service].operations, action)
    ? { service, action }
    : undefined
}

/** The same of a request by its path, with what stands in the path. */
export function routedBy(
  method: string,
  path: string,
): { readonly service: ServiceName; readonly action: string; readonly input: Members } | undefined {
  for (const [action, { http }] of Object.entries(file.services.lambda.operations)) {
    if (http === undefined || http.method !== method) continue
    const names: string[] = []
    const pattern = http.requestUri.replaceAll(/\{(\w+)\}/gu, (_, name: string) => {
      names.push(name)
      return '([^/?]+)'
    })
    const found = new RegExp(`^${pattern}(?:\\?|$)`, 'u').exec(path)
    if (found === null) continue
    const input = Object.fromEntries(names.map((name, index) => [name, decodeURIComponent(found[index + 1] ?? '')]))
    return { service: 'lambda', action, input }
  }
  return undefined
}

/** Everything that the model has against a request in JSON, and the request with times as times. */
export function decodeJson(service: ServiceName, action: string, body: unknown): Decoded {
  const { operations, shapes } = file.services[service]
  const findings: Finding[] = []
  const shape = operations[action]?.input
  const input = shape === undefined ? {} : fromJson({ shapes, findings }, { shape, json: body, path: '' })
  return { input: isMembers(input) ? input : {}, findings }
}

/** The answer in JSON, and everything that the model has against it. */
export function encodeJson(
  service: ServiceName,
  action: string,
  output: Members,
): { readonly json: string; readonly findings: readonly Finding[] } {
  const { operations, shapes } = file.services[service]
  const findings: Finding[] = []
  const shape = operations[action]?.output
  const json = shape === undefined ? {} : toJson({ shapes, findings }, { shape, value: output, path: '' })
  return { json: JSON.stringify(json), findings }
}

function fromJson(
  reader: Reader,
  { shape: name, json, path }: { readonly shape: string; readonly json: unknown; readonly path: string },
): Value | undefined {
  const shape = shapeOf(reader, name)
  const wrong = (): undefined => {
    reader.findings.push({ is: 'shape', what: `"${path}" is ${JSON.stringify(json)}, not a ${shape.type}` })
    return undefined
  }
  const read = (): Value | undefined => {
    if (shape.type === 'structure') {
      if (!isRecord(json)) return wrong()
      const members: Record<string, Value> = {}
      for (const [member, inner] of Object.entries(json)) {
        const known = shape.members?.[member]
        const at = path === '' ? member : `${path}.${member}`
        if (known === undefined) reader.findings.push({ is: 'shape', what: `there is no field "${at}"` })
        const value = known === undefined ? undefined : fromJson(reader, { shape: known.shape, json: inner, path: at })
        if (value !== undefined) members[member] = value
      }
      return members
    }
    if (shape.type === 'list') {
      if (!Array.isArray(json)) return wrong()
      const items: readonly unknown[] = json
      return items.flatMap(
        (item, index) =>
          fromJson(reader, { shape: shape.member?.shape ?? '', json: item, path: `${path}.${index}` }) ?? [],
      )
    }
    if (shape.type === 'string') return typeof json === 'string' ? json : wrong()
    if (shape.type === 'boolean') return typeof json === 'boolean' ? json : wrong()
    if (shape.type === 'timestamp') return typeof json === 'number' ? new Date(json * 1000) : wrong()
    if (shape.type === 'integer' || shape.type === 'long') return Number.isSafeInteger(json) ? Number(json) : wrong()
    return wrong()
  }
  const value = read()
  if (value !== undefined) check(reader, { shape, value, path })
  return value
}

function toJson(
  reader: Reader,
  { shape: name, value, path }: { readonly shape: string; readonly value: Value; readonly path: string },
): unknown {
  const shape = shapeOf(reader, name)
  const wrong = (): undefined => {
    reader.findings.push({ is: 'shape', what: `"${path}" is ${JSON.stringify(value)}, not a ${shape.type}` })
    return undefined
  }
  check(reader, { shape, value, path })
  switch (shape.type) {
    case 'structure':
    case 'map': {
      if (!isMembers(value)) return wrong()
      return Object.fromEntries(
        Object.entries(value).flatMap(([member, inner]): [string, unknown][] => {
          if (inner === undefined) return []
          const at = path === '' ? member : `${path}.${member}`
          const known = shape.type === 'map' ? shape.value : shape.members?.[member]
          if (known !== undefined) return [[member, toJson(reader, { shape: known.shape, value: inner, path: at })]]
          reader.findings.push({ is: 'shape', what: `there is no field "${at}"` })
          return []
        }),
      )
    }
    case 'list': {
      if (!Array.isArray(value)) return wrong()
      const items: readonly Value[] = value
      return items.map((item, index) =>
        toJson(reader, { shape: shape.member?.shape ?? '', value: item, path: `${path}.${index}` }),
      )
    }
    case 'timestamp':
      return value instanceof Date ? value.getTime() / 1000 : wrong()
    case 'string':
    case 'boolean':
      return typeof value === shape.type ? value : wrong()
    default:
      return typeof value === 'number' ? value : wrong()
  }
}

function shapeOf({ shapes }: Reader, name: string): Shape {
  const shape = shapes[name]
  if (shape === undefined) throw new Error(`The model has no shape ${name}`)
  return shape
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

type Decoded = { readonly input: Members; readonly findings: readonly Finding[] }

/**
 * Reads the form of a request in the Query protocol (`Tags.member.1.Key=…`), and says everything that the model has against
 * it. https://smithy.io/2.0/aws/protocols/aws-query-protocol.html
 */
export function decode(service: ServiceName, action: string, form: URLSearchParams): Decoded {
  const { version, operations, shapes } = file.services[service]
  const findings: Finding[] = []
  const root: Node = { children: new Map() }
  for (const [name, value] of form) {
    if (name === 'Action') continue
    if (name === 'Version') {
      if (value !== version) findings.push({ is: 'shape', what: `the version is ${value}, not ${version}` })
      continue
    }
    let node = root
    for (const step of name.split('.')) {
      let next = node.children.get(step)
      if (next === undefined) {
        next = { children: new Map() }
        node.children.set(step, next)
      }
      node = next
    }
    if (node.text !== undefined) findings.push({ is: 'shape', what: `"${name}" is given twice` })
    node.text = value
  }
  const shape = operations[action]?.input
  const reader: Reader = { shapes, findings }
  const input = shape === undefined ? {} : read(reader, { shape, node: root, path: '' })
  return { input: isMembers(input) ? input : {}, findings }
}

type Node = { text?: string; readonly children: Map<string, Node> }
type Reader = { readonly shapes: Service['shapes']; readonly findings: Finding[] }
type At = { readonly shape: string; readonly node: Node; readonly path: string }

function read(reader: Reader, { shape: name, node, path }: At): Value | undefined {
  const shape = reader.shapes[name]
  if (shape === undefined) throw new Error(`The model has no shape ${name}`)
  const wrong = (what: string): undefined => {
    reader.findings.push({ is: 'shape', what: `"${path}" ${what}` })
    return undefined
  }
  switch (shape.type) {
    case 'structure': {
      if (node.text !== undefined && node.text !== '') return wrong('is a text, not a structure')
      const members: Record<string, Value> = {}
      for (const [member, child] of node.children) {
        const known = shape.members?.[member]
        const inner = path === '' ? member : `${path}.${member}`
        if (known === undefined) {
          reader.findings.push({ is: 'shape', what: `there is no field "${inner}"` })
          continue
        }
        const value = read(reader, { shape: known.shape, node: child, path: inner })
        if (value !== undefined) members[member] = value
      }
      check(reader, { shape, value: members, path })
      return members
    }
    case 'list': {
      const items: Value[] = []
      const numbered = node.children.get('member')
      if (node.children.size > (numbered === undefined ? 0 : 1)) return wrong('is not written as a list')
      if (node.text !== undefined && node.text !== '') return wrong('is a text, not a list')
      for (const [index, child] of [...(numbered?.children ?? [])].toSorted(([a], [b]) => Number(a) - Number(b))) {
        if (Number(index) !== items.length + 1) wrong(`has no element ${items.length + 1}`)
        const value = read(reader, { shape: shape.member?.shape ?? '', node: child, path: `${path}.member.${index}` })
        if (value !== undefined) items.push(value)
      }
      check(reader, { shape, value: items, path })
      return items
    }
    case 'map':
      return wrong('is a map, which nothing here reads')
    default: {
      if (node.children.size > 0 || node.text === undefined) return wrong(`is not a ${shape.type}`)
      const value = scalar(shape.type, node.text)
      if (value === undefined) return wrong(`is ${JSON.stringify(node.text)}, not a ${shape.type}`)
      check(reader, { shape, value, path })
      return value
    }
  }
}

function scalar(type: string, text: string): Value | undefined {
  switch (type) {
    case 'string':
      return text
    case 'boolean':
      return text === 'true' ? true : text === 'false' ? false : undefined
    case 'integer':
    case 'long':
      return /^-?\d+$/.test(text) ? Number(text) : undefined
    case 'timestamp': {
      const date = new Date(text)
      return Number.isNaN(date.getTime()) ? undefined : date
    }
    default:
      throw new Error(`A scalar of the type ${type} is not known here`)
  }
}

/**
 * What the service says beside its own model: events of a stack carry all statuses of stacks, as everybody sees them.
 */
const beyondModel = new Set([
  'REVIEW_IN_PROGRESS',
  'UPDATE_COMPLETE_CLEANUP_IN_PROGRESS',
  'UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS',
])

/** Everything that the model says of a value itself: what is required, words, patterns, lengths, bounds. */
function check(reader: Reader, { shape, value, path }: { shape: Shape; value: Value; path: string }): void {
  const at = path === '' ? '' : `${path.charAt(0).toLowerCase()}${path.slice(1)}`
  const refuse = (must: string): void => {
    const shown = typeof value === 'string' ? value : JSON.stringify(value)
    reader.findings.push({
      is: 'constraint',
      what: `Value '${shown}' at '${at}' failed to satisfy constraint: Member must ${must}`,
    })
  }
  if (isMembers(value)) {
    for (const member of shape.required ?? []) {
      if (value[member] !== undefined) continue
      const where = path === '' ? lowerFirst(member) : `${at}.${lowerFirst(member)}`
      reader.findings.push({
        is: 'constraint',
        what: `Value null at '${where}' failed to satisfy constraint: Member must not be null`,
      })
    }
  }
  if (typeof value === 'string') {
    const isKnown = shape.enum?.includes(value) !== false
    if (shape.enum !== undefined && !isKnown && !(path.endsWith('ResourceStatus') && beyondModel.has(value)))
      refuse(`satisfy enum value set: [${shape.enum.join(', ')}]`)
    if (shape.max !== undefined && lengthOf(value) > shape.max) refuse(`have length less than or equal to ${shape.max}`)
    if (shape.min !== undefined && lengthOf(value) < shape.min)
      refuse(`have length greater than or equal to ${shape.min}`)
    if (shape.pattern !== undefined && !patternOf(shape.pattern).test(value))
      refuse(`satisfy regular expression pattern: ${shape.pattern}`)
  }
  if (Array.isArray(value)) {
    if (shape.max !== undefined && value.length > shape.max) refuse(`have length less than or equal to ${shape.max}`)
    if (shape.min !== undefined && value.length < shape.min) refuse(`have length greater than or equal to ${shape.min}`)
  }
  if (typeof value === 'number') {
    if (shape.max !== undefined && value > shape.max) refuse(`have value less than or equal to ${shape.max}`)
    if (shape.min !== undefined && value < shape.min) refuse(`have value greater than or equal to ${shape.min}`)
  }
}

/** CloudFormation counts the length of a text in bytes of UTF-8. */
function lengthOf(text: string): number {
  return Buffer.byteLength(text)
}

const patterns = new Map<string, RegExp>()

function patternOf(pattern: string): RegExp {
  const known = patterns.get(pattern)
  if (known !== undefined) return known
  const made = new RegExp(`^(?:${pattern})$`, 'u')
  patterns.set(pattern, made)
  return made
}

function lowerFirst(text: string): string {
  return `${text.charAt(0).toLowerCase()}${text.slice(1)}`
}

export function isMembers(value: Value | undefined): value is Members {
  return typeof value === 'object' && !Array.isArray(value) && !(value instanceof Date)
}

/** The answer as XML, and everything that the model has against it. */
export function encode(
  service: ServiceName,
  action: string,
  { output, requestId }: { readonly output: Members; readonly requestId: string },
): { readonly xml: string; readonly findings: readonly Finding[] } {
  const { namespace = '', operations, shapes } = file.services[service]
  const operation = operations[action]
  const findings: Finding[] = []
  const reader: Reader = { shapes, findings }
  const inner =
    operation?.output === undefined ? '' : write(reader, { shape: operation.output, value: output, path: '' })
  if (operation?.output === undefined && Object.keys(output).length > 0)
    findings.push({ is: 'shape', what: 'there is an answer where none is given' })
  const wrapped = operation?.wrapper === undefined ? '' : `<${operation.wrapper}>${inner}</${operation.wrapper}>`
  return {
    xml: `<${action}Response xmlns="${namespace}">${wrapped}<ResponseMetadata><RequestId>${requestId}</RequestId></ResponseMetadata></${action}Response>`,
    findings,
  }
}

function write(reader: Reader, { shape: name, value, path }: { shape: string; value: Value; path: string }): string {
  const shape = reader.shapes[name]
  if (shape === undefined) throw new Error(`The model has no shape ${name}`)
  const wrong = (): string => {
    reader.findings.push({ is: 'shape', what: `"${path}" is ${JSON.stringify(value)}, not a ${shape.type}` })
    return ''
  }
  check(reader, { shape, value, path })
  switch (shape.type) {
    case 'structure': {
      if (!isMembers(value)) return wrong()
      let xml = ''
      for (const [member, inner] of Object.entries(value)) {
        if (inner === undefined) continue
        const known = shape.members?.[member]
        const at = path === '' ? member : `${path}.${member}`
        if (known === undefined) reader.findings.push({ is: 'shape', what: `there is no field "${at}"` })
        else xml += `<${member}>${write(reader, { shape: known.shape, value: inner, path: at })}</${member}>`
      }
      return xml
    }
    case 'list': {
      if (!Array.isArray(value)) return wrong()
      const items: readonly Value[] = value
      return items
        .map((item, index) => {
          const xml = write(reader, { shape: shape.member?.shape ?? '', value: item, path: `${path}.${index}` })
          return `<member>${xml}</member>`
        })
        .join('')
    }
    case 'string':
      return typeof value === 'string' ? escaped(value) : wrong()
    case 'boolean':
      return typeof value === 'boolean' ? String(value) : wrong()
    case 'integer':
    case 'long':
      return typeof value === 'number' && Number.isSafeInteger(value) ? String(value) : wrong()
    case 'timestamp':
      return value instanceof Date ? value.toISOString() : wrong()
    default:
      return wrong()
  }
}

/** Errors that any action may answer with, beside its own. */
const common: Readonly<Record<string, number>> = {
  AccessDenied: 403,
  AccessDeniedException: 403,
  ExpiredToken: 403,
  InternalFailure: 500,
  InvalidAction: 400,
  InvalidClientTokenId: 403,
  MissingAuthenticationToken: 403,
  ServiceUnavailable: 503,
  SignatureDoesNotMatch: 403,
  Throttling: 400,
  ValidationError: 400,
  ValidationException: 400,
}

/** How an error goes over the wire. `undefined` if the model does not know it for the action. */
export function errorOf(service: ServiceName, action: string, name: string): ErrorShape | undefined {
  const status = common[name]
  if (status !== undefined) return { code: name, status }
  const { operations, shapes } = file.services[service]
  if (operations[action]?.errors.includes(name) !== true) return undefined
  const { error, fault = false } = shapes[name] ?? {}
  return { code: error?.code ?? name, status: error?.httpStatusCode ?? (fault ? 500 : 400) }
}

export function errorXml(
  service: ServiceName,
  error: { readonly code: string; readonly message: string; readonly sender: boolean; readonly requestId: string },
): string {
  const { namespace = '' } = file.services[service]
  return `<ErrorResponse xmlns="${namespace}"><Error><Type>${error.sender ? 'Sender' : 'Receiver'}</Type><Code>${error.code}</Code><Message>${escaped(error.message)}</Message></Error><RequestId>${error.requestId}</RequestId></ErrorResponse>`
}

/** A text as it may stand in XML 1.0; other control characters have no way into it. */
export function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll('\r', '&#xD;')
    .replaceAll(/[\u0000-\u0008\u000B\u000C\u000E-\u001F]/g, '\uFFFD')
}
