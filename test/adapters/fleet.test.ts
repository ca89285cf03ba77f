import { afterEach, describe, expect, test } from 'vitest'

import { fleetOf } from '../../src/adapters/github/fleet.ts'
import type { FleetWrite } from '../../src/core/upgrade/seen.ts'
import { Refused } from '../../src/core/problem.ts'
import type { Pace } from '../../src/ports.ts'
import type { Fault } from '../fakes/github/faults.ts'
import { all, always, fleetWorld, type FleetWorld, looked, named, opening, read, write } from './fleet-world.ts'

const worlds: FleetWorld[] = []
const branch = 'protium/upgrade/checkout-v1'
const service = { files: { 'service.yaml': 'service: checkout\ntemplate: web@1.0.0\n', 'run.sh': '#!/bin/sh\n' } }

async function world(...given: Parameters<typeof fleetWorld>): Promise<FleetWorld> {
  const made = await fleetWorld(...given)
  worlds.push(made)
  return made
}

afterEach(async () => {
  for (const { github } of worlds.splice(0)) await github.close()
})

function many(count: number): Readonly<Record<string, typeof service>> {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [`service-${index}`, service]))
}

async function pulls(
  { github, client }: FleetWorld,
  name: string,
): Promise<readonly { readonly state: string; readonly head: string; readonly title: string }[]> {
  const { fleet } = client()
  const looks = (await named(fleet, name)).map((repository) => ({
    repository,
    branches: [branch],
    paths: [],
    file: 'service.yaml',
  }))
  const [seen] = await all(fleet.look(looks))
  github.forget()
  const there = read(seen)
  return [...there.branches.flatMap((each) => each.pulls), ...there.pulls].map(({ state, head, title }) => ({
    state,
    head,
    title,
  }))
}

describe('what is read of a fleet', () => {
  test('is found by names, by a topic and by a property, a hundred a request', async () => {
    const { fleet } = await world({
      one: { ...service, settings: { topics: ['protium'] } },
      two: { ...service, settings: { properties: { tier: 'gold' } } },
    })
    const names = async (...given: Parameters<typeof fleet.repositories>): Promise<readonly string[]> =>
      (await fleet.repositories(...given)).map(({ name }) => name)
    expect(await names({ by: 'name', names: ['acme/two', 'acme/one', 'acme/nobody'] }, 'acme')).toEqual([
      'acme/one',
      'acme/two',
    ])
    expect(await names({ by: 'topic', topic: 'protium' }, 'acme')).toEqual(['acme/one'])
    expect(await names({ by: 'property', property: 'tier' }, 'acme')).toEqual(['acme/two'])
    expect(await names({ by: 'topic', topic: 'protium' }, 'somebody')).toEqual([])
  })

  test('are texts, what is no text, and nothing of what is not there', async () => {
    const { fleet } = await world({ one: { files: { ...service.files, 'deep/file': 'x' } } })
    const [one] = await all(fleet.files(await named(fleet, 'one'), ['service.yaml', 'deep', 'gone']))
    expect(one?.is === 'read' && [...one.files].map(([path, file]) => [path, file.is])).toEqual([
      ['service.yaml', 'text'],
      ['deep', 'folder'],
    ])
  })

  test('keeps no repository waiting for one that is archived, empty or gone', async () => {
    const made = await world({ one: service, old: { ...service, archived: true }, two: service })
    const { fleet } = made
    const repositories = await named(fleet, 'one', 'old', 'two')
    const gone = repositories.map((each) => (each.name === 'acme/one' ? { ...each, id: 'R_bG9jYWw6OTk5OTk' } : each))
    const seen = await all(fleet.read(gone, looked))
    expect(seen.map(({ is }) => is)).toEqual(['gone', 'unusable', 'read'])
  })

  test('asks for so few at a time that GitHub manages it, and learns that', async () => {
    const { fleet, github } = await world(many(8))
    const repositories = await fleet.repositories({ by: 'name', names: names(8) }, 'acme')
    github.forget()
    github.fault({ match: 'graphql', times: 2, kind: 'timeout' })
    const seen = await all(fleet.read(repositories, looked))
    expect(seen.map(({ is }) => is)).toEqual(Array.from({ length: 8 }, () => 'read'))
    expect(github.requests()).toHaveLength(2 + 4)
  })

  test('leaves one that GitHub never manages, and reads the others', async () => {
    const { fleet, github } = await world(many(3))
    const repositories = await named(fleet, 'service-0', 'service-1', 'service-2')
    github.fault({ match: 'graphql', times: 5, kind: 'resource-limits' })
    const seen = await all(fleet.read(repositories, looked))
    expect(seen.map(({ is }) => is)).toEqual(['unread', 'read', 'read'])
  })

  test('lists more branches than most repositories have', async () => {
    const { fleet, github } = await world({ one: service })
    const names_ = Array.from({ length: 9 }, (_, index) => `protium/upgrade/service-${index}-v1`)
    for (const name of names_)
      await github.push({ repository: 'acme/one', branch: name, from: 'main', files: { a: name }, by: 'ada' })
    const [seen] = await all(fleet.read(await named(fleet, 'one'), looked))
    expect(read(seen).branches.map(({ name }) => name)).toEqual(names_)
    expect(read(seen).branches.some(({ isOurs }) => isOurs)).toBe(false)
  })

  test('ends the run with a word on when to come back where GitHub takes no more', async () => {
    const { fleet, github } = await world({ one: service })
    const repositories = await named(fleet, 'one')
    github.fault({ match: 'graphql', times: 5, kind: 'primary-limit' })
    await expect(all(fleet.read(repositories, looked))).rejects.toMatchObject({ code: 'github-rate-limited' })
  })

  test('leaves a tenth of the hour to those who need an answer now', async () => {
    const { fleet } = await world({ one: service }, { limits: { primary: 5000, points: 10 } })
    const repositories = await named(fleet, 'one')
    const reading = async (): Promise<void> => {
      for (let count = 0; count < 12; count += 1) await all(fleet.read(repositories, looked))
    }
    await expect(reading()).rejects.toBeInstanceOf(Refused)
  })

  test('takes no pull request of a fork for one from our branch', async () => {
    const made = await world({ one: service })
    const [repository] = await named(made.fleet, 'one')
    if (repository === undefined) throw new Error('There is no repository.')
    const branch = 'protium/upgrade/checkout-v1'
    const fork = await made.github.fork('acme/one', 'ben')
    await made.github.push({ repository: fork, branch, by: 'ben', files: { 'service.yaml': 'service: other\n' } })
    await made.github.act({
      operation: 'pulls/create',
      by: 'ben',
      parameters: { owner: 'acme', repo: 'one' },
      body: { title: 'Mine', head: `ben:${branch}`, base: 'main' },
    })
    const wanted = { repository, branches: [branch], paths: [], file: 'service.yaml' }
    const [gone] = await all(made.fleet.look([wanted]))
    expect(read(gone).pulls).toEqual([])
    await write(made.fleet, await opening(made.fleet, [repository]))
    const [there] = await all(made.fleet.look([wanted]))
    expect(read(there).branches.map(({ pulls }) => pulls.map(({ number }) => number))).toEqual([[2]])
  })

  test('says who has closed a pull request', async () => {
    const made = await world({ one: service, two: service })
    const repositories = await named(made.fleet, 'one', 'two')
    const written = await write(made.fleet, await opening(made.fleet, repositories))
    const [one, two] = written.map((each) => (each.is === 'opened' ? each.pull : undefined))
    await made.github.act({
      operation: 'pulls/update',
      by: 'ada',
      parameters: { owner: 'acme', repo: 'one', pull_number: one?.number ?? 0 },
      body: { state: 'closed' },
    })
    await write(made.fleet, [
      { key: 'two', repository: repositories[1] ?? { id: '', name: '' }, is: 'close', pull: two?.id ?? '' },
    ])
    const seen = await made.fleet.outcomes(repositories.map((repository) => ({ repository, number: 1 })))
    expect(seen.map(({ pull: { state, closedBy } }) => [state, closedBy])).toEqual([
      ['closed', '@ada'],
      ['closed', 'us'],
    ])
  })

  test('says that it sees no deployments, where the token may not', async () => {
    const made = await world({ one: service })
    const repositories = await named(made.fleet, 'one')
    await write(made.fleet, await opening(made.fleet, repositories))
    await made.github.act({
      operation: 'pulls/merge',
      by: 'ada',
      parameters: { owner: 'acme', repo: 'one', pull_number: 1 },
    })
    const token = made.github.token({
      kind: 'app',
      app: 'protium',
      permissions: { contents: 'write', pull_requests: 'write', metadata: 'read' },
    })
    const blind = fleetOf({ token, api: made.github.url, clock: made.clock, random: () => 0.5 })
    const wanted = repositories.map((repository) => ({ repository, number: 1 }))
    expect(await blind.outcomes(wanted)).toMatchObject([{ isBlind: true, pull: { state: 'merged' }, deployments: [] }])
    expect((await made.fleet.outcomes(wanted))[0]?.isBlind).toBeUndefined()
    expect((await all(blind.read(repositories, looked))).map(({ is }) => is)).toEqual(['read'])
  })

  test('costs three requests for a hundred repositories that want nothing', async () => {
    const { fleet, github } = await world(many(100))
    github.forget()
    const repositories = await fleet.repositories({ by: 'property', property: 'none' }, 'acme')
    const every = await fleet.repositories({ by: 'name', names: names(2) }, 'acme')
    const before = github.requests().length
    const hundred = Array.from({ length: 50 }, () => every).flat()
    expect((await all(fleet.read(hundred, looked))).every(({ is }) => is === 'read')).toBe(true)
    expect(repositories).toEqual([])
    // Two of listing for a hundred and one repositories, two of reading.
    expect(before - 1).toBe(2)
    expect(github.requests().length - before).toBe(2)
  })
})

function names(count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `acme/service-${index}`)
}

describe('what is written to a fleet', () => {
  test('is three requests and one push for each pull request, and one request at the end', async () => {
    const made = await world(many(20))
    const { fleet, github } = made
    const repositories = await fleet.repositories({ by: 'name', names: names(20) }, 'acme')
    const wanted = await opening(fleet, repositories)
    github.forget()
    const before = github.events().length
    const written = await write(fleet, wanted)
    expect(written.map(({ is }) => is)).toEqual(Array.from({ length: 20 }, () => 'opened'))
    expect(github.requests()).toHaveLength(61)
    const pushes = github
      .events()
      .slice(before)
      .filter(({ name }) => name === 'push')
    expect(pushes).toHaveLength(20)
  })

  test('holds files with their modes, and lacks what was deleted', async () => {
    const { fleet, github } = await world({ one: service })
    const wanted = await opening(fleet, await named(fleet, 'one'), (each) => ({
      ...each,
      files: new Map([...each.files, ['new.sh', '#!/bin/sh\n']]),
      executable: ['new.sh'],
      deleted: ['run.sh'],
    }))
    await write(fleet, wanted)
    const files = await github.files('acme/one', branch)
    expect([...files.keys()].toSorted()).toEqual(['new.sh', 'service.yaml'])
  })

  test('opens no pull request that would change nothing', async () => {
    const made = await world({ one: service })
    const wanted = await opening(made.fleet, await named(made.fleet, 'one'), (each) => ({ ...each, files: new Map() }))
    const [end] = await write(made.fleet, wanted)
    expect(end).toMatchObject({ is: 'refused', why: 'invalid' })
    expect(await pulls(made, 'one')).toEqual([])
  })

  test('moves no branch that a person has pushed to', async () => {
    const made = await world({ one: service })
    const { fleet, github } = made
    const repositories = await named(fleet, 'one')
    const wanted = await opening(fleet, repositories)
    const [first] = await write(fleet, wanted)
    const head = await github.push({ repository: 'acme/one', branch, files: { mine: 'mine' }, by: 'ada' })
    const forward = forwardOf(wanted[0], first)
    expect(await write(fleet, [forward])).toEqual([{ key: 'acme/one', is: 'moved' }])
    expect(await github.head('acme/one', branch)).toBe(head)
    const close: FleetWrite = {
      ...forward,
      is: 'delete',
      branch,
      before: 'before' in forward ? (forward.before ?? '') : '',
    }
    expect(await write(fleet, [close])).toEqual([{ key: 'acme/one', is: 'moved' }])
    expect(await github.head('acme/one', branch)).toBe(head)
  })

  test('makes no branch where somebody has made one meanwhile', async () => {
    const made = await world({ one: service })
    const wanted = await opening(made.fleet, await named(made.fleet, 'one'))
    const head = await made.github.push({ repository: 'acme/one', branch, from: 'main', files: { a: 'a' }, by: 'ada' })
    expect(await write(made.fleet, wanted)).toEqual([{ key: 'acme/one', is: 'moved' }])
    expect(await made.github.head('acme/one', branch)).toBe(head)
  })

  test('puts a commit on top of those of a person, and none where they are others by then', async () => {
    const made = await world({ one: service })
    const { fleet, github } = made
    const wanted = await opening(fleet, await named(fleet, 'one'))
    const [first] = await write(fleet, wanted)
    const head = await github.push({ repository: 'acme/one', branch, files: { mine: 'mine' }, by: 'ada' })
    const append = (before: string): FleetWrite => ({
      ...at(wanted[0]),
      is: 'append',
      branch,
      before,
      files: new Map([['more', 'more']]),
      deleted: [],
      message: 'More\n\nbelow',
      pull: pullOf(first),
      body: (commit) => `head ${commit}`,
    })
    expect(await write(fleet, [append(head.replace(/^./u, (digit) => (digit === '0' ? '1' : '0')))])).toMatchObject([
      { is: 'moved' },
    ])
    expect(await write(fleet, [append(head)])).toMatchObject([{ is: 'done' }])
    expect([...(await github.files('acme/one', branch)).keys()].toSorted()).toEqual([
      'mine',
      'more',
      'run.sh',
      'service.yaml',
    ])
  })

  test('goes on in place, says so, and becomes a draft', async () => {
    const made = await world({ one: service })
    const { fleet, github } = made
    const wanted = await opening(fleet, await named(fleet, 'one'))
    const [first] = await write(fleet, wanted)
    const forward = forwardOf(wanted[0], first)
    github.forget()
    expect(await write(fleet, [{ ...forward, draft: 'draft' }])).toMatchObject([{ is: 'done' }])
    expect(github.requests()).toHaveLength(5)
    const [seen] = await all(fleet.read(await named(fleet, 'one'), looked))
    const [only, ...others] = read(seen).branches[0]?.pulls ?? []
    expect(only).toMatchObject({ title: 'Upgrade web 1.0.0 → 1.2.0', isDraft: true, state: 'open' })
    expect(only?.body).toBe(`head ${only?.head}`)
    expect(others).toEqual([])
  })

  test('opens the pull request alone where a run was ended behind the branch', async () => {
    const made = await world({ one: service })
    const { fleet, github } = made
    const wanted = await opening(fleet, await named(fleet, 'one'))
    await made.github.push({ repository: 'acme/one', branch, from: 'main', files: { a: 'a' }, by: 'ada' })
    const head = (await github.head('acme/one', branch)) ?? ''
    github.forget()
    const finish: FleetWrite = {
      ...at(wanted[0]),
      is: 'reopen',
      branch,
      base: 'main',
      head,
      title: 't',
      body: 'b',
      isDraft: true,
    }
    expect(await write(fleet, [finish])).toMatchObject([{ is: 'opened', head }])
    expect(github.requests()).toHaveLength(1)
    expect(await write(fleet, [finish])).toEqual([{ key: 'acme/one', is: 'there' }])
  })

  test('closes, and deletes its branch', async () => {
    const made = await world({ one: service })
    const { fleet, github } = made
    const wanted = await opening(fleet, await named(fleet, 'one'))
    const [first] = await write(fleet, wanted)
    const before = first?.is === 'opened' ? first.head : ''
    expect(
      await write(fleet, [{ ...at(wanted[0]), is: 'close', pull: pullOf(first), body: 'bye', branch, before }]),
    ).toMatchObject([{ is: 'done' }])
    expect(await github.head('acme/one', branch)).toBeUndefined()
    expect(await pulls(made, 'one')).toMatchObject([{ state: 'closed' }])
  })
})

function at(write_: FleetWrite | undefined): Pick<FleetWrite, 'key' | 'repository'> {
  return { key: write_?.key ?? '', repository: write_?.repository ?? { id: '', name: '' } }
}

function pullOf(end: Awaited<ReturnType<typeof write>>[number] | undefined): string {
  return end?.is === 'opened' ? end.pull.id : ''
}

function forwardOf(
  wanted: FleetWrite | undefined,
  first: Awaited<ReturnType<typeof write>>[number] | undefined,
): Extract<FleetWrite, { readonly is: 'forward' }> {
  if (wanted?.is !== 'open' || first?.is !== 'opened') throw new Error('It was not opened.')
  const { base, message } = wanted
  return {
    ...at(wanted),
    is: 'forward',
    base,
    branch,
    files: new Map([['service.yaml', 'service: checkout\ntemplate: web@1.2.0\n']]),
    deleted: [],
    message,
    title: 'Upgrade web 1.0.0 → 1.2.0',
    body: (commit) => `head ${commit}`,
    pull: first.pull.id,
    before: first.head,
  }
}

describe('in bad weather', () => {
  const creates = ({ fields }: { readonly fields: readonly string[] }): boolean => fields.includes('createPullRequest')
  const moves = ({ fields }: { readonly fields: readonly string[] }): boolean => fields.includes('updateRefs')

  const faults: readonly { readonly name: string; readonly fault: Fault }[] = [
    { name: 'no answer to a tree', fault: { match: 'git/create-tree', kind: 'error' } },
    { name: 'a lost answer to a tree', fault: { match: 'git/create-tree', kind: 'error-after' } },
    { name: 'no answer to a commit', fault: { match: 'git/create-commit', kind: 'reset' } },
    { name: 'half of an answer to a commit', fault: { match: 'git/create-commit', kind: 'truncated' } },
    { name: 'no answer to a branch', fault: { match: moves, kind: 'timeout' } },
    { name: 'a lost answer to a branch', fault: { match: moves, kind: 'timeout-after' } },
    { name: 'no answer to a pull request', fault: { match: creates, kind: 'reset' } },
    { name: 'a lost answer to a pull request', fault: { match: creates, kind: 'reset-after' } },
    {
      name: 'a pull request that is lost by itself',
      fault: { match: creates, kind: { field: 'createPullRequest', message: 'Something went wrong', done: true } },
    },
    { name: 'a page of a proxy', fault: { match: creates, kind: 'html' } },
  ]

  test.each(faults)('opens each pull request once after $name', async ({ fault }) => {
    const made = await world({ one: service, two: service })
    const wanted = await opening(made.fleet, await named(made.fleet, 'one', 'two'))
    made.github.fault(fault)
    const ends = await write(made.fleet, wanted)
    expect(made.github.faults()).toEqual([])
    const left = ends.filter(({ is }) => is !== 'opened' && is !== 'there')
    if (left.length > 0) {
      const again = await opening(made.fleet, await named(made.fleet, 'one', 'two'))
      await write(made.fleet, again)
    }
    for (const name of ['one', 'two'])
      expect((await pulls(made, name)).filter(({ state }) => state === 'open')).toHaveLength(1)
  })

  test('waits for what compares branches to know of the commit', async () => {
    const made = await world({ one: service }, { compareLag: { milliseconds: 9000 } })
    const wanted = await opening(made.fleet, await named(made.fleet, 'one'))
    expect(await write(made.fleet, wanted)).toMatchObject([{ is: 'opened' }])
  })

  test('asks once, and then when it is told, where GitHub takes no more pull requests', async () => {
    const made = await world(many(4), { limits: { contentPerMinute: 2 } })
    const wanted = await opening(made.fleet, await made.fleet.repositories({ by: 'name', names: names(4) }, 'acme'))
    const told: (number | undefined)[] = []
    const pace: Pace = {
      ...always,
      rejected: (seconds) => {
        told.push(seconds)
        return { is: 'wait', milliseconds: 61_000 }
      },
    }
    const ends = await write(made.fleet, wanted, pace)
    expect(ends.map(({ is }) => is)).toEqual(['opened', 'opened', 'opened', 'opened'])
    expect(told).toHaveLength(1)
  })

  test('stops at once where that is for another run, and loses nothing', async () => {
    const made = await world(many(4), { limits: { contentPerHour: 2 } })
    const repositories = await made.fleet.repositories({ by: 'name', names: names(4) }, 'acme')
    const ends = await write(made.fleet, await opening(made.fleet, repositories))
    expect(ends.filter(({ is }) => is === 'opened')).toHaveLength(2)
    expect(ends.filter(({ is }) => is === 'left')).toHaveLength(2)
    expect(made.github.requests().filter(({ status }) => status === 403)).toEqual([])
  })

  test.each([
    { kind: 'forbidden', why: 'permission' },
    { kind: 'not-found', why: 'gone' },
    { kind: 'unprocessable', why: 'invalid' },
  ] as const)('tells one repository that is $why, and goes on with the others', async ({ kind, why }) => {
    const made = await world({ one: service, two: service })
    const wanted = await opening(made.fleet, await named(made.fleet, 'one', 'two'))
    made.github.fault({ match: 'git/create-tree', kind })
    const ends = await write(made.fleet, wanted)
    expect(ends).toMatchObject([
      { key: 'acme/one', is: 'refused', why },
      { key: 'acme/two', is: 'opened' },
    ])
  })

  test.each([
    { message: 'Repository was archived so is read-only.', why: 'archived' },
    { message: 'Repository rule violations found', why: 'rules' },
    {
      message:
        'refusing to allow a GitHub App to create or update workflow `.github/workflows/a.yml` without `workflows` permission',
      why: 'workflows',
    },
  ] as const)('knows a branch that may not move: $why', async ({ message, why }) => {
    const made = await world({ one: service })
    const wanted = await opening(made.fleet, await named(made.fleet, 'one'))
    made.github.fault({ match: moves, kind: { field: 'updateRefs', message } })
    expect(await write(made.fleet, wanted)).toMatchObject([{ is: 'refused', why }])
  })

  test('ends the run where the token has expired', async () => {
    const made = await world({ one: service })
    const wanted = await opening(made.fleet, await named(made.fleet, 'one'))
    made.github.fault({ match: 'git/create-tree', kind: 'bad-token' })
    await expect(write(made.fleet, wanted)).rejects.toMatchObject({ code: 'github-permission' })
  })
})

describe('what is remembered', () => {
  test('is taken only upon what was read, so one of two at once is told', async () => {
    const { client } = await world({})
    const [one, two] = [client().rollouts, client().rollouts]
    expect(await one.read()).toEqual({ at: undefined, files: new Map() })
    const first = await one.write(new Map([['rollouts/web/1.1.0.json', '{}\n']]), { at: undefined, why: 'Begin' })
    expect(first.is).toBe('written')
    expect(await two.write(new Map([['pacer.json', '{}\n']]), { at: undefined, why: 'Begin' })).toEqual({
      is: 'behind',
    })
    const { at: head, files } = await two.read()
    expect([...files]).toEqual([['rollouts/web/1.1.0.json', '{}\n']])
    const changes = new Map([
      ['rollouts/web/1.1.0.json', undefined],
      ['answers.json', 'ü\n'],
    ])
    expect((await two.write(changes, { at: head, why: 'Change it' })).is).toBe('written')
    expect(await one.write(changes, { at: head, why: 'Change it' })).toEqual({ is: 'behind' })
    expect([...(await one.read()).files]).toEqual([['answers.json', 'ü\n']])
  })

  test.each(['timeout', 'timeout-after'] as const)(
    'is there once, whatever becomes of the answer: %s',
    async (kind) => {
      const { github, rollouts } = await world({})
      const { at: head } = await begun(rollouts)
      github.fault({ match: ({ fields }) => fields.includes('createCommitOnBranch'), kind })
      const written = await rollouts.write(new Map([['answers.json', 'b']]), { at: head, why: 'Change it' })
      expect(written.is).toBe('written')
      expect([...(await rollouts.read()).files]).toEqual([['answers.json', 'b']])
    },
  )

  test('is not said to be there where GitHub does not answer', async () => {
    const { github, rollouts } = await world({})
    const { at: head } = await begun(rollouts)
    github.fault({ match: ({ fields }) => fields.includes('createCommitOnBranch'), times: 3, kind: 'timeout' })
    const writing = rollouts.write(new Map([['answers.json', 'b']]), { at: head, why: 'Change it' })
    await expect(writing).rejects.toMatchObject({ code: 'github-unreachable' })
  })

  test('is told in one issue, found by its marker where its number is not known', async () => {
    const { github, rollouts, client } = await world({})
    const wanted = { marker: '<!-- protium:rollout a -->', title: 'A', state: 'open' } as const
    const body = (text: string) => ({ markdown: `<!-- protium:rollout a -->\n${text}` }) as const
    expect(await rollouts.issue({ ...wanted, body: body('one') })).toMatchObject({ is: 'created', number: 1 })
    expect(await client().rollouts.issue({ ...wanted, body: body('one') })).toMatchObject({
      is: 'unchanged',
      number: 1,
    })
    expect(await rollouts.issue({ ...wanted, number: 1, body: body('two') })).toMatchObject({ is: 'updated' })
    expect(await rollouts.issueBody(1)).toContain('two')
    github.fault({ match: 'issues/create', kind: 'error-after' })
    const other = { marker: '<!-- protium:rollout b -->', title: 'B', state: 'open' } as const
    const again = { markdown: `${other.marker}\nx` } as const
    expect(await rollouts.issue({ ...other, body: again })).toMatchObject({ is: 'created', number: 2 })
  })

  test('is never told in an issue that a person has opened with the marker', async () => {
    const { github, rollouts } = await world({})
    const marker = '<!-- protium:rollout a -->'
    await github.act({
      operation: 'issues/create',
      by: 'ben',
      parameters: { owner: 'acme', repo: 'catalog' },
      body: { title: 'A', body: `${marker}\n- [x] abort <!-- protium:box abort -->` },
    })
    const wanted = { marker, title: 'A', state: 'open', body: { markdown: `${marker}\none` } } as const
    expect(await rollouts.issue(wanted)).toMatchObject({ is: 'created', number: 2 })
  })
})

async function begun(rollouts: FleetWorld['rollouts']): Promise<{ readonly at: string }> {
  const written = await rollouts.write(new Map([['answers.json', 'a']]), { at: undefined, why: 'Begin' })
  if (written.is !== 'written') throw new Error('It was not written.')
  return written
}
