/**
 * What clocks and calendars show in a place. That is known to `Intl` alone, by the time zone database; only numbers are read from it,
 * which no locale changes.
 */

/** A date and a time of day, in minutes. `month` counts from 1. */
export type Local = { readonly year: number; readonly month: number; readonly day: number; readonly minute: number }

const day = 86_400_000
const minutes = 60_000

/** Whether it is a name of the IANA time zone database. */
export function isZone(name: string): boolean {
  try {
    return formatOf(name) !== undefined
  } catch (error) {
    if (error instanceof RangeError) return false
    throw error
  }
}

/** The names that the machine knows, for those that are near a mistaken one. */
export function zones(): readonly string[] {
  // oxlint-disable-next-line no-restricted-globals -- only for a hint
  return ['UTC', ...Intl.supportedValuesOf('timeZone')]
}

/** The day that it is somewhere: `2026-12-31`. */
export function dayIn(zone: string, at: Date): string {
  const { year, month, day: dayOfMonth } = wall(at, zone)
  const two = (number: number): string => String(number).padStart(2, '0')
  return `${String(year).padStart(4, '0')}-${two(month)}-${two(dayOfMonth)}`
}

/** Whether there is such a day, `2026-12-31`. */
export function isDay(text: string): boolean {
  const at = Date.parse(text)
  return !Number.isNaN(at) && new Date(at).toISOString().slice(0, 10) === text
}

/** The instants that a local time can mean. */
export function instantsOf(local: Local, zone: string): readonly number[] {
  const plain = Date.UTC(local.year, local.month - 1, local.day) + local.minute * minutes
  // Whatever the clock is there, it is less than a day from UTC, and is changed less often than that.
  const offsets = [plain - day, plain + day].map((near) => offsetAt(near, zone))
  const all = offsets.map((offset) => plain - offset)
  const exact = all.filter((instant) => instant + offsetAt(instant, zone) === plain)
  return exact.length === 0 ? all : exact
}

/** How far the clocks of a zone are ahead of UTC. */
function offsetAt(instant: number, zone: string): number {
  const { year, month, day: dayOfMonth, minute } = wall(new Date(instant), zone)
  const shown = Date.UTC(year, month - 1, dayOfMonth) + minute * minutes
  return shown - Math.floor(instant / minutes) * minutes
}

/** What clocks and calendars of a zone show. */
export function wall(at: Date, zone: string): Local {
  const parts = new Map(
    formatOf(zone)
      .formatToParts(at)
      .map(({ type, value }) => [type, Number(value)]),
  )
  const read = (type: Intl.DateTimeFormatPartTypes): number => parts.get(type) ?? 0
  return {
    year: read('year'),
    month: read('month'),
    day: read('day'),
    minute: read('hour') * 60 + read('minute'),
  }
}

const formats = new Map<string, Intl.DateTimeFormat>()

/** One is made for each zone: that takes a hundred times as long as using it. */
function formatOf(zone: string): Intl.DateTimeFormat {
  const known = formats.get(zone)
  if (known !== undefined) return known
  // oxlint-disable-next-line no-restricted-globals -- of the numbers alone, which no locale changes; only this knows the zones
  const format = new Intl.DateTimeFormat('en-GB', {
    timeZone: zone,
    calendar: 'gregory',
    numberingSystem: 'latn',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    hourCycle: 'h23',
  })
  formats.set(zone, format)
  return format
}
