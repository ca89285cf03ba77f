import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { canonicalJson, digest } from '../core/canonical.ts'
import { type DataMap, mapOf } from '../core/data.ts'
import type { Problem } from '../core/problem.ts'
import { Refused } from '../core/problem.ts'
import { checkLimits } from '../core/stack/limits.ts'
import { scalarText } from '../core/stack/parameters.ts'
import { planStack, type StackPlan } from '../core/stack/plan.ts'
import { own, section } from '../core/stack/template.ts'
import type { Found } from '../core/cause/suspects.ts'
import type { Answer } from '../core/health.ts'
import type { Clock, Provisioner, StackEvent, StackId, StackPreview, StackState, WantedStack } from '../ports.ts'
import { writeAtomically } from './disk.ts'
import { driftOf } from './local/drift.ts'
import { holdStack, isHeld } from './local/lock.ts'
import { contentOf, Operation, takenNames } from './local/run.ts'
import { type Content, emptyContent, stateFolder, type StackFile, type WriteFile } from './local/state.ts'

export type LocalOptions = {
  /** Where the stacks are kept. It is made by the first deployment; looking and planning change nothing. */
  readonly folder: string
  readonly clock: Clock
  /**
   * Resources that shall fail, for rehearsals and tests: `<stack>/<logical id>` when they are made or updated,
   * `delete:<stack>/<logical id>` when they are deleted; `=<reason>` may follow. `health:<unit>=503` lets the address of a
   * unit answer that after its deployment; `=timeout`, `=refused`, `=unresolved` or `=certificate` let it not answer. What is
   * seen of a resource that fails: `exit:<stack>/<logical id>=137` is a task that ended so, and each
   * `log:<stack>/<logical id>=<line>` a line of its log.
   */
  readonly fail?: readonly string[]
  /** Milliseconds that a unit of a resource's work takes (a queue has 2 units, a database 15). 0, the default, does not wait. */
  readonly pace?: number
  /** How a state file is written: whole or not at all. */
  readonly write?: WriteFile
}

/**
 * The provisioner that needs no account and no network. It evaluates CloudFormation templates, keeps the state of the stacks
 * in a folder, and behaves as CloudFormation does: previews, order, replacement, rollback, exports, retained resources.
 * Nothing real is made.
 *
 * Every method may throw `Refused`: `state-newer-format`, `state-damaged`, `state-unreadable`, `stack-name`; `preview` and
 * `execute` also `stack-refused`, `export-taken`, `export-in-use`; `execute` and `remove` also `plan-stale`, `state-locked`,
 * `stack-busy`, `interrupted`, `disk-full`, `disk-read-only`. See docs/local-provisioner.md.
 */
export function localProvisioner(options: LocalOptions): Provisioner {
  const { folder, clock, fail = [], pace = 0 } = options
  const state = stateFolder(folder, options.write ?? writeAtomically)
  const failures = readFailures(fail)

  const prepare = (wanted: WantedStack): Prepared =>
    prepareStack(
      wanted,
      state.read(wanted.stack),
      once(() => state.neighbours(wanted.stack)),
    )

  /** Lies there while somebody wants an update taken back; the run that works on the stack looks for it. */
  const cancelMark = ({ account, region, name }: StackId): string =>
    join(folder, 'locks', `cancel-${account}-${region}-${name}`)

  const operation = (stack: StackId, file: StackFile | undefined, signal: AbortSignal | undefined): Operation => {
    const others = state.neighbours(stack).filter((it) => it.stack.name !== stack.name)
    const own = file === undefined ? [] : [{ ...file, resources: {}, leaving: [] }]
    return new Operation(
      {
        stack,
        clock,
        pace,
        signal,
        failure: (action, logicalId) =>
          action !== 'delete' && existsSync(cancelMark(stack))
            ? 'Resource update cancelled by user'
            : failures.get(`${action === 'delete' ? 'delete:' : ''}${stack.name}/${logicalId}`),
        taken: takenNames([...others, ...own]),
        save: state.write,
        drop: () => state.remove(stack),
      },
      file,
    )
  }

  return {
    state: async (stack) => stateOf(state.read(stack), { held: isHeld(folder, keyOf(stack)) }),

    preview: async (wanted) => previewOf(wanted, prepare(wanted)),

    // A preview is computed, and keeps nothing.
    discard: async () => undefined,

    async *execute(preview, wanted, signal) {
      const hold = await holdStack(folder, keyOf(wanted.stack), clock)
      try {
        rmSync(cancelMark(wanted.stack), { force: true })
        const now = prepare(wanted)
        if (preview.wants !== now.wants || preview.against !== now.against)
          throw stale(wanted.stack, preview.wants !== now.wants)
        if (now.settled !== undefined) {
          yield { kind: 'stack', at: clock.now(), status: now.settled }
          return
        }
        let { file } = now
        if (file !== undefined && mustGoFirst(file.status)) {
          let gone = false
          for await (const event of operation(wanted.stack, file, signal).remove()) {
            if (event.kind === 'stack' && event.status === 'DELETE_FAILED') gone = false
            else gone = true
            yield event
          }
          if (!gone) return
          file = state.read(wanted.stack)
        }
        const { body, tags } = wanted
        yield* operation(wanted.stack, file, signal).apply(now.plan, { body, tags, parameters: now.parameters })
      } finally {
        rmSync(cancelMark(wanted.stack), { force: true })
        hold.release()
      }
    },

    async *follow(stack, signal) {
      while (isHeld(folder, keyOf(stack)) && statusOf(state.read(stack)).endsWith('_IN_PROGRESS'))
        await clock.sleep(followEvery, signal)
      yield { kind: 'stack', at: clock.now(), status: statusOf(state.read(stack)) }
    },

    // `execute` goes on from where a stack was left, so there is nothing to be mended before it.
    async *recover(stack) {
      yield { kind: 'stack', at: clock.now(), status: statusOf(state.read(stack)) }
    },

    health: async (stack) => {
      const answer = answerOf(state.read(stack), { failures, expected: 200 })
      return answer.is === 'answered' && answer.status === 200
        ? { is: 'healthy', words: 'rehearsed' }
        : { is: 'pending', words: 'rehearsed as not healthy' }
    },

    answer: async (stack, expected) => answerOf(state.read(stack), { failures, expected }),
    evidence: async ({ name }, { logicalId = '' }) => seenOf(fail, `${name}/${logicalId}`),

    drift: async (stack) => {
      const file = state.read(stack)
      return file === undefined || !isAtRest(file.status) ? { resources: [], looked: 0, unknown: [] } : driftOf(file)
    },

    async cancel(stack) {
      // As in CloudFormation, an update can be taken back, and nothing else.
      if (!isHeld(folder, keyOf(stack)) || statusOf(state.read(stack)) !== 'UPDATE_IN_PROGRESS') return 'nothing'
      writeAtomically(cancelMark(stack), '')
      return 'cancelled'
    },

    async *remove(stack, signal): AsyncGenerator<StackEvent> {
      const hold = await holdStack(folder, keyOf(stack), clock)
      try {
        const file = state.read(stack)
        if (file === undefined || file.status === 'DELETE_COMPLETE') {
          yield { kind: 'stack', at: clock.now(), status: 'DELETE_COMPLETE' }
          return
        }
        checkExports(file, {}, () => state.neighbours(stack))
        yield* operation(stack, file, signal).remove()
      } finally {
        hold.release()
      }
    },
  }
}

/** Nothing answers at the hosts of a rehearsal, so it answers for itself: as is expected, unless it was told otherwise. */
function answerOf(
  file: StackFile | undefined,
  { failures, expected }: { readonly failures: ReadonlyMap<string, string>; readonly expected: number },
): Answer {
  const told = failures.get(`health:${file?.tags['protium:unit'] ?? ''}`)
  if (told === undefined) return { is: 'answered', status: expected, took: 0 }
  const why = (['timeout', 'refused', 'unresolved', 'certificate', 'other'] as const).find((each) => each === told)
  if (why !== undefined) return { is: 'failed', why, took: 0 }
  return { is: 'answered', status: /^[1-5]\d\d$/u.test(told) ? Number(told) : 503, took: 0 }
}

type Prepared = {
  readonly file: StackFile | undefined
  readonly plan: StackPlan
  readonly parameters: Content['parameters']
  readonly wants: string
  readonly against: string
  /** The status of a stack that is at rest and already all that is wanted. */
  readonly settled: string | undefined
}

/** The other stacks are read only for one that imports or exports: otherwise each of a fleet would read all of it. */
function prepareStack(
  wanted: WantedStack,
  file: StackFile | undefined,
  neighbours: () => readonly StackFile[],
): Prepared {
  refuseProblems(
    wanted.stack,
    checkLimits(wanted.body, () => ({ file: wanted.stack.name, line: 1, column: 1 })),
  )
  const others = once(() => neighbours().filter(({ stack }) => stack.name !== wanted.stack.name))
  const exported = once(() => new Map(others().flatMap(({ exports }) => Object.entries(exports))))
  const fresh = file === undefined || mustGoFirst(file.status) || file.status === 'DELETE_COMPLETE'
  const planned = planStack(wanted, {
    before: fresh ? {} : file.resources,
    outputsBefore: fresh ? {} : file.outputs,
    imported: (name) => exported().get(name),
  })
  if (!planned.ok) throw refusal(wanted.stack, planned.problems)
  const plan = planned.value
  for (const { stack, exports } of Object.keys(plan.exports).length === 0 ? [] : others()) {
    const clash = Object.keys(plan.exports).find((name) => Object.hasOwn(exports, name))
    if (clash === undefined) continue
    throw new Refused('export-taken', `Export with name ${clash} is already exported by stack ${stack.name}.`, {
      remedy: 'Give the export another name, or remove it from the other stack first.',
    })
  }
  if (file !== undefined) checkExports(file, plan.exports, others)
  const parameters = givenParameters(wanted)
  const { body, tags } = wanted
  const goal = (): Content => ({
    ...contentOf({ ...emptyContent(), ...plan, body, tags, parameters }),
    resources: Object.fromEntries(plan.steps.map(({ logicalId, record }) => [logicalId, record])),
  })
  const atRest = file !== undefined && isAtRest(file.status) && file.status !== 'UPDATE_ROLLBACK_COMPLETE'
  return {
    file,
    plan,
    parameters,
    wants: wantsOf(wanted),
    against: againstOf(file, plan),
    settled: atRest && sameContent(file, goal()) ? file.status : undefined,
  }
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined
  return () => (made ??= { value: make() }).value
}

function previewOf(wanted: WantedStack, { file, plan, wants, against, settled }: Prepared): StackPreview {
  const preview = { stack: wanted.stack, wants, against, changes: plan.changes, outputs: plan.outputChanges }
  // Of a stack to which nothing happens, nothing is overwritten.
  if (settled !== undefined || file === undefined || !isAtRest(file.status)) return preview
  return { ...preview, byHand: driftOf(file).resources.map(({ logicalId, is }) => ({ logicalId, is })) }
}

/** What is wanted, as a digest: the template, the parameters and the tags of this stack. */
function wantsOf({ stack, body, parameters, tags }: WantedStack): string {
  const texts = (map: Readonly<Record<string, string>>): DataMap => mapOf(Object.entries(map))
  return digest(
    mapOf([
      ['stack', mapOf(Object.entries(stack))],
      ['body', body],
      ['parameters', texts(parameters)],
      ['tags', texts(tags)],
    ]),
  )
}

/** What it was compared with: the stack as it stands, and the values that it takes from other stacks. */
function againstOf(file: StackFile | undefined, { imports }: StackPlan): string {
  const taken = mapOf(Object.entries(imports))
  if (file === undefined)
    return digest(
      mapOf([
        ['status', 'ABSENT'],
        ['imports', taken],
      ]),
    )
  const { status, leaving } = file
  return digest(
    mapOf([
      ['status', status],
      ['content', contentText(file)],
      ['leaving', leaving.map(({ record }) => record.physicalId)],
      ['imports', taken],
    ]),
  )
}

function sameContent(a: Content, b: Content): boolean {
  return contentText(a) === contentText(b)
}

function contentText(content: Content): string {
  const { body, parameters, tags, resources, outputs, exports, imports } = content
  const records = Object.entries(resources).map(([id, record]) => {
    const { tags: carried, ...rest } = record
    return [id, mapOf([...Object.entries(rest), ['tags', mapOf(Object.entries(carried))]])] as const
  })
  const maps = [parameters, tags, outputs, exports, imports].map((map) => mapOf(Object.entries(map)))
  return canonicalJson([body, mapOf(records), ...maps])
}

/** The parameters as given, which is how they are compared; those that must not be seen are hidden. */
function givenParameters({ body, parameters }: WantedStack): Content['parameters'] {
  const declared = section(body, 'Parameters')
  return Object.fromEntries(
    Object.entries(parameters).map(([name, value]) => [
      name,
      scalarText(own(own(declared, name), 'NoEcho')) === 'true' ? '****' : value,
    ]),
  )
}

function stateOf(file: StackFile | undefined, { held }: { readonly held: boolean }): StackState {
  if (file === undefined || file.status === 'DELETE_COMPLETE') return { is: 'absent' }
  const { status, body, parameters, tags, outputs, resources } = file
  if (isAtRest(status)) {
    const listed = Object.entries(resources).map(([logicalId, { type, physicalId }]) => ({
      logicalId,
      type,
      physicalId,
    }))
    return { is: 'settled', body, parameters, tags, outputs, resources: listed }
  }
  if (status.endsWith('_IN_PROGRESS')) {
    if (held) return { is: 'busy', status, tags }
    return {
      is: 'stuck',
      status,
      tags,
      remedy: 'The run that worked on it has ended. Deploy again: it goes on from where it was.',
    }
  }
  if (status === 'ROLLBACK_COMPLETE') {
    return {
      is: 'stuck',
      status,
      tags,
      remedy: 'Its first creation failed. Mend the cause and deploy again: the empty stack is deleted first.',
    }
  }
  return {
    is: 'stuck',
    status,
    tags,
    remedy: `${file.reason ?? 'A resource could not be deleted.'} Deploy again, or remove the stack again: what is left is deleted first.`,
  }
}

/** Milliseconds between two looks at a stack that another run works on. */
const followEvery = 200

/** As CloudFormation has it: a stack that is gone is one that was deleted. */
function statusOf(file: StackFile | undefined): string {
  return file?.status ?? 'DELETE_COMPLETE'
}

function isAtRest(status: string): boolean {
  return status === 'CREATE_COMPLETE' || status === 'UPDATE_COMPLETE' || status === 'UPDATE_ROLLBACK_COMPLETE'
}

/** Stacks that can only be deleted: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html */
function mustGoFirst(status: string): boolean {
  return status === 'ROLLBACK_COMPLETE' || status === 'ROLLBACK_FAILED' || status === 'DELETE_FAILED'
}

/** An export that another stack imports can neither go nor change. */
function checkExports(
  file: StackFile,
  exports: Readonly<Record<string, string>>,
  neighbours: () => readonly StackFile[],
): void {
  for (const [name, value] of Object.entries(file.exports)) {
    const after = Object.hasOwn(exports, name) ? exports[name] : undefined
    if (after === value) continue
    const users = neighbours()
      .filter((it) => it.stack.name !== file.stack.name && Object.hasOwn(it.imports, name))
      .map((it) => it.stack.name)
    if (users.length === 0) continue
    const done = after === undefined ? `Export ${name} cannot be deleted` : `Cannot update export ${name}`
    throw new Refused('export-in-use', `${done} as it is in use by ${users.join(', ')}.`, {
      remedy: `Change ${users.join(', ')} first, so that ${users.length === 1 ? 'it takes' : 'they take'} the value from elsewhere.`,
    })
  }
}

function refuseProblems(stack: StackId, problems: readonly Problem[]): void {
  const errors = problems.filter(({ severity }) => severity === 'error')
  if (errors.length > 0) throw refusal(stack, errors)
}

function refusal(stack: StackId, problems: readonly Problem[]): Refused {
  const told = problems.map(({ code, message }) => `${message} (${code})`)
  return new Refused('stack-refused', `The stack ${stack.name} cannot be made: ${told.join(' ')}`, {
    remedy: problems[0]?.remedy ?? 'Mend the template.',
  })
}

function stale(stack: StackId, wanted: boolean): Refused {
  const what = wanted ? 'what is wanted' : 'the stack, or a value that it imports,'
  return new Refused(
    'plan-stale',
    `The plan for the stack ${stack.name} no longer holds: ${what} has changed since it was made. Nothing was touched.`,
    {
      remedy: 'Run the command again; a plan in a file has to be made again first.',
    },
  )
}

function readFailures(fail: readonly string[]): ReadonlyMap<string, string> {
  return new Map(
    fail.map((entry) => {
      const equals = entry.indexOf('=')
      const told = 'Resource handler returned message: "Told to fail." (HandlerErrorCode: GeneralServiceException)'
      return equals < 0 ? ([entry, told] as const) : ([entry.slice(0, equals), entry.slice(equals + 1)] as const)
    }),
  )
}

/** What a rehearsal shows of a resource that fails: how its tasks ended, and what they logged last. */
function seenOf(fail: readonly string[], resource: string): Found {
  const told = (what: string): readonly string[] =>
    fail.flatMap((entry) => {
      const start = `${what}:${resource}=`
      return entry.startsWith(start) ? [entry.slice(start.length)] : []
    })
  const tasks = told('exit').map((code) => ({
    container: resource.replace(/-[^-]*$/u, ''),
    exitCode: Number(code),
    reason: 'Essential container in task exited',
  }))
  const log = told('log')
  return { ...(tasks.length > 0 && { tasks }), ...(log.length > 0 && { log }) }
}

function keyOf({ account, region, name }: StackId): string {
  return `${account}/${region}/${name}`
}
