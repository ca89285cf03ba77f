import { describe, expect, test } from 'vitest'

import type { Board, Lock, Waiting } from '../../src/core/board.ts'
import { emptyBoard, readBoard, withWaiting, writeBoard } from '../../src/core/board.ts'
import type { GateName } from '../../src/core/gates.ts'
import {
  claimed,
  ended,
  inTurn,
  isBehind,
  isLookedAfter,
  jobOf,
  keyOf,
  lostBefore,
  lostWords,
  mostStarts,
  readNeeds,
  standingOf,
  wordless,
} from '../../src/core/resume.ts'

const now = new Date('2026-11-25T12:00:00Z')
const nine = new Date('2026-11-25T09:00:00Z')
const before = '2026-11-25T11:59:00.000Z'
const after = '2026-11-25T12:01:00.000Z'

function held(gate: GateName, until?: string): Waiting['gates'][number] {
  return { gate, is: 'held', why: `The ${gate} holds it.`, ...(until !== undefined && { until }) }
}

function waiting(more: Partial<Waiting> = {}): Waiting {
  return {
    unit: 'checkout/prod',
    stage: 'prod',
    commit: 'a'.repeat(40),
    by: 'ana',
    run: { id: '7001', attempt: 2 },
    since: '2026-11-25T09:00:00.000Z',
    gates: [held('soak', before)],
    ...more,
  }
}

const lock: Lock = { unit: 'checkout', by: 'ben', reason: 'moving', since: before }

describe('a promotion that waits', () => {
  const due = { is: 'due', locks: [] }

  test.each([
    ['is due when its soak is over', waiting(), due],
    ['is due at the very moment', waiting({ gates: [held('soak', now.toISOString())] }), due],
    ['is held before that', waiting({ gates: [held('soak', after)] }), { is: 'held' }],
    ['is held by one gate of two', waiting({ gates: [held('soak', before), held('freeze', after)] }), { is: 'held' }],
    ['asks for an approval since then', waiting({ gates: [held('approval')] }), { ...due, approvedSince: nine }],
    [
      'asks for one since it was started last',
      waiting({ gates: [held('approval')], started: { at: before, attempt: 1 } }),
      { ...due, approvedSince: new Date(before) },
    ],
    [
      'asks for one since the plan was shown',
      waiting({ gates: [{ ...held('binding'), since: before }] }),
      { ...due, approvedSince: new Date(before) },
    ],
    [
      'asks for an approval when all else is open',
      waiting({ gates: [held('soak', before), held('approval')] }),
      { ...due, approvedSince: nine },
    ],
    ['is held by what only a commit opens', waiting({ gates: [held('guard')] }), { is: 'held' }],
    ['is held by what only a person opens', waiting({ gates: [held('order'), held('approval')] }), { is: 'held' }],
    ['is due when its lock is gone', waiting({ gates: [held('lock')] }), due],
    ['is due when its runner was lost', waiting({ gates: [held('order')], lost: mostStarts }), due],
    ['is held when it was lost too often', waiting({ gates: [held('order')], lost: mostStarts + 1 }), { is: 'held' }],
    ['is being started', waiting({ started: { at: before, attempt: 2 } }), { is: 'starting' }],
    ['has not answered', waiting({ started: { at: '2026-11-25T11:54:59.000Z', attempt: 2 } }), { is: 'unanswered' }],
    ['has answered with a later attempt', waiting({ started: { at: before, attempt: 1 } }), due],
  ])('%s', (_what, entry, expected) => {
    expect(standingOf(entry, { board: emptyBoard, now })).toEqual(expected)
  })

  test.each([
    ['of a person', lock, { is: 'held' }],
    ['that has expired', { ...lock, until: before }, due],
    ['of another service', { ...lock, unit: 'cart' }, due],
    ['of a run, which may be over', { ...lock, run: '7' }, { ...due, locks: [{ ...lock, run: '7' }] }],
  ] as const)('looks at a lock %s', (_what, each, expected) => {
    const board: Board = { ...emptyBoard, locks: [each] }
    expect(standingOf(waiting({ gates: [held('lock')] }), { board, now })).toEqual(expected)
  })
})

describe('several that wait', () => {
  const one = waiting({ run: { id: '900', attempt: 1 }, since: '2026-11-25T09:00:00.000Z' })
  const two = waiting({ run: { id: '1000', attempt: 1 }, since: '2026-11-25T10:00:00.000Z' })
  const newPlan = { gates: [held('binding')] }

  test('are looked at as they came', () => {
    expect(inTurn([two, one])).toEqual([one, two])
  })

  test('are looked at from the newest where somebody has to look at their new plan, and before the others', () => {
    const [a, b] = [
      { ...one, ...newPlan },
      { ...two, ...newPlan },
    ]
    const late = waiting({ run: { id: '1001', attempt: 1 }, since: '2026-11-25T11:00:00.000Z' })
    expect(inTurn([one, a, late, b])).toEqual([b, a, one, late])
  })

  test('are behind a newer one of their unit', () => {
    expect([isBehind(one, two), isBehind(two, one), isBehind(one, one)]).toEqual([true, false, false])
    expect(isBehind(one, { ...two, unit: 'cart/prod' })).toBe(false)
  })
})

describe('the note that it is started', () => {
  const board = withWaiting(emptyBoard, waiting())
  const claim = { at: now, attempt: 2, isLost: false }

  test('is made by one of two', () => {
    const first = claimed(board, waiting(), claim)
    expect(first?.waiting).toEqual([{ ...waiting(), resumes: 1, started: { at: now.toISOString(), attempt: 2 } }])
    expect(claimed(first ?? board, waiting(), claim)).toBeUndefined()
  })

  test('is not made of a promotion that was held again or let go meanwhile', () => {
    expect(claimed(emptyBoard, waiting(), claim)).toBeUndefined()
    const again = withWaiting(board, waiting({ run: { id: '7001', attempt: 3 } }))
    expect(claimed(again, waiting(), claim)).toBeUndefined()
  })

  test('is kept in the file, and when it is held again', () => {
    const noted = claimed(board, waiting(), { ...claim, isLost: true }) ?? board
    expect(readBoard('board.json', writeBoard(noted))).toEqual(noted)
    const again = withWaiting(noted, waiting({ run: { id: '7001', attempt: 3 } }))
    expect(again.waiting).toMatchObject([{ resumes: 1, started: { attempt: 2 } }])
    expect(again.waiting[0]?.lost).toBeUndefined()
  })

  test('is taken back when it cannot be started any more, and nothing starts it then', () => {
    const noted = claimed(board, waiting(), claim) ?? board
    const [seen = waiting()] = noted.waiting
    const left = ended(noted, seen, 'Its run is gone.')?.waiting[0] ?? waiting()
    expect(left.gates.map(({ why }) => why)).toEqual(['Its run is gone.'])
    expect(standingOf(left, { board, now: new Date('2027-11-25T12:00:00Z') })).toEqual({ is: 'held' })
  })
})

describe('a label', () => {
  const alone = { actions: 'actions', repository: 'acme/catalog' }
  const fleet = { ...alone, fleet: true } as const

  test.each([
    ['in another repository', { workflows: fleet }, 'acme/shop', true],
    ['not in that of the catalog itself', { workflows: fleet }, 'Acme/Catalog', false],
    ['not where each repository looks for itself', { workflows: alone }, 'acme/shop', false],
    ['not without workflows', {}, 'acme/shop', false],
  ])('is put on %s', (_what, catalog, repository, expected) => {
    expect(isLookedAfter(catalog, repository)).toBe(expected)
  })
})

describe('the job of a promotion', () => {
  type Job = { readonly name: string; readonly conclusion?: string }
  const names = (...all: readonly string[]): readonly Job[] => all.map((name) => ({ name }))
  const several = names('validate', 'environments / prod', 'services (checkout) / prod', 'services (cart) / prod')
  const nested = several.map(({ name }) => ({ name: `deploy / ${name}` }))
  const entry = waiting()

  test.each([
    ['by its service', entry, several, 'services (checkout) / prod'],
    ['in a repository of its own', entry, nested, 'deploy / services (checkout) / prod'],
    ['of an environment', waiting({ unit: 'environment/prod' }), several, 'environments / prod'],
    ['of a pipeline', waiting({ unit: 'cart/pipeline' }), several, 'services (cart) / prod'],
    ['the only one of the stage', entry, names('dev', 'prod'), 'prod'],
    ['by the name that was noted', waiting({ run: { id: '1', attempt: 1, job: 'x' } }), names('prod', 'x'), 'x'],
    [
      'as the one that failed, where names do not tell',
      entry,
      [
        { name: 'prod', conclusion: 'success' },
        { name: 'ours / prod', conclusion: 'failure' },
      ],
      'ours / prod',
    ],
    ['none where there are several', waiting({ unit: 'shop/prod' }), several, undefined],
    ['none of that stage', waiting({ stage: 'qa' }), several, undefined],
  ])('is found %s', (_what, of, jobs, expected) => {
    expect(jobOf(of, jobs)?.name).toBe(expected)
  })

  test.each([
    ['checkout/prod', 'checkout/prod'],
    ['checkout/pipeline', 'checkout/prod'],
    ['environment/network', 'environment/network/prod'],
  ])('and its deployment: %s is %s', (unit, key) => {
    expect(keyOf({ unit, stage: 'prod' })).toBe(key)
  })
})

describe('what the jobs of a run say', () => {
  test('is read as GitHub writes it', () => {
    const text = '{"dev":{"result":"success","outputs":{"exit":"done"}},"staging":{"result":"failure","outputs":{}}}'
    expect(readNeeds(text)).toEqual([
      { stage: 'dev', result: 'success', exit: 'done' },
      { stage: 'staging', result: 'failure', exit: '' },
    ])
    expect(readNeeds('')).toBeUndefined()
    expect(readNeeds('[1]')).toEqual([{ stage: '0', result: '', exit: '' }])
  })

  test.each([
    ['success', 'done', []],
    ['skipped', '', []],
    ['failure', 'failed', []],
    ['failure', 'needs-approval', []],
    ['failure', '', [{ stage: 'dev', is: 'lost' }]],
    ['cancelled', '', [{ stage: 'dev', is: 'stopped' }]],
    ['failure', 'unfinished', [{ stage: 'dev', is: 'lost' }]],
    ['cancelled', 'unfinished', []],
  ])('%s, and %j of its own', (result, exit, expected) => {
    expect(wordless([{ stage: 'dev', result, exit }])).toEqual(expected)
  })

  test('is counted by the attempts that were cut off', () => {
    const told = [lostWords(3), lostWords(3), 'Attempt 3', lostWords(1), 'It was cancelled.']
    expect([1, 2, 3].map((attempt) => lostBefore(told, attempt))).toEqual([1, 2, 1])
  })
})
