import type { Ports } from '../../command.ts'
import type { Bundle } from '../../core/bundle.ts'
import type { Catalog } from '../../core/catalog.ts'
import type { Consumer as Rendered } from '../../core/impact.ts'
import { consumerReference } from '../../core/impact.ts'
import { bundleOf, openOrganisation, type Opened } from '../../core/organisation.ts'
import type { Problem } from '../../core/problem.ts'
import { notesIn } from '../../core/release/changelog.ts'
import { bundleDigest } from '../../core/release/model.ts'
import { releaseStatus } from '../../core/release/status.ts'
import { versionsAmong } from '../../core/release/standing.ts'
import type { FileTree } from '../../core/tree.ts'
import type { Offer } from '../../core/upgrade/target.ts'
import { parts } from '../reading.ts'

/** The catalog as upgrades see it: what it offers, and every version that somebody runs. */
export type World = {
  readonly tree: FileTree
  readonly catalog: Catalog
  /** As it is now; what is asked for by `load` is there from then on. */
  readonly opened: () => Opened
  /** The released versions of a template; nothing where the catalog has no such template. */
  readonly offers: (template: string) => readonly Offer[] | undefined
  /** Fetches versions that were released: each once. */
  readonly load: (wanted: readonly Reference[]) => Promise<void>
  /** What the changelog of a template says of a version, or one line of its file. */
  readonly notes: (reference: Reference) => string | undefined
  /** The digest of a version that was loaded. */
  readonly digest: (reference: Reference) => string
  /** The services and environments that lie in the catalog itself. */
  readonly consumers: readonly Rendered[]
  readonly problems: readonly Problem[]
}

export type Reference = { readonly template: string; readonly version: string }

/** Reads the catalog in a folder; nothing where it cannot be read at all. */
export async function openWorld(
  ports: Ports,
  root: string,
): Promise<{ readonly world?: World; readonly problems: readonly Problem[]; readonly sources: FileTree }> {
  const { tree, problems: found } = await ports.files.tree(root, new Map([['', parts]]))
  const releases = await ports.files.releases(root)
  // What nobody has reviewed is offered to nobody, though somebody has made a tag of it.
  const merged = await ports.files.releases(root, { merged: true })
  const released = new Map<string, FileTree | undefined>()
  const problems: Problem[] = [...found]
  let asked = new Map<string, Reference>()
  const open = () =>
    openOrganisation(
      tree,
      (template, version) => {
        const name = `${template}@${version}`
        if (!released.has(name)) asked.set(name, { template, version })
        return released.get(name)
      },
      releases,
    )
  /** Whether something has come that was not there before. */
  async function fetchAll(wanted: ReadonlyMap<string, Reference>): Promise<boolean> {
    const missing = [...wanted].filter(([name]) => !released.has(name))
    for (const [name, reference] of missing) {
      const bundle = releases.includes(name) ? await ports.files.released(root, reference) : undefined
      released.set(name, bundle?.tree)
      problems.push(...(bundle?.problems ?? []))
    }
    return missing.length > 0
  }
  let reading = open()
  while (await fetchAll(asked)) {
    asked = new Map()
    reading = open()
  }
  let opened = reading.opened
  if (opened === undefined) return { problems: [...problems, ...reading.problems], sources: tree }
  const { catalog } = opened
  const digests = new Map<string, string>()
  const said = new Map<string, string | undefined>()
  const now = (): Opened => opened ?? fail()
  const world: World = {
    tree,
    catalog,
    opened: now,
    offers: (name) => {
      const template = catalog.templates.get(name)
      if (template === undefined) return undefined
      return versionsAmong(merged, name).map((version) => ({ version, is: releaseStatus(template, version).is }))
    },
    load: async (wanted) => {
      const own = new Map(wanted.map((reference) => [`${reference.template}@${reference.version}`, reference]))
      // What was looked for before it was there is not to be remembered as missing.
      if (await fetchAll(own)) opened = open().opened
    },
    notes: ({ template, version }) => {
      const name = `${template}@${version}`
      if (!said.has(name)) {
        const changelog = tree.get(`templates/${template}/CHANGELOG.md`)
        const own = changelog === undefined ? undefined : notesIn(changelog, version)?.notes
        said.set(name, own ?? catalog.templates.get(template)?.notes.get(version))
      }
      return said.get(name)
    },
    digest: ({ template, version }) => {
      const name = `${template}@${version}`
      const known = digests.get(name)
      if (known !== undefined) return known
      const bundle: Bundle | undefined = bundleOf(now(), template, version)
      const made = bundle === undefined ? '' : bundleDigest(bundle.files)
      digests.set(name, made)
      return made
    },
    consumers: consumersIn(tree),
    problems: [...problems, ...reading.problems],
  }
  return { world, problems: world.problems, sources: tree }
}

function fail(): never {
  throw new Error('The catalog was read once, and cannot be read again.')
}

function consumersIn(tree: FileTree): readonly Rendered[] {
  return [...tree].flatMap(([file, text]): Rendered[] => {
    const is = /^services\/[^/]+\/service\.yaml$/u.test(file)
      ? 'service'
      : /^environments\/[^/]+\.yaml$/u.test(file)
        ? 'environment'
        : undefined
    return is === undefined || consumerReference({ file, text }) === undefined ? [] : [{ is, file, text }]
  })
}
