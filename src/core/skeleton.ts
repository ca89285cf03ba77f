import { digest } from './canonical.ts'
import { lockFile, lockText } from './skeleton/lock.ts'
import type { Choice, FileOutcome, Locked, Ours } from './skeleton/model.ts'
import type { SkeletonPlan } from './skeleton/plan.ts'
import { type Decide, type Present, settleFile } from './skeleton/settle.ts'
import type { FileTree } from './tree.ts'

/**
 * Files that a template gives to the repositories of its services, and keeps good: a Dockerfile to begin with, a section of
 * the README, the settings of a tool. `v<major>/skeleton/` holds them as templates, `v<major>/skeleton.yaml` says who has the
 * say over each. What a person has made of a file is never lost silently, and what cannot be decided is asked.
 */
export { lockFile, readLock, versionsIn } from './skeleton/lock.ts'
export type { Choice, FileOutcome, Lock, Ours, Ownership, Question, ServiceValues, Skeleton } from './skeleton/model.ts'
export { planSkeleton, type SkeletonPlan } from './skeleton/plan.ts'
export { isOfSkeleton } from './skeleton/read.ts'
export { renderSkeleton } from './skeleton/render.ts'
export { decisionsIn, filesSection } from './skeleton/report.ts'

/** What is to be done in a repository, and what is said of it. */
export type SkeletonMerge = {
  /** Everything that is to be written, the lock among it. */
  readonly files: FileTree
  readonly deleted: readonly string[]
  /** Those of the files that are new and begin with `#!`: they are written so that they can be run. */
  readonly executables: ReadonlySet<string>
  readonly outcomes: readonly FileOutcome[]
  /** `answer`: a person has to decide something. `look`: nothing to decide, and nothing that should go by unseen. */
  readonly attention: 'none' | 'look' | 'answer'
}

/**
 * Brings the files of a repository to what a skeleton has become. `ours` is what the repository has at `plan.reads`; `decisions`
 * are what people have chosen where something was asked, by the ids of the questions. Decisions are kept in the lock: once it
 * is merged, the same is not asked again.
 */
export function mergeSkeleton(
  plan: SkeletonPlan,
  { ours, decisions = new Map() }: { readonly ours: Ours; readonly decisions?: ReadonlyMap<string, Choice> },
): SkeletonMerge {
  const files = new Map<string, string>()
  const deleted: string[] = []
  const executables = new Set<string>()
  const outcomes: FileOutcome[] = []
  const asked = new Map<string, ReadonlyMap<string, Choice>>()
  // Without a lock nothing could be merged the next time.
  if (plan.paths.length > 0 && presentAt(lockFile, ours).is === 'other')
    return {
      files,
      deleted,
      executables,
      outcomes: [{ path: lockFile, owner: 'managed', is: 'review', why: 'no-text', after: newLock(plan, asked) }],
      attention: 'look',
    }
  for (const path of plan.paths) {
    const decide: Decide = (id) => {
      const chosen = decisions.get(id)
      if (chosen !== undefined) return { choice: chosen, by: 'person' }
      const kept = path.locked?.settled.get(id)
      return kept === undefined ? undefined : { choice: kept, by: 'lock' }
    }
    const settled = settleFile(path, presentAt(path.path, ours), decide)
    if (settled.write !== undefined) files.set(path.path, settled.write)
    if (settled.delete === true) deleted.push(path.path)
    if (settled.outcome !== undefined) outcomes.push(settled.outcome)
    if (settled.asked !== undefined) asked.set(path.path, settled.asked)
    if (settled.outcome?.is === 'added' && settled.write?.startsWith('#!') === true) executables.add(path.path)
  }
  if (plan.after.files.size === 0) {
    if (ours.files.has(lockFile)) deleted.push(lockFile)
  } else if (plan.paths.length > 0) {
    const lock = newLock(plan, asked)
    if (ours.files.get(lockFile) !== lock) files.set(lockFile, lock)
  }
  return { files, deleted, executables, outcomes, attention: attentionOf(outcomes) }
}

/** What is at a path; below a file, a link or a submodule nothing can be written, so that is something other too. */
function presentAt(path: string, { files, others }: Ours): Present {
  if (others.has(path)) return { is: 'other' }
  const text = files.get(path)
  if (text !== undefined) return { is: 'text', text }
  for (let end = path.indexOf('/'); end !== -1; end = path.indexOf('/', end + 1)) {
    const folder = path.slice(0, end)
    const other = others.get(folder)
    if (files.has(folder) || (other !== undefined && other !== 'folder')) return { is: 'other' }
  }
  return { is: 'absent' }
}

/** All files are based on the new version then, whether they were changed or not; a seed stays what it was written from. */
function newLock({ after, lock }: SkeletonPlan, asked: ReadonlyMap<string, ReadonlyMap<string, Choice>>): string {
  const files = new Map<string, Locked>()
  for (const [path, text] of after.files) {
    const before = lock?.files.get(path)
    const settled = new Map([...(before?.settled ?? []), ...(asked.get(path) ?? [])])
    const isSeeded = after.owners.get(path) === 'seed' && before !== undefined
    files.set(path, isSeeded ? before : { from: after.from, base: digest(text), settled })
  }
  return lockText({ values: after.values, files })
}

function attentionOf(outcomes: readonly FileOutcome[]): SkeletonMerge['attention'] {
  const each = outcomes.map((outcome): SkeletonMerge['attention'] => {
    switch (outcome.is) {
      case 'conflict':
        return outcome.hunks.every(({ isSettled }) => isSettled) ? 'look' : 'answer'
      case 'review':
        return outcome.question?.isSettled === false ? 'answer' : 'look'
      case 'overwritten':
        return 'look'
      case 'kept':
        return outcome.why === 'dropped' ? 'look' : 'none'
      case 'added':
      case 'updated':
      case 'merged':
      case 'removed':
        return 'none'
    }
  })
  if (each.includes('answer')) return 'answer'
  return each.includes('look') ? 'look' : 'none'
}
