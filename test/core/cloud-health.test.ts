import { describe, expect, test } from 'vitest'
import type { Seen, SeenService } from '../../src/core/cloud-health.ts'
import { cloudHealthOf } from '../../src/core/cloud-health.ts'

const arn = (revision: number): string => `arn:aws:ecs:eu-west-1:123456789012:task-definition/cart:${revision}`
type Rollout = SeenService['deployments'][number]
const rollout = (more: Partial<Rollout> = {}): Rollout => ({
  status: 'PRIMARY',
  taskDefinition: arn(8),
  rolloutState: 'COMPLETED',
  running: 2,
  desired: 2,
  ...more,
})
const service = (...deployments: readonly Rollout[]): SeenService => ({ name: 'cart', deployments })
const targets = (...states: readonly string[]): Seen['groups'][number] => ({
  group: 'cart',
  targets: states.map((state) => ({ state, ...(state === 'unhealthy' && { reason: 'Health checks failed' }) })),
})
const seen = (more: Partial<Seen>): Seen => ({ services: [], groups: [], made: [arn(8)], unseen: [], ...more })

describe('a stack is healthy', () => {
  test.each<[string, Partial<Seen>, string]>([
    ['if its service is steady', { services: [service(rollout())] }, '1 of 1 service steady'],
    [
      'if its targets are healthy too',
      { services: [service(rollout())], groups: [targets('healthy', 'healthy')] },
      '1 of 1 service steady and 2 of 2 targets healthy',
    ],
    ['by its targets alone', { groups: [targets('healthy')] }, '1 of 1 target healthy'],
    [
      'while old targets still drain, and a group that is not used waits',
      { services: [service(rollout())], groups: [targets('healthy', 'draining'), targets('unused')] },
      '1 of 1 service steady and 1 of 1 target healthy',
    ],
    [
      'with a service that shall run nothing now',
      { services: [service(rollout({ running: 0, desired: 0 }))], groups: [targets()] },
      '1 of 1 service steady',
    ],
    [
      'under a controller of deployments that tells no state',
      { services: [service({ status: 'PRIMARY', running: 2, desired: 2 })] },
      '1 of 1 service steady',
    ],
    [
      'with a task definition that another stack has made',
      { services: [service(rollout({ taskDefinition: 'arn:aws:ecs:eu-west-1:1:task-definition/other:1' }))] },
      '1 of 1 service steady',
    ],
  ])('%s', (_name, more, words) => {
    expect(cloudHealthOf(seen(more))).toEqual({ is: 'healthy', words })
  })
})

describe('a stack is not healthy yet', () => {
  test.each<[string, Partial<Seen>, string]>([
    [
      'while its rollout goes on',
      { services: [service(rollout({ rolloutState: 'IN_PROGRESS' }))] },
      '0 of 1 service steady',
    ],
    ['while tasks are missing', { services: [service(rollout({ running: 1 }))] }, '0 of 1 service steady'],
    [
      'while old tasks still run',
      { services: [service(rollout(), rollout({ status: 'ACTIVE', taskDefinition: arn(7), running: 1 }))] },
      '0 of 1 service steady',
    ],
    [
      'while a target is not, with the reason of the load balancer',
      { services: [service(rollout())], groups: [targets('healthy', 'unhealthy')] },
      '1 of 1 service steady and 1 of 2 targets healthy (Health checks failed)',
    ],
    ['while a target is new', { groups: [targets('initial')] }, '0 of 1 target healthy'],
    ['while no target is registered', { groups: [targets()] }, 'no target is registered yet'],
    [
      'while its service runs and no target is registered',
      { services: [service(rollout())], groups: [targets()] },
      '1 of 1 service steady',
    ],
    ['without a deployment', { services: [service()] }, '0 of 1 service steady'],
  ])('%s', (_name, more, words) => {
    expect(cloudHealthOf(seen(more))).toEqual({ is: 'pending', words })
  })
})

describe('a stack does not become healthy by waiting', () => {
  test('where ECS has gone back to the tasks that ran before, although the stack is complete', () => {
    expect(cloudHealthOf(seen({ services: [service(rollout({ taskDefinition: arn(7) }))] }))).toEqual({
      is: 'gone-back',
      words: 'cart runs cart:7 although cart:8 was deployed: ECS has gone back by itself',
    })
  })

  test('where its rollout has failed', () => {
    const failed = rollout({
      rolloutState: 'FAILED',
      rolloutStateReason: 'ECS deployment circuit breaker: tasks failed to start.',
    })

    expect(cloudHealthOf(seen({ services: [service(failed)] }))).toEqual({
      is: 'gone-back',
      words: 'the deployment of cart has failed: ECS deployment circuit breaker: tasks failed to start',
    })
  })
})

describe('it is not known whether a stack is healthy', () => {
  test.each<[string, Partial<Seen>, string]>([
    ['where it runs nothing that is watched', {}, 'the stack runs nothing that the cloud watches'],
    [
      'where something could not be looked at',
      { groups: [targets('healthy')], unseen: ['ecs:DescribeServices is denied.'] },
      'ecs:DescribeServices is denied.',
    ],
  ])('%s', (_name, more, words) => {
    expect(cloudHealthOf(seen(more))).toEqual({ is: 'unknown', words })
  })
})
