import type { Board } from '../../src/core/board.ts'
import { emptyBoard, writeBoard } from '../../src/core/board.ts'
import { line } from '../../src/core/encode.ts'
import type { Review, RunApproval } from '../../src/core/gates/approval.ts'
import { shorten } from '../../src/core/markdown.ts'
import { Refused } from '../../src/core/problem.ts'
import type { BoardHost, DeploymentRecord, GitHost, PullRequest, Records, StoredCheck } from '../../src/ports.ts'
import type { Actor, Turns } from './turns.ts'

export type Pull = {
  readonly number: number
  readonly author: string
  readonly head: string
  readonly committers: readonly string[]
  /** The commit that it was merged as. */
  readonly commit: string
  readonly reviews: (Review & { readonly id: number })[]
  /** By kind and unit. */
  readonly comments: Map<string, string>
  readonly labels: Set<string>
}

export type Job = {
  readonly id: number
  /** A service, or `environment`. */
  readonly chain: string
  readonly stage: string
  readonly name: string
  attempt: number
  is: 'waits' | 'queued' | 'running' | 'over'
  result: 'success' | 'failure' | 'cancelled' | 'skipped' | undefined
  /** How the command said that it ended; empty if it could not. */
  exit: string
  /** Who set off this attempt. */
  by: string
  /** When it was over. */
  ended?: number
  /** What the command refused to do. */
  refused?: string
}

export type Run = {
  readonly id: number
  readonly sha: string
  readonly created: number
  attempt: number
  readonly jobs: readonly Job[]
  readonly approvals: RunApproval[]
}

type Status = { readonly state: string; readonly description: string; readonly at: string; readonly all: string }

export type Deployed = {
  readonly id: number
  readonly key: string
  readonly commit: string
  readonly environment: string
  readonly isProduction: boolean
  /** The newest last. */
  readonly statuses: Status[]
}

/**
 * GitHub as far as its port promises: one repository with its pull requests, runs, deployments, the ledger and the board. What takes
 * GitHub several requests takes several turns, so others come in between.
 */
export class Hub {
  readonly #turns: Turns
  readonly pulls: Pull[] = []
  readonly runs = new Map<string, Run>()
  readonly deployments: Deployed[] = []
  readonly checks = new Map<string, StoredCheck>()
  readonly teams: Map<string, Set<string>>
  records: readonly DeploymentRecord[]
  board: Board = emptyBoard
  #ids = 0

  constructor(
    turns: Turns,
    {
      teams,
      records = [],
    }: { readonly teams: Readonly<Record<string, readonly string[]>>; readonly records?: readonly DeploymentRecord[] },
  ) {
    this.#turns = turns
    this.records = records
    this.teams = new Map(Object.entries(teams).map(([slug, all]) => [slug, new Set(all)]))
  }

  id(): number {
    return (this.#ids += 1)
  }

  /** The time as GitHub tells it: to the second. */
  time(): string {
    return new Date(this.#turns.now()).toISOString().replace(/\.\d+Z$/u, 'Z')
  }

  async #ask<T>(actor: Actor, effect: () => T): Promise<T> {
    return this.#turns.ask(actor, effect, { isHub: true })
  }

  pullOf(number: number): Pull {
    const found = this.pulls.find((each) => each.number === number)
    if (found === undefined) throw new Refused('github-not-found', 'There is no such pull request.', { remedy: '' })
    return found
  }

  isOver({ jobs }: Run): boolean {
    return jobs.every(({ is }) => is === 'over')
  }

  isMember(of: string, login: string): boolean {
    const [, team] = of.replace(/^@/u, '').split('/')
    return team === undefined ? of === `@${login}` : this.teams.get(team)?.has(login) === true
  }

  /** Starts a job of a run again, with those that come after it; nothing while it is under way. */
  startAgain(run: Run, wanted: Job, by: string): boolean {
    if (!this.isOver(run)) return false
    run.attempt += 1
    const own = run.jobs.filter(({ chain }) => chain === wanted.chain)
    for (const [index, job] of own.slice(own.indexOf(wanted)).entries()) {
      job.is = index === 0 ? 'queued' : 'waits'
      job.attempt = run.attempt
      job.result = undefined
      job.exit = ''
      job.by = by
      delete job.refused
    }
    return true
  }

  hostFor(actor: Actor): GitHost {
    const known = new Set<number>()
    return {
      pullRequest: async (number) => this.#ask(actor, () => pullRequestOf(this.pullOf(number))),
      openPullRequest: async () => undefined,
      pullRequestOf: async (commit) =>
        this.#ask(actor, () => {
          const found = this.pulls.find((each) => each.commit === commit)
          return found === undefined ? undefined : pullRequestOf(found)
        }),
      reviews: async (number) => this.#ask(actor, () => [...this.pullOf(number).reviews]),
      committers: async (number) =>
        this.#ask(actor, () => ({ logins: this.pullOf(number).committers, isComplete: true })),
      approvals: async (run) => this.#ask(actor, () => [...(this.runs.get(String(run))?.approvals ?? [])]),
      isMember: async (of, login) => this.#ask(actor, () => this.isMember(of, login)),
      changedFiles: async () => ({ files: [], isComplete: true }),
      comment: async ({ pullRequest, kind, subject = '', body: { markdown }, onlyIfThere }) => {
        const { comments } = this.pullOf(pullRequest)
        const key = `${kind} ${subject}`
        const before = await this.#ask(actor, () => comments.get(key))
        if (before === markdown) return 'unchanged'
        if (before === undefined && onlyIfThere === true) return 'absent'
        await this.#ask(actor, () => comments.set(key, markdown))
        return before === undefined ? 'created' : 'updated'
      },
      check: async ({ commit, name, conclusion, key, text }) => {
        const of = `${commit} ${name}`
        const wanted = { conclusion, key, text: text?.markdown, at: this.time() }
        const before = await this.#ask(actor, () => this.checks.get(of))
        if (before !== undefined && same(before, wanted)) return 'unchanged'
        await this.#ask(actor, () => this.checks.set(of, wanted))
        return before === undefined ? 'created' : 'updated'
      },
      checkOn: async (commit, name) => this.#ask(actor, () => this.checks.get(`${commit} ${name}`)),
      deployment: async ({ key, commit, environment, isProduction, isFirst }) => {
        const before =
          isFirst === true ? undefined : await this.#ask(actor, () => this.deployments.find((each) => each.key === key))
        if (before !== undefined) return before.id
        return this.#ask(actor, () => {
          const id = this.id()
          this.deployments.push({ id, key, commit, environment, isProduction, statuses: [] })
          known.add(id)
          return id
        })
      },
      deploymentStatus: async (id, { state, description, address, log, isFirst }) => {
        const deployment = this.deployments.find((each) => each.id === id)
        if (deployment === undefined) throw new Refused('github-not-found', 'No such deployment.', { remedy: '' })
        const short = shorten(line(description), 140)
        const all = [state, short, address?.url ?? '', log?.url ?? ''].join(' ')
        if (isFirst !== true && !known.has(id)) {
          const newest = await this.#ask(actor, () => deployment.statuses.at(-1))
          if (newest?.all === all) return 'unchanged'
        }
        await this.#ask(actor, () => {
          deployment.statuses.push({ state, description: short, at: this.time(), all })
          if (state === 'success') this.#inactivate(deployment)
        })
        known.add(id)
        return 'created'
      },
      deploymentsOf: async ({ id: run, commit }) =>
        this.#ask(actor, () =>
          this.deployments
            .filter((each) => each.commit === commit && each.key.endsWith(` ${run}`))
            .map(({ id, key, environment, statuses }) => ({ id, key, environment, states: statuses.toReversed() })),
        ),
      run: async (id) =>
        this.#ask(actor, () => {
          const run = this.runs.get(id)
          if (run === undefined) return undefined
          const created = new Date(run.created).toISOString()
          return { id, attempt: run.attempt, isOver: this.isOver(run), created }
        }),
      jobs: async (id) =>
        this.#ask(actor, () =>
          (this.runs.get(id)?.jobs ?? []).map(({ id: job, name, result }) => ({
            id: job,
            name,
            attempt: this.runs.get(id)?.attempt ?? 1,
            ...(result !== undefined && { conclusion: result }),
            hasBegun: result !== undefined && result !== 'skipped',
          })),
        ),
      startAgain: async ({ run: id, attempt, job: wanted }) =>
        this.#ask(actor, () => {
          const run = this.runs.get(id)
          const job = run?.jobs.find((each) => each.id === wanted)
          if (run === undefined || job === undefined) return { is: 'refused', why: 'Not found' }
          if (!this.isOver(run) || run.attempt > attempt) return { is: 'running' }
          return { is: this.startAgain(run, job, 'github-actions[bot]') ? 'started' : 'running' }
        }),
      label: async (pullRequest, { name, is }) =>
        this.#ask(actor, () => {
          const { labels } = this.pullOf(pullRequest)
          if (is === 'on') labels.add(name)
          else labels.delete(name)
          return 'updated'
        }),
      labelled: async () => new Map(),
    }
  }

  /** https://docs.github.com/en/rest/deployments/statuses: a success ends those before it, except in production. */
  #inactivate({ id, environment }: Deployed): void {
    for (const other of this.deployments) {
      const isPrior = other.id < id && other.environment === environment
      if (!isPrior || other.isProduction || other.statuses.at(-1)?.state !== 'success') continue
      other.statuses.push({ state: 'inactive', description: '', at: this.time(), all: '' })
    }
  }

  /** As it was fetched at this moment, and as this runner has left it. */
  boardFor(actor: Actor, { isFetched = true } = {}): BoardHost {
    const fetched = isFetched ? this.board : undefined
    let known: Board | undefined
    return {
      read: async ({ now = false } = {}) => {
        if (known === undefined && !now && fetched !== undefined) return fetched
        return (known ??= await this.#ask(actor, () => this.board))
      },
      change: async (edit) => {
        for (;;) {
          const before = await this.#ask(actor, () => this.board)
          const after = edit(before)
          if (writeBoard(after) === writeBoard(before)) return (known = after)
          const isWritten = await this.#ask(actor, () => {
            // Taken only in the place of what was read.
            if (this.board !== before) return false
            this.board = after
            return true
          })
          if (isWritten) return (known = after)
        }
      },
    }
  }

  /** The ledger as it was fetched at this moment. */
  recordsFor(actor: Actor): Records {
    const fetched = this.records.toSorted((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0))
    return {
      append: async (record) =>
        this.#ask(actor, () => {
          if (this.records.some(({ id }) => id === record.id))
            throw new Refused('record-exists', `There is a record ${record.id} already.`, { remedy: 'Run it again.' })
          this.records = [...this.records, record]
        }),
      list: async (unit, { latest } = {}) => {
        const own = unit === undefined ? fetched : fetched.filter((each) => each.unit === unit)
        return latest === undefined ? own : own.slice(-latest)
      },
    }
  }
}

function pullRequestOf({ number, author, head, commit }: Pull): PullRequest {
  return {
    number,
    state: commit === '' ? 'open' : 'merged',
    isDraft: false,
    author,
    isFork: false,
    head: { branch: `change-${number}`, commit: head },
    base: { branch: 'main', commit: '' },
  }
}

function same(a: StoredCheck, b: StoredCheck): boolean {
  return a.conclusion === b.conclusion && a.key === b.key && (a.text ?? '').trimEnd() === (b.text ?? '').trimEnd()
}
