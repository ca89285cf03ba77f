import type { Meaning } from '../../core/cloudformation/errors.ts'
import { recognise, stopWords } from '../../core/cloudformation/errors.ts'
import { shorten } from '../../core/markdown.ts'
import { Refused } from '../../core/problem.ts'

/** What an error of the SDK's means; `unknown` for what is none. */
export function meaningOf(error: unknown): Meaning {
  if (!(error instanceof Error) || error instanceof Refused || isAbort(error)) return { is: 'unknown' }
  const status = statusOf(error)
  if (status === undefined && isOfNetwork(error)) return { is: 'unreachable' }
  return recognise({ name: error.name, message: error.message, status, contentType: contentTypeOf(error) })
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError'
}

/** Whether the service said it, or the way to it; not a mistake of this program's. */
export function isOfService(error: unknown): boolean {
  if (!(error instanceof Error) || isAbort(error)) return false
  return statusOf(error) !== undefined || isOfNetwork(error) || meaningOf(error).is !== 'unknown'
}

function isOfNetwork(error: Error): boolean {
  if (error.name === 'TimeoutError') return true
  return 'code' in error && typeof error.code === 'string' && /^(?:E[A-Z]+|UND_[A-Z_]+)$/u.test(error.code)
}

function statusOf(error: Error): number | undefined {
  const metadata = '$metadata' in error ? error.$metadata : undefined
  if (typeof metadata !== 'object' || metadata === null || !('httpStatusCode' in metadata)) return undefined
  return typeof metadata.httpStatusCode === 'number' ? metadata.httpStatusCode : undefined
}

/** The SDK keeps the answer in a hidden field. */
function contentTypeOf(error: Error): string | undefined {
  const response = '$response' in error ? error.$response : undefined
  if (typeof response !== 'object' || response === null || !('headers' in response)) return undefined
  const { headers } = response
  if (typeof headers !== 'object' || headers === null || !('content-type' in headers)) return undefined
  return typeof headers['content-type'] === 'string' ? headers['content-type'] : undefined
}

/** What CloudFormation said, where something went wrong; nothing for what it did not say. */
export function wordsOf(error: unknown): string {
  return error instanceof Error ? shorten(error.message.replaceAll(/\s+/gu, ' ').trim()) : ''
}

/** The name of the call that an error answered, as the client has noted it. */
const calls = new WeakMap<Error, string>()

export function noteCall(error: unknown, call: string): void {
  if (error instanceof Error) calls.set(error, call)
}

/** Runs what speaks to CloudFormation of a stack, and turns what went wrong into what people can act on. */
export async function told<T>(stack: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (error) {
    throw refusalOf(error, stack)
  }
}

/** The same for what streams. */
export async function* toldEach<T, R>(
  stack: string,
  run: () => AsyncGenerator<T, R, void>,
  signal?: AbortSignal,
): AsyncGenerator<T, R, void> {
  try {
    return yield* run()
  } catch (error) {
    throw signal?.aborted === true && !(error instanceof Refused) ? interrupted(stack, error) : refusalOf(error, stack)
  }
}

function interrupted(stack: string, cause: unknown): Refused {
  return new Refused('interrupted', `The run was stopped before it had ended with the stack ${stack}.`, {
    remedy: 'Run the same command again: it looks first, and does what is left.',
    cause,
  })
}

/** What is thrown for an error: `Refused` where somebody can do something about it, otherwise the error itself. */
export function refusalOf(error: unknown, stack: string): unknown {
  if (error instanceof Refused || !(error instanceof Error)) return error
  if (isAbort(error)) return interrupted(stack, error)
  if (!isOfService(error)) return error
  const meaning = meaningOf(error)
  const message = wordsOf(error)
  switch (meaning.is) {
    case 'busy':
    case 'paused':
      return new Refused('stack-busy', `The stack ${stack} is busy (${meaning.status}).`, {
        remedy: 'Run this again: it waits for the other operation, or mends what that left.',
        cause: error,
      })
    case 'absent':
    case 'exists':
    case 'change-set-gone':
    case 'change-set-state':
    case 'change-set-mismatch':
    case 'token-used':
      return staleRefusal(stack, { said: message, cause: error })
    default: {
      const {
        code,
        message: words,
        remedy,
      } = stopWords(meaning, { stack, call: calls.get(error) ?? 'a call', message })
      return new Refused(code, words, { remedy, cause: error })
    }
  }
}

/** The stack is not what the preview was made against. */
export function staleRefusal(
  stack: string,
  { said, cause }: { readonly said: string; readonly cause?: unknown },
): Refused {
  return new Refused(
    'plan-stale',
    `The plan for the stack ${stack} no longer holds: ${sentence(said)} Nothing was touched.`,
    {
      remedy: 'Run the command again; a plan in a file has to be made again first.',
      cause,
    },
  )
}

function sentence(message: string): string {
  return /[.!?]$/u.test(message) ? message : `${message}.`
}
