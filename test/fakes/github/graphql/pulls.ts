import { type Json, listAt, mapAt, number, text, textAt } from '../json.ts'
import { refSha } from '../objects.ts'
import { comparison, type Found, mergedFiles } from '../pull-view.ts'
import { refuseUnready, verdicts } from '../pulls.ts'
import { mergeRules } from '../rules.ts'
import { findRepository, fullNameOf, type Moment, type Repository } from '../state.ts'
import { Failure, nodeId, read, type World } from '../world.ts'
import { rollupState } from './checks.ts'
import { stateOf } from './objects.ts'
import { actor, connection, type Scene, textsAt, type View } from './scene.ts'
import { loginOf } from '../identity.ts'

/** A pull request; what is asked of it is read when it is asked. */
export function pull(scene: Scene, found: Found): View {
  const { world } = scene
  const { repository, pull: made } = found
  const name = fullNameOf(repository)
  let kept: Promise<Json> | undefined
  const told = (): Promise<Json> => {
    kept ??= read(world, `/repos/${name}/pulls/${made.number}`)
    return kept
  }
  const changes = async () => listAt(await comparison(world, found), 'files')
  const sum = (key: string) => async () => (await changes()).reduce<number>((all, file) => all + number(file, key), 0)
  const at = (key: string) => async () => textAt(await told(), key) ?? null
  const source = findRepository(world.state, made.head.repository)
  const { autoMerge, merged } = made
  const closedAt = made.open ? null : (made.timeline.findLast(({ is }) => is !== 'reopened')?.at ?? null)
  return {
    __typename: 'PullRequest',
    id: nodeId('PR', repository.id, made.number),
    databaseId: async () => number(await told(), 'id'),
    fullDatabaseId: async () => String(number(await told(), 'id')),
    number: made.number,
    repository: () => scene.show.repository(scene, repository),
    url: `${world.url}/${name}/pull/${made.number}`,
    state: stateOf(made),
    title: async () => text(await told(), 'title'),
    body: async () => textAt(await told(), 'body') ?? '',
    author: actor(scene, made.author),
    isDraft: made.draft,
    isCrossRepository: made.head.repository !== name,
    isInMergeQueue: made.inMergeQueue === true,
    isMergeQueueEnabled: mergeRules(repository, made.base).some(({ type }) => type === 'merge_queue'),
    createdAt: at('created_at'),
    updatedAt: at('updated_at'),
    closed: !made.open,
    closedAt,
    merged: merged !== undefined,
    mergedAt: merged?.at ?? null,
    mergedBy: merged === undefined ? null : actor(scene, merged.by),
    mergeCommit: () => (merged === undefined ? null : scene.show.commit(scene, repository, merged.sha)),
    headRefName: made.head.branch,
    headRefOid: made.headSha,
    headRef: () => (source === undefined ? null : scene.show.ref(scene, source, `refs/heads/${made.head.branch}`)),
    headRepository: () => (source === undefined ? null : scene.show.repository(scene, source)),
    baseRefName: made.base,
    baseRefOid: made.baseSha,
    baseRef: () => scene.show.ref(scene, repository, `refs/heads/${made.base}`),
    additions: sum('additions'),
    deletions: sum('deletions'),
    changedFiles: async () => (await changes()).length,
    mergeable: () => mergeable(world, found),
    mergeStateStatus: () => mergeState(world, found),
    reviewDecision: () => reviewDecision(world, found),
    statusCheckRollup: () => scene.show.rollup(scene, repository, made.headSha),
    autoMergeRequest:
      autoMerge === undefined
        ? null
        : {
            __typename: 'AutoMergeRequest',
            enabledAt: autoMerge.at,
            enabledBy: actor(scene, loginOf(autoMerge.by)),
            mergeMethod: autoMerge.method.toUpperCase(),
            pullRequest: () => pull(scene, found),
          },
    commits: async (args) => {
      const shas = listAt(await comparison(world, found), 'commits').map((each) => text(each, 'sha'))
      return connection('PullRequestCommitConnection', { items: shas, args }, (sha) => ({
        __typename: 'PullRequestCommit',
        id: nodeId('PRC', repository.id, made.number, sha),
        commit: () => scene.show.commit(scene, repository, sha),
      }))
    },
    timelineItems: (args) => {
      const wanted = textsAt(args, 'itemTypes')
      const items = made.timeline.filter(
        ({ is }) => wanted === undefined || wanted.includes(`${is.toUpperCase()}_EVENT`),
      )
      return connection('PullRequestTimelineItemsConnection', { items, args }, (moment) =>
        momentView(scene, found, moment),
      )
    },
  }
}

const eventTypes = { closed: 'ClosedEvent', reopened: 'ReopenedEvent', merged: 'MergedEvent' } as const

function momentView(scene: Scene, { repository, pull: made }: Found, { is, at, by }: Moment): View {
  return {
    __typename: eventTypes[is],
    id: nodeId('EV', repository.id, made.number, is, at),
    createdAt: at,
    actor: actor(scene, by),
    ...(is === 'merged'
      ? { commit: () => (made.merged === undefined ? null : scene.show.commit(scene, repository, made.merged.sha)) }
      : {}),
  }
}

async function mergeable(world: World, found: Found): Promise<string> {
  if (!found.pull.open) return 'UNKNOWN'
  const base = await refSha(world, found.repository, `refs/heads/${found.pull.base}`)
  if (base === undefined) return 'UNKNOWN'
  return (await mergedFiles(world, found)) === undefined ? 'CONFLICTING' : 'MERGEABLE'
}

/** What stands between a pull request and its merge. */
export async function mergeState(world: World, found: Found): Promise<string> {
  const { repository, pull: made } = found
  if (!made.open) return 'UNKNOWN'
  if ((await mergeable(world, found)) === 'CONFLICTING') return 'DIRTY'
  if (made.draft) return 'DRAFT'
  if (!(await isReady(world, found))) return 'BLOCKED'
  const checks = rollupState(repository, made.headSha)
  return checks === undefined || checks === 'SUCCESS' ? 'CLEAN' : 'UNSTABLE'
}

async function isReady(world: World, found: Found): Promise<boolean> {
  try {
    await refuseUnready(world, found)
    return true
  } catch (error) {
    if (error instanceof Failure) return false
    throw error
  }
}

async function reviewDecision(world: World, found: Found): Promise<string | null> {
  const states = (await verdicts(world, found)).map(({ state }) => state)
  const wanted = approvalsWanted(found.repository, found.pull.base)
  if (states.includes('CHANGES_REQUESTED')) return 'CHANGES_REQUESTED'
  const approvals = states.filter((state) => state === 'APPROVED').length
  if (approvals > 0 && approvals >= wanted) return 'APPROVED'
  return wanted > 0 ? 'REVIEW_REQUIRED' : null
}

function approvalsWanted(repository: Repository, branch: string): number {
  const counts = mergeRules(repository, branch)
    .filter(({ type }) => type === 'pull_request')
    .map(({ parameters }) => Number(mapAt({ parameters }, 'parameters')['required_approving_review_count'] ?? 0))
  return Math.max(0, ...counts)
}
