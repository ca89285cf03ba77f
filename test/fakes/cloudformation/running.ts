import type { Data, DataMap } from '../../../src/core/data.ts'
import { isList, isMap } from '../../../src/core/data.ts'
import { structuresAt, text, textAt, textsAt } from './input.ts'
import type { Members, ServiceName, Value } from './model.ts'
import { ApiError, type LiveResource, type Stack } from './state.ts'

/**
 * What the resources of stacks do, as ECS, Lambda, the load balancers, CloudWatch Logs and CloudTrail tell it. Who says nothing gets
 * what is well. A resource is named by its physical id or as `stack/LogicalId`; its state is in the words of the service's own API.
 */
export type Running = {
  /** Of ECS: `deployments` and `events` of the service, and its tasks. */
  readonly services?: Readonly<Record<string, Members & { readonly tasks?: readonly Members[] }>>
  /** What GetFunctionConfiguration tells besides the name. */
  readonly functions?: Readonly<Record<string, Members>>
  /** What DescribeTargetHealth tells of each target. */
  readonly targets?: Readonly<Record<string, readonly Members[]>>
  /** Messages by `group stream`, oldest first. */
  readonly logs?: Readonly<Record<string, readonly string[]>>
  /** Events of CloudTrail with the names of their resources. */
  readonly trail?: readonly (Members & { readonly names: readonly string[] })[]
}

type Asked = {
  readonly service: ServiceName
  readonly action: string
  readonly input: Members
  readonly account: string
  readonly region: string
}

export type Runners = {
  /** Says how something is from now on. */
  set(running: Running): void
  answer(asked: Asked): Members
}

type Own = { readonly stack: Stack; readonly resource: LiveResource }

export function newRunners(stacks: () => readonly Stack[], now: () => Date): Runners {
  let said: Required<Running> = { services: {}, functions: {}, targets: {}, logs: {}, trail: [] }

  /** The resource of a stack that has a name. */
  function ownOf(type: string, id: string): Own | undefined {
    for (const stack of stacks())
      for (const resource of stack.resources.values())
        if (resource.type === type && isCalled(resource, id)) return { stack, resource }
    return undefined
  }

  /** The state that was told of a resource; the one that is well where none was. */
  function stateOf<T>(of: Readonly<Record<string, T>>, id: string, own: Own | undefined): T | undefined {
    return of[id] ?? (own === undefined ? undefined : of[`${own.stack.name}/${own.resource.logicalId}`])
  }

  function serviceOf(arn: string): { readonly arn: string; readonly own: Own | undefined; readonly state: Members } {
    const own = ownOf('AWS::ECS::Service', arn)
    const state = stateOf(said.services, arn, own)
    if (own === undefined && state === undefined) throw new ApiError('ServiceNotFoundException', 'Service not found.')
    return { arn: own?.resource.physicalId ?? arn, own, state: state ?? {} }
  }

  function describedService(arn: string): Members {
    const { arn: serviceArn, own, state } = serviceOf(arn)
    const { tasks: _tasks, ...told } = state
    const properties = own?.resource.properties ?? {}
    const [cluster = 'default', name = ''] = serviceArn.split('service/').at(-1)?.split('/') ?? []
    const desired = numberOf(properties['DesiredCount']) ?? 1
    const taskDefinition =
      stringOf(properties['TaskDefinition']) ?? `${serviceArn.split(':service/')[0]}:task-definition/none:1`
    const balancers = isList(properties['LoadBalancers']) ? properties['LoadBalancers'] : []
    return {
      serviceArn,
      serviceName: name,
      clusterArn: serviceArn.replace(/:service\/.*/u, `:cluster/${cluster}`),
      status: 'ACTIVE',
      taskDefinition,
      desiredCount: desired,
      runningCount: desired,
      pendingCount: 0,
      loadBalancers: balancers.flatMap((each) =>
        isMap(each) && typeof each['TargetGroupArn'] === 'string' ? [{ targetGroupArn: each['TargetGroupArn'] }] : [],
      ),
      deployments: [
        {
          id: 'ecs-svc/1',
          status: 'PRIMARY',
          taskDefinition,
          desiredCount: desired,
          runningCount: desired,
          pendingCount: 0,
          failedTasks: 0,
          createdAt: now(),
          rolloutState: 'COMPLETED',
          rolloutStateReason: 'ECS deployment ecs-svc/1 completed.',
        },
      ],
      events: [],
      ...told,
    }
  }

  function tasksOf(arn: string): readonly Members[] {
    return structuresAt(serviceOf(arn).state, 'tasks') ?? []
  }

  const ecs: Readonly<Record<string, (input: Members) => Members>> = {
    DescribeServices: (input) => {
      const found: Members[] = []
      const failures: Members[] = []
      for (const arn of textsAt(input, 'services') ?? [])
        try {
          found.push(describedService(arn))
        } catch {
          failures.push({ arn, reason: 'MISSING' })
        }
      return { services: found, failures }
    },
    ListTasks: (input) => {
      const wanted = textAt(input, 'desiredStatus') ?? 'RUNNING'
      const tasks = tasksOf(text(input, 'serviceName'))
      return {
        taskArns: tasks.filter((task) => textAt(task, 'desiredStatus') === wanted).map((task) => text(task, 'taskArn')),
      }
    },
    DescribeTasks: (input) => {
      const wanted = textsAt(input, 'tasks') ?? []
      const all = Object.values(said.services).flatMap((service) => service.tasks ?? [])
      return { tasks: all.filter((task) => wanted.includes(text(task, 'taskArn'))), failures: [] }
    },
    DescribeTaskDefinition: (input) => {
      const arn = text(input, 'taskDefinition')
      const own = ownOf('AWS::ECS::TaskDefinition', arn)
      if (own === undefined) throw new ApiError('ClientException', 'Unable to describe task definition.')
      const containers = own.resource.properties['ContainerDefinitions']
      return {
        taskDefinition: {
          taskDefinitionArn: arn,
          containerDefinitions: isList(containers) ? containers.flatMap(containerOf) : [],
        },
      }
    },
  }

  function functionOf(name: string): Members {
    const own = ownOf('AWS::Lambda::Function', name)
    const state = stateOf(said.functions, name, own)
    if (own === undefined && state === undefined)
      throw new ApiError('ResourceNotFoundException', `Function not found: ${name}`)
    return { FunctionName: own?.resource.physicalId ?? name, State: 'Active', LastUpdateStatus: 'Successful', ...state }
  }

  function targetsOf(group: string): Members {
    const own = ownOf('AWS::ElasticLoadBalancingV2::TargetGroup', group)
    const state = stateOf(said.targets, group, own)
    if (own === undefined && state === undefined)
      throw new ApiError('TargetGroupNotFoundException', `Target groups '${group}' not found`)
    return {
      TargetHealthDescriptions: state ?? [
        { Target: { Id: '10.0.0.1', Port: 80 }, HealthCheckPort: '80', TargetHealth: { State: 'healthy' } },
      ],
    }
  }

  const logs: Readonly<Record<string, (input: Members) => Members>> = {
    GetLogEvents: (input) => {
      const messages = said.logs[`${text(input, 'logGroupName')} ${text(input, 'logStreamName')}`]
      if (messages === undefined)
        throw new ApiError('ResourceNotFoundException', 'The specified log stream does not exist.')
      const limit = typeof input['limit'] === 'number' ? input['limit'] : 10_000
      const timestamp = now().getTime()
      return {
        events: messages.slice(-limit).map((message) => ({ message, timestamp, ingestionTime: timestamp })),
        nextForwardToken: 'f/1',
        nextBackwardToken: 'b/1',
      }
    },
    DescribeLogStreams: (input) => {
      const group = text(input, 'logGroupName')
      const own = Object.keys(said.logs).filter((name) => name.startsWith(`${group} `))
      if (own.length === 0) throw new ApiError('ResourceNotFoundException', 'The specified log group does not exist.')
      const limit = typeof input['limit'] === 'number' ? input['limit'] : 50
      const newest = own.toReversed().slice(0, limit)
      return { logStreams: newest.map((name) => ({ logStreamName: name.slice(group.length + 1) })) }
    },
  }

  function lookedUp(input: Members): Members {
    const [attribute] = structuresAt(input, 'LookupAttributes') ?? []
    const name = attribute === undefined ? undefined : textAt(attribute, 'AttributeValue')
    const found = said.trail.filter(({ names }) => name === undefined || names.includes(name))
    return { Events: found.map(({ names: _names, ...event }) => event) }
  }

  return {
    set: (running) => {
      said = {
        services: { ...said.services, ...running.services },
        functions: { ...said.functions, ...running.functions },
        targets: { ...said.targets, ...running.targets },
        logs: { ...said.logs, ...running.logs },
        trail: [...(running.trail ?? []), ...said.trail],
      }
    },
    answer: ({ service, action, input }) => {
      if (service === 'ecs') return answered(ecs, action, input)
      if (service === 'logs') return answered(logs, action, input)
      if (service === 'lambda') return functionOf(text(input, 'FunctionName'))
      if (service === 'elasticloadbalancing') return targetsOf(text(input, 'TargetGroupArn'))
      return lookedUp(input)
    },
  }
}

function answered(of: Readonly<Record<string, (input: Members) => Members>>, action: string, input: Members): Members {
  const answer = of[action]
  if (answer === undefined) throw new Error(`Nothing answers ${action}`)
  return answer(input)
}

/** Services and functions may be asked for by their names alone. */
function isCalled({ physicalId = '' }: LiveResource, id: string): boolean {
  return physicalId === id || physicalId.split('/').at(-1) === id || id.split(':')[6] === physicalId
}

/** A container of a template in the words of the API. */
function containerOf(container: Data): readonly Members[] {
  if (!isMap(container)) return []
  const name = stringOf(container['Name'])
  const log = container['LogConfiguration']
  const options = isMap(log) && isMap(log['Options']) ? log['Options'] : {}
  return [
    {
      ...(name !== undefined && { name }),
      ...(isMap(log) && {
        logConfiguration: { logDriver: stringOf(log['LogDriver']) ?? '', options: textsOf(options) },
      }),
    },
  ]
}

function textsOf(map: DataMap): Members {
  return Object.fromEntries(
    Object.entries(map).flatMap(([key, value]): [string, Value][] => (typeof value === 'string' ? [[key, value]] : [])),
  )
}

function stringOf(value: Data | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined
}

function numberOf(value: Data | undefined): number | undefined {
  return typeof value === 'number' ? value : typeof value === 'string' && value !== '' ? Number(value) : undefined
}
