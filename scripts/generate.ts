/** `npm run generate`: writes every file that is made from another. The tests say when one of them is out of date. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { problemPages } from './problem-pages.ts'

const root = join(import.meta.dirname, '..')

rmSync(join(root, 'docs/problems'), { recursive: true, force: true })
for (const [path, text] of problemPages()) {
  mkdirSync(dirname(join(root, path)), { recursive: true })
  writeFileSync(join(root, path), text)
}

// The others are programs of their own, because some of them load hundreds of megabytes.
for (const name of readdirSync(import.meta.dirname).toSorted()) {
  if (!/^generate-.+\.ts$/.test(name)) continue
  process.stderr.write(`${name}\n`)
  execFileSync(process.execPath, [join(import.meta.dirname, name)], { cwd: root, stdio: 'inherit' })
}

// What was generated becomes part of the build.
process.stderr.write('build.ts\n')
execFileSync(process.execPath, [join(import.meta.dirname, 'build.ts')], { cwd: root, stdio: 'inherit' })
