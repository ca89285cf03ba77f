import { describe, expect, test } from 'vitest'
import { type Edit, editYaml } from '../../../src/core/edit.ts'
import { type Case, corpus } from './corpus.ts'

const cases = corpus()

function edited(text: string, edits: readonly Edit[]): string {
  const result = editYaml('service.yaml', text, edits)
  return result.is === 'edited' ? result.text : `unsure: ${result.why}`
}

/** The lines of two texts that are not common to both, by the longest common sequence. */
function different(a: readonly string[], b: readonly string[]): { readonly gone: string[]; readonly come: string[] } {
  const table = Array.from({ length: a.length + 1 }, () => Array.from({ length: b.length + 1 }, () => 0))
  for (let i = a.length - 1; i >= 0; i -= 1)
    for (let j = b.length - 1; j >= 0; j -= 1) {
      const row = table[i]
      const below = table[i + 1]
      if (row === undefined || below === undefined) continue
      row[j] = a[i] === b[j] ? (below[j + 1] ?? 0) + 1 : Math.max(below[j] ?? 0, row[j + 1] ?? 0)
    }
  const found = { gone: new Array<string>(), come: new Array<string>() }
  let [i, j] = [0, 0]
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) [i, j] = [i + 1, j + 1]
    else if (j >= b.length || (i < a.length && (table[i + 1]?.[j] ?? 0) >= (table[i]?.[j + 1] ?? 0))) {
      found.gone.push(a[i] ?? '')
      i += 1
    } else {
      found.come.push(b[j] ?? '')
      j += 1
    }
  }
  return found
}

function linesOf(text: string): readonly string[] {
  return text.split(/(?<=\n)/u)
}

/** Lines that are touched beside the intended ones. */
function beside({ before, after, edits }: Case): number {
  const [meant, done] = [
    different(linesOf(before), linesOf(after)),
    different(linesOf(before), linesOf(edited(before, edits))),
  ]
  const surplus = (a: readonly string[], b: readonly string[]): number => {
    const left = [...b]
    return a.filter((line) => {
      const index = left.indexOf(line)
      if (index !== -1) left.splice(index, 1)
      return index === -1
    }).length
  }
  return surplus(done.gone, meant.gone) + surplus(done.come, meant.come)
}

describe('invariant 14: in files of every style the intended lines change and no other', () => {
  test('there are files enough', () => {
    expect(new Set(cases.map(({ before }) => before)).size).toBeGreaterThan(200)
  })

  test.each([...Map.groupBy(cases, ({ name }) => name.split(' in ')[0] ?? '')])('%s', (_name, group) => {
    for (const { name, before, after, edits } of group) expect(edited(before, edits), name).toBe(after)
  })

  test('lines touched beside the intended ones: 0', () => {
    expect(cases.reduce((sum, each) => sum + beside(each), 0)).toBe(0)
  })

  test('a mark of the order of bytes stays where it is', () => {
    for (const { before, after, edits } of cases.slice(0, 50))
      expect(edited(`\uFEFF${before}`, edits)).toBe(`\uFEFF${after}`)
  })
})

describe('a file is left alone', () => {
  const set: Edit = { is: 'set', path: ['inputs', 'a'], value: 1 }
  const remove: Edit = { is: 'remove', path: ['inputs', 'a'] }
  const rename: Edit = { is: 'rename', path: ['inputs', 'a'], to: ['inputs', 'b'] }
  test.each<[string, Edit, string]>([
    ['inputs: &all { a: 2 }\nmore: *all\n', set, 'the file has mistakes'],
    ['inputs: { a: 2 }\ninputs: { a: 3 }\n', set, 'the file has mistakes'],
    ['inputs: { a: 2 }\n...\n', set, 'the file has mistakes'],
    ['inputs: [a, b]\n', set, 'the place is written in a way that is not edited by program'],
    ['inputs: a\n', set, 'the place is written in a way that is not edited by program'],
    ['inputs:\n  ? a\n  : 2\n', set, 'the place is written in a way that is not edited by program'],
    ['inputs:\n  b: |\n    text', set, 'the value does not read back as what it is'],
    ['inputs: { b: 1 }\n', remove, 'there is no such key'],
    ['inputs: { a: 1, b: 1 }\n', rename, 'the key has a value already'],
    ['inputs: { b: 1 }\n', rename, 'there is no such key'],
    ['a: 1\n', { is: 'remove', path: ['a'] }, 'nothing would be left of the file'],
    [
      'a:\n  b:\n    c: 1\n    d: 2 # note\n  e: { f: 1 }\n',
      { is: 'rename', path: ['a', 'b'], to: ['a', 'e', 'b'] },
      'the place is written in a way that is not edited by program',
    ],
  ])('where it is not sure: %j', (text, edit, why) => {
    expect(editYaml('service.yaml', text, [edit])).toEqual({ is: 'unsure', why })
  })

  test('by all changes if one of them cannot be made', () => {
    expect(
      editYaml('f', 'a: 1\nb: 2\n', [
        { is: 'set', path: ['a'], value: 2 },
        { is: 'remove', path: ['c'] },
      ]),
    ).toEqual({
      is: 'unsure',
      why: 'there is no such key',
    })
  })
})
