import { durationSeconds } from '../../src/core/duration.ts'
import { describe, expect, test } from 'vitest'
import { readCatalog } from '../../src/core/catalog.ts'
import { brief, lines, organisationFiles, treeOf } from './trees.ts'

function catalog(text: string, ...more: readonly Readonly<Record<string, string | undefined>>[]) {
  return readCatalog(treeOf(organisationFiles, { 'catalog.yaml': lines(text) }, ...more))
}

const stages = `
    stages:
      dev: { host: "{service}.dev.{domain}", environment: dev, soak: 30m }
      prod: { host: "{service}.{domain}", environment: prod, production: true, approval: { by: ["@acme/platform"] } }`

describe('a catalog', () => {
  test('has stages in the order of promotion, previews, waves and where services live', () => {
    const read = catalog(`
    catalog: acme
    domain: example.com${stages}
    previews: { host: "{service}-pr-{number}.preview.{domain}", stage: dev, expire: 72h, most: 10 }
    services: { repositories: { topic: protium } }
    upgrades: { waves: [1, 10%, rest] }
    stacks: { name: "acme-{service}-{stage}" }
    `)
    expect(read.problems).toEqual([])
    if (!read.ok) return
    const { value } = read
    expect(
      value.stages.map(({ name, order, production, soak, approval }) => [name, order, production, soak, approval]),
    ).toEqual([
      ['dev', 0, false, 1800, undefined],
      ['prod', 1, true, undefined, { by: ['@acme/platform'] }],
    ])
    expect(value).toMatchObject({
      name: 'acme',
      domain: 'example.com',
      stackName: 'acme-{service}-{stage}',
      repositories: { by: 'topic', topic: 'protium' },
    })
    expect(value.previews).toMatchObject({ stage: 'dev', expire: 259_200, most: 10 })
    expect(value.upgrades.waves).toEqual([{ is: 'count', count: 1 }, { is: 'share', percent: 10 }, { is: 'rest' }])
    expect([...value.environments.keys(), ...value.templates.keys()]).toEqual(['dev', 'prod', 'net', 'web'])
    expect(value.environments.get('dev')).toMatchObject({
      template: 'net',
      version: '1.0.0',
      provisioner: 'cloudformation',
      stack: 'env-dev',
    })
  })

  test('may leave out all but its name, domain and stages', () => {
    const read = catalog(`
    catalog: acme
    domain: example.com${stages}
    `)
    expect(
      read.ok && [read.value.stackName, read.value.upgrades.waves.length, read.value.previews, read.value.repositories],
    ).toEqual(['{service}-{stage}', 3, undefined, undefined])
  })

  test.each([
    ['{ property: delivery }', { by: 'property', property: 'delivery' }],
    ['[acme/shop, acme/money]', { by: 'name', names: ['acme/shop', 'acme/money'] }],
  ])('finds services by %s', (repositories, expected) => {
    const read = catalog(`
    catalog: acme
    domain: example.com${stages}
    services: { repositories: ${repositories} }
    `)
    expect(read.ok && read.value.repositories).toEqual(expected)
  })

  test.each([
    ['domian: x', ['unknown-key catalog.yaml:6']],
    ['upgrades: { waves: [rest, 1] }', ['wrong-value catalog.yaml:6']],
    ['upgrades: { waves: [1, 10%] }', ['wrong-value catalog.yaml:6']],
    ['upgrades: { waves: [0, rest] }', ['wrong-value catalog.yaml:6']],
    ['stacks: { name: "{service}" }', ['stack-name catalog.yaml:6']],
    ['services: { repositories: { topic: a, property: b } }', ['wrong-value catalog.yaml:6']],
    ['services: { repositories: [acme] }', ['wrong-value catalog.yaml:6']],
    ['previews: { host: "{service}-pr.preview.{domain}", stage: dev }', ['host-pattern catalog.yaml:6']],
    ['previews: { host: "{service}-pr-{number}.{domain}", stage: dev }', ['host-patterns-overlap catalog.yaml:6']],
    ['previews: { host: "{service}-pr-{number}.p.{domain}", stage: dve }', ['unknown-stage catalog.yaml:6']],
    [
      'previews: { host: "{service}-pr-{number}.p.{domain}", stage: dev, expire: 3 days }',
      ['wrong-value catalog.yaml:6'],
    ],
  ])('with %s is refused: %j', (line, expected) => {
    const read = catalog(`
    catalog: acme
    domain: example.com${stages}
    ${line}
    `)
    expect(read.ok).toBe(false)
    expect(brief(read.problems)).toEqual(expected)
  })

  test.each([
    ['dev: { host: "{service}.dev.{domain}", environment: dve }', 'unknown-environment'],
    ['dev: { host: "dev.{domain}", environment: dev }', 'host-pattern'],
    ['dev: { host: "{service}.dev.{domain}", environment: dev, soak: 30 }', 'wrong-value'],
    ['dev: { host: "{service}.dev.{domain}", environment: dev, aproval: {} }', 'unknown-key'],
    ['dev: { host: "{service}.dev.{domain}", environment: dev, approval: { by: [platform] } }', 'wrong-value'],
    ['dev: { host: "{service}.dev.{domain}" }', 'missing-key'],
    ['pipeline: { host: "{service}.dev.{domain}", environment: dev }', 'wrong-value'],
    ['Dev: { host: "{service}.dev.{domain}", environment: dev }', 'wrong-value'],
  ])('with the stage %s is refused: %s', (stage, code) => {
    const read = catalog(`
    catalog: acme
    domain: example.com
    stages:
      ${stage}
    `)
    expect(brief(read.problems)).toEqual([`${code} catalog.yaml:4`])
  })

  test('whose stages share a host is refused, with the host and both places', () => {
    const read = catalog(`
    catalog: acme
    domain: example.com
    stages:
      dev: { host: "{service}-dev.{domain}", environment: dev }
      prod: { host: "{service}.{domain}", environment: prod }
    `)
    expect(read.problems).toMatchObject([
      {
        code: 'host-patterns-overlap',
        message:
          'The hosts of the stage "prod" and of the stage "dev" are not told apart: a-dev.example.com would belong to both.',
        at: { line: 5 },
        related: [{ at: { line: 4 } }],
      },
    ])
  })

  test('that is not there is said to be missing', () => {
    expect(brief(readCatalog(treeOf(organisationFiles, { 'catalog.yaml': undefined })).problems)).toEqual([
      'missing-file catalog.yaml:1',
    ])
  })
})

describe('an environment', () => {
  test.each([
    ['account: 111111111111', 'account: "111111111111"', 'wrong-value'],
    ['account: "1"', 'account: "111111111111"', 'wrong-value'],
    ['region: seoul', 'region: ap-northeast-2', 'wrong-value'],
    ['template: net', 'template: net@1.0.0', 'wrong-value'],
    ['provisoner: local', '', 'unknown-key'],
    ['provisioner: aws', '', 'wrong-value'],
  ])('with %s is refused', (line, instead, code) => {
    const text = organisationFiles['environments/dev.yaml'] ?? ''
    const files = { 'environments/dev.yaml': instead === '' ? `${text}${line}\n` : text.replace(instead, line) }
    const read = readCatalog(treeOf(organisationFiles, files))
    expect(read.problems.map((problem) => problem.code)).toContain(code)
  })

  test('has a name of its own, and a file that ends in `.yaml`', () => {
    const text = organisationFiles['environments/dev.yaml'] ?? ''
    expect(brief(readCatalog(treeOf(organisationFiles, { 'environments/other.yaml': text })).problems)).toEqual([
      'environment-twice environments/other.yaml:1',
    ])
    expect(brief(readCatalog(treeOf(organisationFiles, { 'environments/other.yml': text })).problems)).toEqual([
      'irregular-form environments/other.yml:1',
    ])
  })
})

test.each([
  ['90s', 90],
  ['30m', 1800],
  ['72h', 259_200],
  ['7d', 604_800],
  ['7', undefined],
  ['1w', undefined],
  ['', undefined],
])('%j are %s seconds', (text, seconds) => {
  expect(durationSeconds(text)).toBe(seconds)
})
