import { loginOf } from './identity.ts'
import { isMap, type JsonMap, listAt, mapAt, text, textAt } from './json.ts'
import { repositoryView } from './events.ts'
import { type CheckRun, type CommitStatus, fullNameOf, nextNumber, type Repository, replace } from './state.ts'
import {
  type Answer,
  type Call,
  commitOf,
  counted,
  dressed,
  Failure,
  type Handler,
  idIn,
  integrationOf,
  invalid,
  listed,
  nodeId,
  now,
  paged,
  repositoryIn,
  userOf,
  type World,
} from './world.ts'

/** Check runs and commit statuses: what a commit is said to be. */
export const checksHandlers: Readonly<Record<string, Handler>> = {
  'checks/create': createCheck,
  'checks/get': (world, call) => {
    const { repository, run } = checkIn(world, call)
    return { status: 200, body: checkView(world, repository, run) }
  },
  'checks/list-annotations': (world, call) => {
    const { repository, run } = checkIn(world, call)
    return listed(
      world,
      call,
      run.annotations.map((each) => annotationView(world, { repository, run }, each)),
    )
  },
  'checks/list-for-ref': listChecks,
  'checks/update': updateCheck,
  'repos/create-commit-status': createStatus,
  'repos/get-combined-status-for-ref': combinedStatus,
  'repos/list-commit-statuses-for-ref': async (world, call) => {
    const { repository, sha } = await commitIn(world, call)
    const statuses = repository.statuses.filter((status) => status.sha === sha).toReversed()
    return listed(
      world,
      call,
      statuses.map((status) => statusView(world, repository, status)),
    )
  },
}

type Found = { readonly repository: Repository; readonly run: CheckRun }

function checkIn(world: World, call: Call): Found {
  const repository = repositoryIn(world, call)
  const run = repository.checks.find(({ id }) => id === idIn(call, 'check_run_id'))
  if (run === undefined) throw new Failure(404, 'Not Found')
  return { repository, run }
}

async function commitIn(world: World, call: Call): Promise<{ readonly repository: Repository; readonly sha: string }> {
  const repository = repositoryIn(world, call)
  const sha = await commitOf(world, repository, call.parameters['ref'] ?? '')
  if (sha === undefined) throw new Failure(422, `No commit found for SHA: ${call.parameters['ref']}`)
  return { repository, sha }
}

async function createCheck(world: World, call: Call): Promise<Answer> {
  const repository = repositoryIn(world, call)
  const sha = text(call.body, 'head_sha')
  if (sha.length !== 40 || (await commitOf(world, repository, sha)) === undefined) {
    throw new Failure(422, `No commit found for SHA: ${sha}`)
  }
  const run = changed(world, call, {
    id: nextNumber(world.state, 'check run'),
    sha,
    name: text(call.body, 'name'),
    status: 'queued',
    conclusion: null,
    startedAt: now(world),
    completedAt: null,
    externalId: null,
    detailsUrl: null,
    title: null,
    summary: null,
    text: null,
    annotations: [],
    app: appOf(call),
  })
  repository.checks.push(run)
  return { status: 201, body: checkView(world, repository, run) }
}

function updateCheck(world: World, call: Call): Answer {
  const { repository, run } = checkIn(world, call)
  if (run.app !== appOf(call)) {
    throw new Failure(403, 'Invalid app_id - check run can only be modified by the GitHub App that created it.')
  }
  const updated = changed(world, call, run)
  replace(repository.checks, run, updated)
  return { status: 200, body: checkView(world, repository, updated) }
}

function appOf({ identity }: Call): string {
  return loginOf(identity).replace(/\[bot\]$/, '')
}

/** A conclusion completes; annotations are added to those that are there, 50 with each request. */
function changed(world: World, { body }: Call, run: CheckRun): CheckRun {
  const conclusion = textAt(body, 'conclusion') ?? run.conclusion
  const status = textAt(body, 'conclusion') === undefined ? (textAt(body, 'status') ?? run.status) : 'completed'
  if (status === 'completed' && conclusion === null) throw invalid('CheckRun', 'conclusion', 'conclusion is required')
  const output = mapAt(body, 'output')
  const added = listAt(output, 'annotations').filter(isMap)
  return {
    ...run,
    name: textAt(body, 'name') ?? run.name,
    status,
    conclusion: status === 'completed' ? conclusion : null,
    startedAt: textAt(body, 'started_at') ?? run.startedAt,
    completedAt: status === 'completed' ? (textAt(body, 'completed_at') ?? run.completedAt ?? now(world)) : null,
    externalId: textAt(body, 'external_id') ?? run.externalId,
    detailsUrl: textAt(body, 'details_url') ?? run.detailsUrl,
    title: textAt(output, 'title') ?? run.title,
    summary: textAt(output, 'summary') ?? run.summary,
    text: textAt(output, 'text') ?? run.text,
    annotations: [...run.annotations, ...added],
  }
}

function annotationView(world: World, { repository, run }: Found, annotation: JsonMap): JsonMap {
  return {
    title: null,
    raw_details: null,
    start_column: null,
    end_column: null,
    ...annotation,
    blob_href: `${world.url}/${fullNameOf(repository)}/blob/${run.sha}/${text(annotation, 'path')}`,
  }
}

async function listChecks(world: World, call: Call): Promise<Answer> {
  const { repository, sha } = await commitIn(world, call)
  const { query } = call
  const found = repository.checks
    .filter((run) => run.sha === sha)
    .filter((run) => query.get('check_name') === null || run.name === query.get('check_name'))
    .filter((run) => query.get('status') === null || run.status === query.get('status'))
    .filter((run) => query.get('app_id') === null || String(world.state.apps[run.app]?.id) === query.get('app_id'))
  const latest = new Map(found.map((run) => [`${run.app} ${run.name}`, run]))
  const runs = query.get('filter') === 'all' ? found : [...latest.values()]
  const newest = runs.toSorted((a, b) => b.id - a.id)
  return counted(
    world,
    call,
    'check_runs',
    newest.map((run) => checkView(world, repository, run)),
  )
}

function checkView(world: World, repository: Repository, run: CheckRun): JsonMap {
  const url = `${world.url}/repos/${fullNameOf(repository)}/check-runs/${run.id}`
  const html = `${world.url}/${fullNameOf(repository)}/runs/${run.id}`
  const app = world.state.apps[run.app]
  return {
    id: run.id,
    node_id: nodeId('CR', run.id),
    head_sha: run.sha,
    external_id: run.externalId ?? '',
    url,
    html_url: html,
    details_url: run.detailsUrl ?? html,
    status: run.status,
    conclusion: run.conclusion,
    started_at: run.startedAt,
    completed_at: run.completedAt,
    output: {
      title: run.title,
      summary: run.summary,
      text: run.text,
      annotations_count: run.annotations.length,
      annotations_url: `${url}/annotations`,
    },
    name: run.name,
    check_suite: { id: app?.id ?? 0 },
    app: app === undefined ? null : integrationOf(world, app),
    pull_requests: [],
  }
}

async function createStatus(world: World, call: Call): Promise<Answer> {
  const repository = repositoryIn(world, call)
  const sha = call.parameters['sha'] ?? ''
  if (sha.length !== 40 || (await commitOf(world, repository, sha)) === undefined) {
    throw new Failure(422, `No commit found for SHA: ${sha}`)
  }
  const description = textAt(call.body, 'description') ?? null
  if (description !== null && [...description].length > 140) {
    throw invalid('Status', 'description', 'description is too long (maximum is 140 characters)')
  }
  const context = textAt(call.body, 'context') ?? 'default'
  if (repository.statuses.filter((each) => each.sha === sha && each.context === context).length >= 1000) {
    throw new Failure(422, 'This SHA and context has reached the maximum number of statuses.')
  }
  const status: CommitStatus = {
    id: nextNumber(world.state, 'status'),
    sha,
    context,
    state: text(call.body, 'state'),
    description,
    targetUrl: textAt(call.body, 'target_url') ?? null,
    creator: loginOf(call.identity),
    at: now(world),
  }
  repository.statuses.push(status)
  return { status: 201, body: statusView(world, repository, status) }
}

function statusView(world: World, repository: Repository, status: CommitStatus): JsonMap {
  const creator = userOf(world, status.creator)
  return {
    url: `${world.url}/repos/${fullNameOf(repository)}/statuses/${status.sha}`,
    avatar_url: text(creator, 'avatar_url'),
    id: status.id,
    node_id: nodeId('SC', status.id),
    state: status.state,
    description: status.description,
    target_url: status.targetUrl,
    context: status.context,
    created_at: status.at,
    updated_at: status.at,
    creator,
  }
}

/** The last status of each context; failure if one failed, pending if one is or there is none. */
async function combinedStatus(world: World, call: Call): Promise<Answer> {
  const { repository, sha } = await commitIn(world, call)
  const latest = [
    ...new Map(
      repository.statuses.filter((status) => status.sha === sha).map((status) => [status.context, status]),
    ).values(),
  ]
  const states = latest.map(({ state }) => state)
  const state = states.some((each) => each === 'failure' || each === 'error')
    ? 'failure'
    : states.length > 0 && states.every((each) => each === 'success')
      ? 'success'
      : 'pending'
  const page = paged(
    world,
    call,
    latest.map((status) => statusView(world, repository, status)),
  )
  const at = `${world.url}/repos/${fullNameOf(repository)}/commits/${sha}`
  const body = {
    state,
    statuses: page.items,
    sha,
    total_count: latest.length,
    repository: dressed(world, call.identity, await repositoryView(world, repository)),
    commit_url: at,
    url: `${at}/status`,
  }
  return { status: 200, body, headers: page.headers }
}
