import { afterEach, describe, expect, test } from 'vitest'

import type { Upgraded } from '../../src/commands/upgrading/run.ts'
import { upgrade } from '../../src/commands/upgrade.ts'
import type { Outcome } from '../../src/command.ts'
import { leapingClock } from '../adapters/fleet-world.ts'
import { bundle, catalogTree, serviceFile, serviceRepository, type UpgradeWorld, upgradeWorld } from './world.ts'
import { worldOf } from '../commands/ports.ts'

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
const one = { one: serviceRepository('one') }

function services({ done }: Upgraded): Upgraded['done'] {
  return done.filter(({ consumer }) => consumer.kind === 'service')
}

function ends(run: Upgraded): readonly string[] {
  return services(run).map(({ end }) => end.is)
}

describe('the failures that there are', () => {
  test('a crash before the branch leaves nothing that anybody sees', async () => {
    const made = await world({ versions }, one)
    made.github.fault({ match: 'git/create-commit', kind: 'bad-token' })
    await expect(made.run()).rejects.toMatchObject({ code: 'github-permission' })
    expect(await made.github.head('acme/one', 'protium/upgrade/one-v1')).toBeUndefined()
    expect(ends(await made.run())).toEqual(['opened'])
  })

  test('a crash between branch and pull request is mended by the pull request alone', async () => {
    const made = await world({ versions }, one)
    made.github.fault({ match: ({ fields }) => fields.includes('createPullRequest'), times: 4, kind: 'timeout' })
    expect(ends(await made.run())).toEqual(['left'])
    const head = await made.github.head('acme/one', 'protium/upgrade/one-v1')
    made.github.forget()
    expect(ends(await made.run())).toEqual(['opened'])
    expect(await made.github.head('acme/one', 'protium/upgrade/one-v1')).toBe(head)
    expect(made.github.requests().some(({ operation }) => operation === 'git/create-tree')).toBe(false)
  })

  test('of two runs at once one stops before it writes anything', async () => {
    const made = await world({ versions }, one)
    await made.rollouts.write(new Map([['note.json', '{}']]), { at: undefined, why: 'Begin' })
    const [first, second] = await Promise.allSettled([made.run(), made.run()])
    const ways = [first, second].map(({ status }) => status).toSorted()
    expect(ways).toEqual(['fulfilled', 'rejected'])
    const [reason] = [first, second].flatMap((each): unknown[] => (each?.status === 'rejected' ? [each.reason] : []))
    expect(reason).toMatchObject({ code: 'rollouts-busy' })
  })

  test('what is remembered is lost: all of it is seen again, and nothing is done twice', async () => {
    const made = await world({ versions }, { ...one, two: serviceRepository('two') })
    await made.run()
    await made.github.act({
      operation: 'pulls/update',
      by: 'ada',
      parameters: { owner: 'acme', repo: 'two', pull_number: 1 },
      body: { state: 'closed' },
    })
    await made.github.act({
      operation: 'git/delete-ref',
      by: 'ada',
      parameters: { owner: 'acme', repo: 'catalog', ref: 'heads/protium-rollouts' },
    })
    const run = await made.run()
    expect(ends(run)).toEqual(['nothing', 'nothing'])
    expect(run.rollouts).toMatchObject([
      {
        members: [{ name: 'one', standing: 'open', pullRequest: 1 }],
        issue: 1,
      },
    ])
  })

  test('what is remembered was changed by hand: nothing is opened', async () => {
    const made = await world({ versions }, one)
    await made.rollouts.write(new Map([['answers.json', '{"format":1,']]), { at: undefined, why: 'Break it' })
    await expect(made.run()).rejects.toMatchObject({ code: 'rollout-format' })
  })

  test('a file that cannot be read is told of with its line, and keeps nobody waiting', async () => {
    const files = { 'service.yaml': 'service: bad\ntemplate: [web\n' }
    const made = await world({ versions }, { ...one, bad: { files, settings: { topics: ['protium'] } } })
    const run = await made.run()
    expect(ends(run)).toEqual(['opened'])
    expect(run.sweep.unreadable).toMatchObject([
      { repository: { name: 'acme/bad' }, words: expect.stringContaining('Line 3') },
    ])
  })

  test('one that is archived is left as it is', async () => {
    const made = await world({ versions }, { ...one, old: { ...serviceRepository('old'), archived: true } })
    const run = await made.run()
    expect(ends(run)).toEqual(['opened'])
    expect(run.sweep.unseen).toMatchObject([{ words: 'Its repository is archived.' }])
  })

  test('one that GitHub never lets us write to is left in peace after the third time', async () => {
    const made = await world({ versions }, one)
    for (const _ of [1, 2, 3]) {
      made.github.fault({ match: ({ path }) => path === '/repos/acme/one/git/trees', kind: 'forbidden' })
      expect(ends(await made.run())).toEqual(['refused'])
    }
    made.github.forget()
    expect(ends(await made.run())).toEqual(['nothing'])
    expect(made.github.requests().some(({ path }) => path === '/repos/acme/one/git/trees')).toBe(false)
    await made.clock.sleep(25 * 3_600_000)
    expect(ends(await made.run())).toEqual(['opened'])
  })

  test('a template that does not render with three is no matter of theirs, and its rollout stops', async () => {
    const three = Object.fromEntries(['one', 'two', 'three'].map((name) => [name, serviceRepository(name)]))
    const files = {
      'templates/web/v1/instance_infrastructure/cloudformation.yaml':
        'Resources: {{ service_instance.inputs.none.there }}\n',
    }
    const made = await world({ versions, files }, three)
    const run = await made.run()
    expect(ends(run)).toEqual(['nothing', 'nothing', 'nothing'])
    expect(run.rollouts).toMatchObject([{ is: 'halted' }])
  })

  test('what GitHub takes is learned under a cap that it does not tell, with two refusals at the most', async () => {
    const clock = leapingClock()
    const many = Object.fromEntries(
      Array.from({ length: 40 }, (_, index) => [`s${index}`, serviceRepository(`s${index}`)]),
    )
    const made = await world({ versions, upgrades: '{ waves: [rest], per_team: 100 }' }, many, {
      clock,
      limits: { contentPerHour: 15, retryAfter: 'unsaid' },
    })
    let [opened, rejected] = [0, 0]
    for (let hour = 0; hour < 6 && opened < 40; hour += 1) {
      made.github.forget()
      const run = await made.run()
      opened += ends(run).filter((end) => end === 'opened').length
      rejected += made.github.requests().reduce((sum, each) => sum + each.rejected, 0)
      await clock.sleep(3_600_000)
    }
    expect(opened).toBe(40)
    expect(rejected).toBeLessThanOrEqual(2)
  }, 180_000)

  test('what the hour allows is nearly used up: the rest is for the next, and somebody who asks has an answer', async () => {
    const made = await world({ versions }, one, { limits: { points: 4 } })
    await expect(made.run()).rejects.toMatchObject({ code: 'github-rate-limited' })
  })
})

describe('what is in a pull request', () => {
  test('is what a migration makes of the inputs, with all other lines as they were', async () => {
    const files = {
      'templates/web/migrations/1.1.0.yaml':
        'to: 1.1.0\ninputs:\n  - rename: { from: size, to: timeout }\nexamples:\n  - name: renames\n    before: { size: 3 }\n    after: { timeout: 3 }\n',
    }
    const made = await world({ versions: { '1.0.0': {}, '1.1.0': { delay: 1, input: 'timeout' } }, files }, one)
    expect(ends(await made.run())).toEqual(['opened'])
    const there = await made.github.files('acme/one', 'protium/upgrade/one-v1')
    expect(there.get('service.yaml')).toBe(serviceFile('one', { version: '1.1.0' }).replace('size:', 'timeout:'))
  })

  test('is a draft where a person has to give something first', async () => {
    const made = await world({ versions: { '1.0.0': {}, '1.1.0': { delay: 1, input: 'timeout' } } }, one)
    const run = await made.run()
    expect(services(run)).toMatchObject([{ decision: { standing: 'needs-answer' }, end: { is: 'opened' } }])
    const [seen] = await all(made)
    expect(seen?.isDraft).toBe(true)
  })

  test('are the files of the skeleton, merged with what the service has made of them', async () => {
    const skeleton = (line: string) => ({ 'NOTES.md': `# {{ service.name }}\n\n${line}\n\nthe end\n` })
    const own = '# one\n\nfirst\n\nthe end, and mine\n'
    const made = await world(
      { versions: { '1.0.0': { skeleton: skeleton('first') }, '1.1.0': { delay: 1, skeleton: skeleton('second') } } },
      { one: serviceRepository('one', { files: { 'NOTES.md': own } }) },
    )
    await made.run()
    const there = await made.github.files('acme/one', 'protium/upgrade/one-v1')
    const [seen] = await all(made)
    expect([there.get('NOTES.md'), seen?.isDraft]).toMatchObject([
      expect.stringContaining('and mine'),
      expect.any(Boolean),
    ])
    expect(seen?.body).toContain('NOTES.md')
  })
})

describe('a run that has nothing to do', () => {
  test('writes nothing, whatever people have yet to settle', async () => {
    const skeleton = (line: string) => ({ 'NOTES.md': `${line}\n` })
    const made = await world(
      { versions: { '1.0.0': { skeleton: skeleton('first') }, '1.1.0': { delay: 1, skeleton: skeleton('second') } } },
      { one: serviceRepository('one', { files: { 'NOTES.md': 'mine\n' } }) },
    )
    await made.run()
    await made.run()
    const before = await made.client().rollouts.read()
    made.github.forget()
    expect(ends(await made.run())).toEqual(['nothing'])
    const names = made.github
      .requests()
      .flatMap(({ fields, operation }) => (operation === 'graphql' ? fields : [operation]))
    expect(
      names.filter((name) => /^(?:update|create|close|convert|mark|enable|disable)|git\/create/u.test(name)),
    ).toEqual([])
    await made.clock.sleep(1000)
    await made.run('show')
    expect(await made.client().rollouts.read()).toEqual(before)
  })

  test('costs three hundredths of a request a repository', async () => {
    const many = Object.fromEntries(
      Array.from({ length: 200 }, (_, index) => [`s${index}`, serviceRepository(`s${index}`, { version: '1.1.0' })]),
    )
    const made = await world({ versions }, many)
    await made.run()
    made.github.forget()
    await made.run()
    // One to find the catalog and one for what is remembered, however many there are.
    expect(made.github.requests().length - 2).toBeLessThanOrEqual(200 * 0.03 + 1)
  })
})

async function all({ fleet }: UpgradeWorld, name = 'one') {
  const repositories = await fleet.repositories({ by: 'name', names: [`acme/${name}`] }, 'acme')
  const found = []
  for await (const seen of fleet.read(repositories, { paths: [], prefix: 'protium/upgrade/' }))
    if (seen.is === 'read') found.push(...seen.branches.flatMap(({ pulls }) => pulls))
  return found
}

describe('parts of a fleet', () => {
  test('are told by a look that opens nothing, and written by those who may reach them alone', async () => {
    const made = await world({ versions }, { ...one, two: serviceRepository('two') })
    const show = await made.run('show')
    expect(ends(show)).toEqual(['planned', 'planned'])
    expect(show.shards).toEqual([{ shard: '1/1', repositories: ['acme/one', 'acme/two'] }])
    expect(await all(made)).toEqual([])
    const shard = await made.run('shard')
    expect(ends(shard)).toEqual(['opened', 'opened'])
    expect((await made.run('show')).rollouts).toMatchObject([
      { members: [{ pullRequest: 1 }, { pullRequest: 1 }], issue: 1 },
    ])
  })

  test('a shard begins no rollout by itself', async () => {
    const made = await world({ versions }, one)
    expect(ends(await made.run('shard'))).toEqual(['nothing'])
  })

  test('a dry run writes nothing at all', async () => {
    const made = await world({ versions }, one)
    const run = await made.run('dry')
    expect(ends(run)).toEqual(['planned'])
    expect(await made.client().rollouts.read()).toEqual({ at: undefined, files: new Map() })
  })
})

describe('at a terminal', () => {
  async function run(given: Readonly<Record<string, readonly string[]>>, made?: UpgradeWorld): Promise<Outcome> {
    const accepted = upgrade.accept(new Map(Object.entries(given)))
    if (!accepted.ok) throw new Error(accepted.problems[0]?.message)
    return accepted.value(made?.ports() ?? ports)
  }
  const files = { 'services/two/service.yaml': serviceFile('two') }
  const tree = catalogTree({ versions, files })
  const released = new Map(Object.entries(versions).map(([version, each]) => [`web@${version}`, bundle(each)] as const))
  const { ports, written } = { ...worldOf(() => tree, { released }), written: new Map<string, string>() }

  test('shows what would change in the file of one service, and writes it', async () => {
    const shown = await run({ service: ['two'] })
    expect(shown.exit).toBe('different')
    expect(shown.text({ ...plain })).toContain('+template: web@1.1.0')
    const made = worldOf(() => tree, { released })
    const accepted = upgrade.accept(new Map(Object.entries({ service: ['two'], write: ['true'] })))
    const outcome = accepted.ok ? await accepted.value(made.ports) : undefined
    expect(outcome).toMatchObject({ exit: 'done', data: { changed: 1 } })
    void written
  })

  test('knows no other service, and no version that was not released', async () => {
    expect(await run({ service: ['tow'] })).toMatchObject({ exit: 'bad-input', problems: [{ code: 'unknown-unit' }] })
    expect(await run({ service: ['two'], to: ['9.0.0'] })).toMatchObject({ problems: [{ code: 'unknown-version' }] })
    expect(await run({ service: ['two'], to: ['1.0.0'] })).toMatchObject({ exit: 'done' })
  })

  test('refuses words that mean nothing before it asks anybody', async () => {
    expect(await run({ what: ['stop'] })).toMatchObject({ exit: 'bad-input' })
    expect(await run({ shard: ['0/3'] })).toMatchObject({ exit: 'bad-input' })
    expect(await run({ release: ['web'] })).toMatchObject({ exit: 'bad-input' })
    expect(await run({ to: ['1.0.0'] })).toMatchObject({ exit: 'bad-input' })
  })

  test('says which options do not go together, instead of doing a part of them', async () => {
    const wrong = [
      { service: ['two'], what: ['halt'] },
      { service: ['two'], 'dry-run': ['true'] },
      { service: ['two'], reason: ['x'] },
      { reason: ['x'] },
      { release: ['web@1.1.0'] },
      { 'dry-run': ['true'], show: ['true'] },
      { 'dry-run': ['true'], shard: ['1/2'] },
      { 'dry-run': ['true'], what: ['halt'] },
    ]
    for (const given of wrong)
      expect(await run(given)).toMatchObject({ exit: 'bad-input', problems: [{ code: 'option-value' }] })
  })

  test('tells a program what it shows a person', async () => {
    expect((await run({ service: ['two'] })).data).toMatchObject({
      moved: {
        service: 'two',
        template: 'web',
        from: '1.0.0',
        to: '1.1.0',
        files: ['services/two/service.yaml'],
        asks: [],
      },
    })
  })

  test('says of a step down that migrations are not taken back', async () => {
    const later = { 'services/two/service.yaml': serviceFile('two', { version: '1.1.0' }) }
    const lower = worldOf(() => catalogTree({ versions, files: later }), { released })
    const accepted = upgrade.accept(new Map(Object.entries({ service: ['two'], to: ['1.0.0'] })))
    const outcome = accepted.ok ? await accepted.value(lower.ports) : undefined
    expect(outcome?.text(plain)).toContain('It goes back')
  })

  test('prints no character of a template that a terminal would obey', async () => {
    const migration =
      'to: 1.1.0\ninputs:\n  - ask: { path: size, type: enum, options: ["pub\\e[31mlic", "a\\nb"], why: "so\\e[1m" }\n'
    const asking = { ...files, 'templates/web/migrations/1.1.0.yaml': migration }
    const asked = worldOf(() => catalogTree({ versions, files: asking }), { released })
    const accepted = upgrade.accept(new Map(Object.entries({ service: ['two'] })))
    const outcome = accepted.ok ? await accepted.value(asked.ports) : undefined
    expect(outcome?.text(plain) ?? '\u001B').not.toMatch(/[\u0000-\u0009\u000B-\u001F]/u)
  })

  test('stops a rollout, says why, and lets it go on', async () => {
    const made = await world({ versions }, one)
    await made.run()
    const halted = await run({ what: ['halt'], reason: ['It smells.'], release: ['web@1.1.0'] }, made)
    expect(halted.data).toMatchObject({ rollouts: [{ release: 'web@1.1.0', is: 'halted' }] })
    expect(await made.rollouts.issueBody(1)).toContain('It smells.')
    await made.run()
    expect((await all(made))[0]?.body).toContain('It smells.')
    expect((await run({ what: ['resume'] }, made)).data).toMatchObject({ rollouts: [{ is: 'running' }] })
  })
})

const plain = {
  good: (text: string) => text,
  bad: (text: string) => text,
  bold: (text: string) => text,
  dim: (text: string) => text,
  accent: (text: string) => text,
  notice: (text: string) => text,
  warn: (text: string) => text,
}
