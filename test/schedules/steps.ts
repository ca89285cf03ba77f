import * as fc from 'fast-check'

import type { ServiceName, StageName } from './shop.ts'
import { services, stages } from './shop.ts'
import type { Weather } from './turns.ts'

/** Something that one somebody does. Numbers choose among what there is at that moment, so that a shorter schedule is one, too. */
export type Act =
  | {
      readonly is: 'job'
      readonly pick: number
      readonly weather?: Weather | undefined
      /** Somebody stops the job there, instead of its runner being lost. */
      readonly isStopped: boolean
      readonly skew: number
      /** The runner of what tells of a lost runner is lost, too. */
      readonly after?: Weather | undefined
    }
  | { readonly is: 'resume'; readonly weather?: Weather | undefined }
  | {
      readonly is: 'cancel'
      readonly service: ServiceName
      readonly stage: StageName
      readonly weather?: Weather | undefined
    }
  | {
      readonly is: 'review'
      readonly pull: number
      readonly by: string
      readonly event: 'approved' | 'refused' | 'commented'
    }
  | { readonly is: 'dismiss'; readonly pull: number }
  | { readonly is: 'environment'; readonly run: number; readonly by: string }
  | { readonly is: 'team'; readonly who: string; readonly isIn: boolean }
  | {
      readonly is: 'lock'
      readonly unit: string
      readonly by: string
      readonly minutes: number | undefined
      readonly ofRun: boolean
    }
  | { readonly is: 'unlock'; readonly pick: number }

export type Step =
  | {
      readonly do: 'merge'
      readonly service: ServiceName
      readonly size: number
      readonly hasTable: boolean
      /** Who has made a commit of it besides its author. */
      readonly also: string | undefined
    }
  | { readonly do: 'wait'; readonly minutes: number }
  | { readonly do: 'fail'; readonly service: ServiceName; readonly stage: StageName }
  | { readonly do: 'again'; readonly run: number; readonly by: string }
  | { readonly do: 'glass'; readonly service: ServiceName; readonly by: string }
  | { readonly do: 'act'; readonly seed: number; readonly acts: readonly Act[] }

const service = fc.constantFrom(...services)
const stage = fc.constantFrom(...stages)
const pick = fc.nat({ max: 20 })
/** Members of the team, one who made a change, and one who has nothing to say. */
const person = fc.constantFrom('carla', 'dan', 'carla', 'dan', 'ben', 'ben-two', 'ada')

const weather: fc.Arbitrary<Weather | undefined> = fc.option(
  fc.record({
    nth: fc.integer({ min: 1, max: 28 }),
    is: fc.constantFrom('lost-before', 'lost-after', 'refused-before', 'refused-after'),
  }),
  { nil: undefined, freq: 2 },
)

const often: fc.Arbitrary<Weather | undefined> = fc.oneof({ weight: 3, arbitrary: fc.constant(undefined) }, weather)

const job = fc.record({
  is: fc.constant('job' as const),
  pick,
  weather: often,
  isStopped: fc.constantFrom(false, false, false, true),
  skew: fc.constantFrom(0, 0, 0, 0, 90_000, -90_000),
  after: fc.oneof({ weight: 5, arbitrary: fc.constant(undefined) }, weather),
})

const act: fc.Arbitrary<Act> = fc.oneof(
  { weight: 12, arbitrary: job },
  { weight: 5, arbitrary: fc.record({ is: fc.constant('resume' as const), weather: often }) },
  { weight: 1, arbitrary: fc.record({ is: fc.constant('cancel' as const), service, stage, weather: often }) },
  {
    weight: 6,
    arbitrary: fc.record({
      is: fc.constant('review' as const),
      pull: pick,
      by: person,
      event: fc.constantFrom('approved', 'approved', 'approved', 'refused', 'commented'),
    }),
  },
  { weight: 1, arbitrary: fc.record({ is: fc.constant('dismiss' as const), pull: pick }) },
  { weight: 1, arbitrary: fc.record({ is: fc.constant('environment' as const), run: pick, by: person }) },
  {
    weight: 1,
    arbitrary: fc.record({
      is: fc.constant('team' as const),
      who: fc.constantFrom('carla', 'dan', 'olga'),
      isIn: fc.boolean(),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      is: fc.constant('lock' as const),
      unit: fc.constantFrom('cart', 'cart/prod', 'mail/staging', 'mail/prod'),
      by: person,
      minutes: fc.option(fc.integer({ min: 1, max: 120 }), { nil: undefined }),
      ofRun: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ is: fc.constant('unlock' as const), pick }) },
)

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('merge' as const),
      service,
      size: fc.constantFrom(1, 2, 3, 4, 5, 6, 7, 8, 61),
      hasTable: fc.constantFrom(true, true, true, true, true, false),
      also: fc.constantFrom(undefined, undefined, undefined, 'carla'),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('wait' as const),
      minutes: fc.oneof(fc.integer({ min: 1, max: 45 }), fc.constantFrom(31, 60, 24 * 60, 3 * 24 * 60)),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('fail' as const), service, stage }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('again' as const), run: pick, by: person }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('glass' as const), service, by: fc.constantFrom('olga', 'olga', 'carla') }),
  },
  {
    weight: 14,
    arbitrary: fc.record({
      do: fc.constant('act' as const),
      seed: fc.nat(),
      acts: fc.array(act, { minLength: 1, maxLength: 4 }),
    }),
  },
)

/** A schedule: what happens in an organisation, one after the other and at once. */
export const schedule: fc.Arbitrary<readonly Step[]> = fc.array(step, { minLength: 4, maxLength: 40, size: 'max' })
