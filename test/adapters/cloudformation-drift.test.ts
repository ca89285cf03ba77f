import { describe, expect, test } from 'vitest'

import type { Provisioner, StackDrift } from '../../src/ports.ts'
import { startCloudFormation } from '../fakes/cloudformation/server.ts'
import { changesOf, deploy, endOf, provisionerOf, stack, template, wantedOf } from './cloudformation-world.ts'

async function driftOf(provisioner: Provisioner): Promise<StackDrift> {
  return provisioner.drift(stack)
}

const wanted = wantedOf(template(5))

describe('drift of a stack', () => {
  test('is none where nobody has changed anything', async () => {
    await using fake = await startCloudFormation()
    await deploy(provisionerOf(fake), wanted)

    expect(await driftOf(provisionerOf(fake))).toEqual({ resources: [], looked: 2, unknown: [] })
  })

  test('is none of a stack that is not there', async () => {
    await using fake = await startCloudFormation()

    expect(await driftOf(provisionerOf(fake))).toEqual({ resources: [], looked: 0, unknown: [] })
  })

  test('is told property by property, with both values as they are', async () => {
    await using fake = await startCloudFormation()
    await deploy(provisionerOf(fake), wanted)
    fake.drift({ stack: 'jobs', logicalId: 'Jobs', properties: { DelaySeconds: 30, ReceiveMessageWaitTimeSeconds: 3 } })

    const { resources } = await driftOf(provisionerOf(fake))

    expect(resources).toEqual([
      {
        logicalId: 'Jobs',
        type: 'AWS::SQS::Queue',
        is: 'changed',
        properties: expect.arrayContaining([
          { path: ['DelaySeconds'], expected: 5, actual: 30 },
          { path: ['ReceiveMessageWaitTimeSeconds'], actual: 3 },
        ]),
      },
    ])
  })

  test('is told of a resource that is gone', async () => {
    await using fake = await startCloudFormation()
    await deploy(provisionerOf(fake), wanted)
    fake.drift({ stack: 'jobs', logicalId: 'News', properties: 'gone' })

    expect((await driftOf(provisionerOf(fake))).resources).toEqual([
      { logicalId: 'News', type: 'AWS::SNS::Topic', is: 'gone', properties: [] },
    ])
  })

  test('is brought back by a change set that is made for it, and changes nothing else', async () => {
    await using fake = await startCloudFormation()
    await deploy(provisionerOf(fake), wanted)
    fake.drift({ stack: 'jobs', logicalId: 'Jobs', properties: { DelaySeconds: 30 } })
    const provisioner = provisionerOf(fake)

    const plain = await provisioner.preview(wanted, { for: 'deployment' })
    const preview = await provisioner.preview(wanted, { for: 'deployment', mends: 'drift' })
    const end = await endOf(provisioner.execute(preview, wanted))

    expect(changesOf(plain)).toEqual([])
    expect(changesOf(preview)).toEqual(['update Jobs'])
    expect(end).toBe('UPDATE_COMPLETE')
    expect((await driftOf(provisioner)).resources).toEqual([])
    const made = fake.requests().filter(({ action }) => action === 'CreateChangeSet')
    expect(made.at(-1)?.input).toMatchObject({ DeploymentMode: 'REVERT_DRIFT', ChangeSetType: 'UPDATE' })
  })

  test('is not brought back where stacks are nested, and says so before anything is asked', async () => {
    await using fake = await startCloudFormation()
    const nested = wantedOf(
      template(5, {
        Child: { Type: 'AWS::CloudFormation::Stack', Properties: { TemplateURL: 'https://example.com' } },
      }),
    )
    await deploy(provisionerOf(fake), wanted)
    const provisioner = provisionerOf(fake)

    await expect(provisioner.preview(nested, { for: 'deployment', mends: 'drift' })).rejects.toMatchObject({
      code: 'drift-unmendable',
    })
    expect(fake.requests().map(({ action }) => action)).not.toContain('CreateChangeSet')
  })
})
