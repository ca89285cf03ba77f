import type { Ports } from '../command.ts'
import { command, lines, path } from '../command.ts'
import type { Board } from '../core/board.ts'
import { emptyBoard } from '../core/board.ts'
import { line } from '../core/encode.ts'
import type { Organisation, Unit } from '../core/organisation.ts'
import { addressOf } from '../core/organisation.ts'
import type { Cell, Paint } from '../core/report.ts'
import { age, list, table } from '../core/report.ts'
import type { Problem } from '../core/problem.ts'
import { Refused } from '../core/problem.ts'
import { boardData, boardOf, lockText, waitingText } from '../core/board-words.ts'
import type { DeploymentRecord, StackState } from '../ports.ts'
import type { Left } from './left.ts'
import { isNamed, leftBehind } from './left.ts'
import type { Stacks } from './stacks.ts'
import { stackOf } from '../core/rendering.ts'
import { stacksOf } from './stacks.ts'
import { readFolder, sameFolders, selectUnits, stateFolders } from './reading.ts'
import { Slots } from './slots.ts'

/** One unit as it stands: what was deployed last, and what came of the last attempt. */
type Standing = {
  readonly service: string
  readonly stage: string
  readonly unit: string
  /** What runs; null before the first deployment. */
  readonly version: string | null
  readonly wanted: string
  readonly outcome: string
  readonly since: string | null
  readonly address: string | null
  readonly evidence: string | null
  /** The status of a stack that is worked on, or that an operation left half done; and for that, what to do. */
  readonly stack: string | null
  readonly remedy: string | null
}

export const status = command({
  name: 'status',
  summary:
    'Shows what runs where: for each service and stage the version, how its last deployment ended, since when, and its address; what waits, and what is locked.',
  inputs: {
    services: lines('Services, or units such as checkout/dev; all of them if none is named.', { positional: true }),
    stage: lines('Only this stage.', {}),
    root: path('The folder of the organisation.', { default: '.' }),
    state: path('The folder of the local stacks and records; a relative one lies below the root.', {
      default: '.protium',
    }),
  },
  outputs: {
    units:
      'The units, each with version, wanted version, outcome, since, address, and the status of a stack that is not at rest.',
    left: 'Units that were deployed and that no file asks for any more, each with its stack, since when, and the commit.',
    waiting: 'The promotions that wait: for which gates, since when, until when, and who can open them.',
    locks: 'The locks, each with what it holds, whose it is, why, and since and until when.',
  },
  async run(ports, { services, stage, root, state }) {
    const { organisation, sources } = await readFolder(ports, root)
    if (!organisation.ok)
      return {
        exit: 'bad-input',
        data: nothing,
        text: () => '',
        problems: organisation.problems,
        sources,
      }
    const records = await (await ports.records(stateFolders(root, state).records)).list()
    await using stacks = stacksOf(ports, { folder: stateFolders(root, state).stacks })
    const behind = await leftBehind(records, { organisation: organisation.value, stacks })
    const isLeft = (name: string): boolean => behind.some(({ unit }) => isNamed(unit, name))
    // What only the records know is named like what has a file.
    const known = services.filter((name) => !isLeft(name) || hasFile(organisation.value, name))
    const selected: ReturnType<typeof selectUnits> =
      services.length > 0 && known.length === 0
        ? { ok: true, value: [], problems: [] }
        : selectUnits(organisation.value, { services: known, stages: stage })
    if (!selected.ok) return { exit: 'bad-input', data: nothing, text: () => '', problems: selected.problems }
    const states = await statesOf(selected.value, stacks)
    const standings = selected.value.map((unit): Standing => {
      const own = records.filter((record) => record.unit === unit.id)
      const last = own.at(-1)
      const now = states.get(unit.id)
      const is = now?.is
      const live =
        is === 'absent' ? undefined : own.findLast(({ outcome }) => outcome === 'deployed' || outcome === 'unchanged')
      return {
        service: unit.service?.service ?? 'environment',
        stage: unit.stage?.name ?? unit.environment.name,
        unit: unit.id,
        version: live?.version ?? null,
        wanted: unit.bundle.version,
        outcome: outcomeOf(last, is),
        since: last?.finished ?? null,
        address: addressOf(unit) ?? null,
        evidence: last?.outcome === 'failed' ? (last.evidence ?? null) : null,
        stack: now?.is === 'busy' || now?.is === 'stuck' ? now.status : null,
        remedy: now?.is === 'stuck' ? now.remedy : null,
      }
    })
    const isAll = services.length + stage.length === 0
    const left = behind.filter(
      ({ unit }) =>
        (services.length === 0 || services.some((name) => isNamed(unit, name))) &&
        (stage.length === 0 || stage.includes(unit.split('/')[1] ?? '')),
    )
    const now = ports.clock.now()
    const board = await boardsOf(ports, { root, records: stateFolders(root, state).records })
    // A promotion of a unit that no file asks for any more is told of too, where nothing is named.
    const all = isAll ? [...board.value.waiting, ...board.value.locks] : selected.value.map(({ id }) => ({ unit: id }))
    const shown = boardOf(board.value, { units: all.map(({ unit }) => unit), now })
    const folders = sameFolders({ root, state })
    const failed = standings.find(
      ({ outcome, remedy }) => outcome === 'failed' || outcome === 'stopped' || remedy !== null,
    )
    const waiting = standings.some(({ version, wanted }) => version !== wanted)
    return {
      exit: board.problems.length === 0 ? 'done' : 'failed',
      data: { units: standings, left, ...boardData(shown) },
      text: (paint) => statusText(standings, { left, board: shown, now, paint }),
      problems: [...organisation.problems, ...board.problems],
      sources,
      next: [
        ...(left[0] === undefined ? [] : [{ run: `remove ${left[0].unit}${folders}`, why: 'how what is left goes' }]),
        failed !== undefined
          ? { run: `deploy ${failed.unit}${folders}`, why: `try ${failed.unit} again` }
          : waiting
            ? { run: `deploy${folders}`, why: 'bring every stage to the wanted version' }
            : { run: `plan${folders}`, why: 'what a deployment would change' },
      ],
    }
  },
})

const nothing = { units: [], left: [], waiting: [], locks: [] } as const

/**
 * The board of this machine, and that of the repository as git has fetched it. One that cannot be read does not hide the rest.
 */
async function boardsOf(
  ports: Ports,
  { root, records }: { readonly root: string; readonly records: string },
): Promise<{ readonly value: Board; readonly problems: readonly Problem[] }> {
  const reads = [async () => (await ports.board(records)).read(), async () => ports.files.board(root)]
  const problems: Problem[] = []
  const boards: Board[] = []
  for (const read of reads) {
    try {
      boards.push((await read()) ?? emptyBoard)
    } catch (error) {
      if (!(error instanceof Refused && error.code === 'board-format')) throw error
      problems.push({ code: 'board-format', severity: 'error', message: error.message, remedy: error.remedy })
    }
  }
  const value: Board = {
    ...emptyBoard,
    waiting: boards.flatMap(({ waiting }) => waiting),
    locks: boards.flatMap(({ locks }) => locks),
  }
  return { value, problems }
}

/** How the stacks are at this moment; nothing is known of one that this version has no provisioner for. */
async function statesOf(units: readonly Unit[], stacks: Stacks): Promise<ReadonlyMap<string, StackState>> {
  const slots = new Slots()
  const states = new Map<string, StackState>()
  const looks = units.map(async (unit) => {
    const release = await slots.take(unit.environment)
    try {
      // What is in it is not asked for.
      states.set(unit.id, await (await stacks.of(unit)).state(stackOf(unit), { expects: 'change' }))
    } catch (error) {
      if (!(error instanceof Refused && error.code === 'provisioner-missing')) throw error
    } finally {
      release()
    }
  })
  await Promise.all(looks)
  return states
}

/** What the records say, unless the stack itself says otherwise: it is worked on, was left half done, or is not there. */
function outcomeOf(last: DeploymentRecord | undefined, is: StackState['is'] | undefined): string {
  if (is === 'busy') return 'deploying'
  const ended = last?.outcome === 'failed' || last?.outcome === 'refused'
  if (is === 'stuck' && !ended) return 'stopped'
  if (last === undefined) return is === 'settled' ? 'deployed' : 'not deployed'
  if (last.outcome === 'removed') return is === 'absent' ? 'removed' : 'deployed'
  if (is === 'absent' && !ended) return 'gone'
  return last.outcome === 'unchanged' ? 'deployed' : last.outcome
}

function statusText(
  standings: readonly Standing[],
  {
    left,
    board: { waiting, locks },
    now,
    paint,
  }: { readonly left: readonly Left[]; readonly board: Board; readonly now: Date; readonly paint: Paint },
): string {
  const tones: Readonly<Record<string, (text: string) => string>> = {
    deployed: paint.good,
    failed: paint.bad,
    stopped: paint.bad,
    gone: paint.bad,
    refused: paint.bad,
  }
  const shown =
    standings.length === 0
      ? ''
      : table(
          [
            { name: 'service' },
            { name: 'stage' },
            { name: 'version' },
            { name: 'outcome' },
            { name: 'since', align: 'right' },
            { name: 'address' },
          ],
          standings.map((each): Cell[] => [
            { text: each.service, paint: paint.bold },
            each.stage,
            versionCell(each),
            { text: each.outcome, paint: tones[each.outcome] ?? paint.dim },
            each.since === null ? '' : age(now.getTime() - Date.parse(each.since)),
            each.address ?? '',
          ]),
          paint,
        )
  const reasons = standings.flatMap(({ unit, evidence, stack, remedy }) => [
    // What was seen of it besides stands in the lines after the first.
    ...(evidence === null ? [] : [`${unit} failed: ${line(evidence.split('\n')[0] ?? '')}`]),
    ...(stack === null ? [] : [`${unit} is ${stack}.${remedy === null ? '' : ` ${line(remedy)}`}`]),
  ])
  const notes = left.length === 0 ? [] : [leftText(left, { now, paint })]
  const parts = [
    shown,
    reasons.join('\n'),
    waitingText(waiting, { now, paint }),
    locks.map((lock) => lockText(lock, now)).join('\n'),
    ...notes,
  ]
  return parts.filter((part) => part !== '').join('\n\n')
}

function leftText(left: readonly Left[], { now, paint }: { readonly now: Date; readonly paint: Paint }): string {
  const its = left.length === 1 ? 'Its stack is left as it is' : 'Their stacks are left as they are'
  return [
    `No file asks for ${list(left.map(({ unit }) => unit))} any more. ${its}.`,
    table(
      [{ name: 'left' }, { name: 'stack' }, { name: 'since', align: 'right' }],
      left.map((each): Cell[] => [
        { text: each.unit, paint: paint.bold },
        each.stack,
        age(now.getTime() - Date.parse(each.since)),
      ]),
      paint,
    ),
  ].join('\n')
}

function hasFile({ units }: Organisation, name: string): boolean {
  return units.some(({ id, service }) => id === name || service?.service === name)
}

function versionCell({ version, wanted }: Standing): string {
  if (version === null) return `- (${wanted} wanted)`
  return version === wanted ? version : `${version} (${wanted} wanted)`
}
