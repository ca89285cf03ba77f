import type { StackOptions } from '../catalog/stack-options.ts'
import type { Unit } from '../organisation.ts'
import type { Judged } from '../policy.ts'
import type { RenderedStack } from '../render.ts'
import type { StackWish } from '../stack/template.ts'

/** A unit, rendered and checked, with the stack that it shall be. */
export type Rendered = {
  readonly unit: Unit
  readonly part: RenderedStack
  readonly wanted: StackWish & { readonly options?: StackOptions }
  /** What its stack would give out if it was made now. */
  readonly outputs: Readonly<Record<string, string>>
  /** What breaks a rule of the policy, with the waivers for it. */
  readonly judged: readonly Judged[]
}

/**
 * What renderings are judged by: the moment by which waivers end. What breaks a rule `stops` it, if nothing is said. Where it is
 * `gated`, that is no Problem here: who asks holds it by `policyFacts`. It `warns` alone where what ran before is gone back to.
 */
export type Judging = {
  readonly now: Date
  readonly policy?: 'stops' | 'gated' | 'warns'
  /** Told of each rendering that could be judged, also of one that is refused. */
  readonly tell?: (unit: Unit, judged: readonly Judged[]) => void
}
