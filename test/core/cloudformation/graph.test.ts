import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  crossings,
  dependants,
  type Graph,
  graphOf,
  type GraphUnit,
  next,
  type UnitProgress,
} from '../../../src/core/cloudformation/graph.ts'

const stack = { name: 'a', account: '111111111111', region: 'eu-west-1' }

function unit(id: string, more: Partial<GraphUnit> = {}): GraphUnit {
  const [service, stage] = id.split('/')
  return { id, kind: 'instance', environment: stage ?? '', service, stage, stack, ...more }
}

function environment(name: string, more: Partial<GraphUnit> = {}): GraphUnit {
  return { id: `environment/${name}`, kind: 'environment', environment: name, stack, ...more }
}

function graph(units: readonly GraphUnit[], options: Parameters<typeof graphOf>[1] = {}): Graph {
  const made = graphOf(units, options)
  if (!made.ok) throw new Error(made.problems.map(({ message }) => message).join())
  return made.value
}

function needs(of: Graph, id: string): readonly string[] {
  return of.nodes.get(id)?.needs ?? ['(not there)']
}

describe('what a unit needs', () => {
  test('an instance needs its environment, its component and what it imports; a pipeline the instances that it serves', () => {
    const found = graph([
      unit('checkout/pipeline', { kind: 'pipeline', environment: 'tools', stage: undefined }),
      unit('checkout/dev', { imports: ['queue-url'] }),
      unit('checkout/prod'),
      unit('checkout/dev/component', { kind: 'component', stage: 'dev', environment: 'dev' }),
      unit('queue/dev', { exports: ['queue-url'] }),
      environment('dev'),
      environment('prod'),
      environment('tools'),
    ])
    expect(needs(found, 'checkout/dev')).toEqual(['environment/dev', 'checkout/dev/component', 'queue/dev'])
    expect(needs(found, 'checkout/prod')).toEqual(['environment/prod'])
    expect(needs(found, 'checkout/dev/component')).toEqual(['environment/dev'])
    expect(needs(found, 'checkout/pipeline')).toEqual(['environment/tools', 'checkout/dev', 'checkout/prod'])
    expect(needs(found, 'environment/dev')).toEqual([])
  })

  test('an import counts within an account and region only, and where a unit exports it', () => {
    const found = graph([
      unit('a/dev', { exports: ['x'] }),
      unit('b/dev', { imports: ['x'], stack: { ...stack, region: 'us-east-1' } }),
      unit('c/dev', { imports: ['y'] }),
      unit('d/dev', { imports: ['z'], exports: ['z'] }),
    ])
    expect(needs(found, 'b/dev')).toEqual([])
    expect(needs(found, 'c/dev')).toEqual([])
    expect(needs(found, 'd/dev')).toEqual([])
  })

  test('another reason counts where that unit is there', () => {
    const found = graph([unit('a/prod', { after: ['a/dev', 'gone/dev'] }), unit('a/dev')])
    expect(needs(found, 'a/prod')).toEqual(['a/dev'])
  })

  test('units stand after those that they need, and before them for a removal', () => {
    const units = [unit('a/dev'), environment('dev')]
    expect([...graph(units).nodes.keys()]).toEqual(['environment/dev', 'a/dev'])
    const reversed = graph(units, { reversed: true })
    expect([...reversed.nodes.keys()]).toEqual(['a/dev', 'environment/dev'])
    expect(needs(reversed, 'environment/dev')).toEqual(['a/dev'])
    expect(needs(reversed, 'a/dev')).toEqual([])
  })

  test('a circle is a problem that names it, and why', () => {
    const made = graphOf([
      unit('a/dev', { exports: ['a'], imports: ['b'] }),
      unit('b/dev', { exports: ['b'], imports: ['a'] }),
    ])
    expect(made).toMatchObject({ ok: false, problems: [{ code: 'units-cycle' }] })
    expect(made.problems[0]?.message).toBe(
      'Units need each other in a circle: a/dev → b/dev → a/dev. a/dev imports b of b/dev; b/dev imports a of a/dev.',
    )
  })
})

describe('the crossings of a stack', () => {
  test('are evaluated, for the name of an export is most often made of the name of its stack', () => {
    const body = {
      Parameters: { Prefix: { Type: 'String', Default: 'shop' } },
      Resources: {
        Queue: {
          Type: 'AWS::SQS::Queue',
          Properties: { QueueName: { 'Fn::ImportValue': { 'Fn::Sub': '${Prefix}-name' } } },
        },
      },
      Outputs: {
        Url: { Value: { Ref: 'Queue' }, Export: { Name: { 'Fn::Join': ['-', [{ Ref: 'AWS::StackName' }, 'url']] } } },
        Plain: { Value: 'x' },
      },
    }
    expect(crossings({ stack, body, parameters: {}, tags: {} })).toEqual({ exports: ['a-url'], imports: ['shop-name'] })
  })

  test('are none where the template cannot be evaluated', () => {
    const body = { Resources: { Queue: { Type: 'AWS::SQS::Queue', Properties: { QueueName: { Ref: 'Gone' } } } } }
    expect(crossings({ stack, body, parameters: {}, tags: {} })).toEqual({ exports: [], imports: [] })
  })
})

describe('what comes next', () => {
  const found = graph([
    environment('dev', { usual: 100 }),
    unit('short/dev', { usual: 10 }),
    unit('long/dev', { usual: 50 }),
    unit('base/dev', { usual: 5, exports: ['x'] }),
    unit('top/dev', { usual: 60, imports: ['x'] }),
  ])
  const at = (...done: readonly (readonly [string, UnitProgress])[]): ReadonlyMap<string, UnitProgress> => new Map(done)

  test('is all that is ready, the longest chain first', () => {
    expect(next(found, at()).start).toEqual(['environment/dev'])
    expect(next(found, at(['environment/dev', 'running']))).toEqual({ start: [], skip: [], isOver: false })
    expect(next(found, at(['environment/dev', 'done'])).start).toEqual(['base/dev', 'long/dev', 'short/dev'])
  })

  test('is no more than an account and region may work on, each by itself', () => {
    const done = at(['environment/dev', 'done'])
    expect(next(found, done, { most: 1 }).start).toEqual(['base/dev'])
    expect(next(found, at(['environment/dev', 'done'], ['base/dev', 'running']), { most: 1 }).start).toEqual([])
    const two = graph([unit('a/dev'), unit('b/dev', { stack: { ...stack, account: '222222222222' } })])
    expect(next(two, at(), { most: 1 }).start).toEqual(['a/dev', 'b/dev'])
  })

  test('skips what waits for a failure, at whatever distance, and goes on with the rest', () => {
    const failed = at(['environment/dev', 'done'], ['base/dev', 'failed'])
    expect(next(found, failed)).toMatchObject({
      start: ['long/dev', 'short/dev'],
      skip: [{ id: 'top/dev', because: 'base/dev' }],
    })
    expect(next(found, at(['environment/dev', 'failed']))).toEqual({
      start: [],
      skip: ['short/dev', 'long/dev', 'base/dev', 'top/dev'].map((id) => ({ id, because: 'environment/dev' })),
      isOver: true,
    })
  })

  test('is nothing after a failure where the first one ends all, while what runs goes on', () => {
    const failed = at(['environment/dev', 'done'], ['short/dev', 'failed'], ['long/dev', 'running'])
    const found2 = next(found, failed, { failFast: true })
    expect(found2.start).toEqual([])
    expect(found2.skip.map(({ id }) => id)).toEqual(['base/dev', 'top/dev'])
    expect(found2.isOver).toBe(false)
  })

  test('is over when nothing is left', () => {
    expect(next(found, new Map([...found.nodes.keys()].map((id) => [id, 'done']))).isOver).toBe(true)
    expect(next(graph([]), at()).isOver).toBe(true)
  })
})

test('what waits for units is found at whatever distance, in their order', () => {
  const found = graph([
    unit('top/dev', { imports: ['x'] }),
    unit('base/dev', { exports: ['x'] }),
    environment('dev'),
    environment('prod'),
    unit('base/prod'),
  ])
  expect(dependants(found, ['environment/dev'])).toEqual(['base/dev', 'top/dev'])
  expect(dependants(found, ['base/dev'])).toEqual(['top/dev'])
  expect(dependants(found, ['environment/prod', 'base/dev'])).toEqual(['top/dev', 'base/prod'])
  expect(dependants(found, ['gone'])).toEqual([])
})

/** Runs a graph on a clock of its own: when each unit begins and ends. */
function run(
  of: Graph,
  units: readonly GraphUnit[],
  options: { readonly most?: number; readonly fails?: ReadonlySet<string> } = {},
): {
  readonly began: ReadonlyMap<string, number>
  readonly ended: ReadonlyMap<string, number>
  readonly progress: ReadonlyMap<string, UnitProgress>
  readonly peak: number
} {
  const lengths = new Map(units.map(({ id, usual }) => [id, usual ?? 1]))
  const progress = new Map<string, UnitProgress>()
  const [began, ended] = [new Map<string, number>(), new Map<string, number>()]
  const running = new Map<string, number>()
  let peak = 0
  for (let now = 0; ;) {
    const found = next(of, progress, options.most === undefined ? {} : { most: options.most })
    for (const { id } of found.skip) progress.set(id, 'skipped')
    for (const id of found.start) {
      progress.set(id, 'running')
      began.set(id, now)
      running.set(id, now + (lengths.get(id) ?? 1))
    }
    peak = Math.max(peak, running.size)
    if (found.isOver) return { began, ended, progress, peak }
    now = Math.min(...running.values())
    for (const [id, end] of running) {
      if (end > now) continue
      running.delete(id)
      ended.set(id, end)
      progress.set(id, options.fails?.has(id) === true ? 'failed' : 'done')
    }
  }
}

const anyUnits = fc
  .array(fc.tuple(fc.integer({ min: 1, max: 100 }), fc.array(fc.nat(30), { maxLength: 3 })), { maxLength: 30 })
  .map((rows) =>
    rows.map(([usual, before], index) =>
      unit(`u${index}/dev`, { usual, after: index === 0 ? [] : before.map((each) => `u${each % index}/dev`) }),
    ),
  )

describe('any graph', () => {
  test('is worked through once each, after what is needed, never more at a time than is allowed', () => {
    fc.assert(
      fc.property(anyUnits, fc.integer({ min: 1, max: 20 }), (units, most) => {
        const of = graph(units)
        const { began, ended, progress, peak } = run(of, units, { most })
        expect(peak).toBeLessThanOrEqual(most)
        expect([...progress.values()].every((state) => state === 'done')).toBe(true)
        expect(began.size).toBe(units.length)
        for (const { id, needs } of of.nodes.values())
          for (const needed of needs) expect(began.get(id)).toBeGreaterThanOrEqual(ended.get(needed) ?? Infinity)
      }),
    )
  })

  test('ends when its longest chain does, where as many as there are may be worked on', () => {
    fc.assert(
      fc.property(anyUnits, (units) => {
        const of = graph(units)
        const { ended } = run(of, units, { most: 50 })
        const chain = Math.max(0, ...[...of.nodes.values()].map(({ path }) => path))
        expect(Math.max(0, ...ended.values())).toBe(chain)
      }),
    )
  })

  test('goes on after a failure with all that does not wait for it', () => {
    fc.assert(
      fc.property(anyUnits, fc.array(fc.nat(30)), (units, failing) => {
        const of = graph(units)
        const fails = new Set(failing.map((index) => `u${index}/dev`).filter((id) => of.nodes.has(id)))
        const { progress } = run(of, units, { fails })
        const lost = new Set(
          dependants(
            of,
            [...progress].flatMap(([id, state]) => (state === 'failed' ? [id] : [])),
          ),
        )
        for (const id of of.nodes.keys())
          expect(progress.get(id) === 'skipped').toBe(lost.has(id) && progress.get(id) !== 'failed')
        expect(progress.size).toBe(units.length)
      }),
    )
  })
})

test('forty stacks of four environments end within a tenth of their longest chain', () => {
  const accounts = ['111111111111', '222222222222', '333333333333', '444444444444']
  const units = accounts.flatMap((account, index) => [
    environment(`e${index}`, { usual: 240, stack: { ...stack, account } }),
    ...Array.from({ length: 9 }, (_, service) =>
      unit(`s${service}/e${index}`, { usual: 60 + 15 * service, stack: { ...stack, account } }),
    ),
  ])
  expect(units).toHaveLength(40)
  const of = graph(units)
  const { ended } = run(of, units)
  const chain = Math.max(...[...of.nodes.values()].map(({ path }) => path))
  expect(Math.max(...ended.values())).toBeLessThanOrEqual(1.1 * chain)
})
