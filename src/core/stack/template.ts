import { type Data, type DataMap, interned, isList, isMap, type Path } from '../data.ts'

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
  /** What the properties mention; paths lead from them. */
  readonly mentions: readonly Mention[]
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

const models = new WeakMap<DataMap, ReadonlyMap<string, Resource>>()

/** The resources by their logical ids, in the order of the template; read once a template. */
export function resourcesOf(body: DataMap): ReadonlyMap<string, Resource> {
  const before = models.get(body)
  if (before !== undefined) return before
  const resources = new Map<string, Resource>()
  models.set(body, resources)
  for (const [logicalId, value] of Object.entries(section(body, 'Resources'))) {
    if (!isMap(value)) continue
    const type = own(value, 'Type')
    const properties = own(value, 'Properties')
    const dependsOn = own(value, 'DependsOn')
    const condition = own(value, 'Condition')
    const deletion = own(value, 'DeletionPolicy')
    const replace = own(value, 'UpdateReplacePolicy')
    if (!isText(type)) continue
    resources.set(logicalId, {
      logicalId,
      type: interned(type),
      properties: isMap(properties) ? properties : {},
      mentions: isMap(properties) ? mentions(properties) : [],
      dependsOn: isText(dependsOn) ? [dependsOn] : isList(dependsOn) ? dependsOn.filter(isText) : [],
      condition: isText(condition) ? condition : undefined,
      deletionPolicy: isText(deletion) ? deletion : 'Delete',
      updateReplacePolicy: isText(replace) ? replace : 'Delete',
    })
  }
  return resources
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

/**
 * Everything that a value mentions by `Ref`, `Fn::GetAtt`, `Fn::Sub` and `Fn::If`, in the order in which it is written. Paths
 * lead from the value.
 */
export function mentions(value: Data): readonly Mention[] {
  const found: Mention[] = []
  mentionsInto(found, value, { path: [], conditional: false })
  return found
}

/** Where the walk is. The path is one list that grows and shrinks with it, and is copied where something is found. */
type Walk = { readonly path: (string | number)[]; readonly conditional: boolean }

function mentionsInto(found: Mention[], value: Data, walk: Walk): void {
  const { path, conditional } = walk
  if (isList(value)) {
    for (let index = 0; index < value.length; index += 1) {
      path.push(index)
      mentionsInto(found, value[index] ?? null, walk)
      path.pop()
    }
    return
  }
  if (!isMap(value)) return
  const called = functionOf(value)
  if (called === undefined) {
    for (const [key, member] of Object.entries(value)) {
      path.push(key)
      mentionsInto(found, member, walk)
      path.pop()
    }
    return
  }
  const { name, argument } = called
  path.push(name)
  if (name === 'Ref' && isText(argument)) found.push({ is: 'name', name: argument, path: [...path], conditional })
  if (name === 'Fn::GetAtt') {
    const target = attributeTarget(argument)
    if (target !== undefined) found.push({ is: 'attribute', ...target, path: [...path], conditional })
  }
  if (name === 'Fn::Sub') subMentions(found, argument, walk)
  if (name === 'Fn::If' && isList(argument) && isText(argument[0])) {
    found.push({ is: 'condition', name: argument[0], path: [...path, 0] })
  }
  mentionsInto(found, argument, name === 'Fn::If' && !conditional ? { path, conditional: true } : walk)
  path.pop()
}

function subMentions(found: Mention[], argument: Data, { path, conditional }: Walk): void {
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
