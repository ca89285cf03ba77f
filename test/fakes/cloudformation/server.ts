import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { DataMap } from '../../../src/core/data.ts'
import type { Clock } from '../../../src/ports.ts'
import { handlers } from './actions.ts'
import { newAgenda } from './agenda.ts'
import { simulatedClock } from './clock.ts'
import { type Asked, expired, type Fault, type Instead, newFaults } from './faults.ts'
import { type IdentityProvider, readIdentity, type WebIdentity } from './federation.ts'
import { type Identity, newIdentities } from './identity.ts'
import { text } from './input.ts'
import {
  actionsOf,
  decode,
  decodeJson,
  encode,
  encodeJson,
  errorOf,
  errorXml,
  type Finding,
  type Members,
  routedBy,
  type ServiceName,
  serviceOf,
  targetedBy,
} from './model.ts'
import { foundRole, permit, refusalOf, roleIn } from './roles.ts'
import { newRunners, type Running } from './running.ts'
import { answerS3, s3Failure, targetOf } from './s3.ts'
import { ApiError, type Failure, placeOf, type Stack, stackEvent, type World } from './state.ts'

export type { Asked, Fault, FaultKind } from './faults.ts'
export type { Running } from './running.ts'
export type { Failure } from './state.ts'
export { realClock, simulatedClock, type SimulatedClock } from './clock.ts'

export type FakeOptions<C extends Clock = Clock> = {
  readonly port?: number
  /**
   * Where time comes from: by default a simulated clock that moves when everybody sleeps, and by half a second with each
   * request. Another process sleeps by a clock of its own: then this is better a `realClock`.
   */
  readonly clock?: C
  /** The account of access keys that were not given out here; `123456789012` by default. */
  readonly account?: string
  /** The accounts of access keys. */
  readonly accessKeys?: Readonly<Record<string, string>>
  /** Seconds that a resource takes: 5 by default; by type or logical id, or by a function. */
  readonly durations?:
    | Readonly<Record<string, number>>
    | ((resource: { readonly logicalId: string; readonly type: string; readonly action: string }) => number)
  /** Seconds that a change set takes: 4 by default. */
  readonly changeSetSeconds?: number
  /** How many reads after the first execution of a change set still show `REVIEW_IN_PROGRESS`: 1 by default. */
  readonly staleReads?: number
  /** Elements on a page: 100 by default. */
  readonly pageSize?: number
  /** Stacks in an account and region: 2,000 by default. */
  readonly stackLimit?: number
  /** What the parameter store holds, by name. */
  readonly parameters?: Readonly<Record<string, string>>
  /** Buckets that are there, by name, with their account. */
  readonly buckets?: Readonly<Record<string, string>>
  /**
   * Providers of identities. With them a token is checked, and is only good for a role that a stack of the account has made and
   * whose trust policy lets it in; without them every token is good for every role.
   */
  readonly identityProviders?: readonly IdentityProvider[]
}

/** A request that was answered, or was not. */
export type Recorded = Asked & {
  readonly at: Date
  /** The ARN of who signed it. */
  readonly who: string
  /** `reset` if the connection was broken. */
  readonly status: number | 'reset'
  readonly code: string | undefined
  readonly input: Readonly<Record<string, unknown>>
}

/** Where a stack is looked for; the default account and the first region that has it, if nothing is said. */
export type Where = { readonly account?: string; readonly region?: string }

/** A running fake. */
export type FakeCloudFormation<C extends Clock = Clock> = {
  /** Goes into `AWS_ENDPOINT_URL`, or into a client's `endpoint`. */
  readonly url: string
  readonly clock: C
  fault(fault: Fault): void
  /** Faults that have not happened yet. */
  faults(): readonly Fault[]
  clearFaults(): void
  /** Lets a resource fail. */
  fail(failure: Failure): void
  /** How services, functions, targets and logs are from now on. */
  runs(running: Running): void
  /** No resource fails any more. */
  clearFailures(): void
  /** Ends all credentials that were given out so far. */
  expireCredentials(): void
  requests(): readonly Recorded[]
  /** Starts counting anew. */
  forget(): void
  /** A stack as it is now, to be looked at; of those of one name the newest, deleted ones too. */
  stack(name: string, where?: Where): Stack | undefined
  stacks(where?: Where): readonly Stack[]
  /** Changes a resource by hand: other properties, or none at all. */
  drift(change: {
    readonly stack: string
    readonly logicalId: string
    readonly properties: DataMap | 'gone'
    readonly where?: Where
  }): void
  /** Puts a stack into a status, as if something had brought it there. */
  setStatus(change: {
    readonly stack: string
    readonly status: string
    readonly reason?: string
    readonly where?: Where
  }): void
  /** Somebody's resource outside of all stacks, which takes its name. */
  occupy(taken: {
    readonly type: string
    readonly name: string
    readonly account?: string
    readonly region: string
  }): void
  /** Sets an alarm of a rollback configuration. */
  alarm(arn: string, state: 'OK' | 'ALARM' | 'INSUFFICIENT_DATA'): void
  /** Sets a value of the parameter store. */
  setParameter(name: string, value: string): void
  /** The text of an object, if it is there. */
  object(bucket: string, key: string): string | undefined
  /** Moves a simulated clock on until nothing is under way; throws if the clock cannot be moved. */
  settle(): Promise<void>
  /** What was asked or answered against AWS's model, since this was last called; then `close` does not tell. */
  takeViolations(): readonly string[]
  /** Ends it. Throws what was asked or answered against AWS's model. */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

for (const action of actionsOf('cloudformation'))
  if (!Object.hasOwn(handlers, action)) throw new Error(`Nothing answers ${action}`)

/** What AWS takes and nothing here acts on. A test that relied on it would prove nothing. */
const undone = [
  'ImportExistingResources',
  'ResourceTypes',
  'ResourcesToImport',
  'StackPolicyDuringUpdateBody',
  'StackPolicyDuringUpdateURL',
  'StackPolicyURL',
]

/** Starts a fake CloudFormation, with S3, STS and the services that its resources run in beside it, on a port of 127.0.0.1. */
export async function startCloudFormation(
  options?: Omit<FakeOptions, 'clock'>,
): Promise<FakeCloudFormation<ReturnType<typeof simulatedClock>>>
export async function startCloudFormation<C extends Clock>(
  options: FakeOptions<C> & { readonly clock: C },
): Promise<FakeCloudFormation<C>>
export async function startCloudFormation(options: FakeOptions = {}): Promise<FakeCloudFormation> {
  const clock = options.clock ?? simulatedClock({ auto: true, perRequest: 500 })
  const account = options.account ?? '123456789012'
  // Clients keep their connections between two reads; one that is closed under a request is a fault, and faults are ordered.
  const server = createServer({ keepAliveTimeout: 120_000 })
  const url = await listen(server, options.port ?? 0)
  const agenda = newAgenda(clock)
  const durations = options.durations ?? {}
  const world: World = {
    agenda,
    places: new Map(),
    buckets: new Map(
      Object.entries(options.buckets ?? {}).map(([name, owner]) => [name, { account: owner, objects: new Map() }]),
    ),
    failures: [],
    parameters: new Map(Object.entries(options.parameters ?? {})),
    foreign: new Set(),
    alarms: new Map(),
    count: { ids: 0 },
    settings: {
      duration:
        typeof durations === 'function'
          ? durations
          : ({ logicalId, type }) => durations[logicalId] ?? durations[type] ?? durations['*'] ?? 5,
      changeSetSeconds: options.changeSetSeconds ?? 4,
      staleReads: options.staleReads ?? 1,
      pageSize: options.pageSize ?? 100,
      stackLimit: options.stackLimit ?? 2000,
      ownUrl: () => url,
    },
  }
  const identities = newIdentities(() => agenda.now(), {
    account,
    accessKeys: options.accessKeys ?? {},
    roleOf: (arn) => roleIn(world, arn),
  })
  const runners = newRunners(
    () => [...world.places.values()].flatMap(({ stacks }) => stacks),
    () => agenda.now(),
  )
  const faults = newFaults(() => clock.now())
  let recorded: Recorded[] = []
  let violations: string[] = []

  server.on('request', (request, response) => {
    respond(request, response).catch((error: unknown) => {
      const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
      violations.push(`${request.method} ${request.url}: ${text}`)
      response.writeHead(500).end('The local CloudFormation has a bug: see what close() throws')
    })
  })

  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await bodyOf(request)
    if ('tick' in clock && typeof clock.tick === 'function') clock.tick()
    agenda.catchUp()
    const signed = signatureOf(request)
    const form = isForm(request) ? new URLSearchParams(body.toString('utf8')) : undefined
    const action = form?.get('Action') ?? undefined
    if (form !== undefined && action !== undefined) return query(response, { form, action, signed })
    const asked = inJson(request, body)
    if (asked !== undefined) return json(response, { ...asked, signed })
    return object(request, response, { body, signed })
  }

  /** A request to ECS and its like, which name their action in a header, or to Lambda, which has paths. */
  function inJson(request: IncomingMessage, body: Buffer): AskedInJson | undefined {
    const { method = 'GET', url: path = '/', headers } = request
    const target = headers['x-amz-target']
    if (target === undefined) {
      const routed = routedBy(method, path)
      return routed === undefined ? undefined : { ...routed, body: routed.input }
    }
    const targeted = targetedBy(String(target))
    if (targeted !== undefined) return { ...targeted, body: JSON.parse(body.toString('utf8')) }
    violations.push(`${String(target)}: the cut of the model has no such action`)
    return undefined
  }

  type AskedInJson = { readonly service: ServiceName; readonly action: string; readonly body: unknown }

  async function json(
    response: ServerResponse,
    { service, action, body, signed }: AskedInJson & { readonly signed: Signed },
  ): Promise<void> {
    const asked = askedOf(service, action, signed)
    const turn = faults.turnOf(asked)
    const before = (await turn.before()) ?? refusedCredentials(asked, action)
    const { input, findings } = decodeJson(service, action, body)
    violations.push(...findings.map(({ what }) => `${service} ${action}: ${what}`))
    const answer = before === undefined ? jsonAnswer({ service, action, input, findings, asked }) : undefined
    const instead = before ?? (await turn.after())
    if (instead?.is === 'reset') {
      note(asked, { status: 'reset', code: undefined, input })
      response.destroy()
      return
    }
    const final =
      instead === undefined && answer !== undefined
        ? answer
        : instead?.is === 'error'
          ? jsonError({ ...instead, code: instead.code === 'AccessDenied' ? 'AccessDeniedException' : instead.code })
          : jsonError({ status: 500, code: 'InternalFailure', message: '' })
    note(asked, { status: final.status, code: final.code, input })
    const type = service === 'lambda' ? 'application/json' : 'application/x-amz-json-1.1'
    const headers = { 'content-type': type, 'x-amzn-requestid': requestId() }
    response
      .writeHead(final.status, { ...headers, ...(final.code !== undefined && { 'x-amzn-errortype': final.code }) })
      .end(final.body)
  }

  function jsonError({
    status,
    code,
    message,
  }: {
    readonly status: number
    readonly code: string
    readonly message: string
  }) {
    return { status, code, body: JSON.stringify({ __type: code, message }) }
  }

  function jsonAnswer({
    service,
    action,
    input,
    findings,
    asked,
  }: {
    readonly service: ServiceName
    readonly action: string
    readonly input: Members
    readonly findings: readonly Finding[]
    readonly asked: Asked
  }): { readonly status: number; readonly code: string | undefined; readonly body: string } {
    const constraints = findings.filter(({ is }) => is === 'constraint')
    try {
      if (constraints.length > 0)
        throw new ApiError('ValidationException', constraints.map(({ what }) => what).join('; '))
      refuse(identities.of(asked.accessKey), asked)
      const output = runners.answer({ service, action, input, account: asked.account, region: asked.region })
      const { json: body, findings: wrong } = encodeJson(service, action, output)
      violations.push(...wrong.map(({ what }) => `the answer of ${action}: ${what}`))
      return { status: 200, code: undefined, body }
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      const known = errorOf(service, action, error.code)
      if (known === undefined) violations.push(`the answer of ${action}: there is no error ${error.code}`)
      return jsonError({ ...(known ?? { status: 400, code: error.code }), message: error.message })
    }
  }

  /** What only reads is held to its name and region: which resource it is about is each service's own business. */
  function refuse(session: Identity, { service, action, region }: Asked): void {
    const refused = refusalOf(session, { action: `${service}:${action}`, context: { 'aws:RequestedRegion': region } })
    if (refused !== undefined) throw new ApiError('AccessDeniedException', refused)
  }

  type Signed = ReturnType<typeof signatureOf>

  function askedOf(service: string, action: string, signed: Signed): Asked {
    const accessKey = signed?.accessKey ?? ''
    return {
      service,
      action,
      account: identities.of(accessKey).account,
      region: signed?.region ?? 'us-east-1',
      accessKey,
    }
  }

  function note(asked: Asked, more: Pick<Recorded, 'status' | 'code' | 'input'>): void {
    recorded.push({ ...asked, ...more, at: clock.now(), who: identities.of(asked.accessKey).arn })
  }

  /** A request in the Query protocol, of CloudFormation or STS. */
  async function query(
    response: ServerResponse,
    { form, action, signed }: { readonly form: URLSearchParams; readonly action: string; readonly signed: Signed },
  ): Promise<void> {
    const service = serviceOf(action)
    const asked = askedOf(service ?? 'cloudformation', action, signed)
    const turn = faults.turnOf(asked)
    const before = (await turn.before()) ?? refusedCredentials(asked, action)
    const input = service === undefined ? {} : decode(service, action, form).input
    const web = before === undefined && action === 'AssumeRoleWithWebIdentity' ? await identityIn(input) : undefined
    const answer = before === undefined ? queryAnswer({ service, action, form, asked, web }) : undefined
    const after = before === undefined ? await turn.after() : undefined
    const instead = before ?? after
    if (instead?.is === 'reset') {
      note(asked, { status: 'reset', code: undefined, input })
      response.destroy()
      return
    }
    if (instead?.is === 'html') {
      note(asked, { status: 500, code: undefined, input })
      response.writeHead(500, { 'content-type': 'text/html' }).end('<html><body>Internal Server Error</body></html>')
      return
    }
    const final =
      instead === undefined
        ? (answer ?? errorAnswer('cloudformation', { status: 500, code: 'InternalFailure', message: '' }))
        : errorAnswer(service ?? 'cloudformation', instead)
    note(asked, { status: final.status, code: final.code, input })
    response.writeHead(final.status, { 'content-type': 'text/xml', 'x-amzn-requestid': requestId() }).end(final.xml)
  }

  /** What the token of a request says, or what is wrong with it; nothing where tokens are not checked. */
  async function identityIn(input: Members): Promise<WebIdentity | ApiError | undefined> {
    if (options.identityProviders === undefined) return undefined
    try {
      return await readIdentity(text(input, 'WebIdentityToken'), options.identityProviders)
    } catch (error) {
      if (error instanceof ApiError) return error
      throw error
    }
  }

  function requestId(): string {
    return `00000000-0000-4000-8000-${String(recorded.length).padStart(12, '0')}`
  }

  function refusedCredentials({ accessKey }: Asked, action: string): Instead | undefined {
    if (action === 'AssumeRoleWithWebIdentity') return undefined
    if (accessKey === '')
      return {
        is: 'error',
        code: 'MissingAuthenticationToken',
        message: 'Request is missing Authentication Token',
        status: 403,
      }
    const { expires } = identities.of(accessKey)
    return expires !== undefined && expires <= clock.now() ? expired : undefined
  }

  type Answered = { readonly status: number; readonly code: string | undefined; readonly xml: string }

  function errorAnswer(
    service: ServiceName,
    error: { readonly status: number; readonly code: string; readonly message: string },
  ): Answered {
    const { status, code, message } = error
    return { status, code, xml: errorXml(service, { code, message, sender: status < 500, requestId: requestId() }) }
  }

  function queryAnswer({
    service,
    action,
    form,
    asked,
    web,
  }: {
    readonly service: ServiceName | undefined
    readonly action: string
    readonly form: URLSearchParams
    readonly asked: Asked
    readonly web: WebIdentity | ApiError | undefined
  }): Answered {
    if (service === undefined) {
      violations.push(`${action}: the cut of the model has no such action`)
      const message = `Could not find operation ${action} for version 2010-05-15`
      return errorAnswer('cloudformation', { status: 400, code: 'InvalidAction', message })
    }
    const { input, findings } = decode(service, action, form)
    violations.push(...findings.map(({ what }) => `${action}: ${what}`))
    for (const field of undone)
      if (input[field] !== undefined && input[field] !== false)
        violations.push(`${action}: the local CloudFormation does nothing with "${field}"`)
    const constraints = findings.filter(({ is }) => is === 'constraint')
    try {
      if (constraints.length > 0)
        throw new ApiError(
          'ValidationError',
          `${constraints.length} validation error${constraints.length > 1 ? 's' : ''} detected: ${constraints.map(({ what }) => what).join('; ')}`,
        )
      if (web instanceof ApiError) throw web
      const session = identities.of(asked.accessKey)
      const place = placeOf(world, asked.account, asked.region)
      if (service === 'cloudformation') permit({ place, action, input, session })
      if (service === 'elasticloadbalancing') refuse(session, asked)
      const output =
        service === 'sts'
          ? identities.answer({ action, input, accessKey: asked.accessKey, ...(web === undefined ? {} : { web }) })
          : service === 'iam'
            ? foundRole(world, text(input, 'RoleName'), asked.account)
            : service === 'elasticloadbalancing'
              ? runners.answer({ service, action, input, account: asked.account, region: asked.region })
              : handlers[action]?.({ world, place, input })
      const { xml, findings: wrong } = encode(service, action, { output: output ?? {}, requestId: requestId() })
      violations.push(...wrong.map(({ what }) => `the answer of ${action}: ${what}`))
      return { status: 200, code: undefined, xml }
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      const known = errorOf(service, action, error.code)
      if (known === undefined) violations.push(`the answer of ${action}: there is no error ${error.code}`)
      return errorAnswer(service, { ...(known ?? { status: 400, code: error.code }), message: error.message })
    }
  }

  /** A request to S3. */
  async function object(
    request: IncomingMessage,
    response: ServerResponse,
    { body, signed }: { readonly body: Buffer; readonly signed: Signed },
  ): Promise<void> {
    const method = request.method ?? 'GET'
    const path = request.url ?? '/'
    const host = request.headers.host ?? ''
    const { action, bucket, key } = targetOf({ method, host, path })
    const asked = askedOf('s3', action, signed)
    const turn = faults.turnOf(asked)
    const refused = refusalOf(identities.of(asked.accessKey), {
      // To look at the head of an object is to read it.
      action: `s3:${action.replace('Head', 'Get')}`,
      resource: `arn:aws:s3:::${bucket}/${key}`,
      context: { 'aws:RequestedRegion': asked.region },
    })
    const before =
      (await turn.before()) ??
      refusedCredentials(asked, action) ??
      (refused === undefined ? undefined : { is: 'error', code: 'AccessDenied', message: refused, status: 403 })
    const headers = Object.fromEntries(
      Object.entries(request.headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(',') : value]),
    )
    const { account: owner, region } = asked
    const answer =
      before === undefined ? answerS3(world, { method, host, path, headers, body, account: owner, region }) : undefined
    const after = before === undefined ? await turn.after() : undefined
    const instead = before ?? after
    if (instead?.is === 'reset') {
      note(asked, { status: 'reset', code: undefined, input: { bucket, key } })
      response.destroy()
      return
    }
    const final =
      instead === undefined
        ? (answer ?? s3Failure({ status: 500, code: 'InternalError', message: '' }))
        : s3Failure(instead.is === 'error' ? instead : { status: 500, code: 'InternalError', message: '' })
    note(asked, { status: final.status, code: undefined, input: { bucket, key } })
    response.writeHead(final.status, { 'x-amz-request-id': requestId(), ...final.headers })
    response.end(method === 'HEAD' ? undefined : final.body)
  }

  function stacksOf(where: Where = {}): Stack[] {
    agenda.catchUp()
    return [...world.places.values()]
      .filter((place) => where.account === undefined || place.account === where.account)
      .filter((place) => where.region === undefined || place.region === where.region)
      .flatMap(({ stacks }) => stacks)
  }

  return {
    url,
    clock,
    fault: (fault) => faults.add(fault),
    faults: () => faults.left(),
    clearFaults: () => faults.clear(),
    fail: (failure) => {
      world.failures.push({ failure, left: failure.times ?? Number.POSITIVE_INFINITY })
    },
    runs: (running) => runners.set(running),
    clearFailures: () => {
      world.failures.length = 0
    },
    expireCredentials: () => identities.expireAll(),
    requests: () => recorded,
    forget: () => {
      recorded = []
    },
    stack: (name, where) => stacksOf(where).findLast((stack) => stack.name === name || stack.id === name),
    stacks: stacksOf,
    drift: ({ stack: name, logicalId, properties, where }) => {
      const stack = stacksOf(where).findLast((each) => each.name === name || each.id === name)
      const live = stack?.resources.get(logicalId)
      if (stack === undefined || live === undefined) throw new Error(`There is no resource ${logicalId} in ${name}`)
      const drifted = properties === 'gone' ? properties : { ...live.properties, ...properties }
      stack.resources.set(logicalId, { ...live, drifted })
    },
    setStatus: ({ stack: name, status, reason, where }) => {
      const stack = stacksOf(where).findLast((each) => each.name === name || each.id === name)
      if (stack === undefined) throw new Error(`There is no stack ${name}`)
      stackEvent(world, stack, { status, reason, operation: stack.operations.at(-1) })
    },
    occupy: ({ type, name, account: owner = account, region }) => {
      world.foreign.add(`${owner} ${region} ${type} ${name}`)
    },
    alarm: (arn, state) => {
      world.alarms.set(arn, state)
    },
    setParameter: (name, value) => {
      world.parameters.set(name, value)
    },
    object: (bucket, key) => world.buckets.get(bucket)?.objects.get(key)?.body.toString('utf8'),
    settle: async () => {
      for (agenda.catchUp(); ; agenda.catchUp()) {
        const next = agenda.next()
        if (next === undefined) return
        await advance(clock, next - clock.now().getTime())
      }
    },
    takeViolations: () => {
      const taken = violations
      violations = []
      return taken
    },
    close,
    [Symbol.asyncDispose]: close,
  }

  async function close(): Promise<void> {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
    const left = violations
    violations = []
    if (left.length > 0) throw new Error(`Against AWS's model of its services:\n${left.join('\n')}`)
  }
}

async function advance(clock: Clock, milliseconds: number): Promise<void> {
  if (!('advance' in clock) || typeof clock.advance !== 'function') throw new Error('This clock cannot be moved')
  await clock.advance(Math.max(0, milliseconds))
}

async function listen(server: Server, port: number): Promise<string> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })
  const address: AddressInfo | string | null = server.address()
  if (address === null || typeof address === 'string') throw new Error('The server has no port')
  return `http://127.0.0.1:${address.port}`
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk)))
  return Buffer.concat(chunks)
}

function isForm(request: IncomingMessage): boolean {
  return request.method === 'POST' && request.headers['content-type']?.includes('x-www-form-urlencoded') === true
}

/** Who signed, and for which region. The signature itself is not checked: nobody here knows a secret. */
function signatureOf(
  request: IncomingMessage,
): { readonly accessKey: string; readonly region: string; readonly service: string } | undefined {
  const header = request.headers.authorization ?? ''
  const [, accessKey, region, service] = /Credential=([^/]+)\/\d{8}\/([^/]+)\/([^/]+)\/aws4_request/.exec(header) ?? []
  if (accessKey === undefined || region === undefined || service === undefined) return undefined
  return { accessKey, region, service }
}
