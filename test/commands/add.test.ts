import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { proposalsOf } from '../../src/adapters/github/proposal.ts'
import { product } from '../../src/adapters/product.ts'
import type { Outcome, Ports } from '../../src/command.ts'
import { add } from '../../src/commands/add.ts'
import { validate } from '../../src/commands/validate.ts'
import { catalogOf, type Given, nothingGiven, readAnswers } from '../../src/core/init.ts'
import { plain } from '../../src/core/report.ts'
import { machine } from '../../src/machine.ts'
import type { GitHub } from '../fakes/github/server.ts'
import { startGitHub } from '../fakes/github/server.ts'
import { quickFolder } from '../quick-folder.ts'
import { snapshotOf } from '../transcript/terminal.ts'
import { worldOf } from './ports.ts'

const sample = await product(join(import.meta.dirname, '../..')).sample()
const answers: Given = {
  ...nothingGiven,
  repository: 'acme/catalog',
  domain: 'example.com',
  stage: ['dev', 'prod'],
  account: ['dev=111111111111', 'prod=333333333333'],
  region: ['eu-west-1'],
  actions: `acme/protium/actions@${'a1'.repeat(20)}`,
}
const ids = { 'organisation-id': '9919', 'repository-id': '1296269' }

let folder = ''
let github: GitHub | undefined
const world = worldOf(() => new Map())
beforeEach(async () => {
  folder = mkdtempSync(join(quickFolder(), 'protium-add-'))
  await begin(answers)
})
afterEach(async () => {
  rmSync(folder, { recursive: true, force: true })
  world.end()
  await github?.close()
  github = undefined
})

const { files } = machine({ pace: 0 })

async function begin(given: Given): Promise<void> {
  const read = readAnswers(given)
  const made = read.ok ? catalogOf(read.value, sample) : read
  if (!made.ok) throw new Error(made.problems.map(({ message }) => message).join('\n'))
  await files.write(join(folder, 'catalog'), made.value)
}

function catalogText(): string {
  return readFileSync(join(folder, 'catalog/catalog.yaml'), 'utf8')
}

async function run(given: Readonly<Record<string, readonly string[]>>, more: Partial<Ports> = {}): Promise<Outcome> {
  const words = { repository: ['acme/checkout'], root: [join(folder, 'catalog')], ...given }
  const accepted = add.accept(new Map(Object.entries(words)))
  if (!accepted.ok) throw new Error(accepted.problems.map(({ message }) => message).join(' '))
  return accepted.value({ ...world.ports, files, ...more })
}

async function intoFiles(given: Readonly<Record<string, readonly string[]>> = {}): Promise<Outcome> {
  return run({ into: [join(folder, 'checkout')], template: ['lambda-api'], ...given })
}

function textOf({ text }: Outcome): string {
  return text(plain).replaceAll(folder, '')
}

function told({ problems = [] }: Outcome): readonly string[] {
  return problems.map(({ code, message }) => `${code}: ${message}`)
}

describe('add, as files', () => {
  test('writes what validates with the catalog', async () => {
    const { exit, data } = await intoFiles({ input: ['memory_mb=1024', 'public=true'], owner: ['money'] })

    expect([exit, data['service']]).toEqual(['done', 'checkout'])
    const text = readFileSync(join(folder, 'checkout/service.yaml'), 'utf8')
    expect(text).toMatchInlineSnapshot(`
      "# yaml-language-server: $schema=.protium/schemas/service.schema.json
      service: checkout
      template: lambda-api@1.0.0
      owner: money
      hosts:
        - checkout.dev.example.com # dev
        - checkout.example.com     # prod
      inputs: # what is left out is as the template says
        memory_mb: 1024
        public: true
      "
    `)
    expect(Object.keys(snapshotOf(join(folder, 'checkout')))).toEqual(data['files'])
    const words = { path: [join(folder, 'checkout')], catalog: [join(folder, 'catalog')] }
    const accepted = validate.accept(new Map(Object.entries(words)))
    const checked = accepted.ok ? await accepted.value({ ...world.ports, files }) : undefined
    expect([checked?.exit, checked?.problems]).toEqual(['done', []])
  })

  test('puts the repository into catalog.yaml, and touches no other line of it', async () => {
    const before = catalogText()
    const { data } = await intoFiles()

    expect(data['catalog']).toBe(true)
    expect(catalogText()).toBe(before.replace('repositories: []', 'repositories: [acme/checkout]'))
  })

  test('lets the repository into the accounts where its number is known, and says the rest', async () => {
    await begin({ ...answers, ...ids })
    const unknown = await intoFiles()
    expect(textOf(unknown)).toContain('`gh api repos/acme/checkout --jq .id` shows the number.')
    const known = await intoFiles({ 'repository-id': ['1296270'] })

    expect(catalogText()).toContain('    acme/catalog: { id: "1296269" }\n    acme/checkout:\n      id: "1296270"\n')
    expect(known.next?.[0]?.run).toMatch(/^trust --write --root /u)
  })

  test('says which topic the repository needs, where the catalog finds it by that', async () => {
    const file = join(folder, 'catalog/catalog.yaml')
    writeFileSync(file, catalogText().replace('repositories: []', 'repositories: { topic: protium }'))
    const outcome = await intoFiles()

    expect(textOf(outcome)).toContain('`gh repo edit acme/checkout --add-topic protium`')
    expect(outcome.data['catalog']).toBe(false)
  })

  test('names its stages where the template answers at no address', async () => {
    await intoFiles({ template: ['queue-worker'] })

    const text = readFileSync(join(folder, 'checkout/service.yaml'), 'utf8')
    expect(text).toContain('  dev: {}\n  prod: {}\n')
    expect(text).not.toContain('hosts:')
  })

  test('run again has nothing to do, and leaves what somebody has changed', async () => {
    await intoFiles()
    writeFileSync(join(folder, 'checkout/service.yaml'), 'service: mine\n')
    const before = snapshotOf(folder)
    const again = await intoFiles()

    expect(again.data).toMatchObject({ files: [], kept: ['service.yaml'], catalog: false })
    expect(textOf(again)).toBe('Nothing to do: /checkout has everything.\nLeft as they were there: service.yaml.')
    expect(snapshotOf(folder)).toEqual(before)
  })

  test.each<readonly [string, Readonly<Record<string, readonly string[]>>, string]>([
    [
      'a name that GitHub refuses',
      { repository: ['checkout'] },
      'repository-name: <repository>: GitHub takes no repository "checkout": it is no owner/name.',
    ],
    [
      'a template that is none',
      { template: ['lambda'] },
      'unknown-template: --template: there is no template of services "lambda".',
    ],
    ['no template', { template: [] }, 'missing-argument: It is not said which template the service is made from.'],
    [
      'a repository whose name is none of a service',
      { repository: ['acme/3D.shop'] },
      'missing-argument: It is not said how the service is called, and the name of the repository, "3d.shop", can be that of none.',
    ],
    [
      'a name of a service that is none',
      { service: ['Check_out'] },
      'option-value: --service: "Check_out" cannot be the name of a service.',
    ],
    [
      'a service that the catalog has',
      { service: ['hello'] },
      'path-taken: The catalog has a service "hello" already, in its own folder.',
    ],
    ['an input that is none', { input: ['port'] }, 'option-value: --input: "port" names no input.'],
    [
      'an input that the template does not take',
      { input: ['memory_mb=1'] },
      'input-value: The input "memory_mb" (1) is less than 128.',
    ],
    ['a number that is none', { 'repository-id': ['acme'] }, '--repository-id: "acme" is not a number'],
  ])('refuses %s, and writes nothing', async (_, given, message) => {
    const before = snapshotOf(folder)
    const outcome = await intoFiles(given)

    expect(outcome.exit).toBe('bad-input')
    expect(told(outcome).join('\n')).toContain(message)
    expect(snapshotOf(folder)).toEqual(before)
  })

  test('asks for what was not said', async () => {
    const seen: string[] = []
    const words = ['shop', 'lambda-api']
    const answer = async ({ message }: { readonly message: string }): Promise<string> => {
      seen.push(message)
      return words.shift() ?? ''
    }
    const ask = async () => ({ text: answer, choice: answer })
    const { data } = await run({ repository: ['acme/3D.shop'], into: [join(folder, 'shop')] }, { ask })

    expect(data['service']).toBe('shop')
    expect(seen).toEqual([
      'How is the service called? It is a part of its addresses',
      'Which template is it made from?',
    ])
  })
})

describe('add, as a pull request', () => {
  async function gitHub(its: Readonly<Record<string, string>>): Promise<Ports['proposals']> {
    const started = await startGitHub({
      organisation: 'acme',
      members: { ada: 'admin', ben: 'member' },
      repositories: { checkout: { files: its, collaborators: { ben: 'write' } } },
    })
    github = started
    return async (repository) =>
      proposalsOf({
        repository,
        token: started.token({ kind: 'user', login: 'ben' }),
        api: started.url,
        clock: { now: () => new Date(), sleep: async () => undefined },
        random: () => 0.5,
        second: 1,
      })
  }

  async function bodyOf(number: number): Promise<string> {
    const response = await fetch(`${github?.url ?? ''}/repos/acme/checkout/pulls/${number}`, {
      headers: { authorization: `Bearer ${github?.token({ kind: 'user', login: 'ada' }) ?? ''}` },
    })
    const pull: unknown = await response.json()
    return typeof pull === 'object' && pull !== null && 'body' in pull ? String(pull.body) : ''
  }

  test('opens one, finds the number of the repository by itself, and run again changes nothing', async () => {
    await begin({ ...answers, ...ids })
    const proposals = await gitHub({ 'README.md': '# checkout\n' })
    const given = { template: ['lambda-api'] }
    const first = await run(given, { proposals })
    const again = await run(given, { proposals })

    expect(first.exit).toBe('done')
    expect(first.data['pull-request']).toMatch(/\/acme\/checkout\/pull\/1$/u)
    expect(textOf(first)).toMatch(
      /^Opened pull request 1 of acme\/checkout: \S+\nAdded the repository to catalog\.yaml; commit that\.$/u,
    )
    expect(catalogText()).toMatch(/\n    acme\/checkout:\n      id: "[0-9]+"\n/u)
    expect([again.data['pull-request'], again.data['files'], again.data['catalog']]).toEqual([
      first.data['pull-request'],
      [],
      false,
    ])
    expect(textOf(again)).toMatch(/^Nothing to do: pull request 1 of acme\/checkout/u)
    const there = await github?.files('acme/checkout', 'protium/add')
    expect([...(there?.keys() ?? [])]).toEqual(
      expect.arrayContaining(['README.md', 'service.yaml', '.github/workflows/pull-request.yml']),
    )
  })

  test('never overwrites what is there, and shows in the pull request what was meant for it', async () => {
    const proposals = await gitHub({ 'service.yaml': 'of: somebody\n' })
    const { data } = await run({ template: ['lambda-api'] }, { proposals })

    expect(data['kept']).toEqual(['service.yaml'])
    expect((await github?.files('acme/checkout', 'protium/add'))?.get('service.yaml')).toBe('of: somebody\n')
    expect(await bodyOf(1)).toContain('<summary>service.yaml</summary>')
    expect(await bodyOf(1)).toContain('template: lambda-api@1.0.0')
    expect(await bodyOf(1)).toContain('The catalog plans only: nothing is deployed when this is merged.')
  })

  test('has nothing to do where everything is there', async () => {
    const into = join(folder, 'checkout')
    await intoFiles()
    const own = Object.fromEntries(
      Object.keys(snapshotOf(into)).map((path) => [path, readFileSync(join(into, path), 'utf8')]),
    )
    const proposals = await gitHub(own)
    const outcome = await run({ template: ['lambda-api'] }, { proposals })

    expect([textOf(outcome), outcome.data['pull-request']]).toEqual([
      'Nothing to do: acme/checkout has everything.',
      null,
    ])
  })

  test('says what to do where there is no token', async () => {
    const outcome = await run({ template: ['lambda-api'] })

    expect([outcome.exit, told(outcome)]).toEqual([
      'bad-input',
      ['github-token: There is no token to open a pull request in acme/checkout with.'],
    ])
    expect(catalogText()).toContain('repositories: []')
  })
})
