import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { product } from '../../src/adapters/product.ts'
import type { Command, Outcome, Ports } from '../../src/command.ts'
import { init } from '../../src/commands/init.ts'
import { trust } from '../../src/commands/trust.ts'
import { validate } from '../../src/commands/validate.ts'
import { workflows } from '../../src/commands/workflows.ts'
import { plain } from '../../src/core/report.ts'
import { machine } from '../../src/machine.ts'
import { commands } from '../../src/terminal.ts'
import type { Ask } from '../../src/ports.ts'
import { quickFolder } from '../quick-folder.ts'
import { snapshotOf } from '../transcript/terminal.ts'
import { worldOf } from './ports.ts'

const here = join(import.meta.dirname, '../..')
const three = {
  repository: ['acme/catalog'],
  domain: ['example.com'],
  stage: ['dev', 'prod'],
  account: ['dev=111111111111', 'prod=333333333333'],
  region: ['eu-west-1'],
}
/** The one that is quickest to make. */
const small = { ...three, start: ['empty'], actions: [`acme/protium/actions@${'a1'.repeat(20)}`] }

let folder = ''
let into = ''
const world = worldOf(() => new Map())
beforeEach(() => {
  folder = mkdtempSync(join(quickFolder(), 'protium-init-'))
  into = join(folder, 'catalog')
})
afterEach(() => {
  rmSync(folder, { recursive: true, force: true })
  world.end()
})

/** On the disk of this machine, from this copy of Protium. */
function ports(more: Partial<Ports> = {}): Ports {
  return { ...world.ports, files: machine({ pace: 0 }).files, product: async () => product(here), ...more }
}

async function run(
  command: Command,
  given: Readonly<Record<string, readonly string[]>>,
  more: Partial<Ports> = {},
): Promise<Outcome> {
  const accepted = command.accept(new Map(Object.entries(given)))
  if (!accepted.ok) throw new Error(accepted.problems.map(({ message }) => message).join(' '))
  return accepted.value(ports(more))
}

async function begin(given: Readonly<Record<string, readonly string[]>>, more: Partial<Ports> = {}): Promise<Outcome> {
  return run(init, { into: [into], ...given }, more)
}

function textOf({ text }: Outcome): string {
  return text(plain).replaceAll(folder, '')
}

function codes({ problems = [] }: Outcome): readonly string[] {
  return problems.map(({ severity, code }) => `${severity} ${code}`)
}

describe('init', () => {
  test('makes a catalog that validates, and whose workflows and roles have nothing to be written', async () => {
    const ids = { 'organisation-id': ['9919'], 'repository-id': ['1296269'] }
    const { exit, problems, data } = await begin({ ...three, ...ids, actions: ['vendored'] })

    expect([exit, problems]).toEqual(['done', []])
    expect(data).toMatchObject({ kept: [], gone: [] })
    const all = [
      await run(validate, { path: [into] }),
      await run(workflows, { root: [into] }),
      await run(trust, { root: [into] }),
    ]
    expect(all.map((outcome) => [outcome.exit, outcome.problems])).toEqual([
      ['done', []],
      ['done', []],
      ['done', []],
    ])
  })

  test('brings the actions along with their licences, byte by byte', async () => {
    await begin({ ...small, actions: ['vendored'] })
    const { missing, different } = await product(here).vendored(into)
    const own = Object.keys(snapshotOf(join(into, '.protium')))

    expect([missing, different]).toEqual([[], []])
    expect(own).toEqual(
      expect.arrayContaining(['LICENSE', 'actions/plan/action.yml', 'dist/LICENSES.txt', 'dist/plan.js']),
    )
    expect(own.some((file) => file.endsWith('.br'))).toBe(true)
  })

  test('pins the actions to the commit of this copy where GitHub has it, and brings them along where not', async () => {
    const release = { repository: 'acme/protium', commit: 'b2'.repeat(20) }
    const own = product(here)
    const unsaid = { ...three, start: small.start }
    await begin(unsaid, { product: async () => ({ ...own, release: async () => release }) })
    const pinned = readFileSync(join(into, 'catalog.yaml'), 'utf8')
    rmSync(into, { recursive: true })
    await begin(unsaid, { product: async () => ({ ...own, release: async () => undefined }) })

    expect(pinned).toContain(`actions: acme/protium/actions@${'b2'.repeat(20)}\n`)
    expect(readFileSync(join(into, 'catalog.yaml'), 'utf8')).toContain('actions: .protium/actions\n')
  })

  test('has nothing to do when it is run again', async () => {
    const given = { ...small, actions: ['vendored'] }
    await begin(given)
    const before = snapshotOf(into)
    const again = await begin(given)

    expect([again.exit, again.data]).toEqual(['done', { files: [], kept: [], gone: [], vendored: 0 }])
    expect(textOf(again)).toMatch(/^Nothing to do: the catalog of acme is in \/catalog\./u)
    expect(snapshotOf(into)).toEqual(before)
  })

  test.each<readonly [string, Readonly<Record<string, readonly string[]>>]>([
    ['without roles', small],
    ['with roles', { ...small, 'organisation-id': ['9919'], 'repository-id': ['1296269'], owner: ['@ada'] }],
    ['rehearsed', { ...small, account: [], local: ['true'] }],
    ['in one account', { ...small, account: ['111111111111'], 'shared-account': ['true'], approval: ['@acme/ops'] }],
    ['from the sample', { ...three, production: ['dev'] }],
  ])('need not be told again what it was told: %s', async (_, given) => {
    await begin(given)
    const before = snapshotOf(into)
    const again = await begin({}, { ask: async () => Promise.reject(new Error('asked')) })

    expect([again.exit, again.data]).toEqual(['done', { files: [], kept: [], gone: [], vendored: 0 }])
    expect(snapshotOf(into)).toEqual(before)
  })

  test('leaves what somebody has changed or taken away, and names it', async () => {
    await begin(small)
    writeFileSync(join(into, 'README.md'), '# Ours\n')
    writeFileSync(join(into, 'catalog.yaml'), `${readFileSync(join(into, 'catalog.yaml'), 'utf8')}# changed\n`)
    rmSync(join(into, 'schemas/waiver.schema.json'))
    const before = snapshotOf(into)
    const again = await begin(small)

    expect(again.exit).toBe('done')
    expect(again.data).toMatchObject({ kept: ['README.md', 'catalog.yaml'], gone: ['schemas/waiver.schema.json'] })
    expect(textOf(again)).toContain('Left as somebody has changed it: README.md, catalog.yaml.')
    expect(textOf(again)).toContain('Taken away by somebody, and not brought back: schemas/waiver.schema.json.')
    expect(snapshotOf(into)).toEqual(before)
  })

  test('killed after any file and run again, leaves what an undisturbed run leaves', async () => {
    await begin(small)
    const whole = snapshotOf(into)
    const names = Object.keys(whole)
    const { files } = machine({ pace: 0 })
    for (let most = 0; most < names.length; most += 1) {
      rmSync(into, { recursive: true, force: true })
      const killed: Ports['files'] = {
        ...files,
        write: async (root, tree) => {
          await files.write(root, new Map([...tree].slice(0, most)))
          throw new Error('killed')
        },
      }
      await expect(begin(small, { files: killed })).rejects.toThrow('killed')
      expect(Object.keys(snapshotOf(into))).toHaveLength(most)
      await begin(small)
      expect(snapshotOf(into)).toEqual(whole)
    }
  })

  test('brings back what is missing of the actions, also where the catalog is there', async () => {
    const given = { ...small, actions: ['vendored'] }
    await begin(given)
    rmSync(join(into, '.protium/dist/plan.js'))
    writeFileSync(join(into, '.protium/dist/validate.js'), '// of another version\n')
    const again = await begin(given)

    expect(again.data).toMatchObject({ vendored: 1 })
    expect(textOf(again)).toContain('In .protium/ 1 file is of another version of Protium.')
    expect(readFileSync(join(into, '.protium/dist/validate.js'), 'utf8')).toBe('// of another version\n')
  })

  test('begins in a fresh repository, and leaves its README as it is', async () => {
    mkdirSync(into)
    writeFileSync(join(into, 'README.md'), '# catalog\n')
    writeFileSync(join(into, 'LICENSE'), 'ours\n')
    spawnSync('git', ['init', '-q', into])
    const { exit, data, text } = await begin(small)

    expect(exit).toBe('done')
    expect(data).toMatchObject({ kept: ['README.md'] })
    expect(text(plain)).not.toContain('git,')
    expect(readFileSync(join(into, 'README.md'), 'utf8')).toBe('# catalog\n')
  })

  test('says where there is no git, and works', async () => {
    const own = product(here)
    const { exit, text } = await begin(small, { product: async () => ({ ...own, isInGit: async () => false }) })

    expect(exit).toBe('done')
    expect(text(plain)).toContain('Left out: git, as the folder is no working copy of it.')
  })

  test('writes a README whose commands there are, with options that they have', async () => {
    await begin({ ...small, actions: ['vendored'] })
    const text = readFileSync(join(into, 'README.md'), 'utf8')
    const called = [...text.matchAll(/protium ([a-z]+)((?: --[a-z-]+)*)/gu)].map(([, name = '', flags = '']) => ({
      name,
      flags: flags.split(' --').filter((flag) => flag !== ''),
    }))

    expect(new Set(called.map(({ name }) => name))).toEqual(
      new Set(['add', 'doctor', 'render', 'test', 'trust', 'validate', 'workflows']),
    )
    for (const { name, flags } of called) {
      const command = await commands[name]?.()
      expect(Object.keys(command?.inputs ?? {})).toEqual(expect.arrayContaining(flags))
    }
  })

  test('says which roles were left out, and how to ask for their numbers', async () => {
    expect(textOf(await begin(small))).toContain('`gh api repos/acme/catalog --jq .id`')
  })
})

describe('init refuses, and writes nothing', () => {
  test('in a folder with other things', async () => {
    mkdirSync(join(into, 'src'), { recursive: true })
    writeFileSync(join(into, 'src/main.ts'), 'run()\n')
    writeFileSync(join(into, 'logo.png'), Uint8Array.of(0x89, 0x50, 0, 0))
    const before = snapshotOf(into)
    const outcome = await begin({ ...small, actions: ['vendored'] })

    expect([outcome.exit, codes(outcome)]).toEqual(['bad-input', ['error folder-taken']])
    expect(outcome.problems).toMatchObject([
      {
        message: 'The folder holds 2 files of something else: src/main.ts and logo.png.',
        expected: 'An empty folder, or a fresh repository with a README and a licence.',
        remedy: 'Choose another folder, such as `--into catalog`; or move away what is there.',
        at: { file: 'src/main.ts' },
      },
    ])
    expect(snapshotOf(into)).toEqual(before)
  })

  test('over a part of a catalog that is another one', async () => {
    mkdirSync(join(into, 'environments'), { recursive: true })
    writeFileSync(join(into, 'environments/dev.yaml'), 'environment: dev\n')

    expect(codes(await begin(small))).toEqual(['error folder-taken'])
  })

  test('over another catalog, and says what is different', async () => {
    await begin(small)
    const before = snapshotOf(into)
    const outcome = await begin({
      ...small,
      domain: ['example.org'],
      account: ['dev=111111111111', 'prod=444444444444'],
      region: ['eu-west-1', 'dev=us-east-1'],
    })

    expect([outcome.exit, codes(outcome)]).toEqual(['bad-input', ['error catalog-there']])
    expect(outcome.problems?.[0]?.message).toBe(
      'There is a catalog already, and another one: the domain is example.com, and not example.org; the pattern of hosts of "dev" is {service}.dev.example.com, and not {service}.dev.example.org; the region of "dev" is eu-west-1, and not us-east-1; the pattern of hosts of "prod" is {service}.example.com, and not {service}.example.org; the account of "prod" is 333333333333, and not 444444444444.',
    )
    expect(outcome.problems?.[0]?.at).toEqual({ file: 'catalog.yaml', line: 2, column: 1 })
    expect(snapshotOf(into)).toEqual(before)
  })

  test('over another stage, and one less', async () => {
    await begin(small)
    const outcome = await begin({
      stage: ['dev', 'live=example.com'],
      account: ['dev=111111111111', 'live=333333333333'],
      region: ['eu-west-1'],
    })

    expect(outcome.problems?.[0]?.message).toBe(
      'There is a catalog already, and another one: the order of the stages is dev, prod, and not dev, live.',
    )
  })

  test('over a catalog that it would not make, before it asks anything', async () => {
    mkdirSync(join(into, 'environments'), { recursive: true })
    const own =
      'catalog: a\ndomain: example.com\nstages: { dev: { host: "{service}-dev.{domain}", environment: dev } }\n'
    writeFileSync(join(into, 'catalog.yaml'), own)
    writeFileSync(
      join(into, 'environments/dev.yaml'),
      'environment: dev\ntemplate: a@1.0.0\naccount: "111111111111"\nregion: eu-west-1\n',
    )
    const outcome = await begin({}, { ask: async () => Promise.reject(new Error('asked')) })

    expect(codes(outcome)).toEqual(['error catalog-there'])
    expect(outcome.problems?.[0]?.message).toContain('not one that `protium init` makes')
  })

  test('over a catalog that cannot be read', async () => {
    mkdirSync(into)
    writeFileSync(join(into, 'catalog.yaml'), 'catalog: [\n')
    const outcome = await begin(small)

    expect(outcome.exit).toBe('bad-input')
    expect(outcome.problems?.[0]?.at?.file).toBe('catalog.yaml')
    expect(snapshotOf(into)).toEqual({ 'catalog.yaml': 'catalog: [\n' })
  })

  test.each<readonly [string, Readonly<Record<string, readonly string[]>>, string]>([
    ['a domain that is none', { domain: ['https://example.com'] }, 'error not-a-domain'],
    ['a name that GitHub refuses', { repository: ['acme/the catalog'] }, 'error repository-name'],
    ['production in the account of another', { account: ['111111111111'] }, 'error account-shared'],
    ['nothing that says which stages there are', { stage: [] }, 'error missing-argument'],
  ])('%s', async (_, more, code) => {
    const outcome = await begin({ ...small, ...more })

    expect([outcome.exit, codes(outcome)]).toEqual(['bad-input', [code]])
    expect(snapshotOf(into)).toEqual({})
  })

  test('answers that the templates do not take', async () => {
    const { exit, problems, data } = await begin({ ...three, domain: ['example.c0m'] })

    expect([exit, data['files']]).toEqual(['bad-input', []])
    expect(problems?.[0]?.at?.file).toBe('environments/dev.yaml')
    expect(snapshotOf(into)).toEqual({})
  })

  test('where it is not run from a copy of Protium', async () => {
    await expect(begin(small, { product: undefined })).rejects.toMatchObject({ code: 'no-product' })
  })
})

describe('what is not said by an option is asked', () => {
  /** Answers in their order; of an answer with a fault that is told, and the next one is taken. */
  function asking(answers: readonly string[]): { readonly ask: Ask; readonly seen: string[] } {
    const left = [...answers]
    const seen: string[] = []
    const next = (given: string | undefined): string => {
      const answer = left.shift()
      if (answer === undefined) throw new Error(`Not expected to be asked: ${seen.at(-1)}`)
      return answer === 'Enter' ? (given ?? '') : answer
    }
    const ask: Ask = {
      text: async ({ message, given, fault }) => {
        seen.push(message)
        for (;;) {
          const answer = next(given)
          const wrong = fault(answer)
          if (wrong === undefined) return answer
          seen.push(`! ${wrong}`)
        }
      },
      choice: async ({ message, given }) => {
        seen.push(message)
        return next(given)
      },
    }
    return { ask, seen }
  }

  test('and each answer is checked at once', async () => {
    const { ask, seen } = asking([
      'catalog',
      'acme/catalog',
      'example',
      'example.com',
      'dev=example.com prod=example.com',
      'dev prod',
      '1111',
      '111111111111',
      '333333333333',
      'Ireland',
      'eu-west-1',
      'Enter',
      'empty',
      'Enter',
    ])
    const { exit } = await begin({ actions: small.actions }, { ask: async () => ask })

    expect(exit).toBe('done')
    expect(seen).toMatchInlineSnapshot(`
      [
        "Which repository on GitHub is the catalog to be? owner/name",
        "! GitHub takes no repository "catalog": it is no owner/name.",
        "Below which domain do services answer?",
        "! "example" is no domain: it has only one part.",
        "Which stages are there, in order, and in which zones do services answer in each? The last is production.",
        "! "dev" and "prod" have the same zone example.com, and a host could not be told to be in the one or the other.",
        "In which AWS account does "dev" lie? Twelve digits",
        "! These are not twelve digits.",
        "In which AWS account does "prod" lie? Twelve digits",
        "In which region?",
        "! A region is called as eu-west-1 is.",
        "Who owns the catalog, and agrees to what goes to production? A team, or a person",
        "What do you want to begin with?",
        "The number of the organisation on GitHub, for the roles in the accounts. \`gh api users/acme --jq .id\` shows it. Enter leaves the roles out for now",
      ]
    `)
    expect(readFileSync(join(into, 'catalog.yaml'), 'utf8')).toContain('approval: { by: ["@acme/platform"] }')
  })

  test('the numbers of GitHub both or none', async () => {
    const { ask, seen } = asking(['9919', 'acme', '1296269'])
    const { exit } = await begin({ ...small, owner: ['@ada'] }, { ask: async () => ask })

    expect(exit).toBe('done')
    expect(seen).toHaveLength(3)
    expect(readFileSync(join(into, 'catalog.yaml'), 'utf8')).toContain('acme/catalog: { id: "1296269" }')
  })

  test('and nothing is asked that was said', async () => {
    const { ask, seen } = asking([])
    const { exit } = await begin({ ...small, account: [], owner: ['@ada'], local: ['true'] }, { ask: async () => ask })

    expect([exit, seen]).toEqual(['done', []])
  })
})
