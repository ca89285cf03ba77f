import { digest } from './canonical.ts'
import { isList, isMap } from './data.ts'
import type { Change, Plan, PlannedUnit } from './plan.ts'
import { textsIn } from './shape.ts'
import { readJson } from './yaml.ts'

/**
 * What was reviewed, in a form that a later run compares with: for each unit the changes that people saw, each as a digest of the
 * resource, of what happens to it, and of its property with both values. Twenty changes that are merged in a minute go
 * through in order, because what is live already is no reason to hold: the changes of the moment are those that were
 * reviewed, or a part of them.
 */
export type Binding = ReadonlyMap<string, Reviewed>

/** `whole` has one digest over all changes, where each by itself would be too much; a part of them is then not known. */
type Reviewed = { readonly is: 'each' | 'whole'; readonly changes: ReadonlySet<string> }

/** GitHub takes 65,535 characters below a check. */
const most = 60_000

/**
 * The binding of a plan as JSON of short lines, which stand in a fence as they are. Where there are more changes than a check can
 * hold, each unit has one digest; and of more units than that the last are left out: nothing binds them, so they are held
 * in production.
 */
export function bindingText(plan: Plan): string {
  const busy = plan.units.map((unit) => ({ unit: unit.unit, changes: changesOf(unit) }))
  const known = busy.filter(({ changes }) => changes.length > 0)
  const each = textOf({ units: known })
  if (each.length <= most) return each
  const wholes = known.map(({ unit, changes }) => `${unit} ${wholeOf(changes)}`)
  let size = textOf({ wholes: [] }).length
  const fitting = wholes.findIndex((whole) => (size += whole.length + 6) > most)
  return textOf({ wholes: fitting === -1 ? wholes : wholes.slice(0, fitting) })
}

function textOf(binding: object): string {
  return JSON.stringify({ format: 1, ...binding }, undefined, 1)
}

/** Reads what `bindingText` wrote, from the fence or without it; nothing, if it is anything else. */
export function readBinding(text: string): Binding | undefined {
  const inside = /^(`{3,})json\n(.*)\n\1\s*$/su.exec(text)?.[2] ?? text
  const document = readJson('binding', inside)
  const data = document.ok ? document.value.data : null
  if (!isMap(data) || data['format'] !== 1) return undefined
  if (isList(data['wholes'])) return new Map(textsIn(data, 'wholes').map(readWhole))
  if (!isList(data['units'])) return undefined
  const units = data['units'].flatMap((each): [string, Reviewed][] => {
    if (!isMap(each) || typeof each['unit'] !== 'string') return []
    return [[each['unit'], { is: 'each', changes: new Set(textsIn(each, 'changes')) }]]
  })
  return units.length === data['units'].length ? new Map(units) : undefined
}

function readWhole(line: string): [string, Reviewed] {
  const [unit = '', whole = ''] = line.split(' ')
  return [unit, { is: 'whole', changes: new Set([whole]) }]
}

/** The units of a plan that would change in a way that was not reviewed, each with those changes. */
export function unreviewed(
  binding: Binding,
  plan: Plan,
): readonly { readonly unit: string; readonly changes: readonly Change[] }[] {
  return plan.units.flatMap((unit) => {
    const reviewed = binding.get(unit.unit)
    const own = changesOf(unit)
    if (own.length === 0 || (reviewed?.is === 'whole' && reviewed.changes.has(wholeOf(own)))) return []
    if (reviewed?.is !== 'each') return [{ unit: unit.unit, changes: unit.changes }]
    const others = unit.changes.filter((change) => digestsOf(unit, change).some((one) => !isAmong(one, reviewed)))
    const isNew = unit.changes.length === 0 && own.some((one) => !reviewed.changes.has(one))
    return others.length > 0 || isNew ? [{ unit: unit.unit, changes: others }] : []
  })
}

/** A change whose values were predicted when it was reviewed is known by its path alone. */
function isAmong(one: Digests, { changes }: Reviewed): boolean {
  return changes.has(one.exact) || changes.has(one.byPath)
}

type Digests = { readonly exact: string; readonly byPath: string }

function changesOf(unit: PlannedUnit): readonly string[] {
  if (unit.verdict === 'nothing') return []
  // Outputs and tags may be all that changes.
  if (unit.changes.length === 0) return [short(['outputs'])]
  const found = unit.changes.flatMap((change) => digestsOf(unit, change))
  return [...new Set(found.map(({ exact, byPath }) => (unit.predicted ? byPath : exact)))]
}

function digestsOf({ unit }: PlannedUnit, change: Change): readonly Digests[] {
  const { logicalId, type, action, retained, properties } = change
  const of = [unit, logicalId, type, action, String(retained)]
  if (properties.length === 0) {
    const only = short(of)
    return [{ exact: only, byPath: only }]
  }
  return properties.map(({ path, before = '', after = '' }) => ({
    exact: short([...of, path, before, after]),
    byPath: short([...of, path]),
  }))
}

function wholeOf(changes: readonly string[]): string {
  return short([...changes].toSorted())
}

/** 128 bits are enough that nobody finds another change with the same digest. */
function short(parts: readonly string[]): string {
  return digest([...parts]).slice('sha256:'.length, 'sha256:'.length + 32)
}
