import { Ajv } from 'ajv'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Data, type DataMap, Float, isList, isMap, mapOf } from '../../../src/core/data.ts'
import { linearPattern, ownPattern } from '../../../src/core/pattern.ts'
import { catalogSchema } from '../../../src/core/schemas/catalog.ts'
import { environmentSchema } from '../../../src/core/schemas/environment.ts'
import { requestSchema } from '../../../src/core/schemas/request.ts'
import { serviceSchema } from '../../../src/core/schemas/service.ts'
import { templateSchema } from '../../../src/core/schemas/template.ts'
import { faultsOf, faultsOfOwn } from '../../../src/core/shape/faults.ts'

describe('what is a fault is what Ajv takes for one', () => {
  const scalar = fc.oneof(
    fc.constantFrom<Data>(null, true, false, 0, 1, 2, 3, 7, -1, new Float(2), new Float(0.5)),
    fc.constantFrom<Data>(
      '',
      'a',
      'ab',
      'abc',
      'rest',
      '1',
      '\u{1f600}',
      '\u{1f600}\u{1f600}',
      '\ud83d',
      9007199254740993n,
    ),
  )
  const key = fc.constantFrom('a', 'b', 'c', '0', 'a/b', '~')
  const { value } = fc.letrec<{ value: Data }>((tie) => ({
    value: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      scalar,
      fc.array(tie('value'), { maxLength: 4 }),
      fc.array(fc.tuple(key, tie('value')), { maxLength: 4 }).map((entries) => mapOf(entries)),
    ),
  }))
  const count = fc.integer({ min: 0, max: 3 })
  const number = fc.constantFrom<Data>(0, 1, 2, new Float(0.5), new Float(2))
  const plainly = { requiredKeys: [] }
  const { schema } = fc.letrec<{ schema: DataMap }>((tie) => ({
    schema: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      fc.record({ enum: fc.array(scalar, { minLength: 1, maxLength: 4 }) }, plainly),
      fc.record({ const: scalar }, plainly),
      fc.record({ type: fc.constantFrom('boolean', 'null', 'integer', 'number', 'string') }, plainly),
      fc.record(
        {
          type: fc.constantFrom<Data>('number', 'integer', ['integer', 'null']),
          minimum: number,
          maximum: number,
          exclusiveMinimum: number,
          exclusiveMaximum: number,
          multipleOf: fc.constantFrom<Data>(1, 2, new Float(0.5)),
        },
        plainly,
      ),
      fc.record(
        {
          type: fc.constantFrom<Data>('string', ['string', 'integer']),
          minLength: count,
          maxLength: count,
          pattern: fc.constantFrom('^a', 'b$', '^(rest|[0-9]+)$'),
        },
        plainly,
      ),
      fc.record(
        {
          type: fc.constant('array'),
          items: tie('schema'),
          minItems: count,
          maxItems: count,
        },
        plainly,
      ),
      // With `items`, Ajv compares those alone that have the right type.
      fc.record({ type: fc.constant('array'), uniqueItems: fc.boolean() }, plainly),
      fc.record(
        {
          type: fc.constantFrom<Data>('object', ['object', 'null']),
          properties: fc.dictionary(key, tie('schema'), { maxKeys: 3 }).map((map) => mapOf(Object.entries(map))),
          required: fc.uniqueArray(key, { minLength: 1, maxLength: 2 }),
          additionalProperties: fc.oneof(fc.boolean(), tie('schema')),
          propertyNames: tie('schema'),
          minProperties: count,
          maxProperties: count,
        },
        plainly,
      ),
      fc.record({ not: tie('schema') }, plainly),
    ),
  }))

  test('of any schema and any value', () => {
    fc.assert(
      fc.property(schema, value, (rules, data) => {
        expect(places(rules, data)).toEqual(placesOfAjv(rules, data))
      }),
      { numRuns: 1500 },
    )
  })

  test.each([
    ['catalog', catalogSchema],
    ['environment', environmentSchema],
    ['service', serviceSchema],
    ['template', templateSchema],
    ['request', requestSchema],
  ])('of the schema of a %s file and what nearly fits it', (_name, rules) => {
    fc.assert(
      fc.property(nearly(rules, value), (data) => {
        expect(places(rules, data)).toEqual(placesOfAjv(rules, data))
        expect(faultsOfOwn(rules, data)).toEqual(faultsOf(rules, data))
      }),
      { numRuns: 150 },
    )
  })
})

describe('the patterns of our own schemas', () => {
  const schemas = [catalogSchema, environmentSchema, requestSchema, serviceSchema, templateSchema]
  const patterns = [...new Set(schemas.flatMap(patternsIn))]

  test.each(patterns)('%s finds by either engine the same', (source) => {
    const like = fc.stringMatching(new RegExp(source, 'u'))
    const unlike = fc
      .tuple(like, fc.string({ maxLength: 3 }), fc.nat(20))
      .map(([text, more, at]) => text.slice(0, at) + more + text.slice(at))
    fc.assert(
      fc.property(
        fc.oneof(like, unlike, fc.string({ unit: fc.constantFrom('a', '-', '1', '.', '/', '\n'), maxLength: 300 })),
        (text) => {
          const linear = linearPattern(source)
          expect(ownPattern(source)(text)).toBe('pattern' in linear && linear.pattern.test(text))
        },
      ),
      { numRuns: 50 },
    )
  })

  test.each(patterns)('%s comes to an end with every long text', (source) => {
    for (const part of ['a', 'A', '1', '-a', 'a-', 'a.', '/a', '::a', '{stage}', '.', '_']) {
      for (const end of ['', '!', '-', '\n']) {
        const long = part.repeat(256).slice(0, 255) + end
        expect(ownPattern(source)(long)).toBe(new RegExp(source, 'u').test(long))
      }
    }
  })
})

test('infinity is a number, and no whole one', () => {
  const infinity = new Float(Infinity)
  expect(faultsOf({ type: 'number', minimum: 1 }, infinity)).toEqual([])
  expect(faultsOf({ type: 'number', enum: [1, infinity] }, infinity)).toEqual([])
  expect(faultsOf({ type: 'integer' }, infinity).map(({ is }) => is)).toEqual(['type'])
  expect(faultsOf({ type: 'number', maximum: 1 }, infinity).map(({ is }) => is)).toEqual(['value'])
})

test('a keyword that is not read is a bug, wherever it stands, and none of ours is', () => {
  expect(() => faultsOf({ properties: { a: { anyOf: [{ type: 'string' }] } } }, mapOf())).toThrow('anyOf is not read')
})

test('each place has one fault, and what has a wrong type is told that alone', () => {
  const schema = { type: 'object', properties: { a: { type: 'string', minLength: 3, pattern: '^b', enum: ['bcd'] } } }
  expect(faultsOf(schema, mapOf([['a', 'x']])).map(({ path, is }) => [path, is])).toEqual([[['a'], 'value']])
  expect(faultsOf(schema, mapOf([['a', 1]])).map(({ path, is }) => [path, is])).toEqual([[['a'], 'type']])
})

test('a wrong name of a key is told on the key, by what names have to be', () => {
  const schema = { type: 'object', propertyNames: { pattern: '^[a-z]+$', 'x-protium-expected': 'Small letters.' } }
  expect(faultsOf(schema, mapOf([['A1', 1]]))).toEqual([
    { is: 'value', path: ['A1'], onKey: true, why: 'cannot be used', expected: 'Small letters.' },
  ])
})

/** Values that have the keys and types of a schema here and there, and anything elsewhere. */
function nearly(schema: Data | undefined, anything: fc.Arbitrary<Data>): fc.Arbitrary<Data> {
  if (!isMap(schema)) return anything
  const types = isList(schema['type']) ? schema['type'] : [schema['type']]
  const words = isList(schema['enum']) ? fc.constantFrom(...schema['enum']) : undefined
  const fitting = types.map((type): fc.Arbitrary<Data> => {
    if (words !== undefined) return words
    if (type === 'string') return fc.constantFrom('a', 'dev', '1.0.0', '72h', '{service}.{domain}', 'A B', '@x/y')
    if (type === 'boolean') return fc.boolean()
    if (type === 'integer') return fc.integer({ min: -1, max: 1100 })
    if (type === 'array') return fc.array(nearly(schema['items'], anything), { maxLength: 3 })
    if (type !== 'object') return anything
    const properties = isMap(schema['properties']) ? schema['properties'] : mapOf()
    const known = fc
      .record(Object.fromEntries(Object.entries(properties).map(([key, rules]) => [key, nearly(rules, anything)])), {
        requiredKeys: [],
      })
      .map((record) =>
        Object.entries(record).flatMap(([key, item]) => (item === undefined ? [] : [[key, item] as const])),
      )
    const others = fc.array(
      fc.tuple(
        fc.constantFrom('dev', 'x', 'component', 'Not A Name'),
        nearly(schema['additionalProperties'], anything),
      ),
      { maxLength: 2 },
    )
    return fc.tuple(known, others).map(([some, more]) => mapOf([...some, ...more]))
  })
  return fc.oneof({ weight: 6, arbitrary: fc.oneof(...fitting) }, { weight: 1, arbitrary: anything })
}

/** Where the faults are: the places of values, and keys that are missing or unknown. */
function places(schema: DataMap, value: Data): readonly string[] {
  const found = faultsOf(schema, value).map((fault) =>
    JSON.stringify([...fault.path.map(String), ...('key' in fault ? [fault.is, fault.key] : [])]),
  )
  return [...new Set(found)].toSorted()
}

function placesOfAjv(schema: DataMap, value: Data): readonly string[] {
  const ajv = new Ajv({
    strict: false,
    allErrors: true,
    meta: false,
    validateSchema: false,
    validateFormats: false,
    ownProperties: true,
    addUsedSchema: false,
    code: { optimize: false },
  })
  const validate = ajv.compile(Object(plain(schema)))
  validate(plain(value))
  const found = (validate.errors ?? []).flatMap(({ instancePath, keyword, params, propertyName }) => {
    if (propertyName !== undefined) return []
    const path = instancePath
      .split('/')
      .slice(1)
      .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))
    if (keyword === 'required') return [[...path, 'missing', String(params['missingProperty'])]]
    if (keyword === 'additionalProperties') return [[...path, 'unknown', String(params['additionalProperty'])]]
    return [[...path, ...(keyword === 'propertyNames' ? [String(params['propertyName'])] : [])]]
  })
  return [...new Set(found.map((path) => JSON.stringify(path)))].toSorted()
}

function patternsIn(schema: Data): readonly string[] {
  if (isList(schema)) return schema.flatMap(patternsIn)
  if (!isMap(schema)) return []
  return Object.entries(schema).flatMap(([key, value]) =>
    key === 'pattern' && typeof value === 'string' ? [value] : patternsIn(value),
  )
}

/** In JavaScript's own types. */
function plain(value: Data): unknown {
  if (value instanceof Float) return value.value
  if (typeof value === 'bigint') return Number(value)
  if (isList(value)) return value.map(plain)
  if (!isMap(value)) return value
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, plain(item)]))
}
