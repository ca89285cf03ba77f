import type { Cause, FirstCause } from './first.ts'
import type { FailureClass } from './classes.ts'

/** The four that trouble is looked for at: what developers ship, what is set, who may do what, who can reach whom. */
export type Suspect = 'code' | 'settings' | 'security' | 'firewall'

/** `convicted` and `cleared` are proved by the evidence; `unknown` is what is left when it is not, and never a guess. */
export type Verdict = {
  readonly suspect: Suspect
  readonly is: 'convicted' | 'cleared' | 'unknown'
  /** Whole sentences. Of `unknown`: what is known all the same, and what could not be looked at. */
  readonly evidence: readonly string[]
}

/** What is known of a failure. What was not looked at is left out; what was looked at and not found is an empty list. */
export type Evidence = Found & {
  readonly cause?: FirstCause
  /** The healthy stage before this one, and what differs from it. */
  readonly before?: Parity
  /** What answered at the address after the deployment, if that was asked. */
  readonly answered?: { readonly status?: number; readonly failure?: 'timeout' | 'refused' | 'unresolved' | 'tls' }
}

/** What the cloud shows of what fails, for as long as it is there: a rollback takes most of it away. */
export type Found = {
  readonly tasks?: readonly StoppedTask[]
  readonly targets?: readonly TargetHealth[]
  readonly functions?: readonly FunctionState[]
  /** The last lines of the log, oldest first, secrets taken out. */
  readonly log?: readonly string[]
  /** Denials in the log: what was denied, to whom. */
  readonly denials?: readonly string[]
  /** What services say of themselves, newest first. */
  readonly events?: readonly string[]
  /** That ECS has stopped a deployment by itself, and what it goes back to: a sentence. */
  readonly circuit?: string
  /** What could not be looked at, and why: whole sentences. */
  readonly unseen?: readonly string[]
}

/** What this stage shares with the one before, which runs healthy. */
export type Parity = {
  readonly stage: string
  readonly sameTemplate: boolean
  /** Nothing, where a service runs no image, or which one is not known. */
  readonly sameImage?: boolean
  /** Settings that differ between the two, by where they stand: `inputs.port`, `Service.Environment.PAYMENTS_URL`. */
  readonly differences: readonly Difference[]
}

export type Difference = {
  readonly what: string
  readonly kind: 'input' | 'environment' | 'permission' | 'network'
  /** `missing` is there in the healthy stage and not here. */
  readonly is: 'other' | 'missing' | 'additional'
  /** Somebody has written down that it is meant so. */
  readonly declared: boolean
}

/** How a container, or a task before it had one, came to its end. */
export type StoppedTask = {
  readonly container?: string
  readonly exitCode?: number
  readonly reason?: string
  /** How many ended just so, if it was more than one. */
  readonly times?: number
}

/** A function of Lambda: https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html */
export type FunctionState = {
  readonly name: string
  readonly state?: string
  /** Of its last change: `Successful`, `InProgress`, `Failed`. */
  readonly update?: string
  /** Why it is in that state: the cloud's words. */
  readonly reason?: string
}

/** https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html */
export type TargetHealth = { readonly state: string; readonly code?: string; readonly reason?: string }

/** The four suspects, in their order, each with what speaks for or against it. */
export function judge(evidence: Evidence): readonly Verdict[] {
  return [code(evidence), settings(evidence), security(evidence), firewall(evidence)]
}

/** Troubles of the cloud itself, of which none of the four is guilty; a sentence, or nothing. */
export function blamesCloud({ cause }: Evidence): string | undefined {
  const is = cause?.first.is.is
  if (is === 'throttled') return 'AWS was asked too often and refused for the moment.'
  if (is === 'capacity') return 'AWS has no capacity of this kind there now.'
  if (is === 'cloud') return 'AWS reports a failure of its own.'
  return undefined
}

function code(evidence: Evidence): Verdict {
  const { cause, before, tasks = [], log = [], answered } = evidence
  const of = verdictOn('code')
  const crashed = tasks.filter(
    ({ exitCode }) => exitCode !== undefined && exitCode !== 0 && exitCode !== 137 && exitCode !== 143,
  )
  const trace = log.find((line) => stackTrace.test(line))
  const failing = answered?.status !== undefined && answered.status >= 500
  const greedy = tasks.find(({ reason = '' }) => /OutOfMemory/i.test(reason))
  const unwell = tasks.some(({ reason = '' }) => /failed container health checks/i.test(reason))
  const missing = noImage(evidence)
  const signs = [
    ...crashed.map(
      ({ container, exitCode }) => `${container ?? 'The container'} ended by itself with exit code ${exitCode}.`,
    ),
    ...(greedy === undefined
      ? []
      : [`${greedy.container ?? 'The container'} was ended because it used more memory than it may.`]),
    ...(unwell ? ['It does not pass the health check of its own container.'] : []),
    ...(trace === undefined ? [] : [`The log says: ${sentence(trace)}`]),
    ...(failing ? [`It answers, with status ${answered.status}.`] : []),
    ...(answersWrongly(evidence)
      ? ['It answers the load balancer’s health check with another status than was expected.']
      : []),
    ...missing,
  ]
  if (before?.sameImage === true) {
    const healthy = `The same image runs healthy in ${before.stage}.`
    return signs.length === 0 ? of('cleared', [healthy]) : of('unknown', [...signs, healthy])
  }
  if (isOf(cause, ...notCode) && signs.length === 0)
    return of('cleared', [`It was stopped before anything of the service ran: ${quoted(cause?.first)}`])
  const stopped = neverRan(evidence)
  if (stopped !== undefined && signs.length === 0)
    return of('cleared', [`No task came as far as to run it: ${stopped}`])
  // A sign proves something of the code only if what it is run with is known to be in order.
  const settled = before === undefined || before.differences.some(({ declared }) => !declared)
  if (signs.length > 0 && !settled && before.sameTemplate)
    return of('convicted', [...signs, `All else is as in ${before.stage}, where it runs healthy.`])
  if (missing.length > 0) return of('convicted', signs)
  if (isOf(cause, 'application') && signs.length === 0)
    return of('unknown', [
      `The service did not become healthy (${quoted(cause?.first)}), and neither its log nor its tasks say why.`,
    ])
  return of('unknown', signs)
}

function settings({ cause, before }: Evidence): Verdict {
  const of = verdictOn('settings')
  if (isOf(cause, 'settings', 'quota', 'taken', 'missing', 'export', 'state', 'policy') || isStructure(cause))
    return of('convicted', [quoted(cause?.first)])
  if (before === undefined) return of('unknown', ['There is no healthy stage before this one to compare with.'])
  const left = before.differences.filter(({ kind }) => kind === 'input' || kind === 'environment')
  const missing = left.filter(({ is, declared }) => is === 'missing' && !declared)
  if (missing.length > 0 && isOf(cause, 'application'))
    return of(
      'convicted',
      missing.map(({ what }) => `${what} is set in ${before.stage} and missing here.`),
    )
  if (before.sameTemplate && left.length === 0)
    return of('cleared', [`The same template and the same settings run healthy in ${before.stage}.`])
  return of('unknown', [
    ...(before.sameTemplate ? [] : [`${before.stage} runs another version of the template.`]),
    ...left.map(({ what, declared }) => `${what} differs from ${before.stage}${declared ? ', on purpose' : ''}.`),
  ])
}

function security(evidence: Evidence): Verdict {
  const { cause, before, denials, log } = evidence
  const of = verdictOn('security')
  if (isOf(cause, 'permission')) return of('convicted', [quoted(cause?.first)])
  const told = [...reasonsOf(evidence).filter(isDenied).map(cutText), ...(denials ?? [])]
  if (told.length > 0)
    return of(
      'convicted',
      [...new Set(told)].slice(0, 3).map((denial) => `Denied: ${denial}`),
    )
  const others = before?.differences.filter(({ kind }) => kind === 'permission') ?? []
  if (denials !== undefined && before?.sameTemplate === true && others.length === 0)
    return of('cleared', [`Nothing was denied, and the permissions are those of ${before.stage}.`])
  return of('unknown', [
    ...others.map(({ what }) => `${what} differs from ${before?.stage ?? ''}.`),
    ...(denials === undefined && log === undefined ? ['The log could not be looked at.'] : []),
  ])
}

function firewall(evidence: Evidence): Verdict {
  const { cause, before, targets = [], log, answered } = evidence
  const of = verdictOn('firewall')
  if (isOf(cause, 'network') && !isStructure(cause)) return of('convicted', [quoted(cause?.first)])
  const cut = reasonsOf(evidence).find((reason) => connection.test(reason))
  if (cut !== undefined) return of('convicted', [`A connection was not made: ${cutText(cut)}`])
  const unreachable = log?.find((line) => connection.test(line))
  if (unreachable !== undefined) return of('convicted', [`The log says: ${sentence(unreachable)}`])
  const answers =
    answered?.status !== undefined || targets.some(({ state }) => state === 'healthy') || answersWrongly(evidence)
  const others = before?.differences.filter(({ kind }) => kind === 'network') ?? []
  const silent = targets.filter(({ code: told }) => told === 'Target.Timeout')
  if (silent.length > 0 && others.length > 0 && log?.length === 0)
    return of('convicted', [
      'The load balancer gets no answer, and the service has logged nothing.',
      ...others.map(({ what }) => `${what} differs from ${before?.stage ?? ''}.`),
    ])
  if (answers && others.length === 0)
    return of('cleared', [
      answered?.status === undefined ? 'The load balancer reaches it.' : 'It can be reached, and answers.',
    ])
  if (before?.sameTemplate === true && others.length === 0 && silent.length === 0 && isOf(cause, ...notCode))
    return of('cleared', [`The rules of the network are those of ${before.stage}.`])
  return of('unknown', [
    ...silent.map(() => 'The load balancer gets no answer in time.').slice(0, 1),
    ...others.map(({ what }) => `${what} differs from ${before?.stage ?? ''}.`),
  ])
}

function verdictOn(suspect: Suspect): (is: Verdict['is'], evidence: readonly string[]) => Verdict {
  return (is, evidence) => ({ suspect, is, evidence: evidence.filter((sentence) => sentence !== '') })
}

/** Classes of failures that come up before any code of the service is run. */
const notCode = [
  'settings',
  'permission',
  'quota',
  'capacity',
  'taken',
  'missing',
  'export',
  'state',
  'policy',
  'credentials',
  'throttled',
  'cloud',
] as const satisfies readonly FailureClass[]

function isOf(cause: FirstCause | undefined, ...classes: readonly FailureClass[]): boolean {
  return cause !== undefined && classes.includes(cause.first.is.is)
}

/** Parts of the network that do not fit together are a setting; the firewall is about who is let through. */
function isStructure(cause: FirstCause | undefined): boolean {
  return isOf(cause, 'network') && !connection.test(cause?.first.reason ?? '')
}

const connection =
  /\bi\/o timeout|dial tcp|connect(?:ion)? ?timed? ?out|connect ?timeout|no route to host|\bETIMEDOUT\b|\bEHOSTUNREACH\b|network configuration|context deadline exceeded|did not receive a response from your custom resource/i

const stackTrace =
  /^\s*(?:Uncaught )?(?:[A-Za-z_$][\w.$]*(?:Error|Exception)\b|Traceback \(most recent call last\)|panic: |Exception in thread )/

/** What tasks and functions say of their end, in the cloud's words. */
function reasonsOf({ tasks = [], functions = [] }: Evidence): readonly string[] {
  return [...tasks, ...functions].flatMap(({ reason }) => (reason === undefined ? [] : [reason]))
}

/**
 * A denial by the cloud. Registries say of an image that is not there that it may be one that is not to be seen, which proves neither.
 */
function isDenied(text: string): boolean {
  return denial.test(text) && !/repository does not exist or may require/i.test(text)
}

const denial =
  /is not authorized to perform|\bAccess ?Denied|AccessDeniedException|UnauthorizedOperation|\b403 Forbidden|no (?:identity|resource)-based policy allows/i

/** A service that answers with a wrong status is reached, and runs. */
function answersWrongly({ targets = [], tasks = [], events = [] }: Evidence): boolean {
  return (
    targets.some(({ code: told }) => told === 'Target.ResponseCodeMismatch') ||
    [...events, ...tasks.map(({ reason = '' }) => reason)].some((text) =>
      /health checks failed with these codes/i.test(text),
    )
  )
}

/** Why nothing of the service has run, where the cloud could not even begin to: it was not let in, or not through. */
function neverRan({ tasks = [] }: Evidence): string | undefined {
  const isBefore = ({ exitCode, reason = '' }: StoppedTask): boolean =>
    exitCode === undefined && /CannotPull|ResourceInitializationError/.test(reason)
  const isOther = (reason: string): boolean => isDenied(reason) || connection.test(reason)
  const [first] = tasks
  if (first?.reason === undefined || !tasks.every(isBefore)) return undefined
  return tasks.every(({ reason = '' }) => isOther(reason)) ? cutText(first.reason) : undefined
}

/** An image that is not there was never built, or is called otherwise: the build’s business. */
function noImage(evidence: Evidence): readonly string[] {
  const said = [evidence.cause?.first.reason ?? '', ...reasonsOf(evidence)]
  const found = said.find((text) =>
    /CannotPullContainer|image\S* .{0,200}?not found|manifest unknown|InvalidImage/i.test(text),
  )
  return found === undefined || connection.test(found) || /denied|forbidden|not authorized/i.test(found)
    ? []
    : [`The image cannot be had: ${cutText(found)}`]
}

function cutText(text: string): string {
  return text.length > 300 ? `${text.slice(0, 300)}…` : text
}

function quoted(cause: Cause | undefined): string {
  if (cause === undefined) return ''
  const reason = cutText(cause.reason)
  return cause.logicalId === undefined ? reason : `${cause.logicalId}: ${reason}`
}

/** A line of a log among sentences: it ends as one. */
function sentence(text: string): string {
  const words = text.trim()
  return /[.!?:;…]$/u.test(words) ? words : `${words}.`
}
