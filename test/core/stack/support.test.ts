import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { type Data, isMap, mapOf, type Path } from '../../../src/core/data.ts'
import type { Place } from '../../../src/core/problem.ts'
import { planStack } from '../../../src/core/stack/plan.ts'
import { checkLimits } from '../../../src/core/stack/limits.ts'
import { readYaml } from '../../../src/core/yaml.ts'

/** What a row of docs/local-provisioner.md promises: the value of the output `Out`, or the code of a problem. */
type Case = {
  readonly template: string
  readonly out?: string
  readonly code?: string
  readonly parameters?: Record<string, string>
  readonly created?: readonly string[]
}

const topic = 'Resources: { Topic: { Type: AWS::SNS::Topic } }'
const out = (value: string, head = ''): string => `${head}\n${topic}\nOutputs: { Out: { Value: ${value} } }`
const extended = 'Transform: AWS::LanguageExtensions'

const cases: Readonly<Record<string, readonly Case[]>> = {
  AWSTemplateFormatVersion: [{ template: out('x', "AWSTemplateFormatVersion: '2010-09-09'"), out: 'x' }],
  Description: [
    { template: out('x', 'Description: short'), out: 'x' },
    { template: out('x', `Description: ${'d'.repeat(1025)}`), code: 'stack-limit' },
  ],
  Metadata: [{ template: out('x', 'Metadata: { Any: thing }'), out: 'x' }],
  Parameters: [
    { template: out('!Ref P', 'Parameters: { P: { Type: String, Default: d } }'), out: 'd' },
    {
      template: out('!Ref P', 'Parameters: { P: { Type: String, Default: d } }'),
      parameters: { P: 'given' },
      out: 'given',
    },
    { template: out('!Ref P', 'Parameters: { P: { Type: String } }'), code: 'stack-parameter' },
    { template: out('x'), parameters: { P: 'p' }, code: 'stack-parameter' },
    {
      template: out('!Ref P', 'Parameters: { P: { Type: String, AllowedValues: [a, b] } }'),
      parameters: { P: 'c' },
      code: 'stack-parameter',
    },
    {
      template: out('!Ref P', "Parameters: { P: { Type: String, AllowedPattern: '[a-z]+' } }"),
      parameters: { P: 'a1' },
      code: 'stack-parameter',
    },
    {
      template: out('!Ref P', 'Parameters: { P: { Type: String, MinLength: 3 } }'),
      parameters: { P: 'ab' },
      code: 'stack-parameter',
    },
    {
      template: out('!Ref P', 'Parameters: { P: { Type: String, MaxLength: 1 } }'),
      parameters: { P: 'ab' },
      code: 'stack-parameter',
    },
    {
      template: out('!Ref P', 'Parameters: { P: { Type: Number, MinValue: 3 } }'),
      parameters: { P: '2' },
      code: 'stack-parameter',
    },
    {
      template: out('!Ref P', 'Parameters: { P: { Type: Number, MaxValue: 3 } }'),
      parameters: { P: '4' },
      code: 'stack-parameter',
    },
    {
      template: out('!Ref P', 'Parameters: { P: { Type: Number } }'),
      parameters: { P: 'four' },
      code: 'stack-parameter',
    },
    {
      template: out('!Join [+, !Ref P]', 'Parameters: { P: { Type: CommaDelimitedList } }'),
      parameters: { P: 'a, b' },
      out: 'a+b',
    },
    {
      template: out('!Select [1, !Ref P]', 'Parameters: { P: { Type: List<Number> } }'),
      parameters: { P: '1,2' },
      out: '2',
    },
    {
      template: out('!Ref P', 'Parameters: { P: { Type: "AWS::SSM::Parameter::Value<String>" } }'),
      parameters: { P: '/a' },
      out: '{{resolve:ssm:/a}}',
    },
    {
      template: out('!Ref P', 'Parameters: { P: { Type: String, NoEcho: true } }'),
      parameters: { P: 'secret' },
      out: '****7f67c5ba2c1a',
    },
  ],
  Mappings: [
    { template: out('!FindInMap [M, a, b]', 'Mappings: { M: { a: { b: c } } }'), out: 'c' },
    { template: out('x', 'Mappings: { M: { a: flat } }'), code: 'stack-section' },
  ],
  Conditions: [
    { template: out('!If [C, yes it is, no]', 'Conditions: { C: !Equals [a, a] }'), out: 'yes it is' },
    { template: out('x', 'Conditions: { C: !Not [Condition: D], D: !Not [Condition: C] }'), code: 'stack-cycle' },
  ],
  Rules: [{ template: out('x', 'Rules: { R: { Assertions: [] } }'), out: 'x' }],
  Resources: [
    {
      template:
        'Resources: { A: { Type: AWS::SNS::Subscription, Properties: { TopicArn: !Ref B, Protocol: sqs } }, B: { Type: AWS::SNS::Topic } }',
      created: ['B', 'A'],
    },
    { template: 'Resources: {}', code: 'stack-section' },
  ],
  Outputs: [
    {
      template: `${topic}\nConditions: { C: !Equals [a, b] }\nOutputs: { Out: { Value: x }, Gone: { Value: y, Condition: C } }`,
      out: 'x',
    },
    {
      template: `${topic}\nOutputs: { Out: { Value: x, Export: { Name: n } }, Two: { Value: x, Export: { Name: n } } }`,
      code: 'stack-reference',
    },
  ],
  Transform: [
    {
      template: out('!GetAtt F.Arn', 'Transform: AWS::Serverless-2016-10-31').replace(
        'Resources: {',
        'Resources: { F: { Type: AWS::Serverless::Function, Properties: { FunctionName: f } },',
      ),
      out: 'arn:aws:lambda:ap-northeast-2:111111111111:function:f',
    },
    { template: out("!Transform { Name: 'AWS::Include' }", 'Transform: Own'), code: 'stack-transform' },
  ],
  Globals: [
    { template: out('x', 'Transform: AWS::Serverless-2016-10-31\nGlobals: { Function: { Timeout: 3 } }'), out: 'x' },
  ],
  Ref: [
    { template: out('!Ref Topic'), out: 'arn:aws:sns:ap-northeast-2:111111111111:app-Topic-XOGXIMJQ6V8U2' },
    { template: out('!Ref Topik'), code: 'stack-reference' },
  ],
  'Fn::GetAtt': [
    { template: out('!GetAtt Topic.TopicName'), out: 'app-Topic-XOGXIMJQ6V8U2' },
    { template: out('!GetAtt Topic.Name'), code: 'stack-attribute' },
  ],
  'Fn::Sub': [
    { template: out("!Sub '${AWS::Region}-${!Literal}'"), out: 'ap-northeast-2-${Literal}' },
    {
      template: out("!Sub ['${a}/${Topic.TopicName}', { a: !Ref 'AWS::AccountId' }]"),
      out: '111111111111/app-Topic-XOGXIMJQ6V8U2',
    },
    { template: out("!Sub '${Missing}'"), code: 'stack-reference' },
  ],
  'Fn::Join': [
    { template: out("!Join ['-', [a, 1, true]]"), out: 'a-1-true' },
    { template: out('!Join [a]'), code: 'stack-intrinsic' },
  ],
  'Fn::Split': [{ template: out("!Select [2, !Split ['|', 'a|b|c']]"), out: 'c' }],
  'Fn::Select': [
    { template: out('!Select [0, [a, b]]'), out: 'a' },
    { template: out('!Select [2, [a, b]]'), code: 'stack-intrinsic' },
  ],
  'Fn::If': [
    { template: out("!If [C, 'yes', 'no']", 'Conditions: { C: !Equals [a, b] }'), out: 'no' },
    { template: out('!If [Missing, 1, 2]'), code: 'stack-reference' },
  ],
  'Fn::Equals': [{ template: out('!If [C, same, other]', "Conditions: { C: !Equals [80, '80'] }"), out: 'same' }],
  'Fn::And': [
    { template: out('!If [C, both, no]', 'Conditions: { C: !And [!Equals [a, a], !Equals [b, b]] }'), out: 'both' },
    { template: out('x', 'Conditions: { C: !And [!Equals [a, a]] }'), code: 'stack-intrinsic' },
  ],
  'Fn::Or': [
    { template: out('!If [C, one, none]', 'Conditions: { C: !Or [!Equals [a, b], !Equals [b, b]] }'), out: 'one' },
  ],
  'Fn::Not': [{ template: out('!If [C, turned, no]', 'Conditions: { C: !Not [!Equals [a, b]] }'), out: 'turned' }],
  Condition: [
    {
      template: out('!If [C, through, no]', 'Conditions: { C: !Not [Condition: D], D: !Equals [a, b] }'),
      out: 'through',
    },
  ],
  'Fn::FindInMap': [
    {
      template: out("!FindInMap [M, !Ref 'AWS::Region', size]", 'Mappings: { M: { ap-northeast-2: { size: 3 } } }'),
      out: '3',
    },
    { template: out('!FindInMap [M, z, b]', 'Mappings: { M: { a: { b: c } } }'), code: 'stack-reference' },
    {
      template: out('!FindInMap [M, z, b, { DefaultValue: d }]', `${extended}\nMappings: { M: { a: { b: c } } }`),
      out: 'd',
    },
    {
      template: out('!FindInMap [M, z, b, { DefaultValue: d }]', 'Mappings: { M: { a: { b: c } } }'),
      code: 'stack-transform',
    },
  ],
  'Fn::Base64': [
    { template: out('!Base64 hello'), out: 'aGVsbG8=' },
    { template: out('!Base64 안녕'), out: '7JWI64WV' },
  ],
  'Fn::Cidr': [
    { template: out("!Join [' ', !Cidr [10.0.0.0/16, 3, 8]]"), out: '10.0.0.0/24 10.0.1.0/24 10.0.2.0/24' },
    { template: out("!Select [1, !Cidr ['2001:db8::/56', 2, 64]]"), out: '2001:db8:0:1::/64' },
    { template: out('!Select [0, !Cidr [10.0.0.0/24, 3, 7]]'), code: 'stack-intrinsic' },
  ],
  'Fn::GetAZs': [
    {
      template: out("!Join [' ', !GetAZs '']"),
      out: 'ap-northeast-2a ap-northeast-2b ap-northeast-2c ap-northeast-2d',
    },
    { template: out('!Select [1, !GetAZs ap-northeast-1]'), out: 'ap-northeast-1c' },
  ],
  'Fn::ImportValue': [
    { template: out('!ImportValue shared-vpc'), out: 'vpc-0a' },
    { template: out('!ImportValue none'), code: 'stack-import' },
  ],
  'Fn::Length': [
    { template: out('{ "Fn::Length": [a, b] }', extended), out: '2' },
    { template: out('{ "Fn::Length": [a, b] }'), code: 'stack-transform' },
  ],
  'Fn::ToJsonString': [
    {
      template: out("{ 'Fn::ToJsonString': { b: 1, a: !Ref 'AWS::AccountId' } }", extended),
      out: '{"a":"111111111111","b":1}',
    },
  ],
  'Fn::ForEach': [
    {
      template: `${extended}\nResources: { 'Fn::ForEach::Each': [Name, [one, two], { 'Topic\${Name}': { Type: AWS::SNS::Topic, Properties: { TopicName: '\${Name}' } } }] }`,
      created: ['Topicone', 'Topictwo'],
    },
    {
      template: `${extended}\nParameters: { L: { Type: CommaDelimitedList, Default: 'x,y' } }\n${topic}\nOutputs: { 'Fn::ForEach::Each': [Name, !Ref L, { '\${Name}Out': { Value: !Ref Name } }], Out: { Value: z } }`,
      out: 'z',
    },
    {
      template: "Resources: { 'Fn::ForEach::Each': [Name, [one], { 'T${Name}': { Type: AWS::SNS::Topic } }] }",
      code: 'stack-intrinsic',
    },
  ],
  'Fn::Transform': [{ template: out('{ "Fn::Transform": { Name: M } }'), code: 'stack-transform' }],
  '{{resolve:…}}': [
    {
      template: out("'{{resolve:secretsmanager:db:SecretString:password}}'"),
      out: '{{resolve:secretsmanager:db:SecretString:password}}',
    },
  ],
  'AWS::AccountId': [{ template: out('!Ref AWS::AccountId'), out: '111111111111' }],
  'AWS::NoValue': [{ template: out("!Join [' ', [a, !Ref AWS::NoValue, b]]"), out: 'a b' }],
  'AWS::NotificationARNs': [{ template: out("!Join [' ', !Ref AWS::NotificationARNs]"), out: '' }],
  'AWS::Partition': [{ template: out('!Ref AWS::Partition'), out: 'aws' }],
  'AWS::Region': [{ template: out('!Ref AWS::Region'), out: 'ap-northeast-2' }],
  'AWS::StackId': [
    {
      template: out('!Ref AWS::StackId'),
      out: 'arn:aws:cloudformation:ap-northeast-2:111111111111:stack/app/809815b5-e590-47c1-80b0-be5942324cb2',
    },
  ],
  'AWS::StackName': [{ template: out('!Ref AWS::StackName'), out: 'app' }],
  'AWS::URLSuffix': [{ template: out('!Ref AWS::URLSuffix'), out: 'amazonaws.com' }],
  Type: [
    {
      template:
        "Resources: { C: { Type: 'Custom::Thing', Properties: { ServiceToken: t } } }\nOutputs: { Out: { Value: !Sub '${C.Any}' } }",
      out: 'l1i0ns3sd7as',
    },
    { template: 'Resources: { C: { Type: AWS::SQS::Que } }', code: 'stack-type' },
  ],
  Properties: [
    { template: 'Resources: { Q: { Type: AWS::SQS::Queue, Properties: { QueName: q } } }', code: 'stack-property' },
  ],
  DependsOn: [
    {
      template:
        'Resources: { A: { Type: AWS::SNS::Topic, DependsOn: B }, B: { Type: AWS::SNS::Topic, DependsOn: [C] }, C: { Type: AWS::SNS::Topic } }',
      created: ['C', 'B', 'A'],
    },
    { template: 'Resources: { A: { Type: AWS::SNS::Topic, DependsOn: Z } }', code: 'stack-reference' },
  ],
  'Condition of a resource': [
    {
      template:
        'Conditions: { C: !Equals [a, b] }\nResources: { A: { Type: AWS::SNS::Topic, Condition: C }, B: { Type: AWS::SNS::Topic } }',
      created: ['B'],
    },
  ],
  DeletionPolicy: [
    { template: 'Resources: { A: { Type: AWS::SNS::Topic, DeletionPolicy: RetainExceptOnCreate } }', created: ['A'] },
    { template: 'Resources: { A: { Type: AWS::SNS::Topic, DeletionPolicy: Keep } }', code: 'stack-section' },
  ],
  UpdateReplacePolicy: [
    { template: 'Resources: { A: { Type: AWS::SNS::Topic, UpdateReplacePolicy: Retain } }', created: ['A'] },
    {
      template: 'Resources: { A: { Type: AWS::SNS::Topic, UpdateReplacePolicy: RetainExceptOnCreate } }',
      code: 'stack-section',
    },
  ],
  CreationPolicy: [
    {
      template: 'Resources: { A: { Type: AWS::SNS::Topic, CreationPolicy: { ResourceSignal: { Count: 1 } } } }',
      created: ['A'],
    },
  ],
  UpdatePolicy: [{ template: 'Resources: { A: { Type: AWS::SNS::Topic, UpdatePolicy: {} } }', created: ['A'] }],
}

function evaluate({ template, parameters = {} }: Case): {
  readonly codes: readonly string[]
  readonly out: string | undefined
  readonly created: readonly string[]
} {
  const read = readYaml('template.yaml', template, 'cloudformation')
  const body: Data = read.ok ? read.value.data : null
  if (!read.ok || !isMap(body)) throw new Error(`the case itself is no YAML: ${template}`)
  const document = read.value
  const place = (path: Path): Place => document.place(path)
  const wish = { stack: { name: 'app', account: '111111111111', region: 'ap-northeast-2' }, body, parameters, tags: {} }
  const planned = planStack(wish, { imported: (name) => (name === 'shared-vpc' ? 'vpc-0a' : undefined), at: place })
  const codes = [...checkLimits(body, place), ...planned.problems].map(({ code }) => code)
  if (!planned.ok) return { codes, out: undefined, created: [] }
  return { codes, out: planned.value.outputs['Out'], created: planned.value.changes.map(({ logicalId }) => logicalId) }
}

describe('what of a template is supported', () => {
  for (const [name, list] of Object.entries(cases)) {
    test.each(list.map((each, index) => [`${name}, ${index + 1}`, each] as const))('%s', (_name, each) => {
      const result = evaluate(each)
      if (each.code === undefined) expect(result.codes).toEqual([])
      else expect(result.codes).toContain(each.code)
      if (each.out !== undefined) expect(result.out).toBe(each.out)
      if (each.created !== undefined) expect(result.created).toEqual(each.created)
    })
  }

  test('every row of the tables in the documentation has its case', () => {
    const text = readFileSync(new URL('../../../docs/local-provisioner.md', import.meta.url), 'utf8')
    const [, tables = ''] = text.split('## What of a template is supported')
    const [supported = ''] = tables.split('\n## ')
    const rows: string[] = []
    for (const part of supported.split('\n### ')) {
      const heading = part.slice(0, part.indexOf('\n'))
      for (const [, row = ''] of part.matchAll(/^\| `([^`]+)` +\|/gm)) {
        rows.push(row === 'Condition' && heading === 'Attributes of a resource' ? 'Condition of a resource' : row)
      }
    }
    expect(rows.length).toBeGreaterThan(40)
    expect(Object.keys(cases).toSorted()).toEqual(rows.toSorted())
  })

  test('a map with keys of a prototype is a map like any other', () => {
    const body = mapOf([
      ['Resources', mapOf([['constructor', mapOf([['Type', 'AWS::SNS::Topic']])]])],
      ['Outputs', mapOf([['toString', mapOf([['Value', mapOf([['Ref', 'constructor']])]])]])],
    ])
    const planned = planStack({
      stack: { name: 'app', account: '1', region: 'eu-west-1' },
      body,
      parameters: {},
      tags: {},
    })
    expect(planned.ok && planned.value.outputs['toString']).toMatch(
      /^arn:aws:sns:eu-west-1:1:app-constructor-[A-Z0-9]{13}$/,
    )
  })
})
