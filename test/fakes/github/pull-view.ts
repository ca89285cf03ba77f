import { type Identity, loginOf } from './identity.ts'
import { isMap, type Json, type JsonMap, listAt, mapAt, number, text } from './json.ts'
import { type File, filesOf } from './objects.ts'
import { findRepository, fullNameOf, type Pull, type Repository } from './state.ts'
import { dressed, nodeId, read, userOf, type World } from './world.ts'

export type Found = { readonly repository: Repository; readonly pull: Pull }

/** Everything between the base and the head: commits and files. */
export async function comparison(world: World, { repository, pull }: Found): Promise<Json> {
  return read(world, `/repos/${fullNameOf(repository)}/compare/${pull.baseSha}...${pull.headSha}`)
}

/** A pull request as it stands in a list. */
export async function pullView(world: World, identity: Identity, { repository, pull }: Found): Promise<JsonMap> {
  const told = await read(world, `/repos/${fullNameOf(repository)}/pulls/${pull.number}`)
  const view = dressed(world, identity, told)
  if (!isMap(view)) throw new Error('A pull request of emulate is no map')
  const head = mapAt(view, 'head')
  const exists = findRepository(world.state, pull.head.repository) !== undefined
  return {
    ...view,
    head: { ...head, sha: pull.headSha, repo: exists ? head['repo'] : null },
    base: { ...mapAt(view, 'base'), ref: pull.base, sha: pull.baseSha },
    node_id: nodeId('PR', repository.id, pull.number),
    draft: pull.draft,
    auto_merge: autoMergeView(world, pull),
    statuses_url: `${world.url}/repos/${fullNameOf(repository)}/statuses/${pull.headSha}`,
    active_lock_reason: null,
    merged_at: pull.merged?.at ?? null,
    merge_commit_sha: pull.merged?.sha ?? null,
  }
}

function autoMergeView(world: World, { autoMerge }: Pull): Json {
  if (autoMerge === undefined) return null
  const { by, method } = autoMerge
  return { enabled_by: userOf(world, loginOf(by)), merge_method: method, commit_title: '', commit_message: '' }
}

/** A pull request by itself, with what it changes. */
export async function wholePull(world: World, identity: Identity, found: Found): Promise<JsonMap> {
  const { pull } = found
  const changes = await comparison(world, found)
  const files = listAt(changes, 'files')
  const isMergeable = pull.open ? (await mergedFiles(world, found)) !== undefined : null
  const sum = (key: string) => files.reduce<number>((total, file) => total + number(file, key), 0)
  return {
    ...(await pullView(world, identity, found)),
    merged: pull.merged !== undefined,
    merged_by: pull.merged === undefined ? null : userOf(world, pull.merged.by),
    mergeable: isMergeable,
    mergeable_state: isMergeable === null ? 'unknown' : isMergeable ? 'clean' : 'dirty',
    rebaseable: isMergeable,
    commits: listAt(changes, 'commits').length,
    additions: sum('additions'),
    deletions: sum('deletions'),
    changed_files: files.length,
  }
}

/** The pull request after its merge. */
export function mergedPull(
  pull: Pull,
  merged: { readonly at: string; readonly by: string; readonly sha: string },
): Pull {
  const { inMergeQueue: _queued, autoMerge: _auto, ...rest } = pull
  const { at, by } = merged
  const timeline = [...pull.timeline, { is: 'merged', at, by }, { is: 'closed', at, by }] as const
  return { ...rest, open: false, merged, timeline }
}

/** What the base would be after the merge; `undefined` if both sides changed one file in different ways. */
export async function mergedFiles(
  world: World,
  { repository, pull }: Found,
): Promise<ReadonlyMap<string, File> | undefined> {
  const path = `/repos/${fullNameOf(repository)}/compare/heads/${pull.base}...${pull.headSha}`
  const compared = await read(world, path)
  const start = await filesOf(world, repository, text(mapAt(compared, 'merge_base_commit'), 'sha'))
  const ours = await filesOf(world, repository, text(mapAt(compared, 'base_commit'), 'sha'))
  const theirs = await filesOf(world, repository, pull.headSha)
  const merged = new Map<string, File>()
  for (const name of new Set([...ours.keys(), ...theirs.keys()])) {
    const [was, our, their] = [start.get(name), ours.get(name), theirs.get(name)]
    const file = same(our, their) || same(was, their) ? our : same(was, our) ? their : 'conflict'
    if (file === 'conflict') return undefined
    if (file !== undefined) merged.set(name, file)
  }
  return merged
}

function same(a: File | undefined, b: File | undefined): boolean {
  return a?.sha === b?.sha && a?.mode === b?.mode
}
