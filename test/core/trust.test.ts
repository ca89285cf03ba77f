import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { canonicalJson } from '../../src/core/canonical.ts'
import { type Catalog, readCatalog } from '../../src/core/catalog.ts'
import { type DataMap, isMap } from '../../src/core/data.ts'
import { checkPolicy } from '../../src/core/policy.ts'
import { mapIn } from '../../src/core/shape.ts'
import { checkLimits } from '../../src/core/stack/limits.ts'
import type { FileTree } from '../../src/core/tree.ts'
import { accessTemplates, type Role, rolesOf, trustProblems } from '../../src/core/trust.ts'
import { type Asked, judge, mayAssume, weaknesses } from '../../src/core/trust/evaluate.ts'
import { catalogWorkflows } from '../../src/core/workflows.ts'
import { readRendered, readYaml } from '../../src/core/yaml.ts'
import { brief, lines, organisationFiles, treeOf } from './trees.ts'
import { attacks, type Claims, claimsOf, type Job } from './trust/attacks.ts'

const accounts = { dev: '111111111111', prod: '222222222222' } as const

function filesWith(more: { readonly repositories?: string; readonly stages?: string } = {}): FileTree {
  return treeOf(organisationFiles, {
    'catalog.yaml': lines(`
      catalog: acme
      domain: example.com
      stages:
        dev:
          host: "{service}.dev.{domain}"
          environment: dev
          stack: { service_role: "arn:aws:iam::${accounts.dev}:role/protium/cloudformation-dev" }
        prod:
          host: "{service}.{domain}"
          environment: prod
          production: true
          stack: { service_role: "arn:aws:iam::${accounts.prod}:role/protium/cloudformation-prod" }
      workflows: { actions: actions, repository: acme/catalog }
      glass: { by: ["@acme/oncall"] }
      trust:
        organisation: "9919"
        repositories: ${more.repositories ?? '{ acme/catalog: { id: "100" }, acme/checkout: { id: "101" }, acme/shop: { id: "102", services: [orders, cart], stacks: [legacy-shop] } }'}
    `),
  })
}

function catalogOf(files: FileTree = filesWith()): Catalog {
  const read = readCatalog(files)
  if (!read.ok) throw new Error(read.problems.map(({ message }) => message).join('\n'))
  return read.value
}

const catalog = catalogOf()
const roles = rolesOf(catalog)
const ofJobs = roles.filter(({ purpose }) => purpose !== 'service')

/** The job that a role is for. */
function jobOf({ repository = '', stage, purpose, environment = '' }: Role, immutable: boolean, file?: string): Job {
  const repositoryId = catalog.trust?.repositories.find(({ name }) => name === repository)?.id ?? ''
  expect(environment).toBe(purpose === 'plan' ? `${stage}-plan` : stage)
  return {
    repository,
    repositoryId,
    ownerId: '9919',
    environment,
    workflow: `acme/catalog/.github/workflows/${file ?? (purpose === 'plan' ? 'plan.yml' : 'stages.yml')}@refs/heads/main`,
    ref: purpose === 'plan' ? 'refs/pull/3/merge' : 'refs/heads/main',
    immutable,
  }
}

function isTaken({ trust, account }: Role, claims: Claims): boolean {
  const provider = `arn:aws:iam::${account}:oidc-provider/token.actions.githubusercontent.com`
  return mayAssume(trust, { provider, claims }).is === 'allowed'
}

describe('the roles of a catalog', () => {
  test('are two for each repository in each stage, and one of CloudFormation for each stage', () => {
    expect(roles.map(({ arn }) => arn.replace('arn:aws:iam::', ''))).toEqual(
      (['dev', 'prod'] as const).flatMap((stage) => [
        `${accounts[stage]}:role/protium/cloudformation-${stage}`,
        ...['100', '101', '102'].flatMap((id) =>
          ['plan', 'deploy'].map((purpose) => `${accounts[stage]}:role/protium/protium-${stage}-${purpose}-${id}`),
        ),
      ]),
    )
  })

  test('are none where no stage lies in an account, and none for a catalog that trusts nobody', () => {
    const local = [...filesWith()].map(([path, text]): [string, string] => [
      path,
      path.startsWith('environments/') ? `${text}provisioner: local\n` : text,
    ])
    const { trust: _, ...without } = catalog

    expect(rolesOf(catalogOf(new Map(local)))).toEqual([])
    expect(rolesOf(without)).toEqual([])
  })

  test('are none that deploy where the catalog only plans', () => {
    const planning = {
      ...catalog,
      workflows: { actions: 'actions', repository: 'acme/catalog', deploy: false as const },
    }

    expect(new Set(rolesOf(planning).map(({ purpose }) => purpose))).toEqual(new Set(['service', 'plan']))
  })

  test('leave a service role that lies elsewhere to who has made it', () => {
    const other = [...filesWith()].map(([path, text]): [string, string] => [
      path,
      text.replace('role/protium/', 'role/'),
    ])

    expect(rolesOf(catalogOf(new Map(other))).filter(({ purpose }) => purpose === 'service')).toHaveLength(1)
  })

  test('that are too long for IAM are told of, at the repository', () => {
    const services = Array.from({ length: 60 }, (_, index) => `service-with-a-long-name-${index}`).join(', ')
    const files = filesWith({
      repositories: `{ acme/catalog: { id: "100" }, acme/many: { id: "101", services: [${services}] } }`,
    })

    const problems = trustProblems(catalogOf(files))

    expect([...new Set(brief(problems))]).toEqual(['trust-too-long catalog.yaml:17'])
    expect(problems[0]?.message).toMatch(/what it may do fills \d+ characters, and 10240 are the most/)
    expect(trustProblems(catalog)).toEqual([])
  })

  test('cannot make the roles of templates that have no boundary, which is told at their line', () => {
    const template = 'templates/net/v1/infrastructure/cloudformation.yaml'
    const files = (more: string): FileTree =>
      treeOf(Object.fromEntries(filesWith()), { [template]: `Resources:\n  R:\n    Type: AWS::IAM::Role\n${more}` })

    expect(brief(trustProblems(catalogOf(files(''))))).toEqual([`role-unbounded ${template}:3`])
    expect(trustProblems(catalogOf(files('    Properties: { PermissionsBoundary: x }\n')))).toEqual([])
  })
})

describe.each(ofJobs.map((role) => [role.arn.split('/').at(-1) ?? '', role] as const))('%s', (_name, role) => {
  const forms = [false, true].flatMap((immutable) => [jobOf(role, immutable), jobOf(role, immutable, 'rollback.yml')])

  test('is taken by its own jobs, whichever form their subject has', () => {
    expect(forms.map((job) => isTaken(role, claimsOf(job)))).toEqual([true, true, true, true])
  })

  test('has no weakness', () => {
    // The ref of a pull request is another one each time; what runs there is fixed by the workflow of the main branch.
    expect(weaknesses(role.trust, role.purpose === 'plan' ? ['ref'] : [])).toEqual([])
    expect(canonicalJson(role.trust)).not.toMatch(/\*|ForAllValues|StringLike|IfExists/)
  })

  test.each(attacks)('is not taken by %s', (_what, attacker) => {
    expect(forms.filter((job) => isTaken(role, claimsOf(attacker(job))))).toEqual([])
  })

  test('is not taken once any claim is another, or is missing', () => {
    const pinned = [
      'aud',
      'sub',
      'repository_id',
      'environment',
      'job_workflow_ref',
      ...(role.purpose === 'deploy' ? ['ref'] : []),
    ]
    for (const claims of forms.map(claimsOf)) {
      for (const claim of pinned) {
        const { [claim]: value = '', ...rest } = claims
        const others = [`${value}x`, value.toUpperCase(), value.slice(1), `${value}*`, '*', '']
        expect(others.filter((other) => other !== value && isTaken(role, { ...rest, [claim]: other }))).toEqual([])
        expect([claim, isTaken(role, rest)]).toEqual([claim, false])
      }
    }
  })

  test('is not taken by another provider, nor by who asks for it in another way', () => {
    const claims = claimsOf(jobOf(role, true))
    const asked = (action: string, principal: Asked['principal']): string =>
      judge([role.trust], {
        action,
        ...(principal === undefined ? {} : { principal }),
        context: Object.fromEntries(
          Object.entries(claims).map(([name, value]) => [`token.actions.githubusercontent.com:${name}`, value]),
        ),
      }).is

    const elsewhere = 'arn:aws:iam::999999999999:oidc-provider/token.actions.githubusercontent.com'
    expect(asked('sts:AssumeRoleWithWebIdentity', { kind: 'Federated', name: elsewhere })).toBe('denied')
    expect(asked('sts:AssumeRole', { kind: 'AWS', name: `arn:aws:iam::${role.account}:root` })).toBe('denied')
  })
})

test('no job can take the role of another job, whatever two of them are put together from', () => {
  const jobs = ofJobs.flatMap((role) => [jobOf(role, false), jobOf(role, true)])
  const job = fc.record({
    repository: fc.constantFrom(...jobs.map((each) => each.repository)),
    repositoryId: fc.constantFrom(...jobs.map((each) => each.repositoryId), '777'),
    ownerId: fc.constantFrom('9919', '666'),
    environment: fc.constantFrom(...jobs.map((each) => each.environment)),
    workflow: fc.constantFrom(...jobs.map((each) => each.workflow)),
    ref: fc.constantFrom('refs/heads/main', 'refs/pull/3/merge'),
    immutable: fc.boolean(),
  })

  fc.assert(
    fc.property(fc.constantFrom(...ofJobs), job, (role, tried) => {
      const right = jobOf(role, tried.immutable)
      const same =
        canonicalJson({ ...tried, ref: '', ownerId: '' }) === canonicalJson({ ...right, ref: '', ownerId: '' }) &&
        (role.purpose === 'plan' || tried.ref === right.ref) &&
        (!tried.immutable || tried.ownerId === right.ownerId)
      expect(isTaken(role, claimsOf(tried))).toBe(same)
    }),
    { numRuns: 2000 },
  )
})

describe('what is commonly written instead', () => {
  const weak = [
    ['any repository of the organisation', `StringLike: { "X:sub": "repo:acme/*", "X:aud": sts.amazonaws.com }`],
    ['anything of the repository', `StringLike: { "X:sub": "repo:acme/catalog:*" }`],
    ['the environment by its name alone', `StringEquals: { "X:aud": sts.amazonaws.com, "X:environment": prod }`],
    ['what is there, of all', `"ForAllValues:StringEquals": { "X:repository_id": "100", "X:environment": prod }`],
  ] as const

  test.each(weak)('%s: lets attacks through, and is told of', (_what, condition) => {
    const policy = read(`
      Statement:
        - Effect: Allow
          Principal: { Federated: "arn:aws:iam::${accounts.prod}:oidc-provider/token.actions.githubusercontent.com" }
          Action: sts:AssumeRoleWithWebIdentity
          Condition: { ${condition.replaceAll('X:', 'token.actions.githubusercontent.com:')} }
    `)
    const prod = ofJobs.find(({ arn }) => arn.endsWith('protium-prod-deploy-100'))
    if (prod === undefined) throw new Error('There is no such role')
    const through = attacks.filter(([, attacker]) =>
      isTaken({ ...prod, trust: policy }, claimsOf(attacker(jobOf(prod, false)))),
    )

    expect(through.length).toBeGreaterThanOrEqual(2)
    expect(weaknesses(policy).length).toBeGreaterThanOrEqual(3)
  })
})

function read(text: string): DataMap {
  const document = readYaml('policy.yaml', lines(text), 'cloudformation')
  if (!document.ok || !isMap(document.value.data)) throw new Error(JSON.stringify(document.problems))
  return document.value.data
}

describe('the workflows of the catalog', () => {
  const files = catalogWorkflows(catalog)

  test('have a role for each job that may ask for one, and ask for that very one', () => {
    const asking = [...files].flatMap(([path, text]) => {
      const jobs: Readonly<Record<string, JobText>> = parse(text).jobs
      return Object.values(jobs).flatMap(({ environment, permissions, steps = [] }) =>
        permissions?.['id-token'] === undefined || environment === undefined
          ? []
          : [
              {
                path,
                environment: environment.name,
                role: steps.map((step) => step.with?.['role-to-assume']).find(Boolean),
              },
            ],
      )
    })

    expect(asking.length).toBeGreaterThanOrEqual(8)
    for (const { path, environment, role } of asking) {
      for (const { id, name } of catalog.trust?.repositories ?? []) {
        const arn = String(role).replace('${{ github.repository_id }}', id)
        const found = roles.find((each) => each.arn === arn)
        if (found === undefined) throw new Error(`${path} asks for ${arn}`)
        const ref = found.purpose === 'plan' ? 'refs/pull/3/merge' : 'refs/heads/main'
        const workflow = `acme/catalog/${path}@refs/heads/main`
        const job = { repository: name, repositoryId: id, ownerId: '9919', environment, workflow, ref, immutable: true }

        expect([path, environment, isTaken(found, claimsOf(job))]).toEqual([path, environment, true])
      }
    }
  })

  test('are called by the main branch where roles are taken, also by themselves', () => {
    const calls = [...files.values()].flatMap((text) => [...text.matchAll(/uses: (\S*\.github\/workflows\/\S+)/g)])

    expect([...new Set(calls.map(([, uses]) => uses))]).toEqual([
      'acme/catalog/.github/workflows/stages.yml@main',
      'acme/catalog/.github/workflows/plan.yml@main',
    ])
    expect(parse(files.get('.github/workflows/plan.yml') ?? '').on).toEqual({ workflow_call: null })
  })
})

type JobText = {
  readonly environment?: { readonly name: string }
  readonly permissions?: Readonly<Record<string, string>>
  readonly steps?: readonly { readonly with?: Readonly<Record<string, unknown>> }[]
}

describe('what a role may do', () => {
  const dev = 'arn:aws:cloudformation:ap-northeast-2:111111111111:stack'
  const serviceRole = 'arn:aws:iam::111111111111:role/protium/cloudformation-dev'

  function may(
    name: string,
    action: string,
    about: Omit<Asked, 'action' | 'context'> & { context?: Asked['context'] },
  ) {
    const role = roles.find(({ arn }) => arn.endsWith(name))
    if (role === undefined) throw new Error(`There is no role ${name}`)
    const context = { 'aws:RequestedRegion': 'ap-northeast-2', ...about.context }
    return judge([role.permissions], { ...about, action: `cloudformation:${action}`, context }).is
  }

  const executing = ['ExecuteChangeSet', 'CreateStack', 'UpdateStack', 'DeleteStack', 'RollbackStack', 'SetStackPolicy']

  test.each(executing)('%s: not of who plans, whatever comes with it', (action) => {
    const context = { 'cloudformation:ChangeSetName': 'p-1-1-00000000', 'cloudformation:RoleArn': serviceRole }

    for (const id of ['100', '101', '102'])
      for (const stack of ['env-dev', 'checkout-dev', 'orders-dev'])
        expect(may(`dev-plan-${id}`, action, { resource: `${dev}/${stack}/1`, context })).toBe('denied')
  })

  test.each(['DescribeStacks', 'GetTemplate', 'DescribeStackEvents'])('%s: of both, on their own stacks', (action) => {
    for (const purpose of ['plan', 'deploy']) {
      expect(may(`dev-${purpose}-101`, action, { resource: `${dev}/checkout-dev/1` })).toBe('allowed')
      expect(may(`dev-${purpose}-101`, action, { resource: `${dev}/orders-dev/1` })).toBe('denied')
      expect(may(`dev-${purpose}-102`, action, { resource: `${dev}/legacy-shop/1` })).toBe('allowed')
      expect(may(`dev-${purpose}-100`, action, { resource: `${dev}/orders-dev/1` })).toBe('allowed')
      expect(may(`dev-${purpose}-100`, action, { resource: `${dev}/env-dev/1` })).toBe('allowed')
      expect(may(`dev-${purpose}-100`, action, { resource: `${dev}/somebody-else/1` })).toBe('denied')
    }
  })

  test('a service reads what its environment gives out, and no more of it', () => {
    const resource = `${dev}/env-dev/1`

    expect(may('dev-deploy-101', 'DescribeStacks', { resource })).toBe('allowed')
    expect(may('dev-deploy-101', 'GetTemplate', { resource })).toBe('denied')
    expect(may('dev-deploy-101', 'DeleteStack', { resource })).toBe('denied')
  })

  test('change sets are made with the service role of the stage, and by plans only under the names of plans', () => {
    const made = (role: string, name: string, serviceRoleArn?: string): string =>
      may(role, 'CreateChangeSet', {
        resource: `${dev}/checkout-dev/1`,
        context: {
          'cloudformation:ChangeSetName': name,
          ...(serviceRoleArn === undefined ? {} : { 'cloudformation:RoleArn': serviceRoleArn }),
        },
      })

    expect(made('dev-plan-101', 'p-1-1-00000000', serviceRole)).toBe('allowed')
    expect(made('dev-plan-101', 'd-1-1-00000000', serviceRole)).toBe('denied')
    expect(made('dev-plan-101', 'p-1-1-00000000')).toBe('denied')
    expect(made('dev-deploy-101', 'd-1-1-00000000', serviceRole)).toBe('allowed')
    expect(made('dev-deploy-101', 'd-1-1-00000000', 'arn:aws:iam::111111111111:role/admin')).toBe('denied')
  })

  test('only change sets of deployments are executed, by their name or by their ARN', () => {
    const executed = (name: string): string =>
      may('dev-deploy-101', 'ExecuteChangeSet', {
        resource: `${dev}/checkout-dev/1`,
        context: { 'cloudformation:ChangeSetName': name },
      })

    expect(executed('d-1-1-00000000')).toBe('allowed')
    expect(executed('arn:aws:cloudformation:ap-northeast-2:111111111111:changeSet/d-1-1-0/9')).toBe('allowed')
    expect(executed('p-1-1-00000000')).toBe('denied')
    expect(executed('by-hand')).toBe('denied')
  })

  test('nothing is done in another region', () => {
    const elsewhere = { 'aws:RequestedRegion': 'us-east-1' }

    expect(may('dev-deploy-101', 'DeleteStack', { resource: `${dev}/checkout-dev/1`, context: elsewhere })).toBe(
      'denied',
    )
  })

  test('a role is handed to CloudFormation alone, and only the one of the stage', () => {
    for (const { permissions, purpose, stage } of ofJobs) {
      const passed = (resource: string, to: string): string =>
        judge([permissions], { action: 'iam:PassRole', resource, context: { 'iam:PassedToService': to } }).is
      const own = `arn:aws:iam::${stage === 'dev' ? accounts.dev : accounts.prod}:role/protium/cloudformation-${stage}`

      expect([purpose, passed(own, 'cloudformation.amazonaws.com')]).toEqual([purpose, 'allowed'])
      expect(passed(own, 'ec2.amazonaws.com')).toBe('denied')
      expect(passed(own.replace('cloudformation-', 'admin-'), 'cloudformation.amazonaws.com')).toBe('denied')
    }
  })

  test('CloudFormation makes roles only inside of the boundary, and never touches what holds it all', () => {
    const files = treeOf(Object.fromEntries(filesWith()), {
      'templates/net/v1/infrastructure/cloudformation.yaml':
        'Resources: { R: { Type: AWS::IAM::Role }, Q: { Type: AWS::SQS::Queue } }\n',
    })
    const service = rolesOf(catalogOf(files)).find(({ purpose }) => purpose === 'service')
    const asked = (action: string, resource: string, context: Asked['context'] = {}): string =>
      judge([service?.permissions ?? {}], { action, resource, context }).is
    const boundary = 'arn:aws:iam::111111111111:policy/protium/protium-boundary'
    const role = 'arn:aws:iam::111111111111:role/checkout-dev-Task'

    expect(asked('iam:CreateRole', role)).toBe('denied')
    expect(asked('iam:CreateRole', role, { 'iam:PermissionsBoundary': boundary })).toBe('allowed')
    expect(asked('iam:PutRolePolicy', role, { 'iam:PermissionsBoundary': `${boundary}-none` })).toBe('denied')
    expect(asked('iam:DeleteRolePermissionsBoundary', role)).toBe('denied')
    expect(asked('iam:DeleteRole', 'arn:aws:iam::111111111111:role/protium/protium-dev-deploy-100')).toBe('denied')
    expect(asked('iam:CreatePolicyVersion', boundary)).toBe('denied')
    expect(asked('iam:CreateUser', 'arn:aws:iam::111111111111:user/me')).toBe('denied')
    expect(asked('sqs:CreateQueue', '*', { 'aws:RequestedRegion': 'ap-northeast-2' })).toBe('allowed')
    expect(asked('sqs:CreateQueue', '*', { 'aws:RequestedRegion': 'us-east-1' })).toBe('denied')
    expect(asked('rds:CreateDBInstance', '*', { 'aws:RequestedRegion': 'ap-northeast-2' })).toBe('denied')
  })
})

describe('the templates of the accounts', () => {
  const templates = [...accessTemplates(catalog)]

  test('are one for each account, and one for each service repository in it', () => {
    expect(templates.map(([path]) => path)).toEqual(
      Object.values(accounts).flatMap((account) => [
        `accounts/${account}.yaml`,
        `accounts/${account}/checkout.yaml`,
        `accounts/${account}/shop.yaml`,
      ]),
    )
  })

  test.each(templates)('%s is a template as CloudFormation takes it, by the rules that hold for all', (path, text) => {
    const rendered = readRendered(path, text)
    const own = readYaml(path, text, 'cloudformation')
    if (!rendered.ok || !own.ok || !isMap(own.value.data)) throw new Error(JSON.stringify(own.problems))

    expect(own.problems).toEqual([])
    expect(canonicalJson(rendered.value.data)).toBe(canonicalJson(own.value.data))
    expect(checkLimits(own.value.data, (at) => own.value.place(at))).toEqual([])
    expect(checkPolicy(own.value.data, (at) => own.value.place(at))).toEqual([])
  })

  test('have each role once, as it was judged', () => {
    const made = templates.flatMap(([path, text]) => {
      const { data } = readOk(path, text)
      return Object.values(mapIn(data, 'Resources') ?? {}).flatMap((each) =>
        isMap(each) && each['Type'] === 'AWS::IAM::Role' ? [mapIn(each, 'Properties') ?? {}] : [],
      )
    })

    expect(made).toHaveLength(roles.length)
    expect(new Set(made.map((each) => each['RoleName']))).toEqual(
      new Set(roles.map(({ arn }) => arn.split('/').at(-1))),
    )
    for (const role of roles) {
      const properties = made.find((each) => each['RoleName'] === role.arn.split('/').at(-1)) ?? {}
      expect(properties['Path']).toBe('/protium/')
      expect(properties['AssumeRolePolicyDocument']).toEqual(role.trust)
      expect(properties['Policies']).toMatchObject([{ PolicyDocument: role.permissions }])
      expect(properties['PermissionsBoundary']).toEqual(role.purpose === 'service' ? { Ref: 'Boundary' } : undefined)
    }
  })

  test('do not depend on the order in which files are read', () => {
    expect([...accessTemplates(catalogOf(new Map([...filesWith()].toReversed())))]).toEqual(templates)
  })
})

function readOk(path: string, text: string): { readonly data: DataMap } {
  const document = readYaml(path, text, 'cloudformation')
  if (!document.ok || !isMap(document.value.data)) throw new Error(JSON.stringify(document.problems))
  return { data: document.value.data }
}
