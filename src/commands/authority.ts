import type { Ports } from '../command.ts'
import { Refused } from '../core/problem.ts'
import { list } from '../core/report.ts'

/**
 * Whether who runs this is one of those that a catalog names: `@ada`, or `@acme/platform`. Only GitHub knows who is in a team; in
 * a terminal, where people say themselves who they are, nobody is. Throws `Refused` (`github-permission`) where the token may not
 * see who is in a team, and no other name fits.
 */
export async function isOneOf({ by: who, github }: Ports, names: readonly string[]): Promise<boolean> {
  if (github === undefined) return names.some((name) => name.toLowerCase() === `@${who.toLowerCase()}`)
  const host = await github()
  let refusal: Refused | undefined
  // People are asked for before teams, since every token may.
  for (const name of names.toSorted((a, b) => Number(a.includes('/')) - Number(b.includes('/')))) {
    try {
      if (await host.isMember(name, who)) return true
    } catch (error) {
      if (!(error instanceof Refused)) throw error
      refusal ??= error
    }
  }
  if (refusal !== undefined) throw refusal
  return false
}

/** Who may, as a sentence: `Members of @acme/platform and @ada may.` */
export function whoMay(names: readonly string[] | undefined, key: string): string {
  if (names === undefined || names.length === 0) return `catalog.yaml names nobody who may, below \`${key}:\`.`
  const all = names.map((name) => (name.includes('/') ? `the members of ${name}` : name))
  return `Those who may are ${list(all)}.`
}
