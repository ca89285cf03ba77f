import { fleetOf } from '../../src/adapters/github/fleet.ts'
import { rolloutsOf } from '../../src/adapters/github/fleet/rollouts.ts'
import type { FleetRepository, FleetWrite, FleetWritten, RepositorySeen } from '../../src/core/upgrade/seen.ts'
import type { Clock, FleetHost, Pace, RolloutsHost } from '../../src/ports.ts'
import type { Options as GitHubOptions } from '../fakes/github/server.ts'
import { type GitHub, type Snapshot, startGitHub } from '../fakes/github/server.ts'
import type { RepositorySeed } from '../fakes/github/seed.ts'

/** A clock that nobody waits for: who sleeps moves it on. */
export function leapingClock(start = '2026-11-25T08:00:00Z'): Clock {
  let now = Date.parse(start)
  return {
    now: () => new Date(now),
    sleep: async (milliseconds, signal) => {
      signal?.throwIfAborted()
      now += milliseconds
    },
  }
}

export type FleetWorld = {
  readonly github: GitHub
  readonly clock: Clock
  readonly fleet: FleetHost
  readonly rollouts: RolloutsHost
  /** Another client of the same App. */
  readonly client: (signal?: AbortSignal) => { readonly fleet: FleetHost; readonly rollouts: RolloutsHost }
}

export const permissions = {
  contents: 'write',
  pull_requests: 'write',
  issues: 'write',
  metadata: 'read',
  deployments: 'read',
  checks: 'read',
  statuses: 'read',
} as const

/** An organisation with an App that upgrades, and these repositories. */
export async function fleetWorld(
  repositories: Readonly<Record<string, RepositorySeed>>,
  options: Omit<GitHubOptions, 'clock'> & {
    readonly clock?: Clock
    /** A local GitHub to go on from, instead of a new one. */
    readonly from?: Snapshot
  } = {},
): Promise<FleetWorld> {
  const clock = options.clock ?? leapingClock()
  const { from, ...rest } = options
  const github = await startGitHub(
    from ?? {
      organisation: 'acme',
      members: { ada: 'admin', ben: 'member' },
      apps: { protium: { permissions } },
      repositories: { catalog: { files: { 'README.md': '# catalog\n' } }, ...repositories },
    },
    { ...rest, clock },
  )
  const client = (signal?: AbortSignal): { readonly fleet: FleetHost; readonly rollouts: RolloutsHost } => {
    const given = {
      token: github.token({ kind: 'app', app: 'protium' }),
      api: github.url,
      clock,
      random: () => 0.5,
      second: 1,
      ...(signal !== undefined && { signal }),
    }
    return { fleet: fleetOf(given), rollouts: rolloutsOf({ ...given, repository: 'acme/catalog' }) }
  }
  return { github, clock, client, ...client() }
}

export const always: Pace = { next: () => ({ is: 'go' }), created: () => {}, rejected: () => ({ is: 'stop' }) }

export async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = []
  for await (const item of items) found.push(item)
  return found
}

/** What a reading has seen of a repository that is there. */
export function read(seen: RepositorySeen | undefined): Extract<RepositorySeen, { readonly is: 'read' }> {
  if (seen?.is !== 'read') throw new Error(`It was not read: ${JSON.stringify(seen)}`)
  return seen
}

export const named = async (fleet: FleetHost, ...names: readonly string[]): Promise<readonly FleetRepository[]> =>
  fleet.repositories({ by: 'name', names: names.map((name) => `acme/${name}`) }, 'acme')

export const looked = { paths: ['service.yaml'], prefix: 'protium/upgrade/' } as const

/** Opens an upgrade in each of these repositories, or what `change` makes of it. */
export async function opening(
  fleet: FleetHost,
  repositories: readonly FleetRepository[],
  change: (write: Extract<FleetWrite, { readonly is: 'open' }>) => FleetWrite = (write) => write,
): Promise<FleetWrite[]> {
  const seen = await all(fleet.read(repositories, looked))
  return seen.map((each) => {
    const { repository, base } = read(each)
    const branch = 'protium/upgrade/checkout-v1'
    return change({
      key: repository.name,
      repository,
      is: 'open',
      base,
      branch,
      files: new Map([['service.yaml', 'service: checkout\ntemplate: web@1.1.0\n']]),
      deleted: [],
      message: 'Upgrade web 1.0.0 → 1.1.0',
      title: 'Upgrade web 1.0.0 → 1.1.0',
      body: (commit) => `head ${commit}`,
      isDraft: false,
    })
  })
}

export async function write(fleet: FleetHost, wanted: readonly FleetWrite[], pace = always): Promise<FleetWritten[]> {
  return all(fleet.write(wanted, pace))
}
