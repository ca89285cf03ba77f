import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { join } from 'node:path'
import { folderRecords } from '../../src/adapters/records.ts'
import { deploy } from '../../src/commands/deploy.ts'
import { lock } from '../../src/commands/lock.ts'
import { rollback } from '../../src/commands/rollback.ts'
import { Refused } from '../../src/core/problem.ts'
import { plain } from '../../src/core/report.ts'
import type { FileTree } from '../../src/core/tree.ts'
import { small } from './organisation.ts'
import type { World } from './ports.ts'
import { run, worldOf } from './ports.ts'

const commits = ['a', 'b', 'c'].map((letter) => letter.repeat(40))

function sized(size: number): FileTree {
  return small({ stages: ['dev', 'prod'], services: { cart: { size, topics: 1 } } })
}

const trees = new Map(commits.map((commit, index) => [commit, sized(index + 1)] as const))
let now = commits[0] ?? ''
let world: World
beforeEach(() => {
  commits.forEach((commit, index) => trees.set(commit, sized(index + 1)))
  now = commits[0] ?? ''
  world = worldOf(() => trees.get(now) ?? new Map(), { commit: () => now, at: (commit) => trees.get(commit) })
})
afterEach(() => world.end())

async function deployed(commit: string | undefined, fail: readonly string[] = []): Promise<void> {
  now = commit ?? ''
  await run(deploy, world, { fail })
}

async function records() {
  return folderRecords(join(world.folder, 'records')).list('cart/prod')
}

async function delay(): Promise<unknown> {
  const { readdirSync, readFileSync } = await import('node:fs')
  const found = readdirSync(world.folder, { recursive: true })
    .map(String)
    .find((name) => name.includes('cart-prod') && name.endsWith('.json') && !name.startsWith('records'))
  const text = readFileSync(join(world.folder, found ?? ''), 'utf8')
  return /"DelaySeconds": ?(\d)/.exec(text)?.[1]
}

describe('a rollback', () => {
  test('to what is not healthy either stays there, and does not bring back what it came from', async () => {
    const healthy = (tree: FileTree): FileTree => {
      const file = 'services/cart/service.yaml'
      return new Map([...tree, [file, `${tree.get(file) ?? ''}health: /healthz\n`]])
    }
    for (const [commit, tree] of trees) trees.set(commit, healthy(tree))
    await deployed(commits[0])
    await deployed(commits[1])

    const { exit, text } = await run(rollback, world, {
      unit: ['cart/prod'],
      yes: ['true'],
      fail: ['health:cart/prod=503'],
    })

    expect(exit).toBe('failed')
    expect(text(plain)).toContain('It is what was gone back to, so it stays.')
    expect(await delay()).toBe('1')
    expect((await records()).at(-1)).toMatchObject({ outcome: 'failed', health: { ok: false } })
  })

  test('goes back to the deployment before, with its files, and records what from', async () => {
    await deployed(commits[0])
    await deployed(commits[1])
    expect(await delay()).toBe('2')

    const { exit } = await run(rollback, world, { unit: ['cart/prod'], yes: ['true'] })

    expect(exit).toBe('done')
    expect(await delay()).toBe('1')
    const all = await records()
    expect(all.at(-1)).toMatchObject({
      outcome: 'deployed',
      commit: commits[0],
      rollback: { to: all[0]?.id, from: commits[1] },
    })
  })

  test('shows its plan first, and touches nothing until somebody agrees', async () => {
    await deployed(commits[0])
    await deployed(commits[1])
    const { exit, text } = await run(rollback, world, { unit: ['cart/prod'] })

    expect(exit).toBe('needs-approval')
    expect(text(plain)).toContain('cart/prod')
    expect(text(plain)).toContain('Nothing was touched.')
    expect(await delay()).toBe('2')
    expect(await records()).toHaveLength(2)
  })

  test.each([{}, { show: ['true'] }])('proposes itself with all that was said: %j', async (shown) => {
    await deployed(commits[0])
    await deployed(commits[1])
    const said = { reason: ["orders\nare lost, it's urgent"], to: [commits[0] ?? ''], owner: ['7'] }
    const { next: [first] = [] } = await run(rollback, world, { unit: ['cart/prod'], ...said, ...shown })

    const reason = "'orders are lost, it'\\''s urgent'"
    expect(first?.run).toContain(`rollback cart/prod --yes --to ${commits[0]} --reason ${reason} --owner 7 --root `)
  })

  test('of what somebody else has locked is refused, and shown all the same', async () => {
    await deployed(commits[0])
    await deployed(commits[1])
    const ben = { ...world, ports: { ...world.ports, by: 'ben' } }
    await run(lock, ben, { units: ['cart'], reason: ['moving the data'] })

    const shown = await run(rollback, world, { unit: ['cart/prod'], show: ['true'] })
    expect(shown.exit).toBe('done')
    await expect(run(rollback, world, { unit: ['cart/prod'], yes: ['true'] })).rejects.toMatchObject({
      code: 'lock-held',
      message: expect.stringContaining('cart is locked by ben'),
    })
    expect(await delay()).toBe('2')
    expect((await run(rollback, ben, { unit: ['cart/prod'], yes: ['true'] })).exit).toBe('done')
  })

  test('after a failure goes to what was good last', async () => {
    await deployed(commits[0])
    await deployed(commits[1])
    await deployed(commits[2], ['cart-prod/Queue=the queue is full'])

    await run(rollback, world, { unit: ['cart/prod'], yes: ['true'] })

    const all = await records()
    expect(await delay()).toBe('2')
    expect(all.at(-1)?.rollback).toEqual({ to: all[1]?.id, from: commits[2] })
  })

  test('can go further back, to a record or a commit that is named', async () => {
    await deployed(commits[0])
    await deployed(commits[1])
    await deployed(commits[2])

    await run(rollback, world, { unit: ['cart/prod'], to: [(commits[0] ?? '').slice(0, 8)], yes: ['true'] })

    expect(await delay()).toBe('1')
  })

  test('that fails is rolled back itself, and says so', async () => {
    await deployed(commits[0])
    await deployed(commits[1])
    const { exit } = await run(rollback, world, {
      unit: ['cart/prod'],
      yes: ['true'],
      fail: ['cart-prod/Queue=no permission'],
    })

    expect(exit).toBe('failed')
    expect(await delay()).toBe('2')
    expect((await records()).at(-1)).toMatchObject({ outcome: 'failed', rollback: { from: commits[1] } })
  })

  test.each<readonly [string, readonly (string | undefined)[], readonly string[], RegExp]>([
    ['there is only what runs', [commits[0]], [], /no good deployment of cart\/prod/],
    ['the named one does not exist', [commits[0], commits[1]], ['0123456'], /no good deployment 0123456/],
  ])('is refused where %s', async (_name, before, to, message) => {
    for (const commit of before) await deployed(commit)

    const going = run(rollback, world, { unit: ['cart/prod'], yes: ['true'], ...(to.length > 0 && { to }) })

    await expect(going).rejects.toThrow(message)
    await expect(going).rejects.toBeInstanceOf(Refused)
  })

  test('is refused where the clone does not have the commit', async () => {
    await deployed(commits[0])
    await deployed(commits[1])
    trees.delete(commits[0] ?? '')
    const going = run(rollback, world, { unit: ['cart/prod'], yes: ['true'] })

    await expect(going).rejects.toThrow(/does not have the commit/)
    trees.set(commits[0] ?? '', sized(1))
  })

  test('of a service in a repository of its own takes its file from then, and the catalog of now', async () => {
    const split = (size: number): { readonly own: FileTree; readonly shared: FileTree } => {
      const all = [...sized(size)]
      const own = all.flatMap(([path, text]): [string, string][] =>
        path === 'services/cart/service.yaml' ? [['service.yaml', text]] : [],
      )
      return { own: new Map(own), shared: new Map(all.filter(([path]) => !path.startsWith('services/'))) }
    }
    const size = (): number => commits.indexOf(now) + 1
    const apart = worldOf(() => new Map([...split(size()).shared, ...split(size()).own]), {
      commit: () => now,
      at: (commit) => split(commits.indexOf(commit) + 1).own,
    })
    const catalog = [join(apart.folder, 'catalog')]
    for (const commit of commits.slice(0, 2)) {
      now = commit
      // The environment is deployed from the catalog's own repository.
      if (commit === commits[0]) await run(deploy, apart)
      expect((await run(deploy, apart, { services: ['cart'], catalog })).exit).toBe('done')
    }

    const { exit, problems } = await run(rollback, apart, { unit: ['cart/prod'], catalog, yes: ['true'] })

    expect({ exit, problems }).toEqual({ exit: 'done', problems: [] })
    expect((await folderRecords(join(apart.folder, 'records')).list('cart/prod')).at(-1)).toMatchObject({
      commit: commits[0],
      rollback: { from: commits[1] },
    })
    apart.end()
  })
})
