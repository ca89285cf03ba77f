import { describe, expect, test } from 'vitest'
import type { Loss } from '../../../src/core/impact/model.ts'
import type { ReportedConsumer } from '../../../src/core/impact/report.ts'
import { understatedTo } from '../../../src/core/impact/words.ts'

describe('a number says too little', () => {
  const loss = (happens: Loss['happens']): Loss => ({
    logicalId: 'Logs',
    type: 'AWS::Logs::LogGroup',
    happens,
    because: [],
    retained: false,
  })
  const lists = (['deleted', 'replaced', 'perhaps replaced'] as const).map((happens) => ({
    changes: [],
    losses: [loss(happens)],
    outputs: [],
    broken: [],
  }))
  const consumer = (given: Partial<ReportedConsumer>, list: number): ReportedConsumer => ({
    consumer: 'checkout',
    kind: 'service',
    file: 'service.yaml',
    template: 'web',
    from: '1.4.2',
    to: '1.5.0',
    through: ['template'],
    is: 'replaces',
    stages: [{ unit: 'checkout/dev', is: 'replaces', list }],
    problems: [],
    migrated: [],
    ...given,
  })
  test.each<[string, Partial<ReportedConsumer>, number, boolean]>([
    ['where a resource is deleted by a version of the same major', {}, 0, true],
    ['where one is replaced', {}, 1, true],
    ['where the number was kept', { to: '1.4.2' }, 1, true],
    ['to somebody in another repository too', { repository: 'acme/checkout' }, 0, true],
    ['not where it is another major', { to: '2.0.0' }, 0, false],
    ['not where nobody knows whether one is replaced', {}, 2, false],
    ['not where it comes from an environment', { through: ['environment'] }, 0, false],
    ['not where nothing is lost', { stages: [] }, 0, false],
  ])('%s', (_, given, list, is) => {
    expect(understatedTo({ consumers: [consumer(given, list)], lists })).toHaveLength(is ? 1 : 0)
  })
})
