import { teamView } from './environments.ts'
import { roleOf } from './identity.ts'
import type { JsonMap } from './json.ts'
import type { Organisation, Team } from './state.ts'
import {
  type Answer,
  type Call,
  Failure,
  type Handler,
  listed,
  organisationBrief,
  repositoryIn,
  userOf,
  type World,
} from './world.ts'

/** Users, organisations and teams, and what they may: as the seed has them. */
export const peopleHandlers: Readonly<Record<string, Handler>> = {
  'orgs/check-membership-for-user': (world, call) => {
    if (!(name(call) in organisationIn(world, call).members)) throw new Failure(404, 'Not Found')
    return { status: 204 }
  },
  'orgs/get-membership-for-user': membership,
  'orgs/list-members': (world, call) => {
    const logins = Object.keys(organisationIn(world, call).members)
    return listed(
      world,
      call,
      logins.map((login) => userOf(world, login)),
    )
  },
  'repos/get-collaborator-permission-level': collaborator,
  'teams/get-by-name': (world, call) => {
    const { organisation, team } = teamIn(world, call)
    return { status: 200, body: wholeTeam(world, organisation, team) }
  },
  'teams/get-membership-for-user-in-org': (world, call) => {
    const { team } = teamIn(world, call)
    if (!team.members.includes(name(call))) throw new Failure(404, 'Not Found')
    const url = `${world.url}${call.path}`
    return { status: 200, body: { url, role: 'member', state: 'active' } }
  },
  'teams/list-members-in-org': (world, call) =>
    listed(
      world,
      call,
      teamIn(world, call).team.members.map((login) => userOf(world, login)),
    ),
  'users/get-authenticated': (world, call) => {
    if (call.identity.is !== 'user') throw new Failure(403, 'Resource not accessible by integration')
    return { status: 200, body: wholeUser(world, call.identity.login) }
  },
  'users/get-by-username': (world, call) => {
    if (!isKnown(world, name(call))) throw new Failure(404, 'Not Found')
    return { status: 200, body: wholeUser(world, name(call)) }
  },
}

function name(call: Call): string {
  return call.parameters['username'] ?? ''
}

function isKnown(world: World, login: string): boolean {
  return login in world.state.users || Object.keys(world.state.apps).some((slug) => `${slug}[bot]` === login)
}

function organisationIn(world: World, call: Call): Organisation {
  const found = world.state.organisations[call.parameters['org'] ?? '']
  if (found === undefined) throw new Failure(404, 'Not Found')
  return found
}

function teamIn(world: World, call: Call): { readonly organisation: Organisation; readonly team: Team } {
  const organisation = organisationIn(world, call)
  const team = organisation.teams[call.parameters['team_slug'] ?? '']
  if (team === undefined) throw new Failure(404, 'Not Found')
  return { organisation, team }
}

function membership(world: World, call: Call): Answer {
  const organisation = organisationIn(world, call)
  const role = organisation.members[name(call)]
  if (role === undefined) throw new Failure(404, 'Not Found')
  const url = `${world.url}/orgs/${organisation.login}`
  return {
    status: 200,
    body: {
      url: `${url}/memberships/${name(call)}`,
      state: 'active',
      role,
      organization_url: url,
      organization: organisationBrief(world, organisation),
      user: userOf(world, name(call)),
    },
  }
}

function collaborator(world: World, call: Call): Answer {
  const login = name(call)
  if (!isKnown(world, login)) throw new Failure(404, 'Not Found')
  const role = roleOf(world.state, login, repositoryIn(world, call))
  // GitHub folds the finer roles into the older three; `role_name` has the true one.
  const folded = role === 'maintain' ? 'write' : role === 'triage' ? 'read' : (role ?? 'none')
  const permissions = {
    admin: role === 'admin',
    maintain: role === 'admin' || role === 'maintain',
    push: role === 'admin' || role === 'maintain' || role === 'write',
    triage: role !== undefined && role !== 'read',
    pull: role !== undefined,
  }
  const user = { ...userOf(world, login), permissions, role_name: role ?? 'none' }
  return { status: 200, body: { permission: folded, role_name: role ?? 'none', user } }
}

function wholeUser(world: World, login: string): JsonMap {
  const nothing = { company: null, location: null, email: null, hireable: null, bio: null, blog: '' }
  const counts = { public_repos: 0, public_gists: 0, followers: 0, following: 0 }
  const times = { created_at: '2026-01-01T00:00:00Z', updated_at: '2026-01-01T00:00:00Z' }
  return { ...userOf(world, login), name: login, ...nothing, ...counts, ...times }
}

function wholeTeam(world: World, organisation: Organisation, team: Team): JsonMap {
  const times = { created_at: '2026-01-01T00:00:00Z', updated_at: '2026-01-01T00:00:00Z' }
  return {
    ...teamView(world, organisation, team),
    ...times,
    members_count: team.members.length,
    repos_count: Object.keys(team.repositories).length,
    organization: {
      ...organisationBrief(world, organisation),
      ...times,
      html_url: `${world.url}/${organisation.login}`,
      type: 'Organization',
      has_organization_projects: true,
      has_repository_projects: true,
      public_repos: 0,
      public_gists: 0,
      followers: 0,
      following: 0,
      archived_at: null,
    },
  }
}
