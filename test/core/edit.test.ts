import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { canonicalJson } from '../../src/core/canonical.ts'
import type { Data, DataMap } from '../../src/core/data.ts'
import { isMap } from '../../src/core/data.ts'
import type { Scalar } from '../../src/core/edit.ts'
import { changed, editYaml, setValue } from '../../src/core/edit.ts'
import { readYaml } from '../../src/core/yaml.ts'

function edited(text: string, path: string, value: Scalar): string {
  const result = setValue('service.yaml', text, { path: path.split('.'), value })
  return result.is === 'edited' ? result.text : `unsure: ${result.why}`
}

describe('a value that is there', () => {
  test.each([
    ['a: 1', 'a', 2, 'a: 2'],
    ['a: 1 # why\n', 'a', 20, 'a: 20 # why\n'],
    ['a:   1\r\nb: 2\r\n', 'a', 3, 'a:   3\r\nb: 2\r\n'],
    ["a: 'x' # why\n", 'a', "it's", "a: 'it''s' # why\n"],
    ['a: "x"\n', 'a', 'y"z', 'a: "y\\"z"\n'],
    ['a: x\n', 'a', 'true', 'a: "true"\n'],
    ['a: x\n', 'a', '8080', 'a: "8080"\n'],
    ['a: x\n', 'a', 'b: c', 'a: "b: c"\n'],
    ['a: "1"\n', 'a', 2, 'a: 2\n'],
    ['a: true\n', 'a', false, 'a: false\n'],
    ['inputs: { a: 1, b: [x, y] } # why\n', 'inputs.a', 2, 'inputs: { a: 2, b: [x, y] } # why\n'],
    [
      'inputs:\n    a: 1\n    b:   x   # why\n\nmore: 1\n',
      'inputs.b',
      'y',
      'inputs:\n    a: 1\n    b:   y   # why\n\nmore: 1\n',
    ],
    ['a: |\n  one\n  two\nb: 1\n', 'a', 'three', 'a: three\nb: 1\n'],
    ['a: >-\n  one\n  two\n', 'a', 'three', 'a: three\n'],
    ['a:\nb: 1\n', 'a', 2, 'a: 2\nb: 1\n'],
    ['a: # none yet\nb: 1\n', 'a', 2, 'a: 2 # none yet\nb: 1\n'],
    ['{ "a": 1 }\n', 'a', 2, '{ "a": 2 }\n'],
  ] as const)('is replaced, and nothing else: %j', (text, path, value, expected) => {
    expect(edited(text, path, value)).toBe(expected)
  })
})

describe('a value that is not there', () => {
  test.each([
    ['a: 1', 'b', 2, 'a: 1\nb: 2'],
    ['a: 1\n\n# the end\n', 'b', 2, 'a: 1\nb: 2\n\n# the end\n'],
    ['a: 1\r\n', 'b.c', 2, 'a: 1\r\nb:\r\n  c: 2\r\n'],
    ['inputs: { a: 1 }\n', 'inputs.b', 2, 'inputs: { a: 1, b: 2 }\n'],
    ['inputs: { a: [1, { b: 2 }], }\n', 'inputs.c', 2, 'inputs: { a: [1, { b: 2 }], c: 2, }\n'],
    ['inputs: {}\n', 'inputs.b', 2, 'inputs: { b: 2 }\n'],
    [
      'stages:\n  dev: {}\n  prod: {}\n',
      'stages.dev.inputs.a',
      2,
      'stages:\n  dev: { inputs: { a: 2 } }\n  prod: {}\n',
    ],
    [
      'stages: # its own\n  prod:\n    because: It is.\n    inputs:\n      a: 1 # one\n\n  # last\n  dev: {}\n',
      'stages.prod.inputs.b',
      2,
      'stages: # its own\n  prod:\n    because: It is.\n    inputs:\n      a: 1 # one\n      b: 2\n\n  # last\n  dev: {}\n',
    ],
    ['stages:\n  dev:\n  prod:\n', 'stages.dev.inputs.a', 2, 'stages:\n  dev:\n    inputs:\n      a: 2\n  prod:\n'],
    ['a:\n  - 1\n  - b: 2 # why\nc: 1\n', 'd', 2, 'a:\n  - 1\n  - b: 2 # why\nc: 1\nd: 2\n'],
    ['c: 1\na:\n  - 1\n  - b: 2 # why\n', 'd', 2, 'c: 1\na:\n  - 1\n  - b: 2 # why\nd: 2\n'],
    ['c: 1\na: |\n  text\n', 'd', 2, 'c: 1\na: |\n  text\nd: 2\n'],
  ] as const)('goes where it belongs: %j', (text, path, value, expected) => {
    expect(edited(text, path, value)).toBe(expected)
  })
})

describe('a file', () => {
  test.each([
    ['a: [1\n', 'a', 'the file has mistakes'],
    ['- a\n', 'a', 'the file is not a map'],
    ['a: { b: 1 }\n', 'a', 'the place is written in a way that is not edited by program'],
    ['a: [1]\n', 'a', 'the place is written in a way that is not edited by program'],
    ['a: 1\n', 'a.b', 'the place is written in a way that is not edited by program'],
  ])('is left alone where it is not sure: %j', (text, path, why) => {
    expect(setValue('service.yaml', text, { path: path.split('.'), value: 1 })).toEqual({ is: 'unsure', why })
  })
})

// Files as people format them.

type Style = {
  readonly flow: boolean
  readonly indent: 2 | 4
  readonly comment: boolean
  readonly blank: boolean
  readonly padded: boolean
}
type Written =
  | { readonly is: 'scalar'; readonly text: string }
  | { readonly is: 'map'; readonly of: Tree; readonly style: Style }
type Tree = readonly (readonly [string, Written])[]

const scalar = fc.constantFrom(
  '1',
  '-7',
  'true',
  'plain',
  'two words',
  "'single'",
  '"double \\" quote"',
  '/path/to-it',
  'ssm:/a/b',
  '[a, b]',
  '[1, { x: 1 }]',
)
const style: fc.Arbitrary<Style> = fc.record({
  flow: fc.boolean(),
  indent: fc.constantFrom(2, 4),
  comment: fc.boolean(),
  blank: fc.boolean(),
  padded: fc.boolean(),
})
const names = ['port', 'size', 'inputs', 'stages', 'dev', 'prod', 'table_key']
const tree: fc.Arbitrary<Tree> = fc.letrec<{ tree: Tree; node: Written }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 3, depthIdentifier: 'depth' },
    scalar.map((text): Written => ({ is: 'scalar', text })),
    fc.record({ is: fc.constant('map' as const), of: tie('tree'), style }),
  ),
  tree: fc.uniqueArray(fc.tuple(fc.constantFrom(...names), tie('node')), {
    selector: ([name]) => name,
    minLength: 1,
    maxLength: 4,
  }),
})).tree

function flowText(of: Tree, padded: boolean): string {
  const items = of.map(([key, each]) => `${key}: ${each.is === 'scalar' ? each.text : flowText(each.of, padded)}`)
  return padded ? `{ ${items.join(', ')} }` : `{${items.join(',')}}`
}

function blockLines(of: Tree, { indent, comment, blank, padded }: Style): readonly string[] {
  return of.flatMap(([key, each], index) => {
    const note = comment && index % 2 === 0 ? '   # why it is so' : ''
    const before = [...(blank && index > 0 ? [''] : []), ...(comment && index % 2 === 1 ? ['# what comes now'] : [])]
    const gap = padded ? '   ' : ' '
    if (each.is === 'scalar') return [...before, `${key}:${gap}${each.text}${note}`]
    if (each.style.flow) return [...before, `${key}:${gap}${flowText(each.of, each.style.padded)}${note}`]
    const inner = blockLines(each.of, each.style).map((line) => (line === '' ? '' : `${' '.repeat(indent)}${line}`))
    return [...before, `${key}:${note}`, ...inner]
  })
}

const file = fc
  .record({
    tree,
    style,
    eol: fc.constantFrom('\n', '\r\n'),
    end: fc.constantFrom('', '\n', '\n\n# the end\n'),
    head: fc.constantFrom('', '# yaml-language-server: $schema=x.json\n', '---\n'),
  })
  .map(({ tree: of, style: own, eol, end, head }) =>
    `${head}${blockLines(of, own).join('\n')}${end}`.replaceAll('\n', eol),
  )

const path = fc.array(fc.constantFrom(...names), { minLength: 1, maxLength: 4 })
const value: fc.Arbitrary<Scalar> = fc.oneof(
  fc.integer(),
  fc.boolean(),
  fc.constantFrom('x', 'two words', 'true', '12', 'a: b', "it's", '# no', '', 'ünï', '{{ x }}', '[a', '@acme', 'a, b'),
)

function dataOf(text: string): DataMap {
  const read = readYaml('service.yaml', text, 'own')
  if (!read.ok || !isMap(read.value.data)) throw new Error(`${text}\n${JSON.stringify(read.problems)}`)
  return read.value.data
}

function valueAt(data: Data, steps: readonly string[]): Data | undefined {
  let at: Data | undefined = data
  for (const step of steps) at = isMap(at) && Object.hasOwn(at, step) ? at[step] : undefined
  return at
}

/** What is left of a value when that of one path is taken out; with the maps that are there for it alone. */
function without(data: Data, [step, ...rest]: readonly string[]): Data {
  if (step === undefined || !isMap(data)) return data
  const kept = Object.entries(data).flatMap(([key, inner]): [string, Data][] => {
    if (key !== step) return [[key, inner]]
    if (rest.length === 0) return []
    const left = without(inner, rest)
    return isMap(left) && Object.keys(left).length === 0 ? [] : [[key, left]]
  })
  return Object.fromEntries(kept)
}

describe('invariant 14: an edit changes only the intended lines', () => {
  test('of a file in any style, at any place', () => {
    let [all, done] = [0, 0]
    fc.assert(
      fc.property(file, path, value, (text, steps, wanted) => {
        const result = setValue('service.yaml', text, { path: steps, value: wanted })
        all += 1
        const old = dataOf(text)
        if (result.is === 'unsure') {
          // A value that is a map or a list is not replaced by a word, and a word has nothing in it.
          const onTheWay = steps.map((_step, index) => valueAt(old, steps.slice(0, index + 1)))
          const isInTheWay = onTheWay.some((each, index) =>
            each === undefined ? false : index < steps.length - 1 ? !isMap(each) : typeof each === 'object',
          )
          expect(isInTheWay, `${result.why}\n${text}\n${steps.join('.')} = ${String(wanted)}`).toBe(true)
          return
        }
        done += 1
        const now = dataOf(result.text)
        expect(valueAt(now, steps)).toEqual(wanted)
        expect(canonicalJson(without(now, steps))).toBe(canonicalJson(without(old, steps)))
        const [before, after] = [text.split('\n'), result.text.split('\n')]
        const first = before.findIndex((line, index) => line !== after[index])
        const tail = before.toReversed().findIndex((line, index) => line !== after.at(-1 - index))
        // The lines before and after are the same; of the old ones, one at most has gone.
        const touched = first === -1 || tail === -1 ? 0 : Math.max(0, before.length - first - tail)
        expect(touched, `${text}\n=>\n${result.text}`).toBeLessThanOrEqual(1)
        const wasThere = valueAt(old, steps) !== undefined
        if (wasThere) expect(after).toHaveLength(before.length)
        else expect(after.length - before.length).toBeLessThanOrEqual(steps.length)
        // Every comment is still there, and every end of a line as it was.
        const comments = (each: string): readonly string[] =>
          each.match(/# (?:why it is so|what comes now|the end)/gu) ?? []
        expect(comments(result.text)).toEqual(comments(text))
        if (text.includes('\r\n')) expect(result.text).not.toMatch(/[^\r]\n/u)
      }),
      { numRuns: 1500 },
    )
    expect(done).toBeGreaterThan(all / 3)
  })

  test('also where keys are renamed, moved and taken out', () => {
    let [all, done] = [0, 0]
    const edit = fc.oneof(
      fc.record({ is: fc.constant('remove' as const), path }),
      fc.record({ is: fc.constant('rename' as const), path, to: path }),
      fc.record({ is: fc.constant('set' as const), path, value: fc.constantFrom<Data>([1, 'a'], null, 'x: y') }),
    )
    fc.assert(
      fc.property(file, edit, (text, wish) => {
        const old = dataOf(text)
        const wanted = changed(old, wish)
        if (wanted === undefined) {
          expect(editYaml('service.yaml', text, [wish]).is).toBe('unsure')
          return
        }
        all += 1
        const result = editYaml('service.yaml', text, [wish])
        if (result.is === 'unsure') return
        done += 1
        expect(canonicalJson(dataOf(result.text))).toBe(canonicalJson(wanted))
        // Comments above keys and at the end stay; of those behind values as many go as lines go.
        const count = (each: string, pattern: RegExp): number => each.match(pattern)?.length ?? 0
        const [above, end] = [/^ *# what comes now/gmu, /^# the end/gmu]
        expect(count(result.text, end)).toBe(count(text, end))
        const isWhole = wish.is === 'rename' || !isMap(valueAt(old, wish.path))
        if (isWhole) expect(count(result.text, above), `${text}\n=>\n${result.text}`).toBe(count(text, above))
        if (wish.is === 'rename') {
          const note = /# why it is so/gu
          expect(count(result.text, note), `${text}\n=>\n${result.text}`).toBe(count(text, note))
        }
        if (text.includes('\r\n')) expect(result.text).not.toMatch(/[^\r]\n/u)
        // Lines of other entries of the root are the same, in the same order.
        const touched = new Set([wish.path[0], ...(wish.is === 'rename' ? [wish.to[0]] : [])])
        const others = (each: string): readonly string[] =>
          each
            .split(/\r?\n(?=\w)/u)
            .filter((part) => /^\w+:/u.test(part) && !touched.has(/^\w+/u.exec(part)?.[0]))
            .map((part) => part.replaceAll(/^#.*$/gmu, '').trimEnd())
        expect(others(result.text)).toEqual(others(text))
      }),
      { numRuns: 2000 },
    )
    // What is left alone: texts that would go between brackets with their lines, and files that would be empty.
    expect(done).toBeGreaterThan(all * 0.8)
  })
})
