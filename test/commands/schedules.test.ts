import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { prepared } from '../schedules/play.ts'
import { played } from '../schedules/run.ts'
import type { Act, Step } from '../schedules/steps.ts'
import { schedule } from '../schedules/steps.ts'

const world = await prepared()

test('whatever is merged, approved, lost and resumed: nothing passes a gate, nothing is lost, and what waits says why', async () => {
  let begun = 0
  await fc.assert(
    fc.asyncProperty(schedule, async (steps) => {
      const end = await played(steps, world)
      begun += end.begun
      expect(end.faults).toEqual([])
    }),
    { numRuns: 200, seed: 20_261_125, endOnFailure: true },
  )
  // That much came through is what makes the rest worth anything.
  expect(begun).toBeGreaterThan(400)
}, 120_000)

describe('what was found once and mended', () => {
  const merge = (service: 'cart' | 'mail', size: number): Step => ({
    do: 'merge',
    service,
    size,
    hasTable: true,
    also: undefined,
  })
  const wait = (minutes: number): Step => ({ do: 'wait', minutes })
  const act = (...acts: readonly Act[]): Step => ({ do: 'act', seed: 0, acts })
  const job = (pick: number, more: Partial<Extract<Act, { is: 'job' }>> = {}): Act => ({
    is: 'job',
    pick,
    isStopped: false,
    skew: 0,
    ...more,
  })
  const lock = (minutes: number): Act => ({ is: 'lock', unit: 'cart', by: 'carla', minutes, ofRun: false })
  const approval: Act = { is: 'review', pull: 0, by: 'carla', event: 'approved' }
  const glass = (service: 'cart' | 'mail'): Step => ({ do: 'glass', service, by: 'olga' })
  const day = 24 * 60

  const found: readonly (readonly [string, readonly Step[]])[] = [
    [
      'six commits of a service wait, each with a plan that was made before the others went on',
      [
        wait(day),
        ...[6, 4, 7].map((size) => merge('cart', size)),
        wait(3 * day),
        ...[8, 5, 3].map((size) => merge('cart', size)),
        act(job(0)),
        act({ is: 'environment', run: 0, by: 'carla' }),
        act(job(0)),
      ],
    ],
    [
      'two services of one commit wait, each with a new plan',
      [
        merge('cart', 4),
        merge('mail', 7),
        wait(4 * day),
        merge('mail', 2),
        act(job(0)),
        merge('cart', 3),
        wait(29),
        act(approval),
        glass('mail'),
        { do: 'fail', service: 'cart', stage: 'dev' },
        merge('cart', 61),
      ],
    ],
    ['a lock has ended a minute ago', [act(lock(59)), wait(60), merge('cart', 7), act(job(0))]],
    [
      'the clock of a runner says that a lock has ended',
      [act(lock(1), { is: 'resume' }), merge('cart', 3), act(job(0, { skew: 90_000 }))],
    ],
    [
      'a run was lost before it said anything, and another one of the same commit has failed',
      [
        merge('cart', 61),
        act(job(0, { weather: { nth: 1, is: 'lost-before' } })),
        glass('cart'),
        { do: 'fail', service: 'cart', stage: 'dev' },
        act(approval),
        wait(1),
        act(job(0)),
      ],
    ],
    [
      'a job is begun and holds its promotion while somebody takes that back',
      [
        merge('mail', 4),
        act(job(0)),
        act(job(0)),
        merge('mail', 1),
        act(job(0)),
        act(job(0, { weather: { nth: 1, is: 'lost-before' } })),
        wait(31),
        act({ is: 'resume' }),
        { do: 'act', seed: 1, acts: [{ is: 'cancel', service: 'mail', stage: 'staging' }, job(0)] },
      ],
    ],
    [
      'a run that breaks the glass is stopped when all was done, and another one of the commit waits',
      [
        merge('cart', 8),
        glass('cart'),
        act(job(0)),
        act(job(0), job(0)),
        act(job(0, { weather: { nth: 17, is: 'lost-after' }, isStopped: true })),
      ],
    ],
    [
      'GitHub does not answer when a run that breaks the glass fails and says that it had taken on what waited',
      [
        merge('mail', 2),
        { do: 'fail', service: 'mail', stage: 'staging' },
        act(job(0)),
        glass('mail'),
        act(job(0), job(0)),
        act(job(0, { weather: { nth: 24, is: 'refused-before' } })),
        { do: 'again', run: 0, by: 'carla' },
      ],
    ],
    [
      'what a newer commit has done cannot be recorded, and an older one waits',
      [
        merge('cart', 4),
        act(job(0)),
        merge('cart', 2),
        act(job(0), job(0)),
        wait(31),
        act(job(0, { weather: { nth: 13, is: 'refused-before' } })),
      ],
    ],
    [
      'GitHub does not answer when a newer commit supersedes one that was merged for another service',
      [
        { do: 'merge', service: 'mail', size: 1, hasTable: false, also: undefined },
        act(job(0)),
        merge('cart', 1),
        glass('mail'),
        merge('mail', 2),
        act(job(0), job(0)),
        merge('cart', 1),
        act(job(0), job(0, { weather: { nth: 22, is: 'refused-after' } })),
      ],
    ],
    [
      'a run that breaks the glass is stopped when it has said that what waited has gone on',
      [
        merge('cart', 3),
        act(job(0)),
        glass('cart'),
        merge('cart', 1),
        act(job(3)),
        act(job(0), job(0, { weather: { nth: 1, is: 'lost-before' } })),
        act(job(0), { is: 'team', who: 'carla', isIn: false }),
        act(job(0, { weather: { nth: 19, is: 'lost-after' }, isStopped: true }), job(0)),
      ],
    ],
    [
      'what a newer commit had begun is stopped by somebody, who starts it again behind an older one',
      [
        merge('mail', 1),
        merge('cart', 8),
        act(job(0)),
        merge('cart', 61),
        act(job(9), job(0)),
        wait(31),
        act(job(0, { weather: { nth: 11, is: 'lost-before' }, isStopped: true }), {
          is: 'team',
          who: 'carla',
          isIn: false,
        }),
        { do: 'again', run: 0, by: 'carla' },
        act({ is: 'resume' }, job(3)),
        glass('cart'),
      ],
    ],
  ]

  test.each(found)('%s', async (_what, steps) => {
    const { faults, begun } = await played(steps, world)
    expect(faults).toEqual([])
    expect(begun).toBeGreaterThan(0)
  })
})
