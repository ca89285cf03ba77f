import { describe, expect, test } from 'vitest'
import { checkMigrations, readMigrations } from '../../../src/core/migration.ts'
import type { Bundle } from '../../../src/core/bundle.ts'
import { bundle, migrationsOf } from './fixtures.ts'

function problems(text: string, name = '2.0.0.yaml'): readonly string[] {
  const read = readMigrations(new Map([[`migrations/${name}`, text]]), 'templates/web')
  const found = read.ok
    ? checkMigrations({
        migrations: read.value,
        bundles: new Map([
          [2, bundle('2.0.0', 'a: { type: string }\ns: { type: object, properties: { n: { type: integer } } }')],
        ]),
      })
    : read.problems
  return found.map(({ code, at, message }) => `${code} ${at?.line ?? 0}:${at?.column ?? 0} ${message}`)
}

const example = 'examples: [{ before: {}, after: {} }]\n'

describe('the file of a migration', () => {
  test.each([
    ['notes: New.\n', []],
    [`inputs:\n  - rename: { from: b, to: a }\n${example}`, []],
    [
      'inputs:\n  - rename: { from: b, to: a }\n',
      ['migration-example 1:1 The migration to 2.0.0 changes inputs, and no example shows how.'],
    ],
    ['to: 2.0.1\n', ['migration-version 1:5 The migration leads to 2.0.1, and its file is called 2.0.0.']],
    [
      'inputs:\n  - rename: { from: a, to: a.b }\n',
      [
        'migration-step 2:28 One of the two names lies inside of the other, so that nobody could tell whether it was done already.',
      ],
    ],
    [
      'inputs:\n  - map: { path: a, values: { x: y, y: z } }\n',
      ['migration-step 2:34 "x" becomes "y", which is itself to become something else.'],
    ],
    [`inputs:\n  - rename: { from: b, to: s.m }\n${example}`, ['migration-step 2:5 The version has no input "s.m".']],
    [
      'inputs:\n  - compute: { path: a, expr: "a +" }\n',
      ["migration-step 2:31 The expression cannot be read: Unexpected ')'."],
    ],
    [
      'inputs:\n  - compute: { path: a, expr: "1) }}{% for x in y %}{{ (1" }\n',
      ['migration-step 2:31 The expression cannot be read: it holds marks of a template, and is an expression alone'],
    ],
    ['inputs:\n  - rename: { from: a }\n', ['missing-key 2:5 The key "inputs[0].rename.to" is missing.']],
    [
      'inputs:\n  - remove: { path: a, else: keep }\n',
      ['migration-step 2:30 `else:` says what is done otherwise, and there is no `when:`.'],
    ],
    [
      'inputs:\n  - ask: { path: a, type: enum }\n',
      ['migration-step 2:27 One of several answers is asked for, and none is named.'],
    ],
    [
      'inputs:\n  - ask: { path: a, type: enum, options: [x], suggest: y }\n',
      ['migration-step 2:56 What is suggested is none of the answers.'],
    ],
    [
      'resources:\n  - keep_id: { from: A, to: B }\n  - keep_id: { from: B, to: C }\n',
      ['migration-step 3:14 "B" stands in two of the lines.'],
    ],
    ['inputs: [{ move: { path: a } }]\n', ['unknown-key 1:12 A migration has no key "inputs[0].move".']],
  ])('%j', (text, expected) => {
    expect(problems(text)).toEqual(expected)
  })

  test('is called by its version', () => {
    expect(problems('', 'two.yaml')).toEqual(['migration-version 1:1 "two.yaml" is not called as a migration is.'])
  })
})

describe('an example', () => {
  test.each([
    ['rename: { from: b, to: a }', '{ before: { b: x }, after: { a: x } }', []],
    [
      'rename: { from: b, to: a }',
      '{ name: one, before: { b: x }, after: { b: x } }',
      ['migration-example 4:5 The example "one" comes out otherwise: the inputs are {"a":"x"}.'],
    ],
    ['ask: { path: a, type: string }', '{ before: {}, after: {}, ask: [a] }', []],
    [
      'ask: { path: a, type: string }',
      '{ before: {} }',
      ['migration-example 4:5 The example "example 1" comes out otherwise: it asks for a.'],
    ],
    ['remove: { path: b, when: "value == 1" }', '{ before: { b: 2 }, after: { b: 2 }, block: [b] }', []],
    [
      'default: { path: s.n, value: no-number }',
      '{ before: {}, after: { s: { n: no-number } } }',
      [
        'input-type 4:5 What the example "example 1" becomes is no input of the version: The input "s.n" ("no-number") is text, and a whole number is wanted.',
      ],
    ],
  ])('of %j: %j', (step, written, expected) => {
    expect(problems(`inputs:\n  - ${step}\nexamples:\n  - ${written}\n`)).toEqual(expected)
  })
})

describe('what no version has', () => {
  const told = (version: string, text: string, bundles: readonly Bundle[]): readonly string[] =>
    checkMigrations({
      migrations: migrationsOf({ [version]: text }),
      bundles: new Map(bundles.map((each) => [Number(each.version.split('.')[0]), each])),
    }).map(({ severity, message }) => `${severity} ${message}`)
  const v2 = bundle('2.0.0', 'a: { type: string }')

  test.each([
    ['2.0.0', []],
    ['1.9.0', []],
    ['2.0.1', ['warning The migration leads to 2.0.1, and the newest version is 2.0.0: nobody takes it.']],
  ])('is told of a migration to %s', (version, expected) => {
    expect(told(version, 'notes: Hello\n', [v2])).toEqual(expected)
  })

  test('is no matter where the version was released before', () => {
    expect(told('2.0.0', 'notes: Hello\n', [bundle('2.4.0', 'a: { type: string }')])).toEqual([])
  })

  test('is told of an id that is to be kept', () => {
    const named = {
      ...v2,
      files: new Map([...v2.files, ['instance_infrastructure/a.yaml', 'Resources: { Queue2: {} }\n']]),
    }
    const keep = 'resources: [{ keep_id: { from: Queue, to: Queue2 } }]\n'

    expect(told('2.0.0', keep, [named])).toEqual([])
    expect(told('2.0.0', keep, [v2])).toEqual(['warning No file of version 2.0.0 names a resource "Queue2".'])
  })
})
