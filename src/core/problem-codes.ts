/**
 * Every problem that Protium can report, by its stable code. From this table come the pages in `docs/problems/` and what
 * `protium explain <code>` prints. A code is never reused for something else; a line is added in alphabetical order.
 */
export const problemCodes = {
  'unknown-template': {
    title: 'The template is not in the catalog',
    why: 'A spec names a template that the catalog does not have, so nothing can be rendered.',
    fix: 'Correct the name in `template:`; the message names the nearest ones. `protium validate` checks again.',
  },
} as const satisfies Record<string, ProblemText>

export type ProblemCode = keyof typeof problemCodes

type ProblemText = {
  /** A short headline, without a full stop. */
  readonly title: string
  /** Why it is a problem: one to three sentences. */
  readonly why: string
  /** How to mend it: one to three sentences, Markdown. */
  readonly fix: string
}
