import { stringify } from 'yaml'
import type { Catalog, Environment } from './catalog.ts'
import type { TrustedRepository } from './catalog/trust.ts'
import { canonicalJson, compareText } from './canonical.ts'
import { type Data, type DataMap, mapOf } from './data.ts'
import { filled } from './organisation/stacks.ts'
import type { Problem } from './problem.ts'
import type { Stage } from './stage.ts'
import type { FileTree } from './tree.ts'
import { githubIssuer } from './trust/evaluate.ts'
import {
  boundaryPolicy,
  deployPolicy,
  type Place,
  planPolicy,
  servicePolicy,
  serviceTrustPolicy,
  trustPolicy,
} from './trust/policies.ts'
import { branch, deploySeconds, partitionOf, roleArn, workflowsOf } from './trust/names.ts'
import { typesIn, unboundedRoles, type Workload, workloadOf } from './trust/services.ts'

/**
 * The roles of a catalog in its accounts: who may take each, and what it may do. They follow from catalog.yaml and the files
 * beside it alone, so that who may deploy is reviewed like everything else; `protium trust` writes them as CloudFormation.
 */
export type Role = {
  readonly arn: string
  readonly account: string
  /** `plan` and `deploy` are taken by jobs of GitHub, `service` by CloudFormation. */
  readonly purpose: 'plan' | 'deploy' | 'service'
  readonly stage: string
  /** The repository whose jobs take it. */
  readonly repository?: string
  /** The environment on GitHub whose jobs take it. */
  readonly environment?: string
  readonly trust: DataMap
  readonly permissions: DataMap
}

type Site = { readonly stage: Stage; readonly home: Environment }

/** The stages that lie in accounts, each with its environment. */
function sitesOf({ stages, environments }: Catalog): Site[] {
  return stages.flatMap((stage) => {
    const home = environments.get(stage.environment)
    return home?.provisioner === 'cloudformation' ? [{ stage, home }] : []
  })
}

/** All roles; none of a catalog without `trust:`. */
export function rolesOf(catalog: Catalog): readonly Role[] {
  const { trust } = catalog
  if (trust === undefined) return []
  const workload = workloadOf(typesIn(catalog), trust.actions)
  return sitesOf(catalog).flatMap((site) => [
    ...serviceRole(site, workload),
    ...trust.repositories.flatMap((repository) => jobRoles(catalog, { ...site, repository, workload })),
  ])
}

function serviceRole({ stage, home }: Site, workload: Workload): Role[] {
  const arn = stage.stack.serviceRole
  // A role elsewhere is somebody's own, who says what it may do.
  if (arn?.split(':').at(-1)?.startsWith('role/protium/') !== true) return []
  const { account, region } = home
  const place = { partition: partitionOf(region), account, region, boundary: boundaryArn(home) }
  return [
    {
      arn,
      account,
      purpose: 'service',
      stage: stage.name,
      trust: serviceTrustPolicy(),
      permissions: servicePolicy(place, workload),
    },
  ]
}

function boundaryArn({ account, region }: Environment): string {
  return `arn:${partitionOf(region)}:iam::${account}:policy/protium/protium-boundary`
}

function providerArn({ account, region }: Environment): string {
  return `arn:${partitionOf(region)}:iam::${account}:oidc-provider/${githubIssuer}`
}

type JobSite = Site & { readonly repository: TrustedRepository; readonly workload: Workload }

function jobRoles(catalog: Catalog, { stage, home, repository, workload }: JobSite): Role[] {
  const { trust, workflows } = catalog
  const own = workflows?.repository
  if (trust === undefined || own === undefined) return []
  const place = placeOf(catalog, { stage, home, repository, workload })
  // Where no workflow deploys, no job may.
  const purposes = workflows?.deploy === false ? (['plan'] as const) : (['plan', 'deploy'] as const)
  return purposes.map((purpose): Role => {
    const environment = purpose === 'plan' ? `${stage.name}-plan` : stage.name
    return {
      arn: roleArn(home, { stage: stage.name, purpose, id: repository.id }),
      account: home.account,
      purpose,
      stage: stage.name,
      repository: repository.name,
      environment,
      trust: trustPolicy({
        provider: providerArn(home),
        organisation: trust.organisation,
        repository,
        environment,
        workflows: workflowsOf[purpose].map((file) => `${own}/.github/workflows/${file}@refs/heads/${branch}`),
        ...(purpose === 'deploy' ? { ref: `refs/heads/${branch}` } : {}),
      }),
      permissions: purpose === 'plan' ? planPolicy(place) : deployPolicy(place),
    }
  })
}

function placeOf(catalog: Catalog, { stage, home, repository, workload }: JobSite): Place {
  const { account, region, stack, templateBucket } = home
  const isAll = repository.services === 'all'
  const services = repository.services === 'all' ? ['*'] : repository.services
  const first = catalog.stages[0]?.environment === stage.environment
  const named = services.flatMap((service) => {
    const instance = filled(catalog.stackName, service, stage.name)
    return [instance, `${instance}-component`, ...(first ? [filled(catalog.stackName, service, 'pipeline')] : [])]
  })
  // What several stages share has the options of the one for production, or of the first; so it has its role.
  const inside = catalog.stages.filter(({ environment }) => environment === stage.environment)
  const shared = inside.find(({ production }) => production) ?? inside[0]
  const serviceRoles = [stage.stack.serviceRole, shared?.stack.serviceRole].filter((each) => each !== undefined)
  return {
    partition: partitionOf(region),
    account,
    region,
    stacks: [...new Set([...(isAll ? [stack] : []), ...named, ...repository.stacks])],
    read: [stack],
    serviceRoles: [...new Set(serviceRoles)],
    bucket: templateBucket,
    nested: workload.nested,
  }
}

/** IAM counts no white space. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html */
const longest = { name: 64, trust: 2048, permissions: 10_240 } as const

/** What of the roles IAM would not take; and, as warnings, what the templates make that the roles may not. */
export function trustProblems(catalog: Catalog): readonly Problem[] {
  const roles = rolesOf(catalog)
  return [
    ...roles.flatMap((role) => tooLong(catalog, role)),
    ...(roles.some(({ purpose }) => purpose === 'service') ? unboundedRoles(catalog) : []),
  ]
}

function tooLong(catalog: Catalog, { arn, repository, stage, trust, permissions }: Role): readonly Problem[] {
  const name = arn.slice(arn.lastIndexOf('/') + 1)
  const at = catalog.document.keyPlace(
    repository === undefined ? ['stages', stage] : ['trust', 'repositories', repository],
  )
  const tell = (what: string, remedy: string): Problem => ({
    code: 'trust-too-long',
    severity: 'error',
    message: `The role ${name} cannot be made: ${what}.`,
    expected: 'A role as IAM takes it.',
    remedy,
    at,
  })
  const sizes = { trust: canonicalJson(trust).length, permissions: canonicalJson(permissions).length }
  return [
    ...(name.length > longest.name
      ? [
          tell(
            `its name has ${name.length} characters, and ${longest.name} are the most`,
            'Shorten the name of the stage.',
          ),
        ]
      : []),
    ...(sizes.trust > longest.trust
      ? [
          tell(
            `who may take it fills ${sizes.trust} characters, and ${longest.trust} are the most`,
            'Shorten the names.',
          ),
        ]
      : []),
    ...(sizes.permissions > longest.permissions
      ? [
          tell(
            `what it may do fills ${sizes.permissions} characters, and ${longest.permissions} are the most`,
            repository === undefined
              ? 'List fewer `actions:`, or give the stage a service role of your own.'
              : 'Deploy fewer services from this repository.',
          ),
        ]
      : []),
  ]
}

const header = `# Written by \`protium trust --write\` from catalog.yaml. Change that file, not this one.
`

/**
 * The templates that set up the accounts, by their paths: `accounts/<account>.yaml` with the provider, the boundary, the roles of
 * CloudFormation and those of the catalog's own repository; `accounts/<account>/<repository>.yaml` with those of a service
 * repository. Each is a stack by itself, since a stack has at most 500 resources and a fleet more repositories.
 */
export function accessTemplates(catalog: Catalog): FileTree {
  const { trust, workflows } = catalog
  if (trust === undefined) return new Map()
  const workload = workloadOf(typesIn(catalog), trust.actions)
  const roles = rolesOf(catalog)
  const files: [string, string][] = []
  for (const account of [...new Set(roles.map((role) => role.account))].toSorted(compareText)) {
    const here = roles.filter((role) => role.account === account)
    const home = sitesOf(catalog).find((site) => site.home.account === account)?.home
    if (home === undefined) continue
    const isOwn = ({ repository }: Role): boolean => repository === undefined || repository === workflows?.repository
    files.push([`accounts/${account}.yaml`, accountTemplate(home, here.filter(isOwn), workload)])
    for (const repository of trust.repositories) {
      const its = here.filter((role) => !isOwn(role) && role.repository === repository.name)
      if (its.length === 0) continue
      const name = repository.name.slice(repository.name.indexOf('/') + 1)
      files.push([`accounts/${account}/${name}.yaml`, repositoryTemplate(repository.name, its)])
    }
  }
  return new Map(files)
}

function accountTemplate(home: Environment, roles: readonly Role[], workload: Workload): string {
  const place = { partition: partitionOf(home.region), account: home.account, boundary: boundaryArn(home) }
  const resources: [string, Data][] = [
    [
      'GitHub',
      resource('AWS::IAM::OIDCProvider', {
        condition: 'MakesProvider',
        properties: { Url: `https://${githubIssuer}`, ClientIdList: ['sts.amazonaws.com'] },
      }),
    ],
    [
      'Boundary',
      resource('AWS::IAM::ManagedPolicy', {
        why: 'The most that roles in stacks may do; what each may is in its own policy.',
        properties: {
          ManagedPolicyName: 'protium-boundary',
          Path: '/protium/',
          Description: 'The most that CloudFormation and the roles that it makes may do.',
          PolicyDocument: boundaryPolicy(place, workload),
        },
      }),
    ],
    ...uniqueRoles(roles).map((role): [string, Data] => [
      logicalId(role),
      roleResource(role, role.purpose === 'service' ? { Ref: 'Boundary' } : undefined),
    ]),
  ]
  return template({
    description: `Who may plan and deploy in the account ${home.account}, and what each may do.`,
    parameters: {
      MakeProvider: mapOf([
        ['Type', 'String'],
        ['AllowedValues', ['yes', 'no']],
        ['Default', 'yes'],
        ['Description', 'no, where the account has the identity provider of GitHub already: there is one at most.'],
      ]),
    },
    conditions: { MakesProvider: mapOf([['Fn::Equals', [mapOf([['Ref', 'MakeProvider']]), 'yes']]]) },
    resources,
  })
}

function repositoryTemplate(name: string, roles: readonly Role[]): string {
  return template({
    description: `What the jobs of ${name} may do in the account ${roles[0]?.account ?? ''}.`,
    resources: roles.map((role): [string, Data] => [logicalId(role), roleResource(role, undefined)]),
  })
}

/** Stages that share an account may share the role of CloudFormation. */
function uniqueRoles(roles: readonly Role[]): readonly Role[] {
  return roles.filter(({ arn }, index) => roles.findIndex((each) => each.arn === arn) === index)
}

/** Letters and digits alone; a hyphen between is told from none, so that no two stages share one. */
function logicalId({ stage, purpose }: Role): string {
  const words = [...stage.split('-'), purpose === 'service' ? 'cloudformation' : purpose]
  const capitals = words.map((word) => word.charAt(0).toUpperCase() + word.slice(1))
  return /-\d/.test(stage) ? capitals.join('X') : capitals.join('')
}

function roleResource(
  { arn, purpose, stage, trust, permissions, repository }: Role,
  boundary: DataMap | undefined,
): Data {
  const path = arn.slice(arn.indexOf('role/') + 'role'.length)
  const name = path.slice(path.lastIndexOf('/') + 1)
  const what = {
    plan: `Plans ${stage}: looks, and makes change sets that it gives back.`,
    deploy: `Deploys ${stage}.`,
    service: `What CloudFormation may do in ${stage}.`,
  }[purpose]
  return resource('AWS::IAM::Role', {
    ...(purpose === 'service' ? { why: 'It makes whatever the templates make; the boundary is the limit.' } : {}),
    properties: {
      RoleName: name,
      Path: path.slice(0, path.lastIndexOf('/') + 1),
      Description: repository === undefined ? what : `${what} Of ${repository}.`,
      ...(purpose === 'deploy' ? { MaxSessionDuration: deploySeconds } : {}),
      ...(boundary === undefined ? {} : { PermissionsBoundary: boundary }),
      AssumeRolePolicyDocument: trust,
      Policies: [
        mapOf([
          ['PolicyName', purpose],
          ['PolicyDocument', permissions],
        ]),
      ],
    },
  })
}

type Resource = {
  readonly condition?: string
  /** Why the rules on wildcards do not hold here. */
  readonly why?: string
  readonly properties: Readonly<Record<string, Data>>
}

function resource(type: string, { condition, why, properties }: Resource): DataMap {
  const excuse = ['policy-wildcard-action', 'policy-wildcard-resource'].map((rule) => [rule, why ?? ''] as const)
  return mapOf([
    ['Type', type],
    ...(condition === undefined ? [] : [['Condition', condition] as const]),
    // Without the provider nobody can sign in any more, also for what others have set up with it.
    ...(type === 'AWS::IAM::OIDCProvider'
      ? [['DeletionPolicy', 'Retain'] as const, ['UpdateReplacePolicy', 'Retain'] as const]
      : []),
    ...(why === undefined ? [] : [['Metadata', mapOf([['protium', mapOf([['allow', mapOf(excuse)]])]])] as const]),
    ['Properties', mapOf(Object.entries(properties))],
  ])
}

type TemplateParts = {
  readonly description: string
  readonly parameters?: Readonly<Record<string, Data>>
  readonly conditions?: Readonly<Record<string, Data>>
  readonly resources: readonly (readonly [string, Data])[]
}

function template({ description, parameters, conditions, resources }: TemplateParts): string {
  const body = mapOf([
    ['AWSTemplateFormatVersion', '2010-09-09'],
    ['Description', description],
    ...(parameters === undefined ? [] : [['Parameters', mapOf(Object.entries(parameters))] as const]),
    ...(conditions === undefined ? [] : [['Conditions', mapOf(Object.entries(conditions))] as const]),
    ['Resources', mapOf(resources)],
  ])
  // CloudFormation reads YAML 1.1, in which `yes`, dates and numbers are to be quoted.
  const text = stringify(body, { version: '1.1', lineWidth: 0, aliasDuplicateObjects: false, singleQuote: true })
  return `${header}${text}`
}
