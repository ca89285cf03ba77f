import { repositoryView } from './events.ts'
import { type Identity, reaches } from './identity.ts'
import { type Json, type JsonMap, listAt, mapAt } from './json.ts'
import { type App, fullNameOf, type Installation, type Permissions, type Repository } from './state.ts'
import {
  type Answer,
  type Call,
  Failure,
  type Handler,
  idIn,
  integrationOf,
  repositoryIn,
  stamp,
  userOf,
  organisationAccount,
  paged,
  type World,
} from './world.ts'

/** Apps, their installations, the tokens of those, and what is left of the hour. */
export const appsHandlers: Readonly<Record<string, Handler>> = {
  'apps/create-installation-access-token': createToken,
  'apps/get-authenticated': (world, call) => ({ status: 200, body: integrationOf(world, appIn(world, call)) }),
  'apps/get-org-installation': (world, call) => {
    const app = appIn(world, call)
    const found = app.installations.find(({ account }) => account === call.parameters['org'])
    if (found === undefined) throw new Failure(404, 'Not Found')
    return { status: 200, body: installationView(world, app, found) }
  },
  'apps/get-repo-installation': (world, call) => {
    const app = appIn(world, call)
    const repository = repositoryIn(world, call)
    const found = app.installations.find((each) => installedIn(each, repository))
    if (found === undefined) throw new Failure(404, 'Not Found')
    return { status: 200, body: installationView(world, app, found) }
  },
  'apps/list-repos-accessible-to-installation': reachable,
  'apps/revoke-installation-access-token': (world, call) => {
    if (call.identity.is !== 'app' && call.identity.is !== 'job')
      throw new Failure(403, 'Resource not accessible by integration')
    world.tokens.revoke(call.token)
    return { status: 204 }
  },
  'rate-limit/get': (world, call) => {
    const core: JsonMap = { ...world.limits.status(call.identity, world.clock.now()) }
    const graphql: JsonMap = { ...world.limits.points(call.identity, world.clock.now()) }
    return { status: 200, body: { resources: { core, search: core, graphql }, rate: core } }
  },
}

function appIn(world: World, call: Call): App {
  const app = call.identity.is === 'signed-app' ? world.state.apps[call.identity.slug] : undefined
  if (app === undefined) throw new Failure(404, 'Not Found')
  return app
}

function installedIn({ account, repositories }: Installation, repository: Repository): boolean {
  return account === repository.owner && (repositories === 'all' || repositories.includes(fullNameOf(repository)))
}

async function createToken(world: World, call: Call): Promise<Answer> {
  const app = appIn(world, call)
  const installation = app.installations.find(({ id }) => id === idIn(call, 'installation_id'))
  if (installation === undefined) throw new Failure(404, 'Not Found')
  const wanted = wantedPermissions(mapAt(call.body, 'permissions'))
  const permissions = Object.keys(wanted).length === 0 ? installation.permissions : wanted
  refuseUngranted(installation, permissions)
  const repositories = wantedRepositories(world, call, installation)
  const expires = stamp(new Date(world.clock.now().getTime() + 3_600_000))
  const identity: Identity = {
    is: 'app',
    slug: app.slug,
    installation: installation.id,
    account: installation.account,
    repositories: repositories === 'all' ? 'all' : repositories.map(fullNameOf),
    permissions,
    expires,
  }
  const views: Json[] = []
  if (repositories !== 'all') for (const repository of repositories) views.push(await repositoryView(world, repository))
  return {
    status: 201,
    body: {
      token: world.tokens.issue(identity),
      expires_at: expires,
      permissions,
      repository_selection: repositories === 'all' ? 'all' : 'selected',
      ...(repositories === 'all' ? {} : { repositories: views }),
    },
  }
}

function wantedPermissions(body: JsonMap): Permissions {
  return Object.fromEntries(
    Object.entries(body).flatMap(([name, access]) =>
      access === 'read' || access === 'write' || access === 'admin' ? [[name, access] as const] : [],
    ),
  )
}

function refuseUngranted(installation: Installation, permissions: Permissions): void {
  const ranks = { none: 0, read: 1, write: 2, admin: 3 }
  for (const [name, access] of Object.entries(permissions)) {
    if (ranks[access] > ranks[installation.permissions[name] ?? (name === 'metadata' ? 'read' : 'none')]) {
      throw new Failure(422, 'The permissions requested are not granted to this installation.')
    }
  }
}

function wantedRepositories(world: World, call: Call, installation: Installation): 'all' | readonly Repository[] {
  const ids = listAt(call.body, 'repository_ids')
  const names = listAt(call.body, 'repositories')
  const all = Object.values(world.state.repositories).filter((repository) => installedIn(installation, repository))
  if (ids.length === 0 && names.length === 0) return installation.repositories === 'all' ? 'all' : all
  if (ids.length + names.length > 500) throw new Failure(422, 'There can be at most 500 repositories.')
  return [...ids, ...names].map((wanted) => {
    const found = all.find(({ id, name }) => id === wanted || name === wanted)
    if (found === undefined) {
      throw new Failure(
        422,
        'There is at least one repository that does not exist or is not accessible to the parent installation.',
      )
    }
    return found
  })
}

async function reachable(world: World, call: Call): Promise<Answer> {
  const { identity } = call
  if (identity.is !== 'app' && identity.is !== 'job')
    throw new Failure(
      403,
      'You must authenticate with an installation access token in order to list repositories for an installation.',
    )
  const all = Object.values(world.state.repositories).filter((repository) => reaches(identity, repository))
  const { items, headers } = paged(world, call, all)
  const repositories: Json[] = []
  for (const repository of items) repositories.push(await repositoryView(world, repository))
  const selection = identity.is === 'app' && identity.repositories === 'all' ? 'all' : 'selected'
  return { status: 200, body: { total_count: all.length, repositories, repository_selection: selection }, headers }
}

export function installationView(world: World, app: App, installation: Installation): JsonMap {
  const organisation = world.state.organisations[installation.account]
  const id = organisation?.id ?? world.state.users[installation.account] ?? 0
  return {
    id: installation.id,
    account:
      organisation === undefined ? userOf(world, installation.account) : organisationAccount(world, organisation),
    repository_selection: installation.repositories === 'all' ? 'all' : 'selected',
    access_tokens_url: `${world.url}/app/installations/${installation.id}/access_tokens`,
    repositories_url: `${world.url}/installation/repositories`,
    html_url: `${world.url}/organizations/${installation.account}/settings/installations/${installation.id}`,
    app_id: app.id,
    app_slug: app.slug,
    target_id: id,
    target_type: organisation === undefined ? 'User' : 'Organization',
    permissions: installation.permissions,
    events: [],
    created_at: '2026-01-01T00:00:00Z',
    updated_at: '2026-01-01T00:00:00Z',
    single_file_name: null,
    suspended_by: null,
    suspended_at: null,
  }
}
