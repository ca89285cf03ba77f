import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { deflateSync } from 'node:zlib'
import { clientOf } from '../fakes/github/client.ts'
import { listAt, mapAt, text } from '../fakes/github/json.ts'
import type { GitHub } from '../fakes/github/server.ts'

/**
 * The commits of the local GitHub as a git repository on disk, with the same names: what a checkout clones from. The local
 * GitHub speaks its API only, but its objects are git's own, so they can be written down as git would have them.
 */
export type Mirror = {
  /** Writes down a commit with all that leads to it; returns the folder of the bare repository. */
  readonly fetch: (repository: string, commit: string) => Promise<string>
  /** Writes down all branches and tags, with all that leads to them. */
  readonly refs: (repository: string) => Promise<void>
  /** The commit that merging would make, as GitHub makes it for `refs/pull/<n>/merge`; undefined where there are conflicts. */
  readonly merge: (
    repository: string,
    sides: { readonly base: string; readonly head: string },
  ) => Promise<string | undefined>
}

export function newMirror(github: GitHub, { folder, by }: { readonly folder: string; readonly by: string }): Mirror {
  /** Each is written once, and who asks for it meanwhile waits. */
  const known = new Map<string, Promise<void>>()

  async function fetch(repository: string, commit: string): Promise<string> {
    const git = bare(repository)
    await take(repository, commit)
    return git
  }

  function take(repository: string, commit: string): Promise<void> {
    const key = `${repository} ${commit}`
    const begun = known.get(key) ?? writeCommit(repository, commit)
    known.set(key, begun)
    return begun
  }

  async function writeCommit(repository: string, commit: string): Promise<void> {
    const [owner = '', repo = ''] = repository.split('/')
    const found = await github.act({ operation: 'git/get-commit', by, parameters: { owner, repo, commit_sha: commit } })
    const parents = listAt(found, 'parents').map((parent) => text(parent, 'sha'))
    const git = bare(repository)
    const tree = writeTree(git, [...(await github.files(repository, commit))])
    const signature = (who: 'author' | 'committer'): string => {
      const { name, email, date } = {
        name: text(mapAt(found, who), 'name'),
        email: text(mapAt(found, who), 'email'),
        date: text(mapAt(found, who), 'date'),
      }
      return `${who} ${name} <${email}> ${Math.floor(Date.parse(date) / 1000)} +0000`
    }
    const message = text(found, 'message')
    const lines = [
      `tree ${tree}`,
      ...parents.map((parent) => `parent ${parent}`),
      signature('author'),
      signature('committer'),
    ]
    const written = writeObject(
      git,
      'commit',
      Buffer.from(`${lines.join('\n')}\n\n${message}${message.endsWith('\n') ? '' : '\n'}`),
    )
    if (written !== commit) throw new Error(`${repository}: the commit ${commit} is ${written} to git`)
    for (const parent of parents) await take(repository, parent)
    run(git, ['update-ref', `refs/mirror/${commit}`, commit])
  }

  function bare(repository: string): string {
    const git = join(folder, `${repository}.git`)
    if (!existsSync(git)) {
      mkdirSync(dirname(git), { recursive: true })
      execFileSync('git', ['init', '--quiet', '--bare', '--initial-branch=main', git])
      // A checkout asks for commits by name.
      run(git, ['config', 'uploadpack.allowAnySHA1InWant', 'true'])
    }
    return git
  }

  async function refs(repository: string): Promise<void> {
    const git = bare(repository)
    const [owner = '', repo = ''] = repository.split('/')
    const { git: api } = clientOf(github, { kind: 'user', login: by })
    const listed = await Promise.all(
      ['heads/', 'tags/'].map(async (ref) => (await api.listMatchingRefs({ owner, repo, ref })).data),
    )
    const wanted = new Map(listed.flat().map(({ ref, object }) => [ref, object.sha] as const))
    for (const [ref, commit] of wanted) {
      await take(repository, commit)
      run(git, ['update-ref', ref, commit])
    }
    // What is deleted there is deleted here.
    const known = run(git, ['for-each-ref', '--format=%(refname)', 'refs/heads', 'refs/tags']).split('\n')
    for (const ref of known) if (ref !== '' && !wanted.has(ref)) run(git, ['update-ref', '-d', ref])
  }

  return {
    fetch,
    refs,
    async merge(repository, { base, head }) {
      await take(repository, base)
      await take(repository, head)
      const git = bare(repository)
      let tree: string
      try {
        tree = run(git, ['merge-tree', '--write-tree', base, head])
      } catch {
        return undefined
      }
      const commit = run(git, ['commit-tree', tree, '-p', base, '-p', head, '-m', `Merge ${head} into ${base}`])
      run(git, ['update-ref', `refs/mirror/${commit}`, commit])
      return commit
    },
  }
}

/** Names and dates of the merges that git makes here; they are on no branch, and nobody reads them. */
const identity = {
  GIT_AUTHOR_NAME: 'GitHub',
  GIT_AUTHOR_EMAIL: 'noreply@github.com',
  GIT_AUTHOR_DATE: '2026-11-22T12:00:00Z',
  GIT_COMMITTER_NAME: 'GitHub',
  GIT_COMMITTER_EMAIL: 'noreply@github.com',
  GIT_COMMITTER_DATE: '2026-11-22T12:00:00Z',
}

function run(git: string, args: readonly string[]): string {
  return execFileSync('git', args, {
    cwd: git,
    env: { ...process.env, ...identity },
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  }).trim()
}

/** Writes the trees of files from the bottom up, as git sorts them. */
function writeTree(git: string, files: readonly (readonly [string, string])[]): string {
  const entries = new Map<string, { readonly mode: string; readonly sha: string }>()
  const folders = new Map<string, [string, string][]>()
  for (const [path, content] of files) {
    const at = path.indexOf('/')
    if (at === -1) entries.set(path, { mode: '100644', sha: writeObject(git, 'blob', Buffer.from(content)) })
    else {
      const inside = folders.get(path.slice(0, at)) ?? []
      inside.push([path.slice(at + 1), content])
      folders.set(path.slice(0, at), inside)
    }
  }
  for (const [name, inside] of folders) entries.set(name, { mode: '40000', sha: writeTree(git, inside) })
  const sortKey = ([name, { mode }]: readonly [string, { readonly mode: string }]): Buffer =>
    Buffer.from(mode === '40000' ? `${name}/` : name)
  const sorted = [...entries].toSorted((a, b) => Buffer.compare(sortKey(a), sortKey(b)))
  const content = sorted.flatMap(([name, { mode, sha }]) => [Buffer.from(`${mode} ${name}\0`), Buffer.from(sha, 'hex')])
  return writeObject(git, 'tree', Buffer.concat(content))
}

function writeObject(git: string, type: 'blob' | 'tree' | 'commit', content: Buffer): string {
  const whole = Buffer.concat([Buffer.from(`${type} ${content.length}\0`), content])
  const sha = createHash('sha1').update(whole).digest('hex')
  const file = join(git, 'objects', sha.slice(0, 2), sha.slice(2))
  if (existsSync(file)) return sha
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, deflateSync(whole))
  return sha
}
