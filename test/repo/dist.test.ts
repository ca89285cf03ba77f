import { readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { brotliDecompressSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { built } from '../../scripts/build.ts'

const dist = join(import.meta.dirname, '../../dist')
const files = new Map(
  readdirSync(dist, { recursive: true, encoding: 'utf8' })
    .filter((path) => statSync(join(dist, path)).isFile())
    .map((path) => [path.replaceAll('\\', '/'), readFileSync(join(dist, path))]),
)

describe('dist', () => {
  test('is what the sources give, byte by byte', async () => {
    const wanted = await built()

    const stale = [...wanted.keys(), ...files.keys()].filter(
      (path) => textOf(path, wanted.get(path)) !== textOf(path, files.get(path)),
    )
    expect([...new Set(stale)], 'Run `npm run build` and commit what changes.').toEqual([])
  })

  test('gives no action more than 1.5 MB to load, whatever it comes to, and takes 1.75 MB in all', () => {
    const actions = [...files.keys()].filter((path) => /^[a-z]+\.js$/u.test(path))
    const heavy = actions.filter((path) => bytesOf(reachedFrom(path)) >= 1_500_000)

    expect(actions.length).toBeGreaterThan(8)
    expect(bytesOf(reachedFrom('deploy.js'))).toBeGreaterThan(1_000_000)
    expect(heavy).toEqual([])
    expect(bytesOf(files.keys())).toBeLessThan(1_750_000)
  })

  test('has a file for each action, and no other beside the shared ones', () => {
    const actions = readdirSync(join(dist, '../actions')).map((verb) => `${verb}.js`)

    const others = [...files.keys()].filter((path) => !path.startsWith('shared/'))
    expect(others.toSorted()).toEqual(['LICENSES.txt', 'package.json', ...actions].toSorted())
  })

  test('names the licence of every package in it', () => {
    const licences = String(files.get('LICENSES.txt'))

    const some = '@actions/core @actions/github @aws-sdk/client-cloudformation @octokit/rest @smithy/core nunjucks yaml'
    for (const name of some.split(' ')) {
      expect(licences).toMatch(new RegExp(`^${name} \\d+\\.\\d+\\.\\d+ \\(`, 'mu'))
    }
  })

  test('imports only what lies beside it, and modules of Node that are no way to another machine', () => {
    const code = [...files].filter(([path]) => path.endsWith('.js'))
    const imports = code.flatMap(([path, text]) =>
      [...String(text).matchAll(/(?:\bfrom|\bimport|\bgetBuiltinModule)\s*\(?\s*[`"']([\w@.][\w@./:-]*)[`"']/g)].map(
        ([, name = '']) => ({
          path,
          name,
        }),
      ),
    )

    const strange = imports.filter(
      ({ path, name }) => !isBeside(path, name) && !harmless.has(name.replace('node:', '')),
    )
    expect(imports.length).toBeGreaterThan(20)
    // The SDK asks by these, and whoever has to use a proxy says so to them; the doctor looks for the name servers of domains.
    const asking = strange.filter(({ name }) => ['node:http', 'node:https', 'node:dns/promises'].includes(name))
    expect(strange).toEqual(asking)
    const others = asking.filter(({ path }) => !path.startsWith('shared/aws'))
    expect(others.map(({ path, name }) => (name === 'node:http' ? name : `${name} in ${path}`)).toSorted()).toEqual([
      'node:dns/promises in shared/names.js',
      'node:http',
    ])
  })

  test.each(['validate.js', 'plan.js', 'deploy.js'])('loads neither GitHub nor a cloud with %s', (action) => {
    const loaded = new Set([action])
    for (const path of loaded) {
      for (const [, name = ''] of String(files.get(path) ?? '').matchAll(/\b(?:from|import)\s*[`"'](\.[\w./-]+)[`"']/g))
        loaded.add(join(path, '..', name).replaceAll('\\', '/'))
    }

    expect(loaded).toContain('shared/core.js')
    expect([...loaded].filter((path) => /github|aws|cloudformation/u.test(path))).toEqual([])
  })
})

/** Tables are packed; how small another machine's Node would pack them is nobody's business. */
function textOf(path: string, content: Buffer | undefined): string | undefined {
  return content !== undefined && path.endsWith('.br') ? brotliDecompressSync(content).toString() : content?.toString()
}

const harmless = new Set(
  'buffer child_process crypto events fs fs/promises module os path process stream string_decoder timers timers/promises url util v8 zlib'.split(
    ' ',
  ),
)

function isBeside(from: string, name: string): boolean {
  return name.startsWith('.') && files.has(join(from, '..', name).replaceAll('\\', '/'))
}

function bytesOf(paths: Iterable<string>): number {
  return [...paths].reduce((sum, path) => sum + (files.get(path)?.length ?? 0), 0)
}

/** The files that may be loaded where one is run: at its start, when it is asked for them, and packed ones. */
function reachedFrom(path: string, seen = new Set<string>()): ReadonlySet<string> {
  const text = files.get(path)
  if (text === undefined || seen.has(path)) return seen
  seen.add(path)
  if (!path.endsWith('.js')) return seen
  for (const [, name = ''] of String(text).matchAll(/[`"']((?:\.{1,2}\/|shared\/)?[\w./-]+\.(?:js|br))[`"']/gu))
    reachedFrom(join(dirname(path), name), seen)
  return seen
}
