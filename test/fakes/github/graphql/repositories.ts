import { roleOf } from '../identity.ts'
import { type JsonMap, number, text, textAt } from '../json.ts'
import { refSha } from '../objects.ts'
import { latestRelease } from '../releases.ts'
import { findRepository, fullNameOf, type Organisation, type Pull, type Release, type Repository } from '../state.ts'
import { nodeId, nodeOf, type World } from '../world.ts'
import { objectOf, ref, refNamed, refs, stateOf } from './objects.ts'
import {
  allow,
  connection,
  GraphqlFailure,
  isDescending,
  noNode,
  pullById,
  repositoryById,
  type Scene,
  sees,
  textsAt,
  user,
  type View,
} from './scene.ts'

export function repository(scene: Scene, found: Repository): View {
  const { world, identity } = scene
  const { settings = {} } = found
  const topics = settings.topics ?? []
  return {
    __typename: 'Repository',
    id: nodeId('R', found.id),
    databaseId: found.id,
    name: found.name,
    nameWithOwner: fullNameOf(found),
    url: `${world.url}/${fullNameOf(found)}`,
    description: null,
    owner: () => owner(scene, found.owner),
    createdAt: '2026-01-01T00:00:00Z',
    pushedAt: found.pushedAt,
    updatedAt: found.pushedAt,
    visibility: found.private ? 'PRIVATE' : 'PUBLIC',
    isPrivate: found.private,
    isArchived: found.archived,
    isDisabled: found.disabled === true,
    isLocked: found.locked === true,
    isFork: found.parent !== undefined,
    isTemplate: false,
    isEmpty: async () => (await refSha(world, found, `refs/heads/${found.defaultBranch}`)) === undefined,
    hasIssuesEnabled: true,
    autoMergeAllowed: settings.autoMerge === true,
    deleteBranchOnMerge: false,
    mergeCommitAllowed: true,
    squashMergeAllowed: true,
    rebaseMergeAllowed: true,
    viewerPermission:
      identity.is === 'user' ? (roleOf(world.state, identity.login, found)?.toUpperCase() ?? null) : null,
    defaultBranchRef: () => ref(scene, found, `refs/heads/${found.defaultBranch}`),
    ref: (args) => refNamed(scene, found, text(args, 'qualifiedName')),
    refs: (args) => refs(scene, found, args),
    object: (args) => objectOf(scene, found, args),
    pullRequest: (args) => {
      allow(scene, found, 'pulls/get')
      const made = found.pulls[number(args, 'number')]
      if (made !== undefined) return scene.show.pull(scene, { repository: found, pull: made })
      throw new GraphqlFailure(
        'NOT_FOUND',
        `Could not resolve to a PullRequest with the number of ${number(args, 'number')}.`,
      )
    },
    pullRequests: (args) => {
      allow(scene, found, 'pulls/list')
      const items = pullsAsked(found, args)
      return connection('PullRequestConnection', { items, args }, (made) =>
        scene.show.pull(scene, { repository: found, pull: made }),
      )
    },
    deployments: (args) => {
      allow(scene, found, 'repos/list-deployments')
      const wanted = textsAt(args, 'environments')
      const all = found.deployments.filter(({ environment }) => wanted === undefined || wanted.includes(environment))
      const items = isDescending(args['orderBy']) ? all.toReversed() : all
      return connection('DeploymentConnection', { items, args }, (each) => scene.show.deployment(scene, found, each))
    },
    repositoryTopics: (args) =>
      connection('RepositoryTopicConnection', { items: topics, args }, (topic) => ({
        __typename: 'RepositoryTopic',
        id: nodeId('RT', found.id, topic),
        topic: { __typename: 'Topic', id: nodeId('TO', topic), name: topic },
      })),
    latestRelease: () => {
      const latest = latestRelease(found)
      return latest === undefined ? null : release(scene, found, latest)
    },
    release: (args) => {
      const made = found.releases.find(({ tag, draft }) => tag === text(args, 'tagName') && !draft)
      return made === undefined ? null : release(scene, found, made)
    },
    releases: (args) => {
      const items = isDescending(args['orderBy']) ? found.releases.toReversed() : found.releases
      return connection('ReleaseConnection', { items, args }, (each) => release(scene, found, each))
    },
  }
}

function release({ world }: Scene, found: Repository, made: Release): View {
  return {
    __typename: 'Release',
    id: nodeId('RE', found.id, made.id),
    databaseId: made.id,
    tagName: made.tag,
    name: made.name,
    description: made.body,
    isDraft: made.draft,
    isPrerelease: made.prerelease,
    isLatest: latestRelease(found) === made,
    createdAt: made.createdAt,
    publishedAt: made.publishedAt,
    url: `${world.url}/${fullNameOf(found)}/releases/tag/${encodeURIComponent(made.tag)}`,
  }
}

function pullsAsked(found: Repository, args: JsonMap): readonly Pull[] {
  const states = textsAt(args, 'states')
  const head = textAt(args, 'headRefName')
  const base = textAt(args, 'baseRefName')
  // They were made in the order of their numbers.
  const all = Object.values(found.pulls)
    .filter((made) => states === undefined || states.includes(stateOf(made)))
    .filter((made) => head === undefined || made.head.branch === head)
    .filter((made) => base === undefined || made.base === base)
  return isDescending(args['orderBy']) ? all.toReversed() : all
}

/** An organisation or a user, with the repositories that the token sees. */
function owner(scene: Scene, login: string): View | null {
  const { world } = scene
  const organisation = world.state.organisations[login]
  if (organisation === undefined && !(login in world.state.users)) return null
  return {
    ...(organisation === undefined ? user(world, login) : organisationView(world, organisation)),
    repository: (args) => byName(scene, login, text(args, 'name')),
    repositories: (args) => {
      const items = repositoriesAsked(scene, login, args)
      return connection('RepositoryConnection', { items, args }, (each) => repository(scene, each))
    },
  }
}

function organisationView(world: World, { login, id }: Organisation): View {
  return {
    __typename: 'Organization',
    id: nodeId('O', id),
    databaseId: id,
    login,
    name: login,
    url: `${world.url}/${login}`,
  }
}

function repositoriesAsked(scene: Scene, login: string, args: JsonMap): readonly Repository[] {
  const flags = { isArchived: 'archived', isFork: 'parent', isLocked: 'locked' } as const
  const all = Object.values(scene.world.state.repositories)
    .filter((each) => each.owner === login && sees(scene, each))
    .filter((each) =>
      (['isArchived', 'isFork', 'isLocked'] as const).every((flag) => {
        const wanted = args[flag]
        const value = each[flags[flag]]
        return typeof wanted !== 'boolean' || wanted === (value !== undefined && value !== false)
      }),
    )
    .filter((each) => {
      const wanted = textAt(args, 'visibility') ?? textAt(args, 'privacy')
      return wanted === undefined || wanted === (each.private ? 'PRIVATE' : 'PUBLIC')
    })
  const order = args['orderBy']
  const key = (each: Repository): string | number =>
    textAt(order, 'field') === 'PUSHED_AT'
      ? each.pushedAt
      : textAt(order, 'field') === 'CREATED_AT'
        ? each.id
        : each.name
  const sorted = order === undefined ? all : all.toSorted((a, b) => (key(a) < key(b) ? -1 : 1))
  return isDescending(order) ? sorted.toReversed() : sorted
}

/** By its name of now, or one that it had. */
function byName(scene: Scene, login: string, name: string): View {
  const { state } = scene.world
  const found = findRepository(state, state.renamed[`${login}/${name}`] ?? `${login}/${name}`)
  if (found === undefined || !sees(scene, found))
    throw new GraphqlFailure('NOT_FOUND', `Could not resolve to a Repository with the name '${login}/${name}'.`)
  return repository(scene, found)
}

/** What can be asked of GitHub; `most`: how many of `nodes` are answered, before the resources of the query are used up. */
export function query(scene: Scene, { rateLimit, most }: { readonly rateLimit: View; readonly most: number }): View {
  const { world, identity } = scene
  return {
    __typename: 'Query',
    rateLimit,
    viewer: () => {
      if (identity.is === 'user') return ownerNamed(scene, identity.login, 'User')
      if (identity.is === 'nobody') throw new GraphqlFailure('FORBIDDEN', 'Resource not accessible by integration')
      return user(world, identity.is === 'job' ? 'github-actions[bot]' : `${identity.slug}[bot]`)
    },
    user: (args) => ownerNamed(scene, text(args, 'login'), 'User'),
    organization: (args) => ownerNamed(scene, text(args, 'login'), 'Organization'),
    repositoryOwner: (args) => owner(scene, text(args, 'login')),
    repository: (args) => byName(scene, text(args, 'owner'), text(args, 'name')),
    node: (args) => node(scene, text(args, 'id')),
    nodes: (args) =>
      (textsAt(args, 'ids') ?? []).map((id, index) => {
        if (index >= most)
          return new GraphqlFailure('RESOURCE_LIMITS_EXCEEDED', 'Resource limits for this query exceeded.')
        try {
          return node(scene, id)
        } catch (error) {
          if (error instanceof GraphqlFailure) return error
          throw error
        }
      }),
  }
}

function ownerNamed(scene: Scene, login: string, type: 'User' | 'Organization'): View {
  const found = owner(scene, login)
  if (found?.__typename === type) return found
  throw new GraphqlFailure('NOT_FOUND', `Could not resolve to a ${type} with the login of '${login}'.`)
}

function node(scene: Scene, id: string): View {
  const { kind, ids } = nodeOf(id) ?? {}
  if (kind === 'R') return repository(scene, repositoryById(scene, id))
  if (kind === 'PR') {
    const found = pullById(scene, id)
    allow(scene, found.repository, 'pulls/get')
    return scene.show.pull(scene, found)
  }
  if (kind === 'O') {
    const found = Object.values(scene.world.state.organisations).find((each) => String(each.id) === ids?.[0])
    if (found !== undefined) return ownerNamed(scene, found.login, 'Organization')
  }
  throw noNode(id)
}
