import { ledgerBranch } from '../../src/adapters/ledger.ts'
import { releasesOf } from '../../src/adapters/github/releases.ts'
import type { Outcome, Ports } from '../../src/command.ts'
import { release } from '../../src/commands/release.ts'
import { readReleaseRecord, type ReleaseRecord } from '../../src/core/release/model.ts'
import type { FileTree } from '../../src/core/tree.ts'
import type { GitHub } from '../fakes/github/server.ts'
import { startGitHub } from '../fakes/github/server.ts'
import { small } from './organisation.ts'
import { run, worldOf } from './ports.ts'

export const repository = 'acme/catalog'

/** A catalog with a changelog, whose template `queue` has a number of its own. */
export function catalogFiles(
  version = '1.0.0',
  notes = 'What it does.',
  more: Readonly<Record<string, string>> = {},
): FileTree {
  const files = small({ stages: ['dev'], services: { alpha: { size: 1, topics: 1 } } })
  const own: Readonly<Record<string, string>> = {
    'templates/queue/template.yaml': `kind: service\nversions: { v1: ${version} }\n`,
    'templates/queue/CHANGELOG.md': `# Changes\n\n## ${version}\n\n${notes}\n`,
    ...more,
  }
  return new Map([...files, ...Object.entries(own)].toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

/** A catalog on the local GitHub, and what jobs of its main branch do there. */
export class Releasing {
  readonly github: GitHub
  /** The files at each commit. */
  readonly #commits = new Map<string, FileTree>()

  private constructor(github: GitHub) {
    this.github = github
  }

  static async start(): Promise<Releasing> {
    const github = await startGitHub({
      organisation: 'acme',
      members: { ada: 'admin' },
      repositories: { catalog: { files: { 'catalog.yaml': 'catalog: acme\n' } } },
    })
    return new Releasing(github)
  }

  async merge(files: FileTree): Promise<string> {
    const commit = await this.github.push({
      repository,
      branch: 'main',
      files: Object.fromEntries(files),
      by: 'ada',
      message: `Change ${this.#commits.size}`,
    })
    this.#commits.set(commit, files)
    return commit
  }

  /** Pushes a tag as a person does who knows nothing of all this. */
  async tag(name: string, commit: string): Promise<void> {
    await this.github.act({
      operation: 'git/create-ref',
      by: 'ada',
      parameters: { owner: 'acme', repo: 'catalog' },
      body: { ref: `refs/tags/${name}`, sha: commit },
    })
  }

  /** A job that releases what is at a commit. `fetched` is what it has fetched of the ledger. */
  async release(
    commit: string,
    {
      signal,
      fetched = [],
      about = { is: 'push', branch: 'main' },
    }: {
      readonly signal?: AbortSignal
      readonly fetched?: readonly ReleaseRecord[]
      readonly about?: NonNullable<Ports['run']>['about']
    } = {},
  ): Promise<Outcome> {
    const files = this.#commits.get(commit)
    if (files === undefined) throw new Error(`There is no commit ${commit}.`)
    const world = worldOf(() => files, {
      commit,
      recorded: fetched,
      run: {
        server: 'https://github.com',
        api: this.github.url,
        repository: { owner: 'acme', name: 'catalog', id: 1 },
        defaultBranch: 'main',
        id: 1,
        attempt: 1,
        actor: 'ada',
        commit,
        ref: 'refs/heads/main',
        about,
      },
      releases: async () =>
        releasesOf({
          repository,
          token: this.github.token({ kind: 'job', repository, permissions: { contents: 'write' } }),
          api: this.github.url,
          clock: { now: () => new Date(), sleep: async () => signal?.throwIfAborted() },
          random: () => 0.5,
          second: 1,
          ...(signal !== undefined && { signal }),
        }),
    })
    const here: Ports['files'] = {
      ...world.ports.files,
      released: async (_root, { template, version, commit: at }) => {
        const there = this.#commits.get(at ?? commit)
        const prefix = `templates/${template}/v${version.split('.')[0] ?? ''}/`
        const own = [...(there ?? [])].filter(([path]) => path.startsWith(prefix))
        if (own.length === 0) return undefined
        return { tree: new Map(own.map(([path, text]) => [path.slice(prefix.length), text])), problems: [] }
      },
    }
    try {
      return await run(release, { ...world, ports: { ...world.ports, files: here } }, {})
    } finally {
      world.end()
    }
  }

  async #get(path: string): Promise<readonly Record<string, unknown>[]> {
    const response = await fetch(`${this.github.url}/repos/${repository}/${path}`, {
      headers: { authorization: `Bearer ${this.github.token({ kind: 'user', login: 'ada' })}` },
    })
    const data: unknown = await response.json()
    return Array.isArray(data) ? data.map((each: unknown) => ({ ...Object(each) })) : []
  }

  /** The messages of the commits of the ledger, the newest first. */
  async messages(): Promise<readonly unknown[]> {
    return (await this.#get(`commits?sha=${ledgerBranch}`)).map(({ commit }) => Object(commit).message)
  }

  /** What is left behind: tags with their commits, releases with their notes, and records. */
  async left(): Promise<{
    readonly tags: Readonly<Record<string, unknown>>
    readonly releases: Readonly<Record<string, unknown>>
    readonly records: readonly Pick<ReleaseRecord, 'template' | 'version' | 'commit' | 'digest'>[]
    readonly ledger: FileTree
  }> {
    const tags = await this.#get('git/matching-refs/tags/')
    const releases = await this.#get('releases')
    const isThere = (await this.#get('branches')).some(({ name }) => name === ledgerBranch)
    const ledger = isThere ? await this.github.files(repository, ledgerBranch) : new Map<string, string>()
    return {
      tags: Object.fromEntries(
        tags.map(({ ref, object }) => [String(ref).slice('refs/tags/'.length), Object(object).sha]),
      ),
      releases: Object.fromEntries(releases.map(({ tag_name: tag, body }) => [String(tag), body])),
      records: [...ledger].flatMap(([path, text]) => {
        const record = readReleaseRecord(path, text)
        if (record === undefined) return []
        const { template, version, commit, digest } = record
        return [{ template, version, commit, digest }]
      }),
      ledger,
    }
  }
}
