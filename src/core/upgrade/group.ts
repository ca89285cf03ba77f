import { compareText } from '../canonical.ts'
import { parseVersion } from '../version.ts'
import type { Consumer, Target } from './model.ts'

/** Consumers of one repository that share a branch and a pull request: the first names it. */
export type Group = {
  readonly consumers: readonly [Consumer, ...Consumer[]]
  readonly to: string
  readonly way: 'forward' | 'back'
}

/**
 * Consumers that may share a pull request: of one repository, with the same template, to the same version, within one major or to the
 * same next one. Where the catalog asks for a pull request for each service, and for environments in any case, each is by itself.
 */
export function groupsOf(
  wanted: readonly { readonly consumer: Consumer; readonly target: Extract<Target, { readonly is: 'move' }> }[],
  by: 'repository' | 'service',
): readonly Group[] {
  const groups = new Map<
    string,
    { readonly target: Extract<Target, { readonly is: 'move' }>; readonly all: Consumer[] }
  >()
  for (const { consumer, target } of wanted) {
    const isMajor = parseVersion(consumer.version)?.major !== parseVersion(target.to)?.major
    const shared = [consumer.repository, consumer.template, target.to, target.way, isMajor]
    const isOwn = by === 'service' || consumer.kind === 'environment'
    const key = JSON.stringify(isOwn ? [...shared, consumer.key] : shared)
    const group = groups.get(key) ?? { target, all: [] }
    group.all.push(consumer)
    groups.set(key, group)
  }
  return [...groups.values()].flatMap(({ target, all }) => {
    const [first, ...rest] = all.toSorted((a, b) => compareText(a.key, b.key))
    return first === undefined ? [] : [{ consumers: [first, ...rest] as const, to: target.to, way: target.way }]
  })
}
