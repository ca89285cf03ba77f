/**
 * Looks for templates that the renderer does not survive as it should.
 *
 *     node scripts/fuzz.ts [--minutes N | --count N] [--seed S] [--differential]
 *
 * Each seed makes one template, over a context with every kind of value. A finding is: an exception that is no Problem; a
 * rendering beyond its steps; something of JavaScript's in the output; a changed `Object.prototype`; a call of the canary;
 * spans that do not cover the text. With `--differential`, also a text or a class of error other than Jinja2's, where
 * python3 has Jinja2. Findings are printed with their seed, and the exit code is 1. Seeds of mended findings are kept in
 * test/core/jinja/fuzz-seeds.json.
 */
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { Float, mapOf } from '../src/core/data.ts'
import type { Data, DataMap } from '../src/core/data.ts'
import { codes } from '../src/core/jinja/errors.ts'
import { parseTemplate, renderTemplate } from '../src/core/jinja/index.ts'
import type { ProblemCode } from '../src/core/problem-codes.ts'
import type { FileTree } from '../src/core/tree.ts'

/** A template made from a seed. */
export type Sample = { readonly seed: number; readonly template: string; readonly files: FileTree }

export type Finding = { readonly seed: number; readonly template: string; readonly what: string }

/** What came of a sample: its text, or the code of its first problem. */
export type Outcome = { readonly text: string } | { readonly code: ProblemCode; readonly message: string }

/** The context of all samples, as JSON can say it, too (`floatContext` names the floats that are whole). */
export const plainContext = {
  name: 'checkout',
  port: 8080,
  half: 0.5,
  big: '12345678901234567890',
  on: true,
  off: false,
  nil: null,
  empty: '',
  tags: ['web', 'blue', 'eu'],
  nothing: [],
  bare: {},
  nested: [[1, 2], [3, ['x', null, true]], []],
  inputs: { cpu: 256, memory: 512, image: 'nginx:1', env: { A: '1', B: 'two' }, 'my-key': 'h' },
  rows: [
    { n: 'b', v: 2, tags: ['x'] },
    { n: 'a', v: 10, tags: [] },
    { n: 'C', v: 2, tags: ['y', 'z'] },
  ],
  html: '<b a="1">&\'</b>',
  text: 'The quick  brown\tfox\njumps over\nthe lazy dog',
  word: 'Straße ÀÉ 名',
  numbers: [3, 1, 2.5, 10],
  words: ['b', 'A', 'c', 'ä', 'Z'],
  constructor: 'a key like any other',
  toString: 'another',
}

function dataOf(value: unknown): Data {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value
  if (typeof value === 'number') return Number.isInteger(value) ? value : new Float(value)
  if (Array.isArray(value)) return value.map(dataOf)
  return mapOf(Object.entries(Object(value)).map(([key, item]): [string, Data] => [key, dataOf(item)]))
}

const context: DataMap = mapOf([
  ...Object.entries(plainContext).map(([key, item]): [string, Data] => [key, dataOf(item)]),
  ['two', new Float(2)],
])

/** A small, good-enough source of numbers that is the same everywhere (mulberry32). */
class Random {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }

  below(count: number): number {
    return Math.floor(this.next() * count)
  }

  chance(of: number): boolean {
    return this.next() < of
  }

  pick<T>(items: readonly T[]): T {
    const item = items[this.below(items.length)]
    if (item === undefined) throw new Error('nothing to pick from')
    return item
  }
}

const names = [...Object.keys(plainContext), 'two', 'x', 'y', 'missing', 'loop', 'ns', 'm', 'caller', 'self', 'lib']
const hostile = [
  'constructor',
  '__proto__',
  'prototype',
  '__class__',
  '__init__',
  '__globals__',
  '__subclasses__',
  'mro',
  'toString',
  'valueOf',
  'hasOwnProperty',
  '__defineGetter__',
  'call',
  'apply',
  'format',
  'func_globals',
  'gi_frame',
  '_TemplateReference__context',
]
const attributes = ['cpu', 'env', 'A', 'n', 'v', 'tags', 'index', 'last', 'items', 'real', 'next', 'current', 'name']
const methods = [
  'upper()',
  'lower()',
  'title()',
  'capitalize()',
  'swapcase()',
  'strip()',
  'split()',
  "split(',')",
  'splitlines()',
  "replace('a', 'b')",
  "startswith('c')",
  "endswith('t')",
  "find('e')",
  "count('e')",
  "join(['a', 'b'])",
  'isdigit()',
  'isalpha()',
  'zfill(6)',
  "center(9, '*')",
  'items()',
  'keys()',
  'values()',
  "get('cpu')",
  "get('zz', 1)",
  'format(1, x=2)',
  'append(1)',
  'pop()',
  'copy()',
  "partition('e')",
  "rsplit('e', 1)",
  'index(1)',
  'sort()',
  'reverse()',
  'update({})',
  'encode()',
  'casefold()',
]
const filters = [
  'abs',
  'attr("n")',
  'batch(2)',
  "batch(2, 'f')",
  'capitalize',
  'center(12)',
  'count',
  "d('dv')",
  "default('dv', true)",
  'dictsort',
  "dictsort(by='value')",
  'e',
  'escape',
  'filesizeformat',
  'first',
  'float',
  'forceescape',
  "format('a')",
  "groupby('v')",
  'indent',
  'indent(2, true)',
  'int',
  'int(7)',
  'items',
  'join',
  "join(', ')",
  "join('-', 'n')",
  'last',
  'length',
  'list',
  'lower',
  "map('upper')",
  "map(attribute='n')",
  "map('length')",
  'max',
  'min',
  "max(attribute='v')",
  'pprint',
  'reject',
  "reject('odd')",
  "rejectattr('v')",
  "replace('e', 'E')",
  "replace('e', 'E', 1)",
  'reverse',
  'round',
  "round(1, 'floor')",
  'safe',
  'select',
  "select('string')",
  "selectattr('v', 'eq', 2)",
  'slice(2)',
  'sort',
  "sort(attribute='v')",
  'sort(reverse=true)',
  'string',
  'striptags',
  'sum',
  "sum(attribute='v')",
  'title',
  'tojson',
  'tojson(indent=1)',
  'trim',
  "trim('c')",
  'truncate(9)',
  "truncate(9, true, '..', 0)",
  'unique',
  "unique(attribute='v')",
  'upper',
  'urlencode',
  'urlize',
  'wordcount',
  'wordwrap(9)',
  'xmlattr',
  'nope',
  'constructor',
  '__proto__',
  'valueOf',
  'proton_cfn_sanitize',
  'random',
]
const tests = [
  'defined',
  'undefined',
  'none',
  'string',
  'number',
  'integer',
  'float',
  'boolean',
  'mapping',
  'sequence',
  'iterable',
  'callable',
  'odd',
  'even',
  'lower',
  'upper',
  'true',
  'false',
  'divisibleby 2',
  'divisibleby(3)',
  "eq 'x'",
  'gt 1',
  'in tags',
  "in ['web']",
  'sameas none',
  'escaped',
  'filter',
  'test',
  'nope',
  'constructor',
  'equalto 2',
  'ne(1)',
  'lt 5',
]
const literals = [
  '0',
  '1',
  '-1',
  '2',
  '3',
  '7',
  '100',
  '1.5',
  '0.0',
  '2.0',
  '1e3',
  '1e400',
  '9007199254740993',
  '0x1F',
  '1_000',
  "'a'",
  "''",
  "'web'",
  '"it\'s"',
  "'a,b'",
  "'%s'",
  "'%d %s'",
  "'{} {0}'",
  "'{0.__class__}'",
  'true',
  'false',
  'none',
  '[]',
  '{}',
  '()',
  '(1,)',
  "'\\n'",
  "'\\u00e9'",
  '[1, 2, 3]',
  "{'a': 1, 'b': [2]}",
  "('x', 2)",
  "'<i>'",
]
const operators = [
  '+',
  '-',
  '*',
  '/',
  '//',
  '%',
  '**',
  '~',
  '==',
  '!=',
  '<',
  '<=',
  '>',
  '>=',
  'in',
  'not in',
  'and',
  'or',
]

type Kind = 'number' | 'text' | 'list' | 'test'

const kinds: readonly Kind[] = ['number', 'text', 'text', 'list', 'test']

const atoms: Readonly<Record<Kind, readonly string[]>> = {
  number: [
    '0',
    '1',
    '3',
    '12',
    '1.5',
    '2.0',
    '1e3',
    'port',
    'half',
    'two',
    'inputs.cpu',
    'rows[1].v',
    'true',
    '9007199254740993',
  ],
  text: [
    "'a'",
    "''",
    "'web'",
    'name',
    'text',
    'html',
    'word',
    'inputs.image',
    "inputs['my-key']",
    'tags[0]',
    'rows.0.n',
    "'it\\'s'",
    "'a,b c'",
    'empty',
  ],
  list: ['tags', 'nothing', '[]', '[1, 2, 3]', "['b', 'A', 'c']", 'nested', 'rows', '(1, 2)', '[none]', 'numbers'],
  test: ['true', 'false', 'on', 'off', '1 < 2 < 3', "'a' in tags"],
}
const textFilters = [
  'upper',
  'lower',
  'title',
  'capitalize',
  'trim',
  "trim('ac')",
  'e',
  'escape',
  'forceescape',
  'string',
  'striptags',
  'truncate(9)',
  "truncate(9, true, '..', 0)",
  "truncate(11, leeway=2, end='~')",
  'wordcount|string',
  'wordwrap(9)',
  "wordwrap(7, false, wrapstring='|')",
  "replace('e', 'E')",
  "replace('e', '', 1)",
  'center(20)',
  'indent',
  'indent(3, true, true)',
  "indent('> ')",
  'urlencode',
  'urlize',
  'reverse',
  'first|string',
  'last|string',
  "default('z')",
  "d('z', true)",
  'filesizeformat|string',
  'safe',
  'format',
  'xmlattr|string',
]
const textMethods = [
  'upper()',
  'lower()',
  'title()',
  'capitalize()',
  'swapcase()',
  'strip()',
  "lstrip('T')",
  "rstrip('gb')",
  "replace('a', 'bb')",
  "replace('', '-')",
  'zfill(6)',
  "center(12, '*')",
  'ljust(9)',
  "rjust(9, '.')",
  "join(['a', 'b'])",
  'casefold()',
  "removeprefix('a')",
  "removesuffix('t')",
  'expandtabs()',
  "partition('e')[2]",
  "rsplit('e', 1)[0]",
]
const listFilters = [
  'reverse',
  'unique',
  "map('string')",
  'batch(2)',
  "batch(2, 'f')",
  'slice(2)',
  'select',
  'reject',
  "select('string')",
  "reject('string')",
  "select('in', [1, 'web'])",
  'list',
  "map('tojson')",
  "map('length')|select",
  "map('default', 'q')",
]
const rowFilters = [
  "map(attribute='n')",
  "map(attribute='v')|unique",
  "selectattr('v', 'eq', 2)|map(attribute='n')",
  "rejectattr('tags')|map(attribute='n')",
  "sort(attribute='v')|map(attribute='n')",
  "sort(attribute='v,n', reverse=true)|map(attribute='n')",
  "groupby('v')|map('first')",
  "map(attribute='tags.0', default='-')",
  "groupby('n', case_sensitive=true)|map(attribute='grouper')",
  "map(attribute='tags')|sum(start=[])",
]
const anyTests = [
  'defined',
  'none',
  'string',
  'number',
  'integer',
  'float',
  'boolean',
  'mapping',
  'sequence',
  'iterable',
  'callable',
  'true',
  'false',
  "eq 'x'",
  'in tags',
  'sameas none',
  'escaped',
  'not string',
  'ne 2',
]

class Generator {
  readonly #random: Random
  readonly #tame: boolean
  readonly #locals: string[] = []

  constructor(random: Random) {
    this.#random = random
    this.#tame = random.chance(0.6)
  }

  expression(depth: number): string {
    if (this.#tame) return this.#typed(this.#random.pick(kinds), depth)
    return this.#wild(depth)
  }

  /** An expression that fits: of such templates most render. */
  #typed(kind: Kind, depth: number): string {
    const random = this.#random
    const of = (inner: Kind): string => this.#typed(inner, depth - 1)
    if (depth <= 0 || random.chance(0.25)) return random.pick(atoms[kind])
    switch (kind) {
      case 'number':
        return random.pick([
          () =>
            `(${of('number')} ${random.pick(['+', '-', '*', '//', '%', '/'])} ${random.pick(['3', '2', '7.5', '-4'])})`,
          () => `(${of('number')} ${random.pick(['+', '-', '*'])} ${of('number')})`,
          () => `${of('list')}|length`,
          () => `(${of('text')}|length)`,
          () =>
            `(${of('number')}|${random.pick(['abs', 'int', 'float', 'round', 'round(1)', "round(0, 'floor')", 'string|int'])})`,
          () => `-${of('number')}`,
          () => `(${of('test')} and ${of('number')})`,
        ])()
      case 'text':
        return random.pick([
          () => `(${of('text')} ~ ${of(random.pick(kinds))})`,
          () => `(${of('text')}|${random.pick(textFilters)})`,
          () => `${of('text')}.${random.pick(textMethods)}`,
          () => `(${of('list')}|join(${random.pick(['', "', '", "'-'"])}))`,
          () => `${of('text')}[${this.#slice()}]`,
          () => `(${of(random.pick(kinds))}|string)`,
          () => `(${of('text')} if ${of('test')} else ${of('text')})`,
          () => `('%s/%r' % (${of(random.pick(kinds))}, ${of(random.pick(kinds))}))`,
          () => `'{}:{:>5}'.format(${of(random.pick(kinds))}, ${of('text')})`,
          () => `(${of('text')} * 2)`,
          () => `(${of(random.pick(kinds))}|tojson)`,
          () => `(${of(random.pick(kinds))}|pprint)`,
        ])()
      case 'list':
        return random.pick([
          () => `[${of(random.pick(kinds))}, ${of(random.pick(kinds))}]`,
          () => `(${of('list')}|${random.pick(listFilters)}|list)`,
          () => `${of('list')}[${this.#slice()}]`,
          () => `(${of('list')} + ${of('list')})`,
          () => `${of('text')}.split(${random.pick(['', "','", "'e'", "' ', 1"])})`,
          () => `(rows|${random.pick(rowFilters)}|list)`,
          () => `(${random.pick(['numbers', 'tags', 'words'])}|sort)`,
          () => `(${of('text')}|list)`,
          () => `(range(${random.pick(['4', '2, 9, 3', '5, 0, -2'])})|list)`,
          () => `(inputs.${random.pick(['items()', 'keys()', 'values()'])}|list)`,
        ])()
      case 'test':
        return random.pick([
          () => `(${of(random.pick(kinds))} ${random.pick(['==', '!='])} ${of(random.pick(kinds))})`,
          () => `(${of('number')} ${random.pick(['<', '<=', '>', '>='])} ${of('number')})`,
          () => `(${of('text')} ${random.pick(['<', '>=', 'in', 'not in'])} ${of('text')})`,
          () => `(${of(random.pick(kinds))} in ${of('list')})`,
          () => `(not ${of('test')})`,
          () => `(${of('test')} ${random.pick(['and', 'or'])} ${of('test')})`,
          () => `(${of(random.pick(kinds))} is ${random.pick(anyTests)})`,
          () => `(missing is defined)`,
        ])()
    }
  }

  #slice(): string {
    const random = this.#random
    const part = (): string => (random.chance(0.5) ? '' : random.pick(['0', '1', '-1', '2', '-3', '5']))
    return `${part()}:${part()}${random.chance(0.3) ? `:${random.pick(['1', '-1', '2', ''])}` : ''}`
  }

  #wild(depth: number): string {
    const random = this.#random
    if (depth <= 0 || random.chance(0.2)) return this.#atom()
    switch (random.below(16)) {
      case 0:
      case 1:
        return `${this.#operand(depth)} ${random.pick(operators)} ${this.#operand(depth)}`
      case 2:
        return `not ${this.#operand(depth)}`
      case 3:
        return `${random.pick(['-', '+', ''])}${this.#operand(depth)}`
      case 4:
      case 5:
      case 6:
        return `${this.#operand(depth)}|${random.pick(filters)}`
      case 7:
        return `${this.#operand(depth)} is ${random.pick(['', 'not '])}${random.pick(tests)}`
      case 8:
        return `${this.#operand(depth)}.${random.pick(random.chance(0.1) ? hostile : attributes)}`
      case 9:
        return `${this.#operand(depth)}[${this.#subscript(depth)}]`
      case 10:
        return `${this.#operand(depth)}.${random.pick(methods)}`
      case 11:
        return random.chance(0.3)
          ? `${this.#operand(depth)} if ${this.#operand(depth)}`
          : `${this.#operand(depth)} if ${this.#operand(depth)} else ${this.#operand(depth)}`
      case 12:
        return `[${this.expression(depth - 1)}, ${this.expression(depth - 1)}]`
      case 13:
        return `{${random.pick(["'a'", '1', 'name', "'__proto__'"])}: ${this.expression(depth - 1)}}`
      case 14:
        return this.#call(depth)
      default:
        return `${this.expression(depth - 1)}|${random.pick(filters)}|${random.pick(filters)}`
    }
  }

  #operand(depth: number): string {
    const inner = this.expression(depth - 1)
    return this.#random.chance(0.7) ? `(${inner})` : inner
  }

  #subscript(depth: number): string {
    const random = this.#random
    const part = (): string => (random.chance(0.5) ? '' : random.pick(['0', '1', '-1', '2', '-3', '5']))
    if (random.chance(0.3))
      return `${part()}:${part()}${random.chance(0.3) ? `:${random.pick(['1', '-1', '2', ''])}` : ''}`
    if (random.chance(0.1)) return `'${random.pick(hostile)}'`
    return random.chance(0.5)
      ? random.pick(["'cpu'", '0', '1', '-1', "'n'", "'my-key'", '1.0', 'true'])
      : this.expression(depth - 2)
  }

  #call(depth: number): string {
    const random = this.#random
    const one = this.expression(depth - 1)
    return random.pick([
      `range(${random.pick(['3', '2, 5', '5, 0, -2', '0'])})|list`,
      `range(${one})`,
      `dict(a=${one})`,
      `dict(**{'k': ${one}})`,
      `namespace(a=${one}).a`,
      `cycler(1, ${one}).next()`,
      `joiner('-')()`,
      `m(${one})`,
      `m(x=${one})`,
      `m(*[${one}])`,
      `caller(${one})`,
      `loop(${one})`,
      `loop.cycle(1, ${one})`,
      `loop.changed(${one})`,
      `self.body()`,
      `super()`,
      `lib.hello(${one})`,
      `(${one})(${this.expression(depth - 2)})`,
      `lipsum(n=1)`,
    ])
  }

  #atom(): string {
    const random = this.#random
    if (random.chance(0.02)) return random.pick(hostile)
    if (this.#locals.length > 0 && random.chance(0.3)) return random.pick(this.#locals)
    return random.chance(0.5) ? random.pick(names) : random.pick(literals)
  }

  body(depth: number): string {
    const count = 1 + this.#random.below(3)
    let text = ''
    for (let index = 0; index < count; index += 1) text += this.statement(depth)
    return text
  }

  #tag(content: string): string {
    const random = this.#random
    const start = random.chance(0.1) ? '{%-' : random.chance(0.03) ? '{%+' : '{%'
    const end = random.chance(0.1) ? '-%}' : random.chance(0.03) ? '+%}' : '%}'
    return `${start} ${content} ${end}`
  }

  #local(): string {
    const name = this.#random.pick(['x', 'y', 'z', 'name', 'tags', 'loop2', '_p'])
    this.#locals.push(name)
    return name
  }

  statement(depth: number): string {
    const random = this.#random
    const value = (): string => this.expression(2 + random.below(2))
    if (depth <= 0 || random.chance(0.45)) {
      if (random.chance(0.3))
        return random.pick([' text ', '\n', '  line\n', 'a: ', '- ', '{# note #}', '}}', '# ', '\t'])
      return random.pick([`{{ ${value()} }}`, `{{- ${value()} -}}`, `{{ ${value()} }}\n`])
    }
    const inner = (): string => this.body(depth - 1)
    const tag = (content: string): string => this.#tag(content)
    switch (random.below(17)) {
      case 0:
      case 1:
        return `${tag(`if ${value()}`)}${inner()}${random.chance(0.4) ? tag(`elif ${value()}`) + inner() : ''}${random.chance(0.4) ? tag('else') + inner() : ''}${tag('endif')}`
      case 2:
      case 3:
      case 4: {
        const name = this.#local()
        const iterated = random.chance(0.6)
          ? random.pick(['tags', 'rows', 'range(3)', 'nested', 'inputs', "'ab'"])
          : value()
        const condition = random.chance(0.2) ? ` if ${value()}` : ''
        const recursive = random.chance(0.1) ? ' recursive' : ''
        const otherwise = random.chance(0.2) ? tag('else') + inner() : ''
        return `${tag(`for ${name} in ${iterated}${condition}${recursive}`)}${inner()}${otherwise}${tag('endfor')}`
      }
      case 5:
        return `${tag(`for x, y in ${random.pick(['inputs.items()', 'inputs|dictsort', "[[1, 2], ['a', 'b']]", value()])}`)}${inner()}${tag('endfor')}`
      case 6:
        return tag(`set ${this.#local()} = ${value()}`)
      case 7:
        return tag(random.pick([`set x, y = ${value()}, ${value()}`, `set x, y = ${value()}`, `set ns.a = ${value()}`]))
      case 8:
        return `${tag(`set ${this.#local()}${random.chance(0.3) ? ` | ${random.pick(filters)}` : ''}`)}${inner()}${tag('endset')}`
      case 9: {
        const parameters = random.pick(['x', "x, y='d'", 'x=1, y=x', ''])
        return `${tag(`macro m(${parameters})`)}${inner()}${random.chance(0.3) ? '{{ varargs }}{{ kwargs }}' : ''}${random.chance(0.3) ? '{{ caller(1) if caller is defined }}' : ''}${tag('endmacro')}{{ m(${random.chance(0.6) ? value() : ''}) }}`
      }
      case 10:
        return `${tag(random.pick(['call m(1)', 'call(x) m(2)', "call(x, y='q') m()"]))}${inner()}${tag('endcall')}`
      case 11:
        return `${tag(`filter ${random.pick(filters)}`)}${inner()}${tag('endfilter')}`
      case 12:
        return `${tag(`with ${this.#local()} = ${value()}, q = ${value()}`)}${inner()}${tag('endwith')}`
      case 13:
        return `${tag(random.pick(['block body', 'block head scoped', 'block other']))}${inner()}${tag('endblock')}`
      case 14:
        return tag(
          random.pick([
            "include 'part.j2'",
            "include 'part.j2' without context",
            "include ['none', 'part.j2']",
            "include 'none' ignore missing",
          ]),
        )
      case 15:
        return tag(
          random.pick([
            "import 'lib.j2' as lib",
            "from 'lib.j2' import hello, answer as x",
            "import 'lib.j2' as lib with context",
          ]),
        )
      default:
        return random.pick([
          tag('set ns = namespace(a=0)'),
          `${tag(random.pick(['autoescape true', 'autoescape on', 'autoescape false']))}${inner()}${tag('endautoescape')}`,
          `{% raw %}{{ ${value()} }}{% endraw %}`,
          tag("extends 'base.j2'"),
        ])
    }
  }
}

const files: FileTree = new Map([
  ['base.j2', '[{% block head %}head{% endblock %}|{% block body %}{{ name }}{% endblock %}]'],
  ['lib.j2', "{% macro hello(who='w') %}Hi {{ who }}{% endmacro %}{% set answer = 42 %}"],
  ['part.j2', 'part({{ x|default(0) }},{% for t in tags|default([]) %}{{ t }}{{ loop.index }}{% endfor %})'],
])

/** The template of a seed. */
export function sampleOf(seed: number): Sample {
  const random = new Random(seed)
  const generator = new Generator(random)
  let template = generator.body(1 + random.below(4))
  if (random.chance(0.1)) {
    const changes = 1 + random.below(3)
    for (let index = 0; index < changes; index += 1) {
      const at = random.below(template.length + 1)
      const added = random.pick([
        '',
        '{',
        '}',
        '%',
        "'",
        '"',
        '\\',
        '(',
        ')',
        '[',
        ']',
        '|',
        '.',
        ',',
        '-',
        ' ',
        '\r\n',
        '{{',
        '%}',
        '`',
        '\u0000',
        '\ud800',
      ])
      template = template.slice(0, at) + added + template.slice(at + random.below(3))
    }
  }
  return { seed, template, files }
}

const steps = 200_000

/** Renders a sample, and says what is wrong with the way that it went. */
export function examine(sample: Sample): {
  readonly outcome: Outcome | undefined
  readonly findings: readonly Finding[]
} {
  const findings: Finding[] = []
  const report = (what: string): void => {
    findings.push({ seed: sample.seed, template: sample.template, what })
  }
  let outcome: Outcome | undefined
  const before = Reflect.ownKeys(Object.prototype).length
  const canary = { touched: false }
  Object.defineProperty(globalThis, 'PWN', { configurable: true, get: () => (canary.touched = true) })
  try {
    const options = { limits: { steps } }
    const parsed = parseTemplate('sample', sample.template, { files: sample.files, limits: { steps } })
    const rendered = parsed.ok ? renderTemplate(parsed.value, context, options) : parsed
    if (rendered.ok) {
      outcome = { text: rendered.text }
      if (/\[object |native code|\) => [{(]|\bfunction\b/.test(rendered.text))
        report(`of JavaScript's in the output: ${rendered.text}`)
      if (parsed.ok) {
        const again = renderTemplate(parsed.value, context, { ...options, spans: true })
        if (!again.ok) report('fails with spans only')
        else if (again.text !== rendered.text) report(`with spans another text: ${again.text}`)
        else if (again.spans !== undefined) {
          let end = 0
          for (const origin of again.spans.origins()) {
            if (origin.start !== end) report(`spans leave a hole at ${end}`)
            end = origin.end
          }
          if (end !== rendered.text.length) report(`spans end at ${end} of ${rendered.text.length}`)
        }
      }
    } else {
      const [problem] = rendered.problems
      if (problem === undefined) report('fails without a problem')
      else outcome = { code: problem.code, message: problem.message }
      for (const { message } of rendered.problems)
        if (message.includes('value is not known')) report(`a second mistake of a first one: ${message}`)
    }
  } catch (error) {
    report(`throws ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
  }
  if (canary.touched) report('touches the canary')
  Reflect.deleteProperty(globalThis, 'PWN')
  if (Reflect.ownKeys(Object.prototype).length !== before) report('changes Object.prototype')
  return { outcome, findings }
}

/** Python's own names for what has one class here. */
const codeOf: Readonly<Record<string, ProblemCode>> = {
  ...codes,
  SyntaxError: codes.TemplateSyntaxError,
  TemplatesNotFound: codes.TemplateNotFound,
}

const early: ReadonlySet<ProblemCode | undefined> = new Set<ProblemCode>(['template-syntax', 'template-unknown-name'])

/**
 * What cannot be compared: an include without context loses its place in Jinja2's blocks, infinity is no name of Python's,
 * constants are not escaped where escaping depends on a variable, and the filters of Proton's are not Jinja2's.
 */
const strange = /[\0\ud800]|random|lipsum|without context|1e400|autoescape on|proton_cfn/

const reference = `
import json, sys, re, jinja2
files, context = json.loads(sys.stdin.readline())
def environment():
    return jinja2.Environment(undefined=jinja2.StrictUndefined, loader=jinja2.DictLoader(files))
env = environment()
for line in sys.stdin:
    try:
        out = {"text": env.from_string(json.loads(line)).render(**json.loads(json.dumps(context)))}
    except RecursionError:
        out = {"error": "Limit"}
    except BaseException as error:
        out = {"error": type(error).__name__, "message": str(error)[:300]}
    print(json.dumps(out), flush=True)
`

/** Python's Jinja2 beside ours. */
function startReference(): {
  readonly ask: (template: string) => Promise<Readonly<Record<string, unknown>>>
  readonly stop: () => void
} {
  const child = spawn('python3', ['-c', reference], { stdio: ['pipe', 'pipe', 'inherit'] })
  const waiting: ((line: string) => void)[] = []
  createInterface({ input: child.stdout }).on('line', (line) => waiting.shift()?.(line))
  child.stdin.write(
    `${JSON.stringify([Object.fromEntries(files), { ...plainContext, two: 2 }]).replace('"two":2', '"two":2.0')}\n`,
  )
  return {
    ask: async (template) => {
      const line = await new Promise<string>((resolve) => {
        waiting.push(resolve)
        child.stdin.write(`${JSON.stringify(template)}\n`)
      })
      const parsed: unknown = JSON.parse(line)
      return typeof parsed === 'object' && parsed !== null ? Object.fromEntries(Object.entries(parsed)) : {}
    },
    stop: () => child.kill(),
  }
}

/** What Jinja2 does otherwise, if it matters: our refusals and bounds, and Python's addresses, do not. */
function difference(ours: Outcome, theirs: Readonly<Record<string, unknown>>): string | undefined {
  const { text, error, message } = theirs
  if ('code' in ours && (ours.code === 'template-refused' || ours.code === 'template-limit')) return undefined
  if (typeof text === 'string') {
    if ('text' in ours && ours.text === text) return undefined
    if (/ at 0x[0-9a-f]+|<built-in|<bound method|<class |<function|<module|<TemplateReference/.test(text))
      return undefined
    return `Jinja2: ${JSON.stringify(text)}\n  ours:   ${JSON.stringify(ours)}`
  }
  if (error === 'Limit' || error === 'MemoryError' || error === 'UnicodeEncodeError') return undefined
  // Jinja2 evaluates constants early, so that of two errors another may be the first; what is syntax has to agree.
  const code = codeOf[String(error)]
  if ('code' in ours && (ours.code === code || !(early.has(ours.code) || early.has(code)))) return undefined
  return `Jinja2: ${String(error)}: ${String(message)}\n  ours:   ${JSON.stringify(ours)}`
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string' },
      count: { type: 'string' },
      seed: { type: 'string' },
      differential: { type: 'boolean', default: false },
    },
  })
  const first = Number(values.seed ?? '1')
  const minutes = values.minutes === undefined ? undefined : Number(values.minutes)
  const count = Number(values.count ?? (values.seed !== undefined && minutes === undefined ? '1' : '20000'))
  const end = minutes === undefined ? Number.POSITIVE_INFINITY : Date.now() + minutes * 60_000
  const python = values.differential ? startReference() : undefined
  let findings = 0
  let rendered = 0
  let slowest = 0
  let seed = first
  const last = minutes === undefined ? first + count : Number.POSITIVE_INFINITY
  for (; seed < last && Date.now() < end; seed += 1) {
    const sample = sampleOf(seed)
    const started = performance.now()
    const { outcome, findings: found } = examine(sample)
    const took = performance.now() - started
    slowest = Math.max(slowest, took)
    const all = [...found]
    if (took > 2000) all.push({ seed, template: sample.template, what: `takes ${Math.round(took)} ms` })
    if (outcome !== undefined && 'text' in outcome) rendered += 1
    if (python !== undefined && outcome !== undefined && !strange.test(sample.template)) {
      const what = difference(outcome, await python.ask(sample.template))
      if (what !== undefined) all.push({ seed, template: sample.template, what })
    }
    for (const finding of all) {
      findings += 1
      console.log(`seed ${finding.seed}\n  ${JSON.stringify(finding.template)}\n  ${finding.what}\n`)
    }
    if (findings > 200) break
  }
  python?.stop()
  console.log(
    `${seed - first} templates from seed ${first}, ${rendered} rendered, ${findings} findings, slowest ${Math.round(slowest)} ms`,
  )
  process.exitCode = findings > 0 ? 1 : 0
}

if (import.meta.main) await main()
