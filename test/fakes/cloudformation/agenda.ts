/** What a piece of work waits for: so many milliseconds, or something to come true, whichever is first. */
export type Wait = { readonly ms?: number; readonly until?: () => boolean }

/** Work that goes on by itself while time passes. */
export type Work = Generator<Wait, void, void>

/**
 * What is to happen when. Nothing happens between two requests: before each, all that is due by then is done, each piece at
 * its own time, so that it does not matter how time passes.
 */
export type Agenda = {
  /** The time of what is being done. */
  now(): Date
  spawn(work: Work): void
  /** Does all that is due by now. */
  catchUp(): void
  /** When the next piece is due; `undefined` when nothing is. */
  next(): number | undefined
}

type Sleeper = { readonly due: number; readonly until: (() => boolean) | undefined; readonly work: Work }

export function newAgenda(clock: { now(): Date }): Agenda {
  let sleepers: Sleeper[] = []
  let present: number | undefined

  function resume(work: Work): void {
    const { done, value } = work.next()
    if (done === true) return
    const due = value.ms === undefined ? Number.POSITIVE_INFINITY : time() + value.ms
    sleepers.push({ due, until: value.until, work })
  }

  function time(): number {
    return present ?? clock.now().getTime()
  }

  /** Resumes what waits for something that has come true, as often as that makes something else come true. */
  function settle(): void {
    for (;;) {
      const ready = sleepers.find(({ until }) => until?.() === true)
      if (ready === undefined) return
      sleepers = sleepers.filter((each) => each !== ready)
      resume(ready.work)
    }
  }

  function earliest(): Sleeper | undefined {
    let first: Sleeper | undefined
    for (const sleeper of sleepers) if (first === undefined || sleeper.due < first.due) first = sleeper
    return first
  }

  return {
    now: () => new Date(time()),
    spawn: (work) => {
      resume(work)
      settle()
    },
    catchUp: () => {
      const target = clock.now().getTime()
      settle()
      for (;;) {
        const next = earliest()
        if (next === undefined || next.due > target) break
        present = next.due
        sleepers = sleepers.filter((each) => each !== next)
        resume(next.work)
        settle()
      }
      present = undefined
    },
    next: () => {
      const due = earliest()?.due
      return due === undefined || due === Number.POSITIVE_INFINITY ? undefined : due
    },
  }
}
