import { afterEach, describe, expect, test } from 'vitest'
import { plan } from '../../src/commands/plan.ts'
import { render } from '../../src/commands/render.ts'
import { planUnits } from '../../src/commands/planning.ts'
import { readFolder, stateFolders } from '../../src/commands/reading.ts'
import { stacksOf } from '../../src/commands/stacks.ts'
import { validate } from '../../src/commands/validate.ts'
import { readPlan } from '../../src/core/plan.ts'
import type { Problem } from '../../src/core/problem.ts'
import { plain } from '../../src/core/report.ts'
import { readRequest } from '../../src/core/request.ts'
import type { FileTree } from '../../src/core/tree.ts'
import { small } from './organisation.ts'
import type { World } from './ports.ts'
import { run, worldOf } from './ports.ts'

/** The clock of the world begins on 2026-11-22. */
const organisation = small({
  stages: ['dev', 'prod'],
  services: { alpha: { size: 900, topics: 1, stages: { prod: { size: 3 } } }, beta: { size: 2, topics: 0 } },
})
const policy = `policy:
  rules:
    - name: short-delays
      text: Longer delays are talked over with @acme/queues.
      resources: AWS::SQS::Queue
      property: DelaySeconds
      at_most: 60
`
const waiver = (more: Readonly<Record<string, string>> = {}): string =>
  Object.entries({
    rule: 'short-delays',
    unit: 'alpha/dev',
    resource: 'Queue',
    owner: '"@acme/alpha"',
    reason: 'The old reader needs its time.',
    expires: '2027-06-30',
    ...more,
  })
    .flatMap(([key, value]) => (value === '' ? [] : [`${key}: ${value}\n`]))
    .join('')

const template = 'templates/queue/v1/instance_infrastructure/cloudformation.yaml'

function files(waivers: Readonly<Record<string, string>> = {}, more: Readonly<Record<string, string>> = {}): FileTree {
  const tree = new Map(organisation)
  tree.set('catalog.yaml', `${organisation.get('catalog.yaml') ?? ''}${policy}`)
  for (const [name, text] of Object.entries(waivers)) tree.set(`waivers/${name}.yaml`, text)
  for (const [path, text] of Object.entries(more)) tree.set(path, text)
  return new Map([...tree].toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

let world: World | undefined
afterEach(() => world?.end())

/** What the policy has to say; the small organisation's own templates have warnings of another kind. */
const ofPolicy = (problems: readonly Problem[] = []) => problems.filter(({ code }) => code !== 'contract-input-missing')
const codes = (problems?: readonly Problem[]) => ofPolicy(problems).map(({ code, severity }) => `${severity} ${code}`)

describe('a rule of the catalog', () => {
  test('that is broken stops validate, at the line of the template, with the input behind it', async () => {
    world = worldOf(() => files())
    const outcome = await run(validate, world)
    expect(outcome.exit).toBe('bad-input')
    expect(ofPolicy(outcome.problems)).toMatchObject([
      {
        code: 'policy-rule',
        severity: 'error',
        message: '`DelaySeconds` of Queue is more than 60 (rule short-delays). (line 4 of the rendered text)',
        expected: 'Longer delays are talked over with @acme/queues. `DelaySeconds`: at most 60.',
        at: { file: template, line: 4 },
        related: [
          { at: { file: 'services/alpha/service.yaml', line: 6 }, note: 'service_instance.inputs.size: written here' },
        ],
      },
    ])
    expect((await run(plan, world, { services: ['alpha'] })).exit).toBe('bad-input')
    expect((await run(render, world, { services: ['alpha'] })).exit).toBe('bad-input')
    expect((await run(plan, world, { services: ['beta'] })).exit).toBe('done')
  })
})

describe('a waiver', () => {
  test('lets what it is for be planned, and the plan tells of it', async () => {
    world = worldOf(() => files({ slow: waiver() }))
    const outcome = await run(validate, world, { request: ['request.json'] })
    expect(outcome.exit).toBe('done')
    expect(ofPolicy(outcome.problems)).toEqual([])
    const fact = {
      rule: 'short-delays',
      resource: 'Queue',
      severity: 'error',
      message: '`DelaySeconds` of Queue is more than 60.',
      text: 'Longer delays are talked over with @acme/queues.',
      at: { file: template, line: 4 },
      waiver: {
        name: 'slow',
        owner: '@acme/alpha',
        reason: 'The old reader needs its time.',
        until: '2027-06-30',
        expired: false,
      },
    }
    const planned = await run(plan, world, { out: ['plan.json'] })
    expect(planned.text(plain)).toContain(
      'alpha/dev: `DelaySeconds` of Queue is more than 60. (rule short-delays) Waived until 2027-06-30 by @acme/alpha: The old reader needs its time.',
    )
    const read = readPlan('plan.json', world.written.get('plan.json') ?? '')
    if (!read.ok) throw new Error('the plan cannot be read')
    const told = read.value.units.flatMap(({ unit, policy: facts = [] }) => facts.map((each) => ({ unit, ...each })))
    expect(told).toMatchObject([{ unit: 'alpha/dev', ...fact }])
    const request = readRequest('request.json', world.written.get('request.json') ?? '')
    if (!request.ok) throw new Error('the request cannot be read')
    expect(request.value.units.flatMap(({ policy: facts }) => facts)).toMatchObject([fact])
    await run(plan, world, { request: ['request.json'], stage: ['dev'], out: ['plan.json'] })
    expect(world.written.get('plan.json')).toContain('"The old reader needs its time."')
  })

  test.each([
    ['of another unit', { unit: 'beta/dev' }, ['error policy-rule', 'warning waiver-unused']],
    ['of the unit in another stage', { unit: 'alpha/prod' }, ['error policy-rule', 'warning waiver-unused']],
    ['of another resource', { resource: 'Topic0' }, ['error policy-rule', 'warning waiver-unused']],
    ['that ends in a week', { expires: '2026-11-29' }, ['warning waiver-ends']],
    ['that ended today', { expires: '2026-11-22' }, ['error waiver-expired']],
    ['that ended today in Tokyo', { expires: '2026-11-22', zone: 'Asia/Tokyo' }, ['error waiver-expired']],
    ['that ends tomorrow', { expires: '2026-11-23' }, ['warning waiver-ends']],
    ['of a service that is not there', { unit: '', service: 'gamma' }, ['error unknown-service']],
    ['of a rule that is not there', { rule: 'short-delay' }, ['error unknown-rule']],
  ])('%s', async (_what, more, expected) => {
    world = worldOf(() => files({ slow: waiver(more) }))
    expect(codes((await run(validate, world)).problems)).toEqual(expected)
  })

  test('that nothing needs is told of where all that it is for was looked at', async () => {
    const unused = waiver({ unit: '', template: 'queue', resource: 'Other' })
    const tree = files({ slow: waiver(), unused, more: waiver({ unit: 'beta/dev' }) })
    world = worldOf(() => tree)
    const messages = (outcome: Awaited<ReturnType<typeof run>>) => ofPolicy(outcome.problems).map(({ at }) => at?.file)
    expect(messages(await run(validate, world))).toEqual(['waivers/more.yaml', 'waivers/unused.yaml'])
    // Others may use the template.
    expect(messages(await run(validate, world, { only: ['alpha'] }))).toEqual([])
    expect(messages(await run(validate, world, { only: ['beta'] }))).toEqual(['waivers/more.yaml'])
  })

  test('that was changed has everything judged, and deploys nothing', async () => {
    world = worldOf(() => files(), { changed: ['waivers/slow.yaml'] })
    const outcome = await run(validate, world)
    expect(codes(outcome.problems)).toEqual(['error policy-rule'])
    world.end()
    world = worldOf(() => files({ slow: waiver() }), { changed: ['waivers/slow.yaml'] })
    expect(await run(validate, world)).toMatchObject({
      exit: 'done',
      data: { services: [], environments: false, stages: [] },
    })
  })

  test('that ended between the plan and the deployment is a fact for the gate, and not let through', async () => {
    const here = worldOf(() => files({ slow: waiver({ expires: '2026-11-22' }) }))
    world = here
    const { organisation: read } = await readFolder(here.ports, here.folder)
    if (!read.ok) throw new Error('the organisation cannot be read')
    const folder = stateFolders(here.folder, '.').stacks
    const planned = await planUnits(
      read.value.units,
      stacksOf(here.ports, { folder, for: 'deployment', policy: 'gated' }),
    )
    if (!planned.ok) throw new Error('it is no problem here')
    expect(planned.value.flatMap(({ planned: unit }) => unit.policy ?? [])).toMatchObject([
      { severity: 'error', waiver: { name: 'slow', expired: true } },
    ])
    expect((await planUnits(read.value.units, stacksOf(here.ports, { folder }))).ok).toBe(false)
    const back = await planUnits(read.value.units, stacksOf(here.ports, { folder, policy: 'warns' }))
    expect(codes(back.problems)).toEqual(['warning waiver-expired'])
  })
})

describe('a service that waives a rule for itself', () => {
  test('in its own repository is told that this does not count', async () => {
    const tree = files()
    const isOfService = (path: string): boolean => path.startsWith('services/')
    const own = new Map([
      ['service.yaml', tree.get('services/alpha/service.yaml') ?? ''],
      ['waivers/mine.yaml', waiver()],
      ['waivers/cache.yaml', 'ours: true\n'],
    ])
    const catalog = new Map([...tree].filter(([path]) => !isOfService(path)))
    const whole = worldOf(() => tree)
    const folders: World['ports']['files']['tree'] = async (root, only) => {
      const names = only?.get('') ?? []
      const from: FileTree = root === 'catalog' ? catalog : own
      return { tree: new Map([...from].filter(([path]) => names.includes(path.split('/')[0] ?? ''))), problems: [] }
    }
    world = { ...whole, ports: { ...whole.ports, files: { ...whole.ports.files, tree: folders } } }
    const outcome = await run(validate, world, { path: ['.'], catalog: ['catalog'] })
    expect(outcome.exit).toBe('bad-input')
    expect(ofPolicy(outcome.problems)).toMatchObject([
      { code: 'waiver-elsewhere', severity: 'warning', at: { file: 'waivers/mine.yaml' } },
      { code: 'policy-rule', severity: 'error' },
    ])
    // The same file in the catalog does count.
    catalog.set('waivers/theirs.yaml', waiver())
    own.delete('waivers/mine.yaml')
    const good = await run(validate, world, { path: ['.'], catalog: ['catalog'] })
    expect([good.exit, ofPolicy(good.problems)]).toEqual(['done', []])
  })

  test('beside its files in the catalog is told so too', async () => {
    world = worldOf(() => files({}, { 'services/alpha/waivers/mine.yaml': waiver() }))
    expect(codes((await run(validate, world)).problems)).toEqual(['warning waiver-elsewhere', 'error policy-rule'])
  })
})
