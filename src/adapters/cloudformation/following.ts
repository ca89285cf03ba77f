import type { Follow } from '../../core/cloudformation/events.ts'
import { followFrom, followLatest, look, reaches, underWay, watched } from '../../core/cloudformation/events.ts'
import type { DescribedEvent } from '../../core/cloudformation/model.ts'
import { pollInterval } from '../../core/cloudformation/pace.ts'
import { outcome } from '../../core/cloudformation/status.ts'
import { Refused } from '../../core/problem.ts'
import type { Clock, ResourceStatus, StackEvent } from '../../ports.ts'
import type { Cloud } from './client.ts'
import type { Described } from './reading.ts'
import { describeStack, eventPage } from './reading.ts'
import { isOfService, meaningOf, wordsOf } from './refusal.ts'

export type Operation = {
  readonly cloud: Cloud
  /** The ARN of the stack. */
  readonly arn: string
  readonly name: string
  readonly kind: 'deployment' | 'removal'
  /** The token that it was begun with; without one, the operation under way is followed, whoever began it. */
  readonly token?: string | undefined
  /** Whether the stack, as it is described, shows this operation: it may be seen only some reads later. */
  readonly shows?: (stack: Described) => boolean
  /** Asks whether the operation is over, where the stack is at rest and does not show it. */
  readonly isDone?: () => Promise<boolean>
  readonly signal?: AbortSignal | undefined
}

/** Milliseconds without an answer after which nobody can say how it ends. The operation goes on without us for hours. */
const longestSilence = 30 * 60_000

/**
 * Looks in a row that bring nothing new before the stack itself is asked: of an operation that no event shows, and of one that
 * has begun, whose end its events tell.
 */
const quietLooks = { 'not begun': 8, begun: 40 } as const

/** Reads of the stack after its last event, which may come earlier than its status. */
const confirmations = 5

/**
 * Follows an operation to its end: tells its events as they come, and last the status of the stack, which is given back too.
 * A look that fails is followed by another: only CloudFormation can say that a deployment has failed. Throws `Refused`:
 * `interrupted` by the signal, `outcome-unknown` where nothing can be learned any more.
 */
export async function* followed(operation: Operation): AsyncGenerator<StackEvent, string, void> {
  const { cloud, arn, signal } = operation
  const { clock } = cloud
  const silence = new Silence(operation)
  try {
    const first = await silence.ask(async () => describeStack(cloud, arn, { signal, isOnce: true }))
    const isOver = first !== undefined && isEnd(first.StackStatus, operation) && (await isOf(operation, first, silence))
    if (isOver && outcome(first.StackStatus, operation.kind).is === 'succeeded') {
      yield statusEvent(clock, first)
      return first.StackStatus
    }
    let watching: Watch = { follow: undefined, names: new Map(), looks: 0, quiet: 0, near: 0 }
    const began = clock.now().getTime()
    for (;;) {
      if (!isOver || watching.looks > 0) await clock.sleep(waitOf(watching, operation, { began, silence }), signal)
      const found = await silence.ask(async () => lookedOrBlind(watching, operation))
      if (found === undefined) {
        watching = { ...watching, looks: watching.looks + 1 }
        continue
      }
      watching = found.watching
      for (const event of found.events) {
        const told = eventOf(event, { operation, names: watching.names })
        if (told !== undefined) yield told
      }
      const { follow } = watching
      const seen = follow?.has === 'ended' ? follow.status : undefined
      const most = quietLooks[follow?.has === 'begun' ? 'begun' : 'not begun']
      if (seen === undefined && watching.quiet < most && !(isOver && watching.looks > 0)) continue
      const reads = seen === undefined && !isOver ? 1 : confirmations
      const last = await silence.ask(async () => confirmed(operation, reads))
      watching = { ...watching, quiet: 0 }
      if (last === undefined) continue
      yield last
      return last.status
    }
  } catch (error) {
    if (signal?.aborted === true && !(error instanceof Refused)) throw interrupted(operation, error)
    throw error
  }
}

type Watch = {
  readonly follow: Follow | undefined
  /** What nested stacks are called, by ARN: the logical ids on the way to them. */
  readonly names: ReadonlyMap<string, string>
  readonly looks: number
  /** Looks in a row that brought nothing. */
  readonly quiet: number
  /** Looks in a row at which no resource was under way. */
  readonly near: number
}

function waitOf(
  { near }: Watch,
  { cloud: { clock, random } }: Operation,
  { began, silence }: { readonly began: number; readonly silence: Silence },
): number {
  if (silence.failures > 0) return Math.min(1000 * 2 ** silence.failures, 30_000)
  const elapsed = clock.now().getTime() - began
  return Math.ceil(pollInterval({ elapsed, random: random(), quiet: near }))
}

/** Who may not see the events, or asks where there are none, sees the status of the stack at least. */
async function lookedOrBlind(watching: Watch, operation: Operation): ReturnType<typeof looked> {
  try {
    return await looked(watching, operation)
  } catch (error) {
    const { is } = meaningOf(error)
    if (is !== 'access' && is !== 'unsupported') throw error
    return { watching: { ...watching, looks: watching.looks + 1, quiet: quietLooks['not begun'] }, events: [] }
  }
}

async function looked(
  watching: Watch,
  operation: Operation,
): Promise<{ readonly watching: Watch; readonly events: readonly DescribedEvent[] }> {
  const follow = watching.follow ?? (await begunFollow(operation))
  const read = new Map<string, readonly DescribedEvent[]>()
  const stacks = watched(follow)
  const pages = await Promise.all(stacks.map(async (stack) => newPages(follow, stack, operation)))
  for (const [index, stack] of stacks.entries()) read.set(stack, pages[index] ?? [])
  const found = look(follow, read)
  const isNear = found.follow.has === 'begun' && underWay(found.follow) === 0 && found.follow.resources.size > 0
  return {
    events: found.events,
    watching: {
      follow: found.follow,
      names: namesWith(watching.names, found.events),
      looks: watching.looks + 1,
      quiet: found.events.length === 0 ? watching.quiet + 1 : 0,
      near: isNear ? watching.near + 1 : 0,
    },
  }
}

/** An operation of ours is known by its token; that of somebody else by the newest event that begins one. */
async function begunFollow({ cloud, arn, token, signal }: Operation): Promise<Follow> {
  if (token !== undefined) return followFrom(arn, { token })
  const events: DescribedEvent[] = []
  let next: string | undefined
  for (;;) {
    const page = await eventPage(cloud, { stack: arn, next, signal })
    events.push(...page.events)
    next = page.next
    const follow = followLatest(arn, events, { isLastPage: next === undefined })
    if (follow !== undefined) return follow
    if (next === undefined) return followFrom(arn)
  }
}

/** The pages of a stack's events that are not known yet. */
async function newPages(
  follow: Follow,
  stack: string,
  { cloud, token, signal }: Operation,
): Promise<readonly DescribedEvent[]> {
  const events: DescribedEvent[] = []
  let next: string | undefined
  do {
    const page = await eventPage(cloud, { stack, next, signal })
    events.push(...page.events)
    // Below the first event with another token lies the history of the stack.
    const isPast = token !== undefined && page.events.some(({ ClientRequestToken: other }) => other !== token)
    if (isPast || reaches(follow, stack, events)) break
    next = page.next
  } while (next !== undefined)
  if (token === undefined || stack !== follow.stack || follow.has !== 'not begun') return events
  return events.slice(0, events.findLastIndex(({ ClientRequestToken: own }) => own === token) + 1)
}

/** The status of a stack whose operation is over; nothing, if it is not. */
async function confirmed(
  operation: Operation,
  reads: number,
): Promise<Extract<StackEvent, { kind: 'stack' }> | undefined> {
  const { cloud, arn, signal } = operation
  const { clock } = cloud
  for (let count = 0; count < reads; count += 1) {
    if (count > 0) await clock.sleep(500, signal)
    const stack = await describeStack(cloud, arn, { signal, isOnce: true })
    if (stack === undefined) return { kind: 'stack', at: clock.now(), status: 'DELETE_COMPLETE' }
    if (isEnd(stack.StackStatus, operation)) return statusEvent(clock, stack)
  }
  return undefined
}

/** Whether a stack at rest is one that the operation has brought to rest. */
async function isOf({ shows, isDone }: Operation, stack: Described, silence: Silence): Promise<boolean> {
  if (shows === undefined || shows(stack)) return shows !== undefined
  return isDone !== undefined && (await silence.ask(isDone)) === true
}

function isEnd(status: string, { kind }: Operation): boolean {
  // Before the operation is seen, a new stack is still the shell that its change set left.
  return status !== 'REVIEW_IN_PROGRESS' && outcome(status, kind).is !== 'going'
}

/** Lets a look fail, and says when there were too many of them. */
class Silence {
  readonly #operation: Operation
  #since: number | undefined
  #expired = 0
  failures = 0

  constructor(operation: Operation) {
    this.#operation = operation
  }

  async ask<T>(run: () => Promise<T>): Promise<T | undefined> {
    const {
      cloud: { clock },
      signal,
    } = this.#operation
    try {
      const value = await run()
      this.#since = undefined
      this.#expired = 0
      this.failures = 0
      return value
    } catch (error) {
      if (signal?.aborted === true || error instanceof Refused) throw error
      // What is not of the service or the network is a mistake of ours.
      if (!isOfService(error)) throw error
      const { is } = meaningOf(error)
      const now = clock.now().getTime()
      this.#since ??= now
      this.failures += 1
      // The client has got new credentials after the first time; if those are no better, nobody here has any.
      if (is === 'credentials') this.#expired += 1
      const passes = is === 'throttled' || is === 'unreachable' || is === 'crowded' || is === 'credentials'
      const isLost = this.#expired > 1 || now - this.#since > longestSilence || (!passes && this.failures > 3)
      if (isLost) throw unknownOutcome(this.#operation, error)
      return undefined
    }
  }
}

function unknownOutcome({ name, arn, cloud }: Operation, error: unknown): Refused {
  return new Refused(
    'outcome-unknown',
    `It is not known how the operation on the stack ${name} ends: ${wordsOf(error)} It goes on in CloudFormation.`,
    {
      remedy: `Run the same command again: it follows the operation to its end. Or look: \`aws cloudformation describe-stacks --stack-name ${arn} --region ${cloud.region}\`.`,
      cause: error,
    },
  )
}

function interrupted({ name }: Operation, error: unknown): Refused {
  return new Refused(
    'interrupted',
    `The run was stopped while it followed the operation on the stack ${name}, which goes on in CloudFormation.`,
    { remedy: 'Run the same command again: it follows the operation to its end.', cause: error },
  )
}

function statusEvent(clock: Clock, stack: Described): Extract<StackEvent, { kind: 'stack' }> {
  const reason = stack.StackStatusReason
  return {
    kind: 'stack',
    at: clock.now(),
    status: stack.StackStatus,
    ...(reason !== undefined && reason !== '' && { reason }),
  }
}

const resourceStatuses: ReadonlySet<string> = new Set<ResourceStatus>([
  'CREATE_IN_PROGRESS',
  'CREATE_COMPLETE',
  'CREATE_FAILED',
  'UPDATE_IN_PROGRESS',
  'UPDATE_COMPLETE',
  'UPDATE_FAILED',
  'DELETE_IN_PROGRESS',
  'DELETE_COMPLETE',
  'DELETE_FAILED',
  'DELETE_SKIPPED',
])

function isResourceStatus(status: string): status is ResourceStatus {
  return resourceStatuses.has(status)
}

/** An event in the words of the port. The stack's end is told once, when it is confirmed. */
function eventOf(
  event: DescribedEvent,
  { operation, names }: { readonly operation: Operation; readonly names: Watch['names'] },
): StackEvent | undefined {
  const { ResourceStatus: status = '', ResourceStatusReason: reason, LogicalResourceId: logicalId = '' } = event
  const at = event.Timestamp ?? operation.cloud.clock.now()
  const because = reason !== undefined && reason !== '' ? { reason } : {}
  if (event.PhysicalResourceId === operation.arn) {
    return isEnd(status, operation) ? undefined : { kind: 'stack', at, status, ...because }
  }
  if (!isResourceStatus(status) || event.PhysicalResourceId === event.StackId) return undefined
  const id = `${prefixOf(event, names)}${logicalId}`
  return { kind: 'resource', at, logicalId: id, type: event.ResourceType ?? '', status, ...because }
}

/** Resources of nested stacks are named as in the changes of a preview: `Network/Vpc`. */
function prefixOf({ StackId: stack = '' }: DescribedEvent, names: Watch['names']): string {
  const name = names.get(stack)
  return name === undefined ? '' : `${name}/`
}

function namesWith(names: Watch['names'], events: readonly DescribedEvent[]): Watch['names'] {
  const nested = events.flatMap((event): [string, string][] => {
    const { PhysicalResourceId: id = '', StackId, LogicalResourceId: logicalId = '' } = event
    if (event.ResourceType !== 'AWS::CloudFormation::Stack' || id === StackId || !id.startsWith('arn:')) return []
    return [[id, `${prefixOf(event, names)}${logicalId}`]]
  })
  return nested.length === 0 ? names : new Map([...names, ...nested])
}
