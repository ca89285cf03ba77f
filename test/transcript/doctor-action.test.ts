import { readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { startGitHub } from '../fakes/github/server.ts'
import { commandsIn, step } from './action.ts'
import { emptyFolder, sample } from './terminal.ts'

/** The weekly job in the sample's catalog, whose repository nobody has set up. */
test('says on the page of the job what is to be mended, and fails it', async () => {
  const root = sample()
  const paths = readdirSync(root, { recursive: true, encoding: 'utf8' })
  const found = paths.filter((path) => statSync(join(root, path)).isFile())
  await using github = await startGitHub({
    organisation: 'acme',
    members: { ada: 'admin' },
    teams: { platform: { members: ['ada'] } },
    repositories: {
      catalog: {
        files: Object.fromEntries(found.map((path) => [path, readFileSync(join(root, path), 'utf8')])),
        environments: { prod: {} },
      },
    },
  })
  const file = join(emptyFolder(), 'event.json')
  writeFileSync(file, JSON.stringify({ repository: { id: 1, default_branch: 'main' } }))
  const token = github.token({
    kind: 'job',
    repository: 'acme/catalog',
    permissions: { actions: 'read', contents: 'read' },
  })

  const { exit, outputs, summary, stdout } = await step('doctor', root, {
    inputs: { token },
    env: {
      GITHUB_API_URL: github.url,
      GITHUB_EVENT_NAME: 'schedule',
      GITHUB_EVENT_PATH: file,
      GITHUB_REF: 'refs/heads/main',
      GITHUB_REPOSITORY: 'acme/catalog',
      GITHUB_RUN_ATTEMPT: '1',
      GITHUB_RUN_ID: '77',
      GITHUB_SERVER_URL: 'https://github.com',
      GITHUB_SHA: await github.head('acme/catalog'),
    },
  })

  expect({ exit, outcome: outputs['exit'] }).toEqual({ exit: 4, outcome: 'different' })
  expect(Number(outputs['failures'])).toBeGreaterThan(4)
  expect(JSON.parse(outputs['findings'] ?? '')).toContainEqual(
    expect.objectContaining({ check: 'check', is: 'fail', group: 'acme/catalog' }),
  )
  expect(summary).toMatch(/^## Doctor: something is to be mended\n/u)
  expect(summary).toContain('| FAIL | acme/catalog | `environment` | `prod`: Every branch may deploy there. |')
  expect(summary).toContain('[Open](https://github.com/acme/catalog/settings/environments)')
  expect(stdout).toContain('  FAIL     environment')
  expect(commandsIn(stdout).map(({ name }) => name)).toContain('error')
  expect(github.leaks(stdout + summary + JSON.stringify(outputs))).toBe(false)
})
