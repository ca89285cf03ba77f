import { existsSync, readFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Data, DataMap } from '../../../src/core/data.ts'
import { isList, isMap, mapOf } from '../../../src/core/data.ts'
import { parseTemplate, renderTemplate } from '../../../src/core/jinja/index.ts'
import type { Limits, Rendered } from '../../../src/core/jinja/index.ts'
import type { FileTree } from '../../../src/core/tree.ts'
import { readJson } from '../../../src/core/yaml.ts'

const files: FileTree = new Map([
  ['base.njk', '{% block a %}base{% endblock %}'],
  ['lib.njk', '{% macro m(x) %}{{ x }}{% endmacro %}{% set v = 1 %}'],
  ['self.njk', '{% include "self.njk" %}'],
  ['ping.njk', '{% include "pong.njk" %}'],
  ['pong.njk', '{% import "ping.njk" as p with context %}'],
  ['extends-self.njk', '{% extends "extends-self.njk" %}'],
])

const context: DataMap = mapOf([
  [
    'svc',
    mapOf([
      ['name', 'checkout'],
      ['tags', ['a', 'b']],
      ['port', 80],
      ['constructor', 'only a key'],
    ]),
  ],
])

function run(template: string, limits?: Partial<Limits>): Rendered {
  const parsed = parseTemplate('attack', template, { files, ...(limits === undefined ? {} : { limits }) })
  return parsed.ok ? renderTemplate(parsed.value, context) : parsed
}

function codeOf(rendered: Rendered): string {
  return rendered.ok ? `text: ${rendered.text}` : (rendered.problems[0]?.code ?? 'no problem')
}

let touched = 0
let prototype: readonly (string | symbol)[] = []

beforeEach(() => {
  touched = 0
  prototype = Reflect.ownKeys(Object.prototype)
  Object.defineProperty(globalThis, 'PWN', { configurable: true, get: () => (touched += 1) })
})

afterEach(() => {
  Reflect.deleteProperty(globalThis, 'PWN')
})

function expectHarmless(rendered: Rendered): void {
  expect(touched).toBe(0)
  expect(Reflect.ownKeys(Object.prototype)).toEqual(prototype)
  const text = rendered.ok ? rendered.text : rendered.problems.map((problem) => problem.message).join('\n')
  expect(text).not.toMatch(/\[object |native code|class \w+ \{|process\.env/)
  if (!rendered.ok) expect(rendered.problems.length).toBeGreaterThan(0)
}

/** What reaches for JavaScript behind a value, a function, a table or the renderer's own objects. */
const javascript = [
  "{{ range.constructor('PWN()')() }}",
  "{{ ''.constructor.constructor('PWN()')() }}",
  '{{ [].constructor }}',
  "{{ {}['constructor'] }}",
  '{{ {}.__proto__ }}',
  "{{ svc['__proto__'] }}",
  "{{ svc['__proto__']['polluted'] }}",
  "{% set ns = namespace() %}{% set ns.__proto__ = {'polluted': 1} %}{{ {}.polluted }}",
  '{% set ns = namespace() %}{% set ns.constructor = 1 %}{{ ns.constructor }}',
  '{% set __proto__ = range %}{{ constructor }}',
  "{% set d = {'__proto__': {'polluted': 1}} %}{{ d.polluted }}",
  "{% set d = {} %}{{ d.update({'__proto__': {'polluted': 1}}) }}{{ {}.polluted }}",
  "{{ dict(__proto__={'polluted': 1}).polluted }}",
  '{{ 1|constructor }}',
  '{{ 1|valueOf }}',
  '{{ 1|__proto__ }}',
  "{{ 'lookup'|__defineGetter__(1) }}",
  '{{ 1 is constructor }}',
  "{{ [1]|map('constructor')|list }}",
  "{{ [1]|select('constructor')|list }}",
  "{{ [1]|select('__proto__')|list }}",
  "{{ [svc]|map(attribute='constructor.constructor')|list }}",
  "{{ [svc]|map(attribute='__proto__.x')|list }}",
  "{{ [svc]|groupby('__proto__')|list }}",
  "{{ [svc]|sort(attribute='constructor.name')|list }}",
  "{{ [svc]|sum(attribute='__proto__') }}",
  "{{ [svc]|join('', 'toString') }}",
  "{{ svc|attr('constructor') }}",
  "{{ svc|attr('__proto__') }}",
  '{% for x in [1] %}{{ loop.constructor }}{% endfor %}',
  '{% macro m() %}{{ kwargs.constructor }}{{ varargs.constructor }}{{ caller.constructor }}{% endmacro %}{{ m() }}',
  '{% macro constructor() %}1{% endmacro %}{{ constructor.constructor }}',
  '{% macro m(constructor, __proto__=1) %}{{ __proto__ }}{% endmacro %}{{ m(1) }}',
  '{{ self.constructor }}{% block constructor %}{% endblock %}',
  '{{ self.__proto__ }}',
  '{% block __proto__ %}x{% endblock %}{{ self.__proto__ }}',
  "{% import 'lib.njk' as l %}{{ l.constructor }}{{ l.__proto__ }}",
  "{% from 'lib.njk' import constructor %}{{ constructor }}",
  "{% include '__proto__' %}",
  "{% include 'constructor' %}",
  "{{ cycler('a').next.constructor }}",
  '{{ joiner().constructor }}',
  '{{ namespace().constructor }}',
  '{{ undefined.constructor }}',
  '{{ hasOwnProperty }}',
  '{{ toString() }}',
  '{{ globalThis }}{{ process }}{{ require }}{{ PWN }}',
  '{{ this }}',
  '{{ arguments }}',
  "{{ '%s' % range }}",
  "{{ '{}'.format(range) }}",
  '{{ [range, range.__init__]|string }}',
  '{{ range|tojson }}',
  '{{ range|pprint }}',
  "{{ range ~ '' }}",
]

/** What gets out of Python's sandboxes: none of these attributes is there. */
const python = [
  "{{ ''.__class__ }}",
  "{{ ''.__class__.__mro__[1].__subclasses__() }}",
  "{{ ().__class__.__bases__[0].__subclasses__()[40]('/etc/passwd').read() }}",
  "{{ ''['__class__'] }}",
  "{{ ''|attr('__class__') }}",
  "{{ ''|attr('__cl' ~ 'ass__') }}",
  "{{ ['']|map(attribute='__class__')|list }}",
  "{{ ''|attr(['__class__']|first) }}",
  "{{ ''['\\x5f\\x5fclass\\x5f\\x5f'] }}",
  "{{ '{0.__class__}'.format(1) }}",
  "{{ '{0.__class__.__init__.__globals__}'.format(range) }}",
  "{{ '{x.__class__}'.format_map({'x': 1}) }}",
  "{{ '{0[__class__]}'.format(svc) }}",
  "{{ '%(__class__)s' % svc }}",
  "{{ '{0.__class__}'|format(1) }}",
  '{{ cycler.__init__.__globals__ }}',
  "{{ joiner.__init__.__globals__.os.popen('id').read() }}",
  '{{ namespace.__init__.__globals__ }}',
  "{{ lipsum.__globals__['os'].popen('id').read() }}",
  '{{ lipsum() }}',
  '{{ self._TemplateReference__context.cycler.__init__.__globals__.os }}',
  '{{ self.__init__.__globals__.__builtins__ }}',
  '{% macro m() %}{% endmacro %}{{ m.__globals__ }}{{ m._func.__globals__ }}',
  '{{ nope.__init__.__globals__ }}',
  '{{ nope.__class__ }}',
  '{{ (nope|default(range)).__self__ }}',
  '{{ range.__self__ }}',
  '{{ [].append.__self__.__class__ }}',
  "{{ ''.join.__self__ }}",
  '{{ {}.items.__func__ }}',
  '{% for x in [1] %}{{ loop._iterator }}{{ loop.__class__ }}{% endfor %}',
  '{{ config }}{{ request }}{{ get_flashed_messages.__globals__ }}{{ url_for.__globals__ }}',
  '{{ (1).__add__(2) }}',
  '{{ (lambda: 1)() }}',
  '{{ [x for x in range(3)] }}',
  '{{ import os }}',
  "{{ __import__('os') }}",
  '{{ __builtins__ }}',
  "{{ eval('1') }}",
  '{{ (x for x in [1]).gi_frame }}',
  "{{ [1]|map('upper')|attr('gi_frame') }}",
]

/** Names that break out of text, if text is ever made into code: nothing of it may be a name, and none may run. */
const injection = [
  '{{ a"&PWN`x`&"b }}',
  '{{ svc.a"&PWN`x`&"b }}',
  '{{ 1|a"&PWN`x`&"b }}',
  '{{ 1 is a"&PWN`x`&"b }}',
  '{% set a"&PWN`x`&"b = 1 %}',
  '{% for a"&PWN`x`&"b in [1] %}{% endfor %}',
  '{% macro a"&PWN`x`&"b() %}{% endmacro %}',
  '{% macro m(a"&PWN`x`&"b=1) %}{% endmacro %}',
  '{% block a"&PWN`x`&"b %}{% endblock %}',
  '{% import "lib.njk" as a"&PWN`x`&"b %}',
  '{% from "lib.njk" import m as a"&PWN`x`&"b %}',
  `{{ svc['\\\\",context,[PWN(1)])),0);//']() }}`,
  `{{ svc['"];PWN();//'] }}`,
  '{{ {"\\"];PWN();//": 1} }}',
  '{{ a\\u0022 }}',
  '{{ a\u2028PWN() }}',
  '{{ a\u0000b }}',
  '{{ `PWN()` }}',
  '{{ ${PWN()} }}',
  '{{ /PWN/ }}',
  '{{ r/PWN/g }}',
  '{{ (r/x/).constructor }}',
  '{% raw %}{{ PWN() }}{% endraw %}',
  '{# {{ PWN() }} #}',
]

describe.each([
  ['JavaScript', javascript],
  ["Python's objects", python],
  ['names', injection],
])('an attack by way of %s', (_, templates) => {
  test.each(templates)('%s is harmless', (template) => {
    expectHarmless(run(template))
  })
})

test('a key named like a property of Object.prototype is a key', () => {
  expect(codeOf(run('{{ svc.constructor }}'))).toBe('text: only a key')
  expect(codeOf(run("{{ {'__proto__': 1}['__proto__'] }}"))).toBe('text: 1')
  expect(codeOf(run("{{ {'toString': 2}.toString }}"))).toBe('text: 2')
  expect(codeOf(run('{% set constructor = 3 %}{{ constructor }}'))).toBe('text: 3')
})

describe('a bound is met instead of exhausting the machine', () => {
  const many = (text: string, count: number): string => text.repeat(count)

  test.each([
    ['steps of nested loops', '{% for a in range(100000) %}{% for b in range(100000) %}{% endfor %}{% endfor %}'],
    ['steps of macros', '{% macro m(n) %}{% if n > 0 %}{{ m(n-1) }}{{ m(n-1) }}{% endif %}{% endmacro %}{{ m(60) }}'],
    ['recursion of a macro', '{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}'],
    ['mutual recursion', '{% macro a() %}{{ b() }}{% endmacro %}{% macro b() %}{{ a() }}{% endmacro %}{{ a() }}'],
    ['recursion by way of caller', '{% macro m() %}{% call m() %}{{ caller() }}{% endcall %}{% endmacro %}{{ m() }}'],
    ['recursion of a loop', '{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}'],
    ['recursion of a block', '{% block b %}{{ self.b() }}{% endblock %}'],
    ['an include of itself', '{% include "self.njk" %}'],
    ['a circle of includes', '{% include "ping.njk" %}'],
    ['an extends of itself', '{% extends "extends-self.njk" %}'],
    ['doubling by ~', `{% set a = 'aaaaaaaaaaaaaaaa' %}${many('{% set a = a ~ a %}', 60)}{{ a|length }}`],
    ['doubling by +', `{% set a = 'aaaaaaaaaaaaaaaa' %}${many('{% set a = a + a %}', 60)}{{ a|length }}`],
    ['doubling of lists', `{% set a = [1, 2, 3, 4] %}${many('{% set a = a + a %}', 60)}{{ a|length }}`],
    [
      'doubling by a macro',
      `{% macro d(x) %}{{ x }}{{ x }}{% endmacro %}{% set a = 'aaaaaaaaaaaaaaaa' %}${many('{% set a = d(a) %}', 60)}`,
    ],
    ['doubling by a block set', `{% set a = 'aaaaaaaaaaaaaaaa' %}${many('{% set a %}{{ a }}{{ a }}{% endset %}', 60)}`],
    ['multiplied text', "{{ 'a' * 100000000 }}"],
    ['a multiplied list', '{{ ([0] * 100000000)|length }}'],
    ['a power', '{{ 9 ** (9 ** 9) }}'],
    ['powers of powers', `{% set a = 9 %}${many('{% set a = a ** a %}', 9)}`],
    ['a shift by multiplication', `{% set a = 10 ** 300 %}${many('{% set a = a * a %}', 40)}`],
    ['a padded text', "{{ 'x'|center(400000000) }}"],
    ['a formatted width', "{{ '%400000000d' % 1 }}"],
    ['a width in format', "{{ '{:400000000}'.format(1) }}"],
    ['zeros', "{{ 'x'.zfill(400000000) }}"],
    ['an indent', "{{ '\\n\\n\\n\\n\\n\\n\\n\\n'|indent(400000000) }}"],
    ['a tab stop', "{{ '\\t\\t\\t\\t\\t\\t\\t\\t'.expandtabs(400000000) }}"],
    ['slices', '{{ [1]|slice(400000000)|list|length }}'],
    ['a batch with filler', "{{ [1]|batch(400000000, 'x')|list|length }}"],
    ['a range as a list', '{{ range(400000000)|list|length }}'],
    ['a replacement of nothing', "{{ ('a' * 1000000).replace('', 'aaaaaaaaaaaaaaaaaa')|length }}"],
    ['a long joiner', "{{ range(1000)|join('x' * 1000000)|length }}"],
    ['a long output', "{% set a = 'x' * 1000000 %}{% for i in range(10) %}{{ a }}{% endfor %}"],
    ['a list that grows while it is walked', '{% set l = [1] %}{% for x in l %}{{ l.append(1) and "" }}{% endfor %}'],
  ])('%s', (_, template) => {
    const rendered = run(template)
    expectHarmless(rendered)
    expect(codeOf(rendered)).toBe('template-limit')
  })

  const each = (count: number, text: (number: number) => string): string =>
    Array.from({ length: count }, (_, number) => text(number)).join('')
  const names = each(5_000, (number) => `{% set a${number} = 1 %}`)

  test.each([
    ['parameters', `{% macro m(${each(5_000, (number) => `a${number}=1,`)}b=1) %}{% endmacro %}`, '{{ m() }}'],
    ['variables of a macro', `{% macro m() %}{% if 0 %}${names}{% endif %}{% endmacro %}`, '{{ m() }}'],
    [
      'names that a macro reads',
      `{% macro m() %}{% if 0 %}${each(5_000, (n) => `{{ a${n} }}`)}{% endif %}{% endmacro %}`,
      '{{ m() }}',
    ],
    ['variables of a loop', '', `{% for x in [1] %}{% if 0 %}${names}{% endif %}{% endfor %}`],
    ['variables of a block', '', `{% with %}{% if 0 %}${names}{% endif %}{% endwith %}`],
    ['variables that an include sees', names, '{% import "empty.njk" as e with context %}'],
    ['variables that a block sees', names, '{% block b scoped %}{% endblock %}'],
  ])('in a loop over many %s', (_, before, body) => {
    const files = new Map([['empty.njk', '']])
    const parsed = parseTemplate('t', `${before}{% for i in range(100000) %}${body}{% endfor %}`, { files })
    expect(codeOf(parsed.ok ? renderTemplate(parsed.value, mapOf()) : parsed)).toBe('template-limit')
  })

  test('of the variables that statements hand on', () => {
    expect(codeOf(run(each(3_000, (number) => `{% set a${number} = 1 %}{% include "x" ignore missing %}`)))).toBe(
      'template-limit',
    )
  })

  test.each([
    ['source', many('x', 300_000)],
    ['tokens', many('{{ 1 }}', 30_000)],
    ['parentheses', `{{ ${many('(', 10_000)}1${many(')', 10_000)} }}`],
    ['lists', `{{ ${many('[', 10_000)}${many(']', 10_000)} }}`],
    ['maps', `{{ ${many("{'a':", 10_000)}1${many('}', 10_000)} }}`],
    ['calls', `{{ ${many('f(', 10_000)}${many(')', 10_000)} }}`],
    ['subscripts', `{{ ${many('a[', 10_000)}0${many(']', 10_000)} }}`],
    ['not', `{{ ${many('not ', 10_000)}1 }}`],
    ['minus', `{{ ${many('-', 3)}${many('- ', 10_000)}1 }}`],
    ['attributes', `{{ a${many('.a', 10_000)} }}`],
    ['filters', `{{ a${many('|e', 10_000)} }}`],
    ['sums', `{{ 1${many('+1', 10_000)} }}`],
    ['or', `{{ 1${many(' or 1', 10_000)} }}`],
    ['conditional', `{{ 1${many(' if 1 else 1', 10_000)} }}`],
    ['if', `${many('{% if 1 %}', 5_000)}${many('{% endif %}', 5_000)}`],
    ['for', `${many('{% for a in b %}', 5_000)}${many('{% endfor %}', 5_000)}`],
    ['blocks', many('{% filter e %}', 5_000)],
  ])('of a template: %s', (_, template) => {
    expect(codeOf(run(template))).toBe('template-limit')
  })

  test.each([
    ['a long concatenation', `{{ 1${many('~1', 10_000)} }}`],
    ['a long word in short lines', '{{ ("ab" * 100000)|wordwrap(3)|length }}'],
    ['branches that set variables', each(2_000, (number) => `{% if 0 %}{% set a${number} = 1 %}{% endif %}`)],
    ['many branches', `{% if 0 %}${many('{% elif 0 %}', 3_000)}{% endif %}`],
    ['blanks beside tags', many(`${many(' ', 500)}{{- 1 }}`, 300)],
    ['braces that open nothing', many('{ {} ', 40_000)],
    ['percent signs in a raw block', `{% raw %}${many('{% ', 60_000)}{% endraw %}`],
    ['a comment of braces', `{#${many('{#', 60_000)}#}`],
  ])('and what is merely long is read: %s', (_, template) => {
    expect(run(template).ok).toBe(true)
  })

  test('is the same each time, whatever the machine', () => {
    const template = '{% for a in range(n) %}{{ a }}{% endfor %}'
    const parsed = parseTemplate('t', template)
    if (!parsed.ok) throw new Error('it is a template')
    const rendered = (n: number, steps: number): boolean =>
      renderTemplate(parsed.value, mapOf([['n', n]]), { limits: { steps } }).ok
    const least = (n: number): number => {
      let steps = 1
      while (!rendered(n, steps)) steps += 1
      return steps
    }
    expect([least(1), least(2), least(10)]).toEqual([least(1), least(2), least(10)])
    expect(least(10)).toBeGreaterThan(least(2))
  })

  test('names the bound and the place', () => {
    const rendered = run('x\n{% macro m() %}\n{{ m() }}{% endmacro %}{{ m() }}')
    expect(rendered.ok ? [] : rendered.problems).toMatchObject([
      { code: 'template-limit', message: expect.stringContaining('200'), at: { line: 3 } },
    ])
  })
})

test('what one rendering changes, the next does not see', () => {
  const parsed = parseTemplate(
    't',
    "{{ svc.tags.append('c') }}{{ svc.tags }}{{ svc.update({'x': 1}) }}{{ svc|length }}",
  )
  if (!parsed.ok) throw new Error('it is a template')
  const texts = [1, 2, 3].map(() => codeOf(renderTemplate(parsed.value, context)))
  expect(new Set(texts)).toEqual(new Set(["text: None['a', 'b', 'c']None5"]))
  expect(codeOf(run('{{ svc.tags }}{{ svc|length }}'))).toBe("text: ['a', 'b']4")
})

function text(value: Data | undefined): string {
  return typeof value === 'string' ? value : ''
}

const corpus = new URL('../../../../shared/security/template-attacks.json', import.meta.url).pathname

describe.skipIf(!existsSync(corpus))('the attacks of the reference (beside the repository)', () => {
  const read = existsSync(corpus) ? readJson(corpus, readFileSync(corpus, 'utf8')) : undefined
  const data = read?.ok === true && isMap(read.value.data) ? read.value.data.cases : undefined
  const cases = (isList(data) ? data : []).filter(isMap).map((item) => ({ id: text(item.id), item }))

  test.each(cases)('$id is refused or harmless', ({ item }) => {
    const { template, repeat } = item
    const [open, count, middle, close] = isList(repeat) ? repeat : []
    const made = text(open).repeat(Number(count ?? 1)) + text(middle) + text(close).repeat(Number(count ?? 1))
    expectHarmless(run(typeof template === 'string' ? template : made))
  })
})
