import { execFileSync } from 'node:child_process'
import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { writeTree } from '../../src/adapters/disk.ts'
import { readBoard } from '../../src/core/board.ts'
import type { Waiting } from '../../src/core/board.ts'
import { openCatalog } from '../../src/core/catalog.ts'
import { markedKind } from '../../src/core/markdown.ts'
import type { FileTree } from '../../src/core/tree.ts'
import { catalogWorkflows } from '../../src/core/workflows.ts'
import type { DeploymentRecord } from '../../src/ports.ts'
import { clientOf } from '../fakes/github/client.ts'
import { text } from '../fakes/github/json.ts'
import { type GitHub, startGitHub } from '../fakes/github/server.ts'
import { act } from './act.ts'
import { deployOf, lastEvent, type Run, type Runners, sampleCatalog, startRunners } from './runner.ts'
import { terminal } from './terminal.ts'

const parameters = { owner: 'acme', repo: 'catalog' }
const repository = 'acme/catalog'
const file = 'services/receipts/service.yaml'

const gates = `
glass: { by: ["@olga"] }
`
const rule = `  rules:
    - name: short-work
      text: Work of more than a minute is talked over with @acme/queues.
      stages: [prod]
      resources: AWS::SQS::Queue
      property: VisibilityTimeout
      at_most: 60
`
const waiver = `rule: short-work
service: receipts
owner: "@acme/money"
reason: The printer takes two minutes.
expires: 2099-12-31
`

/** The sample with one service, whose production waits a little for staging, and for mia. It breaks a rule, by a waiver. */
function organisation(): FileTree {
  const files = [...sampleCatalog()].filter(([path]) => !path.startsWith('services/') || path === file)
  const own = files.map(([path, content]): [string, string] => [
    path,
    path === 'catalog.yaml'
      ? content
          .replace('    environment: staging\n', '    environment: staging\n    soak: 5s\n')
          .replace('["@acme/platform"]', '["@mia"]')
          .replace('  rules:\n', rule) + gates
      : content,
  ])
  const tree = new Map([...own, ['waivers/printer.yaml', waiver] as const])
  const { catalog } = openCatalog(tree)
  if (catalog === undefined) throw new Error('The catalog cannot be read')
  const workflows = [...tree].filter(([path]) => !path.startsWith('.github/workflows/'))
  return new Map([...workflows, ...catalogWorkflows(catalog)].toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

describe.skipIf(act === undefined)('a change on its way to production (needs act)', () => {
  const folder = mkdtempSync(join(realpathSync(tmpdir()), 'protium-e2e-promotion-'))
  const tree = organisation()
  const spec = tree.get(file) ?? ''
  let github: GitHub
  let runners: Runners

  beforeAll(async () => {
    // It runs already, as somebody has deployed it from a terminal.
    const here = join(folder, 'catalog')
    await writeTree(here, tree)
    const typed = await terminal({ folder: here, env: {} })('deploy', '--yes', '--state', join(folder, 'state'))
    expect(typed.code, typed.error).toBe(0)
    github = await startGitHub({
      organisation: 'acme',
      members: { mia: 'admin', dev: 'member', olga: 'member' },
      repositories: {
        catalog: { files: Object.fromEntries(tree), collaborators: { dev: 'write', mia: 'admin', olga: 'write' } },
      },
    })
    const vars = { PROTIUM_STATE: join(folder, 'state') }
    runners = await startRunners({ github, catalog: repository, by: 'mia', vars })
  }, 120_000)
  afterAll(async () => {
    await runners.close()
    await github.close()
    rmSync(folder, { recursive: true, force: true })
  })

  type Again = { readonly run: number; readonly attempt: number }

  async function deploy(again?: Again): Promise<Run> {
    const actor = again === undefined ? 'mia' : 'github-actions[bot]'
    return runners.run(deployOf(github, { repository, actor, ...(again !== undefined && { again }) }))
  }

  /** Opens a pull request that changes the service, and has it planned. */
  async function proposed(branch: string): Promise<number> {
    const files = { [file]: spec.replace('backlog_target: 200', `backlog_target: ${200 + branch.length}`) }
    const commit = await github.push({ repository, branch, from: 'main', files, by: 'dev' })
    const body = { title: branch, head: branch, base: 'main' }
    const pull = await github.act({ operation: 'pulls/create', by: 'dev', parameters, body })
    const workflow = '.github/workflows/plan.yml'
    const payload = lastEvent(github, 'pull_request')
    const wanted = { repository, workflow, event: 'pull_request', payload, commit, branch, actor: 'dev' } as const
    const planned = await runners.run(wanted)
    expect(planned.conclusion, planned.log).toBe('success')
    return Number(pull['number'])
  }

  async function merged(pull: number): Promise<Run> {
    await github.act({ operation: 'pulls/merge', by: 'mia', parameters: { ...parameters, pull_number: pull } })
    return deploy()
  }

  async function dispatched(workflow: string, actor: string, inputs: Readonly<Record<string, string>>): Promise<Run> {
    const { repository: about } = lastEvent(github, 'push')
    return runners.run({
      repository,
      workflow: `.github/workflows/${workflow}`,
      event: 'workflow_dispatch',
      payload: { inputs, ref: 'refs/heads/main', ...(about !== undefined && { repository: about }) },
      commit: (await github.head(repository)) ?? '',
      branch: 'main',
      actor,
    })
  }

  async function waiting(): Promise<readonly Waiting[]> {
    if ((await github.head(repository, 'protium-board')) === undefined) return []
    const files = await github.files(repository, 'protium-board')
    return readBoard('board.json', files.get('board.json') ?? '').waiting
  }

  /** Comes back when the time is over that the board tells, and lets resume start what may go on. */
  async function resumed(): Promise<Again> {
    for (const { gates: held } of await waiting())
      for (const { until } of held) if (until !== undefined) await sleep(Math.max(0, Date.parse(until) - Date.now()))
    const woken = await dispatched('resume.yml', 'mia', {})
    const [queued] = github.queued()
    expect(queued, woken.log).toMatchObject({ name: 'prod' })
    if (queued === undefined) throw new Error('Nothing was started again')
    return { run: queued.run, attempt: queued.attempt }
  }

  async function comments(pull: number, kind: string): Promise<readonly string[]> {
    const { issues } = clientOf(github, { kind: 'user', login: 'mia' })
    const { data } = await issues.listComments({ ...parameters, issue_number: pull, per_page: 100 })
    return data.flatMap(({ body = '' }) => (markedKind(body) === kind ? [body] : []))
  }

  async function inProduction(): Promise<readonly DeploymentRecord[]> {
    const files = await github.files(repository, 'protium-ledger')
    const own = [...files].filter(([path]) => path.startsWith('records/receipts/prod/'))
    return own.map(([, content]): DeploymentRecord => JSON.parse(content)).toSorted((a, b) => (a.id < b.id ? -1 : 1))
  }

  /** The action that deploys, where it runs at this moment below this process. */
  function deploying(): readonly number[] {
    const lines = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,args='], { encoding: 'utf8' }).split('\n')
    const all = lines.flatMap((each) => {
      const [, pid, parent, args = ''] = /^\s*(\d+)\s+(\d+)\s+(.*)$/u.exec(each) ?? []
      return [{ pid: Number(pid), parent: Number(parent), args }]
    })
    const isOurs = (pid: number): boolean => {
      const parent = all.find((each) => each.pid === pid)?.parent
      return parent === process.pid || (parent !== undefined && parent > 1 && isOurs(parent))
    }
    return all.filter(({ pid, args }) => /dist\/deploy\.js/u.test(args) && isOurs(pid)).map(({ pid }) => pid)
  }

  test('waits for its soak and a review, is let through by a waiver, outlives its runner, and is deployed', async () => {
    const pull = await proposed('print')
    const [plan = ''] = await comments(pull, 'plan')
    const first = await merged(pull)
    const held = await waiting()
    const [told = ''] = await comments(pull, 'waiting')
    const review = { parameters: { ...parameters, pull_number: pull }, body: { event: 'APPROVE' } }
    await github.act({ operation: 'pulls/create-review', by: 'mia', ...review })
    const again = await resumed()
    const { repos } = clientOf(github, { kind: 'user', login: 'mia' })
    const { data } = await repos.listDeployments({ ...parameters, environment: 'receipts/prod' })
    const path = `/deployments/${data[0]?.id}/statuses`
    let killed = 0
    github.fault({
      // What is to be said at the end: it is deployed, and recorded.
      match: (request) => request.method === 'POST' && request.path.endsWith(path),
      kind: {
        before: () => {
          for (const pid of deploying()) {
            process.kill(pid, 'SIGKILL')
            killed += 1
          }
        },
      },
    })
    const cut = await deploy(again)
    const lost = await waiting()
    const last = await deploy(await resumed())

    expect(plan).toContain('**Waived until 2099-12-31** by `@acme/money`')
    expect(
      first.jobs.map(({ id, result }) => `${id} ${result}`),
      first.log,
    ).toEqual(['validate success', 'dev success', 'staging success', 'prod failure', 'settle success'])
    expect(held).toMatchObject([
      { unit: 'receipts/prod', gates: [{ gate: 'soak' }, { gate: 'approval', by: ['@mia'] }] },
    ])
    expect(told).toContain('### receipts → prod: waits')
    expect(told).toContain('The waiver printer lets it through until 2099-12-31')
    expect(killed, cut.log).toBeGreaterThan(0)
    expect(cut.jobs.map(({ id, result }) => `${id} ${result}`)).toContain('prod failure')
    expect(lost, cut.log).toMatchObject([{ unit: 'receipts/prod', lost: 1, gates: [{ gate: 'order' }] }])
    expect(last.conclusion, last.log).toBe('success')
    expect(await waiting()).toEqual([])
    expect(await inProduction()).toMatchObject([{ commit: text(lastEvent(github, 'push'), 'after') }])
    expect(await comments(pull, 'waiting')).toEqual([expect.stringContaining('### receipts → prod: deployed')])
  }, 420_000)

  test('does not wait when the glass is broken by who may, which is recorded and asked after', async () => {
    const pull = await proposed('print-more')
    const run = await merged(pull)
    const held = await waiting()
    const inputs = { service: 'receipts', reason: 'Nobody gets a receipt', image: '' }
    const refused = await dispatched('glass.yml', 'dev', inputs)
    const broken = await dispatched('glass.yml', 'olga', inputs)

    expect(run.conclusion).toBe('failure')
    expect(held).toMatchObject([{ unit: 'receipts/prod' }])
    expect(refused.annotations.map(({ message }) => message).join('\n')).toContain('glass-refused')
    expect(broken.conclusion, broken.log).toBe('success')
    expect(await waiting()).toEqual([])
    const records = await inProduction()
    const skipped = held[0]?.gates.map(({ gate }) => gate)
    expect(records.at(-1)).toMatchObject({
      commit: text(lastEvent(github, 'push'), 'after'),
      glass: { by: 'olga', reason: 'Nobody gets a receipt', skipped: expect.arrayContaining(['approval']) },
    })
    expect(skipped).toContain('approval')
    expect(await comments(pull, 'glass')).toEqual([expect.stringContaining('The glass was broken: receipts/prod')])
  }, 420_000)
})
