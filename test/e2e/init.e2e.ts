import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { type Runner, startRunner } from '../../demo/runner.ts'
import { readTree } from '../../src/adapters/disk.ts'
import { type GitHub, startGitHub } from '../fakes/github/server.ts'
import { isList, number, parseJson, textAt } from '../fakes/github/json.ts'
import { edit, emptyFolder, protium } from '../transcript/terminal.ts'

const repository = 'acme/catalog'
const parameters = { owner: 'acme', repo: 'catalog' }
const answers =
  '--repository acme/catalog --domain example.com --stage dev --stage prod --local --region eu-west-1 --actions vendored'

const ends: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end()
})

/** A GitHub that has what `protium init` has written, and runners for it. */
async function begun(): Promise<{ readonly github: GitHub; readonly runner: Runner; readonly folder: string }> {
  const folder = emptyFolder()
  const { exit } = await protium(folder, 'init', '--into', 'catalog', ...answers.split(' '))
  expect(exit).toBe(0)
  const { tree: files } = await readTree(join(folder, 'catalog'))
  const github = await startGitHub({
    organisation: 'acme',
    members: { mia: 'admin' },
    teams: { platform: { members: ['mia'], repositories: { catalog: 'admin' } } },
    repositories: { catalog: { files } },
  })
  ends.push(async () => github.close())
  const runner = startRunner({
    github,
    repository,
    by: 'mia',
    product: join(import.meta.dirname, '../..'),
    vars: { PROTIUM_STATE: join(folder, 'state') },
    rehearse: () => ({}),
    changed: () => undefined,
  })
  ends.push(runner.close)
  return { github, runner, folder }
}

async function commentsOn(github: GitHub, pull: number): Promise<readonly string[]> {
  const response = await fetch(`${github.url}/repos/${repository}/issues/${pull}/comments`, {
    headers: { authorization: `Bearer ${github.token({ kind: 'user', login: 'mia' })}` },
  })
  const all = parseJson(await response.text())
  return (isList(all) ? all : []).map((each) => textAt(each, 'body') ?? '')
}

async function proposed(
  github: GitHub,
  { branch, files }: { readonly branch: string; readonly files: Readonly<Record<string, string>> },
): Promise<number> {
  await github.push({ repository, branch, from: 'main', files, by: 'mia' })
  const body = { title: `Try ${branch}`, head: branch, base: 'main' }
  return number(await github.act({ operation: 'pulls/create', by: 'mia', parameters, body }), 'number')
}

async function merged(github: GitHub, pull: number): Promise<void> {
  await github.act({
    operation: 'pulls/merge',
    by: 'mia',
    parameters: { ...parameters, pull_number: pull },
    body: { merge_method: 'squash' },
  })
}

describe('a catalog as protium init writes it', () => {
  test('plans the first pull request, deploys nothing when it is merged, and deploys once it is switched on', async () => {
    const { github, runner, folder } = await begun()
    const file = 'services/hello/service.yaml'
    edit(join(folder, 'catalog'), file, {
      from: 'inputs: {} # what is left out is as the template says',
      to: 'inputs: { memory_mb: 1024 }',
    })
    const changed = (await readTree(join(folder, 'catalog'))).tree.get(file) ?? ''
    const pull = await proposed(github, { branch: 'more-memory', files: { [file]: changed } })
    runner.look()
    await runner.rest()
    const [comment] = await commentsOn(github, pull)
    await merged(github, pull)
    runner.look()
    await runner.rest()

    expect(comment).toContain('### Plan: `hello` is new in 2 stages')
    expect(comment).toContain('hello.dev.example.com')
    expect(runner.runs().map(({ workflow, conclusion }) => [workflow, conclusion])).toEqual([['Plan', 'success']])

    edit(join(folder, 'catalog'), 'catalog.yaml', {
      from: '  deploy: false # plans only; take this line away to switch deploying on\n',
      to: '',
    })
    expect(await protium(join(folder, 'catalog'), 'workflows', '--write')).toMatchObject({ exit: 0 })
    const { tree } = await readTree(join(folder, 'catalog'))
    const isSwitch = (path: string): boolean => path === 'catalog.yaml' || path.startsWith('.github/workflows/')
    const files = Object.fromEntries([...tree].filter(([path]) => isSwitch(path)))
    await merged(github, await proposed(github, { branch: 'switch-on', files }))
    runner.look()
    await runner.rest()

    // Nobody has approved it for production.
    const deploy = runner.runs().find(({ workflow }) => workflow === 'Deploy')
    expect(deploy?.jobs.map(({ name, state }) => `${name}: ${state}`)).toEqual(
      expect.arrayContaining(['environments / dev: success', 'environments / prod: failure']),
    )
  }, 120_000)
})
