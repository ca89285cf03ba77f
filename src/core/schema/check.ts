import { type Data, type DataMap, entriesOf, Float, isList, isMap, mapOf, type Path } from '../data.ts'
import { didYouMean } from '../nearest.ts'
import { askedFor, isPlaceholder } from '../placeholder.ts'
import type { Checked, Place, Problem } from '../problem.ts'
import { isSecretReference, looksSecret } from '../secret.ts'
import { dataAt, type Fault, faultsOf, inWords, mapIn, pathInWords } from '../shape.ts'
import type { Document } from '../yaml.ts'
import { type Input, type InputSchema, LONGEST_DECLARED_TEXT, longestText, refusedNames } from './model.ts'

/** Where the inputs that are checked are written. Paths begin with the name of an input. */
export type InputsAt = {
  place(path: Path): Place
  keyPlace(path: Path): Place
  /** Where a missing input would be added: the line of `inputs:`, or of `template:` where there is none. */
  readonly missing: Place
}

/** The place of a map of inputs in a file. `missing` where the map itself may be absent. */
export function inputsAt(document: Document, path: Path, missing?: Place): InputsAt {
  return {
    place: (inner) => document.place([...path, ...inner]),
    keyPlace: (inner) => document.keyPlace([...path, ...inner]),
    missing: missing ?? document.keyPlace(path),
  }
}

/** Inputs with the defaults of their schema, unchecked: some of them may be given elsewhere. */
export function filledInputs(schema: InputSchema | undefined, inputs: DataMap): DataMap {
  return schema === undefined ? inputs : withDefaults(schema.json, inputs)
}

const DEEPEST_INPUT = 32

/**
 * Checks inputs against their schema and fills in the defaults, also inside maps and lists that are given. The result has
 * the inputs in the order of the schema. An input that is not given, not required and without default stays absent.
 * Problems are all found at once, each on the line of its value.
 */
export function checkInputs(schema: InputSchema, inputs: DataMap, at: InputsAt): Checked<DataMap> {
  const problems: Problem[] = [...boundProblems(schema, inputs, at)]
  // What is too deep or too long is not looked at more closely.
  if (problems.length > 0) return { ok: false, problems }
  problems.push(...unanswered(inputs, at))
  for (const fault of faultsOf(schema.json, inputs)) {
    // A question has no type, and is told of already.
    if (fault.is !== 'unknown' && fault.is !== 'missing' && isPlaceholder(dataAt(inputs, fault.path))) continue
    problems.push(inputProblem(schema, inputs, fault, at))
  }
  if (problems.length > 0) return { ok: false, problems }
  return { ok: true, value: withDefaults(schema.json, inputs), problems }
}

/** What an upgrade asks for, and nobody has answered yet. */
function unanswered(inputs: DataMap, at: InputsAt): readonly Problem[] {
  const visit = (value: Data, path: Path): readonly Problem[] => {
    if (isMap(value)) return Object.entries(value).flatMap(([key, item]) => visit(item, [...path, key]))
    if (isList(value)) return value.flatMap((item, index) => visit(item, [...path, index]))
    if (!isPlaceholder(value)) return []
    return [
      {
        code: 'input-unanswered',
        severity: 'error',
        message: `The input ${pathInWords(path)} has a question in its place, which the upgrade could not answer.`,
        expected: `What it asks for: ${askedFor(value)}.`,
        remedy: 'Write the value instead of the question.',
        at: at.place(path),
      },
    ]
  }
  return visit(inputs, [])
}

/**
 * Secrets that are written out. An input with `x-protium-secret: true` takes references alone; in any other, a text that
 * looks like a secret is one, unless the schema says `x-protium-secret: false`. No message shows the value.
 */
export function checkSecrets(schema: InputSchema, inputs: DataMap, at: InputsAt): Problem[] {
  const problems: Problem[] = []
  const refuse = (path: Path, what: string): void => {
    problems.push({
      code: 'secret-value',
      severity: 'error',
      message: `The input ${pathInWords(path)} ${what}.`,
      expected: 'A reference: the ARN of a Secrets Manager secret or of an SSM parameter.',
      remedy: 'Store the secret there, write its ARN here, and replace the secret if this file was ever pushed.',
      at: at.place(path),
    })
  }
  const visit = (value: Data, path: Path, json: DataMap | undefined, secret: boolean | undefined): void => {
    const marked = json?.['x-protium-secret']
    const own = typeof marked === 'boolean' ? marked : secret
    if (isMap(value)) {
      for (const [key, item] of Object.entries(value))
        visit(item, [...path, key], mapIn(mapIn(json, 'properties'), key) ?? mapIn(json, 'additionalProperties'), own)
    } else if (isList(value)) {
      value.forEach((item, index) => visit(item, [...path, index], mapIn(json, 'items'), own))
    } else if (own === true) {
      if (value !== null && !isPlaceholder(value) && !(typeof value === 'string' && isSecretReference(value)))
        refuse(path, 'is a secret of the template, and takes a reference, not a value')
    } else if (own === undefined && typeof value === 'string') {
      const look = looksSecret(lastName(path), value)
      if (look !== undefined) refuse(path, `holds what looks like ${look}`)
    }
  }
  visit(inputs, [], schema.json, undefined)
  return problems
}

/** The names of services in inputs that were checked: each text that the schema marks with `x-protium-service`. */
export function servicesIn(
  schema: InputSchema,
  inputs: DataMap,
): readonly { readonly name: string; readonly path: Path }[] {
  const found: { readonly name: string; readonly path: Path }[] = []
  const visit = (value: Data, path: Path, json: DataMap | undefined): void => {
    if (isMap(value)) {
      for (const [key, item] of Object.entries(value))
        visit(item, [...path, key], mapIn(mapIn(json, 'properties'), key) ?? mapIn(json, 'additionalProperties'))
    } else if (isList(value)) value.forEach((item, index) => visit(item, [...path, index], mapIn(json, 'items')))
    else if (json?.['x-protium-service'] === true && typeof value === 'string' && value !== '')
      found.push({ name: value, path })
  }
  const properties = mapIn(schema.json, 'properties')
  for (const { name, services } of schema.inputs.values()) {
    const value = inputs[name]
    if (services && value !== undefined) visit(value, [name], mapIn(properties, name))
  }
  return found
}

function boundProblems(schema: InputSchema, inputs: DataMap, at: InputsAt): Problem[] {
  const problems: Problem[] = []
  const refuse = (path: Path, message: string, expected: string): void => {
    problems.push({
      code: 'input-value',
      severity: 'error',
      message,
      expected,
      remedy: 'Shorten it.',
      at: at.place(path),
    })
  }
  const visit = (value: Data, path: Path, json: DataMap | undefined): void => {
    if (path.length > DEEPEST_INPUT) {
      refuse(
        path,
        `The input ${pathInWords(path.slice(0, 1))} is more than ${DEEPEST_INPUT} levels deep.`,
        `At most ${DEEPEST_INPUT} levels.`,
      )
    } else if (typeof value === 'string') {
      const longest = longestText(json ?? mapOf())
      if (value.length > longest)
        refuse(
          path,
          `The input ${pathInWords(path)} has ${value.length} characters.`,
          `At most ${longest}; a schema may allow up to ${LONGEST_DECLARED_TEXT} by \`maxLength\`.`,
        )
    } else if (isList(value)) {
      value.forEach((item, index) => visit(item, [...path, index], mapIn(json, 'items')))
    } else if (isMap(value)) {
      for (const [key, item] of Object.entries(value)) {
        if (refusedNames.includes(key) && path.length > 0)
          refuse([...path, key], `The input ${pathInWords(path)} has a key "${key}".`, 'Another key.')
        visit(item, [...path, key], mapIn(mapIn(json, 'properties'), key) ?? mapIn(json, 'additionalProperties'))
      }
    }
  }
  visit(inputs, [], schema.json)
  return problems
}

function inputProblem(schema: InputSchema, inputs: DataMap, fault: Fault, at: InputsAt): Problem {
  if (fault.is === 'unknown') {
    const owner = fault.path.length === 0 ? 'The template' : `The input ${pathInWords(fault.path)}`
    const some = fault.known.slice(0, 20).join(', ')
    return {
      code: 'unknown-input',
      severity: 'error',
      message: `${owner} has no ${fault.path.length === 0 ? 'input' : 'key'} "${fault.key}".${didYouMean(fault.key, fault.known)}`,
      expected:
        fault.known.length === 0
          ? 'No input: this template has none.'
          : `One of ${some}${fault.known.length > 20 ? ` and ${fault.known.length - 20} more` : ''}.`,
      remedy: 'Correct the name, or remove the line.',
      at: at.keyPlace([...fault.path, fault.key]),
    }
  }
  if (fault.is === 'missing') {
    return {
      code: 'missing-input',
      severity: 'error',
      message: `The input ${pathInWords([...fault.path, fault.key])} is missing, and the template has no default for it.`,
      expected: fault.expected,
      remedy: `Add \`${fault.key}:\` under \`${lastName(fault.path) === '' ? 'inputs' : lastName(fault.path)}:\`.`,
      at: fault.path.length === 0 ? at.missing : at.keyPlace(fault.path),
    }
  }
  const value = dataAt(inputs, fault.path)
  const input = schema.inputs.get(String(fault.path[0]))
  return {
    code: fault.is === 'type' ? 'input-type' : 'input-value',
    severity: 'error',
    message: `The input ${pathInWords(fault.path)}${shownValue(fault, value, input)} ${fault.why}.`,
    expected: fault.expected,
    remedy: remedyFor(fault, value, input),
    at: fault.onKey ? at.keyPlace(fault.path) : at.place(fault.path),
  }
}

function shownValue(fault: Fault, value: Data | undefined, input: Input | undefined): string {
  if (value === undefined || value === null || isMap(value) || isList(value)) return ''
  if (input?.secret === true || (typeof value === 'string' && looksSecret(lastName(fault.path), value) !== undefined))
    return ' (hidden)'
  return ` (${inWords(value)})`
}

function remedyFor(fault: Fault, value: Data | undefined, input: Input | undefined): string {
  if (value === null) {
    const instead =
      fault.path.length === 1 && input?.default !== undefined && !isMap(input.default) && !isList(input.default)
        ? ` to use the default ${inWords(input.default)}`
        : ''
    return `Give it a value, or remove the line${instead}.`
  }
  if (fault.is === 'type' && typeof value === 'string' && /^(?:-?\d+(?:\.\d+)?|true|false)$/.test(value))
    return `Write ${value} without quotes.`
  if (fault.is === 'type' && (typeof value === 'number' || typeof value === 'boolean' || value instanceof Float)) {
    return fault.expected.startsWith('Text') ? 'Put the value in quotes.' : 'Correct the value.'
  }
  return 'Correct the value.'
}

/** Inputs in the order of the schema with defaults filled in; what the schema does not name comes last. */
function withDefaults(json: DataMap, value: DataMap): DataMap {
  const properties = mapIn(json, 'properties') ?? mapOf()
  const filled: [string, Data][] = []
  for (const [name, property] of entriesOf(properties)) {
    if (!isMap(property)) continue
    const given = Object.hasOwn(value, name) ? value[name] : property['default']
    if (given !== undefined) filled.push([name, filledIn(property, given)])
  }
  const rest = mapIn(json, 'additionalProperties')
  for (const [name, item] of entriesOf(value)) {
    if (!Object.hasOwn(properties, name)) filled.push([name, rest === undefined ? item : filledIn(rest, item)])
  }
  return mapOf(filled)
}

function filledIn(json: DataMap, value: Data): Data {
  if (isMap(value)) return withDefaults(json, value)
  const item = mapIn(json, 'items')
  return isList(value) && item !== undefined ? value.map((each) => filledIn(item, each)) : value
}

function lastName(path: Path): string {
  const name = path.findLast((step) => typeof step === 'string')
  return typeof name === 'string' ? name : ''
}
