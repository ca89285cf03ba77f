import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Command, Outcome } from '../../src/command.ts'
import { add } from '../../src/commands/add.ts'
import { upgrade } from '../../src/commands/upgrade.ts'
import { plain } from '../../src/core/report.ts'
import { machine } from '../../src/machine.ts'
import { quickFolder } from '../quick-folder.ts'
import { worldOf } from './ports.ts'

/** The files that a template gives to a repository, from the first version to the next, in a terminal. */
const root = join(import.meta.dirname, '../..')
const { files } = machine({ pace: 0 })
const world = worldOf(() => new Map())
const bundle = 'templates/lambda-api/v1'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(quickFolder(), 'protium-upgrade-'))
  for (const name of ['catalog.yaml', 'environments', 'services', 'templates'])
    cpSync(join(root, name), join(folder, 'catalog', name), { recursive: true })
  git('init', '--quiet', '--initial-branch=main')
})
afterEach(() => {
  rmSync(folder, { recursive: true, force: true })
  world.end()
})

function git(...words: readonly string[]): void {
  const who = ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.com']
  execFileSync('git', [...who, ...words], { cwd: join(folder, 'catalog'), stdio: 'pipe' })
}

function write(path: string, text: string): void {
  const file = join(folder, path)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text)
}

function read(path: string): string {
  return readFileSync(join(folder, path), 'utf8')
}

/** Releases a version with these files in its skeleton. */
function release(version: string, skeleton: Readonly<Record<string, string>>): void {
  const file = 'catalog/templates/lambda-api/template.yaml'
  write(file, read(file).replace(/v1: [0-9.]+/u, `v1: ${version}`))
  for (const [path, text] of Object.entries(skeleton)) write(`catalog/${bundle}/skeleton/${path}`, text)
  git('add', '.')
  git('commit', '--quiet', '--message', version)
  git('tag', `lambda-api@${version}`)
}

async function run(command: Command, given: Readonly<Record<string, readonly string[]>>): Promise<Outcome> {
  const accepted = command.accept(new Map(Object.entries(given)))
  if (!accepted.ok) throw new Error(accepted.problems.map(({ message }) => message).join(' '))
  return accepted.value({ ...world.ports, files })
}

/** The catalog with a second major of the template, which calls an input otherwise. */
function releaseMajor(migration: string): void {
  const folder2 = 'catalog/templates/lambda-api'
  cpSync(join(folder, folder2, 'v1'), join(folder, folder2, 'v2'), { recursive: true })
  for (const file of ['schema/schema.yaml', 'instance_infrastructure/cloudformation.yaml'])
    write(`${folder2}/v2/${file}`, read(`${folder2}/v2/${file}`).replaceAll('memory_mb', 'memory'))
  write(`${folder2}/template.yaml`, read(`${folder2}/template.yaml`).replace('v1: 1.0.0', 'v1: 1.0.0, v2: 2.0.0'))
  write(`${folder2}/migrations/2.0.0.yaml`, migration)
  git('add', '.')
  git('commit', '--quiet', '--message', '2.0.0')
  git('tag', 'lambda-api@1.0.0')
  git('tag', 'lambda-api@2.0.0')
  write(
    'bells/service.yaml',
    'service: bells\ntemplate: lambda-api@1.0.0\nstages: { dev: {} }\ninputs: { memory_mb: 256 }\n',
  )
}

describe('an upgrade of one service in a terminal', () => {
  const given = (): Readonly<Record<string, readonly string[]>> => ({
    service: ['bells'],
    root: [join(folder, 'bells')],
    catalog: [join(folder, 'catalog')],
  })
  const text = ({ text: of }: Outcome): string => of(plain)
  const told = ({ problems = [] }: Outcome): readonly string[] =>
    problems.map(({ code, at, message }) => `${code} ${at?.file ?? ''}:${at?.line ?? ''} ${message}`)

  test('names the next major version, and how to go there', async () => {
    releaseMajor('inputs:\n  - rename: { from: memory_mb, to: memory }\n')
    const outcome = await run(upgrade, given())

    expect(outcome.exit).toBe('done')
    expect(text(outcome)).toBe(
      'bells runs lambda-api@1.0.0, and nothing newer is offered within its major version. The next one is 2.0.0.',
    )
    expect(outcome.next?.[0]?.run).toMatch(/^upgrade bells --to 2\.0\.0 --root .* --catalog /u)
  })

  test('asks with the reason, what may be answered, and what is proposed', async () => {
    releaseMajor(
      'inputs:\n  - rename: { from: memory_mb, to: memory }\n  - ask: { path: alarm_emails, type: list, suggest: [ops@example.com], why: Somebody has to be told }\n',
    )
    const outcome = await run(upgrade, { ...given(), to: ['2.0.0'] })

    expect(text(outcome)).toMatch(
      /`inputs\.alarm_emails` is for you to answer\. Somebody has to be told\. Wanted: .+\. Proposed: /u,
    )
  })

  test('says who cannot go where, why, and what to do', async () => {
    releaseMajor(
      'inputs:\n  - remove: { path: memory_mb, when: "value == 1", else: block, why: Ask the owners first. }\n',
    )
    const outcome = await run(upgrade, { ...given(), to: ['2.0.0'] })

    expect(outcome.exit).toBe('failed')
    expect(told(outcome)).toEqual([
      'upgrade-blocked : bells cannot go from lambda-api 1.0.0 to 2.0.0: `inputs.memory_mb`: Ask the owners first.',
    ])
    expect(outcome.problems?.[0]?.remedy).toContain('service.yaml')
  })

  test('tells the mistake of a migration, and not that there is no such release', async () => {
    releaseMajor('inputs:\n  - renam: { from: memory_mb, to: memory }\n')
    const outcome = await run(upgrade, { ...given(), to: ['2.0.0'] })

    expect(outcome.exit).toBe('bad-input')
    expect(told(outcome).join('\n')).toMatch(/templates\/lambda-api\/migrations\/2\.0\.0\.yaml:2/u)
    expect(told(outcome).join('\n')).not.toContain('There is no release')
  })

  test.each([
    ['of a repository of its own', 'bells/service.yaml', 'bells', 'bells'],
    ['in the catalog', 'catalog/services/receipts/service.yaml', 'receipts', 'catalog'],
    ['of an environment', 'catalog/environments/dev.yaml', 'environment/dev', 'catalog'],
  ])('tells the mistakes of a file %s, and not that there is no such service', async (_, file, service, own) => {
    releaseMajor('inputs: []\n')
    write(file, `${read(file).trimEnd()}\ninputs: &again {}\n`)
    const outcome = await run(upgrade, { ...given(), service: [service], root: [join(folder, own)] })

    expect(outcome.exit).toBe('bad-input')
    expect(told(outcome).join('\n')).toContain(`${file.replace(`${own}/`, '')}:`)
    expect(told(outcome).join('\n')).not.toContain('There is no service')
  })

  test('asks for the catalog in the repository of a service', async () => {
    releaseMajor('inputs: []\n')
    const outcome = await run(upgrade, { service: ['bells'], root: [join(folder, 'bells')] })

    expect(outcome.exit).toBe('bad-input')
    expect(outcome.problems?.map(({ remedy }) => remedy)).toEqual([expect.stringContaining('`--catalog FOLDER`')])
  })

  test('calls an environment as it was called', async () => {
    releaseMajor('inputs: []\n')
    git('tag', 'vpc-fargate@1.2.0')
    const outcome = await run(upgrade, { ...given(), service: ['environment/dev'], root: [join(folder, 'catalog')] })

    expect(text(outcome)).toMatch(/^environment\/dev runs vpc-fargate@1\.2\.0, and nothing newer/u)
  })

  test('says so of a template that the catalog no longer has', async () => {
    releaseMajor('inputs: []\n')
    rmSync(join(folder, 'catalog/templates/lambda-api'), { recursive: true })
    rmSync(join(folder, 'catalog/services/hello'), { recursive: true, force: true })
    const outcome = await run(upgrade, given())

    expect([outcome.exit, told(outcome)[0]]).toEqual([
      'bad-input',
      expect.stringContaining('template-gone : The catalog has no template "lambda-api" any more'),
    ])
  })
})

describe('the files of a template, in a terminal', () => {
  test('come with add, and are merged by an upgrade', async () => {
    release('1.0.1', { 'docs/a.md': 'one\ntwo\nthree\nfour\n', 'README.md': 'old\n' })
    const catalog = join(folder, 'catalog')
    const into = join(folder, 'bells')
    await run(add, { repository: ['acme/bells'], into: [into], root: [catalog], template: ['lambda-api'] })
    write('bells/docs/a.md', 'one\ntwo\nthree\nFOUR\n')
    write('bells/docs/own.md', 'ours\n')

    release('1.1.0', { 'docs/a.md': 'ONE\ntwo\nthree\nfour\n', 'docs/b.md': 'new\n', 'README.md': 'new\n' })
    const given = { service: ['bells'], root: [into], catalog: [catalog] }
    const shown = await run(upgrade, given)
    expect([shown.exit, read('bells/docs/a.md')]).toEqual(['different', 'one\ntwo\nthree\nFOUR\n'])
    const outcome = await run(upgrade, { ...given, write: ['true'] })

    expect(outcome.exit).toBe('done')
    expect(read('bells/service.yaml')).toContain('template: lambda-api@1.1.0\n')
    expect(read('bells/docs/a.md')).toBe('ONE\ntwo\nthree\nFOUR\n')
    expect(read('bells/docs/b.md')).toBe('new\n')
    expect(read('bells/docs/own.md')).toBe('ours\n')
    expect(read('bells/README.md')).toBe('new\n')
    expect(read('bells/.protium/lock.json')).toContain('"from": "lambda-api@1.1.0"')
    expect(outcome.text(plain)).not.toContain('both sides')
  })

  test('are merged by the version that they came from, also where that is an older one', async () => {
    release('1.0.1', { 'docs/a.md': 'one\ntwo\nthree\n' })
    const catalog = join(folder, 'catalog')
    const into = join(folder, 'bells')
    await run(add, { repository: ['acme/bells'], into: [into], root: [catalog], template: ['lambda-api'] })
    const given = { service: ['bells'], root: [into], catalog: [catalog], write: ['true'] }
    release('1.0.2', {})
    await run(upgrade, given)
    expect(read('bells/.protium/lock.json')).toContain('"from": "lambda-api@1.0.1"')
    write('bells/docs/a.md', 'one\ntwo\nTHREE\n')
    release('1.0.3', { 'docs/a.md': 'ONE\ntwo\nthree\n' })
    await run(upgrade, given)

    expect(read('bells/docs/a.md')).toBe('ONE\ntwo\nTHREE\n')
  })

  test('keep what is ours where both have changed it, and say so', async () => {
    release('1.0.1', { 'docs/a.md': 'one\n' })
    const catalog = join(folder, 'catalog')
    const into = join(folder, 'bells')
    await run(add, { repository: ['acme/bells'], into: [into], root: [catalog], template: ['lambda-api'] })
    write('bells/docs/a.md', 'ours\n')
    release('1.1.0', { 'docs/a.md': 'theirs\n' })
    const outcome = await run(upgrade, { service: ['bells'], root: [into], catalog: [catalog], write: ['true'] })

    expect(read('bells/docs/a.md')).toBe('ours\n')
    // The template's side is shown, for what is merged is settled.
    expect(outcome.text(plain)).toContain('docs/a.md, line 1: both sides have changed it, and yours was kept.')
    expect(outcome.text(plain)).toContain('--- yours\n+++ the template\n@@ -1 +1 @@\n-ours\n+theirs')
  })
})
