import { emitPull, emitReview } from './events.ts'
import { moveRef } from './git.ts'
import { type Identity, loginOf, roleOf } from './identity.ts'
import { type Json, type JsonMap, listAt, mapAt, number, text, textAt } from './json.ts'
import { copyObjects, isAncestor, refSha, signatureOf } from './objects.ts'
import { comparison, type Found, mergedFiles, mergedPull, pullView, wholePull } from './pull-view.ts'
import { mergeRules } from './rules.ts'
import { fullNameOf, type Pull, type Repository, repositoryOf } from './state.ts'
import {
  actorOf,
  type Answer,
  type Call,
  dressed,
  Failure,
  type Handler,
  idIn,
  invalid,
  listed,
  now,
  pass,
  read,
  repositoryIn,
  type World,
  written,
  writeGit,
} from './world.ts'

/** Emulate keeps a pull request's words; where its branches are, what it changes and how it is merged is kept here. */
export const pullsHandlers: Readonly<Record<string, Handler>> = {
  'pulls/create': createPull,
  'pulls/create-review': createReview,
  'pulls/dismiss-review': pass,
  'pulls/get': async (world, call) => ({
    status: 200,
    body: await wholePull(world, call.identity, pullIn(world, call)),
  }),
  'pulls/list': listPulls,
  'pulls/list-commits': async (world, call) =>
    listed(world, call, listAt(await comparison(world, pullIn(world, call)), 'commits')),
  'pulls/list-files': async (world, call) =>
    listed(world, call, listAt(await comparison(world, pullIn(world, call)), 'files')),
  'pulls/merge': mergePull,
  'pulls/update': updatePull,
  'repos/list-pull-requests-associated-with-commit': pullsOfCommit,
}

function pullIn(world: World, call: Call): Found {
  const repository = repositoryIn(world, call)
  const pull = repository.pulls[idIn(call, 'pull_number')]
  if (pull === undefined) throw new Failure(404, 'Not Found')
  return { repository, pull }
}

export async function createPull(world: World, call: Call): Promise<Answer> {
  const repository = repositoryIn(world, call)
  refuseLong('PullRequest', call.body)
  const title = textAt(call.body, 'title')
  if (title === undefined)
    throw new Failure(422, 'Validation Failed', [{ resource: 'PullRequest', field: 'title', code: 'missing_field' }])
  const head = headOf(world, repository, text(call.body, 'head'))
  const base = text(call.body, 'base')
  const baseSha = await refSha(world, repository, `refs/heads/${base}`)
  if (baseSha === undefined) throw invalid('PullRequest', 'base')
  const source = head === undefined ? undefined : repositoryOf(world.state, head.repository)
  const headSha =
    source === undefined || head === undefined ? undefined : await refSha(world, source, `refs/heads/${head.branch}`)
  if (head === undefined || source === undefined || headSha === undefined) throw invalid('PullRequest', 'head')
  refuseUnknown(world, source, head.branch, base)
  const label = `${source.owner}:${head.branch}`
  if (Object.values(repository.pulls).some((pull) => pull.open && sameBranches(pull, head, base))) {
    throw invalid('PullRequest', 'head', `A pull request already exists for ${label}.`)
  }
  await copyObjects(world, { from: source, to: repository, sha: headSha })
  if (await isAncestor(world, repository, { older: headSha, newer: baseSha })) {
    throw invalid('PullRequest', 'head', `No commits between ${base} and ${head.branch}`)
  }
  const actor = actorOf(world, call.identity, repository)
  const body = { ...call.body, head: source === repository ? head.branch : label }
  const made = await written(world, { actor, repository, method: 'POST', path: '/pulls', body })
  const pull: Pull = {
    number: number(made, 'number'),
    author: loginOf(call.identity),
    head,
    base,
    headSha,
    baseSha,
    open: true,
    draft: call.body['draft'] === true,
    timeline: [],
  }
  repository.pulls[pull.number] = pull
  const ref = `refs/pull/${pull.number}/head`
  await writeGit(world, repository, { method: 'POST', path: '/git/refs', body: { ref, sha: headSha } })
  await emitPull(world, { action: 'opened', repository, pull, identity: call.identity })
  return { status: 201, body: await wholePull(world, call.identity, { repository, pull }) }
}

/** What compares branches is behind: the branch is there, and nothing can be said of it yet. */
function refuseUnknown(world: World, source: Repository, branch: string, base: string): void {
  const lag = world.comparing.get(`${fullNameOf(source)} refs/heads/${branch}`)
  if (lag === undefined || (lag.left === 0 && lag.until <= world.clock.now().getTime())) return
  if (lag.left > 0) lag.left -= 1
  throw invalid('PullRequest', 'base', notThere(base, branch))
}

/** What GitHub says of a branch that is not there, or not yet. */
export function notThere(base: string, head: string): string {
  return `Head sha can't be blank, Base sha can't be blank, No commits between ${base} and ${head}, Head ref must be a branch`
}

function sameBranches(pull: Pull, head: Pull['head'], base: string): boolean {
  return pull.head.repository === head.repository && pull.head.branch === head.branch && pull.base === base
}

/** `branch`, or `owner:branch` of the repository or of a fork of it. */
function headOf(world: World, repository: Repository, head: string): Pull['head'] | undefined {
  const [owner, branch] = head.includes(':') ? head.split(':', 2) : [repository.owner, head]
  if (owner === undefined || branch === undefined || branch === '') return undefined
  if (owner === repository.owner) return { repository: fullNameOf(repository), branch }
  const fork = Object.values(world.state.repositories).find(
    (each) => each.owner === owner && each.parent === fullNameOf(repository),
  )
  return fork === undefined ? undefined : { repository: fullNameOf(fork), branch }
}

async function listPulls(world: World, call: Call): Promise<Answer> {
  const repository = repositoryIn(world, call)
  const state = call.query.get('state') ?? 'open'
  const head = call.query.get('head')
  const base = call.query.get('base')
  const direction = call.query.get('direction') ?? (call.query.get('sort') === null ? 'desc' : 'asc')
  const wanted = Object.values(repository.pulls)
    .filter((pull) => state === 'all' || pull.open === (state === 'open'))
    .filter((pull) => head === null || `${pull.head.repository.split('/')[0]}:${pull.head.branch}` === head)
    .filter((pull) => base === null || pull.base === base)
  const views: Json[] = []
  for (const pull of wanted) views.push(await pullView(world, call.identity, { repository, pull }))
  const sort = call.query.get('sort') === 'updated' ? 'updated_at' : 'created_at'
  views.sort((a, b) => order(text(a, sort), text(b, sort)) || number(a, 'number') - number(b, 'number'))
  return listed(world, call, direction === 'desc' ? views.toReversed() : views)
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

async function pullsOfCommit(world: World, call: Call): Promise<Answer> {
  const repository = repositoryIn(world, call)
  const sha = call.parameters['commit_sha'] ?? ''
  const views: Json[] = []
  for (const pull of Object.values(repository.pulls)) {
    const commits = listAt(await comparison(world, { repository, pull }), 'commits').map((commit) =>
      text(commit, 'sha'),
    )
    if (pull.headSha === sha || pull.merged?.sha === sha || commits.includes(sha)) {
      views.push(await pullView(world, call.identity, { repository, pull }))
    }
  }
  return listed(world, call, views)
}

export async function updatePull(world: World, call: Call): Promise<Answer> {
  const { repository, pull } = pullIn(world, call)
  refuseLong('PullRequest', call.body)
  const base = textAt(call.body, 'base') ?? pull.base
  const baseSha = base === pull.base ? pull.baseSha : await refSha(world, repository, `refs/heads/${base}`)
  if (baseSha === undefined) throw invalid('PullRequest', 'base')
  const state = textAt(call.body, 'state')
  if (state === 'open' && !pull.open) await refuseReopening(world, { repository, pull })
  const answer = await pass(world, call)
  if (answer.status >= 400) return answer
  const open = state === undefined ? pull.open : state === 'open'
  const changed = { ...pull, base, baseSha, open }
  const moment = { is: open ? 'reopened' : 'closed', at: now(world), by: loginOf(call.identity) } as const
  const updated = open === pull.open ? changed : { ...changed, timeline: [...pull.timeline, moment] }
  repository.pulls[pull.number] = updated
  if (open !== pull.open) {
    const action = open ? 'reopened' : 'closed'
    await emitPull(world, { action, repository, pull: updated, identity: call.identity })
  }
  return { status: 200, body: await wholePull(world, call.identity, { repository, pull: updated }) }
}

/** What is merged stays so, and what has no branch or no commits of its own any more cannot be opened again. */
async function refuseReopening(world: World, { repository, pull }: Found): Promise<void> {
  if (pull.merged !== undefined) throw invalid('PullRequest', 'state', 'Cannot reopen a merged pull request')
  const { branch } = pull.head
  const head = await refSha(world, repositoryOf(world.state, pull.head.repository), `refs/heads/${branch}`)
  if (head === undefined)
    throw invalid('PullRequest', 'state', `state cannot be changed. The ${branch} branch has been deleted.`)
  if (head !== pull.headSha)
    throw invalid(
      'PullRequest',
      'state',
      `state cannot be changed. The ${branch} branch was force-pushed or recreated.`,
    )
  const base = await refSha(world, repository, `refs/heads/${pull.base}`)
  if (base !== undefined && (await isAncestor(world, repository, { older: head, newer: base })))
    throw invalid('PullRequest', 'state', `state cannot be changed. There are no new commits on the ${branch} branch.`)
  if (Object.values(repository.pulls).some((other) => other.open && sameBranches(other, pull.head, pull.base)))
    throw invalid(
      'PullRequest',
      'state',
      `state cannot be changed. There is already an open pull request from ${branch}.`,
    )
}

async function createReview(world: World, call: Call): Promise<Answer> {
  const { repository, pull } = pullIn(world, call)
  const event = textAt(call.body, 'event')
  const isOwn = loginOf(call.identity) === pull.author
  if (isOwn && event === 'APPROVE')
    throw new Failure(422, 'Unprocessable Entity', ['Can not approve your own pull request'])
  if (isOwn && event === 'REQUEST_CHANGES') {
    throw new Failure(422, 'Unprocessable Entity', ['Can not request changes on your own pull request'])
  }
  const answer = await pass(world, { ...call, body: { commit_id: pull.headSha, ...call.body } })
  if (answer.status < 400 && event !== undefined && answer.body !== undefined) {
    await emitReview(world, {
      repository,
      pull,
      identity: call.identity,
      review: dressed(world, call.identity, answer.body),
    })
  }
  return answer.status === 201 ? { ...answer, status: 200 } : answer
}

/** Merges what was set to merge itself, once nothing is missing. */
export async function mergeWhenReady(world: World): Promise<void> {
  if ((world.state.numbers['auto-merge'] ?? 0) === 0) return
  for (const repository of Object.values(world.state.repositories)) {
    for (const pull of Object.values(repository.pulls)) {
      if (pull.autoMerge === undefined || !pull.open || pull.draft) continue
      const { by, method } = pull.autoMerge
      const body = { merge_method: method }
      try {
        await mergePull(world, callFor({ repository, pull }, { identity: by, operation: 'pulls/merge', body }))
      } catch (error) {
        if (!(error instanceof Failure)) throw error
      }
    }
  }
}

export type Wanted = { readonly identity: Identity; readonly operation: string; readonly body: JsonMap }

/** The request of the REST API that would do something to a pull request. */
export function callFor({ repository, pull }: Found, { identity, operation, body }: Wanted): Call {
  const { owner, name } = repository
  return {
    operation,
    method: 'PATCH',
    path: `/repos/${owner}/${name}/pulls/${pull.number}`,
    parameters: { owner, repo: name, pull_number: String(pull.number) },
    query: new URLSearchParams(),
    accept: '',
    body,
    identity,
    token: '',
  }
}

export async function mergePull(world: World, call: Call): Promise<Answer> {
  const { repository, pull } = pullIn(world, call)
  if (!pull.open) throw new Failure(405, 'Pull Request is not mergeable')
  const view = await read(world, `/repos/${fullNameOf(repository)}/pulls/${pull.number}`)
  if (pull.draft) throw new Failure(405, 'Pull Request is still a draft')
  const sha = textAt(call.body, 'sha')
  if (sha !== undefined && sha !== pull.headSha) {
    throw new Failure(409, 'Head branch was modified. Review and try the merge again.')
  }
  await refuseUnready(world, { repository, pull })
  const method = textAt(call.body, 'merge_method') ?? 'merge'
  const ours = await refSha(world, repository, `refs/heads/${pull.base}`)
  const merged = await mergedFiles(world, { repository, pull })
  if (ours === undefined || merged === undefined) throw new Failure(405, 'Pull Request is not mergeable')

  const owner = pull.head.repository.split('/')[0]
  const title =
    textAt(call.body, 'commit_title') ??
    (method === 'merge'
      ? `Merge pull request #${pull.number} from ${owner}/${pull.head.branch}`
      : `${text(view, 'title')} (#${pull.number})`)
  const message = textAt(call.body, 'commit_message') ?? (method === 'merge' ? text(view, 'title') : '')
  const tree = await writeGit(world, repository, {
    method: 'POST',
    path: '/git/trees',
    body: { tree: [...merged].map(([path, file]) => ({ path, ...file })) },
  })
  const signature = signatureOf(world, call.identity)
  const commit = await writeGit(world, repository, {
    method: 'POST',
    path: '/git/commits',
    body: {
      message: message === '' ? title : `${title}\n\n${message}`,
      tree: text(tree, 'sha'),
      parents: method === 'merge' ? [ours, pull.headSha] : [ours],
      author: signature,
      committer: signature,
    },
  })
  const mergeSha = text(commit, 'sha')
  world.state.signed[mergeSha] = true
  await written(world, {
    actor: actorOf(world, call.identity, repository),
    repository,
    method: 'PATCH',
    path: `/pulls/${pull.number}`,
    body: { state: 'closed' },
  })
  const updated = mergedPull(pull, { at: now(world), by: loginOf(call.identity), sha: mergeSha })
  repository.pulls[pull.number] = updated
  await moveRef(world, {
    repository,
    ref: `refs/heads/${pull.base}`,
    before: ours,
    after: mergeSha,
    identity: call.identity,
    unruled: 'merge',
  })
  await emitPull(world, { action: 'closed', repository, pull: updated, identity: call.identity })
  return { status: 200, body: { sha: mergeSha, merged: true, message: 'Pull Request successfully merged' } }
}

/** What rulesets ask of a pull request before it is merged. */
export async function refuseUnready(world: World, { repository, pull }: Found): Promise<void> {
  for (const { type, parameters } of mergeRules(repository, pull.base)) {
    if (type === 'pull_request') {
      const wanted = Number(mapAt({ parameters }, 'parameters')['required_approving_review_count'] ?? 0)
      const approvals = await approvers(world, { repository, pull })
      if (approvals.length < wanted) {
        const what = `At least ${wanted} approving review is required by reviewers with write access.`
        throw new Failure(405, `Repository rule violations found\n\n${what}\n\n`)
      }
    }
    if (type === 'required_status_checks') {
      for (const check of listAt(parameters, 'required_status_checks')) {
        const context = text(check, 'context')
        if (!isGreen(repository, pull.headSha, context)) {
          throw new Failure(
            405,
            `Repository rule violations found\n\nRequired status check "${context}" is expected.\n\n`,
          )
        }
      }
    }
  }
}

async function approvers(world: World, found: Found): Promise<readonly string[]> {
  return (await verdicts(world, found)).filter(({ state }) => state === 'APPROVED').map(({ login }) => login)
}

/** The last word of each reviewer that may write, beside mere comments. */
export async function verdicts(
  world: World,
  { repository, pull }: Found,
): Promise<readonly { readonly login: string; readonly state: string }[]> {
  const reviews = await read(world, `/repos/${fullNameOf(repository)}/pulls/${pull.number}/reviews?per_page=100`)
  const last = new Map<string, string>()
  for (const review of Array.isArray(reviews) ? reviews : []) {
    if (text(review, 'state') !== 'COMMENTED') last.set(text(mapAt(review, 'user'), 'login'), text(review, 'state'))
  }
  return [...last].filter(([login]) => mayWrite(world, login, repository)).map(([login, state]) => ({ login, state }))
}

function mayWrite(world: World, login: string, repository: Repository): boolean {
  const role = roleOf(world.state, login, repository)
  return role === 'write' || role === 'maintain' || role === 'admin'
}

function isGreen(repository: Repository, sha: string, context: string): boolean {
  const check = repository.checks.findLast((run) => run.sha === sha && run.name === context)
  if (check !== undefined) return ['success', 'neutral', 'skipped'].includes(check.conclusion ?? '')
  return repository.statuses.findLast((status) => status.sha === sha && status.context === context)?.state === 'success'
}

/** GitHub's lengths: 256 characters for a title, 65,536 for a text (counted in characters, not in bytes). */
export function refuseLong(resource: string, body: JsonMap): void {
  const limits = { title: 256, body: 65_536 }
  for (const [field, limit] of Object.entries(limits)) {
    const length = [...(textAt(body, field) ?? '')].length
    if (length > limit) throw invalid(resource, field, `${field} is too long (maximum is ${limit} characters)`)
  }
}
