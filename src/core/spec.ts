import { type Data, type DataMap, entriesOf, isList, isMap, mapOf, type Path } from './data.ts'
import type { Checked, Place, Problem } from './problem.ts'
import { type HealthCheck, readHealth } from './health.ts'
import { protonEnvironmentSpecSchema, protonServiceSpecSchema } from './schemas/proton.ts'
import { serviceSchema } from './schemas/service.ts'
import { checkShape, listIn, mapIn, textIn } from './shape.ts'
import { type Acknowledged, readAcknowledged } from './spec/acknowledged.ts'
import { readKeep } from './spec/keep.ts'
import { readWishes } from './spec/upgrades.ts'
import { isServiceName } from './stage.ts'
import type { Wishes } from './upgrade/model.ts'
import { parseReference } from './version.ts'
import { type Dialect, type Document, readYaml } from './yaml.ts'

/** What a `service.yaml` says, with the file to find the places in. */
export type ServiceSpec = {
  readonly document: Document
  readonly service: string
  readonly template: string
  readonly version: string
  readonly owner?: string
  /** As written. */
  readonly hosts: readonly { readonly text: string; readonly at: Place }[]
  readonly inputs: DataMap
  /** How it is seen that the service is healthy; nothing if that is not looked at. */
  readonly health?: HealthCheck
  /** There if the pipeline of the template shall be provisioned too. */
  readonly pipeline?: { readonly inputs: DataMap; readonly stack?: string; readonly acknowledged: Acknowledged }
  readonly stages: ReadonlyMap<string, StageSpec>
  /** Logical ids of the template, with those that the live stacks have for them. */
  readonly keep: ReadonlyMap<string, string>
  /** The name of adopted stacks; may hold `{stage}`. */
  readonly stack?: string
  /** In all stages. */
  readonly acknowledged: Acknowledged
  /** Which upgrades it wants to be offered. */
  readonly upgrades: Wishes
}

/** What is different in one stage: a declared difference, and why. */
export type StageSpec = {
  readonly inputs: DataMap
  readonly health?: HealthCheck
  readonly because?: string
  readonly stack?: string
  readonly acknowledged: Acknowledged
}

/** Reads a `service.yaml`. What it says is checked against the catalog by `readOrganisation`. */
export function readServiceSpec(file: string, text: string): Checked<ServiceSpec> {
  const { spec, problems } = openServiceSpec(file, text)
  return spec === undefined || hasErrors(problems) ? { ok: false, problems } : { ok: true, value: spec, problems }
}

/**
 * The same, with what can be read of a file that has errors: its other faults are found in the same run. There is a spec
 * whenever the names of the service and of the template are good.
 */
export function openServiceSpec(
  file: string,
  text: string,
): { readonly spec?: ServiceSpec; readonly problems: readonly Problem[] } {
  const { document, data, problems } = open(file, text, {
    dialect: 'own',
    schema: serviceSchema,
    what: 'a service file',
  })
  const service = textIn(data, 'service')
  const reference = parseReference(textIn(data, 'template') ?? '')
  if (document === undefined || service === undefined || reference === undefined || !isServiceName(service))
    return { problems }
  const owner = textIn(data, 'owner')
  const health = readHealth(data['health'])
  const stack = textIn(data, 'stack')
  const pipeline = data['pipeline'] === undefined ? undefined : (mapIn(data, 'pipeline') ?? mapOf())
  const pipelineStack = textIn(pipeline, 'stack')
  const hosts = (listIn(data, 'hosts') ?? []).flatMap((item, index) =>
    typeof item === 'string' ? [{ text: item, at: document.place(['hosts', index]) }] : [],
  )
  const stages = new Map<string, StageSpec>()
  for (const [name, value] of Object.entries(mapIn(data, 'stages') ?? {})) {
    const map = isMap(value) ? value : mapOf()
    const [because, own] = [textIn(map, 'because'), textIn(map, 'stack')]
    const health = readHealth(map['health'])
    stages.set(name, {
      inputs: mapIn(map, 'inputs') ?? mapOf(),
      ...(health === undefined ? {} : { health }),
      ...(because === undefined ? {} : { because }),
      ...(own === undefined ? {} : { stack: own }),
      acknowledged: readAcknowledged(document, map, ['stages', name]),
    })
  }
  return {
    spec: {
      document,
      service,
      ...reference,
      ...(owner === undefined ? {} : { owner }),
      hosts,
      inputs: mapIn(data, 'inputs') ?? mapOf(),
      ...(health === undefined ? {} : { health }),
      ...(pipeline === undefined
        ? {}
        : {
            pipeline: {
              inputs: mapIn(pipeline, 'inputs') ?? mapOf(),
              ...(pipelineStack === undefined ? {} : { stack: pipelineStack }),
              acknowledged: readAcknowledged(document, pipeline, ['pipeline']),
            },
          }),
      stages,
      ...(stack === undefined ? {} : { stack }),
      keep: readKeep(data),
      acknowledged: readAcknowledged(document, data, []),
      upgrades: readWishes(document, data, problems),
    },
    problems,
  }
}

/** A spec of an environment as AWS Proton had it. `inputs` stand under `spec`. */
export type ProtonEnvironmentSpec = { readonly document: Document; readonly inputs: DataMap }

/**
 * A spec of a service as AWS Proton had it. The inputs of the pipeline stand under `pipeline`, those of an instance under
 * `['instances', index, 'spec']`. Which template it is for is not in the file.
 */
export type ProtonServiceSpec = {
  readonly document: Document
  readonly pipeline?: DataMap
  readonly instances: readonly { readonly name: string; readonly environment: string; readonly inputs: DataMap }[]
}

/** The value that is deployed now, at a path of the spec: what `${Proton::CURRENT_VAL}` stands for. */
export type CurrentValue = (path: Path) => Data | undefined

/**
 * Reads a spec of an environment of AWS Proton. `${Proton::CURRENT_VAL}` is replaced by the current value, and is a Problem
 * where none is known.
 * https://docs.aws.amazon.com/proton/latest/userguide/ag-environments.html
 */
export function readProtonEnvironmentSpec(
  file: string,
  text: string,
  current?: CurrentValue,
): Checked<ProtonEnvironmentSpec> {
  const { document, data, problems } = open(file, text, {
    dialect: 'proton-spec',
    schema: protonEnvironmentSpecSchema,
    what: 'a spec of an environment',
  })
  if (document === undefined || hasErrors(problems)) return { ok: false, problems }
  const inputs = withCurrent(document, { value: mapIn(data, 'spec') ?? mapOf(), path: ['spec'], current, problems })
  return hasErrors(problems) || !isMap(inputs)
    ? { ok: false, problems }
    : { ok: true, value: { document, inputs }, problems }
}

/** Reads a spec of a service of AWS Proton, as `readProtonEnvironmentSpec` does that of an environment. */
export function readProtonServiceSpec(file: string, text: string, current?: CurrentValue): Checked<ProtonServiceSpec> {
  const { document, data, problems } = open(file, text, {
    dialect: 'proton-spec',
    schema: protonServiceSpecSchema,
    what: 'a spec of a service',
  })
  if (document === undefined || hasErrors(problems)) return { ok: false, problems }
  if (text.length > 51_200) {
    problems.push({
      code: 'proton-quota',
      severity: 'warning',
      message: `The spec has ${text.length} characters, which is beyond a quota of AWS Proton (51,200).`,
      remedy: 'Nothing has to be done: Protium has no such limit.',
      at: { file, line: 1, column: 1 },
    })
  }
  const filled = (value: DataMap | undefined, path: Path): DataMap => {
    const inputs = withCurrent(document, { value: value ?? mapOf(), path, current, problems })
    return isMap(inputs) ? inputs : mapOf()
  }
  const names = new Map<string, number>()
  const instances = (listIn(data, 'instances') ?? []).flatMap((instance, index) => {
    if (!isMap(instance)) return []
    const [name, environment] = [textIn(instance, 'name') ?? '', textIn(instance, 'environment') ?? '']
    const other = names.get(name)
    if (other !== undefined) {
      problems.push({
        code: 'instance-twice',
        severity: 'error',
        message: `Two instances are called "${name}".`,
        expected: 'A name of its own for each instance.',
        remedy: 'Rename one of them.',
        at: document.place(['instances', index, 'name']),
        related: [{ at: document.place(['instances', other, 'name']), note: 'the other one' }],
      })
    }
    names.set(name, index)
    return [{ name, environment, inputs: filled(mapIn(instance, 'spec'), ['instances', index, 'spec']) }]
  })
  const pipeline = data['pipeline'] === undefined ? undefined : filled(mapIn(data, 'pipeline'), ['pipeline'])
  if (hasErrors(problems)) return { ok: false, problems }
  return { ok: true, value: { document, ...(pipeline === undefined ? {} : { pipeline }), instances }, problems }
}

const CURRENT = '${Proton::CURRENT_VAL}'

function withCurrent(
  document: Document,
  {
    value,
    path,
    current,
    problems,
  }: {
    readonly value: Data
    readonly path: Path
    readonly current: CurrentValue | undefined
    readonly problems: Problem[]
  },
): Data {
  const inside = (inner: Data, step: string | number): Data =>
    withCurrent(document, { value: inner, path: [...path, step], current, problems })
  if (isList(value)) return value.map(inside)
  if (isMap(value)) return mapOf(entriesOf(value).map(([key, inner]) => [key, inside(inner, key)]))
  if (value !== CURRENT) return value
  const known = current?.(path)
  if (known !== undefined) return known
  problems.push({
    code: 'proton-current-value',
    severity: 'error',
    message: `"${CURRENT}" stands for the value that is deployed, and that is not known here.`,
    expected: 'A value.',
    remedy: 'Write the value that is deployed now; `aws proton get-service-instance` showed it.',
    at: document.place(path),
  })
  return value
}

type Opened = { readonly document: Document | undefined; readonly data: DataMap; readonly problems: Problem[] }

function open(
  file: string,
  text: string,
  { dialect, schema, what }: { readonly dialect: Dialect; readonly schema: DataMap; readonly what: string },
): Opened {
  const read = readYaml(file, text, dialect)
  if (!read.ok) return { document: undefined, data: mapOf(), problems: [...read.problems] }
  const problems = [...read.problems, ...checkShape(read.value, schema, what)]
  return { document: read.value, data: isMap(read.value.data) ? read.value.data : mapOf(), problems }
}

function hasErrors(problems: readonly Problem[]): boolean {
  return problems.some(({ severity }) => severity === 'error')
}
