import { describe, expect, test } from 'vitest'
import { readBundleFolder } from '../../../src/core/bundle.ts'
import { instanceContext, renderStack } from '../../../src/core/render.ts'
import { mapOf } from '../../../src/core/data.ts'
import { lines, schemaFile, treeOf } from '../trees.ts'

const folder = 'instance_infrastructure'

function rendered(files: Readonly<Record<string, string>>, engine = 'jinja') {
  const entries = Object.keys(files).map((file) => `      - { file: ${file}, rendering_engine: ${engine} }`)
  const bundle = readBundleFolder(
    treeOf(
      {
        'schema/schema.yaml': schemaFile('service', 'properties: { size: { type: integer, default: 1 } }'),
        [`${folder}/manifest.yaml`]: `infrastructure:\n    templates:\n${entries.join('\n')}\n`,
      },
      Object.fromEntries(Object.entries(files).map(([file, text]) => [`${folder}/${file}`, lines(text)])),
    ),
    { template: 'several', root: 'templates/several/v1' },
  )
  if (!bundle.ok) return { ok: false as const, problems: bundle.problems }
  const [part] = bundle.value.parts
  if (part === undefined) throw new Error('no part')
  const environment = { name: 'dev', account: '111111111111', outputs: mapOf() }
  const inputs = mapOf([['size', 3]])
  return renderStack(bundle.value, part, instanceContext({ name: 'cart' }, { name: 'dev', inputs, environment }))
}

const network = `
  Parameters: { Zone: { Type: String, Default: a } }
  Resources:
    Group: { Type: AWS::EC2::SecurityGroup, Properties: { GroupDescription: '{{ service.name }}' } }
`
const queue = `
  Description: The second.
  Parameters: { Zone: { Type: String, Default: a } }
  Resources:
    Queue: { Type: AWS::SQS::Queue, Properties: { DelaySeconds: {{ service_instance.inputs.size }} } }
  Outputs:
    Group: { Value: !Ref Group }
`

describe('several templates of a manifest', () => {
  test('are rendered one by one and are one stack, in which they refer to each other', () => {
    const stack = rendered({ 'network.yaml': network, 'queue.yaml': queue })

    expect(stack.problems).toEqual([])
    if (!stack.ok) return
    const { body, text, document, origin } = stack.value
    expect(Object.keys(body)).toEqual(['Parameters', 'Resources', 'Description', 'Outputs'])
    expect(JSON.parse(JSON.stringify(body))).toMatchObject({
      Resources: { Group: { Properties: { GroupDescription: 'cart' } }, Queue: { Properties: { DelaySeconds: 3 } } },
      Outputs: { Group: { Value: { Ref: 'Group' } } },
    })
    expect(text.split('---\n')).toHaveLength(2)
    expect(document.keyPlace(['Resources', 'Queue'])).toMatchObject({ line: 4 })
    expect(origin(['Resources', 'Queue'])).toEqual({
      file: `templates/several/v1/${folder}/queue.yaml`,
      line: 4,
      column: 3,
    })
    expect(origin(['Resources', 'Group'])?.file).toContain('network.yaml')
  })

  test('can be explained line by line, as one text', () => {
    const stack = rendered({ 'network.yaml': network, 'queue.yaml': queue })
    if (!stack.ok) throw new Error('not rendered')
    const line = stack.value.text.split('\n').findIndex((each) => each.includes('DelaySeconds')) + 1

    expect(stack.value.explain({ line })).toMatchObject({
      place: { file: `templates/several/v1/${folder}/queue.yaml`, line: 4 },
      reads: [{ reference: 'service_instance.inputs.size', value: '3' }],
    })
  })

  test('with a name that two of them have are a problem, at both places', () => {
    const stack = rendered({ 'network.yaml': network, 'again.yaml': network.replace('Default: a', 'Default: b') })

    expect(stack.problems).toMatchObject([
      { code: 'template-merge', message: expect.stringContaining('"Zone" under `Parameters`'), at: { line: 1 } },
      {
        code: 'template-merge',
        message: expect.stringContaining('"Group" under `Resources`'),
        at: { file: `templates/several/v1/${folder}/again.yaml`, line: 3 },
        related: [{ at: { file: `templates/several/v1/${folder}/network.yaml`, line: 3 } }],
      },
    ])
  })

  test('that are not rendered share their parameters', () => {
    const plain = (text: string): string => text.replace(/\{\{.*?\}\}/g, '0').replaceAll('Zone', 'Size')

    const stack = rendered({ 'network.yaml': plain(network), 'queue.yaml': plain(queue) }, 'none')

    expect(stack.problems).toEqual([])
    expect(stack.ok && { ...stack.value.parameters }).toEqual({ Size: '3' })
  })

  test.each([
    ['hcl', { 'main.tf': 'a', 'more.tf': 'b' }, 'cannot be one stack'],
    ['jinja', { 'gone.yaml': 'Resources: [' }, ''],
  ])('of the engine %s are checked', (engine, files, words) => {
    const stack = rendered(files, engine)

    expect(stack.ok).toBe(false)
    expect(stack.problems[0]?.message).toContain(words)
  })

  test('are checked one by one', () => {
    const stack = rendered({ 'network.yaml': network, 'broken.yaml': 'Resources: {{ nowhere }}', 'list.yaml': '- 1' })

    expect(stack.problems.map(({ at }) => at?.file)).toEqual([
      `templates/several/v1/${folder}/broken.yaml`,
      `templates/several/v1/${folder}/list.yaml`,
    ])
  })
})
