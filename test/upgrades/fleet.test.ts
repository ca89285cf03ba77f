import { afterEach, describe, expect, test } from 'vitest'

import { type Upgraded, upgradeFleet } from '../../src/commands/upgrading/run.ts'
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

const versions = { '1.0.0': {}, '1.1.0': { delay: 5 } }
const newer = { ...versions, '1.2.0': { delay: 6 } }
const one = { one: serviceRepository('one') }
const branch = 'protium/upgrade/one-v1'

function ends({ done }: Upgraded): readonly string[] {
  return done.filter(({ consumer }) => consumer.kind === 'service').map(({ end }) => end.is)
}

function standings({ done }: Upgraded): readonly string[] {
  return done.filter(({ consumer }) => consumer.kind === 'service').map(({ decision }) => decision.standing)
}

function pull(number: number, repo = 'one') {
  return { owner: 'acme', repo, pull_number: number }
}

async function text({ github }: UpgradeWorld, name = 'one', ref = branch): Promise<string | undefined> {
  return (await github.files(`acme/${name}`, ref)).get('service.yaml')
}

describe('a release reaches every service', () => {
  test('by one pull request each, that changes the line of the version alone; and by nothing the next time', async () => {
    const made = await world({ versions }, { ...one, two: serviceRepository('two') })
    expect(ends(await made.run())).toEqual(['opened', 'opened'])
    expect(await text(made)).toBe(serviceFile('one', { version: '1.1.0' }))
    const before = made.github.events().length
    made.github.forget()
    expect(ends(await made.run())).toEqual(['nothing', 'nothing'])
    expect(made.github.events().slice(before)).toEqual([])
    const writes = made.github
      .requests()
      .filter(({ fields, operation }) =>
        operation === 'graphql'
          ? fields.some((field) => /^(?:update|create|close)/u.test(field))
          : !/get|list/u.test(operation),
      )
    expect(writes.map(({ operation }) => operation)).toEqual([])
  })

  test('but not one that was tagged by hand and never merged', async () => {
    const made = await world({ versions }, one)
    const ports = made.ports()
    const releases = async (root: string, { merged = false } = {}): Promise<readonly string[]> =>
      merged ? ['web@1.0.0'] : ports.files.releases(root)
    const run = await upgradeFleet({ ...ports, files: { ...ports.files, releases } }, { root: '.', mode: 'run' })
    expect(run.done.filter(({ to }) => to === '1.1.0')).toEqual([])
    expect((await seen(made)).pulls).toEqual([])
  })

  test('but not who would see nothing of it', async () => {
    const made = await world({ versions: { '1.0.0': {}, '1.1.0': {} } }, one)
    const run = await made.run()
    expect([ends(run), standings(run)]).toEqual([['nothing'], ['compatible']])
    expect(made.github.requests().filter(({ operation }) => operation.startsWith('issues/'))).toEqual([])
  })

  test('in place, when a newer one comes before it is merged', async () => {
    const made = await world({ versions }, one)
    await made.run()
    made.set({ versions: newer })
    expect(ends(await made.run())).toEqual(['done'])
    expect(await text(made)).toContain('web@1.2.0')
    const { pulls } = await seen(made)
    expect(pulls.map(({ number, state, title }) => [number, state, title])).toEqual([
      [1, 'open', 'Upgrade web 1.0.0 → 1.2.0'],
    ])
  })

  test('in the catalog itself: services and environments in its folders', async () => {
    const files = { 'services/two/service.yaml': serviceFile('two') }
    const made = await world({ versions, files }, { catalog: { files } })
    expect(ends(await made.run())).toEqual(['opened'])
    const there = await made.github.files('acme/catalog', 'protium/upgrade/two-v1')
    expect(there.get('services/two/service.yaml')).toContain('web@1.1.0')
  })
})

async function seen({ fleet }: UpgradeWorld, name = 'one') {
  const repositories = await fleet.repositories({ by: 'name', names: [`acme/${name}`] }, 'acme')
  for await (const each of fleet.look(
    repositories.map((repository) => ({
      repository,
      branches: [`protium/upgrade/${name}-v1`],
      paths: [],
      file: 'service.yaml',
    })),
  )) {
    if (each.is !== 'read') continue
    return { branches: each.branches, pulls: [...each.branches.flatMap(({ pulls }) => pulls), ...each.pulls] }
  }
  throw new Error(`${name} was not to be seen`)
}

describe('what people do', () => {
  test('is never overwritten: a commit on the branch makes it theirs', async () => {
    const made = await world({ versions }, one)
    await made.run()
    const head = await made.github.push({ repository: 'acme/one', branch, files: { mine: 'mine' }, by: 'ada' })
    made.set({ versions: newer })
    const run = await made.run()
    expect(standings(run)).toEqual(['taken-over'])
    expect(await made.github.head('acme/one', branch)).toBe(head)
    const { pulls } = await seen(made)
    expect(pulls[0]?.body).toContain('You have taken this over')
    expect(pulls[0]?.body).toContain('**1.2.0** is out')
    // Ticked, it comes on top.
    await made.github.act({
      operation: 'pulls/update',
      by: 'ada',
      parameters: pull(1),
      body: {
        body: pulls[0]?.body.replace('- [ ] put 1.2.0', '- [x] put 1.2.0') ?? '',
      },
    })
    expect(ends(await made.run())).toEqual(['done'])
    const files = await made.github.files('acme/one', branch)
    expect([files.get('mine'), files.get('service.yaml')?.includes('web@1.2.0')]).toEqual(['mine', true])
  })

  test('is an answer: what was closed is not proposed again, and the next version is', async () => {
    const made = await world({ versions }, one)
    await made.run()
    await made.github.act({ operation: 'pulls/update', by: 'ada', parameters: pull(1), body: { state: 'closed' } })
    for (const _ of [1, 2]) {
      const run = await made.run()
      expect([ends(run), standings(run)]).toEqual([['nothing'], ['declined']])
    }
    made.set({ versions: newer })
    expect(ends(await made.run())).toEqual(['opened'])
    expect((await seen(made)).pulls.map(({ number, state }) => [number, state])).toEqual([
      [2, 'open'],
      [1, 'closed'],
    ])
  })

  test('is remembered where the branch was deleted with it', async () => {
    const made = await world({ versions }, one)
    await made.run()
    await made.github.act({ operation: 'pulls/update', by: 'ada', parameters: pull(1), body: { state: 'closed' } })
    await made.github.act({
      operation: 'git/delete-ref',
      by: 'ada',
      parameters: { owner: 'acme', repo: 'one', ref: `heads/${branch}` },
    })
    const run = await made.run()
    expect([ends(run), standings(run)]).toEqual([['nothing'], ['declined']])
  })

  test('moved by hand, it closes what is left, and deletes the branch', async () => {
    const made = await world({ versions }, one)
    await made.run()
    await made.github.push({
      repository: 'acme/one',
      branch: 'main',
      files: { 'service.yaml': serviceFile('one', { version: '1.1.0' }) },
      by: 'ada',
    })
    expect(standings(await made.run())).toEqual(['current'])
    expect((await seen(made)).pulls.map(({ state, closedBy }) => [state, closedBy])).toEqual([['closed', 'us']])
    expect((await seen(made)).pulls[0]?.body).toContain('**Closed by Protium:** The version was moved by hand.')
    expect(await made.github.head('acme/one', branch)).toBeUndefined()
  })

  test('switched off in its file, it gets none', async () => {
    const made = await world({ versions }, { one: serviceRepository('one', { more: 'upgrades: false\n' }) })
    expect(standings(await made.run())).toEqual(['off'])
  })

  test('merged, it is told so, and the branch goes', async () => {
    const made = await world({ versions }, one)
    await made.run()
    await made.github.act({ operation: 'pulls/merge', by: 'ada', parameters: pull(1) })
    const run = await made.run()
    expect(standings(run)).toEqual(['merged'])
    expect(await made.github.head('acme/one', branch)).toBeUndefined()
    expect(run.rollouts).toMatchObject([
      { version: '1.1.0', members: [{ name: 'one', standing: 'merged', pullRequest: 1 }] },
    ])
  })

  test('reverted afterwards, it is not proposed again', async () => {
    const made = await world({ versions }, one)
    await made.run()
    await made.github.act({ operation: 'pulls/merge', by: 'ada', parameters: pull(1) })
    await made.run()
    await made.github.push({
      repository: 'acme/one',
      branch: 'main',
      files: { 'service.yaml': serviceFile('one') },
      by: 'ada',
    })
    const run = await made.run()
    expect([ends(run), standings(run)]).toEqual([['nothing'], ['reverted']])
    expect(run.rollouts).toMatchObject([{ is: 'halted' }])
  })
})

describe('waves', () => {
  const upgrades = '{ waves: [1, rest], gate: { soak: 1h, merged: 100%, least: 1 } }'
  const three = Object.fromEntries(['one', 'two', 'three'].map((name) => [name, serviceRepository(name)]))

  /** The name of the one that has it first. */
  async function first(made: UpgradeWorld): Promise<string> {
    const run = await made.run()
    const opened = run.done.filter(({ end }) => end.is === 'opened')
    expect(opened).toHaveLength(1)
    return opened[0]?.consumer.name ?? ''
  }

  async function deployed({ github }: UpgradeWorld, name: string, state: string): Promise<void> {
    await github.act({ operation: 'pulls/merge', by: 'ada', parameters: pull(1, name) })
    const commit = (await github.head(`acme/${name}`)) ?? ''
    const at = { owner: 'acme', repo: name }
    for (const environment of ['dev', 'prod']) {
      const body = { ref: commit, environment, auto_merge: false, required_contexts: [] }
      const { id } = await github.act({ operation: 'repos/create-deployment', by: 'ada', parameters: at, body })
      await github.act({
        operation: 'repos/create-deployment-status',
        by: 'ada',
        parameters: { ...at, deployment_id: Number(id) },
        body: { state },
      })
    }
  }

  test('begin when the one before has merged it, runs it and has done so for a while', async () => {
    const made = await world({ versions, upgrades }, three)
    const canary = await first(made)
    expect(ends(await made.run())).toEqual(['nothing', 'nothing', 'nothing'])
    await deployed(made, canary, 'success')
    expect((await made.run()).rollouts[0]?.waves).toHaveLength(1)
    await made.clock.sleep(3_700_000)
    const run = await made.run()
    expect(ends(run).filter((end) => end === 'opened')).toHaveLength(2)
    expect(run.rollouts[0]?.members.find(({ name }) => name === canary)?.deployments).toMatchObject([
      { stage: 'prod', is: 'ok' },
      { stage: 'dev', is: 'ok' },
    ])
  })

  test('stop when it fails for the sake of the release, and go on when somebody has looked at it', async () => {
    const made = await world({ versions, upgrades }, three)
    await deployed(made, await first(made), 'failure')
    const halted = await made.run()
    expect(halted.rollouts).toMatchObject([{ is: 'halted', issue: 1 }])
    expect(ends(await made.run())).toEqual(['nothing', 'nothing', 'nothing'])
    const body = (await made.rollouts.issueBody(1)) ?? ''
    expect(body).toContain('Halted')
    await made.github.act({
      operation: 'issues/update',
      by: 'ada',
      parameters: { owner: 'acme', repo: 'catalog', issue_number: 1 },
      body: { body: body.replace('- [ ] go on', '- [x] go on') },
    })
    expect((await made.run()).rollouts).toMatchObject([{ is: 'running' }])
  })

  test('are aborted for a release that was taken back, and those who have it are offered the way back', async () => {
    const two = serviceRepository('two')
    const made = await world({ versions: newer }, { one: serviceRepository('one', { version: '1.1.0' }), two })
    const taken = { versions: newer, template: 'support: { 1.2.0: { is: yanked, because: it loses messages } }\n' }
    expect(ends(await made.run())).toEqual(['opened', 'opened'])
    made.set(taken)
    const run = await made.run()
    expect(run.rollouts.find(({ version }) => version === '1.2.0')).toMatchObject({ is: 'aborted' })
    expect((await seen(made)).pulls.map(({ state }) => state)).toEqual(['closed'])
    // The other one goes to what is good, in place.
    expect((await seen(made, 'two')).pulls).toMatchObject([{ state: 'open', title: 'Upgrade web 1.0.0 → 1.1.0' }])
    const back = await world(taken, { one: serviceRepository('one', { version: '1.2.0' }) })
    await back.run()
    expect((await seen(back)).pulls).toMatchObject([{ state: 'open', title: 'Go back: web 1.2.0 → 1.1.0' }])
  })
})

describe('what a pull request says', () => {
  test('is what the changelog says of the versions in between, the newest first', async () => {
    const files = {
      'templates/web/CHANGELOG.md':
        '# web\n\n## 1.2.0\n\n- Waits @longer.\n\n## 1.1.0\n\n- Is slow.\n\n## 1.0.0\n\n- First.\n',
    }
    const made = await world({ versions: newer, files }, one)
    await made.run()
    const body = (await seen(made)).pulls[0]?.body ?? ''
    expect(body).toMatch(/1\.2\.0\*\* Waits `@longer`\.[\s\S]*1\.1\.0\*\* Is slow\./u)
    expect(body).not.toContain('First.')
    expect(body).not.toMatch(/(?<![`\w])@longer/u)
  })
})
