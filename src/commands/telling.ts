import { codeOf, type Diagnosis } from '../core/cause/diagnosis.ts'
import type { Organisation, Unit } from '../core/organisation.ts'
import { addressOf } from '../core/organisation.ts'
import type { Stage } from '../core/stage.ts'
import type { DeploymentReport, FailureReport, TouchedResource } from '../core/summary.ts'
import { recordPath } from '../core/ledger.ts'
import type { DeploymentRecord } from '../ports.ts'
import type { Attempt } from './deploying.ts'

const deeds = { create: 'created', update: 'updated', replace: 'replaced', delete: 'deleted' } as const

/** What the summary of a job says of its attempts, with what is known of earlier ones. */
export function reportsOf(
  attempts: readonly Attempt[],
  {
    organisation,
    stage,
    history,
    trigger,
    back,
  }: {
    readonly organisation: Organisation
    /** The stage that the others come after; nothing where no other follows. */
    readonly stage: Stage | undefined
    readonly history: ReadonlyMap<string, readonly DeploymentRecord[]>
    /** Who and what set it off. */
    readonly trigger: string
    /** The commit that was gone back to. */
    readonly back?: string
  },
): readonly DeploymentReport[] {
  const { stages } = organisation.catalog
  return attempts.map((attempt): DeploymentReport => {
    const { unit, is, why, record, proof, changes = [] } = attempt
    const good = (history.get(unit.id) ?? []).filter(({ outcome }) => outcome === 'deployed' || outcome === 'unchanged')
    const host = addressOf(unit)
    // What a rollback would go back to: the last good one that was not the same.
    const before = good.findLast(
      ({ wants, version, image }) => wants !== record?.wants || version !== record.version || image !== record.image,
    )?.commit
    const own = unit.service?.stages.map((each) => each.stage.name)
    const later = stages.filter(
      ({ name, order }) => stage !== undefined && order > stage.order && (own === undefined || own.includes(name)),
    )
    const next = later[0]
    const took = record === undefined ? undefined : Date.parse(record.finished) - Date.parse(record.started)
    const usual = usualTime(good)
    const failure = is === 'failed' ? failureOf(attempt, { previous: good.at(-1)?.commit, later }) : undefined
    return {
      unit: unit.id,
      outcome: is,
      ...(why !== undefined && failure === undefined && { why }),
      ...(host !== undefined && { host }),
      ...(proof?.is === 'healthy' && { health: proof.words }),
      ...(took !== undefined && is !== 'unchanged' && { took }),
      ...(usual !== undefined && is === 'deployed' && { usual }),
      ...(next !== undefined && (is === 'deployed' || is === 'unchanged') && { next: nextOf(next) }),
      ...(is === 'deployed' && {
        resources: changes.map(({ logicalId, type, action }): TouchedResource => ({
          logicalId,
          type,
          action: deeds[action],
        })),
      }),
      ...(is === 'deployed' &&
        back === undefined &&
        before !== undefined && { undo: { run: `protium rollback ${unit.id}`, to: before.slice(0, 7) } }),
      ...(back !== undefined && { back }),
      ...(failure !== undefined && { failure }),
      ...(record !== undefined && { record: { path: recordPath(record) } }),
      trigger,
    }
  })
}

function nextOf({ name, approval }: Stage): string {
  return approval === undefined ? `${name} follows.` : `${name} waits for ${approval.by.join(', ')}.`
}

/** The median of what earlier deployments took, of at least three. */
function usualTime(records: readonly DeploymentRecord[]): number | undefined {
  const times = records
    .filter(({ outcome }) => outcome === 'deployed')
    .map(({ started, finished }) => Date.parse(finished) - Date.parse(started))
    .toSorted((a, b) => a - b)
  return times.length < 3 ? undefined : times[Math.floor(times.length / 2)]
}

/** What can be said of a failure while its operation is still under way. */
export function failingReport(unit: Unit, diagnosis: Diagnosis): DeploymentReport {
  return {
    unit: unit.id,
    outcome: 'failed',
    failure: {
      code: codeOf(diagnosis.cause),
      diagnosis,
      reason: diagnosis.cause.reason,
      rolledBack: false,
      isOpen: true,
      untouched: [],
      steps: diagnosis.steps,
      events: [],
    },
  }
}

function failureOf(
  { unit, why, failure, refusal }: Attempt,
  { previous, later }: { readonly previous: string | undefined; readonly later: readonly Stage[] },
): FailureReport {
  const { diagnosis } = failure ?? {}
  const at = diagnosis?.at
  const mend = at === undefined ? 'Mend the cause' : `Mend the cause, at ${at.file} line ${at.line} or in the inputs`
  return {
    code: refusal?.code ?? (diagnosis === undefined ? 'deployment-failed' : codeOf(diagnosis.cause)),
    ...(diagnosis !== undefined && { diagnosis }),
    reason: diagnosis?.cause.reason ?? why ?? 'It is not known why.',
    ...(failure !== undefined && { status: failure.status }),
    rolledBack: failure?.rolledBack ?? false,
    ...(previous !== undefined && { previous }),
    untouched: later.map(({ name }) => name),
    steps: [
      ...(diagnosis?.steps.slice(0, -1) ?? []),
      `${mend}, in a pull request; merging it deploys ${unit.service?.service ?? unit.id} again.`,
      'If the cause is gone by itself, run the failed jobs again: what is deployed stays, the rest is done.',
    ],
    events: [],
  }
}
