import { describe, expect, test } from 'vitest'

import type { Change, Review, RunApproval } from '../../../src/core/gates/approval.ts'
import { voicesOf } from '../../../src/core/gates/approval.ts'

const head = 'b'.repeat(40)
const change: Change = { head, author: 'ben', committers: ['ben', 'Carl'] }

function review(by: string, is: Review['is'], more: Partial<Review> = {}): Review {
  return { by, is, commit: head, at: '2026-11-25T12:00:00Z', ...more }
}

function heard({ reviews = [], approvals = [], of = change }: Heard) {
  const { approving, refusing, not } = voicesOf({ stage: 'prod', change: of, approvals, reviews })
  return { approving: approving.map(({ by, how }) => `${by} ${how}`), refusing: refusing.map(({ by }) => by), not }
}

type Heard = {
  readonly reviews?: readonly Review[]
  readonly approvals?: readonly RunApproval[]
  readonly of?: Change
}

describe('the word of a reviewer counts', () => {
  test('where it is of the last commit, and he has made none', () => {
    expect(heard({ reviews: [review('ada', 'approved')] })).toEqual({
      approving: ['ada review'],
      refusing: [],
      not: [],
    })
  })

  test('as the last one that he said, whatever he remarks after it', () => {
    const reviews = [review('ada', 'refused'), review('ada', 'approved'), review('Ada', 'commented')]
    expect(heard({ reviews }).approving).toEqual(['ada review'])
    expect(heard({ reviews: [...reviews, review('ADA', 'refused')] })).toEqual({
      approving: [],
      refusing: ['ADA'],
      not: [],
    })
  })
})

describe('the word of a reviewer does not count', () => {
  test.each<[string, Heard, string]>([
    [
      'from before the last push',
      { reviews: [review('ada', 'approved', { commit: 'a'.repeat(40) })] },
      'ada has approved aaaaaaa, and commits were pushed after that.',
    ],
    [
      'of his own pull request, however his name is written',
      { reviews: [review('BEN', 'approved')] },
      'BEN has opened the pull request, so his approval does not count.',
    ],
    [
      'of what he has made a commit of: that may be the second account of the author',
      { reviews: [review('carl', 'approved')] },
      'carl has made a commit of it, so his approval does not count.',
    ],
    ['that was dismissed', { reviews: [review('ada', 'dismissed')] }, 'The review of ada was dismissed.'],
    [
      'where it is not known who made all of the commits',
      { reviews: [review('ada', 'approved')], of: { ...change, isPartial: true } },
      'There are too many commits to know whether ada has made one, so his approval does not count.',
    ],
    [
      'as a reviewer of the environment, if it is his own change',
      { approvals: [{ by: 'ben', is: 'approved', environments: ['prod'] }] },
      'ben has opened the pull request, so his approval does not count.',
    ],
  ])('%s', (_what, given, why) => {
    expect(heard(given)).toEqual({ approving: [], refusing: [], not: [why] })
  })
})

describe('the word of a reviewer of an environment', () => {
  test('counts for that environment alone', () => {
    const approvals: RunApproval[] = [
      { by: 'ada', is: 'approved', environments: ['staging'] },
      { by: 'dora', is: 'rejected', environments: ['prod'] },
      { by: 'eve', is: 'approved', environments: ['staging', 'Prod'] },
    ]
    expect(heard({ approvals })).toEqual({ approving: ['eve environment'], refusing: [], not: [] })
  })

  test('counts where a commit came without a pull request', () => {
    const approvals: RunApproval[] = [{ by: 'ada', is: 'approved', environments: ['prod'] }]
    expect(voicesOf({ stage: 'prod', change: undefined, approvals, reviews: [] }).approving).toEqual([
      { by: 'ada', how: 'environment' },
    ])
  })
})
