import { join } from 'node:path'

import { command, flag, path } from '../command.ts'
import type { Organisation } from '../core/organisation.ts'
import { addressOf } from '../core/organisation.ts'
import type { Cell, Paint } from '../core/report.ts'
import { count, list, plain, table, width } from '../core/report.ts'
import { outcomeOf } from './outcome.ts'
import type { Attempt } from './deploying.ts'
import { columnsOf, deployUnits, positionOf } from './deploying.ts'
import { planUnits } from './planning.ts'
import { stacksOf } from './stacks.ts'
import { readFolder, sameFolders, stateFolders } from './reading.ts'
import { termsOf } from './terms.ts'

export const start = command({
  name: 'start',
  summary: 'Brings the sample organisation to life on this machine: every service in every stage, without an account.',
  inputs: {
    fresh: flag('Begin again: forget the local stacks and records first.'),
    root: path('The folder of the organisation.', { default: '.' }),
    state: path('The folder of the local stacks and records; a relative one lies below the root.', {
      default: '.protium',
    }),
  },
  outputs: {
    units: 'The units in the order in which they were deployed, each with its outcome.',
    addresses: 'The address of each instance that answers on a host.',
  },
  async run(ports, { fresh, root, state }) {
    const folders = stateFolders(root, state)
    const { organisation: read, sources } = await readFolder(ports, root)
    if (!read.ok)
      return { exit: 'bad-input', data: { units: [], addresses: [] }, text: () => '', problems: read.problems, sources }
    const organisation = read.value
    const { catalog, services, units } = organisation
    ports.reporter.step(
      'read',
      `${catalog.name}: ${count(catalog.stages.length, 'stage')}, ${count(services.length, 'service')}, ${count(catalog.templates.size, 'template')}`,
    )
    // From the plan to the last unit: nothing else may change the stacks in between.
    await using _run = await ports.exclusive(folders.stacks)
    if (fresh) {
      // What is there goes only when everything that shall take its place has been found in order.
      await using none = stacksOf(ports, { folder: join(folders.stacks, 'none') })
      const first = await planUnits(units, none)
      if (!first.ok)
        return {
          exit: 'bad-input',
          data: { units: [], addresses: [] },
          text: () => '',
          problems: [...read.problems, ...first.problems],
          sources,
        }
      await ports.forget(folders)
    }
    const terms = termsOf(ports, { catalog })
    await using stacks = stacksOf(ports, { folder: folders.stacks, for: 'deployment', terms })
    const planned = await planUnits(units, stacks)
    const problems = [...read.problems, ...planned.problems]
    if (!planned.ok) return { exit: 'bad-input', data: { units: [], addresses: [] }, text: () => '', problems, sources }
    const due = planned.value.filter((each) => each.planned.verdict !== 'nothing')
    const touched = due.reduce((sum, each) => sum + each.planned.changes.length, 0)
    ports.reporter.step(
      'checked and planned',
      due.length === 0 ? 'nothing to do' : `${count(due.length, 'unit')}, ${count(touched, 'resource')} to deploy`,
    )
    const attempts = await deployUnits(ports, {
      organisation,
      planned: planned.value,
      stacks,
      records: await ports.records(folders.records),
      commit: await ports.files.commit(root),
      // Nothing but folders on this machine is touched, and the person at it has asked for all of it.
      approve: async () => true,
    })
    const addresses = attempts.flatMap(({ unit, is }) => {
      const address = addressOf(unit)
      return address === undefined || (is !== 'deployed' && is !== 'unchanged') ? [] : [address]
    })
    const outcome = outcomeOf(attempts, { organisation, again: 'start', folders: sameFolders({ root, state }) })
    if (outcome.exit !== 'done') return { ...outcome, data: { ...outcome.data, addresses }, problems, sources }
    return {
      exit: 'done',
      data: { ...outcome.data, addresses },
      text: (paint, columns) =>
        startText(attempts, { organisation, program: ports.program, root, state, paint, columns }),
      problems,
      sources,
    }
  },
})

function startText(
  attempts: readonly Attempt[],
  {
    organisation,
    program,
    root,
    state,
    paint,
    columns = Number.POSITIVE_INFINITY,
  }: {
    readonly organisation: Organisation
    readonly program: string
    readonly root: string
    readonly state: string
    readonly paint: Paint
    readonly columns: number | undefined
  },
): string {
  const same = sameFolders({ root, state })
  const idle = attempts.every(({ is }) => is === 'unchanged')
  const touched = attempts.reduce((sum, attempt) => sum + attempt.touched, 0)
  const { catalog, services } = organisation
  const stages = list(catalog.stages.map(({ name }) => name))
  const headline = idle
    ? `Nothing to do: ${catalog.name} runs as its files say. To begin again: \`protium start --fresh${same}\`.`
    : `${catalog.name} runs: ${count(services.length, 'service')} in ${stages}. ${count(touched, 'resource')} were made, all of them in ${state.replace(/\/*$/u, '/')} on this machine.`
  // The narrow form has a line for each stage.
  const fits = addressTable(attempts, { organisation, paint: plain })
    .split('\n')
    .every((row) => width(row) <= columns)
  return [
    fits ? addressTable(attempts, { organisation, paint }) : addressList(attempts, { organisation, paint }),
    paint.bold(headline),
    tryText(program, { root, state, paint }),
  ].join('\n\n')
}

/** Services by stages, with the addresses; the subdomain is what makes the stage. */
function addressTable(
  attempts: readonly Attempt[],
  { organisation, paint }: { readonly organisation: Organisation; readonly paint: Paint },
): string {
  const cells = attempts.map((attempt) => ({ ...positionOf(attempt.unit, organisation), attempt }))
  const columns = columnsOf(attempts, organisation)
  const rows = [...new Set(cells.map(({ row }) => row))]
  return table(
    [{ name: ' ' }, ...columns.map((name) => ({ name }))],
    rows.map((row): Cell[] => [
      { text: row, paint: paint.bold },
      ...columns.map((column): Cell => {
        const attempt = cells.find((cell) => cell.row === row && cell.column === column)?.attempt
        return attempt === undefined ? '' : { text: answerOf(attempt), paint: paint.good }
      }),
    ]),
    paint,
  )
}

function addressList(
  attempts: readonly Attempt[],
  { organisation, paint }: { readonly organisation: Organisation; readonly paint: Paint },
): string {
  const cells = attempts.map((attempt) => ({ ...positionOf(attempt.unit, organisation), attempt }))
  const rows = [...new Set(cells.map(({ row }) => row))].flatMap((row) => cells.filter((cell) => cell.row === row))
  return table(
    [{ name: 'service' }, { name: 'stage' }, { name: 'address' }],
    rows.map(({ row, column, attempt }): Cell[] => [
      { text: row, paint: paint.bold },
      column,
      { text: answerOf(attempt), paint: paint.good },
    ]),
    paint,
  )
}

/** Where a unit answers; of one that answers nowhere, what it was made from. */
function answerOf({ unit }: Attempt): string {
  return addressOf(unit) ?? `${unit.bundle.template} ${unit.bundle.version}`
}

/** Each works on what was just deployed, needs no account, and shows one thing that the platform is for. */
function tryText(
  program: string,
  { root, state, paint }: { readonly root: string; readonly state: string; readonly paint: Paint },
): string {
  const same = sameFolders({ root, state })
  const rehearsal = sameFolders({ root, state: '.protium/rehearsal' })
  const things = [
    ['See what runs where, and since when.', `${program} status${same}`],
    [
      'Ask for twice as many tasks: add `desired_count: 4` to the inputs in services/receipts/service.yaml, then look before you leap.',
      `${program} plan receipts${same}`,
    ],
    [
      'Rehearse a failure on a second copy: staging is rolled back, prod is never begun.',
      `${program} deploy checkout${rehearsal} --fail checkout-staging/Service`,
    ],
  ]
  return [
    paint.bold('Three things to try'),
    ...things.map(([why = '', run = ''], index) => `${index + 1}. ${why}\n   ${paint.accent(run)}`),
  ].join('\n')
}
