import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'

import { readTree } from '../../src/adapters/disk.ts'
import { readBundleFolder } from '../../src/core/bundle.ts'
import type { Checked } from '../../src/core/problem.ts'
import { readContext, renderProtonBundle } from '../../src/core/proton.ts'
import type { FileTree } from '../../src/core/tree.ts'
import { readJson } from '../../src/core/yaml.ts'

const real = join(import.meta.dirname, '../../../shared/proton/bundles')

const environmentBundle: FileTree = new Map([
  [
    'schema/schema.yaml',
    `schema:
  format: { openapi: "3.0.0" }
  environment_input_type: Inputs
  types:
    Inputs:
      type: object
      properties:
        cidr: { type: string, default: 10.0.0.0/16 }
        zones: { type: integer, default: 2, maximum: 3 }
`,
  ],
  ['infrastructure/manifest.yaml', manifest()],
  [
    'infrastructure/cloudformation.yaml',
    `Resources:
  Vpc:
    Type: AWS::EC2::VPC
    Properties:
      CidrBlock: "{{ environment.inputs.cidr }}" # {{ environment.name }}, {{ environment.inputs.zones }} zones
`,
  ],
])

const serviceBundle: FileTree = new Map([
  [
    'schema/schema.yaml',
    `schema:
  format: { openapi: "3.0.0" }
  service_input_type: Service
  pipeline_input_type: Pipeline
  types:
    Service:
      type: object
      properties:
        port: { type: integer, default: 80 }
        image: { type: string }
    Pipeline:
      type: object
      properties:
        command: { type: string, default: make }
`,
  ],
  ['instance_infrastructure/manifest.yaml', manifest()],
  [
    'instance_infrastructure/cloudformation.yaml',
    `Name: {{ service.name }}/{{ service_instance.name }} in {{ environment.name }} ({{ environment.account_id }})
Vpc: {{ environment.outputs.Vpc }}
Port: {{ service_instance.inputs.port }}
{%- if service_instance.inputs.image is defined %}
Image: {{ service_instance.inputs.image }}
{%- endif %}
Environment:
  {{ service_instance.components.default.outputs | proton_cfn_ecs_task_definition_formatted_env_vars }}
`,
  ],
  ['pipeline_infrastructure/manifest.yaml', manifest()],
  [
    'pipeline_infrastructure/cloudformation.yaml',
    `Command: {{ pipeline.inputs.command }}
Repository: "{{ service.repository_id }}"
{%- for service_instance in service_instances %}
Deploy{{ loop.index }}: {{ service_instance.name }} {{ service_instance.environment.outputs.Vpc }} {{ service_instance.outputs.Url | default('-') }}
{%- endfor %}
`,
  ],
])

function manifest(): string {
  return `infrastructure:
  templates:
    - file: cloudformation.yaml
      rendering_engine: jinja
      template_language: cloudformation
`
}

function render(files: FileTree, spec: string | undefined, context: unknown): Checked<FileTree> {
  const bundle = readBundleFolder(files, { template: 'sample' })
  if (!bundle.ok) return bundle
  const json = readJson('context.json', JSON.stringify(context))
  if (!json.ok) return json
  const known = readContext(json.value)
  if (!known.ok) return known
  return renderProtonBundle(bundle.value, {
    ...(spec === undefined ? {} : { spec: { file: 'spec.yaml', text: spec } }),
    context: known.value,
  })
}

function filesOf(checked: Checked<FileTree>): Record<string, string> {
  if (!checked.ok) throw new Error(JSON.stringify(checked.problems, null, 1))
  return Object.fromEntries(checked.value)
}

describe('a bundle of an environment', () => {
  test('renders with the inputs of its spec and the defaults of its schema', () => {
    const files = filesOf(
      render(environmentBundle, 'proton: EnvironmentSpec\nspec:\n  zones: 3\n', { environment: { name: 'dev' } }),
    )

    expect(files).toEqual({
      'dev/infrastructure/cloudformation.yaml': `Resources:
  Vpc:
    Type: AWS::EC2::VPC
    Properties:
      CidrBlock: "10.0.0.0/16" # dev, 3 zones`,
    })
  })

  test('is refused with every input that breaks a rule, at its line', () => {
    const rendered = render(environmentBundle, 'proton: EnvironmentSpec\nspec:\n  zones: 4\n  cidrs: x\n', {
      environment: { name: 'dev' },
    })

    expect(rendered.ok).toBe(false)
    expect(rendered.problems.map(({ code, at }) => `${at?.file}:${at?.line} ${code}`).toSorted()).toEqual([
      'spec.yaml:3 input-value',
      'spec.yaml:4 unknown-input',
    ])
  })

  test('needs a spec', () => {
    expect(render(environmentBundle, undefined, {}).problems.map(({ code }) => code)).toEqual(['missing-file'])
  })
})

describe('a bundle of a service', () => {
  const context = {
    environment: { name: 'dev', account_id: '012345678901', outputs: { Vpc: 'vpc-1' } },
    service: { name: 'checkout', branch_name: 'main', repository_id: 'acme/checkout', repository_connection_arn: '' },
  }
  const spec = `proton: ServiceSpec
instances:
  - name: one
    environment: dev
  - name: two
    environment: dev
    spec: { port: 8080, image: nginx }
`

  test('renders each instance and the pipeline, which sees all of them', () => {
    const files = filesOf(render(serviceBundle, spec, context))

    expect(Object.keys(files).toSorted()).toEqual([
      'one/instance_infrastructure/cloudformation.yaml',
      'pipeline/pipeline_infrastructure/cloudformation.yaml',
      'two/instance_infrastructure/cloudformation.yaml',
    ])
    expect(files['two/instance_infrastructure/cloudformation.yaml']).toBe(`Name: checkout/two in dev (012345678901)
Vpc: vpc-1
Port: 8080
Image: nginx
Environment:
  []`)
    expect(files['pipeline/pipeline_infrastructure/cloudformation.yaml']).toBe(`Command: make
Repository: "acme/checkout"
Deploy1: one vpc-1 -
Deploy2: two vpc-1 -`)
  })

  test('places the outputs of an attached component in the column of the expression', () => {
    const files = filesOf(
      render(serviceBundle, spec, {
        ...context,
        components: { default: { name: 'bucket', outputs: { Bucket: 'b-1', Mode: 'rw' } } },
      }),
    )

    expect(files['one/instance_infrastructure/cloudformation.yaml']).toContain(`Environment:
  - Name: Bucket
    Value: b-1
  - Name: Mode
    Value: rw`)
  })

  test('names each undefined reference once, however many instances make it', () => {
    const rendered = render(serviceBundle, spec, {
      ...context,
      environment: { name: 'dev', account_id: '1', outputs: {} },
    })

    const undefineds = rendered.problems.filter(({ code }) => code === 'undefined-variable')
    expect(undefineds.map(({ at }) => `${at?.file}:${at?.line}`).toSorted()).toEqual([
      'instance_infrastructure/cloudformation.yaml:2',
      'pipeline_infrastructure/cloudformation.yaml:4',
    ])
  })
})

describe.skipIf(!existsSync(real))('the real bundles beside the repository', () => {
  const plain = { context: 'context.json', expected: 'expected' }
  const cases = [
    { bundle: 'apigw-lambda-svc', ...plain },
    { bundle: 'backend-fargate-svc', ...plain },
    { bundle: 'backend-fargate-svc', context: 'context.component.json', expected: 'expected.component' },
    { bundle: 'fargate-env', ...plain },
    { bundle: 'load-balanced-fargate-svc', ...plain },
    { bundle: 'load-balanced-fargate-svc', context: 'context.component.json', expected: 'expected.component' },
    { bundle: 'loadbalanced-fargate-svc', ...plain },
    { bundle: 'vpc-env', ...plain },
    { bundle: 'worker-fargate-svc', ...plain },
  ]

  test.each(cases)('$bundle with $context renders byte for byte as Jinja2', async ({ bundle, context, expected }) => {
    const folder = join(real, bundle)
    const { tree } = await readTree(join(folder, 'v1'))

    const files = filesOf(
      render(
        tree,
        readFileSync(join(folder, 'spec.yaml'), 'utf8'),
        JSON.parse(readFileSync(join(folder, context), 'utf8')),
      ),
    )

    const golden = await readTree(join(folder, expected))
    expect(files).toEqual(Object.fromEntries(golden.tree))
  })

  test('a component renders without a spec', async () => {
    const { tree } = await readTree(join(real, 's3-bucket-component'))

    const files = filesOf(
      render(tree, undefined, {
        component: { name: 'bucket' },
        environment: { name: 'dev', account_id: '1', outputs: {} },
      }),
    )

    expect(files['bucket/cloudformation.yaml']).toBe(tree.get('cloudformation.yaml')?.replace(/\n$/, ''))
  })
})
