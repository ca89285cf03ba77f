import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { clientOf } from '../fakes/github/client.ts'
import type { GitHub } from '../fakes/github/server.ts'
import { startGitHub } from '../fakes/github/server.ts'
import type { Step } from './action.ts'
import { commandsIn, step } from './action.ts'
import { edit, emptyFolder, sample } from './terminal.ts'

const repository = 'acme/catalog'
const at = { owner: 'acme', repo: 'catalog' }

let github: GitHub
beforeEach(async () => {
  github = await startGitHub({
    organisation: 'acme',
    members: { ada: 'admin', ben: 'member' },
    repositories: { catalog: { files: { 'README.md': 'x' }, collaborators: { ben: 'write' } } },
  })
})
afterEach(async () => github.close())

/** The sample without what its stages wait for: neither time nor a person. */
function quick(): string {
  const folder = sample()
  edit(folder, 'catalog.yaml', { from: '    soak: 30m ', to: '    #' })
  edit(folder, 'catalog.yaml', { from: '    approval: { by: ["@acme/platform"] }\n', to: '' })
  return folder
}

type Request = { readonly number: number; readonly head: string; readonly base: string }

let branches = 0
async function openPull(): Promise<Request> {
  const branch = `change-${(branches += 1)}`
  const head = await github.push({ repository, branch, from: 'main', files: { [`${branch}.txt`]: 'a' }, by: 'ben' })
  const { pulls } = clientOf(github, { kind: 'user', login: 'ben' })
  const { data } = await pulls.create({ ...at, title: 'A change', head: branch, base: 'main' })
  return { number: data.number, head, base: data.base.sha }
}

async function merge({ number }: Request): Promise<string> {
  const { pulls } = clientOf(github, { kind: 'user', login: 'ada' })
  return (await pulls.merge({ ...at, pull_number: number })).data.sha
}

function variables(event: string, payload: object, more: Readonly<Record<string, string>>): Record<string, string> {
  const file = join(emptyFolder(), 'event.json')
  writeFileSync(file, JSON.stringify(payload))
  return {
    GITHUB_EVENT_NAME: event,
    GITHUB_EVENT_PATH: file,
    GITHUB_REPOSITORY: repository,
    GITHUB_REPOSITORY_ID: '1',
    GITHUB_API_URL: github.url,
    GITHUB_RUN_ID: '88',
    GITHUB_RUN_ATTEMPT: '1',
    ...more,
  }
}

function pushOf(commit: string, { attempt = 1, branch = 'main' } = {}): Record<string, string> {
  const payload = { ref: `refs/heads/${branch}`, before: '0'.repeat(40), repository: { id: 1, default_branch: 'main' } }
  return variables('push', payload, {
    GITHUB_SHA: commit,
    GITHUB_REF: `refs/heads/${branch}`,
    GITHUB_RUN_ATTEMPT: String(attempt),
  })
}

/** Plans the folder as the jobs of a pull request do, so that there is something reviewed. */
async function review(folder: string, { number, head, base }: Request): Promise<void> {
  const repo = { id: 1, name: 'catalog', owner: { login: 'acme' } }
  const pull = {
    number,
    title: 'A change',
    user: { login: 'ben' },
    head: { sha: head, ref: 'x', repo },
    base: { sha: base, ref: 'main', repo },
  }
  const env = variables(
    'pull_request',
    { pull_request: pull },
    { GITHUB_SHA: head, GITHUB_REF: `refs/pull/${number}/merge` },
  )
  const runner = emptyFolder()
  const [request, plans] = [join(runner, 'request.json'), join(runner, 'plans')]
  mkdirSync(plans)
  await step('validate', folder, { inputs: { request }, env })
  for (const stage of ['dev', 'staging', 'prod']) {
    await step('plan', folder, { inputs: { request, stage, out: join(plans, `${stage}.json`) }, env })
  }
  const token = github.token({ kind: 'job', repository, permissions: { checks: 'write', pull_requests: 'write' } })
  const posted = await step('plan', emptyFolder(), { inputs: { request, plans, token }, env })
  if (posted.exit !== 0) throw new Error(posted.stdout)
}

function token(): string {
  const permissions = { checks: 'write', contents: 'write', deployments: 'write', pull_requests: 'write' } as const
  return github.token({ kind: 'job', repository, permissions })
}

async function deploy(
  folder: string,
  env: Readonly<Record<string, string>>,
  inputs: Readonly<Record<string, string>>,
): Promise<Step> {
  return step('deploy', folder, { inputs: { token: token(), ...inputs }, env })
}

/** The environment and then the service, through the stages as far as they go. */
async function throughStages(folder: string, env: Readonly<Record<string, string>>, services = 'receipts') {
  const ends: string[] = []
  for (const each of ['environment', services]) {
    for (const stage of ['dev', 'staging', 'prod']) {
      const { outputs, exit } = await deploy(folder, env, { services: each, stage })
      ends.push(`${each}/${stage}: ${outputs['exit']}`)
      if (exit !== 0) return ends
    }
  }
  return ends
}

async function deployments() {
  const { repos } = clientOf(github, { kind: 'user', login: 'ada' })
  const { data } = await repos.listDeployments({ ...at })
  const found = data.map(async ({ id, environment, sha }) => {
    const statuses = await repos.listDeploymentStatuses({ ...at, deployment_id: id })
    const [newest] = statuses.data.toSorted((a, b) => b.id - a.id)
    return { environment, sha, state: newest?.state, address: newest?.environment_url, log: newest?.log_url }
  })
  return (await Promise.all(found)).toReversed()
}

/** What the bot has said on a pull request of failures, each comment as it is now. */
async function told(number: number): Promise<readonly string[]> {
  const { issues } = clientOf(github, { kind: 'user', login: 'ada' })
  const { data } = await issues.listComments({ ...at, issue_number: number })
  return data.flatMap(({ body }) => (body?.startsWith('<!-- protium:failure') === true ? [body] : []))
}

async function recordPaths(): Promise<readonly string[]> {
  const { git } = clientOf(github, { kind: 'user', login: 'ada' })
  const { data } = await git.getTree({ ...at, tree_sha: 'protium-ledger', recursive: 'true' })
  return data.tree.filter(({ type }) => type === 'blob').map(({ path }) => path)
}

describe('the action deploy', () => {
  test('deploys what was reviewed, stage by stage, with deployments and records', async () => {
    const folder = quick()
    const request = await openPull()
    await review(folder, request)
    const commit = await merge(request)

    const ends = await throughStages(folder, pushOf(commit))

    expect(ends).toEqual(
      ['environment', 'receipts'].flatMap((each) =>
        ['dev', 'staging', 'prod'].map((stage) => `${each}/${stage}: done`),
      ),
    )
    const all = await deployments()
    expect(all.map(({ environment, state }) => `${environment} ${state}`)).toEqual([
      'environment/dev success',
      'environment/staging success',
      'environment/prod success',
      'receipts/dev success',
      'receipts/staging success',
      'receipts/prod success',
    ])
    expect(all[3]?.sha).toBe(commit)
    expect(all[3]?.log).toBe('https://github.com/acme/catalog/actions/runs/88')
    expect(await recordPaths()).toHaveLength(6)
  }, 120_000)

  test('says in the summary what is live, where, and what comes next', async () => {
    const folder = quick()
    const request = await openPull()
    await review(folder, request)
    const env = pushOf(await merge(request))
    await deploy(folder, env, { services: 'environment', stage: 'dev' })

    const { summary, stdout, exit } = await deploy(folder, env, { services: 'checkout', stage: 'dev' })

    expect(exit).toBe(0)
    expect(summary).toContain('## checkout → dev: deployed')
    expect(summary).toContain('- **Live:** [checkout.dev.example.com](https://checkout.dev.example.com)')
    expect(summary).toContain('- **Next:** staging follows.')
    expect(commandsIn(stdout)).toEqual([])
    expect((await deployments()).at(-1)).toMatchObject({
      environment: 'checkout/dev',
      address: 'https://checkout.dev.example.com',
    })
  })

  test('takes at most ten requests for a stage', async () => {
    const folder = quick()
    const request = await openPull()
    await review(folder, request)
    const env = pushOf(await merge(request))
    await deploy(folder, env, { services: 'environment', stage: 'dev' })
    const before = github.requests().length

    await deploy(folder, env, { services: 'receipts', stage: 'dev' })

    const requests = github.requests().slice(before)
    expect(
      requests.map(({ method, path }) => `${method} ${path}`).length,
      JSON.stringify(
        requests.map(({ method, path }) => `${method} ${path}`),
        null,
        1,
      ),
    ).toBeLessThanOrEqual(10)
  })

  test('does not deploy to a stage before the one before it has been proved', async () => {
    const folder = quick()
    const request = await openPull()
    await review(folder, request)
    const env = pushOf(await merge(request))

    const { exit, stdout } = await deploy(folder, env, { services: 'receipts', stage: 'staging' })

    expect(exit).toBe(1)
    expect(stdout).toContain('[stage-not-proved]')
    expect(await deployments()).toEqual([])
  })

  test('stops at a stage that fails, says why, and recovers when it is run again', async () => {
    const folder = quick()
    const request = await openPull()
    await review(folder, request)
    const commit = await merge(request)
    const env = pushOf(commit)
    for (const stage of ['dev', 'staging']) await deploy(folder, env, { services: 'environment', stage })
    await deploy(folder, env, { services: 'receipts', stage: 'dev' })

    const failed = await deploy(folder, env, { services: 'receipts', stage: 'staging', fail: 'receipts-staging/Queue' })
    const said = await told(request.number)
    const tooEarly = await deploy(folder, env, { services: 'receipts', stage: 'prod' })
    const again = await deploy(folder, pushOf(commit, { attempt: 2 }), { services: 'receipts', stage: 'staging' })

    expect(failed).toMatchObject({ exit: 1, outputs: { exit: 'failed' } })
    expect(failed.summary).toContain('## receipts → staging: failed')
    expect(said).toHaveLength(1)
    expect(said[0]).toContain('`Queue` (`AWS::SQS::Queue`)')
    expect(said[0]).toContain('templates/queue-worker/v1/instance_infrastructure/cloudformation.yaml:')
    expect(said[0]).toContain(
      '| Infra setting | ruled out | The same template and the same settings run healthy in dev. |',
    )
    expect(await told(request.number)).toEqual([expect.stringContaining('receipts → staging: deployed after all')])
    expect(tooEarly.stdout).toContain('[stage-not-proved]')
    expect(again).toMatchObject({ exit: 0, outputs: { exit: 'done' } })
    // The deployment of the run is the same one; only its state has changed.
    const staging = (await deployments()).filter(({ environment }) => environment === 'receipts/staging')
    expect(staging.map(({ state }) => state)).toEqual(['success'])
  })

  test('holds in production what nobody has reviewed, and takes the next attempt for approval of what it posted', async () => {
    const folder = quick()
    const first = await openPull()
    await review(folder, first)
    await throughStages(folder, pushOf(await merge(first)))
    const second = await openPull()
    edit(folder, 'services/receipts/service.yaml', { from: 'inputs:\n', to: 'inputs:\n  desired_count: 3\n' })
    await review(folder, second)
    edit(folder, 'services/receipts/service.yaml', { from: 'desired_count: 3', to: 'desired_count: 7' })
    const commit = await merge(second)
    const ends = await throughStages(folder, pushOf(commit))

    const held = await deploy(folder, pushOf(commit), { services: 'receipts', stage: 'prod' })
    const approved = await deploy(folder, pushOf(commit, { attempt: 2 }), { services: 'receipts', stage: 'prod' })

    expect(ends.slice(-3)).toEqual(['receipts/dev: done', 'receipts/staging: done', 'receipts/prod: needs-approval'])
    expect(held).toMatchObject({ exit: 3, outputs: { exit: 'needs-approval' } })
    expect(held.stdout).toContain(`It is not what was reviewed on #${second.number}`)
    expect(approved).toMatchObject({ exit: 0, outputs: { exit: 'done' } })
  }, 120_000)

  test.each([
    ['another branch', 'change'],
    ['a branch of the same letters', 'MAIN'],
  ])('deploys nothing of %s', async (_what, branch) => {
    const { exit, stdout } = await deploy(quick(), pushOf('1'.repeat(40), { branch }), {
      services: 'receipts',
      stage: 'dev',
    })

    expect(exit).toBe(1)
    expect(stdout).toContain('[not-merged]')
    expect(github.requests().filter(({ method }) => method !== 'GET')).toEqual([])
  })

  test('leaves a commit alone that a newer one has overtaken', async () => {
    const folder = quick()
    const git = (...args: readonly string[]): string => {
      const who = ['-c', 'user.name=Ben', '-c', 'user.email=ben@example.com', '-c', 'commit.gpgsign=false']
      return execFileSync('git', [...who, ...args], { cwd: folder, encoding: 'utf8' }).trim()
    }
    git('init', '-q', '-b', 'main')
    git('add', '-A')
    git('commit', '-q', '-m', 'older')
    const older = git('rev-parse', 'HEAD')
    git('commit', '-q', '--allow-empty', '-m', 'newer')
    const newer = git('rev-parse', 'HEAD')
    const record = {
      format: 1,
      id: '20261122T120000000Z-receipts-dev',
      unit: 'receipts/dev',
      stage: 'dev',
      template: 'queue-worker',
      version: '1.0.0',
      commit: newer,
      by: 'ana',
      started: '2026-11-22T12:00:00.000Z',
      finished: '2026-11-22T12:01:00.000Z',
      outcome: 'failed',
      wants: 'x',
    }
    await github.push({
      repository,
      branch: 'protium-ledger',
      from: 'main',
      by: 'ada',
      files: { [`records/receipts/dev/2026-11/${record.id}.json`]: JSON.stringify(record) },
    })
    git('checkout', '-q', older)

    const { exit, stdout } = await deploy(folder, pushOf(older), { services: 'receipts', stage: 'dev' })

    expect(exit).toBe(0)
    expect(stdout).toContain(`the newer commit ${newer.slice(0, 7)} was deployed there already`)
    expect(await deployments()).toEqual([])
  })

  test('ships the image of a build through the stages, and keeps it when none is handed over', async () => {
    const folder = quick()
    const request = await openPull()
    await review(folder, request)
    const commit = await merge(request)
    const env = pushOf(commit)
    const image = `111111111111.dkr.ecr.ap-northeast-2.amazonaws.com/checkout@sha256:${'a'.repeat(64)}`
    await deploy(folder, env, { services: 'environment', stage: 'dev' })

    const first = await deploy(folder, env, { services: 'checkout', stage: 'dev', image })
    const again = await deploy(folder, pushOf(commit, { attempt: 2 }), { services: 'checkout', stage: 'dev' })

    expect(first).toMatchObject({ exit: 0 })
    expect(JSON.parse(first.outputs['units'] ?? '')[0]).toMatchObject({ outcome: 'deployed' })
    expect(JSON.parse(again.outputs['units'] ?? '')[0]).toMatchObject({ outcome: 'unchanged' })
  })

  test('refuses an image that is named by a tag in production', async () => {
    const { exit, stdout } = await deploy(quick(), pushOf('1'.repeat(40)), {
      services: 'checkout',
      stage: 'prod',
      image: 'acme/checkout:latest',
    })

    expect(exit).toBe(2)
    expect(stdout).toContain('[image-tag]')
  })
})
