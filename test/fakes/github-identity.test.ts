import { createPublicKey, createVerify, type JsonWebKey } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { manualClock, type ManualClock } from './github/clock.ts'
import { type GitHub, startGitHub, type StartedJob } from './github/server.ts'

const repository = 'acme/checkout'
let clock: ManualClock
let github: GitHub
beforeAll(async () => {
  clock = manualClock('2026-11-22T12:00:00Z')
  github = await startGitHub(
    {
      organisation: 'acme',
      members: { ada: 'admin' },
      outsiders: ['mallory'],
      repositories: {
        checkout: { files: { 'service.yaml': 'name: checkout\n' }, public: true },
        young: { files: { 'service.yaml': 'name: young\n' }, immutableSubject: true },
      },
    },
    { clock },
  )
})
afterAll(() => github.close())

type Wanted = {
  readonly repository?: string
  readonly event?: string
  readonly pulls?: readonly number[]
  readonly headRepository?: string
  readonly environment?: string
  readonly permissions?: Readonly<Record<string, 'read' | 'write'>>
  readonly workflow?: string
}

async function begin(wanted: Wanted = {}): Promise<StartedJob & { readonly run: number }> {
  const { event = 'push', pulls, headRepository, permissions = { 'id-token': 'write' }, ...more } = wanted
  const name = wanted.repository ?? repository
  const run = await github.beginRun({
    repository: name,
    workflow: '.github/workflows/deploy.yml',
    event,
    branch: 'main',
    sha: (await github.head(name)) ?? '',
    actor: 'ada',
    ...(pulls === undefined ? {} : { pulls }),
    ...(headRepository === undefined ? {} : { headRepository }),
  })
  const job = await github.beginJob({ ...more, repository: name, run, name: 'job', permissions })
  return { ...job, run }
}

function requestOf(job: StartedJob): { readonly url: string; readonly token: string } {
  if (job.is === 'refused' || job.identity === undefined) throw new Error('The job may not ask for an identity')
  return job.identity
}

async function ask(job: StartedJob, audience = '&audience=sts.amazonaws.com'): Promise<Response> {
  const { url, token } = requestOf(job)
  return fetch(`${url}${audience}`, { headers: { authorization: `Bearer ${token}` } })
}

async function read<T>(path: string): Promise<T> {
  return JSON.parse(await (await fetch(new URL(path, github.url))).text())
}

/** The claims of a job's token, after its signature was checked with the key that is published. */
async function claimsOf(job: StartedJob, audience?: string): Promise<Readonly<Record<string, unknown>>> {
  const { value }: { readonly value: string } = JSON.parse(await (await ask(job, audience)).text())
  const configuration: { readonly jwks_uri: string } = await read('/_oidc/.well-known/openid-configuration')
  const { keys }: { readonly keys: readonly (JsonWebKey & { kid: string })[] } = await read(configuration.jwks_uri)
  const [head = '', claims = '', signature = ''] = value.split('.')
  const { kid, alg } = JSON.parse(Buffer.from(head, 'base64url').toString())
  const found = keys.find((each) => each.kid === kid)
  if (found === undefined) throw new Error('The key is not published')
  const key = createPublicKey({ key: found, format: 'jwk' })

  expect(alg).toBe('RS256')
  expect(createVerify('RSA-SHA256').update(`${head}.${claims}`).verify(key, signature, 'base64url')).toBe(true)
  return JSON.parse(Buffer.from(claims, 'base64url').toString())
}

describe('the identity of a job', () => {
  test('is signed, lives five minutes, and says what runs where', async () => {
    const job = await begin({
      environment: 'prod',
      workflow: 'acme/catalog/.github/workflows/stages.yml@refs/heads/main',
    })
    const claims = await claimsOf(job)
    const now = clock.now().getTime() / 1000

    expect(claims).toMatchObject({
      iss: 'https://token.actions.githubusercontent.com',
      aud: 'sts.amazonaws.com',
      sub: 'repo:acme/checkout:environment:prod',
      repository,
      environment: 'prod',
      ref: 'refs/heads/main',
      event_name: 'push',
      actor: 'ada',
      run_id: String(job.run),
      run_attempt: '1',
      workflow_ref: 'acme/checkout/.github/workflows/deploy.yml@refs/heads/main',
      job_workflow_ref: 'acme/catalog/.github/workflows/stages.yml@refs/heads/main',
      iat: now,
      exp: now + 300,
    })
    expect(claims['repository_id']).toMatch(/^\d+$/)
    expect(claims['repository_owner_id']).toMatch(/^\d+$/)
    expect((await claimsOf(job))['jti']).not.toBe(claims['jti'])
  })

  test('has numbers in its subject where the repository is young', async () => {
    const {
      sub,
      repository_id: id,
      repository_owner_id: owner,
    } = await claimsOf(await begin({ repository: 'acme/young', environment: 'prod' }))

    expect(sub).toBe(`repo:acme@${String(owner)}/young@${String(id)}:environment:prod`)
  })

  test.each([
    ['a push', {}, 'repo:acme/checkout:ref:refs/heads/main', 'refs/heads/main'],
    ['a pull request', { event: 'pull_request', pulls: [7] }, 'repo:acme/checkout:pull_request', 'refs/pull/7/merge'],
    [
      'a pull request, in an environment',
      { event: 'pull_request', pulls: [7], environment: 'prod-plan' },
      'repo:acme/checkout:environment:prod-plan',
      'refs/pull/7/merge',
    ],
  ])('of %s', async (_what, wanted, sub, ref) => {
    expect(await claimsOf(await begin(wanted))).toMatchObject({
      sub,
      ref,
      job_workflow_ref: `acme/checkout/.github/workflows/deploy.yml@${ref}`,
    })
  })

  test('is for the owner of the repository, if no audience is named', async () => {
    expect(await claimsOf(await begin(), '')).toMatchObject({ aud: 'https://github.com/acme' })
  })
})

describe('who may not have one', () => {
  test('a job that does not declare it, and one of a fork whatever it declares', async () => {
    const fork = await github.fork(repository, 'mallory')
    const jobs = [
      await begin({ permissions: { contents: 'write' } }),
      await begin({ event: 'pull_request', pulls: [7], headRepository: fork }),
    ]

    expect(jobs.map((job) => ('identity' in job ? job.identity : undefined))).toEqual([undefined, undefined])
  })

  test('a job that has ended, and who comes with another token', async () => {
    const job = await begin()
    const { url, token } = requestOf(job)
    const wrong = await fetch(url, { headers: { authorization: `Bearer ${token}x` } })
    const none = await fetch(url)
    const before = await ask(job)
    await github.endJob({ repository, run: job.run, job: job.job, conclusion: 'success' })
    const after = await ask(job)

    expect([wrong.status, none.status, before.status, after.status]).toEqual([401, 401, 200, 401])
  })
})
