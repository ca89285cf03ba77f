import type { Bundle } from '../bundle.ts'
import { compareText, digest } from '../canonical.ts'
import type { Checked } from '../problem.ts'
import { parseReference } from '../version.ts'
import { lockFile, readLock } from './lock.ts'
import type { Lock, Locked, Ownership, ServiceValues, Skeleton } from './model.ts'
import { renderSkeleton } from './render.ts'

/** A bundle, and what it is rendered with. */
export type Rendering = { readonly bundle: Bundle; readonly values: ServiceValues }

/** One file: what the template makes of it now, and what it was when it was last written or merged. */
export type Path = {
  readonly path: string
  readonly owner: Ownership
  /** Nothing, if the template has it no longer. */
  readonly next: string | undefined
  readonly locked: Locked | undefined
  /** The base as it is rendered again; nothing, if it cannot be. */
  readonly base: string | undefined
  /** Whether the base is proven to be the one that the file was made from. */
  readonly isProven: boolean
}

/** What has to be done for a skeleton, as far as it is known without looking into the repository. */
export type SkeletonPlan = {
  /** The files that the template has changed; of all others nothing needs to be known. */
  readonly paths: readonly Path[]
  /** What has to be read of the repository: these files, and the folders above them. Nothing, if there is nothing to do. */
  readonly reads: readonly string[]
  readonly after: Skeleton
  readonly lock: Lock | undefined
}

/**
 * Compares the skeleton of a version with what the files of a repository were made from: by its lock, or where it has none,
 * by the version that the service has run until now. A repository that has nothing of a template yet has no `from`.
 * `bundleOf` gives versions by their names; those that the lock names may be older than `from` (`versionsIn`).
 */
export function planSkeleton({
  lock: text,
  from,
  to,
  bundleOf,
}: {
  readonly lock: string | undefined
  readonly from?: Rendering
  readonly to: Rendering
  readonly bundleOf: (template: string, version: string) => Bundle | undefined
}): Checked<SkeletonPlan> {
  const after = renderSkeleton(to.bundle, to.values)
  if (!after.ok) return after
  const lock = text === undefined ? undefined : readLock(text)
  const before = from === undefined ? undefined : rendered(from)
  const bases = new Map<string, Skeleton | undefined>()
  const baseOf = (reference: string): Skeleton | undefined => {
    if (lock === undefined) return undefined
    if (!bases.has(reference)) bases.set(reference, baseFrom(reference, { lock, from, to, bundleOf }))
    return bases.get(reference)
  }
  const names = new Set([...after.value.files.keys(), ...(lock?.files.keys() ?? []), ...(before?.files.keys() ?? [])])
  const paths = [...names].toSorted(compareText).flatMap((path): Path[] => {
    const locked = lock?.files.get(path)
    const skeleton = locked === undefined ? before : baseOf(locked.from)
    const base = skeleton?.files.get(path)
    const owner = after.value.owners.get(path) ?? skeleton?.owners.get(path) ?? 'merge'
    const next = after.value.files.get(path)
    const isProven = locked !== undefined && base !== undefined && digest(base) === locked.base
    const known: Path = { path, owner, next, locked, base, isProven }
    return isChanged(known) ? [known] : []
  })
  return {
    ok: true,
    value: { paths, reads: readsOf(paths), after: after.value, lock },
    problems: after.problems,
  }
}

function rendered({ bundle, values }: Rendering): Skeleton | undefined {
  const skeleton = renderSkeleton(bundle, values)
  return skeleton.ok ? skeleton.value : undefined
}

function baseFrom(
  reference: string,
  {
    lock,
    from,
    to,
    bundleOf,
  }: {
    readonly lock: Lock
    readonly from: Rendering | undefined
    readonly to: Rendering
    readonly bundleOf: (template: string, version: string) => Bundle | undefined
  },
): Skeleton | undefined {
  const named = parseReference(reference)
  if (named === undefined) return undefined
  const bundle =
    [from?.bundle, to.bundle].find((each) => each?.template === named.template && each.version === named.version) ??
    bundleOf(named.template, named.version)
  return bundle === undefined ? undefined : rendered({ bundle, values: lock.values })
}

function isChanged({ owner, next, locked, base }: Path): boolean {
  if (owner === 'seed') return next !== undefined && locked === undefined && base === undefined
  if (next === undefined) return true
  return locked === undefined ? base !== next : locked.base !== digest(next)
}

function readsOf(paths: readonly Path[]): readonly string[] {
  if (paths.length === 0) return []
  const reads = new Set([lockFile])
  for (const { path } of paths) {
    reads.add(path)
    for (let end = path.indexOf('/'); end !== -1; end = path.indexOf('/', end + 1)) reads.add(path.slice(0, end))
  }
  return [...reads].toSorted(compareText)
}
