import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { digest } from '../../../src/core/canonical.ts'
import {
  changeSetState,
  isIncomplete,
  mergedWith,
  nestedChangeSets,
  readChanges,
} from '../../../src/core/cloudformation/changes.ts'
import type { DescribedChange, DescribedChangeSet, DescribedDetail } from '../../../src/core/cloudformation/model.ts'
import type { DataMap } from '../../../src/core/data.ts'
import { withMarks } from '../../../src/core/guard.ts'
import { planStack } from '../../../src/core/stack/plan.ts'

/** A change set that is there to be executed. */
function changeSet(...changes: readonly DescribedChange[]): DescribedChangeSet {
  return {
    ChangeSetName: 'd-1-1-01234567',
    Status: 'CREATE_COMPLETE',
    ExecutionStatus: 'AVAILABLE',
    Changes: changes.map((ResourceChange) => ({ ResourceChange })),
  }
}

function modify(more: DescribedChange): DescribedChange {
  return {
    Action: 'Modify',
    Replacement: 'False',
    ResourceType: 'AWS::SQS::Queue',
    LogicalResourceId: 'Queue',
    ...more,
  }
}

function property(Path: string, more: DescribedDetail['Target'] = {}): DescribedDetail {
  return {
    Target: { Attribute: 'Properties', Name: Path.split('/')[2], Path, RequiresRecreation: 'Never', ...more },
    Evaluation: 'Static',
    ChangeSource: 'DirectModification',
  }
}

function context(Properties: unknown, more: Record<string, unknown> = {}): string {
  return JSON.stringify({ Properties, ...more })
}

describe('how far a change set is', () => {
  test.each<[string | undefined, string | undefined, string]>([
    ['CREATE_PENDING', 'UNAVAILABLE', 'making'],
    ['CREATE_IN_PROGRESS', 'UNAVAILABLE', 'making'],
    ['CREATE_COMPLETE', 'UNAVAILABLE', 'making'],
    ['CREATE_COMPLETE', 'AVAILABLE', 'ready'],
    ['CREATE_COMPLETE', undefined, 'ready'],
    ['CREATE_COMPLETE', 'OBSOLETE', 'obsolete'],
    ['CREATE_COMPLETE', 'EXECUTE_IN_PROGRESS', 'executing'],
    ['CREATE_COMPLETE', 'EXECUTE_COMPLETE', 'executed'],
    ['CREATE_COMPLETE', 'EXECUTE_FAILED', 'failed'],
    ['FAILED', 'UNAVAILABLE', 'failed'],
    ['DELETE_PENDING', 'UNAVAILABLE', 'gone'],
    ['DELETE_IN_PROGRESS', 'UNAVAILABLE', 'gone'],
    ['DELETE_COMPLETE', 'UNAVAILABLE', 'gone'],
    ['DELETE_FAILED', 'UNAVAILABLE', 'failed'],
    [undefined, undefined, 'making'],
  ])('%s and %s', (Status, ExecutionStatus, is) => {
    expect(changeSetState({ Status, ExecutionStatus }).is).toBe(is)
  })

  test('is empty by the reason, never by the number of changes', () => {
    const reason =
      "The submitted information didn't contain changes. Submit different information to create a change set."
    expect(changeSetState({ Status: 'FAILED', ExecutionStatus: 'UNAVAILABLE', StatusReason: reason })).toEqual({
      is: 'empty',
    })
    expect(changeSetState(changeSet())).toEqual({ is: 'ready' })
    expect(changeSetState({ Status: 'FAILED', StatusReason: 'Transform failed' })).toEqual({
      is: 'failed',
      reason: 'Transform failed',
    })
  })
})

describe('what happens to a resource', () => {
  test.each<[string, DescribedChange, string, boolean]>([
    ['is made', { Action: 'Add' }, 'create', false],
    ['is taken in', { Action: 'Import' }, 'create', false],
    ['is deleted', { Action: 'Remove' }, 'delete', false],
    ['is deleted, by its policy', { Action: 'Remove', PolicyAction: 'Delete' }, 'delete', false],
    ['is let go', { Action: 'Remove', PolicyAction: 'Retain' }, 'delete', true],
    ['is deleted after a snapshot', { Action: 'Remove', PolicyAction: 'Snapshot' }, 'delete', false],
    ['is updated', { Action: 'Modify', Replacement: 'False' }, 'update', false],
    ['is replaced', { Action: 'Modify', Replacement: 'True' }, 'replace', false],
    [
      'is replaced and deleted',
      { Action: 'Modify', Replacement: 'True', PolicyAction: 'ReplaceAndDelete' },
      'replace',
      false,
    ],
    [
      'is replaced and the old one let go',
      { Action: 'Modify', Replacement: 'True', PolicyAction: 'ReplaceAndRetain' },
      'replace',
      true,
    ],
    [
      'is replaced after a snapshot',
      { Action: 'Modify', Replacement: 'True', PolicyAction: 'ReplaceAndSnapshot' },
      'replace',
      false,
    ],
    ['is replaced, told by its policy alone', { Action: 'Modify', PolicyAction: 'ReplaceAndDelete' }, 'replace', false],
    [
      'is replaced where the two differ, for that is the worse',
      { Action: 'Modify', Replacement: 'False', PolicyAction: 'ReplaceAndRetain' },
      'replace',
      true,
    ],
  ])('it %s', (_, change, action, retained) => {
    const { changes } = readChanges(
      changeSet({ LogicalResourceId: 'Queue', ResourceType: 'AWS::SQS::Queue', ...change }),
    )
    expect(changes).toEqual([
      expect.objectContaining({ logicalId: 'Queue', type: 'AWS::SQS::Queue', action, retained }),
    ])
  })

  test('one that is made has no properties, for the digest of what is wanted covers them', () => {
    const { changes } = readChanges(
      changeSet({
        Action: 'Add',
        LogicalResourceId: 'Queue',
        ResourceType: 'AWS::SQS::Queue',
        AfterContext: context({ A: 1 }),
      }),
    )
    expect(changes).toEqual([
      { logicalId: 'Queue', type: 'AWS::SQS::Queue', action: 'create', properties: [], because: [], retained: false },
    ])
  })

  test('where the change set does not say what stays, the policies of the templates do', () => {
    const before: DataMap = {
      Resources: {
        Old: { Type: 'AWS::S3::Bucket', DeletionPolicy: 'RetainExceptOnCreate' },
        Table: { Type: 'AWS::DynamoDB::Table', UpdateReplacePolicy: 'Delete' },
      },
    }
    const after: DataMap = { Resources: { Table: { Type: 'AWS::DynamoDB::Table', UpdateReplacePolicy: 'Retain' } } }
    const { changes } = readChanges(
      changeSet(
        { Action: 'Remove', LogicalResourceId: 'Old', ResourceType: 'AWS::S3::Bucket' },
        { Action: 'Modify', Replacement: 'True', LogicalResourceId: 'Table', ResourceType: 'AWS::DynamoDB::Table' },
      ),
      { before, after },
    )
    expect(changes.map(({ logicalId, retained }) => [logicalId, retained])).toEqual([
      ['Old', true],
      ['Table', true],
    ])
  })

  test('one of which it is known only later may be replaced', () => {
    const { changes, notes } = readChanges(changeSet(modify({ Action: 'Dynamic' })))
    expect(changes).toMatchObject([{ action: 'update', conditional: ['Properties'] }])
    expect(notes).toEqual([expect.stringContaining('Queue')])
  })

  test('one that is only noted to be as it is, is no change', () => {
    expect(readChanges(changeSet(modify({ Action: 'SyncWithActual' }))).changes).toEqual([])
  })
})

describe('the properties of a change', () => {
  test('are found by comparing the resource before and after, as deep as both go', () => {
    const { changes } = readChanges(
      changeSet(
        modify({
          BeforeContext: context({ Rules: [{ Port: '80' }, { Port: '443' }], Name: 'a' }),
          AfterContext: context({ Rules: [{ Port: '8080' }, { Port: '443' }], Delay: '5' }),
        }),
      ),
    )
    expect(changes[0]?.properties).toEqual([
      { path: 'Properties.Delay', after: digest('5') },
      { path: 'Properties.Name', before: digest('a') },
      { path: 'Properties.Rules.0.Port', before: digest('80'), after: digest('8080') },
    ])
  })

  test('have the paths and digests of the local provisioner, so that plans of both compare', () => {
    const stack = { name: 'a', account: '111111111111', region: 'eu-west-1' }
    const properties = {
      VisibilityTimeout: 30,
      RedrivePolicy: { maxReceiveCount: 3 },
      Tags: [{ Key: 'a', Value: 'b' }],
    }
    const wanted = { VisibilityTimeout: 60, RedrivePolicy: { maxReceiveCount: 5 }, Tags: [{ Key: 'a', Value: 'c' }] }
    const before = {
      Queue: {
        type: 'AWS::SQS::Queue',
        physicalId: 'q',
        generation: 1,
        properties,
        tags: {},
        dependencies: [],
        deletionPolicy: 'Delete',
        updateReplacePolicy: 'Delete',
      },
    }
    const body = { Resources: { Queue: { Type: 'AWS::SQS::Queue', Properties: wanted } } }
    const local = planStack({ stack, body, parameters: {}, tags: {} }, { before })
    if (!local.ok) throw new Error('the local plan has problems')
    const texts = (value: object): string => JSON.stringify({ Properties: value }).replaceAll(/:(\d+)/g, ':"$1"')
    const { changes } = readChanges(
      changeSet(modify({ BeforeContext: texts(properties), AfterContext: texts(wanted) })),
    )
    expect(changes).toEqual(local.value.changes)
  })

  test('come from the details where those alone tell of them: a hidden value is the same stars on both sides', () => {
    const { changes } = readChanges(
      changeSet(
        modify({
          BeforeContext: context({ Password: '****', Size: '1' }),
          AfterContext: context({ Password: '****', Size: '2' }),
          Details: [
            property('/Properties/Password', { BeforeValue: '****', AfterValue: '****' }),
            property('/Properties/Size', { BeforeValue: '1', AfterValue: '2' }),
          ],
        }),
      ),
    )
    expect(changes[0]?.properties).toEqual([
      { path: 'Properties.Password', before: digest('****'), after: digest('****') },
      { path: 'Properties.Size', before: digest('1'), after: digest('2') },
    ])
  })

  test('are not told twice where a detail is less deep than the comparison, or deeper', () => {
    const { changes } = readChanges(
      changeSet(
        modify({
          BeforeContext: context({ Policy: { Days: '1' }, Rule: null }),
          AfterContext: context({ Policy: { Days: '2' }, Rule: { Port: '1' } }),
          Details: [property('/Properties/Policy'), property('/Properties/Rule/Port', { AfterValue: '1' })],
        }),
      ),
    )
    expect(changes[0]?.properties.map(({ path }) => path)).toEqual(['Properties.Policy.Days', 'Properties.Rule'])
  })

  test('a path is a JSON pointer, with its escapes', () => {
    const { changes } = readChanges(
      changeSet(modify({ Details: [property('/Properties/Labels/a~1b~0c', { AfterValue: 'x' })] })),
    )
    expect(changes[0]?.properties).toEqual([{ path: 'Properties.Labels.a/b~c', after: digest('x') }])
  })

  test('a map in a detail has the digest of a map, however it is written', () => {
    const read = (AfterValue: string): unknown =>
      readChanges(changeSet(modify({ Details: [property('/Properties/Policy', { AfterValue })] }))).changes
    expect(read('{"b": 1, "a": [2]}')).toEqual(read('{"a":[2],"b":1}'))
    expect(read('{not json')).toMatchObject([{ properties: [{ after: digest('{not json') }] }])
  })

  test('a dynamic reference is compared as it is written, and what it stands for is never seen', () => {
    const { changes } = readChanges(
      changeSet(
        modify({
          BeforeContext: context({ Password: '{{resolve:secretsmanager:db:SecretString:a}}' }),
          AfterContext: context({ Password: '{{resolve:secretsmanager:db:SecretString:b}}' }),
        }),
      ),
    )
    expect(changes[0]?.properties).toEqual([
      {
        path: 'Properties.Password',
        before: digest('{{resolve:secretsmanager:db:SecretString:a}}'),
        after: digest('{{resolve:secretsmanager:db:SecretString:b}}'),
      },
    ])
  })

  test('a value that is known later is told apart from one that is removed', () => {
    const { changes } = readChanges(
      changeSet(
        modify({
          BeforeContext: context({ A: 'x', B: 'y' }),
          AfterContext: context({ A: '{{changeSet:KNOWN_AFTER_APPLY}}' }),
        }),
      ),
    )
    expect(changes[0]?.properties).toEqual([
      { path: 'Properties.A', before: digest('x'), after: digest('{{changeSet:KNOWN_AFTER_APPLY}}') },
      { path: 'Properties.B', before: digest('y') },
    ])
  })

  test('tags of the stack and other attributes are told by their names', () => {
    const { changes } = readChanges(
      changeSet(
        modify({
          Details: [
            { Target: { Attribute: 'Tags', RequiresRecreation: 'Never' }, ChangeSource: 'DirectModification' },
            { Target: { Attribute: 'UpdatePolicy' }, ChangeSource: 'DirectModification' },
          ],
          BeforeContext: context({}, { Metadata: { A: '1' } }),
          AfterContext: context({}, { Metadata: { A: '2' } }),
        }),
      ),
    )
    expect(changes[0]?.properties.map(({ path }) => path)).toEqual(['Metadata.A', 'Tags', 'UpdatePolicy'])
  })

  test('drift that is put right is compared with what is really there, and the person is told', () => {
    const { changes, notes } = readChanges(
      changeSet(
        modify({
          ResourceDriftStatus: 'MODIFIED',
          Details: [
            property('/Properties/Delay', { BeforeValue: '9', AfterValue: '5' }),
            property('/Properties/Size', { AttributeChangeType: 'SyncWithActual', BeforeValue: '1', AfterValue: '2' }),
          ],
        }),
      ),
    )
    expect(changes[0]?.properties).toEqual([{ path: 'Properties.Delay', before: digest('9'), after: digest('5') }])
    expect(notes).toEqual(['Queue was changed by hand.'])
  })
})

describe('a replacement', () => {
  test('names the properties that cause it', () => {
    const { changes } = readChanges(
      changeSet(
        modify({
          Replacement: 'True',
          Details: [
            property('/Properties/FifoQueue', { RequiresRecreation: 'Always' }),
            property('/Properties/Delay'),
            property('/Properties/QueueName', { RequiresRecreation: 'Always' }),
            property('/Properties/FifoQueue', { RequiresRecreation: 'Always' }),
          ],
        }),
      ),
    )
    expect(changes).toMatchObject([{ action: 'replace', because: ['Properties.FifoQueue', 'Properties.QueueName'] }])
  })

  const reference = (more: DescribedDetail): DescribedDetail => ({
    Target: { Attribute: 'Properties', Name: 'SubnetGroup', RequiresRecreation: 'Always' },
    Evaluation: 'Dynamic',
    ChangeSource: 'ResourceReference',
    CausingEntity: 'Group',
    ...more,
  })
  const database = (...Details: readonly DescribedDetail[]): DescribedChange =>
    modify({ LogicalResourceId: 'Db', ResourceType: 'AWS::RDS::DBInstance', Replacement: 'Conditional', Details })
  const group = (Replacement: string): DescribedChange =>
    modify({ LogicalResourceId: 'Group', ResourceType: 'AWS::RDS::DBSubnetGroup', Replacement })

  test.each<[string, readonly DescribedChange[], readonly string[] | undefined]>([
    ['what it mentions is replaced too', [database(reference({})), group('True')], ['Properties.SubnetGroup']],
    [
      'what it mentions may be replaced too',
      [database(reference({})), group('Conditional')],
      ['Properties.SubnetGroup'],
    ],
    ['what it mentions is not in the change set', [database(reference({}))], ['Properties.SubnetGroup']],
    ['what it mentions is only updated, which keeps its id', [database(reference({})), group('False')], undefined],
    [
      'it mentions an attribute, which an update may change',
      [database(reference({ ChangeSource: 'ResourceAttribute', CausingEntity: 'Group.Arn' })), group('False')],
      ['Properties.SubnetGroup'],
    ],
    [
      'the property replaces under conditions',
      [database(property('/Properties/Engine', { RequiresRecreation: 'Conditionally' }))],
      ['Properties.Engine'],
    ],
    ['no detail says why', [database()], ['Properties']],
  ])('that may be, where %s', (_, changes, conditional) => {
    const [found] = readChanges(changeSet(...changes)).changes
    expect(found).toMatchObject({ logicalId: 'Db', action: 'update' })
    expect(found?.conditional).toEqual(conditional)
  })
})

describe('nested stacks', () => {
  const nestedId = 'arn:aws:cloudformation:eu-west-1:111111111111:changeSet/n/1'
  const network = (more: DescribedChange = {}): DescribedChange =>
    modify({ LogicalResourceId: 'Network', ResourceType: 'AWS::CloudFormation::Stack', ChangeSetId: nestedId, ...more })
  const automatic: DescribedDetail = {
    Target: { Attribute: 'Properties', Name: 'TemplateURL', RequiresRecreation: 'Never' },
    Evaluation: 'Dynamic',
    ChangeSource: 'Automatic',
  }
  const empty: DescribedChangeSet = {
    Status: 'FAILED',
    ExecutionStatus: 'UNAVAILABLE',
    StatusReason:
      "The submitted information didn't contain changes. Submit different information to create a change set.",
  }

  test('are described by change sets of their own', () => {
    expect(nestedChangeSets(changeSet(network(), modify({})))).toEqual([nestedId])
  })

  test('are told by what changes in them, with their path before the names', () => {
    const deeper = 'arn:aws:cloudformation:eu-west-1:111111111111:changeSet/n/2'
    const nested = new Map([
      [
        nestedId,
        changeSet(
          { Action: 'Add', LogicalResourceId: 'Vpc', ResourceType: 'AWS::EC2::VPC' },
          network({ LogicalResourceId: 'Inner', ChangeSetId: deeper }),
        ),
      ],
      [deeper, changeSet(modify({ Replacement: 'True' }))],
    ])
    const { changes } = readChanges(changeSet(network({ Details: [automatic] })), { nested })
    expect(changes.map(({ logicalId, action }) => `${action} ${logicalId}`)).toEqual([
      'create Network/Vpc',
      'replace Network/Inner/Queue',
    ])
  })

  test('are no change where nothing changes in them, though they are always listed', () => {
    const { changes } = readChanges(changeSet(network({ Details: [automatic] })), {
      nested: new Map([[nestedId, empty]]),
    })
    expect(changes).toEqual([])
  })

  test('are an update where only their outputs change', () => {
    const { changes } = readChanges(changeSet(network({ Details: [automatic] })), {
      nested: new Map([[nestedId, changeSet()]]),
    })
    expect(changes).toMatchObject([{ logicalId: 'Network', action: 'update', properties: [] }])
  })

  test('are told themselves where their parameters change', () => {
    const own = property('/Properties/Parameters/Cidr', { BeforeValue: 'a', AfterValue: 'b' })
    const { changes } = readChanges(changeSet(network({ Details: [automatic, own] })), {
      nested: new Map([[nestedId, changeSet(modify({}))]]),
    })
    expect(changes.map(({ logicalId }) => logicalId)).toEqual(['Network', 'Network/Queue'])
  })

  test('may lose anything where it is not known what changes in them', () => {
    const { changes, notes } = readChanges(changeSet(network({ ChangeSetId: undefined })))
    expect(changes).toMatchObject([{ logicalId: 'Network', action: 'update', conditional: ['Properties'] }])
    expect(notes).toEqual(['What changes in the nested stack Network is not known.'])
  })

  test('that are deleted are told, and the guard knows that all in them goes along', () => {
    expect(readChanges(changeSet(network({ Action: 'Remove', ChangeSetId: undefined }))).changes).toMatchObject([
      { logicalId: 'Network', action: 'delete', type: 'AWS::CloudFormation::Stack' },
    ])
  })
})

describe('a description that lacks something', () => {
  const warned =
    '[WARN] --include-property-values option can return incomplete ChangeSet data because: ChangeSet data is too large'

  test('says so, and is completed by one without values', () => {
    const withValues = {
      ...changeSet(modify({ BeforeContext: context({ A: '1' }), AfterContext: context({ A: '2' }) })),
      StatusReason: warned,
    }
    const without = changeSet(
      { Action: 'Remove', LogicalResourceId: 'Topic', ResourceType: 'AWS::SNS::Topic' },
      modify({ Details: [property('/Properties/A')] }),
    )
    expect(isIncomplete(withValues)).toBe(true)
    expect(isIncomplete(without)).toBe(false)
    const { changes, notes } = readChanges(mergedWith(withValues, without))
    expect(changes).toMatchObject([
      { logicalId: 'Topic', action: 'delete' },
      { logicalId: 'Queue', properties: [{ path: 'Properties.A', before: digest('1'), after: digest('2') }] },
    ])
    expect(notes).toEqual([expect.stringContaining('without the values of some properties')])
  })

  test('loses nothing that only the one with values has', () => {
    expect(mergedWith(changeSet(modify({})), changeSet()).Changes).toHaveLength(1)
  })

  test('has the digest of the wanted expression in the place of the value, whether the live template is at hand or not', () => {
    const at = (value: string): DataMap => ({
      Resources: { Queue: { Type: 'AWS::SQS::Queue', Properties: { Delay: value, Name: 'same' } } },
    })
    const detail = (Name: string): DescribedDetail => ({
      Target: { Attribute: 'Properties', Name, RequiresRecreation: 'Never' },
    })
    const given = changeSet(modify({ Details: [detail('Delay'), detail('Name')] }))
    const { changes } = readChanges(given, { before: at('1'), after: at('2') })
    expect(changes[0]?.properties).toEqual([
      { path: 'Properties.Delay', after: digest('2') },
      { path: 'Properties.Name', after: digest('same') },
    ])
    expect(readChanges(given, { after: at('2') }).changes).toEqual(changes)
  })
})

describe('policies', () => {
  const before: DataMap = { Resources: { Queue: { Type: 'AWS::SQS::Queue' } } }
  const wanted: DataMap = { Resources: { Queue: { Type: 'AWS::SQS::Queue', DeletionPolicy: 'Retain' } } }

  test('that change are told by the templates, and the note that makes CloudFormation see it is not', () => {
    const after = withMarks(before, wanted)
    const { changes } = readChanges(
      changeSet(
        modify({
          BeforeContext: context({}),
          AfterContext: context({}, { Metadata: { 'Protium::Policies': 'Retain Delete' } }),
          Details: [
            { Target: { Attribute: 'Metadata', RequiresRecreation: 'Never' }, ChangeSource: 'DirectModification' },
          ],
        }),
      ),
      { before, after },
    )
    expect(changes).toMatchObject([
      { action: 'update', properties: [{ path: 'DeletionPolicy', after: digest('Retain') }] },
    ])
  })
})

test('policies that the change set lists are told as those that the templates show, whether the live one is at hand or not', () => {
  const at = (DeletionPolicy: string): DataMap => ({
    Resources: { Queue: { Type: 'AWS::SQS::Queue', DeletionPolicy } },
  })
  const detail: DescribedDetail = {
    Target: { Attribute: 'DeletionPolicy', AfterValue: 'Retain' },
    ChangeSource: 'DirectModification',
  }
  const read = (change: DescribedChange, before?: DataMap): unknown =>
    readChanges(changeSet(change), { before, after: at('Retain') }).changes[0]?.properties
  const told = [{ path: 'DeletionPolicy', after: digest('Retain') }]
  expect(read(modify({}), at('Delete'))).toEqual(told)
  expect(read(modify({ Details: [detail] }))).toEqual(told)
  expect(read(modify({ Details: [detail] }), at('Delete'))).toEqual(told)
  expect(read(modify({}), at('Retain'))).toEqual([])
})

test('the note of policies, where it alone is written or gone, is no change; other metadata is', () => {
  const noted = (Metadata: Record<string, unknown>): DescribedChange =>
    modify({
      Scope: ['Metadata'],
      BeforeContext: context({}, { Metadata }),
      AfterContext: context({}),
      Details: [{ Target: { Attribute: 'Metadata', RequiresRecreation: 'Never' }, ChangeSource: 'DirectModification' }],
    })
  expect(readChanges(changeSet(noted({ 'Protium::Policies': 'Retain Delete' }))).changes).toEqual([])
  expect(readChanges(changeSet(noted({ 'Protium::Policies': 'Retain Delete', Own: 'x' }))).changes).toMatchObject([
    { action: 'update', properties: [{ path: 'Metadata' }] },
  ])
})

describe('outputs', () => {
  const before: DataMap = {
    Resources: { Queue: { Type: 'AWS::SQS::Queue' } },
    Outputs: {
      Url: { Value: { Ref: 'Queue' } },
      Arn: { Value: { 'Fn::Sub': '${Queue.Arn}' }, Description: 'old' },
      Fixed: { Value: 'a' },
      Gone: { Value: 'x' },
    },
  }
  const after: DataMap = {
    Resources: { Queue: { Type: 'AWS::SQS::Queue' } },
    Outputs: {
      Url: { Value: { Ref: 'Queue' } },
      Arn: { Value: { 'Fn::Sub': '${Queue.Arn}' }, Description: 'new' },
      Fixed: { Value: 'b' },
      New: { Value: 'y', Export: { Name: 'y' } },
    },
  }

  test('alone can change: there are no changes of resources, and the change set is ready', () => {
    const { changes, outputs } = readChanges(changeSet(), { before, after })
    expect(changes).toEqual([])
    expect(outputs).toEqual([
      { path: 'Outputs.Fixed', before: digest({ Value: 'a' }), after: digest({ Value: 'b' }) },
      { path: 'Outputs.Gone', before: digest({ Value: 'x' }) },
      { path: 'Outputs.New', after: digest({ Value: 'y', Export: { Name: 'y' } }) },
    ])
  })

  test('change with a resource that is made anew, and not with one that is updated', () => {
    const outputs = (change: DescribedChange): readonly string[] =>
      readChanges(changeSet(change), { before, after: before }).outputs.map(({ path }) => path)
    expect(outputs(modify({ Replacement: 'True' }))).toEqual(['Outputs.Arn', 'Outputs.Url'])
    expect(outputs(modify({ Replacement: 'Conditional' }))).toEqual(['Outputs.Arn', 'Outputs.Url'])
    expect(outputs(modify({}))).toEqual([])
  })

  test('are not known without the templates', () => {
    expect(readChanges(changeSet(), { after }).outputs).toEqual([])
  })
})

describe('any change set', () => {
  const word = fc.constantFrom(
    'Add',
    'Modify',
    'Remove',
    'Import',
    'Dynamic',
    'True',
    'False',
    'Conditional',
    'Properties',
    'Always',
    'secret-value',
    '/Properties/A/0',
    '{"a":"secret-value"}',
    '[',
    '',
    'ReplaceAndRetain',
  )
  const text = fc.option(word, { nil: undefined })
  const detail: fc.Arbitrary<DescribedDetail> = fc.record({
    Target: fc.option(
      fc.record({
        Attribute: text,
        Name: text,
        RequiresRecreation: text,
        Path: text,
        BeforeValue: text,
        AfterValue: text,
        AttributeChangeType: text,
      }),
      { nil: undefined },
    ),
    Evaluation: text,
    ChangeSource: text,
    CausingEntity: text,
  })
  const anyContext = fc.option(
    fc
      .dictionary(fc.constantFrom('Properties', 'Tags', 'Metadata'), fc.jsonValue({ maxDepth: 3 }))
      .map((value) => JSON.stringify(value)),
    { nil: undefined },
  )
  const change: fc.Arbitrary<DescribedChange> = fc.record({
    Action: text,
    PolicyAction: text,
    LogicalResourceId: fc.constantFrom('A', 'B'),
    ResourceType: fc.constantFrom('AWS::SQS::Queue', 'AWS::CloudFormation::Stack'),
    Replacement: text,
    Details: fc.array(detail, { maxLength: 3 }),
    BeforeContext: anyContext,
    AfterContext: anyContext,
  })

  test('is read without a throw, and the same each time', () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 4 }), (changes) => {
        const read = readChanges(changeSet(...changes))
        expect(readChanges(changeSet(...changes))).toEqual(read)
        for (const { properties } of read.changes) {
          expect(new Set(properties.map(({ path }) => path)).size).toBe(properties.length)
          for (const { before, after } of properties)
            for (const side of [before, after]) expect(side ?? digest('')).toMatch(/^sha256:[0-9a-f]{64}$/)
        }
      }),
    )
  })

  test('never lets a value through', () => {
    const secret = 'secret-value'
    const read = readChanges(
      changeSet(
        modify({
          BeforeContext: context({ Password: secret, Map: { a: [secret] } }),
          AfterContext: context({ Password: `${secret}2`, Map: { a: [secret, secret] } }),
          Details: [property('/Properties/Password', { BeforeValue: secret, AfterValue: `${secret}2` })],
        }),
      ),
    )
    expect(JSON.stringify(read)).not.toContain(secret)
  })
})
