import { addressOf, readOrganisation } from '../src/core/organisation.ts'
import type { FileTree } from '../src/core/tree.ts'

/** The stages and the services of a catalog, as far as the pages show them. */
export type StageFacts = {
  readonly stages: readonly string[]
  readonly services: readonly {
    readonly name: string
    /** By stage; nothing where the service has none there. */
    readonly units: readonly ({ readonly id: string; readonly address: string | undefined } | undefined)[]
  }[]
}

/** Reads them from the files of the catalog; nothing where these are not in order. */
export function readOrganisationAt(files: FileTree): StageFacts {
  const read = readOrganisation(files, () => undefined)
  if (!read.ok) return { stages: [], services: [] }
  const { catalog, services, units } = read.value
  const stages = catalog.stages.map(({ name }) => name)
  return {
    stages,
    services: services.map(({ service }) => ({
      name: service,
      units: stages.map((stage) => {
        const unit = units.find(
          (each) => each.kind === 'instance' && each.service?.service === service && each.stage?.name === stage,
        )
        return unit === undefined ? undefined : { id: unit.id, address: addressOf(unit) }
      }),
    })),
  }
}
