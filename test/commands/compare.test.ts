import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compare } from '../../src/commands/compare.ts'
import { deploy } from '../../src/commands/deploy.ts'
import { Refused } from '../../src/core/problem.ts'
import { plain } from '../../src/core/report.ts'
import type { FileTree } from '../../src/core/tree.ts'
import { small } from './organisation.ts'
import { run, worldOf } from './ports.ts'

const stages = ['dev', 'prod']

function organisation(size: number, inProd?: number): FileTree {
  const service = { size, topics: 2, ...(inProd !== undefined && { stages: { prod: { size: inProd } } }) }
  return small({ stages, services: { checkout: service } })
}

async function compared(tree: FileTree, names: Readonly<Record<string, readonly string[]>> = {}) {
  const world = worldOf(() => tree)
  await run(deploy, world, {})
  const outcome = await run(compare, world, { service: ['checkout'], first: ['dev'], second: ['prod'], ...names })
  world.end()
  return outcome
}

describe('protium compare', () => {
  test('two stages of the same inputs are the same but for what is the stage’s own', async () => {
    const { exit, data } = await compared(organisation(3))

    expect(exit).toBe('done')
    expect(data['ruledOut']).toBe(true)
    expect(data['differences']).not.toContainEqual(expect.objectContaining({ is: 'undeclared' }))
    expect(data['differences']).not.toContainEqual(expect.objectContaining({ is: 'declared' }))
  })

  test('an input that a stage sets is declared, on its line, with what follows from it', async () => {
    const { exit, data } = await compared(organisation(3, 7))

    expect(exit).toBe('done')
    expect(data['differences']).toContainEqual({
      layer: 'input',
      what: 'inputs.size',
      first: '3',
      second: '7',
      is: 'declared',
      from: [],
      at: { file: 'services/checkout/service.yaml', line: expect.any(Number), column: expect.any(Number) },
    })
    expect(data['differences']).toContainEqual(
      expect.objectContaining({
        what: 'Resources.Queue.Properties.DelaySeconds',
        is: 'declared',
        from: ['inputs.size'],
      }),
    )
  })

  test('whatever the inputs, each is the same, or is a difference that has a reason or is reported', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: 5 }),
        fc.option(fc.integer({ min: 0, max: 5 })),
        async (size, prod) => {
          const { exit, data } = await compared(organisation(size, prod ?? undefined))
          const found = Array.isArray(data['differences']) ? data['differences'] : []
          const isOther = prod !== null && prod !== size

          expect(exit).toBe('done')
          expect(found.filter(({ what }) => what === 'inputs.size')).toHaveLength(isOther ? 1 : 0)
          expect(found.filter(({ what }) => what === 'Resources.Queue.Properties.DelaySeconds')).toHaveLength(
            isOther ? 1 : 0,
          )
        },
      ),
      { numRuns: 12 },
    )
  })

  test('a version that runs in one stage alone is a difference that nobody declared', async () => {
    let tree = organisation(3)
    const world = worldOf(() => tree)
    await run(deploy, world, {})
    tree = new Map([...tree].map(([path, text]) => [path, text.replaceAll('queue@1.0.0', 'queue@1.1.0')] as const)).set(
      'templates/queue/template.yaml',
      'template: queue\nkind: service\nversions: { v1: 1.1.0 }\n',
    )
    await run(deploy, world, { services: ['checkout/dev'] })
    const { exit, data } = await run(compare, world, { service: ['checkout'], first: ['dev'], second: ['prod'] })
    world.end()

    expect(exit).toBe('different')
    expect(data['differences']).toContainEqual(
      expect.objectContaining({ layer: 'template', first: 'queue@1.1.0', second: 'queue@1.0.0', is: 'undeclared' }),
    )
  })

  test('a service, or a stage of it, that there is not', async () => {
    expect((await compared(organisation(1), { second: ['prd'] })).problems).toMatchObject([
      { code: 'unknown-stage', message: expect.stringContaining('prod') },
    ])
    expect((await compared(organisation(1), { service: ['chekout'] })).problems).toMatchObject([
      { code: 'unknown-service', message: expect.stringContaining('checkout') },
    ])
  })
})

describe('a comparison with what is not deployed', () => {
  const names = { service: ['checkout'], first: ['dev'], second: ['prod'] }

  test.each([
    [['checkout/dev'], 'checkout/prod is not deployed'],
    [[], 'checkout/dev and checkout/prod are not deployed'],
  ])('gives no verdict, says what is not there, and how to have it: %j', async (services, missing) => {
    const world = worldOf(() => organisation(3))
    if (services.length > 0) await run(deploy, world, { services })
    const { exit, data, text, next } = await run(compare, world, names)
    world.end()

    expect(exit).toBe('unfinished')
    expect(data['ruledOut']).toBe(false)
    expect(text(plain)).toContain(`There is no verdict: ${missing}. By the files the two are the same.`)
    expect(text(plain)).not.toContain('ruled out')
    expect(next?.[0]?.run).toMatch(/^deploy (?:checkout\/dev )?checkout\/prod/u)
  })
})

describe('what was changed by hand, in a comparison', () => {
  const names = { service: ['checkout'], first: ['dev'], second: ['prod'] }

  test('is told of each stage, with both values, and rules nothing out', async () => {
    const world = worldOf(() => organisation(3))
    await run(deploy, world, {})
    const before = await run(compare, world, names)
    const file = join(world.folder, 'stacks', 'stacks', '2'.repeat(12), 'eu-west-1', 'checkout-prod.json')
    const stack: { resources: Record<string, { properties: object }> } = JSON.parse(readFileSync(file, 'utf8'))
    Object.assign(stack.resources['Queue']?.properties ?? {}, { DelaySeconds: 9 })
    delete stack.resources['Topic0']
    writeFileSync(file, JSON.stringify(stack))
    const after = await run(compare, world, names)
    world.end()

    expect(before).toMatchObject({
      exit: 'done',
      data: { ruledOut: true, drift: [{ unit: 'checkout/dev', is: 'looked', looked: 3, changes: [] }, { looked: 3 }] },
    })
    expect(before.text(plain)).toContain('checkout/prod: 3 resources looked at, nothing was changed by hand.')
    expect(after.exit).toBe('different')
    expect(after.data['ruledOut']).toBe(false)
    expect(after.data['drift']).toMatchObject([
      { unit: 'checkout/dev', changes: [] },
      {
        unit: 'checkout/prod',
        changes: [
          { what: 'Resources.Queue.Properties.DelaySeconds', type: 'AWS::SQS::Queue', expected: '3', actual: '9' },
          { what: 'Resources.Topic0', type: 'AWS::SNS::Topic', expected: 'there', actual: 'gone' },
        ],
      },
    ])
    expect(after.text(plain)).toContain('Infrastructure is not ruled out: 2 changes by hand.')
    expect(after.next?.[0]?.run).toBe('drift checkout/dev checkout/prod')
  })

  test.each([
    ['whoever keeps the stack does not let it be looked at', {}, 'You may not look for drift'],
    ['the stack was not to be looked at', { offline: ['true'] }, 'the stack was not to be looked at'],
  ])('is not known where %s: that is said, and is no parity', async (_what, more, why) => {
    const world = worldOf(() => organisation(3))
    await run(deploy, world, {})
    const { ports } = world
    const provisioner: typeof ports.provisioner = async (options) => ({
      ...(await ports.provisioner(options)),
      drift: async () => {
        throw new Refused('cloud-access', 'You may not look for drift.', { remedy: 'Ask for it.' })
      },
    })
    const { exit, data, text } = await run(
      compare,
      { ...world, ports: { ...ports, provisioner } },
      { ...names, ...more },
    )
    world.end()

    expect(exit).toBe('done')
    expect(data['ruledOut']).toBe(false)
    expect(data['drift']).toMatchObject([
      { unit: 'checkout/dev', is: 'unknown', why: expect.stringContaining(why) },
      { unit: 'checkout/prod', is: 'unknown' },
    ])
    expect(text(plain)).toContain('what was changed by hand is not known')
    expect(text(plain)).toContain(`What was changed by hand of checkout/dev is not known: ${why}`)
  })
})
