import type { Turn } from '../../../ports.ts'
import { asked } from './batches.ts'
import type { FleetClient } from './client.ts'
import { at, Limited, Lost, textAt } from './client.ts'
import type { Part } from './queries.ts'
import { headQuery, mutation, parts } from './queries.ts'

/** One change of a document: what is done, and with what. */
export type Step = { readonly is: keyof typeof parts; readonly input: Readonly<Record<string, unknown>> }

/** How it ended. `stopped`: it was not sent, for GitHub takes no more. */
export type Ended =
  | { readonly is: 'ok'; readonly data: unknown }
  | { readonly is: 'failed'; readonly message: string }
  | { readonly is: 'lost' }
  | { readonly is: 'stopped' }

/** What GitHub calls a branch that is not there. */
export const noBranch = '0'.repeat(40)

/** Sends changes in one document, which is one request whatever it holds; says how each of them ended. */
export async function send(
  client: FleetClient,
  steps: readonly Step[],
  rejected: (seconds: number | undefined) => Turn,
): Promise<readonly Ended[]> {
  const made = steps.map(({ is }, index): Part => parts[is](index))
  const values = Object.fromEntries(steps.map(({ input }, index) => [made[index]?.alias ?? '', input]))
  for (;;) {
    await client.breath()
    try {
      const { data, errors } = await client.ask(mutation(made), values)
      return made.map(({ alias }): Ended => {
        const error = errors.find(({ path }) => path === alias || path.startsWith(`${alias}.`) || path === '')
        if (error !== undefined) return { is: 'failed', message: error.message }
        const found = at(data, alias)
        return found === undefined || found === null ? { is: 'lost' } : { is: 'ok', data: found }
      })
    } catch (error) {
      if (error instanceof Lost) return steps.map(() => ({ is: 'lost' }))
      if (!(error instanceof Limited)) throw error
      const turn = rejected(error.seconds)
      if (turn.is === 'stop') return steps.map(() => ({ is: 'stopped' }))
      if (turn.is === 'wait') await client.sleep(turn.milliseconds)
    }
  }
}

/** The commit that a branch is at; nothing where there is none. */
export async function headOf(
  client: FleetClient,
  { repository, branch }: { readonly repository: string; readonly branch: string },
): Promise<string | undefined> {
  const { data } = await asked(client, headQuery, { id: repository, branch: `refs/heads/${branch}` })
  return textAt(data, 'node', 'ref', 'target', 'oid')
}
