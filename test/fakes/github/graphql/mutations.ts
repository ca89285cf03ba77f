import { emitPull } from '../events.ts'
import { knownCommit, moveRef, refuseMove } from '../git.ts'
import { loginOf } from '../identity.ts'
import { type Json, type JsonMap, listAt, mapAt, number, text, textAt } from '../json.ts'
import { isAncestor, type Move, refSha, signatureOf } from '../objects.ts'
import type { Found } from '../pull-view.ts'
import { callFor, createPull, mergePull, notThere, updatePull } from '../pulls.ts'
import { mergeRules } from '../rules.ts'
import { findRepository, fullNameOf, nextNumber, type Pull, type Repository } from '../state.ts'
import { nodeOf, now, read, writeGit } from '../world.ts'
import { mergeState } from './pulls.ts'
import {
  actor,
  allow,
  GraphqlFailure,
  noNode,
  pullById,
  repositoryById,
  type Scene,
  unprocessable,
  type View,
} from './scene.ts'

const none = '0'.repeat(40)

/** What can be done: each by its name, with its `input`. `refused` is told of what is too much new content. */
export function mutation(scene: Scene, refused: () => void): View {
  const did = (type: string, work: (input: JsonMap) => Promise<Readonly<Record<string, View | null>>>) => {
    return async (args: JsonMap): Promise<View> => {
      const input = mapAt(args, 'input')
      return { __typename: type, clientMutationId: textAt(input, 'clientMutationId') ?? null, ...(await work(input)) }
    }
  }
  const changed = (type: string, change: (found: Found, input: JsonMap) => Promise<void>) =>
    did(type, async (input) => {
      const found = writable(scene, pullById(scene, text(input, 'pullRequestId')))
      await change(found, input)
      const pull = found.repository.pulls[found.pull.number]
      const view = pull === undefined ? null : scene.show.pull(scene, { repository: found.repository, pull })
      return { pullRequest: view, actor: actor(scene, loginOf(scene.identity)) }
    })
  return {
    __typename: 'Mutation',
    updateRefs: did('UpdateRefsPayload', (input) => updateRefs(scene, input)),
    createRef: did('CreateRefPayload', (input) => createRef(scene, input)),
    updateRef: did('UpdateRefPayload', (input) => updateRef(scene, input)),
    deleteRef: did('DeleteRefPayload', (input) => deleteRef(scene, input)),
    createCommitOnBranch: did('CreateCommitOnBranchPayload', (input) => createCommitOnBranch(scene, input)),
    createPullRequest: did('CreatePullRequestPayload', (input) => createPullRequest(scene, input, refused)),
    updatePullRequest: changed('UpdatePullRequestPayload', (found, input) => updatePullRequest(scene, found, input)),
    closePullRequest: changed('ClosePullRequestPayload', (found) => patch(scene, found, { state: 'closed' })),
    reopenPullRequest: changed('ReopenPullRequestPayload', (found) => patch(scene, found, { state: 'open' })),
    convertPullRequestToDraft: changed('ConvertPullRequestToDraftPayload', (found) =>
      toggle(scene, found, 'converted_to_draft'),
    ),
    markPullRequestReadyForReview: changed('MarkPullRequestReadyForReviewPayload', (found) =>
      toggle(scene, found, 'ready_for_review'),
    ),
    enablePullRequestAutoMerge: changed('EnablePullRequestAutoMergePayload', (found, input) =>
      enableAutoMerge(scene, found, input),
    ),
    disablePullRequestAutoMerge: changed('DisablePullRequestAutoMergePayload', async ({ repository, pull }) => {
      allow(scene, repository, 'pulls/merge')
      const { autoMerge: _off, ...rest } = pull
      repository.pulls[pull.number] = rest
    }),
    mergePullRequest: changed('MergePullRequestPayload', async (found, input) => {
      allow(scene, found.repository, 'pulls/merge')
      const body = {
        merge_method: (textAt(input, 'mergeMethod') ?? 'MERGE').toLowerCase(),
        ...picked(input, { expectedHeadOid: 'sha', commitHeadline: 'commit_title', commitBody: 'commit_message' }),
      }
      await mergePull(scene.world, callFor(found, { identity: scene.identity, operation: 'pulls/merge', body }))
    }),
  }
}

/** Fields of an input under the names that the REST API has for them. */
function picked(input: JsonMap, names: Readonly<Record<string, string>>): JsonMap {
  return Object.fromEntries(
    Object.entries(names).flatMap(([from, to]) => (input[from] === undefined ? [] : [[to, input[from]]])),
  )
}

function refuseReadOnly(repository: Repository): void {
  if (repository.archived) throw new GraphqlFailure('FORBIDDEN', 'Repository was archived so is read-only.')
  if (repository.disabled === true || repository.locked === true)
    throw new GraphqlFailure('FORBIDDEN', `Repository access blocked`)
}

function writable(scene: Scene, found: Found): Found {
  allow(scene, found.repository, 'pulls/update')
  refuseReadOnly(found.repository)
  return found
}

type RefUpdate = { readonly name: string; readonly before?: string; readonly after: string; readonly force: boolean }

/** All of them or none. */
async function updateRefs(scene: Scene, input: JsonMap): Promise<Readonly<Record<string, View | null>>> {
  const repository = repositoryById(scene, text(input, 'repositoryId'))
  allow(scene, repository, 'git/update-ref')
  refuseReadOnly(repository)
  const moves: Move[] = []
  for (const each of listAt(input, 'refUpdates')) {
    const before = textAt(each, 'beforeOid')
    const update = {
      name: text(each, 'name'),
      ...(before === undefined ? {} : { before: oid(before) }),
      after: oid(text(each, 'afterOid')),
      force: mapAt({ each }, 'each')['force'] === true,
    }
    const move = await moveOf(scene, repository, update)
    if (move !== undefined) moves.push(move)
  }
  for (const move of moves) await refuseMove(scene.world, move)
  for (const move of moves) await moveRef(scene.world, move)
  return {}
}

/** What an update comes to; `undefined` where the ref is there already. */
async function moveOf(scene: Scene, repository: Repository, update: RefUpdate): Promise<Move | undefined> {
  const { name: ref, before, after, force } = update
  const { world, identity } = scene
  if (!/^refs\/(?:heads|tags)\/./.test(ref)) throw unprocessable(`${ref} is no qualified name of a branch or a tag`)
  const is = await refSha(world, repository, ref)
  if (before !== undefined && before !== (is ?? none))
    throw new GraphqlFailure('STALE_DATA', `${ref} was expected to be at ${before}, and is not`)
  const move = { repository, ref, identity, ...(is === undefined ? {} : { before: is }) }
  if (after === none) {
    if (is === undefined) throw unprocessable(`Reference does not exist`)
    return move
  }
  await knownCommit(world, repository, after)
  if (is === after) return undefined
  if (is !== undefined && !force && !(await isAncestor(world, repository, { older: is, newer: after })))
    throw unprocessable('Update is not a fast forward')
  return { ...move, after }
}

function oid(value: string): string {
  if (!/^[0-9a-f]{40}$/.test(value)) throw new GraphqlFailure('INVALID_ARGUMENT', `${value} is no GitObjectID`)
  return value
}

async function createRef(scene: Scene, input: JsonMap): Promise<Readonly<Record<string, View | null>>> {
  const repository = repositoryById(scene, text(input, 'repositoryId'))
  allow(scene, repository, 'git/create-ref')
  refuseReadOnly(repository)
  const name = text(input, 'name')
  if ((await refSha(scene.world, repository, name)) !== undefined)
    throw unprocessable(`A ref named "${name}" already exists in the repository.`)
  const move = await moveOf(scene, repository, { name, after: oid(text(input, 'oid')), force: false })
  if (move !== undefined) await moveRef(scene.world, move)
  return { ref: await scene.show.ref(scene, repository, name) }
}

function refById(scene: Scene, id: string): { readonly repository: Repository; readonly name: string } {
  const { kind, ids = [] } = nodeOf(id) ?? {}
  const repository = Object.values(scene.world.state.repositories).find((each) => String(each.id) === ids[0])
  const name = ids.slice(1).join(':')
  if (kind !== 'REF' || repository === undefined) throw noNode(id)
  allow(scene, repository, 'git/get-ref')
  return { repository, name }
}

async function updateRef(scene: Scene, input: JsonMap): Promise<Readonly<Record<string, View | null>>> {
  const { repository, name } = refById(scene, text(input, 'refId'))
  allow(scene, repository, 'git/update-ref')
  refuseReadOnly(repository)
  const force = input['force'] === true
  const move = await moveOf(scene, repository, { name, after: oid(text(input, 'oid')), force })
  if (move !== undefined) await moveRef(scene.world, move)
  return { ref: await scene.show.ref(scene, repository, name) }
}

async function deleteRef(scene: Scene, input: JsonMap): Promise<Readonly<Record<string, View | null>>> {
  const { repository, name } = refById(scene, text(input, 'refId'))
  allow(scene, repository, 'git/delete-ref')
  refuseReadOnly(repository)
  const move = await moveOf(scene, repository, { name, after: none, force: true })
  if (move !== undefined) await moveRef(scene.world, move)
  return {}
}

/** A commit on top of a branch, if that is still where it was thought to be. All files become plain ones. */
async function createCommitOnBranch(scene: Scene, input: JsonMap): Promise<Readonly<Record<string, View | null>>> {
  const { world, identity } = scene
  const branch = mapAt(input, 'branch')
  const id = textAt(branch, 'id')
  const named = textAt(branch, 'repositoryNameWithOwner') ?? ''
  const byName = findRepository(world.state, world.state.renamed[named] ?? named)
  if (id === undefined && byName === undefined)
    throw new GraphqlFailure('NOT_FOUND', `Could not resolve to a Repository with the name '${named}'.`)
  const target = id === undefined ? undefined : refById(scene, id)
  const repository = target?.repository ?? byName
  if (repository === undefined) throw noNode(id ?? named)
  allow(scene, repository, 'git/create-commit')
  refuseReadOnly(repository)
  const given = textAt(branch, 'branchName') ?? ''
  const ref = target?.name ?? (given.startsWith('refs/') ? given : `refs/heads/${given}`)
  const before = await refSha(world, repository, ref)
  if (before === undefined) throw new GraphqlFailure('NOT_FOUND', `No ref exists named "${ref}"`)
  const expected = oid(text(input, 'expectedHeadOid'))
  if (before !== expected)
    throw new GraphqlFailure(
      'STALE_DATA',
      `Expected branch to point to "${expected}" but it did not.  Pull and try again.`,
    )
  const message = mapAt(input, 'message')
  const body = textAt(message, 'body') ?? ''
  const after = await committed(scene, repository, {
    before,
    changes: mapAt(input, 'fileChanges'),
    message: `${text(message, 'headline')}${body === '' ? '' : `\n\n${body}`}`,
  })
  await moveRef(world, { repository, ref, before, after, identity })
  return { commit: scene.show.commit(scene, repository, after), ref: await scene.show.ref(scene, repository, ref) }
}

type NewCommit = { readonly before: string; readonly changes: JsonMap; readonly message: string }

async function committed(
  scene: Scene,
  repository: Repository,
  { before, changes, message }: NewCommit,
): Promise<string> {
  const { world, identity } = scene
  const home = `/repos/${fullNameOf(repository)}/git`
  const base = text(mapAt(await read(world, `${home}/commits/${before}`), 'tree'), 'sha')
  const old = listAt(await read(world, `${home}/trees/${base}?recursive=1`), 'tree').map((each) => text(each, 'path'))
  const entries: Json[] = []
  for (const addition of listAt(changes, 'additions')) {
    const content = { content: text(addition, 'contents'), encoding: 'base64' }
    const blob = await writeGit(world, repository, { method: 'POST', path: '/git/blobs', body: content })
    entries.push({ path: text(addition, 'path'), mode: '100644', type: 'blob', sha: text(blob, 'sha') })
  }
  for (const deletion of listAt(changes, 'deletions')) {
    const path = text(deletion, 'path')
    if (!old.includes(path))
      throw unprocessable(
        `A path was requested for deletion which does not exist as of commit oid \`${before}\`: ${path}`,
      )
    entries.push({ path, mode: '100644', type: 'blob', sha: null })
  }
  const body = { tree: entries, base_tree: base }
  const tree =
    entries.length === 0
      ? base
      : text(await writeGit(world, repository, { method: 'POST', path: '/git/trees', body }), 'sha')
  const signature = signatureOf(world, identity)
  const made = await writeGit(world, repository, {
    method: 'POST',
    path: '/git/commits',
    body: { message, tree, parents: [before], author: signature, committer: signature },
  })
  const sha = text(made, 'sha')
  world.state.signed[sha] = true
  return sha
}

async function createPullRequest(
  scene: Scene,
  input: JsonMap,
  refused: () => void,
): Promise<Readonly<Record<string, View | null>>> {
  const { world, identity } = scene
  const repository = repositoryById(scene, text(input, 'repositoryId'))
  allow(scene, repository, 'pulls/create')
  refuseReadOnly(repository)
  if (world.limits.create(identity, world.clock.now()) !== undefined) {
    refused()
    throw unprocessable('was submitted too quickly')
  }
  const [head, base] = [text(input, 'headRefName'), text(input, 'baseRefName')]
  const branch = head.replace(/^refs\/heads\//, '')
  const target = base.replace(/^refs\/heads\//, '')
  if (!branch.includes(':')) {
    const exists = (await refSha(world, repository, `refs/heads/${branch}`)) !== undefined
    if (!exists) throw unprocessable(notThere(target, branch))
  }
  const title = text(input, 'title')
  const body = {
    ...picked(input, { body: 'body', draft: 'draft', maintainerCanModify: 'maintainer_can_modify' }),
    title,
    head: branch,
    base: target,
  }
  const { owner, name } = repository
  const answer = await createPull(world, {
    operation: 'pulls/create',
    method: 'POST',
    path: `/repos/${owner}/${name}/pulls`,
    parameters: { owner, repo: name },
    query: new URLSearchParams(),
    accept: '',
    body,
    identity,
    token: '',
  })
  const pull = repository.pulls[number(answer.body, 'number')]
  return { pullRequest: pull === undefined ? null : scene.show.pull(scene, { repository, pull }) }
}

async function updatePullRequest(scene: Scene, found: Found, input: JsonMap): Promise<void> {
  const unknown = ['assigneeIds', 'labelIds', 'milestoneId', 'projectIds'].filter((key) => key in input)
  if (unknown.length > 0) throw new Error(`The local GitHub does not change ${unknown.join(', ')} by updatePullRequest`)
  const state = textAt(input, 'state')
  await patch(scene, found, {
    ...picked(input, { title: 'title', body: 'body', baseRefName: 'base' }),
    ...(state === undefined ? {} : { state: state === 'OPEN' ? 'open' : 'closed' }),
  })
}

async function patch({ world, identity }: Scene, found: Found, body: JsonMap): Promise<void> {
  await updatePull(world, callFor(found, { identity, operation: 'pulls/update', body }))
}

async function toggle(
  { world, identity }: Scene,
  { repository, pull }: Found,
  action: 'converted_to_draft' | 'ready_for_review',
): Promise<void> {
  if (!pull.open) throw unprocessable('Pull request is closed')
  const draft = action === 'converted_to_draft'
  if (pull.draft === draft) return
  // A draft is neither in a queue nor merged by itself.
  const { autoMerge: _auto, inMergeQueue: _queued, ...rest } = pull
  const updated: Pull = draft ? { ...rest, draft } : { ...pull, draft }
  repository.pulls[pull.number] = updated
  await emitPull(world, { action, repository, pull: updated, identity })
}

/** GitHub refuses it where nothing is to be waited for, and says so in words that begin with "Pull request" twice. */
async function enableAutoMerge(scene: Scene, found: Found, input: JsonMap): Promise<void> {
  const { repository, pull } = found
  const { world, identity } = scene
  allow(scene, repository, 'pulls/merge')
  const refuse = (reason: string): never => {
    throw unprocessable(`Pull request ${reason}`)
  }
  if (repository.settings?.autoMerge !== true) refuse('Auto merge is not allowed for this repository')
  if (!pull.open) refuse('Pull request is closed')
  if (mergeRules(repository, pull.base).length === 0) refuse('Protected branch rules not configured for this branch')
  const expected = textAt(input, 'expectedHeadOid')
  if (expected !== undefined && expected !== pull.headSha) refuse('Head branch was modified')
  const state = await mergeState(world, found)
  if (state === 'CLEAN' || state === 'UNSTABLE') refuse(`Pull request is in ${state.toLowerCase()} status`)
  const method = (textAt(input, 'mergeMethod') ?? 'MERGE').toLowerCase()
  nextNumber(world.state, 'auto-merge')
  repository.pulls[pull.number] = {
    ...pull,
    autoMerge: { at: now(world), by: identity, method: method === 'squash' || method === 'rebase' ? method : 'merge' },
  }
}
