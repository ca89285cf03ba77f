import type { Identity } from './identity.ts'
import type { Answer } from './world.ts'

/** How many requests an hour; how much new content a minute and an hour. */
export type LimitOptions = {
  /** By default what GitHub allows: 5,000, and 1,000 for a job's token. */
  readonly primary?: number
  /** Off by default. GitHub's are 80 and 500, "in general". */
  readonly contentPerMinute?: number
  readonly contentPerHour?: number
}

export type Limits = {
  /** Counts a request. The headers go with its answer; with a refusal, it goes no further. */
  spend(identity: Identity, operation: string, now: Date): Spent
  /** What is left, without counting. */
  status(identity: Identity, now: Date): Left
}

export type Spent = { readonly headers: Readonly<Record<string, string>>; readonly refused?: Answer }

export type Left = { readonly limit: number; readonly used: number; readonly remaining: number; readonly reset: number }

/** What people are notified of, and GitHub therefore counts by itself. */
const content = new Set(['issues/create', 'issues/create-comment', 'pulls/create', 'pulls/create-review'])

/** Searches are counted by themselves. https://docs.github.com/en/rest/search/search#rate-limit */
const searchesPerMinute = 30

export function newLimits(options: LimitOptions = {}): Limits {
  const searches = new Map<string, readonly number[]>()
  const windows = new Map<string, { readonly start: number; used: number }>()
  const created = new Map<string, number[]>()

  function windowOf(identity: Identity, now: Date): { readonly start: number; used: number } {
    const key = keyOf(identity)
    const known = windows.get(key)
    if (known !== undefined && now.getTime() - known.start < 3_600_000) return known
    const fresh = { start: now.getTime(), used: 0 }
    windows.set(key, fresh)
    return fresh
  }

  function status(identity: Identity, now: Date): Left {
    const window = windowOf(identity, now)
    const limit = options.primary ?? (identity.is === 'job' ? 1000 : identity.is === 'nobody' ? 60 : 5000)
    const used = Math.min(window.used, limit)
    return { limit, used, remaining: limit - used, reset: Math.ceil(window.start / 1000) + 3600 }
  }

  function search(identity: Identity, now: Date): Spent {
    const at = now.getTime()
    const before = (searches.get(keyOf(identity)) ?? []).filter((time) => at - time < 60_000)
    const isOver = before.length >= searchesPerMinute
    if (!isOver) searches.set(keyOf(identity), [...before, at])
    const used = Math.min(before.length + 1, searchesPerMinute)
    const headers = {
      'x-ratelimit-limit': String(searchesPerMinute),
      'x-ratelimit-remaining': String(searchesPerMinute - used),
      'x-ratelimit-used': String(used),
      'x-ratelimit-reset': String(Math.ceil((before[0] ?? at) / 1000) + 60),
      'x-ratelimit-resource': 'search',
    }
    return isOver ? { headers, refused: primaryRefusal() } : { headers }
  }

  function spend(identity: Identity, operation: string, now: Date): Spent {
    if (operation.startsWith('search/')) return search(identity, now)
    const isOver = status(identity, now).remaining === 0
    if (operation !== 'rate-limit/get') windowOf(identity, now).used += 1
    const left = status(identity, now)
    const headers = {
      'x-ratelimit-limit': String(left.limit),
      'x-ratelimit-remaining': String(left.remaining),
      'x-ratelimit-used': String(left.used),
      'x-ratelimit-reset': String(left.reset),
      'x-ratelimit-resource': 'core',
    }
    if (isOver && operation !== 'rate-limit/get') return { headers, refused: primaryRefusal() }
    if (!content.has(operation)) return { headers }
    const times = (created.get(keyOf(identity)) ?? []).filter((time) => now.getTime() - time < 3_600_000)
    const lastMinute = times.filter((time) => now.getTime() - time < 60_000).length
    const isTooMuch =
      lastMinute >= (options.contentPerMinute ?? Infinity) || times.length >= (options.contentPerHour ?? Infinity)
    if (isTooMuch) return { headers, refused: secondaryRefusal(60) }
    created.set(keyOf(identity), [...times, now.getTime()])
    return { headers }
  }

  return { spend, status }
}

function keyOf(identity: Identity): string {
  switch (identity.is) {
    case 'job':
      return `job ${identity.repository}`
    case 'app':
      return `app ${identity.installation}`
    case 'user':
      return `user ${identity.login}`
    case 'signed-app':
      return `signed-app ${identity.slug}`
    case 'nobody':
      return 'nobody'
  }
}

export function primaryRefusal(): Answer {
  return {
    status: 403,
    body: {
      message:
        'API rate limit exceeded for installation. If you reach out to GitHub Support for help, please include the request ID.',
      documentation_url: 'https://docs.github.com/rest/overview/rate-limits-for-the-rest-api',
    },
  }
}

/** Sometimes GitHub says when to come back, and sometimes it does not. */
export function secondaryRefusal(retryAfter: number | undefined): Answer {
  return {
    status: 403,
    body: {
      message:
        'You have exceeded a secondary rate limit and have been temporarily blocked from content creation. Please retry your request again later.',
      documentation_url:
        'https://docs.github.com/rest/overview/rate-limits-for-the-rest-api#about-secondary-rate-limits',
    },
    ...(retryAfter === undefined ? {} : { headers: { 'retry-after': String(retryAfter) } }),
  }
}
