import fc from 'fast-check'
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { Float, isList, isMap, mapOf } from '../../../src/core/data.ts'
import type { Data } from '../../../src/core/data.ts'
import {
  Dict,
  JinjaError,
  Markup,
  Tuple,
  contextOf,
  fromData,
  noComponent,
  noComponents,
} from '../../../src/core/jinja/values.ts'
import type { Value } from '../../../src/core/jinja/values.ts'
import { readJson } from '../../../src/core/yaml.ts'
import { rendered, shown } from './rendered.ts'

describe('what Jinja2 makes of an expression', () => {
  const file = 'test/core/jinja/value-cases.json'
  const recorded = readJson(file, readFileSync(file, 'utf8'))
  if (!recorded.ok || !isMap(recorded.value.data)) throw new Error(`${file} cannot be read`)
  const { cases = null, context = null } = recorded.value.data
  if (!isList(cases) || !isMap(context)) throw new Error(`${file} has another shape`)

  const codes: Readonly<Record<string, string>> = {
    UndefinedError: 'undefined-variable',
    TypeError: 'template-type',
    AttributeError: 'template-type',
    TemplateRuntimeError: 'template-runtime',
    TemplateAssertionError: 'template-unknown-name',
    TemplateSyntaxError: 'template-syntax',
  }

  /** Where this project says more than Python: an undefined value is named as one wherever it is used. */
  function isBetter(kind: string, code: string): boolean {
    return code === 'undefined-variable' && kind === 'TypeError'
  }

  function difference(entry: Data): string | undefined {
    if (!isList(entry)) return 'an entry is no list'
    const [expression, outcome, message] = entry.map(String)
    const result = shown(expression ?? '', context === null ? {} : isMap(context) ? context : {})
    if (message === undefined) return result === outcome ? undefined : `${expression} gives ${result}, not ${outcome}`
    const [code = '', words = ''] = result.split(/: (.*)/s)
    const right = code === (codes[outcome ?? ''] ?? 'template-value') || isBetter(outcome ?? '', code)
    return right && words !== '' ? undefined : `${expression} gives ${result}, not ${outcome}: ${message}`
  }

  test('is made here, too, in all recorded cases', () => {
    expect(cases.length).toBeGreaterThan(2000)
    expect(cases.map(difference).filter((line) => line !== undefined)).toEqual([])
  })
})

describe('a dict', () => {
  test('takes 1, 1.0 and True for one key, and keeps the first spelling', () => {
    const dict = new Dict([[new Float(1), 'float']])
    dict.set(true, 'bool')
    dict.set(1, 'int')
    expect([...dict.entries()]).toEqual([[new Float(1), 'int']])
    expect(dict.get(1n)).toBe('int')
  })

  test('does not take text, numbers, None and tuples for each other', () => {
    const keys: Value[] = ['1', 1, null, 'None', new Tuple([1]), new Tuple(['1']), '(1,)', '\0t8 number 1', '\0s\0']
    const dict = new Dict(keys.map((key, index) => [key, index]))
    expect(keys.map((key) => dict.get(key))).toEqual(keys.map((_, index) => index))
    expect([...dict.keys()]).toEqual(keys)
  })

  test('finds Markup by its text', () => {
    expect(new Dict([['a', 1]]).get(new Markup('a'))).toBe(1)
  })

  test.each([
    [[], 'list'],
    [new Dict(), 'dict'],
  ])('has no key that is a list or a dict', (key, type) => {
    expect(() => new Dict().set(key, 1)).toThrow(new JinjaError('TypeError', `unhashable type: '${type}'`))
  })

  test('behaves like a list of pairs for every sequence of changes', () => {
    const key = fc.oneof(fc.string({ maxLength: 2 }), fc.integer({ min: -2, max: 2 }), fc.boolean(), fc.constant(null))
    const change = fc.record({ key, value: fc.integer(), remove: fc.boolean() })
    fc.assert(
      fc.property(fc.array(change), (changes) => {
        const same = (a: Value, b: Value): boolean =>
          a === b ||
          (a === 1 && b === true) ||
          (a === true && b === 1) ||
          (a === 0 && b === false) ||
          (a === false && b === 0)
        const dict = new Dict()
        let pairs: [Value, Value][] = []
        for (const { key, value, remove } of changes) {
          const at = pairs.findIndex((pair) => same(pair[0], key))
          if (remove) {
            dict.delete(key)
            pairs = pairs.filter((_, index) => index !== at)
          } else {
            dict.set(key, value)
            const found = pairs[at]
            if (found === undefined) pairs.push([key, value])
            else found[1] = value
          }
        }
        expect([...dict.entries()]).toEqual(pairs)
        expect(dict.size).toBe(pairs.length)
      }),
    )
  })
})

describe('the context of a rendering', () => {
  test('keeps what a template appends to a list from the next rendering', () => {
    const context = { list: ['a'] }
    const source = "{% set _ = list.append('b') %}{{ list }}"
    expect(rendered(source, context)).toBe("['a', 'b']")
    expect(rendered(source, context)).toBe("['a', 'b']")
    expect(context.list).toEqual(['a'])
  })

  test('shows a list that occurs twice as one list', () => {
    const shared = ['a']
    expect(rendered("{% set _ = x.append('b') %}{{ y.z }}", { x: shared, y: mapOf([['z', shared]]) })).toBe(
      "['a', 'b']",
    )
  })

  test('reads own keys only, whatever they are called', () => {
    const odd = mapOf([
      ['constructor', 'a key'],
      ['__proto__', 'another'],
      ['length', 7],
    ])
    expect(shown("[odd.constructor, odd['__proto__'], odd.length, odd | length]", { odd })).toBe(
      "['a key', 'another', 7, 3]",
    )
    expect(shown('odd.toString', { odd })).toMatch(/^undefined-variable/)
  })

  test('takes a number that is no safe integer for a float', () => {
    expect(fromData(0.5)).toEqual(new Float(0.5))
    expect(fromData(12n)).toBe(12)
  })

  test('lets further variables win', () => {
    expect(contextOf(mapOf([['a', 1]]), new Map([['a', 2]])).get('a')).toBe(2)
  })
})

describe('a component that is not there', () => {
  const context = { components: noComponents, component: noComponent }

  test.each([
    ["{{ 'yes' if components.default.outputs else 'no' }}", 'no'],
    ['{{ components }}{{ components.default }}{{ component.outputs }}', '{}{}{}'],
    ['{{ components.default.outputs | length }}', '0'],
    ['{% for key in component.outputs %}{{ key }}{% else %}none{% endfor %}', 'none'],
    ["{{ component.outputs.Arn | default('-') }}", '-'],
    ['{{ component.outputs is mapping }}', 'True'],
  ])('answers %s with %s', (source, text) => {
    expect(rendered(source, context)).toBe(text)
  })

  test.each(['component.name', 'components.other', 'component.outputs.Arn'])('has no %s', (path) => {
    expect(shown(path, context)).toMatch(/^undefined-variable/)
  })
})

describe('what must not be reached', () => {
  test.each([
    "''.__class__",
    "[]['__class__']",
    'range.__init__',
    "x | attr('__dict__')",
    "'{0.__class__}'.format(x)",
    "'{0.a.__globals__}'.format({'a': 1})",
    "'{x.__class__}'.format_map({'x': 1})",
    'random([1])',
    '[1, 2] | random',
    'lipsum()',
    "[1] | map('string')",
    "''.upper",
    'x.items',
    "'a'.encode()",
  ])('%s', (expression) => {
    expect(shown(expression, { x: mapOf() })).toMatch(/^(template-refused|undefined-variable|template-type)/)
  })

  test.each(['constructor', 'prototype', 'call', 'apply', 'bind', 'name', 'length', 'toString', 'valueOf'])(
    'the property %s of a function',
    (name) => {
      for (const owner of ['range', "''.upper", '[].append', 'cycler(1).next', 'joiner()', 'namespace()']) {
        expect(shown(`${owner}.${name}`)).toMatch(/^undefined-variable/)
        expect(shown(`${owner}['${name}']`)).toMatch(/^undefined-variable/)
      }
    },
  )
})

describe('bounds', () => {
  test.each([
    "'x' * 10 ** 9",
    '[1] * 10 ** 9',
    "'x'.center(10 ** 9)",
    "'x'.ljust(10 ** 9)",
    "'1'.zfill(10 ** 9)",
    "('a' * 1000).replace('', 'b' * 100000)",
    "'a' | indent(10 ** 9)",
    "'%1000000000d' % 1",
    "'%.*f' % (10 ** 9, 1.5)",
    "'{:>1000000000}'.format('a')",
    "'{:.1000000000f}'.format(1.5)",
    'range(10 ** 9) | list',
    'range(10 ** 9) | sum',
    "[1] | batch(10 ** 9, 'x') | list",
    '[1] | slice(10 ** 9) | list',
    '2 ** (10 ** 9)',
    '(2 ** 100000) * (2 ** 100000)',
    '[1] | tojson(10 ** 9)',
    "'\\t'.expandtabs(10 ** 9)",
    "(',' * 1000).join(range(10000) | map('string') | list)",
  ])('%s is refused before it is built', (expression) => {
    expect(shown(expression)).toMatch(/^template-limit/)
  })

  test('a list that doubles itself is not printed for ever', () => {
    const source = '{% set ns = namespace(l=[1]) %}{% for i in range(60) %}{% set ns.l = [ns.l, ns.l] %}{% endfor %}'
    for (const use of ['{{ ns.l }}', '{{ ns.l | tojson }}', '{{ ns.l | pprint }}', '{{ ns.l | string | length }}']) {
      expect(rendered(source + use, {}, { steps: 200_000 })).toMatch(/^template-limit/)
    }
    const two = source + source.replaceAll('ns', 'other')
    expect(rendered(`${two}{{ ns.l == other.l }}`, {}, { steps: 200_000 })).toMatch(/^template-limit/)
    expect(rendered(`${two}{{ ns.l < other.l }}`, {}, { steps: 200_000 })).toMatch(/^template-limit/)
  })

  test('a list that is nested very deeply is refused, not a crash', () => {
    const source = '{% set ns = namespace(l=[1]) %}{% for i in range(50000) %}{% set ns.l = [ns.l] %}{% endfor %}'
    const two = source + source.replaceAll('ns', 'other')
    for (const use of [
      '{{ ns.l }}',
      '{{ ns.l | tojson }}',
      '{{ ns.l | pprint }}',
      '{{ ns.l == other.l }}',
      '{{ ns.l < other.l }}',
    ]) {
      expect(rendered(two + use)).toMatch(/^template-limit/)
    }
  })

  test('a list within itself is printed as Python prints it', () => {
    expect(rendered('{% set l = [1] %}{% set _ = l.append(l) %}{{ l }}')).toBe('[1, [...]]')
    expect(rendered('{% set d = {} %}{% set _ = d.update(a=d) %}{{ d }}')).toBe("{'a': {...}}")
    expect(rendered('{% set l = [1] %}{% set _ = l.append(l) %}{{ l | tojson }}')).toMatch(/^template-value: Circular/i)
  })

  test('a dict that grows while it is walked is refused, as in Python', () => {
    expect(rendered("{% set d = {'a': 1} %}{% for k in d %}{% set _ = d.update({k ~ 'x': 1}) %}{% endfor %}")).toMatch(
      /changed size during iteration/,
    )
  })
})
