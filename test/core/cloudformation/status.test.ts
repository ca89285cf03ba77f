import { describe, expect, test } from 'vitest'
import {
  outcome,
  restOf,
  stackStatuses,
  type StackFacts,
  step,
  stepInWords,
} from '../../../src/core/cloudformation/status.ts'

const arn = 'arn:aws:cloudformation:eu-west-1:111111111111:stack/checkout-dev/0f2d6c1e-0000-0000-0000-000000000000'

const facts: StackFacts = { stack: arn, region: 'eu-west-1', resources: [] }

/** The 24 states, before: what a deployment does; after: what the state says of an operation that is followed. */
const states: readonly (readonly [
  string | undefined,
  { readonly rest: string; readonly before: string; readonly after: string; readonly removal: string },
])[] = [
  [undefined, { rest: 'absent', before: 'create', after: 'failed removed', removal: 'succeeded' }],
  ['REVIEW_IN_PROGRESS', { rest: 'absent', before: 'create', after: 'going', removal: 'going' }],
  ['CREATE_IN_PROGRESS', { rest: 'busy', before: 'wait idle', after: 'going', removal: 'going' }],
  ['CREATE_COMPLETE', { rest: 'settled', before: 'update', after: 'succeeded', removal: 'failed blocked' }],
  ['CREATE_FAILED', { rest: 'stuck', before: 'recover rollback', after: 'failed paused', removal: 'failed blocked' }],
  ['ROLLBACK_IN_PROGRESS', { rest: 'busy', before: 'wait idle', after: 'going failing', removal: 'going' }],
  [
    'ROLLBACK_COMPLETE',
    { rest: 'stuck', before: 'recover delete', after: 'failed rolled-back', removal: 'failed blocked' },
  ],
  ['ROLLBACK_FAILED', { rest: 'stuck', before: 'recover delete', after: 'failed blocked', removal: 'failed blocked' }],
  ['DELETE_IN_PROGRESS', { rest: 'busy', before: 'wait gone', after: 'going failing', removal: 'going' }],
  ['DELETE_COMPLETE', { rest: 'absent', before: 'create', after: 'failed removed', removal: 'succeeded' }],
  [
    'DELETE_FAILED',
    { rest: 'stuck', before: 'recover delete-again', after: 'failed blocked', removal: 'failed blocked' },
  ],
  ['UPDATE_IN_PROGRESS', { rest: 'busy', before: 'wait idle', after: 'going', removal: 'going' }],
  [
    'UPDATE_COMPLETE_CLEANUP_IN_PROGRESS',
    { rest: 'busy', before: 'wait idle', after: 'going usable', removal: 'going' },
  ],
  ['UPDATE_COMPLETE', { rest: 'settled', before: 'update', after: 'succeeded', removal: 'failed blocked' }],
  ['UPDATE_FAILED', { rest: 'stuck', before: 'recover rollback', after: 'failed paused', removal: 'failed blocked' }],
  ['UPDATE_ROLLBACK_IN_PROGRESS', { rest: 'busy', before: 'wait idle', after: 'going failing', removal: 'going' }],
  [
    'UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS',
    { rest: 'busy', before: 'wait idle', after: 'going failing', removal: 'going' },
  ],
  [
    'UPDATE_ROLLBACK_COMPLETE',
    { rest: 'settled', before: 'update', after: 'failed rolled-back', removal: 'failed blocked' },
  ],
  [
    'UPDATE_ROLLBACK_FAILED',
    { rest: 'stuck', before: 'recover continue-rollback', after: 'failed blocked', removal: 'failed blocked' },
  ],
  ['IMPORT_IN_PROGRESS', { rest: 'busy', before: 'wait idle', after: 'going', removal: 'going' }],
  ['IMPORT_COMPLETE', { rest: 'settled', before: 'update', after: 'succeeded', removal: 'failed blocked' }],
  ['IMPORT_ROLLBACK_IN_PROGRESS', { rest: 'busy', before: 'wait idle', after: 'going failing', removal: 'going' }],
  [
    'IMPORT_ROLLBACK_COMPLETE',
    { rest: 'settled', before: 'update', after: 'failed rolled-back', removal: 'failed blocked' },
  ],
  [
    'IMPORT_ROLLBACK_FAILED',
    { rest: 'stuck', before: 'refuse stack-stuck', after: 'failed blocked', removal: 'failed blocked' },
  ],
]

function stepWords(status: string | undefined, given: StackFacts = facts): string {
  const found = step(status, given)
  switch (found.step) {
    case 'wait':
      return `wait ${found.until}`
    case 'recover':
      return `recover ${found.by}`
    case 'refuse':
      return `refuse ${found.code}`
    default:
      return found.step
  }
}

function outcomeWords(status: string | undefined, operation: 'deployment' | 'removal'): string {
  const found = outcome(status, operation)
  if (found.is === 'succeeded') return 'succeeded'
  if (found.is === 'failed') return `failed ${found.left}`
  return ['going', ...(found.failing ? ['failing'] : []), ...(found.usable ? ['usable'] : [])].join(' ')
}

describe('the table of states', () => {
  test('has a row for each status of the service, and one for a stack that is not there', () => {
    expect(
      states
        .map(([status]) => status)
        .filter((status) => status !== undefined)
        .toSorted(),
    ).toEqual([...stackStatuses].toSorted())
    expect(states).toHaveLength(24)
  })

  test.each(states)('before a deployment: %s', (status, { before, rest }) => {
    expect(stepWords(status)).toBe(before)
    expect(restOf(status)).toBe(rest)
  })

  test.each(states)('while a deployment is followed: %s', (status, { after }) => {
    expect(outcomeWords(status, 'deployment')).toBe(after)
  })

  test.each(states)('while a removal is followed: %s', (status, { removal }) => {
    expect(outcomeWords(status, 'removal')).toBe(removal)
  })

  test.each([
    ['REFACTOR_IN_PROGRESS', 'busy', 'wait idle', 'going'],
    ['REFACTOR_COMPLETE', 'settled', 'update', 'succeeded'],
    ['REFACTOR_ROLLBACK_COMPLETE', 'settled', 'update', 'failed rolled-back'],
    ['REFACTOR_ROLLBACK_IN_PROGRESS', 'busy', 'wait idle', 'going failing'],
    ['REFACTOR_FAILED', 'stuck', 'refuse stack-stuck', 'failed blocked'],
  ])('a status of a later CloudFormation goes by its ending: %s', (status, rest, before, after) => {
    expect([restOf(status), stepWords(status), outcomeWords(status, 'deployment')]).toEqual([rest, before, after])
  })
})

describe('an operation under way', () => {
  test.each([
    'CREATE_IN_PROGRESS',
    'UPDATE_IN_PROGRESS',
    'UPDATE_ROLLBACK_IN_PROGRESS',
    'UPDATE_COMPLETE_CLEANUP_IN_PROGRESS',
    'IMPORT_IN_PROGRESS',
  ])('is followed where it is our own: %s', (status) => {
    expect(stepWords(status, { ...facts, isOurs: true })).toBe('attach')
  })

  test('is waited for where it deletes, whoever began it', () => {
    expect(stepWords('DELETE_IN_PROGRESS', { ...facts, isOurs: true })).toBe('wait gone')
  })
})

const table = { LogicalResourceId: 'Orders', ResourceType: 'AWS::DynamoDB::Table' } as const
const role = { LogicalResourceId: 'Role', ResourceType: 'AWS::IAM::Role' } as const

/** A table that is there. */
const precious: StackFacts = { ...facts, resources: [{ ...table, ResourceStatus: 'CREATE_COMPLETE' }] }

describe('a recovery that could lose something', () => {
  test.each(['ROLLBACK_COMPLETE', 'ROLLBACK_FAILED', 'CREATE_FAILED', 'DELETE_FAILED'])(
    'is refused where a resource that holds data is left: %s',
    (status) => {
      const found = step(status, precious)
      expect(found).toMatchObject({ step: 'refuse', code: 'recovery-loses-data' })
      expect(stepInWords(found)).toContain('Orders')
      expect(stepInWords(found)).toContain(`--stack-name ${arn}`)
      expect(stepInWords(found)).toContain('--region eu-west-1')
    },
  )

  test('names the command that leaves the data in the account, where there is one', () => {
    expect(step('DELETE_FAILED', precious)).toMatchObject({
      remedy: `To delete the stack and leave them in the account: \`aws cloudformation delete-stack --stack-name ${arn} --retain-resources Orders --region eu-west-1\`. Then deploy again.`,
    })
    expect(step('CREATE_FAILED', precious)).toMatchObject({
      remedy: `If that may be lost: \`aws cloudformation rollback-stack --stack-name ${arn} --retain-except-on-create --region eu-west-1\`. Then deploy again.`,
    })
  })

  test.each(['DELETE_COMPLETE', 'DELETE_SKIPPED', 'CREATE_FAILED'])(
    'goes on where the resource is not there any more, or stays: %s',
    (ResourceStatus) => {
      expect(stepWords('ROLLBACK_COMPLETE', { ...facts, resources: [{ ...table, ResourceStatus }] })).toBe(
        'recover delete',
      )
    },
  )

  test('says which resources stay in the account', () => {
    const found = step('ROLLBACK_COMPLETE', { ...facts, resources: [{ ...table, ResourceStatus: 'DELETE_SKIPPED' }] })
    expect(found).toMatchObject({ step: 'recover', by: 'delete', notes: [expect.stringContaining('Orders stays')] })
    expect(stepInWords(found)).toContain('Orders stays in the account')
  })

  test('goes on for what somebody has acknowledged, and for what its policy keeps', () => {
    expect(stepWords('ROLLBACK_FAILED', { ...precious, acknowledged: ['Orders'] })).toBe('recover delete')
    expect(stepWords('ROLLBACK_FAILED', { ...precious, retained: ['Orders'] })).toBe('recover delete')
    expect(stepWords('ROLLBACK_FAILED', { ...precious, acknowledged: ['Other'] })).toBe('refuse recovery-loses-data')
  })

  test('goes by the list of types, as the catalog changes it', () => {
    const resources = [{ ...role, ResourceStatus: 'DELETE_FAILED' }]
    expect(stepWords('ROLLBACK_FAILED', { ...facts, resources })).toBe('recover delete')
    expect(stepWords('ROLLBACK_FAILED', { ...facts, resources, guard: { types: ['AWS::IAM::Role'] } })).toBe(
      'refuse recovery-loses-data',
    )
    expect(stepWords('ROLLBACK_FAILED', { ...precious, guard: { release: ['AWS::DynamoDB::Table'] } })).toBe(
      'recover delete',
    )
  })

  test.each(['ROLLBACK_COMPLETE', 'ROLLBACK_FAILED', 'CREATE_FAILED', 'DELETE_FAILED'])(
    'is refused while it is not known what is in the stack: %s',
    (status) => {
      expect(step(status, { stack: 'checkout-dev', region: 'eu-west-1' })).toMatchObject({
        code: 'recovery-loses-data',
        message: expect.stringContaining('what is in it is not known'),
        remedy: expect.not.stringContaining('--retain-resources'),
      })
    },
  )

  test.each(['ROLLBACK_COMPLETE', 'ROLLBACK_FAILED', 'DELETE_FAILED'])(
    'is refused where the stack is protected from deletion: %s',
    (status) => {
      expect(step(status, { ...facts, terminationProtection: true })).toMatchObject({
        code: 'stack-protected',
        message: expect.stringContaining('checkout-dev is in the state'),
        remedy: expect.stringContaining('update-termination-protection'),
      })
    },
  )

  test('never deletes for a stack that only has to be rolled back', () => {
    expect(stepWords('UPDATE_FAILED', { ...precious, terminationProtection: true })).toBe('recover rollback')
    expect(stepWords('UPDATE_ROLLBACK_FAILED', { ...precious, terminationProtection: true })).toBe(
      'recover continue-rollback',
    )
  })
})

describe('a recovery that was tried', () => {
  test.each([
    ['ROLLBACK_COMPLETE', 'delete'],
    ['DELETE_FAILED', 'delete-again'],
    ['CREATE_FAILED', 'rollback'],
    ['UPDATE_FAILED', 'rollback'],
  ] as const)('is not repeated for ever: %s', (status, by) => {
    expect(step(status, { ...facts, tried: { [by]: 1 } })).toMatchObject({ step: 'refuse', code: 'stack-stuck' })
  })

  test('goes on with a rollback twice, and then names what would be skipped', () => {
    const resources = [
      { LogicalResourceId: 'Service', ResourceStatus: 'UPDATE_FAILED', ResourceStatusReason: 'no image' },
      { LogicalResourceId: 'Alarm', ResourceStatus: 'UPDATE_FAILED' },
      { LogicalResourceId: 'Role', ResourceStatus: 'UPDATE_COMPLETE' },
    ]
    const given: StackFacts = { ...facts, resources, role: 'arn:aws:iam::111111111111:role/deploy' }
    expect(stepWords('UPDATE_ROLLBACK_FAILED', { ...given, tried: { 'continue-rollback': 1 } })).toBe(
      'recover continue-rollback',
    )
    expect(step('UPDATE_ROLLBACK_FAILED', { ...given, tried: { 'continue-rollback': 2 } })).toEqual({
      step: 'refuse',
      code: 'stack-stuck',
      message:
        'checkout-dev is in the state UPDATE_ROLLBACK_FAILED: Service and Alarm cannot be brought back to what was there before (no image).',
      remedy: `Mend what stops it and deploy again, or go on without it: \`aws cloudformation continue-update-rollback --stack-name ${arn} --resources-to-skip Service Alarm --role-arn arn:aws:iam::111111111111:role/deploy --region eu-west-1\``,
    })
  })

  test('names what stops a deletion, and the command that leaves it', () => {
    const resources = [
      { LogicalResourceId: 'Network', ResourceStatus: 'DELETE_FAILED', ResourceStatusReason: 'has a dependent object' },
    ]
    expect(step('DELETE_FAILED', { ...facts, resources, tried: { 'delete-again': 1 } })).toMatchObject({
      message: 'checkout-dev is still in the state DELETE_FAILED: Network stands in the way (has a dependent object).',
      remedy: expect.stringContaining('--retain-resources Network'),
    })
  })
})

describe('what express mode has left', () => {
  test.each(['CREATE_FAILED', 'UPDATE_FAILED'])(
    'is mended by an update, for RollbackStack does not take it: %s',
    (status) => {
      expect(stepWords(status, { ...precious, mode: 'express' })).toBe('recover update-express')
      expect(stepWords(status, { ...facts, mode: 'express', tried: { 'update-express': 1 } })).toBe(
        'refuse stack-stuck',
      )
    },
  )
})

test('a command is quoted for a shell', () => {
  expect(step('IMPORT_ROLLBACK_FAILED', { stack: "it's; rm -rf /", region: 'eu-west-1' })).toMatchObject({
    remedy: expect.stringContaining(String.raw`--stack-name 'it'\''s; rm -rf /' --region`),
  })
})

test('every step has words', () => {
  for (const [status] of states) expect(stepInWords(step(status, facts))).toMatch(/\.$|`$/)
})
