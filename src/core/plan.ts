import { compareText, digest, same } from './canonical.ts'
import type { Data, DataMap } from './data.ts'
import { isList, isMap, mapOf } from './data.ts'
import type { Demand } from './gates/model.ts'
import { gateNames } from './gates/model.ts'
import type { Finding } from './guard.ts'
import type { PolicyFact } from './policy.ts'
import { factsText, readFacts } from './policy/facts.ts'
import type { Checked, Problem } from './problem.ts'
import type { StackName } from './stack/template.ts'
import { textsIn } from './shape.ts'
import { readJson } from './yaml.ts'

/** The worst thing that happens to a unit, in one word; `create` is a unit that is not there yet. */
export type Verdict = 'nothing' | 'create' | 'update' | 'replace' | 'delete'

const verdicts: readonly Verdict[] = ['nothing', 'create', 'update', 'replace', 'delete']

/**
 * What happens to one resource. `because` names the property paths that force a replacement; a property carries the
 * digests of its value before and after.
 */
export type Change = {
  readonly logicalId: string
  readonly type: string
  readonly action: 'create' | 'update' | 'replace' | 'delete'
  readonly properties: readonly { readonly path: string; readonly before?: string; readonly after?: string }[]
  readonly because: readonly string[]
  /** The resource stays in the account although the stack lets go of it. */
  readonly retained: boolean
}

/** What makes up a stack besides its resources' life: compared to see whether there is anything to do. */
export type StackContent = {
  readonly body: DataMap
  readonly parameters: Readonly<Record<string, string>>
  readonly tags: Readonly<Record<string, string>>
}

/** A resource that holds data and would be lost, and whether somebody has said that it may be. */
export type PlannedLoss = Finding & { readonly isAcknowledged: boolean }

/** A resource that was changed by hand, or deleted. */
type ByHand = { readonly logicalId: string; readonly is: 'changed' | 'gone' }

/** What would happen to one unit. It holds names and digests, never the values of properties. */
export type PlannedUnit = {
  readonly unit: string
  readonly stage?: string
  readonly stack: StackName
  /** `fargate-service@2.3.0` */
  readonly template: string
  readonly verdict: Verdict
  readonly changes: readonly Change[]
  /** The digest of the rendered text; two stages with the same one run the same thing. */
  readonly rendered: string
  /** The digests of what is wanted and of the state that it was compared with. */
  readonly wants: string
  readonly against: string
  /** Resources that hold data and would be lost; nothing of the unit is executed while one of them is not acknowledged. */
  readonly losses?: readonly PlannedLoss[]
  /** What has to be so before it is deployed. When that will be the plan does not know, so it is not in the digest. */
  readonly gates?: readonly Demand[]
  /** What breaks a rule of the policy, and the waivers for it. It binds nothing, and is not in the digest. */
  readonly policy?: readonly PolicyFact[]
  /** What a person should know besides; whole sentences. They bind nothing, and are not in the digest. */
  readonly notes?: readonly string[]
  /** What was changed by hand, where that was looked at. It binds nothing either: what would be overwritten is among the changes. */
  readonly byHand?: readonly ByHand[]
  /** When that was looked at, where it was not when the plan was made. */
  readonly byHandAt?: string
  /** The environment is not deployed yet: what it will give out was predicted, and the plan is made again once it is. */
  readonly predicted: boolean
}

/** What would change, as data: shown to people, then applied as shown. The digest covers all of it. */
export type Plan = { readonly format: 1; readonly units: readonly PlannedUnit[]; readonly digest: string }

/** A plan of the units, in their order. The same units give the same bytes. */
export function planOf(units: readonly PlannedUnit[]): Plan {
  const ordered = units.map(normal)
  // A digest of digests: a large plan is never one text.
  return { format: 1, units: ordered, digest: digest(ordered.map((unit) => digest(unitData(unit)))) }
}

/**
 * The verdict on a unit from what is live (nothing, if there is no whole stack) and its changes. A stack whose resources stay as they are is still updated if its
 * outputs, its parameters or its tags are others than wanted.
 */
export function verdictOf(live: StackContent | undefined, wanted: StackContent, changes: readonly Change[]): Verdict {
  if (live === undefined) return 'create'
  if (changes.some(({ action }) => action === 'delete')) return 'delete'
  if (changes.some(({ action }) => action === 'replace')) return 'replace'
  const settled =
    changes.length === 0 &&
    same(live.body, wanted.body) &&
    same(mapOf(Object.entries(live.parameters)), shownParameters(wanted.parameters, live.parameters)) &&
    same(mapOf(Object.entries(live.tags)), mapOf(Object.entries(wanted.tags)))
  return settled ? 'nothing' : 'update'
}

/**
 * Parameters as a live stack shows them: one that is not to be shown (`NoEcho`) has stars there, and what it was cannot be compared.
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/parameters-section-structure.html
 */
function shownParameters(wanted: StackContent['parameters'], live: StackContent['parameters']): DataMap {
  return mapOf(Object.entries(wanted).map(([name, value]) => [name, live[name] === '****' ? '****' : value]))
}

/**
 * Why a reviewed plan may no longer be applied, given the plan of this moment for the same units; nothing if it may. A unit
 * holds if what it wants and what it is compared with are as reviewed, or if it is live already (the rest of a run that was cut short).
 */
export function stale(reviewed: Plan, current: Plan): readonly string[] {
  const now = new Map(current.units.map((unit) => [unit.unit, unit]))
  return reviewed.units.flatMap((then) => {
    const unit = now.get(then.unit)
    if (unit === undefined) return [`${then.unit} is in the plan, but no longer in the organisation`]
    if (unit.verdict === 'nothing') return []
    if (
      unit.stack.name !== then.stack.name ||
      unit.stack.account !== then.stack.account ||
      unit.stack.region !== then.stack.region
    ) {
      return [`${then.unit} is another stack than when the plan was made`]
    }
    if (unit.wants !== then.wants) return [`${then.unit} wants something else than when the plan was made`]
    if (unit.against !== then.against) return [`${then.unit} is in another state than when the plan was made`]
    return []
  })
}

/**
 * Whether the changes of this moment are the reviewed ones or a part of them: a unit that was planned against predicted
 * outputs is compared by its list of changes, because the predicted values are replaced by the true ones.
 */
export function within(changes: readonly Change[], reviewed: readonly Change[]): boolean {
  const known = new Set(reviewed.map(({ logicalId, type, action }) => `${action} ${type} ${logicalId}`))
  return changes.every(({ logicalId, type, action }) => known.has(`${action} ${type} ${logicalId}`))
}

/** Reads a plan that was written with `planOf`. Its digest must be that of its units, so an edited plan is refused. */
export function readPlan(file: string, text: string): Checked<Plan> {
  const problem = (code: 'plan-format' | 'plan-edited', message: string): Checked<never> => ({
    ok: false,
    problems: [
      {
        code,
        severity: 'error',
        message,
        remedy: 'Make the plan again: `protium plan --out FILE`.',
        at: { file, line: 0, column: 0 },
      } satisfies Problem,
    ],
  })
  const document = readJson(file, text)
  if (!document.ok) return document
  const { data } = document.value
  if (!isMap(data) || data['format'] !== 1) {
    const newer = isMap(data) && typeof data['format'] === 'number' && data['format'] > 1
    return problem(
      'plan-format',
      newer ? 'The plan was written by a newer version of Protium.' : 'This is not a plan of Protium.',
    )
  }
  const units = readUnits(data['units'])
  if (units === undefined) return problem('plan-format', 'This is not a whole plan of Protium: a unit lacks something.')
  const plan = planOf(units)
  if (plan.digest !== data['digest'])
    return problem('plan-edited', 'The plan was changed after it was made: its digest is not that of its units.')
  return { ok: true, value: plan, problems: document.problems }
}

function readUnits(data: Data | undefined): PlannedUnit[] | undefined {
  if (!isList(data)) return undefined
  const units = data.map(readUnit).filter((unit) => unit !== undefined)
  return units.length === data.length ? units : undefined
}

function readUnit(data: Data): PlannedUnit | undefined {
  if (!isMap(data)) return undefined
  const { unit, stage, stack, template, verdict, rendered, wants, against, predicted } = data
  const known = verdicts.find((each) => each === verdict)
  const changes = readChanges(data['changes'])
  const losses = readLosses(data['losses'])
  const policy = readFacts(data['policy'])
  const gates = readGates(data['gates'])
  const id = readStack(stack)
  if (
    losses === undefined ||
    policy === undefined ||
    gates === undefined ||
    known === undefined ||
    changes === undefined ||
    id === undefined ||
    typeof predicted !== 'boolean'
  )
    return undefined
  if (typeof unit !== 'string' || typeof template !== 'string' || typeof rendered !== 'string') return undefined
  if (typeof wants !== 'string' || typeof against !== 'string' || (stage !== undefined && typeof stage !== 'string'))
    return undefined
  return {
    unit,
    ...(stage !== undefined && { stage }),
    stack: id,
    template,
    verdict: known,
    changes,
    rendered,
    wants,
    against,
    ...(losses.length > 0 && { losses }),
    ...(policy.length > 0 && { policy }),
    ...(gates.length > 0 && { gates }),
    ...(data['notes'] !== undefined && { notes: textsIn(data, 'notes') }),
    ...(data['byHand'] !== undefined && { byHand: readByHand(data['byHand']) }),
    ...(typeof data['byHandAt'] === 'string' && { byHandAt: data['byHandAt'] }),
    predicted,
  }
}

function readByHand(data: Data): readonly ByHand[] {
  if (!isList(data)) return []
  return data
    .filter(isMap)
    .flatMap(({ logicalId, is }): ByHand[] =>
      typeof logicalId === 'string' ? [{ logicalId, is: is === 'gone' ? 'gone' : 'changed' }] : [],
    )
}

const fates = ['deleted', 'replaced', 'perhaps replaced'] as const satisfies readonly Finding['happens'][]

function readLosses(data: Data | undefined): PlannedLoss[] | undefined {
  if (data === undefined) return []
  if (!isList(data)) return undefined
  const losses = data.filter(isMap).flatMap((each): PlannedLoss[] => {
    const { logicalId, type, happens, holds, isSnapshotKept, isAcknowledged } = each
    const known = fates.find((word) => word === happens)
    if (known === undefined || typeof logicalId !== 'string' || typeof type !== 'string') return []
    if (typeof holds !== 'string' || typeof isSnapshotKept !== 'boolean' || typeof isAcknowledged !== 'boolean')
      return []
    return [
      { logicalId, type, happens: known, holds, because: textsIn(each, 'because'), isSnapshotKept, isAcknowledged },
    ]
  })
  return losses.length === data.length ? losses : undefined
}

/** A plan of an older version tells of no gates. */
function readGates(data: Data | undefined): Demand[] | undefined {
  if (data === undefined) return []
  if (!isList(data)) return undefined
  const gates = data.filter(isMap).flatMap((each): Demand[] => {
    const { gate, asks, is } = each
    const known = gateNames.find((name) => name === gate)
    if (known === undefined || typeof asks !== 'string') return []
    if (is !== undefined && is !== 'open' && is !== 'held') return []
    return [
      {
        gate: known,
        asks,
        ...(each['by'] !== undefined && { by: textsIn(each, 'by') }),
        ...(is !== undefined && { is }),
      },
    ]
  })
  return gates.length === data.length ? gates : undefined
}

function readStack(data: Data | undefined): StackName | undefined {
  if (!isMap(data)) return undefined
  const { name, account, region } = data
  if (typeof name !== 'string' || typeof account !== 'string' || typeof region !== 'string') return undefined
  return { name, account, region }
}

const actions = ['create', 'update', 'replace', 'delete'] as const

function readChanges(data: Data | undefined): Change[] | undefined {
  if (!isList(data)) return undefined
  const changes = data.flatMap((each): Change[] => {
    if (!isMap(each)) return []
    const { logicalId, type, action, properties, because, retained } = each
    const known = actions.find((word) => word === action)
    if (
      known === undefined ||
      typeof logicalId !== 'string' ||
      typeof type !== 'string' ||
      typeof retained !== 'boolean'
    )
      return []
    if (!isList(properties) || !isList(because)) return []
    return [
      {
        logicalId,
        type,
        action: known,
        properties: properties
          .filter(isMap)
          .flatMap(({ path, before, after }) =>
            typeof path === 'string'
              ? [{ path, ...(typeof before === 'string' && { before }), ...(typeof after === 'string' && { after }) }]
              : [],
          ),
        because: because.filter((word) => typeof word === 'string'),
        retained,
      },
    ]
  })
  return changes.length === data.length ? changes : undefined
}

/** Keys in one order and changes by name, whoever made them. */
function normal(unit: PlannedUnit): PlannedUnit {
  const {
    unit: id,
    stage,
    stack,
    template,
    verdict,
    changes,
    rendered,
    wants,
    against,
    predicted,
    notes = [],
    byHand,
    byHandAt,
    policy = [],
    losses = [],
    gates = [],
  } = unit
  return {
    unit: id,
    ...(stage !== undefined && { stage }),
    stack: { name: stack.name, account: stack.account, region: stack.region },
    template,
    verdict,
    rendered,
    wants,
    against,
    ...(notes.length > 0 && { notes }),
    ...(byHand !== undefined && { byHand: byHand.map(({ logicalId, is }) => ({ logicalId, is })) }),
    ...(byHandAt !== undefined && { byHandAt }),
    ...(policy.length > 0 && { policy: factsText(policy) }),
    ...(losses.length > 0 && { losses: losses.toSorted((a, b) => compareText(a.logicalId, b.logicalId)) }),
    ...(gates.length > 0 && { gates: inOrder(gates) }),
    predicted,
    changes: changes
      .map(({ logicalId, type, action, properties, because, retained }) => ({
        logicalId,
        type,
        action,
        because,
        retained,
        properties:
          properties.length === 0
            ? properties
            : properties.map(({ path, before, after }) => ({
                path,
                ...(before !== undefined && { before }),
                ...(after !== undefined && { after }),
              })),
      }))
      .toSorted((a, b) => compareText(a.logicalId, b.logicalId)),
  }
}

function inOrder(gates: readonly Demand[]): readonly Demand[] {
  return gates
    .map(({ gate, asks, by, is }) => ({ gate, asks, ...(by !== undefined && { by }), ...(is !== undefined && { is }) }))
    .toSorted((a, b) => gateNames.indexOf(a.gate) - gateNames.indexOf(b.gate))
}

function unitData(unit: PlannedUnit): DataMap {
  const { unit: id, stage, stack, template, verdict, changes, rendered, wants, against, predicted, losses = [] } = unit
  return mapOf([
    ['unit', id],
    ['stage', stage ?? null],
    ['stack', mapOf(Object.entries(stack))],
    ['template', template],
    ['verdict', verdict],
    ['rendered', rendered],
    ['wants', wants],
    ['against', against],
    ['predicted', predicted],
    // A plan without losses keeps the digest that it had before there was a guard.
    ...(losses.length === 0 ? [] : [['losses', losses.map((loss) => mapOf(Object.entries(loss)))] as const]),
    [
      'changes',
      changes.map(({ logicalId, type, action, because, retained, properties }) =>
        mapOf([
          ['logicalId', logicalId],
          ['type', type],
          ['action', action],
          ['because', because],
          ['retained', retained],
          ['properties', properties.map((each) => mapOf(Object.entries(each)))],
        ]),
      ),
    ],
  ])
}
