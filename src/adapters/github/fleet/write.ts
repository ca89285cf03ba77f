import type { FleetWrite, FleetWritten } from '../../../core/upgrade/seen.ts'
import type { Pace, Turn } from '../../../ports.ts'
import { scarce } from './batches.ts'
import { isBehind, isMoved, isThereAlready, isTooFast, refusalFor } from './classify.ts'
import type { FleetClient } from './client.ts'
import { textAt } from './client.ts'
import { commitOf } from './commit.ts'
import type { Ended, Step } from './document.ts'
import { headOf, noBranch, send } from './document.ts'
import type { FollowUp } from './steps.ts'
import { creating, editing, refStep, reopening, stepsOf } from './steps.ts'

type Kind<Is extends FleetWrite['is']> = Extract<FleetWrite, { readonly is: Is }>

/** GitHub compares a branch with another some seconds after it was moved. */
const lags = [2000, 5000, 15_000] as const

/** A wait that is longer does not keep back what only follows. */
const moment = 10_000

/**
 * Writes one after another: a tree, a commit, and one document that moves the branch and opens the pull request of the one before, whose
 * branch GitHub knows of by then. So a pull request costs three requests and one push, and no branch is moved but from where it was read.
 */
export async function* writeAll(
  client: FleetClient,
  wanted: Iterable<FleetWrite> | AsyncIterable<FleetWrite>,
  pace: Pace,
): AsyncGenerator<FleetWritten> {
  const writer = writerOf(client, pace)
  for await (const write of wanted) {
    await writer.write(write)
    yield* writer.told()
    // What is left is not even looked at.
    if (writer.isStopped()) break
  }
  await writer.end()
  yield* writer.told()
}

type Writer = {
  readonly write: (write: FleetWrite) => Promise<void>
  readonly end: () => Promise<void>
  /** Nothing more is written in this run. */
  readonly isStopped: () => boolean
  /** What is known now, each once. */
  readonly told: () => readonly FleetWritten[]
}

function writerOf(client: FleetClient, pace: Pace): Writer {
  let answers: FleetWritten[] = []
  let follow: readonly FollowUp[] = []
  let stopped: string | undefined
  /** GitHub has just said that it takes no more of what is new. */
  let isCautious = false
  const tell = (written: FleetWritten): void => void answers.push(written)

  function stop(): void {
    stopped ??= 'GitHub takes no more for now; the next run goes on.'
  }

  function left(key: string, why = stopped ?? 'GitHub did not answer.'): void {
    tell({ key, is: 'left', why })
  }

  /** One document: what is asked for now, and what follows from before. How the first ended is given back. */
  async function document(steps: readonly Step[]): Promise<readonly Ended[]> {
    // After a no it is asked for one thing at a time.
    const first = follow.findIndex(({ creates }) => creates)
    const sent = isCautious ? follow.filter(({ creates }, index) => !creates || index === first) : follow
    follow = follow.filter((each) => !sent.includes(each))
    const ended = await send(client, [...steps, ...sent.map(({ step }) => step)], (seconds) => pace.rejected(seconds))
    for (const [index, each] of sent.entries()) await followed(each, ended[steps.length + index] ?? { is: 'lost' })
    if (ended.some(({ is }) => is === 'stopped')) stop()
    return ended.slice(0, steps.length)
  }

  async function followed(each: FollowUp, end: Ended): Promise<void> {
    if (end.is === 'ok') {
      if (each.creates) {
        pace.created()
        isCautious = false
      }
      const next = each.ok(end.data)
      if ('step' in next) follow = [...follow, next]
      else tell(next)
      return
    }
    const message = end.is === 'failed' ? end.message : ''
    if (isThereAlready(message)) tell({ key: each.key, is: 'there' })
    else if (isTooFast(message)) {
      isCautious = true
      follow = [each, ...follow]
      await waitFor(pace.rejected(undefined))
    } else if (end.is === 'stopped') follow = [...follow, each]
    else if (end.is === 'lost' || isBehind(message)) {
      if (each.tries >= lags.length) left(each.key, message === '' ? undefined : message)
      else follow = [...follow, { ...each, tries: each.tries + 1 }]
    } else tell(each.failed?.(message) ?? { key: each.key, ...refusalFor(message) })
  }

  async function waitFor(turn: Turn): Promise<void> {
    if (turn.is === 'stop') stop()
    else if (turn.is === 'wait') await client.sleep(turn.milliseconds)
  }

  /** What is left to follow, by itself. */
  async function flush(): Promise<void> {
    while (follow.length > 0 && stopped === undefined) {
      const tries = Math.max(...follow.map((each) => each.tries))
      await client.sleep(lags[Math.min(tries, lags.length - 1)] ?? 0)
      await document([])
    }
  }

  async function turnFor(kind: 'content' | 'other'): Promise<void> {
    while (stopped === undefined) {
      if (scarce(client) !== undefined) return stop()
      if (isCautious && follow.length > 0) {
        await flush()
        continue
      }
      const next = pace.next(kind, follow.filter(({ creates }) => creates).length)
      if (next.is === 'go') return undefined
      if (follow.length > 0 && (next.is === 'stop' || next.milliseconds > moment)) await flush()
      else await waitFor(next)
    }
    return undefined
  }

  /** Moves our branch to a commit that is made for it; `next` says what follows. */
  async function move(write: Kind<'open' | 'forward'>, next: (commit: string) => FollowUp): Promise<void> {
    const { key, repository, branch, before = noBranch } = write
    const made = await commitOf(client, write, (seconds) => pace.rejected(seconds))
    if (made.is === 'stop') {
      stop()
      return left(key)
    }
    if (made.is !== 'committed') return tell({ key, ...made })
    const { commit } = made
    const step = refStep({ repository: repository.id, branch, before, after: commit })
    let [end] = await document([step])
    if (end?.is === 'lost') {
      // It may have been moved: only one that is where it was is moved again.
      const head = (await headOf(client, { repository: repository.id, branch })) ?? noBranch
      if (head === commit) end = { is: 'ok', data: undefined }
      else if (head === before) [end] = await document([step])
    }
    if (end?.is === 'ok') follow = [...follow, next(commit)]
    else if (end?.is !== 'failed') left(key)
    else tell(isMoved(end.message) ? { key, is: 'moved' } : { key, ...refusalFor(end.message) })
    return undefined
  }

  /** What may be asked for twice: what has been done is not done again. */
  async function simple(write: Exclude<FleetWrite, Kind<'open' | 'forward' | 'reopen'>>): Promise<void> {
    const { key } = write
    const steps = stepsOf(write)
    let ended = await document(steps)
    const lost = ended.some(({ is }) => is === 'lost')
    if (lost) ended = await document(steps)
    const bad = ended.find((end) => end.is === 'failed')
    const message = bad?.is === 'failed' ? bad.message : ''
    const isOfBranch = write.is === 'close' || write.is === 'delete' || write.is === 'append'
    if (ended.some(({ is }) => is === 'stopped' || is === 'lost')) left(key)
    else if (bad === undefined) done(write, ended[0])
    else if (write.is === 'automerge') tell({ key, is: 'done', left: message })
    // The first of the two may have done it, and the branch is gone.
    else if (lost && write.is === 'delete') tell({ key, is: 'done' })
    else tell(isOfBranch && isMoved(message) ? { key, is: 'moved' } : { key, ...refusalFor(message) })
  }

  function done(write: FleetWrite, end: Ended | undefined): void {
    const { key } = write
    if (write.is !== 'append') return tell({ key, is: 'done' })
    const head = (end?.is === 'ok' ? textAt(end.data, 'commit', 'oid') : undefined) ?? ''
    if (write.body === undefined) return tell({ key, is: 'done', head })
    follow = [...follow, editing({ key, pull: write.pull, head, edit: { body: write.body(head) } })]
    return undefined
  }

  return {
    write: async (write) => {
      const { key } = write
      await turnFor(write.is === 'open' || write.is === 'reopen' ? 'content' : 'other')
      if (stopped !== undefined) left(key)
      else if (write.is === 'open') await move(write, (commit) => creating(write, commit))
      else if (write.is === 'forward') {
        const { pull, title, body, draft } = write
        await move(write, (head) => editing({ key, pull, head, draft, edit: { title, body: body(head) } }))
      } else if (write.is === 'reopen') {
        follow = [...follow, reopening(write)]
        await document([])
      } else await simple(write)
    },
    end: async () => {
      await flush()
      for (const { key } of follow) left(key)
      follow = []
    },
    isStopped: () => stopped !== undefined,
    told: () => {
      const now = answers
      answers = []
      return now
    },
  }
}
