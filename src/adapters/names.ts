import { Resolver } from 'node:dns/promises'

import type { NameServers } from '../ports.ts'

/** Milliseconds until a server of names that does not answer is given up. */
const patience = 3000

/**
 * The name servers of a domain, as the servers of this machine tell. Errors are told apart by the words of
 * https://nodejs.org/api/dns.html#error-codes.
 */
export const nameServers: NameServers = async (domain) => {
  const resolver = new Resolver({ timeout: patience, tries: 2 })
  try {
    return { is: 'seen', value: (await resolver.resolveNs(domain)).toSorted() }
  } catch (error) {
    const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
    if (code === 'ENOTFOUND') return { is: 'seen', value: undefined }
    if (code === 'ENODATA') return { is: 'seen', value: [] }
    return {
      is: 'hidden',
      why: code === 'ESERVFAIL' ? 'The servers that it is delegated to do not answer' : 'No server of names answered',
      fix: `\`dig NS ${domain}\` on a machine that reaches the world tells more.`,
    }
  }
}
