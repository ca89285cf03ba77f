import { canonicalJson, compareText, same } from '../../../src/core/canonical.ts'
import { type Data, type DataMap, isList, isMap, mapOf, type Path } from '../../../src/core/data.ts'
import { type Difference, differences, replacing } from '../../../src/core/stack/diff.ts'
import { evaluateStack, type Placed } from '../../../src/core/stack/evaluate.ts'
import { fixedName, placeResource, pseudoValues } from '../../../src/core/stack/identity.ts'
import { removalOrder } from '../../../src/core/stack/plan.ts'
import { scalarText } from '../../../src/core/stack/parameters.ts'
import { isText, mentions, own, type Resource, section } from '../../../src/core/stack/template.ts'
import { lookUpType } from '../../../src/core/stack/types.ts'
import {
  type Config,
  findStack,
  type LiveResource,
  type Output,
  type Place,
  type Stack,
  uuid,
  validation,
  type World,
} from './state.ts'
import {
  awsText,
  parameterValues,
  parseTemplate,
  resolvedParameters,
  templateAt,
  withPlainParameters,
} from './templates.ts'

export const nestedType = 'AWS::CloudFormation::Stack'

/** One resource of what is wanted, and what is to be done to it. */
export type Planned = {
  readonly logicalId: string
  readonly type: string
  readonly properties: DataMap
  readonly metadata: string
  readonly tags: Readonly<Record<string, string>>
  readonly dependencies: readonly string[]
  readonly deletionPolicy: string
  readonly updateReplacePolicy: string
  readonly generation: number
  readonly physicalId: string
  readonly before: LiveResource | undefined
  readonly action: 'create' | 'update' | 'replace' | undefined
  readonly found: readonly Difference[]
  readonly tagsFound: readonly Difference[]
  readonly metadataChanged: boolean
  /** Paths of properties that make it be replaced, and those that may. */
  readonly because: readonly string[]
  readonly conditional: readonly string[]
  /** Of a nested stack: what it is told to be. */
  readonly nested: Config | undefined
  /** The name that the template gives it, which nothing else of its type may have. */
  readonly fixedName: string | undefined
  readonly source: Resource
}

export type Plan = {
  readonly resources: readonly Planned[]
  /** Resources that the template no longer has, dependants first. */
  readonly removals: readonly LiveResource[]
  readonly outputs: Readonly<Record<string, Output>>
  readonly imports: readonly string[]
  readonly outputsChanged: boolean
}

/** A stack as far as planning needs it: one that does not exist yet has no resources. */
export type Subject = Pick<Stack, 'id' | 'name' | 'incarnation' | 'resources' | 'generations' | 'outputs' | 'config'>

/** An export that is not there is found when the work begins, not when it is asked for. */
export type Planning = { readonly ok: true; readonly plan: Plan } | { readonly ok: false; readonly missing: string }

/** Plans what brings a stack to a config. Throws what CloudFormation refuses at once. */
export function planFor(
  world: World,
  place: Place,
  { subject, config }: { readonly subject: Subject; readonly config: Config },
): Planning {
  const { template, tags } = config
  const values = { ...config.parameters, ...resolvedParameters(world, template, config.parameters) }
  const body = withPlainParameters(template)
  const stack = { name: subject.name, account: place.account, region: place.region }
  const planned = new Map<string, Omit<Planned, 'dependencies'>>()
  const exportsHere = exportsOf(place)
  const decide = (resource: Resource, properties: DataMap): Placed => {
    const made = decideOne(world, place, {
      subject,
      resource,
      properties,
      tags,
      metadata: metadataOf(template, resource),
    })
    planned.set(resource.logicalId, made.planned)
    return made.placed
  }
  const evaluated = evaluateStack(
    { stack, body, parameters: values, tags },
    {
      pseudo: { ...pseudoValues(stack), stackId: subject.id, notificationArns: config.notificationArns },
      place: decide,
      imported: (name) => exportsHere.get(name)?.value,
    },
  )
  if (!evaluated.ok) {
    const problem = evaluated.problems.find(({ code }) => code !== 'stack-import')
    if (problem !== undefined) throw validation(awsText(problem))
    return { ok: false, missing: evaluated.problems.map(awsText).join(' ') }
  }
  const resources = evaluated.value.resources.flatMap(({ resource: { logicalId }, dependencies }): Planned[] => {
    const found = planned.get(logicalId)
    return found === undefined ? [] : [{ ...found, dependencies }]
  })
  const outputs = outputsOf(template, evaluated.value)
  return {
    ok: true,
    plan: {
      resources,
      removals: removalsOf(subject.resources, new Set(planned.keys())),
      outputs,
      imports: Object.keys(evaluated.value.imports),
      outputsChanged: JSON.stringify(outputs) !== JSON.stringify(subject.outputs),
    },
  }
}

function metadataOf(template: DataMap, { logicalId }: Resource): string {
  const metadata = own(own(section(template, 'Resources'), logicalId), 'Metadata')
  return metadata === undefined ? '' : canonicalJson(metadata)
}

type Deciding = {
  readonly subject: Subject
  readonly resource: Resource
  readonly properties: DataMap
  readonly tags: Readonly<Record<string, string>>
  readonly metadata: string
}

function decideOne(
  world: World,
  place: Place,
  { subject, resource, properties, tags: stackTags, metadata }: Deciding,
): { readonly placed: Placed; readonly planned: Omit<Planned, 'dependencies'> } {
  const { logicalId, type, deletionPolicy, updateReplacePolicy } = resource
  const stack = { name: subject.name, account: place.account, region: place.region }
  // What could not be created is created anew.
  const live = liveOf(subject.resources, logicalId)
  const existing = live?.status === 'CREATE_FAILED' ? undefined : live
  if (existing !== undefined && existing.type !== type)
    throw validation(
      `Update of resource type is not permitted. The new template modifies resource type of the following resources: [${logicalId}]`,
    )
  const tags = tagsOf(type, stackTags)
  const found = existing === undefined ? [] : differences(existing.properties, properties)
  const tagsFound = existing === undefined ? [] : differences(existing.tags, tags)
  const metadataChanged = existing !== undefined && existing.metadata !== metadata
  const { because, conditional } = replacing(type, found)
  const changed = found.length > 0 || tagsFound.length > 0 || metadataChanged
  const action = existing === undefined ? 'create' : because.length > 0 ? 'replace' : changed ? 'update' : undefined
  // A stack that was made anew has other resources than the one of that name before it.
  const last = subject.generations.get(logicalId) ?? subject.incarnation * 100
  const generation = existing === undefined || action === 'replace' ? last + 1 : existing.generation
  const placed = placeResource({ stack, logicalId, type, properties, generation })
  const nested = type === nestedType ? nestedConfig(world, place, properties) : undefined
  const keeps = existing?.physicalId !== undefined && action !== 'replace'
  const physicalId = keeps
    ? (existing.physicalId ?? '')
    : nested === undefined
      ? placed.physicalId
      : nestedId(place, subject, { logicalId, generation })
  const attribute: Placed['attribute'] =
    nested === undefined
      ? (name) => placed.attribute(name)
      : nestedOutputs(world, place, { id: physicalId, config: nested })
  return {
    placed: { physicalId, attribute },
    planned: {
      logicalId,
      type,
      properties,
      metadata,
      tags,
      deletionPolicy,
      updateReplacePolicy,
      generation,
      physicalId,
      before: existing,
      action,
      found,
      tagsFound,
      metadataChanged,
      because,
      conditional,
      nested,
      fixedName: fixedName({ stack, logicalId, type, properties }),
      source: resource,
    },
  }
}

/** A resource that is there, in whatever state; what was deleted is not. */
export function liveOf(resources: ReadonlyMap<string, LiveResource>, logicalId: string): LiveResource | undefined {
  const found = resources.get(logicalId)
  if (found === undefined || found.status === 'DELETE_COMPLETE' || found.status === 'DELETE_SKIPPED') return undefined
  return found.physicalId === undefined ? undefined : found
}

/** A stack as it really is: with what somebody changed by hand, and without what somebody deleted. */
export function asItIs(stack: Stack): Subject {
  const resources = new Map(
    [...stack.resources].map(([id, live]): [string, LiveResource] => {
      if (live.drifted === 'gone') return [id, { ...live, status: 'DELETE_COMPLETE' }]
      return [id, live.drifted === undefined ? live : { ...live, properties: live.drifted }]
    }),
  )
  const { id, name, incarnation, generations, outputs, config } = stack
  return { id, name, incarnation, generations, outputs, config, resources }
}

function nestedId(
  { account, region }: Place,
  subject: Subject,
  { logicalId, generation }: { readonly logicalId: string; readonly generation: number },
): string {
  const seed = `${subject.id}\n${logicalId}\n${generation}`
  const random = uuid(`${seed}\nname`).replaceAll('-', '').slice(0, 12).toUpperCase()
  const name = `${subject.name}-${logicalId}`.slice(0, 115)
  return `${subject.id.slice(0, subject.id.indexOf(':cloudformation:'))}:cloudformation:${region}:${account}:stack/${name}-${random}/${uuid(seed)}`
}

/** What the properties of a nested stack tell it to be. */
export function nestedConfig(world: World, place: Place, properties: DataMap): Config {
  const url = own(properties, 'TemplateURL')
  const templateText = templateAt(world, place, isText(url) ? url : '')
  const template = parseTemplate(templateText)
  const given = Object.entries(section(properties, 'Parameters')).map(([key, value]) => ({
    key,
    value: isList(value) ? value.map((item) => scalarText(item) ?? '').join(',') : (scalarText(value) ?? ''),
    usePrevious: false,
  }))
  const tags = own(properties, 'Tags')
  return {
    templateText,
    template,
    parameters: parameterValues(template, given, undefined),
    tags: Object.fromEntries(
      (isList(tags) ? tags : []).map((tag) => [scalarText(own(tag, 'Key')) ?? '', scalarText(own(tag, 'Value')) ?? '']),
    ),
    capabilities: [],
    notificationArns: [],
    roleArn: undefined,
    rollback: undefined,
  }
}

function nestedOutputs(
  world: World,
  place: Place,
  { id, config }: { readonly id: string; readonly config: Config },
): Placed['attribute'] {
  let outputs: Plan['outputs'] | undefined
  return (attribute) => {
    const planned = (): Plan['outputs'] => {
      const planning = planFor(world, place, { subject: subjectOf(place, id), config })
      return planning.ok ? planning.plan.outputs : {}
    }
    outputs ??= planned()
    const value = attribute.startsWith('Outputs.') ? outputs[attribute.slice('Outputs.'.length)]?.value : undefined
    return value === undefined ? { ok: false, message: 'The nested stack has no such output.' } : { ok: true, value }
  }
}

/** The stack of an id, or an empty one where it is not made yet. */
export function subjectOf(place: Place, id: string): Subject {
  const known = findStack(place, id)
  if (known !== undefined) return known
  const name = id.split('/')[1] ?? ''
  return { id, name, incarnation: 0, resources: new Map(), generations: new Map(), outputs: {}, config: undefined }
}

function tagsOf(type: string, tags: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const known = lookUpType(type)
  return known.is === 'known' && known.type.taggable ? tags : {}
}

function outputsOf(
  template: DataMap,
  {
    outputs,
    exports,
  }: { readonly outputs: Readonly<Record<string, string>>; readonly exports: Readonly<Record<string, string>> },
): Readonly<Record<string, Output>> {
  const taken = new Set<string>()
  return Object.fromEntries(
    Object.entries(outputs).map(([name, value]) => {
      const output = own(section(template, 'Outputs'), name)
      const description = own(output, 'Description')
      const wanted = own(own(output, 'Export'), 'Name')
      // Names of exports are known by their values only; those of one stack are told apart by taking each once.
      const exportName =
        wanted === undefined
          ? undefined
          : isText(wanted) && Object.hasOwn(exports, wanted)
            ? wanted
            : Object.keys(exports).find((each) => exports[each] === value && !taken.has(each))
      if (exportName !== undefined) taken.add(exportName)
      return [name, { value, description: isText(description) ? description : undefined, exportName }]
    }),
  )
}

function removalsOf(
  resources: ReadonlyMap<string, LiveResource>,
  wanted: ReadonlySet<string>,
): readonly LiveResource[] {
  return removalSequence(resources).filter(({ logicalId }) => !wanted.has(logicalId))
}

/** What is there, dependants before what they depend on. */
export function removalSequence(resources: ReadonlyMap<string, LiveResource>): readonly LiveResource[] {
  const there = [...resources.keys()].toSorted(compareText).flatMap((id) => liveOf(resources, id) ?? [])
  const records = Object.fromEntries(there.map((it) => [it.logicalId, { ...it, physicalId: it.physicalId ?? '' }]))
  return removalOrder(records).flatMap((id) => liveOf(resources, id) ?? [])
}

/** All that the stacks of a place export. */
export function exportsOf(place: Place): ReadonlyMap<string, { readonly value: string; readonly stack: Stack }> {
  const found = new Map<string, { readonly value: string; readonly stack: Stack }>()
  for (const stack of place.stacks) {
    if (stack.status === 'DELETE_COMPLETE') continue
    for (const { exportName, value } of Object.values(stack.outputs))
      if (exportName !== undefined) found.set(exportName, { value, stack })
  }
  return found
}

/** The stacks that import a name. */
export function importersOf(place: Place, name: string): readonly Stack[] {
  return place.stacks.filter(({ status, imports }) => status !== 'DELETE_COMPLETE' && imports.includes(name))
}

export const unknownYet = '{{changeSet:KNOWN_AFTER_APPLY}}'

/**
 * The places of a resource's properties that depend on what is only known when another resource has been made: by the
 * property's path, what it takes from where.
 */
export function unknownPlaces(
  planned: Planned,
  made: ReadonlySet<string>,
): readonly { readonly path: Path; readonly name: string; readonly attribute: string | undefined }[] {
  return mentions(planned.source.properties).flatMap((mention) => {
    if (mention.is === 'condition' || !made.has(mention.name)) return []
    const end = mention.path.findIndex(
      (step) => step === 'Ref' || (isText(String(step)) && String(step).startsWith('Fn::')),
    )
    const path = end < 0 ? mention.path : mention.path.slice(0, end)
    return [{ path, name: mention.name, attribute: mention.is === 'attribute' ? mention.attribute : undefined }]
  })
}

/** The value with what is not known yet put in place of what will be there. */
export function withUnknown(value: Data, places: readonly Path[], at: Path = []): Data {
  if (places.some((path) => path.length === at.length && path.every((step, index) => step === at[index])))
    return unknownYet
  if (isList(value)) return value.map((item, index) => withUnknown(item, places, [...at, index]))
  if (!isMap(value)) return value
  return mapOf(Object.entries(value).map(([key, item]) => [key, withUnknown(item, places, [...at, key])] as const))
}

/** Whether two configs would make the same of a stack, beside their resources and outputs. */
export function settingsChanged(before: Config, after: Config): boolean {
  return (
    !same(mapOf(Object.entries(before.tags)), mapOf(Object.entries(after.tags))) ||
    before.notificationArns.join(' ') !== after.notificationArns.join(' ') ||
    JSON.stringify(before.rollback) !== JSON.stringify(after.rollback)
  )
}
