import { describe, expect, test } from 'vitest'

import { gitHub } from '../../src/adapters/github.ts'
import { ledgerBranch, ledgerRecords } from '../../src/adapters/ledger.ts'
import { chainFaults } from '../../src/core/ledger.ts'
import { blocks, fence, hostUrl, marker, plainText } from '../../src/core/markdown.ts'
import { Refused } from '../../src/core/problem.ts'
import type { GitHub } from '../fakes/github/server.ts'
import { startGitHub } from '../fakes/github/server.ts'
import { record } from './records-contract.ts'

const name = 'acme/checkout'
const permissions = {
  contents: 'write',
  issues: 'write',
  pull_requests: 'write',
  checks: 'write',
  deployments: 'write',
} as const

/** A repository with an open pull request, on which a former plan has been told. */
async function world(): Promise<{ readonly github: GitHub; readonly commit: string; readonly pullRequest: number }> {
  const github = await startGitHub({
    organisation: 'acme',
    members: { ada: 'admin' },
    repositories: { checkout: { files: { 'service.yaml': 'service: checkout\n' } } },
  })
  const commit = await github.push({ repository: name, branch: 'change', from: 'main', files: { a: 'a' }, by: 'ada' })
  const parameters = { owner: 'acme', repo: 'checkout' }
  const body = { title: 'A change', head: 'change', base: 'main' }
  const made = await github.act({ operation: 'pulls/create', by: 'ada', parameters, body })
  const pullRequest = Number(made['number'])
  await tell(github, { commit, pullRequest, words: 'before' })
  await ledgerRecords(optionsOf(github, undefined)).append(record)
  github.forget()
  return { github, commit, pullRequest }
}

type Telling = {
  readonly commit: string
  readonly pullRequest: number
  readonly words: string
  readonly signal?: AbortSignal
}

function optionsOf(github: GitHub, signal: AbortSignal | undefined): Parameters<typeof gitHub>[0] {
  return {
    repository: name,
    token: github.token({ kind: 'job', repository: name, permissions }),
    api: github.url,
    clock: { now: () => new Date(), sleep: async () => signal?.throwIfAborted() },
    random: () => 0.5,
    second: 1,
    ...(signal !== undefined && { signal }),
  }
}

async function tell(github: GitHub, { commit, pullRequest, words, signal }: Telling): Promise<void> {
  const host = gitHub(optionsOf(github, signal))
  const body = blocks([marker('plan', 'checkout'), plainText(words)])
  await host.comment({ pullRequest, kind: 'plan', body })
  await host.check({
    commit,
    name: 'protium/plan',
    conclusion: 'success',
    title: words,
    summary: body,
    key: words,
    text: fence('{}', 'json'),
  })
}

/** All that a run does at GitHub, from the plan to the record. A run that comes again has a record of its own. */
async function run(github: GitHub, telling: Telling, again: number): Promise<void> {
  const options = optionsOf(github, telling.signal)
  const host = gitHub(options)
  await tell(github, telling)
  const deployment = await host.deployment({
    key: 'checkout/dev',
    commit: telling.commit,
    environment: 'checkout/dev',
    isProduction: false,
    description: 'checkout to dev',
  })
  const address = hostUrl('checkout.dev.example.com')
  for (const state of ['in_progress', 'success'] as const) {
    await host.deploymentStatus(deployment, { state, description: state, ...(address !== undefined && { address }) })
  }
  await ledgerRecords(options).append({ ...record, id: `${record.id}-${again}` })
}

/** What is left behind, without ids and times: comments, checks, and deployments with their newest status. */
async function left(github: GitHub, { commit, pullRequest }: Omit<Telling, 'words'>): Promise<unknown> {
  const token = github.token({ kind: 'user', login: 'ada' })
  const read = async (path: string): Promise<Record<string, unknown>[]> => {
    const response = await fetch(`${github.url}/repos/${name}/${path}`, {
      headers: { authorization: `Bearer ${token}` },
    })
    const data: unknown = await response.json()
    const list: unknown = Array.isArray(data) ? data : Object(data)['check_runs']
    return Array.isArray(list) ? list.map((each: unknown) => ({ ...Object(each) })) : []
  }
  const deployments = await read('deployments')
  const statuses = await Promise.all(deployments.map(async ({ id }) => read(`deployments/${String(id)}/statuses`)))
  return {
    comments: (await read(`issues/${pullRequest}/comments`)).map(({ body }) => body),
    checks: (await read(`commits/${commit}/check-runs`)).map(({ conclusion, external_id: key }) => ({
      conclusion,
      key,
    })),
    deployments: deployments.map(({ environment, payload }, index) => ({
      environment,
      payload,
      newest: statuses[index]?.[0]?.['state'],
    })),
  }
}

/** A run that nobody kills: what it leaves, and how many requests it has, each of which is a place to be killed at. */
async function cleanRun(): Promise<{ readonly end: unknown; readonly requests: number }> {
  const { github, ...telling } = await world()
  await run(github, { ...telling, words: 'after' }, 0)
  const requests = github.requests().length
  const end = await left(github, telling)
  await github.close()
  return { end, requests }
}

const clean = await cleanRun()
const moments = Array.from({ length: clean.requests }, (_, index) => index + 1).flatMap((nth) =>
  (['before', 'after'] as const).map((when) => ({ nth, when })),
)

describe('a run that is killed at any request', () => {
  test('has 12 of them, from the plan to the record', () => {
    expect(clean.requests).toBe(12)
  })

  test.each(moments)('comes to the same end when it is run again: $when request $nth', async ({ nth, when }) => {
    const { github, ...telling } = await world()
    const killed = new AbortController()
    const kill = (): void => killed.abort()
    github.fault({ match: () => true, nth, kind: when === 'before' ? { before: kill } : { after: kill } })

    const end = await run(github, { ...telling, words: 'after', signal: killed.signal }, 1).catch(
      (error: unknown) => error,
    )
    expect(end).toBeInstanceOf(Refused)
    expect(end).toMatchObject({ code: 'interrupted' })
    await run(github, { ...telling, words: 'after' }, 2)

    expect(await left(github, telling)).toEqual(clean.end)
    const files = await github.files(name, ledgerBranch)
    expect(chainFaults(files)).toEqual([])
    expect([...files.keys()].filter((path) => path.endsWith('-2.json'))).toHaveLength(1)
    await github.close()
  })
})
