import { type Data, type DataMap, isList, isMap, mapOf } from './data.ts'

/** What an environment gives out: predicted when something was rendered with it, and now. */
export type GivenOutputs = {
  readonly given: Readonly<Record<string, string>>
  readonly live: Readonly<Record<string, string>>
  /** Outputs that would be others once the environment is deployed: what they are now is not what will be. */
  readonly changed: ReadonlySet<string>
}

/**
 * A rendered template with what its environment really gives out in place of what was predicted. A pull request is rendered where
 * no cloud can be asked, with ids that a provisioner on this machine would give; compared with what is live, each of
 * these would look like a change. `isWhole` says whether every value that was predicted otherwise could be replaced.
 *
 * A value is replaced wherever it stands in a text, and so are the elements of lists and the segments of ARNs, which
 * templates take apart. One that is shorter than a real id is replaced only where it is the whole text.
 */
export function withLive(
  body: DataMap,
  { given, live, changed }: GivenOutputs,
): { readonly body: DataMap; readonly isWhole: boolean } {
  const others = Object.entries(given).filter(([name, value]) => live[name] !== value)
  const known = others.filter(([name]) => live[name] !== undefined && !changed.has(name))
  const isWhole = known.length === others.length && Object.keys(live).every((name) => Object.hasOwn(given, name))
  const pairs = new Map<string, string>()
  for (const [name, value] of known) pair(pairs, value, live[name] ?? value)
  if (pairs.size === 0) return { body, isWhole }
  const longest = [...pairs].filter(([from]) => from.length >= shortest).toSorted(([a], [b]) => b.length - a.length)
  const replace = (text: string): string => {
    const whole = pairs.get(text)
    if (whole !== undefined) return whole
    return replaced(text, longest)
  }
  return { body: mapped(body, replace), isWhole }
}

/** The shortest id of AWS that is made up has a prefix and eight digits (`sg-1a2b3c4d`). */
const shortest = 8

function pair(pairs: Map<string, string>, from: string, to: string): void {
  if (from === to) return
  pairs.set(from, to)
  for (const separator of [',', '/', ':']) {
    const [before, after] = [from.split(separator), to.split(separator)]
    if (before.length < 2 || before.length !== after.length) continue
    for (const [index, each] of before.entries()) {
      const other = after[index]
      if (other !== undefined && each.length >= shortest && !pairs.has(each)) pair(pairs, each, other)
    }
  }
}

/** All at once, so that what was put in is not taken for what is to be replaced. */
function replaced(text: string, pairs: readonly (readonly [string, string])[]): string {
  let result = ''
  for (let at = 0; at < text.length;) {
    const start = at
    const found = pairs.find(([from]) => text.startsWith(from, start))
    result += found === undefined ? (text[at] ?? '') : found[1]
    at += found === undefined ? 1 : found[0].length
  }
  return result
}

function mapped(body: DataMap, replace: (text: string) => string): DataMap {
  const value = (data: Data): Data => {
    if (typeof data === 'string') return replace(data)
    if (isList(data)) return data.map(value)
    return isMap(data) ? mapped(data, replace) : data
  }
  return mapOf(Object.entries(body).map(([key, data]) => [key, value(data)]))
}
