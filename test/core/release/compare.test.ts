import { describe, expect, test } from 'vitest'

import { type Bundle, readBundle } from '../../../src/core/bundle.ts'
import { compareBundles } from '../../../src/core/release/compare.ts'
import { isEnough, levelOf, stepOf, versionAfter } from '../../../src/core/release/level.ts'
import { bundleDigest } from '../../../src/core/release/model.ts'

const schema = `schema:
  format: { openapi: "3.0.0" }
  service_input_type: Service
  types:
    Service:
      type: object
      properties:
        name: { type: string, default: orders }
`

const manifest = `infrastructure:
  templates:
    - file: cloudformation.yaml
      rendering_engine: jinja
      template_language: cloudformation
`

const body = `Resources:
  Queue:
    Type: AWS::SQS::Queue
    Properties: { QueueName: "{{ service_instance.inputs.name }}", DelaySeconds: 1 }
  Alarm:
    Type: AWS::SNS::Topic
Outputs:
  Arn: { Value: !GetAtt Queue.Arn, Export: { Name: queue-arn } }
`

const own: Readonly<Record<string, string>> = {
  '.compatible-envs': 'vpc:1\nvpc:2\n',
  'schema/schema.yaml': schema,
  'instance_infrastructure/manifest.yaml': manifest,
  'instance_infrastructure/cloudformation.yaml': body,
  'examples/one/inputs.yaml': 'name: mails\n',
  'examples/one/context.json': '{}',
}

function bundle(changes: Readonly<Record<string, string | undefined>> = {}): Bundle {
  const files = Object.entries({ ...own, ...changes }).flatMap(([path, text]) =>
    text === undefined ? [] : [[path, text] as const],
  )
  const tree = new Map(files.toSorted(([a], [b]) => (a < b ? -1 : 1)))
  const read = readBundle(tree, { template: 'web', version: '1.0.0', root: 'templates/web/v1' })
  if (!read.ok) throw new Error(JSON.stringify(read.problems))
  return read.value
}

const part = 'instance_infrastructure/cloudformation.yaml'
const file = 'templates/web/v1/instance_infrastructure/cloudformation.yaml'

describe('a change of a bundle', () => {
  test('is none where the files are the same but for the ends of lines, and what the examples expect', () => {
    const crlf = bundle({ [part]: body.replaceAll('\n', '\r\n'), 'examples/two/inputs.yaml': '{}\n' })

    expect(compareBundles(bundle(), crlf)).toEqual([])
    expect(bundleDigest(crlf.files)).toBe(bundleDigest(bundle().files))
  })

  test.each<readonly [string, Readonly<Record<string, string | undefined>>, 'patch' | 'minor' | 'major', string]>([
    ['a comment', { [part]: `# Hello.\n${body}` }, 'patch', `${part} has changed.`],
    ['a file that is new', { 'README.md': 'Hello.' }, 'patch', 'README.md has changed.'],
    ['a property', { [part]: body.replace('DelaySeconds: 1', 'DelaySeconds: 2') }, 'patch', `${part} has changed.`],
    [
      'a resource that is new',
      { [part]: body.replace('Outputs:', '  More:\n    Type: AWS::SNS::Topic\nOutputs:') },
      'patch',
      `${part} has changed.`,
    ],
    [
      'a resource that is gone',
      { [part]: body.replace('  Alarm:\n    Type: AWS::SNS::Topic\n', '') },
      'major',
      'Alarm (AWS::SNS::Topic) would be deleted in the example "one".',
    ],
    [
      'a name that replaces',
      { [part]: body.replace('inputs.name }}"', 'inputs.name }}-q"') },
      'major',
      'Queue (AWS::SQS::Queue) would be replaced, by Properties.QueueName, in the example "one".',
    ],
    [
      'a logical id',
      {
        [part]: body
          .replaceAll('Queue', 'Line')
          .replaceAll('LineName', 'QueueName')
          .replaceAll('SQS::Line', 'SQS::Queue'),
      },
      'major',
      'Queue (AWS::SQS::Queue) would be deleted in the example "one".',
    ],
    [
      'a type',
      { [part]: body.replace('Alarm:\n    Type: AWS::SNS::Topic', 'Alarm:\n    Type: AWS::SQS::Queue') },
      'major',
      'Alarm would change its type from AWS::SNS::Topic to AWS::SQS::Queue, which CloudFormation does not do. That is so in the example "one".',
    ],
    ['an output that is gone', { [part]: body.replace(/Outputs:[^]*/u, '') }, 'major', 'The output "Arn" was removed.'],
    ['an output that is new', { [part]: `${body}  Name: { Value: x }\n` }, 'minor', 'The output "Name" is new.'],
    [
      'an export that is gone',
      { [part]: body.replace('queue-arn', 'other-arn') },
      'major',
      'The export "queue-arn" is gone in the example "one".',
    ],
    [
      'an input that is gone',
      { 'schema/schema.yaml': schema.replace('name:', 'title:'), [part]: body.replace('inputs.name', 'inputs.title') },
      'major',
      'The input "name" was removed, or is called "title" now.',
    ],
    [
      'a default',
      { 'schema/schema.yaml': schema.replace('orders', 'mails') },
      'minor',
      'The input "name" has another default: "mails", and was "orders".',
    ],
    [
      'what does not render',
      { [part]: body.replace('inputs.name', 'inputs.nme') },
      'major',
      'The inputs of the example "one" do not render any more',
    ],
    [
      'an environment less',
      { '.compatible-envs': 'vpc:2\n' },
      'major',
      'It does not run in environments of vpc:1 any more.',
    ],
    [
      'an environment more',
      { '.compatible-envs': 'vpc:1\nvpc:2\nvpc:3\n' },
      'minor',
      'It runs in environments of vpc:3 too.',
    ],
    ['all environments', { '.compatible-envs': undefined }, 'minor', 'It runs in all environments.'],
    [
      'another engine',
      {
        'instance_infrastructure/manifest.yaml': manifest.replace('engine: jinja', 'engine: none'),
        [part]: body.replace('{{ service_instance.inputs.name }}', 'x'),
      },
      'major',
      '`instance_infrastructure/` is made by the engine none, and was made by jinja.',
    ],
    [
      'a pipeline more',
      {
        'schema/schema.yaml': schema.replace(
          '  types:',
          '  pipeline_input_type: Pipeline\n  types:\n    Pipeline: { type: object }',
        ),
        'pipeline_infrastructure/manifest.yaml': manifest,
        'pipeline_infrastructure/cloudformation.yaml': 'Resources:\n  T: { Type: AWS::SNS::Topic }\n',
      },
      'minor',
      '`pipeline_infrastructure/` is new.',
    ],
  ])('by %s asks for what it is', (_, changes, level, what) => {
    const reasons = compareBundles(bundle(), bundle(changes))

    expect(levelOf(reasons)).toBe(level)
    expect(reasons.map((reason) => reason.what)).toContainEqual(expect.stringContaining(what))
  })

  test('that takes something away is breaking on the way forward alone', () => {
    const more = bundle({
      '.compatible-envs': undefined,
      'schema/schema.yaml': `${schema}        size: { type: integer }\n`,
    })

    expect(levelOf(compareBundles(bundle(), more))).toBe('minor')
    expect(levelOf(compareBundles(more, bundle()))).toBe('major')
  })

  test('by which a revision follows on a revision is no replacement', () => {
    const task = (image: string): string => `Resources:
  Task:
    Type: AWS::ECS::TaskDefinition
    Properties: { ContainerDefinitions: [{ Name: web, Image: "${image}" }] }
`

    expect(levelOf(compareBundles(bundle({ [part]: task('a') }), bundle({ [part]: task('b') })))).toBe('patch')
  })

  test('is told at the line of the template that did it', () => {
    const [first] = compareBundles(bundle(), bundle({ [part]: body.replace('inputs.name }}"', 'inputs.name }}-q"') }))

    expect(first).toMatchObject({ level: 'major', at: { file, line: 2 } })
  })

  test('says nothing by an example that was broken before, nor by one that is new and asks for what is new', () => {
    const broken = bundle({ 'examples/bad/inputs.yaml': 'nme: x\n' })
    const more = `${schema}        size: { type: integer }\n`
    const newer = bundle({ 'schema/schema.yaml': more, 'examples/big/inputs.yaml': 'size: 3\n' })

    expect(
      levelOf(compareBundles(broken, bundle({ [part]: `# x\n${body}`, 'examples/bad/inputs.yaml': 'nme: x\n' }))),
    ).toBe('patch')
    expect(levelOf(compareBundles(bundle(), newer))).toBe('minor')
  })
})

describe('a number', () => {
  test.each([
    ['2.3.4', 'none', 2, '2.3.4'],
    ['2.3.4', 'patch', 2, '2.3.5'],
    ['2.3.4', 'minor', 2, '2.4.0'],
    ['2.3.4', 'major', 2, '3.0.0'],
    ['2.3.4', 'major', 4, '5.0.0'],
  ] as const)('after %s with a change that is %s, of majors up to %i, is at least %s', (from, level, highest, to) => {
    expect(versionAfter(from, level, highest)).toBe(to)
    if (level !== 'none') expect(isEnough(stepOf(from, to), level)).toBe(true)
  })

  test.each([
    ['1.0.0', '1.0.1', 'patch'],
    ['1.0.0', '1.2.0', 'minor'],
    ['1.9.0', '2.0.0', 'major'],
    ['1.2.0', '1.1.9', 'none'],
    ['2.0.0', '1.9.9', 'none'],
    ['1.0.0', '1.0.0', 'none'],
  ] as const)('from %s to %s says: %s', (from, to, level) => {
    expect(stepOf(from, to)).toBe(level)
  })
})
