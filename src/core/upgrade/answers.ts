import { compareVersions, parseVersion } from '../version.ts'
import { branchOf, readBranchName, readMarker, tickedIn } from './metadata.ts'
import type { Answer, Consumer } from './model.ts'
import type { PullSeen } from './seen.ts'

/**
 * What people have answered to offers. A pull request that a person has closed is an answer, and so is a ticked box; it is read from
 * the pull request each time, so that reopening it or taking the tick away takes the answer back. What was read once is kept
 * beside, for pull requests that are out of sight.
 */
export type Answers = {
  readonly answers: readonly Answer[]
}

export const noAnswers: Answers = { answers: [] }

const day = 86_400_000

/** How long an offer rests that was asked to come later. */
export const laterDays = 14

/** The answers of one consumer that count: those that its pull requests show, and of others those that were kept. */
export function answersOf({
  consumer,
  pulls,
  kept,
  base,
  now,
}: {
  readonly consumer: Consumer
  /** Of all its upgrade branches. */
  readonly pulls: readonly PullSeen[]
  readonly kept: Answers
  /** The name of the main branch. */
  readonly base: string
  readonly now: Date
}): readonly Answer[] {
  const own = pulls.filter((pull) => isAbout(pull, consumer))
  const seen = own.flatMap((pull) => answerIn(pull, { consumer, base, now }) ?? [])
  const numbers = new Set(own.map(({ number }) => number))
  const others = kept.answers.filter(
    ({ consumer: key, pullRequest }) => key === consumer.key && !numbers.has(pullRequest),
  )
  return [...seen, ...others]
}

/** The answers to keep, after one consumer has been looked at. */
export function keptAnswers(kept: Answers, consumer: string, answers: readonly Answer[]): Answers {
  return { answers: [...kept.answers.filter((each) => each.consumer !== consumer), ...answers] }
}

/** Whether a pull request is an offer of ours to this consumer. */
function isAbout({ branch, isOurs }: PullSeen, { kind, name }: Consumer): boolean {
  const read = readBranchName(branch)
  return isOurs && read !== undefined && branch === branchOf({ kind, name }, read.major)
}

function answerIn(
  pull: PullSeen,
  { consumer, base, now }: { readonly consumer: Consumer; readonly base: string; readonly now: Date },
): Answer | undefined {
  const offered = offeredBy(pull)
  const at = pull.ended ?? now.toISOString()
  const answer = {
    consumer: consumer.key,
    version: offered.to,
    from: offered.from ?? consumer.version,
    pullRequest: pull.number,
    at,
    ...(pull.closedBy !== undefined && { by: pull.closedBy }),
  }
  if (pull.state === 'merged') {
    // What went to another branch has not come here yet.
    const isBack = pull.base === base && compareVersions(consumer.version, offered.to) < 0
    // It was merged in the moment in which it was moved on, as what it had been before.
    if (consumer.version === offered.was) return undefined
    // Whichever way it came there, it runs less than that now.
    return isBack && offered.isSure
      ? { ...answer, from: consumer.version, width: 'version', reverted: true }
      : undefined
  }
  const ticked = tickedIn(pull.body)
  if (ticked.has('never')) return { ...answer, width: 'never' }
  if (ticked.has('skip-major')) return { ...answer, width: 'major' }
  if (ticked.has('later') && offered.isSure) {
    const until = offered.later ?? new Date(Date.parse(at) + laterDays * day).toISOString()
    if (Date.parse(until) > now.getTime()) return { ...answer, width: 'later', until }
    // Who closes it all the same has answered.
    if (pull.closedBy === 'us') return undefined
  }
  if (pull.state === 'open' || pull.closedBy === 'us') return undefined
  // What was offered is not to be seen any more: then all of this branch is declined, rather than something offered again.
  return { ...answer, width: offered.isSure ? 'version' : 'major' }
}

type Offered = {
  readonly to: string
  readonly from?: string
  readonly was?: string
  readonly later?: string
  readonly isSure: boolean
}

/**
 * What a pull request has offered: by its marker and by its title. A person may have changed either, so the higher of the two counts,
 * as far as it is of the branch's major.
 */
function offeredBy({ body, title, branch }: PullSeen): Offered {
  const major = readBranchName(branch)?.major ?? 0
  const marker = readMarker(body)
  const titled = / (\d+\.\d+\.\d+) → (\d+\.\d+\.\d+)/u.exec(title)
  const versions = [marker?.to, titled?.[2]].filter(
    (version): version is string => version !== undefined && parseVersion(version)?.major === major,
  )
  const to = versions.toSorted(compareVersions).at(-1)
  const from = marker?.from ?? titled?.[1]
  const later = marker?.later
  return {
    to: to ?? `${major}.0.0`,
    ...(from !== undefined && parseVersion(from) !== undefined && { from }),
    ...(marker?.was !== undefined && { was: marker.was }),
    ...(later !== undefined && { later }),
    isSure: to !== undefined,
  }
}
