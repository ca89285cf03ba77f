import { describe, expect, test } from 'vitest'

import { Refused } from '../../src/core/problem.ts'
import { leapingClock } from '../adapters/fleet-world.ts'
import type { Snapshot } from '../fakes/github/server.ts'
import { serviceRepository, type UpgradeWorld, upgradeWorld } from './world.ts'

const versions = { '1.0.0': {}, '1.1.0': { delay: 5 } }
const newer = { ...versions, '1.2.0': { delay: 6, skeleton: { 'NOTES.md': '# {{ service.name }}\n' } } }
const names = ['one', 'two', 'three']

const upgrades = '{ waves: [rest] }'

/** Three services: one is behind, of one a pull request of before was closed, one was moved by hand. */
async function before(): Promise<Snapshot> {
  const seeds = Object.fromEntries(names.map((name) => [name, serviceRepository(name)]))
  const made = await upgradeWorld({ versions, upgrades }, seeds)
  await made.run()
  await made.github.act({
    operation: 'pulls/update',
    by: 'ada',
    parameters: { owner: 'acme', repo: 'three', pull_number: 1 },
    body: { state: 'closed' },
  })
  await made.github.push({
    repository: 'acme/two',
    branch: 'main',
    files: { 'service.yaml': '# by hand\nservice: two\ntemplate: web@1.1.0\nhosts: [two.example.com]\n' },
    by: 'ada',
  })
  const snapshot = made.github.snapshot()
  await made.github.close()
  return snapshot
}

const kept = await before()

async function world(): Promise<UpgradeWorld> {
  const clock = leapingClock('2026-11-25T09:00:00Z')
  return upgradeWorld({ versions: newer, upgrades }, {}, { from: kept, clock })
}

type Left = Readonly<Record<string, unknown>>

/** What is left behind: pull requests and branches, and what is remembered, without times. */
async function left({ github, fleet, rollouts }: UpgradeWorld): Promise<Left> {
  const repositories = await fleet.repositories({ by: 'name', names: names.map((name) => `acme/${name}`) }, 'acme')
  const looks = repositories.map((repository) => ({
    repository,
    branches: [`protium/upgrade/${repository.name.slice(5)}-v1`],
    paths: [],
    file: 'service.yaml',
  }))
  const found: Record<string, unknown> = {}
  for await (const seen of fleet.look(looks)) {
    if (seen.is !== 'read') continue
    const pulls = [...seen.branches.flatMap((branch) => branch.pulls), ...seen.pulls]
    found[seen.repository.name] = {
      pulls: pulls.map(({ number, state, title, isDraft }) => [number, state, title, isDraft]),
      files: await Promise.all(
        seen.branches.map(async ({ name }) => [...(await github.files(seen.repository.name, name))]),
      ),
    }
  }
  const { files } = await rollouts.read()
  const own = [...files].filter(([path]) => path.startsWith('rollouts/'))
  found['rollouts'] = own.map(([path, text]) => [path, text.replaceAll(/"\d{4}-[\d-]+T[\d:.]+Z"/gu, '"…"')])
  found['issues'] = (await rollouts.issueBody(2))?.split('\n')[0]
  return found
}

async function cleanRun(): Promise<{ readonly end: Left; readonly requests: number }> {
  const made = await world()
  await made.run()
  const requests = made.github.requests().length
  await made.run()
  const end = await left(made)
  await made.github.close()
  return { end, requests }
}

const clean = await cleanRun()
const moments = Array.from({ length: clean.requests }, (_, index) => index + 1).flatMap((nth) =>
  (['before', 'after'] as const).map((when) => ({ nth, when })),
)

describe('an upgrade that is killed at any request', () => {
  test('has some dozens of them', () => {
    expect(clean.requests).toBeGreaterThan(12)
    expect(clean.requests).toBeLessThan(40)
  })

  test.each(moments)('comes to the same end when it is run again: $when request $nth', async ({ nth, when }) => {
    const made = await world()
    const killed = new AbortController()
    const kill = (): void => killed.abort()
    made.github.fault({ match: () => true, nth, kind: when === 'before' ? { before: kill } : { after: kill } })
    const end = await made.run('run', { signal: killed.signal }).catch((error: unknown) => error)
    expect(end).toBeInstanceOf(Refused)
    await made.run()
    await made.run()
    expect(await left(made)).toEqual(clean.end)
    await made.github.close()
  })
})
