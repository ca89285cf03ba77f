import { compareText } from '../canonical.ts'
import type { Data, DataMap, Path } from '../data.ts'
import type { Checked, Place, Problem } from '../problem.ts'
import { Recent } from '../recent.ts'
import { type Change, type ChangedProperty, changedProperty, differences, replacing } from './diff.ts'
import { type Evaluated, type EvaluatedResource, evaluateStack, type Placed } from './evaluate.ts'
import { fixedName, placeResource, pseudoValues } from './identity.ts'
import { inOrder } from './order.ts'
import { stackLimits, utf8Length } from './sizes.ts'
import type { Resource, StackWish } from './template.ts'
import { lookUpType } from './types.ts'

/** A resource as it stands: what it was last made or updated with. */
export type ResourceRecord = {
  readonly type: string
  readonly physicalId: string
  /** 1 for the first of its logical id, one more for each replacement. */
  readonly generation: number
  /** Functions evaluated; the values of `NoEcho` parameters are marks. */
  readonly properties: DataMap
  /** The tags of the stack that it carries. */
  readonly tags: Readonly<Record<string, string>>
  readonly dependencies: readonly string[]
  readonly deletionPolicy: string
  readonly updateReplacePolicy: string
}

export type Resources = Readonly<Record<string, ResourceRecord>>

/** One resource of the wanted stack, in the order of the work. Without a change it stays as it is. */
export type Step = { readonly logicalId: string; readonly record: ResourceRecord; readonly change: Change | undefined }

/** All that is to do to get from the resources that there are to the stack that is wanted. */
export type StackPlan = {
  readonly steps: readonly Step[]
  /** Resources that the template no longer has, dependants first. */
  readonly removals: readonly { readonly logicalId: string; readonly record: ResourceRecord; readonly change: Change }[]
  readonly changes: readonly Change[]
  readonly outputChanges: readonly ChangedProperty[]
  readonly outputs: Readonly<Record<string, string>>
  readonly exports: Readonly<Record<string, string>>
  readonly imports: Readonly<Record<string, string>>
  readonly parameters: Readonly<Record<string, string>>
}

export type PlanOptions = {
  readonly before?: Resources | undefined
  readonly outputsBefore?: Readonly<Record<string, string>> | undefined
  /** What the other stacks of the account and region export. */
  readonly imported?: ((name: string) => string | undefined) | undefined
  readonly at?: ((path: Path) => Place) | undefined
}

/**
 * Plans a stack: evaluates the template against the resources that there are. A resource that is replaced has a new id, and
 * with it those that mention the old one change too: by an update, or a replacement where the property says so.
 */
export function planStack(wish: StackWish, options: PlanOptions = {}): Checked<StackPlan> {
  const { before = {}, outputsBefore = {} } = options
  if (Object.keys(before).length === 0) return planFirst(wish, options)
  const problems: Problem[] = [...beyondLimits(wish, options.at)]
  const decided = new Map<string, Omit<Decision, 'placed' | 'refusal'>>()
  const place = (resource: Resource, properties: DataMap): Placed => {
    const known = Object.hasOwn(before, resource.logicalId) ? before[resource.logicalId] : undefined
    const { placed, refusal, ...rest } = decide(wish, { resource, properties, before: known })
    if (refusal !== undefined) {
      const path: Path = ['Resources', resource.logicalId]
      problems.push({ ...refusal, ...(options.at === undefined ? {} : { at: options.at(path) }) })
    }
    decided.set(resource.logicalId, rest)
    return placed
  }
  const evaluated = evaluateStack(wish, {
    pseudo: pseudoValues(wish.stack),
    place,
    imported: options.imported ?? (() => undefined),
    at: options.at,
  })
  if (!evaluated.ok) return { ok: false, problems: [...evaluated.problems, ...problems] }
  if (problems.length > 0) return { ok: false, problems }
  const steps = evaluated.value.resources.flatMap(({ resource: { logicalId }, dependencies }): Step[] => {
    const found = decided.get(logicalId)
    return found === undefined ? [] : [{ logicalId, record: { ...found.record, dependencies }, change: found.change }]
  })
  const removals = removalsOf(before, new Set(decided.keys()))
  return { ok: true, problems: [], value: planOf(evaluated.value, { steps, removals, outputsBefore }) }
}

/** A stack of which no resource is there yet: all of them are made. */
function planFirst(wish: StackWish, options: PlanOptions): Checked<StackPlan> {
  const evaluated = evaluateFirst(wish, options)
  if (!evaluated.ok) return evaluated
  const steps = evaluated.value.resources.map((each) => new FirstStep(wish, each))
  const { outputsBefore = {} } = options
  return { ok: true, problems: [], value: planOf(evaluated.value, { steps, removals: [], outputsBefore }) }
}

/** A resource that is made. What it will be is asked for by whoever makes it, and not by who plans. */
class FirstStep implements Step {
  readonly logicalId: string
  readonly change: Change
  readonly #wish: StackWish
  readonly #made: EvaluatedResource

  constructor(wish: StackWish, made: EvaluatedResource) {
    const { logicalId, type } = made.resource
    this.logicalId = logicalId
    this.change = changeTo(logicalId, type, 'create')
    this.#wish = wish
    this.#made = made
  }

  get record(): ResourceRecord {
    const { resource, properties, placed, dependencies } = this.#made
    const { physicalId } = placed
    return { ...recordOf(this.#wish, { resource, properties, physicalId, generation: 1 }), dependencies }
  }
}

const firsts = new Recent<StackWish, Evaluated>()

/**
 * A stack evaluated as if none of its resources was there. It is checked so when it is rendered and again when it is
 * planned, and evaluated once if it takes nothing from other stacks.
 */
function evaluateFirst(wish: StackWish, { imported = () => undefined, at }: PlanOptions): Checked<Evaluated> {
  const known = firsts.get(wish)
  if (known !== undefined) return { ok: true, value: known, problems: [] }
  const problems = beyondLimits(wish, at)
  const place = ({ logicalId, type }: Resource, properties: DataMap): Placed =>
    placeResource({ stack: wish.stack, logicalId, type, properties, generation: 1 })
  const evaluated = evaluateStack(wish, { pseudo: pseudoValues(wish.stack), place, imported, at })
  if (!evaluated.ok) return { ok: false, problems: [...evaluated.problems, ...problems] }
  if (problems.length > 0) return { ok: false, problems }
  if (Object.keys(evaluated.value.imports).length === 0) firsts.set(wish, evaluated.value)
  return { ok: true, value: evaluated.value, problems: [] }
}

function planOf(
  { outputs, exports, imports, parameters }: Evaluated,
  { steps, removals, outputsBefore }: Pick<StackPlan, 'steps' | 'removals'> & { readonly outputsBefore: Data },
): StackPlan {
  return {
    steps,
    removals,
    changes: [
      ...steps.flatMap(({ change }) => (change === undefined ? [] : [change])),
      ...removals.map(({ change }) => change),
    ],
    outputChanges: differences(outputsBefore, toData(outputs)).map((it) => changedProperty('Outputs', it)),
    outputs,
    exports,
    imports,
    parameters,
  }
}

/**
 * The outputs that a stack would have when it is deployed for the first time by the local provisioner: the same names, ids
 * and addresses. With it a service is checked against an environment that is not there yet. What another stack exports
 * (`Fn::ImportValue`) is `import:<name>` unless `imported` says what it is.
 */
export function predictOutputs(
  wanted: StackWish,
  options: Pick<PlanOptions, 'imported' | 'at'> = {},
): Checked<Readonly<Record<string, string>>> {
  const evaluated = evaluateFirst(wanted, { imported: (name) => `import:${name}`, ...options })
  return evaluated.ok ? { ...evaluated, value: evaluated.value.outputs } : evaluated
}

/** The order in which resources go: those that depend on others before them. */
export function removalOrder(resources: Resources): readonly string[] {
  const names = Object.keys(resources).sort(compareText)
  const sorted = inOrder(new Map(names.map((name) => [name, resources[name]?.dependencies ?? []] as const)))
  return sorted.is === 'order' ? sorted.order.toReversed() : names
}

/** Whether letting go of a resource leaves it in the account: on deletion, or when it is replaced. */
export function isRetained(policy: string): boolean {
  return policy === 'Retain' || policy === 'RetainExceptOnCreate'
}

/** The limits of CloudFormation on what is not in the template itself. */
function beyondLimits({ stack, parameters, tags }: StackWish, at: PlanOptions['at']): readonly Problem[] {
  const problem = (message: string, expected: string): Problem => {
    const place = at === undefined ? {} : { at: at([]) }
    return { code: 'stack-limit', severity: 'error', message, expected, remedy: 'Make it shorter or fewer.', ...place }
  }
  const long = Object.entries(parameters).filter(([, value]) => utf8Length(value) > stackLimits.parameterValue)
  const count = Object.keys(tags).length
  return [
    ...(/^[A-Za-z][-A-Za-z0-9]*$/.test(stack.name) && stack.name.length <= stackLimits.stackName
      ? []
      : [
          problem(
            `The stack cannot be named ${JSON.stringify(stack.name)}.`,
            'A letter, then letters, digits and hyphens; at most 128.',
          ),
        ]),
    ...long.map(([name]) =>
      problem(`The value of the parameter ${name} is too long.`, `At most ${stackLimits.parameterValue} bytes.`),
    ),
    ...(count > stackLimits.tags ? [problem(`The stack has ${count} tags.`, `At most ${stackLimits.tags}.`)] : []),
  ]
}

type Decision = {
  readonly placed: Placed
  readonly record: Omit<ResourceRecord, 'dependencies'>
  readonly change: Change | undefined
  readonly refusal?: Problem
}

function decide(
  wish: StackWish,
  it: { readonly resource: Resource; readonly properties: DataMap; readonly before: ResourceRecord | undefined },
): Decision {
  const { resource, properties, before } = it
  const { logicalId, type, updateReplacePolicy } = resource
  const placedAs = (generation: number): Omit<Decision, 'change'> => {
    const placed = placeResource({ stack: wish.stack, logicalId, type, properties, generation })
    return { placed, record: recordOf(wish, { resource, properties, physicalId: placed.physicalId, generation }) }
  }
  const changeOf = (action: Change['action'], details: Partial<Change>): Change => {
    return { ...changeTo(logicalId, type, action), ...details }
  }
  if (before === undefined) return { ...placedAs(1), change: changeOf('create', {}) }
  if (before.type !== type)
    return { ...placedAs(before.generation), change: undefined, refusal: typeChanged(logicalId, before.type, type) }
  const tags = tagsOf(wish, type)
  const found = differences(before.properties, properties)
  const changed = [
    ...found.map((each) => changedProperty('Properties', each)),
    ...differences(toData(before.tags), toData(tags)).map((each) => changedProperty('Tags', each)),
  ]
  if (changed.length === 0) return { ...placedAs(before.generation), change: undefined }
  const { because, conditional } = replacing(type, found)
  if (because.length === 0) {
    const details = { properties: changed, ...(conditional.length > 0 ? { conditional } : {}) }
    return { ...placedAs(before.generation), change: changeOf('update', details) }
  }
  const replaced = placedAs(before.generation + 1)
  const change = changeOf('replace', { properties: changed, because, retained: isRetained(updateReplacePolicy) })
  const name = fixedName({ stack: wish.stack, logicalId, type, properties })
  const clash =
    name !== undefined && name === fixedName({ stack: wish.stack, logicalId, type, properties: before.properties })
  return { ...replaced, change, ...(clash ? { refusal: sameName(logicalId, name, because) } : {}) }
}

function recordOf(
  wish: StackWish,
  it: {
    readonly resource: Resource
    readonly properties: DataMap
    readonly physicalId: string
    readonly generation: number
  },
): Omit<ResourceRecord, 'dependencies'> {
  const { resource, ...rest } = it
  const { type, deletionPolicy, updateReplacePolicy } = resource
  return { type, ...rest, tags: tagsOf(wish, type), deletionPolicy, updateReplacePolicy }
}

/** The tags that a resource of a type carries. */
function tagsOf({ tags }: StackWish, type: string): StackWish['tags'] {
  const known = lookUpType(type)
  return known.is === 'known' && known.type.taggable ? tags : {}
}

function changeTo(logicalId: string, type: string, action: Change['action']): Change {
  return { logicalId, type, action, properties: none, because: none, retained: false }
}

const none: readonly never[] = []

function typeChanged(logicalId: string, before: string, after: string): Problem {
  return {
    code: 'stack-type',
    severity: 'error',
    message: `${logicalId} would change its type from ${before} to ${after}, which CloudFormation does not do.`,
    expected: `${logicalId} stays of the type ${before}.`,
    remedy: 'Give the new resource another logical id.',
  }
}

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cfn-resource-name.html */
function sameName(logicalId: string, name: string, because: readonly string[]): Problem {
  return {
    code: 'stack-fixed-name',
    severity: 'error',
    message: `${logicalId} would be replaced (${because.join(', ')}), but the template gives it the name ${name} before and after.`,
    remedy: `Give ${logicalId} another name in the same change.`,
  }
}

function removalsOf(before: Resources, wanted: ReadonlySet<string>): StackPlan['removals'] {
  return removalOrder(before).flatMap((logicalId) => {
    const record = before[logicalId]
    if (record === undefined || wanted.has(logicalId)) return []
    const change: Change = {
      logicalId,
      type: record.type,
      action: 'delete',
      properties: [],
      because: [],
      retained: isRetained(record.deletionPolicy),
    }
    return [{ logicalId, record, change }]
  })
}

function toData(texts: Readonly<Record<string, string>>): Data {
  return texts
}
