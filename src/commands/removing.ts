import type { Ports } from '../command.ts'
import { graphOf } from '../core/cloudformation/graph.ts'
import { guard, guardProblems, removalChanges } from '../core/guard.ts'
import type { Organisation, Unit } from '../core/organisation.ts'
import type { Problem } from '../core/problem.ts'
import { isOpen, Refused } from '../core/problem.ts'
import { count, ended, list } from '../core/report.ts'
import type { DeploymentRecord, Provisioner, Records, StackEvent, StackState } from '../ports.ts'
import { checkOwner } from './looking.ts'
import type { Stacks } from './stacks.ts'
import { stackOf } from '../core/rendering.ts'

/** A unit with the stack that it has now. */
export type Removable = {
  readonly unit: Unit
  readonly state: Exclude<StackState, { readonly is: 'absent' }>
  /** How many resources go. */
  readonly resources: number
  /** Logical ids of what holds data and would go with it, and is not acknowledged. */
  readonly losses: readonly string[]
  readonly problems: readonly Problem[]
}

/** Units in the order in which they can go: what builds on others before these. */
export function inRemovalOrder(units: readonly Unit[]): readonly Unit[] {
  const graph = graphOf(
    units.map((unit) => ({
      id: unit.id,
      kind: unit.kind,
      environment: unit.environment.name,
      service: unit.service?.service,
      stage: unit.stage?.name,
      stack: stackOf(unit),
    })),
    { reversed: true },
  )
  // What exports and imports tie together is not known without a rendering; the provisioner says what is still in use.
  if (!graph.ok) return units
  const known = new Map(units.map((unit) => [unit.id, unit]))
  return [...graph.value.nodes.keys()].flatMap((id) => known.get(id) ?? [])
}

/**
 * Looks at what is to be removed, and changes nothing. Refused: a stack of another owner, one that is worked on or protected, and
 * one that others that stay are built on.
 */
export async function removables(
  units: readonly Unit[],
  { organisation, stacks }: { readonly organisation: Organisation; readonly stacks: Stacks },
): Promise<readonly Removable[]> {
  const found: Removable[] = []
  for (const unit of inRemovalOrder(units)) {
    const stack = stackOf(unit)
    const state = await (await stacks.of(unit)).state(stack)
    if (state.is === 'absent') continue
    checkOwner(stack, { state, ownership: stacks.terms.ownerOf(unit) })
    if (state.is === 'busy') {
      throw new Refused('stack-busy', `The stack ${stack.name} is busy (${state.status}).`, {
        remedy: `Wait until it is at rest, or end what is under way: \`protium cancel ${unit.id}\`.`,
      })
    }
    if (unit.options.terminationProtection === true) {
      throw new Refused('stack-protected', `The stack ${stack.name} is protected from being deleted.`, {
        remedy: `If it has to go, write \`stack: { termination_protection: false }\` for its stage in catalog.yaml, deploy ${unit.id}, and remove it then.`,
      })
    }
    const body = state.is === 'settled' ? state.body : undefined
    const acknowledged = [...unit.acknowledged.keys(), ...(stacks.terms.acknowledged.get(unit.id) ?? [])]
    const changes = body === undefined ? [] : removalChanges(body)
    const guarded = guard(changes, { ...stacks.terms.guard, acknowledged, ...(body !== undefined && { live: body }) })
    const problems = guardProblems(unit.id, { ...guarded, idle: [] })
    const kept = changes.filter(({ retained }) => retained).length
    const losses = guarded.refused.map(({ logicalId }) => logicalId)
    found.push({ unit, state, resources: changes.length - kept, losses, problems })
  }
  await checkNeeded(found, { organisation, stacks })
  return found
}

/** An environment is not taken from under what lives in it, nor a component from under its instance. */
async function checkNeeded(
  found: readonly Removable[],
  { organisation, stacks }: { readonly organisation: Organisation; readonly stacks: Stacks },
): Promise<void> {
  const going = new Set(found.map(({ unit }) => unit.id))
  for (const { unit } of found) {
    const builtOn = organisation.units.filter(
      (other) =>
        !going.has(other.id) &&
        (unit.kind === 'environment'
          ? other.kind !== 'environment' && other.environment.name === unit.environment.name
          : unit.kind === 'component' && other.kind === 'instance' && `${other.id}/component` === unit.id),
    )
    const live: string[] = []
    for (const other of builtOn)
      if ((await (await stacks.of(other)).state(stackOf(other), { expects: 'change' })).is !== 'absent')
        live.push(other.id)
    if (live.length === 0) continue
    const named = live.length > 5 ? `${live.slice(0, 5).join(', ')} and ${live.length - 5} more` : list(live)
    throw new Refused(
      'unit-needed',
      `${unit.id} is not removed: ${named} ${live.length === 1 ? 'is' : 'are'} built on it.`,
      {
        remedy: `Remove ${live.length === 1 ? 'it' : 'them'} first, or in the same run by naming ${live.length === 1 ? 'it' : 'them'} too.`,
      },
    )
  }
}

/** What came of the removal of one unit. */
export type Removal = {
  readonly unit: Unit
  readonly is: 'removed' | 'failed' | 'unfinished' | 'skipped'
  readonly why?: string
  readonly record?: DeploymentRecord
}

/** Removes them one after the other, as far as it goes. Each attempt that ended is recorded. */
export async function removeUnits(
  ports: Ports,
  {
    found,
    stacks,
    records,
  }: { readonly found: readonly Removable[]; readonly stacks: Stacks; readonly records: Records },
): Promise<readonly Removal[]> {
  const removals: Removal[] = []
  for (const { unit } of found) {
    const stopped = removals.find(({ is }) => is !== 'removed')
    if (stopped !== undefined || ports.signal.aborted) {
      const why = stopped === undefined ? 'because the run was stopped' : `because ${stopped.unit.id} is still there`
      removals.push({ unit, is: stopped === undefined ? 'unfinished' : 'skipped', why })
      continue
    }
    const started = ports.clock.now()
    const removal = await removed(ports, { unit, provisioner: await stacks.of(unit) })
    if (removal.is !== 'removed' && removal.is !== 'failed') {
      removals.push(removal)
      continue
    }
    const record = recordOf(ports, { removal, started })
    await records.append(record)
    removals.push({ ...removal, record })
  }
  return removals
}

async function removed(
  ports: Ports,
  { unit, provisioner }: { readonly unit: Unit; readonly provisioner: Provisioner },
): Promise<Removal> {
  const first: StackEvent[] = []
  let last = 'unknown'
  let done = 0
  try {
    for await (const event of provisioner.remove(stackOf(unit), ports.signal)) {
      if (event.kind === 'stack') last = event.status
      else if (event.status === 'DELETE_COMPLETE') done += 1
      else if (event.status === 'DELETE_FAILED') first.push(event)
    }
  } catch (error) {
    if (!(error instanceof Refused)) throw error
    if (isOpen(error)) return { unit, is: 'unfinished', why: 'its removal goes on without this run' }
    return { unit, is: 'failed', why: `${ended(error.message)} ${error.remedy}` }
  }
  ports.reporter.step(unit.id, last === 'DELETE_COMPLETE' ? `removed, ${count(done, 'resource')}` : last)
  if (last === 'DELETE_COMPLETE') return { unit, is: 'removed' }
  const blockers = first.map((event) =>
    event.kind === 'resource' ? `${event.logicalId}: ${event.reason ?? 'no reason was given'}` : '',
  )
  return { unit, is: 'failed', why: blockers.length === 0 ? `the stack is ${last}` : list(blockers) }
}

function recordOf(
  { clock, by }: Ports,
  { removal: { unit, is, why }, started }: { readonly removal: Removal; readonly started: Date },
): DeploymentRecord {
  return {
    format: 1,
    id: `${started.toISOString().replaceAll(/[-:.]/gu, '')}-${unit.id.replaceAll('/', '-')}`,
    unit: unit.id,
    ...(unit.stage !== undefined && { stage: unit.stage.name }),
    template: unit.bundle.template,
    version: unit.bundle.version,
    by,
    started: started.toISOString(),
    finished: clock.now().toISOString(),
    outcome: is === 'removed' ? 'removed' : 'failed',
    wants: digestOfNothing,
    ...(why !== undefined && { evidence: why }),
  }
}

/** Nothing is wanted of a unit that is removed. */
const digestOfNothing = `sha256:${'0'.repeat(64)}`
