import type { Ports } from '../command.ts'
import type { Waiting } from '../core/board.ts'
import { covers, withoutWaiting } from '../core/board.ts'
import { cancelledComment } from '../core/held.ts'
import { shorten } from '../core/markdown.ts'
import { Refused } from '../core/problem.ts'
import { keyOf, waitingLabel } from '../core/resume.ts'
import { withoutSecrets } from '../core/secret.ts'
import type { BoardHost, GitHost } from '../ports.ts'

/**
 * Takes off the board what waits of these units, so that nobody starts it again. At GitHub its deployment and its comment say so
 * first: if this is cut off, the next run finds the promotion where it was, and does what is left.
 */
export async function takeBack(
  ports: Ports,
  { board, names, reason }: { readonly board: BoardHost; readonly names: readonly string[]; readonly reason: string },
): Promise<readonly Waiting[]> {
  const { waiting } = await board.change((each) => each, 'look')
  const meant = waiting.filter(({ unit }) => names.some((name) => covers(name, unit)))
  if (meant.length === 0) return []
  const github = await ports.github?.()
  const why = shorten(withoutSecrets(reason.trim()), longestReason)
  for (const entry of meant) if (github !== undefined) await tell(ports, { github, entry, why })
  const units = [...new Set(meant.map(({ unit }) => unit))]
  const after = await board.change(
    (each) => meant.reduce((left, { unit, commit }) => withoutWaiting(left, [unit], commit), each),
    `${units.join(', ')}: cancelled by ${ports.by}`,
  )
  const pulls = new Set(meant.flatMap(({ pullRequest }) => pullRequest ?? []))
  for (const { pullRequest } of after.waiting) if (pullRequest !== undefined) pulls.delete(pullRequest)
  for (const number of pulls) {
    if (github !== undefined) await quietly(ports, async () => github.label(number, { name: waitingLabel, is: 'off' }))
  }
  return meant
}

const longestReason = 300

async function tell(
  ports: Ports,
  { github, entry, why }: { readonly github: GitHost; readonly entry: Waiting; readonly why: string },
): Promise<void> {
  const { unit, commit, run, pullRequest } = entry
  const made = await github.deploymentsOf({ id: run.id, commit })
  const deployment = made.find(({ key }) => key.startsWith(`${keyOf(entry)} `))
  const description = `Cancelled by ${ports.by}${why === '' ? '' : `: ${why}`}`
  if (deployment !== undefined && deployment.states[0]?.state !== 'inactive')
    await github.deploymentStatus(deployment.id, { state: 'inactive', description })
  if (pullRequest === undefined) return
  const body = cancelledComment({ unit, commit, by: ports.by, why })
  await quietly(ports, async () =>
    github.comment({ pullRequest, kind: 'waiting', subject: unit, body, onlyIfThere: true }),
  )
}

/** What cannot be told on the pull request is in the log all the same. */
async function quietly(ports: Ports, telling: () => Promise<unknown>): Promise<void> {
  try {
    await telling()
  } catch (error) {
    if (!(error instanceof Refused) || error.code === 'interrupted') throw error
    ports.reporter.step('not told on the pull request', error.message)
  }
}
