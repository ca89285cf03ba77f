import { type DataMap, entriesOf } from '../data.ts'
import { mapIn } from '../shape.ts'

/** What a file says under `keep:`: logical ids of the template, with those that the live stacks have for them. */
export function readKeep(data: DataMap): ReadonlyMap<string, string> {
  const entries = entriesOf(mapIn(data, 'keep') ?? {})
  return new Map(entries.flatMap(([id, live]) => (typeof live === 'string' ? [[id, live] as const] : [])))
}
