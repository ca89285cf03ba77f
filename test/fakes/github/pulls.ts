import { emitPull, emitReview } from './events.ts'
import { moveRef } from './git.ts'
import { loginOf, roleOf } from './identity.ts'
import { isMap, type Json, type JsonMap, listAt, mapAt, number, text, textAt } from './json.ts'
import { copyObjects, isAncestor, refSha, signatureOf } from './objects.ts'
import { comparison, type Found, mergedFiles, pullView, wholePull } from './pull-view.ts'
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

async function createPull(world: World, call: Call): Promise<Answer> {
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
  }
  repository.pulls[pull.number] = pull
  const ref = `refs/pull/${pull.number}/head`
  await writeGit(world, repository, { method: 'POST', path: '/git/refs', body: { ref, sha: headSha } })
  await emitPull(world, { action: 'opened', repository, pull, identity: call.identity })
  return { status: 201, body: await wholePull(world, call.identity, { repository, pull }) }
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
  if (state === 'open' && pull.merged !== undefined)
    throw invalid('PullRequest', 'state', 'Cannot reopen a merged pull request')
  const answer = await pass(world, call)
  if (answer.status >= 400) return answer
  const open = state === undefined ? pull.open : state === 'open'
  const updated = { ...pull, base, baseSha, open }
  repository.pulls[pull.number] = updated
  if (open !== pull.open) {
    const action = open ? 'reopened' : 'closed'
    await emitPull(world, { action, repository, pull: updated, identity: call.identity })
  }
  return { status: 200, body: await wholePull(world, call.identity, { repository, pull: updated }) }
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

async function mergePull(world: World, call: Call): Promise<Answer> {
  const { repository, pull } = pullIn(world, call)
  if (!pull.open) throw new Failure(405, 'Pull Request is not mergeable')
  const view = await read(world, `/repos/${fullNameOf(repository)}/pulls/${pull.number}`)
  if (isMap(view) && view['draft'] === true) throw new Failure(405, 'Pull Request is still a draft')
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
  await written(world, {
    actor: actorOf(world, call.identity, repository),
    repository,
    method: 'PATCH',
    path: `/pulls/${pull.number}`,
    body: { state: 'closed' },
  })
  const updated: Pull = {
    ...pull,
    open: false,
    merged: { at: now(world), by: loginOf(call.identity), sha: mergeSha },
  }
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
async function refuseUnready(world: World, { repository, pull }: Found): Promise<void> {
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

/** Who approves the pull request: by the last word of each reviewer that may write. */
async function approvers(world: World, { repository, pull }: Found): Promise<readonly string[]> {
  const reviews = await read(world, `/repos/${fullNameOf(repository)}/pulls/${pull.number}/reviews?per_page=100`)
  const last = new Map<string, string>()
  for (const review of Array.isArray(reviews) ? reviews : []) {
    if (text(review, 'state') !== 'COMMENTED') last.set(text(mapAt(review, 'user'), 'login'), text(review, 'state'))
  }
  return [...last]
    .filter(([login, state]) => state === 'APPROVED' && mayWrite(world, login, repository))
    .map(([login]) => login)
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
