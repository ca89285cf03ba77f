import { compareText } from '../canonical.ts'
import { isMap } from '../data.ts'
import { textIn } from '../shape.ts'
import type { FileTree } from '../tree.ts'
import { readJson } from '../yaml.ts'
import type { Deployed } from './runs.ts'

/** What each unit was deployed with last, by the records of a ledger. What cannot be read says nothing. */
export function recordsByUnit(files: FileTree): Deployed {
  const latest = new Map<string, { readonly id: string; readonly reference: string | undefined }>()
  for (const [file, text] of files) {
    if (!file.startsWith('records/')) continue
    const document = readJson(file, text)
    const data = document.ok && isMap(document.value.data) ? document.value.data : undefined
    const [unit, id, outcome] = [textIn(data, 'unit'), textIn(data, 'id'), textIn(data, 'outcome')]
    if (unit === undefined || id === undefined || outcome === undefined) continue
    if (!['deployed', 'unchanged', 'removed'].includes(outcome)) continue
    const known = latest.get(unit)
    if (known !== undefined && compareText(known.id, id) > 0) continue
    const [template, version] = [textIn(data, 'template'), textIn(data, 'version')]
    // What was removed runs nothing.
    const reference = outcome === 'removed' ? undefined : `${template ?? ''}@${version ?? ''}`
    latest.set(unit, { id, reference })
  }
  const found = [...latest].flatMap(([unit, { reference }]) =>
    reference === undefined ? [] : [[unit, reference] as const],
  )
  return new Map(found)
}
