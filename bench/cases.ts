import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { readTree } from '../src/adapters/disk.ts'
import { renderAll } from '../src/core/rendering.ts'
import { type Bundle, type Part, readBundleFolder } from '../src/core/bundle.ts'
import { type Data, type DataMap, Float, isList, isMap, mapOf } from '../src/core/data.ts'
import { noComponents } from '../src/core/jinja/index.ts'
import { readOrganisation } from '../src/core/organisation.ts'
import { environmentContext, type InstanceFacts, instanceContext, pipelineContext } from '../src/core/render.ts'
import { checkInputs, type InputSchema, inputsAt } from '../src/core/schema.ts'
import { mapIn, textIn } from '../src/core/shape.ts'
import { readProtonEnvironmentSpec, readProtonServiceSpec } from '../src/core/spec.ts'
import { type Document, readJson } from '../src/core/yaml.ts'
import { makeFleet } from './fleet.ts'

/** A template with the contexts that it is rendered with. `contexts` is JSON, in which `2.0` stays a float. */
export type Case = { readonly name: string; readonly file: string; readonly source: string; readonly contexts: string }

const several = 12

/** The sample organisation's templates, with its environments and with twelve instances of each template of services. */
export async function sampleCases(folder: string): Promise<readonly Case[]> {
  await makeFleet(folder, 40)
  const { tree } = await readTree(folder)
  const read = readOrganisation(tree, () => undefined)
  if (!read.ok) throw new Error(JSON.stringify(read.problems))
  const { units } = read.value
  const outputs = new Map(
    renderAll(units.filter(({ kind }) => kind === 'environment')).rendered.map((each) => [
      each.unit.environment.name,
      each.outputs,
    ]),
  )
  const found = new Map<Bundle, DataMap[]>()
  for (const { kind, environment, stage, service, bundle, inputs } of units) {
    const contexts = found.get(bundle) ?? []
    found.set(bundle, contexts)
    if (contexts.length === several) continue
    const home = {
      name: environment.name,
      account: environment.account,
      outputs: mapOf(Object.entries(outputs.get(environment.name) ?? {})),
    }
    contexts.push(
      kind === 'environment'
        ? environmentContext({ name: environment.name, inputs })
        : instanceContext({ name: service?.service ?? '' }, { name: stage?.name ?? '', inputs, environment: home }),
    )
  }
  return [...found].flatMap(([bundle, contexts]) =>
    bundle.parts.map((part) => caseOf(bundle.template, { bundle, part, contexts })),
  )
}

/** AWS's sample bundles, each with the spec that lies beside it under twelve names; nothing where they are not there. */
export async function bundleCases(folder: string): Promise<readonly Case[]> {
  if (!existsSync(folder)) return []
  const names = readdirSync(folder).filter((name) => existsSync(join(folder, name, 'spec.yaml')))
  const cases = await Promise.all(names.map(async (name) => casesOfBundle(folder, name)))
  return cases.flat()
}

async function casesOfBundle(root: string, template: string): Promise<readonly Case[]> {
  const folder = join(root, template)
  const { tree } = await readTree(join(folder, 'v1'))
  const bundle = sure(readBundleFolder(tree, { template, root: 'v1' }))
  const file = join(folder, 'spec.yaml')
  const text = readFileSync(file, 'utf8')
  const context = sure(readJson('context.json', readFileSync(join(folder, 'context.json'), 'utf8'))).data
  const known = isMap(context) ? context : mapOf()
  const facts = mapIn(known, 'environment')
  const environment = {
    name: textIn(facts, 'name') ?? '',
    account: textIn(facts, 'account_id') ?? '',
    outputs: mapIn(facts, 'outputs') ?? mapOf(),
  }
  const numbers = Array.from({ length: several }, (_, index) => index)
  if (bundle.kind === 'environment') {
    const spec = sure(readProtonEnvironmentSpec(file, text))
    const inputs = filled(bundle.schema.environment, spec.inputs, spec.document)
    const contexts = numbers.map((index) => environmentContext({ name: `${environment.name}-${index}`, inputs }))
    return bundle.parts.map((part) => caseOf(template, { bundle, part, contexts }))
  }
  const spec = sure(readProtonServiceSpec(file, text))
  const service = {
    name: template,
    branch: 'main',
    repository: 'acme/app',
    connection: 'arn:aws:codestar:::connection',
  }
  const instances = spec.instances.map(({ name, inputs }): InstanceFacts => ({
    name,
    environment,
    outputs: mapIn(known, 'instance_outputs') ?? mapOf(),
    inputs: filled(bundle.schema.service, inputs, spec.document),
  }))
  const pipeline = filled(bundle.schema.pipeline, spec.pipeline ?? mapOf(), spec.document)
  return bundle.parts.map((part) => {
    const contexts = numbers.flatMap((index) => {
      const named = { ...service, name: `${service.name}-${index}` }
      const instance = instances[index % instances.length]
      if (part.name === 'pipeline_infrastructure') return [pipelineContext(named, { inputs: pipeline, instances })]
      return instance === undefined ? [] : [instanceContext(named, instance)]
    })
    const suffix = part.name === 'pipeline_infrastructure' ? ' (pipeline)' : ''
    return caseOf(`${template}${suffix}`, { bundle, part, contexts })
  })
}

function filled(schema: InputSchema | undefined, inputs: DataMap, document: Document): DataMap {
  return schema === undefined ? inputs : sure(checkInputs(schema, inputs, inputsAt(document, [])))
}

function sure<T>(
  checked: { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problems: unknown },
): T {
  if (checked.ok) return checked.value
  throw new Error(JSON.stringify(checked.problems))
}

function caseOf(
  name: string,
  { bundle, part, contexts }: { readonly bundle: Bundle; readonly part: Part; readonly contexts: readonly DataMap[] },
): Case {
  const file = part.file ?? ''
  return { name, file, source: bundle.files.get(file) ?? '', contexts: jsonOf(contexts) }
}

/** JSON for every engine: floats keep their fraction, and an absent component has outputs without entries. */
function jsonOf(data: Data): string {
  if (data === noComponents) return '{"default":{"outputs":{}}}'
  if (data instanceof Float) return Number.isInteger(data.value) ? data.value.toFixed(1) : String(data.value)
  if (typeof data === 'bigint') return String(data)
  if (isList(data)) return `[${data.map(jsonOf).join(',')}]`
  if (!isMap(data)) return JSON.stringify(data)
  return `{${Object.entries(data)
    .map(([key, value]) => `${JSON.stringify(key)}:${jsonOf(value)}`)
    .join(',')}}`
}
