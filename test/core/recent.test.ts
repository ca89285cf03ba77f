import { expect, test } from 'vitest'
import { Recent } from '../../src/core/recent.ts'

test('what was found out about the last few objects is known, by the object itself', () => {
  const recent = new Recent<{ readonly name: string }, number>()
  const all = Array.from({ length: 6 }, (_, index) => ({ name: String(index) }))
  for (const [index, one] of all.entries()) {
    expect(recent.get(one)).toBeUndefined()
    recent.set(one, index)
    expect(recent.get(one)).toBe(index)
    expect(recent.get({ ...one })).toBeUndefined()
  }
  expect(all.map((one) => recent.get(one))).toEqual([undefined, undefined, 2, 3, 4, 5])
})
