import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Upgrades } from '../../../src/core/catalog/upgrades.ts'
import type { Consumer, Turn } from '../../../src/core/upgrade/model.ts'
import { beginRollout } from '../../../src/core/upgrade/progress.ts'
import type { Rollout } from '../../../src/core/upgrade/state.ts'
import { bucketOf, planWaves, turnOf, waveCount } from '../../../src/core/upgrade/waves.ts'
import { openingAt } from '../../../src/core/upgrade/windows.ts'
import { consumerOf, now } from './facts.ts'

const release = { template: 'fargate-service', version: '2.3.0' }
const fleet = (count: number, from = 0): readonly Consumer[] =>
  Array.from({ length: count }, (_, index) =>
    consumerOf({ key: `${from + index}:service.yaml`, name: `service-${from + index}` }),
  )
const usual: Pick<Upgrades, 'waves' | 'canaries'> = {
  waves: [{ is: 'count', count: 1 }, { is: 'share', percent: 10 }, { is: 'rest' }],
  canaries: { services: [] },
}

function sizes(waves: ReadonlyMap<string, number>): readonly number[] {
  return Array.from(
    { length: waveCount(waves) },
    (_, wave) => [...waves.values()].filter((each) => each === wave).length,
  )
}

describe('waves', () => {
  test('one, a tenth, the rest', () => {
    const [first = 0, tenth = 0, rest = 0] = sizes(planWaves(fleet(2000), { release, upgrades: usual }))
    expect(first).toBe(1)
    expect(tenth).toBeGreaterThan(150)
    expect(tenth).toBeLessThan(250)
    expect(first + tenth + rest).toBe(2000)
  })

  test('other releases have other first ones', () => {
    const firsts = ['2.3.0', '2.3.1', '2.4.0', '2.5.0'].map((version) => {
      const waves = planWaves(fleet(100), { release: { ...release, version }, upgrades: usual })
      return [...waves].find(([, wave]) => wave === 0)?.[0]
    })
    expect(new Set(firsts).size).toBeGreaterThan(2)
  })

  test('who asked to be among the first is, by its file, by its name and by a property of its repository', () => {
    const [a, b, c, ...others] = fleet(50)
    if (a === undefined || b === undefined || c === undefined) throw new Error('There are fifty.')
    const all = [
      { ...a, wishes: { canary: true as const } },
      { ...b, properties: new Map([['ring', 'canary']]) },
      c,
      ...others,
    ]
    const canaries = { services: [c.name], property: { name: 'ring', value: 'canary' } }
    const waves = planWaves(all, { release, upgrades: { ...usual, canaries } })
    expect([...waves].filter(([, wave]) => wave === 0).map(([key]) => key)).toEqual([a.key, b.key, c.key])
  })

  test('of environments each stage is a wave, in the order of promotion', () => {
    const environment = (name: string, stage?: number): Consumer =>
      consumerOf({
        kind: 'environment',
        key: `1:environments/${name}.yaml`,
        name,
        ...(stage !== undefined && { stage }),
      })
    const all = [environment('prod', 2), environment('dev', 0), environment('prod-eu', 2), environment('staging', 1)]
    const waves = planWaves(all, { release, upgrades: usual })
    expect(all.map(({ key }) => waves.get(key))).toEqual([2, 0, 2, 1])
  })

  test('a share holds every smaller one, and who is in a wave stays there whoever comes and goes', () => {
    const shares = fc.tuple(fc.integer({ min: 1, max: 99 }), fc.integer({ min: 1, max: 99 }))
    fc.assert(
      fc.property(shares, fc.integer({ min: 1, max: 60 }), ([one, other], count) => {
        const [small, large] = [Math.min(one, other), Math.max(one, other)]
        const within = (percent: number): readonly string[] => {
          const waves = planWaves(fleet(60), {
            release,
            upgrades: { ...usual, waves: [{ is: 'share', percent }, { is: 'rest' }] },
          })
          return [...waves].filter(([, wave]) => wave === 0).map(([key]) => key)
        }
        expect(within(large)).toEqual(expect.arrayContaining([...within(small)]))
        const before = planWaves(fleet(count), { release, upgrades: usual })
        const members = [...before].map(([key, wave]) => ({ key, wave }))
        const after = planWaves(fleet(60, 30), { release, upgrades: usual, members })
        for (const [key, wave] of before) expect(after.get(key)).toBe(wave)
      }),
      { seed: 5, numRuns: 60 },
    )
  })

  test('buckets are spread evenly', () => {
    const low = fleet(5000).filter(({ key }) => bucketOf(release, key) < 5000).length
    expect(low).toBeGreaterThan(2350)
    expect(low).toBeLessThan(2650)
  })
})

describe('a turn', () => {
  const rollout: Rollout = beginRollout(release, now)
  const given = {
    rollout,
    wave: 0,
    waves: 3,
    upgrades: { schedule: [], perTeam: 5 },
    openOfTeam: 0,
    isUrgent: false,
    now,
  }
  const workday = [{ every: 'mon 09:00 - mon 17:00', zone: 'UTC' }]
  const shown = (turn: Turn): string =>
    turn.is === 'now' ? 'now' : `${turn.for}${turn.until === undefined ? '' : ` ${turn.until}`}`
  const still = (is: Rollout['is']): Rollout => ({
    ...rollout,
    is,
    stopped: { at: '2026-11-25T00:00:00Z', why: 'Because.' },
  })
  test.each([
    ['of its wave', {}, {}, 'now'],
    ['of a wave that has not begun', { wave: 1 }, {}, 'wave'],
    ['of a stage that has not begun', { wave: 1 }, { kind: 'environment' as const }, 'stage'],
    [
      'outside the times of the catalog',
      { upgrades: { schedule: workday, perTeam: 5 } },
      {},
      'window 2026-11-30T09:00:00.000Z',
    ],
    [
      'within its own times, outside those of the catalog',
      { upgrades: { schedule: workday, perTeam: 5 } },
      { wishes: { schedule: [{ every: 'wed 09:00 - wed 17:00', zone: 'UTC' }] } },
      'now',
    ],
    ['of a team with enough to do', { openOfTeam: 5 }, { owner: 'storefront' }, 'team'],
    ['of nobody’s, whatever is open', { openOfTeam: 5 }, {}, 'now'],
    ['paused', { rollout: still('paused') }, {}, 'paused'],
    ['halted', { rollout: still('halted') }, {}, 'halted'],
    ['aborted', { rollout: still('aborted') }, {}, 'aborted'],
    [
      'urgent',
      { isUrgent: true, wave: 2, openOfTeam: 9, upgrades: { schedule: workday, perTeam: 5 } },
      { owner: 'storefront' },
      'now',
    ],
    ['urgent and halted', { isUrgent: true, rollout: still('halted') }, {}, 'halted'],
  ])('%s', (_, changed, consumer, wanted) => {
    expect(shown(turnOf(consumerOf(consumer), { ...given, ...changed }))).toBe(wanted)
  })
})

describe('windows of a week', () => {
  const at = (every: string, zone: string, time: string): string => {
    const opening = openingAt([{ every, zone }], new Date(time))
    return opening.is === 'open' ? 'open' : (opening.until?.toISOString() ?? 'never')
  }
  test.each([
    ['in it', 'mon 09:00 - thu 16:00', 'UTC', '2026-11-25T12:00:00Z', 'open'],
    ['before it', 'mon 09:00 - thu 16:00', 'UTC', '2026-11-27T12:00:00Z', '2026-11-30T09:00:00.000Z'],
    ['its first moment', 'mon 09:00 - thu 16:00', 'UTC', '2026-11-30T09:00:00Z', 'open'],
    ['its end', 'mon 09:00 - thu 16:00', 'UTC', '2026-11-26T16:00:00Z', '2026-11-30T09:00:00.000Z'],
    ['by the clocks of a place', 'wed 09:00 - wed 17:00', 'Asia/Seoul', '2026-11-25T07:59:00Z', 'open'],
    [
      'by the clocks of a place, over',
      'wed 09:00 - wed 17:00',
      'Asia/Seoul',
      '2026-11-25T08:00:00Z',
      '2026-12-02T00:00:00.000Z',
    ],
    ['over the end of the week', 'fri 20:00 - mon 06:00', 'Europe/Vienna', '2026-11-29T12:00:00Z', 'open'],
    [
      'where clocks are put forward',
      'sun 02:30 - sun 12:00',
      'Europe/Vienna',
      '2026-03-28T12:00:00Z',
      '2026-03-29T01:30:00.000Z',
    ],
    ['where clocks were put back', 'sun 09:00 - sun 12:00', 'Europe/Vienna', '2026-10-25T08:30:00Z', 'open'],
  ])('%s', (_, every, zone, time, wanted) => {
    expect(at(every, zone, time)).toBe(wanted)
  })

  test('the nearest of several', () => {
    const schedule = [
      { every: 'mon 09:00 - mon 10:00', zone: 'UTC' },
      { every: 'fri 09:00 - fri 10:00', zone: 'UTC' },
    ]
    expect(openingAt(schedule, now)).toEqual({ is: 'closed', until: new Date('2026-11-27T09:00:00Z') })
    expect(openingAt([], now)).toEqual({ is: 'open' })
  })

  test('what is closed is open when it says so, all year round', () => {
    const minutes = fc.integer({ min: 0, max: 525_600 })
    fc.assert(
      fc.property(
        minutes,
        fc.constantFrom('UTC', 'Europe/Vienna', 'America/New_York', 'Asia/Seoul'),
        (minute, zone) => {
          const schedule = [{ every: 'tue 09:00 - thu 16:00', zone }]
          const opening = openingAt(schedule, new Date(Date.parse('2026-01-01T00:00:00Z') + minute * 60_000))
          if (opening.is === 'open') return
          if (opening.until === undefined) throw new Error('It is never open.')
          expect(openingAt(schedule, opening.until).is).toBe('open')
          expect(openingAt(schedule, new Date(opening.until.getTime() - 1)).is).toBe('closed')
        },
      ),
      { seed: 6, numRuns: 300 },
    )
  })
})
