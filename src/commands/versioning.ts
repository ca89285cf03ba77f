import type { Ports } from '../command.ts'
import { type Bundle, readBundle } from '../core/bundle.ts'
import { type Catalog, openCatalog } from '../core/catalog.ts'
import { openOrganisation } from '../core/organisation.ts'
import type { Problem } from '../core/problem.ts'
import { checkMigrations } from '../core/migration.ts'
import { compareConsumers, consumersIn } from '../core/release/consumers.ts'
import { releaseName } from '../core/release/model.ts'
import { versionsAmong } from '../core/release/standing.ts'
import { strangeSupport } from '../core/release/status.ts'
import { judgeTemplate, type Verdict, versionsToRead } from '../core/release/verdict.ts'
import type { FileTree } from '../core/tree.ts'
import { parseVersion } from '../core/version.ts'

/** What the templates of a catalog are, against what is released of them. */
export type Judged = {
  readonly catalog: Catalog
  readonly verdicts: readonly Verdict[]
  /** What keeps the catalog or a released bundle from being read. What is wrong with a version is with its verdict. */
  readonly problems: readonly Problem[]
  readonly files: FileTree
  /** The names of templates that were released, and are not in the checkout any more. */
  readonly gone: readonly string[]
}

/** Reads the catalog in a folder and judges its templates; those alone that are named, if any is. Nothing where it cannot be read. */
export async function judgeFolder(
  ports: Pick<Ports, 'files' | 'clock'>,
  root: string,
  { tags, names = [] }: { readonly tags?: ReadonlyMap<string, string>; readonly names?: readonly string[] } = {},
): Promise<Judged | readonly Problem[]> {
  const { tree, problems } = await ports.files.tree(root, only)
  const opened = openCatalog(tree)
  const found = [...problems, ...opened.problems]
  if (opened.catalog === undefined || found.some(({ severity }) => severity === 'error')) return found
  return judgeCatalog(ports, { root, catalog: opened.catalog, files: tree, names, ...(tags !== undefined && { tags }) })
}

const only = new Map([
  ['', ['catalog.yaml', 'catalog.yml', 'environments', 'policy', 'services', 'templates', 'waivers']],
])

/** All that is wrong or worth to know: with the versions, and with the migrations of those that are to be released. */
export function problemsOf({ verdicts, problems }: Pick<Judged, 'verdicts' | 'problems'>): readonly Problem[] {
  const due = new Set(verdicts.filter(({ is }) => is === 'due' || is === 'wrong').map(({ template }) => template))
  return [
    ...problems,
    ...verdicts.flatMap((verdict) => verdict.problems),
    ...[...due].flatMap((template) => checkMigrations(template)),
  ]
}

/** Judges the templates of a catalog. `tags` are those of GitHub with their commits; without them, those of the clone count. */
export async function judgeCatalog(
  { files: host, clock }: Pick<Ports, 'files' | 'clock'>,
  {
    root,
    catalog,
    files,
    tags,
    names = [],
  }: {
    readonly root: string
    readonly catalog: Catalog
    readonly files: FileTree
    readonly tags?: ReadonlyMap<string, string>
    readonly names?: readonly string[]
  },
): Promise<Judged> {
  const all = tags === undefined ? await host.releases(root) : [...tags.keys()]
  const problems: Problem[] = []
  const verdicts: Verdict[] = []
  const homes = await homesOf({ files: host }, { root, catalog, all })
  const { opened } = openOrganisation(
    files,
    (name, version) => homes.get(releaseName({ template: name, version })),
    all,
  )
  const runners = consumersIn(files)
  for (const template of catalog.templates.values()) {
    if (names.length > 0 && !names.includes(template.name)) continue
    const released = versionsAmong(all, template.name)
    problems.push(...strangeSupport(template, released))
    const bundles = new Map<string, Bundle>()
    for (const version of versionsToRead(template, released)) {
      const release = { template: template.name, version }
      const commit = tags?.get(releaseName(release))
      const read = await host.released(root, { ...release, ...(commit !== undefined && { commit }) })
      problems.push(...(read?.problems ?? []))
      const parsed = read === undefined ? undefined : readBundle(read.tree, { ...release, root: releaseName(release) })
      if (parsed?.ok === true) bundles.set(version, parsed.value)
      else problems.push(unreadable({ ...release, at: template.versionPlace(parseVersion(version)?.major ?? 0) }))
    }
    verdicts.push(
      ...judgeTemplate(template, {
        released,
        bundles: (_, version) => bundles.get(version),
        files,
        consumers: (before, after) =>
          opened === undefined ? [] : compareConsumers(before, after, { opened, consumers: runners, now: clock.now() }),
      }).filter(
        // What cannot be compared has been told of.
        ({ bundle }) => bundles.has(bundle.version) || !released.includes(bundle.version),
      ),
    )
  }
  const known = new Set([...all].map((tag) => tag.split('@')[0] ?? ''))
  const gone = [...known].filter((name) => !catalog.templates.has(name)).toSorted()
  return { catalog, verdicts, problems, files, gone: names.length > 0 ? [] : gone }
}

/** The bundles of environments that are released ones, for services are rendered in them. */
async function homesOf(
  { files }: Pick<Ports, 'files'>,
  { root, catalog, all }: { readonly root: string; readonly catalog: Catalog; readonly all: readonly string[] },
): Promise<ReadonlyMap<string, FileTree>> {
  const found = new Map<string, FileTree>()
  for (const release of catalog.environments.values()) {
    const name = releaseName(release)
    const own = [...(catalog.templates.get(release.template)?.bundles.values() ?? [])]
    const isHere = own.some(({ version }) => version === release.version)
    if (isHere || found.has(name) || !all.includes(name)) continue
    const { template, version } = release
    const read = await files.released(root, { template, version })
    if (read !== undefined) found.set(name, read.tree)
  }
  return found
}

function unreadable({
  template,
  version,
  at,
}: {
  readonly template: string
  readonly version: string
  readonly at: NonNullable<Problem['at']>
}): Problem {
  const name = releaseName({ template, version })
  return {
    code: 'unknown-version',
    severity: 'error',
    message: `The tag ${name} is there, and this clone has no bundle of it that can be read.`,
    expected: `The bundle in \`templates/${template}/v${version.split('.')[0] ?? ''}/\` at the tag.`,
    remedy: 'Fetch the whole repository: `git fetch --tags --unshallow`. A tag that never held a bundle is deleted.',
    at,
  }
}
