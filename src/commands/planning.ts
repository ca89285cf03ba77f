import type { Ports } from '../command.ts'
import { digest } from '../core/canonical.ts'
import type { DataMap, Path } from '../core/data.ts'
import { mapOf } from '../core/data.ts'
import type { Unit } from '../core/organisation.ts'
import type { PlannedUnit, StackContent } from '../core/plan.ts'
import { verdictOf } from '../core/plan.ts'
import { checkPolicy } from '../core/policy.ts'
import type { Checked, Place, Problem } from '../core/problem.ts'
import { Refused } from '../core/problem.ts'
import type { RenderedStack } from '../core/render.ts'
import { componentContext, environmentContext, instanceContext, pipelineContext, renderStack } from '../core/render.ts'
import { checkLimits } from '../core/stack/limits.ts'
import { predictOutputs } from '../core/stack/plan.ts'
import type { Provisioner, StackPreview, StackState, WantedStack } from '../ports.ts'

/** What an environment gives to the instances in it. */
type Outputs = { readonly values: Readonly<Record<string, string>>; readonly predicted: boolean }

/** A unit, rendered and checked, with the stack that it shall be. */
export type Rendered = {
  readonly unit: Unit
  readonly part: RenderedStack
  readonly wanted: WantedStack
  /** What its stack would give out if it was made now. */
  readonly outputs: Readonly<Record<string, string>>
}

/** The provisioner of a unit's environment; asked for once a name. */
export type Stacks = (unit: Unit) => Promise<Provisioner>

export function stacksOf(
  ports: Ports,
  options: { readonly folder: string; readonly fail?: readonly string[] },
): Stacks {
  const known = new Map<string, Promise<Provisioner>>()
  return async ({ environment: { provisioner: name } }) => {
    const provisioner = known.get(name) ?? ports.provisioner({ name, folder: options.folder, fail: options.fail ?? [] })
    known.set(name, provisioner)
    return provisioner
  }
}

/** Renders a unit as its template sees it. */
function renderUnit(
  unit: Unit,
  { environmentOutputs }: { readonly environmentOutputs: Readonly<Record<string, string>> },
): Checked<RenderedStack> {
  const { bundle } = unit
  const part = bundle.parts.find(({ name }) => name === partNames[unit.kind])
  if (part === undefined) throw new Error(`${unit.id} has no part to render`)
  return renderStack(bundle, part, contextOf(unit, mapOf(Object.entries(environmentOutputs))), (reference) => {
    const name = /^(?:environment|service_instance|pipeline)\.inputs\.([^.[]+)/u.exec(reference)?.[1]
    return name === undefined || !Object.hasOwn(unit.inputs, name)
      ? undefined
      : { at: unit.inputPlace(name), note: 'its value comes from here' }
  })
}

const partNames = {
  environment: 'infrastructure',
  instance: 'instance_infrastructure',
  pipeline: 'pipeline_infrastructure',
  component: 'component',
} as const satisfies Record<Unit['kind'], string>

function contextOf(unit: Unit, outputs: DataMap): DataMap {
  const { environment, stage, service, inputs } = unit
  const home = { name: environment.name, account: environment.account, outputs }
  const name = stage?.name ?? environment.name
  const facts = { name: service?.service ?? '' }
  switch (unit.kind) {
    case 'environment':
      return environmentContext({ name: environment.name, inputs })
    case 'instance':
      return instanceContext(facts, { name, inputs, environment: home })
    case 'pipeline':
      return pipelineContext(facts, { inputs, instances: [] })
    case 'component':
      return componentContext({ name: unit.id, environment: home, service: facts.name })
  }
}

/** Renders a unit and checks what came out: its structure and references, CloudFormation's limits, the rules of the organisation. */
export function renderChecked(unit: Unit, environmentOutputs: Readonly<Record<string, string>>): Checked<Rendered> {
  const rendered = renderUnit(unit, { environmentOutputs })
  if (!rendered.ok) return rendered
  const part = rendered.value
  const wanted = wantedOf(unit, part)
  const at = (path: Path): Place => part.document.place(path)
  const limits = checkLimits(part.body, at)
  // A template with mistakes in its form would be told about them a second time by its evaluation.
  const broken = limits.some(({ severity }) => severity === 'error')
  const outputs: Checked<Readonly<Record<string, string>>> = broken
    ? { ok: false, problems: [] }
    : predictOutputs(wanted, { at })
  const production = unit.stage?.production ?? false
  const found = [...limits, ...outputs.problems, ...checkPolicy(part.body, at, { production })]
  const problems = [...rendered.problems, ...found.map((each) => part.trace(each))]
  if (!outputs.ok || problems.some(({ severity }) => severity === 'error')) return { ok: false, problems }
  return { ok: true, value: { unit, part, wanted, outputs: outputs.value }, problems }
}

/** Renders and checks all units as if nothing was deployed: what an environment will give out is predicted from its rendering. */
export function renderAll(units: readonly Unit[]): {
  readonly rendered: readonly Rendered[]
  readonly problems: readonly Problem[]
} {
  const outputs = new Map<string, Readonly<Record<string, string>>>()
  const rendered: Rendered[] = []
  const problems: Problem[] = []
  for (const unit of units) {
    const home = unit.kind === 'environment' ? {} : outputs.get(unit.environment.name)
    // An environment that cannot be rendered has been reported; what lives in it cannot be judged.
    if (home === undefined) continue
    const one = renderChecked(unit, home)
    problems.push(...one.problems)
    if (!one.ok) continue
    rendered.push(one.value)
    if (unit.kind === 'environment') outputs.set(unit.environment.name, one.value.outputs)
  }
  return { rendered, problems }
}

/** Few and stable tags: one that changed would touch every resource of the stack. */
function wantedOf(unit: Unit, part: RenderedStack): WantedStack {
  const { environment, service, stage, bundle } = unit
  return {
    stack: { name: unit.stack, account: environment.account, region: environment.region },
    body: part.body,
    parameters: {},
    tags: {
      'protium:unit': unit.id,
      'protium:template': bundle.template,
      ...(service !== undefined && { 'protium:service': service.service }),
      ...(stage !== undefined && { 'protium:stage': stage.name }),
    },
  }
}

/** A unit with its plan, and what was rendered for it. */
export type Planned = Rendered & {
  readonly planned: PlannedUnit
  readonly preview: StackPreview
  readonly state: StackState
}

/**
 * Plans units in their order, environments before what lives in them. Changes nothing. All problems are collected; a stack
 * that is busy, or stuck in a way that no deployment mends, is refused.
 */
export async function planUnits(units: readonly Unit[], stacks: Stacks): Promise<Checked<readonly Planned[]>> {
  const outputs = new Map<string, Outputs>()
  const all: Planned[] = []
  const problems: Problem[] = []
  for (const unit of units) {
    const home = unit.kind === 'environment' ? { values: {}, predicted: false } : outputs.get(unit.environment.name)
    if (home === undefined) continue
    const rendered = renderChecked(unit, home.values)
    problems.push(...rendered.problems)
    if (!rendered.ok) continue
    const planned = await planOne(rendered.value, { stacks, predicted: home.predicted })
    all.push(planned)
    if (unit.kind === 'environment') outputs.set(unit.environment.name, outputsOf(planned))
  }
  return problems.some(({ severity }) => severity === 'error')
    ? { ok: false, problems }
    : { ok: true, value: all, problems }
}

/** Plans one unit against the live state of its stack. */
export async function planOne(
  rendered: Rendered,
  { stacks, predicted }: { readonly stacks: Stacks; readonly predicted: boolean },
): Promise<Planned> {
  const { unit, part, wanted } = rendered
  const provisioner = await stacks(unit)
  const state = await provisioner.state(wanted.stack)
  if (state.is === 'busy') {
    throw new Refused('stack-busy', `The stack ${wanted.stack.name} is busy (${state.status}).`, {
      remedy: 'Wait until that run has ended, then run this again.',
    })
  }
  const preview = await provisioner.preview(wanted)
  const { changes, wants, against } = preview
  const planned: PlannedUnit = {
    unit: unit.id,
    ...(unit.stage !== undefined && { stage: unit.stage.name }),
    stack: wanted.stack,
    template: `${unit.bundle.template}@${unit.bundle.version}`,
    verdict: verdictOf(contentOf(state), wanted, changes),
    changes,
    rendered: digest(part.text),
    wants,
    against,
    predicted,
  }
  return { ...rendered, planned, preview, state }
}

/** What is live; nothing where a stack has yet to be made, and something unlike everything where an update was cut short. */
function contentOf(state: StackState): StackContent | undefined {
  if (state.is === 'settled') return state
  const unmade = state.is !== 'stuck' || state.status.startsWith('CREATE_') || state.status.startsWith('ROLLBACK_')
  return unmade ? undefined : { body: mapOf(), parameters: {}, tags: {} }
}

/** What a planned environment gives out: what it does now; where it is new or about to change, what is predicted besides. */
function outputsOf({ planned, state, outputs }: Planned): Outputs {
  const live = state.is === 'settled' ? state.outputs : {}
  if (planned.verdict === 'nothing') return { values: live, predicted: false }
  return { values: { ...outputs, ...live }, predicted: true }
}
