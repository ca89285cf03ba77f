import type { BranchSeen, PullSeen, RepositoryState } from './seen.ts'

/**
 * What the upgrade bot knows, and what it may do. One consumer has one stable branch a major, and at most one open pull request on
 * it; a track is such a branch. All that is known of a track is a value (`Facts`), and what is to be done is one (`Decision`): who
 * reads and who writes are elsewhere, and decide nothing. Times are ISO 8601 in UTC, object ids are those of git in hex.
 */

/** What runs a version of a template. */
export type Consumer = {
  /** `<database id of the repository>:<file>`: a renamed repository keeps it, so it is what records are found by. */
  readonly key: string
  readonly kind: 'service' | 'environment'
  readonly name: string
  /** The team that answers for it. */
  readonly owner?: string
  readonly template: string
  /** What its file on the default branch says. */
  readonly version: string
  /** Its file, in its repository. */
  readonly file: string
  /** `owner/name`, as GitHub calls it today. */
  readonly repository: string
  /** Custom properties of its repository. */
  readonly properties: ReadonlyMap<string, string>
  readonly wishes: Wishes
  /** Of an environment: the place of its first stage in the order of promotion. */
  readonly stage?: number
}

/** What a service's own file says under `upgrades:`. */
export type Wishes = {
  /** `upgrades: off`: nothing is offered. */
  readonly off?: true
  /** `major: off`: no new major is offered. */
  readonly majorOff?: true
  /** `canary: true`: it wants to be among the first. */
  readonly canary?: true
  /** `automerge: true`: it may be merged by itself, as far as the catalog allows it. */
  readonly automerge?: true
  readonly schedule?: readonly Schedule[]
}

/** A window of each week in which pull requests are opened; `every` as in `freezes:`, `mon 09:00 - thu 16:00`. */
export type Schedule = { readonly every: string; readonly zone: string }

// What is known

export type Facts = {
  readonly now: Date
  readonly consumer: Consumer
  readonly access: Access
  readonly base: RepositoryState['base']
  /** The branch of this track, where there is one. */
  readonly branch?: BranchSeen
  /** The pull requests from this branch, the newest first. */
  readonly pulls: readonly PullSeen[]
  readonly target: Target
  /** What rendering, migration and merge have come to on the base; not asked for where the target is nothing. */
  readonly desired?: Desired
  readonly turn: Turn
  /** Whether GitHub may merge it by itself, by its rendered evidence and by the catalog. */
  readonly automerge: boolean
  /** Of a branch that a person has pushed to: nothing is left in its file that somebody has to answer. */
  readonly isAnswered?: boolean
}

/** Whether anything may be written there: where not, `words` say in one sentence what is in the way, and nothing is tried. */
export type Access = { readonly is: 'ready' } | { readonly is: 'closed'; readonly words: string }

/** Which version a track is to move to. */
export type Target =
  | {
      readonly is: 'move'
      readonly to: string
      readonly way: 'forward' | 'back'
      readonly isUrgent: boolean
      /** Versions that were taken back: what offers one of them is not to be merged. */
      readonly retracted?: readonly string[]
    }
  | { readonly is: 'none'; readonly why: NoTarget }

/**
 * Why nothing is offered: `newest` runs what there is, or more; `declined` by somebody, or to be asked `later`; `off` by its file;
 * `moved` to another template or removed; `retracted` is all that there was to offer; `other-major` has gone on to a higher one.
 */
export type NoTarget = 'newest' | 'declined' | 'later' | 'off' | 'moved' | 'retracted' | 'other-major'

/** What the upgrade would write, and what it would do; found without writing anything. */
export type Desired =
  /** Nothing that is deployed and nothing that is generated would change: the version rides along with the next that does. */
  | { readonly is: 'same' }
  | {
      readonly is: 'change'
      /** By `fingerprintOf`: the same for the same content, whatever else has moved on the base. */
      readonly fingerprint: string
      /** What a person must answer or settle; with any, it is a draft. */
      readonly open: number
    }
  /** Nothing can be proposed: the file is not valid, or the new version does not render. */
  | { readonly is: 'impossible'; readonly why: 'invalid-file' | 'does-not-render' | 'blocked'; readonly words: string }

/** Whether it is this consumer's turn. What is open already is kept up to date, except while a rollout is halted. */
export type Turn =
  | { readonly is: 'now' }
  | { readonly is: 'waits'; readonly for: Wait; readonly until?: string; readonly words: string }

export type Wait = 'wave' | 'stage' | 'window' | 'team' | 'pace' | 'minor' | 'paused' | 'halted' | 'aborted' | 'later'

// What people have said

/**
 * What somebody has answered to an offer: not this version, not this major, never, or later. It holds for what the pull request
 * offered then, and is taken back by reopening it or by taking its tick away.
 */
export type Answer = {
  readonly consumer: string
  readonly width: 'version' | 'major' | 'never' | 'later'
  /** What was offered, to a consumer of which version. */
  readonly version: string
  readonly from: string
  readonly pullRequest: number
  readonly at: string
  /** Who has closed it, `@ada`; `us` where that was done because of a tick. */
  readonly by?: string
  /** Of `later`: asked again from then on. */
  readonly until?: string
  /** A merged upgrade was reverted afterwards. */
  readonly reverted?: true
}

// What is to be done

/** Where a consumer stands, for the rollout and for people. */
export type Standing =
  | 'compatible'
  | 'current'
  | 'waits'
  | 'open'
  | 'held'
  | 'failing'
  | 'conflicting'
  | 'needs-answer'
  | 'taken-over'
  | 'queued'
  | 'declined'
  | 'off'
  | 'merged'
  | 'reverted'
  | 'closed'
  | 'impossible'
  | 'unreachable'

export type Decision = {
  readonly action: Action
  readonly standing: Standing
  /** One sentence: why, for the rollout's issue and the log. */
  readonly why: string
  /** What the body says besides; the body is written again where it differs from what it says now. */
  readonly notice?: Notice
}

/** What a pull request's body tells first, beside its content. */
export type Notice =
  | { readonly is: 'taken-over'; readonly newer?: string }
  /** A newer one is ready, and this one is approved or green: it merges first. */
  | { readonly is: 'next'; readonly version: string }
  | { readonly is: 'halted' | 'paused'; readonly words: string }
  | { readonly is: 'failing'; readonly isOwn: boolean }
  | { readonly is: 'impossible'; readonly words: string }

export type Action =
  | { readonly is: 'nothing' }
  /**
   * A commit on the base, on our branch, and a pull request. `before` is where the branch is now: nothing where there is none, and
   * then there must be none when it is written.
   */
  | { readonly is: 'open'; readonly before?: string; readonly draft: boolean; readonly automerge: boolean }
  /** The branch holds what is wanted at `head`, and no pull request was ever made: a run was cut off between the two. */
  | { readonly is: 'finish'; readonly head: string; readonly draft: boolean }
  /** A new commit on the base takes the place of our own, if that is still `before`; text and draft follow. */
  | {
      readonly is: 'move'
      readonly pull: PullSeen
      readonly before: string
      readonly draft: boolean
      /** Nothing where it stays as it is. */
      readonly automerge?: boolean
    }
  /** What is new comes as a commit on top of a person's; ours are then those of the branch, and no ref is forced. */
  | { readonly is: 'append'; readonly pull: PullSeen; readonly onto: string }
  /** The commits stay; text, draft and automerge follow where they differ. */
  | {
      readonly is: 'keep'
      readonly pull: PullSeen
      readonly draft: boolean
      /** Nothing where it stays as it is. */
      readonly automerge?: boolean
    }
  /** `branch` is deleted with it if it is still there. */
  | {
      readonly is: 'close'
      readonly pull: PullSeen
      readonly because: Closing
      readonly branch?: { readonly before: string }
    }
  | { readonly is: 'delete-branch'; readonly before: string }

export type Closing = 'done' | 'off' | 'moved' | 'retracted' | 'not-needed' | 'other-major' | 'later' | 'declined'
