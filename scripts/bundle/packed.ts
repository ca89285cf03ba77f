import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { brotliCompressSync, constants } from 'node:zlib'
import type { Plugin } from 'rolldown'

const tool = join(import.meta.dirname, 'unpacked.ts')

/** Texts from this length on are packed. */
const least = 60

/**
 * Packs tables that are long texts, and unpacks them when the first of a module is asked for. `json` are files of one map; the
 * values of its keys are read when they are asked for. Of `code`, the long texts are packed together.
 */
export function packed({ json, code }: { readonly json: readonly string[]; readonly code: readonly string[] }): Plugin {
  return {
    name: 'packed',
    load(id) {
      if (!json.some((end) => id.endsWith(end))) return null
      const data: Readonly<Record<string, unknown>> = JSON.parse(readFileSync(id, 'utf8'))
      const getters = Object.keys(data).map(
        (key) => `get ${JSON.stringify(key)}() { return packedTable()[${JSON.stringify(key)}] }`,
      )
      return {
        code: `${tableOf(data)}\nexport default { ${getters.join(', ')} }`,
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
      return `${tableOf(found.map(({ value }) => value))}\n${parts.join('')}`
    },
  }
}

function tableOf(data: unknown): string {
  return [
    `import { unpacked } from ${JSON.stringify(tool)}`,
    'let packedRead',
    `const packedTable = () => (packedRead ??= JSON.parse(unpacked(${JSON.stringify(pack(JSON.stringify(data)))})))`,
  ].join('\n')
}

/** The same text gives the same bytes, with any brotli so far. */
function pack(text: string): string {
  return brotliCompressSync(text, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }).toString('base64')
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
