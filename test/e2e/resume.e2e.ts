import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readBoard } from '../../src/core/board.ts'
import { clientOf } from '../fakes/github/client.ts'
import { type GitHub, startGitHub } from '../fakes/github/server.ts'
import { act } from './act.ts'
import { approving, deployOf, lastEvent, type Run, type Runners, sampleCatalog, startRunners } from './runner.ts'

const parameters = { owner: 'acme', repo: 'catalog' }
const repository = 'acme/catalog'
/** Seconds that production waits for staging. */
const soak = 15

/** The sample with one service, whose production waits a little. */
const sample = new Map(
  [...sampleCatalog()]
    .filter(([path]) => !path.startsWith('services/') || path.startsWith('services/receipts/'))
    .map(([path, content]) => [
      path,
      path === 'catalog.yaml'
        ? content.replace('    environment: staging\n', `    environment: staging\n    soak: ${soak}s\n`)
        : content,
    ]),
)

describe.skipIf(act === undefined)('what waits is gone on with (needs act)', () => {
  const folder = mkdtempSync(join(realpathSync(tmpdir()), 'protium-e2e-resume-'))
  let github: GitHub
  let runners: Runners

  beforeAll(async () => {
    github = await startGitHub({
      organisation: 'acme',
      members: { mia: 'admin', dev: 'member' },
      teams: { platform: { members: ['mia'], repositories: { catalog: 'admin' } } },
      repositories: {
        catalog: {
          files: sample,
          collaborators: { dev: 'write' },
          environments: { prod: { reviewers: [{ is: 'team', organisation: 'acme', slug: 'platform' }] } },
        },
      },
    })
    runners = await startRunners({ github, catalog: repository, by: 'mia', vars: { PROTIUM_STATE: folder } })
  }, 60_000)
  afterAll(async () => {
    await runners.close()
    await github.close()
    rmSync(folder, { recursive: true, force: true })
  })

  async function deploy(again?: { readonly run: number; readonly attempt: number }): Promise<Run> {
    const actor = again === undefined ? 'mia' : 'github-actions[bot]'
    const run = runners.run(deployOf(github, { repository, actor, ...(again !== undefined && { again }) }))
    return (await approving(run, { github, by: 'mia' })).result
  }

  /** The scheduled workflow. */
  async function resume(): Promise<Run> {
    const { repository: about } = lastEvent(github, 'push')
    return runners.run({
      repository,
      workflow: '.github/workflows/resume.yml',
      event: 'schedule',
      payload: { schedule: '4-59/10 * * * *', ...(about !== undefined && { repository: about }) },
      commit: (await github.head(repository)) ?? '',
      branch: 'main',
      actor: 'mia',
    })
  }

  async function waiting(): Promise<readonly string[]> {
    if ((await github.head(repository, 'protium-board')) === undefined) return []
    const files = await github.files(repository, 'protium-board')
    return readBoard('board.json', files.get('board.json') ?? '').waiting.map(
      ({ unit, gates }) => `${unit} ${gates.map(({ gate }) => gate).join('+')}`,
    )
  }

  /** Has a pull request planned, merges it, and runs what deploys it. */
  async function merged(branch: string, files: Readonly<Record<string, string>>): Promise<Run> {
    const commit = await github.push({ repository, branch, from: 'main', files, by: 'dev' })
    const body = { title: branch, head: branch, base: 'main' }
    const pull = await github.act({ operation: 'pulls/create', by: 'dev', parameters, body })
    const workflow = '.github/workflows/plan.yml'
    const payload = lastEvent(github, 'pull_request')
    const wanted = { repository, workflow, event: 'pull_request', payload, commit, branch, actor: 'dev' } as const
    const planned = await runners.run(wanted)
    expect(planned.conclusion, planned.log).toBe('success')
    const number = { ...parameters, pull_number: Number(pull['number']) }
    await github.act({ operation: 'pulls/merge', by: 'mia', parameters: number })
    return deploy()
  }

  /** The newest state of a deployment, and how many there are. */
  async function told(environment: string): Promise<readonly (string | undefined)[]> {
    const { repos } = clientOf(github, { kind: 'user', login: 'mia' })
    const { data } = await repos.listDeployments({ ...parameters, environment })
    const all = data.map(async ({ id }) => repos.listDeploymentStatuses({ ...parameters, deployment_id: id }))
    return (await Promise.all(all)).map((each) => each.data[0]?.state)
  }

  test('what services share is held before production, then the service is; each is started again by the schedule and deployed', async () => {
    const first = await merged('begin', { 'catalog.yaml': `${sample.get('catalog.yaml') ?? ''}# begin\n` })
    const held: string[] = []
    const states: unknown[] = []
    let run = first
    for (const [index, unit] of ['environment/prod', 'receipts/prod'].entries()) {
      held.push(...(await waiting()))
      states.push(...(await told(unit)))
      await sleep(soak * 1000)
      const woken = await resume()
      const attempt = index + 2
      expect(woken.conclusion, woken.log).toBe('success')
      expect(github.queued(), `${run.log}\n${woken.log}`).toMatchObject([{ run: first.run, attempt, name: 'prod' }])
      run = await deploy({ run: first.run, attempt })
      states.push(...(await told(unit)))
    }
    const idle = await resume()

    expect(
      first.jobs.map(({ id, result }) => `${id} ${result}`),
      first.log,
    ).toEqual(['validate success', 'dev success', 'staging success', 'prod failure', 'settle success'])
    expect(held).toEqual(['environment/prod soak', 'receipts/prod soak'])
    expect(states).toEqual(['queued', 'success', 'queued', 'success'])
    expect(run.conclusion, run.log).toBe('success')
    expect(await waiting()).toEqual([])
    expect(idle.summaries.get('resume')).toContain('Nothing waits.')
  }, 300_000)
})
