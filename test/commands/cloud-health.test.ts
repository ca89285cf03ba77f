import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Outcome } from '../../src/command.ts'
import { deploy } from '../../src/commands/deploy.ts'
import { drift } from '../../src/commands/drift.ts'
import type { Answer } from '../../src/core/health.ts'
import { plain } from '../../src/core/report.ts'
import type { FileTree } from '../../src/core/tree.ts'
import { provisionerOf } from '../adapters/cloudformation-world.ts'
import type { FakeCloudFormation } from '../fakes/cloudformation/server.ts'
import { startCloudFormation } from '../fakes/cloudformation/server.ts'
import { small } from './organisation.ts'
import type { World } from './ports.ts'
import { run, worldOf } from './ports.ts'

/** One service in one stage, whose stacks are those of CloudFormation. */
function shop(size: number): Map<string, string> {
  const tree = new Map(
    small({ stages: ['dev'], services: { cart: { size, topics: 1 } }, provisioner: 'cloudformation' }),
  )
  const file = 'services/cart/service.yaml'
  return tree.set(file, `${tree.get(file) ?? ''}health: { path: /healthz, within: 60s }\n`)
}

let files: Map<string, string>
let world: World
let fake: FakeCloudFormation
let answers: readonly Answer[]
let asked = 0
beforeEach(async () => {
  files = shop(1)
  answers = [{ is: 'answered', status: 200, took: 5 }]
  asked = 0
  fake = await startCloudFormation({ account: '1'.repeat(12) })
  world = worldOf(() => files)
  const { ports } = world
  world = {
    ...world,
    ports: {
      ...ports,
      clock: fake.clock,
      provisioner: async () => provisionerOf(fake),
      probe: async () => {
        asked += 1
        return answers[asked - 1] ?? answers.at(-1) ?? { is: 'failed', why: 'other', took: 0 }
      },
      files: {
        ...ports.files,
        write: async (_root, tree: FileTree) => {
          for (const [path, text] of tree) files.set(path, text)
        },
      },
    },
  }
})
afterEach(async () => {
  world.end()
  await fake[Symbol.asyncDispose]()
})

function outcomeOf({ data }: Outcome, unit: string): unknown {
  const units: { unit?: string }[] = JSON.parse(JSON.stringify(data['units']))
  return units.find((each) => each.unit === unit)
}

function delay(): unknown {
  return fake.stack('cart-dev', { account: '1'.repeat(12), region: 'eu-west-1' })?.resources.get('Queue')?.properties[
    'DelaySeconds'
  ]
}

const where = { account: '1'.repeat(12), region: 'eu-west-1' }

describe('stacks of CloudFormation', () => {
  test('whose service is not healthy go back to the template, the parameters and the tags that they had', async () => {
    expect((await run(deploy, world)).exit).toBe('done')
    const before = fake.stack('cart-dev', where)
    files = shop(2)
    answers = [{ is: 'answered', status: 503, took: 5 }]

    const outcome = await run(deploy, world)

    expect(outcome.exit).toBe('failed')
    expect(outcomeOf(outcome, 'cart/dev')).toMatchObject({
      why: expect.stringContaining('What ran before runs again.'),
      failure: { status: 'UPDATE_COMPLETE', rolledBack: true },
    })
    const after = fake.stack('cart-dev', where)
    expect(after?.status).toBe('UPDATE_COMPLETE')
    expect(after?.config).toEqual(before?.config)
    expect(delay()).toBe(1)
    expect(after?.changeSets.filter(({ execution }) => execution === 'AVAILABLE')).toEqual([])
  })

  test('that were changed by hand are found, and brought back', async () => {
    await run(deploy, world)
    fake.drift({ stack: 'cart-dev', logicalId: 'Queue', properties: { DelaySeconds: 30 }, where })

    const found = await run(drift, world)
    const mended = await run(drift, world, { mend: ['true'], yes: ['true'] })

    expect(found).toMatchObject({
      exit: 'different',
      data: {
        drift: [{ unit: 'cart/dev', property: 'DelaySeconds', expected: '1', actual: '30', from: 'inputs.size' }],
      },
    })
    expect(mended.exit).toBe('done')
    expect((await run(drift, world)).exit).toBe('done')
  })

  test('that were changed by hand are told with who did it, where CloudTrail knows', async () => {
    await run(deploy, world)
    fake.drift({ stack: 'cart-dev', logicalId: 'Queue', properties: { DelaySeconds: 30 }, where })
    const name = fake.stack('cart-dev', where)?.resources.get('Queue')?.physicalId ?? ''
    const EventTime = new Date('2026-11-25T11:30:59Z')
    fake.runs({ trail: [{ names: [name], EventName: 'SetQueueAttributes', Username: 'ana\u001b[1m', EventTime }] })

    const found = await run(drift, world)
    fake.fault({ match: 'LookupEvents', kind: 'denied' })
    const denied = await run(drift, world)

    const at = '2026-11-25T11:30:59.000Z'
    expect(found.data['drift']).toMatchObject([{ property: 'DelaySeconds', by: { call: 'SetQueueAttributes', at } }])
    expect(found.text(plain)).toContain(
      'Queue of cart/dev was changed last by ana\\u001b[1m (SetQueueAttributes) at 2026-11-25 11:30 UTC.',
    )
    expect(denied.exit).toBe('different')
    expect(JSON.stringify(denied.data['drift'])).not.toContain('SetQueueAttributes')
    expect(denied.text(plain)).toContain(
      'Who has changed cart/dev is not told: the role may not call cloudtrail:LookupEvents.',
    )
  })

  test('that were changed by hand are taken into the files, which then deploy what runs', async () => {
    await run(deploy, world)
    fake.drift({ stack: 'cart-dev', logicalId: 'Queue', properties: { DelaySeconds: 30 }, where })

    expect((await run(drift, world, { accept: ['true'] })).exit).toBe('done')
    expect(files.get('services/cart/service.yaml')).toContain('inputs: { size: 30, topics: 1 }')
    expect((await run(deploy, world)).exit).toBe('done')
    expect((await run(drift, world)).exit).toBe('done')
  })
})
