import { describe, expect, test } from 'vitest'
import { type Data, isMap, mapOf, type Path } from '../../../src/core/data.ts'
import { checkLimits } from '../../../src/core/stack/limits.ts'
import { readYaml } from '../../../src/core/yaml.ts'

function check(text: string): readonly string[] {
  const read = readYaml('t.yaml', text, 'cloudformation')
  if (!read.ok || !isMap(read.value.data)) throw new Error(`no YAML: ${text}`)
  const document = read.value
  const places = { keyAt: (path: Path) => document.keyPlace(path) }
  return checkLimits(read.value.data, (path) => document.place(path), places).map(
    ({ at, severity, code, message }) => `${at?.line}:${at?.column} ${severity} ${code}: ${message}`,
  )
}

const many = (count: number, value: Data, name = 'N'): Data =>
  mapOf(Array.from({ length: count }, (_, index) => [`${name}${index}`, value] as const))
const topic = mapOf([['Type', 'AWS::SNS::Topic']])

describe("CloudFormation's limits", () => {
  test.each<[string, Record<string, Data>]>([
    ['501 resources', { Resources: many(501, topic) }],
    ['201 parameters', { Parameters: many(201, mapOf([['Type', 'String']])) }],
    ['201 outputs', { Outputs: many(201, mapOf([['Value', 'x']])) }],
    ['201 mappings', { Mappings: many(201, mapOf([['a', mapOf([['b', 'c']])]])) }],
    ['a mapping of 201 keys', { Mappings: mapOf([['M', many(201, mapOf([['b', 'c']]))]]) }],
    ['a logical id of 256 characters', { Resources: mapOf([['N'.repeat(256), topic]]) }],
    ['a description of 1,025 bytes in other letters', { Description: '가'.repeat(342) }],
    [
      'a parameter default of 4,097 bytes',
      {
        Parameters: mapOf([
          [
            'P',
            mapOf([
              ['Type', 'String'],
              ['Default', 'x'.repeat(4097)],
            ]),
          ],
        ]),
      },
    ],
    ['a body of over a megabyte', { Metadata: 'm'.repeat(1_048_577) }],
  ])('%s is too much', (_name, parts) => {
    const template = mapOf([['Resources', mapOf([['T', topic]])], ...Object.entries(parts)])
    const codes = checkLimits(template, () => ({ file: 't', line: 1, column: 1 })).map(({ code }) => code)
    expect(codes).toEqual(['stack-limit'])
  })

  test('a stack at every limit passes', () => {
    const template = mapOf([
      ['Description', 'd'.repeat(1024)],
      ['Resources', many(500, topic)],
      ['Parameters', many(200, mapOf([['Type', 'String']]), 'P')],
      ['Outputs', many(200, mapOf([['Value', 'x']]))],
      ['Mappings', many(200, mapOf([['a', mapOf([['b', 'c']])]]))],
    ])
    expect(checkLimits(template, () => ({ file: 't', line: 1, column: 1 }))).toEqual([])
  })
})

describe('the structure of a template', () => {
  test('all that is wrong is told at once, each on its line, with the near name', () => {
    expect(
      check(`Resource: {}
Conditions:
  IsProd: !Equals [!Ref Stage, prod]
Resources:
  Queue:
    Type: AWS::SQS::Queue
    Propertys: {}
    DependsOn: Tpic
  Topic:
    Type: AWS::SNS::Topic
    Condition: IsPrd
    Properties:
      TopicName: !Ref Quene
      DisplayName: !Sub '\${Queue.Nam}'
      Tags: { 'Fn::Joyn': ['', []] }
Outputs:
  Arn: { Value: !GetAtt Queue.Arm }
`),
    ).toEqual([
      '1:1 error stack-section: A template has no section Resource. Did you mean "Resources"?',
      '3:25 error stack-reference: There is no parameter Stage.',
      '7:5 error stack-section: A resource has no Propertys. Did you mean "Properties"?',
      '8:16 error stack-reference: There is no resource Tpic. Did you mean "Topic"?',
      '11:16 error stack-reference: There is no condition IsPrd. Did you mean "IsProd"?',
      '15:15 error stack-intrinsic: There is no function Fn::Joyn. Did you mean "Fn::Join"?',
      '13:23 error stack-reference: There is no resource or parameter Quene. Did you mean "Queue"?',
      '14:25 error stack-attribute: Queue has no attribute Nam. AWS::SQS::Queue has Arn, QueueName, QueueUrl.',
      '17:25 error stack-attribute: Queue has no attribute Arm. AWS::SQS::Queue has Arn, QueueName, QueueUrl. Did you mean "Arn"?',
    ])
  })

  test('a circle is named in its order', () => {
    expect(
      check(`Resources:
  A: { Type: AWS::SNS::Topic, DependsOn: B }
  B: { Type: AWS::SNS::Topic, Properties: { DisplayName: !Ref C } }
  C: { Type: AWS::SNS::Topic, Properties: { DisplayName: !Sub 'x\${A.TopicName}' } }
`),
    ).toEqual(['2:3 error stack-cycle: These resources wait for each other: A → B → C → A.'])
  })

  test('a circle that only conditions could close is none', () => {
    expect(
      check(`Conditions: { C: !Equals [a, b] }
Resources:
  A: { Type: AWS::SNS::Topic, Properties: { DisplayName: !If [C, !Ref B, x] } }
  B: { Type: AWS::SNS::Topic, Properties: { DisplayName: !If [C, x, !Ref A] } }
`),
    ).toEqual([])
  })

  test.each([
    ['Fn::Sub: [a]'],
    ['Fn::Sub: [a, b]'],
    ['Fn::If: [C, a]'],
    ['Fn::Join: [a, b]'],
    ['Fn::Select: [0]'],
    ['Fn::Split: ["", a]'],
    ['Fn::FindInMap: [a, b]'],
    ['Fn::Cidr: [10.0.0.0/16, 2]'],
    ['Fn::GetAtt: Topic'],
  ])('%s is not written as it should be', (text) => {
    const found = check(
      `Conditions: { C: !Equals [a, b] }\nResources: { Topic: { Type: AWS::SNS::Topic, Properties: { DisplayName: { ${text} } } } }`,
    )
    expect(
      found.filter((line) => line.includes(' error stack-intrinsic: ') && line.includes('not written as it should be')),
    ).toHaveLength(1)
  })

  test('a type that is only known by name is taken as it is; one that is unknown gets a warning', () => {
    expect(check('Resources: { R: { Type: AWS::Redshift::Cluster }, M: { Type: "Acme::Web::Site::MODULE" } }')).toEqual(
      [],
    )
    expect(check('Resources: { R: { Type: AWS::ECS::Servce } }')).toEqual([
      '1:25 warning stack-type: There is no resource type AWS::ECS::Servce. Did you mean "AWS::ECS::Service"?',
    ])
  })
})
