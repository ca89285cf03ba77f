import {
  circuitOf,
  denialsIn,
  eventsOf,
  failingDeployment,
  logTail,
  stoppedTasks,
  targetsOf,
} from '../../core/cause/found.ts'
import { redact } from '../../core/cause/redact.ts'
import type { Found } from '../../core/cause/suspects.ts'
import type { FailingResource, StackResource } from '../../ports.ts'
import type { Asking, Running } from './asking.ts'
import { askingOf, Unseen, whyUnseen } from './asking.ts'
import type { Ecs, Service, ServicePlace, Task } from './ecs.ts'

/** Milliseconds that all of it may take: what is told of a failure shall be told within ten seconds. */
const longest = 8000

/** Of what nobody has named as failing, so many are looked at. */
const most = 3

/**
 * What the cloud shows of why something fails: the tasks of a service of ECS, the state of a function, the targets of a load
 * balancer, the log. It is looked for at once and all at the same time, since a rollback takes it away; what is not there in
 * eight seconds, or may not be looked at, is said to be missing. Never throws, except for a mistake of ours.
 */
export async function evidenceOf(running: Running, failing: FailingResource): Promise<Found> {
  await load(failing)
  const over = new AbortController()
  const signal = running.signal === undefined ? over.signal : AbortSignal.any([running.signal, over.signal])
  const looks = new Looks(signal)
  const asking = askingOf(running, { attempts: 2, signal })
  const work = looks.at('What the stack runs', async () => lookAt({ running, failing, asking, looks }))
  try {
    await Promise.race([work, untilOver(running, signal)])
  } finally {
    over.abort()
  }
  return looks.taken()
}

/** Loads what will be needed, so that its time is that of the questions. */
async function load({ type }: FailingResource): Promise<void> {
  const isService = type === service
  await Promise.all([
    import('./logs.ts'),
    ...(isService || type === undefined ? [import('./ecs.ts'), import('./balancer.ts')] : []),
    ...(isService ? [] : [import('./lambda.ts')]),
  ])
}

async function untilOver({ clock }: Running, signal: AbortSignal): Promise<void> {
  try {
    await clock.sleep(longest, signal)
  } catch {
    // It is over before.
  }
}

/** What has been found so far, and what is still being looked at. */
class Looks {
  readonly #found: Found[] = []
  readonly #unseen: string[] = []
  readonly #open = new Set<string>()
  readonly #signal: AbortSignal

  constructor(signal: AbortSignal) {
    this.#signal = signal
  }

  /** Looks at something; whatever keeps it from being seen is noted, and nothing else is kept by that. */
  async at(what: string, look: () => Promise<void>): Promise<void> {
    this.#open.add(what)
    try {
      await look()
    } catch (error) {
      // Nobody waits for it any more.
      if (this.#signal.aborted) return
      const why = whyUnseen(error)
      if (why === undefined) throw error
      this.#unseen.push(`${what} could not be looked at: ${why}.`)
    } finally {
      this.#open.delete(what)
    }
  }

  add(found: Found): void {
    this.#found.push(found)
  }

  /** What is found by now; what comes later changes nothing of it. */
  taken(): Found {
    const late = [...this.#open].filter((what) => what !== 'What the stack runs' || this.#open.size === 1)
    const unseen = [
      ...this.#unseen,
      ...late.map((what) => `${what} could not be looked at: no answer within ${longest / 1000} seconds.`),
    ]
    const all = <T>(of: (found: Found) => readonly T[] | undefined): readonly T[] | undefined => {
      const parts = this.#found.flatMap((found) => of(found) ?? [])
      return parts.length > 0 || this.#found.some((found) => of(found) !== undefined) ? parts : undefined
    }
    const [tasks, targets, functions] = [
      all(({ tasks }) => tasks),
      all(({ targets }) => targets),
      all(({ functions }) => functions),
    ]
    const [log, denials, events] = [all(({ log }) => log), all(({ denials }) => denials), all(({ events }) => events)]
    const circuit = this.#found.find((each) => each.circuit !== undefined)?.circuit
    return {
      ...(tasks && { tasks }),
      ...(targets && { targets: targetsOf(targets) }),
      ...(functions && { functions }),
      ...(log && { log }),
      ...(denials && { denials }),
      ...(events && { events: eventsOf(events) }),
      ...(circuit !== undefined && { circuit: redact(circuit) }),
      ...(unseen.length > 0 && { unseen: [...new Set(unseen)] }),
    }
  }
}

type Looking = {
  readonly running: Running
  readonly failing: FailingResource
  readonly asking: Asking
  readonly looks: Looks
}

const service = 'AWS::ECS::Service'
const functions = new Set(['AWS::Lambda::Function', 'AWS::Lambda::Version', 'AWS::Lambda::Alias'])
const group = 'AWS::ElasticLoadBalancingV2::TargetGroup'

/** Whether anything can be seen of what fails; if not, nothing is asked and nothing is loaded. */
export function isSeen({ type }: FailingResource): boolean {
  return type === undefined || type === service || functions.has(type) || isCustom(type)
}

function isCustom(type: string): boolean {
  return type.startsWith('Custom::') || type === 'AWS::CloudFormation::CustomResource'
}

async function lookAt(looking: Looking): Promise<void> {
  const { running, failing, asking, looks } = looking
  const { logicalId, type } = failing
  const all = await running.resources()
  if (type !== undefined && isCustom(type)) return ofCustom(looking, all)
  const own = all.filter((each) => (type === undefined ? true : each.logicalId === logicalId))
  if (own.length === 0) throw new Unseen(`CloudFormation does not say what ${logicalId ?? 'it'} is called`)
  const of = (wanted: (type: string) => boolean): readonly StackResource[] =>
    own.filter((each) => wanted(each.type)).slice(0, most)
  const services = of((each) => each === service)
  const groups = type === undefined && services.length === 0 ? of((each) => each === group) : []
  await Promise.all([
    ...services.map(async ({ physicalId }) => ofService(looking, physicalId)),
    ...of((each) => functions.has(each)).map(async ({ physicalId }) => ofFunction(looking, { name: physicalId })),
    ofTargets({ asking, looks }, { groups: groups.map(({ physicalId }) => physicalId), addresses: undefined }),
  ])
}

async function ofService({ asking, looks }: Looking, arn: string): Promise<void> {
  const { ecsOf, placeOf } = await import('./ecs.ts')
  using ecs = await ecsOf(asking)
  const place = placeOf(arn)
  let seen: Service | undefined
  let stopped: readonly Task[] = []
  let alive: readonly Task[] = []
  await Promise.all([
    looks.at(`The service ${place.name}`, async () => {
      seen = (await ecs.services(place.cluster, [place.service]))[0]
    }),
    looks.at(`The ended tasks of ${place.name}`, async () => {
      stopped = await ecs.tasks(place, 'STOPPED')
      looks.add({ tasks: [] })
    }),
    looks.at(`The running tasks of ${place.name}`, async () => {
      alive = await ecs.tasks(place, 'RUNNING')
    }),
  ])
  const deployments = seen?.deployments ?? []
  const failing = failingDeployment(deployments)
  const isOfIt = ({ startedBy }: Task): boolean => startedBy === failing?.id
  // Tasks of other deployments say nothing of this one; where none is known to be of it, all are looked at.
  const isKnown = [...stopped, ...alive].some(isOfIt)
  const own = (tasks: readonly Task[]): readonly Task[] => (isKnown ? tasks.filter(isOfIt) : tasks)
  const circuit = circuitOf(deployments)
  const events = seen?.events?.flatMap(({ message }) => (message === undefined ? [] : [message]))
  looks.add({
    ...(stopped.length > 0 && { tasks: stoppedTasks(own(stopped)) }),
    ...(events !== undefined && { events }),
    ...(circuit !== undefined && { circuit }),
  })
  const task = telling(own(stopped)) ?? own(alive)[0] ?? own(stopped)[0]
  const groups = seen?.loadBalancers?.flatMap(({ targetGroupArn }) => targetGroupArn ?? []) ?? []
  await Promise.all([
    task === undefined ? undefined : ofTaskLog({ asking, looks, ecs, place }, task),
    ofTargets({ asking, looks }, { groups, addresses: new Set([...own(alive), ...own(stopped)].flatMap(addressesOf)) }),
  ])
}

/** The task whose log tells most: the last of which a container ended by itself. */
function telling(tasks: readonly Task[]): Task | undefined {
  return tasks
    .toSorted((a, b) => (b.stoppedAt?.getTime() ?? 0) - (a.stoppedAt?.getTime() ?? 0))
    .find(({ containers = [] }) => containers.some(({ exitCode }) => exitCode !== undefined && exitCode !== 0))
}

function addressesOf({ containers = [], attachments = [] }: Task): readonly string[] {
  return [
    ...containers.flatMap(({ networkInterfaces = [] }) =>
      networkInterfaces.flatMap(({ privateIpv4Address: address }) => address ?? []),
    ),
    ...attachments.flatMap(({ details = [] }) =>
      details.flatMap(({ name, value }) => (name === 'privateIPv4Address' ? (value ?? []) : [])),
    ),
  ]
}

/**
 * Where the containers of a task write their logs stands in its definition.
 * https://docs.aws.amazon.com/AmazonECS/latest/developerguide/specify-log-config.html
 */
async function ofTaskLog(
  {
    asking,
    looks,
    ecs,
    place,
  }: Pick<Looking, 'asking' | 'looks'> & {
    readonly ecs: Ecs
    readonly place: ServicePlace
  },
  { taskArn = '', taskDefinitionArn = '', containers = [] }: Task,
): Promise<void> {
  await looks.at(`The log of ${place.name}`, async () => {
    const definition = await ecs.taskDefinition(taskDefinitionArn)
    const ended = containers.find(({ exitCode }) => exitCode !== undefined && exitCode !== 0)?.name
    const defined = definition?.containerDefinitions ?? []
    const chosen =
      defined.find(({ name }) => name === ended) ??
      defined.find(({ logConfiguration }) => logConfiguration?.logDriver === 'awslogs') ??
      defined[0]
    const { logDriver = 'no driver', options = {} } = chosen?.logConfiguration ?? {}
    const { 'awslogs-group': logGroup, 'awslogs-stream-prefix': prefix, 'awslogs-region': region } = options
    if (logDriver !== 'awslogs' || logGroup === undefined || prefix === undefined)
      throw new Unseen(
        `${chosen?.name ?? 'the task'} does not write it to a stream of CloudWatch that is known (${logDriver})`,
      )
    const { logsOf } = await import('./logs.ts')
    using logs = await logsOf(asking, region)
    noteLog(looks, await logs.tail(logGroup, `${prefix}/${chosen?.name ?? ''}/${taskArn.split('/').at(-1) ?? ''}`))
  })
}

function noteLog(looks: Looks, messages: readonly string[]): void {
  const log = logTail(messages)
  looks.add({ log, denials: denialsIn(log) })
}

/** A target that is healthy proves nothing of a version that it does not run; with `addresses` it has to be one of these. */
async function ofTargets(
  { asking, looks }: Pick<Looking, 'asking' | 'looks'>,
  { groups, addresses }: { readonly groups: readonly string[]; readonly addresses: ReadonlySet<string> | undefined },
): Promise<void> {
  if (groups.length === 0) return
  await looks.at('The targets of the load balancer', async () => {
    const { balancerOf } = await import('./balancer.ts')
    using balancer = await balancerOf(asking)
    const found = await Promise.all(groups.slice(0, most).map(async (each) => balancer.targets(each)))
    const targets = found
      .flat()
      .filter(({ state, id }) => state !== 'healthy' || addresses === undefined || addresses.has(id))
      .map(({ state, code, reason }) => ({
        state,
        ...(code !== undefined && { code }),
        ...(reason !== undefined && { reason }),
      }))
    looks.add({ targets })
  })
}

async function ofFunction(
  { asking, looks }: Pick<Looking, 'asking' | 'looks'>,
  { name, stream }: { readonly name: string; readonly stream?: string | undefined },
): Promise<void> {
  const short = nameOf(name)
  let group: string | undefined
  await looks.at(`The function ${short}`, async () => {
    const { lambdaOf, stateOf } = await import('./lambda.ts')
    using lambda = await lambdaOf(asking)
    const found = await lambda.function(name)
    group = found.LoggingConfig?.LogGroup
    const { reason, ...state } = stateOf(short, found)
    looks.add({ functions: [{ ...state, ...(reason !== undefined && { reason: redact(reason) }) }] })
  })
  await looks.at(`The log of ${short}`, async () => {
    const { logsOf } = await import('./logs.ts')
    using logs = await logsOf(asking)
    const of = group ?? `/aws/lambda/${short}`
    noteLog(looks, await (stream === undefined ? logs.newestTail(of) : logs.tail(of, stream)))
  })
}

/** `arn:aws:lambda:eu-west-1:123456789012:function:cart:3` as `cart`. */
function nameOf(name: string): string {
  return name.startsWith('arn:') ? (name.split(':')[6] ?? name) : name
}

/**
 * A custom resource is a function that CloudFormation calls. Its failure names the stream of the log, if the function does as AWS's
 * own examples do.
 */
async function ofCustom(looking: Looking, all: readonly StackResource[]): Promise<void> {
  const { handler, logicalId = '', reason = '' } = looking.failing
  if (handler === undefined) throw new Unseen(`it is not known which function makes ${logicalId}`)
  const within = logicalId.includes('/') ? `${logicalId.slice(0, logicalId.lastIndexOf('/'))}/` : ''
  const name = handler.startsWith('arn:')
    ? handler
    : all.find((each) => each.logicalId === `${within}${handler}`)?.physicalId
  if (name === undefined) throw new Unseen(`CloudFormation does not say what ${handler} is called`)
  // A topic may be asked to make it as well, and who listens there is not known.
  if (name.startsWith('arn:') && name.split(':')[2] !== 'lambda')
    throw new Unseen(`${logicalId} is not made by a function`)
  const stream = /CloudWatch Log Stream: (\S+)/u.exec(reason)?.[1]
  await ofFunction(looking, { name, stream })
}
