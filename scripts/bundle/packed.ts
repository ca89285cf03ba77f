import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { brotliCompressSync, constants } from 'node:zlib'
import type { Plugin } from 'rolldown'

const tool = join(import.meta.dirname, 'unpacked.ts')

/** Texts from this length on are packed. */
const least = 65

/**
 * Packs tables that are long texts into files of their own, and unpacks one when the first text of a module is asked for.
 * `json` are files of one map; the values of its keys are read when they are asked for. Of `code`, the long texts are packed
 * together. The files lie beside the chunks, in the folder `shared`.
 */
export function packed({ json, code }: { readonly json: readonly string[]; readonly code: readonly string[] }): Plugin {
  const tables = new Map<string, Uint8Array>()
  /** The code that reads a table, which is written into a file of the module's name. */
  const tableOf = (id: string, data: unknown): string => {
    const name = `${/([^/\\]+?)(?:\/build)?(?:[/\\]index\.js|\.generated\.json|\.ts)$/.exec(id)?.[1] ?? 'table'}.br`
    tables.set(name, pack(JSON.stringify(data)))
    return [
      `import { unpacked } from ${JSON.stringify(tool)}`,
      'let packedRead',
      `const packedTable = () => (packedRead ??= JSON.parse(unpacked(${JSON.stringify(name)})))`,
    ].join('\n')
  }
  return {
    name: 'packed',
    buildStart: () => tables.clear(),
    generateBundle(_options, bundle) {
      const code = Object.values(bundle).map((part) => (part.type === 'chunk' ? part.code : ''))
      for (const [name, source] of tables) {
        if (code.some((text) => text.includes(name)))
          this.emitFile({ type: 'asset', fileName: `shared/${name}`, source })
      }
    },
    load(id) {
      if (!json.some((end) => id.endsWith(end))) return null
      const data: Readonly<Record<string, unknown>> = JSON.parse(readFileSync(id, 'utf8'))
      const getters = Object.keys(data).map(
        (key) => `get ${JSON.stringify(key)}() { return packedTable()[${JSON.stringify(key)}] }`,
      )
      return {
        code: `${tableOf(id, data)}\nexport default { ${getters.join(', ')} }`,
        moduleType: 'js',
        moduleSideEffects: false,
      }
    },
    transform(text, id) {
      if (!code.some((end) => id.endsWith(end))) return null
      const found = longTexts(this.parse(text, { lang: id.endsWith('.ts') ? 'ts' : 'js' }))
      const parts: string[] = []
      let last = 0
      for (const [index, { start, end }] of found.entries()) {
        parts.push(text.slice(last, start), `packedTable()[${index}]`)
        last = end
      }
      parts.push(text.slice(last))
      return `${tableOf(
        id,
        found.map(({ value }) => value),
      )}\n${parts.join('')}`
    },
  }
}

/** The same text gives the same bytes, with any brotli so far. */
export function pack(text: string): Uint8Array {
  return brotliCompressSync(text, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } })
}

type Text = { readonly start: number; readonly end: number; readonly value: string }

/** The long texts of a program, where they stand in it. */
function longTexts(node: unknown): readonly Text[] {
  if (Array.isArray(node)) return node.flatMap(longTexts)
  if (typeof node !== 'object' || node === null) return []
  const value = textOf(node)
  if (value !== undefined && 'start' in node && 'end' in node && value.length >= least)
    return [{ start: Number(node.start), end: Number(node.end), value }]
  return Object.values(node).flatMap(longTexts)
}

function textOf(node: object): string | undefined {
  if (!('type' in node)) return undefined
  if (node.type === 'Literal' && 'value' in node && typeof node.value === 'string') return node.value
  if (node.type === 'TemplateLiteral' && 'quasis' in node && Array.isArray(node.quasis) && node.quasis.length === 1)
    return String(node.quasis[0].value.cooked)
  return undefined
}
