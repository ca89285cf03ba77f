import { command, lines, path, text } from '../command.ts'
import { json } from '../core/encode.ts'
import { planOf } from '../core/plan.ts'
import type { Problem } from '../core/problem.ts'
import { planText } from '../core/report.ts'
import type { FileTree } from '../core/tree.ts'
import { stagesIn, withDemands } from './gating.ts'
import { leftBehind, leftLine } from './left.ts'
import { lossProblems } from './losses.ts'
import { planUnitsAs } from './planning.ts'
import { stacksOf } from './stacks.ts'
import { postPlan } from './posting.ts'
import { planRequested } from './requested.ts'
import { quoted, readersIn, readFolder, sameFolders, selectUnits, stateFolders } from './reading.ts'
import { acknowledgedUnits, termsOf } from './terms.ts'

export const plan = command({
  name: 'plan',
  summary: 'Shows what a deployment would change, resource by resource. Changes nothing.',
  inputs: {
    services: lines('Services, or units such as checkout/dev; all of them if none is named.', { positional: true }),
    stage: lines('Only this stage.', {}),
    acknowledge: lines('Plan as if this resource may be lost although it holds data.', { hint: 'UNIT:LOGICALID' }),
    owner: text('The repository that owns the stacks, by its id; what catalog.yaml says if nothing is said.', {
      hint: 'ID',
    }),
    out: path('Write the plan to this file, to be reviewed and given to deploy.', { hint: 'FILE' }),
    request: path('Plan what `validate --request` wrote to this file, in the stages that are named.', { hint: 'FILE' }),
    plans: path('Say on the pull request what the plans in this folder and the request come to.', { hint: 'FOLDER' }),
    root: path('The folder of the organisation.', { default: '.' }),
    state: path('The folder of the local stacks and records; a relative one lies below the root.', {
      default: '.protium',
    }),
  },
  outputs: { plan: 'The plan: units with verdict, changes and digests, and one digest over all of it.' },
  permissions: {
    checks: { access: 'write', why: 'the check `protium/plan`, with `plans`' },
    'pull-requests': { access: 'write', why: 'the comment, with `plans`' },
  },
  async run(ports, { services, stage, acknowledge, owner, out, request, plans, root, state }) {
    if (plans !== undefined && request !== undefined) return postPlan(ports, { request, plans, out })
    if (request !== undefined) {
      const requested = await planRequested(ports, { request, stages: stage, root, state })
      const { problems, sources } = requested
      const texts = { problems, ...(sources !== undefined && { sources }) }
      if (!requested.ok) return { exit: 'bad-input', data: { plan: null }, text: () => '', ...texts }
      const result = planOf(requested.value)
      if (out !== undefined) await ports.files.writeText(out, `${json(result)}\n`)
      return { exit: 'done', data: { plan: result }, text: (paint) => planText(result, paint), ...texts }
    }
    // What an environment gives out is read by services that nobody has named.
    const isShared = services.some((name) => name.startsWith('environment/'))
    const { organisation, sources } = await readFolder(ports, root, { services: isShared ? [] : services })
    const bad = (found: readonly Problem[], texts: FileTree = new Map()) =>
      ({ exit: 'bad-input', data: { plan: null }, text: () => '', problems: found, sources: texts }) as const
    if (!organisation.ok) return bad(organisation.problems, sources)
    const selected = selectUnits(organisation.value, { services, stages: stage })
    if (!selected.ok) return bad(selected.problems)
    const acknowledged = acknowledgedUnits(acknowledge, organisation.value)
    if (!acknowledged.ok) return bad(acknowledged.problems)
    const { catalog } = organisation.value
    await using stacks = stacksOf(ports, {
      folder: stateFolders(root, state).stacks,
      terms: termsOf(ports, { catalog, owner, acknowledged: acknowledged.value }),
    })
    const planned = await planUnitsAs(selected.value, {
      stacks,
      take: ({ planned: unit, unit: of }) => ({ unit, losses: lossProblems(of, unit) }),
      readers: readersIn(organisation.value, { selected: selected.value, services }),
    })
    if (!planned.ok) return bad([...organisation.problems, ...planned.problems], sources)
    const losses = planned.value.flatMap((each) => each.losses)
    const problems = [...organisation.problems, ...planned.problems, ...losses]
    const own = planned.value.map(({ unit }) => unit)
    const result = planOf(withDemands(own, { catalog, stagesOf: stagesIn(organisation.value) }))
    if (out !== undefined) await ports.files.writeText(out, `${json(result)}\n`)
    const isAll = services.length + stage.length === 0
    const records = isAll ? await (await ports.records(stateFolders(root, state).records)).list() : []
    const left = await leftBehind(records, { organisation: organisation.value, stacks })
    const idle = result.units.every(({ verdict }) => verdict === 'nothing')
    const words = [...services, ...stage.map((name) => `--stage ${name}`)]
    return {
      exit: losses.length > 0 ? 'needs-approval' : 'done',
      data: { plan: result },
      text: (paint) => [planText(result, paint), ...leftLine(left, ports.program)].join('\n\n'),
      problems,
      sources,
      next: [
        idle
          ? { run: `status${sameFolders({ root, state })}`, why: 'what runs where' }
          : {
              run: `${['deploy', ...(out === undefined ? words : [`--plan ${quoted(out)}`])].join(' ')}${sameFolders({ root, state })}`,
              why: 'do what the plan says',
            },
      ],
    }
  },
})
