import { describe, expect, test } from 'vitest'
import { stepsByHand } from '../../../src/core/cause/diagnosis.ts'

const push = 'Mend it and push: the deployment goes on by itself. To undo the change instead, revert its commit.'

describe('the advice to somebody at a terminal', () => {
  test('speaks of the command, where a push sets nothing going', () => {
    expect(stepsByHand(['Look at the settings first.', push], { isRehearsed: false })).toEqual([
      'Look at the settings first.',
      'Mend it and run the command again. To undo the change instead, take it out of the files.',
    ])
  })

  test('says first that a failure was rehearsed, and keeps what is to be learned from it', () => {
    const [first, ...others] = stepsByHand(['Look at the settings first.', push], { isRehearsed: true })
    expect(first).toMatch(/^This failure was rehearsed: `--fail` asked for it\./u)
    expect(others).toEqual(['Look at the settings first.', 'Of a real one: mend it and run the command again.'])
  })
})
