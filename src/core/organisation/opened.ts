import type { Bundle } from '../bundle.ts'
import { compareText } from '../canonical.ts'
import { type Catalog, type Environment, openCatalog } from '../catalog.ts'
import type { Checked, Problem } from '../problem.ts'
import { openServiceSpec } from '../spec.ts'
import type { FileTree } from '../tree.ts'
import { loadBundle } from './bundles.ts'
import type { Reading, Released, Service, Unit } from './model.ts'
import { inOrder, readService, type ServiceFiles } from './service.ts'
import { readEnvironmentUnit } from './units.ts'

/**
 * A catalog that is read once, for any number of consumers that are judged one by one. What is broken in it is in `problems`, and
 * stands in the way of those alone that make use of it.
 */
export type Opened = Pick<Reading, 'catalog' | 'broken' | 'released' | 'releases' | 'bundles'> & {
  /** By name, in the order of the first stage that lies in them; those that can be read. */
  readonly environments: ReadonlyMap<string, Unit>
  /** What environments give out, of those of which it is known otherwise than by how they render. */
  readonly outputs?: ReadonlyMap<string, Readonly<Record<string, string>>>
  readonly problems: readonly Problem[]
}

/** The bundle of a version, as consumers get it; nothing where there is none that can be read. */
export function bundleOf(opened: Opened, template: string, version: string): Bundle | undefined {
  const loaded = loadBundle(readingOf(opened, []), template, version)
  return loaded.is === 'there' ? loaded.bundle : undefined
}

/** Opens the catalog in a repository; nothing where not even its stages can be read. Bundles are asked for as consumers name them. */
export function openOrganisation(
  tree: FileTree,
  released: Released,
  releases: readonly string[] = [],
): { readonly opened?: Opened; readonly problems: readonly Problem[] } {
  const { catalog, broken, problems: found } = openCatalog(tree)
  if (catalog === undefined) return { problems: found }
  const problems = [...found]
  const reading = readingOf({ catalog, broken, released, releases, bundles: new Map() }, problems)
  const environments = environmentsIn(reading)
  return { opened: { ...reading, environments, problems }, problems }
}

/** A reading of its own: nothing of it is seen by another one, but for the bundles, of which each is read once. */
export function readingOf(
  { catalog, broken, released, releases, bundles }: Omit<Opened, 'environments' | 'problems'>,
  problems: Problem[],
): Reading {
  const told = new Set<string>()
  return { catalog, broken, released, releases, bundles, told, problems, ...nobody() }
}

function nobody(): Pick<Reading, 'names' | 'hosts' | 'strangers' | 'mentions'> {
  return { names: new Map(), hosts: new Map(), strangers: [], mentions: [] }
}

function environmentsIn(reading: Reading): ReadonlyMap<string, Unit> {
  const units = inStageOrder(reading.catalog).map((environment) => readEnvironmentUnit(reading, environment))
  return new Map(units.flatMap((unit) => (unit === undefined ? [] : [[unit.environment.name, unit] as const])))
}

/** Environments in the order of the first stage that lies in them; those of no stage at the end. */
function inStageOrder(catalog: Catalog): Environment[] {
  const order = (environment: Environment): number => {
    const index = catalog.stages.findIndex((stage) => stage.environment === environment.name)
    return index === -1 ? catalog.stages.length : index
  }
  return [...catalog.environments.values()].toSorted((a, b) => order(a) - order(b) || compareText(a.name, b.name))
}

/**
 * Reads one service by itself. What only all services together show is not looked at: whether its name, its hosts and its stacks
 * are taken. `version` is that of its template, where it is not the one that its file names.
 */
export function readConsumer(
  opened: Opened,
  files: ServiceFiles,
  version?: string,
): Checked<{ readonly service: Service; readonly units: readonly Unit[] }> {
  const found: Problem[] = []
  const read = readService(readingOf(opened, found), files, version)
  const problems = inOrder([...found, ...behind(opened, files, read)])
  return read !== undefined && !problems.some(isError)
    ? { ok: true, value: { service: read.service, units: read.units }, problems }
    : { ok: false, problems }
}

/** What is broken in the catalog and stands in the way of a service, of which a whole reading tells by itself. */
function behind(
  { catalog, environments, broken, problems }: Opened,
  files: ServiceFiles,
  read: ReturnType<typeof readService>,
): readonly Problem[] {
  const template = broken.size === 0 ? undefined : openServiceSpec(files.file, files.text).spec?.template
  const lacking = (read?.service.stages ?? []).flatMap(({ stage }) =>
    environments.has(stage.environment) ? [] : (catalog.environments.get(stage.environment)?.document.file ?? ''),
  )
  const isMeant = ({ at: { file } = { file: '', line: 0, column: 0 } }: Problem): boolean =>
    (read === undefined &&
      template !== undefined &&
      broken.has(template) &&
      file.startsWith(`templates/${template}/`)) ||
    (lacking.length > 0 && (lacking.includes('') || lacking.includes(file) || file.startsWith('templates/')))
  return problems.filter((problem) => isError(problem) && isMeant(problem))
}

function isError({ severity }: Problem): boolean {
  return severity === 'error'
}

/** Reads one environment by itself, as a unit. */
export function readEnvironmentConsumer(opened: Opened, environment: Environment): Checked<Unit> {
  const found: Problem[] = []
  const unit = readEnvironmentUnit(readingOf(opened, found), environment)
  const own = opened.broken.has(environment.template) ? `templates/${environment.template}/` : undefined
  const problems = inOrder([
    ...found,
    ...opened.problems.filter((each) => own !== undefined && isError(each) && each.at?.file.startsWith(own) === true),
  ])
  return unit !== undefined && !problems.some(isError) ? { ok: true, value: unit, problems } : { ok: false, problems }
}

/** The same catalog with these environments in the place of those of their names. */
export function withEnvironments(opened: Opened, others: readonly Environment[]): Opened {
  const named = new Map(others.map((environment) => [environment.name, environment]))
  const environments = new Map(
    [...opened.catalog.environments].map(([name, environment]) => [name, named.get(name) ?? environment]),
  )
  const catalog: Catalog = { ...opened.catalog, environments }
  const problems = [...opened.problems]
  const moved = { ...opened, catalog }
  return { ...moved, environments: environmentsIn(readingOf(moved, problems)), problems }
}
