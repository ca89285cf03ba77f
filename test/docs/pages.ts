import { readdirSync, readFileSync } from 'node:fs'
import { join, relative, sep } from 'node:path'

/** The root of the repository. */
export const root = join(import.meta.dirname, '../..')

/** A fenced block of a page: what stands behind its fence, and the comment right above it, which says how it is held. */
export type Block = {
  readonly page: string
  /** The line of the fence. */
  readonly line: number
  readonly info: string
  readonly text: string
  readonly mark: string | undefined
}

/** The guides, which are held most closely: every block in them is run or checked, or says why not. */
export const guides = [
  'README.md',
  'README.ko.md',
  'docs/guide-platform.md',
  'docs/guide-platform.ko.md',
  'docs/guide-developer.md',
  'docs/guide-developer.ko.md',
  'docs/guide-templates.md',
  'docs/guide-proton.md',
  'docs/operating.md',
  'docs/security.md',
] as const

/** Each page that people read, by its path in the repository. */
export const pages: readonly string[] = [
  ...['.', 'workflows'].flatMap((folder) => readdirSync(join(root, folder)).map((name) => join(folder, name))),
  ...['docs', 'actions'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name)),
  ),
]
  .filter((path) => path.endsWith('.md'))
  .map((path) => relative('.', path).split(sep).join('/'))
  .toSorted()

export function textOf(page: string): string {
  return readFileSync(join(root, page), 'utf8')
}

/** The fenced blocks of a page, those in lists too. */
export function blocksOf(page: string): readonly Block[] {
  const lines = textOf(page).split('\n')
  const blocks: Block[] = []
  for (let index = 0; index < lines.length; index += 1) {
    const [, indent, info] = /^( *)```(.*)$/u.exec(lines[index] ?? '') ?? []
    if (indent === undefined || info === undefined) continue
    const end = lines.findIndex((each, at) => at > index && each === `${indent}\`\`\``)
    if (end === -1) throw new Error(`${page}:${index + 1}: the block has no end`)
    const text = lines.slice(index + 1, end).map((each) => each.slice(indent.length))
    const above = lines.slice(0, index).findLast((each) => each.trim() !== '') ?? ''
    const mark = /^<!-- (.*) -->$/u.exec(above.trim())?.[1]
    blocks.push({ page, line: index + 1, info, text: `${text.join('\n')}\n`, mark })
    index = end
  }
  return blocks
}

/** A page without what stands in fences. */
export function proseOf(page: string): string {
  return textOf(page).replaceAll(/^( *)```[^]*?^\1```$/gmu, '')
}

/** The headings of a page, with their depths. */
export function headingsOf(page: string): readonly { readonly depth: number; readonly text: string }[] {
  return [...proseOf(page).matchAll(/^(#+) (.+)$/gmu)].map(([, marks = '', text = '']) => ({
    depth: marks.length,
    text,
  }))
}

/** The commands in a shell block, one a line, without comments and with continued lines joined. */
export function commandsIn(text: string): readonly string[] {
  return text
    .replaceAll(/\\\n\s*/gu, '')
    .split('\n')
    .map((line) =>
      line
        .replace(/^\$ /u, '')
        .replace(/(?:^|\s)#.*$/u, '')
        .trim(),
    )
    .filter((line) => line !== '')
}

/** The words of a line as a shell would hand them on; nothing is expanded. */
export function wordsOf(line: string): readonly string[] {
  return [...line.matchAll(/(?:"[^"]*"|'[^']*'|[^\s"'])+/gu)].map(([word]) => word.replaceAll(/["']/gu, ''))
}
