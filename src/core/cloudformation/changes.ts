import { compareText, digest, same } from '../canonical.ts'
import { type Data, type DataMap, isMap, mapOf } from '../data.ts'
import { withoutMark } from '../guard.ts'
import { type Change, type ChangedProperty, changedProperty, differences } from '../stack/diff.ts'
import { isRetained } from '../stack/plan.ts'
import { mentions, own, resourcesOf, section } from '../stack/template.ts'
import { readJson } from '../yaml.ts'
import { isEmptyChangeSet } from './errors.ts'
import type { DescribedChange, DescribedChangeSet, DescribedDetail } from './model.ts'

/** How far a change set is. `empty` has nothing to change; `failed` could not be made. */
export type ChangeSetState =
  | { readonly is: 'making' }
  | { readonly is: 'ready' }
  | { readonly is: 'empty' }
  | { readonly is: 'failed'; readonly reason: string }
  /** The stack was changed since it was made. */
  | { readonly is: 'obsolete' }
  | { readonly is: 'executing' }
  | { readonly is: 'executed' }
  | { readonly is: 'gone' }

export function changeSetState(changeSet: DescribedChangeSet): ChangeSetState {
  const { Status: status, ExecutionStatus: execution, StatusReason: reason = '' } = changeSet
  switch (execution) {
    case 'OBSOLETE':
      return { is: 'obsolete' }
    case 'EXECUTE_IN_PROGRESS':
      return { is: 'executing' }
    case 'EXECUTE_COMPLETE':
      return { is: 'executed' }
    case 'EXECUTE_FAILED':
      return { is: 'failed', reason: reason === '' ? 'its execution has failed' : reason }
    default:
  }
  if (isEmptyChangeSet(status, reason)) return { is: 'empty' }
  switch (status) {
    case 'CREATE_COMPLETE':
      // The two statuses are not set at one moment.
      return execution === undefined || execution === 'AVAILABLE' ? { is: 'ready' } : { is: 'making' }
    case 'FAILED':
    case 'DELETE_FAILED':
      return { is: 'failed', reason }
    case 'DELETE_COMPLETE':
    case 'DELETE_IN_PROGRESS':
    case 'DELETE_PENDING':
      return { is: 'gone' }
    default:
      return { is: 'making' }
  }
}

/** The change sets of the nested stacks, to be described too: only in them is seen what changes there. */
export function nestedChangeSets(changeSet: DescribedChangeSet): readonly string[] {
  return resourceChanges(changeSet).flatMap(({ ChangeSetId: id }) => (id === undefined ? [] : [id]))
}

/**
 * Whether the description lacks something: with property values asked for, CloudFormation leaves whole resources out of a large
 * one, and says so in the reason. It is then described once more without values, and the two are merged.
 */
export function isIncomplete({ StatusReason: reason = '' }: DescribedChangeSet): boolean {
  return reason.includes('[WARN] --include-property-values option can return incomplete ChangeSet data')
}

/** The description with values, and what it lacks from that without. */
export function mergedWith(withValues: DescribedChangeSet, without: DescribedChangeSet): DescribedChangeSet {
  const known = new Map((withValues.Changes ?? []).map((each) => [each.ResourceChange?.LogicalResourceId, each]))
  const all = (without.Changes ?? []).map((each) => known.get(each.ResourceChange?.LogicalResourceId) ?? each)
  const listed = new Set(all.map((each) => each.ResourceChange?.LogicalResourceId))
  const more = (withValues.Changes ?? []).filter((each) => !listed.has(each.ResourceChange?.LogicalResourceId))
  return { ...without, StatusReason: withValues.StatusReason, Changes: [...all, ...more] }
}

export type ChangeOptions = {
  /** The change sets of nested stacks by their ids, those nested in them too. */
  readonly nested?: ReadonlyMap<string, DescribedChangeSet>
  /** The live template and the wanted one. With them outputs are compared, and policies that CloudFormation does not list. */
  readonly before?: DataMap | undefined
  readonly after?: DataMap | undefined
}

export type ReadChanges = {
  readonly changes: readonly Change[]
  /** Outputs that become others, or may: digests of their expressions, for a change set does not tell their values. */
  readonly outputs: readonly ChangedProperty[]
  /** What a person should know, a sentence each. */
  readonly notes: readonly string[]
}

/**
 * What a change set does, in the form of the local provisioner, so that a reviewed plan and a later one compare: the same paths
 * (`Properties.Listeners.0.Port`), digests in the place of values. Resources of a nested stack are named with the logical id
 * of that stack before theirs, `Network/Vpc`.
 */
export function readChanges(changeSet: DescribedChangeSet, options: ChangeOptions = {}): ReadChanges {
  const reading = new Reading(options)
  const changes = reading.changesOf(changeSet, '')
  return { changes, outputs: outputsOf(changes, options), notes: reading.notes }
}

/** How a change set with values writes one that is known only when another resource is there. */
const unknown = '{{changeSet:KNOWN_AFTER_APPLY}}'

const stackType = 'AWS::CloudFormation::Stack'

class Reading {
  readonly notes: string[] = []
  readonly #options: ChangeOptions

  constructor(options: ChangeOptions) {
    this.#options = options
  }

  /** The changes of one change set; `inside` is the path of the nested stack that it is of. */
  changesOf(changeSet: DescribedChangeSet, inside: string): readonly Change[] {
    if (isIncomplete(changeSet)) {
      this.notes.push(
        `${inside === '' ? 'The preview' : `The preview of ${inside.slice(0, -1)}`} is without the values of some properties: CloudFormation leaves them out of large change sets.`,
      )
    }
    const all = resourceChanges(changeSet)
    const byId = new Map(all.map((change) => [change.LogicalResourceId ?? '', change]))
    return all.flatMap((change) => this.#changeOf(change, { inside, byId }))
  }

  #changeOf(
    change: DescribedChange,
    { inside, byId }: { readonly inside: string; readonly byId: ReadonlyMap<string, DescribedChange> },
  ): readonly Change[] {
    const { LogicalResourceId: id = '', ResourceType: type = '', ChangeSetId: nestedId } = change
    const logicalId = `${inside}${id}`
    const nested = nestedId === undefined ? undefined : this.#options.nested?.get(nestedId)
    const within = nested === undefined ? [] : this.changesOf(nested, `${logicalId}/`)
    const own = this.#own(change, { logicalId, type, isRoot: inside === '', byId })
    if (own === undefined) return within
    if (type !== stackType || own.action !== 'update') return [own, ...within]
    if (nested === undefined) {
      this.notes.push(`What changes in the nested stack ${logicalId} is not known.`)
      return [{ ...own, conditional: own.conditional ?? ['Properties'] }]
    }
    // A nested stack is listed whenever the stack around it is updated, also when nothing in it changes.
    const isOnlyListed = own.properties.length === 0 && own.conditional === undefined
    return isOnlyListed && (within.length > 0 || changeSetState(nested).is === 'empty') ? within : [own, ...within]
  }

  #own(
    change: DescribedChange,
    it: {
      readonly logicalId: string
      readonly type: string
      readonly isRoot: boolean
      readonly byId: ReadonlyMap<string, DescribedChange>
    },
  ): Change | undefined {
    const { logicalId, type } = it
    const { before, after } = it.isRoot ? this.#options : {}
    const bare = { logicalId, type, properties: [], because: [] }
    if (change.ResourceDriftStatus === 'MODIFIED') this.notes.push(`${logicalId} was changed by hand.`)
    if (change.ResourceDriftStatus === 'DELETED') this.notes.push(`${logicalId} was deleted by hand.`)
    switch (change.Action) {
      case 'Add':
        return { ...bare, action: 'create', retained: false }
      case 'Import':
        this.notes.push(`${logicalId} is there already and is taken into the stack.`)
        return { ...bare, action: 'create', retained: false }
      case 'Remove':
        return { ...bare, action: 'delete', retained: isLeft(change, policyOf(before, logicalId)?.deletionPolicy) }
      case 'SyncWithActual':
        return undefined
      case 'Dynamic':
        this.notes.push(`What happens to ${logicalId} is known only when it is done.`)
        return { ...bare, action: 'update', conditional: ['Properties'], retained: false }
      default:
    }
    const templates = { before: resourceIn(before, logicalId), after: resourceIn(after, logicalId) }
    const policies = policyChanges(change, policyOf(before, logicalId), policyOf(after, logicalId))
    const properties = propertiesOf(change, { policies, ...templates })
    const { Replacement: replacement, PolicyAction: policy = '' } = change
    if (replacement === 'True' || (policy.startsWith('ReplaceAnd') && replacement !== 'Conditional')) {
      const kept = policyOf(after, logicalId)?.updateReplacePolicy
      return {
        ...bare,
        action: 'replace',
        properties,
        because: becauseOf(change),
        retained: isLeft(change, kept),
      }
    }
    const conditional = replacement === 'Conditional' ? conditionalOf(change, it.byId) : []
    // The note of policies was written, or has gone: that touches nothing.
    if (properties.length === 0 && conditional.length === 0 && isOfMetadata(change)) return undefined
    return {
      ...bare,
      action: 'update',
      properties,
      ...(conditional.length > 0 && { conditional }),
      retained: false,
    }
  }
}

function resourceChanges(changeSet: DescribedChangeSet): readonly DescribedChange[] {
  return (changeSet.Changes ?? []).flatMap(({ ResourceChange: change }) => (change === undefined ? [] : [change]))
}

/** Whether it stays in the account: by the word of the change set, otherwise by the policy in the template. */
function isLeft({ PolicyAction: action }: DescribedChange, policy: string | undefined): boolean {
  if (action !== undefined) return action === 'Retain' || action === 'ReplaceAndRetain'
  return policy !== undefined && isRetained(policy)
}

type Policies = { readonly deletionPolicy: string; readonly updateReplacePolicy: string }

function policyOf(template: DataMap | undefined, logicalId: string): Policies | undefined {
  return template === undefined ? undefined : resourcesOf(template).get(logicalId)
}

/**
 * Changed policies: those that the change set lists, and those that it does not but the templates show. What they are now is the
 * wanted template's word, which is there also where the live one was not read; so both ways they are told alike.
 */
function policyChanges(
  change: DescribedChange,
  was: Policies | undefined,
  will: Policies | undefined,
): readonly ChangedProperty[] {
  if (will === undefined) return []
  const listed = (change.Details ?? []).map(({ Target: target }) => target?.Attribute)
  const pairs = [
    ['DeletionPolicy', was?.deletionPolicy, will.deletionPolicy],
    ['UpdateReplacePolicy', was?.updateReplacePolicy, will.updateReplacePolicy],
  ] as const
  return pairs.flatMap(([path, left, right]) =>
    listed.includes(path) || (left !== undefined && left !== right) ? [{ path, after: digest(right) }] : [],
  )
}

/**
 * The changed properties: by comparing the resource before and after, as deep as both go; and those that only the details
 * tell of, as the values of NoEcho parameters, which are the same stars on both sides.
 */
function propertiesOf(
  change: DescribedChange,
  it: {
    readonly policies: readonly ChangedProperty[]
    readonly before: Data | undefined
    readonly after: Data | undefined
  },
): readonly ChangedProperty[] {
  const [before, after] = [contextOf(change.BeforeContext), contextOf(change.AfterContext)]
  const compared =
    before === undefined || after === undefined
      ? []
      : attributes.flatMap((attribute) =>
          differences(own(before, attribute), own(after, attribute)).map((each) => changedProperty(attribute, each)),
        )
  const found = [...compared, ...it.policies]
  // Nothing of the metadata is hidden, so that the comparison has all of it.
  const isMetadataKnown =
    before !== undefined ||
    (it.before !== undefined &&
      it.after !== undefined &&
      same(own(it.before, 'Metadata') ?? null, own(it.after, 'Metadata') ?? null))
  const told = (change.Details ?? [])
    .flatMap(toldBy)
    .filter(({ path }) => !found.some((each) => isSameOrPart(each.path, path)))
    .filter(({ path }) => !(isMetadataKnown && isSameOrPart(path, 'Metadata')))
  const unique = new Map(
    [...found, ...told.map((each) => fromTemplate(each, it.after))].map((each) => [each.path, each]),
  )
  return [...unique.values()].toSorted((a, b) => compareText(a.path, b.path))
}

/**
 * What a description without values says, with the digest of the wanted expression in the place of the value. The live one is not
 * always at hand, and a plan must not differ by that.
 */
function fromTemplate(property: ChangedProperty, after: Data | undefined): ChangedProperty {
  if (property.before !== undefined || property.after !== undefined) return property
  const value = property.path.split('.').reduce<Data | undefined>((inside, key) => own(inside, key), after)
  return value === undefined ? property : { path: property.path, after: digest(value) }
}

function resourceIn(template: DataMap | undefined, logicalId: string): Data | undefined {
  const resource = template === undefined ? undefined : own(section(template, 'Resources'), logicalId)
  return isMap(resource) ? withoutMark(resource) : resource
}

const attributes = ['Properties', 'Tags', 'Metadata', 'CreationPolicy', 'UpdatePolicy'] as const

/** Whether nothing but the metadata of a resource changes. */
function isOfMetadata({ Details: details = [], Scope: scope = [] }: DescribedChange): boolean {
  const words = [...scope, ...details.map(({ Target: target }) => target?.Attribute)]
  return words.length > 0 && words.every((word) => word === 'Metadata')
}

function contextOf(text: string | undefined): DataMap | undefined {
  if (text === undefined || text === '') return undefined
  const document = readJson('context', text)
  return document.ok && isMap(document.value.data) ? withoutMark(document.value.data) : undefined
}

function toldBy(detail: DescribedDetail): readonly ChangedProperty[] {
  const path = pathOf(detail)
  const { BeforeValue: before, AfterValue: after, AttributeChangeType: kind } = detail.Target ?? {}
  if (path === undefined || kind === 'SyncWithActual') return []
  return [
    {
      path,
      ...(before === undefined ? {} : { before: digest(valueOf(before)) }),
      ...(after === undefined ? {} : { after: digest(valueOf(after)) }),
    },
  ]
}

/** `/Properties/Listeners/0/Port`, a JSON pointer (RFC 6901), as `Properties.Listeners.0.Port`. */
function pathOf({ Target: target, ChangeSource: source }: DescribedDetail): string | undefined {
  if (target?.Attribute === undefined) return undefined
  // The word for a nested stack that is updated because the stack around it is: nothing of itself.
  if (source === 'Automatic') return undefined
  if (target.Path !== undefined && target.Path !== '') {
    const steps = target.Path.split('/').slice(1)
    return steps.map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~')).join('.')
  }
  return target.Name === undefined ? target.Attribute : `${target.Attribute}.${target.Name}`
}

/** A value of a detail is a text; a map or a list is in it as JSON. */
function valueOf(text: string): Data {
  if (!/^\s*[[{]/.test(text) || text === unknown) return text
  const document = readJson('value', text)
  return document.ok ? document.value.data : text
}

function isSameOrPart(a: string, b: string): boolean {
  return a === b || a.startsWith(`${b}.`) || b.startsWith(`${a}.`)
}

function recreating(change: DescribedChange, words: readonly string[]): readonly string[] {
  const paths = (change.Details ?? []).flatMap((detail) =>
    words.includes(detail.Target?.RequiresRecreation ?? '') ? (pathOf(detail) ?? []) : [],
  )
  return [...new Set(paths)].toSorted(compareText)
}

/** The properties that replace a resource for sure; those that may, where none is told for sure. */
function becauseOf(change: DescribedChange): readonly string[] {
  const always = recreating(change, ['Always'])
  return always.length > 0 ? always : recreating(change, ['Conditionally'])
}

/**
 * The properties by which a resource may be replaced. One that mentions another resource by `Ref` is changed only when that is
 * made anew, for an update keeps the id; so where the same change set says that it is only updated, nothing is replaced.
 */
function conditionalOf(change: DescribedChange, byId: ReadonlyMap<string, DescribedChange>): readonly string[] {
  const details = change.Details ?? []
  const open = details.filter(
    ({ Target: target }) => target?.RequiresRecreation === 'Always' || target?.RequiresRecreation === 'Conditionally',
  )
  if (open.length === 0) return ['Properties']
  const left = open.filter((detail) => !isSettled(detail, byId))
  return recreating({ Details: left }, ['Always', 'Conditionally'])
}

function isSettled(
  { ChangeSource: source, CausingEntity: cause, Evaluation: evaluation }: DescribedDetail,
  byId: ReadonlyMap<string, DescribedChange>,
): boolean {
  if (source !== 'ResourceReference' || evaluation !== 'Dynamic' || cause === undefined) return false
  const other = byId.get(cause)
  return other?.Action === 'Modify' && other.Replacement === 'False'
}

/** An output that is told by another expression, or that mentions a resource which is made anew. */
function outputsOf(changes: readonly Change[], { before, after }: ChangeOptions): readonly ChangedProperty[] {
  if (before === undefined || after === undefined) return []
  const [was, will] = [section(before, 'Outputs'), section(after, 'Outputs')]
  const anew = new Set(
    changes.flatMap(({ logicalId, action, conditional }) =>
      action === 'create' || action === 'replace' || conditional !== undefined ? [logicalId] : [],
    ),
  )
  const names = [...new Set([...Object.keys(was), ...Object.keys(will)])].toSorted(compareText)
  return names.flatMap((name): ChangedProperty[] => {
    const [left, right] = [outputOf(was, name), outputOf(will, name)]
    const path = `Outputs.${name}`
    const changed = left === undefined || right === undefined || !same(left, right)
    const isAnew = right !== undefined && mentions(right).some((it) => it.is !== 'condition' && anew.has(it.name))
    if (!changed && !isAnew) return []
    return [
      {
        path,
        ...(left !== undefined && { before: digest(left) }),
        ...(right !== undefined && { after: digest(isAnew ? [right, unknown] : right) }),
      },
    ]
  })
}

function outputOf(outputs: DataMap, name: string): DataMap | undefined {
  const output = own(outputs, name)
  if (!isMap(output)) return undefined
  return mapOf(Object.entries(output).filter(([key]) => key !== 'Description'))
}
