import { command, lines, path } from '../command.ts'
import { json } from '../core/encode.ts'
import { planOf } from '../core/plan.ts'
import { planText } from '../core/report.ts'
import { planUnitsAs, stacksOf } from './planning.ts'
import { postPlan } from './posting.ts'
import { planRequested } from './requested.ts'
import { quoted, readFolder, sameFolders, selectUnits, stateFolders } from './reading.ts'

export const plan = command({
  name: 'plan',
  summary: 'Shows what a deployment would change, resource by resource. Changes nothing.',
  inputs: {
    services: lines('Services, or units such as checkout/dev; all of them if none is named.', { positional: true }),
    stage: lines('Only this stage.', {}),
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
  async run(ports, { services, stage, out, request, plans, root, state }) {
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
    const { organisation, sources } = await readFolder(ports, root, { services })
    if (!organisation.ok)
      return { exit: 'bad-input', data: { plan: null }, text: () => '', problems: organisation.problems, sources }
    const selected = selectUnits(organisation.value, { services, stages: stage })
    if (!selected.ok) return { exit: 'bad-input', data: { plan: null }, text: () => '', problems: selected.problems }
    const planned = await planUnitsAs(selected.value, {
      stacks: stacksOf(ports, { folder: stateFolders(root, state).stacks }),
      take: (each) => each.planned,
    })
    const problems = [...organisation.problems, ...planned.problems]
    if (!planned.ok) return { exit: 'bad-input', data: { plan: null }, text: () => '', problems, sources }
    const result = planOf(planned.value)
    if (out !== undefined) await ports.files.writeText(out, `${json(result)}\n`)
    const idle = result.units.every(({ verdict }) => verdict === 'nothing')
    const words = [...services, ...stage.map((name) => `--stage ${name}`)]
    return {
      exit: 'done',
      data: { plan: result },
      text: (paint) => planText(result, paint),
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
