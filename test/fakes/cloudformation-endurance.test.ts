import {
  CancelUpdateStackCommand,
  ContinueUpdateRollbackCommand,
  CreateChangeSetCommand,
  CreateStackCommand,
  DeleteStackCommand,
  DescribeStackEventsCommand,
  DescribeStackResourcesCommand,
  DescribeStacksCommand,
  ExecuteChangeSetCommand,
  RollbackStackCommand,
  UpdateStackCommand,
} from '@aws-sdk/client-cloudformation'
import { PutObjectCommand } from '@aws-sdk/client-s3'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { clientOf, s3Of } from './cloudformation/client.ts'
import { simulatedClock, startCloudFormation } from './cloudformation/server.ts'

const names = ['A', 'B', 'C', 'D'] as const

/** Templates of nested stacks, by their keys. */
const children = {
  small: { Resources: { Inner: { Type: 'AWS::SNS::Topic', Properties: { DisplayName: 'a' } } } },
  other: { Resources: { Inner: { Type: 'AWS::SNS::Topic', Properties: { DisplayName: 'b' } } } },
  large: { Resources: { Inner: { Type: 'AWS::SNS::Topic' }, Second: { Type: 'AWS::SNS::Topic', DependsOn: 'Inner' } } },
}

/** A template of some of four resources, each of which may need the one before it. */
const template = fc
  .record({
    there: fc.subarray([...names], { minLength: 1 }),
    chained: fc.boolean(),
    delay: fc.integer({ min: 0, max: 3 }),
    named: fc.option(fc.constantFrom('x', 'y'), { nil: undefined }),
    policy: fc.constantFrom('Delete', 'Retain', 'RetainExceptOnCreate'),
    exported: fc.boolean(),
    nested: fc.option(fc.constantFrom('small', 'other', 'large'), { nil: undefined }),
  })
  .map(({ there, chained, delay, named, policy, exported, nested }) =>
    JSON.stringify({
      Resources: Object.fromEntries([
        ...(nested === undefined
          ? []
          : [
              [
                'Child',
                {
                  Type: 'AWS::CloudFormation::Stack',
                  Properties: { TemplateURL: `https://templates.s3.amazonaws.com/${nested}` },
                },
              ] as const,
            ]),
        ...there.map(
          (name, index) =>
            [
              name,
              {
                Type: 'AWS::SQS::Queue',
                DeletionPolicy: name === 'D' ? policy : 'Delete',
                ...(chained && index > 0 ? { DependsOn: there[index - 1] } : {}),
                Properties: {
                  DelaySeconds: delay,
                  ...(named !== undefined && name === 'A' ? { QueueName: named } : {}),
                },
              },
            ] as const,
        ),
      ]),
      ...(exported ? { Outputs: { Out: { Value: String(delay), Export: { Name: 'out' } } } } : {}),
    }),
  )

const step = fc.oneof(
  fc.record({ is: fc.constant('create' as const), template, rollback: fc.boolean() }),
  fc.record({ is: fc.constant('update' as const), template, rollback: fc.boolean() }),
  fc.record({ is: fc.constant('change' as const), template, creates: fc.boolean() }),
  fc.record({ is: fc.constantFrom('delete', 'rollback', 'continue', 'cancel', 'execute' as const) }),
  fc.record({
    is: fc.constant('fail' as const),
    logicalId: fc.constantFrom(...names, 'Inner', 'Second'),
    on: fc.constantFrom('create', 'update', 'delete', 'rollback' as const),
  }),
  fc.record({ is: fc.constant('wait' as const), seconds: fc.integer({ min: 1, max: 30 }) }),
)

describe('whatever is asked in whatever order', () => {
  test('every operation comes to an end, and what is told of it agrees', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 14 }), async (steps) => {
        const clock = simulatedClock()
        await using fake = await startCloudFormation({
          clock,
          staleReads: 0,
          buckets: { templates: '123456789012' },
        })
        const client = clientOf(fake)
        for (const [Key, child] of Object.entries(children))
          await s3Of(fake).send(new PutObjectCommand({ Bucket: 'templates', Key, Body: JSON.stringify(child) }))
        const input = { StackName: 'jobs' }
        let changeSet: string | undefined
        for (const [index, each] of steps.entries()) {
          const ClientRequestToken = `step-${index}`
          // A refusal is an answer like any other here.
          const settled = Promise.resolve(undefined)
          switch (each.is) {
            case 'create':
              await client
                .send(
                  new CreateStackCommand({
                    ...input,
                    TemplateBody: each.template,
                    DisableRollback: !each.rollback,
                    ClientRequestToken,
                  }),
                )
                .catch(() => settled)
              break
            case 'update':
              await client
                .send(
                  new UpdateStackCommand({
                    ...input,
                    TemplateBody: each.template,
                    DisableRollback: !each.rollback,
                    ClientRequestToken,
                  }),
                )
                .catch(() => settled)
              break
            case 'change': {
              const ChangeSetType = each.creates ? 'CREATE' : 'UPDATE'
              const made = await client
                .send(
                  new CreateChangeSetCommand({
                    ...input,
                    ChangeSetName: `c-${index}`,
                    ChangeSetType,
                    TemplateBody: each.template,
                  }),
                )
                .catch(() => settled)
              changeSet = made?.Id ?? changeSet
              break
            }
            case 'execute':
              await client
                .send(new ExecuteChangeSetCommand({ ...input, ChangeSetName: changeSet ?? 'none', ClientRequestToken }))
                .catch(() => settled)
              break
            case 'delete':
              await client.send(new DeleteStackCommand({ ...input, ClientRequestToken })).catch(() => settled)
              break
            case 'rollback':
              await client.send(new RollbackStackCommand({ ...input, ClientRequestToken })).catch(() => settled)
              break
            case 'continue':
              await client
                .send(new ContinueUpdateRollbackCommand({ ...input, ClientRequestToken }))
                .catch(() => settled)
              break
            case 'cancel':
              await client.send(new CancelUpdateStackCommand({ ...input, ClientRequestToken })).catch(() => settled)
              break
            case 'fail':
              fake.fail({ logicalId: each.logicalId, on: each.on, reason: 'told to', times: 1 })
              break
            case 'wait':
              await clock.advance(each.seconds * 1000)
              break
          }
        }
        await fake.settle()
        for (const { id, status, operations, resources } of fake.stacks()) {
          const { Stacks } = await client.send(new DescribeStacksCommand({ StackName: id }))
          const { StackEvents = [] } = await client.send(new DescribeStackEventsCommand({ StackName: id }))
          await client.send(new DescribeStackResourcesCommand({ StackName: id }))
          expect(status === 'REVIEW_IN_PROGRESS' || !status.endsWith('_IN_PROGRESS'), status).toBe(true)
          expect(Stacks?.[0]?.StackStatus).toBe(status)
          expect(StackEvents[0]).toMatchObject({ PhysicalResourceId: id, ResourceStatus: status })
          expect(operations.every(({ state }) => state !== 'running')).toBe(true)
          expect(new Set(StackEvents.map(({ EventId }) => EventId)).size).toBe(StackEvents.length)
          const left = [...resources.values()].filter(
            (it) => !/^(CREATE|UPDATE)_(COMPLETE|FAILED)$|^DELETE_(COMPLETE|SKIPPED|FAILED)$/.test(it.status),
          )
          expect(left).toEqual([])
          if (!/^(CREATE|UPDATE|UPDATE_ROLLBACK)_COMPLETE$/.test(status)) continue
          // A stack that is well has resources that are well, and nested stacks that are what it says of them.
          for (const it of resources.values()) {
            expect(it.status, it.logicalId).toMatch(/E_COMPLETE$/)
            if (it.type !== 'AWS::CloudFormation::Stack') continue
            const nested = fake.stack(it.physicalId ?? '')
            expect(nested?.status).toMatch(/^(CREATE|UPDATE|UPDATE_ROLLBACK)_COMPLETE$/)
            const key = JSON.stringify(it.properties).replace(/^.*\/(\w+)".*$/, '$1')
            expect(nested?.config?.templateText).toBe(
              JSON.stringify(children[key === 'large' || key === 'other' ? key : 'small']),
            )
          }
        }
      }),
      { numRuns: 100 },
    )
  })
})
