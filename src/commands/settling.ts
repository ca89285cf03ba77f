/** Says for a run what a runner that was lost could not say itself. */
import type { Ports } from '../command.ts'
import type { Board, Waiting } from '../core/board.ts'
import { withWaiting } from '../core/board.ts'
import type { Run } from '../core/event.ts'
import { heldText, stoppedComment } from '../core/held.ts'
import type { StageJob, Wordless } from '../core/resume.ts'
import { jobOf, keyOf, lostBefore, lostWords, mostStarts, waitingLabel, wordless } from '../core/resume.ts'
import type { BoardHost, GitHost, StoredDeployment } from '../ports.ts'

export type Settling = {
  readonly github: GitHost
  readonly board: BoardHost
  readonly run: Run
  /** The service, or `environment` for what those of a stage share. */
  readonly service: string
  /** The environment of each stage. */
  readonly environments: ReadonlyMap<string, string>
  readonly jobs: readonly StageJob[]
  /** Labels the pull request, by which the catalog finds what waits. */
  readonly isLabelled: boolean
}

/** What became of a stage whose job was cut off. */
export type Settled = { readonly unit: string; readonly is: 'waits' | 'stopped' | 'refused'; readonly why: string }

/**
 * Tells of jobs that were cut off: the deployment is no longer under way, and what was lost is on the board to be started
 * again. What was stopped by somebody is not, nor what GitHub did not let begin. No request where all jobs have spoken.
 */
export async function settle(ports: Ports, settling: Settling): Promise<readonly Settled[]> {
  const silent = wordless(settling.jobs)
  if (silent.length === 0) return []
  const { github, run } = settling
  const [jobs, made] = await Promise.all([
    github.jobs(String(run.id)),
    github.deploymentsOf({ id: String(run.id), commit: run.commit }),
  ])
  const ends: Settled[] = []
  for (const each of silent) {
    const unit = unitOf(settling, each)
    const named = { unit, stage: each.stage, run: { id: String(run.id), attempt: run.attempt } }
    const job = jobOf(named, jobs)
    const deployment = made.find(({ key }) => key.startsWith(`${keyOf(named)} `))
    if (each.is === 'stopped') ends.push(await stopped(settling, { unit, deployment }))
    else if (job?.hasBegun === false) ends.push(await refused(settling, { unit, deployment }))
    else ends.push(await lost(ports, settling, { unit, stage: each.stage, deployment }))
  }
  return ends
}

function unitOf({ service, environments }: Settling, { stage }: Wordless): string {
  return service === 'environment' ? `environment/${environments.get(stage) ?? stage}` : `${service}/${stage}`
}

type Silent = { readonly unit: string; readonly deployment: StoredDeployment | undefined }

/** Whoever stopped it starts it again if he wants to: it is on the board no more. */
async function stopped(settling: Settling, silent: Silent): Promise<Settled> {
  const why = 'It was cancelled. To go on, run the job again.'
  await letGo(settling, silent, why)
  return { unit: silent.unit, is: 'stopped', why }
}

/** A reviewer has said no, or the branch may not deploy there. */
async function refused(settling: Settling, silent: Silent): Promise<Settled> {
  const why = 'GitHub did not let the job begin, by the rules of its environment.'
  await letGo(settling, silent, why)
  return { unit: silent.unit, is: 'refused', why }
}

async function letGo(settling: Settling, { unit, deployment }: Silent, why: string): Promise<void> {
  const { github, board, run, isLabelled } = settling
  if (deployment !== undefined && isOpen(deployment))
    await github.deploymentStatus(deployment.id, { state: 'error', description: why })
  // Another run of the same commit waits on.
  const isOwn = (each: Waiting): boolean =>
    each.unit === unit && each.commit === run.commit && each.run.id === String(run.id)
  // The comment comes before the board: what is still on that is told once more when its job is run again.
  const { pullRequest: pull } = (await board.read({ now: true })).waiting.find(isOwn) ?? {}
  if (pull !== undefined) {
    const body = stoppedComment({ unit, commit: run.commit, why })
    await github.comment({ pullRequest: pull, kind: 'waiting', subject: unit, body, onlyIfThere: true })
  }
  const { waiting } = await board.change(
    (newest) => ({ ...newest, waiting: newest.waiting.filter((each) => !isOwn(each)) }),
    `${unit}: ${why}`,
  )
  const other = waiting.find((each) => each.unit === unit && each.commit === run.commit)
  if (other !== undefined) await givenBack(settling, other)
  if (isLabelled && pull !== undefined && !waiting.some(({ pullRequest }) => pullRequest === pull))
    await github.label(pull, { name: waitingLabel, is: 'off' })
}

async function lost(
  { clock }: Ports,
  settling: Settling,
  { unit, stage, deployment }: Silent & { readonly stage: string },
): Promise<Settled> {
  const { github, board, run, isLabelled } = settling
  const why = lostWords(run.attempt)
  // What had ended well before the runner was lost stays so; its job is started again all the same, for the stages after it.
  if (deployment !== undefined && deployment.states[0]?.state !== 'success')
    await github.deploymentStatus(deployment.id, { state: 'error', description: why })
  const pull = await github.pullRequestOf(run.commit)
  const told = (deployment?.states ?? []).map(({ description }) => description)
  const now = clock.now().toISOString()
  let count = 1
  let before: Waiting | undefined
  const edit = (newest: Board): Board => {
    before = newest.waiting.find((each) => each.unit === unit && each.commit === run.commit)
    count = 1 + Math.max(lostBefore(told, run.attempt), lostIn(before, run.attempt))
    const rest =
      count > mostStarts
        ? ` It was started again ${mostStarts} times: look at the run, and run the job again.`
        : ' It is started again by itself.'
    return withWaiting(newest, {
      unit,
      stage,
      commit: run.commit,
      ...(pull !== undefined && { pullRequest: pull.number }),
      by: run.actor,
      run: { id: String(run.id), attempt: run.attempt },
      since: now,
      gates: [{ gate: 'order', is: 'held', why: `${why}${rest}`, since: now }],
      lost: count,
    })
  }
  await board.change(edit, `The runner of ${unit} was lost`)
  if (before !== undefined && before.run.id !== String(run.id)) await takenOn(settling, before)
  if (isLabelled && pull !== undefined) await github.label(pull.number, { name: waitingLabel, is: 'on' })
  return { unit, is: 'waits', why }
}

/** Another run of the same commit had it on the board: what becomes of it is said of this run's deployment from now on. */
async function takenOn({ github, run }: Settling, entry: Waiting): Promise<void> {
  const made = await github.deploymentsOf({ id: entry.run.id, commit: entry.commit })
  const deployment = made.find(({ key }) => key.startsWith(`${keyOf(entry)} `))
  if (deployment === undefined || !isOpen(deployment)) return
  await github.deploymentStatus(deployment.id, { state: 'inactive', description: `Run ${run.id} has taken it on` })
}

/** What this run had taken on, and is stopped before it was held, waits for the run that had it before. */
async function givenBack({ github }: Settling, entry: Waiting): Promise<void> {
  const made = await github.deploymentsOf({ id: entry.run.id, commit: entry.commit })
  const deployment = made.find(({ key }) => key.startsWith(`${keyOf(entry)} `))
  if (deployment?.states[0]?.state !== 'inactive') return
  await github.deploymentStatus(deployment.id, { state: 'queued', description: heldText(entry.gates) })
}

/** How often it was lost before this attempt, as the board has it. */
function lostIn(before: Waiting | undefined, attempt: number): number {
  const { lost = 0, run } = before ?? {}
  return run?.attempt === attempt ? Math.max(0, lost - 1) : lost
}

function isOpen({ states }: StoredDeployment): boolean {
  const newest = states[0]?.state
  return newest === undefined || ['queued', 'pending', 'waiting', 'in_progress'].includes(newest)
}
