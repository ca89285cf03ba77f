import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decide, immovable, isAtRest } from '../../../src/core/upgrade/decide.ts'
import { commitMessage, isOurs } from '../../../src/core/upgrade/metadata.ts'
import type { Decision, Facts } from '../../../src/core/upgrade/model.ts'
import { bodyOf, branchSeen, consumerOf, factsOf, fingerprint, oid, openFacts, pullSeen } from './facts.ts'

/** What is compared of a decision: the action with what it would touch, and how the consumer stands. */
function said({ action, standing, notice }: Decision): string {
  const parts: readonly (string | undefined)[] = [
    action.is,
    'draft' in action && action.draft ? 'draft' : undefined,
    'automerge' in action && action.automerge !== undefined ? `automerge ${String(action.automerge)}` : undefined,
    'because' in action ? action.because : undefined,
    'before' in action && action.before !== undefined ? `from ${action.before.slice(0, 1)}` : undefined,
    'branch' in action && action.branch !== undefined
      ? `and its branch at ${action.branch.before.slice(0, 1)}`
      : undefined,
    `(${standing})`,
    notice === undefined ? undefined : `saying ${notice.is}`,
    notice?.is === 'taken-over' ? notice.newer : undefined,
  ]
  return parts.filter((part) => part !== undefined).join(' ')
}

const none = (why: Extract<Facts['target'], { is: 'none' }>['why']): Facts['target'] => ({ is: 'none', why })
const to = (version: string, isUrgent = false): Facts['target'] => ({
  is: 'move',
  to: version,
  way: 'forward',
  isUrgent,
})
const waits = (reason: Extract<Facts['turn'], { is: 'waits' }>['for']): Facts['turn'] => ({
  is: 'waits',
  for: reason,
  words: 'It waits.',
})
const foreign = branchSeen({ commit: oid('f'), isOurs: false, message: 'Raise the memory' })
const foreignPull = (body = bodyOf()) => pullSeen({ head: oid('f'), body })
const asked = (...boxes: readonly string[]) => pullSeen({ body: bodyOf({}, boxes) })

const rows: readonly (readonly [string, Facts, string])[] = [
  ['1 nothing would change', factsOf({ desired: { is: 'same' } }), 'nothing (compatible)'],
  [
    '1 nothing would change any more',
    openFacts({ desired: { is: 'same' } }),
    'close not-needed and its branch at b (compatible)',
  ],
  ['2 new', factsOf(), 'open automerge false (open)'],
  ['2 new, and may be merged by itself', factsOf({ automerge: true }), 'open automerge true (open)'],
  ['2 not its turn', factsOf({ turn: waits('wave') }), 'nothing (waits)'],
  ['2 the run was cut off before the pull request', factsOf({ branch: branchSeen() }), 'finish (open)'],
  [
    '2 the run was cut off, and something else is wanted now',
    factsOf({ branch: branchSeen(), desired: { is: 'change', fingerprint: fingerprint('e'), open: 0 } }),
    'open automerge false from b (open)',
  ],
  [
    '2 the run was cut off, and it is not its turn any more',
    factsOf({ branch: branchSeen(), turn: waits('halted') }),
    'nothing (waits)',
  ],
  ['3 open and current', openFacts(), 'keep (open)'],
  [
    '3 the base has moved elsewhere',
    openFacts({ base: { branch: 'main', commit: oid('9'), tree: oid('8') } }),
    'keep (open)',
  ],
  [
    '3 GitHub does not show yet what was pushed',
    openFacts({ pulls: [pullSeen({ head: oid('d') })] }),
    'nothing (open)',
  ],
  ['4 a newer one is out', openFacts({ target: to('2.4.0') }), 'move from b (open)'],
  [
    '4 a newer one is out, and this one is approved',
    openFacts({ target: to('2.4.0'), pulls: [pullSeen({ isApproved: true })] }),
    'keep (open) saying next',
  ],
  [
    '4 a newer one is out, and this one is green since yesterday',
    openFacts({ target: to('2.4.0'), pulls: [pullSeen({ checks: 'success', created: '2026-11-24T12:00:00Z' })] }),
    'keep (open) saying next',
  ],
  [
    '4 a newer one is out, and this one has been green for long',
    openFacts({ target: to('2.4.0'), pulls: [pullSeen({ checks: 'success' })] }),
    'move from b (open)',
  ],
  [
    '4 a newer one mends a hole',
    openFacts({ target: to('2.4.0', true), pulls: [pullSeen({ isApproved: true })] }),
    'move from b (open)',
  ],
  ['4 a newer one waits for its wave', openFacts({ target: to('2.4.0'), turn: waits('wave') }), 'keep (open)'],
  ['5 behind the base', openFacts({ pulls: [pullSeen({ mergeable: 'unknown' })] }), 'keep (open)'],
  [
    '5 its files have changed on the base',
    openFacts({ desired: { is: 'change', fingerprint: fingerprint('e'), open: 0 } }),
    'move from b (open)',
  ],
  ['5 it was asked to begin again', openFacts({ pulls: [asked('rebase')] }), 'move from b (open)'],
  ['6 in conflict with the base', openFacts({ pulls: [pullSeen({ mergeable: 'no' })] }), 'move from b (conflicting)'],
  [
    '7 a person has pushed',
    openFacts({ branch: foreign, pulls: [foreignPull()] }),
    'keep (taken-over) saying taken-over',
  ],
  [
    '7 a person has pushed, and a newer one is out',
    openFacts({ branch: foreign, pulls: [foreignPull()], target: to('2.4.0') }),
    'keep (taken-over) saying taken-over 2.4.0',
  ],
  [
    '7 a person has pushed, and asks for the newer one on top',
    openFacts({ branch: foreign, pulls: [foreignPull(bodyOf({}, ['apply']))], target: to('2.4.0') }),
    'append (taken-over)',
  ],
  [
    '7 a person has pushed, and asks to begin again',
    openFacts({ branch: foreign, pulls: [foreignPull(bodyOf({}, ['rebase']))] }),
    'keep (taken-over) saying taken-over',
  ],
  [
    '7 a person has edited it on GitHub’s pages, under our message',
    openFacts({ branch: branchSeen({ isOurs: false }) }),
    'keep (taken-over) saying taken-over',
  ],
  [
    '7 a body says that the commit of a person is ours',
    openFacts({ branch: foreign, pulls: [foreignPull(bodyOf({ head: oid('f') }))] }),
    'keep (taken-over) saying taken-over',
  ],
  ['7 a person has a branch of this name', factsOf({ branch: foreign }), 'nothing (taken-over)'],
  [
    '7 somebody has opened one from our branch',
    openFacts({ pulls: [pullSeen({ isOurs: false })] }),
    'keep (taken-over)',
  ],
  [
    '8 declined',
    factsOf({
      target: none('declined'),
      branch: branchSeen(),
      pulls: [pullSeen({ state: 'closed', closedBy: '@ada', ended: '2026-11-24T12:00:00Z' })],
    }),
    'nothing (declined)',
  ],
  [
    '8 declined long ago',
    factsOf({
      target: none('declined'),
      branch: branchSeen(),
      pulls: [pullSeen({ state: 'closed', closedBy: '@ada', ended: '2026-10-01T12:00:00Z' })],
    }),
    'delete-branch from b (declined)',
  ],
  [
    '8 declined, and the branch has commits of a person',
    factsOf({
      target: none('declined'),
      branch: foreign,
      pulls: [pullSeen({ state: 'closed', closedBy: '@ada', ended: '2026-10-01T12:00:00Z', head: oid('f') })],
    }),
    'nothing (declined)',
  ],
  [
    '8 declined by a tick',
    openFacts({ target: none('declined'), pulls: [asked('never')] }),
    'close declined (declined)',
  ],
  ['8 to be asked later', openFacts({ target: none('later'), pulls: [asked('later')] }), 'close later (waits)'],
  [
    '8 declined, and a newer one is out',
    factsOf({ target: to('2.4.0'), branch: branchSeen(), pulls: [pullSeen({ state: 'closed', closedBy: '@ada' })] }),
    'open automerge false from b (open)',
  ],
  [
    '9 closed by us, and wanted again',
    factsOf({ branch: branchSeen(), pulls: [pullSeen({ state: 'closed', closedBy: 'us' })] }),
    'open automerge false from b (open)',
  ],
  [
    '10 merged',
    factsOf({
      consumer: consumerOf({ version: '2.3.0' }),
      target: none('newest'),
      branch: branchSeen(),
      pulls: [pullSeen({ state: 'merged' })],
    }),
    'delete-branch from b (merged)',
  ],
  [
    '10 merged, and a newer one is out',
    factsOf({
      consumer: consumerOf({ version: '2.3.0' }),
      target: to('2.4.0'),
      branch: branchSeen(),
      pulls: [pullSeen({ state: 'merged' })],
    }),
    'open automerge false from b (open)',
  ],
  [
    '10 merged and taken back',
    factsOf({ target: none('declined'), pulls: [pullSeen({ state: 'merged' })] }),
    'nothing (reverted)',
  ],
  ['11 its checks fail', openFacts({ pulls: [pullSeen({ checks: 'failure' })] }), 'keep (failing) saying failing'],
  [
    '11 its checks fail, and are not merged by themselves',
    openFacts({ automerge: true, pulls: [pullSeen({ checks: 'failure' })] }),
    'keep (failing) saying failing',
  ],
  [
    '12 an input is missing',
    factsOf({ desired: { is: 'change', fingerprint: fingerprint('a'), open: 1 } }),
    'open draft automerge false (needs-answer)',
  ],
  [
    '12 an input is missing still',
    openFacts({ desired: { is: 'change', fingerprint: fingerprint('a'), open: 1 } }),
    'keep draft (needs-answer)',
  ],
  [
    '12 a person has filled it in',
    openFacts({ branch: foreign, pulls: [{ ...foreignPull(), isDraft: true }], isAnswered: true }),
    'keep (taken-over) saying taken-over',
  ],
  [
    '12 a person is still at it',
    openFacts({ branch: foreign, pulls: [{ ...foreignPull(), isDraft: true }], isAnswered: false }),
    'keep draft (taken-over) saying taken-over',
  ],
  [
    '12 it cannot be migrated',
    factsOf({ desired: { is: 'impossible', why: 'blocked', words: 'The sidecar is gone.' } }),
    'nothing (impossible)',
  ],
  [
    '13 generated files conflict',
    factsOf({ desired: { is: 'change', fingerprint: fingerprint('a'), open: 2 } }),
    'open draft automerge false (needs-answer)',
  ],
  [
    '14 in the merge queue, and a newer one is out',
    openFacts({ target: to('2.4.0'), pulls: [pullSeen({ isQueued: true })] }),
    'keep (queued)',
  ],
  [
    '14 in the merge queue, and taken back',
    openFacts({ target: none('retracted'), pulls: [pullSeen({ isQueued: true })] }),
    'keep (queued)',
  ],
  [
    '15 moved by hand',
    openFacts({ consumer: consumerOf({ version: '2.3.0' }), target: none('newest') }),
    'close done and its branch at b (current)',
  ],
  [
    '15 moved by hand, by somebody who has worked on ours',
    openFacts({
      consumer: consumerOf({ version: '2.3.0' }),
      target: none('newest'),
      branch: foreign,
      pulls: [foreignPull()],
    }),
    'close done (current)',
  ],
  ['16 it takes no upgrades', openFacts({ target: none('off') }), 'close off and its branch at b (off)'],
  [
    '16 it is gone, or of another template',
    openFacts({ target: none('moved') }),
    'close moved and its branch at b (closed)',
  ],
  [
    '16 it has gone on to another major',
    openFacts({ target: none('other-major') }),
    'close other-major and its branch at b (closed)',
  ],
  [
    '17 taken back, with nothing newer',
    openFacts({ target: none('retracted') }),
    'close retracted and its branch at b (closed)',
  ],
  [
    '17 taken back, in a person’s hands',
    openFacts({ target: none('retracted'), branch: foreign, pulls: [foreignPull()] }),
    'keep draft (taken-over) saying taken-over',
  ],
  [
    '17 taken back, for an older one',
    openFacts({ target: to('2.2.2'), pulls: [pullSeen({ isApproved: true })] }),
    'move from b (open)',
  ],
  ['17 not offered any more', openFacts({ target: none('newest') }), 'close retracted and its branch at b (closed)'],
  [
    '17 taken back and approved, with something newer',
    openFacts({
      target: { is: 'move', to: '2.4.0', way: 'forward', isUrgent: false, retracted: ['2.3.0'] },
      pulls: [pullSeen({ isApproved: true })],
    }),
    'move from b (open)',
  ],
  [
    '17 taken back, in a person’s hands, with something newer',
    openFacts({
      target: { is: 'move', to: '2.4.0', way: 'forward', isUrgent: false, retracted: ['2.3.0'] },
      branch: foreign,
      pulls: [foreignPull()],
    }),
    'keep draft (taken-over) saying taken-over 2.4.0',
  ],
  [
    '17 merged before it was taken back: the way back',
    factsOf({
      consumer: consumerOf({ version: '2.3.0' }),
      target: { is: 'move', to: '2.2.1', way: 'back', isUrgent: true },
      pulls: [pullSeen({ state: 'merged' })],
    }),
    'open automerge false (open)',
  ],
  [
    '18 the old version is not to be had: it is looked at',
    factsOf({ desired: { is: 'change', fingerprint: fingerprint('a'), open: 1 } }),
    'open draft automerge false (needs-answer)',
  ],
  [
    '18 it does not render',
    openFacts({ desired: { is: 'impossible', why: 'does-not-render', words: 'It does not render.' } }),
    'keep (impossible) saying impossible',
  ],
  [
    '19 nothing may be written',
    openFacts({ access: { is: 'closed', words: 'The repository is archived.' }, target: to('2.4.0') }),
    'nothing (unreachable)',
  ],
  ['19 its branch was not to be seen', factsOf({ pulls: [pullSeen()] }), 'nothing (unreachable)'],
  [
    'a rollout that was halted keeps its commits, and GitHub does not merge',
    openFacts({ turn: waits('halted'), pulls: [pullSeen({ isAutomerging: true })] }),
    'keep automerge false (held) saying halted',
  ],
  [
    'a rollout that was paused',
    openFacts({ turn: waits('paused'), desired: { is: 'change', fingerprint: fingerprint('e'), open: 0 } }),
    'keep (held) saying paused',
  ],
  ['merging by itself is switched on where it may', openFacts({ automerge: true }), 'keep automerge true (open)'],
  ['what a person has switched on stays', openFacts({ pulls: [pullSeen({ isAutomerging: true })] }), 'keep (open)'],
  [
    'what was agreed to and is replaced is not merged by itself',
    openFacts({ target: to('2.4.0'), pulls: [pullSeen({ isAutomerging: true })] }),
    'move automerge false from b (open)',
  ],
]

describe('each state has its move', () => {
  test.each(rows)('%s', (_, facts, wanted) => {
    expect(said(decide(facts))).toBe(wanted)
  })
})

// Whatever is seen

const maybe = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(arbitrary, { nil: undefined })
const versions = fc.constantFrom('2.2.1', '2.2.2', '2.3.0', '2.4.0', '3.0.0')
const heads = fc.constantFrom(oid('b'), oid('d'), oid('f'))
const anyPull = fc
  .record({
    state: fc.constantFrom('open', 'closed', 'merged'),
    isOurs: fc.boolean(),
    head: heads,
    isDraft: fc.boolean(),
    isQueued: fc.boolean(),
    isAutomerging: fc.boolean(),
    isApproved: fc.boolean(),
    mergeable: fc.constantFrom('yes', 'no', 'unknown'),
    checks: maybe(fc.constantFrom('success', 'failure', 'pending')),
    closedBy: maybe(fc.constantFrom('us', '@ada')),
    offered: versions,
    ticks: fc.subarray(['rebase', 'later', 'skip-major', 'never', 'apply']),
  })
  .map(({ offered, ticks, checks, closedBy, ...rest }) =>
    pullSeen({
      ...rest,
      ...(checks !== undefined && { checks }),
      ...(closedBy !== undefined && { closedBy }),
      body: bodyOf({ to: offered }, ticks),
    }),
  )
const anyFacts: fc.Arbitrary<Facts> = fc
  .record({
    version: versions,
    branch: maybe(fc.record({ commit: heads, isOurs: fc.boolean(), to: versions })),
    pulls: fc.array(anyPull, { maxLength: 3 }),
    target: fc.oneof(
      fc.record({
        is: fc.constant('move' as const),
        to: versions,
        way: fc.constantFrom('forward', 'back'),
        isUrgent: fc.boolean(),
      }),
      fc.constantFrom('newest', 'declined', 'later', 'off', 'moved', 'retracted', 'other-major').map(none),
    ),
    desired: fc.constantFrom<Facts['desired'] & {}>(
      { is: 'same' },
      { is: 'change', fingerprint: fingerprint('a'), open: 0 },
      { is: 'change', fingerprint: fingerprint('e'), open: 1 },
      { is: 'impossible', why: 'blocked', words: 'No.' },
    ),
    turn: fc.constantFrom<Facts['turn']>({ is: 'now' }, waits('wave'), waits('halted'), waits('paused')),
    automerge: fc.boolean(),
    isClosed: fc.boolean(),
  })
  .map(({ version, branch, pulls, isClosed, ...rest }) =>
    factsOf({
      ...rest,
      consumer: consumerOf({ version }),
      ...(branch !== undefined && { branch: branchSeen(branch) }),
      pulls,
      ...(isClosed && { access: { is: 'closed', words: 'No.' } }),
    }),
  )

describe('whatever is seen', () => {
  test('a commit that is not ours is never replaced or deleted, but for one that was merged', () => {
    fc.assert(
      fc.property(anyFacts, (facts) => {
        const { action } = decide(facts)
        const before = action.is === 'close' ? action.branch?.before : 'before' in action ? action.before : undefined
        if (before === undefined) return
        const { branch, pulls } = facts
        expect(before).toBe(branch?.commit)
        const isMerged = pulls.some(({ state, head }) => state === 'merged' && head === before)
        expect(branch !== undefined && (isOurs(branch) || isMerged)).toBe(true)
      }),
      { seed: 11, numRuns: 5000 },
    )
  })

  test('none is opened while one is open, where nothing is offered, or where it is not its turn', () => {
    fc.assert(
      fc.property(anyFacts, (facts) => {
        const { action } = decide(facts)
        if (action.is !== 'open' && action.is !== 'finish') return
        expect(facts.pulls.every(({ state }) => state !== 'open')).toBe(true)
        expect(facts.target.is).toBe('move')
        expect(facts.turn.is).toBe('now')
        expect(facts.access.is).toBe('ready')
        expect(facts.desired?.is).toBe('change')
      }),
      { seed: 12, numRuns: 5000 },
    )
  })

  test('in the merge queue nothing moves, and what is not ours is not closed but when it is done or refused', () => {
    fc.assert(
      fc.property(anyFacts, (facts) => {
        const { action } = decide(facts)
        if (!('pull' in action)) return
        if (action.pull.isQueued && action.pull.isOurs) expect(action.is).toBe('keep')
        if (!action.pull.isOurs) expect(action.is).toBe('keep')
        if (action.is === 'close' && !(facts.branch !== undefined && isOurs(facts.branch)))
          expect(['declined', 'done', 'moved', 'off']).toContain(action.because)
      }),
      { seed: 13, numRuns: 5000 },
    )
  })

  test('the same facts give the same decision', () => {
    fc.assert(
      fc.property(anyFacts, (facts) => {
        expect(decide(facts)).toEqual(decide(facts))
      }),
      { seed: 14, numRuns: 200 },
    )
  })
})

describe('before the ref of an open pull request moves', () => {
  const base = { commit: oid('0'), tree: oid('1') }
  test.each([
    [
      'a commit upon the base that changes something',
      { commit: oid('2'), tree: oid('3'), parents: [oid('0')] },
      undefined,
    ],
    [
      'the base itself',
      { commit: oid('0'), tree: oid('1'), parents: [oid('9')] },
      'The commit is the head of the main branch itself.',
    ],
    [
      'a commit without a change',
      { commit: oid('2'), tree: oid('1'), parents: [oid('0')] },
      'The commit changes nothing.',
    ],
    [
      'a commit upon an older base',
      { commit: oid('2'), tree: oid('3'), parents: [oid('9')] },
      'The commit is not made upon the head of the main branch.',
    ],
    [
      'an ancestor of the base',
      { commit: oid('9'), tree: oid('3'), parents: [] },
      'The commit is not made upon the head of the main branch.',
    ],
  ])('%s', (_, next, wanted) => {
    expect(immovable(next, base)).toBe(wanted)
  })
})

test.each([
  ['compatible', true],
  ['declined', true],
  ['current', true],
  ['merged', true],
  ['impossible', true],
  ['open', false],
  ['taken-over', false],
  ['waits', false],
] as const)('where a track is %s, that the next major may be offered is %s', (standing, wanted) => {
  expect(isAtRest(standing)).toBe(wanted)
})

test('what begins on this base is not put there again, whatever GitHub still says of conflicts', () => {
  const message = commitMessage('Upgrade', {
    template: 'fargate-service',
    from: '2.2.1',
    to: '2.3.0',
    fingerprint: fingerprint('a'),
    base: oid('0'),
  })
  const facts = openFacts({ branch: branchSeen({ message }), pulls: [pullSeen({ mergeable: 'no' })] })
  expect(said(decide(facts))).toBe('keep (conflicting)')
})
