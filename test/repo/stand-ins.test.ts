import { HeadObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { createHash, createHmac } from 'node:crypto'
import { Readable } from 'node:stream'
import { afterEach, describe, expect, test, vi } from 'vitest'
import * as standIn from '../../scripts/bundle/stand-ins/s3.ts'
import { refused } from '../fakes/cloudformation/client.ts'

afterEach(() => {
  vi.unstubAllEnvs()
})

type Sent = {
  readonly method: string
  readonly protocol: string
  readonly hostname: string
  readonly port?: number
  readonly path: string
  readonly query: Readonly<Record<string, string>>
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
}

type Answer = { readonly statusCode: number; readonly text?: string }

const secretAccessKey = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY'

/** Options of a client whose requests are kept, and answered in turn. */
function optionsOf(region: string, answers: readonly Answer[]) {
  const sent: Sent[] = []
  const handle = async (request: Sent) => {
    sent.push(request)
    const { statusCode = 200, text = '' } = answers[sent.length - 1] ?? {}
    return {
      response: {
        statusCode,
        headers: { 'content-type': 'application/xml' },
        body: Readable.from([Buffer.from(text)]),
      },
    }
  }
  const options = {
    region,
    maxAttempts: 1,
    customUserAgent: 'protium',
    forcePathStyle: true as const,
    credentials: { accessKeyId: 'AKIAEXAMPLE', secretAccessKey },
    requestHandler: { handle, updateHttpClientConfig: () => undefined, httpHandlerConfigs: () => ({}) },
  }
  return { sent, options }
}

const object = { Bucket: 'templates-of-acme', Key: "stacks/a b+c'(1).json", ExpectedBucketOwner: '123456789012' }
const content = { Body: '{"Outputs":"é"}', ContentType: 'application/json' }

/** The two requests as a client sends them: is it there, and put it there. */
async function requestsOf(which: 'real' | 'stand-in', region: string): Promise<readonly Sent[]> {
  const { sent, options } = optionsOf(region, [])
  if (which === 'real') {
    const client = new S3Client(options)
    await client.send(new HeadObjectCommand(object))
    await client.send(new PutObjectCommand({ ...object, ...content }))
  } else {
    const client = new standIn.S3Client(options)
    await client.send(new standIn.HeadObjectCommand(object))
    await client.send(new standIn.PutObjectCommand({ ...object, ...content }))
  }
  return sent
}

const told = ['host', 'content-type', 'content-length', 'x-amz-content-sha256', 'x-amz-expected-bucket-owner']

describe("S3's client in the build", () => {
  test.each([
    ['us-east-1', {}],
    ['eu-central-1', {}],
    ['cn-north-1', {}],
    ['us-gov-west-1', {}],
    ['eu-central-1', { AWS_ENDPOINT_URL: 'http://127.0.0.1:4566' }],
    [
      'eu-central-1',
      { AWS_ENDPOINT_URL: 'http://127.0.0.1:4566', AWS_ENDPOINT_URL_S3: 'https://s3.acme.example/in/it' },
    ],
    ['eu-central-1', { AWS_ENDPOINT_URL: 'http://127.0.0.1:4566', AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: 'true' }],
  ])('asks as the real one, in %s with %o', async (region, variables) => {
    vi.stubEnv('AWS_CONFIG_FILE', '/nowhere')
    for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value)
    const shown = ({ method, protocol, hostname, port, path, headers, body }: Sent) => ({
      method,
      protocol,
      hostname,
      port,
      path,
      headers: Object.fromEntries(told.map((name) => [name, headers[name]])),
      body,
    })

    const real = await requestsOf('real', region)
    const ours = await requestsOf('stand-in', region)

    expect(ours.map(shown)).toEqual(real.map(shown))
    expect(ours).toHaveLength(2)
    expect(ours[1]?.headers['user-agent']).toContain('protium')
  })

  test.each(['real', 'stand-in'] as const)('signs as S3 wants it: the %s one', async (which) => {
    const sent = await requestsOf(which, 'eu-central-1')

    const given = sent.map(({ headers }) => /Signature=([0-9a-f]{64})$/u.exec(headers.authorization ?? '')?.[1])
    expect(given).toEqual(sent.map((request) => signatureOf(request, 'eu-central-1')))
  })

  test.each([
    [{ statusCode: 404 }, 'head'],
    [{ statusCode: 404, text: errorText('NoSuchBucket', 'The specified bucket does not exist') }, 'put'],
    [{ statusCode: 403, text: errorText('AccessDenied', 'Access Denied') }, 'put'],
    [{ statusCode: 503, text: errorText('SlowDown', 'Please reduce your request rate.') }, 'put'],
  ] as const)('tells of %o as the real one', async (answer, call) => {
    const options = () => optionsOf('eu-central-1', [answer]).options
    const real = new S3Client(options())
    const ours = new standIn.S3Client(options())

    const [wanted, got] =
      call === 'head'
        ? [real.send(new HeadObjectCommand(object)), ours.send(new standIn.HeadObjectCommand(object))]
        : [
            real.send(new PutObjectCommand({ ...object, ...content })),
            ours.send(new standIn.PutObjectCommand({ ...object, ...content })),
          ]

    expect(await refused(got)).toEqual(await refused(wanted))
  })
})

function errorText(code: string, message: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${message}</Message></Error>`
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html */
function signatureOf({ method, path, query, headers }: Sent, region: string): string {
  const [, names = ''] = /SignedHeaders=([^,]+)/u.exec(headers.authorization ?? '') ?? []
  const asked = Object.entries(query).map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
  const lines = names.split(';').map((name) => `${name}:${headers[name]?.trim()}\n`)
  const canonical = [method, path, asked.toSorted().join('&'), lines.join(''), names, headers['x-amz-content-sha256']]
  const at = headers['x-amz-date'] ?? ''
  const scope = [at.slice(0, 8), region, 's3', 'aws4_request']
  const digest = createHash('sha256').update(canonical.join('\n')).digest('hex')
  const key = scope.reduce(
    (under: string | Buffer, part) => createHmac('sha256', under).update(part).digest(),
    `AWS4${secretAccessKey}`,
  )
  return createHmac('sha256', key)
    .update(['AWS4-HMAC-SHA256', at, scope.join('/'), digest].join('\n'))
    .digest('hex')
}
