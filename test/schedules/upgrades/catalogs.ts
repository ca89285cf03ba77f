import type { FileTree } from '../../../src/core/tree.ts'
import { bundle, catalogTree, type Version } from '../../upgrades/world.ts'

/** What is released one after the other. Of 1.2.1 nothing that is deployed is other than of 1.2.0. */
export const releases: readonly (readonly [string, Version])[] = [
  ['1.0.0', {}],
  ['1.1.0', { delay: 5 }],
  ['1.2.0', { delay: 6, skeleton: { 'NOTES.md': '# {{ service.name }}\n' } }],
  ['1.2.1', { delay: 6, skeleton: { 'NOTES.md': '# {{ service.name }}\n' } }],
  ['2.0.0', { delay: 9 }],
  ['1.3.0', { delay: 7 }],
]

export const names = ['one', 'two', 'three']

export const bundles: ReadonlyMap<string, FileTree> = new Map(
  releases.map(([version, each]) => [`web@${version}`, bundle(each)] as const),
)

const catalogs = new Map<string, FileTree>()

/** The catalog when so many versions were released and these were taken back. */
export function catalogOf(count: number, yanked: readonly string[]): FileTree {
  const key = `${count} ${yanked.join(' ')}`
  const known = catalogs.get(key)
  if (known !== undefined) return known
  const out = releases.slice(0, count)
  const newestOf = (major: string): string | undefined =>
    out.findLast(([version]) => version.startsWith(`${major}.`))?.[0]
  const first = newestOf('1') ?? '1.0.0'
  const second = newestOf('2')
  const support = yanked.map((version) => `  ${version}: { is: yanked, because: It leaks. }\n`).join('')
  const versions = second === undefined ? `{ v1: ${first} }` : `{ v1: ${first}, v2: ${second} }`
  const files = Object.fromEntries([
    [
      'templates/web/template.yaml',
      `template: web\nkind: service\nversions: ${versions}\n${support === '' ? '' : `support:\n${support}`}`,
    ],
    ...(second === undefined
      ? []
      : [...(bundles.get(`web@${second}`) ?? [])].map(([path, text]) => [`templates/web/v2/${path}`, text])),
  ])
  const given = Object.fromEntries(releases.filter(([version]) => version.startsWith('1.') && version === first))
  const upgrades = '{ waves: [2, rest], gate: { soak: 1h, merged: 10% } }'
  const made = catalogTree({ versions: given, upgrades, files })
  catalogs.set(key, made)
  return made
}
