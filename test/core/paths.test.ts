import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { caseTwins, checkPath, resolveInside, subtree } from '../../src/core/paths.ts'

describe('a path', () => {
  test.each([
    'a',
    'a/b.yaml',
    '.github/workflows/x.yml',
    '.compatible-envs',
    'a b/ü.txt',
    'templates/x/v1/schema/schema.yaml',
    'a..b',
    '...a',
    'gitx/.gitignore',
    'a@1.2.3',
    '100%',
  ])('%j is safe', (path) => {
    expect(checkPath(path)).toEqual({ ok: true, value: path, problems: [] })
  })

  test.each([
    '',
    '/',
    '/etc/passwd',
    '.',
    '..',
    '../a',
    'a/..',
    'a/../b',
    './a',
    'a/./b',
    'a//b',
    'a/',
    'a\\b',
    '..\\a',
    'C:\\a',
    'c:a',
    'file:///a',
    'a\0b',
    'a\nb',
    '%2e%2e/a',
    'a%2fb',
    'a%5Cb',
    'u\u0308',
    'a./b',
    'a.',
    'a ',
    ' a',
    'a /b',
    '.git',
    '.git/config',
    '.GIT/config',
    'a/.Git',
    'git~1/config',
    '.g\u200cit/config',
    'a\u202eb',
    '\ud800',
    'x'.repeat(241),
    Array.from({ length: 13 }, () => 'a').join('/'),
  ])('P-01 %j is refused', (path) => {
    const result = checkPath(path)
    expect(result).toMatchObject({ ok: false, problems: [{ code: 'unsafe-path', severity: 'error' }] })
  })

  test('that is safe lies below wherever it is joined', () => {
    const part = fc.constantFrom('a', '.', '..', '', '/', '\\', '%2e', '~', ' ', '.git', 'b.c', '\0')
    fc.assert(
      fc.property(fc.array(part, { maxLength: 6 }), fc.constantFrom('/', ''), (parts, separator) => {
        const path = parts.join(separator)
        if (checkPath(path).ok)
          expect(new URL(`x:/root/${path}`).pathname).toBe(new URL(`x:/root/`).pathname + encodeURI(path))
      }),
    )
  })
})

describe('a path as seen from a folder', () => {
  test.each([
    ['', 'a', 'a'],
    ['', './a', 'a'],
    ['x/y', 'a/b', 'x/y/a/b'],
    ['x', './a', 'x/a'],
  ])('from %j, %j is %j', (folder, relative, expected) => {
    expect(resolveInside(folder, relative)).toEqual({ ok: true, value: expected, problems: [] })
  })

  test.each([
    ['x', '../a'],
    ['x', '/a'],
    ['x', '././a'],
    ['x', './'],
    ['', ''],
    ['x'.repeat(239), 'aa'],
  ])('from %j, %j is refused', (folder, relative) => {
    expect(resolveInside(folder, relative).ok).toBe(false)
  })
})

test('a subtree holds what lies below a folder, and not what begins like it', () => {
  const tree = new Map([
    ['x/a', '1'],
    ['x/y/b', '2'],
    ['xy/c', '3'],
    ['d', '4'],
  ])
  expect([...subtree(tree, 'x')]).toEqual([
    ['a', '1'],
    ['y/b', '2'],
  ])
  expect([...subtree(tree, 'x/y')]).toEqual([['b', '2']])
  expect(subtree(tree, '')).toBe(tree)
  expect(subtree(tree, 'none').size).toBe(0)
})

describe('P-04 names that differ in case only', () => {
  test.each<[string[], string[]]>([
    [['a/x', 'a/y', 'b/x'], []],
    [
      ['README.md', 'Readme.md', 'readme.md'],
      ['Readme.md', 'readme.md'],
    ],
    [['A/x', 'a/y', 'a/z'], ['a']],
    [['straße', 'STRASSE'], ['STRASSE']],
  ])('of %j are %j', (paths, expected) => {
    expect(caseTwins(paths).map(({ at }) => at?.file)).toEqual(expected)
  })
})
