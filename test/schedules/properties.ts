import { bindingText, readBinding, unreviewed } from '../../src/core/binding.ts'
import { line } from '../../src/core/encode.ts'
import { heldText } from '../../src/core/held.ts'
import { shorten } from '../../src/core/markdown.ts'
import { planOf } from '../../src/core/plan.ts'
import { planCheck } from '../../src/commands/posting.ts'
import type { DeploymentRecord } from '../../src/ports.ts'
import type { Waiting } from '../../src/core/board.ts'
import type { Job, Run } from './hub.ts'
import type { Begun, Play } from './play.ts'
import type { StageName } from './shop.ts'
import { isFrozen, mostInProduction, soaks, stages } from './shop.ts'

/** What has to be so of whatever is begun in a stage, by what is true and not by what was judged. */
export function gateFaults(play: Play, begun: Begun): readonly string[] {
  const { by, unit, changes, at } = begun
  const { job, run, commit, records, facts } = by
  const stage = stages.find((each) => each === job.stage)
  if (stage === undefined) return []
  const who = `${unit} at ${new Date(at).toISOString()} by ${by.actor.name}`
  const isBot = job.by.endsWith('[bot]')
  const isBroken = by.isBroken && facts.some(({ mayBreak }) => mayBreak) && !(job.attempt > 1 && isBot)
  const before = stages[stages.indexOf(stage) - 1]
  const faults: string[] = []
  if (before !== undefined) {
    // What was written between is known to nobody who has fetched the ledger before.
    const known = [records, play.hub.records].map((all) => all.filter((each) => each.unit === `${job.chain}/${before}`))
    if (!known.some((all) => isInOrder(all, commit.sha))) faults.push('order')
    if (!isBroken && !known.some((all) => hasSoaked(all, { sha: commit.sha, stage: before, at }))) faults.push('soak')
  }
  if (stage === 'prod') {
    if (!isBroken && isFrozen(by.began) && isFrozen(at)) faults.push('freeze')
    if (!isBroken && facts.every(({ isApproved }) => !isApproved)) faults.push('approval')
    if (commit.wishes[job.chain === 'cart' ? 'cart' : 'mail'].size > mostInProduction) faults.push('policy')
    if (!isSeen(play, begun)) faults.push('binding')
  }
  if (facts.every(({ isLocked }) => isLocked)) faults.push('lock')
  if (changes.some(({ action, type }) => action === 'delete' && type === 'AWS::DynamoDB::Table')) faults.push('guard')
  const last = play.begun.findLast((each) => each !== begun && each.unit === unit && !each.fails)
  const place = (sha: string | undefined): number => play.main.findIndex((each) => each.sha === sha)
  if (last !== undefined && place(last.by.commit.sha) > place(commit.sha) && isKnown(last, begun))
    faults.push('an older commit')
  if (last !== undefined && last.by.commit.sha === commit.sha) faults.push('twice')
  return faults.map((fault) => `${who}, run ${run.id}: ${fault}`)
}

/** What became of a runner that was lost is told by the end of its run; who has begun before that cannot know. */
function isKnown({ by: { run, job, result } }: Begun, { by: { began } }: Begun): boolean {
  const settling = run.jobs.find(({ chain, stage }) => chain === job.chain && stage === 'settle')
  // Who stops a job says himself what comes next.
  if (result === 'cancelled') return false
  return job.exit !== '' || (settling?.ended ?? Infinity) < began
}

function isGood({ outcome }: DeploymentRecord): boolean {
  return outcome === 'deployed' || outcome === 'unchanged'
}

function isInOrder(records: readonly DeploymentRecord[], sha: string): boolean {
  const [last, own] = [records.at(-1), records.findLast(({ commit }) => commit === sha)]
  return last !== undefined && isGood(last) && own !== undefined && isGood(own)
}

function hasSoaked(
  records: readonly DeploymentRecord[],
  { sha, stage, at }: { readonly sha: string; readonly stage: StageName; readonly at: number },
): boolean {
  const failed = records.findLastIndex(({ outcome }) => outcome === 'failed')
  return records.slice(failed + 1).some(({ commit, finished, ...record }) => {
    const isOwn = commit === sha && (record.outcome === 'deployed' || record.outcome === 'unchanged')
    return isOwn && at - Date.parse(finished) >= soaks[stage]
  })
}

/** Whether people have seen what is done: on the pull request, or afterwards, and then somebody has agreed. */
function isSeen({ hub }: Play, { by: { job, run, commit }, unit, changes }: Begun): boolean {
  const { pull } = commit
  if (pull === undefined) return false
  const covers = (sha: string, check: string): boolean => {
    const text = hub.checks.get(`${sha} ${check}`)?.text
    const binding = text === undefined ? undefined : readBinding(text)
    const stack = { name: unit, account: '', region: '' }
    const facts = { stack, template: '', rendered: '', predicted: false, wants: '', against: '' }
    const plan = planOf([{ ...facts, unit, verdict: 'update', changes }])
    // Outputs alone are shown as such.
    return binding !== undefined && (unreviewed(binding, plan).length === 0 || bindingText(plan) === text)
  }
  if (covers(pull.head, planCheck)) return true
  if (!covers(commit.sha, `${planCheck} ${unit}`)) return false
  const may = (by: string): boolean => by !== pull.author && !pull.committers.includes(by)
  const isAgain = job.attempt > 1 && may(job.by) && !job.by.endsWith('[bot]')
  const isReviewed = pull.reviews.some(({ by, is }) => is !== 'commented' && is !== 'refused' && may(by))
  return isAgain || isReviewed || run.approvals.length >= job.attempt
}

/** Whether what is shown agrees with what is so, when no job runs. */
export function shownFaults(play: Play): readonly string[] {
  const { hub } = play
  const faults: string[] = []
  const runs = [...hub.runs.values()]
  const isTold = (run: Run): boolean =>
    hub.isOver(run) &&
    !play.untold.has('all') &&
    !play.untold.has(run.sha) &&
    !run.jobs.some(({ stage, result }) => stage === 'settle' && result === 'failure')
  for (const entry of hub.board.waiting) {
    const run = hub.runs.get(entry.run.id)
    if (run === undefined) faults.push(`${nameOf(entry)} is of no run`)
    else if (isTold(run)) faults.push(...entryFaults(play, entry, run))
  }
  for (const { key, commit, statuses } of hub.deployments) {
    const [place = '', , id = ''] = key.split(' ')
    const run = hub.runs.get(id)
    if (run === undefined || !isTold(run)) continue
    const state = statuses.at(-1)?.state
    const waits = hub.board.waiting.some((each) => each.unit === place && each.commit === commit)
    if (state === 'in_progress' || state === undefined) faults.push(`${key}: ${state ?? 'nothing'}, and nothing runs`)
    if (state === 'queued' && !waits) faults.push(`${key}: queued, and nothing waits`)
    if (state === 'success' && waits && !isAsked(play, { unit: place, commit, run: id }))
      faults.push(`${key}: success, and it waits`)
  }
  for (const pull of hub.pulls) {
    for (const [key, text] of pull.comments) {
      const [kind, unit] = key.split(' ')
      if (kind !== 'waiting' || !/^### .*: waits$/mu.test(text)) continue
      const isUnderWay = runs.some((run) => run.sha === pull.commit && !isTold(run))
      const waits = hub.board.waiting.some((each) => each.unit === unit && each.commit === pull.commit)
      if (!waits && !isUnderWay) faults.push(`#${pull.number} says that ${unit} waits, and it does not`)
    }
  }
  for (const run of runs) {
    const isSettled = run.jobs.every(({ stage, result }) => stage !== 'settle' || result !== 'failure')
    if (hub.isOver(run) && isSettled) faults.push(...lostFaults(play, run))
  }
  return faults
}

/**
 * Its runner was lost when all was done, and it is started for the stages after it; or it was stopped then, and another run of the
 * commit, which had it before, goes on to the stages after it.
 */
function isAsked(
  { hub }: Play,
  { unit, commit, run }: { readonly unit: string; readonly commit: string; readonly run: string },
): boolean {
  const entry = hub.board.waiting.find((each) => each.unit === unit && each.commit === commit)
  return entry !== undefined && (entry.lost !== undefined || entry.run.id !== run)
}

function nameOf({ unit, commit, run }: Waiting): string {
  return `${unit} ${commit.slice(0, 7)} of run ${run.id}.${run.attempt}`
}

function entryFaults({ hub, main }: Play, entry: Waiting, run: Run): readonly string[] {
  const { unit, commit, gates, lost, started } = entry
  const faults: string[] = []
  if (gates.length === 0) faults.push(`${nameOf(entry)} waits for nothing`)
  const deployment = hub.deployments.find(({ key }) => key === `${unit} ${commit} ${run.id}`)
  const newest = deployment?.statuses.at(-1)
  // What was lost before it said anything has no deployment; the run is shown as failed.
  if (newest === undefined) {
    if (lost === undefined) faults.push(`${nameOf(entry)} has no deployment`)
    return faults
  }
  // A newer one has taken its place, or another run of the commit was stopped when all was done, and was cut off while it said so:
  // who deploys next says it again.
  const place = (sha: string): number => main.findIndex((each) => each.sha === sha)
  const passed = hub.records.filter((each) => each.unit === unit && isGood(each))
  if (passed.some(({ commit: sha = '' }) => place(sha) >= place(commit))) return []
  if (lost !== undefined || (started !== undefined && started.attempt >= entry.run.attempt)) return faults
  const isEnded = gates.every(({ gate, why }) => gate === 'order' && /Merge a new commit/u.test(why))
  const words = isEnded ? (gates[0]?.why ?? '') : heldText(gates)
  const wanted = `${isEnded ? 'error' : 'queued'} ${shorten(line(words), 140)}`
  const shown = `${newest.state} ${newest.description}`
  if (shown !== wanted) faults.push(`${nameOf(entry)} is shown as "${shown}", and waits for "${wanted}"`)
  const text = hub.pulls.find((each) => each.commit === commit)?.comments.get(`waiting ${unit}`)
  if (text === undefined || !/^### .*: waits$/mu.test(text))
    faults.push(`${nameOf(entry)}: no comment says that it waits`)
  return faults
}

/** Every promotion ends: deployed, superseded, failed and told, stopped by somebody, cancelled, or it waits. */
function lostFaults({ hub, main, untold, cancelled }: Play, run: Run): readonly string[] {
  const isUntold = untold.has('all') || untold.has(run.sha)
  const place = (sha: string): number => main.findIndex((each) => each.sha === sha)
  const isOvertaken = ({ chain, stage }: Job): boolean =>
    [...hub.runs.values()].some(
      ({ id, sha, jobs }) =>
        id !== run.id &&
        place(sha) >= place(run.sha) &&
        jobs.some((each) => each.chain === chain && each.stage === stage && each.result === 'success'),
    )
  // Another run of the same commit, one that breaks the glass, has tried, and told how it ended.
  const isTakenOn = ({ chain, stage }: Job): boolean =>
    hub.records.some(({ unit, commit }) => unit === `${chain}/${stage}` && commit === run.sha)
  const faults: string[] = []
  for (const job of run.jobs) {
    if (job.stage === 'settle' || job.result === 'skipped' || job.result === 'success') continue
    const unit = `${job.chain}/${job.stage}`
    const waits = hub.board.waiting.some((each) => each.unit === unit && each.commit === run.sha)
    const state = stateOf(hub.deployments, `${unit} ${run.sha} ${run.id}`)
    if (waits || job.result === 'cancelled') continue
    // A job that has failed says so itself, in its summary and with its marks; what it was told is checked elsewhere.
    if (job.exit === 'failed' || job.exit === 'unfinished') continue
    if (state === 'inactive' || state === 'success' || state === 'failure') continue
    // Of what was lost before it said anything there is nothing that could say what became of it.
    if ((state === 'no deployment' || isUntold) && cancelled.has(`${unit} ${run.sha}`)) continue
    if ((isOvertaken(job) || isTakenOn(job)) && (state === 'no deployment' || isUntold)) continue
    faults.push(
      `${unit} ${run.sha.slice(0, 7)} of run ${run.id}: ${job.result} ${job.exit}, ${state}, and it does not wait`,
    )
  }
  return faults
}

function stateOf(deployments: Play['hub']['deployments'], key: string): string {
  return deployments.find((each) => each.key === key)?.statuses.at(-1)?.state ?? 'no deployment'
}

/** Whether what is recorded, shown and live agrees, when all that could be done was done. */
export function endFaults(play: Play): readonly string[] {
  const { hub, untold } = play
  const isMuted = (commit = ''): boolean => untold.has('all') || untold.has(commit)
  const faults: string[] = []
  for (const entry of hub.board.waiting) {
    const held = entry.gates.map(({ gate }) => gate)
    const isForGood = entry.gates.some(
      ({ gate, until, why }) =>
        gate === 'guard' ||
        gate === 'policy' ||
        gate === 'order' ||
        (gate === 'soak' && until === undefined && /failed/u.test(why)) ||
        // Many that wait go on one after the other, and the next weekend comes.
        (until !== undefined && Date.parse(until) > play.turns.now()),
    )
    if (!isForGood && (entry.lost ?? 0) <= 3) faults.push(`${nameOf(entry)} waits to the end for ${held.join(', ')}`)
  }
  for (const { key, commit, statuses } of hub.deployments) {
    const [unit = ''] = key.split(' ')
    if (isMuted(commit)) continue
    const own = hub.records.filter((each) => each.unit === unit && each.commit === commit)
    const state = statuses.at(-1)?.state
    if (state === 'success' && !own.some(isGood)) faults.push(`${key} is a success without a record`)
    if (state === 'failure' && !own.some(({ outcome }) => outcome === 'failed'))
      faults.push(`${key} is a failure without a record`)
  }
  for (const { unit, commit, outcome } of hub.records) {
    if (!play.main.slice(1).some(({ sha }) => sha === commit) || isMuted(commit)) continue
    const states = hub.deployments
      .filter(({ key }) => key.startsWith(`${unit} ${commit} `))
      .map((each) => each.statuses)
    const isShown = states.some((each) =>
      each.some(({ state }) => state === (outcome === 'failed' ? 'failure' : 'success')),
    )
    const isCut = states.some((each) => each.some(({ state }) => state === 'error'))
    if (!isShown && !isCut && outcome !== 'unchanged')
      faults.push(`${unit} ${commit?.slice(0, 7)}: recorded as ${outcome}, and not shown`)
  }
  for (const stage of stages)
    for (const chain of ['cart', 'mail'] as const)
      faults.push(...newestFaults(play, { unit: `${chain}/${stage}`, chain }))
  return faults
}

/** What is live is the newest commit that has passed. */
function newestFaults(
  play: Play,
  { unit, chain }: { readonly unit: string; readonly chain: 'cart' | 'mail' },
): readonly string[] {
  const passed = play.hub.records.filter((each) => each.unit === unit && isGood(each))
  const shas = new Set(passed.map(({ commit = '' }) => commit))
  const newest = play.main.findLast(({ sha }) => shas.has(sha))
  const live = play.cloud.look(unit.replace('/', '-'))?.content.body
  if (newest === undefined || live === undefined) return []
  const size = /"DelaySeconds":(\d+)/u.exec(JSON.stringify(live))?.[1]
  const last = play.begun.findLast((each) => each.unit === unit && !each.fails)
  // A newer one may be live already whose job has yet to say so.
  const isNewer = last !== undefined && play.main.indexOf(last.by.commit) >= play.main.indexOf(newest)
  const wanted = isNewer ? last.by.commit : newest
  return size === String(wanted.wishes[chain].size)
    ? []
    : [
        `${unit} has size ${size}, and the newest that passed, ${wanted.sha.slice(0, 7)}, wants ${wanted.wishes[chain].size}`,
      ]
}
