/** A request, as faults and assertions see it. */
export type Asked = {
  /** `cloudformation`, `sts` or `s3`. */
  readonly service: string
  /** `DescribeStacks`; for S3 `PutObject` and the like. */
  readonly action: string
  readonly account: string
  readonly region: string
  readonly accessKey: string
}

/** What a test tells the server to do wrong. */
export type Fault = {
  /** An action (`DescribeStacks`), or any request for which this says so; every request when it is left out. */
  readonly match?: string | ((asked: Asked) => boolean)
  /** Which of those that match, from now on: the first by default. */
  readonly nth?: number
  /** How many in a row: 1 by default, and without end where `every` or `seconds` is given. */
  readonly times?: number
  /** Only each of so many that match. */
  readonly every?: number
  /** Only for so long from now on, by the server's clock. */
  readonly seconds?: number
  readonly kind: FaultKind
}

export type FaultKind =
  /** HTTP 400 `Throttling`, `Rate exceeded`. */
  | 'throttle'
  /** HTTP 500 before anything was done, or after all of it: then only the answer is lost. */
  | 'error'
  | 'error-after'
  /** HTTP 503. */
  | 'unavailable'
  /** The connection breaks. */
  | 'reset'
  | 'reset-after'
  /** A page of a proxy, in HTML. */
  | 'html'
  /** The credentials are over, or were never right. */
  | 'expired'
  | 'bad-credentials'
  /** HTTP 403 `AccessDenied`, which names the action. */
  | 'denied'
  /** The request waits until the promise is settled, and is answered then. */
  | { readonly hold: Promise<unknown> }
  /** Calls something at that moment: a test that kills the client does it here. */
  | { readonly before: () => void | Promise<void> }
  | { readonly after: () => void | Promise<void> }
  /** Any error of the service. */
  | { readonly code: string; readonly message: string; readonly status?: number }

/** What happens instead of the answer. */
export type Instead =
  | { readonly is: 'error'; readonly code: string; readonly message: string; readonly status: number }
  | { readonly is: 'html' }
  | { readonly is: 'reset' }

export type Turn = {
  /** `undefined`: it goes on as usual. */
  before(): Promise<Instead | undefined>
  after(): Promise<Instead | undefined>
}

export type Faults = {
  add(fault: Fault): void
  turnOf(asked: Asked): Turn
  /** Those that have not happened as often as they were to. */
  left(): readonly Fault[]
  /** Takes all of them back. */
  clear(): void
}

export function newFaults(now: () => Date): Faults {
  let armed: { readonly fault: Fault; readonly from: number; seen: number; done: number }[] = []

  function timesOf({ times, every, seconds }: Fault): number {
    return times ?? (every === undefined && seconds === undefined ? 1 : Number.POSITIVE_INFINITY)
  }

  return {
    add: (fault) => {
      armed.push({ fault, from: now().getTime(), seen: 0, done: 0 })
    },
    turnOf: (asked) => {
      const kinds: FaultKind[] = []
      for (const it of armed) {
        const { match, nth = 1, every, seconds, kind } = it.fault
        if (seconds !== undefined && now().getTime() >= it.from + seconds * 1000) continue
        if (typeof match === 'string' ? match !== asked.action : match?.(asked) === false) continue
        it.seen += 1
        if (it.seen < nth || it.done >= timesOf(it.fault)) continue
        if (every !== undefined && (it.seen - nth + 1) % every !== 0) continue
        it.done += 1
        kinds.push(kind)
      }
      return {
        before: async () => {
          for (const kind of kinds) {
            const instead = await beforeOf(kind, asked)
            if (instead !== undefined) return instead
          }
          return undefined
        },
        after: async () => {
          for (const kind of kinds) {
            if (kind === 'error-after') return internal
            if (kind === 'reset-after') return { is: 'reset' }
            if (typeof kind === 'object' && 'after' in kind) await kind.after()
          }
          return undefined
        },
      }
    },
    left: () =>
      armed
        .filter(({ fault, done }) => Number.isFinite(timesOf(fault)) && done < timesOf(fault))
        .map(({ fault }) => fault),
    clear: () => {
      armed = []
    },
  }
}

const internal: Instead = {
  is: 'error',
  code: 'InternalFailure',
  message: 'The request processing has failed because of an unknown error, exception or failure.',
  status: 500,
}

async function beforeOf(kind: FaultKind, asked: Asked): Promise<Instead | undefined> {
  if (typeof kind === 'object') {
    if ('hold' in kind) await kind.hold
    if ('before' in kind) await kind.before()
    return 'code' in kind ? { is: 'error', status: 400, ...kind } : undefined
  }
  switch (kind) {
    case 'throttle':
      return { is: 'error', code: 'Throttling', message: 'Rate exceeded', status: 400 }
    case 'error':
      return internal
    case 'unavailable':
      return {
        is: 'error',
        code: 'ServiceUnavailable',
        message: 'The request has failed due to a temporary failure of the server.',
        status: 503,
      }
    case 'reset':
      return { is: 'reset' }
    case 'html':
      return { is: 'html' }
    case 'expired':
      return expired
    case 'bad-credentials':
      return {
        is: 'error',
        code: 'InvalidClientTokenId',
        message: 'The security token included in the request is invalid.',
        status: 403,
      }
    case 'denied':
      return {
        is: 'error',
        code: 'AccessDenied',
        message: `User: arn:aws:sts::${asked.account}:assumed-role/deploy/session is not authorized to perform: ${asked.service}:${asked.action} on resource: * because no identity-based policy allows the ${asked.service}:${asked.action} action`,
        status: 403,
      }
    case 'error-after':
    case 'reset-after':
      return undefined
  }
}

export const expired: Instead = {
  is: 'error',
  code: 'ExpiredToken',
  message: 'The security token included in the request is expired',
  status: 403,
}
