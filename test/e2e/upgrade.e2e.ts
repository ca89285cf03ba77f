import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { writeTree } from '../../src/adapters/disk.ts'
import type { Member, Rollout } from '../../src/core/upgrade/state.ts'
import { clientOf } from '../fakes/github/client.ts'
import { type GitHub, startGitHub } from '../fakes/github/server.ts'
import { act } from './act.ts'
import { catalogFiles, migration, organisation, repository, secondVersion, services, specOf } from './fleet.ts'
import { appKey, deployOf, lastEvent, type Run, type Runners, startRunners } from './runner.ts'
import { terminal } from './terminal.ts'

describe.skipIf(act === undefined)('a release on its way to six services (needs act)', () => {
  const folder = mkdtempSync(join(realpathSync(tmpdir()), 'protium-e2e-upgrade-'))
  const state = join(folder, 'state')
  const env: Record<string, string> = {}
  const runs: Run[] = []
  let github: GitHub
  let runners: Runners

  beforeAll(async () => {
    const here = join(folder, 'catalog')
    await writeTree(here, catalogFiles())
    const typed = await terminal({ folder: here, env: {} })('deploy', '--yes', '--state', state)
    expect(typed.code, typed.error).toBe(0)
    github = await startGitHub(organisation())
    runners = await startRunners({
      github,
      catalog: repository,
      by: 'mia',
      vars: { PROTIUM_STATE: state, PROTIUM_UPGRADES_CLIENT_ID: 'upgrades' },
      secrets: { PROTIUM_UPGRADES_KEY: appKey },
      env,
    })
  }, 120_000)
  afterAll(async () => {
    await runners.close()
    await github.close()
    rmSync(folder, { recursive: true, force: true })
  }, 60_000)

  /** Runs a workflow of the catalog's main branch. */
  async function started(
    workflow: string,
    { event, inputs = {} }: { readonly event: 'push' | 'schedule' | 'workflow_dispatch'; readonly inputs?: Inputs },
  ): Promise<Run> {
    const push = lastEvent(github, 'push', repository)
    const about = { ...(push['repository'] !== undefined && { repository: push['repository'] }) }
    return runners.run({
      repository,
      workflow: `.github/workflows/${workflow}.yml`,
      event,
      payload: event === 'push' ? push : { ...about, inputs, ref: 'refs/heads/main', schedule: '37 * * * *' },
      commit: (await github.head(repository)) ?? '',
      branch: 'main',
      actor: 'mia',
    })
  }

  async function upgraded(): Promise<Run> {
    const run = await started('upgrade', { event: 'schedule' })
    runs.push(run)
    expect(run.conclusion, run.log).toBe('success')
    return run
  }

  async function rollout(): Promise<Rollout> {
    const files = await github.files(repository, 'protium-rollouts')
    return JSON.parse(files.get('rollouts/web/2.0.0.json') ?? '')
  }

  async function inWave(wave: number): Promise<readonly Member[]> {
    return (await rollout()).members.filter((member) => member.kind === 'service' && member.wave === wave)
  }

  /** What the platform team reads: the one issue of the rollout. */
  async function issue(): Promise<string> {
    const { issues } = clientOf(github, { kind: 'user', login: 'mia' })
    const { data } = await issues.listForRepo({ owner: 'acme', repo: 'catalog', state: 'all' })
    expect(data).toHaveLength(1)
    return `${data[0]?.title}\n\n${data[0]?.body}`
  }

  type Pull = { readonly number: number; readonly state: string; readonly draft: boolean; readonly body: string }

  /** The pull requests of upgrades, by the service. */
  async function pulls(): Promise<ReadonlyMap<string, Pull>> {
    const { pulls: api } = clientOf(github, { kind: 'user', login: 'mia' })
    const found = new Map<string, Pull>()
    for (const name of services) {
      const { data } = await api.list({ owner: 'acme', repo: name, state: 'all' })
      for (const { number, state: is, draft, body, head } of data) {
        expect(head.ref).toBe(`protium/upgrade/${name}-v2`)
        expect(found.has(name)).toBe(false)
        found.set(name, { number, state: is, draft: draft === true, body: body ?? '' })
      }
    }
    return found
  }

  /** A developer merges the upgrade of a service, and its own workflow deploys it. */
  async function merged(name: string): Promise<Run> {
    const number = (await pulls()).get(name)?.number ?? 0
    const parameters = { owner: 'acme', repo: name, pull_number: number }
    await github.act({ operation: 'pulls/merge', by: 'dev', parameters })
    return runners.run(deployOf(github, { repository: `acme/${name}`, actor: 'dev' }))
  }

  test('goes in waves, keeps what people do, stops where it fails, and its issue tells how it stands', async () => {
    await github.push({ repository, branch: 'main', files: { 'README.md': 'Our templates.\n' }, by: 'mia' })
    const began = await started('release', { event: 'workflow_dispatch' })
    expect(began.conclusion, began.log).toBe('success')
    expect(lastEvent(github, 'workflow_dispatch', repository)).toMatchObject({
      workflow: '.github/workflows/upgrade.yml',
    })
    await github.push({ repository, branch: 'main', files: { ...secondVersion, ...migration }, by: 'mia' })

    // It is released, and the one that asked to be first is offered it at once.
    const released = await started('release', { event: 'push' })
    expect(released.conclusion, released.log).toBe('success')
    await upgraded()
    expect([...(await pulls()).keys()], released.log).toEqual(['cart'])
    const begun = await issue()
    const canary = (await pulls()).get('cart')
    expect([...(await pulls()).keys()]).toEqual(['cart'])
    expect((await inWave(0)).map(({ name }) => name)).toEqual(['cart'])
    const [edited = '', conflicting = ''] = (await inWave(1)).map(({ name }) => name)
    const [declined = '', failing = '', last = ''] = (await inWave(2)).map(({ name }) => name)
    const spec = (await github.files('acme/cart', 'protium/upgrade/cart-v2')).get('service.yaml')

    // Somebody has changed a line that the template changes too.
    const own = { repository: `acme/${conflicting}`, branch: 'main', by: 'dev' }
    const dockerfile = (await github.files(own.repository)).get('Dockerfile') ?? ''
    await github.push({ ...own, files: { Dockerfile: dockerfile.replace('node:22', 'node:22-alpine') } })

    // It runs well where it was merged first, so the next two are offered it.
    const well = await merged('cart')
    await upgraded()
    const second = await pulls()
    const told = await issue()

    // Somebody adds to the branch, and nothing that comes later takes it away.
    const branch = `protium/upgrade/${edited}-v2`
    const files = await github.files(`acme/${edited}`, branch)
    const longer = (files.get('service.yaml') ?? '').replace(/work_seconds: \d+/u, 'work_seconds: 300')
    const added = await github.push({
      repository: `acme/${edited}`,
      branch,
      files: { 'service.yaml': longer },
      by: 'dev',
    })
    await upgraded()
    const kept = await github.head(`acme/${edited}`, branch)
    const edit = await merged(edited)
    await upgraded()
    const third = await pulls()

    // Of the last three one is declined, and one does not come through staging.
    const at = { owner: 'acme', repo: declined, pull_number: third.get(declined)?.number ?? 0 }
    await github.act({ operation: 'pulls/update', by: 'dev', parameters: at, body: { state: 'closed' } })
    env['PROTIUM_E2E_FAIL'] = `${failing}-staging/Queue=Resource handler returned message: "A queue has that name."`
    const failed = await merged(failing)
    await upgraded()
    const halted = await rollout()
    const stop = await issue()

    // Somebody has looked, and lets it go on. What was declined stays so.
    delete env['PROTIUM_E2E_FAIL']
    const again = await runners.run(deployOf(github, { repository: `acme/${failing}`, actor: 'dev' }))
    const resumed = await started('upgrade', {
      event: 'workflow_dispatch',
      inputs: { what: 'resume', reason: 'The disk of staging was full.' },
    })
    await upgraded()
    const end = await issue()

    // One file was written, in one push, and of what somebody wrote no more than two lines.
    expect(spec).toBe(
      specOf('cart', 30, 'upgrades:\n  canary: true\n')
        .replace('web@1.0.0', 'web@2.0.0')
        .replace('timeout: 30 ', 'work_seconds: 30 '),
    )
    expect(canary?.body).toContain('Moves `cart` from `web` **1.0.0** to **2.0.0**.')
    expect(canary?.body).toContain('`inputs.timeout` is now `inputs.work_seconds`')
    expect(begun).toContain('Rollout: web 2.0.0')
    expect(begun).toContain('**0 of 6 have merged it**')
    expect(well.conclusion, well.log).toBe('success')

    expect([...second.keys()].toSorted()).toEqual(['cart', edited, conflicting].toSorted())
    expect(second.get(edited)).toMatchObject({ state: 'open', draft: false })
    expect(second.get(conflicting)).toMatchObject({ state: 'open', draft: true })
    expect(second.get(conflicting)?.body).toContain('+FROM node:22-alpine')
    expect(second.get(conflicting)?.body).toContain('+FROM node:24')
    const theirs = await github.files(`acme/${conflicting}`, `protium/upgrade/${conflicting}-v2`)
    expect(theirs.get('Dockerfile')).toContain('FROM node:22-alpine\n')
    expect(told).toContain('**1 of 6 have merged it**')
    expect(told).toContain('0 of 2 in this wave have merged it; 1 are to.')

    expect(kept).toBe(added)
    expect(edit.conclusion, edit.log).toBe('success')
    expect((await github.files(`acme/${edited}`)).get('service.yaml')).toBe(longer)
    expect([...third.keys()].toSorted()).toEqual([...services])

    expect(failed.conclusion).toBe('failure')
    expect(
      failed.jobs.map(({ id, result }) => `${id} ${result}`),
      failed.log,
    ).toEqual(['validate success', 'dev success', 'staging failure', 'settle success'])
    expect(halted).toMatchObject({ is: 'halted', stopped: { why: `1 service failed to deploy it: ${failing}.` } })
    expect(stop).toContain('**Halted, ')
    expect(stop).toContain(`1 service failed to deploy it: ${failing}.`)
    expect(stop).toContain('dev done, staging failed')
    expect(stop).toContain('**3 of 5 have merged it** · 2 held · 1 declined')
    expect(stop).toContain('Somebody has declined it.')

    expect(again.conclusion, again.log).toBe('success')
    expect(resumed.conclusion, resumed.log).toBe('success')
    expect(await rollout()).toMatchObject({ is: 'running' })
    expect(end).not.toContain('**Halted')
    expect(end).toContain('**3 of 5 have merged it** · 1 open · 1 need an answer · 1 declined')
    expect((await pulls()).get(declined)).toMatchObject({ state: 'closed' })
    expect((await pulls()).get(last)).toMatchObject({ state: 'open', draft: false })
    expect(github.pushes(`acme/${last}`, `protium/upgrade/${last}-v2`)).toBe(1)

    // Who writes, writes to repositories that are named, and no token may touch workflows.
    const writing = runners.appTokens().filter(({ permissions }) => Object.values(permissions).includes('write'))
    expect(writing.length).toBeGreaterThan(0)
    expect(writing.filter(({ repositories }) => repositories.length === 0)).toEqual([])
    expect(runners.appTokens().flatMap(({ permissions }) => Object.keys(permissions))).not.toContain('workflows')
    expect([began, released, ...runs].filter(({ log }) => github.leaks(log))).toEqual([])
  }, 600_000)
})

type Inputs = Readonly<Record<string, string>>
