import { same } from '../canonical.ts'
import { type Data, type DataMap, isList, isMap, mapOf, type Path } from '../data.ts'
import type { Place, Problem } from '../problem.ts'
import type { Document } from '../yaml.ts'

/** A rendered template of several that make up one stack. */
export type Piece = { readonly document: Document; readonly body: DataMap }

/**
 * Several templates as one: their sections put together. A name that two of them have is a Problem, except a declaration
 * that is the same in both (a Parameter, a Mapping, a Condition).
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-anatomy.html
 */
export function mergedBody(pieces: readonly Piece[]): {
  readonly body: DataMap
  readonly problems: readonly Problem[]
} {
  const problems: Problem[] = []
  const merged = new Map<string, Data>()
  for (const piece of pieces) {
    for (const [section, value] of Object.entries(piece.body)) {
      const before = merged.get(section)
      if (before === undefined) merged.set(section, value)
      else if (isMap(before) && isMap(value))
        merged.set(section, mergedSection(section, { before, value, piece, pieces, problems }))
      else if (section === 'Transform') merged.set(section, [...new Set([...listOf(before), ...listOf(value)])])
      // The description of a stack is that of its first template.
      else if (section !== 'Description' && !same(before, value))
        problems.push(twice([section], { piece, pieces, what: `\`${section}\`` }))
    }
  }
  return { body: mapOf(merged), problems }
}

function listOf(value: Data): readonly Data[] {
  return isList(value) ? value : [value]
}

const declarations = new Set(['Parameters', 'Mappings', 'Conditions', 'Metadata', 'Globals'])

function mergedSection(
  section: string,
  {
    before,
    value,
    piece,
    pieces,
    problems,
  }: {
    readonly before: DataMap
    readonly value: DataMap
    readonly piece: Piece
    readonly pieces: readonly Piece[]
    readonly problems: Problem[]
  },
): DataMap {
  const all = new Map(Object.entries(before))
  for (const [name, entry] of Object.entries(value)) {
    const known = all.get(name)
    if (known === undefined) all.set(name, entry)
    else if (!declarations.has(section) || !same(known, entry))
      problems.push(twice([section, name], { piece, pieces, what: `"${name}" under \`${section}\`` }))
  }
  return mapOf(all)
}

function twice(
  path: Path,
  { piece, pieces, what }: { readonly piece: Piece; readonly pieces: readonly Piece[]; readonly what: string },
): Problem {
  const other = pieces.find((each) => each !== piece && has(each.body, path))
  return {
    code: 'template-merge',
    severity: 'error',
    message: `Two templates of the manifest have ${what}, and they are one stack.`,
    expected: 'Names that are different, or declarations that are the same.',
    remedy: 'Rename one of the two, or keep it in one template: the others can refer to it.',
    at: piece.document.keyPlace(path),
    ...(other !== undefined && { related: [{ at: other.document.keyPlace(path), note: 'the other one' }] }),
  }
}

function has(body: DataMap, path: Path): boolean {
  let value: Data | undefined = body
  for (const step of path) value = isMap(value) && Object.hasOwn(value, step) ? value[String(step)] : undefined
  return value !== undefined
}

/** A document whose places are those of the templates that it was put together from. */
export function mergedDocument(pieces: readonly [Piece, ...Piece[]], body: DataMap): Document {
  const holder = (path: Path): Document => {
    for (let length = Math.min(path.length, 2); length > 0; length -= 1) {
      const found = pieces.find((piece) => has(piece.body, path.slice(0, length)))
      if (found !== undefined) return found.document
    }
    return pieces[0].document
  }
  return {
    file: pieces[0].document.file,
    data: body,
    place: (path): Place => holder(path).place(path),
    keyPlace: (path): Place => holder(path).keyPlace(path),
  }
}
