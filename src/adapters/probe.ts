import type { Answer } from '../core/health.ts'

/** Milliseconds until an address that does not answer counts as silent. */
const patience = 5000

/**
 * Asks an address by GET, once, and throws the body away unread. No credentials go along, and no redirection is followed: its
 * own status is the answer. Which host is asked stands in a reviewed file, so private addresses are asked too: a runner in the
 * network of the services is meant to reach them. Never throws, except when the signal aborts.
 */
export async function probe(url: string, signal?: AbortSignal): Promise<Answer> {
  const began = performance.now()
  const took = (): number => performance.now() - began
  const late = AbortSignal.timeout(patience)
  try {
    const response = await fetch(url, {
      redirect: 'manual',
      headers: { 'user-agent': 'protium', 'cache-control': 'no-cache' },
      signal: signal === undefined ? late : AbortSignal.any([signal, late]),
    })
    const answer: Answer = { is: 'answered', status: response.status, took: took() }
    // What is left of the body, or breaks in it, says nothing of the status any more.
    await response.body?.cancel().catch(() => undefined)
    return answer
  } catch (error) {
    signal?.throwIfAborted()
    return { is: 'failed', why: late.aborted ? 'timeout' : reasonOf(error), took: took() }
  }
}

/** The codes are those of Node: https://nodejs.org/api/errors.html and https://nodejs.org/api/tls.html. */
function reasonOf(error: unknown): Extract<Answer, { readonly is: 'failed' }>['why'] {
  const codes = [...causes(error)].flatMap((each) =>
    each instanceof Error && 'code' in each && typeof each.code === 'string' ? [each.code] : [],
  )
  const has = (pattern: RegExp): boolean => codes.some((code) => pattern.test(code))
  if (has(/^(?:ENOTFOUND|EAI_\w+|ENODATA)$/u)) return 'unresolved'
  if (has(/^(?:ECONNREFUSED|ECONNRESET|EPIPE|UND_ERR_SOCKET)$/u)) return 'refused'
  if (has(/^(?:ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|UND_ERR_(?:CONNECT|HEADERS|BODY)_TIMEOUT)$/u)) return 'timeout'
  if (has(/CERT|SELF_SIGNED|UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER|^ERR_(?:TLS|SSL)_|HOSTNAME_MISMATCH/u))
    return 'certificate'
  return 'other'
}

/** An error with what caused it; several addresses of one name that all fail come as one error of many. */
function* causes(error: unknown): Generator {
  for (let each = error; each instanceof Error; each = each.cause) {
    yield each
    if (each instanceof AggregateError) yield* each.errors
  }
}
