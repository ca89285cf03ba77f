import { diffIndices } from 'node-diff3'

/** Lines of three texts that belong together. */
export type Sides = {
  readonly ours: readonly string[]
  readonly before: readonly string[]
  readonly after: readonly string[]
}

/** `same`: as before in both. `ours`, `after`: one of the two has changed them. `both`: changed alike. `hunk`: each in its way. */
export type Region = Sides & { readonly is: 'same' | 'ours' | 'after' | 'both' | 'hunk' }

type Change = { readonly of: 'ours' | 'after'; readonly at: number; readonly end: number; readonly moved: number }

/**
 * The three texts cut into regions, in their order, as diff3 does it: what each side has changed of `before`, and where the
 * changes of the two overlap or touch, one region of all of them.
 *
 * S. Khanna, K. Kunal, B. C. Pierce, "A Formal Investigation of Diff3" (FSTTCS 2007).
 */
export function regionsOf(sides: Sides): readonly Region[] {
  const before = [...sides.before]
  const changes = [...changesOf(before, [...sides.ours], 'ours'), ...changesOf(before, [...sides.after], 'after')]
  changes.sort((a, b) => a.at - b.at)
  const regions: Region[] = []
  // How much further on a line of before stands in each of the others.
  const moved = { ours: 0, after: 0 }
  let done = 0
  const region = (is: Region['is'], end: number, by: { readonly ours: number; readonly after: number }): Region => ({
    is,
    before: sides.before.slice(done, end),
    ours: sides.ours.slice(done + moved.ours, end + by.ours),
    after: sides.after.slice(done + moved.after, end + by.after),
  })
  for (let index = 0; index < changes.length;) {
    const first = changes[index]
    if (first === undefined) break
    if (first.at > done) regions.push(region('same', first.at, moved))
    done = first.at
    const now = { ...moved }
    const touched = new Set<Change['of']>()
    let { end } = first
    for (let next: Change | undefined = first; next !== undefined && next.at <= end; next = changes[index]) {
      end = Math.max(end, next.end)
      now[next.of] = next.moved
      touched.add(next.of)
      index += 1
    }
    const whole = region(touched.size === 1 ? first.of : 'hunk', end, now)
    regions.push(whole.is === 'hunk' && isSame(whole.ours, whole.after) ? { ...whole, is: 'both' } : whole)
    done = end
    Object.assign(moved, now)
  }
  if (done < sides.before.length) regions.push(region('same', sides.before.length, moved))
  return regions
}

function changesOf(before: string[], other: string[], of: Change['of']): readonly Change[] {
  return diffIndices(before, other).map(({ buffer1: [at, length], buffer2: [place, count] }) => ({
    of,
    at,
    end: at + length,
    moved: place + count - (at + length),
  }))
}

function isSame(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((line, index) => line === other[index])
}
