import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import { gitHub } from '../../src/adapters/github.ts'
import { blocks, fence, hostUrl, marker, plainText, url } from '../../src/core/markdown.ts'
import { Refused } from '../../src/core/problem.ts'
import type { Check, Deployment, DeploymentStatus, GitHost, StickyComment } from '../../src/ports.ts'
import type { FaultKind } from '../fakes/github/faults.ts'
import type { Seed } from '../fakes/github/seed.ts'
import type { GitHub, Grant } from '../fakes/github/server.ts'
import { startGitHub } from '../fakes/github/server.ts'

const seed: Seed = {
  organisation: 'acme',
  members: { ada: 'admin', ben: 'member' },
  outsiders: ['eve'],
  apps: { protium: { permissions: { contents: 'write' } } },
  repositories: { checkout: { files: { 'service.yaml': 'service: checkout\n' }, collaborators: { ben: 'write' } } },
}

const name = 'acme/checkout'
const everything = {
  contents: 'write',
  issues: 'write',
  pull_requests: 'write',
  checks: 'write',
  deployments: 'write',
} as const

let github: GitHub
let pull: number
let head: string
beforeEach(async () => {
  github = await startGitHub(seed)
  head = await github.push({
    repository: name,
    branch: 'change',
    from: 'main',
    files: { 'a.txt': 'a', 'b/c.txt': 'c' },
    by: 'ben',
  })
  pull = await openPull('change')
})
afterEach(async () => github.close())

async function openPull(branch: string, by = 'ben'): Promise<number> {
  const made = await github.act({
    operation: 'pulls/create',
    by,
    parameters: { owner: 'acme', repo: 'checkout' },
    body: { title: 'A change', head: branch, base: 'main' },
  })
  return Number(made['number'])
}

function host(grant: Grant = { kind: 'job', repository: name, permissions: everything }): GitHost {
  return gitHub({
    repository: name,
    token: github.token(grant),
    api: github.url,
    clock: { now: () => new Date(), sleep: async () => undefined },
    random: () => 0.5,
    second: 1,
  })
}

function plan(text: string): StickyComment {
  return { pullRequest: pull, kind: 'plan', body: blocks([marker('plan', 'checkout'), plainText(text)]) }
}

async function say(body: string, by = 'ben'): Promise<void> {
  await github.act({
    operation: 'issues/create-comment',
    by,
    parameters: { owner: 'acme', repo: 'checkout', issue_number: pull },
    body: { body },
  })
}

/** What people see: all comments, read by somebody else. */
async function comments(): Promise<{ readonly by: string; readonly body: string }[]> {
  const read = async (page: number): Promise<unknown[]> => {
    const response = await fetch(
      `${github.url}/repos/acme/checkout/issues/${pull}/comments?per_page=100&page=${page}`,
      {
        headers: { authorization: `Bearer ${github.token({ kind: 'user', login: 'ada' })}` },
      },
    )
    const all: unknown = await response.json()
    return Array.isArray(all) ? all : []
  }
  const all = [...(await read(1)), ...(await read(2))]
  return all.map((each) => {
    const text = JSON.stringify(each)
    const { user, body }: { user: { login: string }; body: string } = JSON.parse(text)
    return { by: user.login, body }
  })
}

const ours = async (): Promise<string[]> =>
  (await comments()).filter(({ by }) => by === 'github-actions[bot]').map(({ body }) => body.trimEnd())
const asked = (operation: string): number =>
  github.requests().filter((request) => request.operation === operation).length

/** Faults of a write after which the end has to be as if there had been none. */
const lost: readonly FaultKind[] = [
  'error',
  'error-after',
  'reset',
  'reset-after',
  'truncated',
  'html',
  'secondary-limit',
  'secondary-limit-unsaid',
  'conflict',
]

describe('the comment', () => {
  test('is made, left alone, edited, and never repeated', async () => {
    const one = host()
    expect(await one.comment(plan('one'))).toBe('created')
    expect(await one.comment(plan('one'))).toBe('unchanged')
    expect(await one.comment(plan('two'))).toBe('updated')
    expect(await ours()).toEqual(['<!-- protium:plan checkout -->\n\ntwo'])
    expect(asked('issues/create-comment')).toBe(1)
  })

  test('is found behind 120 others', async () => {
    await host().comment(plan('one'))
    for (let count = 0; count < 120; count += 1) await say(`comment ${count}`)
    expect(await host().comment(plan('two'))).toBe('updated')
    expect(await ours()).toEqual(['<!-- protium:plan checkout -->\n\ntwo'])
  })

  test('is not a comment of a person that has its marker, nor one of ours of another kind', async () => {
    await say('<!-- protium:plan checkout -->\n\nmine')
    const one = host()
    await one.comment({ pullRequest: pull, kind: 'upgrade', body: blocks([marker('upgrade'), plainText('other')]) })
    expect(await one.comment(plan('one'))).toBe('created')
    const all = await comments()
    expect(all.map(({ body }) => body.trimEnd().split('\n').at(-1))).toEqual(['mine', 'other', 'one'])
  })

  test('is not edited where its marker stands below the first line', async () => {
    await host().comment({ pullRequest: pull, kind: 'plan', body: blocks([plainText('x'), marker('plan')]) })
    expect(await host().comment(plan('one'))).toBe('created')
  })

  test('is only edited, not made, where that is asked', async () => {
    const one = host()
    expect(await one.comment({ ...plan('nothing'), onlyIfThere: true })).toBe('absent')
    expect(await ours()).toEqual([])
    await one.comment(plan('one'))
    expect(await one.comment({ ...plan('nothing'), onlyIfThere: true })).toBe('updated')
    expect(await ours()).toHaveLength(1)
  })

  test('is healed where there are two: the oldest stays', async () => {
    const made = { owner: 'acme', repo: 'checkout', issue_number: pull }
    const app = github.token({ kind: 'job', repository: name, permissions: everything })
    for (const text of ['one', 'two', 'three']) {
      await fetch(`${github.url}/repos/${made.owner}/${made.repo}/issues/${pull}/comments`, {
        method: 'POST',
        headers: { authorization: `Bearer ${app}`, 'content-type': 'application/json' },
        body: JSON.stringify({ body: plan(text).body.markdown }),
      })
    }
    expect(await host().comment(plan('last'))).toBe('updated')
    expect(await ours()).toEqual(['<!-- protium:plan checkout -->\n\nlast'])
  })

  test.each(lost)('is there once although its creation met: %s', async (kind) => {
    github.fault({ match: 'issues/create-comment', kind })
    expect(await host().comment(plan('one'))).toBe('created')
    expect(await ours()).toEqual(['<!-- protium:plan checkout -->\n\none'])
    expect(github.faults()).toEqual([])
  })

  test.each(lost)('is edited although that met: %s', async (kind) => {
    await host().comment(plan('one'))
    github.fault({ match: 'issues/update-comment', kind })
    expect(await host().comment(plan('two'))).toBe('updated')
    expect(await ours()).toEqual(['<!-- protium:plan checkout -->\n\ntwo'])
  })

  test.each(['error', 'reset', 'truncated', 'html', 'secondary-limit'] as const)(
    'is found although reading met: %s',
    async (kind) => {
      await host().comment(plan('one'))
      github.fault({ match: 'issues/list-comments', kind, times: 2 })
      expect(await host().comment(plan('one'))).toBe('unchanged')
    },
  )

  test('is not repeated where what was written shows only after five reads', async () => {
    await github.lag({ match: 'issues/list-comments', reads: 6 })
    github.fault({ match: 'issues/create-comment', kind: 'reset-after' })
    expect(await host().comment(plan('one'))).toBe('created')
    expect(await ours()).toHaveLength(1)
    expect(asked('issues/create-comment')).toBe(1)
  })

  test('is sent once where GitHub does not answer, and refused in the end', async () => {
    github.fault({ match: 'issues/create-comment', kind: 'error', times: 10 })
    await expect(host().comment(plan('one'))).rejects.toMatchObject({ code: 'github-unreachable' })
    expect(asked('issues/create-comment')).toBe(2)
  })
})

describe('what GitHub does not allow is refused, and says what to do', () => {
  test.each<[string, FaultKind, string]>([
    ['github-permission', 'bad-token', 'It gets a new one'],
    ['github-permission', 'forbidden', 'access to the repository'],
    ['github-not-found', 'not-found', 'Check the name'],
    ['github-conflict', 'unprocessable', 'Validation Failed'],
  ])('%s: %s', async (code, kind, words) => {
    github.fault({ match: 'issues/create-comment', kind })
    const error = await host()
      .comment(plan('one'))
      .catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(Refused)
    expect(error).toMatchObject({ code })
    expect(error instanceof Refused ? `${error.message} ${error.remedy}`.toLowerCase() : '').toContain(
      words.toLowerCase(),
    )
    expect(asked('issues/create-comment')).toBe(1)
  })

  test('a missing permission is named', async () => {
    const one = host({
      kind: 'job',
      repository: name,
      permissions: { contents: 'read', pull_requests: 'read' },
    })
    await expect(one.comment(plan('one'))).rejects.toMatchObject({
      code: 'github-permission',
      message: `GitHub would not let Protium comment on pull request ${pull} of acme/checkout: Resource not accessible by integration.`,
      remedy: 'Give the job `issues: write` or `pull-requests: write` under `permissions:`, or the App the same.',
    })
  })

  test('a repository that the token may not see is not found', async () => {
    await expect(host({ kind: 'user', login: 'eve' }).pullRequest(pull)).rejects.toMatchObject({
      code: 'github-not-found',
    })
  })

  test('a limit says how long', async () => {
    github.fault({ match: 'issues/list-comments', kind: 'secondary-limit', times: 20 })
    await expect(host().comment(plan('one'))).rejects.toMatchObject({
      code: 'github-rate-limited',
      remedy: 'Wait 1 min. Then run this again; it goes on where it was.',
    })
    expect(asked('issues/list-comments')).toBe(4)
  })
})

describe('the check', () => {
  const check = (title: string, more: Partial<Check> = {}): Check => ({
    commit: head,
    name: 'protium/plan',
    conclusion: 'success',
    title,
    summary: plainText('All of it.'),
    key: 'sha256:abc',
    text: fence('{}', 'json'),
    ...more,
  })

  test('is made, left alone, updated, and read back', async () => {
    const one = host()
    expect(await one.checkOn(head, 'protium/plan')).toBeUndefined()
    expect(await one.check(check('one'))).toBe('created')
    expect(await one.check(check('one'))).toBe('unchanged')
    expect(await one.check(check('two', { key: 'sha256:def', conclusion: 'failure' }))).toBe('updated')
    expect(await one.checkOn(head, 'protium/plan')).toEqual({
      conclusion: 'failure',
      key: 'sha256:def',
      text: '```json\n{}\n```',
      at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/u),
    })
    expect(asked('checks/create')).toBe(1)
  })

  test('of another App is not ours', async () => {
    const app: Grant = { kind: 'app', app: 'protium' }
    const token = github.token({ kind: 'job', repository: name, permissions: everything })
    await host().check(check('one'))
    const other = gitHub({
      repository: name,
      token,
      as: 'protium',
      api: github.url,
      clock: { now: () => new Date(), sleep: async () => undefined },
      random: () => 0.5,
      second: 1,
    })
    expect(await other.checkOn(head, 'protium/plan')).toBeUndefined()
    expect(github.token(app)).not.toBe(token)
  })

  test.each(lost)('is there once although its creation met: %s', async (kind) => {
    github.fault({ match: 'checks/create', kind })
    expect(await host().check(check('one'))).toBe('created')
    expect(await host().check(check('one'))).toBe('unchanged')
  })

  test.each(lost)('is updated although that met: %s', async (kind) => {
    await host().check(check('one'))
    github.fault({ match: 'checks/update', kind })
    expect(await host().check(check('two'))).toBe('updated')
    expect(await host().check(check('two'))).toBe('unchanged')
  })
})

describe('a deployment', () => {
  const log = url('https://github.com', ['acme', 'checkout', 'actions', 'runs', 1])
  const address = hostUrl('checkout.dev.example.com')
  const wanted = (key: string): Deployment => ({
    key,
    commit: head,
    environment: 'checkout/dev',
    isProduction: false,
    description: 'x'.repeat(200),
  })
  const status = (state: DeploymentStatus['state'], description: string): DeploymentStatus => ({
    state,
    description,
    ...(log !== undefined && { log }),
    ...(address !== undefined && { address }),
  })

  test('is made once for a key, and another key has its own', async () => {
    const one = host()
    const first = await one.deployment(wanted('checkout/dev 1'))
    expect(await one.deployment(wanted('checkout/dev 1'))).toBe(first)
    expect(await host().deployment(wanted('checkout/dev 1'))).toBe(first)
    expect(await one.deployment(wanted('checkout/dev 2'))).not.toBe(first)
    expect(asked('repos/create-deployment')).toBe(2)
  })

  test('has the status that was wanted, once', async () => {
    const one = host()
    const id = await one.deployment(wanted('k'))
    expect(await one.deploymentStatus(id, status('in_progress', 'begun'))).toBe('created')
    expect(await host().deploymentStatus(id, status('in_progress', 'begun'))).toBe('unchanged')
    expect(await one.deploymentStatus(id, status('success', 'y'.repeat(300)))).toBe('created')
    expect(await host().deploymentStatus(id, status('success', 'y'.repeat(300)))).toBe('unchanged')
    expect(github.requests()).toHaveLength(6)
    expect(asked('repos/create-deployment-status')).toBe(2)
  })

  test.each(lost)('is there once although its creation met: %s', async (kind) => {
    github.fault({ match: 'repos/create-deployment', kind })
    const id = await host().deployment(wanted('k'))
    expect(await host().deployment(wanted('k'))).toBe(id)
  })

  test.each(lost)('has its status once although that met: %s', async (kind) => {
    const id = await host().deployment(wanted('k'))
    github.fault({ match: 'repos/create-deployment-status', kind })
    expect(await host().deploymentStatus(id, status('success', 'done'))).toBe('created')
    expect(await host().deploymentStatus(id, status('success', 'done'))).toBe('unchanged')
  })
})

describe('a pull request', () => {
  test('is told with its head, base and files', async () => {
    const one = host()
    const found = await one.pullRequest(pull)
    expect(found).toMatchObject({
      number: pull,
      state: 'open',
      isDraft: false,
      author: 'ben',
      isFork: false,
      head: { branch: 'change', commit: head },
      base: { branch: 'main' },
    })
    expect(await one.changedFiles(pull)).toEqual({
      files: [
        { path: 'a.txt', change: 'added' },
        { path: 'b/c.txt', change: 'added' },
      ],
      isComplete: true,
    })
    expect(await one.openPullRequest({ owner: 'acme', branch: 'change', commit: head })).toEqual(found)
    expect(await one.openPullRequest({ owner: 'acme', branch: 'change', commit: '0'.repeat(40) })).toBeUndefined()
    expect(await one.openPullRequest({ owner: 'eve', branch: 'change', commit: head })).toBeUndefined()
  })

  test('of more than 100 files is listed whole', async () => {
    const files = Object.fromEntries(
      Array.from({ length: 130 }, (_, index) => [`many/${String(index).padStart(3, '0')}.txt`, 'x']),
    )
    await github.push({ repository: name, branch: 'change', files, by: 'ben' })
    expect((await host().changedFiles(pull)).files).toHaveLength(132)
  })

  test('is found from the commit that it was merged as', async () => {
    expect(await host().pullRequestOf(head)).toBeUndefined()
    await github.act({
      operation: 'pulls/merge',
      by: 'ada',
      parameters: { owner: 'acme', repo: 'checkout', pull_number: pull },
      body: { merge_method: 'squash' },
    })
    const merge = await github.head(name)
    expect(merge).not.toBe(head)
    expect(await host().pullRequestOf(merge ?? '')).toMatchObject({
      number: pull,
      state: 'merged',
      head: { commit: head },
    })
  })

  test('of a fork is one', async () => {
    await github.fork(name, 'ben')
    await github.push({ repository: 'ben/checkout', branch: 'mine', from: 'main', files: { 'd.txt': 'd' }, by: 'ben' })
    const number = await openPull('ben:mine')
    expect(await host().pullRequest(number)).toMatchObject({ isFork: true, head: { branch: 'mine' } })
  })
})
