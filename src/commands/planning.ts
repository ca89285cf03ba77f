import { healthCheckOf } from '../core/health.ts'
import { ListenerRules } from '../core/listeners.ts'
import type { Unit } from '../core/organisation.ts'
import type { Waiver } from '../core/policy/waivers.ts'
import { endingSoon } from '../core/policy/waivers.ts'
import type { Checked, Place, Problem } from '../core/problem.ts'
import type { Rendered } from '../core/rendering.ts'
import { policyFacts, renderChecked, renderedDigest, stackOf } from '../core/rendering.ts'
import { Crossings } from '../core/rendering/crossing.ts'
import type { Outputs } from '../core/rendering/known.ts'
import { isManaged, Kept, knownOf, managedOutputs, neededBy } from '../core/rendering/known.ts'
import { resourcesOf } from '../core/stack/template.ts'
import type { StackPreview } from '../ports.ts'
import type { Compared, Purpose } from './looking.ts'
import { planStack } from './looking.ts'
import { Slots } from './slots.ts'
import type { Stacks } from './stacks.ts'

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
