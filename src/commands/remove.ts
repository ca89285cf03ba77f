import type { Json, Outcome, Ports } from '../command.ts'
import { command, flag, lines, path, text } from '../command.ts'
import type { Organisation, Unit } from '../core/organisation.ts'
import type { Problem } from '../core/problem.ts'
import type { Paint } from '../core/report.ts'
import { count, list, table } from '../core/report.ts'
import { isNamed, leftBehind, leftProblems } from './left.ts'
import { checkUnlocked } from './locking.ts'
import { exclusively, stacksOf } from './stacks.ts'
import { exactUnits, readFolder, sameFolders, sameOptions, stateFolders } from './reading.ts'
import type { Removable, Removal } from './removing.ts'
import { removables, removeUnits } from './removing.ts'
import { acknowledgedUnits, termsOf } from './terms.ts'

export const remove = command({
  name: 'remove',
  summary: 'Deletes the stacks of units. What holds data stays until it is acknowledged; the files are not touched.',
  inputs: {
    units: lines('Units such as checkout/dev, or a service, which is all of its units.', { positional: true }),
    yes: flag('Delete them without asking.'),
    acknowledge: lines('Let this resource go although it holds data.', { hint: 'UNIT:LOGICALID' }),
    owner: text('The repository that owns the stacks, by its id; what catalog.yaml says if nothing is said.', {
      hint: 'ID',
    }),
    fail: lines('Rehearse a failure: the local provisioner cannot delete this resource.', { hint: 'STACK/RESOURCE' }),
    root: path('The folder of the organisation.', { default: '.' }),
    state: path('The folder of the local stacks and records; a relative one lies below the root.', {
      default: '.protium',
    }),
  },
  outputs: { units: 'The units, each with what came of it.' },
  async run(ports, { units: names, yes, acknowledge, owner, fail, root, state }) {
    const { organisation, sources } = await readFolder(ports, root)
    const bad = (problems: Outcome['problems'] = []): Outcome<{ readonly units: Json }> => ({
      exit: 'bad-input',
      data: { units: [] },
      text: () => '',
      problems,
      sources,
    })
    if (!organisation.ok) return bad(organisation.problems)
    const folders = stateFolders(root, state)
    const again = ['remove', ...names].join(' ')
    const options = `${sameOptions({ acknowledge, owner })}${sameFolders({ root, state })}`
    const lost = await leftUnits(ports, {
      organisation: organisation.value,
      names,
      root,
      folders,
      again: `${again}${options}`,
    })
    const selected = exactUnits(organisation.value, { names, command: 'remove', also: lost.names })
    if (!selected.ok || lost.problems.length > 0) return bad([...lost.problems, ...selected.problems])
    const acknowledged = acknowledgedUnits(acknowledge, organisation.value)
    if (!acknowledged.ok) return bad(acknowledged.problems)
    await using _run = await exclusively(ports, { units: selected.value, stacks: folders.stacks })
    await checkUnlocked(ports, { units: selected.value, root, records: folders.records })
    const terms = termsOf(ports, {
      catalog: organisation.value.catalog,
      owner,
      acknowledged: acknowledged.value,
    })
    await using stacks = stacksOf(ports, {
      folder: folders.stacks,
      fail: fail.map((each) => (each.startsWith('delete:') ? each : `delete:${each}`)),
      terms,
    })
    const found = await removables(selected.value, { organisation: organisation.value, stacks })
    const problems = [...organisation.problems, ...found.flatMap((each) => each.problems)]
    if (found.length === 0) return { ...ended([], selected.value), problems: organisation.problems }
    if (found.some((each) => each.problems.length > 0)) {
      return {
        exit: 'needs-approval',
        data: { units: dataOf(found.map(({ unit }) => ({ unit, is: 'held' }))) },
        text: (paint) => `${foundText(found, paint)}\n\nNothing was removed: data would be lost.`,
        problems,
        next: [
          {
            run: `${again} --yes${found.flatMap(({ unit, losses }) => losses.map((id) => ` --acknowledge ${unit.id}:${id}`)).join('')}${options}`,
            why: 'let the data go with it',
          },
        ],
      }
    }
    const agreed =
      yes || ((await ports.confirm?.(`${foundText(found)}\n\nDelete ${count(found.length, 'stack')}?`)) ?? false)
    if (!agreed) {
      return {
        exit: 'needs-approval',
        data: { units: dataOf(found.map(({ unit }) => ({ unit, is: 'held' }))) },
        text: (paint) => `${foundText(found, paint)}\n\nNothing was removed.`,
        problems,
        next: [{ run: `${again} --yes${options}`, why: 'delete it' }],
      }
    }
    const removals = await removeUnits(ports, { found, stacks, records: await ports.records(folders.records) })
    const outcome = ended(removals, selected.value)
    return {
      ...outcome,
      problems,
      next: [
        ...(outcome.exit === 'done' ? [] : [{ run: `${again} --yes${options}`, why: 'remove what is left' }]),
        { run: `status${options}`, why: 'what runs where' },
      ],
    }
  },
})

/** Of the names those that no file asks for any more, and that the records know. */
async function leftUnits(
  ports: Ports,
  {
    organisation,
    names,
    root,
    folders,
    again,
  }: {
    readonly organisation: Organisation
    readonly names: readonly string[]
    readonly root: string
    readonly folders: ReturnType<typeof stateFolders>
    readonly again: string
  },
): Promise<{ readonly names: readonly string[]; readonly problems: readonly Problem[] }> {
  const known = new Set(organisation.units.flatMap(({ id, service }) => [id, service?.service]))
  const unknown = names.filter((name) => !known.has(name))
  if (unknown.length === 0) return { names: [], problems: [] }
  const records = await (await ports.records(folders.records)).list()
  await using stacks = stacksOf(ports, { folder: folders.stacks })
  const left = await leftBehind(records, { organisation, stacks })
  const those = unknown.filter((name) => left.some(({ unit }) => isNamed(unit, name)))
  return { names: those, problems: await leftProblems(ports, { names: those, root, left, command: again }) }
}

function foundText(found: readonly Removable[], paint?: Paint): string {
  return table(
    [{ name: 'unit' }, { name: 'stack' }, { name: 'resources', align: 'right' }, { name: '' }],
    found.map(({ unit, state, resources }) => [
      unit.id,
      unit.stack,
      state.is === 'settled' ? String(resources) : '',
      state.is === 'settled' ? '' : state.status,
    ]),
    paint,
  )
}

function dataOf(removals: readonly { readonly unit: Unit; readonly is: string; readonly why?: string }[]): Json {
  return removals.map(({ unit, is, why }) => ({ unit: unit.id, stack: unit.stack, outcome: is, why: why ?? null }))
}

function ended(removals: readonly Removal[], selected: readonly Unit[]): Outcome<{ readonly units: Json }> {
  const of = (is: Removal['is']): readonly Removal[] => removals.filter((each) => each.is === is)
  const going = new Set(removals.map(({ unit }) => unit.id))
  const absent = selected.filter(({ id }) => !going.has(id))
  const parts = [
    ...(of('removed').length > 0 ? [`${list(of('removed').map(({ unit }) => unit.id))} removed`] : []),
    ...(absent.length > 0 ? [`${list(absent.map(({ id }) => id))} not there`] : []),
  ]
  const reasons = removals.flatMap(({ unit, is, why }) => (why === undefined ? [] : [`${unit.id} ${is}: ${why}`]))
  return {
    exit: of('failed').length > 0 ? 'failed' : of('unfinished').length > 0 ? 'unfinished' : 'done',
    data: {
      units: [
        ...absent.map((unit) => ({ unit: unit.id, stack: unit.stack, outcome: 'absent', why: null })),
        ...removalData(removals),
      ],
    },
    text: () => [...reasons, ...(parts.length === 0 ? [] : [`${parts.join('; ')}.`])].join('\n'),
  }
}

function removalData(removals: readonly Removal[]): readonly Json[] {
  return removals.map(({ unit, is, why }) => ({ unit: unit.id, stack: unit.stack, outcome: is, why: why ?? null }))
}
