import { subscribe } from 'node:diagnostics_channel'
import { setImmediate, setTimeout } from 'node:timers/promises'
import type { Clock } from '../../../src/ports.ts'

/** A clock that stands until it is moved. */
export type SimulatedClock = Clock & {
  /**
   * Moves on by so much, and wakes who has slept enough at the time that was asked for. Between two wakes it waits until
   * everything of this process that talks over HTTP has come to rest.
   */
  advance(milliseconds: number): Promise<void>
}

/**
 * A simulated clock. With `auto` it moves by itself: when somebody sleeps and nothing else of this process has anything to
 * do, it goes on to the first who is to wake. `perRequest` is what each request to the fake takes, in milliseconds.
 */
export function simulatedClock(
  options: { readonly start?: string; readonly auto?: boolean; readonly perRequest?: number } = {},
): SimulatedClock & { readonly tick: () => void } {
  let time = Date.parse(options.start ?? '2026-11-25T12:00:00Z')
  const sleepers = new Set<{ readonly until: number; readonly wake: () => void }>()
  let pumping = false
  watchTraffic()

  function first(): { readonly until: number } | undefined {
    let earliest: { readonly until: number } | undefined
    for (const sleeper of sleepers) if (earliest === undefined || sleeper.until < earliest.until) earliest = sleeper
    return earliest
  }

  function wakeAt(until: number): void {
    time = Math.max(time, until)
    for (const sleeper of sleepers) {
      if (sleeper.until > time) continue
      sleepers.delete(sleeper)
      sleeper.wake()
    }
  }

  async function pump(): Promise<void> {
    pumping = true
    for (;;) {
      await quiet()
      const next = first()
      if (next === undefined) break
      wakeAt(next.until)
    }
    pumping = false
  }

  return {
    now: () => new Date(time),
    tick: () => {
      time += options.perRequest ?? 0
    },
    sleep: (milliseconds, signal) =>
      new Promise((resolve, reject) => {
        const cut = (): void => {
          sleepers.delete(sleeper)
          reject(new Error('The sleep was cut short', { cause: signal?.reason }))
        }
        const sleeper = {
          until: time + Math.max(0, milliseconds),
          wake: () => {
            signal?.removeEventListener('abort', cut)
            resolve()
          },
        }
        if (signal?.aborted === true) return cut()
        signal?.addEventListener('abort', cut)
        sleepers.add(sleeper)
        if (options.auto === true && !pumping) void pump()
      }),
    advance: async (milliseconds) => {
      const target = time + milliseconds
      for (let next = first(); next !== undefined && next.until <= target; next = first()) {
        wakeAt(next.until)
        await quiet()
      }
      time = Math.max(time, target)
    },
  }
}

/** The machine's clock, `pace` times as fast. */
export function realClock(options: { readonly pace?: number } = {}): Clock {
  const pace = options.pace ?? 1
  const start = Date.now()
  return {
    now: () => new Date(start + (Date.now() - start) * pace),
    sleep: async (milliseconds, signal) => {
      await setTimeout(milliseconds / pace, undefined, signal === undefined ? {} : { signal })
    },
  }
}

/** Node's own clients tell what they begin and end; an abandoned request is destroyed. */
const underWay = new Set<object>()
let watching = false

function watchTraffic(): void {
  if (watching) return
  watching = true
  const requestOf = (message: unknown): object | undefined =>
    typeof message === 'object' && message !== null && 'request' in message && typeof message.request === 'object'
      ? (message.request ?? undefined)
      : undefined
  const begins = (message: unknown): void => {
    const request = requestOf(message)
    if (request !== undefined) underWay.add(request)
  }
  const ends = (message: unknown): void => {
    const request = requestOf(message)
    if (request !== undefined) underWay.delete(request)
  }
  subscribe('http.client.request.start', begins)
  subscribe('http.client.request.error', ends)
  subscribe('undici:request:create', begins)
  subscribe('undici:request:trailers', ends)
  subscribe('undici:request:error', ends)
}

/** Settles when no request has been under way for several turns of the event loop. */
async function quiet(): Promise<void> {
  for (let still = 0; still < 6;) {
    await setImmediate()
    for (const request of underWay) {
      if ('destroyed' in request && request.destroyed === true) underWay.delete(request)
    }
    still = underWay.size > 0 ? 0 : still + 1
  }
}
