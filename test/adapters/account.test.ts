import { CreateStackCommand } from '@aws-sdk/client-cloudformation'
import { afterEach, describe, expect, test } from 'vitest'
import { accountOf } from '../../src/adapters/cloudformation/account.ts'
import { readCatalog } from '../../src/core/catalog.ts'
import { accessTemplates, rolesOf } from '../../src/core/trust.ts'
import type { AccountHost, Home } from '../../src/ports.ts'
import { lines, organisationFiles, treeOf } from '../core/trees.ts'
import { clientOf } from '../fakes/cloudformation/client.ts'
import { type FakeCloudFormation, startCloudFormation } from '../fakes/cloudformation/server.ts'
import { pointTo } from './cloudformation-world.ts'

const home: Home = { account: '111111111111', region: 'ap-northeast-2' }
const before = { ...process.env }

afterEach(() => {
  process.env = { ...before }
})

function hostOf(cloud: FakeCloudFormation, where = home): AccountHost {
  pointTo(cloud)
  return accountOf(where, { clock: cloud.clock, signal: new AbortController().signal })
}

function catalog() {
  const read = readCatalog(
    treeOf(organisationFiles, {
      'catalog.yaml': lines(`
        catalog: acme
        domain: example.com
        stages:
          dev:
            host: "{service}.dev.{domain}"
            environment: dev
            stack: { service_role: "arn:aws:iam::111111111111:role/protium/cloudformation-dev" }
        workflows: { actions: actions, repository: acme/catalog }
        trust: { organisation: "9", repositories: { acme/catalog: { id: "1" } } }
      `),
    }),
  )
  if (!read.ok) throw new Error(JSON.stringify(read.problems))
  return read.value
}

describe('an account', () => {
  test('tells who may take a role, as the stack of its template has made it', async () => {
    await using cloud = await startCloudFormation({ account: home.account })
    const [text] = [...accessTemplates(catalog()).values()]
    const role = rolesOf(catalog()).find(({ purpose }) => purpose === 'deploy')
    const client = clientOf(cloud, { region: home.region })
    await client.send(
      new CreateStackCommand({
        StackName: 'protium-access',
        TemplateBody: text ?? '',
        Capabilities: ['CAPABILITY_NAMED_IAM'],
      }),
    )
    await cloud.settle()

    expect(await hostOf(cloud).trustOf(role?.arn ?? '')).toEqual({ is: 'seen', value: role?.trust })
    expect(await hostOf(cloud).trustOf(`${role?.arn ?? ''}0`)).toEqual({ is: 'seen', value: undefined })
  })

  test('tells whether a bucket is there, and is its own', async () => {
    const buckets = { ours: home.account, theirs: '999999999999' }
    await using cloud = await startCloudFormation({ account: home.account, buckets })
    const host = hostOf(cloud)

    expect(await host.bucket('ours')).toEqual({ is: 'seen', value: 'there' })
    expect(await host.bucket('none')).toEqual({ is: 'seen', value: 'absent' })
    expect(await host.bucket('theirs')).toEqual({
      is: 'hidden',
      why: 'The credentials may not look at it in 111111111111',
    })
  })

  test('tells what a stack gives out', async () => {
    await using cloud = await startCloudFormation({ account: home.account })
    const client = clientOf(cloud, { region: home.region })
    const body = {
      Resources: { Jobs: { Type: 'AWS::SQS::Queue' } },
      Outputs: { NameServers: { Value: 'ns-1.aws.com,ns-2.aws.org' } },
    }
    await client.send(new CreateStackCommand({ StackName: 'env-dev', TemplateBody: JSON.stringify(body) }))
    await cloud.settle()

    expect(await hostOf(cloud).outputs('env-dev')).toEqual({
      is: 'seen',
      value: { NameServers: 'ns-1.aws.com,ns-2.aws.org' },
    })
    expect(await hostOf(cloud).outputs('env-prod')).toEqual({ is: 'seen', value: undefined })
  })

  test('of somebody else is not looked at', async () => {
    await using cloud = await startCloudFormation({ account: '999999999999' })

    expect(await hostOf(cloud).bucket('ours')).toMatchObject({
      is: 'hidden',
      why: 'The credentials are not those of 111111111111',
    })
  })

  test('without credentials is not looked at, and it is said what would help', async () => {
    await using cloud = await startCloudFormation({ account: home.account })
    const host = hostOf(cloud)
    delete process.env['AWS_ACCESS_KEY_ID']

    expect(await host.trustOf('arn:aws:iam::111111111111:role/protium/x')).toEqual({
      is: 'hidden',
      why: 'There are no credentials for 111111111111',
      fix: 'Have credentials of 111111111111 in the environment, or say `credentials: { profile: … }` in the environment’s file.',
    })
  })
})
