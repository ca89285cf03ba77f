import { mkdirSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { readTree } from '../src/adapters/disk.ts'
import { type Catalog, readCatalog } from '../src/core/catalog.ts'
import type { FileTree } from '../src/core/tree.ts'
import { catalogWorkflows, serviceWorkflows } from '../src/core/workflows.ts'

/**
 * Writes the workflows that follow from catalog.yaml: those of the sample organisation, which this repository holds, and in
 * `workflows/` those that another organisation copies, the catalog's and a service repository's.
 */
if (import.meta.main) {
  const root = join(import.meta.dirname, '..')
  for (const [path, text] of await workflowsOf(root)) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
}

/** The files by their paths in this repository. */
export async function workflowsOf(root: string): Promise<FileTree> {
  const catalog = await catalogOf(root)
  return new Map([
    ...catalogWorkflows(catalog),
    ...into('workflows/catalog', catalogWorkflows(vendored(catalog))),
    ...into('workflows/service', serviceWorkflows(catalog)),
  ])
}

/** The catalog of this repository, the sample's. */
export async function catalogOf(root: string): Promise<Catalog> {
  const { tree } = await readTree(root, (path) => /^(?:catalog\.yaml$|environments\/|templates\/)/u.test(path))
  const catalog = readCatalog(tree)
  if (!catalog.ok) throw new Error(catalog.problems.map(({ at, message }) => `${at?.file}: ${message}`).join('\n'))
  return catalog.value
}

/** A catalog that holds a copy of the actions, so that nothing from outside of the organisation runs. */
function vendored(catalog: Catalog): Catalog {
  return { ...catalog, workflows: { ...catalog.workflows, actions: '.protium/actions' } }
}

function into(folder: string, files: FileTree): FileTree {
  return new Map([...files].map(([path, text]) => [`${folder}/${basename(path)}`, text]))
}
