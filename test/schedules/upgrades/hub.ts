import { digest } from '../../../src/core/canonical.ts'
import { sha256 } from '../../../src/core/sha256.ts'
import type { FileTree } from '../../../src/core/tree.ts'
import { readMarker } from '../../../src/core/upgrade/metadata.ts'
import type {
  BranchSeen,
  FilesSeen,
  FleetRepository,
  FleetWrite,
  FleetWritten,
  OutcomeSeen,
  PullSeen,
  RepositorySeen,
} from '../../../src/core/upgrade/seen.ts'
import type { FleetHost, Pace, RolloutsHost } from '../../../src/ports.ts'
import type { Actor, Turns } from '../turns.ts'

/**
 * GitHub as far as a fleet's port promises it: branches that move only from where they are said to be, one open pull request of a branch,
 * a branch that is known a moment later than it was moved, and a limiter that says no. Each request is one turn.
 */

export type Commit = {
  readonly id: string
  readonly files: FileTree
  readonly message: string
  /** `us`, or who made it. */
  readonly by: string
  readonly parents: readonly Commit[]
  /** The commit of the main branch that its branch begins at. */
  readonly base: Commit | undefined
}

export type Pull = {
  readonly number: number
  readonly branch: string
  readonly by: string
  head: Commit
  state: 'open' | 'closed' | 'merged'
  title: string
  body: string
  isDraft: boolean
  isApproved: boolean
  isAutomerging: boolean
  checks: 'success' | 'failure' | undefined
  readonly created: number
  ended: number | undefined
  closedBy: string | undefined
  merged: string | undefined
  /** What it offered when it was closed, whatever somebody writes into it. */
  offered: string
}

export type Repository = {
  readonly number: number
  readonly name: string
  main: Commit
  readonly branches: Map<string, Commit>
  readonly pulls: Pull[]
  isArchived: boolean
}

/** What is told of, for who checks that nothing is lost and nobody asked twice. */
export type Told =
  | {
      readonly is: 'moved'
      readonly repository: Repository
      readonly branch: string
      readonly before: Commit | undefined
      readonly after: Commit | undefined
    }
  | { readonly is: 'created'; readonly repository: Repository; readonly pull: Pull }

export class Hub {
  readonly repositories = new Map<string, Repository>()
  readonly turns: Turns
  readonly told: (what: Told) => void
  /** How many more creations are refused as too much. */
  noes = 0
  /** How many more creations come before GitHub knows of the branch. */
  lag = 0
  /** Whether a branch is moved only from where it is said to be. */
  compares = true
  files: FileTree = new Map()
  at = 0
  writes = 0
  readonly issues: { number: number; marker: string; body: string }[] = []
  #commits = 0

  constructor(turns: Turns, told: (what: Told) => void) {
    this.turns = turns
    this.told = told
  }

  add(name: string, files: FileTree): Repository {
    const number = this.repositories.size + 1
    const main = this.commit({ files, message: 'Begin', by: 'ada', parents: [], base: undefined })
    const made: Repository = { number, name: `acme/${name}`, main, branches: new Map(), pulls: [], isArchived: false }
    this.repositories.set(made.name, made)
    return made
  }

  commit(given: Omit<Commit, 'id'>): Commit {
    this.#commits += 1
    return { ...given, id: sha256(`commit ${this.#commits}`).slice(0, 40) }
  }

  // What people do

  push(repository: Repository, branch: string, { by, files }: { readonly by: string; readonly files: FileTree }): void {
    const head = repository.branches.get(branch)
    if (head === undefined) return
    const next = this.commit({
      files: merged(head.files, files),
      message: 'Work on it',
      by,
      parents: [head],
      base: head.base,
    })
    this.#put(repository, branch, next)
  }

  /** As `Update branch` does. */
  update(repository: Repository, branch: string, by: string): void {
    const head = repository.branches.get(branch)
    if (head === undefined || head.base === repository.main) return
    const files = together(head, repository.main)
    if (files === undefined) return
    const parents = [head, repository.main]
    this.#put(repository, branch, this.commit({ files, message: 'Merge main', by, parents, base: repository.main }))
  }

  pushMain(repository: Repository, files: FileTree, by = 'ada'): void {
    const { main } = repository
    repository.main = this.commit({
      files: merged(main.files, files),
      message: 'Change',
      by,
      parents: [main],
      base: undefined,
    })
  }

  close(pull: Pull, by: string): void {
    if (pull.state !== 'open') return
    pull.state = 'closed'
    pull.closedBy = by
    pull.ended = this.turns.now()
  }

  reopen(repository: Repository, pull: Pull): void {
    const isFree = !repository.pulls.some(({ branch, state }) => branch === pull.branch && state === 'open')
    const head = repository.branches.get(pull.branch)
    if (pull.state !== 'closed' || !isFree || head === undefined || head.id !== pull.head.id) return
    pull.state = 'open'
    // What was written into it while it was closed holds from now on.
    pull.offered = readMarker(pull.body)?.to ?? pull.offered
    pull.closedBy = undefined
    pull.ended = undefined
  }

  merge(repository: Repository, pull: Pull): void {
    if (pull.state !== 'open' || pull.isDraft) return
    const files = together(pull.head, repository.main)
    if (files === undefined) return
    repository.main = this.commit({
      files,
      message: `Merge #${pull.number}`,
      by: 'ada',
      parents: [repository.main, pull.head],
      base: undefined,
    })
    pull.state = 'merged'
    pull.ended = this.turns.now()
    pull.merged = repository.main.id
  }

  /** Deletes a branch, which closes what is open from it. */
  remove(repository: Repository, branch: string, by: string): void {
    if (!repository.branches.delete(branch)) return
    for (const pull of repository.pulls) if (pull.branch === branch) this.close(pull, by)
  }

  #put(repository: Repository, branch: string, commit: Commit): void {
    repository.branches.set(branch, commit)
    for (const pull of repository.pulls) {
      if (pull.branch !== branch || pull.state !== 'open') continue
      pull.head = commit
      pull.checks = undefined
      pull.isApproved = false
      // GitHub has no use for one that changes nothing, and it can never be opened again.
      if (commit.id === repository.main.id) this.close(pull, 'github')
    }
  }

  // What the port does

  fleetFor(actor: Actor): FleetHost {
    const ask = async <T>(effect: () => T): Promise<T> => this.turns.ask(actor, effect)
    const found = (): readonly FleetRepository[] => [...this.repositories.values()].map(repositoryOf)
    return {
      repositories: async (where) =>
        ask(() => (where.by === 'name' ? found().filter(({ name }) => where.names.includes(name)) : found())),
      // Nobody asks for files alone.
      files: (repositories) => told(async () => repositories.map((repository) => ({ is: 'gone', repository }))),
      read: (repositories, { paths, prefix }) =>
        told(async () =>
          ask(() =>
            repositories.map((each) => this.#seen(each, { paths, branches: prefix, file: undefined, isClose: false })),
          ),
        ),
      look: (wanted) =>
        told(async () => ask(() => wanted.map((each) => this.#seen(each.repository, { ...each, isClose: true })))),
      outcomes: async (wanted) =>
        ask(() =>
          wanted.flatMap(({ repository, number }): OutcomeSeen[] => {
            const own = this.repositories.get(repository.name)
            const pull = own?.pulls.find((each) => each.number === number)
            return own === undefined || pull === undefined
              ? []
              : [{ repository, pull: pullOf(own, pull, { isClose: true }), deployments: deploymentsOf(pull) }]
          }),
        ),
      write: (wanted, pace) => this.#write(ask, wanted, pace),
    }
  }

  #seen(
    repository: FleetRepository,
    {
      paths,
      branches,
      file,
      isClose,
    }: {
      readonly paths: readonly string[]
      readonly branches: string | readonly string[]
      readonly file: string | undefined
      readonly isClose: boolean
    },
  ): RepositorySeen {
    const own = this.repositories.get(repository.name)
    if (own === undefined) return { is: 'gone', repository }
    if (own.isArchived) return { is: 'unusable', repository: repositoryOf(own), why: 'archived' }
    const isWanted = (name: string): boolean =>
      typeof branches === 'string' ? name.startsWith(branches) : branches.includes(name)
    const there = [...own.branches].filter(([name]) => isWanted(name))
    const gone = typeof branches === 'string' ? [] : branches.filter((name) => !own.branches.has(name))
    return {
      is: 'read',
      repository: repositoryOf(own),
      base: { branch: 'main', commit: own.main.id, tree: treeOf(own.main) },
      mayWrite: true,
      mayAutomerge: false,
      files: filesOf(own.main.files, paths),
      branches: there.map(([name, head]) => branchOf(own, name, { head, file, isClose })),
      pulls: gone.flatMap((name) => pullsOf(own, name, isClose)),
    }
  }

  async *#write(
    ask: <T>(effect: () => T) => Promise<T>,
    wanted: Iterable<FleetWrite> | AsyncIterable<FleetWrite>,
    pace: Pace,
  ): AsyncGenerator<FleetWritten> {
    let follow: (() => FleetWritten | 'again' | 'no')[] = []
    const told: FleetWritten[] = []
    let isStopped = false
    const document = async (step: () => FleetWritten | undefined): Promise<void> => {
      const sent = follow
      follow = []
      const ends = await ask(() => [step(), ...sent.map((each) => each())])
      for (const [index, end] of ends.entries()) {
        const one = sent[index - 1]
        if (end === undefined) continue
        if (end === 'again' || end === 'no') {
          if (one !== undefined) follow = [...follow, one]
          if (end === 'no') isStopped = pace.rejected(undefined).is === 'stop' || isStopped
        } else {
          if (end.is === 'opened') pace.created()
          told.push(end)
        }
      }
    }
    for await (const write of wanted) {
      const isContent = write.is === 'open' || write.is === 'reopen'
      for (;;) {
        const turn = pace.next(isContent ? 'content' : 'other', 0)
        if (turn.is === 'stop') isStopped = true
        if (turn.is !== 'wait') break
        await ask(() => this.turns.pass(turn.milliseconds))
      }
      if (isStopped) told.push({ key: write.key, is: 'left', why: 'It is too much.' })
      else await document(() => this.#begin(write, (next) => void follow.push(next)))
      yield* told.splice(0)
    }
    for (let tries = 0; follow.length > 0 && tries < 4 && !isStopped; tries += 1) await document(() => undefined)
    yield* told.splice(0)
  }

  /** The first request of a write, and what follows with the next. Nothing while it is not known how it ends. */
  #begin(write: FleetWrite, follow: (next: () => FleetWritten | 'again' | 'no') => void): FleetWritten | undefined {
    this.writes += 1
    const { key } = write
    const repository = this.repositories.get(write.repository.name)
    if (repository === undefined || repository.isArchived)
      return { key, is: 'refused', why: 'archived', words: 'It is archived.' }
    switch (write.is) {
      case 'open':
      case 'forward': {
        const files = merged(this.#baseOf(repository, write.base.commit).files, write.files, write.deleted)
        const base = this.#baseOf(repository, write.base.commit)
        if (same(files, base.files)) return { key, is: 'refused', why: 'invalid', words: 'Nothing changes.' }
        const commit = this.commit({ files, message: write.message, by: 'us', parents: [base], base })
        if (!this.#move(repository, write.branch, { before: write.before, after: commit })) return { key, is: 'moved' }
        if (write.is === 'open') {
          const { title, body, isDraft, branch } = write
          follow(() => this.#create(repository, { key, branch, head: commit, title, body: body(commit.id), isDraft }))
        } else {
          follow(() => {
            this.#edit(repository, write.pull, { title: write.title, body: write.body(commit.id), draft: write.draft })
            return { key, is: 'done', head: commit.id }
          })
        }
        return undefined
      }
      case 'reopen': {
        const head = repository.branches.get(write.branch)
        if (head === undefined) return { key, is: 'refused', why: 'invalid', words: 'There is no such branch.' }
        const { title, body, isDraft, branch } = write
        const end = this.#create(repository, { key, branch, head, title, body, isDraft })
        if (end === 'again' || end === 'no') return { key, is: 'left', why: 'GitHub takes no more for now.' }
        return end
      }
      case 'edit':
        this.#edit(repository, write.pull, write)
        return { key, is: 'done' }
      case 'close': {
        const pull = repository.pulls.find(({ number }) => idOf(repository, number) === write.pull)
        this.#edit(repository, write.pull, write)
        if (pull !== undefined) this.close(pull, 'us')
        if (write.branch === undefined || write.before === undefined) return { key, is: 'done' }
        return this.#move(repository, write.branch, { before: write.before, after: undefined })
          ? { key, is: 'done' }
          : { key, is: 'moved' }
      }
      case 'delete':
        return this.#move(repository, write.branch, { before: write.before, after: undefined })
          ? { key, is: 'done' }
          : { key, is: 'moved' }
      case 'append': {
        const head = repository.branches.get(write.branch)
        if (head === undefined || head.id !== write.before) return { key, is: 'moved' }
        const files = merged(head.files, write.files, write.deleted)
        const commit = this.commit({ files, message: write.message, by: 'us', parents: [head], base: head.base })
        this.#move(repository, write.branch, { before: write.before, after: commit })
        follow(() => {
          if (write.body !== undefined) this.#edit(repository, write.pull, { body: write.body(commit.id) })
          return { key, is: 'done', head: commit.id }
        })
        return undefined
      }
      case 'automerge':
        return { key, is: 'done' }
    }
  }

  #baseOf({ main }: Repository, id: string): Commit {
    let at: Commit | undefined = main
    while (at !== undefined && at.id !== id) at = at.parents[0]
    return at ?? main
  }

  #move(
    repository: Repository,
    branch: string,
    { before, after }: { readonly before: string | undefined; readonly after: Commit | undefined },
  ): boolean {
    const head = repository.branches.get(branch)
    if (this.compares && head?.id !== before) return false
    this.told({ is: 'moved', repository, branch, before: head, after })
    if (after === undefined) this.remove(repository, branch, 'us')
    else this.#put(repository, branch, after)
    return true
  }

  #create(
    repository: Repository,
    given: {
      readonly key: string
      readonly branch: string
      readonly head: Commit
      readonly title: string
      readonly body: string
      readonly isDraft: boolean
    },
  ): FleetWritten | 'again' | 'no' {
    const { key, branch, title, body, isDraft } = given
    if (this.lag > 0) {
      this.lag -= 1
      return 'again'
    }
    if (this.noes > 0) {
      this.noes -= 1
      return 'no'
    }
    const head = repository.branches.get(branch)
    if (head === undefined) return { key, is: 'refused', why: 'invalid', words: 'There is no such branch.' }
    if (repository.pulls.some((each) => each.branch === branch && each.state === 'open')) return { key, is: 'there' }
    const now = this.turns.now()
    const pull: Pull = {
      number: repository.pulls.length + 1,
      branch,
      by: 'us',
      head,
      state: 'open',
      title,
      body,
      isDraft,
      isApproved: false,
      isAutomerging: false,
      checks: undefined,
      created: now,
      ended: undefined,
      closedBy: undefined,
      merged: undefined,
      offered: readMarker(body)?.to ?? '',
    }
    repository.pulls.push(pull)
    this.told({ is: 'created', repository, pull })
    return {
      key,
      is: 'opened',
      pull: { id: idOf(repository, pull.number), number: pull.number },
      head: head.id,
      at: iso(now),
    }
  }

  #edit(
    repository: Repository,
    id: string,
    {
      title,
      body,
      draft,
    }: { readonly title?: string; readonly body?: string; readonly draft?: 'draft' | 'ready' | undefined },
  ): void {
    const pull = repository.pulls.find(({ number }) => idOf(repository, number) === id)
    if (pull === undefined) return
    if (title !== undefined) pull.title = title
    if (body !== undefined) pull.body = body
    if (pull.state === 'open') {
      if (body !== undefined) pull.offered = readMarker(body)?.to ?? pull.offered
      if (draft !== undefined) pull.isDraft = draft === 'draft'
    }
  }

  rolloutsFor(actor: Actor): RolloutsHost {
    const ask = async <T>(effect: () => T): Promise<T> => this.turns.ask(actor, effect)
    return {
      read: async () => ask(() => ({ at: this.at === 0 ? undefined : String(this.at), files: this.files })),
      write: async (files, { at }) =>
        ask(() => {
          if (at !== (this.at === 0 ? undefined : String(this.at))) return { is: 'behind' }
          const next = new Map(this.files)
          for (const [path, text] of files) {
            if (text === undefined) next.delete(path)
            else next.set(path, text)
          }
          this.files = next
          this.at += 1
          return { is: 'written', at: String(this.at) }
        }),
      issue: async ({ marker, body }) =>
        ask(() => {
          const known = this.issues.find((each) => each.marker === marker)
          if (known !== undefined) known.body = body.markdown
          else this.issues.push({ number: this.issues.length + 1, marker, body: body.markdown })
          const number = known?.number ?? this.issues.length
          return { is: known === undefined ? 'created' : 'updated', number, body: body.markdown }
        }),
      issueBody: async (number) => ask(() => this.issues.find((each) => each.number === number)?.body),
    }
  }
}

async function* told<T>(find: () => Promise<readonly T[]>): AsyncGenerator<T> {
  yield* await find()
}

// Files

function merged(before: FileTree, changed: FileTree, deleted: readonly string[] = []): FileTree {
  const files = new Map([...before, ...changed])
  for (const path of deleted) files.delete(path)
  return files
}

function same(a: FileTree, b: FileTree): boolean {
  return a.size === b.size && [...a].every(([path, text]) => b.get(path) === text)
}

/** What a branch has changed upon what the main branch is now; nothing where both have changed one file. */
export function together(head: Commit, main: Commit): FileTree | undefined {
  const base = head.base?.files ?? new Map<string, string>()
  const files = new Map(main.files)
  for (const path of new Set([...base.keys(), ...head.files.keys()])) {
    const [before, ours, theirs] = [base.get(path), head.files.get(path), main.files.get(path)]
    if (ours === before || ours === theirs) continue
    if (theirs !== before) return undefined
    if (ours === undefined) files.delete(path)
    else files.set(path, ours)
  }
  return files
}

/** Whether a commit is another, or comes after it. */
export function reaches(from: Commit | undefined, wanted: Commit): boolean {
  const open = from === undefined ? [] : [from]
  const seen = new Set<Commit>()
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    if (at === wanted) return true
    if (seen.has(at)) continue
    seen.add(at)
    open.push(...at.parents)
  }
  return false
}

/** The commits of people that a branch holds and its base does not. */
export function ofPeople(head: Commit): readonly Commit[] {
  const found: Commit[] = []
  for (
    let at: Commit | undefined = head;
    at !== undefined && at !== at.base && at.base !== undefined;
    at = at.parents[0]
  )
    if (at.by !== 'us') found.push(at)
  return found
}

// Views

function repositoryOf({ number, name, isArchived }: Repository): FleetRepository {
  return { id: `R_${number}`, number, name, is: isArchived ? 'archived' : 'usable', properties: {} }
}

function idOf({ number }: Repository, pull: number): string {
  return `PR_${number}_${pull}`
}

function treeOf({ files }: Commit): string {
  return digest([...files].flat()).slice(7, 47)
}

function filesOf(files: FileTree, paths: readonly string[]): FilesSeen {
  return new Map(
    paths.flatMap((path) => {
      const text = files.get(path)
      return text === undefined ? [] : [[path, { is: 'text', oid: digest(text).slice(7, 47), text } as const]]
    }),
  )
}

function branchOf(
  repository: Repository,
  name: string,
  { head, file, isClose }: { readonly head: Commit; readonly file: string | undefined; readonly isClose: boolean },
): BranchSeen {
  const own = file === undefined ? undefined : filesOf(head.files, [file]).get(file)
  return {
    name,
    commit: head.id,
    tree: treeOf(head),
    message: head.message,
    isSigned: head.by === 'us',
    isOurs: head.by === 'us',
    pulls: pullsOf(repository, name, isClose),
    ...(own !== undefined && { file: own }),
  }
}

function pullsOf(repository: Repository, branch: string, isClose: boolean): readonly PullSeen[] {
  const own = repository.pulls.filter((pull) => pull.branch === branch)
  return own.toReversed().map((pull) => pullOf(repository, pull, { isClose }))
}

/** Who has closed it is told where it is looked at closely. */
function pullOf(repository: Repository, pull: Pull, { isClose }: { readonly isClose: boolean }): PullSeen {
  const {
    number,
    branch,
    by,
    head,
    state,
    title,
    body,
    isDraft,
    isApproved,
    isAutomerging,
    checks,
    created,
    ended,
    closedBy,
    merged: commit,
  } = pull
  const closer = closedBy === 'us' ? 'us' : (`@${closedBy ?? ''}` as const)
  return {
    id: idOf(repository, number),
    number,
    branch,
    base: 'main',
    head: head.id,
    state,
    isOurs: by === 'us',
    ...(isClose && state === 'closed' && closedBy !== undefined && { closedBy: closer }),
    created: iso(created),
    ...(ended !== undefined && { ended: iso(ended) }),
    isDraft,
    isQueued: false,
    isAutomerging,
    isApproved,
    ...(checks !== undefined && { checks }),
    mergeable: together(head, repository.main) === undefined ? 'no' : 'yes',
    title,
    body,
    ...(commit !== undefined && { merged: commit }),
  }
}

function deploymentsOf({ state, ended }: Pull): OutcomeSeen['deployments'] {
  return state === 'merged' && ended !== undefined
    ? ['dev', 'prod'].map((environment) => ({ environment, state: 'success', at: iso(ended) }))
    : []
}

function iso(time: number): string {
  return new Date(Math.floor(time / 1000) * 1000).toISOString()
}
