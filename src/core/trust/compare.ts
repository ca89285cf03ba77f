import { canonicalJson } from '../canonical.ts'
import type { DataMap } from '../data.ts'
import type { Role } from '../trust.ts'
import { weaknesses } from './evaluate.ts'

/** A trust policy beside the one that the catalog makes: in what it is weaker than it has to be, and whether it is the same. */
export type Compared = { readonly weak: readonly string[]; readonly isSame: boolean }

export function compareTrust(found: DataMap, { purpose, trust }: Pick<Role, 'purpose' | 'trust'>): Compared {
  // A pull request has a ref of its own each time.
  const weak = weaknesses(found, purpose === 'plan' ? ['ref'] : []).map(({ what }) => what)
  return { weak, isSame: canonicalJson(found) === canonicalJson(trust) }
}
