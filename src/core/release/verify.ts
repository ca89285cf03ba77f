import type { Problem } from '../problem.ts'
import type { FileTree } from '../tree.ts'
import { bundleDigest, releaseName, type ReleaseRecord } from './model.ts'

/** What keeps a released bundle from being used: its tag leads to another commit than was recorded, or to another content. */
export function releaseProblems(
  record: ReleaseRecord,
  found: { readonly tree: FileTree; readonly commit: string },
): readonly Problem[] {
  const name = releaseName(record)
  const isMoved = found.commit !== record.commit
  const isOther = bundleDigest(found.tree) !== record.digest
  if (!isMoved && !isOther) return []
  return [
    {
      code: 'release-changed',
      severity: 'error',
      message: isMoved
        ? `The tag ${name} leads to the commit ${found.commit.slice(0, 12)}, and was released at ${record.commit.slice(0, 12)}.`
        : `The bundle of ${name} has another digest than the one that was recorded when it was released.`,
      expected: `The tag on the commit ${record.commit}, with the bundle that was released there.`,
      remedy: `If only this clone has it so: \`git fetch --tags --force\`. Otherwise somebody has moved the tag; put it back: \`git push --force origin ${record.commit}:refs/tags/${name}\`.`,
    },
  ]
}

/** The record of a release that cannot be read: what it was released as is then not known. */
export function damagedRelease(file: string): Problem {
  return {
    code: 'release-damaged',
    severity: 'error',
    message: 'The record of a release is damaged, or was written by a newer version of Protium.',
    expected: 'The record as it was written.',
    remedy: 'Run `protium ledger`, and bring the file back on the branch `protium-ledger` as it was.',
    at: { file, line: 0, column: 0 },
  }
}
