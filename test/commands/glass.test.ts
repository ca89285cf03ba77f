import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import { gitHub } from '../../src/adapters/github.ts'
import { readRecord } from '../../src/adapters/records.ts'
import type { Ports } from '../../src/command.ts'
import { askForFollowUp, brokenGlass, glassRecord } from '../../src/commands/glass.ts'
import type { Catalog } from '../../src/core/catalog.ts'
import { readCatalog } from '../../src/core/catalog.ts'
import type { Gate } from '../../src/core/gates.ts'
import { glassAlert, glassComment } from '../../src/core/glass.ts'
import type { GitHost, PullRequest } from '../../src/ports.ts'
import type { GitHub, Grant } from '../fakes/github/server.ts'
import { startGitHub } from '../fakes/github/server.ts'
import { small } from './organisation.ts'
import type { World } from './ports.ts'
import { worldOf } from './ports.ts'

const shop = small({ stages: ['dev', 'prod'], services: { cart: { size: 1, topics: 1 } } })

function catalogWith(glass: string): Catalog {
  const read = readCatalog(new Map([...shop, ['catalog.yaml', `${shop.get('catalog.yaml') ?? ''}${glass}`]]))
  if (!read.ok) throw new Error(read.problems.map(({ message }) => message).join(' '))
  return read.value
}

const named = catalogWith('glass: { by: ["@ana", "@acme/oncall"] }\n')
const reason = 'checkout loses orders, revert within minutes'
const gates: readonly Gate[] = [
  { gate: 'order', is: 'open', why: 'dev has it.' },
  { gate: 'soak', is: 'skipped', why: 'dev is to have had it for 30 min.' },
  { gate: 'approval', is: 'skipped', why: '@acme/platform has not approved it.' },
]
const skipped = gates.filter(({ is }) => is === 'skipped')
const broken = { unit: 'cart/prod', commit: 'c'.repeat(40), glass: { by: 'ana', reason }, skipped }

let world: World
beforeEach(() => {
  world = worldOf(() => shop)
})
afterEach(() => world.end())

describe('the glass', () => {
  test('is broken by who is named, whatever the case of his name, with a reason', async () => {
    for (const by of ['ana', 'Ana']) {
      const glass = await brokenGlass({ ...world.ports, by }, { reason: `  ${reason}\n`, catalog: named })
      expect(glass).toEqual({ by, reason })
    }
  })

  test.each([
    { what: 'by who is not named', by: 'ben', catalog: named, says: '@ana and the members of @acme/oncall' },
    { what: 'by somebody whose name begins alike', by: 'an', catalog: named, says: '@ana' },
    { what: 'by a name that is a team’s', by: 'acme/oncall2', catalog: named, says: '@ana' },
    {
      what: 'by anybody where nobody is named',
      by: 'ana',
      catalog: catalogWith(''),
      says: 'names nobody who may, below `glass:`',
    },
  ])('is not broken $what, and it is said who may', async ({ by, catalog, says }) => {
    await expect(brokenGlass({ ...world.ports, by }, { reason, catalog })).rejects.toMatchObject({
      code: 'glass-refused',
      message: `${by} may not break the glass.`,
      remedy: expect.stringContaining(says),
    })
  })

  test.each(['', '  \n '])('is not broken for no reason: %j', async (blank) => {
    await expect(brokenGlass(world.ports, { reason: blank, catalog: named })).rejects.toMatchObject({
      code: 'glass-refused',
      message: expect.stringContaining('without a reason'),
    })
  })

  test('is broken for a reason that holds a secret without telling it', async () => {
    const secret = `ghp_${'a1B2'.repeat(9)}`
    const glass = await brokenGlass(world.ports, { reason: `the token ${secret} leaked`, catalog: named })
    expect(glass.reason).not.toContain(secret)
    expect(glass.reason).toContain('leaked')
  })

  test('is kept in the record with what was not waited for, and only if something was not', () => {
    expect(glassRecord({ by: 'ana', reason }, gates)).toEqual({
      glass: { by: 'ana', reason, skipped: ['soak', 'approval'] },
    })
    expect(glassRecord({ by: 'ana', reason }, gates.slice(0, 1))).toEqual({})
    expect(glassRecord(undefined, gates)).toEqual({})
  })

  test('is read back from a record, and records without it are read as before', () => {
    const plain = {
      format: 1,
      id: '1',
      unit: 'cart/prod',
      template: 'queue',
      version: '1.0.0',
      by: 'ana',
      started: '2026-11-25T12:00:00.000Z',
      finished: '2026-11-25T12:01:00.000Z',
      outcome: 'deployed',
      wants: 'sha256:00',
    }
    expect(readRecord('1.json', JSON.stringify(plain))).toEqual(plain)
    const glass = { by: 'ana', reason, skipped: ['soak'] }
    expect(readRecord('1.json', JSON.stringify({ ...plain, glass }))).toEqual({ ...plain, glass })
  })
})

describe('what is said of a broken glass', () => {
  test('names who, why, what was skipped, and what has to follow', () => {
    const { markdown } = glassComment(broken)
    for (const words of ['ana', reason, 'soak', '30 min', 'approval', 'protium rollback cart/prod', 'ccccccc'])
      expect(markdown).toContain(words)
    expect(glassAlert(broken).markdown).toContain('without waiting')
  })

  test('mentions nobody and issues no HTML, whatever the reason says', () => {
    const hostile = { ...broken, glass: { by: 'ana', reason: '@acme/all <img src=x> closes #1\n> [!NOTE]\n# x' } }
    const { markdown } = glassComment(hostile)
    expect(markdown).not.toMatch(/(?<!`)@acme\/all(?!`)/u)
    expect(markdown).not.toMatch(/(?<!`)<img/u)
    expect(markdown).not.toMatch(/^#+ x/mu)
  })
})

describe('at GitHub', () => {
  const repository = 'acme/catalog'
  let github: GitHub
  let pull: PullRequest
  beforeEach(async () => {
    github = await startGitHub({
      organisation: 'acme',
      members: { ana: 'admin', ben: 'member', cem: 'member' },
      teams: { oncall: { members: ['cem'] } },
      repositories: { catalog: { files: Object.fromEntries(shop), collaborators: { ben: 'write' } } },
    })
    const head = await github.push({ repository, branch: 'fix', from: 'main', files: { a: 'a' }, by: 'ben' })
    const parameters = { owner: 'acme', repo: 'catalog' }
    const body = { title: 'Fix', head: 'fix', base: 'main' }
    const made = await github.act({ operation: 'pulls/create', by: 'ben', parameters, body })
    pull = {
      number: Number(made['number']),
      state: 'merged',
      isDraft: false,
      author: 'ben',
      isFork: false,
      head: { branch: 'fix', commit: head },
      base: { branch: 'main', commit: head },
    }
  })
  afterEach(async () => github.close())

  const job: Grant = {
    kind: 'job',
    repository,
    permissions: { contents: 'read', pull_requests: 'write', metadata: 'read' },
  }
  function hostOf(grant: Grant): GitHost {
    return gitHub({
      repository,
      token: github.token(grant),
      api: github.url,
      clock: world.ports.clock,
      random: () => 0.5,
      second: 1,
    })
  }
  const portsOf = (by: string, grant: Grant = job): Ports => ({ ...world.ports, by, github: async () => hostOf(grant) })

  test('a person is asked for before a team, which the token of a job may not see', async () => {
    expect(await brokenGlass(portsOf('ana'), { reason, catalog: named })).toEqual({ by: 'ana', reason })
    await expect(brokenGlass(portsOf('cem'), { reason, catalog: named })).rejects.toMatchObject({
      code: 'github-permission',
    })
  })

  test('a member of the team may, and nobody else', async () => {
    const seeing: Grant = { kind: 'user', login: 'ana' }
    expect(await brokenGlass(portsOf('cem', seeing), { reason, catalog: named })).toEqual({ by: 'cem', reason })
    await expect(brokenGlass(portsOf('ben', seeing), { reason, catalog: named })).rejects.toMatchObject({
      code: 'glass-refused',
    })
  })

  test('a follow-up is asked for once for each unit, and not where nothing was skipped', async () => {
    const asking = { github: hostOf(job), pull }
    await askForFollowUp(portsOf('ana'), { ...asking, broken })
    await askForFollowUp(portsOf('ana'), { ...asking, broken })
    await askForFollowUp(portsOf('ana'), { ...asking, broken: { ...broken, unit: 'mail/prod', skipped: [] } })
    await askForFollowUp(portsOf('ana'), { ...asking, pull: undefined, broken })
    const bodies = await commentsOf(pull.number)
    expect(bodies).toHaveLength(1)
    expect(bodies[0]).toContain('The glass was broken: cart/prod')
  })

  test('a follow-up that cannot be asked for ends nothing', async () => {
    github.fault({ match: 'issues/create-comment', kind: 'forbidden' })
    await askForFollowUp(portsOf('ana'), { github: hostOf(job), pull, broken })
    expect(await commentsOf(pull.number)).toEqual([])
  })

  async function commentsOf(number: number): Promise<readonly string[]> {
    const answer = await fetch(`${github.url}/repos/${repository}/issues/${number}/comments`, {
      headers: { authorization: `Bearer ${github.token({ kind: 'user', login: 'ana' })}` },
    })
    const all: unknown = await answer.json()
    return Array.isArray(all) ? all.map((each: unknown) => String(Object(each)['body'])) : []
  }
})
