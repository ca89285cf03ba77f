import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { clientOf } from '../fakes/github/client.ts'
import { type GitHub, startGitHub } from '../fakes/github/server.ts'
import { act } from './act.ts'
import { type Run, type Runners, sampleCatalog, serviceWorkflows, startRunners } from './runner.ts'

const sample = sampleCatalog()
const receipts = 'services/receipts/service.yaml'
const spec = sample.get(receipts) ?? ''

/** The sample, with one service in a repository of its own, which holds the callers and knows no stage. */
const organisation = {
  organisation: 'acme',
  members: { mia: 'admin', dev: 'member' },
  outsiders: ['eve'],
  teams: {
    platform: { members: ['mia'], repositories: { catalog: 'admin', receipts: 'admin' } },
    storefront: { members: ['dev'], repositories: { catalog: 'write', receipts: 'write' } },
  },
  repositories: {
    catalog: { public: true, files: new Map([...sample].filter(([path]) => path !== receipts)) },
    receipts: { files: new Map([...serviceWorkflows(), ['service.yaml', spec]]) },
  },
} as const

type Repository = keyof (typeof organisation)['repositories']

/** A service in a folder of the catalog, and one in a repository of its own: what a developer changes, and what runs then. */
const layouts = [
  {
    layout: 'a service in a folder of the catalog',
    repo: 'catalog',
    workflow: 'plan',
    file: 'services/checkout/service.yaml',
    text: sample.get('services/checkout/service.yaml') ?? '',
    job: 'Plan/validate',
  },
  {
    layout: 'a service in a repository of its own',
    repo: 'receipts',
    workflow: 'pull-request',
    file: 'service.yaml',
    text: spec,
    job: 'plan/Plan/validate',
  },
] as const

describe.skipIf(act === undefined)('a pull request runs the workflows that users copy (needs act)', () => {
  let github: GitHub
  let runners: Runners

  beforeAll(async () => {
    github = await startGitHub(organisation)
    runners = await startRunners({ github, catalog: 'acme/catalog', by: 'mia' })
  }, 60_000)
  afterAll(async () => {
    await runners.close()
    await github.close()
  })

  /** Runs what the last event of a pull request starts. */
  async function runLast(repo: Repository, workflow: string): Promise<Run> {
    const event = github.events().findLast(({ name }) => name === 'pull_request')
    if (event === undefined) throw new Error('There is no pull request')
    const { head }: { head: { sha: string; ref: string } } = JSON.parse(JSON.stringify(event.payload['pull_request']))
    return runners.run({
      repository: `acme/${repo}`,
      workflow: `.github/workflows/${workflow}.yml`,
      event: 'pull_request',
      payload: event.payload,
      commit: head.sha,
      branch: head.ref,
      actor: 'dev',
    })
  }

  async function push(repo: Repository, branch: string, files: Readonly<Record<string, string>>): Promise<string> {
    return github.push({ repository: `acme/${repo}`, branch, from: 'main', files, by: 'dev' })
  }

  async function open(repo: Repository, branch: string): Promise<number> {
    const body = { title: branch, head: branch, base: 'main' }
    const pull = await github.act({ operation: 'pulls/create', by: 'dev', parameters: { owner: 'acme', repo }, body })
    return Number(pull['number'])
  }

  /** What a person sees: the comments, and the check on the last commit. */
  async function seen(
    repo: Repository,
    pull: number,
    commit: string,
  ): Promise<{ comments: Comment[]; checks: Check[] }> {
    const { issues, checks } = clientOf(github, { kind: 'user', login: 'mia' })
    const comments = await issues.listComments({ owner: 'acme', repo, issue_number: pull })
    const runs = await checks.listForRef({ owner: 'acme', repo, ref: commit })
    return {
      comments: comments.data.map(({ id, user, body }) => ({ id, by: user?.login ?? '', body: body ?? '' })),
      checks: runs.data.check_runs.map(({ name, conclusion }) => ({ name, conclusion })),
    }
  }

  describe.each(layouts)('for $layout', ({ repo, workflow, file, text, job }) => {
    const broken = text.replace(/^template: .*$/m, 'template: queue-wroker@1.0.0')
    const line = String(text.split('\n').findIndex((each) => each.startsWith('template:')) + 1)

    test('that is in order: passes validate, and is planned by one comment and one check', async () => {
      const commit = await push(repo, 'words', { [file]: `${text}# more\n` })
      const pull = await open(repo, 'words')

      const run = await runLast(repo, workflow)
      const { comments, checks } = await seen(repo, pull, commit)

      expect(
        run.jobs.find(({ id }) => id === 'validate'),
        run.log,
      ).toMatchObject({ name: job, result: 'success' })
      expect(run.conclusion, run.log).toBe('success')
      expect(comments.map(({ by }) => by)).toEqual(['github-actions[bot]'])
      expect(checks).toEqual([{ name: 'protium/plan', conclusion: 'success' }])
    })

    test('with a slip: fails validate on its line, says so once, and says otherwise when it is mended', async () => {
      const commit = await push(repo, 'slip', { [file]: broken })
      const pull = await open(repo, 'slip')

      const run = await runLast(repo, workflow)
      const before = await seen(repo, pull, commit)
      const mended = await push(repo, 'slip', { [file]: `${text}# more\n` })
      const again = await runLast(repo, workflow)
      const after = await seen(repo, pull, mended)

      expect(
        run.jobs.find(({ id }) => id === 'validate'),
        run.log,
      ).toMatchObject({ result: 'failure' })
      expect(run.annotations).toContainEqual(marked(file, line))
      expect(run.jobs.filter(({ id }) => id.startsWith('plan-'))).toEqual([])
      expect(run.summaries.get('validate')).toContain('queue-wroker')
      expect(before.checks).toEqual([{ name: 'protium/plan', conclusion: 'failure' }])
      expect(before.comments.map(({ body }) => body)).toEqual([expect.stringContaining('queue-wroker')])
      expect(again.conclusion, again.log).toBe('success')
      expect(after.checks).toEqual([{ name: 'protium/plan', conclusion: 'success' }])
      expect(after.comments.map(({ id }) => id)).toEqual(before.comments.map(({ id }) => id))
      expect(after.comments[0]?.body).not.toContain('queue-wroker')
    })
  })

  test('from a fork: is checked without any right, and a run of the default branch says what was found', async () => {
    const { file, text } = layouts[0]
    const fork = await github.fork('acme/catalog', 'eve')
    const broken = text.replace(/^template: .*$/m, 'template: "@acme/platform <b>@1.0.0"')
    const commit = await github.push({
      repository: fork,
      branch: 'mine',
      from: 'main',
      files: { [file]: broken },
      by: 'eve',
    })
    const parameters = { owner: 'acme', repo: 'catalog' }
    const body = { title: 'mine', head: 'eve:mine', base: 'main' }
    const pull = Number((await github.act({ operation: 'pulls/create', by: 'eve', parameters, body }))['number'])
    github.forget()

    const run = await runLast('catalog', 'plan')
    const before = await seen('catalog', pull, commit)
    const written = github.requests().filter(({ method }) => method !== 'GET')
    const completed = github.events().findLast(({ name }) => name === 'workflow_run')
    const main = (await github.head('acme/catalog')) ?? ''
    const posted = await runners.run({
      repository: 'acme/catalog',
      workflow: '.github/workflows/forks.yml',
      event: 'workflow_run',
      payload: completed?.payload ?? {},
      commit: main,
      branch: 'main',
      actor: 'eve',
    })
    const after = await seen('catalog', pull, commit)

    expect(run.jobs, run.log).toEqual([{ name: 'Plan/validate', id: 'validate', result: 'failure' }])
    expect(before).toEqual({ comments: [], checks: [] })
    expect(written).toEqual([])
    expect(posted.conclusion, posted.log).toBe('success')
    expect(after.checks).toEqual([{ name: 'protium/plan', conclusion: 'failure' }])
    expect(after.comments.map(({ by }) => by)).toEqual(['github-actions[bot]'])
    // What the fork wrote stands in code alone, where it mentions nobody and is no HTML.
    const prose = after.comments[0]?.body.replaceAll(/`[^`]*`/g, '')
    expect(prose).toContain('Cannot plan')
    expect(prose).not.toMatch(/@acme|<b>/)
  })

  test('no token is in a log, a summary or an artifact', async () => {
    await push('catalog', 'tokens', { 'services/checkout/service.yaml': `${layouts[0].text}# tokens\n` })
    await open('catalog', 'tokens')
    const run = await runLast('catalog', 'plan')
    const told = [
      run.log,
      ...run.summaries.values(),
      ...[...run.artifacts.values()].flatMap((files) => [...files.values()]),
    ]

    expect(told.length).toBeGreaterThan(2)
    expect(told.filter((text) => github.leaks(text))).toEqual([])
  })
})

type Comment = { readonly id: number; readonly by: string; readonly body: string }
type Check = { readonly name: string; readonly conclusion: string | null }

function marked(file: string, line: string): unknown {
  const properties: unknown = expect.objectContaining({ file, line, title: 'unknown-template' })
  return expect.objectContaining({ level: 'error', job: 'validate', properties })
}
