import { setTimeout } from 'node:timers/promises'
import type { Clock } from '../../../src/ports.ts'

/** The machine's own clock. */
export function systemClock(): Clock {
  return {
    now: () => new Date(),
    sleep: async (milliseconds, signal) => {
      await setTimeout(milliseconds, undefined, { ref: false, ...(signal === undefined ? {} : { signal }) })
    },
  }
}

export type ManualClock = Clock & {
  /** Moves on, and wakes who has slept enough, in the order of their times. */
  advance(milliseconds: number): void
}

/** A clock that stands until it is moved. */
export function manualClock(start: string): ManualClock {
  let time = Date.parse(start)
  const sleepers = new Set<{ readonly until: number; readonly wake: () => void }>()
  return {
    now: () => new Date(time),
    sleep: (milliseconds, signal) =>
      new Promise((resolve, reject) => {
        const sleeper = { until: time + milliseconds, wake: resolve }
        sleepers.add(sleeper)
        signal?.addEventListener('abort', () => {
          sleepers.delete(sleeper)
          reject(new Error('The sleep was cut short', { cause: signal.reason }))
        })
      }),
    advance: (milliseconds) => {
      time += milliseconds
      for (const sleeper of [...sleepers].toSorted((a, b) => a.until - b.until)) {
        if (sleeper.until > time) continue
        sleepers.delete(sleeper)
        sleeper.wake()
      }
    },
  }
}
