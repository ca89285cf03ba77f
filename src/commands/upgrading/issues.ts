import type { Upgrades } from '../../core/catalog/upgrades.ts'
import { isAtRest } from '../../core/upgrade/decide.ts'
import { advanced, resumed, stopped } from '../../core/upgrade/progress.ts'
import { controlsIn, rolloutBody, rolloutMarker, rolloutTitle } from '../../core/upgrade/rollout.ts'
import type { Rollout } from '../../core/upgrade/state.ts'
import { waveCount } from '../../core/upgrade/waves.ts'
import type { RolloutsHost } from '../../ports.ts'
import { type Waves, watchedFor } from './standing.ts'
import type { World } from './world.ts'

type Rollouts = ReadonlyMap<string, Rollout>

/** What people have ticked in the issues of rollouts, done. */
export async function withTicks(host: RolloutsHost, rollouts: Rollouts, now: Date): Promise<Rollouts> {
  const after = new Map(rollouts)
  for (const [release, rollout] of rollouts) {
    if (rollout.issue === undefined || rollout.is === 'aborted' || rollout.is === 'done') continue
    const body = await host.issueBody(rollout.issue)
    const ticked = body === undefined ? [] : controlsIn(body)
    const at = now.toISOString()
    const why = 'Somebody has ticked it in the issue.'
    // Who stops something is heard before who lets it go on.
    const [first] = ticked
    if (first === 'abort') after.set(release, stopped(rollout, 'aborted', { at, why }))
    else if (first === 'pause') after.set(release, stopped(rollout, 'paused', { at, why }))
    else if (first === 'resume') after.set(release, resumed(rollout, { at }))
    else if (first === 'next-wave')
      after.set(release, advanced(rollout, { at, waves: Math.max(...rollout.members.map(({ wave }) => wave), 0) + 1 }))
  }
  return after
}

/** A rollout with nothing left to do: all waves have begun, and nobody waits for anything. */
export function ended(rollout: Rollout, { waves, now }: { readonly waves: number; readonly now: Date }): Rollout {
  const isLeft = rollout.members.some(
    ({ standing, deployments, merged }) =>
      !isAtRest(standing) ||
      deployments.some(({ is }) => is === 'running') ||
      // It may be deployed yet.
      (merged !== undefined && deployments.length === 0 && now.getTime() - Date.parse(merged) < watchedFor),
  )
  return rollout.is === 'running' && rollout.waves.length >= waves && !isLeft ? { ...rollout, is: 'done' } : rollout
}

/** Keeps the issues of rollouts that have changed, and says by which numbers they go. */
export async function withIssues(
  host: RolloutsHost,
  {
    rollouts,
    before,
    waves,
    upgrades,
    world,
    server,
    now,
    asks,
  }: {
    readonly rollouts: Rollouts
    /** As they were written last. */
    readonly before: Rollouts
    readonly waves: Waves
    readonly upgrades: Upgrades
    readonly world: World
    readonly server: string
    readonly now: Date
    /** Before anything is written: the releases that somebody is about to be asked about, and no others. */
    readonly asks?: ReadonlySet<string>
  },
): Promise<Rollouts> {
  const after = new Map(rollouts)
  for (const [release, rollout] of rollouts) {
    if (asks !== undefined && (rollout.issue !== undefined || !asks.has(release))) continue
    const known = before.get(release)
    const isOver = rollout.is === 'done' || rollout.is === 'aborted'
    if (isOver && known !== undefined && known.is === rollout.is && known.issue !== undefined) continue
    const isAsked = asks !== undefined || rollout.members.some(({ pullRequest }) => pullRequest !== undefined)
    // Nobody is told of a release that nobody has been asked about.
    if (rollout.issue === undefined && !isAsked && rollout.is !== 'halted') continue
    const own = waves.get(release) ?? new Map<string, number>()
    const why = world.catalog.templates.get(rollout.template)?.notes.get(rollout.version)
    const body = rolloutBody({
      rollout,
      upgrades,
      waves: own.size === 0 ? rollout.waves.length : waveCount(own),
      ...(why !== undefined && { why }),
      server,
      now,
    })
    const { number } = await host.issue({
      ...(rollout.issue !== undefined && { number: rollout.issue }),
      marker: rolloutMarker(rollout).markdown,
      title: rolloutTitle(rollout),
      body,
      state: isOver ? 'closed' : 'open',
    })
    after.set(release, { ...rollout, issue: number })
  }
  return after
}
