import { afterEach, describe, expect, test } from 'vitest'
import type { FileTree } from '../../src/core/tree.ts'
import type { Merging } from './merging.ts'
import { startMerging } from './merging.ts'
import { small } from './organisation.ts'

const stages = ['dev', 'prod']

function shop(topics: number): FileTree {
  const tree = new Map(small({ stages, services: { cart: { size: 1, topics } } }))
  const file = 'services/cart/service.yaml'
  return tree.set(file, `${tree.get(file) ?? ''}health: /healthz\n`)
}

let merging: Merging
afterEach(async () => merging.close())

/** The descriptions of the statuses of deployments, as GitHub was told. */
function described(): readonly string[] {
  return merging.github
    .requests()
    .filter(({ operation }) => operation === 'repos/create-deployment-status')
    .map(({ body }) => JSON.stringify(body))
}

describe('the health of a service, in a job that deploys it to a stage', () => {
  test('is in the status of the deployment, the summary and the ledger; a stage that is not healthy holds the next', async () => {
    merging = await startMerging(shop(0), stages)
    const first = await merging.merge(await merging.propose(shop(1)))
    for (const services of ['environment', 'cart']) await merging.deploy(first, { services, stage: 'dev' })
    expect(described().at(-1)).toContain('; healthy: 200, rehearsed')
    const next = await merging.merge(await merging.propose(shop(2)))

    const failed = await merging.deploy(next, { services: 'cart', stage: 'dev', fail: 'health:cart/dev=503' })

    expect(failed.exit).toBe('failed')
    expect(described().at(-1)).toContain('/healthz answered 503; 200 was expected. What ran before runs again.')
    const comments = merging.github.requests().filter(({ body }) => JSON.stringify(body)?.includes('protium:failure'))
    expect(comments.map(({ operation }) => operation)).toEqual(['issues/create-comment', 'issues/update-comment'])
    expect(failed.page?.markdown).toContain('dev serves the previous version')
    expect((await merging.ledger()).at(-1)).toMatchObject({
      unit: 'cart/dev',
      outcome: 'failed',
      health: { ok: false, words: '/healthz answered 503; 200 was expected' },
    })
    await expect(merging.deploy(next, { services: 'cart', stage: 'prod' })).rejects.toMatchObject({
      code: 'stage-not-proved',
    })
    const again = await merging.deploy(next, { services: 'cart', stage: 'dev', attempt: 2 })
    expect(again.exit).toBe('done')
    expect(again.page?.markdown).toContain('200, rehearsed')
    expect((await merging.ledger()).at(-1)).toMatchObject({ outcome: 'deployed', health: { ok: true } })
  })
})
