import { expect, test } from 'vitest'

import { dayIn, isZone, wall, zones } from '../../src/core/zone.ts'

test('a zone is one of the time zone database', () => {
  expect(['UTC', 'Europe/Vienna', 'America/Argentina/Ushuaia'].map(isZone)).toEqual([true, true, true])
  expect(['Vienna', '', 'Europe/Wien', 'CET/'].map(isZone)).toEqual([false, false, false, false])
  expect(zones()).toContain('Europe/Vienna')
})

test.each([
  ['UTC', '2026-12-31'],
  ['Europe/Vienna', '2027-01-01'],
  ['Pacific/Kiritimati', '2027-01-01'],
  ['America/New_York', '2026-12-31'],
])('in %s it is the day %s', (zone, day) => {
  expect(dayIn(zone, new Date('2026-12-31T23:30:00Z'))).toBe(day)
})

test('clocks are read in their zone, also where it is not whole hours from UTC', () => {
  expect(wall(new Date('2026-12-31T23:30:00Z'), 'Asia/Kathmandu')).toEqual({
    year: 2027,
    month: 1,
    day: 1,
    minute: 315,
  })
})
