import { createHash } from 'node:crypto'

import { compareText, digest } from '../core/canonical.ts'
import { recordPath, unitFolder } from '../core/ledger.ts'
import { Refused } from '../core/problem.ts'
import type { FileTree } from '../core/tree.ts'
import type { DeploymentRecord, Records } from '../ports.ts'
import type { Client, ClientOptions } from './github/client.ts'
import { clientOf } from './github/client.ts'
import { isStatus, isUncertain, told, wordsOf } from './github/refusal.ts'
import { readRecord } from './records.ts'

/** The branch; it shares no commit with the others of its repository. */
export const ledgerBranch = 'protium-ledger'

/** Records on a branch of a repository, usually the catalog's. */
export type Ledger = Records & {
  /** All files of the ledger, for those who check the chain. */
  files(): Promise<FileTree>
}

/**
 * The ledger. A record becomes a file that was not there, in a commit on the branch's head; the branch moves to it only if it is
 * still at that head, so of two writers one goes after the other. An id that is taken is refused (`record-exists`), unless it is
 * this very record whose answer was lost.
 */
export function ledgerRecords(options: ClientOptions): Ledger {
  const client = clientOf(options)
  const here = `${client.at.owner}/${client.at.repo}`
  return {
    append: async (record) => {
      const path = recordPath(record)
      await told(`write ${path} to the ledger of ${here}`, async () => append(client, record, path))
    },
    list: async (unit, { latest } = {}) =>
      told(`read the ledger of ${here}`, async () => {
        const entries = unit === undefined ? await allEntries(client) : await entriesOf(client, { unit, latest })
        const texts = await readAll(client, entries)
        const records = [...texts].map(([path, text]) => readRecord(path, text))
        return records.toSorted((a, b) => compareText(a.id, b.id))
      }),
    files: async () => told(`read the ledger of ${here}`, async () => readAll(client, await allEntries(client))),
  }
}

// Writing

/** Of many writers each has to have its turn, without all of them asking all the time: the pauses grow to half a minute. */
const mostTries = 40
const longestPause = 32

async function append(client: Client, record: DeploymentRecord, path: string): Promise<void> {
  const { pause } = client
  const tried = new Set<string>()
  let lost: unknown
  for (let count = 0; count < mostTries; count += 1) {
    if (count > 0) await pause(count - 1, longestPause)
    try {
      const head = await headOf(client)
      const taken = head === undefined ? undefined : await blobAt(client, { path, commit: head.commit })
      if (taken !== undefined && tried.has(taken)) return
      if (taken !== undefined) {
        throw new Refused('record-exists', `There is a record ${record.id} already, and records are never changed.`, {
          remedy: 'Run the command again; it gets an id of its own.',
        })
      }
      const text = `${JSON.stringify({ ...record, ...(head !== undefined && { prev: head.link }) }, undefined, 2)}\n`
      tried.add(blobId(text))
      await put(client, { head, path, text, record })
      return
    } catch (error) {
      if (!isUncertain(error) && !isRace(error)) throw error
      lost = error
    }
  }
  throw lost
}

/** Somebody else moved the branch first. That a rule of the repository is against it has the same status and other words. */
function isRace(error: unknown): boolean {
  return (
    isStatus(error, 409, 422) &&
    /fast.?forward|reference already exists|cannot lock|cannot be updated/iu.test(wordsOf(error))
  )
}

type Head = {
  readonly commit: string
  readonly tree: string
  /** What the next record names as the one before it. */
  readonly link: string
}

/** Where the branch is. Every commit of ours says the digest of the record that it adds; nothing else is read for it. */
async function headOf({ octokit, at }: Client): Promise<Head | undefined> {
  try {
    const { data } = await octokit.rest.repos.getBranch({ ...at, branch: ledgerBranch })
    const { sha, commit } = data.commit
    const said = /^Digest: (sha256:[0-9a-f]{64})$/mu.exec(commit.message)?.[1]
    const tree = commit.tree?.sha
    if (tree === undefined) throw new TypeError('GitHub told of a commit without a tree.')
    return { commit: sha, tree, link: said ?? `commit:${sha}` }
  } catch (error) {
    if (isStatus(error, 404)) return undefined
    throw error
  }
}

/** The id of the blob at a path, if there is one. */
async function blobAt(
  { octokit, at }: Client,
  { path, commit }: { readonly path: string; readonly commit: string },
): Promise<string | undefined> {
  try {
    const { data } = await octokit.rest.repos.getContent({ ...at, path, ref: commit })
    return 'sha' in data ? data.sha : 'a folder'
  } catch (error) {
    if (isStatus(error, 404)) return undefined
    throw error
  }
}

type Putting = {
  readonly head: Head | undefined
  readonly path: string
  readonly text: string
  readonly record: DeploymentRecord
}

async function put({ octokit, at }: Client, { head, path, text, record }: Putting): Promise<void> {
  const { git } = octokit.rest
  const tree = await git.createTree({
    ...at,
    ...(head !== undefined && { base_tree: head.tree }),
    tree: [{ path, mode: '100644', type: 'blob', content: text }],
  })
  const commit = await git.createCommit({
    ...at,
    message: `${record.unit}: ${record.outcome}\n\nRecord: ${path}\nDigest: ${digest(text)}\n`,
    tree: tree.data.sha,
    parents: head === undefined ? [] : [head.commit],
  })
  if (head === undefined) await git.createRef({ ...at, ref: `refs/heads/${ledgerBranch}`, sha: commit.data.sha })
  else await git.updateRef({ ...at, ref: `heads/${ledgerBranch}`, sha: commit.data.sha, force: false })
}

/** Git's own name for a text: https://git-scm.com/book/en/v2/Git-Internals-Git-Objects */
function blobId(text: string): string {
  return createHash('sha1')
    .update(`blob ${Buffer.byteLength(text)}\0${text}`)
    .digest('hex')
}

// Reading

type Entry = { readonly path: string; readonly sha: string }

const isRecord = (path: string): boolean => /^records\/.+\/\d{4}-\d{2}\/[^/]+\.json$/u.test(path)

/** All records. GitHub cuts a list that is too long; then the folders are listed one by one. */
async function allEntries(client: Client): Promise<readonly Entry[]> {
  const head = await headOf(client)
  if (head === undefined) return []
  const all = await entriesBelow(client, { sha: head.tree, under: '' })
  return all.filter(({ path }) => isRecord(path))
}

async function entriesBelow(
  client: Client,
  { sha, under }: { readonly sha: string; readonly under: string },
): Promise<readonly Entry[]> {
  const { octokit, at } = client
  const whole = await octokit.rest.git.getTree({ ...at, tree_sha: sha, recursive: 'true' })
  const entryOf = (entry: { readonly path?: string; readonly sha?: string }): Entry => ({
    path: `${under}${entry.path ?? ''}`,
    sha: entry.sha ?? '',
  })
  if (!whole.data.truncated) return whole.data.tree.filter(({ type }) => type === 'blob').map(entryOf)
  const { data } = await octokit.rest.git.getTree({ ...at, tree_sha: sha })
  const found = data.tree.filter(({ type }) => type === 'blob').map(entryOf)
  for (const folder of data.tree.filter(({ type }) => type === 'tree').map(entryOf)) {
    found.push(...(await entriesBelow(client, { sha: folder.sha, under: `${folder.path}/` })))
  }
  return found
}

/** A unit's records, of the newest months as far as they are asked for. */
async function entriesOf(
  { octokit, at }: Client,
  { unit, latest }: { readonly unit: string; readonly latest: number | undefined },
): Promise<readonly Entry[]> {
  const folder = unitFolder(unit)
  const months = await monthsOf({ octokit, at }, folder)
  const found: Entry[] = []
  for (const month of months.toReversed()) {
    if (latest !== undefined && found.length >= latest) break
    const { data } = await octokit.rest.git.getTree({ ...at, tree_sha: month.sha })
    const entries = data.tree.map(({ path, sha }): Entry => ({
      path: `${folder}/${month.path}/${path}`,
      sha,
    }))
    found.unshift(...entries.filter(({ path }) => isRecord(path)).toSorted((a, b) => compareText(a.path, b.path)))
  }
  return latest === undefined ? found : found.slice(-latest)
}

async function monthsOf({ octokit, at }: Pick<Client, 'octokit' | 'at'>, folder: string): Promise<readonly Entry[]> {
  try {
    const { data } = await octokit.rest.repos.getContent({ ...at, path: folder, ref: ledgerBranch })
    const entries = Array.isArray(data) ? data : []
    return entries
      .filter(({ type, name }) => type === 'dir' && /^\d{4}-\d{2}$/u.test(name))
      .map(({ name, sha }): Entry => ({ path: name, sha }))
      .toSorted((a, b) => compareText(a.path, b.path))
  } catch (error) {
    if (isStatus(error, 404)) return []
    throw error
  }
}

/** The texts of files, some at a time. */
async function readAll({ octokit, at }: Client, entries: readonly Entry[]): Promise<FileTree> {
  const texts = new Map<string, string>()
  const waiting = [...entries]
  const read = async (): Promise<void> => {
    for (let entry = waiting.shift(); entry !== undefined; entry = waiting.shift()) {
      const { data } = await octokit.rest.git.getBlob({ ...at, file_sha: entry.sha })
      texts.set(entry.path, Buffer.from(data.content, 'base64').toString('utf8'))
    }
  }
  await Promise.all(Array.from({ length: 8 }, read))
  return new Map([...texts].toSorted(([a], [b]) => compareText(a, b)))
}
