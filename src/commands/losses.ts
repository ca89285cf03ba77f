import { guardProblems } from '../core/guard.ts'
import type { Unit } from '../core/organisation.ts'
import type { PlannedLoss, PlannedUnit } from '../core/plan.ts'
import type { Place, Problem } from '../core/problem.ts'

/** What would be lost of a unit, and nobody has said that it may be. */
export function unacknowledged({ losses = [] }: Pick<PlannedUnit, 'losses'>): readonly PlannedLoss[] {
  return losses.filter(({ isAcknowledged }) => !isAcknowledged)
}

/** The same as problems, each with the file that it may be acknowledged in. */
export function lossProblems(unit: Unit, planned: Pick<PlannedUnit, 'losses'>): readonly Problem[] {
  const refused = unacknowledged(planned)
  if (refused.length === 0) return []
  const related = [{ at: filePlace(unit), note: 'the file to acknowledge it in, as `acknowledge: […]`' }]
  return guardProblems(unit.id, { refused, acknowledged: [], idle: [] }).map((problem) => ({ ...problem, related }))
}

function filePlace({ kind, service, stage, environment }: Unit): Place {
  if (service === undefined) return environment.document.keyPlace(['environment'])
  const { document, stages } = service.spec
  if (kind === 'pipeline') return document.keyPlace(['pipeline'])
  return stage !== undefined && stages.has(stage.name)
    ? document.keyPlace(['stages', stage.name])
    : document.keyPlace(['service'])
}
