import { compareText } from '../core/canonical.ts'
import { caseTwins, checkPath } from '../core/paths.ts'
import type { Problem } from '../core/problem.ts'
import { passedOver } from '../core/skeleton/names.ts'
import type { FileTree } from '../core/tree.ts'

/** What a directory and a git tree have in common when they become a `FileTree`: which entries are taken, and how. */

export type ReadTree = { readonly tree: FileTree; readonly problems: readonly Problem[] }

export const limits = {
  /** Bytes of one file. */
  file: 1024 * 1024,
  /** Bytes of one file that Protium wrote itself, for a later job. */
  own: 16 * 1024 * 1024,
  /** Files of one tree. */
  files: 100_000,
  /** Bytes of all files of one tree. */
  total: 64 * 1024 * 1024,
} as const

/** Folders that hold nothing of an organisation: git's own, installed packages, Protium's state. */
const skipped: ReadonlySet<string> = new Set(['.git', 'node_modules', '.protium'])

/**
 * Whether what lies at a path is passed over, on the disk as in git: a release has to be the same from both. In the skeleton of a
 * template, where somebody means something by it, that is told.
 */
export function isPassedOver(into: Gathering, path: string): boolean {
  const segments = path.split('/')
  const last = segments.findIndex((segment) => skipped.has(segment))
  if (last === -1) return false
  const problem = passedOver(segments.slice(0, last + 1).join('/'))
  const isTold = into.problems.some(({ code, at }) => code === problem?.code && at?.file === problem.at?.file)
  if (problem !== undefined && !isTold) into.problems.push(problem)
  return true
}

/** A tree that is being read. Whatever is not taken is among the problems. */
export type Gathering = {
  readonly files: Map<string, string>
  readonly problems: Problem[]
  /** How many files were admitted, and their bytes. */
  admitted: number
  bytes: number
  /** Nothing more is admitted. */
  full: boolean
  /** Bytes of one file. */
  readonly most: number
}

export function gathering(most: number = limits.file): Gathering {
  return { files: new Map(), problems: [], admitted: 0, bytes: 0, full: false, most }
}

/** The tree in the order of its paths, and the problems of its files and of their names. */
export function gathered({ files, problems }: Gathering): ReadTree {
  const paths = [...files.keys()].toSorted(compareText)
  const tree = new Map(paths.map((path) => [path, files.get(path) ?? '']))
  return { tree, problems: [...problems, ...caseTwins(paths)] }
}

/** Whether a file of this path and size may be read; if not, the problem is noted. */
export function admit(into: Gathering, path: string, size: number): boolean {
  const safe = checkPath(path)
  if (!safe.ok) {
    into.problems.push(
      ...safe.problems.map((problem) => ({ ...problem, severity: severityOf(path), at: placeOf(path) })),
    )
    return false
  }
  if (size > into.most) {
    into.problems.push(tooLong(path, size, into.most))
    return false
  }
  if (into.admitted >= limits.files || into.bytes + size > limits.total) {
    if (!into.full) into.problems.push(treeTooLarge(path))
    into.full = true
    return false
  }
  into.admitted += 1
  into.bytes += size
  return true
}

/** Adds the bytes of an admitted file as text, or notes that they are none. */
export function add(into: Gathering, path: string, bytes: Uint8Array): void {
  const text = decode(bytes)
  if (text === undefined) into.problems.push(notText(path))
  else into.files.set(path, text)
}

/** UTF-8 without a zero byte, or nothing. A byte order mark stays, for the reader of the text to complain of. */
export function decode(bytes: Uint8Array): string | undefined {
  if (bytes.includes(0)) return undefined
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return undefined
  }
}

/** An entry that is no file of its own: a link, a pipe, a submodule. */
export function notAFile(path: string, kind: string): Problem {
  return {
    code: 'not-a-file',
    severity: 'error',
    message: `"${path}" is ${kind}.`,
    expected: 'A regular file or a folder; what is reviewed is then what is read.',
    remedy: 'Put a copy of the content in its place, or remove it.',
    at: placeOf(path),
  }
}

/** A file that a person names and that is not there. */
export function noFile(file: string): Problem {
  return {
    code: 'missing-file',
    severity: 'error',
    message: `There is no file "${file}".`,
    remedy: 'Correct the path.',
  }
}

export function tooLong(path: string, size: number, most: number): Problem {
  return {
    code: 'file-too-large',
    severity: severityOf(path),
    message: `"${path}" has ${size.toLocaleString('en')} bytes and is left out.`,
    expected: `At most ${most.toLocaleString('en')} bytes in a file.`,
    remedy: 'Split the file, or keep it outside of the repository.',
    at: placeOf(path),
  }
}

function treeTooLarge(path: string): Problem {
  return {
    code: 'tree-too-large',
    severity: 'error',
    message: 'The folder holds more files than are read at once; the rest is left out.',
    expected: `At most ${limits.files.toLocaleString('en')} files with ${limits.total.toLocaleString('en')} bytes together.`,
    remedy: 'Run the command in the folder that holds catalog.yaml or service.yaml alone.',
    at: placeOf(path),
  }
}

export function notText(path: string): Problem {
  return {
    code: 'file-encoding',
    severity: severityOf(path),
    message: `"${path}" is not a text in UTF-8 and is left out.`,
    expected: 'Text in UTF-8 without zero bytes.',
    remedy: 'Save the file as UTF-8; a file that is no text belongs into a package or a bucket.',
    at: placeOf(path),
  }
}

/** What Protium reads must be whole; a picture or an archive beside it may be left out with a warning. */
function severityOf(path: string): 'error' | 'warning' {
  return /\.(?:ya?ml|json|tf|tfvars|hcl|j2|jinja2?|txt)$|(?:^|\/)\.[^/.]+$/.test(path) ? 'error' : 'warning'
}

function placeOf(path: string): { file: string; line: number; column: number } {
  return { file: path, line: 1, column: 1 }
}
