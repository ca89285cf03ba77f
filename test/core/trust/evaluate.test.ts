import { describe, expect, test } from 'vitest'
import { type DataMap, isMap } from '../../../src/core/data.ts'
import { type Asked, judge } from '../../../src/core/trust/evaluate.ts'
import { readYaml } from '../../../src/core/yaml.ts'

function policy(...statements: readonly string[]): DataMap {
  const text = `Statement:\n${statements.map((each) => `  - ${each}\n`).join('')}`
  const read = readYaml('policy.yaml', text, 'cloudformation')
  if (!read.ok || !isMap(read.value.data)) throw new Error(JSON.stringify(read.problems))
  return read.value.data
}

function is(statement: string, context: Asked['context'] = {}, resource = 'arn:aws:s3:::bucket/key'): string {
  return judge([policy(statement)], { action: 's3:GetObject', resource, context }).is
}

const allow = (condition: string): string =>
  `{ Effect: Allow, Action: "*", Resource: "*", Condition: { ${condition} } }`

describe('a policy', () => {
  test('allows what a statement allows, and nothing else', () => {
    expect(is('{ Effect: Allow, Action: s3:GetObject, Resource: "arn:aws:s3:::bucket/*" }')).toBe('allowed')
    expect(is('{ Effect: Allow, Action: S3:getobject, Resource: "arn:aws:s3:::bucket/ke?" }')).toBe('allowed')
    expect(is('{ Effect: Allow, Action: "s3:Get*", Resource: "arn:aws:s3:::Bucket/*" }')).toBe('denied')
    expect(is('{ Effect: Allow, Action: s3:GetObjects, Resource: "*" }')).toBe('denied')
    expect(is('{ Effect: Allow, NotAction: s3:PutObject, NotResource: "arn:aws:s3:::other/*" }')).toBe('allowed')
    expect(is('{ Effect: Allow, NotAction: "s3:*", Resource: "*" }')).toBe('denied')
    expect(is('{ Action: "*", Resource: "*" }')).toBe('denied')
  })

  test('that denies wins over all that allow', () => {
    const both = [
      policy('{ Effect: Allow, Action: "*", Resource: "*" }'),
      policy('{ Effect: Deny, Action: s3:GetObject, Resource: "*" }'),
    ]

    expect(judge(both, { action: 's3:GetObject', resource: 'r', context: {} })).toEqual({
      is: 'denied',
      explicitly: true,
    })
    expect(judge(both, { action: 's3:PutObject', resource: 'r', context: {} })).toEqual({ is: 'allowed' })
    expect(judge([], { action: 's3:GetObject', context: {} })).toEqual({ is: 'denied', explicitly: false })
  })
})

describe('a condition', () => {
  test.each([
    ['StringEquals: { a: [x, y] }', 'y', true, false],
    ['StringEquals: { A: x }', 'x', true, false],
    ['StringEquals: { a: "x*" }', 'xx', false, false],
    ['StringEqualsIfExists: { a: x }', 'y', false, true],
    ['StringNotEquals: { a: x }', 'y', true, true],
    ['StringNotEquals: { a: x }', 'x', false, true],
    ['StringEqualsIgnoreCase: { a: X }', 'x', true, false],
    ['StringLike: { a: "x*z" }', 'x/y.z', true, false],
    ['StringLike: { a: "x.z" }', 'xyz', false, false],
    ['StringNotLike: { a: "x*" }', 'y', true, true],
    ['ArnLike: { a: "arn:aws:iam::*:role/x" }', 'arn:aws:iam::1:role/x', true, false],
    ['Bool: { a: "true" }', 'true', true, false],
    ['"Null": { a: "true" }', 'x', false, true],
    ['"Null": { a: "false" }', 'x', true, false],
    ['"ForAllValues:StringEquals": { a: x }', 'y', false, true],
    ['"ForAnyValue:StringEquals": { a: x }', 'x', true, false],
    ['StringEquals: { a: x, b: z }', 'x', false, false],
    // Nothing looks safer than it is where an operator is not known.
    ['NumericLessThan: { a: "1" }', '2', true, true],
  ])('%s, of %j', (condition, value, there, absent) => {
    expect(is(allow(condition), { a: value })).toBe(there ? 'allowed' : 'denied')
    expect(is(allow(condition))).toBe(absent ? 'allowed' : 'denied')
  })

  test('of several values holds for each, or for one', () => {
    const a = ['x', 'y']

    expect(is(allow('"ForAllValues:StringEquals": { a: [x, y, z] }'), { a })).toBe('allowed')
    expect(is(allow('"ForAllValues:StringEquals": { a: [x] }'), { a })).toBe('denied')
    expect(is(allow('"ForAnyValue:StringEquals": { a: [y] }'), { a })).toBe('allowed')
    expect(is(allow('"ForAnyValue:StringEquals": { a: [z] }'), { a })).toBe('denied')
  })

  test('that is not known does not make a denial hold', () => {
    const both = policy(
      '{ Effect: Allow, Action: "*", Resource: "*" }',
      '{ Effect: Deny, Action: "*", Resource: "*", Condition: { DateLessThan: { a: x } } }',
    )

    expect(judge([both], { action: 's3:GetObject', resource: 'r', context: { a: 'x' } }).is).toBe('allowed')
  })
})

test('a principal is the one that is named, or everybody', () => {
  const asked = (principal: string, name: string): string =>
    judge([policy(`{ Effect: Allow, Action: sts:AssumeRole, Principal: ${principal} }`)], {
      action: 'sts:AssumeRole',
      principal: { kind: 'Service', name },
      context: {},
    }).is

  expect(asked('{ Service: cloudformation.amazonaws.com }', 'cloudformation.amazonaws.com')).toBe('allowed')
  expect(asked('{ Service: cloudformation.amazonaws.com }', 'ec2.amazonaws.com')).toBe('denied')
  expect(asked('{ Federated: cloudformation.amazonaws.com }', 'cloudformation.amazonaws.com')).toBe('denied')
  expect(asked('"*"', 'ec2.amazonaws.com')).toBe('allowed')
  expect(asked('{ AWS: "*" }', 'ec2.amazonaws.com')).toBe('allowed')
})
