import { type Data, type DataMap, isMap } from './data.ts'
import { durationSeconds } from './duration.ts'
import type { Unit } from './organisation.ts'
import type { Place, Problem } from './problem.ts'

/**
 * Health after a deployment: the address of a service is asked until it has answered well several times in a row, or its time is over.
 * A stage counts as deployed only when it is healthy, for what comes after it rests on it.
 */

/** What `health:` says in a service's file. */
export type HealthCheck = {
  /** Begins with a slash. */
  readonly path: string
  readonly status: number
  /** How long it may take to become healthy, in seconds. */
  readonly within: number
  /**
   * Who asks: the runner, over the internet; or the cloud, by its own checks, where the address cannot be reached from outside. Without
   * a word it is the runner.
   */
  readonly from: 'runner' | 'cloud'
}

/** What came of asking once. `took` is in milliseconds. */
export type Answer =
  | { readonly is: 'answered'; readonly status: number; readonly took: number }
  | {
      readonly is: 'failed'
      readonly why: 'timeout' | 'refused' | 'unresolved' | 'certificate' | 'other'
      readonly took: number
    }

/** All that was asked so far. */
export type Asked = { readonly answers: readonly Answer[]; readonly since: number }

/** What to do next: ask again in so many milliseconds, or stop. */
export type HealthStep =
  | { readonly is: 'wait'; readonly milliseconds: number }
  | { readonly is: 'healthy'; readonly words: string }
  | { readonly is: 'unhealthy'; readonly words: string; readonly last?: Answer }
  /** It cannot be told, now or later. */
  | { readonly is: 'unknown'; readonly words: string }

/** What the cloud itself says of the health of what a stack runs: of its services, and of the targets of its load balancers. */
export type CloudHealth =
  | { readonly is: 'healthy'; readonly words: string }
  /** Not yet: it may still become so. */
  | { readonly is: 'pending'; readonly words: string }
  /** It does not become so by waiting: the cloud has gone back to what ran before by itself. */
  | { readonly is: 'gone-back'; readonly words: string }
  /** The stack runs nothing that the cloud watches, or the cloud may not be asked. */
  | { readonly is: 'unknown'; readonly words: string }

/** So many good answers in a row are health: one alone may come from the version before, which is about to be stopped. */
export const inARow = 5

/** What `health:` says: `/healthz`, or a map. Its form was checked by the schema of the file. */
export function readHealth(data: Data | undefined): HealthCheck | undefined {
  if (typeof data === 'string') return { ...usual, path: data }
  if (!isMap(data)) return undefined
  const { path, status, within, from } = data
  return {
    path: typeof path === 'string' ? path : usual.path,
    status: typeof status === 'number' ? status : usual.status,
    within: (typeof within === 'string' ? durationSeconds(within) : undefined) ?? usual.within,
    from: from === 'cloud' ? 'cloud' : 'runner',
  }
}

/** What is asked of a unit after its deployment: what its stage says, or else its service. */
export function healthCheckOf({ kind, service, stage }: Unit): HealthCheck | undefined {
  if (kind !== 'instance' || service === undefined) return undefined
  return service.spec.stages.get(stage?.name ?? '')?.health ?? service.spec.health
}

const usual: HealthCheck = { path: '/', status: 200, within: 300, from: 'runner' }

export const healthSchema: DataMap = {
  description:
    'The path that answers when the service is healthy, or more than that. After a deployment it is asked until it does; a stage that is not healthy in its time goes back to what ran before.',
  type: ['string', 'object'],
  pattern: '^/[!-~]*$',
  maxLength: 500,
  'x-protium-expected': 'A path such as /healthz, or a map with path, status, within and from.',
  additionalProperties: false,
  properties: {
    path: {
      type: 'string',
      pattern: '^/[!-~]*$',
      maxLength: 500,
      description: 'The path that is asked for.',
      'x-protium-expected': 'A path that begins with a slash, such as /healthz.',
    },
    status: {
      type: 'integer',
      minimum: 100,
      maximum: 599,
      description: 'The status of a good answer; 200 without a word.',
      'x-protium-expected': 'A status of HTTP, from 100 to 599.',
    },
    within: {
      type: 'string',
      pattern: '^[1-9][0-9]{0,6}(s|m|h|d)$',
      description: 'How long it may take until it is healthy; 5m without a word.',
      'x-protium-expected': 'A duration such as 90s or 5m.',
    },
    from: {
      enum: ['runner', 'cloud'],
      description:
        'Who asks: the runner over the internet, or the cloud by the checks of its load balancer or the steady state of the service.',
      'x-protium-expected': '`runner` or `cloud`.',
    },
  },
}

/** What to do after these answers, at a moment in milliseconds. The pause between two questions grows from one second to ten. */
export function nextStep(check: HealthCheck, { answers, since }: Asked, now: number): HealthStep {
  const isGood = (answer: Answer): boolean => answer.is === 'answered' && answer.status === check.status
  const last = answers.at(-1)
  const good = answers.length - (answers.findLastIndex((answer) => !isGood(answer)) + 1)
  if (last !== undefined && good >= inARow) {
    const slowest = Math.max(...answers.slice(-inARow).map(({ took }) => took))
    return { is: 'healthy', words: `${check.status} in ${Math.round(slowest)} ms, ${inARow} of ${inARow} checks` }
  }
  const left = since + check.within * 1000 - now
  if (left <= 0)
    return {
      is: 'unhealthy',
      words: unhealthyWords(check, answers),
      ...(last !== undefined && { last }),
    }
  const pause = last === undefined ? 0 : isGood(last) ? 1000 : Math.min(10_000, 1000 * 1.3 ** (answers.length - good))
  return { is: 'wait', milliseconds: Math.min(pause, left) }
}

/** What one answer of a rehearsal means: it stays the same, however often it is asked for. */
export function rehearsed(check: HealthCheck, answer: Answer): HealthStep {
  if (answer.is === 'answered' && answer.status === check.status)
    return { is: 'healthy', words: `${check.status}, rehearsed` }
  return {
    is: 'unhealthy',
    words: `${check.path} ${saidOf(check, answer)}; ${check.status} was expected`,
    last: answer,
  }
}

/**
 * The types whose health the cloud watches: the targets of load balancers, services of ECS and functions of Lambda. What is in a nested stack
 * or is made by a macro cannot be seen in a template.
 */
const watched = new Set([
  'AWS::ECS::Service',
  'AWS::ElasticLoadBalancingV2::TargetGroup',
  'AWS::Lambda::Function',
  'AWS::CloudFormation::Stack',
])

/** That `from: cloud` would never find a service healthy, because its template makes nothing that the cloud watches. */
export function checkWatched(
  check: HealthCheck | undefined,
  { body, unit, at }: { readonly body: DataMap; readonly unit: string; readonly at: Place },
): readonly Problem[] {
  if (check?.from !== 'cloud' || body['Transform'] !== undefined) return []
  const resources = body['Resources']
  const types = isMap(resources) ? Object.values(resources).map((each) => (isMap(each) ? each['Type'] : undefined)) : []
  if (types.some((type) => typeof type === 'string' && watched.has(type))) return []
  return [
    {
      code: 'health-unwatched',
      severity: 'error',
      message: `${unit} is to be found healthy by the cloud, but its template makes nothing that the cloud watches.`,
      expected: 'A service of ECS, a function of Lambda, or a target group of a load balancer.',
      remedy: 'Let the runner ask an address: `health: /healthz`.',
      at,
    },
  ]
}

/** Milliseconds between two questions to the cloud, which looks at its targets about as often. */
const lookEvery = 5000

/** The same by what the cloud said last, or nothing if it was not asked yet. */
export function nextLook(
  { within }: HealthCheck,
  { said, since }: { readonly said: CloudHealth | undefined; readonly since: number },
  now: number,
): HealthStep {
  if (said === undefined) return { is: 'wait', milliseconds: 0 }
  if (said.is === 'healthy') return { is: 'healthy', words: said.words }
  if (said.is === 'unknown') return { is: 'unknown', words: said.words }
  if (said.is === 'gone-back') return { is: 'unhealthy', words: said.words }
  const left = since + within * 1000 - now
  if (left > 0) return { is: 'wait', milliseconds: Math.min(lookEvery, left) }
  return { is: 'unhealthy', words: `${said.words}; it was waited for ${within} s` }
}

function unhealthyWords({ path, status, within }: HealthCheck, answers: readonly Answer[]): string {
  const last = answers.at(-1)
  const said = saidOf({ status }, last)
  return `${path} ${said}; ${status} was expected within ${within} s, and it was asked ${answers.length} times`
}

function saidOf({ status }: Pick<HealthCheck, 'status'>, last: Answer | undefined): string {
  if (last === undefined) return 'was not asked once'
  if (last.is === 'failed') return failureWords[last.why]
  return last.status === status
    ? `answered ${last.status}, but not ${inARow} times in a row`
    : `answered ${last.status}`
}

const failureWords = {
  timeout: 'gave no answer in time',
  refused: 'refused the connection',
  unresolved: 'has a name that DNS does not know',
  certificate: 'has a certificate that is not trusted',
  other: 'could not be reached',
} as const
