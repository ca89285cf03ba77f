import { spawn } from 'node:child_process'
import { existsSync, realpathSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { env } from 'node:process'
import { checkPath } from '../core/paths.ts'
import { Refused } from '../core/problem.ts'
import { add, admit, gathered, gathering, isPassedOver, notAFile, type ReadTree } from './entries.ts'

/** Git as a store of trees, read through its own program without a checkout. Nothing is written and nothing fetched. */

/** A released version: `fargate-service@2.3.0`. */
const releaseTag = /^[a-zA-Z0-9][a-zA-Z0-9_-]*@(?:0|[1-9][0-9]*)\.(?:0|[1-9][0-9]*)\.(?:0|[1-9][0-9]*)$/

/**
 * The names of the tags that name a released version; with `merged` those alone that the checked-out commit has behind it. Empty
 * where there is no repository, or no git.
 */
export async function tags(root: string, { merged = false }: { readonly merged?: boolean } = {}): Promise<string[]> {
  const behind = merged ? ['--merged=HEAD'] : []
  const listed = await git(root, ['for-each-ref', '--format=%(refname:lstrip=2)', ...behind, 'refs/tags'])
  if (listed === undefined) return []
  return listed
    .toString('utf8')
    .split('\n')
    .filter((name) => releaseTag.test(name))
}

/** The commit that is checked out; undefined where there is none. */
export async function head(root: string): Promise<string | undefined> {
  return resolve(root, 'HEAD')
}

/** Whether a folder lies in a working copy. */
export async function isWorkTree(folder: string): Promise<boolean> {
  return (await git(folder, ['rev-parse', '--is-inside-work-tree']))?.toString('utf8').trim() === 'true'
}

/** Where on GitHub the commit that is checked out can be had: on a branch of `origin`, as far as it was fetched. */
export async function published(
  root: string,
): Promise<{ readonly repository: string; readonly commit: string } | undefined> {
  const commit = await head(root)
  const origin = (await git(root, ['config', '--get', 'remote.origin.url']))?.toString('utf8').trim()
  const [, repository] =
    /^(?:https:\/\/github\.com\/|ssh:\/\/git@github\.com\/|git@github\.com:)([^/]+\/[^/]+?)(?:\.git)?\/?$/u.exec(
      origin ?? '',
    ) ?? []
  if (commit === undefined || repository === undefined) return undefined
  const branches = await git(root, ['for-each-ref', '--format=%(refname)', '--contains', commit, 'refs/remotes/origin'])
  return branches === undefined || branches.length === 0 ? undefined : { repository, commit }
}

/**
 * The files below a folder that differ between a commit and the one that is checked out, relative to the folder. If the
 * checkout is the merge of a pull request (`merge`), it is compared with what it was merged into. Undefined where the clone
 * does not reach back to the commit.
 */
export async function changed(
  root: string,
  { since, merge }: { readonly since: string; readonly merge: boolean },
): Promise<readonly string[] | undefined> {
  const into = merge ? await firstParent(root) : undefined
  const base = into ?? (await resolve(root, since))
  if (base === undefined) return undefined
  const args = ['diff-tree', '-r', '-z', '--name-only', '--no-renames', '--relative', base, 'HEAD']
  const listed = await git(root, args)
  return listed
    ?.toString('utf8')
    .split('\0')
    .filter((path) => path !== '')
}

/**
 * The commit that a change began with: what the merge of a pull request (`merge`) was merged into; otherwise where the checkout left
 * the line of a branch, a tag or a commit, or that itself where the clone does not reach back so far. Undefined where there is none.
 */
export async function begun(
  root: string,
  { since, merge }: { readonly since: string; readonly merge: boolean },
): Promise<string | undefined> {
  const into = merge ? await firstParent(root) : undefined
  if (into !== undefined) return into
  const found = await git(root, ['rev-parse', '--verify', '--quiet', '--end-of-options', `${since}^{commit}`])
  const commit = found?.toString('utf8').trim()
  const base = commit === undefined ? undefined : await git(root, ['merge-base', commit, 'HEAD'])
  return base?.toString('utf8').trim() ?? commit
}

/** Whether a commit is an ancestor of another one. Undefined where the clone does not have both. */
export async function isBefore(
  root: string,
  { older, newer }: { readonly older: string; readonly newer: string },
): Promise<boolean | undefined> {
  const [first, second] = [await resolve(root, older), await resolve(root, newer)]
  if (first === undefined || second === undefined) return undefined
  const base = await git(root, ['merge-base', first, second])
  return base?.toString('utf8').trim() === first && first !== second
}

/** What the checked-out commit was merged into; undefined if it is no merge, or the clone ends with it. */
async function firstParent(root: string): Promise<string | undefined> {
  const listed = await git(root, ['rev-list', '--parents', '--max-count=1', 'HEAD'])
  const [, into, merged] = listed?.toString('utf8').trim().split(' ') ?? []
  return merged === undefined ? undefined : into
}

/**
 * The text files of a folder as they were at a release tag or a commit, by paths relative to the folder; `folder` is
 * relative to `root`, which may lie inside of a repository. Links and submodules are not followed: they, and files that
 * are too long or no text, are among the problems. Undefined where the tag or the folder in it is missing.
 */
export async function readTreeAt(
  root: string,
  ref: string,
  folder: string,
): Promise<(ReadTree & { readonly commit: string }) | undefined> {
  if (folder !== '' && !checkPath(folder).ok) return undefined
  const commit = await resolve(root, ref)
  // The branches of ours have the same folders wherever the catalog lies in its repository.
  const isOurs = ref === fetchedLedger || ref === fetchedBoard
  const prefix = isOurs ? Buffer.alloc(0) : await git(root, ['rev-parse', '--show-prefix'])
  if (commit === undefined || prefix === undefined) return undefined
  const top = [prefix.toString('utf8').replace(/\/?\n$/, ''), folder].filter((part) => part !== '').join('/')
  const listed = await git(root, ['ls-tree', '-r', '-z', '--long', '--full-tree', `${commit}:${top}`])
  if (listed === undefined) return undefined
  return { ...(await readEntries(root, entriesOf(listed))), commit }
}

/** The text of one file of Protium's own at a ref, by its path from the top of the repository; undefined where it is missing. */
export async function fileAt(root: string, ref: string, path: string): Promise<string | undefined> {
  const commit = await resolve(root, ref)
  const blob = commit === undefined ? undefined : await git(root, ['cat-file', 'blob', `${commit}:${path}`])
  return blob?.toString('utf8')
}

/** The messages of the commits that lead to a ref, the newest first; undefined where it is missing. */
export async function messagesOf(root: string, ref: string): Promise<readonly string[] | undefined> {
  const commit = await resolve(root, ref)
  const listed = commit === undefined ? undefined : await git(root, ['log', '-z', '--format=%B', commit])
  return listed?.toString('utf8').split('\0')
}

/** The commit that the tag of a release leads to here; undefined where it is not. */
export async function taggedCommit(root: string, name: string): Promise<string | undefined> {
  return releaseTag.test(name) ? resolve(root, name) : undefined
}

/** Whether there is such a tag or commit, a ledger or a board. */
export async function isThere(root: string, ref: string): Promise<boolean> {
  return (await resolve(root, ref)) !== undefined
}

/** The ledger as it was when the repository was checked out with all of its branches. */
export const fetchedLedger = 'refs/remotes/origin/protium-ledger'

/** The board at that moment. */
export const fetchedBoard = 'refs/remotes/origin/protium-board'

/** The commit of a tag, of `HEAD`, of the ledger, of the board or of a full id. A branch never passes for a tag of the same name. */
async function resolve(root: string, ref: string): Promise<string | undefined> {
  const name = releaseTag.test(ref)
    ? `refs/tags/${ref}`
    : ref === fetchedLedger || ref === fetchedBoard || /^(?:HEAD|[0-9a-f]{40}|[0-9a-f]{64})$/.test(ref)
      ? ref
      : undefined
  if (name === undefined) return undefined
  const found = await git(root, ['rev-parse', '--verify', '--quiet', '--end-of-options', `${name}^{commit}`])
  return found?.toString('utf8').trim()
}

type Entry = { readonly mode: string; readonly id: string; readonly size: number; readonly path: string }

function entriesOf(listing: Buffer): Entry[] {
  return listing
    .toString('utf8')
    .split('\0')
    .flatMap((line) => {
      const match = /^(?<mode>\d{6}) \w+ (?<id>[0-9a-f]+) +(?<size>\d+|-)\t(?<path>.*)$/s.exec(line)
      if (match?.groups === undefined) return []
      const { mode = '', id = '', size = '', path = '' } = match.groups
      return [{ mode, id, size: size === '-' ? 0 : Number(size), path }]
    })
}

const kinds: Readonly<Record<string, string>> = { '120000': 'a symbolic link', '160000': 'a submodule' }

async function readEntries(root: string, entries: readonly Entry[]): Promise<ReadTree> {
  const into = gathering()
  const admitted: Entry[] = []
  for (const entry of entries) {
    if (into.full) break
    if (isPassedOver(into, entry.path)) continue
    if (entry.mode !== '100644' && entry.mode !== '100755') {
      into.problems.push(notAFile(entry.path, kinds[entry.mode] ?? `an entry of mode ${entry.mode}`))
    } else if (admit(into, entry.path, entry.size)) admitted.push(entry)
  }
  const contents = admitted.length === 0 ? Buffer.alloc(0) : await git(root, ['cat-file', '--batch'], admitted)
  let offset = 0
  for (const entry of admitted) {
    const end = contents === undefined ? -1 : contents.indexOf('\n', offset)
    const size =
      end === -1
        ? undefined
        : / blob (?<size>\d+)$/.exec(contents?.toString('latin1', offset, end) ?? '')?.groups?.['size']
    if (contents === undefined || size === undefined) {
      throw new Refused('git-object', `Git has no content for "${entry.path}" (${entry.id}).`, {
        remedy: 'Fetch the whole repository: `git fetch --tags`, without a filter.',
      })
    }
    add(into, entry.path, contents.subarray(end + 1, end + 1 + Number(size)))
    offset = end + 1 + Number(size) + 1
  }
  return gathered(into)
}

/** Git would look in the same places; but to begin a program takes longer than all of this. */
function isInRepository(root: string): boolean {
  if (!existsSync(root)) return false
  for (let folder = realpathSync(root); ; folder = dirname(folder)) {
    if (existsSync(join(folder, '.git'))) return true
    if (dirname(folder) === folder) return false
  }
}

/**
 * Runs git without a shell, without what the environment says to git, and without any program that a configuration could
 * name. Returns its output; undefined when it fails or is not there.
 */
async function git(root: string, args: readonly string[], input: readonly Entry[] = []): Promise<Buffer | undefined> {
  if (!isInRepository(root)) return undefined
  const safe = ['--no-replace-objects', '--literal-pathspecs', '-c', 'core.quotepath=off', '-c', 'core.fsmonitor=false']
  const quiet = ['-c', 'safe.bareRepository=explicit', '-c', 'protocol.allow=never', '-c', 'core.hooksPath=/dev/null']
  const clean = Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('GIT_')))
  return new Promise((settle, fail) => {
    const child = spawn('git', [...safe, ...quiet, ...args], {
      cwd: root,
      env: { ...clean, LC_ALL: 'C', GIT_OPTIONAL_LOCKS: '0', GIT_TERMINAL_PROMPT: '0', GIT_NO_LAZY_FETCH: '1' },
      stdio: ['pipe', 'pipe', 'pipe'],
      timeout: 60_000,
    })
    const output: Buffer[] = []
    const complaints: Buffer[] = []
    child.stdout.on('data', (chunk: Buffer) => output.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => complaints.push(chunk))
    // No git, or no such folder.
    child.on('error', () => settle(undefined))
    // It may end before it has read everything.
    child.stdin.on('error', () => undefined)
    child.on('close', (code) => {
      if (code === 0) return settle(Buffer.concat(output))
      if (!Buffer.concat(complaints).includes('dubious ownership')) return settle(undefined)
      const message = `Git does not read "${root}": the folder belongs to another user.`
      fail(new Refused('git-ownership', message, { remedy: `git config --global --add safe.directory '${root}'` }))
    })
    child.stdin.end(input.map(({ id }) => `${id}\n`).join(''))
  })
}
