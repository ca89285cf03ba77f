import { type Data, type DataMap, isList, isMap, type Path } from '../data.ts'

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

export function resourcesOf(body: DataMap): ReadonlyMap<string, Resource> {
  const resources = new Map<string, Resource>()
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
      type,
      properties: isMap(properties) ? properties : {},
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
  const [name, more] = Object.keys(value)
  if (name === undefined || more !== undefined) return undefined
  if (name !== 'Ref' && !name.startsWith('Fn::')) return undefined
  return { name, argument: value[name] ?? null }
}

/** The parts of a `Fn::Sub` text. `${!Literal}` is the text `${Literal}`. */
export type SubPart = { readonly is: 'text'; readonly text: string } | { readonly is: 'name'; readonly name: string }

export function subParts(text: string): readonly SubPart[] {
  const parts: SubPart[] = []
  let from = 0
  for (const match of text.matchAll(/\$\{([^}]*)\}/g)) {
    const [whole, inside = ''] = match
    if (match.index > from) parts.push({ is: 'text', text: text.slice(from, match.index) })
    if (inside.startsWith('!')) parts.push({ is: 'text', text: `\${${inside.slice(1)}}` })
    else parts.push({ is: 'name', name: inside.trim() })
    from = match.index + whole.length
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

/** Everything that a value mentions by `Ref`, `Fn::GetAtt`, `Fn::Sub` and `Fn::If`, in the order in which it is written. */
export function mentions(value: Data, path: Path): readonly Mention[] {
  const found: Mention[] = []
  mentionsInto(found, value, path, false)
  return found
}

function mentionsInto(found: Mention[], value: Data, path: Path, conditional: boolean): void {
  if (isList(value)) {
    for (const [index, item] of value.entries()) mentionsInto(found, item, [...path, index], conditional)
    return
  }
  if (!isMap(value)) return
  const called = functionOf(value)
  if (called === undefined) {
    for (const [key, member] of Object.entries(value)) mentionsInto(found, member, [...path, key], conditional)
    return
  }
  const { name, argument } = called
  const here = [...path, name]
  if (name === 'Ref' && isText(argument)) found.push({ is: 'name', name: argument, path: here, conditional })
  if (name === 'Fn::GetAtt') {
    const target = attributeTarget(argument)
    if (target !== undefined) found.push({ is: 'attribute', ...target, path: here, conditional })
  }
  if (name === 'Fn::Sub') subMentions(found, argument, here, conditional)
  if (name === 'Fn::If' && isList(argument) && isText(argument[0])) {
    found.push({ is: 'condition', name: argument[0], path: [...here, 0] })
  }
  mentionsInto(found, argument, here, conditional || name === 'Fn::If')
}

function subMentions(found: Mention[], argument: Data, path: Path, conditional: boolean): void {
  const text = isList(argument) ? argument[0] : argument
  const variables = isList(argument) ? argument[1] : undefined
  if (!isText(text)) return
  for (const part of subParts(text)) {
    if (part.is === 'text' || own(variables, part.name) !== undefined) continue
    const dot = part.name.indexOf('.')
    if (dot < 0) found.push({ is: 'name', name: part.name, path, conditional })
    else
      found.push({
        is: 'attribute',
        name: part.name.slice(0, dot),
        attribute: part.name.slice(dot + 1),
        path,
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
