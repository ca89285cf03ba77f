/**
 * Compares our three-way merge with `git merge-file`, on merges that are made from a seed.
 *
 *     node scripts/merges.ts [--count N] [--seed S]
 *
 * Verdicts (clean, or a conflict) differ now and then: the two align lines that stand in many places in their own ways. Where both
 * are clean, the texts have to be the same. The exit code is 1 if fewer than 99 of 100 verdicts agree, or a text differs.
 */
import { parseArgs } from 'node:util'
import { compareWithGit, figuresOf } from '../test/core/merge/cases.ts'

const { values } = parseArgs({
  options: { count: { type: 'string', default: '2000' }, seed: { type: 'string', default: '1' } },
})
const figures = figuresOf(compareWithGit({ count: Number(values.count), seed: Number(values.seed) }))
const { merges, conflicts, verdicts, onlyGit, onlyOwn, bothClean, equalTexts } = figures
process.stdout.write(
  `${merges} merges, ${conflicts} of them with conflicts: ${verdicts} verdicts are the same (${((100 * verdicts) / merges).toFixed(2)} %), ` +
    `${onlyGit} conflicts are git's alone and ${onlyOwn} ours; of ${bothClean} that both merge, ${equalTexts} come to the same text.\n`,
)
process.exitCode = verdicts >= 0.99 * merges && equalTexts === bothClean ? 0 : 1
