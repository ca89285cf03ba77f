import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { beginRollout, resumed, stopped } from '../../../src/core/upgrade/progress.ts'
import { controlsIn, rolloutBody, rolloutMarker, rolloutTitle } from '../../../src/core/upgrade/rollout.ts'
import type { Member, Rollout } from '../../../src/core/upgrade/state.ts'
import { now } from './facts.ts'

const ago = (hours: number): string => new Date(now.getTime() - hours * 3_600_000).toISOString()
const member = (name: string, given: Partial<Member> = {}): Member => ({
  key: `${name}:service.yaml`,
  name,
  kind: 'service',
  repository: `acme/${name}`,
  owner: `${name} team`,
  wave: 0,
  standing: 'open',
  since: ago(26),
  pullRequest: 41,
  deployments: [],
  ...given,
})
const merged = { standing: 'merged', merged: ago(30) } as const
const members = [
  member('catalog', {
    ...merged,
    deployments: [
      { stage: 'dev', is: 'ok', at: ago(29) },
      { stage: 'prod', is: 'running', at: ago(1) },
    ],
  }),
  member('web', {
    ...merged,
    pullRequest: 87,
    deployments: [
      { stage: 'dev', is: 'ok', at: ago(29) },
      { stage: 'staging', is: 'failed', at: ago(20) },
    ],
  }),
  member('done', { ...merged, deployments: [{ stage: 'dev', is: 'ok', at: ago(29) }] }),
  member('notify', { wave: 1, pullRequest: 88, since: ago(41 * 24) }),
  member('stock', { wave: 1, standing: 'needs-answer', why: 'Somebody has to answer something first.' }),
  member('idle', { wave: 1, standing: 'compatible' }),
]
const rollout: Rollout = {
  ...beginRollout({ template: 'fargate-service', version: '2.3.0' }, new Date(ago(40))),
  waves: [ago(40), ago(10)],
  members,
}
const upgrades = {
  gate: { soak: 86_400, merged: 60, deployed: 98, least: 1, patience: 14 * 86_400 },
  halt: {
    failed: { is: 'count', count: 1 },
    checks: { is: 'share', percent: 5 },
    reverted: { is: 'count', count: 1 },
    declined: { is: 'share', percent: 20 },
  },
} as const
const bodyFor = (given: Rollout = rollout, waves = 3): string =>
  rolloutBody({
    rollout: given,
    upgrades,
    waves,
    why: 'TLS 1.2 everywhere.',
    until: '2027-01-31',
    server: 'https://github.com',
    now,
  }).markdown

test('it says how far it has come, what is in the way, and who could do something', () => {
  expect(rolloutTitle(rollout)).toBe('Rollout: fargate-service 2.3.0')
  expect(
    bodyFor(stopped(rollout, 'halted', { at: ago(1), why: '1 service failed to deploy it: web.' })),
  ).toMatchSnapshot()
})

describe('it says', () => {
  test('who has stopped it, and who has let it go on', () => {
    const paused = stopped(rollout, 'paused', { at: ago(1), why: 'A holiday.', by: 'mia' })
    expect(bodyFor(paused)).toContain('**Paused by `mia`, 2026-11-25 11:00 UTC.** A holiday.')
    expect(bodyFor(resumed(paused, { at: ago(0), by: 'ada', why: 'It is over.' }))).toContain(
      '**Gone on with by `ada`, 2026-11-25 12:00 UTC.** It is over. It had stopped: A holiday.',
    )
  })

  test('what the next wave waits for, and when nobody comes on somebody is asked', () => {
    expect(bodyFor()).toContain('**Before wave 3 begins:**')
    expect(bodyFor({ ...rollout, waves: [ago(900), ago(800)] })).toContain(
      '**Wave 2 does not come on, and somebody has to decide**',
    )
    expect(bodyFor(rollout, 2)).toContain('All waves have begun.')
  })

  test('no more than is known', () => {
    expect(bodyFor()).toContain('**Deployed:** 2 well, 1 failed; about 33 in 100 failed.')
    const good = { ...rollout, members: members.filter(({ name }) => name !== 'web') }
    expect(bodyFor(good)).toContain('**Deployed:** 2 well, 0 failed; too few to say anything.')
  })

  test('nothing empty, and of those that are done their names alone', () => {
    expect(bodyFor()).not.toContain('(empty)')
    expect(bodyFor()).toContain('<summary>1 service done</summary>\n\n`done`\n')
    const later = {
      ...rollout,
      members: members.map((each) => (each.name === 'done' ? { ...each, standing: 'current' as const } : each)),
    }
    expect(bodyFor(later)).toContain('<summary>1 service done</summary>')
  })
})

test.each([
  ['running', rollout, ['pause', 'next-wave', 'abort']],
  ['halted', stopped(rollout, 'halted', { at: ago(1), why: 'x' }), ['resume', 'abort']],
  ['aborted', stopped(rollout, 'aborted', { at: ago(1), why: 'x' }), []],
] as const)('of one that is %s the boxes are those that mean something', (_, given, wanted) => {
  const found = [...bodyFor(given).matchAll(/protium:box ([a-z-]+)/gu)].map(([, name]) => name)
  expect(found).toEqual(wanted)
  expect(controlsIn(bodyFor(given))).toEqual([])
  expect(controlsIn(bodyFor(given).replaceAll('- [ ]', '- [x]'))).toEqual(
    (['abort', 'pause', 'resume', 'next-wave'] as const).filter((each) => wanted.some((name) => name === each)),
  )
})

test('of ten thousand it fits, whatever they are called, and refers to nothing', () => {
  const name = fc.constantFrom('@acme/team', '#12', '</details>', '| a |', 'a-plain-name')
  const standing = fc.constantFrom<Member['standing']>('open', 'failing', 'declined', 'impossible', 'merged', 'waits')
  fc.assert(
    fc.property(fc.array(fc.record({ name, standing, wave: fc.nat(2) }), { minLength: 5, maxLength: 40 }), (some) => {
      const all = Array.from({ length: 10_000 }, (_, index) => {
        const { name: called, ...rest } = some[index % some.length] ?? { name: 'x', standing: 'open' as const, wave: 0 }
        return member(`${called}${index}`, { ...rest, owner: called, why: called.repeat(60) })
      })
      const body = bodyFor({ ...rollout, members: all })
      expect(body.length).toBeLessThanOrEqual(58_000)
      expect(body.startsWith(rolloutMarker(rollout).markdown)).toBe(true)
      expect(body).toContain('protium:box abort')
      expect(body.replaceAll(/`[^`\n]*`/gu, '').replaceAll(/\]\([^)]*\)/gu, '')).not.toMatch(/(?<![\w])@[a-z]/iu)
      expect(body).not.toMatch(/github\.com\/[^)\s]*\/(?:pull|issues)\/\d/u)
    }),
    { seed: 22, numRuns: 5, endOnFailure: true },
  )
})
