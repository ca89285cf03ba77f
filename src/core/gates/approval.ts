/**
 * Whose word counts as the approval of a stage. Not that of who made the change; not one from before the last push; not one that
 * was taken back. Whether somebody is one of those that a stage names is asked for the few whose word could count.
 */

/** A review of a pull request. `commit` is the last one that there was; `at` is as `Date.toISOString` writes it, or nearly so. */
export type Review = {
  readonly by: string
  readonly is: 'approved' | 'refused' | 'dismissed' | 'commented'
  readonly commit: string
  readonly at: string
}

/** What a reviewer of an environment said of the jobs of a run. */
export type RunApproval = {
  readonly by: string
  readonly is: 'approved' | 'rejected'
  readonly environments: readonly string[]
}

/** What a change is, and who had his hands in it. Without a pull request there are no reviews. */
export type Change = {
  readonly head: string
  readonly author: string
  readonly committers: readonly string[]
  /** Some of the commits are not known. */
  readonly isPartial?: boolean
}

/** Somebody whose word could count. */
export type Voice = { readonly by: string; readonly how: 'environment' | 'review'; readonly at?: string }

export type Voices = {
  /** Who approves, those of the environment first. */
  readonly approving: readonly Voice[]
  /** Who asks for changes. */
  readonly refusing: readonly Voice[]
  /** Whose approval does not count, and why: sentences. */
  readonly not: readonly string[]
}

/** What is known of the approval of a deployment. */
export type Approval = {
  /** Whom the stage names: `@acme/platform`, `@ada`. */
  readonly asks: readonly string[]
  /** Who has approved and may. */
  readonly by?: Voice
  /** Who of those that may asks for changes. */
  readonly against?: Voice
  readonly not: readonly string[]
}

/** GitHub's names are the same in any case. */
export function isSamePerson(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase()
}

/** Sorts out whose word could count: each person's last one, where it is one of the last commit. */
export function voicesOf({
  stage,
  change,
  approvals,
  reviews,
}: {
  /** The name of the environment whose reviewers are meant. */
  readonly stage: string
  readonly change: Change | undefined
  readonly approvals: readonly RunApproval[]
  readonly reviews: readonly Review[]
}): Voices {
  const approving: Voice[] = []
  const refusing: Voice[] = []
  const not = new Set<string>()
  const own = (by: string): string | undefined => {
    if (change === undefined) return undefined
    if (isSamePerson(by, change.author)) return `${by} has opened the pull request, so his approval does not count.`
    if (change.committers.some((each) => isSamePerson(each, by)))
      return `${by} has made a commit of it, so his approval does not count.`
    return change.isPartial === true
      ? `There are too many commits to know whether ${by} has made one, so his approval does not count.`
      : undefined
  }
  for (const { by, is, environments } of approvals) {
    if (is !== 'approved' || !environments.some((name) => isSamePerson(name, stage))) continue
    const fault = own(by)
    if (fault === undefined) approving.push({ by, how: 'environment' })
    else not.add(fault)
  }
  for (const { by, is, commit, at } of lastWords(reviews)) {
    if (is === 'refused') refusing.push({ by, how: 'review', at })
    if (is === 'dismissed') not.add(`The review of ${by} was dismissed.`)
    if (is !== 'approved') continue
    const fault =
      commit === change?.head
        ? own(by)
        : `${by} has approved ${commit.slice(0, 7)}, and commits were pushed after that.`
    if (fault === undefined) approving.push({ by, how: 'review', at })
    else not.add(fault)
  }
  return { approving, refusing, not: [...not] }
}

/** A remark takes nothing back. */
function lastWords(reviews: readonly Review[]): readonly Review[] {
  const last = new Map<string, Review>()
  for (const review of reviews) {
    if (review.is === 'commented') continue
    // Who speaks again comes last.
    last.delete(review.by.toLowerCase())
    last.set(review.by.toLowerCase(), review)
  }
  return [...last.values()]
}
