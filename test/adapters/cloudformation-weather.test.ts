import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import type { Provisioner, WantedStack } from '../../src/ports.ts'
import { Refused } from '../../src/core/problem.ts'
import type { FakeCloudFormation } from '../fakes/cloudformation/server.ts'
import { startCloudFormation } from '../fakes/cloudformation/server.ts'
import { clientOf } from '../fakes/cloudformation/client.ts'
import { UpdateStackCommand, DeleteStackCommand } from '@aws-sdk/client-cloudformation'
import { collect, deploy, endOf, measured, provisionerOf, stack, template, wantedOf } from './cloudformation-world.ts'

type Mortal = { readonly provisioner: Provisioner; readonly dead: Promise<'killed'> }

/**
 * A run that is killed at its request number `nth`, just before or just after it took effect: its answer never comes, and whatever it would
 * do next it does not, because nothing of it wakes again.
 */
function mortal(fake: FakeCloudFormation, nth: number, when: 'before' | 'after'): Mortal {
  const killed = Promise.withResolvers<'killed'>()
  let isDead = false
  const kill = (): void => {
    isDead = true
    killed.resolve('killed')
  }
  fake.fault({ nth, kind: when === 'before' ? { before: kill } : { after: kill } })
  fake.fault({ nth, kind: when === 'before' ? 'reset' : 'reset-after' })
  const { clock } = fake
  const sleep = async (milliseconds: number, signal?: AbortSignal): Promise<void> =>
    isDead ? new Promise(() => undefined) : clock.sleep(milliseconds, signal)
  return { provisioner: provisionerOf(fake, { clock: { now: () => clock.now(), sleep } }), dead: killed.promise }
}

/** Runs a deployment that is killed, and tells how it ended if it was quicker. */
async function killedAt(fake: FakeCloudFormation, wanted: WantedStack, nth: number, when: 'before' | 'after') {
  const { provisioner, dead } = mortal(fake, nth, when)
  const ended = await Promise.race([deploy(provisioner, wanted), dead])
  fake.clearFaults()
  return ended
}

const quick = { durations: () => 1, changeSetSeconds: 1 } as const

function operationsOf(fake: FakeCloudFormation, type: string): number {
  return fake
    .stacks()
    .flatMap(({ operations }) => operations)
    .filter((operation) => operation.type === type).length
}

const guarded = {
  terminationProtection: true,
  stackPolicy: { Statement: [{ Effect: 'Allow', Action: 'Update:*', Principal: '*', Resource: '*' }] },
} as const

describe('killed at any request and run again', () => {
  test.each(['before', 'after'] as const)('a creation converges, killed %s each request', async (when) => {
    for (let nth = 1; ; nth += 1) {
      await using fake = await startCloudFormation(quick)
      const first = await killedAt(fake, wantedOf(template()), nth, when)
      expect(['CREATE_COMPLETE', 'unchanged']).toContain(await deploy(provisionerOf(fake), wantedOf(template())))
      expect(operationsOf(fake, 'CREATE_STACK')).toBe(1)
      expect(fake.stacks()).toHaveLength(1)
      expect(await deploy(provisionerOf(fake), wantedOf(template()))).toBe('unchanged')
      if (first !== 'killed') return
    }
  })

  test.each(['before', 'after'] as const)('an update converges, killed %s each request', async (when) => {
    for (let nth = 1; ; nth += 1) {
      await using fake = await startCloudFormation(quick)
      await deploy(provisionerOf(fake), wantedOf(template()))
      const wanted = wantedOf(template(5), { options: guarded })
      const first = await killedAt(fake, wanted, nth, when)
      expect(['UPDATE_COMPLETE', 'unchanged']).toContain(await deploy(provisionerOf(fake), wanted))
      expect(operationsOf(fake, 'UPDATE_STACK')).toBe(1)
      expect(fake.stack('jobs')).toMatchObject({ status: 'UPDATE_COMPLETE', terminationProtection: true })
      expect(fake.stack('jobs')?.policy).toContain('Update:*')
      expect(await deploy(provisionerOf(fake), wanted)).toBe('unchanged')
      if (first !== 'killed') return
    }
  })

  test('killed twice at random, with a template that fails in between, it converges', async () => {
    const point = fc.record({ nth: fc.integer({ min: 1, max: 24 }), when: fc.constantFrom('before', 'after') })
    await fc.assert(
      fc.asyncProperty(point, point, fc.boolean(), async (one, two, isFailing) => {
        await using fake = await startCloudFormation(quick)
        await deploy(provisionerOf(fake), wantedOf(template()))
        const wanted = wantedOf(template(5))
        if (isFailing) {
          fake.fail({ logicalId: 'Jobs', on: 'update', reason: 'No.', times: 1 })
          fake.fail({ logicalId: 'Jobs', on: 'rollback', reason: 'Not that either.', times: 1 })
        }
        await killedAt(fake, wanted, one.nth, one.when)
        await killedAt(fake, wanted, two.nth, two.when)
        let ended = ''
        for (let count = 0; count < 3 && ended !== 'unchanged'; count += 1)
          ended = await deploy(provisionerOf(fake), wanted)
        expect(ended).toBe('unchanged')
        expect(operationsOf(fake, 'UPDATE_STACK')).toBeLessThanOrEqual(isFailing ? 2 : 1)
      }),
      { numRuns: 60, seed: 6 },
    )
  }, 60_000)

  test.each(['before', 'after'] as const)('a plan leaves the stack as it is, killed %s each request', async (when) => {
    for (let nth = 1; ; nth += 1) {
      await using fake = await startCloudFormation(quick)
      await deploy(provisionerOf(fake), wantedOf(template()))
      const { provisioner, dead } = mortal(fake, nth, when)
      const plan = async (): Promise<'planned'> => {
        await provisioner.discard(await provisioner.preview(wantedOf(template(5))))
        return 'planned'
      }
      const ended = await Promise.race([plan(), dead])
      fake.clearFaults()
      expect(operationsOf(fake, 'UPDATE_STACK')).toBe(0)
      // What a plan has left, the next deployment takes away.
      await deploy(provisionerOf(fake), wantedOf(template(7)))
      expect(fake.stack('jobs')?.changeSets).toHaveLength(1)
      if (ended === 'planned') return
    }
  })
})

describe('in bad weather', () => {
  test('twenty runs at once on one stack do it once, and each learns how it ended', async () => {
    await using fake = await startCloudFormation()
    const run = async (wanted: WantedStack): Promise<string> => {
      for (let tries = 0; tries < 4; tries += 1) {
        try {
          return await deploy(provisionerOf(fake), wanted)
        } catch (error) {
          if (!(error instanceof Refused) || !['plan-stale', 'stack-busy'].includes(error.code)) throw error
        }
      }
      return 'gave up'
    }
    const twenty = (wanted: WantedStack): Promise<string>[] => Array.from({ length: 20 }, async () => run(wanted))
    const created = await Promise.all(twenty(wantedOf(template())))
    expect(new Set(created).isSubsetOf(new Set(['CREATE_COMPLETE', 'unchanged']))).toBe(true)
    expect(operationsOf(fake, 'CREATE_STACK')).toBe(1)
    const updated = await Promise.all(twenty(wantedOf(template(5))))
    expect(new Set(updated).isSubsetOf(new Set(['UPDATE_COMPLETE', 'unchanged']))).toBe(true)
    expect(operationsOf(fake, 'UPDATE_STACK')).toBe(1)
  }, 60_000)

  test.each(['reset', 'reset-after', 'error-after'] as const)('every tenth answer is lost (%s)', async (kind) => {
    await using fake = await startCloudFormation(quick)
    fake.fault({ every: 10, nth: 10, kind })
    for (let round = 0; round < 6; round += 1) {
      const ended = await deploy(provisionerOf(fake), wantedOf(template(round)))
      expect(ended).toBe(round === 0 ? 'CREATE_COMPLETE' : 'UPDATE_COMPLETE')
    }
    expect(operationsOf(fake, 'CREATE_STACK')).toBe(1)
    expect(operationsOf(fake, 'UPDATE_STACK')).toBe(5)
  })

  test('an account that is throttled for a minute delays a deployment, and no more', async () => {
    await using fake = await startCloudFormation()
    fake.fault({ seconds: 60, kind: 'throttle' })
    const took = await measured(fake.clock, async () => {
      expect(await deploy(provisionerOf(fake), wantedOf(template()))).toBe('CREATE_COMPLETE')
    })
    expect(took).toBeLessThan(180_000)
  })

  test('an account that is throttled while it is followed does not fail it', async () => {
    await using fake = await startCloudFormation({ durations: () => 30 })
    const provisioner = provisionerOf(fake)
    const preview = await provisioner.preview(wantedOf(template()), { for: 'deployment' })
    fake.fault({ match: ({ action }) => action === 'DescribeStackEvents', seconds: 60, kind: 'throttle' })
    expect(await endOf(provisioner.execute(preview, wantedOf(template())))).toBe('CREATE_COMPLETE')
  })

  test('credentials that have expired while it follows are got anew', async () => {
    await using fake = await startCloudFormation({ durations: () => 30 })
    const provisioner = provisionerOf(fake, {
      credentials: { is: 'role', role: 'arn:aws:iam::123456789012:role/deploy' },
    })
    const preview = await provisioner.preview(wantedOf(template()), { for: 'deployment' })
    fake.fault({ match: 'DescribeStackEvents', nth: 3, kind: { before: () => fake.expireCredentials() } })
    expect(await endOf(provisioner.execute(preview, wantedOf(template())))).toBe('CREATE_COMPLETE')
    expect(fake.requests().filter(({ action }) => action === 'AssumeRole').length).toBeGreaterThan(1)
  })

  test('credentials that stay expired end with what to do, and the next run goes on', async () => {
    await using fake = await startCloudFormation({ durations: () => 30 })
    const provisioner = provisionerOf(fake)
    const preview = await provisioner.preview(wantedOf(template()), { for: 'deployment' })
    fake.fault({ match: 'DescribeStackEvents', nth: 3, times: 100, kind: 'expired' })
    const refusal = await collect(provisioner.execute(preview, wantedOf(template()))).catch((error: unknown) => error)
    expect(refusal).toMatchObject({ code: 'outcome-unknown' })
    fake.clearFaults()
    expect(fake.stack('jobs')?.status).toBe('CREATE_IN_PROGRESS')
    expect(await deploy(provisionerOf(fake), wantedOf(template()))).toBe('unchanged')
  })

  test('a stack that was deleted by hand before it is executed is not created behind the back of the plan', async () => {
    await using fake = await startCloudFormation()
    await deploy(provisionerOf(fake), wantedOf(template()))
    const provisioner = provisionerOf(fake)
    const planned = await provisioner.preview(wantedOf(template(5)))
    const preview = await provisioner.preview(wantedOf(template(5)), { for: 'deployment' })
    await clientOf(fake).send(new DeleteStackCommand({ StackName: 'jobs' }))
    await fake.settle()
    const refusal = await collect(provisioner.execute(preview, wantedOf(template(5)))).catch((error: unknown) => error)
    expect(refusal).toMatchObject({ code: 'plan-stale' })
    const again = await provisionerOf(fake).preview(wantedOf(template(5)))
    expect(again.against).not.toBe(planned.against)
  })

  test('a stack that was changed by hand before it is executed is held', async () => {
    await using fake = await startCloudFormation()
    await deploy(provisionerOf(fake), wantedOf(template()))
    const provisioner = provisionerOf(fake)
    const preview = await provisioner.preview(wantedOf(template(5)), { for: 'deployment' })
    const body = JSON.stringify(template(9))
    await clientOf(fake).send(new UpdateStackCommand({ StackName: 'jobs', TemplateBody: body }))
    await fake.settle()
    const refusal = await collect(provisioner.execute(preview, wantedOf(template(5)))).catch((error: unknown) => error)
    expect(refusal).toMatchObject({ code: 'plan-stale' })
    const again = await provisionerOf(fake).preview(wantedOf(template(5)))
    expect(again.against).not.toBe(preview.against)
    expect(again.changes.map(({ properties }) => properties)).not.toEqual(
      preview.changes.map(({ properties }) => properties),
    )
  })

  test('a job that is cancelled says that the operation goes on, and the next run follows it', async () => {
    await using fake = await startCloudFormation({ durations: () => 30 })
    const provisioner = provisionerOf(fake)
    const preview = await provisioner.preview(wantedOf(template()), { for: 'deployment' })
    const stop = new AbortController()
    fake.fault({ match: 'DescribeStackEvents', nth: 2, kind: { before: () => stop.abort() } })
    const refusal = await collect(provisioner.execute(preview, wantedOf(template()), stop.signal)).catch(
      (error: unknown) => error,
    )
    expect(refusal).toMatchObject({ code: 'interrupted' })
    expect(await provisionerOf(fake).state(stack)).toMatchObject({ is: 'busy', status: 'CREATE_IN_PROGRESS' })
    expect(await deploy(provisionerOf(fake), wantedOf(template()))).toBe('unchanged')
    expect(operationsOf(fake, 'CREATE_STACK')).toBe(1)
  })
})
