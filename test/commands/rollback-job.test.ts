import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Outcome } from '../../src/command.ts'
import { chainFaults } from '../../src/core/ledger.ts'
import { plain } from '../../src/core/report.ts'
import type { FileTree } from '../../src/core/tree.ts'
import type { Merging } from './merging.ts'
import { startMerging } from './merging.ts'
import { small } from './organisation.ts'

// One stage is enough: what another one has before it is proved beside this.
const stages = ['prod']

/** The shop, of which the cart has so many topics; in production its queue outlives the stack. */
function shop(topics: number, { table = false, word = 'first', production = true } = {}): FileTree {
  const kept = 'Type: AWS::SQS::Queue\n    DeletionPolicy: Retain\n    UpdateReplacePolicy: Retain'
  const tree = small({ stages, services: { cart: { size: 1, topics } }, word })
  return new Map(
    [...tree].map(([path, text]) => [
      path,
      text
        .replace('Type: AWS::SQS::Queue', kept)
        .replace('Resources:\n  Queue:', `Resources:\n${table ? `  Orders:\n    ${orders}\n` : ''}  Queue:`)
        .replace('environment: prod }', `environment: prod${production ? ', production: true' : ''} }`),
    ]),
  )
}

const orders = [
  'Type: AWS::DynamoDB::Table',
  'Properties:',
  '  BillingMode: PAY_PER_REQUEST',
  '  KeySchema: [{ AttributeName: id, KeyType: HASH }]',
  '  AttributeDefinitions: [{ AttributeName: id, AttributeType: S }]',
  '  PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true }',
  '  DeletionProtectionEnabled: true',
].join('\n    ')

let merging: Merging
beforeEach(async () => {
  merging = await startMerging(shop(0, { word: 'none' }), stages)
})
afterEach(async () => merging.close())

/** Merges it, and takes it through the stages. */
async function deployed(tree: FileTree, { isFirst = false } = {}): Promise<string> {
  const commit = await merging.merge(await merging.propose(tree))
  for (const services of isFirst ? ['environment', 'cart'] : ['cart'])
    for (const stage of stages) expect((await merging.deploy(commit, { services, stage })).exit).toBe('done')
  return commit
}

const prod = { unit: 'cart', stage: 'prod' }

/** What the run that showed it hands to the one that does it. */
function handedOn({ data: { to, seen } }: Outcome): Readonly<Record<string, string>> {
  if (typeof to !== 'string' || typeof seen !== 'string') throw new Error('Nothing was shown')
  return { to, seen }
}

describe('a rollback in a workflow', () => {
  test('shows the plan, then does what was shown: the ledger and a deployment tell of it', async () => {
    const first = await deployed(shop(1), { isFirst: true })
    const second = await deployed(shop(2))
    const before = await merging.ledger()

    const shown = await merging.rollback({ ...prod, show: 'true', reason: 'orders are lost' })

    expect(shown.exit).toBe('done')
    expect(await merging.ledger()).toEqual(before)
    const page = shown.page?.markdown ?? ''
    expect(page).toContain(`## cart → prod: back to \`${first.slice(0, 7)}\``)
    expect(page).toContain('- **Why:** orders are lost')
    expect(page).toContain(`\`${second.slice(0, 7)}\` and what was merged before it are not deployed there again`)
    expect(page).toMatch(/^- +Topic1 +AWS::SNS::Topic +delete$/m)

    const done = await merging.rollback({ ...prod, ...handedOn(shown), yes: 'true', reason: 'orders are lost' })

    expect(done.exit).toBe('done')
    expect(done.page?.markdown).toContain(`## cart → prod: back to \`${first.slice(0, 7)}\``)
    expect(done.page?.markdown).toContain(`rollback to \`${first.slice(0, 7)}\` by ada: orders are lost`)
    const record = (await merging.ledger()).at(-1)
    expect(record).toMatchObject({
      unit: 'cart/prod',
      outcome: 'deployed',
      commit: first,
      by: 'ana',
      rollback: { to: shown.data['to'], from: second, reason: 'orders are lost' },
    })
    expect((await merging.deployments()).at(-1)).toEqual({ environment: 'cart/prod', commit: first, state: 'success' })
    expect(chainFaults(await merging.github.files('acme/catalog', 'protium-ledger'))).toEqual([])
  })

  test('holds promotion of what was gone back from, and of what still waits before it, until there is a new commit', async () => {
    await deployed(shop(1), { isFirst: true })
    const waiting = await merging.merge(await merging.propose(shop(2)))
    const bad = await merging.merge(await merging.propose(shop(3)))
    await merging.deploy(bad, { services: 'cart', stage: 'prod' })

    await merging.rollback({ ...prod, yes: 'true', reason: 'orders are lost' })

    for (const commit of [waiting, bad]) {
      const again = merging.deploy(commit, { services: 'cart', stage: 'prod', attempt: 2 })
      await expect(again).rejects.toMatchObject({
        code: 'rolled-back',
        message: expect.stringContaining('orders are lost'),
      })
    }
    const mended = await merging.merge(await merging.propose(shop(4)))
    for (const stage of stages) expect((await merging.deploy(mended, { services: 'cart', stage })).exit).toBe('done')
  })

  test('touches nothing where another thing would be done than what was shown', async () => {
    await deployed(shop(1), { isFirst: true })
    await deployed(shop(2))
    const shown = await merging.rollback({ ...prod, show: 'true' })
    await deployed(shop(3))
    const before = await merging.ledger()

    const going = merging.rollback({ ...prod, ...handedOn(shown), yes: 'true' })

    await expect(going).rejects.toMatchObject({ code: 'plan-stale' })
    expect(await merging.ledger()).toEqual(before)
  })

  test('holds where data would be lost, until that is acknowledged', async () => {
    await deployed(shop(1, { production: false }), { isFirst: true })
    await deployed(shop(1, { production: false, table: true }))

    const shown = await merging.rollback({ ...prod, show: 'true' })
    const held = await merging.rollback({ ...prod, yes: 'true' })
    const agreed = await merging.rollback({ ...prod, yes: 'true', acknowledge: 'cart/prod:Orders' })

    expect(shown.exit).toBe('needs-approval')
    expect(shown.page?.markdown).toContain('**Held back:** `Orders`')
    expect(held.exit).toBe('needs-approval')
    expect((await merging.deployments()).at(-2)).toMatchObject({ environment: 'cart/prod', state: 'error' })
    expect(agreed.exit).toBe('done')
  })

  test.each([
    ['on another branch', {}, { ref: 'refs/heads/next' }, 'not-merged'],
    ['without anything to go back to', {}, {}, 'nothing-to-roll-back-to'],
  ])('is refused %s', async (_what, given, on, code) => {
    await deployed(shop(1), { isFirst: true })
    if (code === 'not-merged') await deployed(shop(2))

    await expect(merging.rollback({ ...prod, ...given, yes: 'true' }, on)).rejects.toMatchObject({ code })
  })

  test.each(['cart/prod', 'environment/prod'])('of one stage does not reach into another: %s', async (unit) => {
    const { exit, problems = [] } = await merging.rollback({ unit, stage: 'dev', yes: 'true' })

    expect({ exit, codes: problems.map(({ code }) => code) }).toEqual({ exit: 'bad-input', codes: ['option-value'] })
  })

  test('does not go back to a commit that was never merged, whatever a record says', async () => {
    await deployed(shop(1), { isFirst: true })
    const { head } = await merging.propose(shop(9), { unplanned: true })
    const record = {
      format: 1,
      id: '20201122T120000000Z-cart-prod',
      unit: 'cart/prod',
      stage: 'prod',
      template: 'worker',
      version: '1.0.0',
      commit: head,
      by: 'eve',
      started: '2020-11-22T12:00:00.000Z',
      finished: '2020-11-22T12:01:00.000Z',
      outcome: 'deployed',
      wants: 'x',
    }
    await merging.github.push({
      repository: 'acme/catalog',
      branch: 'protium-ledger',
      from: 'protium-ledger',
      by: 'ben',
      files: { [`records/cart/prod/2020-11/${record.id}.json`]: JSON.stringify(record) },
      message: `x\n\nRecord: records/cart/prod/2020-11/${record.id}.json`,
    })

    const going = merging.rollback({ ...prod, to: record.id, yes: 'true' })

    await expect(going).rejects.toMatchObject({ code: expect.stringMatching(/not-merged|commit-missing/) })
  })

  test('says what failed, and leaves what ran', async () => {
    await deployed(shop(2), { isFirst: true })
    const second = await deployed(shop(1))

    const failed = await merging.rollback({ ...prod, yes: 'true', fail: 'cart-prod/Topic1' })

    expect(failed.exit).toBe('failed')
    expect(failed.text(plain)).toContain('Topic1')
    expect((await merging.deployments()).at(-1)).toMatchObject({ environment: 'cart/prod', state: 'failure' })
    expect((await merging.ledger()).at(-1)).toMatchObject({ outcome: 'failed', rollback: { from: second } })
  })
})
