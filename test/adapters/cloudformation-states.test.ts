import { describe, expect, test } from 'vitest'
import {
  CreateChangeSetCommand,
  CreateStackCommand,
  DeleteStackCommand,
  UpdateStackCommand,
} from '@aws-sdk/client-cloudformation'

import type { DataMap } from '../../src/core/data.ts'
import { Refused } from '../../src/core/problem.ts'
import { clientOf } from '../fakes/cloudformation/client.ts'
import type { FakeCloudFormation } from '../fakes/cloudformation/server.ts'
import { startCloudFormation } from '../fakes/cloudformation/server.ts'
import {
  account,
  changesOf,
  collect,
  deploy,
  endOf,
  provisionerOf,
  region,
  stack,
  template,
  wantedOf,
} from './cloudformation-world.ts'

const quick = { durations: () => 1, changeSetSeconds: 1 } as const

/** A database, which holds data, and a queue, which does not. */
const withData: DataMap = { Orders: { Type: 'AWS::DynamoDB::Table', Properties: { TableName: 'orders' } } }

/** How a stack stands before a deployment, and what becomes of it. */
const rows: readonly (readonly [string, (fake: FakeCloudFormation) => Promise<void>, string, string])[] = [
  ['absent', async () => undefined, 'absent', 'CREATE_COMPLETE'],
  [
    'CREATE_COMPLETE',
    async (fake) => void (await deploy(provisionerOf(fake), wantedOf(template()))),
    'settled',
    'UPDATE_COMPLETE',
  ],
  ...(['UPDATE_COMPLETE', 'UPDATE_ROLLBACK_COMPLETE', 'IMPORT_COMPLETE', 'IMPORT_ROLLBACK_COMPLETE'] as const).map(
    (status) =>
      [status, async (fake: FakeCloudFormation) => brought(fake, status), 'settled', 'UPDATE_COMPLETE'] as const,
  ),
  ['REVIEW_IN_PROGRESS', shell, 'absent', 'CREATE_COMPLETE'],
  ['ROLLBACK_COMPLETE', async (fake) => failedCreation(fake, {}), 'stuck', 'CREATE_COMPLETE'],
  [
    'ROLLBACK_FAILED',
    async (fake) => {
      fake.fail({ logicalId: 'News', on: 'delete', reason: 'It is in use.', times: 1 })
      await failedCreation(fake, {})
    },
    'stuck',
    'CREATE_COMPLETE',
  ],
  ['CREATE_FAILED', async (fake) => failedCreation(fake, { DisableRollback: true }), 'stuck', 'CREATE_COMPLETE'],
  [
    'UPDATE_FAILED',
    async (fake) => {
      await deploy(provisionerOf(fake), wantedOf(template()))
      fake.fail({ logicalId: 'Jobs', on: 'update', reason: 'No.', times: 1 })
      const body = JSON.stringify(template(3))
      await clientOf(fake).send(
        new UpdateStackCommand({ StackName: 'jobs', TemplateBody: body, DisableRollback: true }),
      )
      await fake.settle()
    },
    'stuck',
    'UPDATE_COMPLETE',
  ],
  [
    'UPDATE_ROLLBACK_FAILED',
    async (fake) => {
      await deploy(provisionerOf(fake), wantedOf(template()))
      fake.fail({ logicalId: 'Jobs', on: 'update', reason: 'No.', times: 1 })
      fake.fail({ logicalId: 'Jobs', on: 'rollback', reason: 'Not that either.', times: 1 })
      await deploy(provisionerOf(fake), wantedOf(template(3)))
    },
    'stuck',
    'UPDATE_COMPLETE',
  ],
  [
    'DELETE_FAILED',
    async (fake) => {
      await deploy(provisionerOf(fake), wantedOf(template()))
      fake.fail({ logicalId: 'News', on: 'delete', reason: 'It is in use.', times: 1 })
      await endOf(provisionerOf(fake).remove(stack))
    },
    'stuck',
    'CREATE_COMPLETE',
  ],
  ['IMPORT_ROLLBACK_FAILED', async (fake) => brought(fake, 'IMPORT_ROLLBACK_FAILED'), 'stuck', 'stack-stuck'],
  ['NEWLY_FAILED', async (fake) => brought(fake, 'NEWLY_FAILED'), 'stuck', 'stack-stuck'],
]

async function brought(fake: FakeCloudFormation, status: string): Promise<void> {
  await deploy(provisionerOf(fake), wantedOf(template()))
  fake.setStatus({ stack: 'jobs', status })
  fake.takeViolations()
}

async function shell(fake: FakeCloudFormation): Promise<void> {
  await clientOf(fake).send(
    new CreateChangeSetCommand({
      StackName: 'jobs',
      ChangeSetName: 'somebody',
      ChangeSetType: 'CREATE',
      TemplateBody: JSON.stringify(template()),
    }),
  )
  await fake.settle()
}

async function failedCreation(fake: FakeCloudFormation, more: { readonly DisableRollback?: boolean }): Promise<void> {
  fake.fail({ logicalId: 'Jobs', on: 'create', reason: 'No.', times: 1 })
  const body = JSON.stringify(template(0, { Last: { Type: 'AWS::SNS::Topic', DependsOn: 'Jobs' } }))
  await clientOf(fake).send(new CreateStackCommand({ StackName: 'jobs', TemplateBody: body, ...more }))
  await fake.settle()
}

describe('a stack before a deployment', () => {
  test.each(rows)('%s', async (status, prepare, is, ended) => {
    await using fake = await startCloudFormation(quick)
    await prepare(fake)
    if (status !== 'absent') expect(fake.stack('jobs')?.status).toBe(status)
    const state = await provisionerOf(fake).state(stack)
    expect(state.is).toBe(is)
    // A plan can be made of all but what no deployment mends, and leaves the stack as it is.
    const planner = provisionerOf(fake)
    await planner.state(stack)
    const preview = await planner.preview(wantedOf(template(5)))
    await planner.discard(preview)
    if (status !== 'absent') expect(fake.stack('jobs')?.status).toBe(status)
    const outcome = await deploy(provisionerOf(fake), wantedOf(template(5))).catch((error: unknown) => {
      if (!(error instanceof Refused)) throw error
      expect(error.remedy).toContain('aws cloudformation')
      return error.code
    })
    expect(outcome).toBe(ended)
    if (is !== 'stuck' || ended !== 'stack-stuck') {
      expect(await deploy(provisionerOf(fake), wantedOf(template(5)))).toBe('unchanged')
    } else {
      expect(state).toMatchObject({ recovers: false })
    }
    fake.takeViolations()
  })

  test.each([
    ['CREATE_IN_PROGRESS', 'UPDATE_COMPLETE'],
    ['UPDATE_IN_PROGRESS', 'UPDATE_COMPLETE'],
    ['DELETE_IN_PROGRESS', 'CREATE_COMPLETE'],
    ['UPDATE_ROLLBACK_IN_PROGRESS', 'UPDATE_COMPLETE'],
    ['ROLLBACK_IN_PROGRESS', 'CREATE_COMPLETE'],
  ])('%s of somebody else is waited for', async (status, ended) => {
    await using fake = await startCloudFormation({ ...quick, durations: () => 20 })
    const isCreation = status === 'CREATE_IN_PROGRESS' || status === 'ROLLBACK_IN_PROGRESS'
    if (!isCreation) await deploy(provisionerOf(fake), wantedOf(template()))
    if (status.includes('ROLLBACK'))
      fake.fail({ logicalId: 'Jobs', on: isCreation ? 'create' : 'update', reason: 'No.', times: 1 })
    const client = clientOf(fake)
    const body = JSON.stringify(template(3))
    if (isCreation) await client.send(new CreateStackCommand({ StackName: 'jobs', TemplateBody: body }))
    else if (status === 'DELETE_IN_PROGRESS') {
      await client.send(new DeleteStackCommand({ StackName: 'jobs' }))
    } else await client.send(new UpdateStackCommand({ StackName: 'jobs', TemplateBody: body }))
    while (fake.stack('jobs')?.status !== status) await fake.clock.advance(1000)
    expect(await provisionerOf(fake).state(stack)).toMatchObject({ is: 'busy', status })
    expect(await deploy(provisionerOf(fake), wantedOf(template(5)))).toBe(ended)
  })
})

describe('what would be lost by mending', () => {
  test('a failed creation that has made a table is not deleted, until that is acknowledged', async () => {
    await using fake = await startCloudFormation(quick)
    fake.fail({ logicalId: 'Jobs', on: 'create', reason: 'No.', times: 1 })
    fake.fail({ logicalId: 'Orders', on: 'delete', reason: 'It is in use.', times: 1 })
    const body = JSON.stringify(template(0, withData))
    await clientOf(fake).send(new CreateStackCommand({ StackName: 'jobs', TemplateBody: body, DisableRollback: true }))
    await fake.settle()
    const wanted = wantedOf(template(0, withData))
    const refusal = await deploy(provisionerOf(fake), wanted).catch((error: unknown) => error)
    expect(refusal).toMatchObject({ code: 'recovery-loses-data' })
    expect(await provisionerOf(fake).state(stack)).toMatchObject({ is: 'stuck', recovers: false })
    fake.clearFailures()
    expect(await deploy(provisionerOf(fake), wanted, { acknowledged: ['Orders'] })).toBe('CREATE_COMPLETE')
  })

  test('what the catalog says holds data is not deleted either', async () => {
    await using fake = await startCloudFormation({ ...quick, durations: { Jobs: 5, '*': 1 } })
    fake.fail({ logicalId: 'Jobs', on: 'create', reason: 'No.', times: 1 })
    const body = JSON.stringify(template())
    await clientOf(fake).send(new CreateStackCommand({ StackName: 'jobs', TemplateBody: body, DisableRollback: true }))
    await fake.settle()
    const guard = { types: ['AWS::SNS::Topic'] }
    const refusal = await deploy(provisionerOf(fake), wantedOf(template()), guard).catch((error: unknown) => error)
    expect(refusal).toMatchObject({ code: 'recovery-loses-data' })
    expect(fake.stack('jobs')?.status).toBe('CREATE_FAILED')
  })

  test('a protected stack is not deleted', async () => {
    await using fake = await startCloudFormation(quick)
    const wanted = wantedOf(template(), { options: { terminationProtection: true } })
    fake.fail({ logicalId: 'Jobs', on: 'create', reason: 'No.', times: 1 })
    expect(await deploy(provisionerOf(fake), wanted)).toBe('ROLLBACK_COMPLETE')
    const refusal = await deploy(provisionerOf(fake), wanted).catch((error: unknown) => error)
    expect(refusal).toMatchObject({ code: 'stack-protected' })
  })

  test('a rollback that fails again and again is left to a person, with the command', async () => {
    await using fake = await startCloudFormation(quick)
    await deploy(provisionerOf(fake), wantedOf(template()))
    fake.fail({ logicalId: 'Jobs', on: 'update', reason: 'No.' })
    fake.fail({ logicalId: 'Jobs', on: 'rollback', reason: 'Not that either.' })
    expect(await deploy(provisionerOf(fake), wantedOf(template(3)))).toBe('UPDATE_ROLLBACK_FAILED')
    const refusal = await deploy(provisionerOf(fake), wantedOf(template(5))).catch((error: unknown) => error)
    expect(refusal).toMatchObject({ code: 'stack-stuck' })
    expect(refusal instanceof Refused ? refusal.remedy : '').toContain('--resources-to-skip Jobs')
    expect(fake.requests().filter(({ action }) => action === 'ContinueUpdateRollback')).toHaveLength(2)
  })
})

describe('removing and cancelling', () => {
  test('a stack is deleted, and one that is gone is all right', async () => {
    await using fake = await startCloudFormation(quick)
    await deploy(provisionerOf(fake), wantedOf(template()))
    expect(await endOf(provisionerOf(fake).remove(stack))).toBe('DELETE_COMPLETE')
    expect(await endOf(provisionerOf(fake).remove(stack))).toBe('DELETE_COMPLETE')
    expect(await provisionerOf(fake).state(stack)).toEqual({ is: 'absent' })
  })

  test('what stands in the way is named', async () => {
    await using fake = await startCloudFormation(quick)
    await deploy(provisionerOf(fake), wantedOf(template()))
    fake.fail({ logicalId: 'Jobs', on: 'delete', reason: 'The queue is watched.' })
    const events = await collect(provisionerOf(fake).remove(stack))
    const last = events.at(-1)
    expect(last).toMatchObject({ kind: 'stack', status: 'DELETE_FAILED' })
    expect(last?.reason).toContain('Jobs (The queue is watched.)')
  })

  test('a protected stack is not deleted', async () => {
    await using fake = await startCloudFormation(quick)
    await deploy(provisionerOf(fake), wantedOf(template(), { options: { terminationProtection: true } }))
    const refusal = await collect(provisionerOf(fake).remove(stack)).catch((error: unknown) => error)
    expect(refusal).toMatchObject({ code: 'stack-protected' })
    expect(fake.stack('jobs')?.status).toBe('CREATE_COMPLETE')
  })

  test('an update under way is taken back; of a stack at rest there is nothing to cancel', async () => {
    await using fake = await startCloudFormation({ ...quick, durations: () => 60 })
    await deploy(provisionerOf(fake), wantedOf(template()))
    expect(await provisionerOf(fake).cancel(stack)).toBe('nothing')
    const provisioner = provisionerOf(fake)
    const wanted = wantedOf(template(5))
    const preview = await provisioner.preview(wanted, { for: 'deployment' })
    fake.fault({
      match: 'DescribeStackEvents',
      nth: 3,
      kind: {
        before: async () => {
          expect(await provisionerOf(fake).cancel(stack)).toBe('cancelled')
        },
      },
    })
    expect(await endOf(provisioner.execute(preview, wanted))).toBe('UPDATE_ROLLBACK_COMPLETE')
  })
})

describe('a plan', () => {
  test('of an absent stack leaves nothing, and of another gives its change set back', async () => {
    await using fake = await startCloudFormation(quick)
    const planner = provisionerOf(fake)
    const first = await planner.preview(wantedOf(template()))
    await planner.discard(first)
    expect(changesOf(first)).toEqual(['create Jobs', 'create News'])
    expect(fake.stacks({ account, region })).toEqual([])
    await deploy(provisionerOf(fake), wantedOf(template()))
    const preview = await planner.preview(wantedOf(template(5)))
    expect(changesOf(preview)).toEqual(['update Jobs'])
    expect(preview.changes[0]?.properties[0]?.path).toBe('Properties.DelaySeconds')
    await planner.discard(preview)
    await planner.discard(preview)
    expect(fake.stack('jobs')?.changeSets).toEqual([])
  })
})
