import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { cancel } from '../../src/commands/cancel.ts'
import { deploy } from '../../src/commands/deploy.ts'
import { plan } from '../../src/commands/plan.ts'
import { remove } from '../../src/commands/remove.ts'
import { status } from '../../src/commands/status.ts'
import type { Outcome } from '../../src/command.ts'
import { Refused } from '../../src/core/problem.ts'
import { plain } from '../../src/core/report.ts'
import type { FileTree } from '../../src/core/tree.ts'
import type { Provisioner } from '../../src/ports.ts'
import { small } from './organisation.ts'
import type { World } from './ports.ts'
import { run, worldOf } from './ports.ts'

const shop = small({
  stages: ['dev', 'prod'],
  services: { cart: { size: 1, topics: 1 }, mail: { size: 1, topics: 0 } },
})
const released = new Map([
  ...shop,
  ['catalog.yaml', `${shop.get('catalog.yaml') ?? ''}guard: { release: [AWS::SQS::Queue, AWS::KMS::Key] }\n`],
])

let files: FileTree
let world: World
beforeEach(() => {
  files = released
  world = worldOf(() => files)
})
afterEach(() => world.end())

function outcomes({ data, exit }: Outcome): Readonly<Record<string, unknown>> {
  const units: { unit?: string; outcome?: string }[] = JSON.parse(JSON.stringify(data['units']))
  return { exit, ...Object.fromEntries(units.map(({ unit, outcome }) => [unit, outcome])) }
}

function withStacks(change: (inner: Provisioner) => Partial<Provisioner>): World {
  const { provisioner } = world.ports
  return {
    ...world,
    ports: {
      ...world.ports,
      provisioner: async (options) => {
        const inner = await provisioner(options)
        return { ...inner, ...change(inner) }
      },
    },
  }
}

async function records(unit: string): Promise<readonly string[]> {
  const all = await (await world.ports.records(`${world.folder}/records`)).list(unit)
  return all.map(({ outcome }) => outcome)
}

/** The same without a service, as when its file was removed. */
function without(service: string): FileTree {
  return new Map([...released].filter(([path]) => !path.startsWith(`services/${service}/`)))
}

describe('what no file asks for any more', () => {
  const commit = 'c'.repeat(40)
  beforeEach(() => {
    world.end()
    world = worldOf(() => files, { commit, at: (of) => (of === commit ? released : undefined) })
  })

  test('is listed with its stack, and named like what has a file', async () => {
    await run(deploy, world)
    files = without('cart')
    const left = (unit: string, stack: string) => ({ unit, stack, since: expect.any(String), commit })

    const all = await run(status, world)
    expect(all.data['left']).toEqual([left('cart/dev', 'cart-dev'), left('cart/prod', 'cart-prod')])
    expect(all.text(plain)).toMatch(/^cart\/dev +cart-dev +\d+ s$/mu)
    expect(all.next?.[0]?.run).toMatch(/^remove cart\/dev/u)
    const own = await run(status, world, { services: ['cart'] })
    expect(own).toMatchObject({
      exit: 'done',
      data: { units: [], left: [{ unit: 'cart/dev' }, { unit: 'cart/prod' }] },
    })
    expect((await run(status, world, { services: ['mail'] })).data['left']).toEqual([])
    expect((await run(status, world, { stage: ['prod'] })).data['left']).toMatchObject([{ unit: 'cart/prod' }])
  })

  test('is told of by a plan of everything, and by no other', async () => {
    await run(deploy, world)
    const words = 'were deployed and no file asks for them any more'
    expect((await run(plan, world)).text(plain)).not.toContain(words)
    files = without('cart')
    expect((await run(plan, world)).text(plain)).toContain(
      `2 units ${words}: cart/dev and cart/prod; see \`protium status\`.`,
    )
    expect((await run(plan, world, { services: ['mail'] })).text(plain)).not.toContain(words)
  })

  test('is removed by its file: it is said how to have that back', async () => {
    await run(deploy, world)
    files = without('cart')
    const { exit, problems } = await run(remove, world, { units: ['cart'] })
    expect(exit).toBe('bad-input')
    expect(problems).toMatchObject([
      {
        code: 'unknown-unit',
        message: 'No file asks for cart any more, and the stacks cart-dev and cart-prod are left of it.',
        remedy: expect.stringMatching(
          /^Put its file back: `git -C \S+ checkout c{40} -- services\/cart\/service\.yaml`, and run `protium remove cart --root /u,
        ),
      },
    ])
    expect((await run(remove, world, { units: ['chart'] })).problems?.[0]?.message).toContain('no unit "chart"')
  })

  test('is told of without a commit where its file is in none', async () => {
    world.end()
    world = worldOf(() => files)
    await run(deploy, world, { services: ['cart/dev'] })
    files = without('cart')
    expect((await run(remove, world, { units: ['cart/dev'] })).problems?.[0]?.remedy).toContain(
      'as it was when it was deployed (`services/cart/service.yaml`)',
    )
  })

  test('counts with a creation that failed and left its stack, and without a stack that is gone', async () => {
    await run(deploy, world, { services: ['cart/dev'], fail: ['cart-dev/Queue'] })
    await run(deploy, world, { services: ['mail/dev'] })
    files = without('cart')
    expect((await run(status, world)).data['left']).toMatchObject([{ unit: 'cart/dev' }])
    rmSync(join(world.folder, 'stacks/stacks/111111111111/eu-west-1/cart-dev.json'))
    expect((await run(status, world)).data['left']).toEqual([])
  })
})

describe('remove', () => {
  test('deletes the stack of a unit once somebody has agreed, and records it', async () => {
    await run(deploy, world)

    const asked = await run(remove, world, { units: ['cart/dev'] })
    const removed = await run(remove, world, { units: ['cart/dev'], yes: ['true'] })
    const again = await run(remove, world, { units: ['cart/dev'], yes: ['true'] })

    expect(asked).toMatchObject({ exit: 'needs-approval', next: [{ run: expect.stringContaining('--yes') }] })
    expect(asked.text(plain)).toContain('cart-dev')
    expect(outcomes(removed)).toEqual({ exit: 'done', 'cart/dev': 'removed' })
    expect(outcomes(again)).toEqual({ exit: 'done', 'cart/dev': 'absent' })
    expect(await records('cart/dev')).toEqual(['deployed', 'removed'])
    const shown = await run(status, world, { services: ['cart/dev'] })
    expect(shown.data['units']).toMatchObject([{ unit: 'environment/dev' }, { outcome: 'removed', version: null }])
  })

  test('asks a person where there is one', async () => {
    await run(deploy, world)
    const questions: string[] = []
    const asked: World = {
      ...world,
      ports: { ...world.ports, confirm: async (question) => questions.push(question) > 0 },
    }

    expect(outcomes(await run(remove, asked, { units: ['mail/dev'] }))).toMatchObject({ 'mail/dev': 'removed' })
    expect(questions[0]).toContain('Delete 1 stack?')
  })

  test('takes a service with all that it has, and an environment after what lives in it', async () => {
    await run(deploy, world)

    const removed = await run(remove, world, { units: ['environment/dev', 'cart/dev', 'mail'], yes: ['true'] })

    const units: { unit?: string }[] = JSON.parse(JSON.stringify(removed.data['units']))
    expect(removed.exit).toBe('done')
    expect(units.map(({ unit }) => unit).at(-1)).toBe('environment/dev')
    expect(units).toHaveLength(4)
  })

  test('does not take an environment from under what lives in it', async () => {
    await run(deploy, world)

    await expect(run(remove, world, { units: ['environment/dev'], yes: ['true'] })).rejects.toMatchObject({
      code: 'unit-needed',
      message: expect.stringContaining('cart/dev and mail/dev'),
    })
  })

  test('does not take what holds data until that is acknowledged', async () => {
    files = shop
    await run(deploy, world)

    const held = await run(remove, world, { units: ['cart/dev'], yes: ['true'] })
    const removed = await run(remove, world, { units: ['cart/dev'], yes: ['true'], acknowledge: ['cart/dev:Queue'] })

    expect(held).toMatchObject({ exit: 'needs-approval', problems: [{ code: 'data-loss' }] })
    expect(outcomes(removed)).toMatchObject({ exit: 'done', 'cart/dev': 'removed' })
  })

  test('does not take a stack that is protected, or of another owner', async () => {
    files = new Map([
      ...released,
      [
        'catalog.yaml',
        (released.get('catalog.yaml') ?? '').replace(
          'environment: dev',
          'environment: dev, stack: { termination_protection: true }',
        ),
      ],
    ])
    await run(deploy, world, { owner: ['1'] })

    await expect(run(remove, world, { units: ['cart/dev'], owner: ['1'] })).rejects.toMatchObject({
      code: 'stack-protected',
    })
    await expect(run(remove, world, { units: ['cart/prod'], owner: ['2'] })).rejects.toMatchObject({
      code: 'stack-owner',
    })
  })

  test('that fails says what is in the way, and goes no further', async () => {
    await run(deploy, world)

    const removed = await run(remove, world, {
      units: ['environment/dev', 'cart/dev', 'mail/dev'],
      yes: ['true'],
      fail: ['cart-dev/Queue'],
    })

    expect(outcomes(removed)).toMatchObject({ exit: 'failed', 'cart/dev': 'failed', 'environment/dev': 'skipped' })
    expect(removed.text(plain)).toContain('Queue:')
    expect(await records('cart/dev')).toEqual(['deployed', 'failed'])
    expect(outcomes(await run(remove, world, { units: ['cart/dev'], yes: ['true'] }))).toMatchObject({ exit: 'done' })
  })

  test('that cannot be followed to its end is unfinished, and is taken up again', async () => {
    await run(deploy, world)
    const cut = withStacks((inner) => ({
      async *remove(stack, signal) {
        for await (const event of inner.remove(stack, signal)) if (event.kind === 'resource') yield event
        throw new Refused('outcome-unknown', 'Nobody answers.', { remedy: 'Run it again.' })
      },
    }))

    expect(outcomes(await run(remove, cut, { units: ['cart/dev'], yes: ['true'] }))).toMatchObject({
      exit: 'unfinished',
      'cart/dev': 'unfinished',
    })
  })

  test.each([[[]], [['carts']], [['cart/de']]])('takes only units that there are: %j', async (units) => {
    expect(await run(remove, world, { units })).toMatchObject({ exit: 'bad-input' })
  })
})

describe('cancel', () => {
  test('takes back an update that is under way, and waits until what ran before runs again', async () => {
    await run(deploy, world)
    files = new Map(
      [...released].map(([path, text]) => [
        path,
        path.includes('services/') ? text.replace('topics: 1', 'topics: 3') : text,
      ]),
    )
    let cancelled: Promise<Outcome> | undefined
    const asked = Promise.withResolvers<void>()
    const slow = withStacks((inner) => ({
      async *execute(preview, wanted, signal) {
        for await (const event of inner.execute(preview, wanted, signal)) {
          if (preview.stack.name === 'cart-dev') {
            const cancelling = withStacks((same) => ({
              cancel: async (stack) => same.cancel(stack).finally(asked.resolve),
            }))
            cancelled ??= run(cancel, cancelling, { units: ['cart/dev'] })
            await asked.promise
          }
          await new Promise((resolve) => setImmediate(resolve))
          yield event
        }
      },
    }))

    const deployed = await run(deploy, slow)
    const outcome = await cancelled

    expect(outcomes(deployed)).toMatchObject({ exit: 'failed', 'cart/dev': 'failed' })
    expect(deployed.text(plain)).toContain('cancelled by user')
    expect(outcome?.exit).toBe('done')
    expect(outcome?.data['units']).toEqual([
      { unit: 'cart/dev', outcome: 'cancelled', status: 'UPDATE_ROLLBACK_COMPLETE' },
    ])
    expect(outcomes(await run(deploy, world))).toMatchObject({ exit: 'done', 'cart/dev': 'deployed' })
  })

  test('does nothing where nothing is under way', async () => {
    await run(deploy, world)

    const outcome = await run(cancel, world, { units: ['cart'] })

    expect(outcomes(outcome)).toEqual({ exit: 'done', 'cart/dev': 'nothing', 'cart/prod': 'nothing' })
  })

  test('says what cannot be taken back', async () => {
    const creating = withStacks(() => ({
      state: async () => ({ is: 'busy', status: 'CREATE_IN_PROGRESS' }),
      cancel: async () => 'nothing',
    }))

    const outcome = await run(cancel, creating, { units: ['cart/dev'] })

    expect(outcomes(outcome)).toEqual({ exit: 'failed', 'cart/dev': 'refused' })
    expect(outcome.text(plain)).toContain('CREATE_IN_PROGRESS, which cannot be taken back')
  })

  test('does not touch a stack of another owner', async () => {
    await run(deploy, world, { owner: ['1'] })

    await expect(run(cancel, world, { units: ['cart/dev'], owner: ['2'] })).rejects.toMatchObject({
      code: 'stack-owner',
    })
  })
})

describe('status', () => {
  test('shows the stacks that are worked on, and those that are stuck with what to do', async () => {
    await run(deploy, world)
    const others = withStacks((inner) => ({
      state: async (stack, options) =>
        stack.name === 'cart-dev'
          ? { is: 'busy', status: 'UPDATE_IN_PROGRESS' }
          : stack.name === 'mail-dev'
            ? { is: 'stuck', status: 'UPDATE_ROLLBACK_FAILED', remedy: 'Run `aws …`.', recovers: false }
            : inner.state(stack, options),
    }))

    const shown = await run(status, others)

    expect(shown.data['units']).toMatchObject([
      {},
      {},
      { unit: 'cart/dev', outcome: 'deploying', stack: 'UPDATE_IN_PROGRESS', remedy: null },
      {},
      { unit: 'mail/dev', outcome: 'stopped', stack: 'UPDATE_ROLLBACK_FAILED', remedy: 'Run `aws …`.' },
      {},
    ])
    expect(shown.text(plain)).toContain('mail/dev is UPDATE_ROLLBACK_FAILED. Run `aws …`.')
    expect(shown.next?.[0]?.run).toContain('deploy mail/dev')
  })
})
