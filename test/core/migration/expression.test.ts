import { describe, expect, test } from 'vitest'
import { mapOf } from '../../../src/core/data.ts'
import { evaluate } from '../../../src/core/migration/expression.ts'

const inputs = mapOf([
  ['count', 3],
  ['name', "it's <b>"],
  ['list', ['a', 'b']],
])

describe('an expression', () => {
  test.each([
    ['count * 2', 6],
    ['count / 2', 1.5],
    ['[name, inputs.count]', ["it's <b>", 3]],
    ['list | length', 2],
    ['value ~ "x"', 'oldx'],
    ['"many" if count > 2 else "few"', 'many'],
    ['other | default(7)', 7],
  ])('%s', (expression, expected) => {
    const found = evaluate(expression, { inputs, value: 'old' })
    expect(found.is === 'value' && JSON.parse(JSON.stringify(found.value, plain))).toEqual(expected)
  })

  test.each([['other'], ['other.min * 2'], ['inputs.other'], ['[count, other]']])(
    'that reads what is not given has no value: %s',
    (expression) => {
      expect(evaluate(expression, { inputs })).toEqual({ is: 'absent' })
    },
  )

  test.each([
    ['1 +'],
    ['1) }}{{ (2'],
    ['1 #} {% set x = 1 %}'],
    ['range(100000000) | list'],
    ['"a" * 100000000'],
    ['"".__class__.__mro__'],
    ['9 ** 99999999'],
    ['count | no_such_filter'],
    ['('.repeat(500)],
    ['"a" ~ "b" * (count'],
  ])('is bounded, and nothing but an expression: %s', (expression) => {
    expect(evaluate(expression, { inputs }).is).not.toBe('value')
  })
})

function plain(_key: string, value: unknown): unknown {
  return typeof value === 'object' && value !== null && 'value' in value ? value.value : value
}
