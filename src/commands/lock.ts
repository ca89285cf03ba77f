import type { Ports } from '../command.ts'
import { command, flag, text } from '../command.ts'
import { lockText } from '../core/board-words.ts'
import type { Lock } from '../core/board.ts'
import { withLock } from '../core/board.ts'
import type { Catalog } from '../core/catalog.ts'
import { durationSeconds } from '../core/duration.ts'
import { line } from '../core/encode.ts'
import type { Checked, Problem } from '../core/problem.ts'
import { list } from '../core/report.ts'
import type { Result } from './locking.ts'
import { bad, byWorkflow, common, isOver, kept, lockPermissions, noReason, overIn, scopesIn } from './locking.ts'
import { quoted, sameFolders } from './reading.ts'
import { unlocked } from './unlock.ts'

export const lock = command({
  name: 'lock',
  summary: 'Keeps services, or one of their stages, from being deployed until the lock is given back.',
  inputs: {
    units: common.units,
    reason: common.reason,
    until: text('When it ends by itself: 2h, 3d, or a time such as 2026-12-24T18:00Z.', { hint: 'TIME' }),
    'while-running': flag('Hold it only as long as this run of a workflow lasts.'),
    release: flag('Give it back instead: what `protium unlock` does.'),
    root: common.root,
    catalog: common.catalog,
    state: common.state,
  },
  outputs: { locks: 'The locks, each with what it holds, whose it is, why, and since and until when.' },
  permissions: lockPermissions,
  asksTeams: true,
  async run(ports, { release, 'while-running': whileRunning, until, ...given }): Promise<Result> {
    if (release) return unlocked(ports, given)
    const read = await scopesIn(ports, given, 'lock')
    if (!read.ok) return bad(read)
    const { board, now, scopes } = read
    const { reason = '' } = given
    const end = endOf(until, now)
    const problems = [
      ...(reason.trim() === '' ? [noReason('lock', 'Whoever is held up by a lock wants to know why.')] : []),
      ...(end.ok ? [] : end.problems),
      ...(whileRunning && ports.run === undefined ? [noRun] : []),
    ]
    if (problems.length > 0 || !end.ok) return bad({ problems })
    const before = await board.change((each) => each, 'look')
    const over = await overIn(ports, before)
    const wanted = scopes.map((unit): Lock => ({
      unit,
      by: ports.by,
      reason: kept(reason),
      since: now.toISOString(),
      ...(end.value !== undefined && { until: end.value }),
      ...(whileRunning && ports.run !== undefined && { run: String(ports.run.id) }),
    }))
    const takesOver = (held: Lock): boolean => isOver(held, over)
    const after = await board.change(
      (each) => wanted.reduce((sum, one) => withLock(sum, one, { now, takesOver }), each),
      `${list(scopes)}: locked by ${ports.by}`,
    )
    const held = after.locks.filter(({ unit }) => scopes.includes(unit))
    const taken = before.locks.filter((each) => scopes.includes(each.unit) && isOver(each, over))
    return {
      exit: 'done',
      data: { locks: held.map((each) => ({ ...each })) },
      text: () =>
        [
          ...taken.map(({ unit, by, run = '' }) => `${unit}: the lock of ${line(by)} for run ${run} was left behind.`),
          ...held.map((each) => lockText(each, now)),
          ...hereOnly(ports, { catalog: read.catalog, scopes }),
        ].join('\n'),
      problems: read.problems,
      next: [
        {
          run: `unlock ${scopes.map(quoted).join(' ')}${sameFolders(given)}`,
          why: 'give it back',
        },
      ],
    }
  },
})

const noRun: Problem = {
  code: 'option-value',
  severity: 'error',
  message: 'There is no run that the lock could last as long as: this is no step of a workflow.',
  remedy: 'Leave out --while-running, and say when it ends by --until.',
}

/** A time that is to come, of a duration or of a time with its zone. */
function endOf(until: string | undefined, now: Date): Checked<string | undefined> {
  if (until === undefined) return { ok: true, value: undefined, problems: [] }
  const seconds = durationSeconds(until)
  const time = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2})?(?:Z|[+-]\d{2}:\d{2})$/u.test(until)
    ? Date.parse(until)
    : Number.NaN
  const end = seconds === undefined ? time : now.getTime() + seconds * 1000
  if (end > now.getTime()) return { ok: true, value: new Date(end).toISOString(), problems: [] }
  const what = Number.isNaN(end) ? 'is no time' : 'is over already'
  const problem: Problem = {
    code: 'option-value',
    severity: 'error',
    message: `--until ${JSON.stringify(until)} ${what}.`,
    expected: 'A time to come: 30m, 2h, 3d, or one with its zone, such as 2026-12-24T18:00+01:00.',
    remedy: 'Correct it, or leave it out: then the lock lasts until it is given back.',
  }
  return { ok: false, problems: [problem] }
}

/** Who locks in a terminal what workflows deploy shall not believe that he has held them up. */
function hereOnly(
  { run }: Ports,
  { catalog: { workflows }, scopes }: { readonly catalog: Catalog; readonly scopes: readonly string[] },
): readonly string[] {
  if (run !== undefined || workflows === undefined) return []
  return [
    `It holds up what is deployed from this machine. What the workflows deploy is locked by ${byWorkflow('lock', scopes)}.`,
  ]
}
