import { readMarker } from './metadata.ts'
import type { Consumer, Decision } from './model.ts'
import type { ChecksSeen, OutcomeSeen, PullSeen } from './seen.ts'
import type { Deployed, Member, Rollout } from './state.ts'

/** A member after its consumer was looked at: what is new of it, and what is kept of before. */
export function memberSeen(
  consumer: Consumer,
  {
    before,
    release,
    wave,
    decision,
    pulls,
    merged,
    baseChecks,
    now,
  }: {
    readonly before: Member | undefined
    readonly release: Pick<Rollout, 'version'>
    readonly wave: number
    readonly decision: Decision
    /** Of its track, the newest first. */
    readonly pulls: readonly PullSeen[]
    /** What became of its merged pull request, where that was asked. */
    readonly merged?: Pick<OutcomeSeen, 'deployments'>
    readonly baseChecks?: ChecksSeen
    readonly now: Date
  },
): Member {
  const own = pulls.find(({ isOurs, body }) => isOurs && readMarker(body)?.to === release.version)
  const mergedAt = own?.state === 'merged' ? own.ended : before?.merged
  // That a rollout stands still makes nothing new of what somebody has looked at.
  const isSame =
    before !== undefined &&
    (before.standing === decision.standing || [before.standing, decision.standing].includes('held'))
  const number = own?.number ?? before?.pullRequest
  // Once it is merged, what the main branch shows may be its own work.
  const isRed = mergedAt === undefined ? baseChecks === 'failure' : before?.wasRed === true
  const calm = ['compatible', 'current', 'merged', 'open'].includes(decision.standing)
  return {
    key: consumer.key,
    name: consumer.name,
    kind: consumer.kind,
    repository: consumer.repository,
    ...(consumer.owner !== undefined && { owner: consumer.owner }),
    wave: before?.wave ?? wave,
    standing: decision.standing,
    ...(!calm && { why: decision.why }),
    since: isSame ? before.since : now.toISOString(),
    ...(number !== undefined && { pullRequest: number }),
    ...(mergedAt !== undefined && { merged: mergedAt }),
    ...(isRed && { wasRed: true }),
    deployments: merged === undefined ? (before?.deployments ?? []) : deploymentsOf(merged),
    ...(before?.excused !== undefined && { excused: before.excused }),
  }
}

function deploymentsOf({ deployments }: Pick<OutcomeSeen, 'deployments'>): readonly Deployed[] {
  const words = { success: 'ok', failure: 'failed', running: 'running' } as const
  return deployments.map(({ environment, state, at }) => ({ stage: environment, is: words[state], at }))
}
