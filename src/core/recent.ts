/** How many are kept. Stacks are looked at side by side, but each mostly right after it was rendered. */
const most = 4

/**
 * What was found out about the last few objects. A `WeakMap` would do as well, were it not that what it holds outlives the
 * quick collections of garbage: in a fleet, all that was found out about each template would pile up.
 */
export class Recent<K extends object, V> {
  readonly #keys: K[] = []
  readonly #values: V[] = []
  #next = 0

  get(key: K): V | undefined {
    const index = this.#keys.indexOf(key)
    return index === -1 ? undefined : this.#values[index]
  }

  set(key: K, value: V): void {
    this.#keys[this.#next] = key
    this.#values[this.#next] = value
    this.#next = (this.#next + 1) % most
  }
}
