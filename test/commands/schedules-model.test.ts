import { afterAll, beforeAll, expect, test } from 'vitest'

import { gitHub } from '../../src/adapters/github.ts'
import { branchBoard } from '../../src/adapters/github/board.ts'
import { ledgerRecords } from '../../src/adapters/ledger.ts'
import { withLock, withWaiting } from '../../src/core/board.ts'
import { compareText } from '../../src/core/canonical.ts'
import { blocks, fence, marker, plainText } from '../../src/core/markdown.ts'
import { Refused } from '../../src/core/problem.ts'
import type { BoardHost, DeploymentRecord, GitHost, Records } from '../../src/ports.ts'
import type { GitHub } from '../fakes/github/server.ts'
import { startGitHub } from '../fakes/github/server.ts'
import type { Job } from '../schedules/hub.ts'
import { Hub } from '../schedules/hub.ts'
import { actorOf, Turns } from '../schedules/turns.ts'
import { clientOf } from '../fakes/github/client.ts'

/** What schedules are played over does what the adapters do on the local GitHub: the same is asked of both, and answered alike. */

type Side = {
  /** What a runner has: each has adapters of its own. */
  readonly runner: () => { readonly host: GitHost; readonly board: BoardHost; readonly records: Records }
  readonly pull: number
  readonly commit: string
  readonly run: string
  readonly review: (by: string, is: 'approved' | 'refused') => Promise<void>
  /** What says the same on both sides: commits and numbers by what they are. */
  readonly names: ReadonlyMap<string, string>
}

const start = Date.parse('2026-11-25T12:00:00Z')
const repository = 'acme/catalog'
const at = { owner: 'acme', repo: 'catalog' }
const jobs = ['dev', 'prod'].map((stage) => `services (cart) / ${stage}`)

let github: GitHub
beforeAll(async () => {
  github = await startGitHub({
    organisation: 'acme',
    members: { ada: 'admin', ben: 'member', carla: 'member', dan: 'member' },
    teams: { platform: { members: ['carla', 'dan'] } },
    apps: { people: { permissions: { members: 'read' } } },
    repositories: {
      catalog: { files: { 'a.txt': 'a' }, collaborators: { ben: 'write', carla: 'write', dan: 'write' } },
    },
  })
})
afterAll(async () => github.close())

async function real(): Promise<Side> {
  const head = await github.push({ repository, branch: 'change', from: 'main', files: { 'a.txt': 'b' }, by: 'ben' })
  const body = { title: 'change', head: 'change', base: 'main' }
  const pull = Number((await github.act({ operation: 'pulls/create', by: 'ben', parameters: at, body }))['number'])
  const { pulls } = clientOf(github, { kind: 'user', login: 'ada' })
  const commit = (await pulls.merge({ ...at, pull_number: pull })).data.sha
  const workflow = '.github/workflows/deploy.yml'
  const run = await github.beginRun({ repository, workflow, event: 'push', branch: 'main', sha: commit, actor: 'ada' })
  for (const [index, name] of jobs.entries()) {
    const needs = jobs.slice(0, index)
    const { job } = await github.beginJob({ repository, run, name, needs, permissions: {} })
    await github.endJob({ repository, run, job, conclusion: index === 0 ? 'success' : 'failure' })
  }
  await github.endRun({ repository, run, conclusion: 'failure' })
  const write = { checks: 'write', contents: 'write', deployments: 'write', pull_requests: 'write' } as const
  const permissions = { ...write, actions: 'write', issues: 'write' } as const
  const options = {
    repository,
    token: github.token({ kind: 'job', repository, permissions }),
    teamToken: github.token({ kind: 'app', app: 'people' }),
    api: github.url,
    clock: { now: () => new Date(), sleep: async () => undefined },
    random: () => 0.5,
    second: 1,
  }
  return {
    runner: () => ({ host: gitHub(options), board: branchBoard(options), records: ledgerRecords(options) }),
    pull,
    commit,
    run: String(run),
    async review(by, is) {
      const parameters = { ...at, pull_number: pull }
      const event = is === 'approved' ? 'APPROVE' : 'REQUEST_CHANGES'
      await github.act({ operation: 'pulls/create-review', by, parameters, body: { event, body: 'Well.' } })
    },
    names: new Map([
      [head, 'the head'],
      [commit, 'the commit'],
    ]),
  }
}

function model(): Side {
  const hub = new Hub(new Turns(start), { teams: { platform: ['carla', 'dan'] } })
  const [head, commit] = ['a'.repeat(40), 'b'.repeat(40)]
  const pull = {
    number: 1,
    author: 'ben',
    head,
    committers: ['ben'],
    commit,
    reviews: [],
    comments: new Map(),
    labels: new Set<string>(),
  }
  hub.pulls.push(pull)
  const made = jobs.map((name, index): Job => ({
    id: hub.id(),
    chain: 'cart',
    stage: index === 0 ? 'dev' : 'prod',
    name,
    attempt: 1,
    is: 'over',
    result: index === 0 ? 'success' : 'failure',
    exit: '',
    by: 'ada',
  }))
  const run = { id: hub.id(), sha: commit, created: start, attempt: 1, jobs: made, approvals: [] }
  hub.runs.set(String(run.id), run)
  const reviews: Hub['pulls'][number]['reviews'] = pull.reviews
  return {
    runner: () => {
      const actor = actorOf('runner')
      return {
        host: hub.hostFor(actor),
        board: hub.boardFor(actor, { isFetched: false }),
        records: { ...hub.recordsFor(actor), list: async (...asked) => hub.recordsFor(actor).list(...asked) },
      }
    },
    pull: 1,
    commit,
    run: String(run.id),
    review: async (by, is) => void reviews.push({ id: hub.id(), by, is, commit: head, at: hub.time() }),
    names: new Map([
      [head, 'the head'],
      [commit, 'the commit'],
    ]),
  }
}

const record: DeploymentRecord = {
  format: 1,
  id: '20261125T120000000Z-cart-prod',
  unit: 'cart/prod',
  template: 'queue',
  version: '1.0.0',
  by: 'ada',
  started: '2026-11-25T12:00:00.000Z',
  finished: '2026-11-25T12:01:00.000Z',
  outcome: 'deployed',
  wants: 'sha256:0',
}

async function refusal(work: Promise<unknown>): Promise<unknown> {
  return work.catch((error: unknown) => (error instanceof Refused ? error.code : error))
}

function inOrder(rows: readonly unknown[]): readonly string[] {
  return rows.map((row) => JSON.stringify(row)).toSorted(compareText)
}

/** All that promotions ask of GitHub, and what is answered. */
async function asked({ runner, pull, commit, run, review, names }: Side): Promise<unknown> {
  const answers: unknown[] = []
  const [one, other] = [runner(), runner()]
  const { host } = one
  const { isDraft: _, base: __, head, ...found } = (await host.pullRequestOf(commit)) ?? {}
  answers.push(found, head?.commit, await host.pullRequestOf('c'.repeat(40)))
  answers.push(await host.reviews(pull), await host.committers(pull), await host.approvals(Number(run)))
  await review('carla', 'approved')
  await review('dan', 'refused')
  answers.push((await host.reviews(pull)).map(({ by, is, commit: of }) => [by, is, of]))
  for (const [of, login] of [
    ['@acme/platform', 'carla'],
    ['@acme/platform', 'ben'],
  ] as const)
    answers.push(await host.isMember(of, login))

  const comment = (words: string, subject: string) => {
    const body = blocks([marker('waiting', subject), plainText(words)])
    return { pullRequest: pull, kind: 'waiting', subject, body }
  }
  answers.push(await host.comment({ ...comment('waits', 'cart/prod'), onlyIfThere: true }))
  for (const words of ['waits', 'waits', 'deployed']) answers.push(await host.comment(comment(words, 'cart/prod')))
  answers.push(await other.host.comment(comment('waits', 'cart/dev')))

  const check = (words: string) => {
    const summary = plainText(words)
    const text = fence(words, 'json')
    return { commit, name: 'protium/plan', conclusion: 'action_required', title: 'Held', summary, text } as const
  }
  answers.push(await host.checkOn(commit, 'protium/plan'))
  for (const words of ['a', 'a', 'b']) answers.push(await host.check(check(words)))
  const stored = await other.host.checkOn(commit, 'protium/plan')
  answers.push(stored?.conclusion, stored?.text, typeof stored?.at)

  const wanted = (key: string, environment: string, isProduction: boolean) => {
    const words = { commit, environment, isProduction, description: 'One change' }
    return { ...words, key: `${key} ${commit} ${run}` }
  }
  const first = await host.deployment({ ...wanted('cart/prod', 'cart/prod', true), isFirst: true })
  answers.push((await other.host.deployment(wanted('cart/prod', 'cart/prod', true))) === first)
  const long = `soak: ${'x'.repeat(200)}`
  answers.push(await host.deploymentStatus(first, { state: 'queued', description: long, isFirst: true }))
  answers.push(await other.host.deploymentStatus(first, { state: 'queued', description: long }))
  answers.push(await other.host.deploymentStatus(first, { state: 'in_progress', description: 'Attempt 2' }))
  for (const [key, environment, isProduction] of [
    ['cart/prod', 'cart/prod', true],
    ['mail/prod', 'cart/prod', true],
    ['cart/dev', 'cart/dev', false],
    ['mail/dev', 'cart/dev', false],
  ] as const) {
    const id = await host.deployment(wanted(key, environment, isProduction))
    answers.push(await host.deploymentStatus(id, { state: 'success', description: 'Done' }))
  }
  const all = await other.host.deploymentsOf({ id: run, commit })
  const told = all.map(({ key, environment, states }) => [
    key.split(' ')[0],
    environment,
    states.map((each) => each.state),
  ])
  answers.push(inOrder(told), all.find(({ id }) => id === first)?.states.at(-1)?.description)
  answers.push(await host.deploymentsOf({ id: '999999', commit }))

  const entry = {
    unit: 'cart/prod',
    stage: 'prod',
    commit,
    by: 'ada',
    run: { id: run, attempt: 1 },
    since: record.started,
    gates: [],
  }
  const lock = { unit: 'cart', by: 'carla', reason: 'Look', since: record.started }
  answers.push(await one.board.read())
  await Promise.all([
    one.board.change((board) => withWaiting(board, entry), 'waits'),
    other.board.change((board) => withLock(board, lock, { now: new Date(start) }), 'locked'),
  ])
  answers.push((await one.board.change((board) => board, 'look')).waiting.length)
  answers.push(await runner().board.read())

  await one.records.append(record)
  answers.push(await refusal(other.records.append({ ...record, by: 'ben' })))
  await other.records.append({ ...record, id: '20261125T110000000Z-cart-prod' })
  const listed = await runner().records.list('cart/prod', { latest: 5 })
  answers.push(
    listed.map(({ id, by }) => [id, by]),
    await runner().records.list('mail/prod', { latest: 5 }),
  )

  answers.push((await host.run(run))?.isOver, (await host.run(run))?.attempt, await host.run('999999'))
  const known = await host.jobs(run)
  answers.push(known.map(({ name, attempt, conclusion }) => [name, attempt, conclusion]))
  const job = known.find(({ name }) => name === jobs[1])?.id ?? 0
  answers.push(await host.startAgain({ run, attempt: 1, job }), await other.host.startAgain({ run, attempt: 1, job }))
  answers.push((await host.run(run))?.isOver, (await host.run(run))?.attempt)
  answers.push(inOrder((await host.jobs(run)).map(({ name, attempt, conclusion }) => [name, attempt, conclusion])))
  const text = JSON.stringify(answers, (_key, value: unknown) => (value === undefined ? 'nothing' : value), 1)
  return [...names, [`"${run}"`, '"the run"'] as const].reduce(
    (left, [value, name]) => left.replaceAll(value, name),
    text,
  )
}

test('what schedules are played over answers as the adapters do on the local GitHub', async () => {
  expect(await asked(model())).toBe(await asked(await real()))
})
