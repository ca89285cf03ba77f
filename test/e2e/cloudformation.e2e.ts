import { CloudFormationClient, CreateStackCommand } from '@aws-sdk/client-cloudformation'
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Catalog, readCatalog } from '../../src/core/catalog.ts'
import type { FileTree } from '../../src/core/tree.ts'
import { accessTemplates, rolesOf } from '../../src/core/trust.ts'
import { catalogWorkflows } from '../../src/core/workflows.ts'
import {
  type FakeCloudFormation,
  type FakeOptions,
  realClock,
  startCloudFormation,
} from '../fakes/cloudformation/server.ts'
import { clientOf } from '../fakes/github/client.ts'
import { mapAt, text } from '../fakes/github/json.ts'
import { type GitHub, startGitHub } from '../fakes/github/server.ts'
import { act } from './act.ts'
import { lastEvent, type Run, type Runners, sampleCatalog, startRunners } from './runner.ts'
import { terminal } from './terminal.ts'

const receipts = 'services/receipts/service.yaml'
const accounts = { dev: '111111111111', staging: '222222222222', prod: '333333333333' } as const
const stages = ['dev', 'staging', 'prod'] as const
const region = 'ap-northeast-2'
const issuer = 'https://token.actions.githubusercontent.com'

/**
 * The sample organisation, in accounts of its own. `more` is what its environments say besides; `trust` who may work in the
 * accounts, which makes roles of it and the workflows that take them.
 */
function organisation(more: (stage: string) => string = () => '', trust?: string): FileTree {
  const files = new Map(
    [...sampleCatalog()].map(([path, content]): [string, string] => {
      const stage = /^environments\/(.+)\.yaml$/.exec(path)?.[1]
      // Nobody waits here for half an hour before prod.
      if (path === 'catalog.yaml') return [path, trusting(content.replace(/^ +soak:.*\n/m, ''), trust)]
      return [path, stage === undefined ? content : inTheCloud(content, more(stage))]
    }),
  )
  return new Map([...files, ...catalogWorkflows(catalogOf(files))])
}

function catalogOf(files: FileTree): Catalog {
  const catalog = readCatalog(files)
  if (!catalog.ok) throw new Error(catalog.problems.map(({ message }) => message).join('\n'))
  return catalog.value
}

function trusting(catalog: string, trust: string | undefined): string {
  if (trust === undefined) return catalog
  const withRoles = catalog.replaceAll(
    /^ {4}environment: (\S+)$/gm,
    (line, stage: string) =>
      `${line}\n    stack: { service_role: "arn:aws:iam::${accountOf(stage)}:role/protium/cloudformation-${stage}" }`,
  )
  // A token of a job may not see who is in a team, so a person approves.
  return `${withRoles.replace('@acme/platform', '@mia')}\ntrust: ${trust}\n`
}

function inTheCloud(environment: string, more: string): string {
  return environment.replace(/^provisioner: local.*$/m, `provisioner: cloudformation${more}`)
}

function write(folder: string, files: FileTree): void {
  for (const [path, content] of files) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), content)
  }
}

/** Access keys that are nobody's, of three accounts; and no other way to any credentials. */
const credentials = {
  AWS_ACCESS_KEY_ID: 'AKIANOBODY',
  AWS_SECRET_ACCESS_KEY: 'nothing',
  AWS_EC2_METADATA_DISABLED: 'true',
}

/** Fifty times as fast as the world: what takes seconds there is done in a moment here. */
async function cloudOf(
  seconds: (resource: { readonly logicalId: string }) => number,
  more: Pick<FakeOptions, 'accessKeys' | 'identityProviders'> = {},
): Promise<FakeCloudFormation> {
  return startCloudFormation({ clock: realClock({ pace: 50 }), durations: seconds, changeSetSeconds: 4, ...more })
}

/** Whoever sets up the accounts, with keys of each. */
const administrators = { dev: 'AKIADEV', staging: 'AKIASTAGING', prod: 'AKIAPROD' } as const

/** Sets up the accounts by the templates that the catalog makes, as anybody would. */
async function setUp(cloud: FakeCloudFormation, catalog: Catalog): Promise<void> {
  for (const stage of stages) {
    const keys = { accessKeyId: administrators[stage], secretAccessKey: 'nothing' }
    const client = new CloudFormationClient({ endpoint: cloud.url, region, credentials: keys })
    const text = accessTemplates(catalog).get(`accounts/${accounts[stage]}.yaml`)
    await client.send(
      new CreateStackCommand({ StackName: 'access', TemplateBody: text, Capabilities: ['CAPABILITY_NAMED_IAM'] }),
    )
    while (cloud.stack('access', { account: accounts[stage] })?.status !== 'CREATE_COMPLETE')
      await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

describe('the sample organisation deploys to accounts by CloudFormation from the terminal', () => {
  const folder = mkdtempSync(join(realpathSync(tmpdir()), 'protium-e2e-terminal-'))
  let cloud: FakeCloudFormation
  let slow: string | undefined
  const seconds = ({ logicalId }: { readonly logicalId: string }): number => (logicalId === slow ? 3000 : 3)

  beforeAll(async () => {
    cloud = await cloudOf((resource) => seconds(resource))
    write(
      folder,
      organisation((stage) =>
        stage in accounts ? `\ncredentials: { role: "arn:aws:iam::${accountOf(stage)}:role/deploy" }` : '',
      ),
    )
  })
  afterAll(async () => {
    rmSync(folder, { recursive: true, force: true })
    await cloud.close()
  })

  function protium(...words: readonly string[]): ReturnType<ReturnType<typeof terminal>> {
    return terminal({ folder, env: { ...credentials, AWS_ENDPOINT_URL: cloud.url } })(...words, '--plain')
  }

  /** What was asked since the last time, each action once. */
  function asked(): readonly string[] {
    const found = cloud.requests().filter(({ service }) => service === 'cloudformation')
    cloud.forget()
    return [...new Set(found.map(({ action }) => action))].toSorted()
  }

  function change(path: string, edit: (content: string) => string): void {
    writeFileSync(join(folder, path), edit(readFileSync(join(folder, path), 'utf8')))
  }

  test('plan, deploy, status, and deploy again, which finds nothing to do by two reads a stack', async () => {
    const planned = await protium('plan')
    const afterPlan = cloud.stacks()
    const deployed = await protium('deploy', '--yes')
    const status = await protium('status')
    asked()
    const again = await protium('deploy', '--yes')
    const reads = cloud.requests().filter(({ service }) => service === 'cloudformation').length

    expect(planned, planned.error).toMatchObject({ code: 0 })
    expect(planned.out).toContain('environment/prod')
    expect(afterPlan).toEqual([])
    expect(deployed, deployed.error).toMatchObject({ code: 0 })
    expect(
      cloud
        .stacks()
        .map(({ name, status: is }) => `${name} ${is}`)
        .toSorted(),
    ).toEqual(
      stages
        .flatMap((stage) =>
          ['checkout', 'inventory', 'receipts', 'storefront'].map((name) => `${name}-${stage}`).concat(`env-${stage}`),
        )
        .map((name) => `${name} CREATE_COMPLETE`)
        .toSorted(),
    )
    for (const stage of stages) expect(cloud.stacks({ account: accounts[stage], region })).toHaveLength(5)
    expect(status.code, status.error).toBe(0)
    expect(status.out.match(/deployed/g)?.length).toBeGreaterThanOrEqual(15)
    expect(again.code, again.error).toBe(0)
    expect(asked()).toEqual(['DescribeStacks', 'GetTemplate'])
    expect(reads).toBe(30)
  })

  test('a change is planned from a change set, which leaves nothing behind, and cancelled while it is under way', async () => {
    change(receipts, (content) => content.replace('timeout_seconds: 120', 'timeout_seconds: 150'))
    asked()
    const planned = await protium('plan', 'receipts/dev')
    const forPlan = asked()
    const left = cloud.stack('receipts-dev')?.changeSets.map(({ name }) => name)
    slow = 'Queue'
    const deploying = protium('deploy', 'receipts/dev')
    while (cloud.stack('receipts-dev')?.status !== 'UPDATE_IN_PROGRESS')
      await new Promise((resolve) => setTimeout(resolve, 50))
    slow = undefined
    const cancelled = await protium('cancel', 'receipts/dev')
    const deployed = await deploying
    const after = await protium('deploy', 'receipts/dev')

    expect(planned, planned.error).toMatchObject({ code: 0 })
    expect(planned.out).toMatch(/Queue/)
    expect(forPlan).toContain('CreateChangeSet')
    expect(forPlan).toContain('DeleteChangeSet')
    expect(forPlan).not.toContain('ExecuteChangeSet')
    expect(left).toEqual([])
    expect(cancelled, cancelled.error).toMatchObject({ code: 0 })
    expect(deployed.code, deployed.out + deployed.error).not.toBe(0)
    expect(after, after.error).toMatchObject({ code: 0 })
    expect(cloud.stack('receipts-dev')?.status).toBe('UPDATE_COMPLETE')
  })

  test('what holds data is removed only where that is acknowledged', async () => {
    const refused = await protium('remove', 'receipts/dev', '--yes')
    const before = cloud.stack('receipts-dev')?.status
    const removed = await protium(
      'remove',
      'receipts/dev',
      '--yes',
      ...['Queue', 'DeadLetterQueue', 'LogGroup'].flatMap((id) => ['--acknowledge', `receipts/dev:${id}`]),
    )

    expect(refused.code).not.toBe(0)
    expect(refused.out + refused.error).toContain('Queue')
    expect(before).toBe('UPDATE_COMPLETE')
    expect(removed, removed.out + removed.error).toMatchObject({ code: 0 })
    expect(cloud.stack('receipts-dev')?.status).toBe('DELETE_COMPLETE')
  })
})

function accountOf(stage: string): string {
  return Object.entries(accounts).find(([name]) => name === stage)?.[1] ?? ''
}

describe.skipIf(act === undefined)('the workflows deploy to accounts by CloudFormation (needs act)', () => {
  const sample = organisation()
  const spec = sample.get(receipts) ?? ''
  const parameters = { owner: 'acme', repo: 'catalog' }
  const folder = mkdtempSync(join(realpathSync(tmpdir()), 'protium-e2e-cloud-'))
  let catalog: Catalog
  let github: GitHub
  let cloud: FakeCloudFormation
  let runners: Runners

  beforeAll(async () => {
    github = await startGitHub({
      organisation: 'acme',
      members: { mia: 'admin', dev: 'member' },
      teams: { platform: { members: ['mia'], repositories: { catalog: 'admin' } } },
      repositories: { catalog: { files: sample, immutableSubject: true } },
    })
    cloud = await cloudOf(() => 3, {
      accessKeys: Object.fromEntries(stages.map((stage) => [administrators[stage], accounts[stage]])),
      identityProviders: [{ issuer, url: `${github.url}/_oidc`, audiences: ['sts.amazonaws.com'] }],
    })
    // Who may work in the accounts is said by the numbers that GitHub has given.
    const { id, owner = null } = await github.act({ operation: 'repos/get', by: 'mia', parameters })
    const trust = `{ organisation: "${Number(mapAt({ owner }, 'owner')['id'])}", repositories: { acme/catalog: { id: "${Number(id)}" } } }`
    const trusted = organisation(() => '', trust)
    catalog = catalogOf(trusted)
    await setUp(cloud, catalog)
    await github.push({ repository: 'acme/catalog', branch: 'main', files: Object.fromEntries(trusted), by: 'mia' })
    runners = await startRunners({
      github,
      catalog: 'acme/catalog',
      by: 'mia',
      env: { AWS_ENDPOINT_URL: cloud.url },
    })
    // The environments, and receipts as it is, are there already: somebody has deployed them from a terminal for this repository.
    write(
      folder,
      organisation((stage) => `\ncredentials: { role: "arn:aws:iam::${accountOf(stage)}:role/deploy" }`, trust),
    )
    const protium = terminal({ folder, env: { ...credentials, AWS_ENDPOINT_URL: cloud.url } })
    const deployed = await protium('deploy', 'receipts', '--yes', '--owner', String(Number(id)))
    expect(deployed, deployed.out + deployed.error).toMatchObject({ code: 0 })
    cloud.forget()
  }, 120_000)
  afterAll(async () => {
    await runners.close()
    await github.close()
    await cloud.close()
    rmSync(folder, { recursive: true, force: true })
  })

  test('a pull request is planned from change sets, and merged it goes through three stages, each by its own role', async () => {
    const commit = await github.push({
      repository: 'acme/catalog',
      branch: 'longer',
      from: 'main',
      files: { [receipts]: spec.replace('timeout_seconds: 120', 'timeout_seconds: 150') },
      by: 'dev',
    })
    const body = { title: 'longer', head: 'longer', base: 'main' }
    const pull = Number((await github.act({ operation: 'pulls/create', by: 'dev', parameters, body }))['number'])
    const planned = await run('pull-request.yml', 'pull_request', { commit, branch: 'longer', actor: 'dev' })
    const forPlan = cloud.requests()
    const left = cloud.stacks().flatMap(({ changeSets }) => changeSets.map(({ name }) => name))
    cloud.forget()
    const { issues } = clientOf(github, { kind: 'user', login: 'mia' })
    const comments = await issues.listComments({ ...parameters, issue_number: pull })
    await merge(pull)
    const merged = text(lastEvent(github, 'push'), 'after')
    const deployed = await run('deploy.yml', 'push', { commit: merged, branch: 'main', actor: 'mia' })
    const executed = cloud.requests().filter(({ action }) => action === 'ExecuteChangeSet')

    expect(planned.conclusion, planned.log).toBe('success')
    expect(comments.data.map(({ user }) => user?.login)).toEqual(['github-actions[bot]'])
    expect(comments.data[0]?.body).toMatch(/Queue/)
    expect(whoBy(forPlan, 'CreateChangeSet')).toEqual(roles('plan'))
    expect(whoBy(forPlan, 'ExecuteChangeSet')).toEqual([])
    expect(left).toEqual([])
    expect(deployed.conclusion, deployed.log).toBe('success')
    expect(deployed.jobs.map(({ id }) => id)).toEqual(['validate', 'dev', 'staging', 'prod'])
    expect(executed.map(({ account }) => account)).toEqual(stages.map((stage) => accounts[stage]))
    expect(whoBy(executed, 'ExecuteChangeSet')).toEqual(roles('deploy'))
    for (const stage of stages) expect(cloud.stack(`receipts-${stage}`)?.status).toBe('UPDATE_COMPLETE')
  })

  test('a stage that fails says why on the pull request, with line, input and suspect, and run again it goes on', async () => {
    cloud.fail({
      logicalId: 'Queue',
      on: 'update',
      stack: 'receipts-staging',
      reason:
        'Properties validation failed for resource Queue with message: #/VisibilityTimeout: 240 is not wanted here',
      times: 1,
    })
    const files = { [receipts]: spec.replace('timeout_seconds: 120', 'timeout_seconds: 240') }
    const commit = await github.push({ repository: 'acme/catalog', branch: 'odd', from: 'main', files, by: 'dev' })
    const body = { title: 'odd', head: 'odd', base: 'main' }
    const pull = Number((await github.act({ operation: 'pulls/create', by: 'dev', parameters, body }))['number'])
    const planned = await run('pull-request.yml', 'pull_request', { commit, branch: 'odd', actor: 'dev' })
    await merge(pull)
    const merged = text(lastEvent(github, 'push'), 'after')
    const failed = await run('deploy.yml', 'push', { commit: merged, branch: 'main', actor: 'mia' })
    const status = cloud.stack('receipts-staging')?.status
    const said = await failureOn(pull)
    const again = await run('deploy.yml', 'push', { commit: merged, branch: 'main', actor: 'mia' })
    const after = await failureOn(pull)

    expect(planned.conclusion, planned.log).toBe('success')
    expect(failed.conclusion, failed.log).toBe('failure')
    expect(failed.jobs.map(({ id, result }) => `${id} ${result}`)).toEqual([
      'validate success',
      'dev success',
      'staging failure',
      'settle success',
    ])
    expect(status).toBe('UPDATE_ROLLBACK_COMPLETE')
    expect(said).toHaveLength(1)
    expect(said[0]).toContain('`Queue` (`AWS::SQS::Queue`)')
    expect(said[0]).toContain('240 is not wanted here')
    expect(said[0]).toMatch(/templates\/queue-worker\/v1\/instance_infrastructure\/cloudformation\.yaml:\d+/)
    expect(said[0]).toMatch(/timeout_seconds = 240` from `services\/receipts\/service\.yaml:\d+/)
    expect(said[0]).toContain('| **Infra setting** | **look here first** |')
    expect(again.conclusion, again.log).toBe('success')
    expect(cloud.stack('receipts-prod')?.status).toBe('UPDATE_COMPLETE')
    expect(after).toEqual([expect.stringContaining('deployed after all')])
  })

  test('a service that does not start says how its tasks ended and what they logged last, although all is gone by then', async () => {
    const stack = 'receipts-dev'
    const live = cloud.stack(stack)?.resources
    const group = live?.get('LogGroup')?.physicalId ?? ''
    const task = {
      taskArn: `arn:aws:ecs:${region}:${accounts.dev}:task/dev/0123`,
      taskDefinitionArn: live?.get('TaskDefinition')?.physicalId ?? '',
      startedBy: 'ecs-svc/1',
      desiredStatus: 'STOPPED',
      stopCode: 'EssentialContainerExited',
      stoppedReason: 'Essential container in task exited',
      stoppedAt: new Date(),
      containers: [{ name: 'worker', exitCode: 1 }],
    }
    cloud.runs({
      services: { [`${stack}/Service`]: { tasks: [task] } },
      logs: { [`${group} worker/worker/0123`]: ['starting', 'TypeError: Invalid URL: undefined'] },
    })
    cloud.fail({
      logicalId: 'Service',
      on: 'update',
      stack,
      reason: `Error occurred during operation 'ECS Deployment Circuit Breaker was triggered'.`,
      times: 1,
    })
    const files = { [receipts]: spec.replace('backlog_target: 200', 'backlog_target: 200\n  cpu: 1024') }
    const commit = await github.push({ repository: 'acme/catalog', branch: 'crash', from: 'main', files, by: 'dev' })
    const body = { title: 'crash', head: 'crash', base: 'main' }
    const pull = Number((await github.act({ operation: 'pulls/create', by: 'dev', parameters, body }))['number'])
    const planned = await run('pull-request.yml', 'pull_request', { commit, branch: 'crash', actor: 'dev' })
    await merge(pull)
    const merged = text(lastEvent(github, 'push'), 'after')
    const failed = await run('deploy.yml', 'push', { commit: merged, branch: 'main', actor: 'mia' })
    const said = await failureOn(pull)

    expect(planned.conclusion, planned.log).toBe('success')
    expect(failed.conclusion, failed.log).toBe('failure')
    expect(cloud.stack(stack)?.status).toBe('UPDATE_ROLLBACK_COMPLETE')
    expect(said).toHaveLength(1)
    expect(said[0]).toContain('`Service` (`AWS::ECS::Service`)')
    expect(said[0]).toContain('worker: exit code 1, Essential container in task exited')
    expect(said[0]).toContain('starting\nTypeError: Invalid URL: undefined')
  })

  test('roles are refused to a job of another environment, and to one of another workflow', async () => {
    const id = rolesOf(catalog).find(({ purpose, stage }) => purpose === 'deploy' && stage === 'prod')?.arn ?? ''
    const stealing = stealingWorkflow(id)
    const files = { '.github/workflows/steal.yml': stealing }
    const commit = await github.push({ repository: 'acme/catalog', branch: 'main', files, by: 'mia' })
    cloud.forget()
    const tried = await run('steal.yml', 'push', { commit, branch: 'main', actor: 'mia' })
    const asked = cloud.requests().filter(({ service }) => service === 'sts')

    expect(tried.conclusion, tried.log).toBe('failure')
    expect(tried.jobs.map(({ id: job, result }) => `${job} ${result}`).toSorted()).toEqual([
      'elsewhere failure',
      'own failure',
      'without failure',
    ])
    expect(asked.map(({ action, code }) => `${action} ${code}`)).toEqual([
      'AssumeRoleWithWebIdentity AccessDenied',
      'AssumeRoleWithWebIdentity AccessDenied',
    ])
    expect(tried.log).toContain('Not authorized to perform sts:AssumeRoleWithWebIdentity')
    expect(tried.log).toContain('the job may not ask for an identity')
    expect(cloud.requests().filter(({ service }) => service === 'cloudformation')).toEqual([])
  })

  /** Jobs that want the role of prod: in another environment, in the right one, and without the right to ask for an identity. */
  function stealingWorkflow(role: string): string {
    const stages = catalogWorkflows(catalog).get('.github/workflows/stages.yml') ?? ''
    const uses = /uses: (aws-actions\/\S+)/.exec(stages)?.[1] ?? ''
    const job = (name: string, environment: string, permission: string): string => `
  ${name}:
    runs-on: ubuntu-latest
    environment:
      name: ${environment}
      deployment: false
    permissions: { ${permission} }
    steps:
      - uses: ${uses}
        with: { role-to-assume: '${role}', aws-region: ${region} }
      - run: echo "It was given"`
    return `on: push\npermissions: {}\njobs:${[
      job('elsewhere', 'dev', 'id-token: write'),
      job('own', 'prod', 'id-token: write'),
      job('without', 'prod', 'contents: read'),
    ].join('')}\n`
  }

  /** Somebody of the platform team approves it, and merges it. */
  async function merge(pull: number): Promise<void> {
    const at = { ...parameters, pull_number: pull }
    await github.act({ operation: 'pulls/create-review', by: 'mia', parameters: at, body: { event: 'APPROVE' } })
    await github.act({ operation: 'pulls/merge', by: 'mia', parameters: at })
  }

  /** What is said of failures on a pull request, each comment as it is now. */
  async function failureOn(pull: number): Promise<readonly string[]> {
    const { issues } = clientOf(github, { kind: 'user', login: 'mia' })
    const { data } = await issues.listComments({ ...parameters, issue_number: pull })
    return data.flatMap(({ body }) => (body?.startsWith('<!-- protium:failure') === true ? [body] : []))
  }

  /** The roles that the catalog has made for its jobs, in a session whose name leads back to the run. */
  function roles(purpose: 'plan' | 'deploy'): readonly string[] {
    const named = rolesOf(catalog).filter((role) => role.purpose === purpose)
    return named
      .map(({ arn, account }) => `arn:aws:sts::${account}:assumed-role/${arn.split('/').at(-1)}/…-1`)
      .toSorted()
  }

  function whoBy(requests: ReturnType<typeof cloud.requests>, wanted: string): readonly string[] {
    const found = requests.filter(({ action }) => action === wanted)
    return [...new Set(found.map(({ who }) => who.replace(/\/\d+-\d+-(\d+)$/, '/…-$1')))].toSorted()
  }

  async function run(
    workflow: string,
    event: 'pull_request' | 'push',
    about: { readonly commit: string; readonly branch: string; readonly actor: string },
  ): Promise<Run> {
    return runners.run({
      repository: 'acme/catalog',
      workflow: `.github/workflows/${workflow}`,
      event,
      payload: lastEvent(github, event),
      ...about,
    })
  }
})
