import type { Ports } from '../command.ts'
import { command, text } from '../command.ts'
import { lockText } from '../core/board-words.ts'
import type { Board, Lock } from '../core/board.ts'
import { covers, hasExpired, withoutLock } from '../core/board.ts'
import { digest } from '../core/canonical.ts'
import { line } from '../core/encode.ts'
import { Refused } from '../core/problem.ts'
import { age, list } from '../core/report.ts'
import type { DeploymentRecord, Records } from '../ports.ts'
import { isOneOf, whoMay } from './authority.ts'
import type { Given, Result } from './locking.ts'
import {
  bad,
  boardElsewhere,
  byWorkflow,
  common,
  isOver,
  kept,
  lockPermissions,
  noReason,
  overIn,
  scopesIn,
} from './locking.ts'
import { sameFolders, stateFolders } from './reading.ts'

export const unlock = command({
  name: 'unlock',
  summary: 'Gives back a lock; or breaks that of somebody else, which is recorded.',
  inputs: {
    ...common,
    reason: text('Why the lock of somebody else is broken, in a sentence; it is recorded.', { hint: 'TEXT' }),
  },
  outputs: { locks: 'The locks that there were, each with whose it was and what came of it.' },
  permissions: lockPermissions,
  asksTeams: true,
  run: unlocked,
})

type Ended = {
  readonly scope: string
  readonly is: 'unlocked' | 'broken' | 'left' | 'nothing'
  readonly lock?: Lock
  readonly words: string
}

/** Gives locks back, those of others only for who may. */
export async function unlocked(ports: Ports, given: Given): Promise<Result> {
  const read = await scopesIn(ports, given, 'unlock')
  if (!read.ok) return bad(read)
  const { board, now, scopes, catalog } = read
  const { reason = '' } = given
  const before = await board.change((each) => each, 'look')
  const held = before.locks.filter(({ unit }) => scopes.includes(unit))
  const over = await overIn(ports, { ...before, locks: held })
  const isFree = (each: Lock): boolean => hasExpired(each, now) || isOver(each, over) || each.by === ports.by
  const broken = held.filter((each) => !isFree(each))
  if (broken.length > 0) {
    if (reason.trim() === '')
      return bad({
        problems: [noReason('unlock', `${list(broken.map(({ unit, by }) => `${unit} is locked by ${line(by)}`))}.`)],
      })
    await checkMayBreak(ports, { broken, may: catalog.locks?.by })
  }
  // Nobody’s lock is broken without a record, so that comes first.
  const records = broken.length === 0 ? undefined : await ports.records(stateFolders(given.root, given.state).records)
  for (const each of broken) {
    if (records !== undefined) await recordOnce(records, recordOf(each, { by: ports.by, now, reason: kept(reason) }))
  }
  const what =
    broken.length === 0 ? 'given back' : `broken, the lock of ${list([...new Set(broken.map(({ by }) => by))])},`
  const after =
    held.length === 0
      ? before
      : await board.change((each) => held.reduce(withoutLock, each), `${list(scopes)}: ${what} by ${ports.by}`)
  const elsewhere = (await boardElsewhere(ports, given.root)).locks.filter(({ unit }) => scopes.includes(unit))
  const all = scopes.map((scope) => endOfLock(scope, { held, broken, over, now, after }))
  return {
    exit: all.some(({ is }) => is === 'left') ? 'failed' : 'done',
    data: {
      locks: all.map(({ scope, is, lock: was }) => ({
        unit: scope,
        outcome: is,
        by: was?.by ?? null,
        reason: was?.reason ?? null,
      })),
    },
    text: () =>
      [
        ...all.map(({ words }) => words),
        ...elsewhere.map(
          (each) => `At GitHub ${lockText(each, now)} ${byWorkflow('unlock', [each.unit])} gives it back.`,
        ),
      ].join('\n'),
    problems: read.problems,
    next: [{ run: `status${sameFolders(given)}`, why: 'what waits, and what is locked' }],
  }
}

function endOfLock(
  scope: string,
  {
    held,
    broken,
    over,
    now,
    after,
  }: {
    readonly held: readonly Lock[]
    readonly broken: readonly Lock[]
    readonly over: ReadonlySet<string>
    readonly now: Date
    readonly after: Board
  },
): Ended {
  const wider = after.locks.find(({ unit }) => covers(unit, scope))
  if (wider !== undefined) return { scope, is: 'left', lock: wider, words: lockText(wider, now) }
  const own = held.find(({ unit }) => unit === scope)
  if (own === undefined) return { scope, is: 'nothing', words: `${scope} is not locked.` }
  const isBroken = broken.includes(own)
  const left = hasExpired(own, now)
    ? 'which had ended by itself'
    : isOver(own, over)
      ? `whose run ${own.run ?? ''} is over`
      : ''
  const of = `the lock of ${line(own.by)} ("${line(own.reason)}")`
  const since = age(now.getTime() - Date.parse(own.since))
  return {
    scope,
    is: isBroken ? 'broken' : 'unlocked',
    lock: own,
    words: isBroken
      ? `${scope}: ${of}, held since ${since}, was broken. It is recorded.`
      : `${scope}: ${of}${left === '' ? '' : `, ${left},`} is given back.`,
  }
}

async function checkMayBreak(
  ports: Ports,
  { broken, may }: { readonly broken: readonly Lock[]; readonly may: readonly string[] | undefined },
): Promise<void> {
  if (may !== undefined && (await isOneOf(ports, may))) return
  const whose = list(broken.map(({ unit, by }) => `that of ${line(by)} on ${unit}`))
  throw new Refused('unlock-refused', `${line(ports.by)} may not break the lock of somebody else: ${whose}.`, {
    remedy: `Ask ${list([...new Set(broken.map(({ by }) => line(by)))])} to give it back. ${whoMay(may, 'locks')}`,
  })
}

/** A run that was cut off after the record finds it there, and goes on. */
async function recordOnce(records: Records, record: DeploymentRecord): Promise<void> {
  try {
    await records.append(record)
  } catch (error) {
    if (!(error instanceof Refused && error.code === 'record-exists')) throw error
  }
}

/** Who broke whose lock, why, and how old it was. Of a unit of its own, so that who reads the records of a stage never meets it. */
function recordOf(
  { unit, by: holder, reason: held, since, until }: Lock,
  { by, now, reason }: { readonly by: string; readonly now: Date; readonly reason: string },
): DeploymentRecord {
  return {
    format: 1,
    // Of this very lock, whoever breaks it and whenever: it is broken once.
    id: `${since.replaceAll(/[-:.]/gu, '')}-lock-${unit.replaceAll('/', '-')}`,
    unit: `lock/${unit}`,
    template: 'lock',
    version: '1',
    by,
    started: since,
    finished: now.toISOString(),
    outcome: 'unlocked',
    wants: digest({ unit, by: holder, since }),
    evidence: reason,
    lock: { by: holder, reason: held, since, ...(until !== undefined && { until }) },
  }
}
