import { afterEach, describe, expect, test } from 'vitest'
import { validate } from '../../src/commands/validate.ts'
import { readRequest } from '../../src/core/request.ts'
import type { FileTree } from '../../src/core/tree.ts'
import { small } from './organisation.ts'
import type { World } from './ports.ts'
import { run, worldOf } from './ports.ts'

const organisation = small({
  stages: ['dev', 'prod'],
  services: { alpha: { size: 1, topics: 1 }, beta: { size: 2, topics: 0 } },
})

let world: World | undefined
afterEach(() => world?.end())

async function validated(
  changed: readonly string[] | undefined,
  tree: FileTree = organisation,
  given: Readonly<Record<string, readonly string[]>> = {},
) {
  world = worldOf(() => tree, changed === undefined ? {} : { changed })
  const outcome = await run(validate, world, { request: ['request.json'], ...given })
  const request = readRequest('request.json', world.written.get('request.json') ?? '')
  if (!request.ok) throw new Error(JSON.stringify(request.problems))
  return { outcome, request: request.value }
}

function broken(file: string): FileTree {
  return new Map(organisation).set(file, 'broken: [')
}

describe('validate', () => {
  test('says of an environment that this version cannot deploy to it, at the line that says so', async () => {
    const elsewhere = small({
      stages: ['dev'],
      services: { alpha: { size: 1, topics: 1 } },
      provisioner: 'terraform',
    })

    const { outcome } = await validated(undefined, elsewhere)

    expect(outcome.exit).toBe('done')
    expect((outcome.problems ?? []).filter(({ code }) => code === 'provisioner-unsupported')).toMatchObject([
      {
        severity: 'warning',
        message: expect.stringContaining('`terraform`'),
        at: { file: 'environments/dev.yaml', line: 3 },
      },
    ])
    const { outcome: local } = await validated(undefined)
    expect(local.problems?.map(({ code }) => code)).not.toContain('provisioner-unsupported')
  })

  test.each([
    [
      'everything, where the run is not about a change',
      undefined,
      { services: ['alpha', 'beta'], environments: true, stages: ['dev', 'prod'] },
      ['environment/dev', 'environment/prod', 'alpha/dev', 'alpha/prod', 'beta/dev', 'beta/prod'],
    ],
    [
      'the service that a change touches',
      ['services/beta/service.yaml'],
      { services: ['beta'], environments: false, stages: ['dev', 'prod'] },
      ['beta/dev', 'beta/prod'],
    ],
    [
      'an environment, and what reads its outputs',
      ['environments/prod.yaml'],
      { services: ['alpha', 'beta'], environments: true, stages: ['dev', 'prod'] },
      ['environment/prod', 'alpha/dev', 'alpha/prod', 'beta/dev', 'beta/prod'],
    ],
    ['nothing, where nothing of it has changed', ['README.md'], { services: [], environments: false, stages: [] }, []],
  ])('checks and hands on %s', async (_what, changed, touched, units) => {
    const { outcome, request } = await validated(changed)

    expect(outcome).toMatchObject({ exit: 'done', data: touched })
    expect(request.units.map(({ unit }) => unit)).toEqual(units)
  })

  test('hands on what was rendered with the outputs of the environment', async () => {
    const { request } = await validated(['services/beta/service.yaml'])

    const [unit] = request.units
    expect(unit?.given).toEqual({ KeyArn: expect.stringContaining('arn:aws:kms'), Word: 'first' })
    expect(JSON.stringify(unit?.body)).toContain(unit?.given['KeyArn'])
  })

  test('of a service that the change does not touch asks nothing', async () => {
    const tree = broken('services/alpha/service.yaml')

    expect((await validated(['services/beta/service.yaml'], tree)).outcome.exit).toBe('done')
    expect((await validated(['services/alpha/service.yaml'], tree)).outcome.exit).toBe('bad-input')
    expect((await validated(['environments/dev.yaml'], tree)).outcome.exit).toBe('bad-input')
  })

  test('hands on what is wrong, and no unit then', async () => {
    const { outcome, request } = await validated(undefined, broken('services/alpha/service.yaml'))

    expect(outcome.data).toMatchObject({ services: [], environments: false, stages: [] })
    expect(request.units).toEqual([])
    expect(request.problems[0]).toMatchObject({ severity: 'error', at: { file: 'services/alpha/service.yaml' } })
  })

  test('says that a service is gone, and nothing else', async () => {
    const tree = new Map([...organisation].filter(([path]) => !path.startsWith('services/beta/')))

    const { outcome } = await validated(['services/beta/service.yaml'], tree)

    expect(outcome).toMatchObject({ exit: 'done', data: { services: [] } })
  })
})
