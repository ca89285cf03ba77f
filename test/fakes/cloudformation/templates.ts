import { type Data, type DataMap, isList, isMap, mapOf } from '../../../src/core/data.ts'
import type { Problem } from '../../../src/core/problem.ts'
import { checkLimits } from '../../../src/core/stack/limits.ts'
import { wholePattern } from '../../../src/core/pattern.ts'
import { scalarText } from '../../../src/core/stack/parameters.ts'
import { isText, own, resourcesOf, section, transformsOf } from '../../../src/core/stack/template.ts'
import { lookUpType } from '../../../src/core/stack/types.ts'
import { readRendered } from '../../../src/core/yaml.ts'
import { ApiError, type Place, type Validation, validation, type World } from './state.ts'

const parsed = new Map<string, DataMap>()

/** The template of a text, in long form. Refuses what is no template, in CloudFormation's words. */
export function parseTemplate(text: string): DataMap {
  const known = parsed.get(text)
  if (known !== undefined) return known
  const read = readRendered('template', text)
  if (!read.ok) {
    const { at, message } = read.problems[0] ?? { at: undefined, message: '' }
    const where = at === undefined ? '' : ` (line ${at.line}, column ${at.column})`
    throw validation(
      /^\s*\{/.test(text)
        ? `Template format error: JSON not well-formed.${where}`
        : `Template format error: YAML not well-formed.${where} ${message}`.trimEnd(),
    )
  }
  const { data } = read.value
  if (!isMap(data)) throw validation('Template format error: unsupported structure.')
  if (Object.keys(section(data, 'Resources')).length === 0)
    throw validation('Template format error: At least one Resources member must be defined.')
  parsed.set(text, data)
  return data
}

/** Refuses what CloudFormation refuses at once: unknown types, mentions of what is not there, circles, too much of anything. */
export function refuseBroken(template: DataMap): void {
  const types = [...resourcesOf(template).values()].map(({ type }) => type)
  const unknown = types.filter((type) => lookUpType(type).is === 'unknown')
  if (unknown.length > 0)
    throw validation(`Template format error: Unrecognized resource types: [${[...new Set(unknown)].join(', ')}]`)
  const left = new Set(['stack-property', 'stack-transform', 'stack-type'])
  const problem = findingsOf(template).find(({ code, severity }) => severity === 'error' && !left.has(code))
  if (problem !== undefined) throw validation(awsText(problem))
}

/** What early validation finds in the properties of the resources. */
export function propertyFindings(template: DataMap): readonly Validation[] {
  return findingsOf(template)
    .filter(({ code }) => code === 'stack-property')
    .map((problem): Validation => {
      const logicalId = logicalIdAt(problem)
      const type = resourcesOf(template).get(logicalId)?.type ?? ''
      return {
        name: 'PROPERTY_VALIDATION',
        logicalId,
        type,
        path: `/${problem.at?.file ?? ''}`,
        reason: `Properties validation failed for resource ${logicalId} with message: ${problem.message}`,
        mode: 'FAIL',
      }
    })
}

const checked = new WeakMap<DataMap, readonly Problem[]>()

/** The place of a problem is its path. */
function findingsOf(template: DataMap): readonly Problem[] {
  const known = checked.get(template)
  if (known !== undefined) return known
  const found = checkLimits(template, (path) => ({ file: path.join('/'), line: 1, column: 1 }))
  checked.set(template, found)
  return found
}

function logicalIdAt(problem: Problem): string {
  const [head, logicalId = ''] = problem.at?.file.split('/') ?? []
  return head === 'Resources' ? logicalId : ''
}

/** A problem of the product's own evaluation, in CloudFormation's words. */
export function awsText({ code, message }: Problem): string {
  switch (code) {
    case 'stack-reference': {
      const name = /no resource or parameter ([\w:]+)\./.exec(message)?.[1]
      return name === undefined
        ? `Template error: ${message}`
        : `Template format error: Unresolved resource dependencies [${name}] in the Resources block of the template`
    }
    case 'stack-cycle': {
      const names = /: ([\w →]+)\.$/.exec(message)?.[1]?.split(' → ').slice(0, -1)
      return `Circular dependency between resources: [${names?.join(', ') ?? ''}]`
    }
    case 'stack-attribute': {
      const [, resource = '', attribute = ''] = /^(\S+) has no attribute (\S+)\. /.exec(message) ?? []
      return `Template error: resource ${resource} does not support attribute type ${attribute} in Fn::GetAtt`
    }
    case 'stack-import':
      return message
    case 'stack-limit':
      return `Template format error: ${message}`
    default:
      return `Template error: ${message}`
  }
}

/** The capabilities that a template needs. https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStack.html */
export function capabilitiesNeeded(template: DataMap): readonly string[] {
  const needed = new Set<string>()
  for (const { type, properties } of resourcesOf(template).values()) {
    const named = nameOfIam[type]
    if (named === undefined) continue
    needed.add(named !== '' && own(properties, named) !== undefined ? 'CAPABILITY_NAMED_IAM' : 'CAPABILITY_IAM')
  }
  if (needed.has('CAPABILITY_NAMED_IAM')) needed.delete('CAPABILITY_IAM')
  if (transformsOf(template).some((name) => name !== 'AWS::LanguageExtensions')) needed.add('CAPABILITY_AUTO_EXPAND')
  return [...needed]
}

/** The types of IAM that need a capability, with the property that gives them a name. */
const nameOfIam: Readonly<Record<string, string>> = {
  'AWS::IAM::AccessKey': '',
  'AWS::IAM::Group': 'GroupName',
  'AWS::IAM::InstanceProfile': 'InstanceProfileName',
  'AWS::IAM::ManagedPolicy': 'ManagedPolicyName',
  'AWS::IAM::Policy': '',
  'AWS::IAM::Role': 'RoleName',
  'AWS::IAM::User': 'UserName',
  'AWS::IAM::UserToGroupAddition': '',
}

export function refuseWithoutCapabilities(template: DataMap, given: readonly string[]): void {
  const missing = capabilitiesNeeded(template).filter(
    (capability) =>
      !given.includes(capability) && !(capability === 'CAPABILITY_IAM' && given.includes('CAPABILITY_NAMED_IAM')),
  )
  if (missing.length > 0)
    throw new ApiError('InsufficientCapabilitiesException', `Requires capabilities : [${missing.join(', ')}]`)
}

export type GivenParameter = {
  readonly key: string
  readonly value: string | undefined
  readonly usePrevious: boolean
}

/**
 * The values of a stack's parameters, by what was given, what the stack has, and the template's defaults. Refuses what does
 * not fit, in CloudFormation's words.
 */
export function parameterValues(
  template: DataMap,
  given: readonly GivenParameter[],
  previous: Readonly<Record<string, string>> | undefined,
): Record<string, string> {
  const declared = section(template, 'Parameters')
  const unknown = given.filter(({ key }) => !Object.hasOwn(declared, key)).map(({ key }) => key)
  if (unknown.length > 0) throw validation(`Parameters: [${unknown.join(', ')}] do not exist in the template`)
  const values: Record<string, string> = {}
  const missing: string[] = []
  for (const [name, declaration] of Object.entries(declared)) {
    const wanted = given.find(({ key }) => key === name)
    if (wanted?.usePrevious === true) {
      if (wanted.value !== undefined)
        throw validation(
          `Invalid input for parameter key ${name}. Cannot specify usePreviousValue as true and non empty value for a parameter`,
        )
      if (previous === undefined) throw validation("Invalid template parameter property 'UsePreviousValue'")
      const before = previous[name]
      if (before === undefined)
        throw validation(
          `Invalid input for parameter key ${name}. Cannot specify usePreviousValue as true for a parameter key not in the previous template`,
        )
      values[name] = before
      continue
    }
    const value = wanted?.value ?? scalarText(own(declaration, 'Default'))
    if (value === undefined) missing.push(name)
    else values[name] = value
  }
  if (missing.length > 0) throw validation(`Parameters: [${missing.join(', ')}] must have values`)
  for (const [name, value] of Object.entries(values)) {
    if (Buffer.byteLength(value) > 4096) throw validation(`Parameter '${name}' must contain at most 4096 characters`)
    const refusal = brokenRule(name, declared[name] ?? null, value)
    if (refusal !== undefined) throw validation(refusal)
  }
  return values
}

function brokenRule(name: string, declaration: Data, value: string): string | undefined {
  const type = scalarText(own(declaration, 'Type')) ?? 'String'
  if (type.startsWith('AWS::SSM::Parameter::Value<')) return undefined
  const described = scalarText(own(declaration, 'ConstraintDescription'))
  const list = type === 'CommaDelimitedList' || type.startsWith('List<')
  for (const each of list ? value.split(',').map((item) => item.trim()) : [value]) {
    const broken = brokenValue(name, { declaration, type, value: each })
    if (broken === undefined) continue
    return described === undefined ? broken : `Parameter ${name} failed to satisfy constraint: ${described}`
  }
  return undefined
}

function brokenValue(name: string, it: { declaration: Data; type: string; value: string }): string | undefined {
  const { declaration, type, value } = it
  const numeric = type === 'Number' || type === 'List<Number>'
  if (numeric && (value.trim() === '' || Number.isNaN(Number(value)))) return `Parameter '${name}' must be a number`
  const allowed = own(declaration, 'AllowedValues')
  if (isList(allowed) && !allowed.some((one) => scalarText(one) === value))
    return `Parameter '${name}' must be one of AllowedValues`
  const bound = (key: string): number | undefined => {
    const written = scalarText(own(declaration, key))
    return written === undefined ? undefined : Number(written)
  }
  const [least, most] = [bound('MinLength'), bound('MaxLength')]
  if (least !== undefined && value.length < least)
    return `Parameter '${name}' must contain at least ${least} characters`
  if (most !== undefined && value.length > most) return `Parameter '${name}' must contain at most ${most} characters`
  const [low, high] = [bound('MinValue'), bound('MaxValue')]
  if (low !== undefined && Number(value) < low) return `Parameter '${name}' must be a number not less than ${low}`
  if (high !== undefined && Number(value) > high) return `Parameter '${name}' must be a number not greater than ${high}`
  const pattern = own(declaration, 'AllowedPattern')
  if (isText(pattern) && wholePattern(pattern)?.(value) === false)
    return `Parameter '${name}' must match pattern ${pattern}`
  return undefined
}

/** The values of those parameters that name one of the parameter store, as it holds them now. */
export function resolvedParameters(
  world: World,
  template: DataMap,
  values: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const resolved: Record<string, string> = {}
  for (const [name, declaration] of Object.entries(section(template, 'Parameters'))) {
    const stored = values[name]
    if (stored === undefined || !storedType(declaration)) continue
    const value = world.parameters.get(stored)
    if (value === undefined)
      throw validation(`Unable to fetch parameters [${stored}] from parameter store for this account.`)
    resolved[name] = value
  }
  return resolved
}

function storedType(declaration: Data): boolean {
  return scalarText(own(declaration, 'Type'))?.startsWith('AWS::SSM::Parameter::Value<') === true
}

const plainTemplates = new WeakMap<DataMap, DataMap>()

/** The template with parameters that name one of the parameter store made to take what it holds. */
export function withPlainParameters(template: DataMap): DataMap {
  const parameters = section(template, 'Parameters')
  if (!Object.values(parameters).some(storedType)) return template
  const known = plainTemplates.get(template)
  if (known !== undefined) return known
  const plain = Object.entries(parameters).map(([name, declaration]): [string, Data] => {
    const type = scalarText(own(declaration, 'Type')) ?? ''
    if (!storedType(declaration) || !isMap(declaration)) return [name, declaration]
    const list = /<(List<|CommaDelimitedList)/.test(type)
    return [name, mapOf([['Type', list ? 'CommaDelimitedList' : 'String'], ...noEcho(declaration)])]
  })
  const made = mapOf([...Object.entries(template), ['Parameters', mapOf(plain)]])
  plainTemplates.set(template, made)
  return made
}

function noEcho(declaration: DataMap): readonly (readonly [string, Data])[] {
  const value = own(declaration, 'NoEcho')
  return value === undefined ? [] : [['NoEcho', value]]
}

/** Reads a template from S3 by the forms of URL that CloudFormation takes, and by this server's own. */
export function templateAt(world: World, place: Place, url: string): string {
  const { bucket, key } = objectAt(world, url)
  const found = world.buckets.get(bucket)
  if (found === undefined) throw validation('S3 error: The specified bucket does not exist')
  const object = found.objects.get(key)
  if (object === undefined) throw validation('S3 error: The specified key does not exist.')
  if (found.account !== place.account) throw validation('S3 error: Access Denied')
  if (object.body.length > 1_000_000) throw validation('Template may not exceed 1000000 bytes in size.')
  return object.body.toString('utf8')
}

function objectAt(world: World, url: string): { readonly bucket: string; readonly key: string } {
  const refusal = validation('TemplateURL must be a supported URL.')
  if (!URL.canParse(url)) throw refusal
  const { protocol, host, pathname, hostname } = new URL(url)
  const path = decodeURIComponent(pathname.slice(1))
  const [first = '', ...rest] = path.split('/')
  if (host === new URL(world.settings.ownUrl()).host) return { bucket: first, key: rest.join('/') }
  if (protocol === 's3:') return { bucket: hostname, key: path }
  if (protocol !== 'https:') throw refusal
  if (/^s3([.-][a-z0-9-]+)?\.amazonaws\.com(\.cn)?$/.test(hostname)) return { bucket: first, key: rest.join('/') }
  const virtual = /^(.+)\.s3([.-][a-z0-9-]+)?\.amazonaws\.com(\.cn)?$/.exec(hostname)
  if (virtual?.[1] === undefined) throw refusal
  return { bucket: virtual[1], key: path }
}
