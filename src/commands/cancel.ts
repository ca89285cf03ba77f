import type { Json, Outcome } from '../command.ts'
import { command, lines, path, text } from '../command.ts'
import type { Unit } from '../core/organisation.ts'
import { isOpen, Refused } from '../core/problem.ts'
import type { Provisioner, StackState } from '../ports.ts'
import { checkOwner } from './looking.ts'
import { stackOf } from './planning.ts'
import { stacksOf } from './stacks.ts'
import { exactUnits, readFolder, sameFolders, stateFolders } from './reading.ts'
import { termsOf } from './terms.ts'

export const cancel = command({
  name: 'cancel',
  summary: 'Takes back the update of a stack that is under way, and waits until what ran before runs again.',
  inputs: {
    units: lines('Units such as checkout/dev, or a service, which is all of its units.', { positional: true }),
    owner: text('The repository that owns the stacks, by its id; what catalog.yaml says if nothing is said.', {
      hint: 'ID',
    }),
    root: path('The folder of the organisation.', { default: '.' }),
    state: path('The folder of the local stacks and records; a relative one lies below the root.', {
      default: '.protium',
    }),
  },
  outputs: { units: 'The units, each with what came of it and the status of its stack.' },
  async run(ports, { units: names, owner, root, state }) {
    const { organisation, sources } = await readFolder(ports, root)
    const bad = (problems: Outcome['problems'] = []): Outcome<{ readonly units: Json }> => ({
      exit: 'bad-input',
      data: { units: [] },
      text: () => '',
      problems,
      sources,
    })
    if (!organisation.ok) return bad(organisation.problems)
    const selected = exactUnits(organisation.value, { names, command: 'cancel' })
    if (!selected.ok) return bad(selected.problems)
    const terms = termsOf(ports, { catalog: organisation.value.catalog, owner })
    await using stacks = stacksOf(ports, { folder: stateFolders(root, state).stacks, terms })
    const states: (readonly [Unit, Provisioner, StackState])[] = []
    for (const unit of selected.value) {
      const provisioner = await stacks.of(unit)
      const live = await provisioner.state(stackOf(unit), { expects: 'change' })
      checkOwner(stackOf(unit), { state: live, ownership: terms.ownerOf(unit) })
      states.push([unit, provisioner, live])
    }
    // All are asked before any is waited for.
    const asked = await Promise.all(
      states.map(async ([unit, provisioner, live]) => ({
        unit,
        provisioner,
        live,
        did: live.is === 'busy' ? await provisioner.cancel(stackOf(unit)) : ('nothing' as const),
      })),
    )
    const ended: Ended[] = []
    for (const { unit, provisioner, live, did } of asked)
      ended.push(did === 'cancelled' ? await follow(unit, { provisioner, signal: ports.signal }) : idle(unit, live))
    const folders = sameFolders({ root, state })
    const left = ended.find(({ is }) => is === 'running')
    return {
      exit: ended.some(({ is }) => is === 'refused') ? 'failed' : left === undefined ? 'done' : 'unfinished',
      data: { units: ended.map(({ unit, is, status }) => ({ unit: unit.id, outcome: is, status })) },
      text: () => ended.map(({ unit, words }) => `${unit.id}: ${words}`).join('\n'),
      problems: organisation.problems,
      next: [
        left === undefined
          ? { run: `status${folders}`, why: 'what runs where' }
          : { run: `cancel ${left.unit.id}${folders}`, why: 'follow it to its end' },
      ],
    }
  },
})

type Ended = {
  readonly unit: Unit
  readonly is: 'cancelled' | 'nothing' | 'running' | 'refused'
  readonly status: string | null
  readonly words: string
}

/** A stack of which nothing was cancelled. What is being taken back already, or made for the first time, cannot be. */
function idle(unit: Unit, live: StackState): Ended {
  if (live.is === 'busy')
    return {
      unit,
      is: 'refused',
      status: live.status,
      words: `is ${live.status}, which cannot be taken back. It ends by itself.`,
    }
  const words = live.is === 'absent' ? 'is not there' : 'nothing is under way'
  return { unit, is: 'nothing', status: live.is === 'stuck' ? live.status : null, words }
}

async function follow(
  unit: Unit,
  { provisioner, signal }: { readonly provisioner: Provisioner; readonly signal: AbortSignal },
): Promise<Ended> {
  let status = 'UPDATE_ROLLBACK_IN_PROGRESS'
  try {
    for await (const event of provisioner.follow(stackOf(unit), signal))
      if (event.kind === 'stack') status = event.status
  } catch (error) {
    const goesOn = error instanceof Refused && isOpen(error)
    if (!goesOn) throw error
    return { unit, is: 'running', status, words: 'is being taken back, and that goes on without this run.' }
  }
  if (status.endsWith('ROLLBACK_COMPLETE'))
    return { unit, is: 'cancelled', status, words: 'was taken back: what ran before runs again.' }
  // It had ended before it could be cancelled, or went wrong.
  return { unit, is: status.endsWith('_COMPLETE') ? 'nothing' : 'refused', status, words: `is ${status}.` }
}
