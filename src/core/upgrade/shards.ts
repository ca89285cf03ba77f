import { compareText } from '../canonical.ts'

/** One repository and how many requests that write are expected of it. */
export type Share = { readonly repository: string; readonly writes: number }

/** A token names 500 repositories at the most. https://docs.github.com/en/rest/apps/apps#create-an-installation-access-token-for-an-app */
const mostRepositories = 500

/**
 * The work of one run in parts that are done at once, each by a job with a token for its own repositories alone. They are of about the
 * same size, and the same work gives the same parts. What is in `shares` with no writes is in none.
 */
export function shardsOf(
  shares: readonly Share[],
  { most, least = 50 }: { readonly most: number; readonly least?: number },
): readonly (readonly string[])[] {
  const busy = shares
    .filter(({ writes }) => writes > 0)
    .toSorted((a, b) => b.writes - a.writes || compareText(a.repository, b.repository))
  const number = Math.max(Math.min(most, Math.ceil(busy.length / least)), Math.ceil(busy.length / mostRepositories))
  const parts = Array.from({ length: number }, () => emptyPart())
  for (const { repository, writes } of busy) {
    const smallest = parts.reduce((a, b) =>
      b.writes < a.writes || (b.writes === a.writes && b.repositories.length < a.repositories.length) ? b : a,
    )
    smallest.writes += writes
    smallest.repositories.push(repository)
  }
  return parts.map(({ repositories }) => repositories.toSorted(compareText)).filter(({ length }) => length > 0)
}

function emptyPart(): { writes: number; readonly repositories: string[] } {
  return { writes: 0, repositories: [] }
}
