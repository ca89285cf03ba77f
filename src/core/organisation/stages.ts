import { isMap } from '../data.ts'
import { didYouMean } from '../nearest.ts'
import type { Place } from '../problem.ts'
import { inWords } from '../shape.ts'
import type { ServiceSpec } from '../spec.ts'
import { hostOf, readHost, type Stage, stageOfHost } from '../stage.ts'
import { problem, type Reading, type ServiceStage } from './model.ts'

/** The stages of a service in the order of promotion: those of its hosts, or those it names where it has no host. */
export function stagesOf(reading: Reading, spec: ServiceSpec, isFirst: boolean): ServiceStage[] {
  const { catalog, problems } = reading
  const { document } = spec
  const stageNames = catalog.stages.map(({ name }) => name)
  const hosts = new Map<string, string>()
  const before = new Map<string, Place>()
  let doubtful = false
  for (const { text, at } of spec.hosts) {
    const placed = placeHost(reading, { spec, text, at, isFirst, before })
    if (placed === undefined) doubtful = true
    else hosts.set(placed.stage.name, placed.host)
  }
  const declared = 'hosts' in (isMap(document.data) ? document.data : {}) && spec.hosts.length > 0
  for (const name of spec.stages.keys()) {
    const at = document.keyPlace(['stages', name])
    if (!stageNames.includes(name)) {
      // A stage whose own entry is broken has been told of.
      if (
        isMap(catalog.document.data) &&
        isMap(catalog.document.data['stages']) &&
        name in catalog.document.data['stages']
      )
        continue
      problems.push(
        problem('unknown-stage', at, {
          message: `There is no stage "${name}".${didYouMean(name, stageNames)}`,
          expected: `One of ${stageNames.join(', ')}.`,
          remedy: 'Correct the name.',
        }),
      )
    } else if (declared && !doubtful && !hosts.has(name)) {
      const stage = catalog.stages.find((each) => each.name === name)
      problems.push(
        problem('stage-without-host', at, {
          message: `The service has no host in the stage "${name}", so what is set for it would never be used.`,
          expected: 'A host in each stage that is named, since the hosts decide the stages.',
          remedy:
            stage === undefined ? 'Add a host.' : `Add the host ${hostOf(stage, spec.service)}, or remove the stage.`,
        }),
      )
    }
  }
  const wanted = declared ? new Set(hosts.keys()) : new Set(spec.stages.keys())
  if (!declared && spec.stages.size === 0) {
    const first = catalog.stages[0]
    problems.push(
      problem('no-stages', document.keyPlace(['service']), {
        message: 'The service is in no stage: it has neither hosts nor stages.',
        expected: '`hosts:` for a service that is called; `stages:` for one that is not, such as a queue worker.',
        remedy:
          first === undefined
            ? 'Add one of the two.'
            : `Add \`hosts: [${hostOf(first, spec.service)}]\`, or \`stages: { ${first.name}: {} }\`.`,
      }),
    )
  }
  return catalog.stages
    .filter(({ name }) => wanted.has(name))
    .map((stage) => {
      const [host, because] = [hosts.get(stage.name), spec.stages.get(stage.name)?.because]
      return { stage, hosts: host === undefined ? [] : [host], ...(because === undefined ? {} : { because }) }
    })
}

type Host = {
  readonly spec: ServiceSpec
  readonly text: string
  readonly at: Place
  readonly isFirst: boolean
  /** The hosts of the same file that went before. */
  readonly before: Map<string, Place>
}

/** The one stage that a host belongs to, or nothing, with a Problem. */
function placeHost(
  reading: Reading,
  { spec, text, at, isFirst, before }: Host,
): { readonly stage: Stage; readonly host: string } | undefined {
  const { catalog, problems } = reading
  const read = readHost(text)
  if ('fault' in read) {
    problems.push(
      problem('host-invalid', at, {
        message: `The host ${inWords(text)} ${read.fault}.`,
        expected: 'A DNS name such as checkout.dev.example.com.',
        remedy: 'Correct the host.',
      }),
    )
    return undefined
  }
  const { host } = read
  const owner = stageOfHost(catalog, host)
  const addresses = catalog.stages.map((stage) => hostOf(stage, spec.service))
  if (owner.is === 'several') {
    problems.push(
      problem('host-ambiguous', at, {
        message: `The host ${host} fits the patterns of ${owner.owners.join(' and ')}.`,
        expected: 'Patterns of stages that no host can match together.',
        remedy: 'Correct the patterns in `catalog.yaml`.',
      }),
    )
    return undefined
  }
  if (owner.is !== 'stage') {
    problems.push(
      problem('host-unclaimed', at, {
        message:
          owner.is === 'preview'
            ? `The host ${host} is the address of a preview, which comes and goes with its pull request.`
            : `The host ${host} belongs to no stage.${didYouMean(host, addresses)}`,
        expected: `For this service: ${addresses.join(', ')}.`,
        remedy: 'Correct the host, or remove it.',
      }),
    )
    return undefined
  }
  if (owner.service !== spec.service) {
    problems.push(
      problem('host-service', at, {
        message: `The host ${host} names the service "${owner.service}", and this is "${spec.service}".`,
        expected: hostOf(owner.stage, spec.service),
        remedy: 'Correct the host, or the name under `service:`.',
      }),
    )
    reading.strangers.push({ is: 'host', text: host, service: owner.service, at, problems })
    return undefined
  }
  // A host holds the name of its service, so another claimant is either this file or a stranger.
  const claim = before.get(host)
  if (claim !== undefined) {
    problems.push({
      ...problem('host-taken', at, {
        message: `The host ${host} is written twice.`,
        expected: 'Each host once, in one service.',
        remedy: 'Remove it from one of the two.',
      }),
      related: [{ at: claim, note: 'the first time' }],
    })
  }
  before.set(host, claim ?? at)
  if (isFirst && claim === undefined) reading.hosts.set(host, at)
  return { stage: owner.stage, host }
}
