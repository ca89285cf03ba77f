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
export type Evidence = {
  readonly cause?: FirstCause
  /** The healthy stage before this one, and what differs from it. */
  readonly before?: Parity
  readonly tasks?: readonly StoppedTask[]
  readonly targets?: readonly TargetHealth[]
  /** The last lines of the log, oldest first, secrets taken out. */
  readonly log?: readonly string[]
  /** Denials in the log or the cloud's trail: what was denied, to whom. */
  readonly denials?: readonly string[]
  /** What answered at the address after the deployment, if that was asked. */
  readonly answered?: { readonly status?: number; readonly failure?: 'timeout' | 'refused' | 'unresolved' | 'tls' }
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

export type StoppedTask = {
  readonly container?: string
  readonly exitCode?: number
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

function code({ cause, before, tasks = [], targets = [], log = [], answered }: Evidence): Verdict {
  const of = verdictOn('code')
  const crashed = tasks.filter(
    ({ exitCode }) => exitCode !== undefined && exitCode !== 0 && exitCode !== 137 && exitCode !== 143,
  )
  const trace = log.find((line) => stackTrace.test(line))
  const failing = answered?.status !== undefined && answered.status >= 500
  const wrongAnswers = targets.some(({ code: told }) => told === 'Target.ResponseCodeMismatch')
  const signs = [
    ...crashed.map(
      ({ container, exitCode }) => `${container ?? 'The container'} ended by itself with exit code ${exitCode}.`,
    ),
    ...(trace === undefined ? [] : [`The log says: ${trace.trim()}`]),
    ...(failing ? [`It answers, with status ${answered.status}.`] : []),
    ...(wrongAnswers ? ['It answers the load balancer’s health check with another status than was expected.'] : []),
    ...noImage(cause, tasks),
  ]
  if (before?.sameImage === true) {
    const healthy = `The same image runs healthy in ${before.stage}.`
    return signs.length === 0 ? of('cleared', [healthy]) : of('unknown', [...signs, healthy])
  }
  if (isOf(cause, ...notCode) && signs.length === 0)
    return of('cleared', [`It was stopped before anything of the service ran: ${quoted(cause?.first)}`])
  // A sign proves something of the code only if what it is run with is known to be in order.
  const settled = before === undefined || before.differences.some(({ declared }) => !declared)
  if (signs.length > 0 && !settled && before.sameTemplate)
    return of('convicted', [...signs, `All else is as in ${before.stage}, where it runs healthy.`])
  if (noImage(cause, tasks).length > 0) return of('convicted', signs)
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

function security({ cause, before, denials, log }: Evidence): Verdict {
  const of = verdictOn('security')
  if (isOf(cause, 'permission')) return of('convicted', [quoted(cause?.first)])
  const told = denials ?? []
  if (told.length > 0)
    return of(
      'convicted',
      told.map((denial) => `Denied: ${denial}`),
    )
  const others = before?.differences.filter(({ kind }) => kind === 'permission') ?? []
  if (denials !== undefined && before?.sameTemplate === true && others.length === 0)
    return of('cleared', [`Nothing was denied, and the permissions are those of ${before.stage}.`])
  return of('unknown', [
    ...others.map(({ what }) => `${what} differs from ${before?.stage ?? ''}.`),
    ...(denials === undefined && log === undefined ? ['The log could not be looked at.'] : []),
  ])
}

function firewall({ cause, before, targets = [], log, answered }: Evidence): Verdict {
  const of = verdictOn('firewall')
  if (isOf(cause, 'network') && !isStructure(cause)) return of('convicted', [quoted(cause?.first)])
  const unreachable = log?.find((line) => connection.test(line))
  if (unreachable !== undefined) return of('convicted', [`The log says: ${unreachable.trim()}`])
  const answers =
    answered?.status !== undefined ||
    targets.some(({ code: told, state }) => state === 'healthy' || told === 'Target.ResponseCodeMismatch')
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

/** An image that is not there was never built, or is called otherwise: the build’s business. */
function noImage(cause: FirstCause | undefined, tasks: readonly StoppedTask[]): readonly string[] {
  const said = [cause?.first.reason ?? '', ...tasks.map(({ reason }) => reason ?? '')]
  const found = said.find((text) =>
    /CannotPullContainer|image\S* .{0,200}?not found|manifest unknown|InvalidImage/i.test(text),
  )
  return found === undefined || connection.test(found) || /denied|forbidden|not authorized/i.test(found)
    ? []
    : [`The image cannot be had: ${found.slice(0, 300)}`]
}

function quoted(cause: Cause | undefined): string {
  if (cause === undefined) return ''
  const reason = cause.reason.length > 300 ? `${cause.reason.slice(0, 300)}…` : cause.reason
  return cause.logicalId === undefined ? reason : `${cause.logicalId}: ${reason}`
}
