/** What was changed by hand of units, and where it comes from in the files. */
import type { Ports } from '../command.ts'
import type { Origin } from '../core/drift.ts'
import { driftOrigin } from '../core/drift.ts'
import type { Unit } from '../core/organisation.ts'
import { list } from '../core/report.ts'
import type { DriftedProperty, StackDrift, StackState } from '../ports.ts'
import type { Rendered } from '../core/rendering.ts'
import { stackOf } from '../core/rendering.ts'
import { renderDeployed } from './planning.ts'
import { Slots } from './slots.ts'
import type { Stacks } from './stacks.ts'

/** A unit with what was found of it. */
export type Found = {
  readonly unit: Unit
  readonly state: StackState
  readonly drift: StackDrift
  /** What the files say now, if they could be rendered. */
  readonly rendered: Rendered | undefined
}

/** Asks for the drift of every stack that is at rest; stacks of one account not all at a time. */
export async function lookedAt(
  ports: Ports,
  {
    units,
    needed,
    stacks,
  }: { readonly units: readonly Unit[]; readonly needed: readonly Unit[]; readonly stacks: Stacks },
): Promise<readonly Found[]> {
  const rendered = new Map((await renderDeployed(needed, stacks)).map((each) => [each.unit.id, each]))
  const slots = new Slots()
  const looks = units
    .filter(({ bundle }) => bundle.parts.length > 0)
    .map(async (unit): Promise<Found> => {
      const release = await slots.take(unit.environment)
      try {
        const provisioner = await stacks.of(unit)
        const state = await provisioner.state(stackOf(unit))
        const isAtRest = state.is === 'settled'
        const found = isAtRest ? await provisioner.drift(stackOf(unit), ports.signal) : nothing
        if (isAtRest) ports.reporter.step(unit.id, found.resources.length === 0 ? 'no drift' : 'changed by hand')
        return { unit, state, drift: found, rendered: rendered.get(unit.id) }
      } finally {
        release()
      }
    })
  await Promise.allSettled(looks)
  return Promise.all(looks)
}

const nothing: StackDrift = { resources: [], looked: 0, unknown: [] }

/** Where a property comes from, as far as the files can be rendered. */
export function originOf({ unit, rendered }: Found, logicalId: string, property: DriftedProperty): Origin {
  return rendered === undefined ? { is: 'undeployed' } : driftOrigin(unit, rendered.part, { logicalId, property })
}

export function originText(origin: Origin): string {
  if (origin.is === 'input') return `inputs.${origin.name}`
  if (origin.is === 'undeployed') return 'the files say another value, which is not deployed'
  return origin.reads.length === 0 ? 'the template' : `the template, of ${list([...origin.reads])}`
}
