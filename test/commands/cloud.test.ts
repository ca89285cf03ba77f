import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Command, Outcome } from '../../src/command.ts'
import { cancel } from '../../src/commands/cancel.ts'
import { deploy } from '../../src/commands/deploy.ts'
import { plan } from '../../src/commands/plan.ts'
import { remove } from '../../src/commands/remove.ts'
import { status } from '../../src/commands/status.ts'
import { plain } from '../../src/core/report.ts'
import { provisionerOf } from '../adapters/cloudformation-world.ts'
import type { FakeCloudFormation } from '../fakes/cloudformation/server.ts'
import { startCloudFormation } from '../fakes/cloudformation/server.ts'
import { bundle, small } from './organisation.ts'
import type { World } from './ports.ts'
import { run, worldOf } from './ports.ts'

// The commands through the real adapter and the real SDK; what they do with the local provisioner is proved beside it.

/** A service whose queue is another one with another size. */
function shop(size: number, more = ''): Map<string, string> {
  const tree = new Map(
    small({ stages: ['dev'], services: { cart: { size, topics: 1 } }, provisioner: 'cloudformation' }),
  )
  const file = 'templates/queue/v1/instance_infrastructure/cloudformation.yaml'
  const service = 'services/cart/service.yaml'
  tree.set(service, `${tree.get(service) ?? ''}${more}`)
  return tree.set(
    file,
    (tree.get(file) ?? '').replace('Properties: {', "Properties: { QueueName: 'q{{ service_instance.inputs.size }}',"),
  )
}

/** A service with a queue, and a topic that can be changed without it. */
function queueAnd({
  topic,
  policy = 'Delete',
  isGone = false,
}: {
  readonly topic: string
  readonly policy?: string
  readonly isGone?: boolean
}): Map<string, string> {
  const topicLine = `  Topic: { Type: AWS::SNS::Topic, Properties: { DisplayName: '${topic}', KmsMasterKeyId: alias/aws/sns } }`
  const queueLine = `  Queue: { Type: AWS::SQS::Queue, DeletionPolicy: ${policy}, Properties: { SqsManagedSseEnabled: true } }`
  const file = 'templates/queue/v1/instance_infrastructure/cloudformation.yaml'
  return shop(1).set(file, ['Resources:', topicLine, ...(isGone ? [] : [queueLine]), ''].join('\n'))
}

const where = { account: '1'.repeat(12), region: 'eu-west-1' }

let files: Map<string, string>
let world: World
let fake: FakeCloudFormation
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

function outcomes({ data, exit }: Outcome): Readonly<Record<string, unknown>> {
  const units: { unit?: string; outcome?: string }[] = JSON.parse(JSON.stringify(data['units']))
  return { exit, ...Object.fromEntries(units.map(({ unit, outcome }) => [unit, outcome])) }
}

async function ran(command: Command, given: Readonly<Record<string, readonly string[]>> = {}): Promise<Outcome> {
  return run(command, world, given)
}

/** What was asked of CloudFormation about the stack of the service. */
const asked = (): readonly string[] =>
  fake.requests().flatMap(({ action, input }) => (JSON.stringify(input).includes('env-dev') ? [] : [action]))

const leftBehind = (): readonly unknown[] =>
  ['env-dev', 'cart-dev'].flatMap((name) =>
    (fake.stack(name, where)?.changeSets ?? []).filter(({ execution }) => execution === 'AVAILABLE'),
  )

describe('stacks of CloudFormation', () => {
  test('are planned without a trace, deployed, and have nothing to do then', async () => {
    const planned = await ran(plan)
    expect(planned.text(plain)).toContain('2 units to change')
    expect(fake.stack('cart-dev', where)).toBeUndefined()

    expect(outcomes(await ran(deploy))).toEqual({ exit: 'done', 'environment/dev': 'deployed', 'cart/dev': 'deployed' })
    expect((await ran(plan)).text(plain)).toContain('Nothing to do')
    expect((await ran(status)).data['units']).toMatchObject([
      { outcome: 'deployed' },
      { outcome: 'deployed', stack: null },
    ])
    expect(leftBehind()).toEqual([])
  })

  test('do not lose what holds data until it is acknowledged', async () => {
    await ran(deploy)
    files = shop(2)

    const planned = await ran(plan)
    const held = await ran(deploy)

    expect(planned).toMatchObject({ exit: 'needs-approval', problems: [{ code: 'data-loss' }] })
    expect(outcomes(held)).toMatchObject({ exit: 'needs-approval', 'cart/dev': 'held' })
    expect(leftBehind()).toEqual([])

    files = shop(2, 'acknowledge: [Queue]\n')
    expect(outcomes(await ran(deploy))).toMatchObject({ exit: 'done', 'cart/dev': 'deployed' })
  })

  test('belong to whom they were deployed for', async () => {
    await ran(deploy, { owner: ['100'] })

    await expect(ran(plan, { owner: ['200'] })).rejects.toMatchObject({ code: 'stack-owner' })
    await expect(ran(deploy, { owner: ['200'] })).rejects.toMatchObject({ code: 'stack-owner' })
    expect((await ran(plan, { owner: ['100'] })).text(plain)).toContain('Nothing to do')
  })

  test('whose first creation failed are made anew by the next run', async () => {
    fake.fail({ logicalId: 'Queue', on: 'create', reason: 'The queue is full.' })
    expect(outcomes(await ran(deploy))).toMatchObject({ exit: 'failed', 'cart/dev': 'failed' })
    expect(fake.stack('cart-dev', where)?.status).toBe('ROLLBACK_COMPLETE')
    expect((await ran(status)).data['units']).toMatchObject([{}, { stack: 'ROLLBACK_COMPLETE' }])

    fake.clearFailures()
    expect(outcomes(await ran(deploy))).toMatchObject({ exit: 'done', 'cart/dev': 'deployed' })
  })

  test('bring the services that read what an environment gives out', async () => {
    await ran(deploy)
    const dev = 'environments/dev.yaml'
    files = shop(1).set(dev, (files.get(dev) ?? '').replace('first', 'second'))

    const deployed = await ran(deploy, { services: ['environment/dev'] })

    expect(outcomes(deployed)).toEqual({ exit: 'done', 'environment/dev': 'deployed', 'cart/dev': 'deployed' })
    expect(fake.stack('cart-dev', where)?.resources.get('Topic0')?.properties['DisplayName']).toBe('second')
  })

  test('are updated in five requests, where the template that is deployed has nothing to tell', async () => {
    files = queueAnd({ topic: 'first' })
    await ran(deploy)
    files = queueAnd({ topic: 'second' })
    const before = asked().length

    expect(outcomes(await ran(deploy))).toMatchObject({ exit: 'done', 'cart/dev': 'deployed' })
    const once = new Set(asked().slice(before))
    expect([...once].slice(0, 4)).toEqual([
      'DescribeStacks',
      'CreateChangeSet',
      'DescribeChangeSet',
      'ExecuteChangeSet',
    ])
    expect(once).not.toContain('GetTemplate')

    // Nothing is expected to be changed now, so that the two reads go side by side.
    const then = asked().length
    await ran(deploy)
    expect(asked().slice(then).toSorted()).toEqual(['DescribeStacks', 'GetTemplate'])
  })

  test('apply a changed policy beside another change, and judge what goes by the template that is deployed', async () => {
    files = queueAnd({ topic: 'first' })
    await ran(deploy)
    files = queueAnd({ topic: 'second', policy: 'Retain' })
    await ran(deploy)
    expect(fake.stack('cart-dev', where)?.resources.get('Queue')?.deletionPolicy).toBe('Retain')

    // What goes is not in the wanted template: that it stays in the account is known from the other.
    files = queueAnd({ topic: 'second', isGone: true })
    const before = asked().length
    expect(outcomes(await ran(deploy))).toMatchObject({ exit: 'done', 'cart/dev': 'deployed' })
    expect(asked().slice(before)).toContain('GetTemplate')
    expect(leftBehind()).toEqual([])
  })

  test('are removed in their order, and cancelled only where something is under way', async () => {
    await ran(deploy)

    expect(outcomes(await ran(cancel, { units: ['cart/dev'] }))).toEqual({ exit: 'done', 'cart/dev': 'nothing' })
    const acknowledge = ['cart/dev:Queue', 'environment/dev:Key']
    const removed = await ran(remove, { units: ['environment/dev', 'cart'], yes: ['true'], acknowledge })

    expect(outcomes(removed)).toEqual({ exit: 'done', 'cart/dev': 'removed', 'environment/dev': 'removed' })
    expect(outcomes(await ran(remove, { units: ['cart/dev'], yes: ['true'] }))).toEqual({
      exit: 'done',
      'cart/dev': 'absent',
    })
  })
})

describe('services that need each other', () => {
  test('in a circle are a problem, at the place that takes what another exports', async () => {
    const template = `Resources:
  Wait: { Type: AWS::CloudFormation::WaitConditionHandle }
Outputs:
  Own: { Value: !Ref Wait, Export: { Name: "{{ service.name }}-own" } }
  Other: { Value: !ImportValue "{{ 'mail' if service.name == 'cart' else 'cart' }}-own" }
`
    const services = { cart: { size: 1, topics: 0 }, mail: { size: 1, topics: 0 } }
    files = new Map([
      ...small({ stages: ['dev'], services, provisioner: 'cloudformation' }),
      ...bundle('queue/v1', {
        kind: 'service',
        properties: 'size: { type: integer, maximum: 900 }, topics: { type: integer, maximum: 9 }',
        template,
      }),
    ])

    const planned = await ran(deploy)

    expect(planned.exit).toBe('bad-input')
    expect(planned.problems).toMatchObject([
      {
        code: 'units-cycle',
        message: expect.stringContaining('cart/dev'),
        at: { file: 'templates/queue/v1/instance_infrastructure/cloudformation.yaml', line: 5 },
      },
    ])
    expect(fake.stack('cart-dev', where)).toBeUndefined()
  })

  test('go in their order where there is no circle', async () => {
    const template = `Resources:
  Wait: { Type: AWS::CloudFormation::WaitConditionHandle }
Outputs:
{%- if service.name == 'mail' %}
  Own: { Value: !Ref Wait, Export: { Name: mail-own } }
{%- else %}
  Other: { Value: !ImportValue mail-own }
{%- endif %}
`
    const services = { cart: { size: 1, topics: 0 }, mail: { size: 1, topics: 0 } }
    const of = { kind: 'service', properties: 'size: { type: integer }, topics: { type: integer }', template } as const
    files = new Map([...small({ stages: ['dev'], services, provisioner: 'cloudformation' }), ...bundle('queue/v1', of)])

    const deployed = await ran(deploy)

    const units: { unit?: string }[] = JSON.parse(JSON.stringify(deployed.data['units']))
    expect(deployed.exit).toBe('done')
    expect(units.map(({ unit }) => unit)).toEqual(['environment/dev', 'mail/dev', 'cart/dev'])
  })
})
