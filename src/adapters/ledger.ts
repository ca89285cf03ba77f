import { compareText, digest } from '../core/canonical.ts'
import { addedBy, recordPath, unitFolder } from '../core/ledger.ts'
import { Refused } from '../core/problem.ts'
import type { ReleaseRecord } from '../core/release/model.ts'
import { readReleaseRecord, releaseName, releasePath } from '../core/release/model.ts'
import { damagedRelease } from '../core/release/verify.ts'
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
  /** The record of a release; nothing where there is none. */
  release(of: { readonly template: string; readonly version: string }): Promise<ReleaseRecord | undefined>
  /** Adds the record of a release; what is there by then is given back instead. */
  addRelease(wanted: ReleaseRecord): Promise<{ readonly is: 'created' | 'found'; readonly record: ReleaseRecord }>
}

/**
 * The ledger. A record becomes a file that was not there, in a commit on the branch's head; the branch moves to it only if it is
 * still at that head, so of two writers one goes after the other. An id that is taken is refused (`record-exists`), unless it is
 * this very record whose answer was lost.
 *
 * A commit's message holds the record too, so a page of commits is a page of records: the latest of a unit take one request or
 * two, not one a record. What this has read of the newest it does not ask for again until it writes.
 */
export function ledgerRecords(options: ClientOptions): Ledger {
  const client = clientOf(options)
  const here = `${client.at.owner}/${client.at.repo}`
  let known: Promise<Page> | undefined
  return {
    append: async (record) => {
      const path = recordPath(record)
      const page = known
      known = undefined
      const added: Added = { path, data: record, title: `${record.unit}: ${record.outcome}`, since: record.started }
      const { is } = await told(`write ${path} to the ledger of ${here}`, async () => append(client, added, await page))
      if (is === 'created') return
      throw new Refused('record-exists', `There is a record ${record.id} already, and records are never changed.`, {
        remedy: 'Run the command again; it gets an id of its own.',
      })
    },
    list: async (unit, { latest } = {}) =>
      told(`read the ledger of ${here}`, async () => {
        if (unit !== undefined && latest !== undefined) {
          known ??= newest(client)
          const texts = await latestOf(client, { unit, latest, page: await known })
          if (texts !== undefined) return inOrder(texts).slice(-latest)
        }
        const entries =
          unit === undefined ? await allEntries(client, isRecord) : await entriesOf(client, { unit, latest })
        return inOrder(await readAll(client, entries))
      }),
    files: async () =>
      told(`read the ledger of ${here}`, async () => readAll(client, await allEntries(client, isOurs))),
    release: async (of) => {
      const path = releasePath(of)
      const text = await told(`read ${path} on the ledger of ${here}`, async () => fileOn(client, path, ledgerBranch))
      return text === undefined ? undefined : releaseIn(path, text)
    },
    addRelease: async (wanted) => {
      const path = releasePath(wanted)
      known = undefined
      // Whenever it was released, nobody knows by that how far back another may have done so.
      const added: Added = { path, data: wanted, title: `${releaseName(wanted)}: released`, since: undefined }
      const { is, text } = await told(`write ${path} to the ledger of ${here}`, async () => append(client, added))
      return { is, record: releaseIn(path, text) }
    },
  }
}

function releaseIn(path: string, text: string): ReleaseRecord {
  const record = readReleaseRecord(path, text)
  if (record !== undefined) return record
  const { code, message, remedy } = damagedRelease(path)
  throw new Refused(code, `${path}: ${message}`, { remedy })
}

function inOrder(texts: FileTree): readonly DeploymentRecord[] {
  const records = [...texts].map(([path, text]) => readRecord(path, text))
  return records.toSorted((a, b) => compareText(a.id, b.id))
}

// Writing

/** Of many writers each has to have its turn, without all of them asking all the time: the pauses grow to half a minute. */
const mostTries = 40
const longestPause = 32

/** What is added: a file with that data, by a commit of that title. It was not there before `since`, where that is known. */
type Added = {
  readonly path: string
  readonly data: DeploymentRecord | ReleaseRecord
  readonly title: string
  readonly since: string | undefined
}

/** Adds a file; `found` is what another has put there. */
async function append(
  client: Client,
  added: Added,
  seen?: Page,
): Promise<{ readonly is: 'created' | 'found'; readonly text: string }> {
  const { pause } = client
  const { path, data, since } = added
  const tried = new Set<string>()
  let lost: unknown
  for (let count = 0; count < mostTries; count += 1) {
    if (count > 0) await pause(count - 1, longestPause)
    try {
      // If somebody has written since that was seen, the branch does not move, and it is looked again.
      const page = (count === 0 ? seen : undefined) ?? (await newest(client))
      const { head } = page
      const taken = await textAt(client, { page, path, since })
      if (taken !== undefined) return { is: tried.has(taken) ? 'created' : 'found', text: taken }
      const text = `${JSON.stringify({ ...data, ...(head !== undefined && { prev: head.link }) }, undefined, 2)}\n`
      tried.add(text)
      await put(client, { head, path, text, title: added.title })
      return { is: 'created', text }
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

/** One commit of the branch: the record that it says it adds, and that record's text if it says that too. */
type Told = { readonly path: string | undefined; readonly text: string | undefined; readonly at: number }

type Page = {
  /** Nothing, if there is no branch yet. */
  readonly head: Head | undefined
  /** The newest first. */
  readonly told: readonly Told[]
  /** Whether these are all that there are. */
  readonly isWhole: boolean
}

const pageSize = 100

/** The head of the branch, and the newest of what was added to it: all of that in one request. */
async function newest(client: Client, path?: string): Promise<Page> {
  const { octokit, at } = client
  try {
    const { data } = await octokit.rest.repos.listCommits({
      ...at,
      sha: ledgerBranch,
      per_page: pageSize,
      ...(path !== undefined && { path }),
    })
    const [first] = data
    return {
      head: path === undefined && first !== undefined ? headOf(first) : undefined,
      told: data.map(({ commit }) => ({
        ...toldIn(commit.message),
        at: Date.parse(commit.committer?.date ?? ''),
      })),
      isWhole: data.length < pageSize,
    }
  } catch (error) {
    if (isStatus(error, 404)) return { head: undefined, told: [], isWhole: true }
    throw error
  }
}

/** What the next record names as the one before it is the digest that a commit of ours says of the record that it adds. */
function headOf({
  sha,
  commit: { message, tree },
}: {
  readonly sha: string
  readonly commit: { readonly message: string; readonly tree: { readonly sha: string } }
}): Head {
  return { commit: sha, tree: tree.sha, link: addedBy(message)?.digest ?? `commit:${sha}` }
}

/**
 * The message of a commit that adds a record. GitHub makes links and mentions of what it finds in messages, so the record's
 * text is in a form in which it finds none.
 */
function messageOf({ title, path, text }: Pick<Putting, 'title' | 'path' | 'text'>): string {
  const whole = Buffer.from(text).toString('base64')
  const last = whole.length > longestText ? [] : [`Text: ${whole}`]
  return [title, '', `Record: ${path}`, `Digest: ${digest(text)}`, ...last, ''].join('\n')
}

/** Of a record that is longer the file alone has the text. */
const longestText = 20_000

function toldIn(message: string): Pick<Told, 'path' | 'text'> {
  const { path, digest: said } = addedBy(message) ?? {}
  const text = /^Text: ([A-Za-z0-9+/=]+)$/mu.exec(message)?.[1]
  const read = text === undefined ? undefined : Buffer.from(text, 'base64').toString('utf8')
  return { path, text: read !== undefined && said === digest(read) ? read : undefined }
}

/** The text of a file, if it is there already. */
async function textAt(
  client: Client,
  {
    page: { head, told: all, isWhole },
    path,
    since,
  }: { readonly page: Page; readonly path: string; readonly since: string | undefined },
): Promise<string | undefined> {
  if (head === undefined) return undefined
  const own = all.find((each) => each.path === path)
  if (own?.text !== undefined) return own.text
  // A record was not written before what it tells of began; clocks may differ by some minutes.
  const oldest = all.at(-1)?.at ?? Number.NaN
  const isKnown = all.every((each) => each.path !== undefined)
  const isNew = since !== undefined && oldest < Date.parse(since) - 600_000
  if (own === undefined && isKnown && (isWhole || isNew)) return undefined
  return fileOn(client, path, head.commit)
}

async function fileOn({ octokit, at }: Client, path: string, ref: string): Promise<string | undefined> {
  try {
    const { data } = await octokit.rest.repos.getContent({ ...at, path, ref })
    return 'content' in data ? Buffer.from(data.content, 'base64').toString('utf8') : 'a folder'
  } catch (error) {
    if (isStatus(error, 404)) return undefined
    throw error
  }
}

type Putting = {
  readonly head: Head | undefined
  readonly path: string
  readonly text: string
  readonly title: string
}

async function put({ octokit, at }: Client, { head, path, text, title }: Putting): Promise<void> {
  const tree = await octokit.rest.git.createTree({
    ...at,
    ...(head !== undefined && { base_tree: head.tree }),
    tree: [{ path, mode: '100644', type: 'blob', content: text }],
  })
  const commit = await octokit.rest.git.createCommit({
    ...at,
    message: messageOf({ title, path, text }),
    tree: tree.data.sha,
    parents: head === undefined ? [] : [head.commit],
  })
  if (head === undefined)
    await octokit.rest.git.createRef({ ...at, ref: `refs/heads/${ledgerBranch}`, sha: commit.data.sha })
  else await octokit.rest.git.updateRef({ ...at, ref: `heads/${ledgerBranch}`, sha: commit.data.sha, force: false })
}

// Reading

type Entry = { readonly path: string; readonly sha: string }

const isRecord = (path: string): boolean => /^records\/.+\/\d{4}-\d{2}\/[^/]+\.json$/u.test(path)
const isOurs = (path: string): boolean => isRecord(path) || /^releases\/[^/]+\/[^/]+\.json$/u.test(path)

/**
 * The texts of a unit's latest records as the messages of commits have them; nothing where one of the commits was not made by
 * this version, so that the files have to be read.
 */
async function latestOf(
  client: Client,
  { unit, latest, page }: { readonly unit: string; readonly latest: number; readonly page: Page },
): Promise<FileTree | undefined> {
  const folder = unitFolder(unit)
  const own = ownTexts(page, folder)
  if (own !== undefined && (page.isWhole || own.size >= latest)) return own
  const further = await newest(client, folder)
  const found = ownTexts(further, folder)
  // Below `checkout/dev` is also the component of that instance, which may fill the page.
  return found !== undefined && (further.isWhole || found.size >= latest) ? found : undefined
}

function ownTexts({ told: all }: Page, folder: string): FileTree | undefined {
  const isOwn = (path: string): boolean =>
    path.startsWith(`${folder}/`) && /^\d{4}-\d{2}\//u.test(path.slice(folder.length + 1))
  const own = new Map<string, string>()
  for (const { path, text } of all) {
    if (path !== undefined && !isOwn(path)) continue
    if (path === undefined || text === undefined) return undefined
    own.set(path, text)
  }
  return own
}

/** All records. GitHub cuts a list that is too long; then the folders are listed one by one. */
async function allEntries(client: Client, isWanted: (path: string) => boolean): Promise<readonly Entry[]> {
  const { head } = await newest(client)
  if (head === undefined) return []
  const all = await entriesBelow(client, { sha: head.tree, under: '' })
  return all.filter(({ path }) => isWanted(path))
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
