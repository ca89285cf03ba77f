import fc from 'fast-check'
import { RE2JS } from 're2js'
import { describe, expect, test } from 'vitest'
import { LARGEST_PATTERN, linearPattern, wholePattern } from '../../src/core/pattern.ts'

function compiled(source: string) {
  const result = linearPattern(source)
  if ('fault' in result) throw new Error(result.fault)
  return result.pattern
}

describe('a pattern', () => {
  test.each([
    ['b', 'abc', true],
    ['^b', 'abc', false],
    ['([0-9]{1,3}\\.){3}[0-9]{1,3}($|/(16|24))', '10.0.0.0/16', true],
    ['([0-9]{1,3}\\.){3}[0-9]{1,3}($|/(16|24))', '10.0.0.0/17', false],
    ['^[\\w\\/-]+$', 'a/b-c', true],
    ['^\\u0041$', 'A', true],
    ['^(?<year>[0-9]{4})$', '2026', true],
    ['^.$', '😀', true],
    ['^a$', 'a\n', false],
  ])('%s searches %j: %s', (source, text, found) => {
    expect(compiled(source).test(text)).toBe(found)
  })

  test.each([
    ['(?=a)b', 'looks ahead or behind'],
    ['(?!a)b', 'looks ahead or behind'],
    ['(?<=a)b', 'looks ahead or behind'],
    ['(?<!a)b', 'looks ahead or behind'],
    ['(a)\\1', 'refers back'],
    ['(?<n>a)\\k<n>', 'refers back'],
    ['(a', 'cannot be read'],
    ['[a', 'cannot be read'],
    ['([a-z]{0,200}){0,4}', 'repeats too much'],
    ['a'.repeat(201), 'is longer than 200 characters'],
  ])('%s is refused: it %s', (source, why) => {
    const result = linearPattern(source)
    expect('fault' in result && result.fault).toContain(why)
  })

  test('an escaped bracket or backslash before a digit is no look-around and no back-reference', () => {
    expect(compiled('\\(\\?=').test('(?=')).toBe(true)
    expect(compiled('^\\\\1$').test('\\1')).toBe(true)
  })

  test('is known by its source', () => {
    expect(String(compiled('^a$'))).toBe('^a$')
    expect(String(compiled('^b$'))).not.toBe(String(compiled('^a$')))
  })

  test('finds what the engine of JavaScript finds, and RE2, for patterns that they read', () => {
    const atom = fc.constantFrom('a', 'b', '[ab]', '[^a]', '.', '(a|bb)', '\\d', '^', '$')
    const quantified = fc
      .tuple(atom, fc.constantFrom('', '*', '+', '?', '{1,3}'))
      .map(([one, many]) => (/^[\^$]$/.test(one) ? one : one + many))
    const source = fc.array(quantified, { minLength: 1, maxLength: 5 }).map((parts) => parts.join(''))
    fc.assert(
      fc.property(source, fc.string({ unit: fc.constantFrom('a', 'b', '1', '-'), maxLength: 8 }), (pattern, text) => {
        expect(compiled(pattern).test(text)).toBe(new RegExp(pattern, 'u').test(text))
        expect(compiled(pattern).test(text)).toBe(RE2JS.compile(pattern).test(text))
      }),
    )
  })

  const letter = fc.constantFrom('a', 'b', 'B', '1', '-', '.', '/', ' ', '_', 'ä', '😀', '\n', '{')
  const one = fc.oneof(
    fc.constantFrom('a', 'b', '-', '/', '😀', 'ä', '.', '\\.', '\\/', '\\d', '\\D', '\\w', '\\W', '\\s', '\\S', '\\n'),
    fc.constantFrom('\\x61', '\\u0061', '\\u{1f600}', '\\ud83d\\ude00', '\\p{L}', '\\P{Lu}', '\\cJ', '\\0'),
    fc.constantFrom(
      '[ab]',
      '[^ab]',
      '[a-z]',
      '[\\w.-]',
      '[^\\s/]',
      '[😀-😃b]',
      '[\\p{Lu}1]',
      '[]',
      '[^]',
      '[\\]a]',
      '[\\\\b]',
      '[.*+{]',
    ),
  )
  const place = fc.constantFrom('^', '$', '\\b', '\\B')
  const { tree } = fc.letrec<{ tree: string }>((tie) => ({
    tree: fc
      .array(
        fc.oneof(
          { depthSize: 'small', withCrossShrink: true },
          { weight: 5, arbitrary: fc.tuple(one, fc.constantFrom('', '', '*', '+', '?', '*?', '{2}', '{1,}', '{0,2}')) },
          { weight: 1, arbitrary: place.map((each) => [each]) },
          {
            weight: 2,
            arbitrary: fc
              .tuple(
                fc.constantFrom('(', '(?:', '(?i:', '(?s:', '(?m:', '(?i-s:'),
                fc.array(tie('tree'), { minLength: 1, maxLength: 3 }).map((parts) => parts.join('|')),
                fc.constantFrom(')', ')', ')*', ')+', ')?', '){1,2}'),
              )
              .map((parts) => [...parts]),
          },
        ),
        { maxLength: 5 },
      )
      .map((parts) => parts.flat().join('')),
  }))

  test('of any form finds what the engine of JavaScript finds', () => {
    fc.assert(
      fc.property(
        tree,
        fc.array(letter, { maxLength: 6 }).map((parts) => parts.join('')),
        (source, text) => {
          const result = linearPattern(source)
          // V8 looks for `\B` inside of a character of two halves, too.
          fc.pre(!(source.includes('\\B') && text.includes('😀')))
          fc.pre('pattern' in result || !/repeats|longer/u.test(result.fault))
          expect('fault' in result ? result.fault : result.pattern.test(text)).toBe(new RegExp(source, 'u').test(text))
        },
      ),
      { numRuns: 2000 },
    )
  })

  test.each([
    ['(a+)+$', 'a'],
    ['(a|a)*b', 'a'],
    ['(a*)*b', 'a'],
    ['(.*)*(.*)*(.*)*=.*', 'x'],
    ['^(([a-z])+.)+[A-Z]([a-z])+$', 'a'],
    ['(\\w+\\s?)*!', 'a '],
  ])('%s comes to an end on any text', (source, part) => {
    expect(compiled(source).test(`${part.repeat(20_000)}\u0000`)).toBe(false)
  })

  test.each([
    ['(?i)abc', 'xABC', true],
    ['(?P<name>a)', 'a', true],
    ['\\Aab\\z', 'ab', true],
    ['\\Aab\\z', 'abc', false],
    ['a{,2}', 'a{,2}', true],
    ['a{', 'a{', true],
    ['^a\\-b\\@$', 'a-b@', true],
    ['[\\w-.]+$', 'a-.', true],
  ])('%s is read as it is meant, though the engine of JavaScript would not', (source, text, found) => {
    expect(compiled(source).test(text)).toBe(found)
  })

  test.each([
    'a**',
    '*a',
    'a)',
    '[z-a]',
    '\\',
    '(?<1>a)',
    '(?>a)',
    '(?x)a',
    '\\h',
    '\\p{Nonsense}',
    '[[:alpha:]]',
    'a{3,2}',
    '('.repeat(150),
  ])('%j cannot be read', (source) => {
    expect(linearPattern(source)).toMatchObject({ fault: expect.stringContaining('cannot be read') })
  })

  test('is never larger than the largest', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 80 }), (source) => {
        const result = linearPattern(source)
        expect('fault' in result || result.pattern.size <= LARGEST_PATTERN).toBe(true)
      }),
    )
  })
})

describe('a pattern for whole texts', () => {
  test.each([
    ['[a-z]+', 'abc', true],
    ['[a-z]+', 'abc1', false],
    ['a|bc', 'bc', true],
    ['a|bc', 'abc', false],
    ['^a$', 'a', true],
  ])('%s matches %s: %s', (source, text, whole) => {
    expect(wholePattern(source)?.(text)).toBe(whole)
  })

  test('may be long, and is none where linear time cannot run it', () => {
    expect(wholePattern(`(${'[a-z0-9-]{1,63}\\\\.'.repeat(20)})?x`)?.('x')).toBe(true)
    expect(wholePattern('(?=a)b')).toBeUndefined()
    expect(wholePattern('a++')).toBeUndefined()
  })
})
