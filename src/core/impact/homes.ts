import type { Opened } from '../organisation.ts'
import type { Problem } from '../problem.ts'
import { renderChecked } from '../rendering.ts'
import { Kept } from '../rendering/known.ts'

/** The environments of a catalog as services see them, and what stands in the way of those that do not render. */
export type Homes = { readonly kept: Kept; readonly problems: ReadonlyMap<string, readonly Problem[]> }

const known = new WeakMap<Opened, Homes>()

/** Rendered once, however many consumers there are. */
export function homesOf(opened: Opened): Homes {
  const before = known.get(opened)
  if (before !== undefined) return before
  const units = [...opened.environments.values()]
  const kept = new Kept(units)
  const problems = new Map<string, readonly Problem[]>()
  for (const unit of units) {
    const all = kept.known(unit)
    const one = all === undefined ? undefined : renderChecked(unit, all.known)
    if (one?.ok === true) {
      const values = opened.outputs?.get(unit.environment.name) ?? one.value.outputs
      kept.add(one.value, { values, predicted: true })
    } else if (one !== undefined) problems.set(unit.environment.name, one.problems)
  }
  const homes = { kept, problems }
  known.set(opened, homes)
  return homes
}
