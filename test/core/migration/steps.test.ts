import { describe, expect, test } from 'vitest'
import { editYaml } from '../../../src/core/edit.ts'
import { consumerOf, upgradeSpec } from '../../../src/core/migration.ts'
import { stepped } from './fixtures.ts'

const head = 'service: shop\ntemplate: web@1.0.0\n'

/** The lines below the version after an upgrade by these steps, or what keeps it from being made. */
function upgraded(body: string, steps: string): string {
  const text = `${head}${body}`
  const migrated = stepped(text, steps)
  const result = upgradeSpec('service.yaml', text, { reference: 'web@2.0.0', migrated })
  if (result.is === 'blocked')
    return result.blocks.map(({ path, why }) => `blocked: ${path.join('.')}: ${why}`).join('\n')
  if (result.is === 'unsure') return `unsure: ${result.why}`
  expect(result.text.startsWith('service: shop\ntemplate: web@2.0.0\n')).toBe(true)
  // What the edits make of the file is what the steps have made of its values.
  const after = consumerOf('service.yaml', result.text)
  expect(after.ok && after.value).toEqual(migrated.after)
  // Taken once more, the steps find nothing to do.
  expect(stepped(result.text, steps).edits).toEqual([])
  return result.text.slice(head.length)
}

describe('a step', () => {
  test.each([
    ['inputs: { a: 1 }\n', 'rename: { from: a, to: b }', 'inputs: { b: 1 }\n'],
    [
      'inputs:\n  a: 1   # why\n  c: 2\n',
      'rename: { from: a, to: s.min }',
      'inputs:\n  s:\n    min: 1   # why\n  c: 2\n',
    ],
    [
      'inputs:\n  a: 1\nstages:\n  prod:\n    inputs: { a: 4 } # more\n',
      'rename: { from: a, to: s.min }',
      'inputs:\n  s:\n    min: 1\nstages:\n  prod:\n    inputs: { s: { min: 4 } } # more\n',
    ],
    ['inputs:\n  s:\n    a: 1\n  b: 2\n', 'rename: { from: s.a, to: c }', 'inputs:\n  b: 2\n  c: 1\n'],
    ['inputs: { a: 1, b: 1 }\n', 'rename: { from: a, to: b }', 'inputs: { b: 1 }\n'],
    ['inputs: {}\n', 'rename: { from: a, to: b }', 'inputs: {}\n'],
    [
      'inputs: { a: 1, b: 2 }\n',
      'rename: { from: a, to: b }',
      'blocked: inputs.a: Both "a" and "b" are given, which are one input now.',
    ],
    [
      'inputs:\n  size: small # why\n',
      'map: { path: size, to: cpu, values: { small: 256 } }',
      'inputs:\n  cpu: 256 # why\n',
    ],
    ['inputs:\n  size: small\n', 'map: { path: size, values: { small: s, large: l } }', 'inputs:\n  size: s\n'],
    ['inputs:\n  size: l\n', 'map: { path: size, values: { small: s, large: l } }', 'inputs:\n  size: l\n'],
    [
      'inputs:\n  is_on: false\n',
      'map: { path: is_on, values: { "false": { a: 1 } } }',
      'inputs:\n  is_on: { a: 1 }\n',
    ],
    [
      'inputs:\n  size: huge\n',
      'map: { path: size, to: cpu, values: { small: 256, large: 1024 } }',
      'inputs:\n  cpu: "?? one of 256, 1024 (was huge)"\n',
    ],
    ['inputs:\n  size: huge\n', 'map: { path: size, values: { small: s }, else: keep }', 'inputs:\n  size: huge\n'],
    ['inputs:\n  size: huge\n  b: 1\n', 'map: { path: size, values: { small: s }, else: remove }', 'inputs:\n  b: 1\n'],
    [
      'inputs:\n  size: huge\n',
      'map: { path: size, values: { small: s }, else: block, why: It is gone. }',
      'blocked: inputs.size: It is gone.',
    ],
    ['inputs:\n  port: "8080" # why\n', 'convert: { path: port, as: integer }', 'inputs:\n  port: 8080 # why\n'],
    [
      'inputs:\n  port: 80a\n',
      'convert: { path: port, as: integer }',
      'inputs:\n  port: "?? a whole number (was 80a)"\n',
    ],
    ['inputs:\n  port: 8080\n', 'convert: { path: port, as: string }', 'inputs:\n  port: "8080"\n'],
    ['inputs:\n  is_on: "yes"\n', 'convert: { path: is_on, as: boolean }', 'inputs:\n  is_on: true\n'],
    ['inputs:\n  a: x\n', 'convert: { path: a, as: list }', 'inputs:\n  a: [x]\n'],
    ['inputs:\n  a: { b: 1 }\n', 'convert: { path: a, as: list }', 'inputs:\n  a: "?? a list"\n'],
    ['inputs:\n  a: 1.5\n', 'convert: { path: a, as: integer }', 'inputs:\n  a: "?? a whole number"\n'],
    ['inputs:\n  a: 1\n', 'default: { path: b.c, value: 5 }', 'inputs:\n  a: 1\n  b:\n    c: 5\n'],
    ['inputs:\n  b: 1\n', 'default: { path: b, value: 5 }', 'inputs:\n  b: 1\n'],
    ['hosts: []\n', 'default: { path: b, value: 5 }', 'hosts: []\ninputs:\n  b: 5\n'],
    ['inputs:\n  a: 2\n', 'compute: { path: b, expr: "a * 2" }', 'inputs:\n  a: 2\n  b: 4\n'],
    ['inputs:\n  c: 2\n', 'compute: { path: b, expr: "a * 2" }', 'inputs:\n  c: 2\n'],
    [
      'inputs:\n  a: 2\nstages:\n  dev: {}\n  prod:\n    inputs:\n      a: 4\n',
      'compute: { path: b, expr: "a * 2" }',
      'inputs:\n  a: 2\n  b: 4\nstages:\n  dev: {}\n  prod:\n    inputs:\n      a: 4\n      b: 8\n',
    ],
    [
      'inputs:\n  a: no-word\n',
      'compute: { path: b, expr: "inputs.a ~ 1.5" }',
      'inputs:\n  a: no-word\n  b: no-word1.5\n',
    ],
    ['inputs:\n  a: 1 # why\n  b: 2\n', 'remove: { path: a }', 'inputs:\n  b: 2\n'],
    ['inputs:\n  a: 1\n', 'remove: { path: a }', 'inputs: {}\n'],
    ['inputs:\n  s: { a: 1 }\n  b: 2\n', 'remove: { path: s.a }', 'inputs:\n  b: 2\n'],
    ['inputs:\n  a: false\n  b: 1\n', 'remove: { path: a, when: "value == false" }', 'inputs:\n  b: 1\n'],
    [
      'inputs:\n  a: true\n',
      'remove: { path: a, when: "value == false", why: "It is gone." }',
      'blocked: inputs.a: It is gone.',
    ],
    ['inputs:\n  a: true\n', 'remove: { path: a, when: "value == false", else: keep }', 'inputs:\n  a: true\n'],
    [
      'inputs:\n  a: 1\n',
      'ask: { path: class, type: enum, options: [public, pii] }',
      'inputs:\n  a: 1\n  class: "?? one of public, pii"\n',
    ],
    [
      '',
      'ask: { path: class, type: enum, options: [public, pii], suggest: pii }',
      'inputs:\n  class: "?? one of public, pii, perhaps pii"\n',
    ],
    ['inputs:\n  class: pii\n', 'ask: { path: class, type: enum, options: [public, pii] }', 'inputs:\n  class: pii\n'],
    [
      'stages:\n  dev: { inputs: { class: pii } }\n',
      'ask: { path: class, type: string }',
      'stages:\n  dev: { inputs: { class: pii } }\n',
    ],
  ])('of %j by %j', (body, step, expected) => {
    expect(upgraded(body, `inputs:\n  - ${step}\n`)).toBe(expected)
  })
})

test('what is asked for moves with its input, and is asked once', () => {
  const steps = 'inputs:\n  - ask: { path: a, type: integer }\n  - rename: { from: a, to: s.b }\n'
  const migrated = stepped(`${head}inputs: {}\n`, steps)
  expect(migrated.asks.map(({ path, expected }) => [path.join('.'), expected])).toEqual([
    ['inputs.s.b', 'a whole number'],
  ])
  expect(editYaml('f', `${head}inputs: {}\n`, migrated.edits)).toEqual({
    is: 'edited',
    text: `${head}inputs: { s: { b: "?? a whole number" } }\n`,
  })
})

test.each([
  'map: { path: db_password, values: { a: b }, else: ask }',
  'convert: { path: db_password, as: integer }',
  'remove: { path: db_password, when: "value == 1", else: block }',
])('what looks like a secret by its name stands in no words: %s', (step) => {
  const { asks, blocks } = stepped(`${head}inputs:\n  db_password: x9Q!v2Lm7#Tz4w\n`, `inputs:\n  - ${step}\n`)
  const words = [...asks, ...blocks].map(({ why }) => why)
  expect(words).toHaveLength(1)
  expect(words.join('\n')).not.toContain('x9Q')
})

test('an id that is kept is kept under the newest name', () => {
  const steps = 'resources:\n  - keep_id: { from: B, to: C }\n'
  expect(upgraded('keep: { B: A } # long ago\n', steps)).toBe('keep: { C: A } # long ago\n')
  expect(upgraded('hosts: []\n', steps)).toBe('hosts: []\nkeep:\n  C: B\n')
  const home = stepped(`${head}keep:\n  B: C\n  D: E\n`, steps)
  expect(home.edits).toEqual([{ is: 'remove', path: ['keep', 'B'] }])
})

test('the inputs of a pipeline have steps of their own', () => {
  const steps = 'pipeline:\n  - rename: { from: a, to: b }\n'
  expect(upgraded('inputs: { a: 1 }\npipeline:\n  inputs: { a: 2 }\n', steps)).toBe(
    'inputs: { a: 1 }\npipeline:\n  inputs: { b: 2 }\n',
  )
})
