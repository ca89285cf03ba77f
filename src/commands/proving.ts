/** Health after a deployment, and the way back to what ran before where a unit is not healthy. */
import type { Ports } from '../command.ts'
import type { FirstCause } from '../core/cause/first.ts'
import { classify } from '../core/cause/classes.ts'
import type { Evidence } from '../core/cause/suspects.ts'
import type { Answer, CloudHealth, HealthCheck, HealthStep } from '../core/health.ts'
import { healthCheckOf, nextLook, nextStep, rehearsed } from '../core/health.ts'
import type { Unit } from '../core/organisation.ts'
import { addressOf } from '../core/organisation.ts'
import { Refused } from '../core/problem.ts'
import { list } from '../core/report.ts'
import type { DeploymentRecord, Provisioner, Records, StackEvent, WantedStack } from '../ports.ts'
import { planStack } from './looking.ts'
import { unacknowledged } from './losses.ts'
import type { Planned } from './planning.ts'
import type { Terms } from './terms.ts'

/** What came of asking. */
export type Proof = Exclude<HealthStep, { readonly is: 'wait' }>

/**
 * Whether it is recorded that a unit was seen to be healthy as it is wanted now. Where a run ended between the deployment and
 * the proof, it is not, and the next run asks.
 */
export async function isProved({ unit, planned }: Planned, records: Records): Promise<boolean> {
  if (healthCheckOf(unit) === undefined) return true
  const last = (await records.list(unit.id, { latest: 1 })).at(-1)
  const isGood = last?.outcome === 'deployed' || last?.outcome === 'unchanged'
  return isGood && last.wants === planned.wants && last.health?.ok === true
}

/** Asks until a unit is healthy, or its time is over. `told` hears what is being done. */
export async function proofOf(
  { probe, clock, signal }: Pick<Ports, 'probe' | 'clock' | 'signal'>,
  {
    unit,
    wanted: { stack },
    check,
    provisioner,
    told,
  }: Pick<Planned, 'unit' | 'wanted'> & {
    readonly check: HealthCheck
    readonly provisioner: Provisioner
    readonly told: (what: string) => void
  },
): Promise<Proof> {
  const host = addressOf(unit)
  const answers: Answer[] = []
  let said: CloudHealth | undefined
  const since = clock.now().getTime()
  const step = (): HealthStep => {
    const now = clock.now().getTime()
    return check.from === 'cloud' ? nextLook(check, { said, since }, now) : nextStep(check, { answers, since }, now)
  }
  if (provisioner.answer !== undefined) {
    const proof = rehearsed(check, await provisioner.answer(stack, check.status))
    if (proof.is !== 'wait') return proof
  }
  if (check.from === 'runner' && host === undefined)
    return { is: 'unknown', words: 'it has no host that could be asked' }
  const url = `https://${host ?? ''}${check.path}`
  for (;;) {
    const next = step()
    if (next.is !== 'wait') return next
    told(check.from === 'cloud' ? `waits for the cloud to find it healthy` : `asks ${url}`)
    try {
      if (next.milliseconds > 0) await clock.sleep(Math.ceil(next.milliseconds), signal)
      if (check.from === 'cloud') said = await cloudHealth(provisioner, { stack, signal })
      else answers.push(await probe(url, signal))
    } catch (error) {
      if (!signal.aborted) throw error
      throw new Refused('interrupted', `The run was stopped while it was asked whether ${unit.id} is healthy.`, {
        remedy: 'Run it again: what is deployed stays, and it is asked again.',
      })
    }
  }
}

/** A cloud that may not be asked, or cannot be reached, tells nothing of a service. */
async function cloudHealth(
  provisioner: Provisioner,
  { stack, signal }: { readonly stack: WantedStack['stack']; readonly signal: AbortSignal },
): Promise<CloudHealth> {
  try {
    return await provisioner.health(stack, signal)
  } catch (error) {
    if (!(error instanceof Refused) || error.code === 'interrupted') throw error
    return { is: 'unknown', words: error.message }
  }
}

/** What came of going back. */
export type WayBack =
  | { readonly is: 'back'; readonly status: string }
  /** There was nothing before: it was created just now. */
  | { readonly is: 'first' }
  /** It was there before this run, and what ran before it is not known to the run. */
  | { readonly is: 'unknown' }
  /** It is what was gone back to, by a person: what it came from is not better. */
  | { readonly is: 'was-back' }
  /** It is not known whether it is healthy, so it stays. */
  | { readonly is: 'unproved' }
  /** Data would be lost on the way. */
  | { readonly is: 'held'; readonly why: string }
  | { readonly is: 'failed'; readonly status: string; readonly why: string }

/**
 * Brings back the stack that was there when the unit was planned: its template, its parameters and its tags. What would be lost
 * on the way back is guarded as on the way there.
 */
export async function wentBack(
  { signal }: Pick<Ports, 'signal'>,
  {
    fresh,
    provisioner,
    terms,
    told,
  }: {
    readonly fresh: Planned
    readonly provisioner: Provisioner
    readonly terms: Terms
    readonly told: (what: string) => void
  },
): Promise<WayBack> {
  const { unit, state, wanted } = fresh
  const { template, rendered } = fresh.planned
  if (state.is !== 'settled') return { is: 'first' }
  const previous: WantedStack = {
    ...wanted,
    body: state.body,
    // The cloud does not tell secrets again; the one that was handed in now is the only one there is.
    parameters: Object.fromEntries(
      Object.entries(state.parameters).map(([name, value]) => [
        name,
        value === '****' ? (wanted.parameters[name] ?? value) : value,
      ]),
    ),
    tags: state.tags,
  }
  const acknowledged = [...unit.acknowledged.keys(), ...(terms.acknowledged.get(unit.id) ?? [])]
  try {
    told('goes back to what ran before')
    const { preview, ...back } = await planStack(provisioner, {
      wanted: previous,
      facts: { unit: unit.id, template, rendered, predicted: false },
      purpose: 'turn',
      ownership: terms.ownerOf(unit),
      guard: { ...terms.guard, acknowledged },
      signal,
      told,
    })
    const losses = unacknowledged(back.planned)
    if (losses.length > 0) {
      await provisioner.discard(preview)
      return {
        is: 'held',
        why: list(losses.map(({ logicalId, holds, happens }) => `${logicalId} (${holds}) would be ${happens}`)),
      }
    }
    let last = 'unknown'
    let why: string | undefined
    for await (const event of provisioner.execute(preview, back.wanted, signal)) {
      if (event.kind === 'stack') last = event.status
      else why ??= reasonOf(event)
    }
    return last === 'UPDATE_COMPLETE'
      ? { is: 'back', status: last }
      : { is: 'failed', status: last, why: why ?? 'no reason was given' }
  } catch (error) {
    if (!(error instanceof Refused) || error.code === 'interrupted' || error.code === 'outcome-unknown') throw error
    return { is: 'failed', status: 'unknown', why: error.message }
  }
}

/** The way back from what was there before this run: a command, if there was anything good before it. */
export async function wayBackKnown(unit: Unit, records: Records): Promise<WayBack> {
  const history = await records.list(unit.id)
  const isGood = history.some(({ outcome }) => outcome === 'deployed' || outcome === 'unchanged')
  return { is: isGood ? 'unknown' : 'first' }
}

function reasonOf(event: Extract<StackEvent, { readonly kind: 'resource' }>): string | undefined {
  return event.status.endsWith('_FAILED') ? `${event.logicalId}: ${event.reason ?? event.status}` : undefined
}

/** What users have now, and what is left to be done by hand, in a sentence. */
export function wayBackText(back: WayBack, unit: Unit): string {
  switch (back.is) {
    case 'back':
      return 'What ran before runs again.'
    case 'first':
      return `There is nothing before it to go back to, so it stays as it is; mend it and deploy ${unit.id} again.`
    case 'unknown':
      return `It stays as it is. To go back to what was healthy: \`protium rollback ${unit.id}\`.`
    case 'was-back':
      return `It is what was gone back to, so it stays. Another one: \`protium rollback ${unit.id} --to RECORD\`.`
    case 'unproved':
      return 'It is not known whether it is healthy, so it stays, and counts as failed until it is.'
    case 'held':
      return `It was not rolled back, because data would be lost: ${back.why}. See \`protium rollback ${unit.id}\`.`
    case 'failed':
      return `It could not be rolled back: ${back.why}. See \`protium rollback ${unit.id}\`.`
  }
}

/** That a unit is not healthy, as a cause and as evidence for the suspects. */
export function unhealthyCause(
  { words, last }: { readonly words: string; readonly last?: Answer },
  at: Date,
): { readonly cause: FirstCause; readonly evidence: Omit<Evidence, 'cause'> } {
  const told = classify(words)
  const is =
    last?.is === 'answered'
      ? ({ is: 'application', by: 'status', words: String(last.status) } as const)
      : last === undefined && told.is === 'unknown'
        ? ({ is: 'application', by: 'nothing' } as const)
        : last === undefined
          ? told
          : ({ is: 'unknown', by: 'nothing' } as const)
  const cause: FirstCause = {
    first: { within: [], at, status: 'UNHEALTHY', reason: words, is },
    also: [],
    cascaded: 0,
  }
  return { cause, evidence: last === undefined ? {} : { answered: answeredOf(last) } }
}

function answeredOf(last: Answer): NonNullable<Evidence['answered']> {
  if (last.is === 'answered') return { status: last.status }
  if (last.why === 'other') return {}
  return { failure: last.why === 'certificate' ? 'tls' : last.why }
}

/** What is recorded of it. */
export function healthRecord(proof: Proof | undefined): Pick<DeploymentRecord, 'health'> {
  return proof === undefined ? {} : { health: { ok: proof.is === 'healthy', words: proof.words } }
}
