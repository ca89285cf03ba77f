import { problemCodes } from '../src/core/problem-codes.ts'
import type { FileTree } from '../src/core/tree.ts'

/** The pages of `docs/problems/`: one a code, and an index. Paths are relative to the root of the repository. */
export function problemPages(): FileTree {
  const entries = Object.entries(problemCodes).toSorted(([one], [other]) => (one < other ? -1 : 1))
  const pages = new Map<string, string>()
  for (const [code, { title, why, fix }] of entries) {
    pages.set(
      `docs/problems/${code}.md`,
      `# ${title}\n\nCode: \`${code}\`\n\n## Why it is a problem\n\n${why}\n\n## How to mend it\n\n${fix}\n\n` +
        `The same text in the terminal: \`protium explain ${code}\`. [All problems](README.md)\n`,
    )
  }
  const rows = entries.map(([code, { title }]) => `- [\`${code}\`](${code}.md): ${title}`)
  const introduction =
    'Everything that Protium can find wrong with a file, by its code. A code keeps its meaning for good. ' +
    'These pages are made from `src/core/problem-codes.ts` by `npm run generate`.'
  pages.set('docs/problems/README.md', `# Problems\n\n${introduction}\n\n${rows.join('\n')}\n`)
  return pages
}
