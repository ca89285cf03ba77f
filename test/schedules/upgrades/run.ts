import { Play } from './play.ts'
import type { Step } from './steps.ts'

export type Played = {
  readonly faults: readonly string[]
  /** What happened, for who looks for the reason. */
  readonly log: readonly string[]
  readonly runs: number
  readonly created: number
}

/** Plays a schedule, then lets it come to rest; ends at the first step after which something is not as it has to be. */
export async function played(steps: readonly Step[], options: { readonly compares?: boolean } = {}): Promise<Played> {
  const play = new Play(options)
  for (const step of steps) {
    await play.step(step)
    if (play.faults.length > 0) break
  }
  if (play.faults.length === 0) await play.settle()
  const { faults, log, runs, created } = play
  return { faults, log, runs, created }
}
