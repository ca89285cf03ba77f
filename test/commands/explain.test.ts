import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { deploy } from '../../src/commands/deploy.ts'
import { explain } from '../../src/commands/explain.ts'
import { renderAll } from '../../src/core/rendering.ts'
import { planUnits } from '../../src/commands/planning.ts'
import { stacksOf } from '../../src/commands/stacks.ts'
import { readFolder, stateFolders } from '../../src/commands/reading.ts'
import { render } from '../../src/commands/render.ts'
import { plain } from '../../src/core/report.ts'
import { lines, organisationFiles, treeOf } from '../core/trees.ts'
import type { World } from './ports.ts'
import { run, worldOf } from './ports.ts'

const environmentFile = 'templates/net/v1/infrastructure/cloudformation.yaml'
const instanceFile = 'templates/web/v1/instance_infrastructure/cloudformation.yaml'

/** An organisation with a component and a pipeline, in which everybody reads something of somebody. */
const files = treeOf(organisationFiles, {
  'environments/dev.yaml': `${organisationFiles['environments/dev.yaml']}provisioner: local\n`,
  'environments/prod.yaml': `${organisationFiles['environments/prod.yaml']}provisioner: local\n`,
  [environmentFile]: lines(`
    Resources:
      Topic: { Type: AWS::SNS::Topic, Properties: { KmsMasterKeyId: alias/own } }
    Outputs:
      TopicArn: { Value: !Ref Topic }
      Range: { Value: '{{ environment.inputs.cidr }}' }
  `),
  [instanceFile]: lines(`
    Resources:
      Topic: { Type: AWS::SNS::Topic, Properties: { KmsMasterKeyId: alias/own, DisplayName: 'port {{ service_instance.inputs.port }}' } }
    Outputs:
      Port: { Value: '{{ service_instance.inputs.port }}' }
      Size: { Value: '{{ service_instance.inputs.size | default("none") }}' }
      Image: { Value: '{{ service_instance.inputs.image }}' }
      Home: { Value: '{{ environment.outputs.TopicArn }}' }
      Extra: { Value: '{{ service_instance.components.default.outputs.Word }}' }
  `),
  'templates/web/v1/.compatible-envs': undefined,
  'templates/web/v1/.template-registration.yaml':
    'compatible_environments: [net:1]\nsupported_component_sources: [DIRECTLY_DEFINED]\n',
  'templates/web/v1/pipeline_infrastructure/cloudformation.yaml': lines(`
    Resources:
      Topic: { Type: AWS::SNS::Topic, Properties: { KmsMasterKeyId: alias/own } }
    Outputs:
    {%- for instance in service_instances %}
      Port{{ loop.index }}: { Value: '{{ instance.outputs.Port }} {{ instance.inputs.port }} {{ instance.environment.outputs.Range }}' }
    {%- endfor %}
  `),
  'services/checkout/component/manifest.yaml': organisationFiles['templates/net/v1/infrastructure/manifest.yaml'],
  'services/checkout/component/cloudformation.yaml': lines(`
    Resources:
      Topic: { Type: AWS::SNS::Topic, Properties: { KmsMasterKeyId: alias/own } }
    Outputs:
      Word: { Value: 'of {{ service.name }} {{ service_instance.inputs.port }}' }
  `),
  'services/checkout/service.yaml': `${organisationFiles['services/checkout/service.yaml']}pipeline: {}\n`,
})

let world: World
beforeEach(() => {
  world = worldOf(() => files)
})
afterEach(() => world.end())

async function explained(at: string, more: Readonly<Record<string, readonly string[]>> = {}): Promise<unknown> {
  const outcome = await run(explain, world, { at: [at], ...more })
  return outcome.problems === undefined ? JSON.parse(JSON.stringify(outcome.data['origin'])) : outcome.problems
}

const read = (origin: unknown): unknown =>
  typeof origin === 'object' && origin !== null && 'reads' in origin ? origin.reads : []

describe('explain --at', () => {
  test.each([
    [
      'an input of the service',
      'checkout/dev:4',
      'service_instance.inputs.port',
      '8080',
      'services/checkout/service.yaml:8',
      'written here',
    ],
    [
      'an input of one stage',
      'checkout/prod:5',
      'service_instance.inputs.size',
      '"large"',
      'services/checkout/service.yaml:11',
      'written for the stage prod',
    ],
    [
      'a default',
      'checkout/dev:6',
      'service_instance.inputs.image',
      '"public.example.com/placeholder:1"',
      'templates/web/v1/schema/schema.yaml:11',
      "the schema's default",
    ],
    [
      'an output of a component',
      'checkout/dev:8',
      'service_instance.components.default.outputs.Word',
      '"of checkout 8080"',
      'services/checkout/component/cloudformation.yaml:4',
      'an output of checkout/dev/component',
    ],
    [
      'an input in a component',
      'checkout/prod/component:4:31',
      'service_instance.inputs.port',
      '8080',
      'services/checkout/service.yaml:8',
      'written here',
    ],
    [
      'an input of an environment',
      'environment/prod:5',
      'environment.inputs.cidr',
      '"10.1.0.0/16"',
      'environments/prod.yaml:5',
      'written here',
    ],
  ])('follows %s', async (_, at, reference, value, place, note) => {
    const [first] = [read(await explained(at))].flat()
    expect(first).toMatchObject({ reference, value, note })
    const { file, line } = Object(Object(first).at)
    expect(`${file}:${line}`).toBe(place)
  })

  test('follows an output of the environment to the template that gives it', async () => {
    expect(await explained('checkout/dev:7')).toMatchObject({
      of: 'checkout/dev',
      text: expect.stringContaining('Home'),
      place: { file: instanceFile, line: 7 },
      reads: [
        {
          reference: 'environment.outputs.TopicArn',
          at: { file: environmentFile, line: 4 },
          note: 'an output of environment/dev',
        },
      ],
    })
  })

  test('follows what a pipeline reads of its instances: outputs, inputs, outputs of their environments', async () => {
    expect(await explained('checkout/pipeline:5')).toMatchObject({
      text: expect.stringContaining("'8080 8080 10.1.0.0/16'"),
      reads: [
        {
          reference: 'service_instances[1].outputs.Port',
          at: { file: instanceFile, line: 4 },
          note: 'an output of checkout/prod',
        },
        { reference: 'service_instances[1].inputs.port', at: { file: 'services/checkout/service.yaml', line: 8 } },
        { reference: 'service_instances[1].environment.outputs.Range', at: { file: environmentFile, line: 5 } },
      ],
      within: [{ reads: [{ reference: 'service_instances' }] }],
    })
  })

  test('finds the unit that a written file is', async () => {
    await run(render, world, { out: ['out'] })
    const file = 'checkout/prod/instance_infrastructure/cloudformation.yaml'
    expect(await explained(`${file}:5`)).toMatchObject({ of: 'checkout/prod' })
    world.written.set('copied.yaml', `${world.written.get(file)}\n`)
    expect(await explained('copied.yaml:5')).toMatchObject({ of: 'checkout/prod' })
  })

  test('finds the unit that a file is with what is deployed, where that differs from what would be made anew', async () => {
    let tree = files
    world.end()
    world = worldOf(() => tree)
    await run(deploy, world)
    // A topic cannot become a FIFO topic in place: the new one has another ARN.
    const environment = files.get(environmentFile)?.replace('alias/own', 'alias/own, FifoTopic: true') ?? ''
    tree = new Map([...files, [environmentFile, environment]])
    expect((await run(deploy, world)).exit).toBe('done')
    const { organisation } = await readFolder(world.ports, world.folder)
    if (!organisation.ok) throw new Error('the organisation cannot be read')
    const stacks = stacksOf(world.ports, { folder: stateFolders(world.folder, '.').stacks })
    const planned = await planUnits(organisation.value.units, stacks)
    const live = planned.ok ? planned.value.find(({ unit }) => unit.id === 'checkout/prod')?.part.text : undefined
    const anew = renderAll(organisation.value.units).rendered.find(({ unit }) => unit.id === 'checkout/prod')?.part.text
    expect(live).not.toBe(anew)
    world.written.set('live.yaml', live ?? '')
    expect(await explained('live.yaml:7')).toMatchObject({
      of: 'checkout/prod',
      reads: [{ reference: 'environment.outputs.TopicArn', at: { file: environmentFile, line: 4 } }],
    })
  })

  test('says what is nearest where the file is nobody’s', async () => {
    await run(render, world, { out: ['out'] })
    const path = 'checkout/prod/instance_infrastructure/cloudformation.yaml'
    world.written.set(path, `${world.written.get(path)}`.replace('8080', '8081'))
    expect(await explained(`${path}:5`)).toMatchObject([
      {
        code: 'rendering-unknown',
        message: expect.stringContaining('It is nearest to checkout/prod, and differs first in line 2.'),
      },
    ])
  })

  test('says of a template that a rendering of it is wanted, and names a unit', async () => {
    const path = 'templates/web/v1/instance_infrastructure/cloudformation.yaml'
    expect(await explained(`${path}:2`)).toMatchObject([
      {
        code: 'rendering-unknown',
        message: expect.stringContaining(`${path} is a template`),
        remedy: expect.stringMatching(/`protium explain --at checkout\/\w+:LINE`/u),
      },
    ])
  })

  test.each([
    ['checkout/dev', 'option-value'],
    ['checkout/dev:999', 'option-value'],
    ['nowhere.yaml:1', 'missing-file'],
  ])('takes a file or unit with a line: not %s', async (at, code) => {
    expect(await explained(at)).toMatchObject([{ code }])
  })

  test('explains a file that was rendered from one template', async () => {
    world.written.set('page.txt', 'Hello {{ who.name }}\n')
    world.written.set('context.json', '{\n  "who": { "name": "Ana" }\n}')
    world.written.set('out.txt', 'Hello Ana')
    expect(await explained('out.txt:1', { text: ['page.txt'], context: ['context.json'] })).toMatchObject({
      place: { file: 'page.txt', line: 1 },
      reads: [{ reference: 'who.name', value: '"Ana"', at: { file: 'context.json', line: 2 } }],
    })
  })

  test('explains a file that was rendered from a bundle of Proton', async () => {
    const bundle = treeOf(
      Object.fromEntries(
        [...files].flatMap(([path, text]) =>
          path.startsWith('templates/net/v1/') ? [[path.slice('templates/net/v1/'.length), text]] : [],
        ),
      ),
    )
    world.end()
    world = worldOf(() => bundle, {
      texts: new Map([['spec.yaml', 'proton: EnvironmentSpec\nspec:\n  cidr: 10.9.0.0/16\n']]),
    })
    const given = { bundle: ['net/v1'], spec: ['spec.yaml'], context: ['{"environment": {"name": "lab"}}'] }
    await run(render, world, { ...given, out: ['out'] })
    expect(await explained('lab/infrastructure/cloudformation.yaml:5', given)).toMatchObject({
      reads: [{ reference: 'environment.inputs.cidr', value: '"10.9.0.0/16"', at: { file: 'spec.yaml', line: 3 } }],
    })
  })

  test('is shown with the lines of all files that have a part in it', async () => {
    const outcome = await run(explain, world, { at: ['checkout/dev:4'] })
    const text = outcome.text(plain)
    expect(text).toContain('    8 |   port: 8080')
    expect(text).toContain('written by  templates/web/v1/instance_infrastructure/cloudformation.yaml:4:3')
  })
})
