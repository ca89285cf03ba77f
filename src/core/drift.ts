import { canonicalJson } from './canonical.ts'
import { redact } from './cause/redact.ts'
import { type Data, isList, isMap, type Path } from './data.ts'
import type { Scalar } from './edit.ts'
import type { Unit } from './organisation.ts'
import type { Place } from './problem.ts'
import type { RenderedStack } from './render.ts'
import { scalarText } from './stack/parameters.ts'

/**
 * What was changed of a stack by hand: shown without secrets, followed to the input that the property comes from, and from
 * there to the line of the file that would say what runs.
 */

/** A property with what it is by the files and what it really is. */
export type Drifted = { readonly path: Path; readonly expected?: Data; readonly actual?: Data }

/** Where a property comes from. */
export type Origin =
  /** It is the value of one input, and of nothing else. */
  | { readonly is: 'input'; readonly name: string; readonly at: Place }
  /** The template wrote it itself, or made it of what it read. */
  | { readonly is: 'template'; readonly at?: Place; readonly reads: readonly string[] }
  /** The files say another thing than what was deployed. */
  | { readonly is: 'undeployed' }

/** Where the property of a resource comes from, as the files are now. */
export function driftOrigin(
  unit: Unit,
  part: RenderedStack,
  { logicalId, property }: { readonly logicalId: string; readonly property: Drifted },
): Origin {
  const path: Path = ['Resources', logicalId, 'Properties', ...property.path]
  const written = valueAt(part.body, path)
  const parameter = isMap(written) && Object.keys(written).length === 1 ? written['Ref'] : undefined
  if (typeof parameter === 'string' && Object.hasOwn(part.parameters, parameter)) {
    const isInput = isValueOf(unit, parameter, part.parameters[parameter])
    if (part.parameters[parameter] !== scalarText(property.expected)) return { is: 'undeployed' }
    return isInput
      ? { is: 'input', name: parameter, at: unit.inputPlace(parameter) }
      : { is: 'template', ...placeOf(part, path), reads: [parameter] }
  }
  // The text of a template that is made by functions is not that of the property.
  const isPlain = scalarText(written) !== undefined
  if (isPlain && scalarText(written) !== scalarText(property.expected)) return { is: 'undeployed' }
  const reads = isPlain ? readsAt(part, path) : []
  const [first, ...others] = reads
  const name = others.length === 0 && first !== undefined ? inputIn(unit, first) : undefined
  return name !== undefined && isValueOf(unit, name, scalarText(written))
    ? { is: 'input', name, at: unit.inputPlace(name) }
    : { is: 'template', ...placeOf(part, path), reads }
}

function isValueOf({ inputs }: Unit, name: string, text: string | undefined): boolean {
  return text !== undefined && Object.hasOwn(inputs, name) && scalarText(inputs[name]) === text
}

function placeOf(part: RenderedStack, path: Path): { readonly at?: Place } {
  const at = part.origin(path)
  return at === undefined ? {} : { at }
}

/** What is read for a value and for nothing else on its line. A value in quotes begins behind these. */
function readsAt(part: RenderedStack, path: Path): readonly string[] {
  const { line, column } = part.document.place(path)
  const quotes = /^["']/.test(part.text.split('\n')[line - 1]?.slice(column - 1) ?? '') ? 1 : 0
  const explanation = part.explain({ line, column: column + quotes })
  return explanation?.reads.map(({ reference }) => reference) ?? []
}

/** https://docs.aws.amazon.com/proton/latest/userguide/parameters.html */
function inputIn({ kind }: Unit, reference: string): string | undefined {
  const namespace = { environment: 'environment', instance: 'service_instance', pipeline: 'pipeline' } as const
  if (kind === 'component') return undefined
  const found = /^(\w+)\.inputs\.(\w+)$/.exec(reference)
  return found?.[1] === namespace[kind] ? found[2] : undefined
}

/**
 * The place in the files that gives this unit, and no other, its value of an input: what the stage says itself, or what the service
 * says where it is in one stage alone; otherwise a word of the stage that is yet to be written.
 */
export function inputPath(
  unit: Unit,
  name: string,
): { readonly file: string; readonly path: readonly string[] } | undefined {
  const { kind, environment, service, stage } = unit
  if (kind === 'environment') return { file: environment.document.file, path: ['inputs', name] }
  if (service === undefined) return undefined
  const { file } = service.spec.document
  if (kind === 'pipeline') return { file, path: ['pipeline', 'inputs', name] }
  if (kind !== 'instance' || stage === undefined) return undefined
  const own = service.spec.stages.get(stage.name)?.inputs
  const isOwn = own !== undefined && Object.hasOwn(own, name)
  return {
    file,
    path: !isOwn && service.stages.length === 1 ? ['inputs', name] : ['stages', stage.name, 'inputs', name],
  }
}

/**
 * The value that the input would have, of the kind that it has now: clouds give numbers as texts. Nothing where it is no single
 * value, or none of that kind.
 */
export function acceptable(now: Data | undefined, actual: Data | undefined): Scalar | undefined {
  const text = scalarText(actual)
  if (text === undefined) return undefined
  if (typeof now === 'string') return text
  if (typeof now === 'boolean') return text === 'true' ? true : text === 'false' ? false : undefined
  if (!/^-?\d{1,15}(\.\d{1,15})?$/.test(text)) return undefined
  return Number(text)
}

/** What the rendering gives for a property: the value of the parameter that it is, or what stands there. */
export function renderedValue(
  part: RenderedStack,
  { logicalId, path }: { readonly logicalId: string; readonly path: Path },
): string | undefined {
  const written = valueAt(part.body, ['Resources', logicalId, 'Properties', ...path])
  const parameter = isMap(written) ? written['Ref'] : undefined
  if (typeof parameter !== 'string') return scalarText(written)
  return Object.hasOwn(part.parameters, parameter) ? part.parameters[parameter] : undefined
}

/** How long a shown value may be. */
const longest = 60

/** A value as it is shown: compact, cut, and without what looks like a secret by itself or by the name that it goes by. */
export function shownValue(
  value: Data | undefined,
  {
    path,
    part,
    logicalId,
  }: { readonly path: Path; readonly part?: RenderedStack | undefined; readonly logicalId: string },
): string | undefined {
  if (value === undefined) return undefined
  const key = path.findLast((step) => typeof step === 'string') ?? ''
  // A variable says its name beside its value.
  const beside =
    part === undefined
      ? undefined
      : valueAt(part.body, ['Resources', logicalId, 'Properties', ...path.slice(0, -1), 'Name'])
  const names = [key, typeof beside === 'string' ? beside : '']
  if (typeof value === 'string' && names.some((name) => secretName.test(name))) return '***'
  const json = canonicalJson(value)
  const hidden = redact(typeof value === 'string' ? `${names[1] || key}=${value}` : json)
  const text = typeof value === 'string' ? hidden.slice(`${names[1] || key}=`.length) : hidden
  return text.length > longest ? `${text.slice(0, longest - 1)}…` : text
}

const secretName = /passw(?:or)?d|passphrase|pwd$|secret|token|api_?-?key|private_?-?key|access_?-?key|credential/i

function valueAt(data: Data | undefined, path: Path): Data | undefined {
  let value = data
  for (const step of path) {
    value =
      isMap(value) && Object.hasOwn(value, String(step))
        ? value[String(step)]
        : isList(value) && typeof step === 'number'
          ? value[step]
          : undefined
  }
  return value
}
