import { describe, expect, test } from 'vitest'

import type { Found } from '../../src/core/cause/suspects.ts'
import type { DataMap } from '../../src/core/data.ts'
import type { FailingResource } from '../../src/ports.ts'
import type { FakeCloudFormation, Running, SimulatedClock } from '../fakes/cloudformation/server.ts'
import { startCloudFormation } from '../fakes/cloudformation/server.ts'
import { deploy, measured, provisionerOf, region, stack, template, wantedOf } from './cloudformation-world.ts'

const group = '/services/cart'
const cart: DataMap = {
  Task: {
    Type: 'AWS::ECS::TaskDefinition',
    Properties: {
      Family: 'cart',
      ContainerDefinitions: [
        {
          Name: 'app',
          Image: 'cart:1',
          LogConfiguration: {
            LogDriver: 'awslogs',
            Options: { 'awslogs-group': group, 'awslogs-region': region, 'awslogs-stream-prefix': 'cart' },
          },
        },
      ],
    },
  },
  Group: { Type: 'AWS::ElasticLoadBalancingV2::TargetGroup', Properties: { Port: 80, Protocol: 'HTTP' } },
  Service: {
    Type: 'AWS::ECS::Service',
    Properties: {
      Cluster: 'shop',
      TaskDefinition: { Ref: 'Task' },
      LoadBalancers: [{ TargetGroupArn: { Ref: 'Group' }, ContainerName: 'app', ContainerPort: 80 }],
    },
  },
  Hook: { Type: 'AWS::Lambda::Function', Properties: { Runtime: 'nodejs24.x' } },
  Seed: { Type: 'Custom::Seed', Properties: { ServiceToken: { 'Fn::GetAtt': ['Hook', 'Arn'] } } },
}

const service: FailingResource = { logicalId: 'Service', type: 'AWS::ECS::Service' }
const before = 'arn:aws:ecs:eu-central-1:123456789012:task-definition/cart:6'

/** What a crash looks like in ECS: the deployment is given up, its task ended by itself, the tasks before it go on. */
function crash(definition: string): Running {
  const arn = (id: string): string => `arn:aws:ecs:eu-central-1:123456789012:task/shop/${id}`
  return {
    services: {
      'jobs/Service': {
        deployments: [
          {
            id: 'ecs-svc/2',
            status: 'PRIMARY',
            taskDefinition: before,
            desiredCount: 1,
            runningCount: 1,
            rolloutState: 'IN_PROGRESS',
            rolloutStateReason: 'ECS deployment circuit breaker: rolling back to deploymentId ecs-svc/0.',
          },
          {
            id: 'ecs-svc/1',
            status: 'ACTIVE',
            taskDefinition: definition,
            desiredCount: 0,
            runningCount: 0,
            failedTasks: 3,
            rolloutState: 'FAILED',
            rolloutStateReason: 'ECS deployment circuit breaker: tasks failed to start.',
          },
        ],
        events: [
          {
            id: '2',
            createdAt: new Date(1000),
            message: '(service cart) (deployment ecs-svc/1) deployment failed: tasks failed to start.',
          },
          { id: '1', createdAt: new Date(0), message: '(service cart) has started 1 tasks: (task a).' },
        ],
        tasks: [
          {
            taskArn: arn('a'),
            taskDefinitionArn: definition,
            startedBy: 'ecs-svc/1',
            desiredStatus: 'STOPPED',
            lastStatus: 'STOPPED',
            stopCode: 'EssentialContainerExited',
            stoppedReason: 'Essential container in task exited',
            stoppedAt: new Date(2000),
            containers: [{ name: 'app', exitCode: 1 }],
          },
          {
            taskArn: arn('b'),
            taskDefinitionArn: definition,
            startedBy: 'ecs-svc/1',
            desiredStatus: 'STOPPED',
            lastStatus: 'STOPPED',
            stopCode: 'EssentialContainerExited',
            stoppedReason: 'Essential container in task exited',
            stoppedAt: new Date(1000),
            containers: [{ name: 'app', exitCode: 1 }],
          },
          {
            taskArn: arn('old'),
            taskDefinitionArn: before,
            startedBy: 'ecs-svc/0',
            desiredStatus: 'RUNNING',
            lastStatus: 'RUNNING',
            containers: [{ name: 'app', networkInterfaces: [{ privateIpv4Address: '10.0.0.1' }] }],
          },
        ],
      },
    },
    logs: {
      [`${group} cart/app/a`]: ['listening on 8080', 'TypeError: Invalid URL: undefined', '    at payments.ts:14'],
      [`${group} cart/app/b`]: ['an older one'],
    },
  }
}

async function deployed(): Promise<FakeCloudFormation<SimulatedClock>> {
  const fake = await startCloudFormation({ durations: () => 0, changeSetSeconds: 0 })
  await deploy(provisionerOf(fake), wantedOf(template(0, cart)))
  fake.runs(crash(fake.stack('jobs')?.resources.get('Task')?.physicalId ?? ''))
  fake.forget()
  return fake
}

async function found(fake: FakeCloudFormation, failing: FailingResource): Promise<Found | undefined> {
  return provisionerOf(fake).evidence?.(stack, failing)
}

function asked(fake: FakeCloudFormation): readonly string[] {
  return fake
    .requests()
    .map(({ service: of, action }) => `${of}:${action}`)
    .filter((each) => !each.startsWith('cloudformation:') && !each.startsWith('sts:'))
    .toSorted((a, b) => a.localeCompare(b))
}

describe('of a service of ECS that fails', () => {
  test('it is seen how its tasks ended, what they logged last, what the service says, and that ECS goes back by itself', async () => {
    await using fake = await deployed()

    expect(await found(fake, service)).toEqual({
      tasks: [{ container: 'app', exitCode: 1, reason: 'Essential container in task exited', times: 2 }],
      targets: [],
      log: ['listening on 8080', 'TypeError: Invalid URL: undefined', '    at payments.ts:14'],
      denials: [],
      events: [
        '(service cart) (deployment ecs-svc/1) deployment failed: tasks failed to start.',
        '(service cart) has started 1 tasks: (task a).',
      ],
      circuit:
        'ECS has stopped the deployment of cart:1 (ECS deployment circuit breaker: tasks failed to start). It goes back to cart:6 by itself.',
    })
  })

  test('the targets of its load balancer are seen; that of a task of the version before proves nothing', async () => {
    await using fake = await deployed()
    fake.runs({
      targets: {
        'jobs/Group': [
          { Target: { Id: '10.0.0.1' }, TargetHealth: { State: 'healthy' } },
          {
            Target: { Id: '10.0.0.9' },
            TargetHealth: {
              State: 'unhealthy',
              Reason: 'Target.ResponseCodeMismatch',
              Description: 'Health checks failed with these codes: [503]',
            },
          },
        ],
      },
    })

    expect((await found(fake, service))?.targets).toEqual([
      {
        state: 'unhealthy',
        code: 'Target.ResponseCodeMismatch',
        reason: 'Health checks failed with these codes: [503]',
      },
    ])
  })

  test.each<[string, string, Partial<Record<keyof Found, unknown>>]>([
    [
      'the log',
      'GetLogEvents',
      {
        log: undefined,
        unseen: [
          expect.stringMatching(/^The log of .* could not be looked at: the role may not call logs:GetLogEvents\.$/),
        ],
      },
    ],
    [
      'the definition of its tasks',
      'DescribeTaskDefinition',
      { log: undefined, unseen: [expect.stringMatching(/may not call ecs:DescribeTaskDefinition\.$/)] },
    ],
    [
      'the load balancer',
      'DescribeTargetHealth',
      {
        targets: undefined,
        unseen: [expect.stringMatching(/may not call elasticloadbalancing:DescribeTargetHealth\.$/)],
      },
    ],
    [
      'the service',
      'DescribeServices',
      {
        events: undefined,
        circuit: undefined,
        unseen: [expect.stringMatching(/may not call ecs:DescribeServices\.$/)],
      },
    ],
  ])('what is left is seen where %s may not be looked at', async (_name, match, expected) => {
    await using fake = await deployed()
    fake.fault({ match, times: 9, kind: 'denied' })

    const seen = await found(fake, service)

    expect(seen).toMatchObject({ tasks: [expect.objectContaining({ exitCode: 1 })] })
    for (const [name, value] of Object.entries(expected))
      expect(Object.entries(seen ?? {}).find(([key]) => key === name)?.[1]).toEqual(value)
  })

  test('nothing is seen where nothing may be, and each is named', async () => {
    await using fake = await deployed()
    fake.fault({ match: ({ service: of }) => of !== 'cloudformation', times: 99, kind: 'denied' })

    const seen = await found(fake, service)

    expect(Object.keys(seen ?? {})).toEqual(['unseen'])
    expect(seen?.unseen).toHaveLength(3)
  })

  test('a moment in which nothing is answered is waited out', async () => {
    await using fake = await deployed()
    for (const match of ['DescribeServices', 'ListTasks', 'GetLogEvents'])
      fake.fault({ match, kind: match === 'ListTasks' ? 'reset' : 'throttle' })

    const seen = await found(fake, service)

    expect(seen?.unseen).toBeUndefined()
    expect(seen?.log).toHaveLength(3)
  })

  test('whatever has not answered in eight seconds is left out, and said to be', async () => {
    await using fake = await deployed()
    let go: () => void = () => undefined
    const hold = new Promise<void>((resolve) => {
      go = resolve
    })
    // The clock of the fake stands still while a request of this process is under way.
    fake.fault({ match: 'GetLogEvents', kind: { before: async () => fake.clock.advance(8000).then(async () => hold) } })

    let seen: Found | undefined
    const took = await measured(fake.clock, async () => {
      seen = await found(fake, service)
    })
    go()

    expect(seen?.tasks).toHaveLength(1)
    expect(seen?.log).toBeUndefined()
    expect(seen?.unseen).toEqual([
      expect.stringMatching(/^The log of .* could not be looked at: no answer within 8 seconds\.$/),
    ])
    expect(took).toBeLessThanOrEqual(15_000)
  })

  test('its log is read without its secrets, and only its end', async () => {
    await using fake = await deployed()
    const token = `ghp_${'a1B2'.repeat(9)}`
    const long = `| **x** \`\`\` </details> @team ${'#'.repeat(50_000)} password=hunter2secret`
    const lines = Array.from({ length: 120 }, (_, index) => `line ${index}`)
    fake.runs({
      logs: {
        [`${group} cart/app/a`]: [
          ...lines,
          '-----BEGIN PRIVATE KEY-----',
          'MIIEvQIBADANBg',
          '-----END PRIVATE KEY-----',
          long,
          `TOKEN=${token} and more`,
        ],
      },
    })

    const log = (await found(fake, service))?.log ?? []

    expect(log).toHaveLength(30)
    expect(log.at(-1)).toBe('TOKEN=(a GitHub token, hidden) and more')
    expect(log.at(-2)).toHaveLength(501)
    for (const secret of ['MIIEvQ', 'hunter2', token]) expect(log.join('\n')).not.toContain(secret)
  })

  test('a log that goes elsewhere, and one of a task that wrote nothing, are told apart', async () => {
    await using fake = await deployed()
    fake.runs({ logs: {} })
    const elsewhere = await startCloudFormation({ durations: () => 0, changeSetSeconds: 0 })
    await using other = elsewhere
    const containers = [{ Name: 'app', Image: 'cart:1', LogConfiguration: { LogDriver: 'awsfirelens' } }]
    const changed = {
      ...cart,
      Task: { Type: 'AWS::ECS::TaskDefinition', Properties: { ContainerDefinitions: containers } },
    }
    await deploy(provisionerOf(other), wantedOf(template(0, changed)))
    other.runs(crash(other.stack('jobs')?.resources.get('Task')?.physicalId ?? ''))

    fake.fault({
      match: 'GetLogEvents',
      kind: { code: 'ResourceNotFoundException', message: 'The specified log stream does not exist.' },
    })

    expect((await found(fake, service))?.log).toEqual([])
    expect((await found(other, service))?.unseen).toEqual([
      expect.stringMatching(/app does not write it to a stream of CloudWatch that is known \(awsfirelens\)\.$/),
    ])
  })
})

describe('of a function of Lambda that fails', () => {
  const reason = 'The image manifest or layer media type is not supported.'

  test('its state and the last lines of its newest log are seen', async () => {
    await using fake = await deployed()
    const name = fake.stack('jobs')?.resources.get('Hook')?.physicalId ?? ''
    fake.runs({
      functions: { 'jobs/Hook': { State: 'Failed', StateReason: reason, StateReasonCode: 'InvalidImage' } },
      logs: {
        [`/aws/lambda/${name} old`]: ['x'],
        [`/aws/lambda/${name} new`]: ['ERROR Task timed out after 3.00 seconds'],
      },
    })

    expect(await found(fake, { logicalId: 'Hook', type: 'AWS::Lambda::Function' })).toEqual({
      functions: [{ name, state: 'Failed', update: 'Successful', reason }],
      log: ['ERROR Task timed out after 3.00 seconds'],
      denials: [],
    })
    expect(asked(fake)).toEqual(['lambda:GetFunctionConfiguration', 'logs:DescribeLogStreams', 'logs:GetLogEvents'])
  })

  test('one that makes a custom resource is looked at when that fails, in the log that the failure names', async () => {
    await using fake = await deployed()
    const name = fake.stack('jobs')?.resources.get('Hook')?.physicalId ?? ''
    const stream = '2026/11/25/[$LATEST]0123'
    fake.runs({ logs: { [`/aws/lambda/${name} ${stream}`]: ['AccessDenied: s3:PutObject'] } })

    const seen = await found(fake, {
      logicalId: 'Seed',
      type: 'Custom::Seed',
      handler: 'Hook',
      reason: `Received response status [FAILED] from custom resource. Message returned: See the details in CloudWatch Log Stream: ${stream} (RequestId: 1)`,
    })

    expect(seen).toMatchObject({ log: ['AccessDenied: s3:PutObject'], denials: ['AccessDenied: s3:PutObject'] })
  })

  test.each([
    [undefined, /it is not known which function makes Seed/],
    ['arn:aws:sns:eu-central-1:123456789012:seeds', /Seed is not made by a function/],
  ])('a custom resource that %s makes has nothing to be seen', async (handler, why) => {
    await using fake = await deployed()

    const seen = await found(fake, {
      logicalId: 'Seed',
      type: 'Custom::Seed',
      ...(handler !== undefined && { handler }),
    })

    expect(seen).toEqual({ unseen: [expect.stringMatching(why)] })
  })
})

test('a run that is stopped waits for nothing, and what it has is told', async () => {
  await using fake = await deployed()
  const run = new AbortController()
  fake.fault({ match: 'DescribeTaskDefinition', kind: { before: () => run.abort('stopped') } })

  const seen = await provisionerOf(fake).evidence?.(stack, service, run.signal)

  expect(seen?.tasks).toHaveLength(1)
  expect(seen).not.toHaveProperty('log')
})

test('of what has no more to be seen nothing is asked', async () => {
  await using fake = await deployed()

  expect(await found(fake, { logicalId: 'Jobs', type: 'AWS::SQS::Queue' })).toEqual({})
  expect(fake.requests()).toEqual([])
})

test('of a stack that is complete and not healthy all that it runs is seen', async () => {
  await using fake = await deployed()

  const seen = await found(fake, {})

  expect(Object.keys(seen ?? {}).toSorted((a, b) => a.localeCompare(b))).toEqual([
    'circuit',
    'denials',
    'events',
    'functions',
    'log',
    'targets',
    'tasks',
  ])
})

test('a stack whose resources may not be listed shows nothing, and says so', async () => {
  await using fake = await deployed()
  fake.fault({ match: 'ListStackResources', kind: 'denied' })

  expect(await found(fake, service)).toEqual({
    unseen: ['What the stack runs could not be looked at: CloudFormation does not say what Service is called.'],
  })
})
