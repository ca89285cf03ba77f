import { type Data, type DataMap, interned, isList, isMap, isShared, type Path } from '../data.ts'
import { Recent } from '../recent.ts'

/** A stack's identity: the name, and the account and region that it lies in. */
export type StackName = { readonly name: string; readonly account: string; readonly region: string }

/** What a stack shall be. `body` is a CloudFormation template in long form (`{ Ref: … }`, never `!Ref`). */
export type StackWish = {
  readonly stack: StackName
  readonly body: DataMap
  readonly parameters: Readonly<Record<string, string>>
  readonly tags: Readonly<Record<string, string>>
}

/** The resources of a template as the model works with them. A part that is not of the right shape counts as absent. */
export type Resource = {
  readonly logicalId: string
  readonly type: string
  readonly properties: DataMap
  /** What is in the properties that hold functions; the path of each leads from `Properties`. */
  readonly surveys: readonly { readonly path: Path; readonly survey: Survey }[]
  readonly dependsOn: readonly string[]
  readonly condition: string | undefined
  readonly deletionPolicy: string
  readonly updateReplacePolicy: string
}

/** The pseudo parameters: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/pseudo-parameter-reference.html */
export const pseudoParameters = [
  'AWS::AccountId',
  'AWS::NoValue',
  'AWS::NotificationARNs',
  'AWS::Partition',
  'AWS::Region',
  'AWS::StackId',
  'AWS::StackName',
  'AWS::URLSuffix',
] as const

/** The value of a key that the map itself has; nothing that comes from a prototype. */
export function own(map: Data | undefined, key: string): Data | undefined {
  return isMap(map) && Object.hasOwn(map, key) ? map[key] : undefined
}

/** A section of the template as a map; empty when absent or of another shape. */
export function section(body: DataMap, name: string): DataMap {
  const value = own(body, name)
  return isMap(value) ? value : {}
}

export function transformsOf(body: DataMap): readonly string[] {
  const transform = own(body, 'Transform')
  return isList(transform) ? transform.filter(isText) : isText(transform) ? [transform] : []
}

/** Whether the functions of https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/transform-aws-languageextensions.html work. */
export function hasLanguageExtensions(body: DataMap): boolean {
  return transformsOf(body).includes('AWS::LanguageExtensions')
}

type Model = Measure & { readonly resources: ReadonlyMap<string, Resource> }

const models = new Recent<DataMap, Model>()

/** The resources by their logical ids, in the order of the template; read once a template. */
export function resourcesOf(body: DataMap): ReadonlyMap<string, Resource> {
  return modelOf(body).resources
}

/** A template's resources, and the measure of all of it; found once a template. */
export function modelOf(body: DataMap): Model {
  const before = models.get(body)
  if (before !== undefined) return before
  const resources = new Map<string, Resource>()
  const measure = { hasLoop: false, bytes: 2 }
  for (const [name, part] of Object.entries(body)) {
    if (name !== 'Resources' || !isMap(part)) {
      addTo(measure, name, measureOf(part))
      continue
    }
    addTo(measure, name, { hasLoop: false, bytes: 2 })
    for (const [logicalId, value] of Object.entries(part)) {
      const type = own(value, 'Type')
      if (!isMap(value) || !isText(type)) {
        addTo(measure, logicalId, measureOf(value))
        continue
      }
      const properties = own(value, 'Properties')
      const found = isMap(properties) ? surveyProperties(properties) : undefined
      addTo(measure, logicalId, { hasLoop: false, bytes: 2 })
      for (const [key, attribute] of Object.entries(value)) {
        addTo(measure, key, found !== undefined && key === 'Properties' ? found : measureOf(attribute))
      }
      const dependsOn = own(value, 'DependsOn')
      const condition = own(value, 'Condition')
      const deletion = own(value, 'DeletionPolicy')
      const replace = own(value, 'UpdateReplacePolicy')
      resources.set(logicalId, {
        logicalId,
        type: interned(type),
        properties: isMap(properties) ? properties : {},
        surveys: found?.surveys ?? [],
        dependsOn: isText(dependsOn) ? [dependsOn] : isList(dependsOn) ? dependsOn.filter(isText) : [],
        condition: isText(condition) ? condition : undefined,
        deletionPolicy: isText(deletion) ? deletion : 'Delete',
        updateReplacePolicy: isText(replace) ? replace : 'Delete',
      })
    }
  }
  const model = { resources, ...measure }
  models.set(body, model)
  return model
}

function measureOf(value: Data): Measure {
  return isMap(value) || isList(value) ? surveyOf(value) : { hasLoop: false, bytes: bytesOf(value) }
}

function addTo(sum: { hasLoop: boolean; bytes: number }, key: string, { hasLoop, bytes }: Measure): void {
  sum.hasLoop ||= hasLoop || key.startsWith(loopPrefix)
  sum.bytes += 6 * key.length + 4 + bytes
}

export function isText(value: Data | undefined): value is string {
  return typeof value === 'string'
}

/** A map with one key that is a function's name, as that name and its argument. */
export function functionOf(value: Data): { readonly name: string; readonly argument: Data } | undefined {
  if (!isMap(value)) return undefined
  const keys = Object.keys(value)
  const name = keys[0]
  if (name === undefined || keys.length > 1) return undefined
  if (name !== 'Ref' && !name.startsWith('Fn::')) return undefined
  return { name, argument: value[name] ?? null }
}

/** The parts of a `Fn::Sub` text. `${!Literal}` is the text `${Literal}`. */
export type SubPart = { readonly is: 'text'; readonly text: string } | { readonly is: 'name'; readonly name: string }

export function subParts(text: string): readonly SubPart[] {
  const parts: SubPart[] = []
  let from = 0
  for (let start = text.indexOf('${'); start !== -1; start = text.indexOf('${', from)) {
    const end = text.indexOf('}', start + 2)
    if (end === -1) break
    const inside = text.slice(start + 2, end)
    if (start > from) parts.push({ is: 'text', text: text.slice(from, start) })
    if (inside.startsWith('!')) parts.push({ is: 'text', text: `\${${inside.slice(1)}}` })
    else parts.push({ is: 'name', name: inside.trim() })
    from = end + 1
  }
  if (from < text.length) parts.push({ is: 'text', text: text.slice(from) })
  return parts
}

/** A mention of something in the template. `conditional` is inside an `Fn::If`, of which one branch alone counts. */
export type Mention =
  | { readonly is: 'name'; readonly name: string; readonly path: Path; readonly conditional: boolean }
  | {
      readonly is: 'attribute'
      readonly name: string
      readonly attribute: string | undefined
      readonly path: Path
      readonly conditional: boolean
    }
  | { readonly is: 'condition'; readonly name: string; readonly path: Path }

/** A key that is a function's, with its argument. The path ends with it. */
export type Call = {
  readonly name: string
  readonly argument: Data
  readonly path: Path
  /** Whether it is the only key of its map, as a function has to be. */
  readonly alone: boolean
}

/** What is found in a value in one walk, for all who ask. Paths lead from the value; all is in the order in which it is written. */
export type Survey = Measure & {
  /** What it mentions by `Ref`, `Fn::GetAtt`, `Fn::Sub` and `Fn::If`. */
  readonly mentions: readonly Mention[]
  /** The functions but `Ref`. */
  readonly calls: readonly Call[]
  /** Whether it holds no function at all, so that it is what it will be. */
  readonly isPlain: boolean
}

type Measure = {
  /** Whether a `Fn::ForEach` stands in it. */
  readonly hasLoop: boolean
  /** At least as many bytes as it has as JSON: a character takes six at most (`\u0000`). */
  readonly bytes: number
}

export const loopPrefix = 'Fn::ForEach::'

type Collection = DataMap | readonly Data[]

/** Of values that many templates share. */
const surveys = new WeakMap<Collection, Survey>()

function surveyOf(value: Collection): Survey {
  const known = surveys.get(value)
  if (known !== undefined) return known
  const state: Walk = { mentions: [], calls: [], isPlain: true, path: [] }
  const bytes = walk(value, state, false)
  const { mentions, calls, isPlain } = state
  const hasLoop = calls.some(({ name }) => name.startsWith(loopPrefix))
  const found = { mentions, calls, isPlain, hasLoop, bytes }
  if (isShared(value)) surveys.set(value, found)
  return found
}

type Surveyed = Measure & Pick<Resource, 'surveys'>

/** Each property is looked at by itself, so that what is known of one is of use to all resources that share it. */
function surveyProperties(properties: DataMap): Surveyed {
  const keys = Object.keys(properties)
  if (keys.some((key) => key === 'Ref' || key.startsWith('Fn::'))) {
    const survey = surveyOf(properties)
    return { ...survey, surveys: [{ path: [], survey }] }
  }
  const found: { readonly path: Path; readonly survey: Survey }[] = []
  let bytes = 2
  let hasLoop = false
  for (const key of keys) {
    const member = properties[key] ?? null
    bytes += 6 * key.length + 4
    if (!isMap(member) && !isList(member)) {
      bytes += bytesOf(member)
      continue
    }
    const survey = surveyOf(member)
    bytes += survey.bytes
    hasLoop ||= survey.hasLoop
    if (!survey.isPlain) found.push({ path: [key], survey })
  }
  return { surveys: found, hasLoop, bytes }
}

/** Everything that a value mentions. */
export function mentions(value: Data): readonly Mention[] {
  return isMap(value) || isList(value) ? surveyOf(value).mentions : []
}

/** The functions in a value. */
export function calls(value: Data): readonly Call[] {
  return isMap(value) || isList(value) ? surveyOf(value).calls : []
}

/** What has been found so far, and where the walk is. The path is one list that grows and shrinks with it, and is copied. */
type Walk = {
  readonly mentions: Mention[]
  readonly calls: Call[]
  isPlain: boolean
  readonly path: (string | number)[]
}

function bytesOf(scalar: Data): number {
  return typeof scalar === 'string' ? 6 * scalar.length + 3 : 400
}

/** Looks a value through; its bytes. */
function walk(value: Data, found: Walk, conditional: boolean): number {
  const { path } = found
  if (typeof value !== 'object' || value === null) return bytesOf(value)
  if (isList(value)) {
    let bytes = 2 + value.length
    for (let index = 0; index < value.length; index += 1) {
      path.push(index)
      bytes += walk(value[index] ?? null, found, conditional)
      path.pop()
    }
    return bytes
  }
  if (!isMap(value)) return bytesOf(value)
  const keys = Object.keys(value)
  const alone = keys.length === 1
  let bytes = 2
  for (const key of keys) {
    const member = value[key] ?? null
    path.push(key)
    if (key.startsWith('Fn::')) {
      found.isPlain = false
      found.calls.push({ name: key, argument: member, path: [...path], alone })
    }
    if (alone) note(found, key, member, conditional)
    bytes += 6 * key.length + 4 + walk(member, found, conditional || (alone && key === 'Fn::If'))
    path.pop()
  }
  return bytes
}

/** The mentions of one function. */
function note(found: Walk, name: string, argument: Data, conditional: boolean): void {
  const { mentions, path } = found
  switch (name) {
    case 'Ref':
      found.isPlain = false
      if (isText(argument)) mentions.push({ is: 'name', name: argument, path: [...path], conditional })
      break
    case 'Fn::GetAtt': {
      const target = attributeTarget(argument)
      if (target !== undefined) mentions.push({ is: 'attribute', ...target, path: [...path], conditional })
      break
    }
    case 'Fn::Sub':
      subMentions(mentions, argument, { path, conditional })
      break
    case 'Fn::If':
      if (isList(argument) && isText(argument[0])) {
        mentions.push({ is: 'condition', name: argument[0], path: [...path, 0] })
      }
      break
    default:
  }
}

function subMentions(
  found: Mention[],
  argument: Data,
  { path, conditional }: { readonly path: Path; readonly conditional: boolean },
): void {
  const text = isList(argument) ? argument[0] : argument
  const variables = isList(argument) ? argument[1] : undefined
  if (!isText(text)) return
  const here = [...path]
  for (const part of subParts(text)) {
    if (part.is === 'text' || own(variables, part.name) !== undefined) continue
    const dot = part.name.indexOf('.')
    if (dot < 0) found.push({ is: 'name', name: part.name, path: here, conditional })
    else
      found.push({
        is: 'attribute',
        name: part.name.slice(0, dot),
        attribute: part.name.slice(dot + 1),
        path: here,
        conditional,
      })
  }
}

/** The resource and the attribute of a `Fn::GetAtt`: `['Cache', 'Endpoint.Port']` or `Cache.Endpoint.Port`. */
export function attributeTarget(
  argument: Data,
): { readonly name: string; readonly attribute: string | undefined } | undefined {
  if (isText(argument)) {
    const dot = argument.indexOf('.')
    return dot <= 0 ? undefined : { name: argument.slice(0, dot), attribute: argument.slice(dot + 1) }
  }
  if (!isList(argument) || argument.length < 2) return undefined
  const [name, ...rest] = argument
  if (!isText(name)) return undefined
  // The attribute's name may be a function; it is then known when it is evaluated.
  return rest.every(isText) ? { name, attribute: rest.join('.') } : { name, attribute: undefined }
}
