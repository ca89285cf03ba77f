import * as fc from 'fast-check'
import type { Weather } from '../turns.ts'

/** What a person does to a repository: to its newest pull request, to the branch of that, to its main branch. */
export type Deed = {
  readonly is: (typeof deeds)[number]
  /** Which repository is meant, of those that there are. */
  readonly repository: number
}

export const deeds = [
  'push',
  'push-file',
  'update',
  'merge',
  'close',
  'reopen',
  'remove',
  'approve',
  'green',
  'red',
  'tick-rebase',
  'tick-later',
  'tick-major',
  'tick-never',
  'tick-apply',
  'untick',
  'empty-body',
  'main',
  'main-file',
  'by-hand',
  'take-back',
  'off',
  'on',
  'archive',
  'unarchive',
] as const

export type Step =
  | { readonly do: 'release' | 'yank' }
  | { readonly do: 'wait'; readonly hours: number }
  | { readonly do: 'deed'; readonly deed: Deed }
  /** Runs at once, while people do something. */
  | {
      readonly do: 'run'
      readonly seed: number
      readonly runs: readonly (Weather | null)[]
      readonly meanwhile: readonly Deed[]
      /** How often GitHub does not know of a branch yet, and how often it says that it is too much. */
      readonly lag: number
      readonly noes: number
    }

const deed: fc.Arbitrary<Deed> = fc.record({
  is: fc.constantFrom(
    // What is done most is met most.
    ...(['push', 'merge', 'close', 'close', 'main'] as const),
    ...deeds,
  ),
  repository: fc.nat(2),
})

const weather: fc.Arbitrary<Weather> = fc.record({
  nth: fc.integer({ min: 1, max: 24 }),
  is: fc.constantFrom('lost-before', 'lost-after'),
})

const run: fc.Arbitrary<Step> = fc.record({
  do: fc.constant('run' as const),
  seed: fc.nat(1_000_000),
  runs: fc.array(fc.option(weather, { freq: 3 }), { minLength: 1, maxLength: 2 }),
  meanwhile: fc.array(deed, { maxLength: 5 }),
  lag: fc.constantFrom(0, 0, 0, 1, 6),
  noes: fc.constantFrom(0, 0, 0, 0, 1),
})

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: run },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('deed' as const), deed }) },
  { weight: 3, arbitrary: fc.constant({ do: 'release' } as const) },
  { weight: 1, arbitrary: fc.constant({ do: 'yank' } as const) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('wait' as const), hours: fc.constantFrom(1, 3, 60, 400) }) },
)

export const schedule: fc.Arbitrary<readonly Step[]> = fc
  .array(step, { minLength: 3, maxLength: 12 })
  .map((steps) => [{ do: 'release' }, ...steps])
