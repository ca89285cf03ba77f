import { immovable } from '../../../core/upgrade/decide.ts'
import type { FleetWrite } from '../../../core/upgrade/seen.ts'
import type { Turn } from '../../../ports.ts'
import type { Refusal } from './classify.ts'
import { refusalFor } from './classify.ts'
import type { FleetClient } from './client.ts'
import { Failed, Limited, Lost, textAt } from './client.ts'

type Content = Extract<FleetWrite, { readonly is: 'open' | 'forward' }>

export type Committed =
  | { readonly is: 'committed'; readonly commit: string }
  | Refusal
  | { readonly is: 'left'; readonly why: string }
  | { readonly is: 'stop' }

/** GitHub takes a tree in parts; of more than this it may give up. */
const mostEntries = 100

/**
 * A commit with these files upon the main branch, which no branch has yet: nothing that anybody would see, if it is left at that. GitHub
 * signs what an App makes without an author.
 */
export async function commitOf(
  client: FleetClient,
  { repository, base, files, executable = [], deleted, message }: Content,
  rejected: (seconds: number | undefined) => Turn,
): Promise<Committed> {
  const runs = new Set(executable)
  const entries = [
    ...[...files].map(([path, content]) => ({
      path,
      mode: runs.has(path) ? '100755' : '100644',
      type: 'blob',
      content,
    })),
    ...deleted.map((path) => ({ path, mode: '100644', type: 'blob', sha: null })),
  ]
  let tree = base.tree
  for (let start = 0; start < entries.length; start += mostEntries) {
    const part = { base_tree: tree, tree: entries.slice(start, start + mostEntries) }
    const made = await post(client, { route: `/repos/${repository.name}/git/trees`, parameters: part, rejected })
    if (made.is !== 'made') return made
    tree = made.sha
  }
  // A pull request that changes nothing would be closed by GitHub, and could not be opened again.
  if (tree === base.tree) return refusalFor('The files are there already, just as they are to be.')
  const parameters = { message, tree, parents: [base.commit] }
  const made = await post(client, { route: `/repos/${repository.name}/git/commits`, parameters, rejected })
  if (made.is !== 'made') return made
  const fault = immovable({ commit: made.sha, tree, parents: parameters.parents }, base)
  return fault === undefined ? { is: 'committed', commit: made.sha } : refusalFor(fault)
}

type Posting = {
  readonly route: string
  readonly parameters: Readonly<Record<string, unknown>>
  readonly rejected: (seconds: number | undefined) => Turn
}

const mostTries = 3

/** What is made twice here is the same, or nothing that is seen; so what is lost is made again. */
async function post(
  client: FleetClient,
  { route, parameters, rejected }: Posting,
): Promise<{ readonly is: 'made'; readonly sha: string } | Exclude<Committed, { readonly is: 'committed' }>> {
  let tries = 0
  for (;;) {
    await client.breath()
    try {
      const sha = textAt(await client.rest(`POST ${route}`, parameters), 'sha')
      return sha === undefined ? refusalFor('GitHub did not say what it has made.') : { is: 'made', sha }
    } catch (error) {
      if (error instanceof Limited) {
        const turn = rejected(error.seconds)
        if (turn.is === 'stop') return { is: 'stop' }
        if (turn.is === 'wait') await client.sleep(turn.milliseconds)
      } else if (error instanceof Lost) {
        tries += 1
        if (tries >= mostTries) return { is: 'left', why: `GitHub did not answer: ${error.message}` }
        await client.sleep(1000 * 2 ** tries)
      } else if (error instanceof Failed) return refusalFor(error.message, error.status)
      else throw error
    }
  }
}
