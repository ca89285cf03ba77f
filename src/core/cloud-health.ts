import { shortName } from './cause/found.ts'
import type { FunctionState, TargetHealth } from './cause/suspects.ts'
import type { CloudHealth } from './health.ts'
import { count, list } from './report.ts'

/**
 * What services of ECS, functions of Lambda and the targets of load balancers say of the health of a stack.
 *
 * That a stack was updated well does not prove it: ECS can go back to the tasks that ran before by itself (its circuit breaker),
 * and the stack is complete all the same. So the service has to run the task definition that the stack has made.
 * https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-circuit-breaker.html
 */

/** One service of ECS, as DescribeServices tells it. */
export type SeenService = {
  readonly name: string
  readonly deployments: readonly {
    /** `PRIMARY` is the one that shall be; `ACTIVE` ones still have tasks and are being replaced. */
    readonly status: string
    readonly taskDefinition?: string
    /** `COMPLETED`, `IN_PROGRESS`, `FAILED`; nothing where deployments are driven by another controller. */
    readonly rolloutState?: string
    readonly rolloutStateReason?: string
    readonly running: number
    readonly desired: number
  }[]
}

/** The targets of one target group, as DescribeTargetHealth tells them. */
export type SeenTargets = { readonly group: string; readonly targets: readonly TargetHealth[] }

/** What was seen of all that a stack runs. */
export type Seen = {
  readonly services: readonly SeenService[]
  readonly groups: readonly SeenTargets[]
  readonly functions?: readonly FunctionState[]
  /** The task definitions that the stack has made, by ARN. */
  readonly made: readonly string[]
  /** What could not be looked at, and why: whole sentences. */
  readonly unseen: readonly string[]
}

/** The verdict of the cloud: healthy only if all services are steady, all functions ready and all targets healthy. */
export function cloudHealthOf({ services, groups, functions = [], made, unseen }: Seen): CloudHealth {
  const broken = [
    ...services.flatMap((service) => brokenText(service, made) ?? []),
    ...functions.flatMap((each) => failedText(each) ?? []),
  ]
  if (broken.length > 0) return { is: 'gone-back', words: list(broken) }
  if (unseen.length > 0) return { is: 'unknown', words: unseen.join(' ') }
  // A group that no load balancer uses, or that nothing is registered with, watches nothing.
  const watched = groups
    .map(({ targets }) => targets.filter(({ state }) => state !== 'unused' && !state.startsWith('draining')))
    .filter((targets) => targets.length > 0)
  const hasTasks = services.some(({ deployments }) => deployments.some(({ desired }) => desired > 0))
  if (services.length === 0 && functions.length === 0 && watched.length === 0) {
    return groups.length === 0
      ? { is: 'unknown', words: 'the stack runs nothing that the cloud watches' }
      : { is: 'pending', words: 'no target is registered yet' }
  }
  const targets = watched.flat()
  const steady = services.filter(isSteady)
  const ready = functions.filter(isReady)
  const healthy = targets.filter(({ state }) => state === 'healthy')
  const words = [
    ...(services.length === 0 ? [] : [`${steady.length} of ${count(services.length, 'service')} steady`]),
    ...(functions.length === 0 ? [] : [`${ready.length} of ${count(functions.length, 'function')} ready`]),
    ...(targets.length === 0 ? [] : [`${healthy.length} of ${count(targets.length, 'target')} healthy`]),
  ]
  const isWaiting = groups.length > 0 && hasTasks && targets.length === 0
  const isHealthy =
    steady.length === services.length &&
    ready.length === functions.length &&
    healthy.length === targets.length &&
    !isWaiting
  if (isHealthy) return { is: 'healthy', words: list(words) }
  const reasons = [
    ...new Set(targets.flatMap(({ state, code, reason }) => (state === 'healthy' ? [] : (reason ?? code ?? [])))),
  ]
  return { is: 'pending', words: `${list(words)}${reasons.length === 0 ? '' : ` (${list(reasons)})`}` }
}

function isSteady({ deployments }: SeenService): boolean {
  const primary = deployments.find(({ status }) => status === 'PRIMARY')
  if (primary === undefined || primary.running < primary.desired) return false
  if (primary.rolloutState !== undefined && primary.rolloutState !== 'COMPLETED') return false
  return deployments.every(({ status, running }) => status === 'PRIMARY' || running === 0)
}

/** One that nobody has called for weeks is `Inactive`, and wakes when it is. */
function isReady({ state, update }: FunctionState): boolean {
  return (
    (state === undefined || state === 'Active' || state === 'Inactive') && (update ?? 'Successful') === 'Successful'
  )
}

function failedText({ name, state, update, reason }: FunctionState): string | undefined {
  if (state !== 'Failed' && update !== 'Failed') return undefined
  return `the function ${name} has failed${reason === undefined ? '' : `: ${reason.replace(/\.$/, '')}`}`
}

/** Why a service will not become what was deployed, whatever is waited. */
function brokenText({ name, deployments }: SeenService, made: readonly string[]): string | undefined {
  const primary = deployments.find(({ status }) => status === 'PRIMARY')
  const { taskDefinition, rolloutState, rolloutStateReason: reason } = primary ?? {}
  const ofFamily = made.filter((arn) => familyOf(arn) === familyOf(taskDefinition ?? ''))
  if (taskDefinition !== undefined && ofFamily.length > 0 && !ofFamily.includes(taskDefinition)) {
    return `${name} runs ${shortName(taskDefinition)} although ${list(ofFamily.map(shortName))} was deployed: ECS has gone back by itself`
  }
  if (rolloutState !== 'FAILED') return undefined
  return `the deployment of ${name} has failed${reason === undefined ? '' : `: ${reason.replace(/\.$/, '')}`}`
}

function familyOf(arn: string): string {
  return arn.replace(/:\d+$/, '')
}
