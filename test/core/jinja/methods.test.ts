import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { mapOf } from '../../../src/core/data.ts'
import { rendered, shown } from './rendered.ts'

describe('methods of strings', () => {
  test.each([
    ["'a-b-c'.split('-', 1)", "['a', 'b-c']"],
    ["' a  b '.split()", "['a', 'b']"],
    ["' a  b '.split(none, 1)", "['a', 'b ']"],
    ["'a-b-c'.rsplit('-', maxsplit=1)", "['a-b', 'c']"],
    ["'a\\r\\nb\\x0bc\\n'.splitlines()", "['a', 'b', 'c']"],
    ["'a-b-c'.replace('-', '_', 1)", 'a_b-c'],
    ["'ab'.replace('', '.')", '.a.b.'],
    ["'a-b-c'.rpartition('-')", "('a-b', '-', 'c')"],
    ["'abcabc'.find('c', 3)", '5'],
    ["'abc'.find('', 9)", '-1'],
    ["'ab'.center(5, '*')", '**ab*'],
    ["'-5'.zfill(4)", '-005'],
    ["'straße'.upper()", 'STRASSE'],
    ["'ΑΣ'.lower()", 'ας'],
    ["'Straße'.casefold()", 'strasse'],
    ["'ǆ o\\'neil 3rd'.title()", "ǅ O'Neil 3Rd"],
    ["'HELLO wORLD'.capitalize()", 'Hello world'],
    ["'a1'.isalnum() and '½'.isnumeric() and not '½'.isdigit() and '²'.isdigit() and not '²'.isdecimal()", 'True'],
    ["'abc'.startswith(('x', 'b'), 1)", 'True'],
    ["'a\\tb'.expandtabs(4)", 'a   b'],
    ["'abc'.translate({97: 'A', 98: none})", 'Ac'],
    ["','.join(['a', 1])", 'template-type: Sequence item 1: expected str instance, int found.'],
    ["'a'.upper(1)", 'template-type: Str.upper() takes no arguments (1 given).'],
    ["'a'.split(by='-')", "template-type: 'by' is an invalid keyword argument for split()."],
    ["'a'.encode()", 'template-refused: Str.encode() is not offered: it gives bytes, and a template makes text.'],
  ])('%s is %s', (expression, text) => {
    expect(shown(expression)).toBe(text)
  })

  test('count characters, not UTF-16 units', () => {
    const s = 'a😀b'
    expect(shown('[s | length, s[1], s[::-1], s.find("b"), s.center(5), s.split("😀"), s | list]', { s })).toBe(
      "[3, '😀', 'b😀a', 2, ' a😀b ', ['a', 'b'], ['a', '😀', 'b']]",
    )
  })

  test('split into what joins again', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '-', ' ', '😀') })
    fc.assert(
      fc.property(text, fc.constantFrom('-', 'a-', '😀'), (s, by) => {
        expect(
          shown('by.join(s.split(by)) == s and by.join(s.rsplit(by, 2)) == s and (s.partition(by) | join) == s', {
            s,
            by,
          }),
        ).toBe('True')
      }),
    )
  })

  test('slice as Python does', () => {
    const bound = fc.option(fc.integer({ min: -8, max: 8 }))
    fc.assert(
      fc.property(
        bound,
        bound,
        fc.integer({ min: -3, max: 3 }).filter((step) => step !== 0),
        (start, stop, step) => {
          const slice = `[${start ?? ''}:${stop ?? ''}:${step}]`
          const characters = 'abc😀ef'
          expect(shown(`s${slice} == (l${slice} | join)`, { s: characters, l: Array.from(characters) })).toBe('True')
          expect(shown(`(range(6)${slice} | list) == (range(6) | list)${slice}`)).toBe('True')
        },
      ),
    )
  })
})

describe('methods of lists and dicts', () => {
  test.each([
    ['{% set l = [3, 1] %}{% set _ = l.append(2) %}{{ l }}{{ l.sort() }}{{ l }}', '[3, 1, 2]None[1, 2, 3]'],
    ['{% set l = [1, 2] %}{% set _ = l.insert(-1, 9) %}{{ l.pop(0) }}{{ l }}{{ l.index(2) }}', '1[9, 2]1'],
    [
      '{% set l = [1] %}{% set _ = l.extend("ab") %}{% set _ = l.remove("a") %}{% set _ = l.reverse() %}{{ l }}',
      "['b', 1]",
    ],
    ['{% set l = [1] %}{% set m = l.copy() %}{% set _ = m.clear() %}{{ l }}{{ m }}', '[1][]'],
    [
      "{% set d = {'a': 1} %}{% set _ = d.update({'b': 2}, c=3) %}{{ d }}{{ d.pop('b') }}{{ d.popitem() }}",
      "{'a': 1, 'b': 2, 'c': 3}2('c', 3)",
    ],
    ["{% set d = {} %}{{ d.setdefault('a', []).append(1) }}{{ d }}", "None{'a': [1]}"],
    ["{% set d = {'a': none} %}{{ d.get('a', 1) }}{{ d.get('b', 1) }}{{ d.get('c') }}", 'None1None'],
    [
      "{% set d = {'a': 1} %}{{ d.keys() }}{{ d.values() }}{{ d.items() }}",
      "dict_keys(['a'])dict_values([1])dict_items([('a', 1)])",
    ],
    ["{{ dict([('a', 1)], b=2) }}{{ dict.fromkeys('ab', 0) }}", "{'a': 1, 'b': 2}{'a': 0, 'b': 0}"],
    ['{{ [].pop() }}', 'template-value: Pop from empty list.'],
    ["{{ {}.pop('a') }}", "template-value: 'a'."],
    ['{{ [1].index(2) }}', 'template-value: 2 is not in list.'],
    ['{% macro m() %}{% endmacro %}{{ {m: 1} }}{{ {m: 1}[m] }}', "{<Macro 'm'>: 1}1"],
    ['{{ {[]: 1} }}', "template-type: Unhashable type: 'list'."],
  ])('%s is %s', (source, text) => {
    expect(rendered(source)).toBe(text)
  })

  test('come before keys with a dot, and after them in brackets', () => {
    const d = mapOf([
      ['items', 'the key'],
      ['port', 80],
    ])
    expect(shown("[d['items'], d.port, d['port'], d['keys']() | list, d.items() | list | length]", { d })).toBe(
      "['the key', 80, 80, ['items', 'port'], 2]",
    )
  })
})

describe('formatting', () => {
  test.each([
    [
      "'%05.1f|%+d|%x|%o|%e|%g|%s|%r|%c|%%' % (3.14159, 5, 255, 8, 12345.678, 1e-5, 'a', 'b', 65)",
      "003.1|+5|ff|10|1.234568e+04|1e-05|a|'b'|A|%",
    ],
    ["'%(a)s-%(b)03d' % {'a': 1, 'b': 2}", '1-002'],
    ["'%-5s|%5s|%.2s|%*d' % ('a', 'b', 'cde', 4, 7)", 'a    |    b|cd|   7'],
    ["'%s' % [1]", '[1]'],
    ["'%d' % 'a'", 'template-type: %d format: a real number is required, not str.'],
    ["'%s %s' % 'a'", 'template-type: Not enough arguments for format string.'],
    ["'a' % 1", 'template-type: Not all arguments converted during string formatting.'],
    [
      "'{} {1}'.format(1, 2)",
      'template-value: Cannot switch from automatic field numbering to manual field specification.',
    ],
    ["'{:>5}|{:^5}|{:*<5}'.format('a', 'b', 'c')", '    a|  b  |c****'],
    [
      "'{:,}|{:08.3f}|{:x}|{:#b}|{:+}|{:.1%}|{:e}'.format(1234567, 3.14159, 255, 5, 3, 0.256, 5)",
      '1,234,567|0003.142|ff|0b101|+3|25.6%|5.000000e+00',
    ],
    ["'{:010,}|{:_x}'.format(1234, 500000)", '00,001,234|7_a120'],
    ["'{a[b][0]}{c!r:>4}{{}}'.format(a={'b': [1]}, c='x')", "1 'x'{}"],
    ["'{:{w}.{p}}'.format('abcdef', w=5, p=2)", 'ab   '],
    ["'{a}'.format_map({'a': 1})", '1'],
    ["('<i>%s</i>' | safe) % '<'", '<i>&lt;</i>'],
    ["('<i>{}</i>' | safe).format('<')", '<i>&lt;</i>'],
    ["'{.a}'.format(1)", "template-type: 'int' object has no attribute 'a'."],
    ["'{:d}'.format('a')", "template-value: Unknown format code 'd' for object of type 'str'."],
  ])('%s is %s', (expression, text) => {
    expect(shown(expression)).toBe(text)
  })
})

describe('globals', () => {
  test.each([
    [
      '{{ range(3) | list }}{{ range(5, 0, -2) | list }}{{ range(3)[1:] }}{{ 4 in range(0, 9, 2) }}',
      '[0, 1, 2][5, 3, 1]range(1, 3)True',
    ],
    [
      "{% set c = cycler('a', 'b') %}{{ c.next() }}{{ c.next() }}{{ c.next() }}{{ c.current }}{{ c.reset() }}{{ c.current }}",
      'ababNonea',
    ],
    ["{% set j = joiner('|') %}{{ j() }}a{{ j() }}b{{ j() }}", 'a|b|'],
    [
      '{% set n = namespace(a=1) %}{% for i in [1, 2] %}{% set n.a = n.a + i %}{% endfor %}{{ n.a }}{{ n }}',
      "4<Namespace {'a': 4}>",
    ],
    ['{{ range }}{{ dict }}', "<class 'range'><class 'dict'>"],
    ['{{ range(1, 2, 0) }}', 'template-value: Range() arg 3 must not be zero.'],
    ['{{ cycler() }}', 'template-runtime: At least one item has to be provided.'],
  ])('%s is %s', (source, text) => {
    expect(rendered(source)).toBe(text)
  })
})
