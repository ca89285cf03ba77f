/** `npm run build`: writes `dist/` anew, the built actions. `test/repo/dist.test.ts` says when it is out of date. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { rolldown } from 'rolldown'
import config, { output as layout } from '../rolldown.config.ts'

if (import.meta.main) {
  const dist = join(import.meta.dirname, '..', 'dist')
  const files = await built()
  rmSync(dist, { recursive: true, force: true })
  for (const [path, content] of files) {
    mkdirSync(dirname(join(dist, path)), { recursive: true })
    writeFileSync(join(dist, path), content)
  }
  const bytes = [...files.values()].reduce((sum, content) => sum + content.length, 0)
  process.stderr.write(`dist: ${files.size} files, ${Math.round(bytes / 1024)} KiB\n`)
}

/**
 * The files of `dist/`, by their paths in it. The same sources and packages give the same bytes, in any folder. Other `input`
 * is built as the actions are, each entry into a file of its name.
 */
export async function built(input = config.input): Promise<ReadonlyMap<string, Buffer>> {
  const build = await rolldown({ ...config, ...(input !== undefined && { input }) })
  try {
    const { output } = await build.generate(layout)
    return new Map(output.map((part) => [part.fileName, Buffer.from(part.type === 'chunk' ? part.code : part.source)]))
  } finally {
    await build.close()
  }
}
