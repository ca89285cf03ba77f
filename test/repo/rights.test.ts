import { spawnSync } from 'node:child_process'
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { readCatalog } from '../../src/core/catalog.ts'
import { catalogOf } from '../../scripts/generate-workflows.ts'
import { accessTemplates, rolesOf } from '../../src/core/trust.ts'
import { judge } from '../../src/core/trust/evaluate.ts'
import { lines, organisationFiles, treeOf } from '../core/trees.ts'

const root = join(import.meta.dirname, '../..')
const account = '111111111111'
const serviceRole = `arn:aws:iam::${account}:role/protium/cloudformation-dev`

/** Every call to AWS in the sources, as the action of IAM that it takes. */
const calls = [
  ...new Set(
    globSync('src/adapters/**/*.ts', { cwd: root }).flatMap((file) => {
      const text = readFileSync(join(root, file), 'utf8')
      return [...text.matchAll(/\bnew ([A-Z][A-Za-z]+)Command\(/g)].map(([, name = '']) => actionOf(name))
    }),
  ),
].toSorted((a, b) => (a < b ? -1 : 1))

function actionOf(name: string): string {
  const services: readonly (readonly [service: string, names: RegExp])[] = [
    ['ecs', /^(DescribeServices|DescribeTask.*|ListTasks)$/],
    ['lambda', /^GetFunction/],
    ['elasticloadbalancing', /Target/],
    ['logs', /Log(Streams|Events)$/],
    ['cloudtrail', /^LookupEvents$/],
    ['iam', /^GetRole$/],
    ['s3', /Object$|Bucket$/],
    ['sts', /^GetCallerIdentity$/],
  ]
  const service = services.find(([, names]) => names.test(name))?.[0] ?? 'cloudformation'
  // To look at the head of an object is to read it, and at that of a bucket to list it: there are no rights of those names.
  return `${service}:${name.replace('HeadObject', 'GetObject').replace('HeadBucket', 'ListBucket')}`
}

/** What is asked from a terminal alone, by who has rights of his own; and what everybody may. */
const elsewhere: Readonly<Record<string, string>> = {
  'cloudformation:DescribeStackDriftDetectionStatus': 'drift',
  'cloudformation:DescribeStackResourceDrifts': 'drift',
  'cloudformation:DetectStackDrift': 'drift',
  'cloudtrail:LookupEvents': 'drift',
  'iam:GetRole': 'doctor',
  's3:ListBucket': 'doctor',
  'sts:GetCallerIdentity': 'needs no right',
}

function roleOf(purpose: 'plan' | 'deploy') {
  const files = treeOf(organisationFiles, {
    'environments/dev.yaml': `${organisationFiles['environments/dev.yaml'] ?? ''}template_bucket: acme-templates\n`,
    'catalog.yaml': lines(`
      catalog: acme
      domain: example.com
      stages:
        dev:
          host: "{service}.dev.{domain}"
          environment: dev
          stack: { service_role: "${serviceRole}" }
      workflows: { actions: actions, repository: acme/catalog }
      trust: { organisation: "9", repositories: { acme/catalog: { id: "1" } } }
    `),
  })
  const read = readCatalog(files)
  const found = read.ok ? rolesOf(read.value).find((role) => role.purpose === purpose) : undefined
  if (found === undefined) throw new Error(JSON.stringify(read.problems))
  return found
}

function may(purpose: 'plan' | 'deploy', action: string): boolean {
  const [service, name = ''] = action.split(':')
  const stack = `arn:aws:cloudformation:ap-northeast-2:${account}:stack/checkout-dev/1`
  const object = 'arn:aws:s3:::acme-templates/templates/1.json'
  const isOfChangeSet = name.endsWith('ChangeSet')
  return (
    judge([roleOf(purpose).permissions], {
      action,
      ...(service === 'cloudformation' ? { resource: stack } : service === 's3' ? { resource: object } : {}),
      context: {
        'aws:RequestedRegion': 'ap-northeast-2',
        ...(isOfChangeSet ? { 'cloudformation:ChangeSetName': purpose === 'plan' ? 'p-1-1-0' : 'd-1-1-0' } : {}),
        ...(name.startsWith('Create') ? { 'cloudformation:RoleArn': serviceRole } : {}),
      },
    }).is === 'allowed'
  )
}

describe('the role that deploys', () => {
  test.each(calls)('may %s, if a deployment calls it', (action) => {
    expect(may('deploy', action)).toBe(elsewhere[action] === undefined)
  })

  test('may nothing that is not called', () => {
    const called = new Set([...calls, 'cloudformation:TagResource', 'iam:PassRole'])
    const text = JSON.stringify(roleOf('deploy').permissions['Statement'])
    const named = [...text.matchAll(/"([a-z0-9]+:[A-Z][A-Za-z]+)"/g)].map(([, action = '']) => action)
    const keys = /^(aws|cloudformation|iam):(RequestedRegion|RoleArn|ChangeSetName|PassedToService|CreateAction)$/

    expect(named.length).toBeGreaterThan(20)
    expect(named.filter((action) => !called.has(action) && !keys.test(action))).toEqual([])
  })
})

test('the role that plans may call what only looks, and make change sets', () => {
  expect(calls.filter((action) => may('plan', action))).toEqual([
    'cloudformation:CreateChangeSet',
    'cloudformation:DeleteChangeSet',
    'cloudformation:DescribeChangeSet',
    'cloudformation:DescribeEvents',
    'cloudformation:DescribeStackEvents',
    'cloudformation:DescribeStacks',
    'cloudformation:GetStackPolicy',
    'cloudformation:GetTemplate',
    'cloudformation:ListStackResources',
    's3:GetObject',
    's3:PutObject',
  ])
})

test('cfn-lint finds nothing in the templates that the sample organisation would set up its accounts with', async ({
  skip,
}) => {
  const program = 'cfn-lint'
  if (spawnSync(program, ['--version']).error !== undefined) skip('cfn-lint is not installed')
  const sample = await catalogOf(root)
  const templates = accessTemplates({
    ...sample,
    environments: new Map(
      [...sample.environments].map(([name, each]) => [name, { ...each, provisioner: 'cloudformation' }]),
    ),
    stages: sample.stages.map((stage) => ({ ...stage, stack: { ...stage.stack, serviceRole } })),
    trust: {
      organisation: { name: 'acme', id: '9' },
      repositories: [
        { name: 'acme/catalog', id: '1', services: 'all', stacks: [] },
        { name: 'acme/shop', id: '2', services: ['orders'], stacks: ['old'] },
      ],
      actions: ['kms:*'],
    },
  })
  const folder = mkdtempSync(join(tmpdir(), 'protium-access-'))
  // All accounts have the same but for names: one is enough.
  const wanted = [...templates].filter(([path]) => path.includes(account))
  const files = wanted.map(([path, text]) => {
    const file = join(folder, path.replaceAll('/', '-'))
    writeFileSync(file, text)
    return file
  })
  const { stdout, status } = spawnSync(program, files, { encoding: 'utf8' })
  rmSync(folder, { recursive: true })

  expect(files).toHaveLength(2)
  expect({ stdout, status }).toEqual({ stdout: '', status: 0 })
})
