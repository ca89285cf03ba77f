import { command, lines, path } from '../command.ts'
import { json } from '../core/encode.ts'
import { planOf } from '../core/plan.ts'
import { planText } from '../core/report.ts'
import { planUnitsAs, stacksOf } from './planning.ts'
import { quoted, readFolder, sameFolders, selectUnits, stateFolders } from './reading.ts'

export const plan = command({
  name: 'plan',
  summary: 'Shows what a deployment would change, resource by resource. Changes nothing.',
  inputs: {
    services: lines('Services, or units such as checkout/dev; all of them if none is named.', { positional: true }),
    stage: lines('Only this stage.', {}),
    out: path('Write the plan to this file, to be reviewed and given to deploy.', { hint: 'FILE' }),
    root: path('The folder of the organisation.', { default: '.' }),
    state: path('The folder of the local stacks and records; a relative one lies below the root.', {
      default: '.protium',
    }),
  },
  outputs: { plan: 'The plan: units with verdict, changes and digests, and one digest over all of it.' },
  async run(ports, { services, stage, out, root, state }) {
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
