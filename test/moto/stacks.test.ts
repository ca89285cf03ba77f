import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { DataMap } from '../../src/core/data.ts'
import { Refused } from '../../src/core/problem.ts'
import { machine } from '../../src/machine.ts'
import type { Provisioner, StackEvent, StackId, StackPreview, WantedStack } from '../../src/ports.ts'
import { isMotoInstalled, type Moto, startMoto } from './moto.ts'

/**
 * CloudFormation's wire format as others understand it: the real adapter against moto 5.2.1, with no switch for it in the
 * product. moto makes the resources of a stack truly, in accounts and regions of their own.
 *
 * What moto does not do, so that it is not proved here but against test/fakes/cloudformation:
 * - It answers only when all is done: nothing is ever under way, nothing is cancelled or rolled back. A stack whose resource
 *   cannot be made stays half made, and is then answered by an error page until somebody calls DeleteStack.
 * - The change list of an update names the resources whose text is another, and nothing of their properties. Where only a
 *   parameter changes it names none, and their resources stay as they were. There is no replacement and no drift.
 * - Events tell of the stack alone, and carry no token; so the end of an update is seen only after some quiet looks.
 * - Outputs, exports and tags stay as the creation left them when a change set changes them.
 * - A stack policy and termination protection are not held to; UpdateTerminationProtection, DescribeEvents, CancelUpdateStack,
 *   RollbackStack and ContinueUpdateRollback are answered by an error page.
 */

const region = 'eu-west-1'

describe.skipIf(!isMotoInstalled)('the adapter against moto (npm run setup:moto installs it)', () => {
  const folder = mkdtempSync(join(tmpdir(), 'protium-moto-'))
  let moto: Moto

  beforeAll(async () => {
    moto = await startMoto()
    vi.stubEnv('AWS_ENDPOINT_URL', moto.url)
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'test')
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test')
    vi.stubEnv('AWS_CONFIG_FILE', join(folder, 'config'))
    vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', join(folder, 'credentials'))
  }, 60_000)
  afterAll(async () => {
    vi.unstubAllEnvs()
    await moto.close()
    rmSync(folder, { recursive: true, force: true })
  })

  /** The provisioner as a command is handed it, in the account of a role. */
  async function inAccount(account: string, templateBucket?: string): Promise<Provisioner> {
    return machine({ pace: 0 }).provisioner({
      name: 'cloudformation',
      folder,
      fail: [],
      credentials: { is: 'role', role: `arn:aws:iam::${account}:role/deploy` },
      ...(templateBucket !== undefined && { templateBucket }),
    })
  }

  /** Deploys as a deployment does: look, preview, execute what was previewed. */
  async function deploy(
    provisioner: Provisioner,
    wanted: WantedStack,
  ): Promise<{ readonly preview: StackPreview; readonly events: readonly StackEvent[] }> {
    await provisioner.state(wanted.stack)
    const preview = await provisioner.preview(wanted, { for: 'deployment' })
    return { preview, events: await all(provisioner.execute(preview, wanted)) }
  }

  /** What a service of moto itself says, as that account. */
  async function ask(
    service: string,
    {
      account,
      where = region,
      ...words
    }: { readonly account: string; readonly where?: string } & Record<string, string>,
  ): Promise<string> {
    const credential = await keyOf(account)
    const answer = await fetch(`${moto.url}/`, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        authorization: `AWS4-HMAC-SHA256 Credential=${credential}/20260101/${where}/${service}/aws4_request, SignedHeaders=host, Signature=0`,
      },
      body: new URLSearchParams(words),
    })
    return answer.text()
  }

  async function keyOf(account: string): Promise<string> {
    const answer = await fetch(`${moto.url}/`, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        authorization: `AWS4-HMAC-SHA256 Credential=test/20260101/${region}/sts/aws4_request, SignedHeaders=host, Signature=0`,
      },
      body: new URLSearchParams({
        Action: 'AssumeRole',
        Version: '2011-06-15',
        RoleArn: `arn:aws:iam::${account}:role/deploy`,
        RoleSessionName: 'test',
      }),
    })
    return /<AccessKeyId>([^<]+)</.exec(await answer.text())?.[1] ?? ''
  }

  async function queues(account: string, where = region): Promise<readonly string[]> {
    const text = await ask('sqs', { account, where, Action: 'ListQueues', Version: '2012-11-05' })
    return [...text.matchAll(/<QueueUrl>([^<]+)<\/QueueUrl>/g)].map(([, url = '']) => url.split('/').at(-1) ?? '')
  }

  test('a stack is made, found to need nothing, changed and removed', async () => {
    const account = '111111111111'
    const provisioner = await inAccount(account)
    const wanted = small({ name: 'round', account, region })

    const made = await deploy(provisioner, wanted)
    const state = await provisioner.state(wanted.stack)
    const again = await (await inAccount(account)).preview(wanted)
    const changed = await deploy(provisioner, small(wanted.stack, { visibility: 45, topics: 1 }))
    const attributes = await ask('sqs', {
      account,
      Action: 'GetQueueAttributes',
      Version: '2012-11-05',
      QueueUrl: `${moto.url}/${account}/round-queue`,
      'AttributeName.1': 'All',
    })
    const removed = await all(provisioner.remove(wanted.stack))

    expect(made.preview.changes.map(({ action, logicalId }) => `${action} ${logicalId}`).toSorted()).toEqual([
      'create Queue',
      'create Topic',
    ])
    expect(made.events.at(-1)).toMatchObject({ kind: 'stack', status: 'CREATE_COMPLETE' })
    expect(state).toMatchObject({ is: 'settled', tags: wanted.tags, parameters: wanted.parameters })
    expect(again).toMatchObject({ changes: [], unchanged: true })
    expect(changed.preview.changes.map(({ action, logicalId }) => `${action} ${logicalId}`).toSorted()).toEqual([
      'create Topic0',
      'update Queue',
    ])
    expect(changed.events.at(-1)).toMatchObject({ kind: 'stack', status: 'UPDATE_COMPLETE' })
    expect(attributes).toContain('<Name>VisibilityTimeout</Name><Value>45</Value>')
    expect(removed.at(-1)).toMatchObject({ kind: 'stack', status: 'DELETE_COMPLETE' })
    expect(await provisioner.state(wanted.stack)).toEqual({ is: 'absent' })
    expect(await queues(account)).not.toContain('round-queue')
  })

  test('accounts are kept apart: each role works in its own', async () => {
    const accounts = ['222222222222', '333333333333']
    for (const account of accounts)
      await deploy(await inAccount(account), small({ name: `of-${account}`, account, region }))

    expect(await queues('222222222222')).toEqual(['of-222222222222-queue'])
    expect(await queues('333333333333')).toEqual(['of-333333333333-queue'])
    await expect(
      deploy(await inAccount('222222222222'), small({ name: 'astray', account: '333333333333', region })),
    ).rejects.toMatchObject({ code: 'wrong-account' })
  })

  test('regions are kept apart, with one name in both', async () => {
    const account = '444444444444'
    const provisioner = await inAccount(account)
    for (const [where, retention] of [
      ['eu-west-1', '60'],
      ['ap-northeast-2', '120'],
    ] as const) {
      await deploy(provisioner, small({ name: 'twin', account, region: where }, { retention }))
    }

    expect(await provisioner.state({ name: 'twin', account, region: 'eu-west-1' })).toMatchObject({
      parameters: { retention: '60' },
    })
    expect(await provisioner.state({ name: 'twin', account, region: 'ap-northeast-2' })).toMatchObject({
      parameters: { retention: '120' },
    })
    expect(await provisioner.state({ name: 'twin', account, region: 'us-east-1' })).toEqual({ is: 'absent' })
  })

  test('what a stack gives out is read, and another description by hand is no change', async () => {
    const account = '555555555555'
    const provisioner = await inAccount(account)
    const wanted = small({ name: 'gives', account, region })
    await deploy(provisioner, wanted)
    const state = await provisioner.state(wanted.stack)
    await ask('cloudformation', {
      account,
      Action: 'UpdateStack',
      Version: '2010-05-15',
      StackName: 'gives',
      TemplateBody: JSON.stringify({ ...plainBody, Description: 'By hand' }),
      'Parameters.member.1.ParameterKey': 'name',
      'Parameters.member.1.ParameterValue': 'gives',
      'Parameters.member.2.ParameterKey': 'retention',
      'Parameters.member.2.ParameterValue': '60',
    })

    const { changes } = await provisioner.preview(wanted)

    expect(state).toMatchObject({ is: 'settled', outputs: { QueueUrl: expect.stringContaining('gives-queue') } })
    // The description alone is no change.
    expect(changes).toEqual([])
  })

  test('a template over 51,200 bytes goes by a bucket', async () => {
    const account = '666666666666'
    await fetch(`${moto.url}/templates-${account}`, {
      method: 'PUT',
      headers: {
        authorization: `AWS4-HMAC-SHA256 Credential=${await keyOf(account)}/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0`,
      },
      body: `<CreateBucketConfiguration><LocationConstraint>${region}</LocationConstraint></CreateBucketConfiguration>`,
    })
    const provisioner = await inAccount(account, `templates-${account}`)
    const wanted = small({ name: 'large', account, region }, { topics: 60 })

    const { events } = await deploy(provisioner, wanted)
    const { changes } = await provisioner.preview(wanted)

    expect(events.at(-1)).toMatchObject({ kind: 'stack', status: 'CREATE_COMPLETE' })
    expect(changes).toEqual([])
    await expect(
      deploy(await inAccount(account), small({ ...wanted.stack, name: 'no-bucket' }, { topics: 60 })),
    ).rejects.toThrow(Refused)
  })

  test('what a service says of a resource that it will not make comes to who deploys', async () => {
    const account = '777777777777'
    const provisioner = await inAccount(account)
    await deploy(provisioner, small({ name: 'first', account, region }))
    // The name of a queue is taken, with other attributes.
    const wanted = small({ name: 'second', account, region }, { queue: 'first', retention: '90' })

    const failed = await deploy(provisioner, wanted).then(
      ({ events }) => JSON.stringify(events),
      (error: unknown) => (error instanceof Refused ? error.message : `not refused: ${String(error)}`),
    )
    // moto itself knows no other way on from here.
    await ask('cloudformation', { account, Action: 'DeleteStack', Version: '2010-05-15', StackName: 'second' })
    const { events } = await deploy(provisioner, small(wanted.stack))

    expect(failed).toBe('second: CreateStack was answered: The specified queue already exists.')
    expect(events.at(-1)).toMatchObject({ kind: 'stack', status: 'CREATE_COMPLETE' })
  })
})

const resources = {
  Queue: {
    Type: 'AWS::SQS::Queue',
    Properties: { QueueName: { 'Fn::Sub': '${name}-queue' }, MessageRetentionPeriod: { Ref: 'retention' } },
  },
  Topic: { Type: 'AWS::SNS::Topic', Properties: { DisplayName: { Ref: 'name' } } },
} satisfies DataMap

const plainBody: DataMap = {
  AWSTemplateFormatVersion: '2010-09-09',
  Parameters: { name: { Type: 'String' }, retention: { Type: 'String' } },
  Resources: resources,
  Outputs: { QueueUrl: { Value: { Ref: 'Queue' } } },
}

/** A queue and a topic; each further topic makes the template a thousand bytes larger. */
function small(
  stack: StackId,
  {
    queue = stack.name,
    retention = '60',
    visibility = 30,
    topics = 0,
  }: {
    readonly queue?: string
    readonly retention?: string
    readonly visibility?: number
    readonly topics?: number
  } = {},
): WantedStack {
  const more = Object.fromEntries(
    Array.from({ length: topics }, (_, index) => [
      `Topic${index}`,
      { Type: 'AWS::SNS::Topic', Properties: { DisplayName: `${index}`.padStart(920, '-') } },
    ]),
  )
  const { Queue, ...others } = resources
  const Properties = { ...Queue.Properties, VisibilityTimeout: visibility }
  return {
    stack,
    body: { ...plainBody, Resources: { Queue: { ...Queue, Properties }, ...others, ...more } },
    parameters: { name: queue, retention },
    tags: { 'protium:unit': `test/${stack.name}` },
  }
}

async function all(events: AsyncIterable<StackEvent>): Promise<readonly StackEvent[]> {
  return Array.fromAsync(events)
}
