import { describe, expect, test } from 'vitest'
import { firstCause } from '../../../src/core/cause/first.ts'
import { judge } from '../../../src/core/cause/suspects.ts'
import { failures, stream } from './failures.ts'

describe('the cause of a failure', () => {
  test('is known of at least sixty', () => {
    expect(failures.length).toBeGreaterThanOrEqual(60)
    expect(new Set(failures.map(({ name }) => name)).size).toBe(failures.length)
  })

  test.each(failures.map((failure) => [failure.name, failure] as const))('%s', (_name, failure) => {
    const cause = firstCause(failure.events)

    expect(cause?.first.resource).toBe(failure.first)
    expect(cause?.first.is.is).toBe(failure.is)
    expect(cause?.also.map(({ resource }) => resource)).toEqual(failure.also ?? [])
    const verdicts = judge(cause === undefined ? {} : { cause })
    expect(verdicts.filter(({ is }) => is === 'convicted').map(({ suspect }) => suspect)).toEqual(failure.guilty)
    for (const { is, evidence } of verdicts) if (is !== 'unknown') expect(evidence).not.toEqual([])
  })

  test('is nothing as long as nothing failed', () => {
    expect(firstCause([])).toBeUndefined()
    expect(firstCause(stream('0 CREATE_IN_PROGRESS . | User Initiated'))).toBeUndefined()
  })

  test('is told as soon as the first event of it is there', () => {
    const events = stream(`
      0 CREATE_IN_PROGRESS . | User Initiated
      5 CREATE_FAILED Queue AWS::SQS::Queue | jobs already exists`)

    expect(firstCause(events)?.first.resource).toBe('Queue')
  })

  test('does not depend on the order in which events arrive, nor on their being read twice', () => {
    for (const { events } of failures) {
      const cause = firstCause(events)
      expect(firstCause([...events].toReversed().concat(events))?.first.reason).toBe(cause?.first.reason)
    }
  })

  test('what blocks the rollback is told apart', () => {
    const failed = failures.find(({ name }) => name === 'a rollback that fails too')

    expect(firstCause(failed?.events ?? [])?.rollbackBlockedBy?.resource).toBe('Group')
  })

  test('a message of fifty thousand characters is looked at in its first part, and kept whole', () => {
    const reason = `jobs already exists ${'|</details>@everyone '.repeat(2500)}`
    const cause = firstCause(stream(`5 CREATE_FAILED Queue AWS::SQS::Queue | ${reason}`))

    expect(cause?.first.is.is).toBe('taken')
    expect(cause?.first.reason).toBe(reason.trim())
  })
})
