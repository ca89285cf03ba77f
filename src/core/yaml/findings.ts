import type { ProblemCode } from '../problem-codes.ts'
import type { Checked, Problem } from '../problem.ts'
import { linesOf, placeAt } from './spots.ts'

/** A problem whose place is still an offset into the text. */
export type Finding = {
  readonly code: ProblemCode
  readonly severity: 'error' | 'warning'
  readonly offset: number
  readonly message: string
  readonly expected: string
  readonly remedy: string
}

/** More problems than this are of no help to anybody, and a hostile file could make any number of them. */
export const mostFindings = 100

/** The value with its warnings, or all problems in the order of their places. */
export function checked<T>(file: string, text: string, findings: readonly Finding[], value: T): Checked<T> {
  if (findings.length === 0) return { ok: true, value, problems: [] }
  const lines = linesOf(text)
  const problems = findings
    .toSorted((a, b) => a.offset - b.offset)
    .map(({ offset, ...rest }): Problem => ({ ...rest, at: placeAt(file, lines, offset) }))
  if (problems.some(({ severity }) => severity === 'error')) return { ok: false, problems }
  return { ok: true, value, problems }
}
