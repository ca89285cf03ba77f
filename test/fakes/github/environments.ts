import { type Json, isMap, type JsonMap, listAt, number, numberAt, text, textAt } from './json.ts'
import { glob } from './rules.ts'
import {
  type Environment,
  fullNameOf,
  nextNumber,
  type Organisation,
  type Repository,
  replace,
  type Reviewer,
  type Team,
} from './state.ts'
import {
  type Answer,
  type Call,
  counted,
  Failure,
  type Handler,
  invalid,
  nodeId,
  now,
  repositoryIn,
  userOf,
  type World,
} from './world.ts'

export const environmentsHandlers: Readonly<Record<string, Handler>> = {
  'repos/create-deployment-branch-policy': createPattern,
  'repos/create-or-update-environment': setEnvironment,
  'repos/get-all-environments': (world, call) => {
    const repository = repositoryIn(world, call)
    const views = repository.environments.map((each) => environmentView(world, repository, each))
    return counted(world, call, 'environments', views)
  },
  'repos/get-environment': (world, call) => {
    const { repository, environment } = environmentIn(world, call)
    return { status: 200, body: environmentView(world, repository, environment) }
  },
  'repos/list-deployment-branch-policies': (world, call) => {
    const patterns = environmentIn(world, call).environment.branches?.patterns ?? []
    return counted(
      world,
      call,
      'branch_policies',
      patterns.map((pattern) => ({ ...pattern, node_id: nodeId('GBP', pattern.id) })),
    )
  },
}

type Found = { readonly repository: Repository; readonly environment: Environment }

function environmentIn(world: World, call: Call): Found {
  const repository = repositoryIn(world, call)
  const environment = environmentOf(repository, call.parameters['environment_name'] ?? '')
  if (environment === undefined) throw new Failure(404, 'Not Found')
  return { repository, environment }
}

/** Their names are the same whatever their case. */
export function environmentOf(repository: Repository, name: string): Environment | undefined {
  return repository.environments.find((each) => each.name.toLowerCase() === name.toLowerCase())
}

export type EnvironmentRules = Partial<Pick<Environment, 'waitTimer' | 'preventSelfReview' | 'reviewers' | 'branches'>>

export function addEnvironment(
  world: World,
  repository: Repository,
  name: string,
  rules: EnvironmentRules = {},
): Environment {
  const environment = {
    id: nextNumber(world.state, 'environment'),
    name,
    waitTimer: 0,
    preventSelfReview: false,
    reviewers: [],
    createdAt: now(world),
    updatedAt: now(world),
    ...rules,
  }
  repository.environments.push(environment)
  return environment
}

function setEnvironment(world: World, call: Call): Answer {
  const repository = repositoryIn(world, call)
  const name = call.parameters['environment_name'] ?? ''
  const before = environmentOf(repository, name) ?? addEnvironment(world, repository, name)
  const { branches: _before, ...rest } = before
  const policy = call.body['deployment_branch_policy']
  const branches = isMap(policy) ? branchesOf(policy, before) : undefined
  const updated: Environment = {
    ...rest,
    waitTimer: numberAt(call.body, 'wait_timer') ?? 0,
    preventSelfReview: call.body['prevent_self_review'] === true,
    reviewers: listAt(call.body, 'reviewers').map((reviewer) => reviewerOf(world, repository, reviewer)),
    updatedAt: now(world),
    ...(branches === undefined ? {} : { branches }),
  }
  if (updated.waitTimer < 0 || updated.waitTimer > 43_200) throw invalid('Environment', 'wait_timer')
  if (updated.reviewers.length > 6) throw invalid('Environment', 'reviewers', 'there can be at most 6 reviewers')
  replace(repository.environments, before, updated)
  return { status: 200, body: environmentView(world, repository, updated) }
}

function branchesOf(policy: JsonMap, before: Environment): NonNullable<Environment['branches']> {
  const [protectedOnly, custom] = [policy['protected_branches'] === true, policy['custom_branch_policies'] === true]
  if (protectedOnly === custom) {
    throw new Failure(422, 'protected_branches and custom_branch_policies cannot have the same value')
  }
  return { protectedOnly, patterns: custom ? (before.branches?.patterns ?? []) : [] }
}

function reviewerOf(world: World, repository: Repository, reviewer: Json): Reviewer {
  const id = number(reviewer, 'id')
  if (text(reviewer, 'type') === 'User') {
    const user = Object.entries(world.state.users).find(([, each]) => each === id)
    if (user === undefined) throw invalid('Environment', 'reviewers')
    return { is: 'user', login: user[0] }
  }
  const team = Object.values(world.state.organisations[repository.owner]?.teams ?? {}).find((each) => each.id === id)
  if (team === undefined) throw invalid('Environment', 'reviewers')
  return { is: 'team', organisation: repository.owner, slug: team.slug }
}

function createPattern(world: World, call: Call): Answer {
  const { repository, environment } = environmentIn(world, call)
  if (environment.branches === undefined || environment.branches.protectedOnly) {
    throw new Failure(404, 'Not Found')
  }
  const type = textAt(call.body, 'type') === 'tag' ? 'tag' : 'branch'
  const pattern = { id: nextNumber(world.state, 'branch policy'), name: text(call.body, 'name'), type } as const
  const branches = { ...environment.branches, patterns: [...environment.branches.patterns, pattern] }
  replace(repository.environments, environment, { ...environment, branches })
  return { status: 200, body: { ...pattern, node_id: nodeId('GBP', pattern.id) } }
}

/** Whether a ref may deploy to the environment. Protected branches are those with an active ruleset. */
export function mayDeploy(repository: Repository, environment: Environment, ref: string): boolean {
  const { branches } = environment
  if (branches === undefined) return true
  const [kind, name] = ref.startsWith('refs/tags/')
    ? ['tag', ref.slice(10)]
    : ['branch', ref.replace(/^refs\/heads\//, '')]
  if (branches.protectedOnly) {
    return (
      kind === 'branch' &&
      name === repository.defaultBranch &&
      repository.rulesets.some(({ enforcement }) => enforcement === 'active')
    )
  }
  return branches.patterns.some((pattern) => pattern.type === kind && glob(pattern.name).test(name ?? ''))
}

/** Whether a user is among the reviewers, by name or by team. */
export function isReviewer(world: World, environment: Environment, login: string): boolean {
  return environment.reviewers.some((reviewer) => {
    if (reviewer.is === 'user') return reviewer.login === login
    return world.state.organisations[reviewer.organisation]?.teams[reviewer.slug]?.members.includes(login) ?? false
  })
}

export function environmentBrief(
  world: World,
  repository: Repository,
  { id, name }: Pick<Environment, 'id' | 'name'>,
): JsonMap {
  return {
    id,
    node_id: nodeId('EN', id),
    name,
    url: `${world.url}/repos/${fullNameOf(repository)}/environments/${encodeURIComponent(name)}`,
    html_url: `${world.url}/${fullNameOf(repository)}/deployments/activity_log?environments_filter=${encodeURIComponent(name)}`,
  }
}

export function environmentView(world: World, repository: Repository, environment: Environment): JsonMap {
  const rule = (offset: number, type: string): JsonMap => {
    const id = environment.id * 10 + offset
    return { id, node_id: nodeId('GA', id), type }
  }
  const { branches } = environment
  return {
    ...environmentBrief(world, repository, environment),
    created_at: environment.createdAt,
    updated_at: environment.updatedAt,
    protection_rules: [
      ...(environment.waitTimer > 0 ? [{ ...rule(1, 'wait_timer'), wait_timer: environment.waitTimer }] : []),
      ...(environment.reviewers.length > 0
        ? [
            {
              ...rule(2, 'required_reviewers'),
              prevent_self_review: environment.preventSelfReview,
              reviewers: reviewersView(world, environment),
            },
          ]
        : []),
      ...(branches === undefined ? [] : [rule(3, 'branch_policy')]),
    ],
    deployment_branch_policy:
      branches === undefined
        ? null
        : { protected_branches: branches.protectedOnly, custom_branch_policies: !branches.protectedOnly },
  }
}

export function reviewersView(world: World, environment: Environment): readonly JsonMap[] {
  return environment.reviewers.flatMap((reviewer): JsonMap[] => {
    if (reviewer.is === 'user') return [{ type: 'User', reviewer: userOf(world, reviewer.login) }]
    const organisation = world.state.organisations[reviewer.organisation]
    const team = organisation?.teams[reviewer.slug]
    return organisation === undefined || team === undefined
      ? []
      : [{ type: 'Team', reviewer: teamView(world, organisation, team) }]
  })
}

export function teamView(world: World, { login, id }: Organisation, team: Team): JsonMap {
  const url = `${world.url}/organizations/${id}/team/${team.id}`
  return {
    id: team.id,
    node_id: nodeId('T', team.id),
    url,
    members_url: `${url}/members{/member}`,
    name: team.name,
    description: null,
    permission: 'pull',
    privacy: 'closed',
    notification_setting: 'notifications_enabled',
    html_url: `${world.url}/orgs/${login}/teams/${team.slug}`,
    repositories_url: `${url}/repos`,
    slug: team.slug,
    type: 'organization',
    organization_id: id,
    parent: null,
  }
}
