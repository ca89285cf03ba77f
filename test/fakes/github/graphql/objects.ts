import { isList, type Json, type JsonMap, listAt, mapAt, text, textAt } from '../json.ts'
import { filesOf, refSha } from '../objects.ts'
import { fullNameOf, type Repository } from '../state.ts'
import { encodeRef, find, nodeId, read, type World } from '../world.ts'
import { allow, connection, isDescending, type Scene, textsAt, time, user, type View } from './scene.ts'

/** GitHub cuts a text off where it is longer. */
const longestText = 512_000

/** `HEAD`, a branch, a tag or an oid; with `:path` a file or a folder of it. */
export async function objectOf(scene: Scene, repository: Repository, args: JsonMap): Promise<View | null> {
  allow(scene, repository, 'repos/get-content')
  const expression = textAt(args, 'expression') ?? textAt(args, 'oid') ?? ''
  const [revision = '', ...rest] = expression.split(':')
  const sha = await commitSha(scene.world, repository, revision)
  if (rest.length > 0) return sha === undefined ? null : atPath(scene, { repository, sha, path: rest.join(':') })
  if (sha !== undefined) return commit(scene, repository, sha)
  return byOid(scene, repository, revision)
}

async function commitSha(world: World, repository: Repository, revision: string): Promise<string | undefined> {
  const home = `/repos/${fullNameOf(repository)}`
  if (/^[0-9a-f]{40}$/.test(revision)) {
    const found =
      world.objects.get(`${home}/git/commits/${revision}`) ?? (await find(world, `${home}/git/commits/${revision}`))
    return found === undefined ? undefined : revision
  }
  if (revision === 'HEAD') return refSha(world, repository, `refs/heads/${repository.defaultBranch}`)
  for (const prefix of revision.startsWith('refs/') ? [''] : ['refs/heads/', 'refs/tags/', 'refs/']) {
    const sha = await refSha(world, repository, `${prefix}${revision}`)
    if (sha !== undefined) return peeled(world, repository, sha)
  }
  return undefined
}

/** What an annotated tag is of. */
async function peeled(world: World, repository: Repository, sha: string): Promise<string> {
  const tag = await find(world, `/repos/${fullNameOf(repository)}/git/tags/${sha}`)
  return textAt(mapAt(tag, 'object'), 'sha') ?? sha
}

async function byOid(scene: Scene, repository: Repository, oid: string): Promise<View | null> {
  if (!/^[0-9a-f]{40}$/.test(oid)) return null
  const home = `/repos/${fullNameOf(repository)}/git`
  if ((await find(scene.world, `${home}/trees/${oid}`)) !== undefined) return tree(scene, repository, { oid, path: '' })
  return (await find(scene.world, `${home}/blobs/${oid}`)) === undefined ? null : blob(scene, repository, oid)
}

type Place = { readonly repository: Repository; readonly sha: string; readonly path: string }

async function atPath(scene: Scene, place: Place): Promise<View | null> {
  const found = await entryAt(scene.world, place)
  return found === undefined ? null : objectOfEntry(scene, place.repository, found)
}

type Entry = { readonly path: string; readonly mode: string; readonly type: string; readonly oid: string }

/** A file or folder of a commit or tree; the root is the one without a path. */
async function entryAt(world: World, { repository, sha, path }: Place): Promise<Entry | undefined> {
  const wanted = path.replace(/^\.?\/+/, '').replace(/\/+$/, '')
  if (wanted === '') return { path: '', mode: '040000', type: 'tree', oid: await treeOf(world, repository, sha) }
  const file = (await filesOf(world, repository, sha)).get(wanted)
  if (file !== undefined) return { path: wanted, mode: file.mode, type: file.type, oid: file.sha }
  const folder = (await entriesOf(world, repository, sha)).find((each) => each.type === 'tree' && each.path === wanted)
  return folder
}

/** Everything in a commit or a tree, folders too, with whole paths. */
async function entriesOf(world: World, repository: Repository, sha: string): Promise<readonly Entry[]> {
  const told = await read(world, `/repos/${fullNameOf(repository)}/git/trees/${sha}?recursive=1`)
  return listAt(told, 'tree').map((entry) => ({
    path: text(entry, 'path'),
    mode: text(entry, 'mode'),
    type: text(entry, 'type'),
    oid: text(entry, 'sha'),
  }))
}

async function treeOf(world: World, repository: Repository, sha: string): Promise<string> {
  const home = `/repos/${fullNameOf(repository)}/git`
  const found = await find(world, `${home}/commits/${sha}`)
  return textAt(mapAt(found, 'tree'), 'sha') ?? sha
}

function objectOfEntry(scene: Scene, repository: Repository, entry: Entry): View | Promise<View> {
  return entry.type === 'tree'
    ? tree(scene, repository, { oid: entry.oid, path: entry.path })
    : blob(scene, repository, entry.oid)
}

function named(scene: Scene, repository: Repository, { kind, oid }: { readonly kind: string; readonly oid: string }) {
  return {
    id: nodeId(kind, repository.id, oid),
    oid,
    abbreviatedOid: oid.slice(0, 7),
    repository: () => scene.show.repository(scene, repository),
  }
}

async function blob(scene: Scene, repository: Repository, oid: string): Promise<View> {
  const told = await read(scene.world, `/repos/${fullNameOf(repository)}/git/blobs/${oid}`)
  const bytes = Buffer.from(text(told, 'content'), 'base64')
  const content = bytes.toString()
  const isBinary = bytes.includes(0) || !Buffer.from(content).equals(bytes)
  const isTruncated = !isBinary && bytes.length > longestText
  return {
    __typename: 'Blob',
    ...named(scene, repository, { kind: 'B', oid }),
    byteSize: bytes.length,
    isBinary,
    isTruncated,
    text: isBinary ? null : isTruncated ? bytes.subarray(0, longestText).toString() : content,
  }
}

function tree(
  scene: Scene,
  repository: Repository,
  { oid, path }: { readonly oid: string; readonly path: string },
): View {
  return {
    __typename: 'Tree',
    ...named(scene, repository, { kind: 'T', oid }),
    entries: async () => {
      const all = await entriesOf(scene.world, repository, oid)
      return all
        .filter((entry) => !entry.path.includes('/'))
        .map((entry) =>
          treeEntry(scene, repository, { ...entry, path: path === '' ? entry.path : `${path}/${entry.path}` }),
        )
    },
  }
}

function treeEntry(scene: Scene, repository: Repository, entry: Entry): View {
  const object = () => objectOfEntry(scene, repository, entry)
  return {
    __typename: 'TreeEntry',
    name: entry.path.split('/').at(-1),
    path: entry.path,
    mode: Number.parseInt(entry.mode, 8),
    type: entry.type,
    oid: entry.oid,
    size: async () => {
      const found = await object()
      return typeof found['byteSize'] === 'number' ? found['byteSize'] : 0
    },
    object,
  }
}

/** A commit; what is asked of it is read when it is asked. */
export function commit(scene: Scene, repository: Repository, oid: string): View {
  const { world } = scene
  const home = `/repos/${fullNameOf(repository)}`
  let kept: Promise<Json> | undefined
  const told = (): Promise<Json> => {
    kept ??= read(world, `${home}/git/commits/${oid}`)
    return kept
  }
  const message = async () => text(await told(), 'message')
  const parents = async () => listAt(await told(), 'parents').map((parent) => text(parent, 'sha'))
  const show = (sha: string) => commit(scene, repository, sha)
  const date = (whose: string) => async () => time(text(mapAt(await told(), whose), 'date'))
  const signer = (whose: string) => async () => gitActor(world, mapAt(await told(), whose))
  return {
    __typename: 'Commit',
    ...named(scene, repository, { kind: 'C', oid }),
    url: `${world.url}/${fullNameOf(repository)}/commit/${oid}`,
    message,
    messageHeadline: async () => (await message()).split('\n')[0] ?? '',
    messageBody: async () => (await message()).split('\n').slice(1).join('\n').trim(),
    author: signer('author'),
    committer: signer('committer'),
    authoredDate: date('author'),
    committedDate: date('committer'),
    tree: async () => tree(scene, repository, { oid: text(mapAt(await told(), 'tree'), 'sha'), path: '' }),
    parents: async (args) => connection('CommitConnection', { items: await parents(), args }, show),
    history: async (args) =>
      connection('CommitHistoryConnection', { items: await history(world, repository, oid), args }, show),
    file: async (args) => {
      allow(scene, repository, 'repos/get-content')
      const path = text(args, 'path')
      const found = await entryAt(world, { repository, sha: oid, path })
      return found === undefined ? null : treeEntry(scene, repository, found)
    },
    signature: () => (world.state.signed[oid] === true ? signature : null),
    statusCheckRollup: () => scene.show.rollup(scene, repository, oid),
    associatedPullRequests: (args) => {
      allow(scene, repository, 'pulls/list')
      const items = Object.values(repository.pulls).filter((each) => each.headSha === oid || each.merged?.sha === oid)
      return connection('PullRequestConnection', { items, args }, (pull) =>
        scene.show.pull(scene, { repository, pull }),
      )
    },
    deployments: (args) => {
      allow(scene, repository, 'repos/list-deployments')
      const wanted = textsAt(args, 'environments')
      const found = repository.deployments.filter(
        ({ sha, environment }) => sha === oid && (wanted === undefined || wanted.includes(environment)),
      )
      const items = isDescending(args['orderBy']) ? found.toReversed() : found
      return connection('DeploymentConnection', { items, args }, (each) =>
        scene.show.deployment(scene, repository, each),
      )
    },
  }
}

const signature: View = {
  __typename: 'GpgSignature',
  email: 'noreply@github.com',
  isValid: true,
  keyId: 'B5690EEEBB952194',
  signer: null,
  state: 'VALID',
  wasSignedByGitHub: true,
}

/** Of an App's commit too the user is told, with `[bot]` behind its name. */
function gitActor(world: World, told: JsonMap): View {
  const name = text(told, 'name')
  const email = text(told, 'email')
  const login = email.replace(/@users\.noreply\.github\.com$/, '')
  const isKnown = login in world.state.users || (login.endsWith('[bot]') && login.slice(0, -5) in world.state.apps)
  return { __typename: 'GitActor', name, email, date: text(told, 'date'), user: isKnown ? user(world, login) : null }
}

/** The commits that lead to one, the newest first. */
async function history(world: World, repository: Repository, sha: string): Promise<readonly string[]> {
  const seen = new Set<string>()
  const open = [sha]
  for (let next = open.shift(); next !== undefined; next = open.shift()) {
    if (seen.has(next)) continue
    seen.add(next)
    const found = await read(world, `/repos/${fullNameOf(repository)}/git/commits/${next}`)
    open.push(...listAt(found, 'parents').map((parent) => text(parent, 'sha')))
  }
  return [...seen]
}

/** A ref by its whole name, or `null`. */
export async function ref(scene: Scene, repository: Repository, name: string): Promise<View | null> {
  allow(scene, repository, 'git/get-ref')
  const sha = await refSha(scene.world, repository, name)
  return sha === undefined ? null : refView(scene, repository, { name, sha })
}

/** The ref that a name means: `main`, `heads/main` or `refs/heads/main`. */
export async function refNamed(scene: Scene, repository: Repository, name: string): Promise<View | null> {
  allow(scene, repository, 'git/get-ref')
  for (const prefix of name.startsWith('refs/') ? [''] : ['refs/heads/', 'refs/tags/', 'refs/']) {
    const found = await ref(scene, repository, `${prefix}${name}`)
    if (found !== null) return found
  }
  return null
}

/** The refs whose names begin with a prefix. */
export async function refs(scene: Scene, repository: Repository, args: JsonMap): Promise<View> {
  allow(scene, repository, 'git/list-matching-refs')
  const prefix = text(args, 'refPrefix')
  const query = textAt(args, 'query') ?? ''
  const path = `/repos/${fullNameOf(repository)}/git/matching-refs/${encodeRef(prefix.slice('refs/'.length))}?per_page=100`
  const told = await find(scene.world, path)
  const found = (isList(told ?? null) && Array.isArray(told) ? told : [])
    .map((each) => ({ name: text(each, 'ref'), sha: text(mapAt(each, 'object'), 'sha') }))
    .filter(({ name }) => name.startsWith(prefix) && name.slice(prefix.length).includes(query))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
  const items = isDescending(args['orderBy']) || textAt(args, 'direction') === 'DESC' ? found.toReversed() : found
  return connection('RefConnection', { items, args }, (each) => refView(scene, repository, { ...each, prefix }))
}

type RefAt = { readonly name: string; readonly sha: string; readonly prefix?: string }

function refView(scene: Scene, repository: Repository, { name, sha, prefix: asked }: RefAt): View {
  const prefix = asked ?? /^refs\/[^/]+\//.exec(name)?.[0] ?? 'refs/'
  const branch = name.startsWith('refs/heads/') ? name.slice('refs/heads/'.length) : undefined
  return {
    __typename: 'Ref',
    id: nodeId('REF', repository.id, name),
    name: name.slice(prefix.length),
    prefix,
    repository: () => scene.show.repository(scene, repository),
    target: () => target(scene, repository, sha),
    associatedPullRequests: (args) => {
      allow(scene, repository, 'pulls/list')
      const states = textsAt(args, 'states')
      const found = Object.values(repository.pulls).filter(
        ({ head }) => head.branch === branch && head.repository === fullNameOf(repository),
      )
      const items = (isDescending(args['orderBy']) ? found.toReversed() : found).filter(
        (pull) => states === undefined || states.includes(stateOf(pull)),
      )
      return connection('PullRequestConnection', { items, args }, (pull) =>
        scene.show.pull(scene, { repository, pull }),
      )
    },
  }
}

/** `OPEN`, `CLOSED` or `MERGED`. */
export function stateOf({ open, merged }: { readonly open: boolean; readonly merged?: unknown }): string {
  return merged === undefined ? (open ? 'OPEN' : 'CLOSED') : 'MERGED'
}

async function target(scene: Scene, repository: Repository, sha: string): Promise<View> {
  const tag = await find(scene.world, `/repos/${fullNameOf(repository)}/git/tags/${sha}`)
  if (tag === undefined) return commit(scene, repository, sha)
  return {
    __typename: 'Tag',
    ...named(scene, repository, { kind: 'TA', oid: sha }),
    name: text(tag, 'tag'),
    message: textAt(tag, 'message') ?? null,
    tagger: gitActor(scene.world, mapAt(tag, 'tagger')),
    target: () => commit(scene, repository, text(mapAt(tag, 'object'), 'sha')),
  }
}
