import type { Ports, ProvisionerOptions } from '../command.ts'
import { canonicalJson, digest } from '../core/canonical.ts'
import type { Environment } from '../core/catalog.ts'
import type { Data, Path } from '../core/data.ts'
import { mapOf } from '../core/data.ts'
import { ListenerRules } from '../core/listeners.ts'
import type { Unit } from '../core/organisation.ts'
import { placesInOthers } from '../core/origins.ts'
import type { PlannedUnit, StackContent } from '../core/plan.ts'
import { verdictOf } from '../core/plan.ts'
import { checkPolicy } from '../core/policy.ts'
import type { Checked, Place, Problem } from '../core/problem.ts'
import { Refused } from '../core/problem.ts'
import type { Known, RenderedStack } from '../core/render.ts'
import { renderUnit } from '../core/render.ts'
import { checkLimits } from '../core/stack/limits.ts'
import { predictOutputs } from '../core/stack/plan.ts'
import type { Provisioner, StackId, StackPreview, StackState, WantedStack } from '../ports.ts'

/** A unit, rendered and checked, with the stack that it shall be. */
export type Rendered = {
  readonly unit: Unit
  readonly part: RenderedStack
  readonly wanted: WantedStack
  /** What its stack would give out if it was made now. */
  readonly outputs: Readonly<Record<string, string>>
}

/** The provisioner of a unit's environment; asked for once for all that are alike. */
export type Stacks = (unit: Unit) => Promise<Provisioner>

export function stacksOf(
  ports: Ports,
  options: { readonly folder: string; readonly fail?: readonly string[] },
): Stacks {
  const known = new Map<string, Promise<Provisioner>>()
  return async ({ environment }) => {
    const wanted = provisionerOptions(environment, options)
    const id = JSON.stringify(wanted)
    const provisioner = known.get(id) ?? ports.provisioner(wanted)
    known.set(id, provisioner)
    return provisioner
  }
}

/** What a door needs to know to hand out the provisioner of an environment. */
export function provisionerOptions(
  { provisioner: name, credentials, templateBucket }: Environment,
  { folder, fail = [] }: { readonly folder: string; readonly fail?: readonly string[] },
): ProvisionerOptions {
  return {
    name,
    folder,
    fail,
    ...(credentials !== undefined && { credentials }),
    ...(templateBucket !== undefined && { templateBucket }),
  }
}

/** What the stack of a unit gives out. */
type Outputs = { readonly values: Readonly<Record<string, string>>; readonly predicted: boolean }

/** By the ids of units. */
export type Given = ReadonlyMap<string, Outputs>

/** The units whose outputs a unit is rendered with: its environment, its component, the instances that a pipeline serves. */
function neededBy(unit: Unit, units: readonly Unit[]): readonly Unit[] {
  if (unit.kind === 'environment') return []
  const { environments, services } = neighboursOf(units)
  const siblings = services.get(unit.service?.service ?? '') ?? []
  const needed = siblings.filter((other) =>
    unit.kind === 'pipeline'
      ? other.kind === 'instance'
      : unit.kind === 'instance' && other.kind === 'component' && other.stage?.name === unit.stage?.name,
  )
  const served = needed.filter(({ kind }) => kind === 'instance')
  const homes = new Set([unit, ...served].map(({ environment }) => environment.name))
  return [...environments.filter(({ environment }) => homes.has(environment.name)), ...needed]
}

type Neighbours = {
  readonly environments: readonly Unit[]
  /** The other units by their service. */
  readonly services: ReadonlyMap<string, readonly Unit[]>
}

const neighbours = new WeakMap<readonly Unit[], Neighbours>()

/** Units by what ties them together; found once for each list of units, so that the work grows with the units alone. */
function neighboursOf(units: readonly Unit[]): Neighbours {
  const known = neighbours.get(units)
  if (known !== undefined) return known
  const others = units.filter(({ kind }) => kind !== 'environment')
  const found = {
    environments: units.filter(({ kind }) => kind === 'environment'),
    services: Map.groupBy(others, ({ service }) => service?.service ?? ''),
  }
  neighbours.set(units, found)
  return found
}

/** What is known of the others when a unit is rendered; nothing if one of them could not be rendered itself. */
function knownOf(
  unit: Unit,
  { units, given }: { readonly units: readonly Unit[]; readonly given: Given },
): { readonly known: Known; readonly predicted: boolean } | undefined {
  const needed = neededBy(unit, units)
  if (needed.some(({ id }) => !given.has(id))) return undefined
  const valuesOf = (of: Unit | undefined): Readonly<Record<string, string>> => given.get(of?.id ?? '')?.values ?? {}
  const homeOf = ({ environment }: Unit): Unit | undefined =>
    needed.find((other) => other.kind === 'environment' && other.environment.name === environment.name)
  const component = unit.kind === 'instance' ? needed.find(({ kind }) => kind === 'component') : undefined
  const instances = needed.filter(({ kind }) => unit.kind === 'pipeline' && kind === 'instance')
  return {
    known: {
      environmentOutputs: valuesOf(homeOf(unit)),
      ...(component !== undefined && { component: { name: component.bundle.template, outputs: valuesOf(component) } }),
      instances: instances.map((instance) => ({
        name: instance.stage?.name ?? '',
        inputs: instance.inputs,
        environment: {
          name: instance.environment.name,
          account: instance.environment.account,
          outputs: mapOf(Object.entries(valuesOf(homeOf(instance)))),
        },
        outputs: mapOf(Object.entries(valuesOf(instance))),
      })),
    },
    predicted: needed.some(({ id }) => given.get(id)?.predicted === true),
  }
}

/**
 * An environment that the customer manages has no stack: the values of its inputs are its outputs.
 * https://docs.aws.amazon.com/proton/latest/userguide/template-bundles.html
 */
function isManaged({ kind, bundle }: Unit): boolean {
  return kind === 'environment' && bundle.parts.length === 0
}

function managedOutputs({ inputs }: Unit): Outputs {
  const text = (value: Data): string => (typeof value === 'string' ? value : canonicalJson(value))
  return {
    values: Object.fromEntries(Object.entries(inputs).map(([name, value]) => [name, text(value)])),
    predicted: false,
  }
}

/** Renders a unit and checks what came out: its structure and references, CloudFormation's limits, the rules of the organisation. */
function renderChecked(unit: Unit, known: Known): Checked<Rendered> {
  const rendered = renderUnit(unit, known)
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

/**
 * What is kept of the units that went before, for those that build on them: what they give out, and their renderings. A
 * rendering is large, so it is kept only as long as somebody may ask for it: that of an environment always, those of a
 * service until the next service.
 */
class Kept {
  readonly given = new Map<string, Outputs>()
  readonly #units: readonly Unit[]
  readonly #environments = new Map<string, Rendered>()
  readonly #siblings = new Map<string, Rendered>()
  #service: string | undefined

  constructor(units: readonly Unit[]) {
    this.#units = units
  }

  /** What a unit is rendered with; nothing for one that is not rendered, or that builds on what could not be. */
  known(unit: Unit): { readonly known: Known; readonly predicted: boolean } | undefined {
    if (isManaged(unit)) this.given.set(unit.id, managedOutputs(unit))
    if (unit.service?.service !== this.#service) {
      for (const id of this.#siblings.keys()) this.given.delete(id)
      this.#siblings.clear()
    }
    this.#service = unit.service?.service
    const all = isManaged(unit) ? undefined : knownOf(unit, { units: this.#units, given: this.given })
    if (all === undefined) return undefined
    const [environments, siblings] = [this.#environments, new Map(this.#siblings)]
    const rendered = (id: string): Rendered | undefined => environments.get(id) ?? siblings.get(id)
    const from = placesInOthers(unit, { units: this.#units, rendered })
    return { ...all, known: { ...all.known, from } }
  }

  add(rendered: Rendered, outputs: Outputs): void {
    const { unit } = rendered
    const shelf = unit.kind === 'environment' ? this.#environments : this.#siblings
    shelf.set(unit.id, rendered)
    this.given.set(unit.id, outputs)
  }
}

/**
 * Renders and checks units one by one as if nothing was deployed: what an environment will give out is predicted from its
 * rendering. Who needs no rendering after it was looked at holds one at a time, however many units there are.
 */
export function* renderEach(units: readonly Unit[]): Generator<Checked<Rendered>, void, void> {
  const kept = new Kept(units)
  const rules = new ListenerRules()
  for (const unit of units) {
    // What cannot be rendered has been reported; what builds on it cannot be judged.
    const all = kept.known(unit)
    if (all === undefined) continue
    const one = renderChecked(unit, all.known)
    if (one.ok) kept.add(one.value, { values: one.value.outputs, predicted: true })
    const taken = one.ok ? rules.claim(unit, one.value.part) : []
    yield taken.length === 0 ? one : { ok: false, problems: [...one.problems, ...taken] }
  }
}

/** Renders and checks all units as `renderEach` does, and keeps the renderings. */
export function renderAll(units: readonly Unit[]): {
  readonly rendered: readonly Rendered[]
  readonly problems: readonly Problem[]
} {
  const all = [...renderEach(units)]
  return {
    rendered: all.flatMap((one) => (one.ok ? [one.value] : [])),
    problems: all.flatMap(({ problems }) => problems),
  }
}

export function stackOf({ stack, environment }: Unit): StackId {
  return { name: stack, account: environment.account, region: environment.region }
}

function wantedOf(unit: Unit, part: RenderedStack): WantedStack {
  const { service, stage, bundle } = unit
  const names = { unit: unit.id, template: bundle.template, service: service?.service, stage: stage?.name }
  return { stack: stackOf(unit), body: part.body, parameters: {}, tags: tagsOf(names), options: unit.options }
}

/** Few and stable tags: one that changed would touch every resource of the stack. */
export function tagsOf({
  unit,
  template,
  service,
  stage,
}: {
  readonly unit: string
  readonly template: string
  readonly service: string | undefined
  readonly stage: string | undefined
}): Readonly<Record<string, string>> {
  return {
    'protium:unit': unit,
    'protium:template': template,
    ...(service !== undefined && { 'protium:service': service }),
    ...(stage !== undefined && { 'protium:stage': stage }),
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
  return planUnitsAs(units, { stacks, take: (planned) => planned })
}

/** The same, with what `take` keeps of each unit: for a large plan, less than the whole of it. */
export async function planUnitsAs<T>(
  units: readonly Unit[],
  { stacks, take }: { readonly stacks: Stacks; readonly take: (planned: Planned) => T },
): Promise<Checked<readonly T[]>> {
  const kept = new Kept(units)
  const rules = new ListenerRules()
  const all: T[] = []
  const problems: Problem[] = []
  for (const unit of units) {
    const known = kept.known(unit)
    if (known === undefined) continue
    const rendered = renderChecked(unit, known.known)
    problems.push(...rendered.problems)
    if (!rendered.ok) continue
    problems.push(...rules.claim(unit, rendered.value.part))
    const planned = await planOne(rendered.value, { stacks, predicted: known.predicted })
    all.push(take(planned))
    kept.add(planned, outputsOf(planned))
  }
  return problems.some(({ severity }) => severity === 'error')
    ? { ok: false, problems }
    : { ok: true, value: all, problems }
}

/** Plans a unit once more, with what the units that it builds on give out at this moment; nothing if one of them is not deployed. */
export async function replan(
  planned: Planned,
  { units, stacks }: { readonly units: readonly Unit[]; readonly stacks: Stacks },
): Promise<Checked<Planned> | undefined> {
  const { unit } = planned
  const given = new Map<string, Outputs>()
  for (const other of neededBy(unit, units)) {
    if (isManaged(other)) given.set(other.id, managedOutputs(other))
    else {
      const state = await (await stacks(other)).state(stackOf(other))
      if (state.is === 'settled') given.set(other.id, { values: state.outputs, predicted: false })
    }
  }
  const known = knownOf(unit, { units, given })
  if (known === undefined) return undefined
  const rendered = renderChecked(unit, known.known)
  if (!rendered.ok) return rendered
  return { ok: true, value: await planOne(rendered.value, { stacks, predicted: false }), problems: rendered.problems }
}

/** Plans one unit against the live state of its stack. */
async function planOne(
  rendered: Rendered,
  { stacks, predicted }: { readonly stacks: Stacks; readonly predicted: boolean },
): Promise<Planned> {
  const { unit, part, wanted } = rendered
  const facts = {
    unit: unit.id,
    ...(unit.stage !== undefined && { stage: unit.stage.name }),
    template: `${unit.bundle.template}@${unit.bundle.version}`,
    rendered: digest(part.text),
    predicted,
  }
  return { ...rendered, ...(await planStack(await stacks(unit), { wanted, facts })) }
}

/** Compares one stack with what it shall be; a stack that is busy is refused. */
export async function planStack(
  provisioner: Provisioner,
  {
    wanted,
    facts,
  }: {
    readonly wanted: WantedStack
    readonly facts: Pick<PlannedUnit, 'unit' | 'stage' | 'template' | 'rendered' | 'predicted'>
  },
): Promise<Pick<Planned, 'planned' | 'preview' | 'state'>> {
  const state = await provisioner.state(wanted.stack)
  if (state.is === 'busy') {
    throw new Refused('stack-busy', `The stack ${wanted.stack.name} is busy (${state.status}).`, {
      remedy: 'Wait until that run has ended, then run this again.',
    })
  }
  const preview = await provisioner.preview(wanted)
  const { changes, wants, against } = preview
  const verdict = verdictOf(contentOf(state), wanted, changes)
  return { planned: { ...facts, stack: wanted.stack, verdict, changes, wants, against }, preview, state }
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
