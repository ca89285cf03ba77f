import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { canonicalJson } from '../../../src/core/canonical.ts'
import { type Data, type DataMap, isMap, mapOf } from '../../../src/core/data.ts'
import { misfits, oldPath, renamedResources } from '../../../src/core/stack/rename.ts'
import { mentions } from '../../../src/core/stack/template.ts'
import { readYaml } from '../../../src/core/yaml.ts'

function body(text: string): DataMap {
  const read = readYaml('t.yaml', text, 'cloudformation')
  if (!read.ok || !isMap(read.value.data)) throw new Error(JSON.stringify(read.problems))
  return read.value.data
}

function renamed(value: string, ids: Readonly<Record<string, string>>): Data {
  const all = body(`Resources:\n  Other:\n    Type: A\n    Properties:\n      P: ${value}\n`)
  const result = renamedResources(all, new Map(Object.entries(ids)))
  const resources = result['Resources']
  const other = isMap(resources) ? resources['Other'] : undefined
  const properties = isMap(other) ? other['Properties'] : undefined
  return isMap(properties) ? (properties['P'] ?? null) : null
}

describe('a mention of a resource', () => {
  test.each([
    ['!Ref New', { Ref: 'Old' }],
    ['!Ref AWS::Region', { Ref: 'AWS::Region' }],
    ['!GetAtt New.Arn', { 'Fn::GetAtt': ['Old', 'Arn'] }],
    ['{ "Fn::GetAtt": "New.Endpoint.Port" }', { 'Fn::GetAtt': 'Old.Endpoint.Port' }],
    [
      '!Sub "a ${New} ${New.Arn} ${!New} ${Newer} ${ New }"',
      { 'Fn::Sub': 'a ${Old} ${Old.Arn} ${!New} ${Newer} ${ Old}' },
    ],
    ['!Sub ["${New} ${x}", { x: !Ref New }]', { 'Fn::Sub': ['${Old} ${x}', { x: { Ref: 'Old' } }] }],
    ['!Sub ["${New}", { New: 1 }]', { 'Fn::Sub': ['${New}', { New: 1 }] }],
    ['!If [New, !Ref New, New]', { 'Fn::If': ['New', { Ref: 'Old' }, 'New'] }],
    ['New', 'New'],
    ['!Join ["", [New, !Ref New]]', { 'Fn::Join': ['', ['New', { Ref: 'Old' }]] }],
  ])('in %s', (value, expected) => {
    expect(JSON.parse(canonicalJson(renamed(value, { New: 'Old' })))).toEqual(expected)
  })
})

test('resources, what depends on them, and outputs follow; conditions do not', () => {
  const before = body(`
Conditions: { New: !Equals [a, b] }
Resources:
  First: { Type: A, DependsOn: New }
  New: { Type: B, Condition: New, DependsOn: [First] }
Outputs:
  New: { Value: !GetAtt New.Arn, Condition: New }
`)
  const after = renamedResources(before, new Map([['New', 'Old']]))
  expect(Object.keys(isMap(after['Resources']) ? after['Resources'] : {})).toEqual(['First', 'Old'])
  expect(canonicalJson(after)).toBe(
    canonicalJson(
      body(`
Conditions: { New: !Equals [a, b] }
Resources:
  First: { Type: A, DependsOn: Old }
  Old: { Type: B, Condition: New, DependsOn: [First] }
Outputs:
  New: { Value: !GetAtt Old.Arn, Condition: New }
`),
    ),
  )
})

test('two resources may change their ids with each other; an id of something else is taken', () => {
  const both = body('Parameters: { P: { Type: String } }\nResources: { A: { Type: X }, B: { Type: Y } }\n')
  const found = (ids: Readonly<Record<string, string>>): unknown => misfits(both, new Map(Object.entries(ids)))
  expect(found({ A: 'B', B: 'A' })).toEqual([])
  expect(found({ A: 'B' })).toEqual([{ id: 'A', is: 'taken' }])
  expect(found({ A: 'P' })).toEqual([{ id: 'A', is: 'taken' }])
  expect(found({ A: 'C', B: 'C' })).toEqual([{ id: 'B', is: 'taken' }])
  expect(found({ Q: 'C' })).toEqual([{ id: 'Q', is: 'nothing' }])
  expect(oldPath(['Resources', 'Old', 'Properties', 0], new Map([['Old', 'New']]))).toEqual([
    'Resources',
    'New',
    'Properties',
    0,
  ])
})

const ids = ['A', 'B', 'C', 'D']
const value: fc.Arbitrary<Data> = fc.letrec<{ value: Data }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom<Data>('A', 'text', 1),
    fc.constantFrom(...ids).map((id): Data => mapOf([['Ref', id]])),
    fc.constantFrom(...ids).map((id): Data => mapOf([['Fn::GetAtt', [id, 'Arn']]])),
    fc.constantFrom(...ids).map((id): Data => mapOf([['Fn::Sub', `x\${${id}.Arn}-\${${id}}`]])),
    fc
      .tuple(fc.constantFrom(...ids), tie('value'))
      .map(([id, inner]): Data => mapOf([['Fn::Sub', [`\${v}\${${id}}`, mapOf([['v', inner]])]]])),
    fc.array(tie('value'), { maxLength: 3 }),
    fc
      .dictionary(fc.constantFrom('p', 'q', 'A'), tie('value'), { maxKeys: 3, noNullPrototype: false })
      .map((map): Data => mapOf(Object.entries(map))),
  ),
})).value

test('invariant: what is mentioned is mentioned by the new name, and back again it is what it was', () => {
  fc.assert(
    fc.property(value, (inner) => {
      const before = mapOf([
        [
          'Resources',
          mapOf(
            ids.map((id) => [
              id,
              mapOf([
                ['Type', 'T'],
                ['Properties', mapOf([['P', inner]])],
              ]),
            ]),
          ),
        ],
      ])
      const after = renamedResources(
        before,
        new Map([
          ['A', 'Z'],
          ['B', 'A'],
        ]),
      )
      const name = (id: string): string => (id === 'A' ? 'Z' : id === 'B' ? 'A' : id)
      const named = (data: Data): readonly string[] =>
        mentions(data).flatMap((each) => (each.is === 'condition' ? [] : [each.name]))
      expect(named(after)).toEqual(named(before).map(name))
      const back = renamedResources(
        after,
        new Map([
          ['Z', 'A'],
          ['A', 'B'],
        ]),
      )
      expect(canonicalJson(back)).toBe(canonicalJson(before))
    }),
    { numRuns: 500 },
  )
})
