import { type Data, type DataMap, isList, isMap, mapOf, type Path } from '../data.ts'
import type { Parameter } from './parameters.ts'
import { scalarText } from './parameters.ts'
import { hasLanguageExtensions, isText, loopPrefix, modelOf, own, section } from './template.ts'

export type LoopProblem = { readonly message: string; readonly path: Path }

/**
 * Writes out every `Fn::ForEach`: in each copy of its body, `${Name}` in keys and texts, and `Ref` of the name, become the
 * element. `&{Name}` leaves letters and digits alone, for logical ids.
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference-foreach.html
 */
export function writeOutLoops(
  body: DataMap,
  parameters: ReadonlyMap<string, Parameter>,
): { readonly body: DataMap; readonly problems: readonly LoopProblem[] } {
  if (!modelOf(body).hasLoop) return { body, problems: [] }
  const problems: LoopProblem[] = []
  const written = writeOut(body, [], { body, parameters, problems, copies: { count: 0 } })
  return { body: isMap(written) ? written : body, problems }
}

/** Loops in loops multiply, so that a few lines could ask for more copies than any memory holds. */
const most = 10_000

type Scope = {
  readonly body: DataMap
  readonly parameters: ReadonlyMap<string, Parameter>
  readonly problems: LoopProblem[]
  readonly copies: { count: number }
}

function writeOut(value: Data, path: Path, scope: Scope): Data {
  if (isList(value)) return value.map((item, index) => writeOut(item, [...path, index], scope))
  if (!isMap(value)) return value
  const entries = Object.entries(value).flatMap(([key, member]): (readonly [string, Data])[] => {
    const here = [...path, key]
    return key.startsWith(loopPrefix) ? loop(member, here, scope) : [[key, writeOut(member, here, scope)]]
  })
  return mapOf(entries)
}

function loop(argument: Data, path: Path, scope: Scope): (readonly [string, Data])[] {
  const [name, collection, template] = isList(argument) ? argument : []
  if (!hasLanguageExtensions(scope.body))
    return refuse(scope, path, 'Fn::ForEach works only with `Transform: AWS::LanguageExtensions`.')
  if (!isList(argument) || argument.length !== 3 || !isText(name) || collection === undefined || !isMap(template)) {
    return refuse(scope, path, 'Fn::ForEach takes a name, a list, and a map with one key.')
  }
  const elements = elementsOf(collection, scope)
  if (elements === undefined)
    return refuse(
      scope,
      path,
      'Fn::ForEach takes a list of texts, or a `Ref` to a list parameter, or a list of a mapping.',
    )
  scope.copies.count += elements.length
  if (scope.copies.count > most) return refuse(scope, path, `The loops of this template make more than ${most} copies.`)
  return elements.flatMap((element) => {
    const copy = writeOut(replaceName(template, name, element), path, scope)
    return isMap(copy) ? Object.entries(copy) : []
  })
}

function refuse(scope: Scope, path: Path, message: string): [] {
  scope.problems.push({ message, path })
  return []
}

function elementsOf(collection: Data, scope: Pick<Scope, 'body' | 'parameters'>): readonly string[] | undefined {
  if (isList(collection)) {
    const texts: string[] = []
    for (const item of collection) {
      const text = scalarText(item)
      const inner = text === undefined ? (isMap(item) ? elementsOf(item, scope) : undefined) : [text]
      if (inner === undefined) return undefined
      texts.push(...inner)
    }
    return texts
  }
  const referred = own(collection, 'Ref')
  if (isText(referred)) {
    const value = scope.parameters.get(referred)?.value
    return isText(value) ? [value] : value
  }
  const keys = own(collection, 'Fn::FindInMap')
  if (!isList(keys)) return undefined
  let found: Data | undefined = section(scope.body, 'Mappings')
  for (const key of keys) found = isText(key) ? own(found, key) : undefined
  return isList(found) ? elementsOf(found, scope) : undefined
}

function replaceName(value: Data, name: string, element: string): Data {
  if (isText(value)) return replaceIn(value, name, element)
  if (isList(value)) return value.map((item) => replaceName(item, name, element))
  if (!isMap(value)) return value
  if (own(value, 'Ref') === name) return element
  return mapOf(
    Object.entries(value).map(
      ([key, member]) => [replaceIn(key, name, element), replaceName(member, name, element)] as const,
    ),
  )
}

function replaceIn(text: string, name: string, element: string): string {
  return text
    .replaceAll(`\${${name}}`, () => element)
    .replaceAll(`&{${name}}`, () => element.replaceAll(/[^A-Za-z0-9]/g, ''))
}
