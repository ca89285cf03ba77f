import { type Data, type DataMap, isList, isMap, type Path } from '../data.ts'
import type { ProblemCode } from '../problem-codes.ts'

export type Finding = {
  readonly code: ProblemCode
  readonly severity?: 'error' | 'warning'
  readonly path: Path
  readonly message: string
  readonly expected: string
  readonly remedy: string
}

export type Resource = { readonly id: string; readonly type: string; readonly body: DataMap; readonly path: Path }
export type Resources = ReadonlyMap<string, Resource>

/** A value with its path. `undefined` is a property that is absent, or taken away by `AWS::NoValue`. */
export type Spot = { readonly value: Data | undefined; readonly path: Path }

export function resourcesOf(template: DataMap): Resources {
  const found = new Map<string, Resource>()
  const resources = template['Resources']
  if (!isMap(resources)) return found
  for (const [id, body] of Object.entries(resources)) {
    if (!isMap(body) || typeof body['Type'] !== 'string') continue
    found.set(id, { id, type: body['Type'], body, path: ['Resources', id] })
  }
  return found
}

/** The values that a spot may take: both branches of each `Fn::If`. */
export function branches({ value, path }: Spot): Spot[] {
  if (!isMap(value)) return [{ value, path }]
  const choice = value['Fn::If']
  if (isList(choice)) {
    return [1, 2].flatMap((index) => branches({ value: choice[index], path: [...path, 'Fn::If', index] }))
  }
  return [{ value: value['Ref'] === 'AWS::NoValue' ? undefined : value, path }]
}

/** The values that a property, or one inside of it, may take. */
export function reach(spot: Spot, ...keys: string[]): Spot[] {
  let spots = branches(spot)
  for (const key of keys) {
    spots = spots.flatMap(({ value, path }) => {
      if (isMap(value) && isIntrinsic(value)) return [{ value, path }]
      return branches({ value: isMap(value) ? value[key] : undefined, path: [...path, key] })
    })
  }
  return spots
}

export function properties(resource: Resource, ...keys: string[]): Spot[] {
  return reach({ value: resource.body['Properties'], path: [...resource.path, 'Properties'] }, ...keys)
}

/** The elements of a list, or the one that stands for a list of one, as IAM allows. */
export function elements(spots: readonly Spot[]): Spot[] {
  return spots.flatMap(({ value, path }) => {
    if (value === undefined) return []
    if (!isList(value)) return [{ value, path }]
    return elements(value.flatMap((item, index) => branches({ value: item, path: [...path, index] })))
  })
}

export function isIntrinsic(value: Data | undefined): boolean {
  if (!isMap(value)) return false
  const [key, ...more] = Object.keys(value)
  return key !== undefined && more.length === 0 && (key === 'Ref' || key === 'Condition' || key.startsWith('Fn::'))
}

/** The text of a string, `Fn::Sub` or `Fn::Join`, with `${}` for what only the deployment knows. */
export function textOf(value: Data | undefined): string | undefined {
  if (typeof value === 'string') return value
  if (!isMap(value)) return undefined
  const sub = value['Fn::Sub']
  const template = isList(sub) ? sub[0] : sub
  if (typeof template === 'string') return template.replaceAll(/\$\{[^{}]*\}/gu, '${}')
  const join = value['Fn::Join']
  if (!isList(join)) return undefined
  const [separator, parts] = join
  if (typeof separator !== 'string' || !isList(parts)) return undefined
  return parts.map((part) => textOf(part) ?? '${}').join(separator)
}

/** The logical id that a value refers to by `Ref` or `Fn::GetAtt`. */
export function targetOf(value: Data | undefined): string | undefined {
  if (!isMap(value)) return undefined
  if (typeof value['Ref'] === 'string') return value['Ref']
  const attribute = value['Fn::GetAtt']
  if (typeof attribute === 'string') return attribute.split('.')[0]
  if (isList(attribute) && typeof attribute[0] === 'string') return attribute[0]
  return undefined
}

/** CloudFormation takes `true` and `'true'` for the same. */
export function isTrue(value: Data | undefined): boolean {
  return value === true || value === 'true'
}

export function isSet(value: Data | undefined): boolean {
  return value !== undefined && value !== null && value !== '' && value !== false && value !== 'false'
}

/** A port as a number, or nothing where only the deployment knows it. */
export function portOf(value: Data | undefined): number | undefined {
  if (typeof value === 'number') return value
  return typeof value === 'string' && /^\d+$/u.test(value) ? Number(value) : undefined
}
