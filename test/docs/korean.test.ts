import { describe, expect, test } from 'vitest'
import { type Block, blocksOf, headingsOf, textOf } from './pages.ts'

const twins = [
  ['README.md', 'README.ko.md'],
  ['docs/guide-platform.md', 'docs/guide-platform.ko.md'],
  ['docs/guide-developer.md', 'docs/guide-developer.ko.md'],
] as const

/** What is typed or written to a file; what stands behind `#` in a shell is told in each language. */
function said({ info, text, mark = '' }: Block): {
  readonly info: string
  readonly mark: string
  readonly text: string
} {
  const shown = info === 'sh' ? text.replaceAll(/ +# .*$/gmu, '') : text
  return { info, mark: mark.replace(/^not run: .*/u, 'not run'), text: shown }
}

/** The values of the first column of tables: what is typed stands there, in backquotes. */
function codesOf(page: string): readonly string[] {
  return [...textOf(page).matchAll(/^\| `([^`|]+)` +\|/gmu)].map(([, code = '']) => code)
}

describe.each(twins)('%s and %s', (english, korean) => {
  test('have the same headings, in the same order and depth', () => {
    const depths = (page: string): readonly number[] => headingsOf(page).map(({ depth }) => depth)

    expect(depths(korean)).toEqual(depths(english))
    // A step is called by its number.
    const numbers = (page: string): readonly string[] =>
      headingsOf(page).map(({ text }) => /^\d+\./u.exec(text)?.[0] ?? '')
    expect(numbers(korean)).toEqual(numbers(english))
  })

  test('show the same commands, files and outputs', () => {
    expect(blocksOf(korean).map(said)).toEqual(blocksOf(english).map(said))
  })

  test('have the same rows in their tables of files', () => {
    const rows = codesOf(korean)

    expect(codesOf(english).filter((row) => rows.includes(row))).toEqual(rows)
  })

  test('lead to each other’s language where a page is there in it', () => {
    const wrong = twins
      .map(([page]) => page.split('/').at(-1) ?? '')
      .filter((page) => page !== 'README.md' && textOf(korean).includes(`${page})`))

    expect(wrong).toEqual([])
  })

  test('the Korean one is written in Korean, in the polite form', () => {
    const prose = textOf(korean).replaceAll(/^```[^]*?^```$|^\|.*$/gmu, '')
    const sentences = [...prose.matchAll(/[가-힣]+(?=\.(?:\s|$))/gu)].map(([ending]) => ending)
    const others = sentences.filter((ending) => !/(?:다|오|세요)$/u.test(ending))

    expect(sentences.length).toBeGreaterThan(20)
    // Names of steps and of things, which end with a full stop in a list.
    expect(others.filter((ending) => !/^(?:계정|도메인|승인|.*기|기간)$/u.test(ending))).toEqual([])
  })
})
