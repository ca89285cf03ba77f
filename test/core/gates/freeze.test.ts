import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import type { Freeze } from '../../../src/core/gates/freeze.ts'
import { freezesOf, frozenAt, readLocal, readWeekly, thawOf, windowText } from '../../../src/core/gates/freeze.ts'

function once(from: string, to: string, zone = 'Europe/Vienna'): Freeze {
  const [begin, end] = [readLocal(from), readLocal(to)]
  if (begin === undefined || end === undefined) throw new Error('no such time')
  return { name: 'once', reason: 'because', zone, window: { is: 'once', from: begin, to: end } }
}

function weekly(span: string, zone = 'Europe/Vienna'): Freeze {
  const read = readWeekly(span)
  if (read === undefined) throw new Error('no such span')
  return { name: 'weekly', reason: 'because', zone, window: { is: 'weekly', ...read } }
}

function spanAt(freeze: Freeze, at: string): string | undefined {
  const frozen = frozenAt(freeze, new Date(at))
  return frozen === undefined ? undefined : `${frozen.since.toISOString()} ${frozen.until.toISOString()}`
}

describe('a freeze with a beginning and an end', () => {
  const christmas = once('2026-12-20T18:00', '2026-12-27')

  test.each([
    ['2026-12-20T16:59:59Z', false],
    ['2026-12-20T17:00:00Z', true],
    ['2026-12-24T12:00:00Z', true],
    ['2026-12-26T22:59:59.999Z', true],
    ['2026-12-26T23:00:00Z', false],
  ])('is told by the clocks of its zone: at %s it is %s', (at, is) => {
    expect(frozenAt(christmas, new Date(at)) !== undefined).toBe(is)
  })

  test('says since when it is and until when', () => {
    expect(spanAt(christmas, '2026-12-24T12:00:00Z')).toBe('2026-12-20T17:00:00.000Z 2026-12-26T23:00:00.000Z')
    expect(windowText(christmas)).toBe('2026-12-20 18:00 - 2026-12-27 00:00, Europe/Vienna')
  })

  test.each([
    // Clocks go from 02:00 to 03:00: what lies between is never shown.
    [
      'a missing hour at its beginning',
      once('2026-03-29T02:30', '2026-03-29T12:00'),
      '2026-03-29T00:30:00.000Z 2026-03-29T10:00:00.000Z',
    ],
    [
      'a missing hour at its end',
      once('2026-03-28T12:00', '2026-03-29T02:30'),
      '2026-03-28T11:00:00.000Z 2026-03-29T01:30:00.000Z',
    ],
    // Clocks go from 03:00 back to 02:00: what lies between is shown twice.
    [
      'a double hour at its beginning',
      once('2026-10-25T02:30', '2026-10-25T12:00'),
      '2026-10-25T00:30:00.000Z 2026-10-25T11:00:00.000Z',
    ],
    [
      'a double hour at its end',
      once('2026-10-24T12:00', '2026-10-25T02:30'),
      '2026-10-24T10:00:00.000Z 2026-10-25T01:30:00.000Z',
    ],
  ])('is not shorter than it was written where daylight saving gives %s', (_what, freeze, span) => {
    const [since = '', until = ''] = span.split(' ')
    const middle = new Date((Date.parse(since) + Date.parse(until)) / 2).toISOString()
    expect(spanAt(freeze, middle)).toBe(span)
  })

  test.each(['2026-02-30', '2026-13-01', '2026-12-20T25:00', '2026-12-20T18:60', 'tomorrow', '2026-12-20T18:00Z'])(
    'is not read from %s',
    (text) => {
      expect(readLocal(text)).toBeUndefined()
    },
  )
})

describe('a freeze of every week', () => {
  const weekend = weekly('fri 16:00 - mon 08:00')

  test.each([
    // In winter Vienna is one hour ahead, in summer two.
    ['2026-11-27T14:59:59Z', undefined],
    ['2026-11-27T15:00:00Z', '2026-11-27T15:00:00.000Z 2026-11-30T07:00:00.000Z'],
    ['2026-11-29T12:00:00Z', '2026-11-27T15:00:00.000Z 2026-11-30T07:00:00.000Z'],
    ['2026-11-30T06:59:59Z', '2026-11-27T15:00:00.000Z 2026-11-30T07:00:00.000Z'],
    ['2026-11-30T07:00:00Z', undefined],
    ['2026-07-24T14:00:00Z', '2026-07-24T14:00:00.000Z 2026-07-27T06:00:00.000Z'],
    // Over the night in which the clocks are changed it is an hour longer, or shorter.
    ['2026-10-25T12:00:00Z', '2026-10-23T14:00:00.000Z 2026-10-26T07:00:00.000Z'],
    ['2026-03-29T12:00:00Z', '2026-03-27T15:00:00.000Z 2026-03-30T06:00:00.000Z'],
  ])('at %s is %s', (at, span) => {
    expect(spanAt(weekend, at)).toBe(span)
  })

  test('may lie within a day, last nearly the whole week, and end at midnight', () => {
    expect(spanAt(weekly('wed 12:00 - wed 13:00', 'UTC'), '2026-11-25T12:30:00Z')).toBe(
      '2026-11-25T12:00:00.000Z 2026-11-25T13:00:00.000Z',
    )
    const open = weekly('wed 13:00 - wed 12:00', 'UTC')
    expect(spanAt(open, '2026-11-25T12:30:00Z')).toBeUndefined()
    expect(spanAt(open, '2026-11-24T12:30:00Z')).toBe('2026-11-18T13:00:00.000Z 2026-11-25T12:00:00.000Z')
    expect(spanAt(weekly('sat 00:00 - sun 24:00', 'UTC'), '2026-11-29T23:59:00Z')).toBe(
      '2026-11-28T00:00:00.000Z 2026-11-30T00:00:00.000Z',
    )
    expect(windowText(weekend)).toBe('every fri 16:00 - mon 08:00, Europe/Vienna')
  })

  test.each([
    'fri 16:00 - fri 16:00',
    'fri 25:00 - mon 08:00',
    'friday 16:00 - mon 08:00',
    'fri 16:00',
    'fri 16 - mon 8',
  ])('is not read from %s', (span) => {
    expect(readWeekly(span)).toBeUndefined()
  })

  test('begins and ends once a week, in whatever zone, at any instant', () => {
    const weekday = fc.constantFrom('mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun')
    const time = fc
      .tuple(fc.integer({ min: 0, max: 23 }), fc.integer({ min: 0, max: 59 }))
      .map((pair) => pair.map((number) => String(number).padStart(2, '0')).join(':'))
    const zone = fc.constantFrom(
      'UTC',
      'Europe/Vienna',
      'America/New_York',
      'Asia/Kathmandu',
      'Pacific/Apia',
      'Australia/Lord_Howe',
    )
    const instant = fc.date({ min: new Date('2024-01-01'), max: new Date('2030-01-01'), noInvalidDate: true })
    fc.assert(
      fc.property(weekday, time, weekday, time, zone, instant, (a, from, b, to, where, at) => {
        fc.pre(`${a} ${from}` !== `${b} ${to}`)
        const freeze = weekly(`${a} ${from} - ${b} ${to}`, where)
        const frozen = frozenAt(freeze, at)
        if (frozen === undefined) return
        // It is on from its first moment to the last, and no longer.
        expect(frozenAt(freeze, frozen.since)).toEqual(frozen)
        expect(frozenAt(freeze, new Date(frozen.until.getTime() - 1))).toEqual(frozen)
        expect(frozenAt(freeze, new Date(frozen.since.getTime() - 1))?.since).not.toEqual(frozen.since)
        expect(frozenAt(freeze, frozen.until)?.until).not.toEqual(frozen.until)
        expect(frozen.until.getTime() - frozen.since.getTime()).toBeLessThanOrEqual(7 * 86_400_000 + 3_600_000)
      }),
      { numRuns: 200 },
    )
  })
})

test('freezes that follow each other end together', () => {
  const freezes = [weekly('fri 16:00 - mon 08:00'), once('2026-12-21T00:00', '2027-01-07')]
  expect(thawOf(freezes, new Date('2026-12-19T12:00:00Z')).toISOString()).toBe('2027-01-06T23:00:00.000Z')
  expect(thawOf(freezes, new Date('2026-12-10T12:00:00Z')).toISOString()).toBe('2026-12-10T12:00:00.000Z')
})

test('a freeze without stages is for all of them', () => {
  const all = weekly('fri 16:00 - mon 08:00')
  const prod: Freeze = { ...all, name: 'prod', stages: ['prod'] }
  expect(freezesOf([all, prod], 'dev').map(({ name }) => name)).toEqual(['weekly'])
  expect(freezesOf([all, prod], 'prod').map(({ name }) => name)).toEqual(['weekly', 'prod'])
})
