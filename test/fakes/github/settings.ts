import { repositoryView } from './events.ts'
import { roleOf } from './identity.ts'
import { type Json, type JsonMap, text } from './json.ts'
import { findRepository, fullNameOf, type Organisation, type Repository } from './state.ts'
import { installationView } from './apps.ts'
import {
  type Answer,
  type Call,
  counted,
  Failure,
  find,
  type Handler,
  organisationBrief,
  repositoryIn,
  type World,
} from './world.ts'

/** How a repository and an organisation are set up, as the seed has it. */
export const settingsHandlers: Readonly<Record<string, Handler>> = {
  'actions/get-allowed-actions-repository': (world, call) => {
    const { actions = {} } = repositoryIn(world, call).settings ?? {}
    // GitHub has the list only where a list is what counts.
    if (actions.allowed !== 'selected') throw new Failure(409, 'Conflict')
    const { ofGitHub = false, patterns = [] } = actions
    return {
      status: 200,
      body: { github_owned_allowed: ofGitHub, verified_allowed: false, patterns_allowed: [...patterns] },
    }
  },
  'actions/get-custom-oidc-sub-claim-for-repo': (world, call) => {
    const { subject } = repositoryIn(world, call).settings ?? {}
    return {
      status: 200,
      body: subject === undefined ? { use_default: true } : { use_default: false, include_claim_keys: [...subject] },
    }
  },
  'actions/get-github-actions-permissions-repository': (world, call) => {
    const { enabled = true, allowed = 'all' } = repositoryIn(world, call).settings?.actions ?? {}
    return { status: 200, body: enabled ? { enabled, allowed_actions: allowed } : { enabled } }
  },
  'actions/get-repo-variable': (world, call) => {
    const name = call.parameters['name'] ?? ''
    const value = repositoryIn(world, call).settings?.variables?.[name]
    if (value === undefined) throw new Failure(404, 'Not Found')
    return { status: 200, body: variable(name, value) }
  },
  'actions/get-workflow-access-to-repository': (world, call) => {
    const { access = 'none' } = repositoryIn(world, call).settings ?? {}
    return { status: 200, body: { access_level: access } }
  },
  'actions/list-repo-organization-variables': (world, call) => {
    const { owner } = repositoryIn(world, call)
    const all = Object.entries(world.state.organisations[owner]?.variables ?? {})
    return counted(
      world,
      call,
      'variables',
      all.map(([name, value]) => variable(name, value)),
    )
  },
  'orgs/get': organisation,
  'orgs/list-app-installations': (world, call) => {
    const login = call.parameters['org'] ?? ''
    const all = Object.values(world.state.apps).flatMap((app) =>
      app.installations
        .filter(({ account }) => account === login)
        .map((each) => ({ ...installationView(world, app, each), client_id: clientOf(app.slug) })),
    )
    return counted(world, call, 'installations', all)
  },
  'repos/codeowners-errors': ownersErrors,
}

/** The id by which a workflow names an App. */
export function clientOf(slug: string): string {
  return `Iv1.${slug}`
}

const times = { created_at: '2026-01-01T00:00:00Z', updated_at: '2026-01-01T00:00:00Z' }

function variable(name: string, value: string): JsonMap {
  return { name, value, ...times }
}

function organisation(world: World, call: Call): Answer {
  const found = world.state.organisations[call.parameters['org'] ?? '']
  if (found === undefined) throw new Failure(404, 'Not Found')
  const brief = organisationBrief(world, found)
  return {
    status: 200,
    body: {
      ...brief,
      ...times,
      html_url: `${world.url}/${found.login}`,
      type: 'Organization',
      has_organization_projects: true,
      has_repository_projects: true,
      public_repos: 0,
      public_gists: 0,
      followers: 0,
      following: 0,
      archived_at: null,
      ...(seesPlan(found, call) ? { plan: { name: found.plan ?? 'free', space: 1, private_repos: 1 } } : {}),
    },
  }
}

function seesPlan({ login, members }: Organisation, { identity }: Call): boolean {
  if (identity.is === 'user') return members[identity.login] === 'admin'
  return identity.is === 'app' && identity.account === login && 'organization_plan' in identity.permissions
}

/** Owners who are nobody, or who may not write. GitHub finds more. */
async function ownersErrors(world: World, call: Call): Promise<Answer> {
  const repository = repositoryIn(world, call)
  const [path, content] = (await ownersIn(world, repository)) ?? []
  if (path === undefined || content === undefined) throw new Failure(404, 'Not Found')
  const errors = content.split('\n').flatMap((source, index): Json[] => {
    const [, ...owners] = source.replace(/#.*$/, '').trim().split(/\s+/)
    return owners
      .filter((owner) => !isOwner(world, repository, owner))
      .map((owner) => ({
        line: index + 1,
        column: source.indexOf(owner) + 1,
        kind: 'Unknown owner',
        source,
        suggestion: null,
        message: `Unknown owner on line ${index + 1}: make sure ${owner} exists and has write access to the repository`,
        path,
      }))
  })
  return { status: 200, body: { errors } }
}

async function ownersIn(world: World, repository: Repository): Promise<readonly [string, string] | undefined> {
  for (const path of ['.github/CODEOWNERS', 'CODEOWNERS', 'docs/CODEOWNERS']) {
    const found = await find(world, `/repos/${fullNameOf(repository)}/contents/${path}`)
    if (found !== undefined) return [path, Buffer.from(text(found, 'content'), 'base64').toString()]
  }
  return undefined
}

function isOwner({ state }: World, repository: Repository, name: string): boolean {
  const [login = '', team] = name.replace(/^@/, '').split('/')
  const writes = ['write', 'maintain', 'admin']
  if (team === undefined) return writes.includes(roleOf(state, login, repository) ?? '')
  const role = state.organisations[login]?.teams[team]?.repositories[repository.name]
  return role !== undefined && writes.includes(role)
}

/** `org:acme topic:protium`, of what the token may read. */
export async function searchRepositories(world: World, call: Call): Promise<Answer> {
  const words = new Map((call.query.get('q') ?? '').split(' ').map((word) => [word.split(':')[0], word.split(':')[1]]))
  const [owner, topic] = [words.get('org'), words.get('topic')]
  const names = Object.values(world.state.repositories)
    .filter(({ owner: of, settings }) => of === owner && settings?.topics?.includes(topic ?? '') === true)
    .filter((each) => !each.private || reads(world, call, each))
    .map(fullNameOf)
  const items: Json[] = []
  for (const name of names) {
    const found = findRepository(world.state, name)
    if (found !== undefined) items.push({ ...(await repositoryView(world, found)), score: 1 })
  }
  return { status: 200, body: { total_count: items.length, incomplete_results: false, items } }
}

function reads({ state }: World, { identity }: Call, repository: Repository): boolean {
  if (identity.is === 'user') return roleOf(state, identity.login, repository) !== undefined
  if (identity.is === 'job') return identity.repository === fullNameOf(repository)
  return identity.is === 'app' && identity.account === repository.owner
}
