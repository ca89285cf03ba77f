import type { CloudFormationClient } from '@aws-sdk/client-cloudformation'
import type { Answer, ClientOptions } from './request.ts'
import { clientOf, errorOf, send } from './request.ts'

const service = { id: 'S3', name: 's3' }

/**
 * Stands in for `@aws-sdk/client-s3` (81 kB), of which two requests are used: whether an object is there, and to put one.
 */
export class S3Client {
  readonly #client: CloudFormationClient

  constructor(options: ClientOptions & { readonly forcePathStyle: true }) {
    const { forcePathStyle: _, ...rest } = options
    // The paths of S3 are signed as they are sent: https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
    this.#client = clientOf(service, { ...rest, signingEscapePath: false })
  }

  async send(
    { method, object, body, headers }: ObjectRequest,
    at: { readonly abortSignal?: AbortSignal } = {},
  ): Promise<object> {
    const answer = await send(this.#client, {
      service,
      request: {
        method,
        path: [object.Bucket, ...object.Key.split('/')],
        headers: { 'x-amz-expected-bucket-owner': object.ExpectedBucketOwner, ...headers },
        ...(body !== undefined && { body }),
      },
      at,
    })
    if (answer.statusCode >= 300) throw refusalOf(answer)
    return { $metadata: { httpStatusCode: answer.statusCode } }
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
    this.headers = { 'content-type': ContentType }
  }
}

/** An error as the SDK's: its name is the code in the body; the answer to HEAD has none. */
function refusalOf(answer: Answer): Error {
  const [code, message] = ['Code', 'Message'].map(
    (name) => new RegExp(`<${name}>([^<]*)</${name}>`, 'u').exec(answer.text)?.[1],
  )
  return errorOf(answer, {
    name: code ?? (answer.statusCode === 404 ? 'NotFound' : String(answer.statusCode)),
    message: message ?? 'UnknownError',
  })
}
