import { emitPull } from './events.ts'
import { type Identity, loginOf } from './identity.ts'
import { copyObjects, isAncestor, type Move, refSha } from './objects.ts'
import { type Found, mergedPull } from './pull-view.ts'
import { fullNameOf, type Pull, repositoryOf } from './state.ts'
import { actorOf, now, type World, written, writeGit } from './world.ts'

/**
 * A branch has moved: pull requests from it follow, one that has no commits of its own any more is closed, and one whose
 * commits the base has got is merged.
 */
export async function afterPush(world: World, { repository, ref, before, after, identity }: Move): Promise<void> {
  if (!ref.startsWith('refs/heads/')) return
  const branch = ref.slice('refs/heads/'.length)
  const name = fullNameOf(repository)
  for (const target of Object.values(world.state.repositories)) {
    for (const pull of Object.values(target.pulls)) {
      if (!pull.open || before === after) continue
      const found = { repository: target, pull }
      if (pull.head.repository === name && pull.head.branch === branch) {
        if (after === undefined) await close(world, found, identity)
        else await follow(world, found, { after, identity })
      } else if (target === repository && pull.base === branch && after !== undefined) {
        if (!(await isAncestor(world, repository, { older: pull.headSha, newer: after }))) continue
        await end(world, { found, identity }, mergedPull(pull, { at: now(world), by: loginOf(identity), sha: after }))
      }
    }
  }
}

async function follow(
  world: World,
  { repository, pull }: Found,
  { after, identity }: { readonly after: string; readonly identity: Identity },
): Promise<void> {
  await copyObjects(world, { from: repositoryOf(world.state, pull.head.repository), to: repository, sha: after })
  const path = `/git/refs/pull/${pull.number}/head`
  await writeGit(world, repository, { method: 'PATCH', path, body: { sha: after, force: true } })
  const baseSha = (await refSha(world, repository, `refs/heads/${pull.base}`)) ?? pull.baseSha
  // What was to be merged is not what is there now, so it leaves the queue.
  const { inMergeQueue: _queued, ...rest } = pull
  const updated: Pull = { ...rest, headSha: after, baseSha }
  repository.pulls[pull.number] = updated
  if (await isAncestor(world, repository, { older: after, newer: baseSha }))
    return close(world, { repository, pull: updated }, identity)
  await emitPull(world, { action: 'synchronize', repository, pull: updated, identity, before: pull.headSha })
}

function close(world: World, found: Found, identity: Identity): Promise<void> {
  const { pull } = found
  const timeline = [...pull.timeline, { is: 'closed', at: now(world), by: loginOf(identity) } as const]
  return end(world, { found, identity }, { ...pull, open: false, timeline })
}

type Ending = { readonly found: Found; readonly identity: Identity }

async function end(world: World, { found, identity }: Ending, ended: Pull): Promise<void> {
  const { repository, pull } = found
  const actor = actorOf(world, identity, repository)
  const path = `/pulls/${pull.number}`
  await written(world, { actor, repository, method: 'PATCH', path, body: { state: 'closed' } })
  repository.pulls[pull.number] = ended
  await emitPull(world, { action: 'closed', repository, pull: ended, identity })
}
