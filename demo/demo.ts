import { execFile } from 'node:child_process'
import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { execPath } from 'node:process'
import { promisify } from 'node:util'
import { ledgerRecords } from '../src/adapters/ledger.ts'
import { folderRecords } from '../src/adapters/records.ts'
import { newMirror } from '../test/e2e/mirror.ts'
import { clientOf } from '../test/fakes/github/client.ts'
import { systemClock } from '../test/fakes/github/clock.ts'
import type { GitHub } from '../test/fakes/github/server.ts'
import { startGitHub } from '../test/fakes/github/server.ts'
import type { Runner } from './runner.ts'
import { startRunner } from './runner.ts'
import { sampleOf } from './sample.ts'
import type { Site } from './server.ts'
import { checkPort, startSite } from './server.ts'
import { catalog, organisation, people, rehearsed, repository } from './story.ts'

const run = promisify(execFile)

export type Demo = {
  readonly url: string
  readonly github: GitHub
  readonly runner: Runner
  /** Ends all that it has started, and takes away all that it has written. */
  readonly close: () => Promise<void>
}

/** What is being prepared, as it is done, with how long it took in milliseconds. */
export type Progress = (what: string, said: string, milliseconds: number) => void

/**
 * A GitHub with the sample organisation, a cloud in which it is deployed, runners for its workflows, and pages to look at: all of
 * it on 127.0.0.1 and in a folder for temporary files.
 */
export async function startDemo({
  port,
  progress,
}: {
  readonly port: number
  readonly progress: Progress
}): Promise<Demo> {
  const product = dirname(import.meta.dirname)
  const folder = mkdtempSync(join(realpathSync(tmpdir()), 'protium-demo-'))
  const state = join(folder, 'state')
  const ends: (() => Promise<unknown>)[] = [async () => rmSync(folder, { recursive: true, force: true })]
  const close = async (): Promise<void> => {
    for (const end of ends.splice(0).toReversed()) await end()
  }
  const told = async <T>(what: string, work: () => Promise<readonly [T, string]>): Promise<T> => {
    const from = performance.now()
    const [result, said] = await work()
    progress(what, said, performance.now() - from)
    return result
  }
  try {
    // Before anything is made: whether the pages will have their place.
    await checkPort(port)
    const sample = await sampleOf(product)
    const github = await told('a GitHub', async () => {
      const started = await startGitHub({
        organisation,
        members: { [people.platform]: 'admin', [people.developer]: 'member' },
        teams: {
          platform: { members: [people.platform], repositories: { [catalog]: 'admin' } },
          storefront: { members: [people.developer], repositories: { [catalog]: 'write' } },
        },
        repositories: {
          [catalog]: {
            files: sample,
            environments: { prod: { reviewers: [{ is: 'team', organisation, slug: 'platform' }] } },
            rulesets: [planIsRequired],
          },
        },
      })
      ends.push(async () => started.close())
      return [started, `${repository}, ${sample.size} files`]
    })
    await told('a cloud', async () => [undefined, await deploySample({ github, product, folder, state })])
    const pages: { site?: Site } = {}
    const runner = startRunner({
      github,
      repository,
      by: people.platform,
      product,
      vars: { PROTIUM_STATE: state },
      rehearse: rehearsed,
      changed: () => pages.site?.changed(),
    })
    ends.push(runner.close)
    await told('releases', async () => [undefined, await releaseSample(github, runner)])
    const records = ledgerOf(github)
    const site = await told('the pages', async () => {
      const started = await startSite({ github, runner: () => runner, records: async () => records.list(), port })
      ends.push(started.close)
      return [started, 'for pull requests, runs and deployments']
    })
    pages.site = site
    return { url: site.url, github, runner, close }
  } catch (error) {
    await close()
    throw error
  }
}

/** Releases the templates of the sample, by the workflow that does it. */
async function releaseSample(github: GitHub, runner: Runner): Promise<string> {
  const parameters = { owner: organisation, repo: catalog }
  await github.act({
    operation: 'actions/create-workflow-dispatch',
    by: people.platform,
    parameters: { ...parameters, workflow_id: 'release.yml' },
    body: { ref: 'main' },
  })
  runner.look()
  await runner.rest()
  const [run] = runner.runs()
  if (run?.conclusion !== 'success')
    throw new Error(run?.jobs.flatMap(({ annotations }) => annotations.map(({ message }) => message)).join('\n'))
  const { data } = await clientOf(github, { kind: 'user', login: people.platform }).repos.listReleases(parameters)
  return `${data.length} templates`
}

const planIsRequired = {
  name: 'Plans are green',
  enforcement: 'active',
  include: ['~DEFAULT_BRANCH'],
  exclude: [],
  bypass: [],
  rules: [
    {
      type: 'required_status_checks',
      parameters: {
        required_status_checks: [{ context: 'protium/plan' }],
        strict_required_status_checks_policy: false,
      },
    },
  ],
} as const

function ledgerOf(github: GitHub): ReturnType<typeof ledgerRecords> {
  const token = github.token({
    kind: 'job',
    repository,
    permissions: { contents: 'write' },
  })
  return ledgerRecords({ repository, token, api: github.url, clock: systemClock(), random: Math.random, second: 1 })
}

/** Deploys the sample as it is on the main branch, and puts the records of it on the ledger of the repository. */
async function deploySample({
  github,
  product,
  folder,
  state,
}: {
  readonly github: GitHub
  readonly product: string
  readonly folder: string
  readonly state: string
}): Promise<string> {
  const commit = (await github.head(repository)) ?? ''
  const mirror = newMirror(github, { folder: join(folder, 'git'), by: people.platform })
  const git = await mirror.fetch(repository, commit)
  const root = join(folder, 'catalog')
  await run('git', ['clone', '--quiet', '--no-checkout', git, root])
  await run('git', ['fetch', '--quiet', 'origin', commit], { cwd: root })
  await run('git', ['checkout', '--quiet', '--detach', commit], { cwd: root })
  const cli = join(product, 'src/cli.ts')
  // As the workflows do: the stacks belong to the repository, by its number.
  const { id } = await github.act({
    operation: 'repos/get',
    by: people.platform,
    parameters: { owner: organisation, repo: catalog },
  })
  await run(execPath, [cli, 'deploy', '--yes', '--owner', String(Number(id)), '--root', root, '--state', state], {
    maxBuffer: 32 * 1024 * 1024,
  })
  const records = await folderRecords(join(state, 'records')).list()
  const ledger = ledgerOf(github)
  for (const record of records) await ledger.append({ ...record, by: people.platform })
  return `${records.length} stacks deployed`
}
