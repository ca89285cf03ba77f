import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import { proposalsOf } from '../../src/adapters/github/proposal.ts'
import { plainText } from '../../src/core/markdown.ts'
import { Refused } from '../../src/core/problem.ts'
import type { Proposal, ProposalHost } from '../../src/ports.ts'
import type { Seed } from '../fakes/github/seed.ts'
import type { GitHub, Grant } from '../fakes/github/server.ts'
import { startGitHub } from '../fakes/github/server.ts'

const seed: Seed = {
  organisation: 'acme',
  members: { ada: 'admin', ben: 'member' },
  apps: {
    adder: { permissions: { contents: 'write', pull_requests: 'write', workflows: 'write' } },
    plain: { permissions: { contents: 'write', pull_requests: 'write' } },
  },
  repositories: { checkout: { files: { 'README.md': '# checkout\n' }, collaborators: { ben: 'write' } } },
}

const name = 'acme/checkout'
const branch = 'protium/add'
const workflow = '.github/workflows/deploy.yml'

let github: GitHub
beforeEach(async () => {
  github = await startGitHub(seed)
})
afterEach(async () => github.close())

function host(grant: Grant = { kind: 'user', login: 'ben' }, signal?: AbortSignal): ProposalHost {
  return proposalsOf({
    ...(signal !== undefined && { signal }),
    repository: name,
    token: github.token(grant),
    api: github.url,
    clock: { now: () => new Date(), sleep: async () => undefined },
    random: () => 0.5,
    second: 1,
  })
}

function proposal(files: Readonly<Record<string, string>>, body = 'This brings it.'): Proposal {
  return { branch, title: 'Take checkout in', body: plainText(body), files: new Map(Object.entries(files)) }
}

async function get(path: string): Promise<unknown> {
  const response = await fetch(`${github.url}/repos/${name}/${path}`, {
    headers: { authorization: `Bearer ${github.token({ kind: 'user', login: 'ada' })}` },
  })
  return response.json()
}

async function pulls(): Promise<readonly unknown[]> {
  const all = await get('pulls?state=all')
  return Array.isArray(all) ? all : []
}

async function textAt(path: string): Promise<string | undefined> {
  return (await host().look({ branch, paths: [path] })).files.get(path)
}

describe('a proposal', () => {
  test('is one commit and one pull request, with the files and nothing else changed', async () => {
    const made = await host().propose(proposal({ 'service.yaml': 'service: checkout\n', [workflow]: 'on: push\n' }))

    expect(made).toMatchObject({ is: 'created', number: expect.any(Number) })
    expect(await pulls()).toMatchObject([
      {
        number: made.number,
        title: 'Take checkout in',
        body: 'This brings it.',
        head: { ref: branch },
        base: { ref: 'main' },
      },
    ])
    const files = await get(`pulls/${made.number}/files`)
    expect(files).toMatchObject([
      { filename: workflow, status: 'added' },
      { filename: 'service.yaml', status: 'added' },
    ])
    expect(await get(`pulls/${made.number}/commits`)).toHaveLength(1)
  })

  test('run again changes nothing', async () => {
    const wanted = proposal({ 'service.yaml': 'service: checkout\n' })
    const first = await host().propose(wanted)
    const again = await host().propose(wanted)
    const empty = await host().propose(proposal({}))

    expect([again, empty]).toEqual([
      { ...first, is: 'unchanged' },
      { ...first, is: 'unchanged' },
    ])
    expect(await get(`pulls/${first.number}/commits`)).toHaveLength(1)
  })

  test('puts what is new upon what others have put on the branch', async () => {
    const first = await host().propose(proposal({ 'service.yaml': 'service: checkout\n' }))
    await github.push({ repository: name, branch, files: { 'service.yaml': 'service: other\n' }, by: 'ada' })
    const second = await host().propose(proposal({ [workflow]: 'on: push\n' }, 'More.'))

    expect(second).toEqual({ ...first, is: 'updated' })
    expect(await textAt('service.yaml')).toBe('service: other\n')
    expect(await textAt(workflow)).toBe('on: push\n')
    expect(await pulls()).toMatchObject([{ body: 'More.' }])
  })

  test('that was closed is made again, without taking away what stands on its branch', async () => {
    const first = await host().propose(proposal({ 'service.yaml': 'service: checkout\n' }))
    await github.act({
      operation: 'pulls/update',
      by: 'ada',
      parameters: { owner: 'acme', repo: 'checkout', pull_number: first.number },
      body: { state: 'closed' },
    })
    expect(await host().look({ branch, paths: ['service.yaml'] })).toMatchObject({ files: new Map() })
    const second = await host().propose(proposal({ 'service.yaml': 'service: checkout\n' }))

    expect(second).toMatchObject({ is: 'created' })
    expect(second.number).not.toBe(first.number)
  })

  test.each(['reset-after', 'error-after'] as const)('is made once when an answer is lost: %s', async (kind) => {
    for (const match of ['git/create-ref', 'pulls/create']) github.fault({ match, kind })
    await host().propose(proposal({ 'service.yaml': 'service: checkout\n' }))

    expect(github.faults()).toEqual([])
    expect(await pulls()).toHaveLength(1)
  })

  test.each(
    ['git/create-tree', 'git/create-commit', 'git/create-ref', 'pulls/create'].flatMap((match) =>
      (['before', 'after'] as const).map((when) => [when, match] as const),
    ),
  )('killed %s %s and run again, leaves what an undisturbed run leaves', async (when, match) => {
    const wanted = proposal({ 'service.yaml': 'service: checkout\n', [workflow]: 'on: push\n' })
    const run = new AbortController()
    const stop = (): void => run.abort()
    github.fault({ match, kind: when === 'before' ? { before: stop } : { after: stop } })
    await expect(host({ kind: 'user', login: 'ben' }, run.signal).propose(wanted)).rejects.toMatchObject({
      code: 'interrupted',
    })
    const { number } = await host().propose(wanted)

    expect(await pulls()).toMatchObject([{ number, head: { ref: branch } }])
    expect(await get(`pulls/${number}/commits`)).toHaveLength(1)
    expect(await get(`pulls/${number}/files`)).toHaveLength(2)
  })

  test('looks on the main branch as long as there is none, and knows the number of the repository', async () => {
    const { id, files, pullRequest } = await host().look({ branch, paths: ['README.md', 'service.yaml'] })

    expect(files).toEqual(new Map([['README.md', '# checkout\n']]))
    expect(id).toMatch(/^[0-9]+$/u)
    expect(pullRequest).toBeUndefined()
  })
})

describe('a token', () => {
  test('without the right to workflows is told what it lacks, plainly', async () => {
    const refused = await host({ kind: 'app', app: 'plain' })
      .propose(proposal({ [workflow]: 'on: push\n' }))
      .catch((error: unknown) => error)

    expect(refused).toBeInstanceOf(Refused)
    expect(refused).toMatchObject({ code: 'github-permission' })
    expect(String(refused)).toContain('would not let Protium put workflows into acme/checkout')
    expect(refused).toMatchObject({ remedy: expect.stringContaining('`workflows: write`') })
    expect(await pulls()).toEqual([])
  })

  test('with it may', async () => {
    const made = await host({ kind: 'app', app: 'adder' }).propose(proposal({ [workflow]: 'on: push\n' }))

    expect(made.is).toBe('created')
  })

  test('for another repository is told that there is none', async () => {
    const strange = proposalsOf({
      repository: 'acme/nothing',
      token: github.token({ kind: 'user', login: 'ben' }),
      api: github.url,
      clock: { now: () => new Date(), sleep: async () => undefined },
      random: () => 0.5,
      second: 1,
    })

    await expect(strange.look({ branch, paths: [] })).rejects.toMatchObject({ code: 'github-not-found' })
  })
})
