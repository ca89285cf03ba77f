import { afterEach, expect, test } from 'vitest'
import type { FileTree } from '../../src/core/tree.ts'
import type { Merging } from './merging.ts'
import { startMerging } from './merging.ts'
import { small } from './organisation.ts'

const policy = `policy:
  rules:
    - name: short-delays
      text: Longer delays are talked over with @acme/queues.
      resources: AWS::SQS::Queue
      property: DelaySeconds
      at_most: 60
`

/** The cart with a delay of ten minutes, which a waiver lets through until a day. */
function shop(topics: number, expires: string): FileTree {
  const tree = small({ stages: ['dev'], services: { cart: { size: 600, topics } } })
  const waiver = `rule: short-delays\nservice: cart\nowner: "@acme/cart"\nreason: The old reader needs @everyone.\nexpires: ${expires}\n`
  const own: readonly (readonly [string, string])[] = [
    ['catalog.yaml', `${tree.get('catalog.yaml') ?? ''}${policy}`],
    ['waivers/slow-reader.yaml', waiver],
  ]
  return new Map([...tree, ...own].toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

let merging: Merging
afterEach(async () => merging.close())

test('a waiver is shown on the pull request, and holds what was merged when its day comes before the deployment', async () => {
  let now = new Date('2026-11-25T12:00:00Z')
  merging = await startMerging(shop(0, '2026-12-01'), ['dev'], { now: () => now })
  const pull = await merging.propose(shop(1, '2026-12-01'))
  const [comment = ''] = await merging.comments(pull, 'plan')
  expect(comment).toContain(
    '**Waived until 2026-12-01** by `@acme/cart`: `DelaySeconds` of Queue is more than 60 in `cart/dev` (`templates/queue/v1/instance_infrastructure/cloudformation.yaml:4`). Rule `short-delays`: Longer delays are talked over with `@acme/queues`. Because: The old reader needs `@everyone`.',
  )
  const commit = await merging.merge(pull)
  expect((await merging.deploy(commit, { services: 'environment', stage: 'dev' })).exit).toBe('done')

  now = new Date('2026-12-01T00:00:00Z')
  const held = await merging.deploy(commit, { services: 'cart', stage: 'dev' })
  expect(held.exit).toBe('needs-approval')
  expect((await merging.ledger()).filter(({ unit }) => unit === 'cart/dev')).toEqual([])
  const waiting = await merging.board()
  expect(waiting.waiting).toMatchObject([
    {
      unit: 'cart/dev',
      commit,
      gates: [
        {
          gate: 'policy',
          is: 'held',
          why: expect.stringContaining('The waiver slow-reader has ended on 2026-12-01.'),
          by: ['@acme/cart'],
        },
      ],
    },
  ])

  // Another day is agreed upon, in the catalog, and what waits comes along.
  const later = await merging.merge(await merging.propose(shop(1, '2026-12-31')))
  expect((await merging.deploy(later, { services: 'cart', stage: 'dev' })).exit).toBe('done')
  expect((await merging.ledger()).filter(({ unit }) => unit === 'cart/dev')).toMatchObject([
    { outcome: 'deployed', commit: later },
  ])
  expect((await merging.board()).waiting).toEqual([])
})
