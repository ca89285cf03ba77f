import { afterNo, afterOpening, paceAt, type Pacer } from '../../core/upgrade/pacer.ts'
import type { Clock, Pace } from '../../ports.ts'

/** A pace that learns while it is kept. */
export type Pacing = Pace & {
  /** What is known now; it is kept for the next run. */
  readonly pacer: () => Pacer
}

export function pacing(start: Pacer, clock: Pick<Clock, 'now'>): Pacing {
  let pacer = start
  const now = (): number => clock.now().getTime()
  return {
    pacer: () => pacer,
    next: (kind, pending) => paceAt(pacer, { kind, pending, now: now() }),
    created: () => {
      pacer = afterOpening(pacer, now())
    },
    rejected: (seconds) => {
      const said = afterNo(pacer, { seconds, now: now() })
      pacer = said.pacer
      return said.turn
    },
  }
}

/** With the pull requests that were seen to be opened, of which a run that was killed could not tell. */
export function withOpened(pacer: Pacer, opened: readonly string[], now: number): Pacer {
  const times = opened.map((at) => Date.parse(at)).filter((at) => at > now - hour && at <= now)
  // GitHub tells times by the second: what was remembered and what was seen are the same within two.
  const others = times.filter((at) => !pacer.made.some((known) => Math.abs(known - at) < 2000))
  return { ...pacer, made: [...pacer.made, ...others].toSorted((a, b) => a - b) }
}

const hour = 3_600_000
