import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { referencePages } from '../../scripts/generate-reference.ts'
import { problemPages } from '../../scripts/problem-pages.ts'
import { problemCodes } from '../../src/core/problem-codes.ts'

const root = join(import.meta.dirname, '../..')
const advice = 'Run `npm run generate` and commit what changes.'

describe('the pages of the problem codes', () => {
  const pages = problemPages()

  test('there is a page for each code, an index, and nothing else', () => {
    const here = readdirSync(join(root, 'docs/problems')).map((name) => `docs/problems/${name}`)

    expect(here.toSorted(), advice).toEqual([...pages.keys()].toSorted())
  })

  test('each says what the table of codes says', () => {
    const stale = [...pages].filter(([path, text]) => {
      const file = join(root, path)
      return existsSync(file) && readFileSync(file, 'utf8') !== text
    })

    expect(
      stale.map(([path]) => path),
      advice,
    ).toEqual([])
  })

  test('the codes are words in the order of the alphabet', () => {
    const codes = Object.keys(problemCodes)

    expect(codes).toEqual(codes.toSorted())
    for (const code of codes) expect(code).toMatch(/^[a-z]+(-[a-z0-9]+)*$/)
  })

  test('each has a headline without a full stop, and whole sentences', () => {
    const careless = Object.entries(problemCodes).filter(
      ([, { title, why, fix }]) => !/[^.]$/.test(title) || !/[.`)]$/.test(why) || !/[.`)]$/.test(fix),
    )

    expect(careless.map(([code]) => code)).toEqual([])
  })
})

describe('the reference', async () => {
  const pages = await referencePages()

  test('has the pages that it is made of, and nothing else', () => {
    const here = readdirSync(join(root, 'docs/reference')).map((name) => `docs/reference/${name}`)

    expect(here.toSorted(), advice).toEqual([...pages.keys()].toSorted())
  })

  test('says what the declarations say', () => {
    const stale = [...pages].filter(([path, text]) => readFileSync(join(root, path), 'utf8') !== text)

    expect(
      stale.map(([path]) => path),
      advice,
    ).toEqual([])
  })

  test('leaves no key and no option without a sentence', () => {
    const empty = [...pages].flatMap(([path, text]) =>
      text.split('\n').flatMap((row, at) => (/^\| `[^|]*\|\s*\|/u.test(row) ? [`${path}:${at + 1}`] : [])),
    )

    expect(empty).toEqual([])
  })
})
