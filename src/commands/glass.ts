import type { Ports } from '../command.ts'
import type { Catalog } from '../core/catalog.ts'
import { line } from '../core/encode.ts'
import type { Gate, Glass } from '../core/gates.ts'
import type { BrokenGlass } from '../core/glass.ts'
import { glassComment } from '../core/glass.ts'
import { shorten } from '../core/markdown.ts'
import { Refused } from '../core/problem.ts'
import { withoutSecrets } from '../core/secret.ts'
import type { DeploymentRecord, GitHost, PullRequest } from '../ports.ts'
import { isOneOf, whoMay } from './authority.ts'
import { madeOf } from './posting.ts'

/** The reason stands in the record, in a comment and in a summary; more than this nobody reads there. */
const longestReason = 500

/**
 * The glass, broken by who runs this. Throws `Refused` (`glass-refused`) where he is none of those that the catalog names, and
 * where no reason is given; `github-permission` where the token may not see who is in a team.
 */
export async function brokenGlass(
  ports: Ports,
  { reason, catalog }: { readonly reason: string; readonly catalog: Catalog },
): Promise<Glass> {
  const why = shorten(withoutSecrets(reason.trim()), longestReason)
  if (why === '') {
    throw new Refused('glass-refused', 'The glass is not broken without a reason.', {
      remedy: 'Say in a sentence what the emergency is: `--break-glass "…"`. It is recorded, and shown to everybody.',
    })
  }
  const may = catalog.glass?.by
  if (may === undefined || !(await isOneOf(ports, may))) {
    throw new Refused('glass-refused', `${line(ports.by)} may not break the glass.`, {
      remedy: `${whoMay(may, 'glass')} Or wait: \`protium status\` says what for, and until when.`,
    })
  }
  return { by: ports.by, reason: why }
}

/** What a record keeps of it; nothing where every gate was open anyway, for then nothing was done without one. */
export function glassRecord(glass: Glass | undefined, gates: readonly Gate[]): Pick<DeploymentRecord, 'glass'> {
  const skipped = gates.filter(({ is }) => is === 'skipped').map(({ gate }) => gate)
  return glass === undefined || skipped.length === 0 ? {} : { glass: { ...glass, skipped } }
}

/**
 * Asks on the merged pull request for what has to follow. That it could not be asked is told, and ends nothing: the record and the
 * summary say it all the same.
 */
export async function askForFollowUp(
  ports: Ports,
  {
    github,
    pull,
    broken,
  }: { readonly github: GitHost; readonly pull: PullRequest | undefined; readonly broken: BrokenGlass },
): Promise<void> {
  if (pull === undefined || broken.skipped.length === 0) return
  const { run: log } = ports.run === undefined ? {} : madeOf(ports, { run: ports.run, commit: broken.commit })
  const body = glassComment(broken, log === undefined ? {} : { run: log })
  try {
    await github.comment({ pullRequest: pull.number, kind: 'glass', subject: broken.unit, body })
  } catch (error) {
    if (!(error instanceof Refused)) throw error
    ports.reporter.step('not told on the pull request', error.message)
  }
}
