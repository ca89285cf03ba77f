import { emitPush } from './events.ts'
import { afterPush } from './follow.ts'
import type { Identity } from './identity.ts'
import { isList, isMap, type Json, type JsonMap, listAt, mapAt, text, textAt } from './json.ts'
import { type File, filesOf, isAncestor, type Move, refSha, signatureOf } from './objects.ts'
import { refuseByRules } from './rules.ts'
import { fullNameOf, type Repository } from './state.ts'
import {
  type Answer,
  type Call,
  dressed,
  encodeRef,
  Failure,
  find,
  type Handler,
  listed,
  now,
  pass,
  read,
  repositoryIn,
  type World,
  writeGit,
} from './world.ts'

/** What git data and contents need beside emulate: dates of the clock, GitHub's words, and what follows from a push. */
export const gitHandlers: Readonly<Record<string, Handler>> = {
  'git/create-commit': createCommit,
  'git/create-ref': createRef,
  'git/create-tag': createTag,
  'git/create-tree': createTree,
  'git/delete-ref': deleteRef,
  'git/update-ref': updateRef,
  'repos/get-branch': getBranch,
  'repos/get-content': getContent,
  'repos/list-tags': listTags,
  'repos/create-or-update-file-contents': writeContents,
}

/** A file as it is, for who asks for it in that way. */
async function getContent(world: World, call: Call): Promise<Answer> {
  const answer = await pass(world, call)
  const content = textAt(answer.body, 'content')
  if (!call.accept.includes('raw') || content === undefined) return answer
  const headers = { 'content-type': 'application/vnd.github.raw+json; charset=utf-8' }
  return { status: 200, bytes: Buffer.from(content, 'base64'), headers }
}

/** Emulate lists annotated tags only. */
async function listTags(world: World, call: Call): Promise<Answer> {
  const repository = repositoryIn(world, call)
  const home = `/repos/${fullNameOf(repository)}`
  const refs = await read(world, `${home}/git/matching-refs/tags/`)
  const tags = (isList(refs) ? refs : []).map((ref): Json => {
    const name = text(ref, 'ref').slice('refs/tags/'.length)
    const sha = text(mapAt(ref, 'object'), 'sha')
    return {
      name,
      commit: { sha, url: `${world.url}${home}/commits/${sha}` },
      zipball_url: `${world.url}${home}/zipball/refs/tags/${name}`,
      tarball_url: `${world.url}${home}/tarball/refs/tags/${name}`,
      node_id: `REF_${name}`,
    }
  })
  return listed(world, call, tags.toReversed())
}

function createTree(world: World, call: Call): Promise<Answer> {
  const entries = listAt(call.body, 'tree')
    .filter(isMap)
    .map((entry) => ({ ...entry, type: entry['type'] ?? typeOfMode(textAt(entry, 'mode')) }))
  return pass(world, { ...call, body: { ...call.body, tree: entries } })
}

function typeOfMode(mode: string | undefined): string {
  return mode === '040000' ? 'tree' : mode === '160000' ? 'commit' : 'blob'
}

/** What an App commits in its own name is signed by GitHub. */
async function createCommit(world: World, call: Call): Promise<Answer> {
  const body = { parents: [], ...call.body }
  const answer = await pass(world, { ...call, body: { ...body, ...dated(world, call.identity, body) } })
  const isOwn = !['author', 'committer', 'signature'].some((key) => key in call.body)
  if (answer.status === 201 && isOwn && call.identity.is !== 'user') world.state.signed[text(answer.body, 'sha')] = true
  return answer
}

/** The author and committer that GitHub fills in, with the time of the clock. */
function dated(world: World, identity: Identity, body: JsonMap): JsonMap {
  const own = signatureOf(world, identity)
  const author = { ...own, ...mapAt(body, 'author') }
  return { author, committer: { ...author, ...mapAt(body, 'committer') } }
}

/** An annotated tag is an object; a ref to it is another request. */
function createTag(world: World, call: Call): Promise<Answer> {
  const tagger = { ...signatureOf(world, call.identity), ...mapAt(call.body, 'tagger') }
  return pass(world, { ...call, body: { ...call.body, tagger } })
}

async function createRef(world: World, call: Call): Promise<Answer> {
  const repository = repositoryIn(world, call)
  const ref = text(call.body, 'ref')
  if (!/^refs\/[^/]+\/./.test(ref))
    throw new Failure(422, "Reference name must start with 'refs' and have at least two slashes.")
  const sha = await knownCommit(world, repository, text(call.body, 'sha'))
  if (
    (await find(world, `/repos/${fullNameOf(repository)}/git/ref/${encodeRef(ref.slice('refs/'.length))}`)) !==
    undefined
  ) {
    throw new Failure(422, 'Reference already exists')
  }
  const body = await moveRef(world, { repository, ref, after: sha, identity: call.identity })
  return { status: 201, body }
}

async function updateRef(world: World, call: Call): Promise<Answer> {
  const repository = repositoryIn(world, call)
  const ref = `refs/${call.parameters['ref']}`
  const before = await refSha(world, repository, ref)
  if (before === undefined) throw new Failure(422, 'Reference does not exist')
  const after = await knownCommit(world, repository, text(call.body, 'sha'))
  const force = call.body['force'] === true
  if (!force && !(await isAncestor(world, repository, { older: before, newer: after }))) {
    throw new Failure(422, 'Update is not a fast forward')
  }
  return { status: 200, body: await moveRef(world, { repository, ref, before, after, identity: call.identity }) }
}

async function deleteRef(world: World, call: Call): Promise<Answer> {
  const repository = repositoryIn(world, call)
  const ref = `refs/${call.parameters['ref']}`
  const before = await refSha(world, repository, ref)
  if (before === undefined) throw new Failure(422, 'Reference does not exist')
  await moveRef(world, { repository, ref, before, identity: call.identity })
  return { status: 204 }
}

/** A branch with its whole commit; emulate has no more than the id. */
async function getBranch(world: World, call: Call): Promise<Answer> {
  const answer = await pass(world, call)
  if (answer.status >= 400 || !isMap(answer.body)) return answer
  const sha = text(mapAt(answer.body, 'commit'), 'sha')
  const commit = await read(world, `/repos/${fullNameOf(repositoryIn(world, call))}/commits/${sha}`)
  return { ...answer, body: { ...answer.body, commit: dressed(world, call.identity, commit) } }
}

async function writeContents(world: World, call: Call): Promise<Answer> {
  const repository = repositoryIn(world, call)
  const branch = textAt(call.body, 'branch') ?? repository.defaultBranch
  const ref = `refs/heads/${branch}`
  const path = call.parameters['path'] ?? ''
  const before = await refSha(world, repository, ref)
  refuseByRules(world, {
    repository,
    ref,
    identity: call.identity,
    change: before === undefined ? 'creation' : 'update',
  })
  if (isWorkflow(path)) refuseWorkflows(call.identity, path)
  const answer = await pass(world, { ...call, body: { ...call.body, ...dated(world, call.identity, call.body) } })
  // GitHub's word for "the file is another one by now" is 409, and it tells the sha.
  if (answer.status >= 400) return answer
  const after = text(mapAt(answer.body, 'commit'), 'sha')
  world.state.signed[after] = true
  await pushed(world, { repository, ref, ...(before === undefined ? {} : { before }), after, identity: call.identity })
  return answer
}

/** Creates, moves or deletes a ref, as far as rules and permissions allow, and tells whom it concerns. */
export async function moveRef(world: World, move: Move): Promise<Json> {
  const { repository, ref, before, after } = move
  if (move.unruled === undefined) await refuseMove(world, move)
  const path = `/git/refs/${encodeRef(ref.slice('refs/'.length))}`
  const body =
    before === undefined
      ? await writeGit(world, repository, { method: 'POST', path: '/git/refs', body: { ref, sha: after } })
      : after === undefined
        ? await writeGit(world, repository, { method: 'DELETE', path })
        : await writeGit(world, repository, { method: 'PATCH', path, body: { sha: after, force: true } })
  await pushed(world, move)
  return body
}

/** Throws what rules and permissions say against a move. */
export async function refuseMove(world: World, { repository, ref, before, after, identity }: Move): Promise<void> {
  const isForced =
    before !== undefined &&
    after !== undefined &&
    !(await isAncestor(world, repository, { older: before, newer: after }))
  const change = before === undefined ? 'creation' : after === undefined ? 'deletion' : isForced ? 'force' : 'update'
  refuseByRules(world, { repository, ref, identity, change })
  if (after !== undefined) await refuseChangedWorkflows(world, { repository, before, after, identity })
}

async function pushed(world: World, move: Move): Promise<void> {
  const { tries = 0, milliseconds = 0 } = world.compareLag
  const key = `${fullNameOf(move.repository)} ${move.ref}`
  world.comparing.set(key, { left: tries, until: world.clock.now().getTime() + milliseconds })
  move.repository.pushedAt = now(world)
  await emitPush(world, move)
  await afterPush(world, move)
}

/** Throws where the repository has no such commit. */
export async function knownCommit(world: World, repository: Repository, sha: string): Promise<string> {
  const found = await find(world, `/repos/${fullNameOf(repository)}/git/commits/${encodeURIComponent(sha)}`)
  if (found === undefined) throw new Failure(422, 'Object does not exist')
  return sha
}

function isWorkflow(path: string): boolean {
  return path.startsWith('.github/workflows/')
}

async function refuseChangedWorkflows(
  world: World,
  {
    repository,
    before,
    after,
    identity,
  }: {
    readonly repository: Repository
    readonly before: string | undefined
    readonly after: string
    readonly identity: Identity
  },
): Promise<void> {
  if (identity.is !== 'job' && identity.is !== 'app') return
  const base = before ?? (await refSha(world, repository, `refs/heads/${repository.defaultBranch}`))
  const old = base === undefined ? new Map<string, File>() : await filesOf(world, repository, base)
  for (const [path, file] of await filesOf(world, repository, after)) {
    if (isWorkflow(path) && old.get(path)?.sha !== file.sha) refuseWorkflows(identity, path)
  }
}

/** An App may only touch workflows with a permission that a job's token never has. */
function refuseWorkflows(identity: Identity, path: string): void {
  if (identity.is !== 'job' && identity.is !== 'app') return
  if (identity.is === 'app' && identity.permissions['workflows'] === 'write') return
  throw new Failure(
    403,
    `refusing to allow a GitHub App to create or update workflow \`${path}\` without \`workflows\` permission`,
  )
}
