import type { Environment } from '../core/catalog.ts'

/** How many stacks of one account and region are looked at at a time: each of these has a budget of requests of its own. */
const most = 8

export class Slots {
  readonly #taken = new Map<string, Set<Promise<void>>>()

  /** Comes once there is room; the result gives it back. */
  async take({ account, region }: Pick<Environment, 'account' | 'region'>): Promise<() => void> {
    const key = `${account}/${region}`
    const taken = this.#taken.get(key) ?? new Set<Promise<void>>()
    this.#taken.set(key, taken)
    while (taken.size >= most) await Promise.race(taken)
    const { promise, resolve } = Promise.withResolvers<void>()
    taken.add(promise)
    return () => {
      taken.delete(promise)
      resolve()
    }
  }
}
