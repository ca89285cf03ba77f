import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { readTree } from '../src/adapters/disk.ts'
import { readTreeAt } from '../src/adapters/git.ts'
import type { FileTree } from '../src/core/tree.ts'

/**
 * The sample organisation as a catalog of its own, with the workflows that users copy. It is the one that is committed, whatever
 * somebody has tried in these folders since; where there is no git, it is what lies there.
 */
export async function sampleOf(product: string): Promise<FileTree> {
  const folders = ['environments', 'services', 'templates', 'workflows/catalog']
  const trees = await Promise.all(
    folders.map(async (folder) => {
      const { tree } = (await readTreeAt(product, 'HEAD', folder)) ?? (await readTree(join(product, folder)))
      return [...tree].map(([path, text]): [string, string] => [`${folder}/${path}`, text])
    }),
  )
  const files = trees
    .flat()
    .map(([path, text]): [string, string] => [path.replace(/^workflows\/catalog\//u, '.github/workflows/'), text])
  // The workflows that users copy take the actions from a folder of their own repository; and nobody waits half an hour here.
  const catalog = (await readFile(join(product, 'catalog.yaml'), 'utf8'))
    .replace(/actions: actions\b.*/u, 'actions: .protium/actions')
    .replace(/\n +soak: .*/u, '')
  return new Map([...files, ['catalog.yaml', catalog] as const].toSorted(([a], [b]) => (a < b ? -1 : 1)))
}
