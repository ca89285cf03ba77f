import type { Plugin } from 'rolldown'

/** Keeps of CommonJS modules the words and numbers that they export, and leaves out their code. */
export function constantsOnly({ code }: { readonly code: readonly string[] }): Plugin {
  return {
    name: 'constants-only',
    async load(id) {
      if (!code.some((end) => id.endsWith(end))) return null
      const { default: all }: { readonly default: Readonly<Record<string, unknown>> } = await import(id)
      const kept = Object.entries(all).filter(([, value]) => typeof value === 'string' || typeof value === 'number')
      return `module.exports = ${JSON.stringify(Object.fromEntries(kept))}`
    },
  }
}
