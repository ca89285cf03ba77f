import { HeadObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'

import type { StoredText } from './client.ts'
import { meaningOf } from './refusal.ts'

type Putting = {
  readonly object: StoredText
  /** Whose bucket it has to be: a bucket of that name may have come into other hands. */
  readonly account: string
  readonly signal: AbortSignal | undefined
  readonly pause: (count: number, signal?: AbortSignal) => Promise<void>
}

const attempts = 8

/** Puts a text into a bucket under a key that is named by its content, so that one which is there is the right one. */
export async function putText(
  options: ConstructorParameters<typeof S3Client>[0],
  { object: { bucket, key, text }, account, signal, pause }: Putting,
): Promise<void> {
  // An endpoint of one's own has no name for each bucket.
  const client = new S3Client({ ...options, forcePathStyle: true })
  const at = signal === undefined ? {} : { abortSignal: signal }
  const where = { Bucket: bucket, Key: key, ExpectedBucketOwner: account }
  try {
    for (let count = 0; ; count += 1) {
      try {
        if (await isThere(async () => client.send(new HeadObjectCommand(where), at))) return
        await client.send(new PutObjectCommand({ ...where, Body: text, ContentType: 'application/json' }), at)
        return
      } catch (error) {
        signal?.throwIfAborted()
        const { is } = meaningOf(error)
        if ((is !== 'unreachable' && is !== 'throttled') || count + 1 >= attempts) throw error
        await pause(count, signal)
      }
    }
  } finally {
    client.destroy()
  }
}

/** S3 answers 403 for what is not there to who may not list the bucket; what is put then is the same as what would be there. */
async function isThere(look: () => Promise<unknown>): Promise<boolean> {
  try {
    await look()
    return true
  } catch (error) {
    const status = error instanceof Error && '$metadata' in error ? statusIn(error.$metadata) : undefined
    if (status === 404 || status === 403) return false
    throw error
  }
}

function statusIn(metadata: unknown): number | undefined {
  if (typeof metadata !== 'object' || metadata === null || !('httpStatusCode' in metadata)) return undefined
  return typeof metadata.httpStatusCode === 'number' ? metadata.httpStatusCode : undefined
}
