import { hash } from 'node:crypto'
import fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'

import { chooseSha256, plainSha256, sha256 } from '../../src/core/sha256.ts'

const machine = (text: string): string => hash('sha256', text, 'hex')

describe('SHA-256', () => {
  afterEach(() => chooseSha256(plainSha256))

  test('is the same from the core and from the machine, for texts of every kind and length', () => {
    const text = fc.oneof(fc.string({ unit: 'binary' }), fc.string({ maxLength: 300 }), fc.string({ unit: 'grapheme' }))
    fc.assert(
      fc.property(text, (each) => {
        expect(plainSha256(each)).toBe(machine(each))
      }),
    )
    expect(plainSha256('')).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855')
    // Half of a character is no UTF-8; both write the replacement character for it.
    expect(plainSha256('\ud800')).toBe(machine('\ud800'))
  })

  test('is the core’s own until a door chooses the machine’s', () => {
    expect(sha256('a')).toBe(plainSha256('a'))
    chooseSha256((text) => `from the machine: ${text}`)
    expect(sha256('a')).toBe('from the machine: a')
  })
})
