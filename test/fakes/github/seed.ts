import type { FileTree } from '../../../src/core/tree.ts'
import type { Population } from './emulator.ts'
import { addEnvironment, type EnvironmentRules } from './environments.ts'
import { actionsApp, type Identity } from './identity.ts'
import { mapAt, number, text } from './json.ts'
import { signatureOf } from './objects.ts'
import {
  type App,
  nextNumber,
  type Permissions,
  type Repository,
  type Role,
  type Ruleset,
  type Settings,
  type State,
} from './state.ts'
import { now, read, type World, writeGit } from './world.ts'

/** An organisation to start from. */
export type Seed = {
  /** Its login. */
  readonly organisation: string
  /** At least one of them is its admin. */
  readonly members: Readonly<Record<string, 'admin' | 'member'>>
  /** Users that are no members. */
  readonly outsiders?: readonly string[]
  readonly teams?: Readonly<Record<string, TeamSeed>>
  /** What the organisation pays for. */
  readonly plan?: 'free' | 'team' | 'enterprise'
  readonly variables?: Readonly<Record<string, string>>
  /** By slug. GitHub Actions is always there. */
  readonly apps?: Readonly<Record<string, AppSeed>>
  /** By name, without the organisation's. */
  readonly repositories: Readonly<Record<string, RepositorySeed>>
}

export type TeamSeed = { readonly members: readonly string[]; readonly repositories?: Readonly<Record<string, Role>> }

export type AppSeed = {
  readonly permissions: Permissions
  /** By default it is installed in all repositories of the organisation. */
  readonly repositories?: readonly string[]
}

export type RepositorySeed = {
  /** What the first commit of `main` holds. */
  readonly files: FileTree | Readonly<Record<string, string>>
  /** By default it is private, so that nothing can be read without a permission. */
  readonly public?: true
  readonly archived?: true
  /** The subject of its identities has the numbers of owner and repository in it: `repo:acme@7/checkout@1:…`. */
  readonly immutableSubject?: true
  readonly collaborators?: Readonly<Record<string, Role>>
  readonly environments?: Readonly<Record<string, EnvironmentRules>>
  readonly rulesets?: readonly Omit<Ruleset, 'id'>[]
  readonly settings?: Settings
}

export function populationOf(seed: Seed): Population {
  const members = Object.keys(seed.members)
  return {
    users: [...members, ...(seed.outsiders ?? [])],
    organisations: [seed.organisation],
    members: members.map((login) => ({ organisation: seed.organisation, login })),
    repositories: Object.keys(seed.repositories).map((name) => ({
      owner: seed.organisation,
      name,
      defaultBranch: 'main',
    })),
    apps: appsOf(seed).map(({ id, slug, name }) => ({ id, slug, name })),
  }
}

function appsOf(seed: Seed): readonly App[] {
  const own = Object.entries(seed.apps ?? {}).map(([slug, app], index): App => {
    const installation = {
      id: 500 + index,
      account: seed.organisation,
      repositories: app.repositories?.map((name) => `${seed.organisation}/${name}`) ?? ('all' as const),
      permissions: app.permissions,
    }
    return { id: 900_000 + index, slug, name: slug, permissions: app.permissions, installations: [installation] }
  })
  return [{ ...actionsApp, permissions: {}, installations: [] }, ...own]
}

export function newState(): State {
  return { organisations: {}, apps: {}, repositories: {}, users: {}, numbers: {}, signed: {}, renamed: {}, events: [] }
}

/** Fills an empty world. What happens here is no event. */
export async function plant(world: World, seed: Seed): Promise<void> {
  const { state } = world
  for (const app of appsOf(seed)) state.apps[app.slug] = app
  for (const login of populationOf(seed).users) {
    state.users[login] = number(await read(world, `/users/${login}`), 'id')
  }
  const { organisation: login } = seed
  state.organisations[login] = {
    login,
    // An organisation and a user never share a number, as they do in emulate.
    id: 70_000_000 + number(await read(world, `/orgs/${login}`), 'id'),
    members: { ...seed.members },
    ...(seed.plan === undefined ? {} : { plan: seed.plan }),
    ...(seed.variables === undefined ? {} : { variables: seed.variables }),
    teams: Object.fromEntries(
      Object.entries(seed.teams ?? {}).map(([slug, { members, repositories }]) => [
        slug,
        { id: nextNumber(state, 'team'), slug, name: slug, members, repositories: repositories ?? {} },
      ]),
    ),
  }
  for (const [name, wanted] of Object.entries(seed.repositories))
    await plantRepository(world, { owner: login, name, wanted })
}

type Planting = { readonly owner: string; readonly name: string; readonly wanted: RepositorySeed }

async function plantRepository(world: World, { owner, name, wanted }: Planting): Promise<void> {
  const repository: Repository = {
    id: number(await read(world, `/repos/${owner}/${name}`), 'id'),
    owner,
    name,
    private: wanted.public !== true,
    archived: wanted.archived === true,
    defaultBranch: 'main',
    ...(wanted.immutableSubject === true ? { immutableSubject: true } : {}),
    ...(wanted.settings === undefined ? {} : { settings: wanted.settings }),
    collaborators: wanted.collaborators ?? {},
    pulls: {},
    checks: [],
    statuses: [],
    deployments: [],
    environments: [],
    rulesets: (wanted.rulesets ?? []).map((ruleset) => ({ ...ruleset, id: nextNumber(world.state, 'ruleset') })),
    runs: [],
    artifacts: [],
    releases: [],
    pushedAt: now(world),
  }
  world.state.repositories[`${owner}/${name}`] = repository
  for (const [environment, rules] of Object.entries(wanted.environments ?? {})) {
    addEnvironment(world, repository, environment, rules)
  }
  const files = wanted.files instanceof Map ? [...wanted.files] : Object.entries(wanted.files)
  const first = Object.keys(world.state.users)[0]
  if (files.length === 0 || first === undefined) return
  const identity: Identity = { is: 'user', login: first }
  const sha = await commit(world, repository, {
    files: Object.fromEntries(files),
    message: 'Start',
    identity,
    parents: [],
  })
  await writeGit(world, repository, { method: 'POST', path: '/git/refs', body: { ref: 'refs/heads/main', sha } })
}

export type Commit = {
  /** Path to text; `null` deletes. */
  readonly files: Readonly<Record<string, string | null>>
  readonly message: string
  readonly identity: Identity
  readonly parents: readonly string[]
}

/** Writes a commit on the first of its parents, and moves nothing to it. */
export async function commit(
  world: World,
  repository: Repository,
  { files, message, identity, parents }: Commit,
): Promise<string> {
  const entries = Object.entries(files).map(([path, content]) => {
    const entry = { path, mode: '100644', type: 'blob' }
    return content === null ? { ...entry, sha: null } : { ...entry, content }
  })
  const base = parents[0]
  const old =
    base === undefined
      ? undefined
      : await read(world, `/repos/${repository.owner}/${repository.name}/git/commits/${base}`)
  const baseTree = old === undefined ? undefined : text(mapAt(old, 'tree'), 'sha')
  const tree = await writeGit(world, repository, {
    method: 'POST',
    path: '/git/trees',
    body: { tree: entries, ...(baseTree === undefined ? {} : { base_tree: baseTree }) },
  })
  const signature = signatureOf(world, identity)
  const made = await writeGit(world, repository, {
    method: 'POST',
    path: '/git/commits',
    body: { message, tree: text(tree, 'sha'), parents, author: signature, committer: signature },
  })
  return text(made, 'sha')
}
