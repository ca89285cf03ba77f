import { type Data, type DataMap, mapOf } from '../data.ts'
import { githubIssuer } from './evaluate.ts'
import type { Workload } from './services.ts'

/** Where a role works, and what it works on. */
export type Place = {
  readonly partition: string
  readonly account: string
  readonly region: string
  /** Names of stacks, in which `*` stands for a service. */
  readonly stacks: readonly string[]
  /** Those of environments, which others may read: what they give out goes into the services. */
  readonly read: readonly string[]
  readonly serviceRoles: readonly string[]
  readonly bucket: string | undefined
  /** Templates have stacks in them, whose own stacks have names that begin with theirs. */
  readonly nested: boolean
}

/** Who may take a role: the jobs of one repository, in one environment, by workflows of the catalog. */
export type Holder = {
  readonly provider: string
  readonly organisation: { readonly name: string; readonly id: string }
  readonly repository: { readonly name: string; readonly id: string }
  readonly environment: string
  /** Each as `owner/name/.github/workflows/file.yml@refs/heads/main`. */
  readonly workflows: readonly string[]
  /** Nothing for jobs of pull requests, each of which has a ref of its own. */
  readonly ref?: string
}

const version = '2012-10-17'

function document(statements: readonly Data[]): DataMap {
  return mapOf([
    ['Version', version],
    ['Statement', statements],
  ])
}

function map(entries: Readonly<Record<string, Data | undefined>>): DataMap {
  return mapOf(Object.entries(entries).flatMap(([key, value]) => (value === undefined ? [] : [[key, value] as const])))
}

/**
 * The strong form: every claim by its whole value. The subject has two forms, with numbers and without; which one GitHub
 * writes depends on when the repository was made, and the other one never comes.
 * https://docs.github.com/en/actions/reference/security/oidc
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html#condition-keys-wif
 */
export function trustPolicy({ provider, organisation, repository, environment, workflows, ref }: Holder): DataMap {
  const [owner = '', name = ''] = repository.name.split('/')
  const of = (claim: string): string => `${githubIssuer}:${claim}`
  return document([
    map({
      Effect: 'Allow',
      Principal: map({ Federated: provider }),
      Action: 'sts:AssumeRoleWithWebIdentity',
      Condition: map({
        StringEquals: map({
          [of('aud')]: 'sts.amazonaws.com',
          [of('sub')]: [
            `repo:${owner}@${organisation.id}/${name}@${repository.id}:environment:${environment}`,
            `repo:${repository.name}:environment:${environment}`,
          ],
          [of('repository_id')]: repository.id,
          [of('environment')]: environment,
          [of('job_workflow_ref')]: workflows,
          [of('ref')]: ref,
        }),
      }),
    }),
  ])
}

/** Only CloudFormation itself, in the account of the role, is handed it. */
export function serviceTrustPolicy(): DataMap {
  return document([
    map({
      Effect: 'Allow',
      Principal: map({ Service: 'cloudformation.amazonaws.com' }),
      Action: 'sts:AssumeRole',
    }),
  ])
}

const looking = [
  'cloudformation:DescribeEvents',
  'cloudformation:DescribeStackEvents',
  'cloudformation:DescribeStacks',
  'cloudformation:GetStackPolicy',
  'cloudformation:GetTemplate',
  'cloudformation:ListStackResources',
]
const changing = [
  'cloudformation:CancelUpdateStack',
  'cloudformation:ContinueUpdateRollback',
  'cloudformation:DeleteStack',
  'cloudformation:RollbackStack',
  'cloudformation:SetStackPolicy',
  'cloudformation:TagResource',
  'cloudformation:UpdateStack',
  'cloudformation:UpdateTerminationProtection',
]

/**
 * What a job that plans may do: look, and make change sets whose names begin with `p-`, with the service role and no other.
 * It executes nothing.
 */
export function planPolicy(place: Place): DataMap {
  return document([
    ...reading(place),
    previewing(place, {
      prefix: 'p',
      with: ['cloudformation:DeleteChangeSet', 'cloudformation:DescribeChangeSet'],
    }),
    map({
      Sid: 'MakeChangeSets',
      Effect: 'Allow',
      Action: 'cloudformation:CreateChangeSet',
      Resource: stackArns(place, place.stacks),
      Condition: map({
        StringEquals: map({ ...inRegion(place), 'cloudformation:RoleArn': place.serviceRoles }),
        StringLike: map({ 'cloudformation:ChangeSetName': changeSetNames(place, 'p') }),
      }),
    }),
    map({
      Sid: 'TagChangeSets',
      Effect: 'Allow',
      Action: 'cloudformation:TagResource',
      Resource: stackArns(place, place.stacks),
      Condition: map({
        StringEquals: map({ ...inRegion(place), 'cloudformation:CreateAction': 'CreateChangeSet' }),
      }),
    }),
    passing(place),
    ...storing(place),
  ])
}

/** What a job that deploys may do besides: execute the change sets of deployments, and bring a stack back to rest. */
export function deployPolicy(place: Place): DataMap {
  return document([
    ...reading(place, changing),
    previewing(place, {
      prefix: 'd',
      with: ['cloudformation:DeleteChangeSet', 'cloudformation:DescribeChangeSet', 'cloudformation:ExecuteChangeSet'],
    }),
    map({
      Sid: 'MakeStacks',
      Effect: 'Allow',
      Action: ['cloudformation:CreateChangeSet', 'cloudformation:CreateStack'],
      Resource: stackArns(place, place.stacks),
      Condition: map({ StringEquals: map({ ...inRegion(place), 'cloudformation:RoleArn': place.serviceRoles }) }),
    }),
    passing(place),
    ...storing(place),
    ...evidence(place),
  ])
}

function inRegion({ region }: Place): Readonly<Record<string, Data>> {
  return { 'aws:RequestedRegion': region }
}

function stackArns({ partition, region, account, nested }: Place, names: readonly string[]): readonly string[] {
  return names.flatMap((name) =>
    [name, ...(nested ? [`${name}-*`] : [])].map(
      (each) => `arn:${partition}:cloudformation:${region}:${account}:stack/${each}/*`,
    ),
  )
}

function reading(place: Place, more: readonly string[] = []): DataMap[] {
  const condition = map({ StringEquals: map(inRegion(place)) })
  const read = place.read.filter((name) => !place.stacks.includes(name))
  return [
    map({
      Sid: more.length === 0 ? 'Look' : 'LookAndChange',
      Effect: 'Allow',
      Action: [...looking, ...more],
      Resource: stackArns(place, place.stacks),
      Condition: condition,
    }),
    ...(read.length === 0
      ? []
      : [
          map({
            Sid: 'ReadWhatEnvironmentsGiveOut',
            Effect: 'Allow',
            Action: 'cloudformation:DescribeStacks',
            Resource: stackArns(place, read),
            Condition: condition,
          }),
        ]),
  ]
}

/**
 * A change set is named by its name or by its ARN, and the condition sees what was written.
 * https://docs.aws.amazon.com/service-authorization/latest/reference/list_awscloudformation.html
 */
function changeSetNames({ partition, region, account }: Place, prefix: string): readonly string[] {
  return [`${prefix}-*`, `arn:${partition}:cloudformation:${region}:${account}:changeSet/${prefix}-*`]
}

function previewing(
  place: Place,
  { prefix, with: actions }: { readonly prefix: string; readonly with: readonly string[] },
): DataMap {
  return map({
    Sid: 'OwnChangeSets',
    Effect: 'Allow',
    Action: actions,
    Resource: stackArns(place, place.stacks),
    Condition: map({
      StringEquals: map(inRegion(place)),
      StringLike: map({ 'cloudformation:ChangeSetName': changeSetNames(place, prefix) }),
    }),
  })
}

function passing({ serviceRoles }: Place): DataMap {
  return map({
    Sid: 'HandTheServiceRoleToCloudFormation',
    Effect: 'Allow',
    Action: 'iam:PassRole',
    Resource: serviceRoles,
    Condition: map({ StringEquals: map({ 'iam:PassedToService': 'cloudformation.amazonaws.com' }) }),
  })
}

/** Templates are named by their content, so that what is there is never changed. */
function storing({ partition, bucket }: Place): DataMap[] {
  if (bucket === undefined) return []
  return [
    map({
      Sid: 'LargeTemplates',
      Effect: 'Allow',
      Action: ['s3:GetObject', 's3:PutObject'],
      Resource: `arn:${partition}:s3:::${bucket}/templates/*`,
    }),
  ]
}

/**
 * What is asked to tell why a deployment failed, and whether what was deployed is healthy. It only reads; a call that is
 * denied is left out of what is told. docs/cloudformation.md says what each is for.
 */
function evidence({ partition, region, account, ...place }: Place): DataMap[] {
  const arn = (service: string, resource: string): string =>
    `arn:${partition}:${service}:${region}:${account}:${resource}`
  const condition = map({ StringEquals: map(inRegion({ partition, region, account, ...place })) })
  return [
    map({
      Sid: 'LookForCauses',
      Effect: 'Allow',
      Action: [
        'ecs:DescribeServices',
        'ecs:DescribeTasks',
        'ecs:ListTasks',
        'lambda:GetFunctionConfiguration',
        'logs:DescribeLogStreams',
        'logs:GetLogEvents',
      ],
      Resource: [
        arn('ecs', 'container-instance/*'),
        arn('ecs', 'service/*'),
        arn('ecs', 'task/*'),
        arn('lambda', 'function:*'),
        arn('logs', 'log-group:*'),
      ],
      Condition: condition,
    }),
    map({
      Sid: 'LookForCausesEverywhere',
      Effect: 'Allow',
      Action: ['ecs:DescribeTaskDefinition', 'elasticloadbalancing:DescribeTargetHealth'],
      // AWS knows no narrower resource for them.
      Resource: '*',
      Condition: condition,
    }),
  ]
}

const roleChanges = [
  'iam:AttachRolePolicy',
  'iam:CreateRole',
  'iam:DeleteRolePolicy',
  'iam:DetachRolePolicy',
  'iam:PutRolePermissionsBoundary',
  'iam:PutRolePolicy',
]
const roleCare = [
  'iam:DeleteRole',
  'iam:GetRole',
  'iam:GetRolePolicy',
  'iam:ListAttachedRolePolicies',
  'iam:ListRolePolicies',
  'iam:ListRoleTags',
  'iam:TagRole',
  'iam:UntagRole',
  'iam:UpdateAssumeRolePolicy',
  'iam:UpdateRole',
  'iam:UpdateRoleDescription',
]
/** What references in templates read when a stack is made. */
const references = ['kms:Decrypt', 'secretsmanager:GetSecretValue', 'ssm:GetParameter', 'ssm:GetParameters']
/** What programs need while they run, besides the services that their templates name. */
const running = [
  'cloudwatch:PutMetricData',
  'ecr:BatchCheckLayerAvailability',
  'ecr:BatchGetImage',
  'ecr:GetAuthorizationToken',
  'ecr:GetDownloadUrlForLayer',
  'kms:Decrypt',
  'kms:GenerateDataKey',
  'logs:CreateLogStream',
  'logs:PutLogEvents',
  'secretsmanager:GetSecretValue',
  'ssm:GetParameter',
  'ssm:GetParameters',
  'ssm:GetParametersByPath',
  'ssmmessages:CreateControlChannel',
  'ssmmessages:CreateDataChannel',
  'ssmmessages:OpenControlChannel',
  'ssmmessages:OpenDataChannel',
  'xray:GetSamplingRules',
  'xray:GetSamplingTargets',
  'xray:PutTelemetryRecords',
  'xray:PutTraceSegments',
]

export type AccountPlace = { readonly partition: string; readonly account: string; readonly boundary: string }

/** What CloudFormation may do in a stage: what the templates make, in the region, and roles only inside the boundary. */
export function servicePolicy(place: AccountPlace & { readonly region: string }, workload: Workload): DataMap {
  const { region } = place
  return document([
    map({
      Sid: 'MakeWhatTheTemplatesMake',
      Effect: 'Allow',
      Action: [...workload.regional, ...references.filter((each) => !covered(workload.regional, each))],
      Resource: '*',
      Condition: map({ StringEquals: map({ 'aws:RequestedRegion': region }) }),
    }),
    ...(workload.global.length === 0
      ? []
      : [map({ Sid: 'OfNoRegion', Effect: 'Allow', Action: workload.global, Resource: '*' })]),
    ...roles(place, workload),
    untouched(place),
  ])
}

/**
 * The most that the service roles and the roles in stacks may do, whatever their policies say: without it a template could
 * make a role that may do more than who made it.
 */
export function boundaryPolicy(place: AccountPlace, workload: Workload): DataMap {
  const services = [...workload.regional, ...workload.global]
  return document([
    map({
      Sid: 'AtMost',
      Effect: 'Allow',
      Action: [...services, ...running.filter((each) => !covered(services, each))],
      Resource: '*',
    }),
    ...roles(place, workload),
    untouched(place),
  ])
}

function covered(actions: readonly string[], action: string): boolean {
  return actions.includes(`${action.split(':')[0] ?? ''}:*`)
}

function roles({ partition, account, boundary }: AccountPlace, { roles: isMaking, takers }: Workload): DataMap[] {
  const any = `arn:${partition}:iam::${account}:role/*`
  return [
    ...(isMaking
      ? [
          map({
            Sid: 'RolesInsideOfTheBoundary',
            Effect: 'Allow',
            Action: roleChanges,
            Resource: any,
            Condition: map({ StringEquals: map({ 'iam:PermissionsBoundary': boundary }) }),
          }),
          map({ Sid: 'CareForRoles', Effect: 'Allow', Action: roleCare, Resource: any }),
        ]
      : []),
    ...(takers.length === 0
      ? []
      : [
          map({
            Sid: 'HandRolesToServices',
            Effect: 'Allow',
            Action: 'iam:PassRole',
            Resource: any,
            Condition: map({ StringEquals: map({ 'iam:PassedToService': takers }) }),
          }),
        ]),
    map({
      Sid: 'RolesThatBelongToServices',
      Effect: 'Allow',
      Action: 'iam:CreateServiceLinkedRole',
      Resource: `arn:${partition}:iam::${account}:role/aws-service-role/*`,
    }),
  ]
}

/** The roles of Protium, their boundary and the provider are changed by who set up the account, and by no stack of a catalog. */
function untouched({ partition, account }: AccountPlace): DataMap {
  const iam = `arn:${partition}:iam::${account}`
  return map({
    Sid: 'NotWhatHoldsItAll',
    Effect: 'Deny',
    Action: 'iam:*',
    Resource: [`${iam}:role/protium/*`, `${iam}:policy/protium/*`, `${iam}:oidc-provider/*`],
  })
}
