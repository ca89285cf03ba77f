import { DescribeTargetHealthCommand, ElasticLoadBalancingV2Client } from '@aws-sdk/client-elastic-load-balancing-v2'

import type { TargetHealth } from '../../core/cause/suspects.ts'
import type { Asking } from './asking.ts'

/** What is asked of the load balancers: https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeTargetHealth.html */
export async function balancerOf({ options, ask }: Asking) {
  const client = new ElasticLoadBalancingV2Client(await options())
  return {
    /** The targets of a group by its ARN, each with the address or id that it is registered by. */
    targets: async (group: string): Promise<readonly (TargetHealth & { readonly id: string })[]> => {
      const { TargetHealthDescriptions: found = [] } = await ask(
        'elasticloadbalancing:DescribeTargetHealth',
        async (at) => client.send(new DescribeTargetHealthCommand({ TargetGroupArn: group }), at),
      )
      return found.map(({ Target: target, TargetHealth: health }) => ({
        id: target?.Id ?? '',
        state: health?.State ?? 'unavailable',
        ...(health?.Reason !== undefined && { code: health.Reason }),
        ...(health?.Description !== undefined && { reason: health.Description }),
      }))
    },
    [Symbol.dispose]: () => client.destroy(),
  }
}
