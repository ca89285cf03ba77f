import { type Identity, refusal } from '../identity.ts'
import { isList, type Json, type JsonMap, numberAt, textAt } from '../json.ts'
import type { Found } from '../pull-view.ts'
import type { Deployment, Repository } from '../state.ts'
import { nodeOf, stamp, type World } from '../world.ts'

/** An object of the schema, with its fields; those that take arguments, or cost something, are functions. */
export type View = { readonly __typename: string; readonly [field: string]: Value | Promise<Value> | Field }

export type Value = null | undefined | boolean | number | string | View | Error | readonly Value[]

export type Field = (args: JsonMap) => Value | Promise<Value>

/** One request: whose it is, and how what it reaches is shown. */
export type Scene = { readonly world: World; readonly identity: Identity; readonly show: Show }

/** How things are shown, so that each may show the others. */
export type Show = {
  readonly repository: (scene: Scene, repository: Repository) => View
  readonly pull: (scene: Scene, found: Found) => View
  readonly commit: (scene: Scene, repository: Repository, sha: string) => View
  readonly ref: (scene: Scene, repository: Repository, name: string) => Promise<View | null>
  readonly rollup: (scene: Scene, repository: Repository, sha: string) => View | null
  readonly deployment: (scene: Scene, repository: Repository, deployment: Deployment) => View
}

/** An error as GraphQL gives it: at one field, while others are answered. */
export class GraphqlFailure extends Error {
  readonly type: string

  constructor(type: string, message: string) {
    super(message)
    this.type = type
  }
}

export function unprocessable(message: string): GraphqlFailure {
  return new GraphqlFailure('UNPROCESSABLE', message)
}

/** Throws unless the token may do what the operation of the REST API does. */
export function allow({ world, identity }: Scene, { owner, name }: Repository, operation: string): void {
  const refused = refusal(world.state, identity, { operation, parameters: { owner, repo: name } })
  if (refused === undefined) return
  if (refused.status === 404)
    throw new GraphqlFailure('NOT_FOUND', `Could not resolve to a Repository with the name '${owner}/${name}'.`)
  throw new GraphqlFailure('FORBIDDEN', refused.message)
}

/** Whether the token may know that the repository is there. */
export function sees({ world, identity }: Scene, { owner, name }: Repository): boolean {
  const parameters = { owner, repo: name }
  return refusal(world.state, identity, { operation: 'repos/get', parameters }) === undefined
}

export function noNode(id: string): GraphqlFailure {
  return new GraphqlFailure('NOT_FOUND', `Could not resolve to a node with the global id of '${id}'`)
}

/** The repository with a global id, if the token sees it. */
export function repositoryById(scene: Scene, id: string): Repository {
  const { kind, ids } = nodeOf(id) ?? {}
  const found = Object.values(scene.world.state.repositories).find((each) => String(each.id) === ids?.[0])
  if (kind !== 'R' || found === undefined || !sees(scene, found)) throw noNode(id)
  return found
}

/** The pull request with a global id, if the token sees its repository. */
export function pullById(scene: Scene, id: string): Found {
  const { kind, ids } = nodeOf(id) ?? {}
  const repository = Object.values(scene.world.state.repositories).find((each) => String(each.id) === ids?.[0])
  const pull = repository?.pulls[Number(ids?.[1])]
  if (kind !== 'PR' || repository === undefined || pull === undefined || !sees(scene, repository)) throw noNode(id)
  return { repository, pull }
}

/** A page of a list: `first` from the cursor `after` on, or the `last`. */
export function connection<Item>(
  type: string,
  { items, args }: { readonly items: readonly Item[]; readonly args: JsonMap },
  show: (item: Item) => View | Promise<View>,
): View {
  const first = numberAt(args, 'first')
  const last = numberAt(args, 'last')
  const begin = placeOf(textAt(args, 'after')) ?? 0
  const until = placeOf(textAt(args, 'before')) ?? items.length + 1
  const within = items.slice(begin, until - 1)
  const start = first === undefined && last !== undefined ? Math.max(0, within.length - last) : 0
  const page = within.slice(start, first === undefined ? undefined : start + first)
  const from = begin + start
  return {
    __typename: type,
    totalCount: items.length,
    nodes: async () => Promise.all(page.map(async (item) => show(item))),
    pageInfo: {
      __typename: 'PageInfo',
      hasNextPage: from + page.length < items.length,
      hasPreviousPage: from > 0,
      startCursor: page.length === 0 ? null : cursorOf(from + 1),
      endCursor: page.length === 0 ? null : cursorOf(from + page.length),
    },
  }
}

function cursorOf(place: number): string {
  return Buffer.from(`cursor:${place}`).toString('base64')
}

function placeOf(cursor: string | undefined): number | undefined {
  if (cursor === undefined) return undefined
  const place = Number(Buffer.from(cursor, 'base64').toString().replace('cursor:', ''))
  if (!Number.isSafeInteger(place)) {
    throw new GraphqlFailure('INVALID_CURSOR_ARGUMENTS', `\`${cursor}\` does not appear to be a valid cursor.`)
  }
  return place
}

/** Who did something. An App's login has no `[bot]` here, as it has in the REST API. */
export function actor({ world }: Scene, login: string): View {
  const url = `${world.url}/${login}`
  const slug = login.endsWith('[bot]') ? login.slice(0, -'[bot]'.length) : undefined
  const app = slug === undefined ? undefined : world.state.apps[slug]
  if (slug !== undefined)
    return { __typename: 'Bot', id: `BOT_${slug}`, databaseId: 40_000_000 + (app?.id ?? 0), login: slug, url }
  return user(world, login)
}

/** What stands where the schema wants a user, an App among them. */
export function user(world: World, login: string): View {
  const id = world.state.users[login] ?? 0
  return { __typename: 'User', id: `U_${login}`, databaseId: id, login, name: login, url: `${world.url}/${login}` }
}

/** The texts of a list of arguments; `undefined` where there is none. */
export function textsAt(args: JsonMap, key: string): readonly string[] | undefined {
  const list = args[key]
  return isList(list ?? null) && Array.isArray(list) ? list.map(String) : undefined
}

/** A time as GraphQL writes it. */
export function time(value: string): string {
  return stamp(new Date(value))
}

/** Whether a value is an order by this field, the newest or the last first. */
export function isDescending(order: Json | undefined): boolean {
  return textAt(order, 'direction') === 'DESC'
}
