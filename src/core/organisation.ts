import { compareText } from './canonical.ts'
import type { Catalog } from './catalog.ts'
import {
  type Mention,
  type Only,
  type Organisation,
  problem,
  type Reading,
  type Released,
  type Service,
  type Stranger,
  type Unit,
} from './organisation/model.ts'
import { openOrganisation, readingOf } from './organisation/opened.ts'
import { inOrder, readService, serviceFiles } from './organisation/service.ts'
import { checkStacks, claimants } from './organisation/stacks.ts'
import { didYouMean } from './nearest.ts'
import { checkWaivedServices } from './policy/waivers.ts'
import type { Checked, Problem } from './problem.ts'
import type { FileTree } from './tree.ts'

export type { Only, Organisation, Released, Service, Unit } from './organisation/model.ts'
export {
  bundleOf,
  type Opened,
  openOrganisation,
  readConsumer,
  readEnvironmentConsumer,
  withEnvironments,
} from './organisation/opened.ts'
export { stackOptions } from './organisation/units.ts'

/**
 * Reads a catalog repository with the services that lie in it: `services/<name>/service.yaml`, or one `service.yaml` at the
 * root where the repository of a service is laid over the catalog. Nothing is looked up but released versions; a version
 * is the checkout's own if it has that number. All problems of all files are found at once.
 *
 * The hosts of a service decide its stages; by the patterns of the stages there is one in each. A service without hosts has
 * the stages that it names. Inputs of a stage replace those of the service one by one; where an input is a map,
 * its keys are replaced one by one (and no deeper). `releases` are the tags `name@x.y.z` there are, to name them in
 * messages.
 *
 * With `only`, the result has these services alone, and the problems are those that a whole reading has with them and
 * with what all services share. A service lies in the folder of its name and its hosts hold that name, so others need not
 * be known but where a name leads to them: then `wants` is told, and the reading holds once their files are in the tree.
 * What is not seen is a stack that another service has taken by `stack:`, against the pattern of names.
 */
export function readOrganisation(
  tree: FileTree,
  released: Released,
  releases: readonly string[] = [],
  only?: Only,
): Checked<Organisation> {
  const { opened, problems: found } = openOrganisation(tree, released, releases)
  const problems = [...found]
  if (opened === undefined) return { ok: false, problems }
  const { catalog } = opened
  const reading = readingOf(opened, problems)
  const units = [...opened.environments.values()]
  const services: Service[] = []
  // A service that lies under another name has to be renamed or moved first, and takes no stack from others meanwhile.
  const stacks = [...units]
  const others = new Set<Unit>()
  const told: Problem[][] = []
  const all = serviceFiles(tree, problems)
  for (const files of all) {
    const own: Problem[] = []
    const read = readService({ ...reading, problems: own }, files)
    const isOther = only !== undefined && files.folder !== undefined && !only.services.has(files.folder)
    if (!isOther) told.push(own)
    if (read === undefined) continue
    if (read.isFirst) stacks.push(...read.units)
    if (isOther) for (const unit of read.units) others.add(unit)
    if (isOther) continue
    services.push(read.service)
    units.push(...read.units)
  }
  for (const stranger of reading.strangers) judge(reading, stranger)
  // A service in a repository of its own sees no other.
  const known = all.every(({ folder }) => folder === undefined)
    ? undefined
    : new Set([...reading.names.keys(), ...all.flatMap(({ folder }) => folder ?? [])])
  const mentions = reading.mentions.filter(({ service }) => known?.has(service) === false)
  for (const mention of mentions) judgeMention(mention, known ?? [])
  if (only === undefined && known !== undefined) {
    const isAll = catalog.repositories === undefined
    problems.push(...checkWaivedServices(catalog.policy.waivers, { services: known, isAll }))
  }
  problems.push(...told.flatMap(inOrder))
  if (only !== undefined) {
    const own = new Set(told)
    const named = [...reading.strangers, ...mentions].filter((each) => own.has(each.problems))
    askForOthers(catalog, { only, units, named: named.map(({ service }) => service) })
  }
  checkStacks(stacks, { others, problems })
  if (problems.some(({ severity }) => severity === 'error')) return { ok: false, problems }
  return { ok: true, value: { catalog, ...sorted(services, units) }, problems }
}

/** A stranger's problem, now that all services are known. */
function judge({ names, hosts }: Reading, { is, text, service, at, problems }: Stranger): void {
  const owner = is === 'host' ? hosts.get(text) : names.get(service)
  if (is === 'name') {
    problems.push(
      owner === undefined
        ? problem('service-folder', at, {
            message: `The service "${service}" lies in a folder "${text}".`,
            expected: `\`services/${service}/service.yaml\`: the folder of a service has its name, which makes names unique.`,
            remedy: 'Rename the folder, or the service.',
          })
        : {
            ...problem('service-twice', at, {
              message: `There is a service "${service}" already.`,
              expected: 'A name of its own for each service.',
              remedy: 'Rename one of them, in `service:` and in its hosts.',
            }),
            related: [{ at: owner, note: 'the other one' }],
          },
    )
  } else if (owner !== undefined) {
    problems.push({
      ...problem('host-taken', at, {
        message: `The host ${text} is taken by the service "${service}".`,
        expected: 'Each host once, in one service.',
        remedy: 'Remove it from one of the two.',
      }),
      related: [{ at: owner, note: 'the other claimant' }],
    })
  }
}

/** The services of an organisation may lie in many repositories, so a name that is not known here is only doubtful. */
function judgeMention({ service, at, problems }: Mention, known: Iterable<string>): void {
  problems.push({
    ...problem('unknown-service', at, {
      message: `There is no service "${service}" here.${didYouMean(service, known)}`,
      expected: 'The name of a service.',
      remedy: 'Correct the name. If the service lies in another repository, nothing has to be done.',
    }),
    severity: 'warning',
  })
}

/** Names the services that these could be in the way of. */
function askForOthers(
  catalog: Catalog,
  { only, units, named }: { readonly only: Only; readonly units: readonly Unit[]; readonly named: readonly string[] },
): void {
  const stacks = units.flatMap(({ service, stack }) => (service === undefined ? [] : claimants(catalog, stack)))
  for (const name of new Set([...named, ...stacks])) if (!only.services.has(name)) only.wants(name)
}

/** The host that an instance answers on; nothing for a unit that is not called from outside. */
export function addressOf({ kind, service, stage }: Unit): string | undefined {
  if (kind !== 'instance') return undefined
  return service?.stages.find((each) => each.stage.name === stage?.name)?.hosts[0]
}

function sorted(services: readonly Service[], units: readonly Unit[]): Pick<Organisation, 'services' | 'units'> {
  const name = (unit: Unit): string => unit.service?.service ?? ''
  return {
    services: services.toSorted((a, b) => compareText(a.service, b.service)),
    // The sort is stable: environments have no service and stay first, units of a service stay in order.
    units: units.toSorted((a, b) => compareText(name(a), name(b))),
  }
}
