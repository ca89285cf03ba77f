import { describe, expect, test } from 'vitest'
import { isMap } from '../../../src/core/data.ts'
import { planStack, predictOutputs, type Resources, type StackPlan } from '../../../src/core/stack/plan.ts'
import { readYaml } from '../../../src/core/yaml.ts'

const stack = { name: 'checkout-dev', account: '111111111111', region: 'ap-northeast-2' }

function plan(text: string, before?: Resources, tags: Record<string, string> = {}): StackPlan {
  const read = readYaml('t.yaml', text, 'cloudformation')
  if (!read.ok || !isMap(read.value.data)) throw new Error(`no YAML: ${text.slice(0, 200)}`)
  const planned = planStack({ stack, body: read.value.data, parameters: {}, tags }, { before })
  if (!planned.ok) throw new Error(planned.problems.map(({ code, message }) => `${code}: ${message}`).join('\n'))
  return planned.value
}

function after({ steps }: StackPlan): Resources {
  return Object.fromEntries(steps.map(({ logicalId, record }) => [logicalId, record]))
}

/** What changes from one template to another, in a line for each resource. */
function changes(before: string, now: string): readonly string[] {
  return plan(now, after(plan(before))).changes.map(
    ({ action, logicalId, because, properties, retained, conditional }) =>
      [
        action,
        logicalId,
        properties.map(({ path }) => path).join(' '),
        ...(because.length > 0 ? [`because ${because.join(' ')}`] : []),
        ...(conditional === undefined ? [] : [`perhaps ${conditional.join(' ')}`]),
        ...(retained ? ['retained'] : []),
      ].join(', '),
  )
}

describe('what changes between two templates', () => {
  test.each<[string, string, string, readonly string[]]>([
    ['nothing, if nothing does', 'A: { Type: AWS::SQS::Queue }', 'A: { Type: AWS::SQS::Queue }', []],
    [
      'a number written as a text is the same',
      'A: { Type: AWS::SQS::Queue, Properties: { DelaySeconds: 5 } }',
      "A: { Type: AWS::SQS::Queue, Properties: { DelaySeconds: '5' } }",
      [],
    ],
    [
      'metadata is none of it',
      'A: { Type: AWS::SQS::Queue }',
      'A: { Type: AWS::SQS::Queue, Metadata: { Why: because } }',
      [],
    ],
    [
      'a plain property updates',
      'A: { Type: AWS::SQS::Queue }',
      'A: { Type: AWS::SQS::Queue, Properties: { DelaySeconds: 5 } }',
      ['update, A, Properties.DelaySeconds'],
    ],
    [
      'a property that the specification says so of replaces',
      'A: { Type: AWS::SQS::Queue, Properties: { QueueName: a } }',
      'A: { Type: AWS::SQS::Queue, Properties: { QueueName: b } }',
      ['replace, A, Properties.QueueName, because Properties.QueueName'],
    ],
    [
      'what mentions a replaced resource is updated, or replaced in its turn',
      'V: { Type: AWS::EC2::VPC, Properties: { CidrBlock: 10.0.0.0/16 } }\n  S: { Type: AWS::EC2::Subnet, Properties: { VpcId: !Ref V, CidrBlock: 10.0.0.0/24 } }\n  F: { Type: AWS::Lambda::Function, Properties: { Role: r, Code: { ZipFile: x }, VpcConfig: { SubnetIds: [!Ref S] } } }',
      'V: { Type: AWS::EC2::VPC, Properties: { CidrBlock: 10.1.0.0/16 } }\n  S: { Type: AWS::EC2::Subnet, Properties: { VpcId: !Ref V, CidrBlock: 10.0.0.0/24 } }\n  F: { Type: AWS::Lambda::Function, Properties: { Role: r, Code: { ZipFile: x }, VpcConfig: { SubnetIds: [!Ref S] } } }',
      [
        'replace, V, Properties.CidrBlock, because Properties.CidrBlock',
        'replace, S, Properties.VpcId, because Properties.VpcId',
        'update, F, Properties.VpcConfig.SubnetIds.0',
      ],
    ],
    [
      'a part of a property that replaces',
      'A: { Type: AWS::EFS::AccessPoint, Properties: { FileSystemId: fs, RootDirectory: { Path: /a } } }',
      'A: { Type: AWS::EFS::AccessPoint, Properties: { FileSystemId: fs, RootDirectory: { Path: /b } } }',
      ['replace, A, Properties.RootDirectory.Path, because Properties.RootDirectory.Path'],
    ],
    [
      'a nested property that replaces, wherever it lies',
      'A: { Type: AWS::MSK::Cluster, Properties: { ClusterName: c, BrokerNodeGroupInfo: { InstanceType: a, ClientSubnets: [s1] } } }',
      'A: { Type: AWS::MSK::Cluster, Properties: { ClusterName: d, BrokerNodeGroupInfo: { InstanceType: b, ClientSubnets: [s2] } } }',
      [
        'replace, A, Properties.BrokerNodeGroupInfo.ClientSubnets.0 Properties.BrokerNodeGroupInfo.InstanceType Properties.ClusterName, because Properties.BrokerNodeGroupInfo.ClientSubnets.0 Properties.ClusterName',
      ],
    ],
    [
      'a property that replaces under conditions is an update that says so',
      'A: { Type: AWS::RDS::DBInstance, Properties: { DBInstanceClass: c, MultiAZ: false } }',
      'A: { Type: AWS::RDS::DBInstance, Properties: { DBInstanceClass: c, MultiAZ: true } }',
      ['update, A, Properties.MultiAZ, perhaps Properties.MultiAZ'],
    ],
    [
      'what is gone is deleted, dependants first',
      'A: { Type: AWS::SNS::Topic }\n  B: { Type: AWS::SNS::Subscription, Properties: { TopicArn: !Ref A, Protocol: sqs } }\n  C: { Type: AWS::SNS::Topic }',
      'C: { Type: AWS::SNS::Topic }',
      ['delete, B, ', 'delete, A, '],
    ],
    [
      'what is retained is let go of',
      'A: { Type: AWS::SNS::Topic, DeletionPolicy: Retain }\n  C: { Type: AWS::SNS::Topic }',
      'C: { Type: AWS::SNS::Topic }',
      ['delete, A, , retained'],
    ],
    [
      'a replaced resource may stay as well',
      'A: { Type: AWS::SNS::Topic, UpdateReplacePolicy: Retain, Properties: { TopicName: a } }',
      'A: { Type: AWS::SNS::Topic, UpdateReplacePolicy: Retain, Properties: { TopicName: b } }',
      ['replace, A, Properties.TopicName, because Properties.TopicName, retained'],
    ],
    [
      'what is new is created',
      'A: { Type: AWS::SNS::Topic }',
      'A: { Type: AWS::SNS::Topic }\n  B: { Type: AWS::SNS::Topic, Properties: { TopicName: b } }',
      ['create, B, '],
    ],
    [
      'a new revision of a task definition keeps its family',
      'A: { Type: AWS::ECS::TaskDefinition, Properties: { Family: f, Cpu: 256 } }\n  S: { Type: AWS::ECS::Service, Properties: { TaskDefinition: !Ref A } }',
      'A: { Type: AWS::ECS::TaskDefinition, Properties: { Family: f, Cpu: 512 } }\n  S: { Type: AWS::ECS::Service, Properties: { TaskDefinition: !Ref A } }',
      ['replace, A, Properties.Cpu, because Properties.Cpu', 'update, S, Properties.TaskDefinition'],
    ],
  ])('%s', (_name, before, now, expected) => {
    expect(changes(`Resources:\n  ${before}`, `Resources:\n  ${now}`)).toEqual(expected)
  })

  test('a tag of the stack touches what can carry it, and nothing else', () => {
    const text =
      'Resources: { A: { Type: AWS::SQS::Queue }, B: { Type: AWS::SQS::QueuePolicy, Properties: { Queues: [q], PolicyDocument: {} } } }'
    const before = after(plan(text, undefined, { owner: 'a' }))
    expect(
      plan(text, before, { owner: 'b' }).changes.map(({ logicalId, properties }) => [logicalId, properties[0]?.path]),
    ).toEqual([['A', 'Tags.owner']])
  })

  test('a change holds digests, and never a value', () => {
    const before = after(plan('Resources: { A: { Type: AWS::SQS::Queue, Properties: { DelaySeconds: 5 } } }'))
    const [change] = plan(
      'Resources: { A: { Type: AWS::SQS::Queue, Properties: { DelaySeconds: 7 } } }',
      before,
    ).changes
    expect(change?.properties).toEqual([
      {
        path: 'Properties.DelaySeconds',
        before: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
        after: expect.stringMatching(/^sha256:/),
      },
    ])
  })

  test('a resource cannot be replaced under the name that the template gives it, nor change its type', () => {
    const before = after(plan('Resources: { A: { Type: AWS::SQS::Queue, Properties: { QueueName: q } } }'))
    expect(() =>
      plan('Resources: { A: { Type: AWS::SQS::Queue, Properties: { QueueName: q, FifoQueue: true } } }', before),
    ).toThrow('stack-fixed-name')
    expect(() => plan('Resources: { A: { Type: AWS::SNS::Topic } }', before)).toThrow('stack-type')
  })

  test('the value of a hidden parameter decides conditions, and shows nowhere', () => {
    const read = readYaml(
      't.yaml',
      "Parameters: { P: { Type: String, NoEcho: true } }\nConditions: { C: !Equals [!Ref P, hunter2] }\nResources: { A: { Type: AWS::SSM::Parameter, Properties: { Type: String, Value: !If [C, !Sub 'x${P}', no] } } }\nOutputs: { O: { Value: !GetAtt A.Value } }",
      'cloudformation',
    )
    if (!read.ok || !isMap(read.value.data)) throw new Error('no YAML')
    const planned = planStack({ stack, body: read.value.data, parameters: { P: 'hunter2' }, tags: {} })
    expect(planned.ok && planned.value.outputs['O']).toMatch(/^x\*{4}[0-9a-f]{12}$/)
    expect(JSON.stringify(planned)).not.toContain('hunter2')
  })
})

test('what other stacks export need not be known to predict outputs, and shows as what it is', () => {
  const read = readYaml(
    't.yaml',
    `Resources: { T: { Type: AWS::SNS::Topic } }\nOutputs: { O: { Value: !ImportValue vpc } }`,
    'cloudformation',
  )
  if (!read.ok || !isMap(read.value.data)) throw new Error('no YAML')
  const wish = { stack, body: read.value.data, parameters: {}, tags: {} }
  expect(predictOutputs(wish)).toMatchObject({ ok: true, value: { O: 'import:vpc' } })
  expect(predictOutputs(wish, { imported: () => 'vpc-1' })).toMatchObject({ ok: true, value: { O: 'vpc-1' } })
  expect(predictOutputs(wish, { imported: () => undefined })).toMatchObject({
    ok: false,
    problems: [{ code: 'stack-import' }],
  })
})

describe('ids in the manner of AWS', () => {
  test.each<[string, string, RegExp]>([
    ['AWS::EC2::VPC', '{ CidrBlock: 10.0.0.0/16 }', /^vpc-[0-9a-f]{17}$/],
    ['AWS::EC2::SecurityGroup', '{ GroupDescription: g }', /^sg-[0-9a-f]{17}$/],
    [
      'AWS::SQS::Queue',
      '{ FifoQueue: true }',
      /^https:\/\/sqs\.ap-northeast-2\.amazonaws\.com\/111111111111\/checkout-dev-R-[A-Z0-9]{13}\.fifo$/,
    ],
    [
      'AWS::ECS::Service',
      '{ Cluster: arn:aws:ecs:ap-northeast-2:1:cluster/main, ServiceName: s }',
      /^arn:aws:ecs:ap-northeast-2:111111111111:service\/main\/s$/,
    ],
    ['AWS::ECS::TaskDefinition', '{ Family: f }', /^arn:aws:ecs:ap-northeast-2:111111111111:task-definition\/f:1$/],
    [
      'AWS::ElasticLoadBalancingV2::LoadBalancer',
      '{ Type: network }',
      /:loadbalancer\/net\/[A-Za-z0-9-]{1,32}\/[0-9a-f]{16}$/,
    ],
    ['AWS::Route53::HostedZone', '{ Name: example.com }', /^Z[A-Z0-9]{20}$/],
    [
      'AWS::CertificateManager::Certificate',
      '{ DomainName: example.com }',
      /^arn:aws:acm:ap-northeast-2:111111111111:certificate\/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
    ],
    ['AWS::S3::Bucket', '{}', /^checkout-dev-r-[a-z0-9]{13}$/],
    ['AWS::IAM::Role', '{ AssumeRolePolicyDocument: {} }', /^checkout-dev-R-[A-Z0-9]{13}$/],
    ['AWS::Logs::LogGroup', '{ LogGroupName: /ecs/x }', /^\/ecs\/x$/],
    [
      'AWS::StepFunctions::StateMachine',
      '{ RoleArn: r }',
      /^arn:aws:states:ap-northeast-2:111111111111:stateMachine:checkout-dev-R-[A-Z0-9]{13}$/,
    ],
    ['AWS::DynamoDB::Table', '{ TableName: orders }', /^orders$/],
    ['AWS::KMS::Key', '{}', /^[0-9a-f-]{36}$/],
    ['AWS::EC2::Route', '{ RouteTableId: rtb-1, DestinationCidrBlock: 0.0.0.0/0 }', /^rtb-1\|0\.0\.0\.0\/0$/],
    ['AWS::ApiGatewayV2::Api', '{ Name: a }', /^[a-z0-9]{10}$/],
    [
      'AWS::Lambda::Alias',
      '{ FunctionName: f, FunctionVersion: 1, Name: live }',
      /^arn:aws:lambda:ap-northeast-2:111111111111:function:f:live$/,
    ],
  ])('%s', (type, properties, id) => {
    const text = `Resources: { R: { Type: ${type}, Properties: ${properties} } }`
    expect(after(plan(text))['R']?.physicalId).toMatch(id)
    expect(after(plan(text))).toEqual(after(plan(text)))
  })

  test.each<[string, string, string, RegExp]>([
    [
      'AWS::ElasticLoadBalancingV2::LoadBalancer',
      '{ Scheme: internal }',
      'DNSName',
      /^internal-checkout-de.*\.ap-northeast-2\.elb\.amazonaws\.com$/,
    ],
    [
      'AWS::ElastiCache::ReplicationGroup',
      '{ ReplicationGroupDescription: d }',
      'PrimaryEndPoint.Address',
      /^master\..+\.cache\.amazonaws\.com$/,
    ],
    ['AWS::ElastiCache::ReplicationGroup', '{ ReplicationGroupDescription: d }', 'PrimaryEndPoint.Port', /^6379$/],
    ['AWS::RDS::DBInstance', '{ Engine: postgres }', 'Endpoint.Port', /^5432$/],
    [
      'AWS::DynamoDB::Table',
      '{ KeySchema: [], StreamSpecification: { StreamViewType: KEYS_ONLY } }',
      'StreamArn',
      /^arn:aws:dynamodb:.*:table\/.*\/stream\//,
    ],
    ['AWS::EC2::Subnet', '{ VpcId: v, AvailabilityZone: ap-northeast-2c }', 'AvailabilityZone', /^ap-northeast-2c$/],
    ['AWS::EC2::VPC', '{ CidrBlock: 10.0.0.0/16 }', 'CidrBlock', /^10\.0\.0\.0\/16$/],
    ['AWS::EC2::VPC', '{ CidrBlock: 10.0.0.0/16 }', 'DefaultSecurityGroup', /^sg-[0-9a-f]{17}$/],
    ['AWS::SQS::Queue', '{}', 'Arn', /^arn:aws:sqs:ap-northeast-2:111111111111:checkout-dev-R-[A-Z0-9]{13}$/],
    ['AWS::Lambda::Function', '{ FunctionName: f }', 'Arn', /^arn:aws:lambda:ap-northeast-2:111111111111:function:f$/],
    ['AWS::IAM::Role', '{ RoleName: r }', 'Arn', /^arn:aws:iam::111111111111:role\/r$/],
    [
      'AWS::ECS::Cluster',
      '{}',
      'Arn',
      /^arn:aws:ecs:ap-northeast-2:111111111111:cluster\/checkout-dev-R-[A-Z0-9]{13}$/,
    ],
    [
      'AWS::ECR::Repository',
      '{ RepositoryName: r }',
      'RepositoryUri',
      /^111111111111\.dkr\.ecr\.ap-northeast-2\.amazonaws\.com\/r$/,
    ],
    ['AWS::SNS::Topic', '{ TopicName: t }', 'TopicName', /^t$/],
    [
      'AWS::ServiceDiscovery::PrivateDnsNamespace',
      '{ Name: n, Vpc: v }',
      'Arn',
      /^arn:aws:servicediscovery:ap-northeast-2:111111111111:namespace\/ns-[a-z0-9]{16}$/,
    ],
  ])('%s %s gives %s', (type, properties, attribute, value) => {
    const text = `Resources: { R: { Type: ${type}, Properties: ${properties} } }\nOutputs: { O: { Value: !GetAtt R.${attribute} } }`
    expect(plan(text).outputs['O']).toMatch(value)
  })

  test('the name servers of a zone are four', () => {
    const text =
      "Resources: { Z: { Type: AWS::Route53::HostedZone, Properties: { Name: example.com } } }\nOutputs: { O: { Value: !Join [' ', !GetAtt Z.NameServers] } }"
    expect(plan(text).outputs['O']).toMatch(/^(ns-\d{3}\.awsdns-\d{2}\.(com|net|org|co\.uk) ?){4}$/)
  })

  test('a table without a stream has no ARN for one', () => {
    const text =
      'Resources: { T: { Type: AWS::DynamoDB::Table, Properties: { KeySchema: [] } } }\nOutputs: { O: { Value: !GetAtt T.StreamArn } }'
    expect(() => plan(text)).toThrow('stack-attribute')
  })
})

describe('what would take more than there is', () => {
  const wish = (
    text: string,
    rest: { parameters?: Record<string, string>; tags?: Record<string, string>; name?: string } = {},
  ) => {
    const read = readYaml('t.yaml', text, 'cloudformation')
    if (!read.ok || !isMap(read.value.data)) throw new Error(`no YAML: ${text.slice(0, 200)}`)
    const { name = stack.name, parameters = {}, tags = {} } = rest
    return planStack({ stack: { ...stack, name }, body: read.value.data, parameters, tags }).problems.map(
      ({ code, message }) => `${code}: ${message}`,
    )
  }
  const topic = 'Resources: { T: { Type: AWS::SNS::Topic } }'

  test('loops in loops are counted before they are written out', () => {
    const list = `[${Array.from({ length: 100 }, (_, index) => index).join(', ')}]`
    let body = '{ Type: AWS::SNS::Topic }'
    for (const name of ['A', 'B', 'C', 'D'])
      body = `{ 'Fn::ForEach::${name}': [${name}, ${list}, { 'T\${${name}}': ${body} }] }`
    expect(wish(`Transform: AWS::LanguageExtensions\nResources: ${body}`)).toContain(
      'stack-intrinsic: The loops of this template make more than 10000 copies.',
    )
  })

  test('a long chain of conditions ends in a problem', () => {
    const chain = Array.from({ length: 3000 }, (_, index) => `C${index}: !Not [Condition: C${index + 1}]`).join(', ')
    expect(wish(`Conditions: { ${chain}, C3000: !Equals [a, a] }\n${topic}`)[0]).toBe(
      'stack-limit: More than 200 conditions lie within each other.',
    )
  })

  test('a long chain of resources is put in order all the same', () => {
    const chain = Array.from(
      { length: 1000 },
      (_, index) => `T${index}: { Type: AWS::SNS::Topic, DependsOn: T${index + 1} }`,
    ).join(', ')
    expect(wish(`Resources: { ${chain}, T1000: { Type: AWS::SNS::Topic } }`)).toEqual([])
  })

  test('a pattern made to take forever takes no time', () => {
    const text = `Parameters: { P: { Type: String, AllowedPattern: '(a+)+b' } }\n${topic}`
    expect(wish(text, { parameters: { P: 'a'.repeat(4000) } })).toEqual([
      expect.stringContaining('it does not match the pattern'),
    ])
  })

  test('names, tags and values have their limits', () => {
    expect(wish(topic, { name: 'not_a_name' })).toEqual(['stack-limit: The stack cannot be named "not_a_name".'])
    expect(
      wish(topic, { tags: Object.fromEntries(Array.from({ length: 51 }, (_, index) => [`t${index}`, 'x'])) }),
    ).toEqual(['stack-limit: The stack has 51 tags.'])
    const text = `Parameters: { P: { Type: String } }\n${topic}`
    expect(wish(text, { parameters: { P: '가'.repeat(1366) } })).toEqual([
      'stack-limit: The value of the parameter P is too long.',
    ])
  })
})
