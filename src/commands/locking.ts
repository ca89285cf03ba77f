/** What the commands about locks have in common, and what others ask of locks. */
import type { Json, Outcome, Permissions, Ports } from '../command.ts'
import { lines, path, text } from '../command.ts'
import { lockText } from '../core/board-words.ts'
import type { Board, Lock } from '../core/board.ts'
import { emptyBoard, locksOn } from '../core/board.ts'
import type { Catalog } from '../core/catalog.ts'
import { line } from '../core/encode.ts'
import { shorten } from '../core/markdown.ts'
import type { Unit } from '../core/organisation.ts'
import type { Problem } from '../core/problem.ts'
import { Refused } from '../core/problem.ts'
import { withoutSecrets } from '../core/secret.ts'
import type { FileTree } from '../core/tree.ts'
import type { BoardHost } from '../ports.ts'
import { exactUnits, readFolder, stateFolders } from './reading.ts'

export type Result = Outcome<{ readonly locks: Json }>

export const common = {
  units: lines('Units such as checkout/prod, or a service, which is all of its stages.', { positional: true }),
  reason: text('Why, in a sentence. It is shown to whoever is held up by it.', { hint: 'TEXT' }),
  root: path('The folder of the organisation.', { default: '.' }),
  catalog: path('The folder of the catalog, where the services are in a repository of their own.', {}),
  state: path('The folder of the local stacks and records; a relative one lies below the root.', {
    default: '.protium',
  }),
} as const

export const lockPermissions = {
  actions: { access: 'read', why: 'see whether the run that a lock was taken for is over' },
  contents: {
    access: 'write',
    why: 'change the branch `protium-board`, and record on `protium-ledger` whose lock was broken',
  },
} as const satisfies Permissions

/**
 * The runs that locks on a board were taken for and that are over: such a lock holds nothing any more. Only those are asked for
 * that are named; nothing is known of them where there is no GitHub.
 */
export async function overIn({ github }: Ports, { locks }: Board): Promise<ReadonlySet<string>> {
  const runs = new Set(locks.flatMap(({ run }) => run ?? []))
  if (github === undefined || runs.size === 0) return new Set()
  const host = await github()
  const over = await Promise.all(
    [...runs].map(async (id) => {
      const run = await host.run(id)
      return run === undefined || run.isOver ? [id] : []
    }),
  )
  return new Set(over.flat())
}

export function isOver({ run }: Lock, over: ReadonlySet<string>): boolean {
  return run !== undefined && over.has(run)
}

/**
 * What is done by hand to the stacks of units. Throws `Refused` (`lock-held`) where somebody else holds one of them: at GitHub, or on
 * this machine; what lies in an account is looked for on both boards, as git has fetched GitHub's.
 */
export async function checkUnlocked(
  ports: Ports,
  { units, root, records }: { readonly units: readonly Unit[]; readonly root: string; readonly records: string },
): Promise<void> {
  const here = await (await ports.board(records)).read()
  const real = units.filter(({ environment }) => environment.provisioner !== 'local')
  const there = ports.run === undefined && real.length > 0 ? await ports.files.board(root) : undefined
  if (here.locks.length + (there?.locks.length ?? 0) === 0) return
  const now = ports.clock.now()
  const run = ports.run === undefined ? undefined : String(ports.run.id)
  const on = (board: Board, some: readonly Unit[]): readonly Lock[] =>
    some.flatMap(({ id }) => locksOn(board, { unit: id, now }))
  const locks = [...on(here, units), ...(there === undefined ? [] : on(there, real))]
  const others = locks.filter((each) => (each.run === undefined ? each.by !== ports.by : each.run !== run))
  const over = await overIn(ports, { ...here, locks: others })
  const held = others.find((each) => !isOver(each, over))
  if (held === undefined) return
  throw new Refused('lock-held', `Nothing was touched: ${lockText(held, now)}`, {
    remedy: `Wait until it is given back, ask ${line(held.by)} to, or have it broken by who may: \`protium unlock ${held.unit} --reason …\`.`,
  })
}

/**
 * The board of GitHub as git has fetched it, for who works in a terminal: what stands there he changes by the workflow Hold alone.
 * Nothing in a job, which changes the board itself.
 */
export async function boardElsewhere({ run, files }: Ports, root: string): Promise<Board> {
  return run === undefined ? ((await files.board(root)) ?? emptyBoard) : emptyBoard
}

/** How that is done. */
export function byWorkflow(what: 'lock' | 'unlock' | 'cancel', units: readonly string[]): string {
  return units.map((unit) => `\`gh workflow run hold.yml -f what=${what} -f units=${unit}\``).join(', ')
}

// The commands

const longestReason = 300

/** A reason as it is kept: everybody who may read the repository sees it. */
export function kept(reason: string): string {
  return shorten(withoutSecrets(reason.trim()), longestReason)
}

export type Given = {
  readonly units: readonly string[]
  readonly reason: string | undefined
  readonly root: string
  readonly catalog: string | undefined
  readonly state: string
}

export type Scopes =
  | {
      readonly ok: true
      readonly scopes: readonly string[]
      readonly catalog: Catalog
      readonly board: BoardHost
      readonly now: Date
      readonly problems: readonly Problem[]
    }
  | { readonly ok: false; readonly problems: readonly Problem[]; readonly sources?: FileTree }

/** What was named, if it is there, and the board. */
export async function scopesIn(ports: Ports, { units, root, catalog, state }: Given, name: string): Promise<Scopes> {
  const { organisation, sources } = await readFolder(ports, root, { ...(catalog !== undefined && { catalog }) })
  if (!organisation.ok) return { ...organisation, sources }
  const board = await ports.board(stateFolders(root, state).records)
  // What is locked is given back also where no file asks for it any more.
  const boards = name === 'unlock' ? [await board.read(), await boardElsewhere(ports, root)] : []
  const also = boards.flatMap(({ locks }) => locks.map(({ unit }) => unit))
  const chosen = exactUnits(organisation.value, { names: units, command: name, also })
  if (!chosen.ok) return chosen
  return {
    ok: true,
    scopes: [...new Set(units)],
    catalog: organisation.value.catalog,
    board,
    now: ports.clock.now(),
    problems: organisation.problems,
  }
}

export function bad({
  problems,
  sources,
}: {
  readonly problems: readonly Problem[]
  readonly sources?: FileTree
}): Result {
  const found = { problems, ...(sources !== undefined && { sources }) }
  return { exit: 'bad-input', data: { locks: [] }, text: () => '', ...found }
}

export function noReason(name: string, why: string): Problem {
  return {
    code: 'missing-argument',
    severity: 'error',
    message: `${name} needs a reason. ${why}`,
    remedy: `Say it in a sentence: \`--reason "…"\`.`,
  }
}
