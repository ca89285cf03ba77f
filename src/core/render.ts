import type { Bundle, Part } from './bundle.ts'
import { type DataMap, isMap, mapOf, type Path } from './data.ts'
import { explainLine, type Explanation, type ReferencePlace } from './explanation.ts'
import { parseTemplate, renderTemplate, Spans, type Template } from './jinja/index.ts'
import { noComponents } from './jinja/values.ts'
import type { Unit } from './organisation.ts'
import type { Checked, Place, Problem } from './problem.ts'
import { withKeptIds } from './render/kept.ts'
import { mergedBody, mergedDocument } from './render/merged.ts'
import { fillParameters } from './render/parameters.ts'
import { type Document, readRendered } from './yaml.ts'

/**
 * A bundle and what is known become text, and the text becomes a CloudFormation template.
 *
 * What a template sees are the namespaces that AWS Proton gave it, no more and no less: an instance never sees the inputs
 * of its environment, an environment never sees outputs. `context…` below build them.
 * https://docs.aws.amazon.com/proton/latest/userguide/parameters.html
 */

/** What an instance, a pipeline or a component sees of an environment. Outputs are text, as CloudFormation gives them. */
export type EnvironmentFacts = { readonly name: string; readonly account: string; readonly outputs: DataMap }

/** The repository's part is empty where Protium has no repository to name, as in Proton without a pipeline. */
export type ServiceFacts = {
  readonly name: string
  readonly branch?: string
  readonly repository?: string
  readonly connection?: string
}

export type InstanceFacts = {
  readonly name: string
  readonly inputs: DataMap
  readonly environment: EnvironmentFacts
  /** The outputs of the deployed instance, for its pipeline; nothing before the first deployment. */
  readonly outputs?: DataMap
  /** The component that is attached: its name and its outputs. */
  readonly component?: DataMap
}

export function environmentContext(environment: { readonly name: string; readonly inputs: DataMap }): DataMap {
  return mapOf([
    [
      'environment',
      mapOf([
        ['name', environment.name],
        ['inputs', environment.inputs],
      ]),
    ],
  ])
}

export function instanceContext(service: ServiceFacts, instance: InstanceFacts): DataMap {
  const environment = environmentMap(instance.environment)
  const components = instance.component === undefined ? noComponents : mapOf([['default', instance.component]])
  return mapOf([
    ['environment', environment],
    ['service', serviceMap(service)],
    [
      'service_instance',
      mapOf([
        ['name', instance.name],
        ['inputs', instance.inputs],
        ['components', components],
        // Two pages of Proton's guide still name it, from the days of its preview.
        ['environment', environment],
      ]),
    ],
  ])
}

export function pipelineContext(
  service: ServiceFacts,
  pipeline: { readonly inputs: DataMap; readonly instances: readonly InstanceFacts[] },
): DataMap {
  return mapOf([
    ['service', serviceMap(service)],
    ['pipeline', mapOf([['inputs', pipeline.inputs]])],
    [
      'service_instances',
      pipeline.instances.map((instance) =>
        mapOf([
          ['name', instance.name],
          ['inputs', instance.inputs],
          ['outputs', instance.outputs ?? mapOf()],
          ['environment', environmentMap(instance.environment)],
        ]),
      ),
    ],
  ])
}

/** A component sees the instance that it is attached to, if there is one. */
export function componentContext(component: {
  readonly name: string
  readonly environment: EnvironmentFacts
  readonly service?: string
  readonly instance?: { readonly name: string; readonly inputs: DataMap }
}): DataMap {
  const { instance, service } = component
  return mapOf([
    ['component', mapOf([['name', component.name]])],
    ['environment', environmentMap(component.environment)],
    ...(service === undefined ? [] : [['service', mapOf([['name', service]])] as const]),
    ...(instance === undefined
      ? []
      : [
          [
            'service_instance',
            mapOf([
              ['name', instance.name],
              ['inputs', instance.inputs],
            ]),
          ] as const,
        ]),
  ])
}

function environmentMap(environment: EnvironmentFacts): DataMap {
  return mapOf([
    ['name', environment.name],
    ['account_id', environment.account],
    ['outputs', environment.outputs],
  ])
}

function serviceMap(service: ServiceFacts): DataMap {
  return mapOf([
    ['name', service.name],
    ['branch_name', service.branch ?? ''],
    ['repository_id', service.repository ?? ''],
    ['repository_connection_arn', service.connection ?? ''],
  ])
}

/** The text of one part of a unit, as its template gives it. */
export type RenderedText = {
  readonly part: Part
  readonly text: string
  /** Where the text came from. Renders once more when it is first asked, this time keeping account. */
  readonly spans: () => Spans
  /** Why a line is as it is; nothing outside of the text. */
  readonly explain: (at: { readonly line: number; readonly column?: number }) => Explanation | undefined
}

/** A rendered part that is CloudFormation: its text, and what the text says. */
export type RenderedStack = RenderedText & {
  /** Places are in the rendered text, whose file name is the template's. */
  readonly document: Document
  readonly body: DataMap
  /** What its Parameters get; only a template that is not rendered has any but their defaults. */
  readonly parameters: Readonly<Record<string, string>>
  /**
   * A Problem of the rendered text at the place that it came from: the line of the template, with the rendered line and
   * the inputs that took part as related places.
   */
  readonly trace: (problem: Problem) => Problem
  /** The place in the template that wrote a key of the body. */
  readonly origin: (path: Path) => Place | undefined
  /** Ids of the text, with those that the body has in their place; nothing where the two are the same. */
  readonly kept?: ReadonlyMap<string, string>
}

/** Parsed once, however many instances use the bundle: a template is as immutable as the version that it belongs to. */
const parsed = new WeakMap<Bundle, Map<string, Checked<Template>>>()

/** The template of a part, parsed once a bundle. */
export function templateOf(bundle: Bundle, file: string): Checked<Template> {
  const known = parsed.get(bundle) ?? new Map<string, Checked<Template>>()
  parsed.set(bundle, known)
  const before = known.get(file)
  if (before !== undefined) return before
  const source = bundle.files.get(file) ?? ''
  const template = parseTemplate(pathIn(bundle, file), source, { files: bundle.files, root: bundle.root })
  known.set(file, template)
  return template
}

function pathIn(bundle: Bundle, file: string): string {
  return bundle.root === '' ? file : `${bundle.root}/${file}`
}

/** Renders the file of one part. Jinja is rendered, and a native template is taken as it is; a part of another engine is a Problem. */
export function renderText(
  bundle: Bundle,
  part: Part,
  context: DataMap,
  whereFrom: ReferencePlace = () => undefined,
): Checked<RenderedText> {
  if (part.engine === 'none' && part.file !== undefined)
    return { ok: true, value: asItIs(bundle, part, { context, whereFrom }), problems: [] }
  if (part.engine !== 'jinja' || part.file === undefined) return { ok: false, problems: [unsupported(bundle, part)] }
  const template = templateOf(bundle, part.file)
  if (!template.ok) return template
  const rendered = renderTemplate(template.value, context)
  if (!rendered.ok) return { ok: false, problems: [...template.problems, ...rendered.problems] }
  const { text } = rendered
  let kept: Spans | undefined
  const spans = (): Spans => {
    if (kept !== undefined) return kept
    const again = renderTemplate(template.value, context, { spans: true })
    // What was rendered once may meet a bound of place with the account to keep; then nothing is known of where it came from.
    kept = again.ok ? again.spans : undefined
    return (kept ??= new Spans(text, [], new Map()))
  }
  const explain: RenderedText['explain'] = (at) => explainLine({ text, spans: spans(), context, whereFrom }, at)
  return { ok: true, value: { part, text, spans, explain }, problems: template.problems }
}

/** A template that is not rendered: its text came from itself, line by line. */
function asItIs(
  bundle: Bundle,
  part: Part,
  { context, whereFrom }: { readonly context: DataMap; readonly whereFrom: ReferencePlace },
): RenderedText {
  const text = bundle.files.get(part.file ?? '') ?? ''
  let kept: Spans | undefined
  const spans = (): Spans => (kept ??= Spans.identity(pathIn(bundle, part.file ?? ''), text))
  return { part, text, spans, explain: (at) => explainLine({ text, spans: spans(), context, whereFrom }, at) }
}

function unsupported(bundle: Bundle, part: Part): Problem {
  return {
    code: 'engine-unsupported',
    severity: 'error',
    message: `"${bundle.template}" provisions its ${part.name} with the engine "${part.engine}", which this version of Protium reads and does not yet run.`,
    expected: 'A manifest with `rendering_engine: jinja` and `template_language: cloudformation`.',
    remedy: 'Keep the template in the catalog, and deploy it with its own tools until Protium runs this engine.',
    at: { file: pathIn(bundle, part.manifest), line: 1, column: 1 },
  }
}

/**
 * Renders one part and reads the result as CloudFormation. Problems of the rendered text are traced to the template. The text of
 * several templates is a YAML stream of them, in the order of the manifest.
 */
export function renderStack(
  bundle: Bundle,
  part: Part,
  context: DataMap,
  whereFrom: ReferencePlace = () => undefined,
): Checked<RenderedStack> {
  const { others = [], ...first } = part
  const pieces: RenderedStack[] = []
  const problems: Problem[] = []
  for (const file of [first.file, ...others]) {
    const piece = renderPiece(bundle, file === undefined ? first : { ...first, file }, { context, whereFrom })
    problems.push(...piece.problems)
    if (piece.ok) pieces.push(piece.value)
  }
  const [head, ...rest] = pieces
  if (head === undefined || rest.length < others.length) return { ok: false, problems }
  const merged =
    rest.length === 0 ? { value: head, problems: [] } : merge([head, ...rest], { part, context, whereFrom })
  problems.push(...merged.problems)
  if (merged.problems.length > 0) return { ok: false, problems }
  const stack = merged.value
  if (part.engine !== 'none') return { ok: true, value: stack, problems }
  const { document, body } = stack
  const filled = fillParameters({ bundle, part, document, body, context })
  if (filled.problems.length > 0) return { ok: false, problems: [...problems, ...filled.problems] }
  const { parameters, sources } = filled
  const trace = (problem: Problem): Problem => atInput(problem, { document, sources, whereFrom })
  return { ok: true, value: { ...stack, parameters, trace }, problems }
}

type Seen = { readonly context: DataMap; readonly whereFrom: ReferencePlace }

function renderPiece(bundle: Bundle, part: Part, { context, whereFrom }: Seen): Checked<RenderedStack> {
  const rendered = renderText(bundle, part, context, whereFrom)
  if (!rendered.ok) return rendered
  const { text, spans } = rendered.value
  const file = pathIn(bundle, part.file ?? '')
  const trace = (problem: Problem): Problem => (part.engine === 'none' ? problem : traced(problem, spans(), whereFrom))
  const read = readRendered(file, text)
  const problems = [...rendered.problems, ...read.problems.map(trace)]
  if (!read.ok) return { ok: false, problems }
  const document = read.value
  const body = document.data
  if (!isMap(body)) return { ok: false, problems: [...problems, notATemplate(file)] }
  const origin = (path: Path): Place | undefined => {
    const { line, column } = document.keyPlace(path)
    return spans().at(line, column)?.place
  }
  return { ok: true, value: { ...rendered.value, document, body, parameters: {}, trace, origin }, problems }
}

/** What stands between two templates of one stack. */
const between = '\n---\n'

function merge(
  pieces: readonly [RenderedStack, ...RenderedStack[]],
  { part, context, whereFrom }: Seen & { readonly part: Part },
): { readonly value: RenderedStack; readonly problems: readonly Problem[] } {
  const { body, problems } = mergedBody(pieces)
  const document = mergedDocument(pieces, body)
  const text = pieces.map((piece) => piece.text).join(between)
  let kept: Spans | undefined
  const spans = (): Spans =>
    (kept ??= Spans.joined(
      pieces.map((piece) => piece.spans()),
      between,
    ))
  const pieceAt = (file: string | undefined): RenderedStack =>
    pieces.find((piece) => piece.document.file === file) ?? pieces[0]
  return {
    value: {
      part,
      text,
      spans,
      explain: (at) => explainLine({ text, spans: spans(), context, whereFrom }, at),
      document,
      body,
      parameters: {},
      trace: (problem) => pieceAt(problem.at?.file).trace(problem),
      origin: (path) => pieceAt(document.keyPlace(path).file).origin(path),
    },
    problems: problems.map((problem) => pieceAt(problem.at?.file).trace(problem)),
  }
}

/** What other units give to this one: the outputs of their stacks. */
export type Known = {
  readonly environmentOutputs: Readonly<Record<string, string>>
  /** For an instance with a component: what the component is called and gives out. */
  readonly component?: { readonly name: string; readonly outputs: Readonly<Record<string, string>> }
  /** For a pipeline: the instances of its service, in the order of the stages. */
  readonly instances?: readonly InstanceFacts[]
  /** Where the outputs of other units come from. */
  readonly from?: ReferencePlace
}

/** A unit of the organisation, rendered. It is one stack. */
export type RenderedUnit = RenderedStack & { readonly unit: Unit }

/** Renders a unit with what is known of the others. A unit that has no such part (the customer manages it) is a Problem. */
export function renderUnit(unit: Unit, known: Known): Checked<RenderedUnit> {
  const part = unit.bundle.parts.find(({ name }) => name === partOf[unit.kind])
  if (part === undefined) return { ok: false, problems: [customerManaged(unit)] }
  const rendered = renderStack(
    unit.bundle,
    part,
    contextOfUnit(unit, known),
    (reference) => ownPlace(unit, reference) ?? known.from?.(reference),
  )
  if (!rendered.ok) return rendered
  const kept = withKeptIds({ ...rendered.value, unit }, unit)
  return { ...kept, problems: [...rendered.problems, ...kept.problems] }
}

/**
 * The text that a unit is rendered to, and nothing read of it: where it is the same as before, so is all that follows from it.
 * Nothing where it does not render, or is put together from more than this.
 */
export function renderUnitText(unit: Unit, known: Known): string | undefined {
  const part = unit.bundle.parts.find(({ name }) => name === partOf[unit.kind])
  if (part?.engine !== 'jinja' || (part.others ?? []).length > 0) return undefined
  const rendered = renderText(unit.bundle, part, contextOfUnit(unit, known))
  return rendered.ok ? rendered.value.text : undefined
}

const partOf = {
  environment: 'infrastructure',
  instance: 'instance_infrastructure',
  pipeline: 'pipeline_infrastructure',
  component: 'component',
} as const satisfies Record<Unit['kind'], Part['name']>

function contextOfUnit(unit: Unit, known: Known): DataMap {
  const { environment, inputs, service, stage } = unit
  const home = {
    name: environment.name,
    account: environment.account,
    outputs: mapOf(Object.entries(known.environmentOutputs)),
  }
  const name = service?.service ?? ''
  switch (unit.kind) {
    case 'environment':
      return environmentContext({ name: environment.name, inputs })
    case 'pipeline':
      return pipelineContext({ name }, { inputs, instances: known.instances ?? [] })
    case 'component':
      return componentContext({
        name: unit.bundle.template,
        environment: home,
        service: name,
        ...(stage === undefined ? {} : { instance: { name: stage.name, inputs } }),
      })
    case 'instance': {
      const { component } = known
      const attached =
        component === undefined
          ? {}
          : {
              component: mapOf([
                ['name', component.name],
                ['outputs', mapOf(Object.entries(component.outputs))],
              ]),
            }
      return instanceContext({ name }, { name: stage?.name ?? '', inputs, environment: home, ...attached })
    }
  }
}

/** Where a unit's own values were written: its names; an input for all stages, for one, or as the default of the schema. */
function ownPlace(unit: Unit, reference: string): ReturnType<ReferencePlace> {
  const { service, stage, environment } = unit
  if (reference === 'service.name' && service !== undefined) {
    return { at: service.spec.document.place(['service']), note: 'written here' }
  }
  if (reference === 'environment.name' || reference === 'environment.account_id') {
    const key = reference === 'environment.name' ? 'environment' : 'account'
    return { at: environment.document.place([key]), note: 'written here' }
  }
  const name = /^(?:environment|service_instance|pipeline)\.inputs\.(\w+)/.exec(reference)?.[1]
  if (name === undefined || !Object.hasOwn(unit.inputs, name)) return undefined
  const at = unit.inputPlace(name)
  const own = stage === undefined ? undefined : service?.spec.stages.get(stage.name)?.inputs
  if ([unit.bundle, service?.bundle].some((bundle) => bundle?.schema.file === at.file))
    return { at, note: "the schema's default" }
  const forStage = stage !== undefined && own !== undefined && Object.hasOwn(own, name)
  return { at, note: forStage ? `written for the stage ${stage.name}` : 'written here' }
}

function customerManaged(unit: Unit): Problem {
  return {
    code: 'nothing-to-render',
    severity: 'error',
    message: `The template ${unit.bundle.template} has nothing to provision for ${unit.id}: it only describes what somebody else manages.`,
    remedy: 'Use a template that has an infrastructure folder.',
    at: { file: unit.bundle.schema.file, line: 1, column: 1 },
  }
}

/** A value that a Parameter does not take is told of where it was written, and not only where it is declared. */
function atInput(
  problem: Problem,
  {
    document,
    sources,
    whereFrom,
  }: {
    readonly document: Document
    readonly sources: ReadonlyMap<string, string>
    readonly whereFrom: ReferencePlace
  },
): Problem {
  if (problem.code !== 'stack-parameter' || problem.at === undefined) return problem
  for (const [name, reference] of sources) {
    const declared = document.place(['Parameters', name])
    const written =
      declared.line === problem.at.line && declared.column === problem.at.column ? whereFrom(reference) : undefined
    if (written === undefined) continue
    const related = [{ at: declared, note: `the parameter ${name}` }, ...(problem.related ?? [])]
    return { ...problem, at: written.at, related }
  }
  return problem
}

function notATemplate(file: string): Problem {
  return {
    code: 'stack-section',
    severity: 'error',
    message: 'The template renders to something that is not a CloudFormation template.',
    expected: 'A map with the key `Resources`.',
    remedy: 'Render it with `protium render` and look at the text.',
    at: { file, line: 1, column: 1 },
  }
}

function traced(problem: Problem, spans: Spans, whereFrom: ReferencePlace): Problem {
  const { at } = problem
  if (at === undefined) return problem
  const origin = spans.at(at.line, at.column)
  if (origin === undefined) return problem
  const inputs = origin.references.flatMap((reference) => {
    const written = whereFrom(reference)
    return written === undefined ? [] : [{ at: written.at, note: `${reference}: ${written.note}` }]
  })
  const related = [
    ...(problem.related ?? []),
    ...inputs,
    ...origin.through.map(({ place, note }) => ({ at: place, note })),
  ]
  return {
    ...problem,
    message: `${problem.message} (line ${at.line} of the rendered text)`,
    at: origin.place,
    ...(related.length === 0 ? {} : { related }),
  }
}
