import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { didYouMean, nearest } from '../../src/core/nearest.ts'

describe('the nearest word', () => {
  const inputs = [
    'port',
    'desired_count',
    'task_cpu',
    'task_memory',
    'image',
    'environment',
    'production',
    'staging',
    'dev',
  ]

  test.each([
    ['prot', 'port'],
    ['ports', 'port'],
    ['por', 'port'],
    ['Port', 'port'],
    ['PORT', 'port'],
    ['desiredCount', 'desired_count'],
    ['desired-count', 'desired_count'],
    ['desierd_cuont', 'desired_count'],
    ['imgae', 'image'],
    ['cpu', 'task_cpu'],
    ['memory', 'task_memory'],
    ['prod', 'production'],
    ['env', 'environment'],
    ['stagign', 'staging'],
    ['taskCPU', 'task_cpu'],
  ])('of %s is %s', (word, expected) => {
    expect(nearest(word, inputs)).toBe(expected)
  })

  test.each(['', 'x', 'replicas', 'vpc', 'de', 'e', 'zzzzzzzz', 'domain'])('of %j is none', (word) => {
    expect(nearest(word, inputs)).toBeUndefined()
  })

  test('is the first by code point where several are as near', () => {
    expect(nearest('bat', ['cat', 'hat'])).toBe('cat')
    expect(nearest('bat', ['hat', 'cat'])).toBe('cat')
  })

  test('is the word itself where it is there', () => {
    fc.assert(
      fc.property(
        fc.string({ minLength: 1 }),
        fc.array(fc.string()),
        (word, others) => nearest(word, [...others, word]) === word,
      ),
    )
  })

  test('does not depend on the order of the candidates', () => {
    const word = fc.string({ unit: fc.constantFrom('a', 'b', 'c', '_'), maxLength: 6 })
    fc.assert(fc.property(word, fc.array(word), (it, all) => nearest(it, all) === nearest(it, all.toReversed())))
  })

  test('of very long words is found without comparing letter by letter', () => {
    expect(nearest('a'.repeat(100_000), ['b'.repeat(100_000), 'A'.repeat(100_000)])).toBe('A'.repeat(100_000))
  })
})

test('the question is a sentence for the end of a message, or nothing', () => {
  expect(didYouMean('prot', ['port'])).toBe(' Did you mean "port"?')
  expect(didYouMean('xyz', ['port'])).toBe('')
})
