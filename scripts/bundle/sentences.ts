import type { Plugin } from 'rolldown'
import { pack } from './packed.ts'
import { isNode, type SyntaxNode } from './syntax.ts'

/** Texts from this length on are packed, in chunks where that saves so much. */
const shortest = 16
const leastSaved = 300

const file = 'texts.br'

/**
 * Packs the longer texts of our own functions: what chunks may come to say lies in `texts.br` beside them, and is unpacked when the first
 * is said. Most of them tell what is wrong and what to do about it, which few runs do. Texts of packages stay where they are, and so
 * do those that a module needs to begin, and those of a template with a tag.
 */
export function sentences({ chunks }: { readonly chunks: RegExp }): Plugin {
  return {
    name: 'sentences',
    generateBundle(_options, bundle) {
      const numbers = new Map<string, number>()
      for (const part of Object.values(bundle).toSorted((a, b) => (a.fileName < b.fileName ? -1 : 1))) {
        if (part.type !== 'chunk' || !Object.keys(part.modules).every((id) => chunks.test(id))) continue
        const { code } = part
        const texts = textsIn(this.parse(code, { lang: 'js' }))
        if (texts.reduce((sum, { value }) => sum + value.length * 0.7 - 8, 0) < leastSaved) continue
        const name = freeName(code)
        const numberOf = (value: string): number => numbers.get(value) ?? numbers.set(value, numbers.size).size - 1
        const address = part.fileName.startsWith('shared/') ? file : `shared/${file}`
        part.code = `${reader(name, address)}${replaced(code, texts, (value) => `${name}(${numberOf(value)})`)}`
      }
      this.emitFile({ type: 'asset', fileName: `shared/${file}`, source: pack(JSON.stringify([...numbers.keys()])) })
    },
  }
}

/** A short name that the code has nowhere, nor as the beginning of another. */
function freeName(code: string): string {
  const letters = 'abcdefghijklmnopqrstuvwxyz'.split('')
  const short = ['$', '_'].flatMap((first) => letters.map((second) => `${first}${second}`))
  const names = [...short, ...short.flatMap((begin) => letters.map((last) => `${begin}${last}`))]
  const free = names.find((name) => !code.includes(name))
  if (free === undefined) throw new Error('No short name is free for the packed texts.')
  return free
}

/** Hoisted, since chunks that need each other may call a function before its chunk has begun. */
function reader(name: string, address: string): string {
  const [table, read, unpack] = ['T', 'R', 'U'].map((letter) => `${name}${letter}`)
  return [
    `import{readFileSync as ${read}}from"node:fs";import{brotliDecompressSync as ${unpack}}from"node:zlib";var ${table};`,
    `function ${name}(n){return(${table}??=JSON.parse(${unpack}(${read}(new URL(${JSON.stringify(address)},import.meta.url)))))[n]}`,
  ].join('')
}

/** A text in the code, and whether it is all of it or a piece of a template. */
type Text = { readonly start: number; readonly end: number; readonly value: string; readonly is: 'whole' | 'piece' }

function replaced(code: string, texts: readonly Text[], callFor: (value: string) => string): string {
  const parts: string[] = []
  let last = 0
  for (const { start, end, value, is } of texts) {
    const call = callFor(value)
    // A keyword may stand right before a text, and not before a name: `return"…"`.
    const gap = /[\w$]$/u.test(code.slice(last, start)) ? ' ' : ''
    parts.push(code.slice(last, start), is === 'piece' ? `\${${call}}` : `${gap}${call}`)
    last = end
  }
  parts.push(code.slice(last))
  return parts.join('')
}

/** The long texts inside of functions, in the order of the code. */
function textsIn(program: unknown): readonly Text[] {
  const found: Text[] = []
  walk(program, { isInside: false, found })
  return found.toSorted((a, b) => a.start - b.start)
}

function walk(node: unknown, { isInside, found }: { readonly isInside: boolean; readonly found: Text[] }): void {
  if (Array.isArray(node)) {
    for (const each of node) walk(each, { isInside, found })
    return
  }
  if (!isNode(node)) return
  const { type } = node
  const add = (at: SyntaxNode, value: string, is: Text['is']): void => {
    if (isInside && value.length >= shortest)
      found.push({ start: Number(at['start']), end: Number(at['end']), value, is })
  }
  if (type === 'Literal' && typeof node['value'] === 'string') add(node, node['value'], 'whole')
  if (type === 'TemplateLiteral') {
    const pieces = listOf(node['quasis'])
    for (const piece of pieces)
      add(pieces.length === 1 ? node : piece, cookedOf(piece), pieces.length === 1 ? 'whole' : 'piece')
  }
  const within = { isInside: isInside || /Function/u.test(type), found }
  for (const [key, value] of Object.entries(node)) if (!isElsewhere(node, key)) walk(value, within)
}

/** What is a name or an address rather than a value. */
function isElsewhere({ type, computed }: SyntaxNode, key: string): boolean {
  if (type === 'TaggedTemplateExpression') return key === 'quasi'
  if (type === 'ImportExpression' || /^(?:Import|Export).*Declaration$/u.test(type)) return key === 'source'
  if (/^(?:Property|PropertyDefinition|MethodDefinition)$/u.test(type)) return key === 'key' && computed !== true
  return type === 'ExpressionStatement' && key === 'directive'
}

function listOf(value: unknown): readonly SyntaxNode[] {
  return Array.isArray(value) ? value.filter(isNode) : []
}

function cookedOf({ value }: SyntaxNode): string {
  return typeof value === 'object' && value !== null && 'cooked' in value && typeof value.cooked === 'string'
    ? value.cooked
    : ''
}
