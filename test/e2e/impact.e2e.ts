import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readCatalog } from '../../src/core/catalog.ts'
import type { FileTree } from '../../src/core/tree.ts'
import { catalogWorkflows } from '../../src/core/workflows.ts'
import { clientOf } from '../fakes/github/client.ts'
import type { JsonMap } from '../fakes/github/json.ts'
import { type GitHub, startGitHub } from '../fakes/github/server.ts'
import { act } from './act.ts'
import { appKey, type Run, type Runners, sampleCatalog, startRunners, type Wanted } from './runner.ts'

const catalog = 'acme/catalog'
const receipts = 'services/receipts/service.yaml'
/** Two templates, each with a line that is changed: one is run by services of the catalog, the other elsewhere. */
const changes = [
  ['fargate-service/v2', 'HealthCheckIntervalSeconds: 10', 'HealthCheckIntervalSeconds: 15'],
  ['queue-worker/v1', 'ReceiveMessageWaitTimeSeconds: 20', 'ReceiveMessageWaitTimeSeconds: 10'],
] as const

/** The sample with `upgrades: true`, and one service in a repository of its own, which the jobs of the catalog may not read. */
function organisation(): { readonly files: FileTree; readonly spec: string } {
  const sample = sampleCatalog()
  const text = sample.get('catalog.yaml') ?? ''
  const files = new Map([...sample, ['catalog.yaml', text.replace(/^workflows:\n/m, 'workflows:\n  upgrades: true\n')]])
  const read = readCatalog(files)
  if (!read.ok) throw new Error(read.problems.map(({ message }) => message).join('\n'))
  const spec = sample.get(receipts) ?? ''
  files.delete(receipts)
  return { files: new Map([...files, ...catalogWorkflows(read.value)]), spec }
}

describe.skipIf(act === undefined)('what a change of a template does to everybody (needs act)', () => {
  const { files, spec } = organisation()
  const changed = Object.fromEntries(
    changes.map(([bundle, before, after]) => {
      const path = `templates/${bundle}/instance_infrastructure/cloudformation.yaml`
      return [path, (files.get(path) ?? '').replace(before, after)]
    }),
  )
  let github: GitHub
  let runners: Runners

  beforeAll(async () => {
    github = await startGitHub({
      organisation: 'acme',
      members: { mia: 'admin', dev: 'member' },
      outsiders: ['eve'],
      teams: { platform: { members: ['mia', 'dev'], repositories: { catalog: 'write' } } },
      apps: {
        upgrades: {
          permissions: {
            checks: 'read',
            contents: 'write',
            deployments: 'read',
            pull_requests: 'write',
            statuses: 'read',
          },
        },
      },
      repositories: {
        catalog: { public: true, files },
        receipts: { files: new Map([['service.yaml', spec]]), settings: { topics: ['protium'] } },
      },
    })
    const vars = { PROTIUM_UPGRADES_CLIENT_ID: 'upgrades' }
    runners = await startRunners({ github, catalog, by: 'mia', vars, secrets: { PROTIUM_UPGRADES_KEY: appKey } })
  }, 60_000)
  afterAll(async () => {
    await runners.close()
    await github.close()
  }, 60_000)

  async function run(
    wanted: Pick<Wanted, 'event' | 'payload' | 'actor'> & { readonly workflow: string },
  ): Promise<Run> {
    const { workflow, ...rest } = wanted
    const { pull_request: pull } = wanted.payload
    const { head }: { head: { sha: string; ref: string } } =
      pull === undefined
        ? { head: { sha: (await github.head(catalog)) ?? '', ref: 'main' } }
        : JSON.parse(JSON.stringify(pull))
    return runners.run({
      ...rest,
      repository: catalog,
      workflow: `.github/workflows/${workflow}.yml`,
      commit: head.sha,
      branch: head.ref,
    })
  }

  function last(name: string): JsonMap {
    return github.events().findLast((event) => event.name === name)?.payload ?? {}
  }

  /** Opens a pull request, and runs what it begins. */
  async function proposed(head: string, by: string): Promise<{ readonly run: Run; readonly pull: number }> {
    const body = { title: 'Ask for messages less long', head, base: 'main' }
    const parameters = { owner: 'acme', repo: 'catalog' }
    const pull = Number((await github.act({ operation: 'pulls/create', by, parameters, body }))['number'])
    const payload = last('pull_request')
    return { pull, run: await run({ workflow: 'impact', event: 'pull_request', payload, actor: by }) }
  }

  /** What a person sees: the comments, and the checks of a commit. */
  async function seen(
    pull: number,
    commit: string,
  ): Promise<{ readonly comments: string[]; readonly checks: string[] }> {
    const { issues, checks } = clientOf(github, { kind: 'user', login: 'mia' })
    const comments = await issues.listComments({ owner: 'acme', repo: 'catalog', issue_number: pull })
    const runs = await checks.listForRef({ owner: 'acme', repo: 'catalog', ref: commit })
    return {
      comments: comments.data.map(({ body }) => body ?? ''),
      checks: runs.data.check_runs.map(({ name }) => name),
    }
  }

  test('is shown of what runs here, before the main branch has looked elsewhere', async () => {
    const commit = await github.push({
      repository: catalog,
      branch: 'first',
      from: 'main',
      files: changed,
      by: 'dev',
    })
    const { run: shown, pull } = await proposed('first', 'dev')
    const { comments, checks } = await seen(pull, commit)

    expect(shown.conclusion, shown.log).toBe('success')
    expect(shown.jobs.map(({ id, result }) => `${id} ${result}`)).toEqual([
      'consumers success',
      'render success',
      'post success',
    ])
    expect(checks).toEqual(['protium/impact'])
    expect(comments).toEqual([expect.stringContaining('checkout')])
    expect(comments[0]).not.toContain('receipts')
  })

  test('is shown of a service in another repository, which the main branch has read with a token that may only read', async () => {
    const commit = await github.push({
      repository: catalog,
      branch: 'second',
      from: 'main',
      files: changed,
      by: 'dev',
    })
    const { repository } = last('push')
    const payload = { schedule: '37 * * * *', ...(repository !== undefined && { repository }) }
    const hour = await run({ workflow: 'upgrade', event: 'schedule', payload, actor: 'mia' })
    const { run: shown, pull } = await proposed('second', 'dev')
    const { comments, checks } = await seen(pull, commit)

    expect(hour.conclusion, hour.log).toBe('success')
    expect(runners.appTokens().map(({ permissions }) => [...new Set(Object.values(permissions))])).toEqual([['read']])
    expect(shown.conclusion, shown.log).toBe('success')
    expect(checks).toEqual(['protium/impact'])
    expect(comments).toEqual([expect.stringContaining('receipts')])
    expect(github.leaks(shown.log + hour.log)).toBe(false)
  })

  test('is shown on the pull request of a fork too, by a run of the main branch', async () => {
    const repository = await github.fork(catalog, 'eve')
    const commit = await github.push({
      repository,
      branch: 'mine',
      from: 'main',
      files: changed,
      by: 'eve',
    })
    const { run: shown, pull } = await proposed('eve:mine', 'eve')
    const before = await seen(pull, commit)
    const posted = await run({ workflow: 'forks', event: 'workflow_run', payload: last('workflow_run'), actor: 'eve' })
    const after = await seen(pull, commit)

    expect(
      shown.jobs.map(({ id }) => id),
      shown.log,
    ).toEqual(['consumers', 'render'])
    expect(before).toEqual({ comments: [], checks: [] })
    expect(posted.jobs, posted.log).toMatchObject([{ id: 'impact', result: 'success' }])
    expect(after.checks).toEqual(['protium/impact'])
    expect(after.comments).toEqual([expect.stringContaining('receipts')])
  })
})
