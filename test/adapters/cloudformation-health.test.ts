import { describe, expect, test } from 'vitest'

import type { RunningResources } from '../../src/adapters/cloudformation.ts'
import { startCloudFormation } from '../fakes/cloudformation/server.ts'
import { account, deploy, provisionerOf, region, stack, template, wantedOf } from './cloudformation-world.ts'

describe('the health of a stack', () => {
  const wanted = wantedOf(
    template(0, {
      Task: { Type: 'AWS::ECS::TaskDefinition', Properties: { Family: 'cart', ContainerDefinitions: [] } },
    }),
  )

  test('is that of what it has made: they are looked at by those who know them', async () => {
    await using fake = await startCloudFormation({ durations: () => 0, changeSetSeconds: 0 })
    await deploy(provisionerOf(fake), wanted)
    const asked: RunningResources[] = []
    const of = (taskDefinition: string): ReturnType<typeof provisionerOf> =>
      provisionerOf(fake, {
        look: async (resources) => {
          asked.push(resources)
          const deployment = { status: 'PRIMARY', taskDefinition, rolloutState: 'COMPLETED', running: 1, desired: 1 }
          return { services: [{ name: 'cart', deployments: [deployment] }], groups: [], unseen: [] }
        },
      })

    const made = fake.stack('jobs')?.resources.get('Task')?.physicalId ?? ''
    const steady = await of(made).health(stack)
    const back = await of(made.replace(/:\d+$/u, ':99')).health(stack)

    expect(steady).toEqual({ is: 'healthy', words: '1 of 1 service steady' })
    expect(back).toMatchObject({ is: 'gone-back' })
    expect(asked[0]).toMatchObject({ account, region })
    expect(asked[0]?.resources.map(({ logicalId }) => logicalId).toSorted()).toEqual(['Jobs', 'News', 'Task'])
  })

  test('is not known where nobody can look', async () => {
    await using fake = await startCloudFormation()

    expect(await provisionerOf(fake).health(stack)).toMatchObject({ is: 'unknown' })
  })
})
