import type { Catalog } from '../catalog.ts'
import { compareText } from '../canonical.ts'
import type { Problem } from '../problem.ts'

/**
 * The types of resources that the templates of a catalog name, as their files stand. What a template makes only sometimes is
 * among them.
 */
export function typesIn(catalog: Pick<Catalog, 'templates'>): readonly string[] {
  const found = new Set<string>()
  for (const { text } of templateFiles(catalog))
    for (const [type] of text.matchAll(/\bAWS::[A-Za-z0-9]+::[A-Za-z0-9]+\b/g)) found.add(type)
  return [...found].toSorted(compareText)
}

/** Templates that make roles and give none a boundary, each at its first role: CloudFormation may not make them. */
export function unboundedRoles(catalog: Pick<Catalog, 'templates'>): readonly Problem[] {
  return [...templateFiles(catalog)].flatMap(({ file, text }): Problem[] => {
    const index = text.split('\n').findIndex((line) => /\bAWS::IAM::Role\b/.test(line))
    if (index === -1 || text.includes('PermissionsBoundary')) return []
    return [
      {
        code: 'role-unbounded',
        severity: 'warning',
        message: 'The template makes a role without the boundary, and CloudFormation may make none without it.',
        expected: '`PermissionsBoundary` among the properties of each role.',
        remedy:
          'Add `PermissionsBoundary: !Sub arn:${AWS::Partition}:iam::${AWS::AccountId}:policy/protium/protium-boundary`.',
        at: { file, line: index + 1, column: 1 },
      },
    ]
  })
}

function* templateFiles({
  templates,
}: Pick<Catalog, 'templates'>): Generator<{ readonly file: string; readonly text: string }> {
  for (const { bundles } of templates.values())
    for (const { files, parts, root } of bundles.values())
      for (const { folder, engine } of parts) {
        if (engine !== 'jinja' && engine !== 'none') continue
        for (const [path, text] of files)
          if (path.startsWith(folder === '' ? folder : `${folder}/`) && !path.startsWith('examples/'))
            yield { file: root === '' ? path : `${root}/${path}`, text }
      }
}

/** What a type is called in IAM where it is not the same word in small letters. */
const prefixes: Readonly<Record<string, string>> = {
  ApplicationAutoScaling: 'application-autoscaling',
  CertificateManager: 'acm',
  Cognito: 'cognito-idp',
  EFS: 'elasticfilesystem',
  ElasticLoadBalancingV2: 'elasticloadbalancing',
  Elasticsearch: 'es',
  EventSchemas: 'schemas',
  KinesisFirehose: 'firehose',
  OpenSearchService: 'es',
  Scheduler: 'scheduler',
  StepFunctions: 'states',
}

/** Services that answer in one region for all. */
const global: ReadonlySet<string> = new Set(['cloudfront', 'iam', 'route53', 'shield'])

/** Whom CloudFormation hands roles to, by the service of the type that takes them. */
const takers: Readonly<Record<string, readonly string[]>> = {
  ApiGateway: ['apigateway.amazonaws.com'],
  ApplicationAutoScaling: ['application-autoscaling.amazonaws.com'],
  AutoScaling: ['autoscaling.amazonaws.com'],
  Batch: ['batch.amazonaws.com'],
  CodeBuild: ['codebuild.amazonaws.com'],
  CodePipeline: ['codepipeline.amazonaws.com'],
  EC2: ['ec2.amazonaws.com', 'vpc-flow-logs.amazonaws.com'],
  ECS: ['ecs.amazonaws.com', 'ecs-tasks.amazonaws.com'],
  EKS: ['eks.amazonaws.com'],
  Events: ['events.amazonaws.com'],
  KinesisFirehose: ['firehose.amazonaws.com'],
  Lambda: ['lambda.amazonaws.com'],
  Logs: ['logs.amazonaws.com'],
  RDS: ['monitoring.rds.amazonaws.com', 'rds.amazonaws.com'],
  Scheduler: ['scheduler.amazonaws.com'],
  StepFunctions: ['states.amazonaws.com'],
}

export type Workload = {
  /** `ecs:*`, of services that answer in the region. */
  readonly regional: readonly string[]
  readonly global: readonly string[]
  /** The services that may be handed a role. */
  readonly takers: readonly string[]
  /** Whether the templates make roles. */
  readonly roles: boolean
  readonly nested: boolean
}

export function workloadOf(types: readonly string[], more: readonly string[]): Workload {
  const services = [...new Set(types.map((type) => type.split('::')[1] ?? ''))]
  const words = services
    .filter((name) => !['CloudFormation', 'IAM'].includes(name))
    .map((name) => prefixes[name] ?? name)
  const actions = [...new Set(words.map((word) => `${word.toLowerCase()}:*`)), ...more]
  const isGlobal = (action: string): boolean => global.has(action.split(':')[0] ?? '')
  const sorted = [...new Set(actions)].toSorted(compareText)
  return {
    regional: sorted.filter((action) => !isGlobal(action)),
    global: sorted.filter(isGlobal),
    takers: [...new Set(services.flatMap((name) => takers[name] ?? []))].toSorted(compareText),
    roles: services.includes('IAM'),
    nested: types.includes('AWS::CloudFormation::Stack'),
  }
}
