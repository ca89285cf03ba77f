import { describe, expect, test } from 'vitest'
import { comparable, templateBody } from '../../../src/core/cloudformation/body.ts'
import { Float, mapOf } from '../../../src/core/data.ts'
import { readRendered } from '../../../src/core/yaml.ts'

function read(text: string): ReturnType<typeof mapOf> {
  const document = readRendered('template.yaml', text)
  if (!document.ok) throw new Error(JSON.stringify(document.problems))
  const { data } = document.value
  if (data === null || typeof data !== 'object' || Array.isArray(data) || data instanceof Float)
    throw new Error('no map')
  return mapOf(Object.entries(data))
}

describe('the body of a template', () => {
  test('is JSON in long form without a space, the same however it was written', () => {
    const yaml = read(
      'Resources:\n  Queue:\n    Type: AWS::SQS::Queue\n    Properties: { QueueName: !Sub "${AWS::StackName}-q" }\n',
    )
    const json = read(
      '{"Resources": {"Queue": {"Properties": {"QueueName": {"Fn::Sub": "${AWS::StackName}-q"}}, "Type": "AWS::SQS::Queue"}}}',
    )
    expect(templateBody(yaml).text).toBe(
      '{"Resources":{"Queue":{"Properties":{"QueueName":{"Fn::Sub":"${AWS::StackName}-q"}},"Type":"AWS::SQS::Queue"}}}',
    )
    expect(templateBody(json)).toEqual(templateBody(yaml))
  })

  test('keeps the order of lists, and texts that look like numbers', () => {
    expect(templateBody(mapOf([['A', ['b', 'a', '0755', 12, new Float(1.5)]]])).text).toBe(
      '{"A":["b","a","0755",12,1.5]}',
    )
  })

  test('is named by its content', () => {
    const body = templateBody(mapOf([['Resources', mapOf()]]))
    expect(body.digest).toMatch(/^sha256:[0-9a-f]{64}$/)
    expect(body.key).toBe(`templates/${body.digest.slice(7)}.json`)
  })

  test.each([
    [51_200, 'inline'],
    [51_201, 'bucket'],
    [1_048_576, 'bucket'],
    [1_048_577, 'too-large'],
  ])('of %d bytes goes the way that takes it', (bytes, way) => {
    const empty = templateBody(mapOf([['Description', '']])).bytes
    // Two bytes a character, for the limit is one of bytes.
    const text = 'é'.repeat(Math.floor((bytes - empty) / 2)) + 'x'.repeat((bytes - empty) % 2)
    const body = templateBody(mapOf([['Description', text]]))
    expect([body.bytes, body.way]).toEqual([bytes, way])
  })
})

describe('what CloudFormation acts on', () => {
  const plain = read(
    'Description: A\nMetadata: { Note: x }\nResources:\n  Topic: { Type: AWS::SNS::Topic, Metadata: { A: 1 } }\n',
  )

  test('is all but what a template is described as; the metadata of resources is part of it', () => {
    expect(Object.keys(comparable(plain))).toEqual(['Resources'])
    expect(comparable(plain)).toMatchObject({ Resources: { Topic: { Metadata: { A: 1 } } } })
  })
})
