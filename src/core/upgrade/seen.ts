import type { FileTree } from '../tree.ts'

/**
 * What is seen of the repositories of a fleet, by one reading. `id` is GitHub's own key of a repository, which stays when it is
 * renamed or moved; `number` is the same as a number, and `name` is `owner/name`.
 */
export type FleetRepository = {
  readonly id: string
  readonly number: number
  readonly name: string
  readonly is: 'usable' | 'archived' | 'disabled'
  /** What the organisation says of it, by the names of custom properties. */
  readonly properties: Readonly<Record<string, readonly string[]>>
}

/** One repository as it was read, or why it was not. `unread` may be tried again by a later run. */
export type RepositorySeen =
  | ({ readonly is: 'read'; readonly repository: FleetRepository } & RepositoryState)
  | { readonly is: 'gone'; readonly repository: FleetRepository }
  | {
      readonly is: 'unusable'
      readonly repository: FleetRepository
      readonly why: 'archived' | 'disabled' | 'locked' | 'empty'
    }
  | { readonly is: 'unread'; readonly repository: FleetRepository; readonly why: string }

export type RepositoryState = {
  /** The main branch, the commit at its head and that commit's tree. */
  readonly base: {
    readonly branch: string
    readonly commit: string
    readonly tree: string
    /** How the checks of that commit ended. */
    readonly checks?: ChecksSeen
  }
  readonly mayWrite: boolean
  readonly mayAutomerge: boolean
  readonly files: FilesSeen
  /** Our branches, those with the prefix that was asked for, and the pull requests from each, the newest first. */
  readonly branches: readonly BranchSeen[]
  /** The pull requests from branches that were asked for by name, where one is gone. */
  readonly pulls: readonly PullSeen[]
}

/** The files at the paths that were asked for, on the main branch. What is not there has no entry. */
export type FilesSeen = ReadonlyMap<string, FileSeen>

/** What is no text has nothing that could be merged: bytes, a link, a folder (or a repository in its place), more than can be read. */
export type FileSeen =
  | { readonly is: 'text'; readonly oid: string; readonly text: string; readonly isExecutable?: true }
  | { readonly is: 'binary' | 'link' | 'folder' | 'large'; readonly oid: string }

export type BranchSeen = {
  /** Without `refs/heads/`. */
  readonly name: string
  readonly commit: string
  readonly tree: string
  readonly message: string
  /** GitHub has signed the commit itself: it was made by an App, or on its pages. */
  readonly isSigned: boolean
  /** Besides, it is by us and nobody else. */
  readonly isOurs: boolean
  readonly pulls: readonly PullSeen[]
  /** The file of its consumer there, where that was asked for. */
  readonly file?: FileSeen
}

export type ChecksSeen = 'success' | 'failure' | 'pending'

export type PullSeen = {
  readonly id: string
  readonly number: number
  readonly branch: string
  readonly base: string
  /** The commit at its head, as GitHub has last seen it. */
  readonly head: string
  readonly state: 'open' | 'merged' | 'closed'
  /** It was opened by us. */
  readonly isOurs: boolean
  /** Who closed it without merging it, where GitHub tells: `us`, or a login behind `@`. */
  readonly closedBy?: 'us' | `@${string}`
  /** Times as ISO 8601 has them. */
  readonly created: string
  readonly ended?: string
  readonly isDraft: boolean
  readonly isQueued: boolean
  readonly isAutomerging: boolean
  readonly isApproved: boolean
  readonly checks?: ChecksSeen
  readonly mergeable: 'yes' | 'no' | 'unknown'
  readonly title: string
  readonly body: string
  /** The commit that it became. */
  readonly merged?: string
}

/** What became of a pull request; of one that is merged, the deployments of its commit, each environment by its newest state. */
export type OutcomeSeen = {
  /** The token may not see deployments: that there are none says nothing. */
  readonly isBlind?: true
  readonly repository: FleetRepository
  readonly pull: PullSeen
  readonly deployments: readonly { readonly environment: string; readonly state: DeploymentSeen; readonly at: string }[]
}

export type DeploymentSeen = 'success' | 'failure' | 'running'

/** A write to one repository. `key` is what the answer is known by; nothing else is done with it. */
export type FleetWrite = { readonly key: string; readonly repository: Pick<FleetRepository, 'id' | 'name'> } & (
  | ({
      readonly is: 'open'
      /** The commit that our branch has to be at; nothing where it must not be there. */
      readonly before?: string
      readonly isDraft: boolean
    } & Content)
  /** The branch stands already, by a run that was ended before the pull request. */
  | {
      readonly is: 'reopen'
      readonly branch: string
      readonly base: string
      readonly head: string
      readonly title: string
      readonly body: string
      readonly isDraft: boolean
    }
  | ({
      readonly is: 'forward'
      readonly pull: string
      readonly before: string
      /** What it is to become, if it is not. */
      readonly draft?: 'draft' | 'ready'
    } & Content)
  | {
      readonly is: 'edit'
      readonly pull: string
      readonly title?: string
      readonly body?: string
      readonly draft?: 'draft' | 'ready'
    }
  /** Closes a pull request, and deletes our branch if it is at that commit. */
  | {
      readonly is: 'close'
      readonly pull: string
      readonly body?: string
      readonly branch?: string
      readonly before?: string
    }
  | { readonly is: 'delete'; readonly branch: string; readonly before: string }
  /** A commit upon what stands on a branch, if that is still `before`. */
  | {
      readonly is: 'append'
      readonly branch: string
      readonly before: string
      readonly files: FileTree
      readonly deleted: readonly string[]
      readonly message: string
      readonly pull: string
      readonly body?: (commit: string) => string
    }
  | { readonly is: 'automerge'; readonly pull: string; readonly head: string; readonly wanted: 'on' | 'off' }
)

/** One commit upon the main branch, on our branch, and what its pull request says. */
type Content = {
  readonly base: { readonly branch: string; readonly commit: string; readonly tree: string }
  readonly branch: string
  /** The files that change, whole; `executable` are those that can be run. */
  readonly files: FileTree
  readonly executable?: readonly string[]
  readonly deleted: readonly string[]
  readonly message: string
  readonly title: string
  /** What it says, once the commit is known. */
  readonly body: (commit: string) => string
  /** Has GitHub merge it by itself when all that is required is there. */
  readonly automerge?: true
}

/** What came of a write. */
export type FleetWritten = { readonly key: string } & (
  | {
      readonly is: 'opened'
      readonly pull: { readonly id: string; readonly number: number }
      readonly head: string
      readonly at: string
      /** Why GitHub does not merge it by itself, where it was to. */
      readonly left?: string
    }
  /** Somebody has one open from our branch: a run whose answer was lost, or another that was faster. */
  | { readonly is: 'there' }
  | { readonly is: 'done'; readonly head?: string; readonly left?: string }
  /** The branch, or the pull request, was not as it was read: nothing was changed. The next run looks again. */
  | { readonly is: 'moved' }
  | { readonly is: 'refused'; readonly why: RefusedBecause; readonly words: string }
  /** It is not known what came of it, or GitHub takes no more for now: the next run looks, and does what is left. */
  | { readonly is: 'left'; readonly why: string }
)

export type RefusedBecause = 'gone' | 'archived' | 'permission' | 'workflows' | 'rules' | 'invalid'
