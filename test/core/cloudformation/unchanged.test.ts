import { describe, expect, test } from 'vitest'
import type { DescribedStack } from '../../../src/core/cloudformation/model.ts'
import { compareStack, isContentAddressed, type Wish } from '../../../src/core/cloudformation/unchanged.ts'
import type { DataMap } from '../../../src/core/data.ts'
import { withMarks } from '../../../src/core/guard.ts'

const body: DataMap = {
  AWSTemplateFormatVersion: '2010-09-09',
  Description: 'A queue',
  Parameters: { Delay: { Type: 'Number', Default: 30 }, Name: { Type: 'String' } },
  Resources: { Queue: { Type: 'AWS::SQS::Queue', Properties: { DelaySeconds: { Ref: 'Delay' } } } },
}

const live: DescribedStack = {
  StackStatus: 'UPDATE_COMPLETE',
  Parameters: [
    { ParameterKey: 'Name', ParameterValue: 'orders' },
    { ParameterKey: 'Delay', ParameterValue: '30' },
  ],
  Tags: [
    { Key: 'protium:unit', Value: 'checkout/dev' },
    { Key: 'aws:cloudformation:stack-name', Value: 'checkout-dev' },
  ],
  RoleARN: 'arn:aws:iam::111111111111:role/deploy',
  NotificationARNs: ['arn:aws:sns:eu-west-1:111111111111:b', 'arn:aws:sns:eu-west-1:111111111111:a'],
  RollbackConfiguration: {
    RollbackTriggers: [{ Arn: 'arn:aws:cloudwatch:eu-west-1:111111111111:alarm:errors' }],
    MonitoringTimeInMinutes: 5,
  },
  EnableTerminationProtection: true,
}

const wish: Wish = { body, parameters: { Name: 'orders' }, tags: { 'protium:unit': 'checkout/dev' } }

const settings: NonNullable<Wish['options']> = {
  serviceRole: 'arn:aws:iam::111111111111:role/deploy',
  rollback: { alarms: ['arn:aws:cloudwatch:eu-west-1:111111111111:alarm:errors'], minutes: 5 },
  terminationProtection: true,
}

function withBody(more: DataMap): Wish {
  return { ...wish, body: { ...body, ...more } }
}

/** A template in the place of the live one and of the wanted one. */
function same(more: DataMap, parameters: Wish['parameters'] = wish.parameters): ReturnType<typeof compareStack> {
  const wanted = { ...withBody(more), parameters }
  const shown = Object.entries(parameters).map(([ParameterKey, ParameterValue]) => ({ ParameterKey, ParameterValue }))
  const hidden = Object.keys(more['Parameters'] ?? {}).filter((key) => !Object.hasOwn(parameters, key))
  return compareStack(
    {
      ...live,
      Parameters:
        more['Parameters'] === undefined
          ? live.Parameters
          : [...shown, ...hidden.map((ParameterKey) => ({ ParameterKey, ParameterValue: '****' }))],
    },
    wanted.body,
    wanted,
  )
}

describe('a stack that is what is wanted', () => {
  test('has nothing to do', () => {
    expect(compareStack(live, body, wish)).toEqual({ is: 'unchanged' })
    expect(compareStack(live, body, { ...wish, options: settings })).toEqual({ is: 'unchanged' })
    expect(compareStack({ ...live, StackStatus: 'CREATE_COMPLETE' }, body, wish)).toEqual({ is: 'unchanged' })
  })

  test('has nothing to do for another description, or a note of where it comes from', () => {
    expect(
      compareStack(live, { ...body, Metadata: { Source: { commit: 'abc' } } }, withBody({ Description: 'B' })),
    ).toEqual({ is: 'unchanged' })
  })

  test('has nothing to do for a number that is written as text', () => {
    expect(
      compareStack(
        live,
        body,
        withBody({ Parameters: { Delay: { Type: 'Number', Default: '30' }, Name: { Type: 'String' } } }),
      ),
    ).toEqual({ is: 'unchanged' })
  })

  test('has nothing to do for a note of its policies', () => {
    const before = withBody({ Resources: { Queue: { Type: 'AWS::SQS::Queue' } } })
    const after = withBody({ Resources: { Queue: { Type: 'AWS::SQS::Queue', DeletionPolicy: 'Retain' } } })
    expect(compareStack(live, withMarks(before.body, after.body), after)).toEqual({ is: 'unchanged' })
  })
})

describe('a stack that is not what is wanted', () => {
  test.each<[string, Wish, readonly string[]]>([
    ['another template', withBody({ Outputs: { Url: { Value: 'x' } } }), ['template']],
    [
      'the metadata of a resource',
      withBody({ Resources: { Queue: { Type: 'AWS::SQS::Queue', Metadata: { A: 1 } } } }),
      ['template'],
    ],
    ['another parameter', { ...wish, parameters: { Name: 'payments' } }, ['parameters']],
    ['another value than the default', { ...wish, parameters: { Name: 'orders', Delay: '31' } }, ['parameters']],
    [
      'another default',
      withBody({ Parameters: { Delay: { Type: 'Number', Default: 31 }, Name: { Type: 'String' } } }),
      ['template', 'parameters'],
    ],
    ['a parameter less', withBody({ Parameters: { Name: { Type: 'String' } } }), ['template', 'parameters']],
    ['another tag', { ...wish, tags: { 'protium:unit': 'other/dev' } }, ['tags']],
    ['a tag less', { ...wish, tags: {} }, ['tags']],
    ['another role', { ...wish, options: { ...settings, serviceRole: 'arn:aws:iam::111111111111:role/x' } }, ['role']],
    ['other topics', { ...wish, notifications: [] }, ['notifications']],
    ['other alarms', { ...wish, options: { ...settings, rollback: { alarms: [], minutes: 5 } } }, ['rollback']],
    [
      'another time of watching',
      { ...wish, options: { ...settings, rollback: { alarms: settings.rollback?.alarms ?? [], minutes: 6 } } },
      ['rollback'],
    ],
  ])('by %s', (_, wanted, parts) => {
    expect(compareStack(live, body, wanted)).toEqual({ is: 'changed', parts })
  })

  test('is known to differ only in what has a call of its own', () => {
    expect(compareStack(live, body, { ...wish, options: { terminationProtection: false } })).toEqual({
      is: 'settings',
      parts: ['termination-protection'],
    })
    expect(compareStack(live, body, { ...wish, tags: {}, options: { terminationProtection: false } })).toEqual({
      is: 'changed',
      parts: ['tags', 'termination-protection'],
    })
  })

  test('differs where its template cannot be read', () => {
    expect(compareStack(live, undefined, wish)).toEqual({ is: 'changed', parts: ['template'] })
  })

  test('topics are the same in any order', () => {
    const notifications = (live.NotificationARNs ?? []).toReversed()
    expect(compareStack(live, body, { ...wish, notifications })).toEqual({ is: 'unchanged' })
  })
})

describe('a stack of which it cannot be known', () => {
  test.each(['UPDATE_ROLLBACK_COMPLETE', 'IMPORT_COMPLETE', 'IMPORT_ROLLBACK_COMPLETE'])(
    'by its state: %s',
    (status) => {
      expect(compareStack({ ...live, StackStatus: status }, body, wish)).toEqual({
        is: 'unsure',
        because: [expect.stringContaining(status)],
      })
    },
  )

  test('by a parameter that is not shown', () => {
    expect(same({ Parameters: { Password: { Type: 'String', NoEcho: true } } }, {})).toEqual({
      is: 'unsure',
      because: [expect.stringContaining('Password')],
    })
  })

  test.each([
    'AWS::SSM::Parameter::Value<String>',
    'AWS::SSM::Parameter::Value<AWS::EC2::Image::Id>',
    'AWS::SSM::Parameter::Value<List<String>>',
  ])('by a parameter of the parameter store: %s', (Type) => {
    expect(same({ Parameters: { Image: { Type } } }, { Image: '/images/latest' })).toEqual({
      is: 'unsure',
      because: [expect.stringContaining('Image')],
    })
  })

  test('but not by one that is only the name of such', () => {
    expect(same({ Parameters: { Image: { Type: 'AWS::SSM::Parameter::Name' } } }, { Image: '/images/latest' })).toEqual(
      {
        is: 'unchanged',
      },
    )
  })

  test.each<[string, DataMap]>([
    ['a transform', { Transform: 'AWS::Serverless-2016-10-31' }],
    ['a list of transforms', { Transform: ['Own'] }],
    [
      'a macro inside',
      { Resources: { Queue: { Type: 'AWS::SQS::Queue', Properties: { A: [{ 'Fn::Transform': { Name: 'Own' } }] } } } },
    ],
  ])('by %s', (_, more) => {
    expect(same(more)).toMatchObject({ is: 'unsure', because: [expect.stringContaining('macros')] })
  })

  test.each([
    ['{{resolve:ssm:/db/host}}', true],
    ['{{resolve:ssm:/db/host:3}}', false],
    ['{{resolve:ssm-secure:/db/password}}', true],
    ['{{resolve:ssm-secure:/db/password:12}}', false],
    ['{{resolve:secretsmanager:db:SecretString:password}}', true],
    ['{{resolve:secretsmanager:db:SecretString:password:AWSCURRENT}}', true],
    ['{{resolve:secretsmanager:db:SecretString:password::EXAMPLE1-90ab-cdef-fedc-ba987EXAMPLE}}', false],
    ['{{resolve:secretsmanager:arn:aws:secretsmanager:eu-west-1:111111111111:secret:db-a1b2c3}}', true],
    [
      '{{resolve:secretsmanager:arn:aws:secretsmanager:eu-west-1:111111111111:secret:db:SecretString:key:stage:v1}}',
      false,
    ],
    ['postgres://{{resolve:ssm:/a:1}}:{{resolve:ssm:/b}}@host', true],
    ['{{resolve:ssm:/a:1}}{{resolve:ssm:/b:2}}', false],
    ['{{resolve:ssm:', true],
    ['{{', true],
    ['resolve:ssm:/db/host', true],
    ['{{ braces }} of another kind', false],
  ])('by a dynamic reference that may be another: %s', (text, isOpen) => {
    const found = same({
      Resources: { Queue: { Type: 'AWS::SQS::Queue', Properties: { QueueName: { 'Fn::Sub': text } } } },
    })
    expect(found.is).toBe(isOpen ? 'unsure' : 'unchanged')
  })

  test('by a dynamic reference in the value of a parameter', () => {
    const parameters = { Name: '{{resolve:ssm:/name}}' }
    const shown = [
      { ParameterKey: 'Name', ParameterValue: '{{resolve:ssm:/name}}' },
      { ParameterKey: 'Delay', ParameterValue: '30' },
    ]
    expect(compareStack({ ...live, Parameters: shown }, body, { ...wish, parameters })).toMatchObject({ is: 'unsure' })
  })

  const digest = 'a3'.repeat(32)
  test.each<[string, boolean]>([
    [`https://bucket.s3.eu-west-1.amazonaws.com/templates/${digest}.json`, true],
    [`https://bucket.s3.eu-west-1.amazonaws.com/templates/${digest}a.json`, false],
    ['https://bucket.s3.eu-west-1.amazonaws.com/network.yaml?versionId=3HL4kqt', true],
    ['https://bucket.s3.eu-west-1.amazonaws.com/network.yaml', false],
  ])('by a nested stack, unless its template is named by its content: %s', (TemplateURL, isAddressed) => {
    expect(isContentAddressed(TemplateURL)).toBe(isAddressed)
    const found = same({ Resources: { Network: { Type: 'AWS::CloudFormation::Stack', Properties: { TemplateURL } } } })
    expect(found.is).toBe(isAddressed ? 'unchanged' : 'unsure')
  })

  test('by a nested stack whose address is made up by a function', () => {
    const TemplateURL = { 'Fn::Sub': `https://x/${digest}.json` }
    const found = same({ Resources: { Network: { Type: 'AWS::CloudFormation::Stack', Properties: { TemplateURL } } } })
    expect(found).toMatchObject({ is: 'unsure', because: [expect.stringContaining('Network')] })
  })

  test('says all that stands against it', () => {
    const found = compareStack(
      { ...live, StackStatus: 'IMPORT_COMPLETE' },
      { ...body, Transform: 'Own' },
      withBody({ Transform: 'Own' }),
    )
    expect(found).toMatchObject({ is: 'unsure', because: [expect.any(String), expect.any(String)] })
  })
})
