import type { RefusedBecause } from '../../../core/upgrade/seen.ts'

export type Refusal = { readonly is: 'refused'; readonly why: RefusedBecause; readonly words: string }

/** What stands in the way of a write to one repository, by GitHub's words. */
export function refusalFor(message: string, status?: number): Refusal {
  return { is: 'refused', why: reasonOf(message, status), words: message }
}

function reasonOf(message: string, status: number | undefined): RefusedBecause {
  if (/archived|read-?only/iu.test(message)) return 'archived'
  if (/workflow/iu.test(message) && /permission|scope|refusing/iu.test(message)) return 'workflows'
  if (/\brules?\b|rule violations|protected|GH0\d\d/iu.test(message)) return 'rules'
  if (/not accessible by|must have|permission|forbidden|denied/iu.test(message) || status === 403) return 'permission'
  if (/could not resolve to|not found/iu.test(message) || status === 404) return 'gone'
  return 'invalid'
}

/** GitHub compares branches some seconds behind, and does not know of a commit until then. */
export function isBehind(message: string): boolean {
  return /head sha can't be blank|no commits between|base sha can't be blank|could not resolve to a node/iu.test(
    message,
  )
}

/** What GitHub counts as too much new content; of a field in GraphQL, with an answer that is otherwise well. */
export function isTooFast(message: string): boolean {
  return /submitted too quickly|secondary rate limit|abuse detection/iu.test(message)
}

export function isThereAlready(message: string): boolean {
  return /pull request already exists/iu.test(message)
}

/** A branch that is not where it was said to be, as against one that a rule keeps. */
export function isMoved(message: string): boolean {
  return reasonOf(message, undefined) === 'invalid'
}
