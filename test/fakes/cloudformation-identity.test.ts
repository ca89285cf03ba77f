import {
  CloudFormationClient,
  CreateStackCommand,
  DeleteStackCommand,
  DescribeStacksCommand,
} from '@aws-sdk/client-cloudformation'
import { AssumeRoleCommand, AssumeRoleWithWebIdentityCommand, STSClient } from '@aws-sdk/client-sts'
import { generateKeyPairSync, sign } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readCatalog } from '../../src/core/catalog.ts'
import { accessTemplates } from '../../src/core/trust.ts'
import { lines, organisationFiles, treeOf } from '../core/trees.ts'
import { type FakeCloudFormation, startCloudFormation } from './cloudformation/server.ts'
import { type GitHub, startGitHub } from './github/server.ts'

const account = '111111111111'
const region = 'ap-northeast-2'
const issuer = 'https://token.actions.githubusercontent.com'
const workflows = 'acme/catalog/.github/workflows'
let github: GitHub
let cloud: FakeCloudFormation
let id: string
/** How much later it is for the cloud than for GitHub. */
let late = 0

beforeAll(async () => {
  github = await startGitHub({
    organisation: 'acme',
    members: { ada: 'admin' },
    outsiders: ['mallory'],
    repositories: {
      catalog: { files: { 'catalog.yaml': 'catalog: acme\n' }, public: true },
      shop: { files: { 'service.yaml': 'service: shop\n' }, immutableSubject: true },
    },
  })
  cloud = await startCloudFormation({
    account,
    identityProviders: [
      { issuer, url: `${github.url}/_oidc`, audiences: ['sts.amazonaws.com'], now: () => new Date(Date.now() + late) },
    ],
  })
  // The account is set up as anybody would set it up: by the templates that the catalog makes.
  for (const [path, text] of accessTemplates(await catalog())) {
    if (!path.startsWith(`accounts/${account}`)) continue
    await client().send(
      new CreateStackCommand({
        StackName: path.replaceAll(/[^a-z0-9]+/g, '-'),
        TemplateBody: text,
        Capabilities: ['CAPABILITY_NAMED_IAM'],
      }),
    )
  }
  await cloud.settle()
  cloud.forget()
}, 30_000)
afterAll(async () => {
  await cloud.close()
  await github.close()
})

async function idOf(repo: string): Promise<{ readonly own: string; readonly owner: string }> {
  const found = await github.act({ operation: 'repos/get', by: 'ada', parameters: { owner: 'acme', repo } })
  const run = await begin({ repository: `acme/${repo}` })
  const { repository_owner_id: owner = '' } = claimsIn(await tokenOf(run))
  return { own: String(Number(found['id'])), owner }
}

async function catalog() {
  const [own, shop] = [await idOf('catalog'), await idOf('shop')]
  id = own.own
  const read = readCatalog(
    treeOf(organisationFiles, {
      'catalog.yaml': lines(`
        catalog: acme
        domain: example.com
        stages:
          dev:
            host: "{service}.dev.{domain}"
            environment: dev
            stack: { service_role: "arn:aws:iam::${account}:role/protium/cloudformation-dev" }
        workflows: { actions: actions, repository: acme/catalog }
        trust:
          organisation: "${own.owner}"
          repositories: { acme/catalog: { id: "${own.own}" }, acme/shop: { id: "${shop.own}" } }
      `),
    }),
  )
  if (!read.ok) throw new Error(JSON.stringify(read.problems))
  return read.value
}

type Job = {
  readonly repository?: string
  readonly branch?: string
  readonly environment?: string
  readonly workflow?: string
}

async function begin({ repository = 'acme/catalog', branch = 'main', ...more }: Job) {
  const sha = (await github.head(repository)) ?? ''
  const wanted = { repository, workflow: '.github/workflows/deploy.yml', event: 'push', branch, sha, actor: 'ada' }
  const run = await github.beginRun(wanted)
  return github.beginJob({ repository, run, name: 'job', permissions: { 'id-token': 'write' }, ...more })
}

async function tokenOf(job: Awaited<ReturnType<typeof begin>>): Promise<string> {
  if (job.is === 'refused' || job.identity === undefined) throw new Error('The job has no identity')
  const { url, token } = job.identity
  const answer = await fetch(`${url}&audience=sts.amazonaws.com`, { headers: { authorization: `Bearer ${token}` } })
  const { value }: { readonly value: string } = JSON.parse(await answer.text())
  return value
}

function claimsIn(token: string): Readonly<Record<string, string>> {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
}

const keys = { accessKeyId: 'AKIANOBODY', secretAccessKey: 'nothing' }

function client(credentials = keys): CloudFormationClient {
  return new CloudFormationClient({ endpoint: cloud.url, region, credentials, maxAttempts: 1 })
}

function sts(): STSClient {
  return new STSClient({ endpoint: cloud.url, region, credentials: keys, maxAttempts: 1 })
}

/** The name of the error, or the credentials. */
async function take(token: string, role: string, seconds?: number) {
  try {
    const { Credentials: given } = await sts().send(
      new AssumeRoleWithWebIdentityCommand({
        RoleArn: `arn:aws:iam::${account}:role/protium/${role}`,
        RoleSessionName: 'test',
        WebIdentityToken: token,
        DurationSeconds: seconds,
      }),
    )
    return {
      accessKeyId: given?.AccessKeyId ?? '',
      secretAccessKey: given?.SecretAccessKey ?? '',
      sessionToken: given?.SessionToken ?? '',
    }
  } catch (error) {
    return error instanceof Error ? error.name : String(error)
  }
}

const deploying = { environment: 'dev', workflow: `${workflows}/stages.yml@refs/heads/main` }
const planning = { environment: 'dev-plan', workflow: `${workflows}/plan.yml@refs/heads/main` }

describe('a role that the catalog has made', () => {
  test('is given to the job that it is for, whichever form its subject has', async () => {
    const shop = (await idOf('shop')).own

    expect(await take(await tokenOf(await begin(deploying)), `protium-dev-deploy-${id}`)).toHaveProperty('accessKeyId')
    expect(await take(await tokenOf(await begin(planning)), `protium-dev-plan-${id}`)).toHaveProperty('accessKeyId')
    expect(
      await take(await tokenOf(await begin({ ...deploying, repository: 'acme/shop' })), `protium-dev-deploy-${shop}`),
    ).toHaveProperty('accessKeyId')
  })

  test.each([
    ['another environment', { ...deploying, environment: 'playground' }],
    ['the environment that plans', planning],
    ['another workflow', { ...deploying, workflow: `${workflows}/own.yml@refs/heads/main` }],
    ['the workflow of a branch', { ...deploying, workflow: `${workflows}/stages.yml@refs/heads/evil` }],
    ['another branch', { ...deploying, branch: 'evil' }],
    ['another repository', { ...deploying, repository: 'acme/shop' }],
    ['no environment', { workflow: deploying.workflow }],
  ])('is not given to a job of %s', async (_what, job) => {
    expect(await take(await tokenOf(await begin(job)), `protium-dev-deploy-${id}`)).toBe('AccessDenied')
  })

  test('is not given to a fork that runs the very same', async () => {
    const fork = await github.fork('acme/catalog', 'mallory')
    const token = await tokenOf(await begin({ ...deploying, repository: fork }))

    expect(claimsIn(token)['job_workflow_ref']).toBe(deploying.workflow)
    expect(await take(token, `protium-dev-deploy-${id}`)).toBe('AccessDenied')
  })

  test('is not given for a token that was changed, signed by another, unsigned or none', async () => {
    const token = await tokenOf(await begin(deploying))
    const [head = '', , signature = ''] = token.split('.')
    const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
    const other = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
    const claims = part({ ...claimsIn(token), environment: 'dev' })
    const by = sign('RSA-SHA256', Buffer.from(`${head}.${claims}`), other).toString('base64url')
    const wrong = [
      `${head}.${part({ ...claimsIn(token), actor: 'root' })}.${signature}`,
      `${head}.${claims}.${by}`,
      `${part({ alg: 'none' })}.${claims}.`,
      `${head}.${part({ ...claimsIn(token), iss: 'https://evil.example.com' })}.${signature}`,
      'nothing',
    ]

    for (const each of wrong) expect(await take(each, `protium-dev-deploy-${id}`)).toBe('InvalidIdentityTokenException')
  })

  test('is given for five minutes, and not for a token of another time or for somebody else', async () => {
    const job = await begin(deploying)
    const token = await tokenOf(job)
    const after: unknown[] = []
    for (const minutes of [4, 6, -11]) {
      late = minutes * 60_000
      after.push(await take(token, `protium-dev-deploy-${id}`))
    }
    late = 0
    const { url, token: bearer } =
      job.is === 'started' && job.identity !== undefined ? job.identity : { url: '', token: '' }
    const answer = await fetch(`${url}&audience=elsewhere`, { headers: { authorization: `Bearer ${bearer}` } })
    const { value }: { readonly value: string } = JSON.parse(await answer.text())

    expect(after).toEqual([expect.anything(), 'ExpiredTokenException', 'InvalidIdentityTokenException'])
    expect(after[0]).toHaveProperty('accessKeyId')
    expect(await take(value, `protium-dev-deploy-${id}`)).toBe('InvalidIdentityTokenException')
  })

  test('is not taken with keys, nor for longer than it may be had, nor where there is none', async () => {
    const token = await tokenOf(await begin(deploying))
    const RoleArn = `arn:aws:iam::${account}:role/protium/protium-dev-deploy-${id}`
    const byKey = sts().send(new AssumeRoleCommand({ RoleArn, RoleSessionName: 'test' }))

    await expect(byKey).rejects.toMatchObject({ name: 'AccessDenied' })
    expect(await take(token, `protium-dev-deploy-${id}`, 7201)).toBe('ValidationError')
    expect(await take(token, `protium-dev-deploy-${id}`, 7200)).toHaveProperty('accessKeyId')
    expect(await take(token, 'protium-qa-deploy-1')).toBe('AccessDenied')
  })
})

test('a session is held to what its role may do', async () => {
  const session = await take(await tokenOf(await begin(planning)), `protium-dev-plan-${id}`)
  if (typeof session === 'string') throw new Error(session)
  const cloudformation = client(session)
  const deleted = cloudformation.send(new DeleteStackCommand({ StackName: 'checkout-dev' }))
  const foreign = cloudformation.send(new DescribeStacksCommand({ StackName: `accounts-${account}-yaml` }))
  const looked = cloudformation.send(new DescribeStacksCommand({ StackName: 'checkout-dev' }))

  await expect(deleted).rejects.toMatchObject({
    name: 'AccessDenied',
    message: expect.stringContaining('cloudformation:DeleteStack'),
  })
  await expect(foreign).rejects.toMatchObject({ name: 'AccessDenied' })
  await expect(looked).rejects.toMatchObject({ name: 'ValidationError', message: expect.stringContaining('exist') })
})
