import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Pacer } from '../../../src/core/upgrade/pacer.ts'
import { afterNo, afterOpening, mergedPacer, newPacer, paceAt, paceFor } from '../../../src/core/upgrade/pacer.ts'

const hour = 3_600_000
const minute = 60_000

/** GitHub's limiter as it behaves: so many in any hour and any minute; a no tells nothing but that it is one. */
function limiter(caps: { readonly hourly: number; readonly minutely: number }) {
  const made: number[] = []
  let first = 0
  return {
    take(now: number): boolean {
      while ((made[first] ?? now) <= now - hour) first += 1
      const inMinute = made.slice(-caps.minutely).filter((at) => at > now - minute).length
      if (made.length - first >= caps.hourly || inMinute >= caps.minutely) return false
      made.push(now)
      return true
    },
  }
}

/** Opens so many, three seconds each; a run that is told to stop is followed by one on the hour's next quarter. */
function simulate(count: number, caps: { readonly hourly: number; readonly minutely: number }) {
  const hub = limiter(caps)
  let [pacer, now, left, noes, runs]: [Pacer, number, number, number, number] = [
    paceFor(newPacer, count),
    0,
    count,
    0,
    1,
  ]
  while (left > 0) {
    const turn = paceAt(pacer, { kind: 'content', now })
    if (turn.is === 'wait') now += turn.milliseconds
    else if (turn.is === 'stop') {
      runs += 1
      pacer = paceFor(pacer, left)
      now = Math.max(turn.until, now + 1)
    } else if (hub.take(now)) {
      pacer = afterOpening(pacer, now)
      left -= 1
      now += 3000
    } else {
      noes += 1
      pacer = afterNo(pacer, { seconds: undefined, now }).pacer
    }
  }
  return { hours: now / hour, noes, runs, pacer }
}

/** The time that GitHub's documented limits need at the least: of each hour all, and of the last what is left. */
const bound = (count: number, hourly: number): number =>
  Math.ceil(count / hourly) - 1 + ((count - hourly * (Math.ceil(count / hourly) - 1)) * 3) / 3600

describe('a fleet is opened as fast as GitHub lets it', () => {
  test.each([
    { count: 1000, hourly: 500, minutely: 80, most: 1.06, noes: 0 },
    { count: 10_000, hourly: 500, minutely: 80, most: 1.06, noes: 0 },
    { count: 1000, hourly: 150, minutely: 20, most: 1.2, noes: 2 },
    { count: 10_000, hourly: 150, minutely: 80, most: 1.1, noes: 2 },
    { count: 1000, hourly: 70, minutely: 80, most: 1.1, noes: 2 },
  ])('$count under a hidden $hourly an hour and $minutely a minute: $noes noes at the most', (given) => {
    const { hours, noes } = simulate(given.count, given)
    expect(noes).toBeLessThanOrEqual(given.noes)
    expect(hours / bound(given.count, given.hourly)).toBeLessThanOrEqual(given.most)
  })

  test('of a limit a minute it learns that of a minute, and not one of an hour', () => {
    const { pacer } = simulate(60, { hourly: 500, minutely: 10 })
    expect(pacer.hourly).toBe(480)
    expect(pacer.minutely).toBeLessThanOrEqual(10)
  })

  test('runs are slices: none waits for most of an hour', () => {
    const { runs } = simulate(10_000, { hourly: 500, minutely: 80 })
    expect(runs).toBeGreaterThanOrEqual(20)
  })
})

describe('a no', () => {
  test('stops everything, also what is no content', () => {
    const { pacer } = afterNo(newPacer, { seconds: undefined, now: 0 })
    expect(paceAt(pacer, { kind: 'other', now: 0 })).toEqual({ is: 'wait', milliseconds: minute })
    expect(paceAt(pacer, { kind: 'other', now: minute })).toEqual({ is: 'go' })
  })

  test('is waited for as long as GitHub says, and longer each time it comes again', () => {
    const first = afterNo(newPacer, { seconds: 90, now: 0 })
    expect(first.turn).toEqual({ is: 'wait', milliseconds: 90_000 })
    const second = afterNo(first.pacer, { seconds: undefined, now: 90_000 })
    expect(second.turn).toEqual({ is: 'wait', milliseconds: 2 * minute })
    const seventh = [3, 4, 5, 6, 7].reduce((so) => afterNo(so, { seconds: 1, now: 0 }).pacer, second.pacer)
    expect(paceAt(seventh, { kind: 'other', now: 0 }).is).toBe('stop')
  })

  test('whatever comes, a limit is never below one and never above what it began with', () => {
    const events = fc.array(fc.tuple(fc.boolean(), fc.integer({ min: 1, max: 2 * 86_400_000 })), { maxLength: 200 })
    fc.assert(
      fc.property(events, (all) => {
        let [pacer, now]: [Pacer, number] = [newPacer, 0]
        for (const [isNo, wait] of all) {
          now += wait
          pacer = paceFor(pacer, wait % 600)
          pacer = isNo ? afterNo(pacer, { seconds: undefined, now }).pacer : afterOpening(pacer, now)
          expect(pacer.hourly).toBeGreaterThanOrEqual(1)
          expect(pacer.hourly).toBeLessThanOrEqual(500)
          expect(pacer.minutely).toBeGreaterThanOrEqual(1)
          expect(pacer.minutely).toBeLessThanOrEqual(60)
        }
      }),
      { seed: 7, numRuns: 50 },
    )
  })
})

test('what is pending counts as opened', () => {
  const full = Array.from({ length: 479 }, (_, index) => index * 1000).reduce(
    (pacer: Pacer, now) => afterOpening(pacer, now),
    newPacer,
  )
  const now = 479 * 1000 + minute
  expect(paceAt(full, { kind: 'content', now }).is).toBe('go')
  expect(paceAt(full, { kind: 'content', pending: 1, now }).is).toBe('stop')
})

test('after a day without a no, a twentieth more is tried', () => {
  const made = Array.from({ length: 150 }, (_, index) => index * 3000)
  const full = made.reduce((pacer: Pacer, now) => afterOpening(pacer, now), newPacer)
  const learned = afterNo(full, { seconds: undefined, now: 450_000 }).pacer
  expect(learned.hourly).toBe(142)
  expect(afterOpening(learned, 450_000 + 23 * hour).hourly).toBe(142)
  expect(afterOpening(learned, 450_000 + 25 * hour).hourly).toBe(149)
})

test('of two runs the least that is known of both holds', () => {
  const pacer = afterOpening(afterOpening(newPacer, 1), 2)
  const both = mergedPacer(afterOpening({ ...pacer, hourly: 100 }, 5), afterOpening(pacer, 6))
  expect(both).toMatchObject({ made: [1, 2, 5, 6], hourly: 100, minutely: 60 })
})
