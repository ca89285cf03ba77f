import type { FileTree } from './tree.ts'
import type { Checked, Problem } from './problem.ts'

const LONGEST_PATH = 240
const MOST_SEGMENTS = 12

/**
 * A path of a repository, as it was given, if it is safe to read and to write on every system: relative, `/` between its
 * segments, and no segment that a file system could read as something else. Refused are `.`, `..` and empty segments,
 * backslashes, colons, control and invisible characters, percent signs before hex digits, text that is not in Unicode's
 * normal form NFC, a dot or a space at an end, `.git` in any case, more than 240 characters, more than 12 segments.
 * Nothing is repaired: a path with two spellings is how one file passes for another.
 */
export function checkPath(path: string): Checked<string> {
  const wrong = fault(path)
  return wrong === undefined ? { ok: true, value: path, problems: [] } : { ok: false, problems: [refusal(path, wrong)] }
}

/**
 * The path of `relative` as seen from `folder`. One leading `./` is allowed, since people write it; `..` never is, so the
 * result lies inside the folder. An empty `folder` is the root of the repository.
 */
export function resolveInside(folder: string, relative: string): Checked<string> {
  const wanted = checkPath(relative.startsWith('./') ? relative.slice(2) : relative)
  if (!wanted.ok || folder === '') return wanted
  return checkPath(`${folder}/${wanted.value}`)
}

/** The files below a folder, by their paths relative to it; all of them when the folder is empty. */
export function subtree(tree: FileTree, folder: string): FileTree {
  if (folder === '') return tree
  const prefix = folder.endsWith('/') ? folder : `${folder}/`
  const inside = new Map<string, string>()
  for (const [path, text] of tree) {
    if (path.startsWith(prefix)) inside.set(path.slice(prefix.length), text)
  }
  return inside
}

/**
 * Files that a Mac or Windows would take for one (`Readme.md`, `README.md`): each but the first is a Problem, for a
 * checkout there holds only one of them and nobody knows which. Folders count too: `A/x` and `a/y` are twins.
 */
export function caseTwins(paths: Iterable<string>): Problem[] {
  const spelt = new Map<string, string>()
  const told = new Set<string>()
  const problems: Problem[] = []
  for (const path of paths) {
    for (let end = path.indexOf('/'); ; end = path.indexOf('/', end + 1)) {
      const part = end === -1 ? path : path.slice(0, end)
      const folded = part.toLowerCase().toUpperCase()
      const first = spelt.get(folded) ?? part
      spelt.set(folded, first)
      if (first !== part && !told.has(part)) {
        told.add(part)
        problems.push(twins(part, first))
        break
      }
      if (end === -1) break
    }
  }
  return problems
}

function twins(path: string, first: string): Problem {
  return {
    code: 'path-twins',
    severity: 'error',
    message: `"${path}" and "${first}" differ only in upper and lower case.`,
    expected: 'Names that differ in more than case, since Windows and macOS see these two as one.',
    remedy: `Rename one of the two.`,
    at: { file: path, line: 1, column: 1 },
  }
}

/** What is wrong with a path, as the end of a sentence that begins with the path. */
function fault(path: string): string | undefined {
  if (path === '') return 'is empty'
  if (path.length > LONGEST_PATH) return `is longer than ${LONGEST_PATH} characters`
  if (/\p{Cc}|\p{Cf}|\p{Zl}|\p{Zp}|\p{Cs}/u.test(path)) return 'holds a control or invisible character'
  if (path.includes('\\')) return 'holds a backslash'
  if (path.startsWith('/')) return 'begins with "/"'
  if (path.includes(':')) return 'holds a colon'
  if (/%[0-9a-f]{2}/i.test(path)) return 'holds a percent-encoded character'
  if (path !== path.normalize('NFC')) return 'is not in the normal form NFC of Unicode'
  const segments = path.split('/')
  if (segments.length > MOST_SEGMENTS) return `has more than ${MOST_SEGMENTS} segments`
  for (const segment of segments) {
    if (segment === '') return 'has an empty segment ("//" or a "/" at the end)'
    if (segment === '.' || segment === '..') return `has the segment "${segment}"`
    if (/[. ]$/.test(segment)) return 'has a segment that ends with a dot or a space'
    if (segment.startsWith(' ')) return 'has a segment that begins with a space'
    // The second is the short name that Windows gives to the first.
    if (/^(\.git|git~\d+)$/i.test(segment)) return `has the segment "${segment}", where git keeps its own files`
  }
  return undefined
}

function refusal(path: string, wrong: string): Problem {
  return {
    code: 'unsafe-path',
    severity: 'error',
    message: `The path ${JSON.stringify(path.slice(0, LONGEST_PATH))} ${wrong}.`,
    expected: 'A relative path inside the repository, such as "infrastructure/cloudformation.yaml".',
    remedy: 'Write the path from the folder that the file lies in, without ".." and without special characters.',
  }
}
