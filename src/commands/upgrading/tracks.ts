import type { Upgrades } from '../../core/catalog/upgrades.ts'
import { decisionsIn, readLock, versionsIn } from '../../core/skeleton.ts'
import { answersOf, type Answers } from '../../core/upgrade/answers.ts'
import { automergeFault } from '../../core/upgrade/automerge.ts'
import { decide, isAtRest } from '../../core/upgrade/decide.ts'
import { readTrailers } from '../../core/upgrade/metadata.ts'
import type { Answer, Decision, Desired, Facts, Turn } from '../../core/upgrade/model.ts'
import { type Draft, draftOf, type Making, type Proposal, proposalOf } from '../../core/upgrade/proposal.ts'
import type { FilesSeen } from '../../core/upgrade/seen.ts'
import type { Rollout } from '../../core/upgrade/state.ts'
import { type Track, tracksOf } from '../../core/upgrade/target.ts'
import { turnOf } from '../../core/upgrade/waves.ts'
import { parseReference, parseVersion } from '../../core/version.ts'
import type { Sighting } from './sweep.ts'
import type { Reference, World } from './world.ts'

/** A track of a consumer with what its upgrade would come to, as far as it is known. */
export type Case = {
  /** By which what is written is known again: the consumer and the branch. */
  readonly key: string
  readonly sighting: Sighting
  readonly track: Track
  readonly answers: readonly Answer[]
  readonly making?: Making
  readonly draft?: Draft
  /** Nothing while other files of its repository have to be read first. */
  readonly proposal?: Proposal
}

/** What all cases of a run are made with. */
export type Knowing = {
  readonly world: World
  /** What people have answered, as far as it was kept. */
  readonly kept: Answers
  /** The version of Protium. */
  readonly engine: string
  readonly now: Date
}

/** The tracks of one consumer, the one within its major first. Versions that they need have to be loaded before they are drafted. */
export function tracksFor(
  sighting: Sighting,
  { world, kept, now }: Pick<Knowing, 'world' | 'kept' | 'now'>,
): readonly Case[] {
  const { consumer, pulls, base, branches } = sighting
  const answers = answersOf({ consumer, pulls, kept, base: base.branch, now })
  const offers = world.offers(consumer.template)
  const recommended = world.catalog.templates.get(consumer.template)?.recommended
  const open = pulls.filter(({ state }) => state === 'open').map(({ branch }) => branch)
  const tracks = tracksOf(consumer, {
    offers,
    answers,
    branches: [...new Set([...branches.map(({ name }) => name), ...open])],
    ...(recommended !== undefined && { recommended }),
  })
  return tracks.map((track) => ({ key: `${consumer.key} ${track.branch}`, sighting, track, answers }))
}

/** The versions that cases are about. */
export function referencesOf(cases: readonly Case[]): readonly Reference[] {
  return cases.flatMap(({ sighting: { consumer, lock }, track: { target } }): readonly Reference[] => {
    if (target.is === 'none') return []
    const { template, version } = consumer
    // A file of the skeleton that has not changed since is still based on an older version.
    const locked = lock?.text === undefined ? undefined : readLock(lock.text)
    const bases = locked === undefined ? [] : versionsIn(locked).flatMap((each) => parseReference(each) ?? [])
    return [{ template, version }, { template, version: target.to }, ...bases]
  })
}

/** The same with what it would come to: rendered at both versions. */
export function drafted(given: Case, { world, engine, now }: Pick<Knowing, 'world' | 'engine' | 'now'>): Case {
  const { sighting, track } = given
  if (track.target.is === 'none') return given
  const { consumer, rendered, lock } = sighting
  const making: Making = {
    opened: world.opened(),
    consumer: rendered,
    to: track.target.to,
    migrations: world.catalog.templates.get(consumer.template)?.migrations ?? [],
    ...(lock !== undefined && { lock }),
    now,
  }
  const draft = draftOf(making)
  const reads = draft.is === 'drafted' ? (draft.skeleton?.reads ?? []) : []
  const known = { ...given, making, draft }
  return reads.length === 0 ? proposed(known, { world, engine, files: new Map() }) : known
}

/** The same with the other files of its repository. */
export function proposed(
  given: Case,
  { world, engine, files }: Pick<Knowing, 'world' | 'engine'> & { readonly files: FilesSeen },
): Case {
  const { making, draft, sighting, track } = given
  if (making === undefined || draft === undefined || track.target.is === 'none') return given
  const { template } = sighting.consumer
  const bundle = world.digest({ template, version: track.target.to })
  const open = sighting.pulls.find(({ branch, state }) => branch === track.branch && state === 'open')
  const decisions = open === undefined ? {} : { decisions: decisionsIn(open.body) }
  return { ...given, proposal: proposalOf(draft, { making, files, engine, bundle, ...decisions }) }
}

export type Judged = { readonly facts: Facts; readonly decision: Decision }

/** What is to be done on a track, if it is its turn. */
export function judge(given: Case, { turn, upgrades, wave, now }: Judging): Judged {
  const { sighting, track, proposal, draft } = given
  const { consumer, access, base, branches, pulls, mayAutomerge } = sighting
  const branch = branches.find(({ name }) => name === track.branch)
  const desired =
    proposal?.desired ?? assumed(given, branch === undefined ? undefined : readTrailers(branch.message)?.fingerprint)
  const evidence =
    proposal?.draft === undefined || track.target.is === 'none'
      ? undefined
      : {
          from: consumer.version,
          to: track.target.to,
          impact: proposal.draft.impact,
          inputs: proposal.draft.migrated.shown.length + proposal.draft.migrated.defaults.length,
          attention: proposal.merge !== undefined && proposal.merge.attention !== 'none',
        }
  const asks = draft?.is === 'drafted' ? draft.migrated.asks : []
  const own = branch?.file?.is === 'text' ? branch.file.text : undefined
  const facts: Facts = {
    now,
    consumer,
    access,
    base,
    ...(branch !== undefined && { branch }),
    pulls: pulls.filter((pull) => pull.branch === track.branch).toSorted((a, b) => b.number - a.number),
    target: track.target,
    ...(desired !== undefined && { desired }),
    turn,
    automerge:
      evidence !== undefined && automergeFault(consumer, { upgrades, evidence, wave, mayAutomerge }) === undefined,
    ...(own !== undefined && {
      isAnswered: asks.every(({ placeholder }) => placeholder === undefined || !own.includes(placeholder)),
    }),
  }
  return { facts, decision: decide(facts) }
}

export type Judging = {
  readonly turn: Turn
  readonly upgrades: Upgrades
  readonly wave: number
  readonly now: Date
}

/** Until other files are read, a branch is taken to hold what it should: only what is about to be written needs to be known. */
function assumed({ draft }: Case, holds: string | undefined): Desired | undefined {
  if (draft === undefined) return undefined
  if (draft.is === 'impossible') return draft
  return { is: 'change', fingerprint: holds ?? '', open: draft.open }
}

/** The turns of all cases of a run, in their order: who comes first has it. */
export function turnsOf(
  cases: readonly Case[],
  {
    rollouts,
    waves,
    upgrades,
    isUrgent,
    standingOf,
    now,
  }: {
    readonly rollouts: ReadonlyMap<string, Rollout>
    /** By releases: the wave of each consumer, by its key. */
    readonly waves: ReadonlyMap<string, ReadonlyMap<string, number>>
    readonly upgrades: Upgrades
    readonly isUrgent: (release: string) => boolean
    /** What has been decided on the track of a consumer within its major. */
    readonly standingOf: (consumer: string) => Decision['standing'] | undefined
    readonly now: Date
  },
): (given: Case) => Turn {
  const open = new Map<string, number>()
  for (const { sighting } of new Map(cases.map((each) => [each.sighting.consumer.key, each])).values()) {
    const { owner } = sighting.consumer
    const count = sighting.pulls.filter(({ state, isOurs }) => state === 'open' && isOurs).length
    if (owner !== undefined) open.set(owner, (open.get(owner) ?? 0) + count)
  }
  const given = new Map<string, Turn>()
  return (each) => {
    const turn = given.get(each.key) ?? turnFor(each)
    given.set(each.key, turn)
    return turn
  }
  function turnFor({ sighting: { consumer, pulls }, track: { target, branch, major } }: Case): Turn {
    if (target.is === 'none') return { is: 'now' }
    const release = `${consumer.template}@${target.to}`
    const rollout = rollouts.get(release)
    if (rollout === undefined) return { is: 'waits', for: 'wave', words: 'Its rollout has not begun.' }
    const isNext = major > (parseVersion(consumer.version)?.major ?? 0)
    const first = isNext ? standingOf(consumer.key) : undefined
    if (first !== undefined && !isAtRest(first))
      return { is: 'waits', for: 'minor', words: 'The upgrade within its major version comes first.' }
    const own = waves.get(release) ?? new Map<string, number>()
    const isOpen = pulls.some((pull) => pull.branch === branch && pull.state === 'open')
    const turn = turnOf(consumer, {
      rollout,
      wave: own.get(consumer.key) ?? 0,
      waves: Math.max(0, ...own.values()) + 1,
      upgrades,
      // What is open already is not in its own way.
      openOfTeam: isOpen || consumer.owner === undefined ? 0 : (open.get(consumer.owner) ?? 0),
      isUrgent: target.isUrgent || isUrgent(release),
      now,
    })
    if (turn.is === 'now' && !isOpen && consumer.owner !== undefined)
      open.set(consumer.owner, (open.get(consumer.owner) ?? 0) + 1)
    return turn
  }
}
