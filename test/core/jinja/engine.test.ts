import { describe, expect, test } from 'vitest'
import { noComponents } from '../../../src/core/jinja/index.ts'
import { parseTemplate, renderTemplate } from '../../../src/core/jinja/index.ts'
import type { Rendered } from '../../../src/core/jinja/index.ts'
import { Float, mapOf } from '../../../src/core/data.ts'
import type { Data, DataMap } from '../../../src/core/data.ts'
import type { Problem } from '../../../src/core/problem.ts'

function data(value: unknown): Data {
  if (value instanceof Float || value === null) return value
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value
  if (Array.isArray(value)) return value.map(data)
  return mapOf(Object.entries(Object(value)).map(([key, item]): [string, Data] => [key, data(item)]))
}

const variables = {
  service: { name: 'checkout' },
  environment: { name: 'dev', outputs: { VpcId: 'vpc-1', ClusterArn: 'c' } },
  service_instance: { name: 'prod', inputs: { port: 80, 'my-output': 'x', desired_count: 1 } },
  service_instances: [{ name: 'a', inputs: { x: 1 } }],
}

function contextOf(value: Readonly<Record<string, unknown>>): DataMap {
  return mapOf(Object.entries(value).map(([key, item]): [string, Data] => [key, data(item)]))
}

const context = contextOf(variables)

function render(
  source: string,
  options: { readonly files?: Readonly<Record<string, string>>; readonly context?: DataMap } = {},
): Rendered {
  const files = options.files === undefined ? {} : { files: new Map(Object.entries(options.files)) }
  const parsed = parseTemplate('main.yaml', source, files)
  return parsed.ok ? renderTemplate(parsed.value, options.context ?? context) : parsed
}

function textOf(source: string, options?: Parameters<typeof render>[1]): string {
  const rendered = render(source, options)
  if (!rendered.ok) throw new Error(rendered.problems[0]?.message)
  return rendered.text
}

function problemsOf(source: string, files?: Readonly<Record<string, string>>): readonly Problem[] {
  const rendered = render(source, files === undefined ? {} : { files })
  return rendered.ok ? [] : rendered.problems
}

function problemOf(source: string, files?: Readonly<Record<string, string>>): Problem {
  const [problem] = problemsOf(source, files)
  if (problem === undefined) throw new Error(`${source} has no problem`)
  return problem
}

describe('an undefined reference', () => {
  test('is named with its path, its place, and the name that was meant', () => {
    expect(problemOf('a:\n  b: {{ service_instance.inputs.prot }}')).toMatchObject({
      code: 'undefined-variable',
      severity: 'error',
      message:
        'service_instance.inputs.prot is not defined: service_instance.inputs has no "prot". Did you mean "port"?',
      expected: 'One of the names that are there: port, my-output, desired_count.',
      at: { file: 'main.yaml', line: 2, column: 33 },
    })
  })

  test.each([
    ['a variable', '{{ servce.name }}', 'servce is not defined. Did you mean "service"?'],
    ['one of the old flat names', '{{ service_name }}', 'service_name is not defined. Did you mean "service.name"?'],
    ['an output without .outputs', '{{ environment.VpcId }}', 'Did you mean "environment.outputs.VpcId"?'],
    [
      'a name with a hyphen',
      '{{ service_instance.inputs.my-output }}',
      'A name with a hyphen is written ["my-output"]',
    ],
    ['a loop variable', '{% for i in service_instances %}{{ i.inputs.y }}{% endfor %}', 'i.inputs.y is not defined'],
    ['an element', '{{ service_instances[5].name }}', 'List object has no element 5'],
  ])('%s gets a hint', (_, source, message) => {
    expect(problemOf(source).message).toContain(message)
  })

  test('is reported wherever it is used', () => {
    for (const source of [
      '{{ nope }}',
      '{{ nope.x }}',
      '{{ nope() }}',
      '{{ nope|upper }}',
      '{{ nope ~ 1 }}',
      '{{ nope == 1 }}',
      '{{ not nope }}',
      '{% if nope %}{% endif %}',
      '{% for x in nope %}{% endfor %}',
      '{% include nope %}',
      '{% set a, b = nope %}',
    ]) {
      expect(problemsOf(source).map((problem) => problem.message)).toEqual([
        expect.stringContaining('nope is not defined'),
      ])
    }
  })

  test('does not hide the others: all of a file are found at once, each once', () => {
    const source = [
      '{{ one }} {{ service.two }}',
      '{% for i in [1, 2, 3] %}{{ three }}{% endfor %}',
      '{% if four %}{{ never }}{% endif %}',
      '{% set a = five %}{{ a }}{{ a.b }}{% if a %}{% endif %}',
      '{% macro m() %}{{ six }}{% endmacro %}{{ m() }}{{ m() }}',
      '{% set b %}{{ seven }}{% endset %}{{ b }}',
      '{{ service.name }}{{ eight is defined }}{{ nine|default("x") }}',
    ].join('\n')
    expect(problemsOf(source).map((problem) => problem.message.split(' ', 1)[0])).toEqual([
      'one',
      'service.two',
      'three',
      'four',
      'five',
      'six',
      'seven',
    ])
  })

  test('are at most fifty', () => {
    const source = Array.from({ length: 80 }, (_, index) => `{{ missing_${index} }}`).join('\n')
    expect(problemsOf(source)).toHaveLength(50)
  })

  test('comes with the calls and includes that led to it', () => {
    const files = {
      'part.yaml': 'x\n{% from "lib.yaml" import m %}{{ m() }}',
      'lib.yaml': '{% macro m() %}\n\n{{ nope }}{% endmacro %}',
    }
    expect(problemOf('a\n{% include "part.yaml" %}', files)).toMatchObject({
      at: { file: 'lib.yaml', line: 3, column: 4 },
      related: [
        { at: { file: 'part.yaml', line: 2 }, note: 'macro m' },
        { at: { file: 'main.yaml', line: 2 }, note: 'include of part.yaml' },
      ],
    })
  })
})

describe('a template that cannot be read', () => {
  test.each([
    ['{% if a %}{% elseif b %}{% endif %}', 'template-syntax', 'Jinja2 writes {% elif … %}', 1, 14],
    ['a\n{{ b && c }}', 'template-syntax', 'Jinja2 writes `and`', 2, 6],
    ['{{ a === b }}', 'template-syntax', 'Jinja2 compares with `==`', 1, 8],
    ['{% if a %}\n{% for x in y %}\n{% endif %}', 'template-syntax', 'nesting mistake', 3, 4],
    ['{% if a %}\n', 'template-syntax', "Jinja was looking for the following tags: 'elif' or 'else' or 'endif'", 1, 11],
    ['{{ a', 'template-syntax', 'Unexpected end of template', 1, 5],
    ['{{ service.name|uper }}', 'template-unknown-name', 'Did you mean "upper"?', 1, 17],
    ['{{ service is defind }}', 'template-unknown-name', 'Did you mean "defined"?', 1, 15],
    ['{% break %}', 'template-syntax', "unknown tag 'break'", 1, 4],
  ])('%j says what is wrong and where', (source, code, message, line, column) => {
    const problem = problemOf(source)
    expect(problem).toMatchObject({ code, at: { file: 'main.yaml', line, column } })
    expect(problem.message).toContain(message)
  })

  test('for the sake of a dynamic reference is given the way to write it', () => {
    expect(problemOf('a: 1\nb: "{{resolve:ssm:/a/b:1}}"\n')).toMatchObject({
      code: 'template-syntax',
      message: "CloudFormation's dynamic reference {{resolve:ssm:/a/b:1}} is read as an expression of the template.",
      expected: "{{ '{{resolve:ssm:/a/b:1}}' }}",
      remedy: expect.stringContaining('{% raw %}{{resolve:ssm:/a/b:1}}{% endraw %}'),
      at: { file: 'main.yaml', line: 2, column: 5 },
    })
    expect(textOf("{{ '{{resolve:ssm:/a/b:1}}' }}{% raw %}{{resolve:ssm:x}}{% endraw %}")).toBe(
      '{{resolve:ssm:/a/b:1}}{{resolve:ssm:x}}',
    )
  })

  test('is found in an included file, with the place that uses it', () => {
    expect(problemOf('x\n{% include "part.yaml" %}', { 'part.yaml': '\n{% if %}' })).toMatchObject({
      code: 'template-syntax',
      at: { file: 'part.yaml', line: 2 },
      related: [{ at: { file: 'main.yaml', line: 2 }, note: 'used here' }],
    })
  })

  test('files outside the bundle are not there, however they are named', () => {
    for (const name of ['../secret', '/etc/passwd', './part.yaml', 'a/../part.yaml', '']) {
      expect(problemOf(`{% include "${name}" %}`, { 'part.yaml': 'x' }).code).toBe('template-not-found')
    }
  })
})

describe('an error while it is rendered', () => {
  test.each([
    ['{{ service_instance.inputs.port + "x" }}', 'template-type', 'Unsupported operand type(s) for +'],
    ['{{ 1 // 0 }}', 'template-value', 'by zero'],
    ['{{ service() }}', 'template-type', "'dict' object is not callable"],
    ['{% for a, b in [1] %}{% endfor %}', 'template-type', 'cannot unpack'],
    ['{{ service.name.__class__ }}', 'template-refused', '__class__'],
    ['{% set service.x = 1 %}', 'template-runtime', 'namespace'],
    ['{% include "nope.yaml" %}', 'template-type', 'no loader'],
    ['{{ [1, 2]|map("nope")|list }}', 'template-runtime', 'nope'],
  ])('%j becomes a problem with a place and a remedy', (source, code, message) => {
    const problem = problemOf(`\n ${source}`)
    expect(problem).toMatchObject({ code, severity: 'error', at: { file: 'main.yaml', line: 2 } })
    expect(problem.message.toLowerCase()).toContain(message.toLowerCase())
    expect(problem.remedy).not.toBe('')
  })
})

describe('an include without context', () => {
  const files = { 'part.yaml': 'part' }

  test('stands where it is written', () => {
    expect(textOf('[{% for i in [1, 2] %}{% include "part.yaml" without context %},{% endfor %}]', { files })).toBe(
      '[part,part,]',
    )
  })

  test.each([
    '{% set x %}{% include "part.yaml" without context %}{% endset %}',
    '{% filter upper %}{% if true %}{% include "part.yaml" without context %}{% endif %}{% endfilter %}',
    '{% macro m() %}{% include "part.yaml" without context %}{% endmacro %}{{ m() }}',
    '{% for i in [1] recursive %}{% include "part.yaml" without context %}{% endfor %}',
  ])('is refused where Jinja2 would move or lose its text: %s', (source) => {
    expect(problemOf(source, files)).toMatchObject({ code: 'template-refused', at: { line: 1 } })
    expect(textOf(source.replace(' without context', ''), { files })).toBeDefined()
  })
})

describe("Proton's ways", () => {
  const withComponent = contextOf({
    ...variables,
    service_instance: {
      name: 'prod',
      inputs: {},
      components: { default: { name: 'c', outputs: { One: 'a', Two: 'b: c' } } },
    },
  })
  const without: DataMap = mapOf([
    [
      'service_instance',
      mapOf([
        ['name', 'prod'],
        ['inputs', mapOf()],
        ['components', noComponents],
      ]),
    ],
  ])
  const outputs = 'service_instance.components.default.outputs'

  test('the outputs of a component can be walked in pairs, other maps cannot', () => {
    const pairs = `{% for name, value in ${outputs} %}{{ name }}={{ value }};{% endfor %}`
    expect(textOf(pairs, { context: withComponent })).toBe('One=a;Two=b: c;')
    expect(textOf(pairs, { context: without })).toBe('')
    expect(problemOf('{% for a, b in service_instance.inputs %}{% endfor %}').code).toBe('template-value')
  })

  test('without a component its outputs are empty, and anything else of it is not defined', () => {
    const ask = `{{ service_instance.components }}{{ service_instance.components.default }}{{ ${outputs} }}{{ ${outputs}|length }}{{ 'T' if ${outputs} else 'F' }}`
    expect(textOf(ask, { context: without })).toBe('{}{}{}0F')
    const rendered = render('{{ service_instance.components.default.name }}', { context: without })
    expect(rendered.ok ? [] : rendered.problems).toMatchObject([{ code: 'undefined-variable' }])
    expect(textOf(`{{ ${outputs}.x|default('d') }}`, { context: without })).toBe('d')
  })

  test('lists and maps of the filters stand at the column of the expression', () => {
    const source = `Env:\n    {{ ${outputs} | proton_cfn_ecs_task_definition_formatted_env_vars }}\nVars: {{ ${outputs} | proton_cfn_lambda_function_formatted_env_vars }}\nend`
    expect(textOf(source, { context: withComponent })).toBe(
      'Env:\n    - Name: One\n      Value: a\n    - Name: Two\n      Value: "b: c"\nVars: One: a\n      Two: "b: c"\nend',
    )
  })

  test.each([
    ['Env:\n  {{ X }}\nNext: 1', 'Env:\n  []\nNext: 1'],
    ['Env: {{ X }}\nNext: 1', 'Env: []\nNext: 1'],
    ['Env: {{ X }}', 'Env: []'],
    ['  Env:\n    {{ X }}\n  Next: 1', '  Env:\n    []\n  Next: 1'],
    ['Env:\n  - Name: A\n  {{ X }}\nNext: 1', 'Env:\n  - Name: A\n  \nNext: 1'],
    ['Env:\n  {{ X }}\n  - Name: A\n', 'Env:\n  \n  - Name: A'],
    ['Env:\n{{ X }}\n- Name: A\n', 'Env:\n\n- Name: A'],
    ['Env: {{ X }} # note', 'Env:  # note'],
    ['Env: {{ X }}\nB:\n  {{ X }}\n', 'Env: []\nB:\n  []'],
  ])('an empty list is [] exactly where it is the whole value: %j', (source, expected) => {
    const filtered = source.replaceAll('X', `${outputs} | proton_cfn_ecs_task_definition_formatted_env_vars`)
    expect(textOf(filtered, { context: without })).toBe(expected)
    const parsed = parseTemplate('t', filtered)
    const traced = parsed.ok ? renderTemplate(parsed.value, without, { spans: true }) : parsed
    expect(traced.ok ? traced.text : '').toBe(expected)
    if (!traced.ok || traced.spans === undefined) return
    const at = traced.text.indexOf('Next')
    if (at !== -1)
      expect(traced.spans.atOffset(at)?.place.line).toBe(
        filtered.split('\n').findIndex((line) => line.includes('Next')) + 1,
      )
  })

  test('an empty map is {}', () => {
    const source = `Variables:\n  {{ ${outputs} | proton_cfn_lambda_function_formatted_env_vars }}\n`
    expect(textOf(source, { context: without })).toBe('Variables:\n  {}')
  })
})

test('a template is read once and rendered with many contexts', () => {
  const parsed = parseTemplate('t', '{{ n }}{% set n = n ~ "!" %}{{ n }}')
  if (!parsed.ok) throw new Error('it is a template')
  const texts = ['a', 'b', 'a'].map((n) => renderTemplate(parsed.value, mapOf([['n', n]])))
  expect(texts).toMatchObject([{ text: 'aa!' }, { text: 'bb!' }, { text: 'aa!' }])
})

test('a float stays a float, and a large whole number is exact', () => {
  const numbers = mapOf([
    ['two', new Float(2)],
    ['big', 123456789012345678901n],
    ['safe', 9007199254740991],
  ])
  expect(textOf('{{ two }} {{ big + 1 }} {{ safe + 2 }}', { context: numbers })).toBe(
    '2.0 123456789012345678902 9007199254740993',
  )
})

test('limits can be set for a template and for a rendering', () => {
  const parsed = parseTemplate('t', '{% for i in range(100) %}{{ i }}{% endfor %}', { limits: { steps: 50 } })
  if (!parsed.ok) throw new Error('it is a template')
  expect(renderTemplate(parsed.value, context)).toMatchObject({ problems: [{ code: 'template-limit' }] })
  expect(renderTemplate(parsed.value, context, { limits: { steps: 5000 } }).ok).toBe(true)
  expect(renderTemplate(parsed.value, context, { limits: { steps: 5000, output: 10 } })).toMatchObject({
    problems: [{ code: 'template-limit', message: expect.stringContaining('10 characters') }],
  })
})
