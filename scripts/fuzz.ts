/** `npm run fuzz -- [name] [arguments]`: runs `scripts/fuzz-<name>.ts`, or each of them in turn when none is named. */
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'

const all = readdirSync(import.meta.dirname)
  .map((file) => /^fuzz-(.+)\.ts$/.exec(file)?.[1])
  .filter((name) => name !== undefined)
  .toSorted()

const [first = '', ...rest] = process.argv.slice(2)
const named = all.includes(first)
if (first !== '' && !named && !first.startsWith('-')) {
  process.stderr.write(`There is nothing called "${first}" to fuzz; there is ${all.join(', ')}.\n`)
  process.exitCode = 2
} else {
  for (const name of named ? [first] : all) {
    process.stderr.write(`fuzz ${name}\n`)
    const script = join(import.meta.dirname, `fuzz-${name}.ts`)
    const { status } = spawnSync(process.execPath, [script, ...(named ? rest : process.argv.slice(2))], {
      stdio: 'inherit',
    })
    if (status !== 0) process.exitCode = 1
  }
}
