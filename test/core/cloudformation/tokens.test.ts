import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  changeSetName,
  isOurs,
  readName,
  requestToken,
  type RunName,
  shortDigest,
} from '../../../src/core/cloudformation/tokens.ts'

const name: RunName = { run: '8123456789', attempt: 2, wants: `sha256:${'0123456789abcdef'.repeat(4)}` }

const anyName: fc.Arbitrary<RunName> = fc.record(
  {
    run: fc.string({ maxLength: 300, unit: 'binary' }),
    attempt: fc.nat(),
    wants: fc
      .string({ minLength: 64, maxLength: 64, unit: fc.nat(15).map((digit) => digit.toString(16)) })
      .map((hex) => `sha256:${hex}`),
    pullRequest: fc.nat(),
  },
  { requiredKeys: ['run', 'attempt', 'wants'] },
)

const purposes = ['create', 'execute', 'delete', 'rollback', 'continue', 'express', 'plan'] as const

describe('names of change sets and tokens', () => {
  test('tell the run, its attempt and what is wanted', () => {
    expect(changeSetName(name)).toBe('d-8123456789-2-01234567')
    expect(changeSetName({ ...name, pullRequest: 7 }, 'plan')).toBe('p-pr7-8123456789-2-01234567')
    expect(requestToken(name, 'execute')).toBe('d-8123456789-2-01234567')
  })

  test('differ by what the call is for, so that no token is used for two requests', () => {
    expect(new Set(purposes.map((purpose) => requestToken(name, purpose))).size).toBe(purposes.length)
  })

  test('fit what CloudFormation takes, whatever the run is called', () => {
    fc.assert(
      fc.property(anyName, fc.constantFrom(...purposes), (any, purpose) => {
        expect(changeSetName(any)).toMatch(/^[a-zA-Z][-a-zA-Z0-9]{0,127}$/)
        expect(requestToken(any, purpose)).toMatch(/^[a-zA-Z0-9][-a-zA-Z0-9]{0,127}$/)
      }),
    )
  })

  test('are read back', () => {
    fc.assert(
      fc.property(anyName, fc.constantFrom(...purposes), (any, purpose) => {
        expect(readName(requestToken(any, purpose))).toMatchObject({
          purpose,
          attempt: any.attempt,
          wants: shortDigest(any.wants),
          ...(any.pullRequest !== undefined && { pullRequest: any.pullRequest }),
        })
      }),
    )
  })

  test.each(['checkout-dev-CS', 'd-1-2', 'd-1-2-XYZ45678', 'z-1-2-01234567', 'create8f14e45f-ceea', ''])(
    'are nobody else’s: %s',
    (other) => {
      expect(readName(other)).toBeUndefined()
    },
  )
})

describe('a token on an event', () => {
  test('is ours where it is of the same run, in any attempt', () => {
    expect(isOurs(requestToken({ ...name, attempt: 1 }, 'execute'), name)).toBe(true)
    expect(isOurs(requestToken(name, 'delete'), name)).toBe(true)
  })

  test('is ours where another run executes the very same', () => {
    expect(isOurs(requestToken({ ...name, run: '1' }, 'execute'), name)).toBe(true)
    expect(isOurs(requestToken({ ...name, run: '1' }, 'delete'), name)).toBe(false)
    expect(isOurs(requestToken({ ...name, run: '1', wants: 'sha256:ffffffff00' }, 'execute'), name)).toBe(false)
  })

  test('is not ours where somebody else made it, or nobody', () => {
    expect(isOurs(undefined, name)).toBe(false)
    expect(isOurs('Console-UpdateStack-1f7e', name)).toBe(false)
  })
})
