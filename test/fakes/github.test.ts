import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { isCurrent } from '../../scripts/generate-github-description.ts'
import { clientOf, clientWith } from './github/client.ts'
import { manualClock } from './github/clock.ts'
import { checkEvent, source } from './github/description.ts'
import { appJwt } from './github/emulator.ts'
import { textAt } from './github/json.ts'
import type { Seed } from './github/seed.ts'
import { type GitHub, startGitHub } from './github/server.ts'

const seed: Seed = {
  organisation: 'acme',
  members: { ada: 'admin', bob: 'member', eve: 'member' },
  outsiders: ['mallory'],
  teams: { platform: { members: ['bob'], repositories: { catalog: 'write' } } },
  apps: {
    protium: {
      permissions: {
        actions: 'write',
        administration: 'write',
        checks: 'write',
        contents: 'write',
        deployments: 'write',
        issues: 'write',
        members: 'read',
        pull_requests: 'write',
        statuses: 'write',
      },
    },
  },
  repositories: {
    catalog: { files: { 'catalog.yaml': 'domain: example.com\n', '.github/workflows/plan.yml': 'on: push\n' } },
    checkout: { files: { 'service.yaml': 'name: checkout\n' } },
    website: { files: { 'index.html': 'hello\n' }, public: true },
  },
}

const catalog = { owner: 'acme', repo: 'catalog' }
const whole = 'acme/catalog'

function start(more: Partial<Seed> = {}): Promise<GitHub> {
  return startGitHub({ ...seed, ...more }, { clock: manualClock('2026-11-22T12:00:00Z') })
}

/** What a request is refused with. */
async function refused(request: Promise<unknown>): Promise<{ status: number; message: string; accepted?: string }> {
  try {
    await request
  } catch (error) {
    if (!(error instanceof Error) || !('status' in error)) throw error
    const headers: Record<string, string> =
      'response' in error && isResponse(error.response) ? error.response.headers : {}
    const accepted = headers['x-accepted-github-permissions']
    return { status: Number(error.status), message: error.message, ...(accepted === undefined ? {} : { accepted }) }
  }
  throw new Error('The request was not refused')
}

function isResponse(value: unknown): value is { headers: Record<string, string> } {
  return typeof value === 'object' && value !== null && 'headers' in value
}

describe("GitHub's description", () => {
  test('is cut from a version that is named, by the generator as it stands', () => {
    expect(source).toContain('@octokit/openapi 23.0.2')
    expect(isCurrent(), 'Run `npm run generate` and commit what changes.').toBe(true)
  })

  test('a request of an operation that is not in the cut fails the test that made it', async () => {
    const github = await start()

    await refused(clientOf(github, { kind: 'app', app: 'protium' }).repos.listTeams(catalog))

    await expect(github.close()).rejects.toThrow('GET /repos/acme/catalog/teams: this is no operation of the cut')
  })

  test.each([
    ['a field that GitHub does not know', { name: 'plan', head_sha: 'x', colour: 'red' }, 'the field "colour"'],
    [
      'a word that GitHub does not know',
      { name: 'plan', head_sha: 'x', status: 'fine' },
      'body/status must be equal to one',
    ],
    ['a missing field', { name: 'plan' }, "must have required property 'head_sha'"],
    ['a number for a text', { name: 1, head_sha: 'x' }, 'body/name must be string'],
  ])('%s fails the test that sent it', async (_what, body, complaint) => {
    await using github = await start()

    const response = await fetch(`${github.url}/repos/acme/catalog/check-runs`, {
      method: 'POST',
      headers: { authorization: `Bearer ${github.token({ kind: 'app', app: 'protium' })}` },
      body: JSON.stringify(body),
    })

    expect(response.status).toBe(400)
    expect(github.takeViolations().join('\n')).toContain(complaint)
  })

  test('a token in a body or an address fails the test that put it there', async () => {
    await using github = await start()
    const token = github.token({ kind: 'app', app: 'protium' })
    const client = clientWith(github, token)

    await client.issues.create({ ...catalog, title: 'Help', body: `It says ${token}` })

    expect(github.takeViolations()).toEqual([
      'POST /repos/acme/catalog/issues: there is a token in the request beside its header',
    ])
    expect(github.leaks(`log: ${token}`)).toBe(true)
    expect(github.leaks('log: nothing')).toBe(false)
  })
})

describe('tokens', () => {
  let github: GitHub
  beforeAll(async () => {
    github = await start({
      repositories: { ...seed.repositories, old: { files: { a: 'a' }, archived: true } },
    })
  })
  afterAll(() => github.close())

  test('a request without a token, and one with a token that was never given out, is not let in', async () => {
    const nobody = await refused(clientWith(github, undefined).repos.get(catalog))
    const stranger = await refused(clientWith(github, 'ghs_invented').repos.get(catalog))

    expect([nobody.status, stranger.status]).toEqual([401, 401])
    expect(stranger.message).toContain('Bad credentials')
  })

  test('a job gets what it declares, and is told what would have been needed for more', async () => {
    const job = clientOf(github, { kind: 'job', repository: whole, permissions: { contents: 'read' } })

    await job.repos.getContent({ ...catalog, path: 'catalog.yaml' })
    const comment = await refused(job.issues.createComment({ ...catalog, issue_number: 1, body: 'hello' }))
    const ref = await refused(job.git.createRef({ ...catalog, ref: 'refs/heads/x', sha: '0'.repeat(40) }))

    expect(comment).toMatchObject({ status: 403, accepted: 'issues=write; pull_requests=write' })
    expect(comment.message).toContain('Resource not accessible by integration')
    expect(ref).toMatchObject({ status: 403, accepted: 'contents=write' })
  })

  test('the names of permissions may be those of workflows', async () => {
    const job = clientOf(github, { kind: 'job', repository: whole, permissions: { 'pull-requests': 'read' } })

    await expect(job.pulls.list(catalog)).resolves.toMatchObject({ status: 200 })
  })

  test("a job of a fork's pull request may only read, whatever it declares", async () => {
    const permissions = { contents: 'write', issues: 'write' } as const
    const job = clientOf(github, { kind: 'job', repository: whole, permissions, fork: true })

    await job.repos.getContent({ ...catalog, path: 'catalog.yaml' })

    expect(await refused(job.issues.create({ ...catalog, title: 'x' }))).toMatchObject({ status: 403 })
  })

  test('another private repository is not found; a public one can be read, not written', async () => {
    const job = clientOf(github, {
      kind: 'job',
      repository: whole,
      permissions: { contents: 'write', issues: 'write' },
    })

    const other = await refused(job.repos.get({ owner: 'acme', repo: 'checkout' }))
    const read = await job.repos.getContent({ owner: 'acme', repo: 'website', path: 'index.html' })
    const write = await refused(job.issues.create({ owner: 'acme', repo: 'website', title: 'x' }))

    expect([other.status, read.status, write.status]).toEqual([404, 200, 403])
  })

  test("a user may do what his role allows: a member reads, a team's member writes, an outsider finds nothing", async () => {
    const [eve, bob, mallory] = ['eve', 'bob', 'mallory'].map((login) => clientOf(github, { kind: 'user', login }))
    const status = { ...catalog, sha: (await github.head(whole)) ?? '', state: 'success' } as const

    const member = await refused(eve?.repos.createCommitStatus(status) ?? Promise.resolve())
    const writer = await bob?.repos.createCommitStatus(status)
    const outsider = await refused(mallory?.repos.get(catalog) ?? Promise.resolve())

    expect([member.status, writer?.status, outsider.status]).toEqual([404, 201, 404])
  })

  test('an archived repository can only be read', async () => {
    const app = clientOf(github, { kind: 'app', app: 'protium' })

    const { status, message } = await refused(app.issues.create({ owner: 'acme', repo: 'old', title: 'x' }))

    expect(status).toBe(403)
    expect(message).toContain('archived')
  })

  test('an App signs for a token of some repositories and permissions, uses it, and gives it back', async () => {
    const app = clientWith(github, appJwt(900_000))
    const installation = await app.apps.getRepoInstallation(catalog)

    const { data } = await app.apps.createInstallationAccessToken({
      installation_id: installation.data.id,
      repositories: ['catalog'],
      permissions: { contents: 'read' },
    })
    const narrow = clientWith(github, data.token)
    const repositories = await narrow.apps.listReposAccessibleToInstallation()
    const write = await refused(narrow.git.createBlob({ ...catalog, content: 'x' }))
    const outside = await refused(narrow.repos.get({ owner: 'acme', repo: 'checkout' }))
    await narrow.apps.revokeInstallationAccessToken()
    const after = await refused(narrow.repos.get(catalog))

    expect(data).toMatchObject({ repository_selection: 'selected', permissions: { contents: 'read' } })
    expect(data.expires_at).toBe('2026-11-22T13:00:00Z')
    expect(repositories.data.repositories.map(({ full_name: name }) => name)).toEqual([whole])
    expect([write.status, outside.status, after.status]).toEqual([403, 404, 401])
  })

  test('an App gets no token of more than its installation may', async () => {
    const app = clientWith(github, appJwt(900_000))

    const request = app.apps.createInstallationAccessToken({
      installation_id: 500,
      permissions: { workflows: 'write' },
    })

    expect(await refused(request)).toMatchObject({ status: 422 })
  })

  test("an installation's token is good for an hour", async () => {
    const clock = manualClock('2026-11-22T12:00:00Z')
    await using own = await startGitHub(seed, { clock })
    const app = clientOf(own, { kind: 'app', app: 'protium' })

    await app.repos.get(catalog)
    clock.advance(3_600_000)

    expect(await refused(app.repos.get(catalog))).toMatchObject({ status: 401 })
  })
})

describe('git data', () => {
  test('a commit is made of blobs, trees and parents, with the time of the clock, and the same each time', async () => {
    const shas: string[] = []
    for (const _round of [1, 2]) {
      await using github = await start()
      const { git } = clientOf(github, { kind: 'app', app: 'protium' })
      const parent = await git.getRef({ ...catalog, ref: 'heads/main' })
      const before = await git.getCommit({ ...catalog, commit_sha: parent.data.object.sha })
      const tree = await git.createTree({
        ...catalog,
        base_tree: before.data.tree.sha,
        tree: [{ path: 'environments/dev.yaml', mode: '100644', type: 'blob', content: 'stage: dev\n' }],
      })
      const made = await git.createCommit({
        ...catalog,
        message: 'Add dev',
        tree: tree.data.sha,
        parents: [parent.data.object.sha],
      })
      await git.createRef({ ...catalog, ref: 'refs/heads/dev', sha: made.data.sha })
      shas.push(made.data.sha)

      expect(made.data.author).toMatchObject({ name: 'protium[bot]', date: '2026-11-22T12:00:00Z' })
      expect(await github.head(whole, 'dev')).toBe(made.data.sha)
      expect((await github.files(whole, 'dev')).get('environments/dev.yaml')).toBe('stage: dev\n')
    }

    expect(shas[0]).toBe(shas[1])
  })

  test('a ref moves forward only, unless it is forced; GitHub says 422 to everything else', async () => {
    await using github = await start()
    const { git } = clientOf(github, { kind: 'app', app: 'protium' })
    const first = (await github.head(whole)) ?? ''
    const second = await github.push({ repository: whole, branch: 'topic', files: { a: 'a' }, by: 'bob' })

    const twice = await refused(git.createRef({ ...catalog, ref: 'refs/heads/topic', sha: first }))
    const backwards = await refused(git.updateRef({ ...catalog, ref: 'heads/topic', sha: first }))
    const nowhere = await refused(git.updateRef({ ...catalog, ref: 'heads/none', sha: first }))
    const unknown = await refused(git.createRef({ ...catalog, ref: 'refs/heads/x', sha: '1'.repeat(40) }))
    await git.updateRef({ ...catalog, ref: 'heads/topic', sha: first, force: true })
    const forward = await git.updateRef({ ...catalog, ref: 'heads/topic', sha: second })
    await git.deleteRef({ ...catalog, ref: 'heads/topic' })

    expect([twice, backwards, nowhere, unknown].map(({ status }) => status)).toEqual([422, 422, 422, 422])
    expect(twice.message).toContain('Reference already exists')
    expect(backwards.message).toContain('Update is not a fast forward')
    expect(nowhere.message).toContain('Reference does not exist')
    expect(unknown.message).toContain('Object does not exist')
    expect(forward.data.object.sha).toBe(second)
    expect(await github.head(whole, 'topic')).toBeUndefined()
  })

  test('an App without the permission "workflows" cannot change a workflow', async () => {
    await using github = await start()
    const { repos } = clientOf(github, { kind: 'app', app: 'protium' })
    const path = '.github/workflows/plan.yml'

    const { status, message } = await refused(
      repos.createOrUpdateFileContents({ ...catalog, path, message: 'x', content: '', branch: 'main' }),
    )

    expect(status).toBe(403)
    expect(message).toContain('without `workflows` permission')
  })

  test('a ruleset keeps people from pushing, and lets the App by that it names', async () => {
    const ruleset = {
      name: 'ledger',
      enforcement: 'active',
      include: ['refs/heads/main'],
      exclude: [],
      rules: [{ type: 'deletion' }, { type: 'non_fast_forward' }, { type: 'update' }],
      bypass: [900_000],
    } as const
    const files = { 'a.txt': 'a' }
    await using github = await start({ repositories: { catalog: { files, rulesets: [ruleset] } } })
    const { repos } = clientOf(github, { kind: 'app', app: 'protium' })

    await expect(github.push({ repository: whole, branch: 'main', files: { b: 'b' }, by: 'ada' })).rejects.toThrow(
      'Repository rule violations found',
    )
    const content = Buffer.from('b').toString('base64')
    const written = await repos.createOrUpdateFileContents({ ...catalog, path: 'b', message: 'b', content })
    const rules = await repos.getBranchRules({ ...catalog, branch: 'main' })

    expect(written.status).toBe(201)
    expect(rules.data.map(({ type }) => type)).toEqual(['deletion', 'non_fast_forward', 'update'])
  })
})

describe('pull requests', () => {
  let github: GitHub
  beforeAll(async () => {
    github = await start()
  })
  afterAll(() => github.close())

  test('one is opened, followed by its branch, compared, reviewed and merged', async () => {
    const { pulls, repos } = clientOf(github, { kind: 'app', app: 'protium' })
    const bob = clientOf(github, { kind: 'user', login: 'bob' })
    await github.push({
      repository: whole,
      branch: 'one',
      files: { 'one.txt': '1\n', 'catalog.yaml': null },
      by: 'bob',
    })
    const opened = await pulls.create({ ...catalog, head: 'one', base: 'main', title: 'One' })
    const at = { ...catalog, pull_number: opened.data.number }
    const second = await github.push({ repository: whole, branch: 'one', files: { 'two.txt': '2\n' }, by: 'bob' })

    const followed = await pulls.get(at)
    const files = await pulls.listFiles(at)
    const commits = await pulls.listCommits(at)
    const own = await refused(pulls.createReview({ ...at, event: 'APPROVE' }))
    const review = await bob.pulls.createReview({ ...at, event: 'APPROVE' })
    const merged = await bob.pulls.merge({ ...at, sha: second, merge_method: 'squash' })
    const after = await pulls.get(at)
    const found = await repos.listPullRequestsAssociatedWithCommit({ ...catalog, commit_sha: merged.data.sha })

    expect(opened.data).toMatchObject({ state: 'open', mergeable: true, commits: 1, changed_files: 2 })
    expect(followed.data).toMatchObject({ commits: 2, changed_files: 3, head: { sha: second } })
    expect(files.data.map(({ filename, status }) => `${status} ${filename}`)).toEqual([
      'removed catalog.yaml',
      'added one.txt',
      'added two.txt',
    ])
    expect(commits.data.at(-1)?.sha).toBe(second)
    expect(own.status).toBe(422)
    expect(review.data).toMatchObject({ state: 'APPROVED', commit_id: second, user: { login: 'bob' } })
    expect(after.data).toMatchObject({ merged: true, state: 'closed', merge_commit_sha: merged.data.sha })
    expect(after.data.merged_by?.login).toBe('bob')
    expect(found.data.map(({ number }) => number)).toEqual([opened.data.number])
    expect([...(await github.files(whole)).keys()]).toEqual(['.github/workflows/plan.yml', 'one.txt', 'two.txt'])
  })

  test('there is one open pull request for a branch, and none without commits or without the branch', async () => {
    const { pulls } = clientOf(github, { kind: 'app', app: 'protium' })
    await github.push({ repository: whole, branch: 'two', files: { 'two.md': '2' }, by: 'bob' })
    await pulls.create({ ...catalog, head: 'two', base: 'main', title: 'Two' })

    const again = await refused(pulls.create({ ...catalog, head: 'two', base: 'main', title: 'Two' }))
    const nothing = await refused(pulls.create({ ...catalog, head: 'main', base: 'main', title: 'x' }))
    const nowhere = await refused(pulls.create({ ...catalog, head: 'nowhere', base: 'main', title: 'x' }))

    expect([again.status, nothing.status, nowhere.status]).toEqual([422, 422, 422])
    expect(again.message).toContain('A pull request already exists for acme:two.')
    expect(nothing.message).toContain('No commits between main and main')
  })

  test('one that changes what the base has changed is not mergeable', async () => {
    const { pulls } = clientOf(github, { kind: 'app', app: 'protium' })
    await github.push({ repository: whole, branch: 'three', files: { 'same.txt': 'theirs' }, by: 'bob' })
    await github.push({ repository: whole, branch: 'main', files: { 'same.txt': 'ours' }, by: 'bob' })
    const { data } = await pulls.create({ ...catalog, head: 'three', base: 'main', title: 'Three' })

    const merge = await refused(pulls.merge({ ...catalog, pull_number: data.number }))

    expect(data).toMatchObject({ mergeable: false, mergeable_state: 'dirty' })
    expect(merge.status).toBe(405)
  })

  test('one from a fork shows the fork, and its head can be read in the base', async () => {
    const mallory = clientOf(github, { kind: 'user', login: 'mallory' })
    const { pulls, git } = clientOf(github, { kind: 'app', app: 'protium' })
    const fork = await github.fork('acme/website', 'mallory')
    const website = { owner: 'acme', repo: 'website' }
    const head = await github.push({ repository: fork, branch: 'evil', files: { 'evil.txt': 'x' }, by: 'mallory' })

    const opened = await mallory.pulls.create({ ...website, head: 'mallory:evil', base: 'main', title: 'Please' })
    const listed = await pulls.list({ ...website, head: 'mallory:evil' })
    const ref = await git.getRef({ ...website, ref: `pull/${opened.data.number}/head` })

    expect(opened.data).toMatchObject({ head: { sha: head, repo: { full_name: fork, fork: true } }, changed_files: 1 })
    expect(listed.data).toHaveLength(1)
    expect(ref.data.object.sha).toBe(head)
  })

  test('a title has 256 characters at most, a text 65,536', async () => {
    const { pulls } = clientOf(github, { kind: 'app', app: 'protium' })
    const wanted = { ...catalog, head: 'two', base: 'main', title: 'x' }

    const title = await refused(pulls.create({ ...wanted, title: 'x'.repeat(257) }))
    const body = await refused(pulls.create({ ...wanted, body: 'x'.repeat(65_537) }))

    expect([title.status, body.status]).toEqual([422, 422])
  })
})

describe('comments, checks and statuses', () => {
  let github: GitHub
  let head: string
  beforeAll(async () => {
    github = await start()
    head = await github.push({ repository: whole, branch: 'topic', files: { a: 'a' }, by: 'bob' })
    await github.act({
      operation: 'pulls/create',
      by: 'bob',
      parameters: catalog,
      body: { head: 'topic', base: 'main', title: 'Topic' },
    })
  })
  afterAll(() => github.close())

  test('a comment says which App wrote it, and is changed in place', async () => {
    const { issues } = clientOf(github, { kind: 'job', repository: whole, permissions: { 'pull-requests': 'write' } })

    const made = await issues.createComment({ ...catalog, issue_number: 1, body: 'plan' })
    await issues.updateComment({ ...catalog, comment_id: made.data.id, body: 'plan 2' })
    const listed = await issues.listComments({ ...catalog, issue_number: 1 })

    expect(made.data.user).toMatchObject({ login: 'github-actions[bot]', type: 'Bot' })
    expect(made.data.performed_via_github_app).toMatchObject({ id: 15_368, slug: 'github-actions' })
    expect(made.data.created_at).toBe('2026-11-22T12:00:00Z')
    expect(listed.data.map(({ body }) => body)).toEqual(['plan 2'])
  })

  test('a comment has 65,536 characters at most, counted as characters', async () => {
    const { issues } = clientOf(github, { kind: 'app', app: 'protium' })

    const fits = await issues.createComment({ ...catalog, issue_number: 1, body: '🌱'.repeat(65_536) })
    const tooLong = await refused(issues.createComment({ ...catalog, issue_number: 1, body: 'x'.repeat(65_537) }))

    expect(fits.status).toBe(201)
    expect(tooLong).toMatchObject({ status: 422 })
    expect(tooLong.message).toContain('Body is too long (maximum is 65536 characters)')
  })

  test('more than a page of comments is read by the links of the pages', async () => {
    await using own = await start()
    const client = clientOf(own, { kind: 'user', login: 'ada' })
    await client.issues.create({ ...catalog, title: 'Long' })
    for (let index = 0; index < 7; index += 1) {
      await client.issues.createComment({ ...catalog, issue_number: 1, body: `${index}` })
    }

    const first = await client.issues.listComments({ ...catalog, issue_number: 1, per_page: 3 })
    const last = await client.issues.listComments({ ...catalog, issue_number: 1, per_page: 3, page: 3 })

    expect(first.headers.link).toContain(
      `<${own.url}/repos/acme/catalog/issues/1/comments?per_page=3&page=2>; rel="next"`,
    )
    expect(last.data.map(({ body }) => body)).toEqual(['6'])
    expect(last.headers.link).not.toContain('rel="next"')
  })

  test('a pull request is an issue too: it has labels, and is closed as one', async () => {
    const { issues, pulls } = clientOf(github, { kind: 'app', app: 'protium' })
    await issues.createLabel({ ...catalog, name: 'stage: dev', color: '00ff00' })

    await issues.addLabels({ ...catalog, issue_number: 1, labels: ['stage: dev'] })
    const issue = await issues.get({ ...catalog, issue_number: 1 })
    await issues.update({ ...catalog, issue_number: 1, state: 'closed' })
    const closed = await pulls.get({ ...catalog, pull_number: 1 })
    await pulls.update({ ...catalog, pull_number: 1, state: 'open' })

    expect(issue.data.pull_request?.url).toBe(`${github.url}/repos/acme/catalog/pulls/1`)
    expect(issue.data.labels).toEqual([expect.objectContaining({ name: 'stage: dev' })])
    expect(closed.data.state).toBe('closed')
  })

  test('a check run takes 50 annotations with each request, and only its own App changes it', async () => {
    const { checks } = clientOf(github, { kind: 'app', app: 'protium' })
    const job = clientOf(github, { kind: 'job', repository: whole, permissions: { checks: 'write' } })
    const annotation = { path: 'a', start_line: 1, end_line: 1, annotation_level: 'failure', message: 'm' } as const
    const annotations = Array.from({ length: 50 }, () => annotation)
    const output = { title: 'Plan', summary: 'one' }

    const made = await checks.create({ ...catalog, name: 'plan', head_sha: head, output: { ...output, annotations } })
    const at = { ...catalog, check_run_id: made.data.id }
    const tooMany = await refused(
      checks.update({ ...at, output: { ...output, annotations: [...annotations, annotation] } }),
    )
    await checks.update({ ...at, conclusion: 'failure', output: { ...output, annotations } })
    const other = await refused(job.checks.update({ ...at, conclusion: 'success' }))
    const listed = await checks.listForRef({ ...catalog, ref: 'topic' })

    expect(tooMany.status).toBe(422)
    expect(other.status).toBe(403)
    expect(listed.data.check_runs).toMatchObject([
      { name: 'plan', status: 'completed', conclusion: 'failure', output: { annotations_count: 100 } },
    ])
  })

  test('no user makes a check run, and none is made on a commit that is not there', async () => {
    const { checks } = clientOf(github, { kind: 'app', app: 'protium' })
    const ada = clientOf(github, { kind: 'user', login: 'ada' })

    const user = await refused(ada.checks.create({ ...catalog, name: 'x', head_sha: head }))
    const nowhere = await refused(checks.create({ ...catalog, name: 'x', head_sha: '1'.repeat(40) }))

    expect([user.status, nowhere.status]).toEqual([403, 422])
  })

  test('statuses are combined by the last of each context', async () => {
    const { repos } = clientOf(github, { kind: 'app', app: 'protium' })
    const at = { ...catalog, sha: head }

    const before = await repos.getCombinedStatusForRef({ ...catalog, ref: 'topic' })
    await repos.createCommitStatus({ ...at, state: 'pending', context: 'plan' })
    await repos.createCommitStatus({ ...at, state: 'success', context: 'plan', description: 'fine' })
    const after = await repos.getCombinedStatusForRef({ ...catalog, ref: 'topic' })
    const long = await refused(repos.createCommitStatus({ ...at, state: 'success', description: 'x'.repeat(141) }))

    expect([before.data.state, after.data.state, after.data.total_count]).toEqual(['pending', 'success', 1])
    expect(long.status).toBe(422)
  })
})

describe('events', () => {
  test('each has the payload that GitHub describes, and what a job does starts nothing', async () => {
    await using github = await start()
    const job = clientOf(github, {
      kind: 'job',
      repository: whole,
      permissions: { contents: 'write', 'pull-requests': 'write', actions: 'write' },
    })
    await github.push({ repository: whole, branch: 'topic', files: { a: 'a' }, by: 'bob' })
    await job.pulls.create({ ...catalog, head: 'topic', base: 'main', title: 'Topic' })
    await github.push({ repository: whole, branch: 'topic', files: { b: 'b' }, by: 'bob' })
    await github.act({ operation: 'pulls/merge', by: 'bob', parameters: { ...catalog, pull_number: 1 } })
    await job.actions.createWorkflowDispatch({
      ...catalog,
      workflow_id: 'resume.yml',
      ref: 'main',
      inputs: { all: 'yes' },
    })

    const events = github.events()

    expect(events.map(({ name, payload, startsWorkflows }) => [name, payload['action'], startsWorkflows])).toEqual([
      ['push', undefined, true],
      ['pull_request', 'opened', false],
      ['push', undefined, true],
      ['pull_request', 'synchronize', true],
      ['push', undefined, true],
      ['pull_request', 'closed', true],
      ['workflow_dispatch', undefined, true],
    ])
    for (const { name, payload } of events) {
      const action = textAt(payload, 'action')
      const schema = [name.replaceAll('_', '-'), ...(action === undefined ? [] : [action])].join('-')
      expect(checkEvent(schema, payload), schema).toEqual([])
    }
  })
})

describe('what is kept', () => {
  test('a snapshot goes on where it was taken: the same ids, the same commits, the same answers', async () => {
    const clock = manualClock('2026-11-22T12:00:00Z')
    await using first = await startGitHub(seed, { clock })
    await first.push({ repository: whole, branch: 'topic', files: { a: 'a' }, by: 'bob' })
    const wanted = { operation: 'pulls/create', by: 'bob', parameters: catalog } as const
    await first.act({ ...wanted, body: { head: 'topic', base: 'main', title: 'Topic' } })
    clock.advance(60_000)
    const client = clientOf(first, { kind: 'app', app: 'protium' })
    await client.issues.createComment({ ...catalog, issue_number: 1, body: 'plan' })

    await using second = await startGitHub(first.snapshot(), { clock })
    const copy = clientOf(second, { kind: 'app', app: 'protium' })
    const [old, now] = await Promise.all(
      [client, copy].map(async ({ pulls, issues }) => [
        (await pulls.get({ ...catalog, pull_number: 1 })).data,
        (await issues.listComments({ ...catalog, issue_number: 1 })).data,
      ]),
    )

    const [hostThere, hostHere] = [second, first].map(({ url }) => new URL(url).host)
    const read: unknown = JSON.parse(JSON.stringify(now).replaceAll(hostThere ?? '', hostHere ?? ''))
    expect(read).toStrictEqual(JSON.parse(JSON.stringify(old)))
  })

  test('every request is noted, with its operation, its answer and who asked', async () => {
    await using github = await start()
    const job = clientOf(github, { kind: 'job', repository: whole, permissions: { contents: 'read' } })
    await job.repos.getContent({ ...catalog, path: 'catalog.yaml' })
    await refused(job.issues.create({ ...catalog, title: 'x' }))

    const noted = github
      .requests()
      .map(({ operation, method, status, token, actor }) => [operation, method, status, token, actor])
    github.forget()

    expect(noted).toEqual([
      ['repos/get-content', 'GET', 200, 'job', 'github-actions[bot]'],
      ['issues/create', 'POST', 403, 'job', 'github-actions[bot]'],
    ])
    expect(github.requests()).toEqual([])
  })
})
