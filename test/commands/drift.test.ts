import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Outcome } from '../../src/command.ts'
import { deploy } from '../../src/commands/deploy.ts'
import { drift } from '../../src/commands/drift.ts'
import { plan } from '../../src/commands/plan.ts'
import { readPlan } from '../../src/core/plan.ts'
import { plain } from '../../src/core/report.ts'
import type { FileTree } from '../../src/core/tree.ts'
import { small } from './organisation.ts'
import type { World } from './ports.ts'
import { run, worldOf } from './ports.ts'

const serviceFile = 'services/cart/service.yaml'

let files: Map<string, string>
let world: World
beforeEach(() => {
  files = new Map(small({ stages: ['dev', 'prod'], services: { cart: { size: 1, topics: 1 } } }))
  world = worldOf(() => files)
  const { ports } = world
  world = {
    ...world,
    // What is written is what is read from then on.
    ports: {
      ...ports,
      files: {
        ...ports.files,
        write: async (_root, tree: FileTree) => {
          for (const [path, text] of tree) files.set(path, text)
        },
      },
    },
  }
})
afterEach(() => world.end())

type Properties = Record<string, unknown>
type Stack = { resources: Record<string, { properties: Properties }> }

/** Changes a resource in the state file, as somebody would change it in a console. */
function byHand(unit: string, change: (resources: Stack['resources']) => void): void {
  const [service = '', stage = ''] = unit.split('/')
  const account = (stage === 'dev' ? '1' : '2').repeat(12)
  const name = service === 'environment' ? `env-${stage}` : `${service}-${stage}`
  const file = join(world.folder, 'stacks', 'stacks', account, 'eu-west-1', `${name}.json`)
  const stack: Stack = JSON.parse(readFileSync(file, 'utf8'))
  change(stack.resources)
  writeFileSync(file, JSON.stringify(stack))
}

function set(unit: string, logicalId: string, properties: Properties): void {
  byHand(unit, (resources) => Object.assign(resources[logicalId]?.properties ?? {}, properties))
}

type Row = { readonly unit: string; readonly property: string | null }

function rows({ data }: Outcome): readonly Row[] {
  return JSON.parse(JSON.stringify(data['drift']))
}

async function deployed(): Promise<void> {
  expect((await run(deploy, world)).exit).toBe('done')
}

describe('drift', () => {
  test('is none where nobody has changed anything', async () => {
    await deployed()

    const found = await run(drift, world)

    expect(found).toMatchObject({ exit: 'done', data: { drift: [], looked: 6, unknown: [] } })
    expect(found.text(plain)).toMatchInlineSnapshot(`
      "No drift.

      6 resources of 4 stacks were looked at."
    `)
  })

  test('is told property by property, with the input that it comes from', async () => {
    await deployed()
    set('cart/dev', 'Queue', { DelaySeconds: 30, VisibilityTimeout: 7 })
    set('cart/dev', 'Topic0', { DisplayName: 'other' })
    byHand('cart/prod', (resources) => void delete resources['Topic0'])

    const found = await run(drift, world)

    expect(found.exit).toBe('different')
    expect(rows(found)).toEqual([
      {
        unit: 'cart/dev',
        resource: 'Queue',
        type: 'AWS::SQS::Queue',
        property: 'DelaySeconds',
        expected: '1',
        actual: '30',
        from: 'inputs.size',
        at: 'services/cart/service.yaml:6:17',
      },
      expect.objectContaining({ property: 'VisibilityTimeout', expected: null, actual: '7', from: 'the template' }),
      expect.objectContaining({
        property: 'DisplayName',
        expected: 'first',
        actual: 'other',
        from: 'the template, of environment.outputs.Word',
      }),
      expect.objectContaining({ unit: 'cart/prod', resource: 'Topic0', property: null, actual: 'gone' }),
    ])
    expect(found.next?.map(({ run: command }) => command.split(' ').slice(0, 2).join(' '))).toEqual([
      'drift --mend',
      'drift --accept',
    ])
    expect((await run(drift, world, { units: ['cart/prod'] })).data['drift']).toHaveLength(1)
  })

  test('is not looked for in what is not deployed', async () => {
    expect(await run(drift, world)).toMatchObject({ exit: 'done', data: { drift: [], looked: 0 } })
  })

  test.each([
    [{ Password: 'hunter2hunter2' }, 'hunter2'],
    [{ DisplayName: `ghp_${'a1B2'.repeat(9)}` }, 'a1B2a1B2'],
    [{ Policy: { ApiToken: 'Zx81kd92ms01' } }, 'Zx81kd92'],
    [{ DisplayName: 'https://ana:geheim123@example.com/' }, 'geheim123'],
  ])('shows no secret: %j', async (properties, secret) => {
    await deployed()
    set('cart/dev', 'Topic0', properties)

    const found = await run(drift, world)

    expect(found.exit).toBe('different')
    for (const shown of [found.text(plain), JSON.stringify(found.data)]) expect(shown).not.toContain(secret)
  })

  test('cannot be mended and accepted at once', async () => {
    expect(await run(drift, world, { mend: ['true'], accept: ['true'] })).toMatchObject({
      exit: 'bad-input',
      problems: [{ code: 'option-value' }],
    })
  })
})

describe('drift that is mended', () => {
  test('is gone afterwards, and nothing else has changed', async () => {
    await deployed()
    set('cart/dev', 'Queue', { DelaySeconds: 30 })
    byHand('cart/prod', (resources) => void delete resources['Topic0'])
    const before = new Map(files)

    const mended = await run(drift, world, { mend: ['true'], yes: ['true'] })

    expect(mended).toMatchObject({
      exit: 'done',
      data: {
        units: [
          { unit: 'cart/dev', outcome: 'mended' },
          { unit: 'cart/prod', outcome: 'mended' },
        ],
      },
    })
    expect((await run(drift, world)).exit).toBe('done')
    expect((await run(plan, world)).text(plain)).toContain('Nothing to do')
    expect(files).toEqual(before)
  })

  test('is shown first, and asked for', async () => {
    await deployed()
    set('cart/dev', 'Queue', { DelaySeconds: 30 })

    const shown = await run(drift, world, { mend: ['true'] })

    expect(shown.exit).toBe('needs-approval')
    expect(shown.text(plain)).toContain('cart/dev: 1 resource would be brought back: Queue\nNothing was touched.')
    expect((await run(drift, world)).exit).toBe('different')
  })

  test('is proposed again with what was said of the stacks', async () => {
    await deployed()
    set('cart/dev', 'Queue', { DelaySeconds: 30 })
    const said = { acknowledge: ['cart/dev:Queue'], owner: ['7'] }

    const { next: [first] = [] } = await run(drift, world, { units: ['cart/dev'], ...said })
    const { acknowledge } = said
    const { next: [then] = [] } = await run(drift, world, { units: ['cart/dev'], mend: ['true'], acknowledge })

    expect(first?.run).toMatch(/^drift cart\/dev --mend --acknowledge cart\/dev:Queue --owner 7 --root /u)
    expect(then?.run).toMatch(/^drift cart\/dev --mend --yes --acknowledge cart\/dev:Queue --root /u)
  })

  test('brings no change of the files along', async () => {
    await deployed()
    set('cart/dev', 'Queue', { VisibilityTimeout: 7 })
    files.set(serviceFile, files.get(serviceFile)?.replace('size: 1', 'size: 2') ?? '')

    const refused = await run(drift, world, { mend: ['true'], yes: ['true'] })

    expect(refused).toMatchObject({
      exit: 'different',
      problems: [{ code: 'drift-unmendable', message: expect.stringContaining('another thing than what is deployed') }],
    })
    expect((await run(drift, world)).exit).toBe('different')
  })

  test('replaces nothing that holds data, until somebody says so', async () => {
    const template = 'templates/queue/v1/instance_infrastructure/cloudformation.yaml'
    files.set(template, files.get(template)?.replace('DelaySeconds:', "QueueName: 'jobs', DelaySeconds:") ?? '')
    await deployed()
    set('cart/dev', 'Queue', { QueueName: 'other' })

    const held = await run(drift, world, { units: ['cart/dev'], mend: ['true'], yes: ['true'] })
    const done = await run(drift, world, {
      units: ['cart/dev'],
      mend: ['true'],
      yes: ['true'],
      acknowledge: ['cart/dev:Queue'],
    })

    expect(held).toMatchObject({ exit: 'different', problems: [{ code: 'data-loss' }] })
    expect(done.exit).toBe('done')
  })
})

describe('drift that is accepted', () => {
  test('is a word of its stage in the file of the service, on a line of its own; the other stages keep theirs', async () => {
    await deployed()
    set('cart/dev', 'Queue', { DelaySeconds: 30 })
    const before = files.get(serviceFile) ?? ''

    const taken = await run(drift, world, { accept: ['true'] })

    expect(taken).toMatchObject({
      exit: 'done',
      data: { units: [{ unit: 'cart/dev', file: serviceFile, path: 'stages.dev.inputs.size' }] },
    })
    expect(files.get(serviceFile)).toBe(`${before}stages:\n  dev:\n    inputs:\n      size: 30\n`)
    expect((await run(drift, world, { units: ['cart/prod'] })).exit).toBe('done')
    const deployment = await run(deploy, world)
    expect(deployment.exit).toBe('done')
    expect((await run(drift, world)).exit).toBe('done')
  })

  test('changes the word that the stage has already', async () => {
    files.set(serviceFile, `${files.get(serviceFile) ?? ''}stages: { dev: { inputs: { size: 2 } } } # its own\n`)
    await deployed()
    set('cart/dev', 'Queue', { DelaySeconds: 30 })
    const before = files.get(serviceFile) ?? ''

    await run(drift, world, { accept: ['true'] })

    expect(files.get(serviceFile)).toBe(before.replace('inputs: { size: 2 }', 'inputs: { size: 30 }'))
  })

  test('is in the file of the environment, where it is one of its own', async () => {
    await deployed()
    set('environment/dev', 'Key', { Description: 'other' })

    expect((await run(drift, world, { accept: ['true'] })).exit).toBe('done')
    expect(files.get('environments/dev.yaml')).toContain('inputs: { word: other }')
    expect(files.get('environments/prod.yaml')).toContain('inputs: { word: first }')
  })

  test.each<[string, Properties, string]>([
    ['that the template writes itself', { VisibilityTimeout: 7 }, 'is written by the template itself'],
    ['that is none that the input could have', { DelaySeconds: 'soon' }, 'is no value that inputs.size could have'],
    ['that the schema does not take', { DelaySeconds: 901 }, ''],
  ])('is not a value %s', async (_name, properties, why) => {
    await deployed()
    set('cart/dev', 'Queue', properties)
    const before = new Map(files)

    const refused = await run(drift, world, { accept: ['true'] })

    expect(refused.exit).toBe('different')
    expect(refused.problems?.[0]?.message).toContain(why)
    // No file has changed, so there is nothing to plan.
    expect(refused.next).toEqual([])
    expect(files).toEqual(before)
  })

  test('is refused where a property is made of an input, and is not the input', async () => {
    const template = 'templates/queue/v1/instance_infrastructure/cloudformation.yaml'
    const text = files.get(template) ?? ''
    files.set(template, text.replace('{{ service_instance.inputs.size }}', '{{ service_instance.inputs.size * 2 }}'))
    await deployed()
    set('cart/dev', 'Queue', { DelaySeconds: 30 })

    expect(await run(drift, world, { accept: ['true'] })).toMatchObject({
      exit: 'different',
      problems: [
        { code: 'drift-unaccepted', message: expect.stringContaining('is made by the template, of service_instance') },
      ],
    })
  })

  test('is refused where the files say another value, which is not deployed', async () => {
    await deployed()
    set('cart/dev', 'Queue', { DelaySeconds: 30 })
    files.set(serviceFile, files.get(serviceFile)?.replace('size: 1', 'size: 2') ?? '')

    expect(await run(drift, world, { accept: ['true'] })).toMatchObject({
      exit: 'different',
      problems: [{ code: 'drift-unaccepted', message: expect.stringContaining('which is not deployed') }],
    })
  })

  test('takes over what it can, and says what it cannot', async () => {
    await deployed()
    set('cart/dev', 'Queue', { DelaySeconds: 30 })
    set('cart/prod', 'Queue', { DelaySeconds: 40, VisibilityTimeout: 7 })
    byHand('cart/prod', (resources) => void delete resources['Topic0'])

    const taken = await run(drift, world, { accept: ['true'] })

    expect(taken.exit).toBe('different')
    expect(taken.problems?.map(({ code }) => code)).toEqual(['drift-unaccepted', 'drift-unaccepted'])
    expect(files.get(serviceFile)).toContain(
      'stages:\n  dev:\n    inputs:\n      size: 30\n  prod:\n    inputs:\n      size: 40\n',
    )
  })
})

describe('a plan over what was changed by hand', () => {
  test('names it, also when it is read back', async () => {
    await deployed()
    const before = files.get(serviceFile) ?? ''
    files.set(serviceFile, before.replace('size: 1', 'size: 2'))
    const clean = await run(plan, world, { out: ['clean.json'] })
    set('cart/dev', 'Queue', { DelaySeconds: 30 })
    set('cart/prod', 'Topic0', { DisplayName: 'Mine' })
    await run(plan, world, { out: ['plan.json'] })

    const read = (name: string) => readPlan(name, world.written.get(name) ?? files.get(name) ?? '')
    const [untouched, touched] = [read('clean.json'), read('plan.json')]
    const handOf = (checked: typeof touched): unknown =>
      checked.ok ? checked.value.units.map(({ unit, byHand }) => [unit, byHand]) : checked.problems

    expect(clean.exit).toBe('done')
    expect(handOf(untouched)).toContainEqual(['cart/dev', []])
    expect(handOf(touched)).toContainEqual(['cart/dev', [{ logicalId: 'Queue', is: 'changed' }]])
    expect(handOf(touched)).toContainEqual(['cart/prod', [{ logicalId: 'Topic0', is: 'changed' }]])
  })
})
