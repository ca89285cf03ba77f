import { globSync, mkdtempSync, readFileSync, realpathSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { clientOf } from '../fakes/github/client.ts'
import { text } from '../fakes/github/json.ts'
import { type GitHub, startGitHub } from '../fakes/github/server.ts'
import { act } from './act.ts'
import { approving, deployOf, lastEvent, type Run, type Runners, sampleCatalog, startRunners } from './runner.ts'

const sample = sampleCatalog()
const file = 'services/receipts/service.yaml'
const spec = sample.get(file) ?? ''
const parameters = { owner: 'acme', repo: 'catalog' }

describe.skipIf(act === undefined)('merging deploys (needs act)', () => {
  const folder = mkdtempSync(join(realpathSync(tmpdir()), 'protium-e2e-state-'))
  let github: GitHub
  let runners: Runners
  let mia: Parameters<typeof approving>[1]

  beforeAll(async () => {
    github = await startGitHub({
      organisation: 'acme',
      members: { mia: 'admin', dev: 'member' },
      teams: {
        platform: { members: ['mia'], repositories: { catalog: 'admin' } },
        storefront: { members: ['dev'], repositories: { catalog: 'write' } },
      },
      repositories: {
        catalog: {
          files: sample,
          environments: { prod: { reviewers: [{ is: 'team', organisation: 'acme', slug: 'platform' }] } },
        },
      },
    })
    mia = { github, by: 'mia' }
    const vars = { PROTIUM_STATE: folder }
    runners = await startRunners({ github, catalog: 'acme/catalog', by: 'mia', vars })
  }, 60_000)
  afterAll(async () => {
    await runners.close()
    await github.close()
    rmSync(folder, { recursive: true, force: true })
  })

  /** Opens a pull request, has it planned and merges it; returns the run that deploys it. */
  async function change(
    branch: string,
    files: Readonly<Record<string, string>>,
    merged: () => void = () => undefined,
  ): Promise<Run> {
    const commit = await github.push({ repository: 'acme/catalog', branch, from: 'main', files, by: 'dev' })
    const body = { title: branch, head: branch, base: 'main' }
    const pull = await github.act({ operation: 'pulls/create', by: 'dev', parameters, body })
    const opened = lastEvent(github, 'pull_request')
    const planned = await runners.run({
      repository: 'acme/catalog',
      workflow: '.github/workflows/plan.yml',
      event: 'pull_request',
      payload: opened,
      commit,
      branch,
      actor: 'dev',
    })
    expect(planned.conclusion, planned.log).toBe('success')
    await github.act({
      operation: 'pulls/merge',
      by: 'mia',
      parameters: { ...parameters, pull_number: Number(pull['number']) },
    })
    merged()
    return deploy()
  }

  async function deploy(): Promise<Run> {
    return runners.run(deployOf(github, { repository: 'acme/catalog', actor: 'mia' }))
  }

  /** The names of jobs, in the order in which they ended, without what leads to them. */
  function order(run: Run, service: string): string[] {
    return run.jobs.filter(({ name }) => name.startsWith(service)).map(({ id }) => id)
  }

  test('first what services share, then every service, each stage by stage', async () => {
    const { result: run, approved } = await approving(
      change('begin', { 'catalog.yaml': `${sample.get('catalog.yaml') ?? ''}# begin\n` }),
      mia,
    )
    const chains = [...new Set(run.jobs.map(({ name }) => name.split('/')[0] ?? ''))]

    expect(run.conclusion, run.log).toBe('success')
    expect(run.jobs.slice(0, 4).map(({ name }) => name)).toEqual([
      'Deploy/validate',
      'environments/Stages/dev',
      'environments/Stages/staging',
      'environments/Stages/prod',
    ])
    expect(chains).toHaveLength(6)
    for (const chain of chains.slice(1)) expect(order(run, `${chain}/`)).toEqual(['dev', 'staging', 'prod'])
    expect(approved).toContain('prod')
  })

  test('one service through three stages, when one is touched, with its deployments and its entries in the ledger', async () => {
    const before = await ledger()
    const { result: run } = await approving(change('more', { [file]: `${spec}# more\n` }), mia)
    const { repos } = clientOf(github, { kind: 'user', login: 'mia' })
    const { data } = await repos.listDeployments(parameters)
    const own = data.filter(
      ({ environment, sha }) => environment.startsWith('receipts/') && sha === lastEvent(github, 'push')['after'],
    )

    expect(run.conclusion, run.log).toBe('success')
    expect(run.jobs.map(({ id }) => id)).toEqual(['validate', 'dev', 'staging', 'prod'])
    // The jobs name their environments for the rules of these, and make no deployments of their own.
    expect(data.filter(({ environment }) => !environment.includes('/'))).toEqual([])
    expect(own.map(({ environment }) => environment).toSorted()).toEqual([
      'receipts/dev',
      'receipts/prod',
      'receipts/staging',
    ])
    expect((await ledger()).length - before.length).toBe(3)
  })

  test('a stage that fails stops those after it, and run again it goes on', async () => {
    const stack = globSync('**/receipts-staging*', { cwd: folder })
      .map((path) => join(folder, path))
      .find((path) => statSync(path).isFile())
    const kept = readFileSync(stack ?? '', 'utf8')
    const changed = spec.replace(/^inputs:\n/m, 'inputs:\n  desired_count: 3\n')

    const { result: failed } = await approving(
      change('count', { [file]: changed }, () => writeFileSync(stack ?? '', 'not what Protium wrote')),
      mia,
    )
    writeFileSync(stack ?? '', kept)
    const { result: again } = await approving(deploy(), mia)

    expect(failed.conclusion).toBe('failure')
    expect(
      failed.jobs.map(({ id, result }) => `${id} ${result}`),
      failed.log,
    ).toEqual(['validate success', 'dev success', 'staging failure', 'settle success'])
    expect(
      failed.annotations
        .filter(({ level, job }) => level === 'error' && job === 'staging')
        .map(({ message }) => message)
        .join('\n'),
    ).toContain('receipts-staging')
    expect(again.conclusion, again.log).toBe('success')
    expect(again.jobs.map(({ id }) => id)).toEqual(['validate', 'dev', 'staging', 'prod'])
  })

  test('a person goes back in production: shown by a job that may only look, done once another person agrees', async () => {
    const push = lastEvent(github, 'push')
    const commit = text(push, 'after')
    const inputs = { service: 'receipts', stage: 'prod', reason: 'receipts are printed twice', to: '', acknowledge: '' }
    const { result: run, approved } = await approving(
      runners.run({
        repository: 'acme/catalog',
        workflow: '.github/workflows/rollback.yml',
        event: 'workflow_dispatch',
        payload: { inputs, ref: 'refs/heads/main', ...(push['repository'] && { repository: push['repository'] }) },
        commit,
        branch: 'main',
        actor: 'dev',
      }),
      mia,
    )

    expect(run.conclusion, run.log).toBe('success')
    expect(run.jobs.map(({ id, result }) => `${id} ${result}`)).toEqual(['plan-prod success', 'rollback-prod success'])
    expect(approved).toEqual(['rollback-prod'])
    expect(run.summaries.get('plan-prod')).toContain('- **Why:** receipts are printed twice')
    expect(run.summaries.get('rollback-prod')).toContain('## receipts → prod: back to')
    const files = await github.files('acme/catalog', 'protium-ledger')
    const records = [...files].filter(([path]) => path.startsWith('records/receipts/prod/'))
    const back = records.map(([, record]) => JSON.parse(record)).find(({ rollback }) => rollback !== undefined)
    expect(back).toMatchObject({ outcome: 'deployed', rollback: { from: commit, reason: inputs.reason } })
    const { repos } = clientOf(github, { kind: 'user', login: 'mia' })
    const { data } = await repos.listDeployments({ ...parameters, environment: 'receipts/prod' })
    expect(data.map(({ sha }) => sha)).toContain(back.commit)

    const { result: held } = await approving(deploy(), mia)

    expect(held.conclusion).toBe('failure')
    expect(held.annotations.map(({ message }) => message).join('\n')).toContain('rolled-back')
  })

  /** The files of the ledger's branch. */
  async function ledger(): Promise<readonly string[]> {
    const head = await github.head('acme/catalog', 'protium-ledger')
    return head === undefined ? [] : [...(await github.files('acme/catalog', 'protium-ledger')).keys()]
  }
})
