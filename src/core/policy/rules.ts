import { type Data, type DataMap, isList, isMap, type Path } from '../data.ts'
import { didYouMean } from '../nearest.ts'
import { type LinearPattern, linearPattern } from '../pattern.ts'
import type { ProblemCode } from '../problem-codes.ts'
import type { Problem } from '../problem.ts'
import { listIn, mapIn, numberIn, textIn, textsIn } from '../shape.ts'
import { lookUpType, typesNear } from '../stack/types.ts'
import type { Document } from '../yaml.ts'

export type Severity = 'error' | 'warning'

/** The programs that judge templates beside our own rules. */
export const checkNames = ['cfn-lint', 'cfn-guard'] as const
export type CheckName = (typeof checkNames)[number]

/** The rules that hold without being written; their names are their codes. */
export const builtInRules = [
  'policy-log-retention',
  'policy-open-ingress',
  'policy-open-trust',
  'policy-public-listener',
  'policy-unencrypted',
  'policy-unretained-store',
  'policy-wildcard-action',
  'policy-wildcard-resource',
] as const satisfies readonly ProblemCode[]

/** A rule of `policy:` in catalog.yaml. `stages` are those that it is for; nothing, if for all. */
export type Rule = {
  readonly name: string
  /** What people read where it is broken. */
  readonly text?: string
  readonly severity: Severity | 'none'
  readonly stages?: readonly string[]
  /** Nothing of one that sets how grave a built-in rule is, or one of a check. */
  readonly demand?: Demand
}

export type Demand =
  | { readonly is: 'tags'; readonly resources: Types | undefined; readonly tags: ReadonlyMap<string, Pattern> }
  | { readonly is: 'types'; readonly allow: Types | undefined; readonly deny: Types | undefined }
  | { readonly is: 'ids'; readonly resources: Types | undefined; readonly pattern: LinearPattern }
  | {
      readonly is: 'property'
      readonly resources: Types | undefined
      readonly path: readonly string[]
      readonly wants: Wants
    }

/** Names of types; one that ends in `*` stands for all that begin so. */
export type Types = readonly string[]
type Pattern = LinearPattern | undefined

/** What a property has to be; each that is there. */
export type Wants = {
  readonly isSet?: boolean
  readonly oneOf?: readonly string[]
  readonly noneOf?: readonly string[]
  readonly atLeast?: number
  readonly atMost?: number
  readonly matches?: LinearPattern
}

const demands = ['tags', 'allow', 'deny', 'property', 'ids'] as const
const wishes = ['is_set', 'one_of', 'none_of', 'at_least', 'at_most', 'matches'] as const

/** Reads the rules of `policy:`. Their form has been checked; what each says is checked here. */
export function readRules(
  document: Document,
  {
    data,
    stages,
    problems,
  }: { readonly data: DataMap; readonly stages: readonly string[]; readonly problems: Problem[] },
): readonly Rule[] {
  const list = listIn(mapIn(data, 'policy'), 'rules') ?? []
  const names = new Map<string, number>()
  return list.flatMap((value, index): Rule[] => {
    if (!isMap(value)) return []
    const rule = readRule(value, { document, path: ['policy', 'rules', index], stages, problems })
    if (rule === undefined) return []
    const earlier = names.get(rule.name)
    // What sets how grave a rule is may be said for each stage by itself.
    if (earlier !== undefined && rule.demand !== undefined) {
      problems.push({
        code: 'wrong-value',
        severity: 'error',
        message: `Two rules are called "${rule.name}".`,
        expected: 'A name of its own for each rule: waivers name it.',
        remedy: 'Rename one of them.',
        at: document.place(['policy', 'rules', index, 'name']),
        related: [{ at: document.place(['policy', 'rules', earlier, 'name']), note: 'the other one' }],
      })
    }
    names.set(rule.name, index)
    return [rule]
  })
}

type Reading = {
  readonly document: Document
  readonly path: Path
  readonly stages: readonly string[]
  readonly problems: Problem[]
}

function readRule(value: DataMap, reading: Reading): Rule | undefined {
  const { document, path, stages, problems } = reading
  const name = textIn(value, 'name')
  if (name === undefined) return undefined
  const wrong = (key: string | undefined, words: Pick<Problem, 'message' | 'expected' | 'remedy'>): undefined => {
    const at = key === undefined ? document.place([...path, 'name']) : document.place([...path, key])
    problems.push({ code: 'wrong-value', severity: 'error', ...words, at })
    return undefined
  }
  for (const [index, stage] of textsIn(value, 'stages').entries()) {
    if (stages.includes(stage)) continue
    problems.push({
      code: 'unknown-stage',
      severity: 'error',
      message: `There is no stage "${stage}".${didYouMean(stage, stages)}`,
      expected: `One of ${stages.join(', ')}.`,
      remedy: 'Correct the name.',
      at: document.place([...path, 'stages', index]),
    })
  }
  const said = demands.filter((key) => value[key] !== undefined)
  const severity = textIn(value, 'severity')
  const text = textIn(value, 'text')
  const common = {
    name,
    ...(text !== undefined && { text }),
    severity: severity === 'warning' || severity === 'none' ? severity : 'error',
    ...(value['stages'] !== undefined && { stages: textsIn(value, 'stages') }),
  } as const
  if (isForeign(name)) {
    const [first] = [...said, ...wishes.filter((key) => value[key] !== undefined)]
    if (first === undefined && value['resources'] === undefined) return common
    const what = name.includes('/') ? 'is a rule of a check' : 'is built in'
    return wrong(first ?? 'resources', {
      message: `${name} ${what}, so what it demands is settled.`,
      expected: '`severity`, `stages` and `text`.',
      remedy: 'Give a rule of your own another name, or take this out.',
    })
  }
  if (name.startsWith('policy-') || name.includes('/')) {
    const known = [...builtInRules, ...checkNames.map((check) => `${check}/…`)]
    return wrong('name', {
      message: `There is no built-in rule "${name}".${didYouMean(name, builtInRules)}`,
      expected: `One of ${known.join(', ')}; or a name of your own that does not begin with "policy-".`,
      remedy: 'Correct the name.',
    })
  }
  const [demand, ...more] = said.filter((key, _index, all) => key !== 'deny' || !all.includes('allow'))
  if (demand === undefined || more.length > 0) {
    return wrong(more[0], {
      message:
        demand === undefined ? `The rule "${name}" demands nothing.` : `The rule "${name}" demands several things.`,
      expected: 'One of `tags`, `allow` or `deny`, `property`, `ids`.',
      remedy: demand === undefined ? 'Say what it demands.' : 'Make a rule of each.',
    })
  }
  const read = readDemand(value, { ...reading, demand, name, wrong })
  return read === undefined ? undefined : { ...common, demand: read }
}

/** Whether a name is that of a rule that is not written here. */
function isForeign(name: string): boolean {
  return isBuiltIn(name) || checkNames.some((check) => name.startsWith(`${check}/`))
}

export function isBuiltIn(name: string): name is (typeof builtInRules)[number] {
  return builtInRules.some((each) => each === name)
}

type Wrong = (key: string | undefined, words: Pick<Problem, 'message' | 'expected' | 'remedy'>) => undefined

function readDemand(
  value: DataMap,
  reading: Reading & { readonly demand: (typeof demands)[number]; readonly name: string; readonly wrong: Wrong },
): Demand | undefined {
  const { demand, wrong, name } = reading
  const [first] = wishes.filter((key) => value[key] !== undefined)
  if (demand !== 'property' && first !== undefined) {
    return wrong(first, {
      message: `\`${first}\` says what a property has to be, and the rule "${name}" names none.`,
      expected: '`property` beside it.',
      remedy: 'Name the property, or take this out.',
    })
  }
  const resources = readTypes(value, 'resources', reading)
  const pattern = (key: string, source: string | undefined): LinearPattern | undefined => {
    const read = linearPattern(source ?? '')
    if ('pattern' in read) return read.pattern
    return wrong(key, {
      message: `The pattern ${JSON.stringify(source)} ${read.fault}.`,
      expected: 'A pattern without look-around, back-references and large repetitions.',
      remedy: 'Correct the pattern.',
    })
  }
  switch (demand) {
    case 'tags': {
      const tags = new Map<string, Pattern>()
      for (const key of textsIn(value, 'tags')) tags.set(key, undefined)
      for (const [key, source] of Object.entries(mapIn(value, 'tags') ?? {}))
        tags.set(key, pattern('tags', typeof source === 'string' ? source : ''))
      return { is: 'tags', resources, tags }
    }
    case 'allow':
    case 'deny':
      if (resources !== undefined)
        return wrong('resources', {
          message: `\`${demand}\` is about all resources of a template.`,
          expected: '`allow` and `deny` without `resources`.',
          remedy: 'Take `resources` out.',
        })
      return { is: 'types', allow: readTypes(value, 'allow', reading), deny: readTypes(value, 'deny', reading) }
    case 'ids': {
      const read = pattern('ids', textIn(value, 'ids'))
      return read && { is: 'ids', resources, pattern: read }
    }
    case 'property': {
      if (first === undefined)
        return wrong('property', {
          message: `The rule "${name}" does not say what the property has to be.`,
          expected: `One of \`${wishes.join('`, `')}\`.`,
          remedy: 'Say what it has to be.',
        })
      const path = (textIn(value, 'property') ?? '').split('.')
      checkProperty(resources, { ...reading, head: path[0] ?? '' })
      const matches = value['matches'] === undefined ? undefined : pattern('matches', textIn(value, 'matches'))
      if (value['matches'] !== undefined && matches === undefined) return undefined
      return { is: 'property', resources, path, wants: wantsOf(value, matches) }
    }
  }
}

function wantsOf(value: DataMap, matches: LinearPattern | undefined): Wants {
  const { is_set: isSet } = value
  const [atLeast, atMost] = [numberIn(value, 'at_least'), numberIn(value, 'at_most')]
  return {
    ...(typeof isSet === 'boolean' && { isSet }),
    ...(value['one_of'] !== undefined && { oneOf: scalarsIn(value, 'one_of') }),
    ...(value['none_of'] !== undefined && { noneOf: scalarsIn(value, 'none_of') }),
    ...(atLeast !== undefined && { atLeast }),
    ...(atMost !== undefined && { atMost }),
    ...(matches !== undefined && { matches }),
  }
}

function scalarsIn(value: DataMap, key: string): readonly string[] {
  return (listIn(value, key) ?? []).flatMap((item) => scalarOf(item) ?? [])
}

/** A value as CloudFormation takes it, where `5432` and `"5432"`, `true` and `"true"` are the same. */
export function scalarOf(value: Data | undefined): string | undefined {
  if (value === undefined || value === null || isMap(value) || isList(value)) return undefined
  if (typeof value === 'object') return String(value.value)
  return String(value)
}

/** A type that is not known would make a rule that never says anything. */
function readTypes(value: DataMap, key: string, { document, path, problems }: Reading): Types | undefined {
  if (value[key] === undefined) return undefined
  const types = textsIn(value, key)
  for (const [index, type] of types.entries()) {
    if (isKnownType(type)) continue
    const stem = type.replace(/::\*$/u, '')
    const near = stem === type ? didYouMean(type, typesNear(type)) : didYouMean(stem, servicesNear(stem))
    problems.push({
      code: 'wrong-value',
      severity: 'error',
      message: `There is no type of resource "${type}".${near}`,
      expected: 'A type such as AWS::DynamoDB::Table, or a family of them such as AWS::DynamoDB::*.',
      remedy: 'Correct the name.',
      at: document.place(isList(value[key]) ? [...path, key, index] : [...path, key]),
    })
  }
  return types
}

function isKnownType(type: string): boolean {
  if (type === '*') return true
  if (!type.endsWith('::*')) return lookUpType(type).is !== 'unknown'
  const stem = type.slice(0, -3)
  return !stem.startsWith('AWS::') || servicesNear(stem).includes(stem)
}

/** The services of a type's name, or all there are, as `AWS::DynamoDB`. */
function servicesNear(stem: string): string[] {
  return [...new Set(typesNear(`${stem}::`).map((type) => type.split('::').slice(0, 2).join('::')))]
}

/** A property that a named type does not have would never be found broken. */
function checkProperty(
  resources: Types | undefined,
  { document, path, problems, head }: Reading & { readonly head: string },
): void {
  for (const name of resources ?? []) {
    const found = name.endsWith('*') ? undefined : lookUpType(name)
    if (found?.is !== 'known' || found.type.properties.size === 0 || found.type.properties.has(head)) continue
    problems.push({
      code: 'wrong-value',
      severity: 'error',
      message: `${name} has no property "${head}".${didYouMean(head, found.type.properties)}`,
      expected: 'A property of the type, without `Properties` before it.',
      remedy: 'Correct the path.',
      at: document.place([...path, 'property']),
    })
  }
}

/** Whether a type is among those that are named. */
export function isOfTypes(type: string, types: Types): boolean {
  return types.some((each) => (each.endsWith('*') ? type.startsWith(each.slice(0, -1)) : each === type))
}
