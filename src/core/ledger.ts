import { compareText, digest } from './canonical.ts'
import { isMap } from './data.ts'
import type { FileTree } from './tree.ts'
import { readJson } from './yaml.ts'

/**
 * The ledger: one file an attempt to deploy, each naming the digest of the file that was added before it. Who takes one away or
 * changes one leaves a chain that does not close.
 */

/**
 * Where the record of an attempt lies, `records/checkout/dev/2026-11/<id>.json`: by unit, so that one unit's are found without reading
 * the others, and by month, so that no folder grows without end. Throws `TypeError` for what is no unit or no id.
 */
export function recordPath({
  unit,
  id,
  started,
}: {
  readonly unit: string
  readonly id: string
  readonly started: string
}): string {
  const month = /^\d{4}-(?:0[1-9]|1[0-2])(?=-)/u.exec(started)?.[0]
  if (!/^[0-9A-Za-z][0-9A-Za-z._-]{0,199}$/u.test(id) || month === undefined)
    throw new TypeError(`Not an id of a record: ${id}`)
  return `${unitFolder(unit)}/${month}/${id}.json`
}

/** The folder of a unit's records. */
export function unitFolder(unit: string): string {
  if (!/^[a-z0-9][a-z0-9-]*(?:\/[a-z0-9][a-z0-9-]*)*$/u.test(unit) || unit.length > 200)
    throw new TypeError(`Not a unit: ${unit}`)
  return `records/${unit}`
}

/** What is wrong with a chain, given all files of a ledger by their paths: one sentence for each break. Nothing, if it is whole. */
export function chainFaults(files: FileTree): readonly string[] {
  const links = [...files].map(([path, text]) => ({ path, digest: digest(text), prev: prevOf(path, text) }))
  const known = new Map(links.map((link) => [link.digest, link.path]))
  const followers = Map.groupBy(
    links.filter(({ prev }) => prev !== undefined),
    ({ prev }) => prev ?? '',
  )
  const starts = links.filter(({ prev }) => prev === undefined)
  const faults = [
    ...(starts.length > 1
      ? starts.slice(1).map(({ path }) => `${path} names nothing before it, but it is not the first`)
      : []),
    ...(starts.length === 0 && links.length > 0 ? ['The first record is missing'] : []),
    ...[...followers].flatMap(([prev, after]) => [
      ...(known.has(prev) ? [] : after.map(({ path }) => `What came before ${path} is missing or was changed`)),
      ...after.slice(1).map(({ path }) => `${path} names the same record before it as ${after[0]?.path ?? ''}`),
    ]),
  ]
  return faults.toSorted(compareText)
}

function prevOf(path: string, text: string): string | undefined {
  const document = readJson(path, text)
  if (!document.ok || !isMap(document.value.data)) return 'unreadable'
  const { prev } = document.value.data
  return prev === undefined ? undefined : typeof prev === 'string' ? prev : 'unreadable'
}
