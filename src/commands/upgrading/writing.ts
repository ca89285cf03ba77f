import { consumerReference } from '../../core/impact.ts'
import { lockFile } from '../../core/skeleton.ts'
import type { Decision } from '../../core/upgrade/model.ts'
import { draftOf } from '../../core/upgrade/proposal.ts'
import { isResting, type Resting } from '../../core/upgrade/resting.ts'
import type { FleetWrite } from '../../core/upgrade/seen.ts'
import type { FleetHost, FleetLook } from '../../ports.ts'
import { sightingOf } from './sweep.ts'
import { type Case, drafted, type Judged, proposed, referencesOf, tracksFor, type Knowing } from './tracks.ts'
import { heldBy, type Saying, wordsFor } from './words.ts'
import { writesFor } from './writes.ts'

export type Writing = Knowing & {
  readonly fleet: FleetHost
  readonly saying: Saying
  readonly resting: Resting
  readonly judged: ReadonlyMap<string, Judged>
  readonly judgeAgain: (given: Case) => Judged
  /** What is told of a case that is looked at again: what it has come to, or why nothing is done now. */
  readonly settle: (given: Case, end: Judged | { readonly skipped: string }) => void
}

/** Whether a case has to be looked at at this very moment, with what its repository holds besides, before anything is done. */
export function needsLook(
  { proposal, draft, sighting, track }: Case,
  { facts, decision: { action, standing } }: Judged,
): boolean {
  if (action.is !== 'nothing' && action.is !== 'keep') return true
  const isOpen = facts.pulls.some(({ state }) => state === 'open')
  if (draft !== undefined && proposal === undefined) return isOpen
  // Whether a person has given what was missing stands in his branch.
  return (
    standing === 'taken-over' &&
    isOpen &&
    action.is === 'keep' &&
    action.pull.isDraft &&
    track.target.is === 'move' &&
    sighting.branches.length > 0
  )
}

/** How many are looked at at once: between the look and the write there shall not be much time. */
const atOnce = 50

/** All that is to be written, in the order of the cases: first what needs no look, then the others, each looked at before. */
export async function* writesOf(cases: readonly Case[], writing: Writing): AsyncGenerator<FleetWrite> {
  const { judged, resting, now } = writing
  const awake = cases.filter(({ sighting }) => !isResting(resting, sighting.repository.number, now))
  const looks: Case[] = []
  for (const each of awake) {
    const found = judged.get(each.key)
    if (found === undefined) continue
    if (needsLook(each, found)) looks.push(each)
    else yield* written(each, found, writing)
  }
  for (let start = 0; start < looks.length; start += atOnce) {
    const some = looks.slice(start, start + atOnce)
    let index = 0
    for await (const seen of writing.fleet.look(some.map(lookOf))) {
      const given = some[index]
      index += 1
      if (given === undefined) continue
      const again =
        seen.is === 'read'
          ? await lookedAt(given, { seen, writing })
          : { skipped: 'Its repository was not to be seen when it was its turn.' }
      if ('skipped' in again) {
        writing.settle(given, again)
        continue
      }
      const found = writing.judgeAgain(again)
      const stale = staleness(given, found)
      writing.settle(again, stale === undefined ? found : { skipped: stale })
      if (stale === undefined) yield* written(again, found, writing)
    }
  }
}

function lookOf({ sighting, track, draft }: Case): FleetLook {
  const { repository, consumer, lock } = sighting
  const reads = draft?.is === 'drafted' ? (draft.skeleton?.reads ?? []) : []
  const paths = new Set([consumer.file, ...(lock === undefined ? [] : [lockFile]), ...reads])
  return { repository, branches: [track.branch], paths: [...paths], file: consumer.file }
}

type Read = Extract<Parameters<typeof sightingOf>[0], { readonly is: 'read' }>

/** The case with what is there now. */
async function lookedAt(
  given: Case,
  { seen, writing }: { readonly seen: Read; readonly writing: Writing },
): Promise<Case | { readonly skipped: string }> {
  const { sighting, track } = given
  const { world } = writing
  const file = seen.files.get(sighting.consumer.file)
  if (file?.is !== 'text') return { skipped: 'Its file is gone since it was read.' }
  const rendered = { ...sighting.rendered, text: file.text }
  const properties = sighting.repository.properties
  const fresh = sightingOf({ ...seen, repository: { ...seen.repository, properties } }, { rendered, world })
  if (fresh === undefined) return { skipped: 'Its file cannot be read any more.' }
  const lock = seen.files.get(lockFile)
  const others = sighting.pulls.filter(({ branch }) => branch !== track.branch)
  const now = {
    ...fresh,
    branches: [...sighting.branches.filter(({ name }) => name !== track.branch), ...fresh.branches],
    pulls: [...fresh.pulls, ...others],
    ...(sighting.lock !== undefined && { lock: { text: lock?.is === 'text' ? lock.text : undefined } }),
  }
  const again = tracksFor(now, writing).find((each) => each.track.branch === track.branch)
  if (again === undefined) return { skipped: 'It has gone on to another version since it was read.' }
  if (again.track.target.is === 'none') return again
  const isSame =
    file.text === sighting.rendered.text &&
    now.lock?.text === sighting.lock?.text &&
    track.target.is === 'move' &&
    again.track.target.to === track.target.to
  if (!isSame) await world.load(referencesOf([again]))
  const made =
    isSame && given.draft !== undefined && given.making !== undefined
      ? { ...again, draft: given.draft, making: given.making }
      : drafted(again, writing)
  const reads = made.draft?.is === 'drafted' ? (made.draft.skeleton?.reads ?? []) : []
  const known = new Set(lookOf(given).paths)
  if (!reads.every((path) => known.has(path))) return { skipped: 'Its file has changed since it was read.' }
  return proposed(made, { ...writing, files: seen.files })
}

/** Why nothing is done although it is decided: a person was there a moment ago. */
function staleness({ sighting, track }: Case, { facts, decision }: Judged): string | undefined {
  const before = sighting.pulls.find(({ branch, state }) => branch === track.branch && state === 'open')
  if (before === undefined) return undefined
  const now = facts.pulls.find(({ id }) => id === before.id)
  const isStill = now?.state === 'open'
  return isStill || decision.action.is === 'nothing' ? undefined : 'Its pull request was closed or merged a moment ago.'
}

async function* written(given: Case, found: Judged, writing: Writing): AsyncGenerator<FleetWrite> {
  const { sighting, track, key } = given
  const words = wordsFor(await heldCase(given, { found, writing }), found, writing.saying)
  yield* writesFor({
    key,
    branch: track.branch,
    repository: sighting.repository,
    facts: found.facts,
    decision: found.decision,
    proposal: given.proposal,
    onTop: found.decision.action.is === 'append' ? await onTop(given, { found, writing }) : undefined,
    words,
  })
}

/** What a person has made of the file on the branch, brought to the version; nothing where that cannot be done by program. */
async function onTop(
  { making }: Case,
  { found, writing }: { readonly found: Judged; readonly writing: Writing },
): Promise<string | undefined> {
  const { branch } = found.facts
  if (making === undefined || branch?.file?.is !== 'text') return undefined
  const { text } = branch.file
  const reference = consumerReference({ file: making.consumer.file, text })
  if (reference === undefined) return undefined
  await writing.world.load([reference])
  const { lock: _, ...rest } = making
  const draft = draftOf({ ...rest, opened: writing.world.opened(), consumer: { ...making.consumer, text } })
  return draft.is === 'drafted' ? draft.text : undefined
}

/** Where a branch is left as it is, its text is about the version that it holds, whatever is offered by now. */
async function heldCase(
  given: Case,
  { found: { decision, facts }, writing }: { readonly found: Judged; readonly writing: Writing },
): Promise<Case> {
  const { action } = decision
  const { target } = given.track
  const held = action.is === 'keep' ? heldBy(facts) : undefined
  if (held === undefined || target.is === 'none' || held.to === target.to) return given
  const holds = { ...given, track: { ...given.track, target: { ...target, to: held.to } } }
  await writing.world.load(referencesOf([holds]))
  return proposed(drafted(holds, writing), { ...writing, files: new Map() })
}

/** What a decision came to, where it was not carried out. */
export function undone({ decision }: Judged, why: string): Decision {
  return {
    ...decision,
    action: { is: 'nothing' },
    standing: decision.standing === 'open' ? 'waits' : decision.standing,
    why,
  }
}
