import { describe, expect, test } from 'vitest'
import { type DataMap, Float, mapOf } from '../../src/core/data.ts'
import { dataAt, faultsOf, inWords, pathInWords, wanted } from '../../src/core/shape.ts'

describe('what a schema wants is said in words', () => {
  test.each<[DataMap, string]>([
    [{ type: 'integer', minimum: 1, maximum: 65535 }, 'A whole number from 1 to 65535.'],
    [{ type: 'number', minimum: 1 }, 'A number, at least 1.'],
    [{ type: 'number', exclusiveMinimum: 0, maximum: new Float(0.5) }, 'A number, more than 0 and at most 0.5.'],
    [{ type: 'integer', multipleOf: 256 }, 'A whole number that is a multiple of 256.'],
    [{ type: 'string', minLength: 1, maxLength: 200 }, 'Text of 1 to 200 characters.'],
    [{ type: 'string', maxLength: 1 }, 'Text of at most 1 character.'],
    [{ type: 'string', minLength: 12, maxLength: 12 }, 'Text of 12 characters.'],
    [{ type: 'string', pattern: '^a' }, 'Text that matches the pattern ^a.'],
    [{ type: ['string', 'null'] }, 'Text or nothing.'],
    [{ type: 'array', minItems: 2 }, 'A list with at least 2 items.'],
    [{ type: 'object', maxProperties: 3 }, 'A map with at most 3 keys.'],
    [{ type: 'boolean' }, 'True or false.'],
    [{ enum: ['a', 1, true, null] }, 'One of "a", 1, true, null.'],
    [{ type: 'string', pattern: '^x', 'x-protium-expected': 'An x.' }, 'An x.'],
    [{}, 'Any value.'],
  ])('%o', (schema, words) => {
    expect(wanted(schema)).toBe(words)
  })
})

test.each([
  [[], '""'],
  [['a', 'b', 0, 'c'], '"a.b[0].c"'],
])('the path %j is shown as %s', (path, shown) => {
  expect(pathInWords(path)).toBe(shown)
})

test.each([
  ['a', '"a"'],
  ['x'.repeat(70), `"${'x'.repeat(59)}…"`],
  [new Float(2), '2.0'],
  [9007199254740993n, '9007199254740993'],
  [[1, 2], 'a list of 2'],
  [mapOf(), 'a map'],
  [null, 'null'],
  [undefined, 'nothing'],
])('a value is shown as %s', (value, shown) => {
  expect(inWords(value)).toBe(shown)
})

test('a fault lies on the path of its value, whatever the keys are', () => {
  const schema = { type: 'object', additionalProperties: { type: 'array', items: { type: 'integer' } } }
  const value = mapOf([
    ['a/b', [1, 'x']],
    ['0', ['~']],
  ])
  const paths = faultsOf(schema, value).map(({ path }) => path)
  expect(paths).toHaveLength(2)
  expect(paths).toContainEqual(['a/b', 1])
  expect(paths).toContainEqual(['0', 0])
  expect(new Set(paths.map((path) => dataAt(value, path)))).toEqual(new Set(['x', '~']))
})

test('a value with several faults has one that is told, its type first', () => {
  const schema = { type: 'string', enum: ['a'], minLength: 3, pattern: '^b' }
  expect(faultsOf(schema, 1).map(({ is }) => is)).toEqual(['type'])
  expect(faultsOf(schema, 'x')).toHaveLength(1)
})
