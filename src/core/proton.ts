import type { Bundle, Part } from './bundle.ts'
import { type DataMap, isMap, mapOf, type Path } from './data.ts'
import type { ReferencePlace } from './explanation.ts'
import { checkPath } from './paths.ts'
import type { Checked, Problem } from './problem.ts'
import {
  componentContext,
  type EnvironmentFacts,
  environmentContext,
  type InstanceFacts,
  instanceContext,
  pipelineContext,
  type RenderedText,
  renderText,
  type ServiceFacts,
} from './render.ts'
import { checkInputs, type InputSchema, inputsAt } from './schema.ts'
import { dataAt, mapIn, textIn } from './shape.ts'
import { readProtonEnvironmentSpec, readProtonServiceSpec } from './spec.ts'
import type { FileTree } from './tree.ts'
import type { Document } from './yaml.ts'

/**
 * Renders a bundle of AWS Proton with a spec of AWS Proton, as Proton did: every instance of the spec, and the pipeline.
 *
 * `context` has what a platform knows besides: `environment` (`name`, `account_id`, `outputs`), `service` (`name`,
 * `branch_name`, `repository_id`, `repository_connection_arn`), `instance_outputs` of the deployed instances as the
 * pipeline sees them, `components.default` for the attached component, `component.name` for a bundle that is one.
 * The result has a file for each part that was rendered: `<environment or instance>/<part>/<file>`, `pipeline/<part>/<file>`.
 * All problems come together; with one error there is no result.
 */
export function renderProtonBundle(
  bundle: Bundle,
  given: { readonly spec?: { readonly file: string; readonly text: string }; readonly context: DataMap },
): Checked<FileTree> {
  const rendered = renderProtonTexts(bundle, given)
  if (!rendered.ok) return rendered
  return { ...rendered, value: new Map([...rendered.value].map(([path, { text }]) => [path, text])) }
}

/** The same, with what explains each line. */
export function renderProtonTexts(
  bundle: Bundle,
  given: { readonly spec?: { readonly file: string; readonly text: string }; readonly context: DataMap },
): Checked<ReadonlyMap<string, RenderedText>> {
  const { context } = given
  if (bundle.kind === 'component') return renderComponent(bundle, context)
  if (given.spec === undefined) return { ok: false, problems: [noSpec(bundle)] }
  const { file, text } = given.spec
  return bundle.kind === 'environment'
    ? renderEnvironment(bundle, { file, text, context })
    : renderService(bundle, { file, text, context })
}

type Texts = Checked<ReadonlyMap<string, RenderedText>>

type Given = { readonly file: string; readonly text: string; readonly context: DataMap }

function renderEnvironment(bundle: Bundle, { file, text, context }: Given): Texts {
  const spec = readProtonEnvironmentSpec(file, text)
  if (!spec.ok) return spec
  const output = collector(spec.problems)
  const { name } = environmentFacts(context)
  const written = { document: spec.value.document, path: ['spec'] }
  const schema = bundle.schema.environment
  const inputs = output.take(checked(schema, spec.value.inputs, written))
  const whereFrom = specPlace('environment', { ...written, schema })
  for (const part of eachFile(bundle)) {
    if (inputs === undefined) continue
    output.write(name, renderText(bundle, part, environmentContext({ name, inputs }), whereFrom))
  }
  return output.result()
}

function renderService(bundle: Bundle, { file, text, context }: Given): Texts {
  const spec = readProtonServiceSpec(file, text)
  if (!spec.ok) return spec
  const { document } = spec.value
  const output = collector(spec.problems)
  const environment = environmentFacts(context)
  const service = serviceFacts(context)
  const component = mapIn(mapIn(context, 'components'), 'default')
  const outputs = mapIn(context, 'instance_outputs') ?? mapOf()
  const instances: InstanceFacts[] = []
  for (const [index, { name, inputs: written }] of spec.value.instances.entries()) {
    const inputs = output.take(
      checked(bundle.schema.service, written, { document, path: ['instances', index, 'spec'] }),
    )
    if (inputs !== undefined)
      instances.push({ name, inputs, environment, outputs, ...(component === undefined ? {} : { component }) })
  }
  const pipeline = bundle.parts.some(({ name }) => name === 'pipeline_infrastructure')
    ? output.take(checked(bundle.schema.pipeline, spec.value.pipeline ?? mapOf(), { document, path: ['pipeline'] }))
    : undefined
  const complete = instances.length === spec.value.instances.length
  for (const part of eachFile(bundle)) {
    if (part.name === 'instance_infrastructure') {
      for (const [index, instance] of instances.entries()) {
        const path = ['instances', index, 'spec']
        const whereFrom = specPlace('service_instance', { document, path, schema: bundle.schema.service })
        output.write(instance.name, renderText(bundle, part, instanceContext(service, instance), whereFrom))
      }
    } else if (pipeline !== undefined && complete) {
      const whereFrom = specPlace('pipeline', { document, path: ['pipeline'], schema: bundle.schema.pipeline })
      const seen = pipelineContext(service, { inputs: pipeline, instances })
      output.write('pipeline', renderText(bundle, part, seen, whereFrom))
    }
  }
  return output.result()
}

function renderComponent(bundle: Bundle, context: DataMap): Texts {
  const output = collector([])
  const name = textIn(mapIn(context, 'component'), 'name') ?? bundle.template
  const service = textIn(mapIn(context, 'service'), 'name')
  const instance = mapIn(context, 'service_instance')
  const seen = componentContext({
    name,
    environment: environmentFacts(context),
    ...(service === undefined ? {} : { service }),
    ...(instance === undefined
      ? {}
      : { instance: { name: textIn(instance, 'name') ?? '', inputs: mapIn(instance, 'inputs') ?? mapOf() } }),
  })
  for (const part of eachFile(bundle)) output.write(name, renderText(bundle, part, seen))
  return output.result()
}

/** Where an input of a spec was written, or its default. */
function specPlace(
  namespace: string,
  {
    document,
    path,
    schema,
  }: { readonly document: Document; readonly path: Path; readonly schema: InputSchema | undefined },
): ReferencePlace {
  return (reference) => {
    const [of, kind, name = ''] = reference.split(/[.[]/)
    if (of !== namespace || kind !== 'inputs' || name === '') return undefined
    if (dataAt(document.data, [...path, name]) !== undefined) {
      return { at: document.place([...path, name]), note: 'written here' }
    }
    const at = schema?.inputs.get(name)?.defaultAt
    return at === undefined ? undefined : { at, note: "the schema's default" }
  }
}

function noSpec(bundle: Bundle): Problem {
  return {
    code: 'missing-file',
    severity: 'error',
    message: `A bundle of the kind "${bundle.kind}" is rendered with a spec, and none was given.`,
    expected: `A file with \`proton: ${bundle.kind === 'environment' ? 'EnvironmentSpec' : 'ServiceSpec'}\`.`,
    remedy: 'Name it with `--spec FILE`.',
  }
}

/** The inputs with the defaults in. A bundle without a schema of this kind takes none. */
function checked(
  schema: InputSchema | undefined,
  inputs: DataMap,
  { document, path }: { readonly document: Document; readonly path: readonly (string | number)[] },
): Checked<DataMap> {
  if (schema === undefined) return { ok: true, value: inputs, problems: [] }
  return checkInputs(schema, inputs, inputsAt(document, path))
}

function environmentFacts(context: DataMap): EnvironmentFacts {
  const environment = mapIn(context, 'environment')
  return {
    name: textIn(environment, 'name') ?? 'environment',
    account: textIn(environment, 'account_id') ?? '',
    outputs: mapIn(environment, 'outputs') ?? mapOf(),
  }
}

function serviceFacts(context: DataMap): ServiceFacts {
  const service = mapIn(context, 'service')
  return {
    name: textIn(service, 'name') ?? 'service',
    branch: textIn(service, 'branch_name') ?? '',
    repository: textIn(service, 'repository_id') ?? '',
    connection: textIn(service, 'repository_connection_arn') ?? '',
  }
}

/** The parts of a bundle with one file each. */
function eachFile({ parts }: Bundle): readonly Part[] {
  return parts.flatMap(({ others = [], ...part }) => [part, ...others.map((file) => ({ ...part, file }))])
}

/** Gathers what was rendered and every problem on the way. */
function collector(first: readonly Problem[]) {
  const problems: Problem[] = [...first]
  const files = new Map<string, RenderedText>()
  const take = <T>(one: Checked<T>): T | undefined => {
    problems.push(...one.problems)
    return one.ok ? one.value : undefined
  }
  return {
    take,
    write(unit: string, rendered: ReturnType<typeof renderText>): void {
      const value = take(rendered)
      const path = value === undefined ? undefined : take(checkPath(`${unit}/${value.part.file ?? ''}`))
      if (value !== undefined && path !== undefined) files.set(path, value)
    },
    result(): Texts {
      // A template that two instances fail in the same way is one thing to mend.
      const once = [...new Map(problems.map((problem) => [JSON.stringify(problem), problem])).values()]
      const failed = once.some(({ severity }) => severity === 'error')
      return failed ? { ok: false, problems: once } : { ok: true, value: files, problems: once }
    },
  }
}

/** The top level of a JSON file with what is known besides: a map, or a Problem. */
export function readContext(document: Document): Checked<DataMap> {
  if (isMap(document.data)) return { ok: true, value: document.data, problems: [] }
  return {
    ok: false,
    problems: [
      {
        code: 'context-shape',
        severity: 'error',
        message: 'The context is not a map.',
        expected: 'A JSON object such as { "environment": { "name": "dev" } }.',
        remedy: 'Write the names that the template uses as keys of one object.',
        at: { file: document.file, line: 1, column: 1 },
      },
    ],
  }
}
