import { canonicalJson, compareText } from '../canonical.ts'
import { type Data, type DataMap, isList, isMap, type Path } from '../data.ts'
import { didYouMean } from '../nearest.ts'
import { wholePattern } from '../pattern.ts'
import type { Place, Problem } from '../problem.ts'
import type { ProblemCode } from '../problem-codes.ts'
import { functionNames } from './evaluate.ts'
import { attributesText } from './identity.ts'
import { inOrder } from './order.ts'
import { isParameterType, scalarText } from './parameters.ts'
import {
  attributeTarget,
  type Call,
  calls,
  functionOf,
  hasLanguageExtensions,
  isText,
  loopPrefix,
  type Mention,
  mentions,
  modelOf,
  own,
  pseudoParameters,
  type Resource,
  resourcesOf,
  section,
  transformsOf,
} from './template.ts'
import { stackLimits, utf8Length } from './sizes.ts'
import { lookUpType, typesNear } from './types.ts'

const sections = [
  'AWSTemplateFormatVersion',
  'Conditions',
  'Description',
  'Globals',
  'Hooks',
  'Mappings',
  'Metadata',
  'Outputs',
  'Parameters',
  'Resources',
  'Rules',
  'Transform',
] as const

const resourceKeys = [
  'Condition',
  'Connectors',
  'CreationPolicy',
  'DeletionPolicy',
  'DependsOn',
  'Description',
  'Metadata',
  'Properties',
  'Type',
  'UpdatePolicy',
  'UpdateReplacePolicy',
] as const

const policies = [
  { policy: 'DeletionPolicy', allowed: ['Delete', 'Retain', 'Snapshot', 'RetainExceptOnCreate'] },
  { policy: 'UpdateReplacePolicy', allowed: ['Delete', 'Retain', 'Snapshot'] },
] as const

const knownKeys: ReadonlySet<string> = new Set(resourceKeys)
const knownFunctions: ReadonlySet<string> = new Set(functionNames)
const pseudoNames: ReadonlySet<string> = new Set(pseudoParameters)

const outputKeys = ['Condition', 'Description', 'Export', 'Value'] as const

/** What the Serverless transform adds to a function or an API under a name that templates then mention. */
const serverlessNames = /^(Serverless(Rest|Http)Api\w*|\w+(Role|Version|Alias\w+|Stage|Permission\w*|Deployment\w*))$/

/**
 * Checks a template as far as it can be checked without values: CloudFormation's limits; sections and attributes that it
 * does not know; types, properties and attributes that do not exist; functions of the wrong shape; mentions of what is
 * not there; circles. All problems are found at once. `at` gives the place of the value at a path of the template, `keyAt`
 * that of its key; without it, the value's place stands for both.
 */
export function checkLimits(
  template: DataMap,
  at: (path: Path) => Place,
  { keyAt = at }: { readonly keyAt?: ((path: Path) => Place) | undefined } = {},
): readonly Problem[] {
  if (sound.has(template)) return []
  const check = new Check(template, { at, keyAt })
  check.sizes()
  check.sections()
  check.parameters()
  check.mappings()
  check.conditions()
  check.resources()
  check.outputs()
  check.circles()
  if (check.problems.length === 0) sound.add(template)
  return check.problems
}

/** Templates without a problem: who plans what was checked need not check it again. */
const sound = new WeakSet<DataMap>()

/** `key` puts the problem at the key, not at the value. */
type Hint = { readonly expected?: string; readonly remedy: string; readonly warning?: true; readonly key?: true }
type Places = { readonly at: (path: Path) => Place; readonly keyAt: (path: Path) => Place }

class Check {
  readonly problems: Problem[] = []
  readonly #template: DataMap
  readonly #places: Places
  readonly #resources: ReadonlyMap<string, Resource>
  readonly #parameters: readonly string[]
  readonly #conditions: readonly string[]
  /** A macro may add anything, so what is missing is not told of. */
  readonly #macro: boolean
  readonly #serverless: boolean
  readonly #loops: boolean

  constructor(template: DataMap, places: Places) {
    this.#template = template
    this.#places = places
    this.#resources = resourcesOf(template)
    this.#parameters = Object.keys(section(template, 'Parameters'))
    this.#conditions = Object.keys(section(template, 'Conditions'))
    this.#loops = modelOf(template).hasLoop
    const transforms = transformsOf(template)
    this.#serverless = transforms.includes('AWS::Serverless-2016-10-31')
    this.#macro = transforms.some((name) => name !== 'AWS::LanguageExtensions' && name !== 'AWS::Serverless-2016-10-31')
  }

  #note(code: ProblemCode, message: string, path: Path, { warning, key, ...hint }: Hint): void {
    const at = key === true ? this.#places.keyAt(path) : this.#places.at(path)
    this.problems.push({ code, severity: warning === true ? 'warning' : 'error', message, ...hint, at })
  }

  #limit(message: string, path: Path, expected: string): void {
    this.#note('stack-limit', message, path, { expected, remedy: 'Split the stack, or make this smaller.', key: true })
  }

  sizes(): void {
    // Most templates are so small that it need not be known how large they are.
    const size = modelOf(this.#template).bytes > stackLimits.body ? utf8Length(canonicalJson(this.#template)) : 0
    if (size > stackLimits.body)
      this.#limit(`The template has ${size} bytes.`, [], `At most ${stackLimits.body} bytes.`)
    const description = own(this.#template, 'Description')
    if (isText(description) && utf8Length(description) > stackLimits.description) {
      this.#limit('The description is too long.', ['Description'], `At most ${stackLimits.description} bytes.`)
    }
    const counted = [
      ['Resources', stackLimits.resources],
      ['Parameters', stackLimits.parameters],
      ['Outputs', stackLimits.outputs],
      ['Mappings', stackLimits.mappings],
    ] as const
    for (const [name, most] of counted) {
      const names = Object.keys(section(this.#template, name))
      if (names.length > most)
        this.#limit(`The template has ${names.length} ${name.toLowerCase()}.`, [name], `At most ${most}.`)
      for (const each of names) this.#name(each, [name, each])
    }
  }

  /** Logical ids are letters and digits: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/resources-section-structure.html */
  #name(name: string, path: Path): void {
    if (name.startsWith(loopPrefix) || name === 'Fn::Transform') return
    if (name.length > stackLimits.logicalId)
      this.#limit(
        `The name ${name.slice(0, 40)}… has ${name.length} characters.`,
        path,
        `At most ${stackLimits.logicalId}.`,
      )
    if (!/^[A-Za-z0-9]+$/.test(name)) {
      this.#note(
        'stack-section',
        `The name ${JSON.stringify(name)} has characters other than letters and digits.`,
        path,
        {
          expected: 'Letters and digits alone.',
          remedy: 'Rename it.',
          key: true,
        },
      )
    }
  }

  sections(): void {
    for (const name of Object.keys(this.#template)) {
      if (!sections.some((each) => each === name) && !name.startsWith('Fn::')) {
        this.#note('stack-section', `A template has no section ${name}.${didYouMean(name, sections)}`, [name], {
          expected: `One of ${sections.join(', ')}.`,
          remedy: 'Correct or remove it.',
          key: true,
        })
      }
    }
    const resources = own(this.#template, 'Resources')
    if (!isMap(resources) || Object.keys(resources).length === 0) {
      this.#note('stack-section', 'The template has no resources.', ['Resources'], {
        remedy: 'Declare at least one under `Resources`.',
      })
    }
    for (const name of ['Parameters', 'Mappings', 'Conditions', 'Outputs']) {
      const value = own(this.#template, name)
      if (value !== undefined && !isMap(value)) {
        this.#note('stack-section', `The section ${name} is not a map.`, [name], {
          expected: 'A map of names.',
          remedy: 'Write it as a map, or remove it.',
        })
      }
    }
    for (const name of transformsOf(this.#template)) {
      if (name === 'AWS::LanguageExtensions' || name === 'AWS::Serverless-2016-10-31') continue
      this.#note(
        'stack-transform',
        `The transform ${name} runs in the account, so what it makes of the template is not checked here.`,
        ['Transform'],
        {
          remedy: 'Go on with `provisioner: cloudformation`.',
          warning: true,
        },
      )
    }
  }

  parameters(): void {
    for (const [name, declaration] of Object.entries(section(this.#template, 'Parameters'))) {
      const path: Path = ['Parameters', name]
      const type = own(declaration, 'Type')
      if (!isText(type) || !isParameterType(type)) {
        const known = ['String', 'Number', 'CommaDelimitedList', 'List<Number>', 'AWS::SSM::Parameter::Value<String>']
        this.#note(
          'stack-section',
          isText(type)
            ? `There is no parameter type ${type}.${didYouMean(type, known)}`
            : `The parameter ${name} has no type.`,
          [...path, 'Type'],
          {
            expected: 'String, Number, CommaDelimitedList, List<Number>, or a type of AWS.',
            remedy: 'Give it a `Type`.',
          },
        )
      }
      const pattern = own(declaration, 'AllowedPattern')
      if (isText(pattern) && wholePattern(pattern) === undefined) {
        this.#note(
          'stack-parameter',
          `The pattern of ${name} cannot be run in linear time, so its values are not checked here.`,
          [...path, 'AllowedPattern'],
          {
            expected: 'A pattern without look-around and back references.',
            remedy: 'Write a simpler pattern.',
            warning: true,
          },
        )
      }
      const fallback = scalarText(own(declaration, 'Default'))
      if (fallback !== undefined && utf8Length(fallback) > stackLimits.parameterValue) {
        this.#limit(
          `The default of ${name} is too long.`,
          [...path, 'Default'],
          `At most ${stackLimits.parameterValue} bytes.`,
        )
      }
    }
  }

  mappings(): void {
    for (const [name, mapping] of Object.entries(section(this.#template, 'Mappings'))) {
      const path: Path = ['Mappings', name]
      const firsts = isMap(mapping) ? Object.entries(mapping) : []
      if (!isMap(mapping) || firsts.some(([, second]) => !isMap(second))) {
        this.#note('stack-section', `The mapping ${name} has not two levels of keys.`, path, {
          expected: 'A map of maps.',
          remedy: 'Write each first key with a map of second keys.',
        })
      }
      if (firsts.length > stackLimits.mappingAttributes) {
        this.#limit(`The mapping ${name} has ${firsts.length} keys.`, path, `At most ${stackLimits.mappingAttributes}.`)
      }
    }
  }

  conditions(): void {
    for (const [name, condition] of Object.entries(section(this.#template, 'Conditions'))) {
      this.#value(condition, ['Conditions', name], 'condition')
    }
  }

  resources(): void {
    for (const [logicalId, value] of Object.entries(section(this.#template, 'Resources'))) {
      const path: Path = ['Resources', logicalId]
      if (logicalId.startsWith('Fn::')) continue
      if (!isMap(value) || !isText(own(value, 'Type'))) {
        this.#note('stack-section', `The resource ${logicalId} has no type.`, path, {
          expected: 'A `Type`, such as `AWS::SQS::Queue`.',
          remedy: 'Give it a `Type`.',
          key: true,
        })
        continue
      }
      for (const key of Object.keys(value)) {
        if (knownKeys.has(key) || key.startsWith('Fn::')) continue
        this.#note('stack-section', `A resource has no ${key}.${didYouMean(key, resourceKeys)}`, [...path, key], {
          expected: `One of ${resourceKeys.join(', ')}.`,
          remedy: `Move it into \`Properties\`, correct or remove it.`,
          key: true,
        })
      }
      const resource = this.#resources.get(logicalId)
      if (resource !== undefined) this.#resource(resource, value, path)
    }
  }

  #resource(resource: Resource, value: DataMap, path: Path): void {
    const { logicalId, type, properties, dependsOn, condition } = resource
    const written = own(value, 'Properties')
    if (written !== undefined && written !== null && !isMap(written)) {
      this.#note('stack-section', `The properties of ${logicalId} are not a map.`, [...path, 'Properties'], {
        remedy: 'Write them as a map.',
      })
    }
    const found = lookUpType(type)
    if (found.is === 'unknown') {
      this.#note(
        'stack-type',
        `There is no resource type ${type}.${didYouMean(type, typesNear(type))}`,
        [...path, 'Type'],
        {
          remedy: 'Correct the name, or go on if the type is newer than this version.',
          warning: true,
        },
      )
    }
    if (found.is === 'known' && found.type.properties.size > 0) {
      for (const name of Object.keys(properties)) {
        if (found.type.properties.has(name) || name.startsWith('Fn::')) continue
        this.#note(
          'stack-property',
          `${type} has no property ${name}.${didYouMean(name, found.type.properties)}`,
          [...path, 'Properties', name],
          {
            remedy: 'Correct the name or remove it.',
            key: true,
            warning: true,
          },
        )
      }
    }
    for (const { policy, allowed } of policies) {
      const chosen = own(value, policy)
      if (isText(chosen) && !allowed.some((each) => each === chosen)) {
        this.#note(
          'stack-section',
          `There is no ${policy} ${chosen}.${didYouMean(chosen, allowed)}`,
          [...path, policy],
          { expected: `One of ${allowed.join(', ')}.`, remedy: 'Correct it.' },
        )
      }
    }
    for (const [index, name] of dependsOn.entries()) {
      const here: Path = isList(own(value, 'DependsOn')) ? [...path, 'DependsOn', index] : [...path, 'DependsOn']
      if (!this.#resources.has(name)) this.#missing('resource', name, here, this.#resources.keys())
    }
    if (condition !== undefined) this.#condition(condition, [...path, 'Condition'])
    const { surveys } = resource
    for (const each of surveys) this.#functions(each.survey.calls, [...path, 'Properties', ...each.path])
    for (const each of surveys) this.#mentions(each.survey.mentions, [...path, 'Properties', ...each.path])
  }

  outputs(): void {
    for (const [name, output] of Object.entries(section(this.#template, 'Outputs'))) {
      const path: Path = ['Outputs', name]
      if (name.startsWith('Fn::')) continue
      if (!isMap(output) || own(output, 'Value') === undefined) {
        this.#note('stack-section', `The output ${name} has no value.`, path, {
          expected: 'A `Value`.',
          remedy: 'Give it a `Value`.',
          key: true,
        })
        continue
      }
      for (const key of Object.keys(output)) {
        if (outputKeys.some((each) => each === key)) continue
        this.#note('stack-section', `An output has no ${key}.${didYouMean(key, outputKeys)}`, [...path, key], {
          expected: `One of ${outputKeys.join(', ')}.`,
          remedy: 'Correct or remove it.',
          key: true,
        })
      }
      const description = own(output, 'Description')
      if (isText(description) && utf8Length(description) > stackLimits.description) {
        this.#limit(
          `The description of ${name} is too long.`,
          [...path, 'Description'],
          `At most ${stackLimits.description} bytes.`,
        )
      }
      const condition = own(output, 'Condition')
      if (isText(condition)) this.#condition(condition, [...path, 'Condition'])
      this.#value(own(output, 'Value') ?? null, [...path, 'Value'], 'value')
      const exported = own(own(output, 'Export'), 'Name')
      if (exported !== undefined) this.#value(exported, [...path, 'Export', 'Name'], 'value')
    }
  }

  /** Only what is mentioned whatever the conditions say can be a circle for certain. */
  circles(): void {
    const dependencies = new Map<string, readonly string[]>()
    for (const resource of this.#resources.values()) {
      const together: string[] = []
      const add = (name: string): void => {
        if (this.#resources.get(name)?.condition === undefined) together.push(name)
      }
      for (const { survey } of resource.surveys) {
        for (const it of survey.mentions) if (it.is !== 'condition' && !it.conditional) add(it.name)
      }
      resource.dependsOn.forEach(add)
      dependencies.set(resource.logicalId, resource.condition === undefined ? together : [])
    }
    const sorted = inOrder(dependencies)
    if (sorted.is === 'order') return
    this.#note(
      'stack-cycle',
      `These resources wait for each other: ${sorted.cycle.join(' → ')}.`,
      ['Resources', sorted.cycle[0] ?? ''],
      {
        remedy: 'Break the circle at one of them.',
        key: true,
      },
    )
  }

  #value(value: Data, path: Path, kind: 'value' | 'condition'): void {
    if (kind === 'condition') this.#conditionsIn(value, path)
    this.#functions(calls(value), path)
    this.#mentions(mentions(value), path, kind)
  }

  #functions(all: readonly Call[], from: Path): void {
    for (const call of all) this.#function(call, from)
  }

  #mentions(all: readonly Mention[], from: Path, kind: 'value' | 'condition' = 'value'): void {
    for (const mention of all) this.#mention(mention, from, kind)
  }

  #mention(mention: Mention, from: Path, kind: 'value' | 'condition'): void {
    const { name } = mention
    const resource = this.#resources.get(name)
    if (mention.is === 'name') {
      if ((resource !== undefined && kind === 'value') || pseudoNames.has(name) || this.#parameters.includes(name))
        return
    }
    const path = [...from, ...mention.path]
    if (mention.is === 'condition') return this.#condition(name, path)
    if (mention.is === 'name') {
      const candidates = [...this.#parameters, ...pseudoParameters, ...(kind === 'value' ? this.#resources.keys() : [])]
      return this.#missing(kind === 'value' ? 'resource or parameter' : 'parameter', name, path, candidates)
    }
    if (resource === undefined || kind === 'condition')
      return this.#missing('resource', name, path, this.#resources.keys())
    const found = lookUpType(resource.type)
    const { attribute } = mention
    if (found.is !== 'known' || attribute === undefined || found.type.attributes.has(attribute)) return
    if (resource.type === 'AWS::CloudFormation::Stack' && attribute.startsWith('Outputs.')) return
    this.#note(
      'stack-attribute',
      `${name} has no attribute ${attribute}. ${attributesText(found.type, attribute)}`,
      path,
      {
        remedy: 'Use an attribute that the type has.',
      },
    )
  }

  #missing(what: string, name: string, path: Path, candidates: Iterable<string>): void {
    // Names under a loop, and what a macro adds, come into being later.
    if (this.#macro || this.#loops || (this.#serverless && serverlessNames.test(name))) return
    this.#note(
      'stack-reference',
      `There is no ${what} ${name}.${didYouMean(name, [...candidates].sort(compareText))}`,
      path,
      { remedy: 'Correct the name.' },
    )
  }

  #condition(name: string, path: Path): void {
    if (!this.#conditions.includes(name)) this.#missing('condition', name, path, this.#conditions)
  }

  /** Conditions may name each other. */
  #conditionsIn(value: Data, path: Path): void {
    if (isList(value)) value.forEach((item, index) => this.#conditionsIn(item, [...path, index]))
    if (!isMap(value)) return
    for (const [key, member] of Object.entries(value)) {
      if (key === 'Condition' && isText(member)) this.#condition(member, [...path, key])
      this.#conditionsIn(member, [...path, key])
    }
  }

  #function({ name, argument, path: inside, alone }: Call, from: Path): void {
    if (name.startsWith(loopPrefix)) return
    const path = [...from, ...inside]
    if (!knownFunctions.has(name)) {
      return this.#note('stack-intrinsic', `There is no function ${name}.${didYouMean(name, functionNames)}`, path, {
        remedy: 'Use a function that CloudFormation has.',
        key: true,
      })
    }
    if (!alone) {
      this.#note('stack-intrinsic', `${name} stands beside other keys.`, path, {
        expected: 'A function is the only key of its map.',
        remedy: 'Give it a map of its own.',
        key: true,
      })
    }
    if ((name === 'Fn::Length' || name === 'Fn::ToJsonString') && !hasLanguageExtensions(this.#template)) {
      this.#note('stack-transform', `${name} works only with \`Transform: AWS::LanguageExtensions\`.`, path, {
        remedy: 'Add the transform at the top of the template.',
      })
    }
    const expected = wrongShape(name, argument)
    if (expected !== undefined) {
      this.#note('stack-intrinsic', `${name} is not written as it should be.`, path, {
        expected,
        remedy: `Write ${name} in this form.`,
      })
    }
    if (name === 'Fn::FindInMap') this.#findInMap(argument, path)
  }

  /** Keys that are written out; what a function gives is known when the stack is evaluated. */
  #findInMap(argument: Data, path: Path): void {
    if (!isList(argument) || argument.length > 3) return
    let found: Data = section(this.#template, 'Mappings')
    for (const [index, item] of argument.entries()) {
      const key = scalarText(item)
      if (key === undefined || !isMap(found)) return
      const next = own(found, key)
      if (next === undefined) {
        const what = index === 0 ? 'mapping' : `key under ${argument.slice(0, index).map(scalarText).join('.')}`
        return this.#missing(what, key, path, Object.keys(found))
      }
      found = next
    }
  }
}

/** What the argument of a function should have been; nothing when its shape is right, or its parts are functions themselves. */
function wrongShape(name: string, argument: Data): string | undefined {
  const list = isList(argument) ? argument : undefined
  switch (name) {
    case 'Fn::GetAtt':
      return attributeTarget(argument) === undefined
        ? 'The resource and the attribute: `[Cache, Endpoint.Address]`.'
        : undefined
    case 'Fn::Sub':
      return isText(argument) || (list?.length === 2 && isText(list[0]) && isMap(list[1]))
        ? undefined
        : 'A text, or a list of a text and a map of its variables.'
    case 'Fn::If':
      return list?.length === 3 && isText(list[0])
        ? undefined
        : 'The name of a condition, the value if it is true, the value if it is false.'
    case 'Fn::Join':
      return list?.length === 2 && isText(list[0]) && (isList(list[1]) || isCall(list[1]))
        ? undefined
        : 'A delimiter and a list: `[",", [a, b]]`.'
    case 'Fn::Select':
      return list?.length === 2 && (isList(list[1]) || isCall(list[1]))
        ? undefined
        : 'An index and a list: `[0, [a, b]]`.'
    case 'Fn::Split':
      return list?.length === 2 && isText(list[0]) && list[0] !== ''
        ? undefined
        : 'A delimiter and a text: `[",", "a,b"]`.'
    case 'Fn::FindInMap':
      return list?.length === 3 || list?.length === 4
        ? undefined
        : 'A mapping, a first and a second key: `[Sizes, small, cpu]`.'
    case 'Fn::Cidr':
      return list?.length === 3 ? undefined : 'A block, how many blocks, and the bits for hosts: `[10.0.0.0/16, 4, 8]`.'
    case 'Fn::And':
    case 'Fn::Or':
      return list !== undefined && list.length >= 2 && list.length <= 10 ? undefined : 'From 2 to 10 conditions.'
    case 'Fn::Not':
      return list?.length === 1 ? undefined : 'A list of one condition.'
    case 'Fn::Equals':
      return list?.length === 2 ? undefined : 'A list of two values.'
    default:
      return undefined
  }
}

function isCall(value: Data | undefined): boolean {
  return value !== undefined && functionOf(value) !== undefined
}
