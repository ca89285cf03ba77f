import { deploymentView } from './deployments.ts'
import { environmentBrief, environmentOf, isReviewer, reviewersView } from './environments.ts'
import { emitDispatch, emitRepositoryDispatch, pushedCommit, repositoryView } from './events.ts'
import { isMap, type JsonMap, listAt, mapAt, text, textAt } from './json.ts'
import { refSha } from './objects.ts'
import {
  type Artifact,
  type Environment,
  findRepository,
  fullNameOf,
  type Job,
  type Repository,
  replace,
  type WorkflowRun,
} from './state.ts'
import {
  type Answer,
  type Call,
  counted,
  Failure,
  type Handler,
  idIn,
  nodeId,
  now,
  repositoryIn,
  userOf,
  type World,
} from './world.ts'

/** Runs, their jobs and artifacts, the gates that they wait at, and what starts them by request. */
export const actionsHandlers: Readonly<Record<string, Handler>> = {
  'actions/create-workflow-dispatch': dispatch,
  'actions/download-artifact': download,
  'actions/get-artifact': (world, call) => {
    const { repository, artifact } = artifactIn(world, call)
    return { status: 200, body: artifactView(world, repository, artifact) }
  },
  'actions/get-pending-deployments-for-run': (world, call) => {
    const { repository, run } = runIn(world, call)
    const pending = waitingEnvironments(repository, run)
    return {
      status: 200,
      body: pending.map(({ environment, job }) => pendingView(world, call, { repository, environment, job })),
    }
  },
  'actions/get-reviews-for-run': (world, call) => {
    const { repository, run } = runIn(world, call)
    return { status: 200, body: run.approvals.map((approval) => approvalView(world, repository, approval)) }
  },
  'actions/get-workflow-run': async (world, call) => {
    const { repository, run } = runIn(world, call)
    return { status: 200, body: await runView(world, repository, run) }
  },
  'actions/list-jobs-for-workflow-run': (world, call) => {
    const { repository, run } = runIn(world, call)
    const isAll = call.query.get('filter') === 'all'
    const jobs = run.jobs.filter(({ attempt }) => isAll || attempt === run.attempt)
    return counted(
      world,
      call,
      'jobs',
      jobs.map((job) => jobView(world, { repository, run }, job)),
    )
  },
  'actions/list-artifacts-for-repo': (world, call) => {
    const repository = repositoryIn(world, call)
    const name = call.query.get('name')
    const found = repository.artifacts.filter((each) => name === null || each.name === name).toReversed()
    return counted(
      world,
      call,
      'artifacts',
      found.map((artifact) => artifactView(world, repository, artifact)),
    )
  },
  'actions/list-workflow-run-artifacts': (world, call) => {
    const { repository, run } = runIn(world, call)
    const name = call.query.get('name')
    const found = repository.artifacts.filter((each) => each.run === run.id && (name === null || each.name === name))
    return counted(
      world,
      call,
      'artifacts',
      found.map((artifact) => artifactView(world, repository, artifact)),
    )
  },
  'actions/list-workflow-runs': listRuns,
  'actions/list-workflow-runs-for-repo': listRuns,
  'actions/review-pending-deployments-for-run': review,
  'repos/create-dispatch-event': async (world, call) => {
    await emitRepositoryDispatch(world, {
      repository: repositoryIn(world, call),
      identity: call.identity,
      type: text(call.body, 'event_type'),
      payload: mapAt(call.body, 'client_payload'),
    })
    return { status: 204 }
  },
}

type Found = { readonly repository: Repository; readonly run: WorkflowRun }

function runIn(world: World, call: Call): Found {
  const repository = repositoryIn(world, call)
  return { repository, run: runOf(repository, idIn(call, 'run_id')) }
}

export function runOf(repository: Repository, id: number): WorkflowRun {
  const run = repository.runs.find((each) => each.id === id)
  if (run === undefined) throw new Failure(404, 'Not Found')
  return run
}

/** Changes a run, and returns it as it is now. */
export function changeRun(
  world: World,
  repository: Repository,
  id: number,
  change: (run: WorkflowRun) => Partial<WorkflowRun>,
): WorkflowRun {
  const run = runOf(repository, id)
  const changed = { ...run, ...change(run), updatedAt: now(world) }
  replace(repository.runs, run, changed)
  return changed
}

async function dispatch(world: World, call: Call): Promise<Answer> {
  const repository = repositoryIn(world, call)
  const ref = text(call.body, 'ref')
  const name = ref.replace(/^refs\/(heads|tags)\//, '')
  const exists =
    (await refSha(world, repository, `refs/heads/${name}`)) ?? (await refSha(world, repository, `refs/tags/${name}`))
  if (exists === undefined) throw new Failure(422, `No ref found for: ${ref}`)
  await emitDispatch(world, {
    repository,
    identity: call.identity,
    workflow: `.github/workflows/${(call.parameters['workflow_id'] ?? '').replace(/^\.github\/workflows\//, '')}`,
    ref,
    inputs: mapAt(call.body, 'inputs'),
  })
  return { status: 204 }
}

async function listRuns(world: World, call: Call): Promise<Answer> {
  const repository = repositoryIn(world, call)
  const { query } = call
  const workflow = call.parameters['workflow_id']
  const wanted = (key: string, value: string | null) => query.get(key) === null || query.get(key) === value
  const runs = repository.runs
    .filter(
      (run) =>
        workflow === undefined || run.workflow.split('/').at(-1) === workflow || String(workflowId(run)) === workflow,
    )
    .filter((run) => wanted('branch', run.branch) && wanted('event', run.event) && wanted('head_sha', run.sha))
    .filter((run) => wanted('actor', run.actor))
    .filter((run) => wanted('status', run.status) || wanted('status', run.conclusion))
    .toReversed()
  const views: JsonMap[] = []
  for (const run of runs) views.push(await runView(world, repository, run))
  return counted(world, call, 'workflow_runs', views)
}

/** One number for each workflow file, the same in every run. */
function workflowId({ workflow }: WorkflowRun): number {
  return [...workflow].reduce((sum, character) => (sum * 31 + (character.codePointAt(0) ?? 0)) % 1_000_003, 7)
}

export async function runView(world: World, repository: Repository, run: WorkflowRun): Promise<JsonMap> {
  const home = `${world.url}/repos/${fullNameOf(repository)}`
  const url = `${home}/actions/runs/${run.id}`
  const head = findRepository(world.state, run.headRepository)
  const commit = await pushedCommit(world, head ?? repository, run.sha)
  const { id, tree_id: tree, message, timestamp, author, committer } = isMap(commit) ? commit : {}
  return {
    id: run.id,
    name: run.name,
    node_id: nodeId('WFR', run.id),
    check_suite_id: run.id,
    check_suite_node_id: nodeId('CS', run.id),
    head_branch: run.branch,
    head_sha: run.sha,
    path: run.workflow,
    display_title: run.name,
    run_number: run.number,
    run_attempt: run.attempt,
    event: run.event,
    status: run.status,
    conclusion: run.conclusion,
    workflow_id: workflowId(run),
    url,
    html_url: `${world.url}/${fullNameOf(repository)}/actions/runs/${run.id}`,
    // For a fork the list is empty on GitHub: whoever needs the pull request has to look for it.
    pull_requests: head === repository ? run.pulls.map((number) => pullBrief(world, repository, number)) : [],
    created_at: run.createdAt,
    updated_at: run.updatedAt,
    run_started_at: run.createdAt,
    actor: userOf(world, run.actor),
    triggering_actor: userOf(world, run.actor),
    previous_attempt_url: null,
    jobs_url: `${url}/jobs`,
    logs_url: `${url}/logs`,
    check_suite_url: `${home}/check-suites/${run.id}`,
    artifacts_url: `${url}/artifacts`,
    cancel_url: `${url}/cancel`,
    rerun_url: `${url}/rerun`,
    workflow_url: `${home}/actions/workflows/${workflowId(run)}`,
    referenced_workflows: [],
    head_commit: { id, tree_id: tree, message, timestamp, author, committer },
    repository: await repositoryView(world, repository),
    head_repository: head === undefined ? null : await repositoryView(world, head),
  }
}

function pullBrief(world: World, repository: Repository, number: number): JsonMap {
  const pull = repository.pulls[number]
  const brief = (full: string, ref: string | undefined, sha: string | undefined): JsonMap => ({
    ref,
    sha,
    repo: { id: findRepository(world.state, full)?.id, url: `${world.url}/repos/${full}`, name: full.split('/')[1] },
  })
  return {
    id: number,
    number,
    url: `${world.url}/repos/${fullNameOf(repository)}/pulls/${number}`,
    head: brief(pull?.head.repository ?? fullNameOf(repository), pull?.head.branch, pull?.headSha),
    base: brief(fullNameOf(repository), pull?.base, pull?.baseSha),
  }
}

function jobView(world: World, { repository, run }: Found, job: Job): JsonMap {
  const home = `${world.url}/repos/${fullNameOf(repository)}`
  return {
    id: job.id,
    run_id: run.id,
    run_url: `${home}/actions/runs/${run.id}`,
    run_attempt: job.attempt,
    node_id: nodeId('JOB', job.id),
    head_sha: run.sha,
    url: `${home}/actions/jobs/${job.id}`,
    html_url: `${world.url}/${fullNameOf(repository)}/actions/runs/${run.id}/job/${job.id}`,
    status: job.status,
    conclusion: job.conclusion,
    created_at: job.createdAt,
    started_at: job.startedAt ?? job.createdAt,
    completed_at: job.completedAt,
    name: job.name,
    steps: [],
    check_run_url: `${home}/check-runs/${job.id}`,
    labels: ['ubuntu-latest'],
    runner_id: job.startedAt === null ? null : 1,
    runner_name: job.startedAt === null ? null : 'local',
    runner_group_id: null,
    runner_group_name: null,
    workflow_name: run.name,
    head_branch: run.branch,
  }
}

function artifactIn(world: World, call: Call): { readonly repository: Repository; readonly artifact: Artifact } {
  const repository = repositoryIn(world, call)
  const artifact = repository.artifacts.find(({ id }) => id === idIn(call, 'artifact_id'))
  if (artifact === undefined) throw new Failure(404, 'Not Found')
  return { repository, artifact }
}

/** GitHub answers with an address that is good for a minute, on another host and for anybody. */
function download(world: World, call: Call): Answer {
  const { repository, artifact } = artifactIn(world, call)
  if (call.parameters['archive_format'] !== 'zip') throw new Failure(404, 'Not Found')
  const location = `${world.url}/_artifacts/${repository.id}/${artifact.id}.zip`
  return { status: 302, headers: { location } }
}

/** What is at the address that a download is sent to. */
export function artifactBytes(world: World, path: string): Buffer | undefined {
  const found = /^\/_artifacts\/(\d+)\/(\d+)\.zip$/.exec(path)
  if (found === null) return undefined
  const repository = Object.values(world.state.repositories).find(({ id }) => id === Number(found[1]))
  const artifact = repository?.artifacts.find(({ id }) => id === Number(found[2]))
  return artifact === undefined ? undefined : Buffer.from(artifact.zip, 'base64')
}

function artifactView(world: World, repository: Repository, artifact: Artifact): JsonMap {
  const url = `${world.url}/repos/${fullNameOf(repository)}/actions/artifacts/${artifact.id}`
  const run = runOf(repository, artifact.run)
  return {
    id: artifact.id,
    node_id: nodeId('ART', artifact.id),
    name: artifact.name,
    size_in_bytes: Buffer.from(artifact.zip, 'base64').length,
    url,
    archive_download_url: `${url}/zip`,
    expired: false,
    created_at: artifact.createdAt,
    updated_at: artifact.createdAt,
    expires_at: new Date(Date.parse(artifact.createdAt) + 90 * 86_400_000).toISOString(),
    workflow_run: {
      id: run.id,
      repository_id: repository.id,
      head_repository_id: findRepository(world.state, run.headRepository)?.id ?? repository.id,
      head_branch: run.branch,
      head_sha: run.sha,
    },
  }
}

type Waiting = { readonly environment: Environment; readonly job: Job }

export function waitingEnvironments(repository: Repository, run: WorkflowRun): readonly Waiting[] {
  return run.jobs.flatMap((job) => {
    const environment = job.environment === undefined ? undefined : environmentOf(repository, job.environment)
    return job.status === 'waiting' && environment !== undefined ? [{ environment, job }] : []
  })
}

function pendingView(
  world: World,
  call: Call,
  { repository, environment, job }: Waiting & { readonly repository: Repository },
): JsonMap {
  const login = call.identity.is === 'user' ? call.identity.login : ''
  return {
    environment: environmentBrief(world, repository, environment),
    wait_timer: environment.waitTimer,
    wait_timer_started_at: environment.waitTimer > 0 ? job.createdAt : null,
    current_user_can_approve: isReviewer(world, environment, login),
    reviewers: reviewersView(world, environment),
  }
}

function review(world: World, call: Call): Answer {
  const { repository, run } = runIn(world, call)
  const ids = listAt(call.body, 'environment_ids')
  const pending = waitingEnvironments(repository, run).filter(({ environment }) => ids.includes(environment.id))
  if (pending.length === 0) {
    throw new Failure(422, 'There are no pending deployment requests to approve or reject for the given environments.')
  }
  const login = call.identity.is === 'user' ? call.identity.login : undefined
  for (const { environment } of pending) {
    if (login === undefined || !isReviewer(world, environment, login)) {
      throw new Failure(422, `You are not a required reviewer of the environment ${environment.name}.`)
    }
    if (environment.preventSelfReview && login === run.actor) {
      throw new Failure(422, `The environment ${environment.name} does not let you review a run that you started.`)
    }
  }
  const state = text(call.body, 'state') === 'approved' ? 'approved' : 'rejected'
  const approval = {
    environments: [...new Set(pending.map(({ environment }) => environment.name))],
    jobs: pending.map(({ job }) => job.id),
    state,
    by: login ?? '',
    comment: textAt(call.body, 'comment') ?? '',
  } as const
  changeRun(world, repository, run.id, (before) => ({ approvals: [...before.approvals, approval] }))
  world.gates.forEach((look) => look())
  const deployments = pending.flatMap(({ job }) => repository.deployments.filter(({ id }) => id === job.deployment))
  return { status: 200, body: deployments.map((deployment) => deploymentView(world, repository, deployment)) }
}

function approvalView(world: World, repository: Repository, approval: WorkflowRun['approvals'][number]): JsonMap {
  const environments = approval.environments.flatMap((name) => {
    const environment = environmentOf(repository, name)
    if (environment === undefined) return []
    const { createdAt, updatedAt } = environment
    return [{ ...environmentBrief(world, repository, environment), created_at: createdAt, updated_at: updatedAt }]
  })
  return { environments, state: approval.state, user: userOf(world, approval.by), comment: approval.comment }
}
