import type { Outcome, Ports, Json } from '../command.ts'
import { command, flag, lines, path } from '../command.ts'
import { isMap } from '../core/data.ts'
import { didYouMean } from '../core/nearest.ts'
import type { Organisation, Unit } from '../core/organisation.ts'
import type { Plan } from '../core/plan.ts'
import { planOf, readPlan, stale } from '../core/plan.ts'
import type { Checked, Problem } from '../core/problem.ts'
import { Refused } from '../core/problem.ts'
import type { Paint } from '../core/report.ts'
import { count, list, placeText, planText, table } from '../core/report.ts'
import type { Stage } from '../core/stage.ts'
import type { Attempt } from './deploying.ts'
import { columnsOf, deployUnits, positionOf, stopped } from './deploying.ts'
import type { Planned } from './planning.ts'
import { planUnits, stacksOf } from './planning.ts'
import { readFolder, sameFolders, selectUnits, stateFolders } from './reading.ts'

export const deploy = command({
  name: 'deploy',
  summary: 'Deploys services stage by stage, the environment of a stage first. Run again, it does what is left.',
  inputs: {
    services: lines('Services, or units such as checkout/dev; all of them if none is named.', { positional: true }),
    stage: lines('Only this stage.', {}),
    plan: path('Deploy exactly what this reviewed plan says, or nothing.', { hint: 'FILE' }),
    yes: flag('Approve the stages that ask for it.'),
    fail: lines('Rehearse a failure: the local provisioner lets this resource fail.', { hint: 'STACK/RESOURCE' }),
    root: path('The folder of the organisation.', { default: '.' }),
    state: path('The folder of the local stacks and records; a relative one lies below the root.', {
      default: '.protium',
    }),
  },
  outputs: {
    units: 'The units in the order in which they were deployed, each with its outcome and, if it failed, why.',
  },
  async run(ports, { services, stage, plan: file, yes, fail, root, state }) {
    const { organisation, sources } = await readFolder(ports, root)
    if (!organisation.ok)
      return { exit: 'bad-input', data: { units: [] }, text: () => '', problems: organisation.problems, sources }
    if (file !== undefined && services.length + stage.length > 0) {
      return { exit: 'bad-input', data: { units: [] }, text: () => '', problems: [planAndNames] }
    }
    const reviewed = file === undefined ? undefined : await readReviewed(ports, file)
    if (reviewed !== undefined && !reviewed.ok)
      return { exit: 'bad-input', data: { units: [] }, text: () => '', problems: reviewed.problems }
    const selected =
      reviewed === undefined
        ? selectUnits(organisation.value, { services, stages: stage })
        : reviewedUnits(organisation.value, reviewed.value)
    if (!selected.ok) return { exit: 'bad-input', data: { units: [] }, text: () => '', problems: selected.problems }
    const folders = stateFolders(root, state)
    // From the plan to the last unit: nothing else may change the stacks in between.
    await using _run = await ports.exclusive(folders.stacks)
    const stacks = stacksOf(ports, { folder: folders.stacks, fail })
    const planned = await planUnits(selected.value, stacks)
    const problems = [...organisation.problems, ...planned.problems]
    if (!planned.ok) return { exit: 'bad-input', data: { units: [] }, text: () => '', problems, sources }
    const misses = failuresThatMiss(fail, planned.value)
    if (misses.length > 0) return { exit: 'bad-input', data: { units: [] }, text: () => '', problems: misses }
    if (reviewed !== undefined) holdTo(reviewed.value, planned.value)
    const attempts = await deployUnits(ports, {
      organisation: organisation.value,
      planned: planned.value,
      stacks,
      records: await ports.records(folders.records),
      commit: await ports.files.commit(root),
      reviewed: reviewed?.value,
      approve: async (each, units) =>
        yes || (await asked(ports, { stage: each, planned: planned.value.filter(({ unit }) => units.includes(unit)) })),
    })
    return {
      ...outcomeOf(attempts, {
        organisation: organisation.value,
        again: [
          'deploy',
          ...services,
          ...stage.map((name) => `--stage ${name}`),
          ...(file === undefined ? [] : [`--plan ${file}`]),
        ].join(' '),
        folders: sameFolders({ root, state }),
      }),
      problems,
      sources,
    }
  },
})

/** A rehearsal that names a resource which there is not would pass, and teach the wrong thing. */
function failuresThatMiss(fail: readonly string[], planned: readonly Planned[]): Problem[] {
  const known = planned.flatMap(({ wanted, part }) =>
    Object.keys(isMap(part.body['Resources']) ? part.body['Resources'] : {}).map((id) => `${wanted.stack.name}/${id}`),
  )
  return fail.flatMap((entry) => {
    const name = entry.replace(/^delete:/u, '').replace(/=.*$/su, '')
    if (known.includes(name)) return []
    const message = `--fail ${JSON.stringify(entry)} names no resource of what is to be deployed.${didYouMean(name, known)}`
    return [
      {
        code: 'option-value',
        severity: 'error',
        message,
        expected: 'A stack and a resource in it, such as checkout-staging/Service.',
        remedy: 'Correct the name; `protium plan` lists the stacks, `protium render` shows their resources.',
      },
    ]
  })
}

const planAndNames: Problem = {
  code: 'option-value',
  severity: 'error',
  message: 'A reviewed plan says itself which units it is for.',
  remedy: 'Leave out the names and --stage, or make a plan of them: `protium plan <services> --out FILE`.',
}

/** The units that a plan is for; `stale` tells of those that are gone. */
function reviewedUnits({ units }: Organisation, { units: wanted }: Plan): Checked<readonly Unit[]> {
  const names = new Set(wanted.map(({ unit }) => unit))
  return { ok: true, value: units.filter(({ id }) => names.has(id)), problems: [] }
}

async function readReviewed(ports: Ports, file: string): Promise<Checked<Plan>> {
  const text = await ports.files.text(file)
  return text.ok ? readPlan(file, text.value) : text
}

/** Invariant: what is no longer as it was reviewed is refused before anything is touched. */
function holdTo(reviewed: Plan, planned: readonly Planned[]): void {
  const reasons = stale(reviewed, planOf(planned.map((each) => each.planned)))
  if (reasons.length === 0) return
  throw new Refused('plan-stale', `The plan no longer holds: ${list(reasons)}. Nothing was touched.`, {
    remedy: 'Make the plan again and have that one reviewed: `protium plan --out FILE`.',
  })
}

async function asked(
  ports: Ports,
  { stage, planned }: { readonly stage: Stage; readonly planned: readonly Planned[] },
): Promise<boolean> {
  if (ports.confirm === undefined) return false
  const plan = planOf(planned.map((each) => each.planned))
  return ports.confirm(`${planText(plan)}\n\nDeploy this to ${stage.name}?`)
}

/** How a deployment ended, as a command's outcome. */
export function outcomeOf(
  attempts: readonly Attempt[],
  {
    organisation,
    again,
    folders,
  }: { readonly organisation: Organisation; readonly again: string; readonly folders: string },
): Outcome<{ readonly units: Json }> {
  const failed = attempts.filter(({ is }) => is === 'failed')
  const held = attempts.filter(({ is }) => is === 'held')
  const cut = attempts.some(({ is, why }) => is === 'skipped' && why === stopped)
  const units = attempts.map(({ unit, is, touched, why, failure }) => ({
    unit: unit.id,
    outcome: is,
    touched,
    why: why ?? null,
    failure:
      failure === undefined
        ? null
        : {
            logicalId: failure.logicalId ?? null,
            type: failure.type ?? null,
            reason: failure.reason,
            at: failure.at ?? null,
            status: failure.status,
            rolledBack: failure.rolledBack,
          },
  }))
  const [first] = failed
  return {
    exit: failed.length > 0 ? 'failed' : cut ? 'unfinished' : held.length > 0 ? 'needs-approval' : 'done',
    data: { units },
    text: (paint) =>
      [
        summaryTable(attempts, { organisation, paint }),
        ...failed.map((each) => failureText(each, paint)),
        sentence(attempts),
      ].join('\n\n'),
    next: [
      ...(first === undefined
        ? []
        : [
            {
              run: `deploy ${first.unit.service?.service ?? first.unit.id}${folders}`,
              why: 'try again once the cause is mended; what is deployed stays',
            },
          ]),
      ...(held.length > 0 && first === undefined
        ? [{ run: `${again} --yes${folders}`, why: 'approve what waits, and deploy it' }]
        : []),
      ...(cut && first === undefined ? [{ run: `${again}${folders}`, why: 'do what is left' }] : []),
      { run: `status${folders}`, why: 'what runs where' },
    ],
  }
}

/** Services by stages, one word each. */
function summaryTable(
  attempts: readonly Attempt[],
  { organisation, paint }: { readonly organisation: Organisation; readonly paint: Paint },
): string {
  const tones = {
    deployed: paint.good,
    unchanged: paint.dim,
    failed: paint.bad,
    skipped: paint.dim,
    held: paint.notice,
  } satisfies Record<Attempt['is'], (text: string) => string>
  const cells = attempts.map((attempt) => ({ ...positionOf(attempt.unit, organisation), attempt }))
  const columns = columnsOf(attempts, organisation)
  const rows = [...new Set(cells.map(({ row }) => row))]
  return table(
    [{ name: ' ' }, ...columns.map((name) => ({ name }))],
    rows.map((row) => [
      { text: row, paint: paint.bold },
      ...columns.map((column) => {
        const is = cells.find((cell) => cell.row === row && cell.column === column)?.attempt.is
        return is === undefined ? '' : { text: is, paint: tones[is] }
      }),
    ]),
    paint,
  )
}

function failureText({ unit, why, failure }: Attempt, paint: Paint): string {
  const rows = [
    ...(failure?.logicalId === undefined ? [] : [['failed first', `${failure.logicalId} (${failure.type ?? ''})`]]),
    ...(failure?.at === undefined ? [] : [['declared at', placeText(failure.at)]]),
    ['why', failure?.reason ?? why ?? ''],
    ['now', stateText(failure)],
  ]
  const shown = table([{ name: '' }, { name: '' }], rows).replaceAll(/^/gmu, '  ')
  return `${paint.bad(paint.bold(`${unit.id} failed`))}\n${shown}`
}

function stateText(failure: Failure): string {
  if (failure === undefined) return 'nothing was touched'
  if (!failure.rolledBack) return `the stack is ${failure.status}`
  return failure.status === 'ROLLBACK_COMPLETE'
    ? 'rolled back: what had been created is gone again'
    : 'rolled back: what ran before runs again'
}

type Failure = Attempt['failure']

function sentence(attempts: readonly Attempt[]): string {
  const number = (is: Attempt['is']): number => attempts.filter((attempt) => attempt.is === is).length
  if (number('unchanged') === attempts.length)
    return `Nothing to do: ${count(attempts.length, 'unit is', 'units are')} as wanted.`
  const touched = attempts.reduce((sum, { is, touched: each }) => (is === 'deployed' ? sum + each : sum), 0)
  const parts = [
    ...(number('deployed') > 0
      ? [`${count(number('deployed'), 'unit')} deployed (${count(touched, 'resource')})`]
      : []),
    ...(number('unchanged') > 0 ? [`${number('unchanged')} unchanged`] : []),
    ...(number('failed') > 0 ? [`${number('failed')} failed`] : []),
    ...(number('skipped') > 0 ? [`${number('skipped')} not begun`] : []),
    ...(number('held') > 0 ? [`${number('held')} waiting for approval`] : []),
  ]
  return `${list(parts)}.`
}
