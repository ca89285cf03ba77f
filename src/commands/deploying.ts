import type { Ports, UnitOutcome, UnitProgress } from '../command.ts'
import type { Organisation, Unit } from '../core/organisation.ts'
import type { Change, Plan, PlannedLoss, PlannedUnit } from '../core/plan.ts'
import { within } from '../core/plan.ts'
import type { Graph, UnitProgress as UnitState } from '../core/cloudformation/graph.ts'
import { graphOf, next } from '../core/cloudformation/graph.ts'
import type { Gate } from '../core/gates.ts'
import { heldGates } from '../core/gates.ts'
import { heldText } from '../core/held.ts'
import { healthCheckOf } from '../core/health.ts'
import type { Diagnosis } from '../core/cause/diagnosis.ts'
import { diagnosisOf } from '../core/cause/diagnosis.ts'
import { evidenceText } from '../core/cause/found.ts'
import { redact } from '../core/cause/redact.ts'
import type { Problem } from '../core/problem.ts'
import { recordId } from '../core/ledger.ts'
import { Refused } from '../core/problem.ts'
import { count, ended, list } from '../core/report.ts'
import { withoutSecrets } from '../core/secret.ts'
import type { Stage } from '../core/stage.ts'
import type { DeploymentRecord, Records } from '../ports.ts'
import { unacknowledged } from './losses.ts'
import { FailureWatch, knownOf } from './diagnosing.ts'
import type { Planned } from './planning.ts'
import type { Stacks } from './stacks.ts'
import { graphUnit } from '../core/rendering/crossing.ts'
import type { Proof, WayBack } from './proving.ts'
import { healthRecord, isProved, proofOf, unhealthyCause, wayBackKnown, wayBackText, wentBack } from './proving.ts'
import { replan } from './planning.ts'

/** What came of one unit. */
export type Attempt = {
  readonly unit: Unit
  readonly is: UnitOutcome
  /** How many resources were touched. */
  readonly touched: number
  /** Why it did not end well, or did not begin: one sentence. */
  readonly why?: string
  readonly failure?: Failure
  /** The world did not allow it. */
  readonly refusal?: Refused
  /** What was to be done, once it was known. */
  readonly changes?: readonly Change[]
  /** What would be lost, and keeps the unit from being deployed. */
  readonly losses?: readonly PlannedLoss[]
  /** What would be done now: it is another thing than what was planned a moment ago, so it waits to be looked at. */
  readonly replanned?: PlannedUnit
  /** What was seen of its health, where that is looked at. */
  readonly proof?: Proof
  /** Its operation goes on in the cloud, or it is not known how it ended. The same run again takes it up. */
  readonly isOpen?: true
  /** What was recorded of it, if it was. */
  readonly record?: DeploymentRecord
}

/** Where a failure left the stack, and what can be said of its cause. */
export type Failure = {
  /** The stack's last status: `UPDATE_ROLLBACK_COMPLETE` and the like. */
  readonly status: string
  readonly rolledBack: boolean
  /** Nothing, if no event told of a failure. */
  readonly diagnosis?: Diagnosis
}

export type Deployment = {
  readonly organisation: Organisation
  /** Environments before what lives in them; planned a moment ago. */
  readonly planned: readonly Planned[]
  readonly stacks: Stacks
  readonly records: Records
  readonly commit: string | undefined
  /** What builds have handed over, by the ids of units. */
  readonly images?: ReadonlyMap<string, string>
  /** What is gone back to, if this is a rollback. */
  readonly rollback?: NonNullable<DeploymentRecord['rollback']>
  /** What people have reviewed, if it binds this run. */
  readonly reviewed?: Plan | undefined
  /** Told of a failure at its first event, while the operation is still under way. */
  readonly failing?: (unit: Unit, diagnosis: Diagnosis) => Promise<void>
  /** What the gates of units come to when the turn of their stage has come; one that is held keeps them from being begun. */
  readonly gates?: (stage: Stage, units: readonly Planned[]) => Promise<readonly Gate[]>
  /** What the record of a unit says that was not waited for. */
  readonly glass?: (unit: Unit) => DeploymentRecord['glass']
  /** Whether units may be deployed to a stage that asks for approval. */
  readonly approve: (stage: Stage, units: readonly Unit[]) => Promise<boolean>
}

/**
 * Deploys what was planned, stage by stage in the order of promotion, in each stage the environment first. A service that fails in
 * a stage goes no further; an environment that fails holds back what lives in it; the others go on. Every attempt is recorded.
 */
export async function deployUnits(ports: Ports, deployment: Deployment): Promise<readonly Attempt[]> {
  const { organisation, planned } = deployment
  // Where there is nothing to do, there is no progress to be told.
  if (await isNothing(planned, deployment)) {
    const attempts = planned.map(({ unit }): Attempt => ({ unit, is: 'unchanged', touched: 0 }))
    for (const [index, fresh] of planned.entries()) {
      const attempt = attempts[index]
      if (attempt !== undefined) await record(ports, { attempt, started: ports.clock.now(), fresh, deployment })
    }
    return attempts
  }
  for (const { unit } of planned) ports.reporter.unit({ ...positionOf(unit, organisation), is: 'waiting', detail: '' })
  const attempts: Attempt[] = []
  const graph = graphOfUnits(planned)
  for (const { stage, units } of inStages(planned, organisation)) {
    const held = stage === undefined ? nothingHeld : await heldIn(stage, { units, attempts, deployment })
    await deployGroup(ports, { units, graph, attempts, held, deployment })
  }
  return attempts
}

const nothingHeld: ReadonlyMap<Unit, string> = new Map()

/** Nothing is to be deployed, and of nothing is it still to be seen whether it is healthy. */
async function isNothing(planned: readonly Planned[], { records }: Deployment): Promise<boolean> {
  if (planned.some((each) => each.planned.verdict !== 'nothing')) return false
  for (const each of planned) if (!(await isProved(each, records))) return false
  return true
}

/**
 * Deploys the units of a stage: each as soon as what it builds on is there, as many at a time as an account takes, the longest chain
 * first. `attempts` gets what came of them.
 */
async function deployGroup(
  ports: Ports,
  {
    units,
    graph,
    attempts,
    held,
    deployment,
  }: {
    readonly units: readonly Planned[]
    readonly graph: Graph
    readonly attempts: Attempt[]
    /** Why units are not begun now. */
    readonly held: ReadonlyMap<Unit, string>
    readonly deployment: Deployment
  },
): Promise<void> {
  const own = new Map(units.map((each) => [each.unit.id, each]))
  const nodes = { nodes: new Map([...graph.nodes].filter(([id]) => own.has(id))) }
  /** What has ended, in the order of its end: what is to be told of it comes in `attempts`. */
  const all = [...attempts]
  const ended = new Map<string, Attempt>()
  const untold = new Set(units.map(({ unit }) => unit))
  const progress = new Map<string, UnitState>()
  const running = new Map<string, Promise<void>>()
  const faults: Promise<void>[] = []
  const begin = (planned: Planned): void => {
    const { id } = planned.unit
    progress.set(id, 'running')
    const needs = graph.nodes.get(id)?.needs ?? []
    const work = async (): Promise<void> => {
      try {
        const attempt = await attemptOf(ports, {
          planned,
          needs,
          attempts: all,
          held: held.get(planned.unit),
          deployment,
        })
        all.push(attempt)
        ended.set(id, attempt)
        tell()
      } finally {
        // Whether what waits for it can go on is decided when it is begun, by what came of this.
        progress.set(id, 'done')
        running.delete(id)
      }
    }
    const begun = work()
    // A fault of the program is told once nothing runs any more.
    begun.catch(() => faults.push(begun))
    running.set(id, begun)
  }
  // On this machine all is over in a moment, and told in its order, so that the same run reads the same every time.
  const isLocal = units.every(({ unit }) => unit.environment.provisioner === 'local')
  const tell = (): void => {
    for (const unit of untold) {
      const attempt = ended.get(unit.id)
      if (attempt === undefined && isLocal) return
      if (attempt === undefined) continue
      untold.delete(unit)
      attempts.push(attempt)
      ports.reporter.unit({ ...positionOf(unit, deployment.organisation), is: attempt.is, detail: detailOf(attempt) })
    }
  }
  for (;;) {
    const { start, isOver } = next(nodes, progress)
    for (const id of faults.length > 0 ? [] : start) {
      const planned = own.get(id)
      if (planned !== undefined) begin(planned)
    }
    if (isOver || running.size === 0) break
    await Promise.race([...running.values()].map(settled))
    // Where nothing could be done, the reason is all there is to tell.
    const refusal = all.find(({ is, refusal: why }) => is === 'failed' && why !== undefined)?.refusal
    if (refusal !== undefined && running.size === 0 && all.every(({ is }) => is !== 'deployed')) throw refusal
  }
  await faults[0]
}

async function settled(work: Promise<void>): Promise<void> {
  await Promise.allSettled([work])
}

/** The units with what ties them together; a circle was found when they were planned. */
function graphOfUnits(planned: readonly Planned[]): Graph {
  const graph = graphOf(planned.map(graphUnit))
  if (!graph.ok) throw new Error(graph.problems[0]?.message)
  return graph.value
}

type Group = { readonly stage: Stage | undefined; readonly units: readonly Planned[] }

/**
 * An environment belongs to the first stage that lies in it; one that no stage lies in comes first. Pipelines come last, when
 * all of the instances are there that they deploy to.
 */
function inStages(planned: readonly Planned[], { catalog }: Organisation): readonly Group[] {
  const isLast = ({ unit }: Planned): boolean => unit.kind === 'pipeline'
  const groups: readonly Group[] = [
    ...[undefined, ...catalog.stages].map((stage): Group => ({
      stage,
      units: planned.filter((each) => !isLast(each) && stageOf(each.unit, catalog.stages)?.name === stage?.name),
    })),
    { stage: undefined, units: planned.filter(isLast) },
  ]
  return groups.filter(({ units }) => units.length > 0)
}

function stageOf(unit: Unit, stages: readonly Stage[]): Stage | undefined {
  return unit.stage ?? stages.find(({ environment }) => environment === unit.environment.name)
}

/** Where a unit stands in a table of services by stages. */
export function positionOf(unit: Unit, { catalog }: Organisation): Pick<UnitProgress, 'row' | 'column' | 'unit'> {
  const row = unit.service === undefined ? 'environment' : unit.service.service
  if (unit.kind === 'component')
    return { row: `${row} component`, column: stageOf(unit, catalog.stages)?.name ?? '', unit: unit.id }
  if (unit.kind === 'pipeline') return { row, column: 'pipeline', unit: unit.id }
  return { row, column: stageOf(unit, catalog.stages)?.name ?? unit.environment.name, unit: unit.id }
}

/** The columns of that table: the stages that occur, in their order, and what belongs to none. */
export function columnsOf(attempts: readonly Attempt[], organisation: Organisation): readonly string[] {
  const found = new Set(attempts.map(({ unit }) => positionOf(unit, organisation).column))
  const stages = organisation.catalog.stages.map(({ name }) => name)
  return [...stages.filter((name) => found.has(name)), ...[...found].filter((name) => !stages.includes(name))]
}

/** Why units that are due in a stage may not be begun. A service is held by its own gates; approval is of all that go on. */
async function heldIn(
  stage: Stage,
  {
    units,
    attempts,
    deployment,
  }: { readonly units: readonly Planned[]; readonly attempts: readonly Attempt[]; readonly deployment: Deployment },
): Promise<ReadonlyMap<Unit, string>> {
  const due = units.filter(
    ({ unit, planned }) => planned.verdict !== 'nothing' && blockerOf(unit, attempts) === undefined,
  )
  const held = new Map<Unit, string>()
  for (const group of Map.groupBy(due, ({ unit }) => unit.service?.service ?? unit.id).values()) {
    const gates = heldGates((await deployment.gates?.(stage, group)) ?? [])
    if (gates.length > 0) for (const { unit } of group) held.set(unit, heldText(gates))
  }
  const asked = due.flatMap(({ unit }) => (held.has(unit) ? [] : [unit]))
  if (asked.length === 0 || stage.approval === undefined || (await deployment.approve(stage, asked))) return held
  for (const unit of asked) held.set(unit, waitsForApproval(stage.approval.by))
  return held
}

function waitsForApproval(by: readonly string[]): string {
  return `waits for approval by ${list(by)}`
}

/** Whether it is held for nothing but the word of somebody. */
export function isForApproval({ is, why }: Attempt): boolean {
  return is === 'held' && why?.startsWith(waitsForApproval([])) === true
}

/** The earlier attempt because of which a unit is not begun. */
function blockerOf(unit: Unit, attempts: readonly Attempt[]): Attempt | undefined {
  return attempts.find(
    ({ is, unit: earlier }) =>
      (is === 'failed' || is === 'skipped' || is === 'held') &&
      (earlier.kind === 'environment'
        ? earlier.environment.name === unit.environment.name
        : earlier.service !== undefined && earlier.service.service === unit.service?.service),
  )
}

/** An environment waits with what lives in it, where none of that can go on. */
function reasonToWait(
  environment: Unit,
  { attempts, deployment }: { readonly attempts: readonly Attempt[]; readonly deployment: Deployment },
): Attempt | undefined {
  const inside = deployment.planned.filter(
    ({ unit }) => unit.kind !== 'environment' && unit.environment.name === environment.environment.name,
  )
  const blockers = inside.map(({ unit }) => blockerOf(unit, attempts))
  return blockers.every((blocker) => blocker !== undefined) ? blockers[0] : undefined
}

type Turn = {
  readonly planned: Planned
  /** The units that it builds on. */
  readonly needs: readonly string[]
  readonly attempts: readonly Attempt[]
  /** Why it is not begun now. */
  readonly held: string | undefined
  readonly deployment: Deployment
}

async function attemptOf(ports: Ports, { planned, needs, attempts, held, deployment }: Turn): Promise<Attempt> {
  const { unit } = planned
  const blocker =
    blockerOf(unit, attempts) ??
    attempts.find(({ is, unit: { id } }) => needs.includes(id) && is !== 'deployed' && is !== 'unchanged') ??
    (unit.kind === 'environment' ? reasonToWait(unit, { attempts, deployment }) : undefined)
  if (blocker !== undefined) return blockedBy(blocker, unit)
  if (ports.signal.aborted) return { unit, is: 'skipped', touched: 0, why: stopped }
  if (held !== undefined && planned.planned.verdict !== 'nothing') return { unit, is: 'held', touched: 0, why: held }
  const started = ports.clock.now()
  try {
    const fresh = await refreshed(planned, deployment)
    if (!('planned' in fresh)) return fresh
    const losses = unacknowledged(fresh.planned)
    if (losses.length > 0) return { unit, is: 'held', touched: 0, why: lossText(losses), losses }
    const attempt: Attempt =
      fresh.planned.verdict === 'nothing'
        ? await unchanged(ports, { fresh, deployment })
        : await executed(ports, { fresh, deployment })
    return await recorded(ports, { attempt, started, fresh, deployment })
  } catch (error) {
    if (!(error instanceof Refused)) throw error
    if (error.code === 'interrupted') return { unit, is: 'skipped', touched: 0, why: stopped, isOpen: true }
    if (error.code === 'outcome-unknown')
      return { unit, is: 'skipped', touched: 0, why: withoutSecrets(error.message), isOpen: true, refusal: error }
    return {
      unit,
      is: 'failed',
      touched: 0,
      why: withoutSecrets(`${ended(error.message)} ${error.remedy}`),
      refusal: error,
    }
  }
}

function lossText(losses: readonly PlannedLoss[]): string {
  const named = losses.map(({ logicalId, happens, holds }) => `${logicalId} (${holds}) would be ${happens}`)
  return `${list(named)}, and nobody has acknowledged that`
}

/** What is there already as it is wanted: whether it is healthy is asked if that was not seen yet. */
async function unchanged(
  ports: Ports,
  { fresh, deployment }: { readonly fresh: Planned; readonly deployment: Deployment },
): Promise<Attempt> {
  const { unit } = fresh
  if (await isProved(fresh, deployment.records)) return { unit, is: 'unchanged', touched: 0 }
  return proved(ports, { fresh, deployment, attempt: { unit, is: 'unchanged', touched: 0 } })
}

/**
 * Asks whether what was deployed is healthy. What is not goes back to what ran before, and has failed. Of what was there already
 * it is not known what ran before.
 */
async function proved(
  ports: Ports,
  {
    fresh,
    deployment,
    attempt,
  }: { readonly fresh: Planned; readonly deployment: Deployment; readonly attempt: Attempt },
): Promise<Attempt> {
  const { unit, part } = fresh
  const check = healthCheckOf(unit)
  if (check === undefined) return attempt
  const { stacks } = deployment
  const provisioner = await stacks.of(unit)
  const position = positionOf(unit, deployment.organisation)
  const of = fresh.planned.changes.length
  const told = (detail: string): void => ports.reporter.unit({ ...position, is: 'deploying', detail, done: of, of })
  const proof = await proofOf(ports, { ...fresh, check, provisioner, told })
  if (proof.is === 'healthy') return { ...attempt, proof }
  const { cause, evidence } = unhealthyCause(proof, ports.clock.now())
  // Where the cloud may not be asked how it is, there is nothing more to be asked; on the way back it would be gone.
  const failing = proof.is === 'unknown' ? undefined : {}
  const known = await knownOf(provisioner, { ...aboutOf(ports, { fresh, deployment }), failing })
  const diagnosis = diagnosisOf(cause, { part, evidence: { ...known, ...evidence } })
  const telling = deployment.failing?.(unit, diagnosis)
  const back: WayBack =
    proof.is === 'unknown'
      ? { is: 'unproved' }
      : deployment.rollback !== undefined
        ? { is: 'was-back' }
        : attempt.is === 'unchanged'
          ? await wayBackKnown(unit, deployment.records)
          : await wentBack(ports, { fresh, provisioner, terms: stacks.terms, told })
  await telling
  const status = back.is === 'back' || back.is === 'failed' ? back.status : statusOf(fresh)
  return {
    unit,
    is: 'failed',
    touched: attempt.touched,
    why: `${diagnosis.cause.reason}. ${wayBackText(back, unit)}`,
    proof,
    failure: {
      status,
      rolledBack: back.is === 'back',
      diagnosis: { ...diagnosis, steps: [wayBackText(back, unit), ...diagnosis.steps] },
    },
  }
}

/** The status of a stack that was just deployed. */
function statusOf({ state }: Planned): string {
  return state.is === 'settled' ? 'UPDATE_COMPLETE' : 'CREATE_COMPLETE'
}

/**
 * Executes what was planned. If the stack is no longer what it was compared with, because somebody has changed or deleted it
 * since, it is compared once more: what is still the same, or a part of it, is done; anything else waits to be looked at.
 */
async function executed(
  ports: Ports,
  { fresh, deployment }: { readonly fresh: Planned; readonly deployment: Deployment },
): Promise<Attempt> {
  const { unit } = fresh
  try {
    return await execute(ports, { fresh, deployment })
  } catch (error) {
    if (!(error instanceof Refused) || error.code !== 'plan-stale') throw error
    const again = await replan(fresh, { units: deployment.organisation.units, stacks: deployment.stacks })
    if (again === undefined || !again.ok) throw error
    const { planned } = again.value
    if (planned.verdict === 'nothing') return { unit, is: 'unchanged', touched: 0 }
    if (within(planned.changes, fresh.planned.changes) && unacknowledged(planned).length === 0)
      return execute(ports, { fresh: again.value, deployment })
    const why = `${planned.stack.name} was changed since it was planned, and would now be changed in another way`
    return { unit, is: 'held', touched: 0, why, replanned: planned }
  }
}

/** Why a unit is not begun when the run was asked to stop. */
export const stopped = 'because the run was stopped'

function blockedBy({ is, unit: earlier, why }: Attempt, unit: Unit): Attempt {
  if (is === 'held') return { unit, is: 'held', touched: 0, ...(why !== undefined && { why }) }
  return {
    unit,
    is: 'skipped',
    touched: 0,
    why: why === stopped ? stopped : `because ${earlier.id} ${is === 'failed' ? 'failed' : 'was skipped'}`,
  }
}

/**
 * A unit whose environment was still to be deployed is rendered again with what the environment really gives out. With a reviewed plan its
 * changes must be among those that were reviewed.
 */
async function refreshed(planned: Planned, { organisation, stacks, reviewed }: Deployment): Promise<Planned | Attempt> {
  const { unit } = planned
  let now = planned
  // What is stuck is mended now that its turn has come.
  if (planned.planned.predicted || (planned.state.is === 'stuck' && planned.state.recovers !== undefined)) {
    const again = await replan(planned, { units: organisation.units, stacks })
    if (again === undefined)
      return { unit, is: 'skipped', touched: 0, why: 'because what it builds on is not deployed' }
    if (!again.ok) return { unit, is: 'failed', touched: 0, why: problemLine(again.problems) }
    now = again.value
  }
  const then = reviewed?.units.find((each) => each.unit === unit.id)
  if (then !== undefined && !within(now.planned.changes, then.changes)) {
    throw new Refused('plan-stale', `${unit.id} would change in another way than was reviewed.`, {
      remedy: 'Make the plan again and have that one reviewed: `protium plan --out FILE`.',
    })
  }
  return now
}

function problemLine(problems: readonly Problem[]): string {
  const [first] = problems
  return first === undefined ? '' : `${first.message} [${first.code}]`
}

async function execute(
  ports: Ports,
  { fresh, deployment }: { readonly fresh: Planned; readonly deployment: Deployment },
): Promise<Attempt> {
  const { unit, planned, preview, wanted } = fresh
  const provisioner = await deployment.stacks.of(unit)
  const position = positionOf(unit, deployment.organisation)
  const of = planned.changes.length
  const done = new Set<string>()
  const watch = new FailureWatch(fresh.part)
  const about = aboutOf(ports, { fresh, deployment })
  let last = 'unknown'
  let known: ReturnType<typeof knownOf> | undefined
  let told: Promise<void> | undefined
  let detail = ''
  // Of an update that somebody has cancelled there is no cause; there is a word, though.
  let said: string | undefined
  for await (const event of provisioner.execute(preview, wanted, ports.signal)) {
    if (event.kind === 'stack') last = event.status
    else if (event.status.endsWith('_COMPLETE') && detail === '') done.add(event.logicalId)
    if (event.status.endsWith('_FAILED')) said ??= event.reason
    if (watch.see(event)) {
      const diagnosis = watch.diagnosis()
      detail = diagnosis === undefined ? '' : causeText(diagnosis)
      // The rollback takes away what is to be seen, so it is looked for now, while the operation goes on.
      known = knownOf(provisioner, { ...about, failing: watch.failing() })
      told = tellFailing(known, { unit, watch, deployment })
      // It is waited for at the end.
      told.catch(() => undefined)
    }
    ports.reporter.unit({ ...position, is: 'deploying', detail, done: Math.min(done.size, of), of })
  }
  await told
  if (last === 'CREATE_COMPLETE' || last === 'UPDATE_COMPLETE') {
    return proved(ports, { fresh, deployment, attempt: { unit, is: 'deployed', touched: of } })
  }
  const diagnosis = watch.diagnosis(await (known ?? knownOf(provisioner, { ...about, failing: undefined })))
  const failure = { status: last, rolledBack: last.endsWith('ROLLBACK_COMPLETE') }
  return {
    unit,
    is: 'failed',
    touched: done.size,
    why: diagnosis === undefined ? redact(said ?? 'the provisioner gave no reason') : causeText(diagnosis),
    failure: { ...failure, ...(diagnosis !== undefined && { diagnosis }) },
  }
}

/** What is asked about when a unit fails. */
function aboutOf(
  { signal }: Ports,
  {
    fresh: { unit, part, wanted },
    deployment: { organisation, records, images },
  }: { readonly fresh: Planned; readonly deployment: Deployment },
): Omit<Parameters<typeof knownOf>[1], 'failing'> {
  return { unit, part, stack: wanted.stack, organisation, records, image: images?.get(unit.id), signal }
}

/** Tells of a failure as soon as it is known what is to be seen of it, which is a matter of seconds. */
async function tellFailing(
  known: ReturnType<typeof knownOf>,
  { unit, watch, deployment }: { readonly unit: Unit; readonly watch: FailureWatch; readonly deployment: Deployment },
): Promise<void> {
  const diagnosis = watch.diagnosis(await known)
  if (diagnosis !== undefined) await deployment.failing?.(unit, diagnosis)
}

/** `Service: Access denied`: what failed first, and what the cloud said of it. */
function causeText({ cause: { resource, reason } }: Diagnosis): string {
  const said = reason === '' ? 'the provisioner gave no reason' : reason
  return resource === undefined ? said : `${resource}: ${said}`
}

type Recorded = {
  readonly attempt: Attempt
  readonly started: Date
  readonly fresh: Planned
  readonly deployment: Deployment
}

/**
 * The attempt with its record. What is live and could not be recorded is not over: nobody would know of it, and an older commit would
 * go over it. The run that takes it up finds nothing to do, and records that. A failure is told of all the same.
 */
async function recorded(ports: Ports, { attempt, started, fresh, deployment }: Recorded): Promise<Attempt> {
  const told = { ...attempt, changes: fresh.planned.changes }
  try {
    const entry = await record(ports, { attempt, started, fresh, deployment })
    return entry === undefined ? told : { ...told, record: entry }
  } catch (error) {
    if (!(error instanceof Refused) || error.code === 'interrupted') throw error
    const { unit, is } = attempt
    if (is === 'failed') {
      ports.reporter.step('not recorded', `${unit.id}: ${withoutSecrets(error.message)}`)
      return told
    }
    const { code, message, remedy } = error
    throw new Refused(code, `${unit.id} is ${is}, and that could not be recorded: ${message}`, {
      remedy,
      cause: error,
      isOpen: true,
    })
  }
}

/** An attempt that found nothing to do is recorded only if it tells something new: another version or another commit. */
async function record(
  ports: Ports,
  { attempt, started, fresh, deployment }: Recorded,
): Promise<DeploymentRecord | undefined> {
  const { unit, is, why, proof, failure } = attempt
  if (is === 'skipped' || is === 'held') return undefined
  const { records, commit, images, rollback, glass } = deployment
  const image = images?.get(unit.id)
  const passed = glass?.(unit)
  const last = (await records.list(unit.id, { latest: 1 })).at(-1)
  if (is === 'unchanged') {
    if (
      rollback === undefined &&
      proof === undefined &&
      last?.outcome !== 'failed' &&
      last?.version === unit.bundle.version &&
      last.commit === commit
    )
      return undefined
  }
  const entry: DeploymentRecord = {
    format: 1,
    id: recordId(unit.id, { started, last: last?.id }),
    unit: unit.id,
    ...(unit.stage !== undefined && { stage: unit.stage.name }),
    template: unit.bundle.template,
    version: unit.bundle.version,
    ...(commit !== undefined && { commit }),
    by: ports.by,
    started: started.toISOString(),
    finished: ports.clock.now().toISOString(),
    outcome: is,
    wants: fresh.planned.wants,
    ...(why !== undefined && { evidence: [why, ...evidenceText(failure?.diagnosis?.seen ?? [])].join('\n') }),
    ...(image !== undefined && { image }),
    ...healthRecord(proof),
    ...(rollback !== undefined && { rollback }),
    ...(passed !== undefined && { glass: passed }),
  }
  await records.append(entry)
  return entry
}

function detailOf({ is, touched, why, proof }: Attempt): string {
  if (why !== undefined) return why
  const parts = [
    ...(is === 'deployed' ? [count(touched, 'resource')] : []),
    ...(proof === undefined ? [] : [proof.words]),
  ]
  return parts.join(', ')
}
