import { mkdtempSync, rmSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'
import { folderBoard } from '../../src/adapters/board.ts'
import { localProvisioner } from '../../src/adapters/local.ts'
import { forget } from '../../src/adapters/local/forget.ts'
import { holdFolder } from '../../src/adapters/local/lock.ts'
import { folderRecords } from '../../src/adapters/records.ts'
import type { Command, Outcome, Ports, UnitProgress } from '../../src/command.ts'
import type { Board } from '../../src/core/board.ts'
import type { FetchedLedger } from '../../src/core/ledger.ts'
import type { Problem } from '../../src/core/problem.ts'
import type { ReleaseRecord } from '../../src/core/release/model.ts'
import type { FileTree } from '../../src/core/tree.ts'
import { quickFolder } from '../quick-folder.ts'

/** An organisation that is only a value, with stacks and records in a folder of its own. */
export type World = {
  readonly ports: Ports
  /** What was told while it ran. */
  readonly progress: UnitProgress[]
  readonly written: Map<string, string>
  /** The paths that were removed. */
  readonly removed: readonly string[]
  /** What was shown while it ran. */
  readonly shown: Outcome[]
  readonly folder: string
  readonly end: () => void
}

export function worldOf(
  tree: () => FileTree,
  more: {
    readonly texts?: ReadonlyMap<string, string>
    readonly released?: ReadonlyMap<string, FileTree>
    /** What the fetched ledger says was released. */
    readonly recorded?: readonly ReleaseRecord[]
    readonly commit?: string | (() => string)
    /** The files at a commit. */
    readonly at?: (commit: string) => FileTree | undefined
    readonly ledger?: FetchedLedger
    /** The board as git has fetched it. */
    readonly board?: Board
    readonly isBefore?: boolean
    /** What has changed; then the run is about a change. */
    readonly changed?: readonly string[]
    readonly confirm?: Ports['confirm']
    readonly ask?: Ports['ask']
    readonly product?: Ports['product']
    readonly proposals?: Ports['proposals']
    readonly fleet?: Ports['fleet']
    readonly rollouts?: Ports['rollouts']
    readonly run?: Ports['run']
    readonly github?: Ports['github']
    readonly releases?: Ports['releases']
    readonly around?: Partial<Ports['around']>
    readonly told?: (progress: UnitProgress) => void
    readonly signal?: AbortSignal
    /** What the addresses of services answer; without it, none is asked. */
    readonly probe?: Ports['probe']
    /** The programs that judge templates; without it, none is installed. */
    readonly check?: Ports['check']
    /** What changes while a command watches; each item is one moment. */
    readonly changes?: () => Iterable<void>
  } = {},
): World {
  const folder = mkdtempSync(join(quickFolder(), 'protium-world-'))
  const progress: UnitProgress[] = []
  const shown: Outcome[] = []
  const removed: string[] = []
  const written = new Map<string, string>(more.texts)
  // Each look at the clock is a second later, so that records have an order.
  let now = Date.parse('2026-11-22T12:00:00Z')
  const clock = {
    now: () => new Date((now += 1000)),
    sleep: async () => new Promise<void>((resolve) => void setImmediate(resolve)),
  }
  const ports: Ports = {
    program: 'protium',
    files: {
      tree: async () => ({ tree: tree(), problems: [] }),
      text: async (file) => {
        const text = written.get(file) ?? tree().get(file)
        const problem: Problem = {
          code: 'missing-file',
          severity: 'error',
          message: `no ${file}`,
          remedy: 'Correct the path.',
        }
        return text === undefined ? { ok: false, problems: [problem] } : { ok: true, value: text, problems: [] }
      },
      write: async (_root, files) => {
        for (const [path, text] of files) written.set(path, text)
      },
      writeText: async (file, text) => void written.set(file, text),
      changes: async () =>
        (async function* () {
          yield* more.changes?.() ?? []
        })(),
      remove: async (path) => {
        removed.push(path)
        // What is on no disk is taken out of the texts.
        if (isAbsolute(path)) rmSync(path, { recursive: true, force: true })
        else written.delete(path)
      },
      releases: async () => [...(more.released?.keys() ?? [])],
      released: async (_root, { template, version }) => {
        const files = more.released?.get(`${template}@${version}`)
        return files === undefined ? undefined : { tree: files, problems: [] }
      },
      recorded: async () => ({ releases: more.recorded ?? [], problems: [] }),
      changed: async () => more.changed,
      begun: async (_root, { since }) => since,
      isBefore: async () => more.isBefore,
      at: async (_root, commit) => {
        const files = more.at?.(commit)
        return files === undefined ? undefined : { tree: files, problems: [] }
      },
      commit: async () => (typeof more.commit === 'function' ? more.commit() : more.commit),
      ledger: async () => more.ledger,
      board: async () => more.board,
    },
    provisioner: async ({ folder: stacks, fail }) => localProvisioner({ folder: stacks, fail, clock }),
    records: async (records) => folderRecords(records),
    board: async (records) => folderBoard(records, clock),
    exclusive: async (stacks) => {
      const hold = await holdFolder(stacks, clock)
      return { [Symbol.asyncDispose]: async () => hold.release() }
    },
    forget: async (folders) => forget(folders, clock),
    probe:
      more.probe ??
      (async (url) => {
        throw new Error(`${url} is not to be asked`)
      }),
    check: more.check ?? (async () => ({ is: 'missing' })),
    clock,
    reporter: {
      step: () => {},
      unit: (each) => {
        progress.push(each)
        more.told?.(each)
      },
    },
    show: (outcome) => void shown.push(outcome),
    confirm: more.confirm,
    ask: more.ask,
    product: more.product,
    proposals: more.proposals,
    fleet: more.fleet,
    rollouts: more.rollouts,
    run: more.run,
    github: more.github,
    elsewhere: undefined,
    releases: more.releases,
    around: {
      settings: undefined,
      account: undefined,
      access: undefined,
      nameServers: async (domain) => {
        throw new Error(`${domain} is not to be asked for`)
      },
      version: () => '0.0.0',
      ...more.around,
    },
    base: more.changed === undefined ? undefined : { since: 'before', merge: false },
    by: 'ana',
    signal: more.signal ?? new AbortController().signal,
  }
  return {
    ports,
    progress,
    shown,
    written,
    removed,
    folder,
    end: () => rmSync(folder, { recursive: true, force: true }),
  }
}

/** Runs a command with its inputs as words; the root and the state are those of the world. */
export async function run(
  command: Command,
  world: World,
  given: Readonly<Record<string, readonly string[]>> = {},
): Promise<Outcome> {
  const own =
    'root' in command.inputs ? { root: [world.folder], ...('state' in command.inputs && { state: ['.'] }) } : {}
  const accepted = command.accept(new Map(Object.entries({ ...own, ...given })))
  if (!accepted.ok) throw new Error(accepted.problems.map(({ message }) => message).join(' '))
  return accepted.value(world.ports)
}
