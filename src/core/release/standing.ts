import type { Bundle } from '../bundle.ts'
import type { Catalog } from '../catalog.ts'
import { didYouMean } from '../nearest.ts'
import type { Organisation } from '../organisation.ts'
import type { Place, Problem } from '../problem.ts'
import { list } from '../report.ts'
import type { Template } from '../template.ts'
import { parseVersion } from '../version.ts'
import { bundleDigest, releaseName, type ReleaseRecord } from './model.ts'
import { statusProblem } from './status.ts'

/** Somebody who runs a version of a template: a service, or an environment. */
type Runner = {
  readonly name: string
  readonly template: string
  readonly version: string
  readonly at: Place
  readonly isProduction: boolean
  readonly bundle?: Bundle
}

/** Who of an organisation runs which version, in its order. */
export function runnersOf({ catalog, services }: Pick<Organisation, 'catalog' | 'services'>): readonly Runner[] {
  const environments = [...catalog.environments.values()].map(({ name, template, version, document }): Runner => ({
    name: `environment/${name}`,
    template,
    version,
    at: document.place(['template']),
    isProduction: catalog.stages.some((stage) => stage.production && stage.environment === name),
  }))
  const others = services.map(({ service, spec, bundle, stages }): Runner => ({
    name: service,
    template: spec.template,
    version: spec.version,
    at: spec.document.place(['template']),
    isProduction: stages.some(({ stage }) => stage.production),
    bundle,
  }))
  return [...environments, ...others]
}

/**
 * What those are told who run something that is a draft, deprecated, yanked, or no longer in the catalog. `released` are the tags
 * of releases that there are, to name a way from it.
 */
export function standingProblems(
  organisation: Pick<Organisation, 'catalog' | 'services'>,
  { released, now }: { readonly released: readonly string[]; readonly now: Date },
): readonly Problem[] {
  const { catalog } = organisation
  return runnersOf(organisation).flatMap((runner): readonly Problem[] => {
    const template = catalog.templates.get(runner.template)
    if (template === undefined) return [goneTemplate(runner, catalog)]
    const versions = versionsAmong(released, template.name)
    const told = statusProblem(runner, { template, released: versions, now })
    if (told !== undefined) return [told]
    const major = parseVersion(runner.version)?.major ?? 0
    return template.bundles.has(major) ? [] : [goneMajor(runner, template)]
  })
}

/** The versions of a template among the names of tags. */
export function versionsAmong(tags: readonly string[], template: string): readonly string[] {
  return tags.filter((tag) => tag.startsWith(`${template}@`)).map((tag) => tag.slice(template.length + 1))
}

function goneTemplate({ template, version, at, bundle }: Runner, { templates }: Catalog): Problem {
  const twin = bundle === undefined ? undefined : twinOf(bundle, templates.values())
  return {
    code: 'template-gone',
    severity: 'warning',
    message: `The catalog has no template "${template}" any more; ${template}@${version} is rendered from its tag, and gets no upgrades.${
      twin === undefined ? didYouMean(template, templates.keys()) : ` It seems to be called "${twin.template}" now.`
    }`,
    expected: 'A template of the catalog.',
    remedy:
      twin === undefined
        ? 'Go to another template, or bring the folder of this one back as it was released.'
        : `Write \`template: ${twin.template}@${twin.version}\`; its files are the same. A stack is not touched by that.`,
    at,
  }
}

/** A template of the checkout with the very files of a released bundle: it was renamed. */
function twinOf(bundle: Bundle, templates: Iterable<Template>): Bundle | undefined {
  const wanted = bundleDigest(bundle.files)
  return [...templates]
    .flatMap(({ bundles }) => [...bundles.values()])
    .find(({ files }) => bundleDigest(files) === wanted)
}

function goneMajor({ template: name, version, at }: Runner, { bundles }: Template): Problem {
  const major = parseVersion(version)?.major ?? 0
  const there = [...bundles.keys()].map((each) => `v${each}`)
  return {
    code: 'template-gone',
    severity: 'warning',
    message: `The catalog has no \`v${major}/\` of "${name}" any more; ${name}@${version} is rendered from its tag, and gets no mends.`,
    expected: `A version of ${list(there)}.`,
    remedy: `Go to another major version, or bring \`templates/${name}/v${major}/\` back as it was released.`,
    at,
  }
}

/** Bundles of the checkout that are not what was released under their numbers, save for drafts: each once. */
export function changedReleases(
  catalog: Pick<Catalog, 'templates'>,
  { bundles, releases }: { readonly bundles: Iterable<Bundle>; readonly releases: readonly ReleaseRecord[] },
): readonly Problem[] {
  const known = new Map(releases.map((release) => [releaseName(release), release]))
  return [...new Set(bundles)].flatMap((bundle): readonly Problem[] => {
    const template = catalog.templates.get(bundle.template)
    const release = known.get(releaseName(bundle))
    if (template === undefined || release === undefined) return []
    const major = parseVersion(bundle.version)?.major ?? 0
    const isOwn = template.bundles.get(major) === bundle
    if (!isOwn || bundleDigest(bundle.files) === release.digest) return []
    return [changedRelease(bundle, template.versionPlace(major))]
  })
}

/** What is said of a released version that was changed; `wanted` is the number that it must have instead, where that is known. */
export function changedRelease({ template, version }: Bundle, at: Place, wanted?: string): Problem {
  return {
    code: 'version-unchanged',
    severity: 'error',
    message: `The bundle of ${template}@${version} was changed, and that version is released.`,
    expected: wanted === undefined ? 'A new version for what was changed.' : `The version ${wanted}.`,
    remedy: 'Run `protium version --write`, or take the change back.',
    at,
  }
}
