import { getOctokitOptions } from '@actions/github/lib/utils'
import { Octokit } from '@octokit/rest'

import { shorten } from '../../../core/markdown.ts'
import { Refused } from '../../../core/problem.ts'
import type { Clock } from '../../../ports.ts'
import type { ClientOptions } from '../client.ts'
import { wholeAnswers } from '../client.ts'
import { refusalOf } from '../refusal.ts'

/**
 * GitHub's client for many repositories. It repeats nothing and waits for nothing by itself: who writes to thousands of them asks a
 * pace first, and who reads them makes the next batch smaller.
 */
export type FleetClient = {
  readonly octokit: Octokit
  readonly clock: Clock
  readonly signal: AbortSignal | undefined
  /** One GraphQL document, whatever of it GitHub has answered. Throws `Lost` where no answer came, `Limited`, and `Refused`. */
  readonly ask: (text: string, variables: Readonly<Record<string, unknown>>) => Promise<Answer>
  /** One REST request: its data. Throws the same, and `Failed` with GitHub's words for what is of this one request. */
  readonly rest: (route: string, parameters: Readonly<Record<string, unknown>>) => Promise<unknown>
  /** What GitHub said last of the requests that are left this hour: of those of which fewest are. */
  readonly quota: () => Quota | undefined
  /** At least a second after the last write, as GitHub asks for. */
  readonly breath: () => Promise<void>
  readonly sleep: (milliseconds: number) => Promise<void>
}

export type Answer = { readonly data: unknown; readonly errors: readonly FieldError[] }

/** `path` is joined with dots: `nodes.3`, `m0`. */
export type FieldError = { readonly path: string; readonly type: string; readonly message: string }

export type Quota = { readonly limit: number; readonly remaining: number; readonly reset: Date }

/** No answer, or none that is whole: of a write it is not known whether it took place. */
export class Lost extends Error {
  override readonly name = 'Lost'
}

/** GitHub takes no more for now; nothing was done. `seconds` is how long to wait, where it said so. */
export class Limited extends Error {
  override readonly name = 'Limited'
  readonly seconds: number | undefined
  readonly kind: 'primary' | 'secondary'
  constructor(message: string, options: { readonly seconds: number | undefined; readonly kind: Limited['kind'] }) {
    super(message)
    this.seconds = options.seconds
    this.kind = options.kind
  }
}

/** GitHub would not do this one request. */
export class Failed extends Error {
  override readonly name = 'Failed'
  readonly status: number
  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

/** https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api#pause-between-mutative-requests */
const breathing = 1000

export function fleetClient(options: Omit<ClientOptions, 'repository'>): FleetClient {
  const { token, api, clock, signal } = options
  const silent = (): void => undefined
  const octokit = new Octokit({
    ...getOctokitOptions(token, { userAgent: 'protium' }),
    ...(api !== undefined && { baseUrl: api }),
    log: { debug: silent, info: silent, warn: silent, error: silent },
    request: { fetch: wholeAnswers(signal) },
  })
  // On a server of one's own GraphQL does not lie below the REST API.
  const graphql = api !== undefined && /\/api\/v3\/?$/u.test(api) ? api.replace(/\/v3\/?$/u, '/graphql') : '/graphql'
  const quotas = new Map<string, Quota>()
  let last: number | undefined
  const sleep = async (milliseconds: number): Promise<void> => {
    if (milliseconds > 0) await clock.sleep(milliseconds, signal)
    signal?.throwIfAborted()
  }
  const note = (headers: unknown): void => {
    const [limit, remaining, reset] = ['limit', 'remaining', 'reset'].map((name) =>
      Number(at(headers, `x-ratelimit-${name}`)),
    )
    const resource = textAt(headers, 'x-ratelimit-resource') ?? 'core'
    if (limit !== undefined && limit > 0 && remaining !== undefined && remaining >= 0)
      quotas.set(resource, { limit, remaining, reset: new Date((reset ?? 0) * 1000) })
  }
  return {
    octokit,
    clock,
    signal,
    sleep,
    quota: () => [...quotas.values()].toSorted((a, b) => a.remaining / a.limit - b.remaining / b.limit)[0],
    breath: async () => {
      if (last !== undefined) await sleep(last + breathing - clock.now().getTime())
      last = clock.now().getTime()
    },
    ask: async (query, variables) => {
      try {
        const { data, headers } = await octokit.request(`POST ${graphql}`, { query, variables })
        note(headers)
        return answerOf(data, clock.now())
      } catch (error) {
        throw failureOf(error, clock.now(), signal)
      }
    },
    rest: async (route, parameters) => {
      try {
        const { data, headers } = await octokit.request(route, parameters)
        note(headers)
        return data
      } catch (error) {
        throw failureOf(error, clock.now(), signal)
      }
    },
  }
}

function answerOf(body: unknown, now: Date): Answer {
  const found = at(body, 'errors')
  const errors = (Array.isArray(found) ? found : []).map((error: unknown): FieldError => {
    const path = at(error, 'path')
    return {
      path: Array.isArray(path) ? path.map(String).join('.') : '',
      type: textAt(error, 'type') ?? '',
      message: shorten(textAt(error, 'message') ?? ''),
    }
  })
  const limited = errors.find(({ type }) => type === 'RATE_LIMITED')
  if (limited !== undefined) {
    const reset = Date.parse(textAt(at(body, 'data'), 'rateLimit', 'resetAt') ?? '')
    const seconds = Number.isNaN(reset) ? undefined : Math.ceil((reset - now.getTime()) / 1000)
    throw new Limited(limited.message, { seconds, kind: 'primary' })
  }
  return { data: at(body, 'data'), errors }
}

function failureOf(error: unknown, now: Date, signal: AbortSignal | undefined): unknown {
  if (!(error instanceof Error)) return error
  if (signal?.aborted === true || error.name === 'AbortError') {
    return new Refused('interrupted', 'The run was stopped while Protium was at work on the fleet.', {
      remedy: 'Run the same command again: it looks first, and does what is left.',
      cause: error,
    })
  }
  const status = Number(at(error, 'status'))
  if (Number.isNaN(status)) return error
  const message = shorten(error.message.replace(/ - https:\/\/docs\.github\.com\S*$/u, ''))
  const headers = at(error, 'response', 'headers')
  if (status === 403 || status === 429) {
    const after = Number(at(headers, 'retry-after'))
    const isPrimary = String(at(headers, 'x-ratelimit-remaining')) === '0'
    const isSecondary = status === 429 || /\bsecondary rate\b|\brate limit\b|abuse detection/iu.test(message)
    if (after > 0) return new Limited(message, { seconds: after, kind: isPrimary ? 'primary' : 'secondary' })
    if (isPrimary) {
      const seconds = Number(at(headers, 'x-ratelimit-reset')) - Math.floor(now.getTime() / 1000)
      return new Limited(message, { seconds: Math.max(1, seconds), kind: 'primary' })
    }
    if (isSecondary) return new Limited(message, { seconds: undefined, kind: 'secondary' })
  }
  if (status >= 500 || status === 408) return new Lost(message, { cause: error })
  if (status === 401) return refusalOf('work on the fleet', { status, message, headers: {}, error })
  return new Failed(status, message)
}

/** What lies below names in data that came from elsewhere; nothing where that is not there. */
export function at(value: unknown, ...names: readonly (string | number)[]): unknown {
  let found = value
  for (const name of names) {
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, name)) return undefined
    found = Reflect.get(found, name)
  }
  return found
}

export function textAt(value: unknown, ...names: readonly (string | number)[]): string | undefined {
  const found = at(value, ...names)
  return typeof found === 'string' ? found : undefined
}

export function listAt(value: unknown, ...names: readonly (string | number)[]): readonly unknown[] {
  const found = at(value, ...names)
  return Array.isArray(found) ? found : []
}
