import { branchOf, commitMessage, upgradeMarker } from '../../../src/core/upgrade/metadata.ts'
import type { Consumer, Facts } from '../../../src/core/upgrade/model.ts'
import type { BranchSeen, PullSeen } from '../../../src/core/upgrade/seen.ts'

export const now = new Date('2026-11-25T12:00:00Z')

export const oid = (letter: string): string => letter.repeat(40)

export const fingerprint = (letter: string): string => letter.repeat(32)

export function consumerOf(given: Partial<Consumer> = {}): Consumer {
  return {
    key: '1:service.yaml',
    kind: 'service',
    name: 'checkout',
    template: 'fargate-service',
    version: '2.2.1',
    file: 'service.yaml',
    repository: 'acme/checkout',
    properties: new Map(),
    wishes: {},
    ...given,
  }
}

const trailers = { template: 'fargate-service', from: '2.2.1', to: '2.3.0', fingerprint: fingerprint('a') }

/** The body of an offer, with ticks. */
export function bodyOf(
  given: Partial<Parameters<typeof upgradeMarker>[0]> = {},
  ticked: readonly string[] = [],
): string {
  const marker = upgradeMarker({ consumer: 'checkout', ...trailers, head: oid('b'), ...given }).markdown
  return [marker, 'Words.', ...ticked.map((box) => `- [x] words <!-- protium:box ${box} -->`)].join('\n')
}

/** A branch of ours that offers 2.3.0. */
export function branchSeen(given: Partial<BranchSeen> & { readonly to?: string } = {}): BranchSeen {
  const { to = '2.3.0', ...rest } = given
  return {
    name: branchOf(consumerOf(), 2),
    commit: oid('b'),
    tree: oid('c'),
    message: commitMessage('Upgrade', { ...trailers, to }),
    isSigned: true,
    isOurs: true,
    pulls: [],
    ...rest,
  }
}

/** An open pull request of ours that offers 2.3.0. */
export function pullSeen(given: Partial<PullSeen> = {}): PullSeen {
  return {
    id: 'PR_7',
    number: 7,
    branch: branchOf(consumerOf(), 2),
    base: 'main',
    head: oid('b'),
    state: 'open',
    isOurs: true,
    created: '2026-11-20T12:00:00Z',
    isDraft: false,
    isQueued: false,
    isAutomerging: false,
    isApproved: false,
    mergeable: 'yes',
    title: 'Upgrade fargate-service 2.2.1 → 2.3.0',
    body: bodyOf(),
    ...given,
  }
}

/** All is well, nothing is there yet, and it is its turn. */
export function factsOf(given: Partial<Facts> = {}): Facts {
  return {
    now,
    consumer: consumerOf(),
    access: { is: 'ready' },
    base: { branch: 'main', commit: oid('0'), tree: oid('1') },
    pulls: [],
    target: { is: 'move', to: '2.3.0', way: 'forward', isUrgent: false },
    desired: { is: 'change', fingerprint: fingerprint('a'), open: 0 },
    turn: { is: 'now' },
    automerge: false,
    ...given,
  }
}

/** The same with an open pull request that is up to date. */
export function openFacts(given: Partial<Facts> = {}): Facts {
  return factsOf({ branch: branchSeen(), pulls: [pullSeen()], ...given })
}
