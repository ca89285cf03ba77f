import type { Ports } from '../command.ts'
import { command, flag, lines, path, text } from '../command.ts'
import { isMap } from '../core/data.ts'
import type { Gate } from '../core/gates.ts'
import { heldGates } from '../core/gates.ts'
import { didYouMean } from '../core/nearest.ts'
import type { Organisation, Unit } from '../core/organisation.ts'
import type { Plan } from '../core/plan.ts'
import { planOf, readPlan, stale } from '../core/plan.ts'
import type { Checked, Problem } from '../core/problem.ts'
import { Refused } from '../core/problem.ts'
import { list, planText } from '../core/report.ts'
import type { Stage } from '../core/stage.ts'
import type { DeploymentRecord } from '../ports.ts'
import { deployUnits } from './deploying.ts'
import { judgedHere } from './gating.ts'
import { brokenGlass, glassRecord } from './glass.ts'
import { noteWaiting } from './waiting.ts'
import { outcomeOf } from './outcome.ts'
import type { Planned } from './planning.ts'
import { healthCheckOf } from '../core/health.ts'
import { planUnitsAs } from './planning.ts'
import { exclusively, stacksOf } from './stacks.ts'
import { promote } from './promoting.ts'
import { quoted, readersIn, readFolder, sameFolders, sameOptions, selectUnits, stateFolders } from './reading.ts'
import { acknowledgedUnits, termsOf } from './terms.ts'

export const deploy = command({
  name: 'deploy',
  summary: 'Deploys services stage by stage, the environment of a stage first. Run again, it does what is left.',
  inputs: {
    services: lines('Services, or units such as checkout/dev; all of them if none is named.', { positional: true }),
    stage: lines('Only this stage.', {}),
    plan: path('Deploy exactly what this reviewed plan says, or nothing.', { hint: 'FILE' }),
    yes: flag('Approve the stages that ask for it.'),
    'break-glass': text(
      'Why this cannot wait: soak, freeze and approval are passed, by who may. It is recorded, and shown to everybody.',
      { hint: 'TEXT' },
    ),
    acknowledge: lines('Let this resource be replaced or deleted although it holds data.', {
      hint: 'UNIT:LOGICALID',
    }),
    owner: text('The repository that owns the stacks, by its id; what catalog.yaml says if nothing is said.', {
      hint: 'ID',
    }),
    fail: lines(
      'Rehearse a failure: the local provisioner lets this resource fail, or `health:UNIT=503` the health of a unit.',
      { hint: 'STACK/RESOURCE' },
    ),
    image: lines('What a build has made, by its digest; with several services, a line for each.', {
      hint: 'SERVICE=NAME@sha256:…',
    }),
    root: path('The folder of the organisation.', { default: '.' }),
    catalog: path('The folder of the catalog, where the services are in a repository of their own.', {}),
    state: path('The folder of the local stacks and records; a relative one lies below the root.', {
      default: '.protium',
    }),
  },
  outputs: {
    units: 'The units in the order in which they were deployed, each with its outcome and, if it failed, why.',
  },
  permissions: {
    actions: { access: 'read', why: 'see who has let the run go on, where the environment has reviewers' },
    checks: { access: 'write', why: 'read the reviewed plan, and post another one where it is not that' },
    contents: {
      access: 'write',
      why: 'add one file an attempt to the branch `protium-ledger`, and put what waits on `protium-board`',
    },
    deployments: { access: 'write', why: 'the deployment, its state and its address' },
    'pull-requests': {
      access: 'write',
      why: 'find the pull request that was merged, see who has approved it, and say on it what waits or has failed',
    },
  },
  asksTeams: true,
  async run(
    ports,
    {
      services,
      stage,
      plan: file,
      yes,
      'break-glass': breakGlass,
      acknowledge,
      owner,
      fail,
      image,
      root,
      catalog,
      state,
    },
  ) {
    // In a workflow one stage is deployed, after the ones before it; on a machine, all that are asked for.
    if (ports.run !== undefined)
      return promote(ports, { services, stage, image, root, catalog, state, fail, breakGlass })
    const { organisation, sources } = await readFolder(ports, root, { ...(catalog !== undefined && { catalog }) })
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
    const acknowledged = acknowledgedUnits(acknowledge, organisation.value)
    if (!acknowledged.ok)
      return { exit: 'bad-input', data: { units: [] }, text: () => '', problems: acknowledged.problems }
    const glass =
      breakGlass === undefined
        ? undefined
        : await brokenGlass(ports, { reason: breakGlass, catalog: organisation.value.catalog })
    const folders = stateFolders(root, state)
    // From the plan to the last unit: nothing else may change the stacks in between.
    await using _run = await exclusively(ports, { units: selected.value, stacks: folders.stacks })
    const terms = termsOf(ports, {
      catalog: organisation.value.catalog,
      owner,
      acknowledged: acknowledged.value,
      isApart: catalog !== undefined && catalog !== root,
    })
    const records = await ports.records(folders.records)
    await using stacks = stacksOf(ports, {
      folder: folders.stacks,
      fail,
      for: 'deployment',
      terms,
      // A reviewed plan is compared with all that there is to be known.
      ...(reviewed === undefined && {
        last: async ({ id }: Pick<Unit, 'id'>) => (await records.list(id, { latest: 1 })).at(-1)?.wants,
      }),
    })
    const [planned, commit] = await Promise.all([
      planUnitsAs(selected.value, {
        stacks,
        take: (each) => each,
        // A reviewed plan says itself what comes along.
        ...(reviewed === undefined && {
          readers: readersIn(organisation.value, { selected: selected.value, services }),
        }),
      }),
      ports.files.commit(root),
    ])
    const problems = [...organisation.problems, ...planned.problems]
    if (!planned.ok) return { exit: 'bad-input', data: { units: [] }, text: () => '', problems, sources }
    const misses = failuresThatMiss(fail, planned.value)
    if (misses.length > 0) return { exit: 'bad-input', data: { units: [] }, text: () => '', problems: misses }
    if (reviewed !== undefined) holdTo(reviewed.value, planned.value)
    const passed = new Map<string, DeploymentRecord['glass']>()
    const held = new Map<string, { readonly stage: string; readonly gates: readonly Gate[] }>()
    const board = await ports.board(folders.records)
    const attempts = await deployUnits(ports, {
      organisation: organisation.value,
      planned: planned.value,
      stacks,
      records,
      commit,
      reviewed: reviewed?.value,
      gates: async (each, due) => {
        const gates = await judgedHere(ports, {
          organisation: organisation.value,
          stage: each,
          planned: due,
          board,
          fetched: async () => ports.files.board(root),
          records,
          commit,
          glass,
        })
        for (const { unit } of due) {
          passed.set(unit.id, glassRecord(glass, gates).glass)
          held.set(unit.id, { stage: each.name, gates: heldGates(gates) })
        }
        return gates
      },
      glass: ({ id }) => passed.get(id),
      approve: async (each, units) =>
        yes ||
        glass !== undefined ||
        (await asked(ports, { stage: each, planned: planned.value.filter(({ unit }) => units.includes(unit)) })),
    })
    await noteWaiting(ports, { board, attempts, held, commit })
    const outcome = outcomeOf(attempts, {
      organisation: organisation.value,
      again: [
        'deploy',
        ...services,
        ...stage.map((name) => `--stage ${name}`),
        ...(file === undefined ? [] : [`--plan ${quoted(file)}`]),
      ].join(' '),
      options: sameOptions({ acknowledge, owner, catalog }),
      folders: sameFolders({ root, state }),
      byHand: { fail },
    })
    return { ...outcome, problems: [...problems, ...(outcome.problems ?? [])], sources }
  },
})

/** A rehearsal that names a resource which there is not would pass, and teach the wrong thing. */
function failuresThatMiss(fail: readonly string[], planned: readonly Planned[]): Problem[] {
  const asked = planned.flatMap(({ unit }) => (healthCheckOf(unit) === undefined ? [] : [`health:${unit.id}`]))
  const resources = planned.flatMap(({ wanted, part }) =>
    Object.keys(isMap(part.body['Resources']) ? part.body['Resources'] : {}).map((id) => `${wanted.stack.name}/${id}`),
  )
  const known = [...resources, ...asked]
  return fail.flatMap((entry) => {
    const name = entry.replace(/^(?:delete|exit|log):/u, '').replace(/=.*$/su, '')
    if (known.includes(name)) return []
    const message = `--fail ${JSON.stringify(entry)} names no resource of what is to be deployed${name.startsWith('health:') ? ', and no unit whose `health:` is asked' : ''}.${didYouMean(name, known)}`
    return [
      {
        code: 'option-value',
        severity: 'error',
        message,
        expected: 'A stack and a resource in it, such as checkout-staging/Service; or `health:checkout/staging=503`.',
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
