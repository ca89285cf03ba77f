import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { mergeText } from '../../../src/core/merge.ts'

/** Three texts: what two have changed, each in its way. */
export type Case = { readonly before: string; readonly after: string; readonly ours: string }

/** Lines that stand often in files, so that they are found in many places, and lines that stand once. */
const often = ['', '', '}', '  }', '  end', '    - name: build', 'RUN true', '# ---', 'env:']

const lineOf: fc.Arbitrary<string> = fc.oneof(
  { weight: 2, arbitrary: fc.constantFrom(...often) },
  { weight: 3, arbitrary: fc.integer({ min: 0, max: 400 }).map((number) => `key_${number}: value`) },
)

const textOf = fc.array(lineOf, { minLength: 0, maxLength: 90, size: 'max' })

type Change = { readonly at: number; readonly take: number; readonly put: readonly string[] }

const change: fc.Arbitrary<Change> = fc.record({
  at: fc.integer({ min: 0, max: 89 }),
  take: fc.integer({ min: 0, max: 4 }),
  put: fc.array(lineOf, { maxLength: 4 }),
})

const changes = fc.array(change, { maxLength: 3 })

function changed(lines: readonly string[], all: readonly Change[]): readonly string[] {
  const edited = [...lines]
  // From the end to the start, so that a place is that of the text before.
  for (const { at, take, put } of all.toSorted((a, b) => b.at - a.at))
    edited.splice(Math.min(at, lines.length), take, ...put)
  return edited
}

const whole = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join('')

/** Merges as they come: some changes of one side are those of the other, too. */
export const cases: fc.Arbitrary<Case> = fc
  .record({ lines: textOf, template: changes, user: changes, both: fc.array(change, { maxLength: 1 }) })
  .map(({ lines, template, user, both }) => ({
    before: whole(lines),
    after: whole(changed(lines, [...template, ...both])),
    ours: whole(changed(lines, [...user, ...both])),
  }))

/** How a merge of ours compares with that of `git merge-file`. */
export type Comparison = {
  readonly of: Case
  readonly git: { readonly clean: boolean; readonly text: string }
  readonly own: { readonly clean: boolean; readonly text: string }
}

/** Merges each case by git and by us. The cases come from a seed, so that a run can be had again. */
export function compareWithGit({ count, seed }: { readonly count: number; readonly seed: number }): Comparison[] {
  const folder = mkdtempSync(join(tmpdir(), 'protium-merges-'))
  try {
    return fc.sample(cases, { numRuns: count, seed }).map((each) => ({
      of: each,
      git: gitMerge(folder, each),
      own: ownMerge(each),
    }))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function ownMerge(texts: Case): Comparison['own'] {
  const merged = mergeText(texts)
  if (merged.is === 'clean' || merged.is === 'conflict') return { clean: merged.is === 'clean', text: merged.text }
  throw new Error(`The merge is ${merged.is}: ${JSON.stringify(texts)}`)
}

function gitMerge(folder: string, { before, after, ours }: Case): Comparison['git'] {
  const names = ['ours', 'before', 'after'].map((name) => join(folder, name))
  for (const [index, text] of [ours, before, after].entries()) writeFileSync(names[index] ?? '', text)
  try {
    return { clean: true, text: execFileSync('git', ['merge-file', '-p', '-q', ...names], { encoding: 'utf8' }) }
  } catch (error) {
    // Its exit code is the number of conflicts; 255 is an error.
    if (!(error instanceof Error) || !('status' in error) || typeof error.status !== 'number') throw error
    if (error.status < 1 || error.status > 127 || !('stdout' in error)) throw error
    return { clean: false, text: String(error.stdout) }
  }
}

/** The figures of a comparison. */
export function figuresOf(all: readonly Comparison[]): {
  readonly merges: number
  readonly conflicts: number
  readonly verdicts: number
  readonly onlyGit: number
  readonly onlyOwn: number
  readonly bothClean: number
  readonly equalTexts: number
} {
  const bothClean = all.filter(({ git, own }) => git.clean && own.clean)
  return {
    merges: all.length,
    conflicts: all.filter(({ git }) => !git.clean).length,
    verdicts: all.filter(({ git, own }) => git.clean === own.clean).length,
    onlyGit: all.filter(({ git, own }) => !git.clean && own.clean).length,
    onlyOwn: all.filter(({ git, own }) => git.clean && !own.clean).length,
    bothClean: bothClean.length,
    equalTexts: bothClean.filter(({ git, own }) => git.text === own.text).length,
  }
}
