import { describe, expect, test } from 'vitest'
import type { Problem } from '../../src/core/problem.ts'
import {
  age,
  colours,
  count,
  distinct,
  duration,
  ended,
  list,
  plain,
  problemsText,
  table,
  width,
} from '../../src/core/report.ts'

const file = 'services/checkout/service.yaml'
const text = 'service: checkout\ntemplate: fargate-servise@2.3.0\n\tinputs: {}\n'

function problem(line: number, column: number, more: Partial<Problem> = {}): Problem {
  return {
    code: 'unknown-template',
    severity: 'error',
    message: 'There is no template "fargate-servise". Did you mean "fargate-service"?',
    expected: 'One of fargate-service, lambda-service.',
    remedy: 'Correct the name.',
    at: { file, line, column },
    ...more,
  }
}

describe('problems as text', () => {
  test('name the place, what is wrong, what was expected, what to do and the code, above the line of the file', () => {
    expect(problemsText([problem(2, 11)], { source: () => text })).toMatchInlineSnapshot(`
      "services/checkout/service.yaml:2:11  There is no template "fargate-servise". Did you mean "fargate-service"? Expected: one of fargate-service, lambda-service. Correct the name. [unknown-template]
          2 | template: fargate-servise@2.3.0
            |           ^"
    `)
  })

  test('are in the order of file, line and column, and each is shown once', () => {
    const shown = problemsText([
      problem(3, 1),
      problem(2, 9),
      problem(2, 9),
      problem(1, 1, { at: { file: 'catalog.yaml', line: 9, column: 1 } }),
    ])

    expect(shown.split('\n').map((each) => each.split('  ')[0])).toEqual([
      'catalog.yaml:9:1',
      `${file}:2:9`,
      `${file}:3:1`,
    ])
  })

  test('put the caret below the column behind wide characters and tabs', () => {
    const source = (): string => '이름: x\n\tinputs: {}'

    expect(
      problemsText([problem(1, 5)], { source })
        .split('\n')
        .slice(1),
    ).toEqual(['    1 | 이름: x', '      |       ^'])
    expect(
      problemsText([problem(2, 2)], { source })
        .split('\n')
        .slice(1),
    ).toEqual(['    2 |   inputs: {}', '      |   ^'])
  })

  test('cut a long line around the column', () => {
    const source = (): string => `${'a'.repeat(500)}HERE${'b'.repeat(500)}`

    const [, shown = '', caret = ''] = problemsText([problem(1, 501)], { source }).split('\n')

    expect(shown.length).toBeLessThan(120)
    expect(shown.slice(caret.indexOf('^')).startsWith('HERE')).toBe(true)
  })

  test('show what a file says escaped', () => {
    const shown = problemsText(
      [problem(1, 1, { message: 'bad \u001b[2J', at: { file: '::stop-commands::x', line: 1, column: 1 } })],
      {
        source: () => '##[error]\u202e',
      },
    )

    expect(shown).not.toContain('\u001b')
    expect(shown).not.toContain('##[')
    expect(shown.startsWith('\\::stop')).toBe(true)
  })

  test('wrap at the width of the terminal', () => {
    const shown = problemsText([problem(2, 11)], { wrap: 80 })

    expect(shown.split('\n').every((each) => each.length <= 80)).toBe(true)
    expect(shown.replaceAll(/\n +/gu, ' ')).toBe(problemsText([problem(2, 11)]))
  })

  test('name the other places that have a part in it', () => {
    const related = [{ at: { file: 'services/cart/service.yaml', line: 4, column: 5 }, note: 'claimed here first' }]

    expect(problemsText([problem(1, 1, { related })])).toContain(
      '\n  services/cart/service.yaml:4:5  claimed here first',
    )
  })

  test('that are met many times at one place are told once, with their number', () => {
    const many = Array.from({ length: 40 }, (_, index) =>
      problem(2, 11, { message: `Topic${index} is not encrypted.` }),
    )

    const shown = problemsText(many)

    expect(shown).toContain('Topic0 is not encrypted.')
    expect(shown).not.toContain('Topic1 ')
    expect(shown).toContain('and 39 more like it at this place')
  })

  test('of one kind in one file are told ten times, and then counted', () => {
    const many = Array.from({ length: 40 }, (_, index) => problem(index + 1, 1))

    const shown = problemsText(many).split('\n')

    expect(shown).toHaveLength(11)
    expect(shown.at(-1)).toBe(`… and 30 more of unknown-template in ${file}; --json lists them all`)
  })

  test('without a place say how bad they are', () => {
    const { at, ...nowhere } = problem(1, 1)

    expect(at).toBeDefined()
    expect(problemsText([{ ...nowhere, severity: 'warning' }])).toMatch(/^warning {2}There is/u)
  })
})

test('the same problem of two units is one problem', () => {
  expect(distinct([problem(1, 1), problem(1, 1), problem(1, 2)])).toHaveLength(2)
})

describe('a table', () => {
  test('lines up its columns and leaves no space at the ends of lines', () => {
    const shown = table(
      [{ name: 'stage' }, { name: 'took', align: 'right' }, { name: 'note' }],
      [
        ['dev', '1 s', ''],
        ['스테이징', '12 s', 'x'],
      ],
    )

    expect(shown).toBe('STAGE     TOOK  NOTE\ndev        1 s\n스테이징  12 s  x')
  })

  test('counts no colours in its widths, and encodes its cells', () => {
    const rows = [[{ text: 'a\u0007', paint: colours.good }, 'b']]

    expect(table([{ name: '' }, { name: '' }], rows)).toBe('\u001b[32ma\\u0007\u001b[39m  b')
    expect(table([{ name: '' }, { name: '' }], [[{ text: 'ab', paint: plain.good }, 'b']])).toBe('ab  b')
  })
})

test.each([
  ['abc', 3],
  ['한글', 4],
  ['e\u0301', 1],
  ['✓', 1],
  ['🚀', 2],
])('%s is %i columns wide', (shown, columns) => {
  expect(width(shown)).toBe(columns)
})

test.each([
  [0, '0.0 s'],
  [340, '0.3 s'],
  [12_400, '12 s'],
  [278_000, '4 min 38 s'],
  [3_900_000, '1 h 5 min'],
])('%i ms are %s', (milliseconds, shown) => {
  expect(duration(milliseconds)).toBe(shown)
})

test.each([
  [400, 'now'],
  [40_000, '40 s'],
  [200_000, '3 min'],
  [40_000_000, '11 h'],
  [200_000_000, '2 d'],
])('%i ms ago is %s', (milliseconds, shown) => {
  expect(age(milliseconds)).toBe(shown)
})

test('numbers and lists read as people write them', () => {
  expect([0, 1, 2].map((number) => count(number, 'problem'))).toEqual(['no problems', '1 problem', '2 problems'])
  expect([['a'], ['a', 'b'], ['a', 'b', 'c']].map(list)).toEqual(['a', 'a and b', 'a, b and c'])
})

test.each([
  ['Rate exceeded', 'Rate exceeded.'],
  ['It is there.', 'It is there.'],
  ['Is it there?', 'Is it there?'],
])('%j ends as a sentence does', (text, expected) => {
  expect(ended(text)).toBe(expected)
})
