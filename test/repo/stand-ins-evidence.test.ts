import * as cloudtrail from '@aws-sdk/client-cloudtrail'
import * as logs from '@aws-sdk/client-cloudwatch-logs'
import * as ecs from '@aws-sdk/client-ecs'
import * as balancer from '@aws-sdk/client-elastic-load-balancing-v2'
import * as lambda from '@aws-sdk/client-lambda'
import { Readable } from 'node:stream'
import { afterEach, describe, expect, test, vi } from 'vitest'
import * as standIn from '../../scripts/bundle/stand-ins/evidence.ts'
import { refused } from '../fakes/cloudformation/client.ts'

afterEach(() => {
  vi.unstubAllEnvs()
})

type Sent = {
  readonly method: string
  readonly protocol: string
  readonly hostname: string
  readonly port?: number
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
}

type Answer = {
  readonly statusCode?: number
  readonly text?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** Options of a client whose request is kept and answered. */
function optionsOf(region: string, { statusCode = 200, text = '{}', headers = {} }: Answer = {}) {
  const sent: Sent[] = []
  const handle = async (request: Sent) => {
    sent.push(request)
    return { response: { statusCode, headers, body: Readable.from([Buffer.from(text)]) } }
  }
  const options = {
    region,
    maxAttempts: 1,
    customUserAgent: 'protium',
    credentials: { accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' },
    requestHandler: { handle, updateHttpClientConfig: () => undefined, httpHandlerConfigs: () => ({}) },
  }
  return { sent, options }
}

type Options = ReturnType<typeof optionsOf>['options']

const arn = 'arn:aws:ecs:eu-west-1:123456789012:service/shop/cart'
const group = 'arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/cart/73e2d6bc24d8a067'
const task = 'arn:aws:ecs:eu-west-1:123456789012:task/shop/1'
const since = new Date('2026-11-25T12:00:00Z')

/** Each request that is used, by the real client and by ours, with an answer in which all is that is used. */
const requests: readonly (readonly [
  name: string,
  real: (options: Options) => Promise<unknown>,
  ours: (options: Options) => Promise<unknown>,
  answer: string,
])[] = [
  [
    'DescribeServices',
    async (options) =>
      new ecs.ECSClient(options).send(new ecs.DescribeServicesCommand({ cluster: 'shop', services: [arn] })),
    async (options) =>
      new standIn.ECSClient(options).send(new standIn.DescribeServicesCommand({ cluster: 'shop', services: [arn] })),
    `{"services":[{"serviceArn":"${arn}","serviceName":"cart","createdAt":1.7640720005E9,"loadBalancers":[{"targetGroupArn":"${group}"}],
      "deployments":[{"id":"ecs-svc/1","status":"PRIMARY","createdAt":1764072000.5,"failedTasks":3,"rolloutState":"FAILED","runningCount":0}],
      "events":[{"id":"1","createdAt":1764072000,"message":"(service cart) is “unhealthy” 👍"}]}],"failures":[]}`,
  ],
  [
    'ListTasks',
    async (options) =>
      new ecs.ECSClient(options).send(
        new ecs.ListTasksCommand({ cluster: undefined, serviceName: 'cart', desiredStatus: 'STOPPED' }),
      ),
    async (options) =>
      new standIn.ECSClient(options).send(
        new standIn.ListTasksCommand({ cluster: undefined, serviceName: 'cart', desiredStatus: 'STOPPED' }),
      ),
    `{"taskArns":["${task}"]}`,
  ],
  [
    'DescribeTasks',
    async (options) =>
      new ecs.ECSClient(options).send(new ecs.DescribeTasksCommand({ cluster: 'shop', tasks: [task] })),
    async (options) =>
      new standIn.ECSClient(options).send(new standIn.DescribeTasksCommand({ cluster: 'shop', tasks: [task] })),
    `{"tasks":[{"taskArn":"${task}","startedBy":"ecs-svc/1","stopCode":"EssentialContainerExited","stoppedAt":1764072000,
      "stoppedReason":"Essential container in task exited","attachments":[{"details":[{"name":"privateIPv4Address","value":"10.0.0.1"}]}],
      "containers":[{"name":"app","exitCode":1,"networkInterfaces":[{"privateIpv4Address":"10.0.0.1"}]}]}]}`,
  ],
  [
    'DescribeTaskDefinition',
    async (options) =>
      new ecs.ECSClient(options).send(new ecs.DescribeTaskDefinitionCommand({ taskDefinition: 'cart:7' })),
    async (options) =>
      new standIn.ECSClient(options).send(new standIn.DescribeTaskDefinitionCommand({ taskDefinition: 'cart:7' })),
    `{"taskDefinition":{"containerDefinitions":[{"name":"app","logConfiguration":{"logDriver":"awslogs","options":{"awslogs-group":"/cart"}}}]}}`,
  ],
  [
    'GetLogEvents',
    async (options) =>
      new logs.CloudWatchLogsClient(options).send(
        new logs.GetLogEventsCommand({ logGroupName: '/cart', logStreamName: 'a/b', limit: 9, startFromHead: false }),
      ),
    async (options) =>
      new standIn.CloudWatchLogsClient(options).send(
        new standIn.GetLogEventsCommand({
          logGroupName: '/cart',
          logStreamName: 'a/b',
          limit: 9,
          startFromHead: false,
        }),
      ),
    `{"events":[{"timestamp":1764072000123,"message":"a\\tb\\nc","ingestionTime":1764072000124}],"nextForwardToken":"f/1"}`,
  ],
  [
    'DescribeLogStreams',
    async (options) =>
      new logs.CloudWatchLogsClient(options).send(
        new logs.DescribeLogStreamsCommand({ logGroupName: '/cart', orderBy: 'LastEventTime', descending: true }),
      ),
    async (options) =>
      new standIn.CloudWatchLogsClient(options).send(
        new standIn.DescribeLogStreamsCommand({ logGroupName: '/cart', orderBy: 'LastEventTime', descending: true }),
      ),
    `{"logStreams":[{"logStreamName":"2026/11/25/[$LATEST]1","creationTime":1764072000123}]}`,
  ],
  [
    'LookupEvents',
    async (options) =>
      new cloudtrail.CloudTrailClient(options).send(
        new cloudtrail.LookupEventsCommand({
          LookupAttributes: [{ AttributeKey: 'ResourceName', AttributeValue: 'jobs' }],
          StartTime: since,
          MaxResults: 10,
        }),
      ),
    async (options) =>
      new standIn.CloudTrailClient(options).send(
        new standIn.LookupEventsCommand({
          LookupAttributes: [{ AttributeKey: 'ResourceName', AttributeValue: 'jobs' }],
          StartTime: since,
          MaxResults: 10,
        }),
      ),
    `{"Events":[{"EventName":"SetQueueAttributes","ReadOnly":"false","EventTime":1764072000.0,"Username":"ana","CloudTrailEvent":"{}"}]}`,
  ],
  [
    'GetFunctionConfiguration',
    async (options) =>
      new lambda.LambdaClient(options).send(
        new lambda.GetFunctionConfigurationCommand({
          FunctionName: 'arn:aws:lambda:eu-west-1:123456789012:function:cart',
        }),
      ),
    async (options) =>
      new standIn.LambdaClient(options).send(
        new standIn.GetFunctionConfigurationCommand({
          FunctionName: 'arn:aws:lambda:eu-west-1:123456789012:function:cart',
        }),
      ),
    `{"FunctionName":"cart","State":"Failed","StateReason":"No image","LastUpdateStatus":"Failed","LastUpdateStatusReason":"x",
      "LoggingConfig":{"LogGroup":"/aws/lambda/cart"}}`,
  ],
  [
    'DescribeTargetHealth',
    async (options) =>
      new balancer.ElasticLoadBalancingV2Client(options).send(
        new balancer.DescribeTargetHealthCommand({ TargetGroupArn: group }),
      ),
    async (options) =>
      new standIn.ElasticLoadBalancingV2Client(options).send(
        new standIn.DescribeTargetHealthCommand({ TargetGroupArn: group }),
      ),
    `<DescribeTargetHealthResponse xmlns="http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/"><DescribeTargetHealthResult><TargetHealthDescriptions>
      <member><Target><Id>10.0.0.1</Id><AvailabilityZone>eu-west-1a</AvailabilityZone></Target>
      <TargetHealth><State>unhealthy</State><Reason>Target.ResponseCodeMismatch</Reason><Description>Health checks failed with these codes: [502] &amp; &lt;more&#x3E;</Description></TargetHealth></member>
      <member><Target><Id>10.0.0.2</Id></Target><TargetHealth><State>healthy</State></TargetHealth></member>
    </TargetHealthDescriptions></DescribeTargetHealthResult></DescribeTargetHealthResponse>`,
  ],
]

/** All of an answer but what is about the way that it came. */
function plain(answer: unknown): unknown {
  return { ...(typeof answer === 'object' ? answer : {}), $metadata: undefined }
}

describe('the clients for evidence in the build', () => {
  test.each(requests)('read the answer to %s as the real one', async (_name, real, ours, text) => {
    const wanted = await real(optionsOf('eu-west-1', { text }).options)
    const got = await ours(optionsOf('eu-west-1', { text }).options)

    expect(plain(got)).toEqual(plain(wanted))
  })

  describe.each([
    ['us-east-1', {}],
    ['cn-north-1', {}],
    ['us-gov-west-1', {}],
    ['eu-west-1', { AWS_ENDPOINT_URL: 'http://127.0.0.1:4566' }],
    [
      'eu-west-1',
      {
        AWS_ENDPOINT_URL: 'http://127.0.0.1:4566',
        AWS_ENDPOINT_URL_ECS: 'https://ecs.acme.example/in/it',
        AWS_ENDPOINT_URL_LAMBDA: 'https://lambda.acme.example',
        AWS_ENDPOINT_URL_CLOUDWATCH_LOGS: 'https://logs.acme.example',
        AWS_ENDPOINT_URL_CLOUDTRAIL: 'https://trail.acme.example',
        AWS_ENDPOINT_URL_ELASTIC_LOAD_BALANCING_V2: 'https://elb.acme.example',
      },
    ],
  ] as const)('in %s with %o', (region, variables) => {
    test.each(requests)('ask for %s as the real one', async (_name, real, ours, text) => {
      vi.stubEnv('AWS_CONFIG_FILE', '/nowhere')
      for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value)
      const [wanted, got] = [optionsOf(region, { text }), optionsOf(region, { text })]

      await real(wanted.options)
      await ours(got.options)

      expect(got.sent.map(shown)).toEqual(wanted.sent.map(shown))
      expect(got.sent).toHaveLength(1)
    })
  })

  test.each(requests)('are refused as the real one by %s', async (name, real, ours) => {
    const isXml = name === 'DescribeTargetHealth'
    const code = isXml
      ? 'TargetGroupNotFound'
      : name === 'DescribeServices'
        ? 'AccessDeniedException'
        : 'ResourceNotFoundException'
    const answer = {
      statusCode: isXml || name !== 'GetFunctionConfiguration' ? 400 : 404,
      text: isXml
        ? `<ErrorResponse xmlns="http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/"><Error><Type>Sender</Type><Code>${code}</Code><Message>It isn&apos;t there</Message></Error></ErrorResponse>`
        : JSON.stringify({ __type: `com.amazonaws#${code}`, message: 'It is not there' }),
      ...(name === 'GetFunctionConfiguration' && { headers: { 'x-amzn-errortype': `${code}:http://internal/` } }),
    }

    const wanted = await refused(real(optionsOf('eu-west-1', answer).options))
    const got = await refused(ours(optionsOf('eu-west-1', answer).options))

    expect(got).toEqual(wanted)
  })
})

/** What of a request is compared: a body by what it says. */
function shown({ method, protocol, hostname, port, path, headers, body }: Sent): unknown {
  const told = ['host', 'content-type', 'x-amz-target']
  const text = typeof body === 'string' ? body : new TextDecoder().decode(body)
  const said = text.startsWith('{') ? JSON.parse(text) : Object.fromEntries(new URLSearchParams(text))
  const isSigned = /^AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE\/\d{8}\/[a-z0-9-]+\/[a-z0-9-]+\/aws4_request/u.exec(
    headers['authorization'] ?? '',
  )?.[0]
  return {
    method,
    protocol,
    hostname,
    port,
    path,
    headers: Object.fromEntries(told.map((name) => [name, headers[name]])),
    said,
    isSigned,
  }
}
