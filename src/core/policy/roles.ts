import { type DataMap, isList, isMap, isShared, type Path } from '../data.ts'
import {
  elements,
  type Finding,
  isIntrinsic,
  isSet,
  properties,
  reach,
  type Resource,
  type Spot,
  textOf,
} from './resources.ts'

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

/** What holds nothing to tell of; renderings share what they have in common. */
const innocent = new WeakSet<object>()

export function identity(resource: Resource): Finding[] {
  if (policyTypes.has(resource.type)) return unlessInnocent(resource, 'PolicyDocument', documentFindings)
  if (!identityTypes.has(resource.type)) return []
  return [
    ...unlessInnocent(resource, 'Policies', policyFindings),
    ...unlessInnocent(resource, 'ManagedPolicyArns', broadFindings),
    ...unlessInnocent(resource, 'AssumeRolePolicyDocument', trustFindings),
  ]
}

/** What a rule finds in a property, which it has to look at once only if that is nothing. */
function unlessInnocent(resource: Resource, key: string, judge: (resource: Resource) => Finding[]): Finding[] {
  const all = resource.body['Properties']
  const property = isMap(all) && !isIntrinsic(all) ? all[key] : undefined
  const isKept = (isMap(property) || isList(property)) && isShared(property)
  if (isKept && innocent.has(property)) return []
  const findings = judge(resource)
  if (isKept && findings.length === 0) innocent.add(property)
  return findings
}

function documentFindings(resource: Resource): Finding[] {
  return permissions(resource, properties(resource, 'PolicyDocument'))
}

function policyFindings(resource: Resource): Finding[] {
  return elements(properties(resource, 'Policies')).flatMap((policy) =>
    permissions(resource, reach(policy, 'PolicyDocument')),
  )
}

function broadFindings(resource: Resource): Finding[] {
  const findings: Finding[] = []
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
  return findings
}

function trustFindings(resource: Resource): Finding[] {
  const findings: Finding[] = []
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
