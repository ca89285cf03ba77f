import {
  CreateChangeSetCommand,
  CreateStackCommand,
  DeleteChangeSetCommand,
  DeleteStackCommand,
  DescribeChangeSetCommand,
  type DescribeChangeSetCommandOutput,
  DescribeEventsCommand,
  DescribeStackDriftDetectionStatusCommand,
  DescribeStackResourceDriftsCommand,
  DescribeStacksCommand,
  DetectStackDriftCommand,
  ExecuteChangeSetCommand,
  ListChangeSetsCommand,
  RollbackStackCommand,
  UpdateStackCommand,
} from '@aws-sdk/client-cloudformation'
import { PutObjectCommand } from '@aws-sdk/client-s3'
import { describe, expect, test } from 'vitest'
import { clientOf, refused, s3Of } from './cloudformation/client.ts'
import {
  type FakeCloudFormation,
  type SimulatedClock,
  simulatedClock,
  startCloudFormation,
} from './cloudformation/server.ts'

type Properties = Readonly<Record<string, unknown>>

function body(resources: Readonly<Record<string, Properties>>, more: Properties = {}): string {
  return JSON.stringify({ ...more, Resources: resources })
}

const queue = (properties: Properties = {}, more: Properties = {}): Properties => ({
  Type: 'AWS::SQS::Queue',
  Properties: properties,
  ...more,
})

const topic = (properties: Properties = {}): Properties => ({ Type: 'AWS::SNS::Topic', Properties: properties })

async function start(): Promise<{
  readonly fake: FakeCloudFormation<SimulatedClock>
  readonly client: ReturnType<typeof clientOf>
  readonly create: (template: string, more?: Partial<CreateStackCommand['input']>) => Promise<void>
  readonly change: (
    template: string,
    more?: Partial<CreateChangeSetCommand['input']>,
  ) => Promise<DescribeChangeSetCommandOutput>
  readonly execute: (id: string | undefined) => Promise<void>
  readonly [Symbol.asyncDispose]: () => Promise<void>
}> {
  const fake = await startCloudFormation({ clock: simulatedClock(), buckets: { templates: '123456789012' } })
  const client = clientOf(fake)
  let count = 0
  return {
    fake,
    client,
    create: async (template, more) => {
      await client.send(new CreateStackCommand({ StackName: 'jobs', TemplateBody: template, ...more }))
      await fake.settle()
    },
    change: async (template, more) => {
      count += 1
      const { Id } = await client.send(
        new CreateChangeSetCommand({
          StackName: 'jobs',
          ChangeSetName: `change-${count}`,
          TemplateBody: template,
          ...more,
        }),
      )
      await fake.settle()
      return client.send(new DescribeChangeSetCommand({ ChangeSetName: Id, IncludePropertyValues: true }))
    },
    execute: async (id) => {
      await client.send(new ExecuteChangeSetCommand({ ChangeSetName: id }))
      await fake.settle()
    },
    [Symbol.asyncDispose]: () => fake.close(),
  }
}

/** The changes, short. */
function short({ Changes }: DescribeChangeSetCommandOutput): readonly (string | undefined)[][] {
  return (Changes ?? []).map(({ ResourceChange: it }) => [
    it?.LogicalResourceId,
    it?.Action,
    it?.Replacement,
    it?.PolicyAction,
    it?.Scope?.join(' '),
  ])
}

describe('a change set', () => {
  test('is pending, then in progress, then available; by it a stack comes to be, or is only reviewed', async () => {
    await using it = await start()
    const { Id, StackId } = await it.client.send(
      new CreateChangeSetCommand({
        StackName: 'jobs',
        ChangeSetName: 'first',
        ChangeSetType: 'CREATE',
        TemplateBody: body({ Jobs: queue({ DelaySeconds: 5 }), News: topic({ DisplayName: { Ref: 'Jobs' } }) }),
        Tags: [{ Key: 'owner', Value: 'me' }],
        Description: 'the first',
      }),
    )
    const look = (): Promise<DescribeChangeSetCommandOutput> =>
      it.client.send(new DescribeChangeSetCommand({ ChangeSetName: Id, IncludePropertyValues: true }))
    const seen: (string | undefined)[] = [(await look()).Status]
    await it.fake.clock.advance(1000)
    seen.push((await look()).Status)
    await it.fake.settle()
    const ready = await look()
    seen.push(ready.Status)

    expect(seen).toEqual(['CREATE_PENDING', 'CREATE_IN_PROGRESS', 'CREATE_COMPLETE'])
    expect(ready).toMatchObject({ StackId, ExecutionStatus: 'AVAILABLE', Description: 'the first' })
    expect(ready.Changes?.map(({ ResourceChange }) => [ResourceChange?.Action, ResourceChange?.AfterContext])).toEqual([
      ['Add', '{"Properties":{"DelaySeconds":"5"}}'],
      ['Add', '{"Properties":{"DisplayName":"{{changeSet:KNOWN_AFTER_APPLY}}"}}'],
    ])
    expect(it.fake.stack('jobs')?.status).toBe('REVIEW_IN_PROGRESS')

    await it.client.send(new DeleteChangeSetCommand({ ChangeSetName: Id }))
    expect(it.fake.stack('jobs')?.status).toBe('REVIEW_IN_PROGRESS')
    await it.client.send(new DeleteStackCommand({ StackName: 'jobs' }))
    await it.fake.settle()
    expect(it.fake.stack('jobs')?.status).toBe('DELETE_COMPLETE')
  })

  test('after it is executed, the stack is read as it was before for a moment', async () => {
    await using it = await start()
    const { ChangeSetId } = await it.change(body({ Jobs: queue() }), { ChangeSetType: 'CREATE' })
    await it.client.send(new ExecuteChangeSetCommand({ ChangeSetName: ChangeSetId, ClientRequestToken: 'run' }))

    const seen: (string | undefined)[] = []
    for (let read = 0; read < 2; read += 1) {
      const { Stacks } = await it.client.send(new DescribeStacksCommand({ StackName: 'jobs' }))
      seen.push(Stacks?.[0]?.StackStatus)
    }

    expect(seen).toEqual(['REVIEW_IN_PROGRESS', 'CREATE_IN_PROGRESS'])
  })

  test('tells what is changed, replaced, removed and why, with values', async () => {
    await using it = await start()
    const parameters = { Parameters: { Delay: { Type: 'Number', Default: '1' } } }
    await it.create(
      body(
        {
          Jobs: queue({ DelaySeconds: { Ref: 'Delay' } }),
          Named: queue({ QueueName: 'a' }, { UpdateReplacePolicy: 'Retain' }),
          Alarm: topic({
            DisplayName: { 'Fn::GetAtt': ['Named', 'Arn'] },
            TopicName: { 'Fn::GetAtt': ['Named', 'QueueName'] },
          }),
          Old: topic(),
          Kept: { ...topic(), DeletionPolicy: 'Retain' },
        },
        parameters,
      ),
    )

    const changed = await it.change(
      body(
        {
          Jobs: queue({ DelaySeconds: { Ref: 'Delay' } }),
          Named: queue({ QueueName: 'b' }, { UpdateReplacePolicy: 'Retain' }),
          Alarm: topic({
            DisplayName: { 'Fn::GetAtt': ['Named', 'Arn'] },
            TopicName: { 'Fn::GetAtt': ['Named', 'QueueName'] },
          }),
          Fresh: topic(),
        },
        parameters,
      ),
      { Parameters: [{ ParameterKey: 'Delay', ParameterValue: '9' }] },
    )

    expect(short(changed).toSorted(([a = ''], [b = '']) => (a < b ? -1 : 1))).toEqual([
      ['Alarm', 'Modify', 'Conditional', 'ReplaceAndDelete', 'Properties'],
      ['Fresh', 'Add', undefined, undefined, ''],
      ['Jobs', 'Modify', 'False', undefined, 'Properties'],
      ['Kept', 'Remove', undefined, 'Retain', ''],
      ['Named', 'Modify', 'True', 'ReplaceAndRetain', 'Properties'],
      ['Old', 'Remove', undefined, 'Delete', ''],
    ])
    const details = (id: string): unknown =>
      changed.Changes?.find(({ ResourceChange }) => ResourceChange?.LogicalResourceId === id)?.ResourceChange?.Details
    expect(details('Jobs')).toEqual([
      {
        Target: {
          Attribute: 'Properties',
          Name: 'DelaySeconds',
          RequiresRecreation: 'Never',
          Path: '/Properties/DelaySeconds',
          BeforeValue: '1',
          AfterValue: '9',
          AttributeChangeType: 'Modify',
        },
        Evaluation: 'Static',
        ChangeSource: 'ParameterReference',
        CausingEntity: 'Delay',
      },
    ])
    expect(details('Named')).toMatchObject([
      { Target: { RequiresRecreation: 'Always', BeforeValue: 'a', AfterValue: 'b' } },
    ])
    expect(details('Alarm')).toMatchObject([
      { Evaluation: 'Dynamic', ChangeSource: 'ResourceAttribute', CausingEntity: 'Named.Arn' },
      {
        Evaluation: 'Dynamic',
        Target: { RequiresRecreation: 'Always', AfterValue: '{{changeSet:KNOWN_AFTER_APPLY}}' },
      },
    ])
    const plain = await it.client.send(new DescribeChangeSetCommand({ ChangeSetName: changed.ChangeSetId }))
    expect(JSON.stringify(plain.Changes)).not.toMatch(/Context|BeforeValue|AfterValue/)
  })

  test('without changes it fails, in words that tell; a change of an output alone is one', async () => {
    await using it = await start()
    await it.create(body({ Jobs: queue() }))

    const same = await it.change(body({ Jobs: queue() }))
    const policy = await it.change(body({ Jobs: queue({}, { DeletionPolicy: 'Retain' }) }))
    const output = await it.change(body({ Jobs: queue() }, { Outputs: { Name: { Value: 'x' } } }))

    expect(same).toMatchObject({
      Status: 'FAILED',
      ExecutionStatus: 'UNAVAILABLE',
      StatusReason:
        "The submitted information didn't contain changes. Submit different information to create a change set.",
    })
    expect(policy.Status).toBe('FAILED')
    expect(output).toMatchObject({ Status: 'CREATE_COMPLETE', Changes: [] })
    await it.execute(output.ChangeSetId)
    expect(it.fake.stack('jobs')?.outputs).toMatchObject({ Name: { value: 'x' } })
  })

  test('executing one deletes the others; an update makes them obsolete', async () => {
    await using it = await start()
    await it.create(body({ Jobs: queue() }))
    const one = await it.change(body({ Jobs: queue({ DelaySeconds: 1 }) }))
    const two = await it.change(body({ Jobs: queue({ DelaySeconds: 2 }) }))
    const { Summaries } = await it.client.send(new ListChangeSetsCommand({ StackName: 'jobs' }))
    await it.execute(one.ChangeSetId)
    const gone = await refused(it.client.send(new DescribeChangeSetCommand({ ChangeSetName: two.ChangeSetId })))
    const again = await refused(it.client.send(new ExecuteChangeSetCommand({ ChangeSetName: one.ChangeSetId })))
    const three = await it.change(body({ Jobs: queue({ DelaySeconds: 3 }) }))
    await it.client.send(
      new UpdateStackCommand({ StackName: 'jobs', TemplateBody: body({ Jobs: queue({ DelaySeconds: 4 }) }) }),
    )
    await it.fake.settle()
    const obsolete = await refused(it.client.send(new ExecuteChangeSetCommand({ ChangeSetName: three.ChangeSetId })))

    expect(Summaries?.map(({ ChangeSetName }) => ChangeSetName)).toEqual(['change-1', 'change-2'])
    expect(gone).toMatchObject({ name: 'ChangeSetNotFoundException', status: 404 })
    expect(gone.message).toBe(`ChangeSet [${two.ChangeSetId}] does not exist`)
    expect(again.name).toBe('InvalidChangeSetStatusException')
    expect(again.message).toMatch(/cannot be executed in its current execution status of \[EXECUTE_COMPLETE\]$/)
    expect(obsolete.message).toMatch(/current execution status of \[OBSOLETE\]$/)
  })

  test('a token makes it repeatable: the same again is the same, something else is refused', async () => {
    await using it = await start()
    await it.create(body({ Jobs: queue() }))
    const input = {
      StackName: 'jobs',
      ChangeSetName: 'c',
      ClientToken: 'one',
      TemplateBody: body({ Jobs: queue({ DelaySeconds: 1 }) }),
    }

    const first = await it.client.send(new CreateChangeSetCommand(input))
    const second = await it.client.send(new CreateChangeSetCommand(input))
    const other = await refused(
      it.client.send(
        new CreateChangeSetCommand({ ...input, TemplateBody: body({ Jobs: queue({ DelaySeconds: 2 }) }) }),
      ),
    )
    const named = await refused(it.client.send(new CreateChangeSetCommand({ ...input, ClientToken: 'two' })))
    await it.fake.settle()
    const execute = { ChangeSetName: first.Id, ClientRequestToken: 'run' }
    await it.client.send(new ExecuteChangeSetCommand(execute))
    await it.client.send(new ExecuteChangeSetCommand(execute))
    await it.fake.settle()
    await it.client.send(new ExecuteChangeSetCommand(execute))
    const reused = await refused(
      it.client.send(new DeleteStackCommand({ StackName: 'jobs', ClientRequestToken: 'run' })),
    )

    expect(second).toMatchObject({ Id: first.Id })
    expect(other.message).toMatch(/cannot be created due to a mismatch with existing attribute/)
    expect(named.name).toBe('AlreadyExistsException')
    expect(it.fake.stack('jobs')?.operations.map(({ type }) => type)).toEqual(['CREATE_STACK', 'UPDATE_STACK'])
    expect(reused.name).toBe('TokenAlreadyExistsException')
  })

  test('early validation finds names that are taken and properties that do not exist', async () => {
    await using it = await start()
    it.fake.occupy({ type: 'AWS::SQS::Queue', name: 'taken', region: 'eu-central-1' })

    const named = await it.change(body({ Jobs: queue({ QueueName: 'taken' }) }), { ChangeSetType: 'CREATE' })
    const misspelt = await it.change(body({ Jobs: queue({ DelaySecond: 1 }) }), { ChangeSetType: 'CREATE' })
    const unchecked = await it.change(body({ Jobs: queue({ QueueName: 'taken' }) }), {
      ChangeSetType: 'CREATE',
      DisableValidation: true,
    })
    const events = await it.client.send(
      new DescribeEventsCommand({ ChangeSetName: named.ChangeSetId, Filters: { FailedEvents: true } }),
    )
    await it.execute(unchecked.ChangeSetId)

    expect(named.StatusReason).toMatch(/\[AWS::EarlyValidation::ResourceExistenceCheck\]/)
    expect(misspelt.StatusReason).toMatch(/\[AWS::EarlyValidation::PropertyValidation\]/)
    expect(events.OperationEvents).toMatchObject([
      {
        EventType: 'VALIDATION_ERROR',
        OperationType: 'CREATE_CHANGESET',
        LogicalResourceId: 'Jobs',
        ValidationName: 'NAME_CONFLICT_VALIDATION',
        ValidationPath: '/Resources/Jobs',
        ValidationFailureMode: 'FAIL',
      },
    ])
    expect(it.fake.stack('jobs')?.status).toBe('ROLLBACK_COMPLETE')
    expect(
      it.fake.stack('jobs')?.events.some(({ reason }) => reason?.includes('HandlerErrorCode: AlreadyExists')),
    ).toBe(true)
  })

  test('what was kept when its stack was deleted stands in the way of the next one of its name', async () => {
    await using it = await start()
    const template = body({ Jobs: queue({ QueueName: 'jobs' }, { DeletionPolicy: 'Retain' }) })
    await it.create(template)
    await it.client.send(new DeleteStackCommand({ StackName: 'jobs' }))
    await it.fake.settle()

    const again = await it.change(template, { ChangeSetType: 'CREATE' })

    expect(again.StatusReason).toMatch(/ResourceExistenceCheck/)
  })

  test('long lists of changes come in pages', async () => {
    await using fake = await startCloudFormation({ clock: simulatedClock(), pageSize: 2 })
    const client = clientOf(fake)
    const { Id } = await client.send(
      new CreateChangeSetCommand({
        StackName: 'jobs',
        ChangeSetName: 'c',
        ChangeSetType: 'CREATE',
        TemplateBody: body({ A: queue(), B: queue(), C: queue() }),
      }),
    )
    await fake.settle()

    const first = await client.send(new DescribeChangeSetCommand({ ChangeSetName: Id }))
    const second = await client.send(new DescribeChangeSetCommand({ ChangeSetName: Id, NextToken: first.NextToken }))

    expect([first.Changes?.length, second.Changes?.length, second.NextToken]).toEqual([2, 1, undefined])
  })

  test.each([
    ['DELETE', undefined, 'DELETE_COMPLETE'],
    ['DO_NOTHING', undefined, 'CREATE_FAILED'],
    ['ROLLBACK', undefined, 'ROLLBACK_COMPLETE'],
    [undefined, true, 'CREATE_FAILED'],
    [undefined, undefined, 'ROLLBACK_COMPLETE'],
  ] as const)(
    'OnStackFailure %s and DisableRollback %s end a failed creation as %s',
    async (OnStackFailure, DisableRollback, expected) => {
      await using it = await start()
      it.fake.fail({ logicalId: 'Jobs', on: 'create', reason: 'no' })
      const { ChangeSetId } = await it.change(body({ Jobs: queue() }), { ChangeSetType: 'CREATE', OnStackFailure })

      await it.client.send(new ExecuteChangeSetCommand({ ChangeSetName: ChangeSetId, DisableRollback }))
      await it.fake.settle()

      expect(it.fake.stack('jobs')?.status).toBe(expected)
    },
  )
})

describe('changes by hand', () => {
  test('are found by a drift detection, which takes its time', async () => {
    await using it = await start()
    await it.create(body({ Jobs: queue({ DelaySeconds: 1 }), News: topic() }))
    it.fake.drift({ stack: 'jobs', logicalId: 'Jobs', properties: { DelaySeconds: 60 } })
    it.fake.drift({ stack: 'jobs', logicalId: 'News', properties: 'gone' })

    const { StackDriftDetectionId } = await it.client.send(new DetectStackDriftCommand({ StackName: 'jobs' }))
    const look = async (): Promise<string | undefined> =>
      (await it.client.send(new DescribeStackDriftDetectionStatusCommand({ StackDriftDetectionId }))).DetectionStatus
    const before = await look()
    await it.fake.clock.advance(6000)
    const after = await look()
    const { StackResourceDrifts } = await it.client.send(new DescribeStackResourceDriftsCommand({ StackName: 'jobs' }))
    const { Stacks } = await it.client.send(new DescribeStacksCommand({ StackName: 'jobs' }))

    expect([before, after]).toEqual(['DETECTION_IN_PROGRESS', 'DETECTION_COMPLETE'])
    expect(StackResourceDrifts).toMatchObject([
      {
        LogicalResourceId: 'Jobs',
        StackResourceDriftStatus: 'MODIFIED',
        PropertyDifferences: [
          { PropertyPath: '/DelaySeconds', ExpectedValue: '1', ActualValue: '60', DifferenceType: 'NOT_EQUAL' },
        ],
      },
      { LogicalResourceId: 'News', StackResourceDriftStatus: 'DELETED' },
    ])
    expect(Stacks?.[0]?.DriftInformation?.StackDriftStatus).toBe('DRIFTED')
  })

  test('are not seen by a change set, unless it is to revert them', async () => {
    await using it = await start()
    const template = body({ Jobs: queue({ DelaySeconds: 1 }), News: topic() })
    await it.create(template)
    it.fake.drift({ stack: 'jobs', logicalId: 'Jobs', properties: { DelaySeconds: 60 } })
    it.fake.drift({ stack: 'jobs', logicalId: 'News', properties: 'gone' })

    const blind = await it.change(template)
    const seeing = await it.change(template, { DeploymentMode: 'REVERT_DRIFT' })
    await it.execute(seeing.ChangeSetId)

    expect(blind.Status).toBe('FAILED')
    expect(seeing).toMatchObject({ DeploymentMode: 'REVERT_DRIFT', StackDriftStatus: 'DRIFTED' })
    expect(seeing.Changes).toMatchObject([
      {
        ResourceChange: {
          LogicalResourceId: 'Jobs',
          Action: 'Modify',
          ResourceDriftStatus: 'MODIFIED',
          Details: [
            {
              ChangeSource: 'DirectModification',
              Target: {
                AttributeChangeType: 'Modify',
                BeforeValue: '60',
                AfterValue: '1',
                BeforeValueFrom: 'ACTUAL_STATE',
                Drift: { ActualValue: '60' },
              },
            },
          ],
        },
      },
      { ResourceChange: { LogicalResourceId: 'News', Action: 'Add', ResourceDriftStatus: 'DELETED' } },
    ])
    const resources = it.fake.stack('jobs')?.resources
    expect(resources?.get('Jobs')?.drifted).toBeUndefined()
    expect(resources?.get('News')?.status).toBe('CREATE_COMPLETE')
  })
})

describe('nested stacks', () => {
  const child = (delay: number): string =>
    body({ Inner: queue({ DelaySeconds: delay }) }, { Outputs: { Url: { Value: { Ref: 'Inner' } } } })

  const parent = (key: string): string =>
    body({
      Child: {
        Type: 'AWS::CloudFormation::Stack',
        Properties: { TemplateURL: `https://templates.s3.amazonaws.com/${key}` },
      },
      News: topic({ DisplayName: { 'Fn::GetAtt': ['Child', 'Outputs.Url'] } }),
    })

  async function withTemplates(it: Awaited<ReturnType<typeof start>>): Promise<void> {
    const s3 = s3Of(it.fake)
    for (const delay of [1, 2])
      await s3.send(new PutObjectCommand({ Bucket: 'templates', Key: `child-${delay}.json`, Body: child(delay) }))
  }

  test('come to be with their parent, hand it their outputs, and go with it', async () => {
    await using it = await start()
    await withTemplates(it)
    await it.create(parent('child-1.json'), { ClientRequestToken: 'run' })

    const nested = it.fake.stacks().find(({ parent: of }) => of !== undefined)
    expect(nested?.status).toBe('CREATE_COMPLETE')
    expect(nested?.events.every(({ token }) => token === 'run')).toBe(true)
    const { Stacks } = await it.client.send(new DescribeStacksCommand({ StackName: nested?.id }))
    expect(Stacks?.[0]).toMatchObject({ ParentId: it.fake.stack('jobs')?.id, RootId: it.fake.stack('jobs')?.id })
    const resources = it.fake.stack('jobs')?.resources
    expect(resources?.get('Child')?.physicalId).toBe(nested?.id)
    expect(resources?.get('News')?.properties).toEqual({ DisplayName: nested?.resources.get('Inner')?.physicalId })

    await it.client.send(new DeleteStackCommand({ StackName: 'jobs' }))
    await it.fake.settle()
    expect(it.fake.stack(nested?.id ?? '')?.status).toBe('DELETE_COMPLETE')
  })

  test('are in a change set with one of their own, and are updated with their parent', async () => {
    await using it = await start()
    await withTemplates(it)
    await it.create(parent('child-1.json'))

    const changed = await it.change(parent('child-2.json'), { IncludeNestedStacks: true })
    const nestedSet = changed.Changes?.[0]?.ResourceChange?.ChangeSetId
    const inner = await it.client.send(
      new DescribeChangeSetCommand({ ChangeSetName: nestedSet, IncludePropertyValues: true }),
    )
    await it.execute(changed.ChangeSetId)

    expect(changed.Changes?.[0]?.ResourceChange).toMatchObject({ LogicalResourceId: 'Child', Action: 'Modify' })
    expect(inner).toMatchObject({ ParentChangeSetId: changed.ChangeSetId, RootChangeSetId: changed.ChangeSetId })
    expect(short(inner)).toEqual([['Inner', 'Modify', 'False', undefined, 'Properties']])
    const nested = it.fake.stacks().find(({ parent: of }) => of !== undefined)
    expect(nested?.resources.get('Inner')?.properties).toEqual({ DelaySeconds: 2 })
    expect(nested?.events.map(({ status }) => status).slice(-3)).toEqual([
      'UPDATE_COMPLETE',
      'UPDATE_COMPLETE_CLEANUP_IN_PROGRESS',
      'UPDATE_COMPLETE',
    ])
    expect(it.fake.stack('jobs')?.status).toBe('UPDATE_COMPLETE')
  })

  test('always show as changed, and an update without changes is a success', async () => {
    await using it = await start()
    await withTemplates(it)
    await it.create(parent('child-1.json'))

    const same = await it.change(parent('child-1.json'))
    await it.execute(same.ChangeSetId)

    expect(short(same)).toEqual([['Child', 'Modify', 'False', undefined, 'Properties']])
    expect(same.Changes?.[0]?.ResourceChange?.Details).toMatchObject([
      { Evaluation: 'Dynamic', ChangeSource: 'Automatic' },
    ])
    expect(it.fake.stack('jobs')?.status).toBe('UPDATE_COMPLETE')
  })

  test('what fails inside fails the parent, which takes back what the others have done', async () => {
    await using it = await start()
    await withTemplates(it)
    await it.create(parent('child-1.json'))
    it.fake.fail({ logicalId: 'Inner', on: 'update', reason: 'inside', times: 1 })

    const changed = await it.change(parent('child-2.json'))
    await it.execute(changed.ChangeSetId)
    expect(it.fake.stack('jobs')?.status).toBe('UPDATE_ROLLBACK_COMPLETE')
    const nested = it.fake.stacks().find(({ parent: of }) => of !== undefined)
    expect(it.fake.stack('jobs')?.events.map(({ reason }) => reason)).toContain(
      `Embedded stack ${nested?.id ?? ''} was not successfully updated. Currently in UPDATE_ROLLBACK_IN_PROGRESS with reason: The following resource(s) failed to update: [Inner]. `,
    )

    it.fake.fail({ logicalId: 'News', on: 'update', reason: 'outside', times: 1 })
    const both = await it.change(
      parent('child-2.json').replace('"DisplayName":{', '"TracingConfig":"Active","DisplayName":{'),
    )
    await it.execute(both.ChangeSetId)
    expect(it.fake.stack('jobs')?.status).toBe('UPDATE_ROLLBACK_COMPLETE')
    expect(it.fake.stack(nested?.id ?? '')?.status).toBe('UPDATE_ROLLBACK_COMPLETE')
    expect(it.fake.stack(nested?.id ?? '')?.resources.get('Inner')?.properties).toEqual({ DelaySeconds: 1 })
  })

  test('what fails inside a creation fails it, and nothing is left', async () => {
    await using it = await start()
    await withTemplates(it)
    it.fake.fail({ logicalId: 'Inner', on: 'create', reason: 'inside' })
    await it.create(parent('child-1.json'))

    const nested = it.fake.stacks().find(({ parent: of }) => of !== undefined)
    expect(it.fake.stack('jobs')?.status).toBe('ROLLBACK_COMPLETE')
    expect(nested?.status).toBe('DELETE_COMPLETE')
    expect(it.fake.stack('jobs')?.events.map(({ reason }) => reason)).toContain(
      `Embedded stack ${nested?.id ?? ''} was not successfully created: The following resource(s) failed to create: [Inner]. `,
    )
  })

  test('without a rollback what failed inside stays as it is, and is taken back or goes on from there', async () => {
    await using it = await start()
    await withTemplates(it)
    await it.create(parent('child-1.json'))
    it.fake.fail({ logicalId: 'Inner', on: 'update', reason: 'inside', times: 2 })
    const nested = it.fake.stacks().find(({ parent: of }) => of !== undefined)
    const statuses = (): readonly (string | undefined)[] => [
      it.fake.stack('jobs')?.status,
      it.fake.stack(nested?.id ?? '')?.status,
    ]
    const execute = async (id: string | undefined): Promise<void> => {
      await it.client.send(new ExecuteChangeSetCommand({ ChangeSetName: id, DisableRollback: true }))
      await it.fake.settle()
    }

    await execute((await it.change(parent('child-2.json'))).ChangeSetId)
    expect(statuses()).toEqual(['UPDATE_FAILED', 'UPDATE_FAILED'])
    await it.client.send(new RollbackStackCommand({ StackName: 'jobs' }))
    await it.fake.settle()
    expect(statuses()).toEqual(['UPDATE_ROLLBACK_COMPLETE', 'UPDATE_ROLLBACK_COMPLETE'])

    await execute((await it.change(parent('child-2.json'))).ChangeSetId)
    await execute((await it.change(parent('child-2.json'))).ChangeSetId)
    expect(statuses()).toEqual(['UPDATE_COMPLETE', 'UPDATE_COMPLETE'])
    expect(it.fake.stack(nested?.id ?? '')?.resources.get('Inner')?.properties).toEqual({ DelaySeconds: 2 })
  })

  test('those that a change set only reviews go with it', async () => {
    await using it = await start()
    await withTemplates(it)
    const changed = await it.change(parent('child-1.json'), { ChangeSetType: 'CREATE', IncludeNestedStacks: true })
    expect(it.fake.stacks().map(({ status }) => status)).toEqual(['REVIEW_IN_PROGRESS', 'REVIEW_IN_PROGRESS'])

    await it.execute(changed.ChangeSetId)
    expect(it.fake.stacks().map(({ status }) => status)).toEqual(['CREATE_COMPLETE', 'CREATE_COMPLETE'])
  })
})
