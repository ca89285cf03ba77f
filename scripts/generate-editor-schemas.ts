import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import { readCatalog } from '../src/core/catalog.ts'
import { editorSchemas } from '../src/core/editor.ts'
import type { FileTree } from '../src/core/tree.ts'

/**
 * Writes `schemas/*.schema.json`, which the first lines of the sample's files name: JSON Schemas for editors that know the
 * templates of this repository's own catalog.
 */
if (import.meta.main) {
  const root = join(import.meta.dirname, '..')
  mkdirSync(join(root, 'schemas'), { recursive: true })
  for (const [name, text] of schemasOf(root)) writeFileSync(join(root, 'schemas', name), text)
}

/** The files that belong into `schemas/` of a catalog, by name. */
export function schemasOf(root: string): FileTree {
  const files = ['environments', 'templates'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name)),
  )
  const tree = new Map(
    [join(root, 'catalog.yaml'), ...files].map((file) => [
      relative(root, file).split(sep).join('/'),
      readFileSync(file, 'utf8'),
    ]),
  )
  const catalog = readCatalog(tree)
  if (!catalog.ok) throw new Error(catalog.problems.map(({ at, message }) => `${at?.file}: ${message}`).join('\n'))
  return editorSchemas(catalog.value.templates.values())
}
