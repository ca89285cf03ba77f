import type { Bundle, Part } from '../bundle.ts'
import { canonicalJson, compareText } from '../canonical.ts'
import { type Data, type DataMap, isList, isMap } from '../data.ts'
import { inWords, mapIn } from '../shape.ts'
import type { InputSchema } from '../schema.ts'
import type { Input } from '../schema/model.ts'
import type { Problem } from '../problem.ts'
import { scalarText } from '../stack/parameters.ts'
import { own, section } from '../stack/template.ts'
import type { Document } from '../yaml.ts'

/**
 * What the Parameters of a template get that is not rendered (`rendering_engine: none`). One takes, in this order: the input of
 * its name, the output of its name of the environment (or of the component), a name that Protium knows (`ServiceName`,
 * `StageName`, `EnvironmentName`, `ComponentName`), its own `Default`. Names are compared without regard to case and `_`, since
 * CloudFormation takes letters and digits only: the input `desired_count` is the Parameter `DesiredCount`.
 */
export type Filled = {
  readonly parameters: Readonly<Record<string, string>>
  /** The reference that a parameter got its value from, as a Jinja template would write it. */
  readonly sources: ReadonlyMap<string, string>
  readonly problems: readonly Problem[]
}

type Filling = {
  readonly bundle: Bundle
  readonly part: Part
  /** The template, as it is. */
  readonly document: Document
  readonly body: DataMap
  /** What a Jinja template in its place would see. */
  readonly context: DataMap
}

export function fillParameters({ bundle, part, document, body, context }: Filling): Filled {
  const problems: Problem[] = []
  const declared = section(body, 'Parameters')
  const schema = schemaOf(bundle, part)
  const offers = offersOf(part, context)
  const parameters: Record<string, string> = {}
  const sources = new Map<string, string>()
  const taken = new Set<string>()
  for (const [name, declaration] of Object.entries(declared)) {
    const offer =
      offers.find((each) => each.name === name) ?? offers.find((each) => plainName(each.name) === plainName(name))
    const input = offer?.isInput === true ? schema?.inputs.get(offer.name) : undefined
    if (offer === undefined) {
      // An input without a value leaves the parameter its default; whether it has one is told below.
      const unset = [...(schema?.inputs.keys() ?? [])].find((each) => plainName(each) === plainName(name))
      if (unset !== undefined) taken.add(unset)
      if (own(declaration, 'Default') === undefined && unset === undefined)
        problems.push(unfilled(name, { document, offers: offers.map((each) => each.name) }))
      continue
    }
    if (offer.isInput) taken.add(offer.name)
    if (scalarText(own(declaration, 'NoEcho')) === 'true' && offer.isInput && input?.secret !== true) {
      problems.push({
        code: 'parameter-secret',
        severity: 'error',
        message: `The parameter ${name} is not to be shown (\`NoEcho\`), and the input "${offer.name}" that fills it may be any text.`,
        expected: '`x-protium-secret: true` at the input, which takes references to secrets only.',
        remedy: 'Add it to the schema, and let who gives the input write the ARN or the path of the secret.',
        at: input?.at ?? document.keyPlace(['Parameters', name]),
        ...(input !== undefined && {
          related: [{ at: document.keyPlace(['Parameters', name]), note: 'the parameter' }],
        }),
      })
      continue
    }
    const text = textOf(offer.value)
    if (text === undefined) {
      problems.push({
        code: 'parameter-value',
        severity: 'error',
        message: `The input "${offer.name}" is ${inWords(offer.value)}, which the parameter ${name} cannot take: lists are written with commas between their elements.`,
        expected: 'A text, a number, a truth value, or a list of such without commas.',
        remedy: 'Change the value, or take it in another form.',
        at: document.keyPlace(['Parameters', name]),
      })
      continue
    }
    parameters[name] = text
    sources.set(name, offer.reference)
  }
  if (part.name !== 'component')
    for (const input of schema?.inputs.values() ?? [])
      if (!taken.has(input.name)) problems.push(unused(input, Object.keys(declared)))
  return { parameters, sources, problems }
}

/** `desired_count`, `desired-count` and `DesiredCount` are one name. */
function plainName(name: string): string {
  return name.replaceAll(/[_-]/g, '').toLowerCase()
}

type Offer = {
  readonly name: string
  readonly value: Data
  readonly reference: string
  readonly isInput: boolean
}

/** Whose inputs a template gets. */
const holders = {
  infrastructure: 'environment',
  instance_infrastructure: 'service_instance',
  pipeline_infrastructure: 'pipeline',
  component: 'service_instance',
} as const satisfies Record<Part['name'], string>

/** What there is to fill parameters with, the first of a name first. */
function offersOf({ name }: Part, context: DataMap): readonly Offer[] {
  const [environment, service] = [mapIn(context, 'environment'), mapIn(context, 'service')]
  const [instance, component] = [mapIn(context, 'service_instance'), mapIn(context, 'component')]
  const holder = holders[name]
  const all = (map: DataMap | undefined, prefix: string, isInput: boolean): Offer[] =>
    Object.entries(map ?? {})
      .filter(([, value]) => value !== null)
      .map(([key, value]) => ({ name: key, value, reference: `${prefix}.${key}`, isInput }))
  const attached = mapIn(mapIn(instance, 'components'), 'default')
  const named = (key: string, map: DataMap | undefined, reference: string): Offer[] =>
    map?.['name'] === undefined ? [] : [{ name: key, value: map['name'], reference, isInput: false }]
  return [
    ...all(mapIn(mapIn(context, holder), 'inputs'), `${holder}.inputs`, true),
    ...all(mapIn(attached, 'outputs'), 'service_instance.components.default.outputs', false),
    ...all(mapIn(environment, 'outputs'), 'environment.outputs', false),
    ...named('ServiceName', service, 'service.name'),
    ...named('StageName', instance, 'service_instance.name'),
    ...named('EnvironmentName', environment, 'environment.name'),
    ...named('ComponentName', component, 'component.name'),
  ]
}

function schemaOf({ schema }: Bundle, { name }: Part): InputSchema | undefined {
  if (name === 'infrastructure') return schema.environment
  return name === 'pipeline_infrastructure' ? schema.pipeline : schema.service
}

/** CloudFormation takes texts: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/parameters-section-structure.html */
function textOf(value: Data): string | undefined {
  if (isMap(value)) return canonicalJson(value)
  if (!isList(value)) return scalarText(value)
  const parts = value.map(scalarText)
  const texts = parts.filter((part) => part !== undefined && !part.includes(','))
  return texts.length === parts.length ? texts.join(',') : undefined
}

function unfilled(
  name: string,
  { document, offers }: { readonly document: Document; readonly offers: readonly string[] },
): Problem {
  const some = [...new Set(offers)].toSorted(compareText).slice(0, 12)
  return {
    code: 'parameter-unfilled',
    severity: 'error',
    message: `Nothing fills the parameter ${name}: it has no \`Default\`, and there is no input and no output of the environment of its name.`,
    expected:
      some.length === 0 ? 'An input of its name.' : `One of the names ${some.join(', ')}; or an input of its name.`,
    remedy: `Add an input to \`schema/schema.yaml\`, or give the parameter a \`Default\`.`,
    at: document.keyPlace(['Parameters', name]),
  }
}

function unused({ name, at }: Input, parameters: readonly string[]): Problem {
  return {
    code: 'parameter-missing',
    severity: 'error',
    message: `No parameter of the template takes the input "${name}", so it would change nothing.`,
    expected:
      parameters.length === 0 ? 'A template with `Parameters`.' : `One of ${parameters.slice(0, 12).join(', ')}.`,
    remedy: 'Correct the name, add the parameter to the template, or take the input out of the schema.',
    at,
  }
}
