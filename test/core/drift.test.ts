import { describe, expect, test } from 'vitest'
import type { Data, Path } from '../../src/core/data.ts'
import { acceptable, shownValue } from '../../src/core/drift.ts'

describe('what runs, as a value of an input', () => {
  test.each<[Data | undefined, Data | undefined, unknown]>([
    [1, 30, 30],
    [1, '30', 30],
    [1, '2.5', 2.5],
    [1, 'soon', undefined],
    [1, true, undefined],
    ['1', 30, '30'],
    ['a', 'b', 'b'],
    [true, 'false', false],
    [true, false, false],
    [true, 'no', undefined],
    ['a', ['b'], undefined],
    ['a', { b: 1 }, undefined],
    [1, undefined, undefined],
  ])('is of the kind that the input has: %j is %j, and becomes %j', (now, actual, value) => {
    expect(acceptable(now, actual)).toBe(value)
  })
})

describe('a value that is shown', () => {
  test.each<[Path, Data | undefined, string | undefined]>([
    [['DelaySeconds'], 30, '30'],
    [['DisplayName'], 'news', 'news'],
    [['Tags', 0], { Key: 'a', Value: 'b' }, '{"Key":"a","Value":"b"}'],
    [['Name'], 'x'.repeat(100), `${'x'.repeat(59)}…`],
    [['Name'], undefined, undefined],
    [['MasterUserPassword'], 'short', '***'],
    [['Environment', 'Variables', 'API_KEY'], 'k', '***'],
    [['Environment', 0, 'Value'], 'postgres://ana:geheim@db/shop', '(an address with a password in it, hidden)db/shop'],
    [['Config'], { Password: 'geheim123' }, '{"Password":"***"}'],
  ])('is short and holds no secret: %j', (path, value, shown) => {
    expect(shownValue(value, { path, logicalId: 'Queue' })).toBe(shown)
  })
})
