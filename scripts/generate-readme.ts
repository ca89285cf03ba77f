/** Writes the generated blocks of README.md: the output of `npm start`, the commands, the exit codes. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readmeWith } from './readme.ts'

const file = join(import.meta.dirname, '..', 'README.md')
writeFileSync(file, await readmeWith(readFileSync(file, 'utf8')))
