import { lstatSync, readdirSync, readFileSync } from 'node:fs'
import { join, relative, sep } from 'node:path'

import { compareText } from '../core/canonical.ts'
import type { Product } from '../ports.ts'
import { readTree, writeTree } from './disk.ts'
import { isWorkTree, published } from './git.ts'

/** This copy of Protium in its folder. */
export function product(folder: string): Product {
  return {
    async sample() {
      const wanted = ['catalog.yaml', 'environments', 'services', 'templates']
      return (await readTree(folder, undefined, new Map([['', wanted]]))).tree
    },
    release: async () => published(folder),
    async vendored(root) {
      const files = ownFiles(folder)
      const missing: string[] = []
      const different: string[] = []
      for (const [path, from] of files) {
        const there = bytesOf(join(root, path))
        if (there === undefined) missing.push(path)
        else if (!there.equals(readFileSync(from))) different.push(path)
      }
      return {
        missing,
        different,
        write: async () => writeTree(root, new Map(missing.map((path) => [path, readFileSync(files.get(path) ?? '')]))),
      }
    },
    isInGit: async (other) => isWorkTree(other),
  }
}

/** What is there under a name, if it is a file; a link is none. */
function bytesOf(path: string): Buffer | undefined {
  return lstatSync(path, { throwIfNoEntry: false })?.isFile() === true ? readFileSync(path) : undefined
}

/** What workflows run of Protium, and under which licences: where each file goes in a catalog, and where it is. */
function ownFiles(folder: string): ReadonlyMap<string, string> {
  const below = (name: string): string[] =>
    readdirSync(join(folder, name), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'))
  const actions = below('actions').filter((path) => path.endsWith('/action.yml'))
  const files = ['LICENSE', ...actions, ...below('dist')].toSorted(compareText)
  return new Map(files.map((path) => [`.protium/${path}`, join(folder, path)]))
}
