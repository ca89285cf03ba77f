import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { canonicalJson, same } from '../../src/core/canonical.ts'
import { type Data, Float, isList, isMap, type Path } from '../../src/core/data.ts'
import type { Checked } from '../../src/core/problem.ts'
import { type Dialect, type Document, readJson, readRendered, readYaml } from '../../src/core/yaml.ts'
import { yamlText } from './yaml-arbitrary.ts'

/** The value; or each problem as `code line:column`. */
function read(text: string, dialect: Dialect = 'own'): Data | string[] {
  return shown(readYaml('f.yaml', text, dialect))
}

function shown(checked: Checked<Document>): Data | string[] {
  return checked.ok ? plain(checked.value.data) : problems(checked)
}

/** Ordinary objects instead of null-prototype ones, for comparing; floats stay `Float`. */
function plain(data: Data): Data {
  if (isList(data)) return data.map(plain)
  return isMap(data) ? Object.fromEntries(Object.entries(data).map(([key, value]) => [key, plain(value)])) : data
}

function problems(checked: Checked<unknown>): string[] {
  return checked.problems.map(
    ({ code, severity, at }) => `${code}${severity === 'warning' ? '?' : ''} ${at?.line}:${at?.column}`,
  )
}

const dialects = ['own', 'proton-spec', 'schema', 'cloudformation'] as const

describe('what an ordinary file says', () => {
  test('texts, numbers, words, lists and maps', () => {
    const text = `
# a comment
service: checkout
port: 8080
half: 0.5
two: 2.0
less: -3
plus: +4
on-call: true
nothing:
tilde: ~
"quoted key": 'it''s'
escaped: "tab\\tand \\u00fc"
date: 2012-10-17
url: https://example.com/#part
list: [a, 1, {b: c}]
block: |
  one
    two
folded: >-
  one
  two
items:
- a
-
  - b
`
    expect(read(text)).toEqual({
      service: 'checkout',
      port: 8080,
      half: new Float(0.5),
      two: new Float(2),
      less: -3,
      plus: 4,
      'on-call': true,
      nothing: null,
      tilde: null,
      'quoted key': "it's",
      escaped: 'tab\tand ü',
      date: '2012-10-17',
      url: 'https://example.com/#part',
      list: ['a', 1, { b: 'c' }],
      block: 'one\n  two\n',
      folded: 'one two',
      items: ['a', ['b']],
    })
  })

  test.each(['', '# nothing\n', '---\n', '\n\n'])('%j is null', (text) => {
    for (const dialect of dialects) expect(read(text, dialect)).toBeNull()
  })

  test('line ends of Windows change nothing', () => {
    const text = 'a: |\n  x\n  y\nb: "1\n  2"\nc:\n  - d # e\n'
    expect(read(text.replaceAll('\n', '\r\n'))).toEqual(read(text))
  })

  test('a block of text that the end of the file cuts off has no line end', () => {
    expect(read('a: |\n  b')).toEqual({ a: 'b' })
    expect(read('a: |+\n  b')).toEqual({ a: 'b' })
    expect(read('a: |\n  b\n')).toEqual({ a: 'b\n' })
    expect(read('a: |\n  b\n  ')).toEqual({ a: 'b\n' })
  })

  test('keys are like any other: constructor, toString, 1, 10, 2', () => {
    expect(read('constructor: 1\ntoString: 2\n10: a\n2: b\nhasOwnProperty: 3')).toEqual({
      constructor: 1,
      toString: 2,
      10: 'a',
      2: 'b',
      hasOwnProperty: 3,
    })
  })
})

describe('what a hostile file cannot do', () => {
  const bomb = ['a: &a [x]', ...Array.from({ length: 9 }, (_, index) => `a${index}: &a${index} [*a, *a]`)].join('\n')

  test.each<[string, string, string[]]>([
    ['Y-01 aliases that multiply', bomb, ['yaml-alias 1:4']],
    ['Y-02 one alias', 'a: &x 1\nb: *x', ['yaml-alias 1:4', 'yaml-alias 2:4']],
    ['Y-03 an alias to itself', 'a: &a [*a]', ['yaml-alias 1:4', 'yaml-alias 1:8']],
    ['Y-03 an alias as a key', '&a a: 1\n*a : 2', ['yaml-alias 1:1', 'yaml-alias 2:1']],
    ['Y-05 a key twice', 'a: 1\nb: 2\n"a": 3', ['yaml-duplicate-key 3:1']],
    ['Y-05 a number and its text', '1: x\n"1": y', ['yaml-duplicate-key 2:1']],
    ['Y-05 a boolean and its text', "true: x\n'true': y", ['yaml-duplicate-key 2:1']],
    ['Y-06 the version of YAML', '%YAML 1.1\n---\na: 1', ['yaml-directive 1:1']],
    ['Y-06 another meaning of tags', '%TAG ! tag:yaml.org,2002:\n---\n!binary eA==', ['yaml-directive 1:1']],
    ['Y-07 a set', '!!set {a}', ['yaml-tag 1:1']],
    ['Y-07 an ordered map', 'a: !!omap [b: 1]', ['yaml-tag 1:4']],
    ['Y-07 binary', 'a: !!binary eA==', ['yaml-tag 1:4']],
    ['Y-07 a timestamp', 'a: !!timestamp 2012-10-17', ['yaml-tag 1:4']],
    ['Y-07 a function', 'a: !!js/function x', ['yaml-tag 1:4']],
    ['Y-07 a tag of anybody', '- !x y\n- !<tag:e> z', ['yaml-tag 1:3', 'yaml-tag 2:3']],
    ['Y-07 a text that is a map', '!!str {a: b}', ['yaml-tag 1:1']],
    ['Y-10 zero', 'a: "x\u0000"', ['yaml-control-character 1:6']],
    ['Y-10 a direction of text', 'a: 1\nb: x\u202ey', ['yaml-control-character 2:5']],
    ['Y-10 no width', 'ad\u200bmin: true', ['yaml-control-character 1:3']],
    ['Y-10 a line end of YAML 1.1', 'a: b\u2028c: d', ['yaml-control-character 1:5']],
    ['Y-10 a carriage return alone', 'a: b\rc: d', ['yaml-control-character 1:5']],
    ['Y-10 half of a character', 'a: b\nc: \ud800', ['yaml-encoding 2:4']],
    ['Y-10 half of a character, as an escape', 'a: "\\ud800"', ['yaml-encoding 1:4']],
    ['Y-10 a byte order mark', '\ufeffa: 1', ['yaml-encoding 1:1']],
    ['Y-11 the prototype', 'a:\n  __proto__: {x: 1}', ['yaml-reserved-key 2:3']],
    ['Y-11 the prototype in quotes', '"__proto__": 1', ['yaml-reserved-key 1:1']],
    ['Y-12 a list as a key', '[a]: b', ['yaml-complex-key 1:1']],
    ['Y-12 a map as a key', 'a:\n  {b: c}: d', ['yaml-complex-key 2:3']],
    ['Y-12 a template expression as a key', 'a: {{ b }}', ['yaml-complex-key 1:5']],
    ['Y-12 nothing as a key', ': b\n~: c', ['yaml-complex-key 1:1', 'yaml-complex-key 2:1']],
    ['Y-12 a merge', 'a:\n  <<: {b: c}', ['yaml-merge-key 2:3']],
    ['a second document', 'a: 1\n---\nb: 2', ['yaml-several-documents 2:1']],
    ['a second, empty document', 'a: 1\n---\n', ['yaml-several-documents 2:1']],
  ])('%s', (_name, text, expected) => {
    const found = read(text)
    expect(Array.isArray(found) ? found.slice(0, expected.length) : found).toEqual(expected)
  })

  test('all problems of a file come together, in the order of their places', () => {
    expect(read('a: yes\nb: &x 010\na: !y z\n__proto__: 12:30\n')).toEqual([
      'yaml-word 1:4',
      'yaml-alias 2:4',
      'yaml-number 2:7',
      'yaml-duplicate-key 3:1',
      'yaml-tag 3:4',
      'yaml-reserved-key 4:1',
      'yaml-number 4:12',
    ])
  })

  test('the prototype of objects stays as it is', () => {
    for (const text of ['__proto__: {polluted: 1}', 'constructor: {prototype: {polluted: 1}}']) {
      for (const dialect of dialects) readYaml('f', text, dialect)
      readJson('f', '{"__proto__": {"polluted": 1}}')
    }
    expect(Reflect.get({}, 'polluted')).toBeUndefined()
  })

  test('Y-04 a map of 90,000 keys ends at once, with the limit named', () => {
    const text = Array.from({ length: 90_000 }, (_, index) => `k${index}:`).join('\n')
    const rendered = readRendered('f', text)
    expect(problems(rendered)).toEqual(['yaml-too-large 5001:1'])
    expect(rendered.problems[0]?.message).toContain('5,000')
    expect(problems(readYaml('f', text, 'own'))).toEqual(['yaml-too-large 1:1'])
    expect(readJson('f', `{${Array.from({ length: 90_000 }, (_, index) => `"k${index}":0`).join()}}`).ok).toBe(true)
  })

  test.each<[string, (depth: number) => string]>([
    ['brackets', (depth) => '['.repeat(depth) + ']'.repeat(depth)],
    ['brackets that stay open', (depth) => '['.repeat(depth)],
    ['braces', (depth) => `${'{a: '.repeat(depth)}1${'}'.repeat(depth)}`],
    ['indentation', (depth) => Array.from({ length: depth }, (_, index) => `${' '.repeat(index % 400)}a:`).join('\n')],
    ['dashes on a line', (depth) => `${'- '.repeat(depth)}a`],
    ['question marks on a line', (depth) => `${'? '.repeat(depth)}a`],
    ['JSON', (depth) => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`],
    ['tags', (depth) => '!Not [ '.repeat(depth)],
  ])('Y-08 nesting by %s is bounded, and never exhausts the stack', (_name, make) => {
    for (const depth of [70, 400, 3_000, 60_000]) {
      const text = make(depth)
      for (const result of [
        readYaml('f', text, 'own'),
        readYaml('f', text, 'cloudformation'),
        readRendered('f', text),
        readJson('f', text),
      ]) {
        expect(result.ok).toBe(false)
        expect(
          result.problems.every(({ code }) => ['yaml-too-deep', 'yaml-syntax', 'yaml-too-large'].includes(code)),
        ).toBe(true)
      }
    }
    expect(problems(readRendered('f', make(70)))).toHaveLength(1)
  })

  test('64 levels are read', () => {
    for (const text of ['['.repeat(60) + ']'.repeat(60), `${'{"a":'.repeat(60)}1${'}'.repeat(60)}`]) {
      expect(readRendered('f', text).ok).toBe(true)
      expect(readYaml('f', text, 'own').ok).toBe(true)
    }
  })

  test('Y-14 the size of a file is bounded: 256 KiB that people write, 1 MiB that is rendered', () => {
    const text = '# filling\n'.repeat(30_000)
    expect(read(text)).toEqual(['yaml-too-large 1:1'])
    expect(readRendered('f', text).ok).toBe(true)
    expect(problems(readRendered('f', text.repeat(4)))).toEqual(['yaml-too-large 1:1'])
    expect(problems(readRendered('f', '- 1\n'.repeat(150_000)))).toEqual(['yaml-too-large 100000:4'])
  })

  test('a file with very many problems tells of a hundred', () => {
    expect(read('- yes\n'.repeat(5_000))).toHaveLength(100)
    expect(read('\u200b'.repeat(5_000))).toHaveLength(100)
  })

  test.each([
    ['blank lines', '\n'.repeat(900_000)],
    ['spaces', ' '.repeat(900_000)],
    ['tabs in a comment', `# ${'\t '.repeat(400_000)}`],
    ['tabs', `a: [${'\t'.repeat(400_000)}]`],
    ['backslashes', `"${'\\\\'.repeat(300_000)}"`],
    ['empty items', '-\n'.repeat(90_000)],
    ['one long text', `a: ${'b '.repeat(400_000)}`],
    ['a text of many lines', `a: ${'b\n  '.repeat(200_000)}`],
    ['a block of blank lines', `a: |\n${'  \n'.repeat(200_000)}  b\n`],
    ['pairs in brackets', `[${'a: 1, '.repeat(40_000)}]`],
    ['tags on lines of their own', `a:\n${'  !Ref\n'.repeat(50_000)}`],
    ['colons', ':'.repeat(900_000)],
    ['quotes', `a: ${"'".repeat(900_000)}`],
    ['percent signs', '%\n'.repeat(400_000)],
    ['dashes', '-'.repeat(900_000)],
  ])('a megabyte of %s is read, or refused, in linear time', (_name, text) => {
    const result = readRendered('f', text)
    expect(result.ok || result.problems.length > 0).toBe(true)
  })
})

describe('words and numbers that versions of YAML read differently', () => {
  const words = ['yes', 'Yes', 'YES', 'no', 'No', 'NO', 'on', 'On', 'ON', 'off', 'Off', 'OFF']

  test.each(words)('%s: refused in our own files, a boolean with a warning elsewhere', (word) => {
    const truth = /^(?:yes|on)$/i.test(word)
    expect(read(`a: ${word}`)).toEqual(['yaml-word 1:4'])
    for (const dialect of ['proton-spec', 'schema', 'cloudformation'] as const) {
      const result = readYaml('f', `a: ${word}`, dialect)
      expect(shown(result)).toEqual({ a: truth })
      expect(problems(result)).toEqual(['yaml-word? 1:4'])
    }
    expect(read(`a: "${word}"\nb: '${word}'`)).toEqual({ a: word, b: word })
  })

  test('as keys they are refused where a text becomes of them that nobody foresees', () => {
    expect(read('yes: 1')).toEqual(['yaml-word 1:1'])
    expect(read('on: 1', 'cloudformation')).toEqual(['yaml-word 1:1'])
    expect(read('on: 1', 'schema')).toEqual({ on: 1 })
  })

  test.each(['y', 'n', 'Y', 'N', 'yEs', 'nope', 'only'])('%s is a text to every reader in use', (word) => {
    for (const dialect of dialects) expect(read(`a: ${word}`, dialect)).toEqual({ a: word })
  })

  test.each<[string, Data]>([
    ['0123', 83],
    ['-010', -8],
    ['012345678901', '012345678901'],
    ['00', 0],
    ['08', '08'],
    ['1_000', 1000],
    ['12:30', 750],
    ['-1:30', -90],
    ['1:30:59', 5459],
    ['12:30.5', new Float(750.5)],
    ['0b101', 5],
    ['0o17', '0o17'],
    ['0x1F', 31],
    ['1e3', new Float(1000)],
    ['1.5e3', new Float(1500)],
    ['12e4567', '12e4567'],
    ['1_000.5', new Float(1000.5)],
  ])('%s: refused in our own files and in templates, read as YAML 1.1 in the files of Proton', (text, old) => {
    for (const dialect of ['own', 'cloudformation'] as const)
      expect(read(`a: ${text}`, dialect)).toEqual(['yaml-number 1:4'])
    for (const dialect of ['proton-spec', 'schema'] as const) expect(read(`a: ${text}`, dialect)).toEqual({ a: old })
    expect(read(`a: '${text}'`)).toEqual({ a: text })
  })

  test.each(['0x1F', '1.5e3'])(
    '%s means the same to both versions, so it needs no warning in the files of Proton',
    (text) => {
      expect(readYaml('f', `a: ${text}`, 'schema').problems).toEqual([])
    },
  )

  test.each(['0123', '1_000', '12:30', '012345678901', '0o17'])(
    '%s comes with a warning in the files of Proton',
    (text) => {
      expect(problems(readYaml('f', `a: ${text}`, 'proton-spec'))).toEqual(['yaml-number? 1:4'])
    },
  )

  test.each([
    '80:80',
    '8080:80',
    '22:80',
    '1:2:x',
    '10.0.0.0/16',
    '1.2.3',
    '2012-10-17',
    '2001-12-14t21:59:43Z',
    '-',
    '+',
    '.',
    '0x',
    '1__x',
    '_1',
    '-.5x',
    '1e',
    'e3',
    '0b2',
  ])('%s is a text', (text) => {
    for (const dialect of dialects)
      expect(read(`a: "${text}"`, dialect)).toEqual(text === '-' ? { a: '-' } : { a: text })
    if (text !== '-') expect(read(`a: ${text}`)).toEqual({ a: text })
  })

  test.each(['.inf', '-.Inf', '+.INF', '.nan', '.NaN', `${'9'.repeat(400)}.0`])('%s is refused everywhere', (text) => {
    for (const dialect of dialects) expect(read(`a: ${text}`, dialect)).toEqual(['yaml-number 1:4'])
  })

  test('whole numbers beyond 2^53 are refused, or kept whole in the files of Proton', () => {
    expect(read('a: 9007199254740991\nb: -9007199254740991')).toEqual({ a: 9007199254740991, b: -9007199254740991 })
    expect(read('a: 9007199254740992')).toEqual(['yaml-number 1:4'])
    expect(read('a: 12345678901234567890', 'cloudformation')).toEqual(['yaml-number 1:4'])
    expect(read('maximum: 9223372036854775807', 'schema')).toEqual({ maximum: 9223372036854775807n })
    expect(read('a: +18446744073709551616', 'proton-spec')).toEqual({ a: 18446744073709551616n })
  })

  test('a number of very many digits is refused in the time that it takes to read it', () => {
    for (const text of [
      '1'.repeat(200_000),
      `1${':59'.repeat(80_000)}`,
      `0${'7'.repeat(200_000)}`,
      `0x${'f'.repeat(200_000)}`,
    ]) {
      for (const dialect of dialects) expect(read(`a: ${text}`, dialect)).toEqual(['yaml-number 1:4'])
    }
    expect(read(`a: ${'1.2.'.repeat(200)}`)).toEqual({ a: '1.2.'.repeat(200) })
  })

  test('a version that loses its last zero is warned of', () => {
    const result = readYaml('f', 'a: 1.10\nb: 2.0\nc: 0.25', 'own')
    expect(shown(result)).toEqual({ a: new Float(1.1), b: new Float(2), c: new Float(0.25) })
    expect(problems(result)).toEqual(['yaml-number? 1:4'])
    expect(result.problems[0]?.message).toBe('The number 1.10 is read as 1.1.')
  })

  test('an account id as a key keeps its digits, or is refused', () => {
    expect(read('111111111111: {ami: x}', 'cloudformation')).toEqual({ 111111111111: { ami: 'x' } })
    expect(read('012345678901: {ami: x}', 'cloudformation')).toEqual(['yaml-number 1:1'])
    expect(read('3.10: x', 'cloudformation')).toEqual(['yaml-number 1:1'])
    expect(read('3.5: x', 'cloudformation')).toEqual(['yaml-number 1:1'])
  })

  test('!!str makes a text of anything', () => {
    expect(read('a: !!str 0123\nb: !!str yes\nc: !!str 1.10', 'cloudformation')).toEqual({
      a: '0123',
      b: 'yes',
      c: '1.10',
    })
  })
})

describe("CloudFormation's short forms", () => {
  test.each<[string, Data]>([
    ['!Ref A', { Ref: 'A' }],
    ['!Condition IsProd', { Condition: 'IsProd' }],
    ['!And [!Condition A, !Condition B]', { 'Fn::And': [{ Condition: 'A' }, { Condition: 'B' }] }],
    ['!Base64 x', { 'Fn::Base64': 'x' }],
    ['!Cidr [!Ref A, 6, 5]', { 'Fn::Cidr': [{ Ref: 'A' }, 6, 5] }],
    ['!Equals [a, b]', { 'Fn::Equals': ['a', 'b'] }],
    ['!FindInMap [A, !Ref B, c]', { 'Fn::FindInMap': ['A', { Ref: 'B' }, 'c'] }],
    ['!GetAtt A.Arn', { 'Fn::GetAtt': ['A', 'Arn'] }],
    ['!GetAtt A.Outputs.B', { 'Fn::GetAtt': ['A', 'Outputs.B'] }],
    ['!GetAtt "A.Arn"', { 'Fn::GetAtt': ['A', 'Arn'] }],
    ['!GetAtt [A, Arn]', { 'Fn::GetAtt': ['A', 'Arn'] }],
    ['!GetAtt A', { 'Fn::GetAtt': 'A' }],
    ["!GetAZs ''", { 'Fn::GetAZs': '' }],
    ['!If [A, b, !Ref AWS::NoValue]', { 'Fn::If': ['A', 'b', { Ref: 'AWS::NoValue' }] }],
    ['!ImportValue 123', { 'Fn::ImportValue': '123' }],
    ['!Join [",", [a, b]]', { 'Fn::Join': [',', ['a', 'b']] }],
    ['!Length [a]', { 'Fn::Length': ['a'] }],
    ['!Not [!Condition A]', { 'Fn::Not': [{ Condition: 'A' }] }],
    ['!Or [a, b]', { 'Fn::Or': ['a', 'b'] }],
    ['!Select [0, !GetAZs ""]', { 'Fn::Select': [0, { 'Fn::GetAZs': '' }] }],
    ['!Split [",", a]', { 'Fn::Split': [',', 'a'] }],
    ["!Sub '${A}-b'", { 'Fn::Sub': '${A}-b' }],
    ['!Sub yes', { 'Fn::Sub': 'yes' }],
    ['!Sub ["${A}", {A: 1}]', { 'Fn::Sub': ['${A}', { A: 1 }] }],
    ['!Sub |\n  a\n  b\n', { 'Fn::Sub': 'a\nb\n' }],
    ['!ToJsonString {a: 1}', { 'Fn::ToJsonString': { a: 1 } }],
    ['!Transform {Name: x}', { 'Fn::Transform': { Name: 'x' } }],
    ['!Join\n  - ","\n  - - a\n    - !Ref B\n', { 'Fn::Join': [',', ['a', { Ref: 'B' }]] }],
  ])('%s', (text, expected) => {
    for (const where of [`A: ${text}`, `A: # note\n  ${text.replaceAll('\n', '\n  ')}`]) {
      expect(read(where, 'cloudformation')).toEqual({ A: expected })
      expect(shown(readRendered('f', where))).toEqual({ A: expected })
    }
  })

  test('an unknown one names the nearest', () => {
    const result = readYaml('f', 'a: !GetAttr b.c\nb: !Fn::Sub x', 'cloudformation')
    expect(problems(result)).toEqual(['yaml-tag 1:4', 'yaml-tag 2:4'])
    expect(result.problems[0]?.message).toContain('Did you mean "!GetAtt"?')
  })

  test('they are known in templates only', () => {
    for (const dialect of ['own', 'proton-spec', 'schema'] as const)
      expect(read('a: !Ref b', dialect)).toEqual(['yaml-tag 1:4'])
  })

  test('on a key they are refused', () => {
    expect(read('!Ref a: b', 'cloudformation')).toEqual(['yaml-complex-key 1:1'])
  })

  test('a short form without a value is refused', () => {
    expect(read('a: !GetAZs', 'cloudformation')).toEqual(['yaml-syntax 1:4'])
  })
})

describe('a template as JSON', () => {
  test('is read as JSON, with what YAML would read otherwise', () => {
    const text = '\n{\n\t"a": "\\/ \\ud83d\\ude00",\n\t"b": [1, 2.0, -0, 1E2, true, null], "Yes": "no"\n}\n'
    const expected = { a: '/ 😀', b: [1, new Float(2), 0, new Float(100), true, null], Yes: 'no' }
    expect(shown(readRendered('f', text))).toEqual(expected)
    expect(read(text, 'cloudformation')).toEqual(expected)
  })

  test('a text in braces that is no JSON is YAML', () => {
    expect(shown(readRendered('f', '{a: 1, b: !Ref c}'))).toEqual({ a: 1, b: { Ref: 'c' } })
  })

  test('has the same rules', () => {
    expect(problems(readRendered('f', '{"a": 1,\n "a": 2, "__proto__": 3}'))).toEqual([
      'yaml-duplicate-key 2:2',
      'yaml-reserved-key 2:10',
    ])
  })
})

describe('reading JSON', () => {
  test.each<[string, Data]>([
    ['1', 1],
    ['-0', 0],
    ['2.0', new Float(2)],
    ['1e2', new Float(100)],
    ['12345678901234567890', 12345678901234567890n],
    ['"\\u00e9\\n"', 'é\n'],
    ['[]', []],
    [' { } ', {}],
    ['{"a":{"b":[null,false]}}', { a: { b: [null, false] } }],
  ])('%s', (text, expected) => {
    expect(shown(readJson('f', text))).toEqual(expected)
  })

  test.each([
    '',
    ' ',
    '01',
    '1.',
    '.5',
    '+1',
    '1_0',
    'tru',
    'truex',
    'NaN',
    "'a'",
    '"a',
    '"\n"',
    '"\\x"',
    '"\\u12"',
    '[1,]',
    '[1 2]',
    '{"a"}',
    '{"a":}',
    '{a:1}',
    '{"a":1,}',
    '1 2',
    '[1]]',
    '// c\n1',
    '"\t"',
    '0x1',
    '-',
  ])('%j is no JSON', (text) => {
    expect(readJson('f', text).problems.map(({ code }) => code)).toEqual(['yaml-syntax'])
  })

  test('all keys that stand twice are told, on their lines', () => {
    expect(problems(readJson('f', '{"a": 1, "a": 2,\n"b": {"c": 1,\n"c": 2}}'))).toEqual([
      'yaml-duplicate-key 1:10',
      'yaml-duplicate-key 3:1',
    ])
  })

  test('a number that nothing can hold, half of a character, a reserved key', () => {
    expect(problems(readJson('f', '[1e400]'))).toEqual(['yaml-number 1:2'])
    expect(problems(readJson('f', '["\\ud800"]'))).toEqual(['yaml-encoding 1:2'])
    expect(problems(readJson('f', '{"__proto__": 1}'))).toEqual(['yaml-reserved-key 1:2'])
  })

  test('agrees with the language about every value', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(0, 2, '\t'), (value, indent) => {
        const text = JSON.stringify(value, undefined, indent)
        const result = readJson('f', text)
        if (/"__proto__"/.test(text)) return
        expect(result.ok && JSON.stringify(jsonOf(result.value.data))).toBe(JSON.stringify(JSON.parse(text)))
      }),
    )
  })

  test('agrees with the language about what is no JSON', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom(...'{}[]",:10.e-\\u \ntruefalsn'.split('')) })),
        (text) => {
          const result = readJson('f', text)
          const syntax = result.problems.some(({ code }) => code === 'yaml-syntax')
          expect(syntax).toBe(!isJson(text))
        },
      ),
    )
  })
})

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

function jsonOf(data: Data): unknown {
  if (data instanceof Float) return data.value
  if (typeof data === 'bigint') return Number(data)
  if (isList(data)) return data.map(jsonOf)
  return isMap(data) ? Object.fromEntries(Object.entries(data).map(([key, value]) => [key, jsonOf(value)])) : data
}

describe('faults of the syntax', () => {
  test.each<[string, string, string[]]>([
    ['a quote that stays open', 'a: "b\nc: d\n', ['yaml-syntax']],
    ['a tab as indentation', 'a:\n\tb: c\n', ['yaml-syntax']],
    ['a second colon', 'a: b: c\n', ['yaml-syntax']],
    ['a bracket that stays open', 'a: [b\n', ['yaml-syntax']],
    ['indentation that fits nothing', 'a:\n    b: c\n  d: e\n', ['yaml-syntax']],
    ['an escape that is none', 'a: "\\d"\n', ['yaml-syntax']],
    ['a text that begins with @', 'a: @b\n', ['yaml-syntax']],
  ])('%s', (_name, text, expected) => {
    for (const dialect of dialects) {
      const { problems: found } = readYaml('f', text, dialect)
      expect(found.map(({ code }) => code).slice(0, 1)).toEqual(expected)
      for (const problem of found) {
        expect(problem.message).not.toBe('')
        expect(problem.remedy).not.toBe('')
        expect(problem.at?.line).toBeGreaterThan(0)
      }
    }
  })

  test('several of them come together', () => {
    expect(read('a: @x\nb: `y\nc: "\\d"\n')).toEqual(['yaml-syntax 1:4', 'yaml-syntax 2:4', 'yaml-syntax 3:5'])
  })

  test.each([
    '...\n',
    ' ---\na: 1',
    'a: |1\n    \n',
    '- |+2\n  ',
    '[!Not[a]]',
    '\ta: 1',
    '-\ta',
    'a:\tb',
    'a: b\t',
    '"a\\\n\n b"',
    '|\n  a',
    '[:a]',
    '[?a]',
    'a: |\n  b\n\t\n',
    '- a\n\t\n a',
  ])('%j, which readers take differently, is refused by both ways', (text) => {
    expect(read(text, 'cloudformation')).toEqual([expect.stringContaining('yaml-syntax')])
    expect(problems(readRendered('f', text))).toEqual([expect.stringContaining('yaml-syntax')])
  })

  test('tabs are allowed where they are content: in texts, in blocks after the indentation, in comments', () => {
    expect(read('a: "\tb"\nc: |\n  all:\n  \tmake\n# \tx\nd: e #\tf\n')).toEqual({
      a: '\tb',
      c: 'all:\n\tmake\n',
      d: 'e',
    })
  })
})

describe('places', () => {
  const text = `# first
A: one
"B": 'two'
C:
  - x
  -   !Sub y
  - |  # note
    block
  - {k: v, "l": [1, 2]}
  -
D: !Join
  - ','
  - - !GetAtt a.b
E: >-
  folded
F:
G: !Ref h
"k | x": |
  block
`

  test.each<[Path, string, string]>([
    [[], '2:1', '2:1'],
    [['A'], '2:4', '2:1'],
    [['B'], '3:6', '3:1'],
    [['C'], '5:3', '4:1'],
    [['C', 0], '5:5', '5:5'],
    [['C', 1], '6:7', '6:7'],
    [['C', 1, 'Fn::Sub'], '6:12', '6:7'],
    [['C', 2], '7:5', '7:5'],
    [['C', 3], '9:5', '9:5'],
    [['C', 3, 'k'], '9:9', '9:6'],
    [['C', 3, 'l'], '9:17', '9:12'],
    [['C', 3, 'l', 1], '9:21', '9:21'],
    [['C', 4], '10:3', '10:3'],
    [['D'], '11:4', '11:1'],
    [['D', 'Fn::Join'], '12:3', '11:4'],
    [['D', 'Fn::Join', 1, 0], '13:7', '13:7'],
    [['D', 'Fn::Join', 1, 0, 'Fn::GetAtt'], '13:15', '13:7'],
    [['D', 'Fn::Join', 1, 0, 'Fn::GetAtt', 1], '13:15', '13:7'],
    [['E'], '14:4', '14:1'],
    [['F'], '16:1', '16:1'],
    [['G', 'Ref'], '17:9', '17:4'],
    [['k | x'], '18:10', '18:1'],
    [['nowhere', 1], '2:1', '2:1'],
    [['C', 3, 'l', 7, 'x'], '9:17', '9:12'],
  ])('%j', (path, value, key) => {
    for (const result of [readYaml('f', text, 'cloudformation'), readRendered('f', text)]) {
      const document = result.ok ? result.value : undefined
      const [at, keyAt] = [document?.place(path), document?.keyPlace(path)]
      expect(`${at?.line}:${at?.column}`).toBe(value)
      expect(`${keyAt?.line}:${keyAt?.column}`).toBe(key)
    }
  })

  test('in JSON', () => {
    const result = readJson('f', '{\n  "a": [1,\n    {"b": "c"}]\n}')
    const document = result.ok ? result.value : undefined
    expect(document?.place(['a', 1, 'b'])).toEqual({ file: 'f', line: 3, column: 11 })
    expect(document?.keyPlace(['a', 1, 'b'])).toEqual({ file: 'f', line: 3, column: 6 })
    expect(document?.place(['a', 1, 'x'])).toEqual({ file: 'f', line: 3, column: 5 })
  })

  test('of a block of text behind a short tag is the header of the block', () => {
    const text = 'a:\n  b: !Sub |\n    x\n    y\n  c: d\n'
    for (const result of [readYaml('f', text, 'cloudformation'), readRendered('f', text)]) {
      expect(result.ok && result.value.place(['a', 'b', 'Fn::Sub'])).toEqual({ file: 'f', line: 2, column: 11 })
    }
  })

  test('columns count as editors do, also behind characters that are two units', () => {
    const result = readYaml('f', 'a: {"😀": b}', 'own')
    expect(result.ok && result.value.place(['a', '😀'])).toEqual({ file: 'f', line: 1, column: 11 })
  })

  test('the place of every text is where it is written', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.stringMatching(/^[a-z]{2,8}[0-9]$/), { minLength: 1 }),
        fc.infiniteStream(fc.nat({ max: 5 })),
        (names, choices) => {
          const { lines, paths } = documentOf(names, choices)
          for (const end of ['\n', '\r\n']) {
            const result = readYaml('f', lines.join(end), 'cloudformation')
            expect(result.problems).toEqual([])
            for (const [path, name] of paths) {
              const at = result.ok ? result.value.place(path) : undefined
              expect(lines[(at?.line ?? 0) - 1]?.slice((at?.column ?? 0) - 1).replace(/^(?:!Sub )?['"]?/, '')).toMatch(
                new RegExp(`^${name}`),
              )
            }
          }
        },
      ),
      { numRuns: 200 },
    )
  })
})

/** A document in which each name is a value somewhere, and the paths of the values. */
function documentOf(names: readonly string[], choices: Iterator<number>): { lines: string[]; paths: [Path, string][] } {
  const lines: string[] = []
  const paths: [Path, string][] = []
  for (const [index, name] of names.entries()) {
    const key = `key${index}`
    const choice = choices.next().value
    if (choice === 0) lines.push(`${key}:   ${name} # note`)
    else if (choice === 1) lines.push(`${key}: '${name}'`)
    else if (choice === 2) lines.push(`${key}: !Sub "${name}"`)
    else if (choice === 3) lines.push(`${key}:`, '  # note', '', `    ${name}`, '      goes on')
    else if (choice === 4) lines.push(`"${key}" : [ x, {y: ${name} } ]`)
    else lines.push(`${key}:`, '- x', '- y:', '    z:', `    - "${name}"`)
    paths.push([choice === 4 ? [key, 1, 'y'] : choice === 5 ? [key, 1, 'y', 'z', 0] : [key], name])
  }
  return { lines, paths }
}

/** A template as people write them, of about 10 KB. */
function template(): string {
  const service = (name: string): string => `
  # ---- ${name} -------------------------------------------------
  ${name}TaskDefinition:
    Type: AWS::ECS::TaskDefinition
    Properties:
      Family: !Sub "\${AWS::StackName}-${name}"
      Cpu: !FindInMap [Sizes, !Ref Size, cpu]
      Memory: !FindInMap
        - Sizes
        - !Ref Size
        - memory
      RequiresCompatibilities: ["FARGATE"]
      ExecutionRoleArn: !GetAtt ExecutionRole.Arn
      ContainerDefinitions:
        - Name: ${name}
          Image: 'public.ecr.aws/nginx/nginx:stable'
          PortMappings:
          - ContainerPort: 8080
            Protocol: tcp   # behind the load balancer
          Environment:
            - {Name: STAGE, Value: !Ref Stage}
            - Name: EMPTY
              Value: ""
          Command:
            - /bin/sh
            - -c
            - |
              set -e
              echo "starting ${name}: $(date)"
              exec nginx -g 'daemon off;'
          LogConfiguration:
            LogDriver: awslogs
            Options:
              awslogs-group: !Ref Logs
              awslogs-region: !Ref "AWS::Region"
  ${name}Policy:
    Type: AWS::IAM::Policy
    Condition: IsProduction
    Properties:
      PolicyName: ${name}
      PolicyDocument:
        Version: 2012-10-17
        Statement:
          - Effect: Allow
            Action: ['s3:GetObject', "s3:ListBucket"]
            Resource: !If
              - IsProduction
              - !Join ['', ['arn:', !Ref 'AWS::Partition', ':s3:::', !Ref Bucket, '/*']]
              - Fn::Sub:
                  - arn:aws:s3:::\${Name}/*
                  - Name: !ImportValue
                      Fn::Sub: \${Stage}-bucket
`
  const head = `AWSTemplateFormatVersion: '2010-09-09'
Description: >-
  Three services behind
  one load balancer.

Parameters:
  Stage: { Type: String, Default: dev, AllowedValues: [dev, prod] }
  Size:
    Type: String
    Default: small
Mappings:
  Sizes:
    small: { cpu: 256, memory: 512 }
    large:
      cpu: 1024
      memory: 2048
Conditions:
  IsProduction: !Equals [!Ref Stage, prod]
Resources:`
  return `${head}${['Web', 'Api', 'Admin', 'Search', 'Mail', 'Jobs'].map(service).join('')}Outputs:
  Arn:
    Value: !Ref WebTaskDefinition
    Export: { Name: !Sub '\${AWS::StackName}-arn' }
`
}

describe('a template of ten kilobytes', () => {
  const text = template()

  test('is read by both ways, with the same data', () => {
    expect(text.length).toBeGreaterThan(8 * 1024)
    const [quick, both] = [readRendered('f', text), readYaml('f', text, 'cloudformation')]
    expect(quick.problems).toEqual([])
    expect(quick.ok && both.ok && same(quick.value.data, both.value.data)).toBe(true)
    expect(quick.ok && plain(at(quick.value.data, ['Resources', 'ApiPolicy', 'Properties', 'PolicyDocument']))).toEqual(
      {
        Version: '2012-10-17',
        Statement: [
          {
            Effect: 'Allow',
            Action: ['s3:GetObject', 's3:ListBucket'],
            Resource: {
              'Fn::If': [
                'IsProduction',
                { 'Fn::Join': ['', ['arn:', { Ref: 'AWS::Partition' }, ':s3:::', { Ref: 'Bucket' }, '/*']] },
                {
                  'Fn::Sub': [
                    'arn:aws:s3:::${Name}/*',
                    { Name: { 'Fn::ImportValue': { 'Fn::Sub': '${Stage}-bucket' } } },
                  ],
                },
              ],
            },
          },
        ],
      },
    )
    expect(
      quick.ok &&
        at(quick.value.data, [
          'Resources',
          'MailTaskDefinition',
          'Properties',
          'ContainerDefinitions',
          0,
          'Command',
          2,
        ]),
    ).toBe('set -e\necho "starting Mail: $(date)"\nexec nginx -g \'daemon off;\'\n')
  })

  test('reads the same as its canonical JSON', () => {
    const result = readRendered('f', text)
    const again = result.ok ? readRendered('f', canonicalJson(result.value.data)) : result
    expect(result.ok && again.ok && same(result.value.data, again.value.data)).toBe(true)
  })

  test('every value and every key has its line', () => {
    const result = readRendered('f', text)
    const lines = text.split('\n')
    const paths = result.ok ? pathsOf(result.value.data) : []
    expect(paths.length).toBeGreaterThan(500)
    for (const path of paths) {
      const key = path.at(-1)
      const place = result.ok ? result.value.keyPlace(path) : undefined
      const found = lines[(place?.line ?? 0) - 1]?.slice((place?.column ?? 0) - 1) ?? ''
      if (typeof key === 'string' && !found.startsWith('!'))
        expect(found.replace(/^['"]/, '')).toMatch(new RegExp(`^${key}['"]?:`))
    }
  })
})

function at(data: Data, path: Path): Data {
  let found = data
  for (const step of path) {
    const next =
      typeof step === 'number' ? (isList(found) ? found[step] : undefined) : isMap(found) ? found[step] : undefined
    if (next === undefined) throw new Error(`there is nothing at ${String(step)}`)
    found = next
  }
  return found
}

const bundles = '../shared/proton/bundles'

describe.skipIf(!existsSync(bundles))('the files of real bundles, where they are at hand', () => {
  const files = existsSync(bundles) ? readdirSync(bundles, { recursive: true, encoding: 'utf8' }).toSorted() : []

  test.each(files.filter((file) => /expected\/.*\.ya?ml$/.test(file)))(
    'the rendered %s is read by both ways, with the same data',
    (file) => {
      const text = readFileSync(`${bundles}/${file}`, 'utf8')
      const [quick, both] = [readRendered(file, text), readYaml(file, text, 'cloudformation')]
      expect(quick.problems.filter(({ severity }) => severity === 'error')).toEqual([])
      expect(quick.ok && both.ok && same(quick.value.data, both.value.data)).toBe(true)
    },
  )

  test.each(files.filter((file) => /(?:schema|manifest|registration|spec[^/]*)\.ya?ml$/.test(file)))(
    '%s is read without a problem',
    (file) => {
      const text = readFileSync(`${bundles}/${file}`, 'utf8')
      expect(readYaml(file, text, /spec[^/]*$/.test(file) ? 'proton-spec' : 'schema').problems).toEqual([])
    },
  )
})

describe('for any text at all', () => {
  const anyText = fc.oneof(fc.string({ maxLength: 80 }), fc.string({ unit: 'binary', maxLength: 40 }), yamlText)

  test('reading never throws, and every map is without a prototype', () => {
    fc.assert(
      fc.property(anyText, fc.constantFrom(...dialects), (text, dialect) => {
        for (const result of [readYaml('f', text, dialect), readRendered('f', text), readJson('f', text)]) {
          if (result.ok) expectBare(result.value.data)
          else expect(result.problems.some(({ severity }) => severity === 'error')).toBe(true)
        }
      }),
      { numRuns: 1_500 },
    )
    expect(Object.keys(Object.prototype)).toEqual([])
  })

  test('the quick reading and the one by two parsers take the same texts and see the same in them', () => {
    fc.assert(
      fc.property(yamlText, (text) => {
        const [quick, both] = [readRendered('f', text), readYaml('f', text, 'cloudformation')]
        expect(quick.ok).toBe(both.ok)
        if (quick.ok && both.ok) expect(quick.value.data).toEqual(both.value.data)
      }),
      { numRuns: 1_500 },
    )
  })

  test('places lie in the text', () => {
    fc.assert(
      fc.property(yamlText, (text) => {
        const result = readRendered('f', text)
        if (!result.ok) return
        const lines = text.split('\n')
        for (const path of pathsOf(result.value.data)) {
          for (const { line, column } of [result.value.place(path), result.value.keyPlace(path)]) {
            expect(column).toBeGreaterThan(0)
            expect(column).toBeLessThanOrEqual((lines[line - 1]?.length ?? -1) + 1)
          }
        }
      }),
      { numRuns: 800 },
    )
  })
})

function expectBare(data: Data): void {
  if (isList(data)) data.forEach(expectBare)
  if (!isMap(data)) return
  const prototype = Object.getPrototypeOf(data)
  expect(Reflect.ownKeys(prototype)).toEqual([])
  expect(Object.getPrototypeOf(prototype)).toBeNull()
  Object.values(data).forEach(expectBare)
}

function pathsOf(data: Data, path: Path = []): Path[] {
  if (isList(data)) return [path, ...data.flatMap((item, index) => pathsOf(item, [...path, index]))]
  if (isMap(data)) return [path, ...Object.entries(data).flatMap(([key, value]) => pathsOf(value, [...path, key]))]
  return [path]
}
