import { describe, expect, test } from 'vitest'
import { isMap } from '../../src/core/data.ts'
import { checkPolicy } from '../../src/core/policy.ts'
import type { Problem } from '../../src/core/problem.ts'
import { readYaml } from '../../src/core/yaml.ts'

/** The problems of the resources of a template, written in YAML as people write it. */
function problemsOf(resources: string, options?: { production?: boolean }): Problem[] {
  const indented = resources.replaceAll(/^/gmu, '  ')
  const read = readYaml('template.yaml', `Resources:\n${indented}\n`, 'cloudformation')
  if (!read.ok) throw new Error(`The test's template cannot be read: ${JSON.stringify(read.problems)}`)
  const { data } = read.value
  expect(isMap(data)).toBe(true)
  return isMap(data) ? checkPolicy(data, (path) => read.value.place(path), options) : []
}

function codesOf(resources: string, options?: { production?: boolean }): string[] {
  return problemsOf(resources, options).map(({ code }) => code)
}

function role(statement: string): string {
  return `
Role:
  Type: AWS::IAM::Role
  Properties:
    AssumeRolePolicyDocument:
      Statement: [{ Effect: Allow, Principal: { Service: ecs-tasks.amazonaws.com }, Action: sts:AssumeRole }]
    Policies:
      - PolicyName: own
        PolicyDocument:
          Statement:
            - ${statement}`
}

describe('what a role may do', () => {
  test.each([
    ['everything', `{ Effect: Allow, Action: '*', Resource: !GetAtt Table.Arn }`],
    ['everything of a service', `{ Effect: Allow, Action: 'dynamodb:*', Resource: !GetAtt Table.Arn }`],
    [
      'a family that writes',
      `{ Effect: Allow, Action: [dynamodb:GetItem, 'dynamodb:Put*'], Resource: !GetAtt Table.Arn }`,
    ],
    ['a pattern that begins with a star', `{ Effect: Allow, Action: 's3:*Object', Resource: !GetAtt Bucket.Arn }`],
    ['one unknown letter', `{ Effect: Allow, Action: 's3:?etObject', Resource: !GetAtt Bucket.Arn }`],
    ['all but one action', `{ Effect: Allow, NotAction: iam:CreateUser, Resource: !GetAtt Table.Arn }`],
    [
      'everything, on one branch',
      `{ Effect: Allow, Action: !If [IsDev, 'dynamodb:*', dynamodb:GetItem], Resource: !GetAtt Table.Arn }`,
    ],
  ])('refuses %s as an action', (_what, statement) => {
    expect(codesOf(role(statement))).toEqual(['policy-wildcard-action'])
  })

  test.each([
    [
      'named actions on a named resource',
      `{ Effect: Allow, Action: [dynamodb:GetItem, dynamodb:PutItem], Resource: !GetAtt Table.Arn }`,
    ],
    ['a family that reads', `{ Effect: Allow, Action: 's3:Get*', Resource: !Sub '\${Bucket.Arn}/*' }`],
    ['what forbids', `{ Effect: Deny, Action: '*', Resource: '*' }`],
    [
      'an action that AWS checks against no resource',
      `{ Effect: Allow, Action: ecr:GetAuthorizationToken, Resource: '*' }`,
    ],
    ['such an action in other letters', `{ Effect: Allow, Action: ECR:getauthorizationtoken, Resource: '*' }`],
    ['a family of such actions', `{ Effect: Allow, Action: ['ec2:Describe*', ec2:DescribeSubnets], Resource: '*' }`],
    [
      'a part of a name',
      `{ Effect: Allow, Action: logs:PutLogEvents, Resource: !Sub 'arn:aws:logs:*:*:log-group:/own/*' }`,
    ],
    [
      'a resource that only the deployment knows',
      `{ Effect: Allow, Action: s3:PutObject, Resource: !ImportValue Bucket }`,
    ],
    [
      "the network interfaces of the stack's account",
      `{ Effect: Allow, Action: ec2:CreateNetworkInterface, Resource: !Sub 'arn:\${AWS::Partition}:ec2:\${AWS::Region}:\${AWS::AccountId}:*/*' }`,
    ],
  ])('allows %s', (_what, statement) => {
    expect(codesOf(role(statement))).toEqual([])
  })

  test.each([
    ['a star', `{ Effect: Allow, Action: dynamodb:GetItem, Resource: '*' }`],
    ['a star among others', `{ Effect: Allow, Action: dynamodb:GetItem, Resource: [!GetAtt Table.Arn, '*'] }`],
    ['all of a service', `{ Effect: Allow, Action: s3:GetObject, Resource: 'arn:aws:s3:::*' }`],
    [
      'all of a service, put together',
      `{ Effect: Allow, Action: s3:GetObject, Resource: !Join ['', ['arn:', !Ref AWS::Partition, ':s3:::*']] }`,
    ],
    ['all but one resource', `{ Effect: Allow, Action: s3:GetObject, NotResource: !GetAtt Bucket.Arn }`],
    ['a star on one branch', `{ Effect: Allow, Action: s3:GetObject, Resource: !If [IsDev, '*', !GetAtt Bucket.Arn] }`],
    ['all network interfaces of all accounts', `{ Effect: Allow, Action: ec2:CreateNetworkInterface, Resource: '*' }`],
  ])('refuses %s as a resource', (_what, statement) => {
    expect(codesOf(role(statement))).toEqual(['policy-wildcard-resource'])
  })

  test('names only those actions that could have a narrower resource', () => {
    const [problem] = problemsOf(
      role(`{ Effect: Allow, Action: [ecr:GetAuthorizationToken, ecr:BatchGetImage], Resource: '*' }`),
    )
    expect(problem?.message).toBe('Role may do `ecr:BatchGetImage` to every resource.')
    expect(problem?.at).toMatchObject({ file: 'template.yaml', line: 12 })
  })

  test.each(['AWS::IAM::Policy', 'AWS::IAM::ManagedPolicy', 'AWS::IAM::RolePolicy'])('looks into %s', (type) => {
    const codes = codesOf(`
Extra:
  Type: ${type}
  Properties:
    PolicyDocument:
      Statement: { Effect: Allow, Action: 'sqs:*', Resource: '*' }`)
    expect(codes).toEqual(['policy-wildcard-action', 'policy-wildcard-resource'])
  })

  test.each([
    ['arn:aws:iam::aws:policy/AdministratorAccess', ['policy-wildcard-action']],
    ['arn:aws:iam::aws:policy/AmazonS3FullAccess', ['policy-wildcard-action']],
    ['arn:aws:iam::aws:policy/job-function/SystemAdministrator', ['policy-wildcard-action']],
    ['arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy', []],
    ['arn:aws:iam::111111111111:policy/own', []],
  ])('judges the managed policy %s', (arn, codes) => {
    expect(codesOf(`Role: { Type: AWS::IAM::Role, Properties: { ManagedPolicyArns: ['${arn}'] } }`)).toEqual(codes)
  })

  test.each([
    [`Principal: '*'`, ['policy-open-trust']],
    [`Principal: { AWS: ['*'] }`, ['policy-open-trust']],
    [`Principal: { AWS: '*' }, Condition: { StringEquals: { aws:PrincipalOrgID: o-1 } }`, []],
    [`Principal: { Service: lambda.amazonaws.com }`, []],
  ])('judges who may take a role: %s', (principal, codes) => {
    expect(
      codesOf(`
Role:
  Type: AWS::IAM::Role
  Properties:
    AssumeRolePolicyDocument: { Statement: [{ Effect: Allow, Action: sts:AssumeRole, ${principal} }] }`),
    ).toEqual(codes)
  })
})

const balancer = `
Balancer:
  Type: AWS::ElasticLoadBalancingV2::LoadBalancer
  Properties: { Scheme: SCHEME, SecurityGroups: [!GetAtt Group.GroupId] }
Listener:
  Type: AWS::ElasticLoadBalancingV2::Listener
  Properties:
    LoadBalancerArn: !Ref Balancer
    Port: 443
    Protocol: HTTPS
    SslPolicy: ELBSecurityPolicy-TLS13-1-2-2021-06`

function group(rule: string): string {
  return `
Group:
  Type: AWS::EC2::SecurityGroup
  Properties:
    SecurityGroupIngress:
      - ${rule}`
}

describe('doors', () => {
  test.each([
    ['a port', '{ IpProtocol: tcp, FromPort: 8080, ToPort: 8080, CidrIp: 0.0.0.0/0 }', 'port 8080'],
    ['a port by IPv6', `{ IpProtocol: tcp, FromPort: 8080, ToPort: 8080, CidrIpv6: '::/0' }`, 'port 8080'],
    ['all ports', `{ IpProtocol: '-1', CidrIp: 0.0.0.0/0 }`, 'any port'],
    ['many ports', '{ IpProtocol: tcp, FromPort: 80, ToPort: 443, CidrIp: 0.0.0.0/0 }', 'the ports 80 to 443'],
    ['HTTPS without a load balancer', '{ IpProtocol: tcp, FromPort: 443, ToPort: 443, CidrIp: 0.0.0.0/0 }', 'port 443'],
  ])('refuses a group that lets everybody in on %s', (_what, rule, where) => {
    const [problem, ...more] = problemsOf(group(rule))
    expect(problem?.code).toBe('policy-open-ingress')
    expect(problem?.message).toContain(where)
    expect(more).toEqual([])
  })

  test.each([
    '{ IpProtocol: tcp, FromPort: 8080, ToPort: 8080, CidrIp: 10.0.0.0/16 }',
    '{ IpProtocol: tcp, FromPort: 8080, ToPort: 8080, SourceSecurityGroupId: sg-1 }',
    '{ IpProtocol: tcp, FromPort: 8080, ToPort: 8080, CidrIp: !Ref Office }',
  ])('allows %s', (rule) => {
    expect(codesOf(group(rule))).toEqual([])
  })

  test('allows everybody at a public load balancer, on the port it listens on', () => {
    const rule = group('{ IpProtocol: tcp, FromPort: 443, ToPort: 443, CidrIp: 0.0.0.0/0 }')
    expect(codesOf(rule + balancer.replace('SCHEME', 'internet-facing'))).toEqual([])
  })

  test.each([
    ['an internal load balancer', '443', 'internal'],
    ['a port without a listener', '80', 'internet-facing'],
    ['a port that is none of the web', '8443', 'internet-facing'],
  ])('refuses everybody at %s', (_what, port, scheme) => {
    const rule = group(`{ IpProtocol: tcp, FromPort: ${port}, ToPort: ${port}, CidrIp: 0.0.0.0/0 }`)
    expect(codesOf(rule + balancer.replace('SCHEME', scheme))).toEqual(['policy-open-ingress'])
  })

  test('judges a rule that stands beside its group', () => {
    const rule = `
Rule:
  Type: AWS::EC2::SecurityGroupIngress
  Properties: { GroupId: !GetAtt Group.GroupId, IpProtocol: tcp, FromPort: PORT, ToPort: PORT, CidrIp: 0.0.0.0/0 }
Group: { Type: AWS::EC2::SecurityGroup, Properties: { GroupDescription: x } }${balancer.replace('SCHEME', 'internet-facing')}`
    expect(codesOf(rule.replaceAll('PORT', '443'))).toEqual([])
    expect(codesOf(rule.replaceAll('PORT', '22'))).toEqual(['policy-open-ingress'])
  })

  test.each([
    ['HTTP that answers', 'Protocol: HTTP, DefaultActions: [{ Type: forward }]', ['policy-public-listener']],
    [
      'HTTP that sends on to HTTPS',
      'Protocol: HTTP, DefaultActions: [{ Type: redirect, RedirectConfig: { Protocol: HTTPS } }]',
      [],
    ],
    ['HTTPS with the default of AWS', 'Protocol: HTTPS', ['policy-public-listener']],
    ['HTTPS with an old policy', 'Protocol: HTTPS, SslPolicy: ELBSecurityPolicy-2016-08', ['policy-public-listener']],
    [
      'HTTPS with TLS 1.0 beside 1.3',
      'Protocol: HTTPS, SslPolicy: ELBSecurityPolicy-TLS13-1-0-2021-06',
      ['policy-public-listener'],
    ],
    ['HTTPS from TLS 1.2 on', 'Protocol: HTTPS, SslPolicy: ELBSecurityPolicy-TLS13-1-2-Res-2021-06', []],
  ])('judges a public listener: %s', (_what, listener, codes) => {
    const resources = (scheme: string): string => `
Balancer: { Type: AWS::ElasticLoadBalancingV2::LoadBalancer, Properties: { Scheme: ${scheme} } }
Listener: { Type: AWS::ElasticLoadBalancingV2::Listener, Properties: { LoadBalancerArn: !Ref Balancer, ${listener} } }`
    expect(codesOf(resources('internet-facing'))).toEqual(codes)
    expect(codesOf(resources('internal'))).toEqual([])
  })
})

describe('encryption at rest', () => {
  test.each([
    ['AWS::SNS::Topic', '{}', '{ KmsMasterKeyId: !GetAtt Key.Arn }'],
    ['AWS::SQS::Queue', '{ SqsManagedSseEnabled: false }', '{}'],
    [
      'AWS::SQS::Queue',
      `{ SqsManagedSseEnabled: 'false' }`,
      '{ SqsManagedSseEnabled: false, KmsMasterKeyId: alias/own }',
    ],
    ['AWS::DynamoDB::Table', '{}', '{ SSESpecification: { SSEEnabled: true } }'],
    [
      'AWS::ElastiCache::ReplicationGroup',
      '{ AtRestEncryptionEnabled: true }',
      '{ AtRestEncryptionEnabled: true, TransitEncryptionEnabled: true }',
    ],
    ['AWS::EFS::FileSystem', '{ Encrypted: false }', `{ Encrypted: 'true' }`],
    ['AWS::RDS::DBInstance', '{}', '{ DBClusterIdentifier: !Ref Cluster }'],
    ['AWS::RDS::DBCluster', '{ StorageEncrypted: !If [IsDev, false, true] }', '{ StorageEncrypted: !Ref Encrypted }'],
    [
      'AWS::EFS::FileSystem',
      '{ Encrypted: !If [IsDev, !Ref AWS::NoValue, true] }',
      '{ Encrypted: !If [IsDev, true, true] }',
    ],
    ['AWS::OpenSearchService::Domain', '{}', '{ EncryptionAtRestOptions: { Enabled: true } }'],
    ['AWS::Kinesis::Stream', '{}', '{ StreamEncryption: { EncryptionType: KMS, KeyId: alias/aws/kinesis } }'],
  ])('tells a %s with %s from one with %s', (type, open, closed) => {
    expect(codesOf(`Store: { Type: ${type}, Properties: ${open} }`)).toEqual(['policy-unencrypted'])
    expect(codesOf(`Store: { Type: ${type}, Properties: ${closed} }`)).toEqual([])
  })

  test('warns only of a table, which AWS encrypts in any case', () => {
    expect(problemsOf('Table: { Type: AWS::DynamoDB::Table }').map(({ severity }) => severity)).toEqual(['warning'])
  })

  test('refuses a cache node that cannot be encrypted, and takes a serverless cache', () => {
    expect(codesOf('Cache: { Type: AWS::ElastiCache::CacheCluster, Properties: { Engine: redis } }')).toEqual([
      'policy-unencrypted',
    ])
    expect(codesOf('Cache: { Type: AWS::ElastiCache::ServerlessCache, Properties: { Engine: valkey } }')).toEqual([])
  })
})

describe('logs', () => {
  test.each([
    ['a group without retention', 'Log: { Type: AWS::Logs::LogGroup }', ['policy-log-retention']],
    ['a group with retention', 'Log: { Type: AWS::Logs::LogGroup, Properties: { RetentionInDays: 30 } }', []],
    [
      'a group whose parameter says it',
      'Log: { Type: AWS::Logs::LogGroup, Properties: { RetentionInDays: !Ref Days } }',
      [],
    ],
    [
      'a function without a group',
      'Function: { Type: AWS::Lambda::Function, Properties: { Timeout: 3 } }',
      ['policy-log-retention'],
    ],
    [
      'a function with its group',
      'Function: { Type: AWS::Lambda::Function, Properties: { LoggingConfig: { LogGroup: !Ref Log } } }',
      [],
    ],
    [
      'a function whose group has its name',
      `Function: { Type: AWS::Lambda::Function }
Log: { Type: AWS::Logs::LogGroup, Properties: { LogGroupName: !Sub '/aws/lambda/\${Function}', RetentionInDays: 30 } }`,
      [],
    ],
    [
      'a named function and the group of another',
      `Function: { Type: AWS::Lambda::Function, Properties: { FunctionName: one } }
Log: { Type: AWS::Logs::LogGroup, Properties: { LogGroupName: /aws/lambda/two, RetentionInDays: 30 } }`,
      ['policy-log-retention'],
    ],
    [
      'a container that makes its group',
      `Task: { Type: AWS::ECS::TaskDefinition, Properties: { ContainerDefinitions: [{ LogConfiguration: { Options: { awslogs-create-group: 'true' } } }] } }`,
      ['policy-log-retention'],
    ],
    [
      'a container that writes into one',
      'Task: { Type: AWS::ECS::TaskDefinition, Properties: { ContainerDefinitions: [{ LogConfiguration: { Options: { awslogs-group: !Ref Log } } }] } }',
      [],
    ],
  ])('judges %s', (_what, resources, codes) => {
    expect(codesOf(resources)).toEqual(codes)
  })
})

describe('stores of production', () => {
  const queue = (policies: string): string => `Queue: { Type: AWS::SQS::Queue${policies} }`

  test.each([
    ['says nothing', '', ['policy-unretained-store', 'policy-unretained-store']],
    ['is deleted with its stack', ', DeletionPolicy: Delete, UpdateReplacePolicy: Retain', ['policy-unretained-store']],
    ['is lost when it is replaced', ', DeletionPolicy: Retain', ['policy-unretained-store']],
    ['is kept', ', DeletionPolicy: Retain, UpdateReplacePolicy: Retain', []],
    ['is kept once it was made', ', DeletionPolicy: RetainExceptOnCreate, UpdateReplacePolicy: Retain', []],
    [
      'claims a snapshot that queues do not have',
      ', DeletionPolicy: Snapshot, UpdateReplacePolicy: Retain',
      ['policy-unretained-store'],
    ],
  ])('judges a queue that %s', (_what, policies, codes) => {
    expect(codesOf(queue(policies), { production: true })).toEqual(codes)
    expect(codesOf(queue(policies))).toEqual([])
  })

  test('takes a snapshot where there is one, and an instance that lives in a cluster', () => {
    const database = (rest: string): string =>
      `Store: { Type: AWS::RDS::DBCluster, Properties: { StorageEncrypted: true }${rest} }`
    expect(
      codesOf(database(', DeletionPolicy: Snapshot, UpdateReplacePolicy: Snapshot'), { production: true }),
    ).toEqual([])
    const instance = 'Store: { Type: AWS::RDS::DBInstance, Properties: { DBClusterIdentifier: !Ref Cluster } }'
    expect(codesOf(instance, { production: true })).toEqual([])
  })
})

test('a resource is excused from a rule by a reason, and only by one', () => {
  const open = (metadata: string): string => `
Group:
  Type: AWS::EC2::SecurityGroup
  Metadata: ${metadata}
  Properties:
    SecurityGroupIngress: [{ IpProtocol: tcp, FromPort: 25, ToPort: 25, CidrIp: 0.0.0.0/0 }]`
  expect(codesOf(open('{ protium: { allow: { policy-open-ingress: Mail of the world comes in here. } } }'))).toEqual([])
  expect(codesOf(open(`{ protium: { allow: { policy-open-ingress: '' } } }`))).toEqual(['policy-open-ingress'])
  expect(codesOf(open('{ protium: { allow: { policy-unencrypted: Another rule. } } }'))).toEqual([
    'policy-open-ingress',
  ])
})

test('a template without resources, or with odd ones, has no problems and breaks nothing', () => {
  const at = (): { file: string; line: number; column: number } => ({ file: 'template.yaml', line: 1, column: 1 })
  expect(checkPolicy({}, at)).toEqual([])
  expect(checkPolicy({ Resources: [] }, at)).toEqual([])
  expect(
    checkPolicy({ Resources: { A: null, B: { Type: 5 }, C: { Type: 'AWS::IAM::Role', Properties: 'x' } } }, at),
  ).toEqual([])
})
