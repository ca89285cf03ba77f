import type { Opened } from '../organisation.ts'
import type { Problem } from '../problem.ts'
import type { Consumer } from './model.ts'

/** A consumer's file with its inputs as another version wants them, and what was done to them. */
export type Migrated = {
  readonly text: string
  readonly shown: readonly { readonly path: string; readonly why: string }[]
  /** What a person has to answer first. */
  readonly problems: readonly Problem[]
}

/** Takes a consumer's file on the way from one version to another by the migrations of its template. */
export function migrated(
  { text }: Consumer,
  _way: {
    readonly before: Opened
    readonly after: Opened
    readonly template: string
    readonly version: string
    readonly to: string
  },
): Migrated {
  return { text, shown: [], problems: [] }
}
