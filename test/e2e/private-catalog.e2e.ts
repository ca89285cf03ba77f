import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readCatalog } from '../../src/core/catalog.ts'
import type { FileTree } from '../../src/core/tree.ts'
import { catalogWorkflows, serviceWorkflows } from '../../src/core/workflows.ts'
import { clientOf } from '../fakes/github/client.ts'
import { type GitHub, startGitHub } from '../fakes/github/server.ts'
import { act } from './act.ts'
import { appKey, type Run, type Runners, sampleCatalog, startRunners } from './runner.ts'

const receipts = 'services/receipts/service.yaml'

/** The sample with `app: true`, and one service in a repository of its own, both private. */
function organisation(): { readonly catalog: FileTree; readonly service: FileTree; readonly spec: string } {
  const sample = sampleCatalog()
  const text = sample.get('catalog.yaml') ?? ''
  const files = new Map([...sample, ['catalog.yaml', text.replace(/^workflows:\n/m, 'workflows:\n  app: true\n')]])
  const catalog = readCatalog(files)
  if (!catalog.ok) throw new Error(catalog.problems.map(({ message }) => message).join('\n'))
  const spec = sample.get(receipts) ?? ''
  files.delete(receipts)
  return {
    catalog: new Map([...files, ...catalogWorkflows(catalog.value)]),
    service: new Map([...serviceWorkflows(catalog.value), ['service.yaml', spec]]),
    spec,
  }
}

describe.skipIf(act === undefined)('a service repository of a private catalog (needs act)', () => {
  const { catalog, service, spec } = organisation()
  let github: GitHub

  beforeAll(async () => {
    github = await startGitHub({
      organisation: 'acme',
      members: { mia: 'admin', dev: 'member' },
      teams: { storefront: { members: ['dev'], repositories: { receipts: 'write' } } },
      apps: { protium: { permissions: { contents: 'read', metadata: 'read' } } },
      repositories: { catalog: { files: catalog }, receipts: { files: service } },
    })
  }, 60_000)
  afterAll(async () => github.close())

  async function pullRequest(branch: string, runners: Runners): Promise<{ run: Run; pull: number }> {
    const repository = 'acme/receipts'
    const files = { 'service.yaml': `${spec}# more\n` }
    const commit = await github.push({ repository, branch, from: 'main', files, by: 'dev' })
    const body = { title: branch, head: branch, base: 'main' }
    const parameters = { owner: 'acme', repo: 'receipts' }
    const pull = await github.act({ operation: 'pulls/create', by: 'dev', parameters, body })
    const payload = github.events().findLast(({ name }) => name === 'pull_request')?.payload ?? {}
    const workflow = '.github/workflows/pull-request.yml'
    const run = await runners.run({
      repository,
      workflow,
      event: 'pull_request',
      payload,
      commit,
      branch,
      actor: 'dev',
    })
    return { run, pull: Number(pull['number']) }
  }

  test('reads the catalog with the token of an App, which the job that reads the pull request never sees', async () => {
    const vars = { PROTIUM_APP_CLIENT_ID: 'protium' }
    const runners = await startRunners({
      github,
      catalog: 'acme/catalog',
      by: 'mia',
      vars,
      secrets: { PROTIUM_APP_KEY: appKey },
    })
    try {
      const { run, pull } = await pullRequest('with-key', runners)
      const { issues } = clientOf(github, { kind: 'user', login: 'mia' })
      const comments = await issues.listComments({ owner: 'acme', repo: 'receipts', issue_number: pull })

      expect(run.conclusion, run.log).toBe('success')
      expect(run.jobs.map(({ id }) => id).toSorted()).toEqual([
        'catalog',
        'plan-dev',
        'plan-prod',
        'plan-staging',
        'post',
        'validate',
      ])
      expect(comments.data).toHaveLength(1)
      expect(github.leaks(run.log)).toBe(false)
    } finally {
      await runners.close()
    }
  })

  test('cannot read it without the key, and says so before anything else is tried', async () => {
    const runners = await startRunners({
      github,
      catalog: 'acme/catalog',
      by: 'mia',
      vars: { PROTIUM_APP_CLIENT_ID: 'protium' },
    })
    try {
      const { run } = await pullRequest('without-key', runners)

      expect(run.jobs, run.log).toEqual([{ name: 'plan/Plan/catalog', id: 'catalog', result: 'failure' }])
    } finally {
      await runners.close()
    }
  })
})
