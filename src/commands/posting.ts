import type { Outcome, Ports } from '../command.ts'
import { bindingText } from '../core/binding.ts'
import type { Made, Surroundings } from '../core/comment.ts'
import { forkComment, isGuarded, planComment, problemsComment, verdictTitle } from '../core/comment.ts'
import { json } from '../core/encode.ts'
import type { Run } from '../core/event.ts'
import type { Markdown } from '../core/markdown.ts'
import { fence, url } from '../core/markdown.ts'
import type { Plan, PlannedUnit } from '../core/plan.ts'
import { planOf, readPlan } from '../core/plan.ts'
import type { Checked, Problem } from '../core/problem.ts'
import { Refused } from '../core/problem.ts'
import { count, planText } from '../core/report.ts'
import type { PlanRequest } from '../core/request.ts'
import type { Check, GitHost } from '../ports.ts'
import { requestIn } from './requested.ts'

/** The check that a branch rule asks for. */
export const planCheck = 'protium/plan'

/**
 * Puts the plans of the stages together, and says on the pull request what merging would do: one comment and one check. Of a fork's there
 * are no plans, and what is said is what its files say of themselves.
 */
export async function postPlan(
  ports: Ports,
  { request: file, plans, out }: { readonly request: string; readonly plans: string; readonly out: string | undefined },
): Promise<Outcome<{ readonly plan: Plan | null }>> {
  const { run, github } = await atGitHub(ports)
  const target = await targetOf(run, github)
  if (target === undefined)
    return quiet('The pull request has gone on since: there is nothing to be said of this commit.')
  const request = await requestIn(ports, file)
  const read = request.ok ? await plansIn(ports, { folder: plans, request: request.value }) : request
  const problems = [
    ...request.problems,
    ...(request.ok ? request.value.problems : []),
    ...(read === request ? [] : read.problems),
    ...(request.ok && read.ok && !target.fork ? unplanned(request.value, read.value) : []),
  ]
  const made = madeOf(ports, { run, commit: target.commit })
  const bad = problems.filter(({ severity }) => severity === 'error')
  if (!request.ok || !read.ok || bad.length > 0) {
    const page = problemsComment(bad, { made })
    await say(github, {
      ...target,
      page,
      check: { conclusion: 'failure', title: `Cannot plan: ${count(bad.length, 'problem')}` },
    })
    // They are the fault of the job that found them, which has failed; this one has done its work.
    return {
      exit: 'done',
      data: { plan: null },
      text: () => `Said on the pull request: ${count(bad.length, 'problem')}.`,
      page,
    }
  }
  if (target.fork) {
    const page = forkComment(request.value, { made })
    await say(github, {
      ...target,
      page,
      check: { conclusion: 'neutral', title: 'Checked, and not planned: it comes from a fork' },
    })
    return { exit: 'done', data: { plan: null }, text: () => 'Said on the pull request what was checked.', page }
  }
  const { left } = request.value
  const plan = planOf(read.value)
  if (out !== undefined) await ports.files.writeText(out, `${json(plan)}\n`)
  const page = planComment(plan, { around: aroundOf(request.value), made })
  await say(github, {
    ...target,
    page,
    check: {
      // What would be held back once it is merged is told before.
      conclusion: isGuarded(plan) ? 'failure' : left.length > 0 ? 'neutral' : 'success',
      title: `${isGuarded(plan) ? 'Refused: ' : ''}${verdictTitle(plan, left.length)}`,
      key: plan.digest,
      text: fence(bindingText(plan), 'json'),
    },
    isQuiet: left.length === 0 && plan.units.every(({ verdict }) => verdict === 'nothing'),
  })
  return { exit: 'done', data: { plan }, text: (paint) => planText(plan, paint), page }
}

function quiet(words: string): Outcome<{ readonly plan: null }> {
  return { exit: 'done', data: { plan: null }, text: () => words }
}

/** What can be done in a step of a workflow only. */
export async function atGitHub({ run, github }: Ports): Promise<{ readonly run: Run; readonly github: GitHost }> {
  if (run !== undefined && github !== undefined) return { run, github: await github() }
  throw new Refused('not-at-github', 'This speaks to a pull request, and there is none here.', {
    remedy: 'It is a step of a workflow, with a token. On a machine, use `protium plan` without `--plans`.',
  })
}

type Target = { readonly pullRequest: number; readonly commit: string; readonly fork: boolean }

/** The pull request that the run is about, if its head is still what the run has seen. */
export async function targetOf({ about }: Run, github: GitHost): Promise<Target | undefined> {
  if (about.is === 'pull-request') {
    const { state, head } = await github.pullRequest(about.number)
    const isCurrent = state === 'open' && head.commit === about.head.commit
    return isCurrent ? { pullRequest: about.number, commit: head.commit, fork: about.fork } : undefined
  }
  if (about.is === 'workflow-run' && about.event === 'pull_request' && about.head.repository !== undefined) {
    const { commit, branch, repository } = about.head
    // Whatever the other run says of itself, only GitHub knows which pull request it was for.
    const found = await github.openPullRequest({ owner: repository.owner, branch, commit })
    return found === undefined ? undefined : { pullRequest: found.number, commit, fork: found.isFork }
  }
  throw new Refused('not-at-github', 'The run is about no pull request.', {
    remedy: 'Call this from a workflow on `pull_request`, or on the `workflow_run` that follows one.',
  })
}

async function plansIn(
  ports: Ports,
  { folder, request }: { readonly folder: string; readonly request: PlanRequest },
): Promise<Checked<readonly PlannedUnit[]>> {
  // Nothing was to be planned, so no job has left a folder.
  if (request.units.length === 0) return { ok: true, value: [], problems: [] }
  const { tree, problems } = await filesIn(ports, folder)
  const read = [...tree].filter(([path]) => path.endsWith('.json')).map(([path, text]) => readPlan(path, text))
  const found = [...problems, ...read.flatMap((each) => each.problems)]
  if (found.some(({ severity }) => severity === 'error')) return { ok: false, problems: found }
  const known = new Map(
    read.flatMap((each) => (each.ok ? each.value.units.map((unit) => [unit.unit, unit] as const) : [])),
  )
  const inOrder = request.units.flatMap(({ unit }) => known.get(unit) ?? [])
  return { ok: true, value: inOrder, problems: found }
}

/** Where no stage was planned, there is no folder; what is missing is told of by its units. */
async function filesIn(ports: Ports, folder: string): ReturnType<Ports['files']['tree']> {
  try {
    return await ports.files.tree(folder, undefined, { own: true })
  } catch (error) {
    if (error instanceof Refused && error.code === 'no-folder') return { tree: new Map(), problems: [] }
    throw error
  }
}

/**
 * A job of a stage that failed, or that was not allowed to look, leaves no plan; then nobody has seen what it would do. A plan
 * of something else than was rendered is none of this.
 */
function unplanned({ units }: PlanRequest, planned: readonly PlannedUnit[]): Problem[] {
  const known = new Map(planned.map((unit) => [unit.unit, unit.rendered]))
  return units
    .filter(({ unit, rendered }) => known.get(unit) !== rendered)
    .map(({ unit, stage }) => ({
      code: 'plan-missing',
      severity: 'error',
      message: known.has(unit)
        ? `The plan of ${unit} is one of something else than what was rendered.`
        : `${unit} was not planned.`,
      expected: `A plan of the job plan-${stage ?? '…'}.`,
      remedy: known.has(unit)
        ? 'Run the whole workflow again.'
        : 'See why that job failed, then run the failed jobs again.',
    }))
}

function aroundOf({ stages, units, left, plansOnly }: PlanRequest): Surroundings {
  return {
    stages,
    left,
    ...(plansOnly !== undefined && { plansOnly }),
    hosts: new Map(units.map(({ unit, hosts }) => [unit, hosts])),
  }
}

export function madeOf({ clock }: Ports, { run, commit }: { readonly run: Run; readonly commit: string }): Made {
  const { server, repository, id } = run
  const page = url(server, [repository.owner, repository.name, 'actions', 'runs', id])
  return { commit, at: clock.now(), ...(page !== undefined && { run: page }) }
}

async function say(
  github: GitHost,
  {
    pullRequest,
    commit,
    page,
    check,
    isQuiet = false,
  }: Target & {
    readonly page: Markdown
    readonly check: Omit<Check, 'commit' | 'name' | 'summary'>
    /** Nothing would change: no comment is made of that. */
    readonly isQuiet?: boolean
  },
): Promise<void> {
  await github.comment({ pullRequest, kind: 'plan', body: page, ...(isQuiet && { onlyIfThere: true }) })
  await github.check({ ...check, commit, name: planCheck, summary: page })
}
