import { line } from '../core/encode.ts'
import type { Review } from '../core/gates/approval.ts'
import { markedKind, markedSubject, shorten } from '../core/markdown.ts'
import { Refused } from '../core/problem.ts'
import type {
  Brought,
  ChangedFile,
  Check,
  Deployment,
  DeploymentStatus,
  GitHost,
  PullRequest,
  StickyComment,
  StoredDeployment,
} from '../ports.ts'
import type { Client, ClientOptions } from './github/client.ts'
import { clientOf } from './github/client.ts'
import type { Ensured } from './github/ensure.ts'
import { ensure } from './github/ensure.ts'
import { isStatus, told, wordsOf } from './github/refusal.ts'
import { runsOf, statesOf } from './github/runs.ts'

/** A repository on GitHub. Every effect is looked for first, brought about once, and looked for again if an answer is lost. */
export function gitHub(options: ClientOptions): GitHost {
  const client = clientOf(options)
  const { octokit, at } = client
  const here = `${at.owner}/${at.repo}`
  const { teamToken: token } = options
  const asking = (): Client => (token === undefined ? client : clientOf({ ...options, token }))
  // Deployments whose newest status this run has set or knows to be none; a request less for each.
  const known = new Set<number>()
  return {
    pullRequest: async (number) =>
      told(`read pull request ${number} of ${here}`, async () => {
        const { data } = await octokit.rest.pulls.get({ ...at, pull_number: number })
        return pullOf(data)
      }),
    openPullRequest: async ({ owner, branch, commit }) =>
      told(`list the pull requests of ${here}`, async () => {
        const all = await octokit.paginate(octokit.rest.pulls.list, {
          ...at,
          state: 'open',
          head: `${owner}:${branch}`,
          per_page: 100,
        })
        const ours = all.filter(
          ({ head, base }) => head.sha === commit && base.repo.full_name.toLowerCase() === here.toLowerCase(),
        )
        const [only] = ours
        return ours.length === 1 && only !== undefined ? pullOf(only) : undefined
      }),
    pullRequestOf: async (commit) =>
      told(`list the pull requests of commit ${shorten(commit, 40)} of ${here}`, async () => {
        const { data } = await octokit.rest.repos.listPullRequestsAssociatedWithCommit({
          ...at,
          commit_sha: commit,
          per_page: 100,
        })
        const merged = data.filter(({ merged_at: mergedAt }) => typeof mergedAt === 'string')
        const exact = merged.find(({ merge_commit_sha: sha }) => sha === commit)
        // A rebase puts several commits on the branch; only the last is the merge commit's.
        const found = exact ?? (merged.length === 1 ? merged[0] : undefined)
        return found === undefined ? undefined : pullOf(found)
      }),
    reviews: async (number) =>
      told(`list the reviews of pull request ${number} of ${here}`, async () => {
        const all = await octokit.paginate(octokit.rest.pulls.listReviews, {
          ...at,
          pull_number: number,
          per_page: 100,
        })
        return all.map(reviewOf).toSorted((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0))
      }),
    committers: async (number) =>
      told(`list the commits of pull request ${number} of ${here}`, async () => {
        const all = await octokit.paginate(octokit.rest.pulls.listCommits, {
          ...at,
          pull_number: number,
          per_page: 100,
        })
        const logins = all.flatMap(({ author, committer, commit: { message } }) => [
          ...[author, committer].flatMap((who) => (typeof who?.login === 'string' ? [who.login] : [])),
          ...coAuthors(message),
        ])
        return { logins: [...new Set(logins)], isComplete: all.length < mostCommits }
      }),
    approvals: async (run) =>
      told(`read who has approved run ${run} of ${here}`, async () => {
        const { data } = await octokit.rest.actions.getReviewsForRun({ ...at, run_id: run })
        return data.map(({ user, state, environments }) => ({
          by: user.login,
          is: state === 'approved' ? 'approved' : 'rejected',
          environments: environments.flatMap(({ name }) => (name === undefined ? [] : [name])),
        }))
      }),
    isMember: async (of, login) =>
      told(`see whether ${shorten(login, 60)} is one of ${shorten(of, 200)}`, async () =>
        isMember(of.includes('/') ? asking() : client, { of, login }),
      ),
    changedFiles: async (number) =>
      told(`list the files of pull request ${number} of ${here}`, async () => {
        const all = await octokit.paginate(octokit.rest.pulls.listFiles, { ...at, pull_number: number, per_page: 100 })
        return { files: all.map(fileOf), isComplete: all.length < mostFiles }
      }),
    comment: async (wanted) =>
      told(`comment on pull request ${wanted.pullRequest} of ${here}`, async () => comment(client, wanted)),
    check: async (wanted) => told(`write the check ${wanted.name} of ${here}`, async () => check(client, wanted)),
    checkOn: async (commit, name) =>
      told(`read the check ${name} of ${here}`, async () => {
        const [first] = await ownChecks(client, { commit, name })
        if (first === undefined) return undefined
        const { conclusion, external_id: key, output, completed_at: at } = first
        return {
          conclusion: conclusion ?? undefined,
          key: key ?? undefined,
          text: output.text ?? undefined,
          at: at ?? undefined,
        }
      }),
    deployment: async (wanted) =>
      told(`create a deployment to ${shorten(wanted.environment, 100)} in ${here}`, async () => {
        const { value, is } = await deployment(client, wanted)
        if (is === 'made') known.add(value)
        return value
      }),
    deploymentStatus: async (id, wanted) =>
      told(`set the status of deployment ${id} of ${here}`, async () => {
        const isAbsent = known.has(id) || wanted.isFirst === true
        const brought = await deploymentStatus(client, { id, wanted, isAbsent })
        known.add(id)
        return brought
      }),
    deploymentsOf: async (run) =>
      told(`list the deployments of run ${run.id} of ${here}`, async () => deploymentsOf(client, run)),
    ...runsOf(client),
  }
}

/** https://docs.github.com/en/rest/pulls/pulls#list-pull-requests-files */
const mostFiles = 3000

/** https://docs.github.com/en/rest/pulls/pulls#list-commits-on-a-pull-request */
const mostCommits = 250

// Pull requests

type Pull = {
  readonly number: number
  readonly state: string
  readonly draft?: boolean
  readonly merged_at?: string | null
  readonly user: { readonly login: string } | null
  readonly head: { readonly ref: string; readonly sha: string; readonly repo: { readonly full_name: string } | null }
  readonly base: { readonly ref: string; readonly sha: string; readonly repo: { readonly full_name: string } }
}

function pullOf({ number, state, draft, merged_at: mergedAt, user, head, base }: Pull): PullRequest {
  return {
    number,
    state: typeof mergedAt === 'string' ? 'merged' : state === 'open' ? 'open' : 'closed',
    isDraft: draft === true,
    author: user?.login ?? 'ghost',
    isFork: head.repo?.full_name.toLowerCase() !== base.repo.full_name.toLowerCase(),
    head: { branch: head.ref, commit: head.sha },
    base: { branch: base.ref, commit: base.sha },
  }
}

type StoredReview = {
  readonly user: { readonly login: string } | null
  readonly state: string
  readonly commit_id: string | null
  readonly submitted_at?: string
}

/**
 * Who else is named in a commit, by an address that GitHub has given out.
 * https://docs.github.com/en/pull-requests/committing-changes-to-your-project/creating-and-editing-commits/creating-a-commit-with-multiple-authors
 */
function coAuthors(message: string): readonly string[] {
  const named = message.matchAll(/^co-authored-by:[^<\n]*<(?:\d+\+)?([a-z0-9-]+)@users\.noreply\.github\.com>/gimu)
  return [...named].flatMap(([, login]) => login ?? [])
}

const verdicts = { APPROVED: 'approved', CHANGES_REQUESTED: 'refused', DISMISSED: 'dismissed' } as const

function reviewOf({ user, state, commit_id: commit, submitted_at: at }: StoredReview): Review {
  const known = state === 'APPROVED' || state === 'CHANGES_REQUESTED' || state === 'DISMISSED'
  return { by: user?.login ?? 'ghost', is: known ? verdicts[state] : 'commented', commit: commit ?? '', at: at ?? '' }
}

// People

/** GitHub writes names in any case, and takes them so. */
async function isMember(
  { octokit, at }: Client,
  { of, login }: { readonly of: string; readonly login: string },
): Promise<boolean> {
  const [name = '', team] = of.replace(/^@/u, '').split('/')
  try {
    if (team !== undefined) {
      const { data } = await octokit.rest.teams.getMembershipForUserInOrg({
        org: name,
        team_slug: team,
        username: login,
      })
      return data.state === 'active'
    }
    if (name.toLowerCase() !== login.toLowerCase()) return false
    const { data } = await octokit.rest.repos.getCollaboratorPermissionLevel({ ...at, username: login })
    return data.permission === 'write' || data.permission === 'admin'
  } catch (error) {
    if (isStatus(error, 404)) return false
    if (team === undefined || !isStatus(error, 403) || /rate limit/iu.test(wordsOf(error))) throw error
    throw new Refused('github-permission', `The token may not see who is in ${of}.`, {
      remedy:
        'Say `teams: true` below `workflows:` in catalog.yaml, and give the organisation a GitHub App for that: workflows/README.md says how. Or name people.',
      cause: error,
    })
  }
}

type File = { readonly filename: string; readonly status: string; readonly previous_filename?: string }

function fileOf({ filename, status, previous_filename: was }: File): ChangedFile {
  const change =
    status === 'added' || status === 'copied'
      ? 'added'
      : status === 'removed' || status === 'renamed'
        ? status
        : 'changed'
  return { path: filename, change, ...(was !== undefined && change === 'renamed' && { was }) }
}

// The comment

type Comment = { readonly id: number; readonly body: string }

/** What there is of ours is read from all pages: a pull request may have hundreds of other comments. The oldest first. */
async function ownComments(
  { octokit, at, login }: Client,
  { pullRequest, kind, subject }: StickyComment,
): Promise<readonly Comment[]> {
  const all = await octokit.paginate(octokit.rest.issues.listComments, {
    ...at,
    issue_number: pullRequest,
    per_page: 100,
  })
  return all
    .filter(({ user, body }) => user?.login === login && markedKind(body ?? '') === kind)
    .filter(({ body }) => subject === undefined || markedSubject(body ?? '') === subject)
    .map(({ id, body }) => ({ id, body: body ?? '' }))
    .toSorted((a, b) => a.id - b.id)
}

async function comment(client: Client, wanted: StickyComment): Promise<Brought | 'absent'> {
  const { octokit, at, pause } = client
  const body = wanted.body.markdown
  const [first, ...doubles] = await ownComments(client, wanted)
  for (const { id } of doubles) await removeComment(client, id)
  if (first !== undefined) {
    if (isSame(first.body, body)) return doubles.length > 0 ? 'updated' : 'unchanged'
    await ensure({
      look: async () => {
        const { data } = await octokit.rest.issues.getComment({ ...at, comment_id: first.id })
        return isSame(data.body ?? '', body) ? data.id : undefined
      },
      act: async () => (await octokit.rest.issues.updateComment({ ...at, comment_id: first.id, body })).data.id,
      pause,
      isAbsent: true,
    })
    return 'updated'
  }
  if (wanted.onlyIfThere) return 'absent'
  await ensure({
    look: async () => (await ownComments(client, wanted))[0]?.id,
    act: async () =>
      (await octokit.rest.issues.createComment({ ...at, issue_number: wanted.pullRequest, body })).data.id,
    pause,
    isAbsent: true,
  })
  return 'created'
}

async function removeComment({ octokit, at }: Client, id: number): Promise<void> {
  try {
    await octokit.rest.issues.deleteComment({ ...at, comment_id: id })
  } catch (error) {
    // Another run was faster, or the answer was lost; what is left is removed the next time.
    if (!isStatus(error, 404, 410, 500, 502, 503, 504)) throw error
  }
}

/** GitHub may give back other line ends than it was given, and drops blanks at the end. */
function isSame(one: string, other: string): boolean {
  const plain = (text: string): string => text.replaceAll('\r\n', '\n').trimEnd()
  return plain(one) === plain(other)
}

// The check

/** Our checks of a name on a commit, the oldest first; there are several only if two runs made one at the same moment. */
async function ownChecks({ octokit, at, app }: Client, { commit, name }: Pick<Check, 'commit' | 'name'>) {
  const all = await octokit.paginate(octokit.rest.checks.listForRef, {
    ...at,
    ref: commit,
    check_name: name,
    filter: 'all',
    per_page: 100,
  })
  return all.filter((run) => run.app?.slug === app).toSorted((a, b) => a.id - b.id)
}

type StoredRun = Awaited<ReturnType<typeof ownChecks>>[number]

async function check(client: Client, wanted: Check): Promise<Brought> {
  const { octokit, at, pause } = client
  const content = {
    status: 'completed',
    conclusion: wanted.conclusion,
    ...(wanted.key !== undefined && { external_id: wanted.key }),
    ...(wanted.details !== undefined && { details_url: wanted.details.url }),
    output: {
      title: shorten(line(wanted.title), 255),
      summary: wanted.summary.markdown,
      ...(wanted.text !== undefined && { text: wanted.text.markdown }),
    },
  } as const
  const isAsWanted = ({ conclusion, external_id: key, output }: StoredRun): boolean =>
    conclusion === wanted.conclusion &&
    (key ?? '') === (wanted.key ?? '') &&
    output.title === content.output.title &&
    isSame(output.summary ?? '', content.output.summary) &&
    isSame(output.text ?? '', wanted.text?.markdown ?? '')
  const known = await ownChecks(client, wanted)
  if (known.length === 0) {
    await ensure({
      look: async () => (await ownChecks(client, wanted))[0]?.id,
      act: async () =>
        (await octokit.rest.checks.create({ ...at, head_sha: wanted.commit, name: wanted.name, ...content })).data.id,
      pause,
      isAbsent: true,
    })
    return 'created'
  }
  const others = known.filter((run) => !isAsWanted(run))
  for (const { id } of others) {
    await ensure({
      look: async () => (await ownChecks(client, wanted)).find((run) => run.id === id && isAsWanted(run))?.id,
      act: async () => (await octokit.rest.checks.update({ ...at, check_run_id: id, ...content })).data.id,
      pause,
      isAbsent: true,
    })
  }
  return others.length === 0 ? 'unchanged' : 'updated'
}

// Deployments

/** The key is in the payload, where GitHub keeps it as it is; nothing of it can be searched for, so the commit's are listed. */
async function deployment({ octokit, at, login, pause }: Client, wanted: Deployment): Promise<Ensured<number>> {
  const { key, commit, environment, isProduction, description } = wanted
  return ensure({
    look: async () => {
      const all = await octokit.paginate(octokit.rest.repos.listDeployments, {
        ...at,
        sha: commit,
        environment,
        per_page: 100,
      })
      const ours = all.filter(({ creator, payload }) => creator?.login === login && keyOf(payload) === key)
      return ours.map(({ id }) => id).toSorted((a, b) => a - b)[0]
    },
    act: async () => {
      const { data } = await octokit.rest.repos.createDeployment({
        ...at,
        ref: commit,
        environment,
        description: short(description),
        payload: { protium: key },
        production_environment: isProduction,
        transient_environment: false,
        // What may be deployed has been decided; GitHub shall neither merge nor judge.
        auto_merge: false,
        required_contexts: [],
      })
      if (!('id' in data)) throw new TypeError('GitHub merged instead of deploying, although it was told not to.')
      return data.id
    },
    pause,
    ...(wanted.isFirst && { isAbsent: true }),
  })
}

async function deploymentsOf(
  client: Client,
  { id: run, commit }: { readonly id: string; readonly commit: string },
): Promise<readonly StoredDeployment[]> {
  const { octokit, at, login } = client
  const all = await octokit.paginate(octokit.rest.repos.listDeployments, { ...at, sha: commit, per_page: 100 })
  const ours = all.flatMap(({ id, creator, payload, environment }) => {
    const key = keyOf(payload)
    const isOurs = creator?.login === login && typeof key === 'string' && key.endsWith(` ${run}`)
    return isOurs ? [{ id, key, environment }] : []
  })
  return Promise.all(ours.map(async (each) => ({ ...each, states: await statesOf(client, each.id) })))
}

/** GitHub gives a payload back as the map that it was, or as its text. */
function keyOf(payload: unknown): unknown {
  const data = typeof payload === 'string' ? parsed(payload) : payload
  return typeof data === 'object' && data !== null && 'protium' in data ? data.protium : undefined
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

async function deploymentStatus(
  { octokit, at, login, pause }: Client,
  { id, wanted, isAbsent }: { readonly id: number; readonly wanted: DeploymentStatus; readonly isAbsent: boolean },
): Promise<Brought> {
  const description = short(wanted.description)
  const { is } = await ensure({
    look: async () => {
      const { data } = await octokit.rest.repos.listDeploymentStatuses({ ...at, deployment_id: id, per_page: 30 })
      const newest = data.toSorted((a, b) => b.id - a.id)[0]
      const isThere =
        newest !== undefined &&
        newest.creator?.login === login &&
        newest.state === wanted.state &&
        newest.description === description &&
        (newest.log_url ?? '') === (wanted.log?.url ?? '') &&
        (newest.environment_url ?? '') === (wanted.address?.url ?? '')
      return isThere ? newest.id : undefined
    },
    act: async () => {
      const { data } = await octokit.rest.repos.createDeploymentStatus({
        ...at,
        deployment_id: id,
        state: wanted.state,
        description,
        ...(wanted.log !== undefined && { log_url: wanted.log.url }),
        ...(wanted.address !== undefined && { environment_url: wanted.address.url }),
        auto_inactive: true,
      })
      return data.id
    },
    pause,
    isAbsent,
  })
  return is === 'found' ? 'unchanged' : 'created'
}

/** GitHub takes 140 characters. https://docs.github.com/en/rest/deployments/statuses#create-a-deployment-status */
function short(description: string): string {
  return shorten(line(description), 140)
}
