import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Outcome, Ports } from '../../src/command.ts'
import { deploy } from '../../src/commands/deploy.ts'
import { plan } from '../../src/commands/plan.ts'
import { plain } from '../../src/core/report.ts'
import type { FileTree } from '../../src/core/tree.ts'
import type { Provisioner } from '../../src/ports.ts'
import { small } from './organisation.ts'
import type { World } from './ports.ts'
import { run, worldOf } from './ports.ts'

/** A service whose queue has a name that follows an input: another name is another queue. */
function shop({ size = 1, service = '', environment = '', catalog = '' } = {}): FileTree {
  const tree = new Map(small({ stages: ['dev', 'prod'], services: { cart: { size, topics: 0 } } }))
  const add = (path: string, more: string): void => void tree.set(path, `${tree.get(path) ?? ''}${more}`)
  const file = 'templates/queue/v1/instance_infrastructure/cloudformation.yaml'
  tree.set(
    file,
    tree.get(file)?.replace('Properties: {', "Properties: { QueueName: '{{ service_instance.inputs.size }}',") ?? '',
  )
  add('services/cart/service.yaml', service)
  add('environments/dev.yaml', environment)
  add('catalog.yaml', catalog)
  return tree
}

let files: FileTree
let world: World
beforeEach(() => {
  files = shop()
  world = worldOf(() => files)
})
afterEach(() => world.end())

function outcomes({ data, exit }: Outcome): Readonly<Record<string, unknown>> {
  const units: { unit?: string; outcome?: string }[] = JSON.parse(JSON.stringify(data['units']))
  return { exit, ...Object.fromEntries(units.map(({ unit, outcome }) => [unit, outcome])) }
}

/** The same world with other stacks. */
function withStacks(change: (inner: Provisioner) => Partial<Provisioner>, more: Partial<Ports> = {}): World {
  const { provisioner } = world.ports
  return {
    ...world,
    ports: {
      ...world.ports,
      ...more,
      provisioner: async (options) => {
        const inner = await provisioner(options)
        return { ...inner, ...change(inner) }
      },
    },
  }
}

describe('what holds data', () => {
  test('is not replaced until that is acknowledged: the plan says so, and a deployment holds the unit back', async () => {
    await run(deploy, world)
    files = shop({ size: 2 })

    const planned = await run(plan, world)
    const deployed = await run(deploy, world)

    expect(planned.exit).toBe('needs-approval')
    expect(planned.problems).toMatchObject([
      { code: 'data-loss', message: expect.stringContaining('cart/dev: Queue (AWS::SQS::Queue) would be replaced') },
      { code: 'data-loss', related: [{ at: { file: 'services/cart/service.yaml', line: 1 } }] },
    ])
    expect(planned.text(plain)).toContain('Held back')
    expect(outcomes(deployed)).toMatchObject({
      exit: 'needs-approval',
      'environment/dev': 'unchanged',
      'cart/dev': 'held',
      'cart/prod': 'held',
    })
    expect(deployed.next?.[0]?.run).toContain('plan cart/dev')
    expect(deployed.problems?.map(({ code }) => code)).toContain('data-loss')
  })

  test.each([
    ['by the file of the service, for all stages', { service: 'acknowledge: [Queue]\n' }, {}, 'deployed'],
    [
      'by the file of the service, for one stage',
      { service: 'stages: { dev: { acknowledge: [Queue] } }\n' },
      {},
      'held',
    ],
    ['by an option, for one unit', {}, { acknowledge: ['cart/dev:Queue'] }, 'held'],
    [
      'by the catalog, which lets go of the type',
      { catalog: 'guard: { release: [AWS::SQS::Queue] }\n' },
      {},
      'deployed',
    ],
  ])('is replaced where it is acknowledged %s', async (_, change, given, prod) => {
    await run(deploy, world)
    files = shop({ size: 2, ...change })

    const deployed = await run(deploy, world, given)

    expect(outcomes(deployed)).toMatchObject({ 'cart/dev': 'deployed', 'cart/prod': prod })
  })

  test('is told of when it is acknowledged and nothing happens to it', async () => {
    files = shop({ service: 'acknowledge: [Queue, Topic]\n' })

    expect((await run(plan, world)).problems).toMatchObject([
      { code: 'acknowledged-nothing', severity: 'warning', at: { line: 7 } },
      { code: 'acknowledged-nothing', severity: 'warning', at: { line: 7 } },
    ])
  })

  test('cannot be acknowledged in a unit that there is not', async () => {
    expect(await run(plan, world, { acknowledge: ['cart/de:Queue', 'Queue'] })).toMatchObject({
      exit: 'bad-input',
      problems: [
        { code: 'option-value', message: expect.stringContaining('Did you mean "cart/dev"?') },
        { code: 'option-value' },
      ],
    })
  })

  test('that a reviewed plan lists keeps the digest of a plan without it as it was', async () => {
    await run(deploy, world)
    files = shop({ size: 2 })

    await run(plan, world, { out: ['plan.json'] })
    const deployed = await run(deploy, world, { plan: ['plan.json'] })

    expect(JSON.parse(world.written.get('plan.json') ?? '').units[2]).toMatchObject({
      losses: [{ logicalId: 'Queue', happens: 'replaced', isAcknowledged: false }],
    })
    expect(outcomes(deployed)).toMatchObject({ exit: 'needs-approval', 'cart/dev': 'held' })
  })
})

describe('a stack', () => {
  test('of another owner is refused, in a plan and in a deployment', async () => {
    await run(deploy, world, { owner: ['100'] })

    for (const [command, given] of [
      [plan, { owner: ['200'] }],
      [deploy, { owner: ['200'] }],
      [plan, {}],
    ] as const)
      await expect(run(command, world, given)).rejects.toMatchObject({ code: 'stack-owner' })
    await expect(run(plan, world)).rejects.toMatchObject({ remedy: expect.stringContaining('--owner 100') })
    expect((await run(plan, world, { owner: ['100'] })).text(plain)).toContain('Nothing to do')
  })

  test('belongs to whom catalog.yaml says, where nobody says otherwise', async () => {
    files = shop({ catalog: 'owner: "100"\n' })
    await run(deploy, world)

    expect((await run(plan, world)).text(plain)).toContain('Nothing to do')
    await expect(run(plan, world, { owner: ['200'] })).rejects.toMatchObject({ code: 'stack-owner' })
  })

  test('that is busy refuses a plan; a deployment waits until it is at rest', async () => {
    await run(deploy, world)
    files = shop({ size: 1, service: 'stages: { dev: { inputs: { topics: 1 } } }\n' })
    let busy = true
    const others = withStacks((inner) => ({
      state: async (stack) => (busy ? { is: 'busy', status: 'UPDATE_IN_PROGRESS' } : inner.state(stack)),
      async *follow(stack, signal) {
        busy = false
        yield* inner.follow(stack, signal)
      },
    }))

    await expect(run(plan, others)).rejects.toMatchObject({ code: 'stack-busy' })
    expect(outcomes(await run(deploy, others))).toMatchObject({ exit: 'done', 'cart/dev': 'deployed' })
  })

  test('that is stuck is mended when its turn has come, and not before', async () => {
    await run(deploy, world)
    files = shop({ service: 'stages: { dev: { inputs: { topics: 1 } } }\n' })
    const done: string[] = []
    let stuck = true
    const others = withStacks((inner) => ({
      state: async (stack) =>
        stuck && stack.name === 'cart-dev'
          ? { is: 'stuck', status: 'UPDATE_FAILED', remedy: 'Run `aws …`.', recovers: true }
          : inner.state(stack),
      async *recover(stack, signal) {
        done.push(`recover ${stack.name}`)
        stuck = false
        yield* inner.follow(stack, signal)
      },
      execute: (preview, wanted, signal) => {
        done.push(`execute ${preview.stack.name}`)
        return inner.execute(preview, wanted, signal)
      },
    }))

    expect((await run(plan, others)).exit).toBe('done')
    expect(done).toEqual([])
    expect(outcomes(await run(deploy, others))).toMatchObject({ exit: 'done', 'cart/dev': 'deployed' })
    expect(done).toEqual(['recover cart-dev', 'execute cart-dev'])
  })

  test('that only a person can mend is refused with what to do', async () => {
    const others = withStacks(() => ({
      state: async () => ({ is: 'stuck', status: 'DELETE_FAILED', remedy: 'Run `aws …`.', recovers: false }),
    }))

    for (const command of [plan, deploy])
      await expect(run(command, others)).rejects.toMatchObject({ code: 'stack-stuck', remedy: 'Run `aws …`.' })
  })

  test('that was changed by hand since it was planned is held, with the new plan', async () => {
    await run(deploy, world)
    const now = shop({ service: 'stages: { dev: { inputs: { topics: 1 } } }\n' })
    files = now
    let isFirst = true
    const others = withStacks((inner) => ({
      async *execute(preview, wanted, signal) {
        if (isFirst) {
          isFirst = false
          // Somebody else makes another queue of it meanwhile.
          const other = shop({ size: 7, service: 'acknowledge: [Queue]\n' })
          files = other
          await run(deploy, { ...world, ports: { ...world.ports, exclusive: async () => nothing } }, { stage: ['dev'] })
          files = now
        }
        yield* inner.execute(preview, wanted, signal)
      },
    }))

    const deployed = await run(deploy, others)

    expect(outcomes(deployed)).toMatchObject({ exit: 'needs-approval', 'cart/dev': 'held', 'cart/prod': 'held' })
    expect(deployed.text(plain)).toContain('was changed since it was planned')
    expect(deployed.text(plain)).toMatch(/-\+\s+Queue/u)
  })

  test('that was deleted by hand since it was planned is held, with the new plan', async () => {
    await run(deploy, world)
    files = shop({ service: 'stages: { dev: { inputs: { topics: 1 } } }\n' })
    let isFirst = true
    const others = withStacks((inner) => ({
      async *execute(preview, wanted, signal) {
        if (isFirst) {
          isFirst = false
          for await (const _ of inner.remove(preview.stack)) continue
        }
        yield* inner.execute(preview, wanted, signal)
      },
    }))

    const deployed = await run(deploy, others)

    expect(outcomes(deployed)).toMatchObject({ exit: 'needs-approval', 'cart/dev': 'held' })
    expect(outcomes(await run(deploy, world))).toMatchObject({ exit: 'done', 'cart/dev': 'deployed' })
  })

  test('whose end is not known ends the run as unfinished, with the command that takes it up', async () => {
    const others = withStacks((inner) => ({
      async *execute(preview, wanted, signal) {
        for await (const event of inner.execute(preview, wanted, signal)) if (event.kind === 'resource') yield event
        const { Refused } = await import('../../src/core/problem.ts')
        throw new Refused('outcome-unknown', 'The credentials have expired.', { remedy: 'Run it again.' })
      },
    }))

    const deployed = await run(deploy, others)

    expect(deployed.exit).toBe('unfinished')
    expect(deployed.text(plain)).toContain('The credentials have expired.')
    expect(deployed.next).toContainEqual({ run: expect.stringContaining('deploy'), why: 'do what is left' })
    expect(outcomes(await run(deploy, world))).toMatchObject({ exit: 'done' })
  })
})

const nothing: AsyncDisposable = { [Symbol.asyncDispose]: async () => {} }

describe('a preview', () => {
  const counted = () => {
    const kept = new Map<string, 'plan' | 'deployment'>()
    let made = 0
    const others = withStacks((inner) => ({
      async preview(wanted, options = {}) {
        const preview = await inner.preview(wanted, options)
        made += 1
        kept.set(`${wanted.stack.name} ${made}`, options.for ?? 'plan')
        return { ...preview, handle: `${wanted.stack.name} ${made}` }
      },
      discard: async ({ handle = '' }) => void kept.delete(handle),
      async *execute(preview, wanted, signal) {
        kept.delete(preview.handle ?? '')
        yield* inner.execute(preview, wanted, signal)
      },
    }))
    return { kept, others, made: () => made }
  }

  test('is given back after a plan, whatever comes of it', async () => {
    const { kept, others, made } = counted()

    await run(plan, others)
    expect([made(), kept.size]).toEqual([4, 0])

    await run(deploy, world, { owner: ['1'] })
    await expect(run(plan, others)).rejects.toMatchObject({ code: 'stack-owner' })
    expect(kept.size).toBe(0)
  })

  test('is used up or given back by a deployment, also of what is held', async () => {
    await run(deploy, world)
    files = shop({ size: 2 })
    const { kept, others } = counted()

    expect(outcomes(await run(deploy, others))).toMatchObject({ 'cart/dev': 'held' })
    expect(kept.size).toBe(0)
  })

  test('of a plan that is stopped is given back', async () => {
    const { kept, others } = counted()
    const controller = new AbortController()
    const stopping: World = {
      ...others,
      ports: {
        ...others.ports,
        signal: controller.signal,
        provisioner: async (options) => {
          const inner = await others.ports.provisioner(options)
          return {
            ...inner,
            preview: async (wanted, more) => {
              controller.abort()
              return inner.preview(wanted, more)
            },
          }
        },
      },
    }

    await expect(run(plan, stopping)).rejects.toMatchObject({ code: 'interrupted' })
    expect(kept.size).toBe(0)
  })
})

describe('an environment whose outputs change', () => {
  test('brings the services that read them, each with its plan', async () => {
    const now = small({
      stages: ['dev', 'prod'],
      services: { cart: { size: 1, topics: 1 }, mail: { size: 1, topics: 0 } },
    })
    files = now
    const other = worldOf(() => files)
    await run(deploy, other)
    const dev = 'environments/dev.yaml'
    files = new Map([...now, [dev, now.get(dev)?.replace('first', 'second') ?? '']])

    const planned = await run(plan, other, { services: ['environment/dev'] })
    const deployed = await run(deploy, other, { services: ['environment/dev'] })

    const units: { unit?: string; verdict?: string }[] = JSON.parse(JSON.stringify(planned.data['plan'])).units
    expect(units.map(({ unit, verdict }) => `${unit} ${verdict}`)).toEqual([
      'environment/dev update',
      'cart/dev update',
    ])
    expect(outcomes(deployed)).toEqual({ exit: 'done', 'environment/dev': 'deployed', 'cart/dev': 'deployed' })
    other.end()
  })
})

describe('a template that is not rendered', () => {
  const native = (inputs: string): FileTree => {
    const folder = 'templates/queue/v1/instance_infrastructure'
    const tree = new Map(small({ stages: ['dev'], services: { cart: { size: 1, topics: 0 } } }))
    tree.set(
      `${folder}/manifest.yaml`,
      'infrastructure:\n  templates: [{ file: cloudformation.yaml, rendering_engine: none }]\n',
    )
    tree.set(
      `${folder}/cloudformation.yaml`,
      [
        'Parameters:',
        '  Size: { Type: Number }',
        '  KeyArn: { Type: String }',
        '  Token: { Type: String, NoEcho: true }',
        'Resources:',
        '  Topic: { Type: AWS::SNS::Topic, Properties: { KmsMasterKeyId: !Ref KeyArn, DisplayName: !Sub "size ${Size}" } }',
        '  Door: { Type: AWS::SSM::Parameter, Properties: { Type: String, Value: !Ref Token } }',
        '',
      ].join('\n'),
    )
    tree.set(
      'templates/queue/v1/schema/schema.yaml',
      (tree.get('templates/queue/v1/schema/schema.yaml') ?? '').replace(
        'topics: { type: integer, maximum: 9 }',
        'token: { type: string, x-protium-secret: true }',
      ),
    )
    tree.set(
      'services/cart/service.yaml',
      `service: cart\ntemplate: queue@1.0.0\nhosts: [cart.example.com]\ninputs: ${inputs}\n`,
    )
    return tree
  }

  test('is deployed with its parameters, has nothing to do then, and shows no value of a plan', async () => {
    files = native('{ size: 1, token: /acme/token-of-cart }')
    const deployed = await run(deploy, world)
    const again = await run(plan, world)
    files = native('{ size: 2, token: /acme/token-of-cart }')
    const changed = await run(plan, world, { out: ['plan.json'] })

    expect(outcomes(deployed)).toEqual({ exit: 'done', 'environment/dev': 'deployed', 'cart/dev': 'deployed' })
    expect(again.text(plain)).toContain('Nothing to do')
    expect(changed.text(plain)).toMatch(/~\s+Topic/u)
    expect(changed.text(plain)).not.toContain('Door')
    expect(`${changed.text(plain)}${world.written.get('plan.json') ?? ''}`).not.toContain('token-of-cart')
  })
})
