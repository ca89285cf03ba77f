import { join } from 'node:path'

import type { Ports } from '../../command.ts'
import { openEnvironment } from '../../core/catalog.ts'
import { type Consumer as Rendered, consumerReference } from '../../core/impact.ts'
import { didYouMean } from '../../core/nearest.ts'
import type { Problem } from '../../core/problem.ts'
import { lockFile, readLock, versionsIn } from '../../core/skeleton.ts'
import { openServiceSpec } from '../../core/spec.ts'
import type { FileTree } from '../../core/tree.ts'
import { draftOf, type Making, type Proposal, proposalOf } from '../../core/upgrade/proposal.ts'
import type { FileSeen, FilesSeen } from '../../core/upgrade/seen.ts'
import { type Offer, tracksOf } from '../../core/upgrade/target.ts'
import { compareVersions, parseReference, parseVersion } from '../../core/version.ts'
import type { Sighting } from './sweep.ts'
import { sightingOf } from './sweep.ts'
import { openWorld, type World } from './world.ts'

/** The upgrade of one consumer whose files lie here. */
export type Here =
  | { readonly is: 'bad'; readonly problems: readonly Problem[]; readonly sources: FileTree }
  /** Within its major. `next` is the version of the next one that would be offered. */
  | { readonly is: 'newest'; readonly consumer: Sighting['consumer']; readonly next?: string }
  | {
      readonly is: 'upgrade'
      readonly consumer: Sighting['consumer']
      readonly to: string
      readonly proposal: Proposal
      /** The files as they are, of those that change. */
      readonly before: FileTree
      readonly sources: FileTree
    }

/**
 * What an upgrade of a service or an environment would change in a checkout. `to` is the version that it goes to; without one, the newest
 * that is offered within its major. The catalog may lie in another folder.
 */
export async function upgradeHere(
  ports: Ports,
  {
    root,
    catalog,
    name,
    to,
  }: { readonly root: string; readonly catalog: string; readonly name: string; readonly to: string | undefined },
): Promise<Here> {
  const { world, problems, sources } = await openWorld(ports, catalog)
  if (world === undefined) return { is: 'bad', problems: await namingCatalog(ports, root, problems), sources }
  const isOwn = join(root, '.') !== join(catalog, '.')
  const all = isOwn ? await ownConsumer(ports, root) : world.consumers
  const named = all.map((rendered) => ({ rendered, sighting: sightingHere(rendered, world) }))
  const found = named.find(({ rendered, sighting }) => sighting !== undefined && idOf(rendered, sighting) === name)
  if (found?.sighting === undefined) {
    const broken = await brokenFile(ports, { root, name, world, isOwn })
    if (broken !== undefined) return { is: 'bad', ...broken }
    const known = named.flatMap(({ rendered, sighting }) => (sighting === undefined ? [] : [idOf(rendered, sighting)]))
    return { is: 'bad', problems: [unknown(name, known)], sources }
  }
  const { consumer } = found.sighting
  const offers = world.offers(consumer.template)
  if (offers === undefined) return { is: 'bad', problems: withoutTemplate(consumer, world), sources }
  const [track] = tracksOf({ ...consumer, wishes: {} }, { offers, answers: [], branches: [] })
  const offered = track?.target.is === 'move' ? track.target.to : undefined
  const wanted = to ?? offered
  if (wanted === undefined || wanted === consumer.version) {
    const next = nextMajor(consumer.version, offers)
    return { is: 'newest', consumer, ...(next !== undefined && { next }) }
  }
  const isKnown = offers.some(({ version, is }) => version === wanted && is !== 'yanked')
  if (!isKnown)
    return {
      is: 'bad',
      problems: [
        notOffered(
          `${consumer.template}@${wanted}`,
          offers.map(({ version }) => version),
        ),
      ],
      sources,
    }
  const { template, version } = consumer
  const lock = isOwn ? textOf(await fileAt(ports, root, lockFile)) : undefined
  const locked = lock === undefined ? undefined : readLock(lock)
  const bases = locked === undefined ? [] : versionsIn(locked).flatMap((each) => parseReference(each) ?? [])
  await world.load([{ template, version }, { template, version: wanted }, ...bases])
  const making: Making = {
    opened: world.opened(),
    consumer: found.rendered,
    to: wanted,
    migrations: world.catalog.templates.get(template)?.migrations ?? [],
    ...(isOwn && { lock: { text: lock } }),
    now: ports.clock.now(),
  }
  const draft = draftOf(making)
  const reads = draft.is === 'drafted' ? (draft.skeleton?.reads ?? []) : []
  const files = await filesAt(ports, root, reads)
  const bundle = world.digest({ template, version: wanted })
  const proposal = proposalOf(draft, { making, files, engine: ports.around.version(), bundle })
  const before = new Map<string, string>([[found.rendered.file, found.rendered.text]])
  for (const [path, file] of files) if (file.is === 'text') before.set(path, file.text)
  return { is: 'upgrade', consumer, to: wanted, proposal, before, sources: new Map([...sources, ...before]) }
}

/** In the repository of a service nobody is helped by being told to begin a catalog. */
async function namingCatalog(ports: Ports, root: string, problems: readonly Problem[]): Promise<readonly Problem[]> {
  const isService = (await ports.files.text(join(root, 'service.yaml'))).ok
  return problems.map((problem) =>
    isService && problem.code === 'missing-file' && problem.message.includes('`catalog.yaml`')
      ? {
          ...problem,
          remedy: 'This is the repository of a service: name the folder of its catalog, `--catalog FOLDER`.',
        }
      : problem,
  )
}

/** What is wrong with the file of that name, if there is one: it says nothing then that could be moved. */
async function brokenFile(
  ports: Ports,
  {
    root,
    name,
    world,
    isOwn,
  }: { readonly root: string; readonly name: string; readonly world: World; readonly isOwn: boolean },
): Promise<{ readonly problems: readonly Problem[]; readonly sources: FileTree } | undefined> {
  const environment = /^environment\/(.+)$/u.exec(name)?.[1]
  const file = isOwn
    ? 'service.yaml'
    : environment === undefined
      ? `services/${name}/service.yaml`
      : `environments/${environment}.yaml`
  const read = isOwn ? textOf(await fileAt(ports, root, file)) : world.tree.get(file)
  if (read === undefined) return undefined
  const { problems } = environment === undefined || isOwn ? openServiceSpec(file, read) : openEnvironment(file, read)
  const isBroken = problems.some(({ severity }) => severity === 'error')
  return isBroken ? { problems, sources: new Map([...world.tree, [file, read]]) } : undefined
}

/** The newest supported version of the next major that has one. */
function nextMajor(version: string, offers: readonly Offer[]): string | undefined {
  const majorOf = (each: string): number => parseVersion(each)?.major ?? 0
  const above = offers
    .filter((offer) => offer.is === 'supported' && majorOf(offer.version) > majorOf(version))
    .map((offer) => offer.version)
  const next = Math.min(...above.map(majorOf))
  return above
    .filter((each) => majorOf(each) === next)
    .toSorted(compareVersions)
    .at(-1)
}

/** What is wrong with a template that is not offered at all: its own mistakes, or that there is none. */
function withoutTemplate({ template, version }: Sighting['consumer'], world: World): readonly Problem[] {
  const own = world.problems.filter(
    ({ severity, at }) => severity === 'error' && at?.file.startsWith(`templates/${template}/`) === true,
  )
  if (own.length > 0) return own
  const known = [...world.catalog.templates.keys()]
  return [
    {
      code: 'template-gone',
      severity: 'error',
      message: `The catalog has no template ${JSON.stringify(template)} any more, so nothing follows ${template}@${version}.${didYouMean(template, known)}`,
      expected: known.length === 0 ? 'A template of the catalog.' : `One of ${known.join(', ')}.`,
      remedy: 'Go to another template by hand, or bring its folder back as it was released.',
    },
  ]
}

async function ownConsumer(ports: Ports, root: string): Promise<readonly Rendered[]> {
  const text = await ports.files.text(join(root, 'service.yaml'))
  return text.ok ? [{ is: 'service', file: 'service.yaml', text: text.value }] : []
}

/** A consumer without a repository: of this checkout, nothing is asked of GitHub. */
function sightingHere(rendered: Rendered, world: World): Omit<Sighting, 'lock'> | undefined {
  if (consumerReference(rendered) === undefined) return undefined
  const repository = { id: '', number: 0, name: '', is: 'usable', properties: {} } as const
  const base = { branch: '', commit: '', tree: '' }
  return sightingOf(
    { is: 'read', repository, base, mayWrite: true, mayAutomerge: false, files: new Map(), branches: [], pulls: [] },
    { rendered, world },
  )
}

function idOf({ is }: Rendered, { consumer }: Pick<Sighting, 'consumer'>): string {
  return is === 'environment' ? `environment/${consumer.name}` : consumer.name
}

async function filesAt(ports: Ports, root: string, paths: readonly string[]): Promise<FilesSeen> {
  const files = new Map<string, FileSeen>()
  for (const path of paths) {
    const file = await fileAt(ports, root, path)
    // Where there are files below it, what is no text is their folder.
    const isAbove = paths.some((other) => other.startsWith(`${path}/`))
    if (file !== undefined) files.set(path, isAbove && file.is !== 'text' ? { is: 'folder', oid: '' } : file)
  }
  return files
}

async function fileAt(ports: Ports, root: string, path: string): Promise<FileSeen | undefined> {
  const read = await ports.files.text(join(root, path))
  if (read.ok) return { is: 'text', oid: '', text: read.value }
  const isAbsent = read.problems.some(({ code }) => code === 'missing-file')
  return isAbsent ? undefined : { is: 'binary', oid: '' }
}

function textOf(file: FileSeen | undefined): string | undefined {
  return file?.is === 'text' ? file.text : undefined
}

function unknown(name: string, known: readonly string[]): Problem {
  return {
    code: 'unknown-unit',
    severity: 'error',
    message: `There is no service ${JSON.stringify(name)} here.${didYouMean(name, known)}`,
    expected:
      known.length === 0
        ? 'A service, or `environment/` and the name of an environment.'
        : `One of ${known.join(', ')}.`,
    remedy: 'Correct the name, or go to the folder of the service and name that of the catalog: `--catalog`.',
  }
}

function notOffered(release: string, known: readonly string[]): Problem {
  return {
    code: 'unknown-version',
    severity: 'error',
    message: `There is no release ${release} to go to.`,
    expected: known.length === 0 ? 'A version that was released: a git tag.' : `One of ${known.slice(-12).join(', ')}.`,
    remedy: 'Choose one of these, or fetch the tags if it was released (`git fetch --tags`).',
  }
}
