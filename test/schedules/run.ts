import type { Prepared } from './play.ts'
import { Play } from './play.ts'
import { endFaults, gateFaults, shownFaults } from './properties.ts'
import type { Step } from './steps.ts'

export type Played = {
  readonly faults: readonly string[]
  /** What happened, for who looks for the reason. */
  readonly log: readonly string[]
  /** How many operations were begun. */
  readonly begun: number
}

/** Plays a schedule, then lets everybody do what is asked of them; ends at the first step after which something is not as it has to be. */
export async function played(steps: readonly Step[], prepared: Prepared): Promise<Played> {
  const faults: string[] = []
  const play = new Play((begun) => void faults.push(...gateFaults(play, begun)), prepared)
  const end = (): Played => ({ faults: [...faults, ...play.bugs], log: play.log, begun: play.begun.length })
  for (const step of steps) {
    play.log.push(`> ${JSON.stringify(step)}`)
    await play.step(step)
    faults.push(...shownFaults(play))
    if (faults.length + play.bugs.length > 0) return end()
  }
  await helped(play, faults)
  // What is under way in the cloud comes to its end.
  play.turns.pass(10 * 60_000)
  if (faults.length === 0) faults.push(...endFaults(play))
  return end()
}

const rounds = 24

/** Everybody does what is waited for: locks are given back, what waits is approved, time goes by, resume comes. */
async function helped(play: Play, faults: string[]): Promise<void> {
  const { hub, turns } = play
  play.log.push('> everybody helps')
  play.cloud.failing.clear()
  for (const who of ['carla', 'dan']) hub.teams.get('platform')?.add(who)
  for (let round = 0; ; round += 1) {
    hub.board = { ...hub.board, locks: [] }
    for (const run of hub.runs.values()) {
      // Who sees that nothing tells of what was lost runs the job again.
      if (run.jobs.some(({ stage, result }) => stage === 'settle' && result === 'failure')) play.again(run, 'dan')
    }
    for (let ready = play.ready(); ready.length > 0; ready = play.ready()) {
      for (const job of ready) await play.work(job)
    }
    faults.push(...shownFaults(play))
    if (faults.length > 0 || hub.board.waiting.length === 0 || round === rounds) return
    for (const { pullRequest, gates } of hub.board.waiting) {
      const pull = hub.pulls.find(({ number }) => number === pullRequest)
      if (pull === undefined || !gates.some(({ gate }) => gate === 'approval' || gate === 'binding')) continue
      for (const who of ['carla', 'dan']) play.review(pull, who, 'approved')
    }
    turns.pass((round < 8 ? 31 : 12 * 60) * 60_000)
    await play.resume()
  }
}
