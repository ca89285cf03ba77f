import type { Ports } from '../command.ts'
import type { LedgerFault } from '../core/ledger.ts'
import { releaseName, releasePath } from '../core/release/model.ts'

/** What is wrong between the releases that the fetched ledger records and the tags that this clone has. */
export async function releaseFaults(
  files: Pick<Ports['files'], 'recorded' | 'released' | 'releases'>,
  root: string,
): Promise<readonly LedgerFault[]> {
  const { releases } = await files.recorded(root)
  if (releases.length === 0) return []
  const tags = new Set(await files.releases(root))
  const templates = new Set(releases.map(({ template }) => template))
  const known = new Set(releases.map(releaseName))
  const faults: LedgerFault[] = []
  for (const release of releases) {
    const name = releaseName(release)
    const found = tags.has(name) ? await files.released(root, byTag(release)) : undefined
    if (found === undefined) {
      faults.push({
        file: releasePath(release),
        what: `The tag ${name} is not here, or holds no bundle; it was released at the commit ${release.commit.slice(0, 12)}.`,
        remedy: `\`git fetch --tags\`. If it was deleted: \`git push origin ${release.commit}:refs/tags/${name}\`.`,
      })
      continue
    }
    const wrong = found.problems.find(({ code }) => code === 'release-changed')
    if (wrong !== undefined) faults.push({ file: releasePath(release), what: wrong.message, remedy: wrong.remedy })
  }
  const strangers = [...tags].filter((tag) => !known.has(tag) && templates.has(tag.split('@')[0] ?? ''))
  return [
    ...faults,
    ...strangers.map((tag): LedgerFault => ({
      file: `releases/${tag.replace('@', '/')}.json`,
      what: `The tag ${tag} is there, and no record says that it was released.`,
      remedy:
        'Run the workflow release.yml: it goes on with what was interrupted. A tag that was made by mistake is deleted.',
    })),
  ]
}

/** By its tag: where that leads is what is looked at. */
function byTag({ template, version }: { readonly template: string; readonly version: string }): {
  readonly template: string
  readonly version: string
} {
  return { template, version }
}
