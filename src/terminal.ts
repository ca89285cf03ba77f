import { join, sep } from 'node:path'
import { createInterface } from 'node:readline/promises'

import type { Command, Exit, Outcome, Ports } from './command.ts'
import { exits, helpText, readArguments } from './command.ts'
import { json, line } from './core/encode.ts'
import { didYouMean } from './core/nearest.ts'
import type { Problem } from './core/problem.ts'
import { isOpen, Refused } from './core/problem.ts'
import type { Paint } from './core/report.ts'
import { colours, count, plain, problemsText, sorted, distinct, table } from './core/report.ts'
import type { Machine } from './machine.ts'
import { machine, version } from './machine.ts'
import type { TerminalReporter } from './progress.ts'
import { lineReporter, liveReporter } from './progress.ts'

/** Each command is loaded when it is called, so that a small one starts at once. In the order in which help lists them. */
export const commands: Readonly<Record<string, () => Promise<Command>>> = {
  start: async () => (await import('./commands/start.ts')).start,
  init: async () => (await import('./commands/init.ts')).init,
  add: async () => (await import('./commands/add.ts')).add,
  validate: async () => (await import('./commands/validate.ts')).validate,
  render: async () => (await import('./commands/render.ts')).render,
  test: async () => (await import('./commands/test.ts')).test,
  plan: async () => (await import('./commands/plan.ts')).plan,
  upgrade: async () => (await import('./commands/upgrade.ts')).upgrade,
  impact: async () => (await import('./commands/impact.ts')).impact,
  consumers: async () => (await import('./commands/consumers.ts')).consumers,
  deploy: async () => (await import('./commands/deploy.ts')).deploy,
  resume: async () => (await import('./commands/resume.ts')).resume,
  rollback: async () => (await import('./commands/rollback.ts')).rollback,
  lock: async () => (await import('./commands/lock.ts')).lock,
  unlock: async () => (await import('./commands/unlock.ts')).unlock,
  cancel: async () => (await import('./commands/cancel.ts')).cancel,
  remove: async () => (await import('./commands/remove.ts')).remove,
  status: async () => (await import('./commands/status.ts')).status,
  compare: async () => (await import('./commands/compare.ts')).compare,
  drift: async () => (await import('./commands/drift.ts')).drift,
  stage: async () => (await import('./commands/stage.ts')).stage,
  version: async () => (await import('./commands/version.ts')).version,
  release: async () => (await import('./commands/release.ts')).release,
  ledger: async () => (await import('./commands/ledger.ts')).ledger,
  workflows: async () => (await import('./commands/workflows.ts')).workflows,
  trust: async () => (await import('./commands/trust.ts')).trust,
  doctor: async () => (await import('./commands/doctor.ts')).doctor,
  explain: async () => (await import('./commands/explain.ts')).explain,
}

/** How this terminal wants to be written to. */
type Manner = {
  readonly json: boolean
  readonly live: boolean
  readonly out: Paint
  readonly err: Paint
  readonly wrap?: number
}

const { stdout, stderr, stdin, env } = process
// A reader that has seen enough closes the pipe (`protium plan | head`); that is not an error of ours.
for (const stream of [stdout, stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
  })
}

/** Runs the command that the words name, prints what came of it, and gives back the exit code. */
export async function main(words: readonly string[]): Promise<number> {
  const manner = mannerOf(words)
  const name = words[0] ?? 'help'
  try {
    return await named(name, { rest: words.slice(1), manner })
  } catch (error) {
    return error instanceof Refused ? refused(name, error, manner) : bug(name, error, manner)
  }
}

async function named(
  name: string,
  { rest, manner }: { readonly rest: readonly string[]; readonly manner: Manner },
): Promise<number> {
  if (name === 'help' || name === '--help' || name === '-h' || name === '--json' || name === '--plain') {
    const topic = rest.find((word) => !word.startsWith('-'))
    return topic === undefined ? overview(manner) : topicHelp(topic, manner)
  }
  if (name === '--version' || name === '-v') {
    print(manner.json ? json({ version: version() }) : version())
    return exits.done
  }
  const load = Object.hasOwn(commands, name) ? commands[name] : undefined
  if (load === undefined) return unknownCommand(name, manner)
  const command = await load()
  const { given, problems } = readArguments(command, rest)
  if (given.has('help')) {
    return help(command, manner)
  }
  const accepted = command.accept(given)
  const mistakes = [...problems, ...(accepted.ok ? [] : accepted.problems)]
  if (mistakes.length > 0 || !accepted.ok)
    return finish(name, { exit: 'bad-input', data: {}, text: () => '', problems: mistakes }, manner)
  return finish(name, await running(accepted.value, { name, manner }), manner)
}

/** Runs a command with the adapters of this machine; Ctrl-C asks it to stop, a second one ends it at once. */
async function running(
  run: (ports: Ports) => Promise<Outcome>,
  { name, manner }: { readonly name: string; readonly manner: Manner },
): Promise<Outcome> {
  const controller = new AbortController()
  const stop = (): void => controller.abort()
  process.once('SIGINT', stop)
  process.once('SIGTERM', stop)
  const reporter = (manner.live ? liveReporter : lineReporter)(stderr, {
    now: () => performance.now(),
    paint: manner.err,
  })
  try {
    return await run(portsOf(reporter, { name, signal: controller.signal, manner }))
  } finally {
    reporter.end()
    process.off('SIGINT', stop)
    process.off('SIGTERM', stop)
  }
}

/** Milliseconds that a unit of the local provisioner’s work takes where somebody watches; elsewhere it does not wait. */
const pace = 2

function portsOf(
  reporter: TerminalReporter,
  { name, signal, manner }: { readonly name: string; readonly signal: AbortSignal; readonly manner: Manner },
): Ports {
  const here = machine({ pace: manner.live ? pace : 0 })
  return {
    program: program(),
    ...here,
    around: aroundOf(here, signal),
    reporter,
    show: (outcome) => void finish(name, outcome, manner),
    confirm: isAttended(manner) ? ask : undefined,
    ask: isAttended(manner) ? async () => (await import('./adapters/prompts.ts')).prompts(stdin, stderr) : undefined,
    product: async () => (await import('./adapters/product.ts')).product(join(import.meta.dirname, '..')),
    ...proposalsOf(here, signal),
    run: undefined,
    github: undefined,
    elsewhere: undefined,
    releases: undefined,
    base: undefined,
    by: env['GITHUB_ACTOR'] ?? env['USER'] ?? env['LOGNAME'] ?? 'unknown',
    signal,
  }
}

/** What is looked at with a token of GitHub, where there is one, and with whatever credentials are found for the accounts. */
function aroundOf({ around, clock }: Machine, signal: AbortSignal): Ports['around'] {
  const token = env['GITHUB_TOKEN'] ?? env['GH_TOKEN'] ?? ''
  const api = env['GITHUB_API_URL'] ?? ''
  const settings: Ports['around']['settings'] = async (repository) => {
    const [{ settingsOf }, { useProxy }] = await Promise.all([
      import('./adapters/github/settings.ts'),
      import('./adapters/proxy.ts'),
    ])
    await useProxy(env)
    return settingsOf({ repository, token, ...(api !== '' && { api }), clock, signal, random: Math.random })
  }
  return {
    ...around,
    settings: token === '' ? undefined : settings,
    account: async (home) => (await import('./adapters/cloudformation/account.ts')).accountOf(home, { clock, signal }),
    access: async () => {
      const [{ accessTemplates, rolesOf }, { compareTrust }] = await Promise.all([
        import('./core/trust.ts'),
        import('./core/trust/compare.ts'),
      ])
      return { files: accessTemplates, roles: rolesOf, compare: compareTrust }
    },
  }
}

/** GitHub for who proposes files to one repository or to all of them; nothing without a token. */
function proposalsOf({ clock }: Machine, signal: AbortSignal): Pick<Ports, 'proposals' | 'fleet' | 'rollouts'> {
  const token = env['GITHUB_TOKEN'] ?? env['GH_TOKEN'] ?? ''
  const api = env['GITHUB_API_URL'] ?? ''
  if (token === '') return { proposals: undefined, fleet: undefined, rollouts: undefined }
  const options = { token, ...(api !== '' && { api }), clock, signal, random: Math.random }
  const withProxy = async <T>(adapter: Promise<T>): Promise<T> => {
    const [loaded, { useProxy }] = await Promise.all([adapter, import('./adapters/proxy.ts')])
    await useProxy(env)
    return loaded
  }
  return {
    proposals: async (repository) =>
      (await withProxy(import('./adapters/github/proposal.ts'))).proposalsOf({ ...options, repository }),
    fleet: async () => (await withProxy(import('./adapters/github/fleet.ts'))).fleetOf(options),
    rollouts: async (repository) =>
      (await withProxy(import('./adapters/github/fleet/rollouts.ts'))).rolloutsOf({ ...options, repository }),
  }
}

function isAttended({ json: isJson }: Manner): boolean {
  return stdin.isTTY && stderr.isTTY && !isJson
}

async function ask(question: string): Promise<boolean> {
  const prompt = createInterface({ input: stdin, output: stderr })
  try {
    return /^y(es)?$/iu.test((await prompt.question(`${question} [y/N] `)).trim())
  } finally {
    prompt.close()
  }
}

function mannerOf(words: readonly string[]): Manner {
  const own = words.includes('--') ? words.slice(0, words.indexOf('--')) : words
  const bare = own.includes('--plain') || own.includes('--json') || env['TERM'] === 'dumb'
  // https://no-color.org: present and not empty.
  const coloured = (stream: NodeJS.WriteStream): boolean => !bare && stream.isTTY && (env['NO_COLOR'] ?? '') === ''
  return {
    json: own.includes('--json'),
    live: stderr.isTTY && !bare && env['CI'] === undefined,
    out: coloured(stdout) ? colours : plain,
    err: coloured(stderr) ? colours : plain,
    ...(stderr.isTTY && !own.includes('--plain') && { wrap: Math.min(stderr.columns, 120) }),
  }
}

/** What a person types to call this program, so that every hint can be copied. */
function program(): string {
  if (env['npm_lifecycle_event'] !== undefined) {
    const [root, caller] = [join(import.meta.dirname, '..'), env['INIT_CWD'] ?? '']
    const isElsewhere = caller !== '' && caller !== root && !caller.startsWith(root + sep)
    return isElsewhere ? `npm --prefix ${root} run protium --` : 'npm run protium --'
  }
  return process.argv[1]?.endsWith('.ts') === true ? 'node src/cli.ts' : 'protium'
}

/** Hints are written with `protium`; here they become what can be copied on this machine. */
function callable(text: string): string {
  return text.replaceAll('`protium ', () => `\`${program()} `)
}

function print(text: string): void {
  if (text !== '') stdout.write(text.endsWith('\n') ? text : `${text}\n`)
}

function say(text: string): void {
  if (text !== '') stderr.write(`${text}\n`)
}

/** Prints how a command ended: the result on standard output, problems and the next step on standard error. */
function finish(name: string, outcome: Outcome, manner: Manner): number {
  const problems = sorted(distinct(outcome.problems ?? []))
  const next = (outcome.next ?? []).map(({ run, why }) => ({ run: `${program()} ${run}`, why }))
  if (manner.json) {
    print(json({ command: name, exit: outcome.exit, ...outcome.data, problems, next }))
    return exits[outcome.exit]
  }
  if (problems.length > 0) {
    const sources = outcome.sources
    say(
      callable(
        problemsText(problems, {
          paint: manner.err,
          ...(sources !== undefined && { source: (file: string) => sources.get(file) }),
          ...(manner.wrap !== undefined && { wrap: manner.wrap }),
        }),
      ),
    )
    // Words that were mistyped are no findings to be counted.
    if (problems.some(({ at }) => at !== undefined)) say(`\n${summary(problems, outcome.exit)}`)
  }
  if (outcome.exact !== undefined) stdout.write(outcome.exact)
  else print(callable(outcome.text(manner.out, stdout.isTTY ? stdout.columns : undefined)))
  const first = problems.find(({ severity, at }) => severity === 'error' && at !== undefined)
  const hints =
    first !== undefined && next.length === 0
      ? [{ run: `${program()} explain ${first.code}`, why: 'what a code means' }]
      : next
  if (hints.length > 0) {
    say(`\n${manner.err.bold('Next')}`)
    say(
      table(
        [{ name: '' }, { name: '' }],
        hints.map(({ run, why }) => [{ text: run, paint: manner.err.accent }, why]),
      ).replaceAll(/^/gmu, '  '),
    )
  }
  return exits[outcome.exit]
}

function summary(problems: readonly Problem[], exit: Exit): string {
  const errors = problems.filter(({ severity }) => severity === 'error').length
  const warnings = problems.length - errors
  const counts = [
    ...(errors > 0 ? [count(errors, 'problem')] : []),
    ...(warnings > 0 ? [count(warnings, 'warning')] : []),
  ]
  return `${counts.join(', ')}.${exit === 'bad-input' ? ' Nothing was changed.' : ''}`
}

function refused(name: string, error: Refused, manner: Manner): number {
  const { code, message, remedy } = error
  // A folder that is not there is a word to be corrected, as a file is; everything else is the world's.
  const exit: Exit = code === 'no-folder' ? 'bad-input' : isOpen(error) ? 'unfinished' : 'failed'
  if (manner.json) print(json({ command: name, exit, refused: { code, message, remedy }, problems: [], next: [] }))
  else say(`${manner.err.bad(manner.err.bold('Refused'))}  ${line(message)} ${callable(line(remedy))} [${line(code)}]`)
  return exits[exit]
}

function bug(name: string, error: unknown, manner: Manner): number {
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error)
  if (manner.json)
    print(json({ command: name, exit: 'failed', bug: stack.split('\n')[0] ?? '', problems: [], next: [] }))
  say(
    `This is a bug in Protium ${version()} (Node ${process.version}), not a mistake of yours. Please report it with these lines:`,
  )
  say(
    stack
      .split('\n')
      .map((each) => `  ${line(each)}`)
      .join('\n'),
  )
  return exits.failed
}

async function overview(manner: Manner): Promise<number> {
  const all = await Promise.all(Object.values(commands).map(async (load) => load()))
  if (manner.json) {
    print(
      json({
        commands: all.map(({ name, summary: what, inputs, outputs }) => ({ name, summary: what, inputs, outputs })),
      }),
    )
    return exits.done
  }
  const rows = all.map(({ name, summary: what }) => [{ text: name, paint: manner.out.accent }, what])
  print(
    [
      'Protium turns a GitHub organisation into its own delivery platform.',
      '',
      `${manner.out.bold('Usage')}  ${program()} <command> [arguments] [options]`,
      '',
      table([{ name: '' }, { name: '' }], rows).replaceAll(/^/gmu, '  '),
      '',
      `Every command knows --json, --plain and --help. Exit codes: ${Object.entries(exits)
        .map(([word, code]) => `${code} ${word}`)
        .join(', ')}.`,
    ].join('\n'),
  )
  return exits.done
}

async function topicHelp(topic: string, manner: Manner): Promise<number> {
  const load = Object.hasOwn(commands, topic) ? commands[topic] : undefined
  if (load === undefined) return unknownCommand(topic, manner)
  return help(await load(), manner)
}

function help(command: Command, manner: Manner): number {
  const { name, summary: what, inputs, outputs } = command
  print(
    manner.json
      ? json({ name, summary: what, inputs, outputs })
      : helpText(command, { paint: manner.out, program: program() }),
  )
  return exits.done
}

function unknownCommand(name: string, manner: Manner): number {
  const message = `There is no command ${JSON.stringify(name)}.${didYouMean(name, Object.keys(commands))}`
  const problems: Problem[] = [
    { code: 'unknown-command', severity: 'error', message, remedy: 'List them: `protium help`.' },
  ]
  return finish(
    name,
    { exit: 'bad-input', data: {}, text: () => '', problems, next: [{ run: 'help', why: 'all commands' }] },
    manner,
  )
}
