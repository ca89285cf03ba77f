import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isMap } from '../../../src/core/data.ts'
import { judge } from '../../../src/core/policy.ts'
import { readJson } from '../../../src/core/yaml.ts'
import { catalogWith, found, noon } from './world.ts'

const shown = (policy: string) =>
  catalogWith(policy).problems.map(({ code, message, at }) => ({ code, message, line: at?.line }))

/** The rules of a catalog, each in one line; the first stands in line 9. */
const rules = (...lines: readonly string[]): string =>
  `policy:\n  rules:\n${lines.map((line) => `    - ${line}\n`).join('')}`

describe('a rule that could not do what it says is a problem at its line', () => {
  test.each([
    ['a name that is not built in', '{ name: policy-open-ingres }', 'Did you mean "policy-open-ingress"?'],
    ['a check that is none', '{ name: cfn-nag/W1, severity: none }', 'There is no built-in rule "cfn-nag/W1".'],
    ['no demand', '{ name: mine, text: Because. }', 'The rule "mine" demands nothing.'],
    ['two demands', '{ name: mine, tags: [owner], ids: ^A }', 'The rule "mine" demands several things.'],
    ['a demand of a built-in rule', '{ name: policy-unencrypted, tags: [owner] }', 'what it demands is settled'],
    ['a property without a wish', '{ name: mine, property: MemorySize }', 'does not say what the property has to be'],
    ['a wish without a property', '{ name: mine, tags: [owner], at_most: 3 }', 'names none'],
    ['types that are denied of some', '{ name: mine, deny: "Custom::*", resources: "AWS::*" }', 'about all resources'],
    ['a stage that is not there', '{ name: mine, stages: [stagin], tags: [owner] }', 'Did you mean "staging"?'],
    [
      'a type that is not there',
      '{ name: mine, deny: [AWS::DynamoDB::Tabel] }',
      'Did you mean "AWS::DynamoDB::Table"?',
    ],
    ['a family that is not there', '{ name: mine, deny: ["AWS::DynamDB::*"] }', 'Did you mean "AWS::DynamoDB"?'],
    [
      'a property that the type has not',
      '{ name: mine, resources: AWS::RDS::DBInstance, property: DBInstanceClas, one_of: [db.t4g.micro] }',
      'Did you mean "DBInstanceClass"?',
    ],
    ['a pattern that looks ahead', '{ name: mine, ids: "(?=A)" }', 'cannot be matched in linear time'],
    ['a pattern that is none', '{ name: mine, tags: { owner: "(" } }', 'cannot be read'],
    ['a severity that is none', '{ name: mine, severity: fatal, tags: [owner] }', 'is not one of the allowed values'],
    ['a name with capitals', '{ name: Mine, tags: [owner] }', 'is not of the right form'],
  ])('%s', (_what, rule, message) => {
    expect(shown(rules(rule))).toMatchObject([{ message: expect.stringContaining(message), line: 9 }])
  })

  test('two rules of one name; what sets a built-in rule may be said for each stage', () => {
    expect(shown(rules('{ name: mine, tags: [a] }', '{ name: mine, tags: [b] }'))).toMatchObject([
      { code: 'wrong-value', message: 'Two rules are called "mine".', line: 10 },
    ])
    const twice = [
      '{ name: policy-unencrypted, severity: none, stages: [dev] }',
      '{ name: policy-unencrypted, severity: warning, stages: [staging] }',
    ]
    expect(shown(rules(...twice))).toEqual([])
  })

  test('a check that is required and not on, and cfn-guard without rules', () => {
    expect(shown('policy: { checks: [cfn-guard], require: [cfn-lint] }\n')).toMatchObject([
      { code: 'wrong-value', message: 'cfn-lint is required, and is not among the checks.' },
      { code: 'missing-file', message: 'cfn-guard is to judge what is rendered, and there are no rules for it.' },
    ])
  })
})

const table = (properties: string): string => `Resources:
  Orders:
    Type: AWS::DynamoDB::Table
    Properties: { SSESpecification: { SSEEnabled: true }, ${properties} }
`
const lambda = (properties: string): string => `Parameters:
  Size: { Type: Number, Default: 512 }
  Secret: { Type: "AWS::SSM::Parameter::Value<String>", Default: /size }
Conditions: { Big: !Equals [!Ref Size, "1"] }
Mappings: { Sizes: { eu-west-1: { memory: 2048 } } }
Resources:
  Group: { Type: AWS::Logs::LogGroup, Properties: { RetentionInDays: 3 } }
  Work:
    Type: AWS::Lambda::Function
    Properties: { LoggingConfig: { LogGroup: !Ref Group }, ${properties} }
`

describe('what a rule demands', () => {
  const memory = '{ name: small, resources: AWS::Lambda::Function, property: MemorySize, at_most: 1024, at_least: 128 }'
  const runtime =
    '{ name: runtime, resources: ["AWS::Lambda::*"], property: Runtime, one_of: [nodejs24.x, python3.13] }'
  const name = '{ name: names, resources: AWS::DynamoDB::Table, property: TableName, matches: "^shop-[a-z]+-orders$" }'
  const tags = '{ name: tags, tags: { team: "^[a-z]+$", cost: "." } }'
  test.each([
    // Sizes
    ['a number in its range', memory, lambda('MemorySize: 1024'), []],
    [
      'a number as text',
      memory,
      lambda('MemorySize: "2048"'),
      ['`MemorySize` of Work is more than 1024 (rule small).'],
    ],
    [
      'one that is too small',
      memory,
      lambda('MemorySize: 64'),
      ['`MemorySize` of Work is less than 128 (rule small).'],
    ],
    ['no number', memory, lambda('MemorySize: much'), ['`MemorySize` of Work is no number (rule small).']],
    ['a property that is left out', memory, lambda('Timeout: 3'), []],
    ['a parameter by its default', memory, lambda('MemorySize: !Ref Size'), []],
    [
      'a map of the template',
      memory,
      lambda('MemorySize: !FindInMap [Sizes, !Ref AWS::Region, memory]'),
      ['`MemorySize` of Work is more than 1024 (rule small).'],
    ],
    [
      'both branches of a condition',
      memory,
      lambda('MemorySize: !If [Big, 4096, 256]'),
      ['`MemorySize` of Work is more than 1024 (rule small).'],
    ],
    [
      'what only the deployment knows',
      memory,
      lambda('MemorySize: !Ref Secret'),
      ['`MemorySize` of Work is known only when it is deployed (rule small).'],
    ],
    [
      'what is resolved later',
      memory,
      lambda('MemorySize: "{{resolve:ssm:/size}}"'),
      ['`MemorySize` of Work is known only when it is deployed (rule small).'],
    ],
    // Values
    ['one of the values', runtime, lambda('Runtime: nodejs24.x'), []],
    [
      'none of the values',
      runtime,
      lambda('Runtime: nodejs12.x'),
      ['`Runtime` of Work is none of the values that it may have (rule runtime).'],
    ],
    ['one that is assembled', runtime, lambda('Runtime: !Join ["", [node, js24.x]]'), []],
    [
      'one of the refused values',
      '{ name: old, property: Runtime, none_of: [nodejs12.x] }',
      lambda('Runtime: nodejs12.x'),
      ['`Runtime` of Work is one of the values that it may not have (rule old).'],
    ],
    [
      'a property that has to be there',
      '{ name: traced, resources: AWS::Lambda::Function, property: TracingConfig.Mode, is_set: true }',
      lambda('Timeout: 3'),
      ['`TracingConfig.Mode` of Work is missing (rule traced).'],
    ],
    [
      'one that may not be there',
      '{ name: plain, resources: AWS::Lambda::Function, property: Layers, is_set: false }',
      lambda('Layers: [a]'),
      ['`Layers` of Work is set (rule plain).'],
    ],
    [
      'one taken away',
      '{ name: plain, resources: AWS::Lambda::Function, property: Layers, is_set: false }',
      lambda('Layers: !Ref AWS::NoValue'),
      [],
    ],
    [
      'each element of a list',
      '{ name: keys, property: KeySchema.*.KeyType, one_of: [HASH] }',
      table('KeySchema: [{ KeyType: HASH }, { KeyType: RANGE }]'),
      ['`KeySchema.*.KeyType` of Orders is none of the values that it may have (rule keys).'],
    ],
    [
      'each value of a map',
      '{ name: vars, property: Environment.Variables.*, none_of: ["debug"] }',
      lambda('Environment: { Variables: { A: x, B: debug } }'),
      ['`Environment.Variables.*` of Work is one of the values that it may not have (rule vars).'],
    ],
    // Names
    ['a name that matches', name, table('TableName: shop-dev-orders'), []],
    ['one put together', name, table('TableName: !Sub "${AWS::StackName}-orders"'), []],
    [
      'one that does not',
      name,
      table('TableName: Orders'),
      ['`TableName` of Orders does not match ^shop-[a-z]+-orders$ (rule names).'],
    ],
    [
      'logical ids',
      '{ name: ids, resources: "AWS::DynamoDB::*", ids: "Table$" }',
      table(''),
      ['The logical id Orders does not match Table$ (rule ids).'],
    ],
    // Types
    [
      'a denied type',
      '{ name: deny, deny: [AWS::DynamoDB::Table] }',
      table(''),
      ['Orders is of the type AWS::DynamoDB::Table, which no template may have (rule deny).'],
    ],
    [
      'a denied family',
      '{ name: deny, deny: ["AWS::DynamoDB::*"] }',
      table(''),
      ['Orders is of the type AWS::DynamoDB::Table, which no template may have (rule deny).'],
    ],
    ['an allowed family', '{ name: allow, allow: ["AWS::DynamoDB::*"] }', table(''), []],
    [
      'no allowed type',
      '{ name: allow, allow: ["AWS::SQS::*"] }',
      table(''),
      ['Orders is of the type AWS::DynamoDB::Table, which is not among those that templates may have (rule allow).'],
    ],
    [
      'one denied of those allowed',
      '{ name: both, allow: ["*"], deny: [AWS::DynamoDB::Table] }',
      table(''),
      ['Orders is of the type AWS::DynamoDB::Table, which no template may have (rule both).'],
    ],
    // Tags
    ['tags that are there', tags, table('Tags: [{ Key: team, Value: shop }, { Key: cost, Value: "7" }]'), []],
    ['no tags', tags, table(''), ['Orders has no tag `team` (rule tags).', 'Orders has no tag `cost` (rule tags).']],
    [
      'a tag that is missing',
      tags,
      table('Tags: [{ Key: team, Value: shop }]'),
      ['Orders has no tag `cost` (rule tags).'],
    ],
    [
      'a tag with another value',
      tags,
      table('Tags: [{ Key: team, Value: "7" }, { Key: cost, Value: "7" }]'),
      ['The tag `team` of Orders has another value than it may (rule tags).'],
    ],
    [
      'a tag of which only the key is asked for',
      '{ name: tags, tags: [team] }',
      table('Tags: [{ Key: team, Value: !GetAtt A.B }]'),
      [],
    ],
    ['a type that can have no tags', tags, 'Resources:\n  Policy: { Type: AWS::IAM::Policy, Properties: {} }\n', []],
    [
      'tags that are a map',
      '{ name: tags, tags: [team] }',
      'Resources:\n  P: { Type: AWS::SSM::Parameter, Properties: { Tags: { team: a } } }\n  Q: { Type: AWS::SSM::Parameter, Properties: {} }\n',
      ['Q has no tag `team` (rule tags).'],
    ],
    [
      'tags under another name',
      '{ name: tags, tags: [team] }',
      'Resources:\n  P: { Type: AWS::Cognito::UserPool, Properties: { UserPoolTags: { team: a } } }\n',
      [],
    ],
  ])('%s', (_what, rule, template, messages) => {
    const { catalog, problems } = catalogWith(rules(rule))
    expect(problems).toEqual([])
    expect(found(catalog, template).problems.map(({ message }) => message)).toEqual(messages)
  })

  test('is told with the text of the rule, at the line that breaks it, without the value', () => {
    const { catalog } = catalogWith(
      rules(
        '{ name: small, text: Larger functions are talked over with platform., property: MemorySize, at_most: 1024 }',
      ),
    )
    const { problems, judged } = found(
      catalog,
      'Resources:\n  Work:\n    Type: AWS::SQS::Queue\n    Properties:\n      MemorySize: 2048\n',
    )
    expect(problems).toEqual([
      {
        code: 'policy-rule',
        severity: 'error',
        message: '`MemorySize` of Work is more than 1024 (rule small).',
        expected: 'Larger functions are talked over with platform. `MemorySize`: at most 1024.',
        remedy: 'Correct `MemorySize` of Work.',
        at: { file: 't.yaml', line: 5, column: 19 },
      },
    ])
    expect(judged).toMatchObject([
      { rule: 'small', resource: 'Work', path: ['Resources', 'Work', 'Properties', 'MemorySize'] },
    ])
    expect(JSON.stringify(problems)).not.toContain('2048')
  })
})

describe('how grave a rule is', () => {
  const open = 'Resources:\n  Topic: { Type: AWS::SNS::Topic, Properties: {} }\n'
  const severities = (policy: string, stages: readonly string[] = ['dev']) =>
    found(catalogWith(policy).catalog, open, { stages }).problems.map(({ severity }) => severity)

  test.each([
    ['as it is built in', '', ['dev'], ['error']],
    ['a warning', rules('{ name: policy-unencrypted, severity: warning }'), ['dev'], ['warning']],
    ['not looked at', rules('{ name: policy-unencrypted, severity: none }'), ['dev'], []],
    ['a warning in dev', rules('{ name: policy-unencrypted, severity: warning, stages: [dev] }'), ['dev'], ['warning']],
    [
      'no warning in prod',
      rules('{ name: policy-unencrypted, severity: warning, stages: [dev] }'),
      ['prod'],
      ['error'],
    ],
    [
      'the gravest of the stages of an environment',
      rules('{ name: policy-unencrypted, severity: none, stages: [dev] }'),
      ['dev', 'prod'],
      ['error'],
    ],
    [
      'the last word',
      rules(
        '{ name: policy-unencrypted, severity: none }',
        '{ name: policy-unencrypted, severity: warning, stages: [dev] }',
      ),
      ['dev'],
      ['warning'],
    ],
    [
      'an environment that no stage lies in, by what is for all',
      rules('{ name: policy-unencrypted, severity: none }'),
      [],
      [],
    ],
  ])('%s', (_what, policy, stages, expected) => {
    expect(severities(policy, stages)).toEqual(expected)
  })

  test('a rule of the catalog is for its stages, and may be switched off', () => {
    const { catalog } = catalogWith(
      rules(
        '{ name: a, deny: "AWS::SNS::*", stages: [prod], severity: warning }',
        '{ name: b, deny: "AWS::SNS::*", severity: none }',
        '{ name: policy-unencrypted, severity: none }',
      ),
    )
    expect(found(catalog, open).problems).toEqual([])
    expect(found(catalog, open, { stage: 'prod' }).problems).toMatchObject([
      { severity: 'warning', code: 'policy-rule' },
    ])
  })

  test('stores outlive their stack outside of production too, where a rule says so', () => {
    const { catalog } = catalogWith(rules('{ name: policy-unretained-store, severity: warning, stages: [staging] }'))
    const codes = (stage: string) =>
      found(catalog, table(''), { stage }).problems.map(({ code, severity }) => `${severity} ${code}`)
    expect(codes('dev')).toEqual([])
    expect(codes('staging')).toEqual(Array(2).fill('warning policy-unretained-store'))
    expect(codes('prod')).toEqual(Array(2).fill('error policy-unretained-store'))
  })

  test('a template excuses a resource with a reason, and what a service adds of its own does not', () => {
    const template = open.replace(
      'Type:',
      'Metadata: { protium: { allow: { policy-unencrypted: Public news., mine: A reason. } } }, Type:',
    )
    const { catalog } = catalogWith(rules('{ name: mine, deny: "AWS::SNS::*" }'))
    expect(found(catalog, template).problems).toEqual([])
    expect(found(catalog, template, { isOwn: true }).problems.map(({ code }) => code)).toEqual([
      'policy-unencrypted',
      'policy-rule',
    ])
  })
})

describe('a template that anybody may have written', () => {
  const { catalog } = catalogWith(
    rules(
      '{ name: a, property: "*.*.*", matches: "^a+$" }',
      '{ name: b, tags: { team: "^[a-z]+$" } }',
      '{ name: c, property: A.B, at_most: 3, is_set: true }',
      '{ name: d, ids: "^[A-Z]" }',
      '{ name: e, allow: ["AWS::*"], deny: ["AWS::IAM::*"] }',
    ),
  )
  const subject = { unit: 'shop/dev', template: 'web', stages: ['dev'], production: true }

  test('is judged, whatever its shape', () => {
    const key = fc.constantFrom(
      'Tags',
      'A',
      'B',
      'Fn::If',
      'Fn::Sub',
      'Ref',
      'Key',
      'Value',
      'Type',
      'Properties',
      'Metadata',
    )
    const value = fc.letrec<{ tree: unknown }>((tie) => ({
      tree: fc.oneof(
        { maxDepth: 5 },
        fc.constantFrom<unknown>(null, true, 3, '', 'aaa', '${AWS::Region}', '${A}', 'AWS::NoValue', 'team'),
        fc.array(tie('tree'), { maxLength: 3 }),
        fc.dictionary(key, tie('tree'), { maxKeys: 3 }),
      ),
    })).tree
    const type = fc.constantFrom(
      'AWS::SQS::Queue',
      'AWS::SSM::Parameter',
      'AWS::IAM::Role',
      'Custom::Thing',
      'AWS::EC2::SecurityGroup',
    )
    const body = fc.record({
      Resources: fc.dictionary(
        fc.constantFrom('A', 'b'),
        fc.record({ Type: type, Properties: value, Metadata: value }),
      ),
      Parameters: value,
      Mappings: value,
    })
    fc.assert(
      fc.property(body, (template) => {
        const read = readJson('t.json', JSON.stringify(template))
        if (!read.ok || !isMap(read.value.data)) throw new Error('this is no template')
        const judged = judge(read.value.data, { policy: catalog.policy, subject, now: noon })
        for (const each of judged) expect(read.value.place(each.path).file).toBe('t.json')
      }),
      { numRuns: 300 },
    )
  })

  test('that would be told in full only after ages is what only the deployment knows', () => {
    let value: unknown = 'aaaaaaaa'
    for (let depth = 0; depth < 14; depth += 1) value = { 'Fn::Sub': ['${A}${A}', { A: value }] }
    const wide = { 'Fn::Sub': '${AWS::StackName}'.repeat(2_000) }
    const body = {
      Resources: {
        A: { Type: 'Custom::Thing', Properties: { A: { B: value } } },
        B: { Type: 'Custom::Thing', Properties: { A: { B: wide } } },
      },
    }
    const { problems } = found(catalog, JSON.stringify(body))
    expect(problems.filter(({ message }) => message.includes('(rule c)')).map(({ message }) => message)).toEqual([
      '`A.B` of A is known only when it is deployed (rule c).',
      '`A.B` of B is known only when it is deployed (rule c).',
    ])
  })

  test('cannot hide what is resolved later, nor give a parameter another type by what it is given', () => {
    const resolved = { 'Fn::Join': ['', ['{{res', 'olve:ssm:/a}}']] }
    const body = {
      Parameters: { P: { Type: 'AWS::SSM::Parameter::Value<String>' } },
      Resources: {
        A: { Type: 'Custom::Thing', Properties: { A: { B: resolved } } },
        B: { Type: 'Custom::Thing', Properties: { A: { B: { Ref: 'P' } } } },
      },
    }
    const { problems } = found(catalog, JSON.stringify(body), { parameters: { P: '1' } })
    expect(problems.filter(({ message }) => /only when it is deployed \(rule c\)/u.test(message))).toHaveLength(2)
  })
})
