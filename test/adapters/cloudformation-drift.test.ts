import { describe, expect, test } from 'vitest'

import type { Provisioner, StackDrift } from '../../src/ports.ts'
import { startCloudFormation } from '../fakes/cloudformation/server.ts'
import { changesOf, deploy, endOf, provisionerOf, stack, template, wantedOf } from './cloudformation-world.ts'

async function driftOf(provisioner: Provisioner): Promise<StackDrift> {
  return provisioner.drift(stack)
}

const wanted = wantedOf(template(5))

describe('drift of a stack', () => {
  test('is none where nobody has changed anything', async () => {
    await using fake = await startCloudFormation()
    await deploy(provisionerOf(fake), wanted)

    expect(await driftOf(provisionerOf(fake))).toEqual({ resources: [], looked: 2, unknown: [] })
  })

  test('is none of a stack that is not there', async () => {
    await using fake = await startCloudFormation()

    expect(await driftOf(provisionerOf(fake))).toEqual({ resources: [], looked: 0, unknown: [] })
  })

  test('is told property by property, with both values as they are', async () => {
    await using fake = await startCloudFormation()
    await deploy(provisionerOf(fake), wanted)
    fake.drift({ stack: 'jobs', logicalId: 'Jobs', properties: { DelaySeconds: 30, ReceiveMessageWaitTimeSeconds: 3 } })

    const { resources } = await driftOf(provisionerOf(fake))

    expect(resources).toEqual([
      {
        logicalId: 'Jobs',
        type: 'AWS::SQS::Queue',
        is: 'changed',
        properties: expect.arrayContaining([
          { path: ['DelaySeconds'], expected: 5, actual: 30 },
          { path: ['ReceiveMessageWaitTimeSeconds'], actual: 3 },
        ]),
      },
    ])
  })

  describe('with who has changed it', () => {
    const change = {
      EventName: 'SetQueueAttributes',
      ReadOnly: 'false',
      EventTime: new Date('2026-11-25T11:58:00Z'),
      Username: 'ana',
    }
    const by = (identity: object, more: object = {}): string => JSON.stringify({ userIdentity: identity, ...more })

    async function drifted() {
      const fake = await startCloudFormation()
      await deploy(provisionerOf(fake), wanted)
      fake.drift({ stack: 'jobs', logicalId: 'Jobs', properties: { DelaySeconds: 30 } })
      const name = fake.stack('jobs')?.resources.get('Jobs')?.physicalId?.split('/').at(-1) ?? ''
      return { fake, names: [name] }
    }

    test('is the newest call that changed it and was not the stack’s', async () => {
      const { fake, names } = await drifted()
      await using _fake = fake
      const ana = by({ arn: 'arn:aws:sts::123456789012:assumed-role/admin/ana' })
      fake.runs({
        trail: [
          {
            ...change,
            names,
            ReadOnly: 'true',
            EventName: 'GetQueueAttributes',
            EventTime: new Date('2026-11-25T11:59:00Z'),
          },
          { ...change, names, CloudTrailEvent: by({ invokedBy: 'cloudformation.amazonaws.com' }) },
          { ...change, names, CloudTrailEvent: by({}, { errorCode: 'AccessDenied' }) },
          { ...change, names, EventTime: new Date('2026-11-25T11:00:00Z'), CloudTrailEvent: by({}) },
          { ...change, names, EventTime: new Date('2026-11-25T11:30:00Z'), CloudTrailEvent: ana },
          { ...change, names: ['other'] },
        ],
      })

      expect((await driftOf(provisionerOf(fake))).resources).toMatchObject([
        { by: { who: 'assumed-role/admin/ana', call: 'SetQueueAttributes', at: new Date('2026-11-25T11:30:00Z') } },
      ])
    })

    test('is told without where CloudTrail knows nothing', async () => {
      const { fake } = await drifted()
      await using _fake = fake

      const found = await driftOf(provisionerOf(fake))

      expect(found).not.toHaveProperty('untold')
      expect(found.resources[0]).not.toHaveProperty('by')
    })

    test('is told without, and why, where it may not be asked', async () => {
      const { fake } = await drifted()
      await using _fake = fake
      fake.fault({ match: 'LookupEvents', kind: 'denied' })

      const found = await driftOf(provisionerOf(fake))

      expect(found).toMatchObject({
        untold: 'the role may not call cloudtrail:LookupEvents',
        resources: [{ is: 'changed' }],
      })
    })

    test('is asked of so few that the account can take it', async () => {
      await using fake = await startCloudFormation()
      const many = Object.fromEntries(
        Array.from({ length: 8 }, (_, index) => [`Queue${index}`, { Type: 'AWS::SQS::Queue', Properties: {} }]),
      )
      await deploy(provisionerOf(fake), wantedOf(template(5, many)))
      for (const logicalId of Object.keys(many))
        fake.drift({ stack: 'jobs', logicalId, properties: { DelaySeconds: 30 } })
      fake.forget()

      const { resources } = await driftOf(provisionerOf(fake))

      const times = fake.requests().flatMap(({ action, at }) => (action === 'LookupEvents' ? [at.getTime()] : []))
      expect(resources).toHaveLength(8)
      expect(times).toHaveLength(10)
      for (const [index, time] of times.entries())
        if (index > 0) expect(time - (times[index - 1] ?? 0)).toBeGreaterThanOrEqual(500)
    })
  })

  test('is told of a resource that is gone', async () => {
    await using fake = await startCloudFormation()
    await deploy(provisionerOf(fake), wanted)
    fake.drift({ stack: 'jobs', logicalId: 'News', properties: 'gone' })

    expect((await driftOf(provisionerOf(fake))).resources).toEqual([
      { logicalId: 'News', type: 'AWS::SNS::Topic', is: 'gone', properties: [] },
    ])
  })

  test('is brought back by a change set that is made for it, and changes nothing else', async () => {
    await using fake = await startCloudFormation()
    await deploy(provisionerOf(fake), wanted)
    fake.drift({ stack: 'jobs', logicalId: 'Jobs', properties: { DelaySeconds: 30 } })
    const provisioner = provisionerOf(fake)

    const plain = await provisioner.preview(wanted, { for: 'deployment' })
    const preview = await provisioner.preview(wanted, { for: 'deployment', mends: 'drift' })
    const end = await endOf(provisioner.execute(preview, wanted))

    expect(changesOf(plain)).toEqual([])
    expect(changesOf(preview)).toEqual(['update Jobs'])
    expect(end).toBe('UPDATE_COMPLETE')
    expect((await driftOf(provisioner)).resources).toEqual([])
    const made = fake.requests().filter(({ action }) => action === 'CreateChangeSet')
    expect(made.at(-1)?.input).toMatchObject({ DeploymentMode: 'REVERT_DRIFT', ChangeSetType: 'UPDATE' })
  })

  test('is not brought back where stacks are nested, and says so before anything is asked', async () => {
    await using fake = await startCloudFormation()
    const nested = wantedOf(
      template(5, {
        Child: { Type: 'AWS::CloudFormation::Stack', Properties: { TemplateURL: 'https://example.com' } },
      }),
    )
    await deploy(provisionerOf(fake), wanted)
    const provisioner = provisionerOf(fake)

    await expect(provisioner.preview(nested, { for: 'deployment', mends: 'drift' })).rejects.toMatchObject({
      code: 'drift-unmendable',
    })
    expect(fake.requests().map(({ action }) => action)).not.toContain('CreateChangeSet')
  })
})

describe('what a plan tells of drift', () => {
  const other = wantedOf(template(7))
  const planned = async (provisioner: Provisioner): Promise<unknown> => {
    const preview = await provisioner.preview(other, { for: 'plan' })
    await provisioner.discard(preview)
    return preview.byHand
  }

  test('is what the last look has found, with its time, and nothing where nobody has looked', async () => {
    await using fake = await startCloudFormation()
    await deploy(provisionerOf(fake), wanted)
    const before = await planned(provisionerOf(fake))
    await driftOf(provisionerOf(fake))
    const clean = await planned(provisionerOf(fake))
    fake.drift({ stack: 'jobs', logicalId: 'Jobs', properties: { DelaySeconds: 30 } })
    fake.drift({ stack: 'jobs', logicalId: 'News', properties: 'gone' })
    await driftOf(provisionerOf(fake))
    const looked = fake.clock.now().getTime()
    const preview = await provisionerOf(fake).preview(other, { for: 'plan' })

    expect([before, clean]).toEqual([undefined, []])
    expect(preview.byHand).toEqual([
      { logicalId: 'Jobs', is: 'changed' },
      { logicalId: 'News', is: 'gone' },
    ])
    expect(Math.abs(looked - Date.parse(preview.byHandAt ?? ''))).toBeLessThan(60_000)
    expect(changesOf(preview)).toContain('update Jobs')
  })

  test('is nothing where it may not be seen, and the plan is made all the same', async () => {
    await using fake = await startCloudFormation()
    await deploy(provisionerOf(fake), wanted)
    fake.drift({ stack: 'jobs', logicalId: 'Jobs', properties: { DelaySeconds: 30 } })
    await driftOf(provisionerOf(fake))
    fake.fault({ match: 'DescribeStackResourceDrifts', kind: 'denied' })

    expect(await planned(provisionerOf(fake))).toBeUndefined()
  })
})
