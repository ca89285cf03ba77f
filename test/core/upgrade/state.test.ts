import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Refused } from '../../../src/core/problem.ts'
import type { Answers } from '../../../src/core/upgrade/answers.ts'
import type { Pacer } from '../../../src/core/upgrade/pacer.ts'
import type { Member, Rollout } from '../../../src/core/upgrade/state.ts'
import {
  readAnswers,
  readPacer,
  readRollout,
  rolloutPath,
  writeAnswers,
  writePacer,
  writeRollout,
} from '../../../src/core/upgrade/state.ts'

const time = fc.integer({ min: 0, max: 4e12 }).map((at) => new Date(at).toISOString())
const text = fc.string({ unit: 'binary', maxLength: 20 })
const optional = <T extends object>(value: fc.Arbitrary<T>) => fc.option(value, { nil: {} })
const member: fc.Arbitrary<Member> = fc
  .tuple(
    fc.record({
      key: text,
      name: text,
      kind: fc.constantFrom('service' as const, 'environment' as const),
      repository: text,
      wave: fc.nat(9),
      standing: fc.constantFrom('open' as const, 'declined' as const, 'taken-over' as const),
      since: time,
      deployments: fc.array(
        fc.record({ stage: text, is: fc.constantFrom('ok' as const, 'failed' as const), at: time }),
        { maxLength: 2 },
      ),
    }),
    optional(
      fc.record({ owner: text, why: text, pullRequest: fc.nat(), merged: time, excused: time }, { requiredKeys: [] }),
    ),
  )
  .map(([fixed, more]) => ({ ...fixed, ...more }))
const rollout: fc.Arbitrary<Rollout> = fc.record(
  {
    template: fc.constant('fargate-service'),
    version: fc.constant('2.3.0'),
    began: time,
    is: fc.constantFrom('running' as const, 'halted' as const, 'aborted' as const),
    stopped: fc.record({ at: time, why: text, by: text }, { requiredKeys: ['at', 'why'] }),
    resumed: fc.record({ at: time, was: text, why: text, by: text }, { requiredKeys: ['at', 'was'] }),
    waves: fc.array(time, { maxLength: 3 }),
    issue: fc.nat(),
    members: fc.uniqueArray(member, { selector: ({ key }) => key, maxLength: 4 }),
  },
  { requiredKeys: ['template', 'version', 'began', 'is', 'waves', 'members'] },
)
const answers: fc.Arbitrary<Answers> = fc.record({
  answers: fc.uniqueArray(
    fc.record(
      {
        consumer: text,
        width: fc.constantFrom('version' as const, 'major' as const, 'never' as const, 'later' as const),
        version: fc.constantFrom('2.3.0', '2.4.0'),
        from: fc.constant('2.2.1'),
        pullRequest: fc.nat(),
        at: time,
        by: text,
        until: time,
        reverted: fc.constant(true as const),
      },
      { requiredKeys: ['consumer', 'width', 'version', 'from', 'pullRequest', 'at'] },
    ),
    { selector: ({ pullRequest }) => pullRequest, maxLength: 3 },
  ),
})
const pacer: fc.Arbitrary<Pacer> = fc.record(
  {
    made: fc.array(fc.nat(), { maxLength: 3 }),
    hourly: fc.integer({ min: 1, max: 500 }),
    minutely: fc.integer({ min: 1, max: 60 }),
    noes: fc.nat(5),
    heldUntil: fc.nat(),
    learnedAt: fc.nat(),
  },
  { requiredKeys: ['made', 'hourly', 'minutely', 'noes'] },
)

describe('what is kept', () => {
  test('is read as it was written, and written the same again', () => {
    const both = <T>(
      arbitrary: fc.Arbitrary<T>,
      write: (value: T) => string,
      read: (file: string, written: string) => T,
    ): void => {
      fc.assert(
        fc.property(arbitrary, (value) => {
          const written = write(value)
          expect(write(read('x.json', written))).toBe(written)
        }),
        { seed: 8, numRuns: 200 },
      )
    }
    both(rollout, writeRollout, readRollout)
    both(answers, writeAnswers, readAnswers)
    both(pacer, writePacer, readPacer)
    fc.assert(
      fc.property(pacer, (value) => {
        expect(readPacer('x', writePacer(value))).toEqual(value)
      }),
      { seed: 8, numRuns: 50 },
    )
  })

  test('has a line for each member, in the order of their keys', () => {
    const made = fc.sample(rollout, { seed: 9, numRuns: 20 }).find(({ members }) => members.length > 2)
    if (made === undefined) throw new Error('None has members.')
    expect(writeRollout(made).split('\n')).toHaveLength(made.members.length + 3)
    expect(writeRollout({ ...made, members: made.members.toReversed() })).toBe(writeRollout(made))
  })

  test('lies where its release says', () => {
    expect(rolloutPath({ template: 'fargate-service', version: '2.3.0' })).toBe('rollouts/fargate-service/2.3.0.json')
  })
})

describe('what is damaged is refused', () => {
  const good = writeAnswers({
    answers: [
      {
        consumer: '1',
        width: 'never',
        version: '2.3.0',
        from: '2.2.1',
        pullRequest: 1,
        at: '2026-11-24T12:00:00.000Z',
      },
    ],
  })
  test.each([
    ['no JSON', 'oops', /It is damaged: /u],
    ['no map', '[]', /What should be a map is none/u],
    ['no format', '{}', /It does not say/u],
    ['a newer format', '{"format":2}', /newer version of Protium, in format 2/u],
    ['no answers', '{"format":1}', /`answers` is no list/u],
    ['a width that is none', good.replace('"never"', '"always"'), /`width` is none of version, major, never, later/u],
    ['a version that is none', good.replace('"2.3.0"', '"latest"'), /`version` is not what it has to be/u],
    ['a time that is none', good.replace('2026-11-24T12', '2026-99-24T12'), /`at` is not what it has to be/u],
    ['a number that is none', good.replace('"pullRequest":1', '"pullRequest":-1'), /`pullRequest` is no number/u],
  ])('%s', (_, written, wanted) => {
    const read = (): unknown => readAnswers('answers.json', written)
    expect(read).toThrow(Refused)
    expect(read).toThrow(wanted)
  })
})
