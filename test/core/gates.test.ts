import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import type { Before, GateFacts, Proof } from '../../src/core/gates.ts'
import { demandsOf, gateNames, gatesOf, glassPasses, heldGates } from '../../src/core/gates.ts'
import type { Freeze } from '../../src/core/gates/freeze.ts'

const commit = 'c'.repeat(40)
const now = new Date('2026-11-27T12:00:00Z')

function proof(finished: string, more: Partial<Proof> = {}): Proof {
  return { outcome: 'deployed', finished: `2026-11-27T${finished}Z`, commit, version: '1.2.0', ...more }
}

function before(records: readonly Proof[]): Before {
  return { unit: 'cart/staging', commit, version: '1.2.0', soak: 1800, records }
}

const facts: GateFacts = { now, stage: 'prod', by: 'ben', freezes: [] }

const weekend: Freeze = {
  name: 'weekend',
  reason: 'Nobody is there',
  zone: 'Europe/Vienna',
  window: { is: 'weekly', from: { weekday: 4, minute: 720 }, to: { weekday: 0, minute: 480 } },
}

function soak(records: readonly Proof[], at = now) {
  return gatesOf({ ...facts, now: at, before: [before(records)] }).find(({ gate }) => gate === 'soak')
}

describe('the soak of the stage before', () => {
  test('holds until it is over, and says since when and until when', () => {
    expect(soak([proof('11:45:00')])).toEqual({
      gate: 'soak',
      is: 'held',
      why: 'cart/staging is to have had it for 30 min without a failure.',
      since: '2026-11-27T11:45:00.000Z',
      until: '2026-11-27T12:15:00.000Z',
    })
    expect(soak([proof('11:30:00')])).toMatchObject({ is: 'open', since: '2026-11-27T11:30:00.000Z' })
  })

  test('counts from the first good record of this commit and version, though newer ones have passed since', () => {
    const newer = { commit: 'd'.repeat(40) }
    expect(
      soak([proof('11:20:00'), proof('11:50:00', newer), proof('11:55:00', { outcome: 'unchanged' })]),
    ).toMatchObject({
      is: 'open',
      since: '2026-11-27T11:20:00.000Z',
    })
  })

  test('counts anew after a failure, of whatever commit it was', () => {
    const failed = proof('11:40:00', { outcome: 'failed', commit: 'd'.repeat(40) })
    expect(soak([proof('11:20:00'), failed])).toEqual({
      gate: 'soak',
      is: 'held',
      why: 'Something has failed in cart/staging since commit ccccccc came there; its 30 min begin anew when this commit, or a newer one, is deployed there again.',
    })
    expect(soak([proof('11:20:00'), failed, proof('11:50:00')])).toMatchObject({
      is: 'held',
      until: '2026-11-27T12:20:00.000Z',
    })
  })

  test.each([
    ['of another commit', proof('11:00:00', { commit: 'd'.repeat(40) })],
    ['of another version', proof('11:00:00', { version: '1.1.0' })],
    ['that failed', proof('11:00:00', { outcome: 'failed' })],
    ['of a removal', proof('11:00:00', { outcome: 'removed' })],
  ])('is not begun by a record %s', (_what, record) => {
    expect(soak([record])).toMatchObject({ is: 'held' })
    expect(soak([record])?.until).toBeUndefined()
  })

  test('is not over sooner by a clock that is fast or broken: what was recorded in the future counts from now', () => {
    expect(soak([proof('13:00:00')])).toMatchObject({
      is: 'held',
      since: '2026-11-27T12:00:00.000Z',
      until: '2026-11-27T12:30:00.000Z',
    })
    expect(soak([proof('11:00:00', { finished: 'some day' })])).toMatchObject({ is: 'held' })
  })

  test('of several units is that of the last', () => {
    const gates = gatesOf({
      ...facts,
      before: [
        before([proof('11:55:00')]),
        { ...before([proof('11:50:00')]), unit: 'cart/staging/component' },
        { ...before([proof('10:00:00')]), unit: 'cart/other' },
      ],
    })
    expect(gates.map(({ gate, until = '' }) => [gate, until])).toEqual([
      ['order', ''],
      ['order', ''],
      ['order', ''],
      ['soak', '2026-11-27T12:25:00.000Z'],
    ])
  })

  test('is no gate where none is asked for', () => {
    expect(gatesOf({ ...facts, before: [{ unit: 'cart/dev', commit, version: '1.2.0', records: [] }] })).toEqual([
      { gate: 'order', is: 'open', why: 'cart/dev has commit ccccccc, with version 1.2.0.' },
    ])
  })
})

describe('a freeze', () => {
  test('holds the stages that it is for, and says until when', () => {
    expect(gatesOf({ ...facts, freezes: [weekend] })).toEqual([
      {
        gate: 'freeze',
        is: 'held',
        why: 'The freeze weekend is on (every fri 12:00 - mon 08:00, Europe/Vienna): Nobody is there.',
        since: '2026-11-27T11:00:00.000Z',
        until: '2026-11-30T07:00:00.000Z',
      },
    ])
    expect(gatesOf({ ...facts, freezes: [{ ...weekend, stages: ['dev'] }] })).toEqual([])
  })

  test('that is over lets it go on', () => {
    const after = new Date('2026-11-30T07:00:00Z')
    expect(gatesOf({ ...facts, now: after, freezes: [weekend] })).toEqual([
      { gate: 'freeze', is: 'open', why: 'No freeze is on.' },
    ])
  })
})

describe('an approval', () => {
  test('is held until somebody has given it, with who may and whose word did not count', () => {
    const approval = { asks: ['@acme/platform', '@dora'], not: ['ben has opened it.'] }
    expect(gatesOf({ ...facts, approval })).toEqual([
      {
        gate: 'approval',
        is: 'held',
        why: '@acme/platform and @dora have not approved it. ben has opened it.',
        by: ['@acme/platform', '@dora'],
      },
    ])
  })

  test('says who has given it, and where', () => {
    const approval = {
      asks: ['@acme/platform'],
      by: { by: 'ada', how: 'review', at: '2026-11-27T11:00:00Z' },
      not: [],
    } as const
    expect(gatesOf({ ...facts, approval })).toEqual([
      { gate: 'approval', is: 'open', why: 'ada has approved the last commit.', since: '2026-11-27T11:00:00Z' },
    ])
    expect(gatesOf({ ...facts, approval: { ...approval, by: { by: 'ada', how: 'environment' } } })).toMatchObject([
      { is: 'open', why: 'ada has approved this run.' },
    ])
  })

  test('is held while another of those that may asks for changes', () => {
    const approval = {
      asks: ['@acme/platform'],
      by: { by: 'ada', how: 'review' },
      against: { by: 'dora', how: 'review' },
      not: [],
    } as const
    expect(gatesOf({ ...facts, approval })).toMatchObject([
      { is: 'held', why: 'dora asks for changes.', by: ['@dora'] },
    ])
  })
})

test('the guard names what would be lost, and whether its file does', () => {
  const loss = { unit: 'cart/prod', logicalId: 'Orders', happens: 'replaced', holds: 'the items of a table' } as const
  expect(gatesOf({ ...facts, losses: [{ ...loss, isAcknowledged: true }] })).toEqual([
    {
      gate: 'guard',
      is: 'open',
      why: 'Orders of cart/prod (the items of a table) would be replaced, and its file acknowledges it by name.',
    },
  ])
  expect(
    gatesOf({
      ...facts,
      losses: [
        { ...loss, isAcknowledged: true },
        { ...loss, logicalId: 'Carts', isAcknowledged: false },
      ],
    }),
  ).toEqual([
    {
      gate: 'guard',
      is: 'held',
      why: 'Carts of cart/prod (the items of a table) would be replaced, and nobody has acknowledged that.',
    },
  ])
})

const breach = {
  unit: 'cart/prod',
  rule: 'bucket-public',
  resource: 'Files',
  severity: 'error',
  message: 'Anybody may read the bucket',
  at: { file: 'templates/web/v1/main.yaml', line: 7, column: 3 },
} as const

describe('the policy', () => {
  const waiver = { name: 'old-files', owner: '@acme/web', reason: 'Moved soon', until: '2026-12-31' }
  const words =
    'cart/prod breaks the rule bucket-public (Files, templates/web/v1/main.yaml:7:3): Anybody may read the bucket.'

  test('holds what breaks a rule, at its line', () => {
    expect(gatesOf({ ...facts, policy: [breach] })).toEqual([{ gate: 'policy', is: 'held', why: words }])
  })

  test('lets a warning pass, and what a waiver is for until its day', () => {
    expect(gatesOf({ ...facts, policy: [{ ...breach, severity: 'warning' }] })).toEqual([])
    expect(gatesOf({ ...facts, policy: [{ ...breach, waiver: { ...waiver, expired: false } }] })).toEqual([
      { gate: 'policy', is: 'open', why: `${words} The waiver old-files lets it through until 2026-12-31.` },
    ])
    expect(gatesOf({ ...facts, policy: [{ ...breach, waiver: { ...waiver, expired: true } }] })).toEqual([
      {
        gate: 'policy',
        is: 'held',
        why: `${words} The waiver old-files has ended on 2026-12-31.`,
        by: ['@acme/web'],
      },
    ])
  })

  test('names the first few, and how many more there are', () => {
    const many = Array.from({ length: 8 }, (_each, index) => ({ ...breach, resource: `Files${index}` }))
    expect(gatesOf({ ...facts, policy: many })[0]?.why).toMatch(/Files4.*And 3 more\.$/u)
  })
})

describe('a lock', () => {
  const lock = { unit: 'cart', by: 'ada', reason: 'We look for a leak', since: '2026-11-27T10:00:00Z' }

  test('holds everybody but its holder', () => {
    expect(gatesOf({ ...facts, locks: [lock] })).toEqual([
      {
        gate: 'lock',
        is: 'held',
        why: 'ada has locked cart: We look for a leak.',
        since: '2026-11-27T10:00:00Z',
        by: ['@ada'],
      },
    ])
    expect(gatesOf({ ...facts, by: 'ada', locks: [lock] })).toEqual([])
  })

  test('of a run lets that run by, whoever set it off', () => {
    const locks = [{ ...lock, run: '7', until: '2026-11-27T13:00:00Z' }]
    expect(gatesOf({ ...facts, run: '7', locks })).toEqual([])
    expect(gatesOf({ ...facts, by: 'ada', run: '8', locks })).toMatchObject([
      { is: 'held', until: '2026-11-27T13:00:00Z' },
    ])
  })
})

describe('a broken glass', () => {
  const everything: GateFacts = {
    ...facts,
    before: [before([proof('11:55:00')])],
    freezes: [weekend],
    approval: { asks: ['@acme/platform'], not: [] },
    losses: [{ unit: 'cart/prod', logicalId: 'A', happens: 'deleted', holds: 'a disk', isAcknowledged: false }],
    policy: [{ ...breach, unit: 'cart/prod' }],
    locks: [{ unit: 'cart', by: 'ada', reason: 'because', since: '2026-11-27T10:00:00Z' }],
    binding: { why: 'It is not what was reviewed.', since: '2026-11-27T12:00:00Z' },
  }

  test('passes what waits for time or a person, says so, and passes nothing else', () => {
    expect(heldGates(gatesOf(everything)).map(({ gate }) => gate)).toEqual(gateNames.slice(1))
    const broken = gatesOf({ ...everything, glass: { by: 'dora', reason: 'Nobody can pay' } })
    expect(broken.filter(({ is }) => is === 'skipped').map(({ gate }) => gate)).toEqual(glassPasses)
    expect(heldGates(broken).map(({ gate }) => gate)).toEqual(['guard', 'policy', 'lock', 'binding'])
    expect(broken.find(({ gate }) => gate === 'approval')?.why).toBe('@acme/platform has not approved it.')
  })
})

test('gates come in one order, and no time opens a gate that time does not', () => {
  const time = fc.integer({ min: 0, max: 120 }).map((minute) => new Date(now.getTime() - 3_600_000 + minute * 60_000))
  const record = fc.record({
    outcome: fc.constantFrom('deployed', 'unchanged', 'failed'),
    finished: time.map((at) => at.toISOString()),
    commit: fc.constantFrom(commit, 'd'.repeat(40)),
    version: fc.constantFrom('1.2.0', '1.1.0'),
  })
  fc.assert(
    fc.property(fc.array(record, { maxLength: 8 }), (records) => {
      const gates = gatesOf({
        ...facts,
        before: [before(records)],
        freezes: [weekend],
        approval: { asks: ['@ada'], not: [] },
      })
      const names = gates.map(({ gate }) => gateNames.indexOf(gate))
      expect(names).toEqual(names.toSorted((a, b) => a - b))
      for (const { is, until, why } of gates) {
        expect(why).toMatch(/[.]$/u)
        if (until !== undefined && is === 'held') expect(Date.parse(until)).toBeGreaterThan(now.getTime())
      }
      const gate = gates.find(({ gate: name }) => name === 'soak')
      const failure = records.findLastIndex(({ outcome }) => outcome === 'failed')
      const good = records.slice(failure + 1).filter((each) => each.commit === commit && each.version === '1.2.0')
      const isOver = good.some(({ finished }) => Date.parse(finished) <= now.getTime() - 1_800_000)
      if (gate?.is === 'open') expect(isOver).toBe(true)
    }),
    { numRuns: 200 },
  )
})

test('a plan tells what the gates of a stage ask, before it is known when that will be', () => {
  const losses = [
    { logicalId: 'Orders', happens: 'replaced', holds: 'the items of a table', isAcknowledged: false },
  ] as const
  expect(
    demandsOf({
      stage: { name: 'prod', approval: { by: ['@acme/platform'] } },
      before: { name: 'staging', soak: 1800 },
      freezes: [weekend, { ...weekend, name: 'other', stages: ['dev'] }],
      losses,
      policy: [breach, { ...breach, rule: 'small', severity: 'warning' }],
    }),
  ).toEqual([
    { gate: 'order', asks: 'staging has this commit, in this version of the template.' },
    { gate: 'soak', asks: 'staging has had it for 30 min, and nothing has failed there since.' },
    { gate: 'freeze', asks: 'Not in weekend (every fri 12:00 - mon 08:00, Europe/Vienna).' },
    {
      gate: 'approval',
      asks: 'Somebody approves the last commit who has made none of them.',
      by: ['@acme/platform'],
    },
    {
      gate: 'guard',
      asks: 'Orders (the items of a table) would be replaced: its file has to name what may be lost, as `acknowledge: […]`.',
      is: 'held',
    },
    { gate: 'policy', asks: 'bucket-public: kept, or let through by a waiver on that day.', is: 'held' },
  ])
  expect(demandsOf({ stage: { name: 'dev' }, before: undefined, freezes: [] })).toEqual([])
})
