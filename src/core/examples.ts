import type { Bundle, Part } from './bundle.ts'
import { type Data, type DataMap, isList, isMap, mapOf } from './data.ts'
import type { ReferencePlace } from './explanation.ts'
import type { Policy } from './policy.ts'
import { judge, noPolicy, problemOf } from './policy.ts'
import type { Checked, Place, Problem } from './problem.ts'
import {
  type EnvironmentFacts,
  environmentContext,
  type InstanceFacts,
  instanceContext,
  pipelineContext,
  type RenderedStack,
  renderStack,
  type ServiceFacts,
} from './render.ts'
import { checkInputs, checkSecrets, type InputSchema, inputsAt } from './schema.ts'
import { mapIn, textIn } from './shape.ts'
import { isOfSkeleton, renderSkeleton } from './skeleton.ts'
import { checkLimits } from './stack/limits.ts'
import { predictOutputs } from './stack/plan.ts'
import type { FileTree } from './tree.ts'
import { type Document, readJson, readYaml } from './yaml.ts'

/**
 * The examples of a bundle: `examples/<name>/` with `inputs.yaml`, what surrounds them in `context.json`, and under
 * `expected/` what the bundle made of them when somebody last looked at it and found it good. They are the golden tests
 * of a template, and show its users what it does.
 *
 * `context.json` has what a template sees besides its inputs: `environment` (`name`, `account_id`, `outputs`),
 * `service` (`name` and the repository's part), `service_instance` (`name`, `components.default`), `pipeline.inputs`, and
 * `service_instances` where a pipeline shall see others than the example itself.
 */
export type Example = {
  readonly name: string
  readonly bundle: Bundle
  /** With the schema's defaults. */
  readonly inputs: DataMap
  readonly context: DataMap
  /** Relative to the folder `expected/`, as the parts name their files. */
  readonly expected: FileTree
  readonly places: Places
}

type Places = {
  readonly inputs: Document
  readonly context: Document | undefined
  readonly schema: InputSchema | undefined
}

/** Reads the examples of a bundle, in the order of their names. One that cannot be read is a Problem. */
export function readExamples(bundle: Bundle): {
  readonly examples: readonly Example[]
  readonly problems: readonly Problem[]
} {
  const names = new Set<string>()
  for (const path of bundle.files.keys()) {
    const name = /^examples\/([^/]+)\//.exec(path)?.[1]
    if (name !== undefined) names.add(name)
  }
  const examples: Example[] = []
  const problems: Problem[] = []
  for (const name of names) {
    const read = readExample(bundle, name)
    problems.push(...read.problems)
    if (read.ok) examples.push(read.value)
  }
  return { examples, problems }
}

function readExample(bundle: Bundle, name: string): Checked<Example> {
  const folder = `examples/${name}`
  const inRoot = (file: string): string => (bundle.root === '' ? file : `${bundle.root}/${file}`)
  const text = bundle.files.get(`${folder}/inputs.yaml`)
  if (text === undefined) {
    return {
      ok: false,
      problems: [
        {
          code: 'missing-file',
          severity: 'error',
          message: `The example "${name}" has no \`inputs.yaml\`.`,
          expected: 'The inputs of the example, each under its name; `{}` for none.',
          remedy: 'Add the file, or remove the folder.',
          at: { file: inRoot(`${folder}/inputs.yaml`), line: 1, column: 1 },
        },
      ],
    }
  }
  const document = readYaml(inRoot(`${folder}/inputs.yaml`), text, 'own')
  const around = bundle.files.get(`${folder}/context.json`)
  const context = around === undefined ? undefined : readJson(inRoot(`${folder}/context.json`), around)
  const problems = [...document.problems, ...(context?.problems ?? [])]
  if (!document.ok || context?.ok === false) return { ok: false, problems }
  const written = document.value.data ?? mapOf()
  const known = context?.value.data ?? mapOf()
  if (!isMap(written)) problems.push(notAMap(document.value.file, 'inputs'))
  if (!isMap(known)) problems.push(notAMap(context?.value.file ?? '', 'context'))
  if (!isMap(written) || !isMap(known)) return { ok: false, problems }
  const schema = bundle.kind === 'environment' ? bundle.schema.environment : bundle.schema.service
  const at = inputsAt(document.value, [], { file: document.value.file, line: 1, column: 1 })
  const inputs: Checked<DataMap> =
    schema === undefined ? { ok: true, value: written, problems: [] } : checkInputs(schema, written, at)
  problems.push(...(schema === undefined ? [] : checkSecrets(schema, written, at)), ...inputs.problems)
  if (!inputs.ok || problems.some(({ severity }) => severity === 'error')) return { ok: false, problems }
  const prefix = `${folder}/expected/`
  const expected = [...bundle.files].filter(([path]) => path.startsWith(prefix))
  return {
    ok: true,
    value: {
      name,
      bundle,
      inputs: inputs.value,
      context: known,
      expected: new Map(expected.map(([path, each]) => [path.slice(prefix.length), each])),
      places: { inputs: document.value, context: context?.value, schema },
    },
    problems,
  }
}

function notAMap(file: string, what: string): Problem {
  return {
    code: 'context-shape',
    severity: 'error',
    message: `The ${what} of the example are not a map.`,
    expected: 'Names with values.',
    remedy: 'Write each thing under its name.',
    at: { file, line: 1, column: 1 },
  }
}

export type ExampleJudging = {
  readonly production: boolean
  readonly stages?: readonly string[]
  readonly policy?: Policy
  /** What waivers end by. */
  readonly now?: Date
}

/**
 * Renders every part of an example's bundle and judges what comes out as a deployment would: CloudFormation's limits, its
 * references and functions, the rules of the organisation (`production` and `stages` as in the environment that the example
 * stands for; the rules of the catalog, if there is a `policy`, with the waivers for the template).
 * The result has the stacks by the files of `expected/`; with an error there is none.
 */
export function renderExample(example: Example, judging: ExampleJudging): Checked<ReadonlyMap<string, RenderedStack>> {
  const { template, kind } = example.bundle
  return renderParts(example, (stack) => judgeStack(stack, { template, isOwn: kind === 'component', ...judging }))
}

/** The same without a judgement: what comes of it, whether it may be deployed or not. */
export function renderUnjudged(example: Example): Checked<ReadonlyMap<string, RenderedStack>> {
  return renderParts(example, ({ body, document, parameters }) => {
    const wish = { stack: exampleStack, body, parameters, tags: {} }
    return predictOutputs(wish, { at: document.place.bind(document) })
  })
}

function renderParts(
  example: Example,
  judgeOne: (stack: RenderedStack) => Checked<Readonly<Record<string, string>>>,
): Checked<ReadonlyMap<string, RenderedStack>> {
  const { bundle } = example
  const stacks = new Map<string, RenderedStack>()
  const problems: Problem[] = []
  let outputs: Readonly<Record<string, string>> = {}
  for (const part of bundle.parts) {
    const context = contextOf(example, part, outputs)
    if (!context.ok) {
      problems.push(...context.problems)
      continue
    }
    const rendered = renderStack(bundle, part, context.value, referencePlace(example))
    problems.push(...rendered.problems)
    if (!rendered.ok) continue
    const stack = rendered.value
    const judged = judgeOne(stack)
    problems.push(...judged.problems.map((problem) => stack.trace(problem)))
    if (judged.ok && part.name === 'instance_infrastructure') outputs = judged.value
    stacks.set(part.file ?? '', stack)
  }
  return problems.some(({ severity }) => severity === 'error')
    ? { ok: false, problems }
    : { ok: true, value: stacks, problems }
}

/**
 * What an example's bundle gives to the repository of its service, by the files of `expected/`: below `skeleton/`. The inputs are
 * taken as those of all stages; `service.owner` is what the context says.
 */
export function renderExampleSkeleton({ bundle, inputs, context }: Example): Checked<FileTree> {
  const owner = textIn(mapIn(context, 'service'), 'owner')
  const values = { name: serviceFacts(context).name, ...(owner === undefined ? {} : { owner }), inputs }
  const skeleton = renderSkeleton(bundle, values)
  if (!skeleton.ok) return skeleton
  const files = [...skeleton.value.files].map(([path, text]) => [`skeleton/${path}`, text] as const)
  return { ok: true, value: new Map(files), problems: skeleton.problems }
}

/** What is wrong with the skeletons of bundles, found by rendering them for the examples; the same of two examples is told once. */
export function skeletonProblems(bundles: Iterable<Bundle>): readonly Problem[] {
  const found = new Map<string, Problem>()
  for (const bundle of bundles) {
    if (![...bundle.files.keys()].some(isOfSkeleton)) continue
    for (const example of readExamples(bundle).examples)
      for (const problem of renderExampleSkeleton(example).problems) {
        const { file, line } = problem.at ?? { file: '', line: 0 }
        found.set(`${file}:${line} ${problem.message}`, problem)
      }
  }
  return [...found.values()]
}

/** Problems of a rendered stack at their places in the rendered text, or what it would give out. */
function judgeStack(
  stack: RenderedStack,
  {
    template,
    isOwn,
    production,
    stages = [],
    policy: rules = noPolicy,
    now = new Date(0),
  }: ExampleJudging & { readonly template: string; readonly isOwn: boolean },
): Checked<Readonly<Record<string, string>>> {
  const at = stack.document.place.bind(stack.document)
  const limits = checkLimits(stack.body, at)
  const subject = { unit: 'example', template, isOwn, stages, production, stack: exampleStack }
  const found = judge(stack.body, { policy: rules, subject, now })
  const policy = found.flatMap((each) => problemOf(each, at(each.path)) ?? [])
  // A template with mistakes in its form would be told about them a second time by its evaluation.
  if (limits.some(({ severity }) => severity === 'error')) return { ok: false, problems: [...limits, ...policy] }
  const wish = { stack: exampleStack, body: stack.body, parameters: {}, tags: {} }
  const outputs = predictOutputs(wish, { at })
  return { ...outputs, problems: [...limits, ...outputs.problems, ...policy] }
}

const exampleStack = { name: 'example', account: '111111111111', region: 'us-east-1' } as const

function contextOf(example: Example, part: Part, outputs: Readonly<Record<string, string>>): Checked<DataMap> {
  const { context, inputs, bundle } = example
  const environment = environmentFacts(context)
  const service = serviceFacts(context)
  const instance: InstanceFacts = { ...instanceFacts(context, environment), inputs }
  switch (part.name) {
    case 'infrastructure':
      return { ok: true, value: environmentContext({ name: environment.name, inputs }), problems: [] }
    case 'instance_infrastructure':
      return { ok: true, value: instanceContext(service, instance), problems: [] }
    case 'pipeline_infrastructure': {
      const own = pipelineInputs(example, bundle.schema.pipeline)
      if (!own.ok) return own
      const given = context['service_instances']
      const instances = isList(given)
        ? given.filter(isMap).map((each) => instanceFacts(mapOf([['service_instance', each]]), environment, each))
        : [{ ...instance, outputs: mapOf(Object.entries(outputs)) }]
      return { ok: true, value: pipelineContext(service, { inputs: own.value, instances }), problems: [] }
    }
    case 'component':
      return { ok: true, value: context, problems: [] }
  }
}

function pipelineInputs({ context, places }: Example, schema: InputSchema | undefined): Checked<DataMap> {
  const written = mapIn(mapIn(context, 'pipeline'), 'inputs') ?? mapOf()
  if (schema === undefined) return { ok: true, value: written, problems: [] }
  return checkInputs(schema, written, inputsAt(places.context ?? places.inputs, ['pipeline', 'inputs']))
}

/** What the context says of an environment; its name is `example` where it says none. */
export function environmentFacts(context: DataMap): EnvironmentFacts {
  const environment = mapIn(context, 'environment')
  return {
    name: textIn(environment, 'name') ?? 'example',
    account: textIn(environment, 'account_id') ?? exampleStack.account,
    outputs: mapIn(environment, 'outputs') ?? mapOf(),
  }
}

function serviceFacts(context: DataMap): ServiceFacts {
  const service = mapIn(context, 'service')
  return {
    name: textIn(service, 'name') ?? 'example',
    branch: textIn(service, 'branch_name') ?? '',
    repository: textIn(service, 'repository_id') ?? '',
    connection: textIn(service, 'repository_connection_arn') ?? '',
  }
}

function instanceFacts(context: DataMap, home: EnvironmentFacts, around: DataMap = context): InstanceFacts {
  const instance = mapIn(context, 'service_instance')
  const component = mapIn(mapIn(instance, 'components'), 'default')
  const outputs = mapIn(instance, 'outputs')
  return {
    name: textIn(instance, 'name') ?? home.name,
    inputs: mapIn(instance, 'inputs') ?? mapOf(),
    environment: around === context ? home : { ...home, ...namedFacts(around) },
    ...(outputs === undefined ? {} : { outputs }),
    ...(component === undefined ? {} : { component }),
  }
}

function namedFacts(around: DataMap): Partial<EnvironmentFacts> {
  return mapIn(around, 'environment') === undefined ? {} : environmentFacts(around)
}

/** Where an example says what a reference means: a line of its inputs or its context, or the default in the schema. */
function referencePlace({ bundle, places, inputs }: Example): ReferencePlace {
  return (reference) => {
    const input = /^(?:environment|service_instance)\.inputs\.(\w+)/.exec(reference)?.[1]
    if (input !== undefined && Object.hasOwn(inputs, input)) {
      const written = isMap(places.inputs.data) && Object.hasOwn(places.inputs.data, input)
      if (written) return { at: places.inputs.place([input]), note: 'written here' }
      const at: Place | undefined = places.schema?.inputs.get(input)?.defaultAt
      return at === undefined ? undefined : { at, note: "the schema's default" }
    }
    const { context } = places
    const path = reference.split('.')
    if (context === undefined || bundle.kind === 'environment') return undefined
    return has(context.data, path) ? { at: context.place(path), note: 'what the example says' } : undefined
  }
}

function has(data: Data, path: readonly string[]): boolean {
  let at: Data | undefined = data
  for (const step of path) at = isMap(at) && Object.hasOwn(at, step) ? at[step] : undefined
  return at !== undefined
}

/** How one file of `expected/` stands to what was rendered. */
export type Comparison = { readonly file: string } & (
  | { readonly is: 'same' }
  | { readonly is: 'different'; readonly expected: string; readonly rendered: string }
  | { readonly is: 'missing'; readonly rendered: string }
  /** Nothing renders it any more. */
  | { readonly is: 'stray'; readonly expected: string }
)

/** Compares what was rendered with what is expected; files in their order, those that nothing renders last. */
export function compareExample(example: Example, rendered: FileTree): readonly Comparison[] {
  const own = [...rendered].map(([file, text]): Comparison => {
    const expected = example.expected.get(file)
    if (expected === undefined) return { file, is: 'missing', rendered: text }
    return expected === text ? { file, is: 'same' } : { file, is: 'different', expected, rendered: text }
  })
  const stray = [...example.expected].filter(([file]) => !rendered.has(file))
  return [...own, ...stray.map(([file, expected]): Comparison => ({ file, is: 'stray', expected }))]
}

/** Where a file of `expected/` lies, from the root of the catalog. */
export function expectedPath({ bundle, name }: Example, file: string): string {
  return `${bundle.root === '' ? '' : `${bundle.root}/`}examples/${name}/expected/${file}`
}
