import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Data, type DataMap, Float, isMap, mapOf } from '../../src/core/data.ts'
import { type BundleSchema, checkInputs, checkSecrets, inputsAt, readSchema } from '../../src/core/schema.ts'
import type { Checked, Problem } from '../../src/core/problem.ts'
import { readYaml } from '../../src/core/yaml.ts'
import { lines, schemaFile } from './trees.ts'

function schemaOf(text: string): Checked<BundleSchema> {
  const document = readYaml('schema.yaml', text, 'schema')
  if (!document.ok) throw new Error(JSON.stringify(document.problems))
  return readSchema(document.value)
}

/** The schema of a service with the given properties, which has to be good. */
function service(properties: string) {
  const read = schemaOf(schemaFile('service', lines(properties)))
  if (!read.ok || read.value.service === undefined) throw new Error(JSON.stringify(read.problems))
  return read.value.service
}

function faults(properties: string): string[] {
  return schemaOf(schemaFile('service', lines(properties))).problems.map(
    ({ severity, code, message }) => `${severity} ${code}: ${message}`,
  )
}

function check(properties: string, spec: string): Checked<DataMap> {
  const document = readYaml('service.yaml', lines(spec), 'own')
  if (!document.ok) throw new Error(JSON.stringify(document.problems))
  const data = document.value.data
  const inputs = isMap(data) ? data['inputs'] : undefined
  return checkInputs(service(properties), isMap(inputs) ? inputs : mapOf(), inputsAt(document.value, ['inputs']))
}

function told({ problems }: { readonly problems: readonly Problem[] }): string[] {
  return problems.map(({ code, at, message }) => `${code} ${at?.line}:${at?.column} ${message}`)
}

function plain(data: Data | undefined): unknown {
  if (data instanceof Float) return data.value
  if (Array.isArray(data)) return data.map(plain)
  return isMap(data) ? Object.fromEntries(Object.entries(data).map(([key, value]) => [key, plain(value)])) : data
}

const port = `
  properties:
    port: { type: integer, default: 80, minimum: 1, maximum: 65535 }
    size: { type: string, enum: [small, large], default: small }
    name: { type: string, minLength: 2, maxLength: 5 }
    cidr: { type: string, pattern: '([0-9]{1,3}\\.){3}[0-9]{1,3}($|/(16|24))' }
    steps: { type: array, items: { type: integer }, maxItems: 2, uniqueItems: true }
    half: { type: number, multipleOf: 0.5 }
    open: { type: boolean }
`

describe('a schema file', () => {
  test('has its inputs in the order of the file, with their defaults', () => {
    const schema = service(port)
    expect([...schema.inputs.keys()]).toEqual(['port', 'size', 'name', 'cidr', 'steps', 'half', 'open'])
    expect(schema.inputs.get('port')).toMatchObject({ required: false, default: 80, at: { line: 8 } })
  })

  test('may have its keys in any order and types without properties', () => {
    const read = schemaOf(
      'schema:\n  types:\n    P: { type: object }\n    S: { type: object }\n  pipeline_input_type: P\n  service_input_type: S\n  format: { openapi: "3.0.0" }\n',
    )
    expect(read.problems).toEqual([])
    expect(read.ok && [read.value.service?.inputs.size, read.value.pipeline?.inputs.size]).toEqual([0, 0])
  })

  test.each([
    ['#/Port', true],
    ['#/components/schemas/Port', true],
    ['#/types/Port', true],
    ['#/Prot', false],
    ['other.yaml#/Port', false],
    ['https://example.com/x', false],
  ])('a reference %s is read: %s', (reference, good) => {
    const text = `schema:\n  format: { openapi: "3.0.0" }\n  service_input_type: S\n  types:\n    S: { type: object, properties: { port: { $ref: '${reference}', description: mine } } }\n    Port: { type: integer, default: 80 }\n`
    const read = schemaOf(text)
    expect(read.problems.map(({ code }) => code)).toEqual(good ? [] : ['schema-ref'])
    if (read.ok) expect(read.value.service?.inputs.get('port')).toMatchObject({ default: 80, description: 'mine' })
  })

  test('a type inside itself is refused, with the way round', () => {
    const text =
      'schema:\n  format: { openapi: "3.0.0" }\n  service_input_type: A\n  types:\n    A: { type: object, properties: { b: { $ref: "#/B" } } }\n    B: { type: object, properties: { a: { $ref: "#/A" } } }\n'
    expect(schemaOf(text).problems.map(({ message }) => message)).toEqual(['The type "A" contains itself (A → B → A).'])
  })

  test('references that multiply are refused before they grow', () => {
    const types = Array.from(
      { length: 14 },
      (_, n) => `    T${n}: { type: object, properties: { a: { $ref: "#/T${n + 1}" }, b: { $ref: "#/T${n + 1}" } } }\n`,
    )
    const text = `schema:\n  format: { openapi: "3.0.0" }\n  service_input_type: T0\n  types:\n${types.join('')}    T14: { type: string }\n`
    expect(schemaOf(text).problems.map(({ code }) => code)).toContain('schema-limit')
  })

  test('more than 500 properties are refused', () => {
    const many = Array.from({ length: 501 }, (_, n) => `  p${n}: { type: string }`).join('\n')
    expect(faults(`properties:\n${many}`)).toEqual([expect.stringContaining('schema-limit')])
  })

  test.each<[string, readonly string[]]>([
    ['properties: { a: { type: string, Default: x, Title: y } }', ['warning schema-keyword', 'warning schema-keyword']],
    ['properties: { a: { type: integer, format: int8 }, b: { type: string, format: date } }', []],
    ['properties: { a: { type: integer, exclusiveMinimum: true, minimum: 1 } }', []],
    ['properties: { a: { type: string, required: true } }', ['warning schema-keyword']],
    ['properties: { a: { type: string, example: x, title: T, x-note: y } }', []],
    ['properties: { a: { type: integer, default: many } }', ['warning schema-default']],
    ['properties: { a: { type: strnig } }', ['error schema-keyword']],
    ['properties: { a: { oneOf: [] } }', ['error schema-keyword']],
    ['properties: { a: { type: integer, minimum: "1" } }', ['error schema-keyword']],
    ['properties: { a: { type: string, x-protium-secrt: true } }', ['error schema-keyword']],
    ['properties: { a: { type: string, x-protium-secret: 1 } }', ['error schema-keyword']],
    ['properties: { a: { type: string, x-protium-host: true } }', []],
    ['properties: { a: { type: integer, x-protium-host: true } }', ['error schema-keyword']],
    [
      'properties: { a: { type: string, x-protium-host: true }, b: { type: string, x-protium-host: true } }',
      ['error schema-keyword'],
    ],
    ['properties: { a: { type: array, items: { type: string, x-protium-host: true } } }', ['error schema-keyword']],
    ['properties: { a: { type: array, items: { type: string, x-protium-service: true } } }', []],
    ['properties: { a: { type: array, x-protium-service: true } }', ['error schema-keyword']],
    ['properties: { a: { type: string } }\nrequired: [b]', ['error schema-keyword']],
    ['properties: { constructor: { type: string } }', ['error schema-keyword']],
    ['properties: { a: { type: array, uniqueItems: true, items: { type: object } } }', ['error schema-keyword']],
    ['properties: { a: { type: string, pattern: "(?=x)y" } }', ['error schema-pattern']],
    ['properties: { a: { type: string, pattern: "(a)\\\\1" } }', ['error schema-pattern']],
    ['properties: { a: { type: string, pattern: "([a-z]{0,200}){0,9}" } }', ['error schema-pattern']],
    ['properties: { a: { type: string, pattern: "[a-z]{500}", maxLength: 60000 } }', ['error schema-pattern']],
    [`properties: { a: { type: string, pattern: "${'a'.repeat(201)}" } }`, ['error schema-pattern']],
  ])('%s', (properties, expected) => {
    expect(faults(properties).map((text) => text.split(':')[0])).toEqual(expected)
  })

  test.each([
    ['', 'The file has no `schema:`'],
    ['schema: { format: { openapi: "3.0.0" }, service_input_type: S }', 'The schema has no `types:`'],
    ['schema: { format: { openapi: "3.0.0" }, types: { S: {} } }', 'The schema names no input type'],
    [
      'schema: { format: { openapi: "3.0.0" }, service_input_type: Svc, types: { Svcs: { type: object } } }',
      'The type "Svc" is not under `types:`. Did you mean "Svcs"?',
    ],
    [
      'schema: { format: { openapi: "3.0.0" }, service_input_type: S, types: { S: { type: string } } }',
      'The input type "S" is not an object',
    ],
    [
      'schema: { format: { openapi: "3.0.0" }, service_input_type: S, environment_input_type: S, types: { S: { type: object } } }',
      'of an environment and of a service',
    ],
  ])('%s says: %s', (text, message) => {
    const read = schemaOf(text === '' ? '{}' : text)
    expect(read.ok).toBe(false)
    expect(read.problems.map((problem) => problem.message).join('\n')).toContain(message)
  })
})

describe('inputs', () => {
  test('all faults are found at once, each on its line', () => {
    const spec = `
      inputs:
        port: 99999
        siez: small
        size: big
        name: a
        cidr: none
        steps: [1, 1]
        half: 0.3
        open: "true"
    `
    expect(told(check(port, spec))).toEqual([
      'unknown-input 3:3 The template has no input "siez". Did you mean "size"?',
      'input-value 2:9 The input "port" (99999) is more than 65535.',
      'input-value 4:9 The input "size" ("big") is not one of the allowed values.',
      'input-value 5:9 The input "name" ("a") is shorter than 2 characters.',
      'input-value 6:9 The input "cidr" ("none") does not match the pattern ([0-9]{1,3}\\.){3}[0-9]{1,3}($|/(16|24)).',
      'input-value 7:10 The input "steps" holds an item twice.',
      'input-value 8:9 The input "half" (0.3) is not a multiple of 0.5.',
      'input-type 9:9 The input "open" ("true") is text, and true or false is wanted.',
    ])
  })

  test.each([
    ['port: "8080"', 'Write 8080 without quotes.'],
    ['port:', 'Give it a value, or remove the line to use the default 80.'],
    ['name: 12', 'Put the value in quotes.'],
    ['open: "true"', 'Write true without quotes.'],
  ])('%s is mended so: %s', (line, remedy) => {
    expect(check(port, `inputs:\n  ${line}`).problems.map((problem) => problem.remedy)).toEqual([remedy])
  })

  test('what is expected is said in words', () => {
    const expected = check(port, 'inputs: { port: x, size: 1, name: [], steps: 1 }').problems.map(
      (problem) => problem.expected,
    )
    expect(expected).toEqual([
      'A whole number from 1 to 65535.',
      'One of "small", "large".',
      'Text of 2 to 5 characters.',
      'A list with at most 2 items.',
    ])
  })

  test('defaults are filled in, in the order of the schema; what is neither given nor defaulted is absent', () => {
    const result = check(port, 'inputs: { open: true, port: 8080 }')
    expect(result.ok && Object.entries(result.value)).toEqual([
      ['port', 8080],
      ['size', 'small'],
      ['open', true],
    ])
  })

  test('a required input is missing on the line of `inputs:`, unless it has a default', () => {
    const properties = 'properties: { a: { type: string }, b: { type: string, default: x } }\nrequired: [a, b]'
    const result = check(properties, 'service: x\ninputs: {}')
    expect(told(result)).toEqual([
      'missing-input 2:1 The input "a" is missing, and the template has no default for it.',
    ])
  })

  test('defaults of nested maps and items are filled in where the map is there', () => {
    const properties = `
      properties:
        scaling: { type: object, properties: { min: { type: integer, default: 1 }, max: { type: integer, default: 4 } } }
        alarms: { type: object, default: { loud: true }, properties: { loud: { type: boolean }, level: { type: integer, default: 3 } } }
        rules: { type: array, items: { type: object, required: [path], properties: { path: { type: string }, weight: { type: number, default: 1 } } } }
    `
    const given = check(properties, 'inputs: { scaling: { max: 9 }, rules: [{ path: / }] }')
    expect(given.ok && plain(given.value)).toEqual({
      scaling: { min: 1, max: 9 },
      alarms: { loud: true, level: 3 },
      rules: [{ path: '/', weight: 1 }],
    })
    const absent = check(properties, 'inputs: {}')
    expect(absent.ok && plain(absent.value)).toEqual({ alarms: { loud: true, level: 3 } })
    expect(told(check(properties, 'inputs:\n  rules:\n    - wieght: 2\n'))).toEqual([
      'missing-input 3:7 The input "rules[0].path" is missing, and the template has no default for it.',
      'unknown-input 3:7 The input "rules[0]" has no key "wieght". Did you mean "weight"?',
    ])
  })

  test('a map without described properties takes any key, with values of its type', () => {
    const properties =
      'properties: { env: { type: object, additionalProperties: { type: string } }, free: { type: object } }'
    expect(check(properties, 'inputs: { env: { A: x }, free: { a: 1, b: [2] } }').ok).toBe(true)
    expect(told(check(properties, 'inputs: { env: { A: 1 } }'))).toEqual([
      'input-type 1:21 The input "env.A" (1) is a number, and text is wanted.',
    ])
  })

  test('a number keeps the form that it was written in', () => {
    const result = check('properties: { ratio: { type: number } }', 'inputs: { ratio: 2.0 }')
    expect(result.ok && result.value['ratio']).toEqual(new Float(2))
  })

  test('`nullable` and the boolean `exclusiveMinimum` of OpenAPI 3.0 are understood', () => {
    const properties =
      'properties: { a: { type: string, nullable: true, enum: [x] }, b: { type: integer, minimum: 1, exclusiveMinimum: true } }'
    expect(check(properties, 'inputs: { a: null, b: 2 }').ok).toBe(true)
    expect(told(check(properties, 'inputs: { b: 1 }'))).toEqual([
      'input-value 1:14 The input "b" (1) is not more than 1.',
    ])
  })

  test('two patterns of one schema are told apart', () => {
    const properties =
      "properties: { a: { type: string, pattern: '^[a-z]+$' }, b: { type: string, pattern: '^[0-9]+$' } }"
    expect(check(properties, 'inputs: { a: abc, b: "123" }').ok).toBe(true)
    expect(check(properties, 'inputs: { a: "123", b: abc }').problems).toHaveLength(2)
  })

  test('a pattern that would stall a backtracking engine is matched', () => {
    const result = check(
      "properties: { a: { type: string, pattern: '^(a+)+$' } }",
      `inputs: { a: ${'a'.repeat(4000)}b }`,
    )
    expect(result.problems.map(({ code }) => code)).toEqual(['input-value'])
  })

  test('a text of more than 4,096 characters is refused unless the schema allows it', () => {
    const long = `inputs: { a: ${'x'.repeat(5000)} }`
    expect(check('properties: { a: { type: string } }', long).problems.map(({ code }) => code)).toEqual(['input-value'])
    expect(check('properties: { a: { type: string, maxLength: 6000 } }', long).ok).toBe(true)
  })

  test('inputs that are named like parts of an object are inputs like any other', () => {
    const properties = 'properties: { toString: { type: string, default: x }, valueOf: { type: integer } }'
    const result = check(properties, 'inputs: { valueOf: 1 }')
    expect(result.ok && Object.entries(result.value)).toEqual([
      ['toString', 'x'],
      ['valueOf', 1],
    ])
    expect(check(properties, 'inputs: { hasOwnProperty: 1 }').problems.map(({ code }) => code)).toEqual([
      'unknown-input',
    ])
  })

  test('whatever is given, the check answers, prototypes stay as they are, and what is good is good again', () => {
    const schema = service(port)
    const at = {
      place: () => ({ file: 'f', line: 1, column: 1 }),
      keyPlace: () => ({ file: 'f', line: 1, column: 1 }),
      missing: { file: 'f', line: 1, column: 1 },
    }
    const value = fc.oneof(
      fc.string(),
      fc.integer(),
      fc.boolean(),
      fc.constant(null),
      fc.array(fc.integer({ max: 3 }), { maxLength: 3 }),
      fc.double({ noNaN: true }).map((n) => new Float(n)),
    )
    const key = fc.oneof(fc.constantFrom('port', 'size', 'name', 'steps', '__proto__', 'constructor'), fc.string())
    fc.assert(
      fc.property(fc.array(fc.tuple(key, value), { maxLength: 5 }), (entries) => {
        const result = checkInputs(schema, mapOf(entries), at)
        expect(Object.hasOwn(Object.prototype, 'port')).toBe(false)
        if (!result.ok) return
        expect('toString' in result.value).toBe(false)
        expect(checkInputs(schema, result.value, at)).toEqual(result)
      }),
    )
  })
})

describe('what an upgrade asks for', () => {
  test('is no value, of whatever type it should be', () => {
    const properties = lines(`
      properties:
        size: { type: integer }
        key: { type: string, x-protium-secret: true }
        many: { type: array, items: { type: string } }
    `)
    const spec = 'inputs:\n  size: "?? a whole number"\n  key: "?? a text"\n  many: ["?? a text", b]\n'
    expect(told(check(properties, spec))).toEqual([
      'input-unanswered 2:9 The input "size" has a question in its place, which the upgrade could not answer.',
      'input-unanswered 3:8 The input "key" has a question in its place, which the upgrade could not answer.',
      'input-unanswered 4:10 The input "many[0]" has a question in its place, which the upgrade could not answer.',
    ])
    expect(check(properties, spec).problems[0]?.expected).toBe('What it asks for: a whole number.')
  })
})

describe('secrets', () => {
  const at = inputsAt(
    {
      file: 'f',
      data: null,
      place: () => ({ file: 'f', line: 1, column: 1 }),
      keyPlace: () => ({ file: 'f', line: 1, column: 1 }),
    },
    [],
  )
  const properties = `
    properties:
      password: { type: string, x-protium-secret: true }
      secrets: { type: object, x-protium-secret: true, additionalProperties: { type: string } }
      env: { type: object, additionalProperties: { type: string } }
      sample_token: { type: string, x-protium-secret: false }
  `

  test.each<[string, readonly (readonly [string, Data])[], readonly string[]]>([
    ['a reference', [['password', 'arn:aws:ssm:ap-northeast-2:111111111111:parameter/shop/db']], []],
    ['a path of a parameter', [['secrets', mapOf([['DB', '/shop/dev/db']])]], []],
    ['a value', [['password', 'hunter2']], ['password']],
    ['a value in a map of secrets', [['secrets', mapOf([['DB', 'hunter2']])]], ['secrets.DB']],
    ['a key of AWS in a variable', [['env', mapOf([['WHATEVER', 'AKIAIOSFODNN7EXAMPLE']])]], ['env.WHATEVER']],
    ['a random text under a telling name', [['env', mapOf([['DB_PASSWORD', 'x8Kq2Lz0Vb7Tn4']])]], ['env.DB_PASSWORD']],
    ['an ordinary text under a telling name', [['env', mapOf([['TOKEN_URL', 'https://id.example.com/token']])]], []],
    ['what the schema says is none', [['sample_token', 'ghp_0123456789abcdefghijABCDEFGHIJ012345']], []],
  ])('%s', (_, inputs, named) => {
    const problems = checkSecrets(service(properties), mapOf(inputs), at)
    expect(problems.map(({ message }) => /"([^"]+)"/.exec(message)?.[1])).toEqual(named)
    const shown = JSON.stringify(problems)
    for (const secret of ['hunter2', 'AKIAIOSFODNN7EXAMPLE', 'x8Kq2Lz0Vb7Tn4']) expect(shown).not.toContain(secret)
  })

  test('a value that breaks a rule is not shown when it looks like a secret', () => {
    const result = check(
      'properties: { a: { type: string, maxLength: 3 } }',
      'inputs: { a: ghp_0123456789abcdefghijABCDEFGHIJ012345 }',
    )
    expect(result.problems.map(({ message }) => message)).toEqual([
      'The input "a" (hidden) is longer than 3 characters.',
    ])
  })
})
