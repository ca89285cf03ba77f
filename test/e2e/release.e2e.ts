import { execFileSync } from 'node:child_process'
import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readTree, writeTree } from '../../src/adapters/disk.ts'
import { markedKind } from '../../src/core/markdown.ts'
import type { FileTree } from '../../src/core/tree.ts'
import { clientOf } from '../fakes/github/client.ts'
import { type GitHub, startGitHub } from '../fakes/github/server.ts'
import { act } from './act.ts'
import { migration, organisation, repository, services, specOf } from './fleet.ts'
import { type Mirror, newMirror } from './mirror.ts'
import { appKey, lastEvent, type Run, type Runners, startRunners } from './runner.ts'
import { type Typed, terminal } from './terminal.ts'

const at = { owner: 'acme', repo: 'catalog' }
const schema = 'templates/web/v1/schema/schema.yaml'
const code = 'templates/web/v1/instance_infrastructure/cloudformation.yaml'
const branch = 'work-seconds'

describe.skipIf(act === undefined)('a version of a template (needs act)', () => {
  const folder = mkdtempSync(join(realpathSync(tmpdir()), 'protium-e2e-release-'))
  let github: GitHub
  let runners: Runners
  let mirror: Mirror | undefined

  beforeAll(async () => {
    github = await startGitHub(organisation())
    runners = await startRunners({
      github,
      catalog: repository,
      by: 'mia',
      vars: { PROTIUM_UPGRADES_CLIENT_ID: 'upgrades' },
      secrets: { PROTIUM_UPGRADES_KEY: appKey },
    })
  }, 60_000)
  afterAll(async () => {
    await runners.close()
    await github.close()
    rmSync(folder, { recursive: true, force: true })
  }, 60_000)

  /** Runs what a push to the main branch, or the last event of the pull request, begins. */
  async function started(workflow: string, event: 'push' | 'pull_request'): Promise<Run> {
    const payload = lastEvent(github, event, repository)
    const name = event === 'push' ? 'main' : branch
    return runners.run({
      repository,
      workflow: `.github/workflows/${workflow}.yml`,
      event,
      payload,
      commit: (await github.head(repository, name)) ?? '',
      branch: name,
      actor: 'mia',
    })
  }

  /** The catalog as somebody clones it. */
  async function cloned(name: string, wanted: string): Promise<string> {
    mirror ??= newMirror(github, { folder: join(folder, 'git'), by: 'mia' })
    await mirror.refs(repository)
    const here = join(folder, name)
    execFileSync('git', ['clone', '--quiet', '--branch', wanted, join(folder, 'git', `${repository}.git`), here])
    return here
  }

  async function typed(here: string, ...words: readonly string[]): Promise<Typed> {
    return terminal({ folder: here, env: {} })(...words)
  }

  async function comments(pull: number, kind: string): Promise<readonly string[]> {
    const { issues } = clientOf(github, { kind: 'user', login: 'mia' })
    const { data } = await issues.listComments({ ...at, issue_number: pull, per_page: 100 })
    return data.flatMap(({ body = '' }) => (markedKind(body) === kind ? [body] : []))
  }

  /** What a service that stays with the first version is, as the catalog in a folder renders it. */
  async function rendered(here: string): Promise<FileTree> {
    await writeTree(here, new Map([['services/receipts/service.yaml', specOf('receipts', 45)]]))
    const out = mkdtempSync(join(folder, 'out-'))
    const run = await typed(here, 'render', 'receipts', '--out', out)
    expect(run.code, run.error + run.out).toBe(0)
    return (await readTree(out)).tree
  }

  /** The next hour after a release, which has asked for it at once as well: the main branch looks at who runs what. */
  async function looked(): Promise<void> {
    const { workflow, repository: about } = lastEvent(github, 'workflow_dispatch', repository)
    expect(workflow).toBe('.github/workflows/upgrade.yml')
    const run = await runners.run({
      repository,
      workflow: '.github/workflows/upgrade.yml',
      event: 'schedule',
      payload: { schedule: '37 * * * *', ...(about !== undefined && { repository: about }) },
      commit: (await github.head(repository)) ?? '',
      branch: 'main',
      actor: 'mia',
    })
    expect(run.conclusion, run.log).toBe('success')
  }

  function told(run: Run): string {
    return run.annotations.map(({ message }) => message).join('\n')
  }

  test('that breaks is stopped with its number, shown, released, and takes nothing from who stays', async () => {
    await github.push({ repository, branch: 'main', files: { 'README.md': 'Our templates.\n' }, by: 'mia' })
    const first = await started('release', 'push')
    expect(first.conclusion, first.log).toBe('success')
    await looked()
    const before = await rendered(await cloned('before', 'main'))

    // Somebody calls an input by another name where it stands, and wants to be told it by everybody.
    const files = await github.files(repository)
    const renamed = Object.fromEntries(
      [schema, code].map((path) => [
        path,
        (files.get(path) ?? '')
          .replaceAll('timeout', 'work_seconds')
          .replace('          default: 30\n', '')
          .replace('      type: object\n', '      type: object\n      required: [work_seconds]\n')
          .replace('DelaySeconds: 0', 'DelaySeconds: 5'),
      ]),
    )
    await github.push({ repository, branch, from: 'main', files: renamed, by: 'mia' })
    const body = { title: 'Call it by what it is', head: branch, base: 'main' }
    const pull = Number((await github.act({ operation: 'pulls/create', by: 'mia', parameters: at, body }))['number'])
    const stopped = await started('plan', 'pull_request')
    expect(stopped.conclusion).toBe('failure')
    expect(told(stopped)).toContain('Expected: the version 2.0.0.')

    // The command gives it the number, and those who stay keep what they have.
    const here = await cloned('work', branch)
    const write = await typed(here, 'version', '--write')
    expect(write.code, write.error + write.out).toBe(0)
    const set = (await readTree(here)).tree
    const drafted = 'templates/web/migrations/2.0.0.yaml'
    const own = [...set].filter(([path]) => path.startsWith('templates/web/') && path !== drafted)
    await github.push({ repository, branch, files: Object.fromEntries(own), by: 'mia' })
    const bare = await started('plan', 'pull_request')
    expect(bare.conclusion).toBe('failure')
    expect(told(bare)).toContain('work_seconds')
    expect(told(bare)).toContain('igration')
    // The draft says that the one input is the other, and whoever has written it adds why.
    expect(set.get(drafted)).toContain('rename: { from: timeout, to: work_seconds }')
    await github.push({ repository, branch, files: migration, by: 'mia' })
    const whole = await started('plan', 'pull_request')
    expect(whole.conclusion, whole.log).toBe('success')

    // Before it is merged, everybody can see what it does to the six who run it elsewhere.
    const shown = await started('impact', 'pull_request')
    expect(shown.conclusion, shown.log).toBe('success')
    const [radius = '', ...more] = await comments(pull, 'impact')
    expect(more).toEqual([])
    expect(radius).toContain('Blast radius of web 2.0.0: 6 of 6 consumers change in place, nothing is lost')
    for (const name of services) expect(radius).toContain(`\`${name}\` (team-${name})`)
    expect(radius).toContain('migrated: "inputs.timeout" becomes `"inputs.work_seconds"`')

    // Merged is released: a tag, a release with what the changelog says, and a record of the digest.
    await github.act({ operation: 'pulls/merge', by: 'mia', parameters: { ...at, pull_number: pull } })
    const commit = await github.head(repository)
    const released = await started('release', 'push')
    expect(released.conclusion, released.log).toBe('success')
    const { git, repos } = clientOf(github, { kind: 'user', login: 'mia' })
    expect((await git.getRef({ ...at, ref: 'tags/web@2.0.0' })).data.object.sha).toBe(commit)
    const { data } = await repos.getReleaseByTag({ ...at, tag: 'web@2.0.0' })
    expect(data).toMatchObject({ name: 'web 2.0.0', body: expect.stringContaining('work_seconds'), draft: false })
    const ledger = await github.files(repository, 'protium-ledger')
    const record: unknown = JSON.parse(ledger.get('releases/web/2.0.0.json') ?? '')
    expect(record).toMatchObject({ template: 'web', version: '2.0.0', commit, by: 'mia', digest: expect.any(String) })

    // Run again, it finds all of it done.
    const again = await started('release', 'push')
    expect(again.conclusion, again.log).toBe('success')
    expect((await repos.listReleases(at)).data.map(({ tag_name: tag }) => tag)).toEqual([
      'web@2.0.0',
      'web@1.0.0',
      'place@1.0.0',
    ])
    expect(await github.files(repository, 'protium-ledger')).toEqual(ledger)

    // The first version moves on in the checkout; who stays with what was released is given it from its tag.
    const [moved, template] = [set.get(code), set.get('templates/web/template.yaml')].map((text = '') =>
      text.replace('DelaySeconds: 0', 'DelaySeconds: 9').replace('v1: 1.0.0', 'v1: 1.1.0'),
    )
    const newer = { [code]: moved ?? '', 'templates/web/template.yaml': template ?? '' }
    await github.push({ repository, branch: 'main', by: 'mia', files: newer })
    expect(before.size).toBe(3)
    expect(await rendered(await cloned('after', 'main'))).toEqual(before)
  }, 420_000)
})
