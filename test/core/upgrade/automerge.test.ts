import { describe, expect, test } from 'vitest'
import type { StageImpact } from '../../../src/core/impact/model.ts'
import type { Evidence } from '../../../src/core/upgrade/automerge.ts'
import { automergeFault } from '../../../src/core/upgrade/automerge.ts'
import type { Consumer } from '../../../src/core/upgrade/model.ts'
import { shardsOf } from '../../../src/core/upgrade/shards.ts'
import { changeOf, stageOf } from './impacts.ts'
import { consumerOf } from './facts.ts'

const willing = consumerOf({ wishes: { automerge: true } })
const evidence: Evidence = {
  from: '2.2.1',
  to: '2.2.2',
  impact: { is: 'changed', stages: [stageOf()] },
  inputs: 0,
  attention: false,
}

function fault({
  consumer = willing,
  automerge = 'patch',
  wave = 1,
  mayAutomerge = true,
  ...given
}: Partial<Evidence> & {
  readonly consumer?: Consumer
  readonly automerge?: 'none' | 'patch' | 'minor'
  readonly wave?: number
  readonly mayAutomerge?: boolean
}): string | undefined {
  return automergeFault(consumer, { upgrades: { automerge }, evidence: { ...evidence, ...given }, wave, mayAutomerge })
}

const stages = (given: Partial<StageImpact>): Partial<Evidence> => ({
  impact: { is: 'changed', stages: [stageOf(), stageOf(given)] },
})

describe('an upgrade is merged by itself', () => {
  test.each([
    ['where all agree', {}, undefined],
    ['with a minor one where the catalog says so', { to: '2.3.0', automerge: 'minor' as const }, undefined],
    ['not with a minor one else', { to: '2.3.0' }, 'The version makes a larger step.'],
    ['never with a major one', { to: '3.0.0', automerge: 'minor' as const }, 'The version makes a larger step.'],
    ['never on the way back', { to: '2.2.0', automerge: 'minor' as const }, 'The version makes a larger step.'],
    [
      'not where the catalog says nothing',
      { automerge: 'none' as const },
      'The catalog lets nothing be merged by itself.',
    ],
    ['not where the service does not ask for it', { consumer: consumerOf() }, 'Its file does not ask for it.'],
    [
      'not of an environment',
      { consumer: consumerOf({ kind: 'environment', wishes: { automerge: true } }) },
      'An environment is what others stand on.',
    ],
    ['not in the first wave', { wave: 0 }, 'The first wave is looked at by people.'],
    ['not where the repository has it off', { mayAutomerge: false }, 'Its repository has not switched it on.'],
    ['not where inputs change', { inputs: 1 }, 'Inputs change.'],
    ['not where files want looking at', { attention: true }, 'Generated files want looking at.'],
    [
      'not where something is replaced',
      stages({ changes: [changeOf({ action: 'replace' })] }),
      'Something is replaced or deleted.',
    ],
    [
      'not where something is deleted',
      stages({ changes: [changeOf({ action: 'delete' })] }),
      'Something is replaced or deleted.',
    ],
    [
      'not where a role changes',
      stages({ changes: [changeOf({ type: 'AWS::IAM::Role', logicalId: 'TaskRole' })] }),
      'TaskRole says who may do or reach what.',
    ],
    [
      'not where a security group does',
      stages({ changes: [changeOf({ type: 'AWS::EC2::SecurityGroupIngress', logicalId: 'Door' })] }),
      'Door says who may do or reach what.',
    ],
    [
      'not where a policy of a bucket does',
      stages({ changes: [changeOf({ type: 'AWS::S3::BucketPolicy', logicalId: 'Files' })] }),
      'Files says who may do or reach what.',
    ],
    [
      'not where it does not render',
      { impact: { is: 'does-not-render' as const, stages: [] } },
      'It does more than change what is there.',
    ],
    [
      'not where it breaks a rule',
      { impact: { is: 'breaks-policy' as const, stages: [] } },
      'It does more than change what is there.',
    ],
  ])('%s', (_, given, wanted) => {
    expect(fault(given)).toBe(wanted)
  })
})

describe('shards', () => {
  const shares = (count: number, writes = 1) =>
    Array.from({ length: count }, (_, index) => ({ repository: `acme/r${String(index).padStart(5, '0')}`, writes }))
  test('are as many as there is work for, about the same, and each repository is in one', () => {
    const parts = shardsOf(shares(480), { most: 8 })
    expect(parts).toHaveLength(8)
    expect(parts.map(({ length }) => length)).toEqual(Array.from({ length: 8 }, () => 60))
    expect(new Set(parts.flat()).size).toBe(480)
  })

  test('hold 500 repositories at the most, for a token names no more', () => {
    const parts = shardsOf(shares(10_000), { most: 8 })
    expect(Math.max(...parts.map(({ length }) => length))).toBeLessThanOrEqual(500)
    expect(parts.flat()).toHaveLength(10_000)
  })

  test('leave out who has nothing to be written, and are none where nobody has', () => {
    expect(shardsOf([...shares(3), { repository: 'acme/idle', writes: 0 }], { most: 8 })).toEqual([
      ['acme/r00000', 'acme/r00001', 'acme/r00002'],
    ])
    expect(shardsOf(shares(3, 0), { most: 8 })).toEqual([])
  })

  test('are the same for the same work, in whatever order it comes', () => {
    const all = shares(101).map((each, index) => ({ ...each, writes: 1 + (index % 3) }))
    expect(shardsOf(all.toReversed(), { most: 3 })).toEqual(shardsOf(all, { most: 3 }))
  })
})
