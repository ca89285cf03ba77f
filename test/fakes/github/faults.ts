import { type FieldFault, overLimits, timedOut } from './graphql/answer.ts'
import { pointsRefusal, primaryRefusal, secondaryRefusal } from './limits.ts'
import { type Answer, failure } from './world.ts'

/** What a test tells the server to do wrong. */
export type Fault = {
  /** An operation by its id (`issues/create-comment`), or any request for which this says so. */
  readonly match: string | ((request: Request) => boolean)
  /** Which of those that match, from now on: the first by default. */
  readonly nth?: number
  /** How many in a row: 1 by default. */
  readonly times?: number
  readonly kind: FaultKind
}

export type FaultKind =
  /** 500 before anything was done, or after all of it: then only the answer is lost. */
  | 'error'
  | 'error-after'
  /** The connection breaks. */
  | 'reset'
  | 'reset-after'
  /** Everything is done, and half of the answer arrives. */
  | 'truncated'
  /** A page of a proxy, in HTML. */
  | 'html'
  /** With and without a word on when to come back. */
  | 'secondary-limit'
  | 'secondary-limit-unsaid'
  | 'primary-limit'
  | 'forbidden'
  | 'bad-token'
  | 'not-found'
  | 'conflict'
  | 'unprocessable'
  /** Of GraphQL: 502 as of a query that took too long, before or after its effects; or one that used too much. */
  | 'timeout'
  | 'timeout-after'
  | 'resource-limits'
  /** Of GraphQL: one field of the root fails by itself. */
  | FieldFault
  /** The request waits until the promise is settled, and is answered then. */
  | { readonly hold: Promise<unknown> }
  /** Calls something at that moment: a test that kills the client does it here. */
  | { readonly before: () => void | Promise<void> }
  | { readonly after: () => void | Promise<void> }

export type Request = {
  /** An operation of the REST API, or `graphql`. */
  readonly operation: string
  readonly method: string
  readonly path: string
  /** Of GraphQL: the names of the fields of the root (`createPullRequest`), as often as they are asked for. */
  readonly fields: readonly string[]
}

/** What happens instead of the answer. */
export type Instead = { readonly is: 'answer'; readonly answer: Answer } | { readonly is: 'reset' | 'truncated' }

/** One request's share of the faults: what to do before it is answered, and after. */
export type Turn = {
  /** `undefined`: it goes on as usual. */
  before(): Promise<Instead | undefined>
  readonly fields: readonly FieldFault[]
  after(): Promise<Instead | undefined>
}

type Armed = { readonly fault: Fault; seen: number }

export type Faults = {
  add(fault: Fault): void
  turnOf(request: Request): Turn
  /** Those that have not happened as often as they were to. */
  readonly waiting: readonly Fault[]
}

export function newFaults(): Faults {
  const armed: Armed[] = []

  function isDone({ fault, seen }: Armed): boolean {
    return seen >= (fault.nth ?? 1) + (fault.times ?? 1) - 1
  }

  return {
    add: (fault) => {
      armed.push({ fault, seen: 0 })
    },
    turnOf: (request) => {
      const due = armed.filter((each) => {
        const { match } = each.fault
        const matches = typeof match === 'string' ? match === request.operation : match(request)
        if (!matches || isDone(each)) return false
        each.seen += 1
        return each.seen >= (each.fault.nth ?? 1)
      })
      const kinds = due.map(({ fault }) => fault.kind)
      return turn(kinds, request.operation === 'graphql')
    },
    get waiting() {
      return armed.filter((each) => !isDone(each)).map(({ fault }) => fault)
    },
  }
}

function turn(kinds: readonly FaultKind[], isGraphql: boolean): Turn {
  return {
    fields: kinds.flatMap((kind) => (typeof kind === 'object' && 'field' in kind ? [kind] : [])),
    before: async () => {
      for (const kind of kinds) {
        if (typeof kind === 'object') {
          if ('hold' in kind) await kind.hold
          if ('before' in kind) await kind.before()
          continue
        }
        const instead = insteadBefore(kind, isGraphql)
        if (instead !== undefined) return instead
      }
      return undefined
    },
    after: async () => {
      for (const kind of kinds) {
        if (typeof kind === 'object' && 'after' in kind) await kind.after()
        if (kind === 'error-after') return { is: 'answer', answer: failure(500, 'Server Error') }
        if (kind === 'timeout-after') return { is: 'answer', answer: timedOut() }
        if (kind === 'reset-after') return { is: 'reset' }
        if (kind === 'truncated') return { is: 'truncated' }
      }
      return undefined
    },
  }
}

function insteadBefore(kind: Extract<FaultKind, string>, isGraphql: boolean): Instead | undefined {
  switch (kind) {
    case 'error':
      return { is: 'answer', answer: failure(500, 'Server Error') }
    case 'reset':
      return { is: 'reset' }
    case 'html':
      return {
        is: 'answer',
        answer: {
          status: 502,
          bytes: Buffer.from('<html><body><h1>502 Bad Gateway</h1></body></html>'),
          headers: { 'content-type': 'text/html' },
        },
      }
    case 'secondary-limit':
      return { is: 'answer', answer: secondaryRefusal(1) }
    case 'secondary-limit-unsaid':
      return { is: 'answer', answer: secondaryRefusal(undefined) }
    case 'primary-limit':
      if (isGraphql) return { is: 'answer', answer: { ...pointsRefusal(), headers: { 'x-ratelimit-remaining': '0' } } }
      return { is: 'answer', answer: { ...primaryRefusal(), headers: { 'x-ratelimit-remaining': '0' } } }
    case 'forbidden':
      return { is: 'answer', answer: failure(403, 'Resource not accessible by integration') }
    case 'bad-token':
      return { is: 'answer', answer: failure(401, 'Bad credentials') }
    case 'not-found':
      return { is: 'answer', answer: failure(404, 'Not Found') }
    case 'conflict':
      return { is: 'answer', answer: failure(409, 'Conflict') }
    case 'unprocessable':
      return { is: 'answer', answer: failure(422, 'Validation Failed') }
    case 'timeout':
      return { is: 'answer', answer: timedOut() }
    case 'resource-limits':
      return { is: 'answer', answer: overLimits() }
    case 'error-after':
    case 'reset-after':
    case 'timeout-after':
    case 'truncated':
      return undefined
  }
}
