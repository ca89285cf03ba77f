import { type Data, type DataMap, isList, isMap } from '../data.ts'
import type { StackName } from '../stack/template.ts'
import { partitionOf } from '../stack/regions.ts'
import { mapIn, textIn } from '../shape.ts'
import { scalarOf } from './rules.ts'

/** What is known of a stack before it is deployed: what its parameters get, and where it is. */
export type Known = { readonly parameters?: Readonly<Record<string, string>>; readonly stack?: StackName }

/** The longest text that is judged, and the most steps that are made to know one: a template may be made to ask for more. */
const longest = 4096
const mostSteps = 1000

type World = Known & { readonly body: DataMap }
type Counted = World & { readonly left: { steps: number } }

/**
 * The text of a value that follows from the template, its parameters and where the stack is: a scalar, or a function of such
 * ones. Nothing of what only the deployment knows, such as an attribute of a resource.
 */
export function settledText(value: Data | undefined, world: World): string | undefined {
  return settled(value, { ...world, left: { steps: mostSteps } })
}

function settled(value: Data | undefined, world: Counted): string | undefined {
  world.left.steps -= 1
  if (world.left.steps < 0) return undefined
  const text = unbounded(value, world)
  // What is resolved by the cloud is only named here, also where the name is put together.
  return text === undefined || text.length > longest || text.includes('{{resolve:') ? undefined : text
}

function unbounded(value: Data | undefined, world: Counted): string | undefined {
  const plain = scalarOf(value)
  if (plain !== undefined) return plain
  if (!isMap(value)) return undefined
  const [key, ...more] = Object.keys(value)
  const argument = key === undefined || more.length > 0 ? undefined : value[key]
  switch (key) {
    case 'Ref':
      return typeof argument === 'string' ? named(argument, world) : undefined
    case 'Fn::Sub':
      return substituted(argument, world)
    case 'Fn::Join': {
      if (!isList(argument)) return undefined
      const [separator, parts] = argument
      if (typeof separator !== 'string' || !isList(parts)) return undefined
      const texts = parts.map((part) => settled(part, world))
      return texts.includes(undefined) ? undefined : texts.join(separator)
    }
    case 'Fn::FindInMap': {
      if (!isList(argument)) return undefined
      const [map, first, second] = argument.map((part) => settled(part, world))
      if (map === undefined || first === undefined || second === undefined) return undefined
      return scalarOf(mapIn(mapIn(mapIn(world.body, 'Mappings'), map), first)?.[second])
    }
    default:
      return undefined
  }
}

function named(name: string, { body, parameters = {}, stack }: World): string | undefined {
  const declared = mapIn(mapIn(body, 'Parameters'), name)
  // What a parameter of a type of Systems Manager gives is not what is written.
  if (textIn(declared, 'Type')?.startsWith('AWS::SSM::') === true) return undefined
  if (Object.hasOwn(parameters, name)) return parameters[name]
  if (declared !== undefined) return scalarOf(declared['Default'])
  if (stack === undefined) return undefined
  switch (name) {
    case 'AWS::AccountId':
      return stack.account
    case 'AWS::Region':
      return stack.region
    case 'AWS::StackName':
      return stack.name
    case 'AWS::Partition':
      return partitionOf(stack.region).partition
    default:
      return undefined
  }
}

function substituted(argument: Data | undefined, world: Counted): string | undefined {
  const [text, own] = isList(argument) ? argument : [argument]
  if (typeof text !== 'string') return undefined
  let isWhole = true
  let size = 0
  const done = text.replaceAll(/\$\{(!?)([^{}]*)\}/gu, (_all, escaped: string, name: string) => {
    if (escaped !== '') return `\${${name}}`
    if (!isWhole) return ''
    const given = isMap(own) && Object.hasOwn(own, name) ? settled(own[name], world) : named(name, world)
    size += given?.length ?? 0
    if (given === undefined || size > longest) isWhole = false
    return isWhole ? (given ?? '') : ''
  })
  return isWhole ? done : undefined
}
