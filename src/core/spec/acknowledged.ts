import type { DataMap, Path } from '../data.ts'
import type { Place } from '../problem.ts'
import { listIn } from '../shape.ts'
import type { Document } from '../yaml.ts'

/** Resources that hold data and may be replaced or deleted all the same: where each logical id is written. */
export type Acknowledged = ReadonlyMap<string, Place>

/** What a file says under `acknowledge:`, at a path of it. */
export function readAcknowledged(document: Document, map: DataMap, path: Path): Acknowledged {
  return new Map(
    (listIn(map, 'acknowledge') ?? []).flatMap((id, index): [string, Place][] =>
      typeof id === 'string' ? [[id, document.place([...path, 'acknowledge', index])]] : [],
    ),
  )
}
