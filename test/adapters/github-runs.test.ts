import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'

import { gitHub } from '../../src/adapters/github.ts'
import { Refused } from '../../src/core/problem.ts'
import type { GitHost } from '../../src/ports.ts'
import type { ManualClock } from '../fakes/github/clock.ts'
import { manualClock } from '../fakes/github/clock.ts'
import type { GitHub, Grant } from '../fakes/github/server.ts'
import { startGitHub } from '../fakes/github/server.ts'

const name = 'acme/checkout'
const at = { owner: 'acme', repo: 'checkout' }
const everything = { actions: 'write', contents: 'write', deployments: 'write', pull_requests: 'write' } as const

let clock: ManualClock
let github: GitHub
let random = 0
beforeAll(async () => {
  clock = manualClock('2026-11-22T12:00:00Z')
  const files = { 'service.yaml': 'service: checkout\n' }
  github = await startGitHub(
    { organisation: 'acme', members: { ada: 'admin' }, repositories: { checkout: { files }, cart: { files } } },
    { clock },
  )
})
afterAll(async () => github.close())
beforeEach(() => github.forget())

function host(grant: Grant = { kind: 'job', repository: name, permissions: everything }): GitHost {
  return gitHub({
    repository: name,
    token: github.token(grant),
    api: github.url,
    clock: { now: () => clock.now(), sleep: async () => undefined },
    random: () => (random += 0.37) % 1,
    second: 1,
  })
}

/** A run whose job has failed. */
async function failedRun(): Promise<{ readonly id: string; readonly number: number; readonly job: number }> {
  const sha = (await github.head(name)) ?? ''
  const workflow = '.github/workflows/deploy.yml'
  const number = await github.beginRun({ repository: name, workflow, event: 'push', branch: 'main', sha, actor: 'ada' })
  const { job } = await github.beginJob({ repository: name, run: number, name: 'checkout / prod', permissions: {} })
  await github.endJob({ repository: name, run: number, job, conclusion: 'failure' })
  await github.endRun({ repository: name, run: number, conclusion: 'failure' })
  return { id: String(number), number, job }
}

describe('starting a job again', () => {
  test('begins a new attempt of its run', async () => {
    const { id, job } = await failedRun()
    const github = host()
    const before = await github.run(id)
    const jobs = await github.jobs(id)
    const started = await github.startAgain({ run: id, attempt: 1, job })

    expect(before).toEqual({ id, attempt: 1, isOver: true, created: '2026-11-22T12:00:00Z' })
    expect(jobs).toEqual([{ id: job, name: 'checkout / prod', attempt: 1, conclusion: 'failure', hasBegun: true }])
    expect(started).toEqual({ is: 'started' })
    expect(await github.run(id)).toMatchObject({ attempt: 2, isOver: false })
    expect(await github.jobs(id)).toMatchObject([{ name: 'checkout / prod', attempt: 2, hasBegun: false }])
  })

  test('is not done a second time: somebody else has', async () => {
    const { id, job } = await failedRun()
    await host().startAgain({ run: id, attempt: 1, job })

    expect(await host().startAgain({ run: id, attempt: 1, job })).toEqual({ is: 'running' })
    expect(await host().run(id)).toMatchObject({ attempt: 2 })
  })

  test.each(['error-after', 'reset-after', 'truncated'] as const)(
    'is done once, although the answer was lost: %s',
    async (kind) => {
      const { id, job } = await failedRun()
      github.fault({ match: 'actions/re-run-job-for-workflow-run', kind })

      expect(await host().startAgain({ run: id, attempt: 1, job })).toEqual({ is: 'started' })
      expect(await host().run(id)).toMatchObject({ attempt: 2 })
    },
  )

  test('is refused of a run that is a month old, in the words of GitHub', async () => {
    const { id, job } = await failedRun()
    clock.advance(31 * 86_400_000)

    expect(await host().startAgain({ run: id, attempt: 1, job })).toEqual({
      is: 'refused',
      why: 'Unable to retry this workflow run because it was created over a month ago',
    })
  })

  test('says which right is missing', async () => {
    const { id, job } = await failedRun()
    const weak = host({ kind: 'job', repository: name, permissions: { actions: 'read' } })

    await expect(weak.startAgain({ run: id, attempt: 1, job })).rejects.toThrow(Refused)
    await expect(weak.startAgain({ run: id, attempt: 1, job })).rejects.toMatchObject({
      code: 'github-permission',
      remedy: 'Give the job `actions: write` under `permissions:`, or the App the same.',
    })
  })

  test('a run that is gone is none', async () => {
    expect(await host().run('4711')).toBeUndefined()
  })
})

describe('the deployments of a run', () => {
  test('are those whose keys end with it, with what was told of them', async () => {
    const commit = (await github.head(name)) ?? ''
    const github_ = host()
    const make = async (key: string): Promise<number> =>
      github_.deployment({ key, commit, environment: 'dev', isProduction: false, description: key })
    const own = await make(`checkout/dev ${commit} 77`)
    await make(`checkout/dev ${commit} 177`)
    await github_.deploymentStatus(own, { state: 'queued', description: 'It soaks.' })
    await github_.deploymentStatus(own, { state: 'error', description: 'The runner was lost.' })

    const found = await host().deploymentsOf({ id: '77', commit })
    expect(found.map(({ id, key, environment }) => [id, key, environment])).toEqual([
      [own, `checkout/dev ${commit} 77`, 'dev'],
    ])
    expect(found[0]?.states.map(({ state, description }) => [state, description])).toEqual([
      ['error', 'The runner was lost.'],
      ['queued', 'It soaks.'],
    ])
  })
})

describe('labels', () => {
  test('are put on and taken off, and the repositories of merged pull requests with one are found by one request', async () => {
    for (const repo of ['checkout', 'cart']) {
      const repository = `acme/${repo}`
      await github.push({ repository, branch: 'topic', from: 'main', files: { x: 'x' }, by: 'ada' })
      const body = { head: 'topic', base: 'main', title: 'x' }
      const pull = await github.act({ operation: 'pulls/create', by: 'ada', parameters: { ...at, repo }, body })
      if (repo === 'checkout') await host().label(Number(pull['number']), { name: 'on hold', is: 'on' })
      const parameters = { ...at, repo, pull_number: Number(pull['number']) }
      await github.act({ operation: 'pulls/merge', by: 'ada', parameters, body: {} })
    }
    github.forget()
    const found = await host().labelled('acme', 'on hold')

    expect([...found]).toEqual([['acme/checkout', [1]]])
    expect(github.requests()).toHaveLength(1)
    expect(await host().label(1, { name: 'on hold', is: 'off' })).toBe('updated')
    expect(await host().label(1, { name: 'on hold', is: 'off' })).toBe('unchanged')
    expect(await host().labelled('acme', 'on hold')).toEqual(new Map())
  })
})
