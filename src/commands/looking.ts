/** Looks at one live stack, and compares it with what it shall be. */
import { mapOf } from '../core/data.ts'
import type { GuardOptions } from '../core/guard.ts'
import { guard } from '../core/guard.ts'
import type { PlannedUnit, StackContent } from '../core/plan.ts'
import { verdictOf } from '../core/plan.ts'
import { Refused } from '../core/problem.ts'
import type { Provisioner, StackId, StackPreview, StackState, WantedStack } from '../ports.ts'
import type { Ownership } from './terms.ts'

/**
 * What a stack is looked at for. A `plan` waits for nothing and leaves nothing behind. A `deployment` waits for what is under
 * way, and its preview is made to be executed. When it is a unit's `turn`, a stack that is stuck is mended too.
 */
export type Purpose = 'plan' | 'deployment' | 'turn'

export type Looking = {
  readonly wanted: WantedStack
  readonly facts: Pick<PlannedUnit, 'unit' | 'stage' | 'template' | 'rendered' | 'predicted'> &
    Partial<Pick<PlannedUnit, 'policy'>>
  readonly purpose: Purpose
  readonly ownership: Ownership
  readonly guard: GuardOptions
  readonly signal: AbortSignal
  /**
   * What the last deployment wanted, by its digest, where the template that is deployed is of use only to see that nothing changes:
   * it is not read then where something does.
   */
  readonly last?: string | undefined
  /** What was changed besides the stack is to be brought back. */
  readonly mends?: 'drift'
  /** Told while something is waited for. */
  readonly told?: ((what: string) => void) | undefined
}

export type Compared = {
  readonly planned: PlannedUnit
  readonly preview: StackPreview
  readonly state: StackState
  /** What is wanted, with the tags that are kept. */
  readonly wanted: WantedStack
  /** Acknowledged logical ids to which nothing happens. */
  readonly idle: readonly string[]
}

/** The tag that says whose a stack is; it never changes, because a tag that does touches every resource. */
export const ownerTag = 'protium:owner'

/** Compares one stack with what it shall be. What the world does not allow is refused. */
export async function planStack(provisioner: Provisioner, looking: Looking): Promise<Compared> {
  const compared = await comparing(provisioner, looking)
  const mayLose = compared.preview.changes.some(
    ({ action, conditional }) => action === 'delete' || action === 'replace' || conditional !== undefined,
  )
  if (looking.last === undefined || !mayLose) return compared
  // What becomes of a resource that goes is judged by the template that is deployed.
  await provisioner.discard(compared.preview)
  return comparing(provisioner, { ...looking, last: undefined })
}

async function comparing(provisioner: Provisioner, looking: Looking): Promise<Compared> {
  const { facts, purpose, ownership, signal } = looking
  const state = await rested(provisioner, looking)
  const wanted = owned(looking.wanted, { state, ownership })
  // What is stuck is mended when its turn has come; until then there is nothing that could be executed.
  const isExecuted = purpose === 'turn' || (purpose === 'deployment' && !facts.predicted && state.is !== 'stuck')
  const preview = await provisioner.preview(wanted, {
    for: isExecuted ? 'deployment' : 'plan',
    ...(looking.mends !== undefined && { mends: looking.mends }),
  })
  if (!isExecuted) await provisioner.discard(preview)
  if (purpose === 'plan' && signal.aborted) {
    throw new Refused('interrupted', 'The plan was stopped. Nothing was changed.', { remedy: 'Run it again.' })
  }
  const { changes, wants, against, unchanged, settings = [], notes = [], byHand, byHandAt } = preview
  const compared = unchanged === true ? 'nothing' : verdictOf(contentOf(state), wanted, changes)
  // What is set by calls of its own is a change, although no resource does.
  const verdict = compared === 'nothing' && settings.length > 0 ? 'update' : compared
  const said = [...notes, ...settings.map((setting) => `${setting} is set.`)]
  const guarded = guard(changes, { ...looking.guard, ...(state.is === 'settled' && { live: state.body }) })
  const losses = [
    ...guarded.refused.map((finding) => ({ ...finding, isAcknowledged: false })),
    ...guarded.acknowledged.map((finding) => ({ ...finding, isAcknowledged: true })),
  ]
  return {
    planned: {
      ...facts,
      stack: wanted.stack,
      verdict,
      changes,
      wants,
      against,
      ...(losses.length > 0 && { losses }),
      ...(said.length > 0 && { notes: said }),
      ...(byHand !== undefined && { byHand }),
      ...(byHandAt !== undefined && { byHandAt }),
    },
    preview,
    state,
    wanted,
    idle: guarded.idle,
  }
}

/** How often a stack is looked at again: each time after an operation on it has ended. */
const mostLooks = 6

/** How a stack is, once nobody works on it; mended, where that is the purpose. */
async function rested(
  provisioner: Provisioner,
  { wanted, purpose, ownership, guard: losses, last, signal, told }: Looking,
): Promise<StackState> {
  const { stack } = wanted
  const since =
    last === undefined
      ? {}
      : { expects: { wants: last, wanted: owned(wanted, { state: { is: 'absent' }, ownership }) } }
  let state = await provisioner.state(stack, { guard: losses, ...since })
  for (let looks = 1; ; looks += 1) {
    checkOwner(stack, { state, ownership })
    if (state.is !== 'busy' && !(state.is === 'stuck' && state.recovers !== undefined)) return state
    if (looks === mostLooks) throw busy(stack, state.status)
    if (state.is === 'busy') {
      if (purpose === 'plan') throw busy(stack, state.status)
      told?.(`waits: ${stack.name} is ${state.status}`)
      await ended(provisioner.follow(stack, signal))
    } else if (state.recovers === false) {
      throw new Refused('stack-stuck', `The stack ${stack.name} is stuck (${state.status}).`, { remedy: state.remedy })
    } else if (purpose === 'turn') {
      told?.(`mends: ${stack.name} is ${state.status}`)
      await ended(provisioner.recover(stack, signal, losses))
    } else return state
    state = await provisioner.state(stack, { guard: losses })
  }
}

async function ended(events: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of events) {
    // Only its end is waited for.
  }
}

function busy(stack: StackId, status: string): Refused {
  return new Refused('stack-busy', `The stack ${stack.name} is busy (${status}).`, {
    remedy: 'Wait until that run has ended, then run this again.',
  })
}

function tagsOf(state: StackState): Readonly<Record<string, string>> {
  return state.is === 'absent' ? {} : (state.tags ?? {})
}

/** A stack belongs to the repository that has deployed it, whatever other files claim its name. */
export function checkOwner(
  stack: StackId,
  { state, ownership }: { readonly state: StackState; readonly ownership: Ownership },
): void {
  const live = tagsOf(state)[ownerTag]
  if (ownership.is === 'theirs' || live === undefined || live === ownership.id) return
  const claim =
    ownership.id === undefined ? 'and who runs this has not said for whom' : `and this is for ${ownership.id}`
  throw new Refused('stack-owner', `The stack ${stack.name} belongs to the repository ${live}, ${claim}.`, {
    remedy:
      ownership.id === undefined
        ? `If it is that repository that you work for, say so: \`--owner ${live}\`, or \`owner: "${live}"\` in catalog.yaml.`
        : 'Rename the service, or give its stack a name of its own by `stack:`. To hand the stack over, its owner changes the tag `protium:owner`.',
  })
}

/** What is wanted, with its owner: our own, or the one that it has. */
function owned(
  wanted: WantedStack,
  { state, ownership }: { readonly state: StackState; readonly ownership: Ownership },
): WantedStack {
  const id = ownership.is === 'ours' ? ownership.id : tagsOf(state)[ownerTag]
  return id === undefined ? wanted : { ...wanted, tags: { ...wanted.tags, [ownerTag]: id } }
}

/** What is live; nothing where a stack has yet to be made, and something unlike everything where an update was cut short. */
function contentOf(state: StackState): StackContent | undefined {
  if (state.is === 'settled') return state
  const unmade = state.is !== 'stuck' || state.status.startsWith('CREATE_') || state.status.startsWith('ROLLBACK_')
  return unmade ? undefined : { body: mapOf(), parameters: {}, tags: {} }
}
