import { existsSync } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'
import { describe, expect, test } from 'vitest'
import { headingsOf, pages, proseOf, root, textOf } from './pages.ts'

/** How GitHub calls the places of a page: https://docs.github.com/en/get-started/writing-on-github, "Section links". */
function anchorsOf(page: string): ReadonlySet<string> {
  const seen = new Map<string, number>()
  const anchors = headingsOf(page).map(({ text }) => {
    const plain = text.replaceAll(/\[([^\]]*)\]\([^)]*\)/gu, '$1').toLowerCase()
    const anchor = plain.replaceAll(/[^\p{L}\p{N}\p{M}_ -]/gu, '').replaceAll(' ', '-')
    const times = seen.get(anchor) ?? 0
    seen.set(anchor, times + 1)
    return times === 0 ? anchor : `${anchor}-${times}`
  })
  return new Set(anchors)
}

describe('the links between pages', () => {
  test.each(pages)('%s leads only to what is there', (page) => {
    const broken = [...proseOf(page).matchAll(/\]\(([^)\s]+)\)/gu)].flatMap(([, link = '']) => {
      if (/^(?:https?:|mailto:)/u.test(link)) return []
      const [path = '', anchor] = link.split('#')
      const target =
        path === ''
          ? page
          : relative(root, join(root, dirname(page), path))
              .split(sep)
              .join('/')
      if (target.startsWith('..') || !existsSync(join(root, target))) return [link]
      return anchor !== undefined && target.endsWith('.md') && !anchorsOf(target).has(anchor) ? [link] : []
    })

    expect(broken).toEqual([])
  })

  test('reach every page of docs/ from the README', () => {
    const reached = new Set<string>()
    const open = ['README.md']
    for (let page = open.pop(); page !== undefined; page = open.pop()) {
      if (reached.has(page)) continue
      reached.add(page)
      for (const [, link = ''] of textOf(page).matchAll(/\]\(([^)\s#]+)[^)\s]*\)/gu)) {
        const target = relative(root, join(root, dirname(page), link))
          .split(sep)
          .join('/')
        if (pages.includes(target)) open.push(target)
      }
    }

    expect(pages.filter((page) => page.startsWith('docs/') && !reached.has(page))).toEqual([])
  })
})
