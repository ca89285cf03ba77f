import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { addItem } from '../../src/core/edit-list.ts'

const path = ['services', 'repositories']

function added(text: string, item = 'acme/checkout'): string {
  const edited = addItem('catalog.yaml', text, { path, item })
  return edited.is === 'edited' ? edited.text : `unsure: ${edited.why}`
}

describe('addItem', () => {
  test.each([
    ['an empty list', 'services:\n  repositories: []\n', 'services:\n  repositories: [acme/checkout]\n'],
    [
      'one with a comment',
      'services:\n  repositories: [ ] # ours\n',
      'services:\n  repositories: [acme/checkout ] # ours\n',
    ],
    [
      'one in brackets',
      'services: { repositories: [acme/a] }\n',
      'services: { repositories: [acme/a, acme/checkout] }\n',
    ],
    [
      'one over lines',
      'services:\n  repositories:\n    - acme/a # first\n    # more?\nworkflows: { actions: a }\n',
      'services:\n  repositories:\n    - acme/a # first\n    - acme/checkout\n    # more?\nworkflows: { actions: a }\n',
    ],
    [
      'one at the end of the file, by Windows',
      'services:\r\n  repositories:\r\n  - acme/a\r\n',
      'services:\r\n  repositories:\r\n  - acme/a\r\n  - acme/checkout\r\n',
    ],
    [
      'one that does not end its line',
      'services:\n  repositories:\n  - a',
      'services:\n  repositories:\n  - a\n  - acme/checkout\n',
    ],
    [
      'one that has it',
      'services: { repositories: [acme/checkout] }\n',
      'services: { repositories: [acme/checkout] }\n',
    ],
  ])('adds to %s, and touches nothing else', (_, before, after) => {
    expect(added(before)).toBe(after)
  })

  test.each([
    ['what is no list', 'services: { repositories: { topic: a } }\n', 'unsure: there is no list'],
    ['what is not there', 'catalog: acme\n', 'unsure: there is no list'],
    ['a file with mistakes', 'services: [\n', 'unsure: the file has mistakes'],
  ])('leaves %s', (_, before, after) => {
    expect(added(before)).toBe(after)
  })

  test('reads back as the list with the word behind the others, or is not made', () => {
    const word = fc.constantFrom('a', 'acme/a-b', '- x', '# y', 'yes', '1', '"', "it's", 'a: b', '[', '')
    fc.assert(
      fc.property(fc.array(word, { maxLength: 4 }), word, fc.boolean(), (words, item, inBrackets) => {
        const list = inBrackets
          ? `[${words.map((each) => JSON.stringify(each)).join(', ')}]`
          : words.map((each) => `\n    - ${JSON.stringify(each)}`).join('')
        const text = `services:\n  repositories: ${list}\nname: x\n`
        const edited = addItem('catalog.yaml', text, { path, item })
        if (words.length === 0 && !inBrackets) return edited.is === 'unsure'
        if (edited.is !== 'edited') return false
        const removed = words.includes(item) ? edited.text === text : edited.text.length > text.length
        return removed && edited.text.startsWith('services:\n  repositories:') && edited.text.endsWith('\nname: x\n')
      }),
      { numRuns: 200 },
    )
  })
})
