import fc from 'fast-check'
import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { canonicalJson, compareText, digest, same } from '../../src/core/canonical.ts'
import { type Data, Float, mapOf } from '../../src/core/data.ts'

const data: fc.Arbitrary<Data> = fc.letrec<{ data: Data }>((tie) => ({
  data: fc.oneof(
    { depthSize: 'small', maxDepth: 4 },
    fc.constant(null),
    fc.boolean(),
    fc.string({ unit: 'grapheme', maxLength: 4 }),
    fc.integer(),
    fc.bigInt({ min: 2n ** 53n, max: 2n ** 70n }),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => new Float(value)),
    fc.array(tie('data'), { maxLength: 4 }),
    fc.array(fc.tuple(fc.string({ maxLength: 3 }), tie('data')), { maxLength: 4 }).map(mapOf),
  ),
})).data

describe('canonical JSON', () => {
  test.each<[string, Data]>([
    ['null', null],
    ['true', true],
    ['"a\\"\\n\u2028é"', 'a"\n\u2028é'],
    ['"\\ud800"', '\ud800'],
    ['0', -0],
    ['2', new Float(2)],
    ['0.1', new Float(0.1)],
    ['12345678901234567890', 12345678901234567890n],
    ['[]', []],
    ['{}', mapOf()],
    [
      '{"a":[null,{"z":"y"}],"b":1}',
      mapOf([
        ['b', 1],
        ['a', [null, mapOf([['z', 'y']])]],
      ]),
    ],
    [
      '{"10":1,"9":2,"constructor":3}',
      mapOf([
        ['10', 1],
        ['9', 2],
        ['constructor', 3],
      ]),
    ],
    [
      '{"a":3,"\uffee":2,"\u{1f600}":1}',
      mapOf([
        ['\u{1f600}', 1],
        ['\uffee', 2],
        ['a', 3],
      ]),
    ],
  ])('%s', (text, value) => {
    expect(canonicalJson(value)).toBe(text)
  })

  test('there is none for numbers that JSON cannot say', () => {
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY])
      expect(() => canonicalJson(new Float(value))).toThrow(RangeError)
  })

  test('the order in which keys were written makes no difference', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.tuple(fc.string(), data), { selector: ([key]) => key, maxLength: 6 }),
        (entries) => {
          expect(canonicalJson(mapOf(entries))).toBe(canonicalJson(mapOf(entries.toReversed())))
        },
      ),
    )
  })

  test('values are the same exactly if their texts are', () => {
    fc.assert(
      fc.property(data, data, (a, b) => {
        expect(same(a, b)).toBe(canonicalJson(a) === canonicalJson(b))
        expect(same(a, a)).toBe(true)
      }),
    )
    expect(same(2, new Float(2))).toBe(true)
    expect(same('2', 2)).toBe(false)
    expect(same([null], [])).toBe(false)
    expect(same(mapOf([['a', null]]), mapOf([['b', null]]))).toBe(false)
    expect(same([], mapOf())).toBe(false)
  })
})

test('a digest is the SHA-256 of a text, or of the canonical JSON of anything else', () => {
  const hash = (text: string): string => `sha256:${createHash('sha256').update(text).digest('hex')}`
  expect(digest('ä')).toBe(hash('ä'))
  expect(
    digest(
      mapOf([
        ['b', 1],
        ['a', 2],
      ]),
    ),
  ).toBe(hash('{"a":2,"b":1}'))
})

test('texts are in the order of their code points, as their UTF-8 bytes are', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (a, b) => {
      expect(Math.sign(compareText(a, b))).toBe(Math.sign(Buffer.compare(Buffer.from(a), Buffer.from(b))))
    }),
  )
  expect(compareText('\uffff', '\u{10000}')).toBeLessThan(0)
})
