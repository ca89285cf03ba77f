import { describe, expect, test } from 'vitest'
import type { Upgrades } from '../../../src/core/catalog/upgrades.ts'
import { withWord } from '../../../src/commands/upgrading/controlling.ts'
import { memberSeen } from '../../../src/core/upgrade/members.ts'
import {
  advanced,
  beginRollout,
  haltReasons,
  hasFailed,
  progressed,
  resumed,
  stopped,
  waveGate,
} from '../../../src/core/upgrade/progress.ts'
import type { Member, Rollout } from '../../../src/core/upgrade/state.ts'
import { bodyOf, consumerOf, now, oid, pullSeen } from './facts.ts'

const day = 86_400_000
const ago = (days: number): string => new Date(now.getTime() - days * day).toISOString()

const upgrades: Pick<Upgrades, 'gate' | 'halt'> = {
  gate: { soak: 86_400, merged: 60, deployed: 98, least: 1, patience: 14 * 86_400 },
  halt: {
    failed: { is: 'count', count: 1 },
    checks: { is: 'share', percent: 5 },
    reverted: { is: 'count', count: 1 },
    declined: { is: 'share', percent: 20 },
  },
}

let number = 0
function member(given: Partial<Member> = {}): Member {
  number += 1
  return {
    key: `${number}:service.yaml`,
    name: `service-${number}`,
    kind: 'service',
    repository: `acme/service-${number}`,
    wave: 0,
    standing: 'open',
    since: ago(1),
    pullRequest: 7,
    deployments: [],
    ...given,
  }
}
const done = (days: number, given: Partial<Member> = {}): Member =>
  member({ standing: 'merged', merged: ago(days), deployments: [{ stage: 'dev', is: 'ok', at: ago(days) }], ...given })
const broken = (given: Partial<Member> = {}): Member =>
  member({
    standing: 'merged',
    merged: ago(1),
    deployments: [{ stage: 'staging', is: 'failed', at: ago(1) }],
    ...given,
  })
function unasked(given: Member): Member {
  const { pullRequest, ...rest } = given
  return pullRequest === undefined ? given : rest
}
const rolloutOf = (members: readonly Member[], given: Partial<Rollout> = {}): Rollout => ({
  ...beginRollout({ template: 'fargate-service', version: '2.3.0' }, new Date(ago(3))),
  members,
  ...given,
})
const many = (count: number, make: () => Member): readonly Member[] => Array.from({ length: count }, make)

describe('the next wave begins', () => {
  test.each([
    ['when what was merged has run well for a day', [done(2)], 'open'],
    ['not before it has', [done(0.5)], 'It has run for 24 h with 0 of them; 1 are to.'],
    ['not before anybody has merged it', [member()], '0 of 1 in this wave have merged it; 1 are to.'],
    ['when enough have', [done(2), done(2), done(2), member(), member()], 'open'],
    ['not when too few have', [done(2), member(), member()], '1 of 3 in this wave have merged it; 2 are to.'],
    ['when nobody is asked', [member({ standing: 'compatible' }), member({ standing: 'declined' })], 'open'],
    ['when nobody is in it', [], 'open'],
    [
      'not while what was merged is not deployed',
      [member({ standing: 'merged', merged: ago(2) })],
      'It was deployed well by 0; 1 are to.',
    ],
    ['not for those of later waves', [done(2), member({ wave: 1 })], 'open'],
    ['though one cannot be reached', [done(2), member({ standing: 'unreachable' })], 'open'],
  ] as const)('%s', (_, members, wanted) => {
    const gate = waveGate(rolloutOf([...members]), { gate: upgrades.gate, now })
    expect(gate.is === 'open' ? 'open' : gate.missing[0]).toBe(wanted)
  })

  test('and after two weeks somebody is asked to decide', () => {
    const gate = waveGate(rolloutOf([member()], { waves: [ago(15)] }), { gate: upgrades.gate, now })
    expect(gate).toMatchObject({ is: 'shut', isStale: true })
    const fresh = waveGate(rolloutOf([member()], { waves: [ago(13)] }), { gate: upgrades.gate, now })
    expect(fresh).toMatchObject({ is: 'shut', isStale: false })
  })

  test('with it those after, as far as nobody is in them', () => {
    const rollout = rolloutOf([done(2), member({ wave: 3, standing: 'waits' })])
    expect(progressed(rollout, { upgrades, waves: 4, now }).waves).toHaveLength(4)
    expect(
      progressed(rolloutOf([done(2), member({ wave: 1, standing: 'waits' })]), { upgrades, waves: 4, now }).waves,
    ).toHaveLength(2)
  })

  test('or because somebody says so', () => {
    const rollout = rolloutOf([member()])
    expect(advanced(rollout, { at: ago(0), waves: 2 }).waves).toHaveLength(2)
    expect(advanced(rollout, { at: ago(0), waves: 1 }).waves).toHaveLength(1)
    expect(
      advanced(stopped(rollout, 'halted', { at: ago(0), why: 'No.' }), { at: ago(0), waves: 2 }).waves,
    ).toHaveLength(1)
  })
})

describe('a rollout halts', () => {
  test.each([
    ['when a deployment fails for its sake', [broken({ name: 'web' })], ['1 service failed to deploy it: web.']],
    ['not when the service was red before', [broken({ wasRed: true })], []],
    ['not when what failed was looked at', [broken({ excused: ago(0.5) })], []],
    ['when it fails again after that', [broken({ excused: ago(2) })], ['1 service failed to deploy it: service-0.']],
    ['not when one check of many fails', [...many(39, () => member()), member({ standing: 'failing' })], []],
    [
      'when a twentieth of the checks fail',
      [...many(38, () => member()), member({ standing: 'failing' }), member({ standing: 'failing' })],
      ['2 services have checks that fail with it: service-0 and service-0.'],
    ],
    ['not for checks that failed before', many(5, () => member({ standing: 'failing', wasRed: true })), []],
    [
      'when one that was merged is taken back',
      [member({ standing: 'reverted', name: 'web' })],
      ['1 service have taken it back: web.'],
    ],
    ['not when one of many declines', [...many(9, () => member()), member({ standing: 'declined' })], []],
    [
      'when a fifth decline',
      [...many(8, () => member()), ...many(2, () => member({ standing: 'declined' }))],
      ['2 services have declined it: service-0 and service-0.'],
    ],
    ['not for those who declined something else before', many(5, () => unasked(member({ standing: 'declined' }))), []],
    [
      'when three cannot have it for one reason',
      many(3, () => member({ standing: 'impossible', why: 'A value is missing.' })),
      ['It cannot be proposed to 3 services, all for one reason: A value is missing.'],
    ],
    [
      'not when each has a reason of its own',
      [1, 2, 3].map((each) => member({ standing: 'impossible', why: `Reason ${each}.` })),
      [],
    ],
  ] as const)('%s', (_, members, wanted) => {
    const all = members.map((each): Member => {
      const { pullRequest, ...rest } = each
      const named = { ...rest, name: rest.name.startsWith('service-') ? 'service-0' : rest.name }
      return pullRequest === undefined ? named : { ...named, pullRequest }
    })
    expect(haltReasons(rolloutOf(all), upgrades.halt)).toEqual(wanted)
  })

  test('and says why, and opens no wave', () => {
    const halted = progressed(rolloutOf([done(2), broken({ name: 'web' })]), { upgrades, waves: 3, now })
    expect(halted).toMatchObject({ is: 'halted', stopped: { why: '1 service failed to deploy it: web.' } })
    expect(halted.waves).toHaveLength(1)
    expect(progressed(halted, { upgrades, waves: 3, now })).toBe(halted)
  })

  test('and goes on when somebody has looked at what failed, until something else does', () => {
    const members = [broken(), member({ standing: 'reverted' }), ...many(3, () => member({ standing: 'failing' }))]
    const halted = progressed(rolloutOf(members), { upgrades, waves: 3, now })
    const going = resumed(halted, { at: now.toISOString(), by: 'mia' })
    expect(going).toMatchObject({ is: 'running', resumed: { by: 'mia', was: halted.stopped?.why } })
    expect(haltReasons(going, upgrades.halt)).toEqual([])
    const later = new Date(now.getTime() + day).toISOString()
    const again = {
      ...going,
      members: going.members.map((each) =>
        hasFailedOnce(each) ? { ...each, deployments: [{ stage: 'prod', is: 'failed' as const, at: later }] } : each,
      ),
    }
    expect(haltReasons(again, upgrades.halt)).toHaveLength(1)
  })

  test('and what failed before it was halted, and was held meanwhile, halts it no more', () => {
    const failing = member({ standing: 'failing', since: ago(2) })
    const decision = (standing: Member['standing']) =>
      ({ action: { is: 'nothing' }, standing, why: 'So it is.' }) as const
    const next = (before: Member, standing: Member['standing']): Member =>
      memberSeen(consumerOf({ key: before.key }), {
        before,
        release: { version: '2.3.0' },
        wave: 0,
        decision: decision(standing),
        pulls: [pullSeen()],
        now: new Date(now.getTime() + day),
      })
    const all = [failing, { ...failing, key: 'other' }]
    const halted = progressed(rolloutOf(all), { upgrades, waves: 3, now })
    expect(halted.is).toBe('halted')
    const held = { ...halted, members: halted.members.map((each) => next(each, 'held')) }
    const going = resumed(held, { at: now.toISOString() })
    const again = { ...going, members: going.members.map((each) => next(each, 'failing')) }
    expect(haltReasons(again, upgrades.halt)).toEqual([])
  })

  test('for good when it was taken back', () => {
    const gone = stopped(rolloutOf([]), 'aborted', { at: ago(0), why: '2.3.0 was taken back.' })
    expect(resumed(gone, { at: ago(0) })).toBe(gone)
    expect(stopped(gone, 'paused', { at: ago(0), why: 'x' })).toBe(gone)
  })
})

function hasFailedOnce({ deployments }: Member): boolean {
  return deployments.some(({ is }) => is === 'failed')
}

describe('a member', () => {
  const seen = (given: Partial<Parameters<typeof memberSeen>[1]> = {}): Member =>
    memberSeen(consumerOf({ owner: 'storefront' }), {
      before: undefined,
      release: { version: '2.3.0' },
      wave: 1,
      decision: { action: { is: 'nothing' }, standing: 'open', why: 'It is open.' },
      pulls: [pullSeen()],
      now,
      ...given,
    })

  test('is since when it stands so', () => {
    const before = { ...seen(), since: ago(4) }
    expect(seen({ before }).since).toBe(ago(4))
    expect(seen({ before: { ...before, standing: 'failing' } }).since).toBe(now.toISOString())
  })

  test('keeps its wave, and is of the pull request of this release alone', () => {
    const other = pullSeen({ number: 3, body: bodyOf({ to: '2.2.2' }), state: 'merged' })
    expect(seen({ before: { ...seen(), wave: 0 } }).wave).toBe(0)
    expect(seen({ pulls: [other] }).pullRequest).toBeUndefined()
    expect(seen({ pulls: [other] }).merged).toBeUndefined()
  })

  test('was red where the main branch was before it was merged, not after', () => {
    expect(seen({ baseChecks: 'failure' }).wasRed).toBe(true)
    const merged = pullSeen({ state: 'merged', ended: ago(0), merged: oid('9') })
    expect(seen({ pulls: [merged], baseChecks: 'failure' }).wasRed).toBeUndefined()
    expect(seen({ before: seen({ baseChecks: 'failure' }), pulls: [merged], baseChecks: 'success' }).wasRed).toBe(true)
  })

  test('has failed where a stage of its merge has', () => {
    const merged = pullSeen({ state: 'merged', ended: ago(1) })
    const deployments = [
      { environment: 'dev', state: 'success' as const, at: ago(1) },
      { environment: 'staging', state: 'failure' as const, at: ago(0.5) },
    ]
    const found = seen({ pulls: [merged], merged: { deployments } })
    expect(found.deployments.map(({ stage, is }) => `${stage} ${is}`)).toEqual(['dev ok', 'staging failed'])
    expect(hasFailed(found)).toBe(true)
    // What was once known is kept where it is not asked again.
    expect(seen({ before: found, pulls: [merged] }).deployments).toEqual(found.deployments)
  })
})

test('the reason that a person gives for a halt stays short, and tells no secret', () => {
  const rollout: Rollout = {
    template: 'web',
    version: '1.1.0',
    began: ago(1),
    is: 'running',
    waves: [ago(1)],
    members: [],
  }
  const key = `AKIA${'Q7'.repeat(8)}`
  const reason = ` It leaks ${key}. ${'x'.repeat(5000)}`
  const after = withWord('halt', { release: undefined, reason, by: 'mia', at: now })(new Map([['web@1.1.0', rollout]]))
  const { is, stopped: stop } = after.get('web@1.1.0') ?? rollout
  expect([is, stop?.by]).toEqual(['halted', 'mia'])
  expect(stop?.why).not.toContain(key)
  expect(stop?.why.length).toBeLessThanOrEqual(500)
})
