import { setImmediate as rest } from 'node:timers/promises'
import { Refused } from '../../src/core/problem.ts'

/** What becomes of somebody at the request of that number: the runner is lost, or GitHub does not do it, or does not say so. */
export type Weather = {
  readonly nth: number
  readonly is: 'lost-before' | 'lost-after' | 'refused-before' | 'refused-after'
}

/** Somebody who acts: the runner of a job, or a person with a command. */
export type Actor = {
  readonly name: string
  /** How many milliseconds the clock goes ahead. */
  readonly skew: number
  readonly weather: Weather | undefined
  /** Settles when the runner is lost; nothing that it was at goes on then. */
  readonly lost: Promise<'lost'>
  readonly lose: () => void
  readonly isLost: () => boolean
  readonly count: () => number
  /** Told when GitHub refuses something, or seems to. */
  readonly refuse: () => void
}

export function actorOf(
  name: string,
  {
    skew = 0,
    weather,
    refuse = () => undefined,
  }: { readonly skew?: number; readonly weather?: Weather | undefined; readonly refuse?: Actor['refuse'] } = {},
): Actor {
  let isLost = false
  let requests = 0
  const { promise, resolve } = Promise.withResolvers<'lost'>()
  return {
    name,
    skew,
    weather,
    lost: promise,
    lose: () => {
      isLost = true
      resolve('lost')
    },
    isLost: () => isLost,
    count: () => (requests += 1),
    refuse,
  }
}

/** A small generator of numbers from 0 to 1 (mulberry32), so that what comes next is the seed's alone. */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** The one clock, and whose turn it is: of several who act at once, one request at a time is answered, in an order of chance. */
export class Turns {
  #time: number
  #random = randomOf(0)
  #isShared = false
  #waiting: (() => void)[] = []

  constructor(time: number) {
    this.#time = time
  }

  /** Each look is a moment later, so that records have an order. */
  now(): number {
    return (this.#time += 1)
  }

  pass(milliseconds: number): void {
    this.#time += milliseconds
  }

  /** What somebody asks for: done when it is his turn, or not at all. `isHub` is what GitHub may refuse. */
  async ask<T>(actor: Actor, effect: () => T, { isHub = false } = {}): Promise<T> {
    if (actor.isLost()) return never()
    if (this.#isShared) await new Promise<void>((resolve) => void this.#waiting.push(resolve))
    if (actor.isLost()) return never()
    const nth = actor.count()
    const { weather } = actor
    if (weather?.nth !== nth) return effect()
    switch (weather.is) {
      case 'lost-before':
        actor.lose()
        return never()
      case 'lost-after':
        effect()
        actor.lose()
        return never()
      case 'refused-before':
        if (isHub) throw unreachable(actor)
        return effect()
      case 'refused-after': {
        const answer = effect()
        if (isHub) throw unreachable(actor)
        return answer
      }
    }
  }

  /** Has several act at once. */
  async together(seed: number, works: readonly (() => Promise<void>)[]): Promise<void> {
    if (works.length === 1) return works[0]?.()
    this.#random = randomOf(seed)
    this.#isShared = true
    let left = works.length
    const ended = works.map(async (work) => work().finally(() => (left -= 1)))
    for (let idle = 0; left > 0; idle += 1) {
      await rest()
      const [next] = this.#waiting.splice(Math.floor(this.#random() * this.#waiting.length), 1)
      if (next !== undefined) idle = 0
      if (idle > 10_000) throw new Error('Everybody waits for nothing')
      next?.()
    }
    this.#isShared = false
    // Of those whose runner was lost nothing goes on.
    this.#waiting = []
    await Promise.all(ended)
  }
}

async function never(): Promise<never> {
  return new Promise<never>(() => {})
}

function unreachable(actor: Actor): Refused {
  actor.refuse()
  return new Refused('github-unreachable', 'GitHub does not answer.', { remedy: 'Run it again in a while.' })
}
