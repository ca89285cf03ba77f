import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readCatalog } from '../../src/core/catalog.ts'
import type { FileTree } from '../../src/core/tree.ts'
import { catalogWorkflows } from '../../src/core/workflows.ts'
import { type FakeCloudFormation, realClock, startCloudFormation } from '../fakes/cloudformation/server.ts'
import { clientOf } from '../fakes/github/client.ts'
import { text } from '../fakes/github/json.ts'
import { type GitHub, startGitHub } from '../fakes/github/server.ts'
import { act } from './act.ts'
import { type Run, type Runners, sampleCatalog, startRunners } from './runner.ts'
import { terminal } from './terminal.ts'

const receipts = 'services/receipts/service.yaml'
const accounts = { dev: '111111111111', staging: '222222222222', prod: '333333333333' } as const
const stages = ['dev', 'staging', 'prod'] as const
const region = 'ap-northeast-2'

/** The sample organisation, in accounts of its own. `more` is what its environments say besides. */
function organisation(more: (stage: string) => string = () => ''): FileTree {
  const files = new Map(
    [...sampleCatalog()].map(([path, content]): [string, string] => {
      const stage = /^environments\/(.+)\.yaml$/.exec(path)?.[1]
      return [path, stage === undefined ? content : inTheCloud(content, more(stage))]
    }),
  )
  const catalog = readCatalog(files)
  if (!catalog.ok) throw new Error(catalog.problems.map(({ message }) => message).join('\n'))
  return new Map([...files, ...catalogWorkflows(catalog.value)])
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
async function cloudOf(seconds: (resource: { readonly logicalId: string }) => number): Promise<FakeCloudFormation> {
  return startCloudFormation({ clock: realClock({ pace: 50 }), durations: seconds, changeSetSeconds: 4 })
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
  let github: GitHub
  let cloud: FakeCloudFormation
  let runners: Runners

  beforeAll(async () => {
    cloud = await cloudOf(() => 3)
    github = await startGitHub({
      organisation: 'acme',
      members: { mia: 'admin', dev: 'member' },
      teams: { platform: { members: ['mia'], repositories: { catalog: 'admin' } } },
      repositories: { catalog: { files: sample } },
    })
    runners = await startRunners({
      github,
      catalog: 'acme/catalog',
      by: 'mia',
      env: { AWS_ENDPOINT_URL: cloud.url },
      roles: Object.fromEntries(
        stages.flatMap((stage) =>
          [stage, `${stage}-plan`].map((name) => [name, `arn:aws:iam::${accounts[stage]}:role/${name}`]),
        ),
      ),
    })
    // The environments, and receipts as it is, are there already: somebody has deployed them from a terminal for this repository.
    write(
      folder,
      organisation((stage) => `\ncredentials: { role: "arn:aws:iam::${accountOf(stage)}:role/deploy" }`),
    )
    const { id } = await github.act({ operation: 'repos/get', by: 'mia', parameters })
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
    const planned = await run('plan.yml', 'pull_request', { commit, branch: 'longer', actor: 'dev' })
    const forPlan = cloud.requests()
    const left = cloud.stacks().flatMap(({ changeSets }) => changeSets.map(({ name }) => name))
    cloud.forget()
    const { issues } = clientOf(github, { kind: 'user', login: 'mia' })
    const comments = await issues.listComments({ ...parameters, issue_number: pull })
    await github.act({ operation: 'pulls/merge', by: 'mia', parameters: { ...parameters, pull_number: pull } })
    const merged = text(lastEvent('push'), 'after')
    const deployed = await run('deploy.yml', 'push', { commit: merged, branch: 'main', actor: 'mia' })
    const executed = cloud.requests().filter(({ action }) => action === 'ExecuteChangeSet')

    expect(planned.conclusion, planned.log).toBe('success')
    expect(comments.data.map(({ user }) => user?.login)).toEqual(['github-actions[bot]'])
    expect(comments.data[0]?.body).toMatch(/Queue/)
    expect(whoBy(forPlan, 'CreateChangeSet')).toEqual(roles((stage) => `${stage}-plan`))
    expect(whoBy(forPlan, 'ExecuteChangeSet')).toEqual([])
    expect(left).toEqual([])
    expect(deployed.conclusion, deployed.log).toBe('success')
    expect(deployed.jobs.map(({ id }) => id)).toEqual(['validate', 'dev', 'staging', 'prod'])
    expect(executed.map(({ account }) => account)).toEqual(stages.map((stage) => accounts[stage]))
    expect(whoBy(executed, 'ExecuteChangeSet')).toEqual(roles((stage) => stage))
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
    const planned = await run('plan.yml', 'pull_request', { commit, branch: 'odd', actor: 'dev' })
    await github.act({ operation: 'pulls/merge', by: 'mia', parameters: { ...parameters, pull_number: pull } })
    const merged = text(lastEvent('push'), 'after')
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

  /** What is said of failures on a pull request, each comment as it is now. */
  async function failureOn(pull: number): Promise<readonly string[]> {
    const { issues } = clientOf(github, { kind: 'user', login: 'mia' })
    const { data } = await issues.listComments({ ...parameters, issue_number: pull })
    return data.flatMap(({ body }) => (body?.startsWith('<!-- protium:failure') === true ? [body] : []))
  }

  function roles(nameOf: (stage: string) => string): readonly string[] {
    return stages
      .map((stage) => `arn:aws:sts::${accounts[stage]}:assumed-role/${nameOf(stage)}/GitHubActions`)
      .toSorted()
  }

  function whoBy(requests: ReturnType<typeof cloud.requests>, wanted: string): readonly string[] {
    return [...new Set(requests.filter(({ action }) => action === wanted).map(({ who }) => who))].toSorted()
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
      payload: lastEvent(event),
      ...about,
    })
  }

  function lastEvent(wanted: string): ReturnType<GitHub['events']>[number]['payload'] {
    const found = github
      .events()
      .findLast(({ name, payload }) => name === wanted && (wanted !== 'push' || payload['ref'] === 'refs/heads/main'))
    if (found === undefined) throw new Error(`There is no ${wanted}`)
    return found.payload
  }
})
