import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { clientOf } from './github/client.ts'
import { manualClock, type ManualClock } from './github/clock.ts'
import type { Seed } from './github/seed.ts'
import { type GitHub, startGitHub, type StartedJob } from './github/server.ts'

const seed: Seed = {
  organisation: 'acme',
  members: { ada: 'admin', bob: 'member', eve: 'member' },
  outsiders: ['mallory'],
  teams: { platform: { members: ['bob'], repositories: { checkout: 'write' } } },
  apps: {
    protium: { permissions: { actions: 'write', administration: 'write', contents: 'write', deployments: 'write' } },
  },
  repositories: {
    checkout: {
      files: { 'service.yaml': 'name: checkout\n' },
      public: true,
      environments: {
        production: { reviewers: [{ is: 'team', organisation: 'acme', slug: 'platform' }], preventSelfReview: true },
        soaking: { waitTimer: 30 },
        narrow: { branches: { protectedOnly: false, patterns: [{ id: 1, name: 'main', type: 'branch' }] } },
      },
    },
  },
}

const repository = 'acme/checkout'
const checkout = { owner: 'acme', repo: 'checkout' }

async function statusOf(request: Promise<unknown>): Promise<number> {
  try {
    await request
    return 200
  } catch (error) {
    return error instanceof Error && 'status' in error ? Number(error.status) : 0
  }
}

/** A job that has not been let through, after everything that could let it through has had its turn. */
async function isHeld(job: Promise<StartedJob>): Promise<boolean> {
  return Promise.race([job.then(() => false), new Promise<boolean>((resolve) => setImmediate(() => resolve(true)))])
}

async function begin(github: GitHub, more: { actor?: string; branch?: string } = {}): Promise<number> {
  const sha = (await github.head(repository)) ?? ''
  const { actor = 'ada', branch = 'main' } = more
  return github.beginRun({ repository, workflow: '.github/workflows/deploy.yml', event: 'push', branch, sha, actor })
}

describe('environments', () => {
  let clock: ManualClock
  let github: GitHub
  beforeAll(async () => {
    clock = manualClock('2026-11-22T12:00:00Z')
    github = await startGitHub(seed, { clock })
  })
  afterAll(() => github.close())

  test('a job is held until a reviewer approves, and then has the permissions that it declares and no others', async () => {
    const bob = clientOf(github, { kind: 'user', login: 'bob' })
    const run = await begin(github)
    const job = github.beginJob({
      repository,
      run,
      name: 'prod',
      environment: 'production',
      permissions: { contents: 'read' },
    })
    const held = await isHeld(job)
    const waiting = github.waiting()
    const { data: pending } = await bob.actions.getPendingDeploymentsForRun({ ...checkout, run_id: run })
    const review = {
      ...checkout,
      run_id: run,
      environment_ids: pending.map(({ environment }) => environment.id ?? 0),
      state: 'approved',
      comment: 'Looks right.',
    } as const

    const [eve, ada, app] = [
      await statusOf(clientOf(github, { kind: 'user', login: 'eve' }).actions.reviewPendingDeploymentsForRun(review)),
      await statusOf(clientOf(github, { kind: 'user', login: 'ada' }).actions.reviewPendingDeploymentsForRun(review)),
      await statusOf(clientOf(github, { kind: 'app', app: 'protium' }).actions.reviewPendingDeploymentsForRun(review)),
    ]
    const stillHeld = await isHeld(job)
    await bob.actions.reviewPendingDeploymentsForRun(review)
    const started = await job

    expect([held, stillHeld]).toEqual([true, true])
    expect(waiting).toMatchObject([{ run, environment: 'production', name: 'prod' }])
    expect(pending[0]?.current_user_can_approve).toBe(true)
    expect([eve, ada, app]).toEqual([422, 422, 422])
    expect(github.waiting()).toEqual([])
    const { data } = await bob.actions.getReviewsForRun({ ...checkout, run_id: run })
    expect(data).toMatchObject([{ state: 'approved', comment: 'Looks right.', user: { login: 'bob' } }])
    if (started.is !== 'started') throw new Error('The job was refused')
    const client = clientOf({ url: github.url, token: () => started.token }, { kind: 'user', login: 'bob' })
    expect(await statusOf(client.repos.getContent({ ...checkout, path: 'service.yaml' }))).toBe(200)
    expect(await statusOf(client.issues.create({ ...checkout, title: 'x' }))).toBe(403)
  })

  test('a job whose reviewer says no is refused, and its deployment has failed', async () => {
    const bob = clientOf(github, { kind: 'user', login: 'bob' })
    const run = await begin(github)
    const job = github.beginJob({ repository, run, name: 'prod', environment: 'production', permissions: {} })
    const { data: pending } = await bob.actions.getPendingDeploymentsForRun({ ...checkout, run_id: run })

    const { data: deployments } = await bob.actions.reviewPendingDeploymentsForRun({
      ...checkout,
      run_id: run,
      environment_ids: pending.map(({ environment }) => environment.id ?? 0),
      state: 'rejected',
      comment: 'Not today.',
    })
    const started = await job

    expect(started).toMatchObject({ is: 'refused', reason: 'bob rejected the deployment to production: Not today.' })
    const { data } = await bob.repos.listDeploymentStatuses({ ...checkout, deployment_id: deployments[0]?.id ?? 0 })
    expect(data.map(({ state }) => state)).toEqual(['failure'])
  })

  test('a review is of the jobs that wait, and a later job of the same run waits for another', async () => {
    const bob = clientOf(github, { kind: 'user', login: 'bob' })
    const run = await begin(github)
    const start = (name: string) =>
      github.beginJob({ repository, run, name, environment: 'production', permissions: {} })
    const approve = async (): Promise<void> => {
      const { data } = await bob.actions.getPendingDeploymentsForRun({ ...checkout, run_id: run })
      await bob.actions.reviewPendingDeploymentsForRun({
        ...checkout,
        run_id: run,
        environment_ids: [data[0]?.environment.id ?? 0],
        state: 'approved',
        comment: '',
      })
    }
    const told: string[] = []
    const until = new AbortController()
    const telling = (async () => {
      for await (const { name } of github.held(until.signal)) told.push(name)
    })()

    const both = [start('one'), start('two')]
    await approve()
    const started = await Promise.all(both)
    const third = start('three')
    const held = await isHeld(third)
    await approve()
    await third
    until.abort()
    await telling

    expect(started.map(({ is }) => is)).toEqual(['started', 'started'])
    expect(held).toBe(true)
    expect(told).toEqual(['one', 'two', 'three'])
  })

  test('a job whose environment is no deployment of it is held too, and makes none', async () => {
    const bob = clientOf(github, { kind: 'user', login: 'bob' })
    const before = (await bob.repos.listDeployments(checkout)).data
    const run = await begin(github)
    const job = github.beginJob({
      repository,
      run,
      name: 'prod',
      environment: 'production',
      deployment: false,
      permissions: {},
    })
    const held = await isHeld(job)
    const { data } = await bob.actions.getPendingDeploymentsForRun({ ...checkout, run_id: run })
    const environments = data.map(({ environment }) => environment.id ?? 0)
    const review = { environment_ids: environments, state: 'approved', comment: '' } as const
    const { data: approved } = await bob.actions.reviewPendingDeploymentsForRun({ ...checkout, run_id: run, ...review })
    const started = await job
    await github.endJob({ repository, run, job: started.job, conclusion: 'success' })

    expect([held, started.is, approved]).toEqual([true, 'started', []])
    expect((await bob.repos.listDeployments(checkout)).data).toEqual(before)
  })

  test('a wait timer runs by the clock', async () => {
    const run = await begin(github)
    const job = github.beginJob({ repository, run, name: 'soak', environment: 'soaking', permissions: {} })

    clock.advance(29 * 60_000)
    const before = await isHeld(job)
    clock.advance(60_000)

    expect(before).toBe(true)
    await expect(job).resolves.toMatchObject({ is: 'started' })
  })

  test('a branch that may not deploy to the environment is refused, also one that differs in case only', async () => {
    const names = ['main', 'MAIN', 'topic']
    const started: string[] = []
    for (const branch of names) {
      const run = await begin(github, { branch })
      started.push((await github.beginJob({ repository, run, name: 'x', environment: 'narrow', permissions: {} })).is)
    }

    expect(started).toEqual(['started', 'refused', 'refused'])
  })

  test('an environment that nobody made is made, without any rule', async () => {
    const { repos } = clientOf(github, { kind: 'app', app: 'protium' })
    const run = await begin(github)

    const started = await github.beginJob({ repository, run, name: 'new', environment: 'brand-new', permissions: {} })
    const made = await repos.getEnvironment({ ...checkout, environment_name: 'Brand-New' })

    expect(started.is).toBe('started')
    expect(made.data.protection_rules).toEqual([])
  })

  test('a job stops waiting when it is told to', async () => {
    const cut = new AbortController()
    const run = await begin(github)
    const job = github.beginJob({
      repository,
      run,
      name: 'p',
      environment: 'production',
      permissions: {},
      signal: cut.signal,
    })

    cut.abort()

    await expect(job).rejects.toThrow('no longer waits')
  })

  test('reviewers, timers and branches are set and read through the API', async () => {
    const { repos } = clientOf(github, { kind: 'app', app: 'protium' })
    const { data: bob } = await clientOf(github, { kind: 'user', login: 'bob' }).users.getAuthenticated()

    await repos.createOrUpdateEnvironment({
      ...checkout,
      environment_name: 'staging',
      wait_timer: 10,
      prevent_self_review: true,
      reviewers: [{ type: 'User', id: bob.id }],
      deployment_branch_policy: { protected_branches: false, custom_branch_policies: true },
    })
    await repos.createDeploymentBranchPolicy({ ...checkout, environment_name: 'staging', name: 'release/*' })
    const { data } = await repos.getEnvironment({ ...checkout, environment_name: 'staging' })
    const policies = await repos.listDeploymentBranchPolicies({ ...checkout, environment_name: 'staging' })

    expect(data.protection_rules?.map(({ type }) => type)).toEqual([
      'wait_timer',
      'required_reviewers',
      'branch_policy',
    ])
    expect(data.protection_rules?.[1]).toMatchObject({ reviewers: [{ type: 'User', reviewer: { login: 'bob' } }] })
    expect(policies.data.branch_policies.map(({ name }) => name)).toEqual(['release/*'])
  })
})

describe('runs', () => {
  let github: GitHub
  beforeAll(async () => {
    github = await startGitHub(seed, { clock: manualClock('2026-11-22T12:00:00Z') })
  })
  afterAll(() => github.close())

  test("a fork's run names no pull request, and its jobs may only read", async () => {
    const { actions } = clientOf(github, { kind: 'app', app: 'protium' })
    const fork = await github.fork(repository, 'mallory')
    const sha = await github.push({ repository: fork, branch: 'evil', files: { x: 'x' }, by: 'mallory' })
    await github.act({
      operation: 'pulls/create',
      by: 'mallory',
      parameters: checkout,
      body: { head: 'mallory:evil', base: 'main', title: 'Please' },
    })

    const run = await github.beginRun({
      repository,
      workflow: '.github/workflows/plan.yml',
      event: 'pull_request',
      branch: 'evil',
      sha,
      actor: 'mallory',
      headRepository: fork,
      pulls: [1],
    })
    const job = await github.beginJob({
      repository,
      run,
      name: 'plan',
      permissions: { contents: 'write', issues: 'write' },
    })
    const { data } = await actions.getWorkflowRun({ ...checkout, run_id: run })

    expect(data).toMatchObject({ pull_requests: [], head_repository: { full_name: fork }, head_sha: sha })
    if (job.is !== 'started') throw new Error('The job was refused')
    const client = clientOf({ url: github.url, token: () => job.token }, { kind: 'user', login: 'bob' })
    expect(await statusOf(client.issues.create({ ...checkout, title: 'x' }))).toBe(403)
  })

  test('jobs end with their conclusions, and a deployment of each environment follows them', async () => {
    const { actions, repos } = clientOf(github, { kind: 'app', app: 'protium' })
    const run = await begin(github)
    const jobs: number[] = []
    for (const conclusion of ['success', 'success', 'failure'] as const) {
      const started = await github.beginJob({ repository, run, name: conclusion, environment: 'dev', permissions: {} })
      jobs.push(started.job)
      await github.endJob({ repository, run, job: started.job, conclusion })
    }
    await github.endRun({ repository, run, conclusion: 'failure' })

    const { data: listed } = await actions.listJobsForWorkflowRun({ ...checkout, run_id: run })
    const { data: deployments } = await repos.listDeployments({ ...checkout, environment: 'dev' })
    const states = await Promise.all(
      deployments.map(async ({ id }) => {
        const { data } = await repos.listDeploymentStatuses({ ...checkout, deployment_id: id })
        return data.map(({ state }) => state)
      }),
    )
    const { data: runs } = await actions.listWorkflowRuns({ ...checkout, workflow_id: 'deploy.yml', status: 'failure' })

    expect(listed.jobs.map(({ id, conclusion }) => [id, conclusion])).toEqual([
      [jobs[0], 'success'],
      [jobs[1], 'success'],
      [jobs[2], 'failure'],
    ])
    expect(states).toEqual([
      ['failure', 'in_progress'],
      ['success', 'in_progress'],
      ['inactive', 'success', 'in_progress'],
    ])
    expect(runs.workflow_runs.map(({ id, conclusion }) => [id, conclusion])).toEqual([[run, 'failure']])
  })

  test('a job is started again with those that come after it, as a new attempt; the others stay as they were', async () => {
    const app = clientOf(github, { kind: 'app', app: 'protium' })
    const run = await begin(github)
    const [before, job, after] = await Promise.all(
      [{ name: 'dev' }, { name: 'staging', needs: ['dev'] }, { name: 'settle', needs: ['staging'] }].map(
        async (wanted) => github.beginJob({ repository, run, permissions: {}, ...wanted }),
      ),
    )
    const again = async (id = 0): Promise<number> =>
      statusOf(app.actions.reRunJobForWorkflowRun({ ...checkout, job_id: id }))
    const running = await again(job?.job)
    for (const [each, conclusion] of [
      [before, 'success'],
      [job, 'failure'],
      [after, 'success'],
    ] as const)
      await github.endJob({ repository, run, job: each?.job ?? 0, conclusion })
    await github.endRun({ repository, run, conclusion: 'failure' })
    const started = await again(job?.job)
    const queued = github.queued().map(({ name, attempt }) => `${name} ${attempt}`)
    const { data: told } = await app.actions.getWorkflowRun({ ...checkout, run_id: run })
    const { data: listed } = await app.actions.listJobsForWorkflowRun({ ...checkout, run_id: run })
    const second = await github.beginJob({ repository, run, name: 'staging', permissions: {} })

    expect([running, started]).toEqual([403, 200])
    expect(queued).toEqual(['staging 2', 'settle 2'])
    expect(told).toMatchObject({ run_attempt: 2, status: 'queued', conclusion: null })
    expect(listed.jobs.map(({ name, conclusion, run_attempt: of }) => [name, conclusion, of])).toEqual([
      ['dev', 'success', 2],
      ['staging', null, 2],
      ['settle', null, 2],
    ])
    expect(listed.jobs.find(({ name }) => name === 'staging')?.id).toBe(second.job)
    // What is of an earlier attempt is started no more, nor is what is of a month ago.
    await github.endJob({ repository, run, job: second.job, conclusion: 'failure' })
    await github.endRun({ repository, run, conclusion: 'failure' })
    expect(await again(job?.job)).toBe(403)
    await using later = await startGitHub(github.snapshot(), { clock: manualClock('2026-12-23T12:00:00Z') })
    const { actions } = clientOf(later, { kind: 'app', app: 'protium' })
    expect(await statusOf(actions.reRunJobForWorkflowRun({ ...checkout, job_id: second.job }))).toBe(403)
  })

  test('an artifact is listed, and its bytes are at the address that the download is sent to', async () => {
    const { actions } = clientOf(github, { kind: 'app', app: 'protium' })
    const run = await begin(github)
    const id = github.addArtifact({ repository, run, name: 'plan', zip: Buffer.from('PK bytes') })

    const { data: listed } = await actions.listWorkflowRunArtifacts({ ...checkout, run_id: run })
    const { data } = await actions.downloadArtifact({ ...checkout, artifact_id: id, archive_format: 'zip' })

    expect(listed.artifacts.map(({ name, size_in_bytes: size }) => [name, size])).toEqual([['plan', 8]])
    expect(data instanceof ArrayBuffer && Buffer.from(data).toString()).toBe('PK bytes')
  })
})

describe('deployments', () => {
  let github: GitHub
  beforeAll(async () => {
    github = await startGitHub(seed, { clock: manualClock('2026-11-22T12:00:00Z') })
  })
  afterAll(() => github.close())

  test('one is made only of a ref that exists, with its checks green unless none are asked for', async () => {
    const { repos } = clientOf(github, { kind: 'app', app: 'protium' })
    const sha = (await github.head(repository)) ?? ''
    const bob = clientOf(github, { kind: 'user', login: 'bob' })
    const wanted = { ...checkout, ref: 'main', environment: 'dev', auto_merge: false }

    const green = await repos.createDeployment(wanted)
    await bob.repos.createCommitStatus({ ...checkout, sha, state: 'failure', context: 'tests' })
    const red = await statusOf(repos.createDeployment(wanted))
    const anyway = await repos.createDeployment({ ...wanted, required_contexts: [], payload: { plan: 'p-1' } })
    const nowhere = await statusOf(repos.createDeployment({ ...wanted, ref: 'nowhere' }))

    expect([green.status, red, anyway.status, nowhere]).toEqual([201, 409, 201, 422])
    expect(anyway.data).toMatchObject({ sha, payload: { plan: 'p-1' }, production_environment: false })
  })

  test('they are found by their environment, the newest first', async () => {
    const { repos } = clientOf(github, { kind: 'app', app: 'protium' })
    const wanted = { ...checkout, ref: 'main', auto_merge: false, required_contexts: [] }
    for (const environment of ['a', 'b', 'a']) await repos.createDeployment({ ...wanted, environment })

    const { data } = await repos.listDeployments({ ...checkout, environment: 'a' })

    expect(data.map(({ environment }) => environment)).toEqual(['a', 'a'])
    expect(data[0]?.id).toBeGreaterThan(data[1]?.id ?? 0)
  })

  test('a description has 140 characters at most', async () => {
    const { repos } = clientOf(github, { kind: 'app', app: 'protium' })
    const wanted = { ...checkout, ref: 'main', auto_merge: false, required_contexts: [] }

    expect(await statusOf(repos.createDeployment({ ...wanted, description: 'x'.repeat(141) }))).toBe(422)
  })
})

describe('a search', () => {
  test('finds pull requests by their labels, in what one may read, thirty times a minute', async () => {
    await using github = await startGitHub(
      {
        ...seed,
        repositories: {
          checkout: { files: { 'service.yaml': 'name: checkout\n' } },
          cart: { files: { 'service.yaml': 'name: cart\n' } },
          idle: { files: { 'service.yaml': 'name: idle\n' } },
        },
      },
      { clock: manualClock('2026-11-22T12:00:00Z') },
    )
    const ada = clientOf(github, { kind: 'user', login: 'ada' })
    for (const repo of ['checkout', 'cart', 'idle']) {
      const full = `acme/${repo}`
      await github.push({ repository: full, branch: 'topic', from: 'main', files: { x: 'x' }, by: 'ada' })
      const { data: pull } = await ada.pulls.create({ owner: 'acme', repo, head: 'topic', base: 'main', title: 'x' })
      if (repo === 'idle') continue
      await ada.pulls.merge({ owner: 'acme', repo, pull_number: pull.number })
      await ada.issues.addLabels({ owner: 'acme', repo, issue_number: pull.number, labels: ['on hold'] })
    }
    const q = 'org:acme is:pr is:merged label:"on hold"'
    const seen = async (client: ReturnType<typeof clientOf>): Promise<readonly (string | undefined)[]> =>
      (await client.search.issuesAndPullRequests({ q })).data.items.map(({ repository_url: url }) =>
        url.split('/').at(-1),
      )

    expect(await seen(clientOf(github, { kind: 'app', app: 'protium' }))).toEqual(['checkout', 'cart'])
    const job = clientOf(github, { kind: 'job', repository: 'acme/cart', permissions: {} })
    expect(await seen(job)).toEqual(['cart'])
    const more = await Promise.all(
      Array.from({ length: 30 }, async () => statusOf(job.search.issuesAndPullRequests({ q }))),
    )
    expect(more.filter((status) => status === 403)).toHaveLength(1)
  })
})
