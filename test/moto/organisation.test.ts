import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { FileTree } from '../../src/core/tree.ts'
import { sampleCatalog } from '../e2e/runner.ts'
import { terminal } from '../e2e/terminal.ts'
import { isMotoInstalled, type Moto, startMoto } from './moto.ts'

const network = readFileSync(join(import.meta.dirname, 'network.yaml'), 'utf8')
const region = 'ap-northeast-2'
const accounts = ['111111111111', '222222222222', '333333333333'] as const

const jobs = `AWSTemplateFormatVersion: '2010-09-09'
Description: 'Jobs of {{ service.name }} in {{ service_instance.name }}'
Resources:
  Queue:
    Type: AWS::SQS::Queue
    DeletionPolicy: Retain
    UpdateReplacePolicy: Retain
    Properties:
      QueueName: {{ service.name }}-{{ service_instance.name }}
      KmsMasterKeyId: {{ environment.outputs.KeyArn }}
      VisibilityTimeout: {{ service_instance.inputs.timeout_seconds }}
  Where:
    Type: AWS::SSM::Parameter
    Properties:
      Name: /{{ service.name }}/subnets
      Type: String
      Value: '{{ environment.outputs.PrivateSubnetIds }}'
Outputs:
  QueueUrl: { Value: !Ref Queue }
`

/** The stages, hosts and environments of the sample, a network of what moto knows, and one service that builds on it. */
function organisation(): FileTree {
  const files = new Map<string, string>()
  for (const [path, text] of sampleCatalog()) {
    if (path.startsWith('services/') || path.includes('/examples/') || path.startsWith('.github/')) continue
    const account = /^account: "(\d{12})"$/m.exec(text)?.[1]
    const inCloud = `provisioner: cloudformation\ncredentials: { role: "arn:aws:iam::${account}:role/deploy" }`
    files.set(path, path.startsWith('environments/') ? text.replace(/^provisioner: local.*$/m, inCloud) : text)
  }
  files.set('templates/vpc-fargate/v1/infrastructure/cloudformation.yaml', network)
  const bundle = 'templates/jobs/v1'
  files.set('templates/jobs/template.yaml', 'template: jobs\nkind: service\nversions: { v1: 1.0.0 }\n')
  files.set(
    `${bundle}/schema/schema.yaml`,
    'schema:\n  format: { openapi: "3.0.0" }\n  service_input_type: Jobs\n  types:\n    Jobs:\n      type: object\n      properties: { timeout_seconds: { type: integer, default: 30 } }\n',
  )
  files.set(`${bundle}/.compatible-envs`, 'vpc-fargate:1\n')
  files.set(
    `${bundle}/instance_infrastructure/manifest.yaml`,
    'infrastructure:\n  templates: [{ file: cloudformation.yaml, rendering_engine: jinja, template_language: cloudformation }]\n',
  )
  files.set(`${bundle}/instance_infrastructure/cloudformation.yaml`, jobs)
  files.set(
    'services/receipts/service.yaml',
    'service: receipts\ntemplate: jobs@1.0.0\nstages: { dev: {}, staging: {}, prod: {} }\n',
  )
  return files
}

describe.skipIf(!isMotoInstalled)('an organisation against moto (npm run setup:moto installs it)', () => {
  const folder = mkdtempSync(join(tmpdir(), 'protium-moto-organisation-'))
  let moto: Moto

  beforeAll(async () => {
    moto = await startMoto()
    for (const [path, text] of organisation()) {
      mkdirSync(dirname(join(folder, path)), { recursive: true })
      writeFileSync(join(folder, path), text)
    }
  }, 60_000)
  afterAll(async () => {
    await moto.close()
    rmSync(folder, { recursive: true, force: true })
  })

  /** What a service of moto says in an account, asked with the credentials of that account's role. */
  async function ask(account: string, service: string, words: Readonly<Record<string, string>>): Promise<string> {
    const as = async (key: string, of: string, body: Readonly<Record<string, string>>): Promise<string> => {
      const authorization = `AWS4-HMAC-SHA256 Credential=${key}/20260101/${region}/${of}/aws4_request, SignedHeaders=host, Signature=0`
      const headers = { 'content-type': 'application/x-www-form-urlencoded', authorization }
      return (await fetch(`${moto.url}/`, { method: 'POST', headers, body: new URLSearchParams(body) })).text()
    }
    const role = `arn:aws:iam::${account}:role/deploy`
    const session = { Action: 'AssumeRole', Version: '2011-06-15', RoleArn: role, RoleSessionName: 'test' }
    const key = /<AccessKeyId>([^<]+)</.exec(await as('test', 'sts', session))?.[1] ?? ''
    return as(key, service, words)
  }

  test('environments and services deploy through three accounts, with what the environments give out', async () => {
    const env = { AWS_ENDPOINT_URL: moto.url, AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' }
    const protium = terminal({ folder, env })
    const deployed = await protium('deploy', '--yes', '--plain')
    const again = await protium('deploy', '--yes', '--plain')

    expect(deployed, deployed.out + deployed.error).toMatchObject({ code: 0 })
    expect(again, again.out + again.error).toMatchObject({ code: 0 })
    expect(again.out).not.toMatch(/\bdeployed\b/)
    for (const [index, stage] of ['dev', 'staging', 'prod'].entries()) {
      const account = accounts[index] ?? ''
      const queues = await ask(account, 'sqs', { Action: 'ListQueues', Version: '2012-11-05' })
      const subnets = await ask(account, 'ec2', { Action: 'DescribeSubnets', Version: '2016-11-15' })
      const named = await ask(account, 'cloudformation', {
        Action: 'GetTemplate',
        Version: '2010-05-15',
        StackName: `receipts-${stage}`,
      })
      const given = /subnet-[0-9a-f]+,subnet-[0-9a-f]+/.exec(named)?.[0].split(',') ?? []

      expect(queues).toContain(`/${account}/receipts-${stage}`)
      expect(given).toHaveLength(2)
      for (const subnet of given) expect(subnets).toContain(subnet)
    }
  }, 120_000)
})
