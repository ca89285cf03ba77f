import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type Budget,
  changeSetInterval,
  newBudget,
  pollInterval,
  take,
  throttled,
} from '../../../src/core/cloudformation/pace.ts'

describe('the pace of looking', () => {
  test.each([
    [0, 1000],
    [30_000, 1000],
    [60_000, 1800],
    [100_000, 3000],
    [600_000, 5000],
    [36_000_000, 5000],
  ])('is 3 %% of what has passed, from one second to five: after %d ms', (elapsed, wait) => {
    expect(pollInterval({ elapsed, random: 0.5 })).toBe(wait)
  })

  test('differs by a tenth up and down, so that many do not look at once', () => {
    expect(pollInterval({ elapsed: 0, random: 0 })).toBe(900)
    expect(pollInterval({ elapsed: 0, random: 1 })).toBe(1100)
  })

  test('is half a second when nothing is under way any more, ten times', () => {
    expect(pollInterval({ elapsed: 100_000, random: 0.5, quiet: 1 })).toBe(500)
    expect(pollInterval({ elapsed: 100_000, random: 0.5, quiet: 10 })).toBe(500)
    expect(pollInterval({ elapsed: 100_000, random: 0.5, quiet: 11 })).toBe(3000)
  })

  test('is sparse until four fifths of the usual time, then a second, and its own again long after', () => {
    const at = (elapsed: number): number => pollInterval({ elapsed, random: 0.5, usual: 40_000 })
    expect(at(0)).toBe(4000)
    expect(at(30_000)).toBe(2000)
    expect(at(31_900)).toBe(500)
    expect(at(32_000)).toBe(1000)
    expect(at(48_000)).toBe(1000)
    expect(at(49_000)).toBe(1470)
    expect(at(100_000)).toBe(3000)
  })

  test('does not look past the moment from which on it looks closely', () => {
    fc.assert(
      fc.property(
        fc.nat(400_000),
        fc.integer({ min: 1, max: 500_000 }),
        fc.float({ min: 0, max: 1, noNaN: true }),
        (elapsed, usual, random) => {
          const wait = pollInterval({ elapsed, usual, random })
          expect(wait).toBeGreaterThanOrEqual(500)
          expect(wait).toBeLessThanOrEqual(5500)
          if (elapsed < usual * 0.8) expect(elapsed + wait).toBeLessThanOrEqual(Math.max(usual * 0.8, elapsed + 500))
        },
      ),
    )
  })

  test.each([
    [15_000, undefined],
    [45_000, undefined],
    [45_000, 45_000],
    [120_000, undefined],
    [300_000, 310_000],
  ])('finds the end of an operation of %d ms within two seconds on average (usual: %s)', (length, usual) => {
    const runs = Array.from({ length: 400 }, (_, index) => follow(length * (0.7 + (0.6 * index) / 400), usual, index))
    const mean = runs.reduce((sum, { late }) => sum + late, 0) / runs.length
    const most = Math.max(...runs.map(({ looks }) => looks))
    expect(mean).toBeLessThan(length > 100_000 && usual === undefined ? 2700 : 2000)
    expect(most).toBeLessThanOrEqual(length === 45_000 ? 60 : 140)
  })

  test('a change set is looked at after half a second, then a little later each time, to two seconds', () => {
    expect(changeSetInterval(0)).toBe(500)
    expect(changeSetInterval(1)).toBe(650)
    expect(changeSetInterval(6)).toBe(2000)
    expect(changeSetInterval(5000)).toBe(2000)
  })
})

/** A follower of an operation of that length: how many looks it takes, and how late it knows the end. */
function follow(
  length: number,
  usual: number | undefined,
  seed: number,
): { readonly looks: number; readonly late: number } {
  let elapsed = 0
  let looks = 0
  for (; elapsed < length; looks += 1) {
    elapsed += pollInterval({ elapsed, usual, random: ((seed * 7919 + looks * 104_729) % 1000) / 1000 })
  }
  return { looks, late: elapsed - length }
}

/** Sends requests one after the other as fast as the budget lets: how many in a time. */
function sent(from: Budget, start: number, until: number): { readonly budget: Budget; readonly count: number } {
  let budget = from
  let count = 0
  for (let now = start; ; count += 1) {
    const taken = take(budget, now)
    now += taken.wait
    if (now > until) return { budget, count }
    budget = taken.budget
  }
}

describe('the budget of an account and region', () => {
  test('lets ten reads go at once, and then five a second', () => {
    const { count } = sent(newBudget(0), 0, 0)
    expect(count).toBe(10)
    expect(sent(newBudget(0), 0, 9999).count).toBe(10 + 49)
  })

  test('lets two mutations go at once, and then two a second, beside the reads', () => {
    const first = take(newBudget(0), 0, 'write')
    const second = take(first.budget, 0, 'write')
    const third = take(second.budget, 0, 'write')
    expect([first.wait, second.wait, third.wait]).toEqual([0, 0, 500])
    expect(take(third.budget, 0).wait).toBe(0)
  })

  test('halves the rate when a request is throttled, down to one a second, and gives nothing at once', () => {
    let budget = throttled(newBudget(0), 0)
    expect(budget.rate).toBe(2.5)
    expect(take(budget, 0).wait).toBe(400)
    budget = throttled(budget, 1000)
    expect(budget.rate).toBe(1.25)
    budget = throttled(throttled(budget, 2000), 3000)
    expect(budget.rate).toBe(1)
  })

  test('takes requests that were throttled together for one', () => {
    expect(throttled(throttled(newBudget(0), 1000), 1100).rate).toBe(2.5)
  })

  test('grows by half a request every ten seconds without, to eight', () => {
    const halved = throttled(newBudget(0), 0)
    expect(take(halved, 9999).budget.rate).toBe(2.5)
    expect(take(halved, 10_000).budget.rate).toBe(3)
    expect(take(halved, 50_000).budget.rate).toBe(5)
    expect(take(halved, 600_000).budget.rate).toBe(8)
  })

  test('holds mutations back while reads are', () => {
    const { budget } = take(throttled(newBudget(0), 0), 0, 'write')
    expect(take(budget, 0, 'write').wait).toBe(2000)
  })

  test('never lets more through than its rate and its burst', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(3000), fc.constantFrom('read', 'throttle')), { maxLength: 200 }),
        (steps) => {
          let budget = newBudget(0)
          let now = 0
          const times: number[] = []
          for (const [pause, kind] of steps) {
            now += pause
            if (kind === 'throttle') budget = throttled(budget, now)
            else {
              const taken = take(budget, now)
              budget = taken.budget
              times.push(now + taken.wait)
            }
            expect(budget.rate).toBeGreaterThanOrEqual(1)
            expect(budget.rate).toBeLessThanOrEqual(8)
          }
          for (const [index, time] of times.entries()) {
            const within = times.slice(index).filter((each) => each < time + 1000).length
            expect(within).toBeLessThanOrEqual(10 + 8 + 1)
          }
        },
      ),
    )
  })
})
