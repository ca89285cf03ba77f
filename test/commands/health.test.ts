import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { folderRecords } from '../../src/adapters/records.ts'
import type { Ports } from '../../src/command.ts'
import { deploy } from '../../src/commands/deploy.ts'
import type { Answer, CloudHealth } from '../../src/core/health.ts'
import { plain } from '../../src/core/report.ts'
import type { FileTree } from '../../src/core/tree.ts'
import type { DeploymentRecord, Provisioner } from '../../src/ports.ts'
import { join } from 'node:path'
import { small } from './organisation.ts'
import type { World } from './ports.ts'
import { run, worldOf } from './ports.ts'

const name = "Properties: { QueueName: 'q{{ service_instance.inputs.size }}',"

/** One service in two stages, with what its file says of health; `replaces` lets another size be another queue. `watched` adds targets. */
function shop({ size = 1, health = '/healthz', more = '', replaces = false, watched = false } = {}): FileTree {
  const tree = new Map(small({ stages: ['dev', 'prod'], services: { cart: { size, topics: 0 } } }))
  const file = 'services/cart/service.yaml'
  tree.set(file, `${tree.get(file) ?? ''}health: ${health}\n${more}`)
  const template = 'templates/queue/v1/instance_infrastructure/cloudformation.yaml'
  const targets = 'Targets: { Type: AWS::ElasticLoadBalancingV2::TargetGroup }'
  if (watched) tree.set(template, tree.get(template)?.replace('Resources:', `Resources:\n  ${targets}`) ?? '')
  if (replaces) tree.set(template, tree.get(template)?.replace('Properties: {', name) ?? '')
  return tree
}

let files: FileTree
let world: World
beforeEach(() => {
  files = shop()
  world = worldOf(() => files)
})
afterEach(() => world.end())

type Told = {
  readonly outcome?: string
  readonly why?: string
  readonly health?: { readonly ok: boolean; readonly words: string }
  readonly failure?: Readonly<Record<string, unknown>>
}

async function deployed(
  given: Readonly<Record<string, readonly string[]>> = {},
  of: World = world,
): Promise<{ readonly exit: string; readonly units: Readonly<Record<string, Told>>; readonly text: string }> {
  const { data, exit, text } = await run(deploy, of, given)
  const units: (Told & { readonly unit: string })[] = JSON.parse(JSON.stringify(data['units']))
  return { exit, units: Object.fromEntries(units.map(({ unit, ...each }) => [unit, each])), text: text(plain) }
}

async function recorded(unit: string): Promise<DeploymentRecord | undefined> {
  return (await folderRecords(join(world.folder, 'records')).list(unit, { latest: 1 })).at(-1)
}

async function sizeOf(unit: string, of: World = world): Promise<unknown> {
  const [service = '', stage = ''] = unit.split('/')
  const provisioner = await of.ports.provisioner({ name: 'local', folder: join(of.folder, 'stacks'), fail: [] })
  const account = stage === 'dev' ? '1' : '2'
  const state = await provisioner.state({
    name: `${service}-${stage}`,
    account: account.repeat(12),
    region: 'eu-west-1',
  })
  return state.is === 'settled' ? JSON.parse(JSON.stringify(state.body)).Resources.Queue.Properties.DelaySeconds : state
}

/** The same world whose stacks are real: their addresses are asked, and answer so in turn; the last answer stays. */
function real({
  answers = [],
  cloud = [],
  more = {},
  change = () => ({}),
}: {
  readonly answers?: readonly Answer[]
  readonly cloud?: readonly CloudHealth[]
  readonly more?: Partial<Ports>
  readonly change?: (inner: Provisioner) => Partial<Provisioner>
} = {}): World & { readonly asked: string[] } {
  const asked: string[] = []
  const { provisioner } = world.ports
  let looks = 0
  return {
    ...world,
    asked,
    ports: {
      ...world.ports,
      probe: async (url) => {
        const answer = answers[asked.length] ?? answers.at(-1) ?? { is: 'failed', why: 'other', took: 0 }
        asked.push(url)
        return answer
      },
      provisioner: async (options) => {
        const { answer: _rehearsed, ...inner } = await provisioner(options)
        const health: Provisioner['health'] = async () => {
          looks += 1
          return cloud[looks - 1] ?? cloud.at(-1) ?? { is: 'unknown', words: 'nothing is known' }
        }
        return { ...inner, health, ...change(inner) }
      },
      ...more,
    },
  }
}

const answered = (status: number): Answer => ({ is: 'answered', status, took: 12 })
const failed = (why: 'timeout' | 'refused' | 'unresolved' | 'certificate' | 'other'): Answer => ({
  is: 'failed',
  why,
  took: 12,
})
const good = answered(200)

describe('a unit that is healthy', () => {
  test('is deployed, and that is told and recorded', async () => {
    const { exit, units } = await deployed()

    expect(exit).toBe('done')
    expect(units['cart/dev']).toMatchObject({ outcome: 'deployed', health: { ok: true, words: '200, rehearsed' } })
    expect(units['environment/dev']).not.toHaveProperty('health')
    expect(await recorded('cart/dev')).toMatchObject({ outcome: 'deployed', health: { ok: true } })
    expect(world.progress.find(({ unit, is }) => unit === 'cart/dev' && is === 'deployed')?.detail).toBe(
      '1 resource, 200, rehearsed',
    )
  })

  test('is asked five times at its own host, and not again while nothing changes', async () => {
    const of = real({ answers: [good] })

    const { units } = await deployed({ stage: ['dev'] }, of)
    await deployed({ stage: ['dev'] }, of)

    expect(of.asked).toEqual(Array.from({ length: 5 }, () => 'https://cart.dev.example.com/healthz'))
    expect(units['cart/dev']?.health).toEqual({ ok: true, words: '200 in 12 ms, 5 of 5 checks' })
  })

  test('may need a while', async () => {
    const of = real({ answers: [failed('refused'), failed('refused'), answered(503), good] })

    expect((await deployed({ stage: ['dev'] }, of)).units['cart/dev']).toMatchObject({
      outcome: 'deployed',
      health: { ok: true },
    })
    expect(of.asked).toHaveLength(8)
  })

  test('answers as its stage says, where that says otherwise', async () => {
    files = shop({ more: 'stages: { prod: { health: { path: /ready, status: 204 } } }\n' })
    const of = real({ answers: [...Array.from({ length: 5 }, () => good), answered(204)] })

    expect((await deployed({}, of)).units).toMatchObject({
      'cart/dev': { outcome: 'deployed' },
      'cart/prod': { outcome: 'deployed', health: { words: expect.stringContaining('204') } },
    })
    expect(of.asked.at(-1)).toBe('https://cart.example.com/ready')
  })

  test('is not asked where its file says nothing of health', async () => {
    files = small({ stages: ['dev'], services: { cart: { size: 1, topics: 0 } } })
    const of = real()

    expect((await deployed({}, of)).exit).toBe('done')
    expect(of.asked).toEqual([])
    expect(await recorded('cart/dev')).not.toHaveProperty('health')
  })
})

describe('a unit that is not healthy in its time', () => {
  test('goes back to what ran before, has failed, and goes no further', async () => {
    await deployed()
    files = shop({ size: 2 })

    const { exit, units, text } = await deployed({ fail: ['health:cart/dev=503'] })

    expect(exit).toBe('failed')
    expect(units['cart/dev']).toMatchObject({
      outcome: 'failed',
      why: '/healthz answered 503; 200 was expected. What ran before runs again.',
      health: { ok: false },
      failure: { status: 'UPDATE_COMPLETE', rolledBack: true, class: 'application' },
    })
    expect(units['cart/prod']?.outcome).toBe('skipped')
    expect(await sizeOf('cart/dev')).toBe(1)
    expect(text).toContain('rolled back: what ran before runs again')
    expect(text).toContain('1. This failure was rehearsed')
    expect(await recorded('cart/dev')).toMatchObject({
      outcome: 'failed',
      health: { ok: false, words: '/healthz answered 503; 200 was expected' },
    })
  })

  test('is deployed when it is healthy at the next attempt', async () => {
    await deployed()
    files = shop({ size: 2 })
    await deployed({ fail: ['health:cart/dev=503'] })

    const { exit } = await deployed()

    expect(exit).toBe('done')
    expect(await sizeOf('cart/dev')).toBe(2)
    expect(await sizeOf('cart/prod')).toBe(2)
  })

  test('stays at its first creation, for there is nothing to go back to, and is asked again', async () => {
    const { units, text } = await deployed({ fail: ['health:cart/dev=timeout'] })

    expect(units['cart/dev']).toMatchObject({
      outcome: 'failed',
      why: expect.stringContaining('There is nothing before it to go back to'),
      failure: { status: 'CREATE_COMPLETE', rolledBack: false },
    })
    expect(text).toContain('the new version runs, and was not seen to be healthy')
    expect((await deployed({ fail: ['health:cart/dev=timeout'] })).units['cart/dev']).toMatchObject({
      outcome: 'failed',
      why: expect.stringContaining('There is nothing before it to go back to'),
    })
    expect((await deployed()).units).toMatchObject({
      'cart/dev': { outcome: 'unchanged', health: { ok: true } },
      'cart/prod': { outcome: 'deployed' },
    })
    expect((await deployed()).units['cart/dev']).not.toHaveProperty('health')
  })

  test('keeps what holds data: it is not rolled back where that would replace it', async () => {
    files = shop({ replaces: true })
    await deployed()
    files = shop({ size: 2, replaces: true })
    const held = { fail: ['health:cart/dev=503'], yes: ['true'] }
    const acknowledged = { ...held, acknowledge: ['cart/dev:Queue'] }
    const of = real({
      answers: [answered(503)],
      // The guard of the way back is tried by a change that becomes a replacement only in that direction.
      change: (inner) => ({
        preview: async (wanted, options) => {
          const preview = await inner.preview(wanted, options)
          const isBack = JSON.stringify(wanted.body).includes('"DelaySeconds":1')
          return isBack
            ? preview
            : { ...preview, changes: preview.changes.map((each) => ({ ...each, action: 'update' as const })) }
        },
      }),
    })

    const kept = await deployed(held, of)

    expect(kept.units['cart/dev']).toMatchObject({
      outcome: 'failed',
      why: expect.stringContaining('It was not rolled back, because data would be lost: Queue'),
      failure: { rolledBack: false },
    })
    expect(await sizeOf('cart/dev')).toBe(2)
    files = shop({ size: 3, replaces: true })
    expect((await deployed(acknowledged)).units['cart/dev']).toMatchObject({ failure: { rolledBack: true } })
  })

  test('says so when it cannot be rolled back', async () => {
    await deployed()
    files = shop({ size: 2 })
    let executions = 0
    const of = real({
      answers: [answered(503)],
      change: (inner) => ({
        async *execute(preview, wanted, signal) {
          executions += 1
          if (executions === 1) yield* inner.execute(preview, wanted, signal)
          else {
            const at = new Date(0)
            yield { kind: 'resource', at, logicalId: 'Queue', type: 'T', status: 'UPDATE_FAILED', reason: 'Denied.' }
            yield { kind: 'stack', at, status: 'UPDATE_ROLLBACK_COMPLETE' }
          }
        },
      }),
    })

    const { units } = await deployed({ stage: ['dev'] }, of)

    expect(units['cart/dev']).toMatchObject({
      outcome: 'failed',
      why: expect.stringContaining('It could not be rolled back: Queue: Denied.'),
      failure: { status: 'UPDATE_ROLLBACK_COMPLETE', rolledBack: false },
    })
  })

  test.each([
    [answered(503), 'application', 'It can be reached, and answers.', 'answered 503'],
    [failed('timeout'), 'unknown', '', 'gave no answer in time'],
    [failed('refused'), 'unknown', '', 'refused the connection'],
    [failed('unresolved'), 'unknown', '', 'has a name that DNS does not know'],
    [failed('certificate'), 'unknown', '', 'has a certificate that is not trusted'],
  ] as const)('is told with what answered as evidence: %j', async (answer, kind, firewall, words) => {
    await deployed()
    files = shop({ size: 2, health: '{ path: /healthz, within: 90s }' })

    const { units } = await deployed({ stage: ['dev'] }, real({ answers: [answer] }))

    const { failure } = units['cart/dev'] ?? {}
    expect(failure).toMatchObject({
      class: kind,
      reason: expect.stringContaining(`/healthz ${words}; 200 was expected`),
    })
    const evidence = JSON.stringify(failure?.['suspects'])
    if (firewall !== '') expect(evidence).toContain(firewall)
    expect(JSON.stringify(failure?.['suspects'])).not.toContain(`"suspect":"code","is":"convicted"`)
  })
})

describe('a run that is stopped while it asks', () => {
  test('is taken up by the next: what was deployed and is not proved is asked again', async () => {
    const stop = new AbortController()
    const of = real({ answers: [answered(503)] })
    const stopping: World = {
      ...of,
      ports: {
        ...of.ports,
        signal: stop.signal,
        probe: async () => {
          stop.abort()
          throw stop.signal.reason
        },
      },
    }

    const cut = await deployed({ stage: ['dev'] }, stopping)
    const again = real({ answers: [good] })
    const next = await deployed({ stage: ['dev'] }, again)

    expect(cut.exit).toBe('unfinished')
    expect(cut.units['cart/dev']?.outcome).toBe('skipped')
    expect(next.units['cart/dev']).toMatchObject({ outcome: 'unchanged', health: { ok: true } })
    expect(again.asked).toHaveLength(5)
    expect(await recorded('cart/dev')).toMatchObject({ outcome: 'unchanged', health: { ok: true } })
  })
})

describe('health that the cloud tells', () => {
  const cloud = '{ from: cloud, within: 60s }'

  test('is not asked for of what the cloud does not watch: the file says so on its line', async () => {
    files = shop({ more: 'stages: { prod: { health: { from: cloud } } }\n' })

    expect(await run(deploy, world)).toMatchObject({
      exit: 'bad-input',
      problems: [{ code: 'health-unwatched', at: { file: 'services/cart/service.yaml', line: 8, column: 27 } }],
    })
  })

  test('is waited for', async () => {
    files = shop({ health: cloud, watched: true })
    const of = real({
      cloud: [
        { is: 'pending', words: '1 of 2 targets is healthy' },
        { is: 'healthy', words: '2 of 2 targets are healthy' },
      ],
    })

    expect((await deployed({ stage: ['dev'] }, of)).units['cart/dev']).toMatchObject({
      outcome: 'deployed',
      health: { ok: true, words: '2 of 2 targets are healthy' },
    })
    expect(of.asked).toEqual([])
  })

  test.each<[CloudHealth, string, boolean]>([
    [
      { is: 'pending', words: '0 of 2 targets are healthy' },
      '0 of 2 targets are healthy; it was waited for 60 s',
      true,
    ],
    [
      { is: 'gone-back', words: 'ECS went back to cart:7 by itself' },
      'ECS went back to cart:7 by itself. What ran before runs again.',
      true,
    ],
    [
      { is: 'unknown', words: 'ecs:DescribeServices is denied' },
      'It is not known whether it is healthy, so it stays',
      false,
    ],
  ])('that is %j', async (said, why, rolledBack) => {
    files = shop({ health: cloud, watched: true })
    await deployed()
    files = shop({ size: 2, health: cloud, watched: true })

    const { units } = await deployed({ stage: ['dev'] }, real({ cloud: [said] }))

    expect(units['cart/dev']).toMatchObject({
      outcome: 'failed',
      why: expect.stringContaining(why),
      failure: { rolledBack },
    })
  })
})
