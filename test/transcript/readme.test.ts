import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readmeWith } from '../../scripts/readme.ts'

const readme = readFileSync(join(import.meta.dirname, '..', '..', 'README.md'), 'utf8')

test('the README shows what `npm start` prints, and the commands and exit codes that there are', async () => {
  expect(await readmeWith(readme), 'Run `npm run generate` and commit what changes.').toBe(readme)
})
