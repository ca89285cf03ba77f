import { getOctokitOptions } from '@actions/github/lib/utils'
import { retry } from '@octokit/plugin-retry'
import { throttling } from '@octokit/plugin-throttling'
import { Octokit } from '@octokit/rest'
import Bottleneck from 'bottleneck/light.js'

import type { Clock } from '../../ports.ts'

export type ClientOptions = {
  /** `owner/name` */
  readonly repository: string
  readonly token: string
  /** Another one that may see who is in a team, if there is one. */
  readonly teamToken?: string
  /** Where the API is; GitHub's own if it is not said. */
  readonly api?: string
  /** The App that the token acts as, by its slug. The token of a job acts as `github-actions`. */
  readonly as?: string
  readonly clock: Clock
  /** From 0 up to 1, for waits that do not meet. */
  readonly random: () => number
  readonly signal?: AbortSignal
  /** How many milliseconds are waited for a second. Tests make time short. */
  readonly second?: number
}

/** GitHub's own client for one repository, with what its users here need besides. */
export type Client = {
  readonly octokit: InstanceType<typeof Kit>
  readonly at: { readonly owner: string; readonly repo: string }
  /** The login that our comments and deployments carry, and the App of our checks. */
  readonly login: string
  readonly app: string
  /**
   * Waits before something is tried again: about half a second, twice as long each time up to so many seconds (four, if it
   * is not said), and never the same for two who wait.
   */
  readonly pause: (count: number, most?: number) => Promise<void>
}

/** An answer takes longer than this only if it is lost. */
const longestAnswer = 30_000

/** GitHub says how long to wait; what is longer than this is for another run. */
const longestWait = 15 * 60

const Kit = Octokit.plugin(retry, throttling)

/**
 * The client. What only reads is repeated when an answer is lost; what writes is sent once, and who sent it looks whether it
 * happened (`ensure`). A request that GitHub refuses for its limits was not performed, so it is sent again when GitHub says.
 * https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
 */
export function clientOf(options: ClientOptions): Client {
  const { repository, token, api, as = 'github-actions', clock, random, signal, second = 1000 } = options
  const [owner = '', repo = '', ...rest] = repository.split('/')
  if (owner === '' || repo === '' || rest.length > 0) throw new TypeError(`Not a repository: ${repository}`)
  const silent = (): void => undefined
  // One write at a time, a breath between them: https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api
  const writes = new Bottleneck.Group({ maxConcurrent: 1, minTime: second / 4 })
  const octokit = new Kit({
    // The token as GitHub's toolkit sends it, and in the user agent the job that asks, where the runner names it.
    ...getOctokitOptions(token, { userAgent: 'protium' }),
    ...(api !== undefined && { baseUrl: api }),
    // What GitHub says is told by us, encoded.
    log: { debug: silent, info: silent, warn: silent, error: silent },
    request: { fetch: wholeAnswers(signal) },
    retry: { retryAfterBaseValue: second, doNotRetry: [400, 401, 403, 404, 409, 410, 422, 429, 451] },
    throttle: {
      id: `${repository} ${random()}`,
      write: writes,
      notifications: writes,
      retryAfterBaseValue: second,
      onRateLimit: (seconds, _, __, count) => seconds <= longestWait && count < 1,
      onSecondaryRateLimit: (seconds, _, __, count) => seconds <= longestWait && count < 3,
    },
  })
  octokit.hook.before('request', (request) => {
    if (request.method !== 'GET') request.request = { ...request.request, retries: 0 }
  })
  return {
    octokit,
    at: { owner, repo },
    login: `${as}[bot]`,
    app: as,
    pause: async (count, most = 4) =>
      clock.sleep(Math.min(2 ** count / 2, most) * second * (0.25 + 0.75 * random()), signal),
  }
}

/**
 * Octokit takes half of an answer for an empty one, so answers are read whole here first; half of one is a lost one, and so
 * is a page of some proxy where there should be JSON.
 */
export function wholeAnswers(stopped: AbortSignal | undefined): typeof fetch {
  return async (address, init) => {
    const limits = [AbortSignal.timeout(longestAnswer), stopped, init?.signal].filter(
      (signal) => signal instanceof AbortSignal,
    )
    const answer = await fetch(address, { ...init, signal: AbortSignal.any(limits) })
    const { status, headers } = answer
    const body = await answer.arrayBuffer()
    const isJson = headers.get('content-type')?.startsWith('application/json') === true
    if (status >= 200 && status < 300 && status !== 204 && isJson) JSON.parse(new TextDecoder().decode(body))
    const whole = new Response([204, 205, 304].includes(status) ? null : body, { status, headers })
    // Octokit reads the address, which a response that is made by hand has not.
    return Object.defineProperty(whole, 'url', { value: answer.url })
  }
}
