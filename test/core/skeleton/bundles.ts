import { type Bundle, readBundle } from '../../../src/core/bundle.ts'
import { type DataMap, mapOf } from '../../../src/core/data.ts'
import { lockFile, mergeSkeleton, planSkeleton, type SkeletonMerge } from '../../../src/core/skeleton.ts'
import type { Choice, Ours } from '../../../src/core/skeleton.ts'
import { manifest, schemaFile, treeOf } from '../trees.ts'

export type Files = Readonly<Record<string, string | undefined>>

const service = {
  'schema/schema.yaml': schemaFile(
    'service',
    'properties: { port: { type: integer, default: 8080 }, ratio: { type: number, default: 2.0 }, note: { type: string } }',
  ),
  'instance_infrastructure/manifest.yaml': manifest,
  'instance_infrastructure/cloudformation.yaml': 'Resources: {}\n',
}

/** Reads a bundle of services with these files beside what every bundle has. */
export function readWith(files: Files, version = '1.0.0') {
  return readBundle(treeOf(service, files), {
    template: 'web',
    version,
    root: `templates/web/v${version.split('.')[0]}`,
  })
}

export function bundleWith(files: Files, version = '1.0.0'): Bundle {
  const read = readWith(files, version)
  if (!read.ok) throw new Error(read.problems.map(({ message }) => message).join('\n'))
  return read.value
}

/** Files below `skeleton/`, and whose they are. */
export function skeletonOf(files: Files, owners: Readonly<Record<string, string>> = {}): Files {
  const said = Object.entries(owners).map(([path, owner]) => `  ${JSON.stringify(path)}: ${owner}\n`)
  return {
    ...Object.fromEntries(Object.entries(files).map(([path, text]) => [`skeleton/${path}`, text])),
    ...(said.length === 0 ? {} : { 'skeleton.yaml': `files:\n${said.join('')}` }),
  }
}

/** A repository as it is upgraded again and again: its files, among them the lock, and what its service.yaml says. */
export class Repository {
  readonly files = new Map<string, string>()
  readonly others = new Map<string, 'binary' | 'link' | 'folder' | 'large'>()
  readonly released = new Map<string, Bundle>()
  inputs: DataMap = mapOf()
  name = 'cart'
  #from: Bundle | undefined
  #values: { readonly name: string; readonly inputs: DataMap } | undefined

  /** Brings it to a version, as a pull request that is merged. */
  upgrade(to: Bundle, decisions: ReadonlyMap<string, Choice> = new Map()): SkeletonMerge {
    const values = { name: this.name, inputs: this.inputs }
    const plan = planSkeleton({
      lock: this.files.get(lockFile),
      ...(this.#from === undefined ? {} : { from: { bundle: this.#from, values: this.#values ?? values } }),
      to: { bundle: to, values },
      bundleOf: (template, version) => this.released.get(`${template}@${version}`),
    })
    if (!plan.ok) throw new Error(plan.problems.map(({ message }) => message).join('\n'))
    // No more is known of a repository than what was asked for.
    const asked = new Set(plan.value.reads)
    const ours: Ours = {
      files: new Map([...this.files].filter(([path]) => asked.has(path))),
      others: new Map([...this.others, ...this.#folders()].filter(([path]) => asked.has(path))),
    }
    const merged = mergeSkeleton(plan.value, { ours, decisions })
    for (const [path, text] of merged.files) this.files.set(path, text)
    for (const path of merged.deleted) this.files.delete(path)
    this.released.set(`${to.template}@${to.version}`, to)
    this.#from = to
    this.#values = values
    return merged
  }

  #folders(): ReadonlyMap<string, 'folder'> {
    const folders = new Map<string, 'folder'>()
    for (const path of this.files.keys())
      for (let end = path.indexOf('/'); end !== -1; end = path.indexOf('/', end + 1))
        folders.set(path.slice(0, end), 'folder')
    return folders
  }
}

/** What is said, in short: `updated Dockerfile`, `kept deleted README.md`. */
export function said({ outcomes }: SkeletonMerge): readonly string[] {
  return outcomes.map((each) => `${each.is}${'why' in each ? ` ${each.why}` : ''} ${each.path}`)
}
