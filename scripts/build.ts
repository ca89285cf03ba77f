/** `npm run build`: writes `dist/` anew, the built actions. `test/repo/dist.test.ts` says when it is out of date. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { rolldown } from 'rolldown'
import config, { output as layout } from '../rolldown.config.ts'

if (import.meta.main) {
  const dist = join(import.meta.dirname, '..', 'dist')
  const files = await built()
  rmSync(dist, { recursive: true, force: true })
  for (const [path, text] of files) {
    mkdirSync(dirname(join(dist, path)), { recursive: true })
    writeFileSync(join(dist, path), text)
  }
  const bytes = [...files.values()].reduce((sum, text) => sum + Buffer.byteLength(text), 0)
  process.stderr.write(`dist: ${files.size} files, ${Math.round(bytes / 1024)} KiB\n`)
}

/**
 * The files of `dist/`, by their paths in it. The same sources and packages give the same bytes, in any folder. Other `input`
 * is built as the actions are, each entry into a file of its name.
 */
export async function built(input = config.input): Promise<ReadonlyMap<string, string>> {
  const build = await rolldown({ ...config, ...(input !== undefined && { input }) })
  try {
    const { output } = await build.generate(layout)
    return new Map(
      output.map((part) => [
        part.fileName,
        part.type === 'chunk' ? part.code : new TextDecoder().decode(bytesOf(part.source)),
      ]),
    )
  } finally {
    await build.close()
  }
}

function bytesOf(source: string | Uint8Array): Uint8Array {
  return typeof source === 'string' ? new TextEncoder().encode(source) : source
}
