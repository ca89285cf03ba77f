import { afterEach, describe, expect, test } from 'vitest'
import { chainFaults } from '../../src/core/ledger.ts'
import { Refused } from '../../src/core/problem.ts'
import type { FileTree } from '../../src/core/tree.ts'
import type { FaultKind } from '../fakes/github/faults.ts'
import type { Merging } from './merging.ts'
import { startMerging } from './merging.ts'
import { small } from './organisation.ts'

const shop = (size: number): FileTree => small({ stages: ['dev'], services: { cart: { size, topics: 2 } } })
// The ledger is asked for, so that reading it is among the requests.
const job = { services: 'cart', stage: 'dev', unfetched: true } as const

let merging: Merging
afterEach(async () => merging.close())

/** A merged commit whose environment is deployed. */
async function begin(): Promise<string> {
  merging = await startMerging(shop(1), ['dev'])
  const commit = await merging.merge(await merging.propose(shop(2)))
  await merging.deploy(commit, { services: 'environment', stage: 'dev' })
  merging.github.forget()
  return commit
}

/** How many requests the job of a stage has: each is a moment at which its runner may die. */
async function requestsOf(): Promise<number> {
  const commit = await begin()
  await merging.deploy(commit, job)
  const count = merging.github.requests().length
  await merging.close()
  return count
}

/** Run again, it is deployed, once; and run a third time there is nothing left to do. */
async function endsWell(commit: string): Promise<void> {
  const again = await merging.deploy(commit, { ...job, attempt: 2 })
  const third = await merging.deploy(commit, { ...job, attempt: 3 })

  expect([again.exit, third.exit]).toEqual(['done', 'done'])
  expect(third.data['units']).toMatchObject([{ unit: 'cart/dev', outcome: 'unchanged' }])
  const own = (await merging.deployments()).filter(({ environment }) => environment === 'cart/dev')
  expect(own).toEqual([{ environment: 'cart/dev', commit, state: 'success' }])
  // Whatever died, there is one record of it that ended well, and it is the last.
  const records = (await merging.ledger()).filter(({ unit }) => unit === 'cart/dev')
  expect(records.filter(({ outcome }) => outcome !== 'failed')).toMatchObject([{ commit }])
  expect(records.at(-1)?.outcome).toMatch(/^(?:deployed|unchanged)$/u)
  expect(chainFaults(await merging.github.files('acme/catalog', 'protium-ledger'))).toEqual([])
}

const count = await requestsOf()
const moments = Array.from({ length: count }, (_, index) => index + 1).flatMap((nth) =>
  (['before', 'after'] as const).map((when) => ({ nth, when })),
)

describe('a deployment whose runner dies at any request', () => {
  test.each(moments)('ends as it would have when it is run again: $when request $nth', async ({ nth, when }) => {
    const commit = await begin()
    const killed = new AbortController()
    const kill = (): void => killed.abort()
    merging.github.fault({ match: () => true, nth, kind: when === 'before' ? { before: kill } : { after: kill } })
    await merging.deploy(commit, { ...job, signal: killed.signal }).catch(() => undefined)
    expect(killed.signal.aborted).toBe(true)

    await endsWell(commit)
  })
})

const kinds: readonly FaultKind[] = [
  'error',
  'error-after',
  'reset',
  'reset-after',
  'truncated',
  'html',
  'secondary-limit',
  'primary-limit',
  'forbidden',
  'bad-token',
  'not-found',
  'conflict',
  'unprocessable',
]

describe('a deployment in bad weather', () => {
  const cases = kinds.flatMap((kind, index) =>
    // Each kind at every fifth request, so that all kinds and all requests have their turn.
    Array.from({ length: count }, (_, at) => ({ kind, nth: at + 1 })).filter((_, at) => at % 5 === index % 5),
  )

  test.each(cases)(
    'is done, or says what stopped it and is done when it is run again: $kind at request $nth',
    async ({ kind, nth }) => {
      const commit = await begin()
      merging.github.fault({ match: () => true, nth, kind })
      const end = await merging.deploy(commit, job).then(
        ({ exit }) => exit,
        (error: unknown) => error,
      )

      if (end !== 'done') {
        expect(end).toBeInstanceOf(Refused)
        expect(end).toMatchObject({ code: expect.stringMatching(/^github-/u), remedy: expect.stringMatching(/\S/u) })
      }
      await endsWell(commit)
    },
  )
})
