import { CloudFormationClient, type StackEvent } from '@aws-sdk/client-cloudformation'
import { S3Client } from '@aws-sdk/client-s3'

type Options = {
  readonly region?: string
  readonly accessKeyId?: string
  /** Attempts of the client itself: 1 by default, so that a test sees each answer. */
  readonly maxAttempts?: number
}

/** The real client, which talks to a fake. */
export function clientOf(fake: { readonly url: string }, options: Options = {}): CloudFormationClient {
  return new CloudFormationClient(configOf(fake, options))
}

export function s3Of(fake: { readonly url: string }, options: Options = {}): S3Client {
  return new S3Client(configOf(fake, options))
}

function configOf(
  { url }: { readonly url: string },
  { region = 'eu-central-1', accessKeyId = 'AKIAEXAMPLE', maxAttempts = 1 }: Options,
): {
  readonly endpoint: string
  readonly region: string
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string }
  readonly maxAttempts: number
} {
  return { endpoint: url, region, credentials: { accessKeyId, secretAccessKey: 'secret' }, maxAttempts }
}

/** What a request is refused with, as the client throws it. */
export async function refused(request: Promise<unknown>): Promise<{
  readonly name: string
  readonly message: string
  readonly status: number | undefined
}> {
  try {
    await request
  } catch (error) {
    if (!(error instanceof Error)) throw error
    const metadata = '$metadata' in error ? error.$metadata : undefined
    const status =
      typeof metadata === 'object' && metadata !== null && 'httpStatusCode' in metadata
        ? metadata.httpStatusCode
        : undefined
    return { name: error.name, message: error.message, status: typeof status === 'number' ? status : undefined }
  }
  throw new Error('The request was not refused')
}

/** Events in the order in which they happened, short: `Jobs CREATE_FAILED because`. */
export function told(events: readonly StackEvent[] | undefined): readonly string[] {
  return (events ?? [])
    .toReversed()
    .map((it) => [it.LogicalResourceId, it.ResourceStatus, it.ResourceStatusReason].filter(Boolean).join(' '))
}
