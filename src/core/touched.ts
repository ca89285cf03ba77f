import type { Organisation, Unit } from './organisation.ts'

/** What a change of files has a part in: names of services and of environments, each in the organisation's order. */
export type Touched = {
  readonly services: readonly string[]
  readonly environments: readonly string[]
  /** The stages that any of them is in, in the order of promotion. */
  readonly stages: readonly string[]
}

/** What a template says of its releases is rendered nowhere. */
const isOfReleases = /^templates\/[^/]+\/(?:migrations\/|CHANGELOG\.md$)/u

/**
 * What changed files touch, by their paths in the repository; everything where it is not known what has changed. A
 * service is touched by its own folder, by its template, and by its environment, whose outputs it reads; an environment by its
 * file and its template; everything by catalog.yaml. Other files, as those of an application, touch the services whose
 * repository it is: `shared` says that the repository is the catalog's, where they touch nothing.
 */
export function touchedBy(
  organisation: Organisation,
  { files, shared }: { readonly files: readonly string[] | undefined; readonly shared: boolean },
): Touched {
  const { units, services, catalog } = organisation
  const all = files === undefined || files.some((file) => /^catalog\.ya?ml$/u.test(file))
  const folders = new Set(
    files?.filter((file) => !isOfReleases.test(file)).map((file) => file.split('/').slice(0, 2).join('/')),
  )
  const own = !shared && files !== undefined && files.some((file) => !/^(?:services|\.github)\//u.test(file))
  const isChanged = (unit: Unit): boolean =>
    all ||
    folders.has(`templates/${unit.bundle.template}`) ||
    (unit.kind === 'environment' && files.includes(unit.environment.document.file))
  const environments = new Set(
    units.filter((unit) => unit.kind === 'environment' && isChanged(unit)).map(({ environment }) => environment.name),
  )
  const changed = new Set(
    units.flatMap((unit) => {
      const name = unit.service?.service
      if (name === undefined) return []
      const lies = unit.service?.spec.document.file.startsWith('services/') === true
      const mine = lies ? folders.has(`services/${name}`) : own
      return mine || isChanged(unit) || environments.has(unit.environment.name) ? [name] : []
    }),
  )
  const isTouched = (unit: Unit): boolean =>
    unit.kind === 'environment' ? environments.has(unit.environment.name) : changed.has(unit.service?.service ?? '')
  const homes = new Set(
    units.filter(isTouched).map(({ stage, environment }) => stage?.name ?? `in ${environment.name}`),
  )
  return {
    services: services.map(({ service }) => service).filter((name) => changed.has(name)),
    environments: [...environments],
    stages: catalog.stages
      .filter(({ name, environment }) => homes.has(name) || homes.has(`in ${environment}`))
      .map(({ name }) => name),
  }
}
