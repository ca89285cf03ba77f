import { classify, type Classified } from './classes.ts'

/** One event of a stack or a nested one, as far as a failure is told by it. Events may come in any order. */
export type FailureEvent = {
  /** Told apart from its repetitions by this. */
  readonly id: string
  readonly at: Date
  /** The nested stacks that lead to it by their logical ids, outermost first; none of the stack itself. */
  readonly within: readonly string[]
  /** Nothing for an event of the stack itself. */
  readonly logicalId?: string
  readonly type?: string
  readonly physicalId?: string
  readonly status: string
  readonly reason?: string
}

/** One resource that failed, and why. */
export type Cause = {
  /** `Network/Subnets/PublicSubnet1`: the resource with the nested stacks that it lies in; nothing if it is the stack itself. */
  readonly resource?: string
  readonly within: readonly string[]
  readonly logicalId?: string
  readonly type?: string
  readonly physicalId?: string
  readonly at: Date
  readonly status: string
  /** What the cloud said, unchanged. */
  readonly reason: string
  readonly is: Classified
}

/** What went wrong in one operation: first what began it. */
export type FirstCause = {
  readonly first: Cause
  /** Others that failed by themselves, in the order of time; two resources may well fail at once. */
  readonly also: readonly Cause[]
  /** How many failed only because of these. */
  readonly cascaded: number
  /** What keeps the rollback from ending, if it does not. */
  readonly rollbackBlockedBy?: Cause
}

/**
 * The first cause in the events of one operation; nothing while none of them is a failure. Nested stacks, cancelled
 * siblings and what the stack itself says of its resources are set aside where a resource explains them. What fails while the stack is
 * being rolled back is no cause of the rollback.
 */
export function firstCause(events: readonly FailureEvent[]): FirstCause | undefined {
  const ordered = inOrder(events)
  const turned = turningPoint(ordered)
  const failures = ordered.filter(isFailure).map(causeOf)
  const isLater = ({ at, status, logicalId }: Cause): boolean =>
    status.includes('ROLLBACK_FAILED') ||
    (turned !== undefined && logicalId !== undefined && at.getTime() > turned.getTime())
  const before = failures.filter((cause) => !isLater(cause))
  const real = before.filter(({ is }) => is.is !== 'cascade')
  const leaves = real.filter((cause) => !isExplained(cause, real))
  const resources = leaves.filter(({ logicalId }) => logicalId !== undefined)
  const [first, ...others] = resources.length > 0 ? resources : leaves
  if (first === undefined) return undefined
  const also = others.filter(
    (cause, index) =>
      cause.resource !== first.resource && others.findIndex((each) => each.resource === cause.resource) === index,
  )
  const blocked = failures.find((cause) => isLater(cause) && cause.logicalId !== undefined && cause.is.is !== 'cascade')
  return {
    first,
    also,
    cascaded: new Set(
      before
        .filter(({ is, logicalId }) => is.is === 'cascade' && logicalId !== undefined)
        .map(({ resource }) => resource),
    ).size,
    ...(blocked !== undefined && { rollbackBlockedBy: blocked }),
  }
}

/** By time; what has the same time as the cloud gave it, oldest first. An event that was read twice counts once. */
function inOrder(events: readonly FailureEvent[]): readonly FailureEvent[] {
  const known = new Map(events.map((event) => [event.id, event]))
  return [...known.values()].toSorted((a, b) => a.at.getTime() - b.at.getTime())
}

/** When the stack began to go back; until then failures are causes, afterwards they are in the way of the rollback. */
function turningPoint(events: readonly FailureEvent[]): Date | undefined {
  return events.find(
    ({ logicalId, within, status }) =>
      logicalId === undefined && within.length === 0 && status.endsWith('ROLLBACK_IN_PROGRESS'),
  )?.at
}

function isFailure({ status, logicalId, reason }: FailureEvent): boolean {
  if (status.endsWith('_FAILED')) return true
  return logicalId === undefined && status.endsWith('ROLLBACK_IN_PROGRESS') && reason !== undefined
}

function causeOf(event: FailureEvent): Cause {
  const { within, logicalId, type, physicalId, at, status, reason = '' } = event
  const resource = logicalId === undefined ? within.join('/') : [...within, logicalId].join('/')
  return {
    ...(resource !== '' && { resource }),
    within,
    ...(logicalId !== undefined && { logicalId }),
    ...(type !== undefined && { type }),
    ...(physicalId !== undefined && { physicalId }),
    at,
    status,
    reason,
    is: classify(reason, type),
  }
}

/** A nested stack is explained by a resource in it, and a stack by any of its resources. */
function isExplained(cause: Cause, all: readonly Cause[]): boolean {
  const isStack = cause.logicalId === undefined || cause.type === 'AWS::CloudFormation::Stack'
  if (!isStack) return false
  const path = cause.logicalId === undefined ? cause.within : [...cause.within, cause.logicalId]
  return all.some(
    (other) =>
      other !== cause &&
      other.logicalId !== undefined &&
      (other.type !== 'AWS::CloudFormation::Stack' || other.within.length >= path.length) &&
      path.every((step, index) => other.within[index] === step),
  )
}
