import { afterEach, describe, expect, test } from 'vitest'

import { serviceFile, serviceRepository, type UpgradeWorld, upgradeWorld } from './world.ts'

const worlds: UpgradeWorld[] = []

async function world(...given: Parameters<typeof upgradeWorld>): Promise<UpgradeWorld> {
  const made = await upgradeWorld(...given)
  worlds.push(made)
  return made
}

afterEach(async () => {
  for (const { github } of worlds.splice(0)) await github.close()
})

const versions = {
  '1.0.0': {},
  '1.1.0': { delay: 5, input: 'seconds' },
  '1.2.0': { delay: 5, input: 'timeout' },
}
const steps = (text: string): string => `inputs:\n  - ${text}\n`
const first = { 'templates/web/migrations/1.1.0.yaml': steps('rename: { from: size, to: seconds }') }
const second = { 'templates/web/migrations/1.2.0.yaml': steps('rename: { from: seconds, to: timeout }') }
const branch = 'protium/upgrade/one-v1'

async function upgraded(made: UpgradeWorld, name = 'one'): Promise<string | undefined> {
  return (await made.github.files(`acme/${name}`, branch.replace('one', name))).get('service.yaml')
}

async function pull(made: UpgradeWorld, number = 1): Promise<{ readonly draft: boolean; readonly body: string }> {
  const found = await made.github.act({
    operation: 'pulls/get',
    by: 'ada',
    parameters: { owner: 'acme', repo: 'one', pull_number: number },
  })
  const { draft, body }: { draft: boolean; body: string } = JSON.parse(JSON.stringify(found))
  return { draft, body }
}

function file(body: string, version: string): string {
  return serviceFile('one', { version }).replace('  size: 3 # chosen\n', body)
}

describe('an upgrade over two migrations', () => {
  test('changes the version and the inputs, and no other byte, and shows what was done', async () => {
    const made = await world({ versions, files: { ...first, ...second } }, { one: serviceRepository('one') })
    await made.run()
    expect(await upgraded(made)).toBe(file('  timeout: 3 # chosen\n', '1.2.0'))
    const { draft, body } = await pull(made)
    expect(draft).toBe(false)
    expect(body).toContain('timeout')
    expect(body).toContain('size')
  })

  test('is rolled forward from what the main branch has, not from what it wrote before', async () => {
    const made = await world(
      { versions: { '1.0.0': {}, '1.1.0': versions['1.1.0'] }, files: first },
      { one: serviceRepository('one') },
    )
    await made.run()
    expect(await upgraded(made)).toBe(file('  seconds: 3 # chosen\n', '1.1.0'))
    made.set({ versions, files: { ...first, ...second } })
    await made.run()
    expect(await upgraded(made)).toBe(file('  timeout: 3 # chosen\n', '1.2.0'))
    await made.run()
    expect(await upgraded(made)).toBe(file('  timeout: 3 # chosen\n', '1.2.0'))
  })

  test('has a value of its own for a stage too', async () => {
    const more = 'stages:\n  prod: { inputs: { size: 9 }, because: more } # much more\n'
    const made = await world({ versions, files: { ...first, ...second } }, { one: serviceRepository('one', { more }) })
    await made.run()
    expect(await upgraded(made)).toBe(
      `${file('  timeout: 3 # chosen\n', '1.2.0')}stages:\n  prod: { inputs: { timeout: 9 }, because: more } # much more\n`,
    )
  })
})

test('a resource that is called otherwise keeps its id in the live stacks: nothing is replaced', async () => {
  const body = `Resources:
  Line:
    Type: AWS::SQS::Queue
    Properties: { DelaySeconds: 7, VisibilityTimeout: {{ service_instance.inputs.size }} }
`
  const files = {
    'templates/web/v1/instance_infrastructure/cloudformation.yaml': body,
    'templates/web/migrations/1.1.0.yaml': 'resources:\n  - keep_id: { from: Queue, to: Line }\n',
  }
  const own = { '1.0.0': {}, '1.1.0': { delay: 7 } }
  const made = await world({ versions: own, files }, { one: serviceRepository('one') })
  await made.run()
  expect(await upgraded(made)).toBe(`${file('  size: 3 # chosen\n', '1.1.0')}keep:\n  Line: Queue\n`)
  const { body: told } = await pull(made)
  expect(told).toContain('DelaySeconds')
  expect(told).toContain('1 changed, 0 replaced and 0 deleted')
  const without = await world(
    { versions: own, files: { ...files, 'templates/web/migrations/1.1.0.yaml': 'notes: A queue is a line.\n' } },
    { one: serviceRepository('one') },
  )
  await without.run()
  expect((await pull(without)).body).toContain('0 replaced and 1 deleted')
})

describe('what a migration cannot know', () => {
  test('is asked in a draft, with the question in the place of the answer', async () => {
    const asking = {
      'templates/web/migrations/1.2.0.yaml': steps(
        'map: { path: seconds, to: timeout, values: { "1": 10, "2": 20 }, why: Tens of seconds. }',
      ),
    }
    const made = await world({ versions, files: { ...first, ...asking } }, { one: serviceRepository('one') })
    await made.run()
    expect(await upgraded(made)).toBe(file('  timeout: "?? one of 10, 20 (was 3)" # chosen\n', '1.2.0'))
    const { draft, body } = await pull(made)
    expect(draft).toBe(true)
    expect(body).toContain('Tens of seconds.')
  })

  test('is told of, and no pull request is opened, where it stands in the way', async () => {
    const blocking = {
      'templates/web/migrations/1.2.0.yaml': steps('remove: { path: seconds, when: "value < 2", why: "It is gone." }'),
    }
    const made = await world({ versions, files: { ...first, ...blocking } }, { one: serviceRepository('one') })
    const { done } = await made.run()
    await expect(upgraded(made)).rejects.toThrow('Not Found')
    expect(JSON.stringify(done)).toContain('It is gone.')
  })

  test('is asked where no migration says what becomes of an input', async () => {
    const made = await world({ versions, files: first }, { one: serviceRepository('one') })
    await made.run()
    expect(await upgraded(made)).toBe(file('  seconds: 3 # chosen\n', '1.2.0'))
    const { draft, body } = await pull(made)
    expect(draft).toBe(true)
    expect(body).toContain('no migration says what becomes of it')
  })
})
