import { parseArgs } from 'node:util'

import type { Board } from './core/board.ts'
import type { Catalog, Credentials } from './core/catalog.ts'
import type { DataMap } from './core/data.ts'
import { line } from './core/encode.ts'
import type { Run } from './core/event.ts'
import type { FetchedLedger } from './core/ledger.ts'
import type { Markdown } from './core/markdown.ts'
import { didYouMean } from './core/nearest.ts'
import type { Checked, Problem } from './core/problem.ts'
import type { ReleaseRecord } from './core/release/model.ts'
import type { Paint } from './core/report.ts'
import { table, plain } from './core/report.ts'
import type { FileTree, Only } from './core/tree.ts'
import type { Role } from './core/trust.ts'
import type { Compared } from './core/trust/compare.ts'
import type {
  AccountHost,
  Ask,
  BoardHost,
  Clock,
  FleetHost,
  GitHost,
  Home,
  NameServers,
  Probe,
  Product,
  ProposalHost,
  Provisioner,
  Records,
  ReleaseHost,
  RolloutsHost,
  SettingsHost,
  TemplateCheck,
} from './ports.ts'

// What a command is handed

/** Everything outside of the program that a command may use. A door chooses the adapters behind it. */
export type Ports = {
  /** What a person types before the name of a command, for the hints: `protium`, `npm run protium --`. */
  readonly program: string
  readonly files: Files
  readonly provisioner: (options: ProvisionerOptions) => Promise<Provisioner>
  readonly records: (folder: string) => Promise<Records>
  /** The promotions that wait, and the locks; on a machine, those of the same folder of records. */
  readonly board: (records: string) => Promise<BoardHost>
  /**
   * Holds the local stacks in a folder for the whole of a run that changes them: `await using`. Throws `Refused` while
   * another run works on them (`state-locked`), and has changed nothing then.
   */
  readonly exclusive: (stacks: string) => Promise<AsyncDisposable>
  /**
   * Forgets all local stacks and records. Throws `Refused` while another run works on them (`state-locked`), and where the
   * folders hold something that is not Protium's (`path-taken`).
   */
  readonly forget: (folders: { readonly stacks: string; readonly records: string }) => Promise<void>
  /** Asks the address of a service whether it is healthy. */
  readonly probe: Probe
  /** Has a program on this machine judge templates; for commands that need no rights alone. */
  readonly check: TemplateCheck
  readonly clock: Clock
  readonly reporter: Reporter
  /** Shows an outcome while the command goes on. */
  readonly show: (outcome: Outcome) => void
  /** Asks a person; undefined where nobody can be asked. */
  readonly confirm: ((question: string) => Promise<boolean>) | undefined
  /** Asks for what a command needs to know; loaded when it is asked, and undefined where nobody can be. */
  readonly ask: (() => Promise<Ask>) | undefined
  /** This copy of Protium, where it is one that catalogs are made from: not in a job. */
  readonly product: (() => Promise<Product>) | undefined
  /** Another repository on GitHub, to propose files to; undefined where there is no token. */
  readonly proposals: ((repository: string) => Promise<ProposalHost>) | undefined
  /** All repositories that the token reaches; undefined where there is none. */
  readonly fleet: (() => Promise<FleetHost>) | undefined
  /** What is remembered of rollouts, in the repository of the catalog. */
  readonly rollouts: ((repository: string) => Promise<RolloutsHost>) | undefined
  /** The run of a workflow that this is a step of; nothing in a terminal. */
  readonly run: Run | undefined
  /** The repository of that run on GitHub, if the step was given a token; loaded when it is asked for. */
  readonly github: (() => Promise<GitHost>) | undefined
  /** Another repository on GitHub with its board, as far as the token of the step reaches. */
  readonly elsewhere:
    | ((repository: string) => Promise<{ readonly github: GitHost; readonly board: BoardHost }>)
    | undefined
  /** The releases of the repository of that run, if the step was given a token. */
  readonly releases: (() => Promise<ReleaseHost>) | undefined
  /** How everything around the catalog is set up, for who looks at that. */
  readonly around: Around
  /** What a change is compared with, where the run is about one. */
  readonly base: Base | undefined
  /** Who runs this, for the records. */
  readonly by: string
  readonly signal: AbortSignal
}

/** What a doctor looks at, and no other command does; `undefined` where there is no way to look. Nothing of it changes anything. */
export type Around = {
  /** GitHub, as far as a token may see it; the repository is the one that is looked at first. */
  readonly settings: ((repository: string) => Promise<SettingsHost>) | undefined
  readonly account: ((home: Home) => Promise<AccountHost>) | undefined
  /** What catalog.yaml makes of the accounts. */
  readonly access: (() => Promise<Access>) | undefined
  readonly nameServers: NameServers
  /** The number of this version. */
  readonly version: () => string
}

/** The files that set up the accounts, the roles in them, and who may take one there beside who should. */
export type Access = {
  readonly files: (catalog: Catalog) => FileTree
  readonly roles: (catalog: Catalog) => readonly Role[]
  readonly compare: (found: DataMap, role: Role) => Compared
}

/** Directories, commits and single files as values. Relative paths are relative to the folder that the door runs in. */
export interface Files {
  /** The text files below a folder; what cannot be read (links, too long, not UTF-8) is among the problems. */
  readonly tree: (
    root: string,
    only?: Only,
    options?: ReadOptions,
  ) => Promise<{ readonly tree: FileTree; readonly problems: readonly Problem[] }>
  readonly text: (file: string, options?: ReadOptions) => Promise<Checked<string>>
  readonly write: (root: string, tree: FileTree) => Promise<void>
  readonly writeText: (file: string, text: string) => Promise<void>
  /** Removes a folder or a file that Protium made. */
  readonly remove: (path: string) => Promise<void>
  /**
   * Watches files and folders from now on: comes whenever something in them has changed and has been quiet for a moment, and
   * ends with the signal.
   */
  readonly changes: (paths: readonly string[], signal: AbortSignal) => Promise<AsyncIterable<void>>
  /**
   * The versions that were released of each template: git tags `<template>@<version>`. Empty outside of git. Whoever may push can
   * make a tag of anything; `merged` are those that the checked-out commit has behind it.
   */
  readonly releases: (root: string, options?: { readonly merged?: boolean }) => Promise<readonly string[]>
  /**
   * One released bundle, relative to its root; undefined if the tag or the bundle in it is missing. If it is another than the
   * fetched ledger says was released, that is among the problems (`release-changed`), and it is not to be used. With a commit, it
   * is read from there instead of from the tag that this clone has.
   */
  readonly released: (
    root: string,
    release: { readonly template: string; readonly version: string; readonly commit?: string },
  ) => Promise<{ readonly tree: FileTree; readonly problems: readonly Problem[] } | undefined>
  /** What was released, as the ledger says that git has fetched; nothing where it has not. */
  readonly recorded: (
    root: string,
  ) => Promise<{ readonly releases: readonly ReleaseRecord[]; readonly problems: readonly Problem[] }>
  /**
   * The files below a folder that a change is about, by paths relative to it; undefined where that cannot be told, because
   * there is no git or the clone does not reach back so far.
   */
  readonly changed: (root: string, base: Base) => Promise<readonly string[] | undefined>
  /** The commit that a change began with, by a branch, a tag or a commit; undefined where the clone does not have it. */
  readonly begun: (root: string, base: Base) => Promise<string | undefined>
  /** Whether a commit came before another; undefined where the clone does not have both. */
  readonly isBefore: (
    root: string,
    commits: { readonly older: string; readonly newer: string },
  ) => Promise<boolean | undefined>
  /** The organisation's files as they were at a commit; undefined where the clone does not have it. */
  readonly at: (
    root: string,
    commit: string,
  ) => Promise<{ readonly tree: FileTree; readonly problems: readonly Problem[] } | undefined>
  /** The ledger as git has fetched it; undefined where it has not, or there is none. */
  readonly ledger: (root: string) => Promise<FetchedLedger | undefined>
  /** The board as git has fetched it; undefined where it has not, or there is none. Throws `Refused` (`board-format`). */
  readonly board: (root: string) => Promise<Board | undefined>
  /** The commit that is checked out, if the folder is in git. */
  readonly commit: (root: string) => Promise<string | undefined>
}

/** `own`: Protium wrote it itself for a later job, and it may be longer than what people write. */
export type ReadOptions = { readonly own?: boolean }

/** The commit before a change. With `merge`, what is checked out is the merge of a pull request, and the change is its. */
export type Base = { readonly since: string; readonly merge: boolean }

export type ProvisionerOptions = {
  /** What an environment's file says: `local`, `cloudformation`. */
  readonly name: string
  /** The folder that the local provisioner keeps its stacks in. */
  readonly folder: string
  /** Resources that shall fail, for a rehearsal: `<stack>/<logical id>`. */
  readonly fail: readonly string[]
  /** Who to be in the account; without it, what the process finds around it. */
  readonly credentials?: Credentials
  /** The bucket for templates that are too large for a request. */
  readonly templateBucket?: string
}

/** How a command tells what it is doing, while it does it. A door decides how that is shown. */
export interface Reporter {
  /** A step that ended, with what came of it. */
  readonly step: (title: string, detail: string) => void
  /** A unit moved on. `deploying` may be told many times, every other state ends a unit's part. */
  readonly unit: (progress: UnitProgress) => void
}

export type UnitProgress = {
  /** Rows and columns of the table: the service (or `environment`) and the stage. */
  readonly row: string
  readonly column: string
  readonly unit: string
  readonly is: UnitOutcome | 'waiting' | 'deploying'
  readonly detail: string
  /** Resources that are done, and how many there are. */
  readonly done?: number
  readonly of?: number
}

export type UnitOutcome = 'deployed' | 'unchanged' | 'failed' | 'skipped' | 'held'

// What a command gives back

export const exits = {
  done: 0,
  failed: 1,
  'bad-input': 2,
  'needs-approval': 3,
  different: 4,
  unfinished: 5,
} as const satisfies Record<string, number>

/** How a command ended, in one word; the number is the exit code. */
export type Exit = keyof typeof exits

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json | undefined }

export type Outcome<Data = Readonly<Record<string, Json>>> = {
  readonly exit: Exit
  /** The result as data: what `--json` prints, and an action's outputs. */
  readonly data: Data
  /** The result for people; goes to standard output, of as many columns where it is a terminal. Encoded already. */
  readonly text: (paint: Paint, columns?: number) => string
  /** Goes to standard output as it is, instead of `text`: a rendering that is asked for by itself. */
  readonly exact?: string
  readonly problems?: readonly Problem[]
  /** The texts of files that problems lie in, for the excerpts. */
  readonly sources?: FileTree
  /** The result for a page, such as the summary of a job; without it, the text is shown there. */
  readonly page?: Markdown
  /** What to do next: commands without the program's name, and why. */
  readonly next?: readonly { readonly run: string; readonly why: string }[]
}

// The declaration of a command

type Common = { readonly summary: string }
type Positional = { readonly positional?: true }
export type Input = Common &
  (
    | ({
        readonly kind: 'text' | 'path'
        readonly default?: string
        readonly required?: true
        readonly hint?: string
      } & Positional)
    | ({ readonly kind: 'lines'; readonly hint?: string } & Positional)
    | { readonly kind: 'number'; readonly default?: number; readonly required?: true; readonly hint?: string }
    | { readonly kind: 'flag' }
  )

/** What a command needs to be allowed on GitHub, by the scopes of a job's token, and why. */
export type Permissions = Readonly<Record<string, { readonly access: 'read' | 'write'; readonly why: string }>>

export type Inputs = Readonly<Record<string, Input>>
export type Outputs = Readonly<Record<string, string>>

type Sure = { readonly default: string | number } | { readonly required: true }
type ValueOf<I extends Input> = I['kind'] extends 'flag'
  ? boolean
  : I['kind'] extends 'lines'
    ? readonly string[]
    : (I['kind'] extends 'number' ? number : string) | (I extends Sure ? never : undefined)

/** The values of a command's inputs, with types that follow from the declaration. */
export type Values<I extends Inputs> = { readonly [Name in keyof I]: ValueOf<I[Name]> }

type Options = {
  readonly default?: string
  readonly required?: true
  readonly positional?: true
  readonly hint?: string
}

/** One word or sentence. */
export function text<const O extends Options>(
  summary: string,
  options: O,
): { readonly kind: 'text'; readonly summary: string } & O {
  return { kind: 'text', summary, ...options }
}

/** A file or folder. */
export function path<const O extends Options>(
  summary: string,
  options: O,
): { readonly kind: 'path'; readonly summary: string } & O {
  return { kind: 'path', summary, ...options }
}

/** Any number of words: an option that may be repeated, or all remaining arguments. */
export function lines<const O extends { readonly positional?: true; readonly hint?: string }>(
  summary: string,
  options: O,
): { readonly kind: 'lines'; readonly summary: string } & O {
  return { kind: 'lines', summary, ...options }
}

/** A number of at least zero, in digits. */
export function number<const O extends { readonly default?: number; readonly required?: true; readonly hint?: string }>(
  summary: string,
  options: O,
): { readonly kind: 'number'; readonly summary: string } & O {
  return { kind: 'number', summary, ...options }
}

/** Something that is on or off. */
export function flag(summary: string): { readonly kind: 'flag'; readonly summary: string } {
  return { kind: 'flag', summary }
}

/** What was typed, before it is understood: each input's name with the words given to it. */
export type Given = ReadonlyMap<string, readonly string[]>

/** A command as a door sees it. */
export type Command = {
  readonly name: string
  readonly summary: string
  readonly inputs: Inputs
  readonly outputs: Outputs
  readonly permissions: Permissions
  /** It asks who is in a team of the catalog's, which the token of a job may not see. */
  readonly asksTeams: boolean
  /** It reads or writes repositories of services, which the token of a job may not. */
  readonly asksFleet: boolean
  /** Reads what was typed; the result runs the command. Nothing happens before that. */
  readonly accept: (given: Given) => Checked<(ports: Ports) => Promise<Outcome>>
}

/**
 * Declares a command once. The types of `values`, the flags and help of the terminal, and the tables of the README come
 * from the declaration.
 */
export function command<const I extends Inputs, const O extends Outputs>(declaration: {
  readonly name: string
  readonly summary: string
  readonly inputs: I
  readonly outputs: O
  /** Only of a command that speaks to GitHub. */
  readonly permissions?: Permissions
  readonly asksTeams?: true
  readonly asksFleet?: true
  readonly run: (ports: Ports, values: Values<I>) => Promise<Outcome<Readonly<Record<keyof O, Json>>>>
}): Command {
  const { name, summary, inputs, outputs, permissions = {}, asksTeams = false, asksFleet = false, run } = declaration
  return {
    name,
    summary,
    inputs,
    outputs,
    permissions,
    asksTeams,
    asksFleet,
    accept(given) {
      const problems: Problem[] = []
      const values: Record<string, unknown> = {}
      for (const [inputName, input] of Object.entries(inputs)) {
        const read = readInput({ name: inputName, input, words: given.get(inputName) ?? [], command: name })
        if (read.ok) values[inputName] = read.value
        else problems.push(...read.problems)
      }
      if (problems.length > 0 || !complete(values, inputs)) return { ok: false, problems }
      return { ok: true, value: (ports) => run(ports, values), problems: [] }
    },
  }
}

/** Every declared input was read; `readInput` gave each the type of its kind. */
function complete<I extends Inputs>(values: object, inputs: I): values is Values<I> {
  return Object.keys(inputs).every((name) => name in values)
}

function readInput(options: {
  readonly name: string
  readonly input: Input
  readonly words: readonly string[]
  readonly command: string
}): Checked<boolean | number | string | readonly string[] | undefined> {
  const { name, input, words, command: of } = options
  const shown = 'positional' in input && input.positional ? `<${name}>` : `--${name}`
  const mistake = (code: 'option-value' | 'missing-argument', message: string): Checked<never> => ({
    ok: false,
    problems: [{ code, severity: 'error', message, remedy: `See \`protium help ${of}\`.` }],
  })
  if (input.kind === 'lines') return { ok: true, value: words, problems: [] }
  if (input.kind === 'flag') return { ok: true, value: words.length > 0, problems: [] }
  if (words.length > 1) return mistake('option-value', `${shown} is given ${words.length} times; it takes one value.`)
  const word = words[0]
  if (word === undefined) {
    if (input.required === true) return mistake('missing-argument', `${of} needs ${shown}: ${lower(input.summary)}`)
    return { ok: true, value: input.default, problems: [] }
  }
  if (word === '') return mistake('option-value', `${shown} is empty.`)
  if (input.kind !== 'number') return { ok: true, value: word, problems: [] }
  if (!/^[0-9]+(\.[0-9]+)?$/u.test(word))
    return mistake('option-value', `${shown} is a number; this is ${JSON.stringify(word)}.`)
  return { ok: true, value: Number(word), problems: [] }
}

function lower(sentence: string): string {
  return sentence.charAt(0).toLowerCase() + sentence.slice(1)
}

// The terminal's view of it

/** Options that every command has. */
export const globalInputs = {
  json: flag('Print the result as one JSON document.'),
  plain: flag('No colours and no redrawing, as when the output is not a terminal.'),
  help: flag('Show what the command does and its options.'),
} as const satisfies Inputs

/** Reads the words after the command's name. All mistakes are reported at once; an unknown option is never ignored. */
export function readArguments(
  { name, inputs }: Pick<Command, 'name' | 'inputs'>,
  words: readonly string[],
): { readonly given: Given; readonly problems: readonly Problem[] } {
  const all: Inputs = { ...inputs, ...globalInputs }
  const named = Object.entries(all).filter(([, input]) => !isPositional(input))
  const positional = Object.entries(all).filter(([, input]) => isPositional(input))
  const { tokens } = parseArgs({
    args: [...words],
    options: Object.fromEntries(
      named.map(([option, input]) => [
        option,
        { type: input.kind === 'flag' ? ('boolean' as const) : ('string' as const) },
      ]),
    ),
    strict: false,
    allowPositionals: true,
    tokens: true,
  })
  const given = new Map<string, string[]>()
  const problems: Problem[] = []
  const add = (to: string, word: string): void => void given.set(to, [...(given.get(to) ?? []), word])
  const mistake = (code: 'unknown-option' | 'option-value' | 'unexpected-argument', message: string): void =>
    void problems.push({ code, severity: 'error', message, remedy: `See \`protium help ${name}\`.` })
  let place = 0
  for (const token of tokens) {
    if (token.kind === 'option') {
      const input = named.find(([option]) => option === token.name)?.[1]
      if (input === undefined) {
        const near = didYouMean(
          `--${token.name}`,
          named.map(([option]) => `--${option}`),
        )
        mistake('unknown-option', `${name} has no option ${line(token.rawName)}.${near}`)
      } else if (input.kind === 'flag') {
        if (token.value === undefined) add(token.name, 'true')
        else mistake('option-value', `--${token.name} takes no value.`)
      } else if (token.value === undefined || (!token.inlineValue && token.value.startsWith('--'))) {
        mistake('option-value', `--${token.name} needs a value after it.`)
      } else {
        add(token.name, token.value)
      }
    } else if (token.kind === 'positional') {
      const slot = positional[Math.min(place, positional.length - 1)]
      if (slot === undefined || (place >= positional.length && slot[1].kind !== 'lines')) {
        mistake('unexpected-argument', `${name} does not know what to do with ${JSON.stringify(token.value)}.`)
      } else {
        add(slot[0], token.value)
        place += 1
      }
    }
  }
  return { given, problems }
}

function isPositional(input: Input): boolean {
  return 'positional' in input && input.positional
}

/** What `protium help <command>` prints. */
export function helpText(
  { name, summary, inputs }: Pick<Command, 'name' | 'summary' | 'inputs'>,
  { paint = plain, program = 'protium' }: { readonly paint?: Paint; readonly program?: string } = {},
): string {
  const all = Object.entries<Input>({ ...inputs, ...globalInputs })
  const positional = all.filter(([, input]) => isPositional(input))
  const named = all.filter(([, input]) => !isPositional(input))
  const usage = [program, name, ...positional.map(([each, input]) => usageOf(each, input)), '[options]'].join(' ')
  const rows = (entries: readonly [string, Input][]): string =>
    indent(
      table(
        [{ name: '' }, { name: '' }],
        entries.map(([each, input]) => [{ text: flagOf(each, input), paint: paint.accent }, describe(input)]),
      ),
    )
  return [
    summary,
    '',
    `${paint.bold('Usage')}  ${usage}`,
    ...(positional.length === 0 ? [] : ['', paint.bold('Arguments'), rows(positional)]),
    '',
    paint.bold('Options'),
    rows(named),
  ].join('\n')
}

/** `checkout…`, `--stage NAME`, as help and the README's table show it. */
export function flagOf(name: string, input: Input): string {
  if (isPositional(input)) return `<${name}>`
  return input.kind === 'flag'
    ? `--${name}`
    : `--${name} ${input.hint ?? (input.kind === 'path' ? 'PATH' : input.kind === 'number' ? 'N' : 'NAME')}`
}

/** `<service>`, `[<services> …]`: an argument in the line that shows how a command is called. */
export function usageOf(name: string, input: Input): string {
  if (input.kind === 'lines') return `[<${name}> …]`
  return 'required' in input && input.required ? `<${name}>` : `[<${name}>]`
}

function describe(input: Input): string {
  if (input.kind === 'lines' && !isPositional(input)) return `${input.summary} May be repeated.`
  const fallback = 'default' in input ? input.default : undefined
  return fallback === undefined ? input.summary : `${input.summary} Default: ${fallback}`
}

function indent(block: string): string {
  return block.replaceAll(/^(?=.)/gmu, '  ')
}
