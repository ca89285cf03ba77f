import type { Seen, SeenService } from '../../core/cloud-health.ts'
import type { FunctionState } from '../../core/cause/suspects.ts'
import type { StackResource } from '../../ports.ts'
import type { Asking, Running } from './asking.ts'
import { askingOf, whyUnseen } from './asking.ts'
import type { Deployment, Service } from './ecs.ts'

/** Asks in a row until an answer; a moment in which the account takes no more is no proof of anything. */
const attempts = 5

/** How the services, functions and targets are that a stack runs, and what could not be looked at. Loads what it needs. */
export async function healthSeen(running: Running): Promise<Omit<Seen, 'made'>> {
  const asking = askingOf(running, { attempts, signal: running.signal })
  const resources = await running.resources()
  const of = (type: string): readonly string[] =>
    resources.filter((each: StackResource) => each.type === type).map(({ physicalId }) => physicalId)
  const [services, functions, groups] = await Promise.all([
    seen(of('AWS::ECS::Service'), async (arns) => servicesOf(asking, arns)),
    seen(of('AWS::Lambda::Function'), async (names) => functionsOf(asking, names)),
    seen(of('AWS::ElasticLoadBalancingV2::TargetGroup'), async (arns) => groupsOf(asking, arns)),
  ])
  return {
    services: services.found,
    functions: functions.found,
    groups: groups.found,
    unseen: [...services.unseen, ...functions.unseen, ...groups.unseen],
  }
}

type Look<T> = { readonly found: readonly T[]; readonly unseen: readonly string[] }

async function seen<T>(
  ids: readonly string[],
  look: (ids: readonly string[]) => Promise<readonly T[]>,
): Promise<Look<T>> {
  if (ids.length === 0) return { found: [], unseen: [] }
  try {
    return { found: await look(ids), unseen: [] }
  } catch (error) {
    const why = whyUnseen(error)
    if (why === undefined) throw error
    const names = ids.map((id) => id.split(/[/:]/u).findLast((part) => !/^[0-9a-f]{16}$/u.test(part)) ?? id)
    return { found: [], unseen: [`${names.slice(0, 3).join(', ')} could not be looked at: ${why}.`] }
  }
}

async function servicesOf(asking: Asking, arns: readonly string[]): Promise<readonly SeenService[]> {
  const { ecsOf, placeOf } = await import('./ecs.ts')
  using ecs = await ecsOf(asking)
  const clusters = Map.groupBy(arns, (arn) => placeOf(arn).cluster)
  const found: Service[] = []
  for (const [cluster, own] of clusters)
    for (let from = 0; from < own.length; from += 10)
      found.push(...(await ecs.services(cluster, own.slice(from, from + 10))))
  return arns.map((arn): SeenService => {
    const name = placeOf(arn).name
    const service = found.find((each) => each.serviceArn === arn || each.serviceName === name)
    return { name, deployments: (service?.deployments ?? []).map(deploymentOf) }
  })
}

function deploymentOf(deployment: Deployment): SeenService['deployments'][number] {
  const {
    status = '',
    taskDefinition,
    rolloutState,
    rolloutStateReason,
    runningCount = 0,
    desiredCount = 0,
  } = deployment
  return {
    status,
    ...(taskDefinition !== undefined && { taskDefinition }),
    ...(rolloutState !== undefined && { rolloutState }),
    ...(rolloutStateReason !== undefined && { rolloutStateReason }),
    running: runningCount,
    desired: desiredCount,
  }
}

async function functionsOf(asking: Asking, names: readonly string[]): Promise<readonly FunctionState[]> {
  const { lambdaOf, stateOf } = await import('./lambda.ts')
  using lambda = await lambdaOf(asking)
  return Promise.all(names.map(async (name) => stateOf(name, await lambda.function(name))))
}

async function groupsOf(asking: Asking, arns: readonly string[]): Promise<Seen['groups']> {
  const { balancerOf } = await import('./balancer.ts')
  using balancer = await balancerOf(asking)
  return Promise.all(arns.map(async (group) => ({ group, targets: await balancer.targets(group) })))
}
