import { describe, expect, test } from 'vitest'
import { UpdateTerminationProtectionCommand } from '@aws-sdk/client-cloudformation'

import type { DataMap } from '../../src/core/data.ts'
import { Refused } from '../../src/core/problem.ts'
import { clientOf, s3Of } from '../fakes/cloudformation/client.ts'
import { startCloudFormation } from '../fakes/cloudformation/server.ts'
import { PutObjectCommand } from '@aws-sdk/client-s3'
import {
  account,
  changesOf,
  collect,
  deploy,
  endOf,
  provisionerOf,
  stack,
  template,
  wantedOf,
} from './cloudformation-world.ts'

const quick = { durations: () => 1, changeSetSeconds: 1 } as const

/** More than 51,200 bytes, in resources that do nothing. */
function large(delay: number): DataMap {
  const more = Array.from({ length: 400 }, (_, index) => [
    `Topic${index}`,
    { Type: 'AWS::SNS::Topic', Properties: { DisplayName: 'd'.repeat(99) } },
  ])
  return template(delay, Object.fromEntries(more))
}

describe('what a stage says of its stacks', () => {
  const options = {
    terminationProtection: true,
    stackPolicy: { Statement: [{ Effect: 'Allow', Action: 'Update:*', Principal: '*', Resource: '*' }] },
    serviceRole: `arn:aws:iam::${account}:role/cloudformation`,
    rollback: { alarms: [`arn:aws:cloudwatch:eu-central-1:${account}:alarm:errors`], minutes: 1 },
  } as const

  test('is set on a new stack in the call that creates it', async () => {
    await using fake = await startCloudFormation(quick)
    expect(await deploy(provisionerOf(fake), wantedOf(template(), { options }))).toBe('CREATE_COMPLETE')
    expect(fake.stack('jobs')).toMatchObject({
      terminationProtection: true,
      config: { roleArn: options.serviceRole, rollback: { minutes: 1 } },
    })
    expect(fake.stack('jobs')?.policy).toContain('Update:*')
    expect(fake.requests().map(({ action }) => action)).not.toContain('SetStackPolicy')
    expect(await deploy(provisionerOf(fake), wantedOf(template(), { options }))).toBe('unchanged')
  })

  test('is set where the template stays as it is, too', async () => {
    await using fake = await startCloudFormation(quick)
    await deploy(provisionerOf(fake), wantedOf(template()))
    const { terminationProtection, stackPolicy } = options
    const wanted = wantedOf(template(), { options: { terminationProtection, stackPolicy } })
    const provisioner = provisionerOf(fake)
    const preview = await provisioner.preview(wanted, { for: 'deployment' })
    expect(preview).toMatchObject({ changes: [], settings: ['termination protection on', 'stack policy'] })
    expect(await endOf(provisioner.execute(preview, wanted))).toBe('UPDATE_COMPLETE')
    expect(fake.stack('jobs')?.terminationProtection).toBe(true)
    expect(await deploy(provisionerOf(fake), wanted)).toBe('unchanged')
  })

  test('what is not said is left as the cloud has it', async () => {
    await using fake = await startCloudFormation(quick)
    await deploy(provisionerOf(fake), wantedOf(template()))
    const client = clientOf(fake)
    await client.send(new UpdateTerminationProtectionCommand({ StackName: 'jobs', EnableTerminationProtection: true }))
    expect(await deploy(provisionerOf(fake), wantedOf(template()))).toBe('unchanged')
    expect(await deploy(provisionerOf(fake), wantedOf(template(5)))).toBe('UPDATE_COMPLETE')
    expect(fake.stack('jobs')?.terminationProtection).toBe(true)
  })

  test('an alarm rolls an update back', async () => {
    await using fake = await startCloudFormation(quick)
    const { rollback } = options
    await deploy(provisionerOf(fake), wantedOf(template(), { options: { rollback } }))
    const provisioner = provisionerOf(fake)
    const wanted = wantedOf(template(5), { options: { rollback } })
    const preview = await provisioner.preview(wanted, { for: 'deployment' })
    fake.alarm(rollback.alarms[0], 'ALARM')
    expect(await endOf(provisioner.execute(preview, wanted))).toBe('UPDATE_ROLLBACK_COMPLETE')
  })

  test('express mode is refused where something is replaced', async () => {
    await using fake = await startCloudFormation(quick)
    const named = (name: string): DataMap => ({
      Resources: { News: { Type: 'AWS::SNS::Topic', Properties: { TopicName: name } } },
    })
    const express = { options: { mode: 'express' } } as const
    expect(await deploy(provisionerOf(fake), wantedOf(named('a'), express))).toBe('CREATE_COMPLETE')
    const refusal = await deploy(provisionerOf(fake), wantedOf(named('b'), express)).catch((error: unknown) => error)
    expect(refusal).toMatchObject({ code: 'express-refused' })
    expect(fake.stack('jobs')?.changeSets.filter(({ execution }) => execution === 'AVAILABLE')).toEqual([])
  })
})

describe('templates', () => {
  test('of more than 51,200 bytes go by the bucket, once for the same content', async () => {
    await using fake = await startCloudFormation({ ...quick, buckets: { templates: account } })
    const options = { templateBucket: 'templates' }
    expect(await deploy(provisionerOf(fake, options), wantedOf(large(0)))).toBe('CREATE_COMPLETE')
    expect(await deploy(provisionerOf(fake, options), wantedOf(large(0)))).toBe('unchanged')
    await deploy(provisionerOf(fake, options), wantedOf(large(1)))
    await deploy(provisionerOf(fake, options), wantedOf(large(0)))
    const keys = fake.requests().filter(({ action }) => action === 'PutObject')
    expect(keys).toHaveLength(2)
  })

  test('of more than 51,200 bytes are refused without a bucket, by name', async () => {
    await using fake = await startCloudFormation(quick)
    const refusal = await deploy(provisionerOf(fake), wantedOf(large(0))).catch((error: unknown) => error)
    expect(refusal).toMatchObject({ code: 'template-bucket' })
    expect(refusal instanceof Refused ? refusal.remedy : '').toContain('template_bucket')
  })

  test('a bucket of somebody else is not written to', async () => {
    await using fake = await startCloudFormation({ ...quick, buckets: { templates: '999999999999' } })
    const refusal = await deploy(provisionerOf(fake, { templateBucket: 'templates' }), wantedOf(large(0))).catch(
      (error: unknown) => error,
    )
    expect(refusal).toMatchObject({ code: 'cloud-access' })
    expect(fake.stacks()).toEqual([])
  })

  test('a changed DeletionPolicy alone, which CloudFormation does not see, is applied', async () => {
    await using fake = await startCloudFormation(quick)
    const kept = (policy: string): DataMap => ({
      Resources: { Jobs: { Type: 'AWS::SQS::Queue', DeletionPolicy: policy, Properties: { DelaySeconds: 1 } } },
    })
    await deploy(provisionerOf(fake), wantedOf(kept('Delete')))
    expect(await deploy(provisionerOf(fake), wantedOf(kept('Retain')))).toBe('UPDATE_COMPLETE')
    expect(fake.stack('jobs')?.resources.get('Jobs')?.deletionPolicy).toBe('Retain')
    expect(await deploy(provisionerOf(fake), wantedOf(kept('Retain')))).toBe('unchanged')
    // Also where the template was not read before.
    const provisioner = provisionerOf(fake)
    await provisioner.state(stack, { expects: 'change' })
    const preview = await provisioner.preview(wantedOf(kept('Delete')), { for: 'deployment' })
    expect(await endOf(provisioner.execute(preview, wantedOf(kept('Delete'))))).toBe('UPDATE_COMPLETE')
    expect(fake.stack('jobs')?.resources.get('Jobs')?.deletionPolicy).toBe('Delete')
  })

  test('nested stacks are previewed inside, and followed', async () => {
    await using fake = await startCloudFormation({ ...quick, durations: () => 20, buckets: { templates: account } })
    const s3 = s3Of(fake)
    const put = async (key: string, body: DataMap): Promise<void> =>
      void (await s3.send(new PutObjectCommand({ Bucket: 'templates', Key: key, Body: JSON.stringify(body) })))
    await put('one', { Resources: { Inner: { Type: 'AWS::SNS::Topic', Properties: { DisplayName: 'a' } } } })
    await put('two', { Resources: { Inner: { Type: 'AWS::SNS::Topic', Properties: { DisplayName: 'b' } } } })
    const outer = (key: string): DataMap => ({
      Resources: {
        Network: {
          Type: 'AWS::CloudFormation::Stack',
          Properties: { TemplateURL: `https://templates.s3.eu-central-1.amazonaws.com/${key}` },
        },
      },
    })
    expect(await deploy(provisionerOf(fake), wantedOf(outer('one')))).toBe('CREATE_COMPLETE')
    const provisioner = provisionerOf(fake)
    const preview = await provisioner.preview(wantedOf(outer('two')), { for: 'deployment' })
    expect(changesOf(preview)).toContain('update Network/Inner')
    const events = await collect(provisioner.execute(preview, wantedOf(outer('two'))))
    const told = events.flatMap((event) => (event.kind === 'resource' ? [`${event.logicalId} ${event.status}`] : []))
    expect(told).toContain('Network/Inner UPDATE_COMPLETE')
    expect(new Set(told).size).toBe(told.length)
    expect(events.at(-1)).toMatchObject({ kind: 'stack', status: 'UPDATE_COMPLETE' })
  })

  test('what CloudFormation finds before it begins is told with the resource', async () => {
    await using fake = await startCloudFormation(quick)
    await deploy(provisionerOf(fake), wantedOf(template()))
    fake.occupy({ type: 'AWS::SQS::Queue', name: 'taken', region: stack.region })
    const named = template(0, { Named: { Type: 'AWS::SQS::Queue', Properties: { QueueName: 'taken' } } })
    const refusal = await deploy(provisionerOf(fake), wantedOf(named)).catch((error: unknown) => error)
    expect(refusal).toMatchObject({ code: 'stack-refused' })
    expect(refusal instanceof Refused ? refusal.message : '').toContain('Named')
    expect(fake.stack('jobs')?.changeSets.filter(({ status }) => status !== 'CREATE_COMPLETE')).toEqual([])
  })

  test('large change sets are read whole', async () => {
    await using fake = await startCloudFormation({ ...quick, pageSize: 7 })
    const topics = (name: string): DataMap => ({
      Resources: Object.fromEntries(
        Array.from({ length: 30 }, (_, index) => [
          `Topic${index}`,
          { Type: 'AWS::SNS::Topic', Properties: { DisplayName: name } },
        ]),
      ),
    })
    await deploy(provisionerOf(fake), wantedOf(topics('a')))
    const provisioner = provisionerOf(fake)
    const preview = await provisioner.preview(wantedOf(topics('b')), { for: 'deployment' })
    expect(preview.changes).toHaveLength(30)
    const events = await collect(provisioner.execute(preview, wantedOf(topics('b'))))
    const done = events.filter((event) => event.kind === 'resource' && event.status === 'UPDATE_COMPLETE')
    expect(done).toHaveLength(30)
  })
})

describe('an endpoint that lacks a call', () => {
  test.each([
    'UpdateTerminationProtection',
    'GetStackPolicy',
    'DescribeEvents',
    'GetCallerIdentity',
    'DescribeStackEvents',
  ])('%s is gone without', async (action) => {
    await using fake = await startCloudFormation(quick)
    fake.fault({ match: action, times: 1000, kind: 'html' })
    const options = { terminationProtection: true }
    expect(await deploy(provisionerOf(fake), wantedOf(template()))).toBe('CREATE_COMPLETE')
    expect(await deploy(provisionerOf(fake), wantedOf(template(5), { options }))).toBe('UPDATE_COMPLETE')
  })
})

describe('a preview', () => {
  test('is executed as it was made or not at all', async () => {
    await using fake = await startCloudFormation(quick)
    await deploy(provisionerOf(fake), wantedOf(template()))
    const provisioner = provisionerOf(fake)
    const preview = await provisioner.preview(wantedOf(template(5)), { for: 'deployment' })
    const other = await collect(provisioner.execute(preview, wantedOf(template(6)))).catch((error: unknown) => error)
    expect(other).toMatchObject({ code: 'plan-stale' })
    // By another process, which has it from a file.
    const copy = structuredClone({ ...preview })
    expect(await endOf(provisionerOf(fake).execute(copy, wantedOf(template(5))))).toBe('UPDATE_COMPLETE')
    const again = await collect(provisionerOf(fake).execute(copy, wantedOf(template(5)))).catch(
      (error: unknown) => error,
    )
    expect(again).toMatchObject({ code: 'plan-stale' })
  })

  test('of the same template is the same, whoever makes it', async () => {
    await using fake = await startCloudFormation(quick)
    await deploy(provisionerOf(fake), wantedOf(template()))
    const one = await provisionerOf(fake).preview(wantedOf(template(5)))
    const two = await provisionerOf(fake).preview(wantedOf(template(5)))
    expect({ ...two, handle: '' }).toEqual({ ...one, handle: '' })
  })
})
