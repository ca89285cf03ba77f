import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { FileTree } from '../src/core/tree.ts'

/** The sample organisation as a catalog of its own, with the workflows that users copy. */
export function sampleOf(product: string): FileTree {
  const own = globSync(['catalog.yaml', '{environments,services,templates}/**/*'], {
    cwd: product,
    withFileTypes: true,
  })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
  const catalog = own.map((file): [string, string] => [
    file.slice(product.length + 1).replaceAll('\\', '/'),
    readFileSync(file, 'utf8'),
  ])
  const workflows = globSync('*.yml', { cwd: join(product, 'workflows/catalog') }).map((name): [string, string] => [
    `.github/workflows/${name}`,
    readFileSync(join(product, 'workflows/catalog', name), 'utf8'),
  ])
  // The workflows that users copy take the actions from a folder of their own repository; and nobody waits half an hour here.
  const vendored = catalog.map(([path, text]): [string, string] => [
    path,
    path === 'catalog.yaml'
      ? text.replace(/actions: actions\b.*/u, 'actions: .protium/actions').replace(/\n +soak: .*/u, '')
      : text,
  ])
  return new Map([...vendored, ...workflows].toSorted(([a], [b]) => (a < b ? -1 : 1)))
}
