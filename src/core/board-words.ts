import type { Board, Lock, Waiting } from './board.ts'
import { covers, hasExpired } from './board.ts'
import { line } from './encode.ts'
import type { Gate } from './gates.ts'
import type { Paint } from './report.ts'
import { age, ended, list } from './report.ts'

/**
 * What waits and what is locked, in words. Everything on a board was said by somebody, so all of it is encoded.
 */

/** The part of a board that is about these units; of the locks those that hold one of them at this moment. */
export function boardOf(
  board: Board,
  { units, now }: { readonly units: readonly string[]; readonly now: Date },
): Board {
  return {
    ...board,
    waiting: board.waiting.filter(({ unit }) => units.some((each) => covers(each, unit))),
    locks: board.locks.filter(
      (lock) => !hasExpired(lock, now) && units.some((each) => covers(lock.unit, each) || covers(each, lock.unit)),
    ),
  }
}

/** When a promotion goes on by itself; nothing where somebody has to do something, or it is not known. */
export function opensAt({ gates }: Waiting): string | undefined {
  const times = gates.flatMap(({ until }) => until ?? [])
  return times.length === gates.length ? times.toSorted().at(-1) : undefined
}

/** `checkout/prod waits since 3 h`, and a line for each gate: what for, until when, and who can open it. */
export function waitingText(
  waiting: readonly Waiting[],
  { now, paint }: { readonly now: Date; readonly paint: Paint },
): string {
  return waiting
    .map((each) => {
      const { unit, commit, pullRequest, by, since, gates, started } = each
      const of = pullRequest === undefined ? `by ${line(by)}` : `of #${pullRequest} by ${line(by)}`
      const head = `${paint.bold(unit)} waits since ${ago(since, now)}: commit ${commit.slice(0, 7)} ${of}${started === undefined ? '' : '; it is being started again'}`
      return [head, ...gates.map((gate) => `  ${gateText(gate, { now, paint })}`)].join('\n')
    })
    .join('\n')
}

/** `soak: dev is to have had it for 30 min. Opens in 20 min (2026-11-25T12:20Z).` */
function gateText(
  { gate, why, since, until, by }: Gate,
  { now, paint }: { readonly now: Date; readonly paint: Paint },
): string {
  const held = since === undefined ? '' : ` Held since ${ago(since, now)}.`
  const opens = until === undefined ? '' : ` Opens ${ahead(until, now)}.`
  const who = by === undefined || by.length === 0 ? '' : ` Opened by ${list(by.map(line))}.`
  return `${paint.accent(gate)}: ${ended(line(why))}${held}${opens}${who}`
}

/** `checkout/prod is locked by ana since 3 h, until 2026-11-25T18:00Z: moving the data.` */
export function lockText({ unit, by, reason, since, until, run }: Lock, now: Date): string {
  const lasts = until === undefined ? '' : `, until ${minutes(until)}`
  const of = run === undefined ? '' : `, while run ${line(run)} lasts`
  return ended(`${unit} is locked by ${line(by)} since ${ago(since, now)}${lasts}${of}: ${line(reason)}`)
}

/** How long ago; what a wrong clock has put into the future is now. */
function ago(time: string, now: Date): string {
  return age(Math.max(0, now.getTime() - Date.parse(time)))
}

function ahead(time: string, now: Date): string {
  const left = Date.parse(time) - now.getTime()
  return left <= 0 ? `at once: ${minutes(time)} is over` : `in ${age(left)} (${minutes(time)})`
}

/** A time to the minute, in UTC. */
function minutes(time: string): string {
  return `${new Date(Date.parse(time)).toISOString().slice(0, 16)}Z`
}

/** A board as data, with what it comes to: the figures are those of the gates that are held. */
export function boardData({ waiting, locks }: Board) {
  return {
    waiting: waiting.map((each) => ({
      unit: each.unit,
      stage: each.stage,
      commit: each.commit,
      pullRequest: each.pullRequest ?? null,
      by: each.by,
      since: each.since,
      until: opensAt(each) ?? null,
      resumes: each.resumes ?? 0,
      gates: each.gates.map(({ gate, why, since, until, by }) => ({
        gate,
        why,
        since: since ?? null,
        until: until ?? null,
        by: by ?? [],
      })),
    })),
    locks: locks.map(({ unit, by, reason, since, until, run }) => ({
      unit,
      by,
      reason,
      since,
      until: until ?? null,
      run: run ?? null,
    })),
  }
}
