import { complain, inRoot, type Reader } from '../bundle/reader.ts'
import { isMap } from '../data.ts'
import { parseTemplate, type Template } from '../jinja/index.ts'
import { didYouMean } from '../nearest.ts'
import type { Checked } from '../problem.ts'
import { skeletonSchema } from '../schemas/skeleton.ts'
import { checkShape, mapIn } from '../shape.ts'
import type { FileTree } from '../tree.ts'
import { readYaml } from '../yaml.ts'
import { takesBlock } from './block.ts'
import type { Ownership } from './model.ts'
import { nameProblem } from './names.ts'

/** Where the files lie in a bundle, and the file that says whose they are. */
export const skeletonFolder = 'skeleton/'
const ownersFile = 'skeleton.yaml'

/** Whether a file of a bundle is for the repositories of services, and no infrastructure. */
export function isOfSkeleton(file: string): boolean {
  return file === ownersFile || file.startsWith(skeletonFolder)
}

/** GitHub takes trees of about a hundred entries at a time, and a repository has other files than these. */
export const most = { files: 80, characters: 256 * 1024, together: 1024 * 1024 } as const

/** A file of a skeleton, before it is rendered: both its name and its text are templates. */
export type Source = {
  /** Relative to `skeleton/`. */
  readonly path: string
  readonly owner: Ownership
  readonly name: Template | undefined
  readonly text: Template
  /** Whether its last line ends: Jinja leaves the last end of line out. */
  readonly ended: boolean
  /** Whether there is anything in it: what then renders to nothing is not written. */
  readonly isEmpty: boolean
}

/**
 * The skeleton of a bundle, and all that is wrong with it: names that no repository may have, or that are not for a template
 * to write (`.github/` above all: what lies there runs with the rights of the repository), files that are no templates, and
 * what `skeleton.yaml` says of files that there are not.
 */
export function readSkeleton(
  files: FileTree,
  { root, kind }: { readonly root: string; readonly kind: string },
): Checked<readonly Source[]> {
  const reader: Reader = { files, root, problems: [] }
  const paths = [...files.keys()].flatMap((file) =>
    file.startsWith(skeletonFolder) ? [file.slice(skeletonFolder.length)] : [],
  )
  const owners = readOwners(reader, paths)
  if (paths.length > 0 && kind !== 'service')
    complain(reader, 'skeleton-invalid', {
      file: skeletonFolder.slice(0, -1),
      message: `A template of kind ${kind} has no repository of its own to write files to.`,
      expected: '`skeleton/` in templates of services.',
      remedy: 'Remove the folder.',
    })
  if (paths.length > most.files)
    complain(reader, 'skeleton-invalid', {
      file: skeletonFolder.slice(0, -1),
      message: `The skeleton has ${paths.length} files.`,
      expected: `At most ${most.files}.`,
      remedy: 'Leave what a service makes itself to the service.',
    })
  const sources = paths.slice(0, most.files).flatMap((path) => readSource(reader, path, owners(path)) ?? [])
  return reader.problems.some(({ severity }) => severity === 'error')
    ? { ok: false, problems: reader.problems }
    : { ok: true, value: sources, problems: reader.problems }
}

/** What `skeleton.yaml` says: each path has the owner of the longest entry that is it or a folder around it. */
function readOwners(reader: Reader, paths: readonly string[]): (path: string) => Ownership {
  const text = reader.files.get(ownersFile)
  const read = text === undefined ? undefined : readYaml(inRoot(reader, ownersFile), text, 'own')
  reader.problems.push(...(read?.problems ?? []))
  if (read?.ok !== true) return () => 'merge'
  const document = read.value
  reader.problems.push(...checkShape(document, skeletonSchema, 'a skeleton file'))
  const said = mapIn(isMap(document.data) ? document.data : undefined, 'files') ?? {}
  const entries: { readonly name: string; readonly owner: Ownership }[] = []
  for (const [name, value] of Object.entries(said)) {
    const owner = ownerships.find((each) => each === value)
    if (owner !== undefined) entries.push({ name, owner })
    if (paths.some((path) => path === name || (name.endsWith('/') && path.startsWith(name)))) continue
    complain(reader, 'skeleton-invalid', {
      at: document.keyPlace(['files', name]),
      message: `\`skeleton/\` has ${name.endsWith('/') ? 'no files in' : 'no file'} "${name}".${didYouMean(name, paths)}`,
      expected: 'The path of a file as it is called in `skeleton/`, or of a folder with a "/" at its end.',
      remedy: 'Correct the path, or remove the line.',
    })
  }
  const longest = entries.toSorted((a, b) => b.name.length - a.name.length)
  return (path) =>
    longest.find(({ name }) => path === name || (name.endsWith('/') && path.startsWith(name)))?.owner ?? 'merge'
}

const ownerships = ['managed', 'merge', 'seed', 'block'] as const satisfies readonly Ownership[]

function readSource(reader: Reader, path: string, owner: Ownership): Source | undefined {
  const file = `${skeletonFolder}${path}`
  const source = reader.files.get(file) ?? ''
  const isNamed = path.includes('{{') || path.includes('{%')
  // What an expression gives is not known yet: here it is a word like another.
  const wrong = nameProblem(isNamed ? path.replaceAll(/\{\{.*?\}\}/gu, 'x') : path)
  if (wrong !== undefined) {
    reader.problems.push({ ...wrong, at: { file: inRoot(reader, file), line: 1, column: 1 } })
    return undefined
  }
  if (owner === 'block' && !takesBlock(path)) {
    complain(reader, 'skeleton-invalid', {
      file,
      message: `It is not known how a comment is written in "${path}", and a block stands between two comments.`,
      expected: '`block` for a type of file with comments, such as `.md`, `.yaml`, `.gitignore` or a Dockerfile.',
      remedy: 'Give it another owner in `skeleton.yaml`: `managed`, `merge` or `seed`.',
    })
  }
  const options = { files: reader.files, root: reader.root }
  const name = isNamed ? parseTemplate(inRoot(reader, file), path, options) : undefined
  const text = parseTemplate(inRoot(reader, file), source, options)
  reader.problems.push(...(name?.problems ?? []), ...text.problems)
  if (!text.ok || name?.ok === false) return undefined
  return {
    path,
    owner,
    name: name?.value,
    text: text.value,
    ended: source.endsWith('\n'),
    isEmpty: source.trim() === '',
  }
}
