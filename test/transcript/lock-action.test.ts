import { execFileSync } from 'node:child_process'
import { cpSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { newMirror } from '../e2e/mirror.ts'
import type { Mirror } from '../e2e/mirror.ts'
import type { GitHub } from '../fakes/github/server.ts'
import { startGitHub } from '../fakes/github/server.ts'
import type { Step } from './action.ts'
import { commandsIn, step } from './action.ts'
import { emptyFolder, sample } from './terminal.ts'

const repository = 'acme/catalog'

let github: GitHub
let mirror: Mirror
let state: string
beforeEach(async () => {
  const root = sample()
  const paths = readdirSync(root, { recursive: true, encoding: 'utf8' })
  const found = paths.filter((path) => statSync(join(root, path)).isFile())
  const files = Object.fromEntries(
    found.map((path) => [path.replaceAll('\\', '/'), readFileSync(join(root, path), 'utf8')]),
  )
  files['catalog.yaml'] += 'locks: { by: ["@acme/platform"] }\n'
  github = await startGitHub({
    organisation: 'acme',
    members: { ada: 'admin', ben: 'member', dan: 'member' },
    teams: { platform: { members: ['dan'] } },
    apps: { teams: { permissions: { members: 'read' } } },
    repositories: { catalog: { files, collaborators: { ben: 'write' } } },
  })
  mirror = newMirror(github, { folder: emptyFolder(), by: 'ada' })
  state = emptyFolder()
})
afterEach(async () => github.close())

/** What `actions/checkout` leaves with `fetch-depth: 0`: the commit, and all branches as they are at that moment. */
async function checkout(commit: string): Promise<string> {
  const folder = emptyFolder()
  const bare = await mirror.fetch(repository, commit)
  cpSync(bare, join(folder, '.git'), { recursive: true })
  const git = (...args: readonly string[]): string => execFileSync('git', [...args], { cwd: folder, encoding: 'utf8' })
  git('config', 'core.bare', 'false')
  git('checkout', '-q', '--detach', commit)
  for (const branch of ['protium-board', 'protium-ledger']) {
    const head = await github.head(repository, branch)
    if (head === undefined) continue
    git('fetch', '-q', await mirror.fetch(repository, head), `${head}:refs/remotes/origin/${branch}`)
  }
  return folder
}

/** Runs an action as a job of a run that somebody has started on the default branch. */
async function job(verb: 'deploy' | 'lock', actor: string, inputs: Readonly<Record<string, string>>): Promise<Step> {
  const commit = (await github.head(repository)) ?? ''
  const file = join(emptyFolder(), 'event.json')
  writeFileSync(file, JSON.stringify({ ref: 'refs/heads/main', repository: { id: 1, default_branch: 'main' } }))
  const permissions = {
    actions: 'read',
    checks: 'write',
    contents: 'write',
    deployments: 'write',
    pull_requests: 'write',
  } as const
  const folder = await checkout(commit)
  try {
    return await step(verb, folder, {
      inputs: { token: github.token({ kind: 'job', repository, permissions }), state, ...inputs },
      env: {
        GITHUB_EVENT_NAME: verb === 'deploy' ? 'push' : 'workflow_dispatch',
        GITHUB_EVENT_PATH: file,
        GITHUB_REPOSITORY: repository,
        GITHUB_REPOSITORY_ID: '1',
        GITHUB_API_URL: github.url,
        GITHUB_ACTOR: actor,
        GITHUB_TRIGGERING_ACTOR: actor,
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

async function board(): Promise<{ readonly waiting: readonly unknown[]; readonly locks: readonly unknown[] }> {
  return JSON.parse((await github.files(repository, 'protium-board')).get('board.json') ?? '')
}

const environment = { stage: 'dev', services: 'environment' }

test('the action lock holds a stage for who has started it, until he gives it back or it is broken by who may', async () => {
  const locked = await job('lock', 'ben', { units: 'environment/dev', reason: 'moving @everyone::error::' })
  expect(locked).toMatchObject({ exit: 0, outputs: { exit: 'done' } })
  expect(JSON.parse(locked.outputs['locks'] ?? '')).toMatchObject([{ unit: 'environment/dev', by: 'ben' }])
  expect(commandsIn(locked.stdout)).toEqual([])
  expect((await board()).locks).toMatchObject([{ unit: 'environment/dev', by: 'ben' }])

  const held = await job('deploy', 'ada', environment)

  expect(held).toMatchObject({ exit: 3, outputs: { exit: 'needs-approval' } })
  expect(held.summary).toContain('ben has locked')
  expect((await board()).waiting).toMatchObject([{ unit: 'environment/dev', by: 'ada', gates: [{ gate: 'lock' }] }])

  const mine = { units: 'environment/dev', release: 'true', reason: 'ben is on a plane' }
  // Only another token than that of the job sees who is in the team.
  const unseen = await job('lock', 'dan', mine)
  expect(unseen.exit).toBe(1)
  expect(unseen.summary).toContain('The token may not see who is in `@acme/platform`')

  const seeing = { ...mine, 'team-token': github.token({ kind: 'app', app: 'teams' }) }
  const other = await job('lock', 'ada', seeing)
  expect(other.exit).toBe(1)
  expect(other.summary).toContain('ada may not break the lock of somebody else')
  const broken = await job('lock', 'dan', seeing)

  expect(broken).toMatchObject({ exit: 0, outputs: { exit: 'done' } })
  expect((await board()).locks).toEqual([])
  const ledger = await github.files(repository, 'protium-ledger')
  const record = [...ledger].find(([path]) => path.startsWith('records/lock/environment/dev/'))?.[1]
  expect(JSON.parse(record ?? '')).toMatchObject({ by: 'dan', evidence: 'ben is on a plane', lock: { by: 'ben' } })

  // What has waited for it is deployed then, and waits no more.
  expect((await job('deploy', 'ada', environment)).exit).toBe(0)
  expect((await board()).waiting).toEqual([])
})
