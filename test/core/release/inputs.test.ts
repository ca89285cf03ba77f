import { describe, expect, test } from 'vitest'

import { compareInputs } from '../../../src/core/release/inputs.ts'
import { levelOf } from '../../../src/core/release/level.ts'
import type { InputSchema } from '../../../src/core/schema.ts'
import { readSchema } from '../../../src/core/schema.ts'
import { readYaml } from '../../../src/core/yaml.ts'

/** The schema of a service with these properties, as YAML in one line. */
function schema(properties: string, more = ''): InputSchema {
  const text = `schema:
  format: { openapi: "3.0.0" }
  service_input_type: Service
  types:
    Service:
      type: object
      properties: ${properties}
${more === '' ? '' : `      ${more}\n`}`
  const document = readYaml('schema.yaml', text, 'schema')
  const read = document.ok ? readSchema(document.value) : document
  if (!read.ok || read.value.service === undefined) throw new Error(JSON.stringify(read.problems))
  return read.value.service
}

const nowhere = { file: 'schema.yaml', line: 1, column: 1 }

function compared(before: readonly [string, string?], after: readonly [string, string?]) {
  return compareInputs(schema(...before), schema(...after), nowhere)
}

describe('a change of a schema', () => {
  test.each<readonly [string, string, 'none' | 'minor' | 'major']>([
    // Of one input `a`, before and after.
    ['{ type: string }', '{ type: string, description: A word. }', 'none'],
    ['{ type: string }', '{ type: integer }', 'major'],
    ['{ type: integer }', '{ type: number }', 'minor'],
    ['{ type: number }', '{ type: integer }', 'major'],
    ['{ type: string }', '{ type: string, nullable: true }', 'minor'],
    ['{ type: string, nullable: true }', '{ type: string }', 'major'],
    ['{ type: string, default: x }', '{ type: string, default: y }', 'minor'],
    ['{ type: string, default: x }', '{ type: string }', 'minor'],
    ['{ type: string }', '{ type: string, default: x }', 'minor'],
    ['{ type: string, enum: [x, y] }', '{ type: string, enum: [y, x] }', 'none'],
    ['{ type: string, enum: [x, y] }', '{ type: string, enum: [x] }', 'major'],
    ['{ type: string, enum: [x] }', '{ type: string, enum: [x, y] }', 'minor'],
    ['{ type: string, enum: [x] }', '{ type: string }', 'minor'],
    ['{ type: string }', '{ type: string, enum: [x] }', 'major'],
    ['{ type: integer }', '{ type: integer, minimum: 1 }', 'major'],
    ['{ type: integer, minimum: 1 }', '{ type: integer, minimum: 2 }', 'major'],
    ['{ type: integer, minimum: 2 }', '{ type: integer, minimum: 1 }', 'minor'],
    ['{ type: integer, minimum: 2 }', '{ type: integer }', 'minor'],
    ['{ type: integer, maximum: 9 }', '{ type: integer, maximum: 8 }', 'major'],
    ['{ type: integer, maximum: 8 }', '{ type: integer, maximum: 9 }', 'minor'],
    ['{ type: integer }', '{ type: integer, maximum: 9 }', 'major'],
    ['{ type: number, minimum: 1 }', '{ type: number, minimum: 1, exclusiveMinimum: true }', 'major'],
    ['{ type: number, maximum: 1, exclusiveMaximum: true }', '{ type: number, maximum: 1 }', 'minor'],
    ['{ type: integer }', '{ type: integer, multipleOf: 2 }', 'major'],
    ['{ type: integer, multipleOf: 4 }', '{ type: integer, multipleOf: 2 }', 'minor'],
    ['{ type: integer, multipleOf: 2 }', '{ type: integer, multipleOf: 4 }', 'major'],
    ['{ type: integer, multipleOf: 2 }', '{ type: integer }', 'minor'],
    ['{ type: string }', '{ type: string, minLength: 1 }', 'major'],
    ['{ type: string, minLength: 2 }', '{ type: string, minLength: 1 }', 'minor'],
    ['{ type: string, maxLength: 9 }', '{ type: string, maxLength: 8 }', 'major'],
    ['{ type: string, maxLength: 8 }', '{ type: string }', 'minor'],
    // A text without a word of its length has at most 4,096 characters, and one that says more may have more.
    ['{ type: string }', '{ type: string, maxLength: 4096 }', 'none'],
    ['{ type: string }', '{ type: string, maxLength: 5000 }', 'minor'],
    ['{ type: string, maxLength: 5000 }', '{ type: string }', 'major'],
    ['{ type: string }', '{ type: string, pattern: "^a" }', 'major'],
    ['{ type: string, pattern: "^a" }', '{ type: string, pattern: "^(a|b)" }', 'major'],
    ['{ type: string, pattern: "^a" }', '{ type: string }', 'minor'],
    ['{ type: array, items: { type: string } }', '{ type: array, items: { type: string }, minItems: 1 }', 'major'],
    ['{ type: array, items: { type: string } }', '{ type: array, items: { type: string }, maxItems: 5 }', 'major'],
    ['{ type: array, items: { type: string }, maxItems: 5 }', '{ type: array, items: { type: string } }', 'minor'],
    [
      '{ type: array, items: { type: string } }',
      '{ type: array, items: { type: string }, uniqueItems: true }',
      'major',
    ],
    ['{ type: array, items: { type: string } }', '{ type: array, items: { type: integer } }', 'major'],
    ['{ type: array, items: { type: integer } }', '{ type: array, items: { type: number } }', 'minor'],
    ['{ type: array }', '{ type: array, items: { type: string } }', 'major'],
    [
      '{ type: object, additionalProperties: { type: string } }',
      '{ type: object, additionalProperties: { type: string }, maxProperties: 3 }',
      'major',
    ],
    ['{ type: object, additionalProperties: true }', '{ type: object, additionalProperties: false }', 'major'],
    [
      '{ type: object, additionalProperties: { type: string } }',
      '{ type: object, additionalProperties: { type: string, enum: [x] } }',
      'major',
    ],
    [
      '{ type: object, additionalProperties: { type: string } }',
      '{ type: object, additionalProperties: true }',
      'minor',
    ],
    [
      '{ type: object, properties: { b: { type: string } } }',
      '{ type: object, properties: { c: { type: string } } }',
      'major',
    ],
    [
      '{ type: object, properties: { b: { type: string } } }',
      '{ type: object, properties: { b: { type: string }, c: { type: string } } }',
      'minor',
    ],
    [
      '{ type: object, properties: { b: { type: string } } }',
      '{ type: object, properties: { b: { type: string } }, required: [b] }',
      'major',
    ],
    [
      '{ type: object, properties: { b: { type: string } }, required: [b] }',
      '{ type: object, properties: { b: { type: string } } }',
      'minor',
    ],
    [
      '{ type: object, properties: { b: { type: string, minLength: 2 } } }',
      '{ type: object, properties: { b: { type: string, minLength: 3 } } }',
      'major',
    ],
    ['{ type: string }', '{ type: string, x-protium-secret: true }', 'major'],
    ['{ type: string, x-protium-secret: true }', '{ type: string }', 'none'],
    ['{ type: string }', '{ type: string, x-protium-image: true }', 'major'],
    ['{ type: string, x-protium-image: true }', '{ type: string }', 'major'],
    ['{ type: string }', '{ type: string, x-protium-host: true }', 'minor'],
    ['{ type: string, x-protium-host: true }', '{ type: string }', 'major'],
    ['{ type: string }', '{ type: string, x-protium-service: true }', 'none'],
  ])('from %s to %s asks for: %s', (before, after, level) => {
    expect(levelOf(compared([`{ a: ${before} }`], [`{ a: ${after} }`]))).toBe(level)
  })

  test('names an input that was removed, and the one that it may be called now', () => {
    const [removed, added] = compared(['{ size: { type: string } }'], ['{ cpu: { type: string } }'])

    expect(removed).toMatchObject({ level: 'major', what: 'The input "size" was removed, or is called "cpu" now.' })
    expect(added).toMatchObject({ level: 'minor', what: 'The input "cpu" is new.' })
  })

  test('pairs several that are gone by their likeness, each new one once; what is like none is only gone', () => {
    const removed = (before: string, after: string) =>
      compared([before], [after]).flatMap(({ what }) => (what.includes('was removed') ? [what] : []))

    expect(
      removed(
        '{ desired_count: { type: integer }, timeout_seconds: { type: integer } }',
        '{ tasks: { type: integer }, timeout_second: { type: integer } }',
      ),
    ).toEqual([
      'The input "desired_count" was removed.',
      'The input "timeout_seconds" was removed, or is called "timeout_second" now.',
    ])
    expect(
      removed('{ alpha1: { type: string }, alpha2: { type: string } }', '{ alpha3: { type: string } }'),
    ).toHaveLength(2)
    expect(
      removed('{ alpha1: { type: string }, alpha2: { type: string } }', '{ alpha3: { type: string } }').filter((what) =>
        what.includes('alpha3'),
      ),
    ).toHaveLength(1)
  })

  test('marks what everybody has to give now, also inside of an input; not what has a default, and not the address', () => {
    const asks = (before: readonly [string, string?], after: readonly [string, string?]) =>
      compared(before, after).flatMap((reason) => (reason.asks === undefined ? [] : [reason.asks.join('.')]))

    expect(asks(['{ a: { type: string } }'], ['{ a: { type: string } }', 'required: [a]'])).toEqual(['a'])
    expect(asks(['{}'], ['{ a: { type: string } }', 'required: [a]'])).toEqual(['a'])
    expect(asks(['{}'], ['{ a: { type: string, default: x } }', 'required: [a]'])).toEqual([])
    expect(asks(['{}'], ['{ a: { type: string, x-protium-host: true } }', 'required: [a]'])).toEqual([])
    expect(
      asks(
        ['{ a: { type: object, properties: { b: { type: string } } } }'],
        ['{ a: { type: object, properties: { b: { type: string } }, required: [b] } }'],
      ),
    ).toEqual(['a.b'])
    // A default that is taken away from what is required makes it one that has to be given.
    expect(
      asks(['{ a: { type: string, default: x } }', 'required: [a]'], ['{ a: { type: string } }', 'required: [a]']),
    ).toEqual(['a'])
  })

  test('is told at its line', () => {
    expect(compared(['{ a: { type: string } }'], ['{ a: { type: integer } }'])[0]?.at).toMatchObject({ line: 7 })
  })
})
