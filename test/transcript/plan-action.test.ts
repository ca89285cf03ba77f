import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { clientOf } from '../fakes/github/client.ts'
import type { GitHub, Grant } from '../fakes/github/server.ts'
import { startGitHub } from '../fakes/github/server.ts'
import type { Step } from './action.ts'
import { commandsIn, step } from './action.ts'
import { edit, emptyFolder, sample } from './terminal.ts'

const repository = 'acme/catalog'
const stages = ['dev', 'staging', 'prod']

let github: GitHub
let pull: number
let head: string
let base: string

beforeEach(async () => {
  github = await startGitHub({
    organisation: 'acme',
    members: { ada: 'admin', ben: 'member' },
    outsiders: ['eve'],
    repositories: { catalog: { files: { 'README.md': 'x' }, collaborators: { ben: 'write' } } },
  })
  head = await github.push({ repository, branch: 'change', from: 'main', files: { 'a.txt': 'a' }, by: 'ben' })
  const made = await github.act({
    operation: 'pulls/create',
    by: 'ben',
    parameters: { owner: 'acme', repo: 'catalog' },
    body: { title: '::set-output name=exit::done @acme/all', head: 'change', base: 'main' },
  })
  pull = Number(made['number'])
  base = String(Reflect.get(Object(made['base']), 'sha'))
})
afterEach(async () => github.close())

/** The sample in git, with a change of it merged on top, as `actions/checkout` leaves a pull request. */
function mergedSample(change: (folder: string) => void): string {
  const folder = sample()
  const git = (...args: readonly string[]): void => {
    const who = ['-c', 'user.name=Ben', '-c', 'user.email=ben@example.com', '-c', 'commit.gpgsign=false']
    execFileSync('git', [...who, ...args], { cwd: folder, stdio: 'ignore' })
  }
  git('init', '-q', '-b', 'main')
  git('add', '-A')
  git('commit', '-q', '-m', 'base')
  git('checkout', '-q', '-b', 'change')
  change(folder)
  git('commit', '-q', '-a', '-m', 'change')
  git('checkout', '-q', 'main')
  git('merge', '-q', '--no-ff', '-m', 'merge', 'change')
  return folder
}

function more(desired: number): (folder: string) => void {
  return (folder) => {
    edit(folder, 'services/receipts/service.yaml', { from: 'inputs:\n', to: `inputs:\n  desired_count: ${desired}\n` })
  }
}

/** The variables of a step in a run of the pull request. */
function variables(folder: string, event = 'pull_request', payload: object = pullEvent()): Record<string, string> {
  const file = join(folder, '..', `event-${Math.floor(performance.now() * 1000)}.json`)
  writeFileSync(file, JSON.stringify(payload))
  return {
    GITHUB_EVENT_NAME: event,
    GITHUB_EVENT_PATH: file,
    GITHUB_REPOSITORY: repository,
    GITHUB_REPOSITORY_ID: '1',
    GITHUB_API_URL: github.url,
    GITHUB_RUN_ID: '77',
    GITHUB_RUN_ATTEMPT: '1',
    GITHUB_SHA: head,
    GITHUB_REF: `refs/pull/${pull}/merge`,
  }
}

function pullEvent(repo: object | null = { id: 1, name: 'catalog', owner: { login: 'acme' } }): object {
  return {
    pull_request: {
      number: pull,
      title: '::set-output name=exit::done @acme/all',
      user: { login: 'ben' },
      head: { sha: head, ref: 'change', repo },
      base: { sha: base, ref: 'main', repo: { id: 1 } },
    },
  }
}

function token(permissions: object = { checks: 'write', pull_requests: 'write' }): string {
  const grant: Grant = { kind: 'job', repository, permissions: { ...permissions } }
  return github.token(grant)
}

type Run = { readonly validated: Step; readonly planned: readonly Step[]; readonly posted: Step }

/** The jobs of `plan.yml`, one after the other, with their artifacts as files. */
async function jobs(folder: string, { plan = stages }: { readonly plan?: readonly string[] } = {}): Promise<Run> {
  const env = variables(folder)
  const runner = emptyFolder()
  const request = join(runner, 'request.json')
  const plans = join(runner, 'plans')
  mkdirSync(plans)
  const validated = await step('validate', folder, { inputs: { request }, env })
  const planned: Step[] = []
  for (const stage of plan) {
    planned.push(await step('plan', folder, { inputs: { request, stage, out: join(plans, `${stage}.json`) }, env }))
  }
  const inputs = { request, plans, out: join(runner, 'plan.json'), token: token() }
  const posted = await step('plan', emptyFolder(), { inputs, env })
  return { validated, planned, posted }
}

async function comments(): Promise<readonly string[]> {
  const { issues } = clientOf(github, { kind: 'user', login: 'ada' })
  const { data } = await issues.listComments({ owner: 'acme', repo: 'catalog', issue_number: pull })
  return data.map(({ body }) => body ?? '')
}

function writes(): readonly string[] {
  return github
    .requests()
    .filter(({ method, actor }) => method !== 'GET' && actor === 'github-actions[bot]')
    .map(({ method, path }) => `${method} ${path}`)
}

describe('the action plan', () => {
  test('shows in one comment and one check what merging would do', async () => {
    const folder = mergedSample(more(3))

    const { validated, planned, posted } = await jobs(folder)

    expect(validated).toMatchObject({ exit: 0, outputs: { services: '["receipts"]', environments: 'false' } })
    expect(planned.map(({ exit, stderr }) => ({ exit, stderr }))).toEqual(stages.map(() => ({ exit: 0, stderr: '' })))
    expect(posted).toMatchObject({ exit: 0, stderr: '', outputs: { exit: 'done' } })
    const [comment, ...others] = await comments()
    expect(others).toEqual([])
    expect(comment).toContain('### Plan: `receipts` is new in 3 stages')
    expect(posted.summary.trim()).toBe(comment?.trim())
    expect(writes()).toEqual([
      `POST /repos/acme/catalog/issues/${pull}/comments`,
      'POST /repos/acme/catalog/check-runs',
    ])
  })

  test('edits the comment at the next push, and does nothing at a re-run', async () => {
    await jobs(mergedSample(more(3)))
    const before = writes().length
    const folder = mergedSample(more(4))
    await jobs(folder)
    const again = writes().slice(before)
    await jobs(folder)

    expect(await comments()).toHaveLength(1)
    expect(again.map((each) => each.replace(/\d+$/u, 'N'))).toEqual([
      'PATCH /repos/acme/catalog/issues/comments/N',
      'PATCH /repos/acme/catalog/check-runs/N',
    ])
  })

  test('takes at most eight requests for one service in three stages', async () => {
    await jobs(mergedSample(more(3)))

    expect(github.requests().filter(({ actor }) => actor === 'github-actions[bot]').length).toBeLessThanOrEqual(8)
  })

  test('says on the pull request what is wrong', async () => {
    const folder = mergedSample((root) =>
      edit(root, 'services/receipts/service.yaml', { from: 'inputs:\n', to: 'inputs:\n  "@acme/all": 1\n' }),
    )

    const { validated, posted } = await jobs(folder, { plan: [] })

    expect(validated.exit).toBe(2)
    expect(posted.exit).toBe(0)
    const [comment] = await comments()
    expect(comment).toContain('### Cannot plan')
    expect(comment?.replaceAll(/`[^`]*`/gu, '')).not.toContain('@acme')
  })

  test('does not pass for planned what no job has planned', async () => {
    const { posted } = await jobs(mergedSample(more(3)), { plan: ['dev', 'staging'] })

    expect((await comments())[0]).toContain('receipts/prod')
    expect(posted.outputs['plan']).toBe('')
  })

  test('does not pass off a plan of something else for that of what was rendered', async () => {
    const folder = mergedSample(more(3))
    const other = mergedSample(more(4))
    const runner = emptyFolder()
    const [request, swapped, plans] = [join(runner, 'request.json'), join(runner, 'other.json'), join(runner, 'plans')]
    const env = variables(folder)
    await step('validate', folder, { inputs: { request }, env })
    await step('validate', other, { inputs: { request: swapped }, env })
    mkdirSync(plans)
    for (const stage of stages) {
      const from = stage === 'prod' ? swapped : request
      await step('plan', folder, { inputs: { request: from, stage, out: join(plans, `${stage}.json`) }, env })
    }

    const { outputs } = await step('plan', emptyFolder(), { inputs: { request, plans, token: token() }, env })

    expect((await comments())[0]).toContain('is one of something else')
    expect(outputs['plan']).toBe('')
  })

  test('says nothing of a commit that is no longer the head', async () => {
    const folder = mergedSample(more(3))
    const old = head
    head = await github.push({ repository, branch: 'change', from: 'change', files: { 'b.txt': 'b' }, by: 'ben' })
    const current = head
    head = old
    const { posted } = await jobs(folder)
    head = current

    expect(posted.exit).toBe(0)
    expect(posted.stdout).toContain('has gone on since')
    expect(writes()).toEqual([])
  })

  test('names the permission that the token lacks', async () => {
    const folder = mergedSample(more(3))
    const runner = emptyFolder()
    const env = variables(folder)
    const request = join(runner, 'request.json')
    await step('validate', folder, { inputs: { request }, env })

    const inputs = { request, plans: runner, token: token({ checks: 'write', pull_requests: 'read' }) }
    const { stdout, exit } = await step('plan', emptyFolder(), { inputs, env })

    expect(exit).toBe(1)
    expect(commandsIn(stdout).at(-1)?.text).toContain('`pull-requests: write`')
    expect(stdout).toContain('[github-permission]')
  })

  test('of a request that was changed on its way believes nothing', async () => {
    const folder = mergedSample(more(3))
    const request = join(emptyFolder(), 'request.json')
    writeFileSync(
      request,
      '{"format":1,"stages":[],"problems":[],"units":[],"left":[],"role":"::set-output name=exit::done"}',
    )

    const { stdout, exit, outputs } = await step('plan', folder, {
      inputs: { request, stage: 'dev' },
      env: variables(folder),
    })

    expect(exit).toBe(2)
    expect(outputs['exit']).toBe('bad-input')
    expect(new Set(commandsIn(stdout).map(({ name }) => name))).toEqual(new Set(['error']))
  })

  test('needs an event and a token to speak to a pull request', async () => {
    const request = join(emptyFolder(), 'request.json')
    writeFileSync(request, '{"format":1,"stages":[],"problems":[],"units":[],"left":[]}')

    const { stdout, exit } = await step('plan', emptyFolder(), { inputs: { request, plans: '.' } })

    expect(exit).toBe(1)
    expect(stdout).toContain('[not-at-github]')
  })
})
