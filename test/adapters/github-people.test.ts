import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { gitHub } from '../../src/adapters/github.ts'
import type { GitHost } from '../../src/ports.ts'
import type { GitHub, Grant } from '../fakes/github/server.ts'
import { startGitHub } from '../fakes/github/server.ts'

const repository = 'acme/checkout'
const at = { owner: 'acme', repo: 'checkout' }
const job: Grant = { kind: 'job', repository, permissions: { pull_requests: 'read', actions: 'read' } }

let github: GitHub
let pull: number
beforeAll(async () => {
  github = await startGitHub({
    organisation: 'acme',
    members: { ada: 'admin', ben: 'member', carla: 'member' },
    outsiders: ['eve'],
    teams: { platform: { members: ['carla'], repositories: { checkout: 'write' } } },
    apps: { people: { permissions: { members: 'read' } } },
    repositories: { checkout: { files: { 'a.txt': 'a' }, collaborators: { ben: 'write' } } },
  })
  const push = { repository, branch: 'change', files: { 'b.txt': 'b' } }
  const head = await github.push({ ...push, from: 'main', by: 'ben' })
  const body = { title: 'A change', head: 'change', base: 'main' }
  pull = Number((await github.act({ operation: 'pulls/create', by: 'ben', parameters: at, body }))['number'])
  const parameters = { ...at, pull_number: pull }
  const review = async (by: string, event: string): Promise<number> => {
    const words = event === 'APPROVE' ? {} : { body: 'Well.' }
    return Number(
      (await github.act({ operation: 'pulls/create-review', by, parameters, body: { event, ...words } }))['id'],
    )
  }
  const first = await review('carla', 'APPROVE')
  await review('ada', 'COMMENT')
  const dismissal = { message: 'No longer.' }
  await github.act({
    operation: 'pulls/dismiss-review',
    by: 'ada',
    parameters: { ...parameters, review_id: first },
    body: dismissal,
  })
  const message = 'Add c\n\nCo-authored-by: Ada <1+ada@users.noreply.github.com>\nco-authored-by: E <e@example.com>'
  await github.push({ ...push, files: { 'c.txt': head }, by: 'carla', message })
  await review('ada', 'REQUEST_CHANGES')
  await review('carla', 'APPROVE')
})
afterAll(async () => github.close())

function host(grant: Grant, teamToken?: string): GitHost {
  return gitHub({
    repository,
    token: github.token(grant),
    ...(teamToken !== undefined && { teamToken }),
    api: github.url,
    clock: { now: () => new Date(), sleep: async () => undefined },
    random: () => 0.5,
    second: 1,
  })
}

test('the reviews of a pull request come in their order, each with what it is of and what became of it', async () => {
  const reviews = await host(job).reviews(pull)
  expect(reviews.map(({ by, is }) => `${by} ${is}`)).toEqual([
    'carla dismissed',
    'ada commented',
    'ada refused',
    'carla approved',
  ])
  expect(new Set(reviews.slice(0, 2).map(({ commit }) => commit)).size).toBe(1)
  expect(reviews.at(-1)?.commit).toBe(await github.head(repository, 'change'))
})

test('who has made commits of it is told once, whoever pushed them, and who else is named in one', async () => {
  expect(await host(job).committers(pull)).toEqual({ logins: ['ben', 'carla', 'ada'], isComplete: true })
})

test('a run that nobody was asked about has no approvals', async () => {
  const sha = (await github.head(repository)) ?? ''
  const run = await github.beginRun({
    repository,
    workflow: 'deploy.yml',
    event: 'push',
    branch: 'main',
    sha,
    actor: 'ada',
  })
  expect(await host(job).approvals(run)).toEqual([])
})

describe('whether somebody is one of those that a catalog names', () => {
  test.each([
    ['@acme/platform', 'carla', true],
    ['@acme/platform', 'ben', false],
    ['@acme/nobody', 'carla', false],
    ['@Ben', 'ben', true],
    ['@ben', 'carla', false],
    // He was named, and may not write here any more.
    ['@eve', 'eve', false],
  ])('%s: %s %s', async (of, login, is) => {
    const people = github.token({ kind: 'app', app: 'people' })
    expect(await host(job, people).isMember(of, login)).toBe(is)
  })

  test('is refused of a team where no token may see who is in it', async () => {
    await expect(host(job).isMember('@acme/platform', 'carla')).rejects.toMatchObject({ code: 'github-permission' })
    expect(await host(job).isMember('@ben', 'ben')).toBe(true)
  })
})
