import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compareVersions, parseReference, parseVersion } from '../../src/core/version.ts'

describe('a version', () => {
  test.each(['1.4', 'v1.4.2', '01.4.2', '1.4.2-rc.1', '1.4.2+a', '', '1.4.2 ', '1..2'])('%j is none', (text) => {
    expect(parseVersion(text)).toBeUndefined()
  })

  test('sorts by its numbers, not by its text', () => {
    expect(['1.10.0', '1.2.0', '0.9.9', 'x', '1.2.10'].toSorted(compareVersions)).toEqual([
      'x',
      '0.9.9',
      '1.2.0',
      '1.2.10',
      '1.10.0',
    ])
  })

  test('is read back from what it is written as', () => {
    const number = fc.nat({ max: 999_999_999 })
    fc.assert(
      fc.property(number, number, number, (major, minor, patch) => {
        expect(parseVersion(`${major}.${minor}.${patch}`)).toEqual({ major, minor, patch })
      }),
    )
  })
})

test.each([
  ['web@1.4.2', { template: 'web', version: '1.4.2' }],
  ['web', undefined],
  ['web@1', undefined],
  ['web@1.4.2@2', undefined],
  ['@1.4.2', undefined],
  ['we b@1.4.2', undefined],
])('the reference %s is %o', (text, expected) => {
  expect(parseReference(text)).toEqual(expected)
})
