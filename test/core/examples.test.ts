import { describe, expect, test } from 'vitest'
import { type Bundle, readBundleFolder } from '../../src/core/bundle.ts'
import { compareExample, type Example, readExamples, renderExample } from '../../src/core/examples.ts'
import type { FileTree } from '../../src/core/tree.ts'
import { brief, lines, manifest, schemaFile, treeOf } from './trees.ts'

const files = {
  'schema/schema.yaml': schemaFile(
    'service',
    lines(`
      required: [name]
      properties:
        name: { type: string }
        size: { type: integer, default: 3 }
    `),
    'pipeline_input_type: Pipe',
  ).replace(
    '  types:\n',
    '  types:\n    Pipe: { type: object, properties: { branch: { type: string, default: main } } }\n',
  ),
  'instance_infrastructure/manifest.yaml': manifest,
  'instance_infrastructure/cloudformation.yaml': lines(`
    Description: '{{ service.name }} {{ service_instance.name }} {{ environment.outputs.Word }} {{ service_instance.components.default.outputs | length }}'
    Resources:
      Topic:
        Type: AWS::SNS::Topic
        Properties: { KmsMasterKeyId: alias/own, DisplayName: '{{ service_instance.inputs.name }}', FifoTopic: {{ service_instance.inputs.size > 5 }} }
    Outputs:
      Word: { Value: 'of {{ service_instance.inputs.name }}' }
  `),
  'pipeline_infrastructure/manifest.yaml': manifest,
  'pipeline_infrastructure/cloudformation.yaml': lines(`
    Description: '{{ pipeline.inputs.branch }}{% for i in service_instances %} {{ i.name }}:{{ i.inputs.size }}:{{ i.outputs.Word }}{% endfor %}'
    Resources:
      Topic: { Type: AWS::SNS::Topic, Properties: { KmsMasterKeyId: alias/own } }
  `),
  'examples/big/inputs.yaml': 'name: tall\nsize: 9\n',
  'examples/big/context.json':
    '{ "environment": { "name": "prod", "outputs": { "Word": "hello" } }, "service": { "name": "shop" } }',
  'examples/plain/inputs.yaml': 'name: short\n',
  'examples/plain/context.json':
    '{ "environment": { "outputs": { "Word": "hi" } }, "pipeline": { "inputs": { "branch": "next" } } }',
}

function bundleOf(...changes: readonly Readonly<Record<string, string | undefined>>[]): Bundle {
  const bundle = readBundleFolder(treeOf(files, ...changes), { template: 'web', root: 'templates/web/v1' })
  if (!bundle.ok) throw new Error(bundle.problems.map(({ message }) => message).join('\n'))
  return bundle.value
}

function exampleOf(name: string, ...changes: readonly Readonly<Record<string, string | undefined>>[]): Example {
  const { examples, problems } = readExamples(bundleOf(...changes))
  expect(problems).toEqual([])
  const example = examples.find((each) => each.name === name)
  if (example === undefined) throw new Error(`no example ${name}`)
  return example
}

function textsOf(example: Example): FileTree {
  const rendered = renderExample(example, { production: false })
  if (!rendered.ok) throw new Error(brief(rendered.problems).join('\n'))
  return new Map([...rendered.value].map(([file, { text }]) => [file, text]))
}

const first = (text: string | undefined): string | undefined => text?.split('\n')[0]

describe('the examples of a bundle', () => {
  test('are its folders, with defaults filled in', () => {
    const { examples, problems } = readExamples(bundleOf())
    expect(problems).toEqual([])
    expect(examples.map(({ name, inputs }) => [name, { ...inputs }])).toEqual([
      ['big', { name: 'tall', size: 9 }],
      ['plain', { name: 'short', size: 3 }],
    ])
  })

  test('render every part: the pipeline sees the example itself, with what its instance gives out', () => {
    const texts = textsOf(exampleOf('big'))
    expect([...texts].map(([file, text]) => [file, first(text)])).toEqual([
      ['instance_infrastructure/cloudformation.yaml', "Description: 'shop prod hello 0'"],
      ['pipeline_infrastructure/cloudformation.yaml', "Description: 'main prod:9:of tall'"],
    ])
  })

  test('render a pipeline with the inputs and instances that the context says', () => {
    const texts = textsOf(exampleOf('plain'))
    expect(first(texts.get('pipeline_infrastructure/cloudformation.yaml'))).toBe(
      "Description: 'next example:3:of short'",
    )
    const context = `{ "environment": { "outputs": { "Word": "hi" } }, "service_instances": [
      { "name": "a", "inputs": { "size": 1 }, "outputs": { "Word": "one" } },
      { "name": "b", "inputs": { "size": 2 }, "outputs": { "Word": "two" } } ] }`
    const others = textsOf(exampleOf('plain', { 'examples/plain/context.json': context }))
    expect(first(others.get('pipeline_infrastructure/cloudformation.yaml'))).toBe("Description: 'main a:1:one b:2:two'")
  })

  test.each([
    [
      'no inputs.yaml',
      { 'examples/big/inputs.yaml': undefined },
      'missing-file templates/web/v1/examples/big/inputs.yaml:1',
    ],
    [
      'inputs that are no map',
      { 'examples/big/inputs.yaml': '- 1\n' },
      'context-shape templates/web/v1/examples/big/inputs.yaml:1',
    ],
    [
      'an unknown input',
      { 'examples/big/inputs.yaml': 'name: x\nsiez: 3\n' },
      'unknown-input templates/web/v1/examples/big/inputs.yaml:2',
    ],
    [
      'a missing input',
      { 'examples/big/inputs.yaml': '{}\n' },
      'missing-input templates/web/v1/examples/big/inputs.yaml:1',
    ],
    [
      'a context that is no map',
      { 'examples/big/context.json': '[]' },
      'context-shape templates/web/v1/examples/big/context.json:1',
    ],
    [
      'a context that is no JSON',
      { 'examples/big/context.json': '{' },
      'yaml-syntax templates/web/v1/examples/big/context.json:1',
    ],
  ])('cannot be read: %s', (_, change, problem) => {
    const { examples, problems } = readExamples(bundleOf(change))
    expect(examples.map(({ name }) => name)).toEqual(['plain'])
    expect(brief(problems)).toEqual([problem])
  })

  test('are judged by the rules, at the line of the template, with the lines of the inputs and the context', () => {
    const template = lines(`
      Resources:
        Logs: { Type: AWS::Logs::LogGroup, Properties: { RetentionInDays: '{{ service_instance.inputs.name }}' } }
        Open:
          Type: AWS::EC2::SecurityGroup
          Properties:
            GroupDescription: '{{ environment.outputs.Word }}'
            VpcId: vpc-1
            SecurityGroupIngress: [{ IpProtocol: tcp, FromPort: {{ service_instance.inputs.size }}, ToPort: 22, CidrIp: 0.0.0.0/0 }]
    `)
    const example = exampleOf('big', { 'instance_infrastructure/cloudformation.yaml': template })
    const rendered = renderExample(example, { production: false })
    expect(rendered.ok).toBe(false)
    const problem = rendered.problems.find(({ code }) => code === 'policy-open-ingress')
    expect(problem).toMatchObject({
      at: { file: 'templates/web/v1/instance_infrastructure/cloudformation.yaml', line: 8 },
    })
  })
})

describe('what is expected of an example', () => {
  const instance = 'instance_infrastructure/cloudformation.yaml'
  const pipeline = 'pipeline_infrastructure/cloudformation.yaml'

  test('is compared file by file: same, different, missing, stray', () => {
    const texts = textsOf(exampleOf('big'))
    const example = exampleOf('big', {
      [`examples/big/expected/${instance}`]: texts.get(instance),
      'examples/big/expected/old/cloudformation.yaml': 'x',
    })
    const compared = compareExample(example, texts)
    expect(compared.map(({ file, is }) => `${file} ${is}`)).toEqual([
      `${instance} same`,
      `${pipeline} missing`,
      'old/cloudformation.yaml stray',
    ])
    const changed = exampleOf('big', { [`examples/big/expected/${instance}`]: 'else' })
    expect(compareExample(changed, texts)[0]).toEqual({
      file: instance,
      is: 'different',
      expected: 'else',
      rendered: texts.get(instance),
    })
  })

  test('differs by a newline at the end: the text is exact', () => {
    const texts = textsOf(exampleOf('big'))
    const example = exampleOf('big', { [`examples/big/expected/${instance}`]: `${texts.get(instance)}\n` })
    expect(compareExample(example, texts)[0]?.is).toBe('different')
  })
})
