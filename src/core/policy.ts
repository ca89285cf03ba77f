import { type Data, type DataMap, isList, isMap, type Path } from './data.ts'
import type { Place, Problem } from './problem.ts'
import type { ProblemCode } from './problem-codes.ts'

/**
 * Judges a CloudFormation template (intrinsics in long form) by rules that hold for every template of a catalog: no
 * wildcard in what a role may do, no door to everybody but a public load balancer's, encryption at rest, logs that end,
 * and in production stores that outlive their stack.
 *
 * A value behind `Fn::If` is judged on both branches; one that only the deployment knows (a parameter, an attribute) is
 * not judged. A resource may be excused from a rule, with a reason:
 * `Metadata: { protium: { allow: { policy-open-ingress: why } } }`.
 *
 * `at` gives the place of a path in the template, for the problems.
 */
export function checkPolicy(
  template: DataMap,
  at: (path: Path) => Place,
  options: { readonly production?: boolean } = {},
): Problem[] {
  const resources = resourcesOf(template)
  const problems: Problem[] = []
  for (const resource of resources.values()) {
    const findings: Finding[] = [
      ...identity(resource),
      ...ingress(resource, resources),
      ...listener(resource, resources),
      ...encryption(resource),
      ...retention(resource, resources),
      ...(options.production === true ? retained(resource) : []),
    ]
    const allowed = excused(resource)
    for (const { code, severity = 'error', path, message, expected, remedy } of findings) {
      if (!allowed.has(code)) problems.push({ code, severity, message, expected, remedy, at: at(path) })
    }
  }
  return problems
}

type Finding = {
  readonly code: ProblemCode
  readonly severity?: 'error' | 'warning'
  readonly path: Path
  readonly message: string
  readonly expected: string
  readonly remedy: string
}

type Resource = { readonly id: string; readonly type: string; readonly body: DataMap; readonly path: Path }
type Resources = ReadonlyMap<string, Resource>

/** A value with its path. `undefined` is a property that is absent, or taken away by `AWS::NoValue`. */
type Spot = { readonly value: Data | undefined; readonly path: Path }

function resourcesOf(template: DataMap): Resources {
  const found = new Map<string, Resource>()
  const resources = template['Resources']
  if (!isMap(resources)) return found
  for (const [id, body] of Object.entries(resources)) {
    if (!isMap(body) || typeof body['Type'] !== 'string') continue
    found.set(id, { id, type: body['Type'], body, path: ['Resources', id] })
  }
  return found
}

function excused(resource: Resource): ReadonlySet<string> {
  const metadata = resource.body['Metadata']
  const own = isMap(metadata) ? metadata['protium'] : undefined
  const allow = isMap(own) ? own['allow'] : undefined
  if (!isMap(allow)) return new Set()
  return new Set(Object.keys(allow).filter((code) => typeof allow[code] === 'string' && allow[code].trim() !== ''))
}

// ---- What a value may become ---------------------------------------------------------------------------------------------

/** The values that a spot may take: both branches of each `Fn::If`. */
function branches({ value, path }: Spot): Spot[] {
  if (!isMap(value)) return [{ value, path }]
  const choice = value['Fn::If']
  if (isList(choice)) {
    return [1, 2].flatMap((index) => branches({ value: choice[index], path: [...path, 'Fn::If', index] }))
  }
  return [{ value: value['Ref'] === 'AWS::NoValue' ? undefined : value, path }]
}

/** The values that a property, or one inside of it, may take. */
function reach(spot: Spot, ...keys: string[]): Spot[] {
  let spots = branches(spot)
  for (const key of keys) {
    spots = spots.flatMap(({ value, path }) => {
      if (isMap(value) && isIntrinsic(value)) return [{ value, path }]
      return branches({ value: isMap(value) ? value[key] : undefined, path: [...path, key] })
    })
  }
  return spots
}

function properties(resource: Resource, ...keys: string[]): Spot[] {
  return reach({ value: resource.body['Properties'], path: [...resource.path, 'Properties'] }, ...keys)
}

/** The elements of a list, or the one that stands for a list of one, as IAM allows. */
function elements(spots: readonly Spot[]): Spot[] {
  return spots.flatMap(({ value, path }) => {
    if (value === undefined) return []
    if (!isList(value)) return [{ value, path }]
    return elements(value.flatMap((item, index) => branches({ value: item, path: [...path, index] })))
  })
}

function isIntrinsic(value: Data | undefined): boolean {
  if (!isMap(value)) return false
  const [key, ...more] = Object.keys(value)
  return key !== undefined && more.length === 0 && (key === 'Ref' || key === 'Condition' || key.startsWith('Fn::'))
}

/** The text of a string, `Fn::Sub` or `Fn::Join`, with `${}` for what only the deployment knows. */
function textOf(value: Data | undefined): string | undefined {
  if (typeof value === 'string') return value
  if (!isMap(value)) return undefined
  const sub = value['Fn::Sub']
  const template = isList(sub) ? sub[0] : sub
  if (typeof template === 'string') return template.replaceAll(/\$\{[^{}]*\}/gu, '${}')
  const join = value['Fn::Join']
  if (!isList(join)) return undefined
  const [separator, parts] = join
  if (typeof separator !== 'string' || !isList(parts)) return undefined
  return parts.map((part) => textOf(part) ?? '${}').join(separator)
}

/** The logical id that a value refers to by `Ref` or `Fn::GetAtt`. */
function targetOf(value: Data | undefined): string | undefined {
  if (!isMap(value)) return undefined
  if (typeof value['Ref'] === 'string') return value['Ref']
  const attribute = value['Fn::GetAtt']
  if (typeof attribute === 'string') return attribute.split('.')[0]
  if (isList(attribute) && typeof attribute[0] === 'string') return attribute[0]
  return undefined
}

/** CloudFormation takes `true` and `'true'` for the same. */
function isTrue(value: Data | undefined): boolean {
  return value === true || value === 'true'
}

function isSet(value: Data | undefined): boolean {
  return value !== undefined && value !== null && value !== '' && value !== false && value !== 'false'
}

/** A port as a number, or nothing where only the deployment knows it. */
function portOf(value: Data | undefined): number | undefined {
  if (typeof value === 'number') return value
  return typeof value === 'string' && /^\d+$/u.test(value) ? Number(value) : undefined
}

// ---- What a role may do --------------------------------------------------------------------------------------------------

/**
 * Actions that AWS checks against no narrower resource than `*`, from the tables of the Service Authorization Reference
 * (an action whose row names no resource type).
 * https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
 */
const actionsOfEverything: readonly string[] = [
  'acm:ListCertificates',
  'application-autoscaling:Describe*',
  'autoscaling:Describe*',
  'aws-marketplace:MeterUsage',
  'aws-marketplace:RegisterUsage',
  'cloudformation:ValidateTemplate',
  'cloudwatch:GetMetricData',
  'cloudwatch:GetMetricStatistics',
  'cloudwatch:ListMetrics',
  'cloudwatch:PutMetricData',
  'dynamodb:ListStreams',
  'dynamodb:ListTables',
  'ec2:Describe*',
  'ecr:GetAuthorizationToken',
  'ecr-public:GetAuthorizationToken',
  'ecs:DescribeTaskDefinition',
  'ecs:ListClusters',
  'ecs:ListTaskDefinitions',
  'elasticloadbalancing:Describe*',
  'kms:GenerateRandom',
  'kms:ListAliases',
  'kms:ListKeys',
  'lambda:GetAccountSettings',
  'lambda:ListFunctions',
  'route53:GetHostedZoneCount',
  'route53:ListHostedZones',
  'route53:ListHostedZonesByName',
  's3:ListAllMyBuckets',
  'secretsmanager:GetRandomPassword',
  'secretsmanager:ListSecrets',
  'servicediscovery:DiscoverInstances',
  'sns:ListTopics',
  'ssm:DescribeParameters',
  // The channels of ECS Exec and the Session Manager.
  'ssmmessages:CreateControlChannel',
  'ssmmessages:CreateDataChannel',
  'ssmmessages:OpenControlChannel',
  'ssmmessages:OpenDataChannel',
  'sts:GetCallerIdentity',
  'sts:GetServiceBearerToken',
  'tag:GetResources',
  'xray:GetSamplingRules',
  'xray:GetSamplingStatisticSummaries',
  'xray:GetSamplingTargets',
  'xray:PutTelemetryRecords',
  'xray:PutTraceSegments',
]

/**
 * Actions that a service asks for without naming a resource, so that only all resources of the account and region will do:
 * Lambda does so with the network interfaces of a function in a VPC.
 * https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html
 */
const actionsOfTheAccount: readonly string[] = [
  'ec2:AssignPrivateIpAddresses',
  'ec2:CreateNetworkInterface',
  'ec2:DeleteNetworkInterface',
  'ec2:UnassignPrivateIpAddresses',
]

/** Families of actions that may be written with a star: those that read, and two of KMS that AWS itself writes so. */
const families = /^(?:[a-z0-9-]+:(?:BatchGet|Describe|Get|List)[A-Za-z]*\*|kms:(?:GenerateDataKey|ReEncrypt)\*)$/u

/** The name of a policy of AWS's own that allows everything, or everything of a service. */
function broadPolicy(arn: string): string | undefined {
  if (!/^arn:[^:]*:iam::aws:policy\//u.test(arn)) return undefined
  const name = arn.slice(arn.lastIndexOf('/') + 1)
  const broad = name.startsWith('AdministratorAccess') || /FullAccess(?:V\d+)?$/u.test(name)
  return broad || name === 'PowerUserAccess' || name === 'SystemAdministrator' ? name : undefined
}

const identityTypes = new Set(['AWS::IAM::Role', 'AWS::IAM::User', 'AWS::IAM::Group'])
const policyTypes = new Set([
  'AWS::IAM::Policy',
  'AWS::IAM::ManagedPolicy',
  'AWS::IAM::RolePolicy',
  'AWS::IAM::UserPolicy',
  'AWS::IAM::GroupPolicy',
])

function identity(resource: Resource): Finding[] {
  const findings: Finding[] = []
  if (policyTypes.has(resource.type)) findings.push(...permissions(resource, properties(resource, 'PolicyDocument')))
  if (!identityTypes.has(resource.type)) return findings
  for (const policy of elements(properties(resource, 'Policies'))) {
    findings.push(...permissions(resource, reach(policy, 'PolicyDocument')))
  }
  for (const { value, path } of elements(properties(resource, 'ManagedPolicyArns'))) {
    const broad = broadPolicy(textOf(value) ?? '')
    if (broad === undefined) continue
    findings.push({
      code: 'policy-wildcard-action',
      path,
      message: `${resource.id} has AWS's policy ${broad}, which allows every action of a service or of all.`,
      expected: 'A policy with the actions that the role needs.',
      remedy: 'Write these actions into a policy of its own, on the resources of this template.',
    })
  }
  for (const { statement, path } of allowing(properties(resource, 'AssumeRolePolicyDocument'))) {
    for (const principal of reach({ value: statement, path }, 'Principal').flatMap(principals)) {
      if (principal.value !== '*' || isSet(statement['Condition'])) continue
      findings.push({
        code: 'policy-open-trust',
        path: principal.path,
        message: `Everybody, in every account, may take the role ${resource.id}.`,
        expected: 'The service or the account that takes the role.',
        remedy: 'Name the principal, for example `Service: ecs-tasks.amazonaws.com`.',
      })
    }
  }
  return findings
}

function principals(spot: Spot): Spot[] {
  if (!isMap(spot.value) || isIntrinsic(spot.value)) return elements([spot])
  return elements(reach(spot, 'AWS'))
}

/** The statements that allow something. */
function allowing(documents: readonly Spot[]): { readonly statement: DataMap; readonly path: Path }[] {
  return elements(documents.flatMap((document) => reach(document, 'Statement'))).flatMap(({ value, path }) =>
    isMap(value) && value['Effect'] === 'Allow' ? [{ statement: value, path }] : [],
  )
}

function permissions(resource: Resource, documents: readonly Spot[]): Finding[] {
  const findings: Finding[] = []
  for (const { statement, path } of allowing(documents)) {
    for (const key of ['NotAction', 'NotResource'] as const) {
      if (statement[key] === undefined) continue
      findings.push({
        code: key === 'NotAction' ? 'policy-wildcard-action' : 'policy-wildcard-resource',
        path: [...path, key],
        message: `A statement of ${resource.id} allows all but what \`${key}\` lists, also what AWS adds later.`,
        expected: `\`${key.slice(3)}\` with what is needed.`,
        remedy: `Replace \`${key}\` by \`${key.slice(3)}\`.`,
      })
    }
    const actions = elements(reach({ value: statement, path }, 'Action'))
    for (const { value, path: place } of actions) {
      if (typeof value !== 'string' || !/[*?]/u.test(value) || families.test(value)) continue
      findings.push({
        code: 'policy-wildcard-action',
        path: place,
        message: `${resource.id} may do \`${value}\`: more than it can need, and more whenever AWS adds an action.`,
        expected: 'Each action by its name. Families that only read, such as `s3:Get*`, may have a star.',
        remedy: 'List the actions that the service uses.',
      })
    }
    const names = actions.map(({ value }) => (typeof value === 'string' ? value : ''))
    for (const { value, path: place } of elements(reach({ value: statement, path }, 'Resource'))) {
      const narrow = narrowable(names, textOf(value))
      if (narrow.length === 0) continue
      findings.push({
        code: 'policy-wildcard-resource',
        path: place,
        message: `${resource.id} may do \`${narrow.join('`, `')}\` to every resource.`,
        expected: 'The ARNs of the resources it works with. `*` stands only where AWS knows nothing narrower.',
        remedy:
          'Name the resources, for example by `!GetAtt Table.Arn`; put actions that need `*` into a statement of their own.',
      })
    }
  }
  return findings
}

/** Those of the actions that could name a narrower resource than this one does; none where the resource is narrow. */
function narrowable(actions: readonly string[], resource: string | undefined): string[] {
  if (resource === undefined) return []
  const part = /^arn(?::[^:]*){4}:(?<part>.*)$/su.exec(resource)?.groups?.['part'] ?? resource
  if (part !== 'arn:*' && !(part.includes('*') && /^[*/:]+$/u.test(part))) return []
  // An account that is named, or the stack's own, makes an ARN of "all in the account".
  const account = resource.split(':')[4] ?? ''
  const known =
    account === '${}' || /^\d{12}$/u.test(account)
      ? [...actionsOfEverything, ...actionsOfTheAccount]
      : actionsOfEverything
  return actions.filter((action) => action !== '' && !known.some((name) => covers(name, action)))
}

function covers(name: string, action: string): boolean {
  const wanted = name.toLowerCase()
  const given = action.toLowerCase()
  return wanted.endsWith('*') ? given.startsWith(wanted.slice(0, -1)) : given === wanted
}

// ---- Doors ---------------------------------------------------------------------------------------------------------------

const balancerType = 'AWS::ElasticLoadBalancingV2::LoadBalancer'
const listenerType = 'AWS::ElasticLoadBalancingV2::Listener'

function ingress(resource: Resource, resources: Resources): Finding[] {
  const rules =
    resource.type === 'AWS::EC2::SecurityGroup'
      ? elements(properties(resource, 'SecurityGroupIngress')).map((rule) => ({ rule, group: resource.id }))
      : resource.type === 'AWS::EC2::SecurityGroupIngress'
        ? properties(resource).map((rule) => ({ rule, group: groupOf(resource) }))
        : []
  return rules.flatMap(({ rule, group }) =>
    ['CidrIp', 'CidrIpv6'].flatMap((key) =>
      reach(rule, key).flatMap(({ value, path }): Finding[] => {
        if (typeof value !== 'string' || !/\/0+$/u.test(value)) return []
        if (isPublicDoor(rule, group, resources)) return []
        return [
          {
            code: 'policy-open-ingress',
            path,
            message: `${resource.id} lets everybody in (${value}) on ${ports(rule)}.`,
            expected:
              'Another security group as the source. Only a public load balancer takes everybody, on the ports 80 and 443 that it listens on.',
            remedy: 'Write `SourceSecurityGroupId:` with the group of the load balancer or of the caller.',
          },
        ]
      }),
    ),
  )
}

function groupOf(resource: Resource): string | undefined {
  return properties(resource, 'GroupId').map(({ value }) => targetOf(value))[0]
}

function ports({ value }: Spot): string {
  if (!isMap(value)) return 'any port'
  const [from, to] = [portOf(value['FromPort']), portOf(value['ToPort'])]
  if (from === undefined || to === undefined || value['IpProtocol'] === '-1') return 'any port'
  return from === to ? `port ${from}` : `the ports ${from} to ${to}`
}

/** Whether a rule is the door of an internet-facing load balancer: its group, and a port (80 or 443) it listens on. */
function isPublicDoor({ value: rule }: Spot, group: string | undefined, resources: Resources): boolean {
  if (!isMap(rule) || group === undefined) return false
  const port = portOf(rule['FromPort'])
  if (port !== portOf(rule['ToPort']) || (port !== 80 && port !== 443)) return false
  if (rule['IpProtocol'] !== 'tcp' && portOf(rule['IpProtocol']) !== 6) return false
  const holders = [...resources.values()].filter(
    (other) =>
      other.type === balancerType &&
      elements(properties(other, 'SecurityGroups')).some(({ value }) => targetOf(value) === group),
  )
  if (holders.length === 0) return false
  return holders.every(
    (balancer) =>
      isPublic(balancer) &&
      [...resources.values()].some(
        (other) =>
          other.type === listenerType &&
          properties(other, 'LoadBalancerArn').some(({ value }) => targetOf(value) === balancer.id) &&
          properties(other, 'Port').some(({ value }) => portOf(value) === port),
      ),
  )
}

/** A load balancer is internet-facing unless it says `internal`. */
function isPublic(balancer: Resource): boolean {
  return properties(balancer, 'Scheme').some(({ value }) => value === undefined || value === 'internet-facing')
}

/**
 * Policies of load balancers that take TLS 1.2 or later alone.
 * https://docs.aws.amazon.com/elasticloadbalancing/latest/application/describe-ssl-policies.html
 */
const modernTls = /^ELBSecurityPolicy-(?:TLS13-1-[23]-|TLS-1-2-|FS-1-2-)/u

function listener(resource: Resource, resources: Resources): Finding[] {
  if (resource.type !== listenerType) return []
  const balancers = properties(resource, 'LoadBalancerArn').map(({ value }) => resources.get(targetOf(value) ?? ''))
  if (!balancers.some((balancer) => balancer?.type === balancerType && isPublic(balancer))) return []
  const findings: Finding[] = []
  for (const { value, path } of properties(resource, 'Protocol')) {
    if (value === 'HTTP' && !redirects(resource)) {
      findings.push({
        code: 'policy-public-listener',
        path,
        message: `${resource.id} answers the internet without encryption.`,
        expected: 'A listener by HTTP that sends everything on to HTTPS.',
        remedy: 'Make its default action a `redirect` with `Protocol: HTTPS`, and answer on an HTTPS listener.',
      })
    }
    if (value !== 'HTTPS' && value !== 'TLS') continue
    for (const policy of properties(resource, 'SslPolicy')) {
      if (isIntrinsic(policy.value) || (typeof policy.value === 'string' && modernTls.test(policy.value))) continue
      findings.push({
        code: 'policy-public-listener',
        path: policy.path,
        message: `${resource.id} takes versions of TLS older than 1.2.`,
        expected: '`SslPolicy: ELBSecurityPolicy-TLS13-1-2-2021-06`, or another policy of TLS 1.2 and later.',
        remedy: 'Set the policy; the default of AWS takes TLS 1.0.',
      })
    }
  }
  return findings
}

function redirects(resource: Resource): boolean {
  const actions = elements(properties(resource, 'DefaultActions'))
  return (
    actions.length > 0 &&
    actions.every((action) => reach(action, 'RedirectConfig', 'Protocol').every(({ value }) => value === 'HTTPS'))
  )
}

// ---- Data ----------------------------------------------------------------------------------------------------------------

type Encryption = {
  readonly keys: readonly string[]
  readonly test: (value: Data | undefined) => boolean
  readonly say: string
}

const switched = (...keys: string[]): Encryption => ({ keys, test: isTrue, say: `\`${keys.join('.')}: true\`` })
const named = (...keys: string[]): Encryption => ({ keys, test: isSet, say: `\`${keys.join('.')}\`` })

/**
 * What a store has to say to be encrypted at rest. Not here are those that AWS always encrypts: S3 (since January 2023),
 * log groups, serverless caches; and queues, which are encrypted unless they say otherwise (below).
 */
const encryptions: ReadonlyMap<string, readonly Encryption[]> = new Map([
  ['AWS::DAX::Cluster', [switched('SSESpecification', 'SSEEnabled')]],
  ['AWS::DocDB::DBCluster', [switched('StorageEncrypted')]],
  ['AWS::EC2::Volume', [switched('Encrypted')]],
  ['AWS::EFS::FileSystem', [switched('Encrypted')]],
  ['AWS::ElastiCache::ReplicationGroup', [switched('AtRestEncryptionEnabled'), switched('TransitEncryptionEnabled')]],
  ['AWS::Elasticsearch::Domain', [switched('EncryptionAtRestOptions', 'Enabled')]],
  ['AWS::Kinesis::Stream', [named('StreamEncryption', 'KeyId')]],
  ['AWS::Neptune::DBCluster', [switched('StorageEncrypted')]],
  ['AWS::OpenSearchService::Domain', [switched('EncryptionAtRestOptions', 'Enabled')]],
  ['AWS::RDS::DBCluster', [switched('StorageEncrypted')]],
  ['AWS::RDS::DBInstance', [switched('StorageEncrypted')]],
  ['AWS::Redshift::Cluster', [switched('Encrypted')]],
  ['AWS::SNS::Topic', [named('KmsMasterKeyId')]],
])

/** What decides the encryption instead: an instance has that of its cluster, a copy that of its source. */
const inherited = [
  'DBClusterIdentifier',
  'SourceDBInstanceIdentifier',
  'DBSnapshotIdentifier',
  'SnapshotIdentifier',
  'SourceDBClusterIdentifier',
]

function encryption(resource: Resource): Finding[] {
  const rules = encryptions.get(resource.type) ?? []
  const findings: Finding[] = []
  const decidedElsewhere = inherited.some((key) => properties(resource, key).some(({ value }) => isSet(value)))
  for (const { keys, test, say } of decidedElsewhere ? [] : rules) {
    for (const { value, path } of properties(resource, ...keys)) {
      if (isIntrinsic(value) || test(value)) continue
      findings.push(unencrypted(resource, path, `${resource.id} is not encrypted.`, say))
    }
  }
  if (resource.type === 'AWS::SQS::Queue') {
    const ownKey = properties(resource, 'KmsMasterKeyId').every(({ value }) => isSet(value))
    for (const { value, path } of properties(resource, 'SqsManagedSseEnabled')) {
      if (ownKey || (value !== false && value !== 'false')) continue
      findings.push(
        unencrypted(
          resource,
          path,
          `The queue ${resource.id} switches its encryption off.`,
          '`SqsManagedSseEnabled: true`, or `KmsMasterKeyId`',
        ),
      )
    }
  }
  if (resource.type === 'AWS::ElastiCache::CacheCluster') {
    findings.push(
      unencrypted(
        resource,
        [...resource.path, 'Type'],
        `${resource.id} is a single cache node, which cannot be encrypted at rest.`,
        'an `AWS::ElastiCache::ServerlessCache`, or a `ReplicationGroup` with `AtRestEncryptionEnabled: true`',
      ),
    )
  }
  if (resource.type === 'AWS::DynamoDB::Table') {
    for (const { value, path } of properties(resource, 'SSESpecification', 'SSEEnabled')) {
      if (isIntrinsic(value) || isTrue(value)) continue
      findings.push({
        ...unencrypted(
          resource,
          path,
          `The table ${resource.id} is encrypted by a key of AWS alone, which the account can neither watch nor withdraw.`,
          '`SSESpecification.SSEEnabled: true`',
        ),
        severity: 'warning',
      })
    }
  }
  return findings
}

function unencrypted(resource: Resource, path: Path, message: string, say: string): Finding {
  return {
    code: 'policy-unencrypted',
    path,
    message,
    expected: `A store encrypted at rest: ${say}.`,
    remedy: `Write ${say} in ${resource.id}. On a store with data, look in the plan whether it is replaced.`,
  }
}

function retention(resource: Resource, resources: Resources): Finding[] {
  const forever = (path: Path, message: string, expected: string, remedy: string): Finding => ({
    code: 'policy-log-retention',
    path,
    message,
    expected,
    remedy,
  })
  if (resource.type === 'AWS::Logs::LogGroup') {
    return properties(resource, 'RetentionInDays')
      .filter(({ value }) => !isSet(value))
      .map(({ path }) =>
        forever(
          path,
          `The log group ${resource.id} keeps everything for ever.`,
          '`RetentionInDays`.',
          'Set the days, by the retention of the environment.',
        ),
      )
  }
  if (resource.type === 'AWS::Lambda::Function') {
    const group = properties(resource, 'LoggingConfig', 'LogGroup')
    if (group.every(({ value }) => isSet(value)) || hasLogGroup(resource, resources)) return []
    return [
      forever(
        [...resource.path, 'Properties', 'LoggingConfig'],
        `The function ${resource.id} has no log group here; Lambda makes one that keeps everything for ever.`,
        'A log group with `RetentionInDays`, named in `LoggingConfig.LogGroup`.',
        'Add an `AWS::Logs::LogGroup` and refer to it.',
      ),
    ]
  }
  if (resource.type === 'AWS::ECS::TaskDefinition') {
    return elements(properties(resource, 'ContainerDefinitions'))
      .flatMap((container) => reach(container, 'LogConfiguration', 'Options', 'awslogs-create-group'))
      .filter(({ value }) => isTrue(value))
      .map(({ path }) =>
        forever(
          path,
          `A container of ${resource.id} makes its log group itself, and that keeps everything for ever.`,
          'A log group of the template, with `RetentionInDays`.',
          'Add an `AWS::Logs::LogGroup` and refer to it in `awslogs-group`.',
        ),
      )
  }
  return []
}

/** Whether the group that Lambda would make, `/aws/lambda/<function>`, is in the template. */
function hasLogGroup(resource: Resource, resources: Resources): boolean {
  const names = properties(resource, 'FunctionName').map(({ value }) => textOf(value))
  return [...resources.values()].some(
    (other) =>
      other.type === 'AWS::Logs::LogGroup' &&
      properties(other, 'LogGroupName').some(({ value }) => {
        const name = textOf(value)
        if (name === undefined || !name.startsWith('/aws/lambda/')) return false
        return names.includes(name.slice('/aws/lambda/'.length)) || mentions(value, resource.id)
      }),
  )
}

/** Whether `Fn::Sub` or `Fn::Join` puts the name of a resource into a text. */
function mentions(value: Data | undefined, id: string): boolean {
  if (!isMap(value)) return false
  const sub = value['Fn::Sub']
  const template = isList(sub) ? sub[0] : sub
  if (typeof template === 'string') return template.includes(`\${${id}}`)
  const join = value['Fn::Join']
  return isList(join) && isList(join[1]) && join[1].some((part) => targetOf(part) === id)
}

/** Stores, and whether a snapshot keeps their data as well. */
const stores: ReadonlyMap<string, 'retain' | 'snapshot'> = new Map([
  ['AWS::Cognito::UserPool', 'retain'],
  ['AWS::DocDB::DBCluster', 'snapshot'],
  ['AWS::DynamoDB::GlobalTable', 'retain'],
  ['AWS::DynamoDB::Table', 'retain'],
  ['AWS::EC2::Volume', 'snapshot'],
  ['AWS::ECR::Repository', 'retain'],
  ['AWS::EFS::FileSystem', 'retain'],
  ['AWS::ElastiCache::ReplicationGroup', 'snapshot'],
  ['AWS::ElastiCache::ServerlessCache', 'retain'],
  ['AWS::KMS::Key', 'retain'],
  ['AWS::Kinesis::Stream', 'retain'],
  ['AWS::Neptune::DBCluster', 'snapshot'],
  ['AWS::OpenSearchService::Domain', 'retain'],
  ['AWS::RDS::DBCluster', 'snapshot'],
  ['AWS::RDS::DBInstance', 'snapshot'],
  ['AWS::Redshift::Cluster', 'snapshot'],
  ['AWS::S3::Bucket', 'retain'],
  ['AWS::SQS::Queue', 'retain'],
])

function retained(resource: Resource): Finding[] {
  const kept = stores.get(resource.type)
  if (kept === undefined) return []
  if (properties(resource, 'DBClusterIdentifier').some(({ value }) => isSet(value))) return []
  const accepted =
    kept === 'snapshot' ? ['Retain', 'RetainExceptOnCreate', 'Snapshot'] : ['Retain', 'RetainExceptOnCreate']
  const findings: Finding[] = []
  for (const key of ['DeletionPolicy', 'UpdateReplacePolicy'] as const) {
    for (const { value, path } of branches({ value: resource.body[key], path: [...resource.path, key] })) {
      if (isIntrinsic(value) || (typeof value === 'string' && accepted.includes(value))) continue
      findings.push({
        code: 'policy-unretained-store',
        path,
        message: `${resource.id} holds data of production, which is gone when the ${key === 'DeletionPolicy' ? 'stack is deleted' : 'resource is replaced'}.`,
        expected: `\`${key}: Retain\`${kept === 'snapshot' ? ', or `Snapshot`' : ''} in production.`,
        remedy: `Add it beside \`Type:\`; in a template of all stages by \`{{ 'Retain' if environment.outputs.Production == 'true' else 'Delete' }}\`.`,
      })
    }
  }
  return findings
}
