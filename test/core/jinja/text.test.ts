import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fromData } from '../../../src/core/jinja/values.ts'
import { binary } from '../../../src/core/jinja/operators.ts'
import { textToDouble, textToWhole } from '../../../src/core/jinja/convert.ts'
import { fixedDigits, roundDouble } from '../../../src/core/jinja/numbers.ts'
import { floatText, quote, repr, toText } from '../../../src/core/jinja/text.ts'
import { Aligned, Dict, Float, Markup, Range, Tuple, Undefined } from '../../../src/core/jinja/values.ts'
import type { Value } from '../../../src/core/jinja/values.ts'
import { shown, unbounded } from './rendered.ts'

describe('what a value prints', () => {
  const cases: readonly (readonly [Value, string])[] = [
    [true, 'True'],
    [false, 'False'],
    [null, 'None'],
    ['it is', 'it is'],
    [12345678901234567890n, '12345678901234567890'],
    [new Float(2), '2.0'],
    [['a', "it's", 'say "x"', 'both \' and "'], `['a', "it's", 'say "x"', 'both \\' and "']`],
    [
      ['\n\t\r\\\x07\x7f\u00ad\u200b\ue000\u{e0001}', '\u{1f600} é \u3000'],
      String.raw`['\n\t\r\\\x07\x7f\xad\u200b\ue000\U000e0001', '😀 é \u3000']`,
    ],
    [new Tuple([1]), '(1,)'],
    [new Tuple([]), '()'],
    [
      new Dict([
        ['a', new Tuple([1, new Float(0.5)])],
        [1, null],
      ]),
      "{'a': (1, 0.5), 1: None}",
    ],
    [new Markup('<b>'), '<b>'],
    [[new Markup('<b>')], "[Markup('<b>')]"],
    [new Range(0, 3, 1), 'range(0, 3)'],
    [new Range(5, 0, -2), 'range(5, 0, -2)'],
    [new Aligned(['- a', '- b'], '[]'), '- a\n- b'],
    [[new Undefined({ name: 'x' })], '[Undefined]'],
  ]

  test.each(cases)('case %#', (value, text) => {
    expect(toText(value)).toBe(text)
  })

  test('an undefined value does not print', () => {
    expect(() => toText(new Undefined({ name: 'x' }))).toThrow("'x' is undefined")
    expect(() => toText(new Undefined({ name: 'x', owner: { value: new Dict() } }))).toThrow(
      "'dict object' has no attribute 'x'",
    )
    expect(() => toText(new Undefined({ name: 5, owner: { value: [] } }))).toThrow('list object has no element 5')
  })
})

describe('a float', () => {
  test.each([
    [1e16, '1e+16'],
    [1e15, '1000000000000000.0'],
    [1e-5, '1e-05'],
    [0.0001, '0.0001'],
    [1.5e300, '1.5e+300'],
    [-0, '-0.0'],
    [Number.NaN, 'nan'],
    [-Infinity, '-inf'],
    [5e-324, '5e-324'],
  ])('%s is written %s', (value, text) => {
    expect(floatText(value)).toBe(text)
  })

  test('reads back as itself', () => {
    fc.assert(fc.property(fc.double({ noNaN: true }), (value) => Object.is(textToDouble(floatText(value)), value)))
  })

  test('has the digits of its exact value, half to even', () => {
    expect([0.5, 1.5, 2.5, 0.125, 2.675, 1e23].map((value) => fixedDigits(value, 2))).toEqual([
      '0.50',
      '1.50',
      '2.50',
      '0.12',
      '2.67',
      '99999999999999991611392.00',
    ])
    expect([0.5, 1.5, 2.5, -2.5].map((value) => roundDouble(value, 0))).toEqual([0, 2, 2, -2])
  })

  test('rounds to what its digits say', () => {
    fc.assert(
      fc.property(fc.double({ min: -1e9, max: 1e9, noNaN: true }), fc.integer({ min: 0, max: 10 }), (value, places) => {
        expect(Math.abs(roundDouble(value, places))).toBe(Number(fixedDigits(value, places)))
      }),
    )
  })
})

describe('the quotes of a string', () => {
  test('are single, unless the string has single quotes and no double ones', () => {
    expect(['a', "a'", 'a"', `a'"`].map(quote)).toEqual(["'a'", `"a'"`, `'a"'`, `'a\\'"'`])
  })

  test('never let a string be taken for another', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (a, b) => {
        expect(quote(a) === quote(b)).toBe(a === b)
        expect(quote(a)).toMatch(/^(['"])[^\n\r\t]*\1$/)
      }),
    )
  })

  test('let a template read what it printed', () => {
    const item = fc.oneof(fc.string(), fc.maxSafeInteger(), fc.boolean(), fc.constant(null))
    fc.assert(
      fc.property(fc.array(item), (list) => {
        expect(shown(repr(fromData(list)))).toBe(repr(fromData(list)))
      }),
    )
  })
})

describe('numbers', () => {
  const number = fc.oneof(fc.maxSafeInteger(), fc.bigInt({ min: -(10n ** 40n), max: 10n ** 40n }))
  const calculate = (operator: '+' | '-' | '*' | '//' | '%', a: Value, b: Value): bigint => {
    const result = binary(operator, a, b, unbounded)
    if (typeof result !== 'number' && typeof result !== 'bigint') throw new Error('not a whole number')
    return BigInt(result)
  }

  test('are whole without a bound', () => {
    fc.assert(
      fc.property(number, number, (a, b) => {
        expect(calculate('+', a, b)).toBe(BigInt(a) + BigInt(b))
        expect(calculate('-', a, b)).toBe(BigInt(a) - BigInt(b))
        expect(calculate('*', a, b)).toBe(BigInt(a) * BigInt(b))
      }),
    )
  })

  test('divide so that quotient times divisor plus rest is the dividend, and the rest has the sign of the divisor', () => {
    fc.assert(
      fc.property(number, number, (a, b) => {
        fc.pre(BigInt(b) !== 0n)
        const rest = calculate('%', a, b)
        expect(calculate('//', a, b) * BigInt(b) + rest).toBe(BigInt(a))
        expect(rest === 0n || rest > 0n === BigInt(b) > 0n).toBe(true)
      }),
    )
  })

  test('read back from their text, in every base', () => {
    fc.assert(
      fc.property(number, fc.integer({ min: 2, max: 36 }), (value, base) => {
        expect(BigInt(textToWhole(value.toString(base), base))).toBe(BigInt(value))
      }),
    )
  })

  test.each([
    ['7 / 2', '3.5'],
    ['4 / 2', '2.0'],
    ['-7 // 2', '-4'],
    ['-7 % 3', '2'],
    ['7 % -3', '-2'],
    ['-7.5 // 2', '-4.0'],
    ['2 ** 64', '18446744073709551616'],
    ['2 ** -1', '0.5'],
    ['10 ** 400 / 10 ** 399', '10.0'],
    ['true + true', '2'],
    ['1 == 1.0 == true', 'True'],
    ['9007199254740993 == 9007199254740992.0', 'False'],
    ["'80' == 80", 'False'],
    ['1 // 0', 'template-value: Integer division or modulo by zero.'],
    ["'a' + 1", 'template-type: Can only concatenate str (not "int") to str.'],
    ["1 + 'a'", "template-type: Unsupported operand type(s) for +: 'int' and 'str'."],
    ["'9' < 10", "template-type: '<' not supported between instances of 'str' and 'int'."],
    ['(-8) ** 0.5', 'template-value: A negative number to a fractional power would be complex.'],
  ])('%s is %s', (expression, text) => {
    expect(shown(expression)).toBe(text)
  })
})
