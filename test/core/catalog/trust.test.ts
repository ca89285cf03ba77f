import { describe, expect, test } from 'vitest'
import { readCatalog } from '../../../src/core/catalog.ts'
import type { Trust } from '../../../src/core/catalog/trust.ts'
import type { Problem } from '../../../src/core/problem.ts'
import { brief, lines, organisationFiles, treeOf } from '../trees.ts'

type Wanted = {
  readonly trust?: string
  readonly role?: boolean
  readonly workflows?: string
  readonly provisioner?: string
}

function read({ trust, role = true, workflows = 'repository: acme/catalog', provisioner = 'cloudformation' }: Wanted): {
  readonly trust: Trust | undefined
  readonly problems: readonly Problem[]
} {
  const environment = organisationFiles['environments/dev.yaml'] ?? ''
  const files = treeOf(organisationFiles, {
    'environments/dev.yaml': `${environment}provisioner: ${provisioner}\n`,
    'catalog.yaml': lines(`
      catalog: acme
      domain: example.com
      stages:
        dev:
          host: "{service}.dev.{domain}"
          environment: dev
          ${role ? 'stack: { service_role: "arn:aws:iam::111111111111:role/protium/cfn" }' : ''}
      workflows: { actions: actions, ${workflows} }
      trust: ${trust ?? '{ organisation: "9919", repositories: { acme/catalog: { id: "100" } } }'}
    `),
  })
  const catalog = readCatalog(files)
  return { trust: catalog.ok ? catalog.value.trust : undefined, problems: catalog.problems }
}

describe('who may work in the accounts', () => {
  test('is read with what each deploys: the catalog all, a service repository what it is called', () => {
    const repositories =
      '{ acme/checkout: { id: "101" }, acme/shop: { id: "102", services: [orders], stacks: [old-orders] }, acme/catalog: { id: "100" } }'

    expect(read({ trust: `{ organisation: "9919", repositories: ${repositories}, actions: ["kms:*"] }` })).toEqual({
      problems: [],
      trust: {
        organisation: { name: 'acme', id: '9919' },
        repositories: [
          { name: 'acme/catalog', id: '100', services: 'all', stacks: [] },
          { name: 'acme/checkout', id: '101', services: ['checkout'], stacks: [] },
          { name: 'acme/shop', id: '102', services: ['orders'], stacks: ['old-orders'] },
        ],
        actions: ['kms:*'],
      },
    })
  })

  test.each([
    [
      'a number that is no text',
      '{ organisation: 9919, repositories: { acme/catalog: { id: "100" } } }',
      'organisation',
    ],
    ['a name that is no repository', '{ organisation: "1", repositories: { catalog: { id: "100" } } }', 'owner/name'],
    ['no number', '{ organisation: "1", repositories: { acme/catalog: {} } }', 'id'],
    ['a wildcard', '{ organisation: "1", repositories: { "acme/*": { id: "100" } } }', 'owner/name'],
    ['another key', '{ organisation: "1", repositories: { acme/catalog: { id: "1", branch: x } } }', 'branch'],
    [
      'an action that is none',
      '{ organisation: "1", repositories: { acme/catalog: { id: "1" } }, actions: ["*"] }',
      'IAM',
    ],
  ])('is not read from %s', (_what, trust, word) => {
    const { problems } = read({ trust })

    expect(problems.map(({ severity }) => severity)).toContain('error')
    expect(problems.map(({ message, expected }) => `${message} ${expected}`).join('\n')).toContain(word)
  })

  test('wants a service role of each stage in an account, and says which', () => {
    const { problems } = read({ role: false })

    expect(brief(problems)).toEqual(['missing-key catalog.yaml:4'])
    expect(problems[0]?.remedy).toContain('role/protium/cloudformation-dev')
    expect(read({ role: false, provisioner: 'local' }).problems).toEqual([])
  })

  test('wants to know which repository the catalog is, and its number among the others', () => {
    expect(brief(read({ workflows: 'version: v1.0.0' }).problems)).toEqual(['missing-key catalog.yaml:9'])
    expect(
      brief(read({ trust: '{ organisation: "9919", repositories: { acme/checkout: { id: "101" } } }' }).problems),
    ).toEqual(['missing-key catalog.yaml:9'])
  })

  test('are repositories of one organisation, each with a number of its own', () => {
    const repositories = '{ acme/catalog: { id: "100" }, other/shop: { id: "101" }, acme/cart: { id: "100" } }'
    const { problems } = read({ trust: `{ organisation: "9919", repositories: ${repositories} }` })

    expect(problems.map(({ code, message }) => `${code}: ${message}`)).toEqual([
      'wrong-value: The repository "other/shop" is not one of "acme", whose number is given.',
      'wrong-value: "acme/cart" and "acme/catalog" have the same number 100.',
    ])
  })
})
