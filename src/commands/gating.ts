/** Whether a promotion may begin: what its gates are judged by, what is said of one that waits, and what of one that does no more. */
import type { Ports } from '../command.ts'
import type { Board, Waiting } from '../core/board.ts'
import { locksOn, waitingOn, withoutWaiting, withWaiting } from '../core/board.ts'
import type { Catalog } from '../core/catalog.ts'
import type { Run } from '../core/event.ts'
import type { Before, Gate, GateFacts, Glass } from '../core/gates.ts'
import { demandsOf, gatesOf, heldGates } from '../core/gates.ts'
import type { Approval, Change, Voice } from '../core/gates/approval.ts'
import { isSamePerson, voicesOf } from '../core/gates/approval.ts'
import type { Markdown, Url } from '../core/markdown.ts'
import type { Organisation, Unit } from '../core/organisation.ts'
import type { PlannedUnit } from '../core/plan.ts'
import { Refused } from '../core/problem.ts'
import { ended } from '../core/report.ts'
import { keyOf, waitingLabel } from '../core/resume.ts'
import type { Stage } from '../core/stage.ts'
import { goneOnComment, heldText, supersededComment, waitingComment } from '../core/held.ts'
import type { BoardHost, GitHost, PullRequest, Records, StoredDeployment } from '../ports.ts'
import { isOneOf } from './authority.ts'
import { isOver, overIn } from './locking.ts'
import type { Planned } from './planning.ts'

/** A commit that is about to be deployed to a stage, at GitHub. */
export type Situation = {
  readonly github: GitHost
  readonly board: BoardHost
  readonly run: Run
  readonly catalog: Catalog
  readonly stage: Stage
  readonly own: readonly Unit[]
  readonly pull: PullRequest | undefined
  /** Labels the pull request, by which the catalog finds what waits in other repositories. */
  readonly isLabelled: boolean
}

/** What a promotion is called on the board: the service in its stage, or the environment. */
export function promotedUnit({ own, stage }: Pick<Situation, 'own' | 'stage'>): string {
  const [first] = own
  return first?.service === undefined ? (first?.id ?? '') : `${first.service.service}/${stage.name}`
}

/** What the gates of a deployment come to at this moment. Whatever GitHub does not let be seen is held, with the reason. */
export async function judged(
  ports: Ports,
  situation: Situation,
  more: {
    readonly planned: readonly Planned[]
    readonly before: readonly Before[]
    readonly binding: GateFacts['binding']
    readonly glass: Glass | undefined
    readonly root: string
  },
): Promise<readonly Gate[]> {
  const { board, run, catalog, stage, own } = situation
  const { planned, before, binding, glass, root } = more
  const now = ports.clock.now()
  // A lock that was taken since the files were fetched holds production too; elsewhere it is worth no request.
  const seen = await board.read({ now: stage.production })
  const locks = [...new Set(own.flatMap(({ id }) => locksOn(seen, { unit: id, now })))]
  const over = await overIn(ports, { ...seen, locks })
  const losses = planned.flatMap(({ unit, planned: { losses: some = [] } }) =>
    some.map((loss) => ({ ...loss, unit: unit.id })),
  )
  const policy = planned.flatMap(({ unit, planned: { policy: some = [] } }) =>
    some.map((fact) => ({ ...fact, unit: unit.id })),
  )
  const newer = await cutOff(ports, situation, { seen, root })
  const gates = gatesOf({
    now,
    stage: stage.name,
    by: run.actor,
    run: String(run.id),
    before,
    freezes: catalog.freezes,
    locks: locks.filter((lock) => !isOver(lock, over)),
    losses,
    policy,
    ...(stage.approval !== undefined && {
      // Who breaks the glass does without it, so nobody need be asked.
      approval: glass === undefined ? await approvalOf(ports, situation) : { asks: stage.approval.by, not: [] },
    }),
    ...(binding !== undefined && { binding }),
    ...(glass !== undefined && { glass }),
  })
  return [...newer, ...gates]
}

/**
 * The runner of a newer commit was lost here: what it has done by then nobody has recorded, and an older one over it would take it
 * back. The newer one is brought to its end first, and overtakes this one then.
 */
async function cutOff(
  ports: Ports,
  situation: Situation,
  { seen, root }: { readonly seen: Board; readonly root: string },
): Promise<readonly Gate[]> {
  const unit = promotedUnit(situation)
  const { commit } = situation.run
  for (const { commit: newer, lost, since } of waitingOn(seen, unit)) {
    if (lost === undefined || newer === commit) continue
    if ((await ports.files.isBefore(root, { older: commit, newer })) !== true) continue
    const why = `The newer commit ${newer.slice(0, 7)} was being deployed to ${unit} when its runner was lost. It is brought to its end first.`
    return [{ gate: 'order', is: 'held', why, since }]
  }
  return []
}

/**
 * The same in a terminal. Approval is asked of the person at it, and the order of stages is that of the run; what is deployed on
 * this machine only nobody calls, so no time is to be waited for.
 */
export async function judgedHere(
  ports: Ports,
  {
    organisation: { catalog, units },
    stage,
    planned,
    board,
    fetched,
    records,
    commit,
    glass,
  }: {
    readonly organisation: Organisation
    readonly stage: Stage
    readonly planned: readonly Planned[]
    readonly board: BoardHost
    /** The board of the repository as git has it here: what is locked there is not deployed from here either. */
    readonly fetched: () => Promise<Board | undefined>
    readonly records: Records
    readonly commit: string | undefined
    readonly glass: Glass | undefined
  },
): Promise<readonly Gate[]> {
  const seen = await board.read()
  const before: Before[] = []
  for (const { unit } of planned) {
    const previous = unitBefore(unit, { units, catalog, stage })
    const soak = previous === undefined ? undefined : soakOf(previous, { catalog, stage })
    if (previous === undefined || soak === undefined || unit.environment.provisioner === 'local') continue
    const { id, bundle } = previous
    before.push({ unit: id, commit, version: bundle.version, soak, records: await records.list(id, { latest: 50 }) })
  }
  const isReal = planned.some(({ unit }) => unit.environment.provisioner !== 'local')
  const there = isReal ? await fetched() : undefined
  const boardsOf = ({ environment }: Unit): readonly Board[] =>
    there === undefined || environment.provisioner === 'local' ? [seen] : [seen, there]
  const isLocked = [seen, there].some((each) => each !== undefined && each.locks.length > 0)
  const isOpen = before.length === 0 && catalog.freezes.length === 0 && !isLocked
  if (isOpen && glass === undefined) return []
  const now = ports.clock.now()
  const locks = planned.flatMap(({ unit }) => boardsOf(unit).flatMap((each) => locksOn(each, { unit: unit.id, now })))
  const gates = gatesOf({
    now,
    stage: stage.name,
    by: ports.by,
    before,
    freezes: catalog.freezes,
    locks: [...new Set(locks)],
    ...(stage.approval !== undefined && glass !== undefined && { approval: { asks: stage.approval.by, not: [] } }),
    ...(glass !== undefined && { glass }),
  })
  return gates.filter(({ gate }) => gate !== 'order')
}

/** What the gates of what changes ask, as a plan tells it. `stagesOf` are the stages that a service is in. */
export function withDemands(
  planned: readonly PlannedUnit[],
  {
    catalog: { stages, freezes },
    stagesOf,
  }: {
    readonly catalog: Pick<Catalog, 'stages' | 'freezes'>
    readonly stagesOf: (service: string) => readonly string[]
  },
): readonly PlannedUnit[] {
  return planned.map((unit) => {
    const [subject = '', home] = unit.unit.split('/')
    const isHome = subject === 'environment'
    const own = isHome ? undefined : stagesOf(subject)
    const name = unit.stage ?? own?.at(-1)
    const stage = stages.find((each) => (isHome ? each.environment === home : each.name === name))
    if (stage === undefined || unit.verdict === 'nothing') return unit
    const before = stages.findLast(
      (each) => each.order < stage.order && (own === undefined ? each.environment !== home : own.includes(each.name)),
    )
    // A pipeline comes when all of its stages are there.
    const isLast = !isHome && unit.stage === undefined
    const { losses = [], policy = [] } = unit
    const gates = demandsOf({ stage, before: isLast ? undefined : before, freezes, losses, policy })
    return gates.length === 0 ? unit : { ...unit, gates }
  })
}

/** The stages of a service by its name. */
export function stagesIn({ services }: Pick<Organisation, 'services'>): (service: string) => readonly string[] {
  return (name) => services.find(({ service }) => service === name)?.stages.map(({ stage }) => stage.name) ?? []
}

/** The same in the stage before. */
export function unitBefore(
  unit: Unit,
  {
    catalog,
    units,
    stage,
  }: { readonly catalog: Catalog; readonly units: readonly Unit[]; readonly stage: Pick<Stage, 'order'> },
): Unit | undefined {
  if (unit.kind === 'pipeline') return undefined
  const order = catalog.stages.map(({ name }) => name)
  return units.findLast((other) => {
    if (other.kind !== unit.kind) return false
    if (unit.kind === 'environment') {
      const stages = catalog.stages.filter(({ environment }) => environment === other.environment.name)
      return other.id !== unit.id && stages.some((each) => each.order < stage.order)
    }
    return other.service === unit.service && other.stage !== undefined && order.indexOf(other.stage.name) < stage.order
  })
}

/** How long what comes after a unit has to wait; what several stages share has to last as long as the last of them asks. */
export function soakOf(
  { stage: own, environment }: Unit,
  { catalog, stage }: { readonly catalog: Catalog; readonly stage: Pick<Stage, 'order'> },
): number | undefined {
  if (own !== undefined) return own.soak
  return catalog.stages.findLast((each) => each.environment === environment.name && each.order < stage.order)?.soak
}

/**
 * Who has approved a stage: the reviewers of its environment, where GitHub had them do it for this run; otherwise a review of the
 * merged pull request. A review `after` a moment is asked for where what it is of was shown only then.
 */
export async function approvalOf(
  ports: Ports,
  { github, run, stage, pull }: Pick<Situation, 'github' | 'run' | 'stage' | 'pull'>,
  after?: string,
): Promise<Approval> {
  const asks = stage.approval?.by ?? []
  const change = pull === undefined ? undefined : await changeOf(github, pull)
  const approvals = after === undefined ? await github.approvals(run.id) : []
  const early = voicesOf({ stage: stage.name, change, approvals, reviews: [] })
  const [environment] = early.approving
  if (environment !== undefined) return { asks, by: environment, not: [] }
  const reviews = pull === undefined ? [] : await github.reviews(pull.number)
  const { approving, refusing, not } = voicesOf({ stage: stage.name, change, approvals, reviews })
  const late = approving.filter(
    ({ at }) => after === undefined || (at !== undefined && Date.parse(at) > Date.parse(after)),
  )
  const by = await firstOf(ports, late, asks)
  const against = by.voice === undefined ? undefined : await firstOf(ports, refusing, asks)
  const reasons = [...not, ...by.not, ...(against?.unseen ?? [])]
  return {
    asks,
    // Who cannot be told from one of those that may, and asks for changes, is taken for one.
    ...(by.voice !== undefined && (against?.unseen.length ?? 0) === 0 && { by: by.voice }),
    ...(against?.voice !== undefined && { against: against.voice }),
    not:
      pull === undefined ? [...reasons, 'The commit came by no pull request, so there is no review of it.'] : reasons,
  }
}

async function changeOf(github: GitHost, { number, author, head }: PullRequest): Promise<Change> {
  const { logins, isComplete } = await github.committers(number)
  return { head: head.commit, author, committers: logins, ...(!isComplete && { isPartial: true }) }
}

/** The first who is one of those that are asked for, and why the others are not. */
async function firstOf(
  ports: Ports,
  voices: readonly Voice[],
  asks: readonly string[],
): Promise<{ readonly voice?: Voice; readonly not: readonly string[]; readonly unseen: readonly string[] }> {
  const not: string[] = []
  const unseen: string[] = []
  for (const voice of voices) {
    try {
      if (await isOneOf({ ...ports, by: voice.by }, asks)) return { voice, not, unseen }
      not.push(`${voice.by} is none of them.`)
    } catch (error) {
      if (!(error instanceof Refused) || error.code !== 'github-permission') throw error
      unseen.push(`It could not be seen whether ${voice.by} is one of them: ${ended(error.message)} ${error.remedy}`)
    }
  }
  return { not: [...not, ...unseen], unseen }
}

/**
 * Whether what waited to be seen has been approved since it was shown: by a review of one whom the stage names, or because a person
 * has started the job again. Where a stage names people, that has to be one of them, and not one who made the change; a job that
 * was started by itself approves nothing.
 */
export async function approvesNew(
  ports: Ports,
  situation: Pick<Situation, 'github' | 'run' | 'stage' | 'pull'>,
  shown: string | undefined,
): Promise<boolean> {
  const { github, run, stage, pull } = situation
  const { approval } = stage
  const isPerson = !run.actor.endsWith('[bot]')
  if (approval === undefined) return isPerson && run.attempt > 1
  const change = pull === undefined ? undefined : await changeOf(github, pull)
  if (run.attempt > 1) {
    // Where an environment has reviewers, each attempt has to have the word of one.
    const approvals = await github.approvals(run.id)
    const { approving } = voicesOf({ stage: stage.name, change, approvals, reviews: [] })
    if (approving.length >= run.attempt) return true
  }
  if (isPerson && run.attempt > 1) {
    const own = change === undefined ? [] : [change.author, ...change.committers]
    const isOwn = change?.isPartial === true || own.some((each) => isSamePerson(each, run.actor))
    if (!isOwn && (await firstOf(ports, [{ by: run.actor, how: 'review' }], approval.by)).voice !== undefined)
      return true
  }
  if (shown === undefined) return false
  const { by, against } = await approvalOf(ports, situation, shown)
  return by !== undefined && against === undefined
}

// What waits

/**
 * Since when a promotion waits for its plan to be seen, if the board has it so; but not from before it was `posted`: that is a time of
 * GitHub's, as those of reviews are, and the clock of a runner may be slow.
 */
export async function shownSince(situation: Situation, posted: string | undefined): Promise<string | undefined> {
  const entry = await entryOf(situation)
  const since = entry?.gates.find(({ gate }) => gate === 'binding')?.since
  if (since === undefined || posted === undefined) return since ?? posted
  return Date.parse(posted) > Date.parse(since) ? posted : since
}

async function entryOf(situation: Situation): Promise<Waiting | undefined> {
  const board = await situation.board.read()
  return waitingOn(board, promotedUnit(situation)).find(({ commit }) => commit === situation.run.commit)
}

/**
 * Says of a promotion that it waits, and for what: on the board, from which it is started again, on its deployment, and on the pull
 * request. The board comes first: what is on it is not lost, whatever happens to the rest.
 */
export async function hold(
  ports: Ports,
  situation: Situation,
  {
    gates,
    deployment,
    log,
  }: { readonly gates: readonly Gate[]; readonly deployment: () => Promise<number>; readonly log: Url | undefined },
): Promise<void> {
  const { github, board, run, stage, pull, isLabelled } = situation
  const unit = promotedUnit(situation)
  const held = heldGates(gates)
  const entry: Waiting = {
    unit,
    stage: stage.name,
    commit: run.commit,
    ...(pull !== undefined && { pullRequest: pull.number }),
    by: run.actor,
    run: { id: String(run.id), attempt: run.attempt },
    since: ports.clock.now().toISOString(),
    gates: held,
  }
  // First, since nobody else does it if this is cut off.
  const before = await entryOf(situation)
  if (before !== undefined) await tellTaken(ports, situation, before)
  await board.change(
    (newest) => withWaiting(newest, entry),
    `${unit} waits: ${held.map(({ gate }) => gate).join(', ')}`,
  )
  await github.deploymentStatus(await deployment(), {
    state: 'queued',
    description: heldText(held),
    ...(log !== undefined && { log }),
    ...(run.attempt === 1 && { isFirst: true }),
  })
  if (pull === undefined) return
  const body = waitingComment({ unit, commit: run.commit, gates }, { ...(log !== undefined && { run: log }) })
  await told(ports, github.comment({ pullRequest: pull.number, kind: 'waiting', subject: unit, body }))
  if (isLabelled) await told(ports, github.label(pull.number, { name: waitingLabel, is: 'on' }))
}

/**
 * Takes off the board what waits no more: this promotion, which has gone on, and those of older commits, which it has superseded.
 * Nothing is asked of GitHub where nothing waited.
 */
export async function wentOn(
  ports: Ports,
  situation: Situation,
  {
    words,
    isDeployed,
    root,
  }: {
    /** What came of it: `deployed`. */
    readonly words: string
    readonly isDeployed: boolean
    readonly root: string
  },
): Promise<void> {
  const { board, run } = situation
  const { commit } = run
  const unit = promotedUnit(situation)
  const waiting = waitingOn(await board.read(), unit)
  const gone: Waiting[] = []
  for (const entry of waiting) {
    if (entry.commit === commit) {
      gone.push(entry)
      await tellWaiting(ports, situation, { entry, body: goneOnComment({ unit, commit, words }) })
      await tellTaken(ports, situation, entry)
    } else if (isDeployed && (await ports.files.isBefore(root, { older: entry.commit, newer: commit })) === true) {
      gone.push(entry)
      await tellSuperseded(ports, situation, { entry, newer: commit })
    }
  }
  await takeOff(ports, situation, { entries: gone, why: `${unit} ${words}` })
}

/**
 * The stage before has lost what it had when this promotion began to wait. Then it waits for another thing than is shown, and for
 * nothing that time opens.
 */
export async function lostOrder(ports: Ports, situation: Situation, why: string): Promise<void> {
  const { github, board, run } = situation
  const entry = await entryOf(situation)
  if (entry === undefined) return
  const { unit, commit } = entry
  const gate: Gate = { gate: 'order', is: 'held', why, since: ports.clock.now().toISOString() }
  const wanted = { ...entry, run: { ...entry.run, attempt: run.attempt }, gates: [gate] }
  await board.change((newest) => withWaiting(newest, wanted), `${unit} waits: order`)
  await tellWaiting(ports, situation, { entry, body: waitingComment({ unit, commit, gates: [gate] }) })
  const queued = async (): Promise<void> => {
    const deployment = await madeFor(github, entry)
    if (deployment === undefined) return
    await github.deploymentStatus(deployment.id, { state: 'queued', description: heldText([gate]) })
  }
  await told(ports, queued())
}

type Made = Pick<Waiting, 'unit' | 'stage' | 'commit'> & { readonly run: { readonly id: string } }

async function madeFor(github: GitHost, entry: Made): Promise<StoredDeployment | undefined> {
  const made = await github.deploymentsOf({ id: entry.run.id, commit: entry.commit })
  return made.find(({ key }) => key.startsWith(`${keyOf(entry)} `))
}

/** The promotion of this run was overtaken by a newer commit: if it waited, it does no more. */
export async function gaveWay(ports: Ports, situation: Situation, newer: string): Promise<void> {
  const { github, run, stage } = situation
  const entry = await entryOf(situation)
  if (entry === undefined) {
    // An attempt before this one may have been cut off after it had begun, and so may have been what tells of that.
    const own = { unit: promotedUnit(situation), stage: stage.name, commit: run.commit, run: { id: String(run.id) } }
    const cut = async (): Promise<void> => {
      const deployment = await madeFor(github, own)
      if (deployment === undefined || !isOpenState(deployment.states[0]?.state)) return
      await github.deploymentStatus(deployment.id, { state: 'inactive', description: supersededText(newer) })
    }
    if (run.attempt > 1) await told(ports, cut())
    return
  }
  await tellSuperseded(ports, situation, { entry, newer })
  const why = `${entry.unit}: ${entry.commit.slice(0, 7)} is superseded by ${newer.slice(0, 7)}`
  await takeOff(ports, situation, { entries: [entry], why })
}

function supersededText(newer: string): string {
  return `Superseded by the newer commit ${newer.slice(0, 7)}`
}

function isOpenState(state: string | undefined): boolean {
  return state === undefined || state === 'queued' || state === 'in_progress'
}

type Ended = { readonly entry: Waiting; readonly newer: string }

/** A promotion that waited for what will not be asked of it any more. */
async function tellSuperseded(ports: Ports, situation: Situation, { entry, newer }: Ended): Promise<void> {
  const { github } = situation
  const { unit, commit } = entry
  await tellWaiting(ports, situation, { entry, body: supersededComment({ unit, commit, newer }) })
  await told(ports, tellInactive(github, entry, supersededText(newer)))
}

/** Another run has the same commit, one that breaks the glass for instance: what is said of it is said of that run's deployment. */
async function tellTaken(ports: Ports, { github, run }: Situation, entry: Waiting): Promise<void> {
  if (entry.run.id === String(run.id)) return
  await told(ports, tellInactive(github, entry, `Run ${run.id} has taken it on`))
}

async function tellInactive(github: GitHost, entry: Waiting, description: string): Promise<void> {
  const deployment = await madeFor(github, entry)
  if (deployment === undefined || deployment.states[0]?.state === 'inactive') return
  await github.deploymentStatus(deployment.id, { state: 'inactive', description })
}

async function tellWaiting(
  ports: Ports,
  { github }: Situation,
  { entry: { unit, pullRequest }, body }: { readonly entry: Waiting; readonly body: Markdown },
): Promise<void> {
  if (pullRequest === undefined) return
  await told(ports, github.comment({ pullRequest, kind: 'waiting', subject: unit, body, onlyIfThere: true }))
}

/**
 * The board comes last here: what is still on it is started once more, finds that there is nothing to do, and is told of then.
 */
async function takeOff(
  ports: Ports,
  { github, board, isLabelled }: Situation,
  { entries, why }: { readonly entries: readonly Waiting[]; readonly why: string },
): Promise<void> {
  if (entries.length === 0) return
  const without = async (): Promise<void> => {
    const { waiting } = await board.change(
      (newest) => entries.reduce((left, { unit, commit }) => withoutWaiting(left, [unit], commit), newest),
      why,
    )
    const pulls = new Set(entries.flatMap(({ pullRequest }) => pullRequest ?? []))
    for (const pull of isLabelled ? pulls : [])
      if (!waiting.some(({ pullRequest }) => pullRequest === pull))
        await github.label(pull, { name: waitingLabel, is: 'off' })
  }
  await told(ports, without())
}

/** What cannot be told is in the log and in the summary all the same, and undoes nothing of what was done. */
async function told(ports: Ports, telling: Promise<unknown>): Promise<void> {
  try {
    await telling
  } catch (error) {
    if (!(error instanceof Refused)) throw error
    ports.reporter.step('not told at GitHub', error.message)
  }
}
