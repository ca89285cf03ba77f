export type Order =
  | { readonly is: 'order'; readonly order: readonly string[] }
  /** The first and the last are the same. */
  | { readonly is: 'cycle'; readonly cycle: readonly string[] }

/**
 * Names in an order in which each stands after those that it depends on; otherwise as they were given. Work is in
 * proportion to the dependencies, and the depth of a chain is not bounded by the call stack.
 */
export function inOrder(dependencies: ReadonlyMap<string, readonly string[]>): Order {
  const done = new Set<string>()
  const order: string[] = []
  for (const root of dependencies.keys()) {
    if (done.has(root)) continue
    const chain: { readonly name: string; next: number }[] = [{ name: root, next: 0 }]
    const open = new Set([root])
    for (let step = chain.at(-1); step !== undefined; step = chain.at(-1)) {
      const dependency = dependencies.get(step.name)?.[step.next]
      step.next += 1
      if (dependency === undefined) {
        chain.pop()
        open.delete(step.name)
        done.add(step.name)
        order.push(step.name)
      } else if (open.has(dependency)) {
        const names = chain.map(({ name }) => name)
        return { is: 'cycle', cycle: [...names.slice(names.indexOf(dependency)), dependency] }
      } else if (!done.has(dependency) && dependencies.has(dependency)) {
        chain.push({ name: dependency, next: 0 })
        open.add(dependency)
      }
    }
  }
  return { is: 'order', order }
}
