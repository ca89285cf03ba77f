import type { ProblemCode } from './problem-codes.ts'

/** A place in a file. Lines and columns count from 1; columns count UTF-16 units, as editors and GitHub do. */
export type Place = { readonly file: string; readonly line: number; readonly column: number }

/**
 * Something that the user can mend. All problems of a run are collected and shown together.
 *
 * `message` says what is wrong, `expected` what would have been right, `remedy` what to do now. Each is one or two plain
 * sentences that stand alone; none of them repeats the place.
 */
export type Problem = {
  readonly code: ProblemCode
  readonly severity: 'error' | 'warning'
  readonly message: string
  readonly expected?: string
  readonly remedy: string
  readonly at?: Place
  /** Other places that have a part in it: the other claimant of a host, the chain of includes, the input behind a value. */
  readonly related?: readonly { readonly at: Place; readonly note: string }[]
}

/** A value, or the problems that stood in its way; a value may come with warnings. */
export type Checked<T> =
  | { readonly ok: true; readonly value: T; readonly problems: readonly Problem[] }
  | { readonly ok: false; readonly problems: readonly Problem[] }

/**
 * The world does not allow it now: a stack is busy, a lock is held, an approval is missing. Not the fault of a file.
 * `remedy` is the next command or the next step.
 */
export class Refused extends Error {
  readonly code: string
  readonly remedy: string
  /** Something is left that the same run takes up when it is run again. */
  readonly isOpen: boolean

  constructor(
    code: string,
    message: string,
    options: { readonly remedy: string; readonly cause?: unknown; readonly isOpen?: true },
  ) {
    super(message, { cause: options.cause })
    this.isOpen = options.isOpen ?? false
    this.name = 'Refused'
    this.code = code
    this.remedy = options.remedy
  }
}

/** Whether the run has ended and the work has not, or it is not known whether it has: the same run again takes it up. */
export function isOpen({ code, isOpen: isLeft }: Refused): boolean {
  return isLeft || code === 'interrupted' || code === 'outcome-unknown'
}
