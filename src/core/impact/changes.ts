import type { Bundle, Kind } from '../bundle.ts'
import { compareText } from '../canonical.ts'
import type { Catalog } from '../catalog.ts'
import { environmentOutputs } from '../contract.ts'
import { referencesOf } from '../jinja/index.ts'
import { isProposed, releaseStatus } from '../release/status.ts'
import { templateOf } from '../render.ts'
import type { Template } from '../template.ts'
import { compareVersions, parseVersion } from '../version.ts'

/**
 * A template that is another after a change. `majors` are those whose version or files differ. One that was a draft or taken back, and is
 * proposed to people from now on, is as good as new: it has no `before`.
 */
export type TemplateChange = {
  readonly template: string
  readonly kind: Kind
  readonly is: 'added' | 'removed' | 'changed'
  /** Of one that was removed: the added one that has its files. */
  readonly renamed?: string
  readonly majors: readonly { readonly major: number; readonly before?: string; readonly after?: string }[]
}

type Templates = Pick<Catalog, 'templates'>

/** The templates that differ between two catalogs, by their names. */
export function changedTemplates(before: Templates, after: Templates): readonly TemplateChange[] {
  const names = [...new Set([...before.templates.keys(), ...after.templates.keys()])].toSorted(compareText)
  const added = [...after.templates.values()].filter(({ name }) => !before.templates.has(name))
  return names.flatMap((name): TemplateChange[] => {
    const [was, is] = [before.templates.get(name), after.templates.get(name)]
    const kind = is?.kind ?? was?.kind
    const majors = changedMajors(was, is)
    if (kind === undefined || majors.length === 0) return []
    const renamed = is === undefined && was !== undefined ? added.find((each) => isLike(was, each))?.name : undefined
    return [
      {
        template: name,
        kind,
        is: was === undefined ? 'added' : is === undefined ? 'removed' : 'changed',
        ...(renamed !== undefined && { renamed }),
        majors,
      },
    ]
  })
}

function changedMajors(before: Template | undefined, after: Template | undefined): TemplateChange['majors'] {
  const majors = new Set([...(before?.bundles.keys() ?? []), ...(after?.bundles.keys() ?? [])])
  return [...majors]
    .toSorted((a, b) => a - b)
    .flatMap((major) => {
      const [there, is] = [before?.bundles.get(major), after?.bundles.get(major)]
      const isHeld = there !== undefined && before !== undefined && !isProposed(releaseStatus(before, there.version))
      const isOffered = is !== undefined && after !== undefined && isProposed(releaseStatus(after, is.version))
      const was = isHeld && isOffered ? undefined : there
      if (was !== undefined && is !== undefined && was.version === is.version && sameFiles(was, is)) return []
      return [
        { major, ...(was !== undefined && { before: was.version }), ...(is !== undefined && { after: is.version }) },
      ]
    })
}

function sameFiles({ files: one }: Bundle, { files: other }: Bundle): boolean {
  return one.size === other.size && [...one].every(([path, text]) => other.get(path) === text)
}

/** Half of the files of one of its versions are those of the other template. */
function isLike(was: Template, other: Template): boolean {
  if (was.kind !== other.kind) return false
  const there = new Set(
    [...other.bundles.values()].flatMap(({ files }) => [...files].map(([path, text]) => `${path}\0${text}`)),
  )
  return [...was.bundles.values()].some(({ files }) => {
    const same = [...files].filter(([path, text]) => there.has(`${path}\0${text}`))
    return files.size > 0 && same.length * 2 >= files.size
  })
}

/**
 * The version that a change has in store for who runs another one: that of the same major, if the change is about it; otherwise the
 * next major where the change brings it, or takes the own one away. Nothing where the change is not about it, or offers less.
 */
export function targetOf(
  { template, version }: { readonly template: string; readonly version: string },
  { changes, after }: { readonly changes: readonly TemplateChange[]; readonly after: Templates },
): string | undefined {
  const change = changes.find((each) => each.template === template)
  const major = parseVersion(version)?.major
  if (change === undefined || major === undefined) return undefined
  const own = change.majors.find((each) => each.major === major)
  const [next] = [...(after.templates.get(template)?.bundles.values() ?? [])]
    .map((bundle) => bundle.version)
    .filter((each) => (parseVersion(each)?.major ?? 0) > major)
    .toSorted(compareVersions)
  const isNew = change.majors.some(
    ({ before, after: now }) => before === undefined && now !== undefined && now === next,
  )
  const offered = own?.after ?? (isNew || (own !== undefined && own.after === undefined) ? next : undefined)
  return offered === undefined || compareVersions(offered, version) < 0 ? undefined : offered
}

/**
 * The outputs of its environment that a bundle reads, by their names; `*` where it takes them all, by a name that is made up while it
 * renders or as they are.
 */
export function outputsRead(bundle: Bundle): ReadonlySet<string> {
  const before = read.get(bundle)
  if (before !== undefined) return before
  const names = new Set<string>()
  for (const part of bundle.parts) {
    const prefixes = part.name === 'component' ? [['environment', 'outputs']] : environmentOutputs[part.name]
    for (const file of [part.file, ...(part.others ?? [])]) {
      if (file === undefined || prefixes.length === 0) continue
      // A template that is not rendered gets its parameters by the names of outputs.
      const template = part.engine === 'jinja' ? templateOf(bundle, file) : undefined
      if (template?.ok !== true) names.add('*')
      else for (const { path } of referencesOf(template.value)) addRead(names, path, prefixes)
    }
  }
  read.set(bundle, names)
  return names
}

const read = new WeakMap<Bundle, ReadonlySet<string>>()

function addRead(names: Set<string>, path: readonly string[], prefixes: readonly (readonly string[])[]): void {
  for (const prefix of prefixes) {
    const shared = Math.min(prefix.length, path.length)
    if (!prefix.slice(0, shared).every((step, index) => path[index] === step)) continue
    // A part of the way alone hands on all that lies behind it.
    names.add(path.length > prefix.length ? (path[prefix.length] ?? '*') : '*')
  }
}
