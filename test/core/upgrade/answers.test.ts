import { describe, expect, test } from 'vitest'
import { answersOf, keptAnswers, noAnswers } from '../../../src/core/upgrade/answers.ts'
import type { Answer } from '../../../src/core/upgrade/model.ts'
import type { PullSeen } from '../../../src/core/upgrade/seen.ts'
import { bodyOf, consumerOf, now, pullSeen } from './facts.ts'

const ended = '2026-11-24T12:00:00Z'
const closed = (given: Partial<PullSeen> = {}): PullSeen =>
  pullSeen({ state: 'closed', closedBy: '@ada', ended, ...given })

function widths(pulls: readonly PullSeen[], consumer = consumerOf()): readonly string[] {
  return answersOf({ consumer, pulls, kept: noAnswers, base: 'main', now }).map(({ width, version, until, reverted }) =>
    [width, version, until, reverted === true ? 'reverted' : undefined].filter((each) => each !== undefined).join(' '),
  )
}

describe('what a pull request answers', () => {
  test.each([
    ['closing it skips that version', closed(), ['version 2.3.0']],
    ['closed by somebody whom GitHub does not name', pullSeen({ state: 'closed', ended }), ['version 2.3.0']],
    ['closed by us, nothing', closed({ closedBy: 'us' }), []],
    ['open, nothing', pullSeen(), []],
    ['not ours, nothing', closed({ isOurs: false }), []],
    ['of another branch, nothing', closed({ branch: 'protium/upgrade/cart-v2' }), []],
    ['closed with the major ticked', closed({ body: bodyOf({}, ['skip-major']) }), ['major 2.3.0']],
    ['closed with never ticked', closed({ body: bodyOf({}, ['never', 'skip-major']) }), ['never 2.3.0']],
    ['a tick alone', pullSeen({ body: bodyOf({}, ['never']) }), ['never 2.3.0']],
    ['a tick, and closed by us for it', closed({ closedBy: 'us', body: bodyOf({}, ['never']) }), ['never 2.3.0']],
    ['later', closed({ closedBy: 'us', body: bodyOf({}, ['later']) }), ['later 2.3.0 2026-12-08T12:00:00.000Z']],
    [
      'later, on a day',
      closed({ closedBy: 'us', body: bodyOf({ later: '2026-12-01' }, ['later']) }),
      ['later 2.3.0 2026-12-01'],
    ],
    ['later, and that has come', closed({ closedBy: 'us', body: bodyOf({ later: '2026-11-20' }, ['later']) }), []],
    [
      'later, that has come, and closed by a person',
      closed({ body: bodyOf({ later: '2026-11-20' }, ['later']) }),
      ['version 2.3.0'],
    ],
    ['merged, and the file has it', pullSeen({ state: 'merged', ended }), ['version 2.3.0 reverted']],
    [
      'merged in the moment in which it was moved on',
      pullSeen({ state: 'merged', ended, body: bodyOf({ to: '2.3.0', was: '2.2.1' }) }),
      [],
    ],
    ['merged to another branch', pullSeen({ state: 'merged', ended, base: 'next' }), []],
    ['a body that was emptied: its title tells', closed({ body: '' }), ['version 2.3.0']],
    ['a body that says less than the title', closed({ body: bodyOf({ to: '2.2.2' }) }), ['version 2.3.0']],
    ['neither body nor title: all of the branch', closed({ body: '', title: 'No' }), ['major 2.0.0']],
    ['a body of another major', closed({ body: bodyOf({ to: '3.0.0' }), title: 'No' }), ['major 2.0.0']],
  ] as const)('%s', (_, pull, wanted) => {
    expect(widths([pull])).toEqual(wanted)
  })

  test('merged, and still there: no answer', () => {
    expect(widths([pullSeen({ state: 'merged', ended })], consumerOf({ version: '2.3.0' }))).toEqual([])
  })

  test('a way back that was merged takes nothing back', () => {
    const back = pullSeen({
      state: 'merged',
      ended,
      body: bodyOf({ from: '2.3.0', to: '2.2.2' }),
      title: 'Go back: fargate-service 2.3.0 → 2.2.2',
    })
    expect(widths([back], consumerOf({ version: '2.2.2' }))).toEqual([])
    expect(widths([back])).toEqual(['version 2.2.2 reverted'])
  })
})

describe('what is kept', () => {
  const kept: Answer = {
    consumer: '1:service.yaml',
    width: 'never',
    version: '2.3.0',
    from: '2.2.1',
    pullRequest: 3,
    at: ended,
  }

  test('counts where its pull request is out of sight', () => {
    const all = answersOf({
      consumer: consumerOf(),
      pulls: [],
      kept: { ...noAnswers, answers: [kept] },
      base: 'main',
      now,
    })
    expect(all).toEqual([kept])
  })

  test('is another consumer’s business where it is of another', () => {
    const other = { ...kept, consumer: '2:service.yaml' }
    expect(
      answersOf({ consumer: consumerOf(), pulls: [], kept: { ...noAnswers, answers: [other] }, base: 'main', now }),
    ).toEqual([])
  })

  test('is taken back by opening it again, and by taking the tick away', () => {
    const reopened = pullSeen({ number: 3 })
    const unticked = closed({ number: 3, closedBy: 'us' })
    for (const pull of [reopened, unticked])
      expect(
        answersOf({
          consumer: consumerOf(),
          pulls: [pull],
          kept: { ...noAnswers, answers: [kept] },
          base: 'main',
          now,
        }),
      ).toEqual([])
  })

  test('is replaced consumer by consumer', () => {
    const other = { ...kept, consumer: '2:service.yaml' }
    expect(keptAnswers({ ...noAnswers, answers: [kept, other] }, '1:service.yaml', []).answers).toEqual([other])
  })
})
