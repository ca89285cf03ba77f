import fc from 'fast-check'
import { fromMarkdown } from 'mdast-util-from-markdown'
import { gfmFromMarkdown } from 'mdast-util-gfm'
import { gfm } from 'micromark-extension-gfm'
import { describe, expect, test } from 'vitest'

import type { Markdown } from '../../src/core/markdown.ts'
import {
  blocks,
  bullets,
  code,
  cut,
  fence,
  fold,
  hostLink,
  title,
  link,
  marker,
  prose,
  plainText,
  shorten,
  sizeOf,
  small,
  table,
  url,
} from '../../src/core/markdown.ts'

type Root = ReturnType<typeof fromMarkdown>
type Nodes = Root | Root['children'][number]

/** How GitHub reads Markdown, by a parser that is nobody of ours. */
function parse({ markdown }: Markdown): Root {
  return fromMarkdown(markdown, { extensions: [gfm()], mdastExtensions: [gfmFromMarkdown()] })
}

function* nodesOf(node: Nodes): Generator<Nodes> {
  yield node
  if ('children' in node) for (const child of node.children) yield* nodesOf(child)
}

const kindsOf = (markdown: Markdown): readonly string[] => [...nodesOf(parse(markdown))].map(({ type }) => type)

/** What GitHub's filters look at: the text that is not code. */
const proseOf = (markdown: Markdown): string =>
  [...nodesOf(parse(markdown))].map((node) => (node.type === 'text' ? node.value : '\n')).join('')

const mentions = /(?:^|[^\w`/])@[a-z\d]/iu
const references = /#\d|\bgh-\d|\b(?=[a-f]*\d)[0-9a-f]{7,40}\b|:[\w+-]+:/iu

const hostile = [
  '@acme/platform',
  '@ana',
  'mail@example.com',
  '#1',
  'acme/checkout#12',
  'GH-7',
  '5c0e1f2a9b',
  'www.example.com',
  'https://evil.example.com/x',
  '|',
  '\\|',
  '||',
  '`',
  '``',
  '````',
  '<script>alert(1)</script>',
  '</details>',
  '<!--',
  '-->',
  '[x](https://evil.example.com)',
  '![x](https://evil.example.com/x.png)',
  '[^1]',
  '**',
  '__',
  '~~',
  '$x$',
  ':tada:',
  '&lt;',
  '&#64;ana',
  '\\',
  '\n',
  '\n\n',
  '\r\n',
  '\t',
  '    ',
  '1.',
  '1)',
  '-',
  '+',
  '*',
  '#',
  '>',
  '---',
  '===',
  '|---|',
  '\u001b[31m',
  '\u202e',
  '\u200b',
  '\ud800',
  '\u0000',
  '\u2028',
  '::set-output name=x::y',
  '##[add-mask]x',
  '- [ ]',
  '> [!NOTE]',
  '```',
  '~~~',
]

const texts = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc
    .array(fc.oneof(fc.constantFrom(...hostile), fc.string({ maxLength: 5 }), fc.constantFrom(' ', 'word')), {
      maxLength: 12,
    })
    .map((parts) => parts.join('')),
)

const runs = { numRuns: 400 }

describe('text from elsewhere', () => {
  test('in a code span is one code span and nothing else', () => {
    fc.assert(
      fc.property(texts, (text) => {
        const paragraph = prose`See ${code(text)} there.`
        const kinds = text === '' ? ['root', 'paragraph', 'text'] : ['root', 'paragraph', 'text', 'inlineCode', 'text']
        expect(kindsOf(paragraph)).toEqual(kinds)
      }),
      runs,
    )
  })

  test.each([
    ['as plain text', plainText],
    ['as plain text after a word', (text: string) => prose`Word ${text}`],
    ['as plain text twice', (text: string) => prose`${text} ${text}`],
    ['as plain text beside code', (text: string) => prose`${code(text)}${text}`],
    ['in a point of a list', (text: string) => bullets([prose`${text} and ${code(text)}`])],
    ['in bold', (text: string) => prose`**${'a'} ${text}** and more`],
    ['in small print', (text: string) => small([plainText(text), code(text)])],
  ])('%s makes no link, mention, reference, HTML or block', (_, make) => {
    fc.assert(
      fc.property(texts, (text) => {
        const made = make(text)
        const allowed = new Set(['root', 'paragraph', 'text', 'inlineCode', 'list', 'listItem', 'strong'])
        const kinds = kindsOf(made).filter((kind) => !allowed.has(kind))
        const tags = [...nodesOf(parse(made))].flatMap((node) => (node.type === 'html' ? [node.value] : []))
        expect(tags.filter((tag) => tag !== '<sub>' && tag !== '</sub>')).toEqual([])
        expect(kinds.filter((kind) => kind !== 'html')).toEqual([])
        expect(parse(made).children).toHaveLength(1)
        expect(proseOf(made)).not.toMatch(mentions)
        expect(proseOf(made)).not.toMatch(references)
      }),
      runs,
    )
  })

  test('in a cell leaves the table as it is', () => {
    fc.assert(
      fc.property(texts, texts, (one, two) => {
        const made = table(
          ['Stage', '>Changes'],
          [
            [one, code(two)],
            [prose`**${'x'}** ${two}`, one],
          ],
        )
        const [only, ...others] = parse(made).children
        expect(others).toEqual([])
        expect(only?.type === 'table' ? only.children.map((row) => row.children.length) : only?.type).toEqual([2, 2, 2])
        expect(proseOf(made)).not.toMatch(mentions)
        expect(proseOf(made)).not.toMatch(references)
        expect(kindsOf(made)).not.toContain('link')
        expect(kindsOf(made)).not.toContain('html')
      }),
      runs,
    )
  })

  test('in a fence stays in it', () => {
    fc.assert(
      fc.property(texts, (text) => {
        const made = blocks([fence(text, 'diff'), plainText('after')])
        expect(parse(made).children.map(({ type }) => type)).toEqual(['code', 'paragraph'])
      }),
      runs,
    )
  })

  test('in the title of a fold makes no tag and no mention', () => {
    fc.assert(
      fc.property(texts, (text) => {
        const made = fold(title`<b>${text}</b>: ${text}`, plainText('x'))
        const [first] = parse(made).children
        const source = first?.type === 'html' ? first.value : ''
        expect(source.replaceAll(/<\/?(?:b|code)>/gu, '').match(/<[^>]*>/gu)).toEqual([
          '<details>',
          '<summary>',
          '</summary>',
        ])
        expect(source.replaceAll(/<code>.*?<\/code>/gu, '')).not.toMatch(mentions)
        expect(source.replaceAll(/<code>.*?<\/code>/gu, '').replaceAll(/&#?\w+;/gu, '')).not.toMatch(references)
        expect(parse(made).children.map(({ type }) => type)).toEqual(['html', 'paragraph', 'html'])
      }),
      runs,
    )
  })

  test('as the label and in the address of a link makes that link', () => {
    fc.assert(
      fc.property(texts, texts, (label, segment) => {
        const address = url('https://github.com', ['acme', segment, 'pull', 1])
        const made = prose`See ${link(label, address)} there.`
        const links = [...nodesOf(parse(made))].flatMap((node) => (node.type === 'link' ? [new URL(node.url)] : []))
        if (address === undefined) expect(links).toEqual([])
        else {
          expect(links).toHaveLength(1)
          expect(links[0]?.href.startsWith('https://github.com/acme/')).toBe(true)
          expect(links[0]?.pathname.endsWith('/pull/1')).toBe(true)
          expect(links[0]?.pathname.split('/')).toHaveLength(5)
        }
      }),
      runs,
    )
  })

  test('in a comment of the source never ends it', () => {
    fc.assert(
      fc.property(texts, (text) => {
        expect(marker('plan', text).markdown).toMatch(/^<!-- protium:plan(?: [a-z0-9/-]*[a-z0-9])? -->$/u)
        expect(marker('plan', text).markdown.slice(4, -3)).not.toContain('--')
      }),
      runs,
    )
  })
})

describe('plain text', () => {
  test.each([
    ['Nothing is replaced in dev, staging and prod.', 'Nothing is replaced in dev, staging and prod.'],
    ['inputs.prot is not an input (of 2.3.0).', 'inputs.prot is not an input (of 2.3.0).'],
    ['"prot" is wrong. Did you mean "port"?', '"prot" is wrong. Did you mean "port"?'],
    ['Run `protium plan --out FILE`.', 'Run `protium plan --out FILE`.'],
    ['ask @acme/platform about #12', 'ask `@acme/platform` about `#12`'],
    ['desired_count | x', '`desired_count` `\\u007c` x'],
    ['  many \n lines\there ', 'many lines here'],
    ['1. is no list', '`1`. is no list'],
    ['see www.example.com', 'see `www.example.com`'],
    ['checkout 한국어 naïve', 'checkout 한국어 naïve'],
    ['', '(empty)'],
    ['a`b`c', 'a`b`c'],
    ['`a``b`', '`a` `b`'],
  ])('of %j is %j', (text, expected) => {
    expect(plainText(text).markdown).toBe(expected)
  })

  test('is cut where it is longer than anybody reads', () => {
    expect(plainText('x'.repeat(70_000)).markdown).toHaveLength(500)
    expect(code('@'.repeat(70_000)).markdown).toHaveLength(502)
  })

  test('is not cut through a character', () => {
    expect(shorten('a😀😀', 4)).toBe('a😀…')
    expect(shorten('aa😀😀', 4)).toBe('aa…')
  })
})

describe('an address', () => {
  test('is made of segments that stay segments', () => {
    expect(url('https://github.com', ['acme', 'a b/c', 'x(y)'])?.url).toBe('https://github.com/acme/a%20b%2Fc/x%28y%29')
  })

  test.each([['..'], ['.'], ['']])('with the segment %j is none', (segment) => {
    expect(url('https://github.com', ['acme', segment])).toBeUndefined()
  })

  test.each([['javascript:alert(1)'], ['https://github.com/x'], ['https://a b'], ['https://x@y']])(
    'of the server %j is none',
    (server) => {
      expect(url(server, ['acme'])).toBeUndefined()
    },
  )

  test('of a host is a link only if it is a host', () => {
    expect(hostLink('checkout.example.com').markdown).toBe('[checkout.example.com](https://checkout.example.com)')
    expect(hostLink('checkout.example.com/@ana').markdown).toBe('`checkout.example.com/@ana`')
  })
})

describe('a text that is too long', () => {
  const rest = prose`All of it is in the job summary.`
  const whole = blocks([
    prose`### Title`,
    table(
      ['A', 'B'],
      Array.from({ length: 20 }, (_, index) => [`row ${index}`, 'x']),
    ),
    fold(
      title`One`,
      blocks([fence(Array.from({ length: 30 }, (_, index) => `line ${index} </details>`).join('\n')), prose`end`]),
    ),
    fold(title`Two`, bullets(Array.from({ length: 10 }, (_, index) => prose`point ${index}`))),
  ])

  test('that fits is as it was', () => {
    expect(cut(whole, { most: whole.markdown.length, unit: 'characters', rest })).toEqual(whole)
  })

  test('is cut between lines, with everything closed, and says so', () => {
    for (let most = 150; most < whole.markdown.length; most += 1) {
      const made = cut(whole, { most, unit: 'characters', rest })
      expect(made.markdown.length).toBeLessThanOrEqual(most)
      expect(made.markdown).toMatch(
        /\*\*Cut here:\*\* \d+ lines? (?:is|are) left out\. All of it is in the job summary\.\n$/u,
      )
      const { children } = parse(made)
      expect(children.at(-1)?.type).toBe('paragraph')
      const source = made.markdown
      const open = source.replaceAll(/^(`{3,}).*?^\1$/gmsu, '')
      expect(open).not.toContain('```')
      expect(open.split('<details>')).toHaveLength(open.split('</details>').length)
    }
  })

  test('is counted in bytes where the budget is in bytes', () => {
    const korean = blocks(Array.from({ length: 100 }, () => plainText('한국어')))
    const made = cut(korean, { most: 500, unit: 'bytes', rest })
    expect(Buffer.byteLength(made.markdown)).toBeLessThanOrEqual(500)
    expect(sizeOf(made, 'bytes')).toBe(Buffer.byteLength(made.markdown))
  })

  test('of one line alone is that it was cut', () => {
    const made = cut(plainText('word '.repeat(90)), { most: 200, unit: 'characters', rest })
    expect(made.markdown).toBe('**Cut here:** 1 line is left out. All of it is in the job summary.\n')
  })

  test('of any text keeps to its budget and closes what it opened', () => {
    fc.assert(
      fc.property(fc.array(texts, { maxLength: 6 }), fc.integer({ min: 120, max: 900 }), (parts, most) => {
        const made = cut(blocks(parts.map((part) => fold(title`${part}`, blocks([fence(part), plainText(part)])))), {
          most,
          unit: 'characters',
          rest,
        })
        expect(made.markdown.length).toBeLessThanOrEqual(most)
        const tags = [...nodesOf(parse(made))].flatMap((node) => (node.type === 'html' ? [node.value] : [])).join('')
        expect(tags.split('<details>')).toHaveLength(tags.split('</details>').length)
        expect(parse(made).children.at(-1)?.type === 'code').toBe(false)
      }),
      { numRuns: 500 },
    )
  })
})
