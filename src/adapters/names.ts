import { Resolver } from 'node:dns/promises'

import type { NameServers } from '../ports.ts'

/** Milliseconds until a server of names that does not answer is given up. */
const patience = 3000

/**
 * The name servers of a domain, as the servers of this machine tell it, or those that are handed in. Errors are told apart by the
 * words of https://nodejs.org/api/dns.html#error-codes.
 */
export function nameServersBy(servers?: readonly string[]): NameServers {
  const resolver = new Resolver({ timeout: patience, tries: 2 })
  if (servers !== undefined) resolver.setServers(servers)
  const ask = async (domain: string): Promise<readonly string[] | 'no such name' | 'no zone' | 'silent' | 'broken'> => {
    try {
      return (await resolver.resolveNs(domain)).toSorted()
    } catch (error) {
      const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
      return ({ ENOTFOUND: 'no such name', ENODATA: 'no zone', ESERVFAIL: 'broken' } as const)[code] ?? 'silent'
    }
  }
  return async (domain) => {
    const fix = `\`dig NS ${domain}\` on a machine that reaches the world tells more.`
    const found = await ask(domain)
    if (typeof found !== 'string') return { is: 'seen', value: found }
    if (found === 'no zone') return { is: 'seen', value: [] }
    if (found === 'broken') return { is: 'hidden', why: 'The servers that it is delegated to do not answer', fix }
    if (found === 'silent') return { is: 'hidden', why: 'No server of names answered', fix }
    // Who knows of no `com` either sees a network of its own, and says nothing of the world.
    const top = await ask(domain.slice(domain.lastIndexOf('.') + 1))
    if (typeof top !== 'string') return { is: 'seen', value: undefined }
    return { is: 'hidden', why: 'The servers of names of this machine do not know the world', fix }
  }
}
