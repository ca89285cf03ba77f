import { CloudFormationClient } from '@aws-sdk/client-cloudformation'

/**
 * Stands in for `@aws-sdk/client-s3` (81 kB), of which two requests are used: whether an object is there, and to put one. Who
 * asks, how it is signed, sent and timed out, and which endpoint the environment or a profile names for S3, is what the
 * SDK's client of CloudFormation, which is in the build anyway, says when it is told that it is S3's.
 */
export class S3Client {
  readonly #client: CloudFormationClient

  constructor(options: ConstructorParameters<typeof CloudFormationClient>[0] & { readonly forcePathStyle: true }) {
    const { forcePathStyle: _, ...rest } = options
    // The paths of S3 are signed as they are sent: https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
    this.#client = new CloudFormationClient({ ...rest, serviceId: 'S3', signingEscapePath: false })
  }

  async send(
    { method, object, body, headers }: ObjectRequest,
    at: { readonly abortSignal?: AbortSignal } = {},
  ): Promise<object> {
    const { config } = this.#client
    const base = new URL(await endpointOf(this.#client))
    const path = [...base.pathname.split('/').filter((part) => part !== ''), object.Bucket, ...object.Key.split('/')]
    const signer = await config.signer({
      name: 'sigv4',
      signingName: 's3',
      signingRegion: await config.region(),
      properties: {},
    })
    const signed = await signer.sign(
      {
        method,
        protocol: base.protocol,
        hostname: base.hostname,
        ...(base.port !== '' && { port: Number(base.port) }),
        path: `/${path.map(escaped).join('/')}`,
        query: {},
        headers: {
          host: base.host,
          'user-agent': config.customUserAgent?.map((part) => part.join('/')).join(' ') ?? 'protium',
          'x-amz-expected-bucket-owner': object.ExpectedBucketOwner,
          ...headers,
        },
        ...(body !== undefined && { body }),
      },
      { signingDate: new Date(Date.now() + config.systemClockOffset) },
    )
    const { response } = await config.requestHandler.handle(signed, at)
    const text = await textOf(response.body)
    if (response.statusCode >= 300) throw errorOf(response, text)
    return { $metadata: { httpStatusCode: response.statusCode } }
  }

  destroy(): void {
    this.#client.destroy()
  }
}

type ObjectName = { readonly Bucket: string; readonly Key: string; readonly ExpectedBucketOwner: string }

type ObjectRequest = {
  readonly method: 'HEAD' | 'PUT'
  readonly object: ObjectName
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html */
export class HeadObjectCommand implements ObjectRequest {
  readonly method = 'HEAD'
  readonly headers = {}
  readonly object: ObjectName

  constructor(object: ObjectName) {
    this.object = object
  }
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html */
export class PutObjectCommand implements ObjectRequest {
  readonly method = 'PUT'
  readonly headers: Readonly<Record<string, string>>
  readonly object: ObjectName
  readonly body: string

  constructor({ Body, ContentType, ...object }: ObjectName & { readonly Body: string; readonly ContentType: string }) {
    this.object = object
    this.body = Body
    this.headers = { 'content-type': ContentType, 'content-length': String(Buffer.byteLength(Body)) }
  }
}

/** What the environment or a profile says, or else the address of S3 in the region, which differs from CloudFormation's in its name. */
async function endpointOf({ config }: CloudFormationClient): Promise<string> {
  const named = await config.serviceConfiguredEndpoint?.()
  if (named !== undefined) return named
  const { url } = config.endpointProvider({ Region: await config.region(), UseFIPS: await config.useFipsEndpoint() })
  return String(url).replace(/\/\/cloudformation\b/u, '//s3')
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

type Answer = { readonly statusCode: number; readonly headers: Readonly<Record<string, string>> }

/** An error as the SDK's: its name is the code in the body; the answer to HEAD has none. */
function errorOf({ statusCode, headers }: Answer, text: string): Error {
  const [code, message] = ['Code', 'Message'].map(
    (name) => new RegExp(`<${name}>([^<]*)</${name}>`, 'u').exec(text)?.[1],
  )
  const error = new Error(message ?? 'UnknownError')
  error.name = code ?? (statusCode === 404 ? 'NotFound' : String(statusCode))
  return Object.assign(error, {
    $metadata: { httpStatusCode: statusCode, requestId: headers['x-amz-request-id'] },
    $response: { statusCode, headers },
  })
}
