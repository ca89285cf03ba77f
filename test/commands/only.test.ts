import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { plan } from '../../src/commands/plan.ts'
import { validate } from '../../src/commands/validate.ts'
import type { FileTree } from '../../src/core/tree.ts'
import { small } from './organisation.ts'
import { run, worldOf, type World } from './ports.ts'

const services = { cart: { size: 1, topics: 1 }, mail: { size: 2, topics: 0 }, shop: { size: 1, topics: 0 } }

/** What was read of `services/` at each look at the folder; `undefined` is all of it. */
let looks: (readonly string[] | undefined)[]
let files: FileTree
let world: World
beforeEach(() => {
  looks = []
  files = small({ stages: ['dev', 'prod'], services })
  const whole = worldOf(() => files)
  const tree: World['ports']['files']['tree'] = async (_root, only) => {
    const names = only?.get('services')
    // The workflows lie in a folder of their own, which is not looked at for services.
    if (only?.has('.github') !== true) looks.push(names)
    const isRead = (path: string): boolean =>
      !path.startsWith('services/') || names === undefined || names.includes(path.split('/')[1] ?? '')
    return { tree: new Map([...files].filter(([path]) => isRead(path))), problems: [] }
  }
  world = { ...whole, ports: { ...whole.ports, files: { ...whole.ports.files, tree } } }
})
afterEach(() => world.end())

function edit(name: string, change: (text: string) => string): void {
  const path = `services/${name}/service.yaml`
  files = new Map([...files].map(([each, text]) => [each, each === path ? change(text) : text]))
}

describe('one service of many', () => {
  test('is planned as in the plan of all, and nothing else is read', async () => {
    const all = await run(plan, world)
    const one = await run(plan, world, { services: ['cart'] })
    expect(looks).toEqual([undefined, ['cart']])
    const unitsOf = (data: unknown): readonly { readonly unit: string }[] => JSON.parse(JSON.stringify(data)).units
    const wanted = unitsOf(all.data['plan']).filter(({ unit }) => /^(?:environment|cart)\//u.test(unit))
    expect(unitsOf(one.data['plan'])).toEqual(wanted)
  })

  test('is checked alone, whatever is wrong with the others', async () => {
    edit('mail', () => 'service: mail\n')
    const outcome = await run(validate, world, { only: ['cart'] })
    expect(outcome.exit).toBe('done')
    expect(looks).toEqual([['cart']])
    expect(JSON.stringify(outcome.data)).not.toContain('shop')
    expect((await run(validate, world)).exit).toBe('bad-input')
  })

  test('is compared with the service whose host it claims', async () => {
    edit('cart', (text) => text.replace('cart.dev.', 'mail.dev.'))
    const outcome = await run(validate, world, { only: ['cart'] })
    expect(outcome.problems?.map(({ code }) => code)).toEqual(['host-service', 'host-taken'])
    expect(looks).toEqual([['cart'], ['cart', 'mail']])
    expect(outcome.problems).toEqual((await run(validate, world)).problems)
  })

  test('is looked for among all where there is none of this name', async () => {
    const outcome = await run(validate, world, { only: ['crat'] })
    expect(outcome.problems?.map(({ message }) => message)).toEqual([expect.stringContaining('Did you mean "cart"?')])
    expect(looks).toEqual([['crat'], undefined])
  })
})
