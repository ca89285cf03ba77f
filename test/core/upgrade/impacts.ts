import type { Loss, StageImpact } from '../../../src/core/impact/model.ts'
import type { Change } from '../../../src/core/stack/diff.ts'

export function changeOf(given: Partial<Change> = {}): Change {
  return {
    logicalId: 'Listener',
    type: 'AWS::ElasticLoadBalancingV2::Listener',
    action: 'update',
    properties: [{ path: 'SslPolicy', before: 'sha256:1', after: 'sha256:2' }],
    because: ['SslPolicy'],
    retained: false,
    ...given,
  }
}

export function stageOf(given: Partial<StageImpact> = {}): StageImpact {
  return {
    unit: `checkout/${given.stage ?? 'dev'}`,
    kind: 'instance',
    stage: 'dev',
    is: 'changed',
    changes: [changeOf()],
    losses: [],
    outputs: [],
    broken: [],
    ...given,
  }
}

export function lossOf(given: Partial<Loss> = {}): Loss {
  return {
    logicalId: 'Orders',
    type: 'AWS::DynamoDB::Table',
    happens: 'replaced',
    because: ['KeySchema'],
    retained: false,
    holds: 'the items of a table',
    ...given,
  }
}
