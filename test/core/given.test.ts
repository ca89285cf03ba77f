import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { mapOf } from '../../src/core/data.ts'
import { withLive } from '../../src/core/given.ts'

function replaced(
  texts: readonly string[],
  given: Readonly<Record<string, string>>,
  live: Readonly<Record<string, string>>,
  changed: readonly string[] = [],
): { readonly texts: unknown; readonly isWhole: boolean } {
  const { body, isWhole } = withLive(mapOf([['Texts', texts]]), { given, live, changed: new Set(changed) })
  return { texts: body['Texts'], isWhole }
}

describe('what was rendered with predicted outputs', () => {
  test.each([
    ['a value', ['vpc-aaaaaaaa'], { Vpc: 'vpc-aaaaaaaa' }, { Vpc: 'vpc-0123' }, ['vpc-0123']],
    ['a value in a text', ['in vpc-aaaaaaaa.'], { Vpc: 'vpc-aaaaaaaa' }, { Vpc: 'vpc-0123' }, ['in vpc-0123.']],
    [
      'an element of a list',
      ['subnet-bbbbbbbb'],
      { Subnets: 'subnet-aaaaaaaa,subnet-bbbbbbbb' },
      { Subnets: 'subnet-1,subnet-2' },
      ['subnet-2'],
    ],
    [
      'a segment of an ARN',
      ['env-dev-Cluster-AAAA'],
      { Cluster: 'arn:aws:ecs:eu-west-1:111111111111:cluster/env-dev-Cluster-AAAA' },
      { Cluster: 'arn:aws:ecs:eu-west-1:111111111111:cluster/env-dev-Cluster-X7' },
      ['env-dev-Cluster-X7'],
    ],
    ['a short value where it is all', ['80', 'port 80'], { Port: '80' }, { Port: '443' }, ['443', 'port 80']],
    [
      'each once',
      ['aaaaaaaa bbbbbbbb'],
      { A: 'aaaaaaaa', B: 'bbbbbbbb' },
      { A: 'bbbbbbbb', B: 'cccccccc' },
      ['bbbbbbbb cccccccc'],
    ],
  ])('gets the live one: %s', (_, texts, given, live, expected) => {
    expect(replaced(texts, given, live)).toEqual({ texts: expected, isWhole: true })
  })

  test('keeps what would be another once the environment is deployed, or is not there yet', () => {
    const given = { Word: 'second-word', Vpc: 'vpc-aaaaaaaa' }

    expect(replaced(['second-word'], given, { Word: 'first-word', Vpc: 'vpc-aaaaaaaa' }, ['Word'])).toEqual({
      texts: ['second-word'],
      isWhole: false,
    })
    expect(replaced(['vpc-aaaaaaaa'], given, { Word: 'second-word' })).toEqual({
      texts: ['vpc-aaaaaaaa'],
      isWhole: false,
    })
  })

  test('is as it was where everything was predicted as it is', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.string()), fc.array(fc.string()), (outputs, texts) => {
        expect(replaced(texts, outputs, outputs)).toEqual({ texts, isWhole: true })
      }),
    )
  })
})
