import { registerHooks } from 'node:module'
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Outcome } from '../../src/command.ts'
import { deploy } from '../../src/commands/deploy.ts'
import { status } from '../../src/commands/status.ts'
import { plain } from '../../src/core/report.ts'
import { provisionerOf } from '../adapters/cloudformation-world.ts'
import type { FakeCloudFormation, Running, SimulatedClock } from '../fakes/cloudformation/server.ts'
import { startCloudFormation } from '../fakes/cloudformation/server.ts'
import { small } from './organisation.ts'
import type { World } from './ports.ts'
import { run, worldOf } from './ports.ts'

const where = { account: '1'.repeat(12), region: 'eu-west-1' }

/** A service of ECS in one stage, whose size is how many tasks it has. */
function shop(size: number, more = ''): Map<string, string> {
  const tree = new Map(
    small({ stages: ['dev'], services: { cart: { size, topics: 0 } }, provisioner: 'cloudformation' }),
  )
  const service = 'services/cart/service.yaml'
  tree.set(service, `${tree.get(service) ?? ''}${more}`)
  return tree.set(
    'templates/queue/v1/instance_infrastructure/cloudformation.yaml',
    `Resources:
  Task:
    Type: AWS::ECS::TaskDefinition
    Properties:
      Family: cart
      Cpu: '{{ 256 * service_instance.inputs.size }}'
      ContainerDefinitions:
        - Name: app
          Image: cart:1
          LogConfiguration:
            LogDriver: awslogs
            Options: { awslogs-group: /cart, awslogs-region: eu-west-1, awslogs-stream-prefix: cart }
  Group: { Type: AWS::ElasticLoadBalancingV2::TargetGroup, Properties: { Port: 80, Protocol: HTTP } }
  Service:
    Type: AWS::ECS::Service
    Properties:
      Cluster: shop
      TaskDefinition: !Ref Task
      DesiredCount: {{ service_instance.inputs.size }}
      LoadBalancers: [{ TargetGroupArn: !Ref Group, ContainerName: app, ContainerPort: 80 }]
`,
  )
}

/** Modules of AWS's clients that were loaded, in the order of their loading. */
const loaded: string[] = []
const hooks = registerHooks({
  resolve: (name, context, next) => {
    const found = next(name, context)
    const client = /@aws-sdk\/(client-[a-z0-9-]+)/u.exec(found.url)?.[1]
    if (client !== undefined && !loaded.includes(client)) loaded.push(client)
    return found
  },
})
afterAll(() => hooks.deregister())

let files: Map<string, string>
let world: World
let fake: FakeCloudFormation<SimulatedClock>
beforeEach(async () => {
  files = shop(1)
  fake = await startCloudFormation({ account: where.account })
  world = worldOf(() => files)
  world = { ...world, ports: { ...world.ports, clock: fake.clock, provisioner: async () => provisionerOf(fake) } }
})
afterEach(async () => {
  world.end()
  await fake[Symbol.asyncDispose]()
})

async function deployed(): Promise<Outcome> {
  return run(deploy, world)
}

function unitOf({ data }: Outcome): unknown {
  const units: { unit?: string }[] = JSON.parse(JSON.stringify(data['units']))
  return units.find(({ unit }) => unit === 'cart/dev')
}

async function recorded(): Promise<string> {
  const last = (await (await world.ports.records(`${world.folder}/records`)).list('cart/dev')).at(-1)
  return last?.evidence ?? ''
}

/** A task of the new version that ends by itself; the secret in its log is planted. */
const crash: Running = {
  services: {
    'cart-dev/Service': {
      deployments: [
        {
          id: 'ecs-svc/1',
          status: 'PRIMARY',
          taskDefinition: 'arn:aws:ecs:eu-west-1:111111111111:task-definition/cart:2',
          desiredCount: 1,
          runningCount: 0,
          failedTasks: 3,
          rolloutState: 'FAILED',
          rolloutStateReason: 'ECS deployment circuit breaker: tasks failed to start.',
        },
      ],
      tasks: [
        {
          taskArn: 'arn:aws:ecs:eu-west-1:111111111111:task/shop/a',
          startedBy: 'ecs-svc/1',
          desiredStatus: 'STOPPED',
          stopCode: 'EssentialContainerExited',
          stoppedReason: 'Essential container in task exited',
          stoppedAt: new Date(0),
          containers: [{ name: 'app', exitCode: 1 }],
        },
      ],
    },
  },
  logs: {
    '/cart cart/app/a': ['listening on 8080', 'DB_PASSWORD=hunter2secret', 'TypeError: Invalid URL: undefined'],
  },
}

/** The task runs the definition that the stack has made, whose name only the stack knows. */
function crashing(): void {
  const made = fake.stack('cart-dev', where)?.resources.get('Task')?.physicalId ?? ''
  const [service] = Object.values(crash.services ?? {})
  const tasks = (service?.tasks ?? []).map((task) => ({ ...task, taskDefinitionArn: made }))
  fake.runs({ ...crash, services: { 'cart-dev/Service': { ...service, tasks } } })
}

const reason = "Error occurred during operation 'ECS Deployment Circuit Breaker was triggered'."

describe('a service of ECS that fails', () => {
  test('is looked at; where nothing fails nothing is asked, and no client is loaded for it', async () => {
    const first = await deployed()
    const before = { exit: first.exit, loaded: [...loaded] }
    crashing()
    fake.fail({ logicalId: 'Service', on: 'update', reason })
    files = shop(2)
    fake.forget()

    const failed = await deployed()

    expect(before.exit).toBe('done')
    expect(before.loaded.filter((client) => client !== 'client-cloudformation' && client !== 'client-sts')).toEqual([])
    expect(loaded).toEqual(expect.arrayContaining(['client-ecs', 'client-cloudwatch-logs']))
    expect(loaded).not.toContain('client-cloudtrail')
    expect(failed.exit).toBe('failed')
  })

  test('is looked at within ten seconds of its failure, before the stack has gone back', async () => {
    await deployed()
    crashing()
    fake.fail({ logicalId: 'Service', on: 'update', reason })
    files = shop(2)
    fake.forget()
    // While a module is being loaded the simulated clock goes on as if nothing were to be done.
    for (const name of ['failure', 'ecs', 'balancer', 'logs']) await import(`../../src/adapters/evidence/${name}.ts`)

    await deployed()

    const stack = fake.stack('cart-dev', where)
    const failure = stack?.events.find(({ status }) => status === 'UPDATE_FAILED')?.at.getTime() ?? 0
    const end = stack?.events.find(({ status }) => status === 'UPDATE_ROLLBACK_COMPLETE')?.at.getTime() ?? 0
    const asked = fake.requests().filter(({ service }) => service === 'ecs' || service === 'logs')
    expect(asked.map(({ action }) => action)).toContain('GetLogEvents')
    for (const { at } of asked) {
      expect(at.getTime() - failure).toBeLessThanOrEqual(10_000)
      expect(at.getTime()).toBeLessThan(end)
    }
  })

  test('is told with its exit code and the end of its log, in the terminal, as data and in its record', async () => {
    await deployed()
    crashing()
    fake.fail({ logicalId: 'Service', on: 'update', reason })
    files = shop(2)

    const failed = await deployed()

    const text = failed.text(plain)
    expect(text).toContain('app: exit code 1, Essential container in task exited')
    expect(text).toContain('TypeError: Invalid URL: undefined')
    expect(text).toContain('ECS has stopped the deployment of cart:2')
    expect(unitOf(failed)).toMatchObject({
      failure: {
        class: 'application',
        seen: expect.arrayContaining([
          {
            what: 'The last 3 lines of the log',
            lines: ['listening on 8080', 'DB_PASSWORD=***', 'TypeError: Invalid URL: undefined'],
          },
        ]),
      },
    })
    expect(await recorded()).toContain('Tasks that ended: app: exit code 1')
    expect(await recorded()).not.toContain('TypeError')
    expect(text + JSON.stringify(failed.data) + (await recorded())).not.toContain('hunter2')
    expect((await run(status, world)).text(plain)).toMatch(
      /^cart\/dev failed: Service: Error occurred [^\n]*triggered'\.$/m,
    )
  })

  test('is told without what may not be looked at, which is named', async () => {
    await deployed()
    crashing()
    fake.fail({ logicalId: 'Service', on: 'update', reason })
    fake.fault({ match: 'GetLogEvents', kind: 'denied' })
    files = shop(2)

    const failed = await deployed()

    expect(failed.text(plain)).toContain('could not be looked at: the role may not call logs:GetLogEvents.')
    expect(failed.text(plain)).toContain('app: exit code 1')
  })

  test('whose image may not be pulled convicts security', async () => {
    await deployed()
    crashing()
    const [service] = Object.values(crash.services ?? {})
    const denied =
      'CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref cart:1: unexpected status: 403 Forbidden'
    const tasks = (service?.tasks ?? []).map((task) => ({
      ...task,
      stopCode: 'TaskFailedToStart',
      stoppedReason: denied,
      containers: [{ name: 'app' }],
    }))
    fake.runs({ services: { 'cart-dev/Service': { ...service, tasks } } })
    fake.fail({ logicalId: 'Service', on: 'update', reason })
    files = shop(2)

    expect(unitOf(await deployed())).toMatchObject({
      failure: {
        suspects: expect.arrayContaining([
          { suspect: 'security', is: 'convicted', evidence: [`Denied: ${denied}`] },
          expect.objectContaining({ suspect: 'code', is: 'cleared' }),
        ]),
      },
    })
  })
})

describe('health from the cloud', () => {
  const health = 'health: { from: cloud, within: 60s }\n'
  const rollingOut = (): Running => ({
    services: {
      'cart-dev/Service': {
        deployments: [
          { id: 'ecs-svc/1', status: 'PRIMARY', desiredCount: 1, runningCount: 0, rolloutState: 'IN_PROGRESS' },
        ],
      },
    },
  })

  test('is that of a service which is steady', async () => {
    files = shop(1, health)

    const outcome = await deployed()

    expect(outcome.exit).toBe('done')
    expect(unitOf(outcome)).toMatchObject({
      health: { ok: true, words: '1 of 1 service steady and 1 of 1 target healthy' },
    })
  })

  test('of a service that does not become steady in its time sends it back, with what was seen of it', async () => {
    files = shop(1, health)
    await deployed()
    crashing()
    fake.runs(rollingOut())
    files = shop(2, health)

    const outcome = await deployed()

    expect(outcome.exit).toBe('failed')
    expect(unitOf(outcome)).toMatchObject({
      why: expect.stringMatching(
        /0 of 1 service steady and 1 of 1 target healthy; it was waited for 60 s\. What ran before runs again\./,
      ),
      failure: { status: 'UPDATE_COMPLETE', rolledBack: true },
    })
    const service = fake.stack('cart-dev', where)?.resources.get('Service')
    expect(service?.properties['DesiredCount']).toBe(1)
  })

  test('of a service that answers its load balancer with an error is a failure of the application, which can be reached', async () => {
    files = shop(1, health)
    await deployed()
    const [state, code] = ['unhealthy', 'Target.ResponseCodeMismatch']
    const reason = 'Health checks failed with these codes: [503]'
    fake.runs({
      targets: {
        'cart-dev/Group': [
          { Target: { Id: '10.0.0.9' }, TargetHealth: { State: state, Reason: code, Description: reason } },
        ],
      },
    })
    files = shop(2, health)

    const outcome = await deployed()

    expect(unitOf(outcome)).toMatchObject({
      why: expect.stringContaining(`1 of 1 service steady and 0 of 1 target healthy (${reason})`),
      failure: {
        class: 'application',
        rolledBack: true,
        suspects: expect.arrayContaining([
          expect.objectContaining({ suspect: 'firewall', is: 'cleared' }),
          expect.objectContaining({
            suspect: 'code',
            evidence: ['It answers the load balancer’s health check with another status than was expected.'],
          }),
        ]),
        seen: expect.arrayContaining([
          { what: 'Targets of the load balancer', lines: [`${state}, ${code}, ${reason}`] },
        ]),
      },
    })
  })

  test('of a service that ECS has taken back by itself is told at once', async () => {
    files = shop(1, health)
    await deployed()
    crashing()
    files = shop(2, health)

    const outcome = await deployed()

    expect(unitOf(outcome)).toMatchObject({
      outcome: 'failed',
      why: expect.stringMatching(/runs cart:2 although cart:\d was deployed|the deployment of .* has failed/),
      failure: { rolledBack: true, seen: expect.arrayContaining([expect.objectContaining({ what: 'ECS' })]) },
    })
  })

  test('that may not be asked for is not known: the stage has failed, and nothing is taken back', async () => {
    files = shop(1, health)
    await deployed()
    fake.fault({ match: 'DescribeServices', times: 9, kind: 'denied' })
    files = shop(2, health)

    const outcome = await deployed()

    expect(unitOf(outcome)).toMatchObject({
      outcome: 'failed',
      why: expect.stringMatching(
        /the role may not call ecs:DescribeServices\..*It is not known whether it is healthy, so it stays/,
      ),
      failure: { rolledBack: false },
    })
    expect(fake.stack('cart-dev', where)?.resources.get('Service')?.properties['DesiredCount']).toBe(2)
  })
})
