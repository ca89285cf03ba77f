import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { sampleOf } from '../../../scripts/fuzz.ts'
import type { Data, DataMap } from '../../../src/core/data.ts'
import { mapOf } from '../../../src/core/data.ts'
import { parseTemplate, renderTemplate } from '../../../src/core/jinja/index.ts'
import type { Origin, Spans } from '../../../src/core/jinja/index.ts'

function data(value: unknown): Data {
  if (value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
    return value
  if (Array.isArray(value)) return value.map(data)
  return mapOf(Object.entries(Object(value)).map(([key, item]): [string, Data] => [key, data(item)]))
}

const context: DataMap = mapOf(
  Object.entries({
    service: { name: 'checkout' },
    environment: { name: 'dev', outputs: { Vpc: 'vpc-1' } },
    service_instance: {
      name: 'prod',
      inputs: { port: 80, env: { A: '1', B: '2' }, 'my-key': 'h' },
      components: { default: { outputs: { One: 'hello', Two: 'you' } } },
    },
    service_instances: [
      { name: 'a', inputs: { x: 1 } },
      { name: 'b', inputs: { x: 2 } },
    ],
  }).map(([key, item]): [string, Data] => [key, data(item)]),
)

function render(
  source: string,
  files: Readonly<Record<string, string>> = {},
): { readonly text: string; readonly spans: Spans } {
  const parsed = parseTemplate('main.yaml', source, { files: new Map(Object.entries(files)), root: 'templates/t/v1' })
  if (!parsed.ok) throw new Error(parsed.problems[0]?.message)
  const rendered = renderTemplate(parsed.value, context, { spans: true })
  if (!rendered.ok || rendered.spans === undefined) throw new Error(JSON.stringify(rendered))
  return { text: rendered.text, spans: rendered.spans }
}

/** The origin of the first occurrence of some text in the rendering. */
function originOf(source: string, wanted: string, files?: Readonly<Record<string, string>>): Origin {
  const { text, spans } = render(source, files)
  const origin = spans.atOffset(text.indexOf(wanted))
  if (origin === undefined || !text.includes(wanted)) throw new Error(`${wanted} is not in ${text}`)
  return origin
}

function references(source: string, wanted: string, files?: Readonly<Record<string, string>>): readonly string[] {
  return originOf(source, wanted, files).references
}

describe('a reference is followed', () => {
  test.each([
    ['itself', '{{ service.name }}', 'checkout', ['service.name']],
    ['through a key', "{{ service_instance.inputs['my-key'] }}", 'h', ['service_instance.inputs["my-key"]']],
    ['through an index', '{{ service_instances[1].name }}', 'b', ['service_instances[1].name']],
    ['through a filter', '{{ service.name|upper }}', 'CHECKOUT', ['service.name']],
    ['through a method', "{{ service.name.replace('c', 'C') }}", 'Che', ['service.name']],
    ['through arithmetic', '{{ service_instance.inputs.port + 1 }}', '81', ['service_instance.inputs.port']],
    ['through ~', "{{ service.name ~ '-' ~ environment.name }}", 'checkout-dev', ['service.name', 'environment.name']],
    ['through set', '{% set n = service.name %}{{ n }}', 'checkout', ['service.name']],
    [
      'through set of a part',
      '{% set i = service_instance.inputs %}{{ i.port }}',
      '80',
      ['service_instance.inputs.port'],
    ],
    ['through set of a computed value', "{% set n = service.name ~ 'x' %}{{ n|upper }}", 'CHECKOUTX', ['service.name']],
    ['through two sets', '{% set a = service %}{% set b = a.name %}{{ b }}', 'checkout', ['service.name']],
    ['through set of two', '{% set a, b = service.name, 1 %}{{ a }}', 'checkout', ['service.name']],
    ['through with', '{% with n = service.name %}{{ n }}{% endwith %}', 'checkout', ['service.name']],
    ['through a block set', '{% set b %}<{{ service.name }}>{% endset %}{{ b }}', 'checkout', ['service.name']],
    [
      'through a filtered block set',
      '{% set b %}<{{ service.name }}>{% endset %}{{ b|upper }}',
      '<CHECKOUT>',
      ['service.name'],
    ],
    [
      'through a namespace',
      "{% set ns = namespace(t='') %}{% for i in service_instances %}{% set ns.t = ns.t ~ i.name %}{% endfor %}{{ ns.t }}",
      'ab',
      ['service_instances[0].name', 'service_instances[1].name'],
    ],
    [
      'through a loop',
      '{% for i in service_instances %}{{ i.inputs.x }}{% endfor %}',
      '2',
      ['service_instances[1].inputs.x'],
    ],
    [
      'through a loop with a condition',
      '{% for i in service_instances if i.inputs.x > 1 %}{{ i.name }}{{ loop.last }}{% endfor %}',
      'b',
      ['service_instances[1].name'],
    ],
    [
      'through the items of a map',
      '{% for k, v in service_instance.inputs.env.items() %}{{ k }}={{ v }};{% endfor %}',
      '2',
      ['service_instance.inputs.env.B'],
    ],
    [
      'through a filtered loop',
      '{% for i in service_instances|reverse %}{{ i.name }}{% endfor %}',
      'b',
      ['service_instances'],
    ],
    ['through a macro', '{% macro m(a) %}<{{ a }}>{% endmacro %}{{ m(service.name) }}', 'checkout', ['service.name']],
    [
      'through a named argument',
      '{% macro m(a) %}<{{ a }}>{% endmacro %}{{ m(a=service.name) }}',
      'checkout',
      ['service.name'],
    ],
    [
      'through a default of a macro',
      '{% macro m(a=service.name) %}<{{ a }}>{% endmacro %}{{ m() }}',
      'checkout',
      ['service.name'],
    ],
    [
      'through a part of an argument',
      '{% macro m(a) %}{{ a.name }}{% endmacro %}{{ m(service) }}',
      'checkout',
      ['service.name'],
    ],
    [
      'through a filtered macro',
      '{% macro m(a) %}<{{ a }}>{% endmacro %}{{ m(service.name)|upper }}',
      '<CHECKOUT>',
      ['service.name'],
    ],
    [
      'through a call block',
      '{% macro m() %}<{{ caller(service.name) }}>{% endmacro %}{% call(x) m() %}{{ x }}{% endcall %}',
      'checkout',
      ['service.name'],
    ],
    ['through a filter block', '{% filter upper %}{{ service.name }}{% endfilter %}', 'CHECKOUT', ['service.name']],
    [
      'through a condition in an expression',
      "{{ 'x' if environment.name == 'dev' else 'y' }}",
      'x',
      ['environment.name'],
    ],
    ['through a test', '{{ service.name is string }}', 'True', ['service.name']],
    [
      "through Proton's filters",
      'A:\n  {{ service_instance.components.default.outputs | proton_cfn_ecs_task_definition_formatted_env_vars }}',
      'you',
      ['service_instance.components.default.outputs'],
    ],
  ])('%s', (_, source, wanted, expected) => {
    expect(references(source, wanted)).toEqual(expected)
  })

  test('into an included file', () => {
    const files = { 'part.yaml': 'a\n  b: {{ n }}' }
    const origin = originOf("{% set n = service.name %}{% include 'part.yaml' %}", 'checkout', files)
    expect(origin).toMatchObject({
      references: ['service.name'],
      place: { file: 'templates/t/v1/part.yaml', line: 2, column: 9 },
      through: [{ place: { file: 'main.yaml', line: 1 } }],
    })
  })

  test('into an imported macro', () => {
    const files = { 'lib.yaml': '{% macro m(x) %}\n- {{ x }}{% endmacro %}' }
    const origin = originOf("{% import 'lib.yaml' as lib %}\n{{ lib.m(service.name) }}", 'checkout', files)
    expect(origin.references).toEqual(['service.name'])
    expect(origin.place).toEqual({ file: 'templates/t/v1/lib.yaml', line: 2, column: 6 })
    expect(origin.through.map((call) => call.place)).toEqual([{ file: 'main.yaml', line: 2, column: 8 }])
  })

  test('into a block of a child', () => {
    const files = { 'base.yaml': '[{% block b %}{% endblock %}]' }
    const origin = originOf("{% extends 'base.yaml' %}{% block b %}{{ service.name }}{% endblock %}", 'checkout', files)
    expect(origin.references).toEqual(['service.name'])
    expect(origin.place.file).toBe('main.yaml')
  })
})

describe('the place of a character', () => {
  test('of literal text is exact', () => {
    const source = 'Resources:\n{% if true %}\n  A: {{ service.name }} tail\n{% endif %}\nend'
    const { text, spans } = render(source)
    for (const wanted of ['Resources', 'A:', 'tail', 'end']) {
      const place = spans.atOffset(text.indexOf(wanted))?.place
      const line = source.split('\n')[(place?.line ?? 0) - 1] ?? ''
      expect(line.slice((place?.column ?? 0) - 1)).toContain(wanted)
      expect(line.indexOf(wanted)).toBe((place?.column ?? 0) - 1)
    }
  })

  test('is found by line and column', () => {
    const { spans } = render('a\n{% for i in service_instances %}\n  - {{ i.name }}\n{% endfor %}')
    expect(spans.at(3, 5)).toMatchObject({ references: ['service_instances[0].name'], place: { line: 3, column: 8 } })
    expect(spans.at(5, 5)).toMatchObject({ references: ['service_instances[1].name'], place: { line: 3, column: 8 } })
    expect(spans.at(1, 1)).toMatchObject({ kind: 'text', place: { line: 1, column: 1 } })
    expect(spans.at(99, 1)).toBeUndefined()
    expect(spans.at(1, 0)).toBeUndefined()
  })

  test('past the end of a line is that of its end', () => {
    const { spans } = render('ab: {{ service.name }}\nc')
    expect(spans.at(1, 500)?.place).toEqual(spans.atOffset('ab: checkout'.length)?.place)
  })

  test('of indented lines is that of the line that was indented', () => {
    const source = '{% macro m(x) %}\na: {{ x }}\nb: 2\n{% endmacro %}x:\n  {{ m(service.name)|indent(2)|trim }}'
    expect(originOf(source, 'checkout')).toMatchObject({ references: ['service.name'], place: { line: 2 } })
    expect(originOf(source, 'b: 2').place).toEqual({ file: 'main.yaml', line: 3, column: 1 })
  })

  test('of the lines of the indentation rule is that of the expression', () => {
    const source =
      'A:\n    {{ service_instance.components.default.outputs | proton_cfn_lambda_function_formatted_env_vars }}\nz'
    expect(originOf(source, 'Two: you').place).toEqual({ file: 'main.yaml', line: 2, column: 8 })
    expect(originOf(source, 'z').place).toEqual({ file: 'main.yaml', line: 3, column: 1 })
  })

  test('comes with the conditions and loops around it', () => {
    const source =
      "{% for i in service_instances %}{% if i.inputs.x == 1 and environment.name == 'dev' %}!{% endif %}{% endfor %}"
    expect(originOf(source, '!').within).toEqual([
      {
        place: { file: 'main.yaml', line: 1, column: 39 },
        references: ['service_instances[0].inputs.x', 'environment.name'],
      },
      { place: { file: 'main.yaml', line: 1, column: 4 }, references: ['service_instances'] },
    ])
  })

  test('an else comes with the conditions before it', () => {
    const source = "{% if service.name == 'x' %}{% elif environment.name == 'y' %}{% else %}!{% endif %}"
    expect(originOf(source, '!').within.map((guard) => guard.references)).toEqual([
      ['environment.name'],
      ['service.name'],
    ])
  })
})

test('spans never change the text, and cover all of it', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 4_000_000 }), (seed) => {
      const sample = sampleOf(seed)
      const parsed = parseTemplate('t', sample.template, { files: sample.files, limits: { steps: 100_000 } })
      if (!parsed.ok) return
      const plain = renderTemplate(parsed.value, context)
      const traced = renderTemplate(parsed.value, context, { spans: true })
      expect(traced.ok).toBe(plain.ok)
      if (!plain.ok || !traced.ok) return
      expect(traced.text).toBe(plain.text)
      let end = 0
      for (const origin of traced.spans?.origins() ?? []) {
        expect(origin.start).toBe(end)
        end = origin.end
      }
      expect(end).toBe(plain.text.length)
    }),
    { numRuns: 500, seed: 7 },
  )
})

test('without the option there are no spans', () => {
  const parsed = parseTemplate('t', 'x')
  expect(parsed.ok ? renderTemplate(parsed.value, context) : parsed).toEqual({ ok: true, text: 'x', spans: undefined })
})
