import { type Bundle, type Kind, readBundle } from './bundle.ts'
import { type DataMap, isMap, mapOf } from './data.ts'
import { subtree } from './paths.ts'
import type { Migration } from './migration/model.ts'
import { readMigrations } from './migration/read.ts'
import type { Checked, Place, Problem } from './problem.ts'
import { readRecommended, readSupport, type Said } from './release/status.ts'
import { templateSchema } from './schemas/template.ts'
import { checkShape, mapIn, textIn, textsIn } from './shape.ts'
import type { FileTree } from './tree.ts'
import { isTemplateName, parseVersion } from './version.ts'
import { type Document, readYaml } from './yaml.ts'

/** A named recipe: what `templates/<name>/` holds. The checkout offers one version a major. */
export type Template = {
  readonly name: string
  readonly kind: Kind
  readonly folder: string
  /** By major, lowest first. */
  readonly bundles: ReadonlyMap<number, Bundle>
  readonly description?: string
  readonly owners: readonly string[]
  /** Where people get help: a channel, a page, an address. */
  readonly help?: string
  /** What is said of versions, by `v2` or `2.1.0`; ask `releaseStatus`, which knows which of the two counts. */
  readonly support: ReadonlyMap<string, Said>
  /** The version that is offered to those who choose. */
  readonly recommended?: string
  /** How inputs become those of a version, lowest version first. */
  readonly migrations: readonly Migration[]
  /** What is new, by exact version. */
  readonly notes: ReadonlyMap<string, string>
  /** Where the exact version of a major is said; the beginning of the file where it is not. */
  readonly versionPlace: (major: number) => Place
}

/**
 * Reads `templates/<name>/`: our `template.yaml` if there is one, and every major (`v1`, or `1` as a part of Proton's users
 * wrote it). A folder that has only what Proton asks for is a template; its versions are `<major>.0.0`.
 */
export function readTemplate(
  files: FileTree,
  options: { readonly name: string; readonly folder: string },
): Checked<Template> {
  const { name, folder } = options
  const problems: Problem[] = []
  const at = (file: string): Place => ({ file: `${folder}/${file}`, line: 1, column: 1 })
  if (!isTemplateName(name)) {
    problems.push({
      code: 'template-name',
      severity: 'error',
      message: `"${name}" cannot be the name of a template.`,
      expected: 'Letters, digits, "-" and "_", at most 100, a letter or digit first.',
      remedy: 'Rename the folder.',
      at: at('template.yaml'),
    })
  }
  const { document, data } = readTemplateFile(files, folder, problems)
  const called = textIn(data, 'template')
  if (called !== undefined && called !== name && document !== undefined) {
    problems.push({
      code: 'template-name',
      severity: 'error',
      message: `The template is called "${called}", and its folder "${name}".`,
      expected: 'The same name.',
      remedy: 'Correct `template:`, or rename the folder.',
      at: document.place(['template']),
    })
  }
  const majors = majorsOf(files, folder, problems)
  if (majors.size === 0) {
    problems.push({
      code: 'bundle-layout',
      severity: 'error',
      message: `The template "${name}" has no version.`,
      expected: 'A folder `v1/` with `schema/schema.yaml` in it.',
      remedy: 'Add the folder, or remove the template.',
      at: at('template.yaml'),
    })
  }
  const versions = readVersions({ document, data, majors, problems })
  const bundles = new Map<number, Bundle>()
  for (const [major, directory] of [...majors].toSorted(([a], [b]) => a - b)) {
    const version = versions.get(major) ?? `${major}.0.0`
    const bundle = readBundle(subtree(files, directory), { template: name, version, root: `${folder}/${directory}` })
    problems.push(...bundle.problems)
    if (bundle.ok) bundles.set(major, bundle.value)
  }
  const migrations = readMigrations(files, folder)
  problems.push(...migrations.problems)
  const kind = checkKinds({ name, document, data, bundles, problems })
  const support = document === undefined ? new Map<string, Said>() : readSupport(document, problems)
  const recommended = document === undefined ? undefined : readRecommended(document, { support, problems })
  if (kind === undefined || problems.some((problem) => problem.severity === 'error')) return { ok: false, problems }
  const description = textIn(data, 'description')
  const help = textIn(data, 'help')
  return {
    ok: true,
    value: {
      name,
      kind,
      folder,
      bundles,
      ...(description === undefined ? {} : { description }),
      owners: textsIn(data, 'owners'),
      ...(help === undefined ? {} : { help }),
      support,
      ...(recommended === undefined ? {} : { recommended }),
      migrations: migrations.ok ? migrations.value : [],
      notes: textMap(mapIn(data, 'notes')),
      versionPlace: (major) => {
        const key = [`v${major}`, String(major)].find((each) => mapIn(data, 'versions')?.[each] !== undefined)
        return key === undefined ? at('template.yaml') : (document?.place(['versions', key]) ?? at('template.yaml'))
      },
    },
    problems,
  }
}

function readTemplateFile(
  files: FileTree,
  folder: string,
  problems: Problem[],
): { readonly document: Document | undefined; readonly data: DataMap } {
  const text = files.get('template.yaml')
  if (text === undefined) return { document: undefined, data: mapOf() }
  const read = readYaml(`${folder}/template.yaml`, text, 'own')
  problems.push(...read.problems)
  if (!read.ok) return { document: undefined, data: mapOf() }
  problems.push(...checkShape(read.value, templateSchema, 'a template file'))
  return { document: read.value, data: isMap(read.value.data) ? read.value.data : mapOf() }
}

/** The folders of the majors: `v2`, or `2`. */
function majorsOf(files: FileTree, folder: string, problems: Problem[]): Map<number, string> {
  const majors = new Map<number, string>()
  for (const path of files.keys()) {
    const directory = /^(v?(0|[1-9]\d{0,8}))\//.exec(path)
    const [name, digits] = [directory?.[1], directory?.[2]]
    if (name === undefined) continue
    const major = Number(digits)
    const other = majors.get(major)
    if (other !== undefined && other !== name) {
      if (problems.some((problem) => problem.code === 'bundle-layout' && problem.at?.file === `${folder}/${name}`))
        continue
      problems.push({
        code: 'bundle-layout',
        severity: 'error',
        message: `The major version ${major} lies in two folders, "${other}" and "${name}".`,
        expected: `One folder, \`v${major}/\`.`,
        remedy: 'Remove one of them.',
        at: { file: `${folder}/${name}`, line: 1, column: 1 },
      })
    } else {
      majors.set(major, name)
    }
  }
  return majors
}

function readVersions({
  document,
  data,
  majors,
  problems,
}: {
  readonly document: Document | undefined
  readonly data: DataMap
  readonly majors: ReadonlyMap<number, string>
  readonly problems: Problem[]
}): Map<number, string> {
  const versions = new Map<number, string>()
  for (const [key, value] of Object.entries(mapIn(data, 'versions') ?? {})) {
    const major = Number(/^v?(\d{1,9})$/.exec(key)?.[1])
    if (document === undefined || typeof value !== 'string' || Number.isNaN(major)) continue
    if (!majors.has(major)) {
      problems.push({
        code: 'missing-file',
        severity: 'error',
        message: `The version ${value} has no folder "v${major}".`,
        expected: `The folder \`v${major}/\` with the bundle.`,
        remedy: 'Add the folder, or remove the line.',
        at: document.keyPlace(['versions', key]),
      })
    } else if (parseVersion(value)?.major !== major) {
      problems.push({
        code: 'version-major',
        severity: 'error',
        message: `"${key}" has the version ${value}, which is of another major.`,
        expected: `A version ${major}.x.y.`,
        remedy: 'Correct the version, or move the bundle to the folder of its major.',
        at: document.place(['versions', key]),
      })
    } else {
      versions.set(major, value)
    }
  }
  return versions
}

function checkKinds({
  name,
  document,
  data,
  bundles,
  problems,
}: {
  readonly name: string
  readonly document: Document | undefined
  readonly data: DataMap
  readonly bundles: ReadonlyMap<number, Bundle>
  readonly problems: Problem[]
}): Kind | undefined {
  const said = textIn(data, 'kind')
  const first = [...bundles.values()][0]
  for (const bundle of bundles.values()) {
    const wanted = said ?? first?.kind
    if (bundle.kind === wanted) continue
    problems.push({
      code: 'template-kind',
      severity: 'error',
      message: `The template "${name}" is of kind ${wanted}, and the files in \`${bundle.root}\` are of a ${bundle.kind}.`,
      expected: 'One kind for all versions of a template.',
      remedy: 'Correct `kind:`, or make another template.',
      at: document?.place(['kind']) ?? { file: bundle.root, line: 1, column: 1 },
    })
  }
  return first?.kind
}

function textMap(map: DataMap | undefined): ReadonlyMap<string, string> {
  const texts = new Map<string, string>()
  for (const [key, value] of Object.entries(map ?? {})) if (typeof value === 'string') texts.set(key, value)
  return texts
}
