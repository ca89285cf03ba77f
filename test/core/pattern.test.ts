import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { LARGEST_PATTERN, linearPattern } from '../../src/core/pattern.ts'

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

  test('finds what the engine of JavaScript finds, for patterns that both read', () => {
    const atom = fc.constantFrom('a', 'b', '[ab]', '[^a]', '.', '(a|bb)', '\\d', '^', '$')
    const quantified = fc
      .tuple(atom, fc.constantFrom('', '*', '+', '?', '{1,3}'))
      .map(([one, many]) => (/^[\^$]$/.test(one) ? one : one + many))
    const source = fc.array(quantified, { minLength: 1, maxLength: 5 }).map((parts) => parts.join(''))
    fc.assert(
      fc.property(source, fc.string({ unit: fc.constantFrom('a', 'b', '1', '-'), maxLength: 8 }), (pattern, text) => {
        expect(compiled(pattern).test(text)).toBe(new RegExp(pattern, 'u').test(text))
      }),
    )
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
