import { describe, expect, test } from 'vitest'
import { type DataMap, isMap } from '../../../src/core/data.ts'
import { readFindings, withoutDirections } from '../../../src/core/policy/checks.ts'
import { readJson } from '../../../src/core/yaml.ts'

function mapIn(text: string): DataMap {
  const read = readJson('t.json', text)
  if (!read.ok || !isMap(read.value.data)) throw new Error('this is no map')
  return read.value.data
}

const body = mapIn('{ "Resources": { "Work": { "Type": "T", "Properties": { "Layers": ["a", "b"], "Size": 3 } } } }')
const files = new Map([['/x/0.json', { name: 'shop/dev', body }]])

describe('what cfn-lint says', () => {
  const match = (more: object) => ({
    Filename: '/x/0.json',
    Level: 'Error',
    Location: { Path: ['Resources', 'Work', 'Properties', 'Size'], Start: { LineNumber: 1, ColumnNumber: 2 } },
    Message: '3 is less than the minimum of 128',
    Rule: { Id: 'E3034', ShortDescription: 'Check if a number is between min and max' },
    ...more,
  })
  const read = (...matches: readonly object[]) => readFindings('cfn-lint', { text: JSON.stringify(matches), files })

  test('is read with its rule and its path', () => {
    expect(read(match({}))).toEqual([
      {
        template: 'shop/dev',
        rule: 'E3034',
        severity: 'error',
        path: ['Resources', 'Work', 'Properties', 'Size'],
        message: '3 is less than the minimum of 128',
        note: 'Check if a number is between min and max',
      },
    ])
    expect(readFindings('cfn-lint', { text: '[]', files })).toEqual([])
  })

  test.each([
    [
      'an index of a list',
      ['Resources', 'Work', 'Properties', 'Layers', 1],
      ['Resources', 'Work', 'Properties', 'Layers', 1],
    ],
    [
      'an index as text',
      ['Resources', 'Work', 'Properties', 'Layers', '1'],
      ['Resources', 'Work', 'Properties', 'Layers', 1],
    ],
    ['what is not there', ['Resources', 'Work', 'Properties', 'Role'], ['Resources', 'Work', 'Properties']],
    ['nothing', [], []],
  ])('leads to the nearest place there is: %s', (_what, Path, path) => {
    expect(read(match({ Location: { Path } }))).toMatchObject([{ path }])
  })

  test('is a warning where it says so, and a remark is left out', () => {
    expect(read(match({ Level: 'Warning' }), match({ Level: 'Informational' }))).toMatchObject([
      { severity: 'warning' },
    ])
  })

  test.each([
    ['another file', match({ Filename: '/etc/passwd' })],
    ['no rule', match({ Rule: null })],
    ['no message', match({ Message: 3 })],
  ])('is not its form: %s', (_what, each) => {
    expect(read(each)).toBeUndefined()
  })
  test.each(['', '{}', '[1]', 'Traceback', '[{}]'])('is not its form: %s', (text) => {
    expect(readFindings('cfn-lint', { text, files })).toBeUndefined()
  })
})

describe('what cfn-guard says', () => {
  // As cfn-guard 3.1.1 writes it, without what is not read.
  const clause = (path: string, more: object = {}) => ({
    Clause: {
      Binary: {
        context: ' %work[*].Properties.Size  EQUALS  5',
        messages: { custom_message: '', error_message: 'Value=3' },
        check: { Resolved: { from: { path, value: 3 }, to: { path: '', value: 5 }, comparison: ['Eq', false] } },
        ...more,
      },
    },
  })
  const read = (...checks: readonly object[]) =>
    readFindings('cfn-guard', {
      text: JSON.stringify([
        { name: '/x/0.json', status: 'FAIL', not_compliant: [{ Rule: { name: 'sizes', checks } }], compliant: [] },
      ]),
      files,
    })

  test('is read with its rule, its path and its clause, and without the values that it met', () => {
    const found = read(clause('/Resources/Work/Properties/Size'))
    expect(found).toEqual([
      {
        template: 'shop/dev',
        rule: 'sizes',
        severity: 'error',
        path: ['Resources', 'Work', 'Properties', 'Size'],
        message: 'It is against the clause `%work[*].Properties.Size EQUALS 5`.',
      },
    ])
    expect(JSON.stringify(found)).not.toContain('Value=3')
  })

  test('is told with what the author of the rule wrote', () => {
    const messages = { custom_message: 'Work is\n small.', error_message: null }
    expect(read(clause('/Resources/Work/Properties/Size', { messages }))).toMatchObject([
      { message: 'Work is small.', note: '%work[*].Properties.Size EQUALS 5' },
    ])
  })

  test('is told once for each place, in blocks and alternatives too', () => {
    const [one, other] = [clause('/Resources/Work/Properties/Size'), clause('/Resources/Work/Properties/Layers/1')]
    expect(
      read({ Disjunctions: { checks: [one, one, { Block: { context: 'block', checks: [other] } }] } }),
    ).toMatchObject([
      { path: ['Resources', 'Work', 'Properties', 'Size'] },
      { path: ['Resources', 'Work', 'Properties', 'Layers', 1] },
    ])
  })

  test('leads to where a value is missing, and a template cannot lead it elsewhere', () => {
    const check = (path: string, value: object) => ({
      check: {
        UnResolved: {
          value: { traversed_to: { path, value }, remaining_query: 'Role' },
          comparison: ['Exists', false],
        },
      },
    })
    expect(read(clause('', check('/Resources/Work/Properties', {})))).toMatchObject([
      { path: ['Resources', 'Work', 'Properties'] },
    ])
    expect(read(clause('', check('', { path: '/Resources/Work' })))).toMatchObject([{ path: [] }])
  })

  test('is nothing where every rule is kept, and not its form where it is another', () => {
    const text = JSON.stringify([{ name: '/x/0.json', status: 'PASS', not_compliant: [], compliant: ['sizes'] }])
    expect(readFindings('cfn-guard', { text, files })).toEqual([])
    expect(readFindings('cfn-guard', { text: text.replace('/x/0', '/x/1'), files })).toBeUndefined()
    expect(readFindings('cfn-guard', { text: '[{ "name": "/x/0.json" }]', files })).toBeUndefined()
  })
})

test('a template does not tell the programs how to go about it', () => {
  const said = mapIn(
    JSON.stringify({
      Metadata: { 'cfn-lint': { config: { append_rules: ['/repository/evil'] } }, Own: 1 },
      Resources: {
        A: {
          Type: 'T',
          Metadata: { 'cfn-lint': { config: { ignore_checks: ['E3002'] } }, guard: { SuppressedRules: ['x'] }, aws: 2 },
        },
        B: { Type: 'T' },
      },
      Outputs: {},
    }),
  )
  expect(JSON.parse(JSON.stringify(withoutDirections(said)))).toEqual({
    Metadata: { Own: 1 },
    Resources: { A: { Type: 'T', Metadata: { aws: 2 } }, B: { Type: 'T' } },
    Outputs: {},
  })
})
