import { frozenAt, readWeekly } from '../gates/freeze.ts'
import type { Schedule } from './model.ts'

/** Whether pull requests may be opened at an instant, and from when on they may again. Without a schedule, always. */
export function openingAt(
  schedule: readonly Schedule[],
  now: Date,
): { readonly is: 'open' } | { readonly is: 'closed'; readonly until?: Date } {
  if (schedule.length === 0 || schedule.some((each) => spanAt(each, now) !== undefined)) return { is: 'open' }
  // What is between two openings of a week is a span of a week too: it ends when the next one begins.
  const ends = schedule.flatMap(({ every, zone }) => {
    const span = readWeekly(every)
    const between = span && spanAt({ zone, from: span.to, to: span.from }, now)
    return between === undefined ? [] : [between.until.getTime()]
  })
  return ends.length === 0 ? { is: 'closed' } : { is: 'closed', until: new Date(Math.min(...ends)) }
}

type Span = NonNullable<ReturnType<typeof readWeekly>>

function spanAt(
  given: Schedule | ({ readonly zone: string } & Span),
  now: Date,
): { readonly since: Date; readonly until: Date } | undefined {
  const span = 'every' in given ? readWeekly(given.every) : given
  if (span === undefined) return undefined
  const window = { is: 'weekly', from: span.from, to: span.to } as const
  return frozenAt({ name: '', reason: '', zone: given.zone, window }, now)
}
