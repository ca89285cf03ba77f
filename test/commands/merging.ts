import { gitHub } from '../../src/adapters/github.ts'
import { branchBoard } from '../../src/adapters/github/board.ts'
import { ledgerRecords } from '../../src/adapters/ledger.ts'
import type { Command, Outcome, Ports } from '../../src/command.ts'
import { deploy } from '../../src/commands/deploy.ts'
import { plan } from '../../src/commands/plan.ts'
import { resume } from '../../src/commands/resume.ts'
import { rollback } from '../../src/commands/rollback.ts'
import { validate } from '../../src/commands/validate.ts'
import type { About, Run } from '../../src/core/event.ts'
import type { Board } from '../../src/core/board.ts'
import { emptyBoard, readBoard } from '../../src/core/board.ts'
import { digest } from '../../src/core/canonical.ts'
import { markedKind } from '../../src/core/markdown.ts'
import { plain, problemsText } from '../../src/core/report.ts'
import type { FileTree } from '../../src/core/tree.ts'
import type { Clock, DeploymentRecord } from '../../src/ports.ts'
import { clientOf } from '../fakes/github/client.ts'
import type { EnvironmentRules } from '../fakes/github/environments.ts'
import { isMap, mapAt, textAt } from '../fakes/github/json.ts'
import type { GitHub } from '../fakes/github/server.ts'
import { startGitHub } from '../fakes/github/server.ts'
import type { Permissions } from '../fakes/github/state.ts'
import { run as runCommand, worldOf } from './ports.ts'

const repository = 'acme/catalog'
const at = { owner: 'acme', repo: 'catalog' }

/** A pull request, as it was planned. */
export type Pull = { readonly number: number; readonly head: string }

/** How a job is run: by default the first attempt, with what a checkout of all branches has of the ledger. */
export type Job = {
  readonly services: string
  readonly stage: string
  readonly attempt?: number
  /** The ledger was not fetched with the checkout, so it is asked for. */
  readonly unfetched?: true
  readonly fail?: string
  readonly image?: string
  readonly signal?: AbortSignal
  /** Who set it off; ada if nobody is named. */
  readonly actor?: string
  readonly breakGlass?: string
}

/** A catalog on the local GitHub whose workflows are run step by step: by the same commands, with the real adapters. */
export type Merging = {
  readonly github: GitHub
  /** Opens a pull request that makes the catalog be these files, and plans it in every stage as its jobs do. */
  readonly propose: (tree: FileTree, more?: Proposal) => Promise<Pull>
  /** Merges it; the commit on the default branch. `into` is what that has, where others have changed something meanwhile. */
  readonly merge: (pull: Pull, into?: FileTree) => Promise<string>
  /** Runs one job of the workflow that deploys a commit. */
  readonly deploy: (commit: string, job: Job) => Promise<Outcome>
  /** Runs one job of the workflow that goes back; it is started on a branch, at its head of then. */
  readonly rollback: (given: Readonly<Record<string, string>>, on?: { readonly ref?: string }) => Promise<Outcome>
  /** All that was said: in logs and summaries, as outputs, and to GitHub. Without the artifacts, which hold what was rendered. */
  /** What a command is handed in that job, and in which run. */
  readonly jobOf: (commit: string, job?: Partial<Job>) => Ports & { readonly run: Run }
  /** Runs what the scheduled workflow does: jobs of runs that are over are started again, if they may go on. */
  readonly resume: () => Promise<Outcome>
  /** Runs the jobs that were started again, as GitHub does: what came of each, by its name. */
  readonly goOn: () => Promise<ReadonlyMap<string, Outcome>>
  /** Reviews a pull request, at its head; the number of the review. */
  readonly review: (
    pull: Pick<Pull, 'number'>,
    by: string,
    event?: 'APPROVE' | 'REQUEST_CHANGES' | 'COMMENT',
  ) => Promise<number>
  readonly dismiss: (pull: Pick<Pull, 'number'>, review: number) => Promise<void>
  /** What waits, and what is locked. */
  readonly board: () => Promise<Board>
  /** The comments of a kind on a pull request, as they are now. */
  readonly comments: (pull: Pick<Pull, 'number'>, kind: string) => Promise<readonly string[]>
  readonly heard: () => string
  /** What jobs wrote to their logs. */
  readonly log: () => string
  /** The Markdown of it: summaries of jobs, comments, and what checks say. */
  readonly pages: () => readonly string[]
  /** The records of the ledger, in the order in which they were written. */
  readonly ledger: () => Promise<readonly DeploymentRecord[]>
  readonly deployments: () => Promise<readonly Deployed[]>
  /** The newest status of the newest deployment of a commit: `queued: It soaks.` */
  readonly statusOf: (environment: string, commit: string) => Promise<string | undefined>
  /** Where the stacks are. */
  readonly folder: string
  readonly close: () => Promise<void>
}

export type Proposal = {
  /** What the job that posts is handed instead of what validate wrote. */
  readonly swap?: (files: Map<string, string>) => void
  /** Does without the plan. */
  readonly unplanned?: true
  readonly title?: string
  /** Called when the plan has been made, before it is posted. */
  readonly meanwhile?: (pull: Pull & { readonly branch: string }) => Promise<void>
}

export type Deployed = {
  readonly environment: string
  readonly commit: string
  readonly state: string | undefined
}

export type Surroundings = {
  /** What time it is, everywhere. */
  readonly now?: () => Date
  /** Members besides ada, who is the admin, and ben, who may write and opens pull requests. */
  readonly members?: readonly string[]
  readonly outsiders?: readonly string[]
  readonly teams?: Readonly<Record<string, readonly string[]>>
  readonly environments?: Readonly<Record<string, EnvironmentRules>>
}

/** Who may see who is in a team. */
const people = { people: { permissions: { members: 'read' } } } as const

export async function startMerging(
  tree: FileTree,
  stages: readonly string[],
  { now = () => new Date(), members = [], outsiders = [], teams = {}, environments = {} }: Surroundings = {},
): Promise<Merging> {
  const clock: Clock = {
    now,
    sleep: async (milliseconds) => new Promise((resolve) => setTimeout(resolve, Math.min(milliseconds, 5))),
  }
  const collaborators = Object.fromEntries(['ben', ...members, ...outsiders].map((login) => [login, 'write'] as const))
  const github = await startGitHub(
    {
      organisation: 'acme',
      members: { ada: 'admin', ...Object.fromEntries(['ben', ...members].map((login) => [login, 'member'] as const)) },
      outsiders,
      teams: Object.fromEntries(Object.entries(teams).map(([slug, all]) => [slug, { members: all }])),
      apps: people,
      repositories: { catalog: { files: Object.fromEntries(tree), collaborators, environments } },
    },
    { clock },
  )
  const trees = new Map([[(await github.head(repository)) ?? '', tree]])
  /** The commits of the default branch, the oldest first. */
  const main: string[] = []
  // Of one folder of stacks; each job has files and a clock of its own.
  const world = worldOf(() => tree)
  /** The run that deploys each commit: it has one number, whatever the job and the attempt. */
  const runs = new Map<string, number>()
  const said: string[] = []
  const pages: string[] = []
  const log: string[] = []
  let ids = 100
  let random = 0

  function portsOf(
    {
      commit,
      about,
      attempt = 1,
      id,
      ref = 'refs/heads/main',
      actor: wanted,
    }: Pick<Run, 'commit' | 'about'> & { attempt?: number; id: number; ref?: string; actor?: string | undefined },
    {
      permissions,
      files,
      root,
      unfetched,
      signal,
    }: {
      readonly permissions: Permissions
      readonly files: Map<string, string>
      /** The commit that is checked out, if it is not the one that the run is about. */
      readonly root?: string
      readonly unfetched?: true | undefined
      readonly signal?: AbortSignal | undefined
    },
  ): Ports & { readonly run: Run } {
    const options = {
      repository,
      token: github.token({ kind: 'job', repository, permissions }),
      teamToken: github.token({ kind: 'app', app: 'people' }),
      api: github.url,
      clock,
      random: () => (random += 0.37) % 1,
      second: 4,
      ...(signal !== undefined && { signal }),
    }
    const own = trees.get(root ?? (about.is === 'pull-request' ? about.head.commit : commit)) ?? tree
    return {
      ...world.ports,
      clock,
      files: {
        ...world.ports.files,
        tree: async (root) =>
          root === 'plans'
            ? { tree: new Map([...files].filter(([name]) => name.startsWith('plans/'))), problems: [] }
            : { tree: own, problems: [] },
        text: async (file) => textOf(files, file),
        writeText: async (file, text) => void files.set(file, text),
        commit: async () => commit,
        at: async (_root, wanted) => {
          const then = trees.get(wanted)
          return then === undefined ? undefined : { tree: then, problems: [] }
        },
        isBefore: async (_root, { older, newer }) =>
          main.includes(older) && main.includes(newer) ? main.indexOf(older) < main.indexOf(newer) : undefined,
        // What differs is found by the digests of both trees, as git does.
        changed: async () => changedIn(trees.get(main.at(-1) ?? '') ?? tree, own),
      },
      base: about.is === 'pull-request' ? { since: about.base.commit, merge: true } : undefined,
      run: {
        server: 'https://github.com',
        api: github.url,
        repository: { owner: 'acme', name: 'catalog', id: 1 },
        defaultBranch: 'main',
        id,
        attempt,
        actor: wanted ?? 'ada',
        commit,
        ref,
        about,
      },
      github: async () => gitHub(options),
      by: wanted ?? 'ana',
      board: async () => branchBoard(options, unfetched === true ? {} : { fetched: board }),
      records: async () => {
        const ledger = ledgerRecords(options)
        const all = unfetched === true ? undefined : await records()
        return {
          append: async (record) => ledger.append(record),
          list: async (unit, more = {}) =>
            all === undefined
              ? ledger.list(unit, more)
              : all.filter((each) => unit === undefined || each.unit === unit).slice(-(more.latest ?? all.length)),
        }
      },
      ...(signal !== undefined && { signal }),
    }
  }

  async function board(): Promise<Board> {
    if ((await github.head(repository, 'protium-board')) === undefined) return emptyBoard
    return readBoard('board.json', (await github.files(repository, 'protium-board')).get('board.json') ?? '')
  }

  /** The ledger as a checkout has it. */
  async function records(): Promise<readonly DeploymentRecord[]> {
    if ((await github.head(repository, 'protium-ledger')) === undefined) return []
    const { repos } = clientOf(github, { kind: 'user', login: 'ada' })
    const commits = await repos.listCommits({ ...at, sha: 'protium-ledger', per_page: 100 })
    const files = await github.files(repository, 'protium-ledger')
    const paths = commits.data.map(({ commit }) => /^Record: (\S+)$/mu.exec(commit.message)?.[1] ?? '')
    return paths.toReversed().map((path): DeploymentRecord => JSON.parse(files.get(path) ?? ''))
  }

  async function propose(wanted: FileTree, { swap, unplanned, title, meanwhile }: Proposal = {}): Promise<Pull> {
    const branch = `change-${(ids += 1)}`
    const base = (await github.head(repository)) ?? ''
    const files = Object.fromEntries([...wanted].filter(([path, text]) => trees.get(base)?.get(path) !== text))
    const head = await github.push({ repository, branch, from: 'main', files, by: 'ben' })
    trees.set(head, wanted)
    const body = { title: title ?? branch, head: branch, base: 'main' }
    const made = await github.act({ operation: 'pulls/create', by: 'ben', parameters: at, body })
    const pull = { number: Number(made['number']), head }
    if (unplanned === true) return pull
    const about: About = {
      is: 'pull-request',
      number: pull.number,
      title: title ?? branch,
      author: 'ben',
      head: { commit: head, branch, repository: { owner: 'acme', name: 'catalog', id: 1 } },
      base: { commit: base, branch: 'main' },
      fork: false,
    }
    const kept = new Map<string, string>()
    const run = { commit: head, about, id: (ids += 1) }
    const step = { files: kept, permissions: {} }
    const validated = await job(validate, portsOf(run, step), { path: ['.'], request: ['request'] })
    // Where the first job fails, only the last one goes on.
    for (const stage of validated.exit === 'done' ? stages : []) {
      const given = { request: ['request'], stage: [stage], out: [`plans/${stage}.json`] }
      // Where there may be a role, the catalog is the merged one.
      await expectDone(job(plan, portsOf(run, { ...step, root: base }), given))
    }
    swap?.(kept)
    await meanwhile?.({ ...pull, branch })
    const post = { files: kept, permissions: { checks: 'write', pull_requests: 'write' } } as const
    await expectDone(job(plan, portsOf(run, post), { request: ['request'], plans: ['plans'] }))
    return pull
  }

  function deploying(
    commit: string,
    { attempt = 1, unfetched, signal, actor }: Partial<Job> = {},
  ): Ports & { readonly run: Run } {
    const write = { checks: 'write', contents: 'write', deployments: 'write', pull_requests: 'write' } as const
    return portsOf(
      { commit, about: { is: 'push', branch: 'main' }, attempt, id: runs.get(commit) ?? 0, actor },
      { permissions: { actions: 'read', ...write }, files: new Map(), unfetched, signal },
    )
  }

  /** Runs a command as a step; what it says in the log and in the summary is kept. */
  async function job(
    command: Command,
    ports: Ports,
    given: Readonly<Record<string, readonly string[]>>,
  ): Promise<Outcome> {
    const steps: string[] = []
    const reporter = {
      step: (...words: readonly string[]) => void steps.push(words.join(' ')),
      unit: (progress: object) => void steps.push(JSON.stringify(progress)),
    }
    const outcome = await runCommand(command, { ...world, ports: { ...ports, reporter } }, given)
    const { problems = [], sources, page, text } = outcome
    if (page !== undefined) pages.push(page.markdown)
    said.push(...steps, JSON.stringify(outcome.data), page?.markdown ?? '')
    log.push(
      text(plain),
      problemsText(problems, { ...(sources !== undefined && { source: (file) => sources.get(file) }) }),
    )
    return outcome
  }

  /** Runs a job of the workflow that deploys, as one of its run, which is over then: so it can be started again. */
  async function deployed(commit: string, wanted: Job): Promise<Outcome> {
    const { services, stage, fail, image, breakGlass } = wanted
    const run = runs.get(commit) ?? 0
    const nameIn = (each: string): string =>
      services === 'environment' ? `environments / ${each}` : `services (${services}) / ${each}`
    const before = stages[stages.indexOf(stage) - 1]
    const needs = before === undefined ? [] : [nameIn(before)]
    const begun = await github.beginJob({ repository, run, name: nameIn(stage), needs, permissions: {} })
    let conclusion: 'success' | 'failure' = 'failure'
    try {
      const outcome = await job(deploy, deploying(commit, wanted), {
        services: [services],
        stage: [stage],
        ...(fail !== undefined && { fail: [fail] }),
        ...(image !== undefined && { image: [image] }),
        ...(breakGlass !== undefined && { 'break-glass': [breakGlass] }),
      })
      if (outcome.exit === 'done') conclusion = 'success'
      return outcome
    } finally {
      await github.endJob({ repository, run, job: begun.job, conclusion })
      await github.endRun({ repository, run, conclusion })
    }
  }

  return {
    github,
    propose,
    async merge({ number, head }, into) {
      const { pulls } = clientOf(github, { kind: 'user', login: 'ada' })
      const { sha } = (await pulls.merge({ ...at, pull_number: number })).data
      const wanted = into ?? trees.get(head)
      if (wanted !== undefined) trees.set(sha, wanted)
      main.push(sha)
      const workflow = '.github/workflows/deploy.yml'
      const run = { repository, workflow, event: 'push', branch: 'main', sha, actor: 'ada' }
      runs.set(sha, await github.beginRun(run))
      return sha
    },
    jobOf: deploying,
    deploy: deployed,
    async resume() {
      const permissions = { actions: 'write', contents: 'write', deployments: 'write', pull_requests: 'read' } as const
      const run = {
        commit: main.at(-1) ?? '',
        about: { is: 'other', event: 'schedule' },
        id: (ids += 1),
        actor: 'github-actions[bot]',
      } as const
      return job(resume, portsOf(run, { permissions, files: new Map(), unfetched: true }), {})
    },
    async goOn() {
      const ends = new Map<string, Outcome>()
      for (const { run, name, attempt } of github.queued()) {
        const [, service = 'environment', stage = ''] = /^(?:services \((.+)\)|environments) \/ (.+)$/u.exec(name) ?? []
        const commit = main.find((each) => runs.get(each) === run) ?? ''
        ends.set(name, await deployed(commit, { services: service, stage, attempt, actor: 'github-actions[bot]' }))
      }
      return ends
    },
    async review({ number }, by, event = 'APPROVE') {
      const parameters = { ...at, pull_number: number }
      const body = { event, ...(event !== 'APPROVE' && { body: 'Well.' }) }
      return Number((await github.act({ operation: 'pulls/create-review', by, parameters, body }))['id'])
    },
    async dismiss({ number }, review) {
      const parameters = { ...at, pull_number: number, review_id: review }
      await github.act({ operation: 'pulls/dismiss-review', by: 'ada', parameters, body: { message: 'No longer.' } })
    },
    board,
    async comments({ number }, kind) {
      const { issues } = clientOf(github, { kind: 'user', login: 'ada' })
      const { data } = await issues.listComments({ ...at, issue_number: number, per_page: 100 })
      return data.flatMap(({ body = '' }) => (markedKind(body) === kind ? [body] : []))
    },
    async rollback(given, { ref } = {}) {
      const permissions = { contents: 'write', deployments: 'write' } as const
      const commit = main.at(-1) ?? ''
      const about: About = { is: 'other', event: 'workflow_dispatch' }
      const run = { commit, about, id: (ids += 1), ...(ref !== undefined && { ref }) }
      const words = Object.entries(given).map(([name, value]) => [name, [value]] as const)
      return job(rollback, portsOf(run, { permissions, files: new Map() }), Object.fromEntries(words))
    },
    heard: () =>
      [...said, ...log, ...github.requests().map(({ path, body }) => `${path} ${JSON.stringify(body)}`)].join('\n'),
    log: () => log.join('\n'),
    pages: () => [
      ...pages,
      ...github.requests().flatMap(({ body }) => {
        const output = isMap(body) ? mapAt(body, 'output') : undefined
        return [textAt(body, 'body'), textAt(output, 'summary'), textAt(output, 'text')].filter(
          (text) => text !== undefined,
        )
      }),
    ],
    ledger: records,
    async deployments() {
      const { repos } = clientOf(github, { kind: 'user', login: 'ada' })
      const all = await repos.listDeployments({ ...at, per_page: 100 })
      const found = all.data.map(async ({ id, environment, sha }) => {
        const { data } = await repos.listDeploymentStatuses({ ...at, deployment_id: id })
        return { environment, commit: sha, state: data.toSorted((a, b) => b.id - a.id)[0]?.state }
      })
      return (await Promise.all(found)).toReversed()
    },
    async statusOf(environment, commit) {
      const { repos } = clientOf(github, { kind: 'user', login: 'ada' })
      const [newest] = (await repos.listDeployments({ ...at, environment, sha: commit })).data
      if (newest === undefined) return undefined
      const { data } = await repos.listDeploymentStatuses({ ...at, deployment_id: newest.id })
      const last = data.toSorted((a, b) => b.id - a.id)[0]
      return `${last?.state}: ${last?.description}`
    },
    folder: world.folder,
    async close() {
      world.end()
      await github.close()
    },
  }
}

function textOf(files: ReadonlyMap<string, string>, file: string): Awaited<ReturnType<Ports['files']['text']>> {
  const value = files.get(file)
  if (value !== undefined) return { ok: true, value, problems: [] }
  const problem = { code: 'missing-file', severity: 'error', message: `no ${file}`, remedy: 'Correct it.' } as const
  return { ok: false, problems: [problem] }
}

function changedIn(before: FileTree, after: FileTree): readonly string[] {
  return [...new Set([...before.keys(), ...after.keys()])].filter(
    (path) => digest(before.get(path) ?? '') !== digest(after.get(path) ?? ''),
  )
}

async function expectDone(running: Promise<Outcome>): Promise<void> {
  const { exit, problems = [] } = await running
  if (exit !== 'done') throw new Error(`${exit}: ${problems.map(({ message }) => message).join(' ')}`)
}
