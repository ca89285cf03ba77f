import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Answer, Consumer } from '../../../src/core/upgrade/model.ts'
import type { Offer } from '../../../src/core/upgrade/target.ts'
import { tracksOf } from '../../../src/core/upgrade/target.ts'
import { compareVersions, parseVersion } from '../../../src/core/version.ts'
import { consumerOf } from './facts.ts'

/** `2.3.0`, `2.3.0 yanked`, `2.3.1 supported urgent`. */
function offersOf(text: string): readonly Offer[] {
  return text.split(', ').map((each) => {
    const [version = '', is = 'supported', urgent] = each.split(' ')
    const status = (['supported', 'deprecated', 'draft', 'yanked'] as const).find((word) => word === is) ?? 'supported'
    return { version, is: status, ...(urgent !== undefined && { isUrgent: true }) }
  })
}

/** `version 2.3.0`, `major 2.3.0`; from 2.2.1 where nothing else is said. */
function answered(text: string): readonly Answer[] {
  return text === ''
    ? []
    : text.split(', ').map((each, index) => {
        const [word, version = '', from = '2.2.1'] = each.split(' ')
        const width = (['version', 'major', 'never', 'later'] as const).find((known) => known === word) ?? 'version'
        return { consumer: '1:service.yaml', width, version, from, pullRequest: index, at: '2026-11-24T12:00:00Z' }
      })
}

function tracks(
  offers: string | undefined,
  {
    consumer = {},
    answers = '',
    recommended,
    branches = [],
  }: {
    readonly consumer?: Partial<Consumer>
    readonly answers?: string
    readonly recommended?: string
    readonly branches?: readonly string[]
  } = {},
): readonly string[] {
  return tracksOf(consumerOf(consumer), {
    offers: offers === undefined ? undefined : offersOf(offers),
    ...(recommended !== undefined && { recommended }),
    answers: answered(answers),
    branches,
  }).map(({ branch, target }) => {
    const end = branch.replace('protium/upgrade/checkout-', '')
    return target.is === 'none'
      ? `${end} none ${target.why}`
      : `${end} ${target.way} ${target.to}${target.isUrgent ? ' urgent' : ''}`
  })
}

describe('a service on 2.2.1 is offered', () => {
  test.each([
    ['the newest of its major', '2.2.1, 2.3.0, 2.4.0', {}, ['v2 forward 2.4.0']],
    ['nothing where there is nothing newer', '2.1.0, 2.2.1', {}, ['v2 none newest']],
    ['nothing where it runs more than there is', '2.1.0', {}, ['v2 none newest']],
    ['no draft', '2.2.1, 2.3.0 draft', {}, ['v2 none newest']],
    ['nothing that was taken back', '2.2.1, 2.3.0, 2.4.0 yanked', {}, ['v2 forward 2.3.0']],
    ['nothing where all that is newer was taken back', '2.2.1, 2.3.0 yanked', {}, ['v2 none retracted']],
    ['what is deprecated, on its own major', '2.2.1 deprecated, 2.3.0 deprecated', {}, ['v2 forward 2.3.0']],
    ['no more than is recommended', '2.2.1, 2.3.0, 2.4.0', { recommended: '2.3.0' }, ['v2 forward 2.3.0']],
    ['what mends a hole, with haste', '2.2.1, 2.2.2 supported urgent, 2.3.0', {}, ['v2 forward 2.3.0 urgent']],
    [
      'its own major and the next one',
      '2.2.1, 2.3.0, 3.0.0, 3.1.0, 4.0.0',
      {},
      ['v2 forward 2.3.0', 'v3 forward 3.1.0'],
    ],
    ['the next major though its own is at its end', '2.2.1, 3.0.0', {}, ['v2 none newest', 'v3 forward 3.0.0']],
    [
      'not the next major, but the one after, where the next is deprecated',
      '2.2.1, 3.0.0 deprecated, 4.0.0',
      {},
      ['v2 none newest', 'v4 forward 4.0.0'],
    ],
    ['not the next major where it is a draft', '2.2.1, 3.0.0 draft', {}, ['v2 none newest']],
    ['no major where it wants none', '2.2.1, 3.0.0', { consumer: { wishes: { majorOff: true } } }, ['v2 none newest']],
    ['no major above what is recommended', '2.2.1, 3.0.0', { recommended: '2.2.1' }, ['v2 none newest']],
    [
      'the next major up to what is recommended',
      '2.2.1, 3.0.0, 3.1.0',
      { recommended: '3.0.0' },
      ['v2 none newest', 'v3 forward 3.0.0'],
    ],
    ['nothing where it takes no upgrades', '2.2.1, 2.3.0', { consumer: { wishes: { off: true } } }, ['v2 none off']],
    ['nothing of a template that there is not', undefined, {}, ['v2 none moved']],
  ] as const)('%s', (_, offers, options, wanted) => {
    expect(tracks(offers, options)).toEqual(wanted)
  })
})

describe('what was declined', () => {
  test.each([
    ['is not offered again', '2.2.1, 2.3.0', 'version 2.3.0', ['v2 none declined']],
    ['neither is what lies below', '2.2.1, 2.2.2, 2.3.0', 'version 2.3.0', ['v2 none declined']],
    ['but what comes after', '2.2.1, 2.3.0, 2.3.1', 'version 2.3.0', ['v2 forward 2.3.1']],
    ['as a major, is not with any version of it', '2.2.1, 2.3.0, 2.3.1', 'major 2.3.0', ['v2 none declined']],
    [
      'as a major, says nothing of the next',
      '2.2.1, 2.3.0, 3.0.0',
      'major 2.3.0',
      ['v2 none declined', 'v3 forward 3.0.0'],
    ],
    ['in the next major, says nothing of its own', '2.2.1, 2.3.0, 3.0.0', 'major 3.0.0', ['v2 forward 2.3.0']],
    ['for ever, is never', '2.2.1, 2.3.0, 3.0.0', 'never 2.3.0', ['v2 none declined']],
    ['for a while, is later', '2.2.1, 2.3.0', 'later 2.3.0', ['v2 none later']],
  ] as const)('%s', (_, offers, answers, wanted) => {
    expect(tracks(offers, { answers })).toEqual(wanted)
  })
})

describe('from a version that was taken back the way leads', () => {
  const consumer = { version: '2.3.0' }
  test.each([
    ['forward where something newer is good', '2.2.1, 2.3.0 yanked, 2.3.1', {}, ['v2 forward 2.3.1 urgent']],
    ['back where nothing newer is', '2.2.1, 2.2.2, 2.3.0 yanked', {}, ['v2 back 2.2.2 urgent']],
    ['back past what was taken back too', '2.2.1, 2.2.2 yanked, 2.3.0 yanked', {}, ['v2 back 2.2.1 urgent']],
    ['nowhere where all was', '2.3.0 yanked', {}, ['v2 none retracted']],
    [
      'not back where that was declined',
      '2.2.2, 2.3.0 yanked',
      { answers: 'version 2.2.2 2.3.0' },
      ['v2 none declined'],
    ],
    [
      'back though it was declined from below',
      '2.2.2, 2.3.0 yanked',
      { answers: 'version 2.2.2 2.1.0' },
      ['v2 back 2.2.2 urgent'],
    ],
    ['to the major before where its own has no other', '1.4.2, 2.3.0 yanked', {}, ['v1 back 1.4.2 urgent']],
  ] as const)('%s', (_, offers, options, wanted) => {
    expect(tracks(offers, { consumer, ...options })).toEqual(wanted)
  })
})

test.each([
  ['of a major that it has left', 'protium/upgrade/checkout-v1', '2.2.1, 3.0.0', '', 'v1 none other-major'],
  ['of the next major, declined', 'protium/upgrade/checkout-v3', '2.2.1, 3.0.0', 'version 3.0.0', 'v3 none declined'],
  ['of a major that was taken back', 'protium/upgrade/checkout-v3', '2.2.1, 3.0.0 yanked', '', 'v3 none retracted'],
] as const)('a branch %s is a track too', (_, branch, offers, answers, wanted) => {
  expect(tracks(offers, { answers, branches: [branch] })).toContain(wanted)
  expect(tracks(offers, { branches: ['protium/upgrade/cart-v1'] }).some((each) => each.includes('cart'))).toBe(false)
})

test('whatever there is, nothing is offered that was declined, taken back or is a draft, and of a major one track at most', () => {
  const version = fc
    .tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 0, max: 2 }))
    .map(([a, b]) => `${a}.${b}.0`)
  const offer = fc.record({ version, is: fc.constantFrom('supported', 'deprecated', 'draft', 'yanked') })
  const answer = fc.record({ version, from: version, width: fc.constantFrom('version', 'major', 'never', 'later') })
  const given = fc.record({
    version,
    offers: fc.uniqueArray(offer, { selector: (each) => each.version, maxLength: 9 }),
    answers: fc.array(answer, { maxLength: 3 }),
  })
  fc.assert(
    fc.property(given, ({ version: own, offers, answers }) => {
      const all = answers.map((each, index): Answer => ({
        ...each,
        consumer: '1:service.yaml',
        pullRequest: index,
        at: '2026-11-24T12:00:00Z',
      }))
      const found = tracksOf(consumerOf({ version: own }), { offers, answers: all, branches: [] })
      expect(new Set(found.map(({ branch }) => branch)).size).toBe(found.length)
      for (const { target } of found) {
        if (target.is === 'none') continue
        expect(['supported', 'deprecated']).toContain(offers.find((each) => each.version === target.to)?.is)
        expect(target.way === 'forward').toBe(compareVersions(target.to, own) > 0)
        for (const { width, version: said, from } of answers) {
          expect(width).not.toBe('never')
          const isSame = parseVersion(said)?.major === parseVersion(target.to)?.major
          if (width === 'version' && compareVersions(from, said) < 0 && isSame && target.way === 'forward')
            expect(compareVersions(target.to, said)).toBeGreaterThan(0)
          if (width === 'major' && target.way === 'forward') expect(isSame).toBe(false)
        }
      }
    }),
    { seed: 3, numRuns: 2000 },
  )
})
