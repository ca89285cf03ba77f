import type { Bundle, Part } from '../bundle.ts'
import { isMap, mapOf } from '../data.ts'
import { readExamples } from '../examples.ts'
import type { Unit } from '../organisation.ts'
import type { Place } from '../problem.ts'
import { environmentContext, renderStack } from '../render.ts'
import { checkInputs } from '../schema.ts'

/** A template of environments, and what it was seen to give. */
export type Provider = {
  readonly bundle: Bundle
  /** What it gives in each environment that was rendered; in one without a name where no environment uses it. */
  readonly given: readonly { readonly environment?: string; readonly names: ReadonlySet<string> }[]
}

/** What the stack of an environment gives out. */
export type EnvironmentOutputs = { readonly unit: Unit; readonly names: readonly string[] }

/**
 * The templates of environments with what they give: in each environment as it was rendered; for a template that no
 * environment uses, with the schema's defaults, with its examples, or, if it needs inputs and has no example, by the
 * keys that stand under `Outputs:` in its text. One that is not CloudFormation gives what nobody here knows, and is left
 * out.
 */
export function providersOf(
  bundles: readonly Bundle[],
  environments: readonly EnvironmentOutputs[],
): readonly Provider[] {
  const providers = new Map<string, Provider>()
  for (const { unit, names } of environments) {
    const id = `${unit.bundle.template}@${unit.bundle.version}`
    const given = [...(providers.get(id)?.given ?? []), { environment: unit.environment.name, names: new Set(names) }]
    providers.set(id, { bundle: unit.bundle, given })
  }
  for (const bundle of bundles) {
    const id = `${bundle.template}@${bundle.version}`
    if (providers.has(id)) continue
    const given = unusedOutputs(bundle)
    if (given.length > 0) providers.set(id, { bundle, given: given.map((names) => ({ names })) })
  }
  return [...providers.values()]
}

function unusedOutputs(bundle: Bundle): ReadonlySet<string>[] {
  const [part] = bundle.parts
  const schema = bundle.schema.environment
  // What the customer manages is described by its inputs alone; they are what it gives.
  if (part === undefined) return schema === undefined ? [] : [new Set(schema.inputs.keys())]
  if (part.engine !== 'jinja' && part.engine !== 'none') return []
  const nowhere: Place = { file: bundle.schema.file, line: 1, column: 1 }
  const at = { place: () => nowhere, keyPlace: () => nowhere, missing: nowhere }
  const defaults = schema === undefined ? undefined : checkInputs(schema, mapOf(), at)
  const inputs =
    defaults?.ok === true ? [defaults.value] : readExamples(bundle).examples.map((example) => example.inputs)
  const rendered = inputs.flatMap((each) => {
    const stack = renderStack(bundle, part, environmentContext({ name: 'environment', inputs: each }))
    if (!stack.ok) return []
    const outputs = stack.value.body['Outputs']
    return [new Set(isMap(outputs) ? Object.keys(outputs) : [])]
  })
  return rendered.length > 0 ? rendered : [writtenOutputs(bundle, part)]
}

/** The keys under `Outputs:` in the text of a template, whatever conditions stand around them. */
export function writtenOutputs(bundle: Bundle, part: Part): ReadonlySet<string> {
  return new Set(
    [part.file ?? '', ...(part.others ?? [])].flatMap((file) => [...outputsIn(bundle.files.get(file) ?? '')]),
  )
}

function outputsIn(text: string): ReadonlySet<string> {
  const names = new Set<string>()
  const lines = text.split('\n')
  const start = lines.findIndex((line) => outputsLine.test(line))
  let indent: string | undefined
  for (const line of lines.slice(start === -1 ? lines.length : start + 1)) {
    const [, before = '', name = ''] = /^(\s*)["']?([A-Za-z0-9]+)["']?\s*:/.exec(line) ?? []
    if (name === '') continue
    indent ??= before
    if (before.length < indent.length || before === '') break
    if (before === indent) names.add(name)
  }
  return names
}

const outputsLine = /^\s*["']?Outputs["']?\s*:/

/** Where a template has its outputs; the beginning of the file where it has none. */
export function outputsPlace(bundle: Bundle): Place {
  const [part] = bundle.parts
  if (part?.file === undefined) return { file: bundle.schema.file, line: 1, column: 1 }
  const lines = (bundle.files.get(part.file) ?? '').split('\n')
  const line = lines.findIndex((each) => outputsLine.test(each))
  return {
    file: bundle.root === '' ? part.file : `${bundle.root}/${part.file}`,
    line: Math.max(line, 0) + 1,
    column: 1,
  }
}
