import type { Deployment, Service, Task, TaskDefinition } from '@aws-sdk/client-ecs'
import {
  DescribeServicesCommand,
  DescribeTaskDefinitionCommand,
  DescribeTasksCommand,
  ECSClient,
  ListTasksCommand,
} from '@aws-sdk/client-ecs'

import type { Asking } from './asking.ts'

/** A service in its cluster, as its ARN names both. */
export type ServicePlace = { readonly cluster: string | undefined; readonly service: string; readonly name: string }

export type { Deployment, Service, Task }
export type Ecs = Awaited<ReturnType<typeof ecsOf>>

/** `arn:aws:ecs:eu-west-1:123456789012:service/shop/cart`; old ones do not name their cluster, which is the default one then. */
export function placeOf(arn: string): ServicePlace {
  const [, ...path] = (arn.split(':').at(-1) ?? '').split('/')
  const name = path.at(-1) ?? arn
  return { cluster: path.length > 1 ? path[0] : undefined, service: arn, name }
}

/** What is asked of ECS. https://docs.aws.amazon.com/AmazonECS/latest/APIReference/ */
export async function ecsOf({ options, ask }: Asking) {
  const client = new ECSClient(await options())
  return {
    /** Services of one cluster, ten at most. */
    services: async (cluster: string | undefined, services: readonly string[]): Promise<readonly Service[]> => {
      const found = await ask('ecs:DescribeServices', async (at) =>
        client.send(new DescribeServicesCommand({ cluster, services: [...services] }), at),
      )
      return found.services ?? []
    },
    /** Tasks of a service, a hundred at most; ECS keeps stopped ones for an hour or so. */
    tasks: async ({ cluster, name }: ServicePlace, desiredStatus: 'RUNNING' | 'STOPPED'): Promise<readonly Task[]> => {
      const { taskArns: tasks = [] } = await ask('ecs:ListTasks', async (at) =>
        client.send(new ListTasksCommand({ cluster, serviceName: name, desiredStatus }), at),
      )
      if (tasks.length === 0) return []
      const found = await ask('ecs:DescribeTasks', async (at) =>
        client.send(new DescribeTasksCommand({ cluster, tasks }), at),
      )
      return found.tasks ?? []
    },
    taskDefinition: async (arn: string): Promise<TaskDefinition | undefined> => {
      const found = await ask('ecs:DescribeTaskDefinition', async (at) =>
        client.send(new DescribeTaskDefinitionCommand({ taskDefinition: arn }), at),
      )
      return found.taskDefinition
    },
    [Symbol.dispose]: () => client.destroy(),
  }
}
