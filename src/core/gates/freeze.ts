import type { Local } from '../zone.ts'
import { instantsOf, wall } from '../zone.ts'

/**
 * Times at which nothing is deployed. They are written in the time of a place, `2026-12-20T18:00` in `Europe/Vienna`, because
 * that is how people mean them; what clock that is at an instant is known to `Intl`, by the time zone database.
 */

/** `from` and `to` are local; `to` is the first moment after it. */
export type Freeze = {
  readonly name: string
  readonly reason: string
  /** A name of the IANA time zone database. */
  readonly zone: string
  /** The stages that it is for; without them, all. */
  readonly stages?: readonly string[]
  readonly window: Window
}

export type Window =
  | { readonly is: 'once'; readonly from: Local; readonly to: Local }
  | { readonly is: 'weekly'; readonly from: Weekly; readonly to: Weekly }

/** Monday is 0. */
export type Weekly = { readonly weekday: number; readonly minute: number }

/** When a freeze that is on began, and when it ends. */
export type Frozen = { readonly since: Date; readonly until: Date }

const day = 86_400_000
const minutes = 60_000

/** `2026-12-20T18:00`, or a date alone for its midnight; nothing for what is no such time. */
export function readLocal(text: string): Local | undefined {
  const parts = /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2}))?$/u.exec(text)
  if (parts === null) return undefined
  const [year = 0, month = 0, dayOfMonth = 0, hour = 0, minute = 0] = parts.slice(1).map((part) => Number(part ?? 0))
  const date = new Date(Date.UTC(year, month - 1, dayOfMonth))
  const isReal = date.getUTCMonth() === month - 1 && date.getUTCDate() === dayOfMonth && hour < 24 && minute < 60
  return isReal ? { year, month, day: dayOfMonth, minute: hour * 60 + minute } : undefined
}

const weekdays = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun']

/** `fri 16:00 - mon 08:00`; nothing for what is no such span, or for one that begins when it ends. */
export function readWeekly(text: string): { readonly from: Weekly; readonly to: Weekly } | undefined {
  const end = '(mon|tue|wed|thu|fri|sat|sun) ([0-9]{1,2}):([0-9]{2})'
  const parts = new RegExp(`^${end} - ${end}$`, 'u').exec(text)
  if (parts === null) return undefined
  const at = (index: number): Weekly | undefined => {
    const [hour, minute] = [Number(parts[index + 1]), Number(parts[index + 2])]
    if (hour > 24 || minute > 59 || (hour === 24 && minute > 0)) return undefined
    return { weekday: weekdays.indexOf(parts[index] ?? ''), minute: hour * 60 + minute }
  }
  const [from, to] = [at(1), at(4)]
  if (from === undefined || to === undefined || lengthOf({ from, to }) === 0) return undefined
  return { from, to }
}

/** Minutes from the beginning to the end, within a week. */
function lengthOf({ from, to }: { readonly from: Weekly; readonly to: Weekly }): number {
  const week = 7 * 24 * 60
  const difference = to.weekday * 24 * 60 + to.minute - (from.weekday * 24 * 60 + from.minute)
  return ((difference % week) + week) % week
}

/** Whether a freeze is on at an instant. */
export function frozenAt({ zone, window }: Freeze, at: Date): Frozen | undefined {
  return spansAround(window, { zone, at }).find(({ since, until }) => since <= at && at < until)
}

/** Until when nothing is deployed that may not be at an instant: one freeze may begin before another has ended. */
export function thawOf(freezes: readonly Freeze[], at: Date): Date {
  let now = at
  // A year of freezes that follow each other is for ever, as far as anybody here is concerned.
  for (let count = 0; count < 100; count += 1) {
    const ends = freezes.flatMap((freeze) => frozenAt(freeze, now)?.until ?? [])
    if (ends.length === 0) return now
    now = new Date(Math.max(...ends.map((end) => end.getTime())))
  }
  return now
}

/** The freezes that are for a stage. */
export function freezesOf(freezes: readonly Freeze[], stage: string): readonly Freeze[] {
  return freezes.filter(({ stages }) => stages === undefined || stages.includes(stage))
}

/** `every fri 16:00 - mon 08:00, Europe/Vienna`. */
export function windowText({ window, zone }: Freeze): string {
  if (window.is === 'once') return `${localText(window.from)} - ${localText(window.to)}, ${zone}`
  const text = ({ weekday, minute }: Weekly): string => `${weekdays[weekday] ?? ''} ${timeText(minute)}`
  return `every ${text(window.from)} - ${text(window.to)}, ${zone}`
}

function localText({ year, month, day: dayOfMonth, minute }: Local): string {
  const two = (number: number): string => String(number).padStart(2, '0')
  return `${year}-${two(month)}-${two(dayOfMonth)} ${timeText(minute)}`
}

function timeText(minute: number): string {
  const two = (number: number): string => String(number).padStart(2, '0')
  return `${two(Math.floor(minute / 60))}:${two(minute % 60)}`
}

/** The spans of a window that an instant could lie in. */
function spansAround(window: Window, { zone, at }: { readonly zone: string; readonly at: Date }): readonly Frozen[] {
  if (window.is === 'once') return [spanOf(window, zone)]
  const here = wall(at, zone)
  const today = Date.UTC(here.year, here.month - 1, here.day)
  const weekday = (new Date(today).getUTCDay() + 6) % 7
  const back = (weekday - window.from.weekday + 7) % 7
  const length = lengthOf(window)
  return [0, 1].map((weeks) => {
    const begin = today - (back + 7 * weeks) * day
    const end = begin + (window.from.minute + length) * minutes
    const [from, to] = [new Date(begin), new Date(end)]
    return spanOf(
      {
        from: { ...dateOf(from), minute: window.from.minute },
        to: { ...dateOf(to), minute: to.getUTCHours() * 60 + to.getUTCMinutes() },
      },
      zone,
    )
  })
}

function dateOf(date: Date): Omit<Local, 'minute'> {
  return { year: date.getUTCFullYear(), month: date.getUTCMonth() + 1, day: date.getUTCDate() }
}

/**
 * Where clocks are put back, an hour comes twice, and where they are put forward one is missing: then a freeze begins with the
 * earlier and ends with the later of what could be meant, so that it is never shorter than it was written.
 */
function spanOf({ from, to }: { readonly from: Local; readonly to: Local }, zone: string): Frozen {
  return {
    since: new Date(Math.min(...instantsOf(from, zone))),
    until: new Date(Math.max(...instantsOf(to, zone))),
  }
}
