import type { Json, Outcome } from '../command.ts'
import { command, flag, lines, path, text } from '../command.ts'
import { shownValue } from '../core/drift.ts'
import { line } from '../core/encode.ts'
import type { Problem } from '../core/problem.ts'
import type { Cell, Paint } from '../core/report.ts'
import { count, placeText, table } from '../core/report.ts'
import type { FileTree } from '../core/tree.ts'
import { accepted } from './accepting.ts'
import type { Found } from './drifting.ts'
import { lookedAt, originOf, originText } from './drifting.ts'
import { checkUnlocked } from './locking.ts'
import { mendAll } from './mending.ts'
import { exactUnits, readFolder, sameFolders, sameOptions, selectUnits, stateFolders } from './reading.ts'
import { exclusively, stacksOf } from './stacks.ts'
import { acknowledgedUnits, termsOf } from './terms.ts'

type Answer = Outcome<Readonly<Record<'drift' | 'looked' | 'unknown' | 'units', Json>>>

export const drift = command({
  name: 'drift',
  summary:
    'Looks for what was changed by hand in stacks, property by property; brings it back, or takes it into the files.',
  inputs: {
    units: lines('Units such as checkout/dev, or services; all of them if none is named.', { positional: true }),
    mend: flag('Bring back what the files say.'),
    accept: flag('Write what runs into the files, where a property is one input.'),
    yes: flag('Do it without being asked.'),
    acknowledge: lines('Let this resource be replaced although it holds data.', { hint: 'UNIT:LOGICALID' }),
    owner: text('The repository that owns the stacks, by its id; what catalog.yaml says if nothing is said.', {
      hint: 'ID',
    }),
    root: path('The folder of the organisation.', { default: '.' }),
    state: path('The folder of the local stacks and records; a relative one lies below the root.', {
      default: '.protium',
    }),
  },
  outputs: {
    drift:
      'What was changed by hand: unit, resource, property, what the files say, what is there, what it comes from, and who did it, where the cloud tells.',
    looked: 'How many resources were looked at.',
    unknown: 'Resources that cannot be looked at, because their types do not take part.',
    units: 'With --mend or --accept: the units, each with what came of it.',
  },
  async run(ports, { units: names, mend, accept, yes, acknowledge, owner, root, state }): Promise<Answer> {
    const bad = (problems: readonly Problem[], sources?: FileTree): Answer => ({
      exit: 'bad-input',
      data: { drift: [], looked: 0, unknown: [], units: [] },
      text: () => '',
      problems,
      ...(sources !== undefined && { sources }),
    })
    if (mend && accept) return bad([both])
    const { organisation: read, sources } = await readFolder(ports, root, { services: names })
    if (!read.ok) return bad(read.problems, sources)
    const organisation = read.value
    const chosen =
      names.length === 0
        ? ({ ok: true, value: organisation.units, problems: [] } as const)
        : exactUnits(organisation, { names, command: 'drift' })
    const acknowledged = acknowledgedUnits(acknowledge, organisation)
    const needed = selectUnits(organisation, { services: names, stages: [] })
    if (!chosen.ok) return bad(chosen.problems)
    if (!acknowledged.ok) return bad(acknowledged.problems)
    if (!needed.ok) return bad(needed.problems)
    const folders = stateFolders(root, state)
    await using _run = mend ? await exclusively(ports, { units: chosen.value, stacks: folders.stacks }) : undefined
    if (mend) await checkUnlocked(ports, { units: chosen.value, root, records: folders.records })
    const terms = termsOf(ports, { catalog: organisation.catalog, owner, acknowledged: acknowledged.value })
    await using stacks = stacksOf(ports, { folder: folders.stacks, for: mend ? 'deployment' : 'plan', terms })
    const found = await lookedAt(ports, { units: chosen.value, needed: needed.value, stacks })
    const again = `drift${names.map((name) => ` ${name}`).join('')}`
    const options = `${sameOptions({ acknowledge, owner })}${sameFolders({ root, state })}`
    const told = { ...dataOf(found), units: [] }
    if (!isDrifted(found) || (!mend && !accept)) {
      return {
        exit: isDrifted(found) ? 'different' : 'done',
        data: told,
        text: (paint) => driftText(found, paint),
        problems: read.problems,
        sources,
        next: isDrifted(found)
          ? [
              { run: `${again} --mend${options}`, why: 'bring back what the files say' },
              { run: `${again} --accept${options}`, why: 'write what runs into the files, where it is one input' },
            ]
          : [],
      }
    }
    if (accept) {
      const made = await accepted(ports, { root, names, sources, organisation, found, stacks })
      await ports.files.write(root, made.files)
      return {
        exit: made.problems.length > 0 ? 'different' : 'done',
        data: { ...told, units: made.edits.map(({ unit, file, path: at }) => ({ unit, file, path: at.join('.') })) },
        text: (paint) =>
          [
            driftText(found, paint),
            ...made.edits.map(({ file, path: at, value }) => `${file}: ${at.join('.')} is ${line(value)} now`),
          ].join('\n'),
        problems: [...read.problems, ...made.problems],
        sources,
        // Where nothing could be taken over, no file has changed; the problems say what to do.
        next:
          made.edits.length === 0
            ? []
            : [{ run: `plan${sameFolders({ root, state })}`, why: 'what the changed files would deploy' }],
      }
    }
    const mended = await mendAll(ports, { found, stacks, yes })
    const { exit, lines: ended, problems, units } = mended
    return {
      exit,
      data: { ...told, units },
      text: (paint) => [driftText(found, paint), ended.join('\n')].join('\n\n'),
      problems: [...read.problems, ...problems],
      sources,
      next:
        exit === 'needs-approval' && problems.length === 0
          ? [{ run: `${again} --mend --yes${options}`, why: 'do it' }]
          : [],
    }
  },
})

const both: Problem = {
  code: 'option-value',
  severity: 'error',
  message: '--mend and --accept are opposites: the one changes the stacks, the other the files.',
  remedy: 'Give one of them.',
}

function isDrifted(found: readonly Found[]): boolean {
  return found.some((each) => each.drift.resources.length > 0)
}

type Row = {
  readonly unit: string
  readonly resource: string
  readonly type: string
  readonly property: string | null
  readonly expected: string | null
  readonly actual: string | null
  readonly from: string
  readonly at: string | null
  /** Who has changed the resource last, by which call, and when, where the cloud tells. */
  readonly by?: { readonly who: string; readonly call: string; readonly at: string }
}

function rowsOf(found: Found): readonly Row[] {
  return found.drift.resources.flatMap((resource): readonly Row[] => {
    const { logicalId, type, is, properties, by } = resource
    const told = by === undefined ? {} : { by: { ...by, at: by.at.toISOString() } }
    const bare = { unit: found.unit.id, resource: logicalId, type, ...told }
    if (is === 'gone')
      return [{ ...bare, property: null, expected: 'there', actual: 'gone', from: 'the template', at: null }]
    return properties.map((property) => {
      const origin = originOf(found, logicalId, property)
      const of = { path: property.path, part: found.rendered?.part, logicalId }
      const at = origin.is === 'undeployed' ? undefined : origin.at
      return {
        ...bare,
        property: property.path.join('.'),
        expected: shownValue(property.expected, of) ?? null,
        actual: shownValue(property.actual, of) ?? null,
        from: originText(origin),
        at: at === undefined ? null : placeText(at),
      }
    })
  })
}

function dataOf(found: readonly Found[]): { readonly drift: Json; readonly looked: number; readonly unknown: Json } {
  return {
    drift: found.flatMap(rowsOf),
    looked: found.reduce((sum, each) => sum + each.drift.looked, 0),
    unknown: found.flatMap(({ unit, drift: { unknown } }) => unknown.map((each) => ({ unit: unit.id, ...each }))),
  }
}

function driftText(found: readonly Found[], paint: Paint): string {
  const rows = found.flatMap(rowsOf)
  const { looked } = dataOf(found)
  const unknown = found.reduce((sum, each) => sum + each.drift.unknown.length, 0)
  const changers = new Set(
    rows.flatMap(({ unit, resource, by }) =>
      by === undefined
        ? []
        : [`${resource} of ${unit} was changed last by ${line(by.who)} (${line(by.call)}) at ${minuteOf(by.at)} UTC.`],
    ),
  )
  const there = found.filter(({ state }) => state.is === 'settled')
  const shown = rows.map((row): Cell[] => [
    { text: row.unit, paint: paint.bold },
    row.resource,
    row.property ?? '',
    line(row.expected ?? '-'),
    { text: line(row.actual ?? '-'), paint: paint.bad },
    line(row.at === null ? row.from : `${row.from} (${row.at})`),
  ])
  const head = ['unit', 'resource', 'property', 'the files say', 'it is', 'comes from'].map((name) => ({ name }))
  const tally = `${count(looked, 'resource')} of ${count(there.length, 'stack')} ${looked === 1 ? 'was' : 'were'} looked at`
  return [
    ...(rows.length === 0 ? [paint.good('No drift.')] : [table(head, shown, paint)]),
    ...(changers.size === 0 ? [] : [[...changers].join('\n')]),
    paint.dim(
      [
        `${tally}${unknown === 0 ? '.' : `; ${unknown} cannot be, because their types do not take part.`}`,
        ...found.flatMap(({ unit, drift: { untold } }) =>
          untold === undefined ? [] : [`Who has changed ${unit.id} is not told: ${line(untold)}.`],
        ),
        ...found.flatMap(({ unit, state }) =>
          state.is === 'busy' || state.is === 'stuck'
            ? [`${unit.id} was not looked at: its stack is ${state.status}.`]
            : [],
        ),
      ].join('\n'),
    ),
  ].join('\n\n')
}

/** `2026-11-25 14:03` */
function minuteOf(time: string): string {
  return time.slice(0, 16).replace('T', ' ')
}
