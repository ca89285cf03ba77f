import { CloudTrailClient, LookupEventsCommand } from '@aws-sdk/client-cloudtrail'
import { CloudWatchLogsClient, DescribeLogStreamsCommand, GetLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs'
import {
  DescribeServicesCommand,
  DescribeTaskDefinitionCommand,
  DescribeTasksCommand,
  ECSClient,
  ListTasksCommand,
  StopTaskCommand,
} from '@aws-sdk/client-ecs'
import { DescribeTargetHealthCommand, ElasticLoadBalancingV2Client } from '@aws-sdk/client-elastic-load-balancing-v2'
import { GetFunctionConfigurationCommand, LambdaClient } from '@aws-sdk/client-lambda'
import { CreateStackCommand } from '@aws-sdk/client-cloudformation'
import { describe, expect, test } from 'vitest'
import { clientOf, refused } from './cloudformation/client.ts'
import { decodeJson, encodeJson } from './cloudformation/model.ts'
import { startCloudFormation } from './cloudformation/server.ts'

const region = 'eu-central-1'
const resources = {
  Task: {
    Type: 'AWS::ECS::TaskDefinition',
    Properties: {
      Family: 'cart',
      ContainerDefinitions: [
        { Name: 'app', LogConfiguration: { LogDriver: 'awslogs', Options: { 'awslogs-group': '/cart' } } },
      ],
    },
  },
  Service: {
    Type: 'AWS::ECS::Service',
    Properties: { Cluster: 'shop', TaskDefinition: { Ref: 'Task' }, DesiredCount: 3 },
  },
  Group: { Type: 'AWS::ElasticLoadBalancingV2::TargetGroup', Properties: {} },
  Hook: { Type: 'AWS::Lambda::Function', Properties: {} },
}

async function started() {
  const fake = await startCloudFormation({ durations: { '*': 0 } })
  const TemplateBody = JSON.stringify({ Resources: resources })
  await clientOf(fake).send(new CreateStackCommand({ StackName: 'cart-dev', TemplateBody }))
  await fake.settle()
  const options = {
    endpoint: fake.url,
    region,
    maxAttempts: 1,
    credentials: { accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'secret' },
  }
  const id = (logicalId: string): string => fake.stack('cart-dev')?.resources.get(logicalId)?.physicalId ?? ''
  return {
    fake,
    id,
    ecs: new ECSClient(options),
    lambda: new LambdaClient(options),
    balancer: new ElasticLoadBalancingV2Client(options),
    logs: new CloudWatchLogsClient(options),
    trail: new CloudTrailClient(options),
    [Symbol.asyncDispose]: async () => fake.close(),
  }
}

describe('what a stack has made', () => {
  test('is well until somebody says otherwise', async () => {
    await using world = await started()
    const { ecs, lambda, balancer, id } = world

    const { services } = await ecs.send(new DescribeServicesCommand({ cluster: 'shop', services: [id('Service')] }))
    const { taskDefinition } = await ecs.send(new DescribeTaskDefinitionCommand({ taskDefinition: id('Task') }))
    const found = await lambda.send(new GetFunctionConfigurationCommand({ FunctionName: id('Hook') }))
    const { TargetHealthDescriptions: targets } = await balancer.send(
      new DescribeTargetHealthCommand({ TargetGroupArn: id('Group') }),
    )

    expect(services).toMatchObject([
      {
        serviceName: id('Service').split('/').at(-1),
        deployments: [{ status: 'PRIMARY', taskDefinition: id('Task'), runningCount: 3, rolloutState: 'COMPLETED' }],
      },
    ])
    expect(taskDefinition?.containerDefinitions).toEqual([
      { name: 'app', logConfiguration: { logDriver: 'awslogs', options: { 'awslogs-group': '/cart' } } },
    ])
    expect(found).toMatchObject({ FunctionName: id('Hook'), State: 'Active', LastUpdateStatus: 'Successful' })
    expect(targets).toMatchObject([{ TargetHealth: { State: 'healthy' } }])
  })

  test('is as somebody says', async () => {
    await using world = await started()
    const { fake, ecs, logs, trail, id } = world
    const taskArn = `arn:aws:ecs:${region}:123456789012:task/shop/1`
    const stoppedAt = new Date('2026-11-25T12:00:00.500Z')
    fake.runs({
      services: { 'cart-dev/Service': { tasks: [{ taskArn, desiredStatus: 'STOPPED', stoppedAt }] } },
      logs: { '/cart a': ['one', 'two', 'three'], '/cart b': ['four'] },
      trail: [{ names: ['jobs'], EventName: 'SetQueueAttributes', Username: 'ana', EventTime: stoppedAt }],
    })

    const list = async (desiredStatus: 'RUNNING' | 'STOPPED') =>
      (await ecs.send(new ListTasksCommand({ serviceName: id('Service'), desiredStatus }))).taskArns
    const { tasks } = await ecs.send(new DescribeTasksCommand({ tasks: [taskArn] }))
    const { events } = await logs.send(
      new GetLogEventsCommand({ logGroupName: '/cart', logStreamName: 'a', limit: 2, startFromHead: false }),
    )
    const { logStreams } = await logs.send(new DescribeLogStreamsCommand({ logGroupName: '/cart', limit: 1 }))
    const look = async (AttributeValue: string) =>
      (
        await trail.send(
          new LookupEventsCommand({ LookupAttributes: [{ AttributeKey: 'ResourceName', AttributeValue }] }),
        )
      ).Events

    expect([await list('RUNNING'), await list('STOPPED')]).toEqual([[], [taskArn]])
    expect(tasks).toMatchObject([{ taskArn, stoppedAt }])
    expect(events?.map(({ message }) => message)).toEqual(['two', 'three'])
    expect(logStreams).toMatchObject([{ logStreamName: 'b' }])
    expect(await look('jobs')).toMatchObject([{ Username: 'ana', EventTime: stoppedAt }])
    expect(await look('others')).toEqual([])
  })

  test('is all there is: the rest is not found, in the words of each service', async () => {
    await using world = await started()
    const { ecs, lambda, balancer, logs } = world
    const arn = `arn:aws:elasticloadbalancing:${region}:123456789012:targetgroup/x/0123456789abcdef`

    const { failures } = await ecs.send(new DescribeServicesCommand({ services: ['nobody'] }))
    const answers = await Promise.all(
      [
        ecs.send(new ListTasksCommand({ serviceName: 'nobody' })),
        lambda.send(new GetFunctionConfigurationCommand({ FunctionName: 'nobody' })),
        balancer.send(new DescribeTargetHealthCommand({ TargetGroupArn: arn })),
        logs.send(new GetLogEventsCommand({ logGroupName: 'x', logStreamName: 'y' })),
      ].map(async (each) => refused(each)),
    )

    expect(failures).toEqual([{ arn: 'nobody', reason: 'MISSING' }])
    expect(answers.map(({ name, status }) => `${status} ${name}`)).toEqual([
      '400 ServiceNotFoundException',
      '404 ResourceNotFoundException',
      '400 TargetGroupNotFoundException',
      '400 ResourceNotFoundException',
    ])
  })

  test('is refused, throttled and lost on command', async () => {
    await using world = await started()
    const { fake, ecs, lambda } = world
    fake.fault({ match: 'GetFunctionConfiguration', kind: 'denied' })
    fake.fault({ match: 'DescribeServices', kind: 'throttle' })
    fake.fault({ match: 'ListTasks', kind: 'reset' })

    const denied = await refused(lambda.send(new GetFunctionConfigurationCommand({ FunctionName: 'x' })))
    const throttled = await refused(ecs.send(new DescribeServicesCommand({ services: ['x'] })))
    const lost = await refused(ecs.send(new ListTasksCommand({})))

    expect(denied).toMatchObject({ name: 'AccessDeniedException', status: 403 })
    expect(denied.message).toContain('is not authorized to perform: lambda:GetFunctionConfiguration')
    expect(throttled).toMatchObject({ name: 'Throttling', status: 400 })
    expect(lost.status).toBeUndefined()
    expect(
      fake
        .requests()
        .slice(-3)
        .map(({ service, action, status }) => `${service} ${action} ${status}`),
    ).toEqual(['lambda GetFunctionConfiguration 403', 'ecs DescribeServices 400', 'ecs ListTasks reset'])
  })
})

describe('a request in JSON is held against the model', () => {
  test.each([
    ['a field that there is not', { clusters: 'x', services: [] }, /there is no field "clusters"/],
    ['another type', { services: 'x' }, /"services" is "x", not a list/],
    ['a word that is none of them', { services: [], include: ['ALL'] }, /Value 'ALL' at 'include\.0' failed/],
    ['what is missing', {}, /Value null at 'services' failed/],
    ['no map', 'x', /"" is "x", not a structure/],
  ])('%s', (_name, body, finding) => {
    const { findings } = decodeJson('ecs', 'DescribeServices', body)

    expect(findings[0]?.what).toMatch(finding)
  })

  test('and one that is not in the cut fails the test', async () => {
    const { fake, ecs } = await started()

    await refused(ecs.send(new StopTaskCommand({ task: 'x' })))

    expect(fake.takeViolations()).toEqual([expect.stringMatching(/StopTask: the cut of the model has no such action/)])
    await fake.close()
  })
})

test.each([
  ['a field that there is not', { services: [{ colour: 'red' }] }, /there is no field "services\.0\.colour"/],
  ['another type', { services: [{ runningCount: 'x' }] }, /"services\.0\.runningCount" is "x", not a integer/],
  ['a word that is none of them', { services: [{ launchType: 'MOON' }] }, /Value 'MOON' at 'services\.0\.launchType'/],
])('an answer in JSON is held against it too: %s', (_name, output, finding) => {
  const { findings } = encodeJson('ecs', 'DescribeServices', output)

  expect(findings.map(({ what }) => what)).toEqual([expect.stringMatching(finding)])
})
