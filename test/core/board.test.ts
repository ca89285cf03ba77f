import { describe, expect, test } from 'vitest'

import type { Board, Lock, Waiting } from '../../src/core/board.ts'
import {
  covers,
  emptyBoard,
  locksOn,
  readBoard,
  waitingOn,
  withLock,
  withoutLock,
  withoutWaiting,
  withWaiting,
  writeBoard,
} from '../../src/core/board.ts'
import { Refused } from '../../src/core/problem.ts'

const now = new Date('2026-11-25T12:00:00Z')

const waiting: Waiting = {
  unit: 'checkout/prod',
  stage: 'prod',
  commit: 'a'.repeat(40),
  pullRequest: 128,
  by: 'ana',
  run: { id: '7001', attempt: 1, job: 'checkout / prod' },
  since: '2026-11-25T09:00:00.000Z',
  gates: [
    {
      gate: 'soak',
      is: 'held',
      why: 'It has been in staging for 10 min of 30 min.',
      since: '2026-11-25T08:50:00.000Z',
      until: '2026-11-25T09:20:00.000Z',
      by: ['@acme/oncall'],
    },
  ],
}

const lock: Lock = {
  unit: 'checkout/prod',
  by: 'ana',
  reason: 'moving the data',
  since: '2026-11-25T11:00:00.000Z',
  until: '2026-11-25T13:00:00.000Z',
}

const board: Board = { format: 1, waiting: [waiting], locks: [lock] }

function refusedBy(act: () => unknown): Refused {
  try {
    act()
  } catch (error) {
    if (error instanceof Refused) return error
    throw error
  }
  throw new Error('was not refused')
}

describe('the text of a board', () => {
  test('is read back as it was', () => {
    expect(readBoard('board.json', writeBoard(board))).toEqual(board)
    expect(readBoard('board.json', writeBoard(emptyBoard))).toEqual(emptyBoard)
  })

  test('is the same for the same board, however it came about', () => {
    const cart: Waiting = { ...waiting, unit: 'cart/prod' }
    const [one, other] = [withWaiting(board, cart), withWaiting(withWaiting(emptyBoard, cart), waiting)]
    expect(writeBoard(withLock(other, lock, { now }))).toBe(writeBoard(one))
    const { since, by, ...rest } = lock
    expect(writeBoard({ ...board, locks: [{ since, ...rest, by }] })).toBe(writeBoard(board))
  })
})

describe('a board that this version cannot read is refused, so that nothing passes which may be held', () => {
  const written = (edit: (data: { format: number; waiting: object[]; locks: object[] }) => object): string =>
    JSON.stringify(edit(JSON.parse(writeBoard(board))))
  test.each<{ readonly what: string; readonly text: string; readonly words: string }>([
    { what: 'nothing', text: '', words: 'damaged' },
    { what: 'half of one', text: writeBoard(board).slice(0, 100), words: 'damaged' },
    { what: 'the marks of a merge', text: `<<<<<<< HEAD\n${writeBoard(board)}`, words: 'damaged' },
    { what: 'a list', text: '[]', words: 'The board is no map' },
    { what: 'no format', text: '{"waiting": [], "locks": []}', words: 'does not say `"format": 1`' },
    { what: 'a newer format', text: '{"format": 2, "held": []}', words: 'newer version of Protium, in format 2' },
    { what: 'an unknown key', text: written((data) => ({ ...data, more: 1 })), words: 'has a key "more"' },
    { what: 'no list of locks', text: '{"format": 1, "waiting": []}', words: '`locks` of The board is no list' },
    {
      what: 'an unknown key of a lock',
      text: written((data) => ({ ...data, locks: [{ ...lock, untill: lock.until }] })),
      words: '`locks[0]` has a key "untill"',
    },
    {
      what: 'a lock of nobody',
      text: written((data) => ({ ...data, locks: [{ ...lock, by: null }] })),
      words: '`by` of `locks[0]`',
    },
    {
      what: 'a lock until some day',
      text: written((data) => ({ ...data, locks: [{ ...lock, until: 'tomorrow' }] })),
      words: '`until` of `locks[0]`',
    },
    {
      what: 'a lock until a day that there is not',
      text: written((data) => ({ ...data, locks: [{ ...lock, until: '2026-13-45T00:00:00Z' }] })),
      words: '`until` of `locks[0]` is no time',
    },
    {
      what: 'a path for a unit',
      text: written((data) => ({ ...data, locks: [{ ...lock, unit: '../prod' }] })),
      words: '`unit` of `locks[0]`',
    },
    {
      what: 'the same twice',
      text: written((data) => ({ ...data, waiting: [waiting, waiting] })),
      words: `checkout/prod with commit ${'a'.repeat(40)} waits twice`,
    },
    {
      what: 'an unknown gate',
      text: written((data) => ({ ...data, waiting: [{ ...waiting, gates: [{ gate: 'luck', is: 'held', why: '' }] }] })),
      words: '`waiting[0].gates[0]` is no gate',
    },
    {
      what: 'a run without an attempt',
      text: written((data) => ({ ...data, waiting: [{ ...waiting, run: { id: '1' } }] })),
      words: '`waiting[0].run` has no attempt',
    },
    {
      what: 'a commit that is none',
      text: written((data) => ({ ...data, waiting: [{ ...waiting, commit: 'main' }] })),
      words: '`commit` of `waiting[0]`',
    },
  ])('$what', ({ text, words }) => {
    const { code, message } = refusedBy(() => readBoard('acme/checkout/board.json', text))
    expect(code).toBe('board-format')
    expect(message).toContain('acme/checkout/board.json')
    expect(message).toContain(words)
  })
})

describe('what waits', () => {
  test('is each commit of a unit by itself, in the order in which they began to wait', () => {
    const newer: Waiting = { ...waiting, commit: 'b'.repeat(40), since: '2026-11-25T10:00:00.000Z' }
    const both = withWaiting(board, newer)
    expect(waitingOn(both, 'checkout/prod')).toEqual([waiting, newer])
    expect(waitingOn(both, 'checkout')).toEqual([])
    expect(waitingOn(withoutWaiting(both, ['checkout/prod'], waiting.commit), 'checkout/prod')).toEqual([newer])
  })

  test('waits since it was held first, and keeps the count of its resumes', () => {
    const resumed = withWaiting(board, { ...waiting, resumes: 2 })
    const again: Waiting = {
      ...waiting,
      by: 'github-actions[bot]',
      since: '2026-11-25T10:00:00.000Z',
      run: { id: '7001', attempt: 2 },
    }
    expect(waitingOn(withWaiting(resumed, again), 'checkout/prod')).toEqual([
      { ...again, by: 'ana', since: waiting.since, resumes: 2 },
    ])
  })

  test('is taken off by its unit, or only if it is still that commit', () => {
    expect(withoutWaiting(board, ['checkout/prod']).waiting).toEqual([])
    expect(withoutWaiting(board, ['checkout/prod'], 'b'.repeat(40))).toEqual(board)
    expect(withoutWaiting(board, ['checkout', 'checkout/dev'])).toEqual(board)
  })

  test('comes to the same when an edit is made twice', () => {
    for (const edit of [
      (from: Board) => withWaiting(from, waiting),
      (from: Board) => withoutWaiting(from, [waiting.unit]),
      (from: Board) => withLock(from, { ...lock, reason: 'still moving' }, { now }),
      (from: Board) => withoutLock(from, lock),
    ])
      expect(edit(edit(board))).toEqual(edit(board))
  })
})

describe('a lock', () => {
  test.each([
    { scope: 'checkout', unit: 'checkout/prod', isHeld: true },
    { scope: 'checkout', unit: 'checkout/prod/cache', isHeld: true },
    { scope: 'checkout/prod', unit: 'checkout/prod', isHeld: true },
    { scope: 'checkout/prod', unit: 'checkout/staging', isHeld: false },
    { scope: 'checkout', unit: 'checkout-api/prod', isHeld: false },
    { scope: 'checkout/prod', unit: 'checkout', isHeld: false },
  ])('of $scope holds $unit: $isHeld', ({ scope, unit, isHeld }) => {
    expect(covers(scope, unit)).toBe(isHeld)
    const held = { ...board, locks: [{ ...lock, unit: scope }] }
    expect(locksOn(held, { unit, now })).toHaveLength(isHeld ? 1 : 0)
  })

  test('of the service is told before one of the stage', () => {
    const both = withLock(board, { ...lock, unit: 'checkout', by: 'ben' }, { now })
    expect(locksOn(both, { unit: 'checkout/prod', now }).map(({ by }) => by)).toEqual(['ben', 'ana'])
  })

  test('holds until its time is over, to the second', () => {
    const at = (time: string): number => locksOn(board, { unit: lock.unit, now: new Date(time) }).length
    expect(at('2026-11-25T12:59:59.999Z')).toBe(1)
    expect(at('2026-11-25T13:00:00.000Z')).toBe(0)
  })

  test('is refused to a second one, who is told whose it is and why', () => {
    const { code, message } = refusedBy(() => withLock(board, { ...lock, by: 'ben' }, { now }))
    expect(code).toBe('lock-held')
    expect(message).toContain('ana since 2026-11-25T11:00:00.000Z: moving the data')
  })

  test('is changed by who holds it, and held since the beginning', () => {
    const longer = { ...lock, since: now.toISOString(), until: '2026-11-25T18:00:00.000Z' }
    expect(withLock(board, longer, { now }).locks).toEqual([{ ...longer, since: lock.since }])
  })

  test('of another run of the same person is somebody else’s', () => {
    const ofRun = { ...board, locks: [{ ...lock, run: '7001' }] }
    expect(refusedBy(() => withLock(ofRun, { ...lock, run: '7002' }, { now })).code).toBe('lock-held')
  })

  test('that has expired, or whose run is over, is anybody’s', () => {
    const ben: Lock = { ...lock, by: 'ben', since: now.toISOString() }
    expect(withLock(board, ben, { now: new Date('2026-11-25T13:00:00Z') }).locks).toEqual([ben])
    const dead = { ...board, locks: [{ ...lock, run: '7001' }] }
    expect(withLock(dead, ben, { now, takesOver: ({ run }) => run === '7001' }).locks).toEqual([ben])
  })

  test('is taken away only if it is still that one', () => {
    const [other] = withLock(emptyBoard, { ...lock, since: now.toISOString() }, { now }).locks
    expect(withoutLock(board, other ?? lock)).toEqual(board)
    expect(withoutLock(board, lock).locks).toEqual([])
  })

  test('that has expired goes with the next one', () => {
    const old = withLock(emptyBoard, { ...lock, unit: 'cart', until: '2026-11-25T11:30:00.000Z' }, { now: new Date(0) })
    expect(withLock(old, lock, { now }).locks).toEqual([lock])
  })
})
