import { describe, expect, test } from 'vitest'
import { readOrganisation } from '../../../src/core/organisation.ts'
import type { Problem } from '../../../src/core/problem.ts'
import { renderAll } from '../../../src/core/rendering.ts'
import { lines, organisationFiles, schemaFile, treeOf } from '../trees.ts'

const native = lines(`
  infrastructure:
    templates: [{ file: queue.yaml, rendering_engine: none, template_language: cloudformation }]
`)

type Given = {
  readonly parameters: string
  readonly properties?: string
  readonly inputs?: string
  readonly stages?: string
}

/** The small organisation with a plain template in place of the service's. */
function rendered({ parameters, properties = '{}', inputs = '{}', stages = '{}' }: Given): {
  readonly parameters: Readonly<Record<string, Readonly<Record<string, string>>>>
  readonly problems: readonly Problem[]
} {
  const tree = treeOf(organisationFiles, {
    'templates/net/v1/infrastructure/cloudformation.yaml': lines(`
      Resources: { Wait: { Type: AWS::CloudFormation::WaitConditionHandle } }
      Outputs: { VpcId: { Value: vpc-1 }, Handle: { Value: !Ref Wait } }
    `),
    'templates/web/v1/schema/schema.yaml': schemaFile('service', `properties: ${properties}`),
    'templates/web/v1/pipeline_infrastructure/manifest.yaml': undefined,
    'templates/web/v1/pipeline_infrastructure/cloudformation.yaml': undefined,
    'templates/web/v1/instance_infrastructure/manifest.yaml': native,
    'templates/web/v1/instance_infrastructure/cloudformation.yaml': undefined,
    'templates/web/v1/instance_infrastructure/queue.yaml': `# {{ no Jinja }}\nParameters: ${parameters}\nResources:\n  Wait: { Type: AWS::CloudFormation::WaitConditionHandle, Metadata: { Note: "{% raw %}" } }\n`,
    'services/checkout/service.yaml': lines(`
      service: checkout
      template: web@1.4.2
      hosts: [checkout.dev.example.com, checkout.example.com]
      inputs: ${inputs}
      stages: ${stages}
    `),
  })
  const read = readOrganisation(tree, () => undefined)
  if (!read.ok) return { parameters: {}, problems: read.problems }
  const all = renderAll(read.value.units)
  return {
    parameters: Object.fromEntries(all.rendered.map(({ unit, wanted }) => [unit.id, { ...wanted.parameters }])),
    problems: all.problems,
  }
}

describe('the parameters of a template that is not rendered', () => {
  test('get the inputs of their names, outputs of the environment, and the names of what they are for', () => {
    const { parameters, problems } = rendered({
      parameters:
        '{ DesiredCount: { Type: Number }, Zones: { Type: CommaDelimitedList }, Public: { Type: String }, VpcId: { Type: String }, ServiceName: { Type: String }, StageName: { Type: String }, EnvironmentName: { Type: String }, Size: { Type: String, Default: small } }',
      properties:
        '{ desired_count: { type: integer, default: 2 }, zones: { type: array, items: { type: string } }, Public: { type: boolean, default: false } }',
      inputs: '{ zones: [a, b] }',
      stages: '{ prod: { inputs: { desired_count: 4, Public: true } } }',
    })

    expect(problems).toEqual([])
    expect(parameters['checkout/dev']).toEqual({
      DesiredCount: '2',
      Zones: 'a,b',
      Public: 'false',
      VpcId: 'vpc-1',
      ServiceName: 'checkout',
      StageName: 'dev',
      EnvironmentName: 'dev',
    })
    expect(parameters['checkout/prod']).toMatchObject({ DesiredCount: '4', Public: 'true', StageName: 'prod' })
  })

  test('keep their default where an input is left out', () => {
    const { parameters, problems } = rendered({
      parameters: '{ Size: { Type: String, Default: small } }',
      properties: '{ size: { type: string } }',
    })

    expect(problems).toEqual([])
    expect(parameters['checkout/dev']).toEqual({})
  })

  test('are in the stack of an environment too', () => {
    const tree = treeOf(organisationFiles, {
      'services/checkout/service.yaml': undefined,
      'templates/net/v1/infrastructure/manifest.yaml': native,
      'templates/net/v1/infrastructure/cloudformation.yaml': undefined,
      'templates/net/v1/infrastructure/queue.yaml':
        'Parameters: { Cidr: { Type: String }, EnvironmentName: { Type: String } }\nResources: { Wait: { Type: AWS::CloudFormation::WaitConditionHandle } }\n',
    })
    const read = readOrganisation(tree, () => undefined)
    if (!read.ok) throw new Error(JSON.stringify(read.problems))

    const { rendered: all, problems } = renderAll(read.value.units)

    expect(problems).toEqual([])
    expect(all.find(({ unit }) => unit.id === 'environment/prod')?.wanted.parameters).toEqual({
      Cidr: '10.1.0.0/16',
      EnvironmentName: 'prod',
    })
  })

  test.each<[string, Given, string, string]>([
    [
      'nothing fills one',
      { parameters: '{ Port: { Type: Number } }' },
      'parameter-unfilled templates/web/v1/instance_infrastructure/queue.yaml:2',
      'Nothing fills the parameter Port',
    ],
    [
      'none takes an input',
      { parameters: '{ Port: { Type: Number, Default: 1 } }', properties: '{ prot: { type: integer, default: 1 } }' },
      'parameter-missing templates/web/v1/schema/schema.yaml:7',
      '"prot"',
    ],
    [
      'a value is not among those that are allowed',
      {
        parameters: '{ Size: { Type: String, AllowedValues: [small, large] } }',
        properties: '{ size: { type: string } }',
        inputs: '{ size: huge }',
      },
      'stack-parameter services/checkout/service.yaml:4',
      'one of the allowed values',
    ],
    [
      'a text fills a number',
      { parameters: '{ Size: { Type: Number } }', properties: '{ size: { type: string } }', inputs: '{ size: big }' },
      'stack-parameter services/checkout/service.yaml:4',
      'it is not a number',
    ],
    [
      'an element holds a comma',
      {
        parameters: '{ Zones: { Type: CommaDelimitedList } }',
        properties: '{ zones: { type: array, items: { type: string } } }',
        inputs: '{ zones: ["a,b"] }',
      },
      'parameter-value templates/web/v1/instance_infrastructure/queue.yaml:2',
      'commas',
    ],
    [
      'an open input fills one that is not to be shown',
      {
        parameters: '{ Password: { Type: String, NoEcho: true } }',
        properties: '{ password: { type: string } }',
        inputs: '{ password: /acme/password }',
      },
      'parameter-secret templates/web/v1/schema/schema.yaml:7',
      'NoEcho',
    ],
    [
      'a secret is written out',
      {
        parameters: '{ Password: { Type: String, NoEcho: true } }',
        properties: '{ password: { type: string, x-protium-secret: true } }',
        inputs: '{ password: hunter2 }',
      },
      'secret-value services/checkout/service.yaml:4',
      'secret',
    ],
  ])('are a problem where %s', (_, given, expected, words) => {
    const { problems } = rendered(given)

    const [first] = problems
    expect(`${first?.code} ${first?.at?.file}:${first?.at?.line}`).toBe(expected)
    expect(first?.message).toContain(words)
    expect(JSON.stringify(problems)).not.toContain('hunter2')
  })

  test('take a reference to a secret', () => {
    const { parameters, problems } = rendered({
      parameters: '{ Password: { Type: String, NoEcho: true } }',
      properties: '{ password: { type: string, x-protium-secret: true } }',
      inputs: '{ password: "{{resolve:secretsmanager:acme}}" }',
    })

    expect(problems).toEqual([])
    expect(parameters['checkout/dev']).toEqual({ Password: '{{resolve:secretsmanager:acme}}' })
  })
})
