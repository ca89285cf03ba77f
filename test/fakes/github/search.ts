import { type Identity, reaches, roleOf } from './identity.ts'
import { issueOfPull } from './issues.ts'
import { isList, isMap, type JsonMap, listAt, text } from './json.ts'
import { fullNameOf, type Pull, type Repository, type State } from './state.ts'
import { type Answer, type Call, Failure, type Handler, paged, read, type World } from './world.ts'

/** Searching for pull requests, by what is used of GitHub's qualifiers; one that is not known here is a mistake of the test. */
export const searchHandlers: Readonly<Record<string, Handler>> = { 'search/issues-and-pull-requests': search }

/** GitHub shows no more of what is found. */
const mostFound = 1000

type Wanted = { readonly key: string; readonly value: string }

async function search(world: World, call: Call): Promise<Answer> {
  const wanted = qualifiersOf(call.query.get('q') ?? '')
  const scopes = wanted.filter(({ key }) => key === 'org' || key === 'user' || key === 'repo')
  const all = Object.values(world.state.repositories)
  const inScope = all.filter(
    (repository) =>
      sees(world.state, call.identity, repository) &&
      (scopes.length === 0 || scopes.some((scope) => isIn(repository, scope))),
  )
  if (inScope.length === 0 && scopes.length > 0) throw new Failure(422, 'Validation Failed', [unseen])
  const found: JsonMap[] = []
  for (const repository of inScope) {
    const labels = await labelsOf(world, repository)
    for (const pull of Object.values(repository.pulls)) {
      if (wanted.every((each) => fits(pull, { ...each, labels: labels.get(pull.number) ?? [] })))
        found.push(await itemOf(world, call, { repository, pull }))
    }
  }
  const page = paged(world, call, found.slice(0, mostFound))
  return {
    status: 200,
    body: { total_count: found.length, incomplete_results: false, items: page.items, search_type: 'lexical' },
    headers: page.headers,
  }
}

const unseen = {
  message:
    'The listed users and repositories cannot be searched either because the resources do not exist or you do not have permission to view them.',
  resource: 'Search',
  field: 'q',
  code: 'invalid',
}

/** `is:pr label:"two words" org:acme` */
function qualifiersOf(query: string): readonly Wanted[] {
  return [...query.matchAll(/(\S+?):(?:"([^"]*)"|(\S+))|\S+/g)].map(([all, key, quoted, plain]) => {
    if (key === undefined) throw new Failure(422, `The local GitHub searches for qualifiers only, and not for ${all}`)
    return { key, value: quoted ?? plain ?? '' }
  })
}

function isIn(repository: Repository, { key, value }: Wanted): boolean {
  const name = key === 'repo' ? fullNameOf(repository) : repository.owner
  return name.toLowerCase() === value.toLowerCase()
}

function fits(
  { open: isOpen, merged }: Pull,
  { key, value, labels }: Wanted & { readonly labels: readonly string[] },
): boolean {
  switch (`${key}:${value}`) {
    case 'is:pr':
    case 'type:pr':
      return true
    case 'is:issue':
      return false
    case 'is:open':
    case 'state:open':
      return isOpen
    case 'is:closed':
    case 'state:closed':
      return !isOpen
    case 'is:merged':
      return merged !== undefined
    default:
      if (key === 'label') return labels.some((label) => label.toLowerCase() === value.toLowerCase())
      if (key === 'org' || key === 'user' || key === 'repo') return true
      throw new Failure(422, `The local GitHub does not know the qualifier ${key}:${value}`)
  }
}

/** One sees what one may read; a job its own repository, and what is public. */
function sees(state: State, identity: Identity, repository: Repository): boolean {
  if (!repository.private) return true
  if (identity.is === 'user') return roleOf(state, identity.login, repository) !== undefined
  return (identity.is === 'job' || identity.is === 'app') && reaches(identity, repository)
}

/** The labels of pull requests, by their numbers. */
async function labelsOf(world: World, repository: Repository): Promise<ReadonlyMap<number, readonly string[]>> {
  const found = new Map<number, readonly string[]>()
  for (const { number } of Object.values(repository.pulls)) {
    const labels = await read(world, `/repos/${fullNameOf(repository)}/issues/${number}/labels?per_page=100`)
    if (isList(labels))
      found.set(
        number,
        labels.filter(isMap).map((label) => text(label, 'name')),
      )
  }
  return found
}

async function itemOf(
  world: World,
  call: Call,
  found: { readonly repository: Repository; readonly pull: Pull },
): Promise<JsonMap> {
  const view = await issueOfPull(world, call, found)
  const { body, ...item } = view
  return { ...item, ...(typeof body === 'string' && { body }), labels: listAt(view, 'labels'), score: 1 }
}
