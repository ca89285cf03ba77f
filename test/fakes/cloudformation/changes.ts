import { canonicalJson } from '../../../src/core/canonical.ts'
import { type Data, type DataMap, isList, isMap, mapOf, type Path } from '../../../src/core/data.ts'
import { type Difference, differences, replacing } from '../../../src/core/stack/diff.ts'
import { scalarText } from '../../../src/core/stack/parameters.ts'
import { mentions } from '../../../src/core/stack/template.ts'
import { nestedType, type Plan, type Planned, unknownPlaces, unknownYet, withUnknown } from './plan.ts'
import type { Change, Detail, LiveResource } from './state.ts'

type Options = {
  readonly before: Readonly<Record<string, string>>
  readonly after: Readonly<Record<string, string>>
  /** Where changes by hand are to be reverted: the resources as they were deployed. */
  readonly drifted: ReadonlyMap<string, LiveResource> | undefined
  readonly now: Date
}

/**
 * The changes of a change set, as DescribeChangeSet tells them: what a plan does, with what is known before it is done. What
 * depends on a resource that is only made then is `{{changeSet:KNOWN_AFTER_APPLY}}`, and a replacement because of it alone
 * is `Conditional`.
 */
export function changesOf(plan: Plan, options: Options): readonly Change[] {
  const made = new Set<string>()
  const changes: Change[] = []
  for (const planned of plan.resources) {
    const change = changeOf(planned, { made, ...options })
    if (change === undefined) continue
    if (change.action === 'Add' || change.replacement === 'True' || change.replacement === 'Conditional')
      made.add(planned.logicalId)
    changes.push(change)
  }
  return [...changes, ...plan.removals.map(removalOf)]
}

function removalOf(live: LiveResource): Change {
  return {
    logicalId: live.logicalId,
    type: live.type,
    action: 'Remove',
    physicalId: live.physicalId,
    replacement: undefined,
    policyAction: policyOf(live.deletionPolicy),
    scope: [],
    details: [],
    before: contextOf(live.properties, live.metadata),
    after: undefined,
  }
}

function policyOf(policy: string): string {
  return policy === 'Retain' || policy === 'RetainExceptOnCreate'
    ? 'Retain'
    : policy === 'Snapshot'
      ? 'Snapshot'
      : 'Delete'
}

function contextOf(properties: DataMap, metadata: string): string {
  const parsed: Data | undefined = metadata === '' ? undefined : JSON.parse(metadata)
  return canonicalJson(
    mapOf([['Properties', textual(properties)], ...(parsed === undefined ? [] : [['Metadata', parsed] as const])]),
  )
}

/** CloudFormation gives numbers and booleans as texts in the contexts. */
function textual(value: Data): Data {
  const text = scalarText(value)
  if (text !== undefined) return text
  if (isMap(value)) return mapOf(Object.entries(value).map(([key, item]) => [key, textual(item)] as const))
  return Array.isArray(value) ? value.map((item: Data) => textual(item)) : value
}

type Knowing = Options & { readonly made: ReadonlySet<string> }

function changeOf(planned: Planned, knowing: Knowing): Change | undefined {
  const { logicalId, type, action, before } = planned
  const deployed = knowing.drifted?.get(logicalId)
  const unknown = unknownPlaces(planned, knowing.made)
  const paths = unknown.map(({ path }) => path)
  const later = withUnknown(planned.properties, paths)
  const properties = isMap(later) ? later : planned.properties
  if (before === undefined) {
    return {
      logicalId,
      type,
      action: 'Add',
      physicalId: undefined,
      replacement: undefined,
      policyAction: undefined,
      scope: [],
      details: [],
      before: undefined,
      after: contextOf(properties, planned.metadata),
      ...(deployed?.drifted === 'gone' ? { drift: 'DELETED' } : {}),
    }
  }
  const found = differences(before.properties, properties)
  const drifts =
    deployed?.drifted === undefined
      ? []
      : found.filter((it) => differences(valueAt(deployed.properties, it.path), it.after).length === 0)
  const dynamic = found.filter((each) => !drifts.includes(each) && unknown.some((it) => overlaps(it.path, each.path)))
  const fixed = found.filter((it) => !dynamic.includes(it) && !drifts.includes(it))
  const isNested = type === nestedType
  if (action === undefined && found.length === 0 && !isNested) return undefined
  const certain = replacing(type, [...fixed, ...drifts])
  const perhaps = replacing(type, dynamic)
  const replacement =
    certain.because.length > 0
      ? 'True'
      : certain.conditional.length + perhaps.because.length + perhaps.conditional.length > 0
        ? 'Conditional'
        : 'False'
  const details: Detail[] = [
    ...fixed.map((it) => detailOf(planned, it, knowing)),
    ...dynamic.map((it) => ({
      ...detailOf(planned, it, knowing),
      evaluation: 'Dynamic' as const,
      ...sourceOfUnknown(unknown, it),
    })),
    ...drifts.map((it) => driftDetail(planned, it, knowing)),
    ...planned.tagsFound.map((it) => ({
      ...detailOf(planned, it, knowing),
      attribute: 'Tags',
      recreation: 'Never' as const,
      name: undefined,
      path: `/Tags/${it.path.join('/')}`,
      source: 'DirectModification',
      cause: undefined,
    })),
    ...(planned.metadataChanged ? [plainDetail('Metadata', 'Static', 'DirectModification')] : []),
    ...(isNested && found.length === 0 ? [plainDetail('Properties', 'Dynamic', 'Automatic')] : []),
  ]
  return {
    ...blank(planned, properties),
    replacement,
    policyAction: replacement === 'False' ? undefined : `ReplaceAnd${policyOf(planned.updateReplacePolicy)}`,
    scope: [...new Set(details.map(({ attribute }) => attribute))],
    details,
    ...(knowing.drifted === undefined ? {} : { drift: deployed?.drifted === undefined ? 'IN_SYNC' : 'MODIFIED' }),
  }
}

function blank(planned: Planned, after: DataMap): Omit<Change, 'replacement' | 'policyAction' | 'scope'> {
  const { logicalId, type, before, metadata } = planned
  return {
    logicalId,
    type,
    action: 'Modify',
    physicalId: before?.physicalId,
    details: [],
    before: before === undefined ? undefined : contextOf(before.properties, before.metadata),
    after: contextOf(after, metadata),
  }
}

function plainDetail(attribute: string, evaluation: Detail['evaluation'], source: string): Detail {
  return {
    attribute,
    name: undefined,
    path: undefined,
    recreation: 'Never',
    evaluation,
    source,
    cause: undefined,
    before: undefined,
    after: undefined,
    kind: 'Modify',
  }
}

function detailOf(planned: Planned, it: Difference, { before, after }: Knowing): Detail {
  const { because, conditional } = replacing(planned.type, [it])
  const name = it.path[0]
  const parameter = mentions(planned.source.properties).find(
    (mention) =>
      mention.is === 'name' &&
      overlaps(withoutFunctions(mention.path), it.path) &&
      after[mention.name] !== undefined &&
      before[mention.name] !== after[mention.name],
  )
  return {
    attribute: 'Properties',
    name: typeof name === 'string' ? name : undefined,
    path: `/Properties/${it.path.join('/')}`,
    recreation: because.length > 0 ? 'Always' : conditional.length > 0 ? 'Conditionally' : 'Never',
    evaluation: 'Static',
    source: parameter === undefined || parameter.is === 'condition' ? 'DirectModification' : 'ParameterReference',
    cause: parameter?.name,
    before: shown(it.before),
    after: shown(it.after),
    kind: it.before === undefined ? 'Add' : it.after === undefined ? 'Remove' : 'Modify',
  }
}

/**
 * What was changed by hand is modified back. `SyncWithActual` is what CloudFormation says where the template has come to say
 * what is there already; that is not made here.
 */
function driftDetail(planned: Planned, it: Difference, knowing: Knowing): Detail {
  return {
    ...detailOf(planned, it, knowing),
    cause: undefined,
    drift: { previous: shown(it.after) ?? 'null', actual: shown(it.before) ?? 'null', at: knowing.now },
  }
}

function valueAt(value: Data, path: Path): Data | undefined {
  let at: Data | undefined = value
  for (const step of path) {
    if (isMap(at)) at = Object.hasOwn(at, String(step)) ? at[String(step)] : undefined
    else at = isList(at) && typeof step === 'number' ? at[step] : undefined
  }
  return at
}

function shown(value: Data | undefined): string | undefined {
  return value === undefined ? undefined : (scalarText(value) ?? canonicalJson(textual(value)))
}

function sourceOfUnknown(
  unknown: ReturnType<typeof unknownPlaces>,
  { path, after }: Difference,
): Pick<Detail, 'source' | 'cause' | 'after'> {
  const found = unknown.find((it) => overlaps(it.path, path))
  const attribute = found?.attribute
  return {
    source: attribute === undefined ? 'ResourceReference' : 'ResourceAttribute',
    cause: attribute === undefined ? found?.name : `${found?.name ?? ''}.${attribute}`,
    after: shown(after) ?? unknownYet,
  }
}

function overlaps(a: Path, b: Path): boolean {
  const shared = Math.min(a.length, b.length)
  for (let index = 0; index < shared; index += 1) if (String(a[index]) !== String(b[index])) return false
  return true
}

/** The property's part of a path into a template. */
function withoutFunctions(path: Path): Path {
  const end = path.findIndex((step) => step === 'Ref' || String(step).startsWith('Fn::'))
  return end < 0 ? path : path.slice(0, end)
}
