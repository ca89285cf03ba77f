import { describe, expect, test } from 'vitest'
import {
  openServiceSpec,
  readProtonEnvironmentSpec,
  readProtonServiceSpec,
  readServiceSpec,
} from '../../src/core/spec.ts'
import { brief, lines } from './trees.ts'

describe('a service file', () => {
  test('says service, template, hosts, inputs and what differs in a stage', () => {
    const read = readServiceSpec(
      'service.yaml',
      lines(`
        # yaml-language-server: $schema=.protium/schemas/service.schema.json
        service: checkout
        template: web@2.3.0
        owner: storefront
        hosts:
          - checkout.dev.example.com      # dev
        inputs:
          port: 8080
        pipeline: { inputs: { dockerfile: Dockerfile } }
        stages:
          prod:
            inputs: { desired_count: 4 }
            because: more people
            stack: AWSProton-checkout
        stack: shop-{stage}
      `),
    )
    expect(read.problems).toEqual([])
    if (!read.ok) return
    expect(read.value).toMatchObject({
      service: 'checkout',
      template: 'web',
      version: '2.3.0',
      owner: 'storefront',
      stack: 'shop-{stage}',
    })
    expect(read.value.hosts).toEqual([
      { text: 'checkout.dev.example.com', at: { file: 'service.yaml', line: 6, column: 5 } },
    ])
    expect([read.value.inputs['port'], read.value.pipeline?.inputs['dockerfile']]).toEqual([8080, 'Dockerfile'])
    expect(read.value.stages.get('prod')).toMatchObject({ because: 'more people', stack: 'AWSProton-checkout' })
  })

  test('may leave almost everything out, and name stages without a word on them', () => {
    const read = readServiceSpec(
      'service.yaml',
      'service: receipts\ntemplate: worker@1.0.0\ninputs:\npipeline:\nstages:\n  dev:\n  prod: {}\n',
    )
    expect(read.problems).toEqual([])
    expect(read.ok && [...read.value.stages.keys()]).toEqual(['dev', 'prod'])
    expect(read.ok && read.value.pipeline).toBeDefined()
  })

  test.each([
    ['service: a\ntemplate: web@2', 'wrong-value 2 "template" is not of the right form ("web@2").'],
    ['service: a\ntemplate: web', 'wrong-value 2 "template" is not of the right form ("web").'],
    ['service: Check Out\ntemplate: web@1.0.0', 'wrong-value 1 "service" is not of the right form ("Check Out").'],
    ['service: 1\ntemplate: web@1.0.0', 'wrong-value 1 "service" is a number, and text is wanted (1).'],
    ['template: web@1.0.0', 'missing-key 1 The key "service" is missing.'],
    [
      'service: a\ntemplate: web@1.0.0\nhost: a.example.com',
      'unknown-key 3 A service file has no key "host". Did you mean "hosts"?',
    ],
    ['service: a\ntemplate: web@1.0.0\nenvironment: prod', 'unknown-key 3 A service file has no key "environment".'],
    [
      'service: a\ntemplate: web@1.0.0\nhosts: a.example.com',
      'wrong-value 3 "hosts" is text, and a list is wanted ("a.example.com").',
    ],
    ['service: a\ntemplate: web@1.0.0\nstages: [dev]', 'wrong-value 3 "stages" is a list, and a map is wanted.'],
    [
      'service: a\ntemplate: web@1.0.0\nstages: { dev: { input: {} } }',
      'unknown-key 3 A service file has no key "stages.dev.input". Did you mean "inputs"?',
    ],
    [
      'service: a\ntemplate: web@1.0.0\nstack: "{service}"',
      'wrong-value 3 "stack" is not of the right form ("{service}").',
    ],
    ['- a', 'wrong-value 1 The file is a list, and a map is wanted.'],
    ['', 'wrong-value 1 The file is empty.'],
  ])('%j is told: %s', (text, expected) => {
    const read = readServiceSpec('service.yaml', text)
    expect(read.ok).toBe(false)
    expect(read.problems.map(({ code, at, message }) => `${code} ${at?.line} ${message}`)).toContain(expected)
  })

  test('with errors is read as far as it goes, so that its other faults are found too', () => {
    const { spec, problems } = openServiceSpec('service.yaml', 'service: a\ntemplate: web@1.0.0\nhots: []\n')
    expect(spec?.service).toBe('a')
    expect(brief(problems)).toEqual(['unknown-key service.yaml:3'])
    expect(openServiceSpec('service.yaml', 'service: A b\ntemplate: web@1.0.0\n').spec).toBeUndefined()
  })
})

describe("Proton's specs", () => {
  const spec = lines(`
    proton: "ServiceSpec"
    pipeline:
      dockerfile: Dockerfile
    instances:
      - name: "frontend-dev"
        environment: "Beta"
        spec:
          port: 80
      - name: frontend-prod
        environment: prod
  `)

  test('of a service have a flat pipeline, and instances with and without inputs', () => {
    const read = readProtonServiceSpec('spec.yaml', spec)
    expect(read.problems).toEqual([])
    expect(read.ok && read.value.pipeline?.['dockerfile']).toBe('Dockerfile')
    expect(
      read.ok &&
        read.value.instances.map(({ name, environment, inputs }) => [name, environment, Object.entries(inputs)]),
    ).toEqual([
      ['frontend-dev', 'Beta', [['port', 80]]],
      ['frontend-prod', 'prod', []],
    ])
  })

  test('of an environment may have no inputs', () => {
    const read = readProtonEnvironmentSpec('spec.yaml', 'proton: EnvironmentSpec\nspec:\n')
    expect(read.ok && Object.keys(read.value.inputs)).toEqual([])
  })

  test('have words and numbers as YAML 1.1 reads them, with a warning', () => {
    const read = readProtonEnvironmentSpec('spec.yaml', 'proton: EnvironmentSpec\nspec: { public: yes, mode: 0644 }\n')
    expect(read.ok && Object.entries(read.value.inputs)).toEqual([
      ['public', true],
      ['mode', 420],
    ])
    expect(read.problems.map(({ severity }) => severity)).toEqual(['warning', 'warning'])
  })

  test('take the current value where it is known, and are refused where it is not', () => {
    const text = spec.replace('port: 80', 'port: "${Proton::CURRENT_VAL}"')
    const read = readProtonServiceSpec('spec.yaml', text, (path) =>
      path.join('.') === 'instances.0.spec.port' ? 8080 : undefined,
    )
    expect(read.ok && read.value.instances[0]?.inputs['port']).toBe(8080)
    expect(brief(readProtonServiceSpec('spec.yaml', text).problems)).toEqual(['proton-current-value spec.yaml:8'])
  })

  test.each([
    ['proton: EnvironmentSpec\nspec: {}', 'wrong-value spec.yaml:1'],
    ['proton: ServiceSpec\ninstances: []', 'wrong-value spec.yaml:2'],
    ['proton: ServiceSpec\ninstances: [{ name: a }]', 'missing-key spec.yaml:2'],
    ['proton: ServiceSpec\ninstances: [{ name: a, environment: b, inputs: {} }]', 'unknown-key spec.yaml:2'],
    [
      'proton: ServiceSpec\ninstances:\n  - { name: a, environment: b }\n  - { name: a, environment: c }',
      'instance-twice spec.yaml:4',
    ],
  ])('%j is no spec of a service: %s', (text, expected) => {
    expect(brief(readProtonServiceSpec('spec.yaml', text).problems)).toContain(expected)
  })
})
