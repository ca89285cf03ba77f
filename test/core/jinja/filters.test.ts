import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { mapOf } from '../../../src/core/data.ts'
import { templateFilters } from '../../../src/core/jinja/filters.ts'
import { templateTests } from '../../../src/core/jinja/tests.ts'
import { rendered, shown } from './rendered.ts'

test('every filter and test of Jinja2 3.1.6 is there, and those of Proton', () => {
  const filters =
    'abs attr batch capitalize center count d default dictsort e escape filesizeformat first float forceescape format ' +
    'groupby indent int items join last length list lower map max min pprint random reject rejectattr replace reverse ' +
    'round safe select selectattr slice sort string striptags sum title tojson trim truncate unique upper urlencode ' +
    'urlize wordcount wordwrap xmlattr proton_cfn_ecs_task_definition_formatted_env_vars proton_cfn_iam_policy_arns ' +
    'proton_cfn_lambda_function_formatted_env_vars proton_cfn_sanitize'
  const tests =
    'odd even divisibleby defined undefined filter test none boolean false true integer float lower upper string mapping ' +
    'number sequence iterable callable sameas escaped in == eq equalto != ne > gt greaterthan ge >= < lt lessthan <= le'
  expect([...templateFilters.keys()].sort()).toEqual(filters.split(' ').sort())
  expect([...templateTests.keys()].sort()).toEqual(tests.split(' ').sort())
})

describe('truncate', () => {
  const name = 'abcdefghijklmnopqrstuvwxyz012345'

  test.each([
    [`name | truncate(29, true, 'zzz')`, name],
    [`name | truncate(29, true, 'zzz', 0)`, 'abcdefghijklmnopqrstuvwxyzzzz'],
    [`(name ~ 'xyz') | truncate(29, true, 'zzz')`, 'abcdefghijklmnopqrstuvwxyzzzz'],
    [`'foo bar baz qux' | truncate(9)`, 'foo...'],
    [`'foo bar baz qux' | truncate(9, end='', leeway=0)`, 'foo bar'],
    [`'foo bar' | truncate(2)`, 'template-value: Expected length >= 3, got 2.'],
    [`'😀😀😀😀' | truncate(3, true, '', 0)`, '😀😀😀'],
  ])('%s is %s', (expression, text) => {
    expect(shown(expression, { name })).toBe(text)
  })

  test('never gives more than the length and the leeway', () => {
    fc.assert(
      fc.property(
        fc.string(),
        fc.integer({ min: 3, max: 20 }),
        fc.integer({ min: 0, max: 5 }),
        fc.boolean(),
        (s, length, leeway, kill) => {
          const text = shown(`s | truncate(${length}, ${kill}, '...', ${leeway})`, { s })
          expect(text === s ? s.length <= length + leeway : text.length <= length).toBe(true)
        },
      ),
    )
  })
})

describe('generators', () => {
  test('are not printed, because Python prints their addresses', () => {
    expect(shown("['a'] | map('upper')")).toBe(
      'template-refused: A generator has no text that is the same each time; turn it into a list first, with "| list".',
    )
  })

  test('can be walked once', () => {
    expect(rendered("{% set g = [1, 2] | select %}{{ g | list }}{{ g | list }}{{ g | first | default('-') }}")).toBe(
      '[1, 2][]-',
    )
  })

  test('are worked only as far as they are walked', () => {
    expect(shown("[1, 0, 2] | map('int') | map('abs') | first")).toBe('1')
    expect(shown("['x', none] | map('upper') | first")).toBe('X')
    expect(rendered("{% set g = [1] | map('nope') %}fine")).toBe('fine')
    expect(shown("[1] | map('nope') | list")).toBe("template-runtime: No filter named 'nope'.")
  })
})

describe('sorting and grouping', () => {
  const people = ['Zoe 30', 'adam 4', 'Bob 30'].map((line) => {
    const [name = '', age = ''] = line.split(' ')
    return mapOf([
      ['name', name],
      ['age', Number(age)],
    ])
  })

  test.each([
    ["people | sort(attribute='name') | join(',', attribute='name')", 'adam,Bob,Zoe'],
    ["people | sort(attribute='name', case_sensitive=true) | join(',', attribute='name')", 'Bob,Zoe,adam'],
    ["people | sort(true, attribute='age') | join(',', attribute='name')", 'Zoe,Bob,adam'],
    ["people | sort(attribute='age,name') | join(',', attribute='name')", 'adam,Bob,Zoe'],
    ["people | groupby('age') | map('first') | list", '[4, 30]'],
    ["(people | groupby('age') | last).list | join(',', attribute='name')", 'Zoe,Bob'],
    ["people | groupby('city', default='?') | map(attribute='grouper') | list", "['?']"],
    ["people | sum(attribute='age')", '64'],
    ["(people | max(attribute='age')).name", 'Zoe'],
    ["people | selectattr('age', 'gt', 10) | map(attribute='name') | list", "['Zoe', 'Bob']"],
    ["['b', 'A', 'a', 'B'] | unique | list", "['b', 'A']"],
    ["{'b': 1, 'A': 2} | dictsort", "[('A', 2), ('b', 1)]"],
    ["{'b': 1, 'A': 2} | dictsort(by='value', reverse=true)", "[('A', 2), ('b', 1)]"],
    ["[3, 'a'] | sort", "template-type: '<' not supported between instances of 'str' and 'int'."],
    ['[] | max', 'undefined-variable: No aggregated item, sequence was empty.'],
  ])('%s is %s', (expression, text) => {
    expect(shown(expression, { people })).toBe(text)
  })

  test('keep what is equal in its order', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.integer({ min: 0, max: 3 }), fc.nat(99))), fc.boolean(), (pairs, reverse) => {
        const sorted = pairs.toSorted((a, b) => (reverse ? b[0] - a[0] : a[0] - b[0]))
        const text = shown(`pairs | sort(${reverse}, attribute=0)`, { pairs })
        expect(text).toBe(shown('sorted', { sorted }))
      }),
    )
  })
})

describe('tojson', () => {
  test.each([
    ["{'b': [1, 2.0, none], 'a': 'x'} | tojson", '{"a": "x", "b": [1, 2.0, null]}'],
    [`"<a href='x'>&" | tojson`, String.raw`"\u003ca href=\u0027x\u0027\u003e\u0026"`],
    ["{'a': [1]} | tojson(2)", '{\n  "a": [\n    1\n  ]\n}'],
    ["'é😀' | tojson", String.raw`"\u00e9\ud83d\ude00"`],
    ['{(1, 2): 3} | tojson', 'template-type: Keys must be str, int, float, bool or None, not tuple.'],
    ['range(2) | tojson', 'template-type: Object of type range is not JSON serializable.'],
  ])('%s is %s', (expression, text) => {
    expect(shown(expression)).toBe(text)
  })

  test('is read back by JSON as what was written', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 3 }), (value) => {
        const plain = JSON.stringify(value).replaceAll(/-0(?=[,\]}]|$)/g, '0')
        fc.pre(!/e[+-]?\d|\d\.\d|\d{16}|__proto__/.test(plain))
        expect(JSON.parse(rendered(`{{ text | tojson }}`, { text: plain }))).toBe(plain)
      }),
    )
  })
})

describe('other filters', () => {
  test.each([
    ["'hello wOrld-foo (bar) [baz]' | title", 'Hello World-Foo (Bar) [Baz]'],
    ["'xxaxx' | trim('x')", 'a'],
    ["'a b/c?' | urlencode", 'a%20b/c%3F'],
    ["{'a': 'b c', 'd': '/'} | urlencode", 'a=b+c&d=%2F'],
    ["'42.23' | int", '42'],
    ["'0x1F' | int(base=16)", '31'],
    ["'x' | int(7)", '7'],
    ["'1e3' | float", '1000.0'],
    ['2.5 | round', '2.0'],
    ["2.51 | round(1, 'floor')", '2.5'],
    ['25 | round(-1)', '20'],
    ['1000 | filesizeformat', '1.0 kB'],
    ['1048576 | filesizeformat(true)', '1.0 MiB'],
    ["'a\\nb\\n\\nc' | indent(2, blank=true)", 'a\n  b\n  \n  c'],
    ["'a-b c--d' | wordwrap(3)", 'a-b\nc--\nd'],
    ["['a', 'b'] | join(d='-')", 'a-b'],
    ["'%s-%s' | format('a', 'b')", 'a-b'],
    ["'%(x)s' | format(x='a')", 'a'],
    ["{'a': 1, 'b': none} | xmlattr", ' a="1"'],
    ["'<b>x</b> &amp; y' | striptags", 'x & y'],
    ["'<x>' | e ~ '&'", '&lt;x&gt;&'],
    ["('<x>' | e) + '&'", '&lt;x&gt;&amp;'],
    ["'see http://a.com.' | urlize", 'see <a href="http://a.com" rel="noopener">http://a.com</a>.'],
    ["d.x | default('-')", '-'],
    ["'' | default('-', true)", '-'],
    ["none | default('-')", 'None'],
    ['[1, 2, 3] | batch(2, 0) | list', '[[1, 2], [3, 0]]'],
    ['[1, 2, 3] | slice(2) | list', '[[1, 2], [3]]'],
    ["d | attr('items') is callable", 'True'],
    ["d | attr('x') is defined", 'False'],
    ["'a' | replace('a', 'b', count=0)", 'a'],
    ["'x' | upper(1)", 'template-type: Do_upper() takes 1 positional argument but 2 were given.'],
    ["[1] | join(sep='')", "template-type: Sync_do_join() got an unexpected keyword argument 'sep'."],
    ["'a' | replace('a')", "template-type: Do_replace() missing 1 required positional argument: 'new'."],
  ])('%s is %s', (expression, text) => {
    expect(shown(expression, { d: mapOf() })).toBe(text)
  })

  test('take time in proportion to their input, whatever it is', () => {
    const long = {
      dashes: '-'.repeat(50_000),
      dots: 'a.'.repeat(25_000),
      marks: '<!--'.repeat(3000),
      ends: '(&gt;'.repeat(3000),
    }
    for (const name of Object.keys(long)) {
      for (const filter of ['urlize', 'wordwrap(20)', 'striptags', 'title', 'wordcount', 'int', 'float', 'pprint']) {
        expect(shown(`${name} | ${filter} | string | length`, long)).toMatch(/^\d+$|^template-limit/)
      }
    }
  })
})
