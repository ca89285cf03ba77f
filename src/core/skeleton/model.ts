import type { DataMap } from '../data.ts'
import type { Hunk } from '../merge.ts'
import type { FileTree } from '../tree.ts'

/**
 * Who has the say over a file that a template gives to the repository of a service.
 *
 * - `managed`: the template. What somebody has changed in it is told, and overwritten.
 * - `merge`: both. What the template changes is merged into what its user has made of it.
 * - `seed`: the user. It is written once, and never touched again.
 * - `block`: the template has the lines between two marks, the user all others.
 */
export type Ownership = 'managed' | 'merge' | 'seed' | 'block'

/** A skeleton as it is rendered for one service. Of a `block`, the text is what stands between the marks. */
export type Skeleton = {
  /** The version that it came from, `fargate-service@2.3.0`. */
  readonly from: string
  readonly files: FileTree
  readonly owners: ReadonlyMap<string, Ownership>
  /** Of the values, those that a file can depend on: another rendering needs no others. */
  readonly values: ServiceValues
}

/** What a skeleton is rendered with: nothing of a stage. */
export type ServiceValues = {
  readonly name: string
  readonly owner?: string
  /** As they are written for all stages, without the defaults of the schema. */
  readonly inputs: DataMap
}

/** What `.protium/lock.json` says of one file. */
export type Locked = {
  /** The version whose file it is based on, `fargate-service@2.3.0`. */
  readonly from: string
  /** The digest of that file as it was rendered: what a new rendering of the base has to have. */
  readonly base: string
  /** What was settled about hunks that both have changed, by their ids, the oldest first. */
  readonly settled: ReadonlyMap<string, Choice>
}

/** The lock of a repository: what its files came from, and the values that they were rendered with then. */
export type Lock = { readonly values: ServiceValues; readonly files: ReadonlyMap<string, Locked> }

/** Which side a hunk takes. */
export type Choice = 'mine' | 'template'

/** What the repository has at the paths that were asked for; what is in neither of the two is not there. */
export type Ours = {
  readonly files: FileTree
  /** What is there and is no text that may be edited: no UTF-8, a symbolic link, a folder or a submodule, too large to be read. */
  readonly others: ReadonlyMap<string, 'binary' | 'link' | 'folder' | 'large'>
}

/** Something that a person decides: its id (the same as long as all its sides are), and what is taken until, or since, then. */
export type Question = { readonly id: string; readonly choice: Choice; readonly isSettled: boolean }

/** Why somebody has to look at a file. */
export type Why =
  /** The file as it was when it was last merged cannot be made again: its version is gone, or it comes out another. */
  | 'no-base'
  /** Template and user have each made a file of this name. */
  | 'both-added'
  /** A link, a folder, a submodule, no text, or too large. */
  | 'no-text'
  /** More lines than are merged. */
  | 'too-long'
  /** What would come out is not right; `words` is the end of a sentence that begins with the file. */
  | 'unsure'

/** What became of one file. A file of which nothing is to be said has no outcome. */
export type FileOutcome = { readonly path: string; readonly owner: Ownership } & (
  | { readonly is: 'added' }
  /** The user had not changed it. */
  | { readonly is: 'updated' }
  /** Both had changed it, in different places. */
  | { readonly is: 'merged' }
  /** The template no longer has it, and the user had not changed it. */
  | { readonly is: 'removed' }
  /** The template has the say: these lines of the user's are gone. */
  | { readonly is: 'overwritten'; readonly lost: readonly string[] }
  /** `deleted`: the user has deleted it. `dropped`: the template no longer has it, and the user has changed it. `unmarked`: the marks of the block are gone. */
  | { readonly is: 'kept'; readonly why: 'deleted' | 'dropped' | 'unmarked' }
  /** In each hunk that nobody has decided, ours stays. */
  | { readonly is: 'conflict'; readonly hunks: readonly (Hunk & Question)[] }
  /** Left as it is, unless `question` says otherwise. Of a `block`, the texts are those between the marks. */
  | {
      readonly is: 'review'
      readonly why: Why
      readonly words?: string
      readonly ours?: string
      readonly before?: string
      readonly after: string
      /** There where the whole file can be had as the template has it. */
      readonly question?: Question
    }
)
