/** What GitHub is told of what happens to a stage: a deployment, with its statuses from the beginning to the end. */
import type { Ports } from '../command.ts'
import type { Run } from '../core/event.ts'
import { hostUrl } from '../core/markdown.ts'
import type { Unit } from '../core/organisation.ts'
import { addressOf } from '../core/organisation.ts'
import { Refused } from '../core/problem.ts'
import { count, list } from '../core/report.ts'
import { withoutSecrets } from '../core/secret.ts'
import type { GitHost } from '../ports.ts'
import type { Attempt } from './deploying.ts'
import { madeOf } from './posting.ts'

/** The service of what is deployed in one go, or the environment. */
export function subjectOf([first]: readonly Unit[]): string {
  return first?.service?.service ?? first?.id ?? ''
}

/** Jobs of several services may share one folder of local stacks; each waits for its turn. */
export async function turn(ports: Ports, stacks: string): Promise<AsyncDisposable> {
  const until = ports.clock.now().getTime() + 10 * 60_000
  for (;;) {
    try {
      return await ports.exclusive(stacks)
    } catch (error) {
      const waits = error instanceof Refused && error.code === 'state-locked' && ports.clock.now().getTime() < until
      if (!waits || ports.signal.aborted) throw error
      await ports.clock.sleep(500, ports.signal)
    }
  }
}

/** What was seen of the health of what was deployed, where that was looked at. */
function healthText(attempts: readonly Attempt[]): string {
  const words = attempts.flatMap(({ proof }) => (proof === undefined ? [] : [proof.words]))
  return words.length === 0 ? '' : `; healthy: ${list(words)}`
}

type Announced = {
  /** The number of the deployment. */
  readonly id: number
  readonly during: (deploy: () => Promise<readonly Attempt[]>) => Promise<readonly Attempt[]>
}

/** A deployment as GitHub is to have it: one for each key, whatever the attempt. */
export type Announcement = {
  readonly github: GitHost
  readonly run: Run
  readonly own: readonly Unit[]
  readonly environment: string
  readonly isProduction: boolean
  /** By which the run finds it again. */
  readonly key: string
  /** What is live then. */
  readonly commit: string
  readonly description: string
}

/** The number of the deployment on GitHub, which is made if it is not there. */
export async function deploymentOf({
  github,
  run,
  environment,
  isProduction,
  key,
  commit,
  description,
}: Announcement): Promise<number> {
  return github.deployment({
    key,
    commit,
    environment,
    isProduction,
    description,
    ...(run.attempt === 1 && { isFirst: true }),
  })
}

/** The deployment on GitHub, and its statuses from the beginning to the end. */
export async function announced(ports: Ports, announcement: Announcement): Promise<Announced> {
  const { github, run, own } = announcement
  const { run: log } = madeOf(ports, { run, commit: run.commit })
  const id = await deploymentOf(announcement)
  const address = own.map(addressOf).find((host) => host !== undefined)
  const url = address === undefined ? undefined : hostUrl(address)
  const tell = async (state: 'in_progress' | 'success' | 'failure' | 'error', description: string): Promise<unknown> =>
    github.deploymentStatus(id, {
      state,
      description,
      ...(url !== undefined && { address: url }),
      ...(log !== undefined && { log }),
      ...(state === 'in_progress' && { isFirst: true }),
    })
  return {
    id,
    async during(deploy) {
      const ended = new AbortController()
      // What is over in a moment needs no word in between.
      const told = sleep(ports, ended.signal)
        .then(async (slept) => (slept ? tell('in_progress', `Attempt ${run.attempt}`) : undefined))
        // A word that does not get through shall not end what is being done. The last one is tried all the same, and told of.
        .catch(() => undefined)
      let attempts: readonly Attempt[]
      try {
        attempts = await deploy()
      } catch (error) {
        ended.abort()
        await told
        const why = error instanceof Refused ? withoutSecrets(error.message) : 'This is a bug in Protium: see the log.'
        // What ended it is what is to be told, also where GitHub does not listen.
        await tell('error', why).catch(() => undefined)
        throw error
      }
      ended.abort()
      await told
      const failed = attempts.find(({ is }) => is === 'failed')
      const cut = attempts.find(({ is }) => is === 'skipped' || is === 'held')
      if (failed !== undefined) await tell('failure', failed.why ?? 'It failed: see the log.')
      else if (cut !== undefined) await tell('error', cut.why ?? 'It was stopped; run the job again.')
      else
        await tell(
          'success',
          attempts.every(({ is }) => is === 'unchanged')
            ? 'Nothing had to change'
            : `${count(
                attempts.reduce((sum, { touched }) => sum + touched, 0),
                'resource',
              )} touched${healthText(attempts)}`,
        )
      return attempts
    },
  }
}

/** Whether some seconds went by before it was ended. */
async function sleep({ clock }: Ports, signal: AbortSignal): Promise<boolean> {
  try {
    await clock.sleep(5000, signal)
    return !signal.aborted
  } catch (error) {
    if (signal.aborted) return false
    throw error
  }
}

/**
 * What GitHub calls the place of a deployment. One service's deployment does not end that of another, so where a repository has
 * several each has environments of its own.
 */
export function environmentOf([first]: readonly Unit[], stage: string): string {
  if (first?.service === undefined) return first?.id ?? stage
  const { service, spec } = first.service
  return spec.document.file.startsWith('services/') ? `${service}/${stage}` : stage
}
