/** What waits on the board of a machine, after a deployment from its terminal. */
import type { Ports } from '../command.ts'
import type { Waiting } from '../core/board.ts'
import { withoutWaiting, withWaiting } from '../core/board.ts'
import type { Gate } from '../core/gates.ts'
import type { BoardHost } from '../ports.ts'
import type { Attempt } from './deploying.ts'

/** The gates that hold units, by the units' ids, each with the stage whose gates they are. */
export type HeldUnits = ReadonlyMap<string, { readonly stage: string; readonly gates: readonly Gate[] }>

/**
 * Puts what gates have held on the board, for `protium resume`, and takes off what has gone on, to whatever end. What is of no
 * commit is not put there: nobody could tell what it was that waited.
 */
export async function noteWaiting(
  { clock, by }: Ports,
  {
    board,
    attempts,
    held,
    commit,
  }: {
    readonly board: BoardHost
    readonly attempts: readonly Attempt[]
    readonly held: HeldUnits
    readonly commit: string | undefined
  },
): Promise<void> {
  const entries = attempts.flatMap(({ unit: { id }, is }): Waiting[] => {
    const { stage, gates } = held.get(id) ?? { stage: '', gates: [] }
    if (is !== 'held' || gates.length === 0 || commit === undefined) return []
    const run = { id: 'terminal', attempt: 0 }
    return [{ unit: id, stage, commit, by, run, since: clock.now().toISOString(), gates }]
  })
  const begun = attempts.filter(({ is }) => is !== 'held' && is !== 'skipped').map(({ unit }) => unit.id)
  const { waiting } = await board.read()
  if (entries.length === 0 && !waiting.some(({ unit }) => begun.includes(unit))) return
  // Here a unit waits with what the folder has now, and with nothing older.
  const older = waiting.filter((each) => entries.some(({ unit }) => unit === each.unit) && each.commit !== commit)
  await board.change((newest) => {
    const rest = older.reduce((made, each) => withoutWaiting(made, [each.unit], each.commit), newest)
    return entries.reduce((made, entry) => withWaiting(made, entry), withoutWaiting(rest, begun))
  }, 'deployed from a terminal')
}
