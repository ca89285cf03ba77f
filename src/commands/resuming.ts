/** Starts the jobs of promotions again that wait on the board of a repository and may go on now. */
import type { Ports } from '../command.ts'
import type { Board, Waiting } from '../core/board.ts'
import type { Problem } from '../core/problem.ts'
import { Refused } from '../core/problem.ts'
import { duration } from '../core/report.ts'
import {
  claimed,
  ended,
  inTurn,
  isAboutItsPlan,
  isBehind,
  jobOf,
  keyOf,
  mostStarts,
  standingOf,
  waitingLabel,
} from '../core/resume.ts'
import type { BoardHost, GitHost, WorkflowRun } from '../ports.ts'

/** A repository with its board. */
export type Place = { readonly repository: string; readonly github: GitHost; readonly board: BoardHost }

/** What became of a promotion that waits. `over`: it is not started again by itself. */
export type Resumed = {
  readonly repository: string
  readonly entry: Waiting
  readonly is: 'started' | 'waits' | 'over' | 'failed'
  /** A sentence. */
  readonly why: string
  readonly problem?: Problem
}

/**
 * Looks at every promotion that waits in a repository, and starts the jobs of those that may go on. One read if there are none. Of
 * a run one job at a time can be started; the others follow with the next resume. Where a newer commit of a unit goes on with a plan
 * that somebody has looked at, the older ones of the unit stay. What goes wrong with one does not hold up the others.
 */
export async function resumeIn(ports: Ports, place: Place): Promise<readonly Resumed[]> {
  const board = await place.board.read()
  const started = new Set<string>()
  const ahead: Waiting[] = []
  const ends: Resumed[] = []
  for (const entry of inTurn(board.waiting)) {
    const newer = ahead.find((each) => isBehind(entry, each))
    let mayGo = false
    const end = await attempted(entry, async () => {
      if (newer !== undefined) return waits(`${newer.commit.slice(0, 7)}, which is newer, goes first.`)
      const chance = await chanceOf(ports, { place, board, entry })
      mayGo = chance.is !== 'waits' || chance.isStarting
      if (chance.is === 'waits') return chance
      return started.has(entry.run.id) ? waits(whileItRuns) : start(ports, { place, entry, chance: chance.is })
    })
    if (end.is === 'started') started.add(entry.run.id)
    if (mayGo && isAboutItsPlan(entry) && (end.is === 'started' || end.is === 'waits')) ahead.push(entry)
    ends.push({
      repository: place.repository,
      entry,
      is: end.is,
      why: end.why,
      ...(end.problem && { problem: end.problem }),
    })
  }
  return ends.toSorted((a, b) => Date.parse(a.entry.since) - Date.parse(b.entry.since))
}

/**
 * Takes the label off pull requests of which nothing waits: a job that was cut off has left it there, and each would be looked
 * at for ever.
 */
export async function unlabel(
  { github, board }: Place,
  { pulls, waiting }: { readonly pulls: readonly number[]; readonly waiting: readonly Waiting[] },
): Promise<void> {
  const isIdle = (pull: number, all: readonly Waiting[]): boolean => !all.some((entry) => entry.pullRequest === pull)
  const idle = pulls.filter((pull) => isIdle(pull, waiting))
  if (idle.length === 0) return
  // Something may have been held since the board was read.
  const newest = await board.change((same) => same, 'looked at')
  for (const pull of idle.filter((each) => isIdle(each, newest.waiting)))
    await github.label(pull, { name: waitingLabel, is: 'off' })
}

type End = Pick<Resumed, 'is' | 'why' | 'problem'>

const whileItRuns = 'Its run is under way; its job is started when that is over.'

function waits(why: string): End & { readonly is: 'waits' } {
  return { is: 'waits', why }
}

/** What GitHub does not allow for one promotion is told, and the next one has its turn. */
async function attempted({ unit }: Waiting, run: () => Promise<End>): Promise<End> {
  try {
    return await run()
  } catch (error) {
    if (!(error instanceof Refused) || error.code === 'interrupted') throw error
    const { message, remedy } = error
    const problem: Problem = { code: 'resume-failed', severity: 'error', message: `${unit}: ${message}`, remedy }
    return { is: 'failed', why: message, problem }
  }
}

/** Whether a promotion may go on: `again` where it was started and nothing was heard of it. */
async function chanceOf(
  { clock }: Ports,
  { place, board, entry }: { readonly place: Place; readonly board: Board; readonly entry: Waiting },
): Promise<{ readonly is: 'due' | 'again' } | (End & { readonly is: 'waits'; readonly isStarting: boolean })> {
  const standing = standingOf(entry, { board, now: clock.now() })
  if (standing.is === 'unanswered') return { is: 'again' }
  if (standing.is === 'starting') return { ...waits('It was started again a moment ago.'), isStarting: true }
  const held = { ...waits(entry.gates.map(({ why }) => why).join(' ')), isStarting: false }
  if (standing.is === 'held') return held
  for (const { run } of standing.locks) {
    // The job that holds it may have died; GitHub knows.
    if (run !== undefined && (await place.github.run(run))?.isOver === false) return held
  }
  const { approvedSince: since } = standing
  if (since !== undefined && !(await isApproved(place, { entry, since }))) return held
  return { is: 'due' }
}

/** Whether somebody has approved the pull request since a moment. Whether he may is judged by the job. */
async function isApproved(
  { github }: Place,
  { entry, since }: { readonly entry: Waiting; readonly since: Date },
): Promise<boolean> {
  if (entry.pullRequest === undefined) return false
  const reviews = await github.reviews(entry.pullRequest)
  return reviews.some(({ is, at }) => is === 'approved' && Date.parse(at) > since.getTime())
}

type Starting = { readonly place: Place; readonly entry: Waiting; readonly chance: 'due' | 'again' }

/**
 * Notes on the board that the job is about to be started, and starts it. Of several that come at once one gets to note it; what was
 * noted and not done is done by the next that comes some minutes later.
 */
async function start(ports: Ports, { place, entry, chance }: Starting): Promise<End> {
  const { github, board } = place
  const { unit, run: of, started } = entry
  const now = ports.clock.now()
  const run = await github.run(of.id)
  if (run === undefined) return giveUp(place, entry, 'GitHub has its run no more.')
  if (!run.isOver) return waits(whileItRuns)
  const spent = spentOf(run, now)
  if (spent !== undefined) return giveUp(place, entry, spent)
  const isLost = chance === 'again' && started !== undefined && run.attempt > started.attempt
  if (isLost && (entry.lost ?? 0) >= mostStarts)
    return giveUp(place, entry, `It was started ${mostStarts} times more, and nothing was heard of it.`)
  const job = jobOf(entry, await github.jobs(of.id))
  if (job === undefined) return giveUp(place, entry, `Its run has no job of ${unit}.`)
  let isOurs = false
  await board.change((newest) => {
    const next = claimed(newest, entry, { at: now, attempt: run.attempt, isLost })
    isOurs = next !== undefined
    return next ?? newest
  }, `Start ${unit} again`)
  if (!isOurs) return waits('Somebody else looks after it at this moment.')
  const answer = await github.startAgain({ run: of.id, attempt: run.attempt, job: job.id })
  if (answer.is === 'running') return waits(whileItRuns)
  if (answer.is === 'refused') return giveUp(place, entry, `GitHub starts its run no more: ${answer.why}.`)
  return { is: 'started', why: `Waited ${duration(Math.max(0, now.getTime() - Date.parse(entry.since)))}.` }
}

const day = 86_400_000

/** https://docs.github.com/en/actions/how-tos/manage-workflow-runs/re-run-workflows-and-jobs */
const mostDays = 30
const mostAttempts = 50

/** Why GitHub starts nothing of a run again, if it does not. */
function spentOf({ created, attempt }: WorkflowRun, now: Date): string | undefined {
  if (now.getTime() - Date.parse(created) > mostDays * day)
    return `Its run is older than ${mostDays} days: GitHub starts it no more.`
  if (attempt > mostAttempts) return `Its run was started again ${mostAttempts} times: GitHub starts it no more.`
  return undefined
}

/** Says where people look that a promotion is not started again by itself, and leaves it on the board with that reason. */
async function giveUp({ github, board }: Place, entry: Waiting, what: string): Promise<End> {
  const { unit, commit, run } = entry
  const why = `${what} ${remedy}`
  const made = await github.deploymentsOf({ id: run.id, commit })
  const own = made.find(({ key }) => key.startsWith(`${keyOf(entry)} `))
  if (own !== undefined) await github.deploymentStatus(own.id, { state: 'error', description: why })
  await board.change((newest) => ended(newest, entry, why) ?? newest, `Leave ${unit} to a new commit`)
  const problem: Problem = {
    code: 'run-over',
    severity: 'warning',
    message: `${unit} waits since ${entry.since.slice(0, 10)} and cannot be started again. ${what}`,
    remedy: `${remedy} An empty one does: it goes through the stages again.`,
  }
  return { is: 'over', why, problem }
}

const remedy = 'Merge a new commit.'
