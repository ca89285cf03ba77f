import { didYouMean } from '../nearest.ts'
import { wholePattern } from '../pattern.ts'
import { type Data, type DataMap, Float, isList, isMap, type Path } from '../data.ts'
import type { Place, Problem } from '../problem.ts'
import { isText, own, section } from './template.ts'

/** A parameter with its value. A list parameter's value is a list of texts; every other one's is a text. */
export type Parameter = { readonly value: string | readonly string[]; readonly noEcho: boolean }

const listTypes = /^(CommaDelimitedList|List<.+>|AWS::SSM::Parameter::Value<(CommaDelimitedList|List<.+>)>)$/
const knownTypes =
  /^(String|Number|CommaDelimitedList|List<(Number|String|AWS::[\w:]+)>|AWS::SSM::Parameter::(Name|Value<.+>)|AWS::[\w:]+)$/

/** Whether a parameter's `Type` is one that CloudFormation has, as far as can be seen from the word. */
export function isParameterType(type: string): boolean {
  return knownTypes.test(type)
}

/**
 * The parameters of a stack: the given values, defaults where none is given, checked against `AllowedValues`,
 * `AllowedPattern`, lengths and bounds.
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/parameters-section-structure.html
 *
 * Patterns run in linear time. A value of the parameter store is not looked up: it stays the reference that
 * CloudFormation would resolve (`{{resolve:ssm:/name}}`).
 */
export function readParameters(
  body: DataMap,
  given: Readonly<Record<string, string>>,
  options: { readonly at?: ((path: Path) => Place) | undefined } = {},
): { readonly parameters: ReadonlyMap<string, Parameter>; readonly problems: readonly Problem[] } {
  const declarations = section(body, 'Parameters')
  const parameters = new Map<string, Parameter>()
  const problems: Problem[] = []
  const place = (path: Path): { at?: Place } => (options.at === undefined ? {} : { at: options.at(path) })
  for (const [name, declaration] of Object.entries(declarations)) {
    if (!isMap(declaration)) continue
    const value = Object.hasOwn(given, name) ? given[name] : scalarText(own(declaration, 'Default'))
    if (value === undefined) {
      problems.push({
        code: 'stack-parameter',
        severity: 'error',
        message: `The parameter ${name} has no value and no default.`,
        remedy: `Give ${name} a value, or declare a \`Default\`.`,
        ...place(['Parameters', name]),
      })
      continue
    }
    const noEcho = scalarText(own(declaration, 'NoEcho')) === 'true'
    const broken = brokenRule(declaration, value)
    if (broken !== undefined) {
      problems.push({
        code: 'stack-parameter',
        severity: 'error',
        message: `The parameter ${name} does not accept ${noEcho ? 'its value' : JSON.stringify(value)}: ${broken.message}`,
        expected: broken.expected,
        remedy: `Give ${name} a value that fits.`,
        ...place(['Parameters', name]),
      })
      continue
    }
    parameters.set(name, { value: typedValue(declaration, value), noEcho })
  }
  for (const name of Object.keys(given)) {
    if (own(declarations, name) !== undefined) continue
    problems.push({
      code: 'stack-parameter',
      severity: 'error',
      message: `The template declares no parameter ${name}.${didYouMean(name, Object.keys(declarations))}`,
      remedy: `Leave ${name} out, or declare it under \`Parameters\`.`,
      ...place(['Parameters']),
    })
  }
  return { parameters, problems }
}

/** How a scalar is written where a text is wanted: `true`, `80`, `2.0`. Nothing for null, lists and maps. */
export function scalarText(value: Data | undefined): string | undefined {
  if (typeof value === 'string') return value
  if (typeof value === 'boolean' || typeof value === 'bigint' || typeof value === 'number') return String(value)
  if (!(value instanceof Float)) return undefined
  return Number.isInteger(value.value) && Math.abs(value.value) < 1e15 ? `${value.value}.0` : String(value.value)
}

function typedValue(declaration: DataMap, value: string): string | readonly string[] {
  const type = typeOf(declaration)
  if (type.startsWith('AWS::SSM::Parameter::Value<')) {
    const reference = `{{resolve:ssm:${value}}}`
    return listTypes.test(type) ? [reference] : reference
  }
  return listTypes.test(type) ? elements(value) : value
}

function typeOf(declaration: DataMap): string {
  const type = own(declaration, 'Type')
  return isText(type) ? type : 'String'
}

function elements(value: string): readonly string[] {
  return value.split(',').map((element) => element.trim())
}

type Broken = { readonly message: string; readonly expected: string }

function brokenRule(declaration: DataMap, value: string): Broken | undefined {
  const type = typeOf(declaration)
  const stored = type.startsWith('AWS::SSM::Parameter::Value<')
  // What the parameter store holds is not known here, so only the name could be checked, and it has no rules.
  if (stored) return undefined
  const each = listTypes.test(type) ? elements(value) : [value]
  const described = scalarText(own(declaration, 'ConstraintDescription'))
  for (const element of each) {
    const broken = brokenElement(declaration, element, type)
    if (broken !== undefined) return described === undefined ? broken : { ...broken, message: described }
  }
  return undefined
}

function brokenElement(declaration: DataMap, element: string, type: string): Broken | undefined {
  const numeric = type === 'Number' || type === 'List<Number>'
  if (numeric && !/^[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?$/.test(element)) {
    return { message: 'it is not a number.', expected: 'A number.' }
  }
  const allowed = own(declaration, 'AllowedValues')
  if (isList(allowed)) {
    const values = allowed.map(scalarText).filter((text) => text !== undefined)
    if (!values.includes(element)) {
      return {
        message: `it is not one of the allowed values.${didYouMean(element, values)}`,
        expected: `One of ${values.join(', ')}.`,
      }
    }
  }
  return (
    (numeric ? outOfBounds(declaration, Number(element)) : badLength(declaration, element)) ??
    badPattern(declaration, element)
  )
}

function outOfBounds(declaration: DataMap, value: number): Broken | undefined {
  const least = numberOf(own(declaration, 'MinValue'))
  const most = numberOf(own(declaration, 'MaxValue'))
  if (least !== undefined && value < least) return { message: 'it is too small.', expected: `At least ${least}.` }
  if (most !== undefined && value > most) return { message: 'it is too large.', expected: `At most ${most}.` }
  return undefined
}

function badLength(declaration: DataMap, value: string): Broken | undefined {
  const least = numberOf(own(declaration, 'MinLength'))
  const most = numberOf(own(declaration, 'MaxLength'))
  if (least !== undefined && value.length < least)
    return { message: 'it is too short.', expected: `At least ${least} characters.` }
  if (most !== undefined && value.length > most)
    return { message: 'it is too long.', expected: `At most ${most} characters.` }
  return undefined
}

/** The whole value has to match, as in CloudFormation. A pattern that linear time cannot run is told of by `checkLimits`. */
function badPattern(declaration: DataMap, value: string): Broken | undefined {
  const pattern = own(declaration, 'AllowedPattern')
  if (!isText(pattern)) return undefined
  const matches = wholePattern(pattern)
  if (matches === undefined || matches(value)) return undefined
  return { message: 'it does not match the pattern.', expected: `A value that matches \`${pattern}\`.` }
}

function numberOf(value: Data | undefined): number | undefined {
  const text = scalarText(value)
  return text === undefined || text === '' || Number.isNaN(Number(text)) ? undefined : Number(text)
}
