import type { Clock } from '../../../src/ports.ts'
import type { Emulator, Actor } from './emulator.ts'
import { actionsApp, type Identity, roleOf } from './identity.ts'
import type { Limits } from './limits.ts'
import type { Tokens } from './tokens.ts'
import { isList, isMap, type Json, type JsonMap, textAt } from './json.ts'
import {
  type App,
  findRepository,
  fullNameOf,
  type Organisation,
  type Repository,
  repositoryOf,
  type State,
} from './state.ts'

/** Everything that answers are made from. */
export type World = {
  /** Where the server is: what every URL begins with. */
  readonly url: string
  readonly clock: Clock
  readonly emulator: Emulator
  readonly state: State
  readonly tokens: Tokens
  readonly limits: Limits
  /** Called when something may have opened or shut the gate of a job that waits. */
  readonly gates: Set<() => void>
  /** Called when a job begins to wait. */
  readonly held: Set<() => void>
  /** What does not change any more: git objects, by their paths. */
  readonly objects: Map<string, Json>
  /** How long what compares branches knows nothing of one that has moved; `left` counts down. */
  readonly comparing: Map<string, { left: number; readonly until: number }>
  /** How far what compares is behind. */
  readonly compareLag: CompareLag
}

/** A pull request cannot be made from a branch that has just moved: for so many tries, and for so long. */
export type CompareLag = { readonly tries?: number; readonly milliseconds?: number }

/** One request, after it was found to be whole and allowed. */
export type Call = {
  readonly operation: string
  readonly method: string
  /** With the query. */
  readonly path: string
  readonly parameters: Readonly<Record<string, string>>
  readonly query: URLSearchParams
  /** The header of this name. */
  readonly accept: string
  readonly body: JsonMap
  readonly identity: Identity
  /** The one that the request came with. */
  readonly token: string
}

export type Answer = {
  readonly status: number
  readonly body?: Json
  readonly bytes?: Buffer
  readonly headers?: Readonly<Record<string, string>>
}

export type Handler = (world: World, call: Call) => Answer | Promise<Answer>

/** An error that GitHub answers with; thrown from wherever it is found. */
export class Failure extends Error {
  readonly answer: Answer

  constructor(status: number, message: string, errors?: readonly Json[]) {
    super(message)
    this.answer = { status, body: { message, ...(errors ? { errors } : {}), documentation_url: documentation } }
  }
}

const documentation = 'https://docs.github.com/rest'

export function failure(status: number, message: string): Answer {
  return new Failure(status, message).answer
}

/** GitHub's form of "this field is wrong". */
export function invalid(resource: string, field: string, message?: string): Failure {
  const code = message === undefined ? 'invalid' : 'custom'
  return new Failure(422, 'Validation Failed', [
    { resource, field, code, ...(message === undefined ? {} : { message }) },
  ])
}

export function now(world: World): string {
  return stamp(world.clock.now())
}

/** A time as GitHub writes it: to the second, in UTC. */
export function stamp(date: Date): string {
  return date.toISOString().replace(/\.\d+Z$/, 'Z')
}

/** The repository that a call is about. */
export function repositoryIn(world: World, call: Call): Repository {
  return repositoryOf(world.state, `${call.parameters['owner']}/${call.parameters['repo']}`)
}

export function actorOf(world: World, identity: Identity, repository: Repository): Actor {
  if (identity.is === 'user') return { is: 'user', login: identity.login }
  const slug = identity.is === 'app' ? identity.slug : actionsApp.slug
  return { is: 'app', slug, account: repository.owner }
}

/** Git objects and refs belong to the repository, whoever writes them. */
function ownerOf(world: World, repository: Repository): Actor {
  return repository.owner in world.state.organisations ? { is: 'server' } : { is: 'user', login: repository.owner }
}

/** Reads from emulate what must be there. */
export async function read(world: World, path: string): Promise<Json> {
  const known = world.objects.get(path)
  if (known !== undefined) return known
  const found = await readAnew(world, path)
  if (/\/git\/(?:blobs|commits|trees)\/[0-9a-f]{40}(?:\?recursive=1)?$/.test(path)) world.objects.set(path, found)
  return found
}

async function readAnew(world: World, path: string): Promise<Json> {
  const { status, body } = await world.emulator.ask({ actor: { is: 'server' }, method: 'GET', path })
  if (status !== 200 || body === undefined) throw new Failure(status === 200 ? 404 : status, 'Not Found')
  return body
}

/** Reads from emulate what may be absent. */
export async function find(world: World, path: string): Promise<Json | undefined> {
  const { status, body } = await world.emulator.ask({ actor: { is: 'server' }, method: 'GET', path })
  return status === 200 ? body : undefined
}

/** Writes a git object or a ref, as the owner of the repository. */
export async function writeGit(world: World, repository: Repository, asked: Written): Promise<Json> {
  return written(world, { ...asked, actor: ownerOf(world, repository), repository })
}

export type Written = { readonly method: string; readonly path: string; readonly body?: JsonMap }

/** Writes to `/repos/<repository>` and on; what emulate refuses is the answer. */
export async function written(
  world: World,
  { actor, repository, method, path, body }: Written & { readonly actor: Actor; readonly repository: Repository },
): Promise<Json> {
  const told = await world.emulator.ask({
    actor,
    method,
    path: `/repos/${fullNameOf(repository)}${path}`,
    ...(body === undefined ? {} : { body }),
  })
  if (told.status >= 400) throw new Failure(told.status, textAt(told.body, 'message') ?? 'Not Found')
  return told.body ?? null
}

/** Hands a call on to emulate as it is. */
export async function pass(world: World, call: Call): Promise<Answer> {
  const repository = findRepository(world.state, `${call.parameters['owner']}/${call.parameters['repo']}`)
  const isGit = call.operation.startsWith('git/') || call.operation === 'repos/create-or-update-file-contents'
  const actor: Actor =
    call.method === 'GET' || repository === undefined
      ? { is: 'server' }
      : isGit
        ? ownerOf(world, repository)
        : actorOf(world, call.identity, repository)
  const { method, path, body } = call
  const told = await world.emulator.ask({ actor, method, path, ...(method === 'GET' ? {} : { body }) })
  return {
    status: told.status,
    ...(told.body === undefined ? {} : { body: told.body }),
    ...(told.link === undefined ? {} : { headers: { link: told.link } }),
  }
}

/** A user or bot as GitHub shows it inside of other things. */
export function userOf(world: World, login: string): JsonMap {
  const id = world.state.users[login]
  if (id !== undefined) return account(world, { login, id, path: `users/${login}` })
  const app = Object.values(world.state.apps).find(({ slug }) => `${slug}[bot]` === login)
  if (app === undefined) throw new Error(`There is no user ${login} in the local GitHub`)
  return {
    ...account(world, { login, id: 40_000_000 + app.id, path: `users/${encodeURIComponent(login)}` }),
    html_url: `${world.url}/apps/${app.slug}`,
    type: 'Bot',
  }
}

type Account = { readonly login: string; readonly id: number; readonly path: string }

function account(world: World, { login, id, path }: Account): JsonMap {
  const at = `${world.url}/${path}`
  return {
    login,
    id,
    node_id: nodeId('U', id),
    avatar_url: `${world.url}/avatars/${id}`,
    gravatar_id: '',
    url: at,
    html_url: `${world.url}/${login}`,
    followers_url: `${at}/followers`,
    following_url: `${at}/following{/other_user}`,
    gists_url: `${at}/gists{/gist_id}`,
    starred_url: `${at}/starred{/owner}{/repo}`,
    subscriptions_url: `${at}/subscriptions`,
    organizations_url: `${at}/orgs`,
    repos_url: `${at}/repos`,
    events_url: `${at}/events{/privacy}`,
    received_events_url: `${at}/received_events`,
    type: 'User',
    site_admin: false,
  }
}

/** The App as GitHub shows it on what it made. */
export function integrationOf(world: World, app: App): JsonMap {
  const owner = Object.values(world.state.organisations)[0]
  return {
    id: app.id,
    slug: app.slug,
    node_id: nodeId('A', app.id),
    client_id: `Iv1.${app.id}`,
    owner: owner === undefined ? {} : organisationAccount(world, owner),
    name: app.name,
    description: null,
    external_url: `${world.url}/apps/${app.slug}`,
    html_url: `${world.url}/apps/${app.slug}`,
    created_at: '2026-01-01T00:00:00Z',
    updated_at: '2026-01-01T00:00:00Z',
    permissions: app.permissions,
    events: [],
  }
}

/** An organisation where a user could stand: as the owner of something. */
export function organisationAccount(world: World, { login, id }: Organisation): JsonMap {
  return { ...account(world, { login, id, path: `users/${login}` }), type: 'Organization' }
}

/** An organisation by itself. */
export function organisationBrief(world: World, { login, id }: Organisation): JsonMap {
  const url = `${world.url}/orgs/${login}`
  return {
    login,
    id,
    node_id: nodeId('O', id),
    url,
    repos_url: `${url}/repos`,
    events_url: `${url}/events`,
    hooks_url: `${url}/hooks`,
    issues_url: `${url}/issues`,
    members_url: `${url}/members{/member}`,
    public_members_url: `${url}/public_members{/member}`,
    avatar_url: `${world.url}/avatars/${id}`,
    description: null,
  }
}

/** GitHub's global id of something, by its kind and what tells it from others of the kind. */
export function nodeId(kind: string, ...ids: readonly (number | string)[]): string {
  return `${kind}_${Buffer.from(['local', ...ids].join(':')).toString('base64url')}`
}

/** What `nodeId` was made from. */
export function nodeOf(id: string): { readonly kind: string; readonly ids: readonly string[] } | undefined {
  const [, kind, encoded] = /^([A-Z]+)_([\w-]+)$/.exec(id) ?? []
  if (kind === undefined || encoded === undefined) return undefined
  const [made, ...ids] = Buffer.from(encoded, 'base64url').toString().split(':')
  return made === 'local' ? { kind, ids } : undefined
}

/** A page of a list that this server keeps itself, with GitHub's `Link` header. */
export function paged<Item>(
  world: World,
  call: Call,
  items: readonly Item[],
): { readonly items: readonly Item[]; readonly headers: Record<string, string> } {
  const size = Math.min(100, Math.max(1, Number(call.query.get('per_page') ?? 30)))
  const page = Math.max(1, Number(call.query.get('page') ?? 1))
  const last = Math.max(1, Math.ceil(items.length / size))
  const links = [
    ...(page > 1 ? [{ page: page - 1, rel: 'prev' }] : []),
    ...(page < last
      ? [
          { page: page + 1, rel: 'next' },
          { page: last, rel: 'last' },
        ]
      : []),
    ...(page > 1 ? [{ page: 1, rel: 'first' }] : []),
  ].map((link) => {
    const url = new URL(call.path, world.url)
    url.searchParams.set('page', String(link.page))
    return `<${url.href}>; rel="${link.rel}"`
  })
  return {
    items: items.slice((page - 1) * size, page * size),
    headers: links.length === 0 ? {} : { link: links.join(', ') },
  }
}

export function listed(world: World, call: Call, items: readonly Json[]): Answer {
  const page = paged(world, call, items)
  return { status: 200, body: page.items, headers: page.headers }
}

/** A list under a name and with its length, as the newer parts of GitHub's API give them. */
export function counted(world: World, call: Call, name: string, items: readonly Json[]): Answer {
  const page = paged(world, call, items)
  return { status: 200, body: { total_count: items.length, [name]: page.items }, headers: page.headers }
}

/**
 * What emulate says, put right: bots are shown as GitHub shows them, repositories are as private as they are, and what an
 * App wrote says so.
 */
export function dressed(world: World, identity: Identity, value: Json): Json {
  if (isList(value)) return value.map((item) => dressed(world, identity, item))
  if (!isMap(value)) return value
  const login = textAt(value, 'login')
  const organisation = login === undefined ? undefined : world.state.organisations[login]
  if (organisation !== undefined) return organisationAccount(world, organisation)
  if (login !== undefined) {
    if (login.endsWith('[bot]') || login in world.state.users) return { ...value, ...userOf(world, login) }
  }
  const made: Record<string, Json | undefined> = {}
  for (const [key, inner] of Object.entries(value)) {
    made[key] = typeof inner === 'object' ? dressed(world, identity, inner) : inner
  }
  const verification = signedByGitHub(world, value)
  if (verification !== undefined) return { ...made, ...verification }
  const fullName = textAt(value, 'full_name')
  const repository = fullName === undefined ? undefined : findRepository(world.state, fullName)
  if (repository !== undefined && value['private'] !== undefined)
    return { ...made, ...visible(world, identity, repository) }
  if ('performed_via_github_app' in value) {
    const app = Object.values(world.state.apps).find(({ slug }) => `${slug}[bot]` === textAt(made['user'], 'login'))
    if (app !== undefined) made['performed_via_github_app'] = integrationOf(world, app)
  }
  return made
}

/** A commit says whether GitHub has signed it. */
function signedByGitHub({ state }: World, value: JsonMap): JsonMap | undefined {
  const sha = textAt(value, 'sha')
  if (sha === undefined || state.signed[sha] !== true) return undefined
  const verification = {
    verified: true,
    reason: 'valid',
    signature: '-----BEGIN PGP SIGNATURE-----\nlocal\n-----END PGP SIGNATURE-----\n',
    payload: `tree of ${sha}`,
    verified_at: '2026-01-01T00:00:00Z',
  }
  if ('verification' in value) return { verification }
  const commit = value['commit']
  return isMap(commit) && 'verification' in commit ? { commit: { ...commit, verification } } : undefined
}

function visible(world: World, identity: Identity, repository: Repository): JsonMap {
  const role = identity.is === 'user' ? roleOf(world.state, identity.login, repository) : 'read'
  const atLeast = (...enough: readonly string[]) => role !== undefined && enough.includes(role)
  const { topics, properties } = repository.settings ?? {}
  return {
    node_id: nodeId('R', repository.id),
    private: repository.private,
    ...(repository.disabled === true ? { disabled: true } : {}),
    ...(topics === undefined ? {} : { topics: [...topics] }),
    ...(properties === undefined ? {} : { custom_properties: { ...properties } }),
    visibility: repository.private ? 'private' : 'public',
    archived: repository.archived,
    fork: repository.parent !== undefined,
    pushed_at: repository.pushedAt,
    permissions: {
      admin: atLeast('admin'),
      maintain: atLeast('admin', 'maintain'),
      push: atLeast('admin', 'maintain', 'write'),
      triage: atLeast('admin', 'maintain', 'write', 'triage'),
      pull: role !== undefined,
    },
  }
}

/** The sha of a commit that a branch, a tag or a sha (whole or begun) names; `undefined` if there is none. */
export async function commitOf(world: World, repository: Repository, ref: string): Promise<string | undefined> {
  const name = ref.replace(/^refs\//, '')
  const found = await find(world, `/repos/${fullNameOf(repository)}/commits/${encodeRef(name)}?per_page=1`)
  return textAt(found, 'sha')
}

/** A ref for a path: slashes stay. */
export function encodeRef(ref: string): string {
  return ref.split('/').map(encodeURIComponent).join('/')
}

/** The id in a path. */
export function idIn(call: Call, name: string): number {
  const id = Number(call.parameters[name])
  if (!Number.isSafeInteger(id)) throw new Failure(404, 'Not Found')
  return id
}
