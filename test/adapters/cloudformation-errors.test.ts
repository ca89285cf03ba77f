import { describe, expect, test } from 'vitest'

import { Refused } from '../../src/core/problem.ts'
import type { Fault } from '../fakes/cloudformation/server.ts'
import { startCloudFormation } from '../fakes/cloudformation/server.ts'
import { account, deploy, provisionerOf, template, wantedOf } from './cloudformation-world.ts'

const invalid = 'ValidationError'

/** What an update ends with, or is refused with, when one call is answered so. */
const rows: readonly (readonly [string, Fault, string])[] = [
  [
    'the stack is gone when its change set is asked for',
    { match: 'CreateChangeSet', kind: { code: invalid, message: 'Stack [jobs] does not exist' } },
    'plan-stale',
  ],
  [
    'the change set is gone when it is executed',
    {
      match: 'ExecuteChangeSet',
      kind: { code: 'ChangeSetNotFoundException', message: 'ChangeSet [d-1] does not exist', status: 404 },
    },
    'plan-stale',
  ],
  [
    'the call itself says that nothing is to be updated',
    { match: 'CreateChangeSet', kind: { code: invalid, message: 'No updates are to be performed.' } },
    'unchanged',
  ],
  [
    'a change set of the name is there already',
    {
      match: 'CreateChangeSet',
      kind: { code: 'AlreadyExistsException', message: 'ChangeSet [d-1] already exists' },
    },
    'plan-stale',
  ],
  [
    'another operation has begun when the change set is asked for',
    {
      match: 'CreateChangeSet',
      kind: {
        code: invalid,
        message: 'Stack:arn:aws:cloudformation:x is in UPDATE_IN_PROGRESS state and can not be updated.',
      },
    },
    'stack-busy',
  ],
  [
    'another operation has begun when it is executed',
    {
      match: 'ExecuteChangeSet',
      kind: {
        code: invalid,
        message: 'Stack:arn:aws:cloudformation:x is in UPDATE_IN_PROGRESS state and can not be updated.',
      },
    },
    'stack-busy',
  ],
  [
    'a failed operation waits where it stopped',
    {
      match: 'ExecuteChangeSet',
      kind: { code: invalid, message: 'This stack is currently in a non-terminal [UPDATE_FAILED] state.' },
    },
    'stack-busy',
  ],
  [
    'the change set is obsolete',
    {
      match: 'ExecuteChangeSet',
      kind: {
        code: 'InvalidChangeSetStatus',
        message: 'ChangeSet [d-1] cannot be executed in its current execution status of [OBSOLETE]',
      },
    },
    'plan-stale',
  ],
  [
    'the name was used for another change set',
    {
      match: 'CreateChangeSet',
      kind: {
        code: invalid,
        message: 'ChangeSet [d-1] cannot be created due to a mismatch with existing attribute Template',
      },
    },
    'plan-stale',
  ],
  [
    'a capability is missing',
    {
      match: 'CreateChangeSet',
      kind: { code: 'InsufficientCapabilitiesException', message: 'Requires capabilities : [CAPABILITY_IAM]' },
    },
    'cloud-capabilities',
  ],
  ['the account is throttled', { match: 'CreateChangeSet', times: 3, kind: 'throttle' }, 'UPDATE_COMPLETE'],
  [
    'it is throttled by another name',
    {
      match: 'DescribeChangeSet',
      times: 3,
      kind: { code: 'RequestLimitExceeded', message: 'Request limit exceeded.', status: 503 },
    },
    'UPDATE_COMPLETE',
  ],
  [
    'the account works on as much as it may at a time',
    {
      match: 'ExecuteChangeSet',
      times: 2,
      kind: { code: 'OperationInProgressException', message: 'Another operation is in progress.' },
    },
    'UPDATE_COMPLETE',
  ],
  [
    'a limit is reached',
    {
      match: 'CreateChangeSet',
      kind: { code: 'LimitExceededException', message: 'Limit for stacks has been exceeded' },
    },
    'cloud-quota',
  ],
  ['the credentials expire once', { match: 'CreateChangeSet', kind: 'expired' }, 'UPDATE_COMPLETE'],
  ['the credentials have expired', { match: 'CreateChangeSet', times: 9, kind: 'expired' }, 'cloud-credentials'],
  ['the credentials are wrong', { match: 'DescribeStacks', times: 9, kind: 'bad-credentials' }, 'cloud-credentials'],
  ['the role may not', { match: 'CreateChangeSet', kind: 'denied' }, 'cloud-access'],
  ['the role may not read the template', { match: 'GetTemplate', times: 9, kind: 'denied' }, 'UPDATE_COMPLETE'],
  [
    'the service role is not known everywhere yet',
    {
      match: 'CreateChangeSet',
      times: 2,
      kind: { code: invalid, message: 'Role arn:aws:iam::1:role/cfn is invalid or cannot be assumed' },
    },
    'UPDATE_COMPLETE',
  ],
  [
    'the service role does not trust',
    {
      match: 'CreateChangeSet',
      times: 99,
      kind: { code: invalid, message: 'Role arn:aws:iam::1:role/cfn is invalid or cannot be assumed' },
    },
    'cloud-access',
  ],
  [
    'the template is too large for the call',
    {
      match: 'CreateChangeSet',
      kind: {
        code: invalid,
        message:
          "1 validation error detected: Value '…' at 'templateBody' failed to satisfy constraint: Member must have length less than or equal to 51200",
      },
    },
    'UPDATE_COMPLETE',
  ],
  [
    'the template cannot be read from its bucket',
    { match: 'CreateChangeSet', kind: { code: invalid, message: 'S3 error: Access Denied' } },
    'stack-refused',
  ],
  [
    'a parameter has no value',
    { match: 'CreateChangeSet', kind: { code: invalid, message: 'Parameters: [Size] must have values' } },
    'stack-refused',
  ],
  [
    'the template is wrong',
    {
      match: 'CreateChangeSet',
      kind: { code: invalid, message: 'Template error: instance of Fn::GetAtt references undefined resource X' },
    },
    'stack-refused',
  ],
  ['the answer is lost', { match: 'ExecuteChangeSet', kind: 'reset-after' }, 'UPDATE_COMPLETE'],
  ['the request is lost', { match: 'ExecuteChangeSet', kind: 'reset' }, 'UPDATE_COMPLETE'],
  ['the service fails', { match: 'CreateChangeSet', times: 3, kind: 'error' }, 'UPDATE_COMPLETE'],
  ['the service is away', { match: 'DescribeStacks', times: 99, kind: 'unavailable' }, 'cloud-unreachable'],
  ['an emulator has no such call', { match: 'CreateChangeSet', kind: 'html' }, 'cloud-refused'],
  ['an emulator tells no policy', { match: 'GetStackPolicy', times: 99, kind: 'html' }, 'UPDATE_COMPLETE'],
  [
    'it is an error that nobody knows yet',
    { match: 'CreateChangeSet', kind: { code: 'NewlyInvented', message: 'Something else.' } },
    'cloud-refused',
  ],
]

describe('what AWS answers', () => {
  test.each(rows)('%s', async (_, fault, expected) => {
    await using fake = await startCloudFormation({
      durations: () => 1,
      changeSetSeconds: 1,
      buckets: { templates: account },
    })
    const options = { templateBucket: 'templates' }
    await deploy(provisionerOf(fake, options), wantedOf(template()))
    fake.fault(fault)
    const stackPolicy = { Statement: [{ Effect: 'Allow', Action: 'Update:*', Principal: '*', Resource: '*' }] }
    const wanted = wantedOf(template(5), fault.match === 'GetStackPolicy' ? { options: { stackPolicy } } : {})
    const ended = await deploy(provisionerOf(fake, options), wanted).catch((error: unknown) => {
      if (!(error instanceof Refused)) throw error
      expect(error.remedy).not.toBe('')
      return error.code
    })
    expect(ended).toBe(expected)
    // What was refused left the stack as it was, and the next run brings it about.
    fake.clearFaults()
    expect(['UPDATE_COMPLETE', 'unchanged']).toContain(await deploy(provisionerOf(fake, options), wanted))
    expect(fake.stack('jobs')?.config?.template).toMatchObject(template(5))
  })
})
