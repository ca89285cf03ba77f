import { loginOf } from './identity.ts'
import { isMap, type JsonMap, listAt, textAt, text } from './json.ts'
import { type Deployment, type DeploymentStatus, fullNameOf, nextNumber, type Repository, replace } from './state.ts'
import {
  type Answer,
  type Call,
  commitOf,
  Failure,
  type Handler,
  idIn,
  invalid,
  listed,
  nodeId,
  now,
  read,
  repositoryIn,
  userOf,
  type World,
} from './world.ts'

export const deploymentsHandlers: Readonly<Record<string, Handler>> = {
  'repos/create-deployment': createDeployment,
  'repos/create-deployment-status': createStatus,
  'repos/get-deployment': (world, call) => {
    const { repository, deployment } = deploymentIn(world, call)
    return { status: 200, body: deploymentView(world, repository, deployment) }
  },
  'repos/get-deployment-status': (world, call) => {
    const { repository, deployment } = deploymentIn(world, call)
    const status = deployment.statuses.find(({ id }) => id === idIn(call, 'status_id'))
    if (status === undefined) throw new Failure(404, 'Not Found')
    return { status: 200, body: statusView(world, { repository, deployment }, status) }
  },
  'repos/list-deployment-statuses': (world, call) => {
    const { repository, deployment } = deploymentIn(world, call)
    const newest = deployment.statuses.toReversed()
    return listed(
      world,
      call,
      newest.map((status) => statusView(world, { repository, deployment }, status)),
    )
  },
  'repos/list-deployments': (world, call) => {
    const repository = repositoryIn(world, call)
    const keys = ['sha', 'ref', 'task', 'environment'] as const
    const found = repository.deployments
      .filter((deployment) => keys.every((key) => [null, 'none', deployment[key]].includes(call.query.get(key))))
      .toReversed()
    return listed(
      world,
      call,
      found.map((deployment) => deploymentView(world, repository, deployment)),
    )
  },
}

type Found = { readonly repository: Repository; readonly deployment: Deployment }

function deploymentIn(world: World, call: Call): Found {
  const repository = repositoryIn(world, call)
  const deployment = repository.deployments.find(({ id }) => id === idIn(call, 'deployment_id'))
  if (deployment === undefined) throw new Failure(404, 'Not Found')
  return { repository, deployment }
}

async function createDeployment(world: World, call: Call): Promise<Answer> {
  const repository = repositoryIn(world, call)
  const { body } = call
  const ref = text(body, 'ref')
  const sha = await commitOf(world, repository, ref)
  if (sha === undefined) throw new Failure(422, `No ref found for: ${ref}`)
  refuseLong('Deployment', textAt(body, 'description'))
  if (body['auto_merge'] !== false && (await isBehind(world, repository, sha))) {
    throw new Failure(409, `Conflict merging ${repository.defaultBranch} into ${ref}.`)
  }
  refuseRed(repository, {
    sha,
    ref,
    required: 'required_contexts' in body ? listAt(body, 'required_contexts') : undefined,
  })
  const payload = body['payload']
  const environment = textAt(body, 'environment') ?? 'production'
  const made = addDeployment(world, repository, {
    sha,
    ref,
    task: textAt(body, 'task') ?? 'deploy',
    environment,
    description: textAt(body, 'description') ?? null,
    payload: isMap(payload) || typeof payload === 'string' ? payload : {},
    creator: loginOf(call.identity),
    transient: body['transient_environment'] === true,
    production:
      body['production_environment'] === undefined
        ? environment === 'production'
        : body['production_environment'] === true,
  })
  return { status: 201, body: deploymentView(world, repository, made) }
}

/** By default a branch that lacks commits of the default branch is merged first; here that is always a conflict. */
async function isBehind(world: World, repository: Repository, sha: string): Promise<boolean> {
  const path = `/repos/${fullNameOf(repository)}/compare/heads/${repository.defaultBranch}...${sha}`
  const compared = await read(world, path)
  return isMap(compared) && compared['behind_by'] !== 0 && compared['ahead_by'] !== 0
}

/** By default every status and check of the commit must be green; `[]` asks for none. */
function refuseRed(
  repository: Repository,
  {
    sha,
    ref,
    required,
  }: { readonly sha: string; readonly ref: string; readonly required: readonly unknown[] | undefined },
): void {
  const states = new Map<string, string>()
  for (const status of repository.statuses) if (status.sha === sha) states.set(status.context, status.state)
  for (const run of repository.checks) if (run.sha === sha) states.set(run.name, run.conclusion ?? 'pending')
  const contexts = required ?? [...states.keys()]
  const red = contexts.filter(
    (context) => !['success', 'neutral', 'skipped'].includes(states.get(String(context)) ?? 'pending'),
  )
  if (red.length === 0) return
  const errors = [{ resource: 'Deployment', field: 'required_contexts', code: 'invalid', contexts: red.map(String) }]
  throw new Failure(409, `Conflict: Commit status checks failed for ${ref}.`, errors)
}

/** What a new deployment starts with; also those that a job with an environment makes. */
export type NewDeployment = Omit<Deployment, 'id' | 'createdAt' | 'updatedAt' | 'statuses'>

export function addDeployment(world: World, repository: Repository, wanted: NewDeployment): Deployment {
  const at = now(world)
  const deployment = {
    ...wanted,
    id: nextNumber(world.state, 'deployment'),
    createdAt: at,
    updatedAt: at,
    statuses: [],
  }
  repository.deployments.push(deployment)
  return deployment
}

function createStatus(world: World, call: Call): Answer {
  const found = deploymentIn(world, call)
  const { body } = call
  const description = textAt(body, 'description') ?? ''
  refuseLong('DeploymentStatus', description)
  const status = addStatus(world, found, {
    state: text(body, 'state'),
    description,
    environment: textAt(body, 'environment') ?? found.deployment.environment,
    environmentUrl: textAt(body, 'environment_url') ?? '',
    logUrl: textAt(body, 'log_url') ?? textAt(body, 'target_url') ?? '',
    creator: loginOf(call.identity),
    inactivates: body['auto_inactive'] !== false,
  })
  return { status: 201, body: statusView(world, found, status) }
}

export type NewStatus = Omit<DeploymentStatus, 'id' | 'at'> & {
  /** Whether success makes the earlier deployments of the environment inactive. */
  readonly inactivates: boolean
}

export function addStatus(world: World, { repository, deployment }: Found, wanted: NewStatus): DeploymentStatus {
  const { inactivates, ...rest } = wanted
  const status = { ...rest, id: nextNumber(world.state, 'deployment status'), at: now(world) }
  if (status.state === 'success' && inactivates) {
    for (const other of repository.deployments.slice()) {
      const isPrior = other.id < deployment.id && other.environment === deployment.environment
      if (!isPrior || other.transient || other.production || other.statuses.at(-1)?.state !== 'success') continue
      addStatus(world, { repository, deployment: other }, { ...wanted, state: 'inactive', inactivates: false })
    }
  }
  const updated = { ...deployment, updatedAt: status.at, statuses: [...deployment.statuses, status] }
  replace(repository.deployments, deployment, updated)
  return status
}

function refuseLong(resource: string, description: string | undefined): void {
  if ([...(description ?? '')].length > 140) {
    throw invalid(resource, 'description', 'description is too long (maximum is 140 characters)')
  }
}

export function deploymentView(world: World, repository: Repository, deployment: Deployment): JsonMap {
  const home = `${world.url}/repos/${fullNameOf(repository)}`
  const url = `${home}/deployments/${deployment.id}`
  return {
    url,
    id: deployment.id,
    node_id: nodeId('DE', deployment.id),
    sha: deployment.sha,
    ref: deployment.ref,
    task: deployment.task,
    payload: deployment.payload,
    original_environment: deployment.environment,
    environment: deployment.environment,
    description: deployment.description,
    creator: userOf(world, deployment.creator),
    created_at: deployment.createdAt,
    updated_at: deployment.updatedAt,
    statuses_url: `${url}/statuses`,
    repository_url: home,
    transient_environment: deployment.transient,
    production_environment: deployment.production,
    performed_via_github_app: null,
  }
}

function statusView(world: World, { repository, deployment }: Found, status: DeploymentStatus): JsonMap {
  const home = `${world.url}/repos/${fullNameOf(repository)}`
  const url = `${home}/deployments/${deployment.id}`
  return {
    url: `${url}/statuses/${status.id}`,
    id: status.id,
    node_id: nodeId('DES', status.id),
    state: status.state,
    creator: userOf(world, status.creator),
    description: status.description,
    environment: status.environment,
    // GitHub gives empty texts for addresses that nobody set, whatever its description says of them.
    target_url: status.logUrl === '' ? url : status.logUrl,
    created_at: status.at,
    updated_at: status.at,
    deployment_url: url,
    repository_url: home,
    ...(status.environmentUrl === '' ? {} : { environment_url: status.environmentUrl }),
    ...(status.logUrl === '' ? {} : { log_url: status.logUrl }),
    performed_via_github_app: null,
  }
}
