import type { Identity } from './identity.ts'
import type { Answer } from './world.ts'

/** How many requests an hour; how much new content a minute and an hour. */
export type LimitOptions = {
  /** By default what GitHub allows: 5,000, and 1,000 for a job's token. */
  readonly primary?: number
  /** Off by default. GitHub's are 80 and 500, "in general". */
  readonly contentPerMinute?: number
  readonly contentPerHour?: number
  /** Seconds that a refusal of content says to wait: 60 by default; `unsaid`: it says nothing. */
  readonly retryAfter?: number | 'unsaid'
  /** Points an hour for GraphQL: 5,000 by default, and 1,000 for a job's token. */
  readonly points?: number
}

export type Limits = {
  /** Counts a request. The headers go with its answer; with a refusal, it goes no further. */
  spend(identity: Identity, operation: string, now: Date): Spent
  /** Counts what a query costs. */
  spendPoints(identity: Identity, points: number, now: Date): Spent
  /** Counts something new that people are notified of; the refusal, if it is too much. */
  create(identity: Identity, now: Date): Answer | undefined
  /** What is left, without counting. */
  status(identity: Identity, now: Date): Left
  points(identity: Identity, now: Date): Left
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

  function windowOf(key: string, now: Date): { readonly start: number; used: number } {
    const known = windows.get(key)
    if (known !== undefined && now.getTime() - known.start < 3_600_000) return known
    const fresh = { start: now.getTime(), used: 0 }
    windows.set(key, fresh)
    return fresh
  }

  function status(identity: Identity, now: Date): Left {
    const limit = options.primary ?? (identity.is === 'job' ? 1000 : identity.is === 'nobody' ? 60 : 5000)
    return left(windowOf(keyOf(identity), now), limit)
  }

  function points(identity: Identity, now: Date): Left {
    const limit = options.points ?? (identity.is === 'job' ? 1000 : 5000)
    return left(windowOf(`points of ${keyOf(identity)}`, now), limit)
  }

  function spendPoints(identity: Identity, cost: number, now: Date): Spent {
    const isOver = points(identity, now).remaining < cost
    if (!isOver) windowOf(`points of ${keyOf(identity)}`, now).used += cost
    const headers = headersOf(points(identity, now), 'graphql')
    return isOver ? { headers, refused: pointsRefusal() } : { headers }
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
    if (operation !== 'rate-limit/get') windowOf(keyOf(identity), now).used += 1
    const headers = headersOf(status(identity, now), 'core')
    if (isOver && operation !== 'rate-limit/get') return { headers, refused: primaryRefusal() }
    const refused = content.has(operation) ? create(identity, now) : undefined
    return refused === undefined ? { headers } : { headers, refused }
  }

  function create(identity: Identity, now: Date): Answer | undefined {
    const times = (created.get(keyOf(identity)) ?? []).filter((time) => now.getTime() - time < 3_600_000)
    const lastMinute = times.filter((time) => now.getTime() - time < 60_000).length
    const isTooMuch =
      lastMinute >= (options.contentPerMinute ?? Infinity) || times.length >= (options.contentPerHour ?? Infinity)
    const { retryAfter = 60 } = options
    if (isTooMuch) return secondaryRefusal(retryAfter === 'unsaid' ? undefined : retryAfter)
    created.set(keyOf(identity), [...times, now.getTime()])
    return undefined
  }

  return { spend, spendPoints, create, status, points }
}

function left(window: { readonly start: number; readonly used: number }, limit: number): Left {
  const used = Math.min(window.used, limit)
  return { limit, used, remaining: limit - used, reset: Math.ceil(window.start / 1000) + 3600 }
}

function headersOf({ limit, used, remaining, reset }: Left, resource: string): Record<string, string> {
  return {
    'x-ratelimit-limit': String(limit),
    'x-ratelimit-remaining': String(remaining),
    'x-ratelimit-used': String(used),
    'x-ratelimit-reset': String(reset),
    'x-ratelimit-resource': resource,
  }
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

/** GraphQL says it in its own way: by an error, and a status as of success. */
export function pointsRefusal(): Answer {
  const message = 'API rate limit exceeded for installation.'
  return { status: 200, body: { errors: [{ type: 'RATE_LIMITED', message }] } }
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
