import { describe, expect, test } from 'vitest'
import type { FleetRepository, FleetWrite, PullSeen, RepositorySeen } from '../../src/core/upgrade/seen.ts'
import type { FleetHost } from '../../src/ports.ts'
import { all, always, fleetWorld } from '../adapters/fleet-world.ts'
import { Hub } from '../schedules/upgrades/hub.ts'
import { actorOf, Turns } from '../schedules/turns.ts'

/**
 * The fleet that schedules are played over is held to the one over the local GitHub: both are told the same, by the bot and by people, and
 * have to show the same, request by request.
 */

const branch = 'protium/upgrade/checkout-v1'
const first = { 'service.yaml': 'service: checkout\n', 'app.js': '1\n' }

type Side = {
  readonly fleet: FleetHost
  readonly push: (on: string, files: Readonly<Record<string, string>>) => Promise<void>
  readonly close: (number: number) => Promise<void>
  readonly reopen: (number: number) => Promise<void>
  readonly merge: (number: number) => Promise<void>
  readonly remove: () => Promise<void>
  readonly end: () => Promise<void>
}

function modelled(): Side {
  const hub = new Hub(new Turns(Date.parse('2026-11-25T08:00:00Z')), () => {})
  const repository = hub.add('checkout', new Map(Object.entries(first)))
  const pull = (number: number) => repository.pulls.find((each) => each.number === number) ?? fail(number)
  return {
    fleet: hub.fleetFor(actorOf('bot')),
    push: async (on, files) => {
      const changed = new Map(Object.entries(files))
      if (on === 'main') hub.pushMain(repository, changed)
      else hub.push(repository, on, { by: 'ada', files: changed })
    },
    close: async (number) => hub.close(pull(number), 'ada'),
    reopen: async (number) => hub.reopen(repository, pull(number)),
    merge: async (number) => hub.merge(repository, pull(number)),
    remove: async () => hub.remove(repository, branch, 'ada'),
    end: async () => {},
  }
}

function fail(number: number): never {
  throw new Error(`There is no #${number}.`)
}

async function local(): Promise<Side> {
  const { github, fleet } = await fleetWorld({ checkout: { files: first } })
  const at = { owner: 'acme', repo: 'checkout' }
  const update = async (number: number, state: 'open' | 'closed'): Promise<void> => {
    await github.act({
      operation: 'pulls/update',
      by: 'ada',
      parameters: { ...at, pull_number: number },
      body: { state },
    })
  }
  return {
    fleet,
    push: async (on, files) => void (await github.push({ repository: 'acme/checkout', branch: on, files, by: 'ada' })),
    close: async (number) => update(number, 'closed'),
    reopen: async (number) => update(number, 'open').catch(() => undefined),
    merge: async (number) =>
      void (await github.act({ operation: 'pulls/merge', by: 'ada', parameters: { ...at, pull_number: number } })),
    remove: async () =>
      void (await github.act({
        operation: 'git/delete-ref',
        by: 'ada',
        parameters: { ...at, ref: `heads/${branch}` },
      })),
    end: async () => github.close(),
  }
}

/** What a side does in a scenario; answers that are compared are told. */
type Play = {
  readonly side: Side
  /** Reads, and gives back what was seen. */
  readonly look: () => Promise<Extract<RepositorySeen, { readonly is: 'read' }>>
  readonly write: (write: Partly) => Promise<void>
}

type Partly = {
  readonly [K in FleetWrite['is']]: {
    readonly is: K
    readonly before?: string
    readonly pull?: string
    readonly files?: Readonly<Record<string, string>>
    readonly head?: string
  }
}[FleetWrite['is']]

const scenarios: readonly (readonly [string, (play: Play) => Promise<void>])[] = [
  [
    'opens one, and not a second',
    async ({ look, write }) => {
      await write({ is: 'open' })
      await write({ is: 'open' })
      const { branches } = await look()
      await write({ is: 'open', before: branches[0]?.commit ?? '', files: { 'app.js': '3\n' } })
      await look()
    },
  ],
  [
    'moves what is where it was, once',
    async ({ look, write }) => {
      await write({ is: 'open' })
      const { branches } = await look()
      const [own] = branches
      const forward = {
        is: 'forward',
        before: own?.commit ?? '',
        pull: own?.pulls[0]?.id ?? '',
        files: { 'service.yaml': 'newer\n' },
      } as const
      await write(forward)
      await write(forward)
      await look()
    },
  ],
  [
    'moves nothing that somebody has pushed to',
    async ({ side, look, write }) => {
      await write({ is: 'open' })
      const { branches } = await look()
      const [own] = branches
      await side.push(branch, { 'app.js': '2\n' })
      await write({ is: 'forward', before: own?.commit ?? '', pull: own?.pulls[0]?.id ?? '' })
      await write({ is: 'delete', before: own?.commit ?? '' })
      const now = (await look()).branches[0]
      await write({
        is: 'append',
        before: own?.commit ?? '',
        pull: own?.pulls[0]?.id ?? '',
        files: { 'service.yaml': 'newer\n' },
      })
      await write({
        is: 'append',
        before: now?.commit ?? '',
        pull: own?.pulls[0]?.id ?? '',
        files: { 'service.yaml': 'newer\n' },
      })
      await look()
    },
  ],
  [
    'sees who has closed it, and that it was opened again',
    async ({ side, look, write }) => {
      await write({ is: 'open' })
      await side.close(1)
      await look()
      await side.reopen(1)
      const { branches } = await look()
      await write({ is: 'close', pull: branches[0]?.pulls[0]?.id ?? '', before: branches[0]?.commit ?? '' })
      await look()
      await side.reopen(1)
      await look()
    },
  ],
  [
    'keeps the branch of one that is closed where somebody has pushed to it',
    async ({ side, look, write }) => {
      await write({ is: 'open' })
      const { branches } = await look()
      await side.push(branch, { 'app.js': '2\n' })
      await write({ is: 'close', pull: branches[0]?.pulls[0]?.id ?? '', before: branches[0]?.commit ?? '' })
      await look()
    },
  ],
  [
    'sees a branch that is gone close what was open',
    async ({ side, look, write }) => {
      await write({ is: 'open' })
      await side.remove()
      await look()
      await write({ is: 'open' })
      await look()
    },
  ],
  [
    'finishes what was begun',
    async ({ side, look, write }) => {
      await write({ is: 'open' })
      await side.close(1)
      const { branches } = await look()
      await write({ is: 'reopen', head: branches[0]?.commit ?? '' })
      await write({ is: 'reopen', head: branches[0]?.commit ?? '' })
      await look()
    },
  ],
  [
    'sees what is merged, and what conflicts',
    async ({ side, look, write }) => {
      await write({ is: 'open' })
      await side.push('main', { 'app.js': '9\n' })
      await look()
      await side.push('main', { 'service.yaml': 'by hand\n' })
      await look()
      const { branches } = await look()
      const [own] = branches
      await write({
        is: 'forward',
        before: own?.commit ?? '',
        pull: own?.pulls[0]?.id ?? '',
        files: { 'service.yaml': 'both\n' },
      })
      await look()
      await side.merge(1)
      await look()
    },
  ],
  [
    'proposes nothing that changes nothing',
    async ({ write }) => {
      await write({ is: 'open', files: first })
    },
  ],
  [
    'edits, drafts and takes back',
    async ({ look, write }) => {
      await write({ is: 'open' })
      const { branches } = await look()
      await write({ is: 'edit', pull: branches[0]?.pulls[0]?.id ?? '' })
      await look()
    },
  ],
]

/** Plays a scenario, and tells everything that was answered. */
async function answersOf(side: Side, scenario: (play: Play) => Promise<void>): Promise<readonly unknown[]> {
  const told: unknown[] = []
  const { fleet } = side
  const [repository] = await fleet.repositories({ by: 'name', names: ['acme/checkout'] }, 'acme')
  if (repository === undefined) throw new Error('It is not there.')
  const look = async () => {
    const [read] = await all(fleet.read([repository], { paths: ['service.yaml'], prefix: 'protium/upgrade/' }))
    const [seen] = await all(
      fleet.look([{ repository, branches: [branch], paths: ['service.yaml', 'app.js'], file: 'service.yaml' }]),
    )
    if (read?.is !== 'read' || seen?.is !== 'read') throw new Error('It was not read.')
    told.push({ read: shown(read, { isClose: false }), look: shown(seen, { isClose: true }) })
    return seen
  }
  const write = async (partly: Partly): Promise<void> => {
    const now = await all(fleet.look([{ repository, branches: [branch], paths: [], file: 'service.yaml' }]))
    const base = now[0]?.is === 'read' ? now[0].base : { branch: 'main', commit: '', tree: '' }
    const [end] = await all(fleet.write([writeOf(partly, repository, base)], always))
    told.push({ write: partly.is, end: end?.is, ...(end?.is === 'opened' && { number: end.pull.number }) })
  }
  await scenario({ side, look, write })
  return told
}

function writeOf(
  partly: Partly,
  repository: FleetRepository,
  base: { readonly branch: string; readonly commit: string; readonly tree: string },
): FleetWrite {
  const { before, pull = '', files = { 'service.yaml': 'new\n' } } = partly
  const at = { key: 'x', repository }
  const content = {
    base,
    branch,
    files: new Map(Object.entries(files)),
    deleted: [],
    message: 'Upgrade',
    title: 'Upgrade',
    body: () => 'Words',
  }
  switch (partly.is) {
    case 'open':
      return { ...at, is: 'open', ...content, isDraft: false, ...(before !== undefined && { before }) }
    case 'forward':
      return { ...at, is: 'forward', ...content, pull, before: before ?? '' }
    case 'reopen':
      return {
        ...at,
        is: 'reopen',
        branch,
        base: 'main',
        head: partly.head ?? '',
        title: 'Upgrade',
        body: 'Words',
        isDraft: false,
      }
    case 'edit':
      return { ...at, is: 'edit', pull, title: 'Other', body: 'Other words', draft: 'draft' }
    case 'close':
      return { ...at, is: 'close', pull, body: 'Closed', ...(before !== undefined && { branch, before }) }
    case 'delete':
      return { ...at, is: 'delete', branch, before: before ?? '' }
    case 'append':
      return {
        ...at,
        is: 'append',
        branch,
        before: before ?? '',
        files: content.files,
        deleted: [],
        message: 'More',
        pull,
        body: () => 'More words',
      }
    case 'automerge':
      return { ...at, is: 'automerge', pull, head: partly.head ?? '', wanted: 'on' }
  }
}

/** All but ids and times, which are each side's own. */
function shown(
  seen: Extract<RepositorySeen, { readonly is: 'read' }>,
  { isClose }: { readonly isClose: boolean },
): unknown {
  const file = (path: string): string | undefined => {
    const found = seen.files.get(path)
    return found?.is === 'text' ? found.text : found?.is
  }
  const pulls = (some: readonly PullSeen[]): unknown =>
    some.map(({ number, state, isOurs, closedBy, isDraft, mergeable, title, body, ended, head }) => ({
      number,
      state,
      isOurs,
      ...(isClose && state === 'closed' && { closedBy }),
      isDraft,
      // GitHub says nothing of what is not open.
      ...(state === 'open' && { mergeable }),
      title,
      body,
      hasEnded: ended !== undefined,
      isAtHead: seen.branches.some(({ commit }) => commit === head),
    }))
  return {
    files: ['service.yaml', 'app.js'].map(file),
    branches: seen.branches.map((each) => ({
      name: each.name,
      isOurs: each.isOurs,
      pulls: pulls(each.pulls),
      file: each.file?.is === 'text' ? each.file.text : undefined,
    })),
    gone: pulls(seen.pulls),
    may: seen.mayWrite,
  }
}

describe('the fleet of the schedules is as the one over GitHub', () => {
  test.each(scenarios)('%s', async (_, scenario) => {
    const [model, real] = [modelled(), await local()]
    try {
      expect(await answersOf(model, scenario)).toEqual(await answersOf(real, scenario))
    } finally {
      await real.end()
    }
  })
})
