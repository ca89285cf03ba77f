import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readRendered, readYaml } from '../../src/core/yaml.ts'
import { readQuickly } from '../../src/core/yaml/quick.ts'
import { yamlText } from './yaml-arbitrary.ts'

/** A rendered template of the sample organisation, and forms that templates have besides. */
const golden = 'templates/fargate-service/v2/examples/stores/expected/instance_infrastructure/cloudformation.yaml'
const rendered = readFileSync(join(import.meta.dirname, '..', '..', golden), 'utf8')
const template = `AWSTemplateFormatVersion: '2010-09-09'
# a comment
Resources:
  Role:
    Type: AWS::IAM::Role # another
    Properties:
      Arns: [!Ref AWS::StackId, 'it''s', "b c", {Ref: x, y: [1, 2.5, true]}]
      Names:
      - a: 1
        b: !Sub '\${AWS::Region}-x'
      - !GetAtt Table.Arn

      - !If
        - Flag
        - -1
        - null
      - "c": 5
      Condition: { StringEquals: { aws:SourceAccount: !Ref AWS::AccountId } }
      Empty:
      Script: |
        #!/bin/sh
          echo a

        echo b
      Folded: >-
        one
        two
  Last: { }
`

/** Whatever is answered is what the two parsers say together, in the dialect of templates and in that of our own files. */
function expectSame(text: string): void {
  const own = readQuickly(text, { tags: false })
  if (own !== undefined) {
    // Of the dialects that both parsers read, this one differs from our own in words that get a warning.
    const both = readYaml('f', text, 'schema')
    expect(both.problems).toEqual([])
    expect(both.ok ? both.value.data : undefined).toEqual(own)
  }
  const quick = readQuickly(text, { tags: true })
  if (quick === undefined) return
  const both = readYaml('f', text, 'cloudformation')
  expect(both.problems).toEqual([])
  expect(both.ok ? both.value.data : undefined).toEqual(quick)
  expect(readRendered('f', text).problems).toEqual([])
}

describe('the quick reading of a rendered template', () => {
  test('has an answer for templates as they are written', () => {
    for (const text of [rendered, template]) {
      expect(readQuickly(text, { tags: true })).toBeDefined()
      expectSame(text)
    }
  })

  test('has one for the files of services as they are written, and none for tags there', () => {
    const services = ['checkout', 'inventory', 'receipts', 'storefront'].map((name) => `services/${name}/service.yaml`)
    for (const file of [...services, 'environments/dev.yaml']) {
      const text = readFileSync(join(import.meta.dirname, '..', '..', file), 'utf8')
      expect(readQuickly(text, { tags: false })).toBeDefined()
      expectSame(text)
    }
    expect(readQuickly('a: !Ref b\n', { tags: false })).toBeUndefined()
  })

  test('knows the places of what it has read', () => {
    const read = readRendered('f', template)
    expect(read.ok && read.value.place(['Resources', 'Role', 'Properties', 'Names', 1])).toEqual({
      file: 'f',
      line: 11,
      column: 9,
    })
  })

  test.each([
    ['Key: yes\n', 'a word with two meanings'],
    ['Key: 0123\n', 'a number with two meanings'],
    ['Key: 1\nKey: 2\n', 'a key twice'],
    ['12: a\n', 'a key that is a number'],
    ['on: a\n', 'a key that is a boolean'],
    ['__proto__: a\n', 'a reserved key'],
    ['a: &b c\n', 'an anchor'],
    ['a: *b\n', 'an alias'],
    ['a: !Unknown b\n', 'an unknown tag'],
    ['a: !Ref\n', 'a tag of nothing'],
    ['a: b: c\n', 'a map in a line'],
    ['a: b\n  c\n', 'a text of two lines'],
    ['a: "b\\n"\n', 'an escape'],
    ['a: [b\n  ]\n', 'brackets of two lines'],
    ['a: |\n  b', 'a block that the end cuts off'],
    ['a: |2\n   b\n', 'a block with its indentation told'],
    ['a: 1\n---\nb: 2\n', 'two documents'],
    ['- a\n', 'a list'],
    ['a\n', 'a text'],
    ['a:\n\t- b\n', 'a tab'],
    ['', 'nothing'],
  ])('leaves %j to the parsers: %s', (text) => {
    expect(readQuickly(text, { tags: true })).toBeUndefined()
    expect(readQuickly(text, { tags: false })).toBeUndefined()
  })

  test('reads a block that was met before as if it was new, wherever it stands', () => {
    const block = ['Properties:', '  Script: |', '    one', '', '  Names:', '    - !Ref a', '    - { b: 1 }', '']
    const at = (indent: number): string =>
      block.map((line) => `${line === '' ? '' : ' '.repeat(indent)}${line}\n`).join('')
    const texts = [
      `Resources:\n  A:\n${at(4)}  B: c\n`,
      `Resources:\n  A:\n${at(4)}`,
      `Resources:\n  A:\n    More:\n      Deep:\n${at(8)}  B: c\n`,
      `Resources:\n  A:\n${at(4)}     More: c\n  B: c\n`,
      `Resources:\n  A:\n    Type: x\n${at(4)}  B: c\n`,
    ]
    for (let round = 0; round < 10; round += 1) for (const text of texts) expectSame(text)
    const [first, second] = [0, 1].map(() => readQuickly(texts[0] ?? '', { tags: true }))
    expect(first).toBeDefined()
    expect(second).toEqual(first)
  })

  test('says what the parsers say, of any text', () => {
    fc.assert(fc.property(yamlText, expectSame), { numRuns: 1500 })
  })

  test('says what the parsers say, of templates with any small change', () => {
    const service = readFileSync(join(import.meta.dirname, '..', '..', 'services/storefront/service.yaml'), 'utf8')
    const lines = `${template}${rendered}${service}`.split('\n')
    const spaces = [' ', '  ', '\n', '\n ', '\n  ']
    const signs = ['- ', ':', ': ', '#', ' #', "'", '"', '!', '!Ref ', '|', '>', '[', ']', '{', '}', ',', '<<', '---\n']
    const bit = fc.constantFrom(
      ...spaces,
      ...signs,
      'a',
      '1',
      '.',
      '-',
      '~',
      '\\',
      '%',
      '&',
      '*',
      '?',
      '=',
      '@',
      '`',
      '+',
      '$',
      'é',
      'yes',
    )
    const change = fc.tuple(fc.nat(2000), fc.nat(3), bit)
    const part = fc.tuple(fc.nat(lines.length - 1), fc.integer({ min: 1, max: 14 }))
    fc.assert(
      fc.property(part, fc.array(change, { minLength: 1, maxLength: 3 }), ([from, count], changes) => {
        const taken = lines.slice(from, from + count)
        const indent = Math.min(
          ...taken.filter((line) => line.trim() !== '').map((line) => /^ */.exec(line)?.[0].length ?? 0),
        )
        let text = `${taken.map((line) => line.slice(indent)).join('\n')}\n`
        for (const [at, removed, put] of changes) {
          const place = at % (text.length + 1)
          text = text.slice(0, place) + put + text.slice(place + removed)
        }
        expectSame(text)
      }),
      { numRuns: 4000 },
    )
  })
})
