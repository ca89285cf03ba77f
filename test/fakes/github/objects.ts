import { type Identity, loginOf } from './identity.ts'
import { type JsonMap, listAt, mapAt, text, textAt } from './json.ts'
import { fullNameOf, type Repository } from './state.ts'
import { encodeRef, find, now, read, type World, writeGit } from './world.ts'

/** Who writes a commit, and when: as GitHub fills it in. */
export function signatureOf(world: World, identity: Identity): JsonMap {
  const login = loginOf(identity)
  return { name: login, email: `${login}@users.noreply.github.com`, date: now(world) }
}

export async function refSha(world: World, repository: Repository, ref: string): Promise<string | undefined> {
  const found = await find(world, `/repos/${fullNameOf(repository)}/git/ref/${encodeRef(ref.slice('refs/'.length))}`)
  return textAt(mapAt(found, 'object'), 'sha')
}

export async function isAncestor(
  world: World,
  repository: Repository,
  { older, newer }: { readonly older: string; readonly newer: string },
): Promise<boolean> {
  const seen = new Set<string>()
  const open = [newer]
  for (let sha = open.pop(); sha !== undefined; sha = open.pop()) {
    if (sha === older) return true
    if (seen.has(sha)) continue
    seen.add(sha)
    const commit = await read(world, `/repos/${fullNameOf(repository)}/git/commits/${sha}`)
    open.push(...listAt(commit, 'parents').map((parent) => text(parent, 'sha')))
  }
  return false
}

/** The files of a commit: path to mode and sha. */
export async function filesOf(world: World, repository: Repository, sha: string): Promise<ReadonlyMap<string, File>> {
  const tree = await read(world, `/repos/${fullNameOf(repository)}/git/trees/${sha}?recursive=1`)
  return new Map(
    listAt(tree, 'tree')
      .filter((entry) => text(entry, 'type') !== 'tree')
      .map((entry) => [
        text(entry, 'path'),
        { mode: text(entry, 'mode'), type: text(entry, 'type'), sha: text(entry, 'sha') },
      ]),
  )
}

export type File = { readonly mode: string; readonly type: string; readonly sha: string }

/** Takes over a commit and all that leads to it from another repository, as GitHub's forks share their objects. */
export async function copyObjects(
  world: World,
  { from, to, sha }: { readonly from: Repository; readonly to: Repository; readonly sha: string },
): Promise<void> {
  const here = `/repos/${fullNameOf(to)}`
  if ((await find(world, `${here}/git/commits/${sha}`)) !== undefined) return
  const there = `/repos/${fullNameOf(from)}`
  const commit = await read(world, `${there}/git/commits/${sha}`)
  for (const parent of listAt(commit, 'parents')) await copyObjects(world, { from, to, sha: text(parent, 'sha') })
  const files = await filesOf(world, from, sha)
  for (const file of files.values()) {
    if (file.type !== 'blob' || (await find(world, `${here}/git/blobs/${file.sha}`)) !== undefined) continue
    const blob = await read(world, `${there}/git/blobs/${file.sha}`)
    const body = { content: text(blob, 'content'), encoding: 'base64' }
    await writeGit(world, to, { method: 'POST', path: '/git/blobs', body })
  }
  const tree = [...files].map(([path, file]) => ({ path, ...file }))
  const made = await writeGit(world, to, { method: 'POST', path: '/git/trees', body: { tree } })
  const body = {
    message: text(commit, 'message'),
    tree: text(made, 'sha'),
    parents: listAt(commit, 'parents').map((parent) => text(parent, 'sha')),
    author: mapAt(commit, 'author'),
    committer: mapAt(commit, 'committer'),
  }
  const copied = await writeGit(world, to, { method: 'POST', path: '/git/commits', body })
  if (text(copied, 'sha') !== sha) throw new Error(`The copy of commit ${sha} is another one: ${text(copied, 'sha')}`)
}

/** Where a ref was and is to be; absent on one side when it is made or deleted. */
export type Move = {
  readonly repository: Repository
  /** Whole: `refs/heads/main`. */
  readonly ref: string
  readonly before?: string
  readonly after?: string
  readonly identity: Identity
  /** For what GitHub does itself: a merge has been checked already. */
  readonly unruled?: 'merge'
}
