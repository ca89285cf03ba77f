import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import { gitHub } from '../../src/adapters/github.ts'
import { branchBoard } from '../../src/adapters/github/board.ts'
import type { Outcome, Ports } from '../../src/command.ts'
import { cancel } from '../../src/commands/cancel.ts'
import { deploy } from '../../src/commands/deploy.ts'
import type { Board, Waiting } from '../../src/core/board.ts'
import { withWaiting } from '../../src/core/board.ts'
import { waitingComment } from '../../src/core/held.ts'
import { plain } from '../../src/core/report.ts'
import { waitingLabel } from '../../src/core/resume.ts'
import type { BoardHost, GitHost } from '../../src/ports.ts'
import type { GitHub, Grant } from '../fakes/github/server.ts'
import { startGitHub } from '../fakes/github/server.ts'
import { small } from './organisation.ts'
import type { World } from './ports.ts'
import { run, worldOf } from './ports.ts'

const shop = small({
  stages: ['dev', 'prod'],
  services: { cart: { size: 1, topics: 1 }, mail: { size: 1, topics: 0 } },
})

function waits(unit: string, commit: string): Waiting {
  return {
    unit,
    stage: 'prod',
    commit: commit.padEnd(40, '0'),
    by: 'ana',
    run: { id: '7001', attempt: 1 },
    since: '2026-11-22T11:00:00.000Z',
    gates: [{ gate: 'approval', is: 'held', why: '@acme/platform has not approved it.', by: ['@acme/platform'] }],
  }
}

let world: World
beforeEach(() => {
  world = worldOf(() => shop)
})
afterEach(() => world.end())

async function put(board: BoardHost, ...entries: readonly Waiting[]): Promise<void> {
  await board.change((each) => entries.reduce(withWaiting, each), 'they wait')
}

function commitsOf({ data }: Outcome): unknown {
  const waiting: { unit?: string; commit?: string }[] = JSON.parse(JSON.stringify(data['waiting']))
  return waiting.map(({ unit, commit }) => `${unit ?? ''} ${(commit ?? '').slice(0, 3)}`)
}

describe('cancel of what waits on this machine', () => {
  const board = async (): Promise<BoardHost> => world.ports.board(`${world.folder}/records`)
  const left = async (): Promise<readonly string[]> =>
    (await (await board()).read()).waiting.map(({ unit, commit }) => `${unit} ${commit.slice(0, 3)}`)

  test('takes every commit of the unit off the board, and no other unit', async () => {
    await put(await board(), waits('cart/prod', 'aaa'), waits('cart/prod', 'bbb'), waits('mail/prod', 'ccc'))
    const outcome = await run(cancel, world, { units: ['cart/prod'] })
    expect(outcome.exit).toBe('done')
    expect(commitsOf(outcome)).toEqual(['cart/prod aaa', 'cart/prod bbb'])
    expect(outcome.text(plain)).toBe(
      'cart/prod: commit aaa0000 waits no more.\ncart/prod: commit bbb0000 waits no more.',
    )
    expect(await left()).toEqual(['mail/prod ccc'])
  })

  test('of a service takes all of its stages', async () => {
    await put(await board(), waits('cart/dev', 'aaa'), waits('cart/prod', 'bbb'))
    await run(cancel, world, { units: ['cart'] })
    expect(await left()).toEqual([])
  })

  test('says that nothing waits where only that was asked', async () => {
    const outcome = await run(cancel, world, { units: ['cart'], waiting: ['true'] })
    expect([outcome.exit, outcome.text(plain), outcome.data['units']]).toEqual(['done', 'Nothing waits.', []])
  })

  test('says of what waits at GitHub how it is taken back', async () => {
    world.end()
    world = worldOf(() => shop, { board: { format: 1, waiting: [waits('cart/prod', 'aaa')], locks: [] } })
    const outcome = await run(cancel, world, { units: ['cart'], waiting: ['true'] })
    expect(outcome.text(plain)).toContain(
      'At GitHub cart/prod waits; `gh workflow run hold.yml -f what=cancel -f units=cart/prod` takes it back.',
    )
  })

  test('of a stack of somebody else takes nothing back', async () => {
    await run(deploy, world, { owner: ['1'] })
    await put(await board(), waits('cart/prod', 'aaa'))
    await expect(run(cancel, world, { units: ['cart/prod'], owner: ['2'] })).rejects.toMatchObject({
      code: 'stack-owner',
    })
    expect(await left()).toEqual(['cart/prod aaa'])
  })

  test('takes back what no file asks for any more', async () => {
    await put(await board(), waits('gone/prod', 'aaa'))
    expect((await run(cancel, world, { units: ['gone/prod'] })).exit).toBe('done')
    expect(await left()).toEqual([])
  })

  test('takes only units that there are', async () => {
    await put(await board(), waits('cart/prod', 'aaa'))
    expect(await run(cancel, world, { units: ['card'] })).toMatchObject({ exit: 'bad-input' })
    expect(await left()).toEqual(['cart/prod aaa'])
  })
})

const repository = 'acme/catalog'
const parameters = { owner: 'acme', repo: 'catalog' }

describe('cancel of what waits at GitHub', () => {
  let github: GitHub
  let entry: Waiting
  beforeEach(async () => {
    github = await startGitHub({
      organisation: 'acme',
      members: { ada: 'admin' },
      repositories: { catalog: { files: Object.fromEntries(shop) } },
    })
    const head = await github.push({ repository, branch: 'change', from: 'main', files: { a: 'a' }, by: 'ada' })
    const body = { title: 'Change', head: 'change', base: 'main' }
    const made = await github.act({ operation: 'pulls/create', by: 'ada', parameters, body })
    entry = { ...waits('cart/prod', 'aaa'), commit: head, pullRequest: Number(made['number']) }
    const host = hostOf()
    const deployment = await host.deployment({
      key: `cart/prod ${head} 7001`,
      commit: head,
      environment: 'prod',
      isProduction: true,
      description: 'cart to prod',
    })
    await put(boardOf(), entry)
    await host.deploymentStatus(deployment, { state: 'queued', description: 'approval: …' })
    const told = waitingComment({ unit: 'cart/prod', commit: head, gates: entry.gates })
    await host.comment({ pullRequest: Number(made['number']), kind: 'waiting', subject: 'cart/prod', body: told })
    await host.label(Number(made['number']), { name: waitingLabel, is: 'on' })
    github.forget()
  })
  afterEach(async () => github.close())

  const grant: Grant = {
    kind: 'job',
    repository,
    permissions: { contents: 'write', deployments: 'write', pull_requests: 'write', metadata: 'read' },
  }
  let turn = 0
  function optionsOf(signal?: AbortSignal): Parameters<typeof gitHub>[0] {
    return {
      repository,
      token: github.token(grant),
      api: github.url,
      clock: { now: () => new Date(), sleep: async () => signal?.throwIfAborted() },
      random: () => (turn += 0.37) % 1,
      second: 1,
      ...(signal !== undefined && { signal }),
    }
  }
  const hostOf = (signal?: AbortSignal): GitHost => gitHub(optionsOf(signal))
  const boardOf = (signal?: AbortSignal): BoardHost => branchBoard(optionsOf(signal))

  async function ask(reason?: string, signal?: AbortSignal): Promise<Outcome> {
    const ports: Ports = {
      ...world.ports,
      by: 'ben',
      github: async () => hostOf(signal),
      board: async () => boardOf(signal),
      // What runs is none of its business.
      provisioner: async () => {
        throw new Error('asked for a stack')
      },
    }
    const given = { units: ['cart/prod'], waiting: ['true'], ...(reason !== undefined && { reason: [reason] }) }
    return run(cancel, { ...world, ports }, given)
  }

  async function read(path: string): Promise<readonly Record<string, unknown>[]> {
    const answer = await fetch(`${github.url}/repos/${repository}/${path}`, {
      headers: { authorization: `Bearer ${github.token({ kind: 'user', login: 'ada' })}` },
    })
    const data: unknown = await answer.json()
    return Array.isArray(data) ? data.map((each: unknown) => ({ ...Object(each) })) : []
  }

  async function end(): Promise<unknown> {
    const [deployment] = await read('deployments')
    const statuses = await read(`deployments/${String(deployment?.['id'])}/statuses`)
    const comments = await read(`issues/${entry.pullRequest ?? 0}/comments`)
    const labels = await read(`issues/${entry.pullRequest ?? 0}/labels`)
    const board: Board = await boardOf().read()
    return {
      board: board.waiting,
      states: statuses.map(({ state, description }) => `${String(state)}: ${String(description)}`),
      comments: comments.map(({ body }) => String(body).split('\n')[2]),
      labels: labels.map(({ name }) => name),
    }
  }

  const cancelled = {
    board: [],
    states: ['inactive: Cancelled by ben: wrong quarter', 'queued: approval: …'],
    comments: ['### cart → prod: cancelled'],
    labels: [],
  }

  test('is said on the deployment, in the comment and by the label', async () => {
    const outcome = await ask('wrong quarter')
    expect(outcome.exit).toBe('done')
    expect(await end()).toEqual(cancelled)
  })

  test('needs no reason, and tells none then', async () => {
    await ask()
    expect(await end()).toMatchObject({ states: ['inactive: Cancelled by ben', 'queued: approval: …'] })
  })

  test('is done where the pull request cannot be told', async () => {
    github.fault({ match: 'issues/update-comment', kind: 'forbidden' })
    const outcome = await ask('wrong quarter')
    expect(outcome.exit).toBe('done')
    expect(await end()).toMatchObject({ board: [], states: cancelled.states })
  })

  const requests = 10
  test(`takes ${requests} requests`, async () => {
    await ask('wrong quarter')
    expect(github.requests()).toHaveLength(requests)
  })

  const moments = Array.from({ length: requests - 1 }, (_, index) => index + 1)
  test.each(moments)('comes to the same end when it is killed after request %i, and is run again', async (nth) => {
    const killed = new AbortController()
    github.fault({ match: () => true, nth, kind: { after: () => killed.abort() } })
    const first = await ask('wrong quarter', killed.signal).catch((error: unknown) => error)
    expect(first).toMatchObject({ code: 'interrupted' })
    await ask('wrong quarter')
    expect(await end()).toMatchObject({ board: [], states: cancelled.states, comments: cancelled.comments })
  })
})
