import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { actionFiles } from '../../scripts/generate-actions.ts'

const root = join(import.meta.dirname, '../..')
const files = await actionFiles()

test.each([...files.keys()])('%s says what the declaration of the command says', (path) => {
  const here = existsSync(join(root, path)) ? readFileSync(join(root, path), 'utf8') : undefined

  expect(here, 'Run `npm run generate` and commit what changes.').toBe(files.get(path))
})

test.each([...files.keys()].filter((path) => path.endsWith('action.yml')))('%s runs a file that is built', (path) => {
  const main = /^ {2}main: (.+)$/m.exec(files.get(path) ?? '')?.[1] ?? ''

  expect(existsSync(join(root, path, '..', main))).toBe(true)
})
