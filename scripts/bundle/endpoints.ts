import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Plugin } from 'rolldown'

type Endpoints = Readonly<Record<string, Readonly<Record<string, unknown>>>>

const table = /[\\/]plugin-rest-endpoint-methods[\\/]dist-src[\\/]generated[\\/]endpoints\.js$/u

/**
 * Of GitHub's endpoints, of which `@octokit/rest` knows all (a thousand, 83 kB), a build keeps those that the files of `folder`
 * use: each is written there as `octokit.rest.<scope>.<method>`.
 */
export function onlyUsedEndpoints(folder: string): Plugin {
  return {
    name: 'only-used-endpoints',
    async load(id) {
      if (!table.test(id)) return null
      const { default: all }: { readonly default: Endpoints } = await import(id)
      const kept: Record<string, Record<string, unknown>> = {}
      for (const [scope = '', method = ''] of usedEndpoints(folder)) {
        const endpoint = all[scope]?.[method]
        if (endpoint === undefined) throw new Error(`GitHub has no endpoint ${scope}.${method}.`)
        kept[scope] = { ...kept[scope], [method]: endpoint }
      }
      return `export default ${JSON.stringify(kept)}`
    },
  }
}

/** The scope and the method of each endpoint that is used, in the order of their names. */
export function usedEndpoints(folder: string): readonly (readonly string[])[] {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'))
  const used = files.flatMap((file) =>
    [...readFileSync(join(folder, file), 'utf8').matchAll(/\boctokit\.rest\.(\w+\.\w+)/gu)].map(
      ([, name = '']) => name,
    ),
  )
  return [...new Set(used)].toSorted().map((name) => name.split('.'))
}
