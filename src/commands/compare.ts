import type { Json, Outcome, Ports } from '../command.ts'
import { command, flag, path, text } from '../command.ts'
import { line } from '../core/encode.ts'
import type { Organisation, Unit } from '../core/organisation.ts'
import type { DriftOf, ParityDifference, ParityReport, Side } from '../core/parity.ts'
import { compareSides, handChanges, isRuledOut, ordered } from '../core/parity.ts'
import type { Checked, Problem } from '../core/problem.ts'
import { Refused } from '../core/problem.ts'
import type { Paint } from '../core/report.ts'
import { count, distinct, list, placeText, table } from '../core/report.ts'
import { didYouMean } from '../core/nearest.ts'
import { withoutSecrets } from '../core/secret.ts'
import { renderAll, stackOf } from '../core/rendering.ts'
import { readFolder, sameFolders, stateFolders } from './reading.ts'
import type { Stacks } from './stacks.ts'
import { stacksOf } from './stacks.ts'

type Answer = Outcome<Readonly<Record<'ruledOut' | 'differences' | 'drift' | 'alike', Json>>>

export const compare = command({
  name: 'compare',
  summary: 'Compares a service in two stages: what differs, who declared it, and what nobody did.',
  inputs: {
    service: text('The service: checkout.', { positional: true, required: true }),
    first: text('A stage: staging.', { positional: true, required: true }),
    second: text('Another stage: prod.', { positional: true, required: true }),
    offline: flag('Do not look at the stacks: what was changed by hand is not known then.'),
    root: path('The folder of the organisation.', { default: '.' }),
    state: path('The folder of the local stacks and records; a relative one lies below the root.', {
      default: '.protium',
    }),
  },
  outputs: {
    ruledOut:
      'Whether infrastructure can be ruled out: no difference that nobody declared, and nothing changed by hand.',
    differences:
      'The differences, each with what it is about, both values, what it comes from and where it was declared.',
    drift: 'Of both stages, what was changed by hand since it was deployed, or why that is not known.',
    alike: 'How many values of the two renderings are the same.',
  },
  async run(ports, { service, first, second, offline, root, state }): Promise<Answer> {
    const { organisation: read, sources } = await readFolder(ports, root, { services: [service] })
    const bad = (problems: readonly Problem[]): Answer => ({
      exit: 'bad-input',
      data: { ruledOut: false, differences: [], drift: [], alike: 0 },
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
    await using stacks = stacksOf(ports, { folder: stateFolders(root, state).stacks })
    const drift = await Promise.all(
      [mine, theirs].map(async (side) =>
        offline ? ({ is: 'unknown', why: 'the stack was not to be looked at' } as const) : driftOf(ports, side, stacks),
      ),
    )
    const byHand = drift.some((each) => each.is === 'looked' && each.changes.length > 0)
    const missing = [one, other].filter((_unit, index) => drift[index]?.is === 'absent')
    return {
      exit: undeclared.length > 0 || byHand ? 'different' : missing.length > 0 ? 'unfinished' : 'done',
      data: {
        ruledOut: isRuledOut(report, drift),
        differences: ordered(report.differences).map(({ at, ...each }) => ({ ...each, at: at ?? null })),
        drift: drift.map((each, index) => ({ unit: [one, other][index]?.id ?? '', ...each })),
        alike: report.alike,
      },
      text: (paint) => parityText(report, { drift, paint }),
      problems: read.problems,
      sources,
      next: [
        ...(missing.length === 0
          ? []
          : [
              {
                run: `deploy ${missing.map(({ id }) => id).join(' ')}${sameFolders({ root, state })}`,
                why: 'then there are two to compare',
              },
            ]),
        ...(byHand
          ? [
              {
                run: `drift ${one.id} ${other.id}`,
                why: 'where it comes from, and how to bring it back or take it over',
              },
            ]
          : []),
        { run: `explain --at ${other.id}:1`, why: 'which line of which template wrote a line, and what it read' },
      ],
    }
  },
})

/** What was changed by hand of one side. Where that cannot be told it is not known, and never taken for nothing. */
async function driftOf(ports: Ports, { unit, part }: Side, stacks: Stacks): Promise<DriftOf> {
  try {
    const provisioner = await stacks.of(unit)
    const state = await provisioner.state(stackOf(unit), { expects: 'change' })
    if (state.is === 'absent') return { is: 'absent' }
    if (state.is !== 'settled') return { is: 'unknown', why: `the stack is ${state.status}` }
    const { resources, looked, unknown } = await provisioner.drift(stackOf(unit), ports.signal)
    return { is: 'looked', looked, unseen: unknown.length, changes: handChanges(part, resources) }
  } catch (error) {
    if (!(error instanceof Refused) || ports.signal.aborted) throw error
    return { is: 'unknown', why: withoutSecrets(error.message) }
  }
}

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
function parityText(
  report: ParityReport,
  { drift, paint }: { readonly drift: readonly DriftOf[]; readonly paint: Paint },
): string {
  const by = (is: ParityDifference['is']): readonly ParityDifference[] =>
    ordered(report.differences).filter((each) => each.is === is)
  const [undeclared, declared, own] = [by('undeclared'), by('declared'), by('own')]
  const byHand = drift.reduce((sum, each) => sum + (each.is === 'looked' ? each.changes.length : 0), 0)
  const found = [
    ...(undeclared.length > 0 ? [`${count(undeclared.length, 'difference')} that nobody declared`] : []),
    ...(byHand > 0 ? [`${count(byHand, 'change')} by hand`] : []),
  ]
  const alike = declared.length === 0 ? 'the two are the same' : 'every difference was declared'
  const missing = [report.first, report.second].filter((_unit, index) => drift[index]?.is === 'absent')
  const isMissing = `${list(missing)} ${missing.length === 1 ? 'is' : 'are'} not deployed`
  const head =
    found.length > 0
      ? paint.bad(`Infrastructure is not ruled out: ${list(found)}.`)
      : isRuledOut(report, drift)
        ? paint.good(`Infrastructure can be ruled out: ${alike}.`)
        : missing.length > 0
          ? paint.notice(`There is no verdict: ${isMissing}. By the files ${alike}.`)
          : paint.notice(`By files and records ${alike}; what was changed by hand is not known.`)
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
    ...driftTable(report, { drift, paint }),
    paint.dim(
      [
        ...(following === 0
          ? []
          : [
              `${count(following, 'value')} of the stacks ${following === 1 ? 'follows' : 'follow'} from what was declared.`,
            ]),
        `${count(own.length, 'value')} belong to the stage itself: its name, its hosts, its account, what its environment gives out.`,
        `${count(report.alike, 'value')} are the same.`,
        ...drift.map((each, index) => driftLine([report.first, report.second][index] ?? '', each)),
      ].join('\n'),
    ),
  ].join('\n\n')
}

/** What was changed by hand, in either of the two. */
function driftTable(
  { first, second }: ParityReport,
  { drift, paint }: { readonly drift: readonly DriftOf[]; readonly paint: Paint },
): readonly string[] {
  const rows = drift.flatMap((each, index) =>
    each.is !== 'looked'
      ? []
      : each.changes.map(({ what, expected, actual }) => [
          { text: [first, second][index] ?? '', paint: paint.bold },
          line(what),
          line(expected ?? '-'),
          { text: line(actual ?? '-'), paint: paint.bad },
        ]),
  )
  const head = ['changed by hand in', 'what', 'it was deployed as', 'it is'].map((name) => ({ name }))
  return rows.length === 0 ? [] : [table(head, rows, paint)]
}

function driftLine(unit: string, drift: DriftOf): string {
  if (drift.is === 'absent') return `${unit} is not deployed.`
  if (drift.is === 'unknown') return line(`What was changed by hand of ${unit} is not known: ${drift.why}`)
  const { looked, unseen, changes } = drift
  const none = changes.length === 0 ? ', nothing was changed by hand' : ''
  const rest = unseen === 0 ? '' : `; ${unseen} cannot be looked at, because their types do not take part`
  return `${unit}: ${count(looked, 'resource')} looked at${none}${rest}.`
}

function whyText({ is, from, at, because }: ParityDifference): string {
  if (is === 'undeclared') return 'by nobody'
  const where = at === undefined ? list([...from]) : placeText(at)
  return because === undefined ? where : `${where}: ${line(because)}`
}
