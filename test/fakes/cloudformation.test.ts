import {
  CancelUpdateStackCommand,
  ContinueUpdateRollbackCommand,
  CreateStackCommand,
  DeleteStackCommand,
  DescribeStackEventsCommand,
  DescribeStackResourcesCommand,
  DescribeStacksCommand,
  GetTemplateCommand,
  RollbackStackCommand,
  SetStackPolicyCommand,
  type Stack,
  UpdateStackCommand,
} from '@aws-sdk/client-cloudformation'
import { describe, expect, test } from 'vitest'
import { clientOf, told } from './cloudformation/client.ts'
import { type FakeCloudFormation, simulatedClock, startCloudFormation } from './cloudformation/server.ts'

type Properties = Readonly<Record<string, unknown>>

function body(resources: Readonly<Record<string, Properties>>, more: Properties = {}): string {
  return JSON.stringify({ ...more, Resources: resources })
}

const queue = (properties: Properties = {}, more: Properties = {}): Properties => ({
  Type: 'AWS::SQS::Queue',
  Properties: properties,
  ...more,
})

const topic = (properties: Properties = {}, more: Properties = {}): Properties => ({
  Type: 'AWS::SNS::Topic',
  Properties: properties,
  ...more,
})

/** A running fake with what the tests do again and again. */
async function start(): Promise<{
  readonly fake: FakeCloudFormation
  readonly client: ReturnType<typeof clientOf>
  readonly create: (template: string, more?: Partial<CreateStackCommand['input']>) => Promise<void>
  readonly update: (template: string, more?: Partial<UpdateStackCommand['input']>) => Promise<void>
  readonly events: () => Promise<readonly string[]>
  readonly look: () => Promise<Stack | undefined>
  readonly [Symbol.asyncDispose]: () => Promise<void>
}> {
  const fake = await startCloudFormation({ clock: simulatedClock() })
  const client = clientOf(fake)
  let seen = 0
  return {
    fake,
    client,
    create: async (template, more) => {
      await client.send(new CreateStackCommand({ StackName: 'jobs', TemplateBody: template, ...more }))
      await fake.settle()
    },
    update: async (template, more) => {
      await client.send(new UpdateStackCommand({ StackName: 'jobs', TemplateBody: template, ...more }))
      await fake.settle()
    },
    /** Those that are new since they were last asked for. */
    events: async () => {
      const id = fake.stack('jobs')?.id
      const { StackEvents } = await client.send(new DescribeStackEventsCommand({ StackName: id }))
      const all = told(StackEvents)
      const fresh = all.slice(seen)
      seen = all.length
      return fresh
    },
    look: async () => (await client.send(new DescribeStacksCommand({ StackName: fake.stack('jobs')?.id }))).Stacks?.[0],
    [Symbol.asyncDispose]: () => fake.close(),
  }
}

describe('a stack is created', () => {
  test('in the order of what its resources need, with the events in the order of AWS', async () => {
    await using it = await start()

    await it.create(
      body(
        { News: topic({ DisplayName: { 'Fn::GetAtt': ['Jobs', 'QueueName'] } }), Jobs: queue() },
        { Outputs: { Url: { Value: { Ref: 'Jobs' }, Description: 'where jobs go', Export: { Name: 'jobs-url' } } } },
      ),
    )

    expect(await it.events()).toEqual([
      'jobs CREATE_IN_PROGRESS User Initiated',
      'Jobs CREATE_IN_PROGRESS',
      'Jobs CREATE_IN_PROGRESS Resource creation Initiated',
      'Jobs CREATE_COMPLETE',
      'News CREATE_IN_PROGRESS',
      'News CREATE_IN_PROGRESS Resource creation Initiated',
      'News CREATE_COMPLETE',
      'jobs CREATE_COMPLETE',
    ])
    const stack = await it.look()
    expect(stack?.Outputs).toEqual([
      {
        OutputKey: 'Url',
        OutputValue: expect.stringMatching(/^https:\/\/sqs\.eu-central-1\.amazonaws\.com\/123456789012\/jobs-Jobs-/),
        Description: 'where jobs go',
        ExportName: 'jobs-url',
      },
    ])
    expect(stack?.StackId).toMatch(/^arn:aws:cloudformation:eu-central-1:123456789012:stack\/jobs\/[0-9a-f-]{36}$/)
  })

  test('all events of an operation carry its token and its id, which the call has given', async () => {
    await using it = await start()

    const { OperationId } = await it.client.send(
      new CreateStackCommand({ StackName: 'jobs', TemplateBody: body({ Jobs: queue() }), ClientRequestToken: 'run-1' }),
    )
    await it.fake.settle()
    const { StackEvents = [] } = await it.client.send(new DescribeStackEventsCommand({ StackName: 'jobs' }))

    expect(new Set(StackEvents.map((event) => event.ClientRequestToken))).toEqual(new Set(['run-1']))
    expect(new Set(StackEvents.map((event) => event.OperationId))).toEqual(new Set([OperationId]))
    expect((await it.look())?.LastOperations).toEqual([{ OperationType: 'CREATE_STACK', OperationId }])
  })

  test('a failure cancels what goes on beside it, and takes all of it back', async () => {
    await using it = await start()
    it.fake.fail({ logicalId: 'Jobs', on: 'create', reason: 'The queue is on fire.' })

    await it.create(
      body({
        Jobs: queue(),
        News: topic(),
        Kept: queue({}, { DeletionPolicy: 'Retain' }),
        Quick: { Type: 'AWS::SSM::Parameter', Properties: { Type: 'String', Value: 'x' } },
      }),
      { ClientRequestToken: 'run-1' },
    )
    const stack = await it.look()

    expect(stack?.StackStatus).toBe('ROLLBACK_COMPLETE')
    expect(stack?.LastOperations?.map(({ OperationType }) => OperationType)).toEqual(['ROLLBACK', 'CREATE_STACK'])
    const events = await it.events()
    expect(events).toContain('Jobs CREATE_FAILED The queue is on fire.')
    expect(events).toContain('News CREATE_FAILED Resource creation cancelled')
    expect(events).toContain('Kept DELETE_SKIPPED')
    expect(events).toContain('Jobs DELETE_COMPLETE')
    expect(events.find((event) => event.startsWith('jobs ROLLBACK_IN_PROGRESS'))).toMatch(
      /^jobs ROLLBACK_IN_PROGRESS The following resource\(s\) failed to create: \[Jobs, .+\]\. Rollback requested by user\.$/,
    )
  })

  test.each([
    ['what a creation kept is deleted with it, where the request says so', true, 'Kept DELETE_COMPLETE'],
    ['what is to be kept stays otherwise', false, 'Kept DELETE_SKIPPED'],
  ])('%s', async (_name, RetainExceptOnCreate, expected) => {
    await using it = await start()
    it.fake.fail({ logicalId: 'Jobs', on: 'create', reason: 'no' })

    await it.create(body({ Kept: topic({}, { DeletionPolicy: 'Retain' }), Jobs: queue({}, { DependsOn: 'Kept' }) }), {
      RetainExceptOnCreate,
    })

    expect(await it.events()).toContain(expected)
  })

  test.each([
    ['DO_NOTHING', 'CREATE_FAILED'],
    ['ROLLBACK', 'ROLLBACK_COMPLETE'],
    ['DELETE', 'DELETE_COMPLETE'],
  ] as const)('a failed one ends as OnFailure %s says', async (OnFailure, expected) => {
    await using it = await start()
    it.fake.fail({ logicalId: 'Jobs', on: 'create', reason: 'no' })

    await it.create(body({ Jobs: queue() }), { OnFailure })

    expect((await it.look())?.StackStatus).toBe(expected)
  })

  test('a rollback that cannot delete ends as ROLLBACK_FAILED; deleting goes on from there', async () => {
    await using it = await start()
    it.fake.fail({ logicalId: 'Jobs', on: 'create', reason: 'no' })
    it.fake.fail({ logicalId: 'News', on: 'delete', reason: 'it is needed', times: 1 })

    await it.create(body({ News: topic(), Jobs: queue({}, { DependsOn: 'News' }) }))
    expect((await it.look())?.StackStatus).toBe('ROLLBACK_FAILED')

    await it.client.send(new DeleteStackCommand({ StackName: 'jobs' }))
    await it.fake.settle()
    expect((await it.look())?.StackStatus).toBe('DELETE_COMPLETE')
  })

  test('one that was left as it failed is taken back by RollbackStack, or goes on by an update', async () => {
    await using it = await start()
    it.fake.fail({ logicalId: 'Jobs', on: 'create', reason: 'no', times: 1 })
    const template = body({ News: topic(), Jobs: queue({}, { DependsOn: 'News' }) })
    await it.create(template, { DisableRollback: true })
    expect((await it.look())?.StackStatus).toBe('CREATE_FAILED')

    await it.update(template, { DisableRollback: true })
    expect((await it.look())?.StackStatus).toBe('UPDATE_COMPLETE')
    expect(it.fake.stack('jobs')?.resources.get('Jobs')?.status).toBe('CREATE_COMPLETE')

    it.fake.fail({ logicalId: 'Jobs', stack: 'other', on: 'create', reason: 'no', times: 1 })
    await it.client.send(new CreateStackCommand({ StackName: 'other', TemplateBody: template, DisableRollback: true }))
    await it.fake.settle()
    await it.client.send(new RollbackStackCommand({ StackName: 'other', ClientRequestToken: 'back' }))
    await it.fake.settle()
    expect(it.fake.stack('other')?.status).toBe('ROLLBACK_COMPLETE')
  })

  test('one that takes longer than it may is taken back', async () => {
    await using fake = await startCloudFormation({ clock: simulatedClock(), durations: { Jobs: 600 } })

    await clientOf(fake).send(
      new CreateStackCommand({ StackName: 'jobs', TemplateBody: body({ Jobs: queue() }), TimeoutInMinutes: 2 }),
    )
    await fake.settle()

    expect(fake.stack('jobs')?.status).toBe('ROLLBACK_COMPLETE')
  })

  test('a resource that takes long tells when it is configured', async () => {
    await using fake = await startCloudFormation({ clock: simulatedClock(), durations: { 'AWS::SQS::Queue': 60 } })
    const client = clientOf(fake)
    await client.send(new CreateStackCommand({ StackName: 'jobs', TemplateBody: body({ Jobs: queue() }) }))
    await fake.settle()

    const { StackEvents = [] } = await client.send(new DescribeStackEventsCommand({ StackName: 'jobs' }))

    expect(StackEvents.map((event) => [event.ResourceStatusReason, event.DetailedStatus])).toContainEqual([
      'Eventual consistency check initiated',
      'CONFIGURATION_COMPLETE',
    ])
  })
})

describe('a stack is updated', () => {
  test('what is removed or replaced goes when everything else is there', async () => {
    await using it = await start()
    await it.create(body({ Jobs: queue({ QueueName: 'a' }), Old: topic(), News: topic({ DisplayName: 'x' }) }))
    await it.events()

    await it.update(body({ Jobs: queue({ QueueName: 'b' }), News: topic({ DisplayName: 'y' }), Fresh: topic() }))

    const events = await it.events()
    expect(events.filter((event) => event.startsWith('jobs '))).toEqual([
      'jobs UPDATE_IN_PROGRESS User Initiated',
      'jobs UPDATE_COMPLETE_CLEANUP_IN_PROGRESS',
      'jobs UPDATE_COMPLETE',
    ])
    expect(events.filter((event) => event.startsWith('Jobs '))).toEqual([
      'Jobs UPDATE_IN_PROGRESS Requested update requires the creation of a new physical resource; hence creating one.',
      'Jobs UPDATE_IN_PROGRESS Resource creation Initiated',
      'Jobs UPDATE_COMPLETE',
      'Jobs DELETE_IN_PROGRESS',
      'Jobs DELETE_COMPLETE',
    ])
    expect(events.indexOf('Old DELETE_IN_PROGRESS')).toBeGreaterThan(
      events.indexOf('jobs UPDATE_COMPLETE_CLEANUP_IN_PROGRESS'),
    )
    const { StackResources = [] } = await it.client.send(new DescribeStackResourcesCommand({ StackName: 'jobs' }))
    expect(new Set(StackResources.map(({ LogicalResourceId }) => LogicalResourceId))).toEqual(
      new Set(['Fresh', 'Jobs', 'News']),
    )
    expect(StackResources.find(({ LogicalResourceId }) => LogicalResourceId === 'Jobs')?.PhysicalResourceId).toMatch(
      /b$/,
    )
  })

  test('a failure takes back what was changed, made anew, and made', async () => {
    await using it = await start()
    const before = body({
      Jobs: queue({ QueueName: 'a' }),
      News: topic({ DisplayName: 'x' }),
      Last: topic({ DisplayName: 'x' }),
    })
    await it.create(before)
    const url = it.fake.stack('jobs')?.resources.get('Jobs')?.physicalId
    await it.events()
    it.fake.fail({ logicalId: 'Last', on: 'update', reason: 'no more' })

    await it.update(
      body({
        Jobs: queue({ QueueName: 'b' }),
        News: topic({ DisplayName: 'y' }),
        Fresh: topic(),
        Last: topic({ DisplayName: 'y' }, { DependsOn: ['Jobs', 'News', 'Fresh'] }),
      }),
    )

    const events = await it.events()
    expect(events.filter((event) => event.startsWith('jobs '))).toEqual([
      'jobs UPDATE_IN_PROGRESS User Initiated',
      'jobs UPDATE_ROLLBACK_IN_PROGRESS The following resource(s) failed to update: [Last]. ',
      'jobs UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS',
      'jobs UPDATE_ROLLBACK_COMPLETE',
    ])
    const resources = it.fake.stack('jobs')?.resources
    expect([...(resources?.keys() ?? [])].toSorted()).toEqual(['Jobs', 'Last', 'News'])
    expect(resources?.get('Jobs')?.physicalId).toBe(url)
    expect(resources?.get('News')?.properties).toEqual({ DisplayName: 'x' })
    expect(events).toContain('Fresh DELETE_COMPLETE')
    const { TemplateBody } = await it.client.send(new GetTemplateCommand({ StackName: 'jobs' }))
    expect(TemplateBody).toBe(before)
  })

  test('one that was left as it failed keeps what it has, and is taken back or goes on', async () => {
    await using it = await start()
    await it.create(body({ Jobs: queue({ DelaySeconds: 1 }), News: topic({ DisplayName: 'x' }) }))
    const after = body({
      News: topic({ DisplayName: 'y' }),
      Jobs: queue({ DelaySeconds: 2 }, { DependsOn: 'News' }),
    })
    it.fake.fail({ logicalId: 'Jobs', on: 'update', reason: 'no', times: 2 })
    await it.update(after, { DisableRollback: true })
    expect((await it.look())?.StackStatus).toBe('UPDATE_FAILED')
    expect(it.fake.stack('jobs')?.resources.get('News')?.properties).toEqual({ DisplayName: 'y' })

    await it.client.send(new RollbackStackCommand({ StackName: 'jobs' }))
    await it.fake.settle()
    expect((await it.look())?.StackStatus).toBe('UPDATE_ROLLBACK_COMPLETE')
    expect(it.fake.stack('jobs')?.resources.get('News')?.properties).toEqual({ DisplayName: 'x' })

    await it.update(after, { DisableRollback: true })
    await it.update(after, { DisableRollback: true })
    expect((await it.look())?.StackStatus).toBe('UPDATE_COMPLETE')
    expect(it.fake.stack('jobs')?.resources.get('Jobs')?.properties).toEqual({ DelaySeconds: 2 })
  })

  test('a rollback that fails waits for somebody to continue it, with or without what fails', async () => {
    await using it = await start()
    await it.create(body({ Jobs: queue({ DelaySeconds: 1 }), News: topic({ DisplayName: 'x' }) }))
    it.fake.fail({ logicalId: 'News', on: 'update', reason: 'no' })
    it.fake.fail({ logicalId: 'Jobs', on: 'rollback', reason: 'stuck', times: 2 })
    const after = body({ Jobs: queue({ DelaySeconds: 2 }), News: topic({ DisplayName: 'y' }, { DependsOn: 'Jobs' }) })

    await it.update(after)
    expect(await it.look()).toMatchObject({
      StackStatus: 'UPDATE_ROLLBACK_FAILED',
      StackStatusReason: 'The following resource(s) failed to update: [Jobs]. ',
    })
    await it.client.send(new ContinueUpdateRollbackCommand({ StackName: 'jobs' }))
    await it.fake.settle()
    expect((await it.look())?.StackStatus).toBe('UPDATE_ROLLBACK_FAILED')

    await it.client.send(new ContinueUpdateRollbackCommand({ StackName: 'jobs', ResourcesToSkip: ['Jobs'] }))
    await it.fake.settle()
    const stack = await it.look()
    expect(stack?.StackStatus).toBe('UPDATE_ROLLBACK_COMPLETE')
    expect(stack?.LastOperations?.[0]?.OperationType).toBe('CONTINUE_ROLLBACK')
  })

  test('what cannot be deleted is tried three times and stays, and the update is a success', async () => {
    await using it = await start()
    await it.create(body({ Jobs: queue(), Bucket: { Type: 'AWS::S3::Bucket' } }))
    await it.events()
    it.fake.fail({ logicalId: 'Bucket', on: 'delete', reason: 'The bucket you tried to delete is not empty' })

    await it.update(body({ Jobs: queue() }))

    const events = await it.events()
    expect(events.filter((event) => event.startsWith('Bucket DELETE_FAILED'))).toHaveLength(3)
    expect(events.at(-1)).toBe('jobs UPDATE_COMPLETE')
  })

  test('what a policy keeps is skipped: a removed resource by DeletionPolicy, a replaced one by UpdateReplacePolicy', async () => {
    await using it = await start()
    await it.create(
      body({
        Jobs: queue({ QueueName: 'a' }, { UpdateReplacePolicy: 'Retain' }),
        News: topic({}, { DeletionPolicy: 'Retain' }),
      }),
    )
    await it.events()

    await it.update(body({ Jobs: queue({ QueueName: 'b' }, { UpdateReplacePolicy: 'Retain' }) }))

    const events = await it.events()
    expect(events).toContain('Jobs DELETE_SKIPPED')
    expect(events).toContain('News DELETE_SKIPPED')
  })

  test('a cancelled one is taken back', async () => {
    await using it = await start()
    await it.create(body({ Jobs: queue({ DelaySeconds: 1 }) }))
    await it.events()

    await it.client.send(
      new UpdateStackCommand({ StackName: 'jobs', TemplateBody: body({ Jobs: queue({ DelaySeconds: 2 }) }) }),
    )
    await it.client.send(new CancelUpdateStackCommand({ StackName: 'jobs' }))
    await it.fake.settle()

    const events = await it.events()
    expect(events).toContain('Jobs UPDATE_FAILED Resource update cancelled')
    expect(events).toContain('jobs UPDATE_ROLLBACK_IN_PROGRESS User Initiated')
    expect((await it.look())?.StackStatus).toBe('UPDATE_ROLLBACK_COMPLETE')
  })

  test('an alarm of its rollback configuration takes it back', async () => {
    await using it = await start()
    const alarm = 'arn:aws:cloudwatch:eu-central-1:123456789012:alarm:errors'
    const RollbackConfiguration = {
      RollbackTriggers: [{ Arn: alarm, Type: 'AWS::CloudWatch::Alarm' }],
      MonitoringTimeInMinutes: 10,
    }
    await it.create(body({ Jobs: queue({ DelaySeconds: 1 }) }), { RollbackConfiguration })
    expect((await it.look())?.StackStatus).toBe('CREATE_COMPLETE')
    it.fake.alarm(alarm, 'ALARM')

    await it.update(body({ Jobs: queue({ DelaySeconds: 2 }) }))

    expect((await it.look())?.StackStatus).toBe('UPDATE_ROLLBACK_COMPLETE')
    expect((await it.events()).join('\n')).toContain(`${alarm} is in ALARM`)
  })

  test('what its policy denies is not done', async () => {
    await using it = await start()
    await it.create(body({ Jobs: queue({ DelaySeconds: 1 }), News: topic({ DisplayName: 'x' }) }))
    await it.client.send(
      new SetStackPolicyCommand({
        StackName: 'jobs',
        StackPolicyBody: JSON.stringify({
          Statement: [
            { Effect: 'Allow', Principal: '*', Action: 'Update:*', Resource: '*' },
            { Effect: 'Deny', Principal: '*', Action: 'Update:*', Resource: 'LogicalResourceId/Jobs' },
          ],
        }),
      }),
    )
    await it.events()

    await it.update(body({ Jobs: queue({ DelaySeconds: 1 }), News: topic({ DisplayName: 'y' }) }))
    expect((await it.look())?.StackStatus).toBe('UPDATE_COMPLETE')
    await it.update(body({ Jobs: queue({ DelaySeconds: 2 }), News: topic({ DisplayName: 'y' }) }))

    expect((await it.look())?.StackStatus).toBe('UPDATE_ROLLBACK_COMPLETE')
    expect((await it.events()).join('\n')).toContain(
      'Jobs UPDATE_FAILED Action denied by stack policy: Statement [#2] does not allow [Update:Modify] for resource [Jobs];',
    )
  })

  test('in express mode it is faster, and is not rolled back unless that is said', async () => {
    await using it = await start()
    it.fake.fail({ logicalId: 'Jobs', on: 'create', reason: 'no', times: 1 })

    await it.create(body({ Jobs: queue() }), { DeploymentConfig: { Mode: 'EXPRESS' } })
    expect((await it.look())?.StackStatus).toBe('CREATE_FAILED')
    await it.update(body({ Jobs: queue() }), { DeploymentConfig: { Mode: 'EXPRESS' } })

    expect((await it.look())?.StackStatus).toBe('UPDATE_COMPLETE')
    expect((await it.events()).join('\n')).toContain('Resource operation completed using Express Mode.')
  })
})

describe('a stack is deleted', () => {
  test('dependants first; it is there by its id only, and its name can be taken again', async () => {
    await using it = await start()
    const template = body({ Jobs: queue(), News: topic({ DisplayName: { Ref: 'Jobs' } }) })
    await it.create(template)
    const first = it.fake.stack('jobs')
    await it.events()

    await it.client.send(new DeleteStackCommand({ StackName: 'jobs', ClientRequestToken: 'end' }))
    await it.fake.settle()
    const events = await it.events()
    await it.create(template)

    expect(events).toEqual([
      'jobs DELETE_IN_PROGRESS User Initiated',
      'News DELETE_IN_PROGRESS',
      'News DELETE_COMPLETE',
      'Jobs DELETE_IN_PROGRESS',
      'Jobs DELETE_COMPLETE',
      'jobs DELETE_COMPLETE',
    ])
    expect(first?.status).toBe('DELETE_COMPLETE')
    const second = it.fake.stack('jobs')
    expect(second?.id).not.toBe(first?.id)
    expect(second?.resources.get('Jobs')?.physicalId).not.toBe(first?.resources.get('Jobs')?.physicalId)
  })

  test('what stands in the way stops it; it can be tried again, kept, or forced', async () => {
    await using it = await start()
    await it.create(body({ Jobs: queue(), Bucket: { Type: 'AWS::S3::Bucket' } }))
    it.fake.fail({ logicalId: 'Bucket', on: 'delete', reason: 'The bucket you tried to delete is not empty' })
    const remove = async (more: Partial<DeleteStackCommand['input']> = {}): Promise<string | undefined> => {
      await it.client.send(new DeleteStackCommand({ StackName: it.fake.stack('jobs')?.id, ...more }))
      await it.fake.settle()
      return (await it.look())?.StackStatus
    }

    expect(await remove()).toBe('DELETE_FAILED')
    expect((await it.look())?.StackStatusReason).toBe('The following resource(s) failed to delete: [Bucket]. ')
    expect(await remove()).toBe('DELETE_FAILED')
    expect(await remove({ RetainResources: ['Bucket'] })).toBe('DELETE_COMPLETE')

    await it.create(body({ Bucket: { Type: 'AWS::S3::Bucket' } }))
    expect(await remove()).toBe('DELETE_FAILED')
    expect(await remove({ DeletionMode: 'FORCE_DELETE_STACK' })).toBe('DELETE_COMPLETE')
  })

  test('one that is being created is stopped first', async () => {
    await using it = await start()
    await it.client.send(
      new CreateStackCommand({ StackName: 'jobs', TemplateBody: body({ Jobs: queue(), News: topic() }) }),
    )
    await it.client.send(new DeleteStackCommand({ StackName: 'jobs' }))
    await it.fake.settle()

    expect((await it.look())?.StackStatus).toBe('DELETE_COMPLETE')
    expect((await it.events()).some((event) => event.includes('ROLLBACK'))).toBe(false)
  })

  test('one whose exports are imported is not deleted, nor are they changed', async () => {
    await using it = await start()
    const exporting = (value: string): string =>
      body({ Jobs: queue() }, { Outputs: { Name: { Value: value, Export: { Name: 'shared' } } } })
    await it.create(exporting('one'))
    await it.client.send(
      new CreateStackCommand({
        StackName: 'user',
        TemplateBody: body({ News: topic({ DisplayName: { 'Fn::ImportValue': 'shared' } }) }),
      }),
    )
    await it.fake.settle()

    await it.update(exporting('two'))
    expect((await it.look())?.StackStatus).toBe('UPDATE_ROLLBACK_COMPLETE')
    await it.client.send(new DeleteStackCommand({ StackName: 'jobs' }))
    await it.fake.settle()

    expect(await it.look()).toMatchObject({
      StackStatus: 'DELETE_FAILED',
      StackStatusReason: 'Export shared cannot be deleted as it is in use by user',
    })
  })
})
