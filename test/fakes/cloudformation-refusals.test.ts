import {
  CancelUpdateStackCommand,
  ContinueUpdateRollbackCommand,
  CreateChangeSetCommand,
  CreateStackCommand,
  DeleteChangeSetCommand,
  DeleteStackCommand,
  DescribeAccountLimitsCommand,
  DescribeEventsCommand,
  DescribeStackEventsCommand,
  DescribeStacksCommand,
  ExecuteChangeSetCommand,
  GetStackPolicyCommand,
  GetTemplateCommand,
  GetTemplateSummaryCommand,
  ListExportsCommand,
  ListImportsCommand,
  ListStackResourcesCommand,
  ListStacksCommand,
  RollbackStackCommand,
  SetStackPolicyCommand,
  UpdateStackCommand,
  UpdateTerminationProtectionCommand,
  ValidateTemplateCommand,
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

const queue = { Type: 'AWS::SQS::Queue', Properties: { DelaySeconds: 1 } }
const body = (more: Readonly<Record<string, unknown>> = {}): string =>
  JSON.stringify({ Resources: { Jobs: queue }, ...more })

async function start({ stackLimit = 2000 } = {}): Promise<{
  readonly fake: FakeCloudFormation<SimulatedClock>
  readonly client: ReturnType<typeof clientOf>
  readonly create: (template: string, more?: Partial<CreateStackCommand['input']>) => Promise<void>
  readonly [Symbol.asyncDispose]: () => Promise<void>
}> {
  const fake = await startCloudFormation({
    stackLimit,
    clock: simulatedClock(),
    buckets: { mine: '123456789012', theirs: '999999999999' },
  })
  const client = clientOf(fake)
  return {
    fake,
    client,
    create: async (template, more) => {
      await client.send(new CreateStackCommand({ StackName: 'jobs', TemplateBody: template, ...more }))
      await fake.settle()
    },
    [Symbol.asyncDispose]: () => fake.close(),
  }
}

describe('templates and parameters that are refused', () => {
  const parameters = {
    Parameters: {
      Size: { Type: 'String', AllowedValues: ['small', 'large'], Default: 'small' },
      Count: { Type: 'Number', MinValue: 1, MaxValue: 3, Default: 1 },
      Name: { Type: 'String', AllowedPattern: '[a-z]+', Default: 'a', ConstraintDescription: 'only letters' },
      Short: { Type: 'String', MaxLength: 3, MinLength: 1, Default: 'x' },
      Needed: { Type: 'String' },
    },
  }
  const given = (...pairs: readonly (readonly [string, string])[]): CreateStackCommand['input']['Parameters'] =>
    [['Needed', 'x'] as const, ...pairs].map(([ParameterKey, ParameterValue]) => ({ ParameterKey, ParameterValue }))

  test.each([
    ['no JSON', '{', undefined, /^Template format error: JSON not well-formed\. \(line \d+, column \d+\)/],
    ['no YAML', 'a: [', undefined, /^Template format error: YAML not well-formed\./],
    ['no resources', '{}', undefined, 'Template format error: At least one Resources member must be defined.'],
    [
      'a type that does not exist',
      JSON.stringify({ Resources: { A: { Type: 'AWS::SQS::Quueue' } } }),
      undefined,
      'Template format error: Unrecognized resource types: [AWS::SQS::Quueue]',
    ],
    [
      'a mention of what is not there',
      JSON.stringify({ Resources: { A: { Type: 'AWS::SNS::Topic', Properties: { DisplayName: { Ref: 'B' } } } } }),
      undefined,
      'Template format error: Unresolved resource dependencies [B] in the Resources block of the template',
    ],
    [
      'a circle',
      JSON.stringify({ Resources: { A: { ...queue, DependsOn: 'B' }, B: { ...queue, DependsOn: 'A' } } }),
      undefined,
      /^Circular dependency between resources: \[A, B\]$/,
    ],
    [
      'an attribute that a type has not',
      JSON.stringify({ Resources: { A: queue }, Outputs: { O: { Value: { 'Fn::GetAtt': ['A', 'Colour'] } } } }),
      undefined,
      'Template error: resource A does not support attribute type Colour in Fn::GetAtt',
    ],
    ['a missing value', body(parameters), [], 'Parameters: [Needed] must have values'],
    [
      'an unknown parameter',
      body(parameters),
      given(['Other', 'x']),
      'Parameters: [Other] do not exist in the template',
    ],
    [
      'a value that is not allowed',
      body(parameters),
      given(['Size', 'huge']),
      "Parameter 'Size' must be one of AllowedValues",
    ],
    ['no number', body(parameters), given(['Count', 'many']), "Parameter 'Count' must be a number"],
    [
      'a number too large',
      body(parameters),
      given(['Count', '4']),
      "Parameter 'Count' must be a number not greater than 3",
    ],
    [
      'a wrong form',
      body(parameters),
      given(['Name', '7']),
      'Parameter Name failed to satisfy constraint: only letters',
    ],
    [
      'a value too long',
      body(parameters),
      given(['Short', 'long']),
      "Parameter 'Short' must contain at most 3 characters",
    ],
    [
      'a previous value where there is none',
      body(parameters),
      [{ ParameterKey: 'Needed', UsePreviousValue: true }],
      "Invalid template parameter property 'UsePreviousValue'",
    ],
    [
      'a name of the parameter store that is not there',
      body({ Parameters: { P: { Type: 'AWS::SSM::Parameter::Value<String>' } } }),
      [{ ParameterKey: 'P', ParameterValue: '/none' }],
      'Unable to fetch parameters [/none] from parameter store for this account.',
    ],
  ])('%s', async (_name, TemplateBody, Parameters, message) => {
    await using it = await start()

    const answer = await refused(
      it.client.send(new CreateStackCommand({ StackName: 'jobs', TemplateBody, Parameters })),
    )

    expect(answer).toMatchObject({ name: 'ValidationError', status: 400 })
    expect(answer.message).toMatch(message)
    expect(it.fake.stacks()).toEqual([])
  })

  test('51,200 bytes are the most that a request holds; more comes by S3, up to a million', async () => {
    await using it = await start()
    const large = body({ Description: '', Metadata: { filler: 'x'.repeat(60_000) } })
    const s3 = s3Of(it.fake)
    await s3.send(new PutObjectCommand({ Bucket: 'mine', Key: 'a/large.json', Body: large }))
    const by = (TemplateURL: string): Promise<unknown> =>
      it.client.send(new CreateStackCommand({ StackName: 'jobs', TemplateURL }))

    const answer = await refused(it.client.send(new CreateStackCommand({ StackName: 'jobs', TemplateBody: large })))
    const refusals = await Promise.all(
      [
        'https://mine.s3.amazonaws.com/none',
        'https://nowhere.s3.amazonaws.com/a',
        'https://theirs.s3.amazonaws.com/a',
        'https://example.com/a',
        'http://mine.s3.amazonaws.com/a/large.json',
      ].map(async (url) => (await refused(by(url))).message),
    )
    await by('https://mine.s3.eu-central-1.amazonaws.com/a/large.json')

    expect(answer.message).toMatch(/Member must have length less than or equal to 51200$/)
    expect(refusals).toEqual([
      'S3 error: The specified key does not exist.',
      'S3 error: The specified bucket does not exist',
      'S3 error: The specified key does not exist.',
      'TemplateURL must be a supported URL.',
      'TemplateURL must be a supported URL.',
    ])
    for (const url of [
      'https://s3.amazonaws.com/mine/a/large.json',
      'https://s3.eu-central-1.amazonaws.com/mine/a/large.json',
      `${it.fake.url}/mine/a/large.json`,
    ])
      expect((await refused(by(url))).name).toBe('AlreadyExistsException')
  })

  test('capabilities are asked for', async () => {
    await using it = await start()
    const role = (properties: Readonly<Record<string, unknown>>): string =>
      body({
        Resources: { Role: { Type: 'AWS::IAM::Role', Properties: { AssumeRolePolicyDocument: {}, ...properties } } },
      })
    const ask = (TemplateBody: string, Capabilities: CreateStackCommand['input']['Capabilities']): Promise<unknown> =>
      it.client.send(new CreateStackCommand({ StackName: 'jobs', TemplateBody, Capabilities }))

    const none = await refused(ask(role({}), []))
    const named = await refused(ask(role({ RoleName: 'a' }), ['CAPABILITY_IAM']))
    const macro = await refused(ask(body({ Transform: 'AWS::Serverless-2016-10-31' }), []))
    await ask(role({}), ['CAPABILITY_NAMED_IAM'])

    expect(none).toMatchObject({
      name: 'InsufficientCapabilitiesException',
      message: 'Requires capabilities : [CAPABILITY_IAM]',
    })
    expect(named.message).toBe('Requires capabilities : [CAPABILITY_NAMED_IAM]')
    expect(macro.message).toBe('Requires capabilities : [CAPABILITY_AUTO_EXPAND]')
  })

  test('what others were to export and do not is found when the work begins', async () => {
    await using it = await start()
    const template = body({ Outputs: { O: { Value: { 'Fn::ImportValue': 'nothing' } } } })

    await it.create(template)

    expect(it.fake.stack('jobs')?.status).toBe('ROLLBACK_COMPLETE')
    expect(it.fake.stack('jobs')?.events.map(({ reason }) => reason)).toContain(
      'No export named nothing found. Rollback requested by user.',
    )
  })

  test('a service role of another account cannot be assumed', async () => {
    await using it = await start()

    const answer = await refused(it.create(body(), { RoleARN: 'arn:aws:iam::999999999999:role/deployer' }))

    expect(answer.message).toBe('Role arn:aws:iam::999999999999:role/deployer is invalid or cannot be assumed')
  })
})

describe('states that refuse', () => {
  const update = (StackName = 'jobs'): UpdateStackCommand =>
    new UpdateStackCommand({ StackName, TemplateBody: body({ Outputs: { O: { Value: 'x' } } }) })

  test('a stack that is not there', async () => {
    await using it = await start()
    const change = new CreateChangeSetCommand({ StackName: 'no', ChangeSetName: 'c', TemplateBody: body() })

    expect((await refused(it.client.send(new DescribeStacksCommand({ StackName: 'no' })))).message).toBe(
      'Stack with id no does not exist',
    )
    expect((await refused(it.client.send(new DescribeStackEventsCommand({ StackName: 'no' })))).message).toBe(
      'Stack [no] does not exist',
    )
    expect((await refused(it.client.send(update('no')))).message).toBe('Stack [no] does not exist')
    expect((await refused(it.client.send(change))).message).toBe('Stack [no] does not exist')
    // Deleting what is not there is done already.
    await it.client.send(new DeleteStackCommand({ StackName: 'no' }))
  })

  test('a stack that is there already', async () => {
    await using it = await start()
    await it.create(body())

    const again = await refused(it.create(body()))
    const change = await refused(
      it.client.send(
        new CreateChangeSetCommand({
          StackName: 'jobs',
          ChangeSetName: 'c',
          ChangeSetType: 'CREATE',
          TemplateBody: body(),
        }),
      ),
    )

    expect(again).toMatchObject({ name: 'AlreadyExistsException', message: 'Stack [jobs] already exists' })
    expect(change.message).toBe('Stack [jobs] already exists and cannot be created again with the changeSet [c].')
  })

  test.each([
    'CREATE_IN_PROGRESS',
    'UPDATE_IN_PROGRESS',
    'UPDATE_COMPLETE_CLEANUP_IN_PROGRESS',
    'ROLLBACK_IN_PROGRESS',
    'ROLLBACK_COMPLETE',
    'ROLLBACK_FAILED',
    'UPDATE_ROLLBACK_FAILED',
    'DELETE_IN_PROGRESS',
    'DELETE_FAILED',
    'IMPORT_ROLLBACK_FAILED',
  ])('a stack in %s is not updated', async (status) => {
    await using it = await start()
    await it.create(body())
    it.fake.setStatus({ stack: 'jobs', status })
    const expected = new RegExp(`^Stack:arn:\\S+ is in ${status} state and can not be updated\\.$`)

    expect((await refused(it.client.send(update()))).message).toMatch(expected)
    expect(
      (
        await refused(
          it.client.send(new CreateChangeSetCommand({ StackName: 'jobs', ChangeSetName: 'c', TemplateBody: body() })),
        )
      ).message,
    ).toMatch(expected)
  })

  test.each(['CREATE_FAILED', 'UPDATE_FAILED'])(
    'one that waits in %s is updated without a rollback only',
    async (status) => {
      await using it = await start()
      await it.create(body())
      it.fake.setStatus({ stack: 'jobs', status })

      expect((await refused(it.client.send(update()))).message).toContain(
        `currently in a non-terminal [${status}] state`,
      )
    },
  )

  test('calls that need another state', async () => {
    await using it = await start()
    await it.create(body())
    const messages = await Promise.all(
      [
        it.client.send(new RollbackStackCommand({ StackName: 'jobs' })),
        it.client.send(new ContinueUpdateRollbackCommand({ StackName: 'jobs' })),
        it.client.send(new CancelUpdateStackCommand({ StackName: 'jobs' })),
        it.client.send(new DeleteStackCommand({ StackName: 'jobs', RetainResources: ['Jobs'] })),
        it.client.send(new ListImportsCommand({ ExportName: 'x' })),
        it.client.send(new ExecuteChangeSetCommand({ StackName: 'jobs', ChangeSetName: 'none' })),
      ].map(async (request) => (await refused(request)).message),
    )

    expect(messages).toEqual([
      expect.stringMatching(/is in CREATE_COMPLETE state/),
      expect.stringMatching(/is in CREATE_COMPLETE state/),
      'CancelUpdateStack cannot be called from current stack status',
      expect.stringMatching(/RetainResources can only be specified on a stack in DELETE_FAILED state/),
      "Export 'x' is not imported by any stack.",
      'ChangeSet [none] does not exist',
    ])
    // Deleting a change set that is not there is done already.
    await it.client.send(new DeleteChangeSetCommand({ StackName: 'jobs', ChangeSetName: 'none' }))
  })

  test('nothing to update', async () => {
    await using it = await start()
    await it.create(body())

    const answer = await refused(it.client.send(new UpdateStackCommand({ StackName: 'jobs', TemplateBody: body() })))

    expect(answer).toMatchObject({ name: 'ValidationError', message: 'No updates are to be performed.' })
  })

  test('protection against deletion, which is taken off again', async () => {
    await using it = await start()
    await it.create(body(), { EnableTerminationProtection: true })

    const answer = await refused(it.client.send(new DeleteStackCommand({ StackName: 'jobs' })))
    await it.client.send(
      new UpdateTerminationProtectionCommand({ StackName: 'jobs', EnableTerminationProtection: false }),
    )
    await it.client.send(new DeleteStackCommand({ StackName: 'jobs' }))

    expect(answer.message).toBe('Stack [jobs] cannot be deleted while TerminationProtection is enabled')
  })

  test('a token for something else', async () => {
    await using it = await start()
    const input = { StackName: 'jobs', TemplateBody: body(), ClientRequestToken: 'one' }
    const first = await it.client.send(new CreateStackCommand(input))
    const same = await it.client.send(new CreateStackCommand(input))
    const other = await refused(it.client.send(new CreateStackCommand({ ...input, DisableRollback: true })))

    expect([same.StackId, same.OperationId]).toEqual([first.StackId, first.OperationId])
    expect(other.name).toBe('TokenAlreadyExistsException')
    await it.fake.settle()
    expect(it.fake.stack('jobs')?.operations).toHaveLength(1)
  })

  test('one stack too many', async () => {
    await using it = await start({ stackLimit: 1 })
    await it.create(body())

    const answer = await refused(it.client.send(new CreateStackCommand({ StackName: 'more', TemplateBody: body() })))
    const { AccountLimits } = await it.client.send(new DescribeAccountLimitsCommand({}))

    expect(answer).toMatchObject({ name: 'LimitExceededException', message: 'Limit for stacks has been exceeded' })
    expect(AccountLimits).toContainEqual({ Name: 'StackLimit', Value: 1 })
  })

  test('a stack policy that is none', async () => {
    await using it = await start()
    await it.create(body())
    const policy = '{"Statement":[{"Effect":"Allow","Action":"Update:*","Principal":"*","Resource":"*"}]}'

    const answer = await refused(
      it.client.send(new SetStackPolicyCommand({ StackName: 'jobs', StackPolicyBody: '{"Statement":[{}]}' })),
    )
    await it.client.send(new SetStackPolicyCommand({ StackName: 'jobs', StackPolicyBody: policy }))

    expect(answer.message).toMatch(/^Error validating stack policy/)
    expect((await it.client.send(new GetStackPolicyCommand({ StackName: 'jobs' }))).StackPolicyBody).toBe(policy)
  })
})

describe('what is read', () => {
  test('a template as it was sent, its summary, and what it needs', async () => {
    await using it = await start()
    const template = [
      'Description: jobs',
      'Parameters:',
      '  Secret: { Type: String, NoEcho: true, Default: hush, Description: not to be shown }',
      '  Size: { Type: String, AllowedValues: [small, large], Default: small }',
      'Resources:',
      '  Jobs: { Type: AWS::SQS::Queue, Properties: { QueueName: !Sub "${AWS::StackName}-x" } }',
      '  Role: { Type: AWS::IAM::Role, Properties: { AssumeRolePolicyDocument: {} } }',
    ].join('\n')
    await it.create(template, { Capabilities: ['CAPABILITY_IAM'] })

    const { TemplateBody } = await it.client.send(new GetTemplateCommand({ StackName: 'jobs' }))
    const summary = await it.client.send(new GetTemplateSummaryCommand({ StackName: 'jobs' }))
    const valid = await it.client.send(new ValidateTemplateCommand({ TemplateBody: template }))
    const { Stacks } = await it.client.send(new DescribeStacksCommand({ StackName: 'jobs' }))

    expect(TemplateBody).toBe(template)
    expect(summary).toMatchObject({
      Description: 'jobs',
      Capabilities: ['CAPABILITY_IAM'],
      ResourceTypes: ['AWS::IAM::Role', 'AWS::SQS::Queue'],
      Parameters: [
        { ParameterKey: 'Secret', NoEcho: true },
        { ParameterKey: 'Size', ParameterConstraints: { AllowedValues: ['small', 'large'] } },
      ],
    })
    expect(valid.Parameters).toMatchObject([{ ParameterKey: 'Secret' }, { ParameterKey: 'Size' }])
    expect(Stacks?.[0]?.Parameters).toEqual([
      { ParameterKey: 'Secret', ParameterValue: '****' },
      { ParameterKey: 'Size', ParameterValue: 'small' },
    ])
  })

  test('a stack that is only reviewed has no summary', async () => {
    await using it = await start()
    await it.client.send(
      new CreateChangeSetCommand({
        StackName: 'jobs',
        ChangeSetName: 'c',
        ChangeSetType: 'CREATE',
        TemplateBody: body(),
      }),
    )

    const answer = await refused(it.client.send(new GetTemplateSummaryCommand({ StackName: 'jobs' })))

    expect(answer.message).toBe('GetTemplateSummary cannot be called on REVIEW_IN_PROGRESS stacks.')
  })

  test('a parameter of the store is resolved when it is deployed', async () => {
    await using it = await start()
    it.fake.setParameter('/delay', '7')
    const template = JSON.stringify({
      Parameters: { Delay: { Type: 'AWS::SSM::Parameter::Value<String>', Default: '/delay' } },
      Resources: { Jobs: { Type: 'AWS::SQS::Queue', Properties: { DelaySeconds: { Ref: 'Delay' } } } },
    })
    await it.create(template)
    const { Stacks } = await it.client.send(new DescribeStacksCommand({ StackName: 'jobs' }))
    it.fake.setParameter('/delay', '8')
    await it.client.send(new UpdateStackCommand({ StackName: 'jobs', TemplateBody: template }))
    await it.fake.settle()

    expect(Stacks?.[0]?.Parameters).toEqual([{ ParameterKey: 'Delay', ParameterValue: '/delay', ResolvedValue: '7' }])
    expect(it.fake.stack('jobs')?.resources.get('Jobs')?.properties).toEqual({ DelaySeconds: '8' })
  })

  test('a previous value is the one that the stack has; one that is left out is the default', async () => {
    await using it = await start()
    const template = body({
      Parameters: { A: { Type: 'String', Default: 'a' }, B: { Type: 'String', Default: 'b' } },
      Outputs: { O: { Value: { 'Fn::Sub': '${A}${B}' } } },
    })
    await it.create(template, {
      Parameters: [
        { ParameterKey: 'A', ParameterValue: '1' },
        { ParameterKey: 'B', ParameterValue: '2' },
      ],
    })

    await it.client.send(
      new UpdateStackCommand({
        StackName: 'jobs',
        UsePreviousTemplate: true,
        Parameters: [{ ParameterKey: 'A', UsePreviousValue: true }],
      }),
    )
    await it.fake.settle()

    expect(it.fake.stack('jobs')?.outputs['O']?.value).toBe('1b')
  })

  test('lists come in pages, the newest first, and can be filtered', async () => {
    await using fake = await startCloudFormation({ clock: simulatedClock(), pageSize: 2 })
    const client = clientOf(fake)
    for (const name of ['a', 'b', 'c'])
      await client.send(
        new CreateStackCommand({
          StackName: name,
          TemplateBody: body({ Outputs: { O: { Value: name, Export: { Name: `export-${name}` } } } }),
        }),
      )
    await fake.settle()
    await client.send(new DeleteStackCommand({ StackName: 'a' }))
    await fake.settle()

    const described = await client.send(new DescribeStacksCommand({}))
    const first = await client.send(new ListStacksCommand({}))
    const second = await client.send(new ListStacksCommand({ NextToken: first.NextToken }))
    const deleted = await client.send(new ListStacksCommand({ StackStatusFilter: ['DELETE_COMPLETE'] }))
    const events = await client.send(new DescribeStackEventsCommand({ StackName: 'b' }))
    const exports = await client.send(new ListExportsCommand({}))
    const resources = await client.send(new ListStackResourcesCommand({ StackName: 'b' }))

    expect(described.Stacks?.map(({ StackName }) => StackName)).toEqual(['c', 'b'])
    expect(
      [...(first.StackSummaries ?? []), ...(second.StackSummaries ?? [])].map(({ StackName }) => StackName),
    ).toEqual(['c', 'b', 'a'])
    expect(
      deleted.StackSummaries?.map(({ StackName, LastOperations }) => [StackName, LastOperations?.[0]?.OperationType]),
    ).toEqual([['a', 'DELETE_STACK']])
    expect(events.StackEvents?.map(({ ResourceStatus }) => ResourceStatus)).toEqual([
      'CREATE_COMPLETE',
      'CREATE_COMPLETE',
    ])
    expect(events.NextToken).toBeDefined()
    expect(exports.Exports?.map(({ Name }) => Name)).toEqual(['export-b', 'export-c'])
    expect(resources.StackResourceSummaries).toMatchObject([
      { LogicalResourceId: 'Jobs', ResourceStatus: 'CREATE_COMPLETE' },
    ])
  })

  test('DescribeEvents tells of the newest operation by the name, of any by its id', async () => {
    await using it = await start()
    it.fake.fail({ logicalId: 'Jobs', on: 'create', reason: 'the cause' })
    await it.create(body())
    const { Stacks } = await it.client.send(new DescribeStacksCommand({ StackName: 'jobs' }))
    const operation = Stacks?.[0]?.LastOperations?.find(({ OperationType }) => OperationType !== 'ROLLBACK')
    const Filters = { FailedEvents: true }

    const byName = await it.client.send(new DescribeEventsCommand({ StackName: 'jobs', Filters }))
    const byId = await it.client.send(new DescribeEventsCommand({ OperationId: operation?.OperationId, Filters }))

    expect(byName.OperationEvents).toEqual([])
    expect(byId.OperationEvents).toMatchObject([
      {
        EventType: 'PROVISIONING_ERROR',
        LogicalResourceId: 'Jobs',
        ResourceStatusReason: 'the cause',
        OperationType: 'CREATE_STACK',
        OperationStatus: 'FAILED',
      },
    ])
  })
})
