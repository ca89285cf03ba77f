import { type Bundle, readBundleFolder } from './bundle.ts'
import { compareText } from './canonical.ts'
import { type Catalog, type Environment, openCatalog, wrongEnding } from './catalog.ts'
import { checkCompatible, findBundle } from './organisation/bundles.ts'
import {
  type Mention,
  type Only,
  type Organisation,
  problem,
  type Reading,
  type Released,
  type Service,
  type Stranger,
  type Unit,
} from './organisation/model.ts'
import { checkStacks, claimants } from './organisation/stacks.ts'
import { stagesOf } from './organisation/stages.ts'
import { instanceUnits, pipelineUnits, readEnvironmentUnit } from './organisation/units.ts'
import { didYouMean } from './nearest.ts'
import { checkWaivedServices } from './policy/waivers.ts'
import type { Checked, Problem } from './problem.ts'
import { openServiceSpec, type ServiceSpec } from './spec.ts'
import type { FileTree } from './tree.ts'

export type { Only, Organisation, Unit } from './organisation/model.ts'
export { stackOptions } from './organisation/units.ts'

/**
 * Reads a catalog repository with the services that lie in it: `services/<name>/service.yaml`, or one `service.yaml` at the
 * root where the repository of a service is laid over the catalog. Nothing is looked up but released versions; a version
 * is the checkout's own if it has that number. All problems of all files are found at once.
 *
 * The hosts of a service decide its stages; by the patterns of the stages there is one in each. A service without hosts has
 * the stages that it names. Inputs of a stage replace those of the service one by one; where an input is a map,
 * its keys are replaced one by one (and no deeper). `releases` are the tags `name@x.y.z` there are, to name them in
 * messages.
 *
 * With `only`, the result has these services alone, and the problems are those that a whole reading has with them and
 * with what all services share. A service lies in the folder of its name and its hosts hold that name, so others need not
 * be known but where a name leads to them: then `wants` is told, and the reading holds once their files are in the tree.
 * What is not seen is a stack that another service has taken by `stack:`, against the pattern of names.
 */
export function readOrganisation(
  tree: FileTree,
  released: Released,
  releases: readonly string[] = [],
  only?: Only,
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
    strangers: [],
    mentions: [],
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
  // A service that lies under another name has to be renamed or moved first, and takes no stack from others meanwhile.
  const stacks = [...units]
  const others = new Set<Unit>()
  const told: Problem[][] = []
  const all = serviceFiles(tree, problems)
  for (const files of all) {
    const own: Problem[] = []
    const read = readService({ ...reading, problems: own }, files)
    const isOther = only !== undefined && files.folder !== undefined && !only.services.has(files.folder)
    if (!isOther) told.push(own)
    if (read === undefined) continue
    if (read.isFirst) stacks.push(...read.units)
    if (isOther) for (const unit of read.units) others.add(unit)
    if (isOther) continue
    services.push(read.service)
    units.push(...read.units)
  }
  for (const stranger of reading.strangers) judge(reading, stranger)
  // A service in a repository of its own sees no other.
  const known = all.every(({ folder }) => folder === undefined)
    ? undefined
    : new Set([...reading.names.keys(), ...all.flatMap(({ folder }) => folder ?? [])])
  const mentions = reading.mentions.filter(({ service }) => known?.has(service) === false)
  for (const mention of mentions) judgeMention(mention, known ?? [])
  if (only === undefined && known !== undefined) {
    const isAll = catalog.repositories === undefined
    problems.push(...checkWaivedServices(catalog.policy.waivers, { services: known, isAll }))
  }
  problems.push(...told.flatMap(inOrder))
  if (only !== undefined) {
    const own = new Set(told)
    const named = [...reading.strangers, ...mentions].filter((each) => own.has(each.problems))
    askForOthers(catalog, { only, units, named: named.map(({ service }) => service) })
  }
  checkStacks(stacks, { others, problems })
  if (problems.some(({ severity }) => severity === 'error')) return { ok: false, problems }
  return { ok: true, value: { catalog, ...sorted(services, units) }, problems }
}

/** A stranger's problem, now that all services are known. */
function judge({ names, hosts }: Reading, { is, text, service, at, problems }: Stranger): void {
  const owner = is === 'host' ? hosts.get(text) : names.get(service)
  if (is === 'name') {
    problems.push(
      owner === undefined
        ? problem('service-folder', at, {
            message: `The service "${service}" lies in a folder "${text}".`,
            expected: `\`services/${service}/service.yaml\`: the folder of a service has its name, which makes names unique.`,
            remedy: 'Rename the folder, or the service.',
          })
        : {
            ...problem('service-twice', at, {
              message: `There is a service "${service}" already.`,
              expected: 'A name of its own for each service.',
              remedy: 'Rename one of them, in `service:` and in its hosts.',
            }),
            related: [{ at: owner, note: 'the other one' }],
          },
    )
  } else if (owner !== undefined) {
    problems.push({
      ...problem('host-taken', at, {
        message: `The host ${text} is taken by the service "${service}".`,
        expected: 'Each host once, in one service.',
        remedy: 'Remove it from one of the two.',
      }),
      related: [{ at: owner, note: 'the other claimant' }],
    })
  }
}

/** The services of an organisation may lie in many repositories, so a name that is not known here is only doubtful. */
function judgeMention({ service, at, problems }: Mention, known: Iterable<string>): void {
  problems.push({
    ...problem('unknown-service', at, {
      message: `There is no service "${service}" here.${didYouMean(service, known)}`,
      expected: 'The name of a service.',
      remedy: 'Correct the name. If the service lies in another repository, nothing has to be done.',
    }),
    severity: 'warning',
  })
}

/** Names the services that these could be in the way of. */
function askForOthers(
  catalog: Catalog,
  { only, units, named }: { readonly only: Only; readonly units: readonly Unit[]; readonly named: readonly string[] },
): void {
  const stacks = units.flatMap(({ service, stack }) => (service === undefined ? [] : claimants(catalog, stack)))
  for (const name of new Set([...named, ...stacks])) if (!only.services.has(name)) only.wants(name)
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
  /** The folder's name; nothing for a service at the root. */
  readonly folder: string | undefined
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
    const name = /^services\/(.+)\/$/.exec(folder)?.[1]
    return { ...spec, folder: name, component: files === undefined ? undefined : { root: `${folder}component`, files } }
  })
}

function readService(
  reading: Reading,
  files: ServiceFiles,
): { readonly service: Service; readonly units: readonly Unit[]; readonly isFirst: boolean } | undefined {
  const { problems } = reading
  const opened = openServiceSpec(files.file, files.text)
  problems.push(...opened.problems)
  const spec = opened.spec
  if (spec === undefined) return undefined
  const isFirst = claimName(reading, spec, files.folder)
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
  return { service, units, isFirst }
}

/** Whether the name is the service's: it lies in the folder of this name, or at the root. */
function claimName(
  { names, problems, strangers }: Reading,
  { service, document }: ServiceSpec,
  folder: string | undefined,
): boolean {
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
  if (names.has(service) || (folder !== undefined && folder !== service)) {
    strangers.push({ is: 'name', text: folder ?? '', service, at, problems })
    return false
  }
  names.set(service, at)
  return true
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
