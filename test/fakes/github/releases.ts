import { emitRelease } from './events.ts'
import { moveRef } from './git.ts'
import { loginOf } from './identity.ts'
import { type JsonMap, text, textAt } from './json.ts'
import { refSha } from './objects.ts'
import { fullNameOf, nextNumber, type Release, replace, type Repository } from './state.ts'
import {
  type Answer,
  type Call,
  commitOf,
  Failure,
  type Handler,
  idIn,
  invalid,
  listed,
  nodeId,
  now,
  repositoryIn,
  userOf,
  type World,
} from './world.ts'

export const releasesHandlers: Readonly<Record<string, Handler>> = {
  'repos/create-release': createRelease,
  'repos/get-latest-release': (world, call) => {
    const repository = repositoryIn(world, call)
    return told(world, repository, latestRelease(repository))
  },
  'repos/get-release': (world, call) => {
    const repository = repositoryIn(world, call)
    return told(world, repository, byId(repository, call))
  },
  'repos/get-release-by-tag': (world, call) => {
    const repository = repositoryIn(world, call)
    const found = repository.releases.find(({ tag, draft }) => tag === call.parameters['tag'] && !draft)
    return told(world, repository, found)
  },
  'repos/list-releases': (world, call) => {
    const repository = repositoryIn(world, call)
    const views = repository.releases.toReversed().map((release) => releaseView(world, repository, release))
    return listed(world, call, views)
  },
  'repos/update-release': updateRelease,
}

function byId(repository: Repository, call: Call): Release | undefined {
  return repository.releases.find(({ id }) => id === idIn(call, 'release_id'))
}

function told(world: World, repository: Repository, release: Release | undefined, status = 200): Answer {
  if (release === undefined) throw new Failure(404, 'Not Found')
  return { status, body: releaseView(world, repository, release) }
}

/** The one that was said to be the latest, or else the newest that is neither a draft nor a prerelease. */
export function latestRelease({ releases }: Repository): Release | undefined {
  const all = releases.filter(({ draft, prerelease }) => !draft && !prerelease)
  return all.findLast(({ latest }) => latest === 'true') ?? all.findLast(({ latest }) => latest !== 'false')
}

async function createRelease(world: World, call: Call): Promise<Answer> {
  const repository = repositoryIn(world, call)
  const { body } = call
  const tag = text(body, 'tag_name')
  if (repository.releases.some((each) => each.tag === tag && !each.draft))
    throw new Failure(422, 'Validation Failed', [{ resource: 'Release', code: 'already_exists', field: 'tag_name' }])
  const at = now(world)
  const draft = body['draft'] === true
  const made: Release = {
    id: nextNumber(world.state, 'release'),
    tag,
    target: textAt(body, 'target_commitish') ?? repository.defaultBranch,
    name: textAt(body, 'name') ?? null,
    body: textAt(body, 'body') ?? null,
    draft,
    prerelease: body['prerelease'] === true,
    latest: latestOf(body) ?? 'legacy',
    author: loginOf(call.identity),
    createdAt: at,
    publishedAt: draft ? null : at,
  }
  refuseLong(made)
  if (!draft) await makeTag(world, call, { repository, release: made })
  repository.releases.push(made)
  if (!draft)
    await emitRelease(world, { repository, identity: call.identity, view: releaseView(world, repository, made) })
  return told(world, repository, made, 201)
}

async function updateRelease(world: World, call: Call): Promise<Answer> {
  const repository = repositoryIn(world, call)
  const before = byId(repository, call)
  if (before === undefined) throw new Failure(404, 'Not Found')
  const { body } = call
  const draft = typeof body['draft'] === 'boolean' ? body['draft'] : before.draft
  const after: Release = {
    ...before,
    tag: textAt(body, 'tag_name') ?? before.tag,
    target: textAt(body, 'target_commitish') ?? before.target,
    name: textAt(body, 'name') ?? before.name,
    body: textAt(body, 'body') ?? before.body,
    draft,
    prerelease: typeof body['prerelease'] === 'boolean' ? body['prerelease'] : before.prerelease,
    latest: latestOf(body) ?? before.latest,
    publishedAt: draft ? before.publishedAt : (before.publishedAt ?? now(world)),
  }
  refuseLong(after)
  if (repository.releases.some((each) => each !== before && each.tag === after.tag && !each.draft && !draft))
    throw new Failure(422, 'Validation Failed', [{ resource: 'Release', code: 'already_exists', field: 'tag_name' }])
  if (!draft) await makeTag(world, call, { repository, release: after })
  replace(repository.releases, before, after)
  if (before.draft && !draft)
    await emitRelease(world, { repository, identity: call.identity, view: releaseView(world, repository, after) })
  return told(world, repository, after)
}

function latestOf(body: JsonMap): Release['latest'] | undefined {
  const said = textAt(body, 'make_latest')
  return said === 'true' || said === 'false' || said === 'legacy' ? said : undefined
}

function refuseLong({ body }: Release): void {
  if ([...(body ?? '')].length > 125_000)
    throw invalid('Release', 'body', 'body is too long (maximum is 125000 characters)')
}

/** A tag that is not there yet is made where the release says; one that is there stays where it is. */
async function makeTag(
  world: World,
  call: Call,
  { repository, release }: { readonly repository: Repository; readonly release: Release },
): Promise<void> {
  const ref = `refs/tags/${release.tag}`
  if ((await refSha(world, repository, ref)) !== undefined) return
  const after = await commitOf(world, repository, release.target)
  if (after === undefined) throw invalid('Release', 'target_commitish')
  await moveRef(world, { repository, ref, after, identity: call.identity })
}

function releaseView(world: World, repository: Repository, release: Release): JsonMap {
  const name = fullNameOf(repository)
  const home = `${world.url}/repos/${name}`
  const url = `${home}/releases/${release.id}`
  return {
    url,
    html_url: `${world.url}/${name}/releases/tag/${encodeURIComponent(release.tag)}`,
    assets_url: `${url}/assets`,
    upload_url: `${url}/assets{?name,label}`,
    tarball_url: `${home}/tarball/${release.tag}`,
    zipball_url: `${home}/zipball/${release.tag}`,
    id: release.id,
    node_id: nodeId('RE', repository.id, release.id),
    tag_name: release.tag,
    target_commitish: release.target,
    name: release.name,
    body: release.body,
    draft: release.draft,
    prerelease: release.prerelease,
    immutable: false,
    created_at: release.createdAt,
    updated_at: release.createdAt,
    published_at: release.publishedAt,
    author: userOf(world, release.author),
    assets: [],
  }
}
