import { cloudFormation } from '../src/adapters/cloudformation.ts'
import { deploy } from '../src/commands/deploy.ts'
import type { DeploymentRecord } from '../src/ports.ts'
import { run, worldOf } from '../test/commands/ports.ts'
import { simulatedClock, startCloudFormation } from '../test/fakes/cloudformation/server.ts'
import { table } from './figures.ts'

/**
 * Forty stacks, deployed at once on the simulated clock of the fake CloudFormation: four stages, each an environment and nine
 * services that are rendered with what it gives out. What it takes is compared with the critical path: in each stage the
 * environment and then the longest service, as if nothing else took any time.
 */
const stages = ['one', 'two', 'three', 'four'] as const
/** Seconds that the one resource of an environment takes, and that of each service. */
const environment = 180
const services = [30, 45, 60, 60, 75, 90, 90, 105, 120] as const

export async function graphTable(): Promise<string> {
  const path = stages.length * (environment + Math.max(...services))
  const alone = stages.length * (environment + services.reduce((sum, seconds) => sum + seconds, 0))
  const rows: string[][] = []
  for (const isShared of [false, true]) {
    process.stderr.write(`graph of 40 stacks, ${isShared ? 'one account' : 'four accounts'}\n`)
    const { seconds, requests, throttled } = await deployAll(isShared)
    const ratio = seconds / path
    rows.push([
      isShared ? 'all in one account and region' : 'each stage in an account of its own',
      seconds.toFixed(0),
      `${ratio.toFixed(2)} ×${ratio > 1.1 ? ' (missed)' : ''}`,
      String(requests),
      String(throttled),
    ])
  }
  return [
    '### Forty stacks in a graph',
    `Four stages, each an environment of ${environment} s and nine services of ${Math.min(...services)} to ${Math.max(...services)} s. The critical path takes ${path} s; one after the other they would take ${alone} s. The target is 1.1 × the critical path.`,
    table(['', 'seconds', 'of the critical path', 'requests', 'throttled'], rows),
  ].join('\n\n')
}

async function deployAll(
  isShared: boolean,
): Promise<{ readonly seconds: number; readonly requests: number; readonly throttled: number }> {
  const clock = simulatedClock({ auto: true })
  const accounts = Object.fromEntries(stages.map((stage, index) => [stage, String(111111111111 * (index + 1))]))
  const accountOf = (stage: string): string => (isShared ? '123456789012' : (accounts[stage] ?? ''))
  await using fake = await startCloudFormation({
    clock,
    durations: ({ logicalId }) => Number(/\d+$/.exec(logicalId)?.[0] ?? 0),
  })
  process.env['AWS_ENDPOINT_URL'] = fake.url
  const world = worldOf(() => organisation(accountOf))
  const records: DeploymentRecord[] = []
  try {
    const ports = {
      ...world.ports,
      clock,
      provisioner: async ({ credentials }: Parameters<typeof world.ports.provisioner>[0]) =>
        cloudFormation({ credentials, clock, random: () => 0.5, run: { id: 'bench', attempt: 1 } }),
      records: async () => ({
        append: async (record: DeploymentRecord) => void records.push(record),
        list: async () => records,
      }),
      exclusive: async () => ({ [Symbol.asyncDispose]: async () => {} }),
    }
    const began = clock.now().getTime()
    const outcome = await run(deploy, { ...world, ports }, { yes: ['true'] })
    const seconds = (clock.now().getTime() - began) / 1000
    const made = fake.stacks().filter(({ status }) => status === 'CREATE_COMPLETE').length
    if (made !== stages.length * (1 + services.length))
      throw new Error(`${made} stacks were made: ${JSON.stringify(outcome.data)}`)
    const asked = fake.requests()
    return { seconds, requests: asked.length, throttled: asked.filter(({ code }) => code === 'Throttling').length }
  } finally {
    world.end()
  }
}

function organisation(accountOf: (stage: string) => string): ReadonlyMap<string, string> {
  const schema = (kind: 'environment' | 'service'): string => `schema:
  format:
    openapi: "3.0.0"
  ${kind}_input_type: Inputs
  types:
    Inputs:
      type: object
      description: How long it takes.
      required: [seconds]
      properties:
        seconds: { type: integer, title: Seconds, description: Seconds. }
`
  const manifest = `infrastructure:
  templates:
    - file: cloudformation.yaml
      rendering_engine: jinja
      template_language: cloudformation
`
  const resource = (name: string, title: string): string => `Resources:
  ${name}:
    Type: AWS::SNS::Topic
    Properties:
      DisplayName: ${title}
      KmsMasterKeyId: alias/aws/sns
Outputs:
  Topic:
    Value: !Ref ${name}
`
  return new Map([
    [
      'catalog.yaml',
      `catalog: graph
domain: example.com
stages:
${stages.map((stage) => `  ${stage}:\n    host: "{service}.${stage}.{domain}"\n    environment: ${stage}\n`).join('')}`,
    ],
    ...stages.map((stage): [string, string] => [
      `environments/${stage}.yaml`,
      `environment: ${stage}
template: home@1.0.0
provisioner: cloudformation
account: "${accountOf(stage)}"
region: eu-west-1
credentials: { role: "arn:aws:iam::${accountOf(stage)}:role/deploy" }
inputs: { seconds: ${environment} }
`,
    ]),
    [
      'templates/home/template.yaml',
      'template: home\nkind: environment\nversions: { v1: 1.0.0 }\ndescription: A topic.\n',
    ],
    ['templates/home/v1/schema/schema.yaml', schema('environment')],
    ['templates/home/v1/infrastructure/manifest.yaml', manifest],
    [
      'templates/home/v1/infrastructure/cloudformation.yaml',
      resource('Topic{{ environment.inputs.seconds }}', '{{ environment.name }}'),
    ],
    ['templates/work/template.yaml', 'template: work\nkind: service\nversions: { v1: 1.0.0 }\ndescription: A topic.\n'],
    ['templates/work/v1/schema/schema.yaml', schema('service')],
    ['templates/work/v1/.compatible-envs', 'home:1\n'],
    ['templates/work/v1/instance_infrastructure/manifest.yaml', manifest],
    [
      'templates/work/v1/instance_infrastructure/cloudformation.yaml',
      resource('Topic{{ service_instance.inputs.seconds }}', '"{{ environment.outputs.Topic }}"'),
    ],
    ...services.map((seconds, index): [string, string] => [
      `services/work-${index}/service.yaml`,
      `service: work-${index}
template: work@1.0.0
owner: bench
inputs: { seconds: ${seconds} }
stages:
${stages.map((stage) => `  ${stage}: {}\n`).join('')}`,
    ]),
  ])
}

if (import.meta.main) process.stdout.write(`${await graphTable()}\n`)
