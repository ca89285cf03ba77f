import { afterEach, describe, expect, test } from 'vitest'
import { readBundle } from '../../src/core/bundle.ts'
import { mapOf } from '../../src/core/data.ts'
import { lockFile, mergeSkeleton, planSkeleton } from '../../src/core/skeleton.ts'
import type { RepositorySeed } from '../fakes/github/seed.ts'
import type { Catalog, UpgradeWorld, Version } from './world.ts'
import { bundle, serviceRepository, upgradeWorld } from './world.ts'

/** The files that a template gives to repositories, on their way through a fleet, with people who change and decide. */
const branch = 'protium/upgrade/one-v1'
const docker = (node: number, last: string): string => `FROM node:${node}\nWORKDIR /app\nCOPY . .\n# ${last}\n`
const first: Version = { skeleton: { Dockerfile: docker(20, 'the end'), 'docs/a.md': '# {{ service.name }}\n' } }
const second: Version = {
  delay: 1,
  skeleton: { Dockerfile: docker(24, 'the end'), 'docs/a.md': '# {{ service.name }}\n' },
}
const third: Version = { delay: 2, skeleton: { Dockerfile: docker(24, 'is here'), 'docs/b.md': 'new\n' } }

let made: UpgradeWorld | undefined
afterEach(async () => {
  await made?.github.close()
  made = undefined
})

/** A repository as `protium add` leaves it, and what somebody has made of it since. */
function repository(own: Readonly<Record<string, string | undefined>>): RepositorySeed {
  const read = readBundle(bundle(first), { template: 'web', version: '1.0.0', root: 'templates/web/v1' })
  if (!read.ok) throw new Error('The template cannot be read.')
  const values = { name: 'one', owner: 'team-one', inputs: mapOf([['size', 3]]) }
  const plan = planSkeleton({ lock: undefined, to: { bundle: read.value, values }, bundleOf: () => undefined })
  if (!plan.ok) throw new Error('The skeleton cannot be rendered.')
  const { files } = mergeSkeleton(plan.value, { ours: { files: new Map(), others: new Map() } })
  const all = Object.entries({ ...Object.fromEntries(files), ...own })
  return serviceRepository('one', {
    files: Object.fromEntries(all.flatMap(([path, text]) => (text === undefined ? [] : [[path, text] as const]))),
  })
}

async function worldOf(own: Readonly<Record<string, string | undefined>>, catalog?: Catalog): Promise<UpgradeWorld> {
  made = await upgradeWorld(catalog ?? { versions: { '1.0.0': first, '1.1.0': second } }, { one: repository(own) })
  return made
}

async function proposed({ fleet, github }: UpgradeWorld) {
  const [found] = await fleet.repositories({ by: 'name', names: ['acme/one'] }, 'acme')
  const pulls = []
  for await (const seen of fleet.read(found === undefined ? [] : [found], { paths: [], prefix: 'protium/upgrade/' }))
    if (seen.is === 'read') pulls.push(...seen.branches.flatMap((each) => each.pulls))
  const pull = pulls.find(({ state }) => state === 'open')
  if (pull === undefined) throw new Error('No pull request is open.')
  return { pull, files: await github.files('acme/one', branch) }
}

const one = { owner: 'acme', repo: 'one' }

describe('what somebody has changed beside the template', () => {
  test('stays, and the pull request is none that waits for anybody', async () => {
    const world = await worldOf({ Dockerfile: docker(20, 'ours') })
    await world.run()
    const { pull, files } = await proposed(world)

    expect(files.get('Dockerfile')).toBe(docker(24, 'ours'))
    expect(files.get(lockFile)).toContain('"from": "web@1.1.0"')
    expect(pull.isDraft).toBe(false)
    expect(pull.body).toContain('| `Dockerfile` | merged: your changes stay, and the template’s are added |')
    // What the template has not changed is nobody's business.
    expect(pull.body).not.toContain('docs/a.md')
  })

  test('is merged by the version that it came from, several versions later', async () => {
    const world = await worldOf({ Dockerfile: docker(22, 'the end') })
    world.set({ versions: { '1.0.0': first, '1.0.1': { ...first, delay: 3 } } })
    await world.run()
    await world.github.act({ operation: 'pulls/merge', by: 'ada', parameters: { ...one, pull_number: 1 } })
    expect((await world.github.files('acme/one')).get(lockFile)).toContain('"from": "web@1.0.0"')
    world.set({
      versions: {
        '1.0.0': first,
        '1.0.1': { ...first, delay: 3 },
        '1.2.0': { delay: 2, skeleton: { Dockerfile: docker(20, 'is here') } },
      },
    })
    await world.run()

    expect((await proposed(world)).files.get('Dockerfile')).toBe(docker(22, 'is here'))
  })

  test('stays deleted, and that is said', async () => {
    const world = await worldOf({ Dockerfile: undefined })
    await world.run()
    const { pull, files } = await proposed(world)

    expect(files.has('Dockerfile')).toBe(false)
    expect(pull.body).toContain('| `Dockerfile` | stays deleted, as you have it; the template has changed it |')
  })
})

describe('what both have changed', () => {
  const ours = docker(22, 'the end')

  async function conflict(): Promise<UpgradeWorld> {
    const world = await worldOf({ Dockerfile: ours })
    await world.run()
    return world
  }

  async function tick(world: UpgradeWorld, words: string): Promise<void> {
    const { pull } = await proposed(world)
    expect(pull.body).toContain(`- [ ] ${words}`)
    await world.github.act({
      operation: 'pulls/update',
      by: 'ada',
      parameters: { ...one, pull_number: pull.number },
      body: { body: pull.body.replace(`- [ ] ${words}`, `- [x] ${words}`) },
    })
  }

  test('stays ours in a draft that shows both sides', async () => {
    const world = await conflict()
    const { pull, files } = await proposed(world)

    expect(files.get('Dockerfile')).toBe(ours)
    expect(pull.isDraft).toBe(true)
    expect(pull.body).toContain('-FROM node:20\n+FROM node:22\n')
    expect(pull.body).toContain('-FROM node:20\n+FROM node:24\n')
    await world.run()
    expect((await proposed(world)).pull.head).toBe(pull.head)
  })

  test.each([
    ['take the template’s', docker(24, 'the end')],
    ['keep mine', ours],
  ])('is as somebody ticks: %s', async (words, expected) => {
    const world = await conflict()
    await tick(world, words)
    await world.run()
    const { pull, files } = await proposed(world)

    expect(files.get('Dockerfile')).toBe(expected)
    expect(pull.isDraft).toBe(false)
    expect(pull.body).toContain(`- [x] ${words}`)
    const { head } = pull
    await world.run()
    expect((await proposed(world)).pull.head).toBe(head)
  })

  test('is not asked again, once it was merged as it was', async () => {
    const world = await conflict()
    const { pull } = await proposed(world)
    await tick(world, 'keep mine')
    await world.run()
    await world.github.act({ operation: 'pulls/merge', by: 'ada', parameters: { ...one, pull_number: pull.number } })
    world.set({ versions: { '1.0.0': first, '1.1.0': second, '1.2.0': third } })
    await world.run()
    const next = await proposed(world)

    expect(next.files.get('Dockerfile')).toBe(docker(22, 'is here'))
    expect(next.files.get('docs/b.md')).toBe('new\n')
    expect(next.files.has('docs/a.md')).toBe(false)
    expect(next.pull.isDraft).toBe(false)
  })

  test('is not guessed where the lock is gone', async () => {
    const world = await worldOf({ Dockerfile: docker(20, 'ours'), [lockFile]: undefined })
    await world.run()
    const { pull, files } = await proposed(world)

    expect(files.get('Dockerfile')).toBe(docker(20, 'ours'))
    expect(pull.isDraft).toBe(true)
    expect(pull.body).toContain('from what it was made is not known')
  })
})
