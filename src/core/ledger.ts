import { compareText, digest } from './canonical.ts'
import { isMap } from './data.ts'
import type { Problem } from './problem.ts'
import type { FileTree } from './tree.ts'
import { readJson } from './yaml.ts'

/**
 * The ledger: one file an attempt to deploy, and one a release of a template, each naming the digest of the file that was added before it. Who takes one away or
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

/**
 * The id of a new record. It sorts after that of the last one of its unit, also where the clock of who wrote that one goes ahead
 * of this one: what was deployed last is found by it.
 */
export function recordId(
  unit: string,
  { started, last }: { readonly started: Date; readonly last: string | undefined },
): string {
  const idAt = (time: Date): string => `${time.toISOString().replaceAll(/[-:.]/gu, '')}-${unit.replaceAll('/', '-')}`
  const own = idAt(started)
  if (last === undefined || own > last) return own
  const iso = last.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(\d{3})Z-.*$/su, '$1-$2-$3T$4:$5:$6.$7Z')
  const then = Date.parse(iso)
  return Number.isNaN(then) ? own : idAt(new Date(then + 1))
}

/** The folder of a unit's records. */
export function unitFolder(unit: string): string {
  if (!/^[a-z0-9][a-z0-9-]*(?:\/[a-z0-9][a-z0-9-]*)*$/u.test(unit) || unit.length > 200)
    throw new TypeError(`Not a unit: ${unit}`)
  return `records/${unit}`
}

/** What a commit of the ledger's branch says that it adds: a record, and its digest. Nothing, if it is not one of Protium's. */
export function addedBy(message: string): { readonly path: string; readonly digest: string } | undefined {
  const path = /^Record: ((?:records|releases)\/\S+)$/mu.exec(message)?.[1]
  const said = /^Digest: (sha256:[0-9a-f]{64})$/mu.exec(message)?.[1]
  return path === undefined || said === undefined ? undefined : { path, digest: said }
}

/** The branch of the ledger: its files, and the messages of its commits, the newest first. */
export type FetchedLedger = {
  readonly files: FileTree
  readonly messages: readonly string[]
  /** What could not be read. */
  readonly problems: readonly Problem[]
}

/** One thing that is wrong with a ledger: a sentence, the file that it is about, and what to do. */
export type LedgerFault = { readonly file: string; readonly what: string; readonly remedy: string }

/**
 * Checks a ledger by both of its witnesses. Its commits say which records were added, with the digest of each; the records
 * themselves name the one before them, which also holds where the branch was written anew with other commits.
 */
export function recordsIn({ files, messages }: Pick<FetchedLedger, 'files' | 'messages'>): {
  readonly records: number
  readonly faults: readonly LedgerFault[]
} {
  const records = new Map([...files].filter(([path]) => /^(?:records|releases)\/.*\.json$/su.test(path)))
  const added = messages.flatMap((message) => addedBy(message) ?? [])
  const known = new Set(added.map(({ path }) => path))
  const restore = (path: string): string =>
    `Find the commit that did it: \`git log origin/protium-ledger -- ${path}\`. Bring the record back from the commit before it, and protect the branch with a ruleset.`
  const faults = added.flatMap(({ path, digest: said }): LedgerFault[] => {
    const text = records.get(path)
    if (text === undefined)
      return [
        { file: path, what: 'The record was added by a commit of the ledger, and is missing.', remedy: restore(path) },
      ]
    if (digest(text) !== said)
      return [{ file: path, what: 'The record was changed after it was added.', remedy: restore(path) }]
    return []
  })
  const strangers = [...records.keys()].filter((path) => !known.has(path))
  const odd = strangers.map((path): LedgerFault => ({
    file: path,
    what: 'The record was put in by a commit that does not say so: it is not one of Protium’s.',
    remedy: restore(path),
  }))
  const told = new Set([...faults, ...odd].map(({ file }) => file))
  // Where the commits have told what is wrong, the chain would tell it again.
  const chain = told.size > 0 ? [] : chainFaults(records)
  const broken = chain.map((fault): LedgerFault => ({
    file: /(?:records|releases)\/\S+/u.exec(fault)?.[0] ?? 'records',
    what: `${fault}.`,
    remedy:
      'The commits agree with the files, so the branch was written anew. Compare it with a clone from before that.',
  }))
  return { records: records.size, faults: [...faults, ...odd, ...broken] }
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
