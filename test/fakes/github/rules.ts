import { actionsApp, type Identity, roleOf } from './identity.ts'
import type { Json, JsonMap } from './json.ts'
import { fullNameOf, type Repository, type Ruleset } from './state.ts'
import {
  type Answer,
  type Call,
  Failure,
  type Handler,
  idIn,
  listed,
  nodeId,
  repositoryIn,
  type World,
} from './world.ts'

export const rulesHandlers: Readonly<Record<string, Handler>> = {
  'repos/get-branch-rules': branchRules,
  'repos/get-repo-ruleset': getRuleset,
  'repos/get-repo-rulesets': (world, call) => {
    const repository = repositoryIn(world, call)
    return listed(
      world,
      call,
      repository.rulesets.map((ruleset) => rulesetView(world, repository, ruleset)),
    )
  },
}

function getRuleset(world: World, call: Call): Answer {
  const repository = repositoryIn(world, call)
  const ruleset = repository.rulesets.find(({ id }) => id === idIn(call, 'ruleset_id'))
  if (ruleset === undefined) throw new Failure(404, 'Not Found')
  const whole = {
    conditions: { ref_name: { include: ruleset.include, exclude: ruleset.exclude } },
    rules: ruleset.rules,
    // It is told to those alone who may change the ruleset.
    ...(mayChange(world, call, repository)
      ? {
          bypass_actors: ruleset.bypass.map((id) => ({
            actor_id: id,
            actor_type: 'Integration',
            bypass_mode: 'always',
          })),
        }
      : {}),
  }
  return { status: 200, body: { ...rulesetView(world, repository, ruleset), ...whole } }
}

function mayChange({ state }: World, { identity }: Call, repository: Repository): boolean {
  if (identity.is === 'user') return roleOf(state, identity.login, repository) === 'admin'
  return identity.is === 'app' && identity.permissions['administration'] === 'write'
}

function branchRules(world: World, call: Call): Answer {
  const repository = repositoryIn(world, call)
  if (repository.private && world.state.organisations[repository.owner]?.plan === 'free')
    throw new Failure(403, 'Upgrade to GitHub Pro or make this repository public to enable this feature.')
  const ref = `refs/heads/${call.parameters['branch']}`
  const rules = applying(repository, ref).flatMap((ruleset) =>
    ruleset.rules.map((rule): Json => ({
      ...rule,
      ruleset_source_type: 'Repository',
      ruleset_source: fullNameOf(repository),
      ruleset_id: ruleset.id,
    })),
  )
  return listed(world, call, rules)
}

function rulesetView(world: World, repository: Repository, { id, name, enforcement }: Ruleset): JsonMap {
  return {
    id,
    name,
    target: 'branch',
    source_type: 'Repository',
    source: fullNameOf(repository),
    enforcement,
    node_id: nodeId('RRS', id),
    _links: {
      self: { href: `${world.url}/repos/${fullNameOf(repository)}/rulesets/${id}` },
      html: { href: `${world.url}/${fullNameOf(repository)}/rules/${id}` },
    },
    created_at: '2026-01-01T00:00:00Z',
    updated_at: '2026-01-01T00:00:00Z',
  }
}

export type Change = 'creation' | 'update' | 'force' | 'deletion'

const messages: Readonly<Record<string, string>> = {
  creation: 'Cannot create ref due to creations being restricted.',
  update: 'Cannot update this protected ref.',
  deletion: 'Cannot delete this branch',
  non_fast_forward: 'Cannot force-push to this branch',
  pull_request: 'Changes must be made through a pull request.',
}

/** Refuses what an active ruleset forbids, unless the App is among those that it lets by. */
export function refuseByRules(
  _world: World,
  {
    repository,
    ref,
    identity,
    change,
  }: { readonly repository: Repository; readonly ref: string; readonly identity: Identity; readonly change: Change },
): void {
  const broken = applying(repository, ref)
    .filter((ruleset) => !isLetBy(_world, identity, ruleset))
    .flatMap(({ rules }) => rules.map(({ type }) => type))
    .filter((type) => breaks(type, change))
  if (broken.length === 0) return
  const reasons = [...new Set(broken)].map((type) => messages[type])
  throw new Failure(422, `Repository rule violations found\n\n${reasons.join('\n\n')}\n\n`)
}

function breaks(type: string, change: Change): boolean {
  switch (type) {
    case 'creation':
      return change === 'creation'
    case 'deletion':
      return change === 'deletion'
    case 'non_fast_forward':
      return change === 'force'
    case 'update':
      return change === 'update' || change === 'force'
    case 'pull_request':
      return change === 'update' || change === 'force'
    default:
      return false
  }
}

function isLetBy(world: World, identity: Identity, ruleset: Ruleset): boolean {
  if (identity.is === 'job') return ruleset.bypass.includes(actionsApp.id)
  if (identity.is !== 'app') return false
  const app = world.state.apps[identity.slug]
  return app !== undefined && ruleset.bypass.includes(app.id)
}

/** The rules of a branch that say what a pull request must have: approvals and checks. */
export function mergeRules(repository: Repository, branch: string): Ruleset['rules'] {
  return applying(repository, `refs/heads/${branch}`).flatMap(({ rules }) => rules)
}

function applying(repository: Repository, ref: string): readonly Ruleset[] {
  return repository.rulesets.filter(
    ({ enforcement, include, exclude }) =>
      enforcement === 'active' &&
      ref.startsWith('refs/heads/') &&
      include.some((pattern) => matches(repository, pattern, ref)) &&
      !exclude.some((pattern) => matches(repository, pattern, ref)),
  )
}

function matches(repository: Repository, pattern: string, ref: string): boolean {
  if (pattern === '~ALL') return true
  if (pattern === '~DEFAULT_BRANCH') return ref === `refs/heads/${repository.defaultBranch}`
  return glob(pattern).test(ref)
}

/** GitHub's patterns are those of Ruby's `File.fnmatch`: `*` stays inside a folder, `**` does not. Case counts. */
export function glob(pattern: string): RegExp {
  const source = pattern
    .split('**')
    .map((part) =>
      part
        .split('*')
        .map((literal) => literal.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&'))
        .join('[^/]*'),
    )
    .join('.*')
  return new RegExp(`^${source}$`)
}
