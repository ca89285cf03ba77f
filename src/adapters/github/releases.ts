import { parseReference } from '../../core/version.ts'
import type { ReleaseHost } from '../../ports.ts'
import { ledgerRecords } from '../ledger.ts'
import type { Client, ClientOptions } from './client.ts'
import { clientOf } from './client.ts'
import { ensure } from './ensure.ts'
import { isStatus, told } from './refusal.ts'

/**
 * Releases of a repository: tags, the releases of GitHub that show them, and the records on the ledger. Whatever is sent is looked for
 * before, and again where its answer was lost; nothing is ever moved or written over.
 */
export function releasesOf(options: ClientOptions): ReleaseHost {
  const client = clientOf(options)
  const ledger = ledgerRecords(options)
  const here = `${client.at.owner}/${client.at.repo}`
  return {
    tags: async () => told(`list the tags of ${here}`, async () => tagsOf(client)),
    recorded: async (release) => ledger.release(release),
    tag: async (name, commit) => told(`make the tag ${name} in ${here}`, async () => tag(client, { name, commit })),
    record: async (wanted) => ledger.addRelease(wanted),
    publish: async (wanted) =>
      told(`publish the release ${wanted.tag} of ${here}`, async () => publish(client, wanted)),
  }
}

type Reference = { readonly sha: string; readonly type: string }

/** The commit that a tag leads to, also by a tag that has a message of its own. */
async function commitOf({ octokit, at }: Client, { sha, type }: Reference): Promise<string> {
  if (type !== 'tag') return sha
  const { data } = await octokit.rest.git.getTag({ ...at, tag_sha: sha })
  return data.object.sha
}

async function tagsOf(client: Client): Promise<ReadonlyMap<string, string>> {
  const { octokit, at } = client
  const { data } = await octokit.rest.git.listMatchingRefs({ ...at, ref: 'tags/' })
  const found = new Map<string, string>()
  for (const { ref, object } of data) {
    const name = ref.slice('refs/tags/'.length)
    if (parseReference(name) !== undefined) found.set(name, await commitOf(client, object))
  }
  return found
}

async function commitAt(client: Client, name: string): Promise<string | undefined> {
  const { octokit, at } = client
  try {
    const { data } = await octokit.rest.git.getRef({ ...at, ref: `tags/${name}` })
    return await commitOf(client, data.object)
  } catch (error) {
    if (isStatus(error, 404)) return undefined
    throw error
  }
}

async function tag(
  client: Client,
  { name, commit }: { readonly name: string; readonly commit: string },
): ReturnType<ReleaseHost['tag']> {
  const { octokit, at, pause } = client
  const { is, value } = await ensure({
    look: async () => commitAt(client, name),
    act: async () => {
      await octokit.rest.git.createRef({ ...at, ref: `refs/tags/${name}`, sha: commit })
      return commit
    },
    pause,
    isAbsent: true,
  })
  return { is: is === 'made' && value === commit ? 'created' : 'found', commit: value }
}

async function publish(
  client: Client,
  { tag: name, title, notes }: Parameters<ReleaseHost['publish']>[0],
): ReturnType<ReleaseHost['publish']> {
  const { octokit, at, pause } = client
  const look = async (): Promise<string | undefined> => {
    try {
      return (await octokit.rest.repos.getReleaseByTag({ ...at, tag: name })).data.html_url
    } catch (error) {
      if (isStatus(error, 404)) return undefined
      throw error
    }
  }
  const { is, value } = await ensure({
    look,
    act: async () => {
      const made = await octokit.rest.repos.createRelease({
        ...at,
        tag_name: name,
        name: title,
        body: notes.markdown,
        // Each template has a newest version of its own, so none is that of the repository.
        make_latest: 'false',
      })
      return made.data.html_url
    },
    pause,
  })
  return { is: is === 'made' ? 'created' : 'found', address: value }
}
