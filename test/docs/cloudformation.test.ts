import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { stackStatuses } from '../../src/core/cloudformation/status.ts'

const folder = join(import.meta.dirname, '../../docs')
const page = readFileSync(join(folder, 'cloudformation.md'), 'utf8')

/** The rows of the tables whose last column says by which tests they are proved. */
const rows = page.split(/(?<=\n)(?=#)/u).flatMap((section) => {
  const lines = section.split('\n').filter((line) => line.startsWith('|'))
  const cells = lines.map((line) => line.split(' | ').map((cell) => cell.replace(/^\| | \|$/gu, '').trim()))
  return cells[0]?.at(-1) === 'proved by' ? cells.slice(2) : []
})

/** The tests that a cell names: `[word](path): title`, the title as code. */
function testsIn(cell: string): readonly { readonly file: string; readonly title: string }[] {
  return [...cell.matchAll(/\]\(([^)]+)\): `([^`]+)`/gu)].map(([, file = '', title = '']) => ({ file, title }))
}

describe('the page on CloudFormation', () => {
  test('has a row for each state of a stack', () => {
    const named = rows.map(([first = '']) => first.replaceAll('`', ''))
    expect(named).toEqual(expect.arrayContaining(['(absent)', ...stackStatuses]))
  })

  test.each(rows.map((row) => [row[0] ?? '', row.at(-1) ?? ''] as const))(
    'names tests that there are: %s',
    (first, cell) => {
      const named = testsIn(cell)
      expect(named.length).toBeGreaterThan(0)
      for (const { file, title } of named) {
        const text = readFileSync(join(folder, file), 'utf8')
        const quoted = [`'${title.replaceAll("'", String.raw`\'`)}'`, `"${title}"`, `\`${title}\``]
        expect(
          quoted.some((each) => text.includes(each)),
          `${file} has no test ${title}`,
        ).toBe(true)
        // A test that stands for many rows has this one among them.
        const status = /^`([A-Z_]+)`$/u.exec(first)?.[1]
        if (status !== undefined && title.includes('%s')) expect(text).toContain(`'${status}'`)
      }
    },
  )
})
