import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { emulateVersion } from '../fakes/github/emulator.ts'

const root = join(import.meta.dirname, '../..')

/** Later numbers of this name on the registry are the package of another author. */
describe('emulate', () => {
  test('is the version that is an emulator of GitHub, in package.json and in package-lock.json', () => {
    type Lock = { readonly packages: Readonly<Record<string, { readonly version?: string }>> }
    const wanted: { devDependencies: Record<string, string> } = JSON.parse(read('package.json'))
    const lock: Lock = JSON.parse(read('package-lock.json'))

    expect(wanted.devDependencies['emulate']).toBe('0.12.2')
    expect(lock.packages['node_modules/emulate']?.version).toBe('0.12.2')
    expect(emulateVersion).toBe('0.12.2')
  })

  test('is installed from the repository of its authors', () => {
    const { version, repository } = JSON.parse(read('node_modules/emulate/package.json'))

    expect(version).toBe('0.12.2')
    expect(repository.url).toBe('https://github.com/vercel-labs/emulate.git')
  })

  test('is never called through its command, which runs whatever the registry has by that name', () => {
    const callers = ['package.json', '.ci/run', 'README.md', 'CONTRIBUTING.md', 'test/fakes/github/README.md']

    expect(callers.filter((path) => /npx emulate|npm (i|install|exec) emulate/.test(read(path)))).toEqual([])
  })
})

function read(path: string): string {
  return readFileSync(join(root, path), 'utf8')
}
