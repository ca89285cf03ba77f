import type { Ports } from '../../src/command.ts'
import { cancel } from '../../src/commands/cancel.ts'
import { planUnits } from '../../src/commands/planning.ts'
import { planCheck } from '../../src/commands/posting.ts'
import { promote } from '../../src/commands/promoting.ts'
import { readFolder } from '../../src/commands/reading.ts'
import { resume } from '../../src/commands/resume.ts'
import { settle } from '../../src/commands/settling.ts'
import { stacksOf } from '../../src/commands/stacks.ts'
import { termsOf } from '../../src/commands/terms.ts'
import { bindingText } from '../../src/core/binding.ts'
import type { Lock } from '../../src/core/board.ts'
import { withLock } from '../../src/core/board.ts'
import { digest } from '../../src/core/canonical.ts'
import { fence } from '../../src/core/markdown.ts'
import { planOf } from '../../src/core/plan.ts'
import { isOpen, Refused } from '../../src/core/problem.ts'
import type { FileTree } from '../../src/core/tree.ts'
import type { DeploymentRecord, ResourceChange } from '../../src/ports.ts'
import { worldOf } from '../commands/ports.ts'
import { Cloud } from './cloud.ts'
import type { Job, Pull, Run } from './hub.ts'
import { Hub } from './hub.ts'
import type { ServiceName, Wishes } from './shop.ts'
import { shop, stages } from './shop.ts'
import type { Act, Step } from './steps.ts'
import type { Actor } from './turns.ts'
import { actorOf, Turns } from './turns.ts'

export type Commit = {
  readonly sha: string
  readonly tree: FileTree
  readonly wishes: Wishes
  /** The one that it changes. */
  readonly service: ServiceName | undefined
  readonly pull: Pull | undefined
}

/** What is true of people at a moment, for a job that runs. */
export type Fact = {
  readonly isApproved: boolean
  readonly isLocked: boolean
  /** Who has set it off may break the glass. */
  readonly mayBreak: boolean
}

/** A job while it runs. */
export type Running = {
  readonly job: Job
  readonly run: Run
  readonly commit: Commit
  readonly actor: Actor
  readonly began: number
  readonly records: readonly DeploymentRecord[]
  readonly facts: Fact[]
  readonly isBroken: boolean
  /** What came of this attempt; the job itself may have been started again since. */
  result?: Job['result']
}

/** An operation that was begun on a stack. */
export type Begun = {
  readonly at: number
  readonly by: Running
  readonly stack: string
  readonly unit: string
  readonly changes: readonly ResourceChange[]
  readonly fails: boolean
}

const start = Date.parse('2026-11-25T12:00:00Z')
const first: Wishes = { cart: { size: 1, hasTable: true }, mail: { size: 1, hasTable: true } }
const teams = { platform: ['carla', 'dan'], oncall: ['olga'] }

/** Nothing of it lies on a disk. */
const { ports: nothing, end } = worldOf(() => new Map())
end()

const trees = new Map<string, FileTree>()

function treeOf(wishes: Wishes): FileTree {
  const key = JSON.stringify(wishes)
  const known = trees.get(key) ?? shop(wishes)
  trees.set(key, known)
  return known
}

export type Prepared = {
  readonly stacks: Cloud['stacks']
  readonly records: readonly DeploymentRecord[]
  readonly time: number
}

/** An organisation whose schedule is played: jobs run one by one or at once, by the commands themselves. */
export class Play {
  readonly turns: Turns
  readonly hub: Hub
  readonly cloud: Cloud
  readonly main: Commit[]
  readonly begun: Begun[] = []
  /** What came of commands that is no word of theirs. */
  readonly bugs: string[] = []
  readonly glass = new Map<number, string>()
  /** Commits of which something could not be told, or of all: then what is shown may be out of date. */
  readonly untold = new Set<string>()
  /** What somebody has taken back, by unit and commit. */
  readonly cancelled = new Set<string>()
  readonly running = new Map<Actor, Running>()
  readonly log: string[] = []
  /** Told of an operation when it is begun. */
  readonly #told: (begun: Begun) => void

  constructor(told: (begun: Begun) => void, prepared?: Prepared) {
    this.#told = told
    this.turns = new Turns(prepared?.time ?? start)
    this.hub = new Hub(this.turns, { teams, records: prepared?.records ?? [] })
    this.cloud = new Cloud(
      this.turns,
      ({ actor, ...rest }) => {
        const by = this.running.get(actor)
        if (by === undefined) return
        by.facts.push(this.#factsOf(by))
        const begun = { at: this.turns.now() + actor.skew, by, ...rest }
        this.begun.push(begun)
        this.#told(begun)
      },
      prepared?.stacks,
    )
    this.main = [{ sha: shaOf('0'), tree: treeOf(first), wishes: first, service: undefined, pull: undefined }]
  }

  // What happens

  async step(step: Step): Promise<void> {
    switch (step.do) {
      case 'merge':
        return this.#merge(step)
      case 'wait':
        return this.turns.pass(step.minutes * 60_000)
      case 'fail':
        return void this.cloud.failing.add(`${step.service}-${step.stage}`)
      case 'again': {
        const run = picked([...this.hub.runs.values()], step.run)
        if (run !== undefined) this.again(run, step.by)
        return
      }
      case 'glass':
        return this.#breakGlass(step)
      case 'act':
        return this.#acts(step)
    }
  }

  /** Starts the first job of a run again that did not end well. */
  again(run: Run, by: string): boolean {
    const job = run.jobs.find(({ result }) => result === 'failure' || result === 'cancelled')
    return job !== undefined && this.hub.startAgain(run, job, by)
  }

  async #merge({ service, size, hasTable, also }: Extract<Step, { do: 'merge' }>): Promise<void> {
    const before = this.main.at(-1)
    if (before === undefined) return
    const wishes = { ...before.wishes, [service]: { size, hasTable } }
    const number = this.hub.pulls.length + 1
    const sha = shaOf(`merge ${number}`)
    const pull: Pull = {
      number,
      author: 'ben',
      head: shaOf(`head ${number}`),
      committers: ['ben', ...(also === undefined ? [] : [also])],
      commit: sha,
      reviews: [],
      comments: new Map(),
      labels: new Set(),
    }
    const commit = { sha, tree: treeOf(wishes), wishes, service, pull }
    this.hub.pulls.push(pull)
    this.main.push(commit)
    const text = await this.#planned(commit, service)
    const check = { conclusion: 'success', key: undefined, text, at: this.hub.time() }
    this.hub.checks.set(`${pull.head} ${planCheck}`, check)
    this.#begin(commit, service, 'ada')
  }

  /** The plan as it is posted below the check. */
  async #planned(commit: Commit, service: ServiceName): Promise<string> {
    const ports = this.#portsOf(actorOf('plan'), { commit })
    const { organisation } = await readFolder(ports, '.', { services: [service] })
    if (!organisation.ok) throw new Error(organisation.problems[0]?.message)
    const terms = termsOf(ports, { catalog: organisation.value.catalog })
    await using stacks = stacksOf(ports, { folder: '', for: 'plan', terms, policy: 'gated' })
    try {
      const planned = await planUnits(organisation.value.units, stacks)
      if (!planned.ok) throw new Error(planned.problems[0]?.message)
      return fence(bindingText(planOf(planned.value.map((each) => each.planned))), 'json').markdown
    } catch (error) {
      // A stack is busy: then nobody has seen what would be done.
      if (error instanceof Refused) return fence(bindingText(planOf([])), 'json').markdown
      throw error
    }
  }

  #begin({ sha }: Commit, service: ServiceName, by: string): Run {
    const id = this.hub.id()
    const jobs = [...stages, 'settle'].map((stage, index): Job => ({
      id: this.hub.id(),
      chain: service,
      stage,
      name: `services (${service}) / ${stage}`,
      attempt: 1,
      is: index === 0 ? 'queued' : 'waits',
      result: undefined,
      exit: '',
      by,
    }))
    const run: Run = { id, sha, created: this.turns.now(), attempt: 1, jobs, approvals: [] }
    this.hub.runs.set(String(id), run)
    return run
  }

  #breakGlass({ service, by }: Extract<Step, { do: 'glass' }>): void {
    const commit = this.main.at(-1)
    if (commit?.pull !== undefined) this.glass.set(this.#begin(commit, service, by).id, 'Nobody can pay')
  }

  /** Deploys everything as it is in the beginning. */
  async found(): Promise<void> {
    const [commit] = this.main
    if (commit === undefined) return
    const actor = actorOf('founder')
    const ports = this.#portsOf(actor, { commit })
    const { organisation } = await readFolder(ports, '.')
    if (!organisation.ok) throw new Error(organisation.problems[0]?.message)
    const { units, catalog } = organisation.value
    const records = this.hub.recordsFor(actor)
    for (const unit of units) {
      const home = units.filter(({ kind, environment }) => kind === 'environment' && environment === unit.environment)
      const terms = termsOf(ports, { catalog })
      await using stacks = stacksOf(ports, { folder: '', for: 'deployment', terms })
      const planned = await planUnits([...new Set([...home, unit])], stacks)
      const own = planned.ok ? planned.value.at(-1) : undefined
      if (own === undefined) throw new Error(planned.problems[0]?.message)
      const provisioner = await stacks.of(unit)
      const started = new Date(this.turns.now()).toISOString()
      for await (const { kind } of provisioner.execute(own.preview, own.wanted)) if (kind === 'stack') continue
      await records.append({
        format: 1,
        id: `${started.replaceAll(/[-:.]/gu, '')}-${unit.id.replaceAll('/', '-')}`,
        unit: unit.id,
        ...(unit.stage !== undefined && { stage: unit.stage.name }),
        template: unit.bundle.template,
        version: unit.bundle.version,
        commit: commit.sha,
        by: 'ada',
        started,
        finished: new Date(this.turns.now()).toISOString(),
        outcome: 'deployed',
        wants: own.planned.wants,
      })
    }
  }

  // Who acts at once

  async #acts({ seed, acts }: Extract<Step, { do: 'act' }>): Promise<void> {
    const taken = new Set<string>()
    const works = acts.flatMap((act): (() => Promise<void>)[] => {
      if (act.is !== 'job') return [async () => this.#act(act)]
      const job = picked(this.ready(taken), act.pick)
      if (job === undefined) return []
      taken.add(queueOf(job))
      return [async () => this.work(job, act)]
    })
    await this.turns.together(seed, works)
  }

  /** The jobs that a runner may take: of one queue one at a time, the first that came. */
  ready(taken: ReadonlySet<string> = new Set()): readonly Job[] {
    const queues = new Set(taken)
    const queued = [...this.hub.runs.values()].flatMap(({ jobs }) => jobs.filter(({ is }) => is === 'queued'))
    return queued.filter((job) => {
      const isFirst = !queues.has(queueOf(job))
      queues.add(queueOf(job))
      return isFirst
    })
  }

  async #act(act: Exclude<Act, { is: 'job' }>): Promise<void> {
    switch (act.is) {
      case 'resume':
        return this.resume(act.weather)
      case 'cancel':
        return this.#cancel(act)
      default:
        await this.turns.ask(actorOf('somebody'), () => {
          this.#decide(act)
          for (const by of this.running.values()) by.facts.push(this.#factsOf(by))
        })
    }
  }

  #decide(act: Exclude<Act, { is: 'job' | 'resume' | 'cancel' }>): void {
    const { hub } = this
    switch (act.is) {
      case 'review': {
        const pull = picked(hub.pulls, act.pull)
        if (pull !== undefined) this.review(pull, act.by, act.event)
        return
      }
      case 'dismiss': {
        const pull = picked(hub.pulls, act.pull)
        const index = pull?.reviews.findLastIndex(({ is }) => is === 'approved') ?? -1
        const review = pull?.reviews[index]
        if (review !== undefined) pull?.reviews.splice(index, 1, { ...review, is: 'dismissed' })
        return
      }
      case 'environment': {
        const run = picked([...hub.runs.values()], act.run)
        if (hub.isMember('@acme/platform', act.by))
          run?.approvals.push({ by: act.by, is: 'approved', environments: ['prod'] })
        return
      }
      case 'team': {
        const team = hub.teams.get(act.who === 'olga' ? 'oncall' : 'platform')
        if (act.isIn) team?.add(act.who)
        else team?.delete(act.who)
        return
      }
      case 'lock': {
        const run = act.ofRun ? picked([...hub.runs.values()], act.minutes ?? 0) : undefined
        const until = new Date(this.turns.now() + (act.minutes ?? 0) * 60_000).toISOString()
        const lock: Lock = {
          unit: act.unit,
          by: act.by,
          reason: 'We look for a leak',
          since: new Date(this.turns.now()).toISOString(),
          ...(act.minutes !== undefined && run === undefined && { until }),
          ...(run !== undefined && { run: String(run.id) }),
        }
        if (hub.board.locks.some(({ unit }) => unit === act.unit)) return
        hub.board = withLock(hub.board, lock, { now: new Date(this.turns.now()) })
        return
      }
      case 'unlock': {
        const lock = picked(hub.board.locks, act.pick)
        hub.board = { ...hub.board, locks: hub.board.locks.filter((each) => each !== lock) }
      }
    }
  }

  review(pull: Pull, by: string, is: 'approved' | 'refused' | 'commented'): void {
    // Nobody approves a pull request of his own.
    if (by === pull.author && is !== 'commented') return
    pull.reviews.push({ id: this.hub.id(), by, is, commit: pull.head, at: this.hub.time() })
  }

  // What commands do

  #portsOf(
    actor: Actor,
    {
      commit,
      run,
      job,
      by = 'ada',
      isFetched = true,
      signal,
    }: {
      readonly commit: Commit
      readonly run?: Run
      readonly job?: Job
      readonly by?: string
      readonly isFetched?: boolean
      readonly signal?: AbortSignal
    },
  ): Ports & { readonly run: NonNullable<Ports['run']> } {
    const { turns, hub, cloud } = this
    const indexOf = (sha: string): number => this.main.findIndex((each) => each.sha === sha)
    const isGlass = run !== undefined && this.glass.has(run.id)
    return {
      ...nothing,
      clock: {
        now: () => new Date(turns.now() + actor.skew),
        sleep: async (milliseconds) => turns.ask(actor, () => turns.pass(milliseconds)),
      },
      files: {
        ...nothing.files,
        tree: async () => ({ tree: commit.tree, problems: [] }),
        commit: async () => commit.sha,
        isBefore: async (_root, { older, newer }) => {
          const [a, b] = [indexOf(older), indexOf(newer)]
          return a < 0 || b < 0 ? undefined : a < b
        },
      },
      provisioner: async () => cloud.provisionerFor(actor),
      records: async () => hub.recordsFor(actor),
      board: async () => hub.boardFor(actor, { isFetched }),
      exclusive: async () => ({ [Symbol.asyncDispose]: async () => {} }),
      github: async () => hub.hostFor(actor),
      by,
      signal: signal ?? nothing.signal,
      run: {
        server: 'https://github.com',
        api: 'https://api.github.com',
        repository: { owner: 'acme', name: 'catalog', id: 1 },
        defaultBranch: 'main',
        id: run?.id ?? 0,
        attempt: job?.attempt ?? 1,
        actor: by,
        commit: commit.sha,
        ref: 'refs/heads/main',
        about:
          run === undefined || isGlass ? { is: 'other', event: 'workflow_dispatch' } : { is: 'push', branch: 'main' },
      },
    }
  }

  /** Runs a job to its end, or to where its runner is lost; and what comes after it. */
  async work(job: Job, weather: Partial<Omit<Extract<Act, { is: 'job' }>, 'is' | 'pick'>> = {}): Promise<void> {
    const run = [...this.hub.runs.values()].find(({ jobs }) => jobs.includes(job))
    const commit = this.main.find(({ sha }) => sha === run?.sha)
    if (run === undefined || commit === undefined) throw new Error('A job of no run')
    job.is = 'running'
    const refuse = (): void => {
      this.untold.add(commit.sha)
      // What waits of the service may be of any commit of which it has a run.
      for (const { sha, jobs } of this.hub.runs.values())
        if (jobs.some(({ chain }) => chain === job.chain)) this.untold.add(sha)
    }
    const { skew = 0 } = weather
    const actor = actorOf(`${job.name} ${run.id}.${job.attempt}`, { skew, weather: weather.weather, refuse })
    if (job.stage === 'settle') await this.#settles({ run, job, commit, actor })
    else await this.#deploys({ run, job, commit, actor, isStopped: weather.isStopped ?? false })
    this.#follows(run, job)
    const next = run.jobs.find((each) => each.stage === 'settle' && each.is === 'queued')
    if (next !== undefined && job !== next) await this.work(next, { weather: weather.after })
  }

  async #deploys({
    run,
    job,
    commit,
    actor,
    isStopped,
  }: {
    readonly run: Run
    readonly job: Job
    readonly commit: Commit
    readonly actor: Actor
    readonly isStopped: boolean
  }): Promise<void> {
    const reason = this.glass.get(run.id)
    const by = { run, job, commit, actor, began: this.turns.now() + actor.skew, records: this.hub.records, facts: [] }
    const running: Running = { ...by, isBroken: reason !== undefined }
    running.facts.push(this.#factsOf(running))
    this.running.set(actor, running)
    const end = await this.#ended(actor, async () => {
      const outcome = await promote(this.#portsOf(actor, { run, job, commit, by: job.by }), {
        services: [job.chain],
        stage: [job.stage],
        image: [],
        root: '.',
        catalog: undefined,
        state: '.protium',
        fail: [],
        breakGlass: reason,
      })
      if (outcome.exit === 'bad-input') this.bugs.push(outcome.problems?.[0]?.message ?? 'bad input')
      return outcome.exit
    })
    this.running.delete(actor)
    job.is = 'over'
    job.ended = this.turns.now()
    job.exit = end.exit
    if (end.refused !== undefined) job.refused = end.refused
    job.result = end.exit === 'done' ? 'success' : end.exit === '' && isStopped ? 'cancelled' : 'failure'
    running.result = job.result
    this.log.push(`${actor.name} (${job.by}): ${job.result} ${job.exit} ${job.refused ?? ''}`)
  }

  async #settles({
    run,
    job,
    commit,
    actor,
  }: {
    readonly run: Run
    readonly job: Job
    readonly commit: Commit
    readonly actor: Actor
  }): Promise<void> {
    const ports = this.#portsOf(actor, { run, job, commit, isFetched: false })
    const end = await this.#ended(actor, async () => {
      await settle(ports, {
        github: this.hub.hostFor(actor),
        board: this.hub.boardFor(actor, { isFetched: false }),
        run: ports.run,
        service: job.chain,
        environments: new Map(stages.map((stage) => [stage, stage])),
        jobs: run.jobs
          .filter(({ chain, stage }) => chain === job.chain && stage !== 'settle')
          .map(({ stage, result = '', exit }) => ({ stage, result, exit })),
        isLabelled: false,
      })
      return 'done'
    })
    job.is = 'over'
    job.ended = this.turns.now()
    job.exit = end.exit
    job.result = end.exit === 'done' ? 'success' : 'failure'
    // What tells of a lost runner was lost itself: the run is shown as failed, and that is all.
    if (end.exit !== 'done') this.untold.add(commit.sha)
    this.log.push(`${actor.name}: ${job.result} ${job.exit} ${end.refused ?? ''}`)
  }

  /** How a command ended: what it said itself, as the action hands it on, or nothing. */
  async #ended(
    actor: Actor,
    command: () => Promise<string>,
  ): Promise<{ readonly exit: string; readonly refused?: string }> {
    try {
      const exit = await Promise.race([command(), actor.lost])
      return { exit: exit === 'lost' ? '' : exit }
    } catch (error) {
      if (error instanceof Refused)
        return { exit: isOpen(error) ? 'unfinished' : 'failed', refused: `${error.code}: ${error.message}` }
      this.bugs.push(error instanceof Error ? (error.stack ?? error.message) : String(error))
      return { exit: 'failed', refused: 'bug' }
    }
  }

  /** What begins when a job is over. */
  #follows({ jobs }: Run, job: Job): void {
    const own = jobs.filter(({ chain }) => chain === job.chain)
    const settling = own.find(({ stage }) => stage === 'settle')
    if (settling === undefined || job === settling) return
    const later = own.slice(own.indexOf(job) + 1).filter((each) => each !== settling)
    const [next] = later
    if (job.result === 'success' && next !== undefined) {
      next.is = 'queued'
      return
    }
    for (const each of later) {
      each.is = 'over'
      each.result = 'skipped'
    }
    if (job.result === 'success') {
      settling.is = 'over'
      settling.result = 'skipped'
    } else settling.is = 'queued'
  }

  async resume(weather?: Actor['weather']): Promise<void> {
    const commit = this.main.at(-1)
    if (commit === undefined) return
    const actor = actorOf('resume', { weather, refuse: () => void this.untold.add('all') })
    const accepted = resume.accept(new Map())
    if (!accepted.ok) throw new Error('resume takes no inputs')
    const by = 'github-actions[bot]'
    const end = await this.#ended(actor, async () => {
      const outcome = await accepted.value(this.#portsOf(actor, { commit, by, isFetched: false }))
      this.log.push(`resume: ${JSON.stringify(outcome.data['started'])}`)
      return outcome.exit
    })
    if (end.exit !== 'done') this.log.push(`resume: ${end.exit} ${end.refused ?? ''}`)
  }

  async #cancel({ service, stage, weather }: Extract<Act, { is: 'cancel' }>): Promise<void> {
    const commit = this.main.at(-1)
    if (commit === undefined) return
    const began = this.turns.now()
    let isRefused = false
    const actor = actorOf('cancel', { weather, refuse: () => (isRefused = true) })
    const atOnce = [...this.running.values()].flatMap(({ job, commit: of }) =>
      job.chain === service && job.stage === stage ? [of.sha] : [],
    )
    const meant = this.hub.board.waiting.filter(({ unit }) => unit === `${service}/${stage}`)
    const given = { units: [`${service}/${stage}`], waiting: ['true'], reason: ['Not today'] }
    const accepted = cancel.accept(new Map(Object.entries(given)))
    if (!accepted.ok) throw new Error(accepted.problems[0]?.message)
    const end = await this.#ended(actor, async () => (await accepted.value(this.#portsOf(actor, { commit }))).exit)
    const runners = [...this.running.values()].filter(({ job }) => job.chain === service && job.stage === stage)
    const between = [...this.hub.runs.values()].filter(({ jobs }) =>
      jobs.some((job) => job.chain === service && job.stage === stage && (job.ended ?? 0) > began),
    )
    const shas = [
      ...meant.map(({ commit: of }) => of),
      ...atOnce,
      ...runners.map(({ commit: of }) => of.sha),
      ...between.map(({ sha }) => sha),
    ]
    for (const sha of shas) this.cancelled.add(`${service}/${stage} ${sha}`)
    // What was cut off is taken up by who cancels once more; what is held at this very moment is said by both.
    const isAtOnce = atOnce.length + runners.length + between.length > 0
    for (const sha of shas) {
      if (end.exit !== 'done' || isRefused || isAtOnce) this.untold.add(sha)
    }
    this.log.push(`cancel ${service}/${stage}: ${end.exit} ${end.refused ?? ''}`)
  }

  // What is true

  #factsOf({ job, run, commit, actor }: Pick<Running, 'job' | 'run' | 'commit' | 'actor'>): Fact {
    const now = this.turns.now()
    const unit = `${job.chain}/${job.stage}`
    const isLocked = this.hub.board.locks.some((lock) => {
      if (lock.unit !== job.chain && lock.unit !== unit) return false
      // It ends by the clock of whoever judges it.
      if (lock.until !== undefined && Date.parse(lock.until) <= now + actor.skew) return false
      if (lock.run === undefined) return lock.by !== job.by
      const holder = this.hub.runs.get(lock.run)
      return lock.run !== String(run.id) && holder !== undefined && !this.hub.isOver(holder)
    })
    const mayBreak = this.hub.isMember('@acme/oncall', job.by)
    return { isLocked, mayBreak, isApproved: isApproved(this.hub, { run, pull: commit.pull }) }
  }
}

/** Whether somebody who may has approved, and nobody who may is against it. */
function isApproved(hub: Hub, { run, pull }: { readonly run: Run; readonly pull: Pull | undefined }): boolean {
  if (pull === undefined) return false
  const may = (by: string): boolean =>
    hub.isMember('@acme/platform', by) && by !== pull.author && !pull.committers.includes(by)
  if (run.approvals.some(({ by }) => by !== pull.author && !pull.committers.includes(by))) return true
  const words = new Map<string, string>()
  for (const { by, is } of pull.reviews) if (is !== 'commented') words.set(by, is)
  const isAgainst = [...words].some(([by, is]) => is === 'refused' && hub.isMember('@acme/platform', by))
  return !isAgainst && [...words].some(([by, is]) => is === 'approved' && may(by))
}

/** Jobs of a service in a stage take turns, whatever their run. */
function queueOf({ chain, stage, id }: Job): string {
  return stage === 'settle' ? `settle ${id}` : `${chain}/${stage}`
}

function picked<T>(all: readonly T[], pick: number): T | undefined {
  return all[all.length - 1 - (pick % Math.max(1, all.length))]
}

function shaOf(text: string): string {
  return digest(text).slice('sha256:'.length, 'sha256:'.length + 40)
}

/** The services and their environments as the first commit has them, deployed in every stage. */
export async function prepared(): Promise<Prepared> {
  const play = new Play(() => undefined)
  await play.found()
  return { stacks: play.cloud.stacks, records: play.hub.records, time: play.turns.now() }
}
