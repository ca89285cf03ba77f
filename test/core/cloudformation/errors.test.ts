import { describe, expect, test } from 'vitest'
import {
  handling,
  isEmptyChangeSet,
  type Meaning,
  recognise,
  stopWords,
  type ThrownError,
} from '../../../src/core/cloudformation/errors.ts'

const invalid = 'ValidationError'

/** Errors as the service answers them, what they mean, and what is done about each. */
const rows: readonly (readonly [string, ThrownError, Meaning, string])[] = [
  [
    'the stack is not there',
    { name: invalid, message: 'Stack with id checkout-dev does not exist' },
    { is: 'absent' },
    'look-again',
  ],
  [
    'the stack is not there, by another wording',
    { name: invalid, message: 'Stack [checkout-dev] does not exist' },
    { is: 'absent' },
    'look-again',
  ],
  [
    'the change set is not there',
    { name: 'ChangeSetNotFoundException', message: 'ChangeSet [d-1] does not exist' },
    { is: 'change-set-gone' },
    'done',
  ],
  [
    'the change set is not there, in the query protocol',
    { name: 'ChangeSetNotFound', message: 'ChangeSet [d-1] does not exist' },
    { is: 'change-set-gone' },
    'done',
  ],
  [
    'nothing is to be updated',
    { name: invalid, message: 'No updates are to be performed.' },
    { is: 'no-updates' },
    'done',
  ],
  [
    'the stack is there already',
    { name: 'AlreadyExistsException', message: 'Stack [checkout-dev] already exists' },
    { is: 'exists' },
    'look-again',
  ],
  [
    'the stack is there already, for a change set',
    {
      name: 'AlreadyExistsException',
      message: 'Stack [checkout-dev] already exists and cannot be created again with the changeSet [d-1].',
    },
    { is: 'exists' },
    'look-again',
  ],
  [
    'an operation is under way',
    {
      name: invalid,
      message:
        'Stack:arn:aws:cloudformation:eu-west-1:111111111111:stack/a/b is in UPDATE_IN_PROGRESS state and can not be updated.',
    },
    { is: 'busy', status: 'UPDATE_IN_PROGRESS' },
    'look-again',
  ],
  [
    'a failed operation waits where it stopped',
    {
      name: invalid,
      message:
        'This stack is currently in a non-terminal [UPDATE_FAILED] state. To update the stack from this state, please use the disable-rollback parameter.',
    },
    { is: 'paused', status: 'UPDATE_FAILED' },
    'look-again',
  ],
  [
    'the change set is outdated',
    {
      name: 'InvalidChangeSetStatusException',
      message: 'ChangeSet [arn:x] cannot be executed in its current execution status of [OBSOLETE]',
    },
    { is: 'change-set-state', status: 'OBSOLETE' },
    'remake',
  ],
  [
    'the change set is not made yet',
    {
      name: 'InvalidChangeSetStatus',
      message: 'ChangeSet [d-1] cannot be executed in its current status of [CREATE_PENDING]',
    },
    { is: 'change-set-state', status: 'CREATE_PENDING' },
    'remake',
  ],
  [
    'the change set is executed already',
    { name: 'InvalidChangeSetStatus', message: 'An operation on this ChangeSet is currently in progress.' },
    { is: 'change-set-state', status: 'EXECUTE_IN_PROGRESS' },
    'attach',
  ],
  [
    'the name of the change set was used for something else',
    { name: invalid, message: 'Change set cannot be created due to a mismatch with existing attribute Template' },
    { is: 'change-set-mismatch' },
    'remake',
  ],
  [
    'the token was used before',
    { name: 'TokenAlreadyExistsException', message: 'Token already exists' },
    { is: 'token-used' },
    'attach',
  ],
  [
    'capabilities are missing',
    {
      name: 'InsufficientCapabilitiesException',
      message: 'Requires capabilities : [CAPABILITY_NAMED_IAM, CAPABILITY_AUTO_EXPAND]',
    },
    { is: 'capabilities', needed: ['CAPABILITY_NAMED_IAM', 'CAPABILITY_AUTO_EXPAND'] },
    'stop',
  ],
  [
    'throttled, with status 400',
    { name: 'Throttling', message: 'Rate exceeded', status: 400 },
    { is: 'throttled' },
    'retry',
  ],
  ['throttled', { name: 'ThrottlingException', message: 'Rate exceeded' }, { is: 'throttled' }, 'retry'],
  ['throttled, too many requests', { name: 'TooManyRequestsException', message: '' }, { is: 'throttled' }, 'retry'],
  [
    'throttled, over the limit of requests',
    { name: 'RequestLimitExceeded', message: 'Request limit exceeded.' },
    { is: 'throttled' },
    'retry',
  ],
  ['throttled, told by the message alone', { name: invalid, message: 'Rate exceeded' }, { is: 'throttled' }, 'retry'],
  [
    'another operation is in progress',
    { name: 'OperationInProgressException', message: '' },
    { is: 'crowded' },
    'retry-slowly',
  ],
  [
    'too many resources are worked on',
    { name: 'ConcurrentResourcesLimitExceededException', message: 'Concurrent resources limit exceeded' },
    { is: 'crowded' },
    'retry-slowly',
  ],
  [
    'too many stacks',
    { name: 'LimitExceededException', message: 'Limit for stacks has been exceeded' },
    { is: 'quota' },
    'stop',
  ],
  [
    'expired credentials',
    { name: 'ExpiredToken', message: 'The security token included in the request is expired' },
    { is: 'credentials' },
    'stop',
  ],
  [
    'expired credentials, in the JSON protocol',
    { name: 'ExpiredTokenException', message: '' },
    { is: 'credentials' },
    'stop',
  ],
  ['credentials that are not known', { name: 'InvalidClientTokenId', message: '' }, { is: 'credentials' }, 'stop'],
  ['a client that is not known', { name: 'UnrecognizedClientException', message: '' }, { is: 'credentials' }, 'stop'],
  [
    'no credentials',
    { name: 'CredentialsProviderError', message: 'Could not load credentials from any providers' },
    { is: 'credentials' },
    'stop',
  ],
  [
    'not authorised',
    {
      name: 'AccessDenied',
      message:
        'User: arn:aws:sts::111111111111:assumed-role/plan/x is not authorized to perform: cloudformation:CreateChangeSet on resource: arn:aws:cloudformation:eu-west-1:111111111111:stack/a/* because no identity-based policy allows the cloudformation:CreateChangeSet action',
    },
    {
      is: 'access',
      action: 'cloudformation:CreateChangeSet',
      resource: 'arn:aws:cloudformation:eu-west-1:111111111111:stack/a/*',
    },
    'stop',
  ],
  [
    'not authorised, without a word of what',
    { name: 'AccessDeniedException', message: 'Access denied' },
    { is: 'access', action: undefined, resource: undefined },
    'stop',
  ],
  [
    'the role is not known yet',
    { name: invalid, message: 'Role arn:aws:iam::111111111111:role/deploy is invalid or cannot be assumed' },
    { is: 'role', role: 'arn:aws:iam::111111111111:role/deploy' },
    'retry-for-a-minute',
  ],
  [
    'the template is too large for a request',
    {
      name: invalid,
      message:
        "1 validation error detected: Value at 'templateBody' failed to satisfy constraint: Member must have length less than or equal to 51200",
    },
    { is: 'too-large' },
    'use-bucket',
  ],
  [
    'the address of the template is not one',
    { name: invalid, message: 'TemplateURL must be a supported URL.' },
    { is: 'template-url' },
    'stop',
  ],
  [
    'the template cannot be fetched',
    { name: invalid, message: 'S3 error: Access Denied' },
    { is: 'template-url' },
    'stop',
  ],
  [
    'the bucket is not there',
    { name: 'NoSuchBucket', message: 'The specified bucket does not exist' },
    { is: 'template-url' },
    'stop',
  ],
  [
    'parameters without a value',
    { name: invalid, message: 'Parameters: [Cpu, Memory] must have values' },
    { is: 'parameters', names: ['Cpu', 'Memory'] },
    'stop',
  ],
  [
    'parameters that the template does not have',
    { name: invalid, message: 'Parameters: [Cpus] do not exist in the template' },
    { is: 'parameters', names: ['Cpus'] },
    'stop',
  ],
  [
    'a parameter that breaks a rule',
    { name: invalid, message: "Parameter 'Cpu' must be one of AllowedValues" },
    { is: 'parameters', names: ['Cpu'] },
    'stop',
  ],
  [
    'a parameter of a wrong type',
    { name: invalid, message: 'Parameter validation failed: parameter value x for parameter name Y does not exist' },
    { is: 'parameters', names: [] },
    'stop',
  ],
  [
    'a parameter whose value before is asked for',
    {
      name: invalid,
      message: 'Cannot specify usePreviousValue as true for a parameter key not in the previous template: Cpu.',
    },
    { is: 'parameters', names: ['Cpu'] },
    'stop',
  ],
  [
    'a template that cannot be read',
    { name: invalid, message: 'Template format error: YAML not well-formed. (line 3, column 5)' },
    { is: 'template' },
    'stop',
  ],
  [
    'a template with a mistake',
    { name: invalid, message: 'Template error: instance of Fn::GetAtt references undefined resource Queue' },
    { is: 'template' },
    'stop',
  ],
  [
    'a template that refers to what is not there',
    {
      name: invalid,
      message:
        'Template validation error: Unresolved resource dependencies [Vpc] in the Resources block of the template',
    },
    { is: 'template' },
    'stop',
  ],
  ['a circle', { name: invalid, message: 'Circular dependency between resources: [A, B]' }, { is: 'template' }, 'stop'],
  [
    'a type that is not known',
    { name: invalid, message: 'Template format error: Unrecognized resource types: [AWS::Nothing::Here]' },
    { is: 'template' },
    'stop',
  ],
  [
    'a stack that is protected',
    { name: invalid, message: 'Stack [checkout-dev] cannot be deleted while TerminationProtection is enabled' },
    { is: 'protected' },
    'stop',
  ],
  [
    'a shell that has no summary',
    { name: invalid, message: 'GetTemplateSummary cannot be called on REVIEW_IN_PROGRESS stacks.' },
    { is: 'shell' },
    'look-again',
  ],
  [
    'the early validation has found something',
    {
      name: invalid,
      message:
        'The following hook(s)/validation failed: [AWS::EarlyValidation::PropertyValidation]. To troubleshoot, use the DescribeEvents API.',
    },
    { is: 'early-validation', validation: 'PropertyValidation' },
    'look-deeper',
  ],
  [
    'a stack policy',
    { name: invalid, message: 'Action denied by stack policy: Statement [#1] does not allow [Update:*]' },
    { is: 'policy' },
    'stop',
  ],
  [
    'an emulator that lacks the call',
    { name: 'Error', message: 'char 1 is not expected', status: 500, contentType: 'text/html; charset=utf-8' },
    { is: 'unsupported' },
    'stop',
  ],
  [
    'a call that the region does not have',
    { name: 'InvalidAction', message: 'Could not find operation DescribeEvents' },
    { is: 'unsupported' },
    'stop',
  ],
  [
    'a failure of the service',
    { name: 'InternalFailure', message: '', status: 500 },
    { is: 'unreachable' },
    'look-again',
  ],
  ['a failure without a name', { message: 'oops', status: 503 }, { is: 'unreachable' }, 'look-again'],
  ['an answer that was lost', { name: 'Error', message: 'socket hang up' }, { is: 'unreachable' }, 'look-again'],
  [
    'a host that is not found',
    { name: 'Error', message: 'getaddrinfo ENOTFOUND cloudformation.nowhere' },
    { is: 'unreachable' },
    'look-again',
  ],
  ['an answer that took too long', { name: 'TimeoutError', message: '' }, { is: 'unreachable' }, 'look-again'],
  [
    'something that is not known',
    { name: invalid, message: 'The moon is in the wrong phase' },
    { is: 'unknown' },
    'stop',
  ],
]

describe('an error of a call', () => {
  test.each(rows)('%s', (_, error, meaning, does) => {
    expect(recognise(error)).toEqual(meaning)
    expect(handling(recognise(error))).toBe(does)
  })

  test('is not told by the message alone where another service may say the same', () => {
    expect(recognise({ name: 'AlreadyExistsException', message: 'Stack with id x does not exist' })).toEqual({
      is: 'exists',
    })
    // moto answers so to ValidateTemplate, with what a linter found in the place of the id.
    expect(recognise({ name: invalid, message: 'Stack with id [cfn-lint: E1] line 3 does not exist' })).toEqual({
      is: 'unknown',
    })
  })

  test('degrades a call that only shows more', () => {
    expect(handling(recognise({ name: 'AccessDenied', message: '' }), { isOptional: true })).toBe('degrade')
    expect(handling({ is: 'unsupported' }, { isOptional: true })).toBe('degrade')
    expect(handling({ is: 'template' }, { isOptional: true })).toBe('stop')
  })
})

describe('a stop in words', () => {
  test.each(rows)('has the message of the service in it, as a sentence: %s', (_, error) => {
    const { message = '' } = error
    const words = stopWords(recognise(error), { stack: 'checkout-dev', call: 'CreateChangeSet', message })
    const said = message.startsWith('Could not load credentials')
      ? 'was not asked, for there are no credentials for AWS here'
      : 'was answered'
    expect(words.message.startsWith(`checkout-dev: CreateChangeSet ${said}: ${message}`)).toBe(true)
    expect(words.message).toMatch(/[.!?:;)"”]$/u)
    expect(words.remedy).toMatch(/\.$/)
  })

  test('tells who has never signed in from whose time is over', () => {
    const wordsOf = (name: string, message: string) =>
      stopWords(recognise({ name, message }), { stack: 'env-dev', call: 'GetTemplate', message })
    const nobody = wordsOf('CredentialsProviderError', 'Could not load credentials from any providers')
    expect(nobody).toEqual({
      code: 'cloud-credentials',
      message:
        'env-dev: GetTemplate was not asked, for there are no credentials for AWS here: Could not load credentials from any providers.',
      remedy: expect.stringMatching(/^Sign in, such as by `aws configure sso`.*`provisioner: local`/u),
    })
    expect(nobody.remedy).not.toMatch(/again, or|goes on where it was/u)
    const over = wordsOf('ExpiredToken', 'The security token included in the request is expired')
    expect(over.message).toContain('GetTemplate was answered')
    expect(over.remedy).toContain('Sign in again')
  })

  test('names the action to allow, and where', () => {
    const meaning: Meaning = { is: 'access', action: 'iam:PassRole', resource: 'arn:aws:iam::111111111111:role/deploy' }
    expect(stopWords(meaning, { stack: 's', call: 'CreateChangeSet', message: 'no' })).toMatchObject({
      code: 'cloud-access',
      remedy: 'Allow the role `iam:PassRole` on `arn:aws:iam::111111111111:role/deploy`, then run the command again.',
    })
    expect(
      stopWords(
        { is: 'access', action: undefined, resource: undefined },
        { stack: 's', call: 'ListStacks', message: '' },
      ),
    ).toMatchObject({ remedy: expect.stringContaining('`cloudformation:ListStacks`') })
  })

  test('names the capabilities for catalog.yaml', () => {
    expect(
      stopWords(
        { is: 'capabilities', needed: ['CAPABILITY_IAM'] },
        { stack: 's', call: 'CreateChangeSet', message: '' },
      ),
    ).toMatchObject({ code: 'cloud-capabilities', remedy: expect.stringContaining('[CAPABILITY_IAM]') })
  })
})

describe('an empty change set', () => {
  test.each([
    ["The submitted information didn't contain changes. Submit different information to create a change set.", true],
    ['No updates are to be performed.', true],
    ["Nested: The submitted information didn't contain changes.", false],
    ['', false],
  ])('is known by how its reason begins: %s', (reason, isEmpty) => {
    expect(isEmptyChangeSet('FAILED', reason)).toBe(isEmpty)
    expect(isEmptyChangeSet('CREATE_COMPLETE', reason)).toBe(false)
  })
})
