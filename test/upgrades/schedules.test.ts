import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { played } from '../schedules/upgrades/run.ts'
import type { Deed, Step } from '../schedules/upgrades/steps.ts'
import { schedule } from '../schedules/upgrades/steps.ts'

test('whatever is released, pushed, closed, merged and lost: no commit of a person is lost, nobody is asked twice, and it comes to rest', async () => {
  let created = 0
  await fc.assert(
    fc.asyncProperty(schedule, async (steps) => {
      const end = await played(steps)
      created += end.created
      expect(end.faults).toEqual([])
    }),
    { numRuns: 200, seed: 20_261_125, endOnFailure: true },
  )
  // That much was opened is what makes the rest worth anything.
  expect(created).toBeGreaterThan(400)
}, 180_000)

/** Two releases, and people who push to what is open while the second is brought. */
function pushing(seed: number): readonly Step[] {
  const run = (meanwhile: readonly Deed[]): Step => ({ do: 'run', seed, runs: [null], meanwhile, lag: 0, noes: 0 })
  const pushes = [0, 1, 2].map((repository): Deed => ({ is: 'push-file', repository }))
  return [{ do: 'release' }, run([]), { do: 'release' }, run([...pushes, ...pushes])]
}

test('a bot that did not compare would lose commits, and that would be seen', async () => {
  const seeds = Array.from({ length: 60 }, (_, seed) => seed)
  const found = async (compares: boolean): Promise<number> => {
    const ends: (readonly string[])[] = []
    for (const seed of seeds) ends.push((await played(pushing(seed), { compares })).faults)
    return ends.filter((faults) => faults.some((fault) => fault.includes('is lost'))).length
  }
  expect(await found(false)).toBeGreaterThan(0)
  expect(await found(true)).toBe(0)
}, 60_000)

test('what is put on top of a person’s work keeps it, now and when more is released', async () => {
  const run: Step = { do: 'run', seed: 1, runs: [null], meanwhile: [], lag: 0, noes: 0 }
  const deeds = (is: Deed['is']): readonly Step[] =>
    [0, 1, 2].map((repository) => ({ do: 'deed', deed: { is, repository } }))
  const more: readonly Step[] = [{ do: 'release' }, { do: 'release' }, { do: 'release' }, run]
  const steps: readonly Step[] = [{ do: 'release' }, run, ...deeds('push'), { do: 'release' }, run]
  const play = await played([...steps, ...deeds('tick-apply'), run, ...deeds('tick-rebase'), ...more])
  expect(play.faults).toEqual([])
  expect(play.log.filter((line) => line.includes('adds'))).toEqual([
    expect.stringContaining('# mine'),
    expect.stringContaining('# mine'),
  ])
})
