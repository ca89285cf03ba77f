import { compareText } from '../canonical.ts'
import { type Data, type DataMap, entriesOf, isMap, mapOf } from '../data.ts'
import { jsonText } from '../merge/json.ts'
import { mapIn, numberIn, textIn } from '../shape.ts'
import { checkPath } from '../paths.ts'
import { parseReference } from '../version.ts'
import { readJson } from '../yaml.ts'
import type { Choice, Lock, Locked } from './model.ts'

/** Where a repository keeps what its generated files came from. It is written by Protium alone, and committed with the files. */
export const lockFile = '.protium/lock.json'

/** No skeleton has so many files, those included that it had once. All of them are looked for in the repository. */
const mostFiles = 400

/** The most decisions that are kept of one file; what is older has long been overtaken. */
const mostSettled = 100

/**
 * What the lock says; nothing where it cannot be read (a conflict was committed with its marks, a newer version wrote it).
 * Then nothing is known of the files, and what somebody has changed is shown and left alone.
 */
export function readLock(text: string): Lock | undefined {
  const read = readJson(lockFile, text)
  if (!read.ok || !isMap(read.value.data)) return undefined
  const { data } = read.value
  const service = mapIn(data, 'service')
  const name = textIn(service, 'name')
  if (numberIn(data, 'format') !== 1 || name === undefined) return undefined
  const owner = textIn(service, 'owner')
  const files = new Map<string, Locked>()
  const entries = entriesOf(mapIn(data, 'files') ?? mapOf())
  if (entries.length > mostFiles) return undefined
  for (const [path, value] of entries) {
    const entry = isMap(value) ? value : undefined
    const [from, base] = [textIn(entry, 'from'), textIn(entry, 'base')]
    if (from === undefined || base === undefined || parseReference(from) === undefined || !checkPath(path).ok) continue
    files.set(path, { from, base, settled: settledIn(entry) })
  }
  const inputs = mapIn(service, 'inputs') ?? mapOf()
  return { values: { name, ...(owner === undefined ? {} : { owner }), inputs }, files }
}

function settledIn(entry: DataMap | undefined): ReadonlyMap<string, Choice> {
  const settled = new Map<string, Choice>()
  for (const [id, choice] of entriesOf(mapIn(entry, 'settled') ?? mapOf()))
    if (choice === 'mine' || choice === 'template') settled.set(id, choice)
  return settled
}

/** The versions that have to be at hand for the bases of a lock to be rendered again, `fargate-service@2.3.0`. */
export function versionsIn(lock: Lock): readonly string[] {
  return [...new Set([...lock.files.values()].map(({ from }) => from))].toSorted(compareText)
}

export function lockText({ values, files }: Lock): string {
  const service: [string, Data][] = [['name', values.name]]
  if (values.owner !== undefined) service.push(['owner', values.owner])
  service.push(['inputs', values.inputs])
  const entries = [...files]
    .toSorted(([a], [b]) => compareText(a, b))
    .map(([path, { from, base, settled }]): [string, Data] => {
      const kept = [...settled].slice(-mostSettled)
      const entry: [string, Data][] = [
        ['from', from],
        ['base', base],
      ]
      if (kept.length > 0) entry.push(['settled', mapOf(kept)])
      return [path, mapOf(entry)]
    })
  const whole = mapOf([
    ['format', 1],
    ['service', mapOf(service)],
    ['files', mapOf(entries)],
  ])
  return `${jsonText(whole)}\n`
}
