import type { Json, Outcome, Ports } from '../command.ts'
import { command, flag, lines, path, text } from '../command.ts'
import { bindingText, readBinding, unreviewed } from '../core/binding.ts'
import { shorten } from '../core/markdown.ts'
import { planOf } from '../core/plan.ts'
import type { Plan } from '../core/plan.ts'
import type { Problem } from '../core/problem.ts'
import { Refused } from '../core/problem.ts'
import { count, planText } from '../core/report.ts'
import { rollbackPage } from '../core/rollback.ts'
import { withoutSecrets } from '../core/secret.ts'
import { deploymentSummary } from '../core/summary.ts'
import type { FileTree } from '../core/tree.ts'
import { announced, environmentOf, subjectOf, turn } from './announcing.ts'
import type { Attempt } from './deploying.ts'
import { deployUnits } from './deploying.ts'
import { checkUnlocked } from './locking.ts'
import { lossProblems, unacknowledged } from './losses.ts'
import { outcomeOf } from './outcome.ts'
import type { Planned } from './planning.ts'
import { planAlone } from './planning.ts'
import { atGitHub, madeOf } from './posting.ts'
import { sameFolders, sameOptions, stateFolders } from './reading.ts'
import type { Target } from './returning.ts'
import { checkReturn, meantUnit, targetOf, unitAt } from './returning.ts'
import { withImages } from './shipping.ts'
import { stacksOf } from './stacks.ts'
import { reportsOf } from './telling.ts'
import { acknowledgedUnits, termsOf } from './terms.ts'

type Answer = Outcome<Readonly<Record<'to' | 'units' | 'seen', Json>>>

export const rollback = command({
  name: 'rollback',
  summary: 'Goes back to the last good deployment of a unit: the files of its commit, and the image that ran.',
  inputs: {
    unit: text('The unit: checkout/prod, environment/dev; or a service, with --stage.', {
      positional: true,
      required: true,
    }),
    stage: text('The stage, where a service is named.', {}),
    to: text('Another record than the last good one, by its id, or by its commit.', { hint: 'RECORD' }),
    reason: text('Why, in a sentence: it is kept in the record.', { hint: 'TEXT' }),
    show: flag('Show what would be done, and do nothing.'),
    seen: text('Do only what was shown: the output `seen` of the run that showed it.', { hint: 'DIGESTS' }),
    yes: flag('Do it without being asked.'),
    acknowledge: lines('Let this resource be replaced or deleted although it holds data.', {
      hint: 'UNIT:LOGICALID',
    }),
    owner: text('The repository that owns the stacks, by its id; what catalog.yaml says if nothing is said.', {
      hint: 'ID',
    }),
    fail: lines('Rehearse a failure: the local provisioner lets this resource fail.', { hint: 'STACK/RESOURCE' }),
    root: path('The folder of the organisation.', { default: '.' }),
    catalog: path('The folder of the catalog, where the services are in a repository of their own.', {}),
    state: path('The folder of the local stacks and records; a relative one lies below the root.', {
      default: '.protium',
    }),
  },
  outputs: {
    to: 'The record that was gone back to.',
    units: 'The unit, with its outcome and, if it failed, why.',
    seen: 'The digests of what was shown, for the run that does it.',
  },
  permissions: {
    contents: {
      access: 'write',
      why: 'add one file an attempt to the branch `protium-ledger`; to show the plan, `read`',
    },
    deployments: { access: 'write', why: 'the deployment, its state and its address; not needed to show the plan' },
  },
  async run(ports, values): Promise<Answer> {
    const { to, reason, show, seen, yes, acknowledge, owner, fail, root, catalog, state } = values
    const data = { to: '', units: [], seen: '' }
    const bad = (problems: readonly Problem[], sources?: FileTree): Answer => ({
      exit: 'bad-input',
      data,
      text: () => '',
      problems,
      ...(sources !== undefined && { sources }),
    })
    const meant = await meantUnit(ports, { name: values.unit, stage: values.stage, root, catalog })
    if (!meant.ok) return bad(meant.problems)
    const id = meant.value
    const folders = stateFolders(root, state)
    const records = await ports.records(folders.records)
    const target = await targetOf(records, { id, to })
    const { commit, record, history } = target
    if (ports.run !== undefined) await checkReturn(ports, { run: ports.run, root, commit })
    const then = await unitAt(ports, { id, commit, root, catalog })
    if (!then.ok) return bad(then.problems, then.sources)
    const { organisation, unit, sources } = then
    const acknowledged = acknowledgedUnits(acknowledge, organisation)
    if (!acknowledged.ok) return bad(acknowledged.problems)
    // In a terminal somebody is there to be told that another run works on the stacks; a job waits for its turn.
    const hold = ports.run === undefined ? ports.exclusive : async (stacks: string) => turn(ports, stacks)
    await using _run = show ? undefined : await hold(folders.stacks)
    if (!show) await checkUnlocked(ports, { units: [unit], root, records: folders.records })
    const isApart = catalog !== undefined && catalog !== root
    const terms = termsOf(ports, {
      catalog: organisation.catalog,
      owner,
      acknowledged: acknowledged.value,
      isApart,
    })
    const purpose = show ? 'plan' : 'deployment'
    await using stacks = stacksOf(ports, {
      folder: folders.stacks,
      fail,
      for: purpose,
      terms,
      // What ran before is not kept from coming back by a waiver that has ended since.
      policy: 'warns',
    })
    const images = new Map(record.image === undefined ? [] : [[id, record.image] as const])
    const [shipped = unit] = withImages([unit], images)
    const planned = await planAlone(shipped, { units: organisation.units, stacks, purpose })
    if (planned === undefined) throw homeMissing(id)
    if (!planned.ok) return bad(planned.problems, sources)
    const plan = planOf([planned.value.planned])
    const found = { to: record.id, units: [], seen: bindingText(plan) }
    const why = kept(reason)
    const page = rollbackPage(plan, { ...target, reason: why })
    const { problems } = planned
    const losses = lossProblems(unit, { losses: unacknowledged(planned.value.planned) })
    const folder = isApart ? sameOptions({ catalog }) : ''
    const given = sameOptions({ to, reason: why })
    const stackOptions = `${sameOptions({ acknowledge, owner })}${folder}`
    const own = sameFolders({ root, state })
    const options = `${given}${stackOptions}${own}`
    if (show) {
      return {
        exit: losses.length > 0 ? 'needs-approval' : 'done',
        data: found,
        text: (paint) => `${planText(plan, paint)}\n\nNothing was touched.`,
        page,
        problems: [...problems, ...losses],
        sources,
        next: losses.length > 0 ? [] : [{ run: `rollback ${id} --yes${options}`, why: 'do what the plan says' }],
      }
    }
    if (seen !== undefined) checkSeen(plan, seen)
    const agreed = yes || ((await ports.confirm?.(`${planText(plan)}\n\nGo back to this?`)) ?? false)
    if (!agreed) {
      return {
        exit: 'needs-approval',
        data: found,
        text: (paint) => `${planText(plan, paint)}\n\nNothing was touched.`,
        page,
        problems,
        sources,
        next: [{ run: `rollback ${id} --yes${options}`, why: 'do what the plan says' }],
      }
    }
    const from = history.at(-1)?.commit
    const attempts = await telling(ports, { target, planned: planned.value, why }, async () =>
      deployUnits(ports, {
        organisation,
        planned: [planned.value],
        stacks,
        records,
        commit,
        images,
        rollback: {
          to: record.id,
          ...(from !== undefined && from !== commit && { from }),
          ...(why !== undefined && { reason: why }),
        },
        approve: async () => true,
      }),
    )
    const again = `rollback ${id}${given}`
    const outcome = outcomeOf(attempts, {
      organisation,
      again,
      options: stackOptions,
      folders: own,
      ...(ports.run === undefined && { byHand: { fail } }),
    })
    const { run } = ports
    const told = { ...outcome, data: { ...found, units: outcome.data.units }, sources }
    const all = [...problems, ...(outcome.problems ?? [])]
    if (run === undefined) return { ...told, problems: all }
    const reports = reportsOf(attempts, {
      organisation,
      stage: undefined,
      history: new Map([[id, history]]),
      back: commit,
      trigger: `rollback to ${commit.slice(0, 7)} by ${run.actor}${why === undefined ? '' : `: ${why}`}`,
    })
    const { run: log } = madeOf(ports, { run, commit })
    const summary = deploymentSummary(reports, { ...(log !== undefined && { run: log }) })
    return { ...told, problems: all, page: summary, next: [] }
  },
})

/** What a person says is kept for ever and shown to many: one line of it, without what looks like a secret. */
function kept(reason: string | undefined): string | undefined {
  return reason === undefined ? undefined : shorten(withoutSecrets(reason.replaceAll(/\s+/gu, ' ').trim()), 300)
}

/** What people have seen is done, or a part of it: anything else would be done behind their backs. */
function checkSeen(plan: Plan, seen: string): void {
  const binding = readBinding(seen)
  const others = binding === undefined ? plan.units : unreviewed(binding, plan)
  if (binding !== undefined && others.length === 0) return
  throw new Refused(
    'plan-stale',
    binding === undefined
      ? 'What was shown cannot be read. Nothing was touched.'
      : 'The rollback would do another thing now than what was shown. Nothing was touched.',
    { remedy: 'Start it anew, and look at what it shows.' },
  )
}

function homeMissing(id: string): Refused {
  return new Refused('environment-missing', `What ${id} builds on is not deployed. Nothing was touched.`, {
    remedy: 'Deploy its environment first, or roll that back.',
  })
}

/** In a workflow, GitHub gets a deployment of the commit that was gone back to. */
async function telling(
  ports: Ports,
  {
    target: { id, commit, record },
    planned: { unit, planned },
    why,
  }: { readonly target: Target; readonly planned: Planned; readonly why: string | undefined },
  deploy: () => Promise<readonly Attempt[]>,
): Promise<readonly Attempt[]> {
  if (ports.run === undefined) return deploy()
  const { run, github } = await atGitHub(ports)
  const what = `${subjectOf([unit])} back to ${commit.slice(0, 7)}: ${count(planned.changes.length, 'change')}`
  const deployment = await announced(ports, {
    github,
    run,
    own: [unit],
    environment: environmentOf([unit], unit.stage?.name ?? unit.environment.name),
    isProduction: unit.stage?.production ?? false,
    key: `${id} back to ${record.id} ${run.id}`,
    commit,
    description: why === undefined ? what : `${what}: ${why}`,
  })
  return deployment.during(deploy)
}
