import { openEnvironment } from '../../core/catalog.ts'
import type { Consumer as Rendered } from '../../core/impact.ts'
import { lockFile } from '../../core/skeleton.ts'
import { openServiceSpec } from '../../core/spec.ts'
import { branchOf, branchPrefix, readBranchName } from '../../core/upgrade/metadata.ts'
import type { Access, Consumer, Facts } from '../../core/upgrade/model.ts'
import type { BranchSeen, FilesSeen, FleetRepository, PullSeen, RepositorySeen } from '../../core/upgrade/seen.ts'
import type { FleetHost, FleetPull } from '../../ports.ts'
import type { World } from './world.ts'

/** One consumer as it was seen, with all that is ours in its repository and about it. */
export type Sighting = {
  readonly consumer: Consumer
  readonly rendered: Rendered
  readonly repository: FleetRepository
  readonly access: Access
  readonly base: Facts['base']
  readonly mayAutomerge: boolean
  readonly branches: readonly BranchSeen[]
  readonly pulls: readonly PullSeen[]
  /** `.protium/lock.json` there; nothing in the catalog itself, where no files of skeletons are kept. */
  readonly lock?: { readonly text: string | undefined }
}

/** A repository of which nothing is known now: its consumers stay as they were. */
export type Unseen = {
  readonly repository: FleetRepository
  readonly words: string
  /** It does not exist any more, or is hidden from the token: what is open there is of nobody's concern. */
  readonly isGone: boolean
}

export type Sweep = {
  readonly sightings: readonly Sighting[]
  readonly unseen: readonly Unseen[]
  /** Files of services that say nothing that could be understood. */
  readonly unreadable: readonly {
    readonly repository: FleetRepository
    readonly file: string
    readonly words: string
  }[]
}

const serviceFile = 'service.yaml'

/** Reads all repositories once, in batches, and says what runs there. The catalog's own consumers come from its files. */
export async function sweep(
  fleet: FleetHost,
  {
    repositories,
    catalog,
    world,
  }: {
    readonly repositories: readonly FleetRepository[]
    /** The repository of the catalog itself, where it is known. */
    readonly catalog: FleetRepository | undefined
    readonly world: World
  },
): Promise<Sweep> {
  const sightings: Sighting[] = []
  const unseen: Unseen[] = []
  const unreadable: Sweep['unreadable'][number][] = []
  const others = repositories.filter(({ id }) => id !== catalog?.id)
  const all = catalog === undefined ? others : [catalog, ...others]
  for await (const seen of fleet.read(all, { paths: [serviceFile, lockFile], prefix: branchPrefix })) {
    const { repository } = seen
    if (seen.is !== 'read') unseen.push(notSeen(seen))
    else if (repository.id === catalog?.id) {
      const own = world.consumers.flatMap((rendered) => sightingOf(seen, { rendered, world }) ?? [])
      sightings.push(...own)
    } else {
      const file = seen.files.get(serviceFile)
      if (file === undefined) continue
      const rendered = { is: 'service', repository: repository.name, file: serviceFile } as const
      const sighting =
        file.is === 'text' ? sightingOf(seen, { rendered: { ...rendered, text: file.text }, world }) : undefined
      if (sighting === undefined)
        unreadable.push({
          repository,
          file: serviceFile,
          words: wordsOf(serviceFile, file.is === 'text' ? file.text : undefined),
        })
      else sightings.push({ ...sighting, lock: { text: textIn(seen.files, lockFile) } })
    }
  }
  return { sightings, unseen, unreadable }
}

function textIn(files: FilesSeen, path: string): string | undefined {
  const file = files.get(path)
  return file?.is === 'text' ? file.text : undefined
}

function wordsOf(file: string, text: string | undefined): string {
  if (text === undefined) return 'It is no text.'
  const error = openServiceSpec(file, text).problems.find(({ severity }) => severity === 'error')
  if (error === undefined) return 'It names no service and no template.'
  return error.at === undefined ? error.message : `Line ${error.at.line}: ${error.message}`
}

type Read = Extract<RepositorySeen, { readonly is: 'read' }>

/** Nothing where its file says nothing that could be understood. */
export function sightingOf(
  seen: Read,
  { rendered, world }: { readonly rendered: Rendered; readonly world: World },
): Omit<Sighting, 'lock'> | undefined {
  const { repository } = seen
  const said = rendered.is === 'environment' ? ofEnvironment(rendered, world) : ofService(rendered)
  if (said === undefined) return undefined
  const consumer: Consumer = {
    ...said,
    key: `${repository.number}:${rendered.file}`,
    kind: rendered.is,
    file: rendered.file,
    repository: repository.name,
    properties: new Map(Object.entries(repository.properties).map(([name, values]) => [name, values.join(',')])),
  }
  const isOwn = (branch: string): boolean => {
    const read = readBranchName(branch)
    return read !== undefined && branchOf(consumer, read.major) === branch
  }
  const branches = seen.branches.filter(({ name }) => isOwn(name))
  const pulls = [...branches.flatMap((branch) => branch.pulls), ...seen.pulls.filter(({ branch }) => isOwn(branch))]
  return {
    consumer,
    rendered,
    repository,
    access: seen.mayWrite
      ? { is: 'ready' }
      : { is: 'closed', words: 'The token may not write to its repository: the App is to be given access.' },
    base: seen.base,
    mayAutomerge: seen.mayAutomerge,
    branches,
    pulls,
  }
}

type Said = Pick<Consumer, 'name' | 'owner' | 'template' | 'version' | 'wishes' | 'stage'>

function ofService({ file, text }: Rendered): Said | undefined {
  const { spec } = openServiceSpec(file, text)
  if (spec === undefined) return undefined
  const { service: name, template, version, owner, upgrades: wishes } = spec
  return { name, template, version, wishes, ...(owner !== undefined && { owner }) }
}

function ofEnvironment({ file, text }: Rendered, { catalog }: World): Said | undefined {
  const { environment } = openEnvironment(file, text)
  if (environment === undefined) return undefined
  const { name, template, version } = environment
  const stage = catalog.stages.findIndex((each) => each.environment === name)
  return { name, template, version, wishes: {}, ...(stage !== -1 && { stage }) }
}

const unusable = {
  archived: 'Its repository is archived.',
  disabled: 'Its repository is disabled.',
  locked: 'Its repository is locked.',
  empty: 'Its repository has no commit.',
} as const

function notSeen(seen: Exclude<RepositorySeen, Read>): Unseen {
  const { repository } = seen
  if (seen.is === 'gone')
    return { repository, words: 'Its repository is gone, or hidden from the token.', isGone: true }
  const words = seen.is === 'unusable' ? unusable[seen.why] : `GitHub did not show its repository: ${seen.why}`
  return { repository, words, isGone: false }
}

/** Pull requests that were closed, of which it is not known by whom: it is asked, for only a person's close is an answer. */
export function unsure(sightings: readonly Sighting[], known: ReadonlySet<string>): readonly FleetPull[] {
  return sightings.flatMap(({ repository, pulls, consumer }) =>
    pulls
      .filter(
        ({ state, closedBy, number }) =>
          state === 'closed' && closedBy === undefined && !known.has(`${consumer.key}#${number}`),
      )
      .map(({ number }) => ({ repository, number })),
  )
}
