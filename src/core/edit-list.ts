import { isMap as isMapNode, isScalar, isSeq, type Node, parseDocument, type YAMLSeq } from 'yaml'
import { canonicalJson } from './canonical.ts'
import { type Data, type DataMap, entriesOf, isList, isMap, mapOf } from './data.ts'
import type { Edited } from './edit.ts'
import { readYaml } from './yaml.ts'

/**
 * Puts a word at the end of a list in a file that people write, and leaves the rest as it is, to the byte; a list that has it stays
 * as it is. The keys of `path` are those of maps. The result is read again: it is what was meant, or the edit is not made.
 */
export function addItem(
  file: string,
  text: string,
  { path, item }: { readonly path: readonly string[]; readonly item: string },
): Edited {
  const before = readYaml(file, text, 'own')
  if (!before.ok || !isMap(before.value.data)) return { is: 'unsure', why: 'the file has mistakes' }
  const list = at(before.value.data, path)
  if (!isList(list)) return { is: 'unsure', why: 'there is no list' }
  if (list.includes(item)) return { is: 'edited', text }
  const node = nodeAt(text, path)
  if (node === undefined) return { is: 'unsure', why: 'the place is written in a way that is not edited by program' }
  const wanted = canonicalJson(withItem(before.value.data, path, item))
  for (const written of [item, JSON.stringify(item)]) {
    const edited = node.flow === true ? inBrackets(text, node, written) : onALine(text, node, written)
    if (edited === undefined) continue
    const after = readYaml(file, edited, 'own')
    if (after.ok && canonicalJson(after.value.data) === wanted) return { is: 'edited', text: edited }
  }
  return { is: 'unsure', why: 'the list is written in a way that is not edited by program' }
}

function at(data: Data, path: readonly string[]): Data | undefined {
  return path.reduce<Data | undefined>(
    (inner, key) => (inner !== undefined && isMap(inner) && Object.hasOwn(inner, key) ? inner[key] : undefined),
    data,
  )
}

function withItem(data: Data, [key, ...rest]: readonly string[], item: string): Data {
  if (key === undefined) return isList(data) ? [...data, item] : data
  if (!isMap(data)) return data
  const entries: DataMap = data
  return mapOf(entriesOf(entries).map(([name, value]) => [name, name === key ? withItem(value, rest, item) : value]))
}

function nodeAt(text: string, path: readonly string[]): YAMLSeq | undefined {
  const { contents, errors } = parseDocument(text, { version: '1.2', schema: 'failsafe', logLevel: 'error' })
  if (errors.length > 0) return undefined
  let node: Node | null = contents
  for (const key of path) {
    if (!isMapNode(node)) return undefined
    const value: unknown = node.items.find((each) => isScalar(each.key) && each.key.value === key)?.value
    if (!isMapNode(value) && !isSeq(value)) return undefined
    node = value
  }
  return isSeq(node) ? node : undefined
}

/** Behind the last item, before whatever stands between it and the bracket. */
function inBrackets(text: string, { items, range }: YAMLSeq, written: string): string | undefined {
  const end = range?.[1]
  if (end === undefined || text[end - 1] !== ']') return undefined
  const last = endOf(items.at(-1))
  if (items.length === 0) {
    const begin = range?.[0] ?? end
    return `${text.slice(0, begin + 1)}${written}${text.slice(begin + 1)}`
  }
  return last === undefined ? undefined : `${text.slice(0, last)}, ${written}${text.slice(last)}`
}

/** On a line of its own below the last item, as far to the right as that. */
function onALine(text: string, { items }: YAMLSeq, written: string): string | undefined {
  const last = items.at(-1)
  const [begin, end] = [startOf(last), endOf(last)]
  if (begin === undefined || end === undefined) return undefined
  const line = text.slice(text.lastIndexOf('\n', begin - 1) + 1, begin)
  if (!/^ *- +$/u.test(line)) return undefined
  const next = text.indexOf('\n', end)
  const eol = text.includes('\r\n') ? '\r\n' : '\n'
  if (next === -1) return `${text}${eol}${line}${written}${eol}`
  return `${text.slice(0, next + 1)}${line}${written}${eol}${text.slice(next + 1)}`
}

function startOf(item: unknown): number | undefined {
  return isScalar(item) ? item.range?.[0] : undefined
}

function endOf(item: unknown): number | undefined {
  return isScalar(item) ? item.range?.[1] : undefined
}
