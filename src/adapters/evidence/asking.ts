import { redact } from '../../core/cause/redact.ts'
import { Refused } from '../../core/problem.ts'
import type { Clock, StackResource } from '../../ports.ts'
import type { Credentials } from '../cloudformation/client.ts'
import { clientOptions } from '../cloudformation/client.ts'
import { isOfService, meaningOf, wordsOf } from '../cloudformation/refusal.ts'

/** What a stack runs, and by whom it is asked about. */
export type Running = {
  readonly region: string
  readonly credentials: Credentials | undefined
  readonly clock: Clock
  /** Its resources with those of the stacks nested in it, which are called `Network/Vpc`. */
  readonly resources: () => Promise<readonly StackResource[]>
  readonly signal?: AbortSignal | undefined
}

export type SdkOptions = Awaited<ReturnType<typeof clientOptions>>

export type At = { readonly abortSignal?: AbortSignal }

/** How questions are put to the services of a region. */
export type Asking = {
  /** What clients are made with; who asks is found once. */
  readonly options: () => Promise<SdkOptions>
  /** Asks, and again where nothing was answered or the account takes no more. `action` is the right that it takes. */
  readonly ask: <T>(action: string, run: (at: At) => Promise<T>) => Promise<T>
}

/** Throws `Unseen` for what the cloud did not answer; what the signal has stopped is thrown as it is. */
export function askingOf(
  { region, credentials, clock }: Pick<Running, 'region' | 'credentials' | 'clock'>,
  { attempts, signal }: { readonly attempts: number; readonly signal: AbortSignal | undefined },
): Asking {
  let found: Promise<SdkOptions> | undefined
  return {
    options: async () => (found ??= clientOptions({ region, credentials })),
    ask: async (action, run) => {
      for (let count = 1; ; count += 1) {
        try {
          return await run(signal === undefined ? {} : { abortSignal: signal })
        } catch (error) {
          signal?.throwIfAborted()
          const { is } = meaningOf(error)
          const isPassing = is === 'throttled' || is === 'unreachable'
          if (!isPassing || count >= attempts) throw unseen(action, error)
          await clock.sleep(500 * count, signal)
        }
      }
    },
  }
}

/** Why something could not be looked at, as words that follow a colon. `missing`: it is not there. */
export class Unseen extends Error {
  readonly missing: boolean

  constructor(words: string, options: { readonly missing?: boolean; readonly cause?: unknown } = {}) {
    super(words, { cause: options.cause })
    this.missing = options.missing === true
  }
}

/** What is no answer of a service, and nothing between us and it, is a mistake of ours. */
function unseen(action: string, error: unknown): unknown {
  if (!isOfService(error) || !(error instanceof Error)) return error
  const { is } = meaningOf(error)
  const missing = /(?:ResourceNotFound|NotFound|ServiceNotFound|ClusterNotFound)(?:Exception)?$/u.test(error.name)
  if (is === 'access') return new Unseen(`the role may not call ${action}`, { cause: error })
  if (is === 'credentials') return new Unseen('there are no credentials for it', { cause: error })
  return new Unseen(redact(wordsOf(error)).replace(/\.$/u, '') || error.name, { missing, cause: error })
}

/** What anything that was thrown says of why it could not be looked at; nothing for a mistake of ours. */
export function whyUnseen(error: unknown): string | undefined {
  if (error instanceof Unseen) return error.message
  if (error instanceof Refused && error.code !== 'interrupted') return redact(error.message).replace(/\.$/u, '')
  return isOfService(error) ? redact(wordsOf(error)).replace(/\.$/u, '') : undefined
}
