import type { Ports } from '../command.ts'
import type { Catalog } from '../core/catalog.ts'
import type { GuardSettings } from '../core/guard.ts'
import { didYouMean } from '../core/nearest.ts'
import type { Organisation, Unit } from '../core/organisation.ts'
import type { Checked, Problem } from '../core/problem.ts'

/** The terms on which stacks are planned and deployed, besides what the files of their units say. */
export type Terms = {
  readonly guard: GuardSettings
  /** Logical ids that may be lost, by the ids of units, as they were given to the command. */
  readonly acknowledged: ReadonlyMap<string, readonly string[]>
  readonly ownerOf: (unit: Pick<Unit, 'kind'>) => Ownership
}

/**
 * Whose the stack of a unit is. A stack is `ours` with the id of the repository that deploys it; where that is not known, a
 * stack that has an owner is refused. `theirs` is one that is only looked at: an environment, from the repository of a service.
 */
export type Ownership = { readonly is: 'ours'; readonly id: string | undefined } | { readonly is: 'theirs' }

export const noTerms: Terms = { guard: {}, acknowledged: new Map(), ownerOf: () => ({ is: 'ours', id: undefined }) }

/**
 * The terms of a run. In a workflow the owner is the repository of the run, by its id, which outlives a change of its name; in a
 * terminal it is `--owner`, or what catalog.yaml says. A remote of git is not asked: it says a name, which changes, and
 * whoever clones may write what he likes into it.
 */
export function termsOf(
  { run }: Pick<Ports, 'run'>,
  {
    catalog,
    owner,
    acknowledged = new Map(),
    isApart = false,
  }: {
    readonly catalog: Pick<Catalog, 'owner' | 'guard'>
    readonly owner?: string | undefined
    readonly acknowledged?: Terms['acknowledged']
    /** The services lie in a repository of their own, beside the catalog. */
    readonly isApart?: boolean
  },
): Terms {
  const own = run === undefined ? (owner ?? catalog.owner) : String(run.repository.id)
  return {
    guard: catalog.guard,
    acknowledged,
    ownerOf: ({ kind }) => (isApart && kind === 'environment' ? { is: 'theirs' } : { is: 'ours', id: own }),
  }
}

/** Reads `--acknowledge checkout/prod:OrdersTable`. */
export function acknowledgedUnits(
  words: readonly string[],
  { units }: Pick<Organisation, 'units'>,
): Checked<Terms['acknowledged']> {
  const found = new Map<string, readonly string[]>()
  const problems: Problem[] = []
  for (const word of words) {
    const [, unit = '', logicalId = ''] = /^(.+):([A-Za-z0-9]{1,255})$/u.exec(word) ?? []
    const ids = units.map(({ id }) => id)
    if (ids.includes(unit)) found.set(unit, [...(found.get(unit) ?? []), logicalId])
    else {
      problems.push({
        code: 'option-value',
        severity: 'error',
        message:
          unit === ''
            ? `--acknowledge ${JSON.stringify(word)} names no resource of a unit.`
            : `--acknowledge ${JSON.stringify(word)}: there is no unit ${JSON.stringify(unit)}.${didYouMean(unit, ids)}`,
        expected: 'A unit and the logical id of a resource in it, such as checkout/prod:OrdersTable.',
        remedy: 'Correct it; `protium plan` names the units and their resources.',
      })
    }
  }
  return problems.length > 0 ? { ok: false, problems } : { ok: true, value: found, problems }
}
