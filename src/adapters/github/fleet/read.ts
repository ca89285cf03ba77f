import type { FleetRepository, OutcomeSeen, RepositorySeen } from '../../../core/upgrade/seen.ts'
import type { FleetLook, FleetPull } from '../../../ports.ts'
import type { Found, Size } from './batches.ts'
import { asked, inBatches, isTooMuch, loginOf, newSize, patiently, wholeFault } from './batches.ts'
import type { Answer, FieldError, FleetClient } from './client.ts'
import { at, Failed, listAt, Lost, textAt } from './client.ts'
import { filesQuery, lookQuery, moreBranches, outcomesQuery, readQuery } from './queries.ts'
import { baseOf, branchOf, filesOf, mayWrite, pullOf, repositoryOf, unusableOf } from './view.ts'

export type FilesRead =
  | { readonly is: 'read'; readonly repository: FleetRepository; readonly commit: string; readonly files: FilesSeen }
  | Exclude<RepositorySeen, { readonly is: 'read' }>

type FilesSeen = Extract<RepositorySeen, { readonly is: 'read' }>['files']

export async function* readFiles(
  client: FleetClient,
  repositories: readonly FleetRepository[],
  { paths, size }: { readonly paths: readonly string[]; readonly size: Size },
): AsyncGenerator<FilesRead> {
  const values = pathValues(paths)
  yield* inBatches<FleetRepository, FilesRead>(client, repositories, {
    size,
    unread,
    ask: async (batch) => {
      const answer = await asked(client, filesQuery(paths.length), { ids: batch.map(({ id }) => id), ...values })
      const all = batch.map((each, index) => nodeIn(answer, each, `nodes.${index}`))
      return Promise.all(
        all.map(async (each): Promise<Found<FilesRead>> => {
          if (each.is !== 'node') return each.is === 'again' ? each : { is: 'found', value: each.value }
          const { repository, node } = each
          const files = await wholeFiles(client, { repository, ...filesOf(node, paths) })
          return { is: 'found', value: { is: 'read', repository, commit: baseOf(node).commit, files } }
        }),
      )
    },
  })
}

export async function* readRepositories(
  client: FleetClient,
  repositories: readonly FleetRepository[],
  { paths, prefix, size }: { readonly paths: readonly string[]; readonly prefix: string; readonly size: Size },
): AsyncGenerator<RepositorySeen> {
  const values = { prefix: `refs/heads/${prefix}`, ...pathValues(paths) }
  yield* inBatches<FleetRepository, RepositorySeen>(client, repositories, {
    size,
    unread,
    ask: async (batch) => {
      const answer = await asked(client, readQuery(paths.length), { ids: batch.map(({ id }) => id), ...values })
      const us = loginOf(answer)
      const found: Found<RepositorySeen>[] = []
      for (const [index, item] of batch.entries()) {
        const each = nodeIn(answer, item, `nodes.${index}`)
        if (each.is !== 'node') {
          found.push(each.is === 'again' ? each : { is: 'found', value: each.value })
          continue
        }
        const { repository, node } = each
        const files = await wholeFiles(client, { repository, ...filesOf(node, paths) })
        const refs = await allBranches(client, { node, prefix: values.prefix })
        const branches = refs.map((ref) => branchOf(ref, { us, pulls: listAt(ref, 'associatedPullRequests', 'nodes') }))
        found.push({ is: 'found', value: { is: 'read', repository, ...stateOf(node), files, branches, pulls: [] } })
      }
      return found
    },
  })
}

/** Those with many services of their own have many branches. */
async function allBranches(
  client: FleetClient,
  { node, prefix }: { readonly node: unknown; readonly prefix: string },
): Promise<readonly unknown[]> {
  const found = [...listAt(node, 'refs', 'nodes')]
  let page = at(node, 'refs', 'pageInfo')
  while (at(page, 'hasNextPage') === true) {
    const answer = await asked(client, moreBranches, {
      id: textAt(node, 'id'),
      prefix,
      after: textAt(page, 'endCursor'),
    })
    const refs = at(answer.data, 'node', 'refs')
    if (refs === undefined) throw new Lost(answer.errors[0]?.message ?? 'GitHub did not list the branches.')
    found.push(...listAt(refs, 'nodes'))
    page = at(refs, 'pageInfo')
  }
  return found
}

export async function* lookAt(
  client: FleetClient,
  wanted: readonly FleetLook[],
  { size }: { readonly size: Size },
): AsyncGenerator<RepositorySeen> {
  yield* inBatches<FleetLook, RepositorySeen>(client, wanted, {
    size,
    unread: ({ repository }, why) => unread(repository, why),
    ask: async (batch) => {
      const text = lookQuery(batch.map(({ branches, paths }) => ({ branches: branches.length, paths: paths.length })))
      const values = Object.fromEntries(
        batch.flatMap(({ repository, branches, paths, file }, index) => [
          [`i${index}`, repository.id],
          ...(branches.length > 0 ? [[`p${index}`, file]] : []),
          ...branches.flatMap((branch, nth) => [
            [`b${index}_${nth}`, branch],
            [`q${index}_${nth}`, `refs/heads/${branch}`],
          ]),
          ...paths.map((path, nth) => [`f${index}_${nth}`, path]),
        ]),
      )
      const answer = await asked(client, text, values)
      const us = loginOf(answer)
      const found: Found<RepositorySeen>[] = []
      for (const [index, item] of batch.entries()) {
        const each = nodeIn(answer, item.repository, `r${index}`)
        if (each.is !== 'node') {
          found.push(each.is === 'again' ? each : { is: 'found', value: each.value })
          continue
        }
        const { repository, node } = each
        const files = await wholeFiles(client, { repository, ...filesOf(node, item.paths) })
        const own = item.branches.map((_, nth) => ({
          ref: at(node, `b${nth}`),
          // GitHub finds them by the name of their branch alone, and anybody's fork may have one of that name.
          pulls: listAt(node, `p${nth}`, 'nodes').filter((pull) => at(pull, 'isCrossRepository') !== true),
        }))
        const there = own.filter(({ ref }) => textAt(ref, 'name') !== undefined)
        const gone = own.filter((each_) => !there.includes(each_))
        found.push({
          is: 'found',
          value: {
            is: 'read',
            repository,
            ...stateOf(node),
            files,
            branches: there.map(({ ref, pulls }) => branchOf(ref, { us, pulls })),
            pulls: gone.flatMap(({ pulls }) => pulls.map((pull) => pullOf(pull, us))),
          },
        })
      }
      return found
    },
  })
}

function stateOf(node: unknown) {
  return { base: baseOf(node), mayWrite: mayWrite(node), mayAutomerge: at(node, 'autoMergeAllowed') === true }
}

function pathValues(paths: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(paths.map((path, index) => [`f${index}`, path]))
}

function unread(repository: FleetRepository, why: string): Exclude<RepositorySeen, { readonly is: 'read' }> {
  return { is: 'unread', repository, why }
}

type NodeIn =
  | { readonly is: 'node'; readonly node: unknown; readonly repository: FleetRepository }
  | { readonly is: 'told'; readonly value: Exclude<RepositorySeen, { readonly is: 'read' }> }
  | { readonly is: 'again'; readonly why: string }

/** One repository of an answer: with what it is called now, for it may have been renamed. */
function nodeIn(answer: Answer, known: FleetRepository, path: string): NodeIn {
  const whole = wholeFault(answer)
  if (whole !== undefined) {
    if (isTooMuch(whole)) return { is: 'again', why: whole.message }
    throw new Failed(200, whole.message)
  }
  const node = at(answer.data, ...path.split('.'))
  const own = answer.errors.filter(
    (error) => (error.path === path || error.path.startsWith(`${path}.`)) && !isExtra(error),
  )
  const slow = own.find(isTooMuch)
  if (slow !== undefined) return { is: 'again', why: slow.message }
  if (node === null || node === undefined || textAt(node, 'id') === undefined) {
    const [first] = own
    if (first !== undefined && first.type !== 'NOT_FOUND') return { is: 'told', value: unread(known, first.message) }
    return { is: 'told', value: { is: 'gone', repository: known } }
  }
  const repository = repositoryOf(node, known.properties)
  const why = unusableOf(node)
  if (why !== undefined) return { is: 'told', value: { is: 'unusable', repository, why } }
  const [first] = own
  if (first !== undefined) return { is: 'told', value: unread(repository, first.message) }
  return { is: 'node', node, repository }
}

/** What a token need not be allowed to see: without it, it is only not known how checks ended. */
function isExtra({ type, path }: FieldError): boolean {
  return type === 'FORBIDDEN' && /\.(?:statusCheckRollup|deployments)(?:\.|$)/u.test(path)
}

type Partly = { readonly repository: FleetRepository } & ReturnType<typeof filesOf>

/** GraphQL gives the beginning of a long file alone; the whole of it comes by itself. */
async function wholeFiles(client: FleetClient, { repository, files, cut }: Partly): Promise<FilesSeen> {
  if (cut.length === 0) return files
  const whole = new Map(files)
  for (const { path, oid } of cut) {
    const blob = await patiently(client, async () =>
      client.rest(`GET /repos/${repository.name}/git/blobs/{oid}`, { oid }),
    )
    const text = Buffer.from(textAt(blob, 'content') ?? '', 'base64').toString('utf8')
    const known = whole.get(path)
    if (known?.is === 'text') whole.set(path, { ...known, text })
  }
  return whole
}

/** Those that are there, in any order. */
export async function readOutcomes(client: FleetClient, wanted: readonly FleetPull[]): Promise<readonly OutcomeSeen[]> {
  const found: OutcomeSeen[] = []
  const all = inBatches<FleetPull, OutcomeSeen | undefined>(client, wanted, {
    size: newSize(50),
    unread: () => undefined,
    ask: async (batch) => {
      const values = batch.flatMap(({ repository, number }, index) => [
        [`i${index}`, repository.id],
        [`n${index}`, number],
      ])
      const answer = await asked(client, outcomesQuery(batch.length), Object.fromEntries(values))
      const whole = wholeFault(answer)
      if (whole !== undefined && isTooMuch(whole)) throw new Lost(whole.message)
      const us = loginOf(answer)
      return batch.map(({ repository }, index): Found<OutcomeSeen | undefined> => {
        const slow = answer.errors.find(
          ({ path, ...error }) => path.split('.')[0] === `r${index}` && isTooMuch({ path, ...error }),
        )
        if (slow !== undefined) return { is: 'again', why: slow.message }
        const pull = at(answer.data, `r${index}`, 'pullRequest')
        if (textAt(pull, 'id') === undefined) return { is: 'found', value: undefined }
        const isBlind = answer.errors.some(({ path, type }) => path.startsWith(`r${index}.`) && type === 'FORBIDDEN')
        const seen = { repository, pull: pullOf(pull, us), deployments: deploymentsOf(pull) }
        return { is: 'found', value: { ...seen, ...(isBlind && { isBlind }) } }
      })
    },
  })
  for await (const each of all) if (each !== undefined) found.push(each)
  return found
}

function deploymentsOf(pull: unknown): OutcomeSeen['deployments'] {
  const newest = new Map<string, OutcomeSeen['deployments'][number]>()
  for (const each of listAt(pull, 'merging', 'deployments', 'nodes')) {
    const environment = textAt(each, 'environment') ?? ''
    const state = textAt(each, 'latestStatus', 'state')
    const isWell = state === 'SUCCESS' || state === 'INACTIVE'
    const is = isWell ? 'success' : state === 'FAILURE' || state === 'ERROR' ? 'failure' : 'running'
    const when = textAt(each, 'latestStatus', 'createdAt') ?? textAt(each, 'createdAt') ?? ''
    if (!newest.has(environment)) newest.set(environment, { environment, state: is, at: when })
  }
  return [...newest.values()]
}
