import { type Data, entriesOf, Float, isList, isMap } from '../data.ts'

/** How values are written into YAML that people read. */

export type Quote = 'single' | 'double' | undefined

/** How far a line goes before a map or a list gets lines of its own. */
const longest = 100

/** The ways to write a value in one line, the likeliest first: as what was there before, where that was in quotes. */
export function formsOf(value: Data, quote: Quote): readonly string[] {
  if (typeof value !== 'string') return [flowText(value)]
  const double = JSON.stringify(value)
  const single = `'${value.replaceAll("'", "''")}'`
  if (quote === 'single') return [single, double]
  // A plain text that begins as an explicit key does is one to programs alone.
  return quote === 'double' || value.startsWith('?') ? [double] : [value, double]
}

/** A value in one line, with quotes wherever there is a doubt. */
export function flowText(value: Data): string {
  if (typeof value === 'string') return isPlain(value) ? value : JSON.stringify(value)
  if (value instanceof Float) return floatText(value.value)
  if (isList(value)) return `[${value.map(flowText).join(', ')}]`
  if (!isMap(value)) return String(value)
  const entries = entriesOf(value).map(([key, inner]) => `${keyText(key, undefined)}: ${flowText(inner)}`)
  return entries.length === 0 ? '{}' : `{ ${entries.join(', ')} }`
}

function floatText(value: number): string {
  return Number.isInteger(value) && Math.abs(value) < 1e15 ? value.toFixed(1) : String(value)
}

/** The lines of an entry in a map that is not in brackets, each with its indent, without their ends. */
export function entryLines(
  key: string,
  value: Data,
  { indent, step, quote }: { readonly indent: number; readonly step: number; readonly quote?: Quote },
): readonly string[] {
  const lead = `${' '.repeat(indent)}${keyText(key, quote)}:`
  const flow = flowText(value)
  const isShort = lead.length + flow.length < longest
  if (isMap(value) && entriesOf(value).length > 0 && !(isShort && isFlat(value))) {
    const inner = entriesOf(value).flatMap(([name, each]) => entryLines(name, each, { indent: indent + step, step }))
    return [lead, ...inner]
  }
  if (isList(value) && !isShort && value.every((item) => !isMap(item) && !isList(item)))
    return [lead, ...value.map((item) => `${' '.repeat(indent + step)}- ${flowText(item)}`)]
  return [`${lead} ${flow}`]
}

function isFlat(value: Data): boolean {
  return isMap(value) && entriesOf(value).every(([, inner]) => !isMap(inner) && !isList(inner))
}

/** A key, in the quotes of the one whose place or neighbour it is. */
export function keyText(key: string, quote: Quote): string {
  if (quote === 'single') return `'${key.replaceAll("'", "''")}'`
  return quote === 'double' || !isPlain(key) ? JSON.stringify(key) : key
}

/** Words that a reader of YAML takes for something else than a text. */
const words = /^(?:true|false|null|yes|no|on|off|y|n)$/i

function isPlain(text: string): boolean {
  return /^[A-Za-z_/][A-Za-z0-9_./-]*(?:[@:][A-Za-z0-9_./-]+)*$/.test(text) && !words.test(text)
}
