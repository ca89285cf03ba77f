import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { clientOf } from './github/client.ts'
import { manualClock, type ManualClock } from './github/clock.ts'
import type { FaultKind } from './github/faults.ts'
import type { Seed } from './github/seed.ts'
import { type GitHub, startGitHub } from './github/server.ts'

const seed: Seed = {
  organisation: 'acme',
  members: { ada: 'admin' },
  apps: { protium: { permissions: { contents: 'write', issues: 'write', pull_requests: 'write' } } },
  repositories: { catalog: { files: { 'catalog.yaml': 'domain: example.com\n' } } },
}

const catalog = { owner: 'acme', repo: 'catalog' }

let clock: ManualClock
let github: GitHub
beforeEach(async () => {
  clock = manualClock('2026-11-22T12:00:00Z')
  github = await startGitHub(seed, { clock })
})
afterEach(() => github.close())

/** What comes of creating an issue, and how many there are after it. */
async function outcome(): Promise<{ readonly status: number; readonly made: number }> {
  const { issues } = clientOf(github, { kind: 'app', app: 'protium' })
  const status = await issues.create({ ...catalog, title: 'x' }).then(
    (response) => response.status,
    (error: unknown) => (error instanceof Error && 'status' in error ? Number(error.status) : 0),
  )
  return { status, made: (await issues.listForRepo(catalog)).data.length }
}

describe('faults', () => {
  // Octokit gives a broken connection the status 500.
  test.each<[FaultKind, number, number]>([
    ['error', 500, 0],
    ['error-after', 500, 1],
    ['reset', 500, 0],
    ['reset-after', 500, 1],
    ['html', 502, 0],
    ['secondary-limit', 403, 0],
    ['secondary-limit-unsaid', 403, 0],
    ['primary-limit', 403, 0],
    ['forbidden', 403, 0],
    ['bad-token', 401, 0],
    ['not-found', 404, 0],
    ['conflict', 409, 0],
    ['unprocessable', 422, 0],
  ])('%j answers with %d, and the effect is there %d times', async (kind, status, made) => {
    github.fault({ match: 'issues/create', kind })

    const first = await outcome()
    const second = await outcome()

    expect(first).toEqual({ status, made })
    expect(second.status).toBe(201)
    expect(github.faults()).toEqual([])
  })

  test('half of an answer arrives when it is truncated, and all of the effect is there', async () => {
    github.fault({ match: 'issues/create', kind: 'truncated' })
    const response = await fetch(`${github.url}/repos/acme/catalog/issues`, {
      method: 'POST',
      headers: { authorization: `Bearer ${github.token({ kind: 'app', app: 'protium' })}` },
      body: JSON.stringify({ title: 'x' }),
    })

    await expect(response.text()).rejects.toThrow('terminated')
    expect(await outcome()).toEqual({ status: 201, made: 2 })
  })

  test('it happens to the nth request that matches, and as often as it is told to', async () => {
    github.fault({ match: ({ path }) => path.endsWith('/issues'), nth: 3, times: 2, kind: 'error' })
    const { issues } = clientOf(github, { kind: 'app', app: 'protium' })

    const statuses: number[] = []
    for (const title of ['1', '2', '3', '4', '5']) {
      const status = issues.create({ ...catalog, title }).then((response) => response.status)
      statuses.push(await status.catch(() => 500))
    }

    expect(statuses).toEqual([201, 201, 500, 500, 201])
  })

  test('a secondary limit says when to come back, in the words that the throttling plugin looks for', async () => {
    github.fault({ match: 'issues/create', kind: 'secondary-limit' })

    const response = await fetch(`${github.url}/repos/acme/catalog/issues`, { method: 'POST' })
    const { message }: { message: string } = JSON.parse(await response.text())

    expect(response.headers.get('retry-after')).toBe('1')
    expect(message).toMatch(/\bsecondary rate\b/i)
  })

  test('something can be done just before or just after a request', async () => {
    const told: (string | number)[] = []
    const count = (when: string) => (): void => void told.push(when, github.snapshot().journal.length)
    const before = github.snapshot().journal.length
    github.fault({ match: 'issues/create', kind: { before: count('before') } })
    github.fault({ match: 'issues/create', kind: { after: count('after') } })

    await outcome()

    expect(told).toEqual(['before', before, 'after', before + 1])
  })
})

describe('lag', () => {
  test('reads see what was there when it began, as often as it is told, and writes are taken', async () => {
    const { issues } = clientOf(github, { kind: 'app', app: 'protium' })
    await issues.create({ ...catalog, title: 'old' })
    await github.lag({ match: 'issues/list-for-repo', reads: 2 })
    await issues.create({ ...catalog, title: 'new' })

    const titles: string[][] = []
    for (const _look of [1, 2, 3]) {
      const { data } = await issues.listForRepo({ ...catalog, sort: 'created', direction: 'asc' })
      titles.push(data.map(({ title }) => title))
    }
    const other = await issues.get({ ...catalog, issue_number: 2 })

    expect(titles).toEqual([['old'], ['old'], ['old', 'new']])
    expect(other.data.title).toBe('new')
  })

  test('a branch that was just made is not found yet', async () => {
    const { git } = clientOf(github, { kind: 'app', app: 'protium' })
    const sha = (await github.head('acme/catalog')) ?? ''
    await github.lag({ reads: 1 })
    await git.createRef({ ...catalog, ref: 'refs/heads/topic', sha })

    await expect(git.getRef({ ...catalog, ref: 'heads/topic' })).rejects.toThrow('Not Found')
    await expect(git.getRef({ ...catalog, ref: 'heads/topic' })).resolves.toMatchObject({ status: 200 })
  })
})

describe('limits', () => {
  test('a job has 1,000 requests an hour for its repository, an App 5,000; the hour is of the clock', async () => {
    const job = clientOf(github, { kind: 'job', repository: 'acme/catalog', permissions: {} })

    const first = await job.repos.get(catalog)
    const second = await job.repos.get(catalog)
    clock.advance(3_600_000)
    const later = await job.repos.get(catalog)
    const { data } = await clientOf(github, { kind: 'app', app: 'protium' }).rateLimit.get()

    expect([first, second, later].map(({ headers }) => headers['x-ratelimit-remaining'])).toEqual(['999', '998', '999'])
    expect(second.headers['x-ratelimit-reset']).toBe(String(Date.parse('2026-11-22T13:00:00Z') / 1000))
    expect(data.rate).toMatchObject({ limit: 5000, used: 0 })
  })

  test('who has used up the hour is refused until it is over', async () => {
    await using strict = await startGitHub(seed, { clock, limits: { primary: 1 } })
    const { repos } = clientOf(strict, { kind: 'user', login: 'ada' })

    await repos.get(catalog)
    await expect(repos.get(catalog)).rejects.toThrow('API rate limit exceeded')
    clock.advance(3_600_000)

    await expect(repos.get(catalog)).resolves.toMatchObject({ status: 200 })
  })

  test('new content is limited by the minute and by the hour, where a test asks for it', async () => {
    await using strict = await startGitHub(seed, { clock, limits: { contentPerMinute: 2, contentPerHour: 3 } })
    const { issues } = clientOf(strict, { kind: 'app', app: 'protium' })
    const create = (): Promise<unknown> => issues.create({ ...catalog, title: 'x' })

    await create()
    await create()
    await expect(create()).rejects.toThrow('secondary rate limit')
    clock.advance(60_000)
    await create()
    clock.advance(60_000)

    await expect(create()).rejects.toThrow('secondary rate limit')
  })
})
