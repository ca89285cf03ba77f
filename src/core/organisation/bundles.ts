import { type Bundle, readBundle } from '../bundle.ts'
import { didYouMean } from '../nearest.ts'
import type { Place } from '../problem.ts'
import type { ServiceSpec } from '../spec.ts'
import { compareVersions } from '../version.ts'
import { type Loaded, problem, type Reading, type ServiceStage } from './model.ts'

/** The bundle that a file names, or nothing, with a Problem that says which there are. */
export function findBundle(
  reading: Reading,
  {
    template: name,
    version,
    kind,
    at,
  }: {
    readonly template: string
    readonly version: string
    readonly kind: 'environment' | 'service'
    readonly at: Place
  },
): Bundle | undefined {
  const { catalog, problems } = reading
  const loaded = loadBundle(reading, name, version)
  if (loaded.is === 'broken') return undefined
  if (loaded.is === 'there') {
    const { bundle } = loaded
    if (bundle.kind === kind) return bundle
    const others = [...catalog.templates.values()]
      .filter((template) => template.kind === kind)
      .map((template) => template.name)
    problems.push(
      problem('wrong-template', at, {
        message: `"${name}" is a template of kind ${bundle.kind}, and a template of kind ${kind} is wanted here.`,
        expected:
          others.length === 0 ? `A template of kind ${kind}; the catalog has none.` : `One of ${others.join(', ')}.`,
        remedy: 'Choose another template.',
      }),
    )
    return undefined
  }
  const template = catalog.templates.get(name)
  const versions = new Set([...(template?.bundles.values() ?? [])].map((each) => each.version))
  for (const tag of reading.releases) if (tag.startsWith(`${name}@`)) versions.add(tag.slice(name.length + 1))
  // Which versions a template that cannot be read would have offered is not known.
  if (reading.broken.has(name)) return undefined
  if (template === undefined && versions.size === 0) {
    const names = [...catalog.templates.values()].filter((each) => each.kind === kind).map((each) => each.name)
    problems.push(
      problem('unknown-template', at, {
        message: `The catalog has no template "${name}".${didYouMean(name, names)}`,
        expected:
          names.length === 0 ? `A template of kind ${kind}; the catalog has none.` : `One of ${names.join(', ')}.`,
        remedy: 'Correct the name.',
      }),
    )
  } else {
    const there = [...versions].filter((each) => each !== version).toSorted(compareVersions)
    problems.push(
      problem('unknown-version', at, {
        message: versions.has(version)
          ? `The tag ${name}@${version} is there, and holds no bundle in templates/${name}/v${version.split('.')[0]}.`
          : `The template "${name}" has no version ${version}.`,
        expected: `One of ${there.slice(-12).join(', ')}.`,
        remedy: `Use ${there.at(-1) ?? 'another version'}, or fetch the tags if the version was released (\`git fetch --tags\`).`,
      }),
    )
  }
  return undefined
}

/** Each bundle is read once, however many readings there are; each reading tells of one that is broken. */
export function loadBundle(reading: Reading, name: string, version: string): Loaded {
  const id = `${name}@${version}`
  const loaded = reading.bundles.get(id) ?? readLoaded(reading, name, version)
  reading.bundles.set(id, loaded)
  if (loaded.is !== 'absent' && !reading.told.has(id)) reading.problems.push(...loaded.problems)
  reading.told.add(id)
  return loaded
}

function readLoaded({ catalog, released }: Reading, name: string, version: string): Loaded {
  const offered = [...(catalog.templates.get(name)?.bundles.values() ?? [])]
  const bundle = offered.find((each) => each.version === version)
  if (bundle !== undefined) return { is: 'there', bundle, problems: [] }
  const files = released(name, version)
  if (files === undefined) return { is: 'absent' }
  const read = readBundle(files, { template: name, version, root: `${name}@${version}` })
  // Warnings on a version that is released cannot be mended any more.
  const problems = read.problems.filter(({ severity }) => severity === 'error')
  return read.ok ? { is: 'there', bundle: read.value, problems } : { is: 'broken', problems }
}

export function checkCompatible(
  { catalog, problems }: Reading,
  {
    spec,
    bundle,
    stages,
  }: { readonly spec: ServiceSpec; readonly bundle: Bundle; readonly stages: readonly ServiceStage[] },
): void {
  if (bundle.compatible.length === 0) return
  const told = new Set<string>()
  for (const { stage } of stages) {
    const environment = catalog.environments.get(stage.environment)
    if (environment === undefined) continue
    const major = Number(environment.version.split('.')[0])
    if (bundle.compatible.some((each) => each.template === environment.template && each.major === major)) continue
    const name = `${environment.template}:${major}`
    if (told.has(name)) continue
    told.add(name)
    problems.push({
      ...problem('template-incompatible', spec.document.place(['template']), {
        message: `"${spec.template}@${spec.version}" does not run in the environment "${environment.name}" of the stage "${stage.name}", which is made by ${name}.`,
        expected: `An environment of ${bundle.compatible.map((each) => `${each.template}:${each.major}`).join(' or ')}.`,
        remedy:
          'Choose a template or a version that fits, or let its owners add the environment to `.compatible-envs`.',
      }),
      related: [{ at: environment.document.place(['template']), note: 'the template of the environment' }],
    })
  }
}
