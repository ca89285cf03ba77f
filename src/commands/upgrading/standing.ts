import type { Upgrades } from '../../core/catalog/upgrades.ts'
import { memberSeen } from '../../core/upgrade/members.ts'
import type { Decision } from '../../core/upgrade/model.ts'
import { beginRollout, progressed, stopped } from '../../core/upgrade/progress.ts'
import type { OutcomeSeen } from '../../core/upgrade/seen.ts'
import type { Member, Rollout } from '../../core/upgrade/state.ts'
import { planWaves, waveCount } from '../../core/upgrade/waves.ts'
import { parseVersion } from '../../core/version.ts'
import type { FleetPull } from '../../ports.ts'
import type { Sighting } from './sweep.ts'
import { type Case, judge, type Judged, turnsOf } from './tracks.ts'
import type { World } from './world.ts'

export type Waves = ReadonlyMap<string, ReadonlyMap<string, number>>

/** The rollouts that there are, and those that begin because a release is offered to somebody for the first time. */
export function rolloutsFor(
  cases: readonly Case[],
  { known, world, now }: { readonly known: ReadonlyMap<string, Rollout>; readonly world: World; readonly now: Date },
): ReadonlyMap<string, Rollout> {
  const rollouts = new Map(known)
  for (const { sighting, track } of cases) {
    if (track.target.is === 'none') continue
    const { template } = sighting.consumer
    const release = `${template}@${track.target.to}`
    const rollout = rollouts.get(release)
    if (rollout === undefined) rollouts.set(release, beginRollout({ template, version: track.target.to }, now))
    // Who comes late finds it under way again.
    else if (rollout.is === 'done') rollouts.set(release, { ...rollout, is: 'running' })
  }
  for (const [release, rollout] of rollouts) {
    const taken = world.offers(rollout.template)?.find(({ version }) => version === rollout.version)
    if (taken?.is === 'yanked' && rollout.is !== 'aborted')
      rollouts.set(release, stopped(rollout, 'aborted', { at: now.toISOString(), why: `${release} was taken back.` }))
  }
  return rollouts
}

/** Which wave of which release a consumer is in. */
export function wavesFor(
  cases: readonly Case[],
  { rollouts, upgrades }: { readonly rollouts: ReadonlyMap<string, Rollout>; readonly upgrades: Upgrades },
): Waves {
  return new Map(
    [...rollouts].map(([release, rollout]) => {
      const consumers = cases
        .filter(
          ({ sighting, track: { target } }) =>
            target.is === 'move' && `${sighting.consumer.template}@${target.to}` === release,
        )
        .map(({ sighting }) => sighting.consumer)
      return [release, planWaves(consumers, { release: rollout, upgrades, members: rollout.members })]
    }),
  )
}

export type Standings = {
  readonly rollouts: ReadonlyMap<string, Rollout>
  readonly waves: Waves
  readonly judged: ReadonlyMap<string, Judged>
  /** Judges a case that was looked at again, at the same turn. */
  readonly judgeAgain: (given: Case) => Judged
}

type Standing = {
  readonly rollouts: ReadonlyMap<string, Rollout>
  readonly waves: Waves
  readonly upgrades: Upgrades
  readonly urgent: ReadonlySet<string>
  readonly outcomes: Outcomes
  /** Whether waves may begin and rollouts stop: not where only a part of the fleet is seen. */
  readonly isWhole: boolean
  readonly now: Date
}

export type Outcomes = ReadonlyMap<string, OutcomeSeen>

/** What is to be done on each track. The waves that begin by what was seen are taken into account at once. */
export function standingsOf(cases: readonly Case[], standing: Standing): Standings {
  let { rollouts } = standing
  for (;;) {
    const now = judgeAll(cases, { ...standing, rollouts })
    if (!standing.isWhole) return { ...now, rollouts, waves: standing.waves }
    const next = new Map(
      [...rollouts].map(([release, rollout]) => [
        release,
        withMembers(rollout, { cases, standing, decisionOf: (key) => now.judged.get(key)?.decision }),
      ]),
    )
    const gone = new Map(
      [...next].map(([release, rollout]) => [
        release,
        progressed(rollout, {
          upgrades: standing.upgrades,
          waves: countOf(standing.waves.get(release)),
          now: standing.now,
        }),
      ]),
    )
    const isSame = [...gone].every(([release, rollout]) => {
      const before = rollouts.get(release)
      return before?.is === rollout.is && before.waves.length === rollout.waves.length
    })
    rollouts = gone
    if (isSame) return { ...now, rollouts, waves: standing.waves }
  }
}

/** How many waves there are. */
export function countOf(waves: ReadonlyMap<string, number> = new Map()): number {
  return waves.size === 0 ? 0 : waveCount(waves)
}

function judgeAll(
  cases: readonly Case[],
  { rollouts, waves, upgrades, urgent, now }: Standing,
): Pick<Standings, 'judged' | 'judgeAgain'> {
  const judged = new Map<string, Judged>()
  const first = new Map<string, Decision['standing']>()
  const turn = turnsOf(cases, {
    rollouts,
    waves,
    upgrades,
    isUrgent: (release) => urgent.has(release),
    standingOf: (consumer) => first.get(consumer),
    now,
  })
  const one = (given: Case): Judged => {
    const { consumer } = given.sighting
    const { target } = given.track
    const wave = target.is === 'move' ? (waves.get(`${consumer.template}@${target.to}`)?.get(consumer.key) ?? 0) : 0
    return judge(given, { turn: turn(given), upgrades, wave, now })
  }
  for (const each of cases) {
    const found = one(each)
    judged.set(each.key, found)
    const { key } = each.sighting.consumer
    if (!first.has(key)) first.set(key, found.decision.standing)
  }
  return { judged, judgeAgain: one }
}

/** A rollout with how its members stand now. Those that were not seen stay as they were. */
export function withMembers(
  rollout: Rollout,
  {
    cases,
    standing: { waves, outcomes, now },
    decisionOf,
  }: {
    readonly cases: readonly Case[]
    readonly standing: Pick<Standing, 'waves' | 'outcomes' | 'now'>
    readonly decisionOf: (key: string) => Decision | undefined
  },
): Rollout {
  const release = `${rollout.template}@${rollout.version}`
  const major = parseVersion(rollout.version)?.major ?? 0
  const members = new Map(rollout.members.map((member) => [member.key, member]))
  for (const each of cases) {
    const { key, sighting, track } = each
    const { consumer } = sighting
    const before = members.get(consumer.key)
    const isOffered = track.target.is === 'move' && track.target.to === rollout.version
    if (consumer.template !== rollout.template || track.major !== major || (before === undefined && !isOffered))
      continue
    const decision = decisionOf(key)
    if (decision === undefined) continue
    // Until its other files are read, nothing new is known of what is open.
    const isUnread = each.draft?.is === 'drafted' && each.proposal === undefined && decision.action.is === 'keep'
    const isPassed = track.target.is === 'move' && !isOffered && before?.merged === undefined
    members.set(
      consumer.key,
      memberSeen(consumer, {
        before,
        release: rollout,
        wave: waves.get(release)?.get(consumer.key) ?? 0,
        decision: isPassed
          ? passed(track.target)
          : isUnread && before !== undefined
            ? asBefore(decision, before)
            : decision,
        pulls: sighting.pulls.filter(({ branch }) => branch === track.branch),
        ...mergedOf(sighting, { before, outcomes }),
        ...(sighting.base.checks !== undefined && { baseChecks: sighting.base.checks }),
        now,
      }),
    )
  }
  return { ...rollout, members: [...members.values()] }
}

function asBefore(decision: Decision, { standing, why }: Member): Decision {
  return { ...decision, standing, ...(why !== undefined && { why }) }
}

function passed(target: Case['track']['target']): Decision {
  const why = target.is === 'move' ? `${target.to} takes its place.` : ''
  return { action: { is: 'nothing' }, standing: 'closed', why }
}

function mergedOf(
  sighting: Sighting,
  { before, outcomes }: { readonly before: Member | undefined; readonly outcomes: Outcomes },
): { readonly merged?: Pick<OutcomeSeen, 'deployments'> } {
  if (before?.pullRequest === undefined) return {}
  const outcome = outcomes.get(`${sighting.repository.id}#${before.pullRequest}`)
  if (outcome === undefined || outcome.isBlind === true || outcome.pull.state !== 'merged') return {}
  return { merged: { deployments: outcome.deployments.flatMap((each) => ownDeployment(sighting, each) ?? []) } }
}

type Deployment = OutcomeSeen['deployments'][number]

/** In the catalog the environments of deployments have the names of their services before them; elsewhere they are stages. */
function ownDeployment({ consumer, lock }: Sighting, deployment: Deployment): Deployment | undefined {
  if (lock !== undefined) return deployment
  const prefix = consumer.kind === 'environment' ? 'environment/' : `${consumer.name}/`
  const { environment } = deployment
  if (!environment.startsWith(prefix)) return undefined
  const stage = environment.slice(prefix.length)
  return consumer.kind === 'environment' && stage !== consumer.name ? undefined : { ...deployment, environment: stage }
}

/** So long it is looked what is deployed of what was merged. */
export const watchedFor = 7 * 86_400_000

/** The pull requests of which it has to be asked what became of them: their branches may be gone, and their deployments go on. */
export function watched(
  sightings: readonly Sighting[],
  {
    rollouts,
    stages,
    now,
  }: { readonly rollouts: ReadonlyMap<string, Rollout>; readonly stages: number; readonly now: Date },
): readonly FleetPull[] {
  const found = new Map<string, FleetPull>()
  const known = new Map(sightings.map((sighting) => [sighting.consumer.key, sighting]))
  for (const rollout of rollouts.values()) {
    for (const member of rollout.members) {
      const sighting = known.get(member.key)
      const number = member.pullRequest
      if (sighting === undefined || number === undefined) continue
      const seen = sighting.pulls.find((pull) => pull.number === number)
      if (seen?.state === 'open' || seen?.state === 'closed') continue
      const isOver = member.merged !== undefined && !isWatched(member, { stages, rollout, now })
      if (member.merged === undefined && ['declined', 'closed', 'reverted'].includes(member.standing)) continue
      if (!isOver) found.set(`${sighting.repository.id}#${number}`, { repository: sighting.repository, number })
    }
  }
  return [...found.values()]
}

function isWatched(
  { merged = '', deployments }: Member,
  { stages, rollout, now }: { readonly stages: number; readonly rollout: Rollout; readonly now: Date },
): boolean {
  if (rollout.is === 'aborted') return false
  const isAll = deployments.length >= stages && deployments.every(({ is }) => is === 'ok')
  return !isAll && now.getTime() - Date.parse(merged) < watchedFor
}
