import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { resourceTypes } from '../../../scripts/generate-resource-types.ts'
import { lookUpType } from '../../../src/core/stack/types.ts'

describe('the resource types', () => {
  test('are those of the installed specification', async () => {
    const written = readFileSync(new URL('../../../src/core/stack/types.generated.json', import.meta.url), 'utf8')
    expect(written === (await resourceTypes()), 'run `npm run generate`').toBe(true)
  })

  test('are small enough to be loaded at every start', () => {
    const written = readFileSync(new URL('../../../src/core/stack/types.generated.json', import.meta.url))
    expect(written.length).toBeLessThan(250_000)
  })

  test.each([
    ['AWS::SQS::Queue', 'known'],
    ['AWS::Serverless::Function', 'known'],
    ['AWS::Redshift::Cluster', 'named'],
    ['Custom::Thing', 'custom'],
    ['AWS::CloudFormation::CustomResource', 'custom'],
    ['Acme::Web::Site', 'custom'],
    ['AWS::SQS::Queues', 'unknown'],
    ['AWS::SQS', 'unknown'],
    ['Queue', 'unknown'],
    ['constructor', 'unknown'],
    ['AWS::constructor::toString', 'unknown'],
  ])('%s is %s', (name, is) => {
    expect(lookUpType(name).is).toBe(is)
  })
})
