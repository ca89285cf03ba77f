import { createHash } from 'node:crypto'
import { escaped } from './model.ts'
import type { Bucket, World } from './state.ts'

export type S3Request = {
  readonly method: string
  readonly host: string
  /** Path and query. */
  readonly path: string
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly body: Buffer
  readonly account: string
  readonly region: string
}

export type S3Answer = {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer | string
}

export type S3Target = { readonly action: string; readonly bucket: string; readonly key: string }

/** What a request asks of S3, by path (`/bucket/key`) or by host (`bucket.localhost`). */
export function targetOf({ method, host, path }: Pick<S3Request, 'method' | 'host' | 'path'>): S3Target {
  const { pathname, searchParams } = new URL(path, 'http://localhost')
  const name = host.replace(/:\d+$/, '')
  const isVirtual = name.endsWith('.localhost')
  const [first = '', ...rest] = decodeURIComponent(pathname.slice(1)).split('/')
  const bucket = isVirtual ? name.slice(0, -'.localhost'.length) : first
  const key = isVirtual ? [first, ...rest].join('/') : rest.join('/')
  return { action: actionOf(method, { bucket, key, query: searchParams }), bucket, key }
}

function actionOf(
  method: string,
  { bucket, key, query }: { readonly bucket: string; readonly key: string; readonly query: URLSearchParams },
): string {
  if (bucket === '') return 'ListBuckets'
  if (key === '') {
    if (method === 'GET') return query.has('location') ? 'GetBucketLocation' : 'ListObjectsV2'
    return (
      { PUT: query.size > 0 ? 'PutBucketConfiguration' : 'CreateBucket', HEAD: 'HeadBucket', DELETE: 'DeleteBucket' }[
        method
      ] ?? method
    )
  }
  return { PUT: 'PutObject', GET: 'GetObject', HEAD: 'HeadObject', DELETE: 'DeleteObject' }[method] ?? method
}

/** Answers what S3 would, as far as templates need it. */
export function answerS3(world: World, request: S3Request): S3Answer {
  const { action, bucket: name, key } = targetOf(request)
  const { account } = request
  if (action === 'ListBuckets') return listed(world, account)
  const bucket = world.buckets.get(name)
  if (action === 'CreateBucket') {
    if (bucket !== undefined && bucket.account !== account)
      return failure(409, 'BucketAlreadyExists', 'The requested bucket name is not available.')
    if (bucket === undefined) world.buckets.set(name, { account, objects: new Map() })
    return { status: 200, headers: { location: `/${name}` }, body: '' }
  }
  if (bucket === undefined) return failure(404, 'NoSuchBucket', 'The specified bucket does not exist')
  if (bucket.account !== account) return failure(403, 'AccessDenied', 'Access Denied')
  const expected = request.headers['x-amz-expected-bucket-owner']
  if (expected !== undefined && expected !== bucket.account) return failure(403, 'AccessDenied', 'Access Denied')
  switch (action) {
    case 'HeadBucket':
      return { status: 200, headers: { 'x-amz-bucket-region': request.region }, body: '' }
    case 'PutBucketConfiguration':
      return { status: 200, headers: {}, body: '' }
    case 'DeleteBucket':
      if (bucket.objects.size > 0) return failure(409, 'BucketNotEmpty', 'The bucket you tried to delete is not empty')
      world.buckets.delete(name)
      return { status: 204, headers: {}, body: '' }
    case 'GetBucketLocation':
      return xml(`<LocationConstraint xmlns="${namespace}">${request.region}</LocationConstraint>`)
    case 'ListObjectsV2':
      return objectsOf(name, bucket)
    case 'PutObject':
      return put(world, bucket, { key, request })
    case 'DeleteObject':
      bucket.objects.delete(key)
      return { status: 204, headers: {}, body: '' }
    default:
      return read(bucket, { key, withBody: action === 'GetObject' })
  }
}

const namespace = 'http://s3.amazonaws.com/doc/2006-03-01/'

function xml(body: string): S3Answer {
  const head = '<?xml version="1.0" encoding="UTF-8"?>\n'
  return { status: 200, headers: { 'content-type': 'application/xml' }, body: `${head}${body}` }
}

function failure(status: number, code: string, message: string): S3Answer {
  return { ...xml(`<Error><Code>${code}</Code><Message>${escaped(message)}</Message></Error>`), status }
}

export function s3Failure(error: {
  readonly status: number
  readonly code: string
  readonly message: string
}): S3Answer {
  return failure(error.status, error.code, error.message)
}

function listed(world: World, account: string): S3Answer {
  const mine = [...world.buckets].filter(([, bucket]) => bucket.account === account)
  const buckets = mine.map(
    ([name]) =>
      `<Bucket><Name>${escaped(name)}</Name><CreationDate>${world.agenda.now().toISOString()}</CreationDate></Bucket>`,
  )
  return xml(
    `<ListAllMyBucketsResult xmlns="${namespace}"><Buckets>${buckets.join('')}</Buckets><Owner><ID>${account}</ID></Owner></ListAllMyBucketsResult>`,
  )
}

function objectsOf(name: string, { objects }: Bucket): S3Answer {
  const contents = [...objects].map(
    ([key, { body, etag, at }]) =>
      `<Contents><Key>${escaped(key)}</Key><LastModified>${at.toISOString()}</LastModified><ETag>${escaped(etag)}</ETag><Size>${body.length}</Size></Contents>`,
  )
  return xml(
    `<ListBucketResult xmlns="${namespace}"><Name>${escaped(name)}</Name><KeyCount>${objects.size}</KeyCount><IsTruncated>false</IsTruncated>${contents.join('')}</ListBucketResult>`,
  )
}

function put(
  world: World,
  bucket: Bucket,
  { key, request }: { readonly key: string; readonly request: S3Request },
): S3Answer {
  const { headers } = request
  const isChunked =
    headers['content-encoding']?.includes('aws-chunked') === true ||
    headers['x-amz-decoded-content-length'] !== undefined
  const body = isChunked ? unchunked(request.body) : request.body
  const wrong = wrongChecksum(headers, body)
  if (wrong !== undefined) return failure(400, 'BadDigest', wrong)
  const existing = bucket.objects.get(key)
  if (headers['if-none-match'] === '*' && existing !== undefined)
    return failure(412, 'PreconditionFailed', 'At least one of the pre-conditions you specified did not hold')
  const etag = `"${createHash('md5').update(body).digest('hex')}"`
  const kept = Object.entries(headers).flatMap(([name, value]): [string, string][] =>
    value !== undefined && (name === 'content-type' || name.startsWith('x-amz-meta-')) ? [[name, value]] : [],
  )
  bucket.objects.set(key, { body, etag, at: world.agenda.now(), headers: Object.fromEntries(kept) })
  return { status: 200, headers: { etag }, body: '' }
}

/** The body of a chunked upload: `<size in hex>;…\r\n<bytes>\r\n` until a chunk of none. */
function unchunked(body: Buffer): Buffer {
  const parts: Buffer[] = []
  let at = 0
  for (;;) {
    const end = body.indexOf('\r\n', at)
    if (end < 0) break
    const size = Number.parseInt(body.subarray(at, end).toString('latin1'), 16)
    if (!Number.isFinite(size) || size === 0) break
    parts.push(body.subarray(end + 2, end + 2 + size))
    at = end + 2 + size + 2
  }
  return Buffer.concat(parts)
}

/** The checksums that Node can make are compared; CRC32C and CRC64 are taken as they are. */
function wrongChecksum(headers: S3Request['headers'], body: Buffer): string | undefined {
  for (const [header, algorithm] of [
    ['content-md5', 'md5'],
    ['x-amz-checksum-sha256', 'sha256'],
    ['x-amz-checksum-sha1', 'sha1'],
  ] as const) {
    const wanted = headers[header]
    if (wanted !== undefined && wanted !== createHash(algorithm).update(body).digest('base64'))
      return `The ${header} you specified did not match what we received.`
  }
  return undefined
}

function read({ objects }: Bucket, { key, withBody }: { readonly key: string; readonly withBody: boolean }): S3Answer {
  const found = objects.get(key)
  if (found === undefined)
    return withBody
      ? failure(404, 'NoSuchKey', 'The specified key does not exist.')
      : { status: 404, headers: {}, body: '' }
  return {
    status: 200,
    headers: {
      ...found.headers,
      'content-length': String(found.body.length),
      etag: found.etag,
      'last-modified': found.at.toUTCString(),
    },
    body: withBody ? found.body : '',
  }
}
