import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

type Package = { readonly name: string; readonly version: string; readonly licence: string; readonly text: string }

/**
 * The licences of the packages that the modules are from, in the order of their names. A text that several have but for whose
 * it is stands once, below their names and copyright lines.
 */
export function licences(modules: readonly string[]): string {
  const folders = new Set(modules.flatMap(folderOf))
  const packages = [...folders].map(read).toSorted((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
  const byTerms = Map.groupBy(packages, ({ text }) => termsOf(text).replaceAll(/\W+/g, ' ').toLowerCase())
  const parts = [...byTerms.values()].map((same) => {
    const names = same.map(({ name, version, licence, text }) =>
      [`${name} ${version} (${licence})`, ...copyrightOf(text)].join('\n  '),
    )
    return [...names, '', termsOf(same[0]?.text ?? '')].join('\n')
  })
  const rule = '-'.repeat(78)
  return [
    'These packages are part of the files in this folder. Protium itself is under the licence in LICENSE.',
    ...parts,
  ]
    .join(`\n\n${rule}\n\n`)
    .concat('\n')
}

const copyright = /^[^\S\n]*copyright (?:\(c\)|©|\d{4}|[[{]).*\n?/gimu

function copyrightOf(text: string): readonly string[] {
  return [...text.matchAll(copyright)].map(([line]) => line.trim()).filter((line) => !/[[{]yyyy/u.test(line))
}

function termsOf(text: string): string {
  return text.replaceAll(copyright, '').trim()
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
  // The one licence that is the same text for everybody, and ours.
  const path =
    file !== undefined ? join(folder, file) : license === 'Apache-2.0' ? join(import.meta.dirname, '../LICENSE') : ''
  if (name === undefined || version === undefined || license === undefined || path === '')
    throw new Error(`${folder} does not say under which licence it may be copied.`)
  return { name, version, licence: license, text: readFileSync(path, 'utf8').replaceAll('\r\n', '\n') }
}
