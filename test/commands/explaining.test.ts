import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { afterEach, describe, expect, test } from 'vitest'
import type { Outcome } from '../../src/command.ts'
import { deploy } from '../../src/commands/deploy.ts'
import { plain } from '../../src/core/report.ts'
import type { FileTree } from '../../src/core/tree.ts'
import { pointTo, provisionerOf } from '../adapters/cloudformation-world.ts'
import type { FakeCloudFormation } from '../fakes/cloudformation/server.ts'
import { startCloudFormation } from '../fakes/cloudformation/server.ts'
import { clientOf } from '../fakes/github/client.ts'
import type { Merging } from './merging.ts'
import { startMerging } from './merging.ts'
import { small } from './organisation.ts'
import type { World } from './ports.ts'
import { run, worldOf } from './ports.ts'

// When and by whom a failure is explained: through the real adapter, on the simulated clock of the fake CloudFormation.

const where = { account: '1'.repeat(12), region: 'eu-west-1' }
const templates = 'templates'
const cart = 'templates/queue/v1/instance_infrastructure/cloudformation.yaml'

function shop(size: number, template?: string): FileTree {
  const tree = small({ stages: ['dev'], services: { cart: { size, topics: 2 } }, provisioner: 'cloudformation' })
  return template === undefined ? tree : new Map([...tree, [cart, template]])
}

const worlds: World[] = []
afterEach(() => worlds.splice(0).forEach((world) => world.end()))

type Told = { readonly at: Date; readonly detail: string }

/** A machine of its own on the same cloud. Each look at what it tells of the cart is kept, with its time. */
function machineOn(
  fake: FakeCloudFormation,
  tree: () => FileTree,
  more: { readonly signal?: AbortSignal; readonly hears?: (detail: string) => void } = {},
): { readonly world: World; readonly told: readonly Told[] } {
  const told: Told[] = []
  const world = worldOf(tree, {
    ...(more.signal !== undefined && { signal: more.signal }),
    told: ({ unit, detail }) => {
      if (unit !== 'cart/dev' || detail === '') return
      told.push({ at: fake.clock.now(), detail })
      more.hears?.(detail)
    },
  })
  worlds.push(world)
  const ports = { ...world.ports, clock: fake.clock, provisioner: async () => provisionerOf(fake) }
  return { world: { ...world, ports }, told }
}

/** When the first resource failed, by the cloud's own clock. */
function failedAt(fake: FakeCloudFormation, stack: string): number {
  const events = fake.stacks(where).flatMap((each) => (each.name.startsWith(stack) ? each.events : []))
  const failed = events.filter(({ status }) => status.endsWith('_FAILED'))
  expect(failed).not.toEqual([])
  return Math.min(...failed.map(({ at }) => at.getTime()))
}

function failureOf({ data }: Outcome): unknown {
  const units: { failure: unknown }[] = JSON.parse(JSON.stringify(data['units']))
  return units.at(-1)?.failure
}

describe('a failure is explained', () => {
  test.each([15, 45, 120, 300, 900])(
    'at most ten seconds after its first event, while the rollback runs: resources that take %i seconds',
    async (seconds) => {
      await using fake = await startCloudFormation({
        account: where.account,
        durations: ({ logicalId }) => (logicalId === 'Topic1' ? seconds : 5),
      })
      const { world, told } = machineOn(fake, () => shop(1))
      fake.fail({ logicalId: 'Topic1', stack: 'cart-dev', on: 'create', reason: 'Invalid parameter: DisplayName' })

      const { exit } = await run(deploy, world, {})

      const cause = told.find(({ detail }) => detail.includes('Invalid parameter'))
      const ended = fake.stack('cart-dev', where)?.events.at(-1)?.at ?? new Date(0)
      expect(exit).toBe('failed')
      expect((cause?.at.getTime() ?? Infinity) - failedAt(fake, 'cart-dev')).toBeLessThanOrEqual(10_000)
      expect(cause?.at.getTime()).toBeLessThan(ended.getTime())
    },
    30_000,
  )

  test('by the resource in the third nested stack that failed, and as soon', async () => {
    await using fake = await startCloudFormation({
      account: where.account,
      durations: ({ logicalId }) => (logicalId === 'Inner' ? 60 : 5),
      buckets: { [templates]: where.account },
    })
    pointTo(fake)
    const s3 = new S3Client({ endpoint: fake.url, region: where.region, forcePathStyle: true })
    const address = (key: string): string => `https://${templates}.s3.${where.region}.amazonaws.com/${key}`
    const nested = (name: string, key: string): object => ({
      Resources: { [name]: { Type: 'AWS::CloudFormation::Stack', Properties: { TemplateURL: address(key) } } },
    })
    const bodies = {
      second: nested('Second', 'third'),
      third: nested('Third', 'last'),
      last: { Resources: { Inner: { Type: 'AWS::SNS::Topic', Properties: { KmsMasterKeyId: 'alias/aws/sns' } } } },
    }
    for (const [Key, body] of Object.entries(bodies))
      await s3.send(new PutObjectCommand({ Bucket: templates, Key, Body: JSON.stringify(body) }))
    const template = `Resources:\n  First: { Type: AWS::CloudFormation::Stack, Properties: { TemplateURL: '${address('second')}' } }\n`
    const { world, told } = machineOn(fake, () => shop(1, template))
    fake.fail({ logicalId: 'Inner', on: 'create', reason: 'Invalid parameter: KmsMasterKeyId' })

    const outcome = await run(deploy, world, {})

    const cause = told.find(({ detail }) => detail.includes('Invalid parameter'))
    expect(outcome.exit).toBe('failed')
    expect(failureOf(outcome)).toMatchObject({
      logicalId: 'First/Second/Third/Inner',
      at: { file: cart, line: 2 },
      cascaded: 3,
    })
    expect((cause?.at.getTime() ?? Infinity) - failedAt(fake, 'cart-dev')).toBeLessThanOrEqual(10_000)
  })

  test('with what blocks the way back, where the rollback fails too', async () => {
    await using fake = await startCloudFormation({ account: where.account, durations: () => 20 })
    let [size, topics] = [1, 2]
    const wanted = (): FileTree =>
      small({ stages: ['dev'], services: { cart: { size, topics } }, provisioner: 'cloudformation' })
    const { world } = machineOn(fake, wanted)
    expect((await run(deploy, world, {})).exit).toBe('done')
    size = 2
    topics = 3
    fake.fail({ logicalId: 'Topic2', on: 'create', reason: 'Invalid parameter: DisplayName' })
    fake.fail({ logicalId: 'Queue', on: 'rollback', reason: 'The queue is locked by somebody' })

    const outcome = await run(deploy, world, {})

    expect(fake.stack('cart-dev', where)?.status).toBe('UPDATE_ROLLBACK_FAILED')
    expect(failureOf(outcome)).toMatchObject({
      logicalId: 'Topic2',
      status: 'UPDATE_ROLLBACK_FAILED',
      rollbackBlockedBy: { resource: 'Queue', reason: 'The queue is locked by somebody' },
    })
    expect(outcome.text(plain)).toMatch(/blocks the way back +Queue: The queue is locked by somebody/)
  })

  test('by the next run, where the runner dies while it explains', async () => {
    await using fake = await startCloudFormation({ account: where.account, durations: () => 30 })
    const killed = new AbortController()
    fake.fail({ logicalId: 'Topic1', stack: 'cart-dev', on: 'create', reason: 'Invalid parameter: DisplayName' })
    const first = machineOn(fake, () => shop(1), {
      signal: killed.signal,
      hears: (detail) => {
        if (detail.includes('Invalid parameter')) killed.abort()
      },
    })
    const cut = await run(deploy, first.world, {})
    const second = machineOn(fake, () => shop(1))

    const again = await run(deploy, second.world, {})

    expect(cut.exit).toBe('unfinished')
    expect(fake.stack('cart-dev', where)?.status).toMatch(/ROLLBACK/)
    expect(again.exit).toBe('failed')
    expect(failureOf(again)).toMatchObject({
      logicalId: 'Topic1',
      reason: expect.stringContaining('Invalid parameter'),
    })
    expect(again.text(plain)).toContain('Invalid parameter: DisplayName')
  })

  test('as that of somebody else’s operation it is not taken for ours, which is waited with and then told by itself', async () => {
    await using fake = await startCloudFormation({ account: where.account, durations: () => 20 })
    let size = 1
    const ours = machineOn(fake, () => shop(size))
    expect((await run(deploy, ours.world, {})).exit).toBe('done')
    const theirs = machineOn(fake, () => shop(5))
    fake.fail({ logicalId: 'Queue', stack: 'cart-dev', on: 'update', reason: 'Theirs is wrong', times: 1 })
    const other = run(deploy, theirs.world, {})
    while (fake.stack('cart-dev', where)?.status !== 'UPDATE_IN_PROGRESS') await fake.clock.sleep(1000)
    size = 2

    const own = await run(deploy, ours.world, {})

    expect((await other).exit).toBe('failed')
    expect(failureOf(await other)).toMatchObject({ logicalId: 'Queue', reason: 'Theirs is wrong' })
    expect(own.exit).toBe('done')
    expect(ours.told.map(({ detail }) => detail).join('\n')).not.toContain('Theirs is wrong')
  })
})

describe('a failure on a pull request whose runner dies at any word of it', () => {
  const tree = (size: number): FileTree => small({ stages: ['dev'], services: { cart: { size, topics: 2 } } })
  const fail = 'cart-dev/Topic1=Invalid parameter: DisplayName'
  let merging: Merging
  afterEach(async () => merging.close())

  test.each([1, 2].flatMap((nth) => (['before', 'after'] as const).map((when) => ({ nth, when }))))(
    'is explained there once by the next run: $when request $nth about comments',
    async ({ nth, when }) => {
      merging = await startMerging(tree(1), ['dev'])
      const pull = await merging.propose(tree(2))
      const commit = await merging.merge(pull)
      await merging.deploy(commit, { services: 'environment', stage: 'dev' })
      const killed = new AbortController()
      const kill = (): void => killed.abort()
      merging.github.fault({
        match: ({ path }) => path.includes('/comments'),
        nth,
        kind: when === 'before' ? { before: kill } : { after: kill },
      })
      const job = { services: 'cart', stage: 'dev', fail } as const
      await merging.deploy(commit, { ...job, signal: killed.signal }).catch(() => undefined)
      expect(killed.signal.aborted).toBe(true)

      const again = await merging.deploy(commit, { ...job, attempt: 2 })

      const { issues } = clientOf(merging.github, { kind: 'user', login: 'ada' })
      const { data } = await issues.listComments({ owner: 'acme', repo: 'catalog', issue_number: pull.number })
      const said = data.flatMap(({ body }) => (body?.startsWith('<!-- protium:failure') === true ? [body] : []))
      expect(again.exit).toBe('failed')
      expect(said).toHaveLength(1)
      expect(said[0]).toContain('`Topic1` (`AWS::SNS::Topic`)')
      expect(said[0]).toContain('Invalid parameter: DisplayName')
    },
  )
})
