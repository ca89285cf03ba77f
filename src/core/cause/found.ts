import type { Found, FunctionState, StoppedTask, TargetHealth } from './suspects.ts'
import { redact } from './redact.ts'

/**
 * What is kept of the cloud's answers about something that fails, and how it is shown: little enough to be read, and without
 * secrets. Fields are called as AWS's APIs call them.
 */

/** https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Task.html */
export type DescribedTask = {
  readonly taskArn?: string | undefined
  readonly startedBy?: string | undefined
  readonly stopCode?: string | undefined
  readonly stoppedReason?: string | undefined
  readonly stoppedAt?: Date | undefined
  readonly containers?:
    | readonly {
        readonly name?: string | undefined
        readonly exitCode?: number | undefined
        readonly reason?: string | undefined
      }[]
    | undefined
}

/** https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Deployment.html */
export type DescribedDeployment = {
  readonly id?: string | undefined
  readonly status?: string | undefined
  readonly taskDefinition?: string | undefined
  readonly rolloutState?: string | undefined
  readonly rolloutStateReason?: string | undefined
  readonly failedTasks?: number | undefined
}

/** What a task of a deployment is stopped with that is wanted no more: no failure of its own. */
const wantedStops = /^Scaling activity initiated by/

/** How tasks failed, the newest first, those that ended in the same way once. What was stopped because it was to be is left out. */
export function stoppedTasks(tasks: readonly DescribedTask[]): readonly StoppedTask[] {
  const newest = tasks.toSorted((a, b) => (b.stoppedAt?.getTime() ?? 0) - (a.stoppedAt?.getTime() ?? 0))
  const ends = newest.flatMap(endsOf)
  const byEnd = Map.groupBy(ends, (end) => JSON.stringify(end))
  return [...byEnd.values()]
    .flatMap(([end, ...same]) => (end === undefined ? [] : [{ ...end, ...(same[0] && { times: same.length + 1 }) }]))
    .slice(0, mostTasks)
}

/** A task ends by its containers; one that did not get as far says why itself. */
function endsOf({ stopCode, stoppedReason: said, containers = [] }: DescribedTask): readonly StoppedTask[] {
  if (stopCode === 'UserInitiated' || wantedStops.test(said ?? '')) return []
  const failed = containers.filter(
    ({ exitCode, reason }) => (exitCode !== undefined && exitCode !== 0) || reason !== undefined,
  )
  if (failed.length === 0) {
    const [only] = containers
    const end = {
      ...(containers.length === 1 && only?.name !== undefined && { container: only.name }),
      ...(only?.exitCode !== undefined && containers.length === 1 && { exitCode: only.exitCode }),
      ...(said !== undefined && { reason: bounded(said) }),
    }
    return Object.keys(end).length === 0 ? [] : [end]
  }
  return failed.map(({ name, exitCode, reason }) => {
    const why = [said, reason].filter((each) => each !== undefined && each !== '').join(': ')
    return {
      ...(name !== undefined && { container: name }),
      ...(exitCode !== undefined && { exitCode }),
      ...(why !== '' && { reason: bounded(why) }),
    }
  })
}

/** The deployment of a service that fails: the one that ECS has given up, or whose tasks fail, or else the one that shall be. */
export function failingDeployment(deployments: readonly DescribedDeployment[]): DescribedDeployment | undefined {
  return (
    deployments.find(({ rolloutState }) => rolloutState === 'FAILED') ??
    deployments.find(({ failedTasks = 0 }) => failedTasks > 0) ??
    deployments.find(({ status }) => status === 'PRIMARY')
  )
}

/**
 * That ECS has stopped a deployment by itself, and what it goes back to.
 * https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-circuit-breaker.html
 */
export function circuitOf(deployments: readonly DescribedDeployment[]): string | undefined {
  const failed = deployments.find(({ rolloutState }) => rolloutState === 'FAILED')
  if (failed === undefined) return undefined
  const why = failed.rolloutStateReason?.replace(/\.$/, '')
  const now = deployments.find(({ status }) => status === 'PRIMARY')
  const isBack = now !== undefined && now !== failed && now.taskDefinition !== failed.taskDefinition
  const back = isBack ? ` It goes back to ${shortName(now.taskDefinition ?? 'what ran before')} by itself.` : ''
  return `ECS has stopped the deployment of ${shortName(failed.taskDefinition ?? 'the service')}${why === undefined ? '' : ` (${bounded(why)})`}.${back}`
}

/** `arn:aws:ecs:eu-west-1:123456789012:task-definition/cart:7` as `cart:7`. */
export function shortName(arn: string): string {
  return arn.split('/').at(-1) ?? arn
}

const mostTasks = 6
const mostEvents = 5
const mostLines = 30
const mostTargets = 20
/** Characters of one line of a log, and of one sentence of the cloud. */
const longest = 500

/** The newest events of a service, oldest last. */
export function eventsOf(messages: readonly string[]): readonly string[] {
  return messages.slice(0, mostEvents).map(bounded)
}

export function targetsOf(targets: readonly TargetHealth[]): readonly TargetHealth[] {
  return targets
    .slice(0, mostTargets)
    .map((each) => ({ ...each, ...(each.reason !== undefined && { reason: bounded(each.reason) }) }))
}

/**
 * The end of a log. All of it is freed of secrets before anything is cut, since one that is cut in two is known no more, and one of
 * several lines is known by its first.
 */
export function logTail(messages: readonly string[]): readonly string[] {
  const lines = redact(messages.join('\n').slice(-mostCharacters))
    .split(/\r?\n/u)
    .map((each) => each.trimEnd())
    .filter((each) => each !== '')
  return lines.slice(-mostLines).map(cutLine)
}

/** More is not looked through: it is as much as an answer of CloudWatch can hold. */
const mostCharacters = 1024 * 1024

/** What a log says of what the cloud has denied, each once. */
export function denialsIn(log: readonly string[]): readonly string[] {
  return [...new Set(log.filter((each) => denied.test(each)).map((each) => each.trim()))].slice(0, 3)
}

/** In the words of AWS's clients; what an application denies to its own users has other words. */
const denied = /is not authorized to perform|\bAccessDenied(?:Exception)?\b|UnauthorizedOperation|KMS\.\w*Denied/

function bounded(text: string): string {
  return cutLine(redact(text).replaceAll(/\s+/g, ' ').trim())
}

function cutLine(text: string): string {
  return text.length > longest ? `${text.slice(0, longest)}…` : text
}

/** What was seen of a failure, for people: one part for each kind. */
export type Shown = { readonly what: string; readonly lines: readonly string[]; readonly is?: 'log' }

export function shownOf({ circuit, tasks, targets, functions, events, log, unseen = [] }: Found): readonly Shown[] {
  const parts: readonly (Shown | undefined)[] = [
    part('ECS', circuit === undefined ? [] : [circuit]),
    part('Tasks that ended', tasks?.map(taskText)),
    part('Functions', functions?.map(functionText)),
    part('Targets of the load balancer', targets === undefined ? undefined : tally(targets.map(targetText))),
    part('Events of the service', events),
    log === undefined || log.length > 0
      ? log && {
          ...part(log.length === 1 ? 'The last line of the log' : `The last ${log.length} lines of the log`, log),
          is: 'log' as const,
        }
      : { what: 'The log', lines: ['Nothing was logged.'] },
    part('What is not known', unseen),
  ]
  return parts.flatMap((each) =>
    each === undefined || each.lines.length === 0 ? [] : [{ ...each, lines: each.lines.map(redact) }],
  )
}

function part(what: string, lines: readonly string[] = []): Shown {
  return { what, lines }
}

/** `app: exit code 1, Essential container in task exited (3 times)` */
function taskText({ container, exitCode, reason, times }: StoppedTask): string {
  const parts = [
    ...(exitCode === undefined ? [] : [`exit code ${exitCode}`]),
    ...(reason === undefined ? [] : [reason]),
  ]
  const text = `${container === undefined ? '' : `${container}: `}${parts.join(', ')}`
  return times === undefined ? text : `${text} (${times} times)`
}

function functionText({ name, state, update, reason }: FunctionState): string {
  const parts = [
    ...(state === undefined ? [] : [state]),
    ...(update === undefined ? [] : [`last change ${update}`]),
    ...(reason === undefined ? [] : [reason]),
  ]
  return `${name}: ${parts.join(', ')}`
}

function targetText({ state, code, reason }: TargetHealth): string {
  return [state, ...(code === undefined ? [] : [code]), ...(reason === undefined ? [] : [reason])].join(', ')
}

/** The same text several times as one with its number. */
function tally(texts: readonly string[]): readonly string[] {
  return [...Map.groupBy(texts, (text) => text)].map(([text, { length }]) =>
    length === 1 ? text : `${text} (${length} times)`,
  )
}

/** What is kept of it in a record: all but the log, each part in a line. */
export function evidenceText(seen: readonly Shown[]): readonly string[] {
  return seen.flatMap(({ what, lines, is }) => (is === 'log' ? [] : [`${what}: ${lines.join('; ')}`]))
}
