import { describe, expect, it } from 'vitest'
import { decisionsIn, filesSection, type FileOutcome, lockFile } from '../../../src/core/skeleton.ts'
import { url } from '../../../src/core/markdown.ts'
import { bundleWith, Repository, skeletonOf } from './bundles.ts'

const hunk = {
  line: 3,
  ours: ['FROM own'],
  before: ['FROM node:20'],
  after: ['FROM node:24'],
  id: 'h0123456789abcde',
  choice: 'mine',
  isSettled: false,
} as const

function section(outcomes: readonly FileOutcome[], more: Partial<Parameters<typeof filesSection>[1]> = {}): string {
  return filesSection(outcomes, { asks: true, ...more })?.markdown ?? ''
}

describe('The section Files', () => {
  it('is not there where nothing has become of a file', () => {
    expect(filesSection([], { asks: true })).toBeUndefined()
  })

  it('compares no more of a text than is needed to show it, however long it is', () => {
    const lines = (turn: number): string => Array.from({ length: 50_000 }, (_, i) => `${(i * turn) % 7}\n`).join('')
    const ours = `same\nown\n${lines(2)}`
    const after = `same\nnew\n${lines(3)}`
    const text = section([{ path: 'a', owner: 'merge', is: 'review', why: 'too-long', words: 'is long', ours, after }])
    expect(text).toContain(' same\n-own')
    expect(text).toContain('\n… many more lines\n')
  })

  it('says of each file what becomes of it', () => {
    const text = section([
      { path: 'a', owner: 'merge', is: 'added' },
      { path: 'README.md', owner: 'block', is: 'added' },
      { path: 'b', owner: 'merge', is: 'updated' },
      { path: 'c', owner: 'merge', is: 'merged' },
      { path: 'd', owner: 'merge', is: 'removed' },
      { path: 'e', owner: 'managed', is: 'overwritten', lost: ['one', '```', '@acme/team'] },
      { path: 'f', owner: 'merge', is: 'kept', why: 'deleted' },
      { path: 'g', owner: 'merge', is: 'kept', why: 'dropped' },
      { path: 'h', owner: 'block', is: 'kept', why: 'unmarked' },
      { path: 'i', owner: 'merge', is: 'review', why: 'no-text', after: 'x\n' },
    ])
    expect(text).toMatchInlineSnapshot(`
      "### Files

      | File | What becomes of it |
      |---|---|
      | \`a\` | new |
      | \`README.md\` | new lines, between two marks |
      | \`b\` | brought to the new version; nobody had changed it |
      | \`c\` | merged: your changes stay, and the template’s are added |
      | \`d\` | removed: the template has it no longer, and nobody had changed it |
      | \`e\` | **overwritten**: it belongs to the template, and 3 lines of yours go here |
      | \`f\` | stays deleted, as you have it; the template has changed it |
      | \`g\` | **yours stays**: the template has it no longer, and you have changed it; delete it if nothing needs it |
      | \`h\` | left alone: the two marks of the template’s lines are not there |
      | \`i\` | **left as it is**: it is no file with a text that could be changed |

      <details><summary>e: what goes</summary>

      \`\`\`\`diff
      -one
      -\`\`\`
      -@acme/team
      \`\`\`\`
      </details>
      "
    `)
  })

  it('shows both sides of a conflict, with a box for each', () => {
    const text = section([{ path: 'Dockerfile', owner: 'merge', is: 'conflict', hunks: [hunk] }], {
      address: (path, line) => url('https://github.com', ['acme', 'cart', 'blob', 'main', path, `L${line}`]),
    })
    expect(text).toMatchInlineSnapshot(`
      "### Files

      | File | What becomes of it |
      |---|---|
      | \`Dockerfile\` | merged, but for **1 place** that both have changed: yours stays until you decide |

      [\`Dockerfile\`, line 3](https://github.com/acme/cart/blob/main/Dockerfile/L3)

      You have changed:
      \`\`\`diff
      -FROM node:20
      +FROM own
      \`\`\`
      The template has changed:
      \`\`\`diff
      -FROM node:20
      +FROM node:24
      \`\`\`

      - [ ] keep mine <!-- protium:box file h0123456789abcde mine -->
      - [ ] take the template’s <!-- protium:box file h0123456789abcde template -->
      "
    `)
  })

  it('shows what is left alone, and what the template has instead', () => {
    const question = { id: 'h0123456789abcde', choice: 'mine', isSettled: false } as const
    const outcome = {
      path: 'a',
      owner: 'merge',
      is: 'review',
      why: 'both-added',
      ours: 'x\ny\n',
      after: 'y\nz\n',
      question,
    } as const
    expect(section([outcome])).toMatchInlineSnapshot(`
      "### Files

      | File | What becomes of it |
      |---|---|
      | \`a\` | **left as it is**: you had a file of this name already; yours stays until you decide |

      \`a\`

      <details><summary>a: yours (-), and the template’s (+)</summary>

      \`\`\`diff
      -x
       y
      +z
      \`\`\`
      </details>

      - [ ] keep mine <!-- protium:box file h0123456789abcde mine -->
      - [ ] take the template’s <!-- protium:box file h0123456789abcde template -->
      "
    `)
    const silent = section([outcome], { asks: false })
    expect(silent).not.toContain('[ ]')
    expect(silent).not.toContain('until you decide')
  })

  it('ticks the box of what was decided', () => {
    const outcome = {
      path: 'a',
      owner: 'merge',
      is: 'conflict',
      hunks: [{ ...hunk, choice: 'template', isSettled: true }],
    } as const
    const text = section([outcome])
    expect(text).toContain('- [x] take the template’s')
    expect(text).toContain('- [ ] keep mine')
    expect(text).toContain('the template’s is taken, as decided')
    expect(decisionsIn(text)).toEqual(new Map([['h0123456789abcde', 'template']]))
  })

  it('has no more characters than it may, and keeps every box', () => {
    const hunks = Array.from({ length: 40 }, (_, index) => ({
      ...hunk,
      id: `h${String(index).padStart(15, '0')}`,
      ours: Array.from({ length: 50 }, (__, line) => `ours ${index} ${line}`),
    }))
    const text = section([{ path: 'a', owner: 'merge', is: 'conflict', hunks }], { most: 14_000 })
    expect(text.length).toBeLessThanOrEqual(14_000)
    expect(text.match(/keep mine/g)).toHaveLength(40)
    expect(text).toContain('+ours 0 1')
    expect(text).not.toContain('+ours 39 1')
  })
})

describe('What is ticked', () => {
  const box = (id: string, choice: string, mark: string): string =>
    `- [${mark}] words <!-- protium:box file ${id} ${choice} -->`

  it.each([
    [
      'one side',
      [box('h0123456789abcde', 'mine', 'x'), box('h0123456789abcde', 'template', ' ')],
      [['h0123456789abcde', 'mine']],
    ],
    [
      'the other',
      [box('h0123456789abcde', 'mine', ' '), box('h0123456789abcde', 'template', 'X')],
      [['h0123456789abcde', 'template']],
    ],
    ['both', [box('h0123456789abcde', 'mine', 'x'), box('h0123456789abcde', 'template', 'x')], []],
    ['none', [box('h0123456789abcde', 'mine', ' ')], []],
    ['what is no question', [box('h0123', 'mine', 'x'), box('h0123456789abcde', 'yours', 'x'), '- [x] anything'], []],
  ])('is a decision: %s', (_, body, expected) => {
    expect([...decisionsIn(body.join('\r\n'))]).toEqual(expected)
  })

  it('comes back to the merge as the choice of a place', () => {
    const version = (number: string, text: string) => bundleWith(skeletonOf({ a: text }), number)
    const repository = new Repository()
    repository.upgrade(version('1.0.0', '1\n2\n3\n'))
    repository.files.set('a', 'ours\n2\n3\n')
    const before = new Map(repository.files)
    const { outcomes } = repository.upgrade(version('1.1.0', 'theirs\n2\n3\n'))
    const body = section(outcomes).replace('- [ ] take', '- [x] take')

    const again = new Repository()
    again.upgrade(version('1.0.0', '1\n2\n3\n'))
    for (const [path, text] of before) again.files.set(path, text)
    again.upgrade(version('1.1.0', 'theirs\n2\n3\n'), decisionsIn(body))
    expect(again.files.get('a')).toBe('theirs\n2\n3\n')
    expect(again.files.get(lockFile)).toContain('"template"')
  })
})
