import { compareText } from '../canonical.ts'
import { mapOf } from '../data.ts'
import { guard, type GuardSettings, isRevision } from '../guard.ts'
import type { PolicyFact } from '../policy.ts'
import type { ProblemCode } from '../problem-codes.ts'
import type { Checked, Problem } from '../problem.ts'
import { type Change, changedProperty, type ChangedProperty, differences } from '../stack/diff.ts'
import { planStack, type Resources, type StackPlan } from '../stack/plan.ts'
import type { StackWish } from '../stack/template.ts'
import { type ConsumerRendering, type ConsumerUnit, type Impact, impactWords, type ImpactWord } from './model.ts'
import type { Loss, StageImpact } from './model.ts'

/**
 * What becomes of a consumer that goes from one rendering to another. Where both are the same, that is known by their digests.
 * Otherwise the list is that of a plan against a stack that was made of the one before; the real stacks are asked by nobody.
 */
export function impactOf({
  before,
  after,
  guard: settings = {},
}: {
  readonly before: Checked<ConsumerRendering>
  readonly after: Checked<ConsumerRendering>
  /** What the catalog says of the types that hold data. */
  readonly guard?: GuardSettings
}): Impact {
  if (!before.ok) return { is: 'unknown', stages: [], problems: before.problems.filter(isError) }
  if (!after.ok) {
    const problems = after.problems.filter(isError)
    const asks = problems.some(({ code }) => inputCodes.has(code))
    return { is: asks ? 'needs-input' : 'does-not-render', stages: [], problems }
  }
  const known = new Map(before.value.units.map((unit) => [unit.unit, unit]))
  const problems: Problem[] = []
  const stages: StageImpact[] = []
  for (const unit of after.value.units) {
    const compared = compareUnit(known.get(unit.unit), unit, settings)
    known.delete(unit.unit)
    if (compared.ok) stages.push(compared.value)
    else problems.push(...compared.problems)
  }
  if (problems.length > 0) return { is: 'does-not-render', stages, problems }
  stages.push(...[...known.values()].map((unit) => goneUnit(unit, settings)))
  return { is: stages.map(wordOf).reduce(worse, 'unchanged'), stages, problems }
}

/** Of two words the graver one. */
function worse(one: ImpactWord, other: ImpactWord): ImpactWord {
  return impactWords.indexOf(one) < impactWords.indexOf(other) ? other : one
}

/** What a person has to mend in the inputs. */
const inputCodes: ReadonlySet<ProblemCode> = new Set([
  'input-type',
  'input-unanswered',
  'input-value',
  'missing-input',
  'unknown-input',
])

function wordOf({ is, broken }: StageImpact): ImpactWord {
  if (broken.length > 0) return 'breaks-policy'
  return is === 'gone' ? 'replaces' : is === 'new' ? 'changed' : is
}

function compareUnit(
  before: ConsumerUnit | undefined,
  after: ConsumerUnit,
  settings: GuardSettings,
): Checked<StageImpact> {
  const names = namesOf(after)
  const broken = before === undefined ? after.broken : newlyBroken(before.broken, after.broken)
  if (before?.rendered === after.rendered) {
    return {
      ok: true,
      value: { ...names, is: 'unchanged', changes: [], losses: [], outputs: [], broken },
      problems: [],
    }
  }
  const first = before === undefined ? undefined : planned(before.wish, undefined)
  if (first?.ok === false) return first
  const plan = planned(after.wish, first?.value)
  if (!plan.ok) return plan
  const { changes } = plan.value
  // What is managed by hand has no stack; what it gives out are its inputs.
  const outputs = plan.value.outputChanges.length > 0 ? plan.value.outputChanges : outputChanges(before, after)
  const losses = lossesOf(changes, settings)
  const is =
    before === undefined
      ? 'new'
      : losses.length > 0
        ? 'replaces'
        : changes.length > 0 || outputs.length > 0
          ? 'changed'
          : 'unchanged'
  return { ok: true, value: { ...names, is, changes, losses, outputs, broken }, problems: [] }
}

function outputChanges(before: ConsumerUnit | undefined, after: ConsumerUnit): readonly ChangedProperty[] {
  return differences(before?.outputs ?? {}, after.outputs).map((each) => changedProperty('Outputs', each))
}

/**
 * What a unit gives out once it has gone from one rendering to the other: what is replaced has another id than what was there.
 * Nothing where it cannot go there.
 */
export function outputsAfter(
  before: ConsumerUnit | undefined,
  after: ConsumerUnit,
): Readonly<Record<string, string>> | undefined {
  const first = before === undefined || before.rendered === after.rendered ? undefined : planned(before.wish, undefined)
  if (first === undefined) return after.outputs
  const plan = first.ok ? planned(after.wish, first.value) : first
  if (!plan.ok) return undefined
  // Of what is managed by hand there is no stack.
  return Object.keys(plan.value.outputs).length > 0 ? plan.value.outputs : after.outputs
}

/** What another stack exports is the same before and after. */
function planned(wish: StackWish, before: StackPlan | undefined): Checked<StackPlan> {
  const imported = (name: string): string => `import:${name}`
  if (before === undefined) return planStack(wish, { imported })
  const resources: Resources = Object.fromEntries(before.steps.map(({ logicalId, record }) => [logicalId, record]))
  return planStack(wish, { before: resources, outputsBefore: before.outputs, imported })
}

/** A unit that its consumer no longer has: its stack would be left alone, and what is in it is no longer looked after. */
function goneUnit(unit: ConsumerUnit, settings: GuardSettings): StageImpact {
  const empty = { ...unit.wish, body: mapOf([['Resources', mapOf()]]), parameters: {} }
  const first = planned(unit.wish, undefined)
  const plan = first.ok ? planned(empty, first.value) : first
  const changes = plan.ok ? plan.value.changes : []
  return { ...namesOf(unit), is: 'gone', changes, losses: lossesOf(changes, settings), outputs: [], broken: [] }
}

function lossesOf(changes: readonly Change[], settings: GuardSettings): readonly Loss[] {
  const lost = changes.filter(
    (change) => change.action === 'delete' || (change.action === 'replace' && !isRevision(change)),
  )
  const perhaps = changes.filter(({ action, conditional = [] }) => action === 'update' && conditional.length > 0)
  if (lost.length + perhaps.length === 0) return none
  // What stays in the account is not lost; that it holds data is said of it all the same.
  const asLost = [...lost, ...perhaps].map((change) => ({ ...change, retained: false }))
  const held = new Map(guard(asLost, settings).refused.map(({ logicalId, holds }) => [logicalId, holds]))
  return [
    ...lost.map((change): Loss => {
      const { logicalId, type, action, because, retained } = change
      return { logicalId, type, happens: action === 'delete' ? 'deleted' : 'replaced', because, retained }
    }),
    // A resource without data that may be made again is a change like others.
    ...perhaps.flatMap(({ logicalId, type, conditional: because = [], retained }): Loss[] =>
      held.has(logicalId) ? [{ logicalId, type, happens: 'perhaps replaced', because, retained }] : [],
    ),
  ]
    .map((loss) => {
      const holds = held.get(loss.logicalId)
      return holds === undefined ? loss : { ...loss, holds }
    })
    .toSorted(
      (a, b) => Number(a.holds === undefined) - Number(b.holds === undefined) || compareText(a.logicalId, b.logicalId),
    )
}

const none: readonly never[] = []

/** A rule that a resource broke before is not broken by the change. */
function newlyBroken(before: readonly PolicyFact[], after: readonly PolicyFact[]): readonly PolicyFact[] {
  if (after.length === 0) return none
  const key = ({ rule, resource }: PolicyFact): string => `${rule} ${resource}`
  const known = new Set(before.map(key))
  return after.filter((fact) => !known.has(key(fact)))
}

function namesOf({ unit, kind, stage }: ConsumerUnit): Pick<StageImpact, 'unit' | 'kind' | 'stage'> {
  return { unit, kind, ...(stage !== undefined && { stage }) }
}

function isError({ severity }: Problem): boolean {
  return severity === 'error'
}
