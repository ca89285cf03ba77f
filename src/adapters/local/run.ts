import { Refused } from '../../core/problem.ts'
import { fixedName } from '../../core/stack/identity.ts'
import { inOrder } from '../../core/stack/order.ts'
import {
  isRetained,
  removalOrder,
  type ResourceRecord,
  type Resources,
  type StackPlan,
  type Step,
} from '../../core/stack/plan.ts'
import type { StackName } from '../../core/stack/template.ts'
import type { Clock, ResourceStatus, StackEvent } from '../../ports.ts'
import { type Content, emptyContent, type Leaving, type Retained, type StackFile } from './state.ts'

/** What an operation needs of the world around the stack. */
export type Surroundings = {
  readonly stack: StackName
  readonly clock: Clock
  /** Milliseconds that a unit of a resource's work takes; 0 does not wait at all. */
  readonly pace: number
  readonly signal: AbortSignal | undefined
  /** Why a resource is to fail, if it is; asked before each is made, updated or deleted. */
  readonly failure: (action: 'make' | 'delete', logicalId: string) => string | undefined
  /** Who has a name already: by type and name, as `nameKey` writes it. */
  readonly taken: ReadonlyMap<string, string>
  readonly save: (file: StackFile) => void
  readonly drop: () => void
}

export function nameKey(type: string, name: string): string {
  return `${type}\n${name}`
}

/** How long a kind of resource takes beside the others, in units of `pace`. What is not listed takes 2. */
const work: Readonly<Record<string, number>> = {
  'AWS::CloudFront::Distribution': 15,
  'AWS::EC2::NatGateway': 6,
  'AWS::ECS::Service': 8,
  'AWS::ElastiCache::ReplicationGroup': 12,
  'AWS::ElasticLoadBalancingV2::LoadBalancer': 7,
  'AWS::IAM::Role': 3,
  'AWS::RDS::DBCluster': 12,
  'AWS::RDS::DBInstance': 15,
}

/**
 * One operation on one stack: a stream of events, each after what it tells is on the disk. The state is whole between any
 * two of them, so that an operation that is cut short is taken up by the next.
 */
export class Operation {
  readonly #world: Surroundings
  #file: StackFile

  constructor(world: Surroundings, file: StackFile | undefined) {
    this.#world = world
    this.#file = file ?? { ...emptyContent(), stack: world.stack, status: 'ABSENT', leaving: [], retained: [] }
  }

  /** Makes the stack what the plan says; goes back to what it was when a resource fails. */
  async *apply(plan: StackPlan, wanted: Pick<Content, 'body' | 'parameters' | 'tags'>): AsyncGenerator<StackEvent> {
    const interrupted = this.#file.status.endsWith('_IN_PROGRESS')
    const first =
      this.#file.status === 'ABSENT' ||
      this.#file.status === 'DELETE_COMPLETE' ||
      (interrupted && this.#file.previous === undefined)
    const kind = first ? 'CREATE' : 'UPDATE'
    const { outputs, exports, imports } = plan
    const goal: Omit<Content, 'resources'> = { ...wanted, outputs, exports, imports }
    const previous = this.#file.previous ?? (first ? undefined : contentOf(this.#file))
    const claims = { ...this.#file.imports, ...imports }
    this.#save({ ...withPrevious(this.#file, previous), status: `${kind}_IN_PROGRESS`, imports: claims })
    yield this.#stackEvent('User Initiated')
    const failed = yield* this.#make(plan.steps)
    if (failed.length > 0) {
      const reason = `${failureText(failed)}${previous === undefined ? ' Rollback requested by user.' : ''}`
      if (previous === undefined) yield* this.#undoCreate(reason)
      else yield* this.#undoUpdate(previous, reason)
      return
    }
    const resources = Object.fromEntries(plan.steps.map(({ logicalId, record }) => [logicalId, record]))
    const removed = plan.removals.map(({ logicalId, record, change }): Leaving => ({
      logicalId,
      record,
      retained: change.retained,
    }))
    const leaving = [...this.#file.leaving, ...removed]
    const settled = { ...withPrevious(this.#file, undefined), ...goal, resources, leaving }
    if (leaving.length > 0) {
      // From here on the new stack is the one to go back to; only what it let go of remains to be cleared away.
      this.#save({ ...settled, previous: { ...goal, resources }, status: 'UPDATE_COMPLETE_CLEANUP_IN_PROGRESS' })
      yield this.#stackEvent()
      yield* this.#clear()
    }
    this.#save({ ...withPrevious(this.#file, undefined), ...goal, resources, status: `${kind}_COMPLETE` })
    yield this.#stackEvent()
  }

  /** Deletes the stack and all that is in it but what is to be retained. */
  async *remove(): AsyncGenerator<StackEvent> {
    this.#save({ ...withPrevious(this.#file, undefined), status: 'DELETE_IN_PROGRESS' })
    yield this.#stackEvent('User Initiated')
    const undeleted = [
      ...(yield* this.#deleteAll((record) => isRetained(record.deletionPolicy))),
      ...(yield* this.#clear()),
    ]
    if (undeleted.length > 0) {
      this.#save({
        ...this.#file,
        status: 'DELETE_FAILED',
        reason: `The following resource(s) failed to delete: [${undeleted.join(', ')}].`,
      })
      yield this.#stackEvent(this.#file.reason)
      return
    }
    const { retained } = this.#file
    this.#file = { ...emptyContent(), stack: this.#world.stack, status: 'DELETE_COMPLETE', leaving: [], retained }
    // What stayed in the account keeps its name; the file remembers it.
    if (retained.length > 0) this.#world.save(this.#file)
    else this.#world.drop()
    yield this.#stackEvent()
  }

  #save(file: StackFile): void {
    this.#file = file
    this.#world.save(file)
  }

  #stackEvent(reason?: string): StackEvent {
    const { status } = this.#file
    return { kind: 'stack', at: this.#world.clock.now(), status, ...(reason === undefined ? {} : { reason }) }
  }

  #event(
    logicalId: string,
    type: string,
    told: { readonly status: ResourceStatus; readonly reason?: string | undefined },
  ): StackEvent {
    const { status, reason } = told
    return {
      kind: 'resource',
      at: this.#world.clock.now(),
      logicalId,
      type,
      status,
      ...(reason === undefined ? {} : { reason }),
    }
  }

  /** Lets time go by; the run ends here when it is told to stop, with everything so far on the disk. */
  async #wait(units: number): Promise<void> {
    const { clock, pace, signal } = this.#world
    const stopped = (): boolean => signal?.aborted === true
    if (pace > 0 && units > 0 && !stopped()) {
      try {
        await clock.sleep(units * pace, signal)
      } catch (error) {
        if (!stopped()) throw error
      }
    }
    if (stopped()) {
      throw new Refused(
        'interrupted',
        `The work on the stack ${this.#world.stack.name} was stopped before it had ended.`,
        {
          remedy: 'Run the same command again: it goes on from here.',
          cause: signal?.reason,
        },
      )
    }
  }

  /** Makes, updates and replaces as far as nothing waits for another; the first failure stops all that is under way. */
  async *#make(steps: readonly Step[]): AsyncGenerator<StackEvent, readonly Failed[]> {
    const waiting = new Map(
      steps.filter(({ change }) => change !== undefined).map((step) => [step.logicalId, step] as const),
    )
    const running: { readonly step: Step; readonly until: number }[] = []
    const unfinished = new Set(waiting.keys())
    let now = 0
    await this.#wait(0)
    while (unfinished.size > 0) {
      for (const step of waiting.values()) {
        if (step.record.dependencies.some((name) => unfinished.has(name))) continue
        waiting.delete(step.logicalId)
        running.push({ step, until: now + (work[step.record.type] ?? 2) })
        yield this.#event(step.logicalId, step.record.type, {
          status: `${verbOf(step)}_IN_PROGRESS`,
          reason:
            step.change?.action === 'replace'
              ? 'Requested update requires the creation of a new physical resource; hence creating one.'
              : undefined,
        })
      }
      const next = running.toSorted((a, b) => a.until - b.until)[0]
      // The plan has no circles, so something is always under way while anything is unfinished.
      if (next === undefined) break
      await this.#wait(next.until - now)
      now = next.until
      running.splice(running.indexOf(next), 1)
      const { logicalId, record } = next.step
      const failure = this.#failureOf(next.step)
      if (failure !== undefined) {
        yield this.#event(logicalId, record.type, { status: `${verbOf(next.step)}_FAILED`, reason: failure })
        for (const { step } of running) {
          const reason = verbOf(step) === 'CREATE' ? 'Resource creation cancelled' : 'Resource update cancelled'
          yield this.#event(step.logicalId, step.record.type, { status: `${verbOf(step)}_FAILED`, reason })
        }
        return [next, ...running].map(({ step }) => ({ logicalId: step.logicalId, created: verbOf(step) === 'CREATE' }))
      }
      this.#made(next.step)
      unfinished.delete(logicalId)
      yield this.#event(logicalId, record.type, { status: `${verbOf(next.step)}_COMPLETE` })
    }
    return []
  }

  #failureOf({ logicalId, record, change }: Step): string | undefined {
    const told = this.#world.failure('make', logicalId)
    if (told !== undefined || change === undefined || change.action === 'update') return told
    const name = fixedName({ stack: this.#world.stack, logicalId, type: record.type, properties: record.properties })
    if (name === undefined) return undefined
    const mine = Object.entries(this.#file.resources).find(
      ([id, it]) => id !== logicalId && this.#isNamed(id, it, { type: record.type, name }),
    )
    const owner = mine === undefined ? this.#world.taken.get(nameKey(record.type, name)) : this.#world.stack.name
    return owner === undefined ? undefined : `${name} already exists in stack ${owner}`
  }

  #isNamed(
    logicalId: string,
    record: ResourceRecord,
    wanted: { readonly type: string; readonly name: string },
  ): boolean {
    return (
      record.type === wanted.type &&
      fixedName({ stack: this.#world.stack, logicalId, type: record.type, properties: record.properties }) ===
        wanted.name
    )
  }

  #made({ logicalId, record, change }: Step): void {
    const before = this.#file.resources[logicalId]
    const left =
      change?.action === 'replace' && before !== undefined
        ? [{ logicalId, record: before, retained: change.retained }]
        : []
    this.#save({
      ...this.#file,
      resources: { ...this.#file.resources, [logicalId]: record },
      leaving: [...this.#file.leaving, ...left],
    })
  }

  /** A first creation that failed leaves an empty stack behind, that can only be deleted. */
  async *#undoCreate(reason: string): AsyncGenerator<StackEvent> {
    this.#save({ ...this.#file, status: 'ROLLBACK_IN_PROGRESS', reason })
    yield this.#stackEvent(reason)
    const undeleted = [
      ...(yield* this.#deleteAll((record) => record.deletionPolicy === 'Retain')),
      ...(yield* this.#clear()),
    ]
    const left =
      undeleted.length > 0 ? `The following resource(s) failed to delete: [${undeleted.join(', ')}].` : undefined
    this.#save({
      ...this.#file,
      imports: {},
      status: left === undefined ? 'ROLLBACK_COMPLETE' : 'ROLLBACK_FAILED',
      reason: left ?? reason,
    })
    yield this.#stackEvent(left)
  }

  /** Brings back what was updated or replaced, then deletes what is new. */
  async *#undoUpdate(previous: Content, reason: string): AsyncGenerator<StackEvent> {
    this.#save({ ...this.#file, status: 'UPDATE_ROLLBACK_IN_PROGRESS', reason })
    yield this.#stackEvent(reason)
    for (const logicalId of removalOrder(this.#file.resources)) {
      const there = this.#file.resources[logicalId]
      const before = Object.hasOwn(previous.resources, logicalId) ? previous.resources[logicalId] : undefined
      if (there === undefined || there === before) continue
      if (before === undefined) {
        const { [logicalId]: _new, ...resources } = this.#file.resources
        this.#save({
          ...this.#file,
          resources,
          leaving: [...this.#file.leaving, { logicalId, record: there, retained: there.deletionPolicy === 'Retain' }],
        })
        continue
      }
      const replaced = there.generation !== before.generation
      const changed = replaced || !sameRecord(there, before)
      if (changed) yield this.#event(logicalId, before.type, { status: 'UPDATE_IN_PROGRESS' })
      if (changed) await this.#wait(work[before.type] ?? 2)
      const kept = this.#file.leaving.filter(
        (it) => it.logicalId !== logicalId || it.record.generation !== before.generation,
      )
      const left = replaced ? [...kept, { logicalId, record: there, retained: false }] : kept
      this.#save({ ...this.#file, resources: { ...this.#file.resources, [logicalId]: before }, leaving: left })
      if (changed) yield this.#event(logicalId, before.type, { status: 'UPDATE_COMPLETE' })
    }
    if (this.#file.leaving.length > 0) {
      this.#save({ ...this.#file, ...previous, status: 'UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS' })
      yield this.#stackEvent()
      yield* this.#clear()
    }
    this.#save({ ...withPrevious(this.#file, undefined), ...previous, status: 'UPDATE_ROLLBACK_COMPLETE' })
    yield this.#stackEvent()
  }

  /** Deletes what the stack let go of. What cannot be deleted is told of and forgotten, as in CloudFormation. */
  async *#clear(): AsyncGenerator<StackEvent, readonly string[]> {
    const undeleted: string[] = []
    for (const { logicalId, record, retained } of dependantsFirst(this.#file.leaving)) {
      const gone = yield* this.#deleteOne({ logicalId, record, retained }, () => {
        const leaving = this.#file.leaving.filter(
          (it) => it.logicalId !== logicalId || it.record.physicalId !== record.physicalId,
        )
        this.#save({ ...this.#file, leaving })
      })
      if (!gone) undeleted.push(logicalId)
    }
    this.#save({ ...this.#file, leaving: [] })
    return undeleted
  }

  async *#deleteAll(keeps: (record: ResourceRecord) => boolean): AsyncGenerator<StackEvent, readonly string[]> {
    const undeleted = new Set<string>()
    for (const logicalId of removalOrder(this.#file.resources)) {
      const record = this.#file.resources[logicalId]
      if (record === undefined) continue
      // What a resource that could not be deleted depends on has to stay as well.
      if ([...undeleted].some((id) => this.#file.resources[id]?.dependencies.includes(logicalId) === true)) {
        undeleted.add(logicalId)
        continue
      }
      const gone = yield* this.#deleteOne({ logicalId, record, retained: keeps(record) }, () => {
        const { [logicalId]: _gone, ...resources } = this.#file.resources
        this.#save({ ...this.#file, resources })
      })
      if (!gone) undeleted.add(logicalId)
    }
    return [...undeleted]
  }

  async *#deleteOne(it: Leaving, forget: () => void): AsyncGenerator<StackEvent, boolean> {
    const { logicalId, record, retained } = it
    if (retained) {
      this.#file = { ...this.#file, retained: [...this.#file.retained, this.#retainedOf(it)] }
      forget()
      yield this.#event(logicalId, record.type, { status: 'DELETE_SKIPPED' })
      return true
    }
    yield this.#event(logicalId, record.type, { status: 'DELETE_IN_PROGRESS' })
    await this.#wait(Math.ceil((work[record.type] ?? 2) / 2))
    const failure = this.#world.failure('delete', logicalId)
    if (failure !== undefined) {
      yield this.#event(logicalId, record.type, { status: 'DELETE_FAILED', reason: failure })
      return false
    }
    forget()
    yield this.#event(logicalId, record.type, { status: 'DELETE_COMPLETE' })
    return true
  }

  #retainedOf({ logicalId, record }: Leaving): Retained {
    const name = fixedName({ stack: this.#world.stack, logicalId, type: record.type, properties: record.properties })
    return { logicalId, type: record.type, physicalId: record.physicalId, ...(name === undefined ? {} : { name }) }
  }
}

/** What still stands on another goes before it. A logical id can be there more than once, by its generations. */
function dependantsFirst(leaving: readonly Leaving[]): readonly Leaving[] {
  const keyOf = ({ logicalId, record }: Leaving): string => `${logicalId}#${record.generation}`
  const keys = new Map(leaving.map((it) => [keyOf(it), it] as const))
  const sorted = inOrder(
    new Map(
      leaving.map(
        (it) =>
          [
            keyOf(it),
            leaving.filter(({ logicalId }) => it.record.dependencies.includes(logicalId)).map(keyOf),
          ] as const,
      ),
    ),
  )
  // Over several generations there could be a circle; then any order is as good.
  return sorted.is === 'cycle' ? leaving : sorted.order.toReversed().flatMap((key) => keys.get(key) ?? [])
}

type Failed = { readonly logicalId: string; readonly created: boolean }

function failureText(failed: readonly Failed[]): string {
  const part = (verb: string, names: readonly Failed[]): string[] =>
    names.length === 0
      ? []
      : [`The following resource(s) failed to ${verb}: [${names.map(({ logicalId }) => logicalId).join(', ')}].`]
  return [
    ...part(
      'create',
      failed.filter(({ created }) => created),
    ),
    ...part(
      'update',
      failed.filter(({ created }) => !created),
    ),
  ].join(' ')
}

function verbOf({ change }: Step): 'CREATE' | 'UPDATE' {
  return change?.action === 'create' ? 'CREATE' : 'UPDATE'
}

function withPrevious(file: StackFile, previous: Content | undefined): StackFile {
  const { previous: _before, reason: _reason, ...rest } = file
  return previous === undefined ? rest : { ...rest, previous }
}

export function contentOf({ body, parameters, tags, resources, outputs, exports, imports }: Content): Content {
  return { body, parameters, tags, resources, outputs, exports, imports }
}

/** Whether two records are of the same physical resource in the same shape. */
function sameRecord(a: ResourceRecord, b: ResourceRecord): boolean {
  return a.physicalId === b.physicalId && sameData(a, b)
}

function sameData(a: ResourceRecord, b: ResourceRecord): boolean {
  return JSON.stringify([a.properties, a.tags], plain) === JSON.stringify([b.properties, b.tags], plain)
}

function plain(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? value.toString() : value
}

/** The names that resources of these stacks have by their templates, with the stack of each. */
export function takenNames(files: readonly StackFile[]): ReadonlyMap<string, string> {
  const taken = new Map<string, string>()
  const add = (stack: StackName, resources: Resources): void => {
    for (const [logicalId, { type, properties }] of Object.entries(resources)) {
      const name = fixedName({ stack, logicalId, type, properties })
      if (name !== undefined) taken.set(nameKey(type, name), stack.name)
    }
  }
  for (const file of files) {
    add(file.stack, file.resources)
    for (const { logicalId, record } of file.leaving) add(file.stack, { [logicalId]: record })
    for (const { type, name } of file.retained)
      if (name !== undefined) taken.set(nameKey(type, name), `${file.stack.name} (retained)`)
  }
  return taken
}
