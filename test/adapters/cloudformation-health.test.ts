import { describe, expect, test } from 'vitest'

import type { DataMap } from '../../src/core/data.ts'
import type { FakeCloudFormation, Running } from '../fakes/cloudformation/server.ts'
import { startCloudFormation } from '../fakes/cloudformation/server.ts'
import { deploy, provisionerOf, stack, template, wantedOf } from './cloudformation-world.ts'

const cart: DataMap = {
  Task: {
    Type: 'AWS::ECS::TaskDefinition',
    Properties: { Family: 'cart', ContainerDefinitions: [{ Name: 'app', Image: 'cart:1' }] },
  },
  Group: { Type: 'AWS::ElasticLoadBalancingV2::TargetGroup', Properties: { Port: 80, Protocol: 'HTTP' } },
  Service: {
    Type: 'AWS::ECS::Service',
    Properties: {
      Cluster: 'shop',
      TaskDefinition: { Ref: 'Task' },
      DesiredCount: 2,
      LoadBalancers: [{ TargetGroupArn: { Ref: 'Group' }, ContainerName: 'app', ContainerPort: 80 }],
    },
  },
  Hook: { Type: 'AWS::Lambda::Function', Properties: { Runtime: 'nodejs24.x' } },
}

async function deployed(resources: DataMap = cart): Promise<FakeCloudFormation> {
  const fake = await startCloudFormation({ durations: () => 0, changeSetSeconds: 0 })
  await deploy(provisionerOf(fake), wantedOf(template(0, resources)))
  fake.forget()
  return fake
}

const deployment = {
  id: 'ecs-svc/2',
  status: 'PRIMARY',
  desiredCount: 2,
  runningCount: 2,
  rolloutState: 'COMPLETED',
}

describe('the health of a stack', () => {
  test('is that of the services, functions and targets that it has made', async () => {
    await using fake = await deployed()

    expect(await provisionerOf(fake).health(stack)).toEqual({
      is: 'healthy',
      words: '1 of 1 service steady, 1 of 1 function ready and 1 of 1 target healthy',
    })
    expect(new Set(fake.requests().map(({ service, action }) => `${service}:${action}`))).toEqual(
      new Set([
        'cloudformation:ListStackResources',
        'ecs:DescribeServices',
        'lambda:GetFunctionConfiguration',
        'elasticloadbalancing:DescribeTargetHealth',
      ]),
    )
  })

  test.each<[string, Running, unknown]>([
    [
      'is not there yet while a rollout goes on',
      { services: { 'jobs/Service': { deployments: [{ ...deployment, rolloutState: 'IN_PROGRESS' }] } } },
      { is: 'pending', words: '0 of 1 service steady, 1 of 1 function ready and 1 of 1 target healthy' },
    ],
    [
      'is not there yet while a target fails its check',
      {
        targets: {
          'jobs/Group': [
            { TargetHealth: { State: 'unhealthy', Reason: 'Target.Timeout', Description: 'Request timed out' } },
          ],
        },
      },
      { is: 'pending', words: expect.stringContaining('0 of 1 target healthy (Request timed out)') },
    ],
    [
      'does not come where ECS has gone back by itself',
      {
        services: {
          'jobs/Service': {
            deployments: [
              {
                ...deployment,
                rolloutState: 'FAILED',
                rolloutStateReason: 'ECS deployment circuit breaker: tasks failed.',
              },
            ],
          },
        },
      },
      {
        is: 'gone-back',
        words: expect.stringMatching(/^the deployment of .* has failed: ECS deployment circuit breaker/),
      },
    ],
    [
      'does not come where a function could not be changed',
      {
        functions: {
          'jobs/Hook': { LastUpdateStatus: 'Failed', LastUpdateStatusReason: 'The image does not exist.' },
        },
      },
      { is: 'gone-back', words: expect.stringMatching(/^the function .* has failed: The image does not exist$/) },
    ],
  ])('%s', async (_name, running, expected) => {
    await using fake = await deployed()
    fake.runs(running)

    expect(await provisionerOf(fake).health(stack)).toEqual(expected)
  })

  test('does not come where the service runs another task definition than the stack has made', async () => {
    await using fake = await deployed()
    const made = fake.stack('jobs')?.resources.get('Task')?.physicalId ?? ''
    const taskDefinition = made.replace(/:\d+$/u, ':99')
    fake.runs({ services: { 'jobs/Service': { deployments: [{ ...deployment, taskDefinition }] } } })

    expect(await provisionerOf(fake).health(stack)).toMatchObject({
      is: 'gone-back',
      words: expect.stringMatching(/runs cart:99 although cart:1 was deployed/),
    })
  })

  test('is not known where the role may not look', async () => {
    await using fake = await deployed()
    fake.fault({ match: 'DescribeServices', kind: 'denied' })

    expect(await provisionerOf(fake).health(stack)).toEqual({
      is: 'unknown',
      words: expect.stringMatching(/could not be looked at: the role may not call ecs:DescribeServices\.$/),
    })
  })

  test('is asked for again where the account takes no more for a moment', async () => {
    await using fake = await deployed()
    fake.fault({ match: 'DescribeServices', times: 3, kind: 'throttle' })

    expect(await provisionerOf(fake).health(stack)).toMatchObject({ is: 'healthy' })
  })

  test('is not known where the stack runs nothing that the cloud watches', async () => {
    await using fake = await deployed({})

    expect(await provisionerOf(fake).health(stack)).toMatchObject({ is: 'unknown' })
  })
})
