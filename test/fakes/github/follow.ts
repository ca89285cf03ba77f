import { emitPull } from './events.ts'
import type { Identity } from './identity.ts'
import { copyObjects, type Move, refSha } from './objects.ts'
import type { Found } from './pull-view.ts'
import { fullNameOf, repositoryOf } from './state.ts'
import { actorOf, type World, written, writeGit } from './world.ts'

/** A branch has moved: pull requests from it follow. One that it was merged into by a push is not looked for. */
export async function afterPush(world: World, { repository, ref, before, after, identity }: Move): Promise<void> {
  if (!ref.startsWith('refs/heads/')) return
  const branch = ref.slice('refs/heads/'.length)
  for (const target of Object.values(world.state.repositories)) {
    for (const pull of Object.values(target.pulls)) {
      if (!pull.open || pull.head.repository !== fullNameOf(repository) || pull.head.branch !== branch) continue
      if (after === undefined) await closeDeleted(world, { repository: target, pull }, identity)
      else if (before !== after) await follow(world, { repository: target, pull }, { after, identity })
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
  const updated = { ...pull, headSha: after, baseSha }
  repository.pulls[pull.number] = updated
  await emitPull(world, { action: 'synchronize', repository, pull: updated, identity, before: pull.headSha })
}

async function closeDeleted(world: World, { repository, pull }: Found, identity: Identity): Promise<void> {
  const actor = actorOf(world, identity, repository)
  const path = `/pulls/${pull.number}`
  await written(world, { actor, repository, method: 'PATCH', path, body: { state: 'closed' } })
  const updated = { ...pull, open: false }
  repository.pulls[pull.number] = updated
  await emitPull(world, { action: 'closed', repository, pull: updated, identity })
}
