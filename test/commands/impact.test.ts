import { afterEach, describe, expect, test } from 'vitest'
import type { Command, Outcome, Ports } from '../../src/command.ts'
import { consumers } from '../../src/commands/consumers.ts'
import { impact } from '../../src/commands/impact.ts'
import { consumersText, readConsumers } from '../../src/core/impact/file.ts'
import { Refused } from '../../src/core/problem.ts'
import { plain } from '../../src/core/report.ts'
import type { FileTree } from '../../src/core/tree.ts'
import type { FileSeen, FleetRepository } from '../../src/core/upgrade/seen.ts'
import type { FleetHost } from '../../src/ports.ts'
import { fleetWorld } from '../adapters/fleet-world.ts'
import type { Merging } from './merging.ts'
import { startMerging } from './merging.ts'
import { small } from './organisation.ts'
import { worldOf, type World } from './ports.ts'

const stages = ['dev', 'prod']
const services = { cart: { size: 5, topics: 1 }, mail: { size: 6, topics: 2 } }
const before = small({ stages, services })
const queueFile = 'templates/queue/v1/instance_infrastructure/cloudformation.yaml'

function changed(change: (text: string) => string, file = queueFile): FileTree {
  return new Map([...before].map(([path, text]) => [path, path === file ? change(text) : text]))
}

/** A topic of another id: the old one is deleted. */
const renamed = changed((text) => text.replace('Topic{{ number }}', 'Subject{{ number }}'))

let world: World | undefined
let merging: Merging | undefined
afterEach(async () => {
  world?.end()
  world = undefined
  await merging?.close()
  merging = undefined
})

function at(tree: FileTree, more: Parameters<typeof worldOf>[1] = {}): World {
  world = worldOf(() => tree, {
    at: (commit) => (commit === 'main' ? before : undefined),
    commit: '1'.repeat(40),
    ...more,
  })
  return world
}

async function run(command: Command, ports: Ports, given: Readonly<Record<string, string>>): Promise<Outcome> {
  const accepted = command.accept(new Map(Object.entries(given).map(([name, word]) => [name, [word]])))
  if (!accepted.ok) throw new Error(JSON.stringify(accepted.problems))
  return accepted.value(ports)
}

const serviceText = (name: string, more = ''): string =>
  `service: ${name}\ntemplate: queue@1.0.0\nhosts: [${name}.dev.example.com]\ninputs: { size: 1, topics: 1 }\n${more}`

describe('protium impact', () => {
  test('tells what becomes of the services of the catalog, and ends as different where something is lost', async () => {
    const outcome = await run(impact, at(renamed).ports, { since: 'main' })
    expect(outcome.exit).toBe('different')
    expect(outcome.data['verdict']).toBe('queue 1.0.0: 2 of 2 consumers lose a resource')
    const text = outcome.text(plain)
    expect(text).toContain('Topic0 (AWS::SNS::Topic) is deleted in dev and prod')
    expect(outcome.page?.markdown).toContain('### Blast radius of queue 1.0.0: 2 of 2 consumers lose a resource')
    expect(outcome.data['report']).toMatchObject({ consumers: [{ consumer: 'cart' }, { consumer: 'mail' }] })
  })

  test('ends as done where nothing is lost', async () => {
    const outcome = await run(impact, at(changed((text) => text.replace('DelaySeconds: ', 'DelaySeconds: 1'))).ports, {
      since: 'main',
    })
    expect([outcome.exit, outcome.data['verdict']]).toEqual([
      'done',
      'queue 1.0.0: 2 of 2 consumers change in place, nothing is lost',
    ])
  })

  test('takes along what was read of other repositories, broken ones too', async () => {
    const file = consumersText({
      read: '2026-11-25T11:00:00.000Z',
      consumers: [
        { is: 'service', repository: 'acme/shop', file: 'service.yaml', text: serviceText('shop') },
        { is: 'service', repository: 'acme/bad', file: 'service.yaml', text: 'service: [\n' },
      ],
      unread: [{ repository: 'acme/hidden', why: 'it is locked' }],
    })
    const { ports } = at(renamed, { texts: new Map([['consumers.json', file]]) })
    const outcome = await run(impact, ports, { since: 'main', consumers: 'consumers.json' })
    expect(outcome.data['counts']).toMatchObject({ replaces: 3, unknown: 1 })
    expect(outcome.data['report']).toMatchObject({
      read: '2026-11-25T11:00:00.000Z',
      unread: [{ repository: 'acme/hidden' }],
    })
  })

  test('renders who runs another release from that release', async () => {
    const old = [...before].flatMap(([path, text]): [string, string][] =>
      path.startsWith('templates/queue/v1/')
        ? [[path.replace('templates/queue/v1/', ''), text.replace('DelaySeconds', 'VisibilityTimeout')]]
        : [],
    )
    const text = serviceText('shop').replace('queue@1.0.0', 'queue@1.0.1')
    const shop = { is: 'service', repository: 'acme/shop', file: 'service.yaml', text } as const
    const file = consumersText({ read: '', consumers: [shop], unread: [] })
    const same = changed((template) => template)
    const texts = new Map([['consumers.json', file]])
    const given = { since: 'main', consumers: 'consumers.json' }
    const bumped = new Map([...same, ['templates/queue/template.yaml', 'kind: service\nversions: { v1: 1.1.0 }\n']])
    const released = new Map([
      ['queue@1.0.1', new Map(old)],
      ['queue@1.0.0', new Map(old)],
    ])
    const outcome = await run(impact, at(bumped, { texts, released }).ports, given)
    expect(outcome.data['counts']).toMatchObject({ changed: 1, unchanged: 2, unknown: 0 })
    const none = await run(impact, at(bumped, { texts }).ports, given)
    expect(none.data['counts']).toMatchObject({ unknown: 1, unchanged: 2 })
  })

  test('says which outputs of environments change, and who reads them', async () => {
    const home = 'templates/home/v1/infrastructure/cloudformation.yaml'
    const outcome = await run(impact, at(changed((text) => text.replace(/ {2}Word: .*\n/u, ''), home)).ports, {
      since: 'main',
    })
    expect(outcome.data['counts']).toMatchObject({ 'does-not-render': 2, changed: 2 })
    expect(outcome.data['report']).toMatchObject({
      outputs: [
        { environment: 'dev', output: 'Word', is: 'removed', templates: ['queue@1.0.0'], services: 2 },
        { environment: 'prod', output: 'Word', is: 'removed', templates: ['queue@1.0.0'], services: 2 },
      ],
    })
  })

  test.each([
    ['a base that is not there', { since: 'nowhere' }, 'The catalog cannot be read as it was at nowhere.'],
    ['no base at all', {}, 'It is not known what the change is compared with.'],
  ])('is refused with %s', async (_, given, message) => {
    const refused = run(impact, at(renamed).ports, given)
    await expect(refused).rejects.toThrow(Refused)
    await expect(refused).rejects.toThrow(message)
  })

  test('is bad input where the catalog cannot be read, or the file of consumers is none', async () => {
    const broken = await run(impact, at(new Map([['catalog.yaml', 'stages: [']])).ports, { since: 'main' })
    expect(broken.exit).toBe('bad-input')
    const { ports } = at(renamed, { texts: new Map([['consumers.json', '{"format":9}']]) })
    const other = await run(impact, ports, { since: 'main', consumers: 'consumers.json' })
    expect([other.exit, other.problems?.[0]?.message]).toEqual([
      'bad-input',
      'The file was written by a newer version of Protium.',
    ])
  })
})

describe('what the job of a pull request says', () => {
  async function proposed(): Promise<{
    readonly ports: Ports
    readonly render: () => Promise<string>
    readonly pull: { readonly number: number; readonly head: string }
  }> {
    merging = await startMerging(before, stages)
    const base = (await merging.github.head('acme/catalog')) ?? ''
    const pull = await merging.propose(renamed, { unplanned: true })
    const job = merging.jobOf(base)
    const about = {
      is: 'pull-request',
      number: pull.number,
      title: 'Rename a topic',
      author: 'ben',
      head: { commit: pull.head, branch: 'change' },
      base: { commit: base, branch: 'main' },
      fork: false,
    } as const
    const commit = '1'.repeat(40)
    const written = new Map<string, string>()
    const files: Ports['files'] = {
      ...job.files,
      tree: async () => ({ tree: renamed, problems: [] }),
      at: async () => ({ tree: before, problems: [] }),
      begun: async () => base,
      text: async (file) => {
        const text = written.get(file)
        return text === undefined ? { ok: false, problems: [] } : { ok: true, value: text, problems: [] }
      },
      writeText: async (file, text) => void written.set(file, text),
    }
    const ports = { ...job, files, base: { since: base, merge: true }, run: { ...job.run, commit, about } }
    const render = async (): Promise<string> => {
      const outcome = await run(impact, { ...ports, github: undefined }, { out: 'impact.json' })
      expect(outcome).toMatchObject({ exit: 'done', data: { report: null } })
      return written.get('impact.json') ?? ''
    }
    return { ports, render, pull }
  }

  test('is one comment and one check, however often it is said', async () => {
    const { ports, render, pull } = await proposed()
    await render()
    const first = await run(impact, ports, { report: 'impact.json' })
    const second = await run(impact, ports, { report: 'impact.json' })
    expect([first.exit, second.exit]).toEqual(['done', 'done'])
    const comments = (await merging?.comments(pull, 'impact')) ?? []
    expect(comments).toHaveLength(1)
    expect(comments[0]).toContain('### Blast radius of queue 1.0.0: 2 of 2 consumers lose a resource')
    expect(merging?.pages().join('\n')).toContain('protium:impact')
    // Both lose it to a version of the major that they run.
    const github = await ports.github?.()
    expect(await github?.checkOn(pull.head, 'protium/impact')).toMatchObject({ conclusion: 'failure' })
  })

  test('is nothing of another commit', async () => {
    const { ports, render, pull } = await proposed()
    const text = await render()
    await ports.files.writeText('other.json', text.replace(pull.head, '9'.repeat(40)))
    const outcome = await run(impact, ports, { report: 'other.json' })
    expect([outcome.exit, outcome.problems?.[0]?.code]).toEqual(['bad-input', 'request-mismatch'])
    expect(await merging?.comments(pull, 'impact')).toEqual([])
  })
})

describe('protium consumers', () => {
  const repository = (name: string, number: number): FleetRepository => ({
    id: `R_${number}`,
    number,
    name,
    is: 'usable',
    properties: {},
  })
  type Contents = Readonly<Record<string, string | null>>

  /** A fleet that is only a value; `null` is a file that is no text. */
  function fleetOf(contents: Readonly<Record<string, Contents | string>>): FleetHost & { readonly reads: string[][] } {
    const reads: string[][] = []
    const never = async (): Promise<never> => Promise.reject(new Error('nothing else is asked for'))
    const none = async function* (): AsyncGenerator<never, void, void> {
      yield await never()
    }
    return {
      reads,
      repositories: async () => Object.keys(contents).map((name, index) => repository(name, index)),
      files: async function* (some, paths) {
        reads.push([...paths])
        for (const each of some) {
          const own = contents[each.name]
          if (typeof own === 'string') yield { is: 'unread', repository: each, why: own }
          else if (own === undefined) yield { is: 'gone', repository: each }
          else {
            const files = paths.flatMap((path): [string, FileSeen][] => {
              const text = own[path]
              return text === undefined
                ? []
                : [[path, text === null ? { is: 'binary', oid: '0' } : { is: 'text', oid: '0', text }]]
            })
            yield { is: 'read', repository: each, commit: '1'.repeat(40), files: new Map(files) }
          }
        }
      },
      read: none,
      look: none,
      outcomes: never,
      write: none,
    }
  }

  const withTopic = changed(
    (text) =>
      `${text}services: { repositories: { topic: protium } }\nworkflows: { actions: actions, repository: acme/catalog }\n`,
    'catalog.yaml',
  )

  test('writes what services say of themselves, and names what could not be read', async () => {
    const fleet = fleetOf({
      'acme/shop': { 'service.yaml': serviceText('shop') },
      'acme/part': {
        'service.yaml': serviceText('part'),
        'component/manifest.yaml': 'infrastructure:\n  templates:\n    - { file: more.yaml }\n    - { file: ../x }\n',
        'component/more.yaml': 'Resources: {}\n',
      },
      'acme/none': {},
      'acme/odd': { 'service.yaml': null },
      'acme/locked': 'it is locked',
    })
    const { ports, written } = at(withTopic, { fleet: async () => fleet })
    const outcome = await run(consumers, ports, { out: 'consumers.json' })
    expect(outcome).toMatchObject({ exit: 'done', data: { read: 2 } })
    const read = readConsumers('consumers.json', written.get('consumers.json') ?? '')
    expect(read.ok && read.value).toMatchObject({
      consumers: [
        { repository: 'acme/shop', file: 'service.yaml' },
        {
          repository: 'acme/part',
          component: new Map([
            ['manifest.yaml', expect.anything()],
            ['more.yaml', 'Resources: {}\n'],
          ]),
        },
      ],
      unread: [
        { repository: 'acme/odd', why: 'its service.yaml is no text' },
        { repository: 'acme/locked', why: 'it is locked' },
      ],
    })
    expect(fleet.reads).toEqual([['service.yaml', 'component/manifest.yaml'], ['component/more.yaml']])
  })

  test('has nothing to read where the catalog names no repositories', async () => {
    const { ports, written } = at(before)
    const outcome = await run(consumers, ports, { out: 'consumers.json' })
    expect(outcome).toMatchObject({ exit: 'done', data: { read: 0, unread: [] } })
    expect(written.get('consumers.json')).toContain('"consumers":[]')
  })

  test('reads sixty repositories of the local GitHub in three requests', async () => {
    const names = Array.from({ length: 60 }, (_, index) => `s${String(index).padStart(3, '0')}`)
    const { github, fleet } = await fleetWorld(
      Object.fromEntries(
        names.map((name) => [
          name,
          { files: { 'service.yaml': serviceText(name) }, settings: { topics: ['protium'] } },
        ]),
      ),
    )
    try {
      const { ports, written } = at(withTopic, { fleet: async () => fleet })
      const outcome = await run(consumers, ports, { out: 'consumers.json' })
      expect(outcome.data).toMatchObject({ read: 60, unread: [] })
      const read = readConsumers('consumers.json', written.get('consumers.json') ?? '')
      expect(read.ok && read.value.consumers.map(({ text }) => text)).toEqual(names.map((name) => serviceText(name)))
      expect(github.requests()).toHaveLength(3)
    } finally {
      await github.close()
    }
  })

  test('is refused without a token', async () => {
    await expect(run(consumers, at(withTopic).ports, { out: 'consumers.json' })).rejects.toThrow(
      'there is no token for it',
    )
  })
})
