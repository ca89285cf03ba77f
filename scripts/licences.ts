import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

type Package = { readonly name: string; readonly version: string; readonly licence: string; readonly text: string }

/** The licences of the packages that the modules are from, one after the other in the order of their names. */
export function licences(modules: readonly string[]): string {
  const folders = new Set(modules.flatMap(folderOf))
  const packages = [...folders].map(read).toSorted((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
  const parts = packages.map(({ name, version, licence, text }) => `${name} ${version} (${licence})\n\n${text.trim()}`)
  const rule = '-'.repeat(78)
  return [
    'These packages are part of the files in this folder. Protium itself is under the licence in LICENSE.',
    ...parts,
  ]
    .join(`\n\n${rule}\n\n`)
    .concat('\n')
}

/** The folder of the innermost package that a module is in; none for our own modules. */
function folderOf(module: string): readonly string[] {
  const match = /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/u.exec(module.replaceAll('\\', '/'))
  return match === null ? [] : [match[0]]
}

function read(folder: string): Package {
  const { name, version, license }: Readonly<Record<string, string>> = JSON.parse(
    readFileSync(join(folder, 'package.json'), 'utf8'),
  )
  const file = readdirSync(folder)
    .toSorted()
    .find((each) => /^licen[cs]e(?:\.(?:md|txt))?$/iu.test(each))
  if (name === undefined || version === undefined || license === undefined || file === undefined)
    throw new Error(`${folder} does not say under which licence it may be copied.`)
  return { name, version, licence: license, text: readFileSync(join(folder, file), 'utf8').replaceAll('\r\n', '\n') }
}
