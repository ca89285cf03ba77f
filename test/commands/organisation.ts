import type { FileTree } from '../../src/core/tree.ts'

/** A service of the small organisation: its inputs for all stages, and for single ones. */
export type SmallService = {
  readonly version?: string
  readonly size: number
  readonly topics: number
  readonly stages?: Readonly<Record<string, { readonly size: number }>>
}

export type Small = {
  readonly stages: readonly string[]
  readonly services: Readonly<Record<string, SmallService>>
  /** Stages that ask for approval. */
  readonly approval?: readonly string[]
  /** What the environments say of themselves; a new word changes an output of each. */
  readonly word?: string
  readonly provisioner?: string
}

const environmentTemplate = `Resources:
  Key: { Type: AWS::KMS::Key, Properties: { Description: '{{ environment.inputs.word }}', EnableKeyRotation: true, KeyPolicy: {} } }
Outputs:
  KeyArn: { Value: !GetAtt Key.Arn }
  Word: { Value: '{{ environment.inputs.word }}' }
`

const serviceTemplate = `Resources:
  Queue:
    Type: AWS::SQS::Queue
    Properties: { KmsMasterKeyId: '{{ environment.outputs.KeyArn }}', DelaySeconds: {{ service_instance.inputs.size }} }
{%- for number in range(service_instance.inputs.topics) %}
  Topic{{ number }}:
    Type: AWS::SNS::Topic
    Properties: { KmsMasterKeyId: '{{ environment.outputs.KeyArn }}', DisplayName: '{{ environment.outputs.Word }}' }
{%- endfor %}
Outputs:
  Queue: { Value: !Ref Queue }
`

const manifest = `infrastructure:
  templates: [{ file: cloudformation.yaml, rendering_engine: jinja, template_language: cloudformation }]
`

function schema(kind: 'environment' | 'service', properties: string): string {
  return `schema:
  format: { openapi: "3.0.0" }
  ${kind}_input_type: Inputs
  types:
    Inputs:
      type: object
      properties: { ${properties} }
`
}

/** A catalog of one environment template and one service template, with as many stages and services as are asked for. */
export function small({ stages, services, approval = [], word = 'first', provisioner = 'local' }: Small): FileTree {
  const stageLines = stages.map((name, index) => {
    const asks = approval.includes(name) ? `, approval: { by: ["@acme/platform"] }` : ''
    return `  ${name}: { host: "{service}.${index === stages.length - 1 ? '' : `${name}.`}{domain}", environment: ${name}${asks} }`
  })
  const files: [string, string][] = [
    ['catalog.yaml', `catalog: acme\ndomain: example.com\nstages:\n${stageLines.join('\n')}\n`],
    ...stages.map((name, index): [string, string] => [
      `environments/${name}.yaml`,
      `environment: ${name}\ntemplate: home@1.0.0\nprovisioner: ${provisioner}\naccount: "${String(index + 1).repeat(12)}"\nregion: eu-west-1\ninputs: { word: ${word} }\n`,
    ]),
    ...Object.entries(services).map(([name, service]): [string, string] => [
      `services/${name}/service.yaml`,
      serviceFile(name, service, stages),
    ]),
    ...bundle('home/v1', { kind: 'environment', properties: 'word: { type: string }', template: environmentTemplate }),
    ...bundle('queue/v1', {
      kind: 'service',
      properties: 'size: { type: integer, maximum: 900 }, topics: { type: integer, maximum: 9 }',
      template: serviceTemplate,
    }),
  ]
  return new Map(files.toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

function serviceFile(
  name: string,
  { version = '1.0.0', size, topics, stages: own = {} }: SmallService,
  stages: readonly string[],
): string {
  const hosts = stages.map((stage, index) => `  - ${name}.${index === stages.length - 1 ? '' : `${stage}.`}example.com`)
  const overrides = Object.entries(own).map(([stage, { size: other }]) => `  ${stage}: { inputs: { size: ${other} } }`)
  return [
    `service: ${name}`,
    `template: queue@${version}`,
    'hosts:',
    ...hosts,
    `inputs: { size: ${size}, topics: ${topics} }`,
    ...(overrides.length > 0 ? ['stages:', ...overrides] : []),
    '',
  ].join('\n')
}

/** The files of a bundle below `templates/`, or below nothing for one that was released. */
export function bundle(
  folder: string,
  {
    kind,
    properties,
    template,
  }: { readonly kind: 'environment' | 'service'; readonly properties: string; readonly template: string },
): [string, string][] {
  const part = kind === 'environment' ? 'infrastructure' : 'instance_infrastructure'
  return [
    [`templates/${folder}/schema/schema.yaml`, schema(kind, properties)],
    [`templates/${folder}/${part}/manifest.yaml`, manifest],
    [`templates/${folder}/${part}/cloudformation.yaml`, template],
    ...(kind === 'service' ? [[`templates/${folder}/.compatible-envs`, 'home:1\n'] satisfies [string, string]] : []),
  ]
}
