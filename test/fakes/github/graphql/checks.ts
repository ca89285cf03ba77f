import { waitingEnvironments } from '../actions.ts'
import { listAt, textAt } from '../json.ts'
import { mergeRules } from '../rules.ts'
import type { CheckRun, CommitStatus, Deployment, Repository } from '../state.ts'
import { nodeId } from '../world.ts'
import { actor, allow, connection, type Scene, type View } from './scene.ts'

/** What the checks and statuses of a commit come to; `null` where there are none. */
export function rollup(scene: Scene, repository: Repository, sha: string): View | null {
  allow(scene, repository, 'checks/list-for-ref')
  allow(scene, repository, 'repos/list-commit-statuses-for-ref')
  const checks = newest(repository.checks, sha, ({ name, app }) => `${app} ${name}`)
  const statuses = newest(repository.statuses, sha, ({ context }) => context)
  if (checks.length + statuses.length === 0) return null
  const views = [
    ...checks.map((run) => checkView(repository, run)),
    ...statuses.map((status) => statusView(repository, status)),
  ]
  return {
    __typename: 'StatusCheckRollup',
    id: nodeId('SCR', repository.id, sha),
    state: rollupState(repository, sha),
    commit: () => scene.show.commit(scene, repository, sha),
    contexts: (args) => connection('StatusCheckRollupContextConnection', { items: views, args }, (view) => view),
  }
}

/** `SUCCESS`, `PENDING`, `FAILURE` or `ERROR`; `undefined` where nothing was said. */
export function rollupState(repository: Repository, sha: string): string | undefined {
  const states = [
    ...newest(repository.checks, sha, ({ name, app }) => `${app} ${name}`).map(checkState),
    ...newest(repository.statuses, sha, ({ context }) => context).map(({ state }) => state.toUpperCase()),
  ]
  return ['FAILURE', 'ERROR', 'PENDING', 'SUCCESS'].find((each) => states.includes(each))
}

function newest<Said extends { readonly sha: string }>(
  all: readonly Said[],
  sha: string,
  keyOf: (said: Said) => string,
): readonly Said[] {
  return [...new Map(all.filter((each) => each.sha === sha).map((each) => [keyOf(each), each])).values()]
}

function checkState({ conclusion }: CheckRun): string {
  if (conclusion === null) return 'PENDING'
  return ['success', 'neutral', 'skipped'].includes(conclusion) ? 'SUCCESS' : 'FAILURE'
}

function checkView(repository: Repository, run: CheckRun): View {
  return {
    __typename: 'CheckRun',
    id: nodeId('CR', run.id),
    databaseId: run.id,
    name: run.name,
    status: run.status.toUpperCase(),
    conclusion: run.conclusion?.toUpperCase() ?? null,
    startedAt: run.startedAt,
    completedAt: run.completedAt,
    detailsUrl: run.detailsUrl,
    externalId: run.externalId,
    title: run.title,
    summary: run.summary,
    isRequired: () => isRequired(repository, run),
  }
}

function statusView(repository: Repository, status: CommitStatus): View {
  return {
    __typename: 'StatusContext',
    id: nodeId('SC', status.id),
    context: status.context,
    state: status.state.toUpperCase(),
    description: status.description,
    targetUrl: status.targetUrl,
    createdAt: status.at,
    isRequired: () => isRequired(repository, { sha: status.sha, name: status.context }),
  }
}

/** Whether a rule of the branch that a pull request of this commit goes to asks for it. */
function isRequired(repository: Repository, { sha, name }: { readonly sha: string; readonly name: string }): boolean {
  const pull = Object.values(repository.pulls).find(({ headSha }) => headSha === sha)
  if (pull === undefined) return false
  return requiredChecks(repository, pull.base).includes(name)
}

export function requiredChecks(repository: Repository, branch: string): readonly string[] {
  return mergeRules(repository, branch)
    .filter(({ type }) => type === 'required_status_checks')
    .flatMap(({ parameters }) => listAt(parameters, 'required_status_checks'))
    .map((check) => textAt(check, 'context') ?? '')
}

/** States of a deployment that GraphQL has other words for than for those of its statuses. */
const deploymentStates: Readonly<Record<string, string>> = { success: 'ACTIVE' }

export function deployment(scene: Scene, repository: Repository, made: Deployment): View {
  const statuses = made.statuses.toReversed().map((status): View => ({
    __typename: 'DeploymentStatus',
    id: nodeId('DES', status.id),
    state: status.state.toUpperCase(),
    createdAt: status.at,
    updatedAt: status.at,
    creator: actor(scene, status.creator),
    description: status.description,
    environment: status.environment,
    environmentUrl: status.environmentUrl === '' ? null : status.environmentUrl,
    logUrl: status.logUrl === '' ? null : status.logUrl,
  }))
  const last = made.statuses.at(-1)?.state
  return {
    __typename: 'Deployment',
    id: nodeId('DE', made.id),
    databaseId: made.id,
    commit: () => scene.show.commit(scene, repository, made.sha),
    commitOid: made.sha,
    createdAt: made.createdAt,
    updatedAt: made.updatedAt,
    creator: actor(scene, made.creator),
    description: made.description,
    environment: made.environment,
    latestEnvironment: made.environment,
    originalEnvironment: made.environment,
    payload: JSON.stringify(made.payload),
    task: made.task,
    repository: () => scene.show.repository(scene, repository),
    ref: async () => {
      const name = made.ref.startsWith('refs/') ? made.ref : `refs/heads/${made.ref}`
      return scene.show.ref(scene, repository, name)
    },
    state:
      last === undefined
        ? waits(repository, made)
          ? 'WAITING'
          : 'PENDING'
        : (deploymentStates[last] ?? last.toUpperCase()),
    latestStatus: statuses[0] ?? null,
    statuses: (args) => connection('DeploymentStatusConnection', { items: statuses, args }, (view) => view),
  }
}

function waits(repository: Repository, { id }: Deployment): boolean {
  return repository.runs.some((run) => waitingEnvironments(repository, run).some(({ job }) => job.deployment === id))
}
