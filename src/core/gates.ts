import { compareText } from './canonical.ts'
import type { Approval } from './gates/approval.ts'
import type { Freeze } from './gates/freeze.ts'
import { freezesOf, frozenAt, thawOf, windowText } from './gates/freeze.ts'
import type { Demand, Gate, GateName } from './gates/model.ts'
import { heldGates } from './gates/model.ts'
import type { Finding } from './guard.ts'
import type { PolicyFact } from './policy.ts'
import { duration, ended, list, placeText } from './report.ts'
import type { Stage } from './stage.ts'

/**
 * What has to be so before a stage is deployed to. A catalog says which gates a stage has, a plan tells of them, and at the
 * deployment each is judged from the facts of that moment. Judging is pure: who has the same facts finds the same, so what
 * is shown to a person is what was decided. What cannot be judged is held.
 */

export type { Demand, Gate, GateName } from './gates/model.ts'
export { gateNames, heldGates } from './gates/model.ts'

// At the deployment

/** All that the gates of a deployment are judged by. What is absent is no gate of it. */
export type GateFacts = {
  readonly now: Date
  readonly stage: string
  /** Who deploys, and in which run. */
  readonly by: string
  readonly run?: string
  /** What comes before: nothing in the first stage. */
  readonly before?: readonly Before[]
  readonly freezes: readonly Freeze[]
  readonly approval?: Approval
  /** What holds data and would be lost, of each unit. */
  readonly losses?: readonly UnitLoss[]
  /** What breaks a rule, of each unit. */
  readonly policy?: readonly UnitPolicy[]
  readonly locks?: readonly HeldLock[]
  /** Nothing, if what would change is what people have seen. */
  readonly binding?: { readonly why: string; readonly since: string; readonly by?: readonly string[] }
  readonly glass?: Glass
}

/** The unit of the stage before, which has what is to be deployed now, and its records with the newest last. */
export type Before = {
  readonly unit: string
  /** Nothing where it is not known; then neither is that of the records. */
  readonly commit: string | undefined
  readonly version: string
  /** Seconds. */
  readonly soak?: number
  readonly records: readonly Proof[]
}

/** What of a record the time in a stage is counted by. */
export type Proof = {
  readonly outcome: string
  readonly finished: string
  readonly commit?: string
  readonly version: string
}

export type UnitLoss = Pick<Finding, 'logicalId' | 'happens' | 'holds'> & {
  readonly unit: string
  readonly isAcknowledged: boolean
}

export type UnitPolicy = Pick<PolicyFact, 'rule' | 'resource' | 'severity' | 'message' | 'at' | 'waiver'> & {
  readonly unit: string
}

export type HeldLock = {
  readonly unit: string
  readonly by: string
  readonly reason: string
  readonly since: string
  readonly until?: string
  readonly run?: string
}

/** Somebody who may has broken the glass: what waits for time or for a person is passed. */
export type Glass = { readonly by: string; readonly reason: string }

/**
 * What a broken glass passes: it is for when waiting is worse. What keeps data, what keeps the rules, what people have not
 * seen, and what somebody else is doing right now it does not pass; nor the order of stages, for what does not run in the
 * stage before does not run in the next one either.
 */
export const glassPasses: readonly GateName[] = ['soak', 'freeze', 'approval']

/** Judges the gates that there are, in the order of `gateNames`. */
export function gatesOf(facts: GateFacts): readonly Gate[] {
  const { before = [], glass } = facts
  const gates = [
    ...before.map(orderGate),
    ...worst(before.map((each) => soakGate(each, facts.now))),
    ...freezeGate(facts),
    ...approvalGate(facts),
    ...guardGate(facts),
    ...policyGate(facts),
    ...lockGate(facts),
    ...bindingGate(facts),
  ]
  if (glass === undefined) return gates
  return gates.map((gate) =>
    gate.is === 'held' && glassPasses.includes(gate.gate) ? { ...gate, is: 'skipped' } : gate,
  )
}

function orderGate({ unit, commit, version }: Before): Gate {
  return { gate: 'order', is: 'open', why: `${unit} has ${named(commit)}, with version ${version}.` }
}

function named(commit: string | undefined): string {
  return commit === undefined ? 'it' : `commit ${commit.slice(0, 7)}`
}

/** Several units that go on together wait for the one that takes longest. */
function worst(gates: readonly (Gate | undefined)[]): readonly Gate[] {
  const all = gates.filter((gate) => gate !== undefined)
  const held = heldGates(all).toSorted((a, b) => compareText(a.until ?? '9', b.until ?? '9'))
  const [last] = held.length > 0 ? held.slice(-1) : all
  return last === undefined ? [] : [last]
}

/**
 * The time counts from the first record that says that this commit came there in this version and all was well, after the last
 * failure. What was recorded in the future, by a clock that was wrong, counts from now.
 */
function soakGate({ unit, commit, version, soak, records }: Before, now: Date): Gate | undefined {
  if (soak === undefined) return undefined
  const failed = records.findLastIndex(({ outcome }) => outcome === 'failed')
  const isOwn = (record: Proof): boolean => isGood(record) && record.commit === commit && record.version === version
  const first = records.slice(failed + 1).find(isOwn)
  const wanted = duration(soak * 1000)
  if (first === undefined) {
    const why = records.some(isOwn)
      ? `Something has failed in ${unit} since ${named(commit)} came there; its ${wanted} begin anew when this commit, or a newer one, is deployed there again.`
      : `${unit} is not known to have had ${named(commit)} with version ${version}; it is to have it for ${wanted}.`
    return { gate: 'soak', is: 'held', why }
  }
  const recorded = Date.parse(first.finished)
  const since = Math.min(Number.isNaN(recorded) ? now.getTime() : recorded, now.getTime())
  const until = since + soak * 1000
  const times = { since: new Date(since).toISOString() }
  return until <= now.getTime()
    ? {
        gate: 'soak',
        is: 'open',
        why: `${unit} has had it for ${wanted}, and nothing has failed there since.`,
        ...times,
      }
    : {
        gate: 'soak',
        is: 'held',
        why: `${unit} is to have had it for ${wanted} without a failure.`,
        ...times,
        until: new Date(until).toISOString(),
      }
}

function isGood({ outcome }: Proof): boolean {
  return outcome === 'deployed' || outcome === 'unchanged'
}

function freezeGate({ freezes, stage, now }: GateFacts): readonly Gate[] {
  const own = freezesOf(freezes, stage)
  if (own.length === 0) return []
  const on = own.flatMap((freeze) => {
    const frozen = frozenAt(freeze, now)
    return frozen === undefined ? [] : [{ freeze, frozen }]
  })
  if (on.length === 0) return [{ gate: 'freeze', is: 'open', why: 'No freeze is on.' }]
  const since = new Date(Math.min(...on.map(({ frozen }) => frozen.since.getTime())))
  return [
    {
      gate: 'freeze',
      is: 'held',
      why: on
        .map(({ freeze }) => `The freeze ${freeze.name} is on (${windowText(freeze)}): ${ended(freeze.reason)}`)
        .join(' '),
      since: since.toISOString(),
      until: thawOf(own, now).toISOString(),
    },
  ]
}

function approvalGate({ approval }: GateFacts): readonly Gate[] {
  if (approval === undefined) return []
  const { asks, by, against, not } = approval
  if (against !== undefined) {
    const why = [`${against.by} asks for changes.`, ...not].join(' ')
    return [{ gate: 'approval', is: 'held', why, by: [`@${against.by}`] }]
  }
  if (by !== undefined) {
    const how = by.how === 'environment' ? 'has approved this run' : 'has approved the last commit'
    return [{ gate: 'approval', is: 'open', why: `${by.by} ${how}.`, ...(by.at !== undefined && { since: by.at }) }]
  }
  const why = [`${list(asks)} ${asks.length === 1 ? 'has' : 'have'} not approved it.`, ...not].join(' ')
  return [{ gate: 'approval', is: 'held', why, by: asks }]
}

function guardGate({ losses = [] }: GateFacts): readonly Gate[] {
  if (losses.length === 0) return []
  const open = losses.filter(({ isAcknowledged }) => !isAcknowledged)
  const words = (some: readonly UnitLoss[]): string =>
    list(some.map(({ unit, logicalId, happens, holds }) => `${logicalId} of ${unit} (${holds}) would be ${happens}`))
  if (open.length === 0)
    return [{ gate: 'guard', is: 'open', why: `${words(losses)}, and its file acknowledges it by name.` }]
  return [{ gate: 'guard', is: 'held', why: `${words(open)}, and nobody has acknowledged that.` }]
}

/** A waiver lets through what it is for until its day; who owns it can have it prolonged. */
function policyGate({ policy = [] }: GateFacts): readonly Gate[] {
  const broken = policy.filter(({ severity, waiver }) => severity === 'error' && waiver?.expired !== false)
  const waived = policy.filter(({ waiver }) => waiver?.expired === false)
  const words = ({ unit, resource, rule, message, at, waiver }: UnitPolicy): string => {
    const place = at === undefined ? '' : `, ${placeText(at)}`
    const ends =
      waiver === undefined
        ? ''
        : waiver.expired
          ? ` The waiver ${waiver.name} has ended on ${waiver.until}.`
          : ` The waiver ${waiver.name} lets it through until ${waiver.until}.`
    return `${unit} breaks the rule ${rule} (${resource}${place}): ${ended(message)}${ends}`
  }
  if (broken.length > 0) {
    const owners = [...new Set(broken.flatMap(({ waiver }) => waiver?.owner ?? []))]
    const shown = broken.slice(0, 5).map(words)
    const left = broken.length - shown.length
    return [
      {
        gate: 'policy',
        is: 'held',
        why: [...shown, ...(left === 0 ? [] : [`And ${left} more.`])].join(' '),
        ...(owners.length > 0 && { by: owners }),
      },
    ]
  }
  return waived.length === 0 ? [] : [{ gate: 'policy', is: 'open', why: waived.slice(0, 5).map(words).join(' ') }]
}

/** A lock lets its own holder by, and the run that it was taken for. */
function lockGate({ locks = [], by, run }: GateFacts): readonly Gate[] {
  const others = locks.filter((lock) => (lock.run === undefined ? lock.by !== by : lock.run !== run))
  const [first] = others
  if (first === undefined) return []
  const ends = others.flatMap(({ until }) => until ?? [])
  return [
    {
      gate: 'lock',
      is: 'held',
      why: others.map((lock) => `${lock.by} has locked ${lock.unit}: ${ended(lock.reason)}`).join(' '),
      since: first.since,
      ...(ends.length === others.length && { until: ends.toSorted().at(-1) ?? '' }),
      by: [...new Set(others.map((lock) => `@${lock.by}`))],
    },
  ]
}

function bindingGate({ binding }: GateFacts): readonly Gate[] {
  if (binding === undefined) return []
  const { why, since, by } = binding
  return [{ gate: 'binding', is: 'held', why, since, ...(by !== undefined && { by }) }]
}

// In a plan

/** What the gates of a unit ask. `before` is the stage in which it is deployed before. */
export function demandsOf({
  stage,
  before,
  freezes,
  losses = [],
  policy = [],
}: {
  readonly stage: Pick<Stage, 'name' | 'approval'>
  readonly before: Pick<Stage, 'name' | 'soak'> | undefined
  readonly freezes: readonly Freeze[]
  readonly losses?: readonly Omit<UnitLoss, 'unit'>[]
  readonly policy?: readonly Omit<UnitPolicy, 'unit'>[]
}): readonly Demand[] {
  const refused = losses.filter(({ isAcknowledged }) => !isAcknowledged)
  const named = losses.map(({ logicalId, happens, holds }) => `${logicalId} (${holds}) would be ${happens}`)
  return [
    ...(before === undefined
      ? []
      : [{ gate: 'order', asks: `${before.name} has this commit, in this version of the template.` } as const]),
    ...(before?.soak === undefined
      ? []
      : [
          {
            gate: 'soak',
            asks: `${before.name} has had it for ${duration(before.soak * 1000)}, and nothing has failed there since.`,
          } as const,
        ]),
    ...freezesOf(freezes, stage.name).map(
      (freeze) => ({ gate: 'freeze', asks: `Not in ${freeze.name} (${windowText(freeze)}).` }) as const,
    ),
    ...(stage.approval === undefined
      ? []
      : [
          {
            gate: 'approval',
            asks: 'Somebody approves the last commit who has made none of them.',
            by: stage.approval.by,
          } as const,
        ]),
    ...(losses.length === 0
      ? []
      : [
          {
            gate: 'guard',
            asks: `${list(named)}: its file has to name what may be lost, as \`acknowledge: […]\`.`,
            is: refused.length === 0 ? 'open' : 'held',
          } as const,
        ]),
    ...policyDemand(policy),
  ]
}

function policyDemand(policy: readonly Omit<UnitPolicy, 'unit'>[]): readonly Demand[] {
  const errors = policy.filter(({ severity }) => severity === 'error')
  if (errors.length === 0) return []
  const rules = [...new Set(errors.map(({ rule }) => rule))]
  const owners = [...new Set(errors.flatMap(({ waiver }) => waiver?.owner ?? []))]
  return [
    {
      gate: 'policy',
      asks: `${list(rules)}: kept, or let through by a waiver on that day.`,
      ...(owners.length > 0 && { by: owners }),
      is: errors.every(({ waiver }) => waiver?.expired === false) ? 'open' : 'held',
    },
  ]
}
