import { isAbsolute, join } from 'node:path'

import type { Ports } from '../command.ts'
import type { Catalog } from '../core/catalog.ts'
import type { Organisation, Unit } from '../core/organisation.ts'
import { readOrganisation } from '../core/organisation.ts'
import { didYouMean } from '../core/nearest.ts'
import type { Checked, Problem } from '../core/problem.ts'
import { changedReleases, standingProblems } from '../core/release/standing.ts'
import { isServiceName } from '../core/stage.ts'
import type { FileTree } from '../core/tree.ts'

/** The organisation in a folder, and the texts that its problems lie in. */
export type Reading = { readonly organisation: Checked<Organisation>; readonly sources: FileTree }

/** All that an organisation is read from: what belongs to a catalog, and what to services. */
const ofCatalog = ['catalog.yaml', 'catalog.yml', 'environments', 'policy', 'templates', 'waivers']
const ofServices = ['component', 'service.yaml', 'service.yml', 'services']
export const parts = [...ofCatalog, ...ofServices]

/**
 * Reads the organisation in a folder. Versions that the checkout does not offer come from git tags: what the reading asks
 * for is fetched, and the reading done again, until it asks for nothing new.
 *
 * If `services` names some (or units of theirs), these alone are read, with what all services share: the work is that of
 * the services named, not of all there are. A name that leads to none has everything read, to be told what there is.
 *
 * With `catalog`, another folder than the root, the catalog is read from there and the services alone from the root: the
 * repository of a service, with the catalog checked out beside it.
 */
export async function readFolder(
  ports: Ports,
  root: string,
  {
    services = [],
    catalog = root,
    judges = false,
  }: {
    readonly services?: readonly string[]
    readonly catalog?: string
    /** The caller judges the versions of the checkout itself, and says more of them. */
    readonly judges?: boolean
  } = {},
): Promise<Reading> {
  const files = laidOver(ports.files, { root, catalog })
  const standing = { now: ports.clock.now(), isJob: ports.run !== undefined, judges }
  const names = new Set(services.map((name) => name.split('/')[0] ?? '').filter((name) => name !== 'environment'))
  const some = services.length > 0 && [...names].every(isServiceName)
  if (!some) return stand(files, await read(files, root), { root, ...standing })
  const reading = await stand(files, await read(files, root, names), { root, ...standing })
  const { organisation, sources } = reading
  const isThere = (name: string): boolean =>
    sources.has(`services/${name}/service.yaml`) ||
    (organisation.ok && organisation.value.services.some(({ service }) => service === name))
  return [...names].every(isThere) ? reading : stand(files, await read(files, root), { root, ...standing })
}

/**
 * Adds what there is to say of the versions that are run. In a job a version that is released is used as it was released, or not
 * at all; at a terminal one may try what a change of it would do, and is told.
 */
async function stand(
  files: FolderFiles,
  { organisation, sources }: Reading,
  {
    root,
    now,
    isJob,
    judges,
  }: { readonly root: string; readonly now: Date; readonly isJob: boolean; readonly judges: boolean },
): Promise<Reading> {
  if (!organisation.ok) return { organisation, sources }
  const { catalog, units } = organisation.value
  const isSaid = [...catalog.templates.values()].some(({ support }) => support.size > 0)
  const released = isSaid ? await files.releases(root) : []
  const recorded = judges ? { releases: [], problems: [] } : await files.recorded(root)
  const changed = changedReleases(catalog, { bundles: units.map(({ bundle }) => bundle), releases: recorded.releases })
  const problems = [
    ...standingProblems(organisation.value, { released, now }),
    ...(isJob ? recorded.problems : []),
    ...(isJob ? changed : changed.map((problem): Problem => ({ ...problem, severity: 'warning' }))),
  ]
  return { organisation: withProblems(organisation, problems), sources }
}

/** The files that the run is about, if it is about a change and that can be told. */
export async function changedFiles(ports: Ports, root: string): Promise<readonly string[] | undefined> {
  return ports.base === undefined ? undefined : ports.files.changed(root, ports.base)
}

/** Reads what changed files have a part in: the services whose they are, or everything where they are those of all. */
export async function readChanged(
  ports: Ports,
  root: string,
  {
    files,
    catalog,
    judges = false,
  }: { readonly files: readonly string[]; readonly catalog: string; readonly judges?: boolean },
): Promise<Reading> {
  const isShared = (file: string): boolean =>
    /^(?:catalog\.ya?ml|environments\/|policy\/|templates\/|waivers\/)/u.test(file)
  if (join(root, '.') !== join(catalog, '.') || files.some(isShared))
    return readFolder(ports, root, { catalog, judges })
  const names = new Set(files.flatMap((file) => /^services\/([^/]+)\//u.exec(file)?.[1] ?? []))
  // The name of an environment leads to what all services share, and to no service.
  return readFolder(ports, root, { services: names.size === 0 ? ['environment'] : [...names], judges })
}

type FolderFiles = Pick<Ports['files'], 'tree' | 'releases' | 'released' | 'recorded'>

/** The services of a root over the catalog of another folder, as if they lay in one. */
function laidOver(
  files: FolderFiles,
  { root, catalog }: { readonly root: string; readonly catalog: string },
): FolderFiles {
  if (join(root, '.') === join(catalog, '.')) return files
  const only = (names: readonly string[], wanted: ReadonlyMap<string, readonly string[]> | undefined) =>
    new Map([...(wanted ?? []), ['', names] as const])
  return {
    tree: async (_root, wanted) => {
      const [shared, own] = await Promise.all([
        files.tree(catalog, only(ofCatalog, wanted)),
        files.tree(root, only([...ofServices, 'waivers'], wanted)),
      ])
      const mine = [...own.tree].filter(([path]) => !path.startsWith('waivers/'))
      const strays = strayWaivers(own.tree, /^waivers\//u)
      return { tree: new Map([...shared.tree, ...mine]), problems: [...shared.problems, ...own.problems, ...strays] }
    },
    releases: async () => files.releases(catalog),
    released: async (_root, release) => files.released(catalog, release),
    recorded: async () => files.recorded(catalog),
  }
}

/** Nobody waives a rule for themselves: what looks like a waiver beside the files of a service does not count, and is told of. */
function strayWaivers(tree: FileTree, where: RegExp): readonly Problem[] {
  return [...tree].flatMap(([path, text]): Problem[] => {
    // An application may have a folder of that name for its own purposes.
    const isOne = where.test(path) && /\.ya?ml$/iu.test(path) && /^rule:/mu.test(text) && /^expires:/mu.test(text)
    if (!isOne) return []
    return [
      {
        code: 'waiver-elsewhere',
        severity: 'warning',
        message: 'A waiver beside the files of a service does not count.',
        expected: 'A file in the folder `waivers/` of the catalog, where those look at it who answer for the rules.',
        remedy: 'Propose it there, and remove it here.',
        at: { file: path, line: 1, column: 1 },
      },
    ]
  })
}

async function read(files: FolderFiles, root: string, services?: ReadonlySet<string>): Promise<Reading> {
  // Those that are read to compare the others with come in while it is read.
  const within = new Set(services)
  const treeOf = async (): ReturnType<Ports['files']['tree']> => {
    const wanted = new Map([['', parts], ...(services === undefined ? [] : [['services', [...within]] as const])])
    const found = await files.tree(root, wanted)
    return { ...found, problems: [...found.problems, ...strayWaivers(found.tree, /^services\/[^/]+\/waivers\//u)] }
  }
  let { tree, problems } = await treeOf()
  const released = new Map<string, FileTree | undefined>()
  let releases: readonly string[] = []
  const found: Problem[] = []
  for (;;) {
    const before = within.size
    const only = services === undefined ? undefined : { services, wants: (name: string) => void within.add(name) }
    const asked = new Map<string, { readonly template: string; readonly version: string }>()
    const release = (template: string, version: string): FileTree | undefined => {
      const name = `${template}@${version}`
      if (!released.has(name)) asked.set(name, { template, version })
      return released.get(name)
    }
    const organisation = readOrganisation(tree, release, releases, only)
    if (within.size > before) {
      ;({ tree, problems } = await treeOf())
      continue
    }
    if (asked.size === 0) return { organisation: withProblems(organisation, [...problems, ...found]), sources: tree }
    releases = await files.releases(root)
    for (const [name, wanted] of asked) {
      const bundle = releases.includes(name) ? await files.released(root, wanted) : undefined
      released.set(name, bundle?.tree)
      found.push(...(bundle?.problems ?? []))
    }
  }
}

function withProblems<T>(checked: Checked<T>, more: readonly Problem[]): Checked<T> {
  // A service whose file could not be read is there all the same.
  const hidden = more.some(({ at }) => at?.file.startsWith('services/') === true)
  const problems = [...more, ...checked.problems.filter(({ code }) => !hidden || code !== 'unknown-service')]
  if (!checked.ok || more.some(({ severity }) => severity === 'error')) return { ok: false, problems }
  return { ok: true, value: checked.value, problems }
}

/**
 * The units of the services and stages that were named, all of them if none was, in the organisation's order. Environments that they
 * live in come along; a name that is not there is a problem with the nearest ones.
 */
export function selectUnits(
  organisation: Organisation,
  { services, stages }: { readonly services: readonly string[]; readonly stages: readonly string[] },
): Checked<readonly Unit[]> {
  const { units } = organisation
  const names = [...new Set(units.flatMap(({ service }) => (service === undefined ? [] : [service.service])))]
  const known = [...new Set(units.flatMap(({ stage }) => (stage === undefined ? [] : [stage.name])))]
  const problems = [
    ...services
      .filter((name) => !names.includes(name) && !units.some(({ id }) => id === name))
      .map((name) => unknown(name, { what: 'service', known: names })),
    ...stages.filter((name) => !known.includes(name)).map((name) => unknown(name, { what: 'stage', known })),
  ]
  if (problems.length > 0) return { ok: false, problems }
  const inStage = ({ stage }: Unit): boolean =>
    stages.length === 0 || (stage !== undefined && stages.includes(stage.name))
  const chosen = units.filter(
    (unit) =>
      unit.kind !== 'environment' &&
      (services.length === 0 || named(unit, services)) &&
      (inStage(unit) || services.includes(unit.id)),
  )
  const homes = new Set(chosen.map(({ environment }) => environment.name))
  const all = services.length === 0 && stages.length === 0
  const environments = units.filter(
    (unit) => unit.kind === 'environment' && (all || services.includes(unit.id) || homes.has(unit.environment.name)),
  )
  return { ok: true, value: [...environments, ...chosen], problems: [] }
}

/** The units that were named one by one, or as all of a service, and no others; something has to be named. */
export function exactUnits(
  { units }: Organisation,
  {
    names,
    command,
    also = [],
  }: {
    readonly names: readonly string[]
    readonly command: string
    /** Names that mean something else than a unit that there is. */
    readonly also?: readonly string[]
  },
): Checked<readonly Unit[]> {
  const known = [...new Set(units.flatMap(({ id, service }) => (service === undefined ? [id] : [service.service, id])))]
  const problems: Problem[] = names
    .filter((name) => !known.includes(name) && !also.includes(name))
    .map((name) => unknown(name, { what: 'unit', known }))
  if (names.length === 0) {
    problems.push({
      code: 'missing-argument',
      severity: 'error',
      message: `${command} needs the names of units.`,
      remedy: `Name them, such as ${units.at(-1)?.id ?? 'checkout/dev'}. \`protium status\` lists them.`,
    })
  }
  if (problems.length > 0) return { ok: false, problems }
  const value = units.filter(({ id, service }) => names.some((name) => name === id || name === service?.service))
  return { ok: true, value, problems: [] }
}

/**
 * What reads the outputs of an environment that was named by itself, and not only came along: if they change, the units that
 * live in it and were not selected are planned after it.
 */
export function readersIn(
  { units }: Organisation,
  { selected, services }: { readonly selected: readonly Unit[]; readonly services: readonly string[] },
): (environment: Unit) => readonly Unit[] {
  const known = new Set(selected)
  return ({ id, environment }) =>
    services.includes(id)
      ? units.filter(
          (unit) => unit.kind !== 'environment' && unit.environment.name === environment.name && !known.has(unit),
        )
      : []
}

/** `checkout` names all of its units, `checkout/dev` the instance with its component. */
function named({ id }: Unit, names: readonly string[]): boolean {
  return names.some((name) => id === name || id.startsWith(`${name}/`))
}

function unknown(
  name: string,
  { what, known }: { readonly what: 'service' | 'stage' | 'unit'; readonly known: readonly string[] },
): Problem {
  return {
    code: 'unknown-unit',
    severity: 'error',
    message: `There is no ${what} ${JSON.stringify(name)}.${didYouMean(name, known)}`,
    expected: known.length === 0 ? `The organisation has none yet.` : `One of ${known.join(', ')}.`,
    remedy: `Correct the name.`,
  }
}

/** What is said of a stage that the catalog does not have. */
export function unknownStage(name: string, { stages }: Catalog): Problem {
  return unknown(name, { what: 'stage', known: stages.map((stage) => stage.name) })
}

/** The folders of stacks and records of an organisation on this machine; a relative state folder is one below the root. */
export function stateFolders(root: string, state: string): { readonly stacks: string; readonly records: string } {
  const folder = isAbsolute(state) ? state : join(root, state)
  return { stacks: join(folder, 'stacks'), records: join(folder, 'records') }
}

/** The options that a hint repeats, so that it means the same organisation and the same stacks. */
export function sameFolders({ root, state }: { readonly root: string; readonly state: string }): string {
  return `${root === '.' ? '' : ` --root ${quoted(root)}`}${state === '.protium' ? '' : ` --state ${quoted(state)}`}`
}

/** Options that were given, for a hint to repeat: what was said once is not to be said again. */
export function sameOptions(given: Readonly<Record<string, string | readonly string[] | undefined>>): string {
  const words = Object.entries(given).flatMap(([name, value = []]) =>
    (typeof value === 'string' ? [value] : value).map((each) => ` --${name} ${quoted(each)}`),
  )
  return words.join('')
}

/** A word as a shell reads it back. */
export function quoted(word: string): string {
  return /^[\w./@:+,-]+$/u.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`
}
