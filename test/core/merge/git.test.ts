import { describe, expect, it } from 'vitest'
import { compareWithGit, figuresOf } from './cases.ts'

/** `node scripts/merges.ts` compares thousands. */
describe('Merges beside `git merge-file`', () => {
  const all = compareWithGit({ count: 400, seed: 20261125 })
  const figures = figuresOf(all)

  it('come to the same verdict in 99 of 100 cases at least', () => {
    expect(figures.conflicts).toBeGreaterThan(50)
    expect(figures.verdicts).toBeGreaterThanOrEqual(0.99 * figures.merges)
  })

  it('come to the same text, wherever both are clean', () => {
    expect(figures.bothClean).toBeGreaterThan(200)
    const other = all.filter(({ git, own }) => git.clean && own.clean && git.text !== own.text)
    expect(other.map(({ of }) => of)).toEqual([])
  })
})
