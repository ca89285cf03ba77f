import { describe, expect, test } from 'vitest'
import { readCatalog } from '../../../src/core/catalog.ts'
import { readOrganisation } from '../../../src/core/organisation.ts'
import { lines, organisationFiles, treeOf } from '../trees.ts'

function catalogWith({ dev = '', prod = '', more = '' }: { dev?: string; prod?: string; more?: string }) {
  return treeOf(organisationFiles, {
    'catalog.yaml': lines(`
      catalog: acme
      domain: example.com
      stages:
        dev: { host: "{service}.dev.{domain}", environment: dev${dev === '' ? '' : `, stack: ${dev}`} }
        prod: { host: "{service}.{domain}", environment: prod, production: true${prod === '' ? '' : `, stack: ${prod}`} }
      ${more}
    `),
  })
}

function optionsOf(tree: ReturnType<typeof treeOf>) {
  const read = readOrganisation(tree, () => undefined)
  if (!read.ok) throw new Error(JSON.stringify(read.problems))
  return Object.fromEntries(read.value.units.map(({ id, options }) => [id, options]))
}

const alarm = 'arn:aws:cloudwatch:ap-northeast-2:111111111111:alarm:errors'

describe('stacks of a stage', () => {
  test('are protected in production if nothing is said', () => {
    expect(optionsOf(catalogWith({}))).toEqual({
      'environment/dev': {},
      'checkout/dev': {},
      'environment/prod': { terminationProtection: true },
      'checkout/prod': { terminationProtection: true },
    })
  })

  test('are what the catalog says', () => {
    const policy = '{ Statement: [{ Effect: Allow, Action: "Update:*", Principal: "*", Resource: "*" }] }'
    const dev = `{ termination_protection: false, mode: express, service_role: "arn:aws:iam::111111111111:role/cfn", stack_policy: ${policy}, capabilities: [CAPABILITY_IAM] }`

    const options = optionsOf(catalogWith({ dev, prod: '{ termination_protection: false }' }))

    expect(options['checkout/dev']).toEqual({
      terminationProtection: false,
      mode: 'express',
      serviceRole: 'arn:aws:iam::111111111111:role/cfn',
      stackPolicy: { Statement: [{ Effect: 'Allow', Action: 'Update:*', Principal: '*', Resource: '*' }] },
      capabilities: ['CAPABILITY_IAM'],
    })
    expect(options['environment/dev']).toEqual(options['checkout/dev'])
    expect(options['checkout/prod']).toMatchObject({ terminationProtection: false })
  })

  test('may be rolled back by alarms', () => {
    const dev = `{ rollback_alarms: { alarms: ["${alarm}"], minutes: 5 } }`

    expect(optionsOf(catalogWith({ dev }))['checkout/dev']).toMatchObject({
      rollback: { alarms: [alarm], minutes: 5 },
    })
  })

  test('of a component get no capability but those that the catalog names', () => {
    const component = {
      'templates/web/v1/.template-registration.yaml': lines(`
        compatible_environments: [net:1]
        supported_component_sources: [DIRECTLY_DEFINED]
      `),
      'templates/web/v1/.compatible-envs': undefined,
      'services/checkout/component/manifest.yaml': organisationFiles['templates/net/v1/infrastructure/manifest.yaml'],
      'services/checkout/component/cloudformation.yaml': 'Resources: {}\n',
    }
    const of = (dev: string) =>
      optionsOf(treeOf(Object.fromEntries(catalogWith({ dev })), component))['checkout/dev/component']

    expect(of('')).toEqual({ capabilities: [] })
    expect(of('{ capabilities: [CAPABILITY_IAM] }')).toEqual({ capabilities: ['CAPABILITY_IAM'] })
  })

  test.each([
    ['prod', '{ mode: express }', 'stack-option', 'is a production stage'],
    ['dev', `{ mode: express, rollback_alarms: { alarms: ["${alarm}"] } }`, 'stack-option', 'express mode ends it'],
    ['dev', '{ service_role: "arn:aws:iam::222222222222:role/cfn" }', 'stack-option', 'the account 222222222222'],
    ['dev', `{ rollback_alarms: { alarms: ["${alarm.replace('ap-', 'eu-')}"] } }`, 'stack-option', 'eu-northeast-2'],
    ['dev', '{ stack_policy: { Statement: [{ Effect: Deny }] } }', 'stack-option', 'allows nothing'],
    [
      'dev',
      `{ stack_policy: { Statement: [{ Effect: Allow, Resource: "${'x'.repeat(17_000)}" }] } }`,
      'stack-option',
      'bytes',
    ],
    ['dev', '{ rollback_alarms: { alarms: [] } }', 'wrong-value', 'alarms'],
    ['dev', `{ rollback_alarms: { alarms: ["${alarm}"], minutes: 181 } }`, 'wrong-value', 'minutes'],
    ['dev', '{ capabilities: [CAPABILITY_EVERYTHING] }', 'wrong-value', 'capabilities'],
    ['dev', '{ service_role: deploy }', 'wrong-value', 'service_role'],
    ['dev', '{ termination: true }', 'unknown-key', 'termination'],
    ['dev', '{ mode: fast }', 'wrong-value', 'mode'],
  ])('in %s cannot be %s', (stage, stack, code, words) => {
    const read = readCatalog(catalogWith({ [stage]: stack }))

    expect(read.problems).toMatchObject([{ code, at: { file: 'catalog.yaml', line: stage === 'dev' ? 4 : 5 } }])
    expect(read.problems[0]?.message).toContain(words)
  })
})

describe('a catalog', () => {
  test('may say which types hold data besides, and which are not guarded; and who owns what a terminal deploys', () => {
    const more = 'guard: { types: [Acme::Store::Table], release: [AWS::SQS::Queue] }\n      owner: "1296269"'

    const read = readCatalog(catalogWith({ more }))

    expect(read.problems).toEqual([])
    expect(read.ok && read.value).toMatchObject({
      owner: '1296269',
      guard: { types: ['Acme::Store::Table'], release: ['AWS::SQS::Queue'] },
    })
  })

  test.each(['guard: { types: [Table] }', 'guard: { type: [] }', 'owner: 1296269'])('is refused with %s', (more) => {
    expect(readCatalog(catalogWith({ more })).ok).toBe(false)
  })
})

describe('an environment', () => {
  const environment = (more: string) =>
    readCatalog(
      treeOf(organisationFiles, {
        'environments/dev.yaml': `${organisationFiles['environments/dev.yaml'] ?? ''}${more}\n`,
      }),
    )

  test.each([
    ['credentials: { profile: dev }', { credentials: { is: 'profile', profile: 'dev' } }],
    [
      'credentials: { role: "arn:aws:iam::111111111111:role/deploy" }',
      { credentials: { is: 'role', role: 'arn:aws:iam::111111111111:role/deploy' } },
    ],
    ['template_bucket: acme-templates', { templateBucket: 'acme-templates' }],
  ])('may say %s', (more, expected) => {
    const read = environment(more)

    expect(read.problems).toEqual([])
    expect(read.ok && read.value.environments.get('dev')).toMatchObject(expected)
  })

  test.each([
    ['credentials: { role: "arn:aws:iam::222222222222:role/deploy" }', 'wrong-account'],
    ['credentials: { profile: dev, role: "arn:aws:iam::111111111111:role/deploy" }', 'wrong-value'],
    ['credentials: {}', 'wrong-value'],
    ['credentials: { key: AKIA }', 'unknown-key'],
    ['template_bucket: Acme', 'wrong-value'],
    ['acknowledge: [Orders/Table]', 'wrong-value'],
  ])('may not say %s', (more, code) => {
    expect(environment(more).problems.map((problem) => problem.code)).toEqual([code])
  })
})

describe('what is acknowledged', () => {
  test('is that of the service and that of the stage, each where it is written; an environment has its own', () => {
    const read = readOrganisation(
      treeOf(organisationFiles, {
        'services/checkout/service.yaml': lines(`
          service: checkout
          template: web@1.4.2
          hosts: [checkout.dev.example.com, checkout.example.com]
          acknowledge: [Queue]
          pipeline: { acknowledge: [Artifacts] }
          stages:
            prod: { acknowledge: [Table] }
        `),
        'environments/dev.yaml': `${organisationFiles['environments/dev.yaml'] ?? ''}acknowledge: [Zone]\n`,
      }),
      () => undefined,
    )
    if (!read.ok) throw new Error(JSON.stringify(read.problems))

    const found = read.value.units.map(({ id, acknowledged }) => [
      id,
      [...acknowledged].map(([name, { line }]) => `${name}:${line}`).join(' '),
    ])

    expect(Object.fromEntries(found)).toEqual({
      'environment/dev': 'Zone:5',
      'environment/prod': '',
      'checkout/dev': 'Queue:4',
      'checkout/prod': 'Queue:4 Table:7',
      'checkout/pipeline': 'Artifacts:5',
    })
  })
})
