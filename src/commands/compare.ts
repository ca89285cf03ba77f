import type { Json, Outcome } from '../command.ts'
import { command, path, text } from '../command.ts'
import { line } from '../core/encode.ts'
import type { Organisation, Unit } from '../core/organisation.ts'
import type { ParityDifference, ParityReport, Side } from '../core/parity.ts'
import { compareSides, ordered } from '../core/parity.ts'
import type { Checked, Problem } from '../core/problem.ts'
import type { Paint } from '../core/report.ts'
import { count, distinct, list, placeText, table } from '../core/report.ts'
import { didYouMean } from '../core/nearest.ts'
import { renderAll } from './planning.ts'
import { readFolder, stateFolders } from './reading.ts'

type Answer = Outcome<Readonly<Record<'ruledOut' | 'differences' | 'alike', Json>>>

export const compare = command({
  name: 'compare',
  summary: 'Compares a service in two stages: what differs, who declared it, and what nobody did.',
  inputs: {
    service: text('The service: checkout.', { positional: true, required: true }),
    first: text('A stage: staging.', { positional: true, required: true }),
    second: text('Another stage: prod.', { positional: true, required: true }),
    root: path('The folder of the organisation.', { default: '.' }),
    state: path('The folder of the local stacks and records; a relative one lies below the root.', {
      default: '.protium',
    }),
  },
  outputs: {
    ruledOut: 'Whether infrastructure can be ruled out: no difference that nobody declared.',
    differences:
      'The differences, each with what it is about, both values, what it comes from and where it was declared.',
    alike: 'How many values of the two renderings are the same.',
  },
  async run(ports, { service, first, second, root, state }): Promise<Answer> {
    const { organisation: read, sources } = await readFolder(ports, root, { services: [service] })
    const bad = (problems: readonly Problem[]): Answer => ({
      exit: 'bad-input',
      data: { ruledOut: false, differences: [], alike: 0 },
      text: () => '',
      problems,
      sources,
    })
    if (!read.ok) return bad(read.problems)
    const units = [first, second].map((stage) => instanceOf(read.value, { service, stage }))
    const problems = distinct(units.flatMap((unit) => unit.problems))
    if (problems.length > 0) return bad(problems)
    const [one, other] = units.flatMap((unit) => (unit.ok ? [unit.value] : []))
    if (one === undefined || other === undefined) return bad(problems)
    const { rendered, problems: found } = renderAll(
      read.value.units.filter((unit) => unit.kind === 'environment' || unit.service?.service === service),
    )
    const records = await ports.records(stateFolders(root, state).records)
    const sideOf = async (unit: Unit): Promise<Side | undefined> => {
      const own = rendered.find((each) => each.unit.id === unit.id)
      const last = (await records.list(unit.id)).findLast(
        ({ outcome }) => outcome === 'deployed' || outcome === 'unchanged',
      )
      if (own === undefined) return undefined
      const runs = last && {
        version: last.version,
        ...(last.image !== undefined && { image: last.image }),
      }
      return { unit, part: own.part, ...(runs !== undefined && { runs }) }
    }
    const [mine, theirs] = [await sideOf(one), await sideOf(other)]
    if (mine === undefined || theirs === undefined) return bad(found)
    const report = compareSides(mine, theirs)
    const undeclared = report.differences.filter(({ is }) => is === 'undeclared')
    return {
      exit: undeclared.length > 0 ? 'different' : 'done',
      data: {
        ruledOut: undeclared.length === 0,
        differences: ordered(report.differences).map(({ at, ...each }) => ({ ...each, at: at ?? null })),
        alike: report.alike,
      },
      text: (paint) => parityText(report, paint),
      problems: read.problems,
      sources,
      next: [{ run: `explain --at ${other.id}:1`, why: 'which line of which template wrote a line, and what it read' }],
    }
  },
})

function instanceOf(
  { services, units }: Organisation,
  { service, stage }: { readonly service: string; readonly stage: string },
): Checked<Unit> {
  const unit = units.find((each) => each.kind === 'instance' && each.id === `${service}/${stage}`)
  if (unit !== undefined) return { ok: true, value: unit, problems: [] }
  const known = services.find((each) => each.service === service)
  const stages = known?.stages.map((each) => each.stage.name) ?? []
  const message =
    known === undefined
      ? `There is no service "${line(service)}".${didYouMean(
          service,
          services.map((each) => each.service),
        )}`
      : `${service} is in no stage "${line(stage)}".${didYouMean(stage, stages)}`
  return {
    ok: false,
    problems: [
      {
        code: known === undefined ? 'unknown-service' : 'unknown-stage',
        severity: 'error',
        message,
        expected: known === undefined ? 'A service of this organisation.' : `One of ${list(stages)}.`,
        remedy: 'See them with `protium status`.',
      },
    ],
  }
}

/** What nobody declared is shown whole; of what was declared the inputs, and how much follows from them. */
function parityText(report: ParityReport, paint: Paint): string {
  const by = (is: ParityDifference['is']): readonly ParityDifference[] =>
    ordered(report.differences).filter((each) => each.is === is)
  const [undeclared, declared, own] = [by('undeclared'), by('declared'), by('own')]
  const head =
    undeclared.length > 0
      ? paint.bad(`Infrastructure is not ruled out: ${count(undeclared.length, 'difference')} that nobody declared.`)
      : paint.good(
          declared.length === 0
            ? 'Infrastructure can be ruled out: the two are the same.'
            : 'Infrastructure can be ruled out: every difference was declared.',
        )
  const [first = '', second = ''] = [report.first, report.second].map((unit) => unit.split('/').at(-1))
  const inputs = declared.filter(({ layer }) => layer === 'input')
  const rows = [...undeclared, ...inputs].map((each) => [
    { text: each.what, paint: each.is === 'undeclared' ? paint.bad : paint.bold },
    line(each.first ?? '-'),
    line(each.second ?? '-'),
    whyText(each),
  ])
  const following = declared.length - inputs.length
  return [
    head,
    ...(rows.length === 0
      ? []
      : [table([{ name: 'difference' }, { name: first }, { name: second }, { name: 'declared' }], rows, paint)]),
    paint.dim(
      [
        ...(following === 0
          ? []
          : [
              `${count(following, 'value')} of the stacks ${following === 1 ? 'follows' : 'follow'} from what was declared.`,
            ]),
        `${count(own.length, 'value')} belong to the stage itself: its name, its hosts, its account, what its environment gives out.`,
        `${count(report.alike, 'value')} are the same.`,
      ].join('\n'),
    ),
  ].join('\n\n')
}

function whyText({ is, from, at, because }: ParityDifference): string {
  if (is === 'undeclared') return 'by nobody'
  const where = at === undefined ? list([...from]) : placeText(at)
  return because === undefined ? where : `${where}: ${line(because)}`
}
