import { changeRun, runOf, runView } from './actions.ts'
import { addDeployment, addStatus } from './deployments.ts'
import { addEnvironment, environmentOf, mayDeploy } from './environments.ts'
import { emitRun } from './events.ts'
import { actionsApp } from './identity.ts'
import {
  type Environment,
  fullNameOf,
  type Job,
  nextNumber,
  type Permissions,
  type Repository,
  type WorkflowRun,
} from './state.ts'
import { type Answer, type Call, Failure, type Handler, idIn, now, repositoryIn, type World } from './world.ts'

/** Starting jobs again by request. */
export const jobsHandlers: Readonly<Record<string, Handler>> = { 'actions/re-run-job-for-workflow-run': rerun }

export type RunWanted = {
  /** Such as `acme/catalog`. */
  readonly repository: string
  /** The path of the workflow's file. */
  readonly workflow: string
  /** What is shown for it; by default the file's name. */
  readonly name?: string
  readonly event: string
  readonly branch: string
  readonly sha: string
  readonly actor: string
  readonly pulls?: readonly number[]
  /** The fork that a pull request comes from. */
  readonly headRepository?: string
}

export async function beginRun(world: World, repository: Repository, wanted: RunWanted): Promise<WorkflowRun> {
  const run: WorkflowRun = {
    id: 1_000_000 + nextNumber(world.state, 'run'),
    number: nextNumber(world.state, `run of ${fullNameOf(repository)} ${wanted.workflow}`),
    attempt: 1,
    workflow: wanted.workflow,
    name: wanted.name ?? wanted.workflow.replace(/^.*\//, '').replace(/\.ya?ml$/, ''),
    event: wanted.event,
    branch: wanted.branch,
    sha: wanted.sha,
    actor: wanted.actor,
    headRepository: wanted.headRepository ?? fullNameOf(repository),
    pulls: wanted.pulls ?? [],
    createdAt: now(world),
    updatedAt: now(world),
    status: 'in_progress',
    conclusion: null,
    jobs: [],
    approvals: [],
  }
  repository.runs.push(run)
  await emitRun(world, { action: 'requested', repository, run, view: await runView(world, repository, run) })
  return run
}

export async function endRun(world: World, repository: Repository, id: number, conclusion: string): Promise<void> {
  const run = changeRun(world, repository, id, () => ({ status: 'completed', conclusion }))
  await emitRun(world, { action: 'completed', repository, run, view: await runView(world, repository, run) })
}

export type JobWanted = {
  readonly repository: string
  readonly run: number
  readonly name: string
  readonly permissions: Permissions
  /** The names of the jobs that it comes after: they take it along when they are started again. */
  readonly needs?: readonly string[]
  readonly environment?: string
  /** `deployment: false`: the rules of the environment hold the job, and it makes no deployment. */
  readonly deployment?: false
  /** The ref that the job runs for, if it is not the branch of the run: `refs/tags/v1`. */
  readonly ref?: string
  /**
   * The workflow that the job stands in, if another one than that of the run calls it, for its identity:
   * `acme/catalog/.github/workflows/stages.yml@refs/heads/main`.
   */
  readonly workflow?: string
  /** Gives up waiting at the gate. */
  readonly signal?: AbortSignal
}

export type JobStart =
  | { readonly is: 'started'; readonly job: number; readonly permissions: Permissions }
  /** A reviewer said no, or the branch may not deploy there. */
  | { readonly is: 'refused'; readonly job: number; readonly reason: string }

/**
 * Starts a job, after it has passed the gate of its environment: the branch may deploy there, a reviewer has approved, the
 * wait timer has run out. An environment that nobody made before is made, without any rule, as GitHub does.
 */
export async function beginJob(world: World, repository: Repository, wanted: JobWanted): Promise<JobStart> {
  const run = runOf(repository, wanted.run)
  const environment =
    wanted.environment === undefined
      ? undefined
      : (environmentOf(repository, wanted.environment) ?? addEnvironment(world, repository, wanted.environment))
  const ref = wanted.ref ?? `refs/heads/${run.branch}`
  const deployment =
    environment === undefined || wanted.deployment === false
      ? undefined
      : addDeployment(world, repository, {
          sha: run.sha,
          ref: ref.replace(/^refs\/(heads|tags)\//, ''),
          task: 'deploy',
          environment: environment.name,
          description: null,
          payload: {},
          creator: `${actionsApp.slug}[bot]`,
          transient: false,
          production: environment.name === 'production',
        }).id
  // A job that was started again has its id already.
  const queued = run.jobs.find(({ name, status }) => name === wanted.name && status === 'queued')
  const job: Job = {
    id: queued?.id ?? newJobId(world),
    name: wanted.name,
    attempt: run.attempt,
    needs: wanted.needs ?? queued?.needs ?? [],
    status: environment === undefined ? 'in_progress' : 'waiting',
    conclusion: null,
    ...(environment === undefined ? {} : { environment: environment.name }),
    ...(deployment === undefined ? {} : { deployment }),
    createdAt: now(world),
    startedAt: null,
    completedAt: null,
  }
  changeRun(world, repository, run.id, (before) => ({
    jobs: [...before.jobs.filter(({ id }) => id !== job.id), job],
    status: 'in_progress',
  }))

  const passed =
    environment === undefined
      ? 'open'
      : await passGate(world, repository, { run: run.id, job, environment, ref, signal: wanted.signal })
  if (passed !== 'open') {
    finishJob(world, repository, { run: run.id, job: job.id, conclusion: 'failure' })
    return { is: 'refused', job: job.id, reason: passed }
  }
  changeJob(world, repository, { run: run.id, job: job.id }, () => ({ status: 'in_progress', startedAt: now(world) }))
  tellDeployment(world, repository, { deployment, state: 'in_progress', run: run.id, job: job.id })
  const isForked = run.event === 'pull_request' && run.headRepository !== fullNameOf(repository)
  return { is: 'started', job: job.id, permissions: isForked ? readOnly(wanted.permissions) : wanted.permissions }
}

/** What a job of a fork's pull request gets of what it declares. */
export function readOnly(permissions: Permissions): Permissions {
  return Object.fromEntries(
    Object.entries(permissions).map(([name, access]) => [
      name,
      name === 'id-token' || access === 'none' ? 'none' : 'read',
    ]),
  )
}

export type JobEnd = {
  readonly run: number
  readonly job: number
  readonly conclusion: 'success' | 'failure' | 'cancelled'
}

export function finishJob(world: World, repository: Repository, { run, job, conclusion }: JobEnd): void {
  const ended = changeJob(world, repository, { run, job }, () => ({
    status: 'completed',
    conclusion,
    completedAt: now(world),
  }))
  const state = conclusion === 'success' ? 'success' : 'failure'
  tellDeployment(world, repository, { deployment: ended?.deployment, state, run, job })
}

function newJobId(world: World): number {
  return 5_000_000 + nextNumber(world.state, 'job')
}

/** GitHub starts nothing again of a run that is older. */
const rerunnable = 30 * 86_400_000

/** Nor one that was started again so often. */
const mostReruns = 50

/**
 * Starts a job again, and with it the jobs that come after it: a new attempt of the run, in which the others are as they were.
 * https://docs.github.com/en/actions/how-tos/manage-workflow-runs/re-run-workflows-and-jobs
 */
async function rerun(world: World, call: Call): Promise<Answer> {
  const repository = repositoryIn(world, call)
  const id = idIn(call, 'job_id')
  const run = repository.runs.find(({ jobs }) => jobs.some((job) => job.id === id))
  const job = run?.jobs.find((each) => each.id === id)
  if (run === undefined || job === undefined) throw new Failure(404, 'Not Found')
  if (run.status !== 'completed') throw new Failure(403, 'The workflow run containing this job is already running')
  if (world.clock.now().getTime() - Date.parse(run.createdAt) > rerunnable)
    throw new Failure(403, 'Unable to retry this workflow run because it was created over a month ago')
  if (run.attempt > mostReruns)
    throw new Failure(403, 'Unable to retry this workflow run because it was retried too often')
  if (job.attempt !== run.attempt) throw new Failure(403, 'Only jobs of the latest attempt can be run again')
  const latest = run.jobs.filter(({ attempt }) => attempt === run.attempt)
  const again = withDependents(job.name, latest)
  const attempt = run.attempt + 1
  const next = latest.map((each): Job => {
    const fresh = { ...each, id: newJobId(world), attempt }
    if (each.name === job.name ? each.id !== job.id : !again.has(each.name)) return fresh
    const { deployment: _deployment, ...bare } = fresh
    return { ...bare, status: 'queued', conclusion: null, createdAt: now(world), startedAt: null, completedAt: null }
  })
  const changed = changeRun(world, repository, run.id, ({ jobs }) => ({
    attempt,
    status: 'queued',
    conclusion: null,
    jobs: [...jobs, ...next],
  }))
  await emitRun(world, {
    action: 'requested',
    repository,
    run: changed,
    view: await runView(world, repository, changed),
  })
  return { status: 201, body: {} }
}

function withDependents(name: string, jobs: readonly Job[]): ReadonlySet<string> {
  const found = new Set([name])
  for (const each of found) for (const job of jobs) if (job.needs.includes(each)) found.add(job.name)
  return found
}

function changeJob(
  world: World,
  repository: Repository,
  { run, job }: { readonly run: number; readonly job: number },
  change: (job: Job) => Partial<Job>,
): Job | undefined {
  const changed = changeRun(world, repository, run, (before) => {
    const jobs = before.jobs.map((each) => (each.id === job ? { ...each, ...change(each) } : each))
    return { jobs, status: jobs.some(({ status }) => status === 'waiting') ? 'waiting' : 'in_progress' }
  })
  return changed.jobs.find(({ id }) => id === job)
}

function tellDeployment(
  world: World,
  repository: Repository,
  {
    deployment: id,
    state,
    run,
    job,
  }: { readonly deployment: number | undefined; readonly state: string; readonly run: number; readonly job: number },
): void {
  const deployment = repository.deployments.find((each) => each.id === id)
  if (deployment === undefined) return
  addStatus(
    world,
    { repository, deployment },
    {
      state,
      description: '',
      environment: deployment.environment,
      environmentUrl: '',
      logUrl: `${world.url}/${fullNameOf(repository)}/actions/runs/${run}/job/${job}`,
      creator: `${actionsApp.slug}[bot]`,
      inactivates: true,
    },
  )
}

type Gate = {
  readonly run: number
  readonly job: Job
  readonly environment: Environment
  readonly ref: string
  readonly signal: AbortSignal | undefined
}

/** `open`, or why it never will be. */
async function passGate(world: World, repository: Repository, gate: Gate): Promise<string> {
  const name = gate.environment.name
  if (!mayDeploy(repository, gate.environment, gate.ref)) {
    const branch = gate.ref.replace(/^refs\/(heads|tags)\//, '')
    return `Branch "${branch}" is not allowed to deploy to ${name} due to environment protection rules.`
  }
  changeRun(world, repository, gate.run, () => ({ status: 'waiting' }))
  world.held.forEach((look) => look())
  for (;;) {
    const { approvals } = runOf(repository, gate.run)
    const environment = environmentOf(repository, name) ?? gate.environment
    const verdicts = approvals.filter(({ jobs }) => jobs.includes(gate.job.id))
    const rejected = verdicts.find(({ state }) => state === 'rejected')
    if (rejected !== undefined) return `${rejected.by} rejected the deployment to ${name}: ${rejected.comment}`
    const isApproved = environment.reviewers.length === 0 || verdicts.some(({ state }) => state === 'approved')
    const rest = Date.parse(gate.job.createdAt) + environment.waitTimer * 60_000 - world.clock.now().getTime()
    if (isApproved && rest <= 0) return 'open'
    await somethingHappens(world, rest > 0 ? rest : undefined, gate.signal)
  }
}

/** Until a review came, or the time is over. */
function somethingHappens(
  world: World,
  milliseconds: number | undefined,
  signal: AbortSignal | undefined,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const cut = new AbortController()
    const look = (): void => end(resolve)
    const giveUp = (): void =>
      end(() => reject(new Error('The job no longer waits for its environment', { cause: signal?.reason })))
    function end(then: () => void): void {
      world.gates.delete(look)
      signal?.removeEventListener('abort', giveUp)
      then()
      cut.abort()
    }
    world.gates.add(look)
    if (signal?.aborted === true) giveUp()
    signal?.addEventListener('abort', giveUp)
    if (milliseconds !== undefined) world.clock.sleep(milliseconds, cut.signal).then(look, () => undefined)
  })
}
