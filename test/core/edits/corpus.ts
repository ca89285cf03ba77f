import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Edit } from '../../../src/core/edit.ts'
import { dataOfJson } from './json.ts'

/**
 * Files as people format them, with changes and what has to come of them, all written by hand: `files/` are files with one place
 * left open (a line `@@`), `pieces/` what stands there, as a diff of lines (` ` stays, `-` goes, `+` comes) below the changes.
 */
export type Case = {
  readonly name: string
  readonly edits: readonly Edit[]
  readonly before: string
  readonly after: string
}

type Line = { readonly mark: ' ' | '-' | '+'; readonly text: string }
type Piece = { readonly name: string; readonly edits: readonly Edit[]; readonly lines: readonly Line[] }

const ends = ['\n', '\r\n'] as const

/** Every piece in every file, with either end of lines, with an end of the last line and without. */
export function corpus(): readonly Case[] {
  const files = named('files')
  const pieces = named('pieces').map(({ name, text }) => pieceOf(name, text))
  return files.flatMap((file) =>
    pieces.flatMap((piece) =>
      ends.flatMap((end) =>
        [true, false]
          // A block of text that ends the file without an end of its line has another value as soon as a line follows.
          .filter((closed) => closed || !(piece.name === 'add-behind-block-text.diff' && file.text.endsWith('@@\n')))
          .map((closed) => combined({ file, piece, end, closed })),
      ),
    ),
  )
}

function named(folder: string): readonly { readonly name: string; readonly text: string }[] {
  const path = join(import.meta.dirname, folder)
  return readdirSync(path)
    .toSorted()
    .map((name) => ({ name, text: readFileSync(join(path, name), 'utf8') }))
}

function pieceOf(name: string, text: string): Piece {
  const all = text.replace(/\n$/, '').split('\n')
  const blank = all.indexOf('')
  const lines = all.slice(blank + 1).map((line): Line => {
    const mark = ([' ', '-', '+'] as const).find((each) => each === (line === '' ? ' ' : line[0]))
    if (mark === undefined) throw new Error(`${name}: ${line}`)
    return { mark, text: line.slice(1) }
  })
  return { name, edits: all.slice(0, blank).map(editOf), lines }
}

function editOf(line: string): Edit {
  const [, verb, where = '', rest = ''] = /^(\w+) (\S+) ?(.*)$/u.exec(line) ?? []
  const path = where.split('.')
  if (verb === 'remove') return { is: 'remove', path }
  if (verb === 'rename') return { is: 'rename', path, to: rest.split('.') }
  if (verb === 'set') return { is: 'set', path, value: dataOfJson(rest) }
  throw new Error(line)
}

function combined({
  file,
  piece,
  end,
  closed,
}: {
  readonly file: { readonly name: string; readonly text: string }
  readonly piece: Piece
  readonly end: string
  readonly closed: boolean
}): Case {
  const without = (mark: '-' | '+'): string => {
    const inner = piece.lines.filter((line) => line.mark !== mark).map(({ text }) => text)
    const lines = file.text.split('\n').flatMap((line) => (line === '@@' ? inner : [line]))
    // A file without an end of its last line does not end in blank lines either.
    while (!closed && lines.at(-1) === '') lines.pop()
    return lines.join(end)
  }
  return {
    name: `${piece.name} in ${file.name}${end === '\n' ? '' : ', CRLF'}${closed ? '' : ', not closed'}`,
    edits: piece.edits,
    before: without('+'),
    after: without('-'),
  }
}
