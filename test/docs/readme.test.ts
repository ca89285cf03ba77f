import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { tries } from '../../demo/story.ts'
import { root, textOf } from './pages.ts'

test('the README says of the demo what the demo says of itself', () => {
  const page = textOf('README.md')
  const program = readFileSync(join(root, 'demo/main.ts'), 'utf8')
  const port = /default: '(\d+)'/u.exec(program)?.[1] ?? ''

  expect([...page.matchAll(/^\d\. \*\*(.+)\.\*\* /gmu)].map(([, title]) => title)).toEqual(
    tries.map(({ title }) => title),
  )
  expect(page).toContain(`127.0.0.1:${port}`)
})

test('the README names every guide, and each Korean one', () => {
  const page = textOf('README.md')

  for (const guide of ['platform', 'developer', 'templates', 'proton'])
    expect(page).toContain(`(docs/guide-${guide}.md)`)
  for (const guide of ['platform', 'developer']) expect(page).toContain(`(docs/guide-${guide}.ko.md)`)
})
