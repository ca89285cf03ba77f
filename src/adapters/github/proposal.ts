import { Refused } from '../../core/problem.ts'
import type { Brought, Proposal, ProposalHost, Proposed } from '../../ports.ts'
import type { Client, ClientOptions } from './client.ts'
import { clientOf } from './client.ts'
import { ensure } from './ensure.ts'
import { isStatus, told, wordsOf } from './refusal.ts'

/** Proposes files to a repository by the git data API: no clone, and one commit whatever the number of files. */
export function proposalsOf(options: ClientOptions): ProposalHost {
  const client = clientOf(options)
  const here = `${client.at.owner}/${client.at.repo}`
  return {
    look: async ({ branch, paths }) =>
      told(`read ${here}`, async () => {
        const ground = await groundOf(client, branch)
        const there = await filesAt(client, { commit: ground.commit, paths })
        const pullRequest = ground.pull?.number
        return { id: ground.id, ...there, ...(pullRequest !== undefined && { pullRequest }) } satisfies Proposed
      }),
    propose: async (wanted) => {
      const ground = await told(`read ${here}`, async () => groundOf(client, wanted.branch))
      const is = await permitted(client, wanted, async () =>
        told(`put files on the branch ${wanted.branch} of ${here}`, async () => commitOn(client, { wanted, ground })),
      )
      return told(`open a pull request in ${here}`, async () => pullRequest(client, { wanted, ground, is }))
    },
  }
}

type Pull = { readonly number: number; readonly title: string; readonly body: string | null; readonly html_url: string }

/** What our commit would stand on. */
type Ground = {
  readonly id: string
  readonly main: string
  readonly commit: string
  /** Our branch is there. */
  readonly isThere: boolean
  readonly pull: Pull | undefined
}

async function groundOf(client: Client, branch: string): Promise<Ground> {
  const { octokit, at } = client
  const { data: repository } = await octokit.rest.repos.get(at)
  const main = repository.default_branch
  const [own, pull] = [await headOf(client, branch), await openPull(client, { branch, main })]
  const commit = pull === undefined ? await headOf(client, main) : own
  if (commit === undefined)
    throw new Refused('github-conflict', `${at.owner}/${at.repo} has no commit on its branch ${main} yet.`, {
      remedy:
        'Push a first commit there, such as a README. Or write the files with `--into`, and make them the first one.',
    })
  return { id: String(repository.id), main, commit, isThere: own !== undefined, pull }
}

async function headOf({ octokit, at }: Client, branch: string): Promise<string | undefined> {
  try {
    return (await octokit.rest.git.getRef({ ...at, ref: `heads/${branch}` })).data.object.sha
  } catch (error) {
    // An empty repository is a conflict to GitHub.
    if (isStatus(error, 404, 409)) return undefined
    throw error
  }
}

async function openPull(
  { octokit, at }: Client,
  { branch, main }: { readonly branch: string; readonly main: string },
): Promise<Pull | undefined> {
  const { data } = await octokit.rest.pulls.list({
    ...at,
    state: 'open',
    head: `${at.owner}:${branch}`,
    base: main,
    per_page: 100,
  })
  return data[0]
}

async function filesAt(
  { octokit, at }: Client,
  { commit, paths }: { readonly commit: string; readonly paths: readonly string[] },
): Promise<Pick<Proposed, 'files' | 'others'>> {
  const files = new Map<string, string>()
  const others = new Map<string, 'folder' | 'link' | 'binary'>()
  for (const path of paths) {
    try {
      const { data } = await octokit.rest.repos.getContent({ ...at, path, ref: commit })
      if (Array.isArray(data)) others.set(path, 'folder')
      else if (data.type !== 'file') others.set(path, 'link')
      else {
        const text = 'content' in data ? textOf(data.content) : undefined
        if (text === undefined) others.set(path, 'binary')
        else files.set(path, text)
      }
    } catch (error) {
      if (!isStatus(error, 404)) throw error
    }
  }
  return { files, others }
}

function textOf(base64: string): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.from(base64, 'base64'))
  } catch {
    return undefined
  }
}

/** GitHub keeps workflows from tokens that were not given the right to change them, and says so in several ways. */
async function permitted<T>({ at }: Client, { files }: Proposal, run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (error) {
    const cause = error instanceof Refused ? error.cause : undefined
    const isAbout = [...files.keys()].some((path) => path.startsWith('.github/workflows/'))
    if (!isAbout || !(isStatus(cause, 403, 404) || /workflow/iu.test(wordsOf(cause)))) throw error
    if (/rate limit/iu.test(wordsOf(cause))) throw error
    throw new Refused(
      'github-permission',
      `GitHub would not let Protium put workflows into ${at.owner}/${at.repo}: ${wordsOf(cause)}`,
      {
        remedy:
          'Give the token `workflows: write` besides `contents: write` and `pull-requests: write`; a classic one has the scopes `repo` and `workflow`. Or write the files with `--into`, and push them yourself.',
        cause,
      },
    )
  }
}

type Work = { readonly wanted: Proposal; readonly ground: Ground }

async function commitOn(client: Client, { wanted, ground }: Work): Promise<Brought> {
  const { octokit, at, pause } = client
  const { files, branch, title, executables } = wanted
  if (files.size === 0) return 'unchanged'
  const base = await octokit.rest.git.getCommit({ ...at, commit_sha: ground.commit })
  const tree = await octokit.rest.git.createTree({
    ...at,
    base_tree: base.data.tree.sha,
    tree: [...files].map(([path, content]) => ({
      path,
      mode: executables?.has(path) === true ? ('100755' as const) : ('100644' as const),
      type: 'blob',
      content,
    })),
  })
  // A branch without a pull request was left behind: what stands there stays, and what is asked for is put upon it.
  const old = ground.isThere && ground.pull === undefined ? await headOf(client, branch) : undefined
  if (tree.data.sha === base.data.tree.sha && ground.pull !== undefined) return 'unchanged'
  // Or a run was stopped between the branch and the pull request.
  if (old !== undefined && old !== ground.commit) {
    const left = await octokit.rest.git.getCommit({ ...at, commit_sha: old })
    if (left.data.tree.sha === tree.data.sha) return 'unchanged'
  }
  const parents = old === undefined || old === ground.commit ? [ground.commit] : [old, ground.commit]
  const made = await octokit.rest.git.createCommit({ ...at, message: title, tree: tree.data.sha, parents })
  const commit = made.data.sha
  await ensure({
    look: async () => ((await headOf(client, branch)) === commit ? commit : undefined),
    act: async () => {
      if (ground.isThere) await octokit.rest.git.updateRef({ ...at, ref: `heads/${branch}`, sha: commit, force: false })
      else await octokit.rest.git.createRef({ ...at, ref: `refs/heads/${branch}`, sha: commit })
      return commit
    },
    pause,
    isAbsent: true,
  })
  return 'created'
}

async function pullRequest(
  client: Client,
  { wanted, ground, is }: Work & { readonly is: Brought },
): Promise<{ readonly is: Brought; readonly number: number; readonly address: string }> {
  const { octokit, at, pause } = client
  const { branch, title, body } = wanted
  const { pull, main } = ground
  if (pull === undefined) {
    const { value } = await ensure({
      look: async () => openPull(client, { branch, main }),
      act: async () =>
        (await octokit.rest.pulls.create({ ...at, title, head: branch, base: main, body: body.markdown })).data,
      pause,
      isAbsent: true,
    })
    return { is: 'created', number: value.number, address: value.html_url }
  }
  const isSame = (pull.body ?? '').replaceAll('\r\n', '\n').trimEnd() === body.markdown.trimEnd()
  if (!isSame) await octokit.rest.pulls.update({ ...at, pull_number: pull.number, body: body.markdown })
  return {
    is: isSame && is === 'unchanged' ? 'unchanged' : 'updated',
    number: pull.number,
    address: pull.html_url,
  }
}
