import { CloudFormationClient } from '@aws-sdk/client-cloudformation'

export type ClientOptions = NonNullable<ConstructorParameters<typeof CloudFormationClient>[0]>

/** A service that is asked by requests of our own making. */
export type Service = {
  /** By which the environment and profiles name its endpoint: https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html */
  readonly id: string
  /** By which requests are signed, and the first part of its host. */
  readonly name: string
}

export type Request = {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT'
  /** The parts of the path, which are escaped here; an empty one for the root. */
  readonly path: readonly string[]
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
}

export type Answer = {
  readonly statusCode: number
  readonly headers: Readonly<Record<string, string>>
  readonly text: string
}

/**
 * Who asks, how it is signed, sent and timed out, and which endpoint the environment or a profile names for a service, is what the
 * SDK's client of CloudFormation, which is in a build anyway, says when it is told that it is another service's.
 */
export function clientOf({ id }: Service, options: ClientOptions): CloudFormationClient {
  return new CloudFormationClient({ ...options, serviceId: id })
}

/** Sends a request and gives back the answer, whatever it is. */
export async function send(
  { config }: CloudFormationClient,
  {
    service,
    request: { method, path, headers, body },
    at = {},
  }: {
    readonly service: Service
    readonly request: Request
    readonly at?: { readonly abortSignal?: AbortSignal } | undefined
  },
): Promise<Answer> {
  const base = new URL(await endpointOf(config, service))
  const parts = [...base.pathname.split('/').filter((part) => part !== ''), ...path]
  const signer = await config.signer({
    name: 'sigv4',
    signingName: service.name,
    signingRegion: await config.region(),
    properties: {},
  })
  const signed = await signer.sign(
    {
      method,
      protocol: base.protocol,
      hostname: base.hostname,
      ...(base.port !== '' && { port: Number(base.port) }),
      path: `/${parts.map(escaped).join('/')}`,
      query: {},
      headers: {
        host: base.host,
        'user-agent': config.customUserAgent?.map((part) => part.join('/')).join(' ') ?? 'protium',
        ...headers,
        ...(body !== undefined && { 'content-length': String(Buffer.byteLength(body)) }),
      },
      ...(body !== undefined && { body }),
    },
    { signingDate: new Date(Date.now() + config.systemClockOffset) },
  )
  const { response } = await config.requestHandler.handle(signed, at)
  return { statusCode: response.statusCode, headers: response.headers, text: await textOf(response.body) }
}

/** An error as the SDK throws it. */
export function errorOf(
  { statusCode, headers }: Answer,
  { name, message }: { readonly name: string; readonly message: string },
): Error {
  const error = new Error(message)
  error.name = name
  return Object.assign(error, {
    $metadata: { httpStatusCode: statusCode, requestId: headers['x-amzn-requestid'] ?? headers['x-amz-request-id'] },
    $response: { statusCode, headers },
  })
}

/** What the environment or a profile says, or else the address of the service in the region, which differs from CloudFormation's in its name. */
async function endpointOf(config: CloudFormationClient['config'], { name }: Service): Promise<string> {
  const named = await config.serviceConfiguredEndpoint?.()
  if (named !== undefined) return named
  const { url } = config.endpointProvider({ Region: await config.region(), UseFIPS: await config.useFipsEndpoint() })
  return String(url).replace(/\/\/cloudformation\b/u, `//${name}`)
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html: all but unreserved characters. */
function escaped(part: string): string {
  return encodeURIComponent(part).replaceAll(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}

async function textOf(body: AsyncIterable<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = []
  for await (const part of body) parts.push(part)
  return Buffer.concat(parts).toString()
}
