import type { CloudFormationClient } from '@aws-sdk/client-cloudformation'
import type { Answer, ClientOptions, Request, Service } from './request.ts'
import { clientOf, errorOf, send } from './request.ts'

/**
 * Stands in for `@aws-sdk/client-ecs`, `-lambda`, `-elastic-load-balancing-v2`, `-cloudwatch-logs` and `-cloudtrail` (137 kB, most of it
 * classes of errors and shapes of what is not asked), of which nine requests are used, all of them only to look at something.
 */

type Input = Readonly<Record<string, unknown>>

/** How an operation is asked, and how its answer is read. */
type Operation = {
  readonly request: (input: Input) => Request
  readonly read: (text: string) => object
  readonly refusal: (answer: Answer) => { readonly name: string; readonly message: string }
}

type Command = { readonly operation: Operation; readonly input: Input }

/** A client of a service, with what is used of the SDK's. */
function clientFor(service: Service) {
  return class {
    readonly #client: CloudFormationClient

    constructor(options: ClientOptions) {
      this.#client = clientOf(service, options)
    }

    async send(
      { operation, input }: Command,
      at: { readonly abortSignal?: AbortSignal } = {},
    ): Promise<Readonly<Record<string, unknown>>> {
      const answer = await send(this.#client, { service, request: operation.request(input), at })
      if (answer.statusCode >= 300) throw errorOf(answer, operation.refusal(answer))
      return { ...operation.read(answer.text), $metadata: { httpStatusCode: answer.statusCode } }
    }

    destroy(): void {
      this.#client.destroy()
    }
  }
}

function commandFor(operation: Operation) {
  return class implements Command {
    readonly operation = operation
    readonly input: Input

    constructor(input: Input) {
      this.input = input
    }
  }
}

/** https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html: times are seconds. `times` are the fields that hold one. */
function inJson(target: string, { times = /^$/u }: { readonly times?: RegExp } = {}): Operation {
  return {
    request: (input) => ({
      method: 'POST',
      path: [''],
      headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': target },
      body: JSON.stringify(
        Object.fromEntries(
          Object.entries(input).map(([name, value]) => [name, value instanceof Date ? value.getTime() / 1000 : value]),
        ),
      ),
    }),
    read: (text) =>
      JSON.parse(text, (name, value: unknown) =>
        times.test(name) && typeof value === 'number' ? new Date(value * 1000) : value,
      ),
    refusal: jsonRefusal,
  }
}

/** The name may have a namespace before it, and an address behind. */
function jsonRefusal({ statusCode, headers, text }: Answer): { readonly name: string; readonly message: string } {
  const body = bodyOf(text)
  const code = headers['x-amzn-errortype'] ?? body['__type'] ?? body['code']
  const message = body['message'] ?? body['Message']
  return {
    name: typeof code === 'string' ? (code.split(':')[0]?.split('#').at(-1) ?? code) : String(statusCode),
    message: typeof message === 'string' ? message : 'UnknownError',
  }
}

function bodyOf(text: string): Readonly<Record<string, unknown>> {
  try {
    return { ...JSON.parse(text) }
  } catch {
    return {}
  }
}

/** https://docs.aws.amazon.com/AmazonECS/latest/APIReference/ */
export const ECSClient = clientFor({ id: 'ECS', name: 'ecs' })
const ecs = (action: string): Operation =>
  inJson(`AmazonEC2ContainerServiceV20141113.${action}`, { times: /^[a-z]\w*At$/u })
export const DescribeServicesCommand = commandFor(ecs('DescribeServices'))
export const DescribeTaskDefinitionCommand = commandFor(ecs('DescribeTaskDefinition'))
export const DescribeTasksCommand = commandFor(ecs('DescribeTasks'))
export const ListTasksCommand = commandFor(ecs('ListTasks'))

/** https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/ */
export const CloudWatchLogsClient = clientFor({ id: 'CloudWatch Logs', name: 'logs' })
export const DescribeLogStreamsCommand = commandFor(inJson('Logs_20140328.DescribeLogStreams'))
export const GetLogEventsCommand = commandFor(inJson('Logs_20140328.GetLogEvents'))

/** https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html */
export const CloudTrailClient = clientFor({ id: 'CloudTrail', name: 'cloudtrail' })
export const LookupEventsCommand = commandFor(inJson('CloudTrail_20131101.LookupEvents', { times: /^EventTime$/u }))

/** https://docs.aws.amazon.com/lambda/latest/api/API_GetFunctionConfiguration.html */
export const LambdaClient = clientFor({ id: 'Lambda', name: 'lambda' })
export const GetFunctionConfigurationCommand = commandFor({
  request: ({ FunctionName }) => ({
    method: 'GET',
    path: ['2015-03-31', 'functions', String(FunctionName), 'configuration'],
    headers: {},
  }),
  read: (text) => ({ ...JSON.parse(text) }),
  refusal: jsonRefusal,
})

/** https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeTargetHealth.html */
export const ElasticLoadBalancingV2Client = clientFor({ id: 'Elastic Load Balancing v2', name: 'elasticloadbalancing' })
export const DescribeTargetHealthCommand = commandFor({
  request: ({ TargetGroupArn }) => ({
    method: 'POST',
    path: [''],
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: `Action=DescribeTargetHealth&Version=2015-12-01&TargetGroupArn=${encodeURIComponent(String(TargetGroupArn))}`,
  }),
  read: (text) => ({
    TargetHealthDescriptions: text
      .split('<member>')
      .slice(1)
      .map((member) => ({
        Target: fieldsOf(member, 'Target', ['Id', 'AvailabilityZone']),
        TargetHealth: fieldsOf(member, 'TargetHealth', ['State', 'Reason', 'Description']),
      })),
  }),
  refusal: ({ statusCode, text }) => ({
    // The SDK calls it by its shape.
    name: (textIn(text, 'Code') ?? String(statusCode)).replace(/NotFound$/u, 'NotFoundException'),
    message: textIn(text, 'Message') ?? 'UnknownError',
  }),
})

function fieldsOf(xml: string, name: string, fields: readonly string[]): Readonly<Record<string, string>> {
  const inner = new RegExp(`<${name}>(.*?)</${name}>`, 'su').exec(xml)?.[1] ?? ''
  return Object.fromEntries(
    fields.flatMap((field): [string, string][] => {
      const value = textIn(inner, field)
      return value === undefined ? [] : [[field, value]]
    }),
  )
}

const entities: Readonly<Record<string, string>> = { amp: '&', apos: "'", gt: '>', lt: '<', quot: '"' }

function textIn(xml: string, name: string): string | undefined {
  const found = new RegExp(`<${name}>([^<]*)</${name}>`, 'u').exec(xml)?.[1]
  return found?.replaceAll(/&(?:(\w+)|#(\d+)|#x([0-9a-f]+));/giu, (whole, word, decimal, hex) =>
    word !== undefined
      ? (entities[String(word)] ?? whole)
      : String.fromCodePoint(decimal === undefined ? Number.parseInt(String(hex), 16) : Number(decimal)),
  )
}
