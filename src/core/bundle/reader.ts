import type { Place, Problem } from '../problem.ts'
import type { FileTree } from '../tree.ts'
import { type Document, readYaml } from '../yaml.ts'

export type Reader = { readonly files: FileTree; readonly root: string; readonly problems: Problem[] }

type Complaint = {
  /** Relative to the bundle, or a place. */
  readonly file?: string
  readonly at?: Place
  readonly message: string
  readonly expected?: string
  readonly remedy: string
  readonly severity?: 'warning'
}

export function complain(
  reader: Reader,
  code:
    | 'bundle-layout'
    | 'compatible-environments'
    | 'irregular-form'
    | 'manifest-invalid'
    | 'missing-file'
    | 'path-outside-bundle'
    | 'schema-invalid'
    | 'skeleton-invalid'
    | 'unknown-engine',
  complaint: Complaint,
): void {
  const { message, expected, remedy, severity } = complaint
  reader.problems.push({
    code,
    severity: severity ?? 'error',
    message,
    ...(expected === undefined ? {} : { expected }),
    remedy,
    at: complaint.at ?? { file: inRoot(reader, complaint.file ?? ''), line: 1, column: 1 },
  })
}

export function irregular(reader: Reader, at: Place, message: string, instead: string): void {
  complain(reader, 'irregular-form', {
    at,
    severity: 'warning',
    message: `${message} It is read all the same.`,
    expected: `\`${instead}\`.`,
    remedy: `Rename it to \`${instead}\`.`,
  })
}

export function inRoot(reader: Reader, file: string): string {
  return reader.root === '' ? file : file === '' ? reader.root : `${reader.root}/${file}`
}

/** A YAML file of the bundle by either ending; nothing when there is none or when it could not be read (which is then told). */
export function open(reader: Reader, ...names: readonly string[]): Document | undefined {
  for (const name of names) {
    const text = reader.files.get(name)
    if (text === undefined) continue
    const document = readYaml(inRoot(reader, name), text, 'schema')
    reader.problems.push(...document.problems)
    return document.ok ? document.value : undefined
  }
  return undefined
}

export function has(reader: Reader, folder: string): boolean {
  for (const path of reader.files.keys()) if (path.startsWith(`${folder}/`)) return true
  return false
}
