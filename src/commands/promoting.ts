import type { Json, Outcome, Ports } from '../command.ts'
import type { Binding } from '../core/binding.ts'
import { bindingText, readBinding, unreviewed } from '../core/binding.ts'
import { isLossy, planComment, surroundingsOf, verdictTitle } from '../core/comment.ts'
import type { Run } from '../core/event.ts'
import { line } from '../core/encode.ts'
import type { Before, Gate, GateFacts } from '../core/gates.ts'
import { heldGates } from '../core/gates.ts'
import { glassAlert } from '../core/glass.ts'
import { heldText, waitingSummary } from '../core/held.ts'
import type { Markdown, Url } from '../core/markdown.ts'
import { blocks, code, fence, prose } from '../core/markdown.ts'
import type { Organisation, Unit } from '../core/organisation.ts'
import type { Plan } from '../core/plan.ts'
import { planOf } from '../core/plan.ts'
import type { Problem } from '../core/problem.ts'
import { Refused } from '../core/problem.ts'
import { count, ended, list } from '../core/report.ts'
import { isLookedAfter } from '../core/resume.ts'
import type { Stage } from '../core/stage.ts'
import type { DeploymentReport } from '../core/summary.ts'
import { deploymentSummary, failureComment, mendedComment } from '../core/summary.ts'
import type { DeploymentRecord, GitHost, PullRequest, Records } from '../ports.ts'
import { announced, deploymentOf, environmentOf, subjectOf, turn } from './announcing.ts'
import type { Attempt } from './deploying.ts'
import { deployUnits } from './deploying.ts'
import type { Situation } from './gating.ts'
import {
  approvesNew,
  gaveWay,
  hold,
  judged,
  lostOrder,
  promotedUnit,
  shownSince,
  soakOf,
  stagesIn,
  unitBefore,
  wentOn,
  withDemands,
} from './gating.ts'
import { askForFollowUp, brokenGlass, glassRecord } from './glass.ts'
import { outcomeOf } from './outcome.ts'
import type { Planned } from './planning.ts'
import { planUnits } from './planning.ts'
import { stacksOf } from './stacks.ts'
import { atGitHub, madeOf, planCheck } from './posting.ts'
import { readFolder, stateFolders, unknownStage } from './reading.ts'
import { handedImages, recordedImages, withImages } from './shipping.ts'
import { failingReport, reportsOf } from './telling.ts'
import { termsOf } from './terms.ts'

export type Promotion = {
  /** Services, or `environment` for what those of a stage share. */
  readonly services: readonly string[]
  readonly stage: readonly string[]
  /** `name@sha256:…`, or `service=name@sha256:…` where there are several. */
  readonly image: readonly string[]
  readonly root: string
  readonly catalog: string | undefined
  readonly state: string
  readonly fail: readonly string[]
  /** Why what waits for time or a person is not waited for. */
  readonly breakGlass: string | undefined
}

type Result = Outcome<{ readonly units: Json }>

/**
 * Deploys a merged commit to one stage, as a job of a workflow: after the stage before has been proved with this very commit and
 * version, never over a newer commit, bound to what was reviewed on the pull request, and when every gate of the stage is open.
 * GitHub gets a deployment with its statuses, the ledger a record of each attempt, the board what waits.
 */
export async function promote(ports: Ports, options: Promotion): Promise<Result> {
  const { services, root, catalog: folder, state, fail } = options
  const { run, github } = await atGitHub(ports)
  await checkMerged(ports, { run, root })
  const { organisation: read, sources } = await readFolder(ports, root, {
    services,
    ...(folder !== undefined && { catalog: folder }),
  })
  const bad = (problems: readonly Problem[]): Result => ({
    exit: 'bad-input',
    data: { units: [] },
    text: () => '',
    problems,
    sources,
  })
  if (!read.ok) return bad(read.problems)
  const organisation = read.value
  const chosen = chooseUnits(organisation, options)
  if ('problems' in chosen) return bad(chosen.problems)
  const { stage, own, needed } = chosen
  const handed = handedImages(options.image, { units: own, stage })
  if (handed.problems.length > 0) return bad(handed.problems)
  if (own.length === 0) return done(`Nothing of ${list(services)} is in ${stage.name}.`)
  const folders = stateFolders(root, state)
  const records = await ports.records(folders.records)
  const history = await historyOf(records, own)
  const isApart = folder !== undefined && folder !== root
  const { catalog } = organisation
  // Who starts a job again breaks the glass himself; what is started again by itself breaks nothing.
  const isBroken = options.breakGlass !== undefined && !(run.attempt > 1 && run.actor.endsWith('[bot]'))
  const glass = isBroken ? await brokenGlass(ports, { reason: options.breakGlass, catalog }) : undefined
  const board = await ports.board(folders.records)
  const isLabelled = isLookedAfter(catalog, `${run.repository.owner}/${run.repository.name}`)
  const place = { github, board, run, catalog, stage, own, isLabelled }
  const order = await orderOf(ports, { root, organisation, own, history, stage, records, commit: run.commit }).catch(
    async (error: unknown) => {
      if (error instanceof Refused && outOfTurn.includes(error.code))
        await lostOrder(ports, { ...place, pull: undefined }, error.message)
      throw error
    },
  )
  if ('commit' in order) {
    await gaveWay(ports, { ...place, pull: undefined }, order.commit)
    return overtaken(order, { own, stage, commit: run.commit })
  }
  await using _run = await turn(ports, folders.stacks)
  const terms = termsOf(ports, { catalog: organisation.catalog, isApart })
  const last = async ({ id }: Pick<Unit, 'id'>): Promise<string | undefined> => history.get(id)?.at(-1)?.wants
  await using stacks = stacksOf(ports, {
    folder: folders.stacks,
    fail,
    for: 'deployment',
    terms,
    last,
    policy: 'gated',
  })
  const mine = new Set(own.map(({ id }) => id))
  const planWith = async (shipped: ReadonlyMap<string, string>) => {
    const planned = await planUnits(withImages(needed, shipped), stacks)
    if (planned.ok) checkHomes(planned.value, own)
    return planned.ok ? { ...planned, value: planned.value.filter(({ unit }) => mine.has(unit.id)) } : planned
  }
  const before = recordedImages(own, history)
  const after = new Map([...before, ...handed.images])
  // What was reviewed is what the files say; which image the build would hand over nobody knew then.
  const asReviewed = await planWith(before)
  const planned = same(before, after) ? asReviewed : await planWith(after)
  if (!asReviewed.ok) return bad(asReviewed.problems)
  if (!planned.ok) return bad(planned.problems)
  const pull = await github.pullRequestOf(run.commit)
  const plan = planOf(
    withDemands(
      asReviewed.value.map((each) => each.planned),
      { catalog, stagesOf: stagesIn(organisation) },
    ),
  )
  const situation = { ...place, pull }
  const unseen = await heldBack(ports, { situation, plan, organisation })
  // What changes nothing asks nobody.
  const isBusy = planned.value.some((each) => each.planned.verdict !== 'nothing')
  const gates = isBusy
    ? await judged(ports, situation, { planned: planned.value, before: order.open, binding: unseen, glass, root })
    : []
  const changes = planned.value.reduce((sum, each) => sum + each.planned.changes.length, 0)
  const subject = subjectOf(own)
  const announcement = {
    github,
    run,
    own,
    environment: environmentOf(own, stage.name),
    isProduction: stage.production,
    key: `${subject}/${stage.name} ${run.commit} ${run.id}`,
    commit: run.commit,
    description: `${subject} to ${stage.name}: ${count(changes, 'change')}`,
  }
  const { run: log } = madeOf(ports, { run, commit: run.commit })
  if (heldGates(gates).length > 0) {
    await hold(ports, situation, { gates, deployment: async () => deploymentOf(announcement), log })
    const problems = [...read.problems, ...planned.problems]
    return { ...waits(situation, { gates, page: unseen?.page }), problems, sources }
  }
  const skipped = gates.filter(({ is }) => is === 'skipped')
  const broken = glass && { unit: promotedUnit(situation), commit: run.commit, glass, skipped }
  // Before anything is done, so that no end of this run leaves it out.
  if (broken !== undefined) await askForFollowUp(ports, { github, pull, broken })
  const deployment = await announced(ports, announcement)
  const attempts = await deployment.during(async () =>
    deployUnits(ports, {
      organisation,
      planned: planned.value,
      stacks,
      records,
      commit: run.commit,
      images: after,
      glass: () => glassRecord(glass, gates).glass,
      // All gates of this stage are open.
      approve: async () => true,
      failing: async (unit, diagnosis) =>
        tellFailure(ports, { github, pull, report: failingReport(unit, diagnosis), log }),
    }),
  )
  const outcome = outcomeOf(attempts, { organisation, again: '', folders: '' })
  const reports = reportsOf(attempts, {
    organisation,
    stage,
    history,
    trigger: `${pull === undefined ? 'push' : `merge of pull request ${pull.number}`} by ${run.actor}`,
  })
  for (const report of reports) {
    if (report.outcome === 'failed') await tellFailure(ports, { github, pull, report, log })
    else if (history.get(report.unit)?.at(-1)?.outcome === 'failed')
      await tellMended(ports, { github, pull, unit: report.unit, commit: run.commit })
  }
  const late = lateGates(attempts, ports.clock.now())
  if (outcome.exit === 'needs-approval' && late.length > 0)
    await hold(ports, situation, { gates: late, deployment: async () => deployment.id, log })
  else await wentOn(ports, situation, { words: endOf(attempts), isDeployed: outcome.exit === 'done', root })
  const page = deploymentSummary(reports, { ...(log !== undefined && { run: log }) })
  return {
    ...outcome,
    next: [],
    page: broken === undefined ? page : blocks([page, glassAlert(broken)]),
    problems: [...read.problems, ...planned.problems],
    sources,
  }
}

/** What was found to be held when its turn had come: it could not be known before, or has changed since. */
function lateGates(attempts: readonly Attempt[], now: Date): readonly Gate[] {
  return attempts.flatMap(({ unit, is, why = '', losses, replanned }): readonly Gate[] => {
    if (is !== 'held') return []
    const gate = { is, why: `${unit.id}: ${ended(why)}`, since: now.toISOString() } as const
    if (losses !== undefined) return [{ gate: 'guard', ...gate }]
    return replanned === undefined ? [] : [{ gate: 'binding', ...gate }]
  })
}

/** What came of it in a word. */
function endOf(attempts: readonly Attempt[]): string {
  if (attempts.some(({ is }) => is === 'failed')) return 'failed'
  return attempts.some(({ is }) => is === 'skipped' || is === 'held') ? 'stopped' : 'deployed'
}

/** A gate is held: nothing was touched, and it is said what it waits for. */
function waits(
  situation: Situation,
  { gates, page }: { readonly gates: readonly Gate[]; readonly page: Markdown | undefined },
): Result {
  const { own, run } = situation
  const unit = promotedUnit(situation)
  const why = heldText(gates)
  const told = gates.map((gate) => ({ ...gate, by: gate.by ?? [] }))
  const summary = waitingSummary({ unit, commit: run.commit, gates })
  return {
    exit: 'needs-approval',
    data: { units: own.map(({ id }) => ({ unit: id, outcome: 'held', touched: 0, why, failure: null, gates: told })) },
    text: () => line(`Held: ${unit} waits, and nothing was touched. ${why}`),
    page: page === undefined ? summary : blocks([summary, page]),
  }
}

type Told = { readonly github: GitHost; readonly pull: PullRequest | undefined }

/** The failure of a unit on the pull request that was merged: one comment, edited as more is known. */
async function tellFailure(
  ports: Ports,
  { github, pull, report, log }: Told & { readonly report: DeploymentReport; readonly log: Url | undefined },
): Promise<void> {
  if (pull === undefined) return
  const body = failureComment(report, { ...(log !== undefined && { run: log }) })
  const wanted = { pullRequest: pull.number, kind: 'failure', subject: report.unit, body }
  await told(ports, github.comment(wanted))
}

/** A comment that told of a failure says so when the unit is deployed after all, where the pull request is the same. */
async function tellMended(
  ports: Ports,
  { github, pull, unit, commit }: Told & { readonly unit: string; readonly commit: string },
): Promise<void> {
  if (pull === undefined) return
  const body = mendedComment({ unit, commit })
  const wanted = { pullRequest: pull.number, kind: 'failure', subject: unit, body, onlyIfThere: true } as const
  await told(ports, github.comment(wanted))
}

/** What cannot be told on the pull request is in the log and the summary all the same, and ends no deployment. */
async function told(ports: Ports, telling: Promise<unknown>): Promise<void> {
  try {
    await telling
  } catch (error) {
    if (!(error instanceof Refused)) throw error
    ports.reporter.step('not told on the pull request', error.message)
  }
}

function done(words: string): Result {
  return { exit: 'done', data: { units: [] }, text: () => words }
}

/** Only what is on the default branch is deployed. GitHub's expressions compare without regard to case; here it is regarded. */
async function checkMerged(ports: Ports, { run, root }: { readonly run: Run; readonly root: string }): Promise<void> {
  const { about, defaultBranch, commit, ref } = run
  const isPush = about.is === 'push' && about.branch === defaultBranch
  // By hand, of what is on the default branch: in an emergency, say.
  const isDispatch =
    about.is === 'other' && about.event === 'workflow_dispatch' && ref === `refs/heads/${defaultBranch}`
  if (!isPush && !isDispatch) {
    throw new Refused('not-merged', `Only what is pushed to ${defaultBranch} is deployed.`, {
      remedy: 'Merge the pull request; the workflow on `push` deploys it.',
    })
  }
  const here = await ports.files.commit(root)
  if (here !== undefined && here !== commit) {
    throw new Refused('not-merged', `The files are those of commit ${here}, and the run is about ${commit}.`, {
      remedy: 'Check out the commit of the run: `actions/checkout` without a `ref`.',
    })
  }
}

type Chosen = {
  readonly stage: Stage
  /** What this job deploys. */
  readonly own: readonly Unit[]
  /** The same with what it is rendered with. */
  readonly needed: readonly Unit[]
}

function chooseUnits(
  { catalog, units, services: all }: Organisation,
  { services, stage: names }: Promotion,
): Chosen | { readonly problems: readonly Problem[] } {
  const [name = '', ...others] = names
  const stage = catalog.stages.find((each) => each.name === name)
  if (stage === undefined || others.length > 0) return { problems: [unknownStage(names.join(', '), catalog)] }
  const isHome = (unit: Unit): boolean => unit.kind === 'environment' && unit.environment.name === stage.environment
  const homes = units.filter(isHome)
  if (services.length === 1 && services[0] === 'environment') {
    // Stages that share an environment find it deployed by the first of them.
    const isFirst = catalog.stages.find(({ environment }) => environment === stage.environment) === stage
    return { stage, own: isFirst ? homes : [], needed: homes }
  }
  const last = new Map(all.map((each) => [each.service, each.stages.at(-1)?.stage.name]))
  const own = units.filter(({ kind, service, stage: at }) => {
    if (service === undefined || !services.includes(service.service)) return false
    // A pipeline serves all instances, so it comes when they are there.
    return kind === 'pipeline' ? last.get(service.service) === stage.name : at?.name === stage.name
  })
  const served = own.filter(({ kind }) => kind === 'pipeline').map(({ service }) => service?.service)
  const needed = units.filter(
    (unit) =>
      own.includes(unit) ||
      isHome(unit) ||
      (served.length > 0 && (unit.kind === 'environment' || served.includes(unit.service?.service))),
  )
  return { stage, own, needed }
}

/** The latest records of units, the newest last. */
export type History = ReadonlyMap<string, readonly DeploymentRecord[]>

async function historyOf(records: Records, units: readonly Unit[]): Promise<History> {
  const found = units.map(async ({ id }) => [id, await records.list(id, { latest: 20 })] as const)
  return new Map(await Promise.all(found))
}

/** A newer commit, and where it was met. */
type Newer = { readonly unit: string; readonly commit: string }

/**
 * The newest commit wins: one that was overtaken changes nothing, whether it came late or its run was started again. It is said,
 * on the run and in its summary; what it would have brought comes with the newer one.
 */
function overtaken(
  { unit, commit: newer }: Newer,
  { own, stage, commit }: { readonly own: readonly Unit[]; readonly stage: Stage; readonly commit: string },
): Result {
  const subject = list(own.map(({ id }) => id))
  const [mine, theirs] = [commit.slice(0, 7), newer.slice(0, 7)]
  const where = own.some(({ id }) => id === unit) ? 'there' : `to ${unit}`
  const why = `the newer commit ${theirs} was deployed ${where} already`
  const problem: Problem = {
    code: 'commit-overtaken',
    severity: 'warning',
    message: `${subject} is not deployed from ${mine}: ${why}. Nothing was changed.`,
    remedy: `Nothing is to be done: ${theirs} holds what ${mine} brought. How it fares in ${stage.name} is told by its own run.`,
  }
  return {
    exit: 'done',
    data: { units: own.map(({ id }) => ({ unit: id, outcome: 'overtaken', touched: 0, why, failure: null })) },
    text: () => `${subject}: overtaken by ${theirs}.`,
    page: prose`## ${subject}: overtaken by ${code(theirs)}`,
    problems: [problem],
  }
}

/** The newer commit that was deployed to one of the units before this one. */
async function newerOf(
  ports: Ports,
  {
    root,
    commit,
    own,
    history,
  }: { readonly root: string; readonly commit: string; readonly own: readonly Unit[]; readonly history: History },
): Promise<Newer | undefined> {
  for (const { id } of own) {
    const last = history.get(id)?.at(-1)
    if (last?.commit !== undefined && (await isNewer(ports, { root, commit, than: last.commit })))
      return { unit: id, commit: last.commit }
  }
  return undefined
}

async function isNewer(
  ports: Ports,
  { root, commit, than }: { readonly root: string; readonly commit: string; readonly than: string },
): Promise<boolean> {
  return than !== commit && (await ports.files.isBefore(root, { older: commit, newer: than })) === true
}

const outOfTurn: readonly string[] = ['rolled-back', 'stage-not-proved']

/**
 * Whether it is the turn of a commit: a newer one that has overtaken it, or what the stages before have. Throws `Refused` where it is
 * not (`rolled-back`, `stage-not-proved`).
 */
async function orderOf(
  ports: Ports,
  wanted: {
    readonly root: string
    readonly organisation: Organisation
    readonly own: readonly Unit[]
    readonly history: History
    readonly stage: Stage
    readonly commit: string
    readonly records: Records
  },
): Promise<Newer | { readonly open: readonly Before[] }> {
  await checkRolledBack(ports, wanted)
  return (await newerOf(ports, wanted)) ?? orderBefore(ports, wanted)
}

/**
 * What was gone back from stays away until there is a new commit: the same one would bring the same trouble. So do those before
 * it that still wait for their turn: they were to be live before it was.
 */
async function checkRolledBack(
  ports: Ports,
  {
    root,
    own,
    history,
    commit,
  }: { readonly root: string; readonly own: readonly Unit[]; readonly history: History; readonly commit: string },
): Promise<void> {
  for (const { id } of own) {
    const records = history.get(id) ?? []
    const { rollback, by, commit: live } = records.findLast((record) => record.rollback !== undefined) ?? {}
    const { from, reason } = rollback ?? {}
    const isOver = live !== records.at(-1)?.commit
    if (from === undefined || isOver || commit === live) continue
    if (from !== commit && !(await isNewer(ports, { root, commit, than: from }))) continue
    const why = reason === undefined ? '' : `, who says: ${line(reason)}`
    throw new Refused(
      'rolled-back',
      `${id} was rolled back from commit ${from.slice(0, 7)} by ${by ?? 'somebody'}${why}.`,
      {
        remedy: 'Mend what was wrong and push: a new commit goes through the stages again.',
      },
    )
  }
}

/**
 * A stage comes after the one before it was deployed with this commit and this version; otherwise it is refused. A newer failure
 * beats an older success. Where commits follow each other closely, a newer one may have passed the stage before meanwhile: that
 * does not undo what was proved; and if it passed there instead of this one, it has overtaken it, and is given back.
 */
async function orderBefore(
  ports: Ports,
  {
    root,
    organisation,
    own,
    stage,
    commit,
    records,
  }: {
    readonly root: string
    readonly organisation: Organisation
    readonly own: readonly Unit[]
    readonly stage: Stage
    readonly commit: string
    readonly records: Records
  },
): Promise<Newer | { readonly open: readonly Before[] }> {
  const open: Before[] = []
  for (const unit of own) {
    const previous = unitBefore(unit, { ...organisation, stage })
    if (previous === undefined) continue
    const last = (await records.list(previous.id, { latest: 1 })).at(-1)
    const isOurs = last?.commit === commit
    const isPassed = last?.commit !== undefined && (await isNewer(ports, { root, commit, than: last.commit }))
    const ours = isPassed
      ? (await records.list(previous.id, { latest: manyRecords })).findLast((record) => record.commit === commit)
      : isOurs
        ? last
        : undefined
    if (isPassed && ours === undefined) return { unit: previous.id, commit: last.commit ?? '' }
    const { version } = previous.bundle
    if (isGood(last) && isGood(ours) && ours?.version === version) {
      const soak = soakOf(previous, { ...organisation, stage })
      const all = soak === undefined ? [ours] : await records.list(previous.id, { latest: manyRecords })
      open.push({ unit: previous.id, commit, version, ...(soak !== undefined && { soak }), records: all })
      continue
    }
    throw new Refused(
      'stage-not-proved',
      `${unit.id} is not deployed before ${previous.id} was, with commit ${commit.slice(0, 7)}: ${saidOf(last, commit)}.`,
      {
        remedy: `Run the job of ${previous.stage?.name ?? previous.environment.name} again, and this one after it.`,
      },
    )
  }
  return { open }
}

/** As many commits may pass a stage while another one is on its way to the next. */
const manyRecords = 50

function isGood(record: DeploymentRecord | undefined): boolean {
  return record?.outcome === 'deployed' || record?.outcome === 'unchanged'
}

function saidOf(last: DeploymentRecord | undefined, commit: string): string {
  if (last === undefined) return 'it was never deployed there'
  if (last.commit === commit) return `its last deployment there is ${last.outcome}`
  return `what was deployed there last is ${last.commit?.slice(0, 7) ?? 'of no commit'} (${last.outcome})`
}

/** What is built on an environment that is not there would be left out, in silence or after half of the work. */
function checkHomes(planned: readonly Planned[], own: readonly Unit[]): void {
  const isOwn = ({ unit }: Planned): boolean => own.some(({ id }) => id === unit.id)
  for (const home of planned.filter((each) => each.unit.kind === 'environment' && !isOwn(each))) {
    const inside = own.filter(({ environment }) => environment.name === home.unit.environment.name)
    if (inside.length === 0 || home.state.is === 'settled') continue
    const how = home.state.is === 'stuck' ? `is not in order (${home.state.status})` : 'is not deployed'
    throw new Refused(
      'environment-missing',
      `${home.unit.id} ${how}, and ${list(inside.map(({ id }) => id))} builds on what it gives out. Nothing was touched.`,
      {
        remedy: `Deploy the environment first: run the job \`environments\` again where it failed, or merge a change of ${home.unit.environment.document.file}, which begins it. Then run this job again.`,
      },
    )
  }
}

function same(a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): boolean {
  return a.size === b.size && [...a].every(([key, value]) => b.get(key) === value)
}

/**
 * What people have not seen is held in production, where a stage asks for an approval, and wherever something would be replaced or
 * deleted; the new plan is posted.
 * It is approved by a person who starts the job again, or by a review that comes after it. Elsewhere it goes on.
 */
async function heldBack(
  ports: Ports,
  {
    situation,
    plan,
    organisation,
  }: { readonly situation: Situation; readonly plan: Plan; readonly organisation: Organisation },
): Promise<Unseen | undefined> {
  if (plan.units.every(({ verdict }) => verdict === 'nothing')) return undefined
  const { github, run, pull, stage } = situation
  // Of one commit several services may be held, each with a plan of its own.
  const name = `${planCheck} ${promotedUnit(situation)}`
  // An approval is of what was seen.
  const isBound = stage.production || stage.approval !== undefined
  const mayBeApproved = run.attempt > 1 && (isBound || isLossy(plan))
  const check = mayBeApproved ? await github.checkOn(run.commit, name) : undefined
  const posted = check?.text === undefined ? undefined : readBinding(check.text)
  const isPosted = posted !== undefined && unreviewed(posted, plan).length === 0
  const shown = isPosted ? await shownSince(situation, check?.at) : undefined
  // Whoever approves has the plan that was posted before him.
  if (isPosted && (await approvesNew(ports, situation, shown))) return undefined
  const reviewed = pull === undefined ? undefined : await bindingOn(github, pull.head.commit)
  const others = unreviewed(reviewed ?? new Map(), plan)
  if (others.length === 0) return undefined
  const unseen = planOf(plan.units.filter(({ unit }) => others.some((each) => each.unit === unit)))
  if (!isBound && !isLossy(unseen)) {
    ports.reporter.step(
      'not as reviewed',
      `${list(others.map(({ unit }) => unit))} would change otherwise; nothing is replaced or deleted, so it goes on`,
    )
    return undefined
  }
  const made = madeOf(ports, { run, commit: run.commit })
  const page = planComment(plan, { around: surroundingsOf(organisation), made })
  const why =
    reviewed === undefined ? 'No plan of it was reviewed' : `It is not what was reviewed on #${pull?.number ?? 0}`
  await github.check({
    commit: run.commit,
    name,
    conclusion: 'action_required',
    title: `Held in ${stage.name}: ${verdictTitle(plan)}`,
    summary: page,
    key: plan.digest,
    text: fence(bindingText(plan), 'json'),
    ...(made.run !== undefined && { details: made.run }),
  })
  const { approval } = stage
  return {
    why: `${why}: ${count(others.length, 'unit')} would change in ${stage.name}. The new plan is the check ${name} of this commit; run this job again to approve it.`,
    since: shown ?? ports.clock.now().toISOString(),
    ...(approval !== undefined && { by: approval.by }),
    page,
  }
}

/** Why a plan is not what people have seen, since when it is shown, and the plan. */
type Unseen = NonNullable<GateFacts['binding']> & { readonly page: Markdown }

async function bindingOn(github: GitHost, commit: string): Promise<Binding | undefined> {
  const check = await github.checkOn(commit, planCheck)
  return check?.text === undefined ? undefined : readBinding(check.text)
}
