import {
  CloudFormationClient,
  CreateChangeSetCommand,
  CreateStackCommand,
  DeleteStackCommand,
  DescribeChangeSetCommand,
  DescribeStackEventsCommand,
  DescribeStacksCommand,
  ExecuteChangeSetCommand,
} from '@aws-sdk/client-cloudformation'
import { describe, expect, test } from 'vitest'
import { type FakeCloudFormation, startCloudFormation } from './cloudformation/server.ts'

function clientOf(fake: FakeCloudFormation, region = 'eu-central-1'): CloudFormationClient {
  return new CloudFormationClient({
    endpoint: fake.url,
    region,
    credentials: { accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'secret' },
    maxAttempts: 1,
  })
}

const template = JSON.stringify({
  Parameters: { Delay: { Type: 'Number', Default: '5' } },
  Resources: {
    Jobs: { Type: 'AWS::SQS::Queue', Properties: { DelaySeconds: { Ref: 'Delay' } } },
    News: { Type: 'AWS::SNS::Topic', Properties: { DisplayName: { 'Fn::GetAtt': ['Jobs', 'QueueName'] } } },
  },
  Outputs: { Url: { Value: { Ref: 'Jobs' } } },
})

describe('a stack from its creation to its end', () => {
  test('events come in the order of AWS, and each of an operation carries its token', async () => {
    await using fake = await startCloudFormation()
    const client = clientOf(fake)

    await client.send(new CreateStackCommand({ StackName: 'jobs', TemplateBody: template, ClientRequestToken: 'one' }))
    await fake.settle()
    const { StackEvents: events = [] } = await client.send(new DescribeStackEventsCommand({ StackName: 'jobs' }))

    expect(
      events
        .toReversed()
        .map((it) => [it.LogicalResourceId, it.ResourceStatus, it.ResourceStatusReason, it.ClientRequestToken]),
    ).toEqual([
      ['jobs', 'CREATE_IN_PROGRESS', 'User Initiated', 'one'],
      ['Jobs', 'CREATE_IN_PROGRESS', undefined, 'one'],
      ['Jobs', 'CREATE_IN_PROGRESS', 'Resource creation Initiated', 'one'],
      ['Jobs', 'CREATE_COMPLETE', undefined, 'one'],
      ['News', 'CREATE_IN_PROGRESS', undefined, 'one'],
      ['News', 'CREATE_IN_PROGRESS', 'Resource creation Initiated', 'one'],
      ['News', 'CREATE_COMPLETE', undefined, 'one'],
      ['jobs', 'CREATE_COMPLETE', undefined, 'one'],
    ])
  })

  test('a change set is made, described, executed; the stack deleted', async () => {
    await using fake = await startCloudFormation()
    const client = clientOf(fake)
    const { Id = '' } = await client.send(
      new CreateChangeSetCommand({
        StackName: 'jobs',
        ChangeSetName: 'first',
        ChangeSetType: 'CREATE',
        TemplateBody: template,
      }),
    )
    const pending = await client.send(new DescribeChangeSetCommand({ ChangeSetName: Id }))
    await fake.settle()
    const ready = await client.send(new DescribeChangeSetCommand({ ChangeSetName: Id, IncludePropertyValues: true }))
    await client.send(new ExecuteChangeSetCommand({ ChangeSetName: Id }))
    const statuses: (string | undefined)[] = []
    const look = async (): Promise<void> => {
      const { Stacks } = await client.send(new DescribeStacksCommand({ StackName: 'jobs' }))
      statuses.push(Stacks?.[0]?.StackStatus)
    }
    await look()
    await look()
    await fake.settle()
    await look()
    await client.send(new DeleteStackCommand({ StackName: 'jobs' }))
    await look()
    await fake.settle()

    expect(pending.Status).toBe('CREATE_PENDING')
    expect([ready.Status, ready.ExecutionStatus]).toEqual(['CREATE_COMPLETE', 'AVAILABLE'])
    expect(ready.Changes?.map((it) => [it.ResourceChange?.Action, it.ResourceChange?.AfterContext])).toEqual([
      ['Add', '{"Properties":{"DelaySeconds":"5"}}'],
      ['Add', '{"Properties":{"DisplayName":"{{changeSet:KNOWN_AFTER_APPLY}}"}}'],
    ])
    expect(statuses).toEqual(['REVIEW_IN_PROGRESS', 'CREATE_IN_PROGRESS', 'CREATE_COMPLETE', 'DELETE_IN_PROGRESS'])
    expect(fake.stack('jobs')?.status).toBe('DELETE_COMPLETE')
  })
})
