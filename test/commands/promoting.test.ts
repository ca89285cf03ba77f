import { afterEach, describe, expect, test } from 'vitest'
import type { Outcome } from '../../src/command.ts'
import { chainFaults } from '../../src/core/ledger.ts'
import type { FileTree } from '../../src/core/tree.ts'
import { plain } from '../../src/core/report.ts'
import type { Job, Merging } from './merging.ts'
import { startMerging } from './merging.ts'
import { small } from './organisation.ts'

const stages = ['dev', 'staging', 'prod']

/** The shop, of which the cart has so many topics. */
function shop(topics: number, more: { readonly size?: number; readonly word?: string } = {}): FileTree {
  const tree = small({
    stages,
    services: { cart: { size: more.size ?? 1, topics } },
    ...(more.word !== undefined && { word: more.word }),
  })
  // In production a queue has to outlive its stack.
  const kept = 'Type: AWS::SQS::Queue\n    DeletionPolicy: Retain\n    UpdateReplacePolicy: Retain'
  const adapted = (text: string): string =>
    text
      .replace('maximum: 9 ', 'maximum: 99 ')
      .replace('Type: AWS::SQS::Queue', kept)
      .replace('environment: prod }', 'environment: prod, production: true }')
  return new Map([...tree].map(([path, text]) => [path, adapted(text)]))
}

let merging: Merging
afterEach(async () => merging.close())

function outcomes({ data }: Outcome): readonly string[] {
  const units: { unit?: string; outcome?: string }[] = JSON.parse(JSON.stringify(data['units']))
  return units.map(({ unit, outcome }) => `${unit} ${outcome}`)
}

/** The environments, and the cart in every stage: what everything below goes on from. */
async function begin(): Promise<string> {
  merging = await startMerging(shop(0, { word: 'none' }), stages)
  const commit = await merging.merge(await merging.propose(shop(1)))
  for (const services of ['environment', 'cart'])
    for (const stage of stages) expect((await merging.deploy(commit, { services, stage })).exit).toBe('done')
  return commit
}

/** As many merged commits, all planned and merged before the first of them is deployed. */
async function merged(count: number): Promise<readonly string[]> {
  const commits: string[] = []
  for (let index = 0; index < count; index += 1)
    commits.push(await merging.merge(await merging.propose(shop(index + 2))))
  return commits
}

describe('twenty merges in a minute', () => {
  test('go through three stages in their order, none is left out, and nothing waits for a person', async () => {
    await begin()
    const commits = await merged(20)
    const before = { records: (await merging.ledger()).length, deployments: (await merging.deployments()).length }
    // A queue a stage, as `concurrency` with `queue: max` makes it: who comes first is served first, and nobody is sent away.
    const queues = new Map<string, Promise<unknown>>()
    const inTurn = async (stage: string, commit: string): Promise<Outcome> => {
      const job = (queues.get(stage) ?? Promise.resolve()).then(async () =>
        merging.deploy(commit, { services: 'cart', stage }),
      )
      queues.set(stage, job)
      return job
    }
    const ends = await Promise.all(
      commits.map(async (commit) => {
        const each: string[] = []
        for (const stage of stages) each.push(...outcomes(await inTurn(stage, commit)))
        return each
      }),
    )

    expect(new Set(ends.map((each) => each.join(', ')))).toEqual(
      new Set(['cart/dev deployed, cart/staging deployed, cart/prod deployed']),
    )
    const records = (await merging.ledger()).slice(before.records)
    const deployments = (await merging.deployments()).slice(before.deployments)
    for (const stage of stages) {
      const own = records.filter(({ unit }) => unit === `cart/${stage}`)
      expect(own.map(({ commit }) => commit)).toEqual(commits)
      const told = deployments.filter(({ environment }) => environment === `cart/${stage}`)
      expect(told.map(({ commit }) => commit)).toEqual(commits)
      // Where it is not production, GitHub lets go of a deployment when the next one succeeds.
      const former = stage === 'prod' ? 'success' : 'inactive'
      expect(told.map(({ state }) => state)).toEqual([...Array.from({ length: 19 }, () => former), 'success'])
    }
    expect(chainFaults(await merging.github.files('acme/catalog', 'protium-ledger'))).toEqual([])
  }, 120_000)

  test('that come in any order leave the newest, in every stage, and each of the others says what became of it', async () => {
    await begin()
    const commits = await merged(6)
    // Runs are begun as their checks end; the second and the last but one are slow.
    const order = [0, 3, 1, 5, 2, 4]
    const ends = new Map<string, string>()
    for (const stage of stages) {
      for (const index of order) {
        const end = await merging.deploy(commits[index] ?? '', { services: 'cart', stage })
        expect(end.exit).toBe('done')
        ends.set(`${index} ${stage}`, outcomes(end).join())
        if (outcomes(end).join().endsWith('overtaken')) {
          expect(end.problems?.map(({ code, severity }) => `${code} ${severity}`)).toEqual(['commit-overtaken warning'])
          expect(end.text(plain)).toContain('overtaken by')
        }
      }
    }

    for (const stage of stages) {
      expect(order.map((index) => ends.get(`${index} ${stage}`))).toEqual([
        `cart/${stage} deployed`,
        `cart/${stage} deployed`,
        `cart/${stage} overtaken`,
        `cart/${stage} deployed`,
        `cart/${stage} overtaken`,
        `cart/${stage} overtaken`,
      ])
      const own = (await merging.ledger()).filter(({ unit }) => unit === `cart/${stage}`)
      expect(own.slice(1).map(({ commit }) => commit)).toEqual([commits[0], commits[3], commits[5]])
    }
    expect(
      (await merging.deployments()).filter(({ commit }) => [1, 2, 4].some((index) => commits[index] === commit)),
    ).toEqual([])
  }, 60_000)

  test('go no further after a newer one has failed in the stage before', async () => {
    await begin()
    const [older = '', newer = ''] = await merged(2)
    await merging.deploy(older, { services: 'cart', stage: 'dev' })
    const failed = await merging.deploy(newer, { services: 'cart', stage: 'dev', fail: 'cart-dev/Topic2' })

    expect(failed.exit).toBe('failed')
    await expect(merging.deploy(older, { services: 'cart', stage: 'staging' })).rejects.toMatchObject({
      code: 'stage-not-proved',
    })
    await expect(merging.deploy(newer, { services: 'cart', stage: 'staging' })).rejects.toMatchObject({
      code: 'stage-not-proved',
    })
  })
})

describe('a service', () => {
  test('is not left out in silence where its environment is not deployed', async () => {
    merging = await startMerging(shop(0), stages)
    const commit = await merging.merge(await merging.propose(shop(1)))
    merging.github.forget()

    await expect(merging.deploy(commit, { services: 'cart', stage: 'dev' })).rejects.toMatchObject({
      code: 'environment-missing',
      message: 'environment/dev is not deployed, and cart/dev builds on what it gives out. Nothing was touched.',
    })
    expect(await merging.deployments()).toEqual([])
    expect(await merging.ledger()).toEqual([])
  })
})

describe('the requests of a job that deploys to a stage', () => {
  test.each([
    ['that has the ledger from its checkout', {}],
    ['that asks for the ledger', { unfetched: true }],
  ] as const)('are ten at most: one %s', async (_what, how) => {
    const first = await begin()
    const next = await merging.merge(await merging.propose(shop(2)))
    const counted: string[] = []
    const count = async (name: string, commit: string, job: Omit<Job, 'services'>): Promise<void> => {
      merging.github.forget()
      const { exit } = await merging.deploy(commit, { services: 'cart', ...job, ...how })
      const own = merging.github.requests().filter(({ actor }) => actor === 'github-actions[bot]')
      counted.push(`${name}: ${exit}`)
      // A failure is told on the pull request besides: once while it goes on, once at its end, and once when it is mended; and
      // of what had waited it is said that it does no more.
      const more = { 'that fails': 4, 'again, after a failure': 2, 'that is held': 5, 'that was approved': 4 }
      const most = 10 + (Object.entries(more).find(([each]) => each === name)?.[1] ?? 0)
      expect(own.length, `${name}: ${own.map(({ operation }) => operation).join(', ')}`).toBeLessThanOrEqual(most)
    }
    await count('the first time', next, { stage: 'dev' })
    await count('again', next, { stage: 'dev', attempt: 2 })
    await count('that fails', next, { stage: 'staging', fail: 'cart-staging/Topic1' })
    await count('again, after a failure', next, { stage: 'staging', attempt: 2 })
    await count('to production', next, { stage: 'prod' })
    await count('that is late', first, { stage: 'dev', attempt: 2 })
    // Nobody has reviewed this one, so production holds it.
    const unseen = await merging.merge(await merging.propose(shop(3), { unplanned: true }))
    for (const stage of ['dev', 'staging']) await merging.deploy(unseen, { services: 'cart', stage })
    await count('that is held', unseen, { stage: 'prod' })
    await count('that was approved', unseen, { stage: 'prod', attempt: 2 })

    expect(counted).toEqual([
      'the first time: done',
      'again: done',
      'that fails: failed',
      'again, after a failure: done',
      'to production: done',
      'that is late: done',
      'that is held: needs-approval',
      'that was approved: done',
    ])
  })
})
