import { afterEach, describe, expect, test } from 'vitest'
import type { FileTree } from '../../src/core/tree.ts'
import { clientOf } from '../fakes/github/client.ts'
import { commandsIn } from '../transcript/action.ts'
import type { Merging } from './merging.ts'
import { startMerging } from './merging.ts'
import { small } from './organisation.ts'

/** The cart, with an input that has such a name and such a value. */
function shop(text: string | undefined): FileTree {
  const tree = small({
    stages: ['dev'],
    services: { cart: { size: 1, topics: 2 } },
    word: text === undefined ? 'a' : 'b',
  })
  const quoted = JSON.stringify(text)
  return new Map(
    [...tree].map(([path, source]) => [
      path,
      path === 'services/cart/service.yaml' && text !== undefined
        ? source.replace('inputs: {', `inputs: { ${quoted}: ${quoted}, size2: ${quoted}, `)
        : source,
    ]),
  )
}

let merging: Merging
afterEach(async () => merging.close())

const hostile = {
  'a mention and references': '@acme/platform fixes #1 and GH-1',
  'the end of a fold': '</details></summary><script>alert(1)</script><!--',
  'a cell and a link': 'a | b [x](https://evil.example) ![y](https://evil.example/y.png)',
  'a workflow command': '::set-output name=exit::done',
  'an old workflow command': 'x ##[add-mask]s',
  'colours and a title': '\u001b[31mred\u001b]0;title\u0007',
  'a fence and a heading': '```\n````\n## heading\n- [ ] task',
  'letters that run backwards': '\u202egnp.exe',
  'a text of 70,000 characters': `@acme/all ${'x'.repeat(70_000)}`,
}

describe.each(Object.entries(hostile))('%s', (_what, text) => {
  test('in the title of a pull request, in the name and the value of an input: nobody is called, nothing is broken', async () => {
    merging = await startMerging(shop(undefined), ['dev'])
    const pull = await merging.propose(shop(text), { title: text.slice(0, 250) })

    const { issues } = clientOf(merging.github, { kind: 'user', login: 'ada' })
    const { data } = await issues.listComments({ owner: 'acme', repo: 'catalog', issue_number: pull.number })
    expect(data.map(({ body }) => body?.split('\n')[2])).toEqual([
      expect.stringMatching(/^### Cannot plan this: \d+ problems/u),
    ])
    checkPages()
  })

  test('in what the cloud says of a failure', async () => {
    merging = await startMerging(shop(undefined), ['dev'])
    const tree = small({ stages: ['dev'], services: { cart: { size: 2, topics: 2 } }, word: 'b' })
    const commit = await merging.merge(await merging.propose(tree))
    await merging.deploy(commit, { services: 'environment', stage: 'dev' })
    const { exit } = await merging.deploy(commit, { services: 'cart', stage: 'dev', fail: `cart-dev/Topic0=${text}` })

    expect(exit).toBe('failed')
    checkPages()
    const { repos } = clientOf(merging.github, { kind: 'user', login: 'ada' })
    const { data } = await repos.listCommits({ owner: 'acme', repo: 'catalog', sha: 'protium-ledger' })
    expect(data.map(({ commit: { message } }) => message).join('\n')).not.toMatch(/[@#<]|GH-/u)
  })
})

/** What is said outside of code means nothing to GitHub; no line of the log is a command, and nothing in it is invisible. */
function checkPages(): void {
  const pages = merging.pages()
  expect(pages.length).toBeGreaterThan(1)
  for (const page of pages) {
    expect(page.length).toBeLessThanOrEqual(65_536)
    const prose = page
      .replaceAll(/^(`{3,})[^\n]*\n[^]*?\n\1$/gmu, '')
      .replaceAll(/(?<!`)(`+)(?!`)[^]*?(?<!`)\1(?!`)/gu, '')
    expect(prose).not.toMatch(/@acme|#1\b|GH-1|<script|evil\.example\)|^## heading/mu)
    expect(prose.match(/<details>/gu)?.length).toBe(prose.match(/<\/details>/gu)?.length)
    expect(page).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202e]/u)
  }
  // The log is written between marks that stop commands; here it is looked at without them.
  expect(commandsIn(merging.log())).toEqual([])
  expect(merging.log()).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202e]/u)
}
