import type { Plugin } from 'rolldown'

/**
 * Gets modules of Node by `process.getBuiltinModule` that the files ending so `import()`. To import `node:http` reads each of its
 * properties, and some of those load Node's whole `fetch`, which takes longer than all that is asked for by HTTP.
 */
export function builtin({ code }: { readonly code: readonly string[] }): Plugin {
  return {
    name: 'builtin',
    transform(text, id) {
      if (!code.some((end) => id.endsWith(end))) return null
      return text.replaceAll(/\bimport\(("node:[\w/]+")\)/g, 'Promise.resolve(process.getBuiltinModule($1))')
    },
  }
}
