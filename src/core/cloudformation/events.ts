import type { DescribedEvent } from './model.ts'
import { outcome } from './status.ts'

const stackType = 'AWS::CloudFormation::Stack'

/**
 * An operation that is followed by the events of its stack and of the stacks nested in it. A value: each look gives the next
 * one. It never asks the local clock: what is before and after is known by ids and the service's own times.
 */
export type Follow = {
  /** The ARN of the stack; after a deletion and a creation of the same name, events of another one never count. */
  readonly stack: string
  /** The newest event before the operation: it and what is older is not of it. */
  readonly cursor: string | undefined
  /** The token that the operation was begun with, where it is ours. */
  readonly token: string | undefined
  /** The ids of the operation, as far as they are seen; a rollback has one of its own. */
  readonly operations: ReadonlySet<string>
  readonly seen: ReadonlySet<string>
  /** Nested stacks by ARN. */
  readonly nested: ReadonlyMap<string, Nested>
  /** The newest status of each resource, by `<stack ARN> <logical id>`. */
  readonly resources: ReadonlyMap<string, string>
  readonly has: 'not begun' | 'begun' | 'ended'
  /** The newest status of the stack itself in this operation. */
  readonly status: string | undefined
  readonly statusReason: string | undefined
  /** The time of its first event; milliseconds, by the service's clock. */
  readonly since: number | undefined
}

/** A nested stack: what is older than `since` (the service's time) is of an operation before; `isOpen` has more to come. */
export type Nested = { readonly since: number; readonly isOpen: boolean }

/** Follows an operation that is about to begin. `newest` is the newest event of the stack before it; none of a new stack. */
export function followFrom(
  stack: string,
  options: {
    readonly newest?: string | undefined
    readonly token?: string | undefined
    readonly operation?: string | undefined
  } = {},
): Follow {
  return {
    stack,
    cursor: options.newest,
    token: options.token,
    operations: new Set(options.operation === undefined ? [] : [options.operation]),
    seen: new Set(),
    nested: new Map(),
    resources: new Map(),
    has: 'not begun',
    status: undefined,
    statusReason: undefined,
    since: undefined,
  }
}

/**
 * Follows the operation that is under way (or has just ended), whoever began it, from the events of the stack, newest first. It
 * begins after the event with which the one before it came to rest. Nothing, when these pages do not reach back to that: then the
 * next page is needed, unless there is none.
 */
export function followLatest(
  stack: string,
  events: readonly DescribedEvent[],
  options: { readonly isLastPage?: boolean } = {},
): Follow | undefined {
  const newest = events.findIndex((event) => isOfStack(event, stack))
  const rest = events.findIndex((event, index) => index > newest && isOfStack(event, stack) && isRest(event))
  if (newest < 0 || (rest < 0 && options.isLastPage !== true))
    return options.isLastPage === true ? followFrom(stack) : undefined
  const own = events.slice(0, rest < 0 ? events.length : rest)
  const begin = own.findLast((event) => isOfStack(event, stack) && event.ResourceStatus !== shell)
  const { ClientRequestToken: token, OperationId: operation } = begin ?? {}
  return followFrom(stack, { newest: events[rest]?.EventId, token, operation })
}

/** The status of the shell that a change set of a new stack leaves: no operation has begun by it. */
const shell = 'REVIEW_IN_PROGRESS'

/** The event with which an operation has come to its end. */
function isRest({ ResourceStatus: status = '' }: DescribedEvent): boolean {
  return status !== shell && outcome(status).is !== 'going'
}

function isOfStack({ ResourceType, PhysicalResourceId }: DescribedEvent, stack: string): boolean {
  return ResourceType === stackType && PhysicalResourceId === stack
}

/** The stacks to ask for events now: the stack itself first, then those nested in it that are not at rest. */
export function watched(follow: Follow): readonly string[] {
  return [follow.stack, ...[...follow.nested].flatMap(([arn, { isOpen }]) => (isOpen ? [arn] : []))]
}

/** Whether the pages of one stack that were read, newest first, reach what is known; otherwise the next page is needed. */
export function reaches(follow: Follow, stack: string, events: readonly DescribedEvent[]): boolean {
  const since = follow.nested.get(stack)?.since
  return events.some(
    ({ EventId: id, Timestamp: time }) =>
      (id !== undefined && (id === follow.cursor || follow.seen.has(id))) ||
      (stack !== follow.stack && since !== undefined && time !== undefined && time.getTime() < since),
  )
}

/** What a look has found: events of the operation that were not known, oldest first. */
export type Look = { readonly follow: Follow; readonly events: readonly DescribedEvent[] }

/**
 * Takes what was read in one look: per stack its events, newest first, in pages as they came. Pages may overlap, for events
 * are added at the front while they are read.
 */
export function look(before: Follow, read: ReadonlyMap<string, readonly DescribedEvent[]>): Look {
  const folding = new Folding(before)
  const fresh = [...read].flatMap(([stack, events]) => folding.fresh(stack, events))
  return folding.take(inTime(fresh))
}

type Found = { readonly stack: string; readonly event: DescribedEvent; readonly index: number }

/** By the service's time; of one time, as the stack's own list has them. */
function inTime(found: readonly Found[]): readonly Found[] {
  const timeOf = ({ event }: Found): number => event.Timestamp?.getTime() ?? 0
  return found.toSorted((a, b) => timeOf(a) - timeOf(b) || (a.stack === b.stack ? b.index - a.index : 0))
}

class Folding {
  readonly #before: Follow
  readonly #seen: Set<string>
  readonly #operations: Set<string>
  #token: string | undefined
  readonly #nested: Map<string, Nested>
  readonly #resources: Map<string, string>
  #has: Follow['has']
  #status: string | undefined
  #reason: string | undefined
  #since: number | undefined

  constructor(before: Follow) {
    this.#before = before
    this.#seen = new Set(before.seen)
    this.#operations = new Set(before.operations)
    this.#nested = new Map(before.nested)
    this.#resources = new Map(before.resources)
    this.#has = before.has
    this.#token = before.token
    this.#status = before.status
    this.#reason = before.statusReason
    this.#since = before.since
  }

  /** Those that are after the cursor and were not taken before. All are noted as seen, so that reading stops at them. */
  fresh(stack: string, events: readonly DescribedEvent[]): readonly Found[] {
    const { cursor } = this.#before
    const at = cursor === undefined ? -1 : events.findIndex(({ EventId }) => EventId === cursor)
    const limit = events[at]?.Timestamp?.getTime()
    return events.flatMap((event, index): Found[] => {
      const { EventId: id, Timestamp: time } = event
      // Behind the cursor all is older; but a page that was read anew behind an older one may be not.
      const isOlder = at >= 0 && index >= at && (limit === undefined || time === undefined || time.getTime() <= limit)
      if (id === undefined || isOlder || this.#seen.has(id)) return []
      this.#seen.add(id)
      return [{ stack, event, index }]
    })
  }

  take(found: readonly Found[]): Look {
    const events: DescribedEvent[] = []
    for (const { stack, event } of found) {
      const isOwn = stack === this.#before.stack ? this.#isOfOperation(event) : this.#isOfNested(stack, event)
      if (!isOwn) continue
      this.#note(stack, event)
      events.push(event)
    }
    return {
      events,
      follow: {
        ...this.#before,
        token: this.#token,
        seen: this.#seen,
        operations: this.#operations,
        nested: this.#nested,
        resources: this.#resources,
        has: this.#has,
        status: this.#status,
        statusReason: this.#reason,
        since: this.#since,
      },
    }
  }

  /**
   * By the token, where both sides have one; otherwise by the operation's id; otherwise by the order: what comes after the
   * cursor, until the stack is at rest. A rollback keeps the token, but has an id of its own.
   */
  #isOfOperation(event: DescribedEvent): boolean {
    const { ClientRequestToken: token, OperationId: operation, ResourceStatus: status = '' } = event
    const isStack = isOfStack(event, this.#before.stack)
    if (token !== undefined && this.#token !== undefined) {
      if (token !== this.#token) return false
      if (operation !== undefined) this.#operations.add(operation)
      return true
    }
    if (operation !== undefined && this.#operations.has(operation)) return true
    if (this.#has === 'ended') return false
    const isFirst = this.#has === 'not begun' && this.#operations.size === 0
    if (isStack && isFirst) this.#token ??= token
    if (operation === undefined) return this.#operations.size === 0 || token === undefined
    const isRollback = this.#has === 'begun' && status.includes('ROLLBACK')
    if (!isStack || (!isFirst && !isRollback)) return false
    this.#operations.add(operation)
    return true
  }

  #isOfNested(stack: string, { Timestamp: time }: DescribedEvent): boolean {
    const since = this.#nested.get(stack)?.since ?? this.#since
    return since === undefined || time === undefined || time.getTime() >= since
  }

  #note(stack: string, event: DescribedEvent): void {
    const { ResourceType: type, PhysicalResourceId: id = '', LogicalResourceId: logicalId = '' } = event
    const { ResourceStatus: status = '', ResourceStatusReason: reason } = event
    if (isOfStack(event, this.#before.stack)) {
      this.#status = status
      this.#reason = reason ?? this.#reason
      const means = outcome(status)
      if (status !== shell) this.#has = means.is === 'going' ? 'begun' : 'ended'
    } else if (type === stackType && id.startsWith('arn:')) {
      const known = this.#nested.get(id)
      // The ARN is told only after the nested stack has begun, so that its beginning is not the measure.
      const since = known?.since ?? this.#since ?? event.Timestamp?.getTime() ?? 0
      // It is at rest by its own word: that of the stack around it may come before its last events.
      const isOpen =
        stack === id ? outcome(status).is === 'going' : status.endsWith('_IN_PROGRESS') || known?.isOpen !== false
      this.#nested.set(id, { since, isOpen })
    }
    if (!isOfStack(event, stack)) this.#resources.set(`${stack} ${logicalId}`, status)
    this.#since ??= event.Timestamp?.getTime()
  }
}

/** How many resources are under way, the nested ones too. None, while the stack is, means that the end is near. */
export function underWay({ resources }: Follow): number {
  return [...resources.values()].filter((status) => status.endsWith('_IN_PROGRESS')).length
}
