import type { Bundle } from '../bundle.ts'
import type { Catalog, Environment } from '../catalog.ts'
import type { StackOptions } from '../catalog/stack-options.ts'
import { type Data, type DataMap, entriesOf, isMap, mapOf, type Path } from '../data.ts'
import type { Checked, Place, Problem } from '../problem.ts'
import { checkInputs, checkSecrets, type InputSchema, inputsAt, type InputsAt, servicesIn } from '../schema.ts'
import { inWords, textsIn } from '../shape.ts'
import type { ServiceSpec } from '../spec.ts'
import { hostOf, readHost, type Stage } from '../stage.ts'
import { findBundle } from './bundles.ts'
import { problem, type Reading, type Service, type ServiceStage, type Unit } from './model.ts'
import { filled, stackOf } from './stacks.ts'

export function readEnvironmentUnit(reading: Reading, environment: Environment): Unit | undefined {
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
    options: stackOptions(reading.catalog, { kind: 'environment', environment: name }),
    ...governed(reading.catalog, { environment: name }),
    acknowledged: environment.acknowledged,
    inputPlace: (input) =>
      Object.hasOwn(environment.inputs, input)
        ? document.place(['inputs', input])
        : (schema.inputs.get(input)?.defaultAt ?? templateAt),
  }
}

/**
 * What the catalog says of the stack of a unit. What several stages share has the options of the one for production, or of the
 * first. A template of the catalog may make the roles and call the macros that are in it, which its owners have reviewed; what a
 * developer adds by a component may not, unless the catalog says so.
 */
export function stackOptions(
  { stages }: Pick<Catalog, 'stages'>,
  { kind, environment, stage }: { readonly kind: Unit['kind']; readonly environment: string; readonly stage?: Stage },
): StackOptions {
  const inside = stages.filter((each) => each.environment === environment)
  const shared = inside.find(({ production }) => production) ?? inside[0]
  return { ...(kind === 'component' && { capabilities: [] }), ...(stage ?? shared)?.stack }
}

/** The rules that a unit is judged by, and for which stages; what several stages share has to do for each of them. */
function governed(
  { policy, stages }: Catalog,
  { environment, stage }: { readonly environment: string; readonly stage?: Stage },
): Pick<Unit, 'policy' | 'serves'> {
  const inside = stages.filter((each) => each.environment === environment).map(({ name }) => name)
  return { policy, serves: stage === undefined ? inside : [stage.name] }
}

function environmentData({ document }: Environment): DataMap {
  return isMap(document.data) ? document.data : mapOf()
}

function missingPlace(document: ServiceSpec['document'], path: Path, there: boolean): Place {
  return there ? document.keyPlace(path) : document.keyPlace(['template'])
}

export function instanceUnits(reading: Reading, service: Service, component: Bundle | undefined): Unit[] {
  const { catalog, problems } = reading
  const { spec, bundle } = service
  const { document } = spec
  const schema = bundle.schema.service
  if (schema === undefined) return []
  problems.push(...checkSecrets(schema, spec.inputs, inputsAt(document, ['inputs'])))
  // Most stages have no inputs of their own, and one check serves all of these.
  let shared: Checked<DataMap> | undefined
  const units: Unit[] = []
  for (const serviceStage of service.stages) {
    const { stage } = serviceStage
    const environment = catalog.environments.get(stage.environment)
    const stageSpec = spec.stages.get(stage.name)
    const own = stageSpec?.inputs ?? mapOf()
    const address = addressInput({ spec, serviceStage, own, schema })
    const places = stagePlaces({ spec, stage, own, schema, address })
    let checked: Checked<DataMap>
    if (Object.keys(own).length === 0 && address === undefined) {
      shared ??= checkInputs(schema, spec.inputs, places)
      checked = shared
    } else {
      problems.push(...checkSecrets(schema, own, inputsAt(document, ['stages', stage.name, 'inputs'])))
      const given = merged(spec.inputs, own, schema)
      checked = checkInputs(
        schema,
        address === undefined ? given : mapOf([...entriesOf(given), [address.input, address.host]]),
        places,
      )
    }
    problems.push(...checked.problems)
    if (address?.is === 'missing') problems.push(hostMissing(service, address))
    if (!checked.ok) continue
    const inputs = checked.value
    for (const { name, path } of servicesIn(schema, inputs))
      reading.mentions.push({ service: name, at: places.place(path), problems })
    if (address?.is === 'missing' || environment === undefined) continue
    const inputPlace = (name: string): Place =>
      Object.hasOwn(inputs, name) && (written(spec, own, name) || name === address?.input)
        ? places.place([name])
        : (schema.inputs.get(name)?.defaultAt ?? document.place(['template']))
    if (stage.production) problems.push(...imageProblems({ schema, inputs, stage, inputPlace }))
    const stack = stackOf(catalog, { spec, stageSpec, stage: stage.name })
    const id = `${service.service}/${stage.name}`
    const acknowledged = new Map([...spec.acknowledged, ...(stageSpec?.acknowledged ?? [])])
    if (component !== undefined) {
      units.push({
        kind: 'component',
        id: `${id}/component`,
        stack: `${stack}-component`,
        environment,
        stage,
        service,
        bundle: component,
        inputs,
        options: stackOptions(catalog, { kind: 'component', environment: environment.name, stage }),
        ...governed(catalog, { environment: environment.name, stage }),
        acknowledged,
        inputPlace,
      })
    }
    const options = stackOptions(catalog, { kind: 'instance', environment: environment.name, stage })
    units.push({
      kind: 'instance',
      id,
      stack,
      environment,
      stage,
      service,
      bundle,
      inputs,
      options,
      ...governed(catalog, { environment: environment.name, stage }),
      acknowledged,
      inputPlace,
    })
  }
  return units
}

/** What the input that takes the address of the instance gets, where nobody gives it: see `x-protium-host`. */
type Address = {
  /** `missing`: the template needs an address, and the service has none here; `host` is the one that it might have. */
  readonly is: 'given' | 'missing'
  readonly input: string
  readonly host: string
  readonly at: Place
}

function addressInput({
  spec,
  serviceStage: { stage, hosts },
  own,
  schema,
}: {
  readonly spec: ServiceSpec
  readonly serviceStage: ServiceStage
  readonly own: DataMap
  readonly schema: InputSchema
}): Address | undefined {
  const input = [...schema.inputs.values()].find(({ host }) => host)
  if (input === undefined || written(spec, own, input.name)) return undefined
  const [host] = hosts
  if (host !== undefined) {
    const written = spec.hosts.find(({ text }) => {
      const read = readHost(text)
      return 'host' in read && read.host === host
    })
    const at = written?.at ?? spec.document.place(['hosts'])
    return { is: 'given', input: input.name, host, at }
  }
  if (!input.required || input.default !== undefined) return undefined
  const at = spec.document.keyPlace(['stages', stage.name])
  return { is: 'missing', input: input.name, host: hostOf(stage, spec.service), at }
}

function hostMissing({ bundle }: Service, { host, at }: Address): Problem {
  return problem('host-missing', at, {
    message: `What the template "${bundle.template}" makes is called at an address, and the service has none.`,
    expected: `\`hosts:\` with one host for each stage, here ${host}.`,
    remedy: `Write \`hosts:\` (the hosts decide the stages, so those without inputs of their own need no entry), or take a template for services that nobody calls.`,
  })
}

function written(spec: ServiceSpec, own: DataMap, name: string): boolean {
  return Object.hasOwn(own, name) || Object.hasOwn(spec.inputs, name)
}

/** Inputs of a stage over those of the service; maps key by key, one level deep. */
function merged(inputs: DataMap, own: DataMap, schema: InputSchema): DataMap {
  const result = new Map<string, Data>(entriesOf(inputs))
  for (const [name, value] of entriesOf(own)) {
    const base = result.get(name)
    result.set(
      name,
      isMap(value) && isMap(base) && isObjectInput(schema, name)
        ? mapOf([...entriesOf(base), ...entriesOf(value)])
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
  address,
}: {
  readonly spec: ServiceSpec
  readonly stage: Stage
  readonly own: DataMap
  readonly schema: InputSchema
  readonly address: Address | undefined
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
    place: (path) => (address !== undefined && path[0] === address.input ? address.at : document.place(whole(path))),
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

export function pipelineUnits(reading: Reading, service: Service): Unit[] {
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
      options: stackOptions(catalog, { kind: 'pipeline', environment: environment.name }),
      ...governed(catalog, { environment: environment.name }),
      acknowledged: pipeline.acknowledged,
      inputPlace: (name) =>
        Object.hasOwn(pipeline.inputs, name)
          ? at.place([name])
          : (schema.inputs.get(name)?.defaultAt ?? document.keyPlace(['pipeline'])),
    },
  ]
}
