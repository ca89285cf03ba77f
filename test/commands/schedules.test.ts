import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { prepared } from '../schedules/play.ts'
import { played } from '../schedules/run.ts'
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
