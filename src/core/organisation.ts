import { type Bundle, readBundleFolder } from './bundle.ts'
import { compareText } from './canonical.ts'
import { type Catalog, type Environment, openCatalog, wrongEnding } from './catalog.ts'
import { checkCompatible, findBundle } from './organisation/bundles.ts'
import {
  type Organisation,
  problem,
  type Reading,
  type Released,
  type Service,
  type Unit,
} from './organisation/model.ts'
import { checkStacks } from './organisation/stacks.ts'
import { stagesOf } from './organisation/stages.ts'
import { instanceUnits, pipelineUnits, readEnvironmentUnit } from './organisation/units.ts'
import type { Checked, Problem } from './problem.ts'
import { openServiceSpec, type ServiceSpec } from './spec.ts'
import type { FileTree } from './tree.ts'

export type { Organisation, Unit } from './organisation/model.ts'

/**
 * Reads a catalog repository with the services that lie in it: `services/<name>/service.yaml`, or one `service.yaml` at the
 * root where the repository of a service is laid over the catalog. Nothing is looked up but released versions; a version
 * is the checkout's own if it has that number. All problems of all files are found at once.
 *
 * The hosts of a service decide its stages; by the patterns of the stages there is one in each. A service without hosts has
 * the stages that it names. Inputs of a stage replace those of the service one by one; where an input is a map,
 * its keys are replaced one by one (and no deeper). `releases` are the tags `name@x.y.z` there are, to name them in
 * messages.
 */
export function readOrganisation(
  tree: FileTree,
  released: Released,
  releases: readonly string[] = [],
): Checked<Organisation> {
  const { catalog, broken, problems: found } = openCatalog(tree)
  const problems = [...found]
  if (catalog === undefined) return { ok: false, problems }
  const reading: Reading = {
    catalog,
    broken,
    released,
    releases,
    problems,
    bundles: new Map(),
    names: new Map(),
    hosts: new Map(),
  }
  const units: Unit[] = []
  const environments = new Map<string, Unit>()
  for (const environment of inStageOrder(catalog)) {
    const unit = readEnvironmentUnit(reading, environment)
    if (unit === undefined) continue
    environments.set(environment.name, unit)
    units.push(unit)
  }
  const services: Service[] = []
  for (const files of serviceFiles(tree, problems)) {
    const own: Problem[] = []
    const read = readService({ ...reading, problems: own }, files)
    problems.push(...inOrder(own))
    if (read === undefined) continue
    services.push(read.service)
    units.push(...read.units)
  }
  checkStacks(units, problems)
  if (problems.some(({ severity }) => severity === 'error')) return { ok: false, problems }
  return { ok: true, value: { catalog, ...sorted(services, units) }, problems }
}

/** The host that an instance answers on; nothing for a unit that is not called from outside. */
export function addressOf({ kind, service, stage }: Unit): string | undefined {
  if (kind !== 'instance') return undefined
  return service?.stages.find((each) => each.stage.name === stage?.name)?.hosts[0]
}

/** Environments in the order of the first stage that lies in them; those of no stage at the end. */
function inStageOrder(catalog: Catalog): Environment[] {
  const order = (environment: Environment): number => {
    const index = catalog.stages.findIndex((stage) => stage.environment === environment.name)
    return index === -1 ? catalog.stages.length : index
  }
  return [...catalog.environments.values()].toSorted((a, b) => order(a) - order(b) || compareText(a.name, b.name))
}

type ServiceFiles = {
  readonly file: string
  readonly text: string
  readonly component: { readonly root: string; readonly files: FileTree } | undefined
}

/** The files of services in one pass over the tree, in its order. */
function serviceFiles(tree: FileTree, problems: Problem[]): ServiceFiles[] {
  const specs = new Map<string, { readonly file: string; readonly text: string }>()
  const components = new Map<string, Map<string, string>>()
  for (const [path, text] of tree) {
    const match = /^(services\/[^/]+\/)?(?:(service\.ya?ml)|component\/(.+))$/.exec(path)
    if (match === null) continue
    const folder = match[1] ?? ''
    if (match[2] === 'service.yaml') specs.set(folder, { file: path, text })
    else if (match[2] !== undefined) problems.push(wrongEnding(path))
    else if (match[3] !== undefined)
      components.set(folder, (components.get(folder) ?? new Map<string, string>()).set(match[3], text))
  }
  return [...specs].map(([folder, spec]) => {
    const files = components.get(folder)
    return { ...spec, component: files === undefined ? undefined : { root: `${folder}component`, files } }
  })
}

function readService(
  reading: Reading,
  files: ServiceFiles,
): { readonly service: Service; readonly units: readonly Unit[] } | undefined {
  const { problems } = reading
  const opened = openServiceSpec(files.file, files.text)
  problems.push(...opened.problems)
  const spec = opened.spec
  if (spec === undefined) return undefined
  const isFirst = claimName(reading, spec)
  const bundle = findBundle(reading, {
    template: spec.template,
    version: spec.version,
    kind: 'service',
    at: spec.document.place(['template']),
  })
  const stages = stagesOf(reading, spec, isFirst)
  if (bundle === undefined) return undefined
  checkCompatible(reading, { spec, bundle, stages })
  const service: Service = { service: spec.service, spec, bundle, stages }
  const component = readComponent(reading, { bundle, spec, files })
  const units = [...instanceUnits(reading, service, component), ...pipelineUnits(reading, service)]
  return { service, units }
}

function claimName({ names, problems }: Reading, { service, document }: ServiceSpec): boolean {
  const at = document.place(['service'])
  if (service === 'environment') {
    problems.push(
      problem('service-name', at, {
        message: 'A service cannot be called "environment", which is the first word of the names of environments.',
        expected: 'Another name.',
        remedy: 'Rename the service.',
      }),
    )
  }
  const first = names.get(service)
  if (first === undefined) {
    names.set(service, at)
    return true
  }
  problems.push({
    ...problem('service-twice', at, {
      message: `There is a service "${service}" already.`,
      expected: 'A name of its own for each service.',
      remedy: 'Rename one of them, in `service:` and in its hosts.',
    }),
    related: [{ at: first, note: 'the other one' }],
  })
  return false
}

function readComponent(
  reading: Reading,
  { bundle, spec, files }: { readonly bundle: Bundle; readonly spec: ServiceSpec; readonly files: ServiceFiles },
): Bundle | undefined {
  if (files.component === undefined) return undefined
  const { root, files: tree } = files.component
  const at = { file: root, line: 1, column: 1 }
  const read = readBundleFolder(tree, { template: `${spec.service}-component`, root })
  reading.problems.push(...read.problems)
  if (!read.ok) return undefined
  if (read.value.kind !== 'component') {
    reading.problems.push(
      problem('wrong-template', at, {
        message: `The folder holds a bundle of kind ${read.value.kind}, and a component is wanted here.`,
        expected: '`manifest.yaml` and the one file that it names.',
        remedy: 'Lay the files out as a component, or move the folder.',
      }),
    )
    return undefined
  }
  if (!bundle.componentSources.includes('DIRECTLY_DEFINED')) {
    reading.problems.push(
      problem('component-refused', at, {
        message: `The template "${bundle.template}" takes no components.`,
        expected:
          'A template with `supported_component_sources: [DIRECTLY_DEFINED]` in its `.template-registration.yaml`.',
        remedy: 'Remove the component, or ask the owners of the template.',
      }),
    )
    return undefined
  }
  return read.value
}

/** Problems of one file by line, each told once although several stages have it. */
function inOrder(problems: readonly Problem[]): Problem[] {
  const seen = new Map<string, Problem>()
  for (const each of problems) {
    const id = JSON.stringify([each.code, each.at, each.message])
    if (!seen.has(id)) seen.set(id, each)
  }
  return [...seen.values()].toSorted(
    (a, b) => (a.at?.line ?? 0) - (b.at?.line ?? 0) || (a.at?.column ?? 0) - (b.at?.column ?? 0),
  )
}

function sorted(services: readonly Service[], units: readonly Unit[]): Pick<Organisation, 'services' | 'units'> {
  const name = (unit: Unit): string => unit.service?.service ?? ''
  return {
    services: services.toSorted((a, b) => compareText(a.service, b.service)),
    // The sort is stable: environments have no service and stay first, units of a service stay in order.
    units: units.toSorted((a, b) => compareText(name(a), name(b))),
  }
}
