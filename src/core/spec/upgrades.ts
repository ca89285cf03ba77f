import { readSchedule } from '../catalog/upgrades.ts'
import { type DataMap, isMap } from '../data.ts'
import type { Problem } from '../problem.ts'
import type { Wishes } from '../upgrade/model.ts'
import type { Document } from '../yaml.ts'

/** Reads `upgrades:` of service.yaml: `false`, or a map. What its schema finds is told elsewhere. */
export function readWishes(document: Document, data: DataMap, problems: Problem[]): Wishes {
  const upgrades = data['upgrades']
  if (upgrades === false) return { off: true }
  if (!isMap(upgrades)) return {}
  const schedule = readSchedule(document, { map: upgrades, path: ['upgrades', 'schedule'], problems })
  return {
    ...(upgrades['major'] === false && { majorOff: true }),
    ...(upgrades['canary'] === true && { canary: true }),
    ...(upgrades['automerge'] === true && { automerge: true }),
    ...(schedule.length > 0 && { schedule }),
  }
}
