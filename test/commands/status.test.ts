import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import { deploy } from '../../src/commands/deploy.ts'
import { status } from '../../src/commands/status.ts'
import type { Board, Lock, Waiting } from '../../src/core/board.ts'
import { emptyBoard } from '../../src/core/board.ts'
import { plain } from '../../src/core/report.ts'
import { small } from './organisation.ts'
import type { World } from './ports.ts'
import { run, worldOf } from './ports.ts'

const shop = small({
  stages: ['dev', 'prod'],
  services: { cart: { size: 1, topics: 1 }, mail: { size: 1, topics: 0 } },
})

// The clock of the world begins at noon of 22 November, and goes on by a second with each look.
const waiting: Waiting = {
  unit: 'cart/prod',
  stage: 'prod',
  commit: 'abcdef0'.padEnd(40, '0'),
  pullRequest: 128,
  by: 'ana',
  run: { id: '7001', attempt: 1, job: 'prod' },
  since: '2026-11-22T09:00:00.000Z',
  gates: [
    {
      gate: 'soak',
      is: 'held',
      why: 'dev is to have had it for 4 h without a failure.',
      since: '2026-11-22T09:00:00.000Z',
      until: '2026-11-22T13:00:00.000Z',
    },
    { gate: 'approval', is: 'held', why: '@acme/platform has not approved it.', by: ['@acme/platform'] },
  ],
}

const lock: Lock = {
  unit: 'cart',
  by: 'ben',
  reason: 'moving the data',
  since: '2026-11-22T10:00:00.000Z',
  until: '2026-11-22T18:00:00.000Z',
}

let world: World
afterEach(() => world.end())

function withBoard(board: Partial<Board>): void {
  world.end()
  world = worldOf(() => shop, { board: { ...emptyBoard, ...board } })
}

describe('status', () => {
  beforeEach(() => {
    world = worldOf(() => shop)
  })

  test('has nothing to say of a board where nothing waits', async () => {
    const { exit, data, text } = await run(status, world)
    expect(exit).toBe('done')
    expect([data['waiting'], data['locks']]).toEqual([[], []])
    expect(text(plain)).not.toMatch(/waits|locked/u)
  })

  test('shows what a promotion waits for, since when, until when, and who can open it', async () => {
    withBoard({ waiting: [waiting] })
    const { data, text } = await run(status, world)
    const shown = text(plain)
    expect(shown).toContain('cart/prod waits since 3 h: commit abcdef0 of #128 by ana')
    expect(shown).toMatch(
      /soak: dev is to have had it for 4 h without a failure\. Held since 3 h\. Opens in 59 min \(2026-11-22T13:00Z\)\./u,
    )
    expect(shown).toContain('approval: @acme/platform has not approved it. Opened by @acme/platform.')
    expect(data['waiting']).toEqual([
      {
        unit: 'cart/prod',
        stage: 'prod',
        commit: waiting.commit,
        pullRequest: 128,
        by: 'ana',
        since: waiting.since,
        // Somebody has to do something, so no time is promised.
        until: null,
        resumes: 0,
        gates: [
          {
            gate: 'soak',
            why: 'dev is to have had it for 4 h without a failure.',
            since: waiting.since,
            until: '2026-11-22T13:00:00.000Z',
            by: [],
          },
          {
            gate: 'approval',
            why: '@acme/platform has not approved it.',
            since: null,
            until: null,
            by: ['@acme/platform'],
          },
        ],
      },
    ])
  })

  test('says when it goes on by itself, where no gate needs anybody', async () => {
    const [soak] = waiting.gates
    const freeze = { gate: 'freeze', is: 'held', why: 'x', until: '2026-11-23T08:00:00.000Z' } as const
    withBoard({ waiting: [{ ...waiting, gates: soak === undefined ? [] : [soak, freeze] }] })
    const { data } = await run(status, world)
    expect(data['waiting']).toMatchObject([{ until: freeze.until }])
  })

  test('shows locks with holder, reason and age, and none that has expired', async () => {
    const expired: Lock = { ...lock, unit: 'mail', until: '2026-11-22T11:59:59.000Z' }
    withBoard({ locks: [lock, expired] })
    const { data, text } = await run(status, world)
    expect(text(plain)).toContain('cart is locked by ben since 2 h, until 2026-11-22T18:00Z: moving the data.')
    expect(data['locks']).toEqual([{ ...lock, run: null }])
  })

  test('says of a lock for a run which run that is', async () => {
    const { until: _, ...open } = lock
    withBoard({ locks: [{ ...open, run: '7001' }] })
    expect((await run(status, world)).text(plain)).toContain('while run 7001 lasts')
  })

  test.each([
    { given: { services: ['mail'] }, waits: 0, locks: 0 },
    { given: { services: ['cart'] }, waits: 1, locks: 1 },
    { given: { services: ['cart/dev'] }, waits: 0, locks: 1 },
    { given: { stage: ['dev'] }, waits: 0, locks: 1 },
    { given: { stage: ['prod'] }, waits: 1, locks: 1 },
  ])('shows what is about the units that are named: $given', async ({ given, waits, locks }) => {
    withBoard({ waiting: [waiting], locks: [lock] })
    const { data } = await run(status, world, given)
    expect(data['waiting']).toHaveLength(waits)
    expect(data['locks']).toHaveLength(locks)
  })

  test('shows what waits of a unit that no file asks for any more', async () => {
    withBoard({ waiting: [{ ...waiting, unit: 'gone/prod' }], locks: [{ ...lock, unit: 'gone' }] })
    const { text } = await run(status, world)
    expect(text(plain)).toContain('gone/prod waits')
    expect(text(plain)).toContain('gone is locked')
  })

  test('shows the board of this machine beside the one that git has fetched', async () => {
    withBoard({ waiting: [waiting] })
    const board = await world.ports.board(join(world.folder, 'records'))
    await board.change((each) => ({ ...each, locks: [lock] }), 'lock')
    const { data } = await run(status, world)
    expect([data['waiting'], data['locks']]).toMatchObject([[{ unit: 'cart/prod' }], [{ unit: 'cart' }]])
  })

  test('takes what a wrong clock has put into the future for now', async () => {
    withBoard({ locks: [{ ...lock, since: '2026-11-22T15:00:00.000Z' }] })
    expect((await run(status, world)).text(plain)).toContain('locked by ben since now')
  })

  test('prints harmlessly whatever stands on a board', async () => {
    const nasty = 'x\u001b[31m\n::error::y'
    withBoard({
      waiting: [{ ...waiting, by: nasty, gates: [{ gate: 'soak', is: 'held', why: nasty, by: [nasty] }] }],
      locks: [{ ...lock, by: nasty, reason: nasty }],
    })
    expect((await run(status, world)).text(plain)).not.toMatch(/\u001b|^::/mu)
  })

  test('says that the board is broken, and shows the rest all the same', async () => {
    await run(deploy, world)
    mkdirSync(join(world.folder, 'board'), { recursive: true })
    writeFileSync(join(world.folder, 'board', 'board.json'), '{"format": 7}')
    const { exit, problems = [], text } = await run(status, world)
    expect(exit).toBe('failed')
    expect(problems.map(({ code, message }) => [code, message.includes('format 7')])).toEqual([['board-format', true]])
    expect(text(plain)).toContain('deployed')
  })
})
