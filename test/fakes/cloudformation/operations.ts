import { canonicalJson } from '../../../src/core/canonical.ts'
import { type DataMap, isMap } from '../../../src/core/data.ts'
import { isRetained } from '../../../src/core/stack/plan.ts'
import type { Wait, Work } from './agenda.ts'
import {
  asItIs,
  exportsOf,
  importersOf,
  liveOf,
  nestedConfig,
  nestedType,
  type Plan,
  type Planned,
  planFor,
  type Planning,
  removalSequence,
  type Subject,
} from './plan.ts'
import { deniedByPolicy } from './policy.ts'
import {
  ApiError,
  type ChangeSet,
  type Config,
  emptyStack,
  findStack,
  type LiveResource,
  newOperation,
  type Operation,
  type OperationType,
  type Place,
  resourceEvent,
  type Stack,
  stackEvent,
  validation,
  type World,
} from './state.ts'

/** An operation on a stack, and what it works with. */
type Run = {
  readonly world: World
  readonly place: Place
  readonly stack: Stack
  readonly operation: Operation
}

export type Asked = {
  readonly world: World
  readonly place: Place
  readonly stack: Stack
  readonly token: string | undefined
}

export type Options = {
  readonly disableRollback: boolean
  readonly onFailure: string | undefined
  readonly retainExceptOnCreate: boolean
  readonly deployment: ChangeSet['deploymentConfig']
  /** It is a part of its parent's operation. */
  readonly nested?: boolean
  /** What was changed by hand is to be as the template has it. */
  readonly revertDrift?: boolean
}

function begin(
  { world, place, stack, token }: Asked,
  type: OperationType,
  options: { readonly express?: boolean; readonly retainExceptOnCreate?: boolean } = {},
): Run {
  const operation = newOperation(world, {
    type,
    token,
    express: options.express ?? false,
    retainExceptOnCreate: options.retainExceptOnCreate ?? false,
  })
  stack.operations.push(operation)
  return { world, place, stack, operation }
}

function finish({ world, operation }: Run, state: 'succeeded' | 'failed'): void {
  operation.state = state
  operation.endedAt = world.agenda.now()
}

/** Notes a status of the stack that this operation brought about. */
function say({ world, stack, operation }: Run, status: string, reason?: string, detailed?: string): void {
  stackEvent(world, stack, { status, reason, operation, detailed })
}

/** A plan made when the work begins. What was right when it was asked for may be wrong by now: then the work fails. */
function planningOf({ world, place }: Run, subject: Subject, config: Config): Planning {
  try {
    return planFor(world, place, { subject, config })
  } catch (error) {
    if (error instanceof ApiError) return { ok: false, missing: error.message }
    throw error
  }
}

/** What an automatic rollback is: an operation of its own, under the token of the one that failed. */
function rollbackOf(run: Run): Run {
  const { world, place, stack, operation } = run
  finish(run, 'failed')
  return begin({ world, place, stack, token: operation.token }, 'ROLLBACK', {
    retainExceptOnCreate: operation.retainExceptOnCreate,
  })
}

/** Begins to create a stack that is there, without resources. */
export function startCreation(asked: Asked, config: Config, options: Options): Operation {
  const { world, stack } = asked
  const run = begin(asked, 'CREATE_STACK', expressOf(options))
  remember(stack, options)
  stack.config = config
  say(run, 'CREATE_IN_PROGRESS', 'User Initiated')
  world.agenda.spawn(creating(run, config, options))
  function* creating(run: Run, config: Config, options: Options): Work {
    const planning = planningOf(run, stack, config)
    const { validations } = run.operation
    let reason: string | undefined = planning.ok ? undefined : planning.missing
    if (planning.ok) {
      stack.imports = planning.plan.imports
      const timeout = stack.timeoutMinutes === undefined ? {} : { timeout: stack.timeoutMinutes * 60_000 }
      reason = yield* applying(run, planning.plan, { ...timeout, options })
      if (run.operation.superseded) return finish(run, 'failed')
      if (reason === undefined) reason = clashingExport(run, planning.plan)
      if (reason === undefined) reason = yield* watchingAlarms(run, config)
      if (reason === undefined) {
        stack.outputs = planning.plan.outputs
        settle(stack, planning.plan)
        say(run, 'CREATE_COMPLETE')
        finish(run, 'succeeded')
        return
      }
    }
    const onFailure = options.onFailure ?? (options.disableRollback ? 'DO_NOTHING' : 'ROLLBACK')
    if (onFailure === 'DO_NOTHING') {
      say(run, 'CREATE_FAILED', `${reason} `, validations.length > 0 ? 'VALIDATION_FAILED' : undefined)
      finish(run, 'failed')
      return
    }
    const rollback = rollbackOf(run)
    if (onFailure === 'DELETE') {
      say(rollback, 'DELETE_IN_PROGRESS', `${reason} Delete requested by user.`)
      yield* deletingStack(rollback, { skip: [], force: false })
      return
    }
    yield* undoingCreation(rollback, `${reason} Rollback requested by user.`)
  }
  return run.operation
}

function expressOf({ deployment, retainExceptOnCreate }: Options): { express: boolean; retainExceptOnCreate: boolean } {
  return { express: deployment?.mode === 'EXPRESS', retainExceptOnCreate }
}

function remember(stack: Stack, options: Options): void {
  stack.disableRollback = options.disableRollback
  stack.deploymentConfig = options.deployment
  stack.onFailure = options.onFailure
  stack.retainExceptOnCreate = options.retainExceptOnCreate
  // What is drifting is told of what was, not of what will be.
  stack.driftStatus = 'NOT_CHECKED'
}

/** Deletes what a creation has made so far. */
function* undoingCreation(run: Run, reason: string): Work {
  const { stack } = run
  say(run, 'ROLLBACK_IN_PROGRESS', reason)
  const failed = yield* deletingAll(run, removalSequence(stack.resources), { on: 'rollback', created: true })
  if (failed.length > 0) {
    say(run, 'ROLLBACK_FAILED', `The following resource(s) failed to delete: [${failed.join(', ')}]. `)
    finish(run, 'failed')
    return
  }
  stack.imports = []
  say(run, 'ROLLBACK_COMPLETE')
  finish(run, 'succeeded')
}

/** Begins to update a stack. */
export function startUpdate(asked: Asked, config: Config, options: Options): Operation {
  const { world, stack } = asked
  const run = begin(asked, 'UPDATE_STACK', expressOf(options))
  remember(stack, options)
  stack.config = config
  stack.updatedAt = world.agenda.now()
  say(run, 'UPDATE_IN_PROGRESS', 'User Initiated')
  world.agenda.spawn(updating(run, config, options))
  function* updating(run: Run, config: Config, options: Options): Work {
    const subject = options.revertDrift === true ? asItIs(stack) : stack
    const planning = planningOf(run, subject, config)
    let reason: string | undefined = planning.ok ? undefined : planning.missing
    if (planning.ok) {
      reason = yield* applying(run, planning.plan, { options })
      if (reason === undefined) reason = clashingExport(run, planning.plan) ?? exportInUse(run, planning.plan)
      if (reason === undefined) reason = yield* watchingAlarms(run, config)
      if (reason === undefined) {
        yield* completingUpdate(run, planning.plan, options)
        return
      }
    }
    if (options.disableRollback && !run.operation.cancelled) {
      // What did succeed stays.
      for (const [id, live] of stack.resources) if (live.type === nestedType) decide(run, id, 'clean')
      say(run, 'UPDATE_FAILED', `${reason} `)
      finish(run, 'failed')
      return
    }
    yield* undoing(rollbackOf(run), run.operation.cancelled ? 'User Initiated' : `${reason} `)
  }
  return run.operation
}

function* completingUpdate(run: Run, plan: Plan, options: Options): Work {
  const { stack, operation } = run
  const before = { outputs: stack.outputs, imports: stack.imports }
  stack.outputs = plan.outputs
  stack.imports = plan.imports
  say(run, 'UPDATE_COMPLETE_CLEANUP_IN_PROGRESS')
  if (options.nested === true) {
    yield { until: () => operation.verdict !== undefined }
    if (operation.verdict === 'rollback') {
      stack.outputs = before.outputs
      stack.imports = before.imports
      yield* undoingUpdate(rollbackOf(run), undefined, [])
      return
    }
  }
  for (const [id, live] of stack.resources) if (live.type === nestedType) decide(run, id, 'clean')
  stack.doomed.push(...doomedBy(stack.stable?.resources ?? new Map(), stack.resources))
  for (const { logicalId } of plan.removals) stack.doomed.push(...there(stack, logicalId))
  yield* cleaning(run, {})
  const wanted = new Set(plan.resources.map(({ logicalId }) => logicalId))
  for (const logicalId of stack.resources.keys()) if (!wanted.has(logicalId)) stack.resources.delete(logicalId)
  for (const [id, live] of stack.resources)
    if (live.type === nestedType) yield { until: () => !isWorking(run, live) || stack.resources.get(id) === undefined }
  settle(stack, plan)
  say(run, 'UPDATE_COMPLETE')
  finish(run, 'succeeded')
}

function there(stack: Stack, logicalId: string): readonly LiveResource[] {
  const live = liveOf(stack.resources, logicalId)
  return live === undefined ? [] : [live]
}

/** Physical resources of before that are no longer those of their logical ids. */
function doomedBy(
  before: ReadonlyMap<string, LiveResource>,
  now: ReadonlyMap<string, LiveResource>,
): readonly LiveResource[] {
  return [...before.values()].flatMap((old) => {
    const current = now.get(old.logicalId)
    if (old.physicalId === undefined || current === undefined) return []
    return current.physicalId === old.physicalId || current.physicalId === undefined ? [] : [old]
  })
}

/** Tells the nested stack of a resource how its parent's update ended. */
function decide({ place, stack }: Run, logicalId: string, verdict: 'clean' | 'rollback'): void {
  const nested = findStack(place, stack.resources.get(logicalId)?.physicalId ?? '')
  const operation = nested?.operations.findLast(({ type }) => type === 'UPDATE_STACK')
  if (operation?.state === 'running') operation.verdict ??= verdict
}

function isWorking({ place }: Run, live: LiveResource): boolean {
  return findStack(place, live.physicalId ?? '')?.status.endsWith('_IN_PROGRESS') === true
}

/** What a stack has become is what a later rollback goes back to. */
function settle(stack: Stack, plan: Plan): void {
  for (const {
    logicalId,
    dependencies,
    deletionPolicy,
    updateReplacePolicy,
    metadata,
    tags,
    properties,
  } of plan.resources) {
    const live = stack.resources.get(logicalId)
    if (live !== undefined)
      stack.resources.set(logicalId, {
        ...live,
        dependencies,
        deletionPolicy,
        updateReplacePolicy,
        metadata,
        tags,
        properties,
      })
  }
  if (stack.config === undefined) return
  const { config, outputs, imports } = stack
  stack.stable = { config, resources: new Map(stack.resources), outputs, imports }
}

/** Goes back to what was before; where nothing was, to nothing. */
function undoing(run: Run, reason: string): Work {
  return run.stack.stable === undefined ? undoingCreation(run, reason) : undoingUpdate(run, reason, [])
}

/** Brings a stack back to what it was before the update. */
function* undoingUpdate(run: Run, reason: string | undefined, skip: readonly string[]): Work {
  const { world, stack, operation } = run
  const { stable } = stack
  if (stable === undefined) throw new Error(`The stack ${stack.name} has nothing to go back to`)
  say(run, 'UPDATE_ROLLBACK_IN_PROGRESS', reason)
  for (const live of stack.resources.values()) {
    const old = stable.resources.get(live.logicalId)
    if (old?.physicalId !== undefined && old.physicalId === live.physicalId) continue
    const dead = live.status.startsWith('DELETE_') || stack.doomed.some((it) => it.physicalId === live.physicalId)
    if (!dead && (old === undefined || live.physicalId !== undefined)) stack.doomed.push(live)
  }
  const waiting = new Set<string>()
  for (const old of stable.resources.values()) {
    const live = stack.resources.get(old.logicalId)
    const isSame =
      live?.physicalId === old.physicalId && live?.properties === old.properties && !live.status.endsWith('_FAILED')
    if (isSame && !isTouched(run, live)) continue
    if (old.status === 'DELETE_COMPLETE' || old.status === 'DELETE_SKIPPED') continue
    waiting.add(old.logicalId)
  }
  const todo = [...waiting]
  for (const logicalId of todo) {
    const old = stable.resources.get(logicalId)
    if (old !== undefined) world.agenda.spawn(restoring(run, old, { waiting, isSkipped: skip.includes(logicalId) }))
  }
  yield { until: () => waiting.size === 0 }
  if (operation.failed.length > 0) {
    say(run, 'UPDATE_ROLLBACK_FAILED', `The following resource(s) failed to update: [${operation.failed.join(', ')}]. `)
    finish(run, 'failed')
    return
  }
  say(run, 'UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS')
  yield* cleaning(run, { ofReplacement: 'Delete' })
  for (const logicalId of stack.resources.keys())
    if (!stable.resources.has(logicalId)) stack.resources.delete(logicalId)
  stack.config = stable.config
  stack.outputs = stable.outputs
  stack.imports = stable.imports
  stack.stable = { ...stable, resources: new Map(stack.resources) }
  say(run, 'UPDATE_ROLLBACK_COMPLETE')
  finish(run, 'succeeded')
}

/** Whether the nested stack of a resource has begun something that its parent has to take back. */
function isTouched({ place }: Run, live: LiveResource | undefined): boolean {
  if (live?.type !== nestedType) return false
  const status = findStack(place, live.physicalId ?? '')?.status ?? ''
  return (
    status === 'UPDATE_COMPLETE_CLEANUP_IN_PROGRESS' ||
    status.startsWith('UPDATE_ROLLBACK_IN') ||
    status === 'UPDATE_ROLLBACK_FAILED'
  )
}

function* restoring(
  run: Run,
  old: LiveResource,
  { waiting, isSkipped }: { readonly waiting: Set<string>; readonly isSkipped: boolean },
): Work {
  const { world, place, stack, operation } = run
  yield { until: () => old.dependencies.every((id) => !waiting.has(id)) || operation.failed.length > 0 }
  if (operation.failed.length > 0) {
    waiting.delete(old.logicalId)
    return
  }
  if (isSkipped) {
    resourceEvent(world, stack, { resource: old, status: 'UPDATE_COMPLETE', operation })
    waiting.delete(old.logicalId)
    return
  }
  resourceEvent(world, stack, { resource: old, status: 'UPDATE_IN_PROGRESS', operation })
  let reason: string | undefined
  if (old.type === nestedType) reason = yield* undoingNested()
  else {
    yield { ms: durationOf(run, old.logicalId, old.type, 'update') }
    reason = failureOf(run, old.logicalId, 'rollback')
  }
  if (reason === undefined) resourceEvent(world, stack, { resource: old, status: 'UPDATE_COMPLETE', operation })
  else {
    operation.failed.push(old.logicalId)
    resourceEvent(world, stack, { resource: old, status: 'UPDATE_FAILED', reason, operation })
  }
  waiting.delete(old.logicalId)
  function* undoingNested(): Generator<Wait, string | undefined, void> {
    decide(run, old.logicalId, 'rollback')
    const nested = findStack(place, old.physicalId ?? '')
    if (nested === undefined) return undefined
    const asked = { world, place, stack: nested, token: operation.token }
    if (nested.status === 'UPDATE_ROLLBACK_FAILED') continueRollback(asked, [])
    if (nested.status === 'UPDATE_FAILED') startRollback(asked, { retainExceptOnCreate: false })
    yield { until: () => !nested.status.endsWith('_IN_PROGRESS') }
    if (nested.status === 'UPDATE_COMPLETE') {
      let before: Config
      try {
        before = nestedConfig(world, place, old.properties)
      } catch (error) {
        if (error instanceof ApiError) return error.message
        throw error
      }
      const isOther =
        nested.config?.templateText !== before.templateText ||
        JSON.stringify(nested.config.parameters) !== JSON.stringify(before.parameters)
      if (isOther) startUpdate(asked, before, plainly)
      yield { until: () => !nested.status.endsWith('_IN_PROGRESS') }
    }
    return nested.status.endsWith('_FAILED')
      ? `Embedded stack ${nested.id} was not successfully updated. Currently in ${nested.status} with reason: ${nested.statusReason ?? ''}`
      : undefined
  }
}

const plainly: Options = {
  disableRollback: false,
  onFailure: undefined,
  retainExceptOnCreate: false,
  deployment: undefined,
}

/** Deletes what is no longer wanted. What cannot be deleted is tried three times, and stays. */
function* cleaning(run: Run, { ofReplacement }: { readonly ofReplacement?: string }): Generator<Wait, void, void> {
  const { world, stack } = run
  const gone = [...stack.doomed]
  stack.doomed = []
  const waiting = new Set(gone)
  for (const resource of gone) world.agenda.spawn(one(resource))
  yield { until: () => waiting.size === 0 }
  function* one(resource: LiveResource): Work {
    yield { until: () => ![...waiting].some((it) => it !== resource && it.dependencies.includes(resource.logicalId)) }
    const current = stack.resources.get(resource.logicalId)
    const apart = current !== undefined && current.physicalId !== resource.physicalId
    // What a replacement leaves behind has a policy of its own; what is taken back with it has none.
    const policy = apart ? (ofReplacement ?? resource.updateReplacePolicy) : resource.deletionPolicy
    for (let attempt = 1; attempt <= 3; attempt += 1) {
      const created = !(stack.stable?.resources.has(resource.logicalId) ?? false)
      const outcome = yield* deletingOne(run, { ...resource, deletionPolicy: policy }, { on: 'delete', apart, created })
      if (outcome !== 'failed') break
      if (attempt === 3) stack.orphans.push(resource)
    }
    waiting.delete(resource)
  }
}

/** Makes and changes all that a plan says; the reason when something failed. */
function* applying(
  run: Run,
  plan: Plan,
  { timeout, options }: { readonly timeout?: number; readonly options: Options },
): Generator<Wait, string | undefined, void> {
  const { world, stack, operation } = run
  const verb = operation.type === 'CREATE_STACK' ? 'create' : 'update'
  const denied = deniedByPolicy(stack, plan)
  const waiting = new Set<string>()
  const works = plan.resources.filter((it) => it.action !== undefined || it.nested !== undefined)
  for (const { logicalId } of works) waiting.add(logicalId)
  for (const planned of works)
    world.agenda.spawn(making(run, planned, { waiting, options, denied: denied.get(planned.logicalId) }))
  for (const { logicalId } of plan.removals) {
    const reason = denied.get(logicalId)
    const live = liveOf(stack.resources, logicalId)
    if (reason === undefined || live === undefined) continue
    operation.failed.push(logicalId)
    resourceEvent(world, stack, { resource: live, status: 'UPDATE_FAILED', reason, operation })
  }
  yield { until: () => waiting.size === 0, ...(timeout === undefined ? {} : { ms: timeout }) }
  if (waiting.size > 0) {
    operation.cancelled = true
    yield { until: () => waiting.size === 0 }
    return 'Stack creation time exceeded the specified timeout.'
  }
  if (operation.failed.length > 0)
    return `The following resource(s) failed to ${verb}: [${operation.failed.join(', ')}].`
  return operation.cancelled ? 'User Initiated' : undefined
}

type Making = { readonly waiting: Set<string>; readonly options: Options; readonly denied: string | undefined }

function* making(run: Run, planned: Planned, { waiting, options, denied }: Making): Work {
  const { world, place, stack, operation } = run
  const { logicalId, type, action, before } = planned
  const stops = (): boolean => operation.failed.length > 0 || operation.cancelled
  yield { until: () => stops() || planned.dependencies.every((id) => !waiting.has(id)) }
  if (stops()) {
    waiting.delete(logicalId)
    return
  }
  const isNew = action === 'create'
  const verb = isNew ? 'CREATE' : 'UPDATE'
  const made = resourceOf(planned)
  const shell = isNew ? { ...made, physicalId: undefined } : { ...made, physicalId: before?.physicalId }
  const replaces = action === 'replace'
  const note = (
    resource: Omit<LiveResource, 'status' | 'reason' | 'at'>,
    status: string,
    more: { readonly reason?: string | undefined; readonly detailed?: string } = {},
  ): void => {
    resourceEvent(world, stack, { resource, status, operation, ...more })
  }
  const fail = (resource: Omit<LiveResource, 'status' | 'reason' | 'at'>, reason: string): void => {
    operation.failed.push(logicalId)
    note(resource, `${verb}_FAILED`, { reason })
    waiting.delete(logicalId)
    const failed = stack.resources.get(logicalId)
    if (before === undefined || failed === undefined) return
    // What was not updated is what it was; what was begun in its place is nobody's.
    if (failed.physicalId !== before.physicalId && failed.physicalId !== undefined) stack.doomed.push(failed)
    stack.resources.set(logicalId, { ...before, status: failed.status, reason, at: failed.at })
  }
  const cancelled = `Resource ${isNew ? 'creation' : 'update'} cancelled`
  if (planned.nested !== undefined && !isNew && !replaces) {
    yield* updatingNested()
    return
  }
  if (denied !== undefined) return fail(shell, denied)
  if (isNew || replaces) stack.generations.set(logicalId, planned.generation)
  const because = 'Requested update requires the creation of a new physical resource; hence creating one.'
  note(shell, `${verb}_IN_PROGRESS`, { reason: replaces ? because : undefined })
  const whole = durationOf(run, logicalId, type, isNew ? 'create' : 'update')
  const first = Math.min(1000, whole / 4)
  yield { ms: first, until: stops }
  if (stops()) return fail(shell, cancelled)
  if (isNew || replaces) {
    const taken = nameTaken(run, planned)
    if (taken !== undefined) return fail(shell, taken)
    note(made, `${verb}_IN_PROGRESS`, { reason: 'Resource creation Initiated' })
  }
  if (planned.nested !== undefined) {
    const refusal = yield* creatingNested(planned.nested)
    if (refusal !== undefined) return fail(made, refusal)
  } else if (whole >= 20_000 && !operation.express && isNew) {
    yield { ms: whole * 0.8 - first, until: stops }
    if (stops()) return fail(made, cancelled)
    note(made, `${verb}_IN_PROGRESS`, {
      reason: 'Eventual consistency check initiated',
      detailed: 'CONFIGURATION_COMPLETE',
    })
    yield { ms: whole * 0.2, until: stops }
  } else yield { ms: whole - first, until: stops }
  if (stops()) return fail(made, cancelled)
  const reason = failureOf(run, logicalId, isNew ? 'create' : 'update')
  if (reason !== undefined) return fail(made, reason)
  const express =
    'Resource operation completed using Express Mode. It may continue becoming available in the background.'
  note(made, `${verb}_COMPLETE`, operation.express ? { reason: express } : {})
  waiting.delete(logicalId)

  function* creatingNested(config: Config): Generator<Wait, string | undefined, void> {
    const name = made.physicalId?.split('/')[1] ?? ''
    const nested = emptyStack(world, {
      place,
      name,
      status: 'CREATE_IN_PROGRESS',
      parent: stack.id,
      root: stack.root ?? stack.id,
      ...(made.physicalId === undefined ? {} : { id: made.physicalId }),
    })
    const under = startCreation({ world, place, stack: nested, token: operation.token }, config, {
      ...plainly,
      onFailure: 'DO_NOTHING',
      nested: true,
    })
    yield { until: () => nested.status !== 'CREATE_IN_PROGRESS' || stops() }
    if (nested.status === 'CREATE_IN_PROGRESS') {
      under.cancelled = true
      yield { until: () => nested.status !== 'CREATE_IN_PROGRESS' }
      return cancelled
    }
    return nested.status === 'CREATE_COMPLETE'
      ? undefined
      : `Embedded stack ${nested.id} was not successfully created: ${nested.statusReason ?? ''}`
  }

  function* updatingNested(): Work {
    const nested = findStack(place, before?.physicalId ?? '')
    const { nested: config } = planned
    if (nested === undefined || config === undefined)
      return fail(shell, `Stack [${before?.physicalId ?? ''}] does not exist`)
    const planning = planningOf(run, nested, config)
    const idle = planning.ok && !hasChanges(planning.plan) && action === undefined
    if (denied !== undefined && !idle) return fail(shell, denied)
    note(made, 'UPDATE_IN_PROGRESS')
    if (idle) {
      yield { ms: 500, until: stops }
      note(made, 'UPDATE_COMPLETE')
      waiting.delete(logicalId)
      return
    }
    const under = startUpdate({ world, place, stack: nested, token: operation.token }, config, {
      ...plainly,
      disableRollback: options.disableRollback,
      nested: true,
    })
    yield { until: () => nested.status !== 'UPDATE_IN_PROGRESS' || stops() }
    if (nested.status === 'UPDATE_IN_PROGRESS') {
      under.cancelled = true
      yield { until: () => nested.status !== 'UPDATE_IN_PROGRESS' }
      return fail(made, cancelled)
    }
    if (nested.status !== 'UPDATE_COMPLETE_CLEANUP_IN_PROGRESS')
      return fail(
        made,
        `Embedded stack ${nested.id} was not successfully updated. Currently in ${nested.status} with reason: ${nested.statusReason ?? ''}`,
      )
    note(made, 'UPDATE_COMPLETE')
    waiting.delete(logicalId)
  }
}

/** Whether a plan does anything. */
export function hasChanges(plan: Plan): boolean {
  return plan.outputsChanged || plan.removals.length > 0 || plan.resources.some(({ action }) => action !== undefined)
}

function resourceOf(planned: Planned): Omit<LiveResource, 'status' | 'reason' | 'at'> {
  const { logicalId, type, physicalId, generation, properties, metadata, tags, dependencies } = planned
  const { deletionPolicy, updateReplacePolicy, before, action } = planned
  const made = { logicalId, type, physicalId, generation, properties, metadata, tags, dependencies, deletionPolicy }
  const drifted = action === 'update' && isMap(before?.drifted) ? stillDrifted(planned, before.drifted) : undefined
  return { ...made, updateReplacePolicy, ...(drifted === undefined ? {} : { drifted }) }
}

/** What was changed by hand stays so, except for the properties that an update writes. */
function stillDrifted({ properties, found }: Planned, actual: DataMap): DataMap | undefined {
  const written = new Set(found.map(({ path }) => path[0]))
  const kept = Object.entries(actual).filter(
    ([key, value]) => !written.has(key) && canonicalJson(value) !== canonicalJson(properties[key] ?? null),
  )
  return kept.length === 0 ? undefined : { ...properties, ...Object.fromEntries(kept) }
}

function durationOf({ world, operation }: Run, logicalId: string, type: string, action: string): number {
  const whole = world.settings.duration({ logicalId, type, action }) * 1000
  return operation.express ? whole / 5 : whole
}

/** The reason for which a resource is to fail now, as often as the test said. */
function failureOf(
  { world, stack }: Run,
  logicalId: string,
  on: 'create' | 'update' | 'delete' | 'rollback',
): string | undefined {
  const armed = world.failures.find(
    ({ failure, left }) =>
      left > 0 &&
      failure.logicalId === logicalId &&
      failure.on === on &&
      (failure.stack === undefined || failure.stack === stack.name),
  )
  if (armed === undefined) return undefined
  armed.left -= 1
  return armed.failure.reason
}

/** Somebody else's resource of the same type and name. */
export function nameTaken(
  { world, place, stack }: Pick<Run, 'world' | 'place' | 'stack'>,
  planned: Planned,
): string | undefined {
  const { fixedName, type } = planned
  if (fixedName === undefined) return undefined
  const isForeign = world.foreign.has(`${place.account} ${place.region} ${type} ${fixedName}`)
  const owner = place.stacks.find((other) =>
    [...other.resources.values()].some(
      (it) =>
        it.type === type &&
        it.physicalId === planned.physicalId &&
        it.status !== 'DELETE_COMPLETE' &&
        (other !== stack || it.logicalId !== planned.logicalId),
    ),
  )
  if (!isForeign && owner === undefined) return undefined
  return owner === undefined
    ? `${fixedName} already exists (Service: null, Status Code: 0, Request ID: null) (HandlerErrorCode: AlreadyExists)`
    : `${fixedName} already exists in stack ${owner.id}`
}

function clashingExport({ place, stack }: Run, plan: Plan): string | undefined {
  const others = exportsOf(place)
  for (const { exportName } of Object.values(plan.outputs)) {
    const found = exportName === undefined ? undefined : others.get(exportName)
    if (found !== undefined && found.stack !== stack)
      return `Export with name ${exportName ?? ''} is already exported by stack ${found.stack.name}.`
  }
  return undefined
}

/** An export that others import may neither go nor change. */
function exportInUse({ place, stack }: Run, plan: Plan): string | undefined {
  const wanted = new Map(Object.values(plan.outputs).map(({ exportName, value }) => [exportName, value]))
  for (const { exportName, value } of Object.values(stack.outputs)) {
    if (exportName === undefined || wanted.get(exportName) === value) continue
    const users = importersOf(place, exportName).map(({ name }) => name)
    if (users.length > 0)
      return `Export ${exportName} cannot be ${wanted.has(exportName) ? 'updated' : 'deleted'} as it is in use by ${users.join(', ')}`
  }
  return undefined
}

/** Watches the alarms of the rollback configuration for as long as it says. */
function* watchingAlarms({ world }: Run, { rollback }: Config): Generator<Wait, string | undefined, void> {
  const triggers = rollback?.triggers ?? []
  const ringing = (): string | undefined => triggers.find(({ arn }) => world.alarms.get(arn) === 'ALARM')?.arn
  if (triggers.length === 0) return undefined
  yield { ms: (rollback?.minutes ?? 0) * 60_000, until: () => ringing() !== undefined }
  const arn = ringing()
  return arn === undefined ? undefined : `Rollback trigger: Alarm ${arn} is in ALARM.`
}

/** Deletes resources, dependants first, and names those that could not be. */
function* deletingAll(
  run: Run,
  resources: readonly LiveResource[],
  options: Deleting,
): Generator<Wait, readonly string[], void> {
  const waiting = new Set(resources)
  const failed: LiveResource[] = []
  for (const resource of resources) run.world.agenda.spawn(one(resource))
  yield { until: () => waiting.size === 0 }
  return [...new Set(failed.map(({ logicalId }) => logicalId))]
  function* one(resource: LiveResource): Work {
    const holders = resources.filter((it) => it.dependencies.includes(resource.logicalId))
    yield { until: () => !holders.some((it) => waiting.has(it)) }
    const isHeld = holders.some((it) => failed.includes(it))
    const outcome = isHeld ? 'held' : yield* deletingOne(run, resource, options)
    if (outcome === 'failed') failed.push(resource)
    waiting.delete(resource)
  }
}

type Deleting = {
  readonly on: 'delete' | 'rollback'
  /** An event of something that is no longer the resource of its logical id. */
  readonly apart?: boolean
  /** It was made by the operation that is taken back. */
  readonly created?: boolean
  /** Logical ids that are to stay. */
  readonly skip?: readonly string[]
  /** What cannot be deleted stays, and is not waited for. */
  readonly force?: boolean
}

function* deletingOne(
  run: Run,
  resource: LiveResource,
  options: Deleting,
): Generator<Wait, 'deleted' | 'skipped' | 'failed', void> {
  const { world, place, stack, operation } = run
  const { on, apart = false, created = false, skip = [], force = false } = options
  const { logicalId, deletionPolicy, type } = resource
  const note = (status: string, reason?: string): void => {
    resourceEvent(world, stack, { resource, status, reason, operation, apart })
  }
  const unwanted = created && (deletionPolicy === 'RetainExceptOnCreate' || operation.retainExceptOnCreate)
  if (skip.includes(logicalId) || (isRetained(deletionPolicy) && !unwanted)) {
    note('DELETE_SKIPPED')
    return 'skipped'
  }
  note('DELETE_IN_PROGRESS')
  let reason: string | undefined
  if (type === nestedType) reason = yield* deletingNested()
  else {
    if (resource.drifted !== 'gone') yield { ms: durationOf(run, logicalId, type, 'delete') }
    reason = failureOf(run, logicalId, on) ?? (on === 'rollback' ? failureOf(run, logicalId, 'delete') : undefined)
  }
  if (reason === undefined) {
    note('DELETE_COMPLETE')
    return 'deleted'
  }
  note('DELETE_FAILED', reason)
  if (!force) return 'failed'
  note('DELETE_SKIPPED', reason)
  return 'skipped'
  function* deletingNested(): Generator<Wait, string | undefined, void> {
    const nested = findStack(place, resource.physicalId ?? '')
    if (nested === undefined || nested.status === 'DELETE_COMPLETE') return undefined
    yield { until: () => !nested.status.endsWith('_IN_PROGRESS') }
    startDeletion(
      { world, place, stack: nested, token: operation.token },
      { skip: [], force, express: operation.express },
    )
    yield { until: () => nested.status === 'DELETE_COMPLETE' || nested.status === 'DELETE_FAILED' }
    return nested.status === 'DELETE_COMPLETE'
      ? undefined
      : `Embedded stack ${nested.id} was not successfully deleted: ${nested.statusReason ?? ''}`
  }
}

export function startDeletion(
  asked: Asked,
  options: { readonly skip: readonly string[]; readonly force: boolean; readonly express: boolean },
): void {
  const { stack, world } = asked
  const making = stack.operations.find(({ state }) => state === 'running')
  stack.stale = undefined
  const run = begin(asked, 'DELETE_STACK', { express: options.express })
  say(run, 'DELETE_IN_PROGRESS', 'User Initiated')
  if (making !== undefined) {
    making.superseded = true
    making.cancelled = true
  }
  world.agenda.spawn(deleting())
  function* deleting(): Work {
    // What is being made is stopped, so that all of it can be deleted.
    yield { until: () => making === undefined || making.state !== 'running' }
    yield* deletingStack(run, options)
  }
}

function* deletingStack(run: Run, options: { readonly skip: readonly string[]; readonly force: boolean }): Work {
  const { world, place, stack } = run
  const used = Object.values(stack.outputs).flatMap(({ exportName }) => {
    const users = exportName === undefined ? [] : importersOf(place, exportName).filter((each) => each !== stack)
    return users.length === 0
      ? []
      : [`Export ${exportName ?? ''} cannot be deleted as it is in use by ${users.map(({ name }) => name).join(', ')}`]
  })
  if (used[0] !== undefined) {
    say(run, 'DELETE_FAILED', used[0])
    finish(run, 'failed')
    return
  }
  for (const live of stack.resources.values()) {
    // What never came to be has nothing to be deleted.
    if (live.physicalId === undefined) stack.resources.delete(live.logicalId)
  }
  const gone = [...removalSequence(stack.resources), ...stack.doomed.map((it) => ({ ...it, logicalId: it.logicalId }))]
  stack.doomed = []
  const failed = yield* deletingAll(run, gone, { on: 'delete', ...options })
  if (failed.length > 0) {
    say(run, 'DELETE_FAILED', `The following resource(s) failed to delete: [${failed.join(', ')}]. `)
    finish(run, 'failed')
    return
  }
  stack.outputs = {}
  stack.imports = []
  stack.deletedAt = world.agenda.now()
  say(run, 'DELETE_COMPLETE')
  finish(run, 'succeeded')
}

/** Stops an update, which is then taken back. */
export function cancelUpdate({ world, stack }: Asked): void {
  const operation = stack.operations.findLast(({ type }) => type === 'UPDATE_STACK')
  if (stack.status !== 'UPDATE_IN_PROGRESS' || operation === undefined)
    throw validation('CancelUpdateStack cannot be called from current stack status')
  operation.cancelled = true
  // What waits for it goes on now.
  world.agenda.catchUp()
}

export function continueRollback(asked: Asked, skip: readonly string[]): Operation {
  const run = begin(asked, 'CONTINUE_ROLLBACK')
  asked.world.agenda.spawn(undoingUpdate(run, 'User Initiated', skip))
  return run.operation
}

/** Takes a creation or an update back that was left as it failed. */
export function startRollback(asked: Asked, options: { readonly retainExceptOnCreate: boolean }): Operation {
  const { world } = asked
  const run = begin(asked, 'ROLLBACK', options)
  world.agenda.spawn(undoing(run, 'User Initiated'))
  return run.operation
}
