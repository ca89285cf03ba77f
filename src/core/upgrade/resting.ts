import { isMap } from '../data.ts'
import { readJson } from '../yaml.ts'

/**
 * Repositories that GitHub has not let us write to, by their numbers: they are left in peace for a day after the third time in a row, and
 * twice as long each time after that. It saves requests and nothing else, so a file that cannot be read is an empty one.
 */
export type Resting = ReadonlyMap<string, { readonly failures: number; readonly until?: string }>

export const restingPath = 'resting.json'

const day = 86_400_000

/** Not before so many refusals. */
const patience = 3

const longest = 30 * day

export function isResting(resting: Resting, repository: number, now: Date): boolean {
  const until = resting.get(String(repository))?.until
  return until !== undefined && Date.parse(until) > now.getTime()
}

export function afterRefusal(resting: Resting, repository: number, now: Date): Resting {
  const failures = (resting.get(String(repository))?.failures ?? 0) + 1
  const rest = Math.min(longest, day * 2 ** (failures - patience))
  const until = failures < patience ? {} : { until: new Date(now.getTime() + rest).toISOString() }
  return new Map([...resting, [String(repository), { failures, ...until }]])
}

export function afterSuccess(resting: Resting, repository: number): Resting {
  const left = new Map(resting)
  left.delete(String(repository))
  return left
}

export function readResting(text: string | undefined): Resting {
  const document = text === undefined ? undefined : readJson(restingPath, text)
  const data = document?.ok === true && isMap(document.value.data) ? document.value.data : undefined
  const found = new Map<string, { readonly failures: number; readonly until?: string }>()
  for (const [key, value] of Object.entries(data?.['format'] === 1 && isMap(data['resting']) ? data['resting'] : {})) {
    const failures = isMap(value) ? value['failures'] : undefined
    const until = isMap(value) ? value['until'] : undefined
    if (typeof failures !== 'number') continue
    const isTime = typeof until === 'string' && !Number.isNaN(Date.parse(until))
    found.set(key, { failures, ...(isTime && { until }) })
  }
  return found
}

export function writeResting(resting: Resting): string {
  const all = [...resting].toSorted(([a], [b]) => Number(a) - Number(b))
  return `${JSON.stringify({ format: 1, resting: Object.fromEntries(all) })}\n`
}
