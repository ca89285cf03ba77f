import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readmeWith } from '../../scripts/readme.ts'
import { timeless } from './terminal.ts'

const readme = readFileSync(join(import.meta.dirname, '..', '..', 'README.md'), 'utf8')

test('the README shows what `npm start` prints, and the commands and exit codes that there are', async () => {
  const fresh = await readmeWith(readme)

  expect(timeless(readme), 'Run `npm run generate` and commit what changes.').toBe(timeless(fresh))
})
