import { utf8ToBytes } from '@noble/hashes/utils.js'
import { canonicalJson, compareText } from '../canonical.ts'
import { type Data, type DataMap, isList, isMap, mapOf, newMap, type Path } from '../data.ts'
import { didYouMean } from '../nearest.ts'
import type { Place, Problem } from '../problem.ts'
import type { ProblemCode } from '../problem-codes.ts'
import { sha256 } from '../sha256.ts'
import { divideBlock } from './cidr.ts'
import { writeOutLoops } from './loops.ts'
import { inOrder } from './order.ts'
import { type Parameter, readParameters, scalarText } from './parameters.ts'
import { zonesOf } from './regions.ts'
import {
  attributeTarget,
  functionOf,
  hasLanguageExtensions,
  isText,
  mentions,
  own,
  pseudoParameters,
  type Resource,
  resourcesOf,
  section,
  type StackWish,
  subParts,
} from './template.ts'

/** What the evaluator must be told: how a resource is called once its properties are known, and what others export. */
export type World = {
  readonly pseudo: PseudoValues
  readonly place: (resource: Resource, properties: DataMap) => Placed
  readonly imported: (name: string) => string | undefined
  /** Where a path of the body was written, for the problems. */
  readonly at?: ((path: Path) => Place) | undefined
}

export type PseudoValues = {
  readonly accountId: string
  readonly region: string
  readonly partition: string
  readonly urlSuffix: string
  readonly stackName: string
  readonly stackId: string
  readonly notificationArns: readonly string[]
}

/** What `Ref` and `Fn::GetAtt` give for a resource. `attribute` tells the names there are when it has not the one asked for. */
export type Placed = {
  readonly physicalId: string
  readonly attribute: (
    name: string,
  ) => { readonly ok: true; readonly value: Data } | { readonly ok: false; readonly message: string }
}

export type EvaluatedResource = {
  readonly resource: Resource
  readonly properties: DataMap
  /** The resources that have to be there first: mentioned ones and `DependsOn`, sorted as in the template. */
  readonly dependencies: readonly string[]
  readonly placed: Placed
}

/** A stack with every function gone. Resources stand in the order in which they can be made. */
export type Evaluated = {
  readonly conditions: ReadonlyMap<string, boolean>
  readonly resources: readonly EvaluatedResource[]
  readonly outputs: Readonly<Record<string, string>>
  readonly exports: Readonly<Record<string, string>>
  /** The names that `Fn::ImportValue` took, with their values. */
  readonly imports: Readonly<Record<string, string>>
  /** Parameters as a reader may see them: `****` for those with `NoEcho`. */
  readonly parameters: Readonly<Record<string, string>>
}

/** `AWS::NoValue` is undefined; what could not be evaluated is `broken`, after a problem has been noted. */
type Value = Data | undefined | typeof broken
const broken: unique symbol = Symbol('broken')

/**
 * Evaluates a template: parameters, conditions, every intrinsic function, then the resources in the order of what they
 * mention, then the outputs. All problems are returned together. Dynamic references (`{{resolve:…}}`) stay text.
 *
 * The value of a parameter with `NoEcho` decides conditions, but never shows elsewhere: what mentions it holds a mark that
 * changes when the value does.
 */
export function evaluateStack(
  wish: StackWish,
  world: World,
): { readonly ok: true; readonly value: Evaluated } | { readonly ok: false; readonly problems: readonly Problem[] } {
  const read = readParameters(wish.body, wish.parameters, { at: world.at })
  const { body, problems } = writeOutLoops(wish.body, read.parameters)
  const scope = new Scope({ ...wish, body }, world, read.parameters)
  scope.problems.push(...read.problems)
  for (const { message, path } of problems)
    scope.note('stack-intrinsic', message, path, { remedy: 'Write the loop in this form.' })
  for (const name of Object.keys(section(body, 'Conditions'))) scope.condition(name, ['Conditions', name])
  const all = resourcesOf(body)
  const live = new Map(
    [...all].filter(
      ([, it]) => it.condition === undefined || scope.condition(it.condition, ['Resources', it.logicalId, 'Condition']),
    ),
  )
  const dependencies = new Map([...live].map(([id, it]) => [id, dependenciesOf(it, live, scope)] as const))
  const ordered = inOrder(dependencies)
  if (ordered.is === 'cycle') {
    scope.note(
      'stack-cycle',
      `These resources wait for each other: ${ordered.cycle.join(' → ')}.`,
      ['Resources', ordered.cycle[0] ?? ''],
      {
        remedy: 'Break the circle at one of them.',
      },
    )
    return { ok: false, problems: scope.problems }
  }
  const resources: EvaluatedResource[] = []
  for (const id of ordered.order) {
    const resource = live.get(id)
    if (resource === undefined) continue
    const value = scope.properties(resource)
    const properties = value !== broken && isMap(value) ? value : mapOf()
    const placed = world.place(resource, properties)
    scope.placed.set(id, placed)
    resources.push({
      resource,
      properties,
      dependencies: dependencies.get(id) ?? [],
      placed,
    })
  }
  const { outputs, exports } = outputsOf(body, scope)
  if (scope.problems.length > 0) return { ok: false, problems: scope.problems }
  const parameters = Object.fromEntries(
    [...read.parameters].map(([name, it]) => [name, it.noEcho ? '****' : textOf(it)]),
  )
  return {
    ok: true,
    value: {
      conditions: scope.decided(),
      resources,
      outputs,
      exports,
      imports: Object.fromEntries(scope.imports),
      parameters,
    },
  }
}

function textOf(parameter: Parameter): string {
  return isText(parameter.value) ? parameter.value : parameter.value.join(',')
}

function dependenciesOf(resource: Resource, live: ReadonlyMap<string, Resource>, scope: Scope): readonly string[] {
  const written = resource.surveys.map(({ survey }) => survey.mentions)
  // Only a choice has branches; a mention of a condition tells of one.
  const counting = written.some((each) => each.some(({ is }) => is === 'condition'))
    ? [mentions(pruneBranches(resource.properties, scope))]
    : written
  const named = new Set(resource.dependsOn)
  for (const each of counting) for (const it of each) if (it.is !== 'condition') named.add(it.name)
  if (named.size === 0) return []
  return [...live.keys()].filter((id) => named.has(id))
}

/** The value with every `Fn::If` replaced by the branch that counts, so that what the other mentions is no dependency. */
function pruneBranches(value: Data, scope: Scope): Data {
  if (isList(value)) return value.map((item) => pruneBranches(item, scope))
  if (!isMap(value)) return value
  const called = functionOf(value)
  if (called?.name === 'Fn::If' && isList(called.argument) && isText(called.argument[0])) {
    const branch = called.argument[scope.knownCondition(called.argument[0]) ? 1 : 2]
    return branch === undefined ? null : pruneBranches(branch, scope)
  }
  return mapOf(Object.entries(value).map(([key, member]) => [key, pruneBranches(member, scope)] as const))
}

function outputsOf(body: DataMap, scope: Scope): { outputs: Record<string, string>; exports: Record<string, string> } {
  const outputs: Record<string, string> = {}
  const exports: Record<string, string> = {}
  for (const [name, output] of Object.entries(section(body, 'Outputs'))) {
    if (!isMap(output)) continue
    const path: Path = ['Outputs', name]
    const condition = own(output, 'Condition')
    if (isText(condition) && !scope.condition(condition, [...path, 'Condition'])) continue
    const value = scope.text(
      scope.resolve(own(output, 'Value') ?? null, [...path, 'Value']),
      [...path, 'Value'],
      `The output ${name}`,
    )
    if (value === undefined) continue
    outputs[name] = value
    const exported = own(own(output, 'Export'), 'Name')
    if (exported === undefined) continue
    const under = scope.text(
      scope.resolve(exported, [...path, 'Export', 'Name']),
      [...path, 'Export', 'Name'],
      `The export name of ${name}`,
    )
    if (under === undefined) continue
    if (Object.hasOwn(exports, under)) {
      scope.note('stack-reference', `Two outputs export the name ${under}.`, [...path, 'Export', 'Name'], {
        remedy: 'Give each export a name of its own.',
      })
    }
    exports[under] = value
  }
  return { outputs: sorted(outputs), exports: sorted(exports) }
}

/** By name, as the state keeps them, so that what is predicted and what is deployed read alike. */
function sorted(texts: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(texts).toSorted(([a], [b]) => compareText(a, b)))
}

type Hint = { readonly expected?: string; readonly remedy: string }

/** How many conditions may mention each other in a chain: far more than anybody writes, and well within the call stack. */
const deepest = 200

class Scope {
  readonly problems: Problem[] = []
  readonly placed = new Map<string, Placed>()
  readonly imports = new Map<string, string>()
  readonly #wish: StackWish
  readonly #world: World
  readonly #parameters: ReadonlyMap<string, Parameter>
  readonly #extended: boolean
  readonly #conditions = new Map<string, boolean | 'deciding'>()
  #deciding = 0

  constructor(wish: StackWish, world: World, parameters: ReadonlyMap<string, Parameter>) {
    this.#wish = wish
    this.#world = world
    this.#parameters = parameters
    this.#extended = hasLanguageExtensions(wish.body)
  }

  note(code: ProblemCode, message: string, path: Path, hint: Hint): typeof broken {
    const { at } = this.#world
    this.problems.push({ code, severity: 'error', message, ...hint, ...(at === undefined ? {} : { at: at(path) }) })
    return broken
  }

  decided(): ReadonlyMap<string, boolean> {
    return new Map([...this.#conditions].map(([name, value]) => [name, value === true]))
  }

  knownCondition(name: string): boolean {
    return this.#conditions.get(name) === true
  }

  condition(name: string, path: Path): boolean {
    const known = this.#conditions.get(name)
    if (known === 'deciding') {
      this.note('stack-cycle', `The condition ${name} depends on itself.`, path, {
        remedy: 'Write it without mentioning itself.',
      })
      return false
    }
    if (known !== undefined) return known
    const conditions = section(this.#wish.body, 'Conditions')
    const written = own(conditions, name)
    if (written === undefined) {
      this.note('stack-reference', `There is no condition ${name}.${didYouMean(name, Object.keys(conditions))}`, path, {
        remedy: 'Correct the name, or declare it under `Conditions`.',
      })
      return false
    }
    if (this.#deciding >= deepest) {
      this.note('stack-limit', `More than ${deepest} conditions lie within each other.`, path, {
        expected: `At most ${deepest}.`,
        remedy: 'Write fewer of them.',
      })
      return false
    }
    this.#conditions.set(name, 'deciding')
    this.#deciding += 1
    const decided = this.#decide(written, ['Conditions', name])
    this.#deciding -= 1
    this.#conditions.set(name, decided)
    return decided
  }

  #decide(value: Data, path: Path): boolean {
    const [name, more] = isMap(value) ? Object.keys(value) : []
    const argument = isMap(value) && name !== undefined ? value[name] : undefined
    if (name === undefined || more !== undefined || argument === undefined) return this.#notCondition(path)
    const here = [...path, name]
    if (name === 'Condition') return isText(argument) ? this.condition(argument, here) : this.#notCondition(here)
    if (!isList(argument)) return this.#notCondition(here)
    const all = (): boolean[] => argument.map((item, index) => this.#decide(item, [...here, index]))
    switch (name) {
      case 'Fn::And':
      case 'Fn::Or': {
        // https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference-conditions.html
        if (argument.length < 2 || argument.length > 10)
          return this.#notCondition(here, `${name} takes 2 to 10 conditions.`)
        return name === 'Fn::And' ? all().every(Boolean) : all().some(Boolean)
      }
      case 'Fn::Not':
        return argument.length === 1 ? !all().every(Boolean) : this.#notCondition(here, 'Fn::Not takes one condition.')
      case 'Fn::Equals': {
        if (argument.length !== 2) return this.#notCondition(here, 'Fn::Equals takes two values.')
        const [left, right] = argument.map((item, index) => this.resolve(item, [...here, index], true))
        if (left === broken || right === broken) return false
        return comparable(left) === comparable(right)
      }
      default:
        return this.#notCondition(here)
    }
  }

  #notCondition(path: Path, message = 'This is not a condition.'): boolean {
    this.note('stack-intrinsic', message, path, {
      expected: '`Fn::Equals`, `Fn::And`, `Fn::Or`, `Fn::Not` or `Condition`.',
      remedy: 'Write one of these functions.',
    })
    return false
  }

  /** A value with its functions gone. `open` shows the values of `NoEcho` parameters; conditions alone may see them. */
  resolve(value: Data, path: Path, open = false): Value {
    return typeof value === 'object' && value !== null ? this.#resolve(value, [...path], open) : value
  }

  /** The properties of a resource with their functions gone; those that hold none are not looked at. */
  properties({ logicalId, properties, surveys }: Resource): Value {
    const path = ['Resources', logicalId, 'Properties']
    const [first] = surveys
    if (first === undefined) return properties
    if (first.path.length === 0) return this.#resolve(properties, path, false)
    const members = newMap()
    let whole = true
    let next = 0
    for (const key of Object.keys(properties)) {
      const member = properties[key] ?? null
      if (surveys[next]?.path[0] !== key) {
        members[key] = member
        continue
      }
      next += 1
      const resolved = this.#resolve(member, [...path, key], false)
      if (resolved === broken) whole = false
      else if (resolved !== undefined) members[key] = resolved
    }
    return whole ? members : broken
  }

  /** `path` grows and shrinks with the walk; what is kept of it is copied. What holds no function is given back as it is. */
  #resolve(value: Data, path: (string | number)[], open: boolean): Value {
    if (isList(value)) return this.#resolveList(value, path, open)
    if (!isMap(value)) return value
    const called = functionOf(value)
    if (called !== undefined) return this.#call(called.name, called.argument, { path: [...path, called.name], open })
    const members = newMap()
    let whole = true
    let changed = false
    for (const key of Object.keys(value)) {
      const member = value[key] ?? null
      if (typeof member !== 'object' || member === null) {
        members[key] = member
        continue
      }
      path.push(key)
      const resolved = this.#resolve(member, path, open)
      path.pop()
      if (resolved !== member) changed = true
      if (resolved === broken) whole = false
      else if (resolved !== undefined) members[key] = resolved
    }
    if (!whole) return broken
    return changed ? members : value
  }

  #resolveList(value: readonly Data[], path: (string | number)[], open: boolean): Value {
    const items: Data[] = []
    let whole = true
    let changed = false
    for (let index = 0; index < value.length; index += 1) {
      const item = value[index] ?? null
      path.push(index)
      const resolved = this.#resolve(item, path, open)
      path.pop()
      if (resolved !== item) changed = true
      if (resolved === broken) whole = false
      else if (resolved !== undefined) items.push(resolved)
    }
    if (!whole) return broken
    return changed ? items : value
  }

  /** The value as text; a problem for anything that has none, and undefined then. */
  text(value: Value, path: Path, what: string): string | undefined {
    if (value === broken) return undefined
    const text = scalarText(value)
    if (text !== undefined) return text
    this.note('stack-intrinsic', `${what} is ${kindOf(value)}, not a text.`, path, {
      expected: 'A text, a number or a boolean.',
      remedy: '`Fn::Join` makes a text of a list, `Fn::Select` takes one of its elements.',
    })
    return undefined
  }

  #call(name: string, argument: Data, frame: Frame): Value {
    switch (name) {
      case 'Ref':
        return isText(argument)
          ? this.#ref(argument, frame)
          : this.#shape(name, frame.path, 'The name of a parameter or a resource.')
      case 'Fn::GetAtt':
        return this.#getAtt(argument, frame)
      case 'Fn::Sub':
        return this.#sub(argument, frame)
      case 'Fn::If':
        return this.#if(argument, frame)
      case 'Fn::Join':
        return this.#join(argument, frame)
      case 'Fn::Select':
        return this.#select(argument, frame)
      case 'Fn::Split':
        return this.#split(argument, frame)
      case 'Fn::FindInMap':
        return this.#findInMap(argument, frame)
      case 'Fn::Base64': {
        const text = this.text(this.resolve(argument, frame.path, frame.open), frame.path, 'The argument of Fn::Base64')
        return text === undefined ? broken : base64(utf8ToBytes(text))
      }
      case 'Fn::Cidr':
        return this.#cidr(argument, frame)
      case 'Fn::GetAZs': {
        const region = this.text(this.resolve(argument, frame.path, frame.open), frame.path, 'The region of Fn::GetAZs')
        return region === undefined ? broken : zonesOf(region === '' ? this.#world.pseudo.region : region)
      }
      case 'Fn::ImportValue':
        return this.#import(argument, frame)
      case 'Fn::Length':
      case 'Fn::ToJsonString':
        return this.#extension(name, argument, frame)
      case 'Fn::And':
      case 'Fn::Or':
      case 'Fn::Not':
      case 'Fn::Equals':
        return this.note('stack-intrinsic', `${name} stands where a value is wanted.`, frame.path, {
          expected: 'Conditions are declared under `Conditions` and used by `Fn::If`.',
          remedy: 'Give the condition a name, and use `Fn::If` here.',
        })
      case 'Fn::Transform':
        return this.note(
          'stack-transform',
          'Fn::Transform runs a macro of the account, so its result cannot be known here.',
          frame.path,
          {
            remedy: 'Write what the macro makes, or deploy this unit with `provisioner: cloudformation`.',
          },
        )
      default:
        return this.note(
          'stack-intrinsic',
          `There is no function ${name}.${didYouMean(name, functionNames)}`,
          frame.path,
          {
            remedy: 'Use a function that CloudFormation has.',
          },
        )
    }
  }

  #shape(name: string, path: Path, expected: string): typeof broken {
    return this.note('stack-intrinsic', `${name} is not written as it should be.`, path, {
      expected,
      remedy: `Write ${name} in this form.`,
    })
  }

  #ref(name: string, { path, open }: Frame): Value {
    const { pseudo } = this.#world
    switch (name) {
      case 'AWS::AccountId':
        return pseudo.accountId
      case 'AWS::NoValue':
        return undefined
      case 'AWS::NotificationARNs':
        return pseudo.notificationArns
      case 'AWS::Partition':
        return pseudo.partition
      case 'AWS::Region':
        return pseudo.region
      case 'AWS::StackId':
        return pseudo.stackId
      case 'AWS::StackName':
        return pseudo.stackName
      case 'AWS::URLSuffix':
        return pseudo.urlSuffix
      default:
    }
    const parameter = this.#parameters.get(name)
    if (parameter !== undefined)
      return parameter.noEcho && !open ? this.#mark(name, textOf(parameter)) : parameter.value
    // A declared parameter without a value has been told of already.
    if (own(section(this.#wish.body, 'Parameters'), name) !== undefined) return broken
    return this.#resource(name, path)?.physicalId ?? broken
  }

  #mark(name: string, value: string): string {
    const seed = `${this.#world.pseudo.stackId}\n${name}\n${value}`
    return `****${sha256(seed).slice(0, 12)}`
  }

  #resource(name: string, path: Path): Placed | undefined {
    const placed = this.placed.get(name)
    if (placed !== undefined) return placed
    const all = resourcesOf(this.#wish.body)
    const there = all.get(name)
    if (there === undefined) {
      const candidates = [...all.keys(), ...Object.keys(section(this.#wish.body, 'Parameters')), ...pseudoParameters]
      this.note('stack-reference', `There is no resource or parameter ${name}.${didYouMean(name, candidates)}`, path, {
        remedy: 'Correct the name.',
      })
    } else if (there.condition !== undefined && !this.knownCondition(there.condition)) {
      this.note(
        'stack-reference',
        `The resource ${name} is not made, because its condition ${there.condition} is false.`,
        path,
        {
          remedy: `Mention it only under \`Fn::If\` with ${there.condition}, or put this under the same condition.`,
        },
      )
    } else {
      this.note('stack-reference', `A resource such as ${name} has no value here.`, path, {
        remedy: 'Conditions can mention parameters, mappings and pseudo parameters alone.',
      })
    }
    return undefined
  }

  #getAtt(argument: Data, { path, open }: Frame): Value {
    const written = 'The resource and the attribute: `[Cache, Endpoint.Address]`.'
    const target = attributeTarget(argument)
    if (target === undefined) return this.#shape('Fn::GetAtt', path, written)
    const attribute =
      target.attribute ??
      (isList(argument) && argument.length === 2 ? this.resolve(argument[1] ?? null, [...path, 1], open) : broken)
    if (attribute === broken || !isText(attribute)) return this.#shape('Fn::GetAtt', path, written)
    return this.#attribute(target.name, attribute, path)
  }

  #attribute(name: string, attribute: string, path: Path): Value {
    const placed = this.#resource(name, path)
    if (placed === undefined) return broken
    const found = placed.attribute(attribute)
    if (found.ok) return found.value
    return this.note('stack-attribute', `${name} has no attribute ${attribute}. ${found.message}`, path, {
      remedy: 'Use an attribute that the type has.',
    })
  }

  #sub(argument: Data, frame: Frame): Value {
    const { path } = frame
    const expected = 'A text, or a list of a text and a map of its variables.'
    const text = isList(argument) ? argument[0] : argument
    const variables = isList(argument) ? argument[1] : undefined
    if (!isText(text)) return this.#shape('Fn::Sub', path, expected)
    if (isList(argument) && (argument.length !== 2 || !isMap(variables))) return this.#shape('Fn::Sub', path, expected)
    let whole = true
    let result = ''
    for (const part of subParts(text)) {
      if (part.is === 'text') {
        result += part.text
        continue
      }
      const value = this.text(this.#variable(part.name, variables, frame), path, `\`\${${part.name}}\``)
      if (value === undefined) whole = false
      else result += value
    }
    return whole ? result : broken
  }

  #variable(name: string, variables: Data | undefined, { path, open }: Frame): Value {
    const given = own(variables, name)
    if (given !== undefined) return this.resolve(given, [...path, 1, name], open)
    const dot = name.indexOf('.')
    return dot < 0 ? this.#ref(name, { path, open }) : this.#attribute(name.slice(0, dot), name.slice(dot + 1), path)
  }

  #if(argument: Data, { path, open }: Frame): Value {
    if (!isList(argument) || argument.length !== 3 || !isText(argument[0])) {
      return this.#shape('Fn::If', path, 'The name of a condition, the value if it is true, the value if it is false.')
    }
    const index = this.condition(argument[0], [...path, 0]) ? 1 : 2
    return this.resolve(argument[index] ?? null, [...path, index], open)
  }

  #join(argument: Data, { path, open }: Frame): Value {
    if (!isList(argument) || argument.length !== 2 || !isText(argument[0])) {
      return this.#shape('Fn::Join', path, 'A delimiter and a list: `[",", [a, b]]`.')
    }
    const list = this.resolve(argument[1] ?? null, [...path, 1], open)
    if (list === broken) return broken
    if (!isList(list)) return this.#shape('Fn::Join', path, 'A delimiter and a list: `[",", [a, b]]`.')
    const texts = list.map((item, index) => this.text(item, [...path, 1, index], 'An element of Fn::Join'))
    return texts.includes(undefined) ? broken : texts.join(argument[0])
  }

  #select(argument: Data, { path, open }: Frame): Value {
    const expected = 'An index and a list: `[0, [a, b]]`.'
    if (!isList(argument) || argument.length !== 2) return this.#shape('Fn::Select', path, expected)
    const index = this.resolve(argument[0] ?? null, [...path, 0], open)
    const list = this.resolve(argument[1] ?? null, [...path, 1], open)
    if (index === broken || list === broken) return broken
    const text = scalarText(index)
    if (text === undefined || !/^\d+$/.test(text) || !isList(list)) return this.#shape('Fn::Select', path, expected)
    return (
      list[Number(text)] ??
      this.note('stack-intrinsic', `Fn::Select asks for element ${text} of a list that has ${list.length}.`, path, {
        expected: list.length === 0 ? 'A list that is not empty.' : `An index from 0 to ${list.length - 1}.`,
        remedy: 'Correct the index, or make the list longer.',
      })
    )
  }

  #split(argument: Data, { path, open }: Frame): Value {
    const expected = 'A delimiter and a text: `[",", "a,b"]`.'
    if (!isList(argument) || argument.length !== 2 || !isText(argument[0]) || argument[0] === '')
      return this.#shape('Fn::Split', path, expected)
    const text = this.text(
      this.resolve(argument[1] ?? null, [...path, 1], open),
      [...path, 1],
      'What Fn::Split takes apart',
    )
    return text === undefined ? broken : text.split(argument[0])
  }

  #findInMap(argument: Data, { path, open }: Frame): Value {
    const expected = 'A mapping, a first and a second key: `[Sizes, small, cpu]`.'
    if (!isList(argument) || argument.length < 3 || argument.length > 4)
      return this.#shape('Fn::FindInMap', path, expected)
    const keys = argument
      .slice(0, 3)
      .map((item, index) =>
        this.text(this.resolve(item, [...path, index], open), [...path, index], 'A key of Fn::FindInMap'),
      )
    const [map, first, second] = keys
    if (map === undefined || first === undefined || second === undefined) return broken
    const fallback = own(argument[3], 'DefaultValue')
    if (argument.length === 4 && fallback === undefined)
      return this.#shape('Fn::FindInMap', path, `${expected} A fourth member is \`{ DefaultValue: … }\`.`)
    if (fallback !== undefined && !this.#extended)
      return this.#needsExtensions('The default value of Fn::FindInMap', path)
    let found: Data | undefined = section(this.#wish.body, 'Mappings')
    for (const [index, key] of [map, first, second].entries()) {
      const next: Data | undefined = own(found, key)
      if (next === undefined && fallback !== undefined)
        return this.resolve(fallback, [...path, 3, 'DefaultValue'], open)
      if (next === undefined) {
        const where =
          index === 0 ? 'There is no mapping' : `The mapping ${[map, first].slice(0, index).join('.')} has no key`
        return this.note(
          'stack-reference',
          `${where} ${key}.${didYouMean(key, isMap(found) ? Object.keys(found) : [])}`,
          path,
          {
            remedy: 'Correct the key, or add it under `Mappings`.',
          },
        )
      }
      found = next
    }
    return found
  }

  #cidr(argument: Data, { path, open }: Frame): Value {
    const expected = 'A block, how many blocks, and the bits for hosts: `[10.0.0.0/16, 4, 8]`.'
    if (!isList(argument) || argument.length !== 3) return this.#shape('Fn::Cidr', path, expected)
    const [block, count, bits] = argument.map((item, index) =>
      this.text(this.resolve(item, [...path, index], open), [...path, index], 'An argument of Fn::Cidr'),
    )
    if (block === undefined || count === undefined || bits === undefined) return broken
    if (!/^\d{1,3}$/.test(count) || !/^\d{1,3}$/.test(bits) || Number(count) < 1 || Number(count) > 256) {
      return this.#shape('Fn::Cidr', path, `${expected} From 1 to 256 blocks.`)
    }
    const divided = divideBlock(block, { count: Number(count), hostBits: Number(bits) })
    if (divided.ok) return divided.blocks
    return this.note('stack-intrinsic', `Fn::Cidr cannot divide this: ${divided.message}.`, path, {
      expected,
      remedy: 'Ask for fewer or smaller blocks, or give a larger one.',
    })
  }

  #import(argument: Data, { path, open }: Frame): Value {
    const name = this.text(this.resolve(argument, path, open), path, 'The name of Fn::ImportValue')
    if (name === undefined) return broken
    const value = this.#world.imported(name)
    if (value === undefined) {
      return this.note('stack-import', `No export named ${name} found.`, path, {
        remedy: 'Deploy the stack that exports it first, or correct the name.',
      })
    }
    this.imports.set(name, value)
    return value
  }

  #extension(name: string, argument: Data, { path, open }: Frame): Value {
    if (!this.#extended) return this.#needsExtensions(name, path)
    const value = this.resolve(argument, path, open)
    if (value === broken) return broken
    if (name === 'Fn::ToJsonString') return value === undefined ? broken : canonicalJson(value)
    return isList(value) ? value.length : this.#shape(name, path, 'A list.')
  }

  #needsExtensions(what: string, path: Path): typeof broken {
    return this.note('stack-transform', `${what} works only with \`Transform: AWS::LanguageExtensions\`.`, path, {
      remedy: 'Add the transform at the top of the template.',
    })
  }
}

type Frame = { readonly path: Path; readonly open: boolean }

/** The functions of https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference.html */
export const functionNames = [
  'Fn::And',
  'Fn::Base64',
  'Fn::Cidr',
  'Fn::Equals',
  'Fn::FindInMap',
  'Fn::ForEach',
  'Fn::GetAtt',
  'Fn::GetAZs',
  'Fn::If',
  'Fn::ImportValue',
  'Fn::Join',
  'Fn::Length',
  'Fn::Not',
  'Fn::Or',
  'Fn::Select',
  'Fn::Split',
  'Fn::Sub',
  'Fn::ToJsonString',
  'Fn::Transform',
  'Ref',
] as const

/** CloudFormation compares texts; `true` is "true", and a list is compared as a whole. */
function comparable(value: Data | undefined): string {
  return value === undefined ? '' : (scalarText(value) ?? canonicalJson(value))
}

function kindOf(value: Data | undefined): string {
  if (value === undefined) return 'absent'
  if (value === null) return 'null'
  return isList(value) ? 'a list' : 'a map'
}

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'

function base64(bytes: Uint8Array): string {
  let text = ''
  for (let from = 0; from < bytes.length; from += 3) {
    const [first = 0, second = 0, third = 0] = bytes.subarray(from, from + 3)
    const four = [first >> 2, ((first & 3) << 4) | (second >> 4), ((second & 15) << 2) | (third >> 6), third & 63]
    const there = Math.min(3, bytes.length - from) + 1
    for (const [index, six] of four.entries()) text += index < there ? alphabet.charAt(six) : '='
  }
  return text
}
