import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

import { compareText } from '../core/canonical.ts'
import { isList, isMap } from '../core/data.ts'
import type { Data } from '../core/data.ts'
import { gateNames } from '../core/gates.ts'
import { Refused } from '../core/problem.ts'
import { readJson } from '../core/yaml.ts'
import type { DeploymentRecord, Records } from '../ports.ts'
import { writeTree } from './disk.ts'

/**
 * Records as files in a folder, one an attempt, named by its id. A file that is there is never written again: an id that
 * is taken is refused (`record-exists`). What this version cannot read is refused too (`record-format`), not passed over.
 */
export function folderRecords(folder: string): Records {
  return {
    async append(record) {
      if (!/^[0-9A-Za-z][0-9A-Za-z._-]{0,199}$/u.test(record.id))
        throw new TypeError(`Not an id of a record: ${record.id}`)
      const names = await namesIn(folder)
      if (names.includes(`${record.id}.json`)) {
        throw new Refused('record-exists', `There is a record ${record.id} already, and records are never changed.`, {
          remedy: 'Run the command again; it gets an id of its own.',
        })
      }
      await writeTree(folder, new Map([[`${record.id}.json`, `${JSON.stringify(record, undefined, 2)}\n`]]))
    },
    async list(unit, { latest } = {}) {
      const names = await namesIn(folder)
      const files = names.map((name) => join(folder, name))
      const records = await Promise.all(files.map(async (file) => readRecord(file, await readFile(file, 'utf8'))))
      const found = records
        .filter((record) => unit === undefined || record.unit === unit)
        .toSorted((a, b) => compareText(a.id, b.id))
      return latest === undefined ? found : found.slice(-latest)
    },
  }
}

/** The names of the records; a file that is being written, or that somebody else put there, is not one. */
async function namesIn(folder: string): Promise<string[]> {
  try {
    const names = await readdir(folder)
    return names.filter((name) => /^[0-9A-Za-z][0-9A-Za-z._-]*\.json$/u.test(name))
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
    throw error
  }
}

const outcomes: readonly DeploymentRecord['outcome'][] = [
  'deployed',
  'unchanged',
  'failed',
  'refused',
  'removed',
  'unlocked',
]

/** The record that a file holds. Throws `Refused` (`record-format`) where it is none that this version knows. */
export function readRecord(file: string, text: string): DeploymentRecord {
  const document = readJson(file, text)
  const record = document.ok ? recordOf(document.value.data) : undefined
  if (record !== undefined) return record
  throw new Refused('record-format', `The record ${file} is damaged, or was written by a newer version of Protium.`, {
    remedy: 'Use the version that wrote it, or move the file out of the folder.',
  })
}

function recordOf(data: Data): DeploymentRecord | undefined {
  if (!isMap(data) || data['format'] !== 1) return undefined
  const {
    id,
    unit,
    stage,
    template,
    version,
    commit,
    by,
    started,
    finished,
    wants,
    evidence,
    image,
    health,
    rollback,
    glass,
    lock,
  } = data
  const outcome = outcomes.find((each) => each === data['outcome'])
  if (typeof id !== 'string' || typeof unit !== 'string' || typeof template !== 'string' || typeof version !== 'string')
    return undefined
  if (
    typeof by !== 'string' ||
    typeof started !== 'string' ||
    typeof finished !== 'string' ||
    typeof wants !== 'string'
  )
    return undefined
  if (outcome === undefined) return undefined
  return {
    format: 1,
    id,
    unit,
    ...(typeof stage === 'string' && { stage }),
    template,
    version,
    ...(typeof commit === 'string' && { commit }),
    by,
    started,
    finished,
    outcome,
    wants,
    ...(typeof evidence === 'string' && { evidence }),
    ...(typeof image === 'string' && { image }),
    ...(isMap(health) &&
      typeof health['ok'] === 'boolean' &&
      typeof health['words'] === 'string' && { health: { ok: health['ok'], words: health['words'] } }),
    ...(isMap(rollback) &&
      typeof rollback['to'] === 'string' && {
        rollback: {
          to: rollback['to'],
          ...(typeof rollback['from'] === 'string' && { from: rollback['from'] }),
          ...(typeof rollback['reason'] === 'string' && { reason: rollback['reason'] }),
        },
      }),
    ...glassOf(glass),
    ...lockOf(lock),
  }
}

/** Of what was done without gates, nothing less than who, why and which is kept. */
function glassOf(data: Data | undefined): Pick<DeploymentRecord, 'glass'> {
  if (!isMap(data)) return {}
  const { by, reason, skipped } = data
  if (typeof by !== 'string' || typeof reason !== 'string' || !isList(skipped)) return {}
  return { glass: { by, reason, skipped: gateNames.filter((name) => skipped.includes(name)) } }
}

function lockOf(data: Data | undefined): Pick<DeploymentRecord, 'lock'> {
  if (!isMap(data)) return {}
  const { by, reason, since, until } = data
  if (typeof by !== 'string' || typeof reason !== 'string' || typeof since !== 'string') return {}
  return { lock: { by, reason, since, ...(typeof until === 'string' && { until }) } }
}
