import { line } from '../../../core/encode.ts'
import { shorten } from '../../../core/markdown.ts'
import { Refused } from '../../../core/problem.ts'
import type { RolloutsHost, RolloutsRead, WantedIssue } from '../../../ports.ts'
import type { Client, ClientOptions } from '../client.ts'
import { clientOf } from '../client.ts'
import { ensure } from '../ensure.ts'
import { isStatus, told } from '../refusal.ts'
import { asked, patiently, wholeFault } from './batches.ts'
import type { Answer, FieldError, FleetClient } from './client.ts'
import { at, Failed, fleetClient, Limited, listAt, Lost, textAt } from './client.ts'
import { branchQuery, mutation, parts } from './queries.ts'

/** The branch of what is remembered of rollouts; it shares no commit with the others of the catalog. */
export const rolloutsBranch = 'protium-rollouts'

export function rolloutsOf(options: ClientOptions): RolloutsHost {
  const client = clientOf(options)
  const fleet = fleetClient(options)
  const here = `${client.at.owner}/${client.at.repo}`
  return {
    read: async () => read(fleet, client.at),
    write: async (files, { at: head, why }) => write(fleet, { client, files, head, why }),
    issue: async (wanted) => told(`keep an issue in ${here}`, async () => issue(client, wanted)),
    issueBody: async (number) =>
      told(`read issue ${number} of ${here}`, async () => (await issueNumbered(client, number))?.body),
  }
}

async function read(client: FleetClient, { owner, repo }: Client['at']): Promise<RolloutsRead> {
  const answer = await asked(client, branchQuery, { owner, name: repo, branch: `refs/heads/${rolloutsBranch}` })
  const fault = wholeFault(answer) ?? answer.errors[0]
  if (fault !== undefined) {
    throw new Refused('github-not-found', `GitHub did not show the rollouts of ${owner}/${repo}: ${fault.message}`, {
      remedy: 'Give the command a token that may read the contents of the catalog.',
    })
  }
  const head = textAt(answer.data, 'repository', 'ref', 'target', 'oid')
  const files = new Map<string, string>()
  for (const blob of blobsIn(at(answer.data, 'repository', 'ref', 'target', 'tree'))) {
    files.set(blob.path, blob.text ?? (await wholeText(client, { name: `${owner}/${repo}`, oid: blob.oid })))
  }
  return { at: head, files }
}

type Blob = {
  readonly path: string
  readonly oid: string
  /** Nothing where GitHub gave a part of it. */
  readonly text: string | undefined
}

function blobsIn(tree: unknown): readonly Blob[] {
  return listAt(tree, 'entries').flatMap((entry) => {
    if (textAt(entry, 'type') === 'tree') return blobsIn(at(entry, 'object'))
    const [path, oid] = [textAt(entry, 'path'), textAt(entry, 'object', 'oid')]
    if (path === undefined || oid === undefined) return []
    const isWhole = at(entry, 'object', 'isTruncated') !== true
    return [{ path, oid, text: isWhole ? textAt(entry, 'object', 'text') : undefined }]
  })
}

async function wholeText(
  client: FleetClient,
  { name, oid }: { readonly name: string; readonly oid: string },
): Promise<string> {
  const blob = await patiently(client, async () => client.rest(`GET /repos/${name}/git/blobs/{oid}`, { oid }))
  return Buffer.from(textAt(blob, 'content') ?? '', 'base64').toString('utf8')
}

type Writing = {
  readonly client: Client
  readonly files: ReadonlyMap<string, string | undefined>
  readonly head: string | undefined
  readonly why: string
}

/** GitHub takes a commit only upon the commit that is named, so of two runs that write at once one is told. */
async function write(
  client: FleetClient,
  { client: { at: where }, files, head, why }: Writing,
): Promise<{ readonly is: 'written'; readonly at: string } | { readonly is: 'behind' }> {
  const headline = shorten(line(why).replaceAll(/[@#]/gu, ''), 200)
  if (head === undefined) return begin(client, { where, files, headline })
  const input = {
    branch: { repositoryNameWithOwner: `${where.owner}/${where.repo}`, branchName: rolloutsBranch },
    expectedHeadOid: head,
    message: { headline },
    fileChanges: {
      additions: [...files].flatMap(([path, text]) =>
        text === undefined ? [] : [{ path, contents: Buffer.from(text).toString('base64') }],
      ),
      deletions: [...files].flatMap(([path, text]) => (text === undefined ? [{ path }] : [])),
    },
  }
  for (let count = 1; ; count += 1) {
    const answer = await sent(client, input)
    const written = answer === undefined ? undefined : textAt(answer.data, 'm0', 'commit', 'oid')
    if (written !== undefined) return { is: 'written', at: written }
    const fault = answer?.errors[0]
    if (fault !== undefined) return refused(fault)
    const there = await lost(client, { where, files, head })
    if (there.is !== 'absent') return there
    if (count >= mostTries) throw unanswered()
    await client.sleep(2000 * count)
  }
}

/** Nothing was written, or it cannot be known: then it is looked, and sent again upon the same commit. */
const mostTries = 3

async function sent(client: FleetClient, input: unknown): Promise<Answer | undefined> {
  const part = parts.commit(0)
  await client.breath()
  try {
    return await patiently(client, async () => client.ask(mutation([part]), { [part.alias]: input }))
  } catch (error) {
    if (error instanceof Lost) return undefined
    throw error
  }
}

function refused(fault: FieldError): { readonly is: 'behind' } {
  if (fault.type === 'STALE_DATA' || /expected branch to point to|does not match|not.{0,20}exist/iu.test(fault.message))
    return { is: 'behind' }
  throw new Refused(
    'github-conflict',
    `GitHub would not let Protium write down how the rollouts stand: ${fault.message}`,
    {
      remedy: `Give the token \`contents: write\` on the catalog, and let no rule keep it from the branch ${rolloutsBranch}.`,
    },
  )
}

/** Whether what was sent has come: by what stands there now. */
async function lost(
  client: FleetClient,
  { where, files, head }: { readonly where: Client['at'] } & Pick<Writing, 'files' | 'head'>,
): Promise<{ readonly is: 'written'; readonly at: string } | { readonly is: 'behind' } | { readonly is: 'absent' }> {
  const now = await read(client, where)
  const isThere = [...files].every(([path, text]) => now.files.get(path) === text)
  if (isThere && now.at !== undefined) return { is: 'written', at: now.at }
  return { is: now.at === head ? 'absent' : 'behind' }
}

function unanswered(): Refused {
  return new Refused('github-unreachable', 'GitHub did not answer, and how the rollouts stand was not written down.', {
    remedy: 'Run this again; what has been done is not done twice.',
  })
}

/** The branch with its first commit, which has none before it. */
async function begin(
  client: FleetClient,
  {
    where,
    files,
    headline,
  }: { readonly where: Client['at']; readonly files: Writing['files']; readonly headline: string },
): Promise<{ readonly is: 'written'; readonly at: string } | { readonly is: 'behind' }> {
  const repository = `/repos/${where.owner}/${where.repo}`
  const tree = [...files].flatMap(([path, content]) =>
    content === undefined ? [] : [{ path, mode: '100644', type: 'blob', content }],
  )
  return told('begin the branch of rollouts', async () => {
    try {
      const made = await client.rest(`POST ${repository}/git/trees`, { tree })
      const commit = await client.rest(`POST ${repository}/git/commits`, {
        message: headline,
        tree: textAt(made, 'sha'),
        parents: [],
      })
      const sha = textAt(commit, 'sha') ?? ''
      await client.rest(`POST ${repository}/git/refs`, { ref: `refs/heads/${rolloutsBranch}`, sha })
      return { is: 'written', at: sha } as const
    } catch (error) {
      if (error instanceof Lost) {
        const there = await lost(client, { where, files, head: undefined })
        if (there.is === 'absent') throw unanswered()
        return there
      }
      if (error instanceof Failed && /already exists/iu.test(error.message)) return { is: 'behind' } as const
      if (error instanceof Failed || error instanceof Limited)
        throw new Refused(
          'github-conflict',
          `GitHub would not let Protium begin the branch ${rolloutsBranch}: ${error.message}`,
          {
            remedy: 'Give the token `contents: write` on the catalog, and let no rule keep it from that branch.',
            cause: error,
          },
        )
      throw error
    }
  })
}

// The issue

type Issue = { readonly number: number; readonly title: string; readonly body: string; readonly state: string }

async function issueNumbered({ octokit, at: where }: Client, number: number): Promise<Issue | undefined> {
  try {
    const { data } = await octokit.rest.issues.get({ ...where, issue_number: number })
    return { number, title: data.title, body: data.body ?? '', state: data.state }
  } catch (error) {
    if (isStatus(error, 404, 410)) return undefined
    throw error
  }
}

/**
 * Ours with that marker as the beginning of its body; the oldest, if there are several. Anybody may open an issue and write the marker
 * into it, and who has opened one may tick its boxes; so only what a program has opened counts.
 */
async function issueMarked(client: Client, marker: string): Promise<Issue | undefined> {
  const { octokit, at: where, login } = client
  const found = await octokit.paginate(octokit.rest.issues.listForRepo, {
    ...where,
    state: 'all',
    sort: 'created',
    direction: 'asc',
    per_page: 100,
  })
  const own = found.find(
    ({ body, user, pull_request: pull }) =>
      pull === undefined && (user?.type === 'Bot' || user?.login === login) && body?.startsWith(marker) === true,
  )
  return own === undefined
    ? undefined
    : { number: own.number, title: own.title, body: own.body ?? '', state: own.state }
}

async function issue(client: Client, { number, marker, title, body, state }: WantedIssue) {
  const { octokit, at: where, pause } = client
  const known = number === undefined ? undefined : await issueNumbered(client, number)
  const there = known ?? (await issueMarked(client, marker))
  if (there === undefined) {
    const { value } = await ensure({
      look: async () => issueMarked(client, marker),
      act: async () => {
        const { data } = await octokit.rest.issues.create({ ...where, title, body: body.markdown })
        return { number: data.number, title, body: body.markdown, state: data.state }
      },
      pause,
      isAbsent: true,
    })
    return { is: 'created', number: value.number, body: value.body } as const
  }
  const isSame = there.title === title && there.state === state && plain(there.body) === plain(body.markdown)
  if (!isSame)
    await octokit.rest.issues.update({ ...where, issue_number: there.number, title, body: body.markdown, state })
  return { is: isSame ? 'unchanged' : 'updated', number: there.number, body: there.body } as const
}

function plain(text: string): string {
  return text.replaceAll('\r\n', '\n').trimEnd()
}
