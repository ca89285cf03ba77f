import type { Catalog } from '../catalog.ts'
import { compareText } from '../canonical.ts'
import { parseReference } from '../version.ts'
import { releaseName } from './model.ts'
import { releaseStatus } from './status.ts'

/** A version that nobody should run, or not for long, with the units that do. */
export type TroubledVersion = {
  readonly name: string
  readonly is: 'yanked' | 'deprecated'
  readonly because?: string
  readonly until?: string
  readonly runs: readonly string[]
}

/** Units with the version that each was deployed with last, `web@1.2.0`. */
export type Deployed = ReadonlyMap<string, string>

/** Who runs what was taken back, then who runs what ends; of each, the versions by their names. */
export function runsOf({ templates }: Pick<Catalog, 'templates'>, deployed: Deployed): readonly TroubledVersion[] {
  const found = new Map<string, { readonly version: Omit<TroubledVersion, 'runs'>; readonly runs: string[] }>()
  for (const [unit, reference] of deployed) {
    const read = parseReference(reference)
    const template = read === undefined ? undefined : templates.get(read.template)
    if (read === undefined || template === undefined) continue
    const status = releaseStatus(template, read.version)
    if (status.is !== 'yanked' && status.is !== 'deprecated') continue
    const name = releaseName(read)
    const known = found.get(name) ?? {
      version: {
        name,
        is: status.is,
        ...(status.because !== undefined && { because: status.because }),
        ...(status.is === 'deprecated' && { until: status.until }),
      },
      runs: [],
    }
    known.runs.push(unit)
    found.set(name, known)
  }
  return [...found.values()]
    .map(({ version, runs }): TroubledVersion => ({ ...version, runs: runs.toSorted(compareText) }))
    .toSorted((a, b) => compareText(b.is, a.is) || compareText(a.name, b.name))
}
