import { Refused } from '../../../core/problem.ts'
import type { Answer, FieldError, FleetClient, Quota } from './client.ts'
import { Limited, Lost, textAt } from './client.ts'

/** How many are asked for at once; it is kept from one reading to the next. */
export type Size = { now: number; readonly most: number }

/** GitHub has ten seconds for a query, and counts one that takes longer against us. */
export function newSize(most = 100): Size {
  return { now: Math.min(50, most), most }
}

/** `again`: GitHub has left it out, as it does with what takes too long. */
export type Found<R> = { readonly is: 'found'; readonly value: R } | { readonly is: 'again'; readonly why: string }

type Batching<T, R> = {
  readonly size: Size
  /** Asks for a batch; one answer for each, in their order. */
  readonly ask: (batch: readonly T[]) => Promise<readonly Found<R>[]>
  /** What is said of one that cannot be read even by itself. */
  readonly unread: (item: T, why: string) => R
}

/** So often one by itself is asked for before it is left. */
const mostTries = 3

/**
 * All of them, in their order. What GitHub does not manage is asked for again in half as many at a time; after a batch that went well
 * the next may be a quarter larger.
 */
export async function* inBatches<T, R>(
  client: FleetClient,
  items: readonly T[],
  { size, ask, unread }: Batching<T, R>,
): AsyncGenerator<R> {
  let next = 0
  let tries = 0
  while (next < items.length) {
    const batch = items.slice(next, next + Math.max(1, Math.floor(size.now)))
    const found = await attempt(batch, ask)
    let came = 0
    for (const each of found) {
      if (each.is === 'again') break
      came += 1
      yield each.value
    }
    next += came
    if (came === batch.length) {
      size.now = Math.min(size.most, size.now * 1.25)
      tries = 0
      continue
    }
    const one = items[next]
    const why = found[came]
    tries = came > 0 ? 0 : tries + 1
    if (batch.length === 1 && tries >= mostTries && one !== undefined && why?.is === 'again') {
      yield unread(one, why.why)
      next += 1
      tries = 0
    } else if (batch.length === 1) await client.sleep(1000 * 2 ** tries)
    size.now = Math.max(1, Math.min(size.now, batch.length) / 2)
  }
}

async function attempt<T, R>(batch: readonly T[], ask: Batching<T, R>['ask']): Promise<readonly Found<R>[]> {
  try {
    return await ask(batch)
  } catch (error) {
    if (error instanceof Lost) return batch.map(() => ({ is: 'again', why: error.message }))
    throw error
  }
}

/** What is longer than this is for another run. */
const longestWait = 10 * 60

/** A tenth of what GitHub lets one ask for in an hour is left to those who need an answer now. */
const reserve = 0.1

/** A query, sent again when GitHub says so; `Refused` where that is too long. */
export async function asked(
  client: FleetClient,
  text: string,
  variables: Readonly<Record<string, unknown>>,
): Promise<Answer> {
  return patiently(client, async () => client.ask(text, variables))
}

/** What is nearly used up. */
export function scarce(client: FleetClient): Quota | undefined {
  const quota = client.quota()
  const isScarce = quota !== undefined && quota.remaining <= quota.limit * reserve && quota.reset > client.clock.now()
  return isScarce ? quota : undefined
}

export async function patiently<T>(client: FleetClient, run: () => Promise<T>): Promise<T> {
  for (let count = 0; ; count += 1) {
    const quota = scarce(client)
    if (quota !== undefined)
      throw limited(
        `GitHub lets Protium ask ${quota.remaining} times more before ${hour(quota.reset)}; they are left to others.`,
      )
    try {
      return await run()
    } catch (error) {
      if (!(error instanceof Limited)) throw error
      const seconds = error.seconds ?? 60 * 2 ** count
      if (seconds > longestWait || count >= 3) throw limited('GitHub takes no more requests for now.', error)
      await client.sleep(seconds * 1000)
    }
  }
}

function hour(time: Date): string {
  return `${time.toISOString().slice(11, 16)} UTC`
}

function limited(message: string, cause?: unknown): Refused {
  return new Refused('github-rate-limited', message, {
    remedy:
      'Run the same command again in an hour: it looks first, and does what is left. On a schedule that happens by itself.',
    cause,
  })
}

/** What keeps all from being read: not one of them, but the query or the token. */
export function wholeFault({ data, errors }: Answer): FieldError | undefined {
  return data === null || data === undefined ? (errors.find(({ path }) => path === '') ?? errors[0]) : undefined
}

/** GitHub gives up on what takes too long, with words of its own. */
export function isTooMuch({ type, message }: FieldError): boolean {
  return (
    /RESOURCE_LIMITS|TIMEOUT|INTERNAL|SERVICE_UNAVAILABLE/u.test(type) ||
    /timed? ?out|resource limits|something went wrong|couldn't respond/iu.test(message)
  )
}

export function loginOf(answer: Answer): string {
  return (textAt(answer.data, 'viewer', 'login') ?? '').replace(/\[bot\]$/u, '')
}
