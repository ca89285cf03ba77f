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

/** Files that the template gives to the repositories of its services. */
async function withSkeleton(more: Readonly<Record<string, string>> = {}): Promise<void> {
  const skeleton = {
    'skeleton/Dockerfile': 'FROM scratch\nLABEL memory={{ service.inputs.memory_mb }} of={{ service.owner }}\n',
    'skeleton/bin/{{ service.name }}': '#!/bin/sh\n',
    'skeleton/README.md': 'Deployed by Protium.\n',
    'skeleton.yaml': 'files:\n  Dockerfile: seed\n  README.md: block\n',
    ...more,
  }
  const tree = Object.entries(skeleton).map(([path, text]) => [`templates/lambda-api/v1/${path}`, text] as const)
  await files.write(join(folder, 'catalog'), new Map(tree))
}

describe('add, with a skeleton', () => {
  const marked = (text: string): string =>
    `<!-- protium:begin (these lines are written by the template; change the others) -->\n${text}<!-- protium:end -->\n`

  function read(path: string): string {
    return readFileSync(join(folder, 'checkout', path), 'utf8')
  }

  test('writes the files of the template and their lock', async () => {
    await withSkeleton()
    const outcome = await intoFiles({ input: ['memory_mb=1024'], owner: ['money'] })

    expect(outcome.data['files']).toEqual(
      expect.arrayContaining(['Dockerfile', 'README.md', 'bin/checkout', '.protium/lock.json', 'service.yaml']),
    )
    expect(read('Dockerfile')).toBe('FROM scratch\nLABEL memory=1024 of=money\n')
    expect(read('README.md')).toBe(marked('Deployed by Protium.\n'))
    expect(JSON.parse(read('.protium/lock.json'))).toMatchObject({
      format: 1,
      service: { name: 'checkout', owner: 'money', inputs: { memory_mb: 1024 } },
      files: { 'bin/checkout': { from: 'lambda-api@1.0.0' } },
    })
    expect(textOf(outcome)).toContain('To be made runnable: `chmod +x bin/checkout`.')

    const before = snapshotOf(folder)
    const again = await intoFiles({ input: ['memory_mb=1024'], owner: ['money'] })
    expect(again.data).toMatchObject({ files: [], kept: [] })
    expect(snapshotOf(folder)).toEqual(before)
  })

  test('puts a block into the README that is there, and leaves another file of the same name alone', async () => {
    await withSkeleton()
    await files.write(
      join(folder, 'checkout'),
      new Map([
        ['README.md', '# Checkout\n'],
        ['bin/checkout', 'ours\n'],
      ]),
    )
    const { data } = await intoFiles()

    expect(read('README.md')).toBe(`# Checkout\n\n${marked('Deployed by Protium.\n')}`)
    expect(read('bin/checkout')).toBe('ours\n')
    expect(data['kept']).toEqual(['bin/checkout'])
  })

  test('is for the service.yaml that is there, where there is one', async () => {
    await withSkeleton()
    const own = 'service: shop\ntemplate: lambda-api@1.0.0\nstages: { dev: {} }\ninputs: { memory_mb: 512 }\n'
    await files.write(join(folder, 'checkout'), new Map([['service.yaml', own]]))
    await intoFiles()
    expect(read('Dockerfile')).toContain('memory=512')
    expect(read('bin/shop')).toBe('#!/bin/sh\n')
  })

  test.each([
    ['another version', 'service: shop\ntemplate: lambda-api@0.9.0\n'],
    ['something that is no service', 'of: somebody\n'],
  ])('is left to upgrades where the service.yaml that is there is of %s', async (_, own) => {
    await withSkeleton()
    await files.write(join(folder, 'checkout'), new Map([['service.yaml', own]]))
    const { exit, data } = await intoFiles()
    expect(exit).toBe('done')
    expect(data['files']).not.toContain('Dockerfile')
    expect(data['files']).not.toContain('.protium/lock.json')
  })

  test('leaves a repository alone that upgrades keep good', async () => {
    await withSkeleton()
    await intoFiles()
    await withSkeleton({ 'skeleton/bin/{{ service.name }}': '#!/bin/bash\n' })
    const { data } = await intoFiles()
    expect(data).toMatchObject({ files: [], kept: [] })
    expect(read('bin/checkout')).toBe('#!/bin/sh\n')
  })

  test('writes nothing where the files cannot be made', async () => {
    await withSkeleton({ 'skeleton/Dockerfile': '{{ service.inputs.nothing }}\n' })
    const before = snapshotOf(folder)
    const outcome = await intoFiles()
    expect(outcome.exit).toBe('bad-input')
    expect((outcome.problems ?? []).map(({ code, at }) => [code, at?.file])).toEqual([
      ['undefined-variable', 'templates/lambda-api/v1/skeleton/Dockerfile'],
    ])
    expect(snapshotOf(folder)).toEqual(before)
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

  test('brings the files of the template, those that run as such, and shows what it has left alone', async () => {
    await withSkeleton({ 'skeleton/docs/a.md': 'theirs\n', 'skeleton/docs/b.md': 'new\n' })
    const proposals = await gitHub({ 'README.md': '# checkout\n', 'docs/a.md': 'ours\n' })
    const { data } = await run({ template: ['lambda-api'] }, { proposals })
    const there = await github?.files('acme/checkout', 'protium/add')

    expect(data['kept']).toEqual(['docs/a.md'])
    expect(there?.get('docs/a.md')).toBe('ours\n')
    expect(there?.get('docs/b.md')).toBe('new\n')
    expect(there?.get('README.md')).toMatch(/^# checkout\n\n<!-- protium:begin/u)
    expect(await bodyOf(1)).toContain('-ours\n+theirs\n')
    expect(await bodyOf(1)).not.toContain('[ ]')
    const again = await run({ template: ['lambda-api'] }, { proposals })
    expect([again.data['files'], textOf(again)]).toEqual([
      [],
      expect.stringMatching(/^Nothing to do: pull request 1 of acme\/checkout/u),
    ])
  })

  test('puts nothing where a folder or a file of the repository is in the way', async () => {
    await withSkeleton({ 'skeleton/docs/a.md': 'new\n', 'skeleton/src': 'new\n' })
    const proposals = await gitHub({ docs: 'a file\n', 'src/main.c': 'x\n' })
    const { data } = await run({ template: ['lambda-api'] }, { proposals })
    const there = await github?.files('acme/checkout', 'protium/add')

    expect(data['kept']).toEqual(['docs/a.md', 'src'])
    expect([there?.get('docs'), there?.get('src/main.c')]).toEqual(['a file\n', 'x\n'])
    expect(there?.has('Dockerfile')).toBe(true)
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
