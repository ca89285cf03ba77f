import { Octokit } from '@octokit/rest'
import { describe, expect, test } from 'vitest'
import { isCurrent } from '../../scripts/generate-github-graphql.ts'
import { clientOf } from './github/client.ts'
import { type ManualClock, manualClock } from './github/clock.ts'
import type { Json, JsonMap } from './github/json.ts'
import { isMap, listAt, mapAt, text, textAt } from './github/json.ts'
import { type GitHub, type Options, startGitHub } from './github/server.ts'
import type { RepositorySeed } from './github/seed.ts'

const none = '0'.repeat(40)

type Started = { readonly github: GitHub; readonly clock: ManualClock }

async function start(options: Omit<Options, 'clock'> = {}, catalog: Partial<RepositorySeed> = {}): Promise<Started> {
  const clock = manualClock('2026-11-22T12:00:00Z')
  const permissions = { contents: 'write', pull_requests: 'write', checks: 'read', statuses: 'read' } as const
  const github = await startGitHub(
    {
      organisation: 'acme',
      members: { ada: 'admin', bob: 'admin' },
      apps: {
        protium: { permissions: { ...permissions, deployments: 'write' } },
        narrow: { permissions: { contents: 'read' }, repositories: ['checkout'] },
        checker: { permissions: { checks: 'write', statuses: 'write', contents: 'read', pull_requests: 'read' } },
      },
      repositories: {
        checkout: { files: { 'service.yaml': 'service: checkout\n', 'src/a.txt': 'a\n' }, ...catalog },
        ledger: { files: { 'readme.txt': 'x\n' } },
        old: { files: { 'readme.txt': 'x\n' }, archived: true },
      },
    },
    { clock, ...options },
  )
  return { github, clock }
}

type Reply = {
  readonly status: number
  readonly data: JsonMap
  readonly errors: readonly Json[]
  readonly headers: Headers
}

/** One document as its own request, with what HTTP says of it. */
async function ask(github: GitHub, query: string, variables: JsonMap = {}, app = 'protium'): Promise<Reply> {
  const response = await fetch(`${github.url}/graphql`, {
    method: 'POST',
    headers: { authorization: `Bearer ${github.token({ kind: 'app', app })}` },
    body: JSON.stringify({ query, variables }),
  })
  const body: Json = JSON.parse(await response.text())
  const { status, headers } = response
  return { status, data: mapAt(body, 'data'), errors: listAt(body, 'errors'), headers }
}

async function idOf(github: GitHub, name = 'checkout'): Promise<string> {
  const { data } = await ask(github, `{repository(owner:"acme",name:"${name}"){id}}`)
  return text(data['repository'], 'id')
}

/** A commit that is on no branch yet, as the App writes it: signed by GitHub. */
async function dangling(github: GitHub, files: Readonly<Record<string, string>>, repo = 'checkout'): Promise<string> {
  const { git } = clientOf(github, { kind: 'app', app: 'protium' })
  const at = { owner: 'acme', repo }
  const head = (await github.head(`acme/${repo}`)) ?? ''
  const { data: parent } = await git.getCommit({ ...at, commit_sha: head })
  const tree = Object.entries(files).map(
    ([path, content]) => ({ path, content, mode: '100644', type: 'blob' }) as const,
  )
  const { data: made } = await git.createTree({ ...at, base_tree: parent.tree.sha, tree })
  const { data: commit } = await git.createCommit({ ...at, message: 'Upgrade', tree: made.sha, parents: [head] })
  return commit.sha
}

const update = `mutation($input:UpdateRefsInput!){updateRefs(input:$input){clientMutationId}}`
const open = `mutation($input:CreatePullRequestInput!){createPullRequest(input:$input){pullRequest{id number headRefOid author{login __typename}}}}`

type Ref = { readonly name: string; readonly beforeOid?: string; readonly afterOid: string; readonly force?: boolean }

async function move(github: GitHub, ...refUpdates: readonly Ref[]): Promise<Reply> {
  return ask(github, update, { input: { repositoryId: await idOf(github), refUpdates } })
}

const branch = 'refs/heads/protium/upgrade/checkout-v1'

/** A branch with a change, and what a pull request for it is made with. */
async function proposal(github: GitHub): Promise<JsonMap> {
  const sha = await dangling(github, { 'service.yaml': 'service: checkout\ntemplate: x\n' })
  await move(github, { name: branch, beforeOid: none, afterOid: sha })
  return {
    repositoryId: await idOf(github),
    headRefName: 'protium/upgrade/checkout-v1',
    baseRefName: 'main',
    title: 'Upgrade',
    body: 'Why',
  }
}

async function opened(github: GitHub, more: JsonMap = {}): Promise<string> {
  const { data } = await ask(github, open, { input: { ...(await proposal(github)), ...more } })
  return text(mapAt(data['createPullRequest'], 'pullRequest'), 'id')
}

function messages({ errors }: Reply): readonly string[] {
  return errors.map((error) => text(error, 'message'))
}

async function pullOf(github: GitHub, id: string, fields: string): Promise<JsonMap> {
  const { data } = await ask(github, `query($id:ID!){node(id:$id){...on PullRequest{${fields}}}}`, { id })
  return mapAt(data, 'node')
}

describe("GitHub's schema", () => {
  test('the cut is what the program makes of the schema that is installed', () => {
    expect(isCurrent(), 'Run `npm run generate` and commit what changes.').toBe(true)
  })

  test.each([
    ['{repository(owner:"acme",name:"checkout"){nothing}}', 'Cannot query field "nothing" on type "Repository".'],
    ['{repository(owner:"acme"){id}}', 'argument "name" of type "String!" is required'],
    ['{', 'Syntax Error'],
    ['query($x:ID!){viewer{login}}', 'Variable "$x" is never used.'],
    ['{node(id:"x"){...on PullRequest{databaseId}}}', 'The field PullRequest.databaseId is deprecated.'],
    [
      '{repository(owner:"acme",name:"checkout"){pullRequests{nodes{id}}}}',
      'You must provide a `first` or `last` value to properly paginate the `pullRequests` connection.',
    ],
    [
      '{repository(owner:"acme",name:"checkout"){pullRequests(first:101){nodes{id}}}}',
      'exceeds the `first` limit of 100 records.',
    ],
  ])('%s is answered with errors, and is a violation', async (query, message) => {
    const { github } = await start()
    const reply = await ask(github, query)
    expect(reply.status).toBe(200)
    expect(messages(reply).join('\n')).toContain(message)
    expect(github.takeViolations().join('\n')).toContain(message)
    await github.close()
  })

  test('a variable of another type, or more than a hundred ids, is a violation', async () => {
    const { github } = await start()
    const ids = Array.from({ length: 101 }, (_none, index) => `R_${index}`)
    await ask(github, 'query($ids:[ID!]!){nodes(ids:$ids){id}}', { ids })
    await ask(github, update, { input: { repositoryId: 'x' } })
    expect(github.takeViolations()).toEqual([
      expect.stringContaining('You may not provide more than 100 node ids; you provided 101.'),
      expect.stringContaining('Field "refUpdates" of required type "[RefUpdate!]!" was not provided.'),
    ])
    await github.close()
  })

  test("GitHub's own client asks, and tells of errors with what was answered beside them", async () => {
    const { github } = await start()
    const { graphql } = new Octokit({ baseUrl: github.url, auth: github.token({ kind: 'app', app: 'protium' }) })
    expect(await graphql('{viewer{login} repository(owner:"acme",name:"checkout"){nameWithOwner}}')).toEqual({
      viewer: { login: 'protium[bot]' },
      repository: { nameWithOwner: 'acme/checkout' },
    })
    await expect(graphql('{viewer{login} repository(owner:"acme",name:"none"){id}}')).rejects.toMatchObject({
      data: { viewer: { login: 'protium[bot]' }, repository: null },
      errors: [{ type: 'NOT_FOUND', path: ['repository'] }],
    })
    await github.close()
  })
})

describe('reading', () => {
  test('nodes by their ids: what is gone is null, with an error at its place', async () => {
    const { github } = await start()
    const id = await idOf(github)
    const reply = await ask(github, 'query($ids:[ID!]!){nodes(ids:$ids){...on Repository{name}}}', {
      ids: ['R_bm9uZQ', id],
    })
    expect(reply.data).toEqual({ nodes: [null, { name: 'checkout' }] })
    expect(reply.errors).toMatchObject([
      {
        type: 'NOT_FOUND',
        path: ['nodes', 0],
        message: "Could not resolve to a node with the global id of 'R_bm9uZQ'",
      },
    ])
    const rest = await clientOf(github, { kind: 'user', login: 'ada' }).repos.get({ owner: 'acme', repo: 'checkout' })
    expect(rest.data.node_id).toBe(id)
    await github.close()
  })

  test('objects by expression: files, folders, commits, what is not there, and what is no text', async () => {
    const { github } = await start()
    const head = (await github.head('acme/checkout')) ?? ''
    const { git } = clientOf(github, { kind: 'app', app: 'protium' })
    const at = { owner: 'acme', repo: 'checkout' }
    const { data: bytes } = await git.createBlob({ ...at, content: 'AAEC/w==', encoding: 'base64' })
    const { data: long } = await git.createBlob({ ...at, content: 'x'.repeat(600_000) })
    const reply = await ask(
      github,
      `{repository(owner:"acme",name:"checkout"){
        spec:object(expression:"HEAD:service.yaml"){...on Blob{text isTruncated byteSize isBinary}}
        old:object(expression:"${head}:src/a.txt"){...on Blob{text}}
        none:object(expression:"HEAD:none.txt"){oid}
        nowhere:object(expression:"nowhere:a"){oid}
        folder:object(expression:"main:src"){...on Tree{entries{name path mode type}}}
        commit:object(expression:"HEAD"){...on Commit{oid message tree{oid} file(path:"src/a.txt"){mode type object{...on Blob{text}}}}}
        binary:object(oid:"${bytes.sha}"){...on Blob{text isBinary byteSize}}
        long:object(oid:"${long.sha}"){...on Blob{isTruncated byteSize text}} }}`,
    )
    expect(reply.errors).toEqual([])
    const { long: longOne, ...others } = mapAt(reply.data, 'repository')
    expect(others).toMatchObject({
      spec: { text: 'service: checkout\n', isTruncated: false, byteSize: 18, isBinary: false },
      old: { text: 'a\n' },
      none: null,
      nowhere: null,
      folder: { entries: [{ name: 'a.txt', path: 'src/a.txt', mode: 33_188, type: 'blob' }] },
      commit: { oid: head, file: { mode: 33_188, type: 'blob', object: { text: 'a\n' } } },
      binary: { text: null, isBinary: true, byteSize: 4 },
    })
    expect(longOne).toMatchObject({ isTruncated: true, byteSize: 600_000 })
    expect(textAt(longOne, 'text')).toHaveLength(512_000)
    await github.close()
  })

  test('refs by prefix and by name, with their pull requests', async () => {
    const { github } = await start()
    await opened(github)
    const reply = await ask(
      github,
      `{repository(owner:"acme",name:"checkout"){
        defaultBranchRef{name prefix}
        ref(qualifiedName:"${branch}"){name prefix target{...on Commit{signature{isValid wasSignedByGitHub} author{name user{login}}}}}
        refs(refPrefix:"refs/heads/protium/upgrade/",first:5){totalCount nodes{name prefix associatedPullRequests(first:2){nodes{number}}}} }}`,
    )
    expect(reply).toMatchObject({
      errors: [],
      data: {
        repository: {
          defaultBranchRef: { name: 'main', prefix: 'refs/heads/' },
          ref: {
            name: 'protium/upgrade/checkout-v1',
            prefix: 'refs/heads/',
            target: {
              signature: { isValid: true, wasSignedByGitHub: true },
              author: { name: 'protium[bot]', user: { login: 'protium[bot]' } },
            },
          },
          refs: {
            totalCount: 1,
            nodes: [
              {
                name: 'checkout-v1',
                prefix: 'refs/heads/protium/upgrade/',
                associatedPullRequests: { nodes: [{ number: 1 }] },
              },
            ],
          },
        },
      },
    })
    await github.close()
  })

  test('a commit that a person has pushed is not signed by GitHub', async () => {
    const { github } = await start()
    await github.push({ repository: 'acme/checkout', branch: 'main', files: { b: '1' }, by: 'bob' })
    const { data } = await ask(
      github,
      `{repository(owner:"acme",name:"checkout"){object(expression:"HEAD"){...on Commit{signature{isValid} author{user{login}}}}}}`,
    )
    expect(data).toEqual({ repository: { object: { signature: null, author: { user: { login: 'bob' } } } } })
    await github.close()
  })

  test('the repositories of an owner come in pages', async () => {
    const { github } = await start()
    const asked = `query($after:String){organization(login:"acme"){repositories(first:2,after:$after,orderBy:{field:NAME,direction:ASC}){totalCount pageInfo{hasNextPage endCursor} nodes{name isArchived}}}}`
    const first = await ask(github, asked)
    const page = mapAt(first.data['organization'], 'repositories')
    expect(page).toMatchObject({
      totalCount: 3,
      pageInfo: { hasNextPage: true },
      nodes: [{ name: 'checkout' }, { name: 'ledger' }],
    })
    const second = await ask(github, asked, { after: text(page['pageInfo'], 'endCursor') })
    expect(second.data).toMatchObject({
      organization: { repositories: { pageInfo: { hasNextPage: false }, nodes: [{ name: 'old', isArchived: true }] } },
    })
    const narrow = await ask(
      github,
      `{repositoryOwner(login:"acme"){repositories(first:9){nodes{name}}}}`,
      {},
      'narrow',
    )
    expect(narrow.data).toEqual({ repositoryOwner: { repositories: { nodes: [{ name: 'checkout' }] } } })
    await github.close()
  })

  test('a query costs a point for each hundred lists, and says what is left', async () => {
    const { github } = await start()
    const id = await idOf(github)
    const ids = Array.from({ length: 50 }, () => id)
    const fields = 'pullRequests(first:5){nodes{timelineItems(last:1,itemTypes:[CLOSED_EVENT]){totalCount}}}'
    const query = `query($ids:[ID!]!){rateLimit{cost limit remaining used nodeCount} nodes(ids:$ids){...on Repository{${fields}}}}`
    const reply = await ask(github, query, { ids })
    expect(reply.data['rateLimit']).toEqual({ cost: 3, limit: 5000, remaining: 4996, used: 4, nodeCount: 550 })
    expect(reply.headers.get('x-ratelimit-remaining')).toBe('4996')
    expect(reply.headers.get('x-ratelimit-resource')).toBe('graphql')
    expect(github.requests().at(-1)).toMatchObject({ operation: 'graphql', cost: 3, fields: ['rateLimit', 'nodes'] })
    await github.close()
  })

  test('who has no points left is told so with status 200, until the hour is over', async () => {
    const { github, clock } = await start({ limits: { points: 2 } })
    await ask(github, '{viewer{login}}')
    await ask(github, '{viewer{login}}')
    const reply = await ask(github, '{viewer{login}}')
    expect(reply).toMatchObject({ status: 200, errors: [{ type: 'RATE_LIMITED' }] })
    expect(reply.headers.get('x-ratelimit-remaining')).toBe('0')
    clock.advance(3_600_000)
    expect((await ask(github, '{viewer{login}}')).errors).toEqual([])
    await github.close()
  })

  test('what a token has no permission for is refused at its field, and the others are answered', async () => {
    const { github } = await start()
    await opened(github)
    const reply = await ask(
      github,
      `{repository(owner:"acme",name:"checkout"){name object(expression:"HEAD:src/a.txt"){oid} pullRequests(first:1){totalCount}}}`,
      {},
      'narrow',
    )
    expect(reply.status).toBe(200)
    // The list may not be null, so the repository is.
    expect(reply.data).toEqual({ repository: null })
    expect(reply.errors).toMatchObject([
      { type: 'FORBIDDEN', path: ['repository', 'pullRequests'], message: 'Resource not accessible by integration' },
    ])
    const hidden = await ask(github, '{repository(owner:"acme",name:"ledger"){name}}', {}, 'narrow')
    expect(hidden).toMatchObject({ data: { repository: null }, errors: [{ type: 'NOT_FOUND' }] })
    await github.close()
  })

  test('without a token, or with a bad one, nothing is answered', async () => {
    const { github } = await start()
    const post = (headers: Record<string, string>) =>
      fetch(`${github.url}/graphql`, { method: 'POST', headers, body: '{"query":"{viewer{login}}"}' })
    expect((await post({})).status).toBe(401)
    expect((await post({ authorization: 'Bearer ghs_none' })).status).toBe(401)
    await github.close()
  })

  test('a lag shows what was there before', async () => {
    const { github } = await start()
    await github.lag({ match: 'graphql', reads: 1 })
    await github.push({ repository: 'acme/checkout', branch: 'main', files: { 'src/a.txt': 'b\n' }, by: 'bob' })
    const query = `{repository(owner:"acme",name:"checkout"){object(expression:"HEAD:src/a.txt"){...on Blob{text}}}}`
    expect((await ask(github, query)).data).toEqual({ repository: { object: { text: 'a\n' } } })
    expect((await ask(github, query)).data).toEqual({ repository: { object: { text: 'b\n' } } })
    await github.close()
  })
})

describe('updateRefs', () => {
  test('creates where nothing is, moves from where it was, deletes; each only if that is so', async () => {
    const { github } = await start()
    const [one, two] = [await dangling(github, { a: '1' }), await dangling(github, { a: '2' })]
    expect((await move(github, { name: branch, beforeOid: none, afterOid: one })).errors).toEqual([])
    expect(await move(github, { name: branch, beforeOid: none, afterOid: two })).toMatchObject({
      status: 200,
      data: { updateRefs: null },
      errors: [{ type: 'STALE_DATA', path: ['updateRefs'] }],
    })
    expect(messages(await move(github, { name: branch, beforeOid: one, afterOid: two }))).toEqual([
      'Update is not a fast forward',
    ])
    expect((await move(github, { name: branch, beforeOid: one, afterOid: two, force: true })).errors).toEqual([])
    expect((await move(github, { name: branch, beforeOid: one, afterOid: none, force: true })).errors).toHaveLength(1)
    expect(await github.head('acme/checkout', 'protium/upgrade/checkout-v1')).toBe(two)
    expect((await move(github, { name: branch, beforeOid: two, afterOid: none })).errors).toEqual([])
    expect(await github.head('acme/checkout', 'protium/upgrade/checkout-v1')).toBeUndefined()
    expect(github.pushes('acme/checkout', 'protium/upgrade/checkout-v1')).toBe(3)
    await github.close()
  })

  test('moves all of them or none', async () => {
    const { github } = await start()
    const sha = await dangling(github, { a: '1' })
    const reply = await move(
      github,
      { name: 'refs/heads/one', beforeOid: none, afterOid: sha },
      { name: 'refs/heads/main', beforeOid: sha, afterOid: sha },
    )
    expect(reply.errors).toHaveLength(1)
    expect(await github.head('acme/checkout', 'one')).toBeUndefined()
    await github.close()
  })

  test('does not know a commit that is not there, and does not touch an archived repository', async () => {
    const { github } = await start()
    expect(messages(await move(github, { name: branch, afterOid: 'a'.repeat(40) }))).toEqual(['Object does not exist'])
    const head = await github.head('acme/old')
    const reply = await ask(github, update, {
      input: { repositoryId: await idOf(github, 'old'), refUpdates: [{ name: branch, afterOid: head }] },
    })
    expect(messages(reply)).toEqual(['Repository was archived so is read-only.'])
    await github.close()
  })

  test('holds what rulesets say, and lets nobody change workflows without that permission', async () => {
    const ruleset = {
      name: 'no branches',
      enforcement: 'active',
      include: ['refs/heads/protium/**'],
      exclude: [],
      rules: [{ type: 'creation' }],
      bypass: [],
    } as const
    const { github } = await start({}, { rulesets: [ruleset] })
    const sha = await dangling(github, { a: '1' })
    expect(messages(await move(github, { name: branch, afterOid: sha }))).toEqual([
      expect.stringContaining('Repository rule violations found'),
    ])
    const workflow = await dangling(github, { '.github/workflows/x.yml': 'on: push\n' })
    expect(await move(github, { name: 'refs/heads/free', afterOid: workflow })).toMatchObject({
      errors: [{ type: 'FORBIDDEN', message: expect.stringContaining('without `workflows` permission') }],
    })
    await github.close()
  })
})

describe('createPullRequest', () => {
  test('opens one for a branch and base, and the next is refused', async () => {
    const { github } = await start()
    const input = await proposal(github)
    const first = await ask(github, open, { input })
    expect(first.data).toMatchObject({
      createPullRequest: { pullRequest: { number: 1, author: { login: 'protium', __typename: 'Bot' } } },
    })
    expect(await ask(github, open, { input })).toMatchObject({
      status: 200,
      data: { createPullRequest: null },
      errors: [
        {
          type: 'UNPROCESSABLE',
          path: ['createPullRequest'],
          message: 'A pull request already exists for acme:protium/upgrade/checkout-v1.',
        },
      ],
    })
    await github.close()
  })

  test('is refused without commits of its own, and without a branch', async () => {
    const { github } = await start()
    const input = await proposal(github)
    const head = (await github.head('acme/checkout')) ?? ''
    await move(github, { name: 'refs/heads/same', afterOid: head })
    expect(messages(await ask(github, open, { input: { ...input, headRefName: 'same' } }))).toEqual([
      'No commits between main and same',
    ])
    expect(messages(await ask(github, open, { input: { ...input, headRefName: 'none' } }))).toEqual([
      "Head sha can't be blank, Base sha can't be blank, No commits between main and none, Head ref must be a branch",
    ])
    await github.close()
  })

  test('several fields of one document succeed and fail by themselves', async () => {
    const { github } = await start()
    const input = await proposal(github)
    const reply = await ask(
      github,
      `mutation($ref:UpdateRefsInput!,$pr:CreatePullRequestInput!){
        pr:createPullRequest(input:$pr){pullRequest{number}} again:createPullRequest(input:$pr){pullRequest{number}}
        ref:updateRefs(input:$ref){clientMutationId} }`,
      {
        pr: input,
        ref: {
          repositoryId: await idOf(github),
          clientMutationId: 'mine',
          refUpdates: [{ name: 'refs/heads/other', beforeOid: none, afterOid: await dangling(github, { b: '' }) }],
        },
      },
    )
    expect(reply.data).toEqual({
      pr: { pullRequest: { number: 1 } },
      again: null,
      ref: { clientMutationId: 'mine' },
    })
    expect(reply.errors).toMatchObject([{ path: ['again'] }])
    await github.close()
  })

  test('knows nothing of a branch that has just moved, for so many tries', async () => {
    const { github } = await start({ compareLag: { tries: 2 } })
    const input = await proposal(github)
    const told = []
    for (let index = 0; index < 3; index += 1) told.push(messages(await ask(github, open, { input })))
    expect(told).toEqual([
      [expect.stringContaining("Head sha can't be blank")],
      [expect.stringContaining("Head sha can't be blank")],
      [],
    ])
    await github.close()
  })

  test('knows nothing of a branch that has just moved, for so long; the REST API does not either', async () => {
    const { github, clock } = await start({ compareLag: { milliseconds: 5000 } })
    const input = await proposal(github)
    clock.advance(4999)
    expect((await ask(github, open, { input })).errors).toHaveLength(1)
    const { pulls } = clientOf(github, { kind: 'app', app: 'protium' })
    const head = 'protium/upgrade/checkout-v1'
    const wanted = { owner: 'acme', repo: 'checkout', head, base: 'main', title: 'x' }
    await expect(pulls.create(wanted)).rejects.toMatchObject({ status: 422 })
    clock.advance(1)
    expect((await ask(github, open, { input })).errors).toEqual([])
    await github.close()
  })

  test('new content is limited each minute and hour, whichever way it is made', async () => {
    const { github, clock } = await start({ limits: { contentPerMinute: 2, contentPerHour: 3, retryAfter: 'unsaid' } })
    const pulls = clientOf(github, { kind: 'app', app: 'protium' }).pulls
    const input = await proposal(github)
    await ask(github, open, { input })
    await ask(github, open, { input })
    expect(await ask(github, open, { input })).toMatchObject({
      status: 200,
      data: { createPullRequest: null },
      errors: [{ path: ['createPullRequest'], message: 'was submitted too quickly' }],
    })
    expect(github.requests().at(-1)?.rejected).toBe(1)
    clock.advance(60_000)
    await ask(github, open, { input })
    const refused = await pulls
      .create({ owner: 'acme', repo: 'checkout', head: 'a', base: 'main', title: 'x' })
      .catch((error: unknown) => error)
    expect(refused).toMatchObject({ status: 403, message: expect.stringContaining('content creation') })
    expect(refused).not.toHaveProperty('response.headers.retry-after')
    expect(github.requests().at(-1)?.rejected).toBe(1)
    clock.advance(3_600_000)
    expect(messages(await ask(github, open, { input }))).toEqual([expect.stringContaining('already exists')])
    await github.close()
  })
})

describe('pull requests', () => {
  const states =
    'state isDraft title body closed merged timelineItems(last:1,itemTypes:[CLOSED_EVENT]){nodes{...on ClosedEvent{actor{login}}}}'

  test('are changed, closed and opened again, and it is known who closed them', async () => {
    const { github } = await start()
    const id = await opened(github)
    const edit = 'mutation($input:UpdatePullRequestInput!){updatePullRequest(input:$input){pullRequest{title state}}}'
    const input = { pullRequestId: id, title: 'Newer', body: 'Because', state: 'CLOSED' }
    expect((await ask(github, edit, { input })).data).toEqual({
      updatePullRequest: { pullRequest: { title: 'Newer', state: 'CLOSED' } },
    })
    expect(await pullOf(github, id, states)).toMatchObject({
      title: 'Newer',
      body: 'Because',
      closed: true,
      timelineItems: { nodes: [{ actor: { login: 'protium' } }] },
    })
    await ask(github, edit, { input: { pullRequestId: id, state: 'OPEN' } })
    await clientOf(github, { kind: 'user', login: 'bob' }).pulls.update({
      owner: 'acme',
      repo: 'checkout',
      pull_number: 1,
      state: 'closed',
    })
    expect(await pullOf(github, id, states)).toMatchObject({
      state: 'CLOSED',
      timelineItems: { nodes: [{ actor: { login: 'bob' } }] },
    })
    await github.close()
  })

  test('are drafts and ready', async () => {
    const { github } = await start()
    const id = await opened(github, { draft: true })
    expect(await pullOf(github, id, 'isDraft mergeStateStatus')).toEqual({ isDraft: true, mergeStateStatus: 'DRAFT' })
    const ready = 'mutation($id:ID!){markPullRequestReadyForReview(input:{pullRequestId:$id}){pullRequest{isDraft}}}'
    await ask(github, ready, { id })
    expect(await pullOf(github, id, 'isDraft')).toEqual({ isDraft: false })
    await ask(github, 'mutation($id:ID!){convertPullRequestToDraft(input:{pullRequestId:$id}){clientMutationId}}', {
      id,
    })
    expect(await pullOf(github, id, 'isDraft')).toEqual({ isDraft: true })
    expect(github.events().flatMap(({ payload }) => textAt(payload, 'action') ?? [])).toEqual([
      'opened',
      'ready_for_review',
      'converted_to_draft',
    ])
    await github.close()
  })

  test('one whose branch is put where the base is, is closed for good', async () => {
    const { github } = await start()
    const id = await opened(github)
    const head = (await github.head('acme/checkout')) ?? ''
    await move(github, { name: branch, afterOid: head, force: true })
    expect(await pullOf(github, id, 'state')).toEqual({ state: 'CLOSED' })
    const reopen = 'mutation($id:ID!){reopenPullRequest(input:{pullRequestId:$id}){clientMutationId}}'
    expect(messages(await ask(github, reopen, { id }))).toEqual([
      'state cannot be changed. There are no new commits on the protium/upgrade/checkout-v1 branch.',
    ])
    await github.close()
  })

  test('one whose commits are pushed to the base is merged', async () => {
    const { github } = await start()
    const id = await opened(github)
    const head = await github.head('acme/checkout', 'protium/upgrade/checkout-v1')
    await move(github, { name: 'refs/heads/main', afterOid: head ?? '' })
    expect(await pullOf(github, id, 'state mergeCommit{oid} mergedBy{login}')).toEqual({
      state: 'MERGED',
      mergeCommit: { oid: head },
      mergedBy: { login: 'protium' },
    })
    await github.close()
  })

  test('one that both sides have changed the same file of cannot be merged', async () => {
    const { github } = await start()
    const id = await opened(github)
    expect(await pullOf(github, id, 'mergeable mergeStateStatus')).toEqual({
      mergeable: 'MERGEABLE',
      mergeStateStatus: 'CLEAN',
    })
    await github.push({ repository: 'acme/checkout', branch: 'main', files: { 'service.yaml': 'mine\n' }, by: 'bob' })
    expect(await pullOf(github, id, 'mergeable mergeStateStatus')).toEqual({
      mergeable: 'CONFLICTING',
      mergeStateStatus: 'DIRTY',
    })
    await github.close()
  })

  test('one in a merge queue says so, and leaves it when its branch moves', async () => {
    const { github } = await start()
    const id = await opened(github)
    github.enqueue({ repository: 'acme/checkout', pull: 1 })
    expect(await pullOf(github, id, 'isInMergeQueue')).toEqual({ isInMergeQueue: true })
    await github.push({ repository: 'acme/checkout', branch: branch.slice(11), files: { b: '1' }, by: 'bob' })
    expect(await pullOf(github, id, 'isInMergeQueue')).toEqual({ isInMergeQueue: false })
    await github.close()
  })

  test('are found by branch and state, the newest first', async () => {
    const { github } = await start()
    const first = await opened(github)
    await ask(github, 'mutation($id:ID!){closePullRequest(input:{pullRequestId:$id}){clientMutationId}}', { id: first })
    await ask(github, open, {
      input: { repositoryId: await idOf(github), headRefName: branch.slice(11), baseRefName: 'main', title: 'two' },
    })
    const { data } = await ask(
      github,
      `{repository(owner:"acme",name:"checkout"){
        all:pullRequests(headRefName:"protium/upgrade/checkout-v1",first:5,orderBy:{field:CREATED_AT,direction:DESC}){nodes{number state}}
        open:pullRequests(states:[OPEN],first:5){nodes{number}}
        others:pullRequests(headRefName:"other",first:5){totalCount} }}`,
    )
    expect(data['repository']).toEqual({
      all: {
        nodes: [
          { number: 2, state: 'OPEN' },
          { number: 1, state: 'CLOSED' },
        ],
      },
      open: { nodes: [{ number: 2 }] },
      others: { totalCount: 0 },
    })
    await github.close()
  })

  test('a merged one leads to what became of its commit: checks, and deployments with their latest status', async () => {
    const { github } = await start()
    const id = await opened(github)
    const sha = await github.head('acme/checkout', branch.slice(11))
    const at = { owner: 'acme', repo: 'checkout' }
    const checker = clientOf(github, { kind: 'app', app: 'checker' })
    const rollup =
      'statusCheckRollup{state contexts(first:5){nodes{__typename ...on CheckRun{name conclusion} ...on StatusContext{context state}}}}'
    expect(await pullOf(github, id, rollup)).toEqual({ statusCheckRollup: null })
    await checker.checks.create({ ...at, name: 'plan', head_sha: sha ?? '', status: 'in_progress' })
    expect(await pullOf(github, id, rollup)).toMatchObject({ statusCheckRollup: { state: 'PENDING' } })
    await checker.checks.update({ ...at, check_run_id: 1, status: 'completed', conclusion: 'success' })
    await checker.repos.createCommitStatus({ ...at, sha: sha ?? '', state: 'failure', context: 'lint' })
    expect(await pullOf(github, id, rollup)).toEqual({
      statusCheckRollup: {
        state: 'FAILURE',
        contexts: {
          nodes: [
            { __typename: 'CheckRun', name: 'plan', conclusion: 'SUCCESS' },
            { __typename: 'StatusContext', context: 'lint', state: 'FAILURE' },
          ],
        },
      },
    })
    const app = clientOf(github, { kind: 'app', app: 'protium' })
    const { data: merged } = await app.pulls.merge({ ...at, pull_number: 1 })
    const made = await app.repos.createDeployment({
      ...at,
      ref: merged.sha,
      environment: 'staging',
      auto_merge: false,
      required_contexts: [],
    })
    const deployment_id = 'id' in made.data ? made.data.id : 0
    await app.repos.createDeploymentStatus({ ...at, deployment_id, state: 'in_progress' })
    await app.repos.createDeploymentStatus({ ...at, deployment_id, state: 'failure' })
    expect(
      await pullOf(
        github,
        id,
        'state mergedBy{login} mergeCommit{deployments(first:5,orderBy:{field:CREATED_AT,direction:DESC}){nodes{environment state latestStatus{state}}}}',
      ),
    ).toEqual({
      state: 'MERGED',
      mergedBy: { login: 'protium' },
      mergeCommit: {
        deployments: { nodes: [{ environment: 'staging', state: 'FAILURE', latestStatus: { state: 'FAILURE' } }] },
      },
    })
    await github.close()
  })
})

describe('merging by itself', () => {
  const enable =
    'mutation($input:EnablePullRequestAutoMergeInput!){enablePullRequestAutoMerge(input:$input){pullRequest{autoMergeRequest{mergeMethod enabledBy{login}}}}}'
  const ruleset = {
    name: 'checks',
    enforcement: 'active',
    include: ['~DEFAULT_BRANCH'],
    exclude: [],
    rules: [{ type: 'required_status_checks', parameters: { required_status_checks: [{ context: 'plan' }] } }],
    bypass: [],
  } as const

  test('happens when the required checks are green', async () => {
    const { github } = await start({}, { rulesets: [ruleset], settings: { autoMerge: true } })
    const id = await opened(github)
    const sha = await github.head('acme/checkout', branch.slice(11))
    const other = { pullRequestId: id, expectedHeadOid: 'a'.repeat(40) }
    expect(messages(await ask(github, enable, { input: other }))).toEqual(['Pull request Head branch was modified'])
    const input = { pullRequestId: id, expectedHeadOid: sha, mergeMethod: 'SQUASH' }
    expect((await ask(github, enable, { input })).data).toEqual({
      enablePullRequestAutoMerge: {
        pullRequest: { autoMergeRequest: { mergeMethod: 'SQUASH', enabledBy: { login: 'protium' } } },
      },
    })
    const checker = clientOf(github, { kind: 'app', app: 'checker' })
    await checker.checks.create({
      owner: 'acme',
      repo: 'checkout',
      name: 'plan',
      head_sha: sha ?? '',
      status: 'completed',
      conclusion: 'success',
    })
    expect(await pullOf(github, id, 'state mergedBy{login} autoMergeRequest{mergeMethod}')).toEqual({
      state: 'MERGED',
      mergedBy: { login: 'protium' },
      autoMergeRequest: null,
    })
    await github.close()
  })

  test('is switched off again', async () => {
    const { github } = await start({}, { rulesets: [ruleset], settings: { autoMerge: true } })
    const id = await opened(github)
    await ask(github, enable, { input: { pullRequestId: id } })
    await ask(github, 'mutation($id:ID!){disablePullRequestAutoMerge(input:{pullRequestId:$id}){clientMutationId}}', {
      id,
    })
    expect(await pullOf(github, id, 'autoMergeRequest{enabledAt}')).toEqual({ autoMergeRequest: null })
    await github.close()
  })

  test.each([
    ['the repository does not allow it', {}, 'Auto merge is not allowed for this repository'],
    ['no rule asks for anything', { settings: { autoMerge: true } as const }, 'Protected branch rules not configured'],
    [
      'there is nothing to wait for',
      { settings: { autoMerge: true } as const, rulesets: [{ ...ruleset, rules: [{ type: 'deletion' }] }] },
      'Pull request is in clean status',
    ],
  ])('is refused where %s', async (_why, seed, message) => {
    const { github } = await start({}, seed)
    const id = await opened(github)
    expect(messages(await ask(github, enable, { input: { pullRequestId: id } }))).toEqual([
      expect.stringContaining(message),
    ])
    await github.close()
  })
})

describe('createCommitOnBranch', () => {
  const commit =
    'mutation($input:CreateCommitOnBranchInput!){createCommitOnBranch(input:$input){commit{oid parents(first:1){nodes{oid}}} ref{name}}}'
  const contents = Buffer.from('{"a":1}\n').toString('base64')

  function input(expectedHeadOid: string | undefined): JsonMap {
    return {
      branch: { repositoryNameWithOwner: 'acme/ledger', branchName: 'main' },
      expectedHeadOid,
      message: { headline: 'Keep', body: 'why' },
      fileChanges: { additions: [{ path: 'state/a.json', contents }], deletions: [{ path: 'readme.txt' }] },
    }
  }

  test('commits on top of what was expected, once', async () => {
    const { github } = await start()
    const before = await github.head('acme/ledger')
    const reply = await ask(github, commit, { input: input(before) })
    const made = mapAt(reply.data['createCommitOnBranch'], 'commit')
    expect(made).toMatchObject({ parents: { nodes: [{ oid: before }] } })
    expect(await github.head('acme/ledger')).toBe(text(made, 'oid'))
    expect(Object.fromEntries(await github.files('acme/ledger'))).toEqual({ 'state/a.json': '{"a":1}\n' })
    const second = await ask(github, commit, { input: input(before) })
    expect(second).toMatchObject({
      status: 200,
      errors: [
        {
          type: 'STALE_DATA',
          path: ['createCommitOnBranch'],
          message: expect.stringContaining('Expected branch to point to'),
        },
      ],
    })
    await github.close()
  })

  test('does not delete what is not there, and needs a branch', async () => {
    const { github } = await start()
    const before = await github.head('acme/ledger')
    const gone = { ...input(before), fileChanges: { deletions: [{ path: 'none.txt' }] } }
    expect(messages(await ask(github, commit, { input: gone }))).toEqual([expect.stringContaining('does not exist')])
    const nowhere = { ...input(before), branch: { repositoryNameWithOwner: 'acme/ledger', branchName: 'none' } }
    expect(messages(await ask(github, commit, { input: nowhere }))).toEqual(['No ref exists named "refs/heads/none"'])
    await github.close()
  })
})

describe('weather', () => {
  test('one field fails by itself, with or without its effect', async () => {
    const { github } = await start()
    const input = await proposal(github)
    github.fault({ match: 'graphql', kind: { field: 'createPullRequest', message: 'Something went wrong' } })
    expect(await ask(github, open, { input })).toMatchObject({
      status: 200,
      data: { createPullRequest: null },
      errors: [{ path: ['createPullRequest'], message: 'Something went wrong' }],
    })
    const match = ({ fields }: { readonly fields: readonly string[] }) => fields.includes('createPullRequest')
    github.fault({ match, kind: { field: 'createPullRequest', message: 'Something went wrong', done: true } })
    expect((await ask(github, open, { input })).errors).toHaveLength(1)
    expect(messages(await ask(github, open, { input }))).toEqual([expect.stringContaining('already exists')])
    await github.close()
  })

  test.each([
    ['timeout', 502, 0],
    ['timeout-after', 502, 1],
    ['resource-limits', 200, 0],
    ['primary-limit', 200, 0],
    ['secondary-limit', 403, 0],
    ['error-after', 500, 1],
  ] as const)('"%s" answers with %s, and the effect is there %s times', async (kind, status, times) => {
    const { github } = await start()
    const input = await proposal(github)
    github.fault({ match: 'graphql', kind })
    expect((await ask(github, open, { input })).status).toBe(status)
    const { data } = await ask(github, '{repository(owner:"acme",name:"checkout"){pullRequests(first:1){totalCount}}}')
    expect(data).toEqual({ repository: { pullRequests: { totalCount: times } } })
    await github.close()
  })

  test('a query that may reach too much takes too long, or is answered in part', async () => {
    const query = 'query($ids:[ID!]!){nodes(ids:$ids){...on Repository{name}}}'
    const slow = await start({ graphql: { mostNodes: 2 } })
    const id = await idOf(slow.github)
    expect((await ask(slow.github, query, { ids: [id, id] })).status).toBe(200)
    expect((await ask(slow.github, query, { ids: [id, id, id] })).status).toBe(502)
    await slow.github.close()
    const partial = await start({ graphql: { mostNodes: 2, over: 'partial' } })
    const reply = await ask(partial.github, query, { ids: [id, id, id] })
    expect(reply).toMatchObject({
      status: 200,
      data: { nodes: [{ name: 'checkout' }, { name: 'checkout' }, null] },
      errors: [{ type: 'RESOURCE_LIMITS_EXCEEDED', path: ['nodes', 2] }],
    })
    await partial.github.close()
  })

  test('a repository is renamed, archived, locked, disabled, deleted', async () => {
    const { github } = await start()
    const id = await idOf(github)
    const facts = 'query($id:ID!){node(id:$id){...on Repository{nameWithOwner isArchived isLocked isDisabled}}}'
    await github.alter('acme/checkout', { name: 'checkouts', archived: true, locked: true, disabled: true })
    expect((await ask(github, facts, { id })).data).toEqual({
      node: { nameWithOwner: 'acme/checkouts', isArchived: true, isLocked: true, isDisabled: true },
    })
    expect((await ask(github, '{repository(owner:"acme",name:"checkout"){name}}')).data).toEqual({
      repository: { name: 'checkouts' },
    })
    const app = clientOf(github, { kind: 'app', app: 'protium' })
    const { data } = await app.repos.get({ owner: 'acme', repo: 'checkout' })
    expect(data.full_name).toBe('acme/checkouts')
    await github.alter('acme/checkouts', { deleted: true })
    const gone = await ask(github, facts, { id })
    expect(gone).toMatchObject({ data: { node: null }, errors: [{ type: 'NOT_FOUND' }] })
    const { data: left } = await app.apps.listReposAccessibleToInstallation()
    expect(left.repositories.map(({ name }) => name)).toEqual(['ledger', 'old'])
    await github.close()
  })

  test('all of it is kept in a snapshot', async () => {
    const { github } = await start()
    const id = await opened(github)
    const again = await startGitHub(github.snapshot(), { clock: manualClock('2026-11-22T13:00:00Z') })
    expect(isMap(await pullOf(again, id, 'number')) && (await pullOf(again, id, 'number'))).toEqual({ number: 1 })
    await again.close()
    await github.close()
  })
})
