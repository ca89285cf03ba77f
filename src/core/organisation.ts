import { type Bundle, readBundle, readBundleFolder } from './bundle.ts'
import { compareText } from './canonical.ts'
import { type Catalog, type Environment, openCatalog, wrongEnding } from './catalog.ts'
import { type Data, type DataMap, isMap, mapOf, type Path } from './data.ts'
import { didYouMean } from './nearest.ts'
import type { ProblemCode } from './problem-codes.ts'
import type { Checked, Place, Problem } from './problem.ts'
import { checkInputs, checkSecrets, type InputSchema, inputsAt, type InputsAt } from './schema.ts'
import { inWords, textsIn } from './shape.ts'
import { openServiceSpec, type ServiceSpec, type StageSpec } from './spec.ts'
import { hostOf, readHost, type Stage, stageOfHost } from './stage.ts'
import type { FileTree } from './tree.ts'
import { compareVersions } from './version.ts'

/** Everything that a catalog repository describes, with all references followed and all inputs checked. */
export type Organisation = {
  readonly catalog: Catalog
  /** By name. */
  readonly services: readonly Service[]
  /**
   * Environments first, in the order of the stages that lie in them; then service by service the instances in the order of
   * the stages, each after its component, whose outputs it sees, and the pipeline last.
   */
  readonly units: readonly Unit[]
}

/** An application, in the stages that it has, in the order of promotion. */
export type Service = {
  readonly service: string
  readonly spec: ServiceSpec
  readonly bundle: Bundle
  readonly stages: readonly ServiceStage[]
}

/** A service in a stage, with its host there; a service that is not called has none. */
export type ServiceStage = { readonly stage: Stage; readonly hosts: readonly string[]; readonly because?: string }

/** What is deployed by itself: one unit is one stack, in the account and region of its environment. */
export type Unit = {
  readonly kind: 'environment' | 'instance' | 'pipeline' | 'component'
  /** `environment/dev`, `checkout/dev`, `checkout/pipeline`, `checkout/dev/component`. */
  readonly id: string
  /** The name of the stack. */
  readonly stack: string
  /** A pipeline lies in the environment of its service's first stage. */
  readonly environment: Environment
  readonly stage?: Stage
  readonly service?: Service
  readonly bundle: Bundle
  /** Defaults are in, in the order of the schema. */
  readonly inputs: DataMap
  /** Where the value of an input was written: in the service's file, for the stage or for all; or as the schema's default. */
  inputPlace(name: string): Place
}

/** The files of a released version of a template, by paths relative to its bundle; nothing where there is no such release. */
export type Released = (template: string, version: string) => FileTree | undefined

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

type Reading = {
  readonly catalog: Catalog
  readonly broken: ReadonlySet<string>
  readonly released: Released
  readonly releases: readonly string[]
  readonly problems: Problem[]
  /** Bundles by `name@version`, each read once. */
  readonly bundles: Map<string, Loaded>
  /** Where a service or a host is named first. */
  readonly names: Map<string, Place>
  readonly hosts: Map<string, { readonly service: string; readonly at: Place }>
}

/** A bundle; `broken` if there is one that cannot be read, of which its own problems tell. */
type Loaded = Bundle | 'broken' | 'absent'

type ServiceFiles = {
  readonly file: string
  readonly text: string
  readonly component: { readonly root: string; readonly files: FileTree } | undefined
}

function problem(code: ProblemCode, at: Place, words: Omit<Problem, 'code' | 'severity' | 'at'>): Problem {
  return { code, severity: 'error', ...words, at }
}

/** Environments in the order of the first stage that lies in them; those of no stage at the end. */
function inStageOrder(catalog: Catalog): Environment[] {
  const order = (environment: Environment): number => {
    const index = catalog.stages.findIndex((stage) => stage.environment === environment.name)
    return index === -1 ? catalog.stages.length : index
  }
  return [...catalog.environments.values()].toSorted((a, b) => order(a) - order(b) || compareText(a.name, b.name))
}

function readEnvironmentUnit(reading: Reading, environment: Environment): Unit | undefined {
  const { document, name } = environment
  const templateAt = document.place(['template'])
  const bundle = findBundle(reading, {
    template: environment.template,
    version: environment.version,
    kind: 'environment',
    at: templateAt,
  })
  const schema = bundle?.schema.environment
  if (bundle === undefined || schema === undefined) return undefined
  const at = inputsAt(
    document,
    ['inputs'],
    missingPlace(document, ['inputs'], 'inputs' in environmentData(environment)),
  )
  reading.problems.push(...checkSecrets(schema, environment.inputs, at))
  const inputs = checkInputs(schema, environment.inputs, at)
  reading.problems.push(...inputs.problems)
  if (!inputs.ok) return undefined
  return {
    kind: 'environment',
    id: `environment/${name}`,
    stack: environment.stack,
    environment,
    bundle,
    inputs: inputs.value,
    inputPlace: (input) =>
      Object.hasOwn(environment.inputs, input)
        ? document.place(['inputs', input])
        : (schema.inputs.get(input)?.defaultAt ?? templateAt),
  }
}

function environmentData({ document }: Environment): DataMap {
  return isMap(document.data) ? document.data : mapOf()
}

function missingPlace(document: ServiceSpec['document'], path: Path, there: boolean): Place {
  return there ? document.keyPlace(path) : document.keyPlace(['template'])
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

/** The bundle that a file names, or nothing, with a Problem that says which there are. */
function findBundle(
  reading: Reading,
  {
    template: name,
    version,
    kind,
    at,
  }: {
    readonly template: string
    readonly version: string
    readonly kind: 'environment' | 'service'
    readonly at: Place
  },
): Bundle | undefined {
  const { catalog, problems } = reading
  const bundle = loadBundle(reading, name, version)
  if (bundle === 'broken') return undefined
  if (bundle !== 'absent') {
    if (bundle.kind === kind) return bundle
    const others = [...catalog.templates.values()]
      .filter((template) => template.kind === kind)
      .map((template) => template.name)
    problems.push(
      problem('wrong-template', at, {
        message: `"${name}" is a template of kind ${bundle.kind}, and a template of kind ${kind} is wanted here.`,
        expected:
          others.length === 0 ? `A template of kind ${kind}; the catalog has none.` : `One of ${others.join(', ')}.`,
        remedy: 'Choose another template.',
      }),
    )
    return undefined
  }
  const template = catalog.templates.get(name)
  const versions = new Set([...(template?.bundles.values() ?? [])].map((each) => each.version))
  for (const tag of reading.releases) if (tag.startsWith(`${name}@`)) versions.add(tag.slice(name.length + 1))
  // Which versions a template that cannot be read would have offered is not known.
  if (reading.broken.has(name)) return undefined
  if (template === undefined && versions.size === 0) {
    const names = [...catalog.templates.values()].filter((each) => each.kind === kind).map((each) => each.name)
    problems.push(
      problem('unknown-template', at, {
        message: `The catalog has no template "${name}".${didYouMean(name, names)}`,
        expected:
          names.length === 0 ? `A template of kind ${kind}; the catalog has none.` : `One of ${names.join(', ')}.`,
        remedy: 'Correct the name.',
      }),
    )
  } else {
    const there = [...versions].toSorted(compareVersions)
    problems.push(
      problem('unknown-version', at, {
        message: `The template "${name}" has no version ${version}.`,
        expected: `One of ${there.slice(-12).join(', ')}.`,
        remedy: `Use ${there.at(-1) ?? 'another version'}, or fetch the tags if the version was released (\`git fetch --tags\`).`,
      }),
    )
  }
  return undefined
}

function loadBundle(reading: Reading, name: string, version: string): Loaded {
  const id = `${name}@${version}`
  const known = reading.bundles.get(id)
  if (known !== undefined) return known
  let loaded: Loaded =
    [...(reading.catalog.templates.get(name)?.bundles.values() ?? [])].find((bundle) => bundle.version === version) ??
    'absent'
  const files = loaded === 'absent' ? reading.released(name, version) : undefined
  if (files !== undefined) {
    const read = readBundle(files, { template: name, version, root: id })
    // Warnings on a version that is released cannot be mended any more.
    reading.problems.push(...read.problems.filter(({ severity }) => severity === 'error'))
    loaded = read.ok ? read.value : 'broken'
  }
  reading.bundles.set(id, loaded)
  return loaded
}

/** The stages of a service in the order of promotion: those of its hosts, or those it names where it has no host. */
function stagesOf(reading: Reading, spec: ServiceSpec, isFirst: boolean): ServiceStage[] {
  const { catalog, problems } = reading
  const { document } = spec
  const stageNames = catalog.stages.map(({ name }) => name)
  const hosts = new Map<string, string>()
  let doubtful = false
  for (const { text, at } of spec.hosts) {
    const placed = placeHost(reading, { spec, text, at, isFirst })
    if (placed === undefined) doubtful = true
    else hosts.set(placed.stage.name, placed.host)
  }
  const declared = 'hosts' in (isMap(document.data) ? document.data : {}) && spec.hosts.length > 0
  for (const name of spec.stages.keys()) {
    const at = document.keyPlace(['stages', name])
    if (!stageNames.includes(name)) {
      // A stage whose own entry is broken has been told of.
      if (
        isMap(catalog.document.data) &&
        isMap(catalog.document.data['stages']) &&
        name in catalog.document.data['stages']
      )
        continue
      problems.push(
        problem('unknown-stage', at, {
          message: `There is no stage "${name}".${didYouMean(name, stageNames)}`,
          expected: `One of ${stageNames.join(', ')}.`,
          remedy: 'Correct the name.',
        }),
      )
    } else if (declared && !doubtful && !hosts.has(name)) {
      const stage = catalog.stages.find((each) => each.name === name)
      problems.push(
        problem('stage-without-host', at, {
          message: `The service has no host in the stage "${name}", so what is set for it would never be used.`,
          expected: 'A host in each stage that is named, since the hosts decide the stages.',
          remedy:
            stage === undefined ? 'Add a host.' : `Add the host ${hostOf(stage, spec.service)}, or remove the stage.`,
        }),
      )
    }
  }
  const wanted = declared ? new Set(hosts.keys()) : new Set(spec.stages.keys())
  if (!declared && spec.stages.size === 0) {
    const first = catalog.stages[0]
    problems.push(
      problem('no-stages', document.keyPlace(['service']), {
        message: 'The service is in no stage: it has neither hosts nor stages.',
        expected: '`hosts:` for a service that is called; `stages:` for one that is not, such as a queue worker.',
        remedy:
          first === undefined
            ? 'Add one of the two.'
            : `Add \`hosts: [${hostOf(first, spec.service)}]\`, or \`stages: { ${first.name}: {} }\`.`,
      }),
    )
  }
  return catalog.stages
    .filter(({ name }) => wanted.has(name))
    .map((stage) => {
      const [host, because] = [hosts.get(stage.name), spec.stages.get(stage.name)?.because]
      return { stage, hosts: host === undefined ? [] : [host], ...(because === undefined ? {} : { because }) }
    })
}

type Host = { readonly spec: ServiceSpec; readonly text: string; readonly at: Place; readonly isFirst: boolean }

/** The one stage that a host belongs to, or nothing, with a Problem. */
function placeHost(
  reading: Reading,
  { spec, text, at, isFirst }: Host,
): { readonly stage: Stage; readonly host: string } | undefined {
  const { catalog, problems } = reading
  const read = readHost(text)
  if ('fault' in read) {
    problems.push(
      problem('host-invalid', at, {
        message: `The host ${inWords(text)} ${read.fault}.`,
        expected: 'A DNS name such as checkout.dev.example.com.',
        remedy: 'Correct the host.',
      }),
    )
    return undefined
  }
  const { host } = read
  const owner = stageOfHost(catalog, host)
  const addresses = catalog.stages.map((stage) => hostOf(stage, spec.service))
  if (owner.is === 'several') {
    problems.push(
      problem('host-ambiguous', at, {
        message: `The host ${host} fits the patterns of ${owner.owners.join(' and ')}.`,
        expected: 'Patterns of stages that no host can match together.',
        remedy: 'Correct the patterns in `catalog.yaml`.',
      }),
    )
    return undefined
  }
  if (owner.is !== 'stage') {
    problems.push(
      problem('host-unclaimed', at, {
        message:
          owner.is === 'preview'
            ? `The host ${host} is the address of a preview, which comes and goes with its pull request.`
            : `The host ${host} belongs to no stage.${didYouMean(host, addresses)}`,
        expected: `For this service: ${addresses.join(', ')}.`,
        remedy: 'Correct the host, or remove it.',
      }),
    )
    return undefined
  }
  if (owner.service !== spec.service) {
    problems.push(
      problem('host-service', at, {
        message: `The host ${host} names the service "${owner.service}", and this is "${spec.service}".`,
        expected: hostOf(owner.stage, spec.service),
        remedy: 'Correct the host, or the name under `service:`.',
      }),
    )
  }
  const claim = reading.hosts.get(host)
  if (claim !== undefined && (isFirst || claim.service !== spec.service)) {
    problems.push({
      ...problem('host-taken', at, {
        message:
          claim.service === spec.service
            ? `The host ${host} is written twice.`
            : `The host ${host} is taken by the service "${claim.service}".`,
        expected: 'Each host once, in one service.',
        remedy: 'Remove it from one of the two.',
      }),
      related: [{ at: claim.at, note: claim.service === spec.service ? 'the first time' : 'the other claimant' }],
    })
  }
  if (claim === undefined) reading.hosts.set(host, { service: spec.service, at })
  return owner.service === spec.service ? { stage: owner.stage, host } : undefined
}

function checkCompatible(
  { catalog, problems }: Reading,
  {
    spec,
    bundle,
    stages,
  }: { readonly spec: ServiceSpec; readonly bundle: Bundle; readonly stages: readonly ServiceStage[] },
): void {
  if (bundle.compatible.length === 0) return
  const told = new Set<string>()
  for (const { stage } of stages) {
    const environment = catalog.environments.get(stage.environment)
    if (environment === undefined) continue
    const major = Number(environment.version.split('.')[0])
    if (bundle.compatible.some((each) => each.template === environment.template && each.major === major)) continue
    const name = `${environment.template}:${major}`
    if (told.has(name)) continue
    told.add(name)
    problems.push({
      ...problem('template-incompatible', spec.document.place(['template']), {
        message: `"${spec.template}@${spec.version}" does not run in the environment "${environment.name}" of the stage "${stage.name}", which is made by ${name}.`,
        expected: `An environment of ${bundle.compatible.map((each) => `${each.template}:${each.major}`).join(' or ')}.`,
        remedy:
          'Choose a template or a version that fits, or let its owners add the environment to `.compatible-envs`.',
      }),
      related: [{ at: environment.document.place(['template']), note: 'the template of the environment' }],
    })
  }
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

function instanceUnits(reading: Reading, service: Service, component: Bundle | undefined): Unit[] {
  const { catalog, problems } = reading
  const { spec, bundle } = service
  const { document } = spec
  const schema = bundle.schema.service
  if (schema === undefined) return []
  problems.push(...checkSecrets(schema, spec.inputs, inputsAt(document, ['inputs'])))
  // Most stages have no inputs of their own, and one check serves all of these.
  let shared: Checked<DataMap> | undefined
  const units: Unit[] = []
  for (const { stage } of service.stages) {
    const environment = catalog.environments.get(stage.environment)
    const stageSpec = spec.stages.get(stage.name)
    const own = stageSpec?.inputs ?? mapOf()
    const places = stagePlaces({ spec, stage, own, schema })
    let checked: Checked<DataMap>
    if (Object.keys(own).length === 0) {
      shared ??= checkInputs(schema, spec.inputs, places)
      checked = shared
    } else {
      problems.push(...checkSecrets(schema, own, inputsAt(document, ['stages', stage.name, 'inputs'])))
      checked = checkInputs(schema, merged(spec.inputs, own, schema), places)
    }
    problems.push(...checked.problems)
    if (!checked.ok || environment === undefined) continue
    const inputs = checked.value
    const inputPlace = (name: string): Place =>
      Object.hasOwn(inputs, name) && written(spec, own, name)
        ? places.place([name])
        : (schema.inputs.get(name)?.defaultAt ?? document.place(['template']))
    if (stage.production) problems.push(...imageProblems({ schema, inputs, stage, inputPlace }))
    const stack = stackOf(catalog, { spec, stageSpec, stage: stage.name })
    const id = `${service.service}/${stage.name}`
    if (component !== undefined) {
      units.push({
        kind: 'component',
        id: `${id}/component`,
        stack: `${stack}-component`,
        environment,
        stage,
        service,
        bundle: component,
        inputs: mapOf(),
        inputPlace: () => document.place(['service']),
      })
    }
    units.push({ kind: 'instance', id, stack, environment, stage, service, bundle, inputs, inputPlace })
  }
  return units
}

function written(spec: ServiceSpec, own: DataMap, name: string): boolean {
  return Object.hasOwn(own, name) || Object.hasOwn(spec.inputs, name)
}

/** Inputs of a stage over those of the service; maps key by key, one level deep. */
function merged(inputs: DataMap, own: DataMap, schema: InputSchema): DataMap {
  const result = new Map<string, Data>(Object.entries(inputs))
  for (const [name, value] of Object.entries(own)) {
    const base = result.get(name)
    result.set(
      name,
      isMap(value) && isMap(base) && isObjectInput(schema, name)
        ? mapOf([...Object.entries(base), ...Object.entries(value)])
        : value,
    )
  }
  return mapOf(result)
}

function isObjectInput(schema: InputSchema, name: string): boolean {
  const properties = schema.json['properties']
  const property = isMap(properties) && Object.hasOwn(properties, name) ? properties[name] : undefined
  return isMap(property) && textsIn(property, 'type').includes('object')
}

/** Where the inputs of a stage are written: under the stage if it has them itself, otherwise under the service. */
function stagePlaces({
  spec,
  stage,
  own,
  schema,
}: {
  readonly spec: ServiceSpec
  readonly stage: Stage
  readonly own: DataMap
  readonly schema: InputSchema
}): InputsAt {
  const { document, inputs } = spec
  const fromStage = (path: Path): boolean => {
    const [name, key] = path
    if (typeof name !== 'string' || !Object.hasOwn(own, name)) return false
    const [mine, base] = [own[name], inputs[name]]
    if (typeof key !== 'string' || !isMap(mine) || !isMap(base) || !isObjectInput(schema, name)) return true
    return Object.hasOwn(mine, key)
  }
  const whole = (path: Path): Path =>
    fromStage(path) ? ['stages', stage.name, 'inputs', ...path] : ['inputs', ...path]
  return {
    place: (path) => document.place(whole(path)),
    keyPlace: (path) => document.keyPlace(whole(path)),
    missing: missingPlace(document, ['inputs'], 'inputs' in (isMap(document.data) ? document.data : {})),
  }
}

/** An image that a tag names can change between two stages; a digest cannot. */
function imageProblems({
  schema,
  inputs,
  stage,
  inputPlace,
}: {
  readonly schema: InputSchema
  readonly inputs: DataMap
  readonly stage: Stage
  readonly inputPlace: (name: string) => Place
}): Problem[] {
  const problems: Problem[] = []
  for (const { name, image, default: placeholder } of schema.inputs.values()) {
    const value = inputs[name]
    if (
      !image ||
      typeof value !== 'string' ||
      value === '' ||
      value === placeholder ||
      /@sha256:[0-9a-f]{64}$/.test(value)
    )
      continue
    problems.push(
      problem('image-tag', inputPlace(name), {
        message: `The image ${inWords(value)} is not named by its digest, so in the stage "${stage.name}" it could be another than the one that was tried.`,
        expected: 'A name with a digest: `registry/name@sha256:…`.',
        remedy: 'Let the build hand on the digest, or leave the input out until the first build.',
      }),
    )
  }
  return problems
}

function pipelineUnits(reading: Reading, service: Service): Unit[] {
  const { catalog, problems } = reading
  const { spec, bundle } = service
  const { document, pipeline } = spec
  if (pipeline === undefined) return []
  const schema = bundle.schema.pipeline
  if (schema === undefined || !bundle.parts.some(({ name }) => name === 'pipeline_infrastructure')) {
    problems.push(
      problem('no-pipeline', document.keyPlace(['pipeline']), {
        message: `The template "${bundle.template}@${bundle.version}" has no pipeline.`,
        expected: 'No `pipeline:`, or a template with `pipeline_infrastructure/`.',
        remedy: 'Remove `pipeline:`.',
      }),
    )
    return []
  }
  const at = inputsAt(document, ['pipeline', 'inputs'], document.keyPlace(['pipeline']))
  problems.push(...checkSecrets(schema, pipeline.inputs, at))
  const inputs = checkInputs(schema, pipeline.inputs, at)
  problems.push(...inputs.problems)
  const environment = catalog.environments.get(service.stages[0]?.stage.environment ?? '')
  if (!inputs.ok || environment === undefined) return []
  return [
    {
      kind: 'pipeline',
      id: `${service.service}/pipeline`,
      stack: pipeline.stack ?? filled(catalog.stackName, service.service, 'pipeline'),
      environment,
      service,
      bundle,
      inputs: inputs.value,
      inputPlace: (name) =>
        Object.hasOwn(pipeline.inputs, name)
          ? at.place([name])
          : (schema.inputs.get(name)?.defaultAt ?? document.keyPlace(['pipeline'])),
    },
  ]
}

function stackOf(
  catalog: Catalog,
  {
    spec,
    stageSpec,
    stage,
  }: { readonly spec: ServiceSpec; readonly stageSpec: StageSpec | undefined; readonly stage: string },
): string {
  return stageSpec?.stack ?? spec.stack?.replaceAll('{stage}', stage) ?? filled(catalog.stackName, spec.service, stage)
}

function filled(pattern: string, service: string, stage: string): string {
  return pattern.replaceAll(/\{(service|stage)\}/g, (_, name) => (name === 'service' ? service : stage))
}

/**
 * Stacks are told apart by account, region and name. CloudFormation takes names of at most 128 characters that begin with a
 * letter (CreateStack, `StackName`).
 */
function checkStacks(units: readonly Unit[], problems: Problem[]): void {
  const taken = new Map<string, Unit>()
  for (const unit of units) {
    const at = stackPlace(unit)
    if (!/^[a-zA-Z][-a-zA-Z0-9]{0,127}$/.test(unit.stack)) {
      problems.push(
        problem('stack-name', at, {
          message: `The stack of ${unit.id} would be called "${unit.stack}"${unit.stack.length > 128 ? `, which has ${unit.stack.length} characters` : ''}.`,
          expected: 'Letters, digits and "-", a letter first, at most 128.',
          remedy: 'Shorten the names, or give the stack a name of its own by `stack:`.',
        }),
      )
    }
    const id = `${unit.environment.account}/${unit.environment.region}/${unit.stack}`
    const other = taken.get(id)
    if (other === undefined) {
      taken.set(id, unit)
    } else if (other.service === undefined || other.service.service !== unit.service?.service || other.id !== unit.id) {
      problems.push({
        ...problem('stack-taken', at, {
          message: `The stack "${unit.stack}" of ${unit.id} is that of ${other.id} too.`,
          expected: 'A stack of its own for each unit, in its account and region.',
          remedy: 'Rename one of the two, or give its stack a name of its own by `stack:`.',
        }),
        related: [{ at: stackPlace(other), note: `where ${other.id} gets the name` }],
      })
    }
  }
}

/** Where the name of a unit's stack comes from. */
function stackPlace({ kind, environment, service, stage }: Unit): Place {
  if (service === undefined)
    return environment.document.place('stack' in environmentData(environment) ? ['stack'] : ['environment'])
  const { spec } = service
  if (kind === 'pipeline')
    return spec.document.keyPlace(spec.pipeline?.stack === undefined ? ['pipeline'] : ['pipeline', 'stack'])
  if (stage !== undefined && spec.stages.get(stage.name)?.stack !== undefined)
    return spec.document.place(['stages', stage.name, 'stack'])
  return spec.document.place(spec.stack === undefined ? ['service'] : ['stack'])
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
