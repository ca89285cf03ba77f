import type { Ports } from '../command.ts'
import { consumerReference } from '../core/impact.ts'
import { consumersIn } from '../core/release/consumers.ts'
import { recordsByUnit } from '../core/release/deployed.ts'
import { releaseName } from '../core/release/model.ts'
import type { Deployed, TroubledVersion } from '../core/release/runs.ts'
import type { Paint } from '../core/report.ts'
import type { FileTree } from '../core/tree.ts'
import { stateFolders } from './reading.ts'

/**
 * What each unit runs, by the records: those of the fetched ledger in a job, those of this machine at a terminal. What lies in the
 * catalog's own repository and has no record yet is there by its file.
 */
export async function deployedVersions(ports: Ports, root: string, files: FileTree): Promise<Deployed> {
  const deployed = await recordedVersions(ports, root)
  const isKnown = (name: string): boolean =>
    [...deployed.keys()].some((unit) => unit === name || unit.startsWith(`${name}/`))
  const asked = consumersIn(files).flatMap((consumer) => {
    const name = consumer.file
      .replace(/^services\/(.+)\/service\.yaml$/u, '$1')
      .replace(/^environments\/(.+)\.yaml$/u, 'environment/$1')
    const runs = consumerReference(consumer)
    return runs === undefined || isKnown(name) ? [] : [[name, releaseName(runs)] as const]
  })
  return new Map([...deployed, ...asked])
}

async function recordedVersions(ports: Ports, root: string): Promise<Deployed> {
  const fetched = await ports.files.ledger(root)
  if (fetched !== undefined) return recordsByUnit(fetched.files)
  const records = await (await ports.records(stateFolders(root, '.protium').records)).list()
  const latest = new Map<string, string>()
  for (const { unit, outcome, template, version } of records) {
    if (outcome === 'deployed' || outcome === 'unchanged') latest.set(unit, `${template}@${version}`)
    if (outcome === 'removed') latest.delete(unit)
  }
  return latest
}

export function troubledData(troubled: readonly TroubledVersion[]): readonly {
  readonly version: string
  readonly is: string
  readonly because: string | null
  readonly runs: readonly string[]
}[] {
  return troubled.map(({ name, is, because, runs }) => ({ version: name, is, because: because ?? null, runs }))
}

/** Who runs what was taken back or ends, a line each; empty where nobody does. */
export function troubledText(troubled: readonly TroubledVersion[], paint: Paint): string {
  return troubled
    .map(({ name, is, because, until, runs }) => {
      const why = [
        ...(until === undefined ? [] : [`until ${until}`]),
        ...(because === undefined ? [] : [because]),
      ].join(', ')
      return `${(is === 'yanked' ? paint.bad : paint.notice)(`${name} is ${is}`)}${why === '' ? '' : ` (${why})`}, and runs in ${runs.join(', ')}.`
    })
    .join('\n')
}
