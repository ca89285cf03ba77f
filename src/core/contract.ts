import type { Bundle, Part } from './bundle.ts'
import type { Catalog } from './catalog.ts'
import { namespaceProblem, shown } from './contract/namespaces.ts'
import {
  type EnvironmentOutputs,
  outputsPlace,
  type Provider,
  providersOf,
  writtenOutputs,
} from './contract/outputs.ts'
import { type DataMap, isMap } from './data.ts'
import { type Reference, referencesOf } from './jinja/index.ts'
import { didYouMean, nearest } from './nearest.ts'
import type { Unit } from './organisation.ts'
import type { Place, Problem } from './problem.ts'
import { templateOf } from './render.ts'
import { list } from './report.ts'
import type { InputSchema } from './schema.ts'
import { mapIn } from './shape.ts'

export type { EnvironmentOutputs } from './contract/outputs.ts'

/**
 * What templates promise each other, checked without rendering the ones that make use of it, so that a template is judged
 * before anybody uses it:
 *
 * - every output of its environment that a service template reads is given by every environment template that the service
 *   template says it runs in (a template that names none is held to the environments that its services are in);
 * - every input that a template reads is in its own schema, and one that may be absent is read with that in mind;
 * - no template reads a name that its kind does not see.
 *
 * `environments` are the environments as they were rendered, with what their stacks give out. Templates are those of the
 * checkout. Each thing that is missing is told once a template, with the other places that read it as related ones; `places`
 * are all of them.
 */
export function checkContracts(
  { catalog, units }: { readonly catalog: Catalog; readonly units: readonly Unit[] },
  environments: readonly EnvironmentOutputs[],
): { readonly problems: readonly Problem[]; readonly places: readonly Place[] } {
  const bundles = [...catalog.templates.values()].flatMap((template) => [...template.bundles.values()])
  const components = units.flatMap(({ kind, bundle }) => (kind === 'component' ? [bundle] : []))
  const providers = providersOf(
    bundles.filter(({ kind }) => kind === 'environment'),
    environments,
  )
  const checked = [...new Set([...bundles, ...components])].flatMap((bundle) =>
    checkBundle(bundle, bundle.kind === 'service' ? homesOf(bundle, { providers, units }) : []),
  )
  return {
    problems: checked.flatMap(({ problems }) => problems),
    places: checked.flatMap(({ findings }) => findings.flatMap(({ problem: { at } }) => at ?? [])),
  }
}

/** The templates of environments that a service template has to get on with. */
function homesOf(
  bundle: Bundle,
  { providers, units }: { readonly providers: readonly Provider[]; readonly units: readonly Unit[] },
): readonly Provider[] {
  if (bundle.compatible.length > 0) {
    return providers.filter(({ bundle: { template, version } }) =>
      bundle.compatible.some((each) => each.template === template && String(each.major) === version.split('.')[0]),
    )
  }
  const homes = new Set(units.flatMap((unit) => (unit.bundle === bundle ? [unit.environment.name] : [])))
  return providers.flatMap(({ bundle: home, given }) => {
    const own = given.filter(({ environment }) => environment !== undefined && homes.has(environment))
    return own.length === 0 ? [] : [{ bundle: home, given: own }]
  })
}

type Finding = { readonly about: string; readonly problem: Problem }

type PartCheck = { readonly problems: readonly Problem[]; readonly findings: readonly Finding[] }

function checkBundle(bundle: Bundle, homes: readonly Provider[]): readonly PartCheck[] {
  return bundle.parts.flatMap((part): PartCheck[] => {
    if (part.engine !== 'jinja' || part.file === undefined) return []
    return [part.file, ...(part.others ?? [])].map((file): PartCheck => {
      const template = templateOf(bundle, file)
      if (!template.ok) return { problems: template.problems, findings: [] }
      const findings = referencesOf(template.value).flatMap((reference) => [
        ...namespaceFindings(part, reference),
        ...outputFindings(bundle, part, { reference, homes }),
        ...inputFindings(bundle, part, reference),
      ])
      return { problems: [...template.problems, ...once(findings)], findings }
    })
  })
}

/** Each thing once, at the place that reads it first; the other places are related ones. */
function once(findings: readonly Finding[]): Problem[] {
  const groups = Map.groupBy(findings, ({ about, problem: { code } }) => `${code} ${about}`)
  return [...groups.values()].flatMap((group) => {
    const [first, ...others] = group.map(({ problem }) => problem)
    if (first === undefined) return []
    const more = others.length - mostPlaces
    const places = others.slice(0, mostPlaces).flatMap(({ at }, index) => {
      const rest = more > 0 && index === mostPlaces - 1 ? `, and in ${more} more` : ''
      return at === undefined ? [] : [{ at, note: `read here too${rest}` }]
    })
    const related = [...(first.related ?? []), ...places]
    return [related.length === 0 ? first : { ...first, related }]
  })
}

const mostPlaces = 3

function namespaceFindings(part: Part, reference: Reference): Finding[] {
  const problem = namespaceProblem(part.name, reference)
  return problem === undefined ? [] : [{ about: problem.message, problem }]
}

/** The name behind a prefix of a path, if the template does not provide for its absence. */
function nameBehind({ path, guarded }: Reference, prefix: readonly string[]): string | undefined {
  if (!prefix.every((step, index) => path[index] === step) || guarded.has(prefix.length + 1)) return undefined
  return path[prefix.length]
}

/** Where the parts of a bundle see the outputs of their environment. */
export const environmentOutputs: Readonly<Record<Part['name'], readonly (readonly string[])[]>> = {
  infrastructure: [],
  instance_infrastructure: [
    ['environment', 'outputs'],
    ['service_instance', 'environment', 'outputs'],
  ],
  pipeline_infrastructure: [['service_instances', '*', 'environment', 'outputs']],
  component: [],
}

function outputFindings(
  bundle: Bundle,
  part: Part,
  { reference, homes }: { readonly reference: Reference; readonly homes: readonly Provider[] },
): Finding[] {
  const findings: Finding[] = []
  for (const prefix of environmentOutputs[part.name]) {
    const name = nameBehind(reference, prefix)
    if (name === undefined) continue
    for (const home of homes) {
      const problem = outputProblem(bundle, { reference, home, name })
      if (problem !== undefined)
        findings.push({ about: `${home.bundle.template}@${home.bundle.version} ${name}`, problem })
    }
  }
  const own =
    part.name === 'pipeline_infrastructure' ? nameBehind(reference, ['service_instances', '*', 'outputs']) : undefined
  const problem = own === undefined ? undefined : instanceOutputProblem(bundle, { reference, name: own })
  return problem === undefined ? findings : [...findings, { about: shown(reference.path), problem }]
}

function outputProblem(
  bundle: Bundle,
  { reference, home, name }: { readonly reference: Reference; readonly home: Provider; readonly name: string },
): Problem | undefined {
  const lacking = home.given.filter(({ names }) => !names.has(name))
  if (lacking.length === 0) return undefined
  const giver = `${home.bundle.template}@${home.bundle.version}`
  const where = lacking.flatMap(({ environment }) => (environment === undefined ? [] : [environment]))
  const partly = lacking.length < home.given.length
  const names = [...new Set(lacking.flatMap((each) => [...each.names]))]
  const near = nearest(name, names)
  return {
    code: 'contract-output-missing',
    severity: 'error',
    message: `The template reads the output "${name}" of its environment, and ${giver} does not give it${
      partly && where.length > 0 ? ` in ${list(where)}` : ''
    }.${didYouMean(name, names)}`,
    expected: expectedNames(name, names, 'output'),
    remedy:
      near === undefined
        ? `Add \`${name}\` under \`Outputs:\` of ${giver}, read it with \`| default(…)\`, or take ${giver} out of the compatible environments.`
        : `Read \`environment.outputs.${near}\`, or add \`${name}\` under \`Outputs:\` of ${giver}.`,
    at: reference.at,
    related: [{ at: outputsPlace(home.bundle), note: `what ${giver} gives` }, ...compatiblePlaces(bundle, home.bundle)],
  }
}

function instanceOutputProblem(
  bundle: Bundle,
  { reference, name }: { readonly reference: Reference; readonly name: string },
): Problem | undefined {
  const instance = bundle.parts.find((part) => part.name === 'instance_infrastructure' && part.engine === 'jinja')
  if (instance === undefined) return undefined
  const names = writtenOutputs(bundle, instance)
  if (names.has(name)) return undefined
  return {
    code: 'contract-output-missing',
    severity: 'error',
    message: `The pipeline reads the output "${name}" of its instances, and their template does not give it.${didYouMean(name, names)}`,
    expected: expectedNames(name, [...names], 'output'),
    remedy: `Add \`${name}\` under \`Outputs:\` of \`${instance.file ?? ''}\`, or read it with \`| default(…)\`.`,
    at: reference.at,
  }
}

/** The nearest name if there is one, otherwise all of them as far as they are few. */
function expectedNames(name: string, names: readonly string[], what: string): string {
  const near = nearest(name, names)
  if (near !== undefined) return `\`${near}\`.`
  if (names.length === 0) return `No ${what}: there is none.`
  const some = names.toSorted().slice(0, 12)
  return `One of ${some.join(', ')}${names.length > some.length ? ` and ${names.length - some.length} more` : ''}.`
}

/** The line by which a service template says that it runs in an environment of this template. */
function compatiblePlaces(bundle: Bundle, home: Bundle): { readonly at: Place; readonly note: string }[] {
  const entry = new RegExp(`\\b${home.template}\\s*:\\s*["']?${home.version.split('.')[0] ?? ''}\\b`)
  for (const name of [
    '.compatible-envs',
    '.compatible_envs',
    '.template-registration.yaml',
    '.template-registration.yml',
  ]) {
    const line = (bundle.files.get(name) ?? '').split('\n').findIndex((each) => entry.test(each))
    if (line === -1) continue
    const file = bundle.root === '' ? name : `${bundle.root}/${name}`
    return [{ at: { file, line: line + 1, column: 1 }, note: 'which says that the template runs there' }]
  }
  return []
}

const inputsOf = [
  { prefix: ['service_instance', 'inputs'], parts: ['instance_infrastructure'], kind: 'service' },
  { prefix: ['service_instances', '*', 'inputs'], parts: ['pipeline_infrastructure'], kind: 'service' },
  { prefix: ['pipeline', 'inputs'], parts: ['pipeline_infrastructure'], kind: 'pipeline' },
  { prefix: ['environment', 'inputs'], parts: ['infrastructure'], kind: 'environment' },
] as const

function inputFindings(bundle: Bundle, part: Part, reference: Reference): Finding[] {
  return inputsOf.flatMap(({ prefix, parts, kind }) => {
    const name = reference.path[prefix.length]
    const schema = bundle.schema[kind]
    const fits =
      parts.some((each) => each === part.name) && prefix.every((step, index) => reference.path[index] === step)
    if (!fits || name === undefined || schema === undefined) return []
    const problem = inputProblem(reference, { prefix, name, schema })
    return problem === undefined ? [] : [{ about: shown(reference.path.slice(0, prefix.length + 2)), problem }]
  })
}

function inputProblem(
  reference: Reference,
  { prefix, name, schema }: { readonly prefix: readonly string[]; readonly name: string; readonly schema: InputSchema },
): Problem | undefined {
  const input = schema.inputs.get(name)
  const guarded = reference.guarded.has(prefix.length + 1)
  if (input === undefined) return unknownInput(reference, { depth: prefix.length, json: schema.json, guarded })
  if (!input.required && input.default === undefined && !guarded) {
    return {
      code: 'contract-input-missing',
      severity: 'warning',
      message: `The input "${name}" may be left out, and the template reads it as if it was always there, so rendering fails where it was left out.`,
      expected: 'An input that is required or has a default, or a reference that provides for its absence.',
      remedy: `Add \`default:\` to the input, or write \`${shown([...prefix, name])} | default(…)\`.`,
      at: reference.at,
      related: [{ at: input.at, note: 'the input' }],
    }
  }
  return nestedProblem(reference, prefix.length + 1, mapIn(mapIn(schema.json, 'properties'), name))
}

/** Steps into an input whose schema says what is inside. */
function nestedProblem(reference: Reference, depth: number, json: DataMap | undefined): Problem | undefined {
  const step = reference.path[depth]
  if (step === undefined || json === undefined) return undefined
  if (step === '*') return nestedProblem(reference, depth + 1, mapIn(json, 'items'))
  const properties = mapIn(json, 'properties')
  if (properties === undefined) return nestedProblem(reference, depth + 1, mapIn(json, 'additionalProperties'))
  const inner = mapIn(properties, step)
  if (inner !== undefined) return nestedProblem(reference, depth + 1, inner)
  return unknownInput(reference, { depth, json, guarded: reference.guarded.has(depth + 1) })
}

/** A name that the schema does not have can never be given; a reference that provides for that is only idle. */
function unknownInput(
  { path, at }: Reference,
  { depth, json, guarded }: { readonly depth: number; readonly json: DataMap; readonly guarded: boolean },
): Problem | undefined {
  const open = json['additionalProperties']
  if (open === true || isMap(open)) return undefined
  const name = path[depth] ?? ''
  const known = Object.keys(mapIn(json, 'properties') ?? {})
  return {
    code: 'contract-input-missing',
    severity: guarded ? 'warning' : 'error',
    message: `The template reads \`${shown(path.slice(0, depth + 1))}\`, and the schema has no such input${
      guarded ? ', so it never has another value than its default' : ''
    }.${didYouMean(name, known)}`,
    expected: expectedNames(name, known, 'input'),
    remedy: 'Correct the name, or add the input to the schema.',
    at,
  }
}
