import type { Unit } from '../organisation.ts'
import type { PolicyFact } from '../policy.ts'
import type { Problem } from '../problem.ts'
import type { Change, ChangedProperty } from '../stack/diff.ts'
import type { StackWish } from '../stack/template.ts'

/**
 * What runs a version of a template: a service, or an environment. `repository` is where its file lies, `owner/name`; nothing
 * of the files of the catalog itself. `component` are the files below `component/`, by their paths below the root of the consumer.
 */
export type Consumer = {
  readonly is: 'service' | 'environment'
  readonly repository?: string
  /** `service.yaml`, `services/checkout/service.yaml`, `environments/dev.yaml`. */
  readonly file: string
  readonly text: string
  readonly component?: ReadonlyMap<string, string>
}

/** One unit of a consumer as it is rendered, with all that is compared of it. */
export type ConsumerUnit = {
  /** `checkout/prod`, `checkout/pipeline`, `environment/dev`. */
  readonly unit: string
  readonly kind: Unit['kind']
  /** The name of the stage; an environment and a pipeline have none. */
  readonly stage?: string
  readonly environment: string
  readonly wish: StackWish
  readonly text: string
  /** Of the text and the parameters: two with the same one are the same. */
  readonly rendered: string
  /** What its stack would give out. */
  readonly outputs: Readonly<Record<string, string>>
  /** What breaks a rule of the policy and is not excused. */
  readonly broken: readonly PolicyFact[]
}

/** The rendering of all units of a consumer at one version of its template, in the order in which they are deployed. */
export type ConsumerRendering = {
  /** `checkout`, `environment/dev`. */
  readonly consumer: string
  /** `fargate-service@2.3.0` */
  readonly template: string
  readonly owner?: string
  readonly units: readonly ConsumerUnit[]
}

/** From nothing to the gravest; `unknown` is a consumer that is broken already, whatever becomes of the template. */
export const impactWords = [
  'unchanged',
  'changed',
  'unknown',
  'replaces',
  'breaks-policy',
  'needs-input',
  'does-not-render',
] as const

export type ImpactWord = (typeof impactWords)[number]

/** A resource that would be lost. `holds` says what is in it, of one that holds data: `the items of a table`. */
export type Loss = {
  readonly logicalId: string
  readonly type: string
  readonly happens: 'deleted' | 'replaced' | 'perhaps replaced'
  /** The property paths that it comes from. */
  readonly because: readonly string[]
  /** It stays in the account, although its stack lets go of it. */
  readonly retained: boolean
  readonly holds?: string
}

/** What happens to one unit: as a plan lists it, if the stack was what the version before makes. */
export type StageImpact = {
  readonly unit: string
  readonly kind: Unit['kind']
  readonly stage?: string
  readonly is: 'unchanged' | 'changed' | 'replaces' | 'new' | 'gone'
  readonly changes: readonly Change[]
  /** What is replaced or deleted, but for what is changed by revisions; what holds data first. */
  readonly losses: readonly Loss[]
  /** Outputs that would be others, with digests of their values. */
  readonly outputs: readonly ChangedProperty[]
  /** What breaks a rule of the policy and did not before. */
  readonly broken: readonly PolicyFact[]
}

/** What becomes of a consumer. `problems` say why it needs an input, does not render, breaks a policy or is not known. */
export type Impact = {
  readonly is: ImpactWord
  /** In the order of deployment. Without a rendering on one of the sides, none. */
  readonly stages: readonly StageImpact[]
  readonly problems: readonly Problem[]
}
