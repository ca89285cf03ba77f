import type { Repositories } from '../../../core/catalog.ts'
import { Refused } from '../../../core/problem.ts'
import type { FleetRepository } from '../../../core/upgrade/seen.ts'
import { asked, patiently, wholeFault } from './batches.ts'
import type { FleetClient } from './client.ts'
import { at, Failed, listAt, textAt } from './client.ts'
import { namedQuery, ownedQuery } from './queries.ts'
import { repositoryOf } from './view.ts'

/** A repository with what a catalog may find it by. */
type Candidate = { readonly repository: FleetRepository; readonly topics: readonly string[] }

/**
 * The repositories that a catalog names, a hundred a request: those of the installation, which are just those that an App may write to, or
 * those of the owner where the token is no App's. By their numbers, each once.
 */
export async function discover(
  client: FleetClient,
  { where, owner }: { readonly where: Repositories; readonly owner: string },
): Promise<readonly FleetRepository[]> {
  const found =
    where.by === 'name' ? await named(client, where.names) : matching(await candidates(client, owner), where)
  const each = new Map(found.map((repository) => [repository.id, repository]))
  return [...each.values()].toSorted((a, b) => a.number - b.number)
}

function matching(
  all: readonly Candidate[],
  where: Exclude<Repositories, { readonly by: 'name' }>,
): readonly FleetRepository[] {
  const isOne = ({ repository, topics }: Candidate): boolean => {
    if (where.by === 'topic') return topics.includes(where.topic)
    const values = repository.properties[where.property] ?? []
    return values.some((value) => value !== '' && value !== 'false')
  }
  return all.filter(isOne).map(({ repository }) => repository)
}

async function candidates(client: FleetClient, owner: string): Promise<readonly Candidate[]> {
  const installed = await installation(client)
  const all = installed ?? (await owned(client, owner))
  // An App may be installed for one owner alone, but a token for more.
  return all.filter(({ repository }) => repository.name.toLowerCase().startsWith(`${owner.toLowerCase()}/`))
}

const page = 100

/** Nothing where the token is not an installation's. */
async function installation(client: FleetClient): Promise<readonly Candidate[] | undefined> {
  const found: Candidate[] = []
  for (let number = 1; ; number += 1) {
    const answer = await installed(client, number)
    if (answer === undefined) return undefined
    const list = listAt(answer, 'repositories')
    found.push(
      ...list.map((each) => ({
        repository: {
          id: textAt(each, 'node_id') ?? '',
          number: Number(at(each, 'id')),
          name: textAt(each, 'full_name') ?? '',
          is: at(each, 'archived') === true ? 'archived' : at(each, 'disabled') === true ? 'disabled' : 'usable',
          properties: propertiesOf(at(each, 'custom_properties')),
        } satisfies FleetRepository,
        topics: listAt(each, 'topics').filter((topic) => typeof topic === 'string'),
      })),
    )
    if (list.length < page || found.length >= Number(at(answer, 'total_count'))) return found
  }
}

async function installed(client: FleetClient, number: number): Promise<unknown> {
  try {
    return await patiently(client, async () =>
      client.rest('GET /installation/repositories', { per_page: page, page: number }),
    )
  } catch (error) {
    if (error instanceof Failed && (error.status === 403 || error.status === 404)) return undefined
    throw error
  }
}

function propertiesOf(found: unknown): FleetRepository['properties'] {
  if (typeof found !== 'object' || found === null) return {}
  return Object.fromEntries(
    Object.entries(found).map(([name, value]: [string, unknown]) => {
      const all: readonly unknown[] = Array.isArray(value) ? value : [value]
      return [name, all.filter((each) => typeof each === 'string')]
    }),
  )
}

async function owned(client: FleetClient, owner: string): Promise<readonly Candidate[]> {
  const found: Candidate[] = []
  let after: string | undefined
  for (;;) {
    const answer = await asked(client, ownedQuery, { owner, after })
    const fault = wholeFault(answer)
    if (fault !== undefined) throw new Failed(200, fault.message)
    const list = at(answer.data, 'repositoryOwner', 'repositories')
    if (list === undefined)
      throw new Refused('github-not-found', `GitHub knows nobody called ${owner}, or hides it from this token.`, {
        remedy: 'Give the command the token of an App that is installed for the organisation, or one that may read it.',
      })
    found.push(
      ...listAt(list, 'nodes').map((each) => ({
        repository: repositoryOf(each),
        topics: listAt(each, 'repositoryTopics', 'nodes').flatMap((topic) => textAt(topic, 'topic', 'name') ?? []),
      })),
    )
    if (at(list, 'pageInfo', 'hasNextPage') !== true) return found
    after = textAt(list, 'pageInfo', 'endCursor')
  }
}

const namedAtOnce = 50

/** What is not there, or hidden, is left out: who names it is told by `doctor`. */
async function named(client: FleetClient, names: readonly string[]): Promise<readonly FleetRepository[]> {
  const found: FleetRepository[] = []
  for (let start = 0; start < names.length; start += namedAtOnce) {
    const some = names.slice(start, start + namedAtOnce)
    const values = Object.fromEntries(
      some.flatMap((full, index) => {
        const [owner = '', name = ''] = full.split('/')
        return [
          [`o${index}`, owner],
          [`n${index}`, name],
        ]
      }),
    )
    const answer = await asked(client, namedQuery(some.length), values)
    const fault = wholeFault(answer)
    if (fault !== undefined && fault.type !== 'NOT_FOUND') throw new Failed(200, fault.message)
    for (const index of some.keys()) {
      const node = at(answer.data, `r${index}`)
      if (textAt(node, 'id') !== undefined) found.push(repositoryOf(node))
    }
  }
  return found
}
