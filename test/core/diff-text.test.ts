import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { diffText, type DiffLine } from '../../src/core/diff-text.ts'

const signs = { same: ' ', old: '-', new: '+', hunk: '', note: '' } satisfies Record<DiffLine['is'], string>
const shown = (before: string, after: string): string[] =>
  diffText(before, after).map(({ is, text }) => signs[is] + text)

/** The second text, made from the first by a difference. */
function patched(before: string, diff: readonly DiffLine[]): string {
  const lines = before.match(/[^\n]*\n|[^\n]+$/g) ?? []
  let result = ''
  let at = 0
  for (const [index, { is, text }] of diff.entries()) {
    const end = diff[index + 1]?.is === 'note' ? '' : '\n'
    if (is === 'hunk') {
      const [, start = '0', length = '1'] = /^@@ -(\d+)(?:,(\d+))? /.exec(text) ?? []
      const from = length === '0' ? Number(start) : Number(start) - 1
      result += lines.slice(at, from).join('')
      at = from
    } else if (is === 'new') result += text + end
    else if (is === 'same') {
      expect(text + end).toBe(lines[at])
      result += lines[at]
      at += 1
    } else if (is === 'old') {
      expect(text + end).toBe(lines[at])
      at += 1
    }
  }
  return result + lines.slice(at).join('')
}

const text = fc.array(fc.constantFrom('a\n', 'b\n', 'c\n', '\n', 'd'), { maxLength: 30 }).map((lines) => lines.join(''))

describe('the difference of two texts', () => {
  test('is nothing for equal texts', () => {
    expect(diffText('a\nb', 'a\nb')).toEqual([])
  })

  test('shows what goes and what comes, with lines around it', () => {
    expect(shown('1\n2\n3\n4\n5\n6\n7\n8\n9\n', '1\n2\n3\n4\nfive\n6\n7\n8\n9\n')).toEqual([
      '@@ -2,7 +2,7 @@',
      ' 2',
      ' 3',
      ' 4',
      '-5',
      '+five',
      ' 6',
      ' 7',
      ' 8',
    ])
  })

  test('has a hunk for each change that stands alone', () => {
    const before = Array.from({ length: 30 }, (_, index) => `${index}\n`).join('')
    const after = before.replace('3\n', 'three\n').replace('20\n', '').replace('21\n', '21\n21b\n')
    expect(shown(before, after).filter((line) => line.startsWith('@@'))).toEqual([
      '@@ -1,7 +1,7 @@',
      '@@ -18,8 +18,8 @@',
    ])
  })

  test('says where a text has no newline at its end', () => {
    expect(shown('a', 'a\n')).toEqual(['@@ -1 +1 @@', '-a', '\\ No newline at end of file', '+a'])
  })

  test('of an empty text is all of the other', () => {
    expect(shown('', 'a\nb\n')).toEqual(['@@ -0,0 +1,2 @@', '+a', '+b'])
  })

  test('of texts with nothing in common is one replaced by the other, in bounded work', () => {
    const many = (word: string): string => Array.from({ length: 20_000 }, (_, index) => `${word}${index}\n`).join('')
    expect(diffText(many('a'), many('b')).filter(({ is }) => is === 'old' || is === 'new')).toHaveLength(40_000)
  })

  test('makes the second text from the first, whatever they are', () => {
    fc.assert(fc.property(text, text, (before, after) => patched(before, diffText(before, after)) === after))
  })

  test('has no more changed lines than that of diff -u', ({ skip }) => {
    if (spawnSync('diff', ['--version']).error !== undefined) skip('diff is not installed')
    const folder = mkdtempSync(join(tmpdir(), 'protium-diff-'))
    try {
      fc.assert(
        fc.property(text, text, (before, after) => {
          writeFileSync(join(folder, 'a'), before)
          writeFileSync(join(folder, 'b'), after)
          const { stdout } = spawnSync('diff', ['-d', '-u', 'a', 'b'], { cwd: folder, encoding: 'utf8' })
          const theirs = stdout
            .split('\n')
            .slice(2)
            .filter((line) => /^[-+]/.test(line)).length
          expect(diffText(before, after).filter(({ is }) => is === 'old' || is === 'new').length).toBeLessThanOrEqual(
            theirs,
          )
        }),
        { numRuns: 50 },
      )
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})
