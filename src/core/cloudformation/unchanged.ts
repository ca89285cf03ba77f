import { compareText } from '../canonical.ts'
import { type Data, type DataMap, isList, isMap } from '../data.ts'
import { withoutMarks } from '../guard.ts'
import { differences } from '../stack/diff.ts'
import { scalarText } from '../stack/parameters.ts'
import { isText, own, resourcesOf, section, transformsOf } from '../stack/template.ts'
import { comparable } from './body.ts'
import type { DescribedStack } from './model.ts'
import type { StackOptions } from './options.ts'

/** What a stack shall be, as far as it is compared. */
export type Wish = {
  readonly body: DataMap
  readonly parameters: Readonly<Record<string, string>>
  readonly tags: Readonly<Record<string, string>>
  readonly options?: StackOptions | undefined
  /** Topics that are told of events; absent: left as they are. */
  readonly notifications?: readonly string[] | undefined
}

/** A part of a stack that is other than wanted. Those of `settings` are set by calls of their own, without a change set. */
export type Part = 'template' | 'parameters' | 'tags' | 'role' | 'notifications' | 'rollback' | 'termination-protection'

/**
 * - `unchanged`: there is nothing to do, and no change set is needed to know it
 * - `settings`: the template and all that a change set carries are as wanted; only termination protection is not
 * - `changed`: a change set shows what becomes other
 * - `unsure`: nothing is seen to differ, but that cannot be trusted; a change set tells. `because` has a sentence each
 */
export type Comparison =
  | { readonly is: 'unchanged' }
  | { readonly is: 'settings'; readonly parts: readonly Part[] }
  | { readonly is: 'changed'; readonly parts: readonly Part[] }
  | { readonly is: 'unsure'; readonly because: readonly string[] }

/**
 * Whether a stack is already what is wanted, by two reads alone: DescribeStacks, and GetTemplate with `TemplateStage:
 * Original`. It errs to the side of a change set: what the reads do not show (values behind NoEcho, in the parameter store, in
 * Secrets Manager; what a macro makes; templates of nested stacks) is never taken as the same.
 *
 * The stack policy is not among it: DescribeStacks does not show it. It is set again with each deployment that does something.
 */
export function compareStack(live: DescribedStack, template: DataMap | undefined, wish: Wish): Comparison {
  const parts = changedParts(live, template, wish)
  const carried = parts.filter((part) => part !== 'termination-protection')
  if (carried.length > 0) return { is: 'changed', parts }
  const because = doubts(live, wish)
  if (because.length > 0) return { is: 'unsure', because }
  return parts.length > 0 ? { is: 'settings', parts } : { is: 'unchanged' }
}

function changedParts(live: DescribedStack, template: DataMap | undefined, wish: Wish): readonly Part[] {
  const { options = {}, notifications } = wish
  const found: [Part, boolean][] = [
    ['template', template === undefined || !isSameTemplate(template, wish.body)],
    ['parameters', !isSameParameters(live, wish)],
    ['tags', !isSameTexts(tagsOf(live), wish.tags)],
    ['role', options.serviceRole !== undefined && options.serviceRole !== live.RoleARN],
    ['notifications', notifications !== undefined && !isSameSet(notifications, live.NotificationARNs ?? [])],
    ['rollback', options.rollback !== undefined && !isSameRollback(live, options.rollback)],
    [
      'termination-protection',
      options.terminationProtection !== undefined &&
        options.terminationProtection !== (live.EnableTerminationProtection ?? false),
    ],
  ]
  return found.flatMap(([part, differs]) => (differs ? [part] : []))
}

/** `80` and `"80"` are the same to CloudFormation, so a template that somebody deployed as YAML may be the same too. */
function isSameTemplate(live: DataMap, wanted: DataMap): boolean {
  return differences(comparable(withoutMarks(live)), comparable(withoutMarks(wanted))).length === 0
}

/** All declared parameters with their values, defaults where none is given. Values that are not shown are left out. */
function isSameParameters(live: DescribedStack, { body, parameters }: Wish): boolean {
  const shown = new Map((live.Parameters ?? []).map((it) => [it.ParameterKey ?? '', it.ParameterValue]))
  const declared = section(body, 'Parameters')
  const names = new Set([...Object.keys(declared), ...Object.keys(parameters)])
  if ([...shown.keys()].some((name) => !names.has(name))) return false
  return [...names].every((name) => {
    const declaration = own(declared, name)
    if (isHidden(declaration)) return shown.has(name)
    const wanted = Object.hasOwn(parameters, name) ? parameters[name] : scalarText(own(declaration, 'Default'))
    return shown.get(name) === wanted
  })
}

function isHidden(declaration: Data | undefined): boolean {
  return scalarText(own(declaration, 'NoEcho')) === 'true'
}

/** The tags that were given; those with `aws:` are the service's own. */
function tagsOf({ Tags: tags = [] }: DescribedStack): Readonly<Record<string, string>> {
  return Object.fromEntries(
    tags.flatMap(({ Key: key = '', Value: value = '' }) => (key.startsWith('aws:') ? [] : [[key, value]])),
  )
}

function isSameTexts(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
  return differences(a, b).length === 0
}

function isSameSet(a: readonly string[], b: readonly string[]): boolean {
  const [left, right] = [[...new Set(a)].toSorted(compareText), [...new Set(b)].toSorted(compareText)]
  return left.length === right.length && left.every((each, index) => each === right[index])
}

function isSameRollback(
  { RollbackConfiguration: live }: DescribedStack,
  wanted: NonNullable<StackOptions['rollback']>,
): boolean {
  const alarms = (live?.RollbackTriggers ?? []).flatMap(({ Arn: arn }) => (arn === undefined ? [] : [arn]))
  return isSameSet(alarms, wanted.alarms) && (live?.MonitoringTimeInMinutes ?? 0) === wanted.minutes
}

function doubts(live: DescribedStack, { body, parameters }: Wish): readonly string[] {
  const { StackStatus: status = '' } = live
  return [
    ...(status === 'CREATE_COMPLETE' || status === 'UPDATE_COMPLETE' ? [] : [`The stack is in the state ${status}.`]),
    ...parameterDoubts(body),
    ...transformDoubts(body),
    ...(hasOpenReference([body, parameters]) ? ['It reads values by dynamic references, which may have changed.'] : []),
    ...nestedDoubts(body),
  ]
}

function parameterDoubts(body: DataMap): readonly string[] {
  return Object.entries(section(body, 'Parameters')).flatMap(([name, declaration]) => {
    const type = own(declaration, 'Type')
    if (isHidden(declaration)) return [`The value of ${name} is not shown (NoEcho).`]
    if (isText(type) && type.startsWith('AWS::SSM::Parameter::Value<'))
      return [`${name} is read from the parameter store, where it may have changed.`]
    return []
  })
}

function transformDoubts(body: DataMap): readonly string[] {
  const names = [...transformsOf(body), ...(mentionsFunction(body, 'Fn::Transform') ? ['Fn::Transform'] : [])]
  return names.length === 0 ? [] : [`It is made by macros (${names.join(', ')}), which may make another template now.`]
}

/** Nested stacks are the same only if their templates cannot be others under the same address. */
function nestedDoubts(body: DataMap): readonly string[] {
  return [...resourcesOf(body).values()].flatMap(({ logicalId, type, properties }) => {
    if (type !== 'AWS::CloudFormation::Stack') return []
    const url = own(properties, 'TemplateURL')
    return isText(url) && isContentAddressed(url)
      ? []
      : [`The template of the nested stack ${logicalId} may be another under the same address.`]
  })
}

/** A name with a SHA-256 (or the version of the object) in it: under it there is always the same. */
export function isContentAddressed(url: string): boolean {
  return /(?:^|[^0-9a-f])[0-9a-f]{64}(?:[^0-9a-f]|$)/.test(url) || /[?&]versionId=[^&]+/.test(url)
}

function mentionsFunction(value: Data, name: string): boolean {
  if (isList(value)) return value.some((each) => mentionsFunction(each, name))
  return isMap(value) && Object.entries(value).some(([key, member]) => key === name || mentionsFunction(member, name))
}

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references.html */
function hasOpenReference(value: Data): boolean {
  if (isText(value)) return isOpenReference(value)
  if (isList(value)) return value.some(hasOpenReference)
  return isMap(value) && Object.values(value).some(hasOpenReference)
}

/** One that names a version is fixed. A text that only begins or ends a reference is a part of one that a function joins. */
function isOpenReference(text: string): boolean {
  if (!text.includes('{{') && !text.startsWith('resolve:')) return false
  if (/\{\{\s*$/.test(text) || text.startsWith('resolve:')) return true
  return [...text.matchAll(/\{\{\s*resolve:([^}]*)(\}\})?/g)].some(([, inside = '', end]) => {
    if (end === undefined) return true
    const [service = '', ...rest] = inside.split(':')
    if (service === 'ssm' || service === 'ssm-secure') return !/^\d+$/.test(rest.at(-1) ?? '')
    // secretsmanager:<secret, an ARN has six colons>:SecretString:<key>:<stage>:<version>
    const after = rest.slice(rest.indexOf('SecretString') + 1)
    return service !== 'secretsmanager' || !rest.includes('SecretString') || (after[2] ?? '') === ''
  })
}
