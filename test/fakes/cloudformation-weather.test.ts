import {
  CloudFormationClient,
  CreateStackCommand,
  DescribeStackEventsCommand,
  DescribeStacksCommand,
  ListStacksCommand,
} from '@aws-sdk/client-cloudformation'
import { GetObjectCommand, HeadObjectCommand, ListBucketsCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import { fromTemporaryCredentials, fromWebToken } from '@aws-sdk/credential-providers'
import { describe, expect, test } from 'vitest'
import { clientOf, refused, s3Of } from './cloudformation/client.ts'
import { type Fault, realClock, simulatedClock, startCloudFormation } from './cloudformation/server.ts'

const template = JSON.stringify({ Resources: { Jobs: { Type: 'AWS::SQS::Queue' } } })
const create = (name = 'jobs'): CreateStackCommand =>
  new CreateStackCommand({ StackName: name, TemplateBody: template, ClientRequestToken: `create-${name}` })

describe('faults on command', () => {
  test.each([
    ['throttle', { name: 'Throttling', message: 'Rate exceeded', status: 400 }],
    ['error', { name: 'InternalFailure', status: 500 }],
    ['unavailable', { name: 'ServiceUnavailable', status: 503 }],
    ['expired', { name: 'ExpiredToken', status: 403 }],
    ['bad-credentials', { name: 'InvalidClientTokenId', status: 403 }],
    ['denied', { name: 'AccessDenied', status: 403 }],
    ['html', { status: 500 }],
    ['reset', { name: 'TimeoutError', status: undefined }],
    [
      { code: 'ValidationError', message: 'Role x is invalid or cannot be assumed' },
      { message: 'Role x is invalid or cannot be assumed' },
    ],
  ] satisfies readonly (readonly [Fault['kind'], object])[])(
    '%j: nothing is done, and the next request is answered',
    async (kind, expected) => {
      await using fake = await startCloudFormation()
      const client = clientOf(fake)
      fake.fault({ match: 'CreateStack', kind })

      const answer = await refused(client.send(create()))
      const left = fake.stack('jobs')
      await client.send(create())

      expect(answer).toMatchObject(expected)
      expect(left).toBeUndefined()
      expect(fake.faults()).toEqual([])
    },
  )

  test.each(['error-after', 'reset-after'] as const)('%s: all is done, and only the answer is lost', async (kind) => {
    await using fake = await startCloudFormation()
    const client = clientOf(fake)
    fake.fault({ match: 'CreateStack', kind })

    await refused(client.send(create()))
    const { StackId } = await client.send(create())

    expect(fake.stacks().map(({ id }) => id)).toEqual([StackId])
  })

  test('what is denied is named', async () => {
    await using fake = await startCloudFormation()
    fake.fault({ match: 'ListStacks', kind: 'denied', times: 2 })

    const { message } = await refused(clientOf(fake).send(new ListStacksCommand({})))

    expect(message).toMatch(/is not authorized to perform: cloudformation:ListStacks on resource: \*/)
  })

  test('the second, three in a row, every tenth, or for a minute', async () => {
    const clock = simulatedClock()
    await using fake = await startCloudFormation({ clock })
    const client = clientOf(fake)
    const ask = async (times: number): Promise<string> => {
      let seen = ''
      for (let index = 0; index < times; index += 1)
        seen += await client.send(new ListStacksCommand({})).then(
          () => '.',
          () => 'x',
        )
      return seen
    }

    fake.fault({ nth: 2, kind: 'error' })
    const second = await ask(4)
    fake.fault({ nth: 2, times: 3, kind: 'error' })
    const row = await ask(6)
    fake.fault({ every: 5, kind: 'reset-after' })
    const every = await ask(11)
    fake.clearFaults()
    fake.fault({ seconds: 60, kind: 'throttle' })
    const during = await ask(2)
    await clock.advance(60_000)
    const after = await ask(2)

    expect([second, row, every, during, after]).toEqual(['.x..', '.xxx..', '....x....x.', 'xx', '..'])
  })

  test('something can be called at the moment of a request, and one can be held', async () => {
    await using fake = await startCloudFormation()
    const client = clientOf(fake)
    const order: string[] = []
    let release: (value: unknown) => void = () => undefined
    fake.fault({ match: 'CreateStack', kind: { before: () => void order.push(`before ${fake.stacks().length}`) } })
    fake.fault({ match: 'CreateStack', kind: { after: () => void order.push(`after ${fake.stacks().length}`) } })
    fake.fault({ match: 'ListStacks', kind: { hold: new Promise((resolve) => (release = resolve)) } })

    await client.send(create())
    const held = client.send(new ListStacksCommand({})).then(() => order.push('held'))
    await client.send(new DescribeStacksCommand({}))
    order.push('described')
    release(undefined)
    await held

    expect(order).toEqual(['before 0', 'after 1', 'described', 'held'])
  })

  test("the client's own retries get over what passes", async () => {
    await using fake = await startCloudFormation()
    fake.fault({ match: 'ListStacks', kind: 'throttle' })

    await clientOf(fake, { maxAttempts: 3 }).send(new ListStacksCommand({}))

    expect(fake.requests().map(({ action, code }) => [action, code])).toEqual([
      ['ListStacks', 'Throttling'],
      ['ListStacks', undefined],
    ])
  })
})

describe('time', () => {
  test('a simulated clock that goes by itself moves to the first who is to wake, and no further', async () => {
    const clock = simulatedClock({ auto: true, start: '2026-01-01T00:00:00Z' })
    await using fake = await startCloudFormation({ clock, durations: { Jobs: 45 } })
    const client = clientOf(fake)
    const started = Date.now()
    await client.send(create())
    const follow = async (pause: number): Promise<number> => {
      for (;;) {
        const { Stacks } = await client.send(new DescribeStacksCommand({ StackName: 'jobs' }))
        if (Stacks?.[0]?.StackStatus === 'CREATE_COMPLETE') return clock.now().getTime()
        await clock.sleep(pause)
      }
    }

    const ends = await Promise.all([follow(2000), follow(7000)])

    expect(ends.map((end) => (end - Date.parse('2026-01-01T00:00:00Z')) / 1000)).toEqual([46, 49])
    expect(Date.now() - started).toBeLessThan(20_000)
  })

  test('a sleep can be cut short', async () => {
    const clock = simulatedClock()
    const stop = new AbortController()
    const sleeping = clock.sleep(1000, stop.signal)

    stop.abort()

    await expect(sleeping).rejects.toThrow('The sleep was cut short')
    await expect(clock.sleep(1, stop.signal)).rejects.toThrow('The sleep was cut short')
  })

  test('requests may take time', async () => {
    const clock = simulatedClock({ perRequest: 250, start: '2026-01-01T00:00:00Z' })
    await using fake = await startCloudFormation({ clock })

    for (let index = 0; index < 4; index += 1) await clientOf(fake).send(new ListStacksCommand({}))

    expect(clock.now().toISOString()).toBe('2026-01-01T00:00:01.000Z')
  })

  test("the machine's clock can be made to go faster", async () => {
    const clock = realClock({ pace: 1000 })
    await using fake = await startCloudFormation({ clock })
    const client = clientOf(fake)
    await client.send(create())

    await clock.sleep(6000)
    const { Stacks } = await client.send(new DescribeStacksCommand({ StackName: 'jobs' }))

    expect(Stacks?.[0]?.StackStatus).toBe('CREATE_COMPLETE')
  })

  test('it does not matter whether anybody looks while an operation goes on', async () => {
    const watched = simulatedClock()
    const alone = simulatedClock()
    await using first = await startCloudFormation({ clock: watched })
    await using second = await startCloudFormation({ clock: alone })
    await clientOf(first).send(create())
    await clientOf(second).send(create())

    for (let second = 0; second < 10; second += 1) {
      await watched.advance(1000)
      await clientOf(first).send(new DescribeStacksCommand({ StackName: 'jobs' }))
    }
    await alone.advance(10_000)
    const events = await Promise.all(
      [first, second].map((fake) => clientOf(fake).send(new DescribeStackEventsCommand({ StackName: 'jobs' }))),
    )

    expect(events[0]?.StackEvents?.map(({ Timestamp, ResourceStatus }) => [Timestamp, ResourceStatus])).toEqual(
      events[1]?.StackEvents?.map(({ Timestamp, ResourceStatus }) => [Timestamp, ResourceStatus]),
    )
    expect(events[0]?.StackEvents).toHaveLength(5)
  })
})

describe('who asks', () => {
  const assumed = (fake: { readonly url: string }, account: string): CloudFormationClient =>
    new CloudFormationClient({
      endpoint: fake.url,
      region: 'eu-central-1',
      maxAttempts: 1,
      credentials: fromTemporaryCredentials({
        params: { RoleArn: `arn:aws:iam::${account}:role/deployer`, RoleSessionName: 'run' },
        clientConfig: { endpoint: fake.url, region: 'eu-central-1' },
        masterCredentials: { accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'secret' },
      }),
    })

  test('a role belongs to its account; accounts and regions have nothing in common', async () => {
    await using fake = await startCloudFormation()
    await assumed(fake, '111111111111').send(create())
    await assumed(fake, '222222222222').send(create())
    await clientOf(fake, { region: 'us-east-1' }).send(create())

    const { Stacks } = await assumed(fake, '111111111111').send(new DescribeStacksCommand({}))

    expect(Stacks?.map(({ StackId }) => StackId)).toEqual([
      expect.stringMatching(/^arn:aws:cloudformation:eu-central-1:111111111111:stack\/jobs\//),
    ])
    expect(fake.stacks().map(({ id }) => id.split(':').slice(3, 5).join(' '))).toEqual([
      'eu-central-1 111111111111',
      'eu-central-1 222222222222',
      'us-east-1 123456789012',
    ])
    expect(fake.stack('jobs', { account: '222222222222' })?.id).toContain('222222222222')
    expect(
      fake
        .requests()
        .filter(({ action }) => action === 'CreateStack')
        .map(({ who }) => who),
    ).toEqual([
      'arn:aws:sts::111111111111:assumed-role/deployer/run',
      'arn:aws:sts::222222222222:assumed-role/deployer/run',
      'arn:aws:iam::123456789012:user/deployer',
    ])
  })

  test('a token of an identity provider does for a role', async () => {
    await using fake = await startCloudFormation()
    const credentials = fromWebToken({
      roleArn: 'arn:aws:iam::333333333333:role/path/deployer',
      roleSessionName: 'run',
      webIdentityToken: 'token-of-somebody',
      clientConfig: { endpoint: fake.url, region: 'eu-central-1' },
    })

    await new CloudFormationClient({ endpoint: fake.url, region: 'eu-central-1', credentials }).send(create())

    expect(fake.stack('jobs')?.id).toContain(':333333333333:')
  })

  test('access keys belong to the accounts that the options name', async () => {
    await using fake = await startCloudFormation({ accessKeys: { AKIAPROD: '444444444444' }, account: '555555555555' })

    await clientOf(fake, { accessKeyId: 'AKIAPROD' }).send(create('a'))
    await clientOf(fake, { accessKeyId: 'AKIAOTHER' }).send(create('b'))

    expect(fake.stacks().map(({ id }) => id.split(':')[4])).toEqual(['444444444444', '555555555555'])
  })

  test('credentials end by the clock of the server, or when a test says so', async () => {
    const clock = simulatedClock()
    await using fake = await startCloudFormation({ clock })
    const client = assumed(fake, '111111111111')
    await client.send(create())

    fake.expireCredentials()
    const ended = await refused(client.send(new ListStacksCommand({})))
    const next = assumed(fake, '111111111111')
    await next.send(new ListStacksCommand({}))
    await clock.advance(3_600_001)
    const late = await refused(next.send(new ListStacksCommand({})))

    expect(ended).toMatchObject({ name: 'ExpiredToken', status: 403 })
    expect(late).toMatchObject({ name: 'ExpiredToken', status: 403 })
  })
})

describe('templates in S3', () => {
  test('are put, looked for and read by the real client', async () => {
    await using fake = await startCloudFormation({ buckets: { templates: '123456789012' } })
    const s3 = s3Of(fake)
    const key = 'templates/ü 1.json'

    const before = await refused(s3.send(new HeadObjectCommand({ Bucket: 'templates', Key: key })))
    await s3.send(
      new PutObjectCommand({ Bucket: 'templates', Key: key, Body: template, ContentType: 'application/json' }),
    )
    const head = await s3.send(new HeadObjectCommand({ Bucket: 'templates', Key: key }))
    const read = await s3.send(new GetObjectCommand({ Bucket: 'templates', Key: key }))
    const missing = await refused(s3.send(new GetObjectCommand({ Bucket: 'templates', Key: 'none' })))
    const nowhere = await refused(s3.send(new PutObjectCommand({ Bucket: 'nowhere', Key: 'x', Body: 'x' })))
    const foreign = await refused(
      s3Of(fake, { accessKeyId: 'AKIAOTHER' })
        .send(new ListBucketsCommand({}))
        .then(({ Buckets }) => {
          throw new Error(JSON.stringify(Buckets?.map(({ Name }) => Name)))
        }),
    )

    expect(before).toMatchObject({ name: 'NotFound', status: 404 })
    expect(head).toMatchObject({ ContentLength: template.length, ContentType: 'application/json' })
    expect(await read.Body?.transformToString()).toBe(template)
    expect(missing.name).toBe('NoSuchKey')
    expect(nowhere.name).toBe('NoSuchBucket')
    expect(foreign.message).toBe('["templates"]')
    expect(fake.object('templates', key)).toBe(template)
    expect(fake.requests().map(({ action }) => action)).toEqual([
      'HeadObject',
      'PutObject',
      'HeadObject',
      'GetObject',
      'GetObject',
      'PutObject',
      'ListBuckets',
    ])
  })

  test('one in chunks is put together', async () => {
    await using fake = await startCloudFormation({ buckets: { templates: '123456789012' } })
    const chunks = [template.slice(0, 10), template.slice(10)]
    const body = `${chunks.map((chunk) => `${chunk.length.toString(16)};chunk-signature=0\r\n${chunk}\r\n`).join('')}0;\r\n\r\n`

    const { status } = await fetch(`${fake.url}/templates/stream`, {
      method: 'PUT',
      body,
      headers: {
        authorization: 'AWS4-HMAC-SHA256 Credential=AKIA/20260101/eu-central-1/s3/aws4_request',
        'content-encoding': 'aws-chunked',
        'x-amz-decoded-content-length': String(template.length),
      },
    })

    expect(status).toBe(200)
    expect(fake.object('templates', 'stream')).toBe(template)
  })

  test('a bucket of another account is closed', async () => {
    await using fake = await startCloudFormation({ buckets: { theirs: '999999999999' } })

    const answer = await refused(s3Of(fake).send(new PutObjectCommand({ Bucket: 'theirs', Key: 'x', Body: 'x' })))

    expect(answer).toMatchObject({ name: 'AccessDenied', status: 403 })
  })

  test('a bucket is not opened for who takes it to be somebody else’s', async () => {
    await using fake = await startCloudFormation({ buckets: { mine: '123456789012' } })
    const put = (ExpectedBucketOwner: string): Promise<unknown> =>
      s3Of(fake).send(new PutObjectCommand({ Bucket: 'mine', Key: 'x', Body: 'x', ExpectedBucketOwner }))

    expect(await refused(put('999999999999'))).toMatchObject({ name: 'AccessDenied', status: 403 })
    await put('123456789012')
    expect(fake.object('mine', 'x')).toBe('x')
  })

  test('faults are for S3 too', async () => {
    await using fake = await startCloudFormation({ buckets: { templates: '123456789012' } })
    fake.fault({ match: 'PutObject', kind: 'reset-after' })

    await refused(s3Of(fake).send(new PutObjectCommand({ Bucket: 'templates', Key: 'x', Body: 'x' })))

    expect(fake.object('templates', 'x')).toBe('x')
  })
})
