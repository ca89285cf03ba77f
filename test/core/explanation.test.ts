import { describe, expect, test } from 'vitest'
import { type Data, type DataMap, mapOf } from '../../src/core/data.ts'
import { explainLine, type Explanation, explanationText } from '../../src/core/explanation.ts'
import { parseTemplate, renderTemplate } from '../../src/core/jinja/index.ts'

const map = (value: Readonly<Record<string, Data>>): DataMap => mapOf(Object.entries(value))

const context = map({
  service: map({ name: 'shop' }),
  inputs: map({ port: 80, public: true, tags: ['a', 'b'], 'my key': 'odd' }),
  items: [map({ name: 'one', on: true }), map({ name: 'two', on: true })],
})

const source = [
  'Name: {{ service.name }}-{{ inputs.port }}',
  '{%- macro line(value) %}',
  'Value: {{ value }}',
  '{%- endmacro %}',
  '{%- if inputs.public %}',
  '{%- for item in items %}',
  'Item: {{ item.name }}',
  '{%- endfor %}',
  '{{ line(inputs["my key"]) }}',
  '{%- endif %}',
  'Empty:{{ inputs.none | default("") }}',
  '',
  'Tags: {{ inputs.tags }}',
].join('\n')

function explained(line: number, column?: number): Explanation | undefined {
  const template = parseTemplate('t.yaml', source)
  if (!template.ok) throw new Error('the template cannot be read')
  const rendered = renderTemplate(template.value, context, { spans: true })
  if (!rendered.ok || rendered.spans === undefined) throw new Error('the template cannot be rendered')
  const { text, spans } = rendered
  const whereFrom = (reference: string) =>
    reference === 'inputs.port' ? { at: { file: 'service.yaml', line: 3, column: 9 }, note: 'written here' } : undefined
  return explainLine({ text, spans, context, whereFrom }, { line, ...(column !== undefined && { column }) })
}

describe('the explanation of a rendered line', () => {
  test('has its place in the template, and all that was read for it with its value', () => {
    expect(explained(1)).toEqual({
      line: 1,
      column: 1,
      text: 'Name: shop-80',
      place: { file: 't.yaml', line: 1, column: 1 },
      reads: [
        { reference: 'service.name', value: '"shop"', at: null, note: null },
        {
          reference: 'inputs.port',
          value: '80',
          at: { file: 'service.yaml', line: 3, column: 9 },
          note: 'written here',
        },
      ],
      within: [],
      through: [],
    })
  })

  test('at a column is of what stands there alone', () => {
    expect(explained(1, 12)).toMatchObject({ place: { line: 1, column: 29 }, reads: [{ reference: 'inputs.port' }] })
    expect(explained(1, 3)).toMatchObject({ place: { line: 1, column: 3 }, reads: [] })
  })

  test('says what the line stands within, with the values that decided', () => {
    expect(explained(3)).toMatchObject({
      text: 'Item: two',
      place: { line: 7, column: 1 },
      reads: [{ reference: 'items[1].name', value: '"two"' }],
      within: [
        { place: { line: 6 }, reads: [{ reference: 'items' }] },
        { place: { line: 5 }, reads: [{ reference: 'inputs.public', value: 'true' }] },
      ],
    })
  })

  test('leads through a macro, and finds values by keys that are no names', () => {
    expect(explained(5)).toMatchObject({
      text: 'Value: odd',
      place: { line: 3, column: 1 },
      reads: [{ reference: 'inputs["my key"]', value: '"odd"' }],
      through: [{ place: { line: 9 }, note: expect.stringContaining('line') }],
    })
  })

  test('of an empty line is that line, and outside of the text there is none', () => {
    expect(explained(7)).toMatchObject({ text: '', place: { line: 12 }, reads: [] })
    expect(explained(99)).toBeUndefined()
  })

  test('is read in a terminal with the lines of the files that are known', () => {
    const shown = explained(1)
    if (shown === undefined) throw new Error('no explanation')
    const text = explanationText(shown, {
      name: 'shop/dev',
      source: (file) => (file === 't.yaml' ? source : undefined),
    })
    expect(text).toBe(
      [
        'shop/dev:1',
        '    1 | Name: shop-80',
        '      | ^',
        '',
        'written by  t.yaml:1:1',
        '    1 | Name: {{ service.name }}-{{ inputs.port }}',
        '      | ^',
        '',
        'from',
        '  service.name is "shop"',
        '  inputs.port is 80: written here, service.yaml:3:9',
      ].join('\n'),
    )
  })
})
