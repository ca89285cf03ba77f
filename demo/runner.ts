import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { newMirror } from '../test/e2e/mirror.ts'
import type { FileTree } from '../src/core/tree.ts'
import type { JsonMap } from '../test/fakes/github/json.ts'
import { glob } from '../test/fakes/github/rules.ts'
import type { GitHub } from '../test/fakes/github/server.ts'
import type { Scope, Value } from './expressions.ts'
import { filled, holds, textOf } from './expressions.ts'
import type { Annotation } from './steps.ts'
import { runStep } from './steps.ts'
import type { Job, Workflow } from './workflow.ts'
import { readWorkflow } from './workflow.ts'

/**
 * The runners of the local GitHub: they start the workflows that an event asks for and run their jobs as GitHub would, each
 * with a token of its own, on this machine. The steps that are actions of this project are the built ones, as a user runs them.
 */
export type Runner = {
  /** Starts what has happened since the last time asks for. */
  readonly look: () => void
  /** The newest first. */
  readonly runs: () => readonly RunView[]
  /** Settles when no job is at work; those that wait for a person do not count. */
  readonly rest: () => Promise<void>
  /** Runs the jobs again that have not succeeded, and those after them. */
  readonly again: (run: number) => void
  /** Ends what is at work, and takes away all that it has laid down. */
  readonly close: () => Promise<void>
}

export type RunView = {
  readonly id: number
  readonly repository: string
  readonly workflow: string
  readonly event: string
  readonly branch: string
  readonly commit: string
  readonly actor: string
  readonly pull: number | undefined
  readonly started: Date
  attempt: number
  conclusion: 'success' | 'failure' | undefined
  /** In the order in which they began. */
  readonly jobs: JobView[]
}

export type JobView = {
  /** The names that lead to it: `services (checkout) / dev`. */
  readonly name: string
  readonly attempt: number
  state: 'waiting' | 'running' | 'success' | 'failure' | 'skipped'
  readonly environment: string | undefined
  readonly steps: { readonly name: string; state: 'running' | 'success' | 'failure' | 'skipped'; log: string }[]
  summary: string
  annotations: readonly Annotation[]
}

export type RunnerOptions = {
  readonly github: GitHub
  readonly repository: string
  /** Somebody who may read everything. */
  readonly by: string
  /** The folder of this project, with its actions and their build. */
  readonly product: string
  readonly vars: Readonly<Record<string, string>>
  /** What an action is given besides, on a commit's files: what the local cloud shall let fail. */
  readonly rehearse: (verb: string, files: FileTree) => Readonly<Record<string, string>>
  /** Is told whenever something is another than before. */
  readonly changed: () => void
}

type Ended = {
  readonly result: 'success' | 'failure' | 'skipped'
  readonly outputs: Readonly<Record<string, string>>
}

/** What all jobs of a run share. */
type Running = {
  readonly view: RunView
  readonly payload: JsonMap
  /** What is checked out; for a pull request its merge with the base. */
  readonly commit: string
  readonly ref: string
  readonly folder: string
  readonly artifacts: Map<number, { readonly name: string; readonly folder: string }>
  /** How jobs ended, by their names; a job that succeeded is not run again. */
  readonly ended: Map<string, Ended>
}

/** A workflow at its place: what its jobs are called, and what it was handed. */
type Called = {
  readonly workflow: Workflow
  readonly file: string
  readonly prefix: string
  readonly inputs: Readonly<Record<string, Value>>
}

export function startRunner(options: RunnerOptions): Runner {
  const { github, repository, by, product, vars, rehearse, changed } = options
  const folder = mkdtempSync(join(realpathSync(tmpdir()), 'protium-runner-'))
  const mirror = newMirror(github, { folder: join(folder, 'git'), by })
  const views: RunView[] = []
  const runs = new Map<number, Running>()
  const groups = new Map<string, Promise<unknown>>()
  const working = new Set<Promise<void>>()
  const stop = new AbortController()
  const waiters = new Set<() => void>()
  let starting = 0
  // What was there from the beginning starts nothing.
  let seen = github.events().length
  let artifacts = 0

  /** A job that a reviewer or a timer holds back says so, until it begins. */
  async function watch(): Promise<void> {
    for await (const { run, name, job } of github.held(stop.signal)) {
      const shown = views.find(({ id }) => id === run)?.jobs.findLast((each) => each.name === name)
      if (shown === undefined || !github.waiting().some((each) => each.job === job)) continue
      shown.state = 'waiting'
      note()
    }
  }
  track(watch())

  function look(): void {
    const events = github.events().slice(seen)
    seen += events.length
    for (const event of events) {
      if (event.startsWorkflows && event.repository === repository) track(begin(event.name, event.payload))
    }
    note()
  }

  function note(): void {
    changed()
    for (const settle of waiters) settle()
    waiters.clear()
  }

  function track(work: Promise<void>): void {
    const done = work.catch((error: unknown) => {
      if (!stop.signal.aborted) throw error
    })
    working.add(done)
    void done
      .finally(() => {
        working.delete(done)
        note()
      })
      .catch(() => undefined)
  }

  async function begin(event: string, payload: JsonMap): Promise<void> {
    starting += 1
    try {
      const about = event === 'workflow_dispatch' ? await dispatched(payload) : aboutOf(event, payload)
      if (about === undefined) return
      for (const [file, source] of await github.files(repository, about.from)) {
        if (!/^\.github\/workflows\/[^/]+\.ya?ml$/u.test(file)) continue
        const read = readOrFault(file, source)
        if (about.file !== undefined && about.file !== file) continue
        const trigger = read.workflow.on[event]
        if (read.fault === undefined && (trigger === undefined || !asksFor(trigger, about))) continue
        if (trigger?.paths !== undefined && !(await touches(trigger.paths, about))) continue
        track(start(file, read, { event, payload, about }))
      }
    } finally {
      starting -= 1
    }
  }

  /** What somebody has started by hand: one workflow, on a branch as it is. */
  async function dispatched(payload: JsonMap): Promise<About | undefined> {
    const branch = textAt(payload, 'ref').replace(/^refs\/heads\//u, '')
    const commit = await github.head(repository, branch)
    const [file, actor] = [textAt(payload, 'workflow'), textAt(payload, 'sender', 'login')]
    return commit === undefined ? undefined : { branch, commit, from: commit, actor, file }
  }

  /** Whether a file that a workflow asks for is another than before, or than in the base of a pull request. */
  async function touches(patterns: readonly string[], { commit, before }: About): Promise<boolean> {
    const [old, own] = await Promise.all(
      [before, commit].map(async (sha): Promise<FileTree> =>
        sha === undefined ? new Map() : github.files(repository, sha),
      ),
    )
    const globs = patterns.map(glob)
    return [...new Set([...(old?.keys() ?? []), ...(own?.keys() ?? [])])].some(
      (path) => old?.get(path) !== own?.get(path) && globs.some((each) => each.test(path)),
    )
  }

  async function start(
    file: string,
    { workflow, fault }: ReadWorkflow,
    { event, payload, about }: { readonly event: string; readonly payload: JsonMap; readonly about: About },
  ): Promise<void> {
    starting += 1
    let running: Running | undefined
    try {
      running = await prepared(file, { workflow, event, payload, about })
    } finally {
      starting -= 1
    }
    // GitHub runs nothing for a pull request that cannot be merged.
    if (running === undefined) return
    await attempt(running, async (each) => {
      if (fault !== undefined) throw new Error(fault)
      return jobsOf(each, { workflow, file, prefix: '', inputs: workflow.inputs })
    })
  }

  async function prepared(
    file: string,
    {
      workflow,
      event,
      payload,
      about,
    }: {
      readonly workflow: Workflow
      readonly event: string
      readonly payload: JsonMap
      readonly about: About
    },
  ): Promise<Running | undefined> {
    await mirror.fetch(repository, about.commit)
    const merged =
      about.base === undefined ? about.commit : await mirror.merge(repository, { base: about.base, head: about.commit })
    if (merged === undefined) return undefined
    const id = await github.beginRun({
      repository,
      workflow: file,
      name: workflow.name,
      event,
      branch: about.branch,
      sha: about.commit,
      actor: about.actor,
      ...(about.pull !== undefined && { pulls: [about.pull] }),
    })
    const view: RunView = {
      id,
      repository,
      workflow: workflow.name,
      event,
      branch: about.branch,
      commit: about.commit,
      actor: about.actor,
      pull: about.pull,
      started: new Date(),
      attempt: 1,
      conclusion: undefined,
      jobs: [],
    }
    views.unshift(view)
    const running: Running = {
      view,
      payload,
      commit: merged,
      ref: about.pull === undefined ? `refs/heads/${about.branch}` : `refs/pull/${about.pull}/merge`,
      folder: mkdtempSync(join(folder, `run-${id}-`)),
      artifacts: new Map(),
      ended: new Map(),
    }
    runs.set(id, running)
    return running
  }

  /** Runs the jobs of a run. What the runner itself cannot do is told in a job of its own, and fails the run. */
  async function attempt(running: Running, jobs: (running: Running) => Promise<readonly Ended[]>): Promise<void> {
    const { view } = running
    note()
    try {
      const ended = await jobs(running)
      view.conclusion = ended.some(({ result }) => result === 'failure') ? 'failure' : 'success'
    } catch (error) {
      if (stop.signal.aborted) throw error
      const message = error instanceof Error ? error.message : String(error)
      for (const job of view.jobs) if (job.state === 'running' || job.state === 'waiting') job.state = 'failure'
      view.jobs.push({
        name: 'the runner',
        attempt: view.attempt,
        state: 'failure',
        environment: undefined,
        steps: [],
        summary: '',
        annotations: [{ level: 'error', message, properties: {} }],
      })
      view.conclusion = 'failure'
    }
    await github.endRun({ repository, run: view.id, conclusion: view.conclusion })
    look()
  }

  function again(id: number): void {
    const running = runs.get(id)
    if (running === undefined || running.view.conclusion === undefined) return
    for (const [name, { result }] of running.ended) if (result !== 'success') running.ended.delete(name)
    running.view.attempt += 1
    running.view.conclusion = undefined
    track(
      attempt(running, async (each) => {
        const files = await github.files(repository, each.view.commit)
        for (const [file, source] of files) {
          if (!file.startsWith('.github/workflows/')) continue
          const { workflow } = readOrFault(file, source)
          if (workflow.name === each.view.workflow)
            return jobsOf(each, { workflow, file, prefix: '', inputs: workflow.inputs })
        }
        throw new Error(`There is no workflow ${each.view.workflow} any more`)
      }),
    )
  }

  /** Runs the jobs of a workflow, each when those that it needs are over. */
  async function jobsOf(running: Running, called: Called): Promise<readonly Ended[]> {
    const started = new Map<string, Promise<Ended>>()
    const of = (id: string): Promise<Ended> => {
      const found = started.get(id)
      if (found !== undefined) return found
      const job = called.workflow.jobs[id]
      if (job === undefined) throw new Error(`${called.file} has no job ${id}`)
      const work = (async () => {
        const needs = await Promise.all(job.needs.map(async (need) => [need, await of(need)] as const))
        return jobOf(running, called, { id, job, needs: Object.fromEntries(needs) })
      })()
      started.set(id, work)
      return work
    }
    return Promise.all(Object.keys(called.workflow.jobs).map(of))
  }

  type Wanted = { readonly id: string; readonly job: Job; readonly needs: Readonly<Record<string, Ended>> }

  async function jobOf(running: Running, called: Called, { id, job, needs }: Wanted): Promise<Ended> {
    const results = Object.values(needs).map(({ result }) => result)
    // A job that was skipped is no success of the one after it.
    const so = results.every((result) => result === 'success')
      ? 'success'
      : results.includes('failure')
        ? 'failure'
        : 'cancelled'
    const contexts = contextsOf(running, called, { needs })
    const scope: Scope = { contexts, so }
    // `cancelled()` speaks of the run, which nobody can cancel here.
    if (!holds(job.if, so === 'cancelled' ? { contexts: { ...contexts }, so: 'failure' } : scope)) {
      const skipped: Ended = { result: 'skipped', outputs: {} }
      running.ended.set(`${called.prefix}${id}`, skipped)
      return skipped
    }
    const variants = matrixOf(job, scope)
    const ended = await Promise.all(
      variants.map(async (matrix) => {
        const name = `${called.prefix}${id}${Object.keys(matrix).length === 0 ? '' : ` (${Object.values(matrix).map(textOf).join(', ')})`}`
        const kept = running.ended.get(name)
        if (kept?.result === 'success') return kept
        const own: Scope = { contexts: { ...contexts, matrix }, so: 'success' }
        const result =
          job.uses === undefined
            ? await queued(running, { name, job, scope: own })
            : await callOf(running, called, { name, job, scope: own })
        running.ended.set(name, result)
        return result
      }),
    )
    const failed = ended.some(({ result }) => result === 'failure')
    return {
      result: failed ? 'failure' : 'success',
      outputs: Object.assign({}, ...ended.map(({ outputs }) => outputs)),
    }
  }

  type Own = { readonly name: string; readonly job: Job; readonly scope: Scope }

  async function callOf(running: Running, called: Called, { name, job, scope }: Own): Promise<Ended> {
    const file = /\.github\/workflows\/[^@]+/u.exec(job.uses ?? '')?.[0]
    const source = file === undefined ? undefined : (await github.files(repository, running.view.commit)).get(file)
    if (file === undefined || source === undefined)
      throw new Error(`${called.file} calls ${job.uses}, which there is not`)
    const workflow = readWorkflow(file, source)
    const handed = Object.fromEntries(Object.entries(job.with).map(([key, value]) => [key, filled(value, scope)]))
    const ended = await jobsOf(running, {
      workflow,
      file,
      prefix: `${name} / `,
      inputs: { ...workflow.inputs, ...handed },
    })
    return { result: ended.some(({ result }) => result === 'failure') ? 'failure' : 'success', outputs: {} }
  }

  /** One job of a concurrency group after the other, in the order in which they came. */
  async function queued(running: Running, own: Own): Promise<Ended> {
    const { concurrency } = own.job
    if (concurrency === undefined) return inJob(running, own)
    const group = textOf(filled(concurrency, own.scope)).toLowerCase()
    const before = groups.get(group) ?? Promise.resolve()
    const work = before.then(async () => inJob(running, own))
    groups.set(
      group,
      work.catch(() => undefined),
    )
    return work
  }

  async function inJob(running: Running, { name, job, scope }: Own): Promise<Ended> {
    const { view } = running
    const shown: JobView = {
      name,
      attempt: view.attempt,
      state: 'running',
      environment: job.environment?.name,
      steps: [],
      summary: '',
      annotations: [],
    }
    view.jobs.push(shown)
    note()
    const { environment, permissions } = job
    const begun = await github.beginJob({
      repository,
      run: view.id,
      name,
      permissions,
      ...(environment !== undefined && {
        environment: textOf(filled(environment.name, scope)),
        ...(environment.deployment === false && { deployment: false }),
      }),
      signal: stop.signal,
    })
    if (begun.is === 'refused') {
      shown.state = 'failure'
      shown.annotations = [{ level: 'error', message: begun.reason, properties: {} }]
      note()
      return { result: 'failure', outputs: {} }
    }
    shown.state = 'running'
    const outcome = await steps(running, { job, scope, shown, token: begun.token, name })
    shown.state = outcome.result === 'success' ? 'success' : 'failure'
    await github.endJob({ repository, run: view.id, job: begun.job, conclusion: shown.state })
    note()
    return outcome
  }

  type InJob = Omit<Own, never> & { readonly shown: JobView; readonly token: string }

  async function steps(running: Running, { job, scope, shown, token, name }: InJob): Promise<Ended> {
    const workspace = mkdtempSync(join(running.folder, 'job-'))
    const temp = join(
      workspace,
      '..',
      `temp-${shown.steps.length}-${Math.floor(artifacts)}-${name.replaceAll(/\W+/gu, '-')}`,
    )
    mkdirSync(temp, { recursive: true })
    const eventFile = join(temp, 'event.json')
    writeFileSync(eventFile, JSON.stringify(running.payload))
    const github_ = { ...mapValue(scope.contexts['github']), token, workspace, event_path: eventFile }
    const files = await github.files(repository, running.view.commit)
    const done: Record<string, Value> = {}
    let so: 'success' | 'failure' = 'success'
    for (const step of job.steps) {
      const now: Scope = {
        contexts: { ...scope.contexts, github: github_, steps: done, runner: { temp, os: 'Linux', arch: 'X64' } },
        so,
      }
      const entry: JobView['steps'][number] = { name: step.name, state: 'skipped', log: '' }
      shown.steps.push(entry)
      if (!holds(step.if, now)) continue
      entry.state = 'running'
      note()
      const inputs = Object.fromEntries(
        Object.entries(step.with).map(([key, value]) => [key, textOf(filled(value, now))]),
      )
      const ended = await runStep({
        uses: step.uses,
        script: textOf(filled(step.run, now)),
        inputs,
        workspace,
        temp,
        token,
        product,
        rehearse: (verb) => rehearse(verb, files),
        env: {
          ...envOf(running, { github, workspace, temp, eventFile, job: name }),
          ...Object.fromEntries(Object.entries(step.env).map(([key, value]) => [key, textOf(filled(value, now))])),
        },
        signal: stop.signal,
        checkout: async ({ ref, isWhole }) => {
          if (isWhole) await mirror.refs(repository)
          return {
            folder: await mirror.fetch(repository, running.view.commit),
            commit: ref === '' ? running.commit : ref,
          }
        },
        upload: (file, from) => {
          artifacts += 1
          running.artifacts.set(artifacts, { name: file, folder: from })
          return artifacts
        },
        artifacts: running.artifacts,
      })
      entry.log = ended.log
      entry.state = ended.result
      shown.summary += ended.summary
      shown.annotations = [...shown.annotations, ...ended.annotations]
      if (ended.result === 'failure' && step.isOptional !== true) so = 'failure'
      if (step.id !== undefined)
        done[step.id] = { outcome: ended.result, conclusion: ended.result, outputs: ended.outputs }
      note()
    }
    const last: Scope = { contexts: { ...scope.contexts, github: github_, steps: done }, so }
    const outputs = Object.fromEntries(
      Object.entries(job.outputs).map(([key, value]) => [key, textOf(filled(value, last))]),
    )
    rmSync(workspace, { recursive: true, force: true })
    return { result: so, outputs }
  }

  function contextsOf(
    running: Running,
    called: Called,
    { needs }: { readonly needs: Readonly<Record<string, Ended>> },
  ): Readonly<Record<string, Value>> {
    const { view, payload, ref } = running
    return {
      github: {
        event: jsonValue(payload),
        event_name: view.event,
        repository,
        ref,
        sha: running.commit,
        actor: view.actor,
        run_id: String(view.id),
        run_attempt: String(view.attempt),
      },
      needs: Object.fromEntries(Object.entries(needs).map(([id, { result, outputs }]) => [id, { result, outputs }])),
      inputs: called.inputs,
      vars,
      secrets: {},
      env: {},
      matrix: {},
      steps: {},
      job: { workflow_repository: repository, workflow_sha: running.commit },
      runner: {},
    }
  }

  return {
    look,
    runs: () => views,
    async rest() {
      while (starting > 0 || views.some(isAtWork)) await new Promise<void>((settle) => waiters.add(settle))
    },
    again,
    async close() {
      stop.abort()
      await Promise.allSettled(working)
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

type ReadWorkflow = { readonly workflow: Workflow; readonly fault?: string }

/** A workflow; one that the runner cannot read has no jobs, and says why. */
function readOrFault(file: string, source: string): ReadWorkflow {
  try {
    return { workflow: readWorkflow(file, source) }
  } catch (error) {
    const fault = error instanceof Error ? error.message : String(error)
    return { workflow: { name: file.replace(/^.*\//u, ''), on: {}, inputs: {}, jobs: {} }, fault }
  }
}

/** A run that is not over and does not only wait for a person. */
function isAtWork({ conclusion, jobs }: RunView): boolean {
  const has = (wanted: JobView['state']): boolean => jobs.some(({ state }) => state === wanted)
  return conclusion === undefined && (has('running') || !has('waiting'))
}

type About = {
  readonly branch: string
  readonly commit: string
  /** Where the workflows are read. */
  readonly from: string
  readonly actor: string
  readonly pull?: number
  readonly base?: string
  /** What it is compared with. */
  readonly before?: string
  readonly action?: string
  /** The one workflow that it is about. */
  readonly file?: string
}

/** What an event is about; nothing for one that starts no workflow here. */
function aboutOf(event: string, payload: JsonMap): About | undefined {
  const actor = textAt(payload, 'sender', 'login')
  if (event === 'push') {
    const branch = /^refs\/heads\/(.+)$/u.exec(textAt(payload, 'ref'))?.[1]
    const commit = textAt(payload, 'after')
    if (branch === undefined || /^0+$/u.test(commit)) return undefined
    const before = textAt(payload, 'before')
    return { branch, commit, from: commit, actor, ...(!/^0*$/u.test(before) && { before }) }
  }
  const action = textAt(payload, 'action')
  if (event === 'pull_request' && ['opened', 'synchronize', 'reopened'].includes(action)) {
    const commit = textAt(payload, 'pull_request', 'head', 'sha')
    return {
      branch: textAt(payload, 'pull_request', 'head', 'ref'),
      commit,
      from: commit,
      actor,
      pull: Number(payload['number']),
      base: textAt(payload, 'pull_request', 'base', 'sha'),
      before: textAt(payload, 'pull_request', 'base', 'sha'),
      action,
    }
  }
  return undefined
}

function asksFor(trigger: { readonly branches?: readonly string[] }, { branch, pull }: About): boolean {
  return pull !== undefined || trigger.branches === undefined || trigger.branches.includes(branch)
}

function matrixOf({ matrix }: Job, scope: Scope): readonly Readonly<Record<string, Value>>[] {
  let variants: readonly Readonly<Record<string, Value>>[] = [{}]
  for (const [name, given] of Object.entries(matrix)) {
    const values = typeof given === 'string' ? filled(given, scope) : given
    if (!isValues(values)) throw new Error(`The matrix ${name} is no list`)
    variants = variants.flatMap((variant) => values.map((value) => ({ ...variant, [name]: value })))
  }
  return variants
}

function envOf(
  { view, commit, ref }: Running,
  {
    github,
    workspace,
    temp,
    eventFile,
    job,
  }: {
    readonly github: GitHub
    readonly workspace: string
    readonly temp: string
    readonly eventFile: string
    readonly job: string
  },
): Readonly<Record<string, string>> {
  const [owner = ''] = view.repository.split('/')
  return {
    CI: 'true',
    GITHUB_ACTIONS: 'true',
    GITHUB_ACTOR: view.actor,
    GITHUB_API_URL: github.url,
    GITHUB_SERVER_URL: github.url,
    GITHUB_EVENT_NAME: view.event,
    GITHUB_EVENT_PATH: eventFile,
    GITHUB_JOB: job,
    GITHUB_REF: ref,
    GITHUB_REPOSITORY: view.repository,
    GITHUB_REPOSITORY_OWNER: owner,
    GITHUB_REPOSITORY_ID: String(JSON.parse(readFileSync(eventFile, 'utf8')).repository?.id ?? ''),
    GITHUB_RUN_ID: String(view.id),
    GITHUB_RUN_ATTEMPT: String(view.attempt),
    GITHUB_SHA: commit,
    GITHUB_WORKFLOW: view.workflow,
    GITHUB_WORKSPACE: workspace,
    RUNNER_TEMP: temp,
  }
}

function textAt(value: unknown, ...path: readonly string[]): string {
  let found: unknown = value
  for (const key of path)
    found =
      typeof found === 'object' && found !== null
        ? Object.entries(found).find(([name]) => name === key)?.[1]
        : undefined
  return typeof found === 'string' ? found : ''
}

function mapValue(value: Value | undefined): Readonly<Record<string, Value>> {
  return typeof value === 'object' && value !== null && !isValues(value) ? value : {}
}

function isValues(value: Value): value is readonly Value[] {
  return Array.isArray(value)
}

function jsonValue(value: unknown): Value {
  const found: Value = JSON.parse(JSON.stringify(value))
  return found
}
