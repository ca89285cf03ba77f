import { canonicalJson, digest } from '../core/canonical.ts'
import type { Data, Path } from '../core/data.ts'
import { mapOf } from '../core/data.ts'
import { checkWatched, healthCheckOf } from '../core/health.ts'
import { ListenerRules } from '../core/listeners.ts'
import type { Unit } from '../core/organisation.ts'
import { placesInOthers } from '../core/origins.ts'
import type { Judged, PolicyFact, Subject } from '../core/policy.ts'
import { factOf, holds, judge, problemOf } from '../core/policy.ts'
import type { Waiver } from '../core/policy/waivers.ts'
import { endingSoon } from '../core/policy/waivers.ts'
import type { Checked, Place, Problem } from '../core/problem.ts'
import type { Known, RenderedStack } from '../core/render.ts'
import { renderUnit } from '../core/render.ts'
import { checkLimits } from '../core/stack/limits.ts'
import { predictOutputs } from '../core/stack/plan.ts'
import { resourcesOf } from '../core/stack/template.ts'
import type { StackId, StackPreview, WantedStack } from '../ports.ts'
import { Crossings } from './crossing.ts'
import type { Compared, Purpose } from './looking.ts'
import { planStack } from './looking.ts'
import { Slots } from './slots.ts'
import type { Stacks } from './stacks.ts'

/** A unit, rendered and checked, with the stack that it shall be. */
export type Rendered = {
  readonly unit: Unit
  readonly part: RenderedStack
  readonly wanted: WantedStack
  /** What its stack would give out if it was made now. */
  readonly outputs: Readonly<Record<string, string>>
  /** What breaks a rule of the policy, with the waivers for it. */
  readonly judged: readonly Judged[]
}

/**
 * What renderings are judged by: the moment by which waivers end. What breaks a rule `stops` it, if nothing is said. Where it is
 * `gated`, that is no Problem here: who asks holds it by `policyFacts`. It `warns` alone where what ran before is gone back to.
 */
export type Judging = {
  readonly now: Date
  readonly policy?: 'stops' | 'gated' | 'warns'
  /** Told of each rendering that could be judged, also of one that is refused. */
  readonly tell?: (unit: Unit, judged: readonly Judged[]) => void
}

/** What the stack of a unit gives out. */
type Outputs = { readonly values: Readonly<Record<string, string>>; readonly predicted: boolean }

/** What the unit of an id gives out; nothing if that is not known. */
type Given = (id: string) => Outputs | undefined

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
  if (needed.some(({ id }) => given(id) === undefined)) return undefined
  const valuesOf = (of: Unit | undefined): Readonly<Record<string, string>> => given(of?.id ?? '')?.values ?? {}
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
    predicted: needed.some(({ id }) => given(id)?.predicted === true),
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
function renderChecked(unit: Unit, known: Known, judging?: Judging): Checked<Rendered> {
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
  const judged = judging === undefined ? [] : judgedBy(judging, { unit, part, wanted })
  const left = judging?.policy === 'gated' ? holds : (): boolean => false
  const told = judged.filter((each) => !left(each)).flatMap((each) => problemOf(each, at(each.path)) ?? [])
  const found = [...limits, ...outputs.problems, ...told]
  const problems = [...rendered.problems, ...found.map((each) => part.trace(each)), ...unwatched(unit, part)]
  if (!outputs.ok || problems.some(({ severity }) => severity === 'error')) return { ok: false, problems }
  return { ok: true, value: { unit, part, wanted, outputs: outputs.value, judged }, problems }
}

function judgedBy(
  { now, policy, tell }: Judging,
  { unit, part, wanted }: Omit<Rendered, 'outputs' | 'judged'>,
): readonly Judged[] {
  const judged = judge(part.body, { policy: unit.policy, subject: subjectOf(unit, wanted), now })
  tell?.(unit, judged)
  return policy === 'warns' ? judged.map((each) => ({ ...each, severity: 'warning' })) : judged
}

/** Whose rendering a policy judges. What a service adds by a component of its own does not excuse itself. */
export function subjectOf(
  { id, kind, service, bundle, stage, serves }: Unit,
  { parameters, stack }: Pick<WantedStack, 'parameters' | 'stack'>,
): Subject {
  return {
    unit: id,
    ...(service !== undefined && { service: service.service }),
    template: bundle.template,
    stages: serves,
    production: stage?.production ?? false,
    isOwn: kind === 'component',
    parameters,
    stack,
  }
}

/** What breaks a rule of the policy, as plans hold it: at the lines of the template. */
export function policyFacts({ part, judged }: Pick<Rendered, 'part' | 'judged'>): readonly PolicyFact[] {
  return judged.map((each) => factOf(each, part.origin(each.path)))
}

/** A mistake of the service's file, which shows only in what its template makes. */
function unwatched(unit: Unit, { body }: RenderedStack): readonly Problem[] {
  const { spec } = unit.service ?? {}
  if (spec === undefined) return []
  const own = spec.stages.get(unit.stage?.name ?? '')?.health
  const at = spec.document.place(own === undefined ? ['health'] : ['stages', unit.stage?.name ?? '', 'health'])
  return checkWatched(healthCheckOf(unit), { body, unit: unit.id, at })
}

/**
 * What is kept of the units that went before, for those that build on them: what they give out, and their renderings. A
 * rendering is large, so it is kept only as long as somebody may ask for it: that of an environment always, those of a
 * service until the next service.
 */
class Kept {
  readonly #units: readonly Unit[]
  readonly #environments = new Map<string, Shelved>()
  // A new map for each service: one that is cleared still leads from what it held to what it holds, so that in a large
  // organisation each quick collection of garbage would find all of it alive.
  #siblings = new Map<string, Shelved>()
  #service: string | undefined
  #builtOn: ReadonlySet<string> | undefined

  constructor(units: readonly Unit[]) {
    this.#units = units
  }

  /** The same for other units, with what is known of the environments. */
  among(units: readonly Unit[]): Kept {
    const other = new Kept(units)
    for (const [id, shelved] of this.#environments) other.#environments.set(id, shelved)
    return other
  }

  /** The units that a unit builds on, of those that there are. */
  needed(unit: Unit): readonly Unit[] {
    return neededBy(unit, this.#units)
  }

  /** Whether one of these units is rendered with what a unit gives out. */
  isBuiltOn({ id }: Unit): boolean {
    this.#builtOn ??= new Set(this.#units.flatMap((unit) => this.needed(unit)).map((needed) => needed.id))
    return this.#builtOn.has(id)
  }

  /** What a unit is rendered with; nothing for one that is not rendered, or that builds on what could not be. */
  known(unit: Unit): { readonly known: Known; readonly predicted: boolean } | undefined {
    if (isManaged(unit)) this.#environments.set(unit.id, { rendered: undefined, outputs: managedOutputs(unit) })
    if (unit.service?.service !== this.#service) this.#siblings = new Map()
    this.#service = unit.service?.service
    const [environments, siblings] = [this.#environments, this.#siblings]
    const shelved = (id: string): Shelved | undefined => environments.get(id) ?? siblings.get(id)
    const all = isManaged(unit) ? undefined : knownOf(unit, { units: this.#units, given: (id) => shelved(id)?.outputs })
    if (all === undefined) return undefined
    const from = placesInOthers(unit, { units: this.#units, rendered: (id) => shelved(id)?.rendered })
    return { ...all, known: { ...all.known, from } }
  }

  add(rendered: Rendered, outputs: Outputs): void {
    const { unit } = rendered
    if (unit.kind === 'environment') this.#environments.set(unit.id, { rendered, outputs })
    // What comes after the next service has begun is asked for by nobody, and would be held by all that follow.
    else if (unit.service?.service === this.#service) this.#siblings.set(unit.id, { rendered, outputs })
  }
}

type Shelved = { readonly rendered: Rendered | undefined; readonly outputs: Outputs }

/**
 * Renders and checks units one by one as if nothing was deployed: what an environment will give out is predicted from its
 * rendering. Who needs no rendering after it was looked at holds one at a time, however many units there are.
 */
export function* renderEach(units: readonly Unit[], judging?: Judging): Generator<Checked<Rendered>, void, void> {
  const kept = new Kept(units)
  const rules = new ListenerRules()
  const crossings = new Crossings()
  for (const unit of units) {
    // What cannot be rendered has been reported; what builds on it cannot be judged.
    const all = kept.known(unit)
    if (all === undefined) continue
    const one = renderChecked(unit, all.known, judging)
    if (one.ok) kept.add(one.value, { values: one.value.outputs, predicted: true })
    const taken = one.ok ? rules.claim(unit, one.value.part) : []
    if (one.ok) crossings.add(one.value)
    yield taken.length === 0 ? one : { ok: false, problems: [...one.problems, ...taken] }
  }
  const circles = crossings.problems()
  if (circles.length > 0) yield { ok: false, problems: circles }
}

/** Renders and checks all units as `renderEach` does, and keeps the renderings. */
export function renderAll(
  units: readonly Unit[],
  judging?: Judging,
): {
  readonly rendered: readonly Rendered[]
  readonly problems: readonly Problem[]
} {
  const all = [...renderEach(units, judging)]
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
  return {
    stack: stackOf(unit),
    body: part.body,
    parameters: part.parameters,
    tags: tagsOf(names),
    options: unit.options,
  }
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
export type Planned = Rendered & Compared

/**
 * Plans units in their order, environments before what lives in them. Changes nothing. All problems are collected; a stack
 * that is busy, or stuck in a way that no deployment mends, is refused.
 */
export async function planUnits(units: readonly Unit[], stacks: Stacks): Promise<Checked<readonly Planned[]>> {
  return planUnitsAs(units, { stacks, take: (planned) => planned })
}

/**
 * The same, with what `take` keeps of each unit: for a large plan, less than the whole of it. Units are rendered one after the other, as soon as what
 * they build on is known; their stacks are looked at side by side.
 */
export async function planUnitsAs<T>(
  units: readonly Unit[],
  {
    stacks,
    take,
    readers = () => [],
  }: {
    readonly stacks: Stacks
    readonly take: (planned: Planned) => T
    /** What is planned besides where the outputs of an environment change; it is in the result if it changes too. */
    readonly readers?: (environment: Unit) => readonly Unit[]
  },
): Promise<Checked<readonly T[]>> {
  const problems: Problem[] = []
  const rules = new ListenerRules()
  const idle = new IdleAcknowledgements()
  const crossings = new Crossings()
  const waivers = new Set<Waiver>()
  const slots = new Slots()
  const changed: Unit[] = []
  let hasFailed = false
  const pass = async (some: readonly Unit[], kept: Kept, isBrought: boolean): Promise<readonly T[]> => {
    const looks = new Map<string, Promise<{ readonly taken: T } | undefined>>()
    for (const unit of some) {
      await Promise.allSettled(kept.needed(unit).flatMap(({ id }) => looks.get(id) ?? []))
      if (hasFailed) break
      const known = kept.known(unit)
      if (known === undefined) continue
      const rendered = renderChecked(unit, known.known, stacks)
      problems.push(...rendered.problems)
      if (rendered.ok) for (const { waiver } of rendered.value.judged) if (waiver !== undefined) waivers.add(waiver)
      if (!rendered.ok) continue
      problems.push(...rules.claim(unit, rendered.value.part))
      crossings.add(rendered.value)
      const { predicted } = known
      const release = await slots.take(unit.environment)
      const look = async (): Promise<{ readonly taken: T } | undefined> => {
        try {
          const isRead = readers(unit).length > 0 || kept.isBuiltOn(unit)
          const last = stacks.for === 'plan' || isRead ? undefined : await lastWanted(rendered.value, stacks)
          const planned = await planOne(rendered.value, { stacks, predicted, purpose: stacks.for, last })
          kept.add(planned, outputsOf(planned))
          idle.add(unit, planned.idle)
          if (unit.kind === 'environment' && changedOutputs(planned.preview).size > 0) changed.push(unit)
          return isBrought && planned.planned.verdict === 'nothing' ? undefined : { taken: take(planned) }
        } finally {
          release()
        }
      }
      const begun = look()
      begun.catch(() => (hasFailed = true))
      looks.set(unit.id, begun)
    }
    // All end, so that nothing goes on behind the back of who is told.
    await Promise.allSettled(looks.values())
    const found = await Promise.all(looks.values())
    return found.flatMap((one) => (one === undefined ? [] : [one.taken]))
  }
  const kept = new Kept(units)
  const found = [...(await pass(units, kept, false))]
  const brought = units.filter((unit) => changed.includes(unit)).flatMap(readers)
  if (brought.length > 0) found.push(...(await pass(brought, kept.among([...units, ...brought]), true)))
  problems.push(...idle.problems(), ...crossings.problems(), ...endingSoon(waivers, stacks.now))
  return problems.some(({ severity }) => severity === 'error')
    ? { ok: false, problems }
    : { ok: true, value: found, problems }
}

/** Plans a unit once more, with what the units that it builds on give out at this moment; nothing if one of them is not deployed. */
export async function replan(
  { unit }: Planned,
  options: { readonly units: readonly Unit[]; readonly stacks: Stacks },
): Promise<Checked<Planned> | undefined> {
  return planAlone(unit, { ...options, purpose: 'turn' })
}

/** Plans one unit and no other, with what those of `units` that it builds on give out now; nothing if one of them is not deployed. */
export async function planAlone(
  unit: Unit,
  { units, stacks, purpose }: { readonly units: readonly Unit[]; readonly stacks: Stacks; readonly purpose: Purpose },
): Promise<Checked<Planned> | undefined> {
  const given = new Map<string, Outputs>()
  for (const other of neededBy(unit, units)) {
    const outputs = await deployedOutputs(other, stacks)
    if (outputs !== undefined) given.set(other.id, outputs)
  }
  const known = knownOf(unit, { units, given: (id) => given.get(id) })
  if (known === undefined) return undefined
  // The gates have been judged; what is known now may break a rule that it did not break then.
  const policy = stacks.policy === 'warns' ? 'warns' : 'stops'
  const rendered = renderChecked(unit, known.known, { now: stacks.now, policy })
  if (!rendered.ok) return rendered
  const value = await planOne(rendered.value, { stacks, predicted: false, purpose })
  return { ok: true, value, problems: rendered.problems }
}

/** What a unit gives out at this moment; nothing where it is not deployed. */
async function deployedOutputs(unit: Unit, stacks: Stacks): Promise<Outputs | undefined> {
  if (isManaged(unit)) return managedOutputs(unit)
  // Its outputs alone are asked for.
  const state = await (await stacks.of(unit)).state(stackOf(unit), { expects: 'change' })
  return state.is === 'settled' ? { values: state.outputs, predicted: false } : undefined
}

/** Units as they render with what is deployed now; where nothing is, with what is predicted. */
export async function renderDeployed(units: readonly Unit[], stacks: Stacks): Promise<readonly Rendered[]> {
  const kept = new Kept(units)
  const all: Rendered[] = []
  for (const unit of units) {
    const known = kept.known(unit)
    const rendered = known === undefined ? undefined : renderChecked(unit, known.known)
    if (rendered?.ok !== true) continue
    const predicted = { values: rendered.value.outputs, predicted: true }
    kept.add(rendered.value, (await deployedOutputs(unit, stacks)) ?? predicted)
    all.push(rendered.value)
  }
  return all
}

/** The digest of what was rendered: two stages with the same one run the same thing. */
export function renderedDigest({ part, wanted: { parameters } }: Pick<Rendered, 'part' | 'wanted'>): string {
  const given = Object.entries(parameters)
  return digest(given.length === 0 ? part.text : [part.text, mapOf(given)])
}

/** Plans one unit against the live state of its stack. */
async function planOne(
  rendered: Rendered,
  {
    stacks,
    predicted,
    purpose,
    last,
  }: {
    readonly stacks: Stacks
    readonly predicted: boolean
    readonly purpose: Purpose
    readonly last?: string | undefined
  },
): Promise<Planned> {
  const { unit, wanted } = rendered
  const { terms, signal, told } = stacks
  const facts = {
    unit: unit.id,
    ...(unit.stage !== undefined && { stage: unit.stage.name }),
    template: `${unit.bundle.template}@${unit.bundle.version}`,
    rendered: renderedDigest(rendered),
    predicted,
    ...(rendered.judged.length > 0 && { policy: policyFacts(rendered) }),
  }
  const acknowledged = [...unit.acknowledged.keys(), ...(terms.acknowledged.get(unit.id) ?? [])]
  const compared = await planStack(await stacks.of(unit), {
    wanted,
    facts,
    purpose,
    ownership: terms.ownerOf(unit),
    guard: { ...terms.guard, acknowledged },
    last,
    signal,
    told,
  })
  return { ...rendered, ...compared }
}

/**
 * What the last deployment of a unit wanted, if of the template that is deployed only has to be known whether it is the same. It
 * is what one goes back to where the unit is not healthy, and by comparing the two it is seen that a policy is to be
 * another. (One that was taken away and not seen keeps what it kept.)
 */
async function lastWanted({ unit, wanted }: Rendered, stacks: Stacks): Promise<string | undefined> {
  if (healthCheckOf(unit) !== undefined) return undefined
  const isKept = [...resourcesOf(wanted.body).values()].some(
    ({ deletionPolicy, updateReplacePolicy }) => deletionPolicy !== 'Delete' || updateReplacePolicy !== 'Delete',
  )
  return isKept ? undefined : stacks.last(unit)
}

/**
 * What a planned environment gives out: what it does now, and what is predicted of what is new or would be another. What would
 * be no more is left out, so that who reads it is told of that.
 */
function outputsOf({ planned, preview, state, outputs }: Planned): Outputs {
  const live = state.is === 'settled' ? state.outputs : {}
  if (planned.verdict === 'nothing') return { values: live, predicted: false }
  const changed = changedOutputs(preview)
  const known = Object.entries(live).filter(([name]) => !changed.has(name))
  return { values: { ...outputs, ...Object.fromEntries(known) }, predicted: true }
}

/** The names of outputs that would be others. */
export function changedOutputs({ outputs = [] }: Pick<StackPreview, 'outputs'>): ReadonlySet<string> {
  return new Set(outputs.map(({ path }) => /^(?:Outputs\.)?([^.]+)/u.exec(path)?.[1] ?? path))
}

/** What is acknowledged and lets nothing through: one line may stand for several units, and is idle if it is so in all. */
class IdleAcknowledgements {
  readonly #lines = new Map<string, { readonly at: Place; readonly logicalId: string; isIdle: boolean }>()

  add({ acknowledged }: Unit, idle: readonly string[]): void {
    for (const [logicalId, at] of acknowledged) {
      const key = `${at.file}:${at.line}:${at.column}`
      const line = this.#lines.get(key) ?? { at, logicalId, isIdle: true }
      this.#lines.set(key, line)
      line.isIdle &&= idle.includes(logicalId)
    }
  }

  problems(): Problem[] {
    return [...this.#lines.values()]
      .filter(({ isIdle }) => isIdle)
      .map(({ at, logicalId }) => ({
        code: 'acknowledged-nothing',
        severity: 'warning',
        message: `${logicalId} is acknowledged, and nothing of it would be lost.`,
        remedy: `Take ${logicalId} out again, so that it does not let a later loss through.`,
        at,
      }))
  }
}
