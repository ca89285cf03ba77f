import type { Organisation, Unit } from '../core/organisation.ts'
import type { CheckName } from '../core/policy/rules.ts'
import type { Waiver } from '../core/policy/waivers.ts'
import { endingSoon, idleWaivers } from '../core/policy/waivers.ts'
import type { Judged } from '../core/policy.ts'
import type { Problem } from '../core/problem.ts'

/** What a run learns of waivers while it judges units. */
export class WaiverUse {
  readonly #needed = new Set<Waiver>()
  readonly #told = new Set<string>()

  add({ id }: Pick<Unit, 'id'>, judged: readonly Judged[]): void {
    this.#told.add(id)
    for (const { waiver } of judged) if (waiver !== undefined) this.#needed.add(waiver)
  }

  /**
   * The waivers that end soon, and those that nothing needs, as far as that can be told: where all that a waiver is for was
   * judged. `isWhole` says that there are no services but those of the organisation.
   */
  problems(
    { catalog, units, services }: Organisation,
    { now, isWhole, ran }: { readonly now: Date; readonly isWhole: boolean; readonly ran: ReadonlySet<CheckName> },
  ): readonly Problem[] {
    const isTold = (some: readonly Unit[]): boolean => some.every(({ id }) => this.#told.has(id))
    const isIdle = (waiver: Waiver): boolean => {
      const check = waiver.rule.includes('/') ? waiver.rule.replace(/\/.*$/u, '') : undefined
      if (this.#needed.has(waiver) || (check !== undefined && ![...ran].some((name) => name === check))) return false
      const { for: of } = waiver
      if (of.is === 'template') return isWhole && isTold(units.filter(({ bundle }) => bundle.template === of.template))
      const name = of.is === 'service' ? of.service : (of.unit.split('/')[0] ?? '')
      if (of.is === 'unit' && name === 'environment') return isTold(units.filter(({ id }) => id === of.unit))
      if (services.every(({ service }) => service !== name)) return false
      return isTold(
        units.filter(({ id, service }) => (of.is === 'unit' ? id === of.unit : service?.service === of.service)),
      )
    }
    return [...endingSoon(this.#needed, now), ...idleWaivers(catalog.policy.waivers.filter(isIdle))]
  }
}
