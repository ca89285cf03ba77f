import { createHash } from 'node:crypto'
import type { DataMap } from '../../../src/core/data.ts'
import type { Agenda } from './agenda.ts'

/** What a stack was last told to be. Replaced as a whole, never changed. */
export type Config = {
  /** As it was sent. */
  readonly templateText: string
  readonly template: DataMap
  /** What was given; defaults are not among it. */
  readonly parameters: Readonly<Record<string, string>>
  readonly tags: Readonly<Record<string, string>>
  readonly capabilities: readonly string[]
  readonly notificationArns: readonly string[]
  readonly roleArn: string | undefined
  readonly rollback: RollbackConfiguration | undefined
}

export type RollbackConfiguration = {
  readonly triggers: readonly { readonly arn: string; readonly type: string }[] | undefined
  readonly minutes: number | undefined
}

/** A resource of a stack. Replaced as a whole, never changed. */
export type LiveResource = {
  readonly logicalId: string
  readonly type: string
  readonly physicalId: string | undefined
  readonly status: string
  readonly reason: string | undefined
  readonly at: Date
  readonly generation: number
  /** What it was made with: functions evaluated. */
  readonly properties: DataMap
  readonly metadata: string
  readonly tags: Readonly<Record<string, string>>
  readonly dependencies: readonly string[]
  readonly deletionPolicy: string
  readonly updateReplacePolicy: string
  /** What it really is, where somebody changed it by hand; `gone` where somebody deleted it. */
  readonly drifted?: DataMap | 'gone'
  readonly driftCheckedAt?: Date
}

export type Output = {
  readonly value: string
  readonly description: string | undefined
  readonly exportName: string | undefined
}

/** What a rollback goes back to. */
export type Stable = {
  readonly config: Config
  readonly resources: ReadonlyMap<string, LiveResource>
  readonly outputs: Readonly<Record<string, Output>>
  readonly imports: readonly string[]
}

export type StackEvent = {
  readonly id: string
  readonly logicalId: string
  readonly physicalId: string
  readonly type: string
  readonly at: Date
  readonly status: string
  readonly reason: string | undefined
  readonly detailed: string | undefined
  readonly properties: DataMap | undefined
  readonly token: string | undefined
  readonly operation: string | undefined
}

export type OperationType =
  | 'CREATE_STACK'
  | 'UPDATE_STACK'
  | 'DELETE_STACK'
  | 'CONTINUE_ROLLBACK'
  | 'ROLLBACK'
  | 'CREATE_CHANGESET'

/** One operation on a stack: what it was asked to do, and how it goes. */
export type Operation = {
  readonly id: string
  readonly type: OperationType
  readonly token: string | undefined
  readonly startedAt: Date
  readonly express: boolean
  readonly retainExceptOnCreate: boolean
  state: 'running' | 'succeeded' | 'failed'
  endedAt: Date | undefined
  /** Somebody asked to stop it. */
  cancelled: boolean
  /** The logical ids that failed, in their order. */
  readonly failed: string[]
  /** What was found wrong before anything was made. */
  readonly validations: Validation[]
  /** The stack is being deleted while this makes it. */
  superseded: boolean
  /** Of a nested stack that is updated: what its parent has decided. */
  verdict: 'clean' | 'rollback' | undefined
}

export type Validation = {
  readonly name: string
  readonly logicalId: string
  readonly type: string
  readonly path: string
  readonly reason: string
  readonly mode: 'FAIL' | 'WARN'
}

/** A change of one resource, with values where they are known before it is done. */
export type Change = {
  readonly logicalId: string
  readonly type: string
  readonly action: 'Add' | 'Modify' | 'Remove' | 'Dynamic'
  readonly physicalId: string | undefined
  readonly replacement: 'True' | 'False' | 'Conditional' | undefined
  readonly policyAction: string | undefined
  readonly scope: readonly string[]
  readonly details: readonly Detail[]
  readonly before: string | undefined
  readonly after: string | undefined
  readonly nestedChangeSet?: string | undefined
  readonly drift?: string | undefined
}

export type Detail = {
  readonly attribute: string
  readonly name: string | undefined
  readonly path: string | undefined
  readonly recreation: 'Never' | 'Conditionally' | 'Always'
  readonly evaluation: 'Static' | 'Dynamic'
  readonly source: string
  readonly cause: string | undefined
  readonly before: string | undefined
  readonly after: string | undefined
  readonly kind: 'Add' | 'Remove' | 'Modify'
  readonly drift?: { readonly previous: string; readonly actual: string; readonly at: Date } | undefined
}

export type ChangeSet = {
  readonly id: string
  readonly name: string
  readonly kind: 'CREATE' | 'UPDATE'
  readonly description: string | undefined
  readonly token: string | undefined
  /** What was asked for, so that asking again by the same token can be told from asking for something else. */
  readonly asked: string
  readonly createdAt: Date
  readonly config: Config
  /** The digest of the stack's state that it was compared with. */
  readonly includeNested: boolean
  readonly onStackFailure: string | undefined
  readonly express: boolean
  readonly deploymentConfig:
    | { readonly mode: string | undefined; readonly disableRollback: boolean | undefined }
    | undefined
  readonly revertDrift: boolean
  readonly importExisting: boolean
  readonly operation: Operation
  readonly parent: { readonly stack: string; readonly changeSet: string; readonly root: string } | undefined
  status: string
  execution: string
  reason: string | undefined
  changes: readonly Change[]
}

export type Stack = {
  readonly id: string
  readonly name: string
  readonly createdAt: Date
  readonly incarnation: number
  readonly parent: string | undefined
  readonly root: string | undefined
  updatedAt: Date | undefined
  deletedAt: Date | undefined
  status: string
  statusReason: string | undefined
  detailed: string | undefined
  /** `undefined` until something was executed. */
  config: Config | undefined
  outputs: Readonly<Record<string, Output>>
  imports: readonly string[]
  resources: Map<string, LiveResource>
  /** How often a resource of each logical id was made, so that no two are called alike. */
  readonly generations: Map<string, number>
  stable: Stable | undefined
  /** Physical resources that are to be deleted when the operation has come to its end. */
  doomed: LiveResource[]
  /** Physical resources that could not be deleted when they were no longer wanted. */
  orphans: LiveResource[]
  policy: string | undefined
  terminationProtection: boolean
  disableRollback: boolean
  deploymentConfig: ChangeSet['deploymentConfig']
  onFailure: string | undefined
  timeoutMinutes: number | undefined
  retainExceptOnCreate: boolean
  deletionMode: string | undefined
  changeSet: string | undefined
  readonly changeSets: ChangeSet[]
  readonly events: StackEvent[]
  readonly operations: Operation[]
  driftCheckedAt: Date | undefined
  driftStatus: string
  /** How many reads still show what was before. */
  stale: { readonly status: string; left: number } | undefined
}

/** An account in a region. */
export type Place = {
  readonly account: string
  readonly region: string
  /** Deleted ones are among them, oldest first. */
  readonly stacks: Stack[]
  /** Tokens that were used, with a digest of what for. */
  readonly tokens: Map<string, string>
  readonly detections: Map<string, { readonly stack: string; readonly at: Date; readonly done: Date }>
}

/** What a test has told the fake to let fail. */
export type Failure = {
  readonly logicalId: string
  readonly reason: string
  readonly on: 'create' | 'update' | 'delete' | 'rollback'
  /** Of which stack, by name; of any when it is left out. */
  readonly stack?: string
  /** How often; every time when it is left out. */
  readonly times?: number
}

export type World = {
  readonly agenda: Agenda
  readonly places: Map<string, Place>
  /** Objects by `bucket/key`. */
  readonly buckets: Map<string, Bucket>
  readonly failures: { readonly failure: Failure; left: number }[]
  readonly settings: Settings
  /** What the parameter store holds, by name. */
  readonly parameters: Map<string, string>
  /** Resources outside of stacks that take names: `<account> <region> AWS::SQS::Queue jobs`. */
  readonly foreign: Set<string>
  /** Alarms that are not `OK`, by ARN. */
  readonly alarms: Map<string, string>
  readonly count: { ids: number }
}

export type Bucket = { readonly account: string; readonly objects: Map<string, StoredObject> }

export type StoredObject = {
  readonly body: Buffer
  readonly etag: string
  readonly at: Date
  readonly headers: Readonly<Record<string, string>>
}

export type Settings = {
  /** How long a resource takes, in seconds. */
  readonly duration: (resource: {
    readonly logicalId: string
    readonly type: string
    readonly action: string
  }) => number
  /** How long a change set takes, in seconds. */
  readonly changeSetSeconds: number
  readonly staleReads: number
  readonly pageSize: number
  readonly stackLimit: number
  readonly ownUrl: () => string
}

/** A refusal of a request. */
export class ApiError extends Error {
  readonly code: string

  constructor(code: string, message: string) {
    super(message)
    this.name = 'ApiError'
    this.code = code
  }
}

export function validation(message: string): ApiError {
  return new ApiError('ValidationError', message)
}

export function placeOf(world: World, account: string, region: string): Place {
  const key = `${account} ${region}`
  const known = world.places.get(key)
  if (known !== undefined) return known
  const made: Place = { account, region, stacks: [], tokens: new Map(), detections: new Map() }
  world.places.set(key, made)
  return made
}

export function newId(world: World): string {
  world.count.ids += 1
  return uuid(`${world.count.ids}`)
}

export function uuid(seed: string): string {
  const hex = createHash('sha256').update(seed).digest('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join('-')
}

/** The stack of a name that is not deleted, or of an id. */
export function findStack(place: Place, nameOrId: string): Stack | undefined {
  return nameOrId.startsWith('arn:')
    ? place.stacks.find(({ id }) => id === nameOrId)
    : place.stacks.findLast(({ name, status }) => name === nameOrId && status !== 'DELETE_COMPLETE')
}

export function newOperation(
  world: World,
  options: Pick<Operation, 'type' | 'token'> & Partial<Pick<Operation, 'express' | 'retainExceptOnCreate'>>,
): Operation {
  return {
    id: newId(world),
    express: false,
    retainExceptOnCreate: false,
    ...options,
    startedAt: world.agenda.now(),
    state: 'running',
    endedAt: undefined,
    cancelled: false,
    failed: [],
    validations: [],
    superseded: false,
    verdict: undefined,
  }
}

export function emptyStack(
  world: World,
  options: Pick<Stack, 'name' | 'parent' | 'root'> & {
    readonly place: Place
    readonly status: string
    readonly id?: string
  },
): Stack {
  const { place, name, status, parent, root } = options
  const incarnation = place.stacks.filter((each) => each.name === name).length
  const partition = place.region.startsWith('cn-')
    ? 'aws-cn'
    : place.region.startsWith('us-gov-')
      ? 'aws-us-gov'
      : 'aws'
  const id =
    options.id ?? `arn:${partition}:cloudformation:${place.region}:${place.account}:stack/${name}/${newId(world)}`
  const stack: Stack = {
    id,
    name,
    createdAt: world.agenda.now(),
    incarnation,
    parent,
    root,
    updatedAt: undefined,
    deletedAt: undefined,
    status,
    statusReason: undefined,
    detailed: undefined,
    config: undefined,
    outputs: {},
    imports: [],
    resources: new Map(),
    generations: new Map(),
    stable: undefined,
    doomed: [],
    orphans: [],
    policy: undefined,
    terminationProtection: false,
    disableRollback: false,
    deploymentConfig: undefined,
    onFailure: undefined,
    timeoutMinutes: undefined,
    retainExceptOnCreate: false,
    deletionMode: undefined,
    changeSet: undefined,
    changeSets: [],
    events: [],
    operations: [],
    driftCheckedAt: undefined,
    driftStatus: 'NOT_CHECKED',
    stale: undefined,
  }
  place.stacks.push(stack)
  return stack
}

/** Notes an event of the stack itself, and with it the stack's status. */
export function stackEvent(
  world: World,
  stack: Stack,
  options: {
    readonly status: string
    readonly reason?: string | undefined
    readonly operation: Operation | undefined
    readonly detailed?: string | undefined
  },
): void {
  const { status, reason, operation, detailed } = options
  stack.status = status
  stack.statusReason = reason
  stack.detailed = detailed
  stack.events.push({
    id: newId(world),
    logicalId: stack.name,
    physicalId: stack.id,
    type: 'AWS::CloudFormation::Stack',
    at: world.agenda.now(),
    status,
    reason,
    detailed,
    properties: undefined,
    token: operation?.token,
    operation: operation?.id,
  })
}

/** Notes an event of a resource, and with it the resource as it is now. */
export function resourceEvent(
  world: World,
  stack: Stack,
  options: {
    readonly resource: Omit<LiveResource, 'status' | 'reason' | 'at'>
    readonly status: string
    readonly reason?: string | undefined
    readonly detailed?: string | undefined
    readonly operation: Operation
    /** An event of something that is no longer the resource of its logical id. */
    readonly apart?: boolean
  },
): LiveResource {
  const { resource, status, reason, detailed, operation, apart } = options
  const at = world.agenda.now()
  const live: LiveResource = { ...resource, status, reason, at }
  if (apart !== true) stack.resources.set(live.logicalId, live)
  const seen = stack.events.filter((event) => event.logicalId === live.logicalId).length
  stack.events.push({
    id: `${live.logicalId}-${status}-${at.toISOString()}${seen === 0 ? '' : `-${seen}`}`,
    logicalId: live.logicalId,
    physicalId: live.physicalId ?? '',
    type: live.type,
    at,
    status,
    reason,
    detailed,
    properties: status.startsWith('DELETE_') ? undefined : live.properties,
    token: operation.token,
    operation: operation.id,
  })
  return live
}

export function digestOf(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex')
}

export function isBusy(status: string): boolean {
  return status.endsWith('_IN_PROGRESS') && status !== 'REVIEW_IN_PROGRESS'
}
