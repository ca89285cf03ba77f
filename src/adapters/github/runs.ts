import type { Brought, GitHost, RunJob, Started, StoredDeployment, WorkflowRun } from '../../ports.ts'
import { line } from '../../core/encode.ts'
import type { Client } from './client.ts'
import { ensure } from './ensure.ts'
import { isStatus, told, wordsOf } from './refusal.ts'

type Runs = Pick<GitHost, 'run' | 'jobs' | 'startAgain' | 'label' | 'labelled'>

/** Runs of workflows and their jobs, and the labels by which it is found who waits. */
export function runsOf(client: Client): Runs {
  const { at } = client
  const here = `${at.owner}/${at.repo}`
  return {
    run: async (id) => told(`read run ${id} of ${here}`, async () => run(client, id)),
    jobs: async (id) => told(`list the jobs of run ${id} of ${here}`, async () => jobs(client, id)),
    startAgain: async (wanted) =>
      told(`start a job of run ${wanted.run} of ${here} again`, async () => startAgain(client, wanted)),
    label: async (pullRequest, wanted) =>
      told(`label pull request ${pullRequest} of ${here}`, async () => label(client, { pullRequest, ...wanted })),
    labelled: async (owner, name) =>
      told(`search the pull requests of ${owner}`, async () => labelled(client, { owner, name })),
  }
}

async function run({ octokit, at }: Client, id: string): Promise<WorkflowRun | undefined> {
  try {
    const { data } = await octokit.rest.actions.getWorkflowRun({ ...at, run_id: Number(id) })
    return { id, attempt: data.run_attempt ?? 1, isOver: data.status === 'completed', created: data.created_at }
  } catch (error) {
    // GitHub keeps runs for so many days, and people delete them.
    if (isStatus(error, 404, 410)) return undefined
    throw error
  }
}

async function jobs({ octokit, at }: Client, id: string): Promise<readonly RunJob[]> {
  const all = await octokit.paginate(octokit.rest.actions.listJobsForWorkflowRun, {
    ...at,
    run_id: Number(id),
    filter: 'latest',
    per_page: 100,
  })
  return all.map(({ id: job, name, run_attempt: attempt = 1, conclusion, runner_name: runner, steps = [] }) => ({
    id: job,
    name,
    attempt,
    ...(conclusion !== null && { conclusion }),
    hasBegun: (runner ?? '') !== '' || steps.length > 0,
  }))
}

async function startAgain(
  client: Client,
  { run: id, attempt, job }: { readonly run: string; readonly attempt: number; readonly job: number },
): Promise<Started> {
  const { octokit, at, pause } = client
  const look = async (): Promise<Started | undefined> => {
    const now = await run(client, id)
    return now !== undefined && now.attempt > attempt ? { is: 'started' } : undefined
  }
  try {
    const { value } = await ensure<Started>({
      look,
      act: async () => {
        await octokit.rest.actions.reRunJobForWorkflowRun({ ...at, job_id: job })
        return { is: 'started' }
      },
      pause,
      isAbsent: true,
    })
    return value
  } catch (error) {
    const words = wordsOf(error)
    if (!isStatus(error, 403) || /not accessible|rate limit/iu.test(words)) throw error
    // GitHub says no in one way to whatever it will not start; whether it is under way is known by looking.
    const now = await run(client, id)
    if (now !== undefined && (!now.isOver || now.attempt > attempt)) return { is: 'running' }
    return { is: 'refused', why: line(words) }
  }
}

async function label(
  { octokit, at, pause }: Client,
  { pullRequest, name, is }: { readonly pullRequest: number; readonly name: string; readonly is: 'on' | 'off' },
): Promise<Brought> {
  const of = { ...at, issue_number: pullRequest }
  const isAsWanted = (labels: readonly { readonly name: string }[]): boolean =>
    labels.some((each) => each.name.toLowerCase() === name.toLowerCase()) === (is === 'on')
  const brought = await ensure<Brought>({
    look: async () => {
      const labels = await octokit.paginate(octokit.rest.issues.listLabelsOnIssue, { ...of, per_page: 100 })
      return isAsWanted(labels) ? 'updated' : undefined
    },
    act: async () => {
      if (is === 'on') {
        await octokit.rest.issues.addLabels({ ...of, labels: [name] })
        return 'updated'
      }
      try {
        await octokit.rest.issues.removeLabel({ ...of, name })
        return 'updated'
      } catch (error) {
        if (!isStatus(error, 404, 410)) throw error
        return 'unchanged'
      }
    },
    pause,
    // Both do nothing where there is nothing to do, so that it need not be looked before.
    isAbsent: true,
  })
  return brought.value
}

/** https://docs.github.com/en/search-github/searching-on-github/searching-issues-and-pull-requests */
async function labelled(
  { octokit }: Client,
  { owner, name }: { readonly owner: string; readonly name: string },
): Promise<ReadonlyMap<string, readonly number[]>> {
  const all = await octokit.paginate(octokit.rest.search.issuesAndPullRequests, {
    q: `is:pr is:merged org:${owner} label:"${name}"`,
    per_page: 100,
  })
  // The address of a repository ends with its owner and name.
  const named = all.map(({ repository_url: url, number }) => [url.split('/').slice(-2).join('/'), number] as const)
  const names = [...new Set(named.map(([of]) => of))].toSorted()
  return new Map(names.map((of) => [of, named.filter(([each]) => each === of).map(([, number]) => number)]))
}

/** Statuses as GitHub has them, the newest first. */
export async function statesOf({ octokit, at }: Client, deployment: number): Promise<StoredDeployment['states']> {
  const { data } = await octokit.rest.repos.listDeploymentStatuses({ ...at, deployment_id: deployment, per_page: 100 })
  const newest = data.toSorted((a, b) => b.id - a.id)
  return newest.map(({ state, description, created_at: created }) => ({ state, description, at: created }))
}
