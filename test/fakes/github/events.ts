import { completedAs } from './description.ts'
import { type Identity, loginOf } from './identity.ts'
import { isMap, type Json, type JsonMap, listAt, text, textAt } from './json.ts'
import type { Move } from './objects.ts'
import { wholePull } from './pull-view.ts'
import { fullNameOf, type Pull, type Repository, type WorkflowRun } from './state.ts'
import { dressed, organisationBrief, read, userOf, type World } from './world.ts'

const none = '0'.repeat(40)

type About = { readonly name: string; readonly repository: Repository; readonly identity: Identity }

/** Notes what happened, with what every payload has: the repository, its organisation, and who did it. */
async function emit(world: World, { name, repository, identity }: About, payload: JsonMap): Promise<void> {
  const startsWorkflows = identity.is !== 'job' || name === 'workflow_dispatch' || name === 'repository_dispatch'
  world.state.events.push({
    name,
    repository: fullNameOf(repository),
    startsWorkflows,
    payload: { ...payload, ...(await surroundings(world, repository, loginOf(identity))) },
  })
}

async function surroundings(world: World, repository: Repository, login: string): Promise<JsonMap> {
  const organisation = world.state.organisations[repository.owner]
  const view = await repositoryView(world, repository)
  return {
    repository: view,
    ...(organisation === undefined ? {} : { organization: organisationBrief(world, organisation) }),
    sender: userOf(world, login),
  }
}

export async function repositoryView(world: World, repository: Repository): Promise<JsonMap> {
  const told = completedAs('full-repository', await read(world, `/repos/${fullNameOf(repository)}`))
  const view = dressed(world, { is: 'nobody' }, told)
  if (!isMap(view)) throw new Error('A repository of emulate is no map')
  return view
}

export async function emitPush(world: World, { repository, ref, before, after, identity }: Move): Promise<void> {
  const compared =
    before === undefined || after === undefined
      ? undefined
      : await read(world, `/repos/${fullNameOf(repository)}/compare/${before}...${after}`)
  const login = loginOf(identity)
  const commits = listAt(compared, 'commits')
  const head = after === undefined ? null : await pushedCommit(world, repository, after)
  await emit(
    world,
    { name: 'push', repository, identity },
    {
      ref,
      before: before ?? none,
      after: after ?? none,
      base_ref: null,
      created: before === undefined,
      deleted: after === undefined,
      forced: ['diverged', 'behind'].includes(textAt(compared, 'status') ?? ''),
      compare: `${world.url}/${fullNameOf(repository)}/compare/${before ?? none}...${after ?? none}`,
      commits: await Promise.all(commits.map((commit) => pushedCommit(world, repository, text(commit, 'sha')))),
      head_commit: head,
      pusher: { name: login, email: `${login}@users.noreply.github.com` },
    },
  )
}

export async function pushedCommit(world: World, repository: Repository, sha: string): Promise<Json> {
  const commit = await read(world, `/repos/${fullNameOf(repository)}/commits/${sha}`)
  const inner = isMap(commit) && isMap(commit['commit']) ? commit['commit'] : {}
  const files = listAt(commit, 'files').filter(isMap)
  const named = (status: string) =>
    files.filter((file) => file['status'] === status).map((file) => file['filename'] ?? '')
  return {
    id: sha,
    tree_id: isMap(inner['tree']) ? inner['tree']['sha'] : '',
    distinct: true,
    message: inner['message'],
    timestamp: isMap(inner['committer']) ? inner['committer']['date'] : '',
    url: `${world.url}/${fullNameOf(repository)}/commit/${sha}`,
    author: inner['author'],
    committer: inner['committer'],
    added: named('added'),
    removed: named('removed'),
    modified: named('modified'),
  }
}

export type PullEvent = {
  readonly action: 'opened' | 'synchronize' | 'closed' | 'reopened' | 'converted_to_draft' | 'ready_for_review'
  readonly repository: Repository
  readonly pull: Pull
  readonly identity: Identity
  /** The head before a push. */
  readonly before?: string
}

export async function emitPull(world: World, { action, repository, pull, identity, before }: PullEvent): Promise<void> {
  await emit(
    world,
    { name: 'pull_request', repository, identity },
    {
      action,
      number: pull.number,
      pull_request: await wholePull(world, { is: 'nobody' }, { repository, pull }),
      ...(before === undefined ? {} : { before, after: pull.headSha }),
    },
  )
}

export async function emitReview(
  world: World,
  {
    repository,
    pull,
    identity,
    review,
  }: { readonly repository: Repository; readonly pull: Pull; readonly identity: Identity; readonly review: Json },
): Promise<void> {
  const payload = {
    action: 'submitted',
    review,
    pull_request: await wholePull(world, { is: 'nobody' }, { repository, pull }),
  }
  await emit(world, { name: 'pull_request_review', repository, identity }, payload)
}

export type DispatchEvent = {
  readonly repository: Repository
  readonly identity: Identity
  readonly workflow: string
  readonly ref: string
  readonly inputs: JsonMap
}

export async function emitDispatch(
  world: World,
  { repository, identity, workflow, ref, inputs }: DispatchEvent,
): Promise<void> {
  await emit(
    world,
    { name: 'workflow_dispatch', repository, identity },
    {
      workflow,
      ref: ref.startsWith('refs/') ? ref : `refs/heads/${ref}`,
      inputs,
    },
  )
}

export async function emitRepositoryDispatch(
  world: World,
  {
    repository,
    identity,
    type,
    payload,
  }: { readonly repository: Repository; readonly identity: Identity; readonly type: string; readonly payload: JsonMap },
): Promise<void> {
  await emit(
    world,
    { name: 'repository_dispatch', repository, identity },
    {
      action: type,
      branch: repository.defaultBranch,
      client_payload: payload,
    },
  )
}

export async function emitRun(
  world: World,
  {
    action,
    repository,
    run,
    view,
  }: {
    readonly action: 'requested' | 'completed'
    readonly repository: Repository
    readonly run: WorkflowRun
    readonly view: JsonMap
  },
): Promise<void> {
  const identity: Identity = { is: 'user', login: run.actor }
  await emit(
    world,
    { name: 'workflow_run', repository, identity },
    {
      action,
      workflow: {
        id: view['workflow_id'],
        node_id: `W_${run.workflow}`,
        name: run.name,
        path: run.workflow,
        state: 'active',
        created_at: run.createdAt,
        updated_at: run.createdAt,
        url: view['workflow_url'],
        html_url: `${world.url}/${fullNameOf(repository)}/blob/${repository.defaultBranch}/${run.workflow}`,
        badge_url: `${world.url}/${fullNameOf(repository)}/workflows/${encodeURIComponent(run.name)}/badge.svg`,
      },
      workflow_run: view,
    },
  )
}

export async function emitRelease(
  world: World,
  {
    repository,
    identity,
    view,
  }: { readonly repository: Repository; readonly identity: Identity; readonly view: JsonMap },
): Promise<void> {
  await emit(world, { name: 'release', repository, identity }, { action: 'published', release: view })
}
