import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { mapOf } from '../../src/core/data.ts'
import type { Answer, HealthCheck } from '../../src/core/health.ts'
import { inARow, nextLook, nextStep, readHealth, rehearsed } from '../../src/core/health.ts'
import { openServiceSpec } from '../../src/core/spec.ts'

const check: HealthCheck = { path: '/healthz', status: 200, within: 60, from: 'runner' }
const good: Answer = { is: 'answered', status: 200, took: 84 }
const bad: Answer = { is: 'answered', status: 503, took: 12 }
const silent: Answer = { is: 'failed', why: 'timeout', took: 5000 }

function times(count: number, answer: Answer): readonly Answer[] {
  return Array.from({ length: count }, () => answer)
}

describe('what a service file says of health', () => {
  test('a path alone, or more', () => {
    expect(readHealth('/healthz')).toEqual({ path: '/healthz', status: 200, within: 300, from: 'runner' })
    expect(
      readHealth(
        mapOf([
          ['path', '/up'],
          ['status', 204],
          ['within', '90s'],
          ['from', 'cloud'],
        ]),
      ),
    ).toEqual({
      path: '/up',
      status: 204,
      within: 90,
      from: 'cloud',
    })
    expect(readHealth(undefined)).toBeUndefined()
  })

  test.each([
    ['healthz', /path/],
    ['{ path: healthz }', /slash/],
    ['{ status: 99 }', /100 to 599/],
    ['{ within: soon }', /duration/],
    ['{ from: me }', /runner/],
    ['{ pat: /up }', /path/],
    ['7', /path/],
  ])('%s is told on its line', (value, expected) => {
    const { problems } = openServiceSpec('service.yaml', `service: shop\ntemplate: web@1.0.0\nhealth: ${value}\n`)

    expect(problems.length).toBeGreaterThan(0)
    expect(problems[0]?.at?.line).toBe(3)
    expect(`${problems[0]?.message} ${problems[0]?.expected} ${problems[0]?.remedy}`).toMatch(expected)
  })

  test('a stage may say it in another way', () => {
    const { spec } = openServiceSpec(
      'service.yaml',
      'service: shop\ntemplate: web@1.0.0\nhealth: /up\nstages: { prod: { health: { within: 10m } } }\n',
    )

    expect(spec?.health?.path).toBe('/up')
    expect(spec?.stages.get('prod')?.health?.within).toBe(600)
  })
})

describe('asking whether a service is healthy', () => {
  test('begins at once', () => {
    expect(nextStep(check, { answers: [], since: 0 }, 0)).toEqual({ is: 'wait', milliseconds: 0 })
  })

  test('needs five good answers in a row: one may come from the version before', () => {
    expect(nextStep(check, { answers: times(4, good), since: 0 }, 4000).is).toBe('wait')
    expect(nextStep(check, { answers: [...times(4, good), bad, good], since: 0 }, 6000).is).toBe('wait')
    expect(nextStep(check, { answers: [bad, ...times(inARow, good)], since: 0 }, 9000)).toEqual({
      is: 'healthy',
      words: '200 in 84 ms, 5 of 5 checks',
    })
  })

  test.each<readonly [string, readonly Answer[], RegExp]>([
    ['a wrong status', times(3, bad), /answered 503; 200 was expected within 60 s, and it was asked 3 times/],
    ['silence', [good, silent], /gave no answer in time/],
    ['too few good answers', times(3, good), /not 5 times in a row/],
    ['no answer at all', [], /was not asked once/],
  ])('ends with its time: %s', (_name, answers, words) => {
    expect(nextStep(check, { answers, since: 0 }, 60_000)).toMatchObject({
      is: 'unhealthy',
      words: expect.stringMatching(words),
    })
  })

  test('ends, whatever is answered, and never waits longer than its time', () => {
    fc.assert(
      fc.property(fc.infiniteStream(fc.constantFrom(good, bad, silent)), (stream) => {
        let now = 0
        const answers: Answer[] = []
        for (const answer of stream) {
          const step = nextStep(check, { answers, since: 0 }, now)
          if (step.is !== 'wait') return step.is === 'healthy' || now >= 60_000
          now += step.milliseconds + answer.took
          answers.push(answer)
          if (answers.length > 200) return false
        }
        return false
      }),
    )
  })
})

describe('what the cloud says', () => {
  const cloud: HealthCheck = { ...check, from: 'cloud' }

  test.each([
    ['nothing yet: it is asked at once', undefined, 0, { is: 'wait', milliseconds: 0 }],
    ['healthy', { is: 'healthy', words: '2 of 2' }, 0, { is: 'healthy', words: '2 of 2' }],
    ['not yet', { is: 'pending', words: '1 of 2' }, 0, { is: 'wait', milliseconds: 5000 }],
    ['not yet, near the end', { is: 'pending', words: '1 of 2' }, 58_000, { is: 'wait', milliseconds: 2000 }],
    [
      'not in its time',
      { is: 'pending', words: '1 of 2' },
      60_000,
      { is: 'unhealthy', words: '1 of 2; it was waited for 60 s' },
    ],
    ['gone back: no time is lost', { is: 'gone-back', words: 'back' }, 0, { is: 'unhealthy', words: 'back' }],
    ['nothing that can be known', { is: 'unknown', words: 'denied' }, 0, { is: 'unknown', words: 'denied' }],
  ] as const)('%s', (_name, said, now, step) => {
    expect(nextLook(cloud, { said, since: 0 }, now)).toEqual(step)
  })
})

describe('a rehearsal', () => {
  test.each([
    [good, { is: 'healthy', words: '200, rehearsed' }],
    [bad, { is: 'unhealthy', words: '/healthz answered 503; 200 was expected', last: bad }],
    [silent, { is: 'unhealthy', words: '/healthz gave no answer in time; 200 was expected', last: silent }],
  ])('takes one answer for all: %j', (answer, step) => {
    expect(rehearsed(check, answer)).toEqual(step)
  })
})
