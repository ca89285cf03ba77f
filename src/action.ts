/** The door of GitHub Actions: each `actions/<verb>/main.ts` calls it with its command. */
import * as core from '@actions/core'
import { randomUUID } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { posix } from 'node:path'

import type { Command, Outcome, Ports } from './command.ts'
import { exits } from './command.ts'
import type { Board } from './core/board.ts'
import { emptyBoard } from './core/board.ts'
import { summaryBudget } from './core/summary.ts'
import { compactJson, lines } from './core/encode.ts'
import { baseOf, readRun } from './core/event.ts'
import type { Run } from './core/event.ts'
import type { Markdown } from './core/markdown.ts'
import { blocks, bullets, code, cut, fence, prose, shorten } from './core/markdown.ts'
import type { Problem } from './core/problem.ts'
import { isOpen, Refused } from './core/problem.ts'
import { count, distinct, placeText, plain, problemsText, problemWords, sorted } from './core/report.ts'
import { withoutSecrets } from './core/secret.ts'
import { useProxy } from './adapters/proxy.ts'
import type { Machine } from './machine.ts'
import { machine, version } from './machine.ts'
import { lineReporter } from './progress.ts'
import type { BoardHost, Records } from './ports.ts'
import { fleetTokenInput, readStep, stepInputs, stepOutputs, teamTokenInput, tokenInput } from './step.ts'

const { stdout, env } = process

/**
 * Runs a command as a step of a workflow: reads its inputs, shows its problems on their lines, sets its outputs, writes the
 * job summary and sets the exit code. What files say is printed between marks that keep the runner from obeying it.
 */
export async function runAction(command: Command): Promise<void> {
  const missing = ['GITHUB_OUTPUT', 'GITHUB_STEP_SUMMARY'].filter((name) => !isFile(env[name]))
  if (missing.length > 0) {
    core.setFailed(
      `This is a step of GitHub Actions, and ${missing.join(' and ')} ${missing.length === 1 ? 'does' : 'do'} not name a file: the results would be lost. Nothing was done.`,
    )
    return
  }
  try {
    const { given, problems } = readStep(command, (name) => core.getInput(name))
    const accepted = command.accept(given)
    const mistakes = [...problems, ...(accepted.ok ? [] : accepted.problems)]
    const folder = given.get('root')?.[0] ?? given.get('path')?.[0] ?? '.'
    const outcome: Outcome =
      mistakes.length > 0 || !accepted.ok
        ? { exit: 'bad-input', data: {}, text: () => '', problems: mistakes }
        : await quietly(async () => running(command, accepted.value))
    await finish(command, outcome, folder)
  } catch (error) {
    await (error instanceof Refused ? refused(command, error) : bug(command, error))
  }
}

function isFile(path: string | undefined): boolean {
  return path !== undefined && path !== '' && existsSync(path)
}

/** Runs the command with the adapters of this machine; the runner's SIGINT, which comes first, asks it to stop. */
async function running(command: Command, run: (ports: Ports) => Promise<Outcome>): Promise<Outcome> {
  const controller = new AbortController()
  const stop = (): void => controller.abort()
  process.once('SIGINT', stop)
  process.once('SIGTERM', stop)
  const about = runOf()
  await useProxy(env)
  const reporter = lineReporter(stdout, { now: () => performance.now(), paint: plain })
  try {
    const { signal } = controller
    const here = machine({ pace: 0 })
    const outcome = await run({
      ...here,
      program: 'protium',
      run: about,
      github: undefined,
      elsewhere: undefined,
      releases: undefined,
      fleet: undefined,
      rollouts: undefined,
      ...remotely(command, { run: about, here, signal }),
      reporter,
      show: (shown) => print(textOf(shown)),
      confirm: undefined,
      ask: undefined,
      product: undefined,
      proposals: undefined,
      base: about === undefined ? undefined : baseOf(about),
      by: about?.actor ?? 'unknown',
      signal,
    })
    print(textOf(outcome))
    return outcome
  } finally {
    reporter.end()
    process.off('SIGINT', stop)
    process.off('SIGTERM', stop)
  }
}

/** GitHub, the ledger and the board as a run sees them, with the token that the step was given; nothing without one. */
function remotely(
  command: Command,
  { run, here, signal }: { readonly run: Run | undefined; readonly here: Machine; readonly signal: AbortSignal },
): Partial<Pick<Ports, 'around' | 'github' | 'elsewhere' | 'releases' | 'records' | 'board' | 'fleet' | 'rollouts'>> {
  if (run === undefined) return {}
  const token = stepInputs(command).has(tokenInput) ? core.getInput(tokenInput) : ''
  if (token === '') return { records: async () => readOnly(await fetchedLedger()), board: async () => fetchedOnly }
  const { repository, api } = run
  const { clock, around } = here
  const repositoryName = `${repository.owner}/${repository.name}`
  const teamToken = stepInputs(command).has(teamTokenInput) ? core.getInput(teamTokenInput) : ''
  const seen = teamToken === '' ? {} : { teamToken }
  const fleetToken = stepInputs(command).has(fleetTokenInput) ? core.getInput(fleetTokenInput) : ''
  const options = { repository: repositoryName, token, ...seen, api, clock, signal, random: Math.random }
  return {
    github: async () => (await import('./adapters/github.ts')).gitHub(options),
    releases: async () => (await import('./adapters/github/releases.ts')).releasesOf(options),
    elsewhere: async (other) => {
      const [{ gitHub }, { branchBoard }] = await Promise.all([
        import('./adapters/github.ts'),
        import('./adapters/github/board.ts'),
      ])
      const there = { ...options, repository: other }
      return { github: gitHub(there), board: branchBoard(there) }
    },
    fleet: async () =>
      (await import('./adapters/github/fleet.ts')).fleetOf({
        ...options,
        token: fleetToken === '' ? token : fleetToken,
      }),
    rollouts: async (catalog) =>
      (await import('./adapters/github/fleet/rollouts.ts')).rolloutsOf({ ...options, repository: catalog }),
    around: {
      ...around,
      settings: async () => (await import('./adapters/github/settings.ts')).settingsOf(options),
    },
    ...('contents' in command.permissions && {
      records: async () => {
        const ledger = (await import('./adapters/ledger.ts')).ledgerRecords(options)
        // What was fetched with the files need not be asked for.
        const fetched = await fetchedLedger()
        return {
          append: async (record) => ledger.append(record),
          list: async (unit, more) => (fetched ?? ledger).list(unit, more),
        }
      },
      board: async () => (await import('./adapters/github/board.ts')).branchBoard(options, { fetched: fetchedBoard }),
    }),
  }
}

async function fetchedLedger(): Promise<Pick<Records, 'list'> | undefined> {
  return (await import('./adapters/checkout.ts')).checkoutLedger('.')
}

async function fetchedBoard(): Promise<Board | undefined> {
  return (await import('./adapters/checkout.ts')).checkoutBoard('.')
}

/** A job without a token sees the board, and changes nothing on it. */
const fetchedOnly: BoardHost = {
  read: async () => (await fetchedBoard()) ?? emptyBoard,
  change: async (_, why) => {
    throw new Error(`A job without a token has nothing to change on the board: ${why}`)
  },
}

/** A job without a token may read what was, and adds nothing to it. */
function readOnly(fetched: Pick<Records, 'list'> | undefined): Records {
  return {
    list: async (unit, more) => (fetched === undefined ? [] : fetched.list(unit, more)),
    append: async ({ id }) => {
      throw new Error(`A job without a token has nothing to record: ${id}`)
    },
  }
}

/** What the run is about; nothing where the step runs outside of GitHub, without an event. */
function runOf(): Run | undefined {
  const { GITHUB_EVENT_PATH: path } = env
  if (path === undefined || path === '') return undefined
  const read = existsSync(path)
    ? readRun(env, readFileSync(path, 'utf8'))
    : { ok: false as const, fault: 'There is no such file.' }
  if (read.ok) return read.run
  throw new Refused('event-unreadable', `What GITHUB_EVENT_PATH names cannot be used. ${read.fault}`, {
    remedy: 'Run this as a step of a workflow of GitHub Actions.',
  })
}

/**
 * While something runs whose words are not ours, the runner is told to obey no command but a random one.
 * https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands#stopping-and-starting-workflow-commands
 */
async function quietly<T>(run: () => Promise<T>): Promise<T> {
  const token = randomUUID()
  print(`::stop-commands::${token}`)
  try {
    return await run()
  } finally {
    print(`::${token}::`)
  }
}

function print(text: string): void {
  if (text !== '') stdout.write(text.endsWith('\n') ? text : `${text}\n`)
}

/** What a command says in the end: its result, then its problems with their lines. */
function textOf(outcome: Outcome): string {
  const { problems = [], sources } = outcome
  const told = problemsText(problems, { ...(sources !== undefined && { source: (file) => sources.get(file) }) })
  return [resultOf(outcome), told].filter((part) => part !== '').join('\n\n')
}

function resultOf({ text, exact }: Outcome): string {
  return exact === undefined ? text(plain) : lines(exact)
}

async function finish(command: Command, outcome: Outcome, folder: string): Promise<void> {
  const problems = sorted(distinct(outcome.problems ?? []))
  annotate(problems, folder)
  setOutputs(command, outcome)
  await summarize(pageOf(command, outcome, problems))
  if (outcome.exit === 'done') return
  core.setFailed(failureOf(command, outcome, problems))
  process.exitCode = exits[outcome.exit]
}

/** What the job summary says: the page of the command, and every problem. */
function pageOf({ name }: Command, outcome: Outcome, problems: readonly Problem[]): Markdown {
  const result = resultOf(outcome)
  const page = outcome.page ?? (result === '' ? undefined : fence(result))
  const heading = outcome.page === undefined ? prose`## ${name}: ${outcome.exit}` : undefined
  const points = problems.map(({ at, ...problem }) => {
    const place = at === undefined ? problem.severity : placeText(at)
    return prose`${code(place)} ${problemWords(problem)} ${code(problem.code)}`
  })
  return blocks([heading, page, points.length === 0 ? undefined : bullets(points)])
}

function failureOf({ name }: Command, { exit }: Outcome, problems: readonly Problem[]): string {
  const errors = problems.filter(({ severity }) => severity === 'error').length
  if (exit === 'bad-input') return `${name}: ${count(errors, 'problem')}. Nothing was changed.`
  const words = {
    failed: 'it failed; the log and the job summary say why.',
    'needs-approval': 'held; the log and the job summary say what it waits for, and since when.',
    different: 'a difference was found.',
    unfinished: 'it was stopped; run again, it does what is left.',
    done: 'done.',
  } satisfies Record<Exclude<Outcome['exit'], 'bad-input'>, string>
  return `${name}: ${words[exit]}`
}

/** GitHub shows 50 annotations of a job. */
const mostAnnotations = 50

/** Marks the problems on their lines, errors first. */
function annotate(problems: readonly Problem[], folder: string): void {
  const order = [...problems.filter(isError), ...problems.filter((problem) => !isError(problem))]
  for (const problem of order.slice(0, mostAnnotations)) {
    const { at } = problem
    const tell = isError(problem) ? core.error : core.warning
    tell(shorten(problemWords(problem), mostWords), {
      title: problem.code,
      ...(at !== undefined && { file: shorten(posix.join(folder, at.file), mostWords) }),
      ...(at !== undefined && at.line > 0 && { startLine: at.line, startColumn: at.column }),
    })
  }
  const left = order.length - mostAnnotations
  if (left > 0) core.notice(`${count(left, 'more problem')} of ${order.length}: all of them are in the job summary.`)
}

/** The runner cuts a message at 4,096 characters. */
const mostWords = 4000

function isError({ severity }: Problem): boolean {
  return severity === 'error'
}

/** A job's outputs may take 1 MiB in all, as UTF-16. */
const mostOutput = 200_000

function setOutputs(command: Command, { exit, data }: Outcome): void {
  for (const name of stepOutputs(command).keys()) {
    const value = name === 'exit' ? exit : data[name]
    const text = value === null || value === undefined ? '' : typeof value === 'string' ? value : compactJson(value)
    if (text.length > mostOutput) {
      core.notice(`The output ${name} would be too long, and is left empty.`)
      core.setOutput(name, '')
    } else core.setOutput(name, text)
  }
}

async function summarize(page: Markdown): Promise<void> {
  const rest = prose`The log has all of it.`
  await core.summary.addRaw(cut(page, { ...summaryBudget, rest }).markdown).write()
}

async function refused(command: Command, error: Refused): Promise<void> {
  const message = withoutSecrets(error.message)
  const remedy = withoutSecrets(error.remedy)
  const exit = isOpen(error) ? 'unfinished' : 'failed'
  setOutputs(command, { exit, data: {}, text: () => '' })
  await summarize(blocks([prose`## ${command.name}: refused`, prose`${message}`, prose`${remedy}`]))
  core.setFailed(shorten(`${lines(message)} ${lines(remedy)} [${error.code}]`, mostWords))
  process.exitCode = exits[exit]
}

async function bug(command: Command, error: unknown): Promise<void> {
  const stack = withoutSecrets(error instanceof Error ? (error.stack ?? error.message) : String(error))
  setOutputs(command, { exit: 'failed', data: {}, text: () => '' })
  const what = `This is a bug in Protium ${version()} (Node ${process.version}), not a mistake of yours.`
  await summarize(
    blocks([prose`## ${command.name}: broken`, prose`${what} Please report it with these lines:`, fence(stack)]),
  )
  core.setFailed(shorten(`${what} Please report it with these lines:\n${lines(stack)}`, mostWords))
}
