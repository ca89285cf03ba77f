import { shorten } from '../../core/markdown.ts'
import { Refused } from '../../core/problem.ts'

/** Whether a write may or may not have taken place, or met another that did the same: it has to be looked. */
export function isUncertain(error: unknown): boolean {
  const failure = failureOf(error)
  if (failure === undefined) return false
  const { status, message } = failure
  return status >= 500 || status === 409 || (status === 422 && /already[ _]exists/iu.test(message))
}

export function isStatus(error: unknown, ...statuses: readonly number[]): boolean {
  const failure = failureOf(error)
  return failure !== undefined && statuses.includes(failure.status)
}

/** What GitHub said, where something went wrong. */
export function wordsOf(error: unknown): string {
  return failureOf(error)?.message ?? ''
}

/**
 * Runs what speaks to GitHub, and turns what went wrong into what people can act on. `doing` is what was tried, as it follows on "GitHub
 * would not let Protium": `read pull request 12 of acme/checkout`.
 */
export async function told<T>(doing: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (error) {
    if (error instanceof Error && error.name === 'AbortError') {
      throw new Refused('interrupted', `The run was stopped while Protium was about to ${doing}.`, {
        remedy: 'Run the same command again: it looks first, and does what is left.',
        cause: error,
      })
    }
    const failure = failureOf(error)
    throw failure === undefined ? error : refusalOf(doing, failure)
  }
}

type Failure = {
  readonly status: number
  /** What GitHub said, without the addresses of its documentation. */
  readonly message: string
  readonly headers: Readonly<Record<string, unknown>>
  readonly error: unknown
}

function failureOf(error: unknown): Failure | undefined {
  if (
    !(error instanceof Error) ||
    error.name === 'AbortError' ||
    !('status' in error) ||
    typeof error.status !== 'number'
  )
    return undefined
  const response = 'response' in error && typeof error.response === 'object' ? error.response : null
  const headers =
    response !== null && 'headers' in response && typeof response.headers === 'object' ? response.headers : null
  const message = error.message.replace(/ - https:\/\/docs\.github\.com\S*$/u, '')
  return { status: error.status, message: shorten(message), headers: { ...headers }, error }
}

export function refusalOf(doing: string, { status, message, headers, error: cause }: Failure): Refused {
  const limited = limitOf({ status, message, headers })
  if (limited !== undefined) {
    return new Refused('github-rate-limited', `GitHub takes no more requests for now, so Protium could not ${doing}.`, {
      remedy: `${limited} Then run this again; it goes on where it was.`,
      cause,
    })
  }
  if (status === 401) {
    return new Refused('github-permission', `GitHub does not know the token, so Protium could not ${doing}.`, {
      remedy: 'The token has expired or was revoked. Run the job again; it gets a new one.',
      cause,
    })
  }
  if (status === 403) {
    return new Refused('github-permission', `GitHub would not let Protium ${doing}: ${sentence(message)}`, {
      remedy: permissionRemedy(headers),
      cause,
    })
  }
  if (status === 404 || status === 410) {
    return new Refused(
      'github-not-found',
      `GitHub has nothing there, or hides it from this token: Protium could not ${doing}.`,
      {
        remedy: `Check the name. If it is right: ${permissionRemedy(headers)}`,
        cause,
      },
    )
  }
  if (status >= 500 || status === 408) {
    return new Refused(
      'github-unreachable',
      `GitHub did not answer, so Protium could not ${doing}: ${sentence(message)}`,
      {
        remedy:
          'Run this again; what has been done is not done twice. https://www.githubstatus.com says how GitHub is.',
        cause,
      },
    )
  }
  return new Refused('github-conflict', `GitHub would not let Protium ${doing}: ${sentence(message)}`, {
    remedy: 'Something else changed it, or does not allow it. Look at it on GitHub, then run this again.',
    cause,
  })
}

function sentence(message: string): string {
  return /[.!?]$/u.test(message) ? message : `${message}.`
}

/** How long to wait, if it is for GitHub's limits. Secondary limits are told by words alone. */
function limitOf({ status, message, headers }: Omit<Failure, 'error'>): string | undefined {
  if (status !== 403 && status !== 429) return undefined
  const isPrimary = headers['x-ratelimit-remaining'] === '0' || /\brate limit exceeded\b/iu.test(message)
  if (status === 403 && !isPrimary && !/\bsecondary rate\b/iu.test(message)) return undefined
  const after = Number(headers['retry-after'])
  if (after > 0) return `Wait ${Math.ceil(after / 60)} min.`
  const reset = Number(headers['x-ratelimit-reset'])
  if (isPrimary && reset > 0) return `Wait until ${new Date(reset * 1000).toISOString().slice(11, 16)} UTC.`
  return 'Wait a few minutes.'
}

/** GitHub names what would have been enough: `issues=write; pull_requests=write`. A job is granted it in its workflow file. */
function permissionRemedy(headers: Failure['headers']): string {
  const accepted = headers['x-accepted-github-permissions']
  if (typeof accepted !== 'string' || !/^[a-z_=,; ]{1,200}$/u.test(accepted)) {
    return 'Let the job, or the App, have access to the repository.'
  }
  const ways = accepted.split(';').map((way) =>
    way
      .trim()
      .split(',')
      .map((each) => `\`${each.trim().replaceAll('_', '-').replace('=', ': ')}\``)
      .join(' and '),
  )
  return `Give the job ${ways.join(' or ')} under \`permissions:\`, or the App the same.`
}
