import { execFileSync } from 'node:child_process'
import { cpSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { newMirror } from '../e2e/mirror.ts'
import type { Mirror } from '../e2e/mirror.ts'
import { clientOf } from '../fakes/github/client.ts'
import type { GitHub } from '../fakes/github/server.ts'
import { startGitHub } from '../fakes/github/server.ts'
import type { Step } from './action.ts'
import { commandsIn, step } from './action.ts'
import { emptyFolder, sample } from './terminal.ts'

const repository = 'acme/catalog'
const at = { owner: 'acme', repo: 'catalog' }
const service = 'services/receipts/service.yaml'

let github: GitHub
let mirror: Mirror
let state: string
let files: Record<string, string>
beforeEach(async () => {
  files = filesBelow(sample())
  github = await startGitHub({
    organisation: 'acme',
    members: { ada: 'admin' },
    repositories: { catalog: { files } },
  })
  mirror = newMirror(github, { folder: emptyFolder(), by: 'ada' })
  state = emptyFolder()
})
afterEach(async () => github.close())

function filesBelow(folder: string): Record<string, string> {
  const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  const found = paths.filter((path) => statSync(join(folder, path)).isFile())
  return Object.fromEntries(found.map((path) => [path.replaceAll('\\', '/'), readFileSync(join(folder, path), 'utf8')]))
}

/** What `actions/checkout` leaves of a commit, with its history. */
async function checkout(commit: string): Promise<string> {
  const folder = emptyFolder()
  const bare = await mirror.fetch(repository, commit)
  cpSync(bare, join(folder, '.git'), { recursive: true })
  const git = (...args: readonly string[]): string => execFileSync('git', [...args], { cwd: folder, encoding: 'utf8' })
  git('config', 'core.bare', 'false')
  git('checkout', '-q', '--detach', commit)
  return folder
}

/** Runs an action as a job of a run about the newest commit of the default branch. */
async function job(
  verb: 'deploy' | 'rollback',
  { commit, event, ...inputs }: Readonly<Record<string, string>> & { readonly commit: string; readonly event: string },
): Promise<Step> {
  const payload = { ref: 'refs/heads/main', before: '0'.repeat(40), repository: { id: 1, default_branch: 'main' } }
  const file = join(emptyFolder(), 'event.json')
  writeFileSync(file, JSON.stringify(payload))
  const permissions =
    verb === 'deploy'
      ? ({ checks: 'write', contents: 'write', deployments: 'write', pull_requests: 'write' } as const)
      : inputs['show'] === 'true'
        ? ({ contents: 'read' } as const)
        : ({ contents: 'write', deployments: 'write' } as const)
  const folder = await checkout(commit)
  try {
    return await step(verb, folder, {
      inputs: { token: github.token({ kind: 'job', repository, permissions }), state, stage: 'dev', ...inputs },
      env: {
        GITHUB_EVENT_NAME: event,
        GITHUB_EVENT_PATH: file,
        GITHUB_REPOSITORY: repository,
        GITHUB_REPOSITORY_ID: '1',
        GITHUB_API_URL: github.url,
        GITHUB_RUN_ID: '88',
        GITHUB_RUN_ATTEMPT: '1',
        GITHUB_SHA: commit,
        GITHUB_REF: 'refs/heads/main',
      },
    })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function newestDeployment() {
  const { repos } = clientOf(github, { kind: 'user', login: 'ada' })
  const { data } = await repos.listDeployments({ ...at })
  const [newest] = data.toSorted((a, b) => b.id - a.id)
  const statuses = await repos.listDeploymentStatuses({ ...at, deployment_id: newest?.id ?? 0 })
  const [status] = statuses.data.toSorted((a, b) => b.id - a.id)
  return { environment: newest?.environment, commit: newest?.sha, said: newest?.description, state: status?.state }
}

test('the action rollback shows what it would do to who may only read, and does what it has shown', async () => {
  const first = (await github.head(repository)) ?? ''
  for (const services of ['environment', 'receipts'])
    expect((await job('deploy', { commit: first, event: 'push', services })).exit).toBe(0)
  const more = (files[service] ?? '').replace('inputs:\n', 'inputs:\n  desired_count: 3\n')
  const second = await github.push({ repository, branch: 'main', files: { [service]: more }, by: 'ada' })
  expect((await job('deploy', { commit: second, event: 'push', services: 'receipts' })).exit).toBe(0)
  const before = github.requests().length

  const given = { commit: second, event: 'workflow_dispatch', unit: 'receipts', reason: 'it prints twice @everyone' }
  const shown = await job('rollback', { ...given, show: 'true' })

  expect(shown.exit).toBe(0)
  expect(shown.summary).toContain(`## receipts → dev: back to \`${first.slice(0, 7)}\``)
  expect(shown.summary).toContain('it prints twice `@everyone`')
  expect(shown.summary).toMatch(/^! +MinCapacity +other value$/m)
  expect(commandsIn(shown.stdout)).toEqual([])
  expect(
    github
      .requests()
      .slice(before)
      .filter(({ method }) => method !== 'GET'),
  ).toEqual([])

  const { to = '', seen = '' } = shown.outputs
  const done = await job('rollback', { ...given, yes: 'true', to, seen })

  expect(done).toMatchObject({ exit: 0, outputs: { exit: 'done', to } })
  expect(done.summary).toContain(`## receipts → dev: back to \`${first.slice(0, 7)}\``)
  expect(JSON.parse(done.outputs['units'] ?? '')).toMatchObject([{ unit: 'receipts/dev', outcome: 'deployed' }])
  expect(await newestDeployment()).toEqual({
    environment: 'receipts/dev',
    commit: first,
    said: expect.stringMatching(`^receipts back to ${first.slice(0, 7)}: 1 change: it prints twice`),
    state: 'success',
  })
  const ledger = await github.files(repository, 'protium-ledger')
  const records = [...ledger]
    .filter(([path]) => path.startsWith('records/receipts/dev/'))
    .map(([, text]) => JSON.parse(text))
  expect(records.find(({ rollback }) => rollback !== undefined)).toMatchObject({
    commit: first,
    rollback: { to, from: second, reason: 'it prints twice @everyone' },
  })

  const held = await job('deploy', { commit: second, event: 'push', services: 'receipts' })

  expect(held.exit).toBe(1)
  expect(held.stdout).toContain('[rolled-back]')
}, 60_000)
