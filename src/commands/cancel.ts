import type { Json, Outcome, Ports } from '../command.ts'
import { command, flag, lines, path, text } from '../command.ts'
import { covers } from '../core/board.ts'
import type { Organisation, Unit } from '../core/organisation.ts'
import type { Checked } from '../core/problem.ts'
import { isOpen, Refused } from '../core/problem.ts'
import { list } from '../core/report.ts'
import type { BoardHost, Provisioner, StackState } from '../ports.ts'
import { takeBack } from './cancelling.ts'
import { checkOwner } from './looking.ts'
import { stackOf } from '../core/rendering.ts'
import { stacksOf } from './stacks.ts'
import { boardElsewhere, byWorkflow } from './locking.ts'
import { exactUnits, readFolder, sameFolders, stateFolders } from './reading.ts'
import { termsOf } from './terms.ts'

type Answer = Outcome<Readonly<Record<'units' | 'waiting', Json>>>

export const cancel = command({
  name: 'cancel',
  summary:
    'Takes back what waits to be deployed, and the update of a stack that is under way: waits until what ran before runs again.',
  inputs: {
    units: lines('Units such as checkout/dev, or a service, which is all of its units.', { positional: true }),
    waiting: flag('Only what waits: what is under way goes on.'),
    reason: text('Why, in a sentence. It is said where the promotion waited.', { hint: 'TEXT' }),
    owner: text('The repository that owns the stacks, by its id; what catalog.yaml says if nothing is said.', {
      hint: 'ID',
    }),
    root: path('The folder of the organisation.', { default: '.' }),
    catalog: path('The folder of the catalog, where the services are in a repository of their own.', {}),
    state: path('The folder of the local stacks and records; a relative one lies below the root.', {
      default: '.protium',
    }),
  },
  outputs: {
    units: 'The units, each with what came of it and the status of its stack.',
    waiting: 'The promotions that waited and do no more, each with its unit, its commit, and since when it had waited.',
  },
  permissions: {
    contents: { access: 'write', why: 'check out, and change the branch `protium-board`' },
    deployments: { access: 'write', why: 'say of its deployment that it is cancelled' },
    'pull-requests': { access: 'write', why: 'say so in the comment of the promotion' },
  },
  async run(ports, { units: names, waiting: onlyWaiting, reason = '', owner, root, catalog, state }): Promise<Answer> {
    const { organisation, sources } = await readFolder(ports, root, { ...(catalog !== undefined && { catalog }) })
    const bad = (problems: Outcome['problems'] = []): Answer => ({
      exit: 'bad-input',
      data: { units: [], waiting: [] },
      text: () => '',
      problems,
      sources,
    })
    if (!organisation.ok) return bad(organisation.problems)
    const board = await ports.board(stateFolders(root, state).records)
    const selected = await unitsIn(ports, { organisation: organisation.value, names, root, board })
    if (!selected.ok) return bad(selected.problems)
    const isApart = catalog !== undefined && catalog !== root
    const terms = termsOf(ports, { catalog: organisation.value.catalog, owner, isApart })
    await using stacks = stacksOf(ports, { folder: stateFolders(root, state).stacks, terms })
    const states: (readonly [Unit, Provisioner, StackState])[] = []
    for (const unit of onlyWaiting ? [] : selected.value) {
      const provisioner = await stacks.of(unit)
      const live = await provisioner.state(stackOf(unit), { expects: 'change' })
      checkOwner(stackOf(unit), { state: live, ownership: terms.ownerOf(unit) })
      states.push([unit, provisioner, live])
    }
    // What waits comes first, so that it is not started while what is under way is taken back.
    const back = await takeBack(ports, { board, names, reason })
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
    const there = await boardElsewhere(ports, root)
    const folders = sameFolders({ root, state })
    const left = ended.find(({ is }) => is === 'running')
    const backIn = ({ id }: Unit): boolean => back.some(({ unit }) => covers(unit, id))
    const elsewhere = [...new Set(there.waiting.map(({ unit }) => unit))].filter((unit) =>
      names.some((name) => covers(name, unit)),
    )
    const told = [
      ...(elsewhere.length === 0
        ? []
        : [`At GitHub ${list(elsewhere)} waits; ${byWorkflow('cancel', elsewhere)} takes it back.`]),
      ...back.map(({ unit, commit }) => `${unit}: commit ${commit.slice(0, 7)} waits no more.`),
      // Of what has waited it needs not be said that nothing of it is under way.
      ...ended
        .filter(({ unit, is }) => is !== 'nothing' || !backIn(unit))
        .map(({ unit, words }) => `${unit.id}: ${words}`),
    ]
    return {
      exit: ended.some(({ is }) => is === 'refused') ? 'failed' : left === undefined ? 'done' : 'unfinished',
      data: {
        units: ended.map(({ unit, is, status }) => ({ unit: unit.id, outcome: is, status })),
        waiting: back.map(({ unit, commit, since }) => ({ unit, commit, since })),
      },
      text: () => (told.length === 0 ? 'Nothing waits.' : told.join('\n')),
      problems: organisation.problems,
      next: [
        left === undefined
          ? { run: `status${folders}`, why: 'what runs where' }
          : { run: `cancel ${left.unit.id}${folders}`, why: 'follow it to its end' },
      ],
    }
  },
})

/** What waits is taken back also where no file asks for it any more. */
async function unitsIn(
  ports: Ports,
  {
    organisation,
    names,
    root,
    board,
  }: {
    readonly organisation: Organisation
    readonly names: readonly string[]
    readonly root: string
    readonly board: BoardHost
  },
): Promise<Checked<readonly Unit[]>> {
  const chosen = exactUnits(organisation, { names, command: 'cancel' })
  if (chosen.ok) return chosen
  const boards = [await board.read(), await boardElsewhere(ports, root)]
  const also = boards.flatMap(({ waiting }) => waiting.map(({ unit }) => unit))
  return exactUnits(organisation, { names, command: 'cancel', also })
}

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
